//! Interfaces, addresses, routes and rules of the network namespace that the caller lives in. The one module that
//! knows rtnetlink.

use std::fs;

use core::net::IpAddr;

use futures_util::TryStreamExt;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::IpProtocol;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{InfoData, InfoVeth, LinkMessage};
use netlink_packet_route::route::{RouteMessage, RouteScope, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleMessage, RulePortRange};
use rtnetlink::{Handle, LinkUnspec, LinkVeth, RouteMessageBuilder, new_connection};
use tokio::task::JoinHandle;

use crate::error::{Error, While};

/// Both ends of a pair have this address, so that each accepts what the other sends without asking for it: a raw IP
/// link as MBIM has it.
const MAC: [u8; 6] = [0x02, 0x6d, 0x62, 0x69, 0x6d, 0x01];

/// A netlink socket of the present network namespace.
#[derive(Debug)]
pub struct Net {
    handle: Handle,
    driver: JoinHandle<()>,
}

impl Drop for Net {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Which packets a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// IPv6 instead of IPv4.
    pub ipv6: bool,
    /// Order among the rules; 0 is the kernel's own for local addresses.
    pub priority: u32,
    /// Interface through which the packet came.
    pub from: &'static str,
    /// TCP to this port only.
    pub tcp_port: Option<u16>,
    /// Routing table that decides.
    pub table: u32,
}

impl Net {
    /// Opens the socket; needs a tokio runtime.
    ///
    /// # Errors
    /// No netlink.
    pub fn open() -> Result<Self, Error> {
        let (connection, handle, _) = new_connection().trying("opening netlink")?;
        Ok(Self { handle, driver: tokio::spawn(connection) })
    }

    /// Makes two interfaces that are each other's end, without ARP or neighbour discovery.
    ///
    /// # Errors
    /// A name is taken, or the kernel has no veth.
    pub async fn pair(&self, one: &str, other: &str) -> Result<(), Error> {
        let doing = format!("making the pair {one} and {other}");
        // The addresses are there from the first moment: where udevd runs it gives one to a link that has none of its
        // own, and may do so after somebody else did.
        let peer = LinkUnspec::new_with_name(other).address(MAC.to_vec()).build();
        let both = LinkVeth::new(one, other).address(MAC.to_vec()).set_info_data(InfoData::Veth(InfoVeth::Peer(peer)));
        self.handle.link().add(both.build()).execute().await.trying(&doing)?;
        for name in [one, other] {
            let message = LinkUnspec::new_with_index(index(name)?).arp(false).build();
            self.change(message).await.trying(&doing)?;
        }
        Ok(())
    }

    /// Gives an interface to the network namespace of a process.
    ///
    /// # Errors
    /// There is no such interface or process.
    pub async fn give_away(&self, name: &str, process: u32) -> Result<(), Error> {
        let message = LinkUnspec::new_with_index(index(name)?).setns_by_pid(process).build();
        self.change(message).await.trying(format!("moving {name}"))
    }

    /// Sets an interface up or down.
    ///
    /// # Errors
    /// There is no such interface.
    pub async fn set_up(&self, name: &str, up: bool) -> Result<(), Error> {
        let builder = LinkUnspec::new_with_index(index(name)?);
        let message = if up { builder.up() } else { builder.down() }.build();
        self.change(message).await.trying(format!("setting {name} {}", if up { "up" } else { "down" }))
    }

    async fn change(&self, message: LinkMessage) -> Result<(), rtnetlink::Error> {
        self.handle.link().change(message).execute().await
    }

    /// Adds an address; it may be there already.
    ///
    /// # Errors
    /// The interface is not there or the family is off.
    pub async fn address(&self, name: &str, address: IpAddr, prefix: u8) -> Result<(), Error> {
        let mut request = self.handle.address().add(index(name)?, address, prefix).replace();
        if address.is_ipv6() {
            // Nobody else is there. Without this an address may not be bound to until a work queue has had its turn.
            request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        }
        request.execute().await.trying(format!("setting {address} on {name}"))
    }

    /// All addresses of an interface with their prefix lengths.
    ///
    /// # Errors
    /// The interface is not there.
    pub async fn addresses(&self, name: &str) -> Result<Vec<(IpAddr, u8)>, Error> {
        let found = self.address_messages(name).await?;
        Ok(found.iter().filter_map(|m| Some((address_of(m)?, m.header.prefix_len))).collect())
    }

    /// Takes all addresses from an interface, but link-local ones, which the kernel makes.
    ///
    /// # Errors
    /// The interface is not there.
    pub async fn clear(&self, name: &str) -> Result<(), Error> {
        for message in self.address_messages(name).await? {
            if !matches!(address_of(&message), Some(IpAddr::V6(a)) if a.is_unicast_link_local()) {
                self.handle.address().del(message).execute().await.trying(format!("clearing {name}"))?;
            }
        }
        Ok(())
    }

    async fn address_messages(&self, name: &str) -> Result<Vec<AddressMessage>, Error> {
        let request = self.handle.address().get().set_link_index_filter(index(name)?);
        request.execute().try_collect().await.trying(format!("reading the addresses of {name}"))
    }

    /// Adds or replaces a route over an interface.
    ///
    /// # Errors
    /// The interface is down.
    pub async fn route(&self, to: IpAddr, prefix: u8, over: &str) -> Result<(), Error> {
        let message = destination(to, prefix).output_interface(index(over)?).scope(RouteScope::Link).build();
        self.add_route(message).await.trying(format!("routing {to}/{prefix} over {over}"))
    }

    /// Everything in this table is the machine's own: packets to any address arrive here.
    ///
    /// # Errors
    /// The kernel refuses.
    pub async fn all_local(&self, table: u32, ipv6: bool) -> Result<(), Error> {
        let message = destination(any(ipv6), 0)
            .output_interface(index("lo")?)
            .table_id(table)
            .scope(RouteScope::Host)
            .kind(RouteType::Local)
            .build();
        self.add_route(message).await.trying("making every address local")
    }

    /// Everything in this table goes nowhere, silently.
    ///
    /// # Errors
    /// The kernel refuses.
    pub async fn all_dropped(&self, table: u32, ipv6: bool) -> Result<(), Error> {
        let message = destination(any(ipv6), 0).table_id(table).kind(RouteType::BlackHole).build();
        self.add_route(message).await.trying("dropping every address")
    }

    async fn add_route(&self, message: RouteMessage) -> Result<(), rtnetlink::Error> {
        self.handle.route().add(message).replace().execute().await
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// The kernel has no policy routing.
    pub async fn add_rule(&self, rule: Rule) -> Result<(), Error> {
        let mut request = self.handle.rule().add();
        *request.message_mut() = rule_message(rule);
        request.execute().await.trying(format!("adding {rule:?}"))
    }

    /// Takes a rule away.
    ///
    /// # Errors
    /// It is not there.
    pub async fn delete_rule(&self, rule: Rule) -> Result<(), Error> {
        self.handle.rule().del(rule_message(rule)).execute().await.trying(format!("deleting {rule:?}"))
    }
}

fn address_of(message: &AddressMessage) -> Option<IpAddr> {
    message.attributes.iter().find_map(|a| if let AddressAttribute::Address(a) = a { Some(*a) } else { None })
}

fn rule_message(rule: Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = if rule.ipv6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
    message.header.action = RuleAction::ToTable;
    message.header.table = u8::try_from(rule.table).unwrap_or(0);
    message.attributes.push(RuleAttribute::Priority(rule.priority));
    message.attributes.push(RuleAttribute::Iifname(rule.from.to_owned()));
    message.attributes.push(RuleAttribute::Table(rule.table));
    if let Some(port) = rule.tcp_port {
        message.attributes.push(RuleAttribute::IpProtocol(IpProtocol::Tcp));
        message.attributes.push(RuleAttribute::DestinationPortRange(RulePortRange { start: port, end: port }));
    }
    message
}

fn destination(to: IpAddr, prefix: u8) -> RouteMessageBuilder<IpAddr> {
    let builder = RouteMessageBuilder::<IpAddr>::new();
    // Only a prefix longer than the family allows is refused, and there is none here.
    builder.destination_prefix(to, prefix).unwrap_or_default()
}

fn any(ipv6: bool) -> IpAddr {
    if ipv6 { IpAddr::from([0_u16; 8]) } else { IpAddr::from([0_u8; 4]) }
}

/// Index of an interface of the present network namespace.
///
/// # Errors
/// There is none of that name.
pub fn index(name: &str) -> Result<u32, Error> {
    nix::net::if_::if_nametoindex(name).trying(format!("looking for interface {name}"))
}

/// Writes a network setting of the present namespace, for example `ipv4/ip_forward`.
///
/// # Errors
/// There is no such setting, or it may not be written.
pub fn setting(path: &str, value: &str) -> Result<(), Error> {
    fs::write(format!("/proc/sys/net/{path}"), value).trying(format!("writing /proc/sys/net/{path}"))
}

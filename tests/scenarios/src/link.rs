//! What stands on a network interface of this namespace, asked from the kernel.

use core::net::IpAddr;

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use harness::virtual_operator::link::{Net, index};
use harness::virtual_operator::{Error, While};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use rtnetlink::packet_core::NetlinkPayload;
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder, new_connection, new_multicast_connection};

/// An interface as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Set up by somebody.
    pub up: bool,
    /// Largest packet, octets.
    pub mtu: u32,
    /// Addresses as `ADDRESS/PREFIX`, sorted, without the kernel's own link-local ones.
    pub addresses: Vec<String>,
    /// Routes over it as `DESTINATION/PREFIX [via GATEWAY] metric N`, sorted, without the kernel's own.
    pub routes: Vec<String>,
}

impl Shown {
    /// There is no trace of a data session.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        !self.up && self.addresses.is_empty() && self.routes.is_empty()
    }
}

/// Asks the kernel about an interface.
///
/// # Errors
/// There is no such interface, or netlink does not answer.
pub async fn show(name: &str) -> Result<Shown, Error> {
    let doing = format!("looking at {name}");
    let (connection, handle, _) = new_connection().trying(&doing)?;
    let driver = tokio::spawn(connection);
    let shown = ask(&handle, name, &doing).await;
    driver.abort();
    shown
}

async fn ask(handle: &Handle, name: &str, doing: &str) -> Result<Shown, Error> {
    let number = index(name)?;
    let mut found = handle.link().get().match_index(number).execute();
    let link = found.try_next().await.trying(doing)?.ok_or_else(|| Error::new(doing, "no such interface"))?;
    let mtu = link.attributes.iter().find_map(|a| if let LinkAttribute::Mtu(mtu) = a { Some(*mtu) } else { None });
    let kernels = |a: &IpAddr| matches!(a, IpAddr::V6(a) if a.is_unicast_link_local());
    let addresses = Net::open()?.addresses(name).await?;
    let addresses = addresses.iter().filter(|(a, _)| !kernels(a)).map(|(a, p)| format!("{a}/{p}"));
    let mut routes = Vec::new();
    for family in [
        RouteMessageBuilder::<core::net::Ipv4Addr>::new().build(),
        RouteMessageBuilder::<core::net::Ipv6Addr>::new().build(),
    ] {
        let all: Vec<RouteMessage> = handle.route().get(family).execute().try_collect().await.trying(doing)?;
        routes.extend(all.iter().filter_map(|route| describe(route, number)));
    }
    let mut shown = Shown {
        up: link.header.flags.contains(LinkFlags::Up),
        mtu: mtu.unwrap_or_default(),
        addresses: addresses.collect(),
        routes,
    };
    shown.addresses.sort();
    shown.routes.sort();
    Ok(shown)
}

/// What the kernel tells of changes to an interface.
pub struct Watch {
    interface: u32,
    told: Receiver,
    driver: tokio::task::JoinHandle<()>,
}

type Receiver = futures_util::stream::BoxStream<'static, RouteNetlinkMessage>;

impl core::fmt::Debug for Watch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watch").field("interface", &self.interface).finish_non_exhaustive()
    }
}

impl Watch {
    /// Begins to listen.
    ///
    /// # Errors
    /// There is no such interface, or netlink does not answer.
    pub fn start(name: &str) -> Result<Self, Error> {
        use MulticastGroup as Group;
        let groups = [Group::Link, Group::Ipv4Ifaddr, Group::Ipv4Route, Group::Ipv6Ifaddr, Group::Ipv6Route];
        let (connection, _, told) = new_multicast_connection(&groups).trying("listening to the kernel")?;
        let told = told.filter_map(|(message, _)| async move {
            if let NetlinkPayload::InnerMessage(inner) = message.payload { Some(inner) } else { None }
        });
        Ok(Self { interface: index(name)?, told: told.boxed(), driver: tokio::spawn(connection) })
    }

    /// What was taken away from the interface since the start, a line each; also that it was set down.
    pub async fn taken_away(mut self) -> Vec<String> {
        let mut found = Vec::new();
        // What the kernel told before this moment is on its way through the task that reads it.
        tokio::time::sleep(core::time::Duration::from_millis(200)).await;
        while let Some(Some(told)) = self.told.next().now_or_never() {
            found.extend(self.removal(&told));
        }
        self.driver.abort();
        found
    }

    fn removal(&self, told: &RouteNetlinkMessage) -> Option<String> {
        match told {
            RouteNetlinkMessage::DelAddress(message) if message.header.index == self.interface => {
                Some(format!("{message:?}"))
            }
            RouteNetlinkMessage::DelRoute(message) => describe(message, self.interface),
            RouteNetlinkMessage::DelLink(message) if message.header.index == self.interface => {
                Some("the link".to_owned())
            }
            RouteNetlinkMessage::NewLink(message)
                if message.header.index == self.interface && !message.header.flags.contains(LinkFlags::Up) =>
            {
                Some("set down".to_owned())
            }
            _ => None,
        }
    }
}

/// A route of the main table over the interface that somebody has set.
fn describe(route: &RouteMessage, interface: u32) -> Option<String> {
    const MAIN: u32 = 254;
    let (mut to, mut via, mut metric, mut over, mut table) = (None, None, 0, None, u32::from(route.header.table));
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(a)) => to = Some(IpAddr::V4(*a)),
            RouteAttribute::Destination(RouteAddress::Inet6(a)) => to = Some(IpAddr::V6(*a)),
            RouteAttribute::Gateway(RouteAddress::Inet(a)) => via = Some(IpAddr::V4(*a)),
            RouteAttribute::Gateway(RouteAddress::Inet6(a)) => via = Some(IpAddr::V6(*a)),
            RouteAttribute::Priority(number) => metric = *number,
            RouteAttribute::Oif(number) => over = Some(*number),
            RouteAttribute::Table(number) => table = *number,
            _ => {}
        }
    }
    let prefix = route.header.destination_prefix_length;
    let kernels = matches!(to, Some(IpAddr::V6(a)) if a.is_unicast_link_local() || a.is_multicast());
    if over != Some(interface) || table != MAIN || route.header.kind != RouteType::Unicast || kernels {
        return None;
    }
    let to = to.map_or_else(|| "default".to_owned(), |to| format!("{to}/{prefix}"));
    let via = via.map(|via| format!(" via {via}")).unwrap_or_default();
    Some(format!("{to}{via} metric {metric}"))
}

/// Takes an address away, as some other program might.
///
/// # Errors
/// It is not there, or the kernel refuses.
pub async fn remove_address(name: &str, address: IpAddr) -> Result<(), Error> {
    let doing = format!("taking {address} off {name}");
    let (connection, handle, _) = new_connection().trying(&doing)?;
    let driver = tokio::spawn(connection);
    let number = index(name)?;
    let removed = async {
        let found = handle.address().get().set_link_index_filter(number).set_address_filter(address).execute();
        let all: Vec<_> = found.try_collect().await.trying(&doing)?;
        let message = all.into_iter().next().ok_or_else(|| Error::new(&doing, "it is not there"))?;
        handle.address().del(message).execute().await.trying(&doing)
    };
    let outcome = removed.await;
    driver.abort();
    outcome
}

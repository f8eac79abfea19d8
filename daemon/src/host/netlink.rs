//! The few rtnetlink requests that a data interface needs, written out by hand: ten message kinds do not justify a
//! crate that changes its interface every month.
//!
//! The kernel answers a request inside the call that sends it, so the socket blocks (for a second at most) and the
//! functions are plain ones.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use daemon_core::usage::Counters;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;
const EXCLUSIVE: u16 = 0x200;
const CREATE: u16 = 0x400;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IFF_UP: u32 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_LINKINFO: u16 = 18;
const IFLA_STATS64: u16 = 23;
const IFLA_PARENT_DEV_NAME: u16 = 56;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_VLAN_ID: u16 = 1;
const IFLA_WWAN_LINK_ID: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
const IFA_F_NODAD: u32 = 0x02;
const IFA_F_PERMANENT: u32 = 0x80;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_STATIC: u8 = 4;
const RTPROT_RA: u8 = 9;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RTN_UNICAST: u8 = 1;

/// Most bytes of one datagram from the kernel.
const BUFFER: usize = 32 * 1024;
/// Time to wait for an answer that the kernel owes.
const PATIENCE: Duration = Duration::from_secs(1);

/// An interface as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkInfo {
    /// Number, never reused soon.
    pub(crate) index: u32,
    /// Set up by an administrator.
    pub(crate) up: bool,
    /// MTU, octets.
    pub(crate) mtu: u32,
}

/// What an interface is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkKind {
    /// Number of the interface.
    pub(crate) index: u32,
    /// `vlan`, `wwan` and the like; empty for those of plain devices.
    pub(crate) kind: String,
    /// Number of the interface below it; 0 = none.
    pub(crate) lower: u32,
    /// Id of a VLAN.
    pub(crate) vlan: Option<u16>,
    /// Name of the device that it belongs to; empty where the kernel tells none.
    pub(crate) device: String,
}

/// A route of the main table over one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Route {
    /// Destination.
    pub(crate) to: IpAddr,
    /// Length of its prefix.
    pub(crate) prefix: u8,
    /// Next hop; `None` = on the link.
    pub(crate) via: Option<IpAddr>,
    /// Metric.
    pub(crate) metric: u32,
}

/// A socket to the kernel's network configuration.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// Opens it. Needs no right; changes need CAP_NET_ADMIN.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Looks an interface up by its name.
    pub(crate) fn link(&mut self, name: &str) -> io::Result<LinkInfo> {
        self.look_up(name, read_link)
    }

    /// Says what the interface of this name is.
    pub(crate) fn kind(&mut self, name: &str) -> io::Result<LinkKind> {
        self.look_up(name, read_kind)
    }

    /// Number of the interface of this name, and what passed over it since it was made.
    pub(crate) fn statistics(&mut self, name: &str) -> io::Result<(u32, Counters)> {
        self.look_up(name, read_statistics)
    }

    fn look_up<T>(&mut self, name: &str, read: impl Fn(&[u8]) -> Option<T>) -> io::Result<T> {
        let mut message = Message::new(RTM_GETLINK, REQUEST);
        message.put(&[0; 16]);
        message.attribute(IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
        let mut found = None;
        self.exchange(message, |kind, body| {
            if kind == RTM_NEWLINK {
                found = read(body);
            }
        })?;
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Makes a VLAN of an interface. Fails with `AlreadyExists` where the name or the id is taken.
    pub(crate) fn add_vlan(&mut self, lower: u32, name: &str, id: u16) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWLINK, REQUEST | ACK | CREATE | EXCLUSIVE);
        message.put(&link_head(0, 0, 0));
        message.attribute(IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
        message.attribute(IFLA_LINK, &lower.to_ne_bytes());
        message.link_info("vlan", IFLA_VLAN_ID, &id.to_ne_bytes());
        self.exchange(message, |_, _| {})
    }

    /// Makes a link of a device of the kernel's WWAN framework. Fails with `AlreadyExists` where the name or the id is
    /// taken.
    pub(crate) fn add_wwan(&mut self, device: &str, name: &str, id: u32) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWLINK, REQUEST | ACK | CREATE | EXCLUSIVE);
        message.put(&link_head(0, 0, 0));
        message.attribute(IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
        message.attribute(IFLA_PARENT_DEV_NAME, &[device.as_bytes(), &[0]].concat());
        message.link_info("wwan", IFLA_WWAN_LINK_ID, &id.to_ne_bytes());
        self.exchange(message, |_, _| {})
    }

    /// Takes an interface away, with all that stands on it.
    pub(crate) fn delete(&mut self, index: u32) -> io::Result<()> {
        let mut message = Message::new(RTM_DELLINK, REQUEST | ACK);
        message.put(&link_head(index, 0, 0));
        self.exchange(message, |_, _| {})
    }

    /// Sets an interface up or down.
    pub(crate) fn set_up(&mut self, index: u32, up: bool) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWLINK, REQUEST | ACK);
        message.put(&link_head(index, if up { IFF_UP } else { 0 }, IFF_UP));
        self.exchange(message, |_, _| {})
    }

    /// Sets the MTU.
    pub(crate) fn set_mtu(&mut self, index: u32, mtu: u32) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWLINK, REQUEST | ACK);
        message.put(&link_head(index, 0, 0));
        message.attribute(IFLA_MTU, &mtu.to_ne_bytes());
        self.exchange(message, |_, _| {})
    }

    /// Adds an address without the route to its prefix and, for IPv6, without waiting for duplicates: the network
    /// gave the prefix to this link alone. Fails with `AlreadyExists` where it is there.
    pub(crate) fn add_address(&mut self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        self.address(RTM_NEWADDR, REQUEST | ACK | CREATE | EXCLUSIVE, index, address, prefix)
    }

    /// Takes an address away.
    pub(crate) fn remove_address(&mut self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        self.address(RTM_DELADDR, REQUEST | ACK, index, address, prefix)
    }

    fn address(&mut self, kind: u16, flags: u16, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = Message::new(kind, flags);
        let scope = match address {
            IpAddr::V6(v6) if v6.is_unicast_link_local() => RT_SCOPE_LINK,
            _ => RT_SCOPE_UNIVERSE,
        };
        message.put(&[family(address), prefix, 0, scope]);
        message.put(&index.to_ne_bytes());
        message.attribute(IFA_LOCAL, &octets(address));
        message.attribute(IFA_ADDRESS, &octets(address));
        let nodad = if address.is_ipv6() { IFA_F_NODAD } else { 0 };
        message.attribute(IFA_FLAGS, &(IFA_F_NOPREFIXROUTE | nodad).to_ne_bytes());
        self.exchange(message, |_, _| {})
    }

    /// Adds a route. Fails with `AlreadyExists` where it is there.
    pub(crate) fn add_route(&mut self, index: u32, route: &Route) -> io::Result<()> {
        self.route(RTM_NEWROUTE, REQUEST | ACK | CREATE | EXCLUSIVE, index, route, RTPROT_STATIC)
    }

    /// Takes a route away.
    pub(crate) fn remove_route(&mut self, index: u32, route: &Route) -> io::Result<()> {
        self.route(RTM_DELROUTE, REQUEST | ACK, index, route, RTPROT_STATIC)
    }

    fn route(&mut self, kind: u16, flags: u16, index: u32, route: &Route, protocol: u8) -> io::Result<()> {
        let mut message = Message::new(kind, flags);
        let scope = if route.via.is_none() && route.to.is_ipv4() { RT_SCOPE_LINK } else { RT_SCOPE_UNIVERSE };
        message.put(&[family(route.to), route.prefix, 0, 0, RT_TABLE_MAIN, protocol, scope, RTN_UNICAST]);
        message.put(&0u32.to_ne_bytes());
        if route.prefix > 0 {
            message.attribute(RTA_DST, &octets(route.to));
        }
        message.attribute(RTA_OIF, &index.to_ne_bytes());
        message.attribute(RTA_PRIORITY, &route.metric.to_ne_bytes());
        if let Some(via) = route.via {
            message.attribute(RTA_GATEWAY, &octets(via));
        }
        self.exchange(message, |_, _| {})
    }

    /// Takes away what router advertisements made on the interface: addresses with a lifetime and routes.
    pub(crate) fn remove_advertised(&mut self, index: u32) -> io::Result<()> {
        let mut addresses = Vec::new();
        let mut message = Message::new(RTM_GETADDR, REQUEST | DUMP);
        message.put(&[AF_INET6, 0, 0, 0, 0, 0, 0, 0]);
        self.exchange(message, |kind, body| {
            if kind == RTM_NEWADDR {
                addresses.extend(read_advertised_address(body, index));
            }
        })?;
        let mut routes = Vec::new();
        let mut message = Message::new(RTM_GETROUTE, REQUEST | DUMP);
        message.put(&[AF_INET6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        self.exchange(message, |kind, body| {
            if kind == RTM_NEWROUTE {
                routes.extend(read_advertised_route(body, index));
            }
        })?;
        for route in routes {
            gone_is_fine(self.route(RTM_DELROUTE, REQUEST | ACK, index, &route, RTPROT_RA))?;
        }
        for (address, prefix) in addresses {
            gone_is_fine(self.remove_address(index, address, prefix))?;
        }
        Ok(())
    }

    /// Sends one request and reads until its end: an acknowledgement, an error, the end of a dump or, for a plain
    /// look-up, the one answer.
    fn exchange(&mut self, message: Message, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let single = message.flags & (ACK | DUMP) == 0;
        rustix::net::send(&self.socket, &message.finish(sequence), SendFlags::empty())?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let (count, _) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty())?;
            let mut rest = buffer.get(..count).unwrap_or_default();
            while let Some((kind, answered, body, next)) = cut(rest) {
                rest = next;
                if answered != sequence {
                    continue;
                }
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => {
                        let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                        return if code == 0 {
                            Ok(())
                        } else {
                            Err(io::Error::from_raw_os_error(code.saturating_neg()))
                        };
                    }
                    kind => each(kind, body),
                }
                if single {
                    return Ok(());
                }
            }
        }
    }
}

/// Whether an error of a removal only says that the thing is not there any more.
pub(crate) fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    use rustix::io::Errno;
    match result {
        Err(error)
            if error.raw_os_error().is_some_and(|code| {
                [Errno::SRCH, Errno::NODEV, Errno::ADDRNOTAVAIL, Errno::NOENT, Errno::NXIO, Errno::NETDOWN]
                    .iter()
                    .any(|errno| errno.raw_os_error() == code)
            }) =>
        {
            Ok(())
        }
        other => other,
    }
}

struct Message {
    flags: u16,
    bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        Self { flags, bytes }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// All values here are short: an address, a number, a name.
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.put(&length.to_ne_bytes());
        self.put(&kind.to_ne_bytes());
        self.put(value);
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }

    /// The kind of a link to make, with its one parameter.
    fn link_info(&mut self, kind: &str, parameter: u16, value: &[u8]) {
        let mut data = Self { flags: 0, bytes: Vec::new() };
        data.attribute(parameter, value);
        let mut info = Self { flags: 0, bytes: Vec::new() };
        info.attribute(IFLA_INFO_KIND, kind.as_bytes());
        info.attribute(IFLA_INFO_DATA, &data.bytes);
        self.attribute(IFLA_LINKINFO, &info.bytes);
    }

    fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        for (at, value) in [(0, length), (8, sequence)] {
            if let Some(place) = self.bytes.get_mut(at..at + 4) {
                place.copy_from_slice(&value.to_ne_bytes());
            }
        }
        self.bytes
    }
}

fn link_head(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut head = [0; 16];
    let (words, _) = head.as_chunks_mut::<4>();
    for (place, value) in words.iter_mut().zip([0, index, flags, change]) {
        *place = value.to_ne_bytes();
    }
    head
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// Type, sequence, body and what follows.
fn cut(bytes: &[u8]) -> Option<(u16, u32, &[u8], &[u8])> {
    let length = usize::try_from(number(bytes, 0)?).ok()?;
    let kind = u16::from_ne_bytes(*bytes.get(4..6)?.first_chunk()?);
    let sequence = number(bytes, 8)?;
    let body = bytes.get(16..length)?;
    Some((kind, sequence, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Value of the first attribute of the kind.
fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
        let kind = u16::from_ne_bytes(*bytes.get(2..)?.first_chunk()?);
        let value = bytes.get(4..length)?;
        if kind & 0x3fff == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

fn read_link(body: &[u8]) -> Option<LinkInfo> {
    let attributes = body.get(16..)?;
    Some(LinkInfo {
        index: number(body, 4)?,
        up: number(body, 8)? & IFF_UP != 0,
        mtu: number(attribute(attributes, IFLA_MTU)?, 0)?,
    })
}

fn read_statistics(body: &[u8]) -> Option<(u32, Counters)> {
    let (words, _) = attribute(body.get(16..)?, IFLA_STATS64)?.as_chunks::<8>();
    let [rx_packets, tx_packets, rx_octets, tx_octets] = words.first_chunk()?.map(u64::from_ne_bytes);
    Some((number(body, 4)?, Counters { rx_octets, tx_octets, rx_packets, tx_packets }))
}

fn read_kind(body: &[u8]) -> Option<LinkKind> {
    let attributes = body.get(16..)?;
    let info = attribute(attributes, IFLA_LINKINFO).unwrap_or_default();
    let kind = attribute(info, IFLA_INFO_KIND).map(text).unwrap_or_default();
    let data = attribute(info, IFLA_INFO_DATA).unwrap_or_default();
    let id = attribute(data, IFLA_VLAN_ID).and_then(|id| id.first_chunk()).map(|id| u16::from_ne_bytes(*id));
    Some(LinkKind {
        index: number(body, 4)?,
        vlan: id.filter(|_| kind == "vlan"),
        kind,
        lower: attribute(attributes, IFLA_LINK).and_then(|lower| number(lower, 0)).unwrap_or(0),
        device: attribute(attributes, IFLA_PARENT_DEV_NAME).map(text).unwrap_or_default(),
    })
}

/// A name with or without its NUL.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn read_advertised_address(body: &[u8], index: u32) -> Option<(IpAddr, u8)> {
    let (prefix, attributes) = (*body.get(1)?, body.get(8..)?);
    let flags = number(attribute(attributes, IFA_FLAGS)?, 0)?;
    let address: [u8; 16] = attribute(attributes, IFA_ADDRESS)?.try_into().ok()?;
    (number(body, 4)? == index && flags & IFA_F_PERMANENT == 0).then_some((IpAddr::from(address), prefix))
}

fn read_advertised_route(body: &[u8], index: u32) -> Option<Route> {
    let (prefix, protocol, attributes) = (*body.get(1)?, *body.get(5)?, body.get(12..)?);
    let address = |kind| attribute(attributes, kind).and_then(|a| <[u8; 16]>::try_from(a).ok()).map(IpAddr::from);
    let over = number(attribute(attributes, RTA_OIF)?, 0)?;
    (over == index && protocol == RTPROT_RA).then(|| Route {
        to: address(RTA_DST).unwrap_or(IpAddr::from([0; 16])),
        prefix,
        via: address(RTA_GATEWAY),
        metric: attribute(attributes, RTA_PRIORITY).and_then(|a| number(a, 0)).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_messages_end_the_reading() {
        assert!(cut(&[]).is_none());
        assert!(cut(&[16, 0, 0, 0]).is_none());
        let mut lying = [0; 16];
        lying[0] = 200;
        assert!(cut(&lying).is_none());
        lying[0] = 8;
        assert!(cut(&lying).is_none());
        assert!(attribute(&[0, 0, 1, 0], 1).is_none(), "a length of nothing does not loop");
        assert!(attribute(&[3, 0, 1, 0, 0, 0, 0, 0], 2).is_none());
        assert_eq!(attribute(&[5, 0, 1, 0, 9, 0, 0, 0, 6, 0, 2, 0, 7, 8], 2), Some(&[7, 8][..]));
    }

    /// As `ip link add link N name w.2 type vlan id 2` and `ip link add name w.2 parentdev wwan0 type wwan linkid 2` say it.
    #[test]
    fn links_of_sessions_are_asked_for() {
        let info = |kind: &str, data: &[u8]| {
            let mut message = Message { flags: 0, bytes: Vec::new() };
            message.link_info(kind, 1, data);
            message.bytes
        };
        #[rustfmt::skip]
        let vlan = [
            24, 0, 18, 0,
            8, 0, 1, 0, b'v', b'l', b'a', b'n',
            12, 0, 2, 0, 6, 0, 1, 0, 2, 0, 0, 0,
        ];
        assert_eq!(info("vlan", &2u16.to_le_bytes()), vlan);
        #[rustfmt::skip]
        let wwan = [
            24, 0, 18, 0,
            8, 0, 1, 0, b'w', b'w', b'a', b'n',
            12, 0, 2, 0, 8, 0, 1, 0, 2, 0, 0, 0,
        ];
        assert_eq!(info("wwan", &2u32.to_le_bytes()), wwan);
    }

    #[test]
    fn what_a_link_is() {
        let mut message = Message { flags: 0, bytes: Vec::new() };
        message.put(&link_head(7, 0, 0));
        message.attribute(IFLA_LINK, &3u32.to_ne_bytes());
        message.attribute(IFLA_PARENT_DEV_NAME, b"wwan0\0");
        message.link_info("vlan", IFLA_VLAN_ID, &255u16.to_ne_bytes());
        let kind = LinkKind { index: 7, kind: "vlan".into(), lower: 3, vlan: Some(255), device: "wwan0".into() };
        assert_eq!(read_kind(&message.bytes), Some(kind));
        for end in 0..message.bytes.len() {
            // Cut anywhere it is something else or nothing, and no panic.
            let _ = read_kind(&message.bytes[..end]);
        }
    }

    #[test]
    fn counters_of_a_link() {
        let mut message = Message { flags: 0, bytes: Vec::new() };
        message.put(&link_head(7, 0, 0));
        let words: Vec<u8> = [3u64, 4, 5_000_000_000, 6, 7].iter().flat_map(|word| word.to_ne_bytes()).collect();
        message.attribute(IFLA_STATS64, &words);
        let counters = Counters { rx_octets: 5_000_000_000, tx_octets: 6, rx_packets: 3, tx_packets: 4 };
        assert_eq!(read_statistics(&message.bytes), Some((7, counters)));
        for end in 0..message.bytes.len() {
            // Cut anywhere it is nothing, or the four that are there.
            let _ = read_statistics(&message.bytes[..end]);
        }
    }

    #[test]
    fn the_loopback_is_found() {
        let mut netlink = Netlink::open().unwrap();
        assert_eq!(netlink.link("lo").unwrap().index, 1);
        assert_eq!(netlink.kind("lo").unwrap(), LinkKind { index: 1, ..LinkKind::default() });
        assert_eq!(netlink.link("no-such-link").unwrap_err().raw_os_error(), Some(19));
    }
}

//! What routers announce on a link beside addresses: the URL of a captive portal API `[RFC 8910 2.3]` and the prefix of a
//! NAT64 `[RFC 8781]`. The kernel receives and checks the advertisements (hop limit, source) and hands these options on to
//! whoever listens; that needs no right, and the link's `accept_ra` on.
//!
//! What comes after a probe has looked is a reason for another one: a router may speak late, and may change its mind.

use std::io;
use std::net::Ipv6Addr;
use std::os::fd::OwnedFd;
use std::sync::Mutex;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, sockopt};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// RTNLGRP_ND_USEROPT (20) as a bit of the address's groups.
const ND_USEROPT: u32 = 1 << 19;
/// RTM_NEWNDUSEROPT.
const NEW_ND_USEROPT: u16 = 68;
/// Octets of the netlink head, and of nduseroptmsg behind it.
const HEAD: usize = 16;
const USEROPT: usize = 16;
/// Type of a router advertisement. `[RFC 4861 4.2]`
const ADVERTISEMENT: u8 = 134;
/// Options: captive portal and PREF64.
const CAPTIVE_PORTAL: u8 = 37;
const PREF64: u8 = 38;
/// The URL that says that there is no portal. `[RFC 8910 2]`
const UNRESTRICTED: &str = "urn:ietf:params:capport:unrestricted";
/// Longest datagram that is read, octets: a head and one option of 255 × 8.
const LARGEST: usize = 4096;
/// Most datagrams that are read at a time.
const MOST: usize = 512;
/// What may wait in the socket, octets.
const QUEUE: usize = 32 * 1024;

/// What was announced on one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// URL of a captive portal API; `None` = none, or the network says that there is no portal.
    pub(crate) api: Option<String>,
    /// Prefix of the NAT64 and its length.
    pub(crate) nat64: Option<(Ipv6Addr, u8)>,
}

/// The ear for one interface.
#[derive(Debug)]
pub(crate) struct Advertised {
    socket: AsyncFd<OwnedFd>,
    interface: String,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Index of the interface that it was heard on.
    index: u32,
    now: Announced,
    /// What was last [taken](Advertised::hear).
    taken: Announced,
}

impl Advertised {
    /// Begins to listen; what was announced before is not heard.
    pub(crate) fn open(interface: &str) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        sockopt::set_socket_recv_buffer_size(&socket, QUEUE)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, ND_USEROPT))?;
        let socket = crate::transport::watch(socket, Interest::READABLE)?;
        Ok(Self { socket, interface: interface.to_owned(), heard: Mutex::default() })
    }

    /// What is known by now. Another interface under the same name begins anew.
    pub(crate) fn hear(&self) -> Announced {
        self.read();
        self.heard.lock().map_or_else(
            |_| Announced::default(),
            |mut heard| {
                heard.taken = heard.now.clone();
                heard.now.clone()
            },
        )
    }

    /// Waits until something else is announced than [`Self::hear`] has said. May be dropped at any time.
    pub(crate) async fn changed(&self) {
        loop {
            let Ok(mut ready) = self.socket.readable().await else { return std::future::pending().await };
            if self.read() {
                ready.clear_ready();
            }
            if let Ok(mut heard) = self.heard.lock()
                && heard.now != heard.taken
            {
                heard.taken = heard.now.clone();
                return;
            }
        }
    }

    /// The link is down: what comes afterwards is another network's.
    pub(crate) fn forget(&self) {
        self.read();
        if let Ok(mut heard) = self.heard.lock() {
            (heard.now, heard.taken) = Default::default();
        }
    }

    /// Takes in what waits in the socket; whether that was all.
    fn read(&self) -> bool {
        let socket = self.socket.get_ref();
        let index = rustix::net::netdevice::name_to_index(socket, &self.interface).unwrap_or(0);
        let Ok(mut heard) = self.heard.lock() else { return true };
        if heard.index != index {
            *heard = Heard { index, ..Heard::default() };
        }
        let mut buffer = [0; LARGEST];
        for _ in 0..MOST {
            match rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((count, _)) => take(buffer.get(..count).unwrap_or_default(), index, &mut heard.now),
                // Something was lost; routers say it again.
                Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR) => {}
                Err(_) => return true,
            }
        }
        false
    }
}

/// Reads one datagram of the kernel's.
fn take(mut data: &[u8], index: u32, heard: &mut Announced) {
    while let Some(length) = u32_at(data, 0).and_then(|length| usize::try_from(length).ok()) {
        let Some(message) = data.get(..length).filter(|message| message.len() >= HEAD) else { return };
        if u16_at(message, 4) == Some(NEW_ND_USEROPT) {
            take_options(message.get(HEAD..).unwrap_or_default(), index, heard);
        }
        data = data.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// nduseroptmsg: family, length of the options, interface, type and code of the ICMP message; then the options.
fn take_options(body: &[u8], index: u32, heard: &mut Announced) -> Option<()> {
    let length = usize::from(u16_at(body, 2)?);
    let ours = u32_at(body, 4)? == index && index != 0 && *body.get(8)? == ADVERTISEMENT;
    let mut options = body.get(USEROPT..)?.get(..length).filter(|_| ours)?;
    while let [kind, eights, ..] = options {
        let size = usize::from(*eights) * 8;
        let option = options.get(..size).filter(|option| !option.is_empty())?;
        match *kind {
            CAPTIVE_PORTAL => heard.api = url(option.get(2..)?),
            PREF64 => heard.nat64 = pref64(option),
            _ => {}
        }
        options = options.get(size..)?;
    }
    Some(())
}

fn url(padded: &[u8]) -> Option<String> {
    let end = padded.iter().position(|octet| *octet == 0).unwrap_or(padded.len());
    let text = std::str::from_utf8(padded.get(..end)?).ok()?;
    (text != UNRESTRICTED && !text.is_empty()).then(|| text.to_owned())
}

/// Lifetime in units of 8 s and the length in three bits, then the highest 96 bits. `[RFC 8781 4]`
fn pref64(option: &[u8]) -> Option<(Ipv6Addr, u8)> {
    let scaled = u16::from_be_bytes([*option.get(2)?, *option.get(3)?]);
    let length = *super::probe::PREFIX_LENGTHS.get(usize::from(scaled & 7))?;
    let high: [u8; 12] = option.get(4..16)?.try_into().ok()?;
    let mut octets = [0; 16];
    octets.iter_mut().zip(high).for_each(|(place, octet)| *place = octet);
    // A lifetime of 0 takes it back.
    (scaled >> 3 > 0).then(|| (Ipv6Addr::from(octets), length))
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(index: u32, options: &[u8]) -> Vec<u8> {
        let mut body = vec![10, 0];
        body.extend((options.len() as u16).to_ne_bytes());
        body.extend(index.to_ne_bytes());
        body.extend([ADVERTISEMENT, 0, 0, 0, 0, 0, 0, 0]);
        body.extend(options);
        let mut whole = ((HEAD + body.len()) as u32).to_ne_bytes().to_vec();
        whole.extend(NEW_ND_USEROPT.to_ne_bytes());
        whole.extend([0; 10]);
        whole.extend(body);
        whole
    }

    fn portal(url: &str) -> Vec<u8> {
        let size = (2 + url.len()).div_ceil(8);
        let mut option = vec![CAPTIVE_PORTAL, size as u8];
        option.extend(url.as_bytes());
        option.resize(size * 8, 0);
        option
    }

    fn hear(data: &[u8]) -> Announced {
        let mut heard = Announced::default();
        take(data, 7, &mut heard);
        heard
    }

    #[test]
    fn both_options_are_read() {
        let mut prefix = vec![PREF64, 2, 0x07, 0x08];
        prefix.extend("64:ff9b::".parse::<Ipv6Addr>().unwrap().octets()[..12].iter());
        let heard = hear(&message(7, &[portal("https://api.example/x"), prefix.clone()].concat()));
        assert_eq!(heard.api.as_deref(), Some("https://api.example/x"));
        assert_eq!(heard.nat64, Some(("64:ff9b::".parse().unwrap(), 96)));
        assert_eq!(hear(&message(8, &prefix)), Announced::default(), "another interface");
        prefix[3] = 0x09;
        assert_eq!(hear(&message(7, &prefix)).nat64.unwrap().1, 64);
        prefix[2..4].copy_from_slice(&[0, 1]);
        assert_eq!(hear(&message(7, &prefix)).nat64, None, "taken back");
        prefix[2..4].copy_from_slice(&[0x07, 0x0f]);
        assert_eq!(hear(&message(7, &prefix)).nat64, None, "a length that is none");
    }

    #[test]
    fn no_portal_is_no_url() {
        assert_eq!(hear(&message(7, &portal(UNRESTRICTED))).api, None);
        let both = [message(7, &portal("https://api.example/")), message(7, &portal(UNRESTRICTED))].concat();
        assert_eq!(hear(&both).api, None, "the last word counts");
    }

    #[test]
    fn broken_messages_are_survived() {
        let whole = message(7, &[portal("https://api.example/x"), vec![PREF64, 2], vec![0; 14]].concat());
        for end in 0..whole.len() {
            hear(&whole[..end]);
            let mut cut = whole.clone();
            cut[end] ^= 0xff;
            hear(&cut);
        }
        assert_eq!(hear(&message(7, &[37, 0, 0, 0, 0, 0, 0, 0])), Announced::default());
        assert_eq!(hear(&message(7, &[37, 1, 0xff, 0xfe, 0, 0, 0, 0])).api, None, "not a text");
    }
}

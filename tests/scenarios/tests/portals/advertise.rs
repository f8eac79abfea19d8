//! A router that announces a captive portal API and a NAT64, as a process in the network's namespace.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::process::ExitCode;
use std::time::Duration;

use harness::virtual_operator::link::index;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// First word of the process's command line; then the interface, the URL, and the prefix of 96 bits.
pub(crate) const PART: &str = "portals-advertise";

pub(crate) fn child(arguments: &[String]) -> Option<ExitCode> {
    let [part, interface, url, prefix] = arguments else { return None };
    if part != PART {
        return None;
    }
    Some(match advertise(interface, url, prefix) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Sends an advertisement five times a second, until somebody ends it.
fn advertise(interface: &str, url: &str, prefix: &str) -> Result<(), Box<dyn std::error::Error>> {
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
    let number = index(interface)?;
    socket.bind_device(Some(interface.as_bytes()))?;
    // Receivers drop what has passed a router.
    socket.set_multicast_hops_v6(255)?;
    socket.set_multicast_if_v6(number)?;
    let all: Ipv6Addr = "ff02::1".parse()?;
    let to = SockAddr::from(SocketAddrV6::new(all, 0, 0, number));
    let message = advertisement(url, prefix.parse()?);
    loop {
        // The link may be down for a while.
        let _ = socket.send_to(&message, &to);
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// RFC 4861 4.2 with the options of RFC 8910 2.3 and RFC 8781 4. The kernel fills the checksum in.
pub(crate) fn advertisement(url: &str, prefix: Ipv6Addr) -> Vec<u8> {
    // Type, code, checksum; hop limit unspecified, no flags, no default route; no times.
    let mut message = vec![134, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let eights = (2 + url.len()).div_ceil(8);
    let mut option = vec![37, u8::try_from(eights).unwrap_or(u8::MAX)];
    option.extend(url.as_bytes());
    option.resize(eights * 8, 0);
    message.extend(option);
    // 600 s in units of 8, and the code 0 for 96 bits.
    message.extend([38, 2]);
    message.extend(((600_u16 / 8) << 3).to_be_bytes());
    message.extend(prefix.octets().into_iter().take(12));
    message
}

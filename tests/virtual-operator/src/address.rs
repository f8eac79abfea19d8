//! Where everything lives: names and addresses of the operator and of the internet behind it, all from the ranges
//! that are set aside for documentation (RFC 5737, RFC 3849, RFC 2606) or for carrier-internal use.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host with one address per family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Fully qualified name without the final dot.
    pub name: &'static str,
    /// Its A record.
    pub ipv4: Ipv4Addr,
    /// Its AAAA record.
    pub ipv6: Ipv6Addr,
}

impl Host {
    /// Whether the address is one of this host's.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(a) => a == self.ipv4,
            IpAddr::V6(a) => a == self.ipv6,
        }
    }
}

/// The operator's name server.
pub const DNS: Host = Host {
    name: "ns.mobile.example",
    ipv4: Ipv4Addr::new(10, 64, 255, 53),
    ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0xff, 0, 0, 0, 0x53),
};

/// The operator's site where plans are bought; reachable from inside the garden and from the internet.
pub const PORTAL: Host = Host {
    name: "portal.mobile.example",
    ipv4: Ipv4Addr::new(203, 0, 113, 80),
    ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0x80, 0, 0, 0, 0x80),
};

/// Probe host that answers plain HTTP; only when there is general internet access.
pub const PROBE: Host = Host {
    name: "probe.internet.example",
    ipv4: Ipv4Addr::new(192, 0, 2, 80),
    ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0xca11, 0, 0, 0, 0, 0x80),
};

/// Probe host that answers HTTPS.
pub const PROBE_TLS: Host = Host {
    name: "probe-tls.internet.example",
    ipv4: Ipv4Addr::new(192, 0, 2, 81),
    ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0xca11, 0, 0, 0, 0, 0x81),
};

/// Some other site of the internet, plain and TLS.
pub const WWW: Host = Host {
    name: "www.internet.example",
    ipv4: Ipv4Addr::new(192, 0, 2, 82),
    ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0xca11, 0, 0, 0, 0, 0x82),
};

/// Hosts of the operator itself.
pub const OPERATOR_HOSTS: [Host; 2] = [DNS, PORTAL];
/// Hosts of the internet behind it.
pub const INTERNET_HOSTS: [Host; 3] = [PROBE, PROBE_TLS, WWW];
/// The zones that the name server answers for; everything else does not exist.
pub const ZONES: [&str; 2] = ["mobile.example", "internet.example"];

/// URL of the plain probe.
pub const PROBE_HTTP_URL: &str = "http://probe.internet.example/check";
/// URL of the encrypted probe.
pub const PROBE_HTTPS_URL: &str = "https://probe-tls.internet.example/check";
/// The operator's account URL, as its record names it.
pub const ACCOUNT_URL: &str = "https://portal.mobile.example/start";

/// Address of the router on the link to the subscriber, IPv4: the source of its own messages.
pub const GATEWAY4: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
/// Address of the router on the link to the subscriber, IPv6.
pub const GATEWAY6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

/// The subscriber's address in the session number `n` (counted from 1), so that a second session is seen to be one.
#[must_use]
pub const fn subscriber4(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 64, n, 2)
}

/// The gateway that the session number `n` is told, in one network of 30 bits with [`subscriber4`].
#[must_use]
pub const fn gateway4(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 64, n, 1)
}

/// As [`subscriber4`], IPv6; the prefix is 64 bits long.
#[must_use]
pub const fn subscriber6(n: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0x64, n as u16, 0, 0, 0, 2)
}

/// The link between the operator and the internet: the operator's end and the other one.
pub const TRANSIT: [Host; 2] = [
    Host {
        name: "transit-operator",
        ipv4: Ipv4Addr::new(198, 51, 100, 1),
        ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0x100, 0, 0, 0, 0, 1),
    },
    Host {
        name: "transit-internet",
        ipv4: Ipv4Addr::new(198, 51, 100, 2),
        ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0x100, 0, 0, 0, 0, 2),
    },
];

/// The data interface on the machine's side; the name that Linux gives to MBIM links.
pub const DATA_LINK: &str = "wwan0";
/// The operator's end of the data session.
pub const GI_LINK: &str = "gi0";
/// The operator's link to the internet.
pub const UP_LINK: &str = "up0";
/// The internet's link to the operator.
pub const NET_LINK: &str = "net0";

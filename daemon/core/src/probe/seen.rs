//! What a probe saw, without judgement. `[OPER 4.3]`

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

/// What one probe saw over the link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeReport {
    /// Evidence for IPv4; `None` when it was not tested.
    pub ipv4: Option<FamilyReport>,
    /// Evidence for IPv6; `None` when it was not tested.
    pub ipv6: Option<FamilyReport>,
    /// Evidence for IPv4 hosts through the network's translator; `None` without one, and where the link has IPv4. The
    /// encrypted test is not repeated over it. `[OPER 4.8]`
    pub nat64: Option<FamilyReport>,
    /// What holds for the link as a whole.
    pub link: LinkSeen,
    /// Octets sent and received, with heads of IP, UDP and TCP, about.
    pub bytes: u64,
    /// Round trips one after the other until the report was complete.
    pub round_trips: u32,
    /// Time from the order to the report.
    pub took: Duration,
    /// Testing is off (no probe host configured) or could not be bound: no verdict, and why.
    pub skipped: Option<&'static str>,
}

/// Evidence that belongs to no family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkSeen {
    /// Whether a name that does not exist has an address; `None` when nobody answered the question.
    pub hijacked: Option<bool>,
    /// Prefix of the network's NAT64 and its length, from a router advertisement or DNS64. `[RFC 8781, RFC 7050]`
    pub nat64_prefix: Option<(Ipv6Addr, u8)>,
    /// What the network's captive portal API says; `None` where it announces none. `[RFC 8908]`
    pub api: Option<ApiSeen>,
    /// Whether the operator's own site takes a connection; asked only when nothing else answered.
    pub site: Option<bool>,
    /// The machine's clock is before the day on which the daemon was built: what stood in for it when dates of certificates
    /// were judged, `network`, `stored` or `build`. `None` = the clock is right.
    pub clock: Option<&'static str>,
    /// The kernel drops answers on interfaces without the best route (strict reverse-path filter) on this one.
    pub strict_filter: bool,
}

/// Evidence for one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyReport {
    /// Answer to the plain HTTP request (P1).
    pub http: HttpSeen,
    /// Answer to the HTTPS request (P2).
    pub https: HttpsSeen,
    /// Address that the plain test's host had; `None` when it had none.
    pub address: Option<IpAddr>,
    /// Whether the encrypted test's host takes a plain connection; asked only when the plain test was good and the
    /// encrypted one failed without a certificate.
    pub elsewhere: Option<bool>,
}

impl FamilyReport {
    /// Evidence of both tests and nothing else.
    #[must_use]
    pub fn new(http: HttpSeen, https: HttpsSeen) -> Self {
        Self { http, https, address: None, elsewhere: None }
    }

    /// The probe's host has an address that no public host has, RFC 1918, 6598 and their like.
    #[must_use]
    pub fn is_private(&self) -> bool {
        match self.address {
            Some(IpAddr::V4(v4)) => {
                let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
                v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || shared
            }
            Some(IpAddr::V6(v6)) => {
                v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified()
            }
            None => false,
        }
    }
}

/// What became of the plain request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpSeen {
    /// Name resolution failed: nobody answered, or with an error.
    DnsFailed,
    /// The name servers say that the name has no address of this family.
    NoAddress,
    /// No connection or no answer in time; a short text without anything that a server said.
    Failed(String),
    /// An answer.
    Answer {
        /// Status code.
        status: u16,
        /// `Location` resolved against the request, as text; not trusted.
        location: Option<String>,
        /// At most 16 KiB were read; whether the trimmed body is what is expected (or empty, or one byte).
        body: BodySeen,
    },
}

/// What the body looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySeen {
    /// Empty or one byte.
    Empty,
    /// Equal to the configured text.
    Expected,
    /// Something else that is HTML or begins with a tag.
    Html,
    /// Something else.
    Other,
}

/// What became of the HTTPS request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpsSeen {
    /// No HTTPS host is configured, or the plain test left no question: not tested.
    NotTested,
    /// Name resolution failed.
    DnsFailed,
    /// No connection or no answer in time.
    Failed(String),
    /// The certificate is not for this host or its issuer is unknown.
    Intercepted(String),
    /// A valid certificate and an answer.
    Ok,
}

/// What a captive portal API said. `[RFC 8908 5]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSeen {
    /// Where its URL came from: `advertisement` or `record`.
    pub source: &'static str,
    /// The answer, or why there is none, as a short text without anything that the server said.
    pub answer: Result<ApiAnswer, String>,
}

/// The answer of a captive portal API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The machine is held captive.
    pub captive: bool,
    /// `https` URL of the page for a person; not trusted, and never given a parameter.
    pub portal_url: Option<String>,
    /// Seconds until the machine is held captive again.
    pub seconds_remaining: Option<u64>,
    /// Octets until then.
    pub bytes_remaining: Option<u64>,
    /// The person can extend the time.
    pub can_extend: bool,
}

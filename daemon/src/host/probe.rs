//! One connectivity probe: what was seen over one link, without judgement. `[OPER 4.2]`, `[OPER 4.3]`

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use daemon_core::effect::{ApiAnswer, ApiSeen, BodySeen, FamilyReport, HttpSeen, HttpsSeen, LinkSeen, ProbeReport};
use daemon_core::probe::verdict::{self, Plain, Worth};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use super::advertised::Advertised;
use super::clock::{self, Clock};
use super::dns::{self, Family, Names};
use super::http::{self, Url};
use cost::{Chain, Cost, Counted, Meter};

mod captive;
pub(crate) mod cost;
pub(crate) mod lists;
mod nat64;

pub(crate) use nat64::LENGTHS as PREFIX_LENGTHS;

/// Time to connect to one address.
const CONNECT: Duration = Duration::from_secs(5);
/// Time to connect to any address of a host.
const DIAL: Duration = Duration::from_secs(7);
/// Time for the tests.
const WHOLE: Duration = Duration::from_secs(10);
/// Time for what is looked at beside the tests: the API, the operator's site, a second port.
const BESIDE: Duration = Duration::from_secs(3);
/// Least time that is left to a test after another one has all but decided. The most is as long as that one took.
const GRACE: Duration = Duration::from_secs(1);
/// What a connection may receive unread, octets: what a server sends beyond what is wanted is paid for all the same.
const WINDOW: u32 = 16 * 1024;
/// Port of plain HTTP.
const HTTP: u16 = 80;

/// What a probe asks, from the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    /// Plain test.
    pub(crate) http: Url,
    /// Encrypted test; `None` = not tested.
    pub(crate) https: Option<Url>,
    /// Text that the plain body is to equal; empty = none.
    pub(crate) body: String,
    /// Files with more root certificates.
    pub(crate) ca: Vec<PathBuf>,
    /// The state directory: its newest file tells how late it is at least.
    pub(crate) state: Option<PathBuf>,
}

/// The link that all sockets are bound to.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    /// Interface; `None` binds to addresses alone and is for tests that have no right to bind to a device.
    pub(crate) interface: Option<String>,
    /// Source address of IPv4; `None` leaves it to the kernel.
    pub(crate) ipv4: Option<Ipv4Addr>,
    /// As `ipv4`, for IPv6.
    pub(crate) ipv6: Option<Ipv6Addr>,
}

impl Bearer {
    fn source(&self, to: SocketAddr) -> SocketAddr {
        match to {
            SocketAddr::V4(_) => (self.ipv4.unwrap_or(Ipv4Addr::UNSPECIFIED), 0).into(),
            SocketAddr::V6(_) => (self.ipv6.unwrap_or(Ipv6Addr::UNSPECIFIED), 0).into(),
        }
    }

    /// Opens a stream over the link.
    pub(crate) async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind_device(self.interface.as_deref().map(str::as_bytes))?;
        socket.bind(self.source(to))?;
        socket.set_recv_buffer_size(WINDOW)?;
        // Or the request would wait until the end of the TLS handshake is acknowledged: a round trip.
        socket.set_nodelay(true)?;
        socket.connect(to).await
    }

    /// Makes a datagram socket over the link that hears `to` alone.
    pub(crate) async fn udp(&self, to: SocketAddr) -> io::Result<UdpSocket> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, None)?;
        if to.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        rustix::net::bind(&socket, &self.source(to))?;
        let socket = UdpSocket::from_std(socket.into())?;
        socket.bind_device(self.interface.as_deref().map(str::as_bytes))?;
        socket.connect(to).await?;
        Ok(socket)
    }
}

/// What is wanted of one probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Name servers of the bearer.
    pub(crate) servers: Vec<SocketAddr>,
    /// Test IPv4.
    pub(crate) ipv4: bool,
    /// Test IPv6.
    pub(crate) ipv6: bool,
    /// The operator's own site.
    pub(crate) site: Option<(String, u16)>,
    /// URL of a captive portal API that a record names.
    pub(crate) api: Option<String>,
    /// Time since 1970 as the network told it.
    pub(crate) network_time: Option<Duration>,
    /// The ear for advertisements on the link.
    pub(crate) advertised: Option<Arc<Advertised>>,
}

/// Runs one probe. Ends within some twenty seconds, with an answer of a network that is well in four round trips.
pub(crate) async fn run(targets: &Targets, bearer: &Bearer, wanted: &Wanted) -> ProbeReport {
    let start = Instant::now();
    let mut report = ProbeReport::default();
    let (ipv4, ipv6) =
        match (reachable(bearer, wanted.ipv4, Family::V4).await, reachable(bearer, wanted.ipv6, Family::V6).await) {
            (Err(why), _) | (_, Err(why)) => {
                report.skipped = Some(why);
                return report;
            }
            (Ok(v4), Ok(v6)) if v4 || v6 => (v4, v6),
            _ => {
                report.skipped = Some("no-route");
                return report;
            }
        };
    let run = Run { targets, bearer, wanted, start, roots: Roots::default(), meter: Meter::default() };
    if targets.https.is_some() {
        run.roots.begin(targets, wanted.network_time);
    }
    Box::pin(run.tests(ipv4, ipv6, &mut report)).await;
    report.link.strict_filter = ipv4 && is_strict(bearer);
    if !clock::is_set() {
        report.link.clock = Clock::read(wanted.network_time, targets.state.as_ref()).instead;
    }
    report.bytes = run.meter.total();
    report.took = start.elapsed();
    report
}

/// One probe under way.
struct Run<'a> {
    targets: &'a Targets,
    bearer: &'a Bearer,
    wanted: &'a Wanted,
    start: Instant,
    roots: Roots,
    meter: Meter,
}

impl Run<'_> {
    async fn tests(&self, ipv4: bool, ipv6: bool, report: &mut ProbeReport) {
        let announced = || self.wanted.advertised.as_ref().map(|ear| ear.hear()).unwrap_or_default();
        let first = if ipv4 { Family::V4 } else { Family::V6 };
        let only6 = ipv6 && !ipv4;
        // The random label, the translator and an API that is known already go beside the tests.
        let tests = async {
            let started = announced();
            let early = self.api_url(started.api);
            let deep = OnceLock::new();
            // Boxed: as parts of one future they would be copied from stack to stack, each several kilobytes.
            let v4 = Box::pin(self.family(ipv4.then_some(Family::V4), &deep));
            let v6 = Box::pin(self.family(ipv6.then_some(Family::V6), &deep));
            let translated = async { if only6 { Box::pin(self.translated(started.nat64, &deep)).await } else { None } };
            let asked = async {
                match &early {
                    Some((source, url)) => Some(Box::pin(self.api(source, url, first, 0)).await),
                    None => None,
                }
            };
            let ((pair, nat64), api) = tokio::join!(beside(better(v4, v6), translated, |_| GRACE), asked);
            (pair, nat64.flatten(), api)
        };
        let quick = |((v4, v6), _, _): &(Pair, _, _)| {
            let good = |seen: &Option<Tested>| seen.as_ref().is_some_and(|tested| tested.worth() == Worth::Full);
            if good(v4) || good(v6) { Duration::ZERO } else { GRACE }
        };
        let (((v4, v6), nat64, api), hijacked) = beside(tests, self.made_up(first), quick).await;
        let depth = [&v4, &v6].into_iter().flatten().map(|tested| tested.depth).max().unwrap_or(0);
        report.round_trips = depth;
        report.link = LinkSeen {
            hijacked: hijacked.flatten(),
            nat64_prefix: nat64.as_ref().map(|(prefix, _)| *prefix),
            ..LinkSeen::default()
        };
        let same = v6.as_ref().map(|tested| FamilyReport { https: HttpsSeen::NotTested, ..tested.seen.clone() });
        report.nat64 = nat64.and_then(|(_, seen)| seen.or(same));
        let silent = [&v4, &v6].into_iter().flatten().all(|tested| verdict::is_silent(&tested.seen));
        report.ipv4 = v4.map(|tested| tested.seen);
        report.ipv6 = v6.map(|tested| tested.seen);
        report.link.api = api.map(|(seen, _)| seen);
        if report.link.api.is_none()
            && let Some((source, url)) = self.api_url(announced().api)
        {
            let (seen, depth) = Box::pin(self.api(source, &url, first, depth)).await;
            report.link.api = Some(seen);
            report.round_trips = depth;
        }
        if silent && let Some((host, port)) = &self.wanted.site {
            let chain = Chain::behind(depth);
            let reached = timeout(BESIDE, self.dial(host, *port, None, first, self.cost(&chain))).await;
            report.link.site = Some(matches!(reached, Ok(Ok(_))));
            report.round_trips = report.round_trips.max(chain.depth());
        }
    }

    fn cost<'c>(&'c self, chain: &'c Chain) -> Cost<'c> {
        Cost { meter: &self.meter, chain }
    }

    fn deadline(&self) -> Instant {
        self.start + WHOLE
    }

    /// What the network announces goes before what a record says.
    fn api_url(&self, announced: Option<String>) -> Option<(&'static str, String)> {
        let recorded = || self.wanted.api.clone().map(|url| ("record", url));
        announced.map(|url| ("advertisement", url)).or_else(recorded)
    }

    /// Both tests over one family. `deep`: where the address of the plain test's host is told.
    async fn family(&self, family: Option<Family>, deep: &OnceLock<Option<IpAddr>>) -> Option<Tested> {
        let family = family?;
        let deadline = self.deadline();
        let (one, other) = (Chain::default(), Chain::default());
        let address = OnceLock::new();
        let plain = async {
            let asked = timeout_at(deadline, self.plain(family, &address, deep, self.cost(&one))).await;
            asked.unwrap_or_else(|_| HttpSeen::Failed("timed out".into()))
        };
        let encrypted = async {
            let Some(url) = &self.targets.https else { return HttpsSeen::NotTested };
            match timeout_at(deadline, self.encrypted(url, family, self.cost(&other))).await {
                Ok(Ok(seen)) => seen,
                Ok(Err(Trouble::Dns | Trouble::NoAddress)) => HttpsSeen::DnsFailed,
                Ok(Err(Trouble::Other(why))) => HttpsSeen::Failed(why),
                Err(_) => HttpsSeen::Failed("timed out".into()),
            }
        };
        let patience = |http: &HttpSeen| match verdict::plain(http) {
            _ if verdict::is_decided(http) => Duration::ZERO,
            Plain::Suspected(_) => GRACE.max(self.start.elapsed()),
            _ => deadline.saturating_duration_since(Instant::now()),
        };
        let (http, https) = beside(plain, encrypted, patience).await;
        let https = https.unwrap_or_else(|| match verdict::is_decided(&http) {
            true => HttpsSeen::NotTested,
            false => HttpsSeen::Failed("no answer while the plain test had one".into()),
        });
        let mut seen = FamilyReport::new(http, https);
        seen.address = address.get().copied();
        let mut depth = one.depth();
        if !verdict::is_decided(&seen.http) {
            depth = depth.max(other.depth());
        }
        if let Some(url) = self.targets.https.as_ref().filter(|url| url.port() != HTTP)
            && verdict::plain(&seen.http) == Plain::Good
            && matches!(seen.https, HttpsSeen::Failed(_))
        {
            let chain = Chain::behind(depth);
            let reached = timeout(BESIDE, self.dial(url.host(), HTTP, None, family, self.cost(&chain))).await;
            seen.elsewhere = Some(matches!(reached, Ok(Ok(_))));
            depth = chain.depth();
        }
        Some(Tested { seen, depth })
    }

    async fn plain(
        &self,
        family: Family,
        address: &OnceLock<IpAddr>,
        deep: &OnceLock<Option<IpAddr>>,
        cost: Cost<'_>,
    ) -> HttpSeen {
        let url = &self.targets.http;
        let asked = async {
            let addresses = match self.names(url.host(), family, cost).await {
                Ok(addresses) => addresses,
                Err(trouble) => {
                    let _ = deep.set(None);
                    return Err(trouble);
                }
            };
            if let Some(first) = addresses.first() {
                let _ = address.set(*first);
                let _ = deep.set(Some(*first));
            }
            Box::pin(self.page(url, &addresses, cost)).await
        };
        match asked.await {
            Ok(seen) => seen,
            Err(Trouble::Dns) => HttpSeen::DnsFailed,
            Err(Trouble::NoAddress) => HttpSeen::NoAddress,
            Err(Trouble::Other(why)) => HttpSeen::Failed(why),
        }
    }

    /// The plain page of one of the addresses.
    async fn page(&self, url: &Url, addresses: &[IpAddr], cost: Cost<'_>) -> Result<HttpSeen, Trouble> {
        let mut stream = self.connect(addresses, url.port(), cost).await?;
        cost.trip();
        let answer = http::get(&mut stream, url, "*/*", http::PAGE).await.map_err(Trouble::Other)?;
        let body = seen(&answer, &self.targets.body);
        Ok(HttpSeen::Answer { status: answer.status, location: answer.location, body })
    }

    async fn encrypted(&self, url: &Url, family: Family, cost: Cost<'_>) -> Result<HttpsSeen, Trouble> {
        match Box::pin(self.secure(url, family, "*/*", http::PAGE, cost)).await? {
            Ok(_) => Ok(HttpsSeen::Ok),
            Err(why) => Ok(HttpsSeen::Intercepted(why.to_owned())),
        }
    }

    /// A page over TLS; the inner error is a certificate that is not the host's.
    async fn secure(
        &self,
        url: &Url,
        family: Family,
        accept: &str,
        limit: usize,
        cost: Cost<'_>,
    ) -> Result<Result<http::Answer, &'static str>, Trouble> {
        let dialled = self.dial(url.host(), url.port(), url.address(), family, cost);
        let (stream, config) = tokio::join!(dialled, self.roots.get(self.targets, self.wanted.network_time));
        let (stream, config) = (stream?, config.map_err(Trouble::Other)?);
        let name = ServerName::try_from(url.host().to_owned()).map_err(|e| Trouble::Other(e.to_string()))?;
        cost.trip();
        let mut stream = match tokio_rustls::TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => stream,
            Err(error) => {
                return match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                    Some(rustls::Error::InvalidCertificate(why)) => Ok(Err(certificate(why))),
                    Some(_) => Err(Trouble::Other("no TLS".into())),
                    None => Err(Trouble::Other(error.kind().to_string())),
                };
            }
        };
        if stream.get_ref().1.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
            cost.trip();
        }
        cost.trip();
        http::get(&mut stream, url, accept, limit).await.map(Ok).map_err(Trouble::Other)
    }

    /// Whether a name that nobody gave has an address. `None` = nobody answers.
    async fn made_up(&self, family: Family) -> Option<bool> {
        let host = self.targets.http.host();
        if self.targets.http.address().is_some() {
            return None;
        }
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty()).ok()?;
        let label: String = random.iter().map(|octet| char::from(b'a' + octet % 26)).collect();
        let chain = Chain::default();
        let name = format!("{label}.{host}");
        match Box::pin(dns::resolve(self.bearer, &self.wanted.servers, &name, family, self.cost(&chain))).await {
            Names::Found(_) => Some(true),
            Names::None => Some(false),
            Names::Failed => None,
        }
    }

    /// The plain test of an IPv4 address through the network's translator, `None` in place of what it saw where the test
    /// over IPv6 goes through it as well. `known`: its prefix, if a router says it.
    async fn translated(
        &self,
        known: Option<Prefix>,
        deep: &OnceLock<Option<IpAddr>>,
    ) -> Option<(Prefix, Option<FamilyReport>)> {
        let chain = Chain::default();
        let cost = self.cost(&chain);
        let url = &self.targets.http;
        let prefix = async {
            match known {
                Some(prefix) => Some(prefix),
                None => match self.names(nat64::WELL_KNOWN, Family::V6, cost).await {
                    Ok(answer) => nat64::prefix(&answer),
                    Err(_) => None,
                },
            }
        };
        let (prefix, host) = tokio::join!(prefix, self.names(url.host(), Family::V4, cost));
        let prefix = prefix?;
        let seen = match host {
            // DNS64 gave an address of the translator's: the test over IPv6 is this one.
            _ if matches!(deep.get(), Some(Some(IpAddr::V6(v6))) if nat64::is_inside(prefix, *v6)) => {
                return Some((prefix, None));
            }
            Ok(addresses) => {
                let through: Vec<IpAddr> = addresses
                    .iter()
                    .filter_map(|address| if let IpAddr::V4(v4) = address { Some(*v4) } else { None })
                    .map(|v4| IpAddr::V6(nat64::embed(prefix, v4)))
                    .collect();
                let asked = timeout_at(self.deadline(), Box::pin(self.page(url, &through, cost))).await;
                let http = match asked {
                    Ok(Ok(seen)) => seen,
                    Ok(Err(Trouble::Other(why))) => HttpSeen::Failed(why),
                    Ok(Err(_)) => HttpSeen::NoAddress,
                    Err(_) => HttpSeen::Failed("timed out".into()),
                };
                FamilyReport { address: through.first().copied(), ..FamilyReport::new(http, HttpsSeen::NotTested) }
            }
            Err(Trouble::NoAddress) => FamilyReport::new(HttpSeen::NoAddress, HttpsSeen::NotTested),
            Err(_) => FamilyReport::new(HttpSeen::DnsFailed, HttpsSeen::NotTested),
        };
        Some((prefix, Some(seen)))
    }

    /// What the network's API says, and the round trips until then.
    async fn api(&self, source: &'static str, url: &str, family: Family, before: u32) -> (ApiSeen, u32) {
        let chain = Chain::behind(before);
        let asked = async {
            let url = Url::parse(url).filter(|_| captive::is_secure(url)).ok_or("not an https URL")?;
            let secure = self.secure(&url, family, captive::MEDIA_TYPE, captive::LARGEST, self.cost(&chain));
            match Box::pin(secure).await {
                Ok(Ok(answer)) => captive::read(&answer),
                Ok(Err(why)) => Err(why.to_owned()),
                Err(Trouble::Dns) => Err("name servers do not answer".to_owned()),
                Err(Trouble::NoAddress) => Err("no such name or no address".to_owned()),
                Err(Trouble::Other(why)) => Err(why),
            }
        };
        let answer: Result<ApiAnswer, String> =
            timeout(BESIDE + GRACE, asked).await.unwrap_or_else(|_| Err("timed out".to_owned()));
        (ApiSeen { source, answer }, chain.depth())
    }

    async fn names(&self, host: &str, family: Family, cost: Cost<'_>) -> Result<Vec<IpAddr>, Trouble> {
        if let Ok(address) = host.parse::<IpAddr>() {
            let fits = address.is_ipv4() == (family == Family::V4);
            return if fits { Ok(vec![address]) } else { Err(Trouble::NoAddress) };
        }
        match Box::pin(dns::resolve(self.bearer, &self.wanted.servers, host, family, cost)).await {
            Names::Found(addresses) => Ok(addresses),
            Names::None => Err(Trouble::NoAddress),
            Names::Failed => Err(Trouble::Dns),
        }
    }

    async fn dial(
        &self,
        host: &str,
        port: u16,
        literal: Option<IpAddr>,
        family: Family,
        cost: Cost<'_>,
    ) -> Result<Counted, Trouble> {
        let addresses = match literal {
            Some(address) if address.is_ipv4() == (family == Family::V4) => vec![address],
            Some(_) => return Err(Trouble::NoAddress),
            None => self.names(host, family, cost).await?,
        };
        self.connect(&addresses, port, cost).await
    }

    /// Connects to one of the addresses; one more is tried, not all eight: the probe has ten seconds.
    async fn connect(&self, addresses: &[IpAddr], port: u16, cost: Cost<'_>) -> Result<Counted, Trouble> {
        let end = Instant::now() + DIAL;
        let mut last = Trouble::NoAddress;
        for address in addresses.iter().take(2) {
            let limit = CONNECT.min(end.saturating_duration_since(Instant::now()));
            last = match timeout(limit, cost.connect(self.bearer, SocketAddr::new(*address, port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => Trouble::Other(error.kind().to_string()),
                Err(_) => Trouble::Other("timed out".into()),
            };
        }
        Err(last)
    }
}

/// A NAT64 prefix and its length.
type Prefix = (Ipv6Addr, u8);
/// Both families, as far as they were tested.
type Pair = (Option<Tested>, Option<Tested>);

/// A family and the round trips that it took.
struct Tested {
    seen: FamilyReport,
    depth: u32,
}

impl Tested {
    fn worth(&self) -> Worth {
        verdict::family(&self.seen, &LinkSeen::default()).worth
    }
}

/// Runs something beside the main thing, and when that is done for as long as `patience` says.
async fn beside<A, B>(
    main: impl Future<Output = A>,
    side: impl Future<Output = B>,
    patience: impl FnOnce(&A) -> Duration,
) -> (A, Option<B>) {
    tokio::pin!(main, side);
    let mut done = None;
    let result = loop {
        tokio::select! {
            result = &mut main => break result,
            early = &mut side, if done.is_none() => done = Some(early),
        }
    };
    if done.is_none() {
        done = timeout(patience(&result), &mut side).await.ok();
    }
    (result, done)
}

/// Both families; when one of them is well the other has as long again, at least a second.
async fn better(v4: impl Future<Output = Option<Tested>>, v6: impl Future<Output = Option<Tested>>) -> Pair {
    let start = Instant::now();
    tokio::pin!(v4, v6);
    let (mut one, mut other): (Option<Option<Tested>>, Option<Option<Tested>>) = (None, None);
    let mut limit = start + WHOLE + BESIDE;
    let mut good = false;
    while one.is_none() || other.is_none() {
        let seen = tokio::select! {
            seen = &mut v4, if one.is_none() => one.insert(seen),
            seen = &mut v6, if other.is_none() => other.insert(seen),
            () = tokio::time::sleep_until(limit) => break,
        };
        if !good && seen.as_ref().is_some_and(|tested| tested.worth() == Worth::Full) {
            good = true;
            limit = limit.min(Instant::now() + GRACE.max(start.elapsed()));
        }
    }
    let given_up = || {
        let why = || "no answer while the other family had one".to_owned();
        Some(Tested { seen: FamilyReport::new(HttpSeen::Failed(why()), HttpsSeen::Failed(why())), depth: 0 })
    };
    (one.unwrap_or_else(given_up), other.unwrap_or_else(given_up))
}

/// What is wrong with a certificate, in words that no server chose.
pub(super) fn certificate(why: &rustls::CertificateError) -> &'static str {
    use rustls::CertificateError as Error;
    match why {
        Error::UnknownIssuer => "unknown issuer",
        Error::NotValidForName | Error::NotValidForNameContext { .. } => "for another name",
        Error::Expired | Error::ExpiredContext { .. } => "expired",
        Error::NotValidYet | Error::NotValidYetContext { .. } => "not valid yet",
        Error::Revoked => "revoked",
        Error::BadSignature => "not signed by its issuer",
        _ => "not valid",
    }
}

/// Whether answers may be dropped on the link because another one has the better route. `[OPER 4.2]`
fn is_strict(bearer: &Bearer) -> bool {
    let Some(interface) = &bearer.interface else { return false };
    let value = |name: &str| {
        let path = std::path::Path::new("/proc/sys/net/ipv4/conf").join(name).join("rp_filter");
        std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u8>().ok()).unwrap_or(0)
    };
    // The kernel takes the greater one; 1 is strict, 2 loose.
    value("all").max(value(interface)) == 1
}

/// Whether a route of the family leads over the link; nothing is sent. The error is the reason not to test at all:
/// a socket that cannot be bound would test the wrong link.
pub(super) async fn reachable(bearer: &Bearer, wanted: bool, family: Family) -> Result<bool, &'static str> {
    if !wanted {
        return Ok(false);
    }
    // Addresses for documentation: connecting a datagram socket only looks up the route.
    let somewhere = match family {
        Family::V4 => SocketAddr::from(([192, 0, 2, 1], 9)),
        Family::V6 => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9)),
    };
    match bearer.udp(somewhere).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            Ok(false)
        }
        Err(error) => {
            tracing::debug!(%error, "a socket could not be bound to the link");
            Err("bind")
        }
    }
}

/// What became of loading the certificates; `None` while they are on their way.
type Loaded = Option<Result<Arc<ClientConfig>, String>>;

/// Root certificates, loaded when they are first wanted, for all tests of one probe.
#[derive(Default)]
struct Roots(OnceLock<tokio::sync::watch::Receiver<Loaded>>);

impl Roots {
    fn begin(&self, targets: &Targets, network: Option<Duration>) -> tokio::sync::watch::Receiver<Loaded> {
        let begin = || {
            let (sender, receiver) = tokio::sync::watch::channel(None);
            let (extra, state) = (targets.ca.clone(), targets.state.clone());
            tokio::task::spawn_blocking(move || {
                let clock = Clock::read(network, state.as_ref());
                sender.send_replace(Some(super::tls::load(&extra, clock)))
            });
            receiver
        };
        self.0.get_or_init(begin).clone()
    }

    async fn get(&self, targets: &Targets, network: Option<Duration>) -> Result<Arc<ClientConfig>, String> {
        let mut receiver = self.begin(targets, network);
        let loaded = receiver.wait_for(Option::is_some).await.map_err(|_| "loading certificates failed")?;
        loaded.clone().unwrap_or_else(|| Err("loading certificates failed".into()))
    }
}

/// Why a test ended before an answer.
enum Trouble {
    /// Nobody answers questions for names.
    Dns,
    /// There is no such name, or it has no address of the family.
    NoAddress,
    Other(String),
}

fn seen(answer: &http::Answer, expected: &str) -> BodySeen {
    let body = &answer.body;
    let trimmed = body.trim_ascii_start().first();
    let without_ends = {
        let ends = |b: &u8| matches!(b, b'\r' | b'\n');
        let start = body.iter().position(|b| !ends(b)).unwrap_or(body.len());
        let end = body.iter().rposition(|b| !ends(b)).map_or(start, |at| at + 1);
        body.get(start..end).unwrap_or_default()
    };
    if !expected.is_empty() && without_ends == expected.as_bytes() {
        BodySeen::Expected
    } else if body.len() <= 1 {
        BodySeen::Empty
    } else if answer.html || trimmed == Some(&b'<') {
        BodySeen::Html
    } else {
        BodySeen::Other
    }
}

#[cfg(test)]
mod tests;

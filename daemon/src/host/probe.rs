//! One connectivity probe: what was seen over one link, without judgement. `[OPER 4.2]`, `[OPER 4.3]`

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use daemon_core::effect::{BodySeen, FamilyReport, HttpSeen, HttpsSeen, ProbeReport};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::Instant;

use super::dns::{self, Family};
use super::http::{self, Url};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for the whole probe.
const WHOLE: Duration = Duration::from_secs(10);
/// Octets of IP and TCP heads of one short connection, about.
const CONNECTION: usize = 400;

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

/// Counts octets over all sockets of a probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Adds octets.
    pub(crate) fn add(&self, octets: usize) {
        self.0.fetch_add(octets as u64, Ordering::Relaxed);
    }

    /// Counts what goes through a stream, and its heads.
    pub(crate) fn count(&self, stream: TcpStream) -> Counted {
        self.add(CONNECTION);
        Counted { stream, meter: self.clone() }
    }

    fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that is counted.
#[derive(Debug)]
pub(crate) struct Counted {
    stream: TcpStream,
    meter: Meter,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.meter.add(buf.filled().len().saturating_sub(before));
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &polled {
            self.meter.add(*count);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Runs one probe. Ends within ten seconds.
pub(crate) async fn run(
    targets: &Targets,
    bearer: &Bearer,
    servers: &[SocketAddr],
    ipv4: bool,
    ipv6: bool,
) -> ProbeReport {
    let mut report = ProbeReport::default();
    let (ipv4, ipv6) = match (reachable(bearer, ipv4, Family::V4).await, reachable(bearer, ipv6, Family::V6).await) {
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
    let meter = Meter::default();
    let deadline = Instant::now() + WHOLE;
    let roots = Roots::load(targets);
    let (v4, v6) = tokio::join!(
        family(targets, bearer, servers, &roots, ipv4.then_some(Family::V4), deadline, &meter),
        family(targets, bearer, servers, &roots, ipv6.then_some(Family::V6), deadline, &meter),
    );
    ProbeReport { ipv4: v4, ipv6: v6, bytes: meter.total(), skipped: None }
}

/// Whether a route of the family leads over the link; nothing is sent. The error is the reason not to test at all:
/// a socket that cannot be bound would test the wrong link.
async fn reachable(bearer: &Bearer, wanted: bool, family: Family) -> Result<bool, &'static str> {
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

/// Root certificates on their way from the disk, for both families.
struct Roots(Option<tokio::sync::watch::Receiver<Loaded>>);

impl Roots {
    fn load(targets: &Targets) -> Self {
        if targets.https.is_none() {
            return Self(None);
        }
        let (sender, receiver) = tokio::sync::watch::channel(None);
        let extra = targets.ca.clone();
        tokio::task::spawn_blocking(move || sender.send_replace(Some(super::tls::load(&extra))));
        Self(Some(receiver))
    }

    async fn get(&self) -> Result<Arc<ClientConfig>, String> {
        let mut receiver = self.0.clone().ok_or("not wanted")?;
        let loaded = receiver.wait_for(Option::is_some).await.map_err(|_| "loading certificates failed")?;
        loaded.clone().unwrap_or_else(|| Err("loading certificates failed".into()))
    }
}

async fn family(
    targets: &Targets,
    bearer: &Bearer,
    servers: &[SocketAddr],
    roots: &Roots,
    family: Option<Family>,
    deadline: Instant,
    meter: &Meter,
) -> Option<FamilyReport> {
    let family = family?;
    let plain = async {
        match plain(targets, bearer, servers, family, meter).await {
            Ok(seen) => seen,
            Err(Trouble::Dns) => HttpSeen::DnsFailed,
            Err(Trouble::Other(why)) => HttpSeen::Failed(why),
        }
    };
    let encrypted = async {
        let Some(url) = &targets.https else { return HttpsSeen::NotTested };
        match encrypted(url, bearer, servers, roots, family, meter).await {
            Ok(seen) => seen,
            Err(Trouble::Dns) => HttpsSeen::DnsFailed,
            Err(Trouble::Other(why)) => HttpsSeen::Failed(why),
        }
    };
    let (http, https) =
        tokio::join!(tokio::time::timeout_at(deadline, plain), tokio::time::timeout_at(deadline, encrypted));
    Some(FamilyReport {
        http: http.unwrap_or_else(|_| HttpSeen::Failed("timed out".into())),
        https: https.unwrap_or_else(|_| HttpsSeen::Failed("timed out".into())),
    })
}

/// Why a test ended before an answer.
enum Trouble {
    Dns,
    Other(String),
}

async fn dial(
    url: &Url,
    bearer: &Bearer,
    servers: &[SocketAddr],
    family: Family,
    meter: &Meter,
) -> Result<Counted, Trouble> {
    let addresses = match url.address() {
        Some(address) if address.is_ipv4() == (family == Family::V4) => vec![address],
        Some(_) => return Err(Trouble::Other("the host has no address of this family".into())),
        None => dns::resolve(bearer, servers, url.host(), family, meter).await,
    };
    // One more address is tried, not all eight: the probe has ten seconds.
    let mut last = Trouble::Dns;
    for address in addresses.into_iter().take(2) {
        let to = SocketAddr::new(address, url.port());
        last = match tokio::time::timeout(CONNECT, bearer.connect(to)).await {
            Ok(Ok(stream)) => return Ok(meter.count(stream)),
            Ok(Err(error)) => Trouble::Other(error.kind().to_string()),
            Err(_) => Trouble::Other("timed out".into()),
        };
    }
    Err(last)
}

async fn plain(
    targets: &Targets,
    bearer: &Bearer,
    servers: &[SocketAddr],
    family: Family,
    meter: &Meter,
) -> Result<HttpSeen, Trouble> {
    let mut stream = dial(&targets.http, bearer, servers, family, meter).await?;
    let answer = http::get(&mut stream, &targets.http).await.map_err(Trouble::Other)?;
    let body = seen(&answer, &targets.body);
    Ok(HttpSeen::Answer { status: answer.status, location: answer.location, body })
}

async fn encrypted(
    url: &Url,
    bearer: &Bearer,
    servers: &[SocketAddr],
    roots: &Roots,
    family: Family,
    meter: &Meter,
) -> Result<HttpsSeen, Trouble> {
    let (stream, config) = tokio::join!(dial(url, bearer, servers, family, meter), roots.get());
    let (stream, config) = (stream?, config.map_err(Trouble::Other)?);
    let name = ServerName::try_from(url.host().to_owned()).map_err(|e| Trouble::Other(e.to_string()))?;
    let mut stream = match tokio_rustls::TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => stream,
        Err(error) => {
            let intercepted = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()).and_then(|e| match e {
                rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
                _ => None,
            });
            return match intercepted {
                Some(why) => Ok(HttpsSeen::Intercepted(why)),
                None => Err(Trouble::Other(error.to_string())),
            };
        }
    };
    http::get(&mut stream, url).await.map_err(Trouble::Other)?;
    Ok(HttpsSeen::Ok)
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

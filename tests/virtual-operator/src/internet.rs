//! The internet behind the operator, as a process in a network namespace of its own: probe hosts and one more site.

use std::rc::Rc;
use std::sync::Arc;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::address::{INTERNET_HOSTS, NET_LINK, PROBE, PROBE_TLS, TRANSIT};
use crate::error::{Error, While};
use crate::http::{self, Request, Response, Site};
use crate::link::Net;
use crate::wire::{self, InternetOrder, Report};

/// Runs until standard input ends.
///
/// # Errors
/// Something of the set-up failed.
pub async fn run() -> Result<(), Error> {
    let mut orders = wire::lines(tokio::io::stdin());
    let mut reports = tokio::io::stdout();
    wire::send(&mut reports, &Report::Here).await?;
    let Some(InternetOrder::Begin { certificate }) = wire::receive(&mut orders).await? else { return Ok(()) };
    let net = Net::open()?;
    configure(&net).await?;
    let site: Site = Rc::new(|request| answer(&request));
    let tls = TlsAcceptor::from(Arc::new(certificate.server_config()?));
    for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
        let plain = crate::listen::any_address(SocketAddr::new(any, 80), false)?;
        tokio::task::spawn_local(serve_plain(plain, site.clone()));
        let encrypted = crate::listen::any_address(SocketAddr::new(any, 443), false)?;
        tokio::task::spawn_local(serve_tls(encrypted, tls.clone(), site.clone()));
        let sink = crate::listen::any_address(SocketAddr::new(any, DISCARD), false)?;
        tokio::task::spawn_local(serve_discard(sink));
        let source = crate::listen::any_address(SocketAddr::new(any, CHARGEN), false)?;
        tokio::task::spawn_local(serve_chargen(source));
    }
    wire::send(&mut reports, &Report::Ready).await?;
    while wire::receive::<InternetOrder>(&mut orders).await?.is_some() {}
    Ok(())
}

async fn configure(net: &Net) -> Result<(), Error> {
    net.set_up("lo", true).await?;
    for host in INTERNET_HOSTS {
        net.address("lo", IpAddr::V4(host.ipv4), 32).await?;
        net.address("lo", IpAddr::V6(host.ipv6), 128).await?;
    }
    net.set_up(NET_LINK, true).await?;
    let [_, own] = TRANSIT;
    net.address(NET_LINK, IpAddr::V4(own.ipv4), 30).await?;
    net.address(NET_LINK, IpAddr::V6(own.ipv6), 64).await?;
    net.route(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, NET_LINK).await?;
    net.route(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0, NET_LINK).await
}

async fn serve_plain(listener: TcpListener, site: Site) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(http::serve(stream, site.clone()));
    }
}

async fn serve_tls(listener: TcpListener, tls: TlsAcceptor, site: Site) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, site) = (tls.clone(), site.clone());
        tokio::task::spawn_local(async move {
            let stream = tls.accept(stream).await.trying("accepting TLS")?;
            http::serve(stream, site).await;
            Ok::<_, Error>(())
        });
    }
}

/// Reads until the other side ends, then closes. [RFC 863]
async fn serve_discard(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::task::spawn_local(async move {
            let mut buffer = vec![0; 64 << 10];
            while stream.read(&mut buffer).await.is_ok_and(|size| size > 0) {}
        });
    }
}

/// Writes [`Octets`] without end. [RFC 864, but for the text]
async fn serve_chargen(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::task::spawn_local(async move {
            let (mut octets, mut block) = (Octets::default(), vec![0; 64 << 10]);
            loop {
                octets.fill(&mut block);
                if stream.write_all(&block).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// The probe hosts answer 204 on `/check` and a fixed text on `/text`.
fn answer(request: &Request) -> Response {
    let probe = request.host == PROBE.name || request.host == PROBE_TLS.name;
    match request.path.as_str() {
        "/check" if probe => Response { status: 204, ..Response::default() },
        "/text" if probe => Response::text(200, "text/plain", PROBE_TEXT),
        _ if probe => Response::text(404, "text/plain", "not here\n"),
        _ => Response::text(200, "text/html", format!("<html><body>This is {}.</body></html>\n", request.host)),
    }
}

/// TCP port of every host that takes bytes and says nothing. [RFC 863]
pub const DISCARD: u16 = 9;
/// TCP port of every host that sends bytes until the connection is closed. [RFC 864]
pub const CHARGEN: u16 = 19;

/// What [`CHARGEN`] sends: octets of which each depends on its place, so that none can be missing, doubled or moved without
/// being noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Octets {
    place: u64,
}

impl Octets {
    /// The next ones, as many as there is room for.
    pub fn fill(&mut self, room: &mut [u8]) {
        let mut room = room;
        while !room.is_empty() {
            let (word, within) = (self.place / 8, (self.place % 8) as usize);
            // The multiplier is odd: no two words within reach are alike.
            let bytes = (word + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).to_le_bytes();
            let rest = bytes.get(within..).unwrap_or_default();
            let count = rest.len().min(room.len());
            let (now, later) = room.split_at_mut(count);
            now.copy_from_slice(rest.get(..count).unwrap_or_default());
            self.place += count as u64;
            room = later;
        }
    }
}

/// Body of `/text` on the probe hosts.
pub const PROBE_TEXT: &str = "Virtual Internet\n";

#[cfg(test)]
mod tests {
    use super::Octets;

    #[test]
    fn the_octets_depend_on_their_place_alone() {
        let mut whole = vec![0; 4096];
        Octets::default().fill(&mut whole);
        let (mut octets, mut parts) = (Octets::default(), Vec::new());
        for size in 0..400 {
            let mut part = vec![0; size % 23];
            octets.fill(&mut part);
            parts.extend(part);
        }
        assert_eq!(parts.get(..4096), Some(&whole[..]));
        let words: std::collections::BTreeSet<&[u8]> = whole.chunks(8).collect();
        assert_eq!(words.len(), 512);
    }
}

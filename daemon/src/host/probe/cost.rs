//! What a probe costs: octets over all its sockets with their heads, and round trips one after the other in each chain of
//! questions.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Bearer;

/// Octets of the IP and the UDP head, by family: IPv4, IPv6.
const DATAGRAM: [usize; 2] = [28, 48];
/// As [`DATAGRAM`], of the IP and the TCP head with time stamps.
const SEGMENT: [usize; 2] = [52, 72];
/// Octets that the first segment of each side has more.
const OPTIONS: usize = 8;
/// Segments without content that open and end a connection.
const EMPTY: usize = 6;

/// Counts octets over all sockets of a probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    fn add(&self, octets: usize) {
        self.0.fetch_add(octets as u64, Ordering::Relaxed);
    }

    pub(super) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Round trips of one chain of questions, each of which waits for the one before.
#[derive(Debug, Default)]
pub(crate) struct Chain(AtomicU32);

impl Chain {
    pub(super) fn depth(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// A chain that another one went before.
    pub(super) fn behind(depth: u32) -> Self {
        Self(AtomicU32::new(depth))
    }
}

/// Where a chain of questions counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost<'a> {
    pub(in crate::host) meter: &'a Meter,
    pub(in crate::host) chain: &'a Chain,
}

impl Cost<'_> {
    /// An answer is waited for.
    pub(crate) fn trip(self) {
        self.chain.0.fetch_add(1, Ordering::Relaxed);
    }

    /// A datagram with so much in it, to or from there.
    pub(crate) fn datagram(self, peer: SocketAddr, octets: usize) {
        self.meter.add(octets + DATAGRAM[usize::from(peer.is_ipv6())]);
    }

    /// Opens a stream over the link; it is counted from its first segment on.
    pub(crate) async fn connect(self, bearer: &Bearer, to: SocketAddr) -> io::Result<Counted> {
        let head = SEGMENT[usize::from(to.is_ipv6())];
        self.meter.add(head + OPTIONS);
        self.trip();
        let stream = bearer.connect(to).await?;
        self.meter.add((EMPTY - 1) * head + OPTIONS);
        Ok(Counted { stream, meter: self.meter.clone(), head })
    }
}

/// A stream that is counted.
#[derive(Debug)]
pub(crate) struct Counted {
    stream: TcpStream,
    meter: Meter,
    head: usize,
}

impl Counted {
    /// A segment and the one that acknowledges it.
    fn segment(&self, octets: usize) {
        if octets > 0 {
            self.meter.add(octets + 2 * self.head);
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.segment(buf.filled().len().saturating_sub(before));
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &polled {
            self.segment(*count);
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

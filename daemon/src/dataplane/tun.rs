//! A TUN device: a network interface whose other end is a descriptor of this process. It lives as long as the descriptor
//! and takes its addresses and routes with it, so that nothing is left behind even by a SIGKILL.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::task::{Context, Poll};

use rustix::fs::{Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::merge::{Burst, MOST};
use super::segment::HEADER;
use crate::transport::watch;

/// A layer-3 interface. `[linux/if_tun.h]`
const IFF_TUN: u16 = 0x0001;
/// No header of four octets before each packet.
const IFF_NO_PI: u16 = 0x1000;
/// Refuse a name that is taken, also by a persistent TUN device that nobody holds.
const IFF_TUN_EXCL: u16 = 0x8000;
/// A header before each packet that says which sums are still to be made and where it is to be cut.
const IFF_VNET_HDR: u16 = 0x4000;
/// Octets of an interface name with its NUL.
const IFNAMSIZ: usize = 16;

/// `struct ifreq` as TUNSETIFF uses it. `[linux/if.h]`
#[repr(C)]
struct InterfaceRequest {
    name: [u8; IFNAMSIZ],
    flags: u16,
    /// The rest of the union, whose largest member is `struct ifmap` of 24 octets at most.
    rest: [u8; 22],
}

/// One TUN device.
#[derive(Debug)]
pub(crate) struct Tun {
    fd: AsyncFd<OwnedFd>,
    name: String,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// A packet of so many octets stands at the start of the buffers, one behind the other, and what the kernel says of it.
    /// One of their length may have been cut.
    Packet([u8; HEADER], usize),
    /// Nothing is queued.
    Empty,
    /// Somebody deleted the interface.
    Gone,
}

impl Tun {
    /// Makes an interface. `name` may hold one `%d`, for which the kernel puts the first free number. Needs
    /// `CAP_NET_ADMIN` and `/dev/net/tun`.
    pub(crate) fn create(name: &str) -> io::Result<Self> {
        let mut request = InterfaceRequest {
            name: [0; IFNAMSIZ],
            flags: IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL | IFF_VNET_HDR,
            rest: [0; 22],
        };
        // The last octet stays NUL.
        let room = request.name.get_mut(..IFNAMSIZ - 1).and_then(|room| room.get_mut(..name.len()));
        room.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(name.as_bytes());
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(Path::new("/dev/net/tun"), flags, Mode::empty())?;
        attach(&fd, &mut request)?;
        // Without it the kernel finishes all packets by itself.
        if let Err(error) = offer(&fd) {
            tracing::debug!(%error, "the kernel leaves nothing of a TUN device's packets to us");
        }
        let end = request.name.iter().position(|octet| *octet == 0).unwrap_or(IFNAMSIZ);
        let name = String::from_utf8_lossy(request.name.get(..end).unwrap_or_default()).into_owned();
        Ok(Self { fd: watch(fd, Interest::READABLE)?, name })
    }

    /// Name of the interface.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Reads one packet, which may be left for us to finish ([`super::cut`]) and be as long as 65,535 octets then. After
    /// [`Read::Empty`] the task of `cx` is woken when there is one.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8], rest: &mut [u8]) -> Read {
        loop {
            let mut ready = match self.fd.poll_read_ready(cx) {
                Poll::Ready(Ok(ready)) => ready,
                Poll::Ready(Err(_)) => return Read::Gone,
                Poll::Pending => return Read::Empty,
            };
            let mut header = [0; HEADER];
            let read = |fd: &AsyncFd<OwnedFd>| {
                let pieces = [&mut header[..], &mut *buffer, &mut *rest];
                let mut room = pieces.map(IoSliceMut::new);
                Ok(rustix::io::readv(fd.get_ref(), &mut room)?)
            };
            match ready.try_io(read) {
                Ok(Ok(count)) => return Read::Packet(header, count.saturating_sub(HEADER)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return Read::Gone,
                Err(_would_block) => {}
            }
        }
    }

    /// Gives the kernel a packet, or several in one, which it takes or drops at once. `false` = not taken: the interface is
    /// down, the packet is neither IPv4 nor IPv6, or memory is short.
    pub(crate) fn write(&self, burst: &Burst<'_>) -> bool {
        let mut slices = [IoSlice::new(&[]); MOST + 2];
        let pieces = [&burst.header[..], burst.head].into_iter().chain(burst.parts.iter().copied());
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        let slices = slices.get(..count).unwrap_or_default();
        loop {
            match rustix::io::writev(self.fd.get_ref(), slices) {
                Ok(count) => return count == HEADER + burst.octets(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

/// Makes an interface of the descriptor, which must be of `/dev/net/tun`; the kernel writes the name that it chose.
fn attach(fd: &OwnedFd, request: &mut InterfaceRequest) -> io::Result<()> {
    use rustix::ioctl::{Updater, opcode};
    const TUNSETIFF: rustix::ioctl::Opcode = opcode::write::<i32>(b'T', 202);
    // SAFETY: TUNSETIFF (_IOW('T', 202, int), linux/if_tun.h) is declared with an int but copies a whole struct ifreq, 40
    // octets with 64-bit longs and 32 with 32-bit ones, from and to its argument; the request has 40 and no pointer in
    // it. The descriptor is of /dev/net/tun; another driver would refuse the number.
    #[allow(unsafe_code, reason = "an ioctl is only as safe as its declaration, which stands in the comment")]
    unsafe {
        rustix::ioctl::ioctl(fd, Updater::<TUNSETIFF, InterfaceRequest>::new(request))?;
    }
    Ok(())
}

/// Says that we make sums, and cut what is longer than the MTU.
fn offer(fd: &OwnedFd) -> io::Result<()> {
    use rustix::ioctl::{IntegerSetter, opcode};
    const TUNSETOFFLOAD: rustix::ioctl::Opcode = opcode::write::<u32>(b'T', 208);
    /// `TUN_F_CSUM`, `TUN_F_TSO4`, `TUN_F_TSO6`. `[linux/if_tun.h]`
    const OURS: usize = 0x01 | 0x02 | 0x04;
    // SAFETY: TUNSETOFFLOAD (_IOW('T', 208, unsigned int), linux/if_tun.h) takes the flags as the argument itself and reads
    // and writes no memory. The descriptor is of /dev/net/tun; another driver would refuse the number.
    #[allow(unsafe_code, reason = "an ioctl is only as safe as its declaration, which stands in the comment")]
    unsafe {
        rustix::ioctl::ioctl(fd, IntegerSetter::<TUNSETOFFLOAD>::new_usize(OURS))?;
    }
    Ok(())
}

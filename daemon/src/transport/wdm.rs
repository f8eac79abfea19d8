//! `/dev/cdc-wdmN` of the kernel's cdc_wdm driver. One write is one SEND_ENCAPSULATED_COMMAND; reads give a byte
//! stream. The descriptor stays open while the modem is managed, because closing it stops notification.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Received, Sent, means_gone};

/// Assumed where the driver does not tell.
pub(super) const DEFAULT_MAX_CONTROL: u32 = 4096;

/// A character device that carries MBIM frames; shared with the WWAN framework's node.
#[derive(Debug)]
pub(crate) struct Wdm {
    fd: AsyncFd<OwnedFd>,
    max_control: u32,
}

impl Wdm {
    /// Opens the node for this process alone and asks for its buffer size.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let fd =
            rustix::fs::open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
        // The driver lets many in; two daemons on one modem would steal each other's answers.
        rustix::fs::flock(&fd, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        let max_control = max_command(&fd).unwrap_or(DEFAULT_MAX_CONTROL);
        Ok(Self { fd: watch(fd, Interest::READABLE | Interest::WRITABLE)?, max_control })
    }

    pub(super) fn max_control(&self) -> u32 {
        self.max_control
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> Received {
        loop {
            let Ok(mut ready) = self.fd.readable().await else { return Received::Gone };
            match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut *buffer)?)) {
                // A stalled request is mapped to an empty read: only a hang-up is the end.
                Ok(Ok(0)) => {
                    if self.hung_up() {
                        return Received::Gone;
                    }
                    ready.clear_ready();
                }
                Ok(Ok(count)) => return Received::Bytes(count),
                Ok(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                    return Received::Overrun;
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return Received::Gone,
                Err(_would_block) => {
                    if self.hung_up() {
                        return Received::Gone;
                    }
                }
            }
        }
    }

    pub(super) async fn send(&self, frame: &[u8], done: &mut usize) -> Sent {
        loop {
            let Ok(mut ready) = self.fd.writable().await else { return Sent::Gone };
            match ready.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), frame)?)) {
                Ok(Ok(count)) if count >= frame.len() => {
                    *done = frame.len();
                    return Sent::Done;
                }
                Ok(Ok(_)) => return Sent::Failed(io::ErrorKind::WriteZero.into()),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) if means_gone(&error) => return Sent::Gone,
                Ok(Err(error)) => return Sent::Failed(error),
                Err(_would_block) => {}
            }
        }
    }

    fn hung_up(&self) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(self.fd.get_ref().as_fd(), PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut fds, Some(&now)).is_ok()
            && fds.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::NVAL))
    }
}

/// Registers a descriptor with the runtime, which says when it can be read or written.
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open and stays the same descriptor for as long as it lives, and the AsyncFd owns it.
    #[allow(unsafe_code, reason = "the runtime cannot see that an OwnedFd keeps its promise")]
    let watched = unsafe { AsyncFd::register_with_interest(fd, interest) };
    watched.map_err(io::Error::from)
}

/// `wMaxControlMessage` as the driver knows it; `None` when the node is not of this driver.
fn max_command(fd: &OwnedFd) -> Option<u32> {
    use rustix::ioctl::{Getter, opcode};
    const MAX_COMMAND: rustix::ioctl::Opcode = opcode::read::<u16>(b'H', 0xA0);
    // SAFETY: IOCTL_WDM_MAX_COMMAND (_IOR('H', 0xA0, __u16), linux/usb/cdc-wdm.h) writes one u16 and nothing else;
    // any other driver refuses the unknown number with ENOTTY or EINVAL.
    #[allow(unsafe_code, reason = "an ioctl is only as safe as its declaration, which stands in the comment")]
    let size: u16 = unsafe { rustix::ioctl::ioctl(fd, Getter::<MAX_COMMAND, u16>::new()) }.ok()?;
    // 64 is the smallest that MBIM allows.
    (size >= 64).then_some(u32::from(size))
}

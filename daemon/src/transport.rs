//! Getting bytes of the control channel in and out of a device. A port knows no message but one rule: one frame is
//! one write. `[MBIM1.0 8.1]`
//!
//! A port has no task and no buffer of its own: whoever owns it waits for [`Port::receive`] and [`Port::send`], both of
//! which may be dropped at any moment without losing a byte.

pub(crate) mod open;
mod unix;
mod wdm;
mod wwan;

pub(crate) use wdm::watch;

/// An open control channel.
#[derive(Debug)]
pub(crate) enum Port {
    /// `/dev/cdc-wdmN`.
    Wdm(wdm::Wdm),
    /// `/dev/wwanXmbimY`.
    Wwan(wwan::Wwan),
    /// A stream socket.
    Unix(unix::Unix),
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes stand at the start of the buffer.
    Bytes(usize),
    /// The kernel had to drop bytes; what was read of an unfinished message is worthless.
    Overrun,
    /// The device is gone or was closed by the other side.
    Gone,
}

/// What became of a write.
#[derive(Debug)]
pub(crate) enum Sent {
    /// All of it was taken.
    Done,
    /// The device refused it; it is not known to be gone.
    Failed(std::io::Error),
    /// The device is gone.
    Gone,
}

impl Port {
    /// One end of a socket pair as a port.
    #[cfg(test)]
    pub(crate) fn over(stream: tokio::net::UnixStream, max_control: u32) -> Self {
        Self::Unix(unix::Unix::over(stream, max_control))
    }

    /// Waits for bytes. Safe to drop.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> Received {
        match self {
            Self::Wdm(port) => port.receive(buffer).await,
            Self::Wwan(port) => port.receive(buffer).await,
            Self::Unix(port) => port.receive(buffer).await,
        }
    }

    /// Writes `frame` from `*done` on, counting in `done` what was taken, so that it may be dropped and called again.
    /// Devices take a frame as a whole.
    pub(crate) async fn send(&self, frame: &[u8], done: &mut usize) -> Sent {
        match self {
            Self::Wdm(port) => port.send(frame, done).await,
            Self::Wwan(port) => port.send(frame, done).await,
            Self::Unix(port) => port.send(frame, done).await,
        }
    }

    /// Largest frame that the device takes, octets.
    pub(crate) fn max_control(&self) -> u32 {
        match self {
            Self::Wdm(port) => port.max_control(),
            Self::Wwan(_) => wwan::MAX_CONTROL,
            Self::Unix(port) => port.max_control(),
        }
    }
}

/// Whether an error of a device file says that the device is no longer there. `[MBIM1.0 on Linux: ENODEV after
/// unplug, EIO during reset]`
fn means_gone(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    error.raw_os_error().is_some_and(|code| {
        [Errno::NODEV, Errno::IO, Errno::NXIO, Errno::SHUTDOWN, Errno::PIPE, Errno::CONNRESET]
            .iter()
            .any(|gone| gone.raw_os_error() == code)
    })
}

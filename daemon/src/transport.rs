//! Getting bytes of the control channel in and out of a device. A port knows no message but one rule: one frame is
//! one write. `[MBIM1.0 8.1]`
//!
//! A port has no task and no buffer of its own: whoever owns it waits for [`Port::receive`] and [`Port::send`], both of
//! which may be dropped at any moment without losing a byte.

pub(crate) mod open;
pub(crate) mod refusal;
pub(crate) mod renew;
mod unix;
#[cfg(feature = "usb")]
pub(crate) mod usb;
mod wdm;
mod wwan;

use daemon_core::snapshot::Reason;

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
    /// An MBIM function of a USB device, without a kernel driver.
    #[cfg(feature = "usb")]
    Usb(Box<usb::Usb>),
}

/// What stands for the kernel driver of a port that the daemon itself drives over USB.
pub(crate) const USBFS: &str = "usbfs";

/// What a port knows of its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Driver in the kernel.
    pub(crate) driver: &'static str,
    /// USB vendor and product.
    pub(crate) usb: (u16, u16),
    /// The device in sysfs.
    pub(crate) physical: String,
    /// USB serial number; empty when it has none.
    pub(crate) serial: String,
    /// Commands that the modem takes at once, 1…256.
    pub(crate) outstanding: u16,
}

/// Interfaces of a port without a kernel driver; for others there are none to make. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interfaces(#[cfg(feature = "usb")] Option<crate::dataplane::Tuns>);

impl Interfaces {
    /// Name of the interface of a session, which is made if it is not there; `None` where the kernel has it.
    ///
    /// # Errors
    /// The interface cannot be made.
    pub(crate) fn of(&self, session: u8) -> std::io::Result<Option<String>> {
        #[cfg(feature = "usb")]
        if let Some(tuns) = &self.0 {
            return tuns.interface(session).map(Some);
        }
        let _ = session;
        Ok(None)
    }

    /// Takes the interface of a session away, if one was made here.
    pub(crate) fn drop(&self, session: u8) {
        #[cfg(feature = "usb")]
        if let Some(tuns) = &self.0 {
            tuns.drop(session);
        }
        let _ = session;
    }
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
            #[cfg(feature = "usb")]
            Self::Usb(port) => port.receive(buffer).await,
        }
    }

    /// Writes `frame` from `*done` on, counting in `done` what was taken, so that it may be dropped and called again.
    /// Devices take a frame as a whole.
    pub(crate) async fn send(&self, frame: &[u8], done: &mut usize) -> Sent {
        match self {
            Self::Wdm(port) => port.send(frame, done).await,
            Self::Wwan(port) => port.send(frame, done).await,
            Self::Unix(port) => port.send(frame, done).await,
            #[cfg(feature = "usb")]
            Self::Usb(port) => port.send(frame, done).await,
        }
    }

    /// Largest frame that the device takes, octets.
    pub(crate) fn max_control(&self) -> u32 {
        match self {
            Self::Wdm(port) => port.max_control(),
            Self::Wwan(_) => wwan::MAX_CONTROL,
            Self::Unix(port) => port.max_control(),
            #[cfg(feature = "usb")]
            Self::Usb(port) => port.max_control(),
        }
    }

    /// Longest packet that its data path takes, octets; `None` = a kernel driver knows.
    pub(crate) fn largest_packet(&self) -> Option<u32> {
        #[cfg(feature = "usb")]
        if let Self::Usb(port) = self {
            return Some(port.largest());
        }
        None
    }

    /// Waits until what is wrong below MBIM is no longer `told`; gives what is wrong. Safe to drop.
    pub(crate) async fn trouble(&self, told: Option<&Reason>) -> Option<Reason> {
        #[cfg(feature = "usb")]
        if let Self::Usb(port) = self {
            return port.trouble(told).await;
        }
        // A kernel driver keeps its troubles to itself.
        let _ = told;
        std::future::pending().await
    }

    /// Begins to move packets between the device and these interfaces, where no kernel driver does.
    pub(crate) fn carry(&self, interfaces: &Interfaces) {
        #[cfg(feature = "usb")]
        if let (Self::Usb(port), Some(tuns)) = (self, &interfaces.0) {
            port.carry(tuns);
        }
        let _ = interfaces;
    }

    /// Interfaces for the packets of a port without a kernel driver, `net` being the name of the first.
    pub(crate) fn interfaces(&self, net: Option<&str>) -> Interfaces {
        #[cfg(feature = "usb")]
        if let Self::Usb(port) = self {
            return Interfaces(Some(crate::dataplane::Tuns::new(net, Some(port.mtu()))));
        }
        let _ = net;
        Interfaces::default()
    }

    /// What the port is, where no announcement says so.
    pub(crate) fn seen(&self) -> Option<Seen> {
        #[cfg(feature = "usb")]
        if let Self::Usb(port) = self {
            let place = port.place();
            return Some(Seen {
                driver: USBFS,
                usb: place.ids,
                physical: place.folder.display().to_string(),
                serial: place.serial(),
                outstanding: port.outstanding(),
            });
        }
        None
    }

    /// Closes it and waits until the device is free for others, for a bounded time.
    pub(crate) async fn close(self) {
        #[cfg(feature = "usb")]
        if let Self::Usb(port) = self {
            port.close().await;
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

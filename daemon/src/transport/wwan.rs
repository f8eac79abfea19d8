//! `/dev/wwanXmbimY` of the kernel's WWAN framework: the same byte protocol as cdc_wdm without its ioctl.

use std::io;
use std::path::Path;

use super::wdm::Wdm;
use super::{Received, Sent};

/// The framework does not tell a size; its drivers take 4096.
pub(super) const MAX_CONTROL: u32 = 4096;

/// An MBIM port of the WWAN framework.
#[derive(Debug)]
pub(crate) struct Wwan(Wdm);

impl Wwan {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Wdm::open(path).map(Self)
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> Received {
        self.0.receive(buffer).await
    }

    pub(super) async fn send(&self, frame: &[u8], done: &mut usize) -> Sent {
        self.0.send(frame, done).await
    }
}

//! A stream socket that carries MBIM frames as a device node does: the plug of the virtual modem.

use std::io;
use std::path::Path;

use tokio::net::UnixStream;

use super::{Received, Sent};

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Unix {
    stream: UnixStream,
    max_control: u32,
}

impl Unix {
    /// Connects. The socket's absence is the modem's absence.
    pub(super) async fn connect(path: &Path, max_control: u32) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(path).await?, max_control })
    }

    /// One end of a pair, for tests.
    #[cfg(test)]
    pub(super) fn over(stream: UnixStream, max_control: u32) -> Self {
        Self { stream, max_control }
    }

    pub(super) fn max_control(&self) -> u32 {
        self.max_control
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> Received {
        loop {
            if self.stream.readable().await.is_err() {
                return Received::Gone;
            }
            match self.stream.try_read(buffer) {
                Ok(0) => return Received::Gone,
                Ok(count) => return Received::Bytes(count),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return Received::Gone,
            }
        }
    }

    pub(super) async fn send(&self, frame: &[u8], done: &mut usize) -> Sent {
        while let Some(rest) = frame.get(*done..).filter(|rest| !rest.is_empty()) {
            if self.stream.writable().await.is_err() {
                return Sent::Gone;
            }
            match self.stream.try_write(rest) {
                Ok(count) => *done += count,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return Sent::Gone,
            }
        }
        Sent::Done
    }
}

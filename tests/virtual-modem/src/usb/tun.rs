//! A TUN device as the network behind a session.

use super::server::Datagrams;
use bytes::Bytes;
use std::io;
use tun_rs::{AsyncDevice, DeviceBuilder, Layer};

/// The longest packet that a TUN device hands out.
const LONGEST: usize = 65_536;
/// Packets that are taken from a channel at once.
const BATCH: usize = 64;

/// A TUN device for raw IP packets, in the network namespace in which it was made. It may be moved to another one, and
/// still carries packets; it vanishes with this value.
pub struct Tun {
    device: AsyncDevice,
}

impl core::fmt::Debug for Tun {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tun")
    }
}

impl Tun {
    /// Makes the device, down and without addresses. Needs a tokio runtime.
    ///
    /// # Errors
    /// The name is taken, or the process may not.
    pub fn new(name: &str, mtu: u16) -> io::Result<Self> {
        let builder = DeviceBuilder::new().name(name).layer(Layer::L3).mtu(mtu).packet_information(false).enable(false);
        Ok(Self { device: builder.build_async()? })
    }

    /// Carries packets both ways until the session's other end or the device is gone.
    ///
    /// # Errors
    /// The device's, once it is gone.
    pub async fn carry(self, datagrams: Datagrams) -> io::Result<()> {
        let Datagrams { to_host, mut from_host, .. } = datagrams;
        let out = async {
            let mut batch = Vec::with_capacity(BATCH);
            while from_host.recv_many(&mut batch, BATCH).await > 0 {
                for packet in batch.drain(..) {
                    // A device that is down, or a packet that is none: lost, as on any link.
                    let _: io::Result<usize> = self.device.send(&packet).await;
                }
            }
            Ok(())
        };
        let back = async {
            let mut buffer = vec![0; LONGEST];
            loop {
                let size = self.device.recv(&mut buffer).await?;
                let packet = Bytes::copy_from_slice(buffer.get(..size).unwrap_or_default());
                if to_host.send(packet).await.is_err() {
                    return Ok(());
                }
            }
        };
        tokio::select! {
            end = out => end,
            end = back => end,
        }
    }
}

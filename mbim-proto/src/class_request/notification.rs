//! What comes over the interrupt pipe.

use crate::codec::{self, Field};
use crate::{Malformed, Problem};

/// A notification of the communication interface. [CDC1.2 6.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// NETWORK_CONNECTION: NCM's link state. MBIM reports it by messages; to be ignored.
    NetworkConnection(bool),
    /// RESPONSE_AVAILABLE: one GET_ENCAPSULATED_RESPONSE is due.
    ResponseAvailable,
    /// CONNECTION_SPEED_CHANGE: NCM's link speed in bits per second. MBIM reports it by messages; to be ignored.
    ConnectionSpeedChange {
        /// Towards the host.
        down: u32,
        /// Towards the function.
        up: u32,
    },
    /// Any other.
    Other(u8),
}

impl Notification {
    /// bmRequestType of every notification.
    pub const REQUEST_TYPE: u8 = 0xa1;

    /// Bytes of the header; what follows it is at most 8 bytes in those that are known.
    pub const HEADER: usize = 8;

    /// bNotification.
    pub const fn code(self) -> u8 {
        match self {
            Self::NetworkConnection(_) => 0x00,
            Self::ResponseAvailable => 0x01,
            Self::ConnectionSpeedChange { .. } => 0x2a,
            Self::Other(code) => code,
        }
    }

    /// Reads one interrupt transfer: the notification and the number of the interface that sent it.
    ///
    /// # Errors
    /// Fewer than 8 bytes, fewer than a speed change announces, or another bmRequestType.
    pub fn decode(bytes: &[u8]) -> Result<(Self, u16), Malformed> {
        codec::decode_with("Notification", bytes, |r| {
            let wrong = r.named("request_type").malformed(Problem::Unexpected { found: 0, wanted: 0 });
            let [request_type, code] = r.array()?;
            if request_type != Self::REQUEST_TYPE {
                let problem =
                    Problem::Unexpected { found: u32::from(request_type), wanted: u32::from(Self::REQUEST_TYPE) };
                return Err(Malformed { problem, ..wrong });
            }
            let value = u16::read(r.named("value"))?;
            let interface = u16::read(r.named("index"))?;
            r.named("length").take(2)?;
            let notification = match code {
                0x00 => Self::NetworkConnection(value != 0),
                0x01 => Self::ResponseAvailable,
                0x2a => Self::ConnectionSpeedChange {
                    down: u32::read(r.named("down_bit_rate"))?,
                    up: u32::read(r.named("up_bit_rate"))?,
                },
                code => Self::Other(code),
            };
            Ok((notification, interface))
        })
    }

    /// The bytes of an interrupt transfer, and how many of them count.
    pub fn encode(self, interface: u8) -> ([u8; 16], usize) {
        let mut out = [0; 16];
        let (value, data, length) = match self {
            Self::NetworkConnection(up) => (u16::from(up), [0; 8], 0),
            Self::ResponseAvailable | Self::Other(_) => (0, [0; 8], 0),
            Self::ConnectionSpeedChange { down, up } => {
                let ([a, b, c, d], [e, f, g, h]) = (down.to_le_bytes(), up.to_le_bytes());
                (0, [a, b, c, d, e, f, g, h], 8)
            }
        };
        let [low, high] = value.to_le_bytes();
        let head = [Self::REQUEST_TYPE, self.code(), low, high, interface, 0, length, 0];
        for (place, byte) in out.iter_mut().zip(head.into_iter().chain(data)) {
            *place = byte;
        }
        (out, Self::HEADER + usize::from(length))
    }
}

//! MBIM control messages in and out of capture files, without IO.
//!
//! [`packets`] reads pcap and pcapng, [`frames`] finds the control messages in them: exported PDUs of Wireshark's
//! dissector `mbim.control`, or the control transfers of Linux's usbmon. [`mod@write`] makes pcapng files of exported PDUs,
//! which Wireshark opens. A [`Replay`] answers as the modem of a recorded conversation did; an [`Anonymiser`] takes the people
//! out of one.
//!
//! ```
//! use core::time::Duration;
//! use mbim_capture::{Direction, frames, write};
//! use mbim_proto::message::{Content, Message};
//!
//! let close = Message::new(7, Content::Close).encode();
//! let mut file = write::start();
//! file.extend(write::frame(Duration::from_secs(1_700_000_000), Direction::Sent, &close));
//!
//! let read = frames(&file)?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(read[0].bytes, close);
//! assert_eq!(read[0].direction, Some(Direction::Sent));
//! # Ok::<(), mbim_capture::Malformed>(())
//! ```
#![forbid(unsafe_code)]

mod agreed;
mod anonymise;
mod control;
mod malformed;
mod read;
mod replay;

pub mod write;

pub use agreed::Agreed;
pub use anonymise::Anonymiser;
pub use control::{Device, Frame, Frames, frames};
pub use malformed::{Malformed, Problem};
pub use read::{Packet, Packets, is_capture, packets};
pub use replay::Replay;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the host to the modem.
    Sent,
    /// From the modem to the host.
    Received,
}

impl Direction {
    /// In a word: `sent` or `received`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}

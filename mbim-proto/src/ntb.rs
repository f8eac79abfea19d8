//! Transfer blocks of the data plane: many datagrams of several sessions in one bulk transfer. [NCM1.0 3] [MBIM1.0 7]
//!
//! [`Parameters`] is what the function offers, [`Limits`] what one direction may do with it. [`Block`] reads a block
//! without copying, [`Builder`] lays one out in a buffer that is used again: a datagram can be read straight into its
//! place. Neither allocates for a datagram. What a peer does wrong is a [`Fault`] with a name, to be counted in
//! [`Faults`]; it never ends the link.
//!
//! ```
//! use mbim_proto::ntb::{Block, Builder, Faults, Format, Limits, Stream};
//!
//! let limits = Limits::new(Format::Ntb16, 16_384);
//! let mut builder = Builder::new(limits);
//! builder.start(7);
//! let room = builder.room(Stream::Ip(0), 1500).expect("an empty block has room");
//! let size = 20; // As many bytes as a read gave.
//! room[..size].copy_from_slice(&[0x45; 20]);
//! builder.shrink(size);
//! let transfer = builder.finish();
//!
//! let mut faults = Faults::default();
//! let block = Block::parse(transfer, &limits)?;
//! assert_eq!(block.sequence(), 7);
//! for datagram in block.datagrams().filter_map(|item| faults.sift(item)) {
//!     assert_eq!((datagram.stream, datagram.payload), (Stream::Ip(0), &[0x45; 20][..]));
//! }
//! assert!(faults.is_empty());
//! # Ok::<(), mbim_proto::ntb::Fault>(())
//! ```

mod block;
mod builder;
mod fault;
mod parameters;
mod sequence;
#[cfg(test)]
mod tests;

pub use block::{Block, Datagrams};
pub use builder::{Builder, Placement};
pub use fault::{Fault, Faults};
pub use parameters::{InputSize, Limits, Parameters};
pub use sequence::{SequenceCheck, Step};

/// Tables that one block may chain; a longer chain is cut. [Linux cdc_mbim]
pub const MOST_TABLES: usize = 50;

/// Datagrams that one block takes at most unless the limits were raised by hand, also when the function names no limit.
/// [Linux cdc_ncm]
pub const MOST_DATAGRAMS: u16 = 40;

/// The smallest maximum of a block that may be negotiated, in bytes. [NCM1.0 6.2.7]
pub const SMALLEST_BLOCK: u32 = 2048;

/// The largest block that is sent or accepted, in bytes, whatever the function offers. [Linux cdc_ncm]
pub const LARGEST_BLOCK: u32 = 65_536;

/// The width of a block's numbers. One format holds for both directions until the function is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// 16-bit lengths and indices; every function has it. [NCM1.0 3.2.1]
    #[default]
    Ntb16,
    /// 32-bit lengths and indices; the function says whether it has it. [NCM1.0 3.2.2]
    Ntb32,
}

impl Format {
    /// The value of SET_NTB_FORMAT and GET_NTB_FORMAT.
    pub const fn code(self) -> u16 {
        match self {
            Self::Ntb16 => 0,
            Self::Ntb32 => 1,
        }
    }

    /// The format of a SET_NTB_FORMAT value, if there is one.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::Ntb16),
            1 => Some(Self::Ntb32),
            _ => None,
        }
    }

    /// Bytes of the block header.
    pub const fn header(self) -> usize {
        match self {
            Self::Ntb16 => 12,
            Self::Ntb32 => 16,
        }
    }

    /// Bytes of a datagram table of so many entries, its terminator included.
    pub const fn table(self, entries: usize) -> usize {
        self.table_header() + self.entry() * (entries + 1)
    }

    const fn table_header(self) -> usize {
        match self {
            Self::Ntb16 => 8,
            Self::Ntb32 => 16,
        }
    }

    const fn entry(self) -> usize {
        match self {
            Self::Ntb16 => 4,
            Self::Ntb32 => 8,
        }
    }

    const fn signature(self) -> [u8; 4] {
        match self {
            Self::Ntb16 => *b"NCMH",
            Self::Ntb32 => *b"ncmh",
        }
    }

    /// The largest block length that the header can name, in bytes.
    const fn largest(self) -> usize {
        match self {
            Self::Ntb16 => 0xffff,
            Self::Ntb32 => 0xffff_ffff,
        }
    }
}

/// What a datagram belongs to: the signature of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// An IP session by its id: raw IPv4 or IPv6 packets.
    Ip(u8),
    /// A device service stream by its id: bytes whose meaning the service knows.
    DeviceService(u8),
}

impl Stream {
    /// The signature of a table of this stream. [MBIM1.0 7]
    pub const fn signature(self, format: Format) -> [u8; 4] {
        match (format, self) {
            (Format::Ntb16, Self::Ip(id)) => [b'I', b'P', b'S', id],
            (Format::Ntb16, Self::DeviceService(id)) => [b'D', b'S', b'S', id],
            (Format::Ntb32, Self::Ip(id)) => [b'i', b'p', b's', id],
            (Format::Ntb32, Self::DeviceService(id)) => [b'd', b's', b's', id],
        }
    }

    /// The stream of a signature; none for NCM's Ethernet tables and for garbage.
    pub const fn from_signature(format: Format, signature: [u8; 4]) -> Option<Self> {
        match (format, signature) {
            (Format::Ntb16, [b'I', b'P', b'S', id]) | (Format::Ntb32, [b'i', b'p', b's', id]) => Some(Self::Ip(id)),
            (Format::Ntb16, [b'D', b'S', b'S', id]) | (Format::Ntb32, [b'd', b's', b's', id]) => {
                Some(Self::DeviceService(id))
            }
            _ => None,
        }
    }
}

/// One datagram of a block, where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// What it belongs to.
    pub stream: Stream,
    /// Its bytes, at least 1. On an IP session they begin like an IPv4 or IPv6 header and are long enough for one.
    pub payload: &'a [u8],
}

/// How a transfer's end is made known to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The last packet is short: nothing more is due.
    Short,
    /// The last packet is full and the block below the maximum: a zero-length packet must follow.
    ZeroLengthPacket,
    /// The block has the negotiated maximum, which ends the transfer by specification. Many functions hang all the same
    /// without a zero-length packet, none is known to mind one.
    Full,
}

impl Ending {
    /// What must follow a block of `size` bytes. `packet` is the endpoint's wMaxPacketSize, `max_size` the negotiated
    /// maximum of this direction. [NCM1.0 3.2.2]
    pub const fn of(size: usize, packet: u16, max_size: u32) -> Self {
        if packet == 0 || !size.is_multiple_of(packet as usize) {
            Self::Short
        } else if size >= max_size as usize {
            Self::Full
        } else {
            Self::ZeroLengthPacket
        }
    }
}

fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// A number of the format's width, as a place in the block. On a target narrower than the number it becomes a place that
/// no block has.
fn index(format: Format, bytes: &[u8], at: usize) -> Option<usize> {
    match format {
        Format::Ntb16 => le16(bytes, at).map(usize::from),
        Format::Ntb32 => le32(bytes, at).map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
    }
}

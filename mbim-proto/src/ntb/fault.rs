//! What a peer can do wrong in a block.

use super::Datagram;

/// A fault of the sender in one block. The number of each is worth showing; none ends the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// The transfer is shorter than a block header; nothing of it was used.
    #[error("transfer shorter than a block header")]
    Runt,
    /// The block header has another signature than the agreed format; nothing of it was used.
    #[error("wrong block signature")]
    BlockSignature,
    /// wHeaderLength is not that of the format; nothing of it was used.
    #[error("wrong block header length")]
    HeaderLength,
    /// The block length is above the negotiated maximum or shorter than its header; nothing of it was used.
    #[error("impossible block length")]
    BlockLength,
    /// The transfer ended before the block did. What is there was used.
    #[error("block cut short")]
    BlockCut,
    /// A table begins inside the block header; the chain ends there.
    #[error("table inside the block header")]
    TableInHeader,
    /// A table's header or its entries leave the block; the table was passed over.
    #[error("table outside the block")]
    TableOutside,
    /// A table of no stream of MBIM; it was passed over.
    #[error("unknown table signature")]
    TableSignature,
    /// A table's length has no place for an entry and a terminator; it was passed over.
    #[error("impossible table length")]
    TableLength,
    /// The chain comes back to a table that was read already; it ends there.
    #[error("table repeated in the chain")]
    TableRepeated,
    /// The chain has more than [`MOST_TABLES`](super::MOST_TABLES) tables; it ends there.
    #[error("too many tables")]
    TooManyTables,
    /// The tables name more entries than the block could hold without overlapping; the rest was passed over.
    #[error("too many datagram entries")]
    TooManyEntries,
    /// A table has no terminator; its entries were used.
    #[error("table without terminator")]
    Unterminated,
    /// A datagram begins inside the block header.
    #[error("datagram inside the block header")]
    DatagramInHeader,
    /// A datagram leaves the block. When it is the first of its table, the table was passed over.
    #[error("datagram outside the block")]
    DatagramOutside,
    /// A datagram is longer than agreed.
    #[error("datagram too long")]
    DatagramTooLong,
    /// Overlapping datagrams amount to more bytes than the block has; the rest was passed over.
    #[error("datagrams amount to more than the block")]
    Amplified,
    /// A datagram of an IP session is neither IPv4 nor IPv6, or shorter than its header.
    #[error("not an IP packet")]
    NotIp,
}

impl Fault {
    /// All faults, in the order of their declaration.
    pub const ALL: [Self; 18] = [
        Self::Runt,
        Self::BlockSignature,
        Self::HeaderLength,
        Self::BlockLength,
        Self::BlockCut,
        Self::TableInHeader,
        Self::TableOutside,
        Self::TableSignature,
        Self::TableLength,
        Self::TableRepeated,
        Self::TooManyTables,
        Self::TooManyEntries,
        Self::Unterminated,
        Self::DatagramInHeader,
        Self::DatagramOutside,
        Self::DatagramTooLong,
        Self::Amplified,
        Self::NotIp,
    ];

    /// A short name in kebab-case, for counters and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runt => "runt",
            Self::BlockSignature => "block-signature",
            Self::HeaderLength => "header-length",
            Self::BlockLength => "block-length",
            Self::BlockCut => "block-cut",
            Self::TableInHeader => "table-in-header",
            Self::TableOutside => "table-outside",
            Self::TableSignature => "table-signature",
            Self::TableLength => "table-length",
            Self::TableRepeated => "table-repeated",
            Self::TooManyTables => "too-many-tables",
            Self::TooManyEntries => "too-many-entries",
            Self::Unterminated => "unterminated",
            Self::DatagramInHeader => "datagram-in-header",
            Self::DatagramOutside => "datagram-outside",
            Self::DatagramTooLong => "datagram-too-long",
            Self::Amplified => "amplified",
            Self::NotIp => "not-ip",
        }
    }
}

/// How often each [`Fault`] was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Faults([u64; Fault::ALL.len()]);

impl Faults {
    /// Counts one.
    pub fn note(&mut self, fault: Fault) {
        if let Some(count) = self.0.get_mut(fault as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// Keeps the datagram, or counts the fault.
    pub fn sift<'a>(&mut self, item: Result<Datagram<'a>, Fault>) -> Option<Datagram<'a>> {
        item.map_err(|fault| self.note(fault)).ok()
    }

    /// How often this one was seen.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(fault as usize).copied().unwrap_or(0)
    }

    /// All that were seen, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> + '_ {
        Fault::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }
}

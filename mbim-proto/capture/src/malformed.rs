//! What can be wrong with a capture file.

/// A file that is no valid capture: where, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} at byte {offset}: {problem}")]
pub struct Malformed {
    /// The part that was being read, such as `packet` or `section header`.
    pub part: &'static str,
    /// Where it starts in the file.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file does not start like a capture.
    #[error("neither pcap nor pcapng")]
    Unknown,
    /// The file ends inside of the part.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the part takes.
        needed: u64,
        /// Bytes that are there.
        left: usize,
    },
    /// A length that cannot be.
    #[error("length {length} is impossible here")]
    Length {
        /// The length in the file.
        length: u32,
    },
    /// A packet of an interface that was not described before.
    #[error("interface {interface} is not described")]
    Interface {
        /// Its number.
        interface: u32,
    },
    /// Whoever captured did not keep the whole packet.
    #[error("only {kept} of {size} bytes were captured")]
    Cut {
        /// Bytes that are there.
        kept: u32,
        /// Bytes that there were.
        size: u32,
    },
    /// An exported PDU whose tags have no end.
    #[error("tags without an end")]
    Tags,
}

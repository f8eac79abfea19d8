//! Errors of the bytes and of the caller, apart from each other.

/// Bytes that are no valid structure: where, and what is wrong with them. The sender is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{body}.{field} at byte {offset}: {problem}")]
pub struct Malformed {
    /// The body or message that was being read, by its type name.
    pub body: &'static str,
    /// The field, in snake_case.
    pub field: &'static str,
    /// Where the wrong bytes stand, from the start of the buffer that was handed in: where the buffer ends too early, or
    /// the reference that leaves it.
    pub offset: usize,
    /// What is wrong, with the limit that was broken.
    pub problem: Problem,
}

/// What can be wrong with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The buffer ends inside the field.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the field takes.
        needed: u64,
        /// Bytes that are there.
        left: usize,
    },
    /// An offset or an offset and size point outside of the buffer.
    #[error("offset {offset} and size {size} leave the structure of {limit} bytes")]
    OutOfBounds {
        /// The offset on the wire, from the start of the structure that holds it.
        offset: u32,
        /// The size that goes with it, in bytes.
        size: u64,
        /// Bytes from the start of that structure to the end of the buffer.
        limit: usize,
    },
    /// More elements are announced than could fit.
    #[error("{count} elements announced, {most} could fit")]
    TooMany {
        /// The number on the wire.
        count: u32,
        /// The largest number that could fit.
        most: u64,
    },
    /// References that overlap so much that decoding would multiply the buffer.
    #[error("overlapping references amount to more than {limit} bytes")]
    Amplified {
        /// Bytes that all references of one body may amount to.
        limit: usize,
    },
    /// A declared length is impossible.
    #[error("length {length} is not between {least} and {most}")]
    Length {
        /// The length on the wire, in bytes.
        length: u32,
        /// The smallest legal length.
        least: u32,
        /// The largest legal length.
        most: u32,
    },
    /// A number that can only have one value has another.
    #[error("{found:#x} stands where {wanted:#x} must")]
    Unexpected {
        /// The number on the wire.
        found: u32,
        /// The only legal one.
        wanted: u32,
    },
    /// A number is outside of its range.
    #[error("{number:#x} is not between {least:#x} and {most:#x}")]
    Range {
        /// The number on the wire.
        number: u32,
        /// The smallest legal one.
        least: u32,
        /// The largest legal one.
        most: u32,
    },
    /// Something that must be there is not.
    #[error("missing")]
    Missing,
    /// A message that should be whole is one of several fragments.
    #[error("fragment {current} of {total} is not a whole message")]
    Fragment {
        /// CurrentFragment, from 0.
        current: u32,
        /// TotalFragments.
        total: u32,
    },
}

/// A value that may not be sent: the caller is to blame, nothing has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string or byte array is longer than the specification allows.
    #[error("{field} takes {size} bytes, at most {most} are allowed")]
    TooLong {
        /// The field, in snake_case.
        field: &'static str,
        /// Bytes that the value takes on the wire (a UTF-16 unit is two).
        size: usize,
        /// Bytes that the specification allows.
        most: usize,
    },
    /// Two arrays that share one count differ in length.
    #[error("{field} has {size} elements, its count says {count}")]
    CountDiffers {
        /// The field, in snake_case.
        field: &'static str,
        /// Elements in it.
        size: usize,
        /// Elements that the shared count announces.
        count: u32,
    },
}

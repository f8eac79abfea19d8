//! Messages out of fragments.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::time::Duration;

use super::{FRAGMENT_PAUSE, FragmentHeader};
use crate::message::{FRAGMENT_HEADER, Header, MessageType};
use crate::{Malformed, ProtocolError};

/// How much a [`Reassembler`] collects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, headers included.
    pub bytes: usize,
    /// Fragments of one message.
    pub fragments: u32,
    /// Messages that are collected side by side.
    pub messages: usize,
    /// Bytes of all of them.
    pub total: usize,
    /// The longest pause between two fragments of a message.
    pub pause: Duration,
}

impl Default for Limits {
    /// 1 MiB, 4096 fragments, 8 messages, 8 MiB, [`FRAGMENT_PAUSE`].
    fn default() -> Self {
        Self { bytes: 1 << 20, fragments: 4096, messages: 8, total: 8 << 20, pause: FRAGMENT_PAUSE }
    }
}

/// A message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReassemblyError {
    /// The headers are no headers.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The fragment is not the one that was due.
    #[error("transaction {transaction}: fragment {current} of {total} where {expected} of {expected_total} was due")]
    OutOfSequence {
        /// The transaction of the fragment.
        transaction: u32,
        /// CurrentFragment of it.
        current: u32,
        /// TotalFragments of it.
        total: u32,
        /// The fragment that was due.
        expected: u32,
        /// Fragments of the message that was being collected; 0 when none was.
        expected_total: u32,
    },
    /// The next fragment did not come in time.
    #[error("transaction {transaction}: no further fragment in time")]
    Timeout {
        /// The transaction of the message.
        transaction: u32,
    },
    /// The message, or all that are being collected, would have more bytes than are collected.
    #[error("transaction {transaction}: more than {limit} bytes")]
    TooLong {
        /// The transaction of the message.
        transaction: u32,
        /// Bytes that a message may have.
        limit: usize,
    },
    /// The message would have more fragments than are collected.
    #[error("transaction {transaction}: {total} fragments, at most {limit} are collected")]
    TooManyFragments {
        /// The transaction of the message.
        transaction: u32,
        /// TotalFragments.
        total: u32,
        /// Fragments that a message may have.
        limit: u32,
    },
}

impl ReassemblyError {
    /// The transaction to name in an error message; none when the headers could not be read.
    pub const fn transaction(&self) -> Option<u32> {
        match self {
            Self::Malformed(_) => None,
            Self::OutOfSequence { transaction, .. }
            | Self::Timeout { transaction }
            | Self::TooLong { transaction, .. }
            | Self::TooManyFragments { transaction, .. } => Some(*transaction),
        }
    }

    /// The code to put into an error message. [MBIM1.0 9.3.4]
    pub const fn code(&self) -> ProtocolError {
        match self {
            Self::Malformed(_) => ProtocolError::LENGTH_MISMATCH,
            Self::OutOfSequence { .. } => ProtocolError::FRAGMENT_OUT_OF_SEQUENCE,
            Self::Timeout { .. } => ProtocolError::TIMEOUT_FRAGMENT,
            Self::TooLong { .. } | Self::TooManyFragments { .. } => ProtocolError::MAX_TRANSFER,
        }
    }
}

/// Collects fragments, for each message type and transaction apart. [MBIM1.0 9.5]
#[derive(Debug, Default)]
pub struct Reassembler {
    limits: Limits,
    /// Oldest first.
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    kind: MessageType,
    transaction: u32,
    total: u32,
    next: u32,
    since: Duration,
    /// The message so far, with the headers of one whole message.
    bytes: Vec<u8>,
}

impl Reassembler {
    /// A collector with limits of one's own.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, parts: Vec::new() }
    }

    /// Takes a frame. Gives a whole message when there is one: the frame itself, or all fragments joined under the
    /// headers of a message of one fragment.
    ///
    /// # Errors
    /// The frame, and what was collected of its message, is dropped. A first fragment starts anew.
    pub fn push<'a>(&mut self, now: Duration, frame: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, ReassemblyError> {
        let header = Header::decode(frame)?;
        if !header.kind.is_fragmented() {
            return Ok(Some(Cow::Borrowed(frame)));
        }
        let fragment = FragmentHeader::decode(frame)?;
        let (kind, transaction) = (header.kind, header.transaction);
        let place = self.parts.iter().position(|part| (part.kind, part.transaction) == (kind, transaction));
        let part = place.map(|place| self.parts.remove(place));
        if fragment.total == 1 {
            return Ok(Some(Cow::Borrowed(frame)));
        }
        let sequence = |part: Option<&Part>| ReassemblyError::OutOfSequence {
            transaction,
            current: fragment.current,
            total: fragment.total,
            expected: part.map_or(0, |part| part.next),
            expected_total: part.map_or(0, |part| part.total),
        };
        if fragment.total > self.limits.fragments {
            let limit = self.limits.fragments;
            return Err(ReassemblyError::TooManyFragments { transaction, total: fragment.total, limit });
        }
        let mut part = match part {
            // A first fragment starts anew; whatever was there is given up.
            _ if fragment.current == 0 => {
                let bytes = frame.get(..FRAGMENT_HEADER).unwrap_or_default().to_vec();
                Part { kind, transaction, total: fragment.total, next: 0, since: now, bytes }
            }
            Some(part) if (part.next, part.total) == (fragment.current, fragment.total) => part,
            part => return Err(sequence(part.as_ref())),
        };
        if now.saturating_sub(part.since) >= self.limits.pause {
            return Err(ReassemblyError::Timeout { transaction });
        }
        let payload = frame.get(FRAGMENT_HEADER..).unwrap_or_default();
        let others: usize = self.parts.iter().map(|part| part.bytes.len()).sum();
        let limit = self.limits.bytes.min(self.limits.total.saturating_sub(others));
        if part.bytes.len() + payload.len() > limit {
            return Err(ReassemblyError::TooLong { transaction, limit });
        }
        part.bytes.extend_from_slice(payload);
        part.next += 1;
        part.since = now;
        if part.next == part.total {
            return Ok(Some(Cow::Owned(part.finish())));
        }
        if self.parts.len() >= self.limits.messages {
            self.parts.remove(0);
        }
        self.parts.push(part);
        Ok(None)
    }

    /// When [`expire`](Self::expire) has something to do.
    pub fn deadline(&self) -> Option<Duration> {
        self.parts.iter().map(|part| part.since + self.limits.pause).min()
    }

    /// Drops one message whose next fragment is overdue. Call until there is none.
    pub fn expire(&mut self, now: Duration) -> Option<ReassemblyError> {
        let pause = self.limits.pause;
        let late = self.parts.iter().position(|part| now.saturating_sub(part.since) >= pause)?;
        let part = self.parts.remove(late);
        Some(ReassemblyError::Timeout { transaction: part.transaction })
    }

    /// Bytes of messages that are not whole yet.
    pub fn held(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Forgets everything, as after a reopened session.
    pub fn clear(&mut self) {
        self.parts.clear();
    }
}

impl Part {
    /// Gives the message the headers of a single fragment.
    fn finish(mut self) -> Vec<u8> {
        let words = [u32::try_from(self.bytes.len()).unwrap_or(u32::MAX), 1, 0];
        for (at, word) in [4, 12, 16].into_iter().zip(words) {
            if let Some(place) = self.bytes.get_mut(at..at + 4) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        }
        self.bytes
    }
}

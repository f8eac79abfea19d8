//! Cutting and joining: frames out of a byte stream, fragments out of messages, messages out of fragments.
//! [MBIM1.0 9.2]

mod cutter;
mod reassembler;

use alloc::vec::Vec;

pub use cutter::{CutError, FrameCutter};
pub use reassembler::{Limits, Reassembler, ReassemblyError};

use crate::codec::{self, Field};
use crate::message::{FRAGMENT_HEADER, Header};
use crate::{Malformed, Problem};

/// The smallest MaxControlTransfer that may be negotiated, in bytes. [MBIM1.0 9.3.1]
pub const SMALLEST_TRANSFER: u32 = 64;

/// The longest pause between two fragments of a message. [MBIM1.0 9.5.1]
pub const FRAGMENT_PAUSE: core::time::Duration = core::time::Duration::from_millis(1250);

/// Cuts a message, as [`Message::encode`](crate::Message::encode) makes it, into frames of at most `max` bytes (at least
/// [`SMALLEST_TRANSFER`]). Messages without a fragment header, and those that fit, come back in one piece.
pub fn fragments(message: &[u8], max: u32) -> Fragments<'_> {
    let max = max.max(SMALLEST_TRANSFER) as usize;
    let split = Header::decode(message).ok().filter(|h| h.kind.is_fragmented() && message.len() > max);
    let (head, payload) = match split {
        Some(_) => message.split_at_checked(FRAGMENT_HEADER).unwrap_or((message, &[])),
        None => (message, &[][..]),
    };
    let each = max - FRAGMENT_HEADER;
    let total = if split.is_some() { payload.len().div_ceil(each) } else { 1 };
    Fragments { head, payload, each, total, current: 0, split: split.is_some() }
}

/// Frames of one message, in order. Made by [`fragments`].
#[derive(Clone, Debug)]
pub struct Fragments<'a> {
    head: &'a [u8],
    payload: &'a [u8],
    each: usize,
    total: usize,
    current: usize,
    split: bool,
}

impl Iterator for Fragments<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.current == self.total {
            return None;
        }
        let (part, rest) = self.payload.split_at(self.each.min(self.payload.len()));
        let mut frame = Vec::with_capacity(self.head.len() + part.len());
        frame.extend_from_slice(self.head);
        frame.extend_from_slice(part);
        if self.split {
            let words =
                [frame.len(), self.total, self.current].map(|n| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
            for (at, word) in [4, 12, 16].into_iter().zip(words) {
                if let Some(place) = frame.get_mut(at..at + 4) {
                    place.copy_from_slice(&word);
                }
            }
        }
        self.payload = rest;
        self.current += 1;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.total - self.current, Some(self.total - self.current))
    }
}

impl ExactSizeIterator for Fragments<'_> {}

/// The headers of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHeader {
    /// The header of every message.
    pub header: Header,
    /// Fragments of the message, at least 1.
    pub total: u32,
    /// Which of them, from 0.
    pub current: u32,
}

impl FragmentHeader {
    /// Reads the first 20 bytes.
    ///
    /// # Errors
    /// Fewer bytes, no fragments, or a fragment beyond the last.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        codec::decode_with("FragmentHeader", frame, |r| {
            let header = Header::decode(frame)?;
            r.named("message_length").take(12)?;
            let problem = r.named("current_fragment").malformed(Problem::Fragment { current: 0, total: 0 });
            let [total, current] = [u32::read(r.named("total_fragments"))?, u32::read(r.named("current_fragment"))?];
            if current >= total {
                return Err(Malformed { problem: Problem::Fragment { current, total }, ..problem });
            }
            Ok(Self { header, total, current })
        })
    }
}

#[cfg(test)]
mod tests;

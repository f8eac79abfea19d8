//! Frames out of a byte stream that may be cut anywhere.

use alloc::vec::Vec;

use crate::message::{HEADER, Header};

/// Cuts a byte stream into frames by their MessageLength. Holds at most one incomplete frame.
///
/// A length that cannot be is reported once; bytes are then passed over until a header of a known type with a possible
/// length is seen.
#[derive(Debug)]
pub struct FrameCutter {
    /// Bytes that came; those before `start` are spent.
    stream: Vec<u8>,
    start: usize,
    limit: u32,
    lost: Option<u32>,
}

/// The stream was not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// MessageLength is impossible. Cutting goes on with the next plausible header.
    #[error("message length {length} is not between 12 and {limit}; {skipped} bytes passed over")]
    Length {
        /// MessageLength on the wire.
        length: u32,
        /// The longest frame that is accepted, in bytes.
        limit: u32,
        /// Bytes that were passed over so far to find the next header.
        skipped: usize,
    },
}

impl FrameCutter {
    /// The longest frame that a device can announce: wMaxControlMessage has 16 bits.
    pub const LONGEST_FRAME: u32 = 0xffff;

    /// A cutter for frames of at most `limit` bytes. It never asks for less than the negotiated size to be accepted:
    /// devices exceed it, so give it more rather than less ([`LONGEST_FRAME`](Self::LONGEST_FRAME)).
    pub const fn new(limit: u32) -> Self {
        Self { stream: Vec::new(), start: 0, limit, lost: None }
    }

    /// Takes bytes as they came. Call [`next_frame`](Self::next_frame) until it has no more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.stream.drain(..self.start);
        self.start = 0;
        self.stream.extend_from_slice(bytes);
    }

    /// Forgets everything, as after a reopened device.
    pub fn clear(&mut self) {
        self.stream.clear();
        self.start = 0;
        self.lost = None;
    }

    /// Bytes of a frame that has not come whole.
    pub fn pending(&self) -> usize {
        self.stream.len() - self.start
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`CutError::Length`] once for each run of bytes that are no frames.
    pub fn next_frame(&mut self) -> Option<Result<&[u8], CutError>> {
        let header = Header::decode(self.stream.get(self.start..)?).ok()?;
        let possible = (HEADER as u32..=self.limit).contains(&header.length);
        let searching = self.lost.is_some();
        if possible && !(searching && header.kind.name().is_none()) {
            self.lost = None;
            let length = header.length as usize;
            let frame = self.stream.get(self.start..)?.get(..length)?;
            self.start += length;
            return Some(Ok(frame));
        }
        let before = self.start;
        while let Some(header) = self.stream.get(self.start..).and_then(|rest| Header::decode(rest).ok()) {
            if self.plausible(header) {
                break;
            }
            self.start += 1;
        }
        if searching {
            return self.next_frame_if_found();
        }
        self.lost = Some(header.length);
        Some(Err(CutError::Length { length: header.length, limit: self.limit, skipped: self.start - before }))
    }

    fn plausible(&self, header: Header) -> bool {
        (HEADER as u32..=self.limit).contains(&header.length) && header.kind.name().is_some()
    }

    fn next_frame_if_found(&mut self) -> Option<Result<&[u8], CutError>> {
        let header = Header::decode(self.stream.get(self.start..)?).ok()?;
        if !self.plausible(header) {
            return None;
        }
        self.next_frame()
    }
}

impl Default for FrameCutter {
    /// Accepts everything that a device can announce.
    fn default() -> Self {
        Self::new(Self::LONGEST_FRAME)
    }
}

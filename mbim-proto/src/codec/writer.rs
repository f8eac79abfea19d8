//! Laying out a structure: first the fixed part, then what it points at.

use alloc::vec::Vec;

/// Room that is made at once, in bytes.
const USUAL: usize = 128;

/// Writes one structure in two passes over its fields: the first lays the fixed part with zeros for references, the
/// second appends the data and fills the references in. A field is written by the same call in both.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// Where the structure starts.
    start: usize,
    /// The place in the fixed part.
    cursor: usize,
    /// The second pass.
    data: bool,
}

impl<'a> Writer<'a> {
    /// Appends behind what `out` holds.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, cursor: start, data: true }
    }

    /// Puts bytes into the fixed part.
    pub fn put(&mut self, bytes: &[u8]) {
        if !self.data {
            // Most bodies fit: they shall not grow byte by byte.
            if self.out.capacity() - self.out.len() < bytes.len() {
                self.out.reserve(bytes.len().max(USUAL));
            }
            self.out.extend_from_slice(bytes);
        }
        self.cursor += bytes.len();
    }

    /// Puts a structure into the fixed part; its offsets count from here.
    pub fn structure(&mut self, fields: impl FnOnce(&mut Self)) {
        let outer = core::mem::replace(&mut self.start, self.cursor);
        fields(self);
        self.start = outer;
    }

    /// Puts an offset and a size, and what they point at into the data buffer. Nothing appended is 0 and 0.
    pub fn refer(&mut self, target: impl FnOnce(&mut Self)) {
        if self.data {
            let (offset, size) = self.target(target);
            self.fill(self.cursor, if size == 0 { 0 } else { offset });
            self.fill(self.cursor + 4, size);
            self.cursor += 8;
        } else {
            self.put(&[0; 8]);
        }
    }

    /// Puts a size and an offset, and what they point at into the data buffer. Nothing appended is 0 and 0.
    pub fn refer_sized(&mut self, target: impl FnOnce(&mut Self)) {
        if self.data {
            let (offset, size) = self.target(target);
            self.fill(self.cursor, size);
            self.fill(self.cursor + 4, if size == 0 { 0 } else { offset });
            self.cursor += 8;
        } else {
            self.put(&[0; 8]);
        }
    }

    /// Puts an offset alone, and what it points at into the data buffer. Nothing appended is 0.
    pub fn refer_offset(&mut self, target: impl FnOnce(&mut Self)) {
        if self.data {
            let (offset, size) = self.target(target);
            self.fill(self.cursor, if size == 0 { 0 } else { offset });
            self.cursor += 4;
        } else {
            self.put(&[0; 4]);
        }
    }

    /// Appends a structure of its own to the data buffer, in both its passes.
    pub fn whole(&mut self, fields: impl Fn(&mut Writer<'_>)) {
        self.pad();
        let start = self.out.len();
        let mut inner = Writer { out: self.out, start, cursor: start, data: false };
        fields(&mut inner);
        inner.cursor = start;
        inner.data = true;
        fields(&mut inner);
    }

    /// Appends bytes to the data buffer, as the target of a reference or as a tail.
    pub fn append(&mut self, bytes: &[u8]) {
        self.append_with(|out| out.extend_from_slice(bytes));
    }

    /// As [`append`](Self::append), for bytes that are made on the way.
    pub fn append_with(&mut self, make: impl FnOnce(&mut Vec<u8>)) {
        if self.data {
            make(self.out);
        }
    }

    /// Zeros up to the next multiple of 4 from the structure's start.
    pub fn pad(&mut self) {
        if self.data {
            let size = self.out.len() - self.start;
            self.out.resize(self.start + size.next_multiple_of(4), 0);
        }
    }

    /// Appends a target on a 4-byte boundary and pads behind it; its offset and its size without padding.
    fn target(&mut self, target: impl FnOnce(&mut Self)) -> (u32, u32) {
        self.pad();
        let before = self.out.len();
        target(self);
        let size = self.out.len() - before;
        self.pad();
        // A message is far below 4 GiB, and a length field could not say more.
        (u32::try_from(before - self.start).unwrap_or(u32::MAX), u32::try_from(size).unwrap_or(u32::MAX))
    }

    fn fill(&mut self, at: usize, number: u32) {
        if let Some(place) = self.out.get_mut(at..at + 4) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }
}

//! Taking bytes that may lie.

use core::cell::Cell;

use crate::{Malformed, Problem};

/// Bytes that one body may still take. References may overlap, and a small buffer full of references to one large
/// string would otherwise become gigabytes of text.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
    limit: usize,
}

impl Budget {
    /// Four times the buffer, which no honest overlap reaches.
    pub(crate) fn of(buf: &[u8]) -> Self {
        let limit = buf.len().saturating_mul(4).saturating_add(1024);
        Self { left: Cell::new(limit), limit }
    }
}

/// A place in a structure. The structure reaches from its own first byte to the end of the whole buffer.
#[derive(Debug)]
pub struct Reader<'a> {
    /// From the structure's first byte to the end of the buffer.
    buf: &'a [u8],
    /// Where the structure starts in the whole buffer.
    base: usize,
    /// The next byte of the fixed part.
    pos: usize,
    /// One past the last byte that the structure has used, its own targets included.
    end: usize,
    /// Where the reference or the field that is being followed stands in the fixed part.
    mark: usize,
    body: &'static str,
    field: &'static str,
    budget: &'a Budget,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'static str, buf: &'a [u8], budget: &'a Budget) -> Self {
        Self { buf, base: 0, pos: 0, end: 0, mark: 0, body, field: "", budget }
    }

    /// The field that errors from here on name.
    pub fn named(&mut self, field: &'static str) -> &mut Self {
        self.field = field;
        self.mark = self.pos;
        self
    }

    /// Bytes from here to the end of the buffer.
    pub fn left(&self) -> usize {
        self.buf.len().saturating_sub(self.pos)
    }

    /// An error about the field at this place.
    pub fn malformed(&self, problem: Problem) -> Malformed {
        Malformed { body: self.body, field: self.field, offset: self.base + self.pos, problem }
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// The buffer ends before.
    pub fn take(&mut self, count: u64) -> Result<&'a [u8], Malformed> {
        let bytes = usize::try_from(count)
            .ok()
            .and_then(|count| self.buf.get(self.pos..)?.get(..count))
            .ok_or_else(|| self.malformed(Problem::Truncated { needed: count, left: self.left() }))?;
        let left = self.budget.left.get().checked_sub(bytes.len());
        let Some(left) = left else { return Err(self.malformed(Problem::Amplified { limit: self.budget.limit })) };
        self.budget.left.set(left);
        self.pos += bytes.len();
        self.end = self.end.max(self.pos);
        Ok(bytes)
    }

    /// Takes as many bytes as the array holds.
    ///
    /// # Errors
    /// The buffer ends before.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        // `take` hands out exactly N bytes; the conversion cannot fail.
        Ok(self.take(N as u64)?.first_chunk().copied().unwrap_or([0; N]))
    }

    /// Takes an offset and a size.
    ///
    /// # Errors
    /// The buffer ends before.
    pub fn reference(&mut self) -> Result<(u32, u32), Malformed> {
        self.mark = self.pos;
        let [offset, size] = [self.array()?, self.array()?].map(u32::from_le_bytes);
        Ok((offset, size))
    }

    /// Refuses a count of elements of which each takes at least `each` bytes of the `room` that is there.
    ///
    /// # Errors
    /// More elements than could fit.
    pub fn plausible(&self, count: u32, each: usize, room: usize) -> Result<(), Malformed> {
        let most = (room / each.max(1)) as u64;
        if u64::from(count) > most {
            return Err(self.malformed(Problem::TooMany { count, most }));
        }
        Ok(())
    }

    /// Bytes from `offset` of this structure to the end of the buffer.
    pub fn room_at(&self, offset: u32) -> usize {
        usize::try_from(offset).map_or(0, |offset| self.buf.len().saturating_sub(offset))
    }

    /// Reads what stands at an offset of this structure, at least `size` bytes, as a structure of its own.
    ///
    /// # Errors
    /// The target leaves the buffer, or whatever `read` refuses.
    pub fn at<T>(
        &mut self,
        offset: u32,
        size: u32,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let limit = self.buf.len();
        let fits = u64::from(offset) + u64::from(size) <= limit as u64;
        let target =
            usize::try_from(offset).ok().filter(|_| fits).and_then(|start| Some((start, self.buf.get(start..)?)));
        let Some((start, buf)) = target else {
            let problem = Problem::OutOfBounds { offset, size: u64::from(size), limit };
            return Err(Malformed { offset: self.base + self.mark, ..self.malformed(problem) });
        };
        let mut inner = Reader {
            buf,
            base: self.base + start,
            pos: 0,
            end: 0,
            mark: 0,
            body: self.body,
            field: self.field,
            budget: self.budget,
        };
        let value = read(&mut inner)?;
        self.end = self.end.max(start + inner.end);
        Ok(value)
    }

    /// Reads a structure that starts here; its offsets count from here.
    ///
    /// # Errors
    /// Whatever `read` refuses.
    pub fn structure<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>) -> Result<T, Malformed> {
        let buf = self.buf.get(self.pos..).unwrap_or_default();
        let base = self.base + self.pos;
        let mut inner =
            Reader { buf, base, pos: 0, end: 0, mark: 0, body: self.body, field: self.field, budget: self.budget };
        let value = read(&mut inner)?;
        self.end = self.end.max(self.pos + inner.end);
        self.pos += inner.pos;
        Ok(value)
    }

    /// Bytes that everything read so far reaches to, targets included.
    pub fn used(&self) -> usize {
        self.end
    }

    /// Goes on behind everything that has been used, on the next multiple of 4: where the next of several structures
    /// that are laid end to end starts.
    pub fn skip_used(&mut self) {
        self.pos = self.end.next_multiple_of(4).min(self.buf.len());
    }

    /// Passes up to `count` bytes, fewer when the buffer ends: padding that a device may leave off.
    pub fn skip_padding(&mut self, count: usize) {
        self.pos = self.pos.saturating_add(count).min(self.buf.len());
        self.end = self.end.max(self.pos);
    }

    /// The next bytes without taking them.
    pub fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        self.buf.get(self.pos..)?.first_chunk().copied()
    }
}

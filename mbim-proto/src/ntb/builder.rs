//! Laying out a block.

use alloc::vec;
use alloc::vec::Vec;

use super::{Format, Limits, Stream};

/// Where the first table of a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Placement {
    /// Right behind the block header, with room for as many datagrams as are allowed, as Linux sends it: what functions
    /// were tested with. Tables of further streams stand at the end.
    #[default]
    Front,
    /// Behind the datagrams, as some functions demand (Huawei's among them). [Linux cdc_ncm]
    End,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    stream: Stream,
    at: usize,
    size: usize,
}

/// Makes blocks in one buffer that is used again and again. Nothing is allocated after [`Builder::new`].
///
/// [`start`](Self::start), then [`room`](Self::room) or [`push`](Self::push) for each datagram until there is no room,
/// then [`finish`](Self::finish).
#[derive(Clone, Debug)]
pub struct Builder {
    limits: Limits,
    placement: Placement,
    packet: u16,
    buf: Vec<u8>,
    /// The buffer's part that a block may take.
    capacity: usize,
    entries: Vec<Entry>,
    /// Streams in the order of their first datagram, with the number of their datagrams.
    streams: Vec<(Stream, usize)>,
    /// One past the last byte in use.
    end: usize,
    sequence: u16,
    open: bool,
}

impl Builder {
    /// A builder of blocks within these limits, which are made [sane](Limits::sane) first.
    pub fn new(limits: Limits) -> Self {
        let limits = limits.sane();
        let size = usize::try_from(limits.max_size).unwrap_or(usize::MAX);
        let most = usize::from(limits.max_datagrams);
        Self {
            limits,
            placement: Placement::Front,
            packet: 0,
            buf: vec![0; size],
            capacity: size.min(limits.format.largest()),
            entries: Vec::with_capacity(most),
            streams: Vec::with_capacity(most),
            end: 0,
            sequence: 0,
            open: false,
        }
    }

    /// The same with the first table elsewhere.
    #[must_use]
    pub fn with_placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// The same with blocks below the maximum that never end on a multiple of the endpoint's wMaxPacketSize: a zero byte
    /// is added to those that would, and the transfer needs no zero-length packet.
    #[must_use]
    pub fn with_padding(mut self, packet: u16) -> Self {
        self.packet = packet;
        self
    }

    /// The limits that blocks keep to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Begins a block with this wSequence; one that was not finished is dropped.
    pub fn start(&mut self, sequence: u16) {
        self.entries.clear();
        self.streams.clear();
        self.sequence = sequence;
        self.open = true;
        let header = self.limits.format.header();
        self.end = match self.placement {
            Placement::Front => self.front() + self.limits.format.table(usize::from(self.limits.max_datagrams)),
            Placement::End => header,
        };
        // What an earlier block left here must not go out with this one.
        if let Some(head) = self.buf.get_mut(..self.end) {
            head.fill(0);
        }
    }

    /// Datagrams so far.
    pub fn datagrams(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no datagram yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the block so far, without the tables at its end.
    pub fn size(&self) -> usize {
        self.end
    }

    /// The longest datagram of this stream that there is certainly room for, in bytes; 0 when there is none.
    pub fn fits(&self, stream: Stream) -> usize {
        if !self.open || self.entries.len() >= usize::from(self.limits.max_datagrams) {
            return 0;
        }
        let gaps = self.tail_tables(Some(stream)).count() * (usize::from(self.limits.alignment) - 1);
        let tables: usize = self.tail_tables(Some(stream)).map(|(_, size)| size).sum();
        let most = usize::try_from(self.limits.max_datagram).unwrap_or(usize::MAX);
        self.capacity.saturating_sub(gaps + tables).saturating_sub(self.place()).min(most)
    }

    /// Adds a datagram of `size` bytes and hands out its place, which holds whatever an earlier block left there. The
    /// caller fills all of it, or gives the rest back with [`shrink`](Self::shrink).
    ///
    /// None when the block is full: finish it and start another. When there is none in an empty block, the datagram is
    /// empty or too long and will never fit.
    pub fn room(&mut self, stream: Stream, size: usize) -> Option<&mut [u8]> {
        let most = usize::try_from(self.limits.max_datagram).unwrap_or(usize::MAX);
        let full = self.entries.len() >= usize::from(self.limits.max_datagrams);
        if !self.open || full || size == 0 || size > most {
            return None;
        }
        let at = self.place();
        let end = at.checked_add(size)?;
        if self.with_tail(end, Some(stream)) > self.capacity {
            return None;
        }
        self.buf.get_mut(self.end..at)?.fill(0);
        self.entries.push(Entry { stream, at, size });
        match self.streams.iter_mut().find(|(of, _)| *of == stream) {
            Some((_, count)) => *count += 1,
            None => self.streams.push((stream, 1)),
        }
        self.end = end;
        self.buf.get_mut(at..end)
    }

    /// Makes the last datagram shorter, as after a short read; 0 takes it out again. A longer size changes nothing.
    pub fn shrink(&mut self, size: usize) {
        let Some(last) = self.entries.last_mut().filter(|last| self.open && size < last.size) else { return };
        last.size = size;
        self.end = last.at + size;
        if size > 0 {
            return;
        }
        let stream = last.stream;
        self.entries.pop();
        if let Some((_, count)) = self.streams.iter_mut().find(|(of, _)| *of == stream) {
            *count -= 1;
        }
        // Only the newest stream can have become empty.
        self.streams.retain(|(_, count)| *count > 0);
    }

    /// Adds a copy of a datagram. False when there is no room, as for [`room`](Self::room).
    pub fn push(&mut self, stream: Stream, datagram: &[u8]) -> bool {
        match self.room(stream, datagram.len()) {
            Some(place) => {
                place.copy_from_slice(datagram);
                true
            }
            None => false,
        }
    }

    /// Writes header and tables. The bytes to send, or none when there was no datagram. The next block begins with
    /// [`start`](Self::start).
    pub fn finish(&mut self) -> &[u8] {
        let size = self.close();
        self.buf.get(..size).unwrap_or_default()
    }

    /// As [`finish`](Self::finish), but hands the buffer itself out, cut to the block, and goes on with `next`, which is
    /// resized to fit: the block can be sent without a copy, and the buffer comes back later.
    pub fn finish_into(&mut self, mut next: Vec<u8>) -> Vec<u8> {
        let size = self.close();
        next.resize(self.buf.len(), 0);
        let mut done = core::mem::replace(&mut self.buf, next);
        done.truncate(size);
        done
    }

    /// Bytes and places that are held; they never change.
    #[cfg(test)]
    pub(super) fn reserved(&self) -> (usize, *const u8, usize, usize) {
        (self.buf.capacity(), self.buf.as_ptr(), self.entries.capacity(), self.streams.capacity())
    }

    fn close(&mut self) -> usize {
        if !core::mem::take(&mut self.open) || self.entries.is_empty() {
            return 0;
        }
        let format = self.limits.format;
        let alignment = usize::from(self.limits.alignment);
        // The chain runs in the order of the streams; each table's place is written into the one before it.
        let mut first_table = 0;
        let mut previous = None;
        for n in 0..self.streams.len() {
            let Some((stream, count)) = self.streams.get(n).copied() else { break };
            let at = if n == 0 && self.placement == Placement::Front {
                self.front()
            } else {
                let at = self.end.next_multiple_of(alignment);
                let end = at + format.table(count);
                if let Some(place) = self.buf.get_mut(self.end..end) {
                    place.fill(0);
                }
                self.end = end;
                at
            };
            self.write_table(at, stream, count);
            match previous {
                None => first_table = at,
                Some(previous) => self.link(previous, at),
            }
            previous = Some(at);
        }
        let packet = usize::from(self.packet);
        if packet > 0 && self.end.is_multiple_of(packet) && self.end < self.capacity {
            if let Some(last) = self.buf.get_mut(self.end) {
                *last = 0;
            }
            self.end += 1;
        }
        self.put(0, &format.signature());
        self.put(4, &(format.header() as u16).to_le_bytes());
        self.put(6, &self.sequence.to_le_bytes());
        self.put_number(8, self.end);
        self.put_number(8 + format.entry() / 2, first_table);
        self.end
    }

    fn write_table(&mut self, at: usize, stream: Stream, count: usize) {
        let format = self.limits.format;
        self.put(at, &stream.signature(format));
        self.put(at + 4, &(format.table(count) as u16).to_le_bytes());
        let mut place = at + format.table_header();
        for n in 0..self.entries.len() {
            let Some(entry) = self.entries.get(n).copied().filter(|entry| entry.stream == stream) else { continue };
            self.put_number(place, entry.at);
            self.put_number(place + format.entry() / 2, entry.size);
            place += format.entry();
        }
    }

    /// Names the table behind `at`.
    fn link(&mut self, at: usize, next: usize) {
        let field = match self.limits.format {
            Format::Ntb16 => 6,
            Format::Ntb32 => 8,
        };
        self.put_number(at + field, next);
    }

    /// Where a table at the front begins.
    fn front(&self) -> usize {
        self.limits.format.header().next_multiple_of(usize::from(self.limits.alignment))
    }

    /// Where the next datagram begins.
    fn place(&self) -> usize {
        let [divisor, remainder] = [self.limits.divisor, self.limits.remainder].map(usize::from);
        // The divisor is a power of two.
        self.end + (remainder.wrapping_sub(self.end) & (divisor - 1))
    }

    /// Tables at the end of the block with their sizes, after one more datagram of `adding`.
    fn tail_tables(&self, adding: Option<Stream>) -> impl Iterator<Item = (Stream, usize)> + '_ {
        let format = self.limits.format;
        let new = adding.filter(|stream| !self.streams.iter().any(|(of, _)| of == stream)).map(|stream| (stream, 0));
        let front = usize::from(self.placement == Placement::Front);
        self.streams
            .iter()
            .copied()
            .chain(new)
            .skip(front)
            .map(move |(stream, count)| (stream, format.table(count + usize::from(adding == Some(stream)))))
    }

    /// The block's size with all its tables, when its datagrams end at `end`.
    fn with_tail(&self, end: usize, adding: Option<Stream>) -> usize {
        let alignment = usize::from(self.limits.alignment);
        self.tail_tables(adding).fold(end, |end, (_, size)| end.next_multiple_of(alignment) + size)
    }

    /// A number of the format's width. Every number written is below the capacity, which the format can name.
    fn put_number(&mut self, at: usize, number: usize) {
        match self.limits.format {
            Format::Ntb16 => self.put(at, &(number as u16).to_le_bytes()),
            Format::Ntb32 => self.put(at, &(number as u32).to_le_bytes()),
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.buf.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }
}

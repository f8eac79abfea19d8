//! Reading a block.

use super::{Datagram, Fault, Format, Limits, MOST_TABLES, Stream, index, le16};

/// A received block whose header was checked; its bytes stay where they are.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    behind: &'a [u8],
    format: Format,
    max_datagram: usize,
    sequence: u16,
    first_table: usize,
    cut: bool,
}

impl<'a> Block<'a> {
    /// Reads the header of a transfer. Bytes behind the block's length are padding. [NCM1.0 3.2]
    ///
    /// # Errors
    /// [`Fault::Runt`], [`Fault::BlockSignature`], [`Fault::HeaderLength`] and [`Fault::BlockLength`]: nothing of the
    /// transfer can be used.
    pub fn parse(transfer: &'a [u8], limits: &Limits) -> Result<Self, Fault> {
        let format = limits.format;
        let header = transfer.get(..format.header()).ok_or(Fault::Runt)?;
        if !header.starts_with(&format.signature()) {
            return Err(Fault::BlockSignature);
        }
        // The header is whole: none of these can be missing.
        let header_length = le16(header, 4).unwrap_or(0);
        let sequence = le16(header, 6).unwrap_or(0);
        let length = index(format, header, 8).unwrap_or(0);
        let first_table = index(format, header, 8 + format.entry() / 2).unwrap_or(0);
        if usize::from(header_length) != format.header() {
            return Err(Fault::HeaderLength);
        }
        // Only the narrow format may leave its length open: the short packet ends it then.
        let length = if length == 0 && format == Format::Ntb16 { transfer.len() } else { length };
        let max_size = usize::try_from(limits.max_size).unwrap_or(usize::MAX);
        if length < format.header() || length > max_size {
            return Err(Fault::BlockLength);
        }
        Ok(Self {
            bytes: transfer.get(..length).unwrap_or(transfer),
            behind: transfer.get(length..).unwrap_or_default(),
            format,
            max_datagram: usize::try_from(limits.max_datagram).unwrap_or(usize::MAX),
            sequence,
            first_table,
            cut: transfer.len() < length,
        })
    }

    /// wSequence, for [`SequenceCheck`](super::SequenceCheck).
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// Bytes of the block without padding behind it.
    #[allow(clippy::len_without_is_empty, reason = "never shorter than its header")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What stands behind the block and begins like another one. It happens where a sender leaves out a zero-length packet:
    /// the receiver's transfer goes on then. None when there is padding or nothing.
    pub fn behind(&self) -> Option<&'a [u8]> {
        Some(self.behind).filter(|behind| behind.starts_with(&self.format.signature()))
    }

    /// The datagrams in the order of the tables, and each fault where it shows. Whatever the bytes say, the datagrams
    /// together have at most as many bytes as the block, and the items are bounded by what it could hold.
    pub fn datagrams(&self) -> Datagrams<'a> {
        Datagrams {
            block: *self,
            bytes_left: self.bytes.len(),
            entries_left: self.bytes.len() / self.format.entry(),
            next_table: self.first_table,
            seen: [0; MOST_TABLES],
            tables: 0,
            table: None,
        }
    }
}

/// The table that is being read.
#[derive(Clone, Copy, Debug)]
struct Table {
    stream: Stream,
    at: usize,
    end: usize,
    first: bool,
}

/// The datagrams of a block. Made by [`Block::datagrams`].
#[derive(Clone, Debug)]
pub struct Datagrams<'a> {
    block: Block<'a>,
    /// Bytes that may still be delivered: overlapping datagrams must not multiply the block.
    bytes_left: usize,
    /// Entries that may still be looked at: overlapping tables must not multiply the work.
    entries_left: usize,
    next_table: usize,
    seen: [usize; MOST_TABLES],
    tables: usize,
    table: Option<Table>,
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = Result<Datagram<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if core::mem::take(&mut self.block.cut) {
            return Some(Err(Fault::BlockCut));
        }
        loop {
            let item = match self.table.take() {
                Some(table) => self.entry(table),
                None if self.next_table == 0 => return None,
                None => self.open_table().err().map(Err),
            };
            if item.is_some() {
                return item;
            }
        }
    }
}

impl<'a> Datagrams<'a> {
    /// Opens the next table of the chain and notes the one behind it. After a fault that leaves the chain in doubt there
    /// is none behind it.
    fn open_table(&mut self) -> Result<(), Fault> {
        let Block { bytes, format, .. } = self.block;
        let at = core::mem::take(&mut self.next_table);
        if at < format.header() {
            return Err(Fault::TableInHeader);
        }
        let head = bytes.get(at..).and_then(|rest| rest.get(..format.table_header())).ok_or(Fault::TableOutside)?;
        if self.seen.iter().take(self.tables).any(|seen| *seen == at) {
            return Err(Fault::TableRepeated);
        }
        *self.seen.get_mut(self.tables).ok_or(Fault::TooManyTables)? = at;
        self.tables += 1;
        let next_at = match format {
            Format::Ntb16 => 6,
            Format::Ntb32 => 8,
        };
        self.next_table = index(format, head, next_at).unwrap_or(0);
        let signature = head.first_chunk().copied().unwrap_or_default();
        let stream = Stream::from_signature(format, signature).ok_or(Fault::TableSignature)?;
        let length = usize::from(le16(head, 4).unwrap_or(0));
        if length < format.table(1) {
            return Err(Fault::TableLength);
        }
        if length > bytes.len() - at {
            return Err(Fault::TableOutside);
        }
        self.table = Some(Table { stream, at: at + format.table_header(), end: at + length, first: true });
        Ok(())
    }

    /// Takes the next entry of a table; nothing when there is none left.
    fn entry(&mut self, table: Table) -> Option<<Self as Iterator>::Item> {
        let Block { bytes, format, max_datagram, .. } = self.block;
        let Table { stream, at, end, first } = table;
        let each = format.entry();
        let Some(entry) = bytes.get(at..end).and_then(|rest| rest.get(..each)) else {
            return Some(Err(Fault::Unterminated));
        };
        let start = index(format, entry, 0).unwrap_or(0);
        let size = index(format, entry, each / 2).unwrap_or(0);
        if start == 0 || size == 0 {
            return None;
        }
        let Some(entries_left) = self.entries_left.checked_sub(1) else {
            self.next_table = 0;
            return Some(Err(Fault::TooManyEntries));
        };
        self.entries_left = entries_left;
        let payload = bytes.get(start..).and_then(|rest| rest.get(..size));
        // A table that begins with a datagram outside of the block is taken for garbage altogether.
        if payload.is_some() || !first {
            self.table = Some(Table { at: at + each, first: false, ..table });
        }
        let Some(payload) = payload else { return Some(Err(Fault::DatagramOutside)) };
        if start < format.header() {
            return Some(Err(Fault::DatagramInHeader));
        }
        if size > max_datagram {
            return Some(Err(Fault::DatagramTooLong));
        }
        let Some(bytes_left) = self.bytes_left.checked_sub(size) else {
            self.table = None;
            self.next_table = 0;
            return Some(Err(Fault::Amplified));
        };
        self.bytes_left = bytes_left;
        if matches!(stream, Stream::Ip(_)) && !is_ip(payload) {
            return Some(Err(Fault::NotIp));
        }
        Some(Ok(Datagram { stream, payload }))
    }
}

/// Whether the bytes can be an IPv4 or IPv6 packet: the version, and room for the header.
fn is_ip(payload: &[u8]) -> bool {
    match payload.first().map(|byte| byte >> 4) {
        Some(4) => payload.len() >= 20,
        Some(6) => payload.len() >= 40,
        _ => false,
    }
}

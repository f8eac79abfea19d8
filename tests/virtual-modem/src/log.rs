//! Every message both ways, as values for assertions.
//!
//! An entry holds names and numbers, never a buffer: no identity can leak through it.

use core::fmt;
use core::time::Duration;
use mbim_proto::Uuid;
use std::collections::VecDeque;

/// Entries kept; older ones are dropped, the counters go on.
const KEPT: usize = 16_384;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The host.
    FromHost,
    /// The modem.
    ToHost,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it arrived or left.
    pub at: Duration,
    /// Who sent it.
    pub direction: Direction,
    /// Its type on the wire; see [`kind`](crate::kind).
    pub kind: u32,
    /// Its transaction; 0 for an indication.
    pub transaction: u32,
    /// Service and CID where it has them.
    pub subject: Option<(Uuid, u32)>,
    /// The subject in words, such as `basic-connect.connect`; empty where there is none.
    pub name: String,
    /// 0 query, 1 set, for a command.
    pub operation: Option<u32>,
    /// Status, or the code of an error message.
    pub status: Option<u32>,
    /// Frames that it took.
    pub fragments: u32,
    /// Bytes of its buffer.
    pub length: usize,
    /// The fault that struck it.
    pub fault: Option<&'static str>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.direction {
            Direction::FromHost => "→",
            Direction::ToHost => "←",
        };
        write!(
            f,
            "{:>10.3} ms {arrow} {} #{}",
            self.at.as_secs_f64() * 1e3,
            crate::kind::name(self.kind),
            self.transaction
        )?;
        match self.operation {
            Some(0) => write!(f, " query {}", self.name)?,
            Some(1) => write!(f, " set {}", self.name)?,
            Some(other) => write!(f, " operation {other} {}", self.name)?,
            None if self.name.is_empty() => {}
            None => write!(f, " {}", self.name)?,
        }
        if let Some(status) = self.status {
            write!(f, " status {status}")?;
        }
        if self.fragments > 1 {
            write!(f, " in {} fragments", self.fragments)?;
        }
        if let Some(fault) = self.fault {
            write!(f, " [{fault}]")?;
        }
        Ok(())
    }
}

/// The log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    from_host: u64,
    to_host: u64,
}

impl Log {
    pub(crate) fn push(&mut self, entry: Entry) {
        match entry.direction {
            Direction::FromHost => self.from_host += 1,
            Direction::ToHost => self.to_host += 1,
        }
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The messages, oldest first; the last 16,384 of them.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many messages satisfy a condition.
    pub fn count(&self, condition: impl Fn(&Entry) -> bool) -> usize {
        self.entries.iter().filter(|entry| condition(entry)).count()
    }

    /// Messages of the host since the beginning.
    #[must_use]
    pub const fn from_host(&self) -> u64 {
        self.from_host
    }

    /// Messages of the modem since the beginning, those lost by a fault included.
    #[must_use]
    pub const fn to_host(&self) -> u64 {
        self.to_host
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

//! How much passed: counters of an interface become what a subscriber has used. `[OPER 6]`
//!
//! The kernel counts per interface and forgets with it; a subscriber's plan goes on over reconnects, unplugs, reboots and
//! other modems. A [`Ledger`] is what is kept for one SIM: sums, days, and for each session that is up the [`Mark`] up to which
//! its interface was counted. Sums and marks change together and are stored together, so that a crash at any moment counts
//! nothing twice and loses nothing that the interface still knows.

use serde::{Deserialize, Serialize};

/// Rows of days that are kept: two months, at home and abroad.
pub const MOST_DAYS: usize = 124;

/// From here on an old value of 32 bits has wrapped where the new one is below [`LOW`].
const HIGH: u64 = WIDTH / 4 * 3;
/// See [`HIGH`].
const LOW: u64 = WIDTH / 4;
/// What a counter of 32 bits holds.
const WIDTH: u64 = 1 << 32;

/// Octets in a second that no modem exceeds, where the network says less or nothing: 1 Gbit/s.
const FAST: u64 = 125_000_000;

/// Octets and packets, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Counters {
    /// Octets received.
    pub rx_octets: u64,
    /// Octets sent.
    pub tx_octets: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

impl Counters {
    /// Octets of both ways.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.rx_octets.saturating_add(self.tx_octets)
    }

    /// Whether nothing at all passed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what passed.
    pub fn add(&mut self, more: &Self) {
        *self = self.with(more, u64::saturating_add);
    }

    /// What passed since an earlier value of the same count.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, u64::saturating_sub)
    }

    fn with(&self, other: &Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            rx_octets: each(self.rx_octets, other.rx_octets),
            tx_octets: each(self.tx_octets, other.tx_octets),
            rx_packets: each(self.rx_packets, other.rx_packets),
            tx_packets: each(self.tx_packets, other.tx_packets),
        }
    }
}

/// What an interface counts, as the shell read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// MBIM session that it carries.
    pub session: u32,
    /// Which interface, as long as the machine runs: its number in the kernel, used once.
    pub index: u32,
    /// Its counters since it was made.
    pub counters: Counters,
    /// They have 32 bits, and begin anew when those are full.
    pub narrow: bool,
}

/// When counters were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Which run of the machine; another one after a reboot.
    pub boot: u64,
    /// Seconds since the machine started, sleep included.
    pub uptime: u64,
    /// Seconds since 1970; `None` = the clock is not to be believed.
    pub wall: Option<u64>,
}

/// Up to where the interface of a session was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Mark {
    session: u32,
    boot: u64,
    index: u32,
    uptime: u64,
    counters: Counters,
}

/// What passed on one day, at home or abroad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Day {
    /// Days since 1 January 1970, UTC; 0 = when it was is not known.
    pub day: u32,
    /// It was used abroad.
    pub roaming: bool,
    /// How much.
    pub used: Counters,
}

/// What one subscriber has used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Ledger {
    /// Seconds since 1970 when counting began; 0 = not known, no clock was to be believed then.
    pub since: u64,
    /// Used at home, all sessions.
    pub home: Counters,
    /// Used abroad, all sessions.
    pub roaming: Counters,
    /// Octets of the connectivity tests; they are in the sums.
    pub tests: u64,
    /// By day, oldest first, at most [`MOST_DAYS`].
    pub days: Vec<Day>,
    /// Sessions whose interface is being counted.
    pub marks: Vec<Mark>,
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The interface is a new one, or new to this subscriber: it is counted from here on.
    Began,
    /// So much passed since the last reading.
    Passed(Counters),
    /// More than can have passed in the time: not counted.
    Absurd(Counters),
}

impl Ledger {
    /// Takes the reading of a session that is up. `fresh`: an interface that is seen for the first time carried nothing of
    /// another session before, as it was made for this one; else it is counted from now on. `rate`: bits a second that the
    /// link can do, 0 = not known.
    pub fn count(&mut self, reading: &Reading, at: &Moment, roaming: bool, fresh: bool, rate: u64) -> Counted {
        let Some(mark) = self.marks.iter_mut().find(|mark| mark.session == reading.session) else {
            self.begin(reading, at);
            return if fresh { self.book(reading.counters, at, roaming) } else { Counted::Began };
        };
        if (mark.boot, mark.index) != (at.boot, reading.index) {
            // Unplugged or rebooted: what the old interface counted after the last reading is gone with it.
            self.marks.retain(|mark| mark.session != reading.session);
            self.begin(reading, at);
            return if fresh { self.book(reading.counters, at, roaming) } else { Counted::Began };
        }
        let passed = reading.counters.with(&mark.counters, |new, old| growth(old, new, reading.narrow));
        let seconds = at.uptime.saturating_sub(mark.uptime);
        (mark.uptime, mark.counters) = (at.uptime, reading.counters);
        // Half as much again as the link can do; a second more for what the clocks round.
        let fastest = (rate / 8).max(FAST);
        let most = fastest.saturating_mul(seconds.saturating_add(1)).saturating_mul(3) / 2;
        if passed.rx_octets > most || passed.tx_octets > most {
            return Counted::Absurd(passed);
        }
        self.book(passed, at, roaming)
    }

    /// The session ended: what its interface counts from now on is not this subscriber's.
    pub fn end(&mut self, session: u32) {
        self.marks.retain(|mark| mark.session != session);
    }

    /// Octets of connectivity tests.
    pub fn tested(&mut self, octets: u64) {
        self.tests = self.tests.saturating_add(octets);
    }

    /// All of it, at home and abroad.
    #[must_use]
    pub fn total(&self) -> Counters {
        let mut total = self.home;
        total.add(&self.roaming);
        total
    }

    /// An empty ledger that goes on from here.
    #[must_use]
    pub fn cleared(&self, since: u64) -> Self {
        Self { since, marks: self.marks.clone(), ..Self::default() }
    }

    fn begin(&mut self, reading: &Reading, at: &Moment) {
        let Reading { session, index, counters, .. } = *reading;
        self.marks.push(Mark { session, boot: at.boot, index, uptime: at.uptime, counters });
        if self.since == 0 && self.total().is_empty() {
            self.since = at.wall.unwrap_or(0);
        }
    }

    fn book(&mut self, passed: Counters, at: &Moment, roaming: bool) -> Counted {
        if passed.is_empty() {
            return Counted::Passed(passed);
        }
        let sum = if roaming { &mut self.roaming } else { &mut self.home };
        sum.add(&passed);
        let day = at.wall.and_then(|wall| u32::try_from(wall / 86_400).ok()).unwrap_or(0);
        let place = self.days.binary_search_by_key(&(day, roaming), |row| (row.day, row.roaming));
        match place {
            Ok(place) => {
                if let Some(row) = self.days.get_mut(place) {
                    row.used.add(&passed);
                }
            }
            Err(place) => self.days.insert(place, Day { day, roaming, used: passed }),
        }
        let over = self.days.len().saturating_sub(MOST_DAYS);
        self.days.drain(..over);
        Counted::Passed(passed)
    }
}

/// What a counter grew by. One that became smaller began at 0 again with its device, or wrapped, which those of 64 bits never
/// do: to take a device that began anew for one that wrapped would count what never passed.
fn growth(old: u64, new: u64, narrow: bool) -> u64 {
    match new.checked_sub(old) {
        Some(grown) => grown,
        None if narrow && (HIGH..WIDTH).contains(&old) && new < LOW => WIDTH - old + new,
        None => new,
    }
}

#[cfg(test)]
mod tests;

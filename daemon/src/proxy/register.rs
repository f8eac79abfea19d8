//! Who uses the proxy and what was refused: counters that are read when somebody asks, and the octets that all clients together
//! may make the daemon keep.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use daemon_core::proxy::{Access, GuestId};

/// Octets that all clients together may make the daemon keep: messages that are not whole, commands under way, answers that
/// are not read. The unit's limit is 64 MiB for everything.
pub(super) const ALL: usize = 8 << 20;
/// Octets that each may in any case, so that nobody is kept out by others: an ordinary client never has more.
pub(super) const OWN: usize = 64 << 10;
/// No modem.
const NONE: u32 = u32::MAX;

/// Why somebody was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It may not use the proxy.
    NotAllowed,
    /// As many as are served are there.
    TooMany,
    /// What it sent are no messages.
    NoMessages,
    /// It did not read its answers.
    NotReading,
    /// All clients together made the daemon keep too much, and it the more than its own part.
    NoRoom,
}

impl Why {
    /// All, in the order of their counters.
    const ALL: [Self; 5] = [Self::NotAllowed, Self::TooMany, Self::NoMessages, Self::NotReading, Self::NoRoom];

    /// As it stands on the bus.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "not-allowed",
            Self::TooMany => "too-many",
            Self::NoMessages => "no-messages",
            Self::NotReading => "not-reading",
            Self::NoRoom => "no-room",
        }
    }
}

/// All clients, and who was turned away. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Register(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    clients: Mutex<Vec<Weak<Card>>>,
    away: [AtomicU64; 5],
    octets: AtomicUsize,
}

/// One client, for as long as it is connected.
#[derive(Debug)]
pub(crate) struct Card {
    register: Register,
    /// Its number, never used twice.
    pub(crate) id: GuestId,
    /// Its process; 0 where the kernel does not say.
    pub(crate) pid: i32,
    /// Whose process.
    pub(crate) uid: u32,
    /// Its name.
    pub(crate) program: String,
    /// What it may do.
    pub(crate) access: Access,
    modem: AtomicU32,
    commands: AtomicU64,
    refused: AtomicU64,
    octets: AtomicUsize,
}

impl Register {
    /// Somebody is let in.
    pub(super) fn enter(&self, id: GuestId, pid: i32, uid: u32, program: String, access: Access) -> Arc<Card> {
        let card = Arc::new(Card {
            register: self.clone(),
            id,
            pid,
            uid,
            program,
            access,
            modem: AtomicU32::new(NONE),
            commands: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            octets: AtomicUsize::new(0),
        });
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| client.strong_count() > 0);
        clients.push(Arc::downgrade(&card));
        card
    }

    /// Somebody is turned away.
    pub(super) fn turn_away(&self, why: Why) {
        if let Some(count) = Why::ALL.iter().position(|one| *one == why).and_then(|at| self.0.away.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Who is connected.
    pub(crate) fn clients(&self) -> Vec<Arc<Card>> {
        let clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().filter_map(Weak::upgrade).collect()
    }

    /// How many were turned away for what.
    pub(crate) fn turned_away(&self) -> Vec<(Why, u64)> {
        Why::ALL.into_iter().zip(self.0.away.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }

    /// Octets that all clients make the daemon keep.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.0.octets.load(Ordering::Relaxed)
    }
}

impl Card {
    /// It has its modem.
    pub(super) fn joined(&self, modem: u32) {
        self.modem.store(modem, Ordering::Relaxed);
    }

    /// Commands that it gave, and those that were refused here.
    pub(super) fn counted(&self, commands: u64, refused: u64) {
        self.commands.store(commands, Ordering::Relaxed);
        self.refused.store(refused, Ordering::Relaxed);
    }

    /// How much the daemon keeps for it now; whether there is room for more.
    pub(super) fn keeps(&self, octets: usize) -> bool {
        let before = self.octets.swap(octets, Ordering::Relaxed);
        let all = &self.register.0.octets;
        let now = if octets >= before {
            all.fetch_add(octets - before, Ordering::Relaxed) + (octets - before)
        } else {
            all.fetch_sub(before - octets, Ordering::Relaxed) - (before - octets)
        };
        now <= ALL || octets <= OWN
    }

    /// The modem that it uses.
    pub(crate) fn modem(&self) -> Option<u32> {
        Some(self.modem.load(Ordering::Relaxed)).filter(|modem| *modem != NONE)
    }

    /// Commands that it gave, those that were refused here, and the octets that are kept for it.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let octets = u64::try_from(self.octets.load(Ordering::Relaxed)).unwrap_or(u64::MAX);
        (self.commands.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed), octets)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.keeps(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_keep_is_bounded_and_each_has_its_own_part() {
        let register = Register::default();
        let enter = |id| register.enter(GuestId(id), 1, 0, "test".into(), Access::Full);
        let (greedy, modest) = (enter(0), enter(1));
        assert!(greedy.keeps(ALL) && modest.keeps(OWN), "each has its own part");
        assert!(!greedy.keeps(ALL) && !modest.keeps(OWN + 1));
        assert!(greedy.keeps(ALL - OWN - 1) && modest.keeps(OWN + 1));
        assert_eq!(register.octets(), ALL);
        drop(greedy);
        assert_eq!((register.octets(), register.clients().len()), (OWN + 1, 1));
        drop(modest);
        assert_eq!((register.octets(), register.clients().len()), (0, 0));
    }
}

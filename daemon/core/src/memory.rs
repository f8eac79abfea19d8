//! What was found out about a subscriber's network and need not be found out again after a restart: who was refused, how long
//! to wait, what tests have cost today. All times are what is left of them, so that no clock but the one that measured how
//! much has passed meanwhile is needed. `[OPER 3.7, 4.6]`

use core::time::Duration;
use std::collections::BTreeMap;

use daemon_operator::next;
use serde::{Deserialize, Serialize};

/// Most candidates that are remembered as refused; those that stand back longest.
pub const REFUSED: usize = 64;
/// Most octets of a candidate's key.
pub const KEY: usize = 512;
/// The longest wait, seconds. `[OPER 3.7]`
const LONGEST_WAIT: u32 = 3600;
/// A wait of so many seconds is worth a write of its own.
const WORTH: u32 = 60;
/// Seconds of a day.
const DAY: u32 = 24 * 3600;

/// What is remembered, as the store writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Memory {
    /// Candidates that the network refused, by [`Candidate::key`](daemon_operator::Candidate::key), and the seconds for
    /// which they still stand back.
    pub refused: BTreeMap<String, u32>,
    /// Rounds in a row in which every candidate failed.
    pub failed_rounds: u32,
    /// Waits in a row for a network that is congested.
    pub congested: u32,
    /// Seconds until the next round; 0 = none is waited for.
    pub wait: u32,
    /// Octets that tests have cost in the running day.
    pub probe_octets: u64,
    /// Seconds until that day ends.
    pub probe_day: u32,
}

impl Memory {
    /// What is left of it when so much time has passed; `None` = nobody knows how much: nothing is. `restarted`: another run
    /// of the daemon wrote it; in the same run the modem was plugged in again, and whoever did that waits for nothing.
    #[must_use]
    pub fn aged(mut self, passed: Option<Duration>, restarted: bool) -> Self {
        let Some(passed) = passed.map(|passed| u32::try_from(passed.as_secs()).unwrap_or(u32::MAX)) else {
            return Self::default();
        };
        // What a file says is not to be believed beyond what is ever written.
        let left = |left: u32, most: u32| left.min(most).saturating_sub(passed);
        let bad_for = u32::try_from(next::BAD_FOR.as_secs()).unwrap_or(u32::MAX);
        self.refused = core::mem::take(&mut self.refused)
            .into_iter()
            .filter(|(key, _)| key.len() <= KEY)
            .map(|(key, seconds)| (key, left(seconds, bad_for)))
            .filter(|(_, seconds)| *seconds > 0)
            .take(REFUSED)
            .collect();
        self.wait = if restarted { left(self.wait, LONGEST_WAIT) } else { 0 };
        if self.wait == 0 {
            (self.failed_rounds, self.congested) = (0, 0);
        }
        self.probe_day = left(self.probe_day, DAY);
        if self.probe_day == 0 {
            self.probe_octets = 0;
        }
        self
    }

    /// Another list of candidates: what was found out about the old one no longer counts.
    pub(crate) fn forget_candidates(&mut self) {
        *self = Self { probe_octets: self.probe_octets, probe_day: self.probe_day, ..Self::default() };
    }

    /// Whether writing the other in its place would be of any use. `step`: octets of tests that are worth a write.
    #[must_use]
    pub(crate) fn differs(&self, other: &Self, step: u64) -> bool {
        let who = |memory: &Self| memory.refused.keys().cloned().collect::<Vec<_>>();
        let waits = |memory: &Self| (memory.wait > 0, memory.failed_rounds, memory.congested);
        let spent = other.probe_octets.saturating_sub(self.probe_octets) >= step.max(1);
        // A new day is seen by what it has cost.
        let new_day = other.probe_octets > 0 && other.probe_octets < self.probe_octets;
        // A wait that began anew; short ones are not worth it.
        let anew = other.wait >= WORTH && other.wait >= self.wait;
        who(self) != who(other) || anew || waits(self) != waits(other) || spent || new_day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Memory {
        Memory {
            refused: [("a/".to_owned(), 86_400), ("b/".to_owned(), 100)].into(),
            failed_rounds: 2,
            congested: 1,
            wait: 900,
            probe_octets: 5000,
            probe_day: 600,
        }
    }

    #[test]
    fn time_passes_for_all_of_it() {
        let aged = |seconds| full().aged(Some(Duration::from_secs(seconds)), true);
        assert_eq!(aged(0), full());
        let later = aged(100);
        assert_eq!(later.refused.into_iter().collect::<Vec<_>>(), [("a/".to_owned(), 86_300)]);
        assert_eq!((later.wait, later.failed_rounds, later.probe_octets, later.probe_day), (800, 2, 5000, 500));
        let day_over = aged(600);
        assert_eq!((day_over.wait, day_over.probe_octets), (300, 0));
        assert_eq!((aged(900).wait, aged(900).failed_rounds, aged(900).congested), (0, 0, 0));
        assert_eq!(aged(u64::MAX), Memory::default());
    }

    #[test]
    fn nobody_waits_for_ever_because_of_a_clock_or_a_file() {
        assert_eq!(full().aged(None, true), Memory::default(), "a clock that went back tells nothing");
        let file = Memory {
            refused: (0..200).map(|n| (format!("{n}/"), u32::MAX)).chain([("k".repeat(600), 9)]).collect(),
            wait: u32::MAX,
            probe_day: u32::MAX,
            probe_octets: u64::MAX,
            ..Memory::default()
        };
        let read = file.aged(Some(Duration::ZERO), true);
        assert_eq!((read.refused.len(), read.wait, read.probe_day), (REFUSED, 3600, 86_400));
        assert!(read.refused.iter().all(|(key, left)| key.len() < 9 && *left == 86_400));
    }

    #[test]
    fn whoever_plugs_it_in_again_waits_for_nothing() {
        let again = full().aged(Some(Duration::ZERO), false);
        assert_eq!((again.wait, again.failed_rounds, again.congested), (0, 0, 0));
        assert_eq!((again.refused.len(), again.probe_octets), (2, 5000));
    }

    #[test]
    fn a_file_is_written_when_it_says_something_new() {
        let later =
            Memory { wait: 3, probe_day: 5, refused: [("a/".to_owned(), 9), ("b/".to_owned(), 9)].into(), ..full() };
        assert!(!full().differs(&later, 1000), "time alone is no news");
        for other in [
            Memory { refused: [("a/".to_owned(), 86_400)].into(), ..full() },
            Memory { wait: 0, ..full() },
            Memory { wait: 900, ..full() },
            Memory { failed_rounds: 3, ..full() },
            Memory { probe_octets: 6000, ..full() },
            Memory { probe_octets: 10, ..full() },
        ] {
            assert!(full().differs(&other, 1000), "{other:?}");
        }
        let spent = |probe_octets| Memory { wait: 800, probe_octets, ..full() };
        assert!(!full().differs(&spent(5999), 1000));
        assert!(!full().differs(&spent(0), 1000), "a day ends by itself");
    }
}

//! When to probe again. `[OPER 4.6]`

use core::time::Duration;

use crate::Time;
use crate::modem::tables::Reach;

/// A spread that the caller's seed decides, so that many machines do not probe at the same moment and every run of a
/// test is the same. SplitMix64.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The duration ±20 %.
    pub fn spread(&mut self, of: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // 800…1199 thousandths.
        let thousandths = u32::try_from(800 + mixed % 400).unwrap_or(1000);
        of.saturating_mul(thousandths) / 1000
    }
}

/// What the schedule depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The present state.
    pub reach: Reach,
    /// Since when.
    pub since: Time,
    /// Probes that ended since then.
    pub probes: u32,
    /// The hand-over URL was asked for at this time, and the portal still stands.
    pub hand_over: Option<Time>,
    /// The link is metered: full needs no proof.
    pub metered: bool,
}

/// The pause before the next probe, without jitter; `None` = no timer.
///
/// ```text
/// unknown              at once; after a probe that could not be run: as limited
/// limited              1, 2, 4 … 128, 300 s, then each 300 s for 1 h, then 1800 s
/// portal, hand-over    5 s for 2 min, 15 s to 10 min, then 60 s
/// portal, idle         60 s for 10 min, then 300 s, then 1800 s after 2 h
/// full                 never on a metered link, else 3600 s
/// doubted              2 s: the second opinion
/// ```
#[must_use]
pub fn pause(now: Time, situation: &Situation) -> Option<Duration> {
    let age = now.saturating_sub(situation.since);
    let seconds = match situation.reach {
        Reach::None => return None,
        Reach::Unknown if situation.probes == 0 => 0,
        Reach::Unknown | Reach::Limited => limited(age, situation.probes),
        Reach::Portal => match situation.hand_over {
            Some(start) => hand_over(now.saturating_sub(start)),
            None => idle_portal(age),
        },
        Reach::Full if situation.metered => return None,
        Reach::Full => 3600,
        Reach::Doubted => 2,
    };
    Some(Duration::from_secs(seconds))
}

fn limited(age: Duration, probes: u32) -> u64 {
    match probes {
        0 | 1 => 1,
        2..=8 => 1 << (probes - 1),
        // The doubling took about nine minutes; the hour counts from there.
        _ if age < Duration::from_secs(3600 + 555) => 300,
        _ => 1800,
    }
}

fn hand_over(age: Duration) -> u64 {
    match age.as_secs() {
        0..120 => 5,
        120..600 => 15,
        _ => 60,
    }
}

fn idle_portal(age: Duration) -> u64 {
    match age.as_secs() {
        0..600 => 60,
        600..7200 => 300,
        _ => 1800,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the schedule on a virtual clock and tells the pauses, in seconds.
    fn pauses(reach: Reach, hand_over: Option<Time>, metered: bool, count: usize) -> Vec<u64> {
        let mut now = Duration::from_secs(1000);
        let mut situation = Situation { reach, since: now, probes: 0, hand_over, metered };
        let mut all = Vec::new();
        for _ in 0..count {
            situation.probes += 1;
            let Some(pause) = pause(now, &situation) else { break };
            all.push(pause.as_secs());
            now += pause;
        }
        all
    }

    #[test]
    fn limited_doubles_then_settles() {
        let all = pauses(Reach::Limited, None, true, 24);
        assert_eq!(all[..12], [1, 2, 4, 8, 16, 32, 64, 128, 300, 300, 300, 300]);
        assert_eq!(all.iter().filter(|s| **s == 300).count(), 13, "the first, then an hour of them: {all:?}");
        assert_eq!(all.last(), Some(&1800));
    }

    #[test]
    fn portal_waits_for_the_person_then_slows_down() {
        let start = Some(Duration::from_secs(1000));
        let all = pauses(Reach::Portal, start, true, 60);
        assert_eq!((all[0], all[23], all[24], all[55], all[56]), (5, 5, 15, 15, 60));
        let all = pauses(Reach::Portal, None, true, 40);
        assert_eq!((all[0], all[9], all[10], all[31], all[32]), (60, 60, 300, 300, 1800));
    }

    #[test]
    fn full_costs_nothing_on_a_metered_link() {
        assert_eq!(pauses(Reach::Full, None, true, 3), []);
        assert_eq!(pauses(Reach::Full, None, false, 2), [3600, 3600]);
        assert_eq!(pauses(Reach::None, None, false, 2), []);
        assert_eq!(pauses(Reach::Doubted, None, true, 1), [2]);
        let fresh =
            Situation { reach: Reach::Unknown, since: Duration::ZERO, probes: 0, hand_over: None, metered: true };
        assert_eq!(pause(Duration::ZERO, &fresh), Some(Duration::ZERO));
    }

    #[test]
    fn jitter_stays_within_a_fifth_and_repeats() {
        let of = Duration::from_secs(100);
        let run = |seed| {
            let mut jitter = Jitter::new(seed);
            (0..1000).map(|_| jitter.spread(of)).collect::<Vec<_>>()
        };
        let all = run(7);
        assert!(all.iter().all(|d| (80..=120).contains(&d.as_secs())));
        assert!(all.iter().any(|d| d.as_secs() < 90) && all.iter().any(|d| d.as_secs() > 110));
        assert_eq!(all, run(7));
        assert_ne!(all, run(8));
    }
}

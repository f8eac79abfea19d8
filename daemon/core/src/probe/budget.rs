//! What probes may cost in a day. `[OPER 4.6]`

use core::time::Duration;

use crate::Time;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Octets that probes of one SIM have cost in the running day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    day: Option<Time>,
    spent: u64,
}

impl Budget {
    /// Counts what a probe cost.
    pub fn spend(&mut self, now: Time, octets: u64) {
        self.roll(now);
        self.day.get_or_insert(now);
        self.spent = self.spent.saturating_add(octets);
    }

    /// Octets spent in the running day.
    pub fn spent(&mut self, now: Time) -> u64 {
        self.roll(now);
        self.spent
    }

    /// Whether a probe that nobody asked for may run.
    pub fn allows(&mut self, now: Time, limit: u64) -> bool {
        self.spent(now) < limit
    }

    /// When a new day begins; `None` when nothing was spent.
    #[must_use]
    pub fn next_day(&self) -> Option<Time> {
        self.day.map(|start| start + DAY)
    }

    fn roll(&mut self, now: Time) {
        if self.day.is_some_and(|start| now.saturating_sub(start) >= DAY) {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_after_the_first_octet_everything_is_allowed_again() {
        let mut budget = Budget::default();
        let start = Duration::from_secs(50);
        assert!(budget.allows(start, 100));
        budget.spend(start, 99);
        assert!(budget.allows(start, 100));
        budget.spend(start + DAY / 2, 1);
        assert!(!budget.allows(start + DAY / 2, 100));
        assert_eq!(budget.next_day(), Some(start + DAY));
        assert!(budget.allows(start + DAY, 100));
        assert_eq!(budget.spent(start + DAY), 0);
        assert!(!budget.allows(start, 0), "no budget, no probe");
    }
}

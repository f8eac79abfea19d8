//! What probes may cost in a day. `[OPER 4.6]`

use core::time::Duration;

use crate::Time;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Octets that probes of one SIM have cost in the running day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// When the running day ends.
    end: Option<Time>,
    spent: u64,
}

impl Budget {
    /// What was spent in a day that ends then.
    #[must_use]
    pub fn recalled(spent: u64, end: Time) -> Self {
        Self { end: (spent > 0).then_some(end), spent }
    }

    /// Octets spent in the running day, and what is left of the day.
    #[must_use]
    pub fn left(mut self, now: Time) -> (u64, Duration) {
        self.roll(now);
        (self.spent, self.end.map_or(Duration::ZERO, |end| end.saturating_sub(now)))
    }

    /// Counts what a probe cost.
    pub fn spend(&mut self, now: Time, octets: u64) {
        self.roll(now);
        self.end.get_or_insert(now + DAY);
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
        self.end
    }

    fn roll(&mut self, now: Time) {
        if self.end.is_some_and(|end| now >= end) {
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

//! The customer's data plan: what the operator's document says of it, and what was used of it since. `[OPER 6]`, `[PROV 12.11]`
//!
//! The operator's figure is right for its moment; what this machine counts since then is added to it. Both are an estimate, as
//! other machines with the same plan are not seen.

use serde::{Deserialize, Serialize};

use crate::usage::Ledger;

/// Part of the limit after which a notice is due: a twentieth. `[PROV 12.11]`
const STEPS: u64 = 20;
/// Octets between two notices where there is no limit, and abroad. `[PROV 12.11]`
const UNLIMITED: u64 = 100_000_000;
const ABROAD: u64 = 5_000_000;
/// Part of the limit from which on it is near, percent.
const NEAR: u64 = 80;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// How traffic is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charge {
    /// It costs nothing more.
    Unrestricted,
    /// It counts against a quota.
    #[default]
    Fixed,
    /// Each unit is billed.
    Variable,
}

impl Charge {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unrestricted => "unrestricted",
            Self::Fixed => "fixed",
            Self::Variable => "variable",
        }
    }
}

/// What the operator said was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Told {
    /// Octets.
    pub octets: u64,
    /// When that was so, seconds since 1970.
    pub at: u64,
    /// The quota is used up.
    pub over_limit: bool,
    /// The network asks to wait with what can wait.
    pub congested: bool,
}

/// A data plan of the SIM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Quota {
    /// CarrierId of the document that brought it.
    pub carrier_id: String,
    /// Its name.
    pub name: String,
    /// How traffic is charged.
    pub charge: Charge,
    /// Octets; `None` = there is no limit, or nobody told.
    pub limit: Option<u64>,
    /// The operator wants the customer to be told at each step.
    pub notifies: bool,
    /// The operator's figure; `None` = nobody told.
    pub told: Option<Told>,
    /// Octets counted here since then, or since the plan is known.
    pub counted: u64,
    /// What was used at the last notice, in whole steps from the operator's figure.
    pub noticed: u64,
}

impl Quota {
    /// Octets used, as far as is known.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.told.map_or(0, |told| told.octets).saturating_add(self.counted)
    }

    /// The quota is used up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.told.is_some_and(|told| told.over_limit) || self.limit.is_some_and(|limit| self.used() >= limit)
    }

    /// Most of the quota is used.
    #[must_use]
    pub fn is_near(&self) -> bool {
        // Whole percents of the limit first: no product is too large.
        self.limit.is_some_and(|limit| self.used() >= limit - limit / 100 * (100 - NEAR))
    }

    /// Octets that passed.
    pub fn count(&mut self, octets: u64) {
        self.counted = self.counted.saturating_add(octets);
    }

    /// Octets between two notices.
    fn step(&self, roaming: bool) -> u64 {
        match self.limit {
            _ if roaming => ABROAD,
            Some(limit) => (limit / STEPS).max(1),
            None => UNLIMITED,
        }
    }

    /// Octets up to the next notice; 0 = one is due, `None` = none is wanted.
    #[must_use]
    pub fn until_notice(&self, roaming: bool) -> Option<u64> {
        self.notifies.then(|| self.noticed.saturating_add(self.step(roaming)).saturating_sub(self.used()))
    }

    /// Gives the notice that is due, for all steps that were taken: each is told of once.
    pub fn notice(&mut self, roaming: bool) -> bool {
        let step = self.step(roaming);
        let steps = self.used().saturating_sub(self.noticed) / step;
        let due = self.notifies && steps > 0;
        if due {
            self.noticed = self.noticed.saturating_add(steps.saturating_mul(step));
        }
        due
    }

    /// This plan as it goes on from what was known of it: with a new figure of the operator's it begins there, with what was
    /// counted since; `now`: seconds since 1970, 0 = not known.
    #[must_use]
    pub fn following(mut self, before: Option<&Self>, ledger: &Ledger, now: u64) -> Self {
        let same = before
            .filter(|before| before.name == self.name && before.carrier_id.eq_ignore_ascii_case(&self.carrier_id));
        (self.counted, self.noticed) = match (same, self.told) {
            (Some(before), told) if told.is_none() || told == before.told => {
                self.told = before.told;
                (before.counted, before.noticed)
            }
            (_, Some(told)) => (ledger_since(ledger, told.at, now), told.octets),
            (_, None) => (0, 0),
        };
        self
    }
}

/// Octets since a moment, from the sums of days: of its own day the part that came after, as if they had passed evenly.
fn ledger_since(ledger: &Ledger, at: u64, now: u64) -> u64 {
    let mut octets = 0_u64;
    for row in ledger.days.iter().filter(|row| row.day > 0) {
        let begin = u64::from(row.day) * DAY;
        let end = if (begin..begin + DAY).contains(&now) { now } else { begin + DAY };
        let share = match at {
            at if at <= begin => row.used.octets(),
            at if at < end => {
                let part = u128::from(row.used.octets()) * u128::from(end - at) / u128::from(end - begin);
                u64::try_from(part).unwrap_or(u64::MAX)
            }
            _ => 0,
        };
        octets = octets.saturating_add(share);
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Counters, Day};

    const MB: u64 = 1_000_000;

    fn plan(limit: Option<u64>) -> Quota {
        Quota { name: "p".into(), carrier_id: "{1}".into(), limit, notifies: true, ..Quota::default() }
    }

    fn told(octets: u64, at: u64) -> Option<Told> {
        Some(Told { octets, at, ..Told::default() })
    }

    /// OPER-121
    #[test]
    fn each_step_of_the_limit_is_told_once() {
        let mut plan = plan(Some(1000 * MB));
        let mut notices = 0;
        for _ in 0..1000 {
            plan.count(MB);
            notices += u32::from(plan.notice(false));
            assert!(!plan.notice(false), "a second time");
        }
        assert_eq!((notices, plan.noticed, plan.until_notice(false)), (20, 1000 * MB, Some(50 * MB)));
        // Several steps at once are one notice; what is left of the last step counts for the next.
        plan.count(170 * MB);
        assert!(plan.notice(false));
        assert_eq!((plan.noticed, plan.until_notice(false)), (1150 * MB, Some(30 * MB)));
    }

    #[test]
    fn without_a_limit_and_abroad_the_steps_are_fixed() {
        let mut plan = plan(None);
        plan.count(99 * MB);
        assert!(!plan.notice(false) && plan.notice(true));
        assert_eq!(plan.noticed, 95 * MB);
        plan.count(96 * MB);
        assert!(plan.notice(false));
        let mut silent = Quota { notifies: false, ..plan.clone() };
        silent.count(1000 * MB);
        assert!(!silent.notice(false) && silent.until_notice(false).is_none());
        // A limit of nothing is no division by nothing.
        let mut nothing = Quota { limit: Some(0), ..plan };
        nothing.count(1);
        assert!(nothing.notice(false) && nothing.is_over());
    }

    #[test]
    fn near_and_over_are_parts_of_the_limit() {
        let mut plan = plan(Some(100 * MB));
        plan.count(80 * MB - 1);
        assert!(!plan.is_near());
        plan.count(1);
        assert!(plan.is_near() && !plan.is_over());
        plan.count(20 * MB);
        assert!(plan.is_over());
        let word = Quota { told: Some(Told { over_limit: true, ..Told::default() }), ..Quota::default() };
        assert!(word.is_over() && !word.is_near());
        let huge = Quota { limit: Some(u64::MAX), counted: u64::MAX, ..Quota::default() };
        assert!(huge.is_over() && huge.is_near());
    }

    /// OPER-121: the operator's figure is a new base, and what came after it is added.
    #[test]
    fn the_operators_word_begins_anew() {
        let noon = 20_000 * DAY + DAY / 2;
        let day =
            |day, octets| Day { day, roaming: false, used: Counters { rx_octets: octets, ..Counters::default() } };
        let ledger =
            Ledger { days: vec![day(0, 7), day(19_998, 1), day(19_999, 40), day(20_000, 60)], ..Ledger::default() };
        let mut before = Quota { told: told(100, noon - 2 * DAY), ..plan(Some(2000)) };
        before.count(950);
        assert!(before.notice(false));
        let known = before.clone();
        // The same figure again, or none: it goes on.
        for again in [before.told, None] {
            let after = Quota { told: again, limit: Some(3000), ..plan(None) }.following(Some(&known), &ledger, noon);
            assert_eq!((after.counted, after.noticed, after.told), (950, known.noticed, known.told));
            assert_eq!(after.limit, Some(3000));
        }
        // A new one, of yesterday noon: half of that day, and all of this one.
        let newer = Quota { told: told(500, noon - DAY), ..plan(Some(2000)) };
        let after = newer.clone().following(Some(&known), &ledger, noon);
        assert_eq!((after.counted, after.noticed, after.used()), (20 + 60, 500, 580));
        // Of this morning at six: half of what there is of today. Of the future: nothing yet.
        let this_morning = Quota { told: told(500, noon - DAY / 4), ..newer.clone() };
        assert_eq!(this_morning.following(Some(&known), &ledger, noon).counted, 30);
        let future = Quota { told: told(500, noon + DAY), ..newer.clone() };
        assert_eq!(future.following(Some(&known), &ledger, noon).counted, 0);
        // Another plan, and another operator's of the same name.
        for other in [
            Quota { name: "q".into(), told: None, ..newer.clone() },
            Quota { carrier_id: "{2}".into(), told: None, ..newer },
        ] {
            let after = other.following(Some(&known), &ledger, noon);
            assert_eq!((after.counted, after.noticed), (0, 0));
        }
    }
}

//! When a newer document is asked for: a value that is told what happened, and says when it is time. [PROV 12.8]
//!
//! ```text
//!            time is up / asked for            nothing new
//!  Resting ───────────────────────▶ (fetch) ─────────────────▶ Resting
//!     ▲                                │ ▲
//!     └── a document was applied       ▼ │ time is up / asked for
//!         (a schedule of its own)    Failing
//! ```

use serde::{Deserialize, Serialize};

use crate::document::refresh::Refresh;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
/// From the first failure to the next try; doubled with each further one.
const FIRST_WAIT: u64 = 10 * MINUTE;
/// The longest wait between tries.
const LONGEST_WAIT: u64 = DAY;
/// Later than it might be, at most: or all customers of an operator would ask at the same second.
const SPREAD: u64 = 6 * 60 * MINUTE;
/// Tries after which what was asked for, and is not due by itself, is given up.
const MAX_ASKED: u32 = 8;
/// Longest entity tag or date of a server that is kept, octets.
const MAX_VALIDATOR: usize = 256;

/// When the newest document of one operator for one customer is asked for. All times are seconds since 1970, by a clock
/// that may jump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Schedule {
    delay_in_days: Option<u16>,
    /// The last time that all was well.
    since: u64,
    /// A share of each wait, as it was drawn.
    spread: u32,
    stage: Stage,
    /// How the server calls what it sent last.
    #[serde(default)]
    validators: Validators,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stage {
    /// Nothing is to be done before the time.
    Resting,
    /// Somebody asked for it.
    Wanted,
    /// It did not work so many times, the last time then.
    Failing { times: u32, at: u64 },
}

/// What a server calls its answer, to ask whether there is another one. [RFC 9110 8.8]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validators {
    /// `ETag`.
    pub tag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
}

impl Validators {
    /// Those that may be sent back as they are; others are forgotten.
    #[must_use]
    pub fn new(tag: Option<String>, modified: Option<String>) -> Self {
        let fit =
            |text: &String| text.len() <= MAX_VALIDATOR && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        Self { tag: tag.filter(fit), modified: modified.filter(fit) }
    }
}

/// When it is time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Only when somebody asks for it.
    Never,
    /// Then.
    At(u64),
    /// As soon as the network is there.
    Now,
}

/// What became of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// There is nothing newer.
    Unchanged,
    /// No answer, or none that is a document.
    Failed,
    /// A document that may not be applied: another one is not to be expected soon.
    Refused,
}

impl Schedule {
    /// A document was applied now. `random`: any number, another one on each machine.
    #[must_use]
    pub fn new(refresh: &Refresh, now: u64, random: u32, validators: Validators) -> Self {
        Self { delay_in_days: refresh.delay_in_days, since: now, spread: random, stage: Stage::Resting, validators }
    }

    /// How the server calls what it sent last.
    #[must_use]
    pub const fn validators(&self) -> &Validators {
        &self.validators
    }

    /// How often it has failed in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        match self.stage {
            Stage::Failing { times, .. } => times,
            Stage::Resting | Stage::Wanted => 0,
        }
    }

    /// When it is time. A clock that was ahead and was set right costs one whole wait at most.
    #[must_use]
    pub fn due(&self, now: u64) -> Due {
        let at = match self.stage {
            Stage::Wanted => return Due::Now,
            Stage::Resting => match self.delay_in_days {
                None => return Due::Never,
                Some(days) => self.since.min(now) + u64::from(days) * DAY + u64::from(self.spread) % SPREAD,
            },
            Stage::Failing { times, at } => {
                let wait = wait(times);
                at.min(now) + wait + u64::from(self.spread) % (wait / 4)
            }
        };
        if at <= now { Due::Now } else { Due::At(at) }
    }

    /// Whether somebody asked for it.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.stage == Stage::Wanted
    }

    /// The server calls the newest document so now.
    pub fn called(&mut self, validators: Option<Validators>) {
        if let Some(validators) = validators {
            self.validators = validators;
        }
    }

    /// Somebody asks for it: an administrator, or a message. Works before the time too.
    pub fn ask(&mut self) {
        self.stage = Stage::Wanted;
    }

    /// It was asked for and this is what came.
    pub fn fetched(&mut self, outcome: Fetched, now: u64) {
        let times = match self.stage {
            Stage::Failing { times, .. } => times,
            Stage::Resting | Stage::Wanted => 0,
        };
        self.stage = match outcome {
            Fetched::Unchanged => {
                self.since = now;
                Stage::Resting
            }
            Fetched::Refused => Stage::Failing { times: times.saturating_add(1).max(MAX_ASKED), at: now },
            Fetched::Failed => Stage::Failing { times: times.saturating_add(1), at: now },
        };
        if self.delay_in_days.is_none() && self.failures() >= MAX_ASKED {
            self.stage = Stage::Resting;
        }
    }
}

/// How long to wait after so many failures.
fn wait(times: u32) -> u64 {
    let doubled = FIRST_WAIT.checked_shl(times.saturating_sub(1)).filter(|wait| *wait >= FIRST_WAIT);
    doubled.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private::Personal;

    const START: u64 = 1_780_272_000;

    fn schedule(days: Option<u16>, random: u32) -> Schedule {
        let url = Personal::new("https://h.example/".to_owned());
        let refresh = Refresh { delay_in_days: days, url, username: None, password: None };
        Schedule::new(&refresh, START, random, Validators::default())
    }

    fn at(schedule: &Schedule, now: u64) -> u64 {
        match schedule.due(now) {
            Due::At(at) => at,
            other => panic!("{other:?}"),
        }
    }

    /// PROV-164: never before the time, whatever was drawn; a little later for some.
    #[test]
    fn not_before_the_time() {
        for random in [0, 1, 7_000, u32::MAX] {
            for days in [1, 30, 730] {
                let schedule = schedule(Some(days), random);
                let due = at(&schedule, START);
                let earliest = START + u64::from(days) * DAY;
                assert!((earliest..earliest + SPREAD).contains(&due), "{random} {days}");
                assert_eq!(schedule.due(due - 1), Due::At(due));
                assert_eq!(schedule.due(due), Due::Now);
            }
        }
        assert_eq!(schedule(None, 1).due(START + 1000 * DAY), Due::Never);
    }

    /// PROV-164: each failure waits twice as long, up to a day, and goes on.
    #[test]
    fn failures_back_off() {
        let mut schedule = schedule(Some(1), 0);
        let mut now = START + DAY;
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert_eq!(schedule.due(now), Due::Now);
            schedule.fetched(Fetched::Failed, now);
            let due = at(&schedule, now);
            waits.push((due - now) / MINUTE);
            now = due;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440, 1440]);
        schedule.fetched(Fetched::Unchanged, now);
        assert_eq!((schedule.failures(), at(&schedule, now)), (0, now + DAY));
        schedule.fetched(Fetched::Refused, now);
        assert!(at(&schedule, now) - now > 1000 * MINUTE, "it will be the same document");
    }

    #[test]
    fn machines_do_not_ask_at_the_same_second() {
        let due: std::collections::BTreeSet<_> =
            (0..50).map(|n: u32| at(&schedule(Some(1), n.wrapping_mul(0x9e37_79b9)), START)).collect();
        assert!(due.len() > 40);
        let mut failed = schedule(Some(1), 149);
        failed.fetched(Fetched::Failed, START);
        assert_eq!(at(&failed, START), START + 10 * MINUTE + 149);
    }

    #[test]
    fn what_was_asked_for_is_done_at_once_and_given_up_at_last() {
        let mut schedule = schedule(None, 0);
        schedule.ask();
        assert_eq!(schedule.due(START), Due::Now);
        let mut tries = 0;
        let mut now = START;
        while schedule.due(now) != Due::Never {
            now = match schedule.due(now) {
                Due::At(at) => at,
                _ => now,
            };
            schedule.fetched(Fetched::Failed, now);
            tries += 1;
        }
        assert_eq!(tries, MAX_ASKED);
    }

    /// A machine without a clock of its own, or with a wrong one that is set right.
    #[test]
    fn clocks_that_jump() {
        let ahead = schedule(Some(2), 0);
        assert_eq!(at(&ahead, START - 365 * DAY), START - 363 * DAY);
        assert_eq!(ahead.due(START + 365 * DAY), Due::Now);
        let mut failing = schedule(Some(2), 0);
        failing.fetched(Fetched::Failed, u64::MAX);
        assert_eq!(at(&failing, START), START + 10 * MINUTE);
        for times in [0, 1, 63, 64, 65, u32::MAX] {
            assert!((FIRST_WAIT..=LONGEST_WAIT).contains(&wait(times)), "{times}");
        }
    }

    #[test]
    fn only_what_may_be_sent_back_is_kept() {
        let long = "x".repeat(MAX_VALIDATOR + 1);
        let kept = Validators::new(Some("\"a\"".into()), Some("Sat, 21 Nov 2026 00:00:00 GMT".into()));
        assert!(kept.tag.is_some() && kept.modified.is_some());
        for wrong in ["a\r\nX: y", "\u{e9}", &long] {
            assert_eq!(Validators::new(Some(wrong.into()), Some(wrong.into())), Validators::default());
        }
    }
}

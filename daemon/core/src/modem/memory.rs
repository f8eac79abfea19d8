//! What was found out, on its way to the store and back: see [`memory`](crate::memory).

use core::time::Duration;

use super::machine::Modem;
use super::tables::ContextEvent;
use super::timer::Timer;
use crate::Time;
use crate::event::Event;
use crate::memory::{KEY, Memory, REFUSED};
use crate::probe::budget::Budget;

/// Writes of a day that tests may cause.
const WRITES: u64 = 8;

/// A wait that an earlier run of the daemon began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recalled {
    until: Time,
    failed_rounds: u32,
    congested: u32,
}

impl Modem {
    /// What holds now.
    pub(super) fn memory(&self, now: Time) -> Memory {
        let left = |until: Time| u32::try_from(until.saturating_sub(now).as_secs()).unwrap_or(u32::MAX);
        let mut refused: Vec<(&String, u32)> = self
            .subscriber
            .bad
            .iter()
            .map(|(key, until)| (key, left(*until)))
            .filter(|(key, seconds)| *seconds > 0 && key.len() <= KEY)
            .collect();
        refused.sort_by_key(|(_, seconds)| core::cmp::Reverse(*seconds));
        let refused = refused.into_iter().take(REFUSED).map(|(key, seconds)| (key.clone(), seconds)).collect();
        let waits = self.dialer.waits && !self.requests.job_connects();
        let wait = self.timers.at(Timer::Retry).filter(|_| waits).map_or(0, left);
        let (octets, day) = self.online.budget().left(now);
        let rounds = if wait > 0 { (self.dialer.failed_rounds, self.dialer.congested) } else { (0, 0) };
        Memory {
            refused,
            failed_rounds: rounds.0,
            congested: rounds.1,
            wait,
            probe_octets: octets,
            probe_day: u32::try_from(day.as_secs()).unwrap_or(u32::MAX),
        }
    }

    /// Stores what was found out, if that is worth a write; `last`: the daemon is about to end.
    pub(super) fn keep_memory(&mut self, now: Time, last: bool) {
        if !self.subscriber.loaded || self.subscriber.key.is_none() {
            return;
        }
        let step = if last { 1 } else { self.probe_budget() / WRITES };
        if self.subscriber.kept.differs(&self.memory(now), step) {
            self.save_subscriber(now);
        }
    }

    /// What the store had: it holds for what is left of its time.
    pub(super) fn recall(&mut self, now: Time) {
        let Memory { refused, failed_rounds, congested, wait, probe_octets, probe_day } =
            self.subscriber.state.memory.clone();
        let end = |seconds: u32| now + Duration::from_secs(seconds.into());
        self.subscriber.bad.extend(refused.into_iter().map(|(key, seconds)| (key, end(seconds))));
        self.subscriber.recalled = (wait > 0).then(|| Recalled { until: end(wait), failed_rounds, congested });
        self.subscriber.kept = self.subscriber.state.memory.clone();
        self.online.recall(now, Budget::recalled(probe_octets, end(probe_day)));
    }

    /// The first attempt is due, and an earlier run of the daemon was told to wait. Whether it still is.
    pub(super) fn waits_as_before(&mut self, now: Time) -> bool {
        let Some(Recalled { until, failed_rounds, congested }) = self.subscriber.recalled.take() else { return false };
        if now >= until || self.requests.job_connects() {
            return false;
        }
        self.dialer.failed_rounds = failed_rounds;
        self.dialer.congested = congested;
        self.dialer.waits = true;
        self.step(|t| &mut t.context, ContextEvent::Await);
        self.timers.set(Timer::Retry, until);
        self.emit(Event::info("retry").with("in_s", (until - now).as_secs()).with("remembered", true));
        true
    }
}

//! When interfaces are counted, and for whom: at the beginning and the end of each session, before sleep and a change of
//! country, seldom in between, and when somebody asks. `[OPER 6]`

use core::time::Duration;
use std::collections::BTreeMap;

use mbim_proto::service::basic_connect as bc;

use super::ask::Answer;
use super::context::SESSION;
use super::io::RequestId;
use super::machine::Modem;
use super::tables::{Context, Power};
use super::timer::Timer;
use super::write::Change;
use crate::Time;
use crate::effect::{Effect, SubscriberKey};
use crate::event::Event;
use crate::quota::{Charge, Quota};
use crate::request::Reply;
use crate::snapshot::{Metered, ModemCounts, SessionUse, Use};
use crate::subscriber::SubscriberState;
use crate::usage::{Counted, Counters, Moment, Reading};
use mbim_proto::status::Status;

/// The first look after a session came up: what a modem that is pulled out would take with it. Later than the minute in
/// which the daemon promises to sleep.
const FIRST: Duration = Duration::from_secs(120);
/// Between two looks. The kernel counts without us; this is what an unplug may cost. `[OPER 6]`
const EVERY: Duration = Duration::from_secs(300);
/// Between two notices of the plan, and between two looks where one is near. `[PROV 12.11]`
const PAUSE: Duration = Duration::from_secs(60);
/// What may be unwritten, octets; and how long. `[OPER 6]`
const UNWRITTEN: u64 = 10 << 20;
const WRITE: Duration = Duration::from_secs(900);

/// A session whose interface is counted.
#[derive(Debug, Default)]
struct Running {
    /// Since it came up.
    used: Counters,
    /// No other session was up with it since the modem's own count was taken.
    alone: bool,
    /// Its link is being taken down: it is read for the last time.
    ending: bool,
}

/// The modem's own count, for comparison.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    /// What the modem said first, and what was counted here by then.
    first: Option<(Counters, Counters)>,
    /// What it said last, not compared yet.
    said: Option<Counters>,
    /// It has no such counters, or does not say them.
    refused: bool,
    shown: Option<ModemCounts>,
}

/// Where the counting of one modem stands.
#[derive(Debug, Default)]
pub(super) struct Usage {
    running: BTreeMap<u32, Running>,
    /// The counters are being read, and are to be read once more.
    reading: bool,
    again: bool,
    /// What passes is used abroad.
    roaming: bool,
    /// Whose sessions ended, where the SIM has gone since.
    leaving: Option<(Option<SubscriberKey>, Box<SubscriberState>)>,
    /// The sessions go on without us: their marks stay.
    left: bool,
    /// Octets that are not written down, and since when.
    unwritten: u64,
    written_at: Time,
    /// What is written down has marks of sessions that are up.
    marked: bool,
    /// All is to be written down, for it may be the last occasion.
    write_now: bool,
    compared: Compared,
    /// Default session: what was counted when it ended.
    ended: Counters,
    waiting: Vec<RequestId>,
    resetting: Vec<RequestId>,
    /// Plans that are to be put in force with what was counted up to then.
    plans: Vec<(RequestId, Option<Box<Quota>>)>,
    /// When the counters were read last, and when a notice of the plan was given.
    looked_at: Option<Time>,
    noticed_at: Option<Time>,
    /// A notice was given that is not written down.
    stepped: bool,
    notices: u32,
}

impl Modem {
    /// A session is about to come up.
    pub(super) fn usage_begin(&mut self, now: Time, session: u32) {
        if self.usage.running.contains_key(&session) || !self.subscriber.loaded {
            return;
        }
        if self.usage.running.is_empty() {
            self.usage.roaming = self.roaming();
            self.usage.written_at = now;
            self.timers.set(Timer::Usage, now + FIRST);
        }
        for running in self.usage.running.values_mut() {
            running.alone = false;
        }
        if session == SESSION {
            self.usage.compared = Compared { refused: self.usage.compared.refused, ..Compared::default() };
        }
        let alone = self.usage.running.is_empty();
        self.usage.running.insert(session, Running { alone, ..Running::default() });
        self.read_counters();
    }

    /// The link of a session is about to be taken down.
    pub(super) fn usage_end(&mut self, session: u32) {
        if let Some(running) = self.usage.running.get_mut(&session).filter(|running| !running.ending) {
            running.ending = true;
            self.usage.write_now = true;
            self.read_counters();
        }
    }

    /// The SIM is about to be forgotten, with the sessions that were made over it; `left`: they go on.
    pub(super) fn usage_leave(&mut self, now: Time, left: bool) {
        if self.usage.running.is_empty() || self.usage.leaving.is_some() {
            return;
        }
        self.usage.left = left;
        self.usage.write_now = true;
        self.read_counters();
        for running in self.usage.running.values_mut() {
            running.ending = true;
        }
        let state = SubscriberState { memory: self.memory(now), ..self.subscriber.state.clone() };
        self.usage.leaving = Some((self.subscriber.key.clone(), Box::new(state)));
    }

    /// The machine is about to sleep, perhaps for good.
    pub(super) fn usage_rest(&mut self) {
        if !self.usage.running.is_empty() {
            self.usage.write_now = true;
            self.read_counters();
        }
    }

    pub(super) fn on_usage_timer(&mut self, now: Time) {
        if self.usage.running.is_empty() {
            return;
        }
        self.timers.set(Timer::Usage, now + EVERY);
        if self.usage.compared.first.is_none() {
            self.compare_counts(now);
        }
        self.read_counters();
    }

    /// What was used up to here belongs to the old network.
    pub(super) fn advance_usage(&mut self) {
        let moved = self.tables.registration.is_registered() && self.roaming() != self.usage.roaming;
        if moved && !self.usage.running.is_empty() {
            self.read_counters();
        }
    }

    fn read_counters(&mut self) {
        if core::mem::replace(&mut self.usage.reading, true) {
            self.usage.again = true;
            return;
        }
        let own = self.config.port.interface.as_ref();
        let extra = |session: &u32| self.extras.get(session).and_then(|extra| extra.interface.as_ref());
        let name = |session: &u32| if *session == SESSION { own } else { extra(session) };
        let running = self.usage.running.keys();
        let links = running.filter_map(|session| Some((*session, name(session)?.clone()))).collect();
        self.effect(Effect::ReadCounters { links });
    }

    /// Answer to [`Effect::ReadCounters`].
    pub(super) fn on_counters(&mut self, now: Time, at: &Moment, readings: &[Reading]) {
        if !core::mem::take(&mut self.usage.reading) {
            return;
        }
        let rate = self.facts.packet.map_or(0, |packet| packet.downlink.max(packet.uplink).unwrap_or(0));
        let roaming = self.usage.roaming;
        let (mut octets, mut own) = (0_u64, Counters::default());
        let before = self.usage.looked_at.replace(now);
        for reading in readings {
            let Some(running) = self.usage.running.get_mut(&reading.session) else { continue };
            let state = match &mut self.usage.leaving {
                Some((_, state)) => &mut **state,
                None => &mut self.subscriber.state,
            };
            // Interfaces of sessions above 0 are made for them.
            match state.usage.count(reading, at, roaming, reading.session != SESSION, rate) {
                Counted::Began => {}
                Counted::Passed(passed) => {
                    running.used.add(&passed);
                    self.usage.unwritten = self.usage.unwritten.saturating_add(passed.octets());
                    octets = octets.saturating_add(passed.octets());
                    if reading.session == SESSION {
                        own = passed;
                    }
                    if let Some(quota) = &mut state.quota {
                        quota.count(passed.octets());
                    }
                }
                Counted::Absurd(passed) => {
                    let event = Event::warn("usage").with("outcome", "not-counted").with("session", reading.session);
                    self.emit(event.with("octets", passed.octets()));
                }
            }
        }
        if self.tables.registration.is_registered() {
            self.usage.roaming = self.roaming();
        }
        self.show_comparison();
        let took = before.map_or(Duration::ZERO, |before| now.saturating_sub(before));
        let allowed = self.use_allowance(own.octets());
        let noticed = self.notice_quota(now, roaming);
        let nearest = [allowed, noticed].into_iter().flatten().min();
        self.look_sooner(now, nearest, octets, took);
        self.notice_silence(&own, took);
        self.usage_ended();
        self.usage_write(now);
        self.usage_answer(now, at);
        if core::mem::take(&mut self.usage.again) && !self.usage.running.is_empty() {
            self.read_counters();
        }
    }

    /// Tells of the steps of the plan that were taken. Octets up to the next one; `None` = none is wanted.
    fn notice_quota(&mut self, now: Time, roaming: bool) -> Option<u64> {
        let quota = self.subscriber.state.quota.as_mut().filter(|_| self.usage.leaving.is_none())?;
        let left = quota.until_notice(roaming)?;
        let paused = self.usage.noticed_at.is_some_and(|at| now.saturating_sub(at) < PAUSE);
        if left > 0 || paused || !quota.notice(roaming) {
            return Some(left);
        }
        let next = quota.until_notice(roaming);
        let event = Event::info("data-plan").with("outcome", "step").with("octets", quota.used());
        let event = if let Some(limit) = quota.limit { event.with("limit", limit) } else { event };
        self.usage.noticed_at = Some(now);
        self.usage.notices = self.usage.notices.saturating_add(1);
        self.usage.stepped = true;
        self.emit(event);
        next
    }

    /// Looks again in time for what so many octets bring, where traffic is brisk: a link that is idle is looked at as
    /// seldom as ever. `octets` passed in the time `took`.
    fn look_sooner(&mut self, now: Time, left: Option<u64>, octets: u64, took: Duration) {
        let Some(left) = left.filter(|_| !self.usage.running.is_empty()) else { return };
        let took = took.max(Duration::from_secs(1));
        // As fast as it went, it would take so long.
        let soon = u64::try_from(u128::from(left) * took.as_millis() / u128::from(octets.max(1))).unwrap_or(u64::MAX);
        let soon = Duration::from_millis(soon).max(PAUSE);
        if soon < EVERY {
            self.timers.set(Timer::Usage, now + soon);
        }
    }

    /// Those that ended are counted no more.
    fn usage_ended(&mut self) {
        if !self.usage.running.values().any(|running| running.ending) {
            return;
        }
        let left = self.usage.left;
        let ledger = match &mut self.usage.leaving {
            Some((_, state)) => &mut state.usage,
            None => &mut self.subscriber.state.usage,
        };
        if let Some(default) = self.usage.running.get(&SESSION).filter(|default| default.ending) {
            self.usage.ended = default.used;
        }
        self.usage.running.retain(|session, running| {
            if running.ending && !left {
                ledger.end(*session);
            }
            !running.ending
        });
        if self.usage.running.is_empty() {
            self.timers.clear(Timer::Usage);
        }
    }

    /// Writes it down, where it is time.
    fn usage_write(&mut self, now: Time) {
        let overdue = now.saturating_sub(self.usage.written_at) >= WRITE;
        let much = self.usage.unwritten >= UNWRITTEN;
        let now_or_never = core::mem::take(&mut self.usage.write_now);
        let leaving = self.usage.leaving.take();
        // What is written down has an open end that is closed by now.
        let ends = self.usage.marked && !self.usage.left && self.usage.running.is_empty();
        let stepped = core::mem::take(&mut self.usage.stepped);
        let due = self.usage.unwritten > 0 && (overdue || much || now_or_never) || ends || stepped;
        if due {
            self.usage.unwritten = 0;
            self.usage.written_at = now;
        }
        match leaving {
            Some((Some(key), state)) if due => self.save_state(now, key, *state),
            None if due => self.save_subscriber(now),
            _ => {}
        }
    }

    /// A state is being written down, for whatever reason.
    pub(super) fn usage_written(&mut self, state: &SubscriberState) {
        self.usage.marked = !state.usage.marks.is_empty();
    }

    fn usage_answer(&mut self, now: Time, at: &Moment) {
        for id in core::mem::take(&mut self.usage.resetting) {
            self.request_change(now, id, Change::Usage { since: at.wall.unwrap_or(0) });
        }
        for (id, quota) in core::mem::take(&mut self.usage.plans) {
            self.request_change(now, id, Change::Quota { quota, now: at.wall.unwrap_or(0) });
        }
        for id in core::mem::take(&mut self.usage.waiting) {
            self.reply(id, Ok(Reply::Done { changed: true }));
        }
    }

    // ---- requests

    /// [`Request::RefreshUsage`](crate::request::Request::RefreshUsage).
    pub(super) fn request_usage(&mut self, now: Time, id: RequestId) {
        if self.usage.running.is_empty() {
            return self.reply(id, Ok(Reply::Done { changed: false }));
        }
        self.usage.waiting.push(id);
        self.compare_counts(now);
        self.read_counters();
    }

    /// [`Request::SetQuota`](crate::request::Request::SetQuota).
    pub(super) fn request_quota(&mut self, id: RequestId, quota: Option<Box<Quota>>) {
        if !self.subscriber.loaded {
            return self.no_subscriber(id);
        }
        // What passed so far belongs to what was known before.
        self.usage.plans.push((id, quota));
        self.read_counters();
    }

    /// [`Request::ResetUsage`](crate::request::Request::ResetUsage).
    pub(super) fn request_usage_reset(&mut self, id: RequestId) {
        if !self.subscriber.loaded {
            return self.no_subscriber(id);
        }
        // What passed so far belongs to what is forgotten.
        self.usage.resetting.push(id);
        self.read_counters();
    }

    // ---- the modem's own counters: a second opinion, never the ledger

    /// Asks the modem, where it has such counters and they are about the default session alone.
    fn compare_counts(&mut self, now: Time) {
        let listed = !self.session.offers().list.is_empty() && self.offers::<bc::PacketStatistics>();
        let alone = self.usage.running.get(&SESSION).is_some_and(|default| default.alone);
        if listed && alone && !self.usage.compared.refused && self.tables.power == Power::Ready && !self.sleep.near() {
            self.ask_statistics(now);
        }
    }

    /// Before the default session ends, where the modem told its counters before: no modem that does not is waited for.
    pub(super) fn compare_at_end(&mut self, now: Time) {
        if self.usage.compared.first.is_some() && self.tables.context != Context::Down {
            self.compare_counts(now);
        }
    }

    pub(super) fn on_statistics(&mut self, answer: Answer<Counters>) {
        match answer {
            Answer::Body(Status::SUCCESS, counters) => {
                self.usage.compared.said = Some(counters);
                if self.usage.running.contains_key(&SESSION) {
                    self.read_counters();
                } else {
                    self.show_comparison();
                }
            }
            // Nothing depends on it; it is asked no more.
            _ => {
                self.usage.compared.refused = true;
                self.emit(Event::debug("usage").with("outcome", "no-packet-statistics"));
            }
        }
    }

    fn show_comparison(&mut self) {
        let Some(said) = self.usage.compared.said.take() else { return };
        let (used, alone) = match self.usage.running.get(&SESSION) {
            Some(default) => (default.used, default.alone),
            None => (self.usage.ended, true),
        };
        if !alone {
            return;
        }
        match self.usage.compared.first {
            // Counters that became smaller began anew.
            Some((first, by_then)) if said.rx_octets >= first.rx_octets && said.tx_octets >= first.tx_octets => {
                let shown = ModemCounts { modem: said.since(&first), here: used.since(&by_then) };
                self.usage.compared.shown = Some(shown);
            }
            _ => {
                self.usage.compared.first = Some((said, used));
                self.usage.compared.shown = None;
            }
        }
    }

    // ---- what others see

    pub(super) fn usage_view(&self) -> Use {
        let ledger = &self.subscriber.state.usage;
        let (metered, why) = self.metered();
        let running = self.usage.running.iter();
        Use {
            since: ledger.since,
            home: ledger.home,
            roaming: ledger.roaming,
            tests: ledger.tests,
            sessions: running.map(|(session, running)| SessionUse { session: *session, used: running.used }).collect(),
            modem: self.usage.compared.shown,
            metered,
            metered_by: why,
            quota: self.subscriber.state.quota.clone(),
            notices: self.usage.notices,
        }
    }

    /// Whether octets cost money, and what says so.
    pub(super) fn metered(&self) -> (Metered, &'static str) {
        match self.subscriber.state.settings.metered {
            Some(true) => (Metered::Yes, "settings"),
            Some(false) => (Metered::No, "settings"),
            None if self.tables.registration.is_registered() && self.roaming() => (Metered::Yes, "roaming"),
            None => match self.subscriber.state.quota.as_ref().map(|quota| quota.charge) {
                Some(Charge::Unrestricted) => (Metered::No, "plan"),
                Some(Charge::Fixed | Charge::Variable) => (Metered::Yes, "plan"),
                None => (Metered::GuessYes, "no-plan"),
            },
        }
    }
}

//! Connectivity over the default context: when to probe, what the verdicts mean, the hand-over. `[OPER 4, 5]`

use core::time::Duration;
use std::collections::VecDeque;

use daemon_operator::{HandOver, Parameters, hand_over};

use super::context::SESSION;
use super::io::{Output, RequestId};
use super::machine::Modem;
use super::reason;
use super::tables::{Context, Reach, ReachEvent};
use super::timer::Timer;
use crate::Time;
use crate::effect::{Effect, ProbeOrder, ProbeReport};
use crate::event::Event;
use crate::probe::budget::Budget;
use crate::probe::evidence::{self, Rows, host_of};
use crate::probe::schedule::{self, Jitter, Situation};
use crate::probe::verdict::{self, Verdict, Worth};
use crate::request::{Reply, RequestError, RequestErrorKind};
use crate::snapshot::{ConnectivityState, Metered, ProbeCost};
use crate::subscriber::HandOverPolicy;
use crate::usage::Counters;

/// A report that takes longer is not waited for. A whole probe takes at most 10 s. `[OPER 4.3]`
const REPORT: Duration = Duration::from_secs(30);
/// Limited verdicts in a row after which another candidate is worth a try.
const LIMITED_ENOUGH: u32 = 3;
/// Reason of a verdict: nothing but the operator's site answers.
pub(super) const WALLED: &str = "walled-garden";
/// The network's API is asked again this long before it says that things change. `[OPER 4.5]`
const BEFORE_EXPIRY: Duration = Duration::from_secs(30);
/// The soonest that an expiry makes a probe due.
const SOONEST_EXPIRY: Duration = Duration::from_secs(10);
/// Announcements cause no more than one probe in this time: a router that changes its mind must not spend the budget.
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_secs(60);
/// Reasons of the shell why no probe will ever run with this configuration.
const OFF: &[&str] = &["off", "not-configured"];
/// Packets sent in so long a time without any that came back: a sign that the way is broken. `[OPER 4.6]`
const UNANSWERED: u64 = 20;
const SILENCE: Duration = Duration::from_secs(15);

/// State of connectivity.
#[derive(Debug)]
pub(super) struct Online {
    jitter: Jitter,
    budget: Budget,
    next_id: u64,
    running: Option<u64>,
    /// A probe is to run as soon as it may.
    pub(super) due: bool,
    /// Present state since.
    since: Time,
    /// Probes that ended in the present state.
    probes: u32,
    pub(super) families: [(ConnectivityState, String); 3],
    pub(super) reason: String,
    /// What the last probe saw.
    pub(super) evidence: Vec<(&'static str, Rows)>,
    /// Octets, round trips and time of the last probe.
    last_cost: (u64, u32, Duration),
    /// Where the portal is, and how that is known: `redirect` or `api`; not trusted.
    learnt: Option<(String, &'static str)>,
    /// When the network's API says that things change.
    expires: Option<Time>,
    /// Octets that may pass before the network's API says that things change.
    allowance: Option<u64>,
    /// When an announcement was last the reason for a probe.
    announced: Option<Time>,
    /// How the modem was registered at the last probe: roaming, and data class.
    place: Option<(bool, u32)>,
    hand_over: Option<Time>,
    /// The Internet was reached over this link.
    pub(super) was_full: bool,
    pub(super) last_probe: Option<Time>,
    retried: bool,
    /// Who asked for a probe that has not begun.
    waiting: Vec<RequestId>,
    /// Who waits for the one that runs: it began after they asked.
    asked: Vec<RequestId>,
}

impl Online {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            jitter: Jitter::new(seed),
            budget: Budget::default(),
            next_id: 1,
            running: None,
            due: false,
            since: Time::ZERO,
            probes: 0,
            families: Default::default(),
            reason: String::new(),
            evidence: Vec::new(),
            last_cost: (0, 0, Duration::ZERO),
            learnt: None,
            expires: None,
            allowance: None,
            announced: None,
            place: None,
            hand_over: None,
            was_full: false,
            last_probe: None,
            retried: false,
            waiting: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Another session or SIM. The day's budget and the numbers go on.
    pub(super) fn reset(&mut self) {
        *self = Self {
            jitter: self.jitter.clone(),
            budget: self.budget,
            next_id: self.next_id,
            waiting: self.waiting(),
            ..Self::new(0)
        };
    }

    pub(super) fn spent(&self, now: Time) -> u64 {
        self.budget.clone().spent(now)
    }

    pub(super) fn budget(&self) -> Budget {
        self.budget
    }

    /// What earlier runs have spent of the day counts, if it is more than is known.
    pub(super) fn recall(&mut self, now: Time, budget: Budget) {
        if budget.left(now).0 > self.budget.left(now).0 {
            self.budget = budget;
        }
    }

    /// Another SIM has a day of its own.
    pub(super) fn forget_budget(&mut self) {
        self.budget = Budget::default();
    }

    /// What probes cost; `budget`: octets a day.
    pub(super) fn cost(&self, now: Time, budget: u64) -> ProbeCost {
        let (octets, round_trips, took) = self.last_cost;
        ProbeCost { octets, round_trips, took, today: self.spent(now), budget }
    }

    /// Gives up the probe that runs, if one does.
    pub(super) fn quiet(&mut self, outputs: &mut VecDeque<Output>) {
        self.due = false;
        if let Some(id) = self.running.take() {
            outputs.push_back(Output::Effect(Effect::CancelProbe { id }));
        }
        self.waiting = self.waiting();
    }

    /// Takes all who wait.
    pub(super) fn waiting(&mut self) -> Vec<RequestId> {
        let mut all = core::mem::take(&mut self.asked);
        all.append(&mut self.waiting);
        all
    }
}

impl Modem {
    pub(super) fn link_ready(&mut self, now: Time) {
        self.step(|t| &mut t.reach, ReachEvent::LinkReady);
        self.online.since = now;
        self.online.probes = 0;
        self.online.retried = false;
        self.online.was_full = false;
        self.online.due = true;
        if !self.config.probe.enabled {
            self.remember_good(now);
        }
    }

    pub(super) fn link_lost(&mut self) {
        self.timers.clear(Timer::Probe);
        self.timers.clear(Timer::Report);
        if let Some(id) = self.online.running.take() {
            self.effect(Effect::CancelProbe { id });
        }
        self.online.due = false;
        self.online.families = Default::default();
        self.online.reason.clear();
        self.online.evidence.clear();
        self.online.learnt = None;
        self.online.expires = None;
        self.online.allowance = None;
        self.online.announced = None;
        self.online.place = None;
        let before = self.tables.reach;
        self.step(|t| &mut t.reach, ReachEvent::LinkLost);
        if before != Reach::None {
            self.emit(
                Event::info("connectivity").with("from", shown_name(before)).with("to", "none").with("reason", ""),
            );
        }
        let error = reason::error(RequestErrorKind::Cancelled, "disconnected", "The connection ended during the test.");
        for id in self.online.waiting() {
            self.reply(id, Err(error.clone()));
        }
    }

    pub(super) fn request_probe(&mut self, id: RequestId) {
        if self.tables.context != Context::Up {
            let error = reason::error(RequestErrorKind::WrongState, "not-connected", "There is no connection to test.");
            return self.reply(id, Err(error));
        }
        if !self.config.probe.enabled {
            let text = "Connectivity tests are off; name a probe host in the configuration (probe.http).";
            return self.reply(id, Err(reason::error(RequestErrorKind::Unsupported, "probe-off", text)));
        }
        self.online.waiting.push(id);
        self.online.due = true;
    }

    /// Octets that unasked probes may cost in a day.
    pub(super) fn probe_budget(&self) -> u64 {
        if self.roaming() { self.config.probe.roaming_budget } else { self.config.probe.daily_budget }
    }

    /// Another network, or another technology while things are not well, is a reason to look again. `[OPER 4.6]`
    fn notice_place(&mut self) {
        let Some((roaming, class)) = self.online.place else { return };
        let here = self.place();
        let moved = here.0 != roaming || here.1 != class && self.tables.reach != Reach::Full;
        if moved {
            self.online.place = Some(here);
            self.online.due = true;
        }
    }

    /// Counters that are read anyway show that nothing comes back: what was full is tested, and stays full until the test says
    /// otherwise. `took`: the time in which it passed. `[OPER 4.1, 4.6]`
    pub(super) fn notice_silence(&mut self, passed: &Counters, took: Duration) {
        let silent = passed.tx_packets >= UNANSWERED && passed.rx_packets == 0 && took >= SILENCE;
        if silent && self.tables.reach == Reach::Full {
            self.emit(Event::info("probe").with("outcome", "due").with("reason", "nothing-comes-back"));
            self.online.due = true;
        }
    }

    /// Octets passed over the default session: what the network's API allowed may be used up. Octets up to then, `None` = it
    /// named no end.
    pub(super) fn use_allowance(&mut self, octets: u64) -> Option<u64> {
        let left = self.online.allowance.take()?.saturating_sub(octets);
        if left == 0 {
            self.online.due |= self.tables.context == Context::Up;
            return None;
        }
        self.online.allowance = Some(left);
        Some(left)
    }

    /// A document changed something for this SIM: what was missing may be there.
    pub(super) fn notice_document(&mut self) {
        if self.tables.context == Context::Up && self.tables.reach != Reach::Full {
            self.online.due = true;
        }
    }

    /// The network says something new about itself: what the last probe found may have been for want of that.
    pub(super) fn on_announced(&mut self, now: Time) {
        if self.tables.context != Context::Up || self.tables.reach == Reach::None {
            return;
        }
        let soonest = self.online.announced.map_or(now, |last| now.max(last + BETWEEN_ANNOUNCEMENTS));
        if self.online.announced.is_some_and(|last| last > now) {
            // That one will see it.
            return;
        }
        self.online.announced = Some(soonest);
        if soonest == now {
            self.online.due = true;
        } else {
            self.timers.set_sooner(Timer::Probe, soonest);
        }
    }

    fn place(&self) -> (bool, u32) {
        (self.roaming(), self.facts.packet.map_or(0, |packet| packet.data_class))
    }

    pub(super) fn advance_probe(&mut self, now: Time) {
        self.notice_place();
        if self.sleep.near() || !self.online.due || self.online.running.is_some() || self.tables.context != Context::Up
        {
            return;
        }
        self.online.due = false;
        self.timers.clear(Timer::Probe);
        if !self.config.probe.enabled {
            self.step(|t| &mut t.reach, ReachEvent::Untested);
            return;
        }
        let limit = self.probe_budget();
        if self.online.waiting.is_empty() && !self.online.budget.allows(now, limit) {
            self.emit(Event::info("probe").with("outcome", "budget-spent"));
            if let Some(at) = self.online.budget.next_day() {
                self.timers.set(Timer::Probe, at);
            }
            return;
        }
        let Some(ip) = &self.dialer.ip else { return };
        let order = ProbeOrder {
            id: self.online.next_id,
            session: SESSION,
            dns: ip.dns.clone(),
            ipv4: !ip.ipv4.is_empty(),
            ipv6: !ip.ipv6.is_empty() || ip.slaac,
            site: self.operator_hand_over().map(|over| site_of(over.host(), over.reveal())),
            api: self.subscriber.choice.as_ref().and_then(|choice| choice.operator.as_ref()?.api_url.clone()),
            network_time: self.facts.clock.now(now),
        };
        self.online.place = Some(self.place());
        self.online.next_id += 1;
        self.online.running = Some(order.id);
        self.online.asked = self.online.waiting();
        self.timers.set(Timer::Report, now + REPORT);
        self.effect(Effect::Probe(order));
    }

    pub(super) fn on_report_overdue(&mut self, now: Time) {
        if let Some(id) = self.online.running {
            self.effect(Effect::CancelProbe { id });
            let report = ProbeReport { skipped: Some("overdue"), ..ProbeReport::default() };
            self.on_probe_done(now, id, &report);
        }
    }

    pub(super) fn on_probe_done(&mut self, now: Time, id: u64, report: &ProbeReport) {
        if self.online.running != Some(id) {
            return;
        }
        self.online.running = None;
        self.timers.clear(Timer::Report);
        self.online.budget.spend(now, report.bytes);
        self.subscriber.state.usage.tested(report.bytes);
        self.keep_memory(now, false);
        self.online.last_probe = Some(now);
        self.online.last_cost = (report.bytes, report.round_trips, report.took);
        self.online.evidence = evidence::told(report);
        self.online.expires = expiry(now, report);
        self.online.allowance = allowance(report);
        let judged = verdict::judge(report);
        match (report.skipped, judged.overall) {
            (None, Some(overall)) => {
                for (slot, family) in self.online.families.iter_mut().zip(&judged.families) {
                    *slot = family.as_ref().map_or_else(Default::default, |v| (state_of(v.worth), v.reason.to_owned()));
                }
                self.apply(now, &overall);
            }
            (skipped, _) => {
                let why = skipped.unwrap_or("no-family");
                self.online.reason = why.to_owned();
                self.emit(Event::info("probe").with("outcome", "skipped").with("reason", why));
                self.move_reach(now, ReachEvent::Untested);
                if !OFF.contains(&why) {
                    self.schedule(now);
                }
            }
        }
        for id in core::mem::take(&mut self.online.asked) {
            self.reply(id, Ok(Reply::Done { changed: true }));
        }
    }

    fn apply(&mut self, now: Time, verdict: &Verdict) {
        self.emit(
            Event::info("probe")
                .with("outcome", worth_name(verdict.worth))
                .with("reason", verdict.reason)
                .with("octets", self.online.spent(now)),
        );
        if verdict.retry_first && !self.online.retried {
            self.online.retried = true;
            self.timers.set(Timer::Probe, now + Duration::from_secs(1));
            return;
        }
        self.online.retried = false;
        self.online.reason = verdict.reason.to_owned();
        let source = if verdict.reason == "api" { "api" } else { "redirect" };
        self.online.learnt = verdict.portal_url.clone().map(|url| (url, source));
        let event = match verdict.worth {
            Worth::Full => ReachEvent::SawFull,
            Worth::Portal => ReachEvent::SawPortal,
            Worth::Limited => ReachEvent::SawLimited,
        };
        self.move_reach(now, event);
        self.schedule(now);
        // In a garden with the operator's site in it another access point is not what is missing. [OPER-082]
        let garden = verdict.reason == WALLED;
        if self.tables.reach == Reach::Limited && !garden && self.online.probes >= LIMITED_ENOUGH {
            let good = self.is_last_good();
            self.try_next_for_limited(now, good);
        }
    }

    fn move_reach(&mut self, now: Time, event: ReachEvent) {
        let before = self.tables.reach;
        self.step(|t| &mut t.reach, event);
        let after = self.tables.reach;
        if before == after {
            self.online.probes += 1;
            return;
        }
        self.online.since = now;
        self.online.probes = 1;
        if shown(before) != shown(after) {
            self.emit(
                Event::info("connectivity")
                    .with("from", shown_name(before))
                    .with("to", shown_name(after))
                    .with("reason", &self.online.reason),
            );
        }
        match after {
            Reach::Portal => {
                let (source, host) = self.portal_source();
                self.emit(Event::info("portal").with("source", source).with("host", host));
            }
            Reach::Full if before != Reach::Doubted => {
                self.emit(Event::info("full").with("reason", &self.online.reason));
                self.online.hand_over = None;
                self.online.was_full = true;
                self.dialer.purchase = false;
                self.remember_good(now);
            }
            _ => {}
        }
    }

    fn schedule(&mut self, now: Time) {
        let situation = Situation {
            reach: self.tables.reach,
            since: self.online.since,
            probes: self.online.probes,
            hand_over: self.online.hand_over,
            metered: self.config.probe.metered && self.metered().0 != Metered::No,
        };
        let pause = schedule::pause(now, &situation).map(|pause| now + self.online.jitter.spread(pause));
        match pause.into_iter().chain(self.online.expires).min() {
            Some(at) => self.timers.set(Timer::Probe, at),
            None => self.timers.clear(Timer::Probe),
        }
    }

    /// The candidate in use led to the Internet before.
    fn is_last_good(&self) -> bool {
        let Some(dial) = &self.dialer.current else { return false };
        let state = &self.subscriber.state;
        let good = if self.roaming() { &state.last_good_roaming } else { &state.last_good_home };
        good.as_deref() == Some(dial.candidate.key().as_str())
    }

    fn remember_good(&mut self, now: Time) {
        let Some(dial) = &self.dialer.current else { return };
        if self.is_last_good() || dial.purchase || self.dialer.named.is_some() {
            return;
        }
        let key = Some(dial.candidate.key());
        if self.roaming() {
            self.subscriber.state.last_good_roaming = key;
        } else {
            self.subscriber.state.last_good_home = key;
        }
        self.save_subscriber(now);
    }

    // ---- hand-over

    /// A hand-over is called for: something has to be bought or activated.
    pub(super) fn purchase_needed(&self) -> bool {
        self.dialer.purchase
            || self.tables.sim == super::tables::SimState::NotActivated
            || self.subscriber.account_url().is_some()
                && (self.tables.reach == Reach::Portal
                    || self.tables.reach == Reach::Limited && self.online.reason == WALLED)
    }

    /// Where a hand-over URL comes from, with its host; both empty when there is none.
    pub(super) fn portal_source(&self) -> (&'static str, String) {
        match self.operator_hand_over() {
            Some(over) => ("operator", over.host().to_owned()),
            None => match &self.online.learnt {
                Some((url, source)) => (source, host_of(url).to_owned()),
                None => ("", String::new()),
            },
        }
    }

    /// Whether a hand-over is called for and possible.
    pub(super) fn portal_available(&self) -> bool {
        let called_for = self.purchase_needed() || matches!(self.tables.reach, Reach::Portal | Reach::Limited);
        called_for && !self.portal_source().0.is_empty()
    }

    fn operator_hand_over(&self) -> Option<HandOver> {
        let base = self.subscriber.account_url()?;
        let told = match self.subscriber.state.settings.hand_over {
            HandOverPolicy::NeverIdentify => Parameters::default(),
            HandOverPolicy::Ask | HandOverPolicy::Always => Parameters::of(&self.subscriber.identity),
        };
        hand_over(base, &told).ok()
    }

    /// The operator's own URL gets parameters; one that a redirect taught never does. `[OPER 5]`
    pub(super) fn portal_url(&mut self, now: Time) -> Result<Reply, RequestError> {
        let found = match self.operator_hand_over() {
            Some(over) => Some((over.reveal().to_owned(), "operator")),
            None => self.online.learnt.clone(),
        };
        let Some((url, source)) = found else {
            let text = "No site of the operator is known for this SIM; ask the operator.";
            return Err(reason::error(RequestErrorKind::NotFound, "no-portal", text));
        };
        if self.tables.reach == Reach::Portal && self.online.hand_over.is_none() {
            // Somebody is about to buy: look more often.
            self.online.hand_over = Some(now);
            self.schedule(now);
        }
        Ok(Reply::PortalUrl { url: url.into(), source })
    }
}

/// Host and port of the operator's own site, from what a hand-over would lead to.
fn site_of(host: &str, url: &str) -> (String, u16) {
    let authority = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).unwrap_or("");
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(443);
    (host.to_owned(), port)
}

/// When what the network's API said no longer holds.
fn expiry(now: Time, report: &ProbeReport) -> Option<Time> {
    let answer = report.link.api.as_ref()?.answer.as_ref().ok()?;
    let left = answer.seconds_remaining.filter(|_| !answer.captive)?;
    // Nobody's plan ends in more than a year; more would only overflow.
    let left = Duration::from_secs(left.min(366 * 24 * 3600));
    Some(now + left.saturating_sub(BEFORE_EXPIRY).max(SOONEST_EXPIRY))
}

/// How many octets the network's API leaves.
fn allowance(report: &ProbeReport) -> Option<u64> {
    let answer = report.link.api.as_ref()?.answer.as_ref().ok()?;
    answer.bytes_remaining.filter(|left| !answer.captive && *left > 0)
}

fn state_of(worth: Worth) -> ConnectivityState {
    match worth {
        Worth::Full => ConnectivityState::Full,
        Worth::Portal => ConnectivityState::Portal,
        Worth::Limited => ConnectivityState::Limited,
    }
}

fn worth_name(worth: Worth) -> &'static str {
    match worth {
        Worth::Full => "full",
        Worth::Portal => "portal",
        Worth::Limited => "limited",
    }
}

/// The state that others see.
pub(super) fn shown(reach: Reach) -> ConnectivityState {
    match reach {
        Reach::None => ConnectivityState::None,
        Reach::Unknown => ConnectivityState::Unknown,
        Reach::Portal => ConnectivityState::Portal,
        Reach::Limited => ConnectivityState::Limited,
        Reach::Full | Reach::Doubted => ConnectivityState::Full,
    }
}

fn shown_name(reach: Reach) -> &'static str {
    match shown(reach) {
        ConnectivityState::Unknown => "unknown",
        ConnectivityState::None => "none",
        ConnectivityState::Portal => "portal",
        ConnectivityState::Limited => "limited",
        ConnectivityState::Full => "full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::{ApiAnswer, ApiSeen, LinkSeen};

    #[test]
    fn an_api_that_names_an_end_is_asked_again_before_it() {
        let now = Duration::from_secs(1000);
        let next = |captive, seconds_remaining| {
            let answer = ApiAnswer { captive, seconds_remaining, ..ApiAnswer::default() };
            let api = Some(ApiSeen { source: "record", answer: Ok(answer) });
            let report = ProbeReport { link: LinkSeen { api, ..LinkSeen::default() }, ..ProbeReport::default() };
            expiry(now, &report).map(|at| (at - now).as_secs())
        };
        assert_eq!(next(false, Some(326)), Some(296));
        assert_eq!(next(false, Some(3)), Some(10), "not at once, and again, and again");
        assert_eq!(next(false, Some(u64::MAX)), Some(366 * 24 * 3600 - 30));
        assert_eq!(next(true, Some(326)), None, "the schedule of a portal is closer");
        assert_eq!(next(false, None), None);
        assert_eq!(expiry(now, &ProbeReport::default()), None);
    }
}

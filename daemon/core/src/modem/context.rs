//! The default data context: gates, activation, addresses, link, loss. `[MBIM reference, 17]`, `[OPER 3.7]`

use core::time::Duration;

use daemon_operator::next::{self, NO_ANSWER, Stop};
use daemon_operator::profile::RoamingState;
use daemon_operator::{Candidate, Identity, Layers, Profile, Wishes};
use mbim_proto::status::{NwError, Status};

use super::ask::{Answer, Asked};
use super::dial::{AfterDrop, AfterFailure, Dial, ended_by_network, is_left_over};
use super::link::ADDRESS_AGAIN;
use super::machine::Modem;
use super::read::ConnectFact;
use super::reason::{self, reason};
use super::tables::{Context, ContextEvent, PacketState, Power, RadioState, RegistrationState, SimState};
use super::timer::Timer;
use super::unheard;
use crate::Time;
use crate::event::Event;
use crate::request::RequestErrorKind;
use crate::session::{Outcome, deadline};
use crate::snapshot::Reason;
use crate::subscriber::{RoamingPolicy, UserApn};

/// The session id of the default context.
pub(super) const SESSION: u32 = 0;
/// How long an unanswered CONNECT may last while the modem says that there is no context, before it counts as lost;
/// twice as long each time, for a modem that says so while it is still at work.
pub(super) const PATIENCE: Duration = Duration::from_secs(6);
/// Doublings of [`PATIENCE`].
pub(super) const MORE_PATIENCE: u32 = 4;
/// Activations that are sent again at once, in one round, because they went unanswered.
pub(super) const UNHEARD_TRIES: u32 = 3;
/// How long what is asked again may take.
const LOOK: Duration = Duration::from_secs(2);
/// Tries while the modem says BUSY, a second apart.
pub(super) const BUSY_TRIES: u32 = 8;
/// A connection that held so long was a good one: the next loss counts as the first.
pub(super) const HELD_WELL: Duration = Duration::from_secs(60);

/// What is missing before a context can be made.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) reason: Reason,
    /// Waiting does not help; somebody has to do something.
    pub(super) permanent: bool,
}

impl Modem {
    /// The first thing that is missing; `None` = dialling may begin.
    pub(super) fn gate(&self) -> Option<Gate> {
        if let Some(gate) = self.ground() {
            return Some(gate);
        }
        if !self.facts.context_known {
            let text = "The modem is being asked for contexts that are left over.";
            return Some(Gate { reason: reason("context-unknown", text), permanent: false });
        }
        self.candidates_gate()
    }

    /// What is missing before any context can be made, whichever it is.
    pub(super) fn ground(&self) -> Option<Gate> {
        let wait = |reason| Some(Gate { reason, permanent: false });
        let stop = |reason| Some(Gate { reason, permanent: true });
        if self.config.port.interface.is_none() {
            return stop(reason(
                "no-data-interface",
                "The modem was given without a data interface; name one with net=.",
            ));
        }
        match self.tables.power {
            Power::Ready => {}
            Power::Opening | Power::Recovering | Power::Reopening => {
                return wait(reason("session-opening", "The modem is starting; wait a moment."));
            }
            _ => {
                let text = "The modem is not usable; plug it in again.";
                return stop(self.trouble.clone().unwrap_or_else(|| reason("no-session", text)));
            }
        }
        if self.blocked {
            return stop(reason("radio-blocked", "Airplane mode is on; switch it off."));
        }
        if let Some(why) = reason::sim(self.tables.sim) {
            let passing = matches!(self.tables.sim, SimState::Unknown | SimState::Starting)
                || self.tables.sim == SimState::Missing && self.timers.runs(Timer::Sim);
            return if passing { wait(why) } else { stop(why) };
        }
        match self.tables.radio {
            RadioState::HardwareOff => {
                return stop(reason("radio-hardware-off", "The radio switch of the machine is off; switch it on."));
            }
            _ if !self.radio_wish => return stop(reason("radio-off", "The radio was switched off; switch it on.")),
            RadioState::On => {}
            _ => return wait(reason("radio-starting", "The radio is being switched on; wait a moment.")),
        }
        match self.tables.registration {
            RegistrationState::Denied => {
                let cause = self.facts.register.as_ref().map_or(0, |fact| fact.nw_error);
                return stop(reason(
                    "registration-denied",
                    format!("The network refuses this SIM ({}, cause {cause}); ask the operator.", NwError(cause)),
                ));
            }
            state if !state.is_registered() => {
                return wait(reason(
                    "not-registered",
                    "The modem is looking for a network; wait, or look for coverage.",
                ));
            }
            _ => {}
        }
        if !self.roaming_allowed() {
            return stop(reason(
                "roaming-not-allowed",
                "Data while roaming is off for this SIM; allow it with `mbimctl settings`.",
            ));
        }
        if self.tables.packet != PacketState::Attached {
            let cause = self.facts.attach_error;
            let text = if cause == 0 {
                "The modem is registered but not attached for data yet; wait a moment.".to_owned()
            } else {
                format!("The network refuses data ({}, cause {cause}); ask the operator.", NwError(cause))
            };
            return wait(reason("not-attached", text));
        }
        None
    }

    /// What is missing before it is known what to try.
    pub(super) fn candidates_gate(&self) -> Option<Gate> {
        let wait = |reason| Some(Gate { reason, permanent: false });
        if self.subscriber.choice.is_none() || self.subscriber.stale {
            return wait(reason("operator-unknown", "The operator's records are being read."));
        }
        if self.waits_for_card() {
            return wait(reason(
                "card-files",
                "The SIM's files are being read: its numbers alone do not tell the operator.",
            ));
        }
        None
    }

    pub(super) fn roaming_state(&self) -> RoamingState {
        let equivalent = self.facts.register.as_ref().is_some_and(|fact| {
            self.subscriber.identity.ehplmn.iter().any(|plmn| plmn.to_string() == fact.provider_id)
        });
        match self.tables.registration {
            RegistrationState::Roaming if !equivalent => RoamingState::Roaming,
            RegistrationState::Partner if !equivalent => RoamingState::Partner,
            _ => RoamingState::Home,
        }
    }

    pub(super) fn roaming(&self) -> bool {
        self.roaming_state() != RoamingState::Home
    }

    pub(super) fn roaming_allowed(&self) -> bool {
        match self.subscriber.state.settings.roaming {
            RoamingPolicy::Any => true,
            RoamingPolicy::Partner => self.roaming_state() != RoamingState::Roaming,
            RoamingPolicy::Home => self.roaming_state() == RoamingState::Home,
        }
    }

    /// Whether a context is wanted, by a person, a procedure or the settings.
    pub(super) fn wants_context(&self) -> bool {
        if self.requests.stopping() {
            return false;
        }
        let automatic = self.subscriber.loaded && self.subscriber.state.settings.autoconnect && !self.dialer.user_off;
        self.requests.job_connects() || self.dialer.held || automatic
    }

    pub(super) fn advance_context(&mut self, now: Time) {
        match self.tables.context {
            Context::Down if self.adoption.undecided() => {}
            Context::Down | Context::Waiting if self.sleep.near() => {}
            Context::Down | Context::Waiting => {
                if !self.wants_context() {
                    self.timers.clear(Timer::Retry);
                    self.step(|t| &mut t.context, ContextEvent::Rest);
                    self.dialer.end_round();
                    return;
                }
                let held_back =
                    self.dialer.hold.is_some() || self.timers.runs(Timer::Retry) || self.requests.busy_off();
                if !held_back && !self.facts.context_known && self.tables.packet == PacketState::Attached {
                    self.ask_context(now);
                }
                if held_back || self.gate().is_some() || self.is_asked(|a| matches!(a, Asked::Activate)) {
                    return;
                }
                if !self.waits_as_before(now) {
                    self.dial(now);
                }
            }
            Context::Activating | Context::Configuring | Context::Linking | Context::Up => {
                if !self.wants_context() {
                    self.drop_context(now, "not-wanted");
                } else if self.tables.registration.is_registered() && !self.roaming_allowed() {
                    self.drop_context(now, "roaming-not-allowed");
                }
            }
            Context::Deactivating => {}
        }
    }

    // ---- dialling

    fn dial(&mut self, now: Time) {
        if !self.dialer.redial {
            if !self.dialer.in_round {
                self.begin_round(now);
            }
            self.dialer.current = self.dialer.round.pop_front();
        }
        self.dialer.redial = false;
        let Some(dial) = self.dialer.current.clone() else { return self.round_failed(now) };
        if !self.step(|t| &mut t.context, ContextEvent::Dial) {
            return;
        }
        self.dialer.lost = false;
        self.dialer.waits = false;
        self.dialer.dialled = now;
        self.emit(
            Event::info("connecting")
                .with("apn", &dial.candidate.apn)
                .with("ip", dial.ip_type.as_str())
                .with("auth", dial.auth.as_str())
                .with("source", dial.candidate.source.as_str())
                .with("criterion", dial.candidate.criterion.to_string()),
        );
        self.watch(now, deadline::ACTIVATE);
        self.ask_activate(now, &dial);
    }

    /// Begins to watch an activation or deactivation: while nothing is heard the modem is asked how far it is.
    fn watch(&mut self, now: Time, within: Duration) {
        self.dialer.deadline = now + within;
        self.dialer.looks = 0;
        self.dialer.denials = 0;
        self.timers.set(Timer::Activation, now + unheard::pause(0));
    }

    fn begin_round(&mut self, now: Time) {
        self.dialer.end_round();
        self.dialer.in_round = true;
        self.dialer.tries.clear();
        let roaming = self.roaming();
        if let Some(user) = &self.dialer.named {
            let dial = named_candidate(user).map(|candidate| Dial::new(candidate, roaming, false));
            self.dialer.round.extend(dial);
            return;
        }
        self.subscriber.bad.retain(|_, until| *until > now);
        let Some(choice) = &self.subscriber.choice else { return };
        let state = self.roaming_state();
        let rounds = choice.rounds();
        let Some(round) = rounds.get(self.dialer.round_index % rounds.len().max(1)) else { return };
        let allowed: Vec<&Candidate> = round.iter().copied().filter(|c| c.allowed(state)).collect();
        let good: Vec<&Candidate> =
            allowed.iter().copied().filter(|c| !self.subscriber.bad.contains_key(&c.key())).collect();
        // When all of them were refused lately, they get another chance: better than silence for a day.
        let mut list = if good.is_empty() { allowed } else { good };
        // What the card does not allow will be refused by the modem itself: it comes last, should the list be stale.
        let on_card = &self.facts.card.allowed;
        list.sort_by_key(|c| !on_card.is_empty() && !on_card.iter().any(|apn| apn.eq_ignore_ascii_case(&c.apn)));
        self.dialer.round = list.into_iter().map(|c| Dial::new(c.clone(), roaming, false)).collect();
    }

    /// Answer to CONNECT set, activate.
    pub(super) fn on_activate(&mut self, now: Time, answer: Answer<ConnectFact>) {
        if self.tables.context != Context::Activating {
            return;
        }
        match answer {
            Answer::Body(Status::SUCCESS, fact) => match fact.state {
                1 => self.on_activated(now),
                2 => self.watch(now, deadline::ACTIVATE),
                _ => self.dial_failed(now, Status::FAILURE.0, fact.nw_error),
            },
            Answer::Status(Status::SUCCESS) => self.on_activated(now),
            Answer::Body(status, fact) => self.dial_failed(now, status.0, fact.nw_error),
            Answer::Status(status) => self.dial_failed(now, status.0, 0),
            Answer::Malformed | Answer::None(Outcome::TimedOut | Outcome::Refused(_)) => self.activation_lost(now),
            Answer::None(Outcome::Dropped | Outcome::Gone | Outcome::Answered { .. }) => {}
        }
    }

    pub(super) fn on_activation_overdue(&mut self, now: Time) {
        if now < self.dialer.deadline {
            self.ask_context(now);
            self.dialer.looks += 1;
            let next = (now + unheard::pause(self.dialer.looks)).min(self.dialer.deadline);
            return self.timers.set(Timer::Activation, next);
        }
        match self.tables.context {
            Context::Activating => self.activation_lost(now),
            Context::Deactivating => self.dropped(now),
            _ => {}
        }
    }

    fn patience(&self) -> Duration {
        PATIENCE * (1 << self.dialer.unheard.min(MORE_PATIENCE))
    }

    /// No answer: the modem may still make the context, so it has to be told not to.
    fn activation_lost(&mut self, now: Time) {
        self.dialer.after_drop = AfterDrop::Failed(NO_ANSWER);
        self.drop_context(now, "no-answer");
    }

    fn on_activated(&mut self, now: Time) {
        self.timers.clear(Timer::Activation);
        if self.step(|t| &mut t.context, ContextEvent::Activated) {
            self.give_up_on(now, |asked| matches!(asked, Asked::Activate | Asked::ContextQuery));
            self.dialer.deadline = now + next::ADDRESS_DEADLINE;
            self.timers.set(Timer::Address, now + ADDRESS_AGAIN);
            self.ask_ip(now);
        }
    }

    /// CONNECT was asked: before the first activation, after sleep, or because an answer stays away.
    pub(super) fn on_context_query(&mut self, now: Time, answer: Answer<ConnectFact>) {
        if self.adoption.undecided() && self.tables.context == Context::Down {
            // What it means depends on whose modem and SIM this is.
            let fact = if let Answer::Body(Status::SUCCESS, fact) = answer { Some(fact) } else { None };
            self.adoption.told = Some(fact);
            return;
        }
        self.facts.context_known = true;
        let Answer::Body(Status::SUCCESS, fact) = answer else { return };
        let active = matches!(fact.state, 1 | 2);
        match self.tables.context {
            Context::Down | Context::Waiting if active => {
                self.emit(Event::info("disconnected").with("reason", "stale"));
                self.drop_context(now, "stale");
            }
            Context::Up if !active && fact.state != 0 => self.context_lost(now, fact.nw_error, "network"),
            Context::Activating if fact.state == 1 => self.on_activated(now),
            Context::Activating if !active => {
                let answered = !self.is_asked(|a| matches!(a, Asked::Activate));
                self.dialer.denials += 1;
                if answered {
                    self.dial_failed(now, Status::FAILURE.0, fact.nw_error);
                } else if self.dialer.denials >= unheard::DENIALS && now >= self.dialer.dialled + self.patience() {
                    self.activation_lost(now);
                }
            }
            Context::Deactivating if !active => self.dropped(now),
            _ => {}
        }
    }

    pub(super) fn on_connect_indication(&mut self, now: Time, fact: &ConnectFact) {
        if fact.session != SESSION {
            return self.on_extra_indication(now, fact);
        }
        match (fact.state, self.tables.context) {
            (1, Context::Activating) => self.on_activated(now),
            // Where the answer is still to come it decides: this may be about a context of before.
            (3, Context::Activating) if !self.is_asked(|a| matches!(a, Asked::Activate)) => {
                self.dial_failed(now, Status::FAILURE.0, fact.nw_error);
            }
            (3, Context::Configuring | Context::Linking | Context::Up) => {
                self.context_lost(now, fact.nw_error, "network");
            }
            (3, Context::Deactivating) if !self.is_asked(|a| matches!(a, Asked::Deactivate)) => self.dropped(now),
            _ => {}
        }
    }

    /// The attempt failed. `status` may be [`NO_ANSWER`].
    fn dial_failed(&mut self, now: Time, status: u32, cause: u32) {
        self.timers.clear(Timer::Activation);
        self.timers.clear(Timer::Address);
        if self.tables.context == Context::Activating {
            self.step(|t| &mut t.context, ContextEvent::Refused);
        }
        let Some(dial) = self.dialer.current.clone() else { return self.round_failed(now) };
        let said = said(status, cause);
        self.emit(dial.failure(&said, cause));
        self.note_try(&dial, &said);
        if status == Status::BUSY.0 && self.dialer.busy < BUSY_TRIES {
            self.dialer.busy += 1;
            self.dialer.redial = true;
            self.timers.set(Timer::Retry, now + Duration::from_secs(1));
            return;
        }
        if status == NO_ANSWER {
            self.dialer.unheard += 1;
            if self.dialer.unheard <= UNHEARD_TRIES {
                self.dialer.redial = true;
                return self.timers.set(Timer::Retry, now + Duration::from_secs(1));
            }
        }
        if is_left_over(status, cause) && !self.dialer.cleared {
            self.dialer.cleared = true;
            self.dialer.after_drop = AfterDrop::Again;
            return self.drop_context(now, "stale");
        }
        match dial.after_failure(status, cause) {
            AfterFailure::Again(dial) => {
                self.dialer.current = Some(*dial);
                self.dialer.redial = true;
            }
            AfterFailure::Next { mark_bad, not_subscribed } => {
                if mark_bad && self.dialer.named.is_none() && !dial.candidate.apn.is_empty() {
                    self.subscriber.bad.insert(dial.candidate.key(), now + next::BAD_FOR);
                }
                self.dialer.purchase |= not_subscribed;
                self.next_candidate(now);
            }
            AfterFailure::Stop(Stop::NotActivated) => {
                self.dialer.purchase = true;
                if !self.purchase_round() {
                    self.dialer.hold = Some(Stop::NotActivated);
                    self.round_over(now, None);
                }
            }
            AfterFailure::Stop(Stop::MaxContexts) => self.round_over(now, Some(next::round_backoff(0))),
            AfterFailure::Stop(Stop::State) => {
                // The modem contradicts what was known of it: it is asked for everything again.
                self.look_again(now);
                self.dialer.hold = None;
                if self.requests.job_connects() && !self.dialer.contradicted {
                    // Who waits for the connection gets another try when it is known what is missing.
                    self.dialer.contradicted = true;
                    self.dialer.end_round();
                    return self.timers.set(Timer::Retry, now + LOOK);
                }
                self.round_over(now, Some(Duration::from_secs(30)));
            }
            AfterFailure::Stop(stop) => {
                self.look_again(now);
                self.dialer.hold = Some(stop);
                self.round_over(now, None);
            }
            AfterFailure::BackOff => {
                let pause = next::congestion_backoff(self.dialer.congested);
                self.dialer.congested += 1;
                self.round_over(now, Some(pause));
            }
        }
    }

    fn note_try(&mut self, dial: &Dial, said: &str) {
        self.dialer.tries.push(dial.line(said));
        self.dialer.error = Some(reason("connect-refused", format!("Connecting failed: {said}.")));
    }

    fn next_candidate(&mut self, now: Time) {
        self.dialer.current = None;
        if self.dialer.round.is_empty() {
            self.round_failed(now);
        }
    }

    /// The purchase profiles as a round of their own, once, where the network wants a purchase. `[OPER 3.6]`
    fn purchase_round(&mut self) -> bool {
        if self.dialer.purchase_tried || self.dialer.named.is_some() {
            return false;
        }
        let roaming = self.roaming();
        let Some(choice) = &self.subscriber.choice else { return false };
        let list: std::collections::VecDeque<Dial> =
            choice.purchase().map(|c| Dial::new(c.clone(), roaming, true)).collect();
        if list.is_empty() {
            return false;
        }
        self.dialer.purchase_tried = true;
        self.dialer.current = None;
        self.dialer.in_round = true;
        self.dialer.round = list;
        true
    }

    fn round_failed(&mut self, now: Time) {
        if self.dialer.purchase && self.purchase_round() {
            return;
        }
        let pause = next::round_backoff(self.dialer.failed_rounds);
        self.dialer.failed_rounds += 1;
        self.dialer.round_index += 1;
        self.round_over(now, Some(pause));
    }

    /// No more tries in this round. Who asked for the connection is told every try; the settings' wish waits.
    fn round_over(&mut self, now: Time, pause: Option<Duration>) {
        self.dialer.end_round();
        // An answer may have lied: before the next round the modem is asked whether a context is there after all.
        self.facts.context_known = false;
        let tries = core::mem::take(&mut self.dialer.tries).join("; ");
        let purchase = self.dialer.purchase;
        if self.requests.job_connects() {
            let (code, next) = if purchase {
                ("not-subscribed", "buy or activate a plan with the operator")
            } else {
                ("connect-refused", "check the APN, or ask the operator")
            };
            let error = reason::error(
                RequestErrorKind::Refused,
                code,
                format!("The network did not connect: {tries}; {next}."),
            );
            self.dialer.held = false;
            self.finish_job(Err(error));
        }
        self.dialer.named = None;
        if !self.wants_context() {
            return;
        }
        self.step(|t| &mut t.context, ContextEvent::Await);
        if let Some(pause) = pause {
            self.timers.set(Timer::Retry, now + pause);
            self.dialer.waits = true;
            self.emit(Event::info("retry").with("in_s", pause.as_secs()));
        }
        self.keep_memory(now, false);
    }

    // ---- ending

    /// Deactivates; what follows stands in [`AfterDrop`].
    pub(super) fn drop_context(&mut self, now: Time, why: &'static str) {
        let was = self.tables.context;
        if !self.step(|t| &mut t.context, ContextEvent::Drop) {
            return;
        }
        if was == Context::Up {
            self.emit(Event::info("disconnected").with("reason", why));
        }
        self.timers.clear(Timer::Activation);
        self.timers.clear(Timer::Address);
        self.compare_at_end(now);
        self.link_down();
        self.watch(now, deadline::DEACTIVATE);
        self.ask_deactivate(now);
    }

    /// Answer to CONNECT set, deactivate. Not activated, and no SIM, count as done.
    pub(super) fn on_deactivate(&mut self, now: Time, answer: Answer<ConnectFact>) {
        if self.tables.context != Context::Deactivating {
            return;
        }
        match answer {
            Answer::Body(Status::SUCCESS, fact) if matches!(fact.state, 1 | 4) => {
                self.watch(now, deadline::DEACTIVATE);
            }
            Answer::Body(status, _) | Answer::Status(status) => {
                let done = [Status::SUCCESS, Status::CONTEXT_NOT_ACTIVATED, Status::SIM_NOT_INSERTED];
                if !done.contains(&status) {
                    self.emit(Event::warn("error").with("what", "disconnect").with("status", status));
                }
                self.dropped(now);
            }
            Answer::None(Outcome::Dropped | Outcome::Gone) => {}
            Answer::None(_) | Answer::Malformed => {
                self.emit(Event::warn("error").with("what", "disconnect").with("status", "no-answer"));
                self.dropped(now);
            }
        }
    }

    fn dropped(&mut self, now: Time) {
        self.timers.clear(Timer::Activation);
        if !self.step(|t| &mut t.context, ContextEvent::Dropped) {
            return;
        }
        // The modem says that there is no context: an answer that still comes is about nothing.
        self.give_up_on(now, |asked| matches!(asked, Asked::Activate | Asked::Deactivate | Asked::Ip));
        match core::mem::take(&mut self.dialer.after_drop) {
            AfterDrop::Nothing => self.dialer.end_round(),
            AfterDrop::Failed(status) => self.dial_failed(now, status, 0),
            AfterDrop::Useless(why) => {
                if let Some(dial) = self.dialer.current.clone() {
                    self.note_try(&dial, why.code);
                }
                self.dialer.error = Some(why);
                self.next_candidate(now);
            }
            AfterDrop::Next => self.next_candidate(now),
            AfterDrop::Again => self.dialer.redial = true,
        }
        self.disconnected();
    }

    /// The context is gone without our doing.
    pub(super) fn context_lost(&mut self, now: Time, cause: u32, why: &'static str) {
        let was = self.tables.context;
        if matches!(was, Context::Down | Context::Waiting) {
            return;
        }
        self.step(|t| &mut t.context, ContextEvent::Lost);
        self.timers.clear(Timer::Activation);
        self.timers.clear(Timer::Address);
        if self.dialer.since.is_some_and(|since| now.saturating_sub(since) >= HELD_WELL) {
            self.dialer.losses = 0;
        }
        self.link_down();
        self.emit(Event::warn("disconnected").with("reason", why).with("cause", cause));
        self.dialer.error = Some(ended_by_network(cause));
        self.dialer.after_drop = AfterDrop::Nothing;
        self.dialer.lost = true;
        self.dialer.end_round();
        let pause = next::congestion_backoff(self.dialer.losses);
        self.dialer.losses += 1;
        self.timers.set(Timer::Retry, now + pause);
        self.disconnected();
    }

    /// Whether another candidate is to be tried although this one connected. `[OPER 3.7]`
    pub(super) fn try_next_for_limited(&mut self, now: Time, ever_good: bool) {
        let ambiguous = self.subscriber.choice.as_ref().is_some_and(|c| c.verdict == daemon_operator::Match::Ambiguous);
        let more = !self.dialer.round.is_empty();
        if more && next::try_next_after(next::Success::Limited { ever_good, ambiguous }) {
            self.dialer.after_drop = AfterDrop::Next;
            self.drop_context(now, "limited");
        } else if !more && !ever_good && self.purchase_round() {
            // Every internet APN connected without internet: the purchase APN is due. `[OPER 3.6]`
            self.dialer.after_drop = AfterDrop::Next;
            self.drop_context(now, "limited");
        }
    }
}

pub(super) fn said(status: u32, cause: u32) -> String {
    match (status, cause) {
        (NO_ANSWER, _) => "no answer in time".to_owned(),
        (status, 0) => Status(status).to_string(),
        (_, cause) => format!("{} (cause {cause})", NwError(cause)),
    }
}

/// The candidate that an APN given by a person makes.
pub(super) fn named_candidate(user: &UserApn) -> Option<Candidate> {
    candidate_of(super::operator::user_profile(user))
}

/// The candidate of a profile that is the only one.
pub(super) fn candidate_of(profile: Profile) -> Option<Candidate> {
    let wishes = Wishes { profiles: vec![profile], ..Wishes::default() };
    Layers::default().choose(&Identity::default(), &wishes).candidates.into_iter().next()
}

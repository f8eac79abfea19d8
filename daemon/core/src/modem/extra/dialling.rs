//! Trying its candidates, and what CONNECT says of them.

use core::time::Duration;

use daemon_operator::next::{self, NO_ANSWER, Stop};
use mbim_proto::status::Status;

use super::{ACTIVATED, ACTIVATING, Extra, Order, Question};
use crate::Time;
use crate::event::Event;
use crate::modem::ask::Answer;
use crate::modem::context::{BUSY_TRIES, MORE_PATIENCE, PATIENCE, UNHEARD_TRIES, said};
use crate::modem::dial::{AfterDrop, AfterFailure, Dial, is_left_over};
use crate::modem::link::ADDRESS_AGAIN;
use crate::modem::read::ConnectFact;
use crate::modem::reason::{self, reason};
use crate::modem::tables::{Context, ContextEvent};
use crate::modem::unheard;
use crate::request::RequestErrorKind as Kind;
use crate::session::{Outcome, deadline};

/// Wait after a failure that another state of SIM, radio or network would end.
const STATE: Duration = Duration::from_secs(30);
/// It says so of one that is not.
const DEACTIVATED: u32 = 3;
/// It says so of one that is being ended.
const DEACTIVATING: u32 = 4;

impl Extra {
    // ---- dialling

    /// A person's wish: grudges and waits are forgotten.
    pub(super) fn fresh_round(&mut self) {
        self.failed_rounds = 0;
        self.congested = 0;
        self.unheard = 0;
        self.tries.clear();
        self.set_wake(None);
        self.end_round();
    }

    pub(super) fn end_round(&mut self) {
        self.in_round = false;
        self.round.clear();
        self.current = None;
        self.redial = false;
        self.busy = 0;
        self.cleared = false;
    }

    pub(super) fn dial(&mut self, now: Time) {
        self.set_wake(None);
        if !self.redial {
            if !self.in_round {
                self.in_round = true;
                self.tries.clear();
            }
            self.current = self.round.pop_front();
        }
        self.redial = false;
        let Some(dial) = self.current.clone() else { return self.round_failed(now) };
        if !self.step(ContextEvent::Dial) {
            return;
        }
        self.lost = false;
        self.dialled = now;
        self.emit(
            Event::info("connecting")
                .with("apn", &dial.candidate.apn)
                .with("ip", dial.ip_type.as_str())
                .with("auth", dial.auth.as_str()),
        );
        self.watch(now, deadline::ACTIVATE);
        self.asked.push(Question::Activate);
        self.orders.push_back(Order::Ask(Question::Activate, Some(Box::new(dial))));
    }

    pub(super) fn watch(&mut self, now: Time, within: Duration) {
        self.deadline = now + within;
        self.looks = 0;
        self.denials = 0;
        self.set_wake(Some(now + unheard::pause(0)));
    }

    pub(super) fn activated(&mut self, now: Time) {
        if self.step(ContextEvent::Activated) {
            self.give_up(&[Question::Activate, Question::Context]);
            self.deadline = now + next::ADDRESS_DEADLINE;
            self.set_wake(Some(now + ADDRESS_AGAIN));
            self.ask(Question::Ip);
        }
    }

    /// No answer: the modem may still make the context, so it has to be told not to.
    pub(super) fn activation_lost(&mut self, now: Time) {
        self.after_drop = AfterDrop::Failed(NO_ANSWER);
        self.drop_context(now, "no-answer");
    }

    /// The attempt failed. `status` may be [`NO_ANSWER`].
    pub(super) fn dial_failed(&mut self, now: Time, status: u32, cause: u32) {
        self.set_wake(None);
        if self.context == Context::Activating {
            self.step(ContextEvent::Refused);
        }
        let Some(dial) = self.current.clone() else { return self.round_failed(now) };
        let said = said(status, cause);
        self.emit(dial.failure(&said, cause));
        self.note_try(&dial, &said);
        let again = match status {
            status if status == Status::BUSY.0 => {
                self.busy += 1;
                self.busy <= BUSY_TRIES
            }
            NO_ANSWER => {
                self.unheard += 1;
                self.unheard <= UNHEARD_TRIES
            }
            _ => false,
        };
        if again {
            self.redial = true;
            return self.set_wake(Some(now + Duration::from_secs(1)));
        }
        if is_left_over(status, cause) && !self.cleared {
            self.cleared = true;
            self.after_drop = AfterDrop::Again;
            return self.drop_context(now, "stale");
        }
        match dial.after_failure(status, cause) {
            AfterFailure::Again(dial) => {
                self.current = Some(*dial);
                self.redial = true;
            }
            AfterFailure::Next { .. } => self.next_candidate(now),
            AfterFailure::Stop(stop) => {
                if matches!(stop, Stop::State | Stop::Registration) {
                    self.orders.push_back(Order::LookAgain);
                }
                let pause = if stop == Stop::State { STATE } else { next::round_backoff(self.failed_rounds) };
                self.failed_rounds += 1;
                self.round_over(now, pause);
            }
            AfterFailure::BackOff => {
                let pause = next::congestion_backoff(self.congested);
                self.congested += 1;
                self.round_over(now, pause);
            }
        }
    }

    pub(super) fn note_try(&mut self, dial: &Dial, said: &str) {
        self.tries.push(dial.line(said));
        self.error = Some(reason("connect-refused", format!("Connecting failed: {said}.")));
    }

    pub(super) fn next_candidate(&mut self, now: Time) {
        self.current = None;
        if self.round.is_empty() {
            self.round_failed(now);
        }
    }

    pub(super) fn round_failed(&mut self, now: Time) {
        let pause = next::round_backoff(self.failed_rounds);
        self.failed_rounds += 1;
        self.round_over(now, pause);
    }

    /// No more tries in this round. Who asked for it is told every try, and that is its end; what was up before is
    /// tried again later.
    pub(super) fn round_over(&mut self, now: Time, pause: Duration) {
        self.end_round();
        self.known = false;
        let tries = core::mem::take(&mut self.tries).join("; ");
        let asked = self.connect.is_some();
        let tries = if tries.is_empty() { "no access point is known".to_owned() } else { tries };
        let text = format!("The network did not connect: {tries}; check the APN, or ask the operator.");
        self.answer_connect(Err(reason::error(Kind::Refused, "connect-refused", text)));
        if asked || !self.held {
            self.leaving = true;
            return;
        }
        self.step(ContextEvent::Await);
        self.set_wake(Some(now + pause));
        self.emit(Event::info("retry").with("in_s", pause.as_secs()));
    }

    // ---- what the modem says

    /// An answer of CONNECT.
    pub(in crate::modem) fn answered(&mut self, now: Time, question: Question, answer: Answer<ConnectFact>) {
        self.asked.retain(|asked| *asked != question);
        match question {
            Question::Context => self.on_context(now, answer),
            Question::Activate => self.on_activate(now, answer),
            Question::Deactivate => self.on_deactivate(now, answer),
            Question::Ip => {}
        }
    }

    pub(super) fn on_context(&mut self, now: Time, answer: Answer<ConnectFact>) {
        let fact = if let Answer::Body(Status::SUCCESS, fact) = answer { Some(fact) } else { None };
        if self.pending.is_some() {
            self.told = Some(fact);
            return;
        }
        self.known = true;
        let Some(fact) = fact else { return };
        let active = matches!(fact.state, ACTIVATED | ACTIVATING);
        match self.context {
            Context::Down | Context::Waiting if active => {
                self.after_drop = AfterDrop::Nothing;
                self.drop_context(now, "stale");
            }
            Context::Up if !active && fact.state != 0 => self.lost(now, fact.nw_error, "network"),
            Context::Activating if fact.state == ACTIVATED => self.activated(now),
            Context::Activating if !active => {
                self.denials += 1;
                let patience = PATIENCE * (1 << self.unheard.min(MORE_PATIENCE));
                if !self.asked.contains(&Question::Activate) {
                    self.dial_failed(now, Status::FAILURE.0, fact.nw_error);
                } else if self.denials >= unheard::DENIALS && now >= self.dialled + patience {
                    self.activation_lost(now);
                }
            }
            Context::Deactivating if !active => self.dropped(now),
            _ => {}
        }
    }

    pub(super) fn on_activate(&mut self, now: Time, answer: Answer<ConnectFact>) {
        if self.context != Context::Activating {
            return;
        }
        match answer {
            Answer::Body(Status::SUCCESS, fact) => match fact.state {
                ACTIVATED => self.activated(now),
                ACTIVATING => self.watch(now, deadline::ACTIVATE),
                _ => self.dial_failed(now, Status::FAILURE.0, fact.nw_error),
            },
            Answer::Status(Status::SUCCESS) => self.activated(now),
            Answer::Body(status, fact) => self.dial_failed(now, status.0, fact.nw_error),
            Answer::Status(status) => self.dial_failed(now, status.0, 0),
            Answer::Malformed | Answer::None(Outcome::TimedOut | Outcome::Refused(_)) => self.activation_lost(now),
            Answer::None(Outcome::Dropped | Outcome::Gone | Outcome::Answered { .. }) => {}
        }
    }

    pub(super) fn on_deactivate(&mut self, now: Time, answer: Answer<ConnectFact>) {
        if self.context != Context::Deactivating {
            return;
        }
        match answer {
            Answer::Body(Status::SUCCESS, fact) if matches!(fact.state, ACTIVATED | DEACTIVATING) => {
                self.watch(now, deadline::DEACTIVATE);
            }
            Answer::None(Outcome::Dropped | Outcome::Gone) => {}
            // Not activated, and no SIM, are as good as done; more cannot be had from the others.
            _ => self.dropped(now),
        }
    }

    /// CONNECT, indicated.
    pub(in crate::modem) fn indicated(&mut self, now: Time, fact: &ConnectFact) {
        match (fact.state, self.context) {
            (ACTIVATED, Context::Activating) => self.activated(now),
            // Where the answer is still to come it decides: this may be about a context of before.
            (DEACTIVATED, Context::Activating) if !self.asked.contains(&Question::Activate) => {
                self.dial_failed(now, Status::FAILURE.0, fact.nw_error);
            }
            (DEACTIVATED, Context::Configuring | Context::Linking | Context::Up) => {
                self.lost(now, fact.nw_error, "network");
            }
            (DEACTIVATED, Context::Deactivating) if !self.asked.contains(&Question::Deactivate) => self.dropped(now),
            _ => {}
        }
    }
}

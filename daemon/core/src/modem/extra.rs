//! One session beside the default one: a context of its own with its own candidates, addresses, link, waits and end.
//! A value that is told things and gives orders; [`extras`](super::extras) stands between it and the modem. It is made by
//! a person's request, tried in one round, kept while it holds and made again after a loss, and never decides anything
//! for the default context.

mod dialling;
mod standing;

use core::time::Duration;
use std::collections::VecDeque;

use daemon_operator::next;

use super::context::Gate;
use super::dial::{AfterDrop, Dial, Link};
use super::io::RequestId;
use super::link::ADDRESS_AGAIN;
use super::read::ConnectFact;
use super::reason;
use super::tables::{Context, ContextEvent};
use crate::Time;
use crate::event::Event;
use crate::kept::KeptConnection;
use crate::request::{Purpose, RequestError, RequestErrorKind as Kind};
use crate::snapshot::{IpSettings, Reason};
use crate::subscriber::UserApn;
use crate::table::Table as _;

/// How long a request waits for what a connection needs first, such as registration.
const WAIT: Duration = Duration::from_secs(60);
/// CONNECT says so of a context that is up.
const ACTIVATED: u32 = 1;
/// It says so of one that is being made.
const ACTIVATING: u32 = 2;

/// What the modem is asked for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// How CONNECT stands.
    Context,
    /// To make the context.
    Activate,
    /// To end it.
    Deactivate,
    /// Its addresses.
    Ip,
}

/// What is to be done for the session, in order.
#[derive(Debug)]
pub(super) enum Order {
    /// Ask the modem; the dial goes with [`Question::Activate`].
    Ask(Question, Option<Box<Dial>>),
    /// Answers to these do not matter any more.
    GiveUp(&'static [Question]),
    /// Wake it then; `None` = no more.
    Wake(Option<Time>),
    /// Put this on its interface.
    LinkUp(IpSettings),
    /// Take everything of it away.
    LinkDown,
    /// What is known of SIM, radio and network may be old.
    LookAgain,
    /// Tell it.
    Emit(Event),
    /// Answer a request: whether anything changed.
    Reply(RequestId, Result<bool, RequestError>),
}

/// The modem, as far as it concerns the session.
#[derive(Debug)]
pub(super) struct Ground {
    /// What is missing before it can be dialled.
    pub(super) missing: Option<Gate>,
    /// Nothing new is to be begun.
    pub(super) still: bool,
    /// The radio is on, or is to be.
    pub(super) radio: bool,
    /// Data is allowed where the modem is registered.
    pub(super) allowed: bool,
    /// The daemon lets the modem go.
    pub(super) stopping: bool,
    /// Whether modem and SIM are those of the record that is being taken over, with what it was dialled by; `None` = not
    /// known yet.
    pub(super) same: Option<Result<Box<Dial>, &'static str>>,
}

/// One session above 0.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) session: u32,
    pub(super) context: Context,
    /// It ends, and is forgotten when nothing of it is left.
    leaving: bool,
    /// It has been up, and is to be up again.
    held: bool,
    /// The one APN that the person named.
    pub(super) named: Option<UserApn>,
    /// What it is for.
    pub(super) purpose: Purpose,
    connect: Option<RequestId>,
    /// When the request has waited long enough.
    patience: Time,
    disconnect: Vec<RequestId>,
    /// What the last run of the daemon left, until it is known whether it holds.
    pending: Option<KeptConnection>,
    /// What CONNECT said of that; the inner `None` = asked in vain.
    told: Option<Option<ConnectFact>>,
    in_round: bool,
    round: VecDeque<Dial>,
    pub(super) current: Option<Dial>,
    redial: bool,
    tries: Vec<String>,
    busy: u32,
    unheard: u32,
    cleared: bool,
    /// CONNECT was asked before the first activation: nothing that was left over stands in the way.
    known: bool,
    /// Questions that are not answered yet.
    asked: Vec<Question>,
    dialled: Time,
    deadline: Time,
    looks: u32,
    denials: u32,
    wake: Option<Time>,
    failed_rounds: u32,
    congested: u32,
    losses: u32,
    /// The network took the context.
    lost: bool,
    after_drop: AfterDrop,
    pub(super) error: Option<Reason>,
    link: Link,
    link_orders: u32,
    pub(super) interface: Option<String>,
    early_dns: Vec<core::net::IpAddr>,
    pub(super) ip: Option<IpSettings>,
    pub(super) since: Option<Time>,
    orders: VecDeque<Order>,
}

impl Extra {
    /// Nothing of it is there yet.
    pub(super) fn new(session: u32) -> Self {
        Self { session, ..Self::default() }
    }

    /// What the last run left: the context is asked for before anything is believed. `link`: something may stand on its
    /// interface.
    pub(super) fn left_over(kept: KeptConnection, link: bool) -> Self {
        Self {
            session: kept.session,
            leaving: kept.ending,
            held: true,
            named: kept.named.clone(),
            purpose: kept.purpose,
            link: if link { Link::Up } else { Link::None },
            pending: Some(kept),
            ..Self::default()
        }
    }

    /// The next order.
    pub(super) fn poll(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// Nothing of it is left, and nobody wants it.
    pub(super) fn is_over(&self) -> bool {
        self.leaving && self.is_idle() && self.link == Link::None && self.pending.is_none() && self.orders.is_empty()
    }

    /// There is no context, and none is being made or ended.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.context, Context::Down | Context::Waiting)
    }

    /// People see it.
    pub(super) fn is_shown(&self) -> bool {
        !self.leaving || !self.is_idle()
    }

    /// When the next attempt is due.
    pub(super) fn retry_at(&self) -> Option<Time> {
        self.wake.filter(|_| self.context == Context::Waiting)
    }

    /// Attempts in a row that failed.
    pub(super) fn failures(&self) -> u32 {
        self.failed_rounds.max(self.congested)
    }

    /// A round of candidates begins: they are wanted from whoever knows them.
    pub(super) fn wants_round(&self) -> bool {
        !self.in_round && !self.redial
    }

    /// The candidates of the next round.
    pub(super) fn give_round(&mut self, round: VecDeque<Dial>) {
        self.round = round;
    }

    /// What is being taken over.
    pub(super) fn pending(&self) -> Option<&KeptConnection> {
        self.pending.as_ref()
    }

    /// Whether the next start of the daemon has to know of it; and whether it ends.
    pub(super) fn kept(&self) -> Option<bool> {
        let there = self.held || self.in_round && !matches!(self.context, Context::Down);
        (there && self.is_shown()).then_some(self.leaving)
    }

    // ---- requests

    /// A person wants it. One round; what was up before is kept if it is the same.
    pub(super) fn connect(&mut self, now: Time, id: RequestId, apn: Option<UserApn>, purpose: Purpose) {
        if self.connect.is_some() {
            let text = "The connection is being made already; wait for it.";
            return self.reply(id, Err(reason::error(Kind::InProgress, "connecting", text)));
        }
        let same = !self.leaving && purpose == self.purpose && (apn.is_none() || apn == self.named);
        if self.pending.is_some() && !same {
            let text = "The session of the last run is being looked at; ask again in a moment.";
            return self.reply(id, Err(reason::error(Kind::InProgress, "taking-over", text)));
        }
        self.leaving = false;
        if self.context == Context::Up && same {
            return self.reply(id, Ok(false));
        }
        self.connect = Some(id);
        self.patience = now + WAIT;
        if self.pending.is_some() {
            return;
        }
        if !same || self.is_idle() {
            self.fresh_round();
            self.named = apn;
            self.purpose = purpose;
        }
        if !same && !self.is_idle() {
            self.after_drop = AfterDrop::Nothing;
            self.drop_context(now, "reconnect");
        }
    }

    /// A person does not want it any more.
    pub(super) fn disconnect(&mut self, now: Time, id: RequestId) {
        self.answer_connect(Err(reason::overtaken("disconnect")));
        self.leaving = true;
        if self.is_idle() && self.pending.is_none() {
            self.set_wake(None);
            return self.reply(id, Ok(true));
        }
        self.disconnect.push(id);
        self.drop_context(now, "user");
    }

    /// Who waits for a connection does so in vain.
    pub(super) fn fail_requests(&mut self, error: &RequestError) {
        if self.connect.is_some() {
            self.refuse(error.clone());
        }
        // The context is gone with the session, as was asked.
        self.disconnected();
    }

    fn answer_connect(&mut self, result: Result<bool, RequestError>) {
        if let Some(id) = self.connect.take() {
            self.reply(id, result);
        }
    }

    fn disconnected(&mut self) {
        for id in core::mem::take(&mut self.disconnect) {
            self.reply(id, Ok(true));
        }
    }

    /// What a request waits for will not come.
    fn refuse(&mut self, error: RequestError) {
        self.answer_connect(Err(error));
        if !self.held {
            self.leaving = true;
        }
    }

    // ---- the pass

    /// Compares what is with what is wanted, and takes the next step.
    pub(super) fn advance(&mut self, now: Time, ground: &Ground) {
        if ground.stopping {
            self.leaving = true;
            self.answer_connect(Err(reason::overtaken("stop")));
        }
        if self.pending.is_some() {
            self.advance_pending(now, ground);
            if self.pending.is_some() {
                return;
            }
        }
        match self.context {
            Context::Down | Context::Waiting => self.advance_idle(now, ground),
            Context::Activating | Context::Configuring | Context::Linking | Context::Up => {
                if self.leaving {
                    self.drop_context(now, if ground.stopping { "stop" } else { "user" });
                } else if !ground.radio {
                    self.drop_context(now, "radio-off");
                } else if !ground.allowed {
                    self.drop_context(now, "roaming-not-allowed");
                }
            }
            Context::Deactivating => {}
        }
    }

    fn advance_idle(&mut self, now: Time, ground: &Ground) {
        if self.leaving {
            self.step(ContextEvent::Rest);
            self.answer_connect(Err(reason::overtaken("the end of the session")));
            self.disconnected();
            if self.wake.is_some() {
                self.set_wake(None);
            }
            return;
        }
        if let Some(gate) = &ground.missing {
            if self.connect.is_none() {
                return;
            }
            let kind = if gate.permanent { Kind::WrongState } else { Kind::Timeout };
            if gate.permanent || now >= self.patience {
                return self.refuse(RequestError { kind, reason: gate.reason.clone() });
            }
            if self.wake.is_none() {
                self.set_wake(Some(self.patience));
            }
            return;
        }
        // A pause before the next try; not the patience of a request, which is over now.
        let waits = self.wake.is_some() && (self.in_round || self.connect.is_none());
        if ground.still || waits || !self.asked.is_empty() {
            return;
        }
        if !self.known {
            return self.ask(Question::Context);
        }
        self.dial(now);
    }

    fn advance_pending(&mut self, now: Time, ground: &Ground) {
        let Some(told) = self.told else {
            if ground.same.is_some() && !self.asked.contains(&Question::Context) {
                self.ask(Question::Context);
            }
            return;
        };
        let Some(same) = &ground.same else { return };
        self.pending = None;
        self.known = true;
        let active = told.is_some_and(|fact| fact.state == ACTIVATED);
        if let (Ok(dial), true, false) = (same, active, self.leaving) {
            self.current = Some((**dial).clone());
            if self.step(ContextEvent::Adopt) {
                self.emit(Event::info("adoption").with("outcome", "done").with("apn", &dial.candidate.apn));
                self.deadline = now + next::ADDRESS_DEADLINE;
                self.set_wake(Some(now + ADDRESS_AGAIN));
                self.ask(Question::Ip);
            }
            return;
        }
        let why = same.as_ref().err().copied().unwrap_or(if active { "ended" } else { "not-connected" });
        self.emit(Event::warn("adoption").with("outcome", "refused").with("reason", why));
        self.leaving |= same.is_err();
        self.current = None;
        self.link_down();
        if told.is_some_and(|fact| matches!(fact.state, ACTIVATED | ACTIVATING)) {
            self.drop_context(now, "stale");
        }
    }

    // ---- small things

    fn ask(&mut self, question: Question) {
        if !self.asked.contains(&question) {
            self.asked.push(question);
            self.orders.push_back(Order::Ask(question, None));
        }
    }

    fn give_up(&mut self, questions: &'static [Question]) {
        self.asked.retain(|asked| !questions.contains(asked));
        self.orders.push_back(Order::GiveUp(questions));
    }

    fn set_wake(&mut self, at: Option<Time>) {
        self.wake = at;
        self.orders.push_back(Order::Wake(at));
    }

    fn emit(&mut self, event: Event) {
        let session = self.session;
        self.orders.push_back(Order::Emit(event.with("session", session)));
    }

    fn reply(&mut self, id: RequestId, result: Result<bool, RequestError>) {
        self.orders.push_back(Order::Reply(id, result));
    }

    /// Moves the table; an event that is out of order changes nothing. Whether it was in order.
    fn step(&mut self, event: ContextEvent) -> bool {
        let moved = self.context.step(event);
        if let Ok(step) = &moved
            && step.moved()
        {
            let (from, to) = (format!("{:?}", step.from), format!("{:?}", step.to));
            self.emit(Event::debug("state").with("table", "context").with("from", from).with("to", to));
        }
        moved.is_ok()
    }
}

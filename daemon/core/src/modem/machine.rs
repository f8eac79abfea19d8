//! The machine itself: inputs in, one pass over the parts, outputs out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use core::time::Duration;

use daemon_operator::Layers;
use daemon_operator::identity::Identity;
use mbim_proto::MbimEx;

use super::adopt::Adoption;
use super::ask::{Asked, SUBSCRIBE};
use super::context::SESSION;
use super::dial::Dialer;
use super::extra::Extra;
use super::guest::Guests;
use super::io::{Input, ModemConfig, Output, RequestId};
use super::network::Facts;
use super::online::Online;
use super::operator::Subscriber;
use super::reason;
use super::request::Requests;
use super::sleep::Sleep;
use super::tables::{Power, PowerEvent, Tables};
use super::timer::{Timer, Timers};
use super::usage::Usage;
use super::write::Writes;
use crate::Time;
use crate::effect::{Effect, SubscriberKey};
use crate::event::{Event, Level};
use crate::request::{Reply, RequestError};
use crate::session::{
    Dropped, Hung, OpenFailure, Outcome, Session, SessionConfig, SessionOutput, Subscription, Ticket,
};
use crate::snapshot::{Reason, Snapshot};
use crate::table::{OutOfOrder, Table};

/// Recoveries in a row over the same transport; then the transport is opened anew.
const RECOVERIES: u32 = 2;
/// Time without a recovery after which the earlier ones no longer count.
const CALM: Duration = Duration::from_secs(600);
/// Odd things that are told, each once.
const TOLD: usize = 256;
/// Turns of the pass for one input; more would mean that the parts chase each other.
const TURNS: u32 = 64;

/// One modem. Pure: see [`super`] and [`crate`].
#[derive(Debug)]
pub struct Modem {
    pub(super) config: ModemConfig,
    pub(super) session: Session,
    pub(super) tables: Tables,
    pub(super) timers: Timers,
    pub(super) facts: Facts,
    /// Operator records, and whom they were read for.
    pub(super) layers: Option<(Box<Identity>, Arc<Layers>)>,
    /// Whom records were last asked for; `None` = what there is may be out of date.
    pub(super) layers_asked: Option<Box<Identity>>,
    pub(super) subscriber: Subscriber,
    pub(super) dialer: Dialer,
    /// Sessions above 0, by id.
    pub(super) extras: BTreeMap<u32, Extra>,
    pub(super) online: Online,
    pub(super) requests: Requests,
    pub(super) writes: Writes,
    pub(super) usage: Usage,
    pub(super) adoption: Adoption,
    pub(super) sleep: Sleep,
    /// Clients of the proxy.
    pub(super) guests: Guests,
    /// The SIM whose kept PIN was entered since the plug.
    pub(super) pin_entered: Option<SubscriberKey>,
    /// The kernel's rfkill blocks the radio.
    pub(super) blocked: bool,
    /// What the person wants of the radio.
    pub(super) radio_wish: bool,
    /// Why the session is not open.
    pub(super) trouble: Option<Reason>,
    /// Sequential round trips when the transport was opened.
    pub(super) depth_at_attach: u32,
    pub(super) depth_to_connected: Option<u32>,
    pub(super) snapshot: Snapshot,
    asked: BTreeMap<Ticket, Asked>,
    pub(super) outputs: VecDeque<Output>,
    recoveries: u32,
    recovered_at: Time,
    /// A recovery is under way until the next connection.
    recovering: bool,
    dead: u32,
    /// State and event of tables that were out of order; each is told once.
    told: BTreeSet<String>,
}

impl Modem {
    /// A modem whose transport is not open yet.
    #[must_use]
    pub fn new(config: ModemConfig) -> Self {
        let session = Session::new(SessionConfig {
            outstanding: config.outstanding,
            max_control: config.max_control,
            announce: match config.announce {
                0x0400.. => MbimEx::V4,
                0x0300.. => MbimEx::V3,
                0x0200.. => MbimEx::V2,
                _ => MbimEx::V1,
            },
            subscribe: Subscription::of(SUBSCRIBE),
        });
        let mut modem = Self {
            session,
            tables: Tables::default(),
            timers: Timers::default(),
            facts: Facts::default(),
            layers: None,
            layers_asked: None,
            subscriber: Subscriber::new(config.defaults.clone()),
            dialer: Dialer::default(),
            extras: BTreeMap::new(),
            online: Online::new(config.seed),
            requests: Requests::default(),
            writes: Writes::default(),
            usage: Usage::default(),
            adoption: Adoption::default(),
            sleep: Sleep::default(),
            guests: Guests::default(),
            pin_entered: None,
            blocked: config.blocked,
            radio_wish: true,
            trouble: None,
            depth_at_attach: 0,
            depth_to_connected: None,
            snapshot: Snapshot::default(),
            asked: BTreeMap::new(),
            outputs: VecDeque::new(),
            recoveries: 0,
            recovered_at: Time::ZERO,
            recovering: false,
            dead: 0,
            told: BTreeSet::new(),
            config,
        };
        modem.snapshot = modem.view(Time::ZERO);
        modem
    }

    /// Takes an input. Drain [`Self::poll`] before the next one.
    pub fn handle(&mut self, now: Time, input: Input<'_>) {
        match input {
            Input::Attached => self.on_attached(now),
            Input::Adopt(kept) => self.on_adopt(now, *kept),
            Input::Bytes(bytes) => self.session.bytes(now, bytes),
            Input::Gone => self.on_gone(now),
            Input::WriteFailed => self.on_write_failed(now),
            Input::Overrun => self.session.overrun(),
            Input::Trouble(trouble) => self.config.port.trouble = trouble,
            Input::Resumed => self.on_resumed(now),
            Input::Announced => self.on_announced(now),
            Input::Wake => {
                self.session.wake(now);
                for timer in self.timers.due(now) {
                    self.on_timer(now, timer);
                }
            }
            Input::Request { id, request } => self.on_request(now, id, request),
            Input::Guest { id, order } => self.on_guest(id, order),
            Input::LinkDone { session: SESSION, up, result, .. } => self.on_link_done(now, up, result),
            Input::LinkDone { session, up, result, interface } => {
                self.on_extra_linked(now, session, up, result, interface);
            }
            Input::ProbeDone { id, report } => self.on_probe_done(now, id, &report),
            Input::Operators { identity, layers } => {
                // An answer for a SIM that is gone, or a second one, is of no use.
                if self.layers_asked.as_ref().is_some_and(|asked| asked.is_looked_up_as(&identity)) {
                    self.layers = Some((identity, layers));
                    self.subscriber.stale = true;
                }
            }
            Input::RecordsChanged => {
                self.layers_asked = None;
                self.subscriber.stale = true;
            }
            Input::Subscriber(state) => self.on_subscriber(now, state),
            Input::Counters { at, readings } => self.on_counters(now, &at, &readings),
            Input::Stored => self.on_stored(now),
            Input::StoreFailed { text, full } => self.on_store_failed(now, &text, full),
            Input::HostRadio { blocked } => {
                self.blocked = blocked;
                // A person's switch: what comes back afterwards is the settings' business.
                self.dialer.held &= !blocked;
            }
        }
        self.settle(now);
    }

    /// The next output, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Wake`] is wanted next, and why.
    #[must_use]
    pub fn next_wake(&self) -> Option<(Time, &'static str)> {
        [self.session.next_wake(), self.timers.next()].into_iter().flatten().min()
    }

    /// The read model.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// How this modem is run.
    #[must_use]
    pub fn config(&self) -> &ModemConfig {
        &self.config
    }

    /// The state tables, for tests and drawings.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Lets facts and decisions chase each other until nothing is left to do, then publishes.
    fn settle(&mut self, now: Time) {
        for _ in 0..TURNS {
            while let Some(output) = self.session.poll() {
                self.on_session(now, output);
            }
            self.advance(now);
            if self.session.is_quiet() {
                break;
            }
        }
        self.write_kept();
        let view = self.view(now);
        let changed = {
            let traffic = view.traffic;
            self.snapshot.traffic = traffic;
            self.snapshot != view
        };
        if changed {
            self.snapshot = view;
            self.outputs.push_back(Output::Changed);
        }
    }

    fn advance(&mut self, now: Time) {
        if self.tables.power == Power::Ready {
            self.advance_sim(now);
            self.advance_card(now);
            self.advance_attach(now);
            self.advance_adoption(now);
            self.advance_job(now);
            self.advance_radio(now);
            self.advance_registration(now);
            self.advance_packet(now);
            self.advance_context(now);
            self.advance_extras(now);
            self.advance_look(now);
            self.advance_clock(now);
            self.advance_probe(now);
            self.advance_guests(now);
            self.advance_usage();
        }
        self.advance_stop(now);
    }

    fn on_session(&mut self, now: Time, output: SessionOutput) {
        match output {
            SessionOutput::Transmit(bytes) => self.outputs.push_back(Output::Transmit(bytes)),
            SessionOutput::Opened { release } => self.on_opened(now, release),
            SessionOutput::OpenFailed(failure) => self.on_open_failed(now, failure),
            SessionOutput::NotAdopted => {
                self.not_adopted("session-gone");
                self.disown_extras(now);
            }
            SessionOutput::Completed { ticket, outcome } => {
                if let Some(asked) = self.asked.remove(&ticket) {
                    self.on_completed(now, asked, outcome);
                } else {
                    self.guest_completed(now, ticket, outcome);
                }
            }
            SessionOutput::Indication { service, cid, buffer } => {
                self.guests_told(service, cid, &buffer);
                self.on_indication(now, service, cid, &buffer);
            }
            SessionOutput::Hung(why) => self.on_hung(now, why),
            SessionOutput::Behind => self.on_behind(now),
            SessionOutput::Closed => {
                if self.tables.power == Power::Closing {
                    self.step(|t| &mut t.power, PowerEvent::CloseDone);
                }
            }
            SessionOutput::Dropped(dropped) => {
                let what = match dropped {
                    Dropped::Answer(stray) => format!("answer-{stray:?}").to_lowercase(),
                    Dropped::WrongTransaction => "wrong-transaction".to_owned(),
                    Dropped::Broken(what) => what.to_owned(),
                    Dropped::UnknownKind(kind) => format!("message-kind-{kind:#x}"),
                };
                self.emit(Event::debug("dropped").with("what", what));
            }
        }
    }

    pub(super) fn on_attached(&mut self, now: Time) {
        if !self.step(|t| &mut t.power, PowerEvent::Attach) {
            return;
        }
        self.attached(now);
        // A recovery begins with CLOSE, a fresh plug with OPEN.
        let afresh = self.recoveries > 0 || self.dead > 0;
        self.session.open(now, afresh);
    }

    /// The transport is there; how the session begins is the caller's business.
    pub(super) fn attached(&mut self, now: Time) {
        self.emit(Event::info("attached").with("port", &self.config.port.control));
        if self.dead == 0 {
            self.trouble = None;
        }
        self.timers.clear_session();
        self.forget_session(now);
        self.depth_at_attach = self.session.counters().depth;
        self.depth_to_connected = None;
    }

    fn on_opened(&mut self, now: Time, release: MbimEx) {
        self.step(|t| &mut t.power, PowerEvent::Opened);
        self.trouble = None;
        self.dead = 0;
        self.emit(
            Event::info("opened")
                .with("mbimex", format!("{release:?}"))
                .with("services", self.session.offers().list.len()),
        );
        self.forget_session(now);
        self.guests_opened();
        self.bring_up(now);
    }

    fn on_open_failed(&mut self, now: Time, failure: OpenFailure) {
        let why = reason::open_failed(failure);
        self.emit(Event::new(Level::Error, "error").with("what", why.code));
        self.refuse_guests();
        if self.tables.power == Power::Closing {
            self.step(|t| &mut t.power, PowerEvent::CloseDone);
            return;
        }
        if failure == OpenFailure::Disturbed && self.config.renewable {
            return self.renew(now);
        }
        self.step(|t| &mut t.power, PowerEvent::OpenFailed);
        self.trouble = Some(why);
        match self.tables.power {
            Power::Reopening => self.effect(Effect::Reopen { after: Duration::from_secs(1) }),
            _ => {
                // A dead modem: once a minute, then more and more seldom.
                let pause = Duration::from_secs(60 << self.dead.min(4));
                self.dead += 1;
                self.timers.set(Timer::Power, now + pause);
            }
        }
        self.fail_requests(now, &reason::restarted());
    }

    /// Answers come one message late.
    fn on_behind(&mut self, now: Time) {
        self.emit(Event::warn("behind").with("curable", self.config.renewable));
        if self.config.renewable && !self.requests.stopping() {
            self.renew(now);
        }
    }

    /// Has the control port made anew: what waits in the modem is read by nobody else, and the wishes of people go on.
    fn renew(&mut self, now: Time) {
        let kept = self.wishes();
        self.emit(Event::warn("renewing").with("port", &self.config.port.control));
        self.on_gone(now);
        self.effect(Effect::Renew { kept });
    }

    fn on_hung(&mut self, now: Time, why: Hung) {
        let what = match why {
            Hung::Timeouts => "timeouts",
            Hung::Misbehaviour => "misbehaviour",
            Hung::NotOpened => "not-opened",
            Hung::StrayClose => "stray-close",
        };
        self.recover(now, what);
    }

    /// Closes and opens the session anew; after that has been done often enough, the transport.
    pub(super) fn recover(&mut self, now: Time, why: &'static str) {
        if self.tables.power != Power::Ready {
            return;
        }
        self.step(|t| &mut t.power, PowerEvent::Hang);
        if now.saturating_sub(self.recovered_at) >= CALM {
            self.recoveries = 0;
        }
        self.recovered_at = now;
        self.recovering = true;
        self.recoveries += 1;
        self.emit(Event::warn("hung").with("why", why).with("recoveries", self.recoveries));
        self.leave_session(now, "The modem stopped answering; it is being started anew.");
        if self.recoveries > RECOVERIES {
            self.session.gone();
            self.step(|t| &mut t.power, PowerEvent::OpenFailed);
            let pause = Duration::from_secs(1 << self.recoveries.min(6));
            self.effect(Effect::Reopen { after: pause });
        } else {
            self.session.open(now, true);
        }
    }

    /// Closes and opens the session anew because somebody wants to see it.
    pub(super) fn restart(&mut self, now: Time) {
        self.step(|t| &mut t.power, PowerEvent::Hang);
        self.emit(Event::info("restart"));
        self.leave_session(now, "The session with the modem is begun anew, as was asked for.");
        self.session.open(now, true);
    }

    fn leave_session(&mut self, now: Time, why: &str) {
        self.trouble = Some(reason::reason("modem-restarting", why));
        self.timers.clear_session();
        self.link_down();
        self.disown_extras(now);
        self.fail_requests(now, &reason::restarted());
        self.forget_session(now);
        self.adoption.told = None;
    }

    /// The modem proved that it works. Recoveries are forgotten only after a while, or one that breaks down as soon as
    /// it is connected would be opened anew without a pause.
    pub(super) fn healthy(&mut self) {
        if core::mem::take(&mut self.recovering) {
            self.emit(Event::info("recovery").with("outcome", "done"));
        }
    }

    pub(super) fn on_gone(&mut self, now: Time) {
        self.usage_leave(now, false);
        self.session.gone();
        self.timers.clear_all();
        let was = self.tables.power;
        self.step(|t| &mut t.power, PowerEvent::Detach);
        self.link_down();
        self.fail_requests(now, &reason::gone());
        self.forget_session(now);
        self.subscriber.forget(&self.config.defaults);
        self.drop_waiting_writes();
        self.pin_entered = None;
        self.end_extras(now, &reason::gone());
        self.drop_guests();
        self.dialer = self.dialer.unplugged();
        self.trouble = None;
        self.recoveries = 0;
        self.dead = 0;
        self.radio_wish = true;
        if was != Power::Detached {
            self.emit(Event::info("gone"));
        }
    }

    fn on_write_failed(&mut self, now: Time) {
        match self.tables.power {
            Power::Ready => self.recover(now, "write-failed"),
            // While opening, silence is handled by the open procedure.
            _ => self.emit(Event::debug("dropped").with("what", "write-failed")),
        }
    }

    /// What only holds within one session is no longer known.
    pub(super) fn forget_session(&mut self, now: Time) {
        // Session outputs that are still queued belong to the old session; their tickets are forgotten.
        let asked: Vec<Asked> = core::mem::take(&mut self.asked).into_values().collect();
        for asked in asked {
            self.abandon(asked);
        }
        self.forget_guests();
        self.forget_sleep();
        self.tables = Tables { power: self.tables.power, ..Tables::default() };
        self.facts = Facts::default();
        self.dialer.reset();
        self.reset_extras(now);
        self.online.reset();
        self.subscriber.stale = true;
    }

    fn on_timer(&mut self, now: Time, timer: Timer) {
        match timer {
            Timer::Power => {
                if self.step(|t| &mut t.power, PowerEvent::Retry) {
                    self.effect(Effect::Reopen { after: Duration::ZERO });
                }
            }
            Timer::Sim => self.on_sim_timer(now),
            Timer::Card => self.on_card_overdue(),
            Timer::Radio => self.on_radio_timer(now),
            // The pass that follows does what is due.
            Timer::Retry => {}
            Timer::Register => self.on_register_timer(now),
            Timer::Attach => self.on_attach_timer(),
            Timer::RadioAnswer | Timer::RegisterAnswer | Timer::PacketAnswer => self.on_unheard(now, timer),
            Timer::Activation => self.on_activation_overdue(now),
            Timer::Address => self.on_address_overdue(now),
            Timer::Probe => self.online.due = true,
            Timer::Report => self.on_report_overdue(now),
            Timer::Look => self.on_look_timer(now),
            Timer::Job => self.on_job_overdue(now),
            Timer::Sleep => self.on_sleep_timer(now),
            Timer::Adopt => self.on_adopt_overdue(now),
            Timer::Stop => self.on_stop_overdue(now),
            Timer::Usage => self.on_usage_timer(now),
            Timer::Extra(session) => self.on_extra_timer(now, session),
        }
    }

    /// Moves a table; an event that is out of order is told once and changes nothing. Whether it was in order.
    pub(super) fn step<S: Table>(&mut self, table: fn(&mut Tables) -> &mut S, event: S::Event) -> bool {
        match table(&mut self.tables).step(event) {
            Ok(step) => {
                if step.moved() {
                    self.emit(
                        Event::debug("state")
                            .with("table", S::NAME)
                            .with("from", format!("{:?}", step.from))
                            .with("to", format!("{:?}", step.to))
                            .with("event", format!("{event:?}")),
                    );
                }
                true
            }
            Err(OutOfOrder { .. }) => {
                let text = OutOfOrder { state: *table(&mut self.tables), event }.to_string();
                if self.tell_once(text.clone()) {
                    self.emit(Event::debug("out-of-order").with("text", text));
                }
                false
            }
        }
    }

    /// Whether this is to be told now: the first time, and while there are not too many such things.
    pub(super) fn tell_once(&mut self, text: String) -> bool {
        self.told.len() < TOLD && self.told.insert(text)
    }

    pub(super) fn remember(&mut self, ticket: Ticket, asked: Asked) {
        self.asked.insert(ticket, asked);
    }

    pub(super) fn is_asked(&self, what: impl Fn(&Asked) -> bool) -> bool {
        self.asked.values().any(what)
    }

    /// Gives up on answers that no longer matter. Never for what a request waits for.
    pub(super) fn give_up_on(&mut self, now: Time, what: impl Fn(&Asked) -> bool) {
        let tickets: Vec<Ticket> = self.asked.iter().filter(|(_, asked)| what(asked)).map(|(t, _)| *t).collect();
        for ticket in tickets {
            self.asked.remove(&ticket);
            self.session.abandon(now, ticket);
        }
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.outputs.push_back(Output::Effect(effect));
    }

    pub(super) fn reply(&mut self, id: RequestId, result: Result<Reply, RequestError>) {
        if let Err(error) = &result {
            self.emit(
                Event::info("request-failed")
                    .with("kind", format!("{:?}", error.kind))
                    .with("reason", error.reason.code),
            );
        }
        self.outputs.push_back(Output::Reply { id, result });
    }

    /// An answer to a command of a session that is no longer: only a request that waits for it matters.
    fn abandon(&mut self, asked: Asked) {
        if let Some(id) = asked.request() {
            let error = if self.tables.power == Power::Detached { reason::gone() } else { reason::restarted() };
            self.reply(id, Err(error));
        }
    }

    /// The outcome of a command that failed without an answer, for a request.
    pub(super) fn unanswered(outcome: &Outcome) -> RequestError {
        match outcome {
            Outcome::Gone => reason::gone(),
            Outcome::TimedOut => reason::no_answer(),
            _ => reason::restarted(),
        }
    }
}

//! Opening, versions, subscription, closing. `[MBIM1.0 9.3]`, `[MBIM reference, 9]`, quirks Q1 to Q3.
//!
//! ```text
//! OPEN ─ done ─────────────────────────► DEVICE_SERVICES ─► VERSION where offered ─► ready (SUBSCRIBE_LIST goes first)
//!   │ no answer in 5 s, FUNCTION_ERROR,
//!   │ stray CLOSE_DONE, other status
//!   ▼
//! CLOSE, at most 2 s, result ignored ──► OPEN …                       the whole of it at most 45 s
//! ```

use mbim_proto::service::{basic_connect, canonical, ms_basic_connect_ext as extensions};
use mbim_proto::status::Status;
use mbim_proto::{Body, MbimEx, Operation, Uuid};

use super::{Command, Outcome, Own, Rank, Session, SessionOutput, Subscription, deadline, wire};
use crate::Time;
use crate::session::{Behind, Hung, behind};

/// Answers to VERSION that may be lost in one procedure; then the session stays at release 1.0.
const VERSION_TRIES: u32 = 3;
/// Tries to reach a session that an earlier host left open.
const ADOPT_TRIES: u32 = 3;
/// Tries to subscribe indications.
const SUBSCRIBE_TRIES: u32 = 4;

/// Where the session stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// No transport, or given up.
    Idle,
    /// CLOSE was sent before another OPEN.
    ClosingFirst { until: Time, give_up: Time },
    /// A pause before another OPEN: the modem is busy.
    Pausing { until: Time, give_up: Time },
    /// OPEN was sent.
    Opening { id: u32, until: Time, give_up: Time },
    /// DEVICE_SERVICES or VERSION was sent.
    Asking { give_up: Time },
    /// Open.
    Ready,
    /// CLOSE was sent at the end.
    Closing { until: Time },
}

impl Phase {
    pub(super) fn deadline(&self) -> Option<(Time, &'static str)> {
        match *self {
            Self::Idle | Self::Ready => None,
            Self::ClosingFirst { until, .. } => Some((until, "close before open overdue")),
            Self::Pausing { until, .. } => Some((until, "open again")),
            Self::Opening { until, .. } => Some((until, "open overdue")),
            Self::Asking { give_up } => Some((give_up, "open procedure overdue")),
            Self::Closing { until } => Some((until, "close overdue")),
        }
    }
}

/// Why a session could not be opened: the last thing that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// Nothing came back.
    NoAnswer,
    /// OPEN was answered with this status.
    Status(Status),
    /// FUNCTION_ERROR or CLOSE_DONE came instead.
    Disturbed,
    /// Opened, but DEVICE_SERVICES was not answered.
    NoServices,
}

/// One service that the modem offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The service.
    pub service: Uuid,
    /// Its commands.
    pub cids: Vec<u32>,
}

/// Services and commands that the modem named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// In the modem's order; empty when it did not tell.
    pub list: Vec<Offer>,
}

impl Offers {
    /// Whether a command may be used. Where the modem told nothing, Basic Connect is taken for granted.
    #[must_use]
    pub fn has(&self, service: Uuid, cid: u32) -> bool {
        if self.list.is_empty() {
            return service == basic_connect::SERVICE;
        }
        self.list.iter().any(|offer| same_service(offer.service, service) && offer.cids.contains(&cid))
    }

    /// Whether any command of a service may be used.
    pub(super) fn names(&self, service: Uuid) -> bool {
        if self.list.is_empty() {
            return service == basic_connect::SERVICE;
        }
        self.list.iter().any(|offer| same_service(offer.service, service))
    }
}

/// The extensions service is spelt in two ways; both are one. `[MBIM reference, 13]`
pub(super) fn same_service(a: Uuid, b: Uuid) -> bool {
    canonical(a) == canonical(b)
}

impl Session {
    /// Begins the open procedure. `afresh` = CLOSE first: the modem may still be open. Commands that are under way end
    /// as [`Outcome::Dropped`].
    pub fn open(&mut self, now: Time, afresh: bool) {
        self.begin();
        let give_up = now + deadline::OPEN_BUDGET;
        if afresh {
            self.send_close_first(now, give_up);
        } else {
            self.send_open(now, give_up);
        }
    }

    /// Takes over a session that an earlier host left open, without OPEN and without CLOSE: both would end its data
    /// sessions. `release` is what that host agreed on; VERSION is no more in its place. `first` is the first transaction
    /// id: an answer to the earlier host may still come, and a command of it may still be at work.
    /// [`SessionOutput::Opened`] follows, or [`SessionOutput::NotAdopted`] and then what follows [`Self::open`].
    pub fn adopt(&mut self, now: Time, release: MbimEx, first: u32) {
        self.begin();
        self.release = release;
        self.adopting = Some(ADOPT_TRIES);
        self.flight.start_at(first);
        self.phase = Phase::Asking { give_up: now + deadline::ADOPT_BUDGET };
        self.ask_services(now);
    }

    /// Forgets the session as it ends: the modem stays as it is, and the transport may be dropped. Commands that are under
    /// way end as [`Outcome::Gone`].
    pub fn leave(&mut self) {
        self.gone();
    }

    fn begin(&mut self) {
        self.end_all(&Outcome::Dropped);
        self.inbox.clear();
        self.hung = false;
        self.strikes = 0;
        self.timeouts_in_row = 0;
        self.release = MbimEx::V1;
        self.offers = Offers::default();
        self.failure = OpenFailure::NoAnswer;
        self.versions_lost = 0;
        self.opens = 0;
        self.opened_with.clear();
        self.closed_with.clear();
        self.behind = Behind::default();
        self.adopting = None;
    }

    /// What was left open cannot be taken over.
    fn disown(&mut self, now: Time) {
        self.outputs.push_back(SessionOutput::NotAdopted);
        if self.behind.is_more_than(behind::OPENING) {
            self.say_behind();
        }
        // CLOSE first: in what state it is nobody knows.
        self.open(now, true);
    }

    /// Closes: outstanding commands end as [`Outcome::Dropped`]; [`SessionOutput::Closed`] follows within 5 s.
    pub fn close(&mut self, now: Time) {
        self.end_all(&Outcome::Dropped);
        match self.phase {
            Phase::Idle => self.outputs.push_back(SessionOutput::Closed),
            Phase::Closing { .. } => {}
            _ => {
                self.send_close(now);
                self.phase = Phase::Closing { until: now + deadline::CLOSE_LAST };
            }
        }
    }

    pub(super) fn opening(&self) -> bool {
        matches!(
            self.phase,
            Phase::ClosingFirst { .. } | Phase::Pausing { .. } | Phase::Opening { .. } | Phase::Asking { .. }
        )
    }

    fn send_open(&mut self, now: Time, give_up: Time) {
        let id = self.flight.id();
        self.send(now, wire::open(id, self.config.max_control));
        self.opens += 1;
        self.opened_with.push(id);
        self.phase = Phase::Opening { id, until: (now + deadline::OPEN_TRY).min(give_up), give_up };
    }

    fn send_close_first(&mut self, now: Time, give_up: Time) {
        self.send_close(now);
        self.phase = Phase::ClosingFirst { until: (now + deadline::CLOSE_FIRST).min(give_up), give_up };
    }

    fn send_close(&mut self, now: Time) {
        let id = self.flight.id();
        self.closed_with.push(id);
        self.send(now, wire::close(id));
    }

    fn send(&mut self, now: Time, message: Vec<u8>) {
        self.counters.sent += 1;
        self.sent_at = now;
        self.outputs.push_back(SessionOutput::Transmit(message));
    }

    fn give_up(&mut self) {
        self.end_all(&Outcome::Dropped);
        self.phase = Phase::Idle;
        self.opened_with.clear();
        self.outputs.push_back(SessionOutput::OpenFailed(self.failure));
    }

    pub(super) fn open_wake(&mut self, now: Time) {
        match self.phase {
            Phase::ClosingFirst { until, give_up } | Phase::Pausing { until, give_up } if until <= now => {
                if give_up <= now { self.give_up() } else { self.send_open(now, give_up) }
            }
            Phase::Opening { until, give_up, .. } if until <= now => {
                if give_up <= now {
                    self.give_up();
                } else {
                    self.send_close_first(now, give_up);
                }
            }
            Phase::Asking { give_up } if give_up <= now && self.adopting.is_some() => self.disown(now),
            Phase::Asking { give_up } if give_up <= now => self.give_up(),
            Phase::Closing { until } if until <= now => self.closed(),
            _ => {}
        }
    }

    pub(super) fn open_done(&mut self, now: Time, id: u32, status: Status) {
        let Phase::Opening { id: waited, give_up, .. } = self.phase else {
            if self.opened_with.contains(&id) {
                self.answered_late(now);
            }
            return;
        };
        if id != waited {
            // An answer to an earlier try: it lives, so the answer to the last one will come too.
            if self.opened_with.contains(&id) {
                self.phase = Phase::Opening { id: waited, until: (now + deadline::OPEN_TRY).min(give_up), give_up };
            }
            return;
        }
        if status == Status::SUCCESS {
            self.counters.depth += 1;
            self.opened_with.clear();
            self.phase = Phase::Asking { give_up };
            self.ask_services(now);
        } else {
            self.failure = OpenFailure::Status(status);
            if status == Status::BUSY {
                self.phase = Phase::Pausing { until: (now + deadline::BUSY_PAUSE).min(give_up), give_up };
            } else {
                self.again(now, give_up);
            }
        }
    }

    /// FUNCTION_ERROR or a stray CLOSE_DONE during the procedure.
    pub(super) fn open_disturbed(&mut self, now: Time) {
        match self.phase {
            Phase::Asking { .. } if self.adopting.is_some() => self.disown(now),
            Phase::Opening { give_up, .. } | Phase::Asking { give_up } => {
                self.failure = OpenFailure::Disturbed;
                self.end_all(&Outcome::Dropped);
                self.again(now, give_up);
            }
            // CLOSE before OPEN: whatever comes, the result does not matter.
            Phase::ClosingFirst { give_up, .. } => {
                self.phase = Phase::Pausing { until: (now + deadline::CLOSE_FIRST).min(give_up), give_up };
            }
            _ => {}
        }
    }

    /// CLOSE and OPEN once more. A modem that refuses at once would make this a storm: the second time and later it
    /// waits a little before.
    fn again(&mut self, now: Time, give_up: Time) {
        if self.opens < 2 {
            self.send_close_first(now, give_up);
        } else {
            self.send_close(now);
            self.phase = Phase::Pausing { until: (now + deadline::CLOSE_FIRST).min(give_up), give_up };
        }
    }

    pub(super) fn close_done(&mut self, now: Time, id: u32) {
        match self.phase {
            Phase::ClosingFirst { give_up, .. } => self.send_open(now, give_up),
            Phase::Closing { .. } => self.closed(),
            Phase::Opening { .. } | Phase::Asking { .. } => {
                if self.closed_with.contains(&id) {
                    self.answered_late(now);
                }
                self.open_disturbed(now);
            }
            Phase::Ready => self.hang(Hung::StrayClose),
            Phase::Idle | Phase::Pausing { .. } => {}
        }
    }

    fn closed(&mut self) {
        self.phase = Phase::Idle;
        self.inbox.clear();
        self.outputs.push_back(SessionOutput::Closed);
    }

    fn own_command<B: Body>(&mut self, now: Time, own: Own, body: &B, operation: Operation) {
        let ticket = self.ticket();
        let mut buffer = Vec::new();
        body.encode(&mut buffer);
        let (service, cid) = (B::SERVICE, B::CID);
        let timeout = match self.adopting {
            Some(_) if own == Own::Services => deadline::ADOPT_TRY,
            _ => deadline::of(service, cid, operation),
        };
        self.own = Some((ticket, own));
        self.flight.queue(ticket, Command { service, cid, operation, buffer, timeout, rank: Rank::Urgent });
        self.depart(now);
    }

    fn ask_services(&mut self, now: Time) {
        self.ask_services_as(now, Own::Services);
    }

    pub(super) fn ask_services_as(&mut self, now: Time, own: Own) {
        self.own_command(now, own, &basic_connect::DeviceServicesQuery {}, Operation::Query);
    }

    pub(super) fn own_done(&mut self, now: Time, own: Own, outcome: Outcome) {
        match own {
            Own::Services => self.services_done(now, outcome),
            Own::Version => self.version_done(now, outcome),
            Own::Check => self.check(now),
            // Without it the modem may stay silent about everything that changes: again, a few times.
            Own::Subscribe => {
                let lost = matches!(outcome, Outcome::TimedOut | Outcome::Refused(_));
                if lost && matches!(self.phase, Phase::Ready) && self.subscribe_tries < SUBSCRIBE_TRIES {
                    self.subscribe(now);
                }
            }
        }
    }

    /// An answer that is lost leaves open in which release the modem now speaks: only another OPEN makes that certain.
    fn version_done(&mut self, now: Time, outcome: Outcome) {
        let Phase::Asking { give_up } = self.phase else { return };
        let agreed = match outcome {
            Outcome::Answered { status: Status::SUCCESS, buffer } => extensions::Version::decode(&buffer)
                .map(|version| self.config.announce.min(MbimEx::from_bcd(version.extended_version)))
                .map_err(|_| self.strike())
                .ok(),
            Outcome::Answered { .. } => Some(MbimEx::V1),
            Outcome::Refused(_) | Outcome::TimedOut => None,
            Outcome::Dropped | Outcome::Gone => return,
        };
        match agreed {
            Some(release) => {
                self.release = release;
                self.ready(now);
            }
            None => {
                self.versions_lost += 1;
                self.again(now, give_up);
            }
        }
    }

    fn services_done(&mut self, now: Time, outcome: Outcome) {
        let Phase::Asking { give_up } = self.phase else { return };
        match outcome {
            Outcome::Answered { status: Status::SUCCESS, buffer } => {
                match basic_connect::DeviceServices::decode(&buffer) {
                    Ok(services) => {
                        self.offers.list = services
                            .device_services
                            .into_iter()
                            .map(|element| Offer { service: element.device_service_id, cids: element.cids })
                            .collect();
                    }
                    Err(_) => self.strike(),
                }
            }
            // Without the list Basic Connect is taken for granted.
            Outcome::Answered { .. } => {}
            Outcome::TimedOut if self.adopting.is_some_and(|left| left > 1) => {
                self.adopting = self.adopting.map(|left| left - 1);
                return self.ask_services(now);
            }
            Outcome::Refused(_) | Outcome::TimedOut if self.adopting.is_some() => return self.disown(now),
            Outcome::Refused(_) | Outcome::TimedOut => {
                self.failure = OpenFailure::NoServices;
                if give_up <= now {
                    self.give_up()
                } else {
                    self.again(now, give_up)
                }
                return;
            }
            Outcome::Dropped | Outcome::Gone => return,
        }
        let lists = self.offers.has(extensions::SERVICE, extensions::Version::CID);
        if self.adopting.take().is_some() {
            // The release was agreed on by who opened it.
            self.ready(now);
        } else if lists && self.config.announce > MbimEx::V1 && self.versions_lost < VERSION_TRIES {
            let query = extensions::Version { version: 0x0100, extended_version: self.config.announce.bcd() };
            self.own_command(now, Own::Version, &query, Operation::Query);
        } else {
            self.ready(now);
        }
    }

    fn ready(&mut self, now: Time) {
        self.phase = Phase::Ready;
        self.outputs.push_back(SessionOutput::Opened { release: self.release });
        self.subscribe_tries = 0;
        self.subscribe(now);
    }

    /// Other indications are wanted from now on; the modem is told by whoever changed them, or with the next open.
    pub fn want(&mut self, subscription: Subscription) {
        self.config.subscribe = subscription;
    }

    /// The list of indications for this modem.
    #[must_use]
    pub fn subscription(&self) -> basic_connect::DeviceServiceSubscribeList {
        self.config.subscribe.body(&self.offers)
    }

    /// Subscribes indications once more, where the session is open: another list may have been set meanwhile.
    pub fn resubscribe(&mut self, now: Time) {
        if matches!(self.phase, Phase::Ready) {
            self.subscribe_tries = 0;
            self.subscribe(now);
        }
    }

    fn subscribe(&mut self, now: Time) {
        self.subscribe_tries += 1;
        if self.offers.has(basic_connect::SERVICE, basic_connect::DeviceServiceSubscribeList::CID) {
            self.own_command(now, Own::Subscribe, &self.subscription(), Operation::Set);
        }
    }
}

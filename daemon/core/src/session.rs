//! One control session with a modem, without IO: opening and closing, transactions, fragments, deadlines, versions.
//!
//! Bytes and moments go in, fragments to write and typed results come out. The session knows messages, not what they
//! mean: bodies are the business of [`modem`](crate::modem). It counts what a modem does wrong and says when it is
//! enough, and leaves the decision to its owner. `[MBIM1.0 9]`

mod behind;
pub mod deadline;
mod flight;
mod open;
mod subscription;
mod wire;

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;

use behind::Behind;
pub use flight::Stray;
use flight::{Flight, Sent};
use mbim_proto::status::{ProtocolError, Status};
use mbim_proto::{MbimEx, Operation, Uuid};
use open::Phase;
pub use open::{Offer, Offers, OpenFailure};
pub use subscription::Subscription;

use zeroize::Zeroize as _;

use crate::Time;

/// Timeouts in a row after which the control path counts as hung. `[MBIM reference, 6]`
pub const TIMEOUTS_TO_HANG: u32 = 10;
/// Misbehaviours in a row after which the modem is to be opened anew. `[style 3.3]`
pub const STRIKES_TO_HANG: u32 = 3;

/// How a session is to be run.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Commands that the modem takes at a time, `bMaxOutstandingCommandMessages`; 0 counts as 1.
    pub outstanding: u16,
    /// Largest fragment, octets, `wMaxControlMessage`; below 64 counts as 64.
    pub max_control: u32,
    /// Highest MBIMEx release to announce.
    pub announce: MbimEx,
    /// Indications that are wanted, where the modem offers them.
    pub subscribe: Subscription,
}

/// Number of a command, given by the session, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One command to the modem. `Debug` does not show the buffer: it may hold a PIN.
#[derive(Clone)]
pub struct Command {
    /// Service.
    pub service: Uuid,
    /// Command id within the service.
    pub cid: u32,
    /// Query or set.
    pub operation: Operation,
    /// Information buffer.
    pub buffer: Vec<u8>,
    /// How long to wait for the answer, from the moment it is sent; see [`deadline`].
    pub timeout: Duration,
    /// What goes before what.
    pub rank: Rank,
}

/// Passwords, PINs and activation data are among them.
impl Drop for Command {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("service", &self.service)
            .field("cid", &self.cid)
            .field("operation", &self.operation)
            .field("octets", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// Which of several commands that wait is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Before all others.
    Urgent,
    /// In turn.
    Ordinary,
    /// When none of the others waits: commands of clients of the [proxy](crate::proxy). That one of them is not answered
    /// says nothing of the modem.
    Guest,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered. A status other than success may come with a body, or with none.
    Answered {
        /// Status of the answer.
        status: Status,
        /// Information buffer.
        buffer: Vec<u8>,
    },
    /// FUNCTION_ERROR for this transaction.
    Refused(ProtocolError),
    /// No answer in time.
    TimedOut,
    /// The session was opened anew or closed meanwhile.
    Dropped,
    /// The modem is gone.
    Gone,
}

/// Why the session needs to be opened anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hung {
    /// Too many timeouts in a row.
    Timeouts,
    /// Too many misbehaviours in a row.
    Misbehaviour,
    /// The modem says that it is not open.
    NotOpened,
    /// The modem closed the session by itself.
    StrayClose,
}

/// What the session tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionOutput {
    /// One fragment to write.
    Transmit(Vec<u8>),
    /// Open; commands may be queued now.
    Opened {
        /// The release in force.
        release: MbimEx,
    },
    /// The open procedure used up its time.
    OpenFailed(OpenFailure),
    /// What an earlier host left open is not open any more, or does not answer; it is being opened anew.
    NotAdopted,
    /// A command came to its end. Exactly once for each.
    Completed {
        /// Which.
        ticket: Ticket,
        /// How.
        outcome: Outcome,
    },
    /// The modem reports something by itself.
    Indication {
        /// Service.
        service: Uuid,
        /// Command id.
        cid: u32,
        /// Information buffer.
        buffer: Vec<u8>,
    },
    /// The session should be opened anew; said once until it is.
    Hung(Hung),
    /// CLOSE was answered, or its time is over.
    Closed,
    /// Answers come one message late, each when something else is said; said once until the session is opened anew. As long as
    /// somebody below reads one message for each announcement, and one announcement was lost, that does not end by itself.
    Behind,
    /// Something was dropped: what, for the log.
    Dropped(Dropped),
}

/// Something from the modem that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// An answer that nobody waits for.
    Answer(Stray),
    /// An answer whose service or command is not that of the transaction.
    WrongTransaction,
    /// A message or fragment that breaks the framing.
    Broken(&'static str),
    /// A message of a kind that hosts do not get.
    UnknownKind(u32),
}

/// Counters of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages sent (not fragments).
    pub sent: u64,
    /// Messages received (not fragments).
    pub received: u64,
    /// Answers that came too late.
    pub late: u64,
    /// Second answers.
    pub duplicate: u64,
    /// Answers to commands that this session did not send, or with another service or command.
    pub foreign: u64,
    /// Messages and fragments that break the framing, and bodies that the owner could not read.
    pub broken: u64,
    /// Commands that timed out.
    pub timeouts: u64,
    /// Sequential round trips so far: the longest chain of commands of which each was sent after the answer to the
    /// one before.
    pub depth: u32,
}

/// The session.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    phase: Phase,
    flight: Flight,
    inbox: wire::Inbox,
    outputs: VecDeque<SessionOutput>,
    counters: Counters,
    release: MbimEx,
    offers: Offers,
    next_ticket: u64,
    timeouts_in_row: u32,
    strikes: u32,
    /// [`SessionOutput::Hung`] was said.
    hung: bool,
    /// The session's own command that is under way.
    own: Option<(Ticket, Own)>,
    /// OPENs sent in this procedure.
    opens: u32,
    /// Ids of the OPENs that were not answered yet.
    opened_with: Vec<u32>,
    /// Ids of the CLOSEs of this procedure.
    closed_with: Vec<u32>,
    /// Tries left to reach a session that an earlier host left open; `None` = it is not to be adopted.
    adopting: Option<u32>,
    /// Answers to VERSION that were lost in this procedure.
    versions_lost: u32,
    /// SUBSCRIBE_LISTs sent since it is open.
    subscribe_tries: u32,
    /// The last thing that went wrong while opening.
    failure: OpenFailure,
    behind: Behind,
    /// When the last message was sent.
    sent_at: Time,
}

/// Commands that the session sends for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    Services,
    Version,
    Subscribe,
    /// Nothing that is not known: whether it is answered in its time.
    Check,
}

impl Session {
    /// A session that does nothing until [`Self::open`].
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        let config = SessionConfig { max_control: config.max_control.clamp(64, 65_535), ..config };
        Self {
            phase: Phase::Idle,
            flight: Flight::new(config.outstanding),
            inbox: wire::Inbox::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            release: MbimEx::V1,
            offers: Offers::default(),
            next_ticket: 1,
            timeouts_in_row: 0,
            strikes: 0,
            hung: false,
            own: None,
            opens: 0,
            opened_with: Vec::new(),
            closed_with: Vec::new(),
            adopting: None,
            versions_lost: 0,
            subscribe_tries: 0,
            failure: OpenFailure::NoAnswer,
            behind: Behind::default(),
            sent_at: Time::ZERO,
            config,
        }
    }

    /// Queues a command. Before the session is open, and after it was closed, it ends as [`Outcome::Dropped`].
    pub fn command(&mut self, now: Time, command: Command) -> Ticket {
        let ticket = self.ticket();
        if matches!(self.phase, Phase::Ready) {
            self.flight.queue(ticket, command);
            self.depart(now);
        } else {
            self.outputs.push_back(SessionOutput::Completed { ticket, outcome: Outcome::Dropped });
        }
        ticket
    }

    /// Gives up on a command whose answer no longer matters: there is no [`SessionOutput::Completed`] for it, and an
    /// answer that still comes is late.
    pub fn abandon(&mut self, now: Time, ticket: Ticket) {
        if self.flight.abandon(ticket) {
            self.depart(now);
        }
    }

    /// Bytes from the modem, cut anywhere.
    pub fn bytes(&mut self, now: Time, bytes: &[u8]) {
        if matches!(self.phase, Phase::Idle) {
            return;
        }
        self.inbox.push(now, bytes);
        while let Some(incoming) = self.inbox.next(now) {
            self.incoming(now, incoming);
            if matches!(self.phase, Phase::Idle) {
                return;
            }
        }
        self.depart(now);
    }

    /// The kernel lost bytes: what was collected is worth nothing.
    pub fn overrun(&mut self) {
        self.inbox.clear();
        self.counters.broken += 1;
    }

    /// Time has passed.
    pub fn wake(&mut self, now: Time) {
        while let Some(broken) = self.inbox.overdue(now) {
            self.broken(now, &broken);
        }
        self.open_wake(now);
        self.flight.wake(now);
        for sent in self.flight.overdue(now) {
            self.counters.timeouts += 1;
            self.timeouts_in_row += u32::from(sent.rank != Rank::Guest);
            self.complete(now, &sent, Outcome::TimedOut);
        }
        if self.timeouts_in_row >= TIMEOUTS_TO_HANG {
            self.hang(Hung::Timeouts);
        }
        while let Some((id, command)) = self.flight.repeat(now) {
            self.sent_at = now;
            self.transmit(id, &command);
        }
        self.depart(now);
    }

    /// The next moment at which [`Self::wake`] is wanted, and why.
    #[must_use]
    pub fn next_wake(&self) -> Option<(Time, &'static str)> {
        let fragment = self.inbox.deadline().map(|at| (at, "next fragment overdue"));
        [self.flight.next_deadline(), fragment, self.phase.deadline()].into_iter().flatten().min()
    }

    /// The transport is gone: every command ends, once.
    pub fn gone(&mut self) {
        self.end_all(&Outcome::Gone);
        self.phase = Phase::Idle;
        self.inbox.clear();
    }

    /// The owner could not read a body: the framing was good, the content was not.
    pub fn strike(&mut self) {
        self.counters.broken += 1;
        self.strikes += 1;
        if self.strikes >= STRIKES_TO_HANG {
            self.hang(Hung::Misbehaviour);
        }
    }

    /// The owner could read a body: the row of misbehaviours ends.
    pub fn behaved(&mut self) {
        self.strikes = 0;
    }

    /// Takes the next output.
    pub fn poll(&mut self) -> Option<SessionOutput> {
        self.outputs.pop_front()
    }

    /// Whether [`Self::poll`] has nothing.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.outputs.is_empty()
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The MBIMEx release in force.
    #[must_use]
    pub fn release(&self) -> MbimEx {
        self.release
    }

    /// What the modem offers.
    #[must_use]
    pub fn offers(&self) -> &Offers {
        &self.offers
    }

    /// Commands of the proxy's clients that were not sent yet.
    #[must_use]
    pub fn guests_waiting(&self) -> usize {
        self.flight.guests_waiting()
    }

    /// Commands that wait for an answer now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flight.in_flight()
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        ticket
    }

    /// The answer to what was said before came upon what is said now.
    fn answered_late(&mut self, now: Time) {
        if now.saturating_sub(self.sent_at) > behind::AT_ONCE || !self.behind.count(now) {
            return;
        }
        let most = if matches!(self.phase, Phase::Ready) { behind::OPEN } else { behind::OPENING };
        if self.adopting.is_some() {
            // Decided at the end of that.
        } else if self.behind.is_more_than(most) {
            self.say_behind();
        } else {
            self.check(now);
        }
    }

    /// Asks something whose answer settles whether answers come late.
    fn check(&mut self, now: Time) {
        if matches!(self.phase, Phase::Ready) && self.own.is_none() && self.behind.doubts() {
            self.ask_services_as(now, Own::Check);
        }
    }

    fn say_behind(&mut self) {
        if self.behind.say() {
            self.outputs.push_back(SessionOutput::Behind);
        }
    }

    /// Sends what the window lets through. Fragments of one message are queued back to back.
    fn depart(&mut self, now: Time) {
        while let Some((id, command)) = self.flight.depart(now, self.counters.depth + 1) {
            self.sent_at = now;
            self.transmit(id, &command);
        }
    }

    fn transmit(&mut self, id: u32, command: &Command) {
        let fragments = wire::command(id, command, self.config.max_control);
        self.counters.sent += 1;
        self.outputs.extend(fragments.into_iter().map(SessionOutput::Transmit));
    }

    fn incoming(&mut self, now: Time, incoming: Result<wire::Incoming, wire::Broken>) {
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(broken) => return self.broken(now, &broken),
        };
        self.counters.received += 1;
        match incoming {
            wire::Incoming::OpenDone { id, status } => self.open_done(now, id, status),
            wire::Incoming::CloseDone { id } => self.close_done(now, id),
            wire::Incoming::CommandDone { id, service, cid, status, buffer } => {
                self.command_done(now, id, service, cid, status, buffer);
            }
            wire::Incoming::Indication { service, cid, buffer } => {
                if matches!(self.phase, Phase::Ready) {
                    self.outputs.push_back(SessionOutput::Indication { service, cid, buffer });
                }
            }
            wire::Incoming::FunctionError { id, code } => self.function_error(now, id, code),
            wire::Incoming::Unknown { kind } => {
                self.outputs.push_back(SessionOutput::Dropped(Dropped::UnknownKind(kind)));
            }
        }
    }

    fn command_done(&mut self, now: Time, id: u32, service: Uuid, cid: u32, status: Status, buffer: Vec<u8>) {
        let Some(sent) = self.flight.get(id) else {
            let stray = self.flight.stray(id);
            match stray {
                Stray::Late => {
                    self.counters.late += 1;
                    self.answered_late(now);
                }
                Stray::Duplicate => self.counters.duplicate += 1,
                Stray::Foreign => self.counters.foreign += 1,
            }
            self.outputs.push_back(SessionOutput::Dropped(Dropped::Answer(stray)));
            return;
        };
        if cid != sent.cid || !open::same_service(service, sent.service) {
            self.counters.foreign += 1;
            self.outputs.push_back(SessionOutput::Dropped(Dropped::WrongTransaction));
            return;
        }
        if status == Status::BUSY && self.flight.is_repeated(id) {
            // One too many for it; the other copy is at work.
            return self.flight.discard(id);
        }
        if self.flight.is_outrun(id) {
            self.answered_late(now);
        } else if self.own.is_some_and(|(ticket, own)| own == Own::Check && ticket == sent.ticket) {
            // In its time, or lost once: nothing stands in between.
            self.behind = Behind::default();
        }
        if let Some(sent) = self.flight.arrive(id) {
            self.timeouts_in_row = 0;
            self.counters.depth = self.counters.depth.max(sent.depth);
            self.complete(now, &sent, Outcome::Answered { status, buffer });
        }
    }

    fn function_error(&mut self, now: Time, id: u32, code: ProtocolError) {
        let asking = matches!(self.phase, Phase::Asking { .. });
        if self.opening() && (!asking || code == ProtocolError::NOT_OPENED) {
            return self.open_disturbed(now);
        }
        if code == ProtocolError::DUPLICATED_TID && self.flight.get(id).is_some() {
            // The command itself is at work; its answer is still to come.
            return;
        }
        if self.flight.is_repeated(id) {
            self.flight.discard(id);
        } else if let Some(sent) = self.flight.arrive(id) {
            self.complete(now, &sent, Outcome::Refused(code));
        } else {
            let stray = self.flight.stray(id);
            self.outputs.push_back(SessionOutput::Dropped(Dropped::Answer(stray)));
        }
        if code == ProtocolError::NOT_OPENED {
            self.hang(Hung::NotOpened);
        }
    }

    /// The framing was broken: the modem is told, and a transaction that it concerns has little time left.
    fn broken(&mut self, now: Time, broken: &wire::Broken) {
        if let Some((id, code)) = broken.answer {
            self.counters.sent += 1;
            self.outputs.push_back(SessionOutput::Transmit(wire::host_error(id, code)));
            self.flight.hurry(id, now, deadline::FRAGMENT_GAP);
        }
        self.outputs.push_back(SessionOutput::Dropped(Dropped::Broken(broken.what)));
        self.strike();
    }

    fn complete(&mut self, now: Time, sent: &Sent, outcome: Outcome) {
        match self.own.take_if(|(ticket, _)| *ticket == sent.ticket) {
            Some((_, own)) => self.own_done(now, own, outcome),
            None => self.outputs.push_back(SessionOutput::Completed { ticket: sent.ticket, outcome }),
        }
    }

    /// Ends all commands with the same outcome.
    fn end_all(&mut self, outcome: &Outcome) {
        let own = self.own.take().map(|(ticket, _)| ticket);
        for ticket in self.flight.clear() {
            if Some(ticket) != own {
                self.outputs.push_back(SessionOutput::Completed { ticket, outcome: outcome.clone() });
            }
        }
    }

    fn hang(&mut self, why: Hung) {
        if matches!(self.phase, Phase::Ready) && !self.hung {
            self.hung = true;
            self.outputs.push_back(SessionOutput::Hung(why));
        }
    }
}

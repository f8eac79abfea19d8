//! One connection of the proxy's socket: bytes in, messages whole, what they order, answers out.
//!
//! ```text
//! New ─ Configuration ─► Resolving ─ a modem ─► Joining ─ it is open ─► Ready
//!  ▲                         └ none, or busy ─────┴ it cannot be ──────► Unserved ─ Configuration ─► Resolving
//!  └ OPEN fails, commands get FUNCTION_ERROR, in all states but Ready         any ─ garbage ───────► Ended
//! ```
//!
//! One connection has one modem for good. `[libmbim proxy]`

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use mbim_proto::fragment::{FrameCutter, Limits, Reassembler, fragments};
use mbim_proto::message::{Command, CommandDone, Content, Header, IndicateStatus, Message};
use mbim_proto::service::proxy_control::{ProxyConfiguration, ProxyVersion};
use mbim_proto::service::{PROXY_CONTROL, canonical};
use mbim_proto::status::{ProtocolError, Status};
use mbim_proto::{Body, MbimEx};

use super::{GuestCommand, News, Resolution};
use crate::Time;
use crate::session::Outcome;

/// Commands of one client that wait for their answers at a time.
pub const MAX_PENDING: usize = 64;
/// Octets of those, of what is being collected of others, and of one message.
const MAX_OCTETS: usize = 1 << 20;
/// Longest pause within a message, and between the pieces of a frame.
const PAUSE: Duration = Duration::from_secs(5);
/// Octets of one frame towards a client.
const FRAME: u32 = 4096;
/// Bounds of the time that a client gives the modem to be opened.
const TIMEOUT: core::ops::RangeInclusive<u32> = 1..=300;

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It did not say which modem it is for.
    New,
    /// It named a path; who knows the modems looks it up.
    Resolving,
    /// Its modem is being opened.
    Joining,
    /// It may send commands.
    Ready,
    /// It did not get a modem.
    Unserved,
    /// Over.
    Ended,
}

/// Why a connection ends from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The bytes were no messages.
    Garbage,
    /// The daemon keeps too much for all clients together.
    NoRoom,
}

/// What a client wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// One frame to write to it.
    Send(Vec<u8>),
    /// Look up which modem stands at a path, and say [`Client::resolved`].
    Resolve(String),
    /// It wants this modem.
    Join(u32),
    /// A command for its modem.
    Command {
        /// Number for the answer.
        key: u64,
        /// The command, without its buffer in `Debug`.
        command: GuestCommand,
    },
    /// Write what is left and hang up.
    End(Ended),
}

impl PartialEq for GuestCommand {
    fn eq(&self, other: &Self) -> bool {
        (self.service, self.cid, self.operation, &self.buffer)
            == (other.service, other.cid, other.operation, &other.buffer)
    }
}

impl Eq for GuestCommand {}

/// A command that waits for its answer.
#[derive(Debug)]
struct Pending {
    transaction: u32,
    command: Command,
    octets: usize,
}

/// A Configuration that waits.
#[derive(Debug)]
struct Configuring {
    transaction: u32,
    timeout: Duration,
    /// Until when, as soon as it is known that there is a modem.
    until: Option<Time>,
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    state: State,
    cutter: FrameCutter,
    parts: Reassembler,
    /// When the last piece of a frame came that is not whole yet.
    partial: Option<Time>,
    configuring: Option<Configuring>,
    modem: Option<u32>,
    pending: BTreeMap<u64, Pending>,
    octets: usize,
    next_key: u64,
    crowded: bool,
    refused: u64,
    actions: VecDeque<Action>,
}

impl Default for Client {
    fn default() -> Self {
        let limits = Limits { bytes: MAX_OCTETS, total: MAX_OCTETS, pause: PAUSE, messages: 8, ..Limits::default() };
        Self {
            state: State::New,
            cutter: FrameCutter::new(MAX_OCTETS as u32),
            parts: Reassembler::new(limits),
            partial: None,
            configuring: None,
            modem: None,
            pending: BTreeMap::new(),
            octets: 0,
            next_key: 0,
            crowded: false,
            refused: 0,
            actions: VecDeque::new(),
        }
    }
}

impl Client {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Bytes of the client, cut anywhere.
    pub fn bytes(&mut self, now: Time, bytes: &[u8]) {
        if self.state == State::Ended {
            return;
        }
        self.cutter.push(bytes);
        while let Some(frame) = self.cutter.next_frame() {
            let Ok(frame) = frame else { return self.garbage(0) };
            let transaction = Header::decode(frame).map_or(0, |header| header.transaction);
            match self.parts.push(now, frame) {
                Ok(None) => {}
                Ok(Some(whole)) => match Message::decode(&whole) {
                    Ok(message) => self.message(message),
                    Err(_) => return self.garbage(transaction),
                },
                Err(error) => self.function_error(error.transaction().unwrap_or(transaction), error.code()),
            }
        }
        self.partial = (self.cutter.pending() > 0).then_some(now);
    }

    /// Time has passed.
    pub fn wake(&mut self, now: Time) {
        while let Some(error) = self.parts.expire(now) {
            self.function_error(error.transaction().unwrap_or(0), error.code());
        }
        if self.partial.is_some_and(|since| since + PAUSE <= now) {
            self.garbage(0);
        }
        if self.configuring.as_ref().and_then(|configuring| configuring.until).is_some_and(|until| until <= now) {
            self.unserved(Status::FAILURE);
        }
    }

    /// When [`Self::wake`] is wanted.
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        let partial = self.partial.map(|since| since + PAUSE);
        let configuring = self.configuring.as_ref().and_then(|configuring| configuring.until);
        [self.parts.deadline(), partial, configuring].into_iter().flatten().min()
    }

    /// Answer to [`Action::Resolve`].
    pub fn resolved(&mut self, now: Time, resolution: Resolution) {
        if self.state == State::Ended {
            return;
        }
        match (resolution, self.modem) {
            (Resolution::Modem(modem), Some(mine)) => {
                self.configured(if modem == mine { Status::SUCCESS } else { Status::FAILURE });
            }
            (_, Some(_)) => self.configured(Status::FAILURE),
            (Resolution::Modem(modem), None) => {
                self.modem = Some(modem);
                self.state = State::Joining;
                if let Some(configuring) = &mut self.configuring {
                    configuring.until = Some(now + configuring.timeout);
                }
                self.actions.push_back(Action::Join(modem));
            }
            (Resolution::Busy, None) => self.unserved(Status::BUSY),
            (Resolution::Unknown, None) => self.unserved(Status::INVALID_PARAMETERS),
        }
    }

    /// The modem's machine says something.
    pub fn news(&mut self, news: News) {
        match news {
            _ if self.state == State::Ended => {}
            News::Joined { release } if self.state == State::Joining => {
                self.state = State::Ready;
                if let Some(release) = release {
                    self.version(release);
                }
                self.configured(Status::SUCCESS);
            }
            News::Refused(status) if self.state == State::Joining => self.unserved(status),
            News::Joined { .. } | News::Refused(_) => {}
            News::Answered { key, outcome } => self.answered(key, outcome),
            News::Denied { key, status } => {
                self.refused += 1;
                self.answered(key, Outcome::Answered { status, buffer: Vec::new() });
            }
            News::Release(release) if self.state == State::Ready => self.version(release),
            News::Indication { service, cid, buffer } if self.state == State::Ready => {
                self.send(&IndicateStatus { service, cid, buffer }.message());
            }
            News::Release(_) | News::Indication { .. } => {}
        }
    }

    /// Octets that it makes the daemon keep: of messages that are not whole, and of commands under way.
    #[must_use]
    pub fn held(&self) -> usize {
        self.collecting() + self.octets
    }

    /// Octets of messages that are not whole.
    #[must_use]
    pub fn collecting(&self) -> usize {
        self.cutter.pending() + self.parts.held()
    }

    /// Commands that were refused without asking the modem.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Whether the daemon keeps as much as it may for all clients: further commands are told that it is busy.
    pub fn crowd(&mut self, crowded: bool) {
        self.crowded = crowded;
    }

    /// There is no room for what this client has begun to say: it is told and let go.
    pub fn overflow(&mut self) {
        if self.state != State::Ended {
            self.end(0, ProtocolError::MAX_TRANSFER, Ended::NoRoom);
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn message(&mut self, message: Message) {
        let transaction = message.transaction;
        match message.content {
            Content::Open(_) => {
                let status = if self.state == State::Ready { Status::SUCCESS } else { Status::FAILURE };
                self.send(&Message::new(transaction, Content::OpenDone(status)));
            }
            // The session is the daemon's.
            Content::Close => self.send(&Message::new(transaction, Content::CloseDone(Status::SUCCESS))),
            Content::Command(command) if canonical(command.service) == PROXY_CONTROL => {
                self.control(transaction, &command);
            }
            Content::Command(command) if self.state == State::Ready => self.command(transaction, command),
            Content::Command(_) => self.function_error(transaction, ProtocolError::NOT_OPENED),
            _ => {}
        }
    }

    fn control(&mut self, transaction: u32, command: &Command) {
        let set = command.command_type.operation() == Some(mbim_proto::Operation::Set);
        let answer = if !command.is::<ProxyConfiguration>() {
            Status::NO_DEVICE_SUPPORT
        } else if self.configuring.is_some() {
            Status::BUSY
        } else {
            match ProxyConfiguration::decode(&command.buffer) {
                Ok(body) if set && !body.device_path.is_empty() => {
                    let seconds = body.timeout.clamp(*TIMEOUT.start(), *TIMEOUT.end());
                    let timeout = Duration::from_secs(u64::from(seconds));
                    self.configuring = Some(Configuring { transaction, timeout, until: None });
                    if self.modem.is_none() {
                        self.state = State::Resolving;
                    }
                    return self.actions.push_back(Action::Resolve(body.device_path));
                }
                _ => Status::INVALID_PARAMETERS,
            }
        };
        self.send(&CommandDone::empty(command, answer).message(transaction));
    }

    fn command(&mut self, transaction: u32, mut command: Command) {
        let Some(operation) = command.command_type.operation() else {
            return self.send(&CommandDone::empty(&command, Status::INVALID_PARAMETERS).message(transaction));
        };
        let octets = command.buffer.len();
        if self.crowded || self.pending.len() >= MAX_PENDING || self.octets + octets > MAX_OCTETS {
            self.refused += 1;
            return self.send(&CommandDone::empty(&command, Status::BUSY).message(transaction));
        }
        let key = self.next_key;
        self.next_key += 1;
        self.octets += octets;
        let buffer = core::mem::take(&mut command.buffer);
        let (service, cid) = (command.service, command.cid);
        self.pending.insert(key, Pending { transaction, command, octets });
        self.actions.push_back(Action::Command { key, command: GuestCommand { service, cid, operation, buffer } });
    }

    fn answered(&mut self, key: u64, outcome: Outcome) {
        let Some(Pending { transaction, command, octets }) = self.pending.remove(&key) else { return };
        self.octets = self.octets.saturating_sub(octets);
        match outcome {
            Outcome::Answered { status, buffer } => {
                let done = CommandDone { service: command.service, cid: command.cid, status, buffer };
                self.send(&done.message(transaction));
            }
            Outcome::Refused(code) => self.function_error(transaction, code),
            // The client has a timer of its own.
            Outcome::TimedOut | Outcome::Gone => {}
            Outcome::Dropped => self.function_error(transaction, ProtocolError::NOT_OPENED),
        }
    }

    fn unserved(&mut self, status: Status) {
        self.modem = None;
        self.state = State::Unserved;
        self.configured(status);
    }

    fn configured(&mut self, status: Status) {
        if let Some(Configuring { transaction, .. }) = self.configuring.take() {
            let (service, cid) = (PROXY_CONTROL, ProxyConfiguration::CID);
            self.send(&CommandDone { service, cid, status, buffer: Vec::new() }.message(transaction));
        }
    }

    fn version(&mut self, release: MbimEx) {
        let version = ProxyVersion { version: 0x0100, extended_version: release.bcd() };
        self.send(&IndicateStatus::with(&version).message());
    }

    fn function_error(&mut self, transaction: u32, code: ProtocolError) {
        self.send(&Message::new(transaction, Content::FunctionError(code)));
    }

    /// The stream is not one of messages, and where the next one begins nobody knows.
    fn garbage(&mut self, transaction: u32) {
        self.end(transaction, ProtocolError::LENGTH_MISMATCH, Ended::Garbage);
    }

    fn end(&mut self, transaction: u32, code: ProtocolError, why: Ended) {
        self.function_error(transaction, code);
        self.state = State::Ended;
        self.cutter.clear();
        self.parts.clear();
        self.partial = None;
        self.configuring = None;
        self.pending.clear();
        self.octets = 0;
        self.actions.push_back(Action::End(why));
    }

    fn send(&mut self, message: &Message) {
        self.actions.extend(fragments(&message.encode(), FRAME).map(Action::Send));
    }
}

#[cfg(test)]
mod tests;

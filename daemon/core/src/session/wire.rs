//! Between the session and the codec: frames in, messages out, and the reverse.

use std::collections::VecDeque;

use mbim_proto::fragment::{self, CutError, FrameCutter, Reassembler, ReassemblyError};
use mbim_proto::message::{self, CommandType, Content, Header, Message};
use mbim_proto::status::{ProtocolError, Status};
use mbim_proto::{Operation, Uuid};
use zeroize::{Zeroize as _, Zeroizing};

use super::Command;
use super::deadline::FRAGMENT_GAP;
use crate::Time;

/// Octets of a stream without a whole frame in it that are kept; no honest modem comes near.
const PENDING: usize = 256 * 1024;

/// A message from the modem.
#[derive(Debug)]
pub(super) enum Incoming {
    OpenDone { id: u32, status: Status },
    CloseDone { id: u32 },
    CommandDone { id: u32, service: Uuid, cid: u32, status: Status, buffer: Vec<u8> },
    Indication { service: Uuid, cid: u32, buffer: Vec<u8> },
    FunctionError { id: u32, code: ProtocolError },
    Unknown { kind: u32 },
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    /// What is wrong, for the log.
    pub(super) what: &'static str,
    /// Transaction and code for HOST_ERROR, where the specification wants one.
    pub(super) answer: Option<(u32, ProtocolError)>,
}

/// The stream from the modem.
#[derive(Debug)]
pub(super) struct Inbox {
    cutter: FrameCutter,
    reassembler: Reassembler,
    overdue: VecDeque<Broken>,
    /// When the last piece of a frame came that is not whole yet.
    partial: Option<Time>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            cutter: FrameCutter::default(),
            reassembler: Reassembler::default(),
            overdue: VecDeque::new(),
            partial: None,
        }
    }

    pub(super) fn push(&mut self, now: Time, bytes: &[u8]) {
        self.cutter.push(bytes);
        self.partial = Some(now);
    }

    /// Forgets what came in part.
    pub(super) fn clear(&mut self) {
        self.cutter.clear();
        self.reassembler.clear();
        self.partial = None;
    }

    /// The next whole message, or what was wrong with a frame.
    pub(super) fn next(&mut self, now: Time) -> Option<Result<Incoming, Broken>> {
        loop {
            if self.cutter.pending() > PENDING {
                self.cutter.clear();
                return Some(Err(Broken { what: "stream-too-long", answer: None }));
            }
            let frame = match self.cutter.next_frame()? {
                Ok(frame) => frame,
                Err(CutError::Length { .. }) => return Some(Err(Broken { what: "message-length", answer: None })),
            };
            let whole = match self.reassembler.push(now, frame) {
                Ok(Some(whole)) => whole,
                Ok(None) => continue,
                Err(error) => return Some(Err(fragment_broken(&error, Header::decode(frame).ok()))),
            };
            return Some(incoming(&whole));
        }
    }

    /// A message whose next fragment, or a frame whose rest, is overdue. A frame that claims to be longer than it is
    /// would swallow all that come after it.
    pub(super) fn overdue(&mut self, now: Time) -> Option<Broken> {
        if self.partial_deadline().is_some_and(|at| at <= now) {
            self.cutter.clear();
            self.partial = None;
            self.overdue.push_back(Broken { what: "frame-not-whole", answer: None });
        }
        while let Some(error) = self.reassembler.expire(now) {
            self.overdue.push_back(fragment_broken(&error, None));
        }
        self.overdue.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        if !self.overdue.is_empty() {
            return Some(Time::ZERO);
        }
        [self.reassembler.deadline(), self.partial_deadline()].into_iter().flatten().min()
    }

    fn partial_deadline(&self) -> Option<Time> {
        self.partial.filter(|_| self.cutter.pending() > 0).map(|since| since + FRAGMENT_GAP)
    }
}

fn fragment_broken(error: &ReassemblyError, header: Option<Header>) -> Broken {
    let what = match error {
        ReassemblyError::Malformed(_) => "fragment-header",
        ReassemblyError::OutOfSequence { .. } => "fragment-out-of-sequence",
        ReassemblyError::Timeout { .. } => "fragment-timeout",
        ReassemblyError::TooLong { .. } | ReassemblyError::TooManyFragments { .. } => "message-too-long",
    };
    let transaction = error.transaction().or(header.map(|header| header.transaction));
    Broken { what, answer: transaction.map(|id| (id, error.code())) }
}

fn incoming(whole: &[u8]) -> Result<Incoming, Broken> {
    let message = Message::decode(whole).map_err(|_| {
        let id = Header::decode(whole).map_or(0, |header| header.transaction);
        Broken { what: "message-body", answer: Some((id, ProtocolError::LENGTH_MISMATCH)) }
    })?;
    let id = message.transaction;
    Ok(match message.content {
        Content::OpenDone(status) => Incoming::OpenDone { id, status },
        Content::CloseDone(_) => Incoming::CloseDone { id },
        Content::CommandDone(done) => {
            Incoming::CommandDone { id, service: done.service, cid: done.cid, status: done.status, buffer: done.buffer }
        }
        Content::IndicateStatus(told) => {
            Incoming::Indication { service: told.service, cid: told.cid, buffer: told.buffer }
        }
        Content::FunctionError(code) => Incoming::FunctionError { id, code },
        other => Incoming::Unknown { kind: other.kind().0 },
    })
}

/// A command, cut for this modem.
pub(super) fn command(id: u32, command: &Command, max: u32) -> Vec<Vec<u8>> {
    let command_type = match command.operation {
        Operation::Query => CommandType::QUERY,
        _ => CommandType::SET,
    };
    let (service, cid, buffer) = (command.service, command.cid, command.buffer.clone());
    let message = message::Command { service, cid, command_type, buffer }.message(id);
    let whole = Zeroizing::new(message.encode());
    if let Content::Command(mut command) = message.content {
        command.buffer.zeroize();
    }
    fragment::fragments(&whole, max).collect()
}

pub(super) fn open(id: u32, max: u32) -> Vec<u8> {
    Message::new(id, Content::Open(message::Open { max_control_transfer: max })).encode()
}

pub(super) fn close(id: u32) -> Vec<u8> {
    Message::new(id, Content::Close).encode()
}

pub(super) fn host_error(id: u32, code: ProtocolError) -> Vec<u8> {
    Message::new(id, Content::HostError(code)).encode()
}

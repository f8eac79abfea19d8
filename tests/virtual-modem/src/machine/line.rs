//! The modem's messages on their way out: faults strike them, the log sees them, frames leave.

use super::{Event, Ticket, VirtualModem};
use crate::answer;
use crate::fault::What;
use crate::log::{Direction, Entry};
use crate::order::Output;
use crate::wire::{self, Incoming, Outgoing};
use core::time::Duration;
use mbim_proto::Uuid;

/// What a fault changes about a message on its way out.
#[derive(Debug, Default)]
pub(super) struct Alteration {
    garbage: Vec<u8>,
    twice: bool,
    split_at: Option<usize>,
    lose_fragment: Option<usize>,
    wrong_transaction: bool,
    lie: i32,
    midway: bool,
    name: Option<&'static str>,
}

impl Alteration {
    /// What is left to change about a message that was held back.
    pub(super) fn late(garbage: Vec<u8>) -> Self {
        Self { garbage, name: Some("delay"), ..Self::default() }
    }
}

impl VirtualModem {
    /// Answers a command that had to wait.
    pub(crate) fn finish(&mut self, now: Duration, ticket: Ticket, status: u32, buffer: Vec<u8>) {
        let Ticket { transaction, service, cid, epoch } = ticket;
        if epoch == self.host.epoch && self.host.outstanding.contains_key(&transaction) {
            self.send(now, Outgoing::CommandDone { transaction, service, cid, status, buffer });
        }
    }

    /// Whether the host wants an indication.
    pub(crate) fn is_wanted(&self, service: Uuid, cid: u32) -> bool {
        self.host.open
            && match &self.host.subscribed {
                Some(list) => list.get(&service.0).is_some_and(|cids| cids.contains(&cid)),
                None => self.profile.indicates_unasked,
            }
    }

    /// Indicates, if the host wants it.
    pub(crate) fn indicate(&mut self, now: Duration, service: Uuid, cid: u32, buffer: Vec<u8>) {
        if self.is_wanted(service, cid) {
            self.send(now, Outgoing::Indicate { service, cid, buffer });
        }
    }

    /// A message meets the faults, then the line.
    pub(super) fn send(&mut self, now: Duration, mut message: Outgoing) {
        let epoch = self.host.epoch;
        let mut late = Duration::ZERO;
        let mut alteration = Alteration::default();
        for what in self.faults.strike(Direction::ToHost, message.kind(), message.subject()) {
            alteration.name = Some(name_of(&what));
            match what {
                What::Drop => {
                    self.settle_transaction(&message);
                    return self.log_outgoing(now, &message, 0, alteration.name);
                }
                What::Unplug => {
                    self.log_outgoing(now, &message, 0, alteration.name);
                    return self.unplug();
                }
                What::Delay(by) => late = by,
                What::Duplicate => alteration.twice = true,
                What::SplitAt(at) => alteration.split_at = Some(at),
                What::LoseFragment(index) => alteration.lose_fragment = Some(index),
                What::Refuse(code) => {
                    self.settle_transaction(&message);
                    message = Outgoing::FunctionError { transaction: message.transaction(), code };
                }
                What::WrongTransaction => alteration.wrong_transaction = true,
                What::LyingLength(by) => alteration.lie = by,
                What::Garbage(bytes) => alteration.garbage = bytes,
                What::ResetMidway => alteration.midway = true,
                What::Status(new) => replace_status(&mut message, new),
            }
        }
        if late.is_zero() {
            self.emit(now, &message, alteration);
        } else {
            self.later(now, late, Event::Emit { message, epoch, garbage: alteration.garbage });
        }
    }

    pub(super) fn emit(&mut self, now: Duration, message: &Outgoing, alteration: Alteration) {
        self.settle_transaction(message);
        let misbehaviour = &self.profile.misbehaviour;
        let bias = if message.has_buffer() { misbehaviour.buffer_length_bias } else { 0 };
        let trailing = misbehaviour.trailing_bytes;
        let mut frames = message.frames(self.host.largest, bias);
        self.log_outgoing(now, message, frames.len(), alteration.name);
        if !alteration.garbage.is_empty() {
            self.output(Output::Transmit(alteration.garbage));
        }
        if alteration.wrong_transaction {
            renumber(&mut frames, message.transaction().wrapping_add(1));
        }
        if self.profile.misbehaviour.numbered_indications && matches!(message, Outgoing::Indicate { .. }) {
            self.indications = self.indications.wrapping_add(1);
            renumber(&mut frames, self.indications);
        }
        if let Some(index) = alteration.lose_fragment.filter(|index| *index < frames.len()) {
            frames.remove(index);
        }
        if let Some(frame) = frames.first_mut().filter(|_| alteration.lie != 0) {
            let length = wire::word(frame, 4).unwrap_or(0).saturating_add_signed(alteration.lie);
            if let Some(field) = frame.get_mut(4..8) {
                field.copy_from_slice(&length.to_le_bytes());
            }
        }
        for frame in &mut frames {
            frame.resize(frame.len() + trailing, 0);
        }
        if alteration.midway {
            let whole = frames.concat();
            self.output(Output::Transmit(whole.get(..whole.len() / 2).unwrap_or_default().to_vec()));
            return self.reboot(now);
        }
        if let Some(at) = alteration.split_at {
            let whole = frames.concat();
            let (one, other) = whole.split_at(at.min(whole.len()));
            frames = [one, other].into_iter().filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec).collect();
        }
        let again = if alteration.twice { frames.clone() } else { Vec::new() };
        for frame in frames.into_iter().chain(again) {
            self.output(Output::Transmit(frame));
        }
    }

    fn settle_transaction(&mut self, message: &Outgoing) {
        if let Outgoing::CommandDone { transaction, .. } = message {
            self.host.outstanding.remove(transaction);
        }
    }

    pub(super) fn protest(&mut self, now: Duration, transaction: u32, code: u32) {
        if self.plugged {
            self.send(now, Outgoing::FunctionError { transaction, code });
        }
    }

    pub(super) fn log_incoming(&mut self, at: Duration, kind: u32, incoming: &Incoming, fault: Option<&'static str>) {
        let mut entry = Entry {
            at,
            direction: Direction::FromHost,
            kind,
            transaction: 0,
            subject: None,
            name: String::new(),
            operation: None,
            status: None,
            fragments: 1,
            length: 0,
            fault,
        };
        match incoming {
            Incoming::Open { transaction, .. } | Incoming::Close { transaction } => entry.transaction = *transaction,
            Incoming::HostError { transaction, code } | Incoming::Violation { transaction, code } => {
                (entry.transaction, entry.status) = (*transaction, Some(*code));
            }
            Incoming::Command(command) => {
                entry.transaction = command.transaction;
                entry.subject = Some((command.service, command.cid));
                entry.name = answer::name(command.service, command.cid);
                entry.operation = Some(command.operation);
                entry.fragments = command.fragments;
                entry.length = command.buffer.len();
            }
            Incoming::Collecting => {}
        }
        self.log.push(entry);
    }

    fn log_outgoing(&mut self, at: Duration, message: &Outgoing, frames: usize, fault: Option<&'static str>) {
        let subject = message.subject();
        self.log.push(Entry {
            at,
            direction: Direction::ToHost,
            kind: message.kind(),
            transaction: message.transaction(),
            subject,
            name: subject.map(|(service, cid)| answer::name(service, cid)).unwrap_or_default(),
            operation: None,
            status: message.status(),
            fragments: u32::try_from(frames).unwrap_or(u32::MAX),
            length: message.buffer().map_or(0, <[u8]>::len),
            fault,
        });
    }
}

fn renumber(frames: &mut [Vec<u8>], transaction: u32) {
    for field in frames.iter_mut().filter_map(|frame| frame.get_mut(8..12)) {
        field.copy_from_slice(&transaction.to_le_bytes());
    }
}

fn replace_status(message: &mut Outgoing, new: u32) {
    match message {
        Outgoing::OpenDone { status, .. } | Outgoing::CloseDone { status, .. } => *status = new,
        Outgoing::CommandDone { status, buffer, .. } => {
            *status = new;
            buffer.clear();
        }
        Outgoing::FunctionError { code, .. } => *code = new,
        Outgoing::Indicate { .. } => {}
    }
}

pub(super) const fn name_of(what: &What) -> &'static str {
    match what {
        What::Drop => "drop",
        What::Delay(_) => "delay",
        What::Duplicate => "duplicate",
        What::SplitAt(_) => "split",
        What::LoseFragment(_) => "lose-fragment",
        What::Refuse(_) => "refuse",
        What::WrongTransaction => "wrong-transaction",
        What::LyingLength(_) => "lying-length",
        What::Garbage(_) => "garbage",
        What::Status(_) => "status",
        What::ResetMidway => "reset",
        What::Unplug => "unplug",
    }
}

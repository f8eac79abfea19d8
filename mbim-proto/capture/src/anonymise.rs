//! Records without the people in them: what identifies or authenticates somebody is replaced, each value by the same one
//! wherever it stands, in the same length, so that the record can still be read and replayed.

mod card;
mod replace;

use core::time::Duration;
use std::borrow::Cow;
use std::collections::BTreeMap;

use mbim_proto::fragment::{Reassembler, ReassemblyError, fragments};
use mbim_proto::message::{Content, FRAGMENT_HEADER, HEADER, Header};
use mbim_proto::registry::{Row, find};
use mbim_proto::service::sms::{SmsFormat, SmsRead, SmsSendSet};
use mbim_proto::{Body, MbimEx, Message, Operation, Uuid};

use crate::{Agreed, Device, Direction, Frame};
use card::File;
use replace::{Meaning, Replacer};

/// Devices that are kept apart; what a record has beyond is taken for one.
const MOST_DEVICES: usize = 64;
/// Questions to the card that wait for their answers.
const MOST_WAITING: usize = 1024;

/// Replaces what a record says about people.
///
/// Kept are the network of an IMSI (its first six digits), the issuer of a card and the type of an equipment (likewise), check
/// digits, the class of an address and its prefix relations, what the card says about its operator (names, group identifiers,
/// lists of networks), access points, times, signals. Replaced is everything else that [`Personal`](mbim_proto::Personal),
/// [`Secret`](mbim_proto::Secret) and [`Telling`](mbim_proto::codec::Telling) fields hold, IP addresses, and whatever no
/// declaration knows.
#[derive(Debug)]
pub struct Anonymiser {
    replacer: Replacer,
    sessions: BTreeMap<Option<Device>, Session>,
}

/// One device's conversation.
#[derive(Debug, Default)]
struct Session {
    joiner: Reassembler,
    agreed: Agreed,
    /// What is read from the card or written to it, by transaction.
    files: BTreeMap<u32, File>,
    /// How long fragments to the modem and from it are.
    fragment: [u32; 2],
}

impl Anonymiser {
    /// With a secret that nobody is told: who has it can find out what was replaced. Take random bytes and forget them.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { replacer: Replacer::new(secret), sessions: BTreeMap::new() }
    }

    /// The frames that take the place of one: none while a message is not whole, several when its last fragment came.
    pub fn frame(&mut self, frame: &Frame<'_>) -> Vec<Vec<u8>> {
        let room = self.sessions.len() < MOST_DEVICES || self.sessions.contains_key(&frame.device);
        let begun = || Session { agreed: Agreed::on(frame.mbimex.unwrap_or_default()), ..Session::default() };
        let session = self.sessions.entry(frame.device.filter(|_| room)).or_insert_with(begun);
        let way = usize::from(frame.direction == Some(Direction::Received));
        let size = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        match session.joiner.push(Duration::ZERO, frame.bytes) {
            Ok(None) => {
                if let Some(longest) = session.fragment.get_mut(way) {
                    *longest = (*longest).max(size);
                }
                Vec::new()
            }
            Ok(Some(Cow::Borrowed(whole))) => vec![session.message(whole, &mut self.replacer)],
            Ok(Some(Cow::Owned(whole))) => {
                let longest = session.fragment.get(way).copied().unwrap_or_default();
                let message = session.message(&whole, &mut self.replacer);
                fragments(&message, longest.max(size)).collect()
            }
            Err(ReassemblyError::Malformed(_)) => vec![blank(frame.bytes, HEADER, &mut self.replacer)],
            Err(_) => vec![blank(frame.bytes, FRAGMENT_HEADER, &mut self.replacer)],
        }
    }
}

/// The header as it is, and nothing of the rest.
fn blank(bytes: &[u8], header: usize, replacer: &mut Replacer) -> Vec<u8> {
    let mut out = bytes.to_vec();
    replacer.blank(out.get_mut(header..).unwrap_or_default());
    out
}

impl Session {
    fn message(&mut self, bytes: &[u8], replacer: &mut Replacer) -> Vec<u8> {
        self.agreed.follow(bytes);
        let release = self.agreed.release();
        let Ok(Message { transaction, mut content }) = Message::decode(bytes) else {
            return blank(bytes, if Header::decode(bytes).is_ok() { HEADER } else { 0 }, replacer);
        };
        match &mut content {
            Content::Command(command) => {
                let file = File::asked(command);
                if let Some(file) = file
                    && self.files.len() < MOST_WAITING
                {
                    self.files.insert(transaction, file);
                }
                let operation = command.command_type.operation();
                let row = operation.and_then(|operation| row(command.service, command.cid, operation, release));
                buffer(&mut command.buffer, row, file, replacer);
            }
            Content::CommandDone(done) => {
                let file = self.files.remove(&transaction);
                let row = row(done.service, done.cid, Operation::Response, release);
                buffer(&mut done.buffer, row, file, replacer);
            }
            Content::IndicateStatus(told) => {
                let row = row(told.service, told.cid, Operation::Notify, release);
                buffer(&mut told.buffer, row, None, replacer);
            }
            Content::Unknown { bytes, .. } => replacer.blank(bytes),
            Content::Open(_)
            | Content::OpenDone(_)
            | Content::Close
            | Content::CloseDone(_)
            | Content::HostError(_)
            | Content::FunctionError(_) => {}
        }
        Message { transaction, content }.encode()
    }
}

fn row(service: Uuid, cid: u32, operation: Operation, release: MbimEx) -> Option<&'static Row> {
    find(service, cid, operation, release)
}

/// The buffer of one message. What cannot be read as what it should be is made unreadable.
fn buffer(buffer: &mut Vec<u8>, row: Option<&Row>, file: Option<File>, replacer: &mut Replacer) {
    if buffer.is_empty() {
        return;
    }
    let Some(row) = row else { return replacer.blank(buffer) };
    replacer.meaning = match (row.body, file) {
        (SmsRead::NAME | SmsSendSet::NAME, _) if buffer.starts_with(&SmsFormat::PDU.0.to_le_bytes()) => {
            Meaning::ShortMessage
        }
        (_, Some(file)) => Meaning::OnCard(file),
        _ => Meaning::Unknown,
    };
    match row.disguise(buffer, replacer) {
        Ok(made) => {
            let known = made.used.next_multiple_of(4);
            let mut rest = buffer.get(known..).unwrap_or_default().to_vec();
            replacer.blank(&mut rest);
            *buffer = made.buffer;
            buffer.extend(rest);
        }
        Err(_) => replacer.blank(buffer),
    }
}

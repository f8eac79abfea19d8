//! A recorded conversation that answers as the modem did, so that a report becomes a test.

use core::time::Duration;

use mbim_proto::fragment::{FrameCutter, Reassembler, fragments};
use mbim_proto::message::{Command, CommandDone, Content};
use mbim_proto::service::canonical;
use mbim_proto::{Message, Status, Uuid};

use crate::{Device, Direction, Frame};

/// Frames of answers are cut to this until the host says what it takes.
const DEFAULT_TRANSFER: u32 = 4096;
/// Messages that one answer is followed by, at most: a hostile file is no flood.
const MOST_FOLLOWING: usize = 256;

/// A modem made of a capture. It answers a command with what was answered to the same one, in the order of the record;
/// one that comes more often than it was recorded gets its last answer again, one with other values the next answer to
/// that command, one that was never recorded `no-device-support`. What was never answered is not answered. Indications
/// follow the answer that they followed. An OPEN goes on to the next session of the record, or to its last once more. Pauses
/// are not kept.
#[derive(Debug)]
pub struct Replay {
    exchanges: Vec<Exchange>,
    /// What came before the host said anything.
    opening: Vec<Message>,
    /// Where the session in force stands in the record, behind its OPEN.
    begun: usize,
    cutter: FrameCutter,
    joiner: Reassembler,
    transfer: u32,
}

/// What the host said, and what came of it.
#[derive(Clone, Debug)]
struct Exchange {
    transaction: u32,
    asked: Content,
    answer: Option<Content>,
    following: Vec<Message>,
    used: bool,
}

impl Replay {
    /// Takes the conversation with one device out of the frames of a file: the given one, or that of the first frame.
    pub fn of<'a>(frames: impl IntoIterator<Item = Frame<'a>>, device: Option<Device>) -> Self {
        let mut replay = Self {
            exchanges: Vec::new(),
            opening: Vec::new(),
            begun: 0,
            cutter: FrameCutter::default(),
            joiner: Reassembler::default(),
            transfer: DEFAULT_TRANSFER,
        };
        let (mut joiner, mut device) = (Reassembler::default(), device.map(Some));
        for frame in frames {
            if *device.get_or_insert(frame.device) != frame.device {
                continue;
            }
            let Ok(Some(whole)) = joiner.push(Duration::ZERO, frame.bytes) else { continue };
            let Ok(message) = Message::decode(&whole) else { continue };
            let received = match frame.direction {
                Some(direction) => direction == Direction::Received,
                // The function's types have the highest bit.
                None => message.content.kind().0 >> 31 == 1,
            };
            replay.record(message, received);
        }
        replay
    }

    fn record(&mut self, message: Message, received: bool) {
        let Message { transaction, content } = message;
        match (received, content) {
            (false, asked @ (Content::Open(_) | Content::Close | Content::Command(_))) => {
                self.exchanges.push(Exchange { transaction, asked, answer: None, following: Vec::new(), used: false });
            }
            (false, _) => {}
            (true, content @ Content::IndicateStatus(_)) => {
                let place = self.exchanges.last_mut().map_or(&mut self.opening, |last| &mut last.following);
                if place.len() < MOST_FOLLOWING {
                    place.push(Message { transaction, content });
                }
            }
            (true, content) => {
                let due = |one: &&mut Exchange| one.transaction == transaction && one.answer.is_none();
                if let Some(exchange) = self.exchanges.iter_mut().rev().find(due) {
                    exchange.answer = Some(content);
                }
            }
        }
    }

    /// Commands in the record.
    pub fn commands(&self) -> usize {
        self.exchanges.iter().filter(|one| matches!(one.asked, Content::Command(_))).count()
    }

    /// Takes bytes of a host and gives the frames that the modem sends.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.cutter.push(bytes);
        let mut out = Vec::new();
        while let Some(frame) = self.cutter.next_frame() {
            // What is no message is not answered: it was not the modem's word that it would be.
            let Ok(frame) = frame else { continue };
            let Ok(Some(whole)) = self.joiner.push(Duration::ZERO, frame) else { continue };
            let Ok(message) = Message::decode(&whole) else { continue };
            for answer in self.answer(message) {
                out.extend(fragments(&answer.encode(), self.transfer));
            }
        }
        out
    }

    fn answer(&mut self, message: Message) -> Vec<Message> {
        let Message { transaction, content } = message;
        let mut out = Vec::new();
        if let Content::Open(open) = &content {
            self.transfer = open.max_control_transfer;
            self.begin();
        }
        let found = self.find(&content);
        let exchange = found.and_then(|at| self.exchanges.get_mut(at));
        let (answer, following) = match (exchange, &content) {
            (Some(exchange), _) => {
                let again = exchange.used;
                exchange.used = true;
                (exchange.answer.clone(), if again { Vec::new() } else { exchange.following.clone() })
            }
            (None, Content::Open(_)) => (Some(Content::OpenDone(Status::SUCCESS)), Vec::new()),
            (None, Content::Close) => (Some(Content::CloseDone(Status::SUCCESS)), Vec::new()),
            (None, Content::Command(command)) => {
                (Some(Content::CommandDone(CommandDone::empty(command, Status::NO_DEVICE_SUPPORT))), Vec::new())
            }
            (None, _) => (None, Vec::new()),
        };
        out.extend(answer.map(|content| Message { transaction, content }));
        if matches!(content, Content::Open(_)) {
            out.extend(self.opening.iter().cloned());
        }
        out.extend(following);
        out
    }

    /// A new session is the next one of the record, or its last once more: what was before is past, the rest is to come.
    fn begin(&mut self) {
        let opens = |one: &Exchange| matches!(one.asked, Content::Open(_));
        let later = self.exchanges.iter().skip(self.begun).position(opens).map(|at| self.begun + at);
        let Some(start) = later.or_else(|| self.exchanges.iter().rposition(opens)) else { return };
        self.exchanges.iter_mut().enumerate().for_each(|(at, one)| one.used = at < start);
        self.begun = start + 1;
    }

    /// The exchange that is meant: the same words before the same command, what is left before what was used.
    fn find(&self, content: &Content) -> Option<usize> {
        let alike = |one: &Exchange| what(&one.asked) == what(content);
        let same = |one: &Exchange| alike(one) && words(&one.asked) == words(content);
        let first = |fits: &dyn Fn(&Exchange) -> bool| self.exchanges.iter().position(|one| !one.used && fits(one));
        let last = |fits: &dyn Fn(&Exchange) -> bool| self.exchanges.iter().rposition(fits);
        first(&same).or_else(|| last(&same)).or_else(|| first(&alike)).or_else(|| last(&alike))
    }
}

/// Which message, and for commands which one.
fn what(content: &Content) -> (u32, Option<(Uuid, u32, u32)>) {
    let command = match content {
        Content::Command(Command { service, cid, command_type, .. }) => {
            Some((canonical(*service), *cid, command_type.0))
        }
        _ => None,
    };
    (content.kind().0, command)
}

fn words(content: &Content) -> &[u8] {
    content.buffer().unwrap_or_default()
}

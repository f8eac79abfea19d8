//! The function's side of control messages: cutting the byte stream, collecting fragments, making fragments.
//!
//! Written apart from the host's code on purpose. What the two sides share is the declarations of the bodies, so a
//! mistake in framing or in fragmentation cannot cancel itself out. [MBIM1.0 9.1–9.5]

use core::time::Duration;
use mbim_proto::Uuid;

/// Bytes of a common header.
pub(crate) const HEADER: usize = 12;
/// Bytes of a common header and a fragment header.
pub(crate) const FRAGMENT: usize = 20;
/// The smallest largest-fragment that the specification allows. [MBIM1.0 9.3.1]
pub(crate) const SMALLEST_TRANSFER: u32 = 64;
/// A frame longer than this is no frame: wMaxControlMessage is 16 bits wide.
const LONGEST_FRAME: usize = 0x1_0000;
/// Reassembled messages longer than this are refused.
const LONGEST_MESSAGE: usize = 1 << 20;
/// More fragments than this are refused.
const MOST_FRAGMENTS: u32 = 4096;
/// The longest pause inside a message. [MBIM1.0 9.5.1]
pub(crate) const FRAGMENT_PAUSE: Duration = Duration::from_millis(1250);

/// Message types, as numbers of the wire. [MBIM1.0 9.1]
pub mod kind {
    /// MBIM_OPEN_MSG.
    pub const OPEN: u32 = 0x0000_0001;
    /// MBIM_CLOSE_MSG.
    pub const CLOSE: u32 = 0x0000_0002;
    /// MBIM_COMMAND_MSG.
    pub const COMMAND: u32 = 0x0000_0003;
    /// MBIM_HOST_ERROR_MSG.
    pub const HOST_ERROR: u32 = 0x0000_0004;
    /// MBIM_OPEN_DONE.
    pub const OPEN_DONE: u32 = 0x8000_0001;
    /// MBIM_CLOSE_DONE.
    pub const CLOSE_DONE: u32 = 0x8000_0002;
    /// MBIM_COMMAND_DONE.
    pub const COMMAND_DONE: u32 = 0x8000_0003;
    /// MBIM_FUNCTION_ERROR_MSG.
    pub const FUNCTION_ERROR: u32 = 0x8000_0004;
    /// MBIM_INDICATE_STATUS_MSG.
    pub const INDICATE_STATUS: u32 = 0x8000_0007;

    /// The name of a message type in kebab-case; `unknown` for numbers that have none.
    #[must_use]
    pub const fn name(kind: u32) -> &'static str {
        match kind {
            OPEN => "open",
            CLOSE => "close",
            COMMAND => "command",
            HOST_ERROR => "host-error",
            OPEN_DONE => "open-done",
            CLOSE_DONE => "close-done",
            COMMAND_DONE => "command-done",
            FUNCTION_ERROR => "function-error",
            INDICATE_STATUS => "indicate-status",
            _ => "unknown",
        }
    }
}

/// Codes of FUNCTION_ERROR that this function sends. [MBIM1.0 9.3.4]
pub mod protocol_error {
    /// A fragment did not come in time.
    pub const TIMEOUT_FRAGMENT: u32 = 1;
    /// A fragment came out of its order.
    pub const FRAGMENT_OUT_OF_SEQUENCE: u32 = 2;
    /// MessageLength and the bytes disagree.
    pub const LENGTH_MISMATCH: u32 = 3;
    /// The transaction is in use.
    pub const DUPLICATED_TID: u32 = 4;
    /// No OPEN came before.
    pub const NOT_OPENED: u32 = 5;
    /// Anything else.
    pub const UNKNOWN: u32 = 6;
    /// A frame is longer than what was agreed on.
    pub const MAX_TRANSFER: u32 = 8;
}

/// One whole command of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) transaction: u32,
    pub(crate) service: Uuid,
    pub(crate) cid: u32,
    /// 0 query, 1 set; other numbers as they came.
    pub(crate) operation: u32,
    pub(crate) buffer: Vec<u8>,
    /// Frames that it came in.
    pub(crate) fragments: u32,
}

/// What one frame amounted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Open {
        transaction: u32,
        max_control_transfer: u32,
    },
    Close {
        transaction: u32,
    },
    Command(Command),
    HostError {
        transaction: u32,
        code: u32,
    },
    /// A fragment that leaves its message incomplete.
    Collecting,
    /// The frame breaks a rule: the answer is a FUNCTION_ERROR.
    Violation {
        transaction: u32,
        code: u32,
    },
}

impl Incoming {
    /// The transaction; 0 while a message is still being collected.
    pub(crate) const fn transaction(&self) -> u32 {
        match self {
            Self::Open { transaction, .. }
            | Self::Close { transaction }
            | Self::HostError { transaction, .. }
            | Self::Violation { transaction, .. } => *transaction,
            Self::Command(command) => command.transaction,
            Self::Collecting => 0,
        }
    }
}

/// One message of the function, before it is cut into frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    OpenDone { transaction: u32, status: u32 },
    CloseDone { transaction: u32, status: u32 },
    CommandDone { transaction: u32, service: Uuid, cid: u32, status: u32, buffer: Vec<u8> },
    FunctionError { transaction: u32, code: u32 },
    Indicate { service: Uuid, cid: u32, buffer: Vec<u8> },
}

impl Outgoing {
    pub(crate) const fn kind(&self) -> u32 {
        match self {
            Self::OpenDone { .. } => kind::OPEN_DONE,
            Self::CloseDone { .. } => kind::CLOSE_DONE,
            Self::CommandDone { .. } => kind::COMMAND_DONE,
            Self::FunctionError { .. } => kind::FUNCTION_ERROR,
            Self::Indicate { .. } => kind::INDICATE_STATUS,
        }
    }

    /// The transaction; 0 for an indication, as the specification has it.
    pub(crate) const fn transaction(&self) -> u32 {
        match self {
            Self::OpenDone { transaction, .. }
            | Self::CloseDone { transaction, .. }
            | Self::CommandDone { transaction, .. }
            | Self::FunctionError { transaction, .. } => *transaction,
            Self::Indicate { .. } => 0,
        }
    }

    /// What the message is about, where it is about a CID.
    pub(crate) const fn subject(&self) -> Option<(Uuid, u32)> {
        match self {
            Self::CommandDone { service, cid, .. } | Self::Indicate { service, cid, .. } => Some((*service, *cid)),
            _ => None,
        }
    }

    pub(crate) const fn status(&self) -> Option<u32> {
        match self {
            Self::OpenDone { status, .. } | Self::CloseDone { status, .. } | Self::CommandDone { status, .. } => {
                Some(*status)
            }
            Self::FunctionError { code, .. } => Some(*code),
            Self::Indicate { .. } => None,
        }
    }

    pub(crate) fn buffer(&self) -> Option<&[u8]> {
        match self {
            Self::CommandDone { buffer, .. } | Self::Indicate { buffer, .. } => Some(buffer),
            _ => None,
        }
    }

    pub(crate) fn has_buffer(&self) -> bool {
        self.buffer().is_some_and(|buffer| !buffer.is_empty())
    }

    /// The frames of the message, each at most `largest` bytes, in order. `bias` is added to InformationBufferLength
    /// (0 for a modem that tells the truth).
    pub(crate) fn frames(&self, largest: u32, bias: i32) -> Vec<Vec<u8>> {
        let transaction = self.transaction();
        let plain = |word: u32| vec![frame(self.kind(), transaction, &word.to_le_bytes())];
        match self {
            Self::OpenDone { status, .. } | Self::CloseDone { status, .. } => plain(*status),
            Self::FunctionError { code, .. } => plain(*code),
            Self::CommandDone { service, cid, status, buffer, .. } => {
                let mut payload = Vec::with_capacity(28 + buffer.len());
                payload.extend_from_slice(&service.0);
                payload.extend_from_slice(&cid.to_le_bytes());
                payload.extend_from_slice(&status.to_le_bytes());
                payload.extend_from_slice(&declared_length(buffer, bias).to_le_bytes());
                payload.extend_from_slice(buffer);
                fragments(self.kind(), transaction, &payload, largest)
            }
            Self::Indicate { service, cid, buffer } => {
                let mut payload = Vec::with_capacity(24 + buffer.len());
                payload.extend_from_slice(&service.0);
                payload.extend_from_slice(&cid.to_le_bytes());
                payload.extend_from_slice(&declared_length(buffer, bias).to_le_bytes());
                payload.extend_from_slice(buffer);
                fragments(self.kind(), transaction, &payload, largest)
            }
        }
    }
}

fn declared_length(buffer: &[u8], bias: i32) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX).saturating_add_signed(bias)
}

fn frame(kind: u32, transaction: u32, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + rest.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + rest.len());
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&transaction.to_le_bytes());
    bytes.extend_from_slice(rest);
    bytes
}

fn fragments(kind: u32, transaction: u32, payload: &[u8], largest: u32) -> Vec<Vec<u8>> {
    let room = largest.max(SMALLEST_TRANSFER) as usize - FRAGMENT;
    let total = u32::try_from(payload.chunks(room).count()).unwrap_or(u32::MAX);
    payload
        .chunks(room)
        .zip(0_u32..)
        .map(|(chunk, current)| {
            let mut rest = Vec::with_capacity(8 + chunk.len());
            rest.extend_from_slice(&total.to_le_bytes());
            rest.extend_from_slice(&current.to_le_bytes());
            rest.extend_from_slice(chunk);
            frame(kind, transaction, &rest)
        })
        .collect()
}

/// The word at a byte offset, if the bytes reach that far.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    bytes.get(at..end)?.try_into().ok().map(u32::from_le_bytes)
}

/// Cuts what comes in into frames by their own MessageLength, whatever the chunks were.
#[derive(Debug, Default)]
pub(crate) struct FrameCutter {
    buffer: Vec<u8>,
    since: Option<Duration>,
}

/// What the cutter found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Frame(Vec<u8>),
    /// MessageLength is impossible; everything that was buffered is dropped.
    Lost {
        transaction: u32,
    },
}

impl FrameCutter {
    /// Takes bytes in and gives whole frames out.
    pub(crate) fn push(&mut self, now: Duration, bytes: &[u8]) -> Vec<Cut> {
        self.buffer.extend_from_slice(bytes);
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(length) = word(&self.buffer, at + 4) {
            let length = length as usize;
            if !(HEADER..=LONGEST_FRAME).contains(&length) {
                found.push(Cut::Lost { transaction: word(&self.buffer, at + 8).unwrap_or(0) });
                at = self.buffer.len();
                break;
            }
            let Some(whole) = self.buffer.get(at..at + length) else { break };
            found.push(Cut::Frame(whole.to_vec()));
            at += length;
        }
        self.buffer.drain(..at);
        self.since = match (self.buffer.is_empty(), found.is_empty(), self.since) {
            (true, _, _) => None,
            (false, true, Some(since)) => Some(since),
            (false, _, _) => Some(now),
        };
        found
    }

    /// When an unfinished frame is given up.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.since.map(|since| since.saturating_add(FRAGMENT_PAUSE))
    }

    /// Gives an unfinished frame up whose rest did not come; returns its transaction.
    pub(crate) fn expire(&mut self, now: Duration) -> Option<u32> {
        if self.deadline()? > now {
            return None;
        }
        let transaction = word(&self.buffer, 8).unwrap_or(0);
        self.clear();
        Some(transaction)
    }

    pub(crate) fn clear(&mut self) {
        self.buffer = Vec::new();
        self.since = None;
    }
}

/// Collects the fragments of the host's commands; one message at a time, as the specification asks. [MBIM1.0 9.5]
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    transaction: u32,
    total: u32,
    next: u32,
    payload: Vec<u8>,
    since: Duration,
}

impl Assembler {
    /// Takes one frame in. An unfinished message that the frame pushes aside is reported first.
    pub(crate) fn push(&mut self, now: Duration, frame: &[u8]) -> Vec<Incoming> {
        let (Some(kind), Some(transaction)) = (word(frame, 0), word(frame, 8)) else {
            return vec![Incoming::Violation { transaction: 0, code: protocol_error::LENGTH_MISMATCH }];
        };
        let short = || vec![Incoming::Violation { transaction, code: protocol_error::LENGTH_MISMATCH }];
        match kind {
            kind::OPEN => {
                self.partial = None;
                word(frame, HEADER).map_or_else(short, |max_control_transfer| {
                    vec![Incoming::Open { transaction, max_control_transfer }]
                })
            }
            kind::CLOSE => {
                self.partial = None;
                vec![Incoming::Close { transaction }]
            }
            kind::HOST_ERROR => {
                if self.partial.as_ref().is_some_and(|partial| partial.transaction == transaction) {
                    self.partial = None;
                }
                word(frame, HEADER).map_or_else(short, |code| vec![Incoming::HostError { transaction, code }])
            }
            kind::COMMAND => self.fragment(now, transaction, frame),
            _ => vec![Incoming::Violation { transaction, code: protocol_error::UNKNOWN }],
        }
    }

    fn fragment(&mut self, now: Duration, transaction: u32, frame: &[u8]) -> Vec<Incoming> {
        let violation = |code| Incoming::Violation { transaction, code };
        let (Some(total), Some(current), Some(payload)) = (word(frame, 12), word(frame, 16), frame.get(FRAGMENT..))
        else {
            return vec![violation(protocol_error::LENGTH_MISMATCH)];
        };
        if total == 0 || current >= total {
            self.partial = None;
            return vec![violation(protocol_error::FRAGMENT_OUT_OF_SEQUENCE)];
        }
        if total > MOST_FRAGMENTS {
            self.partial = None;
            return vec![violation(protocol_error::MAX_TRANSFER)];
        }
        let mut found = Vec::new();
        let mut partial = match self.partial.take() {
            Some(old) if current == 0 => {
                if old.transaction != transaction {
                    let code = protocol_error::FRAGMENT_OUT_OF_SEQUENCE;
                    found.push(Incoming::Violation { transaction: old.transaction, code });
                }
                Partial { transaction, total, next: 0, payload: Vec::new(), since: now }
            }
            Some(old) if old.transaction == transaction && old.total == total && old.next == current => old,
            None if current == 0 => Partial { transaction, total, next: 0, payload: Vec::new(), since: now },
            _ => return vec![violation(protocol_error::FRAGMENT_OUT_OF_SEQUENCE)],
        };
        if partial.payload.len() + payload.len() > LONGEST_MESSAGE {
            found.push(violation(protocol_error::MAX_TRANSFER));
            return found;
        }
        partial.payload.extend_from_slice(payload);
        partial.next += 1;
        partial.since = now;
        if partial.next < partial.total {
            self.partial = Some(partial);
            found.push(Incoming::Collecting);
            return found;
        }
        found.push(
            command(transaction, &partial.payload, partial.total)
                .map_or_else(|| violation(protocol_error::LENGTH_MISMATCH), Incoming::Command),
        );
        found
    }

    /// When an unfinished message is given up.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.partial.as_ref().map(|partial| partial.since.saturating_add(FRAGMENT_PAUSE))
    }

    /// Gives an unfinished message up whose next fragment did not come; returns its transaction.
    pub(crate) fn expire(&mut self, now: Duration) -> Option<u32> {
        if self.deadline()? > now {
            return None;
        }
        self.partial.take().map(|partial| partial.transaction)
    }

    pub(crate) fn clear(&mut self) {
        self.partial = None;
    }
}

/// A whole command from its collected payload (everything after the fragment headers).
fn command(transaction: u32, payload: &[u8], fragments: u32) -> Option<Command> {
    let service = Uuid(payload.get(..16)?.try_into().ok()?);
    let cid = word(payload, 16)?;
    let operation = word(payload, 20)?;
    let length = word(payload, 24)? as usize;
    let buffer = payload.get(28..)?.get(..length)?.to_vec();
    Some(Command { transaction, service, cid, operation, buffer, fragments })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn fragment(transaction: u32, total: u32, current: u32, payload: &[u8]) -> Vec<u8> {
        let mut rest = total.to_le_bytes().to_vec();
        rest.extend_from_slice(&current.to_le_bytes());
        rest.extend_from_slice(payload);
        frame(kind::COMMAND, transaction, &rest)
    }

    fn payload(buffer: &[u8]) -> Vec<u8> {
        let mut bytes = vec![7_u8; 16];
        bytes.extend_from_slice(&9_u32.to_le_bytes());
        bytes.extend_from_slice(&1_u32.to_le_bytes());
        bytes.extend_from_slice(&(buffer.len() as u32).to_le_bytes());
        bytes.extend_from_slice(buffer);
        bytes
    }

    #[test]
    fn frames_come_out_whole_whatever_the_chunks() {
        let mut bytes = frame(kind::OPEN, 1, &64_u32.to_le_bytes());
        bytes.extend(frame(kind::CLOSE, 2, &[]));
        for size in 1..bytes.len() {
            let mut cutter = FrameCutter::default();
            let frames: Vec<_> = bytes.chunks(size).flat_map(|chunk| cutter.push(NOW, chunk)).collect();
            assert_eq!(frames.len(), 2, "chunks of {size}");
            assert_eq!(cutter.deadline(), None);
        }
    }

    #[test]
    fn an_impossible_length_drops_what_was_buffered_and_names_the_transaction() {
        for length in [0_u32, 11, 0x1_0001, u32::MAX] {
            let mut bytes = frame(kind::CLOSE, 5, &[0; 8]);
            bytes[4..8].copy_from_slice(&length.to_le_bytes());
            let mut cutter = FrameCutter::default();
            assert_eq!(cutter.push(NOW, &bytes), [Cut::Lost { transaction: 5 }]);
            assert_eq!(cutter.push(NOW, &frame(kind::CLOSE, 6, &[])).len(), 1);
        }
    }

    #[test]
    fn a_frame_that_never_ends_is_given_up_after_the_pause() {
        let mut cutter = FrameCutter::default();
        assert!(cutter.push(NOW, &frame(kind::OPEN, 3, &[0; 4])[..14]).is_empty());
        assert_eq!(cutter.expire(FRAGMENT_PAUSE - Duration::from_millis(1)), None);
        assert_eq!(cutter.expire(FRAGMENT_PAUSE), Some(3));
        assert_eq!(cutter.deadline(), None);
    }

    #[test]
    fn fragments_are_put_together_and_a_gap_is_an_error() {
        let whole = payload(&[1, 2, 3, 4, 5]);
        let (first, second) = whole.split_at(30);
        let mut assembler = Assembler::default();
        assert_eq!(assembler.push(NOW, &fragment(4, 2, 0, first)), [Incoming::Collecting]);
        let found = assembler.push(NOW, &fragment(4, 2, 1, second));
        assert!(matches!(&found[..], [Incoming::Command(command)] if command.buffer == [1, 2, 3, 4, 5]));

        let gap = Incoming::Violation { transaction: 4, code: protocol_error::FRAGMENT_OUT_OF_SEQUENCE };
        assert_eq!(assembler.push(NOW, &fragment(4, 3, 0, first)), [Incoming::Collecting]);
        assert_eq!(assembler.push(NOW, &fragment(4, 3, 2, second)), core::slice::from_ref(&gap));
        assert_eq!(assembler.deadline(), None, "what was collected is gone");
        assert_eq!(assembler.push(NOW, &fragment(4, 0, 0, first)), core::slice::from_ref(&gap));
        assert_eq!(assembler.push(NOW, &fragment(4, 2, 2, first)), [gap]);
    }

    #[test]
    fn another_first_fragment_pushes_the_unfinished_message_aside() {
        let whole = payload(&[]);
        let mut assembler = Assembler::default();
        assembler.push(NOW, &fragment(4, 2, 0, &whole));
        let found = assembler.push(NOW, &fragment(5, 1, 0, &whole));
        assert!(matches!(
            &found[..],
            [Incoming::Violation { transaction: 4, code: 2 }, Incoming::Command(Command { transaction: 5, .. })]
        ));
    }

    #[test]
    fn a_buffer_length_beyond_the_bytes_is_refused() {
        let mut whole = payload(&[1, 2]);
        whole[24..28].copy_from_slice(&3_u32.to_le_bytes());
        let found = Assembler::default().push(NOW, &fragment(4, 1, 0, &whole));
        assert_eq!(found, [Incoming::Violation { transaction: 4, code: protocol_error::LENGTH_MISMATCH }]);
    }

    #[test]
    fn answers_are_cut_at_the_negotiated_size() {
        let answer =
            Outgoing::CommandDone { transaction: 9, service: Uuid([1; 16]), cid: 1, status: 0, buffer: vec![3; 100] };
        let frames = answer.frames(64, 0);
        assert_eq!(frames.len(), 3);
        assert!(frames.iter().all(|frame| frame.len() <= 64 && word(frame, 4) == Some(frame.len() as u32)));
        assert_eq!(frames.iter().map(|frame| word(frame, 16)).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
        assert!(frames.iter().all(|frame| word(frame, 12) == Some(3) && word(frame, 8) == Some(9)));
        assert_eq!(answer.frames(4096, 0).len(), 1);
    }
}

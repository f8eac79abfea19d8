//! Control messages: what travels between host and function. [MBIM1.0 9]

use alloc::vec::Vec;

use crate::codec::{Field, Reader};
use crate::open::open_enum;
use crate::service::{Body, Operation};
use crate::status::{ProtocolError, Status};
use crate::{EncodeError, Malformed, Problem, Uuid, codec};

/// Bytes of the header of every message: type, length, transaction.
pub const HEADER: usize = 12;
/// Bytes of that header and the fragment header.
pub const FRAGMENT_HEADER: usize = 20;
/// Bytes before the buffer of a command and of its answer.
pub const COMMAND_HEADER: usize = 48;
/// Bytes before the buffer of an indication.
pub const INDICATION_HEADER: usize = 44;

open_enum! {
    /// Type of a message. [MBIM1.0 9.1]
    pub MessageType: u32 {
        OPEN = 0x00000001 "open",
        CLOSE = 0x00000002 "close",
        COMMAND = 0x00000003 "command",
        HOST_ERROR = 0x00000004 "host-error",
        OPEN_DONE = 0x80000001 "open-done",
        CLOSE_DONE = 0x80000002 "close-done",
        COMMAND_DONE = 0x80000003 "command-done",
        FUNCTION_ERROR = 0x80000004 "function-error",
        INDICATE_STATUS = 0x80000007 "indicate-status",
    }
}

impl MessageType {
    /// Whether messages of this type may be cut into fragments and so carry a fragment header.
    pub const fn is_fragmented(self) -> bool {
        matches!(self, Self::COMMAND | Self::COMMAND_DONE | Self::INDICATE_STATUS)
    }
}

open_enum! {
    /// Whether a command asks or changes. [MBIM1.0 9.3.3]
    pub CommandType: u32 {
        QUERY = 0 "query",
        SET = 1 "set",
    }
}

impl CommandType {
    /// As an operation; none for numbers that have no name.
    pub const fn operation(self) -> Option<Operation> {
        match self {
            Self::QUERY => Some(Operation::Query),
            Self::SET => Some(Operation::Set),
            _ => None,
        }
    }
}

/// The header of every message and of every fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What kind of message.
    pub kind: MessageType,
    /// Bytes of the message or fragment, this header included.
    pub length: u32,
    /// Which answer belongs to which command. 0 in indications.
    pub transaction: u32,
}

impl Header {
    /// Reads the first 12 bytes.
    ///
    /// # Errors
    /// Fewer bytes than that.
    pub fn decode(buf: &[u8]) -> Result<Self, Malformed> {
        codec::decode_with("Header", buf, Self::read)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            kind: Field::read(r.named("message_type"))?,
            length: Field::read(r.named("message_length"))?,
            transaction: Field::read(r.named("transaction_id"))?,
        })
    }
}

/// A whole message, in either direction. Its information buffer is its own, or stays where it was read: `Message<&[u8]>`,
/// which [`Message::view`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<B = Vec<u8>> {
    /// Which answer belongs to which command. Hosts never use 0; indications carry it.
    pub transaction: u32,
    /// What it says.
    pub content: Content<B>,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<B = Vec<u8>> {
    /// Starts a session.
    Open(Open),
    /// Whether the session has started.
    OpenDone(Status),
    /// Ends the session.
    Close,
    /// Whether the session has ended.
    CloseDone(Status),
    /// Asks or changes something.
    Command(Command<B>),
    /// The answer.
    CommandDone(CommandDone<B>),
    /// Something that the function tells unasked.
    IndicateStatus(IndicateStatus<B>),
    /// The host could not make sense of a message.
    HostError(ProtocolError),
    /// The function could not make sense of a message.
    FunctionError(ProtocolError),
    /// A message of an unknown type: the bytes behind the header, as they came.
    Unknown {
        /// The type.
        kind: MessageType,
        /// All bytes behind the header.
        bytes: B,
    },
}

/// Starts a session. [MBIM1.0 9.3.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The largest message or fragment that the host takes, in bytes; at least 64.
    pub max_control_transfer: u32,
}

/// Asks or changes something. [MBIM1.0 9.3.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<B = Vec<u8>> {
    /// The device service.
    pub service: Uuid,
    /// The command within the service.
    pub cid: u32,
    /// Query or set.
    pub command_type: CommandType,
    /// The information buffer.
    pub buffer: B,
}

impl Command {
    /// A query with the body that belongs to it.
    ///
    /// # Errors
    /// A field is longer than the specification allows.
    pub fn query<B: Body>(body: &B) -> Result<Self, EncodeError> {
        Self::of(CommandType::QUERY, body)
    }

    /// A set with the body that belongs to it.
    ///
    /// # Errors
    /// A field is longer than the specification allows.
    pub fn set<B: Body>(body: &B) -> Result<Self, EncodeError> {
        Self::of(CommandType::SET, body)
    }

    fn of<B: Body>(command_type: CommandType, body: &B) -> Result<Self, EncodeError> {
        let mut buffer = Vec::new();
        body.encode_checked(&mut buffer)?;
        Ok(Self { service: B::SERVICE, cid: B::CID, command_type, buffer })
    }

    /// The message that carries it.
    pub fn message(self, transaction: u32) -> Message {
        Message { transaction, content: Content::Command(self) }
    }
}

impl<B> Command<B> {
    /// Whether the command belongs to this body's service and CID, in either spelling of the UUID.
    pub fn is<T: Body>(&self) -> bool {
        crate::service::canonical(self.service) == T::SERVICE && self.cid == T::CID
    }
}

/// The answer to a command. A status other than success may come with a buffer (which then holds a cause) or with an
/// empty one. [MBIM1.0 9.4.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandDone<B = Vec<u8>> {
    /// The device service.
    pub service: Uuid,
    /// The command within the service.
    pub cid: u32,
    /// The outcome.
    pub status: Status,
    /// The information buffer.
    pub buffer: B,
}

impl CommandDone {
    /// An answer with the body that belongs to it.
    pub fn with<B: Body>(status: Status, body: &B) -> Self {
        Self { service: B::SERVICE, cid: B::CID, status, buffer: body.to_vec() }
    }

    /// An answer to a command, without a body.
    pub fn empty(command: &Command, status: Status) -> Self {
        Self { service: command.service, cid: command.cid, status, buffer: Vec::new() }
    }

    /// The message that carries it.
    pub fn message(self, transaction: u32) -> Message {
        Message { transaction, content: Content::CommandDone(self) }
    }
}

impl<B: AsRef<[u8]>> CommandDone<B> {
    /// Reads the body, if there is one: `None` for a buffer of no bytes.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset in the buffer.
    pub fn body<T: Body>(&self) -> Result<Option<T>, Malformed> {
        let buffer = self.buffer.as_ref();
        if buffer.is_empty() { Ok(None) } else { T::decode(buffer).map(Some) }
    }
}

/// Something that the function tells unasked. [MBIM1.0 9.4.6]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndicateStatus<B = Vec<u8>> {
    /// The device service.
    pub service: Uuid,
    /// The command within the service.
    pub cid: u32,
    /// The information buffer.
    pub buffer: B,
}

impl IndicateStatus {
    /// An indication with the body that belongs to it.
    pub fn with<B: Body>(body: &B) -> Self {
        Self { service: B::SERVICE, cid: B::CID, buffer: body.to_vec() }
    }

    /// The message that carries it, with transaction 0.
    pub fn message(self) -> Message {
        Message { transaction: 0, content: Content::IndicateStatus(self) }
    }
}

impl<B> Content<B> {
    /// The type of the message that says this.
    pub const fn kind(&self) -> MessageType {
        match self {
            Self::Open(_) => MessageType::OPEN,
            Self::OpenDone(_) => MessageType::OPEN_DONE,
            Self::Close => MessageType::CLOSE,
            Self::CloseDone(_) => MessageType::CLOSE_DONE,
            Self::Command(_) => MessageType::COMMAND,
            Self::CommandDone(_) => MessageType::COMMAND_DONE,
            Self::IndicateStatus(_) => MessageType::INDICATE_STATUS,
            Self::HostError(_) => MessageType::HOST_ERROR,
            Self::FunctionError(_) => MessageType::FUNCTION_ERROR,
            Self::Unknown { kind, .. } => *kind,
        }
    }
}

impl Message {
    /// A message of its parts.
    pub const fn new(transaction: u32, content: Content) -> Self {
        Self { transaction, content }
    }

    /// Reads a whole message: one frame, or what a [`Reassembler`](crate::fragment::Reassembler) made of several. Bytes
    /// behind MessageLength are not looked at, nor those behind InformationBufferLength.
    ///
    /// # Errors
    /// The message ends inside a field, a length is impossible, or it is only a fragment.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        read(frame)
    }

    /// The message in one piece, as if no limit were negotiated; [`fragments`](crate::fragment::fragments) cuts it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(COMMAND_HEADER + self.content.buffer().map_or(16, <[u8]>::len));
        self.content.write(self.transaction, &mut out);
        let length = u32::try_from(out.len()).unwrap_or(u32::MAX);
        if let Some(place) = out.get_mut(4..8) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        out
    }
}

impl<'a> Message<&'a [u8]> {
    /// As [`Message::decode`], but that the information buffer stays where it is: nothing is copied, nor allocated.
    ///
    /// ```
    /// use mbim_proto::message::{Command, Content};
    /// use mbim_proto::service::basic_connect::{RadioStateSet, RadioSwitchState};
    /// use mbim_proto::{Body, Message};
    ///
    /// let set = RadioStateSet { radio_state: RadioSwitchState::ON };
    /// let bytes = Command::set(&set)?.message(1).encode();
    /// let Content::Command(command) = Message::view(&bytes)?.content else { unreachable!() };
    /// assert_eq!(RadioStateSet::decode(command.buffer)?, set);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Message::decode`].
    pub fn view(frame: &'a [u8]) -> Result<Self, Malformed> {
        read(frame)
    }
}

fn read<'a, B: From<&'a [u8]>>(frame: &'a [u8]) -> Result<Message<B>, Malformed> {
    let Header { kind, length: declared, transaction } = Header::decode(frame)?;
    let most = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let cut = usize::try_from(declared).ok().filter(|length| *length >= HEADER).and_then(|length| frame.get(..length));
    let Some(cut) = cut else {
        let problem = Problem::Length { length: declared, least: HEADER as u32, most };
        return Err(Malformed { body: "Header", field: "message_length", offset: 4, problem });
    };
    let content = codec::decode_with("Message", cut, |r| {
        r.skip_padding(HEADER);
        Content::read(kind, r, cut)
    })?;
    Ok(Message { transaction, content })
}

impl<B: AsRef<[u8]>> Content<B> {
    /// The information buffer, for the three types that have one.
    pub fn buffer(&self) -> Option<&[u8]> {
        match self {
            Self::Command(Command { buffer, .. })
            | Self::CommandDone(CommandDone { buffer, .. })
            | Self::IndicateStatus(IndicateStatus { buffer, .. }) => Some(buffer.as_ref()),
            _ => None,
        }
    }

    /// Appends the message with a length of 0.
    fn write(&self, transaction: u32, out: &mut Vec<u8>) {
        let kind = self.kind();
        match self {
            Self::Open(open) => words(out, kind, transaction, &[open.max_control_transfer]),
            Self::OpenDone(status) | Self::CloseDone(status) => words(out, kind, transaction, &[status.0]),
            Self::Close => words(out, kind, transaction, &[]),
            Self::HostError(error) | Self::FunctionError(error) => words(out, kind, transaction, &[error.0]),
            Self::Command(c) => {
                let word = Some(c.command_type.0);
                write_command(out, kind, transaction, (c.service, c.cid), word, c.buffer.as_ref());
            }
            Self::CommandDone(c) => {
                write_command(out, kind, transaction, (c.service, c.cid), Some(c.status.0), c.buffer.as_ref());
            }
            Self::IndicateStatus(i) => {
                write_command(out, kind, transaction, (i.service, i.cid), None, i.buffer.as_ref());
            }
            Self::Unknown { bytes, .. } => {
                words(out, kind, transaction, &[]);
                out.extend_from_slice(bytes.as_ref());
            }
        }
    }
}

impl<'a, B: From<&'a [u8]>> Content<B> {
    /// `whole` is what `r` reads from: what stays there outlives the reader.
    fn read(kind: MessageType, r: &mut Reader<'_>, whole: &'a [u8]) -> Result<Self, Malformed> {
        Ok(match kind {
            MessageType::OPEN => {
                Self::Open(Open { max_control_transfer: Field::read(r.named("max_control_transfer"))? })
            }
            MessageType::OPEN_DONE => Self::OpenDone(Field::read(r.named("status"))?),
            MessageType::CLOSE => Self::Close,
            MessageType::CLOSE_DONE => Self::CloseDone(Field::read(r.named("status"))?),
            MessageType::HOST_ERROR => Self::HostError(Field::read(r.named("error_status_code"))?),
            MessageType::FUNCTION_ERROR => Self::FunctionError(Field::read(r.named("error_status_code"))?),
            MessageType::COMMAND => {
                let (service, cid) = read_target(r)?;
                let command_type = Field::read(r.named("command_type"))?;
                Self::Command(Command { service, cid, command_type, buffer: read_buffer(r, whole)? })
            }
            MessageType::COMMAND_DONE => {
                let (service, cid) = read_target(r)?;
                let status = Field::read(r.named("status"))?;
                Self::CommandDone(CommandDone { service, cid, status, buffer: read_buffer(r, whole)? })
            }
            MessageType::INDICATE_STATUS => {
                let (service, cid) = read_target(r)?;
                Self::IndicateStatus(IndicateStatus { service, cid, buffer: read_buffer(r, whole)? })
            }
            _ => Self::Unknown { kind, bytes: whole.get(HEADER..).unwrap_or_default().into() },
        })
    }
}

/// The fragment header of a whole message, then service and CID.
fn read_target(r: &mut Reader<'_>) -> Result<(Uuid, u32), Malformed> {
    let [total, current] = [Field::read(r.named("total_fragments"))?, Field::read(r.named("current_fragment"))?];
    if (total, current) != (1, 0) {
        let here = r.named("total_fragments").malformed(Problem::Fragment { current, total });
        return Err(Malformed { offset: HEADER, ..here });
    }
    Ok((Field::read(r.named("device_service_id"))?, Field::read(r.named("cid"))?))
}

fn read_buffer<'a, B: From<&'a [u8]>>(r: &mut Reader<'_>, whole: &'a [u8]) -> Result<B, Malformed> {
    let size = u32::read(r.named("information_buffer_length"))?;
    let start = whole.len() - r.left();
    let size = r.named("information_buffer").take(u64::from(size))?.len();
    Ok(whole.get(start..start + size).unwrap_or_default().into())
}

/// The header, its length still 0, and what follows it.
fn words(out: &mut Vec<u8>, kind: MessageType, transaction: u32, rest: &[u32]) {
    for word in [kind.0, 0, transaction].iter().chain(rest) {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

fn write_command(
    out: &mut Vec<u8>,
    kind: MessageType,
    transaction: u32,
    (service, cid): (Uuid, u32),
    word: Option<u32>,
    buffer: &[u8],
) {
    let size = u32::try_from(buffer.len()).unwrap_or(u32::MAX).to_le_bytes();
    let [kind, transaction, cid] = [kind.0, transaction, cid].map(u32::to_le_bytes);
    let (zero, one) = ([0; 4], 1u32.to_le_bytes());
    let [a, b, c, d] = service.0.as_chunks::<4>().0 else { return };
    match word.map(u32::to_le_bytes) {
        Some(word) => {
            let head = [kind, zero, transaction, one, zero, *a, *b, *c, *d, cid, word, size];
            out.extend_from_slice(head.as_flattened());
        }
        None => {
            let head = [kind, zero, transaction, one, zero, *a, *b, *c, *d, cid, size];
            out.extend_from_slice(head.as_flattened());
        }
    }
    out.extend_from_slice(buffer);
}

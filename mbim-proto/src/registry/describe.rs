//! What a message says, for people and for programs.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::{Row, cid_name, find};
use crate::message::{COMMAND_HEADER, Content, HEADER, Header, INDICATION_HEADER, MessageType};
use crate::service::sms::{SmsMessage, SmsMessages, SmsRead, SmsSendSet};
use crate::service::uuid_name;
use crate::sms_pdu::Pdu;
use crate::{Body, Malformed, MbimEx, Message, Operation, Personal, Uuid, Value};

/// A message in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The type; none when not even the header could be read.
    pub message: Option<MessageType>,
    /// Which answer belongs to which command.
    pub transaction: Option<u32>,
    /// The device service and the command, for the three types that have them.
    pub target: Option<(Uuid, u32)>,
    /// What the buffer was sent for.
    pub operation: Option<Operation>,
    /// The outcome, of answers.
    pub status: Option<Value>,
    /// The fields; of unknown commands the bytes in hexadecimal, or how many there are where they are not to be shown: nobody
    /// knows whom they are about; `Null` when there is no buffer or it cannot be read.
    pub body: Value,
    /// What the PDUs in the body say, in its order: short messages.
    pub pdus: Vec<Value>,
    /// What is wrong with the bytes. Its offset counts from the start of the message.
    pub error: Option<Malformed>,
    /// Bytes that nothing accounts for.
    pub trailing: Option<Trailing>,
}

/// Bytes behind what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailing {
    /// Where they start, from the start of the message.
    pub offset: usize,
    /// How many there are.
    pub size: usize,
}

/// Reads a whole message as far as it can be read. Never fails: what is wrong is part of the description. Personal
/// values are shown only with `reveal`.
pub fn describe(message: &[u8], mbimex: MbimEx, reveal: bool) -> Description {
    let mut description = Description {
        message: None,
        transaction: None,
        target: None,
        operation: None,
        status: None,
        body: Value::Null,
        pdus: Vec::new(),
        error: None,
        trailing: None,
    };
    let header = match Header::decode(message) {
        Ok(header) => header,
        Err(error) => {
            description.error = Some(error);
            return description;
        }
    };
    description.message = Some(header.kind);
    description.transaction = Some(header.transaction);
    match Message::view(message) {
        Ok(decoded) => description.content(&decoded.content, message.len(), mbimex, reveal),
        Err(error) => description.error = Some(error),
    }
    description
}

impl Description {
    fn content(&mut self, content: &Content<&[u8]>, total: usize, mbimex: MbimEx, reveal: bool) {
        let mut known = HEADER + 4;
        match content {
            Content::Open(open) => {
                let size = Value::Number(open.max_control_transfer.into());
                self.body = Value::Object(vec![("max_control_transfer", size)]);
            }
            Content::OpenDone(status) | Content::CloseDone(status) => {
                self.status = Some(crate::codec::Field::value(status, reveal));
            }
            Content::Close => known = HEADER,
            Content::HostError(code) | Content::FunctionError(code) => {
                self.body = Value::Object(vec![("error_status_code", crate::codec::Field::value(code, reveal))]);
            }
            Content::Unknown { bytes, .. } => {
                self.body = unknown(bytes, reveal);
                known = HEADER + bytes.len();
            }
            Content::Command(command) => {
                self.target = Some((command.service, command.cid));
                self.operation = command.command_type.operation();
                known = COMMAND_HEADER + self.buffer(command.buffer, COMMAND_HEADER, true, mbimex, reveal);
            }
            Content::CommandDone(done) => {
                self.target = Some((done.service, done.cid));
                self.operation = Some(Operation::Response);
                self.status = Some(crate::codec::Field::value(&done.status, reveal));
                let due = done.status.is_success();
                known = COMMAND_HEADER + self.buffer(done.buffer, COMMAND_HEADER, due, mbimex, reveal);
            }
            Content::IndicateStatus(indication) => {
                self.target = Some((indication.service, indication.cid));
                self.operation = Some(Operation::Notify);
                known = INDICATION_HEADER + self.buffer(indication.buffer, INDICATION_HEADER, true, mbimex, reveal);
            }
        }
        if self.trailing.is_none() && known < total {
            self.trailing = Some(Trailing { offset: known, size: total - known });
        }
    }

    /// Reads the buffer that stands at `at` and gives its length. Without success it may be empty.
    fn buffer(&mut self, buffer: &[u8], at: usize, due: bool, mbimex: MbimEx, reveal: bool) -> usize {
        let row = self.target.zip(self.operation).and_then(|((service, cid), op)| find(service, cid, op, mbimex));
        match row {
            None if buffer.is_empty() => {}
            None => self.body = unknown(buffer, reveal),
            Some(_) if buffer.is_empty() && !due => {}
            Some(row) => match row.decode(buffer, reveal) {
                Ok(decoded) => {
                    self.body = decoded.value;
                    // Of what is all hidden at least the size is told.
                    if let Value::Object(fields) = &mut self.body
                        && !fields.is_empty()
                        && fields.iter().all(|(_, value)| *value == Value::Hidden)
                    {
                        fields.insert(0, size(buffer));
                    }
                    self.pdus = short_messages(row, buffer, reveal);
                    let used = decoded.used.next_multiple_of(4);
                    if used < buffer.len() {
                        self.trailing = Some(Trailing { offset: at + used, size: buffer.len() - used });
                    }
                }
                Err(error) => self.error = Some(Malformed { offset: at + error.offset, ..error }),
            },
        }
        buffer.len()
    }

    fn service_text(&self) -> Option<Cow<'static, str>> {
        let (service, _) = self.target?;
        Some(uuid_name(service).map_or_else(|| Cow::Owned(service.to_string()), Cow::Borrowed))
    }

    fn cid_text(&self) -> Option<String> {
        let (service, cid) = self.target?;
        let small = |letter: char| if letter == '_' { '-' } else { letter.to_ascii_lowercase() };
        Some(cid_name(service, cid)?.chars().map(small).collect())
    }

    /// The description as one object: message, transaction, service, cid, operation, status, body, error, trailing; and
    /// pdus, if there are any.
    pub fn value(&self) -> Value {
        let text = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.into()));
        let number = |number: usize| Value::Number(number as u64);
        let error = self.error.as_ref().map_or(Value::Null, |e| {
            Value::Object(vec![
                ("body", text(Some(e.body))),
                ("field", text(Some(e.field))),
                ("offset", number(e.offset)),
                ("problem", Value::Text(e.problem.to_string())),
            ])
        });
        let cid = match (self.cid_text(), self.target) {
            (Some(name), _) => Value::Text(name),
            (None, Some((_, cid))) => Value::Number(cid.into()),
            (None, None) => Value::Null,
        };
        let mut fields = vec![
            ("message", self.message.map_or(Value::Null, |kind| crate::codec::Field::value(&kind, false))),
            ("transaction", self.transaction.map_or(Value::Null, |id| Value::Number(id.into()))),
            ("service", text(self.service_text().as_deref())),
            ("cid", cid),
            ("operation", text(self.operation.map(Operation::name))),
            ("status", self.status.clone().unwrap_or(Value::Null)),
            ("body", self.body.clone()),
            ("error", error),
            (
                "trailing",
                self.trailing.map_or(Value::Null, |t| {
                    Value::Object(vec![("offset", number(t.offset)), ("size", number(t.size))])
                }),
            ),
        ];
        if !self.pdus.is_empty() {
            fields.push(("pdus", Value::List(self.pdus.clone())));
        }
        Value::Object(fields)
    }
}

/// Bytes that no declaration reads.
fn unknown(bytes: &[u8], reveal: bool) -> Value {
    if reveal { Value::hex(bytes) } else { Value::Object(vec![size(bytes), ("content", Value::Hidden)]) }
}

fn size(bytes: &[u8]) -> (&'static str, Value) {
    ("bytes", Value::Number(bytes.len() as u64))
}

/// What the PDUs of a body say, or what is wrong with them.
fn short_messages(row: &Row, buffer: &[u8], reveal: bool) -> Vec<Value> {
    let one = |pdu: &Personal<Vec<u8>>| match Pdu::decode(pdu.reveal()) {
        Ok(pdu) => pdu.value(reveal),
        Err(error) => Value::Object(vec![("error", Value::Text(error.to_string()))]),
    };
    match row.body {
        SmsRead::NAME => match SmsRead::decode(buffer).map(|body| body.messages) {
            Ok(SmsMessages::Pdu(records)) => records.iter().map(|record| one(&record.pdu_data)).collect(),
            _ => Vec::new(),
        },
        SmsSendSet::NAME => match SmsSendSet::decode(buffer).map(|body| body.message) {
            Ok(SmsMessage::Pdu(record)) => vec![one(&record.pdu_data)],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A head line, then one line for each field.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(USUAL);
        self.print(&mut text)?;
        f.write_str(&text)
    }
}

/// Octets of the text of a usual message.
const USUAL: usize = 512;

impl Description {
    fn print(&self, out: &mut String) -> fmt::Result {
        match self.message {
            Some(kind) => match kind.name() {
                Some(name) => out.push_str(name),
                None => write!(out, "message {:#x}", kind.0)?,
            },
            None => out.push_str("no message"),
        }
        if let Some(transaction) = self.transaction {
            write!(out, " #{transaction}")?;
        }
        if let Some(service) = self.service_text() {
            out.push(' ');
            out.push_str(&service);
        }
        match (self.cid_text(), self.target) {
            (Some(name), _) => {
                out.push(' ');
                out.push_str(&name);
            }
            (None, Some((_, cid))) => write!(out, " cid {cid}")?,
            (None, None) => {}
        }
        if let Some(operation) = self.operation {
            out.push(' ');
            out.push_str(operation.name());
        }
        if let Some(status) = &self.status {
            out.push_str(": ");
            status.print(out, 0);
        }
        if self.body != Value::Null {
            self.body.print(out, 2);
        }
        if !self.pdus.is_empty() {
            write!(out, "\n  pdus:{:4}", Value::List(self.pdus.clone()))?;
        }
        if let Some(error) = &self.error {
            write!(out, "\n  error: {error}")?;
        }
        if let Some(Trailing { offset, size }) = self.trailing {
            write!(out, "\n  {size} unknown bytes from byte {offset}")?;
        }
        Ok(())
    }
}

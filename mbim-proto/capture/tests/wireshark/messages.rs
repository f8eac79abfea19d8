//! Every declared body in every operation, with made-up values.

use mbim_proto::message::{
    COMMAND_HEADER, Command, CommandDone, CommandType, Content, INDICATION_HEADER, IndicateStatus,
};
use mbim_proto::registry::{self, Row};
use mbim_proto::{MbimEx, Message, Operation, Status, Value};

/// Made-up values per body and operation, in the release that brought it and in each later one; the first is all zeros.
const VARIANTS: (u64, u64) = (5, 2);

pub(crate) struct Made {
    pub(crate) row: &'static Row,
    pub(crate) operation: Operation,
    /// What the body says, nothing hidden.
    pub(crate) value: Value,
    pub(crate) bytes: Vec<u8>,
    /// Where the information buffer starts in them.
    pub(crate) buffer_at: usize,
}

/// The messages of one release: its own layouts, and the older ones that it still has.
pub(crate) fn all(release: MbimEx) -> Vec<Made> {
    let mut all = Vec::new();
    for row in registry::rows() {
        for operation in row.operations {
            let current = registry::find(row.service, row.cid, *operation, release);
            if current.is_some_and(|found| found.body == row.body) {
                let variants = if row.since == release { VARIANTS.0 } else { VARIANTS.1 };
                all.extend((0..variants).map(|variant| make(row, *operation, variant)));
            }
        }
    }
    all
}

/// A message in which one number has a name: where it stands, and ours.
pub(crate) struct Named {
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: usize,
    pub(crate) number: u64,
    pub(crate) name: &'static str,
}

/// Numbers that are tried in each place of a body.
const NUMBERS: u8 = 26;

/// Bodies of zeros with a small number in one place, where that changes exactly one name.
pub(crate) fn named(release: MbimEx) -> Vec<Named> {
    let mut all = Vec::new();
    for row in registry::rows().filter(|row| row.since == release) {
        let (Some(operation), zeros) = (row.operations.first(), row.generate(&[])) else { continue };
        let plain = names(&row.decode(&zeros, true).expect("what was written is read").value);
        for at in (0..zeros.len().saturating_sub(3)).step_by(4).filter(|at| zeros[*at..at + 4] == [0; 4]) {
            for number in 1..NUMBERS {
                let mut buffer = zeros.clone();
                buffer[at] = number;
                let Ok(decoded) = row.decode(&buffer, true) else { continue };
                let names: Vec<_> = names(&decoded.value).into_iter().filter(|one| !plain.contains(one)).collect();
                if let [(_, number, name)] = names[..] {
                    let (bytes, buffer_at) = message(row, *operation, buffer);
                    all.push(Named { bytes, at: buffer_at + at, number, name });
                }
            }
        }
    }
    all
}

/// Numbers with names, by their paths.
fn names(value: &Value) -> Vec<(String, u64, &'static str)> {
    match value {
        Value::Enum { number, name: Some(name) } => vec![(String::new(), *number, name)],
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(field, value)| {
                names(value).into_iter().map(move |(path, n, name)| (format!("{field}.{path}"), n, name))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn make(row: &'static Row, operation: Operation, variant: u64) -> Made {
    // A format without a layout ends the body, which Wireshark takes for cut short: nothing is learnt from that.
    let mut tries = (0..100).map(|attempt| {
        let entropy = if variant == 0 { Vec::new() } else { noise(variant * 100 + attempt) };
        let buffer = row.generate(&entropy);
        let value = row.decode(&buffer, true).expect("what was written is read").value;
        (buffer, value)
    });
    let (buffer, value) = tries.find(|(_, value)| !without_layout(value)).expect("a body with a layout");
    let (bytes, buffer_at) = message(row, operation, buffer);
    Made { row, operation, value, bytes, buffer_at }
}

/// A message with a body, and where the body starts in it.
fn message(row: &Row, operation: Operation, buffer: Vec<u8>) -> (Vec<u8>, usize) {
    let (service, cid) = (row.service, row.cid);
    let command = |command_type, buffer| Content::Command(Command { service, cid, command_type, buffer });
    let content = match operation {
        Operation::Query => command(CommandType::QUERY, buffer),
        Operation::Set => command(CommandType::SET, buffer),
        Operation::Response => Content::CommandDone(CommandDone { service, cid, status: Status::SUCCESS, buffer }),
        Operation::Notify => Content::IndicateStatus(IndicateStatus { service, cid, buffer }),
    };
    let buffer_at = if operation == Operation::Notify { INDICATION_HEADER } else { COMMAND_HEADER };
    let bytes = Message::new(if operation == Operation::Notify { 0 } else { 7 }, content).encode();
    (bytes, buffer_at)
}

fn without_layout(value: &Value) -> bool {
    match value {
        Value::Object(fields) => match &fields[..] {
            [("format", Value::Enum { name: None, .. })] => true,
            _ => fields.iter().any(|(_, value)| without_layout(value)),
        },
        _ => false,
    }
}

/// The same bytes on every run and machine.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..4000).map(|_| next()).collect()
}

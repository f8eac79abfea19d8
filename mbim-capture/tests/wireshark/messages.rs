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

fn make(row: &'static Row, operation: Operation, variant: u64) -> Made {
    // A format without a layout ends the body, which Wireshark takes for cut short: nothing is learnt from that.
    let mut tries = (0..100).map(|attempt| {
        let entropy = if variant == 0 { Vec::new() } else { noise(variant * 100 + attempt) };
        let buffer = row.generate(&entropy);
        let value = row.decode(&buffer, true).expect("what was written is read").value;
        (buffer, value)
    });
    let (buffer, value) = tries.find(|(_, value)| !without_layout(value)).expect("a body with a layout");
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
    Made { row, operation, value, bytes, buffer_at }
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

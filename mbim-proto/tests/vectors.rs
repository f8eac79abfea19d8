//! Bytes that did not come out of our own encoder. See `tests/vectors/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use mbim_proto::fragment::Reassembler;
use mbim_proto::message::{Content, Header};
use mbim_proto::registry::{self, Row};
use mbim_proto::{MbimEx, Message, Operation, Uuid, Value, service};
use serde_json::Value as Json;

const MESSAGES: &str = include_str!("../../tests/vectors/mbim-vectors.json");
const BODIES: &str = include_str!("../../tests/vectors/mbim-bodies.json");

fn vectors(text: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(text).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn number(json: &Json) -> u32 {
    u32::try_from(json.as_u64().unwrap()).unwrap()
}

/// `IPv4DnsServer` → `ipv4_dns_server`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut last = 'A';
    for c in name.replace("IPv", "Ipv").chars() {
        if c.is_ascii_uppercase() && !last.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        last = c;
    }
    out
}

fn same(path: &str, value: &Value, json: &Json) {
    let equal = match (value, json) {
        (Value::Object(fields), Json::Object(members)) => {
            for (name, member) in members {
                let path = format!("{path}.{name}");
                same(&path, value.field(&snake(name)).unwrap_or_else(|| panic!("no {path}")), member);
            }
            fields.len() == members.len()
        }
        (Value::List(values), Json::Array(members)) => {
            values.iter().zip(members).enumerate().for_each(|(i, (v, m))| same(&format!("{path}[{i}]"), v, m));
            values.len() == members.len()
        }
        (Value::Number(n) | Value::Enum { number: n, .. } | Value::Flags { bits: n, .. }, json) => {
            json.as_u64() == Some(*n)
        }
        (Value::Signed(n), json) => json.as_i64() == Some(*n),
        (Value::Bool(b), json) => json.as_bool() == Some(*b),
        (Value::Text(text), json) => json.as_str() == Some(text),
        (Value::Uuid(uuid, _), json) => json.as_str() == Some(&uuid.to_string()),
        (Value::Null, json) => json.is_null(),
        _ => false,
    };
    assert!(equal, "{path}: {value:?} is not {json}");
}

fn row(service: Uuid, cid: u32, operation: Operation, mbimex: MbimEx) -> &'static Row {
    registry::find(service, cid, operation, mbimex).unwrap_or_else(|| panic!("no {operation:?} of {service} {cid}"))
}

/// Joins the frames of a vector.
fn whole(vector: &Json) -> Vec<u8> {
    let frames: Vec<Vec<u8>> = match &vector["hex"] {
        Json::Array(frames) => frames.iter().map(|hex| bytes(hex.as_str().unwrap())).collect(),
        hex => vec![bytes(hex.as_str().unwrap())],
    };
    let mut reassembler = Reassembler::default();
    let mut messages =
        frames.iter().filter_map(|f| reassembler.push(Duration::ZERO, f).unwrap().map(|m| m.into_owned()));
    messages.next().expect("a whole message")
}

fn release(vector: &Json) -> MbimEx {
    match vector["mbimex"].as_str().unwrap() {
        "1.0" => MbimEx::V1,
        "2.0" => MbimEx::V2,
        "3.0" => MbimEx::V3,
        other => panic!("release {other}"),
    }
}

/// The row of the vector's buffer, and the buffer.
fn check_message(vector: &Json) -> Option<&'static Row> {
    let id = vector["id"].as_str().unwrap();
    let decode = &vector["decode"];
    let bytes = whole(vector);
    let header = Header::decode(&bytes).unwrap();
    let kind = header.kind.name().unwrap().to_ascii_uppercase().replace('-', "_");
    assert_eq!(decode["message_type"], kind, "{id}");
    assert_eq!(decode["length"], header.length, "{id}");
    assert_eq!(decode["transaction_id"], header.transaction, "{id}");
    let message = Message::decode(&bytes).unwrap();
    assert_eq!(message.transaction, header.transaction);
    assert_eq!(message.encode(), bytes, "{id}: written as it was read");
    let (service, cid, operation, buffer) = match &message.content {
        Content::Open(open) => {
            assert_eq!(decode["max_control_transfer"], open.max_control_transfer);
            return None;
        }
        Content::OpenDone(status) | Content::CloseDone(status) => {
            assert_eq!(decode["status"], status.0);
            return None;
        }
        Content::FunctionError(error) | Content::HostError(error) => {
            assert_eq!(decode["error_status"], error.0);
            return None;
        }
        Content::Command(command) => {
            let operation = command.command_type.operation().unwrap();
            assert_eq!(decode["command_type"], operation.name().to_ascii_uppercase());
            (command.service, command.cid, operation, &command.buffer)
        }
        Content::CommandDone(done) => {
            assert_eq!(decode["status"], done.status.0);
            (done.service, done.cid, Operation::Response, &done.buffer)
        }
        Content::IndicateStatus(indication) => {
            (indication.service, indication.cid, Operation::Notify, &indication.buffer)
        }
        other => panic!("{id}: {other:?}"),
    };
    assert_eq!(decode["service_uuid"], service.to_string());
    assert_eq!(decode["cid"], cid);
    assert_eq!(decode["information_buffer_length"], buffer.len());
    let row = row(service, cid, operation, release(vector));
    assert_eq!(decode["command_name"].as_str().unwrap().to_ascii_uppercase().replace(' ', "_"), row.cid_name);
    check_buffer(id, row, buffer, &decode["fields"], true);
    Some(row)
}

fn check_buffer(id: &str, row: &Row, buffer: &[u8], fields: &Json, canonical: bool) {
    let decoded = row.decode(buffer, true).unwrap_or_else(|e| panic!("{id}: {e}"));
    same(id, &decoded.value, fields);
    let written = row.reencode(buffer).unwrap();
    if canonical {
        assert_eq!(written, buffer, "{id}: written as it was read");
        assert_eq!(decoded.used.next_multiple_of(4).min(buffer.len()), buffer.len(), "{id}: nothing left over");
    }
}

#[test]
fn whole_messages() {
    let (control, data): (Vec<_>, Vec<_>) =
        vectors(MESSAGES).into_iter().partition(|vector| vector["decode"].get("message_type").is_some());
    assert_eq!((control.len(), data.len()), (9, 1), "the NTB is of the data plane");
    assert_eq!(control.iter().filter_map(check_message).count(), 6, "messages with a buffer");
}

#[test]
fn information_buffers() {
    for vector in vectors(BODIES) {
        let (row, buffer) = body(&vector);
        check_buffer(vector["id"].as_str().unwrap(), row, &buffer, &vector["fields"], vector["canonical"] == true);
    }
}

fn body(vector: &Json) -> (&'static Row, Vec<u8>) {
    let operation = match vector["operation"].as_str().unwrap() {
        "query" => Operation::Query,
        "set" => Operation::Set,
        "response" => Operation::Response,
        "notify" => Operation::Notify,
        other => panic!("operation {other}"),
    };
    let service = vector["service"].as_str().unwrap().parse().unwrap();
    let mbimex = MbimEx::from_bcd(u16::try_from(number(&vector["mbimex"])).unwrap() << 8);
    (row(service, number(&vector["cid"]), operation, mbimex), bytes(vector["hex"].as_str().unwrap()))
}

#[test]
fn every_body_has_a_vector() {
    let mut covered: BTreeSet<_> = vectors(BODIES).iter().map(|vector| body(vector).0.body).collect();
    for vector in vectors(MESSAGES).iter().filter(|vector| vector["decode"].get("cid").is_some()) {
        covered.extend(check_message(vector).map(|row| row.body));
    }
    let missing: Vec<_> = registry::rows().map(|row| row.body).filter(|body| !covered.contains(body)).collect();
    assert!(missing.is_empty(), "add to tests/vectors/assemble.py: {missing:?}");
}

#[test]
fn every_row_says_where_it_comes_from() {
    for row in registry::rows() {
        assert!(row.clause().starts_with("M"), "{}: {:?}", row.body, row.doc);
        assert!(service::uuid_name(row.service).is_some());
    }
}

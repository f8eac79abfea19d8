//! Every body without the people in it is still one; the rest of the record stays as it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use mbim_capture::{Anonymiser, Direction, Frame};
use mbim_proto::fragment::fragments;
use mbim_proto::message::{Command, CommandDone, CommandType, Content, IndicateStatus};
use mbim_proto::registry::{Row, rows};
use mbim_proto::service::basic_connect::{self as bc, SubscriberReady};
use mbim_proto::{Body, MbimEx, Message, Operation, Status, Uuid, list};

fn frame(direction: Direction, mbimex: MbimEx, bytes: &[u8]) -> Frame<'_> {
    Frame { offset: 0, time: None, direction: Some(direction), device: None, mbimex: Some(mbimex), bytes }
}

fn anonymiser() -> Anonymiser {
    Anonymiser::new([3; 32])
}

/// One message through an anonymiser of its own.
fn replaced(mbimex: MbimEx, message: &Message) -> Message {
    let direction = match message.content {
        Content::Command(_) => Direction::Sent,
        _ => Direction::Received,
    };
    let bytes = message.encode();
    let frames = anonymiser().frame(&frame(direction, mbimex, &bytes));
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].len(), bytes.len(), "{message:?}");
    Message::decode(&frames[0]).unwrap()
}

fn message(row: &Row, operation: Operation, buffer: Vec<u8>) -> Message {
    let (service, cid) = (row.service, row.cid);
    match operation {
        Operation::Query => Command { service, cid, command_type: CommandType::QUERY, buffer }.message(7),
        Operation::Set => Command { service, cid, command_type: CommandType::SET, buffer }.message(7),
        Operation::Response => CommandDone { service, cid, status: Status::SUCCESS, buffer }.message(7),
        Operation::Notify => IndicateStatus { service, cid, buffer }.message(),
    }
}

/// Bytes that look random, the same ones for the same number.
fn entropy(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..600).map(|_| step()).collect()
}

#[test]
fn every_body_stays_one_of_its_kind_and_size() {
    let mut changed = BTreeSet::new();
    for row in rows() {
        for seed in 1..6 {
            let buffer = row.generate(&entropy(seed));
            for operation in row.operations {
                let before = message(row, *operation, buffer.clone());
                let after = replaced(row.since, &before);
                let (Some(was), Some(is)) = (before.content.buffer(), after.content.buffer()) else {
                    panic!("a buffer")
                };
                let (was, is) = (row.decode(was, false).unwrap(), row.decode(is, false));
                let is = is.unwrap_or_else(|error| panic!("{}: {error}", row.body));
                assert_eq!(is.used, was.used, "{}", row.body);
                if before != after {
                    changed.insert(row.body);
                }
            }
        }
    }
    for personal in
        ["SubscriberReady", "ConnectSet", "PinSet", "SmsSendSet", "QmiMessage", "LocationInfo", "Atr", "Ussd"]
    {
        assert!(changed.contains(personal), "{personal} of {changed:?}");
    }
    let about_the_network =
        ["SignalState", "RegisterStateInfo", "RadioState", "DeviceServices", "VisibleProviders", "ProxyVersion"];
    for public in about_the_network {
        assert!(rows().any(|row| row.body == public), "{public} is none");
        assert!(!changed.contains(public), "{public}");
    }
}

/// A hostile record: whatever comes, a message stays one and nothing panics.
#[test]
fn damaged_bodies_do_no_harm() {
    for row in rows() {
        for seed in 1..4u64 {
            let mut buffer = row.generate(&entropy(seed));
            let random = entropy(seed + 100);
            for pair in random.chunks_exact(2).take(6) {
                if let Some(byte) = buffer.get_mut(usize::from(pair[0])) {
                    *byte = pair[1];
                }
            }
            for operation in row.operations {
                let bytes = message(row, *operation, buffer.clone()).encode();
                let out = anonymiser().frame(&frame(Direction::Received, MbimEx::V4, &bytes));
                assert!(out.iter().all(|one| Message::decode(one).is_ok()), "{}", row.body);
                anonymiser().frame(&frame(Direction::Sent, MbimEx::V1, &bytes[..bytes.len() / 2]));
            }
        }
    }
    for seed in 1..50 {
        anonymiser().frame(&frame(Direction::Sent, MbimEx::V1, &entropy(seed)));
    }
}

#[test]
fn what_no_declaration_knows_is_replaced_whole() {
    let canary = b"\x01\x02\x03IMSI 001017394628051 of somebody";
    for service in [Uuid([0x42; 16]), mbim_proto::service::BASIC_CONNECT] {
        let told = IndicateStatus { service, cid: 999, buffer: canary.to_vec() };
        let Content::IndicateStatus(is) = replaced(MbimEx::V1, &told.message()).content else { panic!("it was one") };
        assert_eq!((is.service, is.cid, is.buffer.len()), (service, 999, canary.len()));
        assert!(is.buffer.iter().zip(canary).filter(|(is, was)| is == was).count() < 12);
    }
    // A body that is cut short, and what stands behind one.
    let whole = SubscriberReady { subscriber_id: "001017394628051".into(), ..SubscriberReady::default() }.to_vec();
    for buffer in [whole[..whole.len() - 6].to_vec(), [&whole[..], b"3946280511"].concat()] {
        let (service, cid) = (SubscriberReady::SERVICE, SubscriberReady::CID);
        let done = CommandDone { service, cid, status: Status::SUCCESS, buffer: buffer.clone() }.message(3);
        let Content::CommandDone(is) = replaced(MbimEx::V1, &done).content else { panic!("it was one") };
        assert_ne!(is.buffer, buffer);
        assert!(!is.buffer.windows(10).any(|window| window == b"3946280511"));
    }
}

#[test]
fn fragments_are_joined_and_cut_again() {
    let ready = SubscriberReady {
        subscriber_id: "001017394628051".into(),
        telephone_numbers: list!["10158273946".into(); 40],
        ..SubscriberReady::default()
    };
    let whole = CommandDone::with(Status::SUCCESS, &ready).message(9).encode();
    let mut anonymiser = anonymiser();
    let mut out = Vec::new();
    let parts: Vec<Vec<u8>> = fragments(&whole, 512).collect();
    assert!(parts.len() > 2);
    for part in &parts {
        out.extend(anonymiser.frame(&frame(Direction::Received, MbimEx::V1, part)));
    }
    let sizes = |all: &[Vec<u8>]| all.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(&out), sizes(&parts));
    // Another message with one of the values has the same replacement.
    let other = bc::ConnectSet { user_name: "001017394628051".into(), ..bc::ConnectSet::default() };
    let command = Command::set(&other).unwrap().message(10).encode();
    let command = anonymiser.frame(&frame(Direction::Sent, MbimEx::V1, &command)).remove(0);
    let Content::Command(command) = Message::decode(&command).unwrap().content else { panic!("it was one") };
    let user = bc::ConnectSet::decode(&command.buffer).unwrap().user_name;
    let mut joined = mbim_proto::fragment::Reassembler::default();
    let whole = out.iter().find_map(|part| joined.push(Duration::ZERO, part).unwrap().map(|whole| whole.into_owned()));
    let Content::CommandDone(done) = Message::decode(&whole.unwrap()).unwrap().content else { panic!("it was one") };
    let ready = done.body::<SubscriberReady>().unwrap().unwrap();
    assert_eq!(ready.subscriber_id, user);
    assert_ne!(ready.subscriber_id.reveal(), "001017394628051");
}

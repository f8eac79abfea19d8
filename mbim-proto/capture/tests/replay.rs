//! A recorded conversation answers as the modem did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::time::Duration;

use mbim_capture::{Direction, Replay, frames, write};
use mbim_proto::fragment::{Reassembler, fragments};
use mbim_proto::message::{Command, CommandDone, Content, IndicateStatus, Open};
use mbim_proto::service::basic_connect::{
    ActivationCommand, ConnectInfo, ConnectSet, DeviceCapsQuery, RadioState, RadioStateQuery, RadioStateSet,
    RadioSwitchState, SubscriberReady, SubscriberReadyQuery,
};
use mbim_proto::{Message, ProtocolError, Status};
use proptest::prelude::*;

fn open(max_control_transfer: u32) -> Message {
    Message::new(1, Content::Open(Open { max_control_transfer }))
}

fn radio(on: bool) -> RadioState {
    let state = if on { RadioSwitchState::ON } else { RadioSwitchState::OFF };
    RadioState { hw_radio_state: RadioSwitchState::ON, sw_radio_state: state }
}

fn ask(transaction: u32) -> Message {
    Command::query(&RadioStateQuery {}).unwrap().message(transaction)
}

fn switch(transaction: u32, on: bool) -> Message {
    Command::set(&RadioStateSet { radio_state: radio(on).sw_radio_state }).unwrap().message(transaction)
}

fn connect(transaction: u32, access_string: &str) -> Message {
    let activation_command = ActivationCommand::ACTIVATE;
    let set = ConnectSet { access_string: access_string.into(), activation_command, ..ConnectSet::default() };
    Command::set(&set).unwrap().message(transaction)
}

fn told(transaction: u32, on: bool) -> Message {
    CommandDone::with(Status::SUCCESS, &radio(on)).message(transaction)
}

fn ready() -> Message {
    IndicateStatus::with(&SubscriberReady { subscriber_id: "001010123456789".into(), ..SubscriberReady::default() })
        .message()
}

fn file() -> Vec<u8> {
    use Direction::{Received, Sent};
    let refused = ConnectInfo { nw_error: mbim_proto::NwError(33), ..ConnectInfo::default() };
    let record = [
        (Sent, open(64)),
        (Received, Message::new(1, Content::OpenDone(Status::SUCCESS))),
        (Received, ready()),
        (Sent, ask(2)),
        (Received, told(2, true)),
        (Sent, switch(3, false)),
        (Received, told(3, false)),
        (Received, IndicateStatus::with(&radio(false)).message()),
        (Sent, ask(4)),
        (Sent, connect(5, "internet")),
        (Received, told(4, false)),
        (Received, CommandDone::with(Status::FAILURE, &refused).message(5)),
        (Sent, Command::query(&DeviceCapsQuery {}).unwrap().message(6)), // the modem said nothing
        (Sent, Command::query(&SubscriberReadyQuery {}).unwrap().message(7)),
        (Received, Message::new(7, Content::FunctionError(ProtocolError::CANCEL))),
    ];
    let mut file = write::start();
    for (direction, message) in record {
        for frame in fragments(&message.encode(), 64) {
            file.extend(write::frame(Duration::ZERO, direction, &frame));
        }
    }
    file
}

/// What it says to a message: whole messages, and that every frame keeps to the limit.
fn says(replay: &mut Replay, message: &Message) -> Vec<Message> {
    let mut joiner = Reassembler::default();
    let mut all = Vec::new();
    for frame in fragments(&message.encode(), 64) {
        for answer in replay.push(&frame) {
            assert!(answer.len() <= 64, "as the host asked");
            if let Some(whole) = joiner.push(Duration::ZERO, &answer).unwrap() {
                all.push(Message::decode(&whole).unwrap());
            }
        }
    }
    all
}

#[test]
fn it_answers_as_the_modem_did() {
    let file = file();
    let mut replay = Replay::of(frames(&file).unwrap().flatten(), None);
    assert_eq!(replay.commands(), 6);
    // Other transactions than the recorded ones, and twice: a new session begins anew.
    for round in 0..2 {
        let opened = Message::new(1, Content::OpenDone(Status::SUCCESS));
        assert_eq!(says(&mut replay, &open(64)), [opened, ready()], "{round}");
        assert_eq!(says(&mut replay, &ask(100)), [told(100, true)]);
        let indication = IndicateStatus::with(&radio(false)).message();
        assert_eq!(says(&mut replay, &switch(101, false)), [told(101, false), indication]);
        assert_eq!(says(&mut replay, &ask(102)), [told(102, false)], "the second answer to the same question");
        assert_eq!(says(&mut replay, &ask(103)), [told(103, false)], "and that one from then on");
        assert_eq!(says(&mut replay, &switch(104, true)), [told(104, false)], "the nearest that was recorded");
        let Content::CommandDone(done) = &says(&mut replay, &connect(105, "other"))[0].content.clone() else {
            panic!()
        };
        assert_eq!(done.status, Status::FAILURE);
        assert_eq!(done.body::<ConnectInfo>().unwrap().unwrap().nw_error.0, 33);
    }
    assert_eq!(says(&mut replay, &Command::query(&DeviceCapsQuery {}).unwrap().message(9)), [], "silent then and now");
    let cancelled = Message::new(10, Content::FunctionError(ProtocolError::CANCEL));
    assert_eq!(says(&mut replay, &Command::query(&SubscriberReadyQuery {}).unwrap().message(10)), [cancelled]);
}

#[test]
fn what_was_not_recorded_is_not_supported() {
    let mut replay = Replay::of([], None);
    assert_eq!(says(&mut replay, &open(64)), [Message::new(1, Content::OpenDone(Status::SUCCESS))]);
    let Content::Command(command) = ask(2).content else { panic!() };
    let unsupported = CommandDone::empty(&command, Status::NO_DEVICE_SUPPORT).message(2);
    assert_eq!(says(&mut replay, &ask(2)), [unsupported]);
    let close = Message::new(3, Content::Close);
    assert_eq!(says(&mut replay, &close), [Message::new(3, Content::CloseDone(Status::SUCCESS))]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a host says, and whatever a file has: no panic, and no more answers than the record allows.
    #[test]
    fn nonsense_does_no_harm(at in 0usize..2000, with: u8, noise: Vec<u8>, size in 0u32..200) {
        let mut changed = file();
        let place = at % changed.len();
        changed[place] = with;
        let Ok(read) = frames(&changed) else { return Ok(()) };
        let mut replay = Replay::of(read.flatten(), None);
        let host = [open(size).encode(), ask(2).encode(), noise, switch(4, true).encode(), ask(5).encode()].concat();
        for piece in host.chunks(7) {
            prop_assert!(replay.push(piece).len() < 100);
        }
    }
}

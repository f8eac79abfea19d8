//! The line, byte for byte: no body of `mbim-proto` is used here, so that a mistake shared by both ends would show.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report, in helpers too")]

use core::time::Duration;
use proptest::prelude::*;
use virtual_modem::{
    Direction, Fault, Misbehaviour, Noise, Order, Output, Overrun, Pace, Profile, StillOpen, VirtualModem, What, When,
    kind,
};

const NOW: Duration = Duration::ZERO;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The frames that leave, other happenings left out.
fn frames(modem: &mut VirtualModem) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(output) = modem.poll() {
        if let Output::Transmit(frame) = output {
            frames.push(frame);
        }
    }
    frames
}

fn say(modem: &mut VirtualModem, hex: &str) -> Vec<Vec<u8>> {
    modem.handle(NOW, &bytes(hex));
    frames(modem)
}

const OPEN_4096: &str = "01000000 10000000 01000000 00100000";
const OPEN_64: &str = "01000000 10000000 01000000 40000000";
const OPEN_DONE: &str = "01000080 10000000 01000000 00000000";
/// RADIO_STATE query, transaction 2.
const RADIO_QUERY: &str = "03000000 30000000 02000000 01000000 00000000 \
    a289cc33bcbb8b4fb6b0133ec2aae6df 03000000 00000000 00000000";
const RADIO_ANSWER: &str = "03000080 38000000 02000000 01000000 00000000 \
    a289cc33bcbb8b4fb6b0133ec2aae6df 03000000 00000000 08000000 01000000 01000000";
/// DEVICE_CAPS query, transaction 3.
const CAPS_QUERY: &str = "03000000 30000000 03000000 01000000 00000000 \
    a289cc33bcbb8b4fb6b0133ec2aae6df 01000000 00000000 00000000";

fn opened(profile: Profile) -> VirtualModem {
    let mut modem = VirtualModem::new(profile);
    assert_eq!(say(&mut modem, OPEN_4096), [bytes(OPEN_DONE)]);
    modem
}

#[test]
fn open_query_close() {
    let mut modem = opened(Profile::default());
    assert_eq!(say(&mut modem, RADIO_QUERY), [bytes(RADIO_ANSWER)]);
    assert_eq!(say(&mut modem, "02000000 0c000000 09000000"), [bytes("02000080 10000000 09000000 00000000")], "close");
    assert_eq!(say(&mut modem, RADIO_QUERY), [bytes("04000080 10000000 02000000 05000000")], "not opened");
}

#[test]
fn what_is_not_there_is_not_supported_and_nonsense_is_a_protocol_error() {
    let mut modem = opened(Profile::default());
    let status = |frames: Vec<Vec<u8>>| frames[0][40];
    let unknown_cid = RADIO_QUERY.replace("03000000 00000000 00000000", "63000000 00000000 00000000");
    assert_eq!(status(say(&mut modem, &unknown_cid)), 9);
    let unknown_service = RADIO_QUERY.replace("a289cc33", "00000001");
    assert_eq!(status(say(&mut modem, &unknown_service)), 9);
    let set_of_a_query = CAPS_QUERY.replace("01000000 00000000 00000000", "01000000 01000000 00000000");
    assert_eq!(status(say(&mut modem, &set_of_a_query)), 9);
    let radio_set_without_body = RADIO_QUERY.replace("03000000 00000000 00000000", "03000000 01000000 00000000");
    assert_eq!(status(say(&mut modem, &radio_set_without_body)), 21);
    assert_eq!(say(&mut modem, "77000000 0c000000 05000000"), [bytes("04000080 10000000 05000000 06000000")]);
    assert_eq!(say(&mut modem, "03000000 04000000 05000000"), [bytes("04000080 10000000 05000000 03000000")]);
    assert_eq!(say(&mut modem, "03000000 0c000000 05000000"), [bytes("04000080 10000000 05000000 03000000")]);
    assert_eq!(
        say(&mut modem, &RADIO_QUERY.replace("02000000 01000000", "00000000 01000000")),
        [bytes("04000080 10000000 00000000 06000000")],
        "transaction 0"
    );
}

#[test]
fn fragments_both_ways_at_the_negotiated_size() {
    let mut modem = VirtualModem::new(Profile::default());
    assert_eq!(say(&mut modem, OPEN_64), [bytes(OPEN_DONE)]);
    let answer = say(&mut modem, CAPS_QUERY);
    assert!(answer.len() > 3);
    assert!(answer.iter().all(|frame| frame.len() <= 64));
    // The query in two fragments: 20 bytes of payload, then 8.
    assert!(
        say(&mut modem, "03000000 28000000 04000000 02000000 00000000 a289cc33bcbb8b4fb6b0133ec2aae6df 03000000")
            .is_empty()
    );
    let second = say(&mut modem, "03000000 1c000000 04000000 02000000 01000000 00000000 00000000");
    assert_eq!(second, [bytes(&RADIO_ANSWER.replace("02000000 01000000", "04000000 01000000"))]);
    let long = format!("03000000 50000000 06000000 01000000 00000000 {}", "00".repeat(60));
    assert_eq!(say(&mut modem, &long), [bytes("04000080 10000000 06000000 08000000")], "longer than negotiated");
}

#[test]
fn a_fragment_that_does_not_come_is_reported_after_the_pause() {
    let mut modem = opened(Profile::default());
    say(&mut modem, "03000000 28000000 04000000 02000000 00000000 a289cc33bcbb8b4fb6b0133ec2aae6df 03000000");
    let due = modem.next_wake().unwrap();
    assert_eq!(due, Duration::from_millis(1250));
    modem.wake(due);
    assert_eq!(frames(&mut modem), [bytes("04000080 10000000 04000000 01000000")]);
    assert_eq!(modem.next_wake(), None);
}

#[test]
fn a_transaction_in_use_is_refused_and_overruns_go_as_the_profile_says() {
    let slow = Profile { pace: Pace { answer: Duration::from_millis(5), ..Pace::default() }, ..Profile::default() };
    let mut modem = opened(slow.clone());
    say(&mut modem, RADIO_QUERY);
    assert_eq!(say(&mut modem, RADIO_QUERY), [bytes("04000080 10000000 02000000 04000000")]);
    modem.wake(Duration::from_millis(5));
    assert_eq!(frames(&mut modem), [bytes(RADIO_ANSWER)]);
    for (overrun, answers) in [(Overrun::Drop, 0), (Overrun::Busy, 1), (Overrun::Tolerate, 0)] {
        let mut modem = opened(Profile { max_outstanding: 1, overrun, ..slow.clone() });
        say(&mut modem, RADIO_QUERY);
        assert_eq!(say(&mut modem, CAPS_QUERY).len(), answers, "{overrun:?}");
        modem.wake(Duration::from_millis(5));
        assert_eq!(frames(&mut modem).len(), if overrun == Overrun::Tolerate { 2 } else { 1 });
    }
}

#[test]
fn open_defects() {
    let with = |misbehaviour| VirtualModem::new(Profile { misbehaviour, ..Profile::default() });
    let stuck = |still_open| with(Misbehaviour { still_open: Some(still_open), ..Misbehaviour::default() });
    for (still_open, answer) in [
        (StillOpen::Silent, None),
        (StillOpen::FunctionError, Some("04000080 10000000 01000000 06000000")),
        (StillOpen::StrayCloseDone, Some("02000080 10000000 01000000 00000000")),
    ] {
        let mut modem = stuck(still_open);
        assert_eq!(say(&mut modem, OPEN_4096).first().cloned(), answer.map(bytes));
        say(&mut modem, "02000000 0c000000 09000000");
        assert_eq!(say(&mut modem, OPEN_4096), [bytes(OPEN_DONE)], "{still_open:?}, closed, opened");
    }
    let mut busy = with(Misbehaviour { busy_opens: 1, ..Misbehaviour::default() });
    assert_eq!(say(&mut busy, OPEN_4096), [bytes("01000080 10000000 01000000 01000000")]);
    assert_eq!(say(&mut busy, OPEN_4096), [bytes(OPEN_DONE)]);
    let mut deaf = with(Misbehaviour { deaf_for: Duration::from_secs(12), ..Misbehaviour::default() });
    assert!(say(&mut deaf, OPEN_4096).is_empty());
    deaf.handle(Duration::from_secs(12), &bytes(OPEN_4096));
    assert_eq!(frames(&mut deaf), [bytes(OPEN_DONE)]);
    let mut small = with(Misbehaviour::default());
    assert_eq!(
        say(&mut small, "01000000 10000000 01000000 3f000000"),
        [bytes("04000080 10000000 01000000 08000000")],
        "63 bytes"
    );
}

#[test]
fn faults_do_what_they_say() {
    let struck = |what: What| {
        let mut modem = opened(Profile::default());
        modem.order(NOW, Order::Fault(Fault::once(When::kind(kind::COMMAND_DONE), what)));
        modem.handle(NOW, &bytes(RADIO_QUERY));
        let mut outputs = Vec::new();
        while let Some(output) = modem.poll() {
            outputs.push(output);
        }
        (modem, outputs)
    };
    let answer = bytes(RADIO_ANSWER);
    let sent = |frame: &[u8]| Output::Transmit(frame.to_vec());
    assert_eq!(struck(What::Drop).1, []);
    assert_eq!(struck(What::Duplicate).1, [sent(&answer), sent(&answer)]);
    assert_eq!(struck(What::SplitAt(13)).1, [sent(&answer[..13]), sent(&answer[13..])]);
    assert_eq!(struck(What::Garbage(vec![1, 2])).1, [sent(&[1, 2]), sent(&answer)]);
    assert_eq!(struck(What::Unplug).1, [Output::Unplugged]);
    assert_eq!(struck(What::ResetMidway).1, [sent(&answer[..answer.len() / 2]), Output::Rebooted]);
    let mut changed = answer.clone();
    changed[8] = 3;
    assert_eq!(struck(What::WrongTransaction).1, [sent(&changed)]);
    let mut changed = answer.clone();
    changed[4] += 4;
    assert_eq!(struck(What::LyingLength(4)).1, [sent(&changed)]);
    let status = bytes(
        "03000080 30000000 02000000 01000000 00000000 a289cc33bcbb8b4fb6b0133ec2aae6df 03000000 02000000 00000000",
    );
    assert_eq!(struck(What::Status(2)).1, [sent(&status)]);
    let refused = bytes("04000080 10000000 02000000 07000000");
    assert_eq!(struck(What::Refuse(7)).1, [sent(&refused)]);
    let (mut modem, outputs) = struck(What::Delay(Duration::from_secs(3)));
    assert_eq!(outputs, []);
    assert_eq!(modem.next_wake(), Some(Duration::from_secs(3)));
    modem.wake(Duration::from_secs(3));
    assert_eq!(frames(&mut modem), [answer]);
    assert_eq!(modem.log().count(|entry| entry.fault == Some("delay")), 1);
}

#[test]
fn a_fragment_may_be_lost_and_a_command_may_be_struck_as_it_arrives() {
    let mut modem = VirtualModem::new(Profile::default());
    say(&mut modem, OPEN_64);
    let whole = say(&mut modem, CAPS_QUERY);
    modem.order(NOW, Order::Fault(Fault::once(When::kind(kind::COMMAND_DONE), What::LoseFragment(1))));
    let holed = say(&mut modem, CAPS_QUERY);
    assert_eq!((holed.len(), &holed[0], &holed[1]), (whole.len() - 1, &whole[0], &whole[2]));
    for (what, answers) in [(What::Drop, 0), (What::Duplicate, 2), (What::Status(1), 1), (What::Refuse(7), 1)] {
        modem.order(NOW, Order::Fault(Fault::once(When::kind(kind::COMMAND), what.clone())));
        assert_eq!(say(&mut modem, RADIO_QUERY).len(), answers, "{what:?}");
    }
    modem.order(NOW, Order::Fault(Fault::always(When::from_host(), What::Delay(Duration::from_secs(1)))));
    assert!(say(&mut modem, RADIO_QUERY).is_empty());
    modem.wake(Duration::from_secs(1));
    assert_eq!(frames(&mut modem), [bytes(RADIO_ANSWER)]);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut modem = opened(Profile::default());
        modem.order(NOW, Order::Noise(Some(Noise::slow_and_noisy(seed))));
        let mut sent = Vec::new();
        for transaction in 2_u32..40 {
            let mut query = bytes(RADIO_QUERY);
            query[8..12].copy_from_slice(&transaction.to_le_bytes());
            modem.handle(NOW, &query);
        }
        while let Some(due) = modem.next_wake() {
            modem.wake(due);
            sent.extend(frames(&mut modem).into_iter().map(|frame| (due, frame)));
        }
        sent
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn two_messages_may_leave_in_one_piece_and_bytes_may_trail() {
    let joins = Misbehaviour { joins_messages: true, ..Misbehaviour::default() };
    let mut modem = opened(Profile { misbehaviour: joins, ..Profile::default() });
    let joined =
        say(&mut modem, &format!("{RADIO_QUERY} {}", RADIO_QUERY.replace("02000000 01000000", "04000000 01000000")));
    assert_eq!(joined.iter().map(Vec::len).collect::<Vec<_>>(), [112]);
    let trails = Misbehaviour { trailing_bytes: 3, ..Misbehaviour::default() };
    let mut modem = VirtualModem::new(Profile { misbehaviour: trails, ..Profile::default() });
    assert_eq!(say(&mut modem, OPEN_4096), [bytes(&format!("{OPEN_DONE} 000000"))]);
}

#[test]
fn an_unplugged_modem_is_silent_until_it_is_plugged() {
    let mut modem = opened(Profile::default());
    modem.order(NOW, Order::Unplug);
    assert_eq!(modem.poll(), Some(Output::Unplugged));
    assert!(say(&mut modem, OPEN_4096).is_empty());
    assert_eq!(modem.next_wake(), None);
    modem.order(NOW, Order::Plug);
    assert!(!modem.state().open);
    assert_eq!(say(&mut modem, OPEN_4096), [bytes(OPEN_DONE)]);
}

#[test]
fn the_log_names_messages_and_no_identity() {
    let mut modem = opened(Profile::default());
    say(&mut modem, RADIO_QUERY);
    say(&mut modem, &RADIO_QUERY.replace("03000000 00000000 00000000", "02000000 00000000 00000000"));
    let log = modem.log();
    assert_eq!((log.from_host(), log.to_host()), (3, 3));
    let names: Vec<_> = log
        .entries()
        .filter(|entry| entry.direction == Direction::ToHost)
        .map(|entry| (kind::name(entry.kind), entry.name.as_str(), entry.status))
        .collect();
    assert_eq!(
        names,
        [
            ("open-done", "", Some(0)),
            ("command-done", "basic-connect.radio-state", Some(0)),
            ("command-done", "basic-connect.subscriber-ready-status", Some(0)),
        ]
    );
    let text = format!("{log} {modem:?}");
    for identity in ["001017394628051", "8999004827193650378", "352099746183058"] {
        assert!(identity.as_bytes().windows(7).skip(5).all(|part| !text.contains(str::from_utf8(part).unwrap())));
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_do_not_pile_up(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..60)) {
        let mut modem = opened(Profile::default());
        let mut now = NOW;
        for chunk in chunks {
            now += Duration::from_millis(100);
            modem.handle(now, &chunk);
            while modem.poll().is_some() {}
        }
        prop_assert!(modem.next_wake().is_none_or(|due| due <= now + Duration::from_millis(1250)));
    }

    #[test]
    fn random_buffers_of_every_command_never_panic(
        commands in prop::collection::vec((0_u32..26, 0_u32..3, prop::collection::vec(any::<u8>(), 0..120)), 1..40),
        release in prop::sample::select(vec!["instant", "mbimex1", "mbimex2", "asynchronous", "locked"]),
        seed in any::<u64>(),
    ) {
        let mut modem = opened(Profile::named(release).unwrap());
        modem.order(NOW, Order::Noise(Some(Noise::slow_and_noisy(seed))));
        for ((cid, operation, buffer), transaction) in commands.into_iter().zip(2_u32..) {
            let mut frame = bytes("03000000");
            frame.extend((48 + buffer.len() as u32).to_le_bytes());
            frame.extend(transaction.to_le_bytes());
            frame.extend(bytes("01000000 00000000 a289cc33bcbb8b4fb6b0133ec2aae6df"));
            frame.extend(cid.to_le_bytes());
            frame.extend(operation.to_le_bytes());
            frame.extend((buffer.len() as u32).to_le_bytes());
            frame.extend(buffer);
            modem.handle(NOW, &frame);
        }
        while let Some(due) = modem.next_wake() {
            prop_assert!(due < Duration::from_secs(600));
            modem.wake(due);
            while modem.poll().is_some() {}
        }
        prop_assert_eq!(modem.state().outstanding, 0);
    }
}

//! Modems that misbehave: each ends in a named state, with nothing left behind, and recovers when it can.

use std::time::Duration;

use daemon_core::modem::ModemConfig;
use daemon_core::request::{Request, RequestErrorKind};
use daemon_core::snapshot::ModemState;
use mbim_proto::service::{BASIC_CONNECT, SMS, basic_connect as bc, sms};
use mbim_proto::{Body as _, Uuid};
use virtual_modem::{Fault, Noise, Order, Profile, StillOpen, What, When, kind};

use crate::driver::{Pair, config};

/// Commands of Basic Connect that the way to a connection uses.
const CIDS: &[u32] = &[1, 2, 3, 6, 9, 10, 12, 15, 16, 19];

fn with_fault(fault: Fault) -> Pair {
    let mut pair = Pair::new(Profile::default());
    pair.device.order(Duration::ZERO, Order::Fault(fault));
    pair.attach();
    pair
}

#[test]
fn a_modem_that_never_answers_is_named_and_tried_again() {
    let mut pair = with_fault(Fault::always(When::from_host(), What::Drop));
    let id = pair.request(Request::Connect { apn: None });
    assert!(pair.run(60, |p| p.state() == ModemState::Failed), "{}", pair.account());
    assert!(pair.now <= Duration::from_secs(45), "within the budget: {:?}", pair.now);
    assert_eq!(pair.snapshot().reason.as_ref().unwrap().code, "no-answer-to-open");
    assert!(pair.replies.contains_key(&id), "the request was answered");
    pair.order(Order::ClearFaults);
    pair.connect();
    assert_eq!(pair.reopens, 1);
}

#[test]
fn a_function_that_is_still_open_is_closed_first() {
    for still in [StillOpen::Silent, StillOpen::FunctionError, StillOpen::StrayCloseDone] {
        let mut profile = Profile::default();
        profile.misbehaviour.still_open = Some(still);
        let mut pair = Pair::new(profile);
        pair.attach();
        assert!(pair.run(20, |p| p.is_up()), "{still:?}: {}", pair.account());
    }
}

/// Of a service that nobody knows, of a command that is none, of one that has no indications, and of one that is known and
/// was not subscribed; empty, and full of noise.
#[test]
fn indications_that_nobody_asked_for_are_dropped_and_each_kind_is_told_once() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.run(30, Pair::rests);
    let (before, already) = (pair.snapshot().connections.clone(), pair.events.len());
    let unknown = Uuid([0xab; 16]);
    let kinds = [(unknown, 1), (BASIC_CONNECT, 99), (BASIC_CONNECT, bc::DeviceCaps::CID), (SMS, sms::SmsRead::CID)];
    for round in 0..20_u8 {
        for (service, cid) in kinds {
            let buffer = vec![round; usize::from(round) * 40];
            pair.order(Order::Indicate { service, cid, buffer });
        }
        pair.settle();
    }
    let dropped = |pair: &Pair| {
        let events = pair.events.get(already..).unwrap_or_default();
        events.iter().filter(|event| event.name == "dropped").count()
    };
    assert_eq!(dropped(&pair), kinds.len(), "{}", pair.account());
    for cid in 1000..3000 {
        pair.order(Order::Indicate { service: unknown, cid, buffer: Vec::new() });
    }
    pair.settle();
    assert!(dropped(&pair) < 300, "whoever makes up kinds fills no log: {}", dropped(&pair));
    assert_eq!(pair.snapshot().connections, before, "nothing came of them");
    assert_eq!((pair.reopens, pair.is_up()), (0, true));
}

#[test]
fn every_answer_lost_once_is_overcome() {
    for cid in CIDS {
        let mut pair = with_fault(Fault::once(When::answer(BASIC_CONNECT, *cid), What::Drop));
        assert!(pair.run(400, |p| p.is_up()), "CID {cid}: {}", pair.account());
    }
    let mut pair = with_fault(Fault::once(When::kind(kind::OPEN_DONE), What::Drop));
    assert!(pair.run(30, |p| p.is_up()), "{}", pair.account());
}

#[test]
fn every_command_never_answered_ends_in_a_named_state() {
    for cid in CIDS {
        let mut pair = with_fault(Fault::always(When::answer(BASIC_CONNECT, *cid), What::Drop));
        let id = pair.request(Request::Connect { apn: None });
        pair.run(900, |p| p.replies.contains_key(&id));
        pair.run(60, |_| false);
        assert!(pair.replies.contains_key(&id), "CID {cid}: {}", pair.account());
        assert!(
            pair.snapshot().reason.is_some() || pair.is_up() || pair.state() >= ModemState::Registered,
            "CID {cid}: {}",
            pair.account()
        );
        pair.assert_no_link_left();
        pair.order(Order::ClearFaults);
        assert!(pair.run(2000, |p| p.is_up()), "CID {cid} afterwards: {}", pair.account());
    }
}

#[test]
fn answers_that_come_twice_late_or_for_another_change_nothing() {
    for what in [What::Duplicate, What::Delay(Duration::from_secs(30)), What::WrongTransaction] {
        for cid in CIDS {
            let mut pair = with_fault(Fault::once(When::answer(BASIC_CONNECT, *cid), what.clone()));
            assert!(pair.run(400, |p| p.is_up()), "{what:?} CID {cid}: {}", pair.account());
            pair.run(60, |_| false);
            assert!(pair.is_up(), "{what:?} CID {cid}: {}", pair.account());
        }
    }
}

#[test]
fn broken_framing_is_overcome() {
    for what in [
        What::LyingLength(-8),
        What::LyingLength(8),
        What::LyingLength(1000),
        What::SplitAt(5),
        What::Garbage(vec![0xff; 8]),
        What::Garbage(vec![1, 2, 3]),
        What::Status(2),
        What::Status(9),
        What::ResetMidway,
    ] {
        for cid in CIDS {
            let mut pair = with_fault(Fault::once(When::answer(BASIC_CONNECT, *cid), what.clone()));
            pair.run(400, |p| p.is_up());
            pair.assert_no_link_left();
            pair.order(Order::ClearFaults);
            assert!(pair.run(1000, |p| p.is_up()), "{what:?} CID {cid}: {}", pair.account());
        }
    }
}

#[test]
fn nonsense_three_times_in_a_row_is_a_restart() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    // A register state whose string points outside.
    let mut buffer = vec![0_u8; 48];
    buffer[20..24].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    buffer[24..28].copy_from_slice(&0x40_u32.to_le_bytes());
    for n in 1..=3 {
        assert!(pair.is_up(), "nonsense {n} disturbs nothing");
        pair.order(Order::Indicate { service: BASIC_CONNECT, cid: 9, buffer: buffer.clone() });
    }
    assert!(pair.has_event("hung", "why", "misbehaviour"), "{}", pair.account());
    assert!(pair.has_event("malformed", "body", "REGISTER_STATE"));
    pair.connect();
    assert!(pair.has_event("recovery", "outcome", "done"));
}

#[test]
fn a_modem_that_falls_silent_is_recovered() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.order(Order::Fault(Fault::always(When::from_host(), What::Drop)));
    for _ in 0..12 {
        let _ = pair.ask(Request::RefreshSignal);
    }
    assert!(pair.has_event("hung", "why", "timeouts"), "{}", pair.account());
    pair.run(10, |_| false);
    assert!(pair.link.is_none(), "nothing is known of the context: {}", pair.account());
    assert_eq!(pair.state(), ModemState::Initializing);
    pair.run(3600, |_| false);
    assert_eq!(pair.state(), ModemState::Failed, "{}", pair.account());
    pair.order(Order::ClearFaults);
    assert!(pair.run(3600, |p| p.is_up()), "{}", pair.account());
}

#[test]
fn a_modem_that_says_it_is_not_open_is_opened_again() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, 11), What::Refuse(5))));
    let error = pair.ask(Request::RefreshSignal).unwrap_err();
    assert_eq!(error.kind, RequestErrorKind::ModemFailed, "{error:?}");
    assert!(pair.has_event("hung", "why", "not-opened"));
    pair.connect();
}

#[test]
fn a_session_is_begun_anew_when_asked_for() {
    let mut pair = Pair::new(Profile::default());
    assert_eq!(pair.ask(Request::Restart).unwrap_err().kind, RequestErrorKind::WrongState, "it has not begun yet");
    pair.attach();
    pair.connect();
    pair.ask(Request::Restart).expect("begun");
    assert!(!pair.events.iter().any(|event| event.name == "hung"), "nothing went wrong: {}", pair.account());
    pair.connect();
    let opened = pair.device.log().count(|entry| entry.kind == kind::OPEN);
    let closed = pair.device.log().count(|entry| entry.kind == kind::CLOSE);
    assert_eq!((opened, closed), (2, 1));
}

#[test]
fn a_reset_is_an_unplug_and_a_plug() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.order(Order::Reboot);
    assert!(pair.link.is_none());
    pair.connect();
}

#[test]
fn a_write_that_fails_is_a_recovery() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.feed(daemon_core::modem::Input::WriteFailed);
    assert!(pair.link.is_none());
    pair.settle();
    pair.connect();
    pair.feed(daemon_core::modem::Input::Overrun);
    pair.feed(daemon_core::modem::Input::Resumed);
    pair.settle();
    assert!(pair.is_up(), "sleep alone changes nothing");
}

/// The slow and noisy modem, which other programs never bring online: every run within 90 s of its clock.
#[test]
fn a_slow_and_noisy_modem_connects_within_90_seconds() {
    for outstanding in [8, 1] {
        let mut times: Vec<Duration> = Vec::new();
        for seed in 1..=20 {
            let mut profile = Profile { noise: Some(Noise::slow_and_noisy(seed)), ..Profile::default() };
            profile.misbehaviour.busy_connects = 2;
            let mut pair = Pair::with(profile, ModemConfig { outstanding, ..config() });
            pair.attach();
            assert!(pair.run(90, |p| p.is_up()), "seed {seed}, {outstanding} at a time: {}", pair.account());
            times.push(pair.now);
        }
        times.sort();
        println!("{outstanding} at a time: median {:?}, longest {:?}", times[10], times[19]);
    }
}

/// When the lost order was sent, and what was asked how long after it.
fn after_the_loss(pair: &Pair, cid: u32) -> (Duration, Vec<(u32, Duration)>) {
    let about =
        |entry: &&virtual_modem::Entry| entry.subject == Some((BASIC_CONNECT, cid)) && entry.kind == kind::COMMAND;
    let lost = pair.device.log().entries().filter(about).find(|entry| entry.fault == Some("drop")).expect("a loss").at;
    let after = |entry: &virtual_modem::Entry| (entry.operation.unwrap_or(9), entry.at - lost);
    (lost, pair.device.log().entries().filter(about).filter(|entry| entry.at > lost).map(after).collect())
}

#[test]
fn an_order_without_an_answer_is_followed_by_a_question_after_three_seconds() {
    let lost = |cid| Fault::once(When::command(BASIC_CONNECT, cid), What::Drop);
    let (query, set, late) = (0, 1, Duration::from_secs(3));
    for cid in [3, 10, 12] {
        let mut profile = Profile { software_radio: false, auto_attach: false, ..Profile::default() };
        profile.pace.register = Duration::from_secs(1);
        let mut pair = Pair::new(profile);
        // The first one is the question at the beginning.
        pair.order(Order::Fault(Fault { when: lost(cid).when.nth(2), ..lost(cid) }));
        pair.attach();
        assert!(pair.run(30, |p| p.is_up()), "CID {cid}: {}", pair.account());
        let (_, after) = after_the_loss(&pair, cid);
        assert_eq!(after.first(), Some(&(query, late)), "CID {cid}: {}", pair.account());
        assert!(after.iter().any(|(operation, _)| *operation == set), "CID {cid}: given again: {after:?}");
    }
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.order(Order::Fault(lost(9)));
    // It says that it is not registered and does not search.
    let mut buffer = vec![0_u8; 48];
    buffer[4] = 1;
    pair.order(Order::Indicate { service: BASIC_CONNECT, cid: 9, buffer });
    pair.run(20, |_| false);
    assert_eq!(pair.state(), ModemState::Connected, "{}", pair.account());
    assert_eq!(after_the_loss(&pair, 9).1.first(), Some(&(query, late)), "{}", pair.account());
}

/// It says that there is no context while it makes one: the second time it is given longer.
#[test]
fn a_modem_that_denies_what_it_is_doing_is_waited_for_in_the_end() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let _ = pair.ask(Request::Disconnect);
    for late in [10, 20] {
        let answer = When::command(BASIC_CONNECT, 12);
        pair.order(Order::Fault(Fault::once(answer, What::Delay(Duration::from_secs(late)))));
    }
    let reply = pair.ask(Request::Connect { apn: None });
    assert!(reply.is_ok(), "{reply:?} {}", pair.account());
    assert!(pair.is_up());
}

#[test]
fn all_known_defects_at_once_are_borne() {
    let mut profile = Profile::default();
    profile.misbehaviour.connect_wants_ready_query = true;
    profile.misbehaviour.connect_state_unknown = true;
    profile.misbehaviour.no_firmware_info = true;
    profile.misbehaviour.joins_messages = true;
    profile.misbehaviour.pair_size_bias = 4;
    profile.misbehaviour.stray_indications = true;
    profile.misbehaviour.numbered_indications = true;
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.connect();
}

/// Asked while the port is being opened again: answered all the same.
#[test]
fn a_request_during_a_reopen_is_answered() {
    let mut profile = Profile::default();
    profile.network.coverage = false;
    let mut pair = Pair::new(profile);
    pair.device.order(Duration::ZERO, Order::Fault(Fault::always(When::from_host(), What::Drop)));
    pair.attach();
    assert!(pair.run(60, |p| p.state() == ModemState::Failed));
    pair.order(Order::ClearFaults);
    assert!(pair.run(120, |p| p.host.tables().power == daemon_core::modem::tables::Power::Ready), "{}", pair.account());
    let error = pair.ask(Request::Connect { apn: None }).unwrap_err();
    assert_eq!(error.reason.code, "not-registered");
}

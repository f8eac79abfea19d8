//! Answers that come one message late for good: the kernel's cdc-wdm reads one message for each that is announced, and a
//! program was killed between the two.

use std::time::Duration;

use daemon_core::modem::ModemConfig;
use daemon_core::request::Request;
use daemon_core::snapshot::ModemState;
use mbim_proto::service::BASIC_CONNECT;
use virtual_modem::{Order, Pace, Profile};

use crate::driver::{Pair, config};

fn pair(profile: Profile) -> Pair {
    let mut pair = Pair::with(profile, ModemConfig { renewable: true, ..config() });
    pair.attach();
    pair.connect();
    pair
}

/// Kills the program when answers to as many questions were announced and not read.
fn kill(pair: &mut Pair, questions: usize) {
    pair.unannounced = questions;
    for _ in 0..questions {
        pair.request(Request::RefreshSignal);
    }
    assert_eq!(pair.unread.len(), questions);
    pair.plugged = false;
}

#[test]
fn a_kill_between_question_and_answer_is_overcome_by_a_fresh_node() {
    for questions in 1..=4 {
        let mut pair = pair(Profile::default());
        kill(&mut pair, questions);
        pair.start_again();
        let begun = pair.now;
        assert!(pair.run(120, Pair::is_up) && pair.renewals == 1, "{questions}: {}", pair.account());
        assert!(pair.now - begun < Duration::from_secs(30), "{questions}: {:?}", pair.now - begun);
        assert!(pair.has_event("behind", "curable", "true"), "{}", pair.account());
        pair.run(60, |_| false);
        assert!(pair.is_up() && pair.renewals == 1, "{}", pair.account());
    }
}

/// Where nothing was to be taken over, the opening itself finds it out.
#[test]
fn a_kill_before_the_connection_is_overcome_too() {
    let mut pair = Pair::with(Profile::default(), ModemConfig { renewable: true, ..config() });
    pair.unannounced = 1;
    pair.attach();
    let begun = pair.now;
    assert!(pair.run(60, Pair::is_up) && pair.renewals == 1, "{}", pair.account());
    assert!(pair.now - begun < Duration::from_secs(20), "{:?}", pair.now - begun);
}

/// An indication at the right moment makes the late answer come in time once, and the session opens.
#[test]
fn a_session_that_opens_all_the_same_is_found_out_by_its_late_answers() {
    let mut pair = pair(Profile::default());
    kill(&mut pair, 1);
    pair.start_again();
    pair.order(Order::Indicate { service: BASIC_CONNECT, cid: 999, buffer: Vec::new() });
    pair.run(10, Pair::is_up);
    assert_eq!(pair.renewals, 0, "{}", pair.account());
    for _ in 0..2 {
        let _ = pair.request(Request::RefreshSignal);
    }
    pair.run(40, |_| false);
    assert!(pair.run(60, Pair::is_up) && pair.renewals == 1, "{}", pair.account());
}

/// A node that cannot be made anew, or to no avail: twice, then the error stays, and the modem is tried again later.
#[test]
fn the_cure_is_tried_twice() {
    let mut pair = pair(Profile::default());
    pair.renewable = false;
    kill(&mut pair, 1);
    pair.start_again();
    pair.run(200, |_| false);
    assert_eq!(pair.renewals, 2, "{}", pair.account());
    assert_eq!(pair.state(), ModemState::Failed, "{}", pair.account());
    assert_eq!(pair.snapshot().reason.as_ref().map(|reason| reason.code), Some("open-disturbed"));
    pair.unread.clear();
    pair.unannounced = 0;
    assert!(pair.run(600, Pair::is_up), "{}", pair.account());
    assert_eq!(pair.renewals, 2);
}

/// What a person wished is not forgotten over it.
#[test]
fn a_modem_that_was_disconnected_stays_so() {
    let mut pair = pair(Profile::default());
    assert!(pair.ask(Request::Disconnect).is_ok());
    kill(&mut pair, 1);
    pair.start_again();
    pair.run(60, |_| false);
    assert_eq!(pair.renewals, 1, "{}", pair.account());
    assert!(!pair.is_up() && pair.state() == ModemState::Registered, "{:?} {}", pair.state(), pair.account());
}

/// Slow is not late: whoever answers each question in its time, or stands still for a while, keeps its node.
#[test]
fn a_slow_modem_keeps_its_node() {
    for answer in [800, 1900, 2900] {
        let pace = Pace { answer: Duration::from_millis(answer), ..Pace::default() };
        let mut pair = Pair::with(Profile { pace, ..Profile::default() }, ModemConfig { renewable: true, ..config() });
        pair.attach();
        assert!(pair.run(200, Pair::is_up), "{answer}: {}", pair.account());
        for _ in 0..8 {
            assert!(pair.ask(Request::RefreshSignal).is_ok());
            pair.run(5, |_| false);
        }
        pair.leave();
        pair.start_again();
        assert!(pair.run(200, Pair::is_up), "{answer}: {}", pair.account());
        assert_eq!(pair.renewals, 0, "{answer}: {}", pair.account());
    }
}

//! What a restart leaves and what a crash leaves: the next start takes it over, or takes it away and makes it anew.

use std::time::Duration;

use daemon_core::kept::Kept;
use daemon_core::modem::Input;
use daemon_core::request::Request;
use daemon_core::snapshot::ModemState;
use daemon_core::subscriber::UserApn;
use mbim_proto::service::BASIC_CONNECT;
use virtual_modem::{Fault, Noise, Order, Profile, Sim, Slot, What, When, kind};

use crate::driver::{Pair, World};

fn up() -> Pair {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair
}

/// OPEN, CLOSE and orders to CONNECT that the modem has seen.
fn upheavals(pair: &Pair) -> usize {
    pair.device.log().count(|entry| {
        let order = entry.operation == Some(1) && entry.subject == Some((BASIC_CONNECT, 12));
        entry.kind == kind::OPEN || entry.kind == kind::CLOSE || order
    })
}

fn refused(pair: &Pair, why: &str) {
    assert!(pair.has_event("adoption", "reason", why), "{why}: {}", pair.account());
}

/// Online with one session in the modem, the link as it was, and a stop leaves nothing.
fn comes_to_a_good_end(pair: &mut Pair, at: &dyn core::fmt::Display) {
    assert!(pair.run(300, Pair::is_up), "{at}: not connected: {}", pair.account());
    assert_eq!(pair.device.state().sessions.len(), 1, "{at}");
    assert!(pair.link.is_some(), "{at}");
    assert!(pair.kept.as_ref().is_some_and(|kept| kept.connection.is_some()), "{at}: written down");
    assert!(pair.ask(Request::Stop).is_ok(), "{at}");
    assert_eq!((&pair.link, &pair.kept), (&None, &None), "{at}: {}", pair.account());
    assert!(pair.device.state().sessions.is_empty() && !pair.device.state().open, "{at}");
}

#[test]
fn a_restart_keeps_the_connection() {
    let mut pair = up();
    let link = pair.link.clone();
    let before = pair.snapshot().connections[0].candidate.clone();
    let (messages, upheaved) = (pair.messages, upheavals(&pair));
    pair.leave();
    assert_eq!(pair.messages, messages, "leaving says nothing to the modem");
    assert_eq!(pair.device.state().sessions.len(), 1);
    pair.run(30, |_| false);
    pair.start_again();
    pair.connect();
    println!("taken over with {} messages, {:?}", pair.messages - messages, pair.snapshot().traffic);
    assert_eq!(upheavals(&pair), upheaved, "neither OPEN nor CLOSE nor CONNECT: {}", pair.account());
    assert_eq!(pair.link_changes, [true, true], "set again as it stands, never taken away");
    assert_eq!(pair.link, link);
    assert_eq!(pair.snapshot().connections[0].candidate, before);
    assert_eq!(pair.state(), ModemState::Connected);
    assert!(pair.has_event("adoption", "outcome", "done"));
    assert_eq!(pair.snapshot().device.as_ref().unwrap().mbimex, 0x0300, "the release of who opened it");
    // What follows is as ever.
    pair.order(Order::DropSession { session: 0, cause: 36 });
    assert!(!pair.is_up());
    assert!(pair.kept.is_none(), "nothing to take over any more");
    comes_to_a_good_end(&mut pair, &"after a loss");
}

#[test]
fn a_restart_after_a_restart_after_a_crash() {
    let mut pair = up();
    let upheaved = upheavals(&pair);
    for round in 0..6 {
        if round % 2 == 0 {
            pair.plugged = false;
        } else {
            pair.leave();
        }
        pair.start_again();
        assert!(pair.run(10, Pair::is_up), "round {round}: {}", pair.account());
    }
    assert_eq!(upheavals(&pair), upheaved);
    comes_to_a_good_end(&mut pair, &"after all rounds");
}

/// The program is killed after every n-th message of the way up, and started again at once or a minute later.
#[test]
fn killed_after_every_message() {
    let whole = up().messages;
    let mut adopted = 0;
    for pause in [0, 60] {
        for n in 1..=whole {
            let mut pair = Pair::new(Profile::default());
            pair.kill_after = Some(n);
            pair.attach();
            assert!(pair.run(60, |pair| pair.killed), "{n}: {}", pair.account());
            pair.now += Duration::from_secs(pause);
            pair.start_again();
            let at = format!("killed after {n} of {whole}, {pause} s");
            comes_to_a_good_end(&mut pair, &at);
            adopted += usize::from(pair.has_event("adoption", "outcome", "done"));
        }
    }
    assert!((1..whole).contains(&adopted), "{adopted} of {whole} taken over, the others made anew");
}

/// The program is killed after every message of a take-over, and the next one takes over again.
#[test]
fn killed_after_every_message_of_an_adoption() {
    let whole = {
        let mut pair = up();
        pair.leave();
        let before = pair.messages;
        pair.start_again();
        pair.connect();
        pair.messages - before
    };
    for n in 1..=whole {
        let mut pair = up();
        let upheaved = upheavals(&pair);
        pair.leave();
        let last = pair.messages + n;
        pair.start_again_killed_at(last);
        assert!(pair.run(60, |pair| pair.killed), "{n}: {}", pair.account());
        pair.start_again();
        assert!(pair.run(30, Pair::is_up), "{n}: {}", pair.account());
        assert_eq!(upheavals(&pair), upheaved, "{n}: {}", pair.account());
        comes_to_a_good_end(&mut pair, &n);
    }
}

/// Killed at every message of the way down: never taken over half.
#[test]
fn killed_while_disconnecting_and_stopping() {
    for request in [Request::Disconnect, Request::Stop, Request::Reconnect, Request::SetRadio(false)] {
        for n in 1..40 {
            let mut pair = up();
            pair.kill_after = Some(pair.messages + n);
            pair.request(request.clone());
            let done = pair.run(60, |pair| pair.killed || !pair.replies.is_empty());
            assert!(done, "{request:?} {n}: {}", pair.account());
            if !pair.killed {
                break;
            }
            assert!(n < 39, "{request:?} has no end");
            pair.start_again();
            pair.feed(Input::Request { id: daemon_core::modem::RequestId(900), request: Request::SetRadio(true) });
            pair.feed(Input::Request {
                id: daemon_core::modem::RequestId(901),
                request: Request::Connect { apn: None },
            });
            pair.settle();
            comes_to_a_good_end(&mut pair, &format!("{request:?} {n}"));
        }
    }
}

#[test]
fn a_modem_that_was_reset_meanwhile_is_opened_anew() {
    let mut pair = up();
    pair.leave();
    pair.order(Order::Reboot);
    pair.start_again();
    refused(&pair, "session-gone");
    assert_eq!(pair.link_changes[..2], [true, false], "taken away at once");
    comes_to_a_good_end(&mut pair, &"after a reset");
}

#[test]
fn a_context_that_ended_meanwhile_is_made_anew() {
    let mut pair = up();
    let opens = pair.device.log().count(|entry| entry.kind == kind::OPEN);
    pair.leave();
    pair.order(Order::DropSession { session: 0, cause: 36 });
    pair.start_again();
    refused(&pair, "not-connected");
    pair.connect();
    assert_eq!(pair.device.log().count(|entry| entry.kind == kind::OPEN), opens, "the control session still holds");
    comes_to_a_good_end(&mut pair, &"after a loss");
}

#[test]
fn another_sim_or_modem_is_not_taken_over() {
    let mut pair = up();
    pair.leave();
    let sim = Sim { iccid: "8999004000000000017".into(), imsi: "001019999999999".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(sim))));
    pair.start_again();
    pair.run(20, Pair::is_up);
    refused(&pair, "other-sim");
    comes_to_a_good_end(&mut pair, &"another SIM");

    for wrong in ["device", "iccid", "imsi"] {
        let mut pair = up();
        pair.leave();
        let kept = pair.kept.as_mut().and_then(|kept| kept.connection.as_mut()).unwrap();
        let (tag, why) = match wrong {
            "device" => (&mut kept.device, "other-modem"),
            "iccid" => (&mut kept.iccid, "other-sim"),
            _ => (&mut kept.imsi, "other-sim"),
        };
        assert_eq!(tag.len(), 8, "{wrong}");
        *tag = "00000000".into();
        pair.start_again();
        refused(&pair, why);
        assert_eq!(pair.link_changes[..2], [true, false], "{wrong}");
        comes_to_a_good_end(&mut pair, &wrong);
    }
}

#[test]
fn another_size_of_messages_is_another_session() {
    let mut pair = up();
    pair.leave();
    pair.kept.as_mut().and_then(|kept| kept.connection.as_mut()).unwrap().max_control = 2048;
    pair.start_again();
    refused(&pair, "other-port");
    comes_to_a_good_end(&mut pair, &"another size");
}

/// Each answer of a take-over is lost once.
#[test]
fn answers_that_are_lost_cost_time_and_not_the_link() {
    for cid in [1, 2, 3, 6, 9, 10, 12, 15, 16, 19] {
        let mut pair = up();
        let upheaved = upheavals(&pair);
        pair.leave();
        pair.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, cid), What::Drop)));
        pair.start_again();
        assert!(pair.run(60, Pair::is_up), "CID {cid}: {}", pair.account());
        assert_eq!(upheavals(&pair), upheaved, "CID {cid}: {}", pair.account());
        assert_eq!(pair.link_changes, [true, true], "CID {cid}");
        comes_to_a_good_end(&mut pair, &cid);
    }
}

#[test]
fn a_modem_that_went_silent_is_closed_and_opened() {
    let mut pair = up();
    pair.leave();
    pair.order(Order::Fault(Fault::always(When::from_host(), What::Drop)));
    pair.start_again();
    pair.run(10, |_| false);
    refused(&pair, "session-gone");
    assert_eq!(pair.link, None);
    pair.order(Order::ClearFaults);
    comes_to_a_good_end(&mut pair, &"after silence");
}

/// The last run asked something whose answer comes to the next one.
#[test]
fn an_answer_to_the_last_run_is_nobodys() {
    let mut pair = up();
    let late = What::Delay(Duration::from_secs(5));
    pair.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, 11), late)));
    pair.request(Request::RefreshSignal);
    pair.leave();
    pair.start_again();
    pair.connect();
    pair.run(20, |_| false);
    assert!(pair.has_event("dropped", "what", "answer-foreign"), "{}", pair.account());
    assert!(pair.is_up());
}

#[test]
fn noise_does_not_keep_it_from_ending_well() {
    for seed in 1..=20 {
        let mut pair = up();
        pair.leave();
        pair.order(Order::Noise(Some(Noise::slow_and_noisy(seed))));
        pair.start_again();
        assert!(pair.run(300, Pair::is_up), "seed {seed}: {}", pair.account());
        assert_eq!(pair.device.state().sessions.len(), 1, "seed {seed}");
    }
}

#[test]
fn what_people_want_outlives_a_restart_and_no_stop() {
    let mut pair = up();
    assert!(pair.ask(Request::Disconnect).is_ok());
    pair.leave();
    assert!(!pair.device.state().open, "without a connection it is closed");
    assert_eq!(pair.kept.as_deref(), Some(&Kept { user_off: true, ..Kept::default() }));
    pair.start_again();
    pair.run(60, |_| false);
    assert_eq!(pair.state(), ModemState::Registered, "not connected by itself: {}", pair.account());
    assert!(pair.ask(Request::SetRadio(false)).is_ok());
    pair.leave();
    pair.start_again();
    pair.run(60, |_| false);
    assert_eq!(pair.state(), ModemState::Disabled, "not switched on by itself: {}", pair.account());
    assert!(pair.ask(Request::Stop).is_ok());
    assert_eq!(pair.kept, None);
    pair.plugged = false;
    pair.start_again();
    pair.connect();
}

/// The APN that a person named, with its password, is the one that is dialled again after a loss.
#[test]
fn a_named_apn_is_remembered() {
    let mut pair = up();
    let apn = UserApn { apn: "internet".into(), user: "u".into(), password: "p".into(), ..UserApn::default() };
    assert!(pair.ask(Request::Connect { apn: Some(apn) }).is_ok());
    let before = pair.snapshot().connections[0].candidate.clone();
    pair.leave();
    let text = format!("{:?}", pair.kept);
    assert!(!text.contains("\"u\"") && !text.contains("\"p\""), "{text}");
    pair.start_again();
    pair.connect();
    assert_eq!(pair.snapshot().connections[0].candidate, before);
    pair.order(Order::DropSession { session: 0, cause: 36 });
    pair.connect();
    assert_eq!(pair.snapshot().connections[0].candidate, before);
}

/// In the walled garden and in an External network as well.
#[test]
fn the_garden_and_another_programs_network_are_taken_over() {
    let mut pair = up();
    pair.world = World::Garden;
    pair.leave();
    pair.start_again();
    pair.connect();
    assert!(pair.run(5, |pair| pair.snapshot().connectivity.portal_available));

    let external = daemon_core::modem::ModemConfig {
        network: daemon_core::modem::NetworkMode::External,
        probe: daemon_core::modem::ProbePolicy { enabled: false, ..Default::default() },
        ..crate::driver::config()
    };
    let mut pair = Pair::with(Profile::default(), external);
    pair.attach();
    pair.connect();
    let upheaved = upheavals(&pair);
    pair.leave();
    let kept = pair.kept.clone().unwrap();
    pair.start_again_with(kept);
    pair.connect();
    assert_eq!(upheavals(&pair), upheaved);
    assert_eq!(pair.link_changes, [false; 0]);
    assert!(pair.snapshot().connections[0].ip.is_some());
}

/// Nothing of a record tells who the subscriber is.
#[test]
fn a_record_holds_no_identity() {
    let pair = up();
    let text = format!("{:?}{:?}", pair.kept, pair.kept.as_ref().and_then(|kept| kept.connection.clone()));
    let connection = pair.kept.as_ref().and_then(|kept| kept.connection.clone()).unwrap();
    let all = text + &connection.device + &connection.iccid + &connection.imsi + &connection.salt;
    for identity in ["001017394628051", "8999004827193650378", "352099746183058"] {
        for start in 0..=identity.len() - 7 {
            assert!(!all.contains(&identity[start..start + 7]));
        }
    }
}

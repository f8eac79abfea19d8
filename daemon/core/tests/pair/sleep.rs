//! The machine sleeps: what is said before, and what is found out afterwards.

use std::time::Duration;

use daemon_core::modem::Input;
use daemon_core::request::{Reply, Request};
use mbim_proto::service::BASIC_CONNECT;
use virtual_modem::{Direction, Fault, Order, Profile, What, When, kind};

use crate::driver::Pair;

/// DEVICE_SERVICE_SUBSCRIBE_LIST.
const SUBSCRIBE: u32 = 19;
/// NETWORK_IDLE_HINT.
const HINT: u32 = 21;

fn up() -> Pair {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair
}

/// Lengths of the lists that were subscribed, in order.
fn lists(pair: &Pair) -> Vec<usize> {
    let log = pair.device.log();
    let ours =
        log.entries().filter(|e| e.direction == Direction::FromHost && e.subject == Some((BASIC_CONNECT, SUBSCRIBE)));
    ours.map(|entry| entry.length).collect()
}

fn opens(pair: &Pair) -> usize {
    pair.device.log().count(|entry| entry.kind == kind::OPEN)
}

/// How often the modem was told whether traffic is expected.
fn hints(pair: &Pair) -> usize {
    pair.device.log().count(|e| e.direction == Direction::FromHost && e.subject == Some((BASIC_CONNECT, HINT)))
}

/// Whether the modem believes that no traffic is expected.
fn idle(pair: &Pair) -> bool {
    pair.device.state().idle
}

/// Sleeps; what the modem says meanwhile is heard by nobody.
fn sleep(pair: &mut Pair, meanwhile: &[Order]) {
    assert_eq!(pair.ask(Request::Suspend), Ok(Reply::Done { changed: true }));
    pair.plugged = false;
    for order in meanwhile {
        pair.order(order.clone());
    }
    pair.plugged = true;
    assert_eq!(pair.ask(Request::Resume), Ok(Reply::Done { changed: true }));
}

#[test]
fn a_quiet_sleep_changes_nothing() {
    let mut pair = up();
    let link = pair.link.clone();
    let before = lists(&pair);
    let (probes, opened, since) = (pair.probes, opens(&pair), pair.snapshot().connections[0].since);
    sleep(&mut pair, &[]);
    let told = lists(&pair);
    assert_eq!(told.len(), before.len() + 2, "{}", pair.account());
    assert!(told[before.len()] < before[0], "nothing to be reported: {told:?}");
    assert_eq!(told.last(), before.first(), "and all of it again");
    pair.run(20, |_| false);
    assert!(pair.is_up());
    assert_eq!((&pair.link, opens(&pair)), (&link, opened));
    assert_eq!(pair.snapshot().connections[0].since, since);
    assert_eq!(pair.link_changes, [true]);
    assert_eq!(pair.probes, probes + 1, "whether the Internet is still there");
    assert!(pair.rests(), "{}", pair.account());
}

#[test]
fn a_modem_that_lost_its_power_is_opened_and_connected() {
    let mut pair = up();
    sleep(&mut pair, &[Order::Unplug, Order::Plug]);
    assert!(pair.has_event("hung", "why", "not-opened"), "{}", pair.account());
    assert!(pair.run(10, Pair::is_up), "{}", pair.account());
    assert_eq!(pair.link_changes, [true, false, true]);
}

#[test]
fn a_modem_that_is_silent_afterwards_is_found_out_soon() {
    let mut pair = up();
    sleep(&mut pair, &[Order::Fault(Fault::always(When::from_host(), What::Drop))]);
    assert!(pair.is_up());
    pair.run(7, |_| false);
    assert!(pair.has_event("hung", "why", "silent-after-sleep"), "{}", pair.account());
    assert_eq!(pair.link, None);
    pair.order(Order::ClearFaults);
    assert!(pair.run(60, Pair::is_up), "{}", pair.account());
}

#[test]
fn a_context_that_ended_meanwhile_is_made_again() {
    let mut pair = up();
    let opened = opens(&pair);
    sleep(&mut pair, &[Order::DropSession { session: 0, cause: 36 }]);
    assert!(!pair.is_up(), "{}", pair.account());
    assert!(pair.run(10, Pair::is_up), "{}", pair.account());
    assert_eq!(opens(&pair), opened);
}

/// Without logind only the clocks tell, and only afterwards.
#[test]
fn a_sleep_that_nobody_announced_is_noticed_too() {
    let mut pair = up();
    pair.plugged = false;
    pair.order(Order::DropSession { session: 0, cause: 36 });
    pair.plugged = true;
    pair.feed(Input::Resumed);
    pair.settle();
    assert!(!pair.is_up());
    assert!(pair.run(10, Pair::is_up), "{}", pair.account());
}

#[test]
fn nothing_new_is_begun_before_sleep_and_the_wait_is_over_after_it() {
    let mut pair = up();
    pair.order(Order::DropSession { session: 0, cause: 36 });
    assert!(pair.ask(Request::Suspend).is_ok());
    pair.run(30, |_| false);
    assert!(!pair.is_up(), "the retry waits for the end of the sleep");
    assert!(pair.ask(Request::Resume).is_ok());
    assert!(pair.run(1, Pair::is_up), "{}", pair.account());
}

#[test]
fn a_sleep_that_is_called_off_without_a_word_ends_by_itself() {
    let mut pair = up();
    let before = lists(&pair);
    assert!(pair.ask(Request::Suspend).is_ok());
    pair.run(70, |_| false);
    assert_eq!(lists(&pair).last(), before.first(), "{}", pair.account());
    pair.order(Order::DropSession { session: 0, cause: 36 });
    pair.connect();
}

/// A modem that does not answer, or is not open, keeps nobody awake.
#[test]
fn the_machine_waits_two_seconds_at_most() {
    let mut pair = up();
    pair.order(Order::Fault(Fault::always(When::from_host(), What::Drop)));
    let before = pair.now;
    assert!(pair.ask(Request::Suspend).is_ok());
    assert!(pair.now - before <= Duration::from_secs(2));
    pair.order(Order::ClearFaults);
    assert!(pair.ask(Request::Resume).is_ok());
    pair.run(30, |_| false);
    assert!(pair.is_up(), "{}", pair.account());

    let mut pair = Pair::new(Profile::default());
    assert_eq!(pair.ask(Request::Suspend), Ok(Reply::Done { changed: false }), "not plugged in");
    assert!(pair.ask(Request::Resume).is_ok());
    pair.attach();
    pair.connect();
    let id = pair.request(Request::Suspend);
    pair.order(Order::Unplug);
    assert!(pair.replies.contains_key(&id));
}

/// The release of the session and a restart while the machine is about to sleep.
#[test]
fn a_restart_before_sleep_is_taken_over_with_all_reports() {
    let mut pair = up();
    let before = lists(&pair);
    assert!(pair.ask(Request::Suspend).is_ok());
    pair.leave();
    pair.start_again();
    pair.connect();
    assert_eq!(lists(&pair).last(), before.first());
    assert_eq!(pair.link_changes, [true, true]);
}

#[test]
fn no_traffic_is_expected_in_sleep_and_again_after_it() {
    let mut pair = up();
    assert_eq!((hints(&pair), idle(&pair)), (0, false), "not a word of it while connecting");
    assert_eq!(pair.ask(Request::Suspend), Ok(Reply::Done { changed: true }));
    assert!(idle(&pair), "{}", pair.account());
    assert!(pair.ask(Request::Resume).is_ok());
    assert!(!idle(&pair), "{}", pair.account());
    assert_eq!(hints(&pair), 2);
    // The last word after a sleep: nothing waits for it.
    let last = pair.device.log().entries().rfind(|e| e.direction == Direction::FromHost).map(|e| e.subject);
    assert_eq!(last, Some(Some((BASIC_CONNECT, HINT))), "{}", pair.account());
    pair.run(20, |_| false);
    assert_eq!((hints(&pair), pair.is_up()), (2, true), "{}", pair.account());
}

/// Who does not list it is not told; who lists it and does not answer delays sleep by two seconds, and is silent all the same.
#[test]
fn the_hint_is_for_modems_that_take_it() {
    let mut pair = Pair::new(Profile { without: vec![(BASIC_CONNECT, HINT)], ..Profile::default() });
    pair.attach();
    pair.connect();
    assert_eq!(pair.ask(Request::Suspend), Ok(Reply::Done { changed: true }));
    assert!(pair.ask(Request::Resume).is_ok());
    assert_eq!(hints(&pair), 0, "{}", pair.account());

    let mut pair = up();
    let lists_before = lists(&pair).len();
    pair.order(Order::Fault(Fault::always(When::command(BASIC_CONNECT, HINT), What::Drop)));
    let before = pair.now;
    assert!(pair.ask(Request::Suspend).is_ok());
    assert!(pair.now - before <= Duration::from_secs(2));
    assert_eq!(lists(&pair).len(), lists_before + 1, "{}", pair.account());
    assert!(pair.ask(Request::Resume).is_ok());
    pair.run(60, |_| false);
    assert!(pair.is_up(), "{}", pair.account());
    assert_eq!(pair.link_changes, [true], "{}", pair.account());
}

/// The hint outlives the session and the program; both take it back.
#[test]
fn the_hint_is_taken_back_by_whoever_comes_next() {
    for crash in [false, true] {
        let mut pair = up();
        assert!(pair.ask(Request::Suspend).is_ok());
        assert!(idle(&pair));
        if !crash {
            pair.leave();
        }
        pair.start_again();
        pair.connect();
        pair.run(5, |_| false);
        assert!(!idle(&pair), "{}", pair.account());
        assert_eq!(pair.link_changes.last(), Some(&true));
    }
    let mut pair = up();
    sleep(&mut pair, &[Order::Fault(Fault::always(When::from_host(), What::Drop))]);
    assert!(idle(&pair));
    pair.run(7, |_| false);
    assert!(pair.has_event("hung", "why", "silent-after-sleep"), "{}", pair.account());
    pair.order(Order::ClearFaults);
    assert!(pair.run(60, Pair::is_up), "{}", pair.account());
    pair.run(5, |_| false);
    assert!(!idle(&pair), "{}", pair.account());
}

//! The machine sleeps: what is said before, and what is found out afterwards.

use std::time::Duration;

use daemon_core::modem::Input;
use daemon_core::request::{Reply, Request};
use mbim_proto::service::BASIC_CONNECT;
use virtual_modem::{Direction, Fault, Order, Profile, What, When, kind};

use crate::driver::Pair;

/// DEVICE_SERVICE_SUBSCRIBE_LIST.
const SUBSCRIBE: u32 = 19;

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
    assert_eq!(pair.host.next_wake(), None, "{}", pair.account());
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

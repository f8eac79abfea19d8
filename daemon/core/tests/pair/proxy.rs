//! Clients of the proxy beside the daemon: their commands, their indications, and what they may not do.

use std::time::Duration;

use daemon_core::modem::Input;
use daemon_core::proxy::{Access, GuestCommand, GuestId, News, Order as Wish};
use daemon_core::request::Request;
use daemon_core::session::Outcome;
use mbim_proto::service::{BASIC_CONNECT, MS_BASIC_CONNECT_EXT, SMS, basic_connect as bc, ms_basic_connect_ext as ext};
use mbim_proto::status::{ProtocolError, Status};
use mbim_proto::{Body, MbimEx, Operation, Uuid};
use virtual_modem::{Direction, Fault, Order, Profile, What, When, kind};

use crate::driver::{Pair, config};

const A: GuestId = GuestId(1);
const B: GuestId = GuestId(2);

fn up() -> Pair {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair
}

fn say(pair: &mut Pair, id: GuestId, order: Wish) {
    pair.feed(Input::Guest { id, order });
    pair.settle();
}

fn join(pair: &mut Pair, id: GuestId) {
    say(pair, id, Wish::Join(Access::Full));
}

fn raw(pair: &mut Pair, id: GuestId, key: u64, service: Uuid, cid: u32, operation: Operation, buffer: Vec<u8>) {
    say(pair, id, Wish::Command { key, command: GuestCommand { service, cid, operation, buffer } });
}

fn query<B: Body>(pair: &mut Pair, id: GuestId, key: u64, body: &B) {
    raw(pair, id, key, B::SERVICE, B::CID, Operation::Query, body.to_vec());
}

fn set<B: Body>(pair: &mut Pair, id: GuestId, key: u64, body: &B) {
    raw(pair, id, key, B::SERVICE, B::CID, Operation::Set, body.to_vec());
}

fn outcome(pair: &Pair, id: GuestId, key: u64) -> Option<Outcome> {
    let mut all = pair.news.iter().filter_map(|(to, news)| match news {
        News::Answered { key: of, outcome } if (*to, *of) == (id, key) => Some(outcome.clone()),
        News::Denied { key: of, status } if (*to, *of) == (id, key) => {
            Some(Outcome::Answered { status: *status, buffer: Vec::new() })
        }
        _ => None,
    });
    let first = all.next();
    assert!(all.next().is_none(), "answered once");
    first
}

fn status(pair: &mut Pair, id: GuestId, key: u64) -> Status {
    assert!(pair.run(300, |pair| outcome(pair, id, key).is_some()), "{}", pair.account());
    match outcome(pair, id, key) {
        Some(Outcome::Answered { status, .. }) => status,
        other => panic!("{other:?}"),
    }
}

fn buffer(pair: &Pair, id: GuestId, key: u64) -> Vec<u8> {
    let Some(Outcome::Answered { buffer, .. }) = outcome(pair, id, key) else { panic!("no answer") };
    buffer
}

fn told(pair: &Pair, id: GuestId, service: Uuid, cid: u32) -> usize {
    let is = |news: &News| matches!(news, News::Indication { service: s, cid: c, .. } if (*s, *c) == (service, cid));
    pair.news.iter().filter(|(to, news)| *to == id && is(news)).count()
}

fn from_host(pair: &Pair, cid: u32) -> usize {
    let subject = Some((BASIC_CONNECT, cid));
    pair.device.log().count(|entry| entry.direction == Direction::FromHost && entry.subject == subject)
}

fn list(entries: &[(Uuid, &[u32])]) -> bc::DeviceServiceSubscribeList {
    let events =
        entries.iter().map(|(id, cids)| bc::EventEntry { device_service_id: *id, cids: cids.to_vec() }).collect();
    bc::DeviceServiceSubscribeList { events }
}

fn deactivate(session_id: u32) -> bc::ConnectSetV3 {
    let activation_command = bc::ActivationCommand::DEACTIVATE;
    bc::ConnectSetV3 { session_id, activation_command, ..bc::ConnectSetV3::default() }
}

fn activate(session_id: u32) -> bc::ConnectSetV3 {
    bc::ConnectSetV3 {
        session_id,
        activation_command: bc::ActivationCommand::ACTIVATE,
        ip_type: bc::ContextIpType::IPV4,
        context_type: mbim_proto::service::context_type::INTERNET,
        access_string: "internet".into(),
        ..bc::ConnectSetV3::default()
    }
}

#[test]
fn a_guest_comes_in_when_the_modem_is_open_and_hears_the_release() {
    let mut pair = Pair::new(Profile::default());
    join(&mut pair, A);
    query(&mut pair, A, 0, &bc::DeviceCapsQuery {});
    assert_eq!(pair.news, [(A, News::Answered { key: 0, outcome: Outcome::Dropped })], "not before it is open");
    pair.attach();
    pair.connect();
    assert!(pair.news.contains(&(A, News::Joined { release: Some(MbimEx::V3) })), "{:?}", pair.news);
    assert_eq!(pair.snapshot().guests, 1);
    join(&mut pair, B);
    assert!(pair.news.contains(&(B, News::Joined { release: Some(MbimEx::V3) })));
    assert_eq!(pair.device.log().count(|entry| entry.kind == kind::OPEN), 1);
    query(&mut pair, B, 0, &bc::DeviceCapsQuery {});
    assert_eq!(status(&mut pair, B, 0), Status::SUCCESS);
    assert!(!buffer(&pair, B, 0).is_empty());
    say(&mut pair, A, Wish::Leave);
    assert_eq!(pair.snapshot().guests, 1);
    assert!(pair.is_up());
}

#[test]
fn a_modem_that_does_not_open_refuses_its_guests() {
    let mut pair = Pair::new(Profile::default());
    pair.device.order(Duration::ZERO, Order::Fault(Fault::always(When::from_host(), What::Drop)));
    pair.plugged = true;
    pair.feed(Input::Attached);
    join(&mut pair, A);
    assert!(pair.run(120, |pair| pair.news.contains(&(A, News::Refused(Status::FAILURE)))), "{}", pair.account());
}

#[test]
fn what_the_daemon_has_up_stays_up() {
    let mut pair = up();
    join(&mut pair, A);
    let before = from_host(&pair, bc::ConnectInfo::CID);
    set(&mut pair, A, 0, &deactivate(0));
    assert_eq!(status(&mut pair, A, 0), Status::OPERATION_NOT_ALLOWED);
    set(&mut pair, A, 1, &activate(0));
    assert_eq!(status(&mut pair, A, 1), Status::MAX_ACTIVATED_CONTEXTS);
    let detach = bc::PacketServiceSet { packet_service_action: bc::PacketServiceAction::DETACH };
    set(&mut pair, A, 2, &detach);
    assert_eq!(status(&mut pair, A, 2), Status::OPERATION_NOT_ALLOWED);
    assert_eq!(from_host(&pair, bc::ConnectInfo::CID), before, "the modem hears nothing of it");
    set(&mut pair, A, 3, &activate(3));
    assert_eq!(status(&mut pair, A, 3), Status::SUCCESS);
    assert_eq!(pair.device.state().sessions.len(), 2);
    set(&mut pair, A, 4, &deactivate(3));
    assert_eq!(status(&mut pair, A, 4), Status::SUCCESS);
    pair.run(30, |_| false);
    assert!(pair.is_up(), "{}", pair.account());
    assert_eq!(pair.link_changes, [true]);
}

#[test]
fn an_idle_modem_may_be_connected_by_a_guest() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    assert!(pair.ask(Request::Disconnect).is_ok());
    join(&mut pair, A);
    set(&mut pair, A, 0, &activate(0));
    assert_eq!(status(&mut pair, A, 0), Status::SUCCESS);
    pair.run(60, |_| false);
    assert_eq!(pair.device.state().sessions.len(), 1, "nobody takes it away: {}", pair.account());
    set(&mut pair, A, 1, &deactivate(0));
    assert_eq!(status(&mut pair, A, 1), Status::SUCCESS);
    // The person connects again; what a guest left would be cleared away.
    set(&mut pair, A, 2, &activate(0));
    assert_eq!(status(&mut pair, A, 2), Status::SUCCESS);
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
    assert!(pair.run(60, Pair::is_up), "{}", pair.account());
}

#[test]
fn who_may_only_ask_changes_nothing() {
    let mut pair = up();
    say(&mut pair, A, Wish::Join(Access::Query));
    set(&mut pair, A, 0, &bc::RadioStateSet { radio_state: bc::RadioSwitchState::OFF });
    assert_eq!(status(&mut pair, A, 0), Status::OPERATION_NOT_ALLOWED);
    query(&mut pair, A, 1, &bc::RadioStateQuery {});
    assert_eq!(status(&mut pair, A, 1), Status::SUCCESS);
    assert!(pair.is_up());
}

#[test]
fn the_radio_that_a_guest_switches_off_stays_off_until_one_switches_it_on() {
    let mut pair = up();
    join(&mut pair, A);
    set(&mut pair, A, 0, &bc::RadioStateSet { radio_state: bc::RadioSwitchState::OFF });
    assert_eq!(status(&mut pair, A, 0), Status::SUCCESS);
    pair.run(120, |_| false);
    assert!(!pair.device.state().software_radio, "nobody fights about it: {}", pair.account());
    assert!(!pair.is_up());
    set(&mut pair, A, 1, &bc::RadioStateSet { radio_state: bc::RadioSwitchState::ON });
    assert_eq!(status(&mut pair, A, 1), Status::SUCCESS);
    assert!(pair.run(300, Pair::is_up), "{}", pair.account());
}

#[test]
fn the_release_is_answered_by_the_daemon() {
    let mut pair = up();
    join(&mut pair, A);
    let asked = pair.device.log().count(|entry| entry.subject == Some((MS_BASIC_CONNECT_EXT, ext::Version::CID)));
    query(&mut pair, A, 0, &ext::Version { version: 0x0100, extended_version: 0x0200 });
    assert_eq!(status(&mut pair, A, 0), Status::SUCCESS);
    assert_eq!(ext::Version::decode(&buffer(&pair, A, 0)).unwrap().extended_version, 0x0300);
    let now = pair.device.log().count(|entry| entry.subject == Some((MS_BASIC_CONNECT_EXT, ext::Version::CID)));
    assert_eq!(now, asked);
    assert_eq!(pair.device.state().release, 0x0300);
}

#[test]
fn everyone_gets_the_indications_that_it_wants() {
    let mut pair = up();
    let lists = from_host(&pair, bc::DeviceServiceSubscribeList::CID);
    join(&mut pair, A);
    assert_eq!(from_host(&pair, bc::DeviceServiceSubscribeList::CID), lists + 1, "the standard list");
    join(&mut pair, B);
    assert_eq!(from_host(&pair, bc::DeviceServiceSubscribeList::CID), lists + 1, "nothing new in it");
    set(&mut pair, A, 0, &list(&[]));
    assert_eq!(status(&mut pair, A, 0), Status::SUCCESS);
    assert_eq!(bc::DeviceServiceSubscribeList::decode(&buffer(&pair, A, 0)).unwrap(), list(&[]));
    let own = list(&[(BASIC_CONNECT, &[bc::SignalState::CID]), (SMS, &[])]);
    set(&mut pair, B, 0, &own);
    assert_eq!(status(&mut pair, B, 0), Status::SUCCESS);
    assert_eq!(bc::DeviceServiceSubscribeList::decode(&buffer(&pair, B, 0)).unwrap(), own, "its own, not the union");
    let signal = pair.snapshot().signal;
    pair.order(Order::Signal { rssi: 9, error_rate: 99 });
    pair.run(30, |_| false);
    assert_eq!(told(&pair, A, BASIC_CONNECT, bc::SignalState::CID), 0);
    assert!(told(&pair, B, BASIC_CONNECT, bc::SignalState::CID) >= 1, "{:?}", pair.news);
    assert_ne!(pair.snapshot().signal, signal, "and the daemon hears all");
    // What the daemon needs is never taken out.
    pair.order(Order::DropSession { session: 0, cause: 36 });
    assert!(pair.run(300, Pair::is_up));
    assert!(pair.link_changes.len() >= 3, "it saw the loss: {:?}", pair.link_changes);
    assert_eq!(told(&pair, B, BASIC_CONNECT, bc::ConnectInfo::CID), 0);
}

#[test]
fn lists_that_are_none_are_refused() {
    let mut pair = up();
    join(&mut pair, A);
    raw(&mut pair, A, 0, BASIC_CONNECT, 19, Operation::Set, vec![9, 0, 0, 0]);
    assert_eq!(status(&mut pair, A, 0), Status::INVALID_PARAMETERS);
}

#[test]
fn guests_take_turns_and_the_daemon_goes_first() {
    let mut pair = Pair::with(Profile::default(), daemon_core::modem::ModemConfig { outstanding: 1, ..config() });
    pair.attach();
    pair.connect();
    join(&mut pair, A);
    join(&mut pair, B);
    let slow = Fault::always(When::answer(BASIC_CONNECT, bc::DeviceCaps::CID), What::Delay(Duration::from_millis(500)));
    pair.device.order(pair.now, Order::Fault(slow));
    for key in 0..10 {
        query(&mut pair, A, key, &bc::DeviceCapsQuery {});
    }
    query(&mut pair, B, 0, &bc::DeviceCapsQuery {});
    let reply = pair.request(Request::RefreshSignal);
    assert!(pair.run(60, |pair| outcome(pair, B, 0).is_some()));
    let before = (0..10).filter(|key| outcome(&pair, A, *key).is_some()).count();
    assert!(before <= 3, "B waits for A's turn, not for all of A: {before}");
    assert!(pair.replies.contains_key(&reply), "the daemon waits for one command at most");
    assert!(pair.run(60, |pair| outcome(pair, A, 9).is_some()));
}

#[test]
fn a_guest_that_goes_takes_its_commands_along() {
    let mut pair = up();
    join(&mut pair, A);
    join(&mut pair, B);
    let slow = Fault::always(When::answer(BASIC_CONNECT, bc::DeviceCaps::CID), What::Delay(Duration::from_secs(1)));
    pair.device.order(pair.now, Order::Fault(slow));
    for key in 0..20 {
        query(&mut pair, A, key, &bc::DeviceCapsQuery {});
    }
    say(&mut pair, A, Wish::Leave);
    let asked = from_host(&pair, bc::DeviceCaps::CID);
    query(&mut pair, B, 7, &bc::DeviceCapsQuery {});
    assert_eq!(status(&mut pair, B, 7), Status::SUCCESS);
    assert!(from_host(&pair, bc::DeviceCaps::CID) <= asked + 2, "what was not sent is not");
    pair.run(30, |_| false);
    assert!(pair.is_up());
    let to_a = |news: &(GuestId, News)| news.0 == A && matches!(news.1, News::Answered { .. });
    assert_eq!(pair.news.iter().filter(|news| to_a(news)).count(), 0);
}

#[test]
fn a_session_that_is_opened_anew_ends_commands_and_lists() {
    let mut pair = up();
    join(&mut pair, A);
    set(&mut pair, A, 0, &list(&[]));
    assert_eq!(status(&mut pair, A, 0), Status::SUCCESS);
    let silent = Fault::once(When::answer(BASIC_CONNECT, bc::DeviceCaps::CID), What::Drop);
    pair.device.order(pair.now, Order::Fault(silent));
    query(&mut pair, A, 1, &bc::DeviceCapsQuery {});
    let closed = What::Refuse(ProtocolError::NOT_OPENED.0);
    pair.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, bc::RadioState::CID), closed)));
    query(&mut pair, A, 2, &bc::RadioStateQuery {});
    assert!(pair.run(120, |pair| outcome(pair, A, 1).is_some()), "{}", pair.account());
    assert_eq!(outcome(&pair, A, 2), Some(Outcome::Refused(ProtocolError::NOT_OPENED)));
    assert_eq!(outcome(&pair, A, 1), Some(Outcome::Dropped));
    assert!(pair.run(300, Pair::is_up), "{}", pair.account());
    assert!(pair.news.contains(&(A, News::Release(MbimEx::V3))));
    query(&mut pair, A, 3, &bc::DeviceCapsQuery {});
    assert_eq!(status(&mut pair, A, 3), Status::SUCCESS);
    pair.order(Order::Signal { rssi: 12, error_rate: 99 });
    pair.run(30, |_| false);
    assert!(told(&pair, A, BASIC_CONNECT, bc::SignalState::CID) >= 1, "the standard list again");
}

#[test]
fn silence_towards_a_guest_is_not_the_modems_end() {
    let mut pair = up();
    join(&mut pair, A);
    let silent = Fault::always(When::answer(SMS, 1), What::Drop);
    pair.device.order(pair.now, Order::Fault(silent));
    for key in 0..20 {
        raw(&mut pair, A, key, SMS, 1, Operation::Query, Vec::new());
    }
    assert!(pair.run(2000, |pair| outcome(pair, A, 19).is_some()), "{}", pair.account());
    assert!((0..20).all(|key| outcome(&pair, A, key) == Some(Outcome::TimedOut)));
    assert!(pair.is_up());
    assert_eq!(pair.link_changes, [true], "nothing was opened anew");
}

#[test]
fn a_modem_that_goes_forgets_its_guests() {
    let mut pair = up();
    join(&mut pair, A);
    pair.order(Order::Unplug);
    pair.run(5, |_| false);
    assert_eq!(pair.snapshot().guests, 0);
}

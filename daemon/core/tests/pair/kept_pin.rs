//! The PIN that is kept: entered by itself, carefully.

use daemon_core::request::{PinRequest, Reply, Request};
use daemon_core::snapshot::ModemState;
use daemon_core::subscriber::{Settings, SubscriberState};
use mbim_proto::Secret;
use virtual_modem::{Profile, Sim, Slot};

use crate::driver::Pair;

fn code(pin: &str) -> Secret<String> {
    Secret::new(pin.to_owned())
}

fn enter(pin: &str) -> Request {
    Request::Pin(PinRequest::Enter(code(pin)))
}

/// Settings that keep the PIN or do not.
fn keeping(pin_store: bool) -> Settings {
    Settings { pin_store, ..Settings::default() }
}

/// A locked SIM for which this is stored, with so many attempts left.
fn locked(pin: Option<&str>, pin_store: bool, attempts: u32) -> Pair {
    let mut sim = Sim::locked();
    sim.pin1 = sim.pin1.with_attempts(attempts, 10);
    let mut pair = Pair::new(Profile { slot: Slot::Card(Box::new(sim)), ..Profile::default() });
    let settings = keeping(pin_store);
    pair.stored = Some(SubscriberState { settings, pin: pin.map(code), ..SubscriberState::default() });
    pair.attach();
    pair.run(30, |_| false);
    pair
}

fn kept(pair: &Pair) -> Option<String> {
    pair.stored.as_ref()?.pin.as_ref().map(|pin| pin.reveal().clone())
}

fn entries(pair: &Pair) -> usize {
    pair.events.iter().filter(|event| event.name == "kept-pin").count()
}

#[test]
fn it_is_entered_by_itself_once() {
    let pair = locked(Some("1234"), true, 3);
    assert!(pair.is_up(), "{}", pair.account());
    assert_eq!((kept(&pair).as_deref(), entries(&pair)), (Some("1234"), 1));
    assert!(!pair.account().contains("1234"), "never printed");
}

#[test]
fn with_unknown_attempts_it_is_entered_once() {
    let pair = locked(Some("9999"), true, u32::MAX);
    assert_eq!((pair.state(), entries(&pair), kept(&pair)), (ModemState::Locked, 1, None), "{}", pair.account());
}

#[test]
fn refused_it_is_forgotten_and_not_tried_again() {
    let mut pair = locked(Some("9999"), true, 3);
    assert_eq!((pair.state(), entries(&pair)), (ModemState::Locked, 1), "{}", pair.account());
    assert_eq!(kept(&pair), None);
    assert_eq!(pair.snapshot().sim.pin.as_ref().unwrap().attempts, Some(2));
    // Neither after a new plug.
    pair.gone();
    pair.attach();
    pair.run(30, |_| false);
    assert_eq!(entries(&pair), 1);
    // What a person enters is kept again.
    assert_eq!(pair.ask(enter("1234")), Ok(Reply::Done { changed: true }));
    pair.run(5, |_| false);
    assert_eq!(kept(&pair).as_deref(), Some("1234"));
}

#[test]
fn the_last_attempt_is_a_persons() {
    let pair = locked(Some("1234"), true, 1);
    assert_eq!((pair.state(), entries(&pair)), (ModemState::Locked, 0), "{}", pair.account());
    assert_eq!(kept(&pair).as_deref(), Some("1234"));
    let pair = locked(Some("1234"), false, 3);
    assert_eq!((pair.state(), entries(&pair)), (ModemState::Locked, 0), "the setting is off");
}

#[test]
fn a_puk_is_never_entered() {
    let mut pair = locked(Some("12345678"), true, 2);
    assert_eq!((entries(&pair), kept(&pair)), (1, None));
    assert!(pair.ask(enter("9999")).is_err());
    assert_eq!(pair.snapshot().sim.pin.as_ref().unwrap().kind, "puk1");
    pair.run(30, |_| false);
    assert_eq!(entries(&pair), 1);
    let unblock = Request::Pin(PinRequest::Unblock { puk: code("12345678"), new: code("4321") });
    assert!(pair.ask(unblock).is_ok(), "{}", pair.account());
    pair.run(5, |_| false);
    assert_eq!(kept(&pair).as_deref(), Some("4321"), "the PIN, not the PUK");
}

#[test]
fn it_follows_what_a_person_does() {
    let mut pair = locked(None, false, 3);
    assert!(pair.ask(Request::SetSettings(keeping(true))).is_ok(), "a locked SIM with a number has settings");
    assert!(pair.ask(enter("1234")).is_ok());
    pair.connect();
    assert_eq!(kept(&pair).as_deref(), Some("1234"));
    let change = PinRequest::Change { old: code("1234"), new: code("4321") };
    assert!(pair.ask(Request::Pin(change)).is_ok());
    assert_eq!(kept(&pair).as_deref(), Some("4321"));
    assert!(pair.ask(Request::Pin(PinRequest::Disable(code("4321")))).is_ok());
    assert_eq!(kept(&pair), None);
    assert!(pair.ask(Request::Pin(PinRequest::Enable(code("4321")))).is_ok());
    assert_eq!(kept(&pair).as_deref(), Some("4321"));
    assert!(pair.ask(Request::SetSettings(keeping(false))).is_ok());
    assert_eq!(kept(&pair), None, "off forgets it");
    assert!(pair.ask(Request::SetSettings(keeping(true))).is_ok());
    assert_eq!(kept(&pair), None);
}

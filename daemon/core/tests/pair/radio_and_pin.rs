//! Radio switches, PIN, SIM states, re-registration.

use daemon_core::modem::Input;
use daemon_core::request::{PinRequest, Reply, Request, RequestErrorKind};
use daemon_core::snapshot::{ModemState, SimReady};
use daemon_core::subscriber::{Settings, SubscriberState};
use mbim_proto::Secret;
use virtual_modem::{Order, Profile, Sim, Slot};

use crate::driver::Pair;

fn enter(pin: &str) -> Request {
    Request::Pin(PinRequest::Enter(Secret::new(pin.to_owned())))
}

fn named(name: &str) -> Pair {
    let mut pair = Pair::new(Profile::named(name).unwrap());
    pair.attach();
    pair.run(1, |_| false);
    pair
}

#[test]
fn a_locked_sim_asks_for_its_pin() {
    let mut pair = named("locked");
    assert_eq!(pair.state(), ModemState::Locked, "{}", pair.account());
    let pin = pair.snapshot().sim.pin.clone().unwrap();
    assert_eq!((pin.kind.as_str(), pin.attempts), ("pin1", Some(3)));
    assert_eq!(pair.ask(Request::Connect { apn: None }).unwrap_err().reason.code, "pin-required");
    assert_eq!(pair.ask(enter("12ab")).unwrap_err().kind, RequestErrorKind::InvalidArgs);
    assert_eq!(pair.ask(enter("9999")).unwrap_err().kind, RequestErrorKind::WrongPin);
    assert_eq!(pair.snapshot().sim.pin.as_ref().unwrap().attempts, Some(2));
    assert_eq!(pair.ask(enter("1234")), Ok(Reply::Done { changed: true }));
    pair.connect();
    assert_eq!(pair.snapshot().sim.pin, None);
    assert_eq!(pair.ask(enter("1234")).unwrap_err().reason.code, "pin-not-needed");
}

#[test]
fn a_blocked_pin_is_unblocked_with_the_puk() {
    let mut pair = named("locked");
    for _ in 0..3 {
        assert!(pair.ask(enter("9999")).is_err());
    }
    assert_eq!(pair.snapshot().sim.pin.as_ref().unwrap().kind, "puk1", "{}", pair.account());
    assert_eq!(pair.snapshot().reason.as_ref().unwrap().code, "puk-required");
    assert_eq!(pair.ask(enter("1234")).unwrap_err().reason.code, "puk-required");
    let unblock = |puk: &str| {
        Request::Pin(PinRequest::Unblock { puk: Secret::new(puk.to_owned()), new: Secret::new("4321".to_owned()) })
    };
    assert_eq!(pair.ask(unblock("00000000")).unwrap_err().kind, RequestErrorKind::WrongPin);
    assert!(pair.ask(unblock("12345678")).is_ok(), "{}", pair.account());
    pair.connect();
}

#[test]
fn pin2_means_that_all_is_well() {
    let mut profile = Profile::default();
    profile.misbehaviour.pin2_shown = true;
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.connect();
    assert_eq!(pair.snapshot().sim.pin, None);
}

#[test]
fn radio_off_ends_the_connection_and_radio_on_brings_it_back() {
    let mut pair = named("demo");
    pair.connect();
    assert_eq!(pair.ask(Request::SetRadio(false)), Ok(Reply::Done { changed: true }));
    assert_eq!((pair.state(), pair.link.is_none()), (ModemState::Disabled, true), "{}", pair.account());
    assert_eq!(pair.ask(Request::SetRadio(false)), Ok(Reply::Done { changed: false }));
    assert_eq!(pair.ask(Request::Connect { apn: None }).unwrap_err().reason.code, "radio-off");
    assert_eq!(pair.ask(Request::SetRadio(true)), Ok(Reply::Done { changed: true }));
    pair.connect();
}

#[test]
fn airplane_mode_and_the_hardware_switch_win() {
    let mut pair = named("instant");
    pair.connect();
    pair.feed(Input::HostRadio { blocked: true });
    pair.settle();
    assert!(pair.run(5, |p| p.state() == ModemState::Disabled), "{}", pair.account());
    assert!(pair.link.is_none());
    assert_eq!(pair.ask(Request::SetRadio(true)).unwrap_err().reason.code, "radio-blocked");
    assert_eq!(pair.ask(Request::Reregister { cycle: true }).unwrap_err().reason.code, "radio-blocked");
    pair.feed(Input::HostRadio { blocked: false });
    pair.settle();
    pair.connect();
    pair.order(Order::HardwareRadio(false));
    assert!(pair.run(5, |p| p.state() == ModemState::Disabled), "{}", pair.account());
    assert!(pair.run(5, |p| p.link.is_none()));
    assert_eq!(pair.ask(Request::SetRadio(true)).unwrap_err().reason.code, "radio-hardware-off");
    pair.order(Order::HardwareRadio(true));
    pair.connect();
}

#[test]
fn a_radio_that_is_not_allowed_yet_is_tried_again() {
    let mut profile = Profile::named("radio-off").unwrap();
    profile.misbehaviour.radio_refusals = 3;
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.connect();
}

#[test]
fn reregister_cycles_the_radio_and_connects() {
    let mut pair = named("demo");
    pair.connect();
    assert_eq!(pair.ask(Request::Reregister { cycle: true }), Ok(Reply::Done { changed: true }));
    assert!(pair.is_up());
    let radio: Vec<&str> = pair
        .events
        .iter()
        .filter(|event| event.name == "radio")
        .filter_map(|event| event.fields.iter().find(|(name, _)| *name == "software").map(|(_, on)| on.as_str()))
        .collect();
    assert_eq!(radio, ["on", "off", "on"]);
    assert_eq!(pair.link_changes, [true, false, true]);
    assert_eq!(pair.ask(Request::Reregister { cycle: false }), Ok(Reply::Done { changed: false }));
}

#[test]
fn sims_that_cannot_be_used_have_names() {
    for (name, ready, code) in [
        ("no-sim", SimReady::NotInserted, "sim-not-inserted"),
        ("esim-empty", SimReady::NoEsimProfile, "no-esim-profile"),
        ("not-activated", SimReady::NotActivated, "sim-not-activated"),
    ] {
        let mut pair = named(name);
        pair.run(60, |_| false);
        assert_eq!(pair.snapshot().sim.ready, ready, "{name}");
        assert_eq!(pair.snapshot().reason.as_ref().unwrap().code, code, "{name}");
        assert_eq!(pair.ask(Request::Connect { apn: None }).unwrap_err().reason.code, code);
        assert_eq!(pair.snapshot().connectivity.purchase_needed, name == "not-activated");
    }
}

#[test]
fn a_sim_that_comes_late_is_used() {
    let mut pair = named("no-sim");
    pair.run(60, |_| false);
    pair.order(Order::Slot(Slot::Card(Box::default())));
    pair.connect();
    // And another one is another subscriber.
    let other = Sim { iccid: "8999000000000000025".into(), imsi: "001015512345699".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    assert!(pair.run(60, |p| p.has_event("sim", "state", "changed")), "{}", pair.account());
    pair.connect();
    let identity = pair.ask(Request::Identity).unwrap();
    let Reply::Identity(all) = identity else { panic!("{identity:?}") };
    assert!(all.reveal().contains(&("iccid", "8999000000000000025".to_owned())));
}

#[test]
fn a_slow_boot_ends_well() {
    let mut pair = named("slow-boot");
    assert!(pair.run(90, |p| p.is_up()), "{}", pair.account());
}

/// The store is slow and the card is changed meanwhile: the first card's settings do not become the second's.
#[test]
fn an_answer_about_another_sim_is_not_taken() {
    let mut pair = Pair::new(Profile::default());
    pair.slow_store = Some(Vec::new());
    pair.attach();
    pair.run(1, |_| false);
    assert_eq!(pair.slow_store.as_ref().unwrap().len(), 1);
    let other = Sim { iccid: "8999000000000000025".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    pair.run(5, |_| false);
    assert_eq!(pair.slow_store.as_ref().unwrap().len(), 1, "one question at a time");
    let first = SubscriberState {
        settings: Settings { autoconnect: false, metric: Some(5), ..Settings::default() },
        ..SubscriberState::default()
    };
    pair.feed(Input::Subscriber(Some(Box::new(first))));
    pair.settle();
    assert_eq!(pair.snapshot().settings.metric, None);
    assert_eq!(pair.slow_store.as_ref().unwrap().last().unwrap(), "8999000000000000025");
    assert!(!pair.is_up(), "the settings are not known yet");
    pair.feed(Input::Subscriber(None));
    pair.settle();
    pair.connect();
}

#[test]
fn without_autoconnect_a_switch_does_not_bring_the_connection_back() {
    let mut pair = Pair::new(Profile::default());
    pair.stored = Some(SubscriberState {
        settings: Settings { autoconnect: false, ..Settings::default() },
        ..SubscriberState::default()
    });
    pair.attach();
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
    assert!(pair.ask(Request::SetRadio(false)).is_ok());
    assert!(pair.ask(Request::SetRadio(true)).is_ok());
    pair.run(60, |_| false);
    assert_eq!(pair.state(), ModemState::Registered, "{}", pair.account());
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
    for blocked in [true, false] {
        pair.feed(Input::HostRadio { blocked });
        pair.settle();
        pair.run(30, |_| false);
    }
    assert_eq!(pair.state(), ModemState::Registered, "{}", pair.account());
}

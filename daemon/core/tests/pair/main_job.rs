//! From plug to online, counted; unplugged at every message of it.

use std::time::Duration;

use daemon_core::modem::Input;
use daemon_core::request::{Reply, Request};
use daemon_core::snapshot::{ConnectivityState, ModemState};
use daemon_core::subscriber::ProvisionedProfile;
use mbim_proto::Secret;
use virtual_modem::Profile;

use crate::driver::{Pair, World, config};

/// Plug → registered → connected in at most 12 sequential round trips and at most 35 messages both ways.
#[test]
fn plug_to_connected_is_counted() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let traffic = pair.snapshot().traffic;
    let messages = pair.device.log().from_host() + pair.device.log().to_host();
    println!("instant, 8 outstanding: {traffic:?}, {messages} messages");
    assert!(traffic.round_trips_to_connected <= 12, "{}", pair.account());
    assert!(traffic.round_trips_to_connected >= 4, "the count counts: {}", pair.account());
    assert!(messages <= 35, "{messages}: {}", pair.account());
    assert_eq!(pair.state(), ModemState::Connected);
    assert_eq!(pair.snapshot().connectivity.state, ConnectivityState::Full);
}

#[test]
fn the_count_holds_for_a_modem_that_starts_from_nothing() {
    for name in ["radio-off", "no-auto-attach", "demo", "asynchronous", "mbimex1", "mbimex2"] {
        let mut pair = Pair::new(Profile::named(name).unwrap());
        pair.attach();
        pair.connect();
        let traffic = pair.snapshot().traffic;
        println!("{name}: {traffic:?}");
        assert!(traffic.round_trips_to_connected <= 12, "{name}: {}", pair.account());
        assert!(traffic.sent + traffic.received <= 40, "{name}: {traffic:?} {}", pair.account());
    }
}

#[test]
fn one_at_a_time_is_slower_but_arrives() {
    let mut settings = config();
    settings.outstanding = 1;
    settings.max_control = 64;
    let mut pair = Pair::with(Profile::named("single-outstanding").unwrap(), settings);
    pair.attach();
    pair.connect();
    println!("one outstanding, frames of 64: {:?}", pair.snapshot().traffic);
    assert!(pair.snapshot().traffic.round_trips_to_connected <= 16, "{}", pair.account());
}

/// The whole main job: garden, portal, hand-over, activation, new profile, online.
fn main_job(pair: &mut Pair) -> bool {
    pair.world = World::Garden;
    pair.attach();
    if !pair.run(60, |p| p.is_up()) {
        return false;
    }
    if !pair.run(5, |p| p.snapshot().connectivity.state == ConnectivityState::Portal) {
        return false;
    }
    if !pair.snapshot().connectivity.portal_available {
        return false;
    }
    let Ok(Reply::PortalUrl { url, source }) = pair.ask(Request::PortalUrl) else { return false };
    assert_eq!(source, "operator");
    assert_eq!(
        url.reveal(),
        "https://portal.test.example/buy?SubId=001017394628051&DevId=352099746183058&IccId=8999004827193650378"
    );
    let profile = ProvisionedProfile { name: "Plan".into(), apn: "internet".into(), ..ProvisionedProfile::default() };
    if pair.ask(Request::SetProfiles { default: Some(profile), purchase: None, network: None }).is_err() {
        return false;
    }
    if pair.ask(Request::ServiceActivation(Secret::new(b"PLAN-1".to_vec()))).is_err() {
        return false;
    }
    if pair.ask(Request::Reconnect).is_err() {
        return false;
    }
    pair.run(30, |p| p.snapshot().connectivity.state == ConnectivityState::Full)
}

#[test]
fn from_plug_to_online() {
    let mut pair = Pair::new(Profile::named("demo").unwrap());
    assert!(main_job(&mut pair), "{}", pair.account());
    assert_eq!(pair.state(), ModemState::Connected);
    assert_eq!(pair.stored.as_ref().unwrap().last_good_home.as_deref(), Some("internet/"));
    let used = pair.snapshot().connections[0].candidate.as_ref().unwrap();
    assert_eq!((used.criterion.as_str(), used.source.as_str()), ("provisioned-default-profile", "provisioning"));
    assert_eq!(pair.link_changes, [true, false, true]);
    assert!(!pair.snapshot().connectivity.purchase_needed);
    let names = pair.event_names();
    let story = [
        "attached",
        "opened",
        "registered",
        "identity",
        "operator",
        "connected",
        "portal",
        "service-activated",
        "disconnected",
        "full",
    ];
    let mut place = 0;
    for name in [
        "attached",
        "opened",
        "identity",
        "operator",
        "connected",
        "portal",
        "service-activated",
        "disconnected",
        "connected",
        "full",
    ] {
        let found = names[place..].iter().position(|n| *n == name);
        place += found.unwrap_or_else(|| panic!("{name} is missing or too early: {names:?}")) + 1;
    }
    assert!(story.iter().all(|name| names.contains(name)));
    let operator = pair.snapshot().operator.as_ref().unwrap();
    assert_eq!((operator.name.as_str(), operator.matched.as_str()), ("Test Mobile", "exact"));
    assert_eq!(operator.candidates[0].source, "provisioning");
}

/// No event tells an identity.
#[test]
fn events_hold_no_identity() {
    let mut pair = Pair::new(Profile::default());
    assert!(main_job(&mut pair));
    let text = format!("{:?}", pair.events);
    for identity in ["001017394628051", "8999004827193650378", "352099746183058", "10158273946"] {
        for start in 0..=identity.len() - 7 {
            let part = &identity[start..start + 7];
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
}

/// The cable is pulled after every n-th message of the main job. Each time: a named state, nothing on the interface,
/// every request answered, and the next plug works.
#[test]
fn unplugged_at_every_message() {
    let whole = {
        let mut pair = Pair::new(Profile::default());
        assert!(main_job(&mut pair));
        pair.messages
    };
    assert!(whole > 30, "{whole}");
    for n in 1..=whole {
        let mut pair = Pair::new(Profile::default());
        pair.unplug_after = Some(n);
        let online = main_job(&mut pair);
        assert!(!pair.plugged, "after {n}");
        assert!(!online || n == whole, "after {n} it claims to be online: {}", pair.account());
        assert_eq!(pair.state(), ModemState::Unknown, "after {n}");
        assert_eq!(pair.link, None, "after {n}: {}", pair.account());
        let asked = pair.replies.len() as u64;
        assert!((1..=asked).all(|id| pair.replies.contains_key(&id)), "after {n}");
        assert_eq!(pair.host.next_wake(), None, "after {n}: nothing is left to do");
        // The next plug, into the same machine.
        pair.unplug_after = None;
        pair.device.order(pair.now, virtual_modem::Order::Plug);
        pair.attach();
        pair.connect();
        assert_eq!(pair.state(), ModemState::Connected, "after {n}");
    }
}

#[test]
fn bytes_may_come_in_any_pieces() {
    for chunk in [1, 2, 3, 7, 11, 12, 13, 47, 48, 100] {
        let mut pair = Pair::new(Profile::default());
        pair.chunk = Some(chunk);
        pair.attach();
        pair.connect();
    }
}

#[test]
fn stop_leaves_nothing() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    assert!(pair.ask(Request::Stop).is_ok());
    assert_eq!(pair.link, None);
    assert!(pair.device.state().sessions.is_empty(), "the context was deactivated");
    assert!(!pair.device.state().open, "CLOSE was sent");
    assert_eq!(pair.snapshot().reason.as_ref().unwrap().code, "stopped");
    assert_eq!(pair.host.next_wake(), None);
}

/// Idle and connected: no timer runs.
#[test]
fn online_costs_no_wake_up() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    // But the one that is rare: an interface that is pulled out takes what it counted with it.
    for least in [100, 300, 300] {
        let (at, why) = pair.host.next_wake().unwrap();
        assert!(why == "usage" && at >= pair.now + Duration::from_secs(least), "{}", pair.account());
        pair.run((at - pair.now).as_secs(), |_| false);
    }
    assert_eq!(pair.probes, 1);
}

/// A router that speaks after the first test is a reason for another; one that keeps changing its mind is not.
#[test]
fn an_announcement_is_followed_by_one_test_a_minute() {
    let mut pair = Pair::new(Profile::default());
    pair.feed(Input::Announced);
    pair.attach();
    pair.connect();
    pair.feed(Input::Announced);
    pair.settle();
    assert_eq!(pair.probes, 2, "at once");
    for _ in 0..10 {
        pair.feed(Input::Announced);
        pair.run(2, |_| false);
    }
    assert_eq!(pair.probes, 2, "not so soon again");
    pair.run(45, |_| false);
    assert_eq!(pair.probes, 3, "what was announced is not forgotten");
    pair.run(3600, |_| false);
    assert!(pair.probes == 3 && pair.rests(), "{}", pair.account());
    assert!(pair.ask(Request::Disconnect).is_ok());
    pair.feed(Input::Announced);
    pair.settle();
    assert_eq!(pair.probes, 3, "no link, no test");
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
    pair.feed(Input::Announced);
    pair.settle();
    assert_eq!(pair.probes, 5, "another link begins anew");
}

/// Who asks while a test runs is told of the next one: the one that runs may have looked before what he wants to know.
#[test]
fn whoever_asks_is_answered_by_a_test_that_began_afterwards() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.slow_probes = Some(Vec::new());
    let first = pair.request(Request::Probe);
    let second = pair.request(Request::Probe);
    assert_eq!(pair.slow_probes.as_ref().unwrap().len(), 1);
    pair.finish_probe();
    assert!(pair.replies.contains_key(&first) && !pair.replies.contains_key(&second));
    pair.finish_probe();
    assert_eq!(pair.replies[&second], Ok(Reply::Done { changed: true }));
    // The link's end answers both kinds.
    let first = pair.request(Request::Probe);
    let second = pair.request(Request::Probe);
    assert!(pair.ask(Request::Disconnect).is_ok());
    assert!(pair.replies[&first].is_err() && pair.replies[&second].is_err());
}

//! Candidates, failures, retries, roaming, loss, settings.

use std::time::Duration;

use daemon_core::modem::ModemConfig;
use daemon_core::request::{Reply, Request, RequestErrorKind};
use daemon_core::snapshot::{ConnectivityState, ContextState, ModemState};
use daemon_core::subscriber::{ProvisionedProfile, RoamingPolicy, Settings, SubscriberState, UserApn};
use virtual_modem::{Admission, ApnRule, Order, Profile, Subscription};

use crate::driver::{Pair, World, config};

fn apn(name: &str) -> UserApn {
    UserApn { apn: name.into(), ..UserApn::default() }
}

fn manual(pair: &mut Pair) {
    pair.stored = Some(SubscriberState {
        settings: Settings { autoconnect: false, ..Settings::default() },
        ..SubscriberState::default()
    });
}

#[test]
fn without_autoconnect_nothing_is_dialled() {
    let mut pair = Pair::new(Profile::default());
    manual(&mut pair);
    pair.attach();
    pair.run(30, |_| false);
    assert_eq!(pair.state(), ModemState::Registered, "{}", pair.account());
    assert_eq!(pair.ask(Request::Connect { apn: None }), Ok(Reply::Done { changed: true }));
    assert!(pair.is_up());
    assert_eq!(pair.ask(Request::Connect { apn: None }), Ok(Reply::Done { changed: false }));
    assert_eq!(pair.ask(Request::Disconnect), Ok(Reply::Done { changed: true }));
    assert_eq!(pair.state(), ModemState::Registered);
    assert_eq!(pair.link, None);
    assert_eq!(pair.ask(Request::Disconnect), Ok(Reply::Done { changed: false }));
}

#[test]
fn the_mtu_is_no_more_than_the_device_takes() {
    let mtu = |largest| {
        let mut pair = Pair::with(Profile::default(), ModemConfig { largest_packet: largest, ..config() });
        pair.attach();
        pair.connect();
        pair.link.as_ref().and_then(|link| link.ip.mtu)
    };
    let told = mtu(None);
    assert!(told.is_some_and(|mtu| mtu > 1300), "{told:?}");
    assert_eq!((mtu(Some(1300)), mtu(Some(2048))), (Some(1300), told));
}

#[test]
fn what_the_person_dropped_stays_down_and_what_the_network_dropped_comes_back() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.order(Order::DropSession { session: 0, cause: 36 });
    assert!(!pair.is_up() && pair.link.is_none());
    assert_eq!(pair.snapshot().connections[0].state, ContextState::Waiting);
    assert!(pair.snapshot().connections[0].retry_at.is_some());
    pair.connect();
    assert!(pair.now >= Duration::from_secs(3), "after a pause");
    assert!(pair.ask(Request::Disconnect).is_ok());
    pair.run(3600, |_| false);
    assert!(!pair.is_up());
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
}

#[test]
fn a_lost_network_is_one_event_and_ends_by_itself() {
    let mut pair = Pair::new(Profile::named("demo").unwrap());
    pair.attach();
    pair.connect();
    pair.order(Order::Coverage(false));
    pair.run(5, |_| false);
    assert!(pair.link.is_none());
    assert_ne!(pair.state(), ModemState::Connected);
    assert_eq!(pair.events.iter().filter(|e| e.name == "disconnected").count(), 1);
    pair.run(600, |_| false);
    pair.order(Order::Coverage(true));
    assert!(pair.run(10, |p| p.is_up()), "soon after coverage is back: {}", pair.account());
}

#[test]
fn a_wrong_apn_is_told_with_the_cause_and_not_retried() {
    let mut pair = Pair::new(Profile::default());
    manual(&mut pair);
    pair.attach();
    pair.run(1, |_| false);
    let error = pair.ask(Request::Connect { apn: Some(apn("nowhere")) }).unwrap_err();
    assert_eq!(error.kind, RequestErrorKind::Refused);
    assert!(error.reason.text.contains("cause 27"), "{error:?}");
    let before = pair.device.log().from_host();
    pair.run(3600, |_| false);
    assert_eq!(pair.device.log().from_host(), before, "one round, no retry");
    assert!(pair.ask(Request::Connect { apn: Some(apn("internet")) }).is_ok());
}

#[test]
fn the_next_candidate_follows_a_refused_one() {
    let mut pair = Pair::new(Profile::default());
    pair.stored = Some(SubscriberState {
        settings: Settings { apn: Some(apn("nowhere")), ..Settings::default() },
        ..SubscriberState::default()
    });
    pair.attach();
    pair.connect();
    let candidate = pair.snapshot().connections[0].candidate.clone().unwrap();
    assert_eq!(candidate.apn, "internet");
    assert!(pair.has_event("error", "cause", "27"));
}

#[test]
fn a_network_of_one_family_is_asked_for_that_family() {
    for v4 in [true, false] {
        let mut profile = Profile::default();
        for rule in &mut profile.network.apns {
            rule.narrows = false;
            if v4 {
                rule.ip.v6 = None;
            } else {
                rule.ip.v4 = None;
            }
        }
        profile.network.apns.retain(|rule| rule.ip.v4.is_some() || rule.ip.v6.is_some());
        let mut pair = Pair::new(profile);
        pair.attach();
        pair.connect();
        let ip = pair.snapshot().connections[0].ip.clone().unwrap();
        assert_eq!((ip.ipv4.is_empty(), ip.ipv6.is_empty()), (!v4, v4));
        assert!(pair.has_event("error", "cause", if v4 { "50" } else { "51" }));
        assert_eq!(pair.snapshot().connectivity.state, ConnectivityState::Full, "one family is enough");
    }
}

#[test]
fn busy_on_connect_is_tried_again() {
    let mut profile = Profile::default();
    profile.misbehaviour.busy_connects = 2;
    let mut pair = Pair::new(profile);
    pair.attach();
    assert!(pair.run(5, |p| p.is_up()), "{}", pair.account());
}

#[test]
fn not_subscribed_leads_to_the_purchase_profile() {
    let mut profile = Profile::default();
    for rule in profile.network.apns.iter_mut().filter(|rule| rule.apn != "purchase") {
        rule.admits = vec![Subscription::Active];
        rule.default = false;
    }
    let purchase: &mut ApnRule = profile.network.apns.iter_mut().find(|rule| rule.apn == "purchase").unwrap();
    purchase.admits = vec![Subscription::None, Subscription::Active];
    let mut pair = Pair::new(profile);
    pair.world = World::Garden;
    pair.stored = Some(SubscriberState {
        purchase_profile: Some(ProvisionedProfile { apn: "purchase".into(), ..ProvisionedProfile::default() }),
        ..SubscriberState::default()
    });
    pair.attach();
    pair.connect();
    assert_eq!(pair.snapshot().connections[0].candidate.as_ref().unwrap().apn, "purchase");
    assert!(pair.snapshot().connectivity.purchase_needed);
    assert!(pair.snapshot().connectivity.portal_available);
}

#[test]
fn without_a_purchase_profile_not_subscribed_asks_for_a_hand_over() {
    let mut profile = Profile::default();
    for rule in &mut profile.network.apns {
        rule.admits = vec![Subscription::Active];
    }
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.run(30, |_| false);
    let snapshot = pair.snapshot();
    assert_eq!(snapshot.state, ModemState::Registered);
    assert!(snapshot.connectivity.purchase_needed && snapshot.connectivity.portal_available, "{}", pair.account());
    assert!(matches!(pair.ask(Request::PortalUrl), Ok(Reply::PortalUrl { source: "operator", .. })));
}

#[test]
fn roaming_needs_consent() {
    let mut profile = Profile::default();
    profile.network.carriers[0].admission = Admission::Roaming;
    profile.network.carriers[0].id = "99942".into();
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.run(60, |_| false);
    assert_eq!(pair.state(), ModemState::Registered, "{}", pair.account());
    assert_eq!(pair.snapshot().reason.as_ref().unwrap().code, "roaming-not-allowed");
    let error = pair.ask(Request::Connect { apn: None }).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::WrongState, "roaming-not-allowed"));
    let settings = Settings { roaming: RoamingPolicy::Any, ..Settings::default() };
    assert_eq!(pair.ask(Request::SetSettings(settings)), Ok(Reply::Done { changed: true }));
    pair.connect();
    assert!(pair.snapshot().registration.roaming);
    assert_eq!(pair.saves, 2, "the settings, and the good candidate");
    // Consent is taken back: the context goes.
    assert!(pair.ask(Request::SetSettings(Settings::default())).is_ok());
    assert!(pair.run(10, |p| !p.is_up() && p.link.is_none()), "{}", pair.account());
}

#[test]
fn a_context_of_an_earlier_host_is_ended_first() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    // The program is killed: nothing is taken down, and a new one starts.
    let mut next = Pair::new(Profile::default());
    core::mem::swap(&mut next.device, &mut pair.device);
    next.attach();
    next.connect();
    assert_eq!(next.state(), ModemState::Connected);
}

#[test]
fn reconnect_takes_the_profile_now_in_force() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let purchase = ProvisionedProfile { name: "Plan".into(), apn: "purchase".into(), ..ProvisionedProfile::default() };
    assert!(pair.ask(Request::SetProfiles { default: Some(purchase), purchase: None, network: None }).is_ok());
    assert!(pair.is_up(), "a new profile does not disturb what is up");
    assert_eq!(pair.ask(Request::Reconnect), Ok(Reply::Done { changed: true }));
    assert_eq!(pair.snapshot().connections[0].candidate.as_ref().unwrap().apn, "purchase");
}

#[test]
fn readdressing_moves_the_link_and_probes_again() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let mut ip = pair.device.state().sessions[0].1.ip.clone();
    ip.v4.as_mut().unwrap().address = Some(("10.64.0.77".parse().unwrap(), 24));
    pair.order(Order::Readdress { session: 0, ip });
    assert_eq!(pair.link.as_ref().unwrap().ip.ipv4, [("10.64.0.77".parse().unwrap(), 24)]);
    assert_eq!(pair.probes, 2);
    assert!(pair.is_up());
}

#[test]
fn a_link_that_cannot_be_configured_is_a_failure_with_its_reason() {
    let mut pair = Pair::new(Profile::default());
    pair.link_fails = true;
    pair.attach();
    pair.run(60, |_| false);
    assert!(!pair.is_up());
    assert!(pair.device.state().sessions.is_empty(), "{}", pair.account());
    assert_eq!(pair.snapshot().connections[0].error.as_ref().unwrap().code, "netlink");
    pair.link_fails = false;
    assert!(pair.run(1000, |p| p.is_up()), "{}", pair.account());
}

#[test]
fn with_another_network_program_no_link_effect_leaves() {
    let mut settings = config();
    settings.network = daemon_core::modem::NetworkMode::External;
    settings.probe.enabled = false;
    let mut pair = Pair::with(Profile::default(), settings);
    pair.attach();
    pair.connect();
    assert!(pair.link_changes.is_empty());
    assert!(pair.snapshot().connections[0].ip.is_some(), "the settings are published");
    assert!(pair.ask(Request::Disconnect).is_ok());
    assert!(pair.link_changes.is_empty());
}

#[test]
fn control_only_says_so() {
    let mut settings = config();
    settings.port.interface = None;
    let mut pair = Pair::with(Profile::default(), settings);
    pair.attach();
    pair.run(60, |_| false);
    assert_eq!(pair.state(), ModemState::Registered);
    let error = pair.ask(Request::Connect { apn: None }).unwrap_err();
    assert_eq!(error.reason.code, "no-data-interface");
}

#[test]
fn limited_is_probed_more_and_more_seldom() {
    let mut pair = Pair::new(Profile::default());
    pair.world = World::Dead;
    pair.attach();
    pair.connect();
    assert_eq!(pair.snapshot().connectivity.state, ConnectivityState::Limited);
    pair.run(600, |_| false);
    assert!((9..=13).contains(&pair.probes), "{} probes in 10 minutes", pair.probes);
    pair.world = World::Open;
    assert!(pair.run(400, |p| p.snapshot().connectivity.state == ConnectivityState::Full));
    // One bad probe is not enough to leave full.
    pair.world = World::Dead;
    assert!(pair.ask(Request::Probe).is_ok());
    assert_eq!(pair.snapshot().connectivity.state, ConnectivityState::Full);
    assert!(pair.run(5, |p| p.snapshot().connectivity.state == ConnectivityState::Limited));
}

#[test]
fn the_daily_budget_ends_unasked_probes() {
    let mut settings = config();
    settings.probe.daily_budget = 20_000;
    let mut pair = Pair::with(Profile::default(), settings);
    pair.world = World::Dead;
    pair.attach();
    pair.connect();
    pair.run(3600, |_| false);
    assert_eq!(pair.probes, 4, "5000 octets each");
    assert!(pair.ask(Request::Probe).is_ok(), "who asks gets one");
    assert_eq!(pair.probes, 5);
    pair.run(25 * 3600, |_| false);
    assert!(pair.probes > 5, "the next day");
}

#[test]
fn denied_and_out_of_coverage_have_names() {
    let mut profile = Profile::default();
    profile.network.carriers[0].admission = Admission::Denied(11);
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.run(30, |_| false);
    assert_eq!(pair.snapshot().registration.nw_error, 11, "{}", pair.account());
    assert_eq!(pair.snapshot().reason.as_ref().unwrap().code, "registration-denied");
    let error = pair.ask(Request::Connect { apn: None }).unwrap_err();
    assert_eq!(error.reason.code, "registration-denied");

    let mut profile = Profile::default();
    profile.network.coverage = false;
    let mut pair = Pair::new(profile);
    pair.attach();
    let error = pair.ask(Request::Connect { apn: None }).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::Timeout, "not-registered"));
}

#[test]
fn a_refused_attach_is_named_with_its_cause_and_tried_again() {
    let mut profile = Profile::named("no-auto-attach").unwrap();
    profile.network.attach_refusal = Some(8);
    let network = profile.network.clone();
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.run(60, |_| false);
    assert_eq!(pair.state(), ModemState::Registered, "{}", pair.account());
    let reason = pair.snapshot().reason.clone().unwrap();
    assert_eq!(reason.code, "not-attached");
    assert!(reason.text.contains("cause 8"), "{reason:?}");
    let network = virtual_modem::Network { attach_refusal: None, ..network };
    pair.order(Order::Network(Box::new(network)));
    assert!(pair.run(400, |p| p.is_up()), "{}", pair.account());
}

#[test]
fn switching_autoconnect_off_does_not_cut_what_is_up() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let settings = Settings { autoconnect: false, ..Settings::default() };
    assert!(pair.ask(Request::SetSettings(settings)).is_ok());
    pair.run(10, |_| false);
    assert!(pair.is_up());
    assert!(pair.ask(Request::Disconnect).is_ok());
    pair.run(60, |_| false);
    assert!(!pair.is_up());
}

#[test]
fn each_of_two_contradicting_requests_is_answered() {
    let mut profile = Profile::named("demo").unwrap();
    profile.pace.activate = Duration::from_secs(5);
    let mut pair = Pair::new(profile);
    manual(&mut pair);
    pair.attach();
    pair.run(2, |_| false);
    let connect = pair.request(Request::Connect { apn: None });
    let again = pair.request(Request::Connect { apn: None });
    pair.run(1, |_| false);
    let disconnect = pair.request(Request::Disconnect);
    pair.run(30, |_| false);
    let kind = |id| pair.replies[&id].as_ref().unwrap_err().kind;
    assert_eq!(kind(again), RequestErrorKind::InProgress);
    assert_eq!(kind(connect), RequestErrorKind::Cancelled);
    assert!(pair.replies[&disconnect].is_ok());
    assert!(!pair.is_up() && pair.device.state().sessions.is_empty(), "{}", pair.account());
}

#[test]
fn name_servers_may_come_alone() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let before = pair.link.clone().unwrap().ip;
    let ip = virtual_modem::IpSettings {
        v4: Some(virtual_modem::Ipv4Settings {
            dns: vec!["192.0.2.53".parse().unwrap()],
            ..virtual_modem::Ipv4Settings::default()
        }),
        v6: None,
    };
    pair.order(Order::Readdress { session: 0, ip });
    let after = pair.link.clone().unwrap().ip;
    assert_eq!(after.ipv4, before.ipv4);
    assert_eq!(after.dns, ["192.0.2.53".parse::<std::net::IpAddr>().unwrap()]);
    assert!(pair.is_up());
}

#[test]
fn a_network_without_addresses_is_given_up_after_20_s() {
    let mut profile = Profile::default();
    profile.pace.ip_configuration = Duration::from_secs(1000);
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.run(30, |_| false);
    assert!(pair.link_changes.is_empty());
    assert!(pair.device.state().sessions.is_empty() || !pair.is_up());
    pair.run(100, |_| false);
    assert_eq!(pair.snapshot().connections[0].error.as_ref().unwrap().code, "no-address", "{}", pair.account());
}

#[test]
fn the_network_is_asked_for_the_time_where_the_clock_was_never_set() {
    let nitz = |pair: &Pair| pair.events.iter().any(|event| event.name == "network-time");
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    assert!(!nitz(&pair), "a clock that is right needs nobody");
    let mut settings = config();
    settings.clock_unset = true;
    let mut pair = Pair::with(Profile::default(), settings);
    pair.attach();
    pair.connect();
    assert!(nitz(&pair), "{}", pair.account());
}

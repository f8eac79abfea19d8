//! What the user's agent is asked for, and what the page's address says of the user.

use daemon_core::request::{Reply, Request};
use daemon_core::snapshot::{ConnectivityState, HandOver};
use daemon_core::subscriber::{HandOverPolicy, Settings, SubscriberState};
use virtual_modem::{Order, Profile, Subscription};

use crate::driver::{Pair, World};

fn wanted(pair: &Pair) -> HandOver {
    pair.snapshot().connectivity.hand_over
}

/// As in the overlay of the driver: an operator with a page.
fn in_the_garden() -> Pair {
    let mut profile = Profile::default();
    profile.network.subscription = Subscription::None;
    let mut pair = Pair::new(profile);
    pair.world = World::Garden;
    pair
}

/// OPER-113
#[test]
fn the_four_cases() {
    // Internet: nothing.
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    assert_eq!(wanted(&pair), HandOver::None);
    pair.connect();
    assert_eq!((pair.snapshot().connectivity.state, wanted(&pair)), (ConnectivityState::Full, HandOver::None));
    // It was there, and is gone: the page would not bring it back.
    pair.world = World::Dead;
    pair.order(Order::Traffic { received_octets: 0, received_packets: 0, sent_octets: 0, sent_packets: 0 });
    for _ in 0..3 {
        let _ = pair.ask(Request::Probe);
    }
    assert_eq!((pair.snapshot().connectivity.state, wanted(&pair)), (ConnectivityState::Limited, HandOver::None));

    // A connection without Internet: the page, over it.
    let mut pair = in_the_garden();
    pair.attach();
    pair.connect();
    assert!(pair.run(60, |pair| wanted(pair) == HandOver::Open), "{}", pair.account());
    assert_eq!(pair.snapshot().connectivity.portal_host, "portal.test.example");
    pair.order(Order::Subscription(Subscription::Active));
    assert!(pair.run(3600, |pair| wanted(pair) == HandOver::None), "{}", pair.account());

    // None before something is bought (cause 33): the page, over another one.
    let mut profile = Profile::default();
    profile.network.subscription = Subscription::None;
    profile.network.apns.iter_mut().for_each(|rule| rule.admits = vec![Subscription::Active]);
    let mut pair = Pair::new(profile);
    pair.attach();
    assert!(pair.run(60, |pair| wanted(pair) == HandOver::OpenElsewhere), "{}", pair.account());

    // None for another reason: that is said. A person who does not want one is told nothing.
    let mut profile = Profile::default();
    profile.network.apns.clear();
    let mut pair = Pair::new(profile);
    pair.attach();
    assert!(pair.run(600, |pair| wanted(pair) == HandOver::Notify), "{}", pair.account());
    let _ = pair.ask(Request::Disconnect);
    assert_eq!(wanted(&pair), HandOver::None, "{}", pair.account());
}

/// OPER-112: who does not want to be named is not.
#[test]
fn never_identify_names_nobody() {
    for (hand_over, named) in
        [(HandOverPolicy::Ask, true), (HandOverPolicy::Always, true), (HandOverPolicy::NeverIdentify, false)]
    {
        let mut pair = in_the_garden();
        let settings = Settings { hand_over, ..Settings::default() };
        pair.stored = Some(SubscriberState { settings, ..SubscriberState::default() });
        pair.attach();
        pair.connect();
        assert!(pair.run(60, |pair| wanted(pair) == HandOver::Open), "{}", pair.account());
        let Ok(Reply::PortalUrl { url, source }) = pair.ask(Request::PortalUrl) else { panic!("no page") };
        let url = url.into_inner();
        assert_eq!((url.contains("SubId=") || url.contains('?'), source), (named, "operator"), "{hand_over:?}");
        assert!(url.starts_with("https://portal.test.example/buy"));
    }
}

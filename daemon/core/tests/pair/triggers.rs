//! What makes a probe due where no timer does. `[OPER 4.6]`

use daemon_core::effect::{ApiAnswer, ApiSeen};
use daemon_core::quota::Quota;
use daemon_core::request::Request;
use daemon_core::snapshot::ConnectivityState;
use daemon_core::subscriber::{RoamingPolicy, Settings, SubscriberState};
use daemon_core::usage::Counters;
use mbim_proto::Secret;
use virtual_modem::Profile;

use crate::driver::{Pair, World};
use crate::usage::{connected, connected_to, registered};

/// Packets that pass.
fn pass(pair: &mut Pair, sent: u64, received: u64) {
    let (_, counters) = pair.counters.get_mut("wwan0").unwrap();
    let more = Counters { tx_packets: sent, tx_octets: sent * 60, rx_packets: received, rx_octets: received * 60 };
    counters.add(&more);
}

/// Full on a metered link has no timer; the counters that are read anyway tell that nothing comes back.
#[test]
fn packets_without_answers_make_a_probe_due() {
    let mut pair = connected();
    pair.run(130, |_| false);
    assert_eq!((pair.probes, pair.snapshot().connectivity.state), (1, ConnectivityState::Full));
    // Answered, and too few: no sign.
    for (sent, received) in [(1000, 1), (19, 0), (0, 0)] {
        pass(&mut pair, sent, received);
        pair.run(310, |_| false);
        assert_eq!(pair.probes, 1, "{sent} {received}");
    }
    pass(&mut pair, 20, 0);
    assert!(pair.run(310, |pair| pair.probes == 2), "{}", pair.account());
    assert_eq!(pair.snapshot().connectivity.state, ConnectivityState::Full, "the test says that all is well");
    // The way is broken indeed: full until two tests say so.
    pair.world = World::Dead;
    pass(&mut pair, 50, 0);
    assert!(pair.run(310, |pair| pair.probes == 3), "{}", pair.account());
    assert!(
        pair.run(60, |pair| pair.snapshot().connectivity.state == ConnectivityState::Limited),
        "{}",
        pair.account()
    );
    // Within seconds of the last look it may be chance.
    let mut pair = connected();
    pair.run(130, |_| false);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    pass(&mut pair, 50, 0);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    pair.run(5, |_| false);
    assert_eq!(pair.probes, 1);
}

/// OPER-098: what the network's API allows is used up before anybody asks again; an idle link is not looked at for it.
#[test]
fn octets_that_an_api_allows_make_a_probe_due() {
    let mut pair = Pair::new(Profile::default());
    let answer = |bytes_remaining| ApiAnswer { bytes_remaining, ..ApiAnswer::default() };
    pair.api = Some(ApiSeen { source: "record", answer: Ok(answer(Some(600_000_000))) });
    let mut pair = connected_to(pair);
    pair.run(3600, |_| false);
    let (probes, reads) = (pair.probes, pair.reads);
    assert!(probes == 1 && reads < 16, "{probes} {reads}");
    // A megabyte a second: ten minutes.
    pair.api = Some(ApiSeen { source: "record", answer: Ok(answer(None)) });
    let mut took = 0;
    while pair.probes == 1 && took < 1200 {
        let (_, counters) = pair.counters.get_mut("wwan0").unwrap();
        counters.rx_octets += 10_000_000;
        counters.rx_packets += 7000;
        pair.run(10, |_| false);
        took += 10;
    }
    assert!((600..=670).contains(&took), "{took} s: {}", pair.account());
    pair.run(600, |_| false);
    assert_eq!(pair.probes, 2, "no end was named");
}

#[test]
fn another_network_and_a_sleep_make_a_probe_due() {
    let mut pair = Pair::new(Profile::default());
    let settings = Settings { roaming: RoamingPolicy::Any, ..Settings::default() };
    pair.stored = Some(SubscriberState { settings, ..SubscriberState::default() });
    let mut pair = connected_to(pair);
    pair.run(5, |_| false);
    for (state, probes) in [(4, 2), (3, 3)] {
        pair.order(registered(state));
        pair.run(5, |_| false);
        assert_eq!(pair.probes, probes, "{}", pair.account());
    }
    assert!(pair.ask(Request::Suspend).is_ok());
    assert!(pair.ask(Request::Resume).is_ok());
    pair.run(5, |_| false);
    assert_eq!(pair.probes, 4, "{}", pair.account());
}

/// Where nothing answers, before its timer; where all is well nothing is tested for it.
#[test]
fn a_document_makes_a_probe_due() {
    let mut pair = connected();
    pair.run(5, |_| false);
    assert!(pair.ask(Request::SetQuota(Some(Box::new(Quota { name: "p".into(), ..Quota::default() })))).is_ok());
    pair.run(5, |_| false);
    assert_eq!(pair.probes, 1);
    // The pauses between two tests are minutes by then.
    pair.world = World::Dead;
    assert!(pair.ask(Request::Probe).is_ok());
    pair.run(400, |_| false);
    let probes = pair.probes;
    assert!(pair.ask(Request::SetQuota(None)).is_ok());
    assert!(pair.run(3, |pair| pair.probes == probes + 1), "{}", pair.account());
    assert!(pair.ask(Request::ServiceActivation(Secret::new(b"PLAN-1".to_vec()))).is_ok());
    assert!(pair.run(3, |pair| pair.probes == probes + 2), "{}", pair.account());
}

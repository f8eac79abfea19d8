//! Rounds of candidates over the virtual modem: each once, what was refused is remembered, waits and what ends them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::request::Request;
use daemon_core::subscriber::{Plan, Settings};
use daemon_operator::{Layers, SourceFile};
use mbim_proto::service::MS_BASIC_CONNECT_EXT;
use virtual_modem::{Order, Profile};

use crate::driver::Pair;

const VENDOR: &str = r#"<serviceproviders format="2.0"><country code="zz"><provider><name>Test Mobile</name><gsm>
<network-id mcc="001" mnc="01"/>
<apn value="first"><usage type="internet"/></apn>
<apn value="second"><usage type="internet"/></apn>
<apn value="internet"><usage type="internet"/><dns>192.0.2.53</dns></apn>
</gsm></provider></country></serviceproviders>"#;

fn pair(profile: Profile) -> Pair {
    let (layers, problems) = Layers::load(&[SourceFile { name: "v.xml", bytes: VENDOR.as_bytes() }], &[]);
    assert_eq!(problems, []);
    let mut pair = Pair::new(profile);
    pair.layers = Arc::new(layers);
    pair.attach();
    pair
}

/// A network that knows no access point at all, not even its own.
fn closed() -> Pair {
    let mut profile = Profile::default();
    profile.network.apns.clear();
    pair(profile)
}

/// How often each access point was dialled since the beginning.
fn tries(pair: &Pair) -> BTreeMap<String, usize> {
    let mut tries = BTreeMap::new();
    for event in pair.events.iter().filter(|event| event.name == "connecting") {
        let apn = event.fields.iter().find(|(name, _)| *name == "apn").map(|(_, apn)| apn.clone());
        *tries.entry(apn.unwrap_or_default()).or_default() += 1;
    }
    tries
}

fn of(tries: &BTreeMap<String, usize>, apn: &str) -> usize {
    tries.get(apn).copied().unwrap_or_default()
}

#[test]
fn each_candidate_is_tried_once_a_round_and_what_was_refused_is_left_out() {
    let mut pair = closed();
    pair.run(60, |_| false);
    let first = tries(&pair);
    assert_eq!(["first", "second", "internet"].map(|apn| of(&first, apn)), [1; 3], "{}", pair.account());
    // Hours of further rounds: an identical attempt that is doomed costs no message.
    pair.run(20 * 3600, |_| false);
    let later = tries(&pair);
    assert_eq!(["first", "second", "internet"].map(|apn| of(&later, apn)), [1; 3], "{later:?}");
    assert!(of(&later, "") > 3, "the network's default is tried again: {later:?}");
    // The day is over.
    pair.run(6 * 3600, |_| false);
    assert_eq!(["first", "second", "internet"].map(|apn| of(&tries(&pair), apn)), [2; 3], "{}", pair.account());
}

#[test]
fn what_a_person_does_ends_the_wait_and_the_memory() {
    let mut pair = closed();
    pair.run(60, |_| false);
    let before = tries(&pair);
    assert!(pair.snapshot().connections[0].retry_at.is_some(), "it waits: {}", pair.account());
    let settings = Settings { plan: Plan::Prepaid, ..Settings::default() };
    assert!(pair.ask(Request::SetSettings(settings)).is_ok());
    assert!(pair.ask(Request::Connect { apn: None }).is_err(), "the network still refuses");
    let after = tries(&pair);
    assert!(of(&after, "first") == of(&before, "first") + 1, "{before:?} {after:?}");
}

#[test]
fn name_servers_of_the_record_serve_where_the_network_gives_none() {
    let mut profile = Profile::default();
    for rule in &mut profile.network.apns {
        rule.default = false;
        if let Some(v4) = &mut rule.ip.v4 {
            v4.dns.clear();
        }
        if let Some(v6) = &mut rule.ip.v6 {
            v6.dns.clear();
        }
    }
    let mut pair = pair(profile);
    pair.connect();
    let ip = pair.link.clone().unwrap().ip;
    assert_eq!(ip.dns, ["192.0.2.53".parse::<std::net::IpAddr>().unwrap()], "{}", pair.account());
    let mut given = self::pair(Profile::default());
    given.connect();
    assert!(
        !given.link.clone().unwrap().ip.dns.contains(&"192.0.2.53".parse().unwrap()),
        "the network's own come first"
    );
}

/// The first context of LTE is the modem's and the operator's: nothing is written from a guess.
#[test]
fn the_attach_configuration_is_left_alone() {
    let mut pair = pair(Profile::default());
    pair.connect();
    pair.order(Order::DropSession { session: 0, cause: 36 });
    pair.run(60, |_| false);
    let written = pair.device.log().count(|entry| {
        entry.operation == Some(1)
            && entry.subject.is_some_and(|(service, cid)| service == MS_BASIC_CONNECT_EXT && cid == 3)
    });
    assert_eq!(written, 0);
    assert!(pair.is_up() && pair.now > Duration::from_secs(1));
}

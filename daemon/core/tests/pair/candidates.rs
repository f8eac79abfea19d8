//! Rounds of candidates over the virtual modem: each once, what was refused is remembered, waits and what ends them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::modem::Input;
use daemon_core::request::Request;
use daemon_core::subscriber::{Plan, Settings};
use daemon_operator::identity::{Identity, Imsi};
use daemon_operator::{Layers, SourceFile};
use mbim_proto::service::MS_BASIC_CONNECT_EXT;
use virtual_modem::{Fault, Order, Profile, Sim, Slot, What, When};

use crate::driver::{Pair, World};

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

/// Records are read for the SIM that is there: once, again when files changed, and for another SIM; what comes for one that
/// is gone is not taken.
#[test]
fn records_are_asked_for_by_identity() {
    let mut pair = pair(Profile::default());
    pair.connect();
    let asked = |pair: &Pair| -> Vec<String> {
        pair.looked_up.iter().map(|of| of.imsi.as_ref().unwrap().reveal().to_owned()).collect()
    };
    let first = Sim::default().imsi;
    assert_eq!(asked(&pair), [first.reveal().as_str()]);
    pair.feed(Input::RecordsChanged);
    pair.settle();
    assert_eq!(asked(&pair).len(), 2);
    let before = pair.snapshot().operator.clone();
    assert_eq!(before.as_ref().unwrap().name, "Test Mobile");
    let strange = Identity { imsi: Imsi::parse("001015512345699").value(), ..Identity::default() };
    pair.feed(Input::Operators { identity: Box::new(strange), layers: Arc::default() });
    pair.settle();
    assert_eq!(pair.snapshot().operator, before);
    let other = Sim { iccid: "8999000000000000025".into(), imsi: "001015512345699".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    assert!(pair.run(60, |p| p.looked_up.len() == 3), "{}", pair.account());
    assert_eq!(asked(&pair).last().unwrap(), "001015512345699");
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

/// The program is restarted: what the network refused is not asked again, and the wait goes on where it was.
#[test]
fn what_was_refused_and_the_wait_outlive_a_restart() {
    let mut pair = closed();
    pair.run(60, |_| false);
    let before = tries(&pair);
    let retry = pair.snapshot().connections[0].retry_at.expect("a wait");
    assert!(retry > pair.now + Duration::from_secs(120), "{}", pair.account());
    pair.start_again();
    pair.run(60, |_| false);
    assert_eq!(tries(&pair), before, "nothing goes over the air: {}", pair.account());
    let waits = pair.snapshot().connections[0].retry_at;
    assert!(waits.is_some_and(|at| at <= retry && at + Duration::from_secs(2) > retry), "{retry:?} {waits:?}");
    // The wait is over: a new round, in which what was refused is left out.
    pair.run(300, |_| false);
    let later = tries(&pair);
    assert_eq!(["first", "second", "internet"].map(|apn| of(&later, apn)), [1; 3], "{later:?}");
    assert_eq!(of(&later, ""), of(&before, "") + 1);
    // It grows from where it was, not from the beginning.
    let pause = pair.snapshot().connections[0].retry_at.expect("a wait") - pair.now;
    assert!(pause > Duration::from_secs(300), "{pause:?}");
    // A day later the restart has forgotten it.
    pair.run(25 * 3600, |_| false);
    pair.start_again();
    pair.run(4000, |_| false);
    assert!(of(&tries(&pair), "first") >= 2, "{:?}", tries(&pair));
}

/// Who asks, or plugs it in again, does not wait for what was before.
#[test]
fn people_do_not_wait_for_what_an_earlier_run_found_out() {
    let mut pair = closed();
    pair.run(60, |_| false);
    let before = tries(&pair);
    pair.start_again();
    assert!(pair.ask(Request::Connect { apn: None }).is_err());
    assert_eq!(of(&tries(&pair), "first"), of(&before, "first") + 1, "{}", pair.account());
    // Plugged in again: the network's default at once, but not what was refused.
    pair.run(60, |_| false);
    let before = tries(&pair);
    pair.gone();
    pair.attach();
    pair.run(20, |_| false);
    let after = tries(&pair);
    assert_eq!(
        (of(&after, ""), of(&after, "first")),
        (of(&before, "") + 1, of(&before, "first")),
        "{}",
        pair.account()
    );
}

/// A success ends the wait also in the file: the next start dials at once.
#[test]
fn a_success_is_the_end_of_the_memory_of_failure() {
    let mut pair = closed();
    pair.run(60, |_| false);
    assert!(pair.stored.as_ref().is_some_and(|state| state.memory.wait > 0 && state.memory.refused.len() == 3));
    pair.order(Order::Network(Box::default()));
    pair.connect();
    let memory = pair.stored.as_ref().map(|state| state.memory.clone()).unwrap_or_default();
    assert_eq!((memory.wait, memory.failed_rounds), (0, 0));
    pair.kept = None;
    let since = pair.now;
    pair.start_again();
    pair.connect();
    assert!(pair.now < since + Duration::from_secs(10), "{}", pair.account());
}

/// What tests have cost today is not forgotten by a restart, and written seldom.
#[test]
fn the_days_budget_outlives_a_restart() {
    let mut pair = Pair::new(Profile::default());
    pair.world = World::Dead;
    pair.attach();
    pair.connect();
    pair.run(3600, |pair| pair.probes >= 12);
    let (saves, spent) = (pair.saves, pair.snapshot().connectivity.cost.today);
    assert!(spent >= 60_000 && saves <= 6, "{spent} octets, {saves} writes");
    pair.leave();
    pair.start_again();
    pair.connect();
    let known = pair.snapshot().connectivity.cost.today;
    assert!(known >= spent, "{known} of {spent}: {}", pair.account());
    // Used up: whoever restarts it all day long gets no more tests than others.
    for _ in 0..40 {
        pair.run(600, |_| false);
        pair.leave();
        pair.start_again();
        pair.connect();
    }
    let octets = pair.probes as u64 * 5000;
    assert!(octets < 240 * 1024, "{octets} octets in {:?}", pair.now);
    // The next day.
    let before = pair.probes;
    pair.run(24 * 3600, |_| false);
    assert!(pair.probes > before, "{}", pair.account());
}

const ATTACH: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="zz"><provider><name>Test Mobile</name><gsm>
<network-id mcc="001" mnc="01"/>
<apn value="internet"><usage type="internet"/></apn>
<apn value="lte"><ov:purpose type="attach"/><ov:ip type="ipv4v6"/></apn>
</gsm></provider></country></serviceproviders>"#;

/// Messages about a CID of the extensions.
fn about(pair: &Pair, operation: u32, cid: u32) -> usize {
    pair.device
        .log()
        .count(|entry| entry.operation == Some(operation) && entry.subject == Some((MS_BASIC_CONNECT_EXT, cid)))
}

fn with_overlay(profile: Profile, overlay: &str) -> Pair {
    let (layers, problems) = Layers::load(&[], &[SourceFile { name: "o.xml", bytes: overlay.as_bytes() }]);
    assert_eq!(problems, []);
    let mut pair = Pair::new(profile);
    pair.layers = Arc::new(layers);
    pair.attach();
    pair
}

/// `[OPER-068]`
#[test]
fn the_attach_configuration_follows_a_record_that_names_one() {
    let mut pair = with_overlay(Profile::default(), ATTACH);
    pair.connect();
    pair.run(60, |_| false);
    assert_eq!((about(&pair, 0, 3), about(&pair, 1, 3)), (1, 1), "{}", pair.account());
    assert!(pair.has_event("attach-configuration", "apn", "lte"));
    // As it is wanted: the next start reads and writes nothing.
    pair.start_again();
    pair.connect();
    pair.run(60, |_| false);
    assert_eq!((about(&pair, 0, 3), about(&pair, 1, 3)), (2, 1), "{}", pair.account());
    // A modem that does not take it is told of, and connects all the same.
    let mut profile = Profile::default();
    profile.network.coverage = true;
    let mut refusing = Pair::new(profile);
    let (layers, _) = Layers::load(&[], &[SourceFile { name: "o.xml", bytes: ATTACH.as_bytes() }]);
    refusing.layers = Arc::new(layers);
    refusing.order(Order::Fault(Fault::always(When::answer(MS_BASIC_CONNECT_EXT, 3).nth(2), What::Status(2))));
    refusing.attach();
    refusing.connect();
    assert!(refusing.has_event("error", "what", "attach-configuration"), "{}", refusing.account());
}

/// `[OPER-067]` Read where no record tells the operator; the operator's own first, then the list, the maker's behind overlays.
#[test]
fn contexts_in_the_modem_count_where_records_are_not_certain() {
    use mbim_proto::service::ms_basic_connect_ext as ext;
    let elsewhere = VENDOR.replace("mnc=\"01\"", "mnc=\"02\"");
    let shown = |pair: &Pair| {
        let choice = pair.snapshot().operator.clone().unwrap();
        choice.candidates.iter().map(|c| (c.apn.clone(), c.criterion.clone())).collect::<Vec<_>>()
    };
    let context = |apn: &str| (apn.to_owned(), "modem-context".to_owned());
    let with = |source: ext::ContextSource, records: &str| {
        let mut profile = Profile::default();
        for stored in &mut profile.holdings.contexts.stored {
            stored.source = source;
        }
        let mut pair = Pair::new(profile);
        let (layers, _) = Layers::load(&[SourceFile { name: "v.xml", bytes: records.as_bytes() }], &[]);
        pair.layers = Arc::new(layers);
        pair.attach();
        pair.connect();
        pair
    };
    for source in [ext::ContextSource::OPERATOR, ext::ContextSource::MODEM] {
        let pair = with(source, &elsewhere);
        assert_eq!(about(&pair, 0, 1), 1, "{}", pair.account());
        assert_eq!(shown(&pair)[0], context("internet"));
        assert_eq!(pair.snapshot().connections[0].candidate.as_ref().unwrap().apn, "internet");
    }
    // What a host has stored is no news.
    let pair = with(ext::ContextSource::USER, &elsewhere);
    assert_eq!(shown(&pair), [(String::new(), "network-default".to_owned())]);
    // A record that is certain: no question.
    let pair = with(ext::ContextSource::OPERATOR, VENDOR);
    assert_eq!(about(&pair, 0, 1), 0);
    // Several records fit: the operator's context stands before their access points, the maker's too, for they are the database's.
    let several = VENDOR.replace("</provider>", "</provider><provider><name>Other</name><gsm>\n<network-id mcc=\"001\" mnc=\"01\"/><apn value=\"other\"/></gsm></provider>");
    assert_ne!(several, VENDOR);
    let mut unnamed = Profile::default();
    if let Slot::Card(sim) = &mut unnamed.slot {
        sim.home_name = "Nobody".into();
    }
    let mut pair = Pair::new(unnamed);
    let (layers, _) = Layers::load(&[SourceFile { name: "v.xml", bytes: several.as_bytes() }], &[]);
    pair.layers = Arc::new(layers);
    pair.attach();
    pair.connect();
    assert_eq!(shown(&pair)[0], context("internet"), "{}", pair.account());
    assert!(shown(&pair).iter().any(|(apn, _)| apn == "first"));
}

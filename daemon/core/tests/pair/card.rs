//! Virtual operators: SIMs with their host's numbers, told apart by the card's files, which are read for them alone.

use std::sync::Arc;
use std::time::Duration;

use daemon_core::request::Request;
use daemon_core::subscriber::{Plan, Settings, SubscriberState, UserApn};
use daemon_operator::{Layers, SourceFile};
use mbim_proto::service::MS_UICC_LOW_LEVEL;
use virtual_modem::{ApnRule, Fault, Order, Place, Profile, Release, Sim, Slot, What, When};

use crate::driver::Pair;

/// A host and two brands on its network, told apart by name; and one in an overlay by its group.
const VENDOR: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0"><country code="zz">
<provider><name>Host</name><gsm><network-id mcc="001" mnc="01"/>
<apn value="internet"><usage type="internet"/></apn></gsm></provider>
<provider><name>Brand One</name><gsm><network-id mcc="001" mnc="01"/>
<apn value="plan"><usage type="internet"/></apn></gsm></provider>
</country></serviceproviders>"#;

const GROUPS: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="zz"><provider>
<name>Group Brand</name><gsm><network-id mcc="001" mnc="01"/><ov:select gid1="4D31"/>
<apn value="plan"><usage type="internet"/></apn></gsm></provider></country></serviceproviders>"#;

fn layers(vendor: &str, overlay: &str) -> Arc<Layers> {
    let file = |text: &'static str| [SourceFile { name: "x.xml", bytes: text.as_bytes() }];
    let vendor = file(Box::leak(vendor.to_owned().into_boxed_str()));
    let overlay = file(Box::leak(overlay.to_owned().into_boxed_str()));
    let (layers, problems) = Layers::load(&vendor, if overlay[0].bytes.is_empty() { &[] } else { &overlay });
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(layers)
}

fn pair(sim: Sim, layers: Arc<Layers>) -> Pair {
    let mut profile = Profile { slot: Slot::Card(Box::new(sim)), ..Profile::default() };
    // The brands' access point.
    let internet = profile.network.apns[0].clone();
    profile.network.apns.push(ApnRule { apn: "plan".into(), default: false, ..internet });
    let mut pair = Pair::new(profile);
    pair.layers = layers;
    pair
}

fn reads(pair: &Pair) -> usize {
    pair.device.log().count(|entry| {
        entry.operation == Some(0) && entry.subject.is_some_and(|(service, _)| service == MS_UICC_LOW_LEVEL)
    })
}

fn operator(pair: &Pair) -> (String, String, String) {
    let operator = pair.snapshot().operator.clone().unwrap();
    (operator.name, operator.matched, operator.rule)
}

fn used(pair: &Pair) -> String {
    pair.snapshot().connections[0].candidate.as_ref().unwrap().apn.clone()
}

fn brand() -> Sim {
    Sim { home_name: "Brand One".into(), gid1: Vec::new(), ..Sim::default() }
}

fn words(matched: &str, name: &str, rule: &str) -> (String, String, String) {
    (name.to_owned(), matched.to_owned(), rule.to_owned())
}

#[test]
fn a_brand_is_known_by_the_name_on_its_card() {
    let mut pair = pair(brand(), layers(VENDOR, ""));
    // The modem tells no name of the home network: only the card has it.
    pair.order(Order::Fault(Fault::always(When::answer(mbim_proto::service::BASIC_CONNECT, 6), What::Status(2))));
    pair.attach();
    pair.connect();
    assert_eq!(operator(&pair), words("exact", "Brand One", "spn-name"), "{}", pair.account());
    assert_eq!(used(&pair), "plan");
    assert_eq!(reads(&pair), 3, "applications, length of the code, name");
    assert_eq!(pair.event_names().iter().filter(|name| **name == "connecting").count(), 1, "one try, the right one");
}

#[test]
fn a_brand_is_known_by_its_group() {
    let mut pair = pair(Sim::default(), layers(VENDOR.replace("Brand One", "Other").as_str(), GROUPS));
    pair.attach();
    pair.connect();
    assert_eq!(operator(&pair), words("exact", "Group Brand", "selector"), "{}", pair.account());
    assert_eq!(used(&pair), "plan");

    let mut pair = self::pair(Sim { gid1: vec![0x4d, 0x32], ..Sim::default() }, layers(VENDOR, GROUPS));
    pair.attach();
    pair.connect();
    assert_ne!(operator(&pair).0, "Group Brand", "another group");
    assert_eq!(used(&pair), "internet");
}

/// Without the service, or with a card that says no, it is what it was: several, the first of which is tried.
#[test]
fn without_the_files_it_stays_ambiguous() {
    for fault in [Some(What::Status(9)), Some(What::Status(2)), None] {
        let mut pair = pair(brand(), layers(VENDOR, ""));
        let home = When::answer(mbim_proto::service::BASIC_CONNECT, 6);
        pair.order(Order::Fault(Fault::always(home, What::Status(2))));
        match fault {
            Some(what) => {
                for cid in [7, 9] {
                    let when = When::answer(MS_UICC_LOW_LEVEL, cid);
                    pair.order(Order::Fault(Fault::always(when, what.clone())));
                }
            }
            None => pair.device = without_service(),
        }
        pair.attach();
        pair.connect();
        let (_, matched, _) = operator(&pair);
        assert_eq!(matched, "ambiguous", "{}", pair.account());
        assert!(pair.run(5, Pair::rests), "{}", pair.account());
    }
}

/// Release 1.0 alone: no service beside Basic Connect.
fn without_service() -> virtual_modem::VirtualModem {
    let mut profile = Profile { slot: Slot::Card(Box::new(brand())), release: Release::V1, ..Profile::default() };
    let internet = profile.network.apns[0].clone();
    profile.network.apns.push(ApnRule { apn: "plan".into(), default: false, ..internet });
    let mut device = virtual_modem::VirtualModem::new(profile);
    let home = When::answer(mbim_proto::service::BASIC_CONNECT, 6);
    device.order(Duration::ZERO, Order::Fault(Fault::always(home, What::Status(2))));
    device
}

#[test]
fn a_card_that_says_nothing_costs_five_seconds_once() {
    let mut pair = pair(brand(), layers(VENDOR, ""));
    pair.order(Order::Fault(Fault::always(When::answer(MS_UICC_LOW_LEVEL, 9), What::Drop)));
    pair.attach();
    pair.connect();
    assert!(pair.now >= Duration::from_secs(5) && pair.now < Duration::from_secs(7), "{:?}", pair.now);
    assert!(pair.has_event("card", "outcome", "overdue"));
}

/// One record for the code: no question to the card, and not a message more than before.
#[test]
fn a_card_that_is_known_is_not_read() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    pair.run(60, |_| false);
    assert_eq!(reads(&pair), 0, "{}", pair.account());
}

/// Plug to connected for an ordinary SIM, at a modem that would let its card be read.
#[test]
fn an_ordinary_sim_costs_28_messages() {
    let mut pair = Pair::new(Profile::default());
    pair.attach();
    pair.connect();
    let log = pair.device.log();
    assert!(log.from_host() + log.to_host() <= 28, "{}", pair.account());
}

/// Who names the access point does not wait, and neither does a SIM that was online before.
#[test]
fn nobody_waits_who_knows_where_to_go() {
    let drop = || Order::Fault(Fault::always(When::answer(MS_UICC_LOW_LEVEL, 7), What::Drop));
    let mut named = pair(brand(), layers(VENDOR, ""));
    named.order(drop());
    named.attach();
    let apn = UserApn { apn: "plan".into(), ..UserApn::default() };
    assert!(named.ask(Request::Connect { apn: Some(apn) }).is_ok());
    assert!(named.now < Duration::from_secs(5), "{:?}", named.now);

    let mut known = pair(brand(), layers(VENDOR, ""));
    known.order(drop());
    known.stored = Some(SubscriberState { last_good_home: Some("plan/".into()), ..SubscriberState::default() });
    known.attach();
    known.connect();
    assert!(known.now < Duration::from_secs(5), "{:?}", known.now);
    assert_eq!(used(&known), "plan");
}

/// Another SIM has other files.
#[test]
fn files_of_the_last_card_count_for_nothing() {
    let mut pair = pair(brand(), layers(VENDOR, ""));
    pair.order(Order::Fault(Fault::always(When::answer(mbim_proto::service::BASIC_CONNECT, 6), What::Status(2))));
    pair.attach();
    pair.connect();
    let before = reads(&pair);
    let host = Sim {
        iccid: mbim_proto::Personal::new("8999004000000000017".into()),
        imsi: mbim_proto::Personal::new("001019999999999".into()),
        home_name: "Host".into(),
        ..brand()
    };
    // Nothing is stored for the other one.
    pair.stored = None;
    pair.order(Order::Slot(Slot::Card(Box::new(host))));
    assert!(pair.run(60, |pair| pair.is_up() && operator(pair).0 == "Host"), "{}", pair.account());
    assert_eq!(reads(&pair), before + 3);
    assert_eq!(used(&pair), "internet");
}

/// Files that lie about their content are as if they were not there.
#[test]
fn nonsense_on_the_card_is_ignored() {
    for content in [Vec::new(), vec![0xff; 3], vec![1, 0x81, 200, 0], vec![0; 300]] {
        let mut sim = brand();
        for file in [0x6f46, 0x6fad, 0x6f3e] {
            sim.written.insert((Place::Usim, file), content.clone());
        }
        let mut pair = pair(sim, layers(VENDOR, GROUPS));
        pair.attach();
        pair.connect();
    }
}

/// Several fit and the card says no more: all are listed, the first is tried, and who knows says which it is, once.
#[test]
fn a_person_says_which_of_several_it_is() {
    let mut pair = pair(brand(), layers(VENDOR, ""));
    pair.device = without_service();
    pair.attach();
    pair.connect();
    let choice = pair.snapshot().operator.clone().unwrap();
    assert_eq!((choice.matched.as_str(), used(&pair).as_str()), ("ambiguous", "internet"));
    assert!(choice.alternatives.len() > 1 && choice.alternatives.contains(&"zz/Brand One".to_owned()), "{choice:?}");
    let settings = |operator: Option<&str>| {
        Request::SetSettings(Settings { operator: operator.map(str::to_owned), ..Settings::default() })
    };
    assert!(pair.ask(settings(Some("zz/Brand One"))).is_ok());
    assert_eq!(operator(&pair), words("exact", "Brand One", "user-choice"), "{}", pair.account());
    assert!(pair.is_up(), "what is up stays up until someone connects anew");
    assert_eq!(pair.stored.as_ref().and_then(|state| state.last_good_home.clone()), None);
    assert!(pair.ask(Request::Reconnect).is_ok());
    assert_eq!(used(&pair), "plan");
    // A record that is not there decides nothing.
    assert!(pair.ask(settings(Some("zz/Nobody"))).is_ok());
    assert_eq!(operator(&pair).1, "ambiguous");
    assert!(pair.ask(settings(None)).is_ok());
    assert_eq!(operator(&pair).1, "ambiguous");
}

/// How the subscription is paid puts the fitting access points first.
#[test]
fn the_kind_of_subscription_reorders() {
    let vendor = VENDOR.replace("<apn value=\"internet\">", "<apn value=\"internet\"><plan type=\"postpaid\"/>");
    assert_ne!(vendor, VENDOR, "the record of the host");
    let both = vendor.replacen("</apn>", "</apn><apn value=\"plan\"><plan type=\"prepaid\"/></apn>", 1);
    for (plan, first) in [(Plan::Unknown, "internet"), (Plan::Prepaid, "plan"), (Plan::Postpaid, "internet")] {
        let mut pair = pair(Sim { home_name: "Host".into(), ..brand() }, layers(&both, ""));
        let settings = Settings { plan, ..Settings::default() };
        pair.stored = Some(SubscriberState { settings, ..SubscriberState::default() });
        pair.attach();
        pair.connect();
        assert_eq!(used(&pair), first, "{plan:?}: {}", pair.account());
    }
}

const NAMED: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="zz"><provider>
<name>Named Brand</name><gsm><network-id mcc="001" mnc="01"/><ov:select pnn="Brand Net"/>
<apn value="plan"><usage type="internet"/></apn></gsm></provider></country></serviceproviders>"#;

const BY_CARD: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="zz"><provider>
<name>Brand By Card</name><gsm><network-id mcc="001" mnc="01"/><ov:select iccid-prefix="8999004827"/>
<apn value="plan"><usage type="internet"/></apn></gsm></provider></country></serviceproviders>"#;

/// The card's list of names says what the home network is called; which of them, its own list says.
#[test]
fn a_brand_is_known_by_the_network_name_on_its_card() {
    for (names, map, expected) in [
        (vec!["Brand Net"], vec![], "Named Brand"),
        (vec!["Elsewhere", "Brand Net"], vec![("00101", 2)], "Named Brand"),
        (vec!["Brand Net", "Elsewhere"], vec![("00101", 2)], "Host"),
        // About another network: the first name is the home's.
        (vec!["Brand Net", "Elsewhere"], vec![("26201", 2)], "Named Brand"),
        // The home comes behind others; a list without it, longer than anybody reads; a name from elsewhere.
        (vec!["Elsewhere", "Brand Net"], vec![("26201", 1), ("310410", 1), ("00101", 2)], "Named Brand"),
        (vec!["Brand Net"], [("26201", 2); 20].to_vec(), "Named Brand"),
        (vec!["Brand Net"], vec![("00101", 0)], "Host"),
        (vec![], vec![], "Host"),
    ] {
        let sim = Sim {
            home_name: "Host".into(),
            network_names: names.iter().map(|name| (*name).to_owned()).collect(),
            name_of_network: map.iter().map(|(id, name)| ((*id).to_owned(), *name)).collect(),
            ..brand()
        };
        let mut pair = pair(sim, layers(VENDOR.replace("Brand One", "Other").as_str(), NAMED));
        pair.attach();
        pair.connect();
        assert_eq!(operator(&pair).0, expected, "{names:?} {map:?}: {}", pair.account());
        assert!(reads(&pair) <= 5 + (map.len() + 1).min(8), "{} reads", reads(&pair));
    }
}

/// A modem that does not tell whose card it is: the card tells, the operator is known, and the SIM is remembered.
#[test]
fn the_card_tells_its_numbers_where_the_modem_does_not() {
    let sim = Sim::default();
    let silent = Sim { imsi: mbim_proto::Personal::default(), iccid: mbim_proto::Personal::default(), ..sim.clone() };
    let imsi = [8, 9, 0x10, 0x10, 0x37, 0x49, 0x26, 0x08, 0x15];
    let iccid = [0x98, 0x99, 0x00, 0x84, 0x72, 0x91, 0x63, 0x05, 0x73, 0xf8];
    let mut silent = silent;
    silent.written.insert((Place::Usim, 0x6f07), imsi.to_vec());
    silent.written.insert((Place::Mf, 0x2fe2), iccid.to_vec());
    let mut pair = pair(silent, layers(VENDOR, BY_CARD));
    pair.attach();
    pair.connect();
    assert_eq!(operator(&pair), words("exact", "Brand By Card", "selector"), "{}", pair.account());
    assert_eq!(used(&pair), "plan");
    let identity = pair.snapshot().sim.identity.clone();
    assert_eq!(identity.imsi.map(|imsi| imsi.reveal().to_owned()).as_deref(), Some(sim.imsi.reveal().as_str()));
    assert_eq!(identity.iccid.map(|iccid| iccid.reveal().to_owned()).as_deref(), Some(sim.iccid.reveal().as_str()));
    assert!(pair.stored.is_some(), "the good candidate is kept with the SIM: {}", pair.account());
}

/// Several files that a card may be without: its table of services is read first, and no file in vain.
#[test]
fn only_files_that_the_card_announces_are_read() {
    let both = GROUPS.replace("<ov:select gid1=\"4D31\"/>", "<ov:select gid1=\"4D31\"/><ov:select gid2=\"77\"/>");
    assert_ne!(both, GROUPS);
    let mut pair = pair(Sim::default(), layers(VENDOR, &both));
    pair.attach();
    pair.connect();
    assert_eq!(operator(&pair).0, "Group Brand", "{}", pair.account());
    // Applications, table, length of the code, name, group 1; not group 2.
    assert_eq!(reads(&pair), 5, "{}", pair.account());
    assert_eq!(pair.event_names().iter().filter(|name| **name == "card").count(), 1, "one batch");
    // A card whose table cannot be read is asked for all of them.
    let mut sim = Sim::default();
    sim.written.insert((Place::Usim, 0x6f38), Vec::new());
    let mut pair = self::pair(sim, layers(VENDOR, &both));
    pair.attach();
    pair.connect();
    assert_eq!((operator(&pair).0.as_str(), reads(&pair)), ("Group Brand", 6), "{}", pair.account());
}

/// The access points that the card allows come first; the others are tried when those lead nowhere.
#[test]
fn what_the_card_allows_comes_first() {
    let both = GROUPS.replace("gid1=\"4D31\"/>", "gid1=\"4D31\"/><ov:select gid2=\"77\"/>").replace(
        "<apn value=\"plan\">",
        "<apn value=\"internet\"><usage type=\"internet\"/></apn><apn value=\"plan\">",
    );
    for (allowed, first) in [(vec![], "internet"), (vec!["PLAN"], "plan"), (vec!["elsewhere"], "internet")] {
        let allowed_apns: Vec<String> = allowed.iter().map(|apn| (*apn).to_owned()).collect();
        let mut pair = pair(Sim { allowed_apns, ..Sim::default() }, layers(VENDOR, &both));
        pair.attach();
        pair.connect();
        assert_eq!(used(&pair), first, "{allowed:?}: {}", pair.account());
        let said =
            pair.snapshot().operator.as_ref().is_some_and(|choice| choice.trace.join("; ").contains("the card allows"));
        assert_eq!(said, !allowed.is_empty());
    }
}

/// Any octets in any file: connected all the same, in bounded time, with a bounded number of questions.
#[test]
fn hostile_files_of_all_kinds_keep_nobody_offline() {
    let contents: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0xff; 3],
        vec![0xff; 255],
        vec![0x43, 200, 0x90, 0],
        vec![0x43, 5, 0x90, 0xd8, 0x00, 0xd8, 0x00],
        vec![255, 0xdd, 255, 9],
        vec![9, 0x99, 0xaa, 0xbb],
        (0..=255).collect(),
        vec![0; 2000],
    ];
    let files = [0x6f07, 0x6f38, 0x6f3e, 0x6f3f, 0x6f46, 0x6f57, 0x6fad, 0x6fc5, 0x6fc6, 0x6fd9];
    let overlay = NAMED.replace("pnn=\"Brand Net\"/>", "pnn=\"Brand Net\"/><ov:select gid1=\"4D31\" gid2=\"77\"/>");
    for content in contents {
        for told in [true, false] {
            let mut sim = Sim {
                network_names: vec!["A".into()],
                name_of_network: vec![("00101".into(), 1)],
                equivalent_homes: vec!["00102".into()],
                allowed_apns: vec!["a".into()],
                ..brand()
            };
            for file in files {
                sim.written.insert((Place::Usim, file), content.clone());
            }
            sim.written.insert((Place::Mf, 0x2fe2), content.clone());
            if !told {
                sim.imsi = mbim_proto::Personal::default();
                sim.iccid = mbim_proto::Personal::default();
            }
            let mut pair = pair(sim, layers(VENDOR, &overlay));
            pair.attach();
            pair.connect();
            assert!(pair.now < Duration::from_secs(60) && reads(&pair) <= 19, "{content:?}: {}", pair.account());
        }
    }
}

//! The whole database of the distribution, record by record: a SIM made for a record finds it, or the choice is told to
//! be ambiguous. And what another program would choose from the same file: `docs/generated/networkmanager.md`.
//! `[OPER 3.1, 3.5]`

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use daemon_operator::{CellClass, Choice, Identity, Layers, Match, Reported, Rule, SourceFile, Sources, Wishes};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use support::vendor;

/// A record as a plain reader finds it, independent of ours.
#[derive(Default)]
struct Provider {
    country: String,
    names: Vec<String>,
    /// `true`, `false` or empty.
    primary: String,
    codes: Vec<String>,
    sids: Vec<String>,
    cdma: bool,
    gsm: bool,
    apns: Vec<Apn>,
}

#[derive(Clone, Default)]
struct Apn {
    value: String,
    usage: String,
    prepaid: bool,
    postpaid: bool,
}

/// Attribute of an element; empty when it is absent.
fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.attributes().flatten().find(|attribute| attribute.key.as_ref() == name);
    found.map(|attribute| attribute.value.to_string()).unwrap_or_default()
}

fn providers(text: &str) -> Vec<Provider> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut list: Vec<Provider> = Vec::new();
    let mut country = String::new();
    let mut path: Vec<String> = Vec::new();
    let mut name = String::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                let element = start.name().as_ref().to_string();
                if element == "provider" {
                    let primary = attribute(&start, "primary");
                    list.push(Provider { country: country.clone(), primary, ..Provider::default() });
                }
                match (element.as_str(), list.last_mut()) {
                    ("country", _) => country = attribute(&start, "code"),
                    ("network-id", Some(last)) => {
                        last.codes.push(attribute(&start, "mcc") + &attribute(&start, "mnc"));
                    }
                    ("gsm", Some(last)) => last.gsm = true,
                    ("cdma", Some(last)) => last.cdma = true,
                    ("sid", Some(last)) => last.sids.push(attribute(&start, "value")),
                    ("apn", Some(last)) => {
                        last.apns.push(Apn { value: attribute(&start, "value").trim().to_owned(), ..Apn::default() });
                    }
                    ("usage", Some(last)) => {
                        last.apns.last_mut().expect("an access point").usage = attribute(&start, "type");
                    }
                    ("plan", Some(last)) => {
                        let apn = last.apns.last_mut().expect("an access point");
                        let kind = attribute(&start, "type");
                        apn.prepaid |= kind == "prepaid";
                        apn.postpaid |= kind == "postpaid";
                    }
                    _ => {}
                }
                path.push(element);
                name.clear();
            }
            Event::Text(text) => name.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                name.push_str(resolve_predefined_entity(&reference).expect("an entity of XML"))
            }
            Event::End(_) => {
                let is_name = path.ends_with(&["provider".to_owned(), "name".to_owned()]);
                if let Some(last) = list.last_mut().filter(|_| is_name) {
                    last.names.push(name.trim().to_owned());
                }
                path.pop();
            }
            Event::Eof => return list,
            _ => {}
        }
    }
}

/// The vendor database as both readers see it.
struct World {
    layers: Layers,
    providers: Vec<Provider>,
}

impl World {
    fn load(what: &str) -> Option<Self> {
        let bytes = vendor(what)?;
        let (layers, _) = Layers::load(&[SourceFile { name: "serviceproviders.xml", bytes: &bytes }], &[]);
        let providers = providers(std::str::from_utf8(&bytes).expect("text"));
        Some(Self { layers, providers })
    }

    /// What a SIM of a network is given; `name` is that on the card.
    fn choose(&self, code: &str, name: &str) -> Choice {
        let imsi = format!("{code:0<15}");
        let length = u8::try_from(code.len() - 3).ok();
        let reported = Reported { subscriber_id: &imsi, mnc_length: length, spn: name, ..Reported::default() };
        self.layers.choose(&Identity::normalise(&reported).0, &Wishes::default())
    }

    /// Distinct codes with the records that list them, in document order.
    fn codes(&self) -> BTreeMap<&str, Vec<&Provider>> {
        let mut codes: BTreeMap<&str, Vec<&Provider>> = BTreeMap::new();
        for provider in &self.providers {
            for code in &provider.codes {
                let list = codes.entry(code).or_default();
                if !list.last().is_some_and(|last| std::ptr::eq(*last, provider)) {
                    list.push(provider);
                }
            }
        }
        codes
    }
}

impl Provider {
    fn is(&self, country: &str, name: &str) -> bool {
        self.country == country && self.names.first().is_some_and(|first| first == name)
    }

    fn is_first_of(&self, choice: &Choice) -> bool {
        choice.operator.as_ref().is_some_and(|operator| self.is(&operator.country, &operator.name))
    }

    /// The choice is told to be ambiguous, and this is one of those that fit as well as the first.
    fn is_among(&self, choice: &Choice) -> bool {
        choice.verdict == Match::Ambiguous && choice.alternatives.iter().any(|key| self.is(&key.country, &key.name))
    }
}

/// With its name on the card each record comes first, or the choice is ambiguous and it is among those to choose from.
/// Without a name a record may also stand behind the host of its network.
#[test]
fn each_record_is_found_by_a_sim_made_for_it() {
    let Some(world) = World::load("every record of the vendor database") else { return };
    let (mut named, mut plain, mut ambiguous, mut behind, mut without) = (0, 0, 0, 0, 0);
    let mut wrong = Vec::new();
    for provider in &world.providers {
        let name = provider.names.first().map_or("", String::as_str);
        if provider.gsm && provider.codes.is_empty() {
            without += 1;
        }
        for code in &provider.codes {
            let choice = world.choose(code, name);
            if provider.is_first_of(&choice) || provider.is_among(&choice) {
                named += 1;
            } else {
                wrong.push(format!("{code} {name} by its name: {:?}", choice.operator));
            }
            let choice = world.choose(code, "");
            let is_behind = choice.rule == Rule::PlmnPrimary && provider.primary != "true";
            match (provider.is_first_of(&choice), provider.is_among(&choice)) {
                (true, false) => plain += 1,
                (_, true) => ambiguous += 1,
                (false, false) if is_behind => behind += 1,
                _ => wrong.push(format!("{code} {name}: {:?} by {}", choice.operator, choice.rule)),
            }
        }
        for sid in &provider.sids {
            let (identity, _) = Identity::normalise(&Reported {
                cell_class: CellClass::Cdma,
                sid,
                provider_name: name,
                ..Reported::default()
            });
            let choice = world.layers.choose(&identity, &Wishes::default());
            if !provider.is_first_of(&choice) && !provider.is_among(&choice) {
                wrong.push(format!("system {sid} {name}: {:?}", choice.operator));
            }
        }
    }
    println!(
        "by name {named}; by code alone: first {plain}, ambiguous {ambiguous}, behind a host {behind}; {without} without a code"
    );
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    assert_eq!((world.providers.len(), without), (700, 18));
}

/// The short way for one SIM is taken for the file as it is, and leads to the choice that the whole file gives: for each
/// code, for the legacy forms, for an equivalent home, and for a stranger.
#[test]
fn reading_what_one_sim_needs_makes_the_same_choice() {
    let Some(bytes) = vendor("every code of the vendor database, the short way") else { return };
    let Some(world) = World::load("every code of the vendor database, the short way") else { return };
    let vendor = [SourceFile { name: "serviceproviders.xml", bytes: &bytes }];
    let sources = Sources { vendor: &vendor, ..Sources::default() };
    let codes = world.codes();
    let of_db = codes.keys().map(|code| (*code, &[][..]));
    let legacy = LEGACY.into_iter().map(|code| (code, &[][..]));
    let others = [("99970", &[][..]), ("99970", &["26202", "310260"][..]), ("", &[][..])];
    let (mut short, mut number) = (0, 0);
    for (code, ehplmn) in of_db.chain(legacy).chain(others) {
        let imsi = if code.is_empty() { String::new() } else { format!("{code:0<15}") };
        // The card tells the length of its code, or does not.
        let mnc_length = u8::try_from(code.len().max(3) - 3).ok().filter(|_| number % 2 == 0);
        let reported = Reported { subscriber_id: &imsi, mnc_length, ehplmn, ..Reported::default() };
        let (identity, _) = Identity::normalise(&reported);
        let (layers, problems) = Layers::read_for(&sources, &identity);
        let is_short = layers.vendor_counts().providers < 100;
        assert_eq!(problems.is_empty(), is_short, "{code}: {problems:?}");
        let wishes = Wishes::default();
        assert!(layers.choose(&identity, &wishes) == world.layers.choose(&identity, &wishes), "{code} {ehplmn:?}");
        short += usize::from(is_short);
        number += 1;
    }
    // The record with an access point that is none is told, and the file read whole; so is it for who has no number.
    assert_eq!((short, number), (825, 827));
}

/// What NetworkManager takes for a network: in document order the first access point whose usage is exactly
/// `internet`, of the records that list the code as it stands. `[OPER 3.1, 3.8]`
fn of_networkmanager<'a>(records: &[&'a Provider]) -> Option<(&'a Provider, &'a Apn)> {
    let all = records.iter().flat_map(|record| record.apns.iter().map(|apn| (*record, apn)));
    all.into_iter().find(|(_, apn)| apn.usage == "internet")
}

/// Three-digit codes of SIMs whose records list the two-digit form. `[OPER 1.3]`
const LEGACY: [&str; 6] = ["334020", "334030", "350000", "364490", "708020", "722340"];

fn page(world: &World) -> String {
    let mut rows = String::new();
    let (mut same, mut ours_other, mut ours_only, mut none, mut ambiguous, mut prepaid, mut unserved) =
        (0, 0, 0, 0, 0, 0, 0);
    let codes = world.codes();
    for (code, records) in &codes {
        let choice = world.choose(code, "");
        let ours = choice.listed().first();
        let theirs = of_networkmanager(records);
        ambiguous += usize::from(choice.verdict == Match::Ambiguous);
        prepaid += usize::from(theirs.is_some_and(|(_, apn)| apn.prepaid && !apn.postpaid));
        unserved += usize::from(theirs.is_none());
        let told = |record: &str, apn: &str| format!("{} `{apn}`", record.replace('|', "/"));
        let of_ours = |choice: &Choice| {
            let ours = choice.listed().first();
            ours.map_or("none".to_owned(), |ours| told(ours.operator.as_ref().map_or("", |key| &key.name), &ours.apn))
        };
        match (ours, theirs) {
            (Some(ours), Some((_, apn))) if ours.apn.eq_ignore_ascii_case(&apn.value) => same += 1,
            (None, None) => none += 1,
            (ours, theirs) => {
                if theirs.is_none() {
                    ours_only += 1
                } else {
                    ours_other += 1
                }
                let theirs = theirs.map_or("none".to_owned(), |(record, apn)| told(&record.names[0], &apn.value));
                let verdict = if ours.is_some() { choice.verdict.as_str() } else { "-" };
                let _ = writeln!(rows, "| {code} | {theirs} | {} | {} | {verdict} |", of_ours(&choice), choice.rule);
            }
        }
    }
    for code in LEGACY {
        let choice = world.choose(code, "");
        let ours = choice.listed().first().map_or("none".to_owned(), |ours| format!("`{}`", ours.apn));
        let _ = writeln!(
            rows,
            "| {code} (SIM) | none | {ours} | {}, listed as {} | {} |",
            choice.rule,
            &code[..5],
            choice.verdict
        );
    }
    format!(
        "# What NetworkManager chooses from the same database\n\n\
         Made from mobile-broadband-provider-info 20230416-1; do not edit. `MBIMD_BLESS=1 cargo test -p daemon-operator` writes it\n\
         anew. NetworkManager's rule for a connection without an APN: in document order, of the records that list the code as it\n\
         stands, the first access point whose usage is exactly `internet`. Ours is that of operator records, layers and selectors,\n\
         here for a SIM that tells nothing but its code. NetworkManager asks with the code of the *registered* network: abroad it\n\
         takes the visited operator's access point; we never do.\n\n\
         | Codes of the database | {} |\n|---|---|\n| same access point first | {same} |\n| another one first | {ours_other} |\n\
         | only we have one | {ours_only} |\n| neither has one | {none} |\n| NetworkManager has none | {unserved} |\n\
         | NetworkManager's is for prepaid plans only | {prepaid} |\n| we say that the choice is ambiguous | {ambiguous} |\n\
         | SIMs with a three-digit code that is listed with two digits | {} |\n\n\
         | Code | NetworkManager | Ours | By | Match |\n|---|---|---|---|---|\n{rows}",
        codes.len(),
        LEGACY.len(),
    )
}

#[test]
fn the_page_about_networkmanager_is_true() {
    let Some(world) = World::load("the comparison with NetworkManager") else { return };
    let wanted = page(&world);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/networkmanager.md");
    if std::env::var_os("MBIMD_BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/generated/networkmanager.md is out of date: MBIMD_BLESS=1 cargo test -p daemon-operator"
    );
}

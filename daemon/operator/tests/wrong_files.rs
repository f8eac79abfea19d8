//! Files that are wrong in every way we could think of: told with line and column, bounded, and what stands before the
//! error is kept. `[OPER 3.9, OPER-033…036]`

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

use daemon_operator::database::{FileProblem, Severity, Trouble};
use daemon_operator::{Identity, Layers, Match, Reported, SourceFile, Wishes, fuzz};
use proptest::prelude::*;

const OVERLAY: &str = include_str!("samples/overlay.xml");

const HEAD: &str = "<serviceproviders format=\"2.0\" xmlns:ov=\"urn:x-operator-overlay:1\"><country code=\"xt\">";
const TAIL: &str = "</country></serviceproviders>";
const GOOD: &str =
    "<provider><name>Good</name><gsm><network-id mcc=\"001\" mnc=\"01\"/><apn value=\"good\"/></gsm></provider>";

fn load(text: &[u8]) -> (Layers, Vec<FileProblem>) {
    Layers::load(&[SourceFile { name: "f.xml", bytes: text }], &[])
}

/// Candidates of network 001-01 without the default.
fn candidates(layers: &Layers) -> Vec<String> {
    let (identity, _) = Identity::normalise(&Reported { subscriber_id: "001015512345678", ..Reported::default() });
    let choice = layers.choose(&identity, &Wishes::default());
    choice.listed().iter().map(|candidate| candidate.apn.clone()).collect()
}

/// The good record stands before `wrong`, a second one behind it: the first stays, the second is not reached.
#[track_caller]
fn check_stops(wrong: &str, what: &Trouble) {
    let text = format!("{HEAD}{GOOD}{wrong}{}{TAIL}", GOOD.replace("good", "late"));
    let (layers, problems) = load(text.as_bytes());
    let last = problems.last().expect("a problem");
    assert_eq!((last.severity, &last.what), (Severity::Error, what), "{last}");
    assert_eq!(candidates(&layers), ["good"]);
}

#[test]
fn reading_stops_where_it_must() {
    check_stops("<provider><name>&lol;</name></provider>", &Trouble::Entity);
    check_stops("<provider primary='&lol;'/>", &Trouble::Entity);
    check_stops("<provider><name>&#x110000;</name></provider>", &Trouble::Entity);
    let deep = "<x>".repeat(20) + &"</x>".repeat(20);
    check_stops(&deep, &Trouble::TooDeep);
    let long = "x".repeat((64 << 10) + 1);
    check_stops(&format!("<provider><name>{long}</name></provider>"), &Trouble::TooLong);
    check_stops(&format!("<provider><name><![CDATA[{long}]]></name></provider>"), &Trouble::TooLong);
    check_stops(&format!("<voicemail>{long}</voicemail>"), &Trouble::TooLong);
    check_stops(&format!("<provider><name>{}</name></provider>", "&amp;".repeat((64 << 10) + 1)), &Trouble::TooLong);
    check_stops(&format!("<provider x='{long}'/>"), &Trouble::TooLong);
    let many: String = (0..65).map(|number| format!(" a{number}=''")).collect();
    check_stops(&format!("<provider{many}/>"), &Trouble::TooManyAttributes);
}

#[test]
fn text_that_is_not_well_formed_is_told() {
    for wrong in
        ["<provider></gsm>", "<provider a='1' a='2'/>", "<provider a/>", "</country></x>", "<!-- ", "<![CDATA["]
    {
        let text = format!("{HEAD}{GOOD}{wrong}");
        let (layers, problems) = load(text.as_bytes());
        let last = problems.last().expect("a problem");
        assert!(matches!(last.what, Trouble::NotWellFormed(_)), "{wrong}: {last}");
        assert_eq!(candidates(&layers), ["good"], "{wrong}");
    }
}

#[test]
fn places_are_lines_and_columns_of_characters() {
    let text = format!("{HEAD}\n{GOOD}\n  <!-- ünï --><y/>\n<provider><name>ü&x;</name>");
    let (_, problems) = load(text.as_bytes());
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["f.xml:3:15: unknown element \"y\" ignored", "f.xml:4:18: entities are not expanded"]);
    let mut bytes = format!("{HEAD}\n{GOOD}\nü").into_bytes();
    bytes.extend([0xFF, b'x']);
    let (layers, problems) = load(&bytes);
    assert_eq!(problems.last().expect("a problem").to_string(), "f.xml:3:2: the text is not UTF-8");
    assert_eq!(candidates(&layers), ["good"]);
}

#[test]
fn other_files_are_refused() {
    let refused = |text: &[u8]| {
        let (layers, problems) = load(text);
        assert_eq!(candidates(&layers), Vec::<String>::new());
        problems.last().map(|problem| problem.what.clone()).expect("a problem")
    };
    assert_eq!(refused(b""), Trouble::NotServiceProviders);
    assert_eq!(refused(b"  <!-- nothing -->"), Trouble::NotServiceProviders);
    assert_eq!(refused(b"<apns/>"), Trouble::NotServiceProviders);
    assert_eq!(refused(b"<serviceproviders/>"), Trouble::Format(String::new()));
    assert_eq!(refused(b"<serviceproviders format='3.0'>"), Trouble::Format("3.0".into()));
    assert_eq!(refused(b"<serviceproviders xmlns='urn:y' format='2.0'/>"), Trouble::NotServiceProviders);
    assert_eq!(refused(&[0xFE, 0xFF, 0, b'<']), Trouble::NotUtf8);
    assert_eq!(refused(&vec![b' '; (16 << 20) + 1]), Trouble::TooLarge);
}

#[test]
fn a_mark_of_order_and_a_declaration_do_no_harm() {
    let text = format!(
        "\u{feff}<?xml version='1.0' encoding='utf-8'?><!DOCTYPE serviceproviders SYSTEM 'http://x/serviceproviders.dtd'>\
         {HEAD}{GOOD}{TAIL}"
    );
    let (layers, problems) = load(text.as_bytes());
    assert_eq!(problems, []);
    assert_eq!(candidates(&layers), ["good"]);
}

/// A consumer that knows the plain format only still reads an overlay's codes and access points. `[OPER-049]`
#[test]
fn an_overlay_is_a_plain_file_to_others() {
    let plain = OVERLAY.replace("urn:x-operator-overlay:1", "urn:of-someone-else");
    let (layers, problems) = load(plain.as_bytes());
    assert!(problems.iter().all(|problem| problem.severity == Severity::Debug), "{problems:?}");
    let names = candidates(&layers);
    for name in ["internet.contoso", "backup.contoso", "budget.contoso", "kids.contoso"] {
        assert!(names.iter().any(|other| other == name), "{name} in {names:?}");
    }
    assert!(!names.iter().any(|name| name == "mms.contoso"));
}

/// Entities are neither declared nor expanded: the file costs what its octets cost.
#[test]
fn a_billion_laughs_are_not_heard() {
    let mut dtd = String::from("<!DOCTYPE serviceproviders [<!ENTITY l0 'lol'>");
    for level in 1..=9 {
        dtd.push_str(&format!("<!ENTITY l{level} '{}'>", format!("&l{};", level - 1).repeat(10)));
    }
    let text = format!("{dtd}]>{HEAD}{GOOD}<provider><name>&l9;</name></provider>{TAIL}");
    let (layers, problems) = load(text.as_bytes());
    assert_eq!(problems.last().map(|problem| &problem.what), Some(&Trouble::Entity));
    assert_eq!(candidates(&layers), ["good"]);
    assert!(layers.vendor_counts().index_bytes < 4096);
}

#[test]
fn unusable_values_are_dropped_and_told() {
    let text = format!(
        "{HEAD}<provider primary='yes'><name>Good</name><gsm><network-id mcc='001' mnc='1'/><network-id mcc='001' mnc='01'/>\
         <apn value='http://x/'/><apn value=''/><apn value=' good '><authentication method='x'/><dns>one</dns>\
         <dns>192.0.2.1</dns><plan type='x'/><ov:purpose type='internet'/><ov:purpose type='x'/><ov:ip type='x'/>\
         <ov:auto-connect order='0'/><ov:roaming mode='x'/></apn></gsm><cdma><sid value='0'/></cdma></provider>\
         <provider ov:op='merge'><name>B</name><gsm><network-id mcc='001' mnc='01'/><apn value='b'/></gsm></provider>\
         <provider ov:op='delete'><name>C</name><gsm><network-id mcc='001' mnc='x'/></gsm></provider>{TAIL}"
    );
    let (layers, problems) = load(text.as_bytes());
    let elements: Vec<String> = problems.iter().map(|problem| problem.what.to_string()).collect();
    let of = |element: &str| format!("unusable value of {element} ignored");
    assert_eq!(
        elements,
        [
            "provider primary",
            "network-id",
            "apn",
            "apn",
            "authentication",
            "dns",
            "plan",
            "purpose",
            "ip",
            "auto-connect",
            "roaming",
            "sid",
            "provider op",
            "network-id"
        ]
        .map(of)
    );
    assert!(problems.iter().all(|problem| problem.severity == Severity::Warning));
    assert_eq!(candidates(&layers), ["good"]);
    assert_eq!(layers.vendor_counts().providers, 1);
}

/// A delete record whose only code is unreadable must not become one that deletes everywhere.
#[test]
fn unreadable_codes_do_not_widen_a_record() {
    let vendor = format!("{HEAD}{GOOD}{TAIL}");
    for wrong in [
        "<provider ov:op='delete'><name>Good</name><gsm><network-id mcc='001' mnc='x'/></gsm></provider>",
        "<provider><name>X</name><gsm><network-id mcc='x' mnc='01'/><ov:select imsi-prefix='0'/><apn value='x'/></gsm></provider>",
    ] {
        let overlay = format!("{HEAD}{wrong}{TAIL}");
        let file = |text| SourceFile { name: "f.xml", bytes: str::as_bytes(text) };
        let (layers, _) = Layers::load(&[file(&vendor)], &[file(&overlay)]);
        assert_eq!(candidates(&layers), ["good"]);
    }
}

#[test]
fn remarks_are_bounded() {
    let text = format!("{HEAD}{}{GOOD}{TAIL}", "<y/>".repeat(10_000));
    let (layers, problems) = load(text.as_bytes());
    assert_eq!(problems.len(), 100);
    assert_eq!(candidates(&layers), ["good"]);
}

/// The overlay cut at every offset: records that were whole are there, and there are never more than before.
#[test]
fn cut_files_keep_what_was_whole() {
    let whole = |end: usize| OVERLAY.as_bytes()[..end].windows(11).filter(|window| window == b"</provider>").count();
    for end in 0..OVERLAY.len() {
        let (layers, problems) = load(&OVERLAY.as_bytes()[..end]);
        let cut_after_root = OVERLAY[..end].trim_end().ends_with("</serviceproviders>");
        assert_eq!(problems.is_empty(), cut_after_root, "cut at {end}: {problems:?}");
        assert_eq!(layers.vendor_counts().providers, whole(end), "cut at {end}");
    }
}

/// Ranges that lie in each other, ends that are no numbers, ranges the wrong way round: all are read, those that hold are
/// weighed, and the narrowest decides. A million of them do not fit a file.
#[test]
fn a_multitude_of_ranges_is_weighed() {
    let within = |n: u32| format!("<ov:select imsi-from='00101{n:08}00' imsi-to='00101{:08}99'/>", 99_999_999 - n);
    let wrong = |n: u32| {
        format!("<ov:select imsi-from='00101{n:08}0x' imsi-to='99'/><ov:select imsi-from='{n}99' imsi-to='00'/>")
    };
    let provider = |name: &str, selects: String| {
        format!(
            "<provider><name>{name}</name><gsm>{selects}<apn value='{name}'><usage type='internet'/></apn></gsm></provider>"
        )
    };
    let wide: String = (0..4000).map(|n| within(n) + &wrong(n)).collect();
    let text = format!("{HEAD}{}{}{TAIL}", provider("wide", wide), provider("narrow", within(4000)));
    let (layers, problems) = load(text.as_bytes());
    assert_eq!(problems, []);
    assert_eq!(candidates(&layers), ["narrow", "wide"]);
    assert!(1_000_000 * within(0).len() > 16 << 20);
}

/// Inputs that the fuzzer found worth keeping, and those that it starts from.
#[test]
fn the_corpus_does_no_harm() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/operator_data");
    let entries = std::fs::read_dir(corpus).expect("a corpus");
    let mut seen = 0;
    for entry in entries {
        fuzz(&std::fs::read(entry.expect("an entry").path()).expect("a readable file"));
        seen += 1;
    }
    assert!(seen >= 5, "{seen} files in {corpus}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        fuzz(&bytes);
    }

    /// Octets of a good file changed here and there.
    #[test]
    fn changed_octets_do_no_harm(changes in proptest::collection::vec((0..OVERLAY.len(), any::<u8>()), 1..20)) {
        let mut bytes = OVERLAY.as_bytes().to_vec();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        fuzz(&bytes);
    }

    /// Pieces of the format in any order.
    #[test]
    fn pieces_in_any_order_do_no_harm(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        fuzz((HEAD.to_owned() + &pieces.concat()).as_bytes());
    }

    /// Laws of the order: no access point twice, layers in order, the default last; and the same again.
    #[test]
    fn order_has_laws(
        vendor in proptest::collection::vec(record(), 0..6),
        overlay in proptest::collection::vec(record(), 0..4),
    ) {
        let text = |records: &[String]| format!("{HEAD}{}{TAIL}", records.concat());
        let (vendor, overlay) = (text(&vendor), text(&overlay));
        let file = |text| SourceFile { name: "f.xml", bytes: str::as_bytes(text) };
        let (layers, problems) = Layers::load(&[file(&vendor)], &[file(&overlay)]);
        prop_assert_eq!(problems, vec![]);
        let (identity, _) = Identity::normalise(&Reported {
            subscriber_id: "001015512345678",
            spn: "A",
            ..Reported::default()
        });
        let choice = layers.choose(&identity, &Wishes::default());
        prop_assert_eq!(&layers.choose(&identity, &Wishes::default()), &choice);
        let keys: Vec<_> = choice.candidates.iter().map(|c| (c.key(), c.password.reveal(), c.auth)).collect();
        for (place, key) in keys.iter().enumerate() {
            prop_assert!(!keys[..place].contains(key));
        }
        prop_assert!(choice.candidates.is_sorted_by_key(|candidate| candidate.source));
        prop_assert_eq!(choice.alternatives.is_empty(), choice.verdict != Match::Ambiguous);
        prop_assert_eq!(choice.verdict == Match::None, choice.record_count == 0);
        let tried: usize = choice.rounds().iter().map(|round| round.len() - 1).sum();
        if choice.listed().len() < choice.candidates.len() {
            prop_assert_eq!(tried, choice.listed().len());
        }
        for layer in &choice.explanation.layers {
            let best_first = layer.considered.is_sorted_by_key(|one| std::cmp::Reverse((one.targets, one.weight)));
            prop_assert!(best_first);
        }
    }
}

const PIECES: &[&str] = &[
    "<provider>",
    "<provider ov:op='delete'>",
    "<provider ov:op='replace' ov:exclusive='true'>",
    "</provider>",
    "<name>Contoso Kids</name>",
    "<gsm>",
    "</gsm>",
    "<cdma>",
    "</cdma>",
    "<sid value='31999'/>",
    "<network-id mcc='001' mnc='01'/>",
    "<apn value='a'>",
    "</apn>",
    "<apn value='b'/>",
    "<usage type='internet'/>",
    "<ov:purpose type='purchase'/>",
    "<ov:select imsi-from='001015000000000' imsi-to='001015999999999'/>",
    "<ov:select iccid-from='8988303332907639400' iccid-to='8988303332907639499' iccid-prefix='89'/>",
    "<ov:select gid1='D1' spn='Contoso Kids'/>",
    "<ov:select/>",
    "<ov:account-url>https://x.example/</ov:account-url>",
    "<ov:api-url>https://x.example/api</ov:api-url>",
    "</country>",
    "<country code='xt'>",
    "</serviceproviders>",
];

fn record() -> impl Strategy<Value = String> {
    let attributes = proptest::sample::select(&["", "primary='true'", "primary='false'", "ov:exclusive='true'"][..]);
    let name = proptest::sample::select(&["A", "B", "C/A"][..]);
    let select = proptest::sample::select(
        &["", "<ov:select imsi-prefix='00101'/>", "<ov:select spn='a' imsi-prefix='0010155'/>", "<ov:select spn='b'/>"]
            [..],
    );
    let apns = proptest::collection::vec(
        proptest::sample::select(
            &[
                "<apn value='a'/>",
                "<apn value='A'><usage type='internet'/></apn>",
                "<apn value='a'><username>u</username></apn>",
                "<apn value='mms'><usage type='mms'/></apn>",
                "<apn value='c'><ov:auto-connect order='1'/></apn>",
            ][..],
        ),
        0..5,
    );
    (attributes, name, select, apns).prop_map(|(attributes, name, select, apns)| {
        format!(
            "<provider {attributes}><name>{name}</name><gsm><network-id mcc='001' mnc='01'/>{select}{}</gsm></provider>",
            apns.concat()
        )
    })
}

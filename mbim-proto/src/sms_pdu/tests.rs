use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::Value;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn deliver(hex: &str) -> Deliver {
    let pdu = Pdu::decode(&bytes(hex)).unwrap();
    assert_eq!(pdu.encode().unwrap(), bytes(hex), "written as it was read");
    let Tpdu::Deliver(deliver) = pdu.tpdu else { panic!("{pdu:?}") };
    deliver
}

fn text(content: &str) -> UserData {
    UserData { header: Vec::new(), content: Content::Text(content.into()) }
}

/// The two PDUs that every introduction to the format takes apart.
#[test]
fn well_known_messages() {
    let came = "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37";
    let pdu = Pdu::decode(&bytes(came)).unwrap();
    assert_eq!(pdu.service_centre.as_ref().unwrap().written(), "+27381000015");
    let one = deliver(came);
    assert_eq!((one.originator.kind, one.originator.text.as_str()), (0xc8, "27838890001"));
    assert_eq!((one.more_messages, one.scheme, one.protocol), (false, Scheme::GSM7, 0));
    assert_eq!(one.timestamp.to_string(), "2099-03-29T15:16:59+02:00");
    assert_eq!(one.user_data, text("hellohello"));

    let sent = bytes("0011000B916407281553F80000AA0AE8329BFD4697D9EC37");
    let pdu = Pdu::decode(&sent).unwrap();
    assert_eq!(pdu.encode().unwrap(), sent);
    assert_eq!((pdu.service_centre.is_none(), pdu.tpdu.text()), (true, Some("hellohello")));
    let Tpdu::Submit(one) = pdu.tpdu else { panic!() };
    assert_eq!(one.destination.written(), "+46708251358");
    assert_eq!(one.validity.minutes(), Some(4 * 24 * 60));
}

/// Packed by another hand, of the figures of 3GPP TS 23.040.
#[test]
fn messages_of_every_kind() {
    let name = deliver("00040ED0D637396C7EBBCB00006211127150000402C834");
    assert_eq!((name.originator.written().as_str(), &name.user_data), ("Vodafone", &text("Hi")));
    assert_eq!(name.timestamp.to_string(), "2026-11-21T17:05:00+10:00");

    let flash = deliver("000404815155001062111271500004039B7210");
    assert_eq!((flash.scheme.class(), &flash.user_data), (Some(Class::Flash), &text("€A")));

    let ports = deliver("0044048151550004621112715000040A06050423F40000CAFE01");
    assert_eq!(ports.user_data.ports(), Some(Ports { destination: 9204, source: 0, wide: true }));
    assert_eq!(ports.user_data.content, Content::Octets(vec![0xca, 0xfe, 0x01]));

    let part = deliver("00440481515500006211127150000409050003CC02018242");
    let concatenation = Concatenation { reference: 0xcc, wide: false, total: 2, part: 1 };
    assert_eq!(part.user_data.concatenation(), Some(concatenation));
    assert_eq!(part.user_data.content, Content::Text("AB".into()), "behind the bits that fill up");

    let wide = deliver("0044048151550008621112715000040B060804123403020436044F");
    let concatenation = Concatenation { reference: 0x1234, wide: true, total: 3, part: 2 };
    assert_eq!(wide.user_data.concatenation(), Some(concatenation));
    assert_eq!(wide.user_data.content, Content::Text("жя".into()));

    let turkish = deliver("0044048151550000621112715000040903240101486ECE64");
    assert_eq!(turkish.user_data.languages(), (Language::DEFAULT, Language::TURKISH));
    assert_eq!(turkish.user_data.content, Content::Text("Iğd".into()));

    for (hex, said) in [
        ("0006420B916407281553F8621112715000046211127150100420", None),
        ("0002420B916407281553F862111271500004621112715010040007000002EF35", Some("ok")),
    ] {
        let pdu = Pdu::decode(&bytes(hex)).unwrap();
        assert_eq!((pdu.encode().unwrap(), pdu.tpdu.text()), (bytes(hex), said));
        let Tpdu::StatusReport(report) = pdu.tpdu else { panic!() };
        assert_eq!((report.reference, report.recipient.written().as_str()), (0x42, "+46708251358"));
        assert_eq!(report.discharge.to_string(), "2026-11-21T17:05:01+10:00");
        let outcome = if said.is_none() { Outcome::StillTrying } else { Outcome::Completed };
        assert_eq!((report.outcome(), report.more_messages), (outcome, said.is_some()));
    }
}

#[test]
fn coding_schemes() {
    use Alphabet::{Gsm7, Octets, Ucs2};
    for (byte, alphabet, class) in [
        (0x00, Gsm7, None),
        (0x03, Gsm7, None),
        (0x04, Octets, None),
        (0x08, Ucs2, None),
        (0x0c, Octets, None),
        (0x10, Gsm7, Some(Class::Flash)),
        (0x19, Ucs2, Some(Class::Device)),
        (0x20, Octets, None),
        (0x52, Gsm7, Some(Class::Sim)),
        (0x80, Gsm7, None),
        (0xc0, Gsm7, None),
        (0xe8, Ucs2, None),
        (0xf0, Gsm7, Some(Class::Flash)),
        (0xf7, Octets, Some(Class::Terminal)),
    ] {
        assert_eq!((Scheme(byte).alphabet(), Scheme(byte).class()), (alphabet, class), "{byte:#x}");
    }
    assert!(Scheme(0x44).is_deleted_when_read() && !Scheme(0x04).is_deleted_when_read());
    assert_eq!(Scheme(0xca).indication(), Some(Indication { active: true, kind: 2, discard: true }));
    assert_eq!(Scheme(0xd0).indication(), Some(Indication { active: false, kind: 0, discard: false }));
    assert_eq!((Scheme(0x00).indication(), Scheme::UCS2.with_class(Class::Flash)), (None, Scheme(0x18)));
}

#[test]
fn validity_in_its_steps() {
    for (steps, minutes) in
        [(0, 5), (143, 720), (144, 750), (167, 1440), (168, 2880), (196, 43_200), (197, 50_400), (255, 635_040)]
    {
        assert_eq!(Validity::Relative(steps).minutes(), Some(minutes), "{steps}");
    }
    assert_eq!(Validity::None.minutes(), None);
}

#[test]
fn times_and_nonsense() {
    let moment = Moment { year: 26, month: 11, day: 21, hour: 17, minute: 5, second: 9, quarters: -14 };
    let stamp = Timestamp::from(moment);
    assert_eq!((stamp.0, stamp.moment()), ([0x62, 0x11, 0x12, 0x71, 0x50, 0x90, 0x49], Some(moment)));
    assert_eq!(stamp.to_string(), "2026-11-21T17:05:09-03:30");
    assert_eq!((Timestamp([0; 7]).moment(), Timestamp([0xff; 7]).moment()), (None, None));
    assert_eq!(Timestamp([0; 7]).to_string(), "00000000000000");
}

#[test]
fn tables_of_languages() {
    use super::alphabet::{septets, text};
    for (sample, locking, single) in [
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà{}[]~\\|^€\u{c}", Language::DEFAULT, Language::DEFAULT),
        ("İstanbul'da ğüşıöç €", Language::TURKISH, Language::DEFAULT),
        ("Iğdır ŞİŞ", Language::DEFAULT, Language::TURKISH),
        ("¿Qué día? Ó, Ú, Á, Í", Language::DEFAULT, Language::SPANISH),
        ("São Paulo: ÂÃÊÔÕÚ ãõâêôú ∞ `", Language::PORTUGUESE, Language::PORTUGUESE),
        ("नमस्ते १२", Language::HINDI, Language::HINDI),
        ("வணக்கம்", Language::TAMIL, Language::DEFAULT),
        ("سلام", Language::URDU, Language::DEFAULT),
    ] {
        let codes = septets(sample, locking, single).unwrap_or_else(|error| panic!("{locking:?}: {error}"));
        assert_eq!(text(&codes, locking, single), sample);
    }
    assert_eq!(septets("ğ", Language::DEFAULT, Language::DEFAULT), Err(Unsendable::Character('ğ')));
    // What is not known is what it is without the escape; a number without tables means the default ones.
    assert_eq!(text(&[0x1b, 0x41, 0x1b, 0x1b, 0x1b], Language::DEFAULT, Language(77)), "A  ");
    // A character of each table, at the place that the annex has it.
    for (language, locking, single) in [
        (1, (0x40, 'İ'), (0x73, 'ş')),
        (2, (0x40, '¡'), (0x09, 'ç')),
        (3, (0x15, '∞'), (0x7b, 'ã')),
        (4, (0x02, '\u{983}'), (0x19, '\u{9e6}')),
        (5, (0x02, '\u{a83}'), (0x1c, '\u{ae6}')),
        (6, (0x03, '\u{905}'), (0x1c, '\u{966}')),
        (7, (0x01, '\u{c82}'), (0x1c, '\u{ce6}')),
        (8, (0x01, '\u{d02}'), (0x1c, '\u{d66}')),
        (9, (0x00, '\u{b01}'), (0x1c, '\u{b66}')),
        (10, (0x00, '\u{a01}'), (0x1c, '\u{a66}')),
        (11, (0x01, '\u{b82}'), (0x1c, '\u{be6}')),
        (12, (0x00, '\u{c01}'), (0x1c, '\u{c66}')),
        (13, (0x00, '\u{627}'), (0x1c, '\u{6f0}')),
    ] {
        let language = Language(language);
        assert_eq!(text(&[locking.0], language, Language::DEFAULT), locking.1.to_string(), "{language:?}");
        assert_eq!(text(&[0x1b, single.0], Language::DEFAULT, language), single.1.to_string(), "{language:?}");
    }
}

#[test]
fn texts_are_cut_where_they_may_be() {
    let narrow = Reference::Narrow(9);
    let lengths = |text: &str, allowed: &[Language], reference| {
        let parts = split(text, allowed, reference).unwrap();
        let sizes = |part: &Part| match &part.user_data.content {
            Content::Text(text) => text.chars().count(),
            Content::Octets(octets) => octets.len(),
        };
        (parts[0].scheme, parts.iter().map(sizes).collect::<Vec<_>>())
    };
    assert_eq!(lengths(&"a".repeat(160), &[], narrow), (Scheme::GSM7, vec![160]));
    assert_eq!(lengths(&"a".repeat(161), &[], narrow), (Scheme::GSM7, vec![153, 8]));
    assert_eq!(lengths(&"a".repeat(161), &[], Reference::Wide(9)), (Scheme::GSM7, vec![152, 9]));
    assert_eq!(lengths(&"€".repeat(81), &[], narrow), (Scheme::GSM7, vec![76, 5]), "no escape without its character");
    assert_eq!(lengths(&"ж".repeat(70), &[], narrow), (Scheme::UCS2, vec![70]));
    assert_eq!(lengths(&"ж".repeat(71), &[], narrow), (Scheme::UCS2, vec![67, 4]));
    assert_eq!(lengths(&"😀".repeat(36), &[], narrow), (Scheme::UCS2, vec![33, 3]), "no half of a pair");
    assert_eq!(lengths(&"ş".repeat(100), &[], narrow).0, Scheme::UCS2, "only what is allowed");
    let turkish = split(&"ş".repeat(100), &[Language::SPANISH, Language::TURKISH], narrow).unwrap();
    assert_eq!(turkish.len(), 1);
    assert_eq!(turkish[0].user_data.languages(), (Language::TURKISH, Language::TURKISH));
    assert_eq!(split("", &[], narrow).unwrap().len(), 1);
    assert_eq!(split(&"a".repeat(153 * 255 + 1), &[], narrow), Err(Unsendable::TooManyParts { parts: 256 }));
}

#[test]
fn parts_are_joined_in_any_order() {
    let text = "a".repeat(400);
    let parts = split(&text, &[], Reference::Wide(0x1234)).unwrap();
    let mut data: Vec<&UserData> = parts.iter().map(|part| &part.user_data).collect();
    data.rotate_left(1);
    data.push(data[0]);
    assert_eq!(join(data.iter().copied()), Some(Content::Text(text)));
    assert_eq!(join(data[1..2].iter().copied()), None, "one is missing");
    let other = split(&"b".repeat(400), &[], Reference::Wide(0x1235)).unwrap();
    assert_eq!(join([&parts[0].user_data, &parts[1].user_data, &other[2].user_data]), None, "of another message");
    assert_eq!(join(core::iter::empty()), None);
}

#[test]
fn what_cannot_be_sent_is_said() {
    let submit = |submit| Pdu { service_centre: None, tpdu: Tpdu::Submit(submit) }.encode();
    let to = |text: &str| Submit { destination: Address::number(text), ..Submit::default() };
    assert_eq!(submit(to("+1555x")), Err(Unsendable::Digit('x')));
    assert_eq!(submit(to(&"1".repeat(21))), Err(Unsendable::Address { size: 21, most: 20 }));
    let with =
        |scheme, content| Submit { scheme, user_data: UserData { header: Vec::new(), content }, ..Submit::default() };
    assert_eq!(submit(with(Scheme::GSM7, Content::Text("ж".into()))), Err(Unsendable::Character('ж')));
    assert_eq!(submit(with(Scheme::GSM7, Content::Octets(vec![1]))), Err(Unsendable::Scheme));
    let long = Unsendable::TooLong { size: 142, most: 140 };
    assert_eq!(submit(with(Scheme::UCS2, Content::Text("ж".repeat(71)))), Err(long));
    let centre = Some(Address::number(&"1".repeat(21)));
    let pdu = Pdu { service_centre: centre, tpdu: Tpdu::default() };
    assert_eq!(pdu.encode(), Err(Unsendable::Address { size: 21, most: 20 }));
}

#[test]
fn errors_name_field_and_place() {
    let error = |hex: &str| Pdu::decode(&bytes(hex)).unwrap_err().to_string();
    assert_eq!(error(""), "Pdu.service_centre at byte 0: 1 bytes needed, 0 left");
    assert_eq!(error("0891"), "Pdu.service_centre at byte 1: length 8 is not between 0 and 1");
    assert_eq!(error("0011000B9164"), "Pdu.tp_da at byte 5: 6 bytes needed, 1 left");
    assert_eq!(error("00040481515500046211127150000405AA"), "Pdu.tp_ud at byte 16: 5 bytes needed, 1 left");
    let header = error("0044048151550004621112715000040306AABB");
    assert_eq!(header, "Pdu.tp_udh at byte 19: length 6 is not between 0 and 2");
}

#[test]
fn nothing_personal_is_printed_unasked() {
    let secret = Submit { destination: Address::number("+15550100"), user_data: text("geheim"), ..Submit::default() };
    let pdu = Pdu { service_centre: Some(Address::number("+15550199")), tpdu: Tpdu::Submit(secret) };
    let hidden = format!("{pdu:?} {}", pdu.value(false));
    assert!(!hidden.contains("geheim") && !hidden.contains("5550"), "{hidden}");
    let shown = pdu.value(true);
    assert_eq!(shown.field("destination"), Some(&Value::Text("+15550100".into())));
    assert_eq!(shown.field("text"), Some(&Value::Text("geheim".into())));
}

fn language() -> impl Strategy<Value = Language> {
    (0u8..15).prop_map(Language)
}

fn address() -> impl Strategy<Value = Address> {
    let digits = ("[0-9*#abc]{0,20}", prop::sample::select(vec![0x81, 0x91, 0xa1, 0xc8]));
    let name = ("[A-Za-z0-9 ]{0,11}", Just(Address::ALPHANUMERIC));
    prop_oneof![digits, name].prop_map(|(text, kind)| Address { kind, text })
}

/// Anything that can be said in one message.
fn user_data() -> impl Strategy<Value = (Scheme, UserData)> {
    let known = prop_oneof![
        language().prop_map(Element::single_shift),
        language().prop_map(Element::locking_shift),
        (any::<u16>(), 1u8..9, 1u8..9).prop_map(|(reference, total, part)| {
            Concatenation { reference, wide: true, total: total.max(part), part }.into()
        }),
        (any::<u8>(), any::<Vec<u8>>()).prop_map(|(identifier, mut data)| {
            data.truncate(6);
            Element { identifier, data }
        }),
    ];
    let codes = prop::collection::vec(0u8..128, 0..60);
    (prop::collection::vec(known, 0..3), any::<u8>(), codes, "\\PC{0,20}", any::<Vec<u8>>()).prop_map(
        |(header, scheme, codes, text, mut octets)| {
            let (locking, single) = header::languages(&header);
            octets.truncate(80);
            let content = match Scheme(scheme).alphabet() {
                Alphabet::Gsm7 => Content::Text(alphabet::text(&codes, locking, single)),
                Alphabet::Ucs2 => Content::Text(text.chars().take(20).collect()),
                Alphabet::Octets => Content::Octets(octets),
            };
            (Scheme(scheme), UserData { header, content })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        (scheme, user_data) in user_data(), address in address(), centre in prop::option::of("[0-9]{1,20}"),
        flags: [bool; 4], octets: [u8; 9], kind in 0..3,
    ) {
        let [a, b, c, d] = flags;
        let [reference, protocol, stamp @ ..] = octets;
        let timestamp = Timestamp(stamp);
        let tpdu = match kind {
            0 => Tpdu::Deliver(Deliver {
                more_messages: a, loop_prevention: b, status_report_indication: c, reply_path: d,
                originator: address, protocol, scheme, timestamp, user_data,
            }),
            1 => Tpdu::Submit(Submit {
                reject_duplicates: a, reply_path: b, status_report_request: c, reference, destination: address, protocol,
                scheme, user_data, validity: match (c, d) {
                    (true, true) => Validity::Absolute(timestamp),
                    (true, false) => Validity::Relative(protocol),
                    (false, true) => Validity::Enhanced(stamp),
                    (false, false) => Validity::None,
                },
            }),
            _ => Tpdu::StatusReport(StatusReport {
                more_messages: a, loop_prevention: b, of_command: c, reference, recipient: address, timestamp,
                discharge: Timestamp([1; 7]), status: protocol, protocol: d.then_some(protocol), scheme: Some(scheme),
                user_data: Some(user_data),
            }),
        };
        let pdu = Pdu { service_centre: centre.map(|number| Address::number(&number)), tpdu };
        let wire = pdu.encode().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let read = Pdu::decode(&wire).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&read, &pdu);
        prop_assert_eq!(read.encode(), Ok(wire.clone()), "canonical octets stay as they are");
        for size in 0..wire.len() {
            prop_assert!(Pdu::decode(&wire[..size]).is_err() || kind == 2, "cut at {}", size);
        }
    }

    #[test]
    fn texts_come_back_from_their_parts(text in "[a-zA-Z€{} şğıçé]{0,500}|\\PC{0,200}", wide: bool, allowed in prop::collection::vec(language(), 0..3)) {
        let reference = if wide { Reference::Wide(300) } else { Reference::Narrow(3) };
        let parts = split(&text, &allowed, reference).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut read = Vec::new();
        for part in &parts {
            let submit = Submit { scheme: part.scheme, user_data: part.user_data.clone(), ..Submit::default() };
            let wire = Pdu { service_centre: None, tpdu: Tpdu::Submit(submit) }.encode();
            let wire = wire.map_err(|error| TestCaseError::fail(error.to_string()))?;
            read.push(Pdu::decode(&wire).unwrap().tpdu.user_data().unwrap().clone());
        }
        let whole = match &read[..] {
            [one] => Some(one.content.clone()),
            several => join(several.iter().rev()),
        };
        prop_assert_eq!(whole, Some(Content::Text(text)));
    }

    /// Whatever reads is printed, and reads again as the same if it can be written.
    #[test]
    fn noise_does_no_harm(mut noise: Vec<u8>, first: u8, at in 0usize..64, with: u8) {
        noise.insert(0, first % 12);
        let long = bytes("0044038151550500001111110000000012050003CC020182C8329BFD6601");
        let mut changed = long.clone();
        changed[at % long.len()] = with;
        for wire in [noise, changed] {
            let Ok(pdu) = Pdu::decode(&wire) else { continue };
            let _: String = format!("{pdu:?} {} {}", pdu.value(false), pdu.value(true));
            if let Ok(again) = pdu.encode() {
                prop_assert_eq!(Pdu::decode(&again), Ok(pdu));
            }
        }
    }
}

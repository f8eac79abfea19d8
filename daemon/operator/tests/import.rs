//! Databases of others, imported and printed as an overlay that chooses what the other program would. `[OPER 3.2, 3.3]`

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

mod support;

use daemon_operator::database::Trouble;
use daemon_operator::import::{Format, Imported, read};
use daemon_operator::layers::Layer;
use daemon_operator::overlay::{
    AccessPoint, Host, NamedCertificate, Op, OperatorRecord, Selectors, Settings, Usage, print,
};
use daemon_operator::profile::{IpType, Password, RoamingMode};
use daemon_operator::{Auth, Choice, Identity, Layers, Purposes, Reported, SourceFile, Wishes};
use proptest::prelude::*;
use support::vendor;

const ANDROID: &str = include_str!("samples/import/android.xml");
const WINDOWS: &str = include_str!("samples/import/windows.xml");
const COSA: &str = include_str!("samples/import/cosa.xml");

fn imported(text: &str, format: Format) -> (Imported, Layers) {
    let imported = read("import.xml", text.as_bytes()).expect("a file that can be imported");
    assert_eq!(imported.format, format);
    let overlay = print(&imported.records);
    let (layers, problems) = Layers::load(&[], &[SourceFile { name: "o.xml", bytes: overlay.as_bytes() }]);
    assert_eq!(problems, [], "{overlay}");
    assert_eq!(layers.records(Layer::Overlay), imported.records, "printed and read back");
    (imported, layers)
}

fn choose(layers: &Layers, reported: &Reported<'_>) -> Choice {
    let reported = Reported { subscriber_id: "001019912345678", mnc_length: Some(2), ..*reported };
    layers.choose(&Identity::normalise(&reported).0, &Wishes::default())
}

fn apns<'a>(candidates: impl IntoIterator<Item = &'a daemon_operator::Candidate>) -> Vec<&'a str> {
    candidates.into_iter().map(|candidate| candidate.apn.as_str()).collect()
}

fn told(imported: &Imported) -> Vec<String> {
    imported.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn android_lists_become_records_by_network_and_virtual_operator() {
    let (file, layers) = imported(ANDROID, Format::Android);
    let names: Vec<&str> = file.records.iter().map(|record| record.names[0].as_str()).collect();
    assert_eq!(names, ["Contoso", "Kids", "Block", "Named"]);
    let host = choose(&layers, &Reported::default());
    assert_eq!(apns(host.listed()), ["internet"]);
    let first = &host.candidates[0];
    assert_eq!((first.user.as_str(), first.password.reveal(), first.auth), ("web", " x", None));
    assert_eq!((first.ip_home, first.ip_roaming), (Some(IpType::V4v6), Some(IpType::V4)));
    assert_eq!(apns(host.tether()), ["internet"]);
    let mms: Vec<_> = host.mms().collect();
    assert_eq!(mms[0].mms_proxy.as_deref(), Some("10.0.0.1:8080"));
    assert_eq!(host.attach().map(|attach| attach.apn.as_str()), Some(""), "left to the network");
    let kids = choose(&layers, &Reported { gid1: "D1C4FF", ..Reported::default() });
    assert_eq!((apns(kids.listed())[0], kids.candidates[0].auth), ("kids", Some(Auth::Pap)));
    let named = choose(&layers, &Reported { spn: "NAMED & co", ..Reported::default() });
    assert_eq!(apns(named.listed())[0], "named");
    let (block, _) = Identity::normalise(&Reported { subscriber_id: "001015512345678", ..Reported::default() });
    assert_eq!(apns(layers.choose(&block, &Wishes::default()).listed())[0], "block");
    assert_eq!(
        told(&file),
        [
            "import.xml:10:3: left out: an IMSI pattern with free places before digits",
            "import.xml:11:3: unusable value of mcc and mnc ignored",
            "import.xml:12:3: left out: carrier_enabled is false",
            "import.xml:13:3: unusable value of apn ignored",
            "import.xml:14:3: left out: no type that records know",
        ]
    );
}

#[test]
fn the_old_database_of_windows_matches_by_our_hardware_ids_only() {
    let (file, layers) = imported(WINDOWS, Format::Windows);
    let choice = choose(&layers, &Reported { provider_id: "00101", ..Reported::default() });
    let operator = choice.operator.as_ref().expect("an operator");
    assert_eq!(
        (operator.name.as_str(), operator.account_url.as_deref()),
        ("Contoso", Some("https://portal.contoso.example/start"))
    );
    assert_eq!(apns(choice.listed()), ["first", "second"]);
    assert_eq!((choice.candidates[1].auth, choice.candidates[0].password.reveal()), (Some(Auth::MsChapV2), "pass"));
    assert_eq!(apns(choice.purchase()), ["buy"]);
    // Windows' own ids stand there, and match nothing.
    assert_eq!(file.records[1].selects[0].hwid.as_deref(), Some("MBAE:0:AAAA^BBBB"));
    assert!(file.records[1].cdma.is_some());
    let operator = choice.operator.as_ref().expect("an operator");
    assert_eq!(operator.service_number.as_deref(), Some("{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}"));
    assert_eq!((operator.certificates.len(), operator.certificates[0].issuer.as_str()), (1, "CN=Root"));
    let told = told(&file);
    let wanted = ["of TrustedCertificate", "of AccessString", "of OperatorGUID", "hardware ids is not published"];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.contains(wanted), "{told}");
    }
}

#[test]
fn answer_files_of_cosa_become_records_by_their_targets() {
    let (file, layers) = imported(COSA, Format::Cosa);
    let shape: Vec<_> =
        file.records.iter().map(|r| (r.names[0].as_str(), r.plmns.len(), r.selects.len(), r.op)).collect();
    assert_eq!(shape, [("Contoso", 2, 0, Op::Add), ("Contoso Kids", 1, 2, Op::Add), ("Old", 2, 0, Op::Delete)]);
    let host = choose(&layers, &Reported::default());
    assert_eq!(
        (apns(host.listed()), apns(host.mms()), apns(host.purchase())),
        (vec!["internet"], vec!["internet"], vec!["buy"])
    );
    let first = &host.candidates[0];
    assert_eq!(
        (first.auth, first.ip_home, first.roaming),
        (Some(Auth::Pap), Some(IpType::V4v6), Some(RoamingMode::Home))
    );
    assert_eq!(host.operator.expect("an operator").account_url.as_deref(), Some("https://portal.contoso.example/"));
    for kids in [
        Reported { iccid: "8999000012345678901", ..Reported::default() },
        Reported { gid1: "D1", spn: "kids", ..Reported::default() },
    ] {
        assert_eq!(apns(choose(&layers, &kids).listed())[0], "kids");
    }
    let told = told(&file);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("a target with a pattern") && told[1].contains("without a target in this file"));
}

#[test]
fn files_that_cannot_be_imported_say_where() {
    let why = |text: &str| read("f.xml", text.as_bytes()).expect_err("refused").to_string();
    assert!(why("<x/>").starts_with("f.xml:1:1: \"x\" is none of serviceproviders"), "{}", why("<x/>"));
    assert_eq!(why("<apns>\n <apn carrier='&lol;'/></apns>"), "f.xml:2:2: entities are not expanded");
    assert_eq!(why("<apns><apn>"), "f.xml:1:12: the file ends inside an element");
    assert_eq!(why(""), "f.xml:1:1: the file ends inside an element");
    assert!(why("<apns></apns><apns/>").contains("not well-formed"));
    assert_eq!(why(&format!("<apns>{}", "<a>".repeat(40))), "f.xml:1:52: elements are nested deeper than 16");
    assert!(why("<serviceproviders format='3.0'/>").contains("format 2.0 is expected"));
    let many = format!("<apns>{}</apns>", "<apn/>".repeat(200_000));
    assert_eq!(read("f.xml", many.as_bytes()).expect_err("refused").what, Trouble::TooManyElements);
    // Everything refers to everything: what comes of it is bounded.
    let states =
        "<TargetState><Condition Name='Mcc' Value='001'/><Condition Name='Mnc' Value='01'/></TargetState>".repeat(300);
    let target = |id: usize| format!("<Target Id='{id}'>{states}</Target>");
    let refs: String = (0..20).map(|id| format!("<TargetRef Id='{id}'/>")).collect();
    let profile = format!("<Profile Name='p'><TargetRefs>{refs}</TargetRefs></Profile>").repeat(1000);
    let text =
        format!("<WindowsCustomizations>{}{profile}</WindowsCustomizations>", (0..20).map(target).collect::<String>());
    let file = read("f.xml", text.as_bytes()).expect("read");
    assert_eq!(file.problems.last().map(|problem| &problem.what), Some(&Trouble::TooManyElements));
    assert!(file.records.len() < 100, "{}", file.records.len());
}

/// All 700 records of the distribution, and what they make a SIM choose, survive.
#[test]
fn the_vendor_database_survives_printing() {
    let Some(bytes) = vendor("printing the vendor database") else { return };
    let (layers, _) = Layers::load(&[SourceFile { name: "serviceproviders.xml", bytes: &bytes }], &[]);
    let records = layers.records(Layer::Vendor);
    assert_eq!(records.len(), 700);
    let text = print(&records);
    let (again, problems) = Layers::load(&[SourceFile { name: "again.xml", bytes: text.as_bytes() }], &[]);
    assert_eq!(problems, []);
    assert!(again.records(Layer::Vendor) == records);
    assert_eq!(again.vendor_counts(), layers.vendor_counts().without_the_unusable());
    let file = read("serviceproviders.xml", &bytes).expect("imported");
    assert!(file.format == Format::ServiceProviders && file.records == records);
}

trait Usable {
    fn without_the_unusable(self) -> Self;
}

impl Usable for daemon_operator::database::Counts {
    /// One access point is an URL and is not printed; one country is empty.
    fn without_the_unusable(self) -> Self {
        Self { apns: self.apns - 1, countries: self.countries - 1, ..self }
    }
}

#[test]
fn the_sample_overlay_survives_printing() {
    let bytes = include_bytes!("samples/overlay.xml");
    let (layers, _) = Layers::load(&[], &[SourceFile { name: "overlay.xml", bytes }]);
    let records = layers.records(Layer::Overlay);
    assert_eq!(records.len(), 11);
    let text = print(&records);
    let (again, problems) = Layers::load(&[], &[SourceFile { name: "again.xml", bytes: text.as_bytes() }]);
    assert_eq!(problems, []);
    assert_eq!(again.records(Layer::Overlay), records);
}

// ---- any record

/// Texts with all that XML treats in a way of its own.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<"),
        Just("&"),
        Just("\""),
        Just("'"),
        Just("]]>"),
        Just(" "),
        Just("\n"),
        Just("\t"),
        Just("\r"),
        Just("é"),
        Just("名"),
        Just("a"),
        Just("0")
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn trimmed() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.trim().to_owned())
}

fn settings() -> impl Strategy<Value = Settings> {
    let purposes = prop::option::of(prop::sample::select(vec![
        Purposes::NONE,
        Purposes::INTERNET,
        Purposes::INTERNET.with(Purposes::MMS),
        Purposes::PURCHASE.with(Purposes::ESIM),
    ]));
    let usage = prop::sample::select(vec![
        Usage::Internet,
        Usage::InternetAndMms,
        Usage::Unsaid,
        Usage::Wap,
        Usage::Mms,
        Usage::Other,
    ]);
    let family = || prop::option::of(prop::sample::select(vec![IpType::V4, IpType::V6, IpType::V4v6]));
    let auth = prop::option::of(prop::sample::select(vec![Auth::None, Auth::Pap, Auth::Chap, Auth::MsChapV2]));
    let roaming = prop::option::of(prop::sample::select(vec![
        RoamingMode::Home,
        RoamingMode::HomePartner,
        RoamingMode::All,
        RoamingMode::RoamingOnly,
    ]));
    (purposes, usage, auth, family(), family(), roaming, 0_u32..4, any::<(bool, bool)>()).prop_map(
        |(purposes, usage, auth, ip_home, ip_roaming, roaming, order, (prepaid, postpaid))| Settings {
            order,
            auth,
            usage,
            purposes,
            prepaid,
            postpaid,
            ip_home,
            ip_roaming,
            roaming,
        },
    )
}

fn access_point() -> impl Strategy<Value = AccessPoint> {
    let dns = prop::collection::vec(any::<std::net::IpAddr>(), 0..2);
    ("[a-z0-9_.-]{0,3}[a-z]", text(), text(), trimmed(), trimmed(), dns, settings()).prop_filter_map(
        "a name",
        |(value, user, password, mmsc, mms_proxy, dns, settings)| {
            let password = Password::new(password);
            daemon_operator::profile::is_apn(&value).then_some(AccessPoint {
                value,
                user,
                password,
                mmsc,
                mms_proxy,
                dns,
                settings,
            })
        },
    )
}

fn selectors() -> impl Strategy<Value = Selectors> {
    let value = || prop::option::of(trimmed());
    (value(), value(), value(), value(), value(), any::<bool>()).prop_map(
        |(imsi_from, iccid_prefix, gid1, spn, hwid, unknown)| Selectors {
            imsi_from,
            iccid_prefix,
            gid1,
            spn,
            hwid,
            unknown,
            ..Selectors::default()
        },
    )
}

fn account() -> impl Strategy<Value = (String, Vec<NamedCertificate>)> {
    let number = prop::sample::select(vec![
        "",
        "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}",
        "7D3C1F52-0B5E-4C7A-9A41-5E2F6B8C9D10",
    ]);
    let said = || trimmed().prop_filter("a name", |name| !name.is_empty());
    let named = (said(), said()).prop_map(|(subject, issuer)| NamedCertificate { subject, issuer });
    (number.prop_map(str::to_owned), prop::collection::vec(named, 0..3))
}

fn record() -> impl Strategy<Value = OperatorRecord> {
    let name = trimmed().prop_filter("a name", |name| !name.is_empty());
    let code = prop::sample::select(vec!["00101", "001012", "26202", "310260"])
        .prop_map(|code| daemon_operator::identity::Plmn::parse(code).expect("a code"));
    let sid = (1_u16..100).prop_map(|sid| daemon_operator::identity::Sid::parse(&sid.to_string()).expect("a system"));
    let cdma = prop::option::of((text(), text(), prop::collection::vec(sid, 0..3)));
    (
        (text(), prop::collection::vec(name, 0..3), trimmed()),
        prop::collection::vec(code, 0..3),
        prop::collection::vec(selectors(), 0..3),
        prop::collection::vec(access_point(), 0..3),
        cdma,
        prop::sample::select(vec![Host::Yes, Host::No, Host::Unsaid]),
        prop::sample::select(vec![Op::Add, Op::Replace, Op::Delete]),
        (any::<bool>(), account()),
    )
        .prop_map(|((country, names, account_url), plmns, selects, apns, cdma, host, op, (exclusive, account))| {
            let (service_number, certificates) = account;
            let (cdma, sids) = match cdma {
                Some((user, password, sids)) => (Some((user, Password::new(password))), sids),
                None => (None, Vec::new()),
            };
            let api_url = account_url.replace("http", "https");
            OperatorRecord {
                country,
                names,
                account_url,
                api_url,
                plmns,
                sids,
                selects,
                apns,
                cdma,
                host,
                op,
                exclusive,
                service_number,
                certificates,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is printed is read back as the same records, whatever their texts hold.
    #[test]
    fn printed_records_are_read_back(records in prop::collection::vec(record(), 0..4)) {
        let text = print(&records);
        let (layers, problems) = Layers::load(&[], &[SourceFile { name: "o.xml", bytes: text.as_bytes() }]);
        // Only the marks of what nobody knows are told.
        for problem in &problems {
            let known = matches!(problem.what, Trouble::Value { element: "select" | "purpose" });
            prop_assert!(known, "{problem}\n{text}");
        }
        prop_assert_eq!(layers.records(Layer::Overlay), records, "{}", text);
    }

    /// Files in no order do no harm, and what comes of them can be printed and read back.
    #[test]
    fn any_pieces_are_imported_or_refused(
        root in 0..3_usize,
        pieces in prop::collection::vec(any::<(u16, u8)>(), 0..6),
    ) {
        let mut bytes = [ANDROID, WINDOWS, COSA][root].as_bytes().to_vec();
        for (place, byte) in pieces {
            let place = usize::from(place) % bytes.len();
            bytes[place] = byte;
        }
        if let Ok(imported) = read("f.xml", &bytes) {
            let text = print(&imported.records);
            let (layers, _) = Layers::load(&[], &[SourceFile { name: "o.xml", bytes: text.as_bytes() }]);
            prop_assert!(layers.records(Layer::Overlay).len() <= imported.records.len());
        }
    }
}

//! Every document of `tests/documents` in its context, against the results that it is to yield.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::PathBuf;

use daemon_provisioning::{
    Code, Document, Facts, ModemFacts, Moment, Outcome, Personal, Refused, Run, Shape, SimState, Source, StepAction,
    Stored, Time, Todo, is_trusted_login, plan, refused, validate,
};

const CARRIER: &str = "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}";
const IMSI: &str = "001010123456789";

/// Who hands a file over, and which SIM is there.
#[derive(Clone, Copy)]
enum Context {
    /// The operator's own program; its SIM is ready.
    App,
    /// A web site; the SIM is ready.
    Web,
    /// A program that nobody bound to a carrier; no modem.
    NoSim,
}

/// What a file yields now.
enum Yields {
    /// What `expected/` says.
    Expected,
    /// Something else, as `section[/leaf[label]]=code`, sorted; with the reason.
    Instead(&'static [&'static str], &'static str),
}

use Context::{App, NoSim, Web};
use Yields::{Expected, Instead};

const WLAN: &str = "Wi-Fi profiles are kept, and nothing sets them up yet";
const MESSAGES: &str = "message rules are kept, and nothing evaluates them yet";
const BRANDING: &str = "branding is kept, and nothing shows it yet";
const SIGNATURES: &str = "nothing here has the signature checked: a signed document is refused (daemon/verify/tests/samples.rs has it checked, and compares the results with those expected)";

/// A file, its context, the files applied before it, and what it yields. What is kept without an
/// effect has the code 22170102.
type Row = (&'static str, Context, &'static [&'static str], Yields);

const AFTER_02: &[&str] = &["valid/02-default-profile-and-plan.xml"];
const AFTER_03: &[&str] = &["valid/03-wlan-three-profiles.xml"];

const TABLE: &[Row] = &[
    ("valid/01-global-only.xml", App, &[], Expected),
    ("valid/02-default-profile-and-plan.xml", App, &[], Expected),
    ("valid/03-wlan-three-profiles.xml", App, &[], Instead(&["WLANProfiles=22170102"], WLAN)),
    ("valid/04-wlan-empty.xml", App, AFTER_03, Expected),
    ("valid/05-plans-description-and-usage.xml", App, AFTER_02, Expected),
    ("valid/06-plans-usage-only.xml", App, AFTER_02, Expected),
    ("valid/07-plans-usage-only-unknown.xml", App, AFTER_02, Expected),
    ("valid/08-activation-reregister.xml", App, &[], Expected),
    ("valid/09-activation-service-blob.xml", App, &[], Expected),
    (
        "valid/10-messages.xml",
        App,
        &[],
        Instead(
            &["MBNProfiles/DefaultProfile[Example Mobile]=00000000", "MBNProfiles/Messages=22170102", "Plans=00000000"],
            MESSAGES,
        ),
    ),
    ("valid/11-extensions-v2.xml", App, &[], Expected),
    ("valid/12-refresh-and-certificates.xml", App, &[], Expected),
    ("valid/13-wlan-eap-sim-and-v2-ssids.xml", App, &[], Instead(&["WLANProfiles=22170102"], WLAN)),
    (
        "valid/14-purchase-profile-and-branding.xml",
        App,
        &[],
        Instead(
            &[
                "MBNProfiles/Branding=22170102",
                "MBNProfiles/DefaultProfile[Example Mobile]=00000000",
                "MBNProfiles/PurchaseProfile[Example Mobile Shop]=00000000",
            ],
            BRANDING,
        ),
    ),
    ("signed/15-signed-ev.xml", Web, &[], Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("signed/16-signed-inclusive-c14n.xml", NoSim, &[], Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("valid/17-prose-hotspot-direct-credentials.xml", App, &[], Expected),
    ("valid/18-prose-eap-alias.xml", App, &[], Expected),
    ("valid/19-prose-refresh-username.xml", App, &[], Expected),
    ("one-fault/20-invalid-not-wellformed.xml", App, &[], Expected),
    ("one-fault/21-invalid-missing-subscriber.xml", App, &[], Expected),
    ("one-fault/22-invalid-section-order.xml", App, &[], Expected),
    ("one-fault/23-invalid-delay-one-hour.xml", App, &[], Expected),
    ("one-fault/24-invalid-directive-namespace.xml", App, &[], Expected),
    ("one-fault/25-invalid-refresh-http.xml", App, &[], Expected),
    ("one-fault/27-invalid-maxdevices.xml", App, &[], Expected),
    ("one-fault/28-invalid-guid-without-braces.xml", App, &[], Expected),
    (
        "valid/30-partial-plan-not-in-file.xml",
        App,
        &[],
        Instead(&["MBNProfiles=a2170101", "WLANProfiles=22170102"], WLAN),
    ),
    ("valid/31-partial-plan-unreferenced.xml", App, &[], Expected),
    (
        "valid/32-partial-message-rules.xml",
        App,
        &[],
        Instead(
            &[
                "MBNProfiles/DefaultProfile[Example Mobile]=00000000",
                "MBNProfiles/Messages/Message[1]=22170102",
                "MBNProfiles/Messages/Message[2]=82170008",
                "MBNProfiles/Messages/Message[3]=82170008",
                "MBNProfiles/Messages/Message[4]=82170008",
            ],
            MESSAGES,
        ),
    ),
    (
        "valid/33-partial-bad-psk.xml",
        App,
        &[],
        Instead(
            &[
                "WLANProfiles/WLANProfile[Example Lounge]=22170102",
                "WLANProfiles/WLANProfile[Example Short Key]=800704b6",
            ],
            WLAN,
        ),
    ),
    (
        "valid/34-partial-other-subscriber.xml",
        App,
        &[],
        Instead(&["MBNProfiles=80070490", "WLANProfiles=22170102"], WLAN),
    ),
    ("signed/40-signed-tampered.xml", Web, &[], Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("signed/41-signed-untrusted-root.xml", Web, &[], Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("signed/42-signed-expired.xml", NoSim, &[], Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
];

fn documents() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents")
}

fn source_and_facts(context: Context) -> (Source, Facts) {
    let modem =
        ModemFacts { id: 1, sim: SimState::Ready, imsi: Some(Personal::new(IMSI.to_owned())), ..ModemFacts::default() };
    let bound = |carrier: Option<&str>| Source::App { carrier_id: carrier.map(str::to_owned) };
    match context {
        App => (bound(Some(CARRIER)), Facts { modems: vec![modem], dns_retry: true, ..Facts::default() }),
        Web => (Source::Website, Facts { modems: vec![modem], ..Facts::default() }),
        NoSim => (bound(None), Facts::default()),
    }
}

/// All the way, every step succeeding, on top of what is kept; the results document.
fn apply(bytes: &[u8], context: Context, stored: &mut Stored) -> Result<String, Refused> {
    let (source, facts) = source_and_facts(context);
    let document = Document::authorise(validate(bytes)?, &source, &facts)?;
    let facts = Facts { stored: stored.clone(), ..facts };
    let mut run = Run::new(plan(&document, &facts), Time::ZERO);
    while !run.results_ready() {
        match run.next(Time::ZERO) {
            Todo::Do(id, StepAction::Keep { change }) => {
                let changed = stored.apply(&change);
                run.done(&id, if changed { Outcome::Changed } else { Outcome::Unchanged }, Time::ZERO);
            }
            Todo::Do(id, _) => run.done(&id, Outcome::Changed, Time::ZERO),
            other => panic!("nothing to do before the results: {other:?}"),
        }
    }
    // What is kept is the same after it was written and read.
    let written = serde_json::to_vec(&stored).unwrap();
    assert_eq!(serde_json::from_slice::<Stored>(&written).unwrap(), *stored);
    Ok(run.results(Shape::V2).unwrap())
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(documents().join(name)).unwrap()
}

/// What is kept after these files.
fn after(files: &[&str]) -> Stored {
    let mut stored = Stored::default();
    for name in files {
        apply(&file(name), App, &mut stored).unwrap();
    }
    stored
}

/// Every code with its place, sorted; free texts are left out.
fn codes(xml: &str) -> Vec<String> {
    let tree = roxmltree::Document::parse(xml).unwrap();
    let root = tree.root_element();
    assert_eq!(root.tag_name().name(), "CarrierProvisioningResult");
    assert_eq!(root.tag_name().namespace(), Some("http://www.microsoft.com/networking/CarrierControlResults/v2"));
    let mut found = Vec::new();
    for node in root.descendants().filter(roxmltree::Node::is_element) {
        let Some(code) = node.attribute("errorCode") else {
            continue;
        };
        let mut steps: Vec<_> = node
            .ancestors()
            .filter(|n| n.is_element() && *n != root)
            .map(|n| match n.attribute("name").or(n.attribute("position")) {
                Some(label) => format!("{}[{label}]", n.tag_name().name()),
                None => n.tag_name().name().to_owned(),
            })
            .collect();
        steps.reverse();
        let path = if steps.is_empty() { "/".to_owned() } else { steps.join("/") };
        found.push(format!("{path}={code}"));
    }
    found.sort();
    found
}

#[test]
fn every_document_yields_what_it_is_to_yield() {
    for (name, context, before, yields) in TABLE {
        let mut stored = after(before);
        let xml = apply(&file(name), *context, &mut stored).unwrap_or_else(|refusal| refused(refusal.code, Shape::V2));
        let expected = name.split('/').next_back().unwrap();
        let expected = std::fs::read_to_string(documents().join("expected").join(expected)).unwrap();
        match yields {
            Expected => {
                assert_eq!(codes(&xml), codes(&expected), "{name}");
                assert_eq!(owner(&xml), owner(&expected), "{name}");
            }
            Instead(instead, reason) => {
                assert_eq!(codes(&xml), *instead, "{name}: {reason}");
                assert_ne!(codes(&xml), codes(&expected), "{name} may be moved to Expected");
            }
        }
        assert_eq!(details(&xml), details(&expected), "{name}");
    }
}

/// How many elements tell details, none of them nothing.
fn details(xml: &str) -> usize {
    let tree = roxmltree::Document::parse(xml).unwrap();
    let told: Vec<_> = tree.descendants().filter_map(|node| node.attribute("errorDetails")).collect();
    assert!(!told.contains(&""));
    told.len()
}

/// PROV-111, PROV-112, PROV-113, PROV-115: the list replaces all, an empty one too, none at all nothing.
#[test]
fn wlan_section_replaces_all() {
    let names = |stored: &Stored| stored.wlan().iter().map(|profile| profile.name().to_owned()).collect::<Vec<_>>();
    let three = names(&after(AFTER_03));
    assert_eq!(three.len(), 3);
    let both = after(&["valid/03-wlan-three-profiles.xml", "valid/02-default-profile-and-plan.xml"]);
    assert_eq!(names(&both), three);
    let other = after(&["valid/03-wlan-three-profiles.xml", "valid/13-wlan-eap-sim-and-v2-ssids.xml"]);
    assert_eq!(names(&other), ["Example Secure"]);
    assert!(names(&after(&["valid/03-wlan-three-profiles.xml", "valid/04-wlan-empty.xml"])).is_empty());
    // One that cannot work keeps its former version.
    let short = String::from_utf8(file("valid/33-partial-bad-psk.xml")).unwrap();
    let good = short.replace(&key_material(&short), "long enough");
    let mut stored = Stored::default();
    apply(good.as_bytes(), App, &mut stored).unwrap();
    let before = stored.clone();
    apply(short.as_bytes(), App, &mut stored).unwrap();
    assert_eq!(stored, before);
}

/// The last key in a document.
fn key_material(xml: &str) -> String {
    let (_, rest) = xml.rsplit_once("<keyMaterial>").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

/// PROV-131, PROV-134: nothing of a profile is lost.
#[test]
fn wlan_profiles_are_kept_whole() {
    let stored = after(&["valid/13-wlan-eap-sim-and-v2-ssids.xml"]);
    let xml = stored.wlan()[0].xml().reveal();
    let kept = roxmltree::Document::parse(xml).unwrap();
    let text = String::from_utf8(file("valid/13-wlan-eap-sim-and-v2-ssids.xml")).unwrap();
    let whole = roxmltree::Document::parse(&text).unwrap();
    let profile = whole.descendants().find(|node| node.tag_name().name() == "WLANProfile").unwrap();
    let shape = |node: roxmltree::Node<'_, '_>| {
        let elements = node.descendants().filter(roxmltree::Node::is_element);
        elements
            .map(|n| {
                let attributes: Vec<_> = n.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect();
                let name = (n.tag_name().namespace().map(str::to_owned), n.tag_name().name().to_owned());
                (name, attributes, n.text().map(str::to_owned))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(shape(kept.root_element()), shape(profile));
}

/// PROV-144 to PROV-149: each permitted combination of plans. [PROV 12.5]
#[test]
fn plans_are_kept_by_their_rules() {
    let megabytes = |stored: &Stored| stored.plans()[0].usage.map(|usage| usage.megabytes);
    let limit = |stored: &Stored| stored.plans()[0].description.and_then(|d| d.data_limit_megabytes);
    let first = after(AFTER_02);
    assert_eq!((first.plans().len(), limit(&first), megabytes(&first)), (1, Some(5000), Some(1234)));
    let fifth = after(&[AFTER_02[0], "valid/05-plans-description-and-usage.xml"]);
    assert_eq!((limit(&fifth), megabytes(&fifth)), (Some(8000), Some(20)));
    let sixth = after(&[AFTER_02[0], "valid/06-plans-usage-only.xml"]);
    assert_eq!((limit(&sixth), megabytes(&sixth)), (Some(5000), Some(2222)));
    // An older figure is not taken; what nobody described is not kept.
    let older = after(&[AFTER_02[0], "valid/06-plans-usage-only.xml", "valid/05-plans-description-and-usage.xml"]);
    assert_eq!((limit(&older), megabytes(&older)), (Some(8000), Some(2222)));
    let unknown = after(&[AFTER_02[0], "valid/07-plans-usage-only-unknown.xml"]);
    assert_eq!(unknown.plans().len(), 1);
    // Without profiles, here or before, a description is for nobody.
    let bytes = file("valid/05-plans-description-and-usage.xml");
    let xml = apply(&bytes, App, &mut Stored::default()).unwrap();
    assert_eq!(codes(&xml), ["Plans=22170101"]);
}

/// PROV-050, PROV-160 to PROV-163, PROV-190 to PROV-198: values of the other sections.
#[test]
fn sections_are_kept_with_their_values() {
    let stored = after(&["valid/14-purchase-profile-and-branding.xml", "valid/11-extensions-v2.xml"]);
    let logo = stored.branding().and_then(|branding| branding.logo.as_ref()).unwrap();
    assert_eq!((logo.width, logo.height), (32, 32));
    assert!(!logo.octets().is_empty());
    let metadata = stored.metadata().unwrap();
    let settings = metadata.network_settings.unwrap();
    assert!(settings.ipv4_mtu.is_some_and(|mtu| (1280..=1500).contains(&mtu)));
    assert!(settings.dns_retry.is_some_and(|retry| (1..=4).contains(&retry.count)));
    assert!(metadata.friendly_names.as_ref().is_some_and(|names| !names.is_empty()));
    assert!(metadata.phone_number.is_some());
    let contexts = stored.contexts().unwrap();
    assert!(contexts.allowed && contexts.tethering.is_some());
    assert!(contexts.policies[0].context.apn.is_some());
    assert!(contexts.max_devices.is_some_and(|devices| (3..=10).contains(&devices)));
    let stored = after(&["valid/12-refresh-and-certificates.xml"]);
    let refresh = stored.refresh().unwrap();
    assert_eq!(refresh.delay_in_days, Some(30));
    assert!(refresh.username.is_some() && refresh.password.is_some());
    let prose = after(&["valid/19-prose-refresh-username.xml"]);
    assert!(prose.refresh().is_some_and(|refresh| refresh.username.is_some()));
    // A newer document with the section and no parameters ends it, one without the section does not.
    let bytes = String::from_utf8(file("valid/01-global-only.xml")).unwrap();
    let mut stored = stored;
    apply(bytes.as_bytes(), App, &mut stored).unwrap();
    assert!(stored.refresh().is_some());
    let with = bytes.replace("</CarrierProvisioning>", "<Provisioning/></CarrierProvisioning>");
    apply(with.as_bytes(), App, &mut stored).unwrap();
    assert!(stored.refresh().is_none());
}

/// The table of login pages. PROV-128, PROV-129 (which page may have them).
#[test]
fn trusted_domains() {
    let table = std::fs::read_to_string(documents().join("trusted-domains.tsv")).unwrap();
    let rows: Vec<Vec<_>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() >= 7);
    for row in rows {
        assert_eq!(is_trusted_login(row[0], row[1]), row[2] == "yes", "{row:?}");
    }
}

/// PROV-170: neither plan, report, results nor a debug dump of any sample shows a secret of it.
#[test]
fn no_secret_of_a_sample_is_printed() {
    let mut secrets = 0;
    for (name, context, before, _) in TABLE.iter().filter(|(name, ..)| name.starts_with("valid/")) {
        let xml = String::from_utf8(file(name)).unwrap();
        let tree = roxmltree::Document::parse(&xml).unwrap();
        let hidden: Vec<_> = tree
            .descendants()
            .filter(|node| matches!(node.tag_name().name(), "Password" | "keyMaterial" | "CarrierSpecificData"))
            .map(|node| node.text().unwrap_or_default().trim().to_owned())
            .collect();
        let (source, facts) = source_and_facts(*context);
        let document = Document::authorise(validate(xml.as_bytes()).unwrap(), &source, &facts).unwrap();
        let facts = Facts { stored: after(before), ..facts };
        let plan = plan(&document, &facts);
        let mut stored = after(before);
        let results = apply(xml.as_bytes(), *context, &mut stored).unwrap();
        let view = plan.view();
        let json = serde_json::to_string(&view).unwrap();
        let run = Run::new(plan, Time::ZERO);
        let shown = format!("{view}{json}{run:?}{document:?}{facts:?}{stored:?}{results}{:?}", run.report());
        for secret in &hidden {
            assert!(!shown.contains(secret.as_str()), "{name} shows {secret}");
        }
        secrets += hidden.len();
    }
    assert!(secrets >= 8, "{secrets} secrets");
}

/// The table of billing cycles. PROV-150 to PROV-152 (the boundary itself).
#[test]
fn billing_cycles() {
    let table = std::fs::read_to_string(documents().join("billing-cycles.tsv")).unwrap();
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let xml = String::from_utf8(file("valid/02-default-profile-and-plan.xml")).unwrap();
        let (head, rest) = xml.split_once("<BillingCycle ").unwrap();
        let (_, tail) = rest.split_once("/>").unwrap();
        let xml = format!("{head}<BillingCycle StartDate='{}' Duration='{}'/>{tail}", cells[0], cells[1]);
        let mut stored = Stored::default();
        apply(xml.as_bytes(), App, &mut stored).unwrap();
        let cycle = stored.plans()[0].description.and_then(|description| description.billing_cycle).unwrap();
        let (current, next) = cycle.around(Moment::parse(cells[2]).unwrap());
        let show = |moment: Option<Moment>| moment.map_or_else(|| "none".to_owned(), |moment| moment.to_string());
        assert_eq!((show(current), show(next)), (cells[3].to_owned(), cells[4].to_owned()), "{line}");
        rows += 1;
    }
    assert!(rows >= 4);
}

/// Issuer and Subscriber.
fn owner(xml: &str) -> Vec<Option<String>> {
    let tree = roxmltree::Document::parse(xml).unwrap();
    ["Issuer", "Subscriber"]
        .map(|name| {
            tree.descendants()
                .find(|node| node.tag_name().name() == name)
                .and_then(|node| node.text().map(str::to_owned))
        })
        .to_vec()
}

#[test]
fn no_document_is_left_out_of_the_table() {
    for folder in ["valid", "one-fault", "signed"] {
        for entry in std::fs::read_dir(documents().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let file = format!("{folder}/{name}");
            assert!(TABLE.iter().any(|(known, ..)| *known == file), "{file}");
        }
    }
}

/// PROV-179, PROV-219: an unsigned file that needs a signature; an invalid one keeps its code,
/// because the schema comes first.
#[test]
fn unsigned_documents_from_elsewhere_are_refused() {
    for (file, ..) in TABLE.iter().filter(|(file, ..)| !file.starts_with("signed/")) {
        let bytes = std::fs::read(documents().join(file)).unwrap();
        for context in [Web, NoSim] {
            let code = apply(&bytes, context, &mut Stored::default()).unwrap_err().code;
            if file.starts_with("valid/") {
                assert_eq!(code, Code::MISSING_SIGNATURE, "{file}");
            } else {
                assert_ne!(code, Code::MISSING_SIGNATURE, "{file}");
            }
        }
    }
    let xml = refused(Code::MISSING_SIGNATURE, Shape::V2);
    assert_eq!(codes(&xml), ["/=8217000e", "Signature=8217000e"]);
}

/// A signature is never taken for verified, not even where none is needed.
#[test]
fn signed_documents_are_refused_from_every_source() {
    for (file, ..) in TABLE.iter().filter(|(file, ..)| file.starts_with("signed/")) {
        let bytes = std::fs::read(documents().join(file)).unwrap();
        let (_, facts) = source_and_facts(App);
        for source in [
            Source::App { carrier_id: Some(CARRIER.to_owned()) },
            Source::App { carrier_id: None },
            Source::Website,
            Source::Refresh,
            Source::Administrator,
        ] {
            let validated = validate(&bytes).unwrap();
            assert!(validated.is_signed());
            let refusal = Document::authorise(validated, &source, &facts).unwrap_err();
            assert_eq!(refusal.code, Code::SIGNATURE_INVALID, "{file} {source:?}");
        }
    }
}

/// Each faulty document has one violation, at the right place.
#[test]
fn faults_are_named_with_their_place() {
    for (file, want) in [
        ("20-invalid-not-wellformed.xml", "18:7: /: the end of Contekst, where Context is open"),
        ("21-invalid-missing-subscriber.xml", "3:3: /CarrierProvisioning/Global: SubscriberId is missing"),
        (
            "22-invalid-section-order.xml",
            "17:3: /CarrierProvisioning/MBNProfiles: out of order; the order is Global, \
             Activation, MBNProfiles, WLANProfiles, Plans, Provisioning, Extensions, Signature",
        ),
        (
            "23-invalid-delay-one-hour.xml",
            "8:92: /CarrierProvisioning/Activation/ReconnectToNetwork/@Delay: must be a duration \
             from 0 below 3600 seconds, such as PT90S, without years and months",
        ),
        (
            "24-invalid-directive-namespace.xml",
            "8:5: /CarrierProvisioning/Activation/ReconnectToNetwork: wrong namespace; this \
             element is in http://www.microsoft.com/networking/CarrierControl/WWAN/v1",
        ),
        (
            "25-invalid-refresh-http.xml",
            "16:7: /CarrierProvisioning/Provisioning/RefreshParameters/RefreshURL: must begin \
             with https://",
        ),
        (
            "27-invalid-maxdevices.xml",
            "43:11: /CarrierProvisioning/Extensions/Extensions_v2/AdditionalPDPContexts/\
             TetheringSettings/MaxNumberOfDevices: must be a whole number from 3 to 10",
        ),
        ("28-invalid-guid-without-braces.xml", "4:5: /CarrierProvisioning/Global/CarrierId: must be a GUID in braces"),
    ] {
        let bytes = std::fs::read(documents().join("one-fault").join(file)).unwrap();
        let invalid = validate(&bytes).unwrap_err();
        let lines: Vec<_> = invalid.violations().iter().map(ToString::to_string).collect();
        assert_eq!(lines, [want], "{file}");
    }
}

/// The accepted spellings of the published prose warn. PROV-126, PROV-163.
#[test]
fn prose_spellings_warn() {
    for (file, column_path) in [
        (
            "17-prose-hotspot-direct-credentials.xml",
            "/CarrierProvisioning/WLANProfiles/WLANProfile/MSM/security/HotspotProfile/UserName",
        ),
        ("18-prose-eap-alias.xml", "/CarrierProvisioning/WLANProfiles/WLANProfile/MSM/security/OneX/EAcomputeronfig"),
        ("19-prose-refresh-username.xml", "/CarrierProvisioning/Provisioning/RefreshParameters/Username"),
    ] {
        let bytes = std::fs::read(documents().join("valid").join(file)).unwrap();
        let validated = validate(&bytes).unwrap();
        let paths: Vec<_> = validated.warnings().iter().map(|w| w.path.as_str()).collect();
        assert_eq!(paths, [column_path], "{file}");
    }
}

/// The table of duration values. PROV-056 to PROV-059, PROV-141.
#[test]
fn durations() {
    let table = std::fs::read_to_string(documents().join("durations.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let (attribute, value, verdict) = (cells[0], cells[1], cells[2]);
        let head = format!(
            "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1'>\
             <Global><CarrierId>{CARRIER}</CarrierId><SubscriberId>{IMSI}</SubscriberId></Global>"
        );
        let body = match attribute {
            "BillingCycle.Duration" => format!(
                "<Plans><Plan xmlns='http://www.microsoft.com/networking/CarrierControl/Plans/v1' \
                 Name='p'><Description PlanType='Fixed'><BillingCycle \
                 StartDate='2026-03-01T00:00:00Z' Duration='{value}'/></Description></Plan></Plans>"
            ),
            attribute => format!(
                "<Activation><ReconnectToNetwork \
                 xmlns='http://www.microsoft.com/networking/CarrierControl/WWAN/v1' \
                 {attribute}='{value}'/></Activation>"
            ),
        };
        let xml = format!("{head}{body}</CarrierProvisioning>");
        let code = match validate(xml.as_bytes()) {
            Ok(_) => "ok".to_owned(),
            Err(invalid) => invalid.code().to_string(),
        };
        assert_eq!(code, verdict, "{line}");
    }
}

/// PROV-236: what a machine cannot do warns, and the rest of the section is well.
#[test]
fn settings_that_have_no_effect_here_warn() {
    let xml = String::from_utf8(file("valid/11-extensions-v2.xml")).unwrap();
    let results = |xml: &str, dns_retry: bool| {
        let (source, facts) = source_and_facts(App);
        let document = Document::authorise(validate(xml.as_bytes()).unwrap(), &source, &facts).unwrap();
        let mut run = Run::new(plan(&document, &Facts { dns_retry, ..facts }), Time::ZERO);
        while let Todo::Do(id, _) = run.next(Time::ZERO) {
            run.done(&id, Outcome::Changed, Time::ZERO);
        }
        codes(&run.results(Shape::V2).unwrap())
    };
    assert_eq!(results(&xml, true), ["/=00000000"]);
    let unheard = results(&xml, false);
    assert!(unheard.contains(&"CarrierNetworkMetadata/NetworkSettings=22170102".to_owned()), "{unheard:?}");
    assert!(unheard.contains(&"AdditionalPDPContexts=00000000".to_owned()), "{unheard:?}");
    // A number of devices alone limits nobody.
    let (head, rest) = xml.split_once("<TetheringProfile>").unwrap();
    let (_, tail) = rest.split_once("</TetheringProfile>").unwrap();
    let alone = results(&format!("{head}{tail}"), true);
    assert!(alone.contains(&"AdditionalPDPContexts/TetheringSettings=22170102".to_owned()), "{alone:?}");
}

/// A newer document that says nothing in a section takes back what an older one said.
#[test]
fn empty_extensions_take_the_place_of_full_ones() {
    let xml = String::from_utf8(file("valid/11-extensions-v2.xml")).unwrap();
    let (head, rest) = xml.split_once("<CarrierNetworkMetadata>").unwrap();
    let (_, tail) = rest.split_once("</AdditionalPDPContexts>").unwrap();
    let empty = format!("{head}<CarrierNetworkMetadata/><AdditionalPDPContexts/>{tail}");
    let mut stored = after(&["valid/11-extensions-v2.xml"]);
    apply(empty.as_bytes(), App, &mut stored).unwrap();
    assert!(stored.metadata().is_some_and(|metadata| metadata.phone_number.is_none()));
    assert!(stored.contexts().is_some_and(|contexts| contexts.policies.is_empty() && contexts.allowed));
}

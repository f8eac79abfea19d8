//! Every document of `tests/documents` in its context, against the results that it is to yield.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::path::PathBuf;

use daemon_provisioning::{
    Code, Document, Facts, ModemFacts, Outcome, Personal, Refused, Run, Shape, SimState, Source, Time, Todo, plan,
    refused, validate,
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

const PLANS: &str = "data plans are not stored yet";
const WLAN: &str = "Wi-Fi profiles are not stored yet";
const MESSAGES: &str = "message rules are not stored yet";
const SIGNATURES: &str = "signatures cannot be checked yet, so that every signed document is refused";

/// One line a file. Where a section is not applied yet its code is 80070032.
const TABLE: &[(&str, Context, Yields)] = &[
    ("valid/01-global-only.xml", App, Expected),
    ("valid/02-default-profile-and-plan.xml", App, Instead(&["MBNProfiles=00000000", "Plans=80070032"], PLANS)),
    ("valid/03-wlan-three-profiles.xml", App, Instead(&["WLANProfiles=80070032"], WLAN)),
    ("valid/04-wlan-empty.xml", App, Expected),
    ("valid/05-plans-description-and-usage.xml", App, Instead(&["Plans=80070032"], PLANS)),
    ("valid/06-plans-usage-only.xml", App, Instead(&["Plans=80070032"], PLANS)),
    ("valid/07-plans-usage-only-unknown.xml", App, Instead(&["Plans=80070032"], PLANS)),
    ("valid/08-activation-reregister.xml", App, Expected),
    ("valid/09-activation-service-blob.xml", App, Expected),
    (
        "valid/10-messages.xml",
        App,
        Instead(
            &["MBNProfiles/DefaultProfile[Example Mobile]=00000000", "MBNProfiles/Messages=80070032", "Plans=80070032"],
            MESSAGES,
        ),
    ),
    (
        "valid/11-extensions-v2.xml",
        App,
        Instead(
            &["AdditionalPDPContexts=80070032", "CarrierNetworkMetadata=80070032", "MBNProfiles=00000000"],
            "the extensions of version 2 are not applied yet",
        ),
    ),
    (
        "valid/12-refresh-and-certificates.xml",
        App,
        Instead(&["Provisioning=80070032"], "certificates and refresh are not stored yet"),
    ),
    ("valid/13-wlan-eap-sim-and-v2-ssids.xml", App, Instead(&["WLANProfiles=80070032"], WLAN)),
    (
        "valid/14-purchase-profile-and-branding.xml",
        App,
        Instead(
            &[
                "MBNProfiles/Branding=80070032",
                "MBNProfiles/DefaultProfile[Example Mobile]=00000000",
                "MBNProfiles/PurchaseProfile[Example Mobile Shop]=00000000",
            ],
            "branding is not stored yet",
        ),
    ),
    ("signed/15-signed-ev.xml", Web, Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("signed/16-signed-inclusive-c14n.xml", NoSim, Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("valid/17-prose-hotspot-direct-credentials.xml", App, Instead(&["WLANProfiles=80070032"], WLAN)),
    ("valid/18-prose-eap-alias.xml", App, Instead(&["WLANProfiles=80070032"], WLAN)),
    ("valid/19-prose-refresh-username.xml", App, Instead(&["Provisioning=80070032"], "refresh is not stored yet")),
    ("one-fault/20-invalid-not-wellformed.xml", App, Expected),
    ("one-fault/21-invalid-missing-subscriber.xml", App, Expected),
    ("one-fault/22-invalid-section-order.xml", App, Expected),
    ("one-fault/23-invalid-delay-one-hour.xml", App, Expected),
    ("one-fault/24-invalid-directive-namespace.xml", App, Expected),
    ("one-fault/25-invalid-refresh-http.xml", App, Expected),
    ("one-fault/27-invalid-maxdevices.xml", App, Expected),
    ("one-fault/28-invalid-guid-without-braces.xml", App, Expected),
    ("valid/30-partial-plan-not-in-file.xml", App, Instead(&["MBNProfiles=a2170101", "WLANProfiles=80070032"], WLAN)),
    ("valid/31-partial-plan-unreferenced.xml", App, Instead(&["MBNProfiles=00000000", "Plans=80070032"], PLANS)),
    (
        "valid/32-partial-message-rules.xml",
        App,
        Instead(&["MBNProfiles/DefaultProfile[Example Mobile]=00000000", "MBNProfiles/Messages=80070032"], MESSAGES),
    ),
    ("valid/33-partial-bad-psk.xml", App, Instead(&["WLANProfiles=80070032"], WLAN)),
    ("valid/34-partial-other-subscriber.xml", App, Instead(&["MBNProfiles=80070490", "WLANProfiles=80070032"], WLAN)),
    ("signed/40-signed-tampered.xml", Web, Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("signed/41-signed-untrusted-root.xml", Web, Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
    ("signed/42-signed-expired.xml", NoSim, Instead(&["/=82170003", "Signature=82170003"], SIGNATURES)),
];

fn documents() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents")
}

fn source_and_facts(context: Context) -> (Source, Facts) {
    let modem =
        ModemFacts { id: 1, sim: SimState::Ready, imsi: Some(Personal::new(IMSI.to_owned())), ..ModemFacts::default() };
    let bound = |carrier: Option<&str>| Source::App { carrier_id: carrier.map(str::to_owned) };
    match context {
        App => (bound(Some(CARRIER)), Facts { modems: vec![modem] }),
        Web => (Source::Website, Facts { modems: vec![modem] }),
        NoSim => (bound(None), Facts::default()),
    }
}

/// All the way, every step succeeding; the results document.
fn apply(bytes: &[u8], context: Context) -> Result<String, Refused> {
    let (source, facts) = source_and_facts(context);
    let document = Document::authorise(validate(bytes)?, &source, &facts)?;
    let mut run = Run::new(plan(&document, &facts), Time::ZERO);
    while !run.results_ready() {
        match run.next(Time::ZERO) {
            Todo::Do(id, _) => run.done(&id, Outcome::Changed, Time::ZERO),
            other => panic!("nothing to do before the results: {other:?}"),
        }
    }
    Ok(run.results(Shape::V2).unwrap())
}

fn outcome(bytes: &[u8], context: Context) -> String {
    apply(bytes, context).unwrap_or_else(|refusal| refused(refusal.code, Shape::V2))
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
    for (file, context, yields) in TABLE {
        let bytes = std::fs::read(documents().join(file)).unwrap();
        let xml = outcome(&bytes, *context);
        let name = file.split('/').next_back().unwrap();
        let expected = std::fs::read_to_string(documents().join("expected").join(name)).unwrap();
        match yields {
            Expected => {
                assert_eq!(codes(&xml), codes(&expected), "{file}");
                assert_eq!(owner(&xml), owner(&expected), "{file}");
            }
            Instead(instead, reason) => {
                assert_eq!(codes(&xml), *instead, "{file}: {reason}");
                assert_ne!(codes(&xml), codes(&expected), "{file} may be moved to Expected");
            }
        }
    }
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
            let code = apply(&bytes, context).unwrap_err().code;
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
        ("20-invalid-not-wellformed.xml", "18:7: /: expected 'Context' tag, not 'Contekst'"),
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

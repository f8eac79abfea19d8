//! The signed documents among the samples, with the certificates that belong to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::path::PathBuf;

use daemon_provisioning::{
    Chain, Code, Document, Facts, Judged, ModemFacts, Outcome, Personal, Refused, Run, Shape, SimState, Source, Time,
    Todo, Trust, TrustedCertificate, plan, refused_signed, validate,
};
use daemon_verify::{Answer, EXTENDED_VALIDATION, Narrow, Question, Rejected, Request, Root, Verified, Verifier};

/// 2026-06-01.
const CLOCK: u64 = 1_780_272_000;

fn signed(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents/signed")
}

fn root() -> Root {
    let pem = std::fs::read_to_string(folder().join("../certs/root.pem")).unwrap();
    let der = daemon_verify::certificates_in(&pem).remove(0);
    Root { der, extended_validation: vec![EXTENDED_VALIDATION.to_owned()] }
}

fn verify_at(document: &[u8], clock: u64, roots: &[Root]) -> Result<Verified, Rejected> {
    let request = Request { document, clock, sha1: false, roots, revocation_lists: &[], fetched: &[] };
    // Through the wire and back, as the daemon asks.
    let asked = Question::encode(&request);
    let asked = Question::decode(&asked).unwrap();
    let result = Narrow.verify(&asked.request());
    Answer::decode(&Answer::encode(&result)).unwrap()
}

fn verify(document: &[u8]) -> Result<Verified, Rejected> {
    verify_at(document, CLOCK, &[root()])
}

/// What is read from the verified octets is what the document says, and is no longer signed. PROV-187.
#[test]
fn good_documents_verify_and_are_read_from_what_was_signed() {
    for file in ["15-signed-ev.xml", "16-signed-inclusive-c14n.xml"] {
        let verified = verify(&signed(file)).unwrap();
        let chain = Chain::Trusted {
            root: "C=XX, O=Example Mobile, CN=Example Mobile Test Root".to_owned(),
            extended_validation: true,
        };
        assert_eq!(verified.signer.chain, chain, "{file}");
        assert!(verified.signer.may_sign);
        assert_eq!(verified.signer.name(), "C=XX, O=Example Mobile, CN=Example Mobile Provisioning");
        let read = validate(&verified.octets).unwrap();
        assert!(!read.is_signed());
    }
}

/// PROV-172.
#[test]
fn a_change_after_signing_shows() {
    assert_eq!(verify(&signed("40-signed-tampered.xml")).unwrap_err().code, Code::DIGEST_INVALID);
    let good = String::from_utf8(signed("15-signed-ev.xml")).unwrap();
    let change = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        verify(good.replacen(from, to, 1).as_bytes()).unwrap_err().code
    };
    assert_eq!(change("<SignedInfo>", "<SignedInfo> "), Code::SIGNATURE_INVALID);
    assert_eq!(change("<DigestValue>", "<DigestValue>A"), Code::XML_INVALID);
    // One bit of the value.
    let at = good.find("<SignatureValue>").unwrap() + "<SignatureValue>".len() + 3;
    let mut changed = good.clone().into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    assert_eq!(verify(&changed).unwrap_err().code, Code::SIGNATURE_INVALID);
}

/// PROV-173.
#[test]
fn comments_may_come_and_white_space_may_not() {
    let good = String::from_utf8(signed("15-signed-ev.xml")).unwrap();
    let commented = good.replacen("<Global", "<!-- hello --><Global", 1).replacen("{7d3c", "{7d<!-- split -->3c", 1);
    let verified = verify(commented.as_bytes()).unwrap();
    assert_eq!(verified.octets, verify(good.as_bytes()).unwrap().octets);
    let spaced = good.replacen("<Global", " <Global", 1);
    assert_eq!(verify(spaced.as_bytes()).unwrap_err().code, Code::DIGEST_INVALID);
}

/// PROV-177: a chain that nobody trusts, one that has ended, one that has not begun.
#[test]
fn chains_that_are_not_to_be_trusted() {
    let untrusted = |result: Result<Verified, Rejected>| match result.unwrap().signer.chain {
        Chain::Untrusted { reason } => reason,
        chain => panic!("{chain:?}"),
    };
    assert!(untrusted(verify(&signed("41-signed-untrusted-root.xml"))).contains("trusted root"));
    assert!(untrusted(verify(&signed("42-signed-expired.xml"))).contains("expired"));
    assert!(untrusted(verify_at(&signed("15-signed-ev.xml"), 1_600_000_000, &[root()])).contains("not valid yet"));
    assert!(untrusted(verify_at(&signed("15-signed-ev.xml"), CLOCK, &[])).contains("trusted root"));
}

/// A root is none for extended validation unless it is marked.
#[test]
fn extended_validation_needs_the_mark() {
    let root = Root { extended_validation: vec!["1.2.3".to_owned()], ..root() };
    let verified = verify_at(&signed("15-signed-ev.xml"), CLOCK, &[root]).unwrap();
    assert!(matches!(verified.signer.chain, Chain::Trusted { extended_validation: false, .. }));
}

#[test]
fn octets_on_the_wire_are_checked() {
    for bad in [
        &b""[..],
        b"{}",
        b"{}\n",
        b"{\"document\":5,\"clock\":0,\"sha1\":false,\"roots\":[],\"revocation_lists\":[],\"fetched\":[]}\nabc",
    ] {
        assert!(Question::decode(bad).is_err());
        assert!(Answer::decode(bad).is_err());
    }
    let request = Request {
        document: b"<a/>",
        clock: 7,
        sha1: true,
        roots: &[root()],
        revocation_lists: &[vec![1, 2]],
        fetched: &[],
    };
    let mut octets = Question::encode(&request);
    let asked = Question::decode(&octets).unwrap();
    assert_eq!((asked.request().document, asked.request().clock, asked.request().sha1), (&b"<a/>"[..], 7, true));
    assert_eq!((asked.request().roots, asked.request().revocation_lists), (&[root()][..], &[vec![1, 2]][..]));
    octets.push(0);
    assert!(Question::decode(&octets).is_err());
}

/// Where a document is handed over: the contexts of the samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Context {
    /// The operator's own program; its SIM is ready.
    App,
    /// A web site; the SIM is ready and its operator data name the signer.
    Web,
    /// A program that nobody bound; no modem; nobody is known.
    NoSim,
}

/// Steps 1 to 7 and whom the user is asked about.
fn judge(document: &[u8], context: Context, consented: &[String]) -> Result<Judged, Refused> {
    let validated = validate(document)?;
    assert!(validated.is_signed());
    let verified = verify(document).map_err(Refused::from)?;
    let read = validated.verified(&verified.octets, verified.signer)?;
    let modem = ModemFacts {
        id: 1,
        sim: SimState::Ready,
        imsi: Some(Personal::new("001010123456789".to_owned())),
        ..ModemFacts::default()
    };
    let ready = Facts { modems: vec![modem], ..Facts::default() };
    let named = TrustedCertificate {
        subject: "CN=Example Mobile Provisioning, O=Example Mobile, C=XX".to_owned(),
        issuer: "CN=Example Mobile Test Root, O=Example Mobile, C=XX".to_owned(),
    };
    let consented = consented.to_vec();
    let carrier_id = "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}".to_owned();
    let (source, facts, trust) = match context {
        Context::App => (Source::App { carrier_id: Some(carrier_id) }, ready, Trust::default()),
        Context::Web => (Source::Website, ready, Trust { supplied: vec![named], consented, ..Trust::default() }),
        Context::NoSim => (Source::App { carrier_id: None }, Facts::default(), Trust { consented, ..Trust::default() }),
    };
    Document::judge(read, &source, &facts, &trust)
}

/// Every signed document in its context and in the operator's own program's. PROV-171 to PROV-183, PROV-203.
#[test]
fn signed_documents_yield_what_they_are_to_yield() {
    let code = |result: Result<Judged, Refused>| match result {
        Ok(Judged::Allowed(document)) => {
            assert!(!plan(&document, &Facts::default()).steps().is_empty() || !document.has_activation());
            "accepted".to_owned()
        }
        Ok(Judged::Ask(_)) => "asked".to_owned(),
        Err(refused) => refused.code.to_string(),
    };
    for (file, context, yields) in [
        ("15-signed-ev.xml", Context::Web, "accepted"),
        ("15-signed-ev.xml", Context::App, "accepted"),
        ("15-signed-ev.xml", Context::NoSim, "asked"),
        ("16-signed-inclusive-c14n.xml", Context::NoSim, "asked"),
        ("40-signed-tampered.xml", Context::Web, "82170005"),
        ("40-signed-tampered.xml", Context::App, "82170005"),
        ("41-signed-untrusted-root.xml", Context::Web, "82170004"),
        ("42-signed-expired.xml", Context::NoSim, "82170004"),
    ] {
        assert_eq!(code(judge(&signed(file), context, &[])), yields, "{file} {context:?}");
    }
}

/// The results document, the user saying this, every step succeeding.
fn results(document: &[u8], context: Context, says: bool) -> String {
    let document = judge(document, context, &[]).and_then(|judged| match judged {
        Judged::Allowed(document) => Ok(*document),
        Judged::Ask(question) if says => Ok(question.approved()),
        Judged::Ask(question) => Err(question.declined()),
    });
    let document = match document {
        Ok(document) => document,
        Err(refused) => return refused_signed(refused.code, refused.signed.as_deref(), Shape::V2),
    };
    let modem = ModemFacts {
        id: 1,
        sim: SimState::Ready,
        imsi: Some(Personal::new("001010123456789".to_owned())),
        ..ModemFacts::default()
    };
    let modems = if context == Context::NoSim { Vec::new() } else { vec![modem] };
    let mut run = Run::new(plan(&document, &Facts { modems, ..Facts::default() }), Time::ZERO);
    // The signer is told also by a run that was taken up again.
    let saved = serde_json::to_vec(&run.save(Time::ZERO)).unwrap();
    run = Run::resume(serde_json::from_slice(&saved).unwrap(), Time::ZERO);
    while let Todo::Do(id, _) = run.next(Time::ZERO) {
        run.done(&id, Outcome::Changed, Time::ZERO);
    }
    run.results(Shape::V2).unwrap()
}

/// Every element with its code and text, sorted.
fn told(xml: &str) -> Vec<String> {
    let tree = roxmltree::Document::parse(xml).unwrap();
    let elements = tree.descendants().filter(roxmltree::Node::is_element);
    let line = |node: roxmltree::Node<'_, '_>| {
        let names: Vec<_> = node.ancestors().filter(|n| n.is_element()).map(|n| n.tag_name().name()).collect();
        let text: String = node.children().filter(|n| n.is_text()).filter_map(|n| n.text()).collect();
        format!("{} {:?} {}", names.join("<"), node.attribute("errorCode"), text.trim())
    };
    let mut lines: Vec<_> = elements.map(line).collect();
    lines.sort();
    lines
}

/// The whole results document of every signed sample is the one that is expected, with subject and thumbprint; what says
/// so otherwise is that Wi-Fi profiles are kept, and nothing sets them up yet.
#[test]
fn results_of_signed_documents_are_those_expected() {
    let section = |name: &str, code: &str| format!("{name}<CarrierProvisioningResult Some(\"{code}\") ");
    let kept = section("WLANProfiles", "22170102");
    for (file, context, instead) in [
        ("15-signed-ev.xml", Context::Web, vec![section("MBNProfiles", "00000000"), kept.clone()]),
        ("16-signed-inclusive-c14n.xml", Context::NoSim, vec![kept]),
        ("40-signed-tampered.xml", Context::Web, Vec::new()),
        ("40-signed-tampered.xml", Context::App, Vec::new()),
        ("41-signed-untrusted-root.xml", Context::Web, Vec::new()),
        ("42-signed-expired.xml", Context::NoSim, Vec::new()),
    ] {
        let expected = std::fs::read_to_string(folder().join("../expected").join(file)).unwrap();
        let mut expected = told(&expected);
        if !instead.is_empty() {
            let all_well = "CarrierProvisioningResult Some(\"00000000\") ";
            let at = expected.iter().position(|line| line == all_well).unwrap();
            expected[at] = "CarrierProvisioningResult None ".to_owned();
            expected.extend(instead);
            expected.sort();
        }
        assert_eq!(told(&results(&signed(file), context, true)), expected, "{file} {context:?}");
    }
    let declined = results(&signed("16-signed-inclusive-c14n.xml"), Context::NoSim, false);
    assert!(declined.contains("82170006") && declined.contains("dBJf+ZAcgvlnecS3/ha/ayDB2BKfQ2iGqaUw/ZpcnMU="));
}

/// PROV-182, PROV-183: asked once; no is no and is not remembered here.
#[test]
fn the_question_and_its_answers() {
    let document = signed("16-signed-inclusive-c14n.xml");
    let ask = || match judge(&document, Context::NoSim, &[]).unwrap() {
        Judged::Ask(question) => question,
        Judged::Allowed(_) => panic!("it has to be asked"),
    };
    let question = ask();
    let signer = question.signer().fingerprint.clone();
    assert_eq!(question.carrier_id(), "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}");
    assert_eq!(question.approved().carrier_id(), "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}");
    assert!(matches!(judge(&document, Context::NoSim, &[signer]), Ok(Judged::Allowed(_))));
    assert_eq!(ask().declined().code, Code::SIGNER_UNTRUSTED);
}

/// A signed document whose signature nobody checked is refused from every source.
#[test]
fn unchecked_signatures_are_no_signatures() {
    let validated = validate(&signed("15-signed-ev.xml")).unwrap();
    for source in [Source::Administrator, Source::Website, Source::Refresh, Source::App { carrier_id: None }] {
        let refused = Document::judge(validated.clone(), &source, &Facts::default(), &Trust::default()).unwrap_err();
        assert_eq!(refused.code, Code::SIGNATURE_INVALID);
    }
}

//! Who may order what. [PROV 12.3, 12.4]

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use daemon_provisioning::{
    Chain, Code, Document, Facts, Judged, ModemFacts, Name, Personal, Signer, SimState, Source, Trust,
    TrustedCertificate, Validated, validate,
};

const CARRIER: &str = "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}";
const OTHER: &str = "{00000000-1111-2222-3333-444444444444}";

fn modem(sim: SimState, imsi: Option<&str>, service_number: Option<&str>) -> ModemFacts {
    ModemFacts {
        sim,
        imsi: imsi.map(|text| Personal::new(text.to_owned())),
        service_number: service_number.map(str::to_owned),
        ..ModemFacts::default()
    }
}

/// The code of the refusal, or success.
fn verdict(source: &Source, modems: Vec<ModemFacts>) -> Code {
    let xml = format!(
        "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1'>\
         <Global><CarrierId>{CARRIER}</CarrierId><SubscriberId>001010123456789</SubscriberId>\
         </Global></CarrierProvisioning>"
    );
    let validated = validate(xml.as_bytes()).unwrap();
    match Document::authorise(validated, source, &Facts { modems, ..Facts::default() }) {
        Ok(document) => {
            assert_eq!(document.carrier_id(), CARRIER);
            Code::OK
        }
        Err(refusal) => refusal.code,
    }
}

/// PROV-025 to PROV-027, PROV-179, PROV-180.
#[test]
fn sources() {
    let ready = || vec![modem(SimState::Ready, Some("001010123456789"), None)];
    let owned = |number| vec![modem(SimState::Ready, Some("001010123456789"), Some(number))];
    let app = |carrier: Option<&str>| Source::App { carrier_id: carrier.map(str::to_owned) };
    let bare = "7D3C1F52-0B5E-4C7A-9A41-5E2F6B8C9D10";
    for (source, modems, code) in [
        (app(Some(CARRIER)), ready(), Code::OK),
        (app(Some(bare)), owned(bare), Code::OK),
        (app(Some(OTHER)), ready(), Code::ACCESS_DENIED),
        (app(Some(CARRIER)), owned(OTHER), Code::ACCESS_DENIED),
        (app(Some(CARRIER)), vec![], Code::MISSING_SIGNATURE),
        (app(Some(CARRIER)), vec![modem(SimState::Absent, None, None)], Code::MISSING_SIGNATURE),
        // Locked: the binding of the program speaks for it; what needs the SIM will not be done.
        (app(Some(CARRIER)), vec![modem(SimState::NotReady, None, None)], Code::OK),
        (app(None), ready(), Code::MISSING_SIGNATURE),
        (Source::Website, ready(), Code::MISSING_SIGNATURE),
        (Source::Refresh, ready(), Code::MISSING_SIGNATURE),
        (Source::Administrator, vec![], Code::OK),
        (Source::Administrator, owned(OTHER), Code::ACCESS_DENIED),
        // Somebody else's SIM in another modem is nobody's business.
        (
            app(Some(CARRIER)),
            vec![ModemFacts { id: 1, ..modem(SimState::Ready, Some("999"), Some(OTHER)) }, ready().remove(0)],
            Code::OK,
        ),
        (app(Some(CARRIER)), vec![modem(SimState::Ready, Some("999"), Some(OTHER))], Code::ACCESS_DENIED),
        (app(Some(CARRIER)), vec![modem(SimState::Ready, Some("999"), Some(CARRIER))], Code::OK),
    ] {
        assert_eq!(verdict(&source, modems.clone()), code, "{source:?} {modems:?}");
    }
}

/// A document signed by `signer`, as what checks signatures hands it on.
fn signed(signer: Signer) -> Validated {
    let xml = format!(
        "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1'>\
         <Global><CarrierId>{CARRIER}</CarrierId><SubscriberId>001010123456789</SubscriberId>\
         </Global></CarrierProvisioning>"
    );
    validate(xml.as_bytes()).unwrap().verified(xml.as_bytes(), signer).unwrap()
}

fn signer(extended_validation: bool) -> Signer {
    let name = |text: &str| vec![Name::parse(text).unwrap()];
    Signer {
        fingerprint: "ab".repeat(32),
        subjects: name("CN=Signer, O=Example"),
        issuers: name("CN=Root, O=Example"),
        not_before: 0,
        not_after: 1,
        may_sign: true,
        chain: Chain::Trusted { root: "CN=Root".to_owned(), extended_validation },
        revocation: Vec::new(),
    }
}

/// PROV-184: what a document named counts from the next one on, and for documents of its carrier only. PROV-168: a
/// refresh asks nobody. PROV-233: what is refused for its owner leads to no question.
#[test]
fn signers_that_are_known() {
    let named =
        || TrustedCertificate { subject: "O=Example, CN=Signer".to_owned(), issuer: "O=Example,CN=root".to_owned() };
    let learned = |carrier: &str| Trust { learned: vec![(carrier.to_owned(), named())], ..Trust::default() };
    let other = TrustedCertificate { subject: "CN=Signer".to_owned(), ..named() };
    let ready = Facts { modems: vec![modem(SimState::Ready, Some("001010123456789"), None)], ..Facts::default() };
    let owned =
        Facts { modems: vec![modem(SimState::Ready, Some("001010123456789"), Some(OTHER))], ..Facts::default() };
    let verdict = |signer, source: &Source, facts: &Facts, trust: &Trust| match Document::judge(
        signed(signer),
        source,
        facts,
        trust,
    ) {
        Ok(Judged::Allowed(_)) => "allowed".to_owned(),
        Ok(Judged::Ask(_)) => "asked".to_owned(),
        Err(refused) => refused.code.to_string(),
    };
    let website = &Source::Website;
    for facts in [&ready, &Facts::default()] {
        assert_eq!(verdict(signer(false), website, facts, &Trust::default()), "8217000d");
        assert_eq!(verdict(signer(true), website, facts, &Trust::default()), "asked");
        assert_eq!(verdict(signer(true), &Source::Refresh, facts, &Trust::default()), "82170006");
        for source in [website, &Source::Refresh] {
            assert_eq!(verdict(signer(false), source, facts, &learned(CARRIER)), "allowed");
            assert_eq!(verdict(signer(false), source, facts, &learned(OTHER)), "8217000d");
            let supplied = Trust { supplied: vec![other.clone(), named()], ..Trust::default() };
            assert_eq!(verdict(signer(false), source, facts, &supplied), "allowed");
            let other = Trust { supplied: vec![other.clone()], ..Trust::default() };
            assert_eq!(verdict(signer(false), source, facts, &other), "8217000d");
            let consented = Trust { consented: vec!["ab".repeat(32)], ..Trust::default() };
            assert_eq!(verdict(signer(true), source, facts, &consented), "allowed");
        }
    }
    assert_eq!(verdict(signer(true), website, &owned, &Trust::default()), "80070005");
}

/// PROV-181, PROV-221: what operator records and service metadata of a SIM name counts for the documents of that SIM, and
/// where they say whose they are, for no other carrier's; the chain and the key usage are needed all the same.
#[test]
fn signers_that_records_of_the_sim_name() {
    let named =
        |subject: &str| TrustedCertificate { subject: subject.to_owned(), issuer: "CN=Root,O=Example".to_owned() };
    let card = |id, imsi: &str, owner: Option<&str>, subjects: &[&str]| ModemFacts {
        id,
        certificates: subjects.iter().map(|subject| named(subject)).collect(),
        ..modem(SimState::Ready, Some(imsi), owner)
    };
    let (ours, theirs) = ("001010123456789", "001019999999999");
    let good = &["CN=Other,O=Example", "CN=Signer,O=Example"][..];
    let expired = Chain::Untrusted { reason: "a certificate of the chain has expired".to_owned() };
    let absent = ModemFacts { certificates: vec![named("CN=Signer,O=Example")], ..modem(SimState::Absent, None, None) };
    for (what, modems, signer, code) in [
        ("named", vec![card(1, ours, None, good)], signer(false), "allowed"),
        ("named, and whose", vec![card(1, ours, Some(CARRIER), good)], signer(false), "allowed"),
        ("named by another's record", vec![card(1, ours, Some(OTHER), good)], signer(false), "8217000d"),
        ("another one named", vec![card(1, ours, None, &good[..1])], signer(false), "8217000d"),
        ("another one named, asked for", vec![card(1, ours, None, &good[..1])], signer(true), "asked"),
        ("by the other SIM", vec![card(1, ours, None, &[]), card(2, theirs, None, good)], signer(false), "8217000d"),
        ("for another SIM", vec![card(2, theirs, None, good)], signer(false), "allowed"),
        ("for another SIM, another's", vec![card(2, theirs, Some(OTHER), good)], signer(false), "8217000d"),
        ("the SIM was taken out", vec![absent], signer(false), "8217000d"),
        ("expired", vec![card(1, ours, None, good)], Signer { chain: expired, ..signer(false) }, "82170004"),
        ("not for signing", vec![card(1, ours, None, good)], Signer { may_sign: false, ..signer(false) }, "8217000d"),
    ] {
        for source in [Source::Website, Source::Refresh] {
            let facts = Facts { modems: modems.clone(), ..Facts::default() };
            let found = match Document::judge(signed(signer.clone()), &source, &facts, &Trust::default()) {
                Ok(Judged::Allowed(_)) => "allowed".to_owned(),
                Ok(Judged::Ask(_)) => "asked".to_owned(),
                Err(refused) => refused.code.to_string(),
            };
            // Nobody can be asked by a refresh.
            let code = if code == "asked" && source == Source::Refresh { "82170006" } else { code };
            assert_eq!(found, code, "{what}, {source:?}");
        }
    }
}

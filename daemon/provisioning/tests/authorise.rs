//! Who may order what. [PROV 12.3, 12.4]

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use daemon_provisioning::{Code, Document, Facts, ModemFacts, Personal, SimState, Source, validate};

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

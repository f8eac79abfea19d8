//! What fuzz targets do with their octets; whatever comes in, this returns. See tests/fuzz.

use daemon_provisioning::{Facts, Ledger, Outcome, Run, SavedRun, Shape, StepAction, Stored, Time, Todo};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::certificate::Certificates;
use crate::{Answer, EXTENDED_VALIDATION, Method, Narrow, Question, Request, Root, Verifier as _, canonical, shape};

/// 2026-06-01.
const CLOCK: u64 = 1_780_272_000;
/// Steps of a stored run that are followed: its attempts may be as many as a number holds.
const STEPS: usize = 1000;

/// A document all the way to its results, and its signature: whatever its digest says, everything that is behind it is looked
/// at, and its certificates against themselves as roots. What was signed is in canonical form, so that it stays as it is.
pub fn fuzz_document(octets: &[u8]) {
    daemon_provisioning::fuzz(octets);
    let Ok(text) = daemon_provisioning::decode(octets) else { return };
    let Ok(tree) = daemon_provisioning::parse(&text) else { return };
    let Ok(shape) = shape::read(&tree) else { return };
    let mut once = String::new();
    canonical::document(&tree, Some(shape.signature), &mut once);
    let again = daemon_provisioning::parse(&once).map(|tree| {
        let mut again = String::new();
        canonical::document(&tree, None, &mut again);
        again
    });
    assert!(again.is_ok_and(|again| again == once), "canonical form is not its own");
    for method in Method::ALL {
        let _ = canonical::element(shape.signed_info, method);
    }
    let _ = shape.algorithms(true);
    let roots: Vec<Root> = shape
        .certificates
        .iter()
        .map(|der| Root { der: der.clone(), extended_validation: vec![EXTENDED_VALIDATION.to_owned()] })
        .collect();
    let request =
        Request { document: octets, clock: CLOCK, sha1: true, roots: &roots, revocation_lists: &[], fetched: &[] };
    if let Ok(certificates) = Certificates::read(shape.certificates.clone()) {
        let _ = (certificates.signed(), certificates.signer(&request));
    }
    let asked = Question::encode(&request);
    assert!(Question::decode(&asked).is_ok_and(|asked| asked.request().document == octets), "the question changed");
    let _ = Answer::decode(&Answer::encode(&Narrow.verify(&request)));
}

/// What was stored (a run, what documents ordered, the history) or said between processes: what is read is used, and comes
/// back equal when it is written and read again.
pub fn fuzz_stored(octets: &[u8]) {
    if let Some(saved) = kept::<SavedRun>(octets) {
        let mut now = Time::ZERO;
        let mut run = Run::resume(saved, now);
        for _ in 0..STEPS {
            match run.next(now) {
                Todo::Do(id, StepAction::Keep { .. }) => run.done(&id, Outcome::Changed, now),
                Todo::Do(id, _) => run.done(&id, Outcome::Failed(daemon_provisioning::Code::DEVICE_GONE), now),
                Todo::WaitUntil(time) => {
                    run = Run::resume(run.save(now), now);
                    now = time;
                }
                Todo::Done => break,
            }
        }
        let _ = (run.results(Shape::V1), run.results(Shape::V2), run.report(), run.plan().view().to_string());
    }
    if let Some(stored) = kept::<Stored>(octets) {
        let facts = Facts { stored, ..Facts::default() };
        if let Ok(document) = daemon_provisioning::validate(PLANS).map_err(drop).and_then(|validated| {
            let source = daemon_provisioning::Source::Administrator;
            daemon_provisioning::Document::authorise(validated, &source, &facts).map_err(drop)
        }) {
            let _ = daemon_provisioning::plan(&document, &facts).view().to_string();
        }
    }
    if let Some(mut ledger) = kept::<Ledger>(octets) {
        let owners: Vec<_> = ledger.schedules().iter().map(|(owner, _)| owner.clone()).collect();
        for owner in owners {
            if let Some(schedule) = ledger.schedule_mut(&owner) {
                let _ = schedule.due(CLOCK);
                schedule.fetched(daemon_provisioning::Fetched::Failed, CLOCK);
                let _ = schedule.due(CLOCK);
            }
            let _ = (ledger.is_newest(&owner, ""), owner.key(), ledger.remove(&owner));
        }
        let id = ledger.enter(daemon_provisioning::Entry::default());
        ledger.activated(id, daemon_provisioning::Code::OK);
        ledger.place("", "");
    }
    if let Ok(asked) = Question::decode(octets) {
        let _ = Narrow.verify(&asked.request());
    }
    let _ = Answer::decode(octets);
}

/// Plans that may be known already, and a profile that refers to another one.
const PLANS: &[u8] = b"<CarrierProvisioning xmlns=\"http://www.microsoft.com/networking/CarrierControl/v1\"><Global>\
    <CarrierId>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</CarrierId><SubscriberId>001010123456789</SubscriberId></Global>\
    <Plans><Plan xmlns=\"http://www.microsoft.com/networking/CarrierControl/Plans/v1\" Name=\"p\">\
    <Usage CurrentUsage=\"7\" UsageTimestamp=\"2026-03-01T00:00:00Z\"/></Plan></Plans></CarrierProvisioning>";

fn kept<T: DeserializeOwned + Serialize>(octets: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(octets).ok()?;
    // Numbers and texts are always JSON.
    let written = serde_json::to_vec(&value).unwrap_or_default();
    let again: Result<T, _> = serde_json::from_slice(&written);
    let again = again.ok().and_then(|again| serde_json::to_vec(&again).ok());
    assert!(again.is_some_and(|again| again == written), "what was read and written is read otherwise");
    Some(value)
}

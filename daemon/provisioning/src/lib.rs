//! Account-provisioning documents, from octets to results. Pure: no file, no network, no clock,
//! and no step is ever executed here.
//!
//! ```text
//! octets ─ validate ─▶ Validated ─ judge(source, facts, trust) ─▶ Document ─ plan(facts) ─▶ Plan
//!             │        (verified)        │         │     ▲                                │
//!          Invalid                    Refused   Question ┘         results XML ◀─ Run ◀───┘
//! ```
//!
//! Clause tags such as `[PROV 12.7]` name sections of the project's reference on account
//! provisioning, tags such as `PROV-023` its conformance checklist.
#![forbid(unsafe_code)]

mod authorise;
mod binding;
mod calendar;
mod code;
mod document;
mod duration;
mod facts;
mod hotspot;
mod ledger;
mod plan;
mod private;
mod profile;
mod results;
#[cfg(feature = "rules")]
mod rules;
mod run;
mod schedule;
mod schema;
mod signature;
mod signer;
mod stored;
mod trust;
mod xml;

pub use authorise::{Judged, Question, Refused, Source, Trust};
pub use calendar::Moment;
pub use code::{Code, NotACode};
pub use document::branding::{Branding, Logo, LogoFormat};
pub use document::extensions::{ContextPolicy, Contexts, DnsRetry, Metadata, NetworkSettings};
pub use document::plans::{BillingCycle, DataPlan, PlanDescription, PlanType, PlanUsage};
pub use document::refresh::Refresh;
pub use document::{Document, Invalid, Validated, validate};
pub use facts::{Facts, ModemFacts, SimState};
pub use hotspot::is_trusted_login;
pub use ledger::{Entry, Giver, Ledger, Line, Owner};
pub use plan::{Action, Activation, Element, Method, Plan, PlanView, Step, StepId, StepView, plan};
pub use private::{Personal, Secret};
pub use profile::{Authentication, ProvisionedProfile, RoamingPartner, Slot};
pub use results::{Shape, refused, refused_signed};
#[cfg(feature = "rules")]
pub use rules::{Bearer, Incoming, Match, Rules, Said};
pub use run::{ActivationStatus, Outcome, Run, SavedRun, StepAction, StepReport, Time, Todo};
pub use schedule::{Due, Fetched, Schedule, Validators};
#[cfg(feature = "generate")]
pub use schema::generate;
pub use schema::{Violation, XsdFile, unsaid, xsd};
pub use signature::{decode, parse};
pub use signer::{Chain, Name, Signed, Signer, TrustedCertificate};
pub use stored::{Change, Stored, StoredRule, StoredWlan};
pub use xml::{Attribute, Children, Item, Items, MAX_DOCUMENT, Node, Tree};

/// Takes any octets all the way: parse, validate, authorise, plan, run to the end, results. For
/// fuzzing; whatever comes in, this returns.
pub fn fuzz(bytes: &[u8]) {
    let validated = match validate(bytes) {
        Ok(validated) => validated,
        Err(invalid) => {
            let _ = refused(invalid.code(), Shape::V2);
            return;
        }
    };
    let facts = Facts {
        modems: vec![ModemFacts {
            sim: SimState::Ready,
            imsi: Some(Personal::new("001010123456789".to_owned())),
            ..ModemFacts::default()
        }],
        ..Facts::default()
    };
    let document = match Document::authorise(validated, &Source::Administrator, &facts) {
        Ok(document) => document,
        Err(refusal) => {
            let _ = refused(refusal.code, Shape::V2);
            return;
        }
    };
    let plan = plan(&document, &facts);
    let _ = plan.view().to_string();
    let mut now = Time::ZERO;
    let mut run = Run::new(plan, now);
    let mut stored = Stored::default();
    loop {
        match run.next(now) {
            Todo::Do(id, StepAction::Keep { change }) => {
                let changed = stored.apply(&change);
                run.done(&id, if changed { Outcome::Changed } else { Outcome::Unchanged }, now);
            }
            Todo::Do(id, _) => run.done(&id, Outcome::Failed(Code::DEVICE_GONE), now),
            Todo::WaitUntil(time) => {
                run = Run::resume(run.save(now), now);
                now = time;
            }
            Todo::Done => break,
        }
    }
    let _ = (run.results(Shape::V1), run.results(Shape::V2), run.report());
}

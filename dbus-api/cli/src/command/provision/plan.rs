//! `mbimctl provision plan`.

use std::path::Path;

use daemon_provisioning::{Document, Facts, MAX_DOCUMENT, ModemFacts, SimState, Source, plan, validate};
use serde_json::json;

use crate::command::read;
use crate::failure::Failure;
use crate::show::{Output, table};

pub(super) fn run(file: &Path, output: Output) -> Result<(), Failure> {
    let bytes = read(file, MAX_DOCUMENT as u64 + 1)?;
    let check = format!("mbimctl provision validate {}", file.display());
    let validated = validate(&bytes).map_err(|invalid| Failure::invalid(invalid.to_string()).next(check))?;
    // Offline nobody knows the SIM: the plan is the one for a machine that has the SIM of the document, and the document is
    // taken as the administrator's.
    let document =
        Document::authorise(validated, &Source::Administrator, &Facts { modems: Vec::new(), ..Facts::default() });
    let document = document.map_err(|refused| Failure::invalid(format!("{} {}", refused.code, refused.reason)))?;
    let subscriber = document.subscriber_id().clone();
    let modem = ModemFacts { sim: SimState::Ready, imsi: Some(subscriber), ..ModemFacts::default() };
    let view = plan(&document, &Facts { modems: vec![modem], ..Facts::default() }).view();
    let steps = serde_json::to_value(&view.steps).map_err(|error| Failure::failed(error.to_string()))?;
    output.print(&json!({ "steps": steps }), || {
        table(&view.steps.iter().map(|step| [step.id.clone(), step.text.clone()]).collect::<Vec<_>>())
    });
    Ok(())
}

//! How a job looks.

use dbus_api::path::modem_number;
use dbus_api::value::Job;
use serde_json::{Value, json};

use crate::show::table;

fn verdict(job: &Job) -> &'static str {
    match (job.all_elements_provisioned, &job.error) {
        (_, Some(_)) => "refused",
        (Some(true), None) => "everything applied",
        (Some(false), None) => "not everything applied",
        (None, None) => "",
    }
}

/// A job as JSON.
pub(super) fn value(job: &Job) -> Value {
    let steps: Vec<Value> = job
        .steps
        .iter()
        .map(|step| {
            let error = (!step.error.is_empty()).then_some(&step.error);
            json!({ "id": step.id, "what": step.what, "outcome": step.outcome, "error": error })
        })
        .collect();
    json!({
        "job": (job.id != 0).then_some(job.id),
        "modem": job.modem.as_deref().and_then(modem_number),
        "state": job.state,
        "all_elements_provisioned": job.all_elements_provisioned,
        "results_xml": job.results_xml,
        "steps": steps,
        "activation": job.activation.map(|code| format!("{code:08x}")),
        "error": job.error.as_ref().map(|(code, text)| json!({ "code": format!("{code:08x}"), "text": text })),
    })
}

/// A job for people: its steps, then what became of it.
pub(super) fn sheet(job: &Job) -> String {
    let rows = job.steps.iter().map(|step| {
        let what = if step.error.is_empty() { step.what.clone() } else { format!("{}: {}", step.what, step.error) };
        [step.id.clone(), step.outcome.clone(), what]
    });
    let mut text = table(&rows.collect::<Vec<_>>());
    if job.id != 0 {
        text += &format!("job {}: {}", job.id, job.state);
        if !verdict(job).is_empty() {
            text += &format!(", {}", verdict(job));
        }
        text.push('\n');
    }
    if let Some(xml) = &job.results_xml {
        text += xml;
        text.push('\n');
    }
    text
}

//! `mbimctl provision list`, `show`, `remove` and `refresh`: the documents that came.

use dbus_api::path::modem_number;
use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::{Document, Job, Refresh};
use futures_util::StreamExt;
use serde_json::{Value, json};
use zbus::Connection;

use super::jobs;
use crate::failure::Failure;
use crate::show::{Output, table};

pub(super) async fn list(connection: &Connection, output: Output) -> Result<(), Failure> {
    let proxy = ProvisioningProxy::new(connection).await?;
    let documents = documents(&proxy).await?;
    let jobs: Vec<Job> = proxy.list_jobs().await?.iter().map(Job::from_details).collect();
    let value = json!({
        "documents": documents.iter().map(value).collect::<Vec<_>>(),
        "jobs": jobs.iter().map(jobs::value).collect::<Vec<_>>(),
    });
    output.print(&value, || {
        let rows = documents.iter().map(|document| {
            [document.id.to_string(), when(document.time), document.source.clone(), outcome(document), of(document)]
        });
        let mut text = table(&rows.collect::<Vec<_>>());
        let going = jobs.iter().filter(|job| !job.ended()).map(|job| {
            let modem = job.modem.as_deref().and_then(modem_number).map(|number| format!("modem {number}"));
            [format!("job {}", job.id), job.state.clone(), modem.unwrap_or_default()]
        });
        text += &table(&going.collect::<Vec<_>>());
        if text.is_empty() { "no document came\n".to_owned() } else { text }
    });
    Ok(())
}

pub(super) async fn show(connection: &Connection, number: Option<u32>, output: Output) -> Result<(), Failure> {
    let proxy = ProvisioningProxy::new(connection).await?;
    let listed: Vec<Job> = proxy.list_jobs().await?.iter().map(Job::from_details).collect();
    let newest = || async { Ok::<_, Failure>(documents(&proxy).await?.last().map(|document| document.id)) };
    let number = match number {
        Some(number) => Some(number),
        None => newest().await?,
    };
    let document = match number {
        Some(number) => Some(Document::from_details(&proxy.get_document(number).await?)),
        None => None,
    };
    // Of this run of the daemon there are the results as well, for who may read them.
    let job = listed.iter().rfind(|job| number.is_none() || job.document == number);
    let job = match job {
        Some(job) => Some(proxy.get_job(job.id).await.map_or_else(|_| job.clone(), |told| Job::from_details(&told))),
        None => None,
    };
    if document.is_none() && job.is_none() {
        return Err(Failure::failed("no document came"));
    }
    let mut told = jobs::value(&job.clone().unwrap_or_default());
    if let Some(told) = told.as_object_mut() {
        told.insert("document".to_owned(), document.as_ref().map(value).unwrap_or_default());
    }
    output.print(&told, || {
        let mut text = document.as_ref().map(sheet).unwrap_or_default();
        match &job {
            Some(job) => text += &jobs::sheet(job),
            None => {
                let rows = document.iter().flat_map(|document| &document.steps);
                let rows = rows.map(|step| [step.id.clone(), step.outcome.clone(), step.error.clone()]);
                text += &table(&rows.collect::<Vec<_>>());
            }
        }
        text
    });
    Ok(())
}

pub(super) async fn remove(connection: &Connection, number: u32, output: Output) -> Result<(), Failure> {
    ProvisioningProxy::new(connection).await?.remove_document(number).await?;
    output.print(&json!({ "removed": number }), || {
        "what the documents of this operator for this customer set was taken away".to_owned()
    });
    Ok(())
}

pub(super) async fn refresh(connection: &Connection, number: Option<u32>, output: Output) -> Result<(), Failure> {
    let proxy = ProvisioningProxy::new(connection).await?;
    let mut changes = proxy.receive_job_changed().await?;
    let number = proxy.refresh(number.unwrap_or(0)).await?;
    // It may have ended before anything was heard of it.
    let mut job = Job::from_details(&proxy.get_job(number).await?);
    // Its results are there as soon as it is in the history; the activation may take hours.
    while !job.ended() && (job.state != "activating" || job.document.is_none()) {
        let change = changes.next().await.ok_or_else(Failure::not_running)?;
        let args = change.args()?;
        if args.job == number {
            job = Job::from_details(&args.details);
        }
    }
    let newer = job.document.is_some();
    let mut told = jobs::value(&job);
    if let Some(told) = told.as_object_mut() {
        told.insert("newer".to_owned(), (newer && job.error.is_none()).into());
    }
    output.print(&told, || match (&job.error, newer) {
        (Some(_), _) => String::new(),
        (None, true) => jobs::sheet(&job),
        (None, false) => "there is no newer document".to_owned(),
    });
    match &job.error {
        Some((code, text)) if newer => {
            let code = format!("{code:08x}");
            let text = text.strip_prefix(&code).map_or(text.as_str(), |rest| rest.trim_start_matches([':', ' ']));
            Err(Failure::invalid(format!("{code} {text}")))
        }
        Some((_, text)) => Err(Failure::failed(format!("no newer document was fetched: {text}"))),
        None => Ok(()),
    }
}

async fn documents(proxy: &ProvisioningProxy<'_>) -> Result<Vec<Document>, Failure> {
    Ok(proxy.list_documents().await?.iter().map(Document::from_details).collect())
}

/// What became of it, in a few words.
fn outcome(document: &Document) -> String {
    match document {
        Document { code, .. } if *code != 0 => format!("refused {code:08x}"),
        Document { removed: true, .. } => "removed".into(),
        Document { activation: Some(code), .. } if *code != 0 => format!("applied, activation failed {code:08x}"),
        Document { all_elements_provisioned: true, .. } => "applied".into(),
        _ => "not everything applied".into(),
    }
}

/// Whose it is.
fn of(document: &Document) -> String {
    let parts = [&document.carrier_id, &document.subscriber, &document.file].into_iter().flatten();
    parts.map(String::as_str).collect::<Vec<_>>().join("  ")
}

/// Seconds since 1970 as a date and time of UTC.
fn when(seconds: u64) -> String {
    daemon_provisioning::Moment::from_unix(i64::try_from(seconds).unwrap_or_default()).to_string()
}

fn value(document: &Document) -> Value {
    let steps = document.steps.iter().map(|step| {
        let error = (!step.error.is_empty()).then_some(&step.error);
        json!({ "id": step.id, "outcome": step.outcome, "error": error })
    });
    let refresh = document.refresh.map(|refresh| match refresh {
        Refresh::OnDemand => json!({ "when": "on-demand" }),
        Refresh::Due => json!({ "when": "due" }),
        Refresh::At(at) => json!({ "when": "scheduled", "time": at }),
    });
    json!({
        "id": document.id,
        "time": document.time,
        "source": document.source,
        "file": document.file,
        "digest": document.digest,
        "carrier_id": document.carrier_id,
        "subscriber": document.subscriber,
        "signer": document.signer,
        "fingerprint": document.fingerprint,
        "code": format!("{:08x}", document.code),
        "reason": (!document.reason.is_empty()).then_some(&document.reason),
        "all_elements_provisioned": (document.code == 0).then_some(document.all_elements_provisioned),
        "activation": document.activation.map(|code| format!("{code:08x}")),
        "removed": document.removed,
        "refresh": refresh,
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// A document for people.
fn sheet(document: &Document) -> String {
    let refresh = document.refresh.map(|refresh| match refresh {
        Refresh::OnDemand => "when somebody asks for it (mbimctl provision refresh)".to_owned(),
        Refresh::Due => "as soon as the SIM is online".to_owned(),
        Refresh::At(at) => when(at),
    });
    let rows = [
        ("document", Some(document.id.to_string())),
        ("came", Some(format!("{} from {}", when(document.time), document.source))),
        ("file", document.file.clone()),
        ("digest", Some(document.digest.clone())),
        ("operator", document.carrier_id.clone()),
        ("customer", document.subscriber.clone()),
        ("signer", document.signer.clone()),
        ("outcome", Some(outcome(document))),
        ("reason", Some(document.reason.clone()).filter(|reason| !reason.is_empty())),
        ("newer one", refresh),
    ];
    let rows = rows.into_iter().filter_map(|(name, text)| Some([name.to_owned(), text?]));
    table(&rows.collect::<Vec<_>>())
}

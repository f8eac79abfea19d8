//! `mbimctl provision apply`.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};

use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::Job;
use futures_util::StreamExt;
use zbus::{Connection, Variant};

use super::jobs;
use crate::arguments::{Apply, Source};
use crate::command::agent::Agent;
use crate::command::read;
use crate::failure::Failure;
use crate::modem;
use crate::show::Output;

/// Most octets of a document that the daemon takes; it judges one more by itself.
const DOCUMENT: u64 = 4 * 1024 * 1024 + 1;

pub(super) async fn run(connection: &Connection, wish: &Apply, output: Output) -> Result<(), Failure> {
    let document = read(&wish.file, DOCUMENT)?;
    let source = match wish.source {
        Source::App => "app",
        Source::Website => "website",
    };
    let mut options: HashMap<&str, Variant<'_>> =
        HashMap::from([("source", source.into()), ("dry-run", wish.dry_run.into())]);
    if let Some(word) = &wish.modem {
        let path = modem::pick(connection, Some(word)).await?.path;
        options.insert("modem", path.into_inner().into());
    }
    // Where a person sits, the question about the signer is asked here. Who may not be asked may still apply.
    let asks = matches!(wish.source, Source::Website) && !wish.dry_run && wish.file.as_os_str() != "-";
    let agent = if asks && Agent::has_terminal() { Agent::register(connection).await.ok() } else { None };
    let follow = follow(connection, wish, &document, &options, output);
    match agent {
        None => follow.await,
        Some(agent) => tokio::select! {
            done = follow => done,
            failure = agent.work() => Err(failure),
        },
    }
}

async fn follow(
    connection: &Connection,
    wish: &Apply,
    document: &[u8],
    options: &HashMap<&str, Variant<'_>>,
    output: Output,
) -> Result<(), Failure> {
    let proxy = ProvisioningProxy::new(connection).await?;
    let mut changes = proxy.receive_job_changed().await?;
    let (number, details) = proxy.apply(document, options).await?;
    let mut job = Job::from_details(&details);
    let terminal = std::io::stderr().is_terminal();
    while number != 0 && !settled(&job, wish.wait) {
        let change = changes.next().await.ok_or_else(Failure::not_running)?;
        let args = change.args()?;
        if args.job == number {
            let known = job.results_xml.take();
            job = Job { results_xml: known, ..Job::from_details(&args.details) };
            if terminal && job.state != "asking" {
                let _ = write!(std::io::stderr(), "\r\x1b[K{}…", job.state);
            }
        }
    }
    if terminal {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    if number != 0 && job.results_xml.is_none() {
        job.results_xml = Job::from_details(&proxy.get_job(number).await?).results_xml;
    }
    output.print(&jobs::value(&job), || jobs::sheet(&job));
    outcome(&job, wish.dry_run)
}

/// Whether there is nothing more to wait for: the results, or with `--wait` the end.
fn settled(job: &Job, to_the_end: bool) -> bool {
    job.ended() || (!to_the_end && (job.state == "activating" || job.results_xml.is_some()))
}

fn outcome(job: &Job, dry_run: bool) -> Result<(), Failure> {
    if let Some((code, text)) = &job.error {
        return Err(Failure::invalid(format!("{code:08x} {text}")));
    }
    if let Some(code) = job.activation.filter(|code| *code != 0) {
        return Err(Failure::failed(format!("applied, but the activation failed ({code:08x})")).next("mbimctl explain"));
    }
    if !dry_run && job.all_elements_provisioned == Some(false) {
        return Err(Failure::failed("not everything in the document was applied; the results say what"));
    }
    Ok(())
}

//! `mbimctl apn`.

use std::path::{Path, PathBuf};

use daemon_operator::database::Severity;
use daemon_operator::identity::Reported;
use daemon_operator::profile::PlanHint;
use daemon_operator::{Candidate, Choice, Identity, Layers, Package, SourceFile, Sources, Wishes, import, overlay};
use serde_json::{Map, Value, json};

use super::hwid;
use crate::arguments::{Apn, ApnCommand};
use crate::failure::Failure;
use crate::show::{Output, table};

/// Where Debian's package puts the database.
const PACKAGED: &str = "/usr/share/mobile-broadband-provider-info/serviceproviders.xml";

/// Most octets of a database.
const DATABASE: u64 = 16 * 1024 * 1024;

pub(crate) fn run(question: &Apn, output: Output) -> Result<(), Failure> {
    if let Some(ApnCommand::Import { file }) = &question.command {
        return imported(file, output);
    }
    let plan = plan(question.plan.as_deref())?;
    let ehplmn: Vec<&str> = question.ehplmn.iter().map(String::as_str).collect();
    let identity = hwid::identity(Reported {
        spn: &question.spn,
        gid1: &question.gid1,
        mnc_length: question.mnc_length,
        ehplmn: &ehplmn,
        ..hwid::reported(&question.identity)
    })?;
    let layers = load(question, &identity)?;
    let choice = layers.choose(&identity, &Wishes { plan, ..Wishes::default() });
    output.print(&value(&choice), || sheet(&choice));
    Ok(())
}

/// The overlay goes to standard output, what it leaves out to standard error.
fn imported(file: &Path, output: Output) -> Result<(), Failure> {
    let bytes = super::read(file, DATABASE)?;
    let made =
        import::read(&file.display().to_string(), &bytes).map_err(|problem| Failure::invalid(problem.to_string()))?;
    let problems: Vec<String> =
        made.problems.iter().filter(|problem| problem.severity != Severity::Debug).map(ToString::to_string).collect();
    for problem in &problems {
        eprintln!("{problem}");
    }
    let text = overlay::print(&made.records);
    let json = json!({
        "format": made.format.as_str(),
        "records": made.records.len(),
        "problems": problems,
        "overlay": text,
    });
    output.print(&json, || text);
    Ok(())
}

fn plan(hint: Option<&str>) -> Result<PlanHint, Failure> {
    match hint {
        None | Some("" | "unknown") => Ok(PlanHint::Unknown),
        Some("prepaid") => Ok(PlanHint::Prepaid),
        Some("postpaid") => Ok(PlanHint::Postpaid),
        Some(_) => Err(Failure::usage("--plan takes prepaid, postpaid or unknown")),
    }
}

/// Of the distribution's database what the identity needs, for speed; of files that someone names all of it, so that they
/// see what is wrong with them.
fn load(question: &Apn, identity: &Identity) -> Result<Layers, Failure> {
    let Apn { database, overlay, metadata, .. } = question;
    let packaged = [PathBuf::from(PACKAGED)];
    let named = !database.is_empty();
    let database = if !named {
        if Path::new(PACKAGED).exists() {
            &packaged[..]
        } else {
            eprintln!(
                "mbimctl: no operator database: install mobile-broadband-provider-info, or name one with --database"
            );
            &[]
        }
    } else {
        database.as_slice()
    };
    let read = |files: &[PathBuf]| -> Result<Vec<(String, Vec<u8>)>, Failure> {
        files.iter().map(|file| Ok((file.display().to_string(), super::read(file, DATABASE)?))).collect()
    };
    let (vendor, overlay) = (read(database)?, read(overlay)?);
    let packages: Vec<_> = metadata.iter().map(|folder| package(folder)).collect::<Result<_, _>>()?;
    let parts: Vec<Vec<SourceFile<'_>>> = packages.iter().map(|(_, files)| sources(files)).collect();
    let packages: Vec<Package<'_>> =
        packages.iter().zip(&parts).map(|((name, _), files)| Package { name, files }).collect();
    let (overlay, vendor) = (sources(&overlay), sources(&vendor));
    let sources = Sources { packages: &packages, overlay: &overlay, vendor: &vendor, ..Sources::default() };
    let (layers, problems) = if named { Layers::read(&sources) } else { Layers::read_for(&sources, identity) };
    let mut bad = false;
    for problem in problems.iter().filter(|problem| problem.severity != Severity::Debug) {
        eprintln!("{problem}");
        bad |= problem.severity == Severity::Error;
    }
    let records = layers.vendor_counts().providers + layers.overlay_counts().providers + layers.packages();
    if bad && records == 0 {
        return Err(Failure::invalid("no operator database could be used"));
    }
    Ok(layers)
}

/// A name and the content that goes by it.
type Named = (String, Vec<u8>);

/// The XML files of a package, by their names in it.
fn package(folder: &Path) -> Result<(String, Vec<Named>), Failure> {
    let mut files = Vec::new();
    for (inner, prefix) in [(folder.to_owned(), ""), (folder.join("ServiceInformation"), "ServiceInformation/")] {
        let entries =
            std::fs::read_dir(&inner).map_err(|error| Failure::failed(format!("{}: {error}", inner.display())))?;
        let paths = entries.flatten().map(|entry| entry.path());
        for path in paths.filter(|path| path.extension().is_some_and(|end| end == "xml")).take(32) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            files.push((format!("{prefix}{name}"), super::read(&path, DATABASE)?));
        }
    }
    Ok((folder.display().to_string(), files))
}

fn sources(files: &[(String, Vec<u8>)]) -> Vec<SourceFile<'_>> {
    files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect()
}

fn value(choice: &Choice) -> Value {
    let operator = choice.operator.as_ref();
    let candidates: Vec<Value> = choice.listed().iter().map(entry).collect();
    let selectors = choice.selectors().iter().map(|held| (held.attribute.replace('-', "_"), json!(held.value)));
    let selectors: Map<String, Value> = selectors.collect();
    json!({
        "match": choice.verdict.as_str(),
        "operator": operator.map(|operator| json!({
            "name": operator.name,
            "country": operator.country,
            "layer": operator.layer.as_str(),
        })),
        "rule": choice.rule_name(),
        "alternatives": choice
            .alternatives
            .iter()
            .map(|other| json!({ "name": other.name, "country": other.country }))
            .collect::<Vec<_>>(),
        "selectors": selectors,
        "candidates": candidates,
        "portal_url": operator.and_then(|operator| operator.account_url.as_deref()),
    })
}

fn entry(candidate: &Candidate) -> Value {
    json!({
        "apn": candidate.apn,
        "type": candidate.purposes.names().collect::<Vec<_>>(),
        "ip_type": candidate.ip_home.map(|kind| kind.as_str()),
        "auth": candidate.auth.map(|auth| auth.as_str()),
        "username": (!candidate.user.is_empty()).then_some(&candidate.user),
        "criterion": candidate.criterion.to_string(),
        "source": candidate.source.as_str(),
    })
}

fn sheet(choice: &Choice) -> String {
    let decided: Vec<String> = choice.selectors().iter().map(ToString::to_string).collect();
    let mut text = match &choice.operator {
        Some(operator) => format!(
            "{} ({}): {} match by {}{}, from the {} layer\n",
            operator.name,
            operator.country,
            choice.verdict.as_str(),
            choice.rule_name(),
            if decided.is_empty() { String::new() } else { format!(" ({})", decided.join(", ")) },
            operator.layer.as_str()
        ),
        None => "no operator matches\n".to_owned(),
    };
    for other in &choice.alternatives {
        text += &format!("  fits as well: {}/{}\n", other.country, other.name);
    }
    let rows: Vec<[String; 5]> = choice
        .listed()
        .iter()
        .map(|candidate| {
            [
                if candidate.apn.is_empty() { "(default)".to_owned() } else { candidate.apn.clone() },
                candidate.ip_home.map_or("-", |kind| kind.as_str()).to_owned(),
                candidate.auth.map_or("-", |auth| auth.as_str()).to_owned(),
                candidate.criterion.to_string(),
                candidate.source.as_str().to_owned(),
            ]
        })
        .collect();
    text += &table(&rows);
    if let Some(url) = choice.operator.as_ref().and_then(|operator| operator.account_url.as_deref()) {
        text += &format!("portal {url}\n");
    }
    text
}

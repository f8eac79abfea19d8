//! `org.mbimd.Mbimd1.Provisioning`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use daemon_provisioning::{Due, Entry, Ledger};
use dbus_api::error::Code;
use dbus_api::value;
use tokio::sync::oneshot;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection as Bus, ObjectPath, OwnedVariant};

use crate::dbus::agents::{Agent, Agents};
use crate::dbus::failure::Failure;
use crate::dbus::options::Options;
use crate::dbus::policy::{Action, Gate, caller, units};
use crate::handle::{Job, Modems, NotDone, Provisioner, Source, Submission, Wish};
use crate::store::trusted::Consent;

/// Most octets of a document. `[PROV 16]`
const DOCUMENT: usize = 4 * 1024 * 1024;

type Details = HashMap<String, OwnedVariant>;

/// Operators' documents.
pub(crate) struct Provisioning {
    provisioner: Provisioner,
    modems: Modems,
    agents: Agents,
    gate: Gate,
    /// Who handed over the jobs that are still listed: they may read the results, which name the subscriber.
    owners: Mutex<BTreeMap<u32, u32>>,
}

impl Provisioning {
    pub(in crate::dbus) fn new(provisioner: Provisioner, modems: Modems, agents: Agents, gate: Gate) -> Self {
        Self { provisioner, modems, agents, gate, owners: Mutex::default() }
    }

    fn remember(&self, job: u32, uid: u32) {
        let listed: Vec<u32> = self.provisioner.jobs.borrow().iter().map(|job| job.id).collect();
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|id, _| listed.contains(id));
        owners.insert(job, uid);
    }

    fn owner(&self, job: u32) -> Option<u32> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(&job).copied()
    }

    async fn ledger(&self) -> Result<Ledger, Failure> {
        let ledger = crate::actor::provision::history::read(&self.provisioner.store).await;
        ledger.map_err(|error| Failure::new(Code::Storage, format!("The history cannot be read: {error}.")))
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<Result<T, NotDone>>) -> Wish) -> Result<T, Failure> {
        let (answer, wait) = oneshot::channel();
        self.provisioner.orders.send(order(answer)).await.map_err(|_| Failure::gone())?;
        Ok(wait.await.map_err(|_| Failure::gone())??)
    }

    /// Number of the modem that a path names, if it is there.
    fn modem(&self, path: &str) -> Result<u32, Failure> {
        let number = dbus_api::path::modem_number(path);
        let there = number.filter(|number| self.modems.borrow().iter().any(|modem| modem.id == *number));
        there.ok_or_else(|| Failure::new(Code::NotFound, "There is no modem with this path."))
    }
}

/// The agent that a call speaks of.
fn agent(call: &Header<'_>, path: ObjectPath<'_>, uid: u32) -> Agent {
    Agent { name: call.sender().map(|name| name.to_owned().into()), path: path.into(), uid }
}

/// The store's failure as callers see it.
fn storage(error: &std::io::Error) -> Failure {
    Failure::new(Code::Storage, format!("The approved signers cannot be read or written: {error}."))
}

/// A job as it travels; with `results` only to who may read them.
pub(in crate::dbus) fn details(job: &Job, results: bool) -> Details {
    let steps = job.steps.iter().map(|step| value::Step {
        id: step.id.clone(),
        what: step.what.clone(),
        outcome: step.outcome.clone(),
        error: step.error.clone(),
    });
    value::Job {
        id: job.id,
        modem: job.modem.map(|number| dbus_api::path::modem(number).to_string()),
        document: job.document,
        state: job.state.to_owned(),
        steps: steps.collect(),
        all_elements_provisioned: job.all_provisioned,
        error: job.error.clone(),
        activation: job.activation,
        results_xml: job.results_xml.as_deref().filter(|_| results).map(str::to_owned),
    }
    .to_details()
}

/// A document of the history as it travels; its steps only where they are wanted.
fn document(entry: &Entry, schedule: Option<Due>, steps: bool) -> Details {
    let line = |line: &daemon_provisioning::Line| value::Step {
        id: line.id.clone(),
        outcome: line.outcome.clone(),
        error: line.code.map(|code| code.to_string()).unwrap_or_default(),
        ..value::Step::default()
    };
    let (owner, signed) = (entry.owner.as_ref(), entry.signed.as_ref());
    value::Document {
        id: entry.id,
        time: entry.at,
        source: entry.giver.as_str().to_owned(),
        file: entry.file.clone(),
        digest: entry.digest.clone(),
        carrier_id: owner.map(|owner| owner.carrier_id.clone()),
        subscriber: owner.map(|owner| owner.subscriber_id.masked()),
        signer: signed.map(|signed| signed.subject.clone()),
        fingerprint: signed.map(|signed| signed.fingerprint.clone()),
        code: entry.code.0,
        reason: entry.reason.clone(),
        all_elements_provisioned: entry.all,
        activation: entry.activation.map(|code| code.0),
        removed: entry.removed,
        refresh: schedule.map(|due| match due {
            Due::Never => value::Refresh::OnDemand,
            Due::At(at) => value::Refresh::At(at),
            Due::Now => value::Refresh::Due,
        }),
        steps: if steps { entry.steps.iter().map(line).collect() } else { Vec::new() },
    }
    .to_details()
}

/// When a newer document than this one is asked for; only the newest of a customer has an answer.
fn due(ledger: &Ledger, entry: &Entry) -> Option<Due> {
    let owner = entry.owner.as_ref()?;
    let newest = ledger.entries().iter().rfind(|other| other.owner.as_ref() == Some(owner) && !other.removed)?;
    let (_, schedule) = ledger.schedules().iter().find(|(of, _)| of == owner)?;
    (newest.id == entry.id).then(|| schedule.due(crate::actor::provision::now()))
}

impl From<NotDone> for Failure {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::NotFound(text) => Self::new(Code::NotFound, text),
            NotDone::NotNow(text) => Self::new(Code::WrongState, text),
            NotDone::Failed(text) => Self::new(Code::Storage, text),
        }
    }
}

/// The code in front of the text, once.
fn coded(code: u32, text: &str) -> String {
    let code = format!("{code:08x}");
    let rest = text.strip_prefix(&code).map_or(text, |rest| rest.trim_start_matches([':', ' ']));
    format!("{code} {rest}")
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Provisioning", introspection_docs = false)]
impl Provisioning {
    #[zbus(out_args("job", "details"))]
    async fn apply(
        &self,
        document: Vec<u8>,
        options: HashMap<String, OwnedVariant>,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(u32, Details), Failure> {
        let mut options = Options::new(options)?;
        let source = options.word("source", &[("app", Source::App), ("website", Source::Website)])?;
        let source = source.unwrap_or(Source::App);
        let action = match source {
            Source::Website => Action::ProvisionWebsite,
            _ => Action::Provision,
        };
        let uid = self.gate.check(bus, &call, action).await?;
        let dry_run = options.flag("dry-run")?.unwrap_or(false);
        let modem = options.path("modem")?.map(|path| self.modem(&path)).transpose()?;
        options.finish()?;
        if document.len() > DOCUMENT {
            return Err(Failure::new(Code::TooLarge, "800700df The document is larger than 4 MiB."));
        }
        let (answer, wait) = oneshot::channel();
        let units = units(bus, &call).await;
        let submission = Submission { modem, xml: document.into(), source, uid, units, dry_run };
        self.provisioner.submit.send((submission, answer)).await.map_err(|_| Failure::gone())?;
        match wait.await.map_err(|_| Failure::gone())? {
            Ok(job) => {
                self.remember(job.id, uid);
                Ok((job.id, details(&job, true)))
            }
            Err(Job { error: Some((code, text)), .. }) => Err(Failure::new(Code::DocumentRefused, coded(code, &text))),
            Err(job) => Ok((0, details(&Job { id: 0, ..job }, true))),
        }
    }

    #[zbus(out_args("details"))]
    async fn get_job(
        &self,
        job: u32,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<Details, Failure> {
        let found = self.provisioner.jobs.borrow().iter().find(|listed| listed.id == job).cloned();
        if self.owner(job) != Some(caller(bus, &call).await?) {
            self.gate.check(bus, &call, Action::Provision).await?;
        }
        let found = found.ok_or_else(|| Failure::new(Code::NotFound, "There is no job with this number."))?;
        Ok(details(&found, true))
    }

    #[zbus(out_args("jobs"))]
    fn list_jobs(&self) -> Vec<Details> {
        self.provisioner.jobs.borrow().iter().map(|job| details(job, false)).collect()
    }

    async fn register_agent(
        &self,
        agent: ObjectPath<'_>,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        let uid = self.gate.check(bus, &call, Action::ApproveSigner).await?;
        self.agents.register(self::agent(&call, agent, uid));
        Ok(())
    }

    async fn unregister_agent(
        &self,
        agent: ObjectPath<'_>,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        let uid = caller(bus, &call).await?;
        if self.agents.unregister(&self::agent(&call, agent, uid)) {
            return Ok(());
        }
        Err(Failure::new(Code::NotFound, "No agent is registered there."))
    }

    #[zbus(out_args("signers"))]
    async fn list_signers(&self) -> Result<Vec<HashMap<String, String>>, Failure> {
        let trusted = self.provisioner.store.trusted().await.map_err(|error| storage(&error))?;
        let details = |consent: Consent| {
            HashMap::from([
                ("fingerprint".to_owned(), consent.fingerprint),
                ("signer".to_owned(), consent.signer),
                ("carrier-id".to_owned(), consent.carrier_id),
                ("date".to_owned(), consent.date.to_string()),
            ])
        };
        Ok(trusted.consents.into_iter().map(details).collect())
    }

    async fn revoke_signer(
        &self,
        fingerprint: String,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.gate.check(bus, &call, Action::ApproveSigner).await?;
        if self.provisioner.store.revoke(fingerprint).await.map_err(|error| storage(&error))? {
            return Ok(());
        }
        Err(Failure::new(Code::NotFound, "No approved signer has this fingerprint."))
    }

    #[zbus(out_args("documents"))]
    async fn list_documents(&self) -> Result<Vec<Details>, Failure> {
        let ledger = self.ledger().await?;
        Ok(ledger.entries().iter().map(|entry| document(entry, due(&ledger, entry), false)).collect())
    }

    #[zbus(out_args("details"))]
    async fn get_document(&self, document: u32) -> Result<Details, Failure> {
        let ledger = self.ledger().await?;
        let entry = ledger.entry(document);
        let entry = entry.ok_or_else(|| Failure::new(Code::NotFound, "There is no document with this number."))?;
        Ok(self::document(entry, due(&ledger, entry), true))
    }

    async fn remove_document(
        &self,
        document: u32,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.gate.check(bus, &call, Action::Provision).await?;
        self.order(|answer| Wish::Remove(document, answer)).await
    }

    #[zbus(out_args("job"))]
    async fn refresh(
        &self,
        document: u32,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<u32, Failure> {
        let uid = self.gate.check(bus, &call, Action::Provision).await?;
        let job = self.order(|answer| Wish::Refresh(document, answer)).await?;
        self.remember(job, uid);
        Ok(job)
    }

    #[zbus(signal)]
    pub(in crate::dbus) async fn job_changed(
        emitter: &SignalEmitter<'_>,
        job: u32,
        details: Details,
    ) -> zbus::Result<()>;
}

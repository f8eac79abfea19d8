//! One document being applied: each step of its run becomes a request to the modem.

use daemon_core::effect::SubscriberKey;
use daemon_core::request::{Reply, Request, RequestError, RequestErrorKind};
use daemon_core::subscriber::ProvisionedProfile;
use daemon_provisioning::{
    ActivationStatus, Change, Code, Entry, Outcome, Owner, Personal, Run, SavedRun, Shape, Slot, StepAction, Stored,
    Todo, Validators,
};
use mbim_proto::Secret;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::history::Draft;
use super::{Board, activation_code, facts};
use crate::handle::{Job, JobStep, ModemHandle};
use crate::store::{self, Store, Which, halt};

/// What is written down of a document that is being applied.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// How far it is.
    pub(super) run: SavedRun,
    /// What is to be remembered of it; it has its number once it is.
    #[serde(default)]
    pub(super) draft: Draft,
}

/// Why an activation ends that could go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Another document's goes on instead.
    Superseded,
    /// What the document set is taken away.
    Removed,
}

/// A run and what it needs.
pub(super) struct Execution {
    run: Run,
    draft: Draft,
    job: Job,
    handle: Option<ModemHandle>,
    key: Option<SubscriberKey>,
    default: Option<ProvisionedProfile>,
    purchase: Option<ProvisionedProfile>,
    /// Something that the modem is told of the network is staged.
    network: bool,
    /// What is kept for the customer: as it is on disk, and as it is to become.
    kept: Option<(Stored, Stored)>,
    store: Store,
    board: Board,
    start: Instant,
}

impl Execution {
    pub(super) fn new(
        (run, draft): (Run, Draft),
        job: Job,
        handle: Option<ModemHandle>,
        key: Option<SubscriberKey>,
        store: Store,
        board: Board,
        start: Instant,
    ) -> Self {
        Self {
            run,
            draft,
            job,
            handle,
            key,
            default: None,
            purchase: None,
            network: false,
            kept: None,
            store,
            board,
            start,
        }
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// Whose document it is.
    pub(super) fn owner(&self) -> Owner {
        self.run.plan().owner()
    }

    /// Its number in the history; 0 as long as it is not there.
    pub(super) fn document(&self) -> u32 {
        self.draft.entry.id
    }

    /// What is to be remembered, once the results are there.
    pub(super) fn entry(&self) -> (Entry, Validators) {
        let Draft { entry, validators } = self.draft.clone();
        let mut entry = Entry {
            owner: Some(self.owner()),
            sim: self.key.as_ref().map(|key| Personal::new(key.reveal().to_owned())),
            signed: self.run.plan().signed().cloned(),
            all: self.run.all_elements_provisioned(),
            ..entry
        };
        entry.report(&self.run.report());
        (entry, validators)
    }

    /// Whether what was staged is written.
    pub(super) fn is_committed(&self) -> bool {
        !self.run.report().iter().any(|step| step.id.as_str() == "commit" && step.outcome == "failed")
    }

    /// It is remembered under that number, which a restart is not to forget.
    pub(super) async fn entered(&mut self, document: u32) {
        self.draft.entry.id = document;
        self.job.document = Some(document).filter(|number| *number != 0);
        self.keep().await;
        self.board.show(&self.job);
    }

    /// Whether nothing is left to do, also no attempt later.
    pub(super) fn is_done(&mut self) -> bool {
        matches!(self.run.next(self.start.elapsed()), Todo::Done)
    }

    /// Carries out all steps up to the results.
    pub(super) async fn apply(&mut self) {
        self.show("applying");
        while !self.run.results_ready() {
            let Todo::Do(id, action) = self.run.next(self.start.elapsed()) else { break };
            // Staging leaves nothing behind: the cursor is written around what does, which spares a large document a
            // large write for each of its thousand elements.
            let stages = matches!(action, StepAction::StoreProfile { .. } | StepAction::Keep { .. });
            if !stages {
                self.keep().await;
            }
            halt::here();
            let outcome = self.act(action).await;
            halt::here();
            self.run.done(&id, outcome, self.start.elapsed());
            if !stages {
                self.keep().await;
                self.show("applying");
            }
        }
        self.job.results_xml = self.run.results(Shape::V2).map(Into::into);
        self.job.all_provisioned = Some(self.run.all_elements_provisioned());
        self.show("activating");
    }

    /// Under what the cursor is kept.
    fn which(&self) -> Which {
        match self.run.activation() {
            ActivationStatus::None => Which::Plain,
            _ => Which::Activating,
        }
    }

    /// Makes the attempts of the activation until one works, all failed, or somebody ends it. The cursor then says how it
    /// ended, until that is in the history.
    pub(super) async fn activate(&mut self, mut cancelled: oneshot::Receiver<Ending>) -> Option<Ending> {
        let mut ending = None;
        while ending.is_none() {
            let todo = self.run.next(self.start.elapsed());
            self.keep().await;
            halt::here();
            match todo {
                Todo::Done => break,
                Todo::WaitUntil(due) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(self.start + due) => {}
                        why = &mut cancelled => ending = Some(why.unwrap_or(Ending::Superseded)),
                    }
                }
                Todo::Do(id, action) => {
                    self.show("activating");
                    tokio::select! {
                        outcome = self.act(action) => self.run.done(&id, outcome, self.start.elapsed()),
                        why = &mut cancelled => ending = Some(why.unwrap_or(Ending::Superseded)),
                    }
                    halt::here();
                    self.show("activating");
                }
            }
        }
        if let Some(ending) = ending {
            self.run.cancel_activation();
            if ending == Ending::Removed {
                self.keep().await;
            }
        }
        ending
    }

    /// What the attempts of the activation came to, once there are no more.
    pub(super) fn activated(&self) -> Option<Code> {
        match self.run.activation() {
            ActivationStatus::Succeeded { .. } => Some(Code::OK),
            ActivationStatus::Failed { code, .. } => Some(code),
            ActivationStatus::Cancelled => Some(Code::ABORTED),
            _ => None,
        }
    }

    /// Forgets the cursor and shows how it ended.
    pub(super) async fn end(&mut self) {
        if let Some(key) = self.key.clone()
            && let Err(error) = self.store.keep(key, self.which(), None).await
        {
            tracing::warn!(%error, "a document that was applied could not be forgotten");
        }
        self.show_end();
    }

    /// Another document is in its place: the cursor is that one's.
    pub(super) fn superseded(&mut self) {
        self.show_end();
    }

    fn show_end(&mut self) {
        let status = self.run.activation();
        self.job.activation = activation_code(status);
        let failed = matches!(
            status,
            ActivationStatus::Failed { .. } | ActivationStatus::Refused { .. } | ActivationStatus::Cancelled
        );
        tracing::debug!(job = self.job.id, activation = ?status, "a document is done");
        self.show(if failed { "failed" } else { "done" });
    }

    fn show(&mut self, state: &'static str) {
        self.job.state = state;
        let known = std::mem::take(&mut self.job.steps);
        self.job.steps = self
            .run
            .report()
            .into_iter()
            .map(|step| {
                let id = step.id.to_string();
                let what =
                    known.iter().find(|known| known.id == id).map(|known| known.what.clone()).unwrap_or_default();
                let error = step.error.map(|code| code.to_string()).unwrap_or_default();
                JobStep { id, what, outcome: step.outcome.into(), error }
            })
            .collect();
        self.board.show(&self.job);
    }

    /// Writes down how far it is. A disk that takes nothing costs only the taking-up after a crash.
    async fn keep(&self) {
        let Some(key) = self.key.clone() else { return };
        let cursor = Cursor { run: self.run.save(self.start.elapsed()), draft: self.draft.clone() };
        let Ok(cursor) = store::plain(&cursor) else { return };
        if let Err(error) = self.store.keep(key, self.which(), Some(cursor)).await {
            tracing::warn!(%error, "the progress of a document could not be written");
        }
    }

    async fn act(&mut self, action: StepAction) -> Outcome {
        let request = match action {
            StepAction::StoreProfile { slot, profile } => {
                let profile = Some(facts::stored(&profile));
                match slot {
                    Slot::Default => self.default = profile,
                    Slot::Purchase => self.purchase = profile,
                }
                return Outcome::Changed;
            }
            StepAction::TrustCertificates { carrier_id, certificates } => {
                return match self.store.learn(carrier_id, certificates).await {
                    Ok(true) => Outcome::Changed,
                    Ok(false) => Outcome::Unchanged,
                    Err(error) => {
                        tracing::warn!(%error, "certificates that a document named could not be written");
                        Outcome::Failed(Code::ACCESS_DENIED)
                    }
                };
            }
            StepAction::Keep { change } => {
                let former = match self.kept.take() {
                    Some(kept) => kept,
                    None => {
                        let stored = facts::kept(&self.run.plan().owner_key(), &self.store).await;
                        (stored.clone(), stored)
                    }
                };
                self.network |= matches!(*change, Change::Metadata(_) | Change::Contexts(_));
                let (_, wanted) = self.kept.insert(former);
                return if wanted.apply(&change) { Outcome::Changed } else { Outcome::Unchanged };
            }
            StepAction::Commit => return self.commit().await,
            StepAction::ServiceActivation { data } => Request::ServiceActivation(Secret::new(data.reveal().clone())),
            StepAction::Reconnect => Request::Reconnect,
            StepAction::Reregister => Request::Reregister { cycle: true },
            StepAction::ConnectOnly => Request::Reregister { cycle: false },
        };
        self.ask(request).await
    }

    /// Writes what was staged: what is kept for the customer, then the SIM's profiles. Where the latter fails the former is
    /// as it was.
    async fn commit(&mut self) -> Outcome {
        let kept = self.kept.take();
        if let Some((former, wanted)) = &kept
            && former != wanted
            && let Err(error) = self.write_kept(wanted).await
        {
            tracing::warn!(%error, "what a document ordered could not be written");
            return Outcome::Failed(Code::ACCESS_DENIED);
        }
        let (default, purchase) = (self.default.take(), self.purchase.take());
        let wanted = kept.as_ref().map(|(_, wanted)| wanted).filter(|_| std::mem::take(&mut self.network));
        let network = wanted.map(|wanted| Box::new(facts::network(wanted, &self.owner().carrier_id)));
        let outcome = match (default, purchase, network) {
            (None, None, None) => Outcome::Changed,
            (default, purchase, network) => self.ask(Request::SetProfiles { default, purchase, network }).await,
        };
        if let (Outcome::Failed(_), Some((former, _))) = (outcome, &kept)
            && let Err(error) = self.write_kept(former).await
        {
            tracing::warn!(%error, "what a document ordered could not be taken back");
        }
        if let (false, Some((former, wanted))) = (matches!(outcome, Outcome::Failed(_)), &kept) {
            self.count_against(former, wanted).await;
        }
        outcome
    }

    /// The modem counts against the plan of the connection's profile. It is an estimate: no step fails for it.
    async fn count_against(&self, former: &Stored, wanted: &Stored) {
        let (before, plan) = (former.plan_of(Slot::Default), wanted.plan_of(Slot::Default));
        if before.is_none() && plan.is_none() {
            return;
        }
        let quota = plan.map(|plan| Box::new(facts::quota(plan, &self.owner().carrier_id)));
        if let Outcome::Failed(code) = self.ask(Request::SetQuota(quota)).await {
            tracing::debug!(%code, "the plan is not counted against");
        }
    }

    async fn write_kept(&self, kept: &Stored) -> std::io::Result<()> {
        let owner = facts::owner(&self.run.plan().owner_key());
        self.store.keep(owner, Which::Kept, Some(store::plain(kept)?)).await
    }

    async fn ask(&self, request: Request) -> Outcome {
        let cycles = request == Request::Reregister { cycle: true };
        let Some(handle) = &self.handle else { return Outcome::Failed(Code::NOT_PRESENT) };
        match handle.request(request).await {
            Ok(Reply::Done { changed: false }) => Outcome::Unchanged,
            Ok(_) => Outcome::Changed,
            Err(error) => {
                tracing::debug!(kind = ?error.kind, code = error.reason.code, "a step failed");
                let radio = handle.snapshot.borrow().radio;
                let back = radio.software == Some(true) && radio.hardware != Some(false) && !radio.blocked;
                let code = code(&error);
                if cycles && back { Outcome::RadioBackConnectFailed(code) } else { Outcome::Failed(code) }
            }
        }
    }
}

/// The code that stands for a refused request. `[PROV 11.2]`
fn code(error: &RequestError) -> Code {
    match error.kind {
        RequestErrorKind::Gone => Code::DEVICE_GONE,
        RequestErrorKind::Unsupported => Code::NOT_SUPPORTED,
        RequestErrorKind::WrongState => Code::NOT_READY,
        RequestErrorKind::NotFound => Code::NOT_PRESENT,
        RequestErrorKind::Storage => Code::ACCESS_DENIED,
        RequestErrorKind::Refused => Code::SERVICE_NOT_ACTIVE,
        RequestErrorKind::Timeout | RequestErrorKind::Cancelled | RequestErrorKind::InProgress => Code::ABORTED,
        RequestErrorKind::InvalidArgs | RequestErrorKind::ModemFailed | RequestErrorKind::WrongPin => {
            Code::INVALID_PARAMETER
        }
    }
}

//! The provisioning agent: documents come in, are validated and planned by the pure crate, and each step is carried out
//! through requests to the modem. How far a document is, is written down after every step.
//!
//! Documents are worked on one after the other up to their results; an activation goes on by itself, because it may
//! take hours. `[PROV 12.1]`, `[PROV 12.7]`

mod execute;
mod facts;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::effect::SubscriberKey;
use daemon_provisioning as provisioning;
use daemon_provisioning::{
    Action, ActivationStatus, Code, Document, Judged, Question, Refused, Run, SavedRun, Shape, plan, refused_signed,
    validate,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::handle::{Approval, Job, JobStep, ModemHandle, Modems, Provisioner, Source, Submission};
use crate::store::trusted::Consent;
use crate::store::{Store, Which, apps};
use execute::Execution;
pub(crate) use signed::{Checks, now};

/// Documents that wait.
const QUEUE: usize = 8;
/// Jobs that are remembered.
const MAX_JOBS: usize = 32;
/// Documents that wait for the user's word.
const MAX_QUESTIONS: usize = 8;
/// How long the user may think.
const PATIENCE: Duration = Duration::from_secs(600);

/// A submission and the place for its answer.
type Submitted = (Submission, oneshot::Sender<Result<Job, Job>>);

/// The way to the agent's task.
#[derive(Debug)]
pub(crate) struct Agent {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Agent {
    /// Ends the agent; activations that are pending go on after the next start.
    pub(crate) async fn stop(self) {
        // An error means that the task has ended already.
        let _ = self.stop.send(());
        if self.task.await.is_err() {
            tracing::error!("the provisioning agent ended before its time");
        }
    }
}

/// Starts the agent. `apps_dir`: bindings of programs to operators; `approvals`: where users are asked.
pub(crate) fn start(
    modems: Modems,
    store: Store,
    apps_dir: PathBuf,
    checks: Checks,
    approvals: mpsc::Sender<Approval>,
) -> (Provisioner, Agent) {
    let (submit, submissions) = mpsc::channel(QUEUE);
    let (jobs, shown) = watch::channel(Vec::new());
    let (stop, stopped) = oneshot::channel();
    let shown_store = store.clone();
    let task = Task {
        modems,
        store,
        apps_dir,
        checks,
        approvals,
        questions: JoinSet::new(),
        jobs: Board(Arc::new(jobs)),
        next_job: 1,
        activations: JoinSet::new(),
        cancel: BTreeMap::new(),
        watched: BTreeSet::new(),
        start: Instant::now(),
    };
    let task = tokio::spawn(task.run(submissions, stopped));
    (Provisioner { submit, jobs: shown, store: shown_store }, Agent { stop, task })
}

/// All jobs, as others see them.
#[derive(Clone, Debug)]
struct Board(Arc<watch::Sender<Vec<Job>>>);

impl Board {
    /// Shows a job: new, or in the place of its former state.
    fn show(&self, job: &Job) {
        self.0.send_if_modified(|jobs| {
            if let Some(known) = jobs.iter_mut().find(|known| known.id == job.id) {
                let changed = known != job;
                known.clone_from(job);
                return changed;
            }
            jobs.push(job.clone());
            if jobs.len() > MAX_JOBS {
                let ended = jobs.iter().position(|job| matches!(job.state, "done" | "failed")).unwrap_or(0);
                jobs.remove(ended);
            }
            true
        });
    }
}

/// A document that waits for the user's word on its signer.
struct Waiting {
    submission: Submission,
    question: Box<Question>,
    job: Job,
}

struct Task {
    modems: Modems,
    store: Store,
    apps_dir: PathBuf,
    checks: Checks,
    approvals: mpsc::Sender<Approval>,
    /// Documents whose signer a user is asked about, each with the word that came.
    questions: JoinSet<(Waiting, bool)>,
    jobs: Board,
    next_job: u32,
    /// Activations under way; each gives its modem's number when it ends.
    activations: JoinSet<(u32, u32)>,
    /// Modem → job and the way to end its activation.
    cancel: BTreeMap<u32, (u32, oneshot::Sender<()>)>,
    /// Modems whose SIM is being waited for.
    watched: BTreeSet<u32>,
    start: Instant,
}

impl Task {
    async fn run(mut self, mut submissions: mpsc::Receiver<Submitted>, mut stopped: oneshot::Receiver<()>) {
        let (identified, mut identities) = mpsc::channel(QUEUE);
        self.watch_sims(&identified);
        loop {
            tokio::select! {
                submitted = submissions.recv() => {
                    let Some((submission, answer)) = submitted else { break };
                    let result = self.submitted(submission).await;
                    // Who asked may have gone; the job goes on and is shown.
                    let _ = answer.send(result);
                }
                Ok(()) = self.modems.changed() => self.watch_sims(&identified),
                Some((modem, key)) = identities.recv() => self.resume(modem, key).await,
                Some(Ok((waiting, approved))) = self.questions.join_next(), if !self.questions.is_empty() => {
                    self.answered(waiting, approved).await;
                }
                Some(ended) = self.activations.join_next(), if !self.activations.is_empty() => {
                    if let Ok((modem, job)) = ended
                        && self.cancel.get(&modem).is_some_and(|(running, _)| *running == job)
                    {
                        self.cancel.remove(&modem);
                    }
                }
                _ = &mut stopped => break,
            }
        }
        self.questions.shutdown().await;
        self.activations.shutdown().await;
    }

    fn handle(&self, modem: u32) -> Option<ModemHandle> {
        self.modems.borrow().iter().find(|handle| handle.id == modem).cloned()
    }

    /// Waits for the SIM of each new modem: a half-applied document may belong to it.
    fn watch_sims(&mut self, identified: &mpsc::Sender<(u32, SubscriberKey)>) {
        let modems = self.modems.borrow_and_update().clone();
        self.watched.retain(|id| modems.iter().any(|modem| modem.id == *id));
        for mut modem in modems {
            if self.watched.insert(modem.id) {
                let identified = identified.clone();
                tokio::spawn(async move {
                    // Ends with the modem.
                    let key = match modem.snapshot.wait_for(|s| facts::key(s).is_some()).await {
                        Ok(snapshot) => facts::key(&snapshot),
                        Err(_) => None,
                    };
                    if let Some(key) = key {
                        let _ = identified.send((modem.id, key)).await;
                    }
                });
            }
        }
    }

    async fn resume(&mut self, modem: u32, key: SubscriberKey) {
        for which in [Which::Plain, Which::Activating] {
            self.resume_one(modem, key.clone(), which).await;
        }
    }

    async fn resume_one(&mut self, modem: u32, key: SubscriberKey, which: Which) {
        // The SIM may have been here before in this run of the daemon, its activation still going on.
        if which == Which::Activating && self.cancel.contains_key(&modem) {
            return;
        }
        let kept = match self.store.kept(key.clone(), which).await {
            Ok(Some(kept)) => kept,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "a half-applied document cannot be read");
                return;
            }
        };
        let Ok(saved) = serde_json::from_slice::<SavedRun>(&kept) else {
            tracing::warn!("a half-applied document cannot be understood and is forgotten");
            let _ = self.store.keep(key, which, None).await;
            return;
        };
        let Some(handle) = self.handle(modem) else { return };
        tracing::info!(modem, "a document that was being applied is taken up again");
        let run = Run::resume(saved, self.start.elapsed());
        let job = self.new_job(Some(modem), &[]);
        let execution = self.execution(run, job, Some(handle), Some(key));
        self.go(execution).await;
    }

    async fn submitted(&mut self, submission: Submission) -> Result<Job, Job> {
        let modems = self.modems.borrow().clone();
        let mut facts = facts::of(&modems, submission.modem, &self.store).await;
        let document = match self.judge(&submission, &facts, None).await {
            Ok(Judged::Allowed(document)) => *document,
            // What would be done if the user said yes.
            Ok(Judged::Ask(question)) if submission.dry_run => question.approved(),
            Ok(Judged::Ask(question)) => return self.ask(question, submission).await.map_err(|no| refusal(&no)),
            Err(refused) => {
                tracing::info!(code = %refused.code, "a document was refused");
                return Err(refusal(&refused));
            }
        };
        facts.stored = facts::kept(&document.owner_key(), &self.store).await;
        let plan = plan(&document, &facts);
        if submission.dry_run {
            let steps = described(&plan.view().steps);
            return Err(Job { modem: plan.target(), state: "done", steps, ..Job::default() });
        }
        let job = self.new_job(plan.target(), &plan.view().steps);
        Ok(self.apply(plan, job).await)
    }

    /// Has the user asked about the signer. The job goes on by itself when the word comes.
    async fn ask(&mut self, question: Box<Question>, submission: Submission) -> Result<Job, Refused> {
        if self.questions.len() >= MAX_QUESTIONS {
            return Err(question.declined());
        }
        let job = self.next_job;
        let (asked, somebody) = oneshot::channel();
        let (signer, carrier_id) = (question.signer().clone(), question.carrier_id().to_owned());
        let approval = Approval { job, uid: submission.uid, carrier_id, signer, asked };
        // An error on either way means that there is nobody.
        let word = match self.approvals.send(approval).await {
            Ok(()) => somebody.await.ok(),
            Err(_) => None,
        };
        let Some(word) = word else {
            tracing::info!("a document was refused: nobody is there to be asked about its signer");
            return Err(question.declined());
        };
        let mut job = self.new_job(submission.modem, &[]);
        job.state = "asking";
        self.jobs.show(&job);
        let waiting = Waiting { submission, question, job: job.clone() };
        self.questions.spawn(async move {
            let approved = matches!(tokio::time::timeout(PATIENCE, word).await, Ok(Ok(true)));
            (waiting, approved)
        });
        Ok(job)
    }

    /// The user's word on a signer is there.
    async fn answered(&mut self, waiting: Waiting, approved: bool) {
        let Waiting { submission, question, job } = waiting;
        tracing::info!(job = job.id, approved, signer = question.signer().name(), "a signer was asked about");
        if !approved {
            self.jobs.show(&Job { id: job.id, modem: job.modem, ..refusal(&question.declined()) });
            return;
        }
        let fingerprint = question.signer().fingerprint.clone();
        let consent = Consent {
            fingerprint: fingerprint.clone(),
            signer: question.signer().name(),
            carrier_id: question.carrier_id().to_owned(),
            date: (self.checks.clock)(),
        };
        if let Err(error) = self.store.consent(consent).await {
            tracing::warn!(%error, "the approval could not be written: it will be asked for again");
        }
        // It may have taken minutes: the SIM and the clock are others now, and everything is judged anew.
        let modems = self.modems.borrow().clone();
        let mut facts = facts::of(&modems, submission.modem, &self.store).await;
        let judged = match self.judge(&submission, &facts, Some(fingerprint)).await {
            Ok(Judged::Allowed(document)) => {
                facts.stored = facts::kept(&document.owner_key(), &self.store).await;
                Ok(plan(&document, &facts))
            }
            Ok(Judged::Ask(question)) => Err(question.declined()),
            Err(refused) => Err(refused),
        };
        let plan = match judged {
            Ok(plan) => plan,
            Err(refused) => {
                self.jobs.show(&Job { id: job.id, modem: job.modem, ..refusal(&refused) });
                return;
            }
        };
        let job = Job { modem: plan.target(), state: "queued", steps: described(&plan.view().steps), ..job };
        self.jobs.show(&job);
        self.apply(plan, job).await;
    }

    async fn apply(&mut self, plan: provisioning::Plan, job: Job) -> Job {
        let target = plan.target();
        let activates = plan.steps().iter().any(|step| matches!(step.action, Action::Activate(_)));
        if activates && let Some((_, cancel)) = target.and_then(|modem| self.cancel.remove(&modem)) {
            // An error means that it has just ended.
            let _ = cancel.send(());
        }
        let handle = target.and_then(|modem| self.handle(modem));
        let key = handle.as_ref().and_then(|handle| facts::key(&handle.snapshot.borrow()));
        let run = Run::new(plan, self.start.elapsed());
        let execution = self.execution(run, job, handle, key);
        self.go(execution).await
    }

    /// Steps 1 to 7: nothing is changed. A user may be bound to several operators; any that the document fits will do.
    /// `approved`: a signer that the user has just said yes to.
    async fn judge(
        &self,
        submission: &Submission,
        facts: &provisioning::Facts,
        approved: Option<String>,
    ) -> Result<Judged, Refused> {
        let validated = self.checks.verified(&submission.xml, validate(&submission.xml)?).await?;
        let mut trust = provisioning::Trust::default();
        if validated.is_signed() {
            trust = signed::trust(&self.store, &self.checks.trust_dir).await;
            trust.consented.extend(approved);
        }
        let sources: Vec<provisioning::Source> = match submission.source {
            Source::Website => vec![provisioning::Source::Website],
            Source::App => {
                let carriers = apps::carriers_of(&self.apps_dir, submission.uid);
                let unbound = carriers.is_empty().then_some(None);
                let bound = carriers.into_iter().map(Some);
                bound.chain(unbound).map(|carrier_id| provisioning::Source::App { carrier_id }).collect()
            }
        };
        let mut last = None;
        for source in &sources {
            match Document::judge(validated.clone(), source, facts, &trust) {
                Ok(judged) => return Ok(judged),
                Err(refused) => last = Some(refused),
            }
        }
        Err(last.unwrap_or_else(|| Refused::new(Code::ACCESS_DENIED, String::new())))
    }

    fn new_job(&mut self, modem: Option<u32>, steps: &[provisioning::StepView]) -> Job {
        let job = Job { id: self.next_job, modem, state: "queued", steps: described(steps), ..Job::default() };
        self.next_job += 1;
        self.jobs.show(&job);
        job
    }

    fn execution(&self, run: Run, job: Job, handle: Option<ModemHandle>, key: Option<SubscriberKey>) -> Execution {
        Execution::new(run, job, handle, key, self.store.clone(), self.jobs.clone(), self.start)
    }

    /// Applies up to the results, then lets the activation go on by itself.
    async fn go(&mut self, mut execution: Execution) -> Job {
        execution.apply().await;
        let job = execution.job().clone();
        if execution.is_done() {
            execution.end().await;
            return execution.job().clone();
        }
        let Some(modem) = job.modem else { return job };
        let (cancel, cancelled) = oneshot::channel();
        self.cancel.insert(modem, (job.id, cancel));
        let id = job.id;
        self.activations.spawn(async move {
            execution.activate(cancelled).await;
            (modem, id)
        });
        job
    }
}

fn refusal(refused_because: &Refused) -> Job {
    Job {
        state: "failed",
        results_xml: Some(refused_signed(refused_because.code, refused_because.signed.as_deref(), Shape::V2)),
        all_provisioned: Some(false),
        error: Some((code_number(refused_because.code), refused_because.reason.clone())),
        ..Job::default()
    }
}

fn described(steps: &[provisioning::StepView]) -> Vec<JobStep> {
    steps
        .iter()
        .map(|step| JobStep {
            id: step.id.clone(),
            what: step.text.clone(),
            outcome: "pending".into(),
            error: step.code.filter(|code| code.is_failure()).map(|code| code.to_string()).unwrap_or_default(),
        })
        .collect()
}

/// The number of a code, by its eight hexadecimal digits.
fn code_number(code: Code) -> u32 {
    u32::from_str_radix(&code.to_string(), 16).unwrap_or(u32::MAX)
}

/// What an activation came to: 0 = done, else a code; `None` while it is pending or where there is none.
fn activation_code(status: ActivationStatus) -> Option<u32> {
    match status {
        ActivationStatus::Succeeded { .. } => Some(0),
        ActivationStatus::Failed { code, .. } | ActivationStatus::Refused { code } => Some(code_number(code)),
        ActivationStatus::Cancelled => Some(code_number(Code::ABORTED)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! The provisioning agent: documents come in, are validated and planned by the pure crate, and each step is carried out
//! through requests to the modem. How far a document is, is written down after every step.
//!
//! Documents are worked on one after the other up to their results; an activation goes on by itself, because it may
//! take hours. `[PROV 12.1]`, `[PROV 12.7]`

mod dropins;
mod execute;
mod facts;
pub(crate) mod history;
mod refresh;
mod remove;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::effect::SubscriberKey;
use daemon_provisioning as provisioning;
use daemon_provisioning::{
    Action, ActivationStatus, Code, Document, Judged, Owner, Question, Refused, Run, Shape, plan, refused_signed,
    validate,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::handle::{Approval, Job, JobStep, ModemHandle, Modems, Provisioner, Source, Submission, Wish};
use crate::host::probe::lists::Link;
use crate::store::trusted::Consent;
use crate::store::{Store, Which, apps};
use execute::{Cursor, Ending, Execution};
use history::{Draft, History};
pub(crate) use signed::{Checks, Recalled, now};

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

/// Files and folders of the agent.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Bindings of programs to operators.
    pub(crate) apps_dir: PathBuf,
    /// Documents of the administrator.
    pub(crate) documents_dir: PathBuf,
    /// More root certificates for servers that newer documents come from.
    pub(crate) refresh_ca: Vec<PathBuf>,
    /// The machine's resolver can be told how often to ask again.
    pub(crate) dns_retry: bool,
}

/// Starts the agent. `approvals`: where users are asked.
pub(crate) fn start(
    modems: Modems,
    store: Store,
    places: Places,
    checks: Checks,
    approvals: mpsc::Sender<Approval>,
) -> (Provisioner, Agent) {
    let (submit, submissions) = mpsc::channel(QUEUE);
    let (orders, ordered) = mpsc::channel(QUEUE);
    let (jobs, shown) = watch::channel(Vec::new());
    let (stop, stopped) = oneshot::channel();
    let shown_store = store.clone();
    let task = Task {
        modems,
        history: History::new(store.clone()),
        store,
        dropins: dropins::DropIns::new(&places.documents_dir),
        places,
        checks,
        approvals,
        questions: JoinSet::new(),
        jobs: Board(Arc::new(jobs)),
        next_job: 1,
        activations: JoinSet::new(),
        cancel: BTreeMap::new(),
        watched: BTreeSet::new(),
        fetches: JoinSet::new(),
        fetching: Vec::new(),
        look: None,
        start: Instant::now(),
    };
    let task = tokio::spawn(task.run(submissions, ordered, stopped));
    (Provisioner { submit, orders, jobs: shown, store: shown_store }, Agent { stop, task })
}

/// All jobs, as others see them.
#[derive(Clone, Debug)]
struct Board(Arc<watch::Sender<Vec<Job>>>);

impl Board {
    /// Shows a job: new, or in the place of its former state.
    fn show(&self, job: &Job) {
        if matches!(job.state, "done" | "failed") {
            crate::host::resident::work_is_over();
        }
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
    draft: Draft,
    question: Box<Question>,
    job: Job,
}

struct Task {
    modems: Modems,
    store: Store,
    history: History,
    places: Places,
    dropins: dropins::DropIns,
    checks: Checks,
    approvals: mpsc::Sender<Approval>,
    /// Documents whose signer a user is asked about, each with the word that came.
    questions: JoinSet<(Waiting, bool)>,
    jobs: Board,
    next_job: u32,
    /// Activations under way.
    activations: JoinSet<Activated>,
    /// The activation of each modem.
    cancel: BTreeMap<u32, Pending>,
    /// Modems that are followed.
    watched: BTreeSet<u32>,
    /// Newer documents that are being asked for.
    fetches: JoinSet<refresh::Fetch>,
    /// Whose they are.
    fetching: Vec<Owner>,
    /// When to look whether a newer document is due.
    look: Option<Instant>,
    start: Instant,
}

/// An activation under way.
struct Pending {
    job: u32,
    document: u32,
    owner: Owner,
    cancel: oneshot::Sender<Ending>,
}

/// An activation that has ended.
struct Activated {
    modem: u32,
    execution: Execution,
    /// Why, where it could have gone on.
    ending: Option<Ending>,
}

/// What is told of a modem.
enum News {
    /// Its SIM says who it is.
    Sim(u32, SubscriberKey),
    /// It is online.
    Online,
}

impl Task {
    async fn run(
        mut self,
        mut submissions: mpsc::Receiver<Submitted>,
        mut ordered: mpsc::Receiver<Wish>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let (tell, mut news) = mpsc::channel(QUEUE);
        self.watch_modems(&tell);
        // Those that are broken are named whether there is a SIM or not.
        self.drop_ins().await;
        self.look_for_newer().await;
        loop {
            let look = self.look;
            let looking = async {
                match look {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                submitted = submissions.recv() => {
                    let Some((submission, answer)) = submitted else { break };
                    let result = self.submitted(submission).await;
                    // Who asked may have gone; the job goes on and is shown.
                    let _ = answer.send(result);
                }
                Some(order) = ordered.recv() => self.ordered(order).await,
                Ok(()) = self.modems.changed() => self.watch_modems(&tell),
                Some(news) = news.recv() => match news {
                    News::Sim(modem, key) => {
                        self.resume(modem, key).await;
                        self.drop_ins().await;
                    }
                    News::Online => self.look_for_newer().await,
                },
                Some(()) = self.dropins.changed() => self.drop_ins().await,
                Some(Ok((waiting, approved))) = self.questions.join_next(), if !self.questions.is_empty() => {
                    self.answered(waiting, approved).await;
                }
                Some(ended) = self.activations.join_next(), if !self.activations.is_empty() => {
                    if let Ok(ended) = ended {
                        self.activated(ended).await;
                    }
                }
                Some(fetched) = self.fetches.join_next(), if !self.fetches.is_empty() => {
                    if let Ok(fetched) = fetched {
                        self.fetched(fetched).await;
                    }
                }
                () = looking => self.look_for_newer().await,
                _ = &mut stopped => break,
            }
        }
        self.questions.shutdown().await;
        self.fetches.shutdown().await;
        self.activations.shutdown().await;
    }

    fn handle(&self, modem: u32) -> Option<ModemHandle> {
        self.modems.borrow().iter().find(|handle| handle.id == modem).cloned()
    }

    async fn ordered(&mut self, order: Wish) {
        // Who asked may have gone.
        match order {
            Wish::Remove(document, answer) => drop(answer.send(self.remove(document).await)),
            Wish::Refresh(document, answer) => drop(answer.send(self.refresh(document).await)),
        }
    }

    async fn activated(&mut self, ended: Activated) {
        let Activated { modem, mut execution, ending } = ended;
        if self.cancel.get(&modem).is_some_and(|pending| pending.job == execution.job().id) {
            self.cancel.remove(&modem);
        }
        match ending {
            // The history has it already.
            Some(Ending::Superseded) => execution.superseded(),
            Some(Ending::Removed) | None => self.ended(&mut execution).await,
        }
    }

    /// Nothing is left to do of a document. The history first: what the cursor says of the end is found there after a crash.
    async fn ended(&self, execution: &mut Execution) {
        if let Some(code) = execution.activated() {
            self.history.activated(execution.document(), code).await;
        }
        execution.end().await;
    }

    /// Follows each new modem: documents wait for its SIM, and newer ones until it is online.
    fn watch_modems(&mut self, tell: &mpsc::Sender<News>) {
        let modems = self.modems.borrow_and_update().clone();
        self.watched.retain(|id| modems.iter().any(|modem| modem.id == *id));
        for mut modem in modems {
            if !self.watched.insert(modem.id) {
                continue;
            }
            let tell = tell.clone();
            tokio::spawn(async move {
                let (mut key, mut online) = (None, false);
                // Ends with the modem, or with the agent.
                loop {
                    let (sim, now) = {
                        let snapshot = modem.snapshot.borrow_and_update();
                        (facts::key(&snapshot), refresh::is_online(&snapshot))
                    };
                    let mut news = Vec::new();
                    if sim != key {
                        news.extend(sim.clone().map(|sim| News::Sim(modem.id, sim)));
                        key = sim;
                    }
                    if now && !online {
                        news.push(News::Online);
                    }
                    online = now;
                    for news in news {
                        if tell.send(news).await.is_err() {
                            return;
                        }
                    }
                    if modem.snapshot.changed().await.is_err() {
                        return;
                    }
                }
            });
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
        let Ok(Cursor { run, mut draft }) = serde_json::from_slice::<Cursor>(&kept) else {
            tracing::warn!("a half-applied document cannot be understood and is forgotten");
            let _ = self.store.keep(key, which, None).await;
            return;
        };
        if draft.entry.id == 0 {
            // The daemon may have ended after it was remembered and before the cursor said so.
            draft.entry.id = self.history.number(&draft.entry, &key).await;
        }
        let Some(handle) = self.handle(modem) else { return };
        tracing::info!(modem, "a document that was being applied is taken up again");
        let run = Run::resume(run, self.start.elapsed());
        let job = self.new_job(Some(modem), &[]);
        let execution = self.execution(run, draft, job, Some(handle), Some(key));
        self.go(execution).await;
    }

    async fn submitted(&mut self, submission: Submission) -> Result<Job, Job> {
        let draft = Draft::new(&submission, (self.checks.clock)());
        let mut facts = self.facts(submission.modem).await;
        let document = match self.judge(&submission, &facts, None).await {
            Ok(Judged::Allowed(document)) => *document,
            // What would be done if the user said yes.
            Ok(Judged::Ask(question)) if submission.dry_run => question.approved(),
            Ok(Judged::Ask(question)) => return self.ask(question, submission, draft).await,
            Err(refused) if submission.dry_run => return Err(refusal(&refused)),
            Err(refused) => return Err(self.refused(draft, &refused).await),
        };
        facts.stored = facts::kept(&document.owner_key(), &self.store).await;
        let plan = plan(&document, &facts);
        if submission.dry_run {
            let steps = described(&plan.view().steps);
            return Err(Job { modem: plan.target(), state: "done", steps, ..Job::default() });
        }
        let job = self.new_job(plan.target(), &plan.view().steps);
        Ok(self.apply(plan, draft, job).await)
    }

    /// What a plan is made from, of all modems or one.
    async fn facts(&self, only: Option<u32>) -> provisioning::Facts {
        let modems = self.modems.borrow().clone();
        let facts = facts::of(&modems, only, &self.store).await;
        provisioning::Facts { dns_retry: self.places.dns_retry, ..facts }
    }

    /// Remembers that a document was refused; the job to show.
    async fn refused(&self, draft: Draft, refused: &Refused) -> Job {
        let document = self.history.refused(draft, refused).await;
        Job { document, ..refusal(refused) }
    }

    /// Has the user asked about the signer. The job goes on by itself when the word comes.
    async fn ask(&mut self, question: Box<Question>, submission: Submission, draft: Draft) -> Result<Job, Job> {
        if self.questions.len() >= MAX_QUESTIONS {
            return Err(self.refused(draft, &question.declined()).await);
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
            return Err(self.refused(draft, &question.declined()).await);
        };
        let mut job = self.new_job(submission.modem, &[]);
        job.state = "asking";
        self.jobs.show(&job);
        let waiting = Waiting { submission, draft, question, job: job.clone() };
        self.questions.spawn(async move {
            let approved = matches!(tokio::time::timeout(PATIENCE, word).await, Ok(Ok(true)));
            (waiting, approved)
        });
        Ok(job)
    }

    /// The user's word on a signer is there.
    async fn answered(&mut self, waiting: Waiting, approved: bool) {
        let Waiting { submission, draft, question, job } = waiting;
        let signer = question.signer().name();
        tracing::info!(event = "signer-asked", job = job.id, approved, signer, "a user was asked about a signer");
        if !approved {
            let refused = self.refused(draft, &question.declined()).await;
            self.jobs.show(&Job { id: job.id, modem: job.modem, ..refused });
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
        let mut facts = self.facts(submission.modem).await;
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
                let refused = self.refused(draft, &refused).await;
                self.jobs.show(&Job { id: job.id, modem: job.modem, ..refused });
                return;
            }
        };
        let job = Job { modem: plan.target(), state: "queued", steps: described(&plan.view().steps), ..job };
        self.jobs.show(&job);
        self.apply(plan, draft, job).await;
    }

    async fn apply(&mut self, plan: provisioning::Plan, draft: Draft, job: Job) -> Job {
        let target = plan.target();
        let activates = plan.steps().iter().any(|step| matches!(step.action, Action::Activate(_)));
        if activates && let Some(pending) = target.and_then(|modem| self.cancel.remove(&modem)) {
            // Before the new one's cursor is in the place of its own.
            self.history.activated(pending.document, Code::ABORTED).await;
            // An error means that it has just ended.
            let _ = pending.cancel.send(Ending::Superseded);
        }
        let handle = target.and_then(|modem| self.handle(modem));
        let key = handle.as_ref().and_then(|handle| facts::key(&handle.snapshot.borrow()));
        let run = Run::new(plan, self.start.elapsed());
        let execution = self.execution(run, draft, job, handle, key);
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
        let modems = self.modems.borrow().clone();
        let theirs = modems.iter().filter(|modem| submission.modem.is_none_or(|id| id == modem.id));
        let link = theirs.into_iter().find_map(|modem| Link::of(&modem.snapshot.borrow()));
        let validated = self
            .checks
            .verified(submission.xml.reveal(), validate(submission.xml.reveal())?, link.as_ref(), &self.store)
            .await?;
        let mut trust = provisioning::Trust::default();
        if validated.is_signed() {
            trust = signed::trust(&self.store, &self.checks.trust_dir).await;
            trust.consented.extend(approved);
        }
        let sources: Vec<provisioning::Source> = match submission.source {
            Source::Website => vec![provisioning::Source::Website],
            Source::Refresh => vec![provisioning::Source::Refresh],
            Source::Administrator => vec![provisioning::Source::Administrator],
            Source::App => {
                let carriers = apps::carriers_of(&self.places.apps_dir, submission.uid, &submission.units);
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

    fn execution(
        &self,
        run: Run,
        draft: Draft,
        job: Job,
        handle: Option<ModemHandle>,
        key: Option<SubscriberKey>,
    ) -> Execution {
        Execution::new((run, draft), job, handle, key, self.store.clone(), self.jobs.clone(), self.start)
    }

    /// Applies up to the results, then lets the activation go on by itself.
    async fn go(&mut self, mut execution: Execution) -> Job {
        execution.apply().await;
        match self.enter(&mut execution).await {
            true => self.look_soon(),
            false => self.look_later(),
        }
        if execution.is_done() {
            self.ended(&mut execution).await;
            return execution.job().clone();
        }
        let job = execution.job().clone();
        let Some(modem) = job.modem else { return job };
        let (cancel, cancelled) = oneshot::channel();
        let pending = Pending { job: job.id, document: execution.document(), owner: execution.owner(), cancel };
        self.cancel.insert(modem, pending);
        self.activations.spawn(async move {
            let ending = execution.activate(cancelled).await;
            Activated { modem, execution, ending }
        });
        job
    }
}

fn refusal(refused_because: &Refused) -> Job {
    Job {
        state: "failed",
        results_xml: Some(refused_signed(refused_because.code, refused_because.signed.as_deref(), Shape::V2).into()),
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

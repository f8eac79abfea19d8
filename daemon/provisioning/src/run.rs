//! Executing a plan, without executing anything: a state machine that says what to do next.
//! [PROV 12.1 steps 9 to 11, 12.7]
//!
//! Profiles are staged one by one and written by one commit. Until the commit has ended nothing
//! has happened: a run that is resumed before it begins again. After it the results can be told,
//! and the activation goes on by itself, in attempts.

mod attempts;

use serde::{Deserialize, Serialize};

use attempts::{Attempts, SavedAttempts};

use crate::code::Code;
use crate::plan::{Action, Activation, Element, Method, Plan, Step, StepId};
use crate::private::Secret;
use crate::profile::{ProvisionedProfile, Slot};
use crate::results::{self, Leaf, Shape};
use crate::signer::TrustedCertificate;
use crate::stored::Change;

/// Time since a start that the caller chose; it is the same for the whole life of a [`Run`].
pub type Time = core::time::Duration;

/// What the caller is to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Todo {
    /// Do this and tell [`Run::done`].
    Do(StepId, StepAction),
    /// Nothing before this time: an attempt of the activation is due then.
    WaitUntil(Time),
    /// The run has ended, its activation too.
    Done,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAction {
    /// Stage a profile for the subscriber in the modem of [`Plan::target`]; write nothing yet.
    StoreProfile {
        /// Which of the two.
        slot: Slot,
        /// Its values.
        profile: Box<ProvisionedProfile>,
    },
    /// Stage a change of what is kept under [`Plan::owner_key`]; write nothing yet.
    Keep {
        /// What to keep, or to forget.
        change: Box<Change>,
    },
    /// Remember the certificates that later documents of this carrier may be signed with, in the place of those that it
    /// named before.
    TrustCertificates {
        /// GUID of the carrier.
        carrier_id: String,
        /// As the document names them.
        certificates: Vec<TrustedCertificate>,
    },
    /// Write all that was staged, atomically.
    Commit,
    /// Hand these octets to the device, unchanged.
    ServiceActivation {
        /// The octets.
        data: Secret<Vec<u8>>,
    },
    /// Deactivate the context and activate it with the default profile.
    Reconnect,
    /// Disconnect, radio off, radio on, register, attach, connect with the default profile.
    Reregister,
    /// Only the last part of a [`StepAction::Reregister`]: its radio is already back.
    ConnectOnly,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and something is different now.
    Changed,
    /// Done, and it was so already.
    Unchanged,
    /// Not done.
    Failed(Code),
    /// Only of a [`StepAction::Reregister`]: the radio went off and came back on, what failed
    /// came after. Later attempts leave the radio alone. [PROV 12.7]
    RadioBackConnectFailed(Code),
}

/// How far the activation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum ActivationStatus {
    /// The document asks for none.
    None,
    /// The steps before it are not done yet.
    Waiting,
    /// The next attempt is due at a time.
    Scheduled {
        /// Its number, from 1.
        attempt: u32,
        /// When.
        due: Time,
    },
    /// An attempt is running.
    Running {
        /// Its number, from 1.
        attempt: u32,
    },
    /// It worked.
    Succeeded {
        /// After so many attempts.
        attempts: u32,
    },
    /// All attempts failed.
    Failed {
        /// The code of the last one.
        code: Code,
        /// How many there were.
        attempts: u32,
    },
    /// It was not begun: refused by the plan, or the commit failed.
    Refused {
        /// Why.
        code: Code,
    },
    /// Somebody ended it.
    Cancelled,
}

/// One step in words and codes, for `provision apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Name of the step.
    pub id: StepId,
    /// `pending`, `applied`, `unchanged`, `failed`, `refused`, `kept` (with a warning), `scheduled`,
    /// `running`, `cancelled`.
    pub outcome: &'static str,
    /// The code, unless all is well.
    pub error: Option<Code>,
}

/// A plan being executed.
#[derive(Debug, Clone)]
pub struct Run {
    plan: Plan,
    /// How each step ended; the activation has its own state.
    ended: Vec<Option<Ended>>,
    attempts: Attempts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    code: Code,
    changed: bool,
}

/// The cursor of a run, to be stored after each step.
///
/// It holds the secrets of the plan in clear: for the protected store only. Remaining times are
/// kept instead of points in time, so that it means the same after a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedRun {
    plan: Plan,
    ended: Vec<Option<Ended>>,
    attempts: SavedAttempts,
}

impl Run {
    /// Begins a plan.
    #[must_use]
    pub fn new(plan: Plan, now: Time) -> Self {
        let ended = vec![None; plan.steps.len()];
        let mut run = Self { plan, ended, attempts: Attempts::None };
        if run.ordered().is_some() {
            run.attempts = Attempts::Waiting;
        }
        run.settle(now);
        run
    }

    /// Takes up a stored run. What was staged but not committed is to be done again, a pending
    /// activation waits for what remained of its delay, and an attempt that was running counts as
    /// failed now, with [`Code::ABORTED`]. [PROV 12.7]
    #[must_use]
    pub fn resume(saved: SavedRun, now: Time) -> Self {
        let SavedRun { plan, mut ended, attempts } = saved;
        ended.resize(plan.steps.len(), None);
        let steps = || plan.steps.iter();
        let committed =
            steps().zip(&ended).all(|(step, ended)| !matches!(step.action, Action::Commit) || ended.is_some());
        if !committed {
            for (step, ended) in steps().zip(&mut ended) {
                if matches!(step.action, Action::StoreProfile { .. } | Action::Keep { .. }) {
                    *ended = None;
                }
            }
        }
        let ordered = steps().find_map(|step| match &step.action {
            Action::Activate(activation) => Some(activation.clone()),
            _ => None,
        });
        let attempts = match ordered {
            Some(ordered) => Attempts::resume(attempts, &ordered, now),
            None => Attempts::None,
        };
        let mut run = Self { plan, ended, attempts };
        run.settle(now);
        run
    }

    /// The cursor as it is now.
    #[must_use]
    pub fn save(&self, now: Time) -> SavedRun {
        SavedRun { plan: self.plan.clone(), ended: self.ended.clone(), attempts: self.attempts.save(now) }
    }

    /// The plan that is executed.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What to do at this time. Asked again before [`Run::done`], it says the same.
    pub fn next(&mut self, now: Time) -> Todo {
        let open = self.plan.steps.iter().zip(&self.ended);
        for (step, ended) in open {
            let action = match (&step.action, ended) {
                (Action::StoreProfile { slot, profile }, None) => {
                    StepAction::StoreProfile { slot: *slot, profile: profile.clone() }
                }
                (Action::Keep { change, .. }, None) => StepAction::Keep { change: change.clone() },
                (Action::TrustCertificates { certificates }, None) => StepAction::TrustCertificates {
                    carrier_id: self.plan.carrier_id.clone(),
                    certificates: certificates.clone(),
                },
                (Action::Commit, None) => StepAction::Commit,
                _ => continue,
            };
            return Todo::Do(step.id.clone(), action);
        }
        let Some((id, ordered)) = self.ordered() else {
            return Todo::Done;
        };
        let (id, method) = (id.clone(), ordered.method.clone());
        match self.attempts.begin(now) {
            attempts::Begin::Now { radio_back } => {
                let action = match method {
                    Method::ServiceActivation { data } => StepAction::ServiceActivation { data },
                    Method::Reconnect => StepAction::Reconnect,
                    Method::Reregister if radio_back => StepAction::ConnectOnly,
                    Method::Reregister => StepAction::Reregister,
                };
                Todo::Do(id, action)
            }
            attempts::Begin::At(time) => Todo::WaitUntil(time),
            attempts::Begin::Never => Todo::Done,
        }
    }

    /// Tells how a step ended. What was not asked for is ignored.
    pub fn done(&mut self, id: &StepId, outcome: Outcome, now: Time) {
        let Some(index) = self.plan.steps.iter().position(|step| step.id == *id) else {
            return;
        };
        let action = self.plan.steps.get(index).map(|step| &step.action);
        match action {
            Some(Action::Activate(ordered)) => self.attempts.end(outcome, ordered, now),
            Some(Action::StoreProfile { .. } | Action::TrustCertificates { .. } | Action::Commit) => {
                if let Some(ended @ None) = self.ended.get_mut(index) {
                    *ended = Some(Ended::from(outcome));
                }
            }
            Some(Action::Keep { code, .. }) => {
                let code = *code;
                if let Some(ended @ None) = self.ended.get_mut(index) {
                    let end = Ended::from(outcome);
                    *ended = Some(if end.code == Code::OK { Ended { code, ..end } } else { end });
                }
            }
            _ => {}
        }
        self.settle(now);
    }

    /// Whether every step but the activation has ended: the caller can be answered.
    #[must_use]
    pub fn results_ready(&self) -> bool {
        self.steps().all(|(step, ended)| ended.is_some() || matches!(step.action, Action::Activate(_)))
    }

    /// The results document, once they are ready. [PROV 10.3]
    #[must_use]
    pub fn results(&self, shape: Shape) -> Option<String> {
        let leaves = self.leaves()?;
        let issuer = &self.plan.carrier_id;
        let subscriber = self.plan.subscriber_id.reveal();
        Some(results::accepted(issuer, subscriber, self.plan.signed.as_ref(), &leaves, shape))
    }

    /// Whether no element failed; false while it is not known. Warnings do not count. [PROV 10.3]
    #[must_use]
    pub fn all_elements_provisioned(&self) -> bool {
        self.leaves().is_some_and(|leaves| !leaves.iter().any(|leaf| leaf.code.is_failure()))
    }

    /// Every step and how it ended so far.
    #[must_use]
    pub fn report(&self) -> Vec<StepReport> {
        self.steps().map(|(step, ended)| self.step_report(step, ended)).collect()
    }

    /// How far the activation is.
    #[must_use]
    pub fn activation(&self) -> ActivationStatus {
        let refused = self.steps().find_map(|(step, _)| match step {
            Step { element: Some(Element::Activation), action: Action::Refuse { code, .. }, .. } => Some(*code),
            _ => None,
        });
        match refused {
            Some(code) => ActivationStatus::Refused { code },
            None => self.attempts.status(),
        }
    }

    /// Ends the activation: there is a newer document with one for the same modem, or somebody
    /// asked for it. An attempt that is running is not waited for. [PROV 12.7]
    pub fn cancel_activation(&mut self) {
        self.attempts.cancel();
    }

    fn steps(&self) -> impl Iterator<Item = (&Step, Option<Ended>)> {
        self.plan.steps.iter().zip(self.ended.iter().copied())
    }

    fn ordered(&self) -> Option<(&StepId, &Activation)> {
        self.plan.steps.iter().find_map(|step| match &step.action {
            Action::Activate(activation) => Some((&step.id, activation)),
            _ => None,
        })
    }

    /// Ends what ends by itself, and lets the activation begin when all else has ended.
    fn settle(&mut self, now: Time) {
        let stages = |step: &Step| matches!(step.action, Action::StoreProfile { .. } | Action::Keep { .. });
        let staging = self.steps().any(|(step, ended)| ended.is_none() && stages(step));
        let staged = self.steps().any(|(step, ended)| stages(step) && ended.is_some_and(|e| e.changed));
        let unchanged = |code| Ended { code, changed: false };
        for (step, ended) in self.plan.steps.iter().zip(&mut self.ended) {
            if ended.is_some() {
                continue;
            }
            *ended = match &step.action {
                Action::Identity => Some(unchanged(Code::OK)),
                Action::Refuse { code, .. } => Some(unchanged(*code)),
                Action::Commit if !staging && !staged => Some(unchanged(Code::OK)),
                Action::Commit
                | Action::StoreProfile { .. }
                | Action::Keep { .. }
                | Action::TrustCertificates { .. }
                | Action::Activate(_) => None,
            };
        }
        let commit_failure = self.commit_failure();
        if let Some(failure) = commit_failure {
            for (step, ended) in self.plan.steps.iter().zip(&mut self.ended) {
                if stages(step)
                    && let Some(ended) = ended
                    && !ended.code.is_failure()
                {
                    *ended = unchanged(failure);
                }
            }
        }
        if self.results_ready()
            && let Some(delay) = self.ordered().map(|(_, ordered)| ordered.delay)
        {
            match commit_failure {
                Some(code) => self.attempts.refuse(code),
                None => self.attempts.start(now.saturating_add(delay)),
            }
        }
    }

    fn commit_failure(&self) -> Option<Code> {
        self.steps().find_map(|(step, ended)| {
            let failed = ended.filter(|ended| ended.code.is_failure());
            failed.filter(|_| matches!(step.action, Action::Commit)).map(|ended| ended.code)
        })
    }

    /// The elements with their codes; none before the results are ready. An activation is well
    /// as soon as it is queued: how it ended is told apart.
    fn leaves(&self) -> Option<Vec<Leaf<'_>>> {
        let mut leaves = Vec::with_capacity(self.plan.steps.len());
        for (step, ended) in self.steps() {
            let code = match (&step.action, ended) {
                (Action::Activate(_), _) => match self.attempts.status() {
                    ActivationStatus::Refused { code } => code,
                    _ => Code::OK,
                },
                (_, Some(ended)) => ended.code,
                (_, None) => return None,
            };
            if let Some(element) = &step.element {
                let detail = match &step.action {
                    Action::Refuse { detail, .. } => detail.as_str(),
                    _ => "",
                };
                leaves.push(Leaf { element, code, detail });
            }
        }
        self.results_ready().then_some(leaves)
    }

    fn step_report(&self, step: &Step, ended: Option<Ended>) -> StepReport {
        let (outcome, error) = match (&step.action, ended) {
            (Action::Activate(_), _) => match self.attempts.status() {
                ActivationStatus::None | ActivationStatus::Waiting => ("pending", None),
                ActivationStatus::Scheduled { .. } => ("scheduled", None),
                ActivationStatus::Running { .. } => ("running", None),
                ActivationStatus::Succeeded { .. } => ("applied", None),
                ActivationStatus::Failed { code, .. } => ("failed", Some(code)),
                ActivationStatus::Refused { code } => ("refused", Some(code)),
                ActivationStatus::Cancelled => ("cancelled", None),
            },
            (_, None) => ("pending", None),
            (Action::Refuse { .. }, Some(ended)) => ("refused", Some(ended.code)),
            (_, Some(ended)) if ended.code.is_failure() => ("failed", Some(ended.code)),
            (_, Some(ended)) if ended.code.is_warning() => ("kept", Some(ended.code)),
            (_, Some(ended)) if ended.changed => ("applied", None),
            (_, Some(_)) => ("unchanged", None),
        };
        StepReport { id: step.id.clone(), outcome, error }
    }
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        let (code, changed) = match outcome {
            Outcome::Changed => (Code::OK, true),
            Outcome::Unchanged => (Code::OK, false),
            Outcome::Failed(code) | Outcome::RadioBackConnectFailed(code) => (code, false),
        };
        Self { code, changed }
    }
}

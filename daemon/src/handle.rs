//! How the parts of the shell reach each other: a snapshot to read and a channel to ask through. Nothing is shared
//! behind a lock; who drops a handle loses nothing but the view.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use daemon_core::proxy::{GuestId, News, Order};
use daemon_core::request::{Reply, Request, RequestError, RequestErrorKind};
use daemon_core::snapshot::{Reason, Snapshot};
use daemon_provisioning::Secret;
use tokio::sync::{mpsc, oneshot, watch};

use crate::host::unit::Units;
use crate::store::Store;

/// One modem as the rest of the shell sees it.
#[derive(Clone, Debug)]
pub(crate) struct ModemHandle {
    /// Number of the object on the bus; never reused while the daemon runs.
    pub(crate) id: u32,
    /// The newest snapshot; closed when the modem is gone.
    pub(crate) snapshot: watch::Receiver<Arc<Snapshot>>,
    /// Requests to the task that owns the modem, each with the place for its one answer.
    pub(crate) requests: mpsc::Sender<(Request, oneshot::Sender<Result<Reply, RequestError>>)>,
    /// Clients of the proxy to the task that owns the modem.
    pub(crate) guests: mpsc::Sender<Guest>,
    /// Readers of its traffic to the task that owns the modem.
    pub(crate) tracers: mpsc::Sender<Tracer>,
}

impl ModemHandle {
    /// Asks the modem and waits for the answer. A modem that goes away meanwhile answers with
    /// [`RequestErrorKind::Gone`].
    pub(crate) async fn request(&self, request: Request) -> Result<Reply, RequestError> {
        let (answer, wait) = oneshot::channel();
        self.requests.send((request, answer)).await.map_err(|_| gone())?;
        wait.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Has everything that is said to the modem and by it written into a socket, from now on.
    pub(crate) async fn trace(&self, socket: OwnedFd) -> Result<(), RequestError> {
        let (answer, wait) = oneshot::channel();
        self.tracers.send(Tracer { socket, answer }).await.map_err(|_| gone())?;
        wait.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> RequestError {
    RequestError {
        kind: RequestErrorKind::Gone,
        reason: Reason { code: "gone", text: "The modem is no longer there; plug it in again.".into() },
    }
}

/// One who wants to read a modem's traffic.
#[derive(Debug)]
pub(crate) struct Tracer {
    /// Where the records go.
    pub(crate) socket: OwnedFd,
    /// Whether they do.
    pub(crate) answer: oneshot::Sender<Result<(), RequestError>>,
}

/// What a client of the proxy says to its modem.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Which.
    pub(crate) id: GuestId,
    /// What.
    pub(crate) order: Order,
    /// Where it is told things, with its first order. Closed when the modem is gone, or when it takes too few of them.
    pub(crate) news: Option<mpsc::Sender<News>>,
}

/// All modems, in the order in which they came. The supervisor publishes, others follow.
pub(crate) type Modems = watch::Receiver<Vec<ModemHandle>>;

/// Who hands a document over. `[PROV 12.3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The operator's own program on this machine.
    App,
    /// A page of the operator's web site.
    Website,
    /// An earlier document said where it is.
    Refresh,
    /// A file in the administrator's folder.
    Administrator,
}

/// A document that was handed over.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The modem it is meant for; `None` = the one whose SIM matches.
    pub(crate) modem: Option<u32>,
    /// The bytes as they came, at most the limit of `[PROV 16]`: with passwords, so that they are neither printed nor left behind.
    pub(crate) xml: Secret<Vec<u8>>,
    /// Who says so.
    pub(crate) source: Source,
    /// Uid of the caller, checked with the bus.
    pub(crate) uid: u32,
    /// The units that the caller's process is in.
    pub(crate) units: Units,
    /// Only say what would be done.
    pub(crate) dry_run: bool,
}

/// A signer whom nobody named before: the user is to say whether a document of theirs may be applied. `[PROV 12.1]`, step 8.
#[derive(Debug)]
pub(crate) struct Approval {
    /// Number of the job that waits.
    pub(crate) job: u32,
    /// Uid of who handed the document over.
    pub(crate) uid: u32,
    /// CarrierId of the document.
    pub(crate) carrier_id: String,
    /// The signer.
    pub(crate) signer: daemon_provisioning::Signer,
    /// Where it is told that somebody is being asked, with the place where their word arrives. Dropped: there is nobody.
    pub(crate) asked: oneshot::Sender<oneshot::Receiver<bool>>,
}

/// What is asked of the provisioning agent beside taking a document, each with the place for the answer.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Take away what documents of the same operator for the same customer set as that one.
    Remove(u32, oneshot::Sender<Result<(), NotDone>>),
    /// Ask for a newer document than that one; 0 = than the newest that says where. The answer is the job's number.
    Refresh(u32, oneshot::Sender<Result<u32, NotDone>>),
}

/// Why an order was not carried out.
#[derive(Debug)]
pub(crate) enum NotDone {
    /// There is no such thing.
    NotFound(&'static str),
    /// Not now.
    NotNow(&'static str),
    /// A file or a modem.
    Failed(String),
}

/// One document being applied, or done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Job {
    /// Number, never reused while the daemon runs.
    pub(crate) id: u32,
    /// The modem that it concerns, where there is one.
    pub(crate) modem: Option<u32>,
    /// Number of the document in the history, as soon as it is there.
    pub(crate) document: Option<u32>,
    /// `fetching`, `queued`, `asking`, `applying`, `activating`, `done` or `failed`.
    pub(crate) state: &'static str,
    /// Steps with what became of them so far.
    pub(crate) steps: Vec<JobStep>,
    /// Results XML, as soon as it exists. `[PROV 10]`
    pub(crate) results_xml: Option<Box<str>>,
    /// Whether every element was provisioned, as soon as it is known.
    pub(crate) all_provisioned: Option<bool>,
    /// File-level code `[PROV 11.1]` and text when nothing was applied.
    pub(crate) error: Option<(u32, String)>,
    /// Outcome of the activation attempts: 0 = done, else a code of `[PROV 11]`; `None` while pending or without one.
    pub(crate) activation: Option<u32>,
}

/// One step of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobStep {
    /// Stable name of the step.
    pub(crate) id: String,
    /// What it does, without secrets.
    pub(crate) what: String,
    /// `pending`, `applied`, `kept` (stored, with a warning), `unchanged`, `refused`, `failed`, `scheduled`, `running`, `cancelled`.
    pub(crate) outcome: String,
    /// Code and text of a failure; empty otherwise.
    pub(crate) error: String,
}

/// The provisioning agent as the rest of the shell sees it.
#[derive(Clone, Debug)]
pub(crate) struct Provisioner {
    /// Documents in; the answer is the job's number, or the whole job for a dry run or a refused document.
    pub(crate) submit: mpsc::Sender<(Submission, oneshot::Sender<Result<Job, Job>>)>,
    /// Everything else that is asked.
    pub(crate) orders: mpsc::Sender<Wish>,
    /// All jobs of this run of the daemon, newest last, at most 32.
    pub(crate) jobs: watch::Receiver<Vec<Job>>,
    /// Whom this machine was told to trust.
    pub(crate) store: Store,
}

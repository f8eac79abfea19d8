//! Asking for newer documents, at the time that their schedules say and over the modem whose SIM they are for.
//! `[PROV 12.8]`

use std::net::SocketAddr;
use std::time::Duration;

use daemon_core::snapshot::{ConnectivityState, ContextState, Snapshot};
use daemon_provisioning::{Code, Due, Fetched, Judged, Owner, Refused, Schedule, SimState, Validators, plan};
use tokio::time::Instant;

use super::history::{Draft, digest};
use super::{Task, code_number, described, facts};
use crate::handle::{Job, ModemHandle, NotDone, Source, Submission};
use crate::host::fetch::{self, Got, Place};
use crate::host::probe::Bearer;
use crate::host::unit::Units;

/// How long nobody looks at the clock, which may jump.
const LOOK: Duration = Duration::from_secs(3600);
/// Port of name servers.
const DNS: u16 = 53;

/// One that was asked for.
pub(super) struct Fetch {
    owner: Owner,
    job: Job,
    got: Result<Got, String>,
}

/// Whether the Internet can be reached over the modem, or at least nothing says that it cannot.
pub(super) fn is_online(snapshot: &Snapshot) -> bool {
    let up = snapshot.connections.first().is_some_and(|connection| connection.state == ContextState::Up);
    up && matches!(snapshot.connectivity.state, ConnectivityState::Full | ConnectivityState::Unknown)
}

/// A number that another machine does not draw.
pub(super) fn random() -> u32 {
    let mut octets = [0; 4];
    // Without it all machines wait equally long.
    let _ = rustix::rand::getrandom(&mut octets[..], rustix::rand::GetRandomFlags::empty());
    u32::from_ne_bytes(octets)
}

impl Task {
    /// Looks soon whether one is due: something is different.
    pub(super) fn look_soon(&mut self) {
        self.look = Some(Instant::now());
    }

    /// Nothing could be written down: looking at once would ask the same again and again.
    pub(super) fn look_later(&mut self) {
        self.look = Some(Instant::now() + LOOK);
    }

    fn noted(&mut self, noted: std::io::Result<()>) {
        match noted {
            Ok(()) => self.look_soon(),
            Err(error) => {
                tracing::warn!(%error, "when a document was asked for could not be written");
                self.look_later();
            }
        }
    }

    /// Asks for those that are due and can be asked for, and says when to look again.
    pub(super) async fn look_for_newer(&mut self) {
        self.look = None;
        let Some(ledger) = self.history.read().await else { return };
        let now = (self.checks.clock)();
        let mut next: Option<Duration> = None;
        for (owner, schedule) in ledger.schedules() {
            let wait = match schedule.due(now) {
                Due::Never => continue,
                Due::At(at) => Duration::from_secs(at.saturating_sub(now)),
                // What is due by itself waits for a clock that was ever set; what somebody asked for does not.
                Due::Now if schedule.is_asked_for() || (self.checks.clock_is_set)() => {
                    // Without its modem it waits for the news that one is online.
                    self.fetch(owner, schedule).await;
                    LOOK
                }
                Due::Now => LOOK,
            };
            next = Some(next.map_or(wait, |next| next.min(wait)));
        }
        self.look = next.map(|next| Instant::now() + next.min(LOOK));
    }

    /// Begins to ask, if it is not being done and the modem is online; the job.
    async fn fetch(&mut self, owner: &Owner, schedule: &Schedule) -> Option<u32> {
        if self.fetching.contains(owner) {
            return None;
        }
        let modems = self.modems.borrow().clone();
        let facts = facts::of(&modems, None, &self.store).await;
        let theirs = facts.modems.iter().filter(|modem| modem.sim == SimState::Ready);
        let theirs: Vec<u32> = theirs.filter(|modem| modem.has(&owner.subscriber_id)).map(|modem| modem.id).collect();
        let place = |handle: &ModemHandle| Some((handle.id, self.place(&handle.snapshot.borrow())?));
        let (modem, place) = modems.iter().filter(|handle| theirs.contains(&handle.id)).find_map(place)?;
        let refresh = facts::kept(&owner.key(), &self.store).await.refresh().cloned()?;
        let mut job = self.new_job(Some(modem), &[]);
        job.state = "fetching";
        self.jobs.show(&job);
        let (owner, known, number) = (owner.clone(), schedule.validators().clone(), job.id);
        self.fetching.push(owner.clone());
        self.fetches.spawn(async move {
            let got = fetch::newest(&place, &refresh, &known).await;
            Fetch { owner, job, got }
        });
        Some(number)
    }

    /// The link of a modem that is online.
    fn place(&self, snapshot: &Snapshot) -> Option<Place> {
        let connection = snapshot.connections.first().filter(|_| is_online(snapshot))?;
        let ip = connection.ip.as_ref()?;
        let global = |(address, _): &&(std::net::Ipv6Addr, u8)| !address.is_unicast_link_local();
        Some(Place {
            bearer: Bearer {
                interface: Some(connection.interface.clone()?),
                ipv4: ip.ipv4.first().map(|(address, _)| *address),
                ipv6: ip.ipv6.iter().find(global).map(|(address, _)| *address),
            },
            servers: ip.dns.iter().map(|server| SocketAddr::new(*server, DNS)).collect(),
            ca: self.places.refresh_ca.clone(),
            state: self.store.folder().to_owned(),
        })
    }

    /// Somebody asks for a newer document than this one; the job.
    pub(super) async fn refresh(&mut self, document: u32) -> Result<u32, NotDone> {
        let failed = |error: std::io::Error| NotDone::Failed(format!("It cannot be read or written: {error}."));
        let asked = self.history.change(|ledger| {
            let has = |owner: &Owner| ledger.schedules().iter().any(|(of, _)| of == owner);
            let mut entries = ledger.entries().iter().rev().filter(|entry| document == 0 || entry.id == document);
            let owner = entries.find_map(|entry| entry.owner.clone().filter(has))?;
            let schedule = ledger.schedule_mut(&owner)?;
            schedule.ask();
            Some((owner, schedule.clone()))
        });
        let none = "No document that is in force says where a newer one is.";
        let (owner, schedule) = asked.await.map_err(failed)?.ok_or(NotDone::NotFound(none))?;
        let later = "Its SIM is not online, or it is being asked for; it is asked for as soon as that can be.";
        self.fetch(&owner, &schedule).await.ok_or(NotDone::NotNow(later))
    }

    /// An answer is there, or none.
    pub(super) async fn fetched(&mut self, fetch: Fetch) {
        let Fetch { owner, job, got } = fetch;
        self.fetching.retain(|of| *of != owner);
        let (octets, validators) = match got {
            Ok(Got::Document { octets, validators }) => (octets, validators),
            Ok(Got::Unchanged) => return self.is_newest(&owner, job, None).await,
            Err(why) => return self.not_fetched(&owner, job, Fetched::Failed, why).await,
        };
        // It may have been taken away meanwhile.
        let known = self.history.read().await;
        let Some(known) = known.filter(|ledger| ledger.schedules().iter().any(|(of, _)| *of == owner)) else {
            let gone =
                Refused::new(Code::NOT_PRESENT, "what the documents of this operator set was taken away meanwhile");
            return self.jobs.show(&Job { id: job.id, modem: job.modem, ..super::refusal(&gone) });
        };
        if known.is_newest(&owner, &digest(&octets)) {
            return self.is_newest(&owner, job, Some(validators)).await;
        }
        self.take_newer(&owner, job, octets, validators).await;
    }

    /// Judges and applies it, with nobody to ask.
    async fn take_newer(&mut self, owner: &Owner, job: Job, xml: Vec<u8>, validators: Validators) {
        let submission = Submission {
            modem: job.modem,
            xml: xml.into(),
            source: Source::Refresh,
            uid: 0,
            units: Units::default(),
            dry_run: false,
        };
        let mut draft = Draft::new(&submission, (self.checks.clock)());
        draft.validators = validators;
        let mut facts = self.facts(None).await;
        let document = match self.judge(&submission, &facts, None).await {
            Ok(Judged::Allowed(document)) => document.refreshes(owner),
            Ok(Judged::Ask(question)) => Err(question.declined()),
            Err(refused) => Err(refused),
        };
        let document = match document {
            Ok(document) => document,
            Err(refused) => {
                let refused_job = self.refused(draft, &refused).await;
                self.note(owner, Fetched::Refused).await;
                return self.jobs.show(&Job { id: job.id, modem: job.modem, ..refused_job });
            }
        };
        facts.stored = facts::kept(&document.owner_key(), &self.store).await;
        let plan = plan(&document, &facts);
        let job = Job { modem: plan.target(), state: "queued", steps: described(&plan.view().steps), ..job };
        self.jobs.show(&job);
        let job = self.apply(plan, draft, job).await;
        if job.steps.iter().any(|step| step.id == "commit" && step.outcome == "failed") {
            self.note(owner, Fetched::Failed).await;
        }
    }

    /// There is nothing newer.
    async fn is_newest(&mut self, owner: &Owner, job: Job, validators: Option<Validators>) {
        tracing::info!(event = "refresh-unchanged", job = job.id, carrier = owner.carrier_id, "no newer document");
        let now = (self.checks.clock)();
        let noted = self.history.change(|ledger| {
            if let Some(schedule) = ledger.schedule_mut(owner) {
                schedule.fetched(Fetched::Unchanged, now);
                schedule.called(validators);
            }
        });
        self.noted(noted.await);
        self.jobs.show(&Job { state: "done", all_provisioned: Some(true), ..job });
    }

    async fn not_fetched(&mut self, owner: &Owner, job: Job, outcome: Fetched, why: String) {
        let carrier = &owner.carrier_id;
        tracing::warn!(event = "refresh-failed", job = job.id, carrier, reason = why, "no newer document was fetched");
        self.note(owner, outcome).await;
        self.jobs.show(&Job { state: "failed", error: Some((code_number(Code::NOT_FETCHED), why)), ..job });
    }

    async fn note(&mut self, owner: &Owner, outcome: Fetched) {
        let now = (self.checks.clock)();
        let noted = self.history.change(|ledger| {
            if let Some(schedule) = ledger.schedule_mut(owner) {
                schedule.fetched(outcome, now);
            }
        });
        self.noted(noted.await);
    }
}

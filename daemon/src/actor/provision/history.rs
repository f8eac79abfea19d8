//! What is remembered of each document, in one sealed file, and what the log says of it. The events are a contract for
//! who reads the journal; docs/user/provisioning.md lists them.

use std::io;

use daemon_core::effect::SubscriberKey;
use daemon_provisioning::{Code, Entry, Giver, Ledger, Refused, Schedule, Validators};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::execute::Execution;
use super::{Task, facts};
use crate::handle::{Source, Submission};
use crate::store::{Store, Which, plain};

/// What is known of a document from the moment that it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) entry: Entry,
    /// How the server calls it that it came from.
    pub(super) validators: Validators,
}

impl Draft {
    pub(super) fn new(submission: &Submission, now: u64) -> Self {
        let giver = match submission.source {
            Source::App => Giver::App,
            Source::Website => Giver::Website,
            Source::Refresh => Giver::Refresh,
            Source::Administrator => Giver::Administrator,
        };
        let entry = Entry { at: now, giver, digest: digest(submission.xml.reveal()), ..Entry::default() };
        Self { entry, validators: Validators::default() }
    }
}

/// SHA-256 as 64 hexadecimal digits.
pub(super) fn digest(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The key that the file is kept under: of no SIM, whose keys are digits.
fn key() -> SubscriberKey {
    SubscriberKey::new("ledger")
}

/// What is remembered.
pub(crate) async fn read(store: &Store) -> io::Result<Ledger> {
    let Some(kept) = store.kept(key(), Which::Ledger).await? else { return Ok(Ledger::default()) };
    Ok(serde_json::from_slice(&kept).unwrap_or_else(|_| {
        tracing::warn!("the history of documents cannot be understood and is begun anew");
        Ledger::default()
    }))
}

/// Writes it.
pub(crate) async fn write(store: &Store, ledger: &Ledger) -> io::Result<()> {
    store.keep(key(), Which::Ledger, Some(plain(ledger)?)).await
}

/// The file. One task changes it.
#[derive(Debug)]
pub(super) struct History(Store);

impl History {
    pub(super) fn new(store: Store) -> Self {
        Self(store)
    }

    /// Nothing where it cannot be read; then it is not written either.
    pub(super) async fn read(&self) -> Option<Ledger> {
        let read = read(&self.0).await;
        read.inspect_err(|error| tracing::warn!(%error, "the history of documents cannot be read")).ok()
    }

    /// Makes a change. A disk that takes nothing costs the memory, not the document.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> io::Result<T> {
        let mut ledger = read(&self.0).await?;
        let before = ledger.clone();
        let result = change(&mut ledger);
        if ledger != before {
            write(&self.0, &ledger).await?;
        }
        Ok(result)
    }

    async fn note<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        let changed = self.change(change).await;
        changed.inspect_err(|error| tracing::warn!(%error, "the history of documents could not be written")).ok()
    }

    /// A document was refused; its number.
    pub(super) async fn refused(&self, draft: Draft, refused: &Refused) -> Option<u32> {
        let signed = refused.signed.as_deref().cloned();
        let entry = Entry { code: refused.code, reason: refused.reason.clone(), signed, ..draft.entry };
        let document = self.note(|ledger| ledger.enter(entry.clone())).await;
        let signer = entry.signed.as_ref().map(|signed| signed.subject.as_str()).unwrap_or_default();
        tracing::warn!(
            event = "document-refused",
            document,
            source = entry.giver.as_str(),
            file = entry.file,
            digest = entry.digest,
            code = %entry.code,
            signer,
            reason = entry.reason,
            "a document was refused"
        );
        document
    }

    /// The number of a document that was remembered; 0 where it was not.
    pub(super) async fn number(&self, entry: &Entry, sim: &SubscriberKey) -> u32 {
        let ledger = self.read().await.unwrap_or_default();
        let same = |known: &&Entry| {
            let of = |entry: &Entry| (entry.at, entry.giver, entry.file.clone(), entry.digest.clone());
            of(known) == of(entry) && known.sim.as_ref().is_some_and(|known| known.reveal() == sim.reveal())
        };
        ledger.entries().iter().rfind(same).map_or(0, |known| known.id)
    }

    /// The activation that a document ordered has ended.
    pub(super) async fn activated(&self, document: u32, code: Code) {
        tracing::info!(event = "activation-ended", document, code = %code, "an activation has ended");
        self.note(|ledger| ledger.activated(document, code)).await;
    }
}

impl Task {
    /// Remembers a document that was applied, and when a newer one is to be asked for; whether that could be written. One
    /// that was remembered before the daemon ended is not remembered again.
    pub(super) async fn enter(&mut self, execution: &mut Execution) -> bool {
        if execution.document() != 0 {
            return true;
        }
        let (entry, validators) = execution.entry();
        let owner = execution.owner();
        let committed = execution.is_committed();
        let refresh = facts::kept(&owner.key(), &self.store).await.refresh().cloned();
        let random = super::refresh::random();
        let document = self
            .history
            .note(|ledger| {
                if committed {
                    ledger.schedule(&owner, refresh.map(|at| Schedule::new(&at, entry.at, random, validators)));
                    if let (Giver::Administrator, Some(sim)) = (entry.giver, &entry.sim) {
                        ledger.place(&entry.digest, sim.reveal());
                    }
                }
                ledger.enter(entry.clone())
            })
            .await;
        let signer = entry.signed.as_ref().map(|signed| signed.subject.as_str()).unwrap_or_default();
        tracing::info!(
            event = "document-applied",
            document,
            source = entry.giver.as_str(),
            file = entry.file,
            digest = entry.digest,
            carrier = owner.carrier_id,
            signer,
            all = entry.all,
            "a document was applied"
        );
        execution.entered(document.unwrap_or_default()).await;
        document.is_some()
    }
}

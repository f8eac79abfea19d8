//! Documents that the administrator put into a folder, for machines without a person: applied in the order of their
//! names, once for each content and SIM. `[PROV 12.3]`

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use daemon_provisioning::{Judged, MAX_DOCUMENT, plan};
use tokio::sync::mpsc;

use super::history::{Draft, digest};
use super::{Task, facts};
use crate::handle::{Source, Submission};
use crate::host::unit::Units;
use crate::store::atomic;
use crate::store::watched::Watched;

/// Most files.
const MAX_FILES: usize = 256;

/// The folder.
#[derive(Debug)]
pub(super) struct DropIns {
    folder: PathBuf,
    changed: mpsc::Receiver<()>,
    /// Files that were told about, with what they held: one that is broken or waits for its SIM is named once.
    told: BTreeMap<String, String>,
}

impl DropIns {
    pub(super) fn new(folder: &Path) -> Self {
        let (tell, changed) = mpsc::channel(1);
        match Watched::new([folder.to_owned()].into()) {
            Ok(watched) => drop(tokio::spawn(follow(watched, tell))),
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "changes of documents are not noticed"),
        }
        Self { folder: folder.to_owned(), changed, told: BTreeMap::new() }
    }

    /// Waits until something is different.
    pub(super) async fn changed(&mut self) -> Option<()> {
        self.changed.recv().await
    }

    /// Names of the documents, in order.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".xml") && !name.starts_with('.')).collect();
        names.sort();
        if names.len() > MAX_FILES {
            tracing::warn!(folder = %self.folder.display(), "only the first {MAX_FILES} documents are read");
            names.truncate(MAX_FILES);
        }
        names
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let file = self.folder.join(name);
        let meta = std::fs::metadata(&file).map_err(|error| error.to_string())?;
        if !meta.is_file() {
            return Err("it is no file".into());
        }
        // What is in it needs no signature.
        if meta.mode() & 0o002 != 0 {
            return Err("everybody may write it; take that right away".into());
        }
        atomic::read(&file, MAX_DOCUMENT as u64).map_err(|error| error.to_string())
    }

    /// Whether this was not told yet of that file.
    fn is_news(&mut self, name: &str, what: &str) -> bool {
        self.told.insert(name.to_owned(), what.to_owned()).is_none_or(|told| told != what)
    }
}

async fn follow(watched: Watched, tell: mpsc::Sender<()>) {
    loop {
        tokio::select! {
            seen = watched.changed() => if seen.is_err() || tell.send(()).await.is_err() { return },
            () = tell.closed() => return,
        }
    }
}

impl Task {
    /// Applies what is there, has its SIM, and was not applied to it as it is now.
    pub(super) async fn drop_ins(&mut self) {
        let names = self.dropins.names();
        self.dropins.told.retain(|name, _| names.contains(name));
        for name in names {
            match self.dropins.read(&name) {
                Ok(xml) => self.drop_in(name, xml).await,
                Err(error) if self.dropins.is_news(&name, &error) => {
                    tracing::warn!(
                        event = "document-refused",
                        file = name,
                        reason = error,
                        "a document cannot be read"
                    );
                }
                Err(_) => {}
            }
        }
    }

    async fn drop_in(&mut self, name: String, xml: Vec<u8>) {
        let digest = digest(&xml);
        let refused = format!("refused {digest}");
        if self.dropins.told.get(&name) == Some(&refused) {
            return;
        }
        let submission = Submission {
            modem: None,
            xml: xml.into(),
            source: Source::Administrator,
            uid: 0,
            units: Units::default(),
            dry_run: false,
        };
        let mut draft = Draft::new(&submission, (self.checks.clock)());
        draft.entry.file = Some(name.clone());
        let mut facts = self.facts(None).await;
        let document = match self.judge(&submission, &facts, None).await {
            Ok(Judged::Allowed(document)) => *document,
            Ok(Judged::Ask(question)) => return drop(self.refused(draft, &question.declined()).await),
            Err(no) => {
                self.dropins.is_news(&name, &refused);
                self.refused(draft, &no).await;
                return;
            }
        };
        facts.stored = facts::kept(&document.owner_key(), &self.store).await;
        let plan = plan(&document, &facts);
        let sim = plan.target().and_then(|modem| self.handle(modem)).and_then(|h| facts::key(&h.snapshot.borrow()));
        let Some(sim) = sim else {
            if self.dropins.is_news(&name, &digest) {
                tracing::info!(event = "document-waits", file = name, digest, "a document waits for its SIM");
            }
            return;
        };
        // Without a memory it would be applied at every start: what it orders stays in force meanwhile.
        match self.history.read().await {
            Some(ledger) if !ledger.is_placed(&digest, sim.reveal()) => {}
            _ => return,
        }
        // What could not be written is tried again when something is different, or at the next start.
        if !self.dropins.is_news(&name, &format!("tried {digest} {}", super::history::digest(sim.reveal().as_bytes())))
        {
            return;
        }
        let job = self.new_job(plan.target(), &plan.view().steps);
        self.apply(plan, draft, job).await;
    }
}

//! Files that outlive the daemon: format, version, atomic replacement. What a value means is decided elsewhere.
//!
//! One task owns all files and works through orders in their order of arrival, off the runtime's thread, so that a slow
//! disk delays nobody but who waits for it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon_core::effect::SubscriberKey;
use daemon_core::subscriber::SubscriberState;
use daemon_operator::Layers;
use daemon_operator::identity::Identity;
use daemon_provisioning::TrustedCertificate;
use tokio::sync::{mpsc, oneshot, watch};
use zeroize::Zeroizing;

pub(crate) mod apps;
pub(crate) mod atomic;
mod cursors;
pub(crate) mod halt;
mod migrations;
mod moment;
pub(crate) mod operators;
pub(crate) mod roots;
mod seal;
mod subscribers;
pub(crate) mod trusted;
pub(crate) mod watched;

use cursors::Cursors;
pub(crate) use cursors::Which;
use operators::Operators;
use seal::Seal;
use subscribers::{Salt, Subscribers};
use trusted::{Consent, TrustFile, Trusted};
use watched::Watched;

/// Orders that wait.
const QUEUE: usize = 32;

type Answer<T> = oneshot::Sender<T>;

/// Octets that are wiped when they are let go.
type Plain = Zeroizing<Vec<u8>>;

/// A value as JSON, at once where there is room for all of it: what grows is moved, and leaves behind in clear what it had.
pub(crate) fn plain<T: serde::Serialize>(value: &T) -> io::Result<Plain> {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0 += octets.len();
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Count(0);
    serde_json::to_writer(&mut length, value)?;
    let mut octets = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *octets, value)?;
    Ok(octets)
}

/// What the task is asked to do.
enum Order {
    Load(SubscriberKey, Answer<io::Result<Option<Box<SubscriberState>>>>),
    Save(SubscriberKey, Box<SubscriberState>, Answer<io::Result<()>>),
    Operators(Box<Identity>, Answer<Arc<Layers>>),
    Reread(Answer<(bool, BTreeSet<PathBuf>)>),
    Keep(SubscriberKey, Which, Option<Plain>, Answer<io::Result<()>>),
    Kept(SubscriberKey, Which, Answer<io::Result<Option<Plain>>>),
    Trusted(Answer<io::Result<Trusted>>),
    Consent(Consent, Answer<io::Result<()>>),
    Revoke(String, Answer<io::Result<bool>>),
    Revoked(String, Option<u64>, Answer<io::Result<()>>),
    Learn(String, Vec<TrustedCertificate>, Answer<io::Result<bool>>),
}

/// The way to the files.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    orders: mpsc::Sender<Order>,
    folder: Arc<Path>,
    records: watch::Receiver<()>,
}

/// The files, owned by one thread at a time.
struct Files {
    subscribers: Subscribers,
    operators: Operators,
    cursors: Cursors,
    trusted: TrustFile,
}

impl Store {
    /// Opens the state directory, makes what is missing and starts the task, which ends with the last handle.
    pub(crate) fn open(state_dir: &Path, operators: Operators) -> io::Result<Self> {
        atomic::full_is_fine(atomic::make_folder(state_dir, 0o700))?;
        let salt = Salt::open(state_dir)?;
        let seal = Seal::new(state_dir, std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into));
        let cursors = Cursors::open(state_dir, salt.clone(), seal.clone())?;
        let trusted = TrustFile::new(state_dir);
        let mut files = Files { subscribers: Subscribers::open(state_dir, salt, seal)?, operators, cursors, trusted };
        let (sender, mut orders) = mpsc::channel(QUEUE);
        let (tell, records) = watch::channel(());
        tokio::spawn(follow(files.operators.folders(), sender.downgrade(), tell));
        tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                let worked = tokio::task::spawn_blocking(move || {
                    files.work(order);
                    files
                });
                match worked.await {
                    Ok(back) => files = back,
                    Err(_) => return,
                }
            }
        });
        Ok(Self { orders: sender, folder: state_dir.into(), records })
    }

    /// The state directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    async fn ask<T>(&self, order: impl FnOnce(Answer<T>) -> Order) -> io::Result<T> {
        let (answer, wait) = oneshot::channel();
        let ended = || io::Error::other("the store has ended");
        self.orders.send(order(answer)).await.map_err(|_| ended())?;
        wait.await.map_err(|_| ended())
    }

    /// What is stored for a SIM.
    pub(crate) async fn load(&self, key: SubscriberKey) -> io::Result<Option<Box<SubscriberState>>> {
        self.ask(|answer| Order::Load(key, answer)).await?
    }

    /// Remembers it for a SIM.
    pub(crate) async fn save(&self, key: SubscriberKey, state: Box<SubscriberState>) -> io::Result<()> {
        self.ask(|answer| Order::Save(key, state, answer)).await?
    }

    /// Operator records that there are for an identity.
    pub(crate) async fn operators(&self, identity: Box<Identity>) -> io::Result<Arc<Layers>> {
        self.ask(|answer| Order::Operators(identity, answer)).await
    }

    /// Changes whenever [`Self::operators`] would give other records than before.
    pub(crate) fn records_changed(&self) -> watch::Receiver<()> {
        self.records.clone()
    }

    /// Keeps how far a document was applied for a SIM, or forgets it.
    pub(crate) async fn keep(&self, key: SubscriberKey, which: Which, cursor: Option<Plain>) -> io::Result<()> {
        self.ask(|answer| Order::Keep(key, which, cursor, answer)).await?
    }

    /// How far a document was applied for a SIM before the daemon ended.
    pub(crate) async fn kept(&self, key: SubscriberKey, which: Which) -> io::Result<Option<Plain>> {
        self.ask(|answer| Order::Kept(key, which, answer)).await?
    }

    /// Whom this machine was told to trust.
    pub(crate) async fn trusted(&self) -> io::Result<Trusted> {
        self.ask(Order::Trusted).await?
    }

    /// Remembers that the user approved a signer.
    pub(crate) async fn consent(&self, consent: Consent) -> io::Result<()> {
        self.ask(|answer| Order::Consent(consent, answer)).await?
    }

    /// Forgets the approval of a signer; whether there was one.
    pub(crate) async fn revoke(&self, fingerprint: String) -> io::Result<bool> {
        self.ask(|answer| Order::Revoke(fingerprint, answer)).await?
    }

    /// Remembers that a signer's certificate, or one above it, was revoked, and until when it need not be asked again; `None`
    /// forgets it.
    pub(crate) async fn revoked(&self, fingerprint: String, until: Option<u64>) -> io::Result<()> {
        self.ask(|answer| Order::Revoked(fingerprint, until, answer)).await?
    }

    /// Remembers the certificates that an operator's document named; whether that is something new.
    pub(crate) async fn learn(&self, carrier_id: String, certificates: Vec<TrustedCertificate>) -> io::Result<bool> {
        self.ask(|answer| Order::Learn(carrier_id, certificates, answer)).await?
    }
}

/// Tells of changed records until nobody has a way to the files any more.
async fn follow(folders: BTreeSet<PathBuf>, orders: mpsc::WeakSender<Order>, tell: watch::Sender<()>) {
    let mut watched = match Watched::new(folders) {
        Ok(watched) => watched,
        Err(error) => return tracing::warn!(%error, "changes of operator files are not noticed"),
    };
    loop {
        let seen = tokio::select! {
            seen = watched.changed() => seen,
            () = tell.closed() => return,
        };
        let Some(orders) = orders.upgrade().filter(|_| seen.is_ok()) else { return };
        loop {
            let (answer, reread) = oneshot::channel();
            let sent = orders.send(Order::Reread(answer)).await;
            let (Ok(()), Ok((changed, folders))) = (sent, reread.await) else { return };
            if changed {
                tracing::info!("operator files changed");
                tell.send_replace(());
            }
            // What changed in a new folder before it was watched was not seen.
            if !watched.set(folders) {
                break;
            }
        }
    }
}

impl Files {
    /// Who asked may be gone meanwhile.
    fn work(&mut self, order: Order) {
        match order {
            Order::Load(key, answer) => drop(answer.send(self.subscribers.load(&key))),
            Order::Save(key, state, answer) => drop(answer.send(self.subscribers.save(&key, &state))),
            Order::Operators(identity, answer) => drop(answer.send(self.operators.layers(&identity))),
            Order::Reread(answer) => drop(answer.send((self.operators.changed(), self.operators.folders()))),
            Order::Keep(key, which, cursor, answer) => drop(answer.send(self.cursors.keep(&key, which, cursor))),
            Order::Kept(key, which, answer) => drop(answer.send(self.cursors.kept(&key, which))),
            Order::Trusted(answer) => drop(answer.send(self.trusted.load())),
            Order::Consent(consent, answer) => drop(answer.send(self.trusted.consent(consent))),
            Order::Revoke(fingerprint, answer) => drop(answer.send(self.trusted.revoke(&fingerprint))),
            Order::Revoked(of, until, answer) => drop(answer.send(self.trusted.revoked(&of, until))),
            Order::Learn(carrier, named, answer) => drop(answer.send(self.trusted.learn(&carrier, named))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn orders_are_worked_through_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Operators::default()).unwrap();
        let key = || SubscriberKey::new("8999000000000000017");
        assert!(store.load(key()).await.unwrap().is_none());
        let mut state = SubscriberState::default();
        state.settings.metric = Some(9);
        let (saved, loaded) = tokio::join!(store.save(key(), Box::new(state)), store.load(key()));
        saved.unwrap();
        assert_eq!(loaded.unwrap().unwrap().settings.metric, Some(9));
        store.keep(key(), Which::Plain, Some(b"{}".to_vec().into())).await.unwrap();
        assert_eq!(store.kept(key(), Which::Plain).await.unwrap().as_deref().map(Vec::as_slice), Some(&b"{}"[..]));
        store.keep(key(), Which::Plain, None).await.unwrap();
        assert_eq!(store.kept(key(), Which::Plain).await.unwrap(), None);
    }

    /// A file that is replaced while the daemon runs is read again without anybody asking. `[OPER-035]`
    #[tokio::test]
    async fn changed_operator_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let overlays = folder.path().join("operators.d");
        let operators = Operators::new(vec![folder.path().join("absent.xml")], overlays.clone(), PathBuf::new());
        let store = Store::open(&folder.path().join("state"), operators).unwrap();
        let mut changed = store.records_changed();
        assert_eq!(store.operators(Box::default()).await.unwrap().overlay_counts().providers, 0);
        std::fs::create_dir(&overlays).unwrap();
        let record = "<provider><name>One</name><gsm><network-id mcc=\"001\" mnc=\"01\"/></gsm></provider>";
        for (text, records) in [(record.to_owned(), 1), (record.repeat(2), 2), ("<broken".to_owned(), 2)] {
            let text = format!("<serviceproviders format=\"2.0\"><country>{text}</country></serviceproviders>");
            let new = folder.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, overlays.join("10.xml")).unwrap();
            tokio::time::timeout(std::time::Duration::from_secs(60), changed.changed()).await.unwrap().unwrap();
            assert_eq!(store.operators(Box::default()).await.unwrap().overlay_counts().providers, records);
        }
    }

    #[tokio::test]
    async fn a_store_that_cannot_write_says_so_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Operators::default()).unwrap();
        let subscribers = folder.path().join("subscribers");
        std::fs::remove_dir(&subscribers).unwrap();
        std::fs::write(&subscribers, "in the way").unwrap();
        let key = SubscriberKey::new("8999000000000000017");
        assert!(store.save(key.clone(), Box::default()).await.is_err());
        std::fs::remove_file(&subscribers).unwrap();
        store.save(key, Box::default()).await.unwrap();
    }
}

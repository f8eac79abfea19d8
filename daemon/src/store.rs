//! Files that outlive the daemon: format, version, atomic replacement. What a value means is decided elsewhere.
//!
//! One task owns all files and works through orders in their order of arrival, off the runtime's thread, so that a slow
//! disk delays nobody but who waits for it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use daemon_core::effect::SubscriberKey;
use daemon_core::subscriber::SubscriberState;
use daemon_operator::Layers;
use tokio::sync::{mpsc, oneshot};

pub(crate) mod apps;
pub(crate) mod atomic;
mod cursors;
mod migrations;
pub(crate) mod operators;
mod seal;
mod subscribers;

use cursors::Cursors;
pub(crate) use cursors::Which;
use operators::Operators;
use seal::Seal;
use subscribers::{Salt, Subscribers};

/// Orders that wait.
const QUEUE: usize = 32;

type Answer<T> = oneshot::Sender<T>;

/// What the task is asked to do.
enum Order {
    Load(SubscriberKey, Answer<io::Result<Option<Box<SubscriberState>>>>),
    Save(SubscriberKey, Box<SubscriberState>, Answer<io::Result<()>>),
    Operators(Answer<Arc<Layers>>),
    Keep(SubscriberKey, Which, Option<Vec<u8>>, Answer<io::Result<()>>),
    Kept(SubscriberKey, Which, Answer<io::Result<Option<Vec<u8>>>>),
}

/// The way to the files.
#[derive(Clone, Debug)]
pub(crate) struct Store(mpsc::Sender<Order>);

/// The files, owned by one thread at a time.
struct Files {
    subscribers: Subscribers,
    operators: Operators,
    cursors: Cursors,
}

impl Store {
    /// Opens the state directory, makes what is missing and starts the task, which ends with the last handle.
    pub(crate) fn open(state_dir: &Path, operators: Operators) -> io::Result<Self> {
        atomic::full_is_fine(atomic::make_folder(state_dir, 0o700))?;
        let salt = Salt::open(state_dir)?;
        let cursors = Cursors::open(state_dir, salt.clone())?;
        let seal = Seal::new(state_dir, std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into));
        let mut files = Files { subscribers: Subscribers::open(state_dir, salt, seal)?, operators, cursors };
        let (sender, mut orders) = mpsc::channel(QUEUE);
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
        Ok(Self(sender))
    }

    async fn ask<T>(&self, order: impl FnOnce(Answer<T>) -> Order) -> io::Result<T> {
        let (answer, wait) = oneshot::channel();
        let ended = || io::Error::other("the store has ended");
        self.0.send(order(answer)).await.map_err(|_| ended())?;
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

    /// Operator records.
    pub(crate) async fn operators(&self) -> io::Result<Arc<Layers>> {
        self.ask(Order::Operators).await
    }

    /// Keeps how far a document was applied for a SIM, or forgets it.
    pub(crate) async fn keep(&self, key: SubscriberKey, which: Which, cursor: Option<Vec<u8>>) -> io::Result<()> {
        self.ask(|answer| Order::Keep(key, which, cursor, answer)).await?
    }

    /// How far a document was applied for a SIM before the daemon ended.
    pub(crate) async fn kept(&self, key: SubscriberKey, which: Which) -> io::Result<Option<Vec<u8>>> {
        self.ask(|answer| Order::Kept(key, which, answer)).await?
    }
}

impl Files {
    /// Who asked may be gone meanwhile.
    fn work(&mut self, order: Order) {
        match order {
            Order::Load(key, answer) => drop(answer.send(self.subscribers.load(&key))),
            Order::Save(key, state, answer) => drop(answer.send(self.subscribers.save(&key, &state))),
            Order::Operators(answer) => drop(answer.send(self.operators.layers())),
            Order::Keep(key, which, cursor, answer) => drop(answer.send(self.cursors.keep(&key, which, cursor))),
            Order::Kept(key, which, answer) => drop(answer.send(self.cursors.kept(&key, which))),
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
        store.keep(key(), Which::Plain, Some(b"{}".to_vec())).await.unwrap();
        assert_eq!(store.kept(key(), Which::Plain).await.unwrap().as_deref(), Some(&b"{}"[..]));
        store.keep(key(), Which::Plain, None).await.unwrap();
        assert_eq!(store.kept(key(), Which::Plain).await.unwrap(), None);
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

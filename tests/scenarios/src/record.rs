//! Keeps everything that anybody could have read of the daemon while it ran: signals, what an unprivileged caller of
//! the bus is told, and the files of its directories with their names.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use core::time::Duration;

use dbus_api::{name, path};
use futures_util::StreamExt;
use harness::virtual_operator::{Error, While};
use tokio::task::JoinHandle;
use zbus::{Connection, MatchRule, MessageStream};

/// Signals that may wait while something is being looked at.
const QUEUE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// Longest wait for an answer.
const SILENCE: Duration = Duration::from_millis(300);
/// Time between two looks.
const TICK: Duration = Duration::from_millis(20);

/// One thing that was read, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Member of the bus, or name of the file below the run's directory.
    pub place: String,
    /// What it held.
    pub content: Vec<u8>,
}

/// A recorder at work.
#[derive(Debug)]
pub struct Recorder {
    readings: Arc<Mutex<BTreeSet<Reading>>>,
    tasks: [JoinHandle<()>; 2],
    directories: Vec<PathBuf>,
}

impl Recorder {
    /// Starts listening to all signals of the bus and looking at the directories.
    ///
    /// # Errors
    /// The bus refuses.
    pub async fn start(address: &str, directories: Vec<PathBuf>) -> Result<Self, Error> {
        let doing = "listening to the bus";
        let connection = zbus::connection::Builder::address(address).build().await.trying(doing)?;
        let rule = MatchRule::builder().msg_type(zbus::message::Type::Signal).build().trying(doing)?;
        let mut signals = MessageStream::for_match_rule(rule, &connection, Some(QUEUE)).await.trying(doing)?;
        let readings: Arc<Mutex<BTreeSet<Reading>>> = Arc::default();
        let heard = Arc::clone(&readings);
        let listener = tokio::spawn(async move {
            while let Some(Ok(signal)) = signals.next().await {
                let header = signal.header();
                let member = header.member().map(|member| member.to_string()).unwrap_or_default();
                keep(&heard, format!("signal {member}"), signal.data().to_vec());
            }
        });
        let (seen, places, bus) = (Arc::clone(&readings), directories.clone(), connection);
        let watcher = tokio::spawn(async move {
            loop {
                look_at_files(&seen, &places);
                look_at_bus(&seen, &bus).await;
                tokio::time::sleep(TICK).await;
            }
        });
        Ok(Self { readings, tasks: [listener, watcher], directories })
    }

    /// A last look at the files; everything that was read, each content once.
    #[must_use]
    pub fn stop(self) -> Vec<Reading> {
        look_at_files(&self.readings, &self.directories);
        for task in &self.tasks {
            task.abort();
        }
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn keep(readings: &Mutex<BTreeSet<Reading>>, place: String, content: Vec<u8>) {
    readings.lock().unwrap_or_else(PoisonError::into_inner).insert(Reading { place, content });
}

fn look_at_files(readings: &Mutex<BTreeSet<Reading>>, directories: &[PathBuf]) {
    for directory in directories {
        walk(directory, &mut |path| {
            let place = path.display().to_string();
            keep(readings, "name of a file".into(), place.clone().into_bytes());
            // It may have gone meanwhile.
            if let Ok(content) = fs::read(path) {
                keep(readings, place, content);
            }
        });
    }
}

/// Calls `visit` for each file below a directory.
pub fn walk(directory: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// Everything that needs no authorisation. The daemon may be away; who was asked may end without an answer, and not
/// every bus then answers in its place.
async fn look_at_bus(readings: &Mutex<BTreeSet<Reading>>, bus: &Connection) {
    let ask = async |path: &str, interface: &str, member: &str, argument: Option<&str>| {
        let (to, interface) = (Some(name::SERVICE), Some(interface));
        let call = async {
            match argument {
                Some(argument) => bus.call_method(to, path, interface, member, &(argument,)).await,
                None => bus.call_method(to, path, interface, member, &()).await,
            }
        };
        let content = match tokio::time::timeout(SILENCE, call).await {
            Ok(Ok(answer)) => answer.body().data().to_vec(),
            Ok(Err(error)) => error.to_string().into_bytes(),
            Err(_) => Vec::new(),
        };
        keep(readings, format!("{member} {path}"), content.clone());
        content
    };
    let properties = "org.freedesktop.DBus.Properties";
    let objects = ask(path::ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", None).await;
    ask(path::ROOT, properties, "GetAll", Some(name::MANAGER)).await;
    ask(path::ROOT, properties, "GetAll", Some(name::PROVISIONING)).await;
    for number in 0..8 {
        let object = path::modem(number);
        if !objects.windows(object.as_str().len()).any(|window| window == object.as_str().as_bytes()) {
            continue;
        }
        for interface in [name::MODEM, name::SIM, name::CONNECTION, name::CONNECTIVITY] {
            ask(object.as_str(), properties, "GetAll", Some(interface)).await;
        }
        ask(object.as_str(), name::MODEM, "Explain", None).await;
        ask(object.as_str(), name::MODEM, "GetStatistics", None).await;
        ask(object.as_str(), "org.freedesktop.DBus.Introspectable", "Introspect", None).await;
    }
}

//! The machine sleeps, as logind announces it; somebody plays logind on the private bus.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use core::time::Duration;

use harness::cases::Case;
use harness::virtual_modem::{Direction, Fault, Log, Order, What, When, kind};
use harness::virtual_operator::address::DATA_LINK;
use harness::wait;
use mbim_proto::service::BASIC_CONNECT;
use scenarios::client::{PATIENCE, View};
use scenarios::link::{self, Watch};
use scenarios::stage::{Outcome, Stage, quick, story};
use zbus::{Connection, OwnedFd};

pub(crate) const CASES: &[Case] = &[
    Case { name: "sleep_and_awakening", run: || story("open", asleep) },
    Case { name: "sleep_that_cost_the_session", run: || story("open", lost) },
];

const PATH: &str = "/org/freedesktop/login1";

/// How it begins before it gives locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Manner {
    /// Willing.
    #[default]
    Willing,
    /// It refuses so often, as while polkit is not there yet.
    Refuses(usize),
    /// It never answers.
    Silent,
}

/// Plays the part of logind that matters here: gives locks and sees whether they are held.
#[derive(Clone, Default)]
struct Logind {
    locks: Arc<Mutex<Vec<(String, UnixStream)>>>,
    manner: Manner,
    asked: Arc<AtomicUsize>,
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    async fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::fdo::Result<OwnedFd> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        match self.manner {
            Manner::Refuses(times) if before < times => return Err(zbus::fdo::Error::AccessDenied("not yet".into())),
            Manner::Silent => std::future::pending().await,
            Manner::Refuses(_) | Manner::Willing => {}
        }
        let failed = |error: std::io::Error| zbus::fdo::Error::Failed(error.to_string());
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        assert!(!why.is_empty());
        self.locks.lock().unwrap().push((format!("{what} {who} {mode}"), ours));
        Ok(std::os::fd::OwnedFd::from(theirs).into())
    }
}

impl Logind {
    /// Appears on the bus.
    async fn start(address: &str, manner: Manner) -> Result<(Self, Connection), zbus::Error> {
        let logind = Self { manner, ..Self::default() };
        let connection = zbus::connection::Builder::address(address).build().await?;
        connection.object_server().at(PATH, logind.clone()).await?;
        connection.request_name("org.freedesktop.login1").await?;
        Ok((logind, connection))
    }

    /// Locks that were given, and how many of them are held now.
    fn locks(&self) -> (usize, usize) {
        let locks = self.locks.lock().unwrap();
        assert!(locks.iter().all(|(said, _)| said == "sleep mbimd delay"));
        let held = |mut lock: &UnixStream| lock.read(&mut [0]).is_err();
        (locks.len(), locks.iter().filter(|(_, lock)| held(lock)).count())
    }

    async fn has(&self, what: &str, locks: (usize, usize)) -> Outcome {
        Ok(wait::until(what, PATIENCE, || async { (self.locks() == locks).then_some(()) }).await?)
    }
}

async fn announce(connection: &Connection, sleep: bool) -> Outcome {
    let manager = "org.freedesktop.login1.Manager";
    Ok(connection.emit_signal(None::<&str>, PATH, manager, "PrepareForSleep", &sleep).await?)
}

/// Lengths of the lists of wanted reports.
fn lists(log: &Log) -> Vec<usize> {
    let ours = |e: &&harness::virtual_modem::Entry| {
        e.direction == Direction::FromHost && e.subject == Some((BASIC_CONNECT, 19))
    };
    log.entries().filter(ours).map(|entry| entry.length).collect()
}

async fn asleep(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let before = link::show(DATA_LINK).await?;
    let watch = Watch::start(DATA_LINK)?;
    // It comes after the daemon, as it does after a restart of its own.
    let (logind, connection) = Logind::start(stage.world.bus.address(), Manner::Willing).await?;
    logind.has("the lock", (1, 1)).await?;
    for night in 1..=2 {
        announce(&connection, true).await?;
        logind.has("the lock to be given back", (night, 0)).await?;
        let told = lists(&stage.line()?.log().await?);
        assert!(told.len() >= 2 && told.last() < told.first(), "the modem is to be silent: {told:?}");
        announce(&connection, false).await?;
        logind.has("the next lock", (night + 1, 1)).await?;
        let told = lists(&stage.line()?.log().await?);
        assert_eq!(told.last(), told.first());
        stage.client.modem(modem, "the machine to be online", View::is_online).await?;
    }
    assert_eq!(watch.taken_away().await, [""; 0]);
    assert_eq!(link::show(DATA_LINK).await?, before);
    // A logind that goes takes its lock with it. One that never answers, and then goes, is in nobody's way; its successor
    // is asked until it gives another.
    connection.close().await?;
    let (silent, connection) = Logind::start(stage.world.bus.address(), Manner::Silent).await?;
    let asked = || async { (silent.asked.load(Ordering::SeqCst) == 1).then_some(()) };
    wait::until("the question that is not answered", PATIENCE, asked).await?;
    connection.close().await?;
    let (logind, connection) = Logind::start(stage.world.bus.address(), Manner::Refuses(2)).await?;
    logind.has("the successor's lock", (1, 1)).await?;
    assert_eq!(logind.asked.load(Ordering::SeqCst), 3, "it is asked no more than it must be");
    stage.stop().await?;
    logind.has("the lock to go with the daemon", (1, 0)).await?;
    stage.again().await?;
    logind.has("the lock of the next run", (2, 1)).await?;
    connection.close().await?;
    Ok(())
}

/// Power was cut while asleep: the modem knows nothing of a session, and the same object gets its connection again.
async fn lost(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let before = link::show(DATA_LINK).await?;
    let (logind, connection) = Logind::start(stage.world.bus.address(), Manner::Willing).await?;
    logind.has("the lock", (1, 1)).await?;
    announce(&connection, true).await?;
    logind.has("the lock to be given back", (1, 0)).await?;
    let opened = |log: &Log| log.count(|entry| entry.kind == kind::OPEN);
    let opens = opened(&stage.line()?.log().await?);
    // FUNCTION_ERROR 5: not opened.
    stage.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, 12), What::Refuse(5))))?;
    announce(&connection, false).await?;
    wait::until("another OPEN", PATIENCE, || async {
        let log = stage.world.line.as_ref()?.log().await.ok()?;
        (opened(&log) > opens).then_some(())
    })
    .await?;
    stage.client.modem(modem, "the connection in the same object", View::is_online).await?;
    assert_eq!(link::show(DATA_LINK).await?, before);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stage.client.modems().await?.len(), 1);
    connection.close().await?;
    Ok(())
}

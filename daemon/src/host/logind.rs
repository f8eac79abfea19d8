//! Sleep of the machine as logind announces it. While awake a delay lock is held; before sleep every modem is made ready and
//! the lock given back, afterwards every modem is told and a new lock taken. Without logind nothing is held, and the
//! tasks of the modems notice a sleep by their clocks. `[org.freedesktop.login1(5)]`

use std::time::Duration;

use daemon_core::request::Request;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use zbus::{Connection, MatchRule, MessageStream, OwnedFd, fdo};

use crate::handle::Modems;

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

/// Time that modems have to get ready. logind itself waits 5 s by default (`InhibitDelayMaxSec=`).
const READY: Duration = Duration::from_secs(4);
/// Time for one call to logind.
const PATIENCE: Duration = Duration::from_secs(5);

/// Follows logind for as long as the bus is there.
pub(crate) async fn follow(bus: Connection, modems: Modems) {
    if !bus.is_bus() {
        return;
    }
    if let Err(error) = listen(&bus, &modems).await {
        tracing::debug!(%error, "sleep is not announced here; it is noticed by the clocks");
    }
}

async fn listen(bus: &Connection, modems: &Modems) -> zbus::Result<()> {
    let signal = |interface, member| {
        MatchRule::builder().msg_type(zbus::message::Type::Signal).interface(interface).member(member)
    };
    let sleep = signal(MANAGER, "PrepareForSleep").sender(NAME).path(PATH).build()?;
    let owner = signal("org.freedesktop.DBus", "NameOwnerChanged").arg(0, NAME).build()?;
    let mut sleeps = MessageStream::for_match_rule(sleep, bus, None).await?;
    let mut owners = MessageStream::for_match_rule(owner, bus, None).await?;
    let mut lock = inhibit(bus).await;
    loop {
        tokio::select! {
            message = sleeps.next() => {
                let Some(message) = message else { return Ok(()) };
                // A signal of another shape is none.
                let Ok(starts) = message?.body().deserialize::<bool>() else { continue };
                if starts {
                    ask_all(modems, &Request::Suspend).await;
                    tracing::info!("ready for sleep");
                    drop(lock.take());
                } else {
                    tracing::info!("awake");
                    ask_all(modems, &Request::Resume).await;
                    lock = inhibit(bus).await;
                }
            }
            message = owners.next() => {
                let Some(message) = message else { return Ok(()) };
                let Ok((_, _, new)) = message?.body().deserialize::<(String, String, String)>() else { continue };
                // A logind that starts anew knows nothing of the lock that the last one gave.
                lock = if new.is_empty() { None } else { inhibit(bus).await };
            }
        }
    }
}

/// Asks every modem and waits until all have answered, or long enough.
async fn ask_all(modems: &Modems, request: &Request) {
    let handles = modems.borrow().clone();
    let mut asked = JoinSet::new();
    for handle in handles {
        let request = request.clone();
        // A modem that goes away meanwhile needs nothing any more.
        asked.spawn(async move { drop(handle.request(request).await) });
    }
    let all = async { while asked.join_next().await.is_some() {} };
    if tokio::time::timeout(READY, all).await.is_err() {
        tracing::warn!(?request, "a modem did not answer in time");
    }
}

/// A delay lock; held until it is dropped. `None` where there is no logind or it refuses.
async fn inhibit(bus: &Connection) -> Option<OwnedFd> {
    // Not every bus answers a call to a name that nobody owns.
    let names = fdo::DBusProxy::new(bus).await.ok()?;
    if !names.name_has_owner(NAME.try_into().ok()?).await.ok()? {
        return None;
    }
    let body = ("sleep", "mbimd", "Modems are made ready for sleep.", "delay");
    let call = bus.call_method(Some(NAME), PATH, Some(MANAGER), "Inhibit", &body);
    let answer = match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => answer.body().deserialize::<OwnedFd>(),
        Ok(Err(error)) => Err(error),
        Err(_) => return None,
    };
    answer.inspect_err(|error| tracing::debug!(%error, "no lock that delays sleep")).ok()
}

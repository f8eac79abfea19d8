//! Sleep of the machine as logind announces it. While awake a delay lock is held; before sleep every modem is made ready and
//! the lock given back, afterwards every modem is told and a new lock taken. A lock that is refused is asked for again.
//! Without logind nothing is held, and the tasks of the modems notice a sleep by their clocks. `[org.freedesktop.login1(5)]`

mod lock;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use daemon_core::request::Request;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use zbus::{Connection, MatchRule, MessageStream, OwnedFd, fdo};

use crate::handle::Modems;
use lock::{Event, Lock, Order};

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

/// Time that modems have to get ready. logind itself waits 5 s by default (`InhibitDelayMaxSec=`).
const READY: Duration = Duration::from_secs(4);
/// Time for one call to logind, which may have to start polkit first.
const PATIENCE: Duration = Duration::from_secs(25);

/// A question to logind; the answer may be none.
type Question = Pin<Box<dyn Future<Output = Option<OwnedFd>> + Send>>;

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
    let mut lock = Lock::new();
    let mut question: Option<Question> = None;
    // Not every bus answers a call to a name that nobody owns.
    let names = fdo::DBusProxy::new(bus).await?;
    let mut event = names.name_has_owner(NAME.try_into()?).await?.then_some(Event::Came);
    loop {
        match event.take().map_or(Order::Nothing, |event| lock.handle(event)) {
            Order::Nothing => {}
            Order::Ask(pause) => question = Some(Box::pin(ask(bus.clone(), pause))),
            Order::Leave => question = None,
        }
        event = tokio::select! {
            message = sleeps.next() => {
                let Some(message) = message else { return Ok(()) };
                // A signal of another shape is none.
                let Ok(starts) = message?.body().deserialize::<bool>() else { continue };
                if starts {
                    ask_all(modems, &Request::Suspend).await;
                    tracing::info!("ready for sleep");
                    Some(Event::Sleeps)
                } else {
                    tracing::info!("awake");
                    ask_all(modems, &Request::Resume).await;
                    Some(Event::Wakes)
                }
            }
            message = owners.next() => {
                let Some(message) = message else { return Ok(()) };
                let Ok((_, _, new)) = message?.body().deserialize::<(String, String, String)>() else { continue };
                Some(if new.is_empty() { Event::Went } else { Event::Came })
            }
            answer = answer(&mut question) => Some(answer.map_or(Event::Refused, Event::Granted)),
        }
    }
}

/// Waits for the answer to the question under way, for ever where there is none. Safe to drop.
async fn answer(question: &mut Option<Question>) -> Option<OwnedFd> {
    let Some(asked) = question else { return std::future::pending().await };
    let answer = asked.await;
    *question = None;
    answer
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

/// Asks for a delay lock after a pause; it is held until it is dropped. `None`: refused, or no answer in time.
async fn ask(bus: Connection, pause: Duration) -> Option<OwnedFd> {
    tokio::time::sleep(pause).await;
    let body = ("sleep", "mbimd", "Modems are made ready for sleep.", "delay");
    let call = bus.call_method(Some(NAME), PATH, Some(MANAGER), "Inhibit", &body);
    let answer = match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => answer.body().deserialize::<OwnedFd>(),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            tracing::debug!("logind does not answer; it is asked again");
            return None;
        }
    };
    answer.inspect_err(|error| tracing::debug!(%error, "no lock that delays sleep; it is asked for again")).ok()
}

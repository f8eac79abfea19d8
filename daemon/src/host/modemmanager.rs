//! The neighbour: whether ModemManager runs, and the question to it to leave a device. What follows from its answers is
//! decided in `daemon_core::custody`. It is never started by asking. An inhibition ends with our connection to the bus,
//! and is lost when ModemManager restarts.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use crate::transport::renew;
use daemon_core::custody::{Answer, Presence};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use zbus::fdo::{DBusProxy, NameOwnerChangedStream};
use zbus::names::{BusName, OwnedInterfaceName};
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant};

const NAME: &str = "org.freedesktop.ModemManager1";
const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
/// Time for one call; it may have to switch the modem off first.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where libmbim's proxy listens.
const PROXY: &str = " @mbim-proxy";
/// From this `MMModemState` on a modem is being connected, connected, or being disconnected.
const CONNECTING: i32 = 9;

#[zbus::proxy(
    interface = "org.freedesktop.ModemManager1",
    default_service = "org.freedesktop.ModemManager1",
    default_path = "/org/freedesktop/ModemManager1"
)]
trait Daemon {
    #[zbus(no_autostart)]
    fn inhibit_device(&self, uid: &str, inhibit: bool) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.freedesktop.DBus.ObjectManager",
    default_service = "org.freedesktop.ModemManager1",
    default_path = "/org/freedesktop/ModemManager1"
)]
trait List {
    #[zbus(no_autostart)]
    fn get_managed_objects(&self) -> zbus::Result<Objects>;
}

type Objects = HashMap<OwnedObjectPath, HashMap<OwnedInterfaceName, HashMap<String, OwnedVariant>>>;
type Call = Pin<Box<dyn Future<Output = Option<News>> + Send>>;

/// What is heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It has come or gone; what it granted before holds no longer.
    Presence(Presence),
    /// It answered.
    Answer {
        /// The device, as asked for.
        uid: String,
        /// What it said.
        answer: Answer,
    },
}

/// The way to it.
pub(crate) struct ModemManager {
    bus: Option<Connection>,
    run_dir: PathBuf,
    owners: Option<NameOwnerChangedStream>,
    presence: Presence,
    told: watch::Sender<Presence>,
    calls: FuturesUnordered<Call>,
    /// Devices that it leaves; asked twice it would refuse.
    granted: BTreeSet<String>,
}

impl std::fmt::Debug for ModemManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModemManager").field("presence", &self.presence).finish_non_exhaustive()
    }
}

impl ModemManager {
    /// Follows it on this bus; without one, or where the bus does not tell, it counts as absent. `run_dir`: where it is noted
    /// that a port is being made anew.
    pub(crate) async fn follow(bus: Option<Connection>, run_dir: &Path) -> Self {
        let (told, _) = watch::channel(Presence::Absent);
        let mut this = Self {
            bus,
            run_dir: run_dir.to_owned(),
            owners: None,
            presence: Presence::Absent,
            told,
            calls: FuturesUnordered::new(),
            granted: BTreeSet::new(),
        };
        let Some(bus) = &this.bus else { return this };
        match owner_changes(bus).await {
            Ok((owners, here)) => {
                this.owners = Some(owners);
                this.presence = if here { Presence::Here } else { Presence::Absent };
            }
            Err(error) => tracing::warn!(%error, "the bus does not tell whether ModemManager runs; taken for absent"),
        }
        this.told.send_replace(this.presence);
        this
    }

    /// Whether it runs.
    pub(crate) fn presence(&self) -> Presence {
        self.presence
    }

    /// Whether it runs, for others to follow.
    pub(crate) fn followed(&self) -> watch::Receiver<Presence> {
        self.told.subscribe()
    }

    /// The bus that it is on.
    pub(crate) fn bus(&self) -> Option<Connection> {
        self.bus.clone()
    }

    /// Asks it to leave a device. `politely`: not where it connects with it. `reserved`: a rule of udev keeps it off ports
    /// that come.
    pub(crate) fn ask(&mut self, uid: String, politely: bool, reserved: bool) {
        let Some(bus) = self.bus.clone() else { return };
        if self.granted.contains(&uid) {
            return self.calls.push(Box::pin(async { Some(News::Answer { uid, answer: Answer::Granted }) }));
        }
        let run_dir = self.run_dir.clone();
        self.calls.push(Box::pin(async move {
            let answer = match tokio::time::timeout(PATIENCE, inhibit(&bus, &uid, run_dir, politely, reserved)).await {
                Ok(answer) => answer,
                Err(_) => Answer::Failed,
            };
            Some(News::Answer { uid, answer })
        }));
    }

    /// Gives the control port of a device that is ours a fresh node. `folder`: the device in sysfs; `reserved` as in
    /// [`Self::ask`].
    pub(crate) fn renew(
        &self,
        uid: &str,
        folder: PathBuf,
        reserved: bool,
    ) -> impl Future<Output = std::io::Result<()>> + Send + use<> {
        let inhibited = reserved && self.granted.contains(uid);
        fresh_node(
            folder,
            self.run_dir.clone(),
            self.bus.clone().filter(|_| inhibited).map(|bus| (bus, uid.to_owned())),
        )
    }

    /// Gives a device back to it.
    pub(crate) fn give_back(&mut self, uid: String) {
        let Some(bus) = self.bus.clone() else { return };
        self.granted.remove(&uid);
        self.calls.push(Box::pin(async move {
            release(&bus, &uid).await;
            None
        }));
    }

    /// The next thing that is heard. Safe to drop.
    pub(crate) async fn next(&mut self) -> News {
        loop {
            let owners = &mut self.owners;
            let changed = async {
                match owners {
                    Some(owners) => owners.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changed => match changed {
                    Some(signal) => {
                        let here = signal.args().is_ok_and(|args| args.new_owner().is_some());
                        self.presence = if here { Presence::Here } else { Presence::Absent };
                        self.granted.clear();
                        self.told.send_replace(self.presence);
                        return News::Presence(self.presence);
                    }
                    // The connection is gone; the daemon ends for that.
                    None => self.owners = None,
                },
                Some(news) = self.calls.next(), if !self.calls.is_empty() => {
                    if let Some(news) = news {
                        if let News::Answer { uid, answer: Answer::Granted } = &news {
                            self.granted.insert(uid.clone());
                        }
                        return news;
                    }
                }
            }
        }
    }
}

async fn owner_changes(bus: &Connection) -> zbus::Result<(NameOwnerChangedStream, bool)> {
    let proxy = DBusProxy::new(bus).await?;
    let owners = proxy.receive_name_owner_changed_with_args(&[(0, NAME)]).await?;
    let here = proxy.name_has_owner(BusName::try_from(NAME)?).await?;
    Ok((owners, here))
}

async fn inhibit(bus: &Connection, uid: &str, run_dir: PathBuf, politely: bool, reserved: bool) -> Answer {
    if politely && uses(bus, uid).await {
        return Answer::InUse;
    }
    let asked = async { DaemonProxy::new(bus).await?.inhibit_device(uid, true).await };
    match asked.await {
        Ok(()) => {
            unshare(bus, uid, run_dir, reserved).await;
            Answer::Granted
        }
        Err(error) => {
            let answer = reading(&error);
            tracing::debug!(%error, uid, ?answer, "ModemManager does not leave the device");
            answer
        }
    }
}

/// ModemManager speaks MBIM through libmbim's proxy, which keeps a port open after its last client has gone, for minutes or
/// for as long as it has others, and reads what is said to us. A fresh node is one that it does not have. `reserved`: a rule
/// of udev keeps ModemManager off that one; the inhibition is given back while there is none, as its end would make a modem
/// of all ports that came meanwhile, whatever the rules say.
async fn unshare(bus: &Connection, uid: &str, run_dir: PathBuf, reserved: bool) {
    let sockets = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    if !sockets.lines().any(|line| line.ends_with(PROXY)) {
        return;
    }
    let release = reserved.then(|| (bus.clone(), uid.to_owned()));
    match fresh_node(PathBuf::from(uid), run_dir, release).await {
        Ok(()) => tracing::info!(uid, reserved, "a fresh node, as mbim-proxy may still have the old one open"),
        Err(error) => tracing::warn!(
            %error, uid,
            "mbim-proxy may have the control port open and read its answers; end it if the modem seems dumb"
        ),
    }
}

/// Has the driver of the device with this folder taken off and put back ([`renew`]). `release`: what ModemManager is given back
/// while there is no node.
async fn fresh_node(folder: PathBuf, run_dir: PathBuf, release: Option<(Connection, String)>) -> std::io::Result<()> {
    let begun = tokio::task::spawn_blocking(move || renew::begin(&folder, &run_dir)).await;
    let renewal = begun.unwrap_or_else(|error| Err(std::io::Error::other(error)))?;
    if let Some((bus, uid)) = release {
        self::release(&bus, &uid).await;
    }
    tokio::task::spawn_blocking(move || drop(renewal)).await.map_err(std::io::Error::other)
}

async fn release(bus: &Connection, uid: &str) {
    let call = async { DaemonProxy::new(bus).await?.inhibit_device(uid, false).await };
    if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, call).await {
        tracing::debug!(%error, uid, "ModemManager does not take the device back");
    }
}

/// What an error means.
fn reading(error: &zbus::Error) -> Answer {
    let name = match error {
        zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
        // Those of the bus itself.
        zbus::Error::FDO(error) => zbus::DBusError::name(&**error).as_str().to_owned(),
        _ => return Answer::Failed,
    };
    match name.as_str() {
        // It has ports of the device and has not made a modem of them: not yet, or never, as for want of a control port.
        // It went while it was asked; that it is gone is told apart from this.
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.ModemManager1.Error.Core.NotFound"
        | "org.freedesktop.ModemManager1.Error.Core.WrongState" => Answer::NotKnown,
        "org.freedesktop.ModemManager1.Error.Core.Unauthorized"
        | "org.freedesktop.DBus.Error.AccessDenied"
        | "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" => Answer::NotAllowed,
        _ => Answer::Failed,
    }
}

/// Whether it connects with the device. What it does not tell counts as no.
async fn uses(bus: &Connection, uid: &str) -> bool {
    let asked = async { ListProxy::new(bus).await?.get_managed_objects().await };
    let Ok(objects) = asked.await else { return false };
    objects.values().filter_map(|interfaces| interfaces.iter().find(|(name, _)| name.as_str() == MODEM)).any(
        |(_, modem)| {
            let device =
                modem.get("Device").is_some_and(|value| matches!(&**value, Variant::Str(text) if text.as_str() == uid));
            let state = match modem.get("State").map(|value| &**value) {
                Some(Variant::I32(state)) => *state,
                _ => 0,
            };
            device && state >= CONNECTING
        },
    )
}

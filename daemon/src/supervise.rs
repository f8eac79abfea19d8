//! Which modems there are: those named on the command line, or all that the machine announces. Each gets a task; who
//! wants to know follows the list.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::modem::{ModemConfig, NetworkMode, ProbePolicy};
use daemon_core::request::Request;
use daemon_core::snapshot::{Port, Snapshot};
use daemon_core::subscriber::Settings;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::actor::modem::{self, Ended, Setup};
use crate::config::{Config, Network};
use crate::handle::ModemHandle;
use crate::host::http::Url;
use crate::host::leftovers::{Leftovers, Place};
use crate::host::link::Link;
use crate::host::probe::Targets;
use crate::host::resolver::Resolver;
use crate::host::uevent::{Announced, Found, Roots, Uevents};
use crate::store::Store;
use crate::transport::USBFS;
use crate::transport::open::{self, Kind, Spec};
#[cfg(feature = "usb")]
use crate::transport::usb;

/// First pause before a port that cannot be opened is tried again; a socket's absence costs this much delay at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest such pause for a socket.
const SOCKET_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause for a device node: the machine announces those.
const NODE_PAUSE: Duration = Duration::from_secs(30);
/// Time that a kernel driver may need to be loaded before a device is used without.
#[cfg(feature = "usb")]
const LOADING: Duration = Duration::from_secs(3);
/// Times that a data interface which is not there, or not named yet, is waited for, [`FIRST_PAUSE`] each.
const INTERFACE_TRIES: u32 = 10;
/// Requests that wait for one modem.
const REQUESTS: usize = 16;
/// Time that a modem has to disconnect and close when the daemon stops.
const STOP: Duration = Duration::from_secs(8);
/// Time in which a modem that the last run left has to be found again.
const CLAIM: Duration = Duration::from_secs(10);
/// Time that its task has to end after that.
const END: Duration = Duration::from_secs(6);

/// What all modems share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Configuration.
    pub(crate) config: Config,
    /// Run directory.
    pub(crate) run_dir: std::path::PathBuf,
    /// Files.
    pub(crate) store: Store,
    /// Who is told of DNS servers.
    pub(crate) resolver: Resolver,
    /// The machine's radio switch.
    pub(crate) rfkill: watch::Receiver<bool>,
    /// Start of all clocks.
    pub(crate) start: Instant,
}

/// How the daemon ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing stays behind.
    Stop,
    /// Another run follows at once: what is up stays up.
    Restart,
}

/// One place where a modem may be.
#[derive(Debug)]
struct Slot {
    spec: Spec,
    found: Option<Found>,
    /// Named on the command line: it is waited for for ever.
    named: bool,
    /// Number of the modem that is there.
    modem: Option<u32>,
    pause: Duration,
    next_try: Option<Instant>,
    /// Times left to wait for the interface beside the port.
    patience: u32,
    /// What the last try failed with; told once.
    told: Option<std::io::ErrorKind>,
}

/// The way to the supervisor's task.
#[derive(Debug)]
pub(crate) struct Supervisor {
    stop: oneshot::Sender<Ending>,
    task: tokio::task::JoinHandle<()>,
}

impl Supervisor {
    /// Starts it. `named`: the command line's devices; empty = everything that the machine announces. `shown`: where the
    /// list of modems is published. `leftovers`: what the last run left.
    pub(crate) fn start(
        shared: Arc<Shared>,
        leftovers: Leftovers,
        named: Vec<Spec>,
        roots: Roots,
        shown: watch::Sender<Vec<ModemHandle>>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(Task::new(shared, leftovers, named, roots, shown).run(stopped));
        Self { stop, task }
    }

    /// Stops all modems, or leaves them, and waits until nothing is left of their tasks.
    pub(crate) async fn stop(self, ending: Ending) {
        // An error means that the task has ended already.
        let _ = self.stop.send(ending);
        if self.task.await.is_err() {
            tracing::error!("the supervisor ended before its time");
        }
    }
}

struct Task {
    shared: Arc<Shared>,
    leftovers: Leftovers,
    /// When those that nobody claimed are given up.
    give_up: Option<Instant>,
    targets: Option<Arc<Targets>>,
    roots: Roots,
    slots: Vec<Slot>,
    hotplug: bool,
    shown: watch::Sender<Vec<ModemHandle>>,
    tasks: JoinSet<(u32, Ended)>,
    let_go: BTreeMap<u32, watch::Sender<bool>>,
    next_id: u32,
}

impl Task {
    fn new(
        shared: Arc<Shared>,
        leftovers: Leftovers,
        named: Vec<Spec>,
        roots: Roots,
        shown: watch::Sender<Vec<ModemHandle>>,
    ) -> Self {
        let hotplug = named.is_empty();
        let slots = named.into_iter().map(|spec| Slot::new(spec, None, true)).collect();
        let targets = targets(&shared.config).map(Arc::new);
        let give_up = (!leftovers.is_empty()).then(|| Instant::now() + CLAIM);
        Self {
            shared,
            leftovers,
            give_up,
            targets,
            roots,
            slots,
            hotplug,
            shown,
            tasks: JoinSet::new(),
            let_go: BTreeMap::new(),
            next_id: 0,
        }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<Ending>) {
        let uevents = if self.hotplug || self.slots.iter().any(|slot| slot.spec.kind != Kind::Unix) {
            Uevents::open(self.roots.clone())
                .inspect_err(|error| tracing::warn!(%error, "the machine's announcements cannot be heard"))
                .ok()
        } else {
            None
        };
        self.look_around();
        let ending = loop {
            self.try_to_open().await;
            let next = self.slots.iter().filter_map(|slot| slot.next_try).min();
            tokio::select! {
                announced = announcement(uevents.as_ref()) => self.announced(announced),
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => self.ended(ended),
                () = sleep_until(next) => {}
                () = sleep_until(self.give_up) => {
                    self.give_up = None;
                    self.leftovers.give_up(&self.shared.run_dir, &self.shared.resolver).await;
                }
                ending = &mut stopped => break ending.unwrap_or(Ending::Stop),
            }
        };
        self.stop(ending).await;
    }

    /// Everything that sysfs has.
    fn look_around(&mut self) {
        for found in self.roots.present() {
            self.announced(Announced::Here(found));
        }
        #[cfg(feature = "usb")]
        self.look_for_unasked();
    }

    /// Modems that are to be used over USB without being named, and named ones that may be there now.
    #[cfg(feature = "usb")]
    fn look_for_unasked(&mut self) {
        for slot in
            self.slots.iter_mut().filter(|slot| slot.named && slot.spec.kind == Kind::Usb && slot.modem.is_none())
        {
            slot.soon();
        }
        if !self.hotplug {
            return;
        }
        for found in usb::find::unasked(&self.roots.sys, &self.roots.udev) {
            let Ok(spec) = Spec::parse(&format!("usb:{}", found.name)) else { continue };
            if self.slots.iter().any(|slot| slot.spec.path == spec.path) {
                continue;
            }
            tracing::info!(port = %spec, detach = found.detach, "an MBIM function for user-space USB");
            let mut slot = Slot::new(Spec { detach: found.detach, ..spec }, None, false);
            // A driver that is still being loaded comes first.
            slot.next_try = Some(Instant::now() + LOADING);
            self.slots.push(slot);
        }
    }

    fn announced(&mut self, announced: Announced) {
        match announced {
            Announced::Lost => self.look_around(),
            #[cfg(feature = "usb")]
            Announced::Here(found) if usb::find::is_given(Path::new(&found.physical), &self.roots.udev) => {
                tracing::debug!(port = %found.spec, "a udev rule gives the device to user-space USB");
            }
            Announced::Here(found) => {
                let at = self.slots.iter().position(|slot| slot.spec.path == found.spec.path);
                match at.and_then(|at| self.slots.get_mut(at)) {
                    Some(slot) if slot.modem.is_none() => {
                        slot.found = Some(found);
                        slot.soon();
                    }
                    Some(_) => {}
                    None if self.hotplug => {
                        tracing::info!(port = %found.spec, driver = found.driver, interface = ?found.spec.net, "announced");
                        let spec = Spec { net: None, ..found.spec.clone() };
                        self.slots.push(Slot::new(spec, Some(found), false));
                    }
                    None => {}
                }
            }
            // The task sees the hang-up by itself; a place that was only waiting has no more to wait for.
            Announced::Gone(path) => {
                self.slots.retain(|slot| slot.named || slot.modem.is_some() || slot.spec.path != path)
            }
        }
    }

    async fn try_to_open(&mut self) {
        let now = Instant::now();
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(at) else { continue };
            if slot.modem.is_some() || slot.next_try.is_none_or(|due| due > now) {
                continue;
            }
            if slot.waits_for_interface(&self.roots) {
                continue;
            }
            match open::open(&slot.spec).await {
                Ok(port) => self.begin(at, port),
                Err(error) => slot.failed(&error),
            }
        }
        self.slots.retain(|slot| slot.named || slot.modem.is_some() || slot.next_try.is_some());
    }

    fn begin(&mut self, at: usize, port: crate::transport::Port) {
        let id = self.next_id;
        let Some(slot) = self.slots.get_mut(at) else { return };
        let interfaces = port.interfaces(slot.spec.net.as_deref());
        if let Some(seen) = port.seen() {
            let net = interfaces.of(0).unwrap_or_else(|error| {
                tracing::warn!(port = %slot.spec, %error, "no interface can be made (is the tun module there?)");
                None
            });
            slot.spec.outstanding = seen.outstanding;
            let spec = Spec { net, ..slot.spec.clone() };
            slot.found = Some(Found { spec, driver: seen.driver.into(), usb: Some(seen.usb), physical: seen.physical });
        } else if slot.found.is_none() && slot.spec.kind != Kind::Unix {
            slot.found = slot.spec.path.file_name().and_then(|name| self.roots.look(name.to_str()?));
        }
        self.next_id += 1;
        slot.modem = Some(id);
        slot.next_try = None;
        let described = slot.describe();
        let interface = described.interface.clone();
        tracing::info!(modem = id, port = described.control, interface = ?interface, "plugged");
        if interface.is_none() {
            tracing::info!(modem = id, "no data interface: control only");
        }
        let (spec, shared) = (slot.spec.clone(), &self.shared);
        let mut rfkill = shared.rfkill.clone();
        let blocked = *rfkill.borrow_and_update();
        let config = machine_config(&shared.config, described.clone(), &spec, port.max_control(), blocked);
        let place = Place::new(&shared.run_dir, &described.physical, interface.as_deref());
        let (kept, ledger) = self.leftovers.claim(&described.physical, interface.as_deref());
        let mut link = interface.filter(|_| shared.config.network == Network::Standalone).map(|interface| {
            Link::new(interface, shared.config.route_metric, &shared.run_dir, shared.resolver.clone())
        });
        if let (Some(link), Some(ledger)) = (&mut link, ledger) {
            link.adopt(ledger);
        }
        let (requests, asked) = mpsc::channel(REQUESTS);
        let (shown, snapshot) = watch::channel(Arc::new(Snapshot { port: described, ..Snapshot::default() }));
        let (let_go, letting_go) = watch::channel(false);
        let setup = Setup {
            id,
            spec,
            port,
            config,
            link,
            kept,
            place,
            interfaces,
            store: shared.store.clone(),
            targets: self.targets.clone(),
            rfkill,
            requests: asked,
            shown,
            let_go: letting_go,
            start: shared.start,
        };
        self.let_go.insert(id, let_go);
        self.tasks.spawn(async move { (id, modem::run(setup).await) });
        self.shown.send_modify(|list| list.push(ModemHandle { id, snapshot, requests }));
    }

    fn ended(&mut self, ended: Result<(u32, Ended), tokio::task::JoinError>) {
        // A task that panicked takes the daemon with it (release builds abort); nothing is known of its modem.
        let Ok((id, why)) = ended else { return };
        tracing::info!(modem = id, ended = ?why, "unplugged");
        self.let_go.remove(&id);
        self.shown.send_modify(|list| list.retain(|modem| modem.id != id));
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.modem == Some(id)) else { return };
        slot.modem = None;
        slot.found = None;
        match why {
            // A node may stay through a reset; a socket may be listened to again.
            Ended::Gone => slot.later(),
            Ended::Stopped | Ended::Left => {}
        }
    }

    async fn stop(mut self, ending: Ending) {
        let handles = self.shown.borrow().clone();
        let mut stops = JoinSet::new();
        for handle in handles {
            // Interfaces of user-space USB go with the process: there is nothing that could be taken over.
            let lasting = handle.snapshot.borrow().port.driver != USBFS;
            let request = match ending {
                Ending::Restart if lasting => Request::Leave,
                Ending::Stop | Ending::Restart => Request::Stop,
            };
            stops.spawn(async move { tokio::time::timeout(STOP, handle.request(request)).await.is_ok() });
        }
        if ending == Ending::Stop {
            self.leftovers.give_up(&self.shared.run_dir, &self.shared.resolver).await;
        }
        while let Some(stopped) = stops.join_next().await {
            if !stopped.unwrap_or(false) {
                tracing::warn!("a modem did not stop in time and is let go as it is");
            }
        }
        for let_go in self.let_go.values() {
            let_go.send_replace(true);
        }
        let deadline = Instant::now() + END;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await {
            self.ended(ended);
        }
        self.tasks.shutdown().await;
        self.shown.send_replace(Vec::new());
    }
}

impl Slot {
    fn new(spec: Spec, found: Option<Found>, named: bool) -> Self {
        Self {
            spec,
            found,
            named,
            modem: None,
            pause: FIRST_PAUSE,
            next_try: Some(Instant::now()),
            patience: INTERFACE_TRIES,
            told: None,
        }
    }

    /// The interface comes a moment after the control port and may get its name later still; opening now would make
    /// the modem one for control only.
    fn waits_for_interface(&mut self, roots: &Roots) -> bool {
        if matches!(self.spec.kind, Kind::Unix | Kind::Usb) || self.spec.net.is_some() || self.patience == 0 {
            return false;
        }
        self.found = self.spec.path.file_name().and_then(|name| roots.look(name.to_str()?));
        let settled =
            self.found.as_ref().is_none_or(|found| found.spec.net.as_ref().is_some_and(|net| roots.is_named(net)));
        if !settled {
            self.patience -= 1;
            self.next_try = Some(Instant::now() + FIRST_PAUSE);
        }
        !settled
    }

    fn soon(&mut self) {
        self.pause = FIRST_PAUSE;
        self.next_try = Some(Instant::now());
    }

    fn later(&mut self) {
        self.told = None;
        self.patience = INTERFACE_TRIES;
        self.pause = FIRST_PAUSE;
        self.next_try = Some(Instant::now() + FIRST_PAUSE);
    }

    fn failed(&mut self, error: &std::io::Error) {
        let absent = matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused);
        if self.told.replace(error.kind()) != Some(error.kind()) {
            if absent {
                tracing::debug!(port = %self.spec, %error, "not there yet");
            } else {
                tracing::warn!(port = %self.spec, %error, "cannot be opened; tried again until it can");
            }
        }
        // A driver came, or another program: it was only for want of those that it was looked at.
        let taken =
            self.spec.kind == Kind::Usb && !self.spec.detach && error.kind() == std::io::ErrorKind::ResourceBusy;
        if (absent || taken) && !self.named {
            self.next_try = None;
            return;
        }
        self.next_try = Some(Instant::now() + self.pause);
        let longest = if self.spec.kind == Kind::Unix { SOCKET_PAUSE } else { NODE_PAUSE };
        self.pause = self.pause.saturating_mul(2).min(longest);
    }

    /// The port as the snapshot shows it.
    fn describe(&self) -> Port {
        let found = self.found.as_ref();
        Port {
            control: self.spec.to_string(),
            interface: match self.spec.kind {
                // There it is the name of one that is still to be made.
                Kind::Usb => None,
                Kind::Wdm | Kind::Wwan | Kind::Unix => self.spec.net.clone(),
            }
            .or_else(|| found.and_then(|found| found.spec.net.clone())),
            driver: found.map(|found| found.driver.clone()).unwrap_or_default(),
            usb: found.and_then(|found| found.usb),
            physical: found.map_or_else(|| self.spec.to_string(), |found| found.physical.clone()),
            trouble: None,
        }
    }
}

async fn announcement(uevents: Option<&Uevents>) -> Announced {
    if let Some(uevents) = uevents {
        match uevents.next().await {
            Ok(announced) => return announced,
            Err(error) => tracing::error!(%error, "the machine's announcements cannot be heard any more"),
        }
    }
    std::future::pending().await
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What probes ask; `None` = no testing.
fn targets(config: &Config) -> Option<Targets> {
    let http = config.probe.http.as_deref().and_then(Url::parse)?;
    let https = config.probe.https.as_deref().and_then(Url::parse);
    Some(Targets { http, https, body: config.probe.body.clone(), ca: config.probe.ca.clone() })
}

fn machine_config(config: &Config, port: Port, spec: &Spec, max_control: u32, blocked: bool) -> ModemConfig {
    let mut seed = [0; 8];
    // Without randomness all machines retry in step, which is no reason not to work.
    let _ = rustix::rand::getrandom(&mut seed[..], rustix::rand::GetRandomFlags::NONBLOCK);
    ModemConfig {
        outstanding: spec.outstanding,
        max_control,
        network: match config.network {
            Network::Standalone => NetworkMode::Standalone,
            Network::External => NetworkMode::External,
        },
        defaults: Settings { autoconnect: config.autoconnect, roaming: config.roaming, ..Settings::default() },
        probe: ProbePolicy {
            enabled: config.probe.http.is_some(),
            daily_budget: config.probe.daily_budget,
            roaming_budget: config.probe.roaming_budget,
            ..ProbePolicy::default()
        },
        // Packets of user-space USB pass through this process.
        survives: spec.kind != Kind::Usb,
        blocked,
        seed: u64::from_ne_bytes(seed),
        ..ModemConfig::new(port)
    }
}

/// Makes the run directory and keeps others from using it for as long as the answer lives: a second daemon would take
/// away what the first one set.
pub(crate) fn hold_run_dir(run_dir: &Path) -> std::io::Result<std::fs::File> {
    crate::store::atomic::make_folder(run_dir, 0o755)?;
    let lock = std::fs::File::options().create(true).append(true).open(run_dir.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(std::io::Error::new(std::io::ErrorKind::ResourceBusy, "another mbimd is using it"))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests;

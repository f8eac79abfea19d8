//! Which modems there are: those named on the command line, or all that the machine announces. Each gets a task; who
//! wants to know follows the list.

mod opening;
mod place;
mod renewing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::custody::{Answer, Marks, Presence, Tag, Verdict, is_same};
use daemon_core::modem::{ModemConfig, NetworkMode, ProbePolicy};
use daemon_core::request::Request;
use daemon_core::snapshot::{Port, Reason, Snapshot};
use daemon_core::subscriber::Settings;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::actor::modem::{self, Ended, Setup};
use crate::actor::standin::{self, Ends};
use crate::config::{Config, Network};
use crate::handle::ModemHandle;
use crate::host::http::Url;
use crate::host::leftovers::{Leftovers, Place};
use crate::host::link::Link;
use crate::host::modemmanager::{ModemManager, News};
use crate::host::networkmanager;
use crate::host::probe::Targets;
use crate::host::resolver::Resolver;
use crate::host::uevent::{Announced, Roots, Uevents};
use crate::store::Store;
use crate::transport::USBFS;
use crate::transport::open::{Kind, Spec};
#[cfg(feature = "usb")]
use crate::transport::usb;
use opening::Opened;
use place::{At, Slot};
use renewing::{Renewals, Renewed};

/// Time that a kernel driver may need to be loaded before a device is used without.
#[cfg(feature = "usb")]
const LOADING: Duration = Duration::from_secs(3);
/// Requests that wait for one modem.
const REQUESTS: usize = 16;
/// Orders of the proxy's clients that wait for one modem.
const GUESTS: usize = 64;
/// Readers of its traffic that may wait.
const TRACERS: usize = 4;
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

/// The way to the supervisor's task.
#[derive(Debug)]
pub(crate) struct Supervisor {
    stop: oneshot::Sender<Ending>,
    task: tokio::task::JoinHandle<()>,
}

impl Supervisor {
    /// Starts it. `named`: the command line's devices; empty = everything that the machine announces. `leftovers`:
    /// what the last run left. `neighbour`: who else may want them. `shown`: where the list of modems is published.
    pub(crate) fn start(
        shared: Arc<Shared>,
        leftovers: Leftovers,
        named: Vec<Spec>,
        roots: Roots,
        neighbour: ModemManager,
        shown: watch::Sender<Vec<ModemHandle>>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(Task::new(shared, leftovers, named, roots, neighbour, shown).run(stopped));
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

/// Who left an object.
enum Left {
    Owner(Ended, Ends),
    StandIn(Ends),
}

struct Task {
    shared: Arc<Shared>,
    leftovers: Leftovers,
    /// When those that nobody claimed are given up.
    give_up: Option<Instant>,
    targets: Option<Arc<Targets>>,
    roots: Roots,
    neighbour: ModemManager,
    slots: Vec<Slot>,
    hotplug: bool,
    shown: watch::Sender<Vec<ModemHandle>>,
    tasks: JoinSet<(u32, Left)>,
    openings: JoinSet<Opened>,
    let_go: BTreeMap<u32, watch::Sender<bool>>,
    next_id: u32,
    /// Interfaces that are being given back to NetworkManager, and ports that are not wanted any more.
    farewells: JoinSet<()>,
    /// Control ports that are being made anew.
    renewing: JoinSet<Renewed>,
    renewals: Renewals,
    /// The daemon ends: nobody stands in for anybody.
    stopping: bool,
}

impl Task {
    fn new(
        shared: Arc<Shared>,
        leftovers: Leftovers,
        named: Vec<Spec>,
        roots: Roots,
        neighbour: ModemManager,
        shown: watch::Sender<Vec<ModemHandle>>,
    ) -> Self {
        let hotplug = named.is_empty();
        let slots = named.into_iter().map(|spec| Slot::new(spec, None, true)).collect();
        let targets = targets(&shared.config, shared.store.folder().into()).map(Arc::new);
        let give_up = (!leftovers.is_empty()).then(|| Instant::now() + CLAIM);
        Self {
            shared,
            leftovers,
            give_up,
            targets,
            roots,
            neighbour,
            slots,
            hotplug,
            shown,
            tasks: JoinSet::new(),
            openings: JoinSet::new(),
            let_go: BTreeMap::new(),
            next_id: 0,
            farewells: JoinSet::new(),
            renewing: JoinSet::new(),
            renewals: Renewals::default(),
            stopping: false,
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
            while self.farewells.try_join_next().is_some() {}
            self.overdue();
            self.try_to_open();
            let times = |slot: &Slot| {
                [slot.next_try.filter(|_| !slot.opening), slot.ask_at, slot.absent_until].into_iter().flatten().min()
            };
            let next = self.slots.iter().filter_map(times).min();
            tokio::select! {
                announced = announcement(uevents.as_ref()) => self.announced(announced),
                Some(left) = self.tasks.join_next(), if !self.tasks.is_empty() => self.left(left),
                Some(opened) = self.openings.join_next(), if !self.openings.is_empty() => self.opened(opened),
                Some(renewed) = self.renewing.join_next(), if !self.renewing.is_empty() => self.renewed(renewed),
                news = self.neighbour.next() => self.heard(news),
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
        let places = usb::find::devices(&self.roots.sys);
        for slot in self.slots.iter_mut().filter(|slot| slot.spec.kind == Kind::Usb && slot.at != At::Owner) {
            let which = slot.spec.path.to_str().and_then(usb::find::Which::parse);
            if slot.may_have_changed(which.is_some_and(|which| places.iter().any(|place| place.is(&which)))) {
                slot.soon();
            }
        }
        if !self.hotplug {
            return;
        }
        for found in usb::find::unasked(&self.roots.sys, &self.roots.udev) {
            let Ok(spec) = Spec::parse(&format!("usb:{}", found.name)) else { continue };
            if let Some(slot) = self.slots.iter_mut().find(|slot| slot.spec.path == spec.path) {
                // Rules may have changed.
                (slot.spec.detach, slot.given) = (found.detach, found.given);
                slot.free();
                continue;
            }
            tracing::info!(port = %spec, detach = found.detach, "an MBIM function for user-space USB");
            let mut slot = Slot::new(Spec { detach: found.detach, ..spec }, None, false);
            // A driver that is still being loaded comes first.
            slot.next_try = Some(Instant::now() + if found.given { Duration::ZERO } else { LOADING });
            slot.given = found.given;
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
                let marks = Marks { physical: found.physical.clone(), usb: found.usb, serial: found.serial.clone() };
                let back = |slot: &Slot| slot.is_absent() && is_same(&slot.marks, &marks);
                let here = |slot: &Slot| !slot.is_absent() && slot.spec.path == found.spec.path;
                let at = self.slots.iter().position(back).or_else(|| self.slots.iter().position(here));
                match at.and_then(|at| self.slots.get_mut(at)) {
                    Some(slot) if slot.at != At::Owner => {
                        if !slot.named {
                            slot.spec.path.clone_from(&found.spec.path);
                        }
                        slot.found = Some(found);
                        slot.soon();
                    }
                    Some(slot) => {
                        // Rules may have changed.
                        slot.found = Some(found);
                        self.settle_all();
                    }
                    None if self.hotplug => {
                        tracing::info!(port = %found.spec, driver = found.driver, interface = ?found.spec.net, "announced");
                        let spec = Spec { net: None, ..found.spec.clone() };
                        self.slots.push(Slot::new(spec, Some(found), false));
                    }
                    None => {}
                }
            }
            // The owner sees the hang-up by itself; what was left alone may come back as what was held may.
            Announced::Gone(path) => {
                let grace = self.shared.config.absence;
                for slot in self.slots.iter_mut().filter(|slot| slot.spec.path == path && slot.at == At::StandIn) {
                    if slot.found.is_some() && slot.withheld.is_some() {
                        slot.marks = slot.seen();
                        slot.absent_until = (grace > Duration::ZERO).then(|| Instant::now() + grace);
                    }
                    (slot.withheld, slot.refused, slot.found) = (None, None, None);
                    if let Some(let_go) = slot.modem.and_then(|id| self.let_go.get(&id)) {
                        let_go.send_replace(true);
                    }
                }
                self.slots.retain(|slot| slot.named || slot.modem.is_some() || slot.spec.path != path);
            }
        }
    }

    /// What ModemManager does concerns every device.
    fn heard(&mut self, news: News) {
        match news {
            News::Presence(presence) => {
                tracing::info!(here = presence == Presence::Here, "ModemManager");
                self.slots.iter_mut().for_each(Slot::forget_answer);
            }
            News::Answer { uid, answer } => {
                for slot in self.slots.iter_mut().filter(|slot| slot.asked_for.as_ref() == Some(&uid)) {
                    slot.answered(answer);
                }
            }
        }
        self.settle_all();
    }

    fn settle_all(&mut self) {
        for at in 0..self.slots.len() {
            self.settle(at);
        }
    }

    /// Does what follows from whose the device is. Whether it may be opened.
    fn settle(&mut self, at: usize) -> bool {
        let (presence, policy) = (self.neighbour.presence(), self.shared.config.modemmanager);
        let Some(slot) = self.slots.get_mut(at) else { return false };
        if slot.is_absent() && slot.found.is_none() {
            // A node that is gone is announced when it comes; whoever has none is tried.
            let tried = slot.named || slot.spec.kind == Kind::Usb;
            if !tried {
                slot.next_try = None;
            }
            return tried;
        }
        match slot.judge(presence, policy) {
            Verdict::Take => {
                slot.free();
                return true;
            }
            Verdict::Ask => {
                let uid = slot.found.as_ref().map(|found| found.uid.clone()).unwrap_or_default();
                slot.answer = Answer::Pending;
                slot.asked_for = Some(uid.clone());
                let politely = slot.at != At::Owner;
                let reserved = slot.found.as_ref().is_some_and(|found| found.tag == Tag::Reserved);
                self.neighbour.ask(uid, politely, reserved);
            }
            Verdict::Wait => {}
            Verdict::Leave(reason) => self.withhold(at, reason),
        }
        if let Some(slot) = self.slots.get_mut(at) {
            slot.next_try = None;
        }
        false
    }

    /// Shows a device that is left to somebody else, with the reason; lets go of it where it is held.
    fn withhold(&mut self, at: usize, reason: Reason) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        if slot.withheld.as_ref() == Some(&reason) {
            return;
        }
        tracing::info!(port = %slot.spec, code = reason.code, "left alone: {}", reason.text);
        slot.withheld = Some(reason);
        slot.refused = None;
        slot.absent_until = None;
        match (slot.at, slot.modem) {
            (At::Owner, Some(id)) => {
                let handle = self.shown.borrow().iter().find(|modem| modem.id == id).cloned();
                if let Some(handle) = handle {
                    // What becomes of the order is seen when the task ends.
                    tokio::spawn(async move { handle.request(Request::Stop).await });
                }
            }
            // It ends, and another one with the new reason takes its place.
            (At::StandIn, Some(id)) => {
                if let Some(let_go) = self.let_go.get(&id) {
                    let_go.send_replace(true);
                }
            }
            _ => {
                let ends = self.object(at);
                self.stand_in(at, ends);
            }
        }
    }

    /// What was waited for long enough.
    fn overdue(&mut self) {
        let now = Instant::now();
        let mut settle = false;
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(at) else { continue };
            if slot.absent_until.take_if(|until| *until <= now).is_some() {
                self.part(at);
            }
            let Some(slot) = self.slots.get_mut(at) else { continue };
            if slot.ask_at.take_if(|at| *at <= now).is_some() {
                slot.answer = Answer::None;
                settle = true;
            }
        }
        if settle {
            self.settle_all();
        }
    }

    /// The object goes; what comes to the place later is another one.
    fn part(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        slot.at = At::Nobody;
        slot.refused = None;
        let id = slot.modem.take();
        let uid = slot.asked_for.take().filter(|_| slot.answer == Answer::Granted);
        slot.forget_answer();
        if let Some(uid) = uid {
            self.neighbour.give_back(uid);
        }
        // Who stands at it ends, and then it is gone from the list.
        if let Some(let_go) = id.and_then(|id| self.let_go.get(&id)) {
            let_go.send_replace(true);
        }
    }

    /// A new object, which is shown from now on.
    fn object(&mut self, at: usize) -> Ends {
        let id = self.next_id;
        self.next_id += 1;
        let described = self.slots.get_mut(at).map(|slot| {
            slot.modem = Some(id);
            slot.describe()
        });
        let (asking, requests) = mpsc::channel(REQUESTS);
        let (joining, guests) = mpsc::channel(GUESTS);
        let (reading, tracers) = mpsc::channel(TRACERS);
        let first = Snapshot { port: described.unwrap_or_default(), ..Snapshot::default() };
        let (shown, snapshot) = watch::channel(Arc::new(first));
        let handle = ModemHandle { id, snapshot, requests: asking, guests: joining, tracers: reading };
        self.shown.send_modify(|list| list.push(handle));
        Ends { requests, guests, tracers, shown, device: None, kept: None }
    }

    fn stand_in(&mut self, at: usize, ends: Ends) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let Some(id) = slot.modem else { return };
        slot.at = At::StandIn;
        let snapshot = slot.stand_in();
        let (let_go, letting_go) = watch::channel(false);
        self.let_go.insert(id, let_go);
        self.tasks.spawn(async move { (id, Left::StandIn(standin::run(ends, snapshot, letting_go).await)) });
    }

    fn begin(&mut self, at: usize, port: crate::transport::Port, ends: Ends) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let Some(id) = slot.modem else { return };
        slot.at = At::Owner;
        let interfaces = port.interfaces(slot.spec.net.as_deref());
        if let (Some(_), Some(found)) = (port.seen(), &mut slot.found) {
            found.spec.net = interfaces.of(0).unwrap_or_else(|error| {
                tracing::warn!(port = %found.spec, %error, "no interface can be made (is the tun module there?)");
                None
            });
        }
        slot.marks = slot.seen();
        let described = slot.describe();
        let interface = described.interface.clone();
        tracing::info!(modem = id, port = described.control, interface = ?interface, "plugged");
        if interface.is_none() {
            tracing::info!(modem = id, "no data interface: control only");
        }
        let (spec, shared) = (slot.spec.clone(), &self.shared);
        let mut rfkill = shared.rfkill.clone();
        let blocked = *rfkill.borrow_and_update();
        let config = ModemConfig {
            expected: ends.device.as_ref().map(|device| device.id.clone()),
            renewable: renewing::can(slot) && self.renewals.may(&described.physical),
            ..machine_config(&shared.config, described.clone(), &spec, &port, blocked)
        };
        let ours = interface.as_ref().filter(|_| slot.found.is_some() && shared.config.network == Network::Standalone);
        // It may be told already, for a modem that turned out to be another one than the object stood for.
        let told = slot.unmanaged.as_ref().map(|(interface, _)| interface);
        if let Some(interface) = ours.filter(|interface| told != Some(*interface)).cloned() {
            let (bus, name) = (self.neighbour.bus(), interface.clone());
            let told = tokio::spawn(async move { networkmanager::manage(bus, &name, false).await });
            slot.unmanaged = Some((interface, told));
        }
        let place = Place::new(&shared.run_dir, &described.physical, interface.as_deref());
        let (kept, ledgers) = self.leftovers.claim(&described.physical, interface.as_deref());
        let kept = kept.or_else(|| self.renewals.take(&described.physical));
        let mut link = interface.filter(|_| shared.config.network == Network::Standalone).map(|interface| {
            Link::new(interface, shared.config.route_metric, &shared.run_dir, shared.resolver.clone())
        });
        if let Some(link) = &mut link {
            ledgers.into_iter().for_each(|ledger| link.adopt(ledger));
        }
        ends.shown.send_replace(Arc::new(Snapshot { port: described, ..Snapshot::default() }));
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
            requests: ends.requests,
            guests: ends.guests,
            tracers: ends.tracers,
            shown: ends.shown,
            let_go: letting_go,
            start: shared.start,
        };
        self.let_go.insert(id, let_go);
        self.tasks.spawn(async move {
            let (ended, ends) = modem::run(setup).await;
            (id, Left::Owner(ended, ends))
        });
    }

    /// A task left an object: the next one takes its place, or the object goes.
    fn left(&mut self, left: Result<(u32, Left), tokio::task::JoinError>) {
        // A task that panicked takes the daemon with it (release builds abort); nothing is known of its modem.
        let Ok((id, left)) = left else { return };
        self.let_go.remove(&id);
        let at = self.slots.iter().position(|slot| slot.modem == Some(id));
        let Some((at, slot)) = at.and_then(|at| Some((at, self.slots.get_mut(at)?))) else { return self.remove(id) };
        let ends = match left {
            Left::StandIn(ends) => ends,
            Left::Owner(why, mut ends) => {
                if why == Ended::Other {
                    tracing::info!(modem = id, "another modem is at its place and gets an object of its own");
                    (slot.modem, slot.device, slot.at) = (None, None, At::Nobody);
                    slot.soon();
                    return self.remove(id);
                }
                tracing::info!(modem = id, ended = ?why, "unplugged");
                if let Some((interface, told)) = slot.unmanaged.take() {
                    let bus = self.neighbour.bus();
                    self.farewells.spawn(async move {
                        if told.await.unwrap_or(false) {
                            networkmanager::manage(bus, &interface, true).await;
                        }
                    });
                }
                let grace = self.shared.config.absence;
                match why {
                    Ended::Gone => {
                        slot.device.clone_from(&ends.device);
                        slot.found = None;
                        slot.absent_until = (grace > Duration::ZERO).then(|| Instant::now() + grace);
                        // A node may stay through a reset; a socket may be listened to again.
                        slot.later();
                    }
                    // By ourselves, so that the object stays in any case.
                    Ended::Renew if !self.stopping => {
                        ends.device = ends.device.or_else(|| slot.device.take());
                        slot.device.clone_from(&ends.device);
                        slot.absent_until = Some(Instant::now() + grace.max(renewing::BACK));
                        let kept = ends.kept.take();
                        self.renew(at, kept);
                        if let Some(slot) = self.slots.get_mut(at) {
                            slot.found = None;
                            slot.later();
                            slot.next_try = Some(Instant::now() + renewing::PAUSE);
                        }
                    }
                    Ended::Renew | Ended::Other | Ended::Stopped | Ended::Left => {}
                }
                ends
            }
        };
        let Some(slot) = self.slots.get_mut(at) else { return self.remove(id) };
        slot.at = At::Nobody;
        if let Some(port) = slot.opened.take() {
            self.begin(at, port, ends);
        } else if !self.stopping && (slot.withheld.is_some() || slot.refused.is_some() || slot.is_absent()) {
            self.stand_in(at, ends);
        } else {
            self.part(at);
            self.remove(id);
        }
    }

    fn remove(&mut self, id: u32) {
        self.shown.send_modify(|list| list.retain(|modem| modem.id != id));
    }

    async fn stop(mut self, ending: Ending) {
        self.stopping = true;
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
        while let Ok(Some(opened)) = tokio::time::timeout_at(deadline, self.openings.join_next()).await {
            self.opened(opened);
        }
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await {
            self.left(ended);
        }
        self.tasks.shutdown().await;
        // A driver that is off its modem comes back first.
        while let Ok(Some(_)) = tokio::time::timeout_at(deadline, self.renewing.join_next()).await {}
        while let Ok(Some(_)) = tokio::time::timeout_at(deadline, self.farewells.join_next()).await {}
        self.shown.send_replace(Vec::new());
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
fn targets(config: &Config, state: std::path::PathBuf) -> Option<Targets> {
    let http = config.probe.http.as_deref().and_then(Url::parse)?;
    let https = config.probe.https.as_deref().and_then(Url::parse);
    Some(Targets { http, https, body: config.probe.body.clone(), ca: config.probe.ca.clone(), state: Some(state) })
}

fn machine_config(
    config: &Config,
    described: Port,
    spec: &Spec,
    port: &crate::transport::Port,
    blocked: bool,
) -> ModemConfig {
    let mut seed = [0; 8];
    // Without randomness all machines retry in step, which is no reason not to work.
    let _ = rustix::rand::getrandom(&mut seed[..], rustix::rand::GetRandomFlags::NONBLOCK);
    ModemConfig {
        outstanding: spec.outstanding,
        max_control: port.max_control(),
        largest_packet: port.largest_packet(),
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
        clock_unset: !crate::host::clock::is_set(),
        seed: u64::from_ne_bytes(seed),
        ..ModemConfig::new(described)
    }
}

/// The file that tells udev's rules, and so ModemManager, that modems are taken by this daemon while it runs.
const TAKES: &str = "takes-modems";

/// Whether ModemManager is to be kept off ports that come. It stays over a restart; a crash is followed by one.
pub(crate) fn tell_udev(run_dir: &Path, takes: bool) {
    let file = run_dir.join(TAKES);
    let told = if takes { std::fs::write(&file, []) } else { std::fs::remove_file(&file) };
    if let Err(error) = told
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %file.display(), "udev's rules cannot be told whose modems are");
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

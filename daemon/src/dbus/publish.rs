//! Follows the modems and tells the bus exactly what changed: one signal for each plug and unplug, and one
//! `PropertiesChanged` for each interface in which a property has another value than was last told.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use daemon_core::snapshot::{ModemState, Snapshot};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Duration, Instant};
use zbus::names::InterfaceName;
use zbus::object_server::{Interface, SignalEmitter};
use zbus::{Connection, ObjectPath, OwnedVariant, Variant, fdo};

use super::agents::{self, Agents};
use super::own::{self, Access, ObjectManager, Objects, Provisioning};
use super::policy::Gate;
use crate::handle::{Approval, Job, ModemHandle, Modems, Provisioner};
use crate::proxy::Register;

type Properties = HashMap<String, OwnedVariant>;

/// Between two tellings of a modem that is on its way, at least. Each answer of the modem changes something then, and
/// every client looks at every signal; what people wait for is told at once.
const PACE: Duration = Duration::from_millis(50);

/// Puts the root and the modems that are there on the connection; the future follows what comes and goes.
pub(super) async fn start(
    connection: &Connection,
    mut modems: Modems,
    provisioner: Provisioner,
    approvals: mpsc::Receiver<Approval>,
    clients: Register,
    gate: Gate,
) -> zbus::Result<impl Future<Output = ()> + Send + 'static> {
    let objects = Objects::default();
    let server = connection.object_server();
    let root = dbus_api::path::ROOT;
    server.at(root, own::Manager(clients)).await?;
    let known = Agents::default();
    server.at(root, Provisioning::new(provisioner.clone(), modems.clone(), known.clone(), gate.clone())).await?;
    let mut publisher = Publisher {
        connection: connection.clone(),
        gate,
        objects: objects.clone(),
        published: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    let present = modems.borrow_and_update().clone();
    publisher.update(&present).await;
    server.at(root, ObjectManager(objects)).await?;
    let ask_agents = agents::follow(connection.clone(), known, approvals);
    let follow_jobs = follow_jobs(connection.clone(), provisioner);
    Ok(async move {
        publisher.tasks.spawn(follow_jobs);
        publisher.tasks.spawn(ask_agents);
        while modems.changed().await.is_ok() {
            // The modem's own task first: it answers while its object is being told.
            tokio::task::yield_now().await;
            let present = modems.borrow_and_update().clone();
            publisher.update(&present).await;
        }
        publisher.update(&[]).await;
    })
}

struct Publisher {
    connection: Connection,
    gate: Gate,
    objects: Objects,
    published: BTreeMap<u32, AbortHandle>,
    tasks: JoinSet<()>,
}

impl Publisher {
    async fn update(&mut self, present: &[ModemHandle]) {
        let gone: Vec<u32> =
            self.published.keys().copied().filter(|number| present.iter().all(|modem| modem.id != *number)).collect();
        for number in gone {
            self.remove(number).await;
        }
        for modem in present {
            if !self.published.contains_key(&modem.id)
                && let Err(error) = self.add(modem.clone()).await
            {
                tracing::warn!(%error, modem = modem.id, "modem not on the bus");
            }
        }
        while self.tasks.try_join_next().is_some() {}
    }

    async fn add(&mut self, modem: ModemHandle) -> zbus::Result<()> {
        let (number, path) = (modem.id, dbus_api::path::modem(modem.id));
        let access = Access { modem: modem.clone(), gate: self.gate.clone() };
        let server = self.connection.object_server();
        server.at(&path, own::Modem(access.clone())).await?;
        server.at(&path, own::Sim(access.clone())).await?;
        server.at(&path, own::Connection::new(access.clone())).await?;
        server.at(&path, own::Connectivity(access.clone())).await?;
        server.at(&path, own::Usage(access)).await?;
        // Told before anything that follows from it; a change in between is in the first difference.
        let told = interfaces(&self.connection, number).await?;
        self.objects.insert(number);
        let emitter = SignalEmitter::new(&self.connection, dbus_api::path::ROOT)?;
        let shown = told.iter().map(|(name, properties)| Ok((name.clone(), borrow(properties)?)));
        ObjectManager::interfaces_added(&emitter, path.as_ref(), shown.collect::<zbus::Result<_>>()?).await?;
        let task = self.tasks.spawn(follow_modem(self.connection.clone(), modem, told));
        self.published.insert(number, task);
        Ok(())
    }

    async fn remove(&mut self, number: u32) {
        if let Some(task) = self.published.remove(&number) {
            task.abort();
        }
        self.objects.remove(number);
        if let Err(error) = self.forget(&dbus_api::path::modem(number)).await {
            tracing::debug!(%error, modem = number, "removal not announced");
        }
    }

    async fn forget(&self, path: &ObjectPath<'_>) -> zbus::Result<()> {
        let server = self.connection.object_server();
        server.remove::<own::Modem, _>(path).await?;
        server.remove::<own::Sim, _>(path).await?;
        server.remove::<own::Connection, _>(path).await?;
        server.remove::<own::Connectivity, _>(path).await?;
        server.remove::<own::Usage, _>(path).await?;
        let emitter = SignalEmitter::new(&self.connection, dbus_api::path::ROOT)?;
        let names = interface_names();
        ObjectManager::interfaces_removed(&emitter, path.as_ref(), Cow::Borrowed(&names)).await
    }
}

/// Causes before effects.
fn interface_names() -> [InterfaceName<'static>; 5] {
    [own::Modem::name(), own::Sim::name(), own::Connection::name(), own::Connectivity::name(), own::Usage::name()]
}

/// All interfaces of a modem with all their properties.
pub(super) async fn interfaces(
    connection: &Connection,
    number: u32,
) -> zbus::Result<HashMap<InterfaceName<'static>, Properties>> {
    Ok(HashMap::from([
        read::<own::Modem>(connection, number).await?,
        read::<own::Sim>(connection, number).await?,
        read::<own::Connection>(connection, number).await?,
        read::<own::Connectivity>(connection, number).await?,
        read::<own::Usage>(connection, number).await?,
    ]))
}

async fn read<I: Interface>(
    connection: &Connection,
    number: u32,
) -> zbus::Result<(InterfaceName<'static>, Properties)> {
    let server = connection.object_server();
    let interface = server.interface::<_, I>(dbus_api::path::modem(number)).await?;
    let properties = interface.get().await.get_all(server, connection, None, interface.signal_emitter()).await?;
    Ok((I::name(), properties))
}

fn borrow(properties: &Properties) -> zbus::Result<HashMap<&str, Variant<'_>>> {
    properties.iter().map(|(name, value)| Ok((name.as_str(), Variant::try_from(value)?))).collect()
}

/// The properties that are not as they were told.
fn difference(told: &Properties, now: &Properties) -> Properties {
    now.iter()
        .filter(|(name, value)| told.get(*name) != Some(*value))
        .filter_map(|(name, value)| Some((name.clone(), value.try_clone().ok()?)))
        .collect()
}

async fn follow_modem(
    connection: Connection,
    mut modem: ModemHandle,
    mut told: HashMap<InterfaceName<'static>, Properties>,
) {
    let mut notices = 0;
    loop {
        if let Err(error) = tell(&connection, modem.id, &mut told).await {
            tracing::debug!(%error, modem = modem.id, "change not told");
        }
        if let Err(error) = tell_step(&connection, &modem, &mut notices).await {
            tracing::debug!(%error, modem = modem.id, "step of the plan not told");
        }
        if !is_due(&mut modem.snapshot, Instant::now() + PACE).await {
            return;
        }
    }
}

/// Waits for a change that is to be told: at once, or at `next` where the modem is on its way. `false` = the modem is gone.
async fn is_due(snapshot: &mut watch::Receiver<Arc<Snapshot>>, next: Instant) -> bool {
    if snapshot.changed().await.is_err() {
        return false;
    }
    while is_on_its_way(&snapshot.borrow_and_update()) {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(next) => break,
            changed = snapshot.changed() => if changed.is_err() { return false },
        }
    }
    true
}

/// Between one state of rest and the next, with nothing that anybody could do.
fn is_on_its_way(snapshot: &Snapshot) -> bool {
    use ModemState::{Connecting, Disconnecting, Enabling, Initializing, Registered, Searching};
    let moves = [Initializing, Enabling, Searching, Registered, Connecting, Disconnecting].contains(&snapshot.state);
    moves && snapshot.reason.is_none()
}

async fn tell(
    connection: &Connection,
    number: u32,
    told: &mut HashMap<InterfaceName<'static>, Properties>,
) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(connection, dbus_api::path::modem(number))?;
    let mut now = interfaces(connection, number).await?;
    // Causes before effects: the device, then what it makes possible.
    for name in interface_names() {
        let Some(new) = now.remove(&name) else { continue };
        let changed = difference(told.get(&name).unwrap_or(&Properties::new()), &new);
        if !changed.is_empty() {
            fdo::Properties::properties_changed(&emitter, name.clone(), borrow(&changed)?, Cow::Borrowed(&[])).await?;
        }
        told.insert(name, new);
    }
    Ok(())
}

/// A step of the data plan was taken since this was called last.
async fn tell_step(connection: &Connection, modem: &ModemHandle, notices: &mut u32) -> zbus::Result<()> {
    let (now, quota) = {
        let snapshot = modem.snapshot.borrow();
        (snapshot.usage.notices, snapshot.usage.quota.clone())
    };
    if std::mem::replace(notices, now) == now {
        return Ok(());
    }
    let Some(quota) = quota else { return Ok(()) };
    let emitter = SignalEmitter::new(connection, dbus_api::path::modem(modem.id))?;
    own::Usage::step_reached(&emitter, quota.used(), quota.limit.unwrap_or(0)).await
}

/// Tells what became of the jobs.
async fn follow_jobs(connection: Connection, mut provisioner: Provisioner) {
    let mut told: Vec<Job> = Vec::new();
    loop {
        let now = provisioner.jobs.borrow_and_update().clone();
        for job in now.iter().filter(|job| !told.contains(job)) {
            if let Err(error) = tell_job(&connection, job).await {
                tracing::debug!(%error, job = job.id, "job not told");
            }
        }
        told = now;
        if provisioner.jobs.changed().await.is_err() {
            return;
        }
    }
}

async fn tell_job(connection: &Connection, job: &Job) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(connection, dbus_api::path::ROOT)?;
    Provisioning::job_changed(&emitter, job.id, own::job_details(job, false)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(state: ModemState) -> Arc<Snapshot> {
        Arc::new(Snapshot { state, ..Snapshot::default() })
    }

    const FAR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn what_changes_on_the_way_is_told_together() {
        let (shown, mut seen) = watch::channel(at(ModemState::Initializing));
        let next = Instant::now() + Duration::from_millis(30);
        let changes = async {
            for state in [ModemState::Searching, ModemState::Registered, ModemState::Connecting] {
                shown.send_replace(at(state));
                tokio::task::yield_now().await;
            }
        };
        let (due, ()) = tokio::join!(is_due(&mut seen, next), changes);
        assert!(due && Instant::now() >= next);
        assert_eq!(seen.borrow_and_update().state, ModemState::Connecting);
    }

    #[tokio::test]
    async fn what_people_wait_for_is_told_at_once() {
        let (shown, mut seen) = watch::channel(at(ModemState::Connecting));
        let next = Instant::now() + FAR;
        shown.send_replace(at(ModemState::Connected));
        assert!(is_due(&mut seen, next).await && Instant::now() < next);

        // It was on its way when it came to rest.
        let changes = async {
            shown.send_replace(at(ModemState::Disconnecting));
            tokio::task::yield_now().await;
            let reason = Some(daemon_core::snapshot::Reason { code: "test", text: String::new() });
            shown.send_replace(Arc::new(Snapshot { reason, ..Snapshot::clone(&at(ModemState::Registered)) }));
        };
        let (due, ()) = tokio::join!(is_due(&mut seen, next), changes);
        assert!(due && Instant::now() < next);

        drop(shown);
        assert!(!is_due(&mut seen, next).await);
    }
}

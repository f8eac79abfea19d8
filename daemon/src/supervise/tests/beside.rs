//! Beside ModemManager, in each order of starts. A folder plays sysfs, a pseudo-terminal the control port with the virtual
//! modem behind it, and a few lines ModemManager on a private bus.

use super::*;
use crate::dbus::tests::bus::Bus;
use daemon_core::custody::Policy;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::sync::{Mutex, PoisonError};
use virtual_modem::serve::serve;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, fdo};

const NAME: &str = "org.freedesktop.ModemManager1";

/// What the player of ModemManager knows and was asked.
#[derive(Debug, Default)]
struct Book {
    /// Devices that it knows, with the state of the modem.
    known: BTreeMap<String, i32>,
    /// It refuses with this error.
    refuses: Option<&'static str>,
    inhibited: BTreeSet<String>,
    asked: Vec<(String, bool)>,
}

#[derive(Clone, Default)]
struct Player(Arc<Mutex<Book>>);

impl Player {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.ModemManager1.Error.Core")]
enum Core {
    #[zbus(error)]
    ZBus(zbus::Error),
    NotFound(String),
    Unauthorized(String),
    Failed(String),
}

#[zbus::interface(name = "org.freedesktop.ModemManager1")]
impl Player {
    fn inhibit_device(&self, uid: String, inhibit: bool) -> Result<(), Core> {
        let mut book = self.book();
        book.asked.push((uid.clone(), inhibit));
        match book.refuses {
            Some("Unauthorized") => return Err(Core::Unauthorized("no".into())),
            Some(_) => return Err(Core::Failed("no".into())),
            None => {}
        }
        if !book.known.contains_key(&uid) {
            return Err(Core::NotFound("no such device".into()));
        }
        if inhibit {
            book.inhibited.insert(uid)
        } else {
            book.inhibited.remove(&uid)
        };
        Ok(())
    }
}

struct Objects(Player);

type Interfaces = HashMap<String, HashMap<String, OwnedVariant>>;

#[zbus::interface(name = "org.freedesktop.DBus.ObjectManager")]
impl Objects {
    fn get_managed_objects(&self) -> fdo::Result<HashMap<OwnedObjectPath, Interfaces>> {
        let book = self.0.book();
        let value = |value: Variant<'_>| OwnedVariant::try_from(value).unwrap();
        let modem = |uid: &String, state: i32| {
            let properties = [("Device", value(uid.as_str().into())), ("State", value(state.into()))];
            HashMap::from([(
                format!("{NAME}.Modem"),
                properties.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
            )])
        };
        let free = book.known.iter().filter(|(uid, _)| !book.inhibited.contains(*uid));
        Ok(free
            .enumerate()
            .map(|(n, (uid, state))| {
                (
                    OwnedObjectPath::try_from(format!("/org/freedesktop/ModemManager1/Modem/{n}")).unwrap(),
                    modem(uid, *state),
                )
            })
            .collect())
    }
}

/// It starts: what it was asked before is forgotten.
async fn modemmanager(bus: &Bus, player: &Player) -> Connection {
    player.book().inhibited.clear();
    let connection = bus.connect().await;
    let server = connection.object_server();
    server.at("/org/freedesktop/ModemManager1", player.clone()).await.unwrap();
    server.at("/org/freedesktop/ModemManager1", Objects(player.clone())).await.unwrap();
    connection.request_name(NAME).await.unwrap();
    connection
}

/// A machine with one modem.
struct Machine {
    folder: tempfile::TempDir,
    /// Keeps the port from hanging up while nobody has it open.
    port: OwnedFd,
    uid: String,
    bus: Bus,
    player: Player,
}

impl Machine {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sys = folder.path().join("sys");
        let device = sys.join("devices/usb1/1-1");
        let interface = device.join("1-1:1.0");
        for path in [interface.join("usbmisc/cdc-wdm0"), interface.join("net/wwan0")] {
            std::fs::create_dir_all(path).unwrap();
        }
        for path in ["bus/usb/drivers/cdc_mbim", "class/usbmisc", "class/net"] {
            std::fs::create_dir_all(sys.join(path)).unwrap();
        }
        std::fs::create_dir_all(folder.path().join("udev/data")).unwrap();
        for (file, text) in [("idVendor", "1199\n"), ("idProduct", "9091\n"), ("dev", "189:4\n")] {
            std::fs::write(device.join(file), text).unwrap();
        }
        symlink(sys.join("bus/usb/drivers/cdc_mbim"), interface.join("driver")).unwrap();
        symlink(&interface, interface.join("usbmisc/cdc-wdm0/device")).unwrap();
        symlink(interface.join("usbmisc/cdc-wdm0"), sys.join("class/usbmisc/cdc-wdm0")).unwrap();
        std::fs::create_dir(folder.path().join("dev")).unwrap();

        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let mut raw = rustix::termios::tcgetattr(&master).unwrap();
        raw.make_raw();
        rustix::termios::tcsetattr(&master, rustix::termios::OptionalActions::Now, &raw).unwrap();
        symlink(name.to_str().unwrap(), folder.path().join("dev/cdc-wdm0")).unwrap();
        let open = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        // The pump ends when the port hangs up, or the modem's task does.
        let (mut from_port, mut to_port) = (File::from(master.try_clone().unwrap()), File::from(master));
        let (mut from_modem, mut to_modem) = (near.try_clone().unwrap(), near);
        std::thread::spawn(move || std::io::copy(&mut from_port, &mut to_modem));
        std::thread::spawn(move || std::io::copy(&mut from_modem, &mut to_port));
        far.set_nonblocking(true).unwrap();
        let far = tokio::net::UnixStream::from_std(far).unwrap();
        tokio::spawn(async move {
            let (_orders, mut ordered) = mpsc::unbounded_channel();
            let (events, _) = mpsc::unbounded_channel();
            serve(far, VirtualModem::new(Profile::default()), Instant::now(), &mut ordered, &events).await;
        });
        let uid = std::fs::canonicalize(&device).unwrap().display().to_string();
        Self { folder, port: open.into(), uid, bus: Bus::start().await, player: Player::default() }
    }

    /// What udev noted down for the whole device.
    fn noted(&self, text: &str) {
        std::fs::write(self.folder.path().join("udev/data/c189:4"), text).unwrap();
    }

    /// mbimd starts.
    async fn mbimd(&self, policy: Policy) -> (Supervisor, Modems) {
        let folder = self.folder.path();
        let config = Config { network: Network::External, modemmanager: policy, ..Config::default() };
        let (_, rfkill) = watch::channel(false);
        let shared = Shared {
            config,
            run_dir: folder.into(),
            store: Store::open(folder, Operators::default()).unwrap(),
            resolver: Resolver::new(Dns::None, None, folder),
            rfkill,
            start: Instant::now(),
        };
        let (shown, modems) = watch::channel(Vec::new());
        let roots = Roots { sys: folder.join("sys"), dev: folder.join("dev"), udev: folder.join("udev") };
        let neighbour = ModemManager::follow(Some(self.bus.connect().await), folder).await;
        (Supervisor::start(Arc::new(shared), Leftovers::default(), Vec::new(), roots, neighbour, shown), modems)
    }

    fn inhibited(&self) -> bool {
        self.player.book().inhibited.contains(&self.uid)
    }
}

/// Waits until the one modem is shown so; its number.
async fn seen(modems: &mut Modems, what: &str, holds: impl Fn(&Snapshot) -> bool) -> u32 {
    let wait = async {
        loop {
            let mut handle = modems.wait_for(|list| !list.is_empty()).await.unwrap()[0].clone();
            tokio::select! {
                found = handle.snapshot.wait_for(|snapshot| holds(snapshot)) => if found.is_ok() { return handle.id },
                _ = modems.changed() => {}
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.unwrap_or_else(|_| panic!("not {what}: {:?}", modems.borrow().first().map(|m| m.snapshot.borrow().clone())))
}

fn connected(snapshot: &Snapshot) -> bool {
    snapshot.state == ModemState::Connected
}

fn withheld(code: &'static str) -> impl Fn(&Snapshot) -> bool {
    move |s| s.custody == Custody::Withheld && s.reason.as_ref().is_some_and(|reason| reason.code == code)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn modemmanager_first_and_it_is_asked() {
    let machine = Machine::new().await;
    let first = modemmanager(&machine.bus, &machine.player).await;
    let (supervisor, mut modems) = machine.mbimd(Policy::Ask).await;
    // It has not looked at the device yet.
    let number = seen(&mut modems, "left alone", withheld("unknown-to-modemmanager")).await;
    let handle = modems.borrow()[0].clone();
    let error = handle.request(Request::Connect { apn: None }).await.unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::WrongState, "unknown-to-modemmanager"));
    // It is connected with it: not disturbed.
    machine.player.book().known.insert(machine.uid.clone(), 11);
    seen(&mut modems, "left alone", withheld("in-use-by-modemmanager")).await;
    assert!(!machine.inhibited());
    machine.player.book().known.insert(machine.uid.clone(), 8);
    assert_eq!(seen(&mut modems, "taken", connected).await, number, "one object for one modem");
    assert!(machine.inhibited());

    // It restarts: asked again, and the connection goes on meanwhile.
    machine.player.book().asked.clear();
    first.release_name(NAME).await.unwrap();
    let asked = |n: usize| machine.player.book().asked.iter().filter(|(_, inhibit)| *inhibit).count() >= n;
    let second = modemmanager(&machine.bus, &machine.player).await;
    until("asked again", || asked(1) && machine.inhibited()).await;
    assert!(connected(&handle.snapshot.borrow()));
    // It restarts and does not know the device for a while.
    machine.player.book().known.clear();
    second.release_name(NAME).await.unwrap();
    let _third = modemmanager(&machine.bus, &machine.player).await;
    until("asked more than once", || asked(4)).await;
    assert!(connected(&handle.snapshot.borrow()));
    machine.player.book().known.insert(machine.uid.clone(), 3);
    until("granted", || machine.inhibited()).await;
    assert!(connected(&handle.snapshot.borrow()));
    supervisor.stop(Ending::Stop).await;
    drop(machine.port);
}

#[tokio::test]
async fn mbimd_first_and_modemmanager_comes_and_goes() {
    let machine = Machine::new().await;
    let (supervisor, mut modems) = machine.mbimd(Policy::Ask).await;
    let number = seen(&mut modems, "taken", connected).await;
    assert!(machine.player.book().asked.is_empty());
    // It is connected with nothing of ours; it leaves the device.
    machine.player.book().known.insert(machine.uid.clone(), 3);
    let first = modemmanager(&machine.bus, &machine.player).await;
    until("asked", || machine.inhibited()).await;
    assert!(connected(&modems.borrow()[0].snapshot.borrow()));
    // The next one does not allow to be asked: let go of, with an orderly end.
    first.release_name(NAME).await.unwrap();
    machine.player.book().refuses = Some("Unauthorized");
    let second = modemmanager(&machine.bus, &machine.player).await;
    seen(&mut modems, "let go of", withheld("not-allowed-by-modemmanager")).await;
    // It goes for good: taken.
    second.release_name(NAME).await.unwrap();
    assert_eq!(seen(&mut modems, "taken again", connected).await, number);
    // mbimd restarts beside it.
    machine.player.book().refuses = None;
    let _third = modemmanager(&machine.bus, &machine.player).await;
    until("asked", || machine.inhibited()).await;
    supervisor.stop(Ending::Stop).await;
    let (supervisor, mut modems) = machine.mbimd(Policy::Ask).await;
    seen(&mut modems, "taken", connected).await;
    supervisor.stop(Ending::Stop).await;
    drop(machine.port);
}

#[tokio::test]
async fn rules_and_configuration_go_before() {
    let machine = Machine::new().await;
    machine.player.book().known.insert(machine.uid.clone(), 3);
    let _neighbour = modemmanager(&machine.bus, &machine.player).await;
    for (noted, policy, code) in [
        ("", Policy::Leave, Some("left-to-modemmanager")),
        ("E:ID_MM_DEVICE_IGNORE=1\n", Policy::Ask, Some("withheld-by-rule")),
        ("E:ID_MBIMD_IGNORE=1\nE:MBIMD_MANAGE=1\n", Policy::Ask, Some("withheld-by-rule")),
        ("E:ID_MM_DEVICE_IGNORE=1\nE:MBIMD_MANAGE=1\n", Policy::Leave, None),
    ] {
        machine.noted(noted);
        let (supervisor, mut modems) = machine.mbimd(policy).await;
        match code {
            Some(code) => seen(&mut modems, code, withheld(code)).await,
            None => seen(&mut modems, "taken", connected).await,
        };
        supervisor.stop(Ending::Stop).await;
    }
    assert!(machine.player.book().asked.is_empty(), "nobody was asked");
    drop(machine.port);
}

//! Plugging and unplugging by a socket that comes and goes.

mod beside;

use super::*;
use crate::config::Dns;
use crate::handle::Modems;
use crate::store::operators::Operators;
use daemon_core::request::RequestErrorKind;
use daemon_core::snapshot::{Custody, ModemState};
use mbim_proto::Personal;
use tokio::net::UnixListener;
use virtual_modem::serve::{Closing, Control, Event, listen};
use virtual_modem::{Order, Output, Profile, VirtualModem};

struct Bench {
    modems: Modems,
    supervisor: Supervisor,
    orders: mpsc::UnboundedSender<Control>,
    happenings: mpsc::UnboundedReceiver<Event>,
    socket: std::path::PathBuf,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Duration::ZERO).await
    }

    async fn with(absence: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("modem.sock");
        let config = Config { network: Network::External, absence, ..Config::default() };
        let spec = Spec::parse(&format!("unix:{},net=lo,outstanding=8", socket.display())).unwrap();
        let (_, rfkill) = watch::channel(false);
        let shared = Shared {
            config,
            run_dir: folder.path().into(),
            store: Store::open(folder.path(), Operators::default()).unwrap(),
            resolver: Resolver::new(Dns::None, None, folder.path()),
            rfkill,
            start: Instant::now(),
        };
        let (shown, modems) = watch::channel(Vec::new());
        let neighbour = ModemManager::follow(None, folder.path()).await;
        let supervisor =
            Supervisor::start(Arc::new(shared), Leftovers::default(), vec![spec], Roots::default(), neighbour, shown);
        let (orders, _) = mpsc::unbounded_channel();
        let (_, happenings) = mpsc::unbounded_channel();
        Self { modems, supervisor, orders, happenings, socket, folder }
    }

    /// Puts a modem behind the socket.
    fn plug(&mut self) {
        self.plug_profile(Profile::default());
    }

    fn plug_profile(&mut self, profile: Profile) {
        let (orders, ordered) = mpsc::unbounded_channel();
        let (events, happenings) = mpsc::unbounded_channel();
        (self.orders, self.happenings) = (orders, happenings);
        let listener = UnixListener::bind(&self.socket).unwrap();
        let modem = VirtualModem::new(profile);
        tokio::spawn(async move { listen(listener, modem, Closing::Unplug, ordered, events).await });
    }

    async fn lists(&mut self, count: usize) -> Vec<u32> {
        let listed = self.modems.wait_for(|list| list.len() == count);
        let listed = tokio::time::timeout(Duration::from_secs(20), listed).await.unwrap().unwrap();
        listed.iter().map(|modem| modem.id).collect()
    }

    async fn connects(&mut self) {
        let mut handle = self.modems.borrow().first().cloned().unwrap();
        let connected = handle.snapshot.wait_for(|s| s.state == ModemState::Connected);
        tokio::time::timeout(Duration::from_secs(20), connected).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_socket_that_appears_is_a_plug_and_its_end_an_unplug() {
    let mut bench = Bench::new().await;
    assert!(bench.lists(0).await.is_empty());
    bench.plug();
    assert_eq!(bench.lists(1).await, [0]);
    bench.connects().await;
    bench.orders.send(Control::Order(Order::Unplug)).unwrap();
    bench.lists(0).await;
    // The next plug is another modem.
    bench.orders.send(Control::Order(Order::Plug)).unwrap();
    assert_eq!(bench.lists(1).await, [1]);
    bench.connects().await;
    bench.supervisor.stop(Ending::Stop).await;
}

#[tokio::test]
async fn a_modem_that_comes_back_keeps_its_object() {
    let mut bench = Bench::with(Duration::from_secs(600)).await;
    bench.plug();
    bench.lists(1).await;
    bench.connects().await;
    for _ in 0..2 {
        let mut handle = bench.modems.borrow().first().cloned().unwrap();
        bench.orders.send(Control::Order(Order::Unplug)).unwrap();
        let absent = handle.snapshot.wait_for(|s| s.custody == Custody::Absent);
        let hardware = tokio::time::timeout(Duration::from_secs(20), absent).await.unwrap().unwrap().device.clone();
        assert!(hardware.is_some(), "what it was is still shown");
        let error = handle.request(Request::Probe).await.unwrap_err();
        assert_eq!((error.kind, error.reason.code), (RequestErrorKind::Gone, "modem-absent"));
        bench.orders.send(Control::Order(Order::Plug)).unwrap();
        bench.connects().await;
        assert_eq!(bench.lists(1).await, [0]);
        assert_eq!(handle.snapshot.borrow().custody, Custody::Held, "who holds the old handle sees the modem again");
    }
    bench.supervisor.stop(Ending::Stop).await;
}

/// As like as two of one kind are from outside: the number of the equipment tells them apart.
#[tokio::test]
async fn another_modem_at_the_same_place_is_another_object() {
    let mut bench = Bench::with(Duration::from_secs(600)).await;
    bench.plug();
    bench.lists(1).await;
    bench.connects().await;
    for number in 1..=2 {
        let mut gone = bench.modems.borrow().first().cloned().unwrap();
        let profile = Profile { device_id: Personal::new(format!("35209974618302{number}")), ..Profile::default() };
        // The old one's end, and its name in the folder, make room.
        std::fs::remove_file(&bench.socket).unwrap();
        bench.orders.send(Control::Order(Order::Unplug)).unwrap();
        let absent = gone.snapshot.wait_for(|s| s.custody == Custody::Absent);
        tokio::time::timeout(Duration::from_secs(20), absent).await.unwrap().unwrap();
        bench.plug_profile(profile.clone());
        let other = bench.modems.wait_for(|list| list.len() == 1 && list[0].id == number);
        tokio::time::timeout(Duration::from_secs(20), other).await.unwrap().unwrap();
        bench.connects().await;
        let now = bench.modems.borrow()[0].snapshot.borrow().device.clone().unwrap();
        assert_eq!(now.id, profile.device_id);
        assert_eq!(gone.snapshot.borrow_and_update().device, None, "nothing of it was shown at the old object");
        assert_eq!(gone.request(Request::Probe).await.unwrap_err().kind, RequestErrorKind::Gone);
    }
    bench.supervisor.stop(Ending::Stop).await;
}

#[tokio::test]
async fn an_absence_comes_to_an_end() {
    let mut bench = Bench::with(Duration::from_millis(50)).await;
    bench.plug();
    bench.lists(1).await;
    bench.connects().await;
    bench.orders.send(Control::Order(Order::Unplug)).unwrap();
    bench.orders.send(Control::Order(Order::Plug)).unwrap();
    let other = bench.modems.wait_for(|list| list.iter().all(|modem| modem.id != 0) && !list.is_empty());
    tokio::time::timeout(Duration::from_secs(20), other).await.unwrap().unwrap();
    bench.connects().await;
    bench.supervisor.stop(Ending::Stop).await;
}

#[tokio::test]
async fn a_stop_tears_the_session_down_before_it_lets_go() {
    let mut bench = Bench::new().await;
    bench.plug();
    bench.lists(1).await;
    bench.connects().await;
    bench.supervisor.stop(Ending::Stop).await;
    assert!(bench.modems.borrow().is_empty());
    let mut torn_down = false;
    while let Ok(event) = bench.happenings.try_recv() {
        torn_down |= matches!(event.output, Output::SessionDown { session: 0 });
    }
    assert!(torn_down);
    assert!(!bench.folder.path().join("links").exists());
}

#[test]
fn two_daemons_do_not_share_a_run_directory() {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let held = hold_run_dir(&run_dir).unwrap();
    assert_eq!(hold_run_dir(&run_dir).unwrap_err().kind(), std::io::ErrorKind::ResourceBusy);
    drop(held);
    hold_run_dir(&run_dir).unwrap();
}

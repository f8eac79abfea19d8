//! Plugging and unplugging by a socket that comes and goes.

use super::*;
use crate::config::Dns;
use crate::handle::Modems;
use crate::store::operators::Operators;
use daemon_core::snapshot::ModemState;
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
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("modem.sock");
        let config = Config { network: Network::External, ..Config::default() };
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
        let supervisor = Supervisor::start(Arc::new(shared), Leftovers::default(), vec![spec], Roots::default(), shown);
        let (orders, _) = mpsc::unbounded_channel();
        let (_, happenings) = mpsc::unbounded_channel();
        Self { modems, supervisor, orders, happenings, socket, folder }
    }

    /// Puts a modem behind the socket.
    fn plug(&mut self) {
        let (orders, ordered) = mpsc::unbounded_channel();
        let (events, happenings) = mpsc::unbounded_channel();
        (self.orders, self.happenings) = (orders, happenings);
        let listener = UnixListener::bind(&self.socket).unwrap();
        let modem = VirtualModem::new(Profile::default());
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
    let mut bench = Bench::new();
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
async fn a_stop_tears_the_session_down_before_it_lets_go() {
    let mut bench = Bench::new();
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

//! The whole task around a virtual modem, over a socket pair.

use super::*;
use crate::config::Dns;
use crate::host::resolver::Resolver;
use crate::store::operators::Operators;
use daemon_core::modem::NetworkMode;
use daemon_core::request::{PinRequest, RequestErrorKind};
use daemon_core::snapshot::{self, ModemState};
use daemon_core::subscriber::Settings;
use dbus_api::trace::{Record, What};
use mbim_proto::Secret;
use mbim_proto::message::{Header, MessageType};
use std::io::Write as _;
use tokio::net::UnixStream;
use tokio::sync::mpsc::UnboundedSender;
use virtual_modem::serve::{Control, serve};
use virtual_modem::{Order, Profile, Sim, Slot, VirtualModem};

/// A running task with all its ends.
struct Bench {
    orders: UnboundedSender<Control>,
    requests: mpsc::Sender<Asked>,
    tracers: mpsc::Sender<Tracer>,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    rfkill: watch::Sender<bool>,
    let_go: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Ended>,
    /// Run and state directory in one.
    folder: tempfile::TempDir,
}

impl Bench {
    /// `link`: made for an interface of this name; without one the network is another program's.
    fn new(link: Option<&str>) -> Self {
        Self::with(link, Profile::default(), tempfile::tempdir().unwrap())
    }

    fn with(link: Option<&str>, profile: Profile, folder: tempfile::TempDir) -> Self {
        let (host, function) = UnixStream::pair().unwrap();
        let (orders, mut ordered) = mpsc::unbounded_channel();
        let (events, _) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let modem = VirtualModem::new(profile);
            serve(function, modem, Instant::now(), &mut ordered, &events).await;
        });
        let spec = Spec::parse("unix:/nonexistent/modem.sock,outstanding=8").unwrap();
        let interface = link.unwrap_or("lo");
        let port = snapshot::Port { interface: Some(interface.into()), ..snapshot::Port::default() };
        let mut config = ModemConfig { outstanding: 8, ..ModemConfig::new(port) };
        if link.is_none() {
            config.network = NetworkMode::External;
        }
        config.probe.enabled = false;
        let (requests, asked) = mpsc::channel(4);
        let (shown, snapshot) = watch::channel(Arc::default());
        let (tracers, traced) = mpsc::channel(1);
        let (rfkill, switch) = watch::channel(false);
        let (let_go, letting_go) = watch::channel(false);
        let resolver = Resolver::new(Dns::ResolvConf, None, folder.path());
        let setup = Setup {
            id: 0,
            spec,
            port: Port::over(host, 4096),
            config,
            link: link.map(|name| Link::new(name.into(), 700, folder.path(), resolver)),
            kept: None,
            place: Place::new(folder.path(), "unix:/nonexistent/modem.sock", Some(interface)),
            interfaces: Interfaces::default(),
            store: Store::open(folder.path(), Operators::default()).unwrap(),
            targets: None,
            rfkill: switch,
            requests: asked,
            guests: mpsc::channel(1).1,
            tracers: traced,
            shown,
            let_go: letting_go,
            start: Instant::now(),
        };
        let task = tokio::spawn(async move { run(setup).await.0 });
        Self { orders, requests, tracers, snapshot, rfkill, let_go, task, folder }
    }

    async fn reaches(&mut self, state: ModemState) {
        let reached = self.snapshot.wait_for(|s| s.state == state);
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await.is_ok_and(|seen| seen.is_ok());
        assert!(reached, "not {state:?} but {:?}", self.snapshot.borrow().state);
    }

    async fn ask(&self, request: Request) -> Result<Reply, RequestErrorKind> {
        let (answer, wait) = oneshot::channel();
        self.requests.send((request, answer)).await.unwrap();
        wait.await.unwrap().map_err(|error| error.kind)
    }

    /// Settings with this metric are asked for.
    async fn set_metric(&self, metric: u32) -> Result<Reply, RequestError> {
        let settings = Settings { metric: Some(metric), ..self.snapshot.borrow().settings.clone() };
        let (answer, wait) = oneshot::channel();
        self.requests.send((Request::SetSettings(settings), answer)).await.unwrap();
        wait.await.unwrap()
    }

    async fn ends(self) -> Ended {
        tokio::time::timeout(Duration::from_secs(20), self.task).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn plugged_connected_disconnected_stopped() {
    let mut bench = Bench::new(None);
    bench.reaches(ModemState::Connected).await;
    assert!(bench.snapshot.borrow().connections.iter().any(|c| c.ip.is_some()));
    assert!(bench.ask(Request::Disconnect).await.is_ok());
    bench.reaches(ModemState::Registered).await;
    assert!(bench.ask(Request::Connect { apn: None }).await.is_ok());
    bench.reaches(ModemState::Connected).await;
    assert!(bench.ask(Request::Stop).await.is_ok());
    assert_eq!(bench.ends().await, Ended::Stopped);
}

#[tokio::test]
async fn unplugged_while_someone_waits() {
    let mut bench = Bench::new(None);
    bench.reaches(ModemState::Connected).await;
    bench.orders.send(Control::Order(Order::Unplug)).unwrap();
    let (answer, wait) = oneshot::channel();
    bench.requests.send((Request::RefreshSignal, answer)).await.unwrap();
    if let Ok(reply) = wait.await {
        assert_eq!(reply.unwrap_err().kind, RequestErrorKind::Gone);
    }
    let mut snapshot = bench.snapshot.clone();
    assert_eq!(bench.ends().await, Ended::Gone);
    while snapshot.changed().await.is_ok() {}
}

#[tokio::test]
async fn a_trace_holds_the_session_that_it_began_and_ends_with_the_modem() {
    let mut bench = Bench::new(None);
    bench.reaches(ModemState::Connected).await;
    let (socket, reader) = crate::actor::trace::pair().unwrap();
    let (answer, joined) = oneshot::channel();
    bench.tracers.send(Tracer { socket, answer }).await.unwrap();
    assert_eq!(joined.await.unwrap(), Ok(()));
    assert!(bench.ask(Request::Restart).await.is_ok());
    bench.reaches(ModemState::Connected).await;
    bench.orders.send(Control::Order(Order::Unplug)).unwrap();
    assert_eq!(bench.ends().await, Ended::Gone);

    let mut buffer = vec![0; dbus_api::trace::LONGEST];
    let (mut sent, mut received, mut last) = (Vec::new(), Vec::new(), None);
    loop {
        let (_, count) = rustix::net::recv(&reader, &mut buffer[..], rustix::net::RecvFlags::DONTWAIT).unwrap();
        let Some(record) = Record::decode(&buffer[..count]) else { break };
        match record.what {
            What::Sent(frame) => sent.push(Header::decode(frame).unwrap().kind),
            What::Received(frame) => received.push(Header::decode(frame).unwrap().kind),
            other => last = Some(format!("{other:?}")),
        }
    }
    // What was under way when it joined comes first.
    let from = |all: &[MessageType], kind| all[all.iter().position(|one| *one == kind).unwrap()..].to_vec();
    let (sent, received) = (from(&sent, MessageType::CLOSE), from(&received, MessageType::CLOSE_DONE));
    assert_eq!(sent[..2], [MessageType::CLOSE, MessageType::OPEN]);
    assert_eq!(received[..2], [MessageType::CLOSE_DONE, MessageType::OPEN_DONE]);
    let answers = received.iter().filter(|kind| **kind == MessageType::COMMAND_DONE).count();
    let commands = sent.iter().filter(|kind| **kind == MessageType::COMMAND).count();
    assert!(commands > 10 && answers > 10, "{commands} commands, {answers} answers");
    assert_eq!(last, Some(format!("{:?}", What::End("gone"))));
}

/// A file where the store's folder should be: nothing can be written.
///
/// The store may be writing at this moment (it remembers what connected), and makes its folder anew when it
/// is missing: hence moved aside whole, and again until the file stands.
fn block_store(folder: &std::path::Path) {
    let subscribers = folder.join("subscribers");
    for turn in 0..1000 {
        let _ = std::fs::rename(&subscribers, folder.join(format!("aside-{turn}")));
        if std::fs::write(&subscribers, "in the way").is_ok() {
            return;
        }
    }
    panic!("the store's folder comes back faster than it can be moved");
}

#[tokio::test]
async fn a_setting_that_cannot_be_written_is_refused_and_does_not_hold() {
    let mut bench = Bench::new(None);
    bench.reaches(ModemState::Connected).await;
    block_store(bench.folder.path());
    let error = bench.set_metric(42).await.unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::Storage, "not-stored"));
    assert!(error.reason.text.contains("then repeat"), "{}", error.reason.text);
    assert_eq!(bench.snapshot.borrow().settings.metric, None);
    std::fs::remove_file(bench.folder.path().join("subscribers")).unwrap();
    assert_eq!(bench.set_metric(42).await, Ok(Reply::Done { changed: true }));
    assert_eq!(bench.snapshot.borrow().settings.metric, Some(42));
}

#[tokio::test]
async fn an_unplug_leaves_no_setting_without_an_answer() {
    for blocked in [false, true] {
        let mut bench = Bench::new(None);
        bench.reaches(ModemState::Connected).await;
        if blocked {
            block_store(bench.folder.path());
        }
        let settings = Settings { metric: Some(42), ..Settings::default() };
        let (answer, wait) = oneshot::channel();
        bench.requests.send((Request::SetSettings(settings), answer)).await.unwrap();
        // Both are there when the task looks next; whichever it takes first, nobody is kept waiting.
        bench.let_go.send_replace(true);
        let folder = std::mem::replace(&mut bench.folder, tempfile::tempdir().unwrap());
        assert_eq!(bench.ends().await, Ended::Gone);
        let result = wait.await.ok().map(|reply| reply.map_err(|error| error.kind));
        let files = std::fs::read_dir(folder.path().join("subscribers")).into_iter().flatten().flatten();
        let stored =
            files.filter_map(|f| std::fs::read_to_string(f.path()).ok()).any(|text| text.contains("\"metric\": 42"));
        match result {
            Some(Ok(_)) => assert!(stored && !blocked),
            Some(Err(RequestErrorKind::Storage)) => assert!(blocked && !stored),
            // The modem was let go before it heard of the request.
            Some(Err(RequestErrorKind::Gone | RequestErrorKind::WrongState)) | None => assert!(!stored),
            other => panic!("{other:?}"),
        }
    }
}

/// A PIN long enough not to be found by chance.
const PIN: &str = "90817263";

fn locked() -> Profile {
    let sim = Sim { pin1: virtual_modem::Pin::enabled(PIN, "12345678"), ..Sim::locked() };
    Profile { slot: Slot::Card(Box::new(sim)), ..Profile::default() }
}

/// No file below holds it, as ASCII or UTF-16.
fn assert_not_in(folder: &std::path::Path) {
    let wide: Vec<u8> = PIN.bytes().flat_map(|b| [b, 0]).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_not_in(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let found = |what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
            assert!(!found(PIN.as_bytes()) && !found(&wide), "{}", path.display());
        }
    }
}

/// Gone and back, on the same state directory.
async fn replugged(mut bench: Bench) -> Bench {
    let folder = std::mem::replace(&mut bench.folder, tempfile::tempdir().unwrap());
    bench.let_go.send_replace(true);
    assert_eq!(bench.ends().await, Ended::Gone);
    Bench::with(None, locked(), folder)
}

#[tokio::test]
async fn a_kept_pin_is_sealed_and_enters_itself() {
    let enter = || Request::Pin(PinRequest::Enter(Secret::new(PIN.to_owned())));
    let mut bench = Bench::with(None, locked(), tempfile::tempdir().unwrap());
    bench.reaches(ModemState::Locked).await;
    let settings = Settings { pin_store: true, ..Settings::default() };
    while bench.ask(Request::SetSettings(settings.clone())).await == Err(RequestErrorKind::WrongState) {
        tokio::task::yield_now().await;
    }
    assert!(bench.ask(enter()).await.is_ok());
    bench.reaches(ModemState::Connected).await;
    assert_not_in(bench.folder.path());
    let mut bench = replugged(bench).await;
    bench.reaches(ModemState::Connected).await;
    assert_not_in(bench.folder.path());
    // Another key: nothing is stored any more, and a person is asked.
    std::fs::write(bench.folder.path().join("key"), [7; 32]).unwrap();
    let mut bench = replugged(bench).await;
    bench.reaches(ModemState::Locked).await;
    let attempts = bench.snapshot.wait_for(|s| s.sim.pin.is_some()).await.unwrap().sim.pin.clone().unwrap().attempts;
    assert_eq!(attempts, Some(3), "nothing was tried");
    assert!(bench.ask(enter()).await.is_ok());
    bench.reaches(ModemState::Connected).await;
    let off = Settings { pin_store: false, ..settings };
    assert!(bench.ask(Request::SetSettings(off)).await.is_ok());
    let mut bench = replugged(bench).await;
    bench.reaches(ModemState::Locked).await;
}

#[tokio::test]
async fn let_go_at_once() {
    let mut bench = Bench::new(None);
    bench.reaches(ModemState::Connected).await;
    bench.let_go.send_replace(true);
    assert_eq!(bench.ends().await, Ended::Gone);
}

#[tokio::test]
async fn airplane_mode_reaches_the_modem() {
    let mut bench = Bench::new(None);
    bench.reaches(ModemState::Connected).await;
    bench.rfkill.send_replace(true);
    let blocked = bench.snapshot.wait_for(|s| s.radio.blocked);
    assert!(tokio::time::timeout(Duration::from_secs(20), blocked).await.unwrap().is_ok());
}

/// The link is set up for real and nothing is left of it after an unplug.
#[test]
fn an_unplug_leaves_nothing_on_the_interface() {
    if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
        // Written past the test runner, which would swallow it.
        let _ = writeln!(std::io::stderr(), "1 cases need root");
        return;
    }
    let ip = |words: &[&str]| {
        let out = std::process::Command::new("ip").args(words).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    ip(&["link", "add", "w0", "type", "veth", "peer", "name", "far"]);
    ip(&["link", "set", "far", "up"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut bench = Bench::new(Some("w0"));
        let run_dir = bench.folder.path().to_path_buf();
        bench.reaches(ModemState::Connected).await;
        assert!(ip(&["addr", "show", "dev", "w0"]).contains("10.64.0.2/24"));
        assert!(ip(&["route", "show", "default"]).contains("metric 700"));
        assert!(run_dir.join("links/w0.json").exists());
        bench.orders.send(Control::Order(Order::Unplug)).unwrap();
        let folder = std::mem::replace(&mut bench.folder, tempfile::tempdir().unwrap());
        assert_eq!(bench.ends().await, Ended::Gone);
        assert!(!ip(&["addr", "show", "dev", "w0"]).contains("inet"));
        assert_eq!(ip(&["route", "show", "default"]), "");
        assert!(!folder.path().join("links/w0.json").exists());
        assert!(!folder.path().join("resolv.conf.d/w0").exists());
    });
}

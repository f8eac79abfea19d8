//! `mbimctl agent` on a private bus, between stand-ins for the daemon, for the server of notifications and for the browser.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a panic in a test is the report

use std::borrow::Cow;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, connection, fdo, message::Header};

const ROOT: &str = "/org/mbimd/Mbimd1";
const PATH: &str = "/org/mbimd/Mbimd1/modem/0";
const CONNECTIVITY: &str = "org.mbimd.Mbimd1.Connectivity";
const URL: &str = "https://portal.example/start?SubId=001015512345678";
/// What the browser is started with: one file, which nobody else may read.
const FILE: &str = "1 600";
/// How long anything may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

type Dict = HashMap<String, OwnedVariant>;

fn dict(list: &[(&str, Variant<'_>)]) -> Dict {
    list.iter().map(|(key, value)| ((*key).to_owned(), OwnedVariant::try_from(value).unwrap())).collect()
}

/// What the daemon says, and what was asked of it.
struct Says {
    hand_over: &'static str,
    full: bool,
    policy: &'static str,
    url: String,
    asked: usize,
    /// How often somebody looked at all of it.
    looks: usize,
    agent: Option<(String, OwnedObjectPath)>,
}

type Shared<T> = Arc<Mutex<T>>;

struct Objects(Shared<Says>);

#[zbus::interface(name = "org.freedesktop.DBus.ObjectManager")]
impl Objects {
    fn get_managed_objects(&self) -> HashMap<OwnedObjectPath, HashMap<String, Dict>> {
        let mut says = self.0.lock().unwrap();
        says.looks += 1;
        let settings = dict(&[("hand-over", says.policy.into())]);
        let interfaces = HashMap::from([
            (
                "org.mbimd.Mbimd1.Modem".to_owned(),
                dict(&[
                    ("PhysicalDevice", "/sys/devices/x".into()),
                    ("Operator", Variant::new(dict(&[("name", "Contoso <b>& Co".into())]))),
                ]),
            ),
            ("org.mbimd.Mbimd1.Connection".to_owned(), dict(&[("Settings", Variant::new(settings))])),
            (
                CONNECTIVITY.to_owned(),
                dict(&[
                    ("State", (if says.full { 4u32 } else { 2 }).into()),
                    ("HandOver", says.hand_over.into()),
                    ("PortalHost", "portal.example".into()),
                    ("PortalSource", "operator".into()),
                ]),
            ),
        ]);
        HashMap::from([(OwnedObjectPath::try_from(PATH).unwrap(), interfaces)])
    }
}

struct Connectivity(Shared<Says>);

#[zbus::interface(name = "org.mbimd.Mbimd1.Connectivity")]
impl Connectivity {
    fn get_portal_url(&self) -> (String, String) {
        let mut says = self.0.lock().unwrap();
        says.asked += 1;
        (says.url.clone(), "operator".to_owned())
    }
}

struct Provisioning(Shared<Says>);

#[zbus::interface(name = "org.mbimd.Mbimd1.Provisioning")]
impl Provisioning {
    fn register_agent(&self, agent: OwnedObjectPath, #[zbus(header)] call: Header<'_>) {
        let interactive = call.primary().flags().contains(zbus::message::Flags::ALLOW_INTERACTIVE_AUTH);
        assert!(!interactive, "nobody is asked for a password at login");
        self.0.lock().unwrap().agent = Some((call.sender().unwrap().to_string(), agent));
    }
}

/// A notification that was shown.
#[derive(Clone, Debug)]
struct Note {
    summary: String,
    body: String,
    actions: Vec<String>,
}

#[derive(Default)]
struct Screen {
    notes: Vec<Note>,
    closed: Vec<u32>,
}

/// The player of the notification server: its numbers are those of the notes, from 1.
struct Server {
    screen: Shared<Screen>,
    abilities: Vec<&'static str>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<&str> {
        self.abilities.clone()
    }

    #[allow(clippy::too_many_arguments, reason = "the interface is not ours")]
    fn notify(
        &self,
        _program: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout: i32,
    ) -> u32 {
        let mut screen = self.screen.lock().unwrap();
        screen.notes.push(Note { summary, body, actions });
        screen.notes.len().try_into().unwrap()
    }

    fn close_notification(&self, id: u32) {
        self.screen.lock().unwrap().closed.push(id);
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}

/// The desktop's portal.
struct Portal(Shared<Vec<String>>);

#[zbus::interface(name = "org.freedesktop.portal.OpenURI")]
impl Portal {
    #[zbus(name = "OpenURI")]
    fn open_uri(&self, _window: String, uri: String, _options: Dict) -> OwnedObjectPath {
        self.0.lock().unwrap().push(uri);
        OwnedObjectPath::try_from("/request").unwrap()
    }
}

struct Desk {
    folder: tempfile::TempDir,
    address: String,
    says: Shared<Says>,
    screen: Shared<Screen>,
    daemon: Option<Connection>,
    server: Option<Connection>,
    agent: Option<Child>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}

impl Desk {
    /// A bus, and a browser that writes down what it is to open.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let (ready, wait) = mpsc::channel();
        let at = address.clone();
        std::thread::spawn(move || {
            zruntime::block_on(async {
                let mut bus = busd::bus::Bus::for_address(Some(&at)).await.unwrap();
                ready.send(()).unwrap();
                let _ = bus.run().await;
            });
        });
        wait.recv().unwrap();
        let programs = folder.path().join("bin");
        std::fs::create_dir(&programs).unwrap();
        let browser = programs.join("xdg-open");
        // How many words it was given and the rights of the file that the only one names, then where that leads.
        let script = format!(
            "#!/bin/sh\n{{ printf '%s %s\\n' \"$#\" \"$(stat -c %a \"$1\")\"; sed -n 's/.*content=\"0;url=\\([^\"]*\\)\".*/\\1/p' \"$1\"; }} >>{}\n",
            folder.path().join("opened").display()
        );
        std::fs::create_dir(folder.path().join("run")).unwrap();
        std::fs::write(&browser, script).unwrap();
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
        let says =
            Says { hand_over: "none", full: false, policy: "ask", url: URL.into(), asked: 0, looks: 0, agent: None };
        Self {
            folder,
            address,
            says: Arc::new(Mutex::new(says)),
            screen: Arc::default(),
            daemon: None,
            server: None,
            agent: None,
        }
    }

    /// Daemon, server and agent, in this order.
    async fn complete() -> Self {
        let mut desk = Self::new();
        desk.start_daemon().await;
        desk.start_server(&["actions", "body", "body-markup"]).await;
        desk.start_agent("--desktop");
        desk
    }

    fn start_agent(&mut self, mode: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mbimctl"));
        let file = |name: &str| Stdio::from(std::fs::File::create(self.folder.path().join(name)).unwrap());
        command.args(["--bus", &self.address, "agent", mode]).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.env("XDG_RUNTIME_DIR", self.folder.path().join("run"));
        command.env("PATH", format!("{}:/usr/bin:/bin", self.folder.path().join("bin").display()));
        self.agent = Some(command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err")).spawn().unwrap());
    }

    async fn start_daemon(&mut self) {
        let builder = connection::Builder::address(self.address.as_str())
            .serve_at(ROOT, Objects(self.says.clone()))
            .serve_at(ROOT, Provisioning(self.says.clone()))
            .serve_at(PATH, Connectivity(self.says.clone()))
            .name("org.mbimd.Mbimd1");
        self.daemon = Some(builder.build().await.unwrap());
    }

    async fn start_server(&mut self, abilities: &[&'static str]) {
        let server = Server { screen: self.screen.clone(), abilities: abilities.to_vec() };
        let builder = connection::Builder::address(self.address.as_str())
            .serve_at("/org/freedesktop/Notifications", server)
            .name("org.freedesktop.Notifications");
        self.server = Some(builder.build().await.unwrap());
    }

    /// The daemon says something else; returns when the agent has seen it.
    async fn say(&self, change: impl FnOnce(&mut Says)) {
        let (hand_over, looks) = {
            let mut says = self.says.lock().unwrap();
            change(&mut says);
            (says.hand_over, says.looks)
        };
        let emitter = SignalEmitter::new(self.daemon.as_ref().unwrap(), PATH).unwrap();
        let changed = HashMap::from([("HandOver", Variant::from(hand_over))]);
        let name = InterfaceName::try_from(CONNECTIVITY).unwrap();
        fdo::Properties::properties_changed(&emitter, name, changed, Cow::Borrowed(&[])).await.unwrap();
        self.until("a look", || (self.says.lock().unwrap().looks > looks).then_some(())).await;
    }

    async fn press(&self, id: u32, action: &str) {
        let emitter = SignalEmitter::new(self.server.as_ref().unwrap(), "/org/freedesktop/Notifications").unwrap();
        Server::action_invoked(&emitter, id, action).await.unwrap();
    }

    async fn dismiss(&self, id: u32) {
        let emitter = SignalEmitter::new(self.server.as_ref().unwrap(), "/org/freedesktop/Notifications").unwrap();
        Server::notification_closed(&emitter, id, 2).await.unwrap();
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Waits until so many notifications were shown in all; the last one.
    async fn note(&self, count: usize) -> Note {
        self.until("a notification", || self.screen.lock().unwrap().notes.get(count - 1).cloned()).await
    }

    async fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{what}: {:?}, {}",
                self.screen.lock().unwrap().notes,
                self.file("err")
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn asked(&self) -> usize {
        self.says.lock().unwrap().asked
    }

    /// What the browser was given.
    async fn opened(&self, count: usize) -> Vec<String> {
        let lines = || self.file("opened").lines().map(str::to_owned).collect::<Vec<_>>();
        self.until("the browser", || Some(lines()).filter(|lines| lines.len() >= 2 * count)).await
    }
}

/// OPER-112, OPER-114
#[tokio::test]
async fn a_pressed_notification_opens_the_page_and_nothing_else() {
    let desk = Desk::complete().await;
    desk.say(|says| says.hand_over = "open").await;
    let note = desk.note(1).await;
    assert!(note.body.contains("portal.example") && note.body.contains("the numbers of this SIM"), "{note:?}");
    assert!(note.body.contains("Contoso &lt;b&gt;&amp; Co"), "no markup of others: {note:?}");
    assert!(!note.body.contains("SubId") && note.actions == ["default", "Open", "open", "Open"], "{note:?}");
    assert_eq!(desk.asked(), 0, "nothing that names anybody is fetched before");
    // Of somebody else's notification.
    desk.press(77, "open").await;
    desk.press(1, "open").await;
    assert_eq!(desk.opened(1).await, [FILE, URL]);
    desk.until("the end of the notification", || desk.screen.lock().unwrap().closed.contains(&1).then_some(())).await;
    // It is not asked again before all was well; a signal that comes twice opens nothing twice.
    desk.press(1, "open").await;
    desk.say(|says| says.hand_over = "none").await;
    desk.say(|says| says.hand_over = "open").await;
    desk.say(|says| says.hand_over = "notify").await;
    let note = desk.note(2).await;
    assert!(note.summary.contains("does not connect") && note.actions.is_empty(), "{note:?}");
    // All is well: what is shown goes, and what was seen is forgotten.
    desk.say(|says| (says.hand_over, says.full) = ("none", true)).await;
    desk.until("the end of the notification", || desk.screen.lock().unwrap().closed.contains(&2).then_some(())).await;
    desk.say(|says| (says.hand_over, says.full) = ("open-elsewhere", false)).await;
    let note = desk.note(3).await;
    assert!(note.body.contains("another connection"), "{note:?}");
    desk.press(3, "default").await;
    assert_eq!(desk.opened(2).await, [FILE, URL, FILE, URL]);
    assert_eq!(desk.asked(), 2);
    let left = || std::fs::read_dir(desk.folder.path().join("run")).unwrap().count();
    desk.until("the end of the files", || (left() == 0).then_some(())).await;
    assert!(!(desk.file("err") + &desk.file("out")).contains("portal.example"), "nothing is printed");
}

#[tokio::test]
async fn a_dismissed_notification_opens_nothing() {
    let desk = Desk::complete().await;
    desk.say(|says| says.hand_over = "open").await;
    desk.note(1).await;
    desk.dismiss(1).await;
    // A press that is late.
    desk.press(1, "open").await;
    desk.say(|_| ()).await;
    desk.say(|says| says.hand_over = "notify").await;
    assert!(desk.note(2).await.summary.contains("does not connect"), "the second is not the first again");
    desk.press(2, "open").await;
    desk.until("the end of the notification", || desk.screen.lock().unwrap().closed.contains(&2).then_some(())).await;
    desk.say(|says| (says.hand_over, says.full) = ("none", true)).await;
    desk.say(|says| (says.hand_over, says.full) = ("notify", false)).await;
    desk.note(3).await;
    assert_eq!((desk.asked(), desk.file("opened").as_str()), (0, ""));
}

#[tokio::test]
async fn pages_that_are_none_of_the_encrypted_web_are_refused() {
    let desk = Desk::complete().await;
    let urls =
        ["http://portal.example/", "javascript:alert(1)", "file:///etc/passwd", "--version", "https://u@x.example/"];
    for (turn, url) in urls.into_iter().enumerate() {
        desk.say(|says| (says.hand_over, says.full, says.url) = ("open", false, url.to_owned())).await;
        let shown = 2 * turn + 1;
        desk.note(shown).await;
        desk.press(u32::try_from(shown).unwrap(), "open").await;
        let note = desk.note(shown + 1).await;
        assert!(note.summary.contains("not opened") && note.body.contains("https"), "{url}: {note:?}");
        desk.say(|says| (says.hand_over, says.full) = ("none", true)).await;
        desk.until("the question", || (desk.asked() == turn + 1).then_some(())).await;
    }
    assert_eq!(desk.file("opened"), "");
}

#[tokio::test]
async fn the_desktops_portal_is_asked_first() {
    let desk = Desk::complete().await;
    let opened: Shared<Vec<String>> = Arc::default();
    let builder = connection::Builder::address(desk.address.as_str())
        .serve_at("/org/freedesktop/portal/desktop", Portal(opened.clone()))
        .name("org.freedesktop.portal.Desktop");
    let _portal = builder.build().await.unwrap();
    desk.say(|says| says.hand_over = "open").await;
    desk.note(1).await;
    desk.press(1, "open").await;
    desk.until("the portal", || (*opened.lock().unwrap() == [URL]).then_some(())).await;
    assert_eq!(desk.file("opened"), "");
    // Who wants no question gets none.
    desk.say(|says| (says.hand_over, says.full) = ("none", true)).await;
    desk.say(|says| (says.hand_over, says.full, says.policy) = ("open", false, "always")).await;
    desk.until("the portal", || (opened.lock().unwrap().len() == 2).then_some(())).await;
    assert_eq!(desk.screen.lock().unwrap().notes.len(), 1);
}

#[tokio::test]
async fn it_may_come_before_the_daemon_and_outlive_it() {
    let mut desk = Desk::new();
    desk.start_server(&["actions"]).await;
    desk.start_agent("--desktop");
    // Nobody knows when it listens; the daemon comes in any case later than its start.
    desk.says.lock().unwrap().hand_over = "open";
    desk.start_daemon().await;
    assert!(!desk.note(1).await.body.contains("&amp;"), "no markup for who knows none");
    let registered = |desk: &Desk| desk.says.lock().unwrap().agent.clone();
    desk.until("the agent to be known", || registered(&desk)).await;
    desk.says.lock().unwrap().agent = None;
    // The daemon restarts.
    drop(desk.daemon.take().unwrap().close().await);
    desk.until("the end of the notification", || desk.screen.lock().unwrap().closed.contains(&1).then_some(())).await;
    desk.start_daemon().await;
    desk.note(2).await;
    desk.until("the agent to be known", || registered(&desk)).await;
    desk.press(2, "open").await;
    assert_eq!(desk.opened(1).await, [FILE, URL]);
}

#[tokio::test]
async fn without_notifications_it_says_how_and_waits_for_them() {
    let mut desk = Desk::new();
    desk.start_daemon().await;
    desk.says.lock().unwrap().hand_over = "open";
    desk.start_agent("--desktop");
    desk.until("a word", || desk.file("err").contains("mbimctl portal --open").then_some(())).await;
    desk.start_server(&["body"]).await;
    let note = desk.note(1).await;
    assert!(note.actions.is_empty() && note.body.contains("mbimctl portal --open"), "{note:?}");
    // Another server knows nothing of it.
    drop(desk.server.take().unwrap().close().await);
    desk.start_server(&["actions"]).await;
    assert_eq!(desk.note(2).await.actions.len(), 4);
    // Told to end, it leaves nothing on the screen.
    let pid = desk.agent.as_ref().unwrap().id();
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    let begun = Instant::now();
    let ended = loop {
        if let Some(ended) = desk.agent.as_mut().unwrap().try_wait().unwrap() {
            break ended;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(ended.code(), Some(0));
    assert!(desk.screen.lock().unwrap().closed.contains(&2));
    assert_eq!(desk.asked(), 0);
}

#[tokio::test]
async fn signers_are_asked_about_by_notifications() {
    let desk = Desk::complete().await;
    let (name, path) = desk.until("the agent to be known", || desk.says.lock().unwrap().agent.clone()).await;
    let client = connection::Builder::address(desk.address.as_str()).build().await.unwrap();
    let approve = |job: u32| {
        let (client, name, path) = (client.clone(), name.clone(), path.clone());
        tokio::spawn(async move {
            let details = dict(&[("signer", "CN=Shop".into()), ("carrier-id", "{id}".into())]);
            let interface = Some("org.mbimd.Mbimd1.Agent");
            let reply =
                client.call_method(Some(name.as_str()), path, interface, "ApproveSigner", &(job, details)).await;
            reply.unwrap().body().deserialize::<bool>().unwrap()
        })
    };
    let yes = approve(1);
    let note = desk.note(1).await;
    assert!(note.body.contains("CN=Shop") && note.actions == ["apply", "Apply", "decline", "Decline"], "{note:?}");
    desk.press(1, "apply").await;
    assert!(yes.await.unwrap());
    let no = approve(2);
    desk.note(2).await;
    desk.press(2, "decline").await;
    assert!(!no.await.unwrap());
    let closed = approve(3);
    desk.note(3).await;
    desk.dismiss(3).await;
    assert!(!closed.await.unwrap(), "no answer is a no");
    let taken_back = approve(4);
    desk.note(4).await;
    client.call_method(Some(name.as_str()), path, Some("org.mbimd.Mbimd1.Agent"), "Cancel", &(4u32,)).await.unwrap();
    assert!(!taken_back.await.unwrap());
    desk.until("the end of the notification", || desk.screen.lock().unwrap().closed.contains(&4).then_some(())).await;
}

#[tokio::test]
async fn a_console_shows_the_page_and_its_code() {
    let mut desk = Desk::new();
    desk.start_agent("--console");
    desk.says.lock().unwrap().hand_over = "open";
    desk.start_daemon().await;
    let out =
        desk.until("the page", || Some(desk.file("out")).filter(|out| out.contains("▀") && out.ends_with('\n'))).await;
    assert!(out.contains(&format!("\n{URL}\n")), "{out}");
    desk.say(|says| (says.hand_over, says.full) = ("none", true)).await;
    desk.until("the good end", || desk.file("out").contains("reaches the Internet").then_some(())).await;
    desk.say(|says| (says.hand_over, says.full, says.url) = ("open", false, "http://x.example/".to_owned())).await;
    desk.until("a refusal", || desk.file("out").contains("cannot be shown").then_some(())).await;
    assert!(!desk.file("out").contains("http://"), "{}", desk.file("out"));
    assert!(PathBuf::from(desk.folder.path()).is_dir());
}

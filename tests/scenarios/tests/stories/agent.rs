//! The agent of a desktop between the real daemon and stand-ins for the server of notifications and the browser: asked, it leads
//! to the operator's page; the plan is bought there, and the agent falls silent.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use dbus_api::name::CONNECTIVITY;
use harness::cases::Case;
use harness::virtual_operator::address::PORTAL;
use harness::wait;
use scenarios::canary::Search;
use scenarios::client::PATIENCE;
use scenarios::ctl::{Ctl, Running};
use scenarios::site::Account;
use scenarios::stage::{Outcome, Stage, quick, story};
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedVariant, connection};

use super::garden::done;

pub(crate) const CASES: &[Case] =
    &[Case { name: "the_agent_leads_to_the_page_where_the_plan_is_bought", run: || story("garden", led) }];

const AT: &str = "/org/freedesktop/Notifications";

/// What was shown: heads and texts; and how many notifications were taken back.
#[derive(Debug, Default)]
struct Screen {
    notes: Vec<String>,
    closed: usize,
}

/// A server of notifications whose numbers count from 1.
struct Server(Arc<Mutex<Screen>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body"]
    }

    #[allow(clippy::too_many_arguments, reason = "the interface is not ours")]
    fn notify(
        &self,
        _program: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout: i32,
    ) -> u32 {
        let mut screen = self.0.lock().unwrap();
        screen.notes.push(format!("{summary}\n{body}"));
        u32::try_from(screen.notes.len()).unwrap()
    }

    fn close_notification(&self, _id: u32) {
        self.0.lock().unwrap().closed += 1;
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

/// A session: the screen, a browser that writes down where it is led, and the agent.
struct Session {
    screen: Arc<Mutex<Screen>>,
    bus: Connection,
    agent: Running,
}

impl Session {
    async fn begin(stage: &Stage, folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let address = stage.world.bus.address();
        let screen = Arc::<Mutex<Screen>>::default();
        let builder = connection::Builder::address(address)
            .serve_at(AT, Server(screen.clone()))
            .name("org.freedesktop.Notifications");
        let bus = builder.build().await?;
        let programs = folder.join("bin");
        for inner in [folder, &programs, &folder.join("run")] {
            fs::create_dir(inner)?;
        }
        let browser = programs.join("xdg-open");
        let script = format!(
            "#!/bin/sh\n[ $# = 1 ] && sed -n 's/.*content=\"0;url=\\([^\"]*\\)\".*/\\1/p' \"$1\" | sed 's/&amp;/\\&/g' >{0}.new && mv {0}.new {0}\n",
            folder.join("opened").display()
        );
        fs::write(&browser, script)?;
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755))?;
        let path = format!("{}:/usr/bin:/bin", programs.display());
        let ctl = Ctl::beside_test(address)?
            .with("DBUS_SESSION_BUS_ADDRESS", address)
            .with("XDG_RUNTIME_DIR", &folder.join("run").display().to_string())
            .with("PATH", &path);
        let agent = ctl.start(folder, &["agent", "--desktop"])?;
        Ok(Self { screen, bus, agent })
    }

    async fn press(&self, id: u32) -> zbus::Result<()> {
        Server::action_invoked(&SignalEmitter::new(&self.bus, AT)?, id, "open").await
    }
}

async fn led(stage: &mut Stage) -> Outcome {
    let folder = stage.world.directory().join("session");
    let session = Session::begin(stage, &folder).await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.walled().await?;
    assert_eq!(stage.client.view(modem).await?.text(CONNECTIVITY, "HandOver"), "open");
    let note =
        wait::until("a notification", PATIENCE, || async { session.screen.lock().unwrap().notes.first().cloned() });
    let note = note.await?;
    assert!(note.contains(PORTAL.name), "{note}");

    session.press(1).await?;
    let opened = || async { fs::read_to_string(folder.join("opened")).ok().map(|url| url.trim().to_owned()) };
    let url = wait::until("the browser", PATIENCE, opened).await?;
    assert_eq!(url, stage.client.portal_url(modem).await?, "the page of this subscriber, whole");
    let left = || async { (fs::read_dir(folder.join("run")).map_or(1, Iterator::count) == 0).then_some(()) };
    wait::until("the way there to be taken away", PATIENCE, left).await?;

    // What the person does there.
    let account = Account::buy(stage.world.root_certificate(), &url).await?;
    for document in ["activation", "profile"] {
        done(&stage.client.apply(&account.document(document).await?).await?);
    }
    stage.online().await?;
    assert_eq!(stage.client.view(modem).await?.text(CONNECTIVITY, "HandOver"), "none");
    session.agent.signal(nix::sys::signal::Signal::SIGTERM)?;
    let said = session.agent.end().await?;
    assert_eq!((said.status, said.output.as_str(), said.error.as_str()), (0, "", ""));
    let screen = std::mem::take(&mut *session.screen.lock().unwrap());
    assert_eq!((screen.notes.len(), screen.closed), (1, 1), "{screen:?}");
    // Nothing of it names the subscriber but what the browser was given.
    let search = Search::default();
    assert!(!search.find(url.as_bytes()).is_empty(), "the search has something to find");
    for text in [note.as_bytes(), stage.log().as_bytes()] {
        assert!(search.find(text).is_empty());
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

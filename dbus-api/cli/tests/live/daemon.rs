//! A stand-in for the daemon: the members that the commands use, with fixed answers. That the real one has these members
//! with these types is tested where it is.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use tokio::sync::watch;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, connection};

const PATH: &str = "/org/mbimd/Mbimd1/modem/0";

/// A private bus, and a daemon on it. Both live on threads that end with the value or the process.
pub(crate) struct Stand {
    address: String,
    calls: mpsc::Receiver<()>,
    stop: watch::Sender<bool>,
    daemon: Option<thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Stand {
    pub(crate) fn without_daemon() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let (ready, wait) = mpsc::channel();
        let at = address.clone();
        thread::spawn(move || {
            zruntime::block_on(async {
                let mut bus = busd::bus::Bus::for_address(Some(&at)).await.unwrap();
                ready.send(()).unwrap();
                let _ = bus.run().await;
            });
        });
        wait.recv().unwrap();
        let (_, calls) = mpsc::channel();
        Self { address, calls, stop: watch::channel(false).0, daemon: None, _folder: folder }
    }

    pub(crate) fn new() -> Self {
        let mut stand = Self::without_daemon();
        let (called, calls) = mpsc::channel();
        let (stop, mut stopped) = watch::channel(false);
        let (ready, wait) = mpsc::channel();
        let address = stand.address.clone();
        stand.daemon = Some(thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let connection = serve(&address, called).await;
                ready.send(()).unwrap();
                let _ = stopped.wait_for(|stop| *stop).await;
                connection.release_name("org.mbimd.Mbimd1").await.unwrap();
            });
        }));
        wait.recv().unwrap();
        Self { calls, stop, ..stand }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until a connection was asked for.
    pub(crate) fn wait_for_call(&self) {
        self.calls.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    }

    pub(crate) fn stop_daemon(&self) {
        self.stop.send_replace(true);
    }
}

async fn serve(address: &str, called: mpsc::Sender<()>) -> Connection {
    let root = "/org/mbimd/Mbimd1";
    connection::Builder::address(address)
        .serve_at(root, ObjectManager)
        .serve_at(root, Provisioning::default())
        .serve_at(PATH, Modem)
        .serve_at(PATH, Sim)
        .serve_at(PATH, Link { called, state: "down", roaming: "home", cookie: 0, sessions: Vec::new() })
        .serve_at(PATH, Connectivity)
        .name("org.mbimd.Mbimd1")
        .build()
        .await
        .unwrap()
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.mbimd.Mbimd1.Error")]
enum Refusal {
    NotAuthorized(String),
    WrongPin(String),
    DocumentRefused(String),
    NotFound(String),
}

type Dict = HashMap<String, OwnedVariant>;

fn dict(list: &[(&str, Variant<'_>)]) -> Dict {
    list.iter().map(|(key, value)| ((*key).to_owned(), OwnedVariant::try_from(value).unwrap())).collect()
}

struct ObjectManager;

#[zbus::interface(name = "org.freedesktop.DBus.ObjectManager")]
impl ObjectManager {
    async fn get_managed_objects(
        &self,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> HashMap<OwnedObjectPath, HashMap<String, Dict>> {
        let link = server.interface::<_, Link>(PATH).await.unwrap();
        let link = link.get().await;
        let addresses: &[&str] = if link.state == "up" { &["10.64.0.2/30"] } else { &[] };
        let interfaces = HashMap::from([
            (
                "org.mbimd.Mbimd1.Modem".to_owned(),
                dict(&[
                    ("Index", 0u32.into()),
                    ("Custody", "held".into()),
                    ("ControlPort", "/dev/cdc-wdm0".into()),
                    ("DataPort", "wwan0".into()),
                    ("Hardware", "Virtual".into()),
                    ("State", 8i32.into()),
                    ("StateName", "registered".into()),
                    ("StateReason", Variant::new(("waiting", "Waiting for the network."))),
                    ("NetworkName", "Contoso".into()),
                    ("Signal", Variant::new(dict(&[("quality", 70u8.into()), ("rsrp", (-95i32).into())]))),
                ]),
            ),
            (
                "org.mbimd.Mbimd1.Sim".to_owned(),
                dict(&[("Ready", "initialized".into()), ("Imsi", "00101********98".into())]),
            ),
            (
                "org.mbimd.Mbimd1.Connection".to_owned(),
                dict(&[
                    ("State", link.state.into()),
                    ("Interface", "wwan0".into()),
                    ("Addresses", Variant::new(addresses)),
                    ("Sessions", Variant::new(link.list())),
                ]),
            ),
            ("org.mbimd.Mbimd1.Connectivity".to_owned(), dict(&[("State", 1u32.into()), ("StateName", "none".into())])),
        ]);
        HashMap::from([(OwnedObjectPath::try_from(PATH).unwrap(), interfaces)])
    }
}

struct Modem;

#[zbus::interface(name = "org.mbimd.Mbimd1.Modem")]
impl Modem {
    fn set_radio(&self, _enabled: bool) {}

    fn refresh_signal(&self) {}

    fn explain(&self) -> Vec<(&str, &str, &str, &str)> {
        vec![("sim", "ok", "The SIM is ready.", ""), ("connection", "waiting", "Not connected.", "mbimctl connect")]
    }

    #[zbus(property)]
    fn signal(&self) -> Dict {
        dict(&[("quality", 70u8.into())])
    }
}

struct Sim;

#[zbus::interface(name = "org.mbimd.Mbimd1.Sim")]
impl Sim {
    fn enter_pin(&self, pin: &str) -> Result<(), Refusal> {
        if pin == "1234" { Ok(()) } else { Err(Refusal::WrongPin("The PIN is wrong.".into())) }
    }

    fn get_identity(&self) -> Result<HashMap<String, String>, Refusal> {
        Err(Refusal::NotAuthorized("Not authorised (org.mbimd.identity); run it as root.".into()))
    }
}

/// The connection: up at once, refused, or without an end, as the access point's name says.
struct Link {
    called: mpsc::Sender<()>,
    state: &'static str,
    roaming: &'static str,
    cookie: u64,
    /// Those above 0 that are up.
    sessions: Vec<u32>,
}

impl Link {
    fn list(&self) -> Vec<Dict> {
        let one = |number: &u32| {
            dict(&[
                ("session", (*number).into()),
                ("state", "up".into()),
                ("interface", format!("wwan0.{number}").into()),
                ("apn", "ims".into()),
                ("addresses", Variant::new(vec!["10.64.2.2/30"])),
            ])
        };
        self.sessions.iter().map(one).collect()
    }
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Connection")]
impl Link {
    async fn connect(&mut self, options: Dict, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> u64 {
        self.cookie += 1;
        let _ = self.called.send(());
        let apn = options.get("apn").and_then(|value| <&str>::try_from(&**value).ok()).unwrap_or_default();
        match apn {
            "never" => {}
            "refused" => {
                let error = "org.mbimd.Mbimd1.Error.Refused";
                let text = "The network does not know this access point (cause 27).";
                Self::finished(&emitter, self.cookie, error, "apn-unknown", text).await.unwrap();
            }
            _ => {
                match options.get("session").map(|value| &**value) {
                    Some(Variant::U32(session @ 1..)) => self.sessions.push(*session),
                    _ => self.state = "up",
                }
                self.state_changed(&emitter).await.unwrap();
                Self::finished(&emitter, self.cookie, "", "", "").await.unwrap();
            }
        }
        self.cookie
    }

    async fn disconnect(&mut self, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> u64 {
        self.cookie += 1;
        self.state = "down";
        self.state_changed(&emitter).await.unwrap();
        Self::finished(&emitter, self.cookie, "", "", "").await.unwrap();
        self.cookie
    }

    async fn disconnect_session(&mut self, session: u32, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> u64 {
        self.cookie += 1;
        self.sessions.retain(|number| *number != session);
        Self::finished(&emitter, self.cookie, "", "", "").await.unwrap();
        self.cookie
    }

    fn set_settings(&mut self, changes: Dict, reset: Vec<String>) {
        assert!(changes.keys().chain(&reset).all(|key| key == "roaming"));
        self.roaming = if reset.is_empty() { "any" } else { "home" };
    }

    #[zbus(property)]
    fn settings(&self) -> Dict {
        dict(&[("autoconnect", true.into()), ("roaming", self.roaming.into())])
    }

    #[zbus(property)]
    fn sessions(&self) -> Vec<Dict> {
        self.list()
    }

    #[zbus(property)]
    fn state(&self) -> &str {
        self.state
    }

    #[zbus(signal)]
    async fn finished(
        emitter: &SignalEmitter<'_>,
        cookie: u64,
        error: &str,
        reason: &str,
        message: &str,
    ) -> zbus::Result<()>;
}

struct Connectivity;

#[zbus::interface(name = "org.mbimd.Mbimd1.Connectivity")]
impl Connectivity {
    fn get_portal_url(&self) -> (&str, &str) {
        ("https://portal.example/", "operator")
    }
}

/// Takes `<good/>`, refuses the rest. The results are there at once, the activation a signal later.
#[derive(Default)]
struct Provisioning {
    jobs: Vec<u32>,
}

fn job(id: u32, state: &str, results: bool) -> Dict {
    let steps = vec![HashMap::from([("id", "mbn/default"), ("what", "store"), ("outcome", "done"), ("error", "")])];
    let mut job = dict(&[
        ("id", id.into()),
        ("state", state.into()),
        ("steps", Variant::new(steps)),
        ("all-elements-provisioned", true.into()),
    ]);
    if state == "done" {
        job.extend(dict(&[("document", id.into())]));
        job.extend(dict(&[("activation", 0u32.into())]));
    }
    if results {
        job.extend(dict(&[("results-xml", "<results/>".into())]));
    }
    job
}

fn document(id: u32) -> Dict {
    dict(&[
        ("id", id.into()),
        ("time", 1_780_272_000u64.into()),
        ("source", "app".into()),
        ("digest", "ab".into()),
        ("code", 0u32.into()),
        ("all-elements-provisioned", true.into()),
        ("refresh", "scheduled".into()),
        ("refresh-time", 1_780_358_400u64.into()),
    ])
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Provisioning")]
impl Provisioning {
    async fn apply(
        &mut self,
        document: Vec<u8>,
        options: Dict,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<(u32, Dict), Refusal> {
        assert!(options.contains_key("source"));
        if document != b"<good/>" {
            return Err(Refusal::DocumentRefused("82170002 1:1: not valid".into()));
        }
        let id = u32::try_from(self.jobs.len()).unwrap() + 1;
        self.jobs.push(id);
        let emitter = emitter.into_owned();
        tokio::spawn(async move {
            for state in ["activating", "done"] {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                Self::job_changed(&emitter, id, job(id, state, false)).await.unwrap();
            }
        });
        Ok((id, job(id, "applying", false)))
    }

    fn get_job(&self, number: u32) -> Dict {
        if number > 100 {
            return job(number, "fetching", false);
        }
        job(number, "activating", true)
    }

    fn list_documents(&self) -> Vec<Dict> {
        self.jobs.iter().map(|id| document(*id)).collect()
    }

    fn get_document(&self, number: u32) -> Result<Dict, Refusal> {
        if self.jobs.contains(&number) {
            Ok(document(number))
        } else {
            Err(Refusal::NotFound("no such document".into()))
        }
    }

    fn remove_document(&mut self, number: u32) -> Result<(), Refusal> {
        let found = self.jobs.iter().position(|id| *id == number);
        let found = found.ok_or_else(|| Refusal::NotFound("no such document".into()))?;
        self.jobs.remove(found);
        Ok(())
    }

    /// There is nothing newer than the first, and the second's server does not answer.
    async fn refresh(&self, document: u32, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> Result<u32, Refusal> {
        if document > 2 {
            return Err(Refusal::NotFound("no such document".into()));
        }
        let emitter = emitter.into_owned();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let mut end = dict(&[("id", (100 + document).into()), ("state", "done".into())]);
            if document == 2 {
                let state = Variant::from("failed");
                end.extend(dict(&[("state", state), ("error-code", 1u32.into()), ("error", "status 500".into())]));
            }
            Self::job_changed(&emitter, 100 + document, end).await.unwrap();
        });
        Ok(100 + document)
    }

    fn list_jobs(&self) -> Vec<Dict> {
        self.jobs.iter().map(|id| job(*id, "done", false)).collect()
    }

    #[zbus(signal)]
    async fn job_changed(emitter: &SignalEmitter<'_>, number: u32, details: Dict) -> zbus::Result<()>;
}

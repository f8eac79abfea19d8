//! On a bus: the name, and polkit where somebody plays it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dbus_api::error::{Code, Error};
use dbus_api::proxy::ModemProxy;
use tokio::sync::{mpsc, watch};
use zbus::{Connection, OwnedVariant};

use super::bus::Bus;
use super::{FakeModem, open_gate, provisioner, shut_gate};
use crate::dbus::{Gate, ServeError, serve};
use crate::handle::Job;

/// Plays polkit: gives one fixed answer and remembers the questions.
struct Authority {
    answer: (bool, bool),
    asked: Arc<Mutex<Vec<(String, u32)>>>,
}

#[zbus::interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Authority {
    fn check_authorization(
        &self,
        subject: (String, HashMap<String, OwnedVariant>),
        action: String,
        _details: HashMap<String, String>,
        flags: u32,
        _cancellation: String,
    ) -> ((bool, bool, HashMap<String, String>),) {
        assert_eq!(subject.0, "system-bus-name");
        assert!(subject.1.contains_key("name"));
        self.asked.lock().unwrap().push((action, flags));
        ((self.answer.0, self.answer.1, HashMap::new()),)
    }
}

async fn play_polkit(bus: &Bus, answer: (bool, bool)) -> (Connection, Arc<Mutex<Vec<(String, u32)>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let authority = Authority { answer, asked: Arc::clone(&asked) };
    let connection = bus.connect().await;
    connection.object_server().at("/org/freedesktop/PolicyKit1/Authority", authority).await.unwrap();
    connection.request_name("org.freedesktop.PolicyKit1").await.unwrap();
    (connection, asked)
}

async fn try_radio(bus: &Bus, gate: Gate) -> Result<(), Error> {
    let modem = FakeModem::new(0);
    let (_modems, followed) = watch::channel(vec![modem.handle.clone()]);
    let (provisioner, _far) = provisioner(|_| Ok(Job::default()));
    let connection = bus.connect().await;
    let server = serve(&connection, followed, provisioner, mpsc::channel(1).1, crate::proxy::Register::default(), gate)
        .await
        .unwrap();
    let client = bus.connect().await;
    let proxy = ModemProxy::builder(&client).path(dbus_api::path::modem(0)).build().await.unwrap();
    let result = proxy.set_radio(true).await.map_err(Error::from);
    assert_eq!(result.is_ok(), !modem.asked().is_empty());
    server.stop().await;
    result
}

#[tokio::test]
async fn without_polkit_only_the_trusted_may() {
    let bus = Bus::start().await;
    assert_eq!(try_radio(&bus, open_gate()).await, Ok(()));
    assert_eq!(try_radio(&bus, shut_gate()).await.unwrap_err().code(), Code::NotAuthorized);
}

#[tokio::test]
async fn polkit_decides_where_it_is() {
    let bus = Bus::start().await;
    // Nobody is trusted without polkit here, so that its answer alone counts, whoever runs the test.
    let (authority, asked) = play_polkit(&bus, (true, false)).await;
    assert_eq!(try_radio(&bus, shut_gate()).await, Ok(()));
    // The proxies allow that the user is asked.
    assert_eq!(*asked.lock().unwrap(), [("org.mbimd.radio".to_owned(), 1)]);
    authority.close().await.unwrap();

    let (authority, _) = play_polkit(&bus, (false, false)).await;
    let trusted_but_refused = Gate::trusting(&[rustix::process::getuid().as_raw(), 1]);
    if rustix::process::getuid().as_raw() != 0 {
        assert_eq!(try_radio(&bus, trusted_but_refused).await.unwrap_err().code(), Code::NotAuthorized);
    }
    assert_eq!(try_radio(&bus, shut_gate()).await.unwrap_err().code(), Code::NotAuthorized);
    authority.close().await.unwrap();

    let (_authority, _) = play_polkit(&bus, (false, true)).await;
    let error = try_radio(&bus, shut_gate()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotAuthorized);
    assert!(error.message().contains("authentication"), "{error}");
}

#[tokio::test]
async fn a_polkit_that_answers_nonsense_refuses() {
    let bus = Bus::start().await;
    let connection = bus.connect().await;
    connection.request_name("org.freedesktop.PolicyKit1").await.unwrap();
    // The name is owned, the object is not there.
    connection.object_server().at("/elsewhere", zbus_stub::Stub).await.unwrap();
    let error = try_radio(&bus, open_gate_but_not_root()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotAuthorized);
}

/// As [`open_gate`], without the rule that root needs no polkit.
fn open_gate_but_not_root() -> Gate {
    let uid = rustix::process::getuid().as_raw();
    if uid == 0 { shut_gate() } else { open_gate() }
}

mod zbus_stub {
    pub(super) struct Stub;

    #[zbus::interface(name = "org.mbimd.Test")]
    impl Stub {
        fn nothing(&self) {}
    }
}

#[tokio::test]
async fn the_name_is_neither_shared_nor_taken() {
    let bus = Bus::start().await;
    let first = bus.connect().await;
    first.request_name(dbus_api::name::SERVICE).await.unwrap();
    let (_modems, followed) = watch::channel(Vec::new());
    let (provisioner, _far) = provisioner(|_| Ok(Job::default()));
    let second = bus.connect().await;
    let error =
        serve(&second, followed, provisioner, mpsc::channel(1).1, crate::proxy::Register::default(), open_gate())
            .await
            .unwrap_err();
    assert!(matches!(error, ServeError::NameTaken), "{error}");
}

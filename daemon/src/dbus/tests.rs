//! Server and proxies together, over a socket pair (no bus needed) and over a private bus where names and polkit count.

pub(crate) mod bus;
mod calls;
mod introspection;
mod polkit;
mod privacy;
mod provisioning;
mod publishing;

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use daemon_core::request::{Reply, Request, RequestError, RequestErrorKind};
use daemon_core::snapshot::{
    Connection as ConnectionView, ContextState, Device, IpSettings, ModemState, OperatorChoice, Port, Reason, Snapshot,
};
use daemon_core::usage::{Counters, Day};
use daemon_operator::identity::{CellClass, Identity, Reported};
use futures_util::StreamExt;
use mbim_proto::Personal;
use tokio::sync::{mpsc, oneshot, watch};
use zbus::{Connection, Guid, MessageStream, connection, message};

use super::policy::Gate;
use crate::actor::trace::{Last, Traces};
use crate::handle::{Approval, Job, ModemHandle, Provisioner, Submission, Tracer, Wish};
use crate::store::Store;
use crate::store::operators::Operators;

pub(super) const IMSI: &str = "001017654321098";
pub(super) const ICCID: &str = "8900101765432109874";
pub(super) const IMEI: &str = "490154203237518";
pub(super) const NUMBER: &str = "15550107654321";
pub(super) const URL: &str = "https://portal.example/?SubId=001017654321098";

/// What a trace of the modem holds.
pub(super) const FRAME: &[u8] = &[2, 0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0];

/// A modem that answers requests as told and remembers them.
pub(super) struct FakeModem {
    pub(super) handle: ModemHandle,
    pub(super) snapshot: watch::Sender<Arc<Snapshot>>,
    pub(super) asked: Arc<Mutex<Vec<Request>>>,
}

impl FakeModem {
    pub(super) fn new(id: u32) -> Self {
        let (snapshot, seen) = watch::channel(Arc::new(online()));
        let (requests, mut incoming) = mpsc::channel::<(Request, oneshot::Sender<_>)>(8);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Some((request, answer)) = incoming.recv().await {
                let reply = answer_to(&request);
                log.lock().unwrap().push(request);
                let _ = answer.send(reply);
            }
        });
        let (tracers, mut reading) = mpsc::channel::<Tracer>(1);
        tokio::spawn(async move {
            while let Some(Tracer { socket, answer }) = reading.recv().await {
                let mut traces = Traces::new();
                let joined = traces.join(socket);
                traces.sent(FRAME);
                traces.end(Last::Stopped);
                assert!(joined && answer.send(Ok(())).is_ok());
            }
        });
        let handle = ModemHandle { id, snapshot: seen, requests, guests: mpsc::channel(1).0, tracers };
        Self { handle, snapshot, asked }
    }

    pub(super) fn change(&self, how: impl FnOnce(&mut Snapshot)) {
        self.snapshot.send_modify(|snapshot| how(Arc::make_mut(snapshot)));
    }

    pub(super) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer_to(request: &Request) -> Result<Reply, RequestError> {
    match request {
        Request::Identity => {
            Ok(Reply::Identity(Personal::new(vec![("imsi", IMSI.to_owned()), ("iccid", ICCID.to_owned())])))
        }
        Request::PortalUrl => Ok(Reply::PortalUrl { url: Personal::new(URL.to_owned()), source: "operator" }),
        Request::Pin(_) => Err(RequestError {
            kind: RequestErrorKind::WrongPin,
            reason: Reason { code: "pin-wrong", text: "The PIN is wrong.".into() },
        }),
        Request::Connect { apn: Some(apn) } if apn.apn == "refused" => Err(RequestError {
            kind: RequestErrorKind::Refused,
            reason: Reason {
                code: "apn-unknown",
                text: "The network does not know this access point (cause 27).".into(),
            },
        }),
        Request::UsageDays => {
            let used = Counters { rx_octets: 5, tx_octets: 6, rx_packets: 1, tx_packets: 2 };
            Ok(Reply::UsageDays(vec![Day { day: 20_000, roaming: true, used }]))
        }
        _ => Ok(Reply::Done { changed: true }),
    }
}

/// A modem that is registered, connected and behind a portal.
pub(super) fn online() -> Snapshot {
    let reported = Reported {
        cell_class: CellClass::Gsm,
        subscriber_id: IMSI,
        iccid: ICCID,
        device_id: IMEI,
        provider_id: "00101",
        provider_name: "Contoso",
        telephone_numbers: &[NUMBER],
        ..Reported::default()
    };
    let (identity, _) = Identity::normalise(&reported);
    let mut snapshot = Snapshot {
        port: Port {
            control: "/dev/cdc-wdm0".into(),
            interface: Some("wwan0".into()),
            driver: "cdc_mbim".into(),
            usb: Some((0x1199, 0x9091)),
            physical: "/sys/devices/x".into(),
            trouble: None,
        },
        state: ModemState::Connected,
        device: Some(Device {
            hardware: "Virtual".into(),
            mbimex: 0x0300,
            data_classes: 0x20,
            services: vec![("basic-connect".into(), vec![1, 2])],
            ..Device::default()
        }),
        operator: Some(OperatorChoice { name: "Contoso".into(), matched: "exact".into(), ..OperatorChoice::default() }),
        connections: vec![ConnectionView {
            state: ContextState::Up,
            interface: Some("wwan0".into()),
            ip: Some(IpSettings {
                ipv4: vec![([10, 64, 0, 2].into(), 30)],
                dns: vec![[10, 64, 0, 1].into()],
                ..IpSettings::default()
            }),
            ..ConnectionView::default()
        }],
        ..Snapshot::default()
    };
    snapshot.sim.identity = identity;
    snapshot.sim.hwids = vec![("imsi".into(), "MBOP:1:I13:OS3HHIN7UL6UTNYGAJMF2IHR".into())];
    snapshot
}

/// The far end of a provisioner.
pub(super) struct FakeProvisioner {
    pub(super) jobs: watch::Sender<Vec<Job>>,
    pub(super) submissions: Arc<Mutex<Vec<Submission>>>,
    pub(super) store: Store,
    /// What else is asked.
    pub(super) wishes: mpsc::Receiver<Wish>,
    _folder: tempfile::TempDir,
}

pub(super) fn provisioner(
    answer: impl Fn(&Submission) -> Result<Job, Job> + Send + 'static,
) -> (Provisioner, FakeProvisioner) {
    let (submit, mut incoming) = mpsc::channel::<(Submission, oneshot::Sender<_>)>(4);
    let (orders, wishes) = mpsc::channel(4);
    let (jobs, listed) = watch::channel(Vec::new());
    let submissions = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&submissions);
    tokio::spawn(async move {
        while let Some((submission, reply)) = incoming.recv().await {
            let result: Result<Job, Job> = answer(&submission);
            log.lock().unwrap().push(submission);
            let _ = reply.send(result);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Operators::default()).unwrap();
    (
        Provisioner { submit, orders, jobs: listed, store: store.clone() },
        FakeProvisioner { jobs, submissions, store, wishes, _folder: folder },
    )
}

/// A served API and a client on the other end of a socket pair.
pub(super) struct Stand {
    pub(super) client: Connection,
    /// Questions about signers.
    pub(super) approvals: mpsc::Sender<Approval>,
    pub(super) modems: watch::Sender<Vec<ModemHandle>>,
    pub(super) modem: FakeModem,
    pub(super) provisioner: FakeProvisioner,
    /// Everything that the client receives, from the start.
    pub(super) messages: MessageStream,
    _server: super::Server,
    _connection: Connection,
}

pub(super) async fn stand(gate: Gate) -> Stand {
    stand_with(gate, |_| Ok(Job { id: 1, state: "queued", ..Job::default() })).await
}

pub(super) async fn stand_with(gate: Gate, answer: impl Fn(&Submission) -> Result<Job, Job> + Send + 'static) -> Stand {
    let (near, far) = UnixStream::pair().unwrap();
    let server = connection::Builder::unix_stream(far).server(Guid::generate()).p2p().build();
    let client = connection::Builder::unix_stream(near).p2p().build();
    let (connection, client) = tokio::try_join!(server, client).unwrap();
    let messages = MessageStream::from(&client);
    let modem = FakeModem::new(0);
    let (modems, followed) = watch::channel(vec![modem.handle.clone()]);
    let (for_server, provisioner) = provisioner(answer);
    let (approvals, asked) = mpsc::channel(1);
    let clients = crate::proxy::Register::default();
    let server = super::serve(&connection, followed, for_server, asked, clients, gate).await.unwrap();
    Stand { client, approvals, modems, modem, provisioner, messages, _server: server, _connection: connection }
}

/// Trusts whoever runs the tests.
pub(super) fn open_gate() -> Gate {
    Gate::trusting(&[rustix::process::getuid().as_raw()])
}

/// Trusts nobody.
pub(super) fn shut_gate() -> Gate {
    Gate::trusting(&[])
}

macro_rules! proxy {
    ($stand:expr, $proxy:ident) => {
        dbus_api::proxy::$proxy::builder(&$stand.client)
            .path(dbus_api::path::modem(0))
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .unwrap()
    };
}
pub(super) use proxy;

impl Stand {
    /// The next signal of this name.
    pub(super) async fn signal(&mut self, member: &str) -> message::Message {
        let wait = async {
            loop {
                let message = self.messages.next().await.expect("open").expect("message");
                let found = message.message_type() == message::Type::Signal
                    && message.header().member().is_some_and(|name| name == member);
                if found {
                    return message;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), wait).await.expect("signal")
    }
}

pub(super) fn no_options() -> HashMap<&'static str, zbus::Variant<'static>> {
    HashMap::new()
}

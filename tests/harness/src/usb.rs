//! The virtual modem as a USB device over USB/IP, with the virtual operator behind it: as [`crate::line`], but that the
//! packets of a session pass through the device into a TUN interface in the operator's namespace. The host's side,
//! `wwan0` included, is whatever a kernel or a test makes of the device.

use core::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use virtual_modem::serve::Closing;
use virtual_modem::usb::tun::Tun;
use virtual_modem::usb::{Control, Counters, Event, Server, UsbFault, UsbProfile};
use virtual_modem::{Log, Order, Output, Profile, SessionSettings, State, VirtualModem, serve};
use virtual_operator::address::GI_LINK;
use virtual_operator::stage::DataLink;
use virtual_operator::{Error, Operator, Scenario, Session, Subscriber, While};

use crate::line::Happening;

/// Packets that wait in each direction of a session.
const DEPTH: usize = 256;
/// MTU of the network's end. The host's end is what the modem tells it.
const MTU: u16 = 1500;

/// What is served.
#[derive(Debug)]
pub struct Setup {
    /// The modem; see [`crate::line::profile_for`] for one that fits an operator.
    pub profile: Profile,
    /// Its look on the bus.
    pub look: UsbProfile,
    /// Whether the end of a connection takes the modem's power away.
    pub closing: Closing,
    /// The operator behind it, if there is one.
    pub operator: Option<(Scenario, Subscriber)>,
    /// Sessions that lead somewhere. The first leads to the operator and its garden, each other one straight to the
    /// internet. Without an operator their packets are dropped.
    pub sessions: Vec<u8>,
}

impl Setup {
    /// An operator of this scenario behind a modem that fits it, session 0 only.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            profile: crate::line::profile_for(scenario),
            look: UsbProfile::default(),
            closing: Closing::Unplug,
            operator: Some((scenario.clone(), Subscriber::canary())),
            sessions: vec![0],
        }
    }
}

/// A modem that is served over USB/IP.
#[derive(Debug)]
pub struct UsbLine {
    address: SocketAddr,
    bus_id: String,
    root_certificate: Option<String>,
    control: UnboundedSender<Control>,
    stop: oneshot::Sender<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    /// What happened, in order. [`Happening::Plugged`] is an import, [`Happening::Closed`] its end.
    pub happenings: UnboundedReceiver<Happening>,
}

impl UsbLine {
    /// Serves on a port of the loopback interface that the kernel chooses. The caller is in the network namespace of
    /// the host's side, and on a `LocalSet`.
    ///
    /// # Errors
    /// No operator, no TUN interface, no port.
    pub async fn start(setup: Setup) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.trying("listening for USB/IP")?;
        let address = listener.local_addr().trying("listening for USB/IP")?;
        let bus_id = setup.look.bus_id.clone();
        let modem = VirtualModem::new(setup.profile);
        let mut server = Server::new(listener, modem, setup.look, setup.closing);
        let mut operator = None;
        let mut tuns = Vec::new();
        if let Some((scenario, subscriber)) = setup.operator {
            for session in &setup.sessions {
                let tun = Tun::new(&link(&setup.sessions, *session), MTU).trying("making a TUN interface")?;
                let datagrams = server.datagrams(*session, DEPTH);
                // It ends with the operator's namespace, or with the server.
                tuns.push(tokio::task::spawn_local(async move { drop(tun.carry(datagrams).await) }));
            }
            operator = Some(Operator::start_over(DataLink::Given, scenario, subscriber).await?);
        }
        let root_certificate = operator.as_ref().map(|operator| operator.root_certificate().to_owned());
        let (control, orders) = unbounded_channel();
        let (tell, happenings) = unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let mut served = Served { server, operator, orders, tell, sessions: setup.sessions, up: Vec::new() };
        let task = tokio::task::spawn_local(async move {
            let mut done: Option<oneshot::Sender<()>> = None;
            tokio::select! {
                result = served.all() => {
                    if let Err(error) = result {
                        let _ = served.tell.send(Happening::Failed(error.to_string()));
                    }
                }
                asked = stopped => done = asked.ok(),
            }
            for tun in tuns {
                tun.abort();
            }
            if let Some(operator) = served.operator.take() {
                operator.stop().await;
            }
            drop(served);
            if let Some(done) = done {
                let _ = done.send(());
            }
        });
        Ok(Self { address, bus_id, root_certificate, control, stop, task, happenings })
    }

    /// Where it is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its bus id.
    #[must_use]
    pub fn bus_id(&self) -> &str {
        &self.bus_id
    }

    /// The root certificate of the operator's and the internet's servers, PEM.
    #[must_use]
    pub fn root_certificate(&self) -> Option<&str> {
        self.root_certificate.as_deref()
    }

    /// Something is done to the modem.
    pub fn order(&self, order: Order) {
        self.control(order);
    }

    /// A defect of the bus.
    pub fn fault(&self, fault: UsbFault) {
        self.control(fault);
    }

    /// Another look, from the next import on.
    pub fn look(&self, look: UsbProfile) {
        self.control(Control::Look(Box::new(look)));
    }

    fn control(&self, control: impl Into<Control>) {
        // A dead line has said so in its happenings.
        let _ = self.control.send(control.into());
    }

    /// All messages so far.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn log(&self) -> Result<Log, Error> {
        self.ask(|reply| Control::Modem(serve::Control::Log(reply))).await
    }

    /// What the modem is and keeps.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn profile(&self) -> Result<Profile, Error> {
        self.ask(|reply| Control::Modem(serve::Control::Profile(reply))).await
    }

    /// What the modem holds.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn state(&self) -> Result<State, Error> {
        self.ask(|reply| Control::Modem(serve::Control::State(reply))).await
    }

    /// What has passed over the data plane.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn counters(&self) -> Result<Counters, Error> {
        self.ask(Control::Counters).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Control) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.control(question(reply));
        answer.await.trying("asking the modem")
    }

    /// Gives the device to the kernel's virtual host controller. Needs root and the module `vhci_hcd`.
    ///
    /// # Errors
    /// The controller is not there or has no free port, or the modem is unplugged or attached already.
    pub async fn attach(&self) -> Result<virtual_modem::usb::attach::Attached, Error> {
        let (address, bus_id) = (self.address, self.bus_id.clone());
        let doing = "attaching the modem";
        // It blocks, and the server answers on this thread.
        let attaching = tokio::task::spawn_blocking(move || virtual_modem::usb::attach::attach(address, &bus_id));
        attaching.await.trying(doing)?.trying(doing)
    }

    /// The next thing that happens; `None` when the line has ended. Cancel-safe.
    pub async fn happening(&mut self) -> Option<Happening> {
        self.happenings.recv().await
    }

    /// Closes the connection and ends the operator; waits until both are gone.
    pub async fn stop(self) {
        let (done, wait) = oneshot::channel();
        if self.stop.send(done).is_ok() {
            let _ = wait.await;
        }
        self.task.abort();
    }
}

struct Served {
    server: Server,
    operator: Option<Operator>,
    orders: UnboundedReceiver<Control>,
    tell: UnboundedSender<Happening>,
    sessions: Vec<u8>,
    /// Sessions beside the first one that are up.
    up: Vec<u8>,
}

impl Served {
    async fn all(&mut self) -> Result<(), Error> {
        loop {
            let event = tokio::select! {
                event = self.server.event() => event.trying("serving USB/IP")?,
                order = self.orders.recv() => match order {
                    None => return Ok(()),
                    Some(control) => {
                        self.server.obey(control);
                        continue;
                    }
                },
                event = operator_event(&mut self.operator) => {
                    let _ = self.tell.send(Happening::Operator(event?));
                    continue;
                }
            };
            let happening = match event {
                Event::Imported => Happening::Plugged,
                Event::Released(_) => Happening::Closed,
                Event::Modem(output) => {
                    // In force before the server is asked again, and so before the host hears of it.
                    self.follow(&output).await?;
                    Happening::Modem(output)
                }
            };
            let _ = self.tell.send(happening);
        }
    }

    async fn follow(&mut self, output: &Output) -> Result<(), Error> {
        let Some(operator) = &mut self.operator else { return Ok(()) };
        let number = |session: u32| u8::try_from(session).ok().filter(|session| self.sessions.contains(session));
        match output {
            Output::SessionUp { session, settings } => {
                let Some(session) = number(*session) else { return Ok(()) };
                if self.sessions.first() == Some(&session) {
                    return operator.session_up(session_of(settings)).await;
                }
                if !self.up.contains(&session) {
                    self.up.push(session);
                }
                operator.further_session(&link(&self.sessions, session), Some(session_of(settings))).await
            }
            Output::SessionDown { session } => {
                let Some(session) = number(*session) else { return Ok(()) };
                if self.sessions.first() == Some(&session) {
                    return operator.session_down().await;
                }
                if !self.up.contains(&session) {
                    return Ok(());
                }
                self.up.retain(|up| *up != session);
                operator.further_session(&link(&self.sessions, session), None).await
            }
            Output::ServiceActivated(blob) => operator.service_activation(blob.clone()).await.map(drop),
            _ => Ok(()),
        }
    }
}

/// Name of a session's interface in the operator's namespace.
fn link(sessions: &[u8], session: u8) -> String {
    if sessions.first() == Some(&session) { GI_LINK.to_owned() } else { format!("gi-session{session}") }
}

fn session_of(settings: &SessionSettings) -> Session {
    let ip = &settings.ip;
    let ipv4 = ip.v4.as_ref().and_then(|v4| v4.address).map(|(address, _)| address);
    let ipv6 = ip.v6.as_ref().and_then(|v6| v6.address).map(|(address, _)| address);
    Session::new(&settings.apn, ipv4, ipv6)
}

async fn operator_event(operator: &mut Option<Operator>) -> Result<virtual_operator::Event, Error> {
    match operator {
        Some(operator) => operator.event().await,
        None => core::future::pending().await,
    }
}

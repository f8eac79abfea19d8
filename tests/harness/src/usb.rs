//! The virtual modem as a USB device over USB/IP, with the virtual operator behind it: as [`crate::line`], but that the
//! packets of a session pass through the device into a TUN interface in the operator's namespace. The host's side,
//! `wwan0` included, is whatever a kernel or a test makes of the device.
//!
//! The device has a thread of its own, which touches no network interface. A kernel that takes an interface down holds
//! its one lock for all interfaces until the device has given the transfers back: were they on one thread with somebody
//! who asks for that lock, both would wait for ever.

use core::net::SocketAddr;
use std::net::TcpListener;

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
        let doing = "listening for USB/IP";
        let listener = TcpListener::bind("127.0.0.1:0").trying(doing)?;
        listener.set_nonblocking(true).trying(doing)?;
        let address = listener.local_addr().trying(doing)?;
        let bus_id = setup.look.bus_id.clone();
        let (control, orders) = unbounded_channel();
        let (event, events) = unbounded_channel();
        let (handled, handling) = unbounded_channel();
        let (stop_device, device_stopped) = oneshot::channel();
        let (given, taken) = oneshot::channel();
        let sessions = if setup.operator.is_some() { setup.sessions.clone() } else { Vec::new() };
        let (profile, look, closing) = (setup.profile, setup.look, setup.closing);
        let device = std::thread::Builder::new().name("usb-device".into()).spawn(move || {
            let serving = async {
                let listener = tokio::net::TcpListener::from_std(listener).trying(doing)?;
                let mut server = Server::new(listener, VirtualModem::new(profile), look, closing);
                let ends = sessions.iter().map(|session| server.datagrams(*session, DEPTH)).collect::<Vec<_>>();
                // Whoever started it waits for them.
                let _ = given.send(ends);
                tokio::select! {
                    end = device(&mut server, orders, &event, handling) => end.trying("serving USB/IP"),
                    _ = device_stopped => Ok(()),
                }
            };
            crate::cases::block_on(serving).map_err(|error| error.to_string())
        });
        let device = device.trying("starting the device's thread")?;
        let ends = taken.await.trying("starting the device's thread")?;

        let mut operator = None;
        let mut tuns = Vec::new();
        if let Some((scenario, subscriber)) = setup.operator {
            for datagrams in ends {
                let tun = Tun::new(&link(&setup.sessions, datagrams.session), MTU).trying("making a TUN interface")?;
                // It ends with the operator's namespace, or with the device.
                tuns.push(tokio::task::spawn_local(async move { drop(tun.carry(datagrams).await) }));
            }
            operator = Some(Operator::start_over(DataLink::Given, scenario, subscriber).await?);
        }
        let root_certificate = operator.as_ref().map(|operator| operator.root_certificate().to_owned());
        let (tell, happenings) = unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let mut served = Served { events, handled, operator, tell, sessions: setup.sessions, up: Vec::new() };
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
            // Its end is the end of the connection. The thread has nothing to wait for then.
            let _ = stop_device.send(());
            if let Ok(Ok(Err(why))) = tokio::task::spawn_blocking(move || device.join()).await {
                let _ = served.tell.send(Happening::Failed(why));
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

/// The device's thread: serves, tells what happens, and lets nothing more out of the modem until that was handled.
async fn device(
    server: &mut Server,
    mut orders: UnboundedReceiver<Control>,
    events: &UnboundedSender<Event>,
    mut handled: UnboundedReceiver<()>,
) -> std::io::Result<()> {
    loop {
        tokio::select! {
            event = server.event() => {
                if events.send(event?).is_err() {
                    return Ok(());
                }
            }
            order = orders.recv() => match order {
                None => return Ok(()),
                Some(control) => {
                    server.obey(control);
                    continue;
                }
            },
        }
        loop {
            tokio::select! {
                done = handled.recv() => match done {
                    None => return Ok(()),
                    Some(()) => break,
                },
                order = orders.recv() => match order {
                    None => return Ok(()),
                    Some(control) => server.obey(control),
                },
                end = server.attend() => match end? {},
            }
        }
    }
}

struct Served {
    events: UnboundedReceiver<Event>,
    handled: UnboundedSender<()>,
    operator: Option<Operator>,
    tell: UnboundedSender<Happening>,
    sessions: Vec<u8>,
    /// Sessions beside the first one that are up.
    up: Vec<u8>,
}

impl Served {
    async fn all(&mut self) -> Result<(), Error> {
        loop {
            let event = tokio::select! {
                event = self.events.recv() => match event {
                    None => return Ok(()),
                    Some(event) => event,
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
                    // In force before the device goes on, and so before the host hears of it.
                    self.follow(&output).await?;
                    Happening::Modem(output)
                }
            };
            let _ = self.tell.send(happening);
            // A device that has ended says so with its events.
            let _ = self.handled.send(());
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

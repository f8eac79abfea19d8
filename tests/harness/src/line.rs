//! The virtual modem on its unix socket, with the virtual operator behind it: what the modem does to its data
//! session happens to the link before the host hears of it, as with a real modem.

use std::collections::VecDeque;

use core::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use virtual_modem::{
    Activation, ApnRule, IpSettings, Ipv4Settings, Ipv6Settings, Log, Order, Output, Profile, State, Subscription,
    VirtualModem,
};
use virtual_operator::address::{DNS, GATEWAY6, gateway4, subscriber4, subscriber6};
use virtual_operator::network::ACTIVATION_BLOB;
use virtual_operator::{Error, Event, Operator, Scenario, Session, While};

/// What happened at the far ends.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The host has opened the modem's control channel: it is plugged in.
    Plugged,
    /// The host has closed the control channel.
    Closed,
    /// Something that the modem did.
    Modem(Output),
    /// Something at the operator.
    Operator(Event),
    /// The operator has failed; the line is dead.
    Failed(String),
}

enum Control {
    Order(Box<Order>),
    Log(oneshot::Sender<Log>),
    State(oneshot::Sender<State>),
    Profile(oneshot::Sender<Profile>),
    Keep(bool),
    Stop(oneshot::Sender<()>),
}

/// A served modem.
#[derive(Debug)]
pub struct Line {
    control: UnboundedSender<Control>,
    task: JoinHandle<()>,
    /// What happened, in order.
    pub happenings: UnboundedReceiver<Happening>,
}

impl Line {
    /// Serves `modem` on `listener`, one connection after the other: a connection is a plug, its end an unplug. With
    /// an operator the session 0 becomes its data session.
    #[must_use]
    pub fn serve(listener: UnixListener, profile: Profile, operator: Option<Operator>) -> Self {
        let (control, orders) = unbounded_channel();
        let (tell, happenings) = unbounded_channel();
        let mut served =
            Served { operator, orders, tell, start: Instant::now(), waiting: VecDeque::new(), keep: false, stop: None };
        let task = tokio::task::spawn_local(async move {
            if let Err(error) = served.all(listener, profile).await {
                let _ = served.tell.send(Happening::Failed(error.to_string()));
            }
            if let Some(operator) = served.operator.take() {
                operator.stop().await;
            }
            if let Some(done) = served.stop.take() {
                let _ = done.send(());
            }
        });
        Self { control, task, happenings }
    }

    /// Something is done to the modem.
    pub fn order(&self, order: Order) {
        // A dead line has said so in its happenings.
        let _ = self.control.send(Control::Order(Box::new(order)));
    }

    /// Whether the end of a connection is only the end of the host's program: the modem goes on as it is, with its
    /// sessions, as it does behind a node of the kernel. Else it is an unplug.
    pub fn keep(&self, keep: bool) {
        let _ = self.control.send(Control::Keep(keep));
    }

    /// All messages so far.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn log(&self) -> Result<Log, Error> {
        let (reply, log) = oneshot::channel();
        let _ = self.control.send(Control::Log(reply));
        log.await.trying("asking the modem for its log")
    }

    /// What the modem holds.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn state(&self) -> Result<State, Error> {
        let (reply, state) = oneshot::channel();
        let _ = self.control.send(Control::State(reply));
        state.await.trying("asking the modem for its state")
    }

    /// What the modem is and keeps.
    ///
    /// # Errors
    /// The line is dead.
    pub async fn profile(&self) -> Result<Profile, Error> {
        let (reply, profile) = oneshot::channel();
        let _ = self.control.send(Control::Profile(reply));
        profile.await.trying("asking the modem for its profile")
    }

    /// The next thing that happens; `None` when the line has ended. Cancel-safe.
    pub async fn happening(&mut self) -> Option<Happening> {
        self.happenings.recv().await
    }

    /// Unplugs the modem and ends the operator; waits until both are gone.
    pub async fn stop(self) {
        let (done, wait) = oneshot::channel();
        if self.control.send(Control::Stop(done)).is_ok() {
            let _ = wait.await;
        }
        self.task.abort();
    }
}

enum End {
    Closed,
    Gone,
    Stop,
}

struct Served {
    operator: Option<Operator>,
    orders: UnboundedReceiver<Control>,
    tell: UnboundedSender<Happening>,
    start: Instant,
    waiting: VecDeque<u8>,
    keep: bool,
    stop: Option<oneshot::Sender<()>>,
}

impl Served {
    async fn all(&mut self, listener: UnixListener, profile: Profile) -> Result<(), Error> {
        let mut modem = VirtualModem::plugged_at(profile, Duration::ZERO);
        modem.order(Duration::ZERO, Order::Unplug);
        while modem.poll().is_some() {}
        let mut pulled = false;
        loop {
            let due = modem.next_wake().and_then(|due| self.start.checked_add(due));
            let stream = tokio::select! {
                accepted = listener.accept(), if !pulled => accepted.trying("accepting the host")?.0,
                order = self.orders.recv() => {
                    match order {
                        None | Some(Control::Stop(_)) => {
                            self.stop = order.and_then(|o| if let Control::Stop(done) = o { Some(done) } else { None });
                            return Ok(());
                        }
                        Some(Control::Log(reply)) => drop(reply.send(modem.log().clone())),
                        Some(Control::State(reply)) => drop(reply.send(modem.state())),
                        Some(Control::Profile(reply)) => drop(reply.send(modem.profile().clone())),
                        Some(Control::Keep(keep)) => self.keep = keep,
                        Some(Control::Order(order)) => match *order {
                            Order::Plug => pulled = false,
                            Order::Unplug => {
                                pulled = true;
                                modem.order(self.start.elapsed(), Order::Unplug);
                            }
                            other => modem.order(self.start.elapsed(), other),
                        },
                    }
                    self.drain(&mut modem).await?;
                    continue;
                }
                event = operator_event(&mut self.operator) => {
                    let _ = self.tell.send(Happening::Operator(event?));
                    continue;
                }
                // A modem that is kept goes on without a host.
                () = until(due), if modem.state().plugged => {
                    modem.wake(self.start.elapsed());
                    self.drain(&mut modem).await?;
                    continue;
                }
            };
            let _ = self.tell.send(Happening::Plugged);
            self.waiting.clear();
            if !modem.state().plugged {
                modem.order(self.start.elapsed(), Order::Plug);
            }
            match self.connection(stream, &mut modem).await? {
                End::Closed if self.keep => {
                    let _ = self.tell.send(Happening::Closed);
                }
                End::Closed => {
                    modem.order(self.start.elapsed(), Order::Unplug);
                    self.drain(&mut modem).await?;
                    let _ = self.tell.send(Happening::Closed);
                }
                End::Gone => pulled = true,
                End::Stop => {
                    modem.order(self.start.elapsed(), Order::Unplug);
                    self.drain(&mut modem).await?;
                    return Ok(());
                }
            }
        }
    }

    async fn connection(&mut self, stream: UnixStream, modem: &mut VirtualModem) -> Result<End, Error> {
        let (mut reader, mut writer): (OwnedReadHalf, OwnedWriteHalf) = stream.into_split();
        let mut buffer = vec![0; 8192];
        loop {
            let end = self.drain(modem).await?;
            if let Some(end) = end {
                // What left before the end still reaches the host, if it reads.
                let rest: Vec<u8> = self.waiting.drain(..).collect();
                let _ = tokio::time::timeout(Duration::from_millis(100), writer.write_all(&rest)).await;
                return Ok(end);
            }
            let due = modem.next_wake().and_then(|due| self.start.checked_add(due));
            let (front, _) = self.waiting.as_slices();
            tokio::select! {
                written = writer.write(front), if !front.is_empty() => match written {
                    Ok(0) | Err(_) => return Ok(End::Closed),
                    Ok(count) => drop(self.waiting.drain(..count)),
                },
                read = reader.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return Ok(End::Closed),
                    Ok(count) => modem.handle(self.start.elapsed(), buffer.get(..count).unwrap_or_default()),
                },
                order = self.orders.recv() => match order {
                    None => return Ok(End::Stop),
                    Some(Control::Stop(done)) => {
                        self.stop = Some(done);
                        return Ok(End::Stop);
                    }
                    Some(Control::Log(reply)) => drop(reply.send(modem.log().clone())),
                    Some(Control::State(reply)) => drop(reply.send(modem.state())),
                    Some(Control::Profile(reply)) => drop(reply.send(modem.profile().clone())),
                    Some(Control::Keep(keep)) => self.keep = keep,
                    Some(Control::Order(order)) => modem.order(self.start.elapsed(), *order),
                },
                event = operator_event(&mut self.operator) => {
                    let _ = self.tell.send(Happening::Operator(event?));
                }
                () = until(due) => modem.wake(self.start.elapsed()),
            }
        }
    }

    /// Takes everything out of the machine; what concerns the link is in force before any frame leaves.
    async fn drain(&mut self, modem: &mut VirtualModem) -> Result<Option<End>, Error> {
        let mut end = None;
        while let Some(output) = modem.poll() {
            if let Some(operator) = &mut self.operator {
                match &output {
                    Output::SessionUp { session: 0, settings } => {
                        let ip = &settings.ip;
                        let ipv4 = ip.v4.as_ref().and_then(|v4| v4.address).map(|(address, _)| address);
                        let ipv6 = ip.v6.as_ref().and_then(|v6| v6.address).map(|(address, _)| address);
                        operator.session_up(Session::new(&settings.apn, ipv4, ipv6)).await?;
                    }
                    Output::SessionDown { session: 0 } => operator.session_down().await?,
                    Output::ServiceActivated(blob) => {
                        operator.service_activation(blob.clone()).await?;
                    }
                    _ => {}
                }
            }
            match output {
                Output::Transmit(frame) => {
                    self.waiting.extend(frame);
                    continue;
                }
                Output::Rebooted => end = end.or(Some(End::Closed)),
                Output::Unplugged => end = Some(End::Gone),
                _ => {}
            }
            let _ = self.tell.send(Happening::Modem(output));
        }
        Ok(end)
    }
}

async fn operator_event(operator: &mut Option<Operator>) -> Result<Event, Error> {
    match operator {
        Some(operator) => operator.event().await,
        None => core::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => core::future::pending().await,
    }
}

/// A modem that fits the operator: its access points with the operator's addresses, its activation data, at the pace
/// of a good modem.
#[must_use]
pub fn profile_for(scenario: &Scenario) -> Profile {
    let mut profile = Profile::named("demo").unwrap_or_default();
    let families = scenario.families;
    let ip = |n| IpSettings {
        v4: families.ipv4().then(|| Ipv4Settings {
            address: Some((subscriber4(n), 30)),
            gateway: Some(gateway4(n)),
            dns: vec![DNS.ipv4],
            mtu: Some(1420),
        }),
        v6: families.ipv6().then(|| Ipv6Settings {
            address: Some((subscriber6(n), 64)),
            gateway: Some(GATEWAY6),
            dns: vec![DNS.ipv6],
            mtu: Some(1420),
        }),
    };
    let rule = |apn: &str, default, admits, n| ApnRule {
        apn: apn.to_owned(),
        default,
        admits,
        credentials: None,
        ip: ip(n),
        narrows: true,
    };
    profile.network.apns =
        vec![rule(&scenario.apn, true, Vec::new(), 1), rule(&scenario.plan_apn, false, vec![Subscription::Active], 2)];
    profile.network.activations =
        vec![Activation { blob: ACTIVATION_BLOB.to_vec(), answer: b"OK".to_vec(), grants: Subscription::Active }];
    if !scenario.plan_needed {
        profile.network.subscription = Subscription::Active;
    }
    if let Some(home) = profile.network.carriers.first_mut() {
        virtual_operator::document::OPERATOR_NAME.clone_into(&mut home.name);
    }
    profile
}

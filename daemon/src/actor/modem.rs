//! One task owns one modem: its port, its machine, its link. It feeds the machine, drains it, carries out its effects
//! and publishes its snapshot. It ends when the modem is gone or was stopped, and leaves nothing on the interface, or when
//! it is to leave the modem to the next run, and then leaves all.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::effect::{Effect, LinkSettings, ProbeOrder, ProbeReport};
use daemon_core::kept::Kept;
use daemon_core::modem::{Input, LinkFailure, Modem, ModemConfig, Output, RequestId};
use daemon_core::proxy::{GuestId, News, Order};
use daemon_core::request::{Reply, Request, RequestError, RequestErrorKind};
use daemon_core::snapshot::{Device, Reason, Snapshot};
use daemon_core::subscriber::SubscriberState;
use daemon_core::usage::{Moment, Reading};
use daemon_operator::Layers;
use daemon_operator::identity::Identity;
use futures_util::future::{AbortHandle, abortable};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::standin::Ends;
use super::trace::{Last, Traces};
use crate::handle::{Guest, Tracer};
use crate::host::advertised::Advertised;
use crate::host::counters;
use crate::host::leftovers::Place;
use crate::host::link::Link;
use crate::host::probe::{self, Bearer, Targets, Wanted};
use crate::host::resident;
use crate::logging;
use crate::store::Store;
use crate::transport::open::{self, Spec};
use crate::transport::{Interfaces, Port, Received, Sent};

/// Octets of one read.
const READ: usize = 4096;
/// Time that the end of a modem may take: the last effects, among them taking the link down.
const END: Duration = Duration::from_secs(5);
/// Times that a port which refuses to open again is tried.
const REOPEN_TRIES: u32 = 5;
/// Time between those.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);
/// A difference of the clocks that is sleep and not rounding.
const SLEPT: Duration = Duration::from_secs(1);

/// A request and the place for its answer.
pub(crate) type Asked = (Request, oneshot::Sender<Result<Reply, RequestError>>);

/// Everything that the task needs.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Number of the modem.
    pub(crate) id: u32,
    /// How to open the port again.
    pub(crate) spec: Spec,
    /// The open port.
    pub(crate) port: Port,
    /// How the machine is to run.
    pub(crate) config: ModemConfig,
    /// The data interface; `None` = control only, or left to another program.
    pub(crate) link: Option<Link>,
    /// How the last run left the modem; `None` = it is new to this boot.
    pub(crate) kept: Option<Kept>,
    /// Where it is written down how this run leaves it.
    pub(crate) place: Place,
    /// Interfaces of a port that has no kernel driver.
    pub(crate) interfaces: Interfaces,
    /// Files.
    pub(crate) store: Store,
    /// What probes ask; `None` = no testing.
    pub(crate) targets: Option<Arc<Targets>>,
    /// Whether the machine's switch blocks the radio.
    pub(crate) rfkill: watch::Receiver<bool>,
    /// Requests of others.
    pub(crate) requests: mpsc::Receiver<Asked>,
    /// Clients of the proxy.
    pub(crate) guests: mpsc::Receiver<Guest>,
    /// Readers of its traffic.
    pub(crate) tracers: mpsc::Receiver<Tracer>,
    /// Where the snapshot is shown.
    pub(crate) shown: watch::Sender<Arc<Snapshot>>,
    /// Becomes true when the modem is to be let go at once.
    pub(crate) let_go: watch::Receiver<bool>,
    /// Start of the machine's clock.
    pub(crate) start: Instant,
}

/// Why the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The modem is gone.
    Gone,
    /// It is another one than the object stands for.
    Other,
    /// Its control port is to be made anew.
    Renew,
    /// It was stopped as asked.
    Stopped,
    /// It was left for the next run as asked, with what is up.
    Left,
}

/// What an effect gave.
enum Done {
    Link { link: Link, session: u32, up: bool, result: Result<Option<String>, LinkFailure> },
    Operators { identity: Box<Identity>, layers: Arc<Layers> },
    Subscriber(Option<Box<SubscriberState>>),
    Saved(std::io::Result<()>),
    Probe { id: u64, report: Box<ProbeReport> },
    Reopened(Option<Port>),
    Nothing,
}

/// What the link is to be made.
enum LinkOrder {
    Up(LinkSettings),
    Down(u32),
}

type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What happened.
enum Happened {
    Received(Received),
    Sent(Sent),
    Asked(Option<Asked>),
    Guest(Guest),
    Tracer(Tracer),
    Done(Done),
    Wake,
    Trouble(Option<Reason>),
    Rfkill,
    Records,
    Announced,
    LetGo,
}

struct Actor {
    id: u32,
    spec: Spec,
    machine: Modem,
    port: Option<Port>,
    /// Held by the modem no more, and not closed yet.
    leaving: Option<Port>,
    interfaces: Interfaces,
    out: VecDeque<Vec<u8>>,
    out_done: usize,
    has_link: bool,
    link: Option<Link>,
    link_orders: VecDeque<LinkOrder>,
    interface: Option<String>,
    place: Place,
    /// Counters that were read and not told yet.
    counted: VecDeque<(Moment, Vec<Reading>)>,
    store: Store,
    targets: Option<Arc<Targets>>,
    /// What routers announce on the data interface; `None` = there is no testing, or no interface.
    advertised: Option<Arc<Advertised>>,
    work: FuturesUnordered<Work>,
    probes: BTreeMap<u64, AbortHandle>,
    answers: BTreeMap<RequestId, oneshot::Sender<Result<Reply, RequestError>>>,
    next_request: u64,
    guests: BTreeMap<GuestId, mpsc::Sender<News>>,
    traces: Traces,
    stop: Option<(RequestId, Ended)>,
    ended: Option<Ended>,
    /// What the next task at this modem is to know.
    kept: Option<Box<Kept>>,
    shown: watch::Sender<Arc<Snapshot>>,
    /// What the modem said that it is; outlives the plug.
    device: Option<Device>,
    start: Instant,
    slept: Duration,
}

/// Runs a modem to its end. The object's ends come back, for whoever stands at it next.
pub(crate) async fn run(setup: Setup) -> (Ended, Ends) {
    let Setup { mut requests, mut guests, mut tracers, mut rfkill, mut let_go, .. } = setup;
    let mut records = setup.store.records_changed();
    let advertised = setup.config.port.interface.as_deref().filter(|_| setup.targets.is_some());
    let advertised = advertised.and_then(|interface| Advertised::open(interface).ok()).map(Arc::new);
    let mut actor = Actor {
        id: setup.id,
        spec: setup.spec,
        interface: setup.config.port.interface.clone(),
        machine: Modem::new(setup.config),
        port: None,
        leaving: None,
        interfaces: setup.interfaces,
        out: VecDeque::new(),
        out_done: 0,
        has_link: setup.link.is_some(),
        link: setup.link,
        link_orders: VecDeque::new(),
        place: setup.place,
        counted: VecDeque::new(),
        store: setup.store,
        targets: setup.targets,
        advertised,
        work: FuturesUnordered::new(),
        probes: BTreeMap::new(),
        answers: BTreeMap::new(),
        next_request: 0,
        guests: BTreeMap::new(),
        traces: Traces::new(),
        stop: None,
        ended: None,
        kept: None,
        shown: setup.shown,
        device: None,
        start: setup.start,
        slept: asleep(),
    };
    let mut buffer = [0; READ];
    match setup.kept {
        Some(kept) => actor.attach(setup.port, Input::Adopt(Box::new(kept))),
        None => actor.attach(setup.port, Input::Attached),
    }
    while actor.ended.is_none() {
        let happened = {
            let Actor { port, out, out_done, work, machine, start, advertised, .. } = &mut actor;
            let wake = machine.next_wake().map(|(at, _)| *start + at);
            let front = out.front();
            let told = machine.config().port.trouble.as_ref();
            tokio::select! {
                received = receive(port.as_ref(), &mut buffer) => Happened::Received(received),
                sent = send(port.as_ref(), front, out_done) => Happened::Sent(sent),
                asked = requests.recv(), if !requests.is_closed() => Happened::Asked(asked),
                Some(guest) = guests.recv() => Happened::Guest(guest),
                Some(tracer) = tracers.recv() => Happened::Tracer(tracer),
                Some(done) = work.next(), if !work.is_empty() => Happened::Done(done),
                () = sleep_until(wake) => Happened::Wake,
                trouble = trouble(port.as_ref(), told) => Happened::Trouble(trouble),
                Ok(()) = rfkill.changed() => Happened::Rfkill,
                Ok(()) = records.changed() => Happened::Records,
                () = announced(advertised.as_deref()) => Happened::Announced,
                Ok(()) = let_go.changed() => Happened::LetGo,
            }
        };
        actor.wake_from_sleep();
        match happened {
            Happened::Received(Received::Bytes(count)) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                actor.traces.received(bytes);
                actor.feed(Input::Bytes(bytes));
            }
            Happened::Received(Received::Overrun) => {
                actor.traces.interrupted();
                actor.feed(Input::Overrun);
            }
            Happened::Received(Received::Gone) | Happened::Sent(Sent::Gone) | Happened::LetGo => actor.gone(),
            Happened::Sent(Sent::Done) => {
                if let Some(frame) = actor.out.pop_front().map(Zeroizing::new) {
                    actor.traces.sent(&frame);
                }
                actor.out_done = 0;
            }
            Happened::Sent(Sent::Failed(error)) => {
                tracing::debug!(modem = actor.id, %error, "the port refused a frame");
                actor.drop_frames();
                actor.feed(Input::WriteFailed);
            }
            Happened::Asked(Some(asked)) => actor.ask(asked),
            // All handles are gone: nobody will ask any more.
            Happened::Asked(None) => requests.close(),
            Happened::Guest(guest) => actor.guest(guest),
            Happened::Tracer(tracer) => actor.tracer(tracer),
            Happened::Done(done) => actor.done(done),
            Happened::Wake => actor.feed(Input::Wake),
            Happened::Trouble(trouble) => actor.trouble(trouble),
            // Who has read the files reads them again; the link stays as it is.
            Happened::Records => actor.feed(Input::RecordsChanged),
            Happened::Announced => actor.feed(Input::Announced),
            Happened::Rfkill => {
                let blocked = *rfkill.borrow_and_update();
                actor.feed(Input::HostRadio { blocked });
            }
        }
    }
    let (shown, device, kept) = (actor.shown.clone(), actor.device.take(), actor.kept.take());
    (actor.finish().await, Ends { requests, guests, tracers, shown, device, kept })
}

async fn receive(port: Option<&Port>, buffer: &mut [u8]) -> Received {
    match port {
        Some(port) => port.receive(buffer).await,
        None => std::future::pending().await,
    }
}

async fn send(port: Option<&Port>, frame: Option<&Vec<u8>>, done: &mut usize) -> Sent {
    match (port, frame) {
        (Some(port), Some(frame)) => port.send(frame, done).await,
        _ => std::future::pending().await,
    }
}

async fn trouble(port: Option<&Port>, told: Option<&Reason>) -> Option<Reason> {
    match port {
        Some(port) => port.trouble(told).await,
        None => std::future::pending().await,
    }
}

async fn announced(ear: Option<&Advertised>) {
    match ear {
        Some(ear) => ear.changed().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Time that the machine has slept since it started, by the difference of two clocks.
fn asleep() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let [with, without] = [ClockId::Boottime, ClockId::Monotonic].map(|clock| {
        let now = clock_gettime(clock);
        Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
    });
    with.saturating_sub(without)
}

impl Actor {
    /// Tells the machine one thing and does all that it orders.
    fn feed(&mut self, input: Input<'_>) {
        self.machine.handle(self.start.elapsed(), input);
        let mut changed = false;
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Transmit(frame) => self.out.push_back(frame),
                Output::Effect(effect) => self.carry_out(effect),
                Output::Reply { id, result } => self.reply(id, result),
                Output::Guest { id, news } => self.tell(id, news),
                Output::Changed => changed = true,
                Output::Event(event) => logging::event(self.id, &event),
            }
        }
        if changed {
            if self.machine.snapshot().device.is_some() {
                self.device.clone_from(&self.machine.snapshot().device);
            }
            self.shown.send_replace(Arc::new(self.machine.snapshot().clone()));
        }
        // Before any order to the link that followed is begun.
        if let Some((at, readings)) = self.counted.pop_front() {
            self.feed(Input::Counters { at, readings });
        }
        self.start_link_work();
    }

    fn ask(&mut self, (request, answer): Asked) {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        match request {
            Request::Stop => self.stop = Some((id, Ended::Stopped)),
            Request::Leave => self.stop = Some((id, Ended::Left)),
            _ => {}
        }
        self.answers.insert(id, answer);
        self.feed(Input::Request { id, request });
    }

    fn guest(&mut self, Guest { id, order, news }: Guest) {
        if let Some(news) = news {
            self.guests.insert(id, news);
        }
        if matches!(order, Order::Leave) {
            self.guests.remove(&id);
        }
        self.feed(Input::Guest { id, order });
    }

    fn tracer(&mut self, Tracer { socket, answer }: Tracer) {
        let full = || RequestError {
            kind: RequestErrorKind::Refused,
            reason: Reason { code: "too-many-traces", text: "Too many traces of this modem; end one.".into() },
        };
        // Who asked may have gone.
        let _ = answer.send(if self.traces.join(socket) { Ok(()) } else { Err(full()) });
    }

    /// A client that takes less than it is told is let go; that it left, it says by itself.
    fn tell(&mut self, id: GuestId, news: News) {
        if self.guests.get(&id).is_some_and(|to| to.try_send(news).is_err()) {
            self.guests.remove(&id);
        }
    }

    fn reply(&mut self, id: RequestId, result: Result<Reply, RequestError>) {
        if let Some((_, ended)) = self.stop.take_if(|(stop, _)| *stop == id)
            && result.is_ok()
        {
            self.ended.get_or_insert(ended);
        }
        if let Some(answer) = self.answers.remove(&id) {
            // Who asked may have gone.
            let _ = answer.send(result);
        }
    }

    fn attach(&mut self, port: Port, first: Input<'_>) {
        self.traces.interrupted();
        port.carry(&self.interfaces);
        self.port = Some(port);
        self.feed(first);
    }

    fn trouble(&mut self, trouble: Option<Reason>) {
        match &trouble {
            Some(Reason { code, text }) => tracing::warn!(modem = self.id, code, "{text}"),
            None => tracing::info!(modem = self.id, "the trouble on the USB is over"),
        }
        self.feed(Input::Trouble(trouble));
    }

    fn gone(&mut self) {
        self.lose(Ended::Gone);
        self.feed(Input::Gone);
    }

    fn lose(&mut self, why: Ended) {
        self.leaving = self.port.take().or(self.leaving.take());
        self.drop_frames();
        self.ended.get_or_insert(why);
    }

    fn drop_frames(&mut self) {
        self.out.drain(..).for_each(|frame| drop(Zeroizing::new(frame)));
        self.out_done = 0;
    }

    fn wake_from_sleep(&mut self) {
        let slept = asleep();
        if slept.saturating_sub(self.slept) > SLEPT {
            self.feed(Input::Resumed);
        }
        self.slept = slept;
    }

    fn carry_out(&mut self, effect: Effect) {
        let store = self.store.clone();
        match effect {
            Effect::LinkUp(settings) => self.link_orders.push_back(LinkOrder::Up(settings)),
            Effect::LinkDown { session } => {
                if let Some(ear) = self.advertised.as_ref().filter(|_| session == 0) {
                    ear.forget();
                }
                self.link_orders.push_back(LinkOrder::Down(session));
            }
            Effect::ReadCounters { links } => {
                self.counted.push_back((counters::moment(), counters::read(&links)));
            }
            Effect::LoadOperators { identity } => self.begin(async move {
                let layers = store.operators(identity.clone()).await.unwrap_or_default();
                Done::Operators { identity, layers }
            }),
            Effect::LoadSubscriber { iccid } => self.begin(async move {
                Done::Subscriber(store.load(iccid).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "what is stored for the SIM cannot be read; defaults apply");
                    None
                }))
            }),
            Effect::SaveSubscriber { iccid, state } => {
                self.begin(async move { Done::Saved(store.save(iccid, state).await) });
            }
            Effect::Probe(order) => self.probe(&order),
            Effect::CancelProbe { id } => {
                if let Some(handle) = self.probes.remove(&id) {
                    handle.abort();
                }
            }
            Effect::Keep(kept) => self.place.write(kept.as_deref()),
            Effect::LetGo => self.lose(Ended::Other),
            Effect::Renew { kept } => {
                self.kept = kept;
                self.lose(Ended::Renew);
            }
            Effect::Reopen { after } => {
                let old = self.port.take();
                self.drop_frames();
                let spec = self.spec.clone();
                self.begin(async move {
                    if let Some(old) = old {
                        old.close().await;
                    }
                    Done::Reopened(reopen(&spec, after).await)
                });
            }
        }
    }

    fn begin(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        self.work.push(Box::pin(work));
    }

    fn probe(&mut self, order: &ProbeOrder) {
        let id = order.id;
        let skipped = |why| ProbeReport { skipped: Some(why), ..ProbeReport::default() };
        let (Some(targets), Some(interface)) = (self.targets.clone(), self.interface.clone()) else {
            let why = if self.targets.is_none() { "off" } else { "no-interface" };
            self.begin(async move { Done::Probe { id, report: Box::new(skipped(why)) } });
            return;
        };
        let ip =
            self.machine.snapshot().connections.iter().find(|c| c.session == order.session).and_then(|c| c.ip.as_ref());
        let bearer = Bearer {
            interface: Some(interface),
            ipv4: ip.and_then(|ip| ip.ipv4.first()).map(|(address, _)| *address),
            ipv6: ip
                .and_then(|ip| ip.ipv6.iter().find(|(a, _)| !a.is_unicast_link_local()))
                .map(|(address, _)| *address),
        };
        let wanted = Wanted {
            servers: order.dns.iter().map(|server: &IpAddr| SocketAddr::new(*server, 53)).collect(),
            ipv4: order.ipv4,
            ipv6: order.ipv6,
            site: order.site.clone(),
            api: order.api.clone(),
            network_time: order.network_time,
            advertised: self.advertised.clone(),
        };
        let work = async move { probe::run(&targets, &bearer, &wanted).await };
        let (work, handle) = abortable(work);
        self.probes.insert(id, handle);
        self.begin(async move {
            match work.await {
                Ok(report) => Done::Probe { id, report: Box::new(report) },
                Err(_aborted) => Done::Nothing,
            }
        });
    }

    /// One order at a time: the link goes with the work and comes back with its end.
    fn start_link_work(&mut self) {
        if !self.has_link {
            let orders: Vec<LinkOrder> = self.link_orders.drain(..).collect();
            for order in orders {
                let (session, up) = match &order {
                    LinkOrder::Up(settings) => (settings.session, true),
                    LinkOrder::Down(session) => (*session, false),
                };
                self.feed(Input::LinkDone { session, up, result: Ok(()), interface: None });
            }
            return;
        }
        let Some(mut link) = self.link.take() else { return };
        let Some(order) = self.link_orders.pop_front() else {
            self.link = Some(link);
            return;
        };
        let interfaces = self.interfaces.clone();
        self.begin(async move {
            let (session, up, result) = match order {
                LinkOrder::Up(settings) => {
                    let result = match own_interface(&interfaces, settings.session) {
                        Ok(own) => link.up(&settings, own).await,
                        Err(failure) => Err(failure),
                    };
                    (settings.session, true, result)
                }
                LinkOrder::Down(session) => {
                    let result = link.down(session).await.map(|()| None);
                    if let Ok(session @ 1..) = u8::try_from(session) {
                        interfaces.drop(session);
                    }
                    (session, false, result)
                }
            };
            Done::Link { link, session, up, result }
        });
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Link { link, session, up, result } => {
                self.link = Some(link);
                let (result, interface) = match result {
                    Ok(interface) => (Ok(()), interface),
                    Err(failure) => (Err(failure), None),
                };
                self.feed(Input::LinkDone { session, up, result, interface });
            }
            Done::Operators { identity, layers } => self.feed(Input::Operators { identity, layers }),
            Done::Subscriber(state) => self.feed(Input::Subscriber(state)),
            Done::Saved(Ok(())) => self.feed(Input::Stored),
            Done::Saved(Err(error)) => {
                let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
                self.feed(Input::StoreFailed { text: error.to_string(), full });
            }
            Done::Nothing => {}
            Done::Probe { id, report } => {
                if self.probes.remove(&id).is_some() || report.skipped.is_some() {
                    self.feed(Input::ProbeDone { id, report: *report });
                }
                // The last of what a plug sets going.
                resident::work_is_over();
            }
            Done::Reopened(Some(port)) => self.attach(port, Input::Attached),
            Done::Reopened(None) => self.gone(),
        }
    }

    /// Lets the last effects end, then takes away what may still stand.
    async fn finish(mut self) -> Ended {
        let ended = self.ended.unwrap_or(Ended::Gone);
        self.traces.end(match ended {
            Ended::Gone | Ended::Other | Ended::Renew => Last::Gone,
            Ended::Stopped => Last::Stopped,
            Ended::Left => Last::Left,
        });
        // The port goes first: an unplugged node is not held, a stopped modem is free for others.
        if let Some(port) = self.port.take().or(self.leaving.take()) {
            port.close().await;
        }
        for handle in std::mem::take(&mut self.probes).into_values() {
            handle.abort();
        }
        let deadline = Instant::now() + END;
        while !self.work.is_empty() {
            match tokio::time::timeout_at(deadline, self.work.next()).await {
                Ok(Some(Done::Reopened(_))) => {}
                Ok(Some(done)) => self.done(done),
                Ok(None) => break,
                Err(_) => {
                    tracing::warn!(modem = self.id, "the end of a modem took too long");
                    break;
                }
            }
        }
        if let Some(link) = self.link.as_mut().filter(|_| ended != Ended::Left) {
            link.clear().await;
        }
        ended
    }
}

/// The interface of a session above 0 where the daemon itself moves the packets.
fn own_interface(interfaces: &Interfaces, session: u32) -> Result<Option<String>, LinkFailure> {
    match u8::try_from(session) {
        Ok(session @ 1..) => interfaces.of(session).map_err(|error| LinkFailure {
            code: "no-interface",
            text: format!("No interface can be made for session {session}: {error}; is the tun module there?"),
        }),
        _ => Ok(None),
    }
}

async fn reopen(spec: &Spec, after: Duration) -> Option<Port> {
    tokio::time::sleep(after).await;
    for _ in 0..REOPEN_TRIES {
        match open::open(spec).await {
            Ok(port) => return Some(port),
            Err(refusal) => tracing::debug!(port = %spec, "cannot be opened again yet: {refusal}"),
        }
        tokio::time::sleep(REOPEN_PAUSE).await;
    }
    None
}

#[cfg(test)]
mod tests;

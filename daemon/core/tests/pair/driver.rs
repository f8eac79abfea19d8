//! The pair: a host machine, a virtual modem, a clock that jumps, and a world that carries out effects.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use daemon_core::effect::{
    ApiSeen, BodySeen, Effect, FamilyReport, HttpSeen, HttpsSeen, LinkSeen, LinkSettings, ProbeReport,
};
use daemon_core::event::Event;
use daemon_core::kept::Kept;
use daemon_core::modem::{Input, Modem, ModemConfig, Output, RequestId};
use daemon_core::proxy::{GuestId, News};
use daemon_core::request::{Reply, Request, RequestError};
use daemon_core::snapshot::{Connection, ContextState, ModemState, Port, Snapshot};
use daemon_core::subscriber::SubscriberState;
use daemon_core::usage::{Counters, Moment, Reading};
use daemon_operator::identity::Identity;
use daemon_operator::{Layers, SourceFile};
use mbim_capture::{Direction, Replay, write};
use virtual_modem::{Order, Profile, Subscription, VirtualModem};

const VENDOR: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0"><country code="zz"><provider><name>Test Mobile</name><gsm>
<network-id mcc="001" mnc="01"/>
<apn value="internet"><usage type="internet"/></apn>
</gsm></provider></country></serviceproviders>"#;

const OVERLAY: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="zz"><provider>
<name>Test Mobile</name><ov:account-url>https://portal.test.example/buy</ov:account-url><gsm>
<network-id mcc="001" mnc="01"/>
<apn value="internet"><usage type="internet"/></apn>
</gsm></provider></country></serviceproviders>"#;

/// What a probe finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// The Internet when the plan is bought, else the operator's portal.
    Garden,
    /// The Internet.
    Open,
    /// Nothing answers.
    Dead,
}

pub(crate) struct Pair {
    pub(crate) host: Modem,
    pub(crate) device: VirtualModem,
    /// A capture of all that passes, if one is wanted.
    pub(crate) record: Option<Vec<u8>>,
    /// A record that answers in place of the device, and what it has said.
    pub(crate) replay: Option<Replay>,
    replayed: VecDeque<Vec<u8>>,
    pub(crate) now: Duration,
    pub(crate) world: World,
    pub(crate) layers: Arc<Layers>,
    /// Whom operator records were asked for.
    pub(crate) looked_up: Vec<Identity>,
    pub(crate) stored: Option<SubscriberState>,
    pub(crate) saves: usize,
    stored_at: Duration,
    /// Runs of the host's program so far, and the one that wrote what is stored.
    runs: usize,
    run_of_stored: usize,
    /// The store answers only when told to: questions that wait.
    pub(crate) slow_store: Option<Vec<String>>,
    /// The store writes only when told to: contents that wait.
    pub(crate) slow_writes: Option<VecDeque<SubscriberState>>,
    /// The store fails to write; whether for a full disk.
    pub(crate) store_fails: Option<bool>,
    /// What is on the interface.
    pub(crate) link: Option<LinkSettings>,
    /// What is on the interfaces of sessions above 0.
    pub(crate) links: BTreeMap<u32, LinkSettings>,
    pub(crate) link_changes: Vec<bool>,
    /// What interfaces count: by name, their number and counters; how often they were read.
    pub(crate) counters: BTreeMap<String, (u32, Counters)>,
    pub(crate) reads: usize,
    /// Which run of the machine, and what its clock says.
    pub(crate) boot: u64,
    pub(crate) wall: Option<u64>,
    pub(crate) link_fails: bool,
    pub(crate) events: Vec<Event>,
    /// What clients of the proxy were told.
    pub(crate) news: Vec<(GuestId, News)>,
    pub(crate) replies: BTreeMap<u64, Result<Reply, RequestError>>,
    pub(crate) probes: usize,
    /// Probes end only when told to: those that run.
    pub(crate) slow_probes: Option<Vec<(u64, ProbeReport)>>,
    /// What the network's API answers.
    pub(crate) api: Option<ApiSeen>,
    pub(crate) reopens: usize,
    /// Bytes of the device come in pieces of this many.
    pub(crate) chunk: Option<usize>,
    /// The host's program is killed when so many messages (both ways) have passed.
    pub(crate) kill_after: Option<usize>,
    /// It was: nothing of it happens any more.
    pub(crate) killed: bool,
    /// What the modem has said and nobody has read, as the kernel's cdc-wdm leaves it: one message is read for each that is
    /// announced.
    pub(crate) unread: VecDeque<Vec<u8>>,
    /// Announcements that were lost with a program: so many messages stay unread.
    pub(crate) unannounced: usize,
    /// Times that the control port was made anew.
    pub(crate) renewals: usize,
    /// It can be.
    pub(crate) renewable: bool,
    /// What is written down for the next start.
    pub(crate) kept: Option<Box<Kept>>,
    /// The cable is pulled when so many messages (both ways) have passed.
    pub(crate) unplug_after: Option<usize>,
    pub(crate) messages: usize,
    pub(crate) plugged: bool,
    /// The machine let go of a modem that is another one than expected.
    pub(crate) let_go: bool,
    due: VecDeque<(Duration, Due)>,
    next_request: u64,
}

enum Due {
    Attached,
    /// The port is there again.
    Renewed(Option<Box<Kept>>),
}

pub(crate) fn layers() -> Arc<Layers> {
    static LAYERS: std::sync::OnceLock<Arc<Layers>> = std::sync::OnceLock::new();
    Arc::clone(LAYERS.get_or_init(load))
}

fn load() -> Arc<Layers> {
    let vendor = [SourceFile { name: "vendor.xml", bytes: VENDOR.as_bytes() }];
    let overlay = [SourceFile { name: "overlay.xml", bytes: OVERLAY.as_bytes() }];
    let (layers, problems) = Layers::load(&vendor, &overlay);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(layers)
}

pub(crate) fn config() -> ModemConfig {
    let mut config =
        ModemConfig::new(Port { control: "unix:/m.sock".into(), interface: Some("wwan0".into()), ..Port::default() });
    config.outstanding = 8;
    config
}

impl Pair {
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with(profile, config())
    }

    pub(crate) fn with(profile: Profile, config: ModemConfig) -> Self {
        Self {
            host: Modem::new(config),
            device: VirtualModem::new(profile),
            record: None,
            replay: None,
            replayed: VecDeque::new(),
            now: Duration::ZERO,
            world: World::Open,
            layers: layers(),
            stored: None,
            saves: 0,
            stored_at: Duration::ZERO,
            runs: 0,
            run_of_stored: 0,
            looked_up: Vec::new(),
            slow_store: None,
            slow_writes: None,
            store_fails: None,
            link: None,
            links: BTreeMap::new(),
            link_changes: Vec::new(),
            counters: BTreeMap::new(),
            reads: 0,
            boot: 1,
            wall: Some(1_800_000_000),
            link_fails: false,
            events: Vec::new(),
            news: Vec::new(),
            replies: BTreeMap::new(),
            probes: 0,
            slow_probes: None,
            api: None,
            reopens: 0,
            chunk: None,
            unplug_after: None,
            kill_after: None,
            killed: false,
            unread: VecDeque::new(),
            unannounced: 0,
            renewals: 0,
            renewable: true,
            kept: None,
            messages: 0,
            plugged: false,
            let_go: false,
            due: VecDeque::new(),
            next_request: 1,
        }
    }

    /// Puts the cable in and lets what can happen at once happen.
    pub(crate) fn attach(&mut self) {
        self.plugged = true;
        self.feed(Input::Attached);
        self.settle();
    }

    /// The host's program starts anew beside what the last run left, as the shell does it: a record without a link, or a
    /// link without a record, is not taken over, and what stands on the interface is taken away.
    pub(crate) fn start_again(&mut self) {
        let mut kept = self.kept.clone();
        if let Some(kept) = &mut kept {
            kept.connection = kept.connection.take().filter(|_| self.link.is_some());
        }
        if kept.as_ref().is_none_or(|kept| kept.connection.is_none()) && self.link.take().is_some() {
            self.link_changes.push(false);
        }
        let listed =
            |session: &u32| kept.as_ref().is_some_and(|kept| kept.sessions.iter().any(|kept| kept.session == *session));
        self.links.retain(|session, _| listed(session));
        self.next_run();
        match kept {
            Some(kept) => self.feed(Input::Adopt(kept)),
            None => self.feed(Input::Attached),
        }
        self.settle();
    }

    /// As [`Self::start_again`] with what the record says, and whatever the interface holds.
    pub(crate) fn start_again_with(&mut self, kept: Box<Kept>) {
        self.next_run();
        self.feed(Input::Adopt(kept));
        self.settle();
    }

    /// As [`Self::start_again`], and killed when so many messages have passed in all.
    pub(crate) fn start_again_killed_at(&mut self, messages: usize) {
        let kept = self.kept.clone().expect("something to take over");
        self.next_run();
        self.kill_after = Some(messages);
        self.feed(Input::Adopt(kept));
        self.settle();
    }

    fn next_run(&mut self) {
        self.next_run_of(self.host.config().renewable);
    }

    fn next_run_of(&mut self, renewable: bool) {
        self.runs += 1;
        let config = self.host.config().clone();
        self.host = Modem::new(ModemConfig { seed: config.seed + 0x5_1234_5678, renewable, ..config });
        self.kill_after = None;
        self.killed = false;
        self.plugged = true;
    }

    /// The program is told to leave all as it is, and is gone; the modem stays.
    pub(crate) fn leave(&mut self) {
        assert!(self.ask(Request::Leave).is_ok());
        assert_eq!(self.host.next_wake(), None, "{}", self.account());
        self.plugged = false;
    }

    pub(crate) fn request(&mut self, request: Request) -> u64 {
        let id = self.next_request;
        self.next_request += 1;
        self.feed(Input::Request { id: RequestId(id), request });
        self.settle();
        id
    }

    /// Asks and runs until the reply is there.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply, RequestError> {
        let text = format!("{request:?}");
        let id = self.request(request);
        self.run(600, |pair| pair.replies.contains_key(&id));
        self.replies.get(&id).cloned().unwrap_or_else(|| panic!("no reply to {text}"))
    }

    pub(crate) fn order(&mut self, order: Order) {
        self.device.order(self.now, order);
        self.settle();
    }

    pub(crate) fn feed(&mut self, input: Input<'_>) {
        self.host.handle(self.now, input);
        self.drain_host();
    }

    /// Lets both sides talk until nobody has anything to say at this moment.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            if let Some(frame) = self.replayed.pop_front() {
                self.feed(Input::Bytes(&frame));
                continue;
            }
            let Some(output) = self.device.poll() else { return };
            match output {
                virtual_modem::Output::Transmit(bytes) => {
                    if !self.plugged {
                        continue;
                    }
                    self.unread.push_back(bytes);
                    if self.unread.len() <= self.unannounced {
                        continue;
                    }
                    let Some(bytes) = self.unread.pop_front() else { continue };
                    self.count();
                    if !self.plugged {
                        continue;
                    }
                    self.write_down(Direction::Received, &bytes);
                    match self.chunk {
                        Some(size) => {
                            for part in bytes.chunks(size) {
                                self.feed(Input::Bytes(part));
                            }
                        }
                        None => self.feed(Input::Bytes(&bytes)),
                    }
                }
                virtual_modem::Output::Unplugged => self.gone(),
                virtual_modem::Output::Rebooted => {
                    self.gone();
                    self.due.push_back((self.now + Duration::from_secs(1), Due::Attached));
                }
                _ => {}
            }
        }
        panic!("the pair does not come to rest at {:?}", self.now);
    }

    pub(crate) fn gone(&mut self) {
        self.unread.clear();
        self.unannounced = 0;
        if self.plugged {
            self.plugged = false;
            self.feed(Input::Gone);
        }
    }

    fn write_down(&mut self, direction: Direction, bytes: &[u8]) {
        if let Some(file) = &mut self.record {
            file.extend(write::frame(self.now, direction, bytes));
        }
    }

    fn count(&mut self) {
        self.messages += 1;
        if self.unplug_after == Some(self.messages) {
            self.device.order(self.now, Order::Unplug);
            self.gone();
        }
        if self.kill_after == Some(self.messages) {
            self.killed = true;
            self.plugged = false;
        }
    }

    fn drain_host(&mut self) {
        let mut answers = VecDeque::new();
        loop {
            while let Some(output) = self.host.poll() {
                if self.killed {
                    continue;
                }
                match output {
                    Output::Transmit(bytes) => {
                        assert!(bytes.len() <= 4096, "a write longer than wMaxControlMessage");
                        if self.plugged {
                            self.count();
                        }
                        if self.plugged {
                            self.write_down(Direction::Sent, &bytes);
                            match &mut self.replay {
                                Some(replay) => self.replayed.extend(replay.push(&bytes)),
                                None => self.device.handle(self.now, &bytes),
                            }
                        }
                    }
                    Output::Effect(effect) => answers.push_back(effect),
                    Output::Reply { id, result } => {
                        let twice = self.replies.insert(id.0, result);
                        assert!(twice.is_none(), "request {} was answered twice", id.0);
                    }
                    Output::Guest { id, news } => self.news.push((id, news)),
                    Output::Changed => {}
                    Output::Event(event) => self.events.push(event),
                }
            }
            let Some(effect) = answers.pop_front().filter(|_| !self.killed) else { return };
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::LinkUp(settings) => {
                let session = settings.session;
                let interface = (session > 0).then(|| format!("wwan0.{session}"));
                let result = if self.link_fails {
                    Err(daemon_core::modem::LinkFailure { code: "netlink", text: "No such device".into() })
                } else if session > 0 {
                    self.links.insert(session, settings);
                    Ok(())
                } else {
                    self.link = Some(settings);
                    Ok(())
                };
                if session == 0 {
                    self.link_changes.push(true);
                }
                self.host.handle(self.now, Input::LinkDone { session, up: true, result, interface });
            }
            Effect::ReadCounters { links } => {
                let at = Moment { boot: self.boot, uptime: self.now.as_secs(), wall: self.wall };
                let read = |(session, name): &(u32, String)| {
                    let (index, counters) = *self.counters.get(name)?;
                    Some(Reading { session: *session, index, counters, narrow: false })
                };
                let readings = links.iter().filter_map(read).collect();
                self.reads += 1;
                self.host.handle(self.now, Input::Counters { at, readings });
            }
            Effect::LinkDown { session } => {
                if session == 0 {
                    self.link = None;
                    self.link_changes.push(false);
                } else {
                    self.links.remove(&session);
                }
                self.host.handle(self.now, Input::LinkDone { session, up: false, result: Ok(()), interface: None });
            }
            Effect::LoadOperators { identity } => {
                self.looked_up.push((*identity).clone());
                let layers = Arc::clone(&self.layers);
                self.host.handle(self.now, Input::Operators { identity, layers });
            }
            Effect::LoadSubscriber { iccid } => {
                if let Some(waiting) = &mut self.slow_store {
                    return waiting.push(iccid.reveal().to_owned());
                }
                let mut stored = self.stored.clone().map(Box::new);
                if let Some(state) = &mut stored {
                    // As the store does it.
                    let restarted = self.run_of_stored != self.runs;
                    let memory = std::mem::take(&mut state.memory);
                    state.memory = memory.aged(Some(self.now.saturating_sub(self.stored_at)), restarted);
                }
                self.host.handle(self.now, Input::Subscriber(stored));
            }
            Effect::SaveSubscriber { state, .. } => {
                if let Some(waiting) = &mut self.slow_writes {
                    assert!(waiting.is_empty(), "one write at a time");
                    return waiting.push_back(*state);
                }
                let answer = self.write(*state);
                self.host.handle(self.now, answer);
            }
            Effect::Probe(order) => {
                assert!(self.link.is_some(), "a probe without a link");
                self.probes += 1;
                let report = self.report(order.ipv4, order.ipv6);
                if let Some(running) = &mut self.slow_probes {
                    return running.push((order.id, report));
                }
                self.host.handle(self.now, Input::ProbeDone { id: order.id, report });
            }
            Effect::CancelProbe { .. } => {}
            Effect::Keep(kept) => self.kept = kept,
            Effect::LetGo => (self.let_go, self.plugged) = (true, false),
            Effect::Renew { kept } => {
                self.renewals += 1;
                self.plugged = false;
                if self.renewable {
                    self.unread.clear();
                    self.unannounced = 0;
                }
                self.due.push_back((self.now + Duration::from_secs(1), Due::Renewed(kept)));
            }
            Effect::Reopen { after } => {
                self.reopens += 1;
                self.due.push_back((self.now + after, Due::Attached));
            }
        }
    }

    fn write(&mut self, state: SubscriberState) -> Input<'static> {
        if let Some(full) = self.store_fails {
            return Input::StoreFailed { text: "No space left on device".into(), full };
        }
        self.saves += 1;
        self.stored = Some(state);
        (self.stored_at, self.run_of_stored) = (self.now, self.runs);
        Input::Stored
    }

    /// The slow test that began first ends.
    pub(crate) fn finish_probe(&mut self) {
        let (id, report) = self.slow_probes.as_mut().unwrap().remove(0);
        self.feed(Input::ProbeDone { id, report });
        self.settle();
    }

    /// The slow store carries out the write that waits.
    pub(crate) fn finish_write(&mut self) {
        let state = self.slow_writes.as_mut().and_then(VecDeque::pop_front).expect("a write that waits");
        let answer = self.write(state);
        self.feed(answer);
        self.settle();
    }

    fn report(&self, ipv4: bool, ipv6: bool) -> ProbeReport {
        let seen = match self.world {
            World::Garden if self.device.state().subscription == Subscription::None => FamilyReport::new(
                HttpSeen::Answer {
                    status: 302,
                    location: Some("http://garden.example/".into()),
                    body: BodySeen::Empty,
                },
                HttpsSeen::Failed("reset".into()),
            ),
            World::Dead => FamilyReport::new(HttpSeen::DnsFailed, HttpsSeen::DnsFailed),
            _ => FamilyReport::new(
                HttpSeen::Answer { status: 200, location: None, body: BodySeen::Expected },
                HttpsSeen::Ok,
            ),
        };
        ProbeReport {
            ipv4: ipv4.then(|| seen.clone()),
            ipv6: ipv6.then_some(seen),
            bytes: 5000,
            link: LinkSeen { api: self.api.clone(), ..LinkSeen::default() },
            ..ProbeReport::default()
        }
    }

    /// The next moment at which anybody wants to be woken.
    fn next(&self) -> Option<Duration> {
        let host = self.host.next_wake().map(|(at, _)| at);
        let due = self.due.iter().map(|(at, _)| *at).min();
        [host, self.device.next_wake(), due].into_iter().flatten().min().map(|at| at.max(self.now))
    }

    /// Jumps from wake-up to wake-up until the condition holds or the time is over. Whether it holds.
    pub(crate) fn run(&mut self, seconds: u64, until: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + Duration::from_secs(seconds);
        let mut turns = 0;
        while !until(self) {
            turns += 1;
            assert!(turns < 100_000, "busy loop at {:?}: {:?}", self.now, self.host.next_wake());
            match self.next().filter(|at| *at <= end) {
                Some(at) => self.now = at,
                None => {
                    self.now = end;
                    return until(self);
                }
            }
            if let Some(place) = self.due.iter().position(|(at, _)| *at <= self.now) {
                match self.due.remove(place).unwrap().1 {
                    Due::Attached => {
                        self.plugged = true;
                        self.feed(Input::Attached);
                    }
                    Due::Renewed(kept) => {
                        self.next_run_of(self.renewals < 2);
                        match kept {
                            Some(kept) => self.feed(Input::Adopt(kept)),
                            None => self.feed(Input::Attached),
                        }
                    }
                }
            }
            if self.device.next_wake().is_some_and(|at| at <= self.now) {
                self.device.wake(self.now);
            }
            self.settle();
            if self.host.next_wake().is_some_and(|(at, _)| at <= self.now) {
                self.feed(Input::Wake);
            }
            self.settle();
        }
        true
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        self.host.snapshot()
    }

    /// Nothing is due but the seldom look at what was used.
    pub(crate) fn rests(&self) -> bool {
        self.host.next_wake().is_none_or(|(_, why)| why == "usage")
    }

    pub(crate) fn state(&self) -> ModemState {
        self.snapshot().state
    }

    pub(crate) fn is_up(&self) -> bool {
        self.snapshot().connections.first().is_some_and(|c| c.state == ContextState::Up)
    }

    /// A session, as people see it.
    pub(crate) fn session(&self, session: u32) -> Option<&Connection> {
        self.snapshot().connections.iter().find(|connection| connection.session == session)
    }

    /// Whether a session is up, with its link.
    pub(crate) fn session_is_up(&self, session: u32) -> bool {
        self.session(session).is_some_and(|c| c.state == ContextState::Up) && self.links.contains_key(&session)
    }

    /// Runs until the default context is up.
    pub(crate) fn connect(&mut self) {
        assert!(self.run(300, Self::is_up), "not connected: {}", self.account());
    }

    pub(crate) fn event_names(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.name).collect()
    }

    pub(crate) fn has_event(&self, name: &str, field: &str, value: &str) -> bool {
        self.events.iter().any(|e| e.name == name && e.fields.iter().any(|(f, v)| *f == field && v == value))
    }

    /// Everything that helps to see why a test failed.
    pub(crate) fn account(&self) -> String {
        let mut text =
            format!("at {:?}\ntables {:?}\nwake {:?}\n", self.now, self.host.tables(), self.host.next_wake());
        text += &format!("reason {:?}\nconnections {:?}\n", self.snapshot().reason, self.snapshot().connections);
        for entry in self.device.log().entries() {
            text += &format!("{entry}\n");
        }
        for event in &self.events {
            text += &format!("{} {:?}\n", event.name, event.fields);
        }
        text
    }

    /// What must hold in every state: no link is left where none should be.
    pub(crate) fn assert_no_link_left(&self) {
        if !self.is_up() {
            let rising = self.snapshot().connections.first().is_some_and(|c| c.state == ContextState::Configuring);
            assert!(self.link.is_none() || rising, "a link is left: {}", self.account());
        }
        for session in self.links.keys() {
            let stands = |c: &Connection| matches!(c.state, ContextState::Up | ContextState::Configuring);
            assert!(self.session(*session).is_some_and(stands), "a link of {session} is left: {}", self.account());
        }
    }
}

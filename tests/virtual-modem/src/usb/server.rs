//! Serving one device over TCP. One import is one plug; its end is the unplug.
//!
//! Whoever owns the [`Server`] calls [`Server::event`] again and again. What the modem did to its data sessions comes
//! out of it before the host hears of it: an event that was given out counts as handled with the next call, and only
//! then do the frames leave that came with it.

use super::data::Counters;
use super::fault::UsbFault;
use super::function::{Function, Happening, status};
use super::profile::UsbProfile;
use super::wire::{BUS_ID, Operation, Reply, Request, bus_id, reply_import, reply_list};
use crate::log::Log;
use crate::machine::VirtualModem;
use crate::order::{Order, Output, State};
use crate::profile::Profile;
use crate::serve::{self, Closing};
use bytes::{Buf, Bytes, BytesMut};
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender, error::TrySendError};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Connections that may be about to say what they want.
const MOST_STRANGERS: usize = 8;
/// How long they may take to say it.
const STRANGERS_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes towards the host from which on no new block is packed.
const PLENTY: usize = 1 << 20;
/// Bytes towards the host from which on nothing is read from it.
const TOO_MUCH: usize = 8 << 20;
/// Room for a read, at least.
const SMALLEST_READ: usize = 4096;
/// How long a modem that starts anew waits for the host to fetch what it said last.
const FAREWELL: Duration = Duration::from_millis(200);

/// Something that happened, for the owner of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A host has imported the device: it is plugged in.
    Imported,
    /// The host has closed the connection, or broke the protocol; the text says so.
    Released(Option<String>),
    /// Something came out of the modem; never [`Output::Transmit`].
    Modem(Output),
}

/// What a test sends to a device that [`serve()`] serves.
#[derive(Debug)]
pub enum Control {
    /// Something for the modem.
    Modem(serve::Control),
    /// A defect of the bus.
    Fault(UsbFault),
    /// Another look, from the next import on.
    Look(Box<UsbProfile>),
    /// Asks for what has passed.
    Counters(oneshot::Sender<Counters>),
}

impl From<Order> for Control {
    fn from(order: Order) -> Self {
        Self::Modem(order.into())
    }
}

impl From<UsbFault> for Control {
    fn from(fault: UsbFault) -> Self {
        Self::Fault(fault)
    }
}

/// The network's end of a data session.
#[derive(Debug)]
pub struct Datagrams {
    /// Whose.
    pub session: u8,
    /// IP packets for the host. It is full while the host does not fetch them.
    pub to_host: mpsc::Sender<Bytes>,
    /// IP packets from the host. While it is full the device takes no more.
    pub from_host: mpsc::Receiver<Bytes>,
}

#[derive(Debug)]
struct Slot {
    session: u8,
    to_host: mpsc::Receiver<Bytes>,
    from_host: mpsc::Sender<Bytes>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    input: BytesMut,
    output: BytesMut,
    /// It is to be closed when everything was sent.
    torn: bool,
}

/// One device on one listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    modem: VirtualModem,
    function: Function,
    look: Option<UsbProfile>,
    closing: Closing,
    start: Instant,
    pulled: bool,
    slots: Vec<Slot>,
    /// A datagram that woke the loop, not packed yet.
    first: VecDeque<(u8, Bytes)>,
    turn: usize,
    connection: Option<Connection>,
    strangers: JoinSet<io::Result<(TcpStream, Operation)>>,
    /// Frames that leave once the events before them are handled.
    frames: Vec<Vec<u8>>,
    events: VecDeque<Event>,
    /// When a connection whose modem has started anew is closed at the latest.
    leaving: Option<Instant>,
}

/// Serves a device as a task: orders and events by channels, as [`crate::serve::listen`] does.
///
/// # Errors
/// The listener's.
pub async fn serve(
    mut server: Server,
    mut orders: UnboundedReceiver<Control>,
    events: UnboundedSender<(Duration, Event)>,
) -> io::Result<()> {
    loop {
        tokio::select! {
            Some(control) = orders.recv() => server.obey(control),
            event = server.event() => {
                // A test that follows no events has dropped the other end.
                drop(events.send((server.elapsed(), event?)));
            }
        }
    }
}

impl Server {
    /// A device of this look around this modem. With [`Closing::Unplug`] the modem has power only while a host has
    /// imported it.
    #[must_use]
    pub fn new(listener: TcpListener, mut modem: VirtualModem, look: UsbProfile, closing: Closing) -> Self {
        if closing == Closing::Unplug {
            modem.order(Duration::ZERO, Order::Unplug);
            while modem.poll().is_some() {}
        }
        Self {
            listener,
            function: Function::new(look, modem.profile()),
            modem,
            look: None,
            closing,
            start: Instant::now(),
            pulled: false,
            slots: Vec::new(),
            first: VecDeque::new(),
            turn: 0,
            connection: None,
            strangers: JoinSet::new(),
            frames: Vec::new(),
            events: VecDeque::new(),
            leaving: None,
        }
    }

    /// Time since the server was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The socket's.
    pub fn address(&self) -> io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// The network's end of a session; `depth` datagrams wait in it each way. Without one the session's datagrams are
    /// dropped. A second call for the same session replaces the first.
    pub fn datagrams(&mut self, session: u8, depth: usize) -> Datagrams {
        let (to_host, theirs) = mpsc::channel(depth.max(1));
        let (ours, from_host) = mpsc::channel(depth.max(1));
        self.slots.retain(|slot| slot.session != session);
        self.slots.push(Slot { session, to_host: theirs, from_host: ours });
        Datagrams { session, to_host, from_host }
    }

    /// Something is done to the modem. After [`Order::Unplug`] the device is not given away until [`Order::Plug`].
    pub fn order(&mut self, order: Order) {
        let now = self.elapsed();
        match order {
            Order::Unplug => self.pulled = true,
            Order::Plug => {
                self.pulled = false;
                if self.connection.is_none() && self.closing == Closing::Unplug {
                    return;
                }
            }
            _ => {}
        }
        self.modem.order(now, order);
    }

    /// A defect of the bus.
    pub fn fault(&mut self, fault: UsbFault) {
        let now = self.elapsed();
        self.function.fault(now, fault);
        self.carry_out();
    }

    /// Another look, from the next import on.
    pub fn look(&mut self, look: UsbProfile) {
        self.look = Some(look);
    }

    /// Every message so far.
    #[must_use]
    pub const fn log(&self) -> &Log {
        self.modem.log()
    }

    /// What the modem holds.
    #[must_use]
    pub fn state(&self) -> State {
        self.modem.state()
    }

    /// What the modem is and holds.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        self.modem.profile()
    }

    /// What has passed.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.function.counters()
    }

    /// Does what a message of a test says.
    pub fn obey(&mut self, control: Control) {
        match control {
            Control::Modem(serve::Control::Order(order)) => self.order(order),
            // Whoever asked may have gone; then nobody misses the answer.
            Control::Modem(serve::Control::Log(reply)) => drop(reply.send(self.log().clone())),
            Control::Modem(serve::Control::State(reply)) => drop(reply.send(self.state())),
            Control::Modem(serve::Control::Profile(reply)) => drop(reply.send(self.profile().clone())),
            Control::Fault(fault) => self.fault(fault),
            Control::Look(look) => self.look(*look),
            Control::Counters(reply) => drop(reply.send(self.counters())),
        }
    }

    /// Serves until something happens, and says what. Cancel-safe.
    ///
    /// # Errors
    /// The listener's.
    pub async fn event(&mut self) -> io::Result<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            self.drain();
            if !self.events.is_empty() {
                continue;
            }
            for frame in std::mem::take(&mut self.frames) {
                self.function.respond(frame);
            }
            let blocked = self.deliver();
            self.pack();
            self.carry_out();
            if self.modem_has_more() || !self.events.is_empty() {
                continue;
            }
            if self.leaving.is_some_and(|at| self.function.is_fetched() || at <= Instant::now()) {
                self.flush_and_close();
                continue;
            }
            self.step(blocked, self.leaving).await?;
        }
    }

    /// Serves the bus while the event that was given out last is being handled: transfers go on, and what comes out of
    /// the modem waits for the next [`Server::event`]. Without it a host that waits for a transfer inside its kernel and
    /// an owner that waits for the same kernel would wait for each other. Never ends but with an error. Cancel-safe.
    ///
    /// # Errors
    /// The listener's.
    pub async fn attend(&mut self) -> io::Result<core::convert::Infallible> {
        loop {
            self.drain();
            let blocked = self.deliver();
            self.pack();
            self.carry_out();
            // A connection that is to be closed stays until its end may be told.
            let leaving = self.leaving.filter(|at| *at > Instant::now());
            self.step(blocked, leaving).await?;
        }
    }

    /// Waits for one thing and takes it in.
    async fn step(&mut self, blocked: Option<usize>, leaving: Option<Instant>) -> io::Result<()> {
        let dues = [self.modem.next_wake(), self.function.next_wake()];
        let due = dues.into_iter().flatten().min().and_then(|due| self.start.checked_add(due));
        let due = [due, leaving].into_iter().flatten().min();
        let plenty = self.connection.as_ref().map_or(0, |connection| connection.output.len());
        let hungry = self.first.is_empty() && plenty < PLENTY && self.function.wants_datagrams();
        let room = blocked.and_then(|slot| self.slots.get(slot)).map(|slot| slot.from_host.clone());
        tokio::select! {
            accepted = self.listener.accept(), if self.strangers.len() < MOST_STRANGERS => {
                let (stream, _) = accepted?;
                self.strangers.spawn(hear_out(stream));
            }
            Some(heard) = self.strangers.join_next() => {
                if let Ok(Ok((stream, operation))) = heard {
                    self.greet(stream, operation);
                }
            }
            end = traffic(&mut self.connection) => match end {
                Ok(()) => self.take_requests(),
                Err(error) => {
                    let closed = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
                    self.close((!closed.contains(&error.kind())).then(|| error.to_string()));
                }
            },
            datagram = next_datagram(&mut self.slots), if hungry => self.first.push_back(datagram),
            // Whether there is room or nobody any more, the next delivery sees it.
            () = has_room(room) => {}
            () = until(due) => {
                let now = self.elapsed();
                self.modem.wake(now);
                self.function.wake(now);
            }
        }
        Ok(())
    }

    fn modem_has_more(&mut self) -> bool {
        self.drain();
        !self.frames.is_empty()
    }

    /// Takes everything out of the modem. Frames wait until the events are handled.
    fn drain(&mut self) {
        while let Some(output) = self.modem.poll() {
            match &output {
                Output::Transmit(frame) => {
                    if self.leaving.is_none() {
                        self.frames.push(frame.clone());
                    }
                    continue;
                }
                Output::SessionUp { session, .. } => self.set_session(*session, true),
                Output::SessionDown { session } => self.set_session(*session, false),
                Output::Rebooted if self.connection.is_some() => {
                    self.leaving = Some(Instant::now() + FAREWELL);
                }
                Output::Unplugged => {
                    self.connection = None;
                    self.leaving = None;
                    self.function.connect();
                }
                _ => {}
            }
            self.events.push_back(Event::Modem(output));
        }
    }

    fn set_session(&mut self, session: u32, up: bool) {
        if let Ok(session) = u8::try_from(session) {
            self.function.set_session(session, up);
        }
    }

    /// Hands datagrams from the host out; the slot that has no room, if one has none.
    fn deliver(&mut self) -> Option<usize> {
        while let Some((session, datagram)) = self.function.datagram() {
            let at = self.slots.iter().position(|slot| slot.session == session);
            let served = match at.and_then(|at| self.slots.get(at)) {
                None => false,
                Some(slot) => match slot.from_host.try_send(datagram.clone()) {
                    Ok(()) => true,
                    Err(TrySendError::Full(_)) => return at,
                    Err(TrySendError::Closed(_)) => false,
                },
            };
            self.function.taken(served);
        }
        None
    }

    /// Fills blocks for the host while it waits for some.
    fn pack(&mut self) {
        loop {
            self.carry_out();
            let plenty = self.connection.as_ref().map_or(0, |connection| connection.output.len());
            if plenty >= PLENTY || !self.function.wants_datagrams() {
                return;
            }
            let (slots, first, turn) = (&mut self.slots, &mut self.first, &mut self.turn);
            self.function.pack(|| {
                first.pop_front().or_else(|| {
                    // Each session gets its turn, as long as it has something.
                    let count = slots.len();
                    for step in 0..count {
                        let at = (*turn + step) % count;
                        let Some(slot) = slots.get_mut(at) else { break };
                        if let Ok(datagram) = slot.to_host.try_recv() {
                            *turn = (at + 1) % count;
                            return Some((slot.session, datagram));
                        }
                    }
                    None
                })
            });
            if self.function.wants_datagrams() {
                // Nothing was there.
                return;
            }
        }
    }

    /// Carries out what came out of the device.
    fn carry_out(&mut self) {
        while let Some(happening) = self.function.poll() {
            match happening {
                Happening::Done(done) => self.send(&Reply::Done(done)),
                Happening::Torn(done) => {
                    if let Some(connection) = &mut self.connection {
                        let before = connection.output.len();
                        Reply::Done(done).put(&mut connection.output);
                        let half = (connection.output.len() - before) / 2;
                        connection.output.truncate(before + half);
                        connection.torn = true;
                    }
                    return;
                }
                Happening::Command(frame) => {
                    let now = self.elapsed();
                    if self.leaving.is_none() {
                        self.modem.handle(now, &frame);
                    }
                }
                Happening::Reset => {
                    let now = self.elapsed();
                    self.frames.clear();
                    if self.leaving.is_none() {
                        self.modem.reset_function(now);
                    }
                }
            }
        }
    }

    fn send(&mut self, reply: &Reply) {
        if let Some(connection) = self.connection.as_mut().filter(|connection| !connection.torn) {
            reply.put(&mut connection.output);
        }
    }

    fn take_requests(&mut self) {
        loop {
            let Some(connection) = self.connection.as_mut().filter(|connection| !connection.torn) else { return };
            let refused = match Request::take(&mut connection.input) {
                Ok(None) => return,
                Ok(Some(Request::Submit(urb))) => {
                    self.function.submit(urb).err().map(|_| "more requests under way than any host has".to_owned())
                }
                Ok(Some(Request::Unlink { id, victim })) => {
                    let status = if self.function.unlink(victim) { status::UNLINKED } else { 0 };
                    self.carry_out();
                    self.send(&Reply::Unlinked { id, status });
                    None
                }
                Err(violation) => Some(violation.to_string()),
            };
            if refused.is_some() {
                return self.close(refused);
            }
            self.carry_out();
        }
    }

    /// Answers a new connection. Nothing here waits for its peer: a caller may give up this future at any time.
    fn greet(&mut self, mut stream: TcpStream, operation: Operation) {
        let free = !self.pulled && self.connection.is_none();
        let reply = match operation {
            Operation::List => reply_list((!self.pulled).then(|| self.present())),
            Operation::Import(id) if free && id == bus_id(&self.present().bus_id) => {
                let reply = reply_import(Some(self.present()));
                return self.plug(stream, &reply);
            }
            Operation::Import(_) => reply_import(None),
        };
        self.strangers.spawn(async move {
            timeout(STRANGERS_PATIENCE, stream.write_all(&reply)).await??;
            Err(io::ErrorKind::ConnectionAborted.into())
        });
    }

    /// The look that the next import shows.
    fn present(&self) -> &UsbProfile {
        self.look.as_ref().unwrap_or_else(|| self.function.profile())
    }

    fn plug(&mut self, stream: TcpStream, reply: &[u8]) {
        // Only speed is lost without it.
        drop(stream.set_nodelay(true));
        let now = self.elapsed();
        if let Some(look) = self.look.take() {
            self.function = Function::new(look, self.modem.profile());
        }
        self.function.connect();
        let state = self.modem.state();
        if !state.plugged {
            self.modem.order(now, Order::Plug);
        }
        for (session, _) in state.sessions {
            self.set_session(session, true);
        }
        self.first.clear();
        for slot in &mut self.slots {
            // Packets for the host that was there before.
            while slot.to_host.try_recv().is_ok() {}
        }
        self.frames.clear();
        self.leaving = None;
        self.connection = Some(Connection { stream, input: BytesMut::new(), output: reply.into(), torn: false });
        self.events.push_back(Event::Imported);
    }

    /// The connection is over, from the host's side or for its fault.
    fn close(&mut self, why: Option<String>) {
        self.connection = None;
        let left = self.leaving.take().is_some();
        self.function.connect();
        self.events.push_back(Event::Released(why));
        if self.closing == Closing::Unplug && !left {
            let now = self.elapsed();
            self.modem.order(now, Order::Unplug);
        }
    }

    /// The modem starts anew: the device goes, and may be imported again.
    fn flush_and_close(&mut self) {
        if let Some(connection) = &mut self.connection {
            // What does not go at once is lost, as it would be on a bus.
            drop(connection.stream.try_write(&connection.output));
        }
        self.connection = None;
        self.leaving = None;
        self.function.connect();
        self.events.push_back(Event::Released(None));
    }
}

/// Reads what a new connection wants.
async fn hear_out(mut stream: TcpStream) -> io::Result<(TcpStream, Operation)> {
    let reading = async move {
        let mut bytes = Vec::with_capacity(8 + BUS_ID);
        loop {
            let operation = Operation::read(&bytes).map_err(io::Error::other)?;
            if let Some(operation) = operation {
                return Ok((stream, operation));
            }
            // Nothing beyond the operation is read: what follows it is the first request.
            let wanted = if bytes.len() < 8 { 8 } else { 8 + BUS_ID } - bytes.len();
            if (&mut stream).take(wanted as u64).read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    };
    timeout(STRANGERS_PATIENCE, reading).await?
}

/// Moves bytes in either direction; an error is the end of the connection. Cancel-safe.
async fn traffic(connection: &mut Option<Connection>) -> io::Result<()> {
    let Some(connection) = connection else { return core::future::pending().await };
    let (mut reader, mut writer) = connection.stream.split();
    if connection.input.capacity() - connection.input.len() < SMALLEST_READ {
        connection.input.reserve(64 << 10);
    }
    tokio::select! {
        read = reader.read_buf(&mut connection.input),
            if connection.output.len() < TOO_MUCH && !connection.torn =>
        {
            if read? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        written = writer.write(&connection.output), if !connection.output.is_empty() => {
            connection.output.advance(written?);
        }
        else => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    Ok(())
}

/// The next datagram for the host, of any session. Cancel-safe.
async fn next_datagram(slots: &mut [Slot]) -> (u8, Bytes) {
    poll_fn(|context| {
        for slot in &mut *slots {
            // A session whose other end is gone has nothing to say any more.
            if let Poll::Ready(Some(datagram)) = slot.to_host.poll_recv(context) {
                return Poll::Ready((slot.session, datagram));
            }
        }
        Poll::Pending
    })
    .await
}

async fn has_room(channel: Option<mpsc::Sender<Bytes>>) {
    match channel {
        Some(channel) => drop(channel.reserve().await.map(drop)),
        None => core::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => core::future::pending().await,
    }
}

//! The device as a host controller meets it: URBs go in, completions come out. Sans-IO; the modem behind it is fed by
//! whoever serves the device.

use super::data::{Counters, Transfer};
use super::descriptor::ControlLimits;
use super::device::{Answer, Consequence, Device};
use super::fault::{Pipe, UsbFault};
use super::profile::UsbProfile;
use super::{BULK_ENDPOINT, INTERRUPT_ENDPOINT};
use crate::profile::Profile;
use bytes::{Bytes, BytesMut};
use core::time::Duration;
use mbim_proto::class_request::Setup;
use std::collections::{BTreeSet, VecDeque};

/// URBs that may be pending at once.
const MOST_PENDING: usize = 2048;
/// Bytes that pending URBs may hold.
const MOST_HELD: usize = 16 << 20;
/// Datagrams from the host that may wait for their sessions; then the OUT pipe waits.
const MOST_ARRIVED: usize = 512;
/// The address bit of IN.
const IN: u8 = 0x80;
/// URB_SHORT_NOT_OK and URB_ZERO_PACKET.
const SHORT_NOT_OK: u32 = 0x01;
const ZERO_PACKET: u32 = 0x40;

/// What an URB may end with: numbers of Linux, negative.
pub mod status {
    /// EPIPE: the endpoint stalls.
    pub const STALL: i32 = -32;
    /// EPROTO: there is no such endpoint now.
    pub const PROTOCOL: i32 = -71;
    /// EOVERFLOW: a packet did not fit into what was left of the buffer.
    pub const OVERFLOW: i32 = -75;
    /// ECONNRESET: unlinked.
    pub const UNLINKED: i32 = -104;
    /// ESHUTDOWN: the endpoint went away.
    pub const SHUTDOWN: i32 = -108;
    /// EREMOTEIO: fewer bytes than were asked for, and that was forbidden.
    pub const SHORT: i32 = -121;
}

/// A request of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urb {
    /// Its number, of the host's choice.
    pub id: u32,
    /// Endpoint number, 0 to 15.
    pub endpoint: u8,
    /// Whether it is towards the host.
    pub input: bool,
    /// transfer_flags: only "short is an error" (1) and "end with a zero-length packet" (0x40) count.
    pub flags: u32,
    /// Size of the host's buffer, in bytes.
    pub length: usize,
    /// The SETUP packet, on endpoint 0.
    pub setup: [u8; 8],
    /// What the host sends.
    pub data: Bytes,
}

/// A completed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its number.
    pub id: u32,
    /// 0, or one of [`status`].
    pub status: i32,
    /// Bytes that passed.
    pub actual: usize,
    /// The bytes, if they pass towards the host.
    pub data: Bytes,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A request is completed.
    Done(Done),
    /// A request is completed, but the device goes away while it is: half of it reaches the host.
    Torn(Done),
    /// A frame for the modem.
    Command(Vec<u8>),
    /// The function was reset: the modem forgets the host, and its sessions end.
    Reset,
}

/// The host has more under way than any honest one would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

#[derive(Debug)]
struct Input {
    urb: Urb,
    got: BytesMut,
}

#[derive(Debug, Default)]
struct Trouble {
    stall_all: bool,
    stalls: Vec<u8>,
    holds: Vec<u8>,
    silent: Vec<Pipe>,
    flood: Option<(Duration, Duration)>,
    garbage: VecDeque<Vec<u8>>,
    vanish: Option<Pipe>,
}

/// The device.
#[derive(Debug)]
pub struct Function {
    device: Device,
    sessions: BTreeSet<u8>,
    control: VecDeque<Urb>,
    interrupt: VecDeque<Urb>,
    bulk_in: VecDeque<Input>,
    bulk_out: VecDeque<Urb>,
    held: usize,
    sending: Option<Transfer>,
    arrived: VecDeque<(u8, Bytes)>,
    trouble: Trouble,
    happenings: VecDeque<Happening>,
}

impl Function {
    /// A device of this look around a modem of this profile, without power.
    #[must_use]
    pub fn new(usb: UsbProfile, modem: &Profile) -> Self {
        let limits =
            ControlLimits { max_message: modem.max_control_message.max(64), outstanding: modem.max_outstanding };
        Self {
            device: Device::new(usb, limits, modem.device_id.reveal()),
            sessions: BTreeSet::new(),
            control: VecDeque::new(),
            interrupt: VecDeque::new(),
            bulk_in: VecDeque::new(),
            bulk_out: VecDeque::new(),
            held: 0,
            sending: None,
            arrived: VecDeque::new(),
            trouble: Trouble::default(),
            happenings: VecDeque::new(),
        }
    }

    /// Its look.
    #[must_use]
    pub const fn profile(&self) -> &UsbProfile {
        self.device.profile()
    }

    /// What passed since it was made.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters { responses_lost: self.device.lost(), held: self.control.len(), ..self.device.ntb.counters.clone() }
    }

    /// Whether the host has configured it.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.device.is_configured()
    }

    /// Whether the host has fetched every response.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        self.device.is_fetched()
    }

    /// It is connected to a host: unconfigured, nothing under way, no fault of the bus.
    pub fn connect(&mut self) {
        self.device.reset();
        self.control.clear();
        self.interrupt.clear();
        self.bulk_in.clear();
        self.bulk_out.clear();
        self.held = 0;
        self.sending = None;
        self.arrived.clear();
        self.trouble = Trouble::default();
        self.happenings.clear();
    }

    /// A session of the modem is up or down: datagrams of others are dropped.
    pub fn set_session(&mut self, session: u8, up: bool) {
        if up {
            self.sessions.insert(session);
        } else {
            self.sessions.remove(&session);
            self.arrived.retain(|(of, _)| *of != session);
        }
    }

    /// A frame of the modem waits for the host.
    pub fn respond(&mut self, frame: Vec<u8>) {
        self.device.respond(frame);
        self.pump_interrupt();
    }

    /// A defect is laid.
    pub fn fault(&mut self, now: Duration, fault: UsbFault) {
        match fault {
            UsbFault::StallControl => self.trouble.stall_all = true,
            UsbFault::StallRequest(request) => self.trouble.stalls.push(request),
            UsbFault::HoldRequest(request) => self.trouble.holds.push(request),
            UsbFault::Silent(pipe) => self.trouble.silent.push(pipe),
            UsbFault::Halt(pipe) => {
                if let Some(address) = address_of(pipe) {
                    self.halt(address);
                }
            }
            UsbFault::Flood { every } => self.trouble.flood = Some((every, now)),
            UsbFault::Garbage(transfers) => self.trouble.garbage.extend(transfers),
            UsbFault::Vanish(pipe) => self.trouble.vanish = Some(pipe),
            UsbFault::Clear => {
                self.trouble = Trouble::default();
                for urb in std::mem::take(&mut self.control) {
                    self.held -= urb.data.len();
                    self.answer(&urb);
                }
            }
        }
        self.wake(now);
    }

    /// When [`wake`](Self::wake) is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        self.trouble.flood.map(|(_, due)| due).filter(|_| !self.interrupt.is_empty())
    }

    /// Lets time pass.
    pub fn wake(&mut self, now: Duration) {
        if let Some((every, due)) = self.trouble.flood
            && due <= now
            && let Some(urb) = self.interrupt.pop_front()
        {
            self.trouble.flood = Some((every, now + every));
            self.notify(&urb, Device::response_available());
        }
        self.pump();
    }

    /// The next thing that comes out. Drain it after each input.
    pub fn poll(&mut self) -> Option<Happening> {
        self.happenings.pop_front()
    }

    /// Takes a request.
    ///
    /// # Errors
    /// The host has too much under way.
    pub fn submit(&mut self, urb: Urb) -> Result<(), TooMuch> {
        let pending = self.control.len() + self.interrupt.len() + self.bulk_in.len() + self.bulk_out.len();
        if pending >= MOST_PENDING || self.held + urb.data.len() > MOST_HELD {
            return Err(TooMuch);
        }
        let address = urb.endpoint | if urb.input { IN } else { 0 };
        if urb.endpoint == 0 {
            let class = urb.setup[0] & 0x60 == 0x20;
            if class && (self.is_silent(Pipe::Control) || self.trouble.holds.contains(&urb.setup[1])) {
                self.held += urb.data.len();
                self.control.push_back(urb);
            } else {
                self.answer(&urb);
            }
        } else if self.device.is_halted(address) {
            self.complete(urb.id, status::STALL, 0, Bytes::new());
        } else {
            match (urb.endpoint, urb.input) {
                (INTERRUPT_ENDPOINT, true) if self.device.is_configured() => self.interrupt.push_back(urb),
                (BULK_ENDPOINT, true) if self.device.carries_data() => {
                    self.bulk_in.push_back(Input { urb, got: BytesMut::new() });
                }
                (BULK_ENDPOINT, false) if self.device.carries_data() => {
                    self.held += urb.data.len();
                    self.bulk_out.push_back(urb);
                }
                _ => self.complete(urb.id, status::PROTOCOL, 0, Bytes::new()),
            }
            self.pump();
        }
        Ok(())
    }

    /// Takes a request back. True when it was pending: it will not be completed any more.
    pub fn unlink(&mut self, id: u32) -> bool {
        let before = self.control.len() + self.interrupt.len() + self.bulk_in.len() + self.bulk_out.len();
        for queue in [&mut self.control, &mut self.bulk_out] {
            queue.retain(|urb| {
                let stays = urb.id != id;
                self.held -= if stays { 0 } else { urb.data.len() };
                stays
            });
        }
        self.interrupt.retain(|urb| urb.id != id);
        self.bulk_in.retain(|input| input.urb.id != id);
        before > self.control.len() + self.interrupt.len() + self.bulk_in.len() + self.bulk_out.len()
    }

    // Datagrams.

    /// Whether the host waits for a block: then [`pack`](Self::pack) may be called.
    #[must_use]
    pub fn wants_datagrams(&self) -> bool {
        self.sending.is_none() && self.may_send() && !self.bulk_in.is_empty()
    }

    /// Packs what `source` has into the next block and sends it.
    pub fn pack(&mut self, mut source: impl FnMut() -> Option<(u8, Bytes)>) {
        if !self.wants_datagrams() {
            return;
        }
        let (sessions, ntb) = (&self.sessions, &mut self.device.ntb);
        let mut dropped = 0;
        self.sending = ntb.pack(|| {
            loop {
                let (session, datagram) = source()?;
                if sessions.contains(&session) {
                    return Some((session, datagram));
                }
                dropped += 1;
            }
        });
        ntb.counters.dropped += dropped;
        self.pump_in();
    }

    /// The oldest datagram from the host that nobody took yet, with its session.
    #[must_use]
    pub fn datagram(&self) -> Option<(u8, &Bytes)> {
        self.arrived.front().map(|(session, datagram)| (*session, datagram))
    }

    /// That one was taken; `false`: there was nobody to take it.
    pub fn taken(&mut self, served: bool) {
        if let Some((_, datagram)) = self.arrived.pop_front() {
            let counters = &mut self.device.ntb.counters;
            if served {
                counters.datagrams_from_host += 1;
                counters.octets_from_host += datagram.len() as u64;
            } else {
                counters.dropped += 1;
            }
        }
        self.pump_out();
    }

    // Control.

    fn answer(&mut self, urb: &Urb) {
        let setup = Setup::decode(urb.setup);
        if setup.length > 0 && setup.is_in() != urb.input {
            // The data stage would go the other way than the host has room for.
            return self.complete(urb.id, status::PROTOCOL, 0, Bytes::new());
        }
        let class = setup.request_type & 0x60 == 0x20;
        if class && (self.trouble.stall_all || self.trouble.stalls.contains(&setup.request)) {
            return self.complete(urb.id, status::STALL, 0, Bytes::new());
        }
        let wanted = usize::from(setup.length);
        let data = urb.data.get(..wanted).unwrap_or(&urb.data);
        match self.device.control(setup, data) {
            Answer::Stall => self.complete(urb.id, status::STALL, 0, Bytes::new()),
            Answer::Data(bytes) => {
                let short = bytes.len() < urb.length;
                self.complete_in(Pipe::Control, urb, short, Bytes::from(bytes));
            }
            Answer::Done(consequence) => {
                self.complete(urb.id, 0, data.len(), Bytes::new());
                self.follow(consequence);
            }
        }
    }

    fn follow(&mut self, consequence: Consequence) {
        match consequence {
            Consequence::None => {}
            Consequence::Command(frame) => self.happenings.push_back(Happening::Command(frame)),
            Consequence::Reset => self.happenings.push_back(Happening::Reset),
            Consequence::Interfaces => self.end_transfers(),
            Consequence::Configured => {
                for urb in std::mem::take(&mut self.interrupt) {
                    self.complete(urb.id, status::SHUTDOWN, 0, Bytes::new());
                }
                self.end_transfers();
                self.happenings.push_back(Happening::Reset);
            }
            Consequence::Cleared(_) => self.pump(),
            Consequence::Halted(address) => self.halt(address),
        }
    }

    fn end_transfers(&mut self) {
        self.sending = None;
        self.arrived.clear();
        let (inputs, outputs) = (std::mem::take(&mut self.bulk_in), std::mem::take(&mut self.bulk_out));
        for id in inputs.into_iter().map(|input| input.urb.id).chain(outputs.iter().map(|urb| urb.id)) {
            self.complete(id, status::SHUTDOWN, 0, Bytes::new());
        }
        self.held = self.control.iter().map(|urb| urb.data.len()).sum();
    }

    fn halt(&mut self, address: u8) {
        self.device.halt(address);
        let mut ended = Vec::new();
        match address {
            0x82 => {
                self.sending = None;
                ended.extend(self.bulk_in.drain(..).map(|input| input.urb.id));
            }
            0x02 => {
                for urb in self.bulk_out.drain(..) {
                    self.held -= urb.data.len();
                    ended.push(urb.id);
                }
            }
            _ => ended.extend(self.interrupt.drain(..).map(|urb| urb.id)),
        }
        for id in ended {
            self.complete(id, status::STALL, 0, Bytes::new());
        }
    }

    // The other pipes.

    fn pump(&mut self) {
        self.pump_interrupt();
        self.pump_out();
        self.pump_in();
    }

    fn pump_interrupt(&mut self) {
        if self.is_silent(Pipe::Interrupt) || self.device.is_halted(IN | INTERRUPT_ENDPOINT) {
            return;
        }
        while !self.interrupt.is_empty()
            && let Some(notification) = self.device.notification()
            && let Some(urb) = self.interrupt.pop_front()
        {
            self.notify(&urb, notification);
        }
    }

    fn notify(&mut self, urb: &Urb, notification: Vec<u8>) {
        if urb.length < notification.len() {
            return self.complete(urb.id, status::OVERFLOW, 0, Bytes::new());
        }
        let short = urb.length > notification.len();
        self.complete_in(Pipe::Interrupt, urb, short, notification.into());
    }

    fn pump_out(&mut self) {
        while self.arrived.len() < MOST_ARRIVED && !self.is_silent(Pipe::BulkOut) {
            let Some(urb) = self.bulk_out.pop_front() else { return };
            let length = urb.data.len();
            self.held -= length;
            let (sessions, arrived) = (&self.sessions, &mut self.arrived);
            let mut dropped = 0;
            let short = urb.flags & ZERO_PACKET != 0
                && length.is_multiple_of(usize::from(self.device.profile().speed.bulk_packet()));
            self.device.ntb.receive(urb.data, short, |session, datagram| {
                if sessions.contains(&session) {
                    arrived.push_back((session, datagram));
                } else {
                    dropped += 1;
                }
            });
            self.device.ntb.counters.dropped += dropped;
            let torn = self.trouble.vanish == Some(Pipe::BulkOut);
            let done = Done { id: urb.id, status: 0, actual: length, data: Bytes::new() };
            self.happenings.push_back(if torn { Happening::Torn(done) } else { Happening::Done(done) });
        }
    }

    fn may_send(&self) -> bool {
        self.device.carries_data() && !self.is_silent(Pipe::BulkIn) && !self.device.is_halted(IN | BULK_ENDPOINT)
    }

    /// Moves the transfer under way into the waiting buffers, packet by packet as the bus would.
    fn pump_in(&mut self) {
        if !self.may_send() {
            return;
        }
        let packet = usize::from(self.device.profile().speed.bulk_packet());
        while let Some(input) = self.bulk_in.front_mut() {
            if self.sending.is_none()
                && let Some(bytes) = self.trouble.garbage.pop_front()
            {
                let ends_empty = bytes.len().is_multiple_of(packet);
                self.sending = Some(Transfer { bytes: bytes.into(), ends_empty });
            }
            let Some(sending) = &mut self.sending else { return };
            let room = input.urb.length - input.got.len();
            let fits = sending.bytes.len() <= room;
            // A packet is taken whole or not at all.
            let overflows = !fits && !input.urb.length.is_multiple_of(packet);
            if overflows {
                self.sending = None;
            } else if fits {
                let rest = std::mem::take(&mut sending.bytes);
                let short = !rest.len().is_multiple_of(packet);
                let full = rest.len() == room;
                let ends_empty = sending.ends_empty;
                if !ends_empty || !full || short {
                    // Otherwise an empty packet is due in the next buffer.
                    self.sending = None;
                } else {
                    sending.bytes = Bytes::new();
                }
                if input.got.is_empty() && (short || full || ends_empty) {
                    let Some(Input { urb, .. }) = self.bulk_in.pop_front() else { return };
                    self.complete_in(Pipe::BulkIn, &urb, !full, rest);
                    continue;
                }
                input.got.extend_from_slice(&rest);
                if !(short || full || ends_empty) {
                    // No packet said that this was the end: what follows goes into the same buffer.
                    continue;
                }
            } else {
                input.got.extend_from_slice(&sending.bytes.split_to(room));
            }
            let Some(Input { urb, got }) = self.bulk_in.pop_front() else { return };
            if overflows {
                self.complete(urb.id, status::OVERFLOW, got.len(), got.freeze());
            } else {
                self.complete_in(Pipe::BulkIn, &urb, got.len() < urb.length, got.freeze());
            }
        }
    }

    fn is_silent(&self, pipe: Pipe) -> bool {
        self.trouble.silent.contains(&pipe)
    }

    fn complete_in(&mut self, pipe: Pipe, urb: &Urb, short: bool, mut data: Bytes) {
        data.truncate(urb.length);
        let status = if short && urb.flags & SHORT_NOT_OK != 0 { status::SHORT } else { 0 };
        let done = Done { id: urb.id, status, actual: data.len(), data };
        let torn = self.trouble.vanish == Some(pipe);
        self.happenings.push_back(if torn { Happening::Torn(done) } else { Happening::Done(done) });
    }

    fn complete(&mut self, id: u32, status: i32, actual: usize, data: Bytes) {
        self.happenings.push_back(Happening::Done(Done { id, status, actual, data }));
    }
}

const fn address_of(pipe: Pipe) -> Option<u8> {
    match pipe {
        Pipe::Control => None,
        Pipe::Interrupt => Some(IN | INTERRUPT_ENDPOINT),
        Pipe::BulkIn => Some(IN | BULK_ENDPOINT),
        Pipe::BulkOut => Some(BULK_ENDPOINT),
    }
}

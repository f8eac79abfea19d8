//! The machine: bytes in, frames and happenings out, time as an argument.
//!
//! Here is what concerns the line: power, open and close, transactions, faults. What the modem does is in
//! `life.rs` (card, radio, registration, packet service), `context.rs` (sessions) and `answer/` (bodies).

mod line;

use crate::answer::{self, Answer};
use crate::context::Context;
use crate::dialogue::Reply;
use crate::fault::{Faults, What};
use crate::life::Life;
use crate::log::{Direction, Log};
use crate::misbehave::StillOpen;
use crate::order::{Order, Output, State};
use crate::profile::{Overrun, Profile, Release};
use crate::wire::{self, Assembler, Command, Cut, FrameCutter, Incoming, Outgoing, kind, protocol_error};
use core::time::Duration;
use line::{Alteration, name_of};
use mbim_proto::Uuid;
use mbim_proto::service::ussd::UssdSessionState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Commands at work at once that even a tolerant modem takes.
const MOST_OUTSTANDING: usize = 1024;
/// Steps that one input may set off without time passing. Reached only by a fault that feeds itself.
const MOST_STEPS: usize = 10_000;

const STATUS_SUCCESS: u32 = 0;
const STATUS_BUSY: u32 = 1;

/// A modem. See the [crate's page](crate) for how it is driven.
#[derive(Debug)]
pub struct VirtualModem {
    pub(crate) profile: Profile,
    pub(crate) host: Host,
    pub(crate) life: Life,
    pub(crate) contexts: BTreeMap<u32, Context>,
    pub(crate) memory: answer::Memory,
    plugged: bool,
    powered_at: Duration,
    schedule: BTreeMap<(Duration, u64), Event>,
    sequence: u64,
    faults: Faults,
    indications: u32,
    log: Log,
    outputs: VecDeque<Output>,
}

/// What the modem knows of the host's session of control messages.
#[derive(Debug, Default)]
pub(crate) struct Host {
    cutter: FrameCutter,
    assembler: Assembler,
    pub(crate) open: bool,
    largest: u32,
    epoch: u32,
    /// The extension release in force.
    pub(crate) release: Release,
    pub(crate) negotiation: Negotiation,
    /// What the host subscribed; `None` before it said anything.
    pub(crate) subscribed: Option<BTreeMap<[u8; 16], BTreeSet<u32>>>,
    outstanding: BTreeMap<u32, (Uuid, u32)>,
    pub(crate) ready_queried: bool,
    /// Open data streams with their services.
    pub(crate) streams: BTreeMap<u32, Uuid>,
    strayed: bool,
}

/// Whether VERSION would still count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Negotiation {
    /// Nothing but DEVICE_SERVICES came yet.
    #[default]
    Open,
    /// VERSION came in time.
    Done,
    /// Another command came first: 1.0 for the session.
    Missed,
}

/// A command that is to be answered later. It is void once the session of control messages is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    transaction: u32,
    pub(crate) service: Uuid,
    pub(crate) cid: u32,
    epoch: u32,
}

/// What happens when its time has come.
#[derive(Debug)]
pub(crate) enum Event {
    SimReady {
        generation: u32,
    },
    RadioSet {
        ticket: Ticket,
        on: bool,
    },
    Registered {
        generation: u32,
    },
    Attached {
        generation: u32,
    },
    Detached {
        generation: u32,
    },
    Activated {
        session: u32,
        generation: u32,
    },
    Deactivated {
        session: u32,
        generation: u32,
    },
    IpKnown {
        session: u32,
        generation: u32,
    },
    Scanned {
        ticket: Ticket,
    },
    ServiceActivation {
        ticket: Ticket,
        blob: Vec<u8>,
    },
    /// The network has taken a message, or not.
    MessageSent {
        ticket: Ticket,
        pdu: Vec<u8>,
        reference: u8,
    },
    /// There may be room for messages that the network holds.
    MessagesWait,
    /// The network answers in a dialogue.
    UssdReply {
        generation: u32,
        ticket: Ticket,
        reply: Reply,
        state: UssdSessionState,
    },
    /// The host was asked and does not answer.
    UssdTimeout {
        generation: u32,
    },
    Signal,
    /// The firmware was told to start anew, and its answer is due before.
    Reset,
    Restart,
    /// The modem was told to switch itself off, and its answer is due before.
    PowerOff,
    Gone,
    /// An answer is ready to be sent.
    Send {
        message: Outgoing,
        epoch: u32,
    },
    /// A message that a fault has held back leaves.
    Emit {
        message: Outgoing,
        epoch: u32,
        garbage: Vec<u8>,
    },
    /// A message of the host that a fault has held back arrives.
    Arrive {
        incoming: Incoming,
        epoch: u32,
    },
}

impl VirtualModem {
    /// A modem that gets power at time zero.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self::plugged_at(profile, Duration::ZERO)
    }

    /// A modem that gets power at this time.
    #[must_use]
    pub fn plugged_at(profile: Profile, now: Duration) -> Self {
        let life = Life::new(profile.hardware_radio);
        let mut faults = Faults::default();
        faults.set_noise(profile.noise);
        let mut modem = Self {
            profile,
            host: Host::default(),
            life,
            contexts: BTreeMap::new(),
            memory: answer::Memory::default(),
            plugged: true,
            powered_at: now,
            schedule: BTreeMap::new(),
            sequence: 0,
            faults,
            indications: 0,
            log: Log::default(),
            outputs: VecDeque::new(),
        };
        modem.power_on(now);
        modem
    }

    /// Takes control bytes of the host: whole frames, or any chunks of them. Nothing here panics, whatever they are.
    pub fn handle(&mut self, now: Duration, bytes: &[u8]) {
        self.wake(now);
        if !self.plugged {
            return;
        }
        for cut in self.host.cutter.push(now, bytes) {
            match cut {
                Cut::Frame(frame) => self.frame(now, &frame),
                Cut::Lost { transaction } => self.protest(now, transaction, protocol_error::LENGTH_MISMATCH),
            }
            self.run_due(now);
        }
    }

    /// The next thing that comes out. Drain it after each input.
    pub fn poll(&mut self) -> Option<Output> {
        let first = self.outputs.pop_front()?;
        if !self.profile.misbehaviour.joins_messages {
            return Some(first);
        }
        match (first, self.outputs.pop_front()) {
            (Output::Transmit(mut one), Some(Output::Transmit(other))) => {
                one.extend_from_slice(&other);
                Some(Output::Transmit(one))
            }
            (first, Some(second)) => {
                self.outputs.push_front(second);
                Some(first)
            }
            (first, None) => Some(first),
        }
    }

    /// When [`wake`](Self::wake) is due; `None` while nothing is.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        let scheduled = self.schedule.keys().next().map(|(at, _)| *at);
        [scheduled, self.host.cutter.deadline(), self.host.assembler.deadline()].into_iter().flatten().min()
    }

    /// Lets time pass: what is due by now happens.
    pub fn wake(&mut self, now: Duration) {
        if let Some(transaction) = self.host.cutter.expire(now) {
            self.protest(now, transaction, protocol_error::LENGTH_MISMATCH);
        }
        if let Some(transaction) = self.host.assembler.expire(now) {
            self.protest(now, transaction, protocol_error::TIMEOUT_FRAGMENT);
        }
        self.run_due(now);
    }

    /// RESET_FUNCTION of the USB function: the host's session is closed without a word, data sessions end, what was under
    /// way is abandoned. Card and network stay as they are. `[MBIM1.0 7.3.3]`
    pub fn reset_function(&mut self, now: Duration) {
        self.wake(now);
        if self.plugged {
            self.end_sessions();
            self.forget_host();
            self.outputs.retain(|output| !matches!(output, Output::Transmit(_)));
        }
    }

    /// An act from outside.
    pub fn order(&mut self, now: Duration, order: Order) {
        self.wake(now);
        match order {
            Order::Unplug => self.unplug(),
            Order::Plug if !self.plugged => {
                self.plugged = true;
                self.power_on(now);
            }
            Order::Plug | Order::Reboot => self.reboot(now),
            Order::Fault(fault) => self.faults.add(fault),
            Order::Noise(noise) => self.faults.set_noise(noise),
            Order::ClearFaults => self.faults.clear(),
            Order::Indicate { service, cid, buffer } => {
                if self.host.open {
                    self.send(now, Outgoing::Indicate { service, cid, buffer });
                }
            }
            Order::Slot(slot) => self.change_slot(now, slot),
            Order::HardwareRadio(on) => self.hardware_radio(now, on),
            Order::Coverage(coverage) => {
                self.profile.network.coverage = coverage;
                self.settle(now);
            }
            Order::Signal { rssi, error_rate } => self.signal(now, rssi, error_rate),
            Order::Subscription(subscription) => self.subscription(now, subscription),
            Order::Network(network) => self.change_network(now, *network),
            Order::DropSession { session, cause } => self.drop_context(now, session, cause),
            Order::Detach { cause } => self.detached_by_network(now, cause),
            Order::Readdress { session, ip } => self.readdress(now, session, ip),
            Order::Proactive(data) => self.proactive(now, data),
            Order::Emergency(on) => {
                self.memory.emergency = on;
                self.indicate_emergency(now);
            }
            Order::ReceiveSms(pdu) => self.message_for_us(now, pdu),
            Order::Ussd(reply) => self.ussd_from_network(now, reply),
            Order::Traffic { received_octets, received_packets, sent_octets, sent_packets } => {
                self.memory.traffic.add(received_octets, received_packets, sent_octets, sent_packets);
            }
        }
        self.run_due(now);
    }

    /// Every message so far.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// What the modem holds now.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            plugged: self.plugged,
            open: self.host.open,
            release: self.host.release.bcd(),
            ready_state: self.ready_state(),
            register_state: self.register_state(),
            packet_service_state: self.packet_service_state(),
            sessions: self.active_sessions(),
            subscription: self.profile.network.subscription,
            outstanding: self.host.outstanding.len(),
            streams: self.host.streams.iter().map(|(session, service)| (*session, *service)).collect(),
            emergency: self.memory.emergency,
            services: answer::services(&self.profile),
            software_radio: self.life.software,
            idle: self.profile.holdings.idle_hint,
            signal: self.signal_report(),
            traffic: self.memory.traffic,
        }
    }

    /// The profile as it is now: card and network change with the orders.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    // Power.

    fn power_on(&mut self, now: Duration) {
        self.powered_at = now;
        self.forget_host();
        self.schedule.clear();
        self.start(now);
        self.run_due(now);
    }

    fn power_off(&mut self) {
        self.profile.holdings.idle_hint = false;
        self.end_sessions();
        self.schedule.clear();
        self.forget_host();
    }

    fn reboot(&mut self, now: Duration) {
        if self.plugged {
            self.power_off();
            self.output(Output::Rebooted);
            self.power_on(now);
        }
    }

    fn unplug(&mut self) {
        if self.plugged {
            self.power_off();
            self.plugged = false;
            self.output(Output::Unplugged);
        }
    }

    fn forget_host(&mut self) {
        let epoch = self.host.epoch.wrapping_add(1);
        self.host = Host { epoch, release: Release::V1, largest: self.longest_frame(), ..Host::default() };
    }

    fn longest_frame(&self) -> u32 {
        u32::from(self.profile.max_control_message).max(wire::SMALLEST_TRANSFER)
    }

    // The host's messages.

    fn frame(&mut self, now: Duration, frame: &[u8]) {
        let largest = if self.host.open { self.host.largest } else { self.longest_frame() };
        if u32::try_from(frame.len()).is_ok_and(|length| length > largest) {
            self.host.assembler.clear();
            self.protest(now, wire::word(frame, 8).unwrap_or(0), protocol_error::MAX_TRANSFER);
            return;
        }
        for incoming in self.host.assembler.push(now, frame) {
            self.arrive(now, incoming);
        }
    }

    /// A message of the host meets the faults, then the modem.
    fn arrive(&mut self, now: Duration, incoming: Incoming) {
        if !self.plugged {
            return;
        }
        let (kind, subject) = match &incoming {
            Incoming::Collecting => return,
            Incoming::Violation { transaction, code } => return self.protest(now, *transaction, *code),
            Incoming::Open { .. } => (kind::OPEN, None),
            Incoming::Close { .. } => (kind::CLOSE, None),
            Incoming::HostError { .. } => (kind::HOST_ERROR, None),
            Incoming::Command(command) => (kind::COMMAND, Some((command.service, command.cid))),
        };
        let what = self.faults.strike(Direction::FromHost, kind, subject).into_iter().next();
        self.log_incoming(now, kind, &incoming, what.as_ref().map(name_of));
        match what {
            None => self.process(now, incoming),
            Some(What::Drop) => {}
            Some(What::Delay(late)) => {
                let epoch = self.host.epoch;
                self.later(now, late, Event::Arrive { incoming, epoch });
            }
            Some(What::Duplicate) => {
                self.process(now, incoming.clone());
                self.process(now, incoming);
            }
            Some(What::Garbage(bytes)) => {
                self.output(Output::Transmit(bytes));
                self.process(now, incoming);
            }
            Some(What::Status(status)) => match incoming {
                Incoming::Open { transaction, .. } => self.send(now, Outgoing::OpenDone { transaction, status }),
                Incoming::Close { transaction } => self.send(now, Outgoing::CloseDone { transaction, status }),
                Incoming::Command(Command { transaction, service, cid, .. }) => {
                    self.send(now, Outgoing::CommandDone { transaction, service, cid, status, buffer: Vec::new() });
                }
                _ => {}
            },
            Some(What::ResetMidway) => self.reboot(now),
            Some(What::Unplug) => self.unplug(),
            Some(What::Refuse(code)) => {
                let transaction = incoming.transaction();
                self.send(now, Outgoing::FunctionError { transaction, code });
            }
            Some(What::SplitAt(_) | What::LoseFragment(_) | What::WrongTransaction | What::LyingLength(_)) => {
                self.process(now, incoming);
            }
        }
    }

    fn process(&mut self, now: Duration, incoming: Incoming) {
        match incoming {
            Incoming::Open { transaction, max_control_transfer } => self.open(now, transaction, max_control_transfer),
            Incoming::Close { transaction } => {
                self.profile.misbehaviour.still_open = None;
                self.end_sessions();
                self.forget_host();
                self.send(now, Outgoing::CloseDone { transaction, status: STATUS_SUCCESS });
            }
            Incoming::Command(command) => self.command(now, &command),
            Incoming::Violation { transaction, code } => self.protest(now, transaction, code),
            Incoming::HostError { .. } | Incoming::Collecting => {}
        }
    }

    fn open(&mut self, now: Duration, transaction: u32, max_control_transfer: u32) {
        let misbehaviour = &mut self.profile.misbehaviour;
        if now < self.powered_at.saturating_add(misbehaviour.deaf_for) {
            return;
        }
        if misbehaviour.busy_opens > 0 {
            misbehaviour.busy_opens -= 1;
            return self.send(now, Outgoing::OpenDone { transaction, status: STATUS_BUSY });
        }
        match misbehaviour.still_open {
            Some(StillOpen::Silent) => return,
            Some(StillOpen::FunctionError) => return self.protest(now, transaction, protocol_error::UNKNOWN),
            Some(StillOpen::StrayCloseDone) => {
                return self.send(now, Outgoing::CloseDone { transaction, status: STATUS_SUCCESS });
            }
            None => {}
        }
        if max_control_transfer < wire::SMALLEST_TRANSFER {
            return self.protest(now, transaction, protocol_error::MAX_TRANSFER);
        }
        self.end_sessions();
        self.forget_host();
        self.host.open = true;
        self.host.largest = max_control_transfer.min(self.longest_frame());
        self.send(now, Outgoing::OpenDone { transaction, status: STATUS_SUCCESS });
    }

    fn command(&mut self, now: Duration, command: &Command) {
        let Command { transaction, service, cid, .. } = *command;
        if !self.host.open {
            return self.protest(now, transaction, protocol_error::NOT_OPENED);
        }
        if transaction == 0 {
            return self.protest(now, transaction, protocol_error::UNKNOWN);
        }
        if self.host.outstanding.contains_key(&transaction) {
            return self.protest(now, transaction, protocol_error::DUPLICATED_TID);
        }
        let full = self.host.outstanding.len() >= usize::from(self.profile.max_outstanding);
        let overrun = match self.profile.overrun {
            _ if self.host.outstanding.len() >= MOST_OUTSTANDING => Overrun::Drop,
            overrun if full => overrun,
            _ => Overrun::Tolerate,
        };
        match overrun {
            Overrun::Tolerate => {}
            Overrun::Drop => return,
            Overrun::Busy => {
                let status = STATUS_BUSY;
                return self.send(now, Outgoing::CommandDone { transaction, service, cid, status, buffer: Vec::new() });
            }
        }
        self.host.outstanding.insert(transaction, (service, cid));
        let ticket = Ticket { transaction, service, cid, epoch: self.host.epoch };
        let answer = answer::answer(self, now, command, ticket);
        if let Answer::Done(status, buffer) = answer {
            let message = Outgoing::CommandDone { transaction, service, cid, status, buffer };
            let epoch = self.host.epoch;
            self.later(now, self.profile.pace.answer, Event::Send { message, epoch });
        }
        if self.profile.misbehaviour.stray_indications && !self.host.strayed {
            self.host.strayed = true;
            for (service, cid) in answer::strays() {
                self.send(now, Outgoing::Indicate { service, cid, buffer: vec![0; 8] });
            }
        }
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    // Time.

    pub(crate) fn later(&mut self, now: Duration, delay: Duration, event: Event) {
        self.sequence += 1;
        self.schedule.insert((now.saturating_add(delay), self.sequence), event);
    }

    fn run_due(&mut self, now: Duration) {
        for _ in 0..MOST_STEPS {
            let Some(entry) = self.schedule.first_entry().filter(|entry| entry.key().0 <= now) else { return };
            let event = entry.remove();
            self.happen(now, event);
        }
    }

    fn happen(&mut self, now: Duration, event: Event) {
        match event {
            Event::SimReady { generation } => self.sim_is_ready(now, generation),
            Event::RadioSet { ticket, on } => self.radio_is_set(now, ticket, on),
            Event::Registered { generation } => self.registration_is_decided(now, generation),
            Event::Attached { generation } => self.attach_is_decided(now, generation),
            Event::Detached { generation } => self.is_detached(now, generation),
            Event::Activated { session, generation } => self.activation_is_decided(now, session, generation),
            Event::Deactivated { session, generation } => self.is_deactivated(now, session, generation),
            Event::IpKnown { session, generation } => self.ip_is_known(now, session, generation),
            Event::Scanned { ticket } => self.scan_is_over(now, ticket),
            Event::ServiceActivation { ticket, blob } => self.service_activation_is_decided(now, ticket, &blob),
            Event::MessageSent { ticket, pdu, reference } => self.message_is_sent(now, ticket, pdu, reference),
            Event::MessagesWait => self.deliver_messages(now),
            Event::UssdReply { generation, ticket, reply, state } => {
                self.ussd_is_answered(now, generation, ticket, reply, state);
            }
            Event::UssdTimeout { generation } => self.ussd_is_over(now, generation),
            // The answer was put on the schedule after this event, for the same time: it goes first.
            Event::Reset => self.later(now, Duration::ZERO, Event::Restart),
            Event::Restart => self.reboot(now),
            Event::PowerOff => self.later(now, Duration::ZERO, Event::Gone),
            Event::Gone => self.unplug(),
            Event::Signal => self.signal_may_be_reported(now),
            Event::Send { message, epoch } if epoch == self.host.epoch => self.send(now, message),
            Event::Emit { message, epoch, garbage } if epoch == self.host.epoch => {
                self.emit(now, &message, Alteration::late(garbage));
            }
            Event::Arrive { incoming, epoch } if epoch == self.host.epoch => self.process(now, incoming),
            Event::Send { .. } | Event::Emit { .. } | Event::Arrive { .. } => {}
        }
    }
}

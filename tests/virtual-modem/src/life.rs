//! Card, radio, registration, packet service and signal: what goes on whether or not a host listens.
//!
//! Each is a small state of its own. Service follows from them: [`VirtualModem::settle`] starts a search when card,
//! radio and coverage allow it, and takes service away in the order that hosts rely on when they do not: sessions,
//! then packet service, then registration.

use crate::answer::{
    STATUS_FAILURE, STATUS_NOT_REGISTERED, STATUS_PACKET_SERVICE_DETACHED, STATUS_PROVIDER_NOT_VISIBLE,
};
use crate::machine::{Event, Ticket, VirtualModem};
use crate::network::{Admission, Carrier, Network, Subscription};
use crate::order::Output;
use crate::sim::{Lock, Slot};
use core::time::Duration;
use mbim_proto::service::BASIC_CONNECT;
use mbim_proto::service::basic_connect::cid::SIGNAL_STATE;

/// Everything that lives without the host.
#[derive(Debug)]
pub(crate) struct Life {
    sim_started: bool,
    sim_generation: u32,
    /// Whether the function leaves the card alone.
    pub(crate) pass_through: bool,
    /// The hardware switch.
    pub(crate) hardware: bool,
    /// The software switch.
    pub(crate) software: bool,
    pub(crate) registration: Registration,
    /// The network that the host chose; `None`: automatic.
    manual: Option<String>,
    /// Data classes that the host prefers; 0: the device decides.
    pub(crate) preferred_classes: u32,
    registration_generation: u32,
    registering: Vec<Ticket>,
    pub(crate) packet: Packet,
    /// NwError of the last refusal of packet service.
    pub(crate) packet_error: u32,
    packet_generation: u32,
    attaching: Vec<Ticket>,
    detaching: Vec<Ticket>,
    pub(crate) signal: Signal,
}

/// Where registration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    Off,
    Searching,
    On(Carrier),
    Denied(u32),
}

/// Where packet service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Attaching,
    Attached,
    Detaching,
    Detached,
}

/// Signal and how it is reported.
#[derive(Debug)]
pub(crate) struct Signal {
    /// Set from outside; `None`: what the carrier has.
    level: Option<(u32, u32)>,
    /// Seconds; 0: the device's default.
    pub(crate) interval: u32,
    pub(crate) rssi_threshold: u32,
    pub(crate) error_rate_threshold: u32,
    /// What the host knows.
    told: (u32, u32),
    told_at: Option<Duration>,
    waiting: bool,
}

/// RSSI or error rate that is not known.
const UNKNOWN_LEVEL: u32 = 99;
/// Threshold or interval that means no reports.
const OFF: u32 = u32::MAX;
/// What the device takes for an interval of 0, in seconds.
const DEFAULT_INTERVAL: u32 = 5;
/// What the device takes for a threshold of 0, in codes.
const DEFAULT_THRESHOLD: u32 = 2;

impl Life {
    pub(crate) fn new(hardware: bool) -> Self {
        Self {
            sim_started: false,
            sim_generation: 0,
            pass_through: false,
            hardware,
            software: false,
            registration: Registration::Off,
            manual: None,
            preferred_classes: 0,
            registration_generation: 0,
            registering: Vec::new(),
            packet: Packet::Detached,
            packet_error: 0,
            packet_generation: 0,
            attaching: Vec::new(),
            detaching: Vec::new(),
            signal: Signal {
                level: None,
                interval: DEFAULT_INTERVAL,
                rssi_threshold: 0,
                error_rate_threshold: 0,
                told: (UNKNOWN_LEVEL, UNKNOWN_LEVEL),
                told_at: None,
                waiting: false,
            },
        }
    }

    /// The carrier that the modem is registered with.
    pub(crate) const fn carrier(&self) -> Option<&Carrier> {
        match &self.registration {
            Registration::On(carrier) => Some(carrier),
            _ => None,
        }
    }

    /// Whether both switches are on.
    pub(crate) const fn radio_on(&self) -> bool {
        self.hardware && self.software
    }

    /// MBIM_REGISTER_MODE.
    pub(crate) const fn register_mode(&self) -> u32 {
        if self.manual.is_some() { 2 } else { 1 }
    }
}

impl VirtualModem {
    /// Power-on of everything that needs no host.
    pub(crate) fn start(&mut self, now: Duration) {
        let old = &self.life;
        let generations = [old.sim_generation, old.registration_generation, old.packet_generation];
        let hardware = old.hardware;
        self.life = Life::new(hardware);
        let [sim, registration, packet] = generations.map(|generation| generation.wrapping_add(1));
        self.life.sim_generation = sim;
        self.life.registration_generation = registration;
        self.life.packet_generation = packet;
        self.life.software = self.profile.software_radio;
        self.memory.ussd.end();
        self.start_sim(now);
    }

    fn start_sim(&mut self, now: Duration) {
        self.life.sim_started = false;
        self.memory.channels.clear();
        self.life.sim_generation = self.life.sim_generation.wrapping_add(1);
        if let Slot::Card(sim) = &mut self.profile.slot {
            sim.pin1.power_cycle();
        }
        let generation = self.life.sim_generation;
        self.later(now, self.profile.pace.sim_ready, Event::SimReady { generation });
    }

    pub(crate) fn sim_is_ready(&mut self, now: Duration, generation: u32) {
        if generation == self.life.sim_generation {
            self.life.sim_started = true;
            self.indicate_ready(now);
            self.indicate_sms_configuration(now);
            self.indicate_active_slot(now);
            self.settle(now);
        }
    }

    pub(crate) fn change_slot(&mut self, now: Duration, slot: Slot) {
        self.profile.slot = slot;
        self.restart_card(now);
        self.indicate_active_slot(now);
    }

    /// The card starts anew. With `pass_through` the function leaves it to the host from then on.
    pub(crate) fn reset_card(&mut self, now: Duration, pass_through: bool) {
        self.life.pass_through = pass_through;
        self.restart_card(now);
    }

    /// The card in use starts, whichever it is.
    pub(crate) fn restart_card(&mut self, now: Duration) {
        self.start_sim(now);
        self.settle(now);
        self.indicate_ready(now);
    }

    /// The status of what needs a card that answers, locked or not; `None` if it does.
    pub(crate) const fn card_silence(&self) -> Option<u32> {
        match &self.profile.slot {
            Slot::Empty => Some(3),
            _ if !self.life.sim_started => Some(14),
            Slot::Bad => Some(4),
            Slot::EsimWithoutProfile | Slot::Card(_) => None,
        }
    }

    /// MBIM_SUBSCRIBER_READY_STATE.
    pub(crate) fn ready_state(&self) -> u32 {
        match &self.profile.slot {
            Slot::Empty => 2,
            _ if !self.life.sim_started && self.profile.misbehaviour.sim_missing_while_starting => 2,
            _ if !self.life.sim_started => 0,
            Slot::Bad => 3,
            _ if self.life.pass_through => 0,
            Slot::EsimWithoutProfile => 7,
            Slot::Card(sim) => match sim.pin1.lock() {
                Lock::Dead => 3,
                Lock::Pin | Lock::Puk => 6,
                Lock::Open if !sim.activated => 5,
                Lock::Open => 1,
            },
        }
    }

    /// The status of what needs a card that is ready; `None` if it is.
    pub(crate) fn card_problem(&self) -> Option<u32> {
        match self.ready_state() {
            1 | 5 => None,
            0 => Some(14),
            3 => Some(4),
            6 => Some(5),
            _ => Some(3),
        }
    }

    // Radio.

    pub(crate) fn set_radio(&mut self, now: Duration, ticket: Ticket, on: bool) {
        self.later(now, self.profile.pace.radio, Event::RadioSet { ticket, on });
    }

    pub(crate) fn radio_is_set(&mut self, now: Duration, ticket: Ticket, on: bool) {
        self.life.software = on;
        self.settle(now);
        self.indicate_rfim(now);
        let body = self.radio_body();
        self.finish(now, ticket, 0, body);
    }

    pub(crate) fn hardware_radio(&mut self, now: Duration, on: bool) {
        if self.life.hardware != on {
            self.life.hardware = on;
            self.settle(now);
            self.indicate_radio(now);
        }
    }

    // Registration.

    /// Brings registration in line with card, radio and coverage.
    pub(crate) fn settle(&mut self, now: Duration) {
        let possible = self.life.radio_on() && self.card_problem().is_none() && self.profile.network.coverage;
        match (possible, &self.life.registration) {
            (true, Registration::Off) => self.search(now),
            (false, Registration::Off) | (true, _) => {}
            (false, _) => self.lose_service(now),
        }
    }

    fn search(&mut self, now: Duration) {
        self.life.registration = Registration::Searching;
        self.life.registration_generation = self.life.registration_generation.wrapping_add(1);
        self.indicate_registration(now);
        let generation = self.life.registration_generation;
        self.later(now, self.profile.pace.register, Event::Registered { generation });
    }

    /// Sessions end, then packet service, then registration.
    pub(crate) fn lose_service(&mut self, now: Duration) {
        self.lose_ussd(now);
        self.lose_packet_service(now, 0, STATUS_NOT_REGISTERED);
        self.life.registration_generation = self.life.registration_generation.wrapping_add(1);
        self.life.registration = Registration::Off;
        self.indicate_registration(now);
        self.answer_registering(now, STATUS_FAILURE);
        self.report_signal(now);
    }

    /// REGISTER_STATE set. `None`: automatic.
    pub(crate) fn register(&mut self, now: Duration, ticket: Ticket, manual: Option<String>) {
        let settled = matches!(self.life.registration, Registration::On(_)) && self.life.manual == manual;
        let there = manual.is_some() && self.life.carrier().map(|carrier| &carrier.id) == manual.as_ref();
        self.life.manual = manual;
        if settled || there {
            let body = self.registration_body();
            return self.finish(now, ticket, 0, body);
        }
        self.life.registering.push(ticket);
        self.lose_packet_service(now, 0, STATUS_NOT_REGISTERED);
        if self.profile.network.coverage {
            self.search(now);
        } else {
            self.life.registration = Registration::Off;
            self.answer_registering(now, STATUS_PROVIDER_NOT_VISIBLE);
        }
    }

    pub(crate) fn registration_is_decided(&mut self, now: Duration, generation: u32) {
        if generation != self.life.registration_generation {
            return;
        }
        let network = &self.profile.network;
        let carrier = match &self.life.manual {
            Some(id) => network.manual(id),
            None => network.automatic(),
        };
        let status = match carrier.cloned() {
            None => {
                self.life.registration = Registration::Off;
                STATUS_PROVIDER_NOT_VISIBLE
            }
            Some(Carrier { admission: Admission::Denied(cause), .. }) => {
                self.life.registration = Registration::Denied(cause);
                STATUS_FAILURE
            }
            Some(carrier) => {
                self.life.registration = Registration::On(carrier);
                0
            }
        };
        self.indicate_registration(now);
        self.answer_registering(now, status);
        self.report_signal(now);
        self.deliver_messages(now);
        if status == 0 && self.profile.auto_attach {
            self.begin_attach(now);
        }
    }

    fn answer_registering(&mut self, now: Duration, status: u32) {
        for ticket in core::mem::take(&mut self.life.registering) {
            let body = self.registration_body();
            self.finish(now, ticket, status, body);
        }
    }

    /// MBIM_REGISTER_STATE.
    pub(crate) const fn register_state(&self) -> u32 {
        match &self.life.registration {
            Registration::Off => 1,
            Registration::Searching => 2,
            Registration::Denied(_) => 6,
            Registration::On(carrier) => match carrier.admission {
                Admission::Home | Admission::Denied(_) => 3,
                Admission::Roaming => 4,
                Admission::Partner => 5,
            },
        }
    }

    pub(crate) fn change_network(&mut self, now: Duration, network: Network) {
        let before = self.profile.network.subscription;
        if self.life.registration != Registration::Off {
            self.lose_service(now);
        }
        self.profile.network = network;
        if self.profile.network.subscription != before {
            self.output(Output::Subscription(self.profile.network.subscription));
        }
        self.settle(now);
    }

    /// The operator's records change; sessions that are no longer allowed end.
    pub(crate) fn subscription(&mut self, now: Duration, subscription: Subscription) {
        if self.profile.network.subscription != subscription {
            self.profile.network.subscription = subscription;
            self.output(Output::Subscription(subscription));
            self.drop_what_is_not_admitted(now);
        }
    }

    // Packet service.

    /// MBIM_PACKET_SERVICE_STATE.
    pub(crate) const fn packet_service_state(&self) -> u32 {
        match self.life.packet {
            Packet::Attaching => 1,
            Packet::Attached => 2,
            Packet::Detaching => 3,
            Packet::Detached => 4,
        }
    }

    /// PACKET_SERVICE set, attach. A running attach completes it; an attached device is done.
    pub(crate) fn attach(&mut self, now: Duration, ticket: Ticket) {
        match self.life.packet {
            Packet::Attached => {
                let body = self.packet_service_body();
                self.finish(now, ticket, 0, body);
            }
            Packet::Attaching => self.life.attaching.push(ticket),
            Packet::Detached | Packet::Detaching => {
                self.life.attaching.push(ticket);
                self.begin_attach(now);
            }
        }
    }

    fn begin_attach(&mut self, now: Duration) {
        self.life.packet = Packet::Attaching;
        self.life.packet_error = 0;
        self.life.packet_generation = self.life.packet_generation.wrapping_add(1);
        self.indicate_packet_service(now);
        let generation = self.life.packet_generation;
        self.later(now, self.profile.pace.attach, Event::Attached { generation });
    }

    pub(crate) fn attach_is_decided(&mut self, now: Duration, generation: u32) {
        if generation != self.life.packet_generation {
            return;
        }
        let refusal = self.profile.network.attach_refusal;
        self.life.packet = if refusal.is_some() { Packet::Detached } else { Packet::Attached };
        self.life.packet_error = refusal.unwrap_or(0);
        self.indicate_packet_service(now);
        let status = if refusal.is_some() { STATUS_FAILURE } else { 0 };
        self.answer_attaching(now, status);
    }

    /// PACKET_SERVICE set, detach.
    pub(crate) fn detach(&mut self, now: Duration, ticket: Ticket) {
        if self.life.packet == Packet::Detached {
            let body = self.packet_service_body();
            return self.finish(now, ticket, 0, body);
        }
        self.drop_all_contexts(now, 0, STATUS_PACKET_SERVICE_DETACHED);
        self.life.packet = Packet::Detaching;
        self.life.packet_generation = self.life.packet_generation.wrapping_add(1);
        self.answer_attaching(now, STATUS_FAILURE);
        self.life.detaching.push(ticket);
        let generation = self.life.packet_generation;
        self.later(now, self.profile.pace.attach, Event::Detached { generation });
    }

    pub(crate) fn is_detached(&mut self, now: Duration, generation: u32) {
        if generation == self.life.packet_generation {
            self.life.packet = Packet::Detached;
            self.indicate_packet_service(now);
            self.answer_detaching(now);
        }
    }

    pub(crate) fn detached_by_network(&mut self, now: Duration, cause: u32) {
        self.lose_packet_service(now, cause, STATUS_PACKET_SERVICE_DETACHED);
    }

    fn lose_packet_service(&mut self, now: Duration, cause: u32, status: u32) {
        self.drop_all_contexts(now, cause, status);
        if self.life.packet == Packet::Detached {
            return;
        }
        self.life.packet = Packet::Detached;
        self.life.packet_error = cause;
        self.life.packet_generation = self.life.packet_generation.wrapping_add(1);
        self.indicate_packet_service(now);
        self.answer_attaching(now, status);
        self.answer_detaching(now);
    }

    fn answer_attaching(&mut self, now: Duration, status: u32) {
        for ticket in core::mem::take(&mut self.life.attaching) {
            let body = self.packet_service_body();
            self.finish(now, ticket, status, body);
        }
    }

    fn answer_detaching(&mut self, now: Duration) {
        for ticket in core::mem::take(&mut self.life.detaching) {
            let body = self.packet_service_body();
            self.finish(now, ticket, 0, body);
        }
    }

    /// The data class in use: the best that carrier and device share. 0 without packet service.
    pub(crate) fn current_data_class(&self) -> u32 {
        let classes = self.available_data_classes();
        if self.life.packet == Packet::Attached && classes != 0 { 1 << classes.ilog2() } else { 0 }
    }

    /// What carrier and device share.
    pub(crate) fn available_data_classes(&self) -> u32 {
        self.life.carrier().map_or(0, |carrier| carrier.data_classes & self.profile.data_classes)
    }

    // Signal.

    /// RSSI and error rate codes now.
    pub(crate) fn level(&self) -> (u32, u32) {
        let searching = self.life.radio_on() && self.profile.network.coverage;
        match (searching, self.life.signal.level, self.life.carrier()) {
            (false, _, _) => (UNKNOWN_LEVEL, UNKNOWN_LEVEL),
            (true, Some(level), _) => level,
            (true, None, Some(carrier)) => (carrier.rssi, 0),
            (true, None, None) => (UNKNOWN_LEVEL, UNKNOWN_LEVEL),
        }
    }

    pub(crate) fn signal(&mut self, now: Duration, rssi: u32, error_rate: u32) {
        self.life.signal.level = Some((rssi, error_rate));
        self.report_signal(now);
    }

    /// The host knows this level: it was told in an answer.
    pub(crate) fn signal_was_told(&mut self) {
        self.life.signal.told = self.level();
    }

    /// The interval is over.
    pub(crate) fn signal_may_be_reported(&mut self, now: Duration) {
        self.life.signal.waiting = false;
        self.report_signal(now);
    }

    /// Indicates signal if it moved by a threshold, not more often than the interval allows.
    fn report_signal(&mut self, now: Duration) {
        let level = self.level();
        let wanted = self.is_wanted(BASIC_CONNECT, SIGNAL_STATE);
        let signal = &mut self.life.signal;
        let moved = |new: u32, old: u32, threshold: u32| {
            let unknown = (new == UNKNOWN_LEVEL) != (old == UNKNOWN_LEVEL);
            let least = if threshold == 0 { DEFAULT_THRESHOLD } else { threshold };
            threshold != OFF && (unknown || new.abs_diff(old) >= least)
        };
        let rssi = moved(level.0, signal.told.0, signal.rssi_threshold);
        let error_rate = moved(level.1, signal.told.1, signal.error_rate_threshold);
        let zero = signal.interval == 0 && self.profile.misbehaviour.zero_interval_stops_signal;
        let stopped = zero || signal.interval == OFF;
        if !(rssi || error_rate) || stopped || !wanted {
            return;
        }
        let seconds = if signal.interval == 0 { DEFAULT_INTERVAL } else { signal.interval };
        let interval = Duration::from_secs(u64::from(seconds));
        match signal.told_at.map(|at| at.saturating_add(interval)) {
            Some(next) if next > now => {
                if !signal.waiting {
                    signal.waiting = true;
                    self.later(now, next.saturating_sub(now), Event::Signal);
                }
            }
            _ => {
                signal.told = level;
                signal.told_at = Some(now);
                self.indicate_signal(now);
            }
        }
    }
}

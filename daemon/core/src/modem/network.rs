//! Radio switches, registration, packet service, signal: facts in, next steps out. `[MBIM reference, 17]`

use core::time::Duration;

use mbim_proto::status::{NwError, Status};

use super::ask::{Answer, Asked};
use super::machine::Modem;
use super::read::{Home, PacketFact, Ready, RegisterFact, SignalFact};
use super::tables::{
    Context, PacketEvent, PacketState, RadioEvent, RadioState, RegistrationEvent, RegistrationState, SimState,
};
use super::timer::Timer;
use super::unheard::Unheard;
use crate::Time;
use crate::event::Event;
use crate::session::Outcome;
use crate::snapshot::Device;

/// How long the modem may take to begin registration by itself after the radio went on.
const REGISTER_GRACE: Duration = Duration::from_secs(5);
/// How long the modem may take to attach by itself where it says that it does.
const ATTACH_GRACE: Duration = Duration::from_secs(10);
/// Tries to switch the radio on while the modem says that this is not allowed yet (Q23).
const RADIO_TRIES: u32 = 6;
/// Least time between two orders of the same kind.
const SPACING: Duration = Duration::from_secs(2);

/// What the modem said in this session.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// DEVICE_CAPS; the inner `None` = asked in vain.
    pub(super) caps: Option<Option<Device>>,
    pub(super) ready: Option<Ready>,
    /// HOME_PROVIDER since the SIM is ready; the inner `None` = asked in vain.
    pub(super) home: Option<Option<Home>>,
    pub(super) card: super::card::Card,
    pub(super) pin: Option<super::read::PinFact>,
    pub(super) pin_after: super::pin::AfterPin,
    pub(super) hardware: Option<bool>,
    pub(super) software: Option<bool>,
    pub(super) register: Option<RegisterFact>,
    pub(super) packet: Option<PacketFact>,
    pub(super) signal: Option<SignalFact>,
    pub(super) signal_asked: bool,
    pub(super) clock: super::clock::Clock,
    /// CONNECT was queried: no context of an earlier host is left.
    pub(super) context_known: bool,
    /// Questions that were put twice because the first went unanswered.
    pub(super) asked_again: Vec<&'static str>,
    pub(super) sim_tries: u32,
    pub(super) radio_tries: u32,
    pub(super) radio_unheard: Unheard,
    pub(super) register_unheard: Unheard,
    pub(super) packet_unheard: Unheard,
    pub(super) register_tries: u32,
    pub(super) attach_tries: u32,
    /// The configuration of the attach context was asked for.
    pub(super) attach_asked: bool,
    pub(super) attach_waited: bool,
    pub(super) attach_error: u32,
    /// When attaching was ordered last.
    pub(super) attach_at: Option<Time>,
    /// How often the modem was asked what is missing.
    pub(super) looks: u32,
}

impl Modem {
    // ---- radio

    pub(super) fn on_radio(&mut self, hardware: bool, software: bool) {
        let before = (self.facts.hardware, self.facts.software);
        self.facts.hardware = Some(hardware);
        self.facts.software = Some(software);
        if before != (self.facts.hardware, self.facts.software) {
            self.emit(Event::info("radio").with("hardware", on_off(hardware)).with("software", on_off(software)));
        }
        let event = match (hardware, software) {
            (false, _) => RadioEvent::IsHardwareOff,
            (true, true) => RadioEvent::IsOn,
            (true, false) => RadioEvent::IsOff,
        };
        self.step(|t| &mut t.radio, event);
    }

    /// Answer to RADIO_STATE set.
    pub(super) fn on_radio_set(&mut self, now: Time, wanted: bool, answer: Answer<(bool, bool)>) {
        self.timers.clear(Timer::RadioAnswer);
        match answer {
            Answer::Body(Status::SUCCESS, (hardware, software)) => {
                self.facts.radio_tries = 0;
                let done = if wanted { RadioEvent::TurnedOn } else { RadioEvent::TurnedOff };
                if software == wanted && (hardware || !wanted) {
                    self.step(|t| &mut t.radio, done);
                } else {
                    self.step(|t| &mut t.radio, RadioEvent::Refused);
                    self.radio_later(now);
                }
                self.on_radio(hardware, software);
                if wanted {
                    self.radio_switched(now, wanted);
                }
            }
            Answer::Body(status, _) | Answer::Status(status) => {
                self.emit(Event::warn("error").with("what", "radio").with("status", status));
                self.step(|t| &mut t.radio, RadioEvent::Refused);
                self.radio_later(now);
            }
            Answer::Malformed | Answer::None(_) => {
                self.step(|t| &mut t.radio, RadioEvent::Refused);
                self.radio_later(now);
            }
        }
    }

    /// The order to switch was carried out.
    pub(super) fn radio_switched(&mut self, now: Time, on: bool) {
        self.facts.radio_tries = 0;
        if on && self.tables.radio == RadioState::On {
            self.timers.set(Timer::Register, now + REGISTER_GRACE);
        }
    }

    pub(super) fn radio_later(&mut self, now: Time) {
        self.facts.radio_tries += 1;
        let pause = Duration::from_secs(1 << self.facts.radio_tries.min(8));
        self.timers.set(Timer::Radio, now + pause);
    }

    /// Whether the radio could not be switched in spite of several tries.
    pub(super) fn radio_stuck(&self) -> bool {
        self.facts.radio_tries >= RADIO_TRIES
    }

    /// What the radio is to be: the kernel's word first, then that of a procedure, then the person's.
    pub(super) fn radio_target(&self) -> bool {
        !self.blocked && self.requests.job_radio().unwrap_or(self.radio_wish)
    }

    /// The radio could not be asked: again, until it can.
    pub(super) fn on_radio_timer(&mut self, now: Time) {
        if self.tables.radio == RadioState::Unknown {
            self.ask_radio(now);
        }
    }

    /// What was known of the network holds no longer: the radio is off.
    pub(super) fn forget_registration(&mut self) {
        self.step(|t| &mut t.registration, RegistrationEvent::IsUnknown);
        self.step(|t| &mut t.packet, PacketEvent::IsUnknown);
        self.timers.clear(Timer::Register);
        self.timers.clear(Timer::Attach);
        self.facts.attach_waited = false;
    }

    pub(super) fn advance_radio(&mut self, now: Time) {
        if self.tables.radio == RadioState::Unknown
            && !self.timers.runs(Timer::Radio)
            && !self.is_asked(|a| matches!(a, Asked::Radio))
        {
            self.timers.set(Timer::Radio, now + Duration::from_secs(5));
        }
        if self.tables.radio == RadioState::HardwareOff {
            self.lose_extras(now, "radio-hardware-off");
        }
        let target = self.radio_target();
        match (self.tables.radio, target) {
            (RadioState::Off, true) | (RadioState::On, false) => {}
            (RadioState::HardwareOff, _) if self.dialer.link_or_context(self.tables.context) => {
                return self.context_lost(now, 0, "radio-hardware-off");
            }
            _ => return,
        }
        if self.timers.runs(Timer::Radio) || self.is_asked(|a| matches!(a, Asked::RadioSet(_))) {
            return;
        }
        if !target && !matches!(self.tables.context, Context::Down | Context::Waiting) {
            // Packets first: an orderly end of the context, then the radio.
            return self.drop_context(now, "radio-off");
        }
        if !target && self.extras_busy() {
            return;
        }
        let order = if target { RadioEvent::OrderOn } else { RadioEvent::OrderOff };
        if self.step(|t| &mut t.radio, order) {
            // A modem that says yes and does no would be asked for ever without a pause.
            self.timers.set(Timer::Radio, now + SPACING);
            self.ask_radio_set(now, target);
        }
    }

    // ---- registration

    pub(super) fn on_register(&mut self, now: Time, fact: RegisterFact) {
        let was = self.tables.registration;
        let event = match fact.state {
            1 => RegistrationEvent::IsDeregistered,
            2 => RegistrationEvent::IsSearching,
            3 => RegistrationEvent::IsHome,
            4 => RegistrationEvent::IsRoaming,
            5 => RegistrationEvent::IsPartner,
            6 => RegistrationEvent::IsDenied,
            _ => RegistrationEvent::IsUnknown,
        };
        self.step(|t| &mut t.registration, event);
        let is = self.tables.registration;
        let moved = self.facts.register.as_ref().is_none_or(|old| old.provider_id != fact.provider_id) || was != is;
        if is.is_registered() && moved {
            self.facts.register_tries = 0;
            self.timers.clear(Timer::Register);
            self.emit(
                Event::info("registered")
                    .with("state", registration_name(is))
                    .with("plmn", &fact.provider_id)
                    .with("name", &fact.provider_name),
            );
            if was.is_registered() && was != is {
                self.online.due = true;
            }
            if self.subscriber.view.as_ref().is_some_and(|view| view.matched == "none") {
                // Without a record the network's own name is shown.
                self.subscriber.stale = true;
            }
            // Another network, another chance. [OPER 3.7]
            self.dialer.forgive(&mut self.timers);
            self.forgive_extras(now);
        }
        if is == RegistrationState::Denied && (was != is || moved) {
            self.emit(Event::warn("denied").with("cause", NwError(fact.nw_error)).with("number", fact.nw_error));
        }
        if is == RegistrationState::Searching {
            self.timers.clear(Timer::Register);
        }
        self.facts.register = Some(fact);
        if is == RegistrationState::Deregistered && was != is && !self.timers.runs(Timer::Register) {
            let first = was == RegistrationState::Unknown;
            let pause = if first { Duration::ZERO } else { REGISTER_GRACE };
            self.timers.set(Timer::Register, now + pause);
        }
    }

    pub(super) fn on_register_timer(&mut self, now: Time) {
        if self.tables.radio != RadioState::On || !self.sim_usable() {
            return;
        }
        match self.tables.registration {
            RegistrationState::Deregistered | RegistrationState::Unknown => {}
            _ => return,
        }
        if self.is_asked(|a| matches!(a, Asked::RegisterSet)) {
            return;
        }
        self.ask_register_set(now);
        self.facts.register_tries += 1;
        let pause = Duration::from_secs(30 << self.facts.register_tries.min(4));
        self.timers.set(Timer::Register, now + pause);
    }

    /// Answer to REGISTER_STATE set. A failure without a cause after the modem registered means nothing (Q19): ask.
    pub(super) fn on_register_set(&mut self, now: Time, answer: Answer<RegisterFact>) {
        self.timers.clear(Timer::RegisterAnswer);
        match answer {
            Answer::Body(Status::SUCCESS, fact) => self.on_register(now, fact),
            Answer::Body(_, fact) if fact.nw_error != 0 => {
                self.emit(Event::warn("error").with("what", "register").with("number", fact.nw_error));
                self.ask_register(now);
            }
            Answer::None(Outcome::Dropped | Outcome::Gone) => {}
            _ => self.ask_register(now),
        }
    }

    pub(super) fn advance_registration(&mut self, now: Time) {
        // Registration that began before the SIM could be used is looked at again when it can.
        if self.tables.radio == RadioState::On
            && self.sim_usable()
            && matches!(self.tables.registration, RegistrationState::Deregistered | RegistrationState::Unknown)
            && !self.timers.runs(Timer::Register)
            && !self.is_asked(|a| matches!(a, Asked::RegisterSet | Asked::Register))
        {
            self.timers.set(Timer::Register, now + REGISTER_GRACE);
        }
    }

    pub(super) fn sim_usable(&self) -> bool {
        matches!(self.tables.sim, SimState::Ready | SimState::NotActivated | SimState::Other)
    }

    /// A connection is wanted and something is missing that should come by itself: reports get lost, so the modem is
    /// asked now and then, more and more seldom.
    pub(super) fn advance_look(&mut self, now: Time) {
        const OURS: &[&str] =
            &["no-data-interface", "session-opening", "radio-off", "radio-blocked", "operator-unknown", "card-files"];
        let idle = matches!(self.tables.context, Context::Down | Context::Waiting);
        let missing = idle && self.wants_context() && self.gate().is_some_and(|gate| !OURS.contains(&gate.reason.code));
        if !missing {
            self.timers.clear(Timer::Look);
            self.facts.looks = 0;
        } else if !self.timers.runs(Timer::Look) {
            let pause = Duration::from_secs(30 << self.facts.looks.min(5));
            self.facts.looks += 1;
            self.timers.set(Timer::Look, now + pause);
        }
    }

    pub(super) fn on_look_timer(&mut self, now: Time) {
        self.look_again(now);
        let between = matches!(self.tables.packet, PacketState::Attaching | PacketState::Detaching);
        let asked = self.is_asked(|a| matches!(a, Asked::PacketSet));
        if between && self.tables.registration.is_registered() && !asked {
            self.ask_packet_attach(now);
        }
    }

    // ---- packet service

    pub(super) fn on_packet(&mut self, now: Time, fact: PacketFact) {
        let was = self.tables.packet;
        let event = match fact.state {
            1 => PacketEvent::IsAttaching,
            2 => PacketEvent::IsAttached,
            3 => PacketEvent::IsDetaching,
            4 => PacketEvent::IsDetached,
            _ => PacketEvent::IsUnknown,
        };
        self.step(|t| &mut t.packet, event);
        if self.tables.packet == PacketState::Attached && was != PacketState::Attached {
            self.facts.attach_tries = 0;
            self.facts.attach_error = 0;
            self.timers.clear(Timer::Attach);
            self.emit(Event::info("attached-to-network").with("data-class", data_class(fact.data_class)));
            self.dialer.forgive_loss(&mut self.timers);
            self.forgive_extras(now);
        }
        self.facts.packet = Some(fact);
    }

    /// Answer to PACKET_SERVICE set, attach.
    pub(super) fn on_packet_set(&mut self, now: Time, answer: Answer<PacketFact>) {
        self.timers.clear(Timer::PacketAnswer);
        let (status, cause) = match answer {
            Answer::Body(Status::SUCCESS, fact) => return self.on_packet(now, fact),
            Answer::Body(status, fact) => (status, fact.nw_error),
            Answer::Status(Status::SUCCESS) => return self.ask_packet(now),
            Answer::Status(status) => (status, 0),
            Answer::None(Outcome::Dropped | Outcome::Gone) => return,
            Answer::Malformed | Answer::None(_) => (Status::FAILURE, 0),
        };
        self.step(|t| &mut t.packet, PacketEvent::Refused);
        self.facts.attach_error = cause;
        self.facts.attach_tries += 1;
        let pause = Duration::from_secs(5 << self.facts.attach_tries.min(6));
        self.timers.set(Timer::Attach, now + pause);
        self.emit(Event::warn("error").with("what", "attach").with("status", status).with("number", cause));
    }

    pub(super) fn on_attach_timer(&mut self) {
        self.facts.attach_waited = true;
    }

    pub(super) fn advance_packet(&mut self, now: Time) {
        let due = self.tables.radio == RadioState::On
            && self.tables.registration.is_registered()
            && matches!(self.tables.packet, PacketState::Detached | PacketState::Unknown)
            && !self.timers.runs(Timer::Attach)
            && !self.is_asked(|a| matches!(a, Asked::PacketSet | Asked::Packet));
        if !due {
            if !self.tables.registration.is_registered() {
                self.timers.clear(Timer::Attach);
                self.facts.attach_waited = false;
            }
            return;
        }
        let by_itself = self.facts.register.as_ref().is_some_and(|fact| fact.attaches_by_itself);
        if by_itself && !self.facts.attach_waited {
            self.timers.set(Timer::Attach, now + ATTACH_GRACE);
            return;
        }
        let spaced = self.facts.attach_at.map(|at| at + SPACING).filter(|at| *at > now);
        if let Some(at) = spaced {
            return self.timers.set(Timer::Attach, at);
        }
        if self.step(|t| &mut t.packet, PacketEvent::OrderAttach) {
            self.facts.attach_at = Some(now);
            self.ask_packet_attach(now);
        }
    }
}

pub(super) fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

pub(super) fn registration_name(state: RegistrationState) -> &'static str {
    match state {
        RegistrationState::Unknown => "unknown",
        RegistrationState::Deregistered => "deregistered",
        RegistrationState::Searching => "searching",
        RegistrationState::Home => "home",
        RegistrationState::Roaming => "roaming",
        RegistrationState::Partner => "partner",
        RegistrationState::Denied => "denied",
    }
}

pub(super) fn packet_name(state: PacketState) -> &'static str {
    match state {
        PacketState::Unknown => "unknown",
        PacketState::Detached => "detached",
        PacketState::Attaching => "attaching",
        PacketState::Attached => "attached",
        PacketState::Detaching => "detaching",
    }
}

/// The highest data class of a mask, as people say it.
pub(super) fn data_class(mask: u32) -> &'static str {
    const NAMES: &[(u32, &str)] = &[
        (0x80, "5g-sa"),
        (0x40, "5g"),
        (0x20, "lte"),
        (0x10, "hsupa"),
        (0x8, "hsdpa"),
        (0x4, "umts"),
        (0x2, "edge"),
        (0x1, "gprs"),
    ];
    NAMES.iter().find(|(bit, _)| mask & bit != 0).map_or("unknown", |(_, name)| name)
}

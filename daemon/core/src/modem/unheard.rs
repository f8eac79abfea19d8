//! Orders that the modem does not answer: it is asked how it stands instead of waiting out the whole deadline. What
//! says that the order was carried out ends it; what says twice that it was not counts it as lost. CONNECT has its
//! own watch, see [`context`](super::context).

use core::time::Duration;

use super::ask::Asked;
use super::machine::Modem;
use super::tables::{PacketState, RadioEvent, RegistrationState};
use super::timer::Timer;
use crate::Time;
use crate::session::deadline::LATE;

/// Questions at the short pace; then every [`SELDOM`].
const SOON: u32 = 8;
/// Pause between later questions.
const SELDOM: Duration = Duration::from_secs(15);
/// Times that the modem may say that nothing happened, before the order counts as lost.
pub(super) const DENIALS: u32 = 2;

/// How often the modem was asked for want of an answer, and how often it denied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unheard {
    looks: u32,
    denials: u32,
}

/// The pause before the question after so many.
pub(super) fn pause(looks: u32) -> Duration {
    if looks < SOON { LATE } else { SELDOM }
}

impl Modem {
    /// An order left: its answer is expected soon.
    pub(super) fn expect(&mut self, now: Time, timer: Timer) {
        *self.unheard(timer) = Unheard::default();
        self.timers.set(timer, now + pause(0));
    }

    fn unheard(&mut self, timer: Timer) -> &mut Unheard {
        match timer {
            Timer::RadioAnswer => &mut self.facts.radio_unheard,
            Timer::RegisterAnswer => &mut self.facts.register_unheard,
            _ => &mut self.facts.packet_unheard,
        }
    }

    /// The answer stays away: the state is asked for.
    pub(super) fn on_unheard(&mut self, now: Time, timer: Timer) {
        let waits = match timer {
            Timer::RadioAnswer => self.is_asked(|a| matches!(a, Asked::RadioSet(_))),
            Timer::RegisterAnswer => self.is_asked(|a| matches!(a, Asked::RegisterSet)),
            _ => self.is_asked(|a| matches!(a, Asked::PacketSet)),
        };
        if !waits {
            return;
        }
        match timer {
            Timer::RadioAnswer => self.ask_radio(now),
            Timer::RegisterAnswer => self.ask_register(now),
            _ => self.ask_packet(now),
        }
        let unheard = self.unheard(timer);
        unheard.looks += 1;
        let pause = pause(unheard.looks);
        self.timers.set(timer, now + pause);
    }

    /// One more denial; whether they are enough.
    fn denied(&mut self, timer: Timer) -> bool {
        let unheard = self.unheard(timer);
        unheard.denials += 1;
        unheard.denials >= DENIALS
    }

    /// RADIO_STATE was answered while an order to switch may be under way.
    pub(super) fn radio_seen(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::RadioSet(_))) {
            return;
        }
        let Some(software) = self.facts.software else { return };
        let done = self.is_asked(|a| matches!(a, Asked::RadioSet(on) if *on == software));
        if !done && !self.denied(Timer::RadioAnswer) {
            return;
        }
        self.timers.clear(Timer::RadioAnswer);
        self.give_up_on(now, |a| matches!(a, Asked::RadioSet(_)));
        if done {
            self.radio_switched(now, software);
        } else {
            self.step(|t| &mut t.radio, RadioEvent::Refused);
            self.radio_later(now);
        }
    }

    /// REGISTER_STATE was answered while an order to register may be under way.
    pub(super) fn register_seen(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::RegisterSet)) {
            return;
        }
        let idle = matches!(self.tables.registration, RegistrationState::Deregistered | RegistrationState::Unknown);
        if idle && !self.denied(Timer::RegisterAnswer) {
            return;
        }
        self.timers.clear(Timer::RegisterAnswer);
        self.give_up_on(now, |a| matches!(a, Asked::RegisterSet));
        if idle {
            self.timers.set(Timer::Register, now);
        }
    }

    /// PACKET_SERVICE was answered while an order to attach may be under way. One that was lost is ordered again by
    /// the pass.
    pub(super) fn packet_seen(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::PacketSet)) {
            return;
        }
        let over = match self.tables.packet {
            PacketState::Attached => true,
            PacketState::Attaching => false,
            _ => self.denied(Timer::PacketAnswer),
        };
        if over {
            self.timers.clear(Timer::PacketAnswer);
            self.give_up_on(now, |a| matches!(a, Asked::PacketSet));
        }
    }
}

//! SIM and identity: ready state, PIN, who the subscriber is, which operator that means. `[MBIM reference, 17]`

use core::time::Duration;

use daemon_operator::hwid;
use daemon_operator::identity::{CellClass, Identity, Reported};

use mbim_proto::Personal;

use super::ask::Asked;
use super::machine::Modem;
use super::network::Facts;
use super::read::{PinFact, Ready};
use super::reason;
use super::tables::{SimEvent, SimState};
use super::timer::Timer;
use crate::Time;
use crate::effect::{Effect, SubscriberKey};
use crate::event::Event;
use crate::request::RequestErrorKind;
use crate::snapshot::SimReady;

/// How often a card that is starting, or seems to be missing right after power-on, is asked again. `[Q25]`
const TRIES: u32 = 12;
/// PIN types of the specification that matter here.
pub(super) const PIN1: u32 = 2;
pub(super) const PIN2: u32 = 3;
pub(super) const PUK1: u32 = 11;

impl Modem {
    pub(super) fn on_ready(&mut self, now: Time, fact: Ready) {
        let was = self.tables.sim;
        let event = match fact.state {
            0 => SimEvent::NotInitialized,
            1 => SimEvent::Initialized,
            2 => SimEvent::NotInserted,
            3 => SimEvent::IsBad,
            4 => SimEvent::Failure,
            5 => SimEvent::NeedsActivation,
            6 => SimEvent::DeviceLocked,
            7 => SimEvent::NoEsimProfile,
            _ => SimEvent::Unheard,
        };
        self.step(|t| &mut t.sim, event);
        let is = self.tables.sim;
        if was != is {
            self.emit(Event::info("sim").with("state", sim_name(is)));
            self.facts.sim_tries = 0;
        }
        let other = |old: &Personal<String>, new: &Personal<String>| {
            !old.reveal().is_empty() && !new.reveal().is_empty() && old != new
        };
        let (imsi, iccid) = &self.subscriber.told;
        let swapped = other(iccid, &fact.iccid) || other(imsi, &fact.imsi);
        let taken = matches!(is, SimState::Missing) && was == SimState::Ready;
        if swapped || taken {
            self.emit(Event::info("sim").with("state", "changed"));
            self.usage_leave(now, false);
            self.context_lost(now, 0, "sim-changed");
            let text = "Another SIM was inserted; connect the session again.";
            self.end_extras(now, &reason::error(RequestErrorKind::Cancelled, "sim-changed", text));
            self.subscriber.forget(&self.config.defaults);
            self.dialer.reset();
            self.dialer.held = false;
            self.dialer.named = None;
            self.online.reset();
            self.online.forget_budget();
            self.facts.home = None;
            self.facts.attach_asked = false;
            self.forget_card(now);
        }
        // What the modem tells of a SIM may come bit by bit.
        let grown = self.facts.ready.as_ref().is_some_and(|old| {
            (&old.imsi, &old.iccid, &old.numbers, old.protected)
                != (&fact.imsi, &fact.iccid, &fact.numbers, fact.protected)
        });
        if grown && self.subscriber.identified {
            self.subscriber.identified = false;
            self.subscriber.stale = true;
            if self.subscriber.key.is_none() {
                self.subscriber.requested = false;
                self.subscriber.loaded = false;
            }
        }
        let (imsi, iccid) = &mut self.subscriber.told;
        for (known, new) in [(imsi, &fact.imsi), (iccid, &fact.iccid)] {
            if !new.reveal().is_empty() {
                *known = new.clone();
            }
        }
        if is == SimState::Ready && was != SimState::Ready {
            self.facts.pin = None;
            self.subscriber.stale = true;
            // What was asked before the card was ready may have failed for that reason.
            if self.facts.home.as_ref().is_some_and(Option::is_none) {
                self.facts.home = None;
            }
        }
        if is == SimState::Locked && was != is {
            self.facts.pin = None;
        }
        let again = matches!(is, SimState::Starting | SimState::Missing | SimState::Unknown);
        if again && self.facts.sim_tries < TRIES {
            self.timers.set(Timer::Sim, now + Duration::from_secs(if self.facts.sim_tries < 2 { 1 } else { 2 }));
        } else {
            self.timers.clear(Timer::Sim);
        }
        self.facts.ready = Some(fact);
    }

    pub(super) fn on_sim_timer(&mut self, now: Time) {
        self.facts.sim_tries += 1;
        self.ask_ready(now);
    }

    /// SUBSCRIBER_READY_STATUS could not be had: it is asked again, and the state stays what it is.
    pub(super) fn on_ready_failed(&mut self, now: Time) {
        if self.facts.sim_tries < TRIES {
            self.timers.set(Timer::Sim, now + Duration::from_secs(2));
        } else if self.tables.sim == SimState::Unknown {
            self.step(|t| &mut t.sim, SimEvent::Failure);
        }
    }

    /// Answer to a PIN query. PIN2 that is asked for means that PIN1 is done (Q5).
    pub(super) fn on_pin(&mut self, now: Time, fact: PinFact) {
        if fact.kind == PIN2 || fact.kind == 0 || !fact.locked {
            if self.tables.sim == SimState::Locked && self.facts.sim_tries < TRIES {
                self.timers.set(Timer::Sim, now + Duration::from_secs(1));
            }
            self.facts.pin = Some(PinFact { locked: false, ..fact });
            return;
        }
        self.emit(
            Event::info("pin-needed")
                .with("kind", &fact.name)
                .with("attempts", fact.attempts.map_or("unknown".to_owned(), |n| n.to_string())),
        );
        self.facts.pin = Some(fact);
    }

    pub(super) fn advance_sim(&mut self, now: Time) {
        if self.tables.sim == SimState::Locked
            && self.facts.pin.is_none()
            && !self.is_asked(|a| matches!(a, Asked::Pin | Asked::PinSet { .. }))
        {
            self.ask_pin(now);
        }
        // A PIN may be kept for it; only the ICCID can be read of a locked card.
        let named = self.facts.ready.as_ref().is_some_and(|ready| !ready.iccid.reveal().is_empty());
        if self.tables.sim == SimState::Locked && named && !self.subscriber.requested {
            self.load_subscriber();
        }
        self.enter_kept_pin(now);
        if !self.sim_usable() {
            return;
        }
        if self.facts.home.is_none() && !self.is_asked(|a| matches!(a, Asked::Home)) {
            self.ask_home(now);
        }
        if !self.subscriber.requested {
            self.load_subscriber();
        }
        // Abroad another candidate may be the last good one, and other families the right ones.
        let registered = self.tables.registration.is_registered();
        if registered && self.subscriber.choice.is_some() && self.subscriber.chosen_abroad != self.roaming() {
            self.subscriber.stale = true;
        }
        if self.facts.home.is_some() && self.facts.caps.is_some() && self.subscriber.stale {
            self.identify(now);
        }
    }

    fn load_subscriber(&mut self) {
        // One question at a time: answers carry no key, so that of another SIM must be out of the way first.
        if self.subscriber.loading.is_some() {
            return;
        }
        if self.facts.ready.is_none() {
            return;
        }
        let digits = [self.iccid_digits(), self.imsi_digits()].into_iter().find(|text| !text.is_empty());
        self.subscriber.requested = true;
        match digits {
            Some(digits) => {
                let key = SubscriberKey::new(digits.clone());
                self.subscriber.key = Some(key.clone());
                self.subscriber.loading = Some(key.clone());
                self.effect(Effect::LoadSubscriber { iccid: key });
            }
            // Nothing to remember it by: the defaults hold until it is unplugged.
            None => self.subscriber.loaded = true,
        }
    }

    pub(super) fn on_subscriber(&mut self, now: Time, state: Option<Box<crate::subscriber::SubscriberState>>) {
        let asked_for = self.subscriber.loading.take();
        if asked_for.is_none() || asked_for != self.subscriber.key || self.subscriber.loaded {
            return;
        }
        if let Some(state) = state {
            self.subscriber.state = *state;
        }
        self.subscriber.loaded = true;
        self.subscriber.stale = true;
        self.recall(now);
    }

    /// Facts → identity → operator and candidates.
    fn identify(&mut self, now: Time) {
        if !self.subscriber.identified {
            let (identity, findings) = identity_of(&self.facts, &self.imsi_digits(), &self.iccid_digits());
            for finding in findings {
                self.emit(Event::debug("identity-finding").with("text", finding));
            }
            self.emit(
                Event::info("identity")
                    .with("imsi", masked(identity.imsi.as_ref()))
                    .with("iccid", masked(identity.iccid.as_ref()))
                    .with("device", masked(identity.device.as_ref().map(|_| "present")))
                    .with("provider", identity.provider_id.as_ref().map_or("unknown".to_owned(), ToString::to_string)),
            );
            let hwids: Vec<(String, String)> = hwid::device_set(&identity)
                .into_iter()
                .map(|entry| (entry.criterion.as_str().to_owned(), entry.hwid.as_str().to_owned()))
                .collect();
            if let Some((criterion, _)) = hwids.first() {
                self.emit(Event::info("hwid").with("criterion", criterion).with("count", hwids.len()));
            }
            self.subscriber.identity = identity;
            self.subscriber.hwids = hwids;
            self.subscriber.identified = true;
        }
        let identity = &self.subscriber.identity;
        let fits = |of: &Identity| of.is_looked_up_as(identity);
        let there = self.layers.as_ref().is_some_and(|(of, _)| fits(of));
        if !self.layers_asked.as_ref().is_some_and(|of| fits(of)) {
            let identity = Box::new(identity.clone());
            self.layers_asked = Some(identity.clone());
            self.effect(Effect::LoadOperators { identity });
        }
        if self.subscriber.loaded && there {
            self.subscriber.stale = false;
            self.choose_operator(now);
        }
    }
}

/// Everything that the modem told about itself and the SIM, normalised.
fn identity_of(facts: &Facts, imsi: &str, iccid: &str) -> (Identity, Vec<String>) {
    let caps = facts.caps.as_ref().and_then(Option::as_ref);
    let home = facts.home.as_ref().and_then(Option::as_ref);
    let ready = facts.ready.as_ref();
    let numbers: Vec<&str> = ready.map(|r| r.numbers.iter().map(|n| n.reveal().as_str()).collect()).unwrap_or_default();
    let cell_class = match caps.map(|caps| caps.cellular_class) {
        Some(2) => CellClass::Cdma,
        _ => CellClass::Gsm,
    };
    let ehplmn: Vec<&str> = facts.card.ehplmn.iter().map(|plmn| plmn.as_str()).collect();
    let reported = Reported {
        cell_class,
        subscriber_id: imsi,
        iccid,
        device_id: caps.map_or("", |caps| caps.id.reveal()),
        provider_id: home.map_or("", |home| &home.id),
        provider_name: home.map_or("", |home| &home.name),
        telephone_numbers: &numbers,
        spn: &facts.card.spn,
        pnn: &facts.card.pnn,
        gid1: &facts.card.gid1,
        gid2: &facts.card.gid2,
        mnc_length: facts.card.mnc_length,
        ehplmn: &ehplmn,
        protected: ready.is_some_and(|r| r.protected),
        ..Reported::default()
    };
    let (identity, findings) = Identity::normalise(&reported);
    (identity, findings.iter().map(ToString::to_string).collect())
}

fn masked<T: core::fmt::Display>(value: Option<T>) -> String {
    value.map_or("absent".to_owned(), |value| value.to_string())
}

pub(super) fn sim_name(state: SimState) -> &'static str {
    match state {
        SimState::Unknown => "unknown",
        SimState::Starting => "starting",
        SimState::Locked => "locked",
        SimState::Ready => "ready",
        SimState::Missing => "not-inserted",
        SimState::Bad => "bad",
        SimState::Failed => "failure",
        SimState::NotActivated => "not-activated",
        SimState::NoProfile => "no-esim-profile",
        SimState::Other => "other",
    }
}

pub(super) fn ready_of(state: SimState, number: Option<u32>) -> SimReady {
    match state {
        SimState::Unknown => SimReady::Unknown,
        SimState::Starting => SimReady::NotInitialized,
        SimState::Locked => SimReady::Locked,
        SimState::Ready => SimReady::Initialized,
        SimState::Missing => SimReady::NotInserted,
        SimState::Bad => SimReady::Bad,
        SimState::Failed => SimReady::Failure,
        SimState::NotActivated => SimReady::NotActivated,
        SimState::NoProfile => SimReady::NoEsimProfile,
        SimState::Other => SimReady::Other(number.unwrap_or(u32::MAX)),
    }
}

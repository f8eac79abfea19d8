//! Who the subscriber is, and the PIN.

use super::{
    Answer, BASIC_CONNECT, STATUS_FAILURE, STATUS_INVALID_PARAMETERS, STATUS_NO_DEVICE_SUPPORT,
    STATUS_OPERATION_NOT_ALLOWED, STATUS_PARAMETER_TOO_LONG, STATUS_PIN_DISABLED, STATUS_SIM_NOT_INSERTED, decoded,
    encoded,
};
use crate::machine::{Ticket, VirtualModem};
use crate::profile::Release;
use crate::sim::{ATTEMPTS_UNKNOWN, Lock, Sim, Slot, Verdict};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::List;
use mbim_proto::service::basic_connect as bc;

/// Longest PIN or PUK in characters. [MBIM1.0 10.5.4]
const LONGEST_PIN: usize = 16;

pub(super) fn ready(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    modem.host.ready_queried = true;
    Ok(Answer::Done(0, modem.ready_body()))
}

pub(super) fn pin(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let shows_pin2 = modem.profile.misbehaviour.pin2_shown;
    let sim = card(modem)?;
    let (pin_type, pin_state) = match sim.pin1.lock() {
        Lock::Open if shows_pin2 => (bc::PinType::PIN2, bc::PinState::LOCKED),
        Lock::Open => (bc::PinType::NONE, bc::PinState::UNLOCKED),
        Lock::Pin => (bc::PinType::PIN1, bc::PinState::LOCKED),
        Lock::Puk | Lock::Dead => (bc::PinType::PUK1, bc::PinState::LOCKED),
    };
    let remaining_attempts = if sim.pin1.lock() == Lock::Open { ATTEMPTS_UNKNOWN } else { sim.pin1.attempts() };
    Ok(Answer::ok(&bc::Pin { pin_type, pin_state, remaining_attempts }))
}

pub(super) fn set_pin(modem: &mut VirtualModem, now: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set: bc::PinSet = decoded(command)?;
    let (code, new) = (set.pin.reveal().as_str(), set.new_pin.reveal().as_str());
    if code.chars().count() > LONGEST_PIN || new.chars().count() > LONGEST_PIN {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    let before = modem.ready_state();
    let pin = &mut card(modem)?.pin1;
    let (puk, verdict) = match (set.pin_type, set.pin_operation) {
        (bc::PinType::PIN1, bc::PinOperation::ENTER) => (false, pin.enter(code)),
        (bc::PinType::PIN1, bc::PinOperation::ENABLE) => (false, pin.enable(code, true)),
        (bc::PinType::PIN1, bc::PinOperation::DISABLE) => (false, pin.enable(code, false)),
        (bc::PinType::PIN1, bc::PinOperation::CHANGE) if valid(new) => (false, pin.change(code, new)),
        (bc::PinType::PUK1, bc::PinOperation::ENTER) if valid(new) => (true, pin.unblock(code, new)),
        (bc::PinType::PIN1 | bc::PinType::PUK1, _) => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
        _ => return Err(Answer::status(STATUS_NO_DEVICE_SUPPORT)),
    };
    let blocked = pin.lock();
    let attempts = pin.attempts();
    let status = match verdict {
        Verdict::Done => 0,
        Verdict::Wrong => STATUS_FAILURE,
        Verdict::Refused if blocked == Lock::Open => STATUS_OPERATION_NOT_ALLOWED,
        Verdict::Refused => STATUS_FAILURE,
        Verdict::Disabled => STATUS_PIN_DISABLED,
    };
    let (pin_type, pin_state) = match (verdict, blocked) {
        (Verdict::Done | Verdict::Disabled, _) => (bc::PinType::NONE, bc::PinState::UNLOCKED),
        (_, Lock::Puk | Lock::Dead) => (bc::PinType::PUK1, bc::PinState::LOCKED),
        (_, Lock::Pin) => (bc::PinType::PIN1, bc::PinState::LOCKED),
        (_, Lock::Open) if puk => (bc::PinType::NONE, bc::PinState::UNLOCKED),
        (_, Lock::Open) => (bc::PinType::PIN1, bc::PinState::UNLOCKED),
    };
    let after = modem.ready_state();
    let newly_blocked = verdict == Verdict::Wrong && matches!(blocked, Lock::Puk | Lock::Dead) && attempts != 0;
    if after != before || (newly_blocked && !puk) {
        modem.indicate_ready(now);
        modem.settle(now);
    }
    Ok(Answer::Done(status, encoded(&bc::Pin { pin_type, pin_state, remaining_attempts: attempts })))
}

fn valid(pin: &str) -> bool {
    (4..=8).contains(&pin.len()) && pin.bytes().all(|digit| digit.is_ascii_digit())
}

fn card(modem: &mut VirtualModem) -> Result<&mut Sim, Answer> {
    match modem.ready_state() {
        0 => return Err(Answer::status(super::STATUS_NOT_INITIALIZED)),
        2 => return Err(Answer::status(STATUS_SIM_NOT_INSERTED)),
        _ => {}
    }
    match &mut modem.profile.slot {
        Slot::Card(sim) => Ok(sim),
        Slot::Bad => Err(Answer::status(4)),
        Slot::Empty | Slot::EsimWithoutProfile => Err(Answer::status(STATUS_SIM_NOT_INSERTED)),
    }
}

pub(super) fn pin_list(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let none = bc::PinDesc {
        pin_mode: bc::PinMode::NOT_SUPPORTED,
        pin_format: bc::PinFormat::UNKNOWN,
        pin_length_min: u32::MAX,
        pin_length_max: u32::MAX,
    };
    let pin1 = bc::PinDesc {
        pin_mode: if card(modem)?.pin1.is_enabled() { bc::PinMode::ENABLED } else { bc::PinMode::DISABLED },
        pin_format: bc::PinFormat::NUMERIC,
        pin_length_min: 4,
        pin_length_max: 8,
    };
    Ok(Answer::ok(&bc::PinList {
        pin_desc_pin1: pin1,
        pin_desc_pin2: none.clone(),
        pin_desc_device_sim_pin: none.clone(),
        pin_desc_device_first_sim_pin: none.clone(),
        pin_desc_network_pin: none.clone(),
        pin_desc_network_subset_pin: none.clone(),
        pin_desc_service_provider_pin: none.clone(),
        pin_desc_corporate_pin: none.clone(),
        pin_desc_subsidy_lock: none.clone(),
        pin_desc_custom: none,
    }))
}

impl VirtualModem {
    /// SUBSCRIBER_READY_STATUS in the layout of the release in force. Identities are told once the card is
    /// usable.
    fn ready_body(&self) -> Vec<u8> {
        let ready_state = bc::SubscriberReadyState(self.ready_state());
        let sim = match &self.profile.slot {
            Slot::Card(sim) if matches!(self.ready_state(), 1 | 5) => Some(sim),
            _ => None,
        };
        // The ICCID is readable on a locked card, everything else is not.
        let locked = match &self.profile.slot {
            Slot::Card(sim) if self.ready_state() == 6 => Some(sim),
            _ => sim,
        };
        let protect = sim.is_some_and(|sim| sim.protect_identity);
        let ready_info = if protect { bc::ReadyInfo::PROTECT_UNIQUE_ID } else { bc::ReadyInfo::NONE };
        let subscriber_id = sim.map(|sim| sim.imsi.clone()).unwrap_or_default();
        let sim_icc_id = locked.map(|sim| sim.iccid.clone()).unwrap_or_default();
        let telephone_numbers: List<_, 2> = sim.map(|sim| sim.numbers.iter().cloned().collect()).unwrap_or_default();
        if self.host.release < Release::V3 {
            return encoded(&bc::SubscriberReady {
                ready_state,
                subscriber_id,
                sim_icc_id,
                ready_info,
                telephone_numbers,
            });
        }
        let esim = match &self.profile.slot {
            Slot::EsimWithoutProfile => true,
            Slot::Card(sim) => sim.esim,
            Slot::Empty | Slot::Bad => false,
        };
        let removable = bc::SubscriberReadyFlags::SIM_REMOVABILITY_KNOWN
            | if esim { bc::SubscriberReadyFlags::ESIM } else { bc::SubscriberReadyFlags::SIM_REMOVABLE };
        if self.host.release >= Release::V4 {
            return encoded(&bc::SubscriberReadyV4 {
                ready_state,
                flags: removable | bc::SubscriberReadyFlags::SLOT_ACTIVE,
                subscriber_id,
                sim_icc_id,
                ready_info,
                slot_id: self.memory.active_slot,
                telephone_numbers,
            });
        }
        encoded(&bc::SubscriberReadyV3 {
            ready_state,
            flags: removable,
            subscriber_id,
            sim_icc_id,
            ready_info,
            telephone_numbers,
        })
    }

    pub(crate) fn indicate_ready(&mut self, now: Duration) {
        let body = self.ready_body();
        self.indicate(now, BASIC_CONNECT, 2, body);
    }
}

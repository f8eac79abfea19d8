//! The device itself: capabilities, services, subscribe list, VERSION, radio switches, statistics, hints.

use super::{Answer, BASIC_CONNECT, STATUS_INVALID_PARAMETERS, STATUS_OPERATION_NOT_ALLOWED};
use super::{decoded, encoded, rows};
use crate::machine::{Event, Negotiation, Ticket, VirtualModem};
use crate::profile::Release;
use crate::sim::Slot;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::service::{basic_connect as bc, canonical};
use std::collections::{BTreeMap, BTreeSet};

/// Counters of PACKET_STATISTICS, seen from the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes towards the host.
    pub received_octets: u64,
    /// Packets towards the host.
    pub received_packets: u64,
    /// Bytes from the host.
    pub sent_octets: u64,
    /// Packets from the host.
    pub sent_packets: u64,
}

impl Traffic {
    pub(crate) const fn add(
        &mut self,
        received_octets: u64,
        received_packets: u64,
        sent_octets: u64,
        sent_packets: u64,
    ) {
        self.received_octets = self.received_octets.saturating_add(received_octets);
        self.received_packets = self.received_packets.saturating_add(received_packets);
        self.sent_octets = self.sent_octets.saturating_add(sent_octets);
        self.sent_packets = self.sent_packets.saturating_add(sent_packets);
    }
}

pub(super) fn caps(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&caps_body(modem)))
}

pub(super) fn caps_body(modem: &VirtualModem) -> bc::DeviceCaps {
    let profile = &modem.profile;
    let esim = matches!(profile.slot, Slot::EsimWithoutProfile) || matches!(&profile.slot, Slot::Card(sim) if sim.esim);
    let esim_caps = if esim { bc::CtrlCaps::ESIM } else { bc::CtrlCaps::NONE };
    bc::DeviceCaps {
        device_type: bc::DeviceType::EMBEDDED,
        cellular_class: bc::CellularClass::GSM,
        voice_class: bc::VoiceClass::NO_VOICE,
        sim_class: bc::SimClass::REMOVABLE,
        data_class: bc::DataClass(profile.data_classes),
        sms_caps: bc::SmsCaps::PDU_RECEIVE | bc::SmsCaps::PDU_SEND,
        control_caps: bc::CtrlCaps::REG_MANUAL | bc::CtrlCaps::HW_RADIO_SWITCH | esim_caps,
        max_sessions: profile.max_sessions,
        custom_data_class: String::new(),
        device_id: profile.device_id.clone(),
        firmware_info: if profile.misbehaviour.no_firmware_info { String::new() } else { profile.firmware.clone() },
        hardware_info: profile.hardware.clone(),
    }
}

pub(super) fn services(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let elements = super::services(&modem.profile);
    let count = elements.len();
    let max_dss_sessions = modem.profile.holdings.board.most_streams;
    let mut buffer = encoded(&bc::DeviceServices { max_dss_sessions, device_services: elements });
    overstate_pairs(modem, &mut buffer, 8, count);
    Ok(Answer::Done(0, buffer))
}

/// Q28: adds to the size halves of a pair list that begins at `first`.
pub(super) fn overstate_pairs(modem: &VirtualModem, buffer: &mut [u8], first: usize, count: usize) {
    let bias = modem.profile.misbehaviour.pair_size_bias;
    for size in buffer.get_mut(first..).unwrap_or_default().chunks_exact_mut(8).take(count) {
        let Some(field) = size.get_mut(4..8).filter(|_| bias != 0) else { return };
        let old = crate::wire::word(field, 0).unwrap_or(0);
        field.copy_from_slice(&old.wrapping_add(bias).to_le_bytes());
    }
}

/// Replaces the list. Granted is what exists and is ever indicated; the answer says so.
pub(super) fn subscribe(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let list: bc::DeviceServiceSubscribeList = decoded(command)?;
    let mut granted: BTreeMap<[u8; 16], BTreeSet<u32>> = BTreeMap::new();
    let mut events: Vec<bc::EventEntry> = Vec::new();
    for entry in list.events {
        let service = canonical(entry.device_service_id);
        let there =
            |cid: &u32| rows(&modem.profile).any(|row| row.service == service && row.cid == *cid && row.indicated);
        let cids: Vec<u32> = entry.cids.into_iter().filter(there).collect();
        if !cids.is_empty() {
            granted.entry(service.0).or_default().extend(&cids);
            events.push(bc::EventEntry { device_service_id: entry.device_service_id, cids });
        }
    }
    modem.host.subscribed = Some(granted);
    Ok(Answer::ok(&bc::DeviceServiceSubscribeList { events }))
}

/// The release in force: the lower of both. It counts only as the first command, or right after DEVICE_SERVICES.
/// [MBIMEx 2.0, VERSION]
pub(super) fn version(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: ext::Version = decoded(command)?;
    let own = modem.profile.release;
    let common = [Release::V4, Release::V3, Release::V2, Release::V1]
        .into_iter()
        .find(|release| *release <= own && release.bcd() <= asked.extended_version)
        .ok_or(Answer::status(STATUS_INVALID_PARAMETERS))?;
    let answer = match modem.host.negotiation {
        Negotiation::Missed => Release::V1,
        Negotiation::Open | Negotiation::Done => {
            modem.host.negotiation = Negotiation::Done;
            modem.host.release = common;
            if modem.profile.misbehaviour.answers_own_release { own } else { common }
        }
    };
    Ok(Answer::ok(&ext::Version { version: 0x0100, extended_version: answer.bcd() }))
}

/// The answer leaves, then the firmware starts anew.
pub(super) fn reset(modem: &mut VirtualModem, now: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    modem.later(now, modem.profile.pace.answer, Event::Reset);
    Ok(Answer::status(0))
}

pub(super) fn radio(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.radio_body()))
}

/// Never fails for lack of a card.
pub(super) fn set_radio(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::RadioStateSet = decoded(command)?;
    let on = match set.radio_state {
        bc::RadioSwitchState::OFF => false,
        bc::RadioSwitchState::ON => true,
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    };
    if on && modem.profile.holdings.board.fcc_locked {
        return Err(Answer::status(STATUS_OPERATION_NOT_ALLOWED));
    }
    let refusals = &mut modem.profile.misbehaviour.radio_refusals;
    if on && *refusals > 0 {
        *refusals -= 1;
        return Err(Answer::status(STATUS_OPERATION_NOT_ALLOWED));
    }
    modem.set_radio(now, ticket, on);
    Ok(Answer::Deferred)
}

pub(super) fn statistics(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let traffic = modem.memory.traffic;
    Ok(Answer::ok(&bc::PacketStatistics {
        in_discards: 0,
        in_errors: 0,
        in_octets: traffic.received_octets,
        in_packets: traffic.received_packets,
        out_octets: traffic.sent_octets,
        out_packets: traffic.sent_packets,
        out_errors: 0,
        out_discards: 0,
    }))
}

pub(super) fn idle_hint(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&bc::NetworkIdleHint {
        state: bc::NetworkIdleHintState(u32::from(modem.profile.holdings.idle_hint)),
    }))
}

pub(super) fn set_idle_hint(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::NetworkIdleHint = decoded(command)?;
    if set.state.0 > 1 {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.profile.holdings.idle_hint = set.state == bc::NetworkIdleHintState::ENABLED;
    idle_hint(modem, now, command, ticket)
}

pub(super) fn emergency(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.emergency_body()))
}

pub(super) fn set_emergency(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::EmergencyMode = decoded(command)?;
    if set.state.name().is_none() {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.memory.emergency = set.state == bc::EmergencyModeState::ON;
    emergency(modem, now, command, ticket)
}

impl VirtualModem {
    /// Both switches as they are.
    pub(crate) fn radio_body(&self) -> Vec<u8> {
        encoded(&bc::RadioState {
            hw_radio_state: bc::RadioSwitchState(u32::from(self.life.hardware)),
            sw_radio_state: bc::RadioSwitchState(u32::from(self.life.software)),
        })
    }

    pub(crate) fn indicate_radio(&mut self, now: Duration) {
        let body = self.radio_body();
        self.indicate(now, BASIC_CONNECT, 3, body);
    }

    fn emergency_body(&self) -> Vec<u8> {
        encoded(&bc::EmergencyMode { state: bc::EmergencyModeState(u32::from(self.memory.emergency)) })
    }

    pub(crate) fn indicate_emergency(&mut self, now: Duration) {
        let body = self.emergency_body();
        self.indicate(now, BASIC_CONNECT, 22, body);
    }
}

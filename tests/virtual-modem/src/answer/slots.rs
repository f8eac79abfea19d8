//! Several slots behind one modem, and the capabilities that go with them. [MS Basic Connect Extensions, multi-SIM]

use super::{Answer, EXTENSIONS, Row, STATUS_INVALID_PARAMETERS, decoded, device, encoded, of};
use crate::machine::{Ticket, VirtualModem};
use crate::profile::Release;
use crate::sim::Slot;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::basic_connect::DataClassV3;
use mbim_proto::service::ms_basic_connect_ext::{self as ext, UiccSlotState};

pub(super) static ROWS: &[Row] = &[
    of(EXTENSIONS, ext::cid::SYS_CAPS, Some(sys_caps), None, false),
    of(EXTENSIONS, ext::cid::DEVICE_CAPS, Some(device_caps), None, false),
    of(EXTENSIONS, ext::cid::DEVICE_SLOT_MAPPINGS, Some(mappings), Some(set_mappings), false),
    of(EXTENSIONS, ext::cid::SLOT_INFO_STATUS, Some(slot_info), None, true),
];

/// The function's number. There is one function.
const EXECUTOR: u32 = 0;
/// Bands that the device claims.
pub(crate) const LTE_BANDS: [u16; 6] = [1, 3, 7, 8, 20, 28];
pub(crate) const NR_BANDS: [u16; 2] = [1, 78];
/// Bands 1 and 8 of WCDMA, as bits.
pub(crate) const WCDMA_BANDS: u32 = 0x81;
/// 5G non-standalone and standalone in MBIM_DATA_CLASS.
const NR_CLASSES: u32 = 0xc0;

fn sys_caps(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&ext::SysCaps {
        number_of_executors: 1,
        number_of_slots: modem.slots(),
        concurrency: 1,
        // The IMEI without its check digit is as good a number as any, and the same at each start.
        modem_id: modem.profile.device_id.reveal().get(..14).and_then(|digits| digits.parse().ok()).unwrap_or(1),
    }))
}

fn device_caps(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let caps = device::caps_body(modem);
    if modem.host.release < Release::V3 {
        return Ok(Answer::ok(&ext::DeviceCapsV2 {
            device_type: caps.device_type,
            cellular_class: caps.cellular_class,
            voice_class: caps.voice_class,
            sim_class: caps.sim_class,
            data_class: caps.data_class,
            sms_caps: caps.sms_caps,
            control_caps: caps.control_caps,
            max_sessions: caps.max_sessions,
            custom_data_class: caps.custom_data_class,
            device_id: caps.device_id,
            firmware_info: caps.firmware_info,
            hardware_info: caps.hardware_info,
            executor_index: EXECUTOR,
        }));
    }
    let classes = caps.data_class.0;
    let nr = classes & NR_CLASSES;
    Ok(Answer::ok(&ext::DeviceCapsV3 {
        device_type: caps.device_type,
        cellular_class: caps.cellular_class,
        voice_class: caps.voice_class,
        sim_class: caps.sim_class,
        // One bit for 5G; its kinds stand beside it.
        data_class: DataClassV3(classes & !NR_CLASSES | if nr == 0 { 0 } else { 0x40 }),
        sms_caps: caps.sms_caps,
        control_caps: caps.control_caps,
        data_subclass: u64::from(nr >> 6),
        max_sessions: caps.max_sessions,
        executor_index: EXECUTOR,
        wcdma_band_class: WCDMA_BANDS,
        lte_band_class: LTE_BANDS.to_vec(),
        nr_band_class: if nr == 0 { Vec::new() } else { NR_BANDS.to_vec() },
        custom_data_class: caps.custom_data_class,
        device_id: caps.device_id,
        firmware_info: caps.firmware_info,
        hardware_info: caps.hardware_info,
    }))
}

fn mappings(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&ext::DeviceSlotMappings { slot_map: vec![ext::Slot { slot: modem.memory.active_slot }] }))
}

/// Another slot: the subscriber's side starts anew.
fn set_mappings(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: ext::DeviceSlotMappings = decoded(command)?;
    let [ext::Slot { slot }] = set.slot_map[..] else { return Err(Answer::status(STATUS_INVALID_PARAMETERS)) };
    if slot >= modem.slots() {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    if slot != modem.memory.active_slot {
        modem.use_slot(now, slot);
    }
    mappings(modem, now, command, ticket)
}

fn slot_info(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: ext::SlotInfoQuery = decoded(command)?;
    let body = modem.slot_body(asked.slot_index).ok_or(Answer::status(STATUS_INVALID_PARAMETERS))?;
    Ok(Answer::Done(0, body))
}

impl VirtualModem {
    /// How many slots there are.
    pub(crate) fn slots(&self) -> u32 {
        u32::try_from(self.profile.further_slots.len() + 1).unwrap_or(u32::MAX)
    }

    /// Where a slot that is not in use stands among the further ones, which are in the order of their numbers.
    fn further(&self, slot: u32) -> usize {
        let active = self.memory.active_slot;
        (if slot < active { slot } else { slot - 1 }) as usize
    }

    fn use_slot(&mut self, now: Duration, slot: u32) {
        let old = self.memory.active_slot;
        let at = self.further(slot);
        if at >= self.profile.further_slots.len() {
            return;
        }
        let card = self.profile.further_slots.remove(at);
        let left = core::mem::replace(&mut self.profile.slot, card);
        self.memory.active_slot = slot;
        let back = self.further(old).min(self.profile.further_slots.len());
        self.profile.further_slots.insert(back, left);
        self.restart_card(now);
        self.indicate_slot(now, old);
        self.indicate_slot(now, slot);
    }

    /// MBIM_MS_UICC_SLOT_STATE of a slot.
    fn slot_state(&self, slot: u32) -> Option<UiccSlotState> {
        if slot != self.memory.active_slot {
            return Some(match self.profile.further_slots.get(self.further(slot)).filter(|_| slot < self.slots())? {
                Slot::Empty => UiccSlotState::OFF_EMPTY,
                _ => UiccSlotState::OFF,
            });
        }
        let started = self.card_silence() != Some(14);
        Some(match &self.profile.slot {
            Slot::Empty => UiccSlotState::EMPTY,
            _ if !started => UiccSlotState::NOT_READY,
            Slot::Bad => UiccSlotState::ERROR,
            Slot::EsimWithoutProfile => UiccSlotState::ACTIVE_ESIM_NO_PROFILES,
            Slot::Card(sim) if sim.esim && self.life.pass_through => UiccSlotState::ACTIVE_ESIM_NO_PROFILES,
            Slot::Card(sim) if sim.esim => UiccSlotState::ACTIVE_ESIM,
            Slot::Card(_) => UiccSlotState::ACTIVE,
        })
    }

    fn slot_body(&self, slot: u32) -> Option<Vec<u8>> {
        let state = self.slot_state(slot)?;
        Some(encoded(&ext::SlotInfo { slot_index: slot, state }))
    }

    fn indicate_slot(&mut self, now: Duration, slot: u32) {
        if let Some(body) = self.slot_body(slot) {
            self.indicate(now, EXTENSIONS, ext::cid::SLOT_INFO_STATUS, body);
        }
    }

    /// The card in use is another one, or starts, or is ready.
    pub(crate) fn indicate_active_slot(&mut self, now: Duration) {
        self.indicate_slot(now, self.memory.active_slot);
    }
}

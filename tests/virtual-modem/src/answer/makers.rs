//! Services of makers: AT&T's, Intel's, Quectel's.

use super::{Answer, Row, STATUS_INVALID_PARAMETERS, STATUS_NO_DEVICE_SUPPORT, decoded, encoded, of, registration};
use crate::machine::{Event, Ticket, VirtualModem};
use crate::profile::Release;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::intel::firmware_update::{IntelBootMode, IntelModemReboot, IntelModemRebootV2};
use mbim_proto::service::intel::thermal_rf::{IntelRfim, IntelRfimFrequencyValue, IntelRfimSet, IntelServingCellInfo};
use mbim_proto::service::quectel::{QuectelRadioState, QuectelRadioSwitchState};
use mbim_proto::service::{ATDS, INTEL_FIRMWARE_UPDATE, INTEL_THERMAL_RF, QUECTEL, atds};

pub(super) static ROWS: &[Row] = &[
    of(ATDS, 1, Some(signal), None, false),
    of(ATDS, 2, Some(location), None, false),
    of(INTEL_FIRMWARE_UPDATE, 1, None, Some(reboot), false),
    of(INTEL_THERMAL_RF, 9, Some(rfim), Some(set_rfim), true),
    of(QUECTEL, 1, Some(radio), Some(set_radio), false),
];

/// Codes of +CESQ that are not known.
const UNKNOWN_CODE: u32 = 255;
/// Longest wait before a restart, in seconds.
const LONGEST_TIMEOUT: u32 = 3600;

fn signal(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let (rssi, error_rate) = modem.level();
    let (rsrp, snr) = match rssi {
        99 => (UNKNOWN_CODE, UNKNOWN_CODE),
        rssi if modem.is_on_lte() => registration::rsrp_and_snr(rssi),
        _ => (UNKNOWN_CODE, UNKNOWN_CODE),
    };
    // RSRP counts from -140 dBm where MBIM counts from -157, SNR in whole dB from -5 where MBIM counts halves from -23.5.
    let shift = |code: u32, by: u32, most: u32| {
        if code == UNKNOWN_CODE { UNKNOWN_CODE } else { code.saturating_sub(by).min(most) }
    };
    Ok(Answer::ok(&atds::AtdsSignal {
        rssi,
        error_rate,
        rscp: UNKNOWN_CODE,
        ecno: UNKNOWN_CODE,
        rsrq: UNKNOWN_CODE,
        rsrp: shift(rsrp, 17, 97),
        rssnr: if snr == UNKNOWN_CODE { snr } else { (snr.saturating_sub(37) / 2).min(35) },
    }))
}

fn location(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let (lac, tac, cell_id) = modem.place();
    Ok(Answer::ok(&atds::AtdsLocation { lac, tac, cell_id }))
}

/// The answer leaves, then the firmware starts anew, or goes for good into what is no MBIM modem.
fn reboot(modem: &mut VirtualModem, now: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set = if modem.host.release < Release::V2 {
        IntelModemRebootV2 { boot_mode: IntelBootMode::NORMAL_MODE, timeout: 0 }
    } else {
        decoded(command)?
    };
    if set.timeout > LONGEST_TIMEOUT {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    let delay = modem.profile.pace.answer.saturating_add(Duration::from_secs(set.timeout.into()));
    let event = match set.boot_mode {
        IntelBootMode::NORMAL_MODE => Event::Reset,
        IntelBootMode::POWER_OFF_DEVICE => Event::PowerOff,
        _ => return Err(Answer::status(STATUS_NO_DEVICE_SUPPORT)),
    };
    modem.later(now, delay, event);
    Ok(Answer::ok(&IntelModemReboot {}))
}

fn rfim(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.rfim_body()))
}

fn set_rfim(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: IntelRfimSet = decoded(command)?;
    modem.profile.holdings.board.rfim_active = set.activation_state;
    rfim(modem, now, command, ticket)
}

fn radio(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let radio_state = match (modem.profile.holdings.board.fcc_locked, modem.life.software) {
        (true, _) => QuectelRadioSwitchState::FCC_LOCKED,
        (false, true) => QuectelRadioSwitchState::ON,
        (false, false) => QuectelRadioSwitchState::OFF,
    };
    Ok(Answer::ok(&QuectelRadioState { radio_state }))
}

/// Switching on takes the maker's lock off; the radio itself is Basic Connect's to switch.
fn set_radio(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: QuectelRadioState = decoded(command)?;
    if set.radio_state != QuectelRadioSwitchState::ON {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.profile.holdings.board.fcc_locked = false;
    radio(modem, now, command, ticket)
}

impl VirtualModem {
    /// The carriers in use; one that says so while the radio is off.
    fn rfim_body(&self) -> Vec<u8> {
        let off = IntelRfimFrequencyValue { serving_cell_info: IntelServingCellInfo::RADIO_OFF, ..Default::default() };
        let held = &self.profile.holdings.board.rfim;
        let rfim_frequency_values = if self.life.radio_on() { held.clone() } else { vec![off] };
        encoded(&IntelRfim { rfim_frequency_values })
    }

    pub(crate) fn indicate_rfim(&mut self, now: Duration) {
        if self.profile.holdings.board.rfim_active {
            let body = self.rfim_body();
            self.indicate(now, INTEL_THERMAL_RF, 9, body);
        }
    }
}

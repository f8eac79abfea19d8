//! How much the antennas may radiate.

use super::{Answer, Row, STATUS_INVALID_PARAMETERS, decoded, of};
use crate::machine::{Ticket, VirtualModem};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::MS_SAR;
use mbim_proto::service::ms_sar as sar;

pub(super) static ROWS: &[Row] =
    &[of(MS_SAR, 1, Some(config), Some(set_config), false), of(MS_SAR, 2, Some(status), Some(set_status), true)];

fn config(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.antennas.config))
}

fn set_config(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: sar::SarConfigSet = decoded(command)?;
    if set.mode.name().is_none() || set.backoff_state.name().is_none() {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.profile.holdings.antennas.configure(set);
    config(modem, now, command, ticket)
}

fn status(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.antennas.transmission))
}

fn set_status(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: sar::TransmissionStatusSet = decoded(command)?;
    if set.channel_notification.name().is_none() || !(1..=5).contains(&set.hysteresis_timer) {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    let held = &mut modem.profile.holdings.antennas.transmission;
    held.channel_notification = set.channel_notification;
    held.hysteresis_timer = set.hysteresis_timer;
    status(modem, now, command, ticket)
}

//! What MBIMEx 3.0 adds: configuration of the modem, parameters of registration and network, wake reason.

use super::{Answer, EXTENSIONS, Row, STATUS_INVALID_PARAMETERS, decoded, of};
use crate::machine::{Ticket, VirtualModem};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::ms_basic_connect_ext as ext;

pub(super) static ROWS: &[Row] = &[
    of(EXTENSIONS, 16, Some(configuration), None, true),
    of(EXTENSIONS, 17, Some(parameters), Some(set_parameters), true),
    of(EXTENSIONS, 18, Some(network), None, true),
    of(EXTENSIONS, 19, Some(wake), None, false),
];

fn configuration(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.standalone.configuration))
}

fn parameters(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.standalone.parameters))
}

fn set_parameters(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: ext::RegistrationParameters = decoded(command)?;
    let known = set.mico_mode.name().is_some()
        && set.drx_cycle.name().is_some()
        && set.ladn_info.name().is_some()
        && set.default_pdu_activation_hint.name().is_some();
    if !known {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.profile.holdings.standalone.parameters = set;
    parameters(modem, now, command, ticket)
}

fn network(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.standalone.network))
}

fn wake(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.standalone.wake))
}

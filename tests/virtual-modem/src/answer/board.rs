//! The board: firmware id, the host's shutdown, streams, the maker's log.

use super::{
    Answer, EXTENSIONS, Row, STATUS_DSS_INSTANCE_LIMIT, STATUS_INVALID_DEVICE_SERVICE_OPERATION,
    STATUS_INVALID_PARAMETERS, decoded, of,
};
use crate::holdings::Shutdown;
use crate::machine::{Ticket, VirtualModem};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::service::{DSS, MS_FIRMWARE_ID, MS_HOST_SHUTDOWN, dss, ms_firmware_id, ms_host_shutdown};

pub(super) static STREAMS: &[Row] = &[of(DSS, 1, None, Some(stream), false)];

pub(super) static ROWS: &[Row] = &[
    of(EXTENSIONS, 13, Some(logging), Some(set_logging), false),
    of(MS_FIRMWARE_ID, 1, Some(firmware), None, false),
    of(MS_HOST_SHUTDOWN, 1, None, Some(shutdown), false),
    of(MS_HOST_SHUTDOWN, 2, None, Some(pre_shutdown), false),
];

/// Opens or closes a stream. Closing one that is not open is done already.
fn stream(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set: dss::DssConnectSet = decoded(command)?;
    let board = &modem.profile.holdings.board;
    let Some(service) = board.streams.iter().find(|stream| stream.service == set.device_service_id) else {
        return Err(Answer::status(STATUS_INVALID_DEVICE_SERVICE_OPERATION));
    };
    if set.dss_session_id >= board.most_streams {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    let open = &mut modem.host.streams;
    match set.dss_link_state {
        dss::DssLinkState::ACTIVATE => {
            let others = open.iter().filter(|(_, service)| **service == set.device_service_id).count();
            if open.contains_key(&set.dss_session_id) || others >= service.instances as usize {
                return Err(Answer::status(STATUS_DSS_INSTANCE_LIMIT));
            }
            open.insert(set.dss_session_id, set.device_service_id);
        }
        dss::DssLinkState::DEACTIVATE => {
            if open.get(&set.dss_session_id) == Some(&set.device_service_id) {
                open.remove(&set.dss_session_id);
            }
        }
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
    Ok(Answer::ok(&dss::DssConnect {}))
}

fn logging(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&modem.profile.holdings.board.logging))
}

fn set_logging(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: ext::ModemLoggingConfig = decoded(command)?;
    if set.version != 1 || set.level_config.name().is_none() {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.profile.holdings.board.logging = set;
    logging(modem, now, command, ticket)
}

fn firmware(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::ok(&ms_firmware_id::FirmwareId { firmware_id: modem.profile.holdings.board.firmware_id }))
}

fn shutdown(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    modem.profile.holdings.board.shutdown = Shutdown::Now;
    Ok(Answer::ok(&ms_host_shutdown::HostShutdown {}))
}

fn pre_shutdown(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    modem.profile.holdings.board.shutdown = Shutdown::Coming;
    Ok(Answer::ok(&ms_host_shutdown::HostPreShutdown {}))
}

//! The SIM toolkit between card and host: who shows the card's commands, their answers, envelopes.

use super::{
    Answer, Row, STATUS_INVALID_PARAMETERS, STATUS_NO_DEVICE_SUPPORT, STATUS_OPERATION_NOT_ALLOWED,
    STATUS_PARAMETER_TOO_LONG, decoded, encoded, of,
};
use crate::machine::{Ticket, VirtualModem};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::STK;
use mbim_proto::service::stk::{self, StkPacProfile as Who};

pub(super) static ROWS: &[Row] = &[
    of(STK, 1, Some(pac), Some(set_pac), true),
    of(STK, 2, None, Some(terminal_response), false),
    of(STK, 3, Some(envelope), Some(set_envelope), false),
];

/// Longest answer to a command of the card.
const LONGEST_RESPONSE: usize = 255;
/// SW1 and SW2 of a card that took it.
const TAKEN: u32 = 0x9000;
/// Envelopes that the modem passes on: short message, menu selection, event.
const ENVELOPES: [u8; 3] = [0xd1, 0xd3, 0xd6];
/// Tag of a proactive command, and of the details in it. [3GPP TS 31.111 9]
const PROACTIVE: u8 = 0xd0;
const DETAILS: [u8; 2] = [0x81, 0x03];

/// What the host has taken over, and what the card waits for.
#[derive(Debug, Default)]
pub(crate) struct Toolkit {
    host: [u8; 32],
    waits: bool,
}

impl Toolkit {
    fn is_hosts(&self, kind: u8) -> bool {
        bit(&self.host, kind)
    }

    /// Who handles commands of a kind: text and menus are nobody's until the host takes them, a browser is the modem's
    /// until then; of the rest the host may hear.
    fn who(&self, kind: u8) -> Who {
        let hosts = self.is_hosts(kind);
        match (kind, hosts) {
            (0x20..=0x25 | 0x28, false) => Who::NOT_HANDLED_BY_FUNCTION_MAY_BE_HANDLED_BY_HOST,
            (0x20..=0x25 | 0x28, true) => Who::NOT_HANDLED_BY_FUNCTION_HANDLED_BY_HOST,
            (0x15, false) => Who::HANDLED_BY_FUNCTION_CAN_BE_OVERRIDEN_BY_HOST,
            (0x15, true) => Who::HANDLED_BY_HOST_FUNCTION_ABLE_TO_HANDLE,
            (0x01 | 0x05 | 0x10..=0x13, false) => Who::HANDLED_BY_FUNCTION_NOTIFICATION_TO_HOST_POSSIBLE,
            (0x01 | 0x05 | 0x10..=0x13, true) => Who::HANDLED_BY_FUNCTION_NOTIFICATIONS_TO_HOST_ENABLED,
            _ => Who::HANDLED_BY_FUNCTION_ONLY_TRANSPARENT_TO_HOST,
        }
    }
}

/// Lowest bit of the first byte first.
fn bit(bytes: &[u8; 32], number: u8) -> bool {
    bytes.get(usize::from(number / 8)).is_some_and(|byte| byte >> (number % 8) & 1 == 1)
}

fn pac(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let toolkit = &modem.memory.toolkit;
    // Eight kinds of handling, which all fit a byte.
    let pac_support = core::array::from_fn(|kind| toolkit.who(kind as u8).0 as u8);
    Ok(Answer::ok(&stk::StkPac { pac_support }))
}

fn set_pac(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    modem.memory.toolkit.host = decoded::<stk::StkPacSet>(command)?.pac_host_control;
    pac(modem, now, command, ticket)
}

fn terminal_response(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set: stk::StkTerminalResponseSet = decoded(command)?;
    if set.response.reveal().len() > LONGEST_RESPONSE {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    if !core::mem::take(&mut modem.memory.toolkit.waits) {
        return Err(Answer::status(STATUS_OPERATION_NOT_ALLOWED));
    }
    Ok(Answer::ok(&stk::StkTerminalResponse { status_words: TAKEN, ..stk::StkTerminalResponse::default() }))
}

fn envelope(_: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let mut envelope_support = [0; 32];
    for tag in ENVELOPES {
        if let Some(byte) = envelope_support.get_mut(usize::from(tag / 8)) {
            *byte |= 1 << (tag % 8);
        }
    }
    Ok(Answer::ok(&stk::StkEnvelope { envelope_support }))
}

fn set_envelope(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set: stk::StkEnvelopeSet = decoded(command)?;
    if let Some(status) = modem.card_problem() {
        return Err(Answer::status(status));
    }
    match set.data.reveal().first() {
        None => Err(Answer::status(STATUS_INVALID_PARAMETERS)),
        Some(tag) if ENVELOPES.contains(tag) => Ok(Answer::status(0)),
        Some(_) => Err(Answer::status(STATUS_NO_DEVICE_SUPPORT)),
    }
}

impl VirtualModem {
    /// The card has a command: it goes to the host if that took the kind over or wants to hear of it.
    pub(crate) fn proactive(&mut self, now: Duration, data: Vec<u8>) {
        let details = data.windows(5).find(|window| window.starts_with(&DETAILS));
        let kind = details.and_then(|details| details.get(3)).copied();
        let Some(kind) = kind.filter(|_| data.first() == Some(&PROACTIVE)) else { return };
        if !self.memory.toolkit.is_hosts(kind) {
            return;
        }
        let pac_type = match self.memory.toolkit.who(kind) {
            Who::NOT_HANDLED_BY_FUNCTION_HANDLED_BY_HOST | Who::HANDLED_BY_HOST_FUNCTION_ABLE_TO_HANDLE => {
                self.memory.toolkit.waits = true;
                stk::StkPacType::PROACTIVE_COMMAND
            }
            Who::HANDLED_BY_FUNCTION_NOTIFICATIONS_TO_HOST_ENABLED => stk::StkPacType::NOTIFICATION,
            _ => return,
        };
        let body = encoded(&stk::StkPacNotify { pac_type, data_buffer: data.into() });
        self.indicate(now, STK, 1, body);
    }
}

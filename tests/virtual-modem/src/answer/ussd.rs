//! USSD: one dialogue at a time, led by what the network's profile says.

use super::{Answer, Row, STATUS_FAILURE, STATUS_INVALID_PARAMETERS, STATUS_NOT_REGISTERED};
use super::{STATUS_OPERATION_NOT_ALLOWED, STATUS_PARAMETER_TOO_LONG, STATUS_RADIO_POWER_OFF, decoded, encoded};
use crate::dialogue::{self, LONGEST_TEXT, Reply};
use crate::machine::{Event, Ticket, VirtualModem};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::USSD;
use mbim_proto::service::ussd::{self, UssdAction, UssdResponse, UssdSessionState};
use mbim_proto::{Personal, Status};

pub(super) static ROWS: &[Row] =
    &[Row { service: USSD, cid: ussd::cid::USSD, query: None, set: Some(set_ussd), indicated: true }];

fn set_ussd(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    let set: ussd::UssdSet = decoded(command)?;
    let (scheme, payload) = (set.data_coding_scheme, set.payload.reveal());
    if payload.len() > LONGEST_TEXT {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    if set.action == UssdAction::CANCEL {
        return Ok(modem.cancel_ussd(now));
    }
    if let Some(status) = modem.card_problem() {
        return Err(Answer::status(status));
    }
    if !modem.life.radio_on() {
        return Err(Answer::status(STATUS_RADIO_POWER_OFF));
    }
    if modem.life.carrier().is_none() {
        return Err(Answer::status(STATUS_NOT_REGISTERED));
    }
    let text = dialogue::read(scheme, payload).ok_or(Answer::status(Status::ENCODING_NOT_SUPPORTED.0))?;
    let talk = &mut modem.memory.ussd;
    let (reply, state) = match set.action {
        UssdAction::INITIATE | UssdAction::CONTINUE if text.is_empty() => {
            return Err(Answer::status(STATUS_INVALID_PARAMETERS));
        }
        UssdAction::INITIATE if talk.goes_on() => return Err(Answer::status(STATUS_OPERATION_NOT_ALLOWED)),
        UssdAction::INITIATE => {
            let known = modem.profile.network.ussd.iter().find(|(code, _)| *code == text);
            (known.map_or(Reply::NotSupported, |(_, reply)| reply.clone()), UssdSessionState::NEW_SESSION)
        }
        UssdAction::CONTINUE => {
            let answers = talk.answers.take().ok_or(Answer::status(STATUS_OPERATION_NOT_ALLOWED))?;
            let known = answers.into_iter().find(|(answer, _)| *answer == text);
            (known.map_or(Reply::Ended, |(_, reply)| reply), UssdSessionState::EXISTING_SESSION)
        }
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    };
    let talk = &mut modem.memory.ussd;
    talk.generation = talk.generation.wrapping_add(1);
    talk.pending = Some(ticket);
    let generation = talk.generation;
    modem.later(now, modem.profile.pace.ussd, Event::UssdReply { generation, ticket, reply, state });
    Ok(Answer::Deferred)
}

fn body(response: UssdResponse, session_state: UssdSessionState, text: &str) -> ussd::Ussd {
    let (data_coding_scheme, payload) = if text.is_empty() { (0, Vec::new()) } else { dialogue::write(text) };
    ussd::Ussd { response, session_state, data_coding_scheme, payload: Personal::new(payload) }
}

impl VirtualModem {
    /// The network's next word: what it means, and whether it waits for an answer.
    fn hear(&mut self, now: Duration, reply: Reply, state: UssdSessionState) -> Vec<u8> {
        let (response, text) = match reply {
            Reply::Text(text) => (UssdResponse::NO_ACTION_REQUIRED, text),
            Reply::Question { text, answers } => {
                self.memory.ussd.answers = Some(answers);
                let generation = self.memory.ussd.generation;
                self.later(now, self.profile.network.ussd_patience, Event::UssdTimeout { generation });
                (UssdResponse::ACTION_REQUIRED, text)
            }
            Reply::Ended => (UssdResponse::TERMINATED_BY_NETWORK, String::new()),
            Reply::NotSupported => (UssdResponse::OPERATION_NOT_SUPPORTED, String::new()),
            Reply::Timeout => (UssdResponse::NETWORK_TIMEOUT, String::new()),
        };
        encoded(&body(response, state, &text))
    }

    pub(crate) fn ussd_is_answered(
        &mut self,
        now: Duration,
        generation: u32,
        ticket: Ticket,
        reply: Reply,
        state: UssdSessionState,
    ) {
        if generation == self.memory.ussd.generation {
            self.memory.ussd.pending = None;
            let body = self.hear(now, reply, state);
            self.finish(now, ticket, 0, body);
        }
    }

    /// The host has not answered for too long.
    pub(crate) fn ussd_is_over(&mut self, now: Duration, generation: u32) {
        if generation == self.memory.ussd.generation && self.memory.ussd.answers.is_some() {
            self.memory.ussd.end();
            self.indicate_ussd(now, UssdResponse::NETWORK_TIMEOUT);
        }
    }

    /// The network begins a dialogue; it does not while there is one, or where nobody can be reached.
    pub(crate) fn ussd_from_network(&mut self, now: Duration, reply: Reply) {
        if self.card_problem().is_some() || self.life.carrier().is_none() || self.memory.ussd.goes_on() {
            return;
        }
        self.memory.ussd.generation = self.memory.ussd.generation.wrapping_add(1);
        let body = self.hear(now, reply, UssdSessionState::NEW_SESSION);
        self.indicate(now, USSD, ussd::cid::USSD, body);
    }

    /// Service is gone, and with it the dialogue.
    pub(crate) fn lose_ussd(&mut self, now: Duration) {
        if self.memory.ussd.goes_on() {
            match self.memory.ussd.end() {
                Some(ticket) => self.finish(now, ticket, STATUS_NOT_REGISTERED, Vec::new()),
                None => self.indicate_ussd(now, UssdResponse::TERMINATED_BY_NETWORK),
            }
        }
    }

    /// Cancelling what is not there succeeds: the host wants none, and there is none.
    fn cancel_ussd(&mut self, now: Duration) -> Answer {
        if let Some(ticket) = self.memory.ussd.end() {
            self.finish(now, ticket, STATUS_FAILURE, Vec::new());
        }
        Answer::ok(&body(UssdResponse::NO_ACTION_REQUIRED, UssdSessionState::EXISTING_SESSION, ""))
    }

    fn indicate_ussd(&mut self, now: Duration, response: UssdResponse) {
        let body = encoded(&body(response, UssdSessionState::EXISTING_SESSION, ""));
        self.indicate(now, USSD, ussd::cid::USSD, body);
    }
}

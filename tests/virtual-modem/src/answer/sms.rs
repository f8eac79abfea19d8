//! Short messages: configuration, reading, sending, deleting, and what the network delivers.

use super::{Answer, Row, STATUS_INVALID_PARAMETERS, STATUS_NOT_REGISTERED, STATUS_PARAMETER_TOO_LONG};
use super::{STATUS_RADIO_POWER_OFF, STATUS_SIM_NOT_INSERTED, decoded, encoded};
use crate::machine::{Event, Ticket, VirtualModem};
use crate::order::Output;
use crate::sim::Slot;
use crate::sms::{Submission, is_flash, semi_octets};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::SMS;
use mbim_proto::service::sms::{self, SmsFlag, SmsFormat, SmsStatus, SmsStatusFlag};
use mbim_proto::{Personal, Status};

/// Longest service centre and TPDU that a modem takes, in octets.
const LONGEST_PDU: usize = 12 + 164;

const fn row(cid: u32, query: Option<super::Does>, set: Option<super::Does>, indicated: bool) -> Row {
    Row { service: SMS, cid, query, set, indicated }
}

pub(super) static ROWS: &[Row] = &[
    row(sms::cid::CONFIGURATION, Some(configuration), Some(set_configuration), true),
    row(sms::cid::READ, Some(read), None, true),
    row(sms::cid::SEND, None, Some(send), false),
    row(sms::cid::DELETE, None, Some(delete), false),
    row(sms::cid::MESSAGE_STORE_STATUS, Some(store_status), None, true),
];

fn refused(status: Status) -> Answer {
    Answer::status(status.0)
}

fn card_is_ready(modem: &VirtualModem) -> Result<(), Answer> {
    modem.card_problem().map_or(Ok(()), |status| Err(Answer::status(status)))
}

/// Only PDUs; CDMA is another modem.
fn pdu_mode(format: SmsFormat) -> Result<(), Answer> {
    match format {
        SmsFormat::PDU => Ok(()),
        SmsFormat::CDMA => Err(refused(Status::FORMAT_NOT_SUPPORTED)),
        _ => Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
}

/// What a flag and an index take.
fn filter(modem: &VirtualModem, flag: SmsFlag, index: u32) -> Result<impl Fn(u32, SmsStatus) -> bool + use<>, Answer> {
    let status = match flag {
        SmsFlag::ALL | SmsFlag::INDEX => None,
        SmsFlag::NEW => Some(SmsStatus::NEW),
        SmsFlag::OLD => Some(SmsStatus::OLD),
        SmsFlag::SENT => Some(SmsStatus::SENT),
        SmsFlag::DRAFT => Some(SmsStatus::DRAFT),
        _ => return Err(refused(Status::FILTER_NOT_SUPPORTED)),
    };
    let one = (flag == SmsFlag::INDEX).then_some(index);
    if one.is_some_and(|index| !(1..=modem.profile.holdings.messages.places()).contains(&index)) {
        return Err(refused(Status::INVALID_MEMORY_INDEX));
    }
    Ok(move |place, held| one.is_none_or(|one| one == place) && status.is_none_or(|status| status == held))
}

fn configuration(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    // A locked card is one that does not let anybody in yet: it is told, not refused.
    match modem.ready_state() {
        2 => Err(Answer::status(STATUS_SIM_NOT_INSERTED)),
        3 => Err(refused(Status::BAD_SIM)),
        _ => Ok(Answer::Done(0, modem.sms_configuration_body())),
    }
}

fn set_configuration(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let set: sms::SmsConfigurationSet = decoded(command)?;
    pdu_mode(set.format)?;
    if !set.sc_address.is_empty() {
        semi_octets(&set.sc_address).ok_or(Answer::status(STATUS_INVALID_PARAMETERS))?;
        if let Slot::Card(sim) = &mut modem.profile.slot {
            sim.service_centre = set.sc_address;
        }
    }
    configuration(modem, now, command, ticket)
}

fn read(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let asked: sms::SmsReadQuery = decoded(command)?;
    pdu_mode(asked.format)?;
    let takes = filter(modem, asked.flag, asked.message_index)?;
    let found = modem.profile.holdings.messages.read(takes);
    if asked.flag == SmsFlag::INDEX && found.is_empty() {
        return Err(refused(Status::INVALID_MEMORY_INDEX));
    }
    let records = found
        .into_iter()
        .map(|(place, message)| sms::SmsPduReadRecord {
            message_index: place,
            message_status: message.status,
            pdu_data: Personal::new(message.pdu),
        })
        .collect();
    Ok(Answer::ok(&sms::SmsRead { messages: sms::SmsMessages::Pdu(records) }))
}

fn send(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let set: sms::SmsSendSet = decoded(command)?;
    let mut pdu = match set.message {
        sms::SmsMessage::Pdu(record) => record.pdu_data.into_inner(),
        sms::SmsMessage::Cdma(_) => return Err(refused(Status::FORMAT_NOT_SUPPORTED)),
        sms::SmsMessage::Other(_) => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    };
    if pdu.len() > LONGEST_PDU {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    let message = Submission::parse(&pdu).ok_or(Answer::status(STATUS_INVALID_PARAMETERS))?;
    let held = matches!(&modem.profile.slot, Slot::Card(sim) if !sim.service_centre.is_empty());
    if message.service_centre.is_none() && !held {
        return Err(refused(Status::UNKNOWN_SMSC_ADDRESS));
    }
    if !modem.life.radio_on() {
        return Err(Answer::status(STATUS_RADIO_POWER_OFF));
    }
    if modem.life.carrier().is_none() {
        return Err(Answer::status(STATUS_NOT_REGISTERED));
    }
    // The modem counts the references, whatever the host wrote there.
    let reference = modem.profile.holdings.messages.next_reference();
    if let Some(place) = pdu.get_mut(message.reference_at) {
        *place = reference;
    }
    modem.later(now, modem.profile.pace.message, Event::MessageSent { ticket, pdu, reference });
    Ok(Answer::Deferred)
}

fn delete(modem: &mut VirtualModem, now: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let set: sms::SmsDeleteSet = decoded(command)?;
    let takes = filter(modem, set.flag, set.message_index)?;
    if modem.profile.holdings.messages.delete(takes) == 0 && set.flag == SmsFlag::INDEX {
        return Err(refused(Status::INVALID_MEMORY_INDEX));
    }
    // The answer goes first: what the network holds back takes a moment.
    modem.later(now, modem.profile.pace.answer, Event::MessagesWait);
    Ok(Answer::ok(&sms::SmsDelete {}))
}

fn store_status(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let newest = modem.profile.holdings.messages.newest();
    Ok(Answer::Done(0, modem.store_status_body(newest)))
}

impl VirtualModem {
    fn sms_configuration_body(&self) -> Vec<u8> {
        let ready = self.card_problem().is_none();
        let sc_address = match &self.profile.slot {
            Slot::Card(sim) if ready => sim.service_centre.clone(),
            _ => String::new(),
        };
        encoded(&sms::SmsConfiguration {
            sms_storage_state: sms::SmsStorageState(u32::from(ready)),
            format: SmsFormat::PDU,
            max_messages: self.profile.holdings.messages.places(),
            cdma_short_message_size: 0,
            sc_address,
        })
    }

    fn store_status_body(&self, new: Option<u32>) -> Vec<u8> {
        let full = if self.profile.holdings.messages.is_full() {
            SmsStatusFlag::MESSAGE_STORE_FULL
        } else {
            SmsStatusFlag::NONE
        };
        let flag = if new.is_some() { full | SmsStatusFlag::NEW_MESSAGE } else { full };
        encoded(&sms::SmsMessageStoreStatus { flag, message_index: new.unwrap_or(0) })
    }

    /// The store can be used now, or no more.
    pub(crate) fn indicate_sms_configuration(&mut self, now: Duration) {
        let body = self.sms_configuration_body();
        self.indicate(now, SMS, sms::cid::CONFIGURATION, body);
    }

    /// A message that the host wants to have sent has reached the network, or it has not.
    pub(crate) fn message_is_sent(&mut self, now: Duration, ticket: Ticket, pdu: Vec<u8>, reference: u8) {
        let refusal = match (self.life.carrier(), self.profile.network.message_refusal) {
            (None, _) => Some(Status::NETWORK_TIMEOUT.0),
            (Some(_), refusal) => refusal,
        };
        if let Some(status) = refusal {
            return self.finish(now, ticket, status, Vec::new());
        }
        self.output(Output::MessageSent { reference, pdu });
        let body = encoded(&sms::SmsSend { message_reference: reference.into() });
        self.finish(now, ticket, 0, body);
    }

    /// The network has a message for this subscriber.
    pub(crate) fn message_for_us(&mut self, now: Duration, pdu: Vec<u8>) {
        self.profile.holdings.messages.wait(pdu);
        self.deliver_messages(now);
    }

    /// Takes from the network what there is service and room for. A message of class 0 goes straight to a host that
    /// wants it; without one it is stored as any other.
    pub(crate) fn deliver_messages(&mut self, now: Duration) {
        if self.card_problem().is_some() || self.life.carrier().is_none() {
            return;
        }
        let shown = self.is_wanted(SMS, sms::cid::READ);
        loop {
            let room = !self.profile.holdings.messages.is_full();
            let Some(pdu) = self.profile.holdings.messages.next_waiting(|pdu| room || shown && is_flash(pdu)) else {
                break;
            };
            if shown && is_flash(&pdu) {
                let record = sms::SmsPduReadRecord {
                    message_index: 0,
                    message_status: SmsStatus::NEW,
                    pdu_data: Personal::new(pdu),
                };
                let body = encoded(&sms::SmsRead { messages: sms::SmsMessages::Pdu(vec![record]) });
                self.indicate(now, SMS, sms::cid::READ, body);
            } else {
                let place = self.profile.holdings.messages.store(pdu);
                let body = self.store_status_body(place);
                self.indicate(now, SMS, sms::cid::MESSAGE_STORE_STATUS, body);
            }
        }
        if self.profile.holdings.messages.has_waiting() {
            let body = self.store_status_body(None);
            self.indicate(now, SMS, sms::cid::MESSAGE_STORE_STATUS, body);
        }
    }
}

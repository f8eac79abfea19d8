//! The directory: size, reading, writing, removing.

use super::{
    Answer, Row, STATUS_INVALID_MEMORY_INDEX, STATUS_INVALID_PARAMETERS, STATUS_MEMORY_FULL, STATUS_PARAMETER_TOO_LONG,
    decoded, of,
};
use crate::holdings::Refusal;
use crate::machine::{Ticket, VirtualModem};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::PHONEBOOK;
use mbim_proto::service::phonebook as book;

pub(super) static ROWS: &[Row] = &[
    of(PHONEBOOK, 1, Some(configuration), None, true),
    of(PHONEBOOK, 2, Some(read), None, false),
    of(PHONEBOOK, 3, None, Some(delete), false),
    of(PHONEBOOK, 4, None, Some(write), false),
];

/// The directory is the card's: it needs one that is ready.
fn card_is_ready(modem: &VirtualModem) -> Result<(), Answer> {
    modem.card_problem().map_or(Ok(()), |status| Err(Answer::status(status)))
}

fn configuration(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let held = &modem.profile.holdings.phonebook;
    let ready = modem.card_problem().is_none();
    Ok(Answer::ok(&book::PhonebookConfiguration {
        state: if ready { book::PhonebookState::INITIALIZED } else { book::PhonebookState::NOT_INITIALIZED },
        number_of_entries: held.places,
        used_entries: u32::try_from(held.entries.len()).unwrap_or(u32::MAX),
        max_number_length: held.longest_number,
        max_name: held.longest_name,
    }))
}

fn read(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: book::PhonebookReadQuery = decoded(command)?;
    card_is_ready(modem)?;
    let entries = &modem.profile.holdings.phonebook.entries;
    let wanted = |place: &u32| match asked.filter_flag {
        book::PhonebookFlag::INDEX => *place == asked.filter_message_index,
        _ => true,
    };
    let entries: Vec<_> = entries
        .iter()
        .filter(|(place, _)| wanted(place))
        .map(|(place, (number, name))| book::PhonebookEntry {
            entry_index: *place,
            number: number.as_str().into(),
            name: name.as_str().into(),
        })
        .collect();
    match asked.filter_flag {
        book::PhonebookFlag::INDEX if entries.is_empty() => Err(Answer::status(STATUS_INVALID_MEMORY_INDEX)),
        book::PhonebookFlag::INDEX | book::PhonebookFlag::ALL => Ok(Answer::ok(&book::PhonebookRead { entries })),
        _ => Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
}

fn delete(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: book::PhonebookDeleteSet = decoded(command)?;
    card_is_ready(modem)?;
    let entries = &mut modem.profile.holdings.phonebook.entries;
    match asked.filter_flag {
        book::PhonebookFlag::ALL => entries.clear(),
        book::PhonebookFlag::INDEX => {
            entries.remove(&asked.filter_message_index).ok_or(Answer::status(STATUS_INVALID_MEMORY_INDEX))?;
        }
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
    Ok(Answer::ok(&book::PhonebookDelete {}))
}

fn write(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: book::PhonebookWriteSet = decoded(command)?;
    card_is_ready(modem)?;
    let place = match asked.save_flag {
        book::PhonebookWriteFlag::UNUSED => None,
        book::PhonebookWriteFlag::INDEX => Some(asked.save_index),
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    };
    let (number, name) = (asked.number.into_inner(), asked.name.into_inner());
    modem.profile.holdings.phonebook.write(place, number, name).map_err(|refusal| {
        Answer::status(match refusal {
            Refusal::TooLong => STATUS_PARAMETER_TOO_LONG,
            Refusal::NoSuchPlace => STATUS_INVALID_MEMORY_INDEX,
            Refusal::Full => STATUS_MEMORY_FULL,
        })
    })?;
    Ok(Answer::ok(&book::PhonebookWrite {}))
}

//! Microsoft UICC low-level access: the card's applications, files and logical channels.

use super::{Answer, Row, STATUS_INVALID_PARAMETERS, STATUS_PARAMETER_TOO_LONG, decoded, of};
use crate::card::{self, APPLICATIONS, ATR, Channel, File, Node, Place, Words, application, profiles};
use crate::machine::{Ticket, VirtualModem};
use crate::profile::Release;
use crate::sim::{Sim, Slot};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::MS_UICC_LOW_LEVEL as UICC;
use mbim_proto::service::ms_uicc_low_level as uicc;
use mbim_proto::{Personal, Status};

/// Logical channels of the card beside the modem's own.
const MOST_CHANNELS: u32 = 3;
/// Longest application identifier, command, and object of the terminal's capabilities, in bytes.
const LONGEST_ID: usize = 32;
const LONGEST_COMMAND: usize = 261;
const LONGEST_CAPABILITY: usize = 255;
/// Objects of the terminal's capabilities.
const MOST_CAPABILITIES: usize = 16;
/// The structures' version.
const VERSION: u32 = 1;

pub(super) static ROWS: &[Row] = &[
    of(UICC, uicc::cid::ATR, Some(atr), None, false),
    of(UICC, uicc::cid::OPEN_CHANNEL, None, Some(open_channel), false),
    of(UICC, uicc::cid::CLOSE_CHANNEL, None, Some(close_channel), false),
    of(UICC, uicc::cid::APDU, None, Some(apdu), false),
    of(UICC, uicc::cid::TERMINAL_CAPABILITY, Some(capability), Some(set_capability), false),
    of(UICC, uicc::cid::RESET, Some(reset), Some(set_reset), false),
    of(UICC, uicc::cid::APPLICATION_LIST, Some(applications), None, false),
    of(UICC, uicc::cid::FILE_STATUS, Some(file_status), None, false),
    of(UICC, uicc::cid::ACCESS_BINARY, Some(read_binary), Some(update_binary), false),
    of(UICC, uicc::cid::ACCESS_RECORD, Some(read_record), Some(update_record), false),
];

fn invalid() -> Answer {
    Answer::status(STATUS_INVALID_PARAMETERS)
}

fn four([one, two]: Words) -> [u8; 4] {
    [one, two, 0, 0]
}

/// There is a card that has started; its lock does not matter here.
fn there_is_a_card(modem: &VirtualModem) -> Result<(), Answer> {
    modem.card_silence().map_or(Ok(()), |status| Err(Answer::status(status)))
}

/// A layout of 4.0 names the slot as well. Only the card of the one in use has power.
fn slot(modem: &VirtualModem, slot: u32) -> Result<(), Answer> {
    match slot {
        slot if slot == modem.memory.active_slot => Ok(()),
        slot if slot < modem.slots() => Err(Answer::status(Status::NOT_INITIALIZED.0)),
        _ => Err(invalid()),
    }
}

/// Whether the host says which slot it means.
fn names_slot(modem: &VirtualModem) -> bool {
    modem.host.release >= Release::V4
}

/// The card with its files.
fn sim(modem: &mut VirtualModem) -> Result<&mut Sim, Answer> {
    there_is_a_card(modem)?;
    match &mut modem.profile.slot {
        Slot::Card(sim) => Ok(sim),
        // An eSIM without a profile has no application to look into.
        _ => Err(Answer::status(Status::SELECT_FAILED.0)),
    }
}

fn esim(slot: &Slot) -> (bool, bool) {
    match slot {
        Slot::Card(sim) => (true, sim.esim),
        Slot::EsimWithoutProfile => (false, true),
        Slot::Empty | Slot::Bad => (false, false),
    }
}

fn atr(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    if names_slot(modem) {
        slot(modem, decoded::<uicc::AtrQueryV4>(command)?.slot_id)?;
    }
    there_is_a_card(modem)?;
    Ok(Answer::ok(&uicc::Atr { atr: ATR.to_vec() }))
}

/// A refusal that still tells what the card said.
fn refused_channel(status: Status, words: Words) -> Answer {
    let body = uicc::OpenChannel { status: four(words), channel: 0, response: Vec::new() };
    Answer::Done(status.0, super::encoded(&body))
}

fn open_channel(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set = if names_slot(modem) {
        let uicc::OpenChannelSetV4 { app_id, select_p2_arg, channel_group, slot_id } = decoded(command)?;
        slot(modem, slot_id)?;
        uicc::OpenChannelSet { app_id, select_p2_arg, channel_group }
    } else {
        decoded(command)?
    };
    if set.app_id.len() > LONGEST_ID {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    there_is_a_card(modem)?;
    let channels = &mut modem.memory.channels;
    let free = (1..=MOST_CHANNELS).find(|channel| !channels.contains_key(channel));
    let Some(channel) = free else { return Err(refused_channel(Status::NO_LOGICAL_CHANNELS, card::NO_CHANNEL)) };
    let (card, profiles) = esim(&modem.profile.slot);
    let place = if set.app_id.is_empty() { Some(Place::Mf) } else { application(&set.app_id, card, profiles) };
    let Some(place) = place else { return Err(refused_channel(Status::SELECT_FAILED, card::NOT_FOUND)) };
    channels.insert(channel, Channel { group: set.channel_group, place, selected: None });
    let response = if set.select_p2_arg & 0x0c == 0x0c { Vec::new() } else { card::directory(place) };
    Ok(Answer::ok(&uicc::OpenChannel { status: four(card::DONE), channel, response }))
}

fn close_channel(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set = if names_slot(modem) {
        let uicc::CloseChannelSetV4 { channel, channel_group, slot_id } = decoded(command)?;
        slot(modem, slot_id)?;
        uicc::CloseChannelSet { channel, channel_group }
    } else {
        decoded(command)?
    };
    there_is_a_card(modem)?;
    let channels = &mut modem.memory.channels;
    let before = channels.len();
    match set.channel {
        0 => channels.retain(|_, channel| channel.group != set.channel_group),
        channel => drop(channels.remove(&channel)),
    }
    if channels.len() == before && set.channel != 0 {
        return Err(Answer::status(Status::INVALID_LOGICAL_CHANNEL.0));
    }
    Ok(Answer::ok(&uicc::CloseChannel { status: four(card::DONE) }))
}

fn apdu(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set = if names_slot(modem) {
        let set: uicc::ApduSetV4 = decoded(command)?;
        slot(modem, set.slot_id)?;
        let uicc::ApduSetV4 { channel, secure_messaging, class_byte_type, command, .. } = set;
        uicc::ApduSet { channel, secure_messaging, class_byte_type, command }
    } else {
        decoded(command)?
    };
    let asked = set.command.reveal();
    if set.secure_messaging.0 > 1 || set.class_byte_type.0 > 1 || asked.len() < 4 {
        return Err(invalid());
    }
    if asked.len() > LONGEST_COMMAND {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    there_is_a_card(modem)?;
    let Some(channel) = modem.memory.channels.get_mut(&set.channel) else {
        return Err(Answer::status(Status::INVALID_LOGICAL_CHANNEL.0));
    };
    let (words, response) = match (&mut modem.profile.slot, channel.place) {
        (_, Place::IsdR) => profiles(asked, modem.profile.eid.reveal()),
        (Slot::Card(sim), _) => sim.command(channel, asked),
        _ => (card::NOT_FOUND, Vec::new()),
    };
    Ok(Answer::ok(&uicc::Apdu { status: four(words), response: Personal::new(response) }))
}

fn capability(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    if names_slot(modem) {
        slot(modem, decoded::<uicc::TerminalCapabilityQueryV4>(command)?.slot_id)?;
    }
    Ok(held_capability(modem))
}

fn held_capability(modem: &VirtualModem) -> Answer {
    let terminal_capability = modem.memory.terminal_capability.clone();
    Answer::ok(&uicc::TerminalCapability { terminal_capability })
}

/// Kept for the card's next start.
fn set_capability(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set = if names_slot(modem) {
        let uicc::TerminalCapabilitySetV4 { slot_id, terminal_capability } = decoded(command)?;
        slot(modem, slot_id)?;
        uicc::TerminalCapability { terminal_capability }
    } else {
        decoded(command)?
    };
    let objects = &set.terminal_capability;
    if objects.len() > MOST_CAPABILITIES || objects.iter().any(|object| object.0.len() > LONGEST_CAPABILITY) {
        return Err(Answer::status(STATUS_PARAMETER_TOO_LONG));
    }
    modem.memory.terminal_capability = set.terminal_capability;
    Ok(held_capability(modem))
}

fn reset(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    if names_slot(modem) {
        slot(modem, decoded::<uicc::ResetQueryV4>(command)?.slot_id)?;
    }
    there_is_a_card(modem)?;
    Ok(Answer::ok(&uicc::Reset { pass_through_status: uicc::UiccPassThroughStatus(modem.life.pass_through.into()) }))
}

fn set_reset(modem: &mut VirtualModem, now: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set = if names_slot(modem) {
        let uicc::ResetSetV4 { pass_through_action, slot_id } = decoded(command)?;
        slot(modem, slot_id)?;
        uicc::ResetSet { pass_through_action }
    } else {
        decoded(command)?
    };
    let pass_through = match set.pass_through_action {
        uicc::UiccPassThroughAction::DISABLE => false,
        uicc::UiccPassThroughAction::ENABLE => true,
        _ => return Err(invalid()),
    };
    there_is_a_card(modem)?;
    modem.reset_card(now, pass_through);
    let pass_through_status = uicc::UiccPassThroughStatus(pass_through.into());
    Ok(Answer::ok(&uicc::Reset { pass_through_status }))
}

fn applications(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    sim(modem)?;
    let applications: Vec<_> = APPLICATIONS
        .into_iter()
        .map(|(place, id, name)| uicc::UiccApplication {
            application_type: match place {
                Place::Isim => uicc::UiccApplicationType::ISIM,
                _ => uicc::UiccApplicationType::USIM,
            },
            application_id: id.to_vec(),
            application_name: name.to_owned(),
            pin_key_reference_count: 2,
            // PIN 1 of the application, and its second PIN.
            pin_key_references: vec![0x01, 0x81],
        })
        .collect();
    let size: usize = applications
        .iter()
        .map(|application| {
            let mut bytes = Vec::new();
            mbim_proto::codec::encode(application, &mut bytes);
            bytes.len()
        })
        .sum();
    Ok(Answer::ok(&uicc::ApplicationList {
        version: VERSION,
        active_application_index: 0,
        application_list_size_bytes: u32::try_from(size).unwrap_or(u32::MAX),
        applications,
    }))
}

/// What a command of files means; the card's own refusal is an answer.
fn find(sim: &Sim, version: u32, id: &[u8], path: &[u8]) -> Result<Result<Node, Words>, Answer> {
    if version != VERSION {
        return Err(invalid());
    }
    let application = match id {
        [] => Place::Mf,
        id => application(id, true, false).ok_or(Answer::status(Status::SELECT_FAILED.0))?,
    };
    sim.node(application, path).ok_or_else(invalid)
}

fn file_status(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: uicc::FileStatusQuery = decoded(command)?;
    let node = find(sim(modem)?, asked.version, &asked.application_id, &asked.file_path)?;
    let with = |[one, two]: Words| uicc::FileStatus {
        version: VERSION,
        status_word1: one.into(),
        status_word2: two.into(),
        ..uicc::FileStatus::default()
    };
    Ok(Answer::ok(&match node {
        Err(words) => with(words),
        Ok(Node::Directory) => uicc::FileStatus {
            file_accessibility: uicc::UiccFileAccessibility::SHAREABLE,
            file_type: uicc::UiccFileType::DF_OR_ADF,
            ..with(card::DONE)
        },
        Ok(Node::File(_, file)) => status_of(&file, with(card::DONE)),
    }))
}

fn status_of(file: &File, base: uicc::FileStatus) -> uicc::FileStatus {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let structure =
        if file.record.is_some() { uicc::UiccFileStructure::LINEAR } else { uicc::UiccFileStructure::TRANSPARENT };
    uicc::FileStatus {
        file_accessibility: uicc::UiccFileAccessibility::SHAREABLE,
        file_type: uicc::UiccFileType::WORKING_EF,
        file_structure: structure,
        file_item_count: number(file.count()),
        file_item_size: number(file.record.unwrap_or(file.content.len())),
        access_condition_read: file.read.pin_type(),
        access_condition_update: file.update.pin_type(),
        access_condition_activate: card::Access::Adm.pin_type(),
        access_condition_deactivate: card::Access::Adm.pin_type(),
        ..base
    }
}

fn binary([one, two]: Words, data: Vec<u8>) -> Answer {
    Answer::ok(&uicc::AccessBinary {
        version: VERSION,
        status_word1: one.into(),
        status_word2: two.into(),
        data: Personal::new(data),
    })
}

fn record([one, two]: Words, data: Vec<u8>) -> Answer {
    Answer::ok(&uicc::AccessRecord {
        version: VERSION,
        status_word1: one.into(),
        status_word2: two.into(),
        data: Personal::new(data),
    })
}

/// The file of a node, or what the card says instead.
fn file(node: Result<Node, Words>) -> Result<(Place, File), Words> {
    match node? {
        Node::File(place, file) => Ok((place, file)),
        Node::Directory => Err(card::WRONG_SHAPE),
    }
}

fn read_binary(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: uicc::AccessBinaryQuery = decoded(command)?;
    let sim = sim(modem)?;
    let found = file(find(sim, asked.version, &asked.application_id, &asked.file_path)?);
    let (words, data) = match found {
        Ok((_, file)) => sim.read_binary(&file, asked.read_offset as usize, asked.read_size as usize),
        Err(words) => (words, Vec::new()),
    };
    Ok(binary(words, data))
}

fn update_binary(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set: uicc::AccessBinaryQuery = decoded(command)?;
    let sim = sim(modem)?;
    let found = file(find(sim, set.version, &set.application_id, &set.file_path)?);
    let words = found.map_or_else(
        |words| words,
        |(place, file)| sim.update_binary(place, &file, set.read_offset as usize, set.data.reveal()),
    );
    Ok(binary(words, Vec::new()))
}

fn read_record(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: uicc::AccessRecordQuery = decoded(command)?;
    let sim = sim(modem)?;
    let found = file(find(sim, asked.version, &asked.application_id, &asked.file_path)?);
    let (words, data) = match found {
        Ok((_, file)) => sim.read_record(&file, asked.record_number as usize),
        Err(words) => (words, Vec::new()),
    };
    Ok(record(words, data))
}

fn update_record(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let set: uicc::AccessRecordQuery = decoded(command)?;
    let sim = sim(modem)?;
    let found = file(find(sim, set.version, &set.application_id, &set.file_path)?);
    let words = found.map_or_else(
        |words| words,
        |(place, file)| sim.update_record(place, &file, set.record_number as usize, set.data.reveal()),
    );
    Ok(record(words, Vec::new()))
}

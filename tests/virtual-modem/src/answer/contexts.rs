//! Stored contexts by type, the default bearer, and the options that the network sends with a bearer.

use super::{
    Answer, EXTENSIONS, Row, STATUS_CONTEXT_NOT_ACTIVATED, STATUS_INVALID_PARAMETERS, STATUS_MEMORY_FULL, decoded,
    encoded, of,
};
use crate::life::Packet;
use crate::machine::{Ticket, VirtualModem};
use crate::network::Admission;
use crate::profile::Release;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::status::NwError;

/// Contexts that the device stores.
const MOST_STORED: usize = 16;
/// Contexts of the default bearer: home, partners, others.
const ATTACH_CONTEXTS: usize = 3;

pub(super) static ROWS: &[Row] = &[
    of(EXTENSIONS, 1, Some(provisioned), Some(set_provisioned), true),
    of(EXTENSIONS, 3, Some(attach_configuration), Some(set_attach_configuration), true),
    of(EXTENSIONS, 4, Some(attach_info), None, true),
    of(EXTENSIONS, 9, Some(pco), None, true),
];

fn card_is_ready(modem: &VirtualModem) -> Result<(), Answer> {
    modem.card_problem().map_or(Ok(()), |status| Err(Answer::status(status)))
}

fn provisioned(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let provisioned_contexts = modem.profile.holdings.contexts.stored.clone();
    Ok(Answer::ok(&ext::ProvisionedContextsV2 { provisioned_contexts }))
}

fn set_provisioned(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: ext::ProvisionedContextsV2Set = decoded(command)?;
    card_is_ready(modem)?;
    let contexts = &mut modem.profile.holdings.contexts;
    let there = contexts.stored.iter().any(|held| held.context_type == set.context_type);
    match set.operation {
        ext::ContextOperation::RESTORE_FACTORY => contexts.stored.clone_from(&contexts.factory),
        ext::ContextOperation::DELETE if there => {
            contexts.stored.retain(|held| held.context_type != set.context_type);
        }
        ext::ContextOperation::DEFAULT if !there && contexts.stored.len() >= MOST_STORED => {
            return Err(Answer::status(STATUS_MEMORY_FULL));
        }
        ext::ContextOperation::DEFAULT => contexts.store(ext::ProvisionedContextElementV2 {
            context_id: 0,
            context_type: set.context_type,
            ip_type: set.ip_type,
            state: set.state,
            roaming: set.roaming,
            media_type: set.media_type,
            source: set.source,
            access_string: set.access_string,
            user_name: set.user_name,
            password: set.password,
            compression: set.compression,
            auth_protocol: set.auth_protocol,
        }),
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
    provisioned(modem, now, command, ticket)
}

fn attach_configuration(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let configurations = modem.profile.holdings.contexts.attach.clone();
    Ok(Answer::ok(&ext::LteAttachConfiguration { configurations }))
}

/// Takes all three, or gives back those that the operator had put in.
fn set_attach_configuration(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: ext::LteAttachConfigurationSet = decoded(command)?;
    card_is_ready(modem)?;
    let contexts = &mut modem.profile.holdings.contexts;
    match set.operation {
        ext::LteAttachContextOperation::RESTORE_FACTORY => contexts.attach.clone_from(&contexts.attach_factory),
        ext::LteAttachContextOperation::DEFAULT if set.configurations.len() == ATTACH_CONTEXTS => {
            contexts.attach = set.configurations;
        }
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
    attach_configuration(modem, now, command, ticket)
}

fn attach_info(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.attach_info_body()))
}

/// The options of the default bearer stand under session 0 while packet service is attached, those of the others under
/// their sessions.
fn pco(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let session_id = decoded::<ext::Pco>(command)?.session_id;
    if session_id >= modem.profile.max_sessions {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    let bearer = session_id == 0 && modem.life.packet == Packet::Attached;
    if !bearer && !modem.active_sessions().iter().any(|(session, _)| *session == session_id) {
        return Err(Answer::status(STATUS_CONTEXT_NOT_ACTIVATED));
    }
    Ok(Answer::Done(0, modem.pco_body(session_id)))
}

impl VirtualModem {
    fn pco_body(&self, session_id: u32) -> Vec<u8> {
        let pco_data_buffer = self.profile.holdings.contexts.pco.clone();
        encoded(&ext::Pco { session_id, pco_data_type: ext::PcoType::COMPLETE, pco_data_buffer })
    }

    pub(crate) fn indicate_pco(&mut self, now: Duration, session: u32) {
        let body = self.pco_body(session);
        self.indicate(now, EXTENSIONS, 9, body);
    }

    /// LTE_ATTACH_INFO in the layout of the release in force: the context for where the modem is.
    fn attach_info_body(&self) -> Vec<u8> {
        let place = match self.life.carrier().map(|carrier| carrier.admission) {
            Some(Admission::Partner) => ext::LteAttachContextRoamingControl::PARTNER,
            Some(Admission::Roaming) => ext::LteAttachContextRoamingControl::NON_PARTNER,
            _ => ext::LteAttachContextRoamingControl::HOME,
        };
        let attached = self.life.packet == Packet::Attached && self.is_on_lte();
        let context = self.profile.holdings.contexts.attach.iter().find(|context| context.roaming == place);
        let context = context.filter(|_| attached).cloned().unwrap_or_default();
        let lte_attach_state = ext::LteAttachState(u32::from(attached));
        if self.host.release < Release::V3 {
            return encoded(&ext::LteAttachInfo {
                lte_attach_state,
                ip_type: context.ip_type,
                access_string: context.access_string,
                user_name: context.user_name,
                password: context.password,
                compression: context.compression,
                auth_protocol: context.auth_protocol,
            });
        }
        encoded(&ext::LteAttachInfoV3 {
            lte_attach_state,
            nw_error: NwError(self.life.packet_error),
            ip_type: context.ip_type,
            access_string: context.access_string,
            user_name: context.user_name,
            password: context.password,
            compression: context.compression,
            auth_protocol: context.auth_protocol,
        })
    }

    pub(crate) fn indicate_attach_info(&mut self, now: Duration) {
        let body = self.attach_info_body();
        self.indicate(now, EXTENSIONS, 4, body);
    }
}

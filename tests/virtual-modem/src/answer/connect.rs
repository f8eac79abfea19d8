//! Sessions as the host asks for them: CONNECT, IP_CONFIGURATION, provisioned contexts, service activation, filters.

use super::{
    Answer, BASIC_CONNECT, STATUS_BUSY, STATUS_CONTEXT_NOT_ACTIVATED, STATUS_FAILURE, STATUS_INVALID_PARAMETERS,
    STATUS_MAX_ACTIVATED_CONTEXTS, STATUS_MEMORY_FULL, STATUS_NOT_INITIALIZED, STATUS_NOT_REGISTERED,
    STATUS_OPERATION_NOT_ALLOWED, STATUS_PACKET_SERVICE_DETACHED, STATUS_PARAMETER_TOO_LONG, STATUS_RADIO_POWER_OFF,
    decoded, device, encoded,
};
use crate::context::{Context, Phase, Wish};
use crate::life::Packet;
use crate::machine::{Event, Ticket, VirtualModem};
use crate::network::{Ipv4Settings, Ipv6Settings, cause};
use crate::order::Output;
use crate::profile::Release;
use crate::sim::Slot;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::Uuid;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::status::NwError;

/// Longest access point name, user name or password in bytes of UTF-16. [MBIM1.0 10.5.12]
const LONGEST_ACCESS_STRING: usize = 200;
const LONGEST_CREDENTIAL: usize = 510;
/// Provisioned contexts that the device holds.
const MOST_PROVISIONED: usize = 16;
/// Filters of a session, and bytes of one (bMaxFilterSize).
const MOST_FILTERS: usize = 32;
const LONGEST_FILTER: usize = 192;
/// ContextId that appends.
const APPEND: u32 = u32::MAX;
/// Context type of a session that is not active.
const CONTEXT_TYPE_NONE: Uuid = Uuid::from_u128(0xb43f758c_a560_4b46_b35e_c5869641fb54);
const ACTIVATION_UNKNOWN: u32 = 0;
const ACTIVATION_DEACTIVATED: u32 = 3;

pub(super) fn connect(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let session = if modem.host.release < Release::V3 {
        decoded::<bc::ConnectInfo>(command)?.session_id
    } else {
        decoded::<bc::ConnectQueryV3>(command)?.session_id
    };
    if session >= modem.profile.max_sessions {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    Ok(Answer::Done(0, modem.connect_body(session)))
}

pub(super) fn set_connect(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let (session, activation, wish) = if modem.host.release < Release::V3 {
        let set: bc::ConnectSet = decoded(command)?;
        let wish = Wish {
            apn: set.access_string,
            user: set.user_name.into_inner(),
            password: set.password.into_inner(),
            auth: set.auth_protocol.0,
            ip_type: set.ip_type.0,
            context_type: set.context_type,
        };
        (set.session_id, set.activation_command, wish)
    } else if modem.host.release >= Release::V4 {
        // There is one slice, whatever the host's rules say.
        let set: bc::ConnectSetV4 = decoded(command)?;
        let wish = Wish {
            apn: set.access_string,
            user: set.user_name.into_inner(),
            password: set.password.into_inner(),
            auth: set.auth_protocol.0,
            ip_type: set.ip_type.0,
            context_type: set.context_type,
        };
        (set.session_id, set.activation_command, wish)
    } else {
        let set: bc::ConnectSetV3 = decoded(command)?;
        let wish = Wish {
            apn: set.access_string,
            user: set.user_name.into_inner(),
            password: set.password.into_inner(),
            auth: set.auth_protocol.0,
            ip_type: set.ip_type.0,
            context_type: set.context_type,
        };
        (set.session_id, set.activation_command, wish)
    };
    let refuse = |status| Err(Answer::status(status));
    let utf16 = |text: &str| text.encode_utf16().count() * 2;
    if utf16(&wish.apn) > LONGEST_ACCESS_STRING || utf16(&wish.user).max(utf16(&wish.password)) > LONGEST_CREDENTIAL {
        return refuse(STATUS_PARAMETER_TOO_LONG);
    }
    if session >= modem.profile.max_sessions || wish.ip_type > 4 || wish.auth > 3 {
        return refuse(STATUS_INVALID_PARAMETERS);
    }
    match activation {
        bc::ActivationCommand::ACTIVATE => {
            may_activate(modem, session, &wish)?;
            modem.activate(now, session, wish, ticket);
        }
        bc::ActivationCommand::DEACTIVATE => modem.deactivate(now, session, ticket),
        _ => return refuse(STATUS_INVALID_PARAMETERS),
    }
    Ok(Answer::Deferred)
}

fn may_activate(modem: &mut VirtualModem, session: u32, wish: &Wish) -> Result<(), Answer> {
    let refused =
        |status, modem: &VirtualModem| Err(Answer::Done(status, modem.refused_connect_body(session, cause::NONE)));
    if modem.profile.misbehaviour.connect_wants_ready_query && !modem.host.ready_queried {
        return refused(STATUS_NOT_INITIALIZED, modem);
    }
    if modem.profile.misbehaviour.busy_connects > 0 {
        modem.profile.misbehaviour.busy_connects -= 1;
        return Err(Answer::status(STATUS_BUSY));
    }
    if let Some(status) = modem.card_problem() {
        return refused(status, modem);
    }
    if !modem.life.radio_on() {
        return refused(STATUS_RADIO_POWER_OFF, modem);
    }
    if modem.life.carrier().is_none() {
        return refused(STATUS_NOT_REGISTERED, modem);
    }
    if modem.life.packet != Packet::Attached {
        return refused(STATUS_PACKET_SERVICE_DETACHED, modem);
    }
    if modem.contexts.contains_key(&session) {
        return Err(Answer::Done(STATUS_OPERATION_NOT_ALLOWED, modem.connect_body(session)));
    }
    let twice = modem.active_sessions().iter().any(|(_, settings)| settings.apn.eq_ignore_ascii_case(&wish.apn));
    if modem.profile.misbehaviour.one_session_per_apn && twice {
        return refused(STATUS_OPERATION_NOT_ALLOWED, modem);
    }
    if modem.contexts.len() >= modem.profile.max_contexts as usize {
        return refused(STATUS_MAX_ACTIVATED_CONTEXTS, modem);
    }
    Ok(())
}

/// Answers for a session that is not active say so, without addresses.
pub(super) fn ip_configuration(
    modem: &mut VirtualModem,
    _: Duration,
    command: &Command,
    _: Ticket,
) -> Result<Answer, Answer> {
    let session = decoded::<bc::IpConfiguration>(command)?.session_id;
    match modem.contexts.get(&session) {
        Some(Context { phase: Phase::Activated { .. }, .. }) => Ok(Answer::Done(0, modem.ip_body(session))),
        _ => Err(Answer::status(STATUS_CONTEXT_NOT_ACTIVATED)),
    }
}

pub(super) fn provisioned(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let contexts = modem.profile.holdings.contexts.numbered.clone();
    let count = contexts.len();
    let mut buffer = encoded(&bc::ProvisionedContexts { provisioned_contexts: contexts });
    device::overstate_pairs(modem, &mut buffer, 4, count);
    Ok(Answer::Done(0, buffer))
}

pub(super) fn set_provisioned(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::ProvisionedContextsSet = decoded(command)?;
    let list = &mut modem.profile.holdings.contexts.numbered;
    let context_id = if set.context_id == APPEND {
        list.iter().map(|context| context.context_id.wrapping_add(1)).max().unwrap_or(0)
    } else {
        set.context_id
    };
    let context = bc::ProvisionedContextElement {
        context_id,
        context_type: set.context_type,
        access_string: set.access_string,
        user_name: set.user_name,
        password: set.password,
        compression: set.compression,
        auth_protocol: set.auth_protocol,
    };
    let full = list.len() >= MOST_PROVISIONED;
    match list.iter_mut().find(|old| old.context_id == context_id) {
        Some(old) => *old = context,
        None if full => return Err(Answer::status(STATUS_MEMORY_FULL)),
        None => list.push(context),
    }
    provisioned(modem, now, command, ticket)
}

/// Bytes for the operator, as they are.
pub(super) fn service_activation(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::ServiceActivationSet = decoded(command)?;
    if let Some(status) = modem.card_problem() {
        return Err(Answer::status(status));
    }
    if !modem.life.radio_on() {
        return Err(Answer::status(STATUS_RADIO_POWER_OFF));
    }
    if modem.life.carrier().is_none() {
        return Err(Answer::status(STATUS_NOT_REGISTERED));
    }
    let blob = set.buffer.into_inner();
    modem.later(now, modem.profile.pace.service_activation, Event::ServiceActivation { ticket, blob });
    Ok(Answer::Deferred)
}

pub(super) fn filters(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let session = if modem.host.release < Release::V3 {
        decoded::<bc::IpPacketFilters>(command)?.session_id
    } else {
        decoded::<bc::IpPacketFiltersV3>(command)?.session_id
    };
    Ok(modem.filters_answer(session))
}

pub(super) fn set_filters(
    modem: &mut VirtualModem,
    _: Duration,
    command: &Command,
    _: Ticket,
) -> Result<Answer, Answer> {
    let (session, filters): (u32, Vec<bc::PacketFilterV3>) = if modem.host.release < Release::V3 {
        let set: bc::IpPacketFilters = decoded(command)?;
        let numbered = |bc::PacketFilter { packet_filter, packet_mask }| bc::PacketFilterV3 {
            packet_filter,
            packet_mask,
            filter_id: 0,
        };
        (set.session_id, set.packet_filters.into_iter().map(numbered).collect())
    } else {
        let set: bc::IpPacketFiltersV3 = decoded(command)?;
        (set.session_id, set.packet_filters)
    };
    let fits = |filter: &bc::PacketFilterV3| {
        filter.packet_filter.len() <= LONGEST_FILTER && filter.packet_mask.len() == filter.packet_filter.len()
    };
    if session >= modem.profile.max_sessions || !filters.iter().all(fits) {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    if filters.len() > MOST_FILTERS {
        return Err(Answer::status(STATUS_MEMORY_FULL));
    }
    modem.profile.holdings.filters.insert(session, filters);
    Ok(modem.filters_answer(session))
}

impl VirtualModem {
    fn filters_answer(&self, session_id: u32) -> Answer {
        let held = self.profile.holdings.filters.get(&session_id).cloned().unwrap_or_default();
        if self.host.release < Release::V3 {
            let plain =
                |bc::PacketFilterV3 { packet_filter, packet_mask, .. }| bc::PacketFilter { packet_filter, packet_mask };
            let packet_filters = held.into_iter().map(plain).collect();
            return Answer::ok(&bc::IpPacketFilters { session_id, packet_filters });
        }
        Answer::ok(&bc::IpPacketFiltersV3 { session_id, packet_filters: held })
    }

    pub(crate) fn service_activation_is_decided(&mut self, now: Duration, ticket: Ticket, blob: &[u8]) {
        let before = self.profile.network.subscription;
        let Some(buffer) = self.profile.network.activate(blob) else {
            let nw_error = NwError(cause::NOT_SUBSCRIBED);
            let body = encoded(&bc::ServiceActivation { nw_error, buffer: Vec::new().into() });
            return self.finish(now, ticket, STATUS_FAILURE, body);
        };
        self.output(Output::ServiceActivated(blob.to_vec()));
        let body = encoded(&bc::ServiceActivation { nw_error: NwError(cause::NONE), buffer: buffer.into() });
        self.finish(now, ticket, 0, body);
        let after = self.profile.network.subscription;
        if after != before {
            self.output(Output::Subscription(after));
            self.drop_what_is_not_admitted(now);
        }
        if let Slot::Card(sim) = &mut self.profile.slot
            && !sim.activated
        {
            sim.activated = true;
            self.indicate_ready(now);
        }
    }

    /// CONNECT as it stands for a session, in the layout of the release in force.
    pub(crate) fn connect_body(&self, session: u32) -> Vec<u8> {
        match self.contexts.get(&session) {
            Some(context) => {
                let apn = context.settings().map(|settings| settings.apn.clone()).unwrap_or_default();
                self.encode_connect(
                    session,
                    context.state(),
                    context.ip_type,
                    context.context_type,
                    context.nw_error,
                    apn,
                )
            }
            None if self.profile.misbehaviour.connect_state_unknown && !self.memory.ever_activated => {
                self.encode_connect(session, ACTIVATION_UNKNOWN, 0, CONTEXT_TYPE_NONE, 0, String::new())
            }
            None => self.encode_connect(session, ACTIVATION_DEACTIVATED, 0, CONTEXT_TYPE_NONE, 0, String::new()),
        }
    }

    /// CONNECT for a session that was refused or dropped.
    pub(crate) fn refused_connect_body(&self, session: u32, nw_error: u32) -> Vec<u8> {
        let context = self.contexts.get(&session);
        let ip_type = context.map_or(0, |context| context.ip_type);
        let context_type = context.map_or(CONTEXT_TYPE_NONE, |context| context.context_type);
        self.encode_connect(session, ACTIVATION_DEACTIVATED, ip_type, context_type, nw_error, String::new())
    }

    fn encode_connect(
        &self,
        session_id: u32,
        state: u32,
        ip_type: u32,
        context_type: Uuid,
        nw_error: u32,
        access_string: String,
    ) -> Vec<u8> {
        let v1 = bc::ConnectInfo {
            session_id,
            activation_state: bc::ActivationState(state),
            voice_call_state: bc::VoiceCallState::NONE,
            ip_type: bc::ContextIpType(ip_type),
            context_type,
            nw_error: NwError(nw_error),
        };
        if self.host.release < Release::V3 {
            return encoded(&v1);
        }
        encoded(&bc::ConnectInfoV3 {
            session_id,
            activation_state: v1.activation_state,
            voice_call_state: v1.voice_call_state,
            ip_type: v1.ip_type,
            context_type,
            nw_error: v1.nw_error,
            media_preference: bc::AccessMediaType::ACCESS_3GPP,
            access_string,
            unnamed_ies: Vec::new(),
        })
    }

    pub(crate) fn indicate_connect(&mut self, now: Duration, body: Vec<u8>) {
        self.indicate(now, BASIC_CONNECT, 12, body);
    }

    /// IP_CONFIGURATION of an active session; nothing is available until the settings are known.
    fn ip_body(&self, session_id: u32) -> Vec<u8> {
        let nothing = (Ipv4Settings::default(), Ipv6Settings::default());
        let (v4, v6) = match self.contexts.get(&session_id).map(|context| &context.phase) {
            Some(Phase::Activated { settings, ip_known: true }) => {
                (settings.ip.v4.clone().unwrap_or_default(), settings.ip.v6.clone().unwrap_or_default())
            }
            _ => nothing,
        };
        encoded(&bc::IpConfiguration {
            session_id,
            ipv4_configuration_available: available(
                v4.address.is_some(),
                v4.gateway.is_some(),
                !v4.dns.is_empty(),
                v4.mtu.is_some(),
            ),
            ipv6_configuration_available: available(
                v6.address.is_some(),
                v6.gateway.is_some(),
                !v6.dns.is_empty(),
                v6.mtu.is_some(),
            ),
            ipv4_address: v4
                .address
                .into_iter()
                .map(|(address, prefix)| bc::Ipv4Element { on_link_prefix_length: prefix, ipv4_address: address })
                .collect(),
            ipv6_address: v6
                .address
                .into_iter()
                .map(|(address, prefix)| bc::Ipv6Element { on_link_prefix_length: prefix, ipv6_address: address })
                .collect(),
            ipv4_gateway: v4.gateway,
            ipv6_gateway: v6.gateway,
            ipv4_dns_server: v4.dns.into(),
            ipv6_dns_server: v6.dns.into(),
            ipv4_mtu: v4.mtu.unwrap_or(0),
            ipv6_mtu: v6.mtu.unwrap_or(0),
        })
    }

    pub(crate) fn indicate_ip(&mut self, now: Duration, session: u32) {
        let body = self.ip_body(session);
        self.indicate(now, BASIC_CONNECT, 15, body);
    }
}

fn available(address: bool, gateway: bool, dns: bool, mtu: bool) -> bc::IpConfigurationAvailable {
    bc::IpConfigurationAvailable(
        u32::from(address) | u32::from(gateway) << 1 | u32::from(dns) << 2 | u32::from(mtu) << 3,
    )
}

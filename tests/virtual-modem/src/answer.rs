//! What the modem answers, CID by CID. One table says what is implemented; DEVICE_SERVICES and the subscribe list are
//! read from it, so they cannot promise more than there is.
//!
//! An unknown service or CID, or an operation that the CID has not, is `no-device-support`; a buffer that does not
//! decode is `invalid-parameters`. [MBIM1.0 9.4.5]

mod antenna;
mod auth;
mod board;
mod cells;
mod connect;
mod contexts;
mod device;
mod makers;
mod phonebook;
mod registration;
mod slots;
mod sms;
mod standalone;
mod subscriber;
mod toolkit;
mod uicc;
mod ussd;

use crate::card::Channel;
use crate::dialogue::Talk;
use crate::machine::{Negotiation, Ticket, VirtualModem};
use crate::profile::{Profile, Release};
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::basic_connect::DeviceServiceElement;
use mbim_proto::service::{BASIC_CONNECT, MS_BASIC_CONNECT_EXT as EXTENSIONS, canonical, uuid_name};
use mbim_proto::{Body, Uuid, registry};
use std::collections::BTreeMap;

pub use device::Traffic;
#[cfg(feature = "mbimcli")]
pub(crate) use registration::rsrp_and_snr;
#[cfg(feature = "mbimcli")]
pub(crate) use slots::{LTE_BANDS, NR_BANDS, WCDMA_BANDS};

pub(crate) const STATUS_FAILURE: u32 = 2;
pub(crate) const STATUS_NOT_REGISTERED: u32 = 7;
pub(crate) const STATUS_PROVIDER_NOT_VISIBLE: u32 = 10;
pub(crate) const STATUS_PACKET_SERVICE_DETACHED: u32 = 12;
pub(crate) const STATUS_CONTEXT_NOT_ACTIVATED: u32 = 16;
pub(crate) const STATUS_SERVICE_NOT_ACTIVATED: u32 = 17;
pub(crate) const STATUS_INVALID_ACCESS_STRING: u32 = 18;
pub(crate) const STATUS_INVALID_USER_NAME_PWD: u32 = 19;
const STATUS_BUSY: u32 = 1;
const STATUS_SIM_NOT_INSERTED: u32 = 3;
const STATUS_PIN_DISABLED: u32 = 6;
const STATUS_NO_DEVICE_SUPPORT: u32 = 9;
const STATUS_MAX_ACTIVATED_CONTEXTS: u32 = 13;
const STATUS_NOT_INITIALIZED: u32 = 14;
const STATUS_RADIO_POWER_OFF: u32 = 20;
const STATUS_INVALID_PARAMETERS: u32 = 21;
const STATUS_PARAMETER_TOO_LONG: u32 = 26;
const STATUS_OPERATION_NOT_ALLOWED: u32 = 28;
const STATUS_INVALID_MEMORY_INDEX: u32 = 30;
const STATUS_MEMORY_FULL: u32 = 31;
const STATUS_DSS_INSTANCE_LIMIT: u32 = 33;
const STATUS_INVALID_DEVICE_SERVICE_OPERATION: u32 = 34;

/// What a command came to.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Status and buffer.
    Done(u32, Vec<u8>),
    /// The ticket is answered later.
    Deferred,
}

impl Answer {
    fn ok(body: &impl Body) -> Self {
        Self::Done(0, encoded(body))
    }

    const fn status(status: u32) -> Self {
        Self::Done(status, Vec::new())
    }
}

/// What an operation of a CID does.
type Does = fn(&mut VirtualModem, Duration, &Command, Ticket) -> Result<Answer, Answer>;

/// A CID that is implemented.
struct Row {
    service: Uuid,
    cid: u32,
    query: Option<Does>,
    set: Option<Does>,
    indicated: bool,
}

/// What the modem remembers for the host beyond sessions.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    generation: u32,
    pub(crate) emergency: bool,
    pub(crate) traffic: Traffic,
    ever_activated: bool,
    toolkit: toolkit::Toolkit,
    pub(crate) ussd: Talk,
    /// Logical channels of the card.
    pub(crate) channels: BTreeMap<u32, Channel>,
    terminal_capability: Vec<mbim_proto::codec::OctetString>,
    active_slot: u32,
}

impl Memory {
    /// A number that no earlier activation had.
    pub(crate) const fn next_generation(&mut self) -> u32 {
        self.ever_activated = true;
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }
}

/// A CID of Basic Connect.
const fn row(cid: u32, query: Option<Does>, set: Option<Does>, indicated: bool) -> Row {
    of(BASIC_CONNECT, cid, query, set, indicated)
}

/// A CID of any service.
const fn of(service: Uuid, cid: u32, query: Option<Does>, set: Option<Does>, indicated: bool) -> Row {
    Row { service, cid, query, set, indicated }
}

static BASIC: &[Row] = &[
    row(1, Some(device::caps), None, false),
    row(2, Some(subscriber::ready), None, true),
    row(3, Some(device::radio), Some(device::set_radio), true),
    row(4, Some(subscriber::pin), Some(subscriber::set_pin), false),
    row(5, Some(subscriber::pin_list), None, false),
    row(6, Some(registration::home_provider), None, false),
    row(7, Some(registration::preferred), Some(registration::set_preferred), true),
    row(8, Some(registration::visible), None, false),
    row(9, Some(registration::register_state), Some(registration::set_register_state), true),
    row(10, Some(registration::packet_service), Some(registration::set_packet_service), true),
    row(11, Some(registration::signal_state), Some(registration::set_signal_state), true),
    row(12, Some(connect::connect), Some(connect::set_connect), true),
    row(13, Some(connect::provisioned), Some(connect::set_provisioned), true),
    row(14, None, Some(connect::service_activation), false),
    row(15, Some(connect::ip_configuration), None, true),
    row(16, Some(device::services), None, false),
    row(19, None, Some(device::subscribe), false),
    row(20, Some(device::statistics), None, false),
    row(21, Some(device::idle_hint), Some(device::set_idle_hint), false),
    row(22, Some(device::emergency), Some(device::set_emergency), true),
    row(23, Some(connect::filters), Some(connect::set_filters), false),
];

static EXTENDED: &[Row] =
    &[of(EXTENSIONS, 10, None, Some(device::reset), false), of(EXTENSIONS, 15, Some(device::version), None, false)];

/// The CIDs that a modem has, service by service. Microsoft's services come with the extensions.
fn rows(profile: &Profile) -> impl Iterator<Item = &'static Row> + use<'_> {
    let extended = profile.release > Release::V1;
    let tables: [(bool, &'static [Row]); 16] = [
        (true, BASIC),
        (true, sms::ROWS),
        (true, ussd::ROWS),
        (true, phonebook::ROWS),
        (true, toolkit::ROWS),
        (true, auth::ROWS),
        (true, board::STREAMS),
        (extended, EXTENDED),
        (extended, slots::ROWS),
        (extended, uicc::ROWS),
        (extended, contexts::ROWS),
        (extended, cells::ROWS),
        (profile.release >= Release::V3, standalone::ROWS),
        (extended, antenna::ROWS),
        (extended, board::ROWS),
        (profile.makers, makers::ROWS),
    ];
    let rows = tables.into_iter().filter(|(has, _)| *has).flat_map(|(_, rows)| rows);
    rows.filter(|row| !profile.without.contains(&(row.service, row.cid)))
}

/// What DEVICE_SERVICES lists: services with their CIDs, then those that have streams only.
pub(crate) fn services(profile: &Profile) -> Vec<DeviceServiceElement> {
    let mut elements: Vec<DeviceServiceElement> = Vec::new();
    for row in rows(profile) {
        match elements.iter_mut().find(|element| element.device_service_id == row.service) {
            Some(element) => element.cids.push(row.cid),
            None => elements.push(DeviceServiceElement {
                device_service_id: row.service,
                cids: vec![row.cid],
                ..DeviceServiceElement::default()
            }),
        }
    }
    for stream in &profile.holdings.board.streams {
        let (dss_payload, max_dss_instances) = (stream.payload, stream.instances);
        match elements.iter_mut().find(|element| element.device_service_id == stream.service) {
            Some(element) => (element.dss_payload, element.max_dss_instances) = (dss_payload, max_dss_instances),
            None => elements.push(DeviceServiceElement {
                device_service_id: stream.service,
                dss_payload,
                max_dss_instances,
                cids: Vec::new(),
            }),
        }
    }
    elements.iter_mut().for_each(|element| element.cids.sort_unstable());
    elements
}

/// Carries a command out.
pub(crate) fn answer(modem: &mut VirtualModem, now: Duration, command: &Command, ticket: Ticket) -> Answer {
    let service = canonical(command.service);
    let found = rows(&modem.profile).find(|row| row.service == service && row.cid == command.cid);
    let negotiates = (service == BASIC_CONNECT && command.cid == 16) || (service == EXTENSIONS && command.cid == 15);
    if modem.host.negotiation == Negotiation::Open && !negotiates {
        modem.host.negotiation = Negotiation::Missed;
    }
    let does = match (found, command.operation) {
        (_, 2..) => return Answer::status(STATUS_INVALID_PARAMETERS),
        (Some(row), 0) => row.query,
        (Some(row), _) => row.set,
        (None, _) => None,
    };
    let Some(does) = does else { return Answer::status(STATUS_NO_DEVICE_SUPPORT) };
    does(modem, now, command, ticket).unwrap_or_else(|refusal| refusal)
}

/// A subject in words, for the log.
pub(crate) fn name(service: Uuid, cid: u32) -> String {
    let service_name = uuid_name(service).map_or_else(|| service.to_string(), str::to_owned);
    match registry::cid_name(service, cid) {
        Some(name) => format!("{service_name}.{}", name.to_ascii_lowercase().replace('_', "-")),
        None => format!("{service_name}.{cid}"),
    }
}

/// What a modem indicates that does not care what was subscribed: an unknown service, and an unknown CID of a known one.
pub(crate) fn strays() -> [(Uuid, u32); 2] {
    [(Uuid::from_u128(0x0badcafe_0000_4000_8000_000000000001), 1), (BASIC_CONNECT, 999)]
}

/// A body as bytes.
fn encoded(body: &impl Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    body.encode(&mut bytes);
    bytes
}

/// The host's body, or the answer to one that does not decode.
fn decoded<B: Body>(command: &Command) -> Result<B, Answer> {
    B::decode(&command.buffer).map_err(|_| Answer::status(STATUS_INVALID_PARAMETERS))
}

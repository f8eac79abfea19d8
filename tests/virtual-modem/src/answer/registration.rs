//! Networks, registration, packet service, signal.

use super::{
    Answer, BASIC_CONNECT, STATUS_INVALID_PARAMETERS, STATUS_MEMORY_FULL, STATUS_NOT_REGISTERED,
    STATUS_RADIO_POWER_OFF, decoded, device, encoded,
};
use crate::life::Registration;
use crate::machine::{Event, Ticket, VirtualModem};
use crate::network::{Admission, Carrier};
use crate::profile::Release;
use crate::sim::Slot;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::List;
use mbim_proto::service::basic_connect as bc;

/// Preferred networks that the card holds.
const MOST_PREFERRED: usize = 64;
/// Speeds that the device claims, in bit/s.
const UPLINK: u64 = 50_000_000;
const DOWNLINK: u64 = 150_000_000;
/// Data classes whose signal has a table of RSRP and SNR: LTE and both kinds of 5G.
const HAS_RSRP: u32 = 0xe0;

/// The codes of RSRP and SNR that go with one of RSSI. −113+2n dBm of RSSI is about 28 dB more than RSRP on a 20 MHz
/// carrier: code 157−113−28+2n.
pub(crate) fn rsrp_and_snr(rssi: u32) -> (u32, u32) {
    ((16 + 2 * rssi).min(126), (2 * rssi + 27).min(127))
}

fn card_is_ready(modem: &VirtualModem) -> Result<(), Answer> {
    modem.card_problem().map_or(Ok(()), |status| Err(Answer::status(status)))
}

fn radio_is_on(modem: &VirtualModem) -> Result<(), Answer> {
    if modem.life.radio_on() { Ok(()) } else { Err(Answer::status(STATUS_RADIO_POWER_OFF)) }
}

pub(super) fn home_provider(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let Slot::Card(sim) = &modem.profile.slot else { return Err(Answer::status(super::STATUS_SIM_NOT_INSERTED)) };
    let registered = modem.life.carrier().is_some_and(|carrier| carrier.id == sim.home_id);
    let seen = modem.profile.network.coverage && modem.profile.network.manual(&sim.home_id).is_some();
    let mut state = bc::ProviderState::HOME;
    if seen {
        state = state | bc::ProviderState::VISIBLE;
    }
    if registered {
        state = state | bc::ProviderState::REGISTERED;
    }
    Ok(Answer::ok(&bc::HomeProvider {
        provider: bc::Provider {
            provider_id: sim.home_id.clone(),
            provider_state: state,
            provider_name: sim.home_name.clone(),
            cellular_class: bc::CellularClass::GSM,
            rssi: if seen { modem.level().0 } else { 99 },
            error_rate: 99,
        },
    }))
}

pub(super) fn preferred(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let providers = modem.profile.holdings.preferred.clone();
    let count = providers.len();
    let mut buffer = encoded(&bc::PreferredProviders { providers });
    device::overstate_pairs(modem, &mut buffer, 4, count);
    Ok(Answer::Done(0, buffer))
}

pub(super) fn set_preferred(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    card_is_ready(modem)?;
    let set: bc::PreferredProviders = decoded(command)?;
    if set.providers.len() > MOST_PREFERRED {
        return Err(Answer::status(STATUS_MEMORY_FULL));
    }
    modem.profile.holdings.preferred = set.providers;
    preferred(modem, now, command, ticket)
}

pub(super) fn visible(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    radio_is_on(modem)?;
    let scan: bc::VisibleProvidersQuery = decoded(command)?;
    if scan.action.0 > 1 {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    modem.later(now, modem.profile.pace.scan, Event::Scanned { ticket });
    Ok(Answer::Deferred)
}

pub(super) fn register_state(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.registration_body()))
}

pub(super) fn set_register_state(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::RegisterStateSet = decoded(command)?;
    let digits = set.provider_id.bytes().all(|digit| digit.is_ascii_digit());
    let manual = match set.register_action {
        bc::RegisterAction::AUTOMATIC => None,
        bc::RegisterAction::MANUAL if digits && (5..=6).contains(&set.provider_id.len()) => Some(set.provider_id),
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    };
    card_is_ready(modem)?;
    radio_is_on(modem)?;
    modem.life.preferred_classes = set.data_class.0;
    modem.register(now, ticket, manual);
    Ok(Answer::Deferred)
}

pub(super) fn packet_service(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.packet_service_body()))
}

pub(super) fn set_packet_service(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::PacketServiceSet = decoded(command)?;
    card_is_ready(modem)?;
    radio_is_on(modem)?;
    match set.packet_service_action {
        bc::PacketServiceAction::ATTACH if modem.life.carrier().is_none() => {
            return Ok(Answer::Done(STATUS_NOT_REGISTERED, modem.packet_service_body()));
        }
        bc::PacketServiceAction::ATTACH => modem.attach(now, ticket),
        bc::PacketServiceAction::DETACH => modem.detach(now, ticket),
        _ => return Err(Answer::status(STATUS_INVALID_PARAMETERS)),
    }
    Ok(Answer::Deferred)
}

pub(super) fn signal_state(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    modem.signal_was_told();
    Ok(Answer::Done(0, modem.signal_body()))
}

pub(super) fn set_signal_state(
    modem: &mut VirtualModem,
    now: Duration,
    command: &Command,
    ticket: Ticket,
) -> Result<Answer, Answer> {
    let set: bc::SignalStateSet = decoded(command)?;
    let signal = &mut modem.life.signal;
    signal.interval = set.signal_strength_interval;
    signal.rssi_threshold = set.rssi_threshold;
    signal.error_rate_threshold = set.error_rate_threshold;
    signal_state(modem, now, command, ticket)
}

impl VirtualModem {
    pub(crate) fn scan_is_over(&mut self, now: Duration, ticket: Ticket) {
        let network = &self.profile.network;
        let registered = self.life.carrier().map(|carrier| carrier.id.as_str());
        let seen = if network.coverage { network.carriers.as_slice() } else { &[] };
        let provider = |carrier: &Carrier| {
            let mut state = bc::ProviderState::VISIBLE;
            match carrier.admission {
                Admission::Home => state = state | bc::ProviderState::HOME,
                Admission::Denied(_) => state = state | bc::ProviderState::FORBIDDEN,
                Admission::Roaming | Admission::Partner => {}
            }
            if registered == Some(carrier.id.as_str()) {
                state = state | bc::ProviderState::REGISTERED;
            }
            bc::Provider {
                provider_id: carrier.id.clone(),
                provider_state: state,
                provider_name: carrier.name.clone(),
                cellular_class: bc::CellularClass::GSM,
                rssi: carrier.rssi,
                error_rate: 99,
            }
        };
        let providers: Vec<_> = seen.iter().map(provider).collect();
        let count = providers.len();
        let mut buffer = encoded(&bc::VisibleProviders { providers });
        device::overstate_pairs(self, &mut buffer, 4, count);
        self.finish(now, ticket, 0, buffer);
    }

    /// REGISTER_STATE in the layout of the release in force.
    pub(crate) fn registration_body(&self) -> Vec<u8> {
        let carrier = self.life.carrier();
        let nw_error = match self.life.registration {
            Registration::Denied(cause) => cause,
            _ => 0,
        };
        let roaming = matches!(self.register_state(), 4 | 5);
        let flags = if self.profile.auto_attach {
            bc::RegistrationFlags::PACKET_SERVICE_AUTOMATIC_ATTACH
        } else {
            bc::RegistrationFlags::NONE
        };
        let v1 = bc::RegisterStateInfo {
            nw_error: mbim_proto::status::NwError(nw_error),
            register_state: bc::RegisterState(self.register_state()),
            register_mode: bc::RegisterMode(self.life.register_mode()),
            available_data_classes: bc::DataClass(self.available_data_classes()),
            current_cellular_class: bc::CellularClass::GSM,
            provider_id: carrier.map(|carrier| carrier.id.clone()).unwrap_or_default(),
            provider_name: carrier.map(|carrier| carrier.name.clone()).unwrap_or_default(),
            roaming_text: carrier.filter(|_| roaming).map(|carrier| carrier.roaming_text.clone()).unwrap_or_default(),
            registration_flag: flags,
        };
        if self.host.release < Release::V2 {
            return encoded(&v1);
        }
        let preferred = match self.life.preferred_classes {
            0 => self.profile.data_classes,
            classes => classes & self.profile.data_classes,
        };
        encoded(&bc::RegisterStateInfoV2 {
            nw_error: v1.nw_error,
            register_state: v1.register_state,
            register_mode: v1.register_mode,
            available_data_classes: v1.available_data_classes,
            current_cellular_class: v1.current_cellular_class,
            provider_id: v1.provider_id,
            provider_name: v1.provider_name,
            roaming_text: v1.roaming_text,
            registration_flag: v1.registration_flag,
            preferred_data_classes: bc::DataClass(preferred),
        })
    }

    pub(crate) fn indicate_registration(&mut self, now: Duration) {
        let body = self.registration_body();
        self.indicate(now, BASIC_CONNECT, 9, body);
        self.indicate_location(now);
    }

    /// PACKET_SERVICE in the layout of the release in force.
    pub(crate) fn packet_service_body(&self) -> Vec<u8> {
        let nw_error = mbim_proto::status::NwError(self.life.packet_error);
        let packet_service_state = bc::PacketServiceState(self.packet_service_state());
        let class = self.current_data_class();
        let (uplink_speed, downlink_speed) = if class == 0 { (0, 0) } else { (UPLINK, DOWNLINK) };
        let frequency_range = if class & 0xc0 == 0 { bc::FrequencyRange::NONE } else { bc::FrequencyRange::FR1 };
        match self.host.release {
            Release::V1 => encoded(&bc::PacketService {
                nw_error,
                packet_service_state,
                highest_available_data_class: bc::DataClass(class),
                uplink_speed,
                downlink_speed,
            }),
            Release::V2 => encoded(&bc::PacketServiceV2 {
                nw_error,
                packet_service_state,
                current_data_class: bc::DataClass(class),
                uplink_speed,
                downlink_speed,
                frequency_range,
            }),
            Release::V3 | Release::V4 => {
                let (current_data_class, data_subclass) = self.class_of_release_3(class);
                encoded(&bc::PacketServiceV3 {
                    nw_error,
                    packet_service_state,
                    current_data_class,
                    uplink_speed,
                    downlink_speed,
                    frequency_range,
                    data_subclass,
                    tai: self.tai(),
                    unnamed_ies: Vec::new(),
                })
            }
        }
    }

    pub(crate) fn indicate_packet_service(&mut self, now: Duration) {
        let body = self.packet_service_body();
        self.indicate(now, BASIC_CONNECT, 10, body);
        self.indicate_attach_info(now);
    }

    /// Signal and what is reported of it.
    pub(crate) fn signal_report(&self) -> bc::SignalState {
        let (rssi, error_rate) = self.level();
        let signal = &self.life.signal;
        bc::SignalState {
            rssi,
            error_rate,
            signal_strength_interval: signal.interval,
            rssi_threshold: signal.rssi_threshold,
            error_rate_threshold: signal.error_rate_threshold,
        }
    }

    /// SIGNAL_STATE in the layout of the release in force. With a table of RSRP and SNR the RSSI is 99.
    fn signal_body(&self) -> Vec<u8> {
        let v1 = self.signal_report();
        let (rssi, error_rate) = (v1.rssi, v1.error_rate);
        if self.host.release < Release::V2 {
            return encoded(&v1);
        }
        let class = self.current_data_class() & HAS_RSRP;
        let (rsrp, snr) = rsrp_and_snr(rssi);
        let table: List<_, 4> = (class != 0 && rssi != 99)
            .then_some(bc::RsrpSnrInfo {
                rsrp,
                snr,
                rsrp_threshold: 0,
                snr_threshold: 0,
                system_type: bc::DataClass(class),
            })
            .into_iter()
            .collect();
        encoded(&bc::SignalStateV2 {
            rssi: if table.is_empty() { rssi } else { 99 },
            error_rate,
            signal_strength_interval: v1.signal_strength_interval,
            rssi_threshold: v1.rssi_threshold,
            error_rate_threshold: v1.error_rate_threshold,
            rsrp_snr: table,
        })
    }

    pub(crate) fn indicate_signal(&mut self, now: Duration) {
        let body = self.signal_body();
        self.indicate(now, BASIC_CONNECT, 11, body);
    }
}

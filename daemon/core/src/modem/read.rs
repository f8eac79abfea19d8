//! Bodies → facts, whatever release they are written in. Where a modem sends a newer layout than was agreed, the older
//! one is its beginning. `[MBIM-079…081]`

use mbim_proto::service::{basic_connect as bc, ms_uicc_low_level as uicc};
use mbim_proto::{Body, List, Malformed, MbimEx, Personal};

use super::address::Told;
use crate::snapshot::{Device, Signal};
use crate::usage::Counters;

/// SUBSCRIBER_READY_STATUS.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    pub(super) state: u32,
    pub(super) imsi: Personal<String>,
    pub(super) iccid: Personal<String>,
    pub(super) numbers: Vec<Personal<String>>,
    pub(super) protected: bool,
}

/// HOME_PROVIDER.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    pub(super) id: String,
    pub(super) name: String,
}

/// PIN.
#[derive(Clone, Debug)]
pub(super) struct PinFact {
    pub(super) kind: u32,
    pub(super) name: String,
    pub(super) locked: bool,
    pub(super) attempts: Option<u32>,
}

/// REGISTER_STATE.
#[derive(Clone, Debug, Default)]
pub(super) struct RegisterFact {
    pub(super) nw_error: u32,
    pub(super) state: u32,
    pub(super) classes: u32,
    pub(super) provider_id: String,
    pub(super) provider_name: String,
    pub(super) attaches_by_itself: bool,
}

/// PACKET_SERVICE.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PacketFact {
    pub(super) nw_error: u32,
    pub(super) state: u32,
    pub(super) data_class: u32,
    pub(super) uplink: Option<u64>,
    pub(super) downlink: Option<u64>,
}

/// CONNECT.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectFact {
    pub(super) session: u32,
    pub(super) state: u32,
    pub(super) nw_error: u32,
}

/// SIGNAL_STATE.
pub(super) type SignalFact = Signal;

pub(super) fn caps(buffer: &[u8]) -> Result<Device, Malformed> {
    let caps = bc::DeviceCaps::decode(buffer)?;
    Ok(Device {
        hardware: caps.hardware_info,
        firmware: caps.firmware_info,
        max_sessions: caps.max_sessions,
        data_classes: caps.data_class.0,
        cellular_class: caps.cellular_class.0,
        id: caps.device_id,
        ..Device::default()
    })
}

pub(super) fn ready(release: MbimEx, buffer: &[u8]) -> Result<Ready, Malformed> {
    Ok(if release >= MbimEx::V4 {
        let body = bc::SubscriberReadyV4::decode(buffer)?;
        Ready {
            state: body.ready_state.0,
            imsi: body.subscriber_id,
            iccid: body.sim_icc_id,
            numbers: body.telephone_numbers.into_vec(),
            protected: body.ready_info.0 & bc::ReadyInfo::PROTECT_UNIQUE_ID.0 != 0,
        }
    } else if release >= MbimEx::V3 {
        let body = bc::SubscriberReadyV3::decode(buffer)?;
        Ready {
            state: body.ready_state.0,
            imsi: body.subscriber_id,
            iccid: body.sim_icc_id,
            numbers: body.telephone_numbers.into_vec(),
            protected: body.ready_info.0 & bc::ReadyInfo::PROTECT_UNIQUE_ID.0 != 0,
        }
    } else {
        let body = bc::SubscriberReady::decode(buffer)?;
        Ready {
            state: body.ready_state.0,
            imsi: body.subscriber_id,
            iccid: body.sim_icc_id,
            numbers: body.telephone_numbers.into_vec(),
            protected: body.ready_info.0 & bc::ReadyInfo::PROTECT_UNIQUE_ID.0 != 0,
        }
    })
}

pub(super) fn radio(buffer: &[u8]) -> Result<(bool, bool), Malformed> {
    let body = bc::RadioState::decode(buffer)?;
    // Numbers beyond on and off are vendors' ways of saying that the radio is held off (Q7).
    Ok((body.hw_radio_state == bc::RadioSwitchState::ON, body.sw_radio_state == bc::RadioSwitchState::ON))
}

pub(super) fn pin(buffer: &[u8]) -> Result<PinFact, Malformed> {
    let body = bc::Pin::decode(buffer)?;
    Ok(PinFact {
        kind: body.pin_type.0,
        name: body.pin_type.to_string(),
        locked: body.pin_state == bc::PinState::LOCKED,
        attempts: Some(body.remaining_attempts).filter(|n| *n != u32::MAX),
    })
}

pub(super) fn home(buffer: &[u8]) -> Result<Home, Malformed> {
    let body = bc::HomeProvider::decode(buffer)?;
    Ok(Home { id: body.provider.provider_id, name: body.provider.provider_name })
}

pub(super) fn register(buffer: &[u8]) -> Result<RegisterFact, Malformed> {
    // What the later release appends is not needed here.
    let body = bc::RegisterStateInfo::decode(buffer)?;
    Ok(RegisterFact {
        nw_error: body.nw_error.0,
        state: body.register_state.0,
        classes: body.available_data_classes.0,
        provider_id: body.provider_id,
        provider_name: body.provider_name,
        attaches_by_itself: body.registration_flag.0 & bc::RegistrationFlags::PACKET_SERVICE_AUTOMATIC_ATTACH.0 != 0,
    })
}

pub(super) fn packet(buffer: &[u8]) -> Result<PacketFact, Malformed> {
    // Later releases keep these places and append.
    let body = bc::PacketService::decode(buffer)?;
    Ok(PacketFact {
        nw_error: body.nw_error.0,
        state: body.packet_service_state.0,
        data_class: body.highest_available_data_class.0,
        uplink: Some(body.uplink_speed).filter(|n| *n != u64::MAX),
        downlink: Some(body.downlink_speed).filter(|n| *n != u64::MAX),
    })
}

pub(super) fn statistics(buffer: &[u8]) -> Result<Counters, Malformed> {
    let body = bc::PacketStatistics::decode(buffer)?;
    Ok(Counters {
        rx_octets: body.in_octets,
        tx_octets: body.out_octets,
        rx_packets: body.in_packets,
        tx_packets: body.out_packets,
    })
}

pub(super) fn connect(buffer: &[u8]) -> Result<ConnectFact, Malformed> {
    // Release 3.0 appends.
    let body = bc::ConnectInfo::decode(buffer)?;
    Ok(ConnectFact { session: body.session_id, state: body.activation_state.0, nw_error: body.nw_error.0 })
}

pub(super) fn ip(buffer: &[u8]) -> Result<(u32, Told), Malformed> {
    let body = bc::IpConfiguration::decode(buffer)?;
    let has = |available: bc::IpConfigurationAvailable, bit: bc::IpConfigurationAvailable| available.0 & bit.0 != 0;
    let (four, six) = (body.ipv4_configuration_available, body.ipv6_configuration_available);
    use bc::IpConfigurationAvailable as Bit;
    let mut told = Told::default();
    if has(four, Bit::ADDRESS) {
        told.ipv4 = body.ipv4_address.iter().map(|e| (e.ipv4_address, e.on_link_prefix_length)).collect();
    }
    if has(six, Bit::ADDRESS) {
        told.ipv6 = body.ipv6_address.iter().map(|e| (e.ipv6_address, e.on_link_prefix_length)).collect();
    }
    told.gateway4 = body.ipv4_gateway.filter(|_| has(four, Bit::GATEWAY));
    told.gateway6 = body.ipv6_gateway.filter(|_| has(six, Bit::GATEWAY));
    if has(four, Bit::DNS) {
        told.dns4 = body.ipv4_dns_server.into_vec();
    }
    if has(six, Bit::DNS) {
        told.dns6 = body.ipv6_dns_server.into_vec();
    }
    told.mtu4 = Some(body.ipv4_mtu).filter(|_| has(four, Bit::MTU));
    told.mtu6 = Some(body.ipv6_mtu).filter(|_| has(six, Bit::MTU));
    Ok((body.session_id, told))
}

pub(super) fn signal(release: MbimEx, buffer: &[u8]) -> Result<SignalFact, Malformed> {
    let (rssi, table) = if release >= MbimEx::V2 {
        let body = bc::SignalStateV2::decode(buffer)?;
        (body.rssi, body.rsrp_snr)
    } else {
        (bc::SignalState::decode(buffer)?.rssi, List::new())
    };
    let best = table.iter().find(|row| row.rsrp <= 126);
    let dbm = |code: u32, base: i32| i32::try_from(code).ok().map(|code| base + code);
    let rssi_dbm = (rssi <= 31).then(|| dbm(rssi * 2, -113)).flatten();
    let rsrp = best.and_then(|row| dbm(row.rsrp, -157));
    let snr = best
        .filter(|row| row.snr <= 127)
        .and_then(|row| u16::try_from(row.snr).ok())
        .map(|n| -23.5 + f32::from(n) / 2.0);
    // Linear over the range that decides between bars 0 and 5. [MBIM reference, 15.2]
    let percent = |value: i32, worst: i32, best: i32| {
        u8::try_from(((value - worst) * 100 / (best - worst)).clamp(0, 100)).unwrap_or(0)
    };
    let quality = rsrp.map(|rsrp| percent(rsrp, -140, -85)).or(rssi_dbm.map(|rssi| percent(rssi, -113, -79)));
    Ok(Signal { rssi: rssi_dbm, rsrp, snr, quality })
}

/// APPLICATION_LIST: the application that the modem registers with; empty where it names none.
pub(super) fn active_application(buffer: &[u8]) -> Result<Vec<u8>, Malformed> {
    let body = uicc::ApplicationList::decode(buffer)?;
    let active = usize::try_from(body.active_application_index).ok();
    Ok(active.and_then(|at| body.applications.into_iter().nth(at)).map(|app| app.application_id).unwrap_or_default())
}

/// ACCESS_BINARY: the content; `None` where the card says no. `[OPER-016]`
pub(super) fn card_file(buffer: &[u8]) -> Result<Option<Personal<Vec<u8>>>, Malformed> {
    let body = uicc::AccessBinary::decode(buffer)?;
    Ok(is_good(body.status_word1, body.status_word2).then_some(body.data))
}

/// ACCESS_RECORD, as [`card_file`].
pub(super) fn card_record(buffer: &[u8]) -> Result<Option<Personal<Vec<u8>>>, Malformed> {
    let body = uicc::AccessRecord::decode(buffer)?;
    Ok(is_good(body.status_word1, body.status_word2).then_some(body.data))
}

fn is_good(status_word1: u32, status_word2: u32) -> bool {
    matches!((status_word1, status_word2), (0x90, 0) | (0x91, _))
}

#[cfg(test)]
mod tests {
    use mbim_proto::list;

    use super::*;

    #[test]
    fn addresses_count_only_with_their_bit() {
        use bc::IpConfigurationAvailable as Bit;
        let all = bc::IpConfiguration {
            session_id: 3,
            ipv4_address: list![bc::Ipv4Element { on_link_prefix_length: 24, ipv4_address: [10, 0, 0, 2].into() }],
            ipv4_gateway: Some([10, 0, 0, 1].into()),
            ipv4_dns_server: list![[10, 0, 0, 53].into()],
            ipv4_mtu: 1430,
            ..bc::IpConfiguration::default()
        };
        let told = |available| {
            let body = bc::IpConfiguration { ipv4_configuration_available: available, ..all.clone() };
            let (session, told) = ip(&body.to_vec()).expect("a body");
            assert_eq!((session, told.ipv6.len(), told.dns6.len(), told.mtu6), (3, 0, 0, None));
            (told.ipv4.len(), told.gateway4.is_some(), told.dns4.len(), told.mtu4)
        };
        assert_eq!(told(Bit::NONE), (0, false, 0, None));
        assert_eq!(told(Bit::ADDRESS), (1, false, 0, None));
        assert_eq!(told(Bit::GATEWAY), (0, true, 0, None));
        assert_eq!(told(Bit::DNS), (0, false, 1, None));
        assert_eq!(told(Bit::MTU), (0, false, 0, Some(1430)));
    }

    #[test]
    fn strength_is_told_in_decibels_or_not_at_all() {
        let plain = |rssi| bc::SignalState { rssi, ..bc::SignalState::default() }.to_vec();
        let of = |buffer: &[u8], release| signal(release, buffer).expect("a body");
        for (code, dbm, quality) in [(0, -113, 0), (17, -79, 100), (31, -51, 100), (8, -97, 47)] {
            let told = of(&plain(code), MbimEx::V1);
            assert_eq!((told.rssi, told.quality, told.rsrp), (Some(dbm), Some(quality), None), "{code}");
        }
        assert_eq!(of(&plain(99), MbimEx::V1), Signal { rssi: None, rsrp: None, snr: None, quality: None });
        let row = |rsrp, snr| bc::RsrpSnrInfo { rsrp, snr, ..bc::RsrpSnrInfo::default() };
        let body = bc::SignalStateV2 { rssi: 99, rsrp_snr: list![row(127, 128), row(57, 60)], ..Default::default() };
        let told = of(&body.to_vec(), MbimEx::V2);
        assert_eq!((told.rsrp, told.snr, told.quality), (Some(-100), Some(6.5), Some(72)), "the first that is known");
        let unknown = bc::SignalStateV2 { rssi: 99, rsrp_snr: list![row(126, 128)], ..Default::default() };
        let told = of(&unknown.to_vec(), MbimEx::V2);
        assert_eq!((told.rsrp, told.snr, told.quality), (Some(-31), None, Some(100)));
    }
}

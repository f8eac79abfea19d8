//! Microsoft's extensions: basic connect, SAR, firmware id, host shutdown, voice.

use super::words::hex;
use super::{Seen, Step, query, set};
use crate::holdings::Shutdown;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::service::{context_type, uuid_name};

pub(super) fn steps() -> Vec<Step> {
    [contexts(), places(), standalone(), board()].concat()
}

fn contexts() -> Vec<Step> {
    vec![
        query("--ms-query-provisioned-contexts", provisioned),
        set(
            "--ms-set-provisioned-contexts=operation=default,context-type=ims,ip-type=ipv6,state=enabled,\
             roaming-control=home-only,media-type=cellular-only,source=user,auth=chap,compression=enable,\
             username=u,password=p,access-string=ims",
            |seen| {
                let held = &seen.profile.holdings.contexts.stored;
                held.last().is_some_and(|held| (held.context_id, held.context_type) == (3, context_type::IMS))
            },
            provisioned,
        ),
        query("--ms-query-provisioned-contexts", provisioned),
        set(
            "--ms-set-provisioned-contexts=operation=delete,context-type=purchase,ip-type=default,state=disabled,\
             roaming-control=allow-all,media-type=all,source=admin",
            |seen| seen.profile.holdings.contexts.stored.len() == 2,
            provisioned,
        ),
        set(
            "--ms-set-provisioned-contexts=operation=restore-factory,context-type=none,ip-type=default,\
             state=disabled,roaming-control=allow-all,media-type=all,source=admin",
            |seen| seen.profile.holdings.contexts.stored == seen.profile.holdings.contexts.factory,
            provisioned,
        ),
        query("--ms-query-lte-attach-configuration", |seen| {
            let mut lines = vec!["Successfully queried LTE attach configuration".into()];
            for (place, context) in seen.profile.holdings.contexts.attach.iter().enumerate() {
                lines.push(format!("Configuration {place}:"));
                lines.push(format!("IP type: {}", context.ip_type));
                lines.push(format!("Roaming: {}", context.roaming));
                lines.push(format!("Source: {}", context.source));
                lines.extend(login(context));
            }
            lines
        }),
        query("--ms-query-lte-attach-info", |seen| attach(seen, "1")),
        query("--ms-query-lte-attach-info", |seen| {
            let mut lines = attach(seen, "3");
            lines.push("Network error: none".into());
            lines
        })
        .v3(),
        query("--ms-query-pco", |seen| pco(seen, 0)),
        query("--ms-query-pco=5", |_| vec!["error: operation failed: ContextNotActivated".into()]).fails(),
    ]
}

fn provisioned(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.contexts.stored;
    let mut lines = vec![format!("Provisioned contexts ({}):", held.len())];
    for context in held {
        lines.extend([
            format!("Context ID {}:", context.context_id),
            format!("Context type: '{}'", uuid_name(context.context_type).unwrap_or("unknown")),
            format!("IP type: '{}'", context.ip_type),
            format!("State: '{}'", context.state),
            format!("Roaming control: '{}'", context.roaming),
            format!("Media type: '{}'", context.media_type),
            format!("Source: '{}'", context.source),
            format!("Access string: '{}'", context.access_string),
            format!("Username: '{}'", context.user_name.reveal()),
            format!("Password: '{}'", context.password.reveal()),
            format!("Compression: '{}'", context.compression),
            format!("Auth protocol: '{}'", context.auth_protocol),
        ]);
    }
    lines
}

fn login(context: &ext::LteAttachConfigurationEntry) -> [String; 5] {
    [
        format!("Access string: {}", context.access_string),
        format!("Username: {}", context.user_name.reveal()),
        format!("Password: {}", context.password.reveal()),
        format!("Compression: {}", context.compression),
        format!("Auth protocol: {}", context.auth_protocol),
    ]
}

fn attach(seen: Seen<'_>, release: &str) -> Vec<String> {
    let home = &seen.profile.holdings.contexts.attach[0];
    let mut lines = vec![
        format!("Successfully received v{release}.0 LTE attach info"),
        "Attach state: attached".into(),
        format!("IP type: {}", home.ip_type),
    ];
    lines.extend(login(home));
    lines
}

pub(super) fn pco(seen: Seen<'_>, session: u32) -> Vec<String> {
    let held = &seen.profile.holdings.contexts.pco;
    vec![
        "Successfully queried PCO".into(),
        "PCO:".into(),
        format!("Session ID: '{session}'"),
        "PCO data type: 'complete'".into(),
        format!("PCO data size: '{}'", held.len()),
        format!("PCO data: '{}'", hex(held, " ")),
    ]
}

fn places() -> Vec<Step> {
    vec![
        query("--ms-query-location-info-status", |seen| {
            let cell = &seen.profile.holdings.cells.lte;
            vec![
                "Successfully queried location info status".into(),
                "Location area code: FFFFFFFF".into(),
                format!("Tracking area code: {:06X}", cell.tac),
                format!("Cell ID: {:08X}", cell.cell_id),
            ]
        }),
        query("--ms-query-base-stations-info", |seen| {
            let mut lines = vec!["System type: 5g-nsa".into()];
            lines.extend(cells(seen));
            lines.extend(["Serving NR cells: n/a", "Neighboring NR cells: n/a"].map(String::from));
            lines
        }),
        query("--ms-query-base-stations-info", |seen| {
            let mut lines = vec!["System type: 5g".into(), "System subtype: 5g-endc".into()];
            lines.extend(cells(seen));
            let (nr, nearby) = (&seen.profile.holdings.cells.nr, &seen.profile.holdings.cells.nr_nearby);
            // 1.28 counts RSRQ and SINR in whole dB, where 3GPP TS 38.133 counts in halves.
            lines.extend([
                "Serving NR cells: 1".into(),
                "Serving cell [1]:".into(),
                format!("Provider id: {}", nr.provider_id),
                format!("NCI: {}", nr.nci),
                format!("Physical cell id: {}", nr.physical_cell_id),
                format!("NRARFCN: {}", nr.nrarfcn),
                format!("TAC: {}", nr.tac),
                format!("RSRP: {} dBm", nr.rsrp.cast_signed() - 156),
                format!("RSRQ: {} dB", nr.rsrq.cast_signed() - 43),
                format!("SINR: {} dB", nr.sinr.cast_signed() - 23),
                format!("Timing advance: {} us", nr.timing_advance),
            ]);
            lines.push(format!("Neighboring NR cells: {}", nearby.len()));
            for (place, cell) in nearby.iter().enumerate() {
                lines.extend([
                    format!("Neighboring cell [{}]:", place + 1),
                    format!("System subtype: {}", cell.system_sub_type),
                    format!("Provider id: {}", cell.provider_id),
                    format!("Cell id: {}", cell.cell_id),
                    format!("Physical cell id: {}", cell.physical_cell_id),
                    format!("TAC: {}", cell.tac),
                    format!("RSRP: {} dBm", cell.rsrp.cast_signed() - 156),
                    format!("RSRQ: {} dB", cell.rsrq.cast_signed() - 43),
                    format!("SINR: {} dB", cell.sinr.cast_signed() - 23),
                ]);
            }
            lines
        })
        .v3(),
        query("--ms-query-nitz", |seen| {
            let time = seen.profile.holdings.cells.time.clone().unwrap_or_default();
            // 1.28 prints the offset without its sign.
            vec![
                "Successfully queried NITZ info from modem:".into(),
                format!("Date: {:02}/{:02}/{:04}", time.day, time.month, time.year),
                format!("Time: {:02}:{:02}:{:02}", time.hour, time.minute, time.second),
                format!("Time zone offset minutes: {}", time.time_zone_offset_minutes),
                format!("Daylight saving time offset minutes: {}", time.daylight_saving_time_offset_minutes),
                format!("Data class: {}", time.data_class),
            ]
        }),
    ]
}

fn cells(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.cells;
    let mut lines = vec!["GSM serving cell: n/a".into(), format!("Neighboring GSM cells: {}", held.gsm_nearby.len())];
    for (place, cell) in held.gsm_nearby.iter().enumerate() {
        lines.extend([
            format!("Neighboring cell [{}]:", place + 1),
            format!("Provider id: {}", cell.provider_id),
            format!("LAC: {}", cell.location_area_code),
            format!("Cell ID: {}", cell.cell_id),
            format!("ARFCN: {}", cell.arfcn),
            format!("Base station ID: {}", cell.base_station_id),
            format!("Rx level: {} dBm", cell.rx_level.cast_signed() - 110),
        ]);
    }
    lines.extend(["UMTS serving cell: n/a".into(), format!("Neighboring UMTS cells: {}", held.umts_nearby.len())]);
    for (place, cell) in held.umts_nearby.iter().enumerate() {
        lines.extend([
            format!("Neighboring cell [{}]:", place + 1),
            format!("Provider id: {}", cell.provider_id),
            format!("LAC: {}", cell.location_area_code),
            format!("Cell id: {}", cell.cell_id),
            format!("UARFCN: {}", cell.uarfcn),
            format!("Primary Scrambling Code: {}", cell.primary_scrambling_code),
            format!("RSCP: {} dBm", cell.rscp),
            format!("ECNO: {} dBm", cell.ecno),
            format!("Path loss: {}", cell.path_loss),
        ]);
    }
    let serving = &held.lte;
    lines.extend([
        "TDSCDMA serving cell: n/a".into(),
        "Neighboring TDSCDMA cells: n/a".into(),
        "LTE Serving cell:".into(),
        format!("Provider id: {}", serving.provider_id),
        format!("Cell id: {}", serving.cell_id),
        format!("EARFCN: {}", serving.earfcn),
        format!("Physical cell id: {}", serving.physical_cell_id),
        format!("TAC: {}", serving.tac),
        format!("RSRP: {} dBm", serving.rsrp),
        format!("RSRQ: {} dBm", serving.rsrq),
        format!("Timing advance: {}", serving.timing_advance),
        format!("Neighboring LTE cells: {}", held.lte_nearby.len()),
    ]);
    for (place, cell) in held.lte_nearby.iter().enumerate() {
        lines.extend([
            format!("Neighboring cell [{}]:", place + 1),
            format!("Provider id: {}", cell.provider_id),
            format!("Cell id: {}", cell.cell_id),
            format!("EARFCN: {}", cell.earfcn),
            format!("Physical cell id: {}", cell.physical_cell_id),
            format!("TAC: {}", cell.tac),
            format!("RSRP: {} dBm", cell.rsrp),
            format!("RSRQ: {} dBm", cell.rsrq),
        ]);
    }
    lines.push("CDMA cells: n/a".into());
    lines
}

fn standalone() -> Vec<Step> {
    vec![
        query("--ms-query-version=1.0,3.0", |_| version("3")),
        query("--ms-query-version=1.0,2.0", |_| version("2")),
        query("--ms-query-registration-parameters", parameters).v3(),
        set(
            "--ms-set-registration-parameters=mico-mode=enabled,drx-cycle=128,ladn-info=not-needed,\
             default-pdu-activation-hint=unlikely,re-register-if-needed=no",
            |seen| {
                let held = &seen.profile.holdings.standalone.parameters;
                (held.mico_mode, held.drx_cycle, held.re_register_if_needed)
                    == (ext::MicoMode::ENABLED, ext::DrxCycle::CYCLE_128, false)
            },
            parameters,
        )
        .v3(),
        query("--ms-query-registration-parameters", parameters).v3(),
        query("--ms-query-modem-configuration", |seen| {
            let held = &seen.profile.holdings.standalone.configuration;
            vec![
                "Modem configuration retrieved:".into(),
                format!("Status: '{}'", held.configuration_status),
                format!("Name: '{}'", held.configuration_name),
            ]
        })
        .v3(),
        query("--ms-query-wake-reason", |seen| {
            let held = &seen.profile.holdings.standalone.wake;
            let data = &held.wake_tlv[0].data;
            vec![
                "Successfully queried wake reason".into(),
                format!("Wake type: '{}'", held.wake_type),
                format!("Session ID: '{}'", held.session_id),
                "Service: 'a289cc33-bcbb-8b4f-b6b0-133ec2aae6df'".into(),
                format!("CID: '0x{:02x}{:02x}{:02x}{:02x}'", data[19], data[18], data[17], data[16]),
                format!("Payload: '{}'", hex(&data[28..], ":")),
            ]
        })
        .v3(),
    ]
}

fn version(release: &str) -> Vec<String> {
    vec![
        "Successfully exchanged version information".into(),
        "MBIM version : 1.00".into(),
        format!("MBIM extended version : {release}.00"),
    ]
}

fn parameters(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.standalone.parameters;
    let cycle = held.drx_cycle.to_string();
    vec![
        "Successfully received registration parameters information".into(),
        format!("MICO mode: {}", held.mico_mode),
        format!("DRX cycle: {}", cycle.strip_prefix("cycle-").unwrap_or(&cycle)),
        format!("LADN information: {}", held.ladn_info),
        format!("Default PDU activation: {}", held.default_pdu_activation_hint),
        format!("Re-register if needed: {}", if held.re_register_if_needed { "yes" } else { "no" }),
    ]
}

fn board() -> Vec<Step> {
    vec![
        query("--ms-query-sar-config", sar),
        set(
            "--ms-set-sar-config=os,enabled,[{0,7},{1,3}]",
            |seen| {
                let states = &seen.profile.holdings.antennas.config.config_states;
                states.iter().map(|state| (state.antenna_index, state.backoff_index)).eq([(0, 7), (1, 3)])
            },
            sar,
        ),
        query("--ms-query-sar-config", sar),
        set(
            "--ms-set-sar-config=device,disabled,[{all,1}]",
            |seen| seen.profile.holdings.antennas.config.config_states.iter().all(|state| state.backoff_index == 1),
            sar,
        ),
        query("--ms-query-transmission-status", transmission),
        set(
            "--ms-set-transmission-status=enabled,4",
            |seen| seen.profile.holdings.antennas.transmission.hysteresis_timer == 4,
            transmission,
        ),
        query("--ms-query-transmission-status", transmission),
        query("--ms-query-firmware-id", |seen| {
            vec![format!("Firmware ID retrieved: '{}'", seen.profile.holdings.board.firmware_id)]
        }),
        set(
            "--ms-notify-host-shutdown",
            |seen| seen.profile.holdings.board.shutdown == Shutdown::Now,
            |_| vec!["Successfully notified that host is shutting down".into()],
        ),
    ]
}

fn sar(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.antennas.config;
    let mut lines = vec![
        "SAR config:".into(),
        format!("Mode: {}", held.mode),
        format!("Backoff state: {}", held.backoff_state),
        format!("Wi-Fi hardware state: {}", held.wifi_integration),
        format!("Config states: {}", held.config_states.len()),
    ];
    for (place, state) in held.config_states.iter().enumerate() {
        lines.push(format!("[{place}]"));
        lines.push(format!("Antenna index: {}", state.antenna_index));
        lines.push(format!("Backoff index: {}", state.backoff_index));
    }
    lines
}

fn transmission(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.antennas.transmission;
    vec![
        "Transmission status:".into(),
        format!("notification: {}", held.channel_notification),
        format!("status: {}", held.transmission_status),
        format!("hysteresis timer: ({})", held.hysteresis_timer),
    ]
}

//! Basic Connect.

use super::words::{flags, hex, length, text};
use super::{Seen, Step, query, set};
use crate::network::SessionSettings;
use crate::order::Order;
use crate::sim::Lock;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::{context_type, uuid_name};

pub(super) fn steps() -> Vec<Step> {
    [device(), pin(), network(), sessions(), stored(), hints()].concat()
}

fn device() -> Vec<Step> {
    vec![
        query("--query-device-caps", caps),
        query("--query-device-services", services),
        query("--query-subscriber-ready-status", ready),
        query("--query-subscriber-ready-status", |seen| {
            let mut lines = ready(seen);
            lines.push("Flags: 'sim-removability-known, sim-removable'".into());
            lines
        })
        .v3(),
        query("--query-radio-state", radio),
        set("--set-radio-state=off", |seen| !seen.state.software_radio, radio),
        set("--set-radio-state=on", |seen| seen.state.software_radio, radio),
        query("--query-packet-statistics", statistics).after(Order::Traffic {
            received_octets: 5_000_000_000,
            received_packets: 4_000_000,
            sent_octets: 300_000,
            sent_packets: 2000,
        }),
    ]
}

pub(super) fn caps(seen: Seen<'_>) -> Vec<String> {
    let profile = seen.profile;
    let sms = bc::SmsCaps::PDU_RECEIVE | bc::SmsCaps::PDU_SEND;
    vec![
        "Device capabilities retrieved:".into(),
        "Device type: 'embedded'".into(),
        "Cellular class: 'gsm'".into(),
        "Voice class: 'no-voice'".into(),
        "SIM class: 'removable'".into(),
        format!("Data class: '{}'", flags(profile.data_classes, bc::DataClass::NAMES, "none")),
        format!("SMS caps: '{}'", flags(sms.0, bc::SmsCaps::NAMES, "unknown")),
        "Ctrl caps: 'reg-manual, hw-radio-switch'".into(),
        format!("Max sessions: '{}'", profile.max_sessions),
        "Custom data class: 'unknown'".into(),
        format!("Device ID: '{}'", profile.device_id.reveal()),
        format!("Firmware info: '{}'", profile.firmware),
        format!("Hardware info: '{}'", profile.hardware),
    ]
}

/// Commands that 1.28 has no name for.
const NAMELESS: [(u32, &str); 3] =
    [(18, "ms-basic-connect-extensions"), (13, "ms-basic-connect-extensions"), (2, "ms-host-shutdown")];

fn services(seen: Seen<'_>) -> Vec<String> {
    let listed = &seen.state.services;
    let mut lines = vec![
        "Device services retrieved:".into(),
        format!("Max DSS sessions: '{}'", seen.profile.holdings.board.most_streams),
        format!("Services: ({})", listed.len()),
    ];
    for element in listed {
        let service = uuid_name(element.device_service_id).unwrap_or("unknown");
        lines.push(format!("Service: '{service}'"));
        lines.push(format!("UUID: [{}]:", element.device_service_id));
        lines.push(format!("DSS payload: {}", element.dss_payload));
        lines.push(format!("Max DSS instances: {}", element.max_dss_instances));
        let name = |cid: &u32| {
            let known = mbim_proto::registry::cid_name(element.device_service_id, *cid)
                .filter(|_| !NAMELESS.contains(&(*cid, service)))
                .map_or_else(|| "unknown".into(), |name| name.to_ascii_lowercase().replace('_', "-"));
            // Older papers name what these commands do first.
            let known = known.replace("access-binary", "read-binary").replace("access-record", "read-record");
            format!("{known} ({cid})")
        };
        let cids: Vec<String> = element.cids.iter().map(name).collect();
        lines.push(format!("CIDs: {}", cids.join(",\n")));
    }
    lines
}

fn ready(seen: Seen<'_>) -> Vec<String> {
    let sim = seen.card();
    let numbers: Vec<String> = sim.numbers.iter().map(|number| format!("'{}'", number.reveal())).collect();
    vec![
        "Subscriber ready status retrieved:".into(),
        "Ready state: 'initialized'".into(),
        format!("Subscriber ID: '{}'", sim.imsi.reveal()),
        format!("SIM ICCID: '{}'", sim.iccid.reveal()),
        "Ready info: 'none'".into(),
        format!("Telephone numbers: ({}) {}", numbers.len(), numbers.join(", ")),
    ]
}

fn radio(seen: Seen<'_>) -> Vec<String> {
    let word = |on: bool| if on { "on" } else { "off" };
    vec![
        "Radio state retrieved:".into(),
        format!("Hardware radio state: '{}'", word(seen.profile.hardware_radio)),
        format!("Software radio state: '{}'", word(seen.state.software_radio)),
    ]
}

fn statistics(seen: Seen<'_>) -> Vec<String> {
    let traffic = seen.state.traffic;
    vec![
        "Packet statistics:".into(),
        format!("Octets (in): '{}'", traffic.received_octets),
        format!("Packets (in): '{}'", traffic.received_packets),
        "Discards (in): '0'".into(),
        "Errors (in): '0'".into(),
        format!("Octets (out): '{}'", traffic.sent_octets),
        format!("Packets (out): '{}'", traffic.sent_packets),
        "Discards (out): '0'".into(),
        "Errors (out): '0'".into(),
    ]
}

/// The card's PIN is on from here to the end of this list; a restart of the card asks for it.
fn pin() -> Vec<Step> {
    let done =
        |_: Seen<'_>| ["PIN operation successful", "PIN info:", "PIN state: 'unlocked'"].map(String::from).to_vec();
    let open = |seen: Seen<'_>| seen.card().pin1.is_enabled() && seen.card().pin1.lock() == Lock::Open;
    let locked = |seen: Seen<'_>| seen.card().pin1.lock() == Lock::Pin;
    let reinsert = || Order::Slot(crate::sim::Slot::Card(Box::new(crate::sim::Sim::locked())));
    let blocked = || {
        let pin1 = crate::sim::Pin::enabled("1234", "12345678").with_attempts(0, 7);
        Order::Slot(crate::sim::Slot::Card(Box::new(crate::sim::Sim { pin1, ..crate::sim::Sim::default() })))
    };
    vec![
        query("--query-pin-list", pin_list),
        query("--query-pin-state", pin_state),
        set("--enable-pin=1234", open, done),
        query("--query-pin-list", pin_list),
        set("--change-pin=1234,4321", open, done),
        set("--change-pin=1234,5678", open, |_| vec!["error: operation failed: Failure".into()]).fails(),
        set("--disable-pin=4321", |seen| !seen.card().pin1.is_enabled(), done),
        set("--query-pin-state", locked, pin_state).after(reinsert()),
        set("--enter-pin=pin1,1111", locked, |_| vec!["error: operation failed: Failure".into()]).fails(),
        set("--query-pin-state", |seen| seen.card().pin1.attempts() == 2, pin_state),
        set("--enter-pin=1234", open, done),
        set("--query-pin-state", |seen| seen.card().pin1.attempts() == 7, pin_state).after(blocked()),
        set("--enter-puk=12345678,2468", open, done),
        set("--disable-pin=pin1,2468", |seen| !seen.card().pin1.is_enabled(), done),
        query("--enter-pin=network-pin,1234", |_| vec!["error: operation failed: NoDeviceSupport".into()]).fails(),
    ]
}

fn pin_list(seen: Seen<'_>) -> Vec<String> {
    let mode = if seen.card().pin1.is_enabled() { "enabled" } else { "disabled" };
    let mut lines = vec!["PIN list:".into()];
    let mut lock = |name: &str, mode: &str, format: &str, least: u32, most: u32| {
        lines.push(format!("{name}:"));
        lines.push(format!("Mode: '{mode}'"));
        lines.push(format!("Format: '{format}'"));
        lines.push(format!("Min length: '{}'", length(least)));
        lines.push(format!("Max length: '{}'", length(most)));
    };
    lock("PIN1", mode, "numeric", 4, 8);
    for name in [
        "PIN2",
        "Device SIM PIN",
        "Device first SIM PIN",
        "Network PIN",
        "Network subset PIN",
        "Service provider PIN",
        "Corporate PIN",
        "Subsidy lock",
        "Custom",
    ] {
        lock(name, "not-supported", "unknown", u32::MAX, u32::MAX);
    }
    lines
}

fn pin_state(seen: Seen<'_>) -> Vec<String> {
    let pin = &seen.card().pin1;
    let due = match pin.lock() {
        Lock::Open => return ["PIN info:", "PIN state: 'unlocked'"].map(String::from).to_vec(),
        Lock::Pin => "pin1",
        Lock::Puk | Lock::Dead => "puk1",
    };
    vec![
        "PIN info:".into(),
        "PIN state: 'locked'".into(),
        format!("PIN type: '{due}'"),
        format!("Remaining attempts: '{}'", pin.attempts()),
    ]
}

/// 1.28 has no words for these flags.
const FREQUENCY_RANGE: &str = "Frequency range: '1'";

fn network() -> Vec<Step> {
    let attached = |seen: Seen<'_>| seen.state.packet_service_state == 2;
    vec![
        query("--query-home-provider", |seen| {
            let (sim, carrier) = (seen.card(), seen.carrier());
            let state = bc::ProviderState::HOME | bc::ProviderState::VISIBLE | bc::ProviderState::REGISTERED;
            let mut lines = vec!["Home provider:".into()];
            lines.extend(provider(&sim.home_id, &sim.home_name, state, carrier.rssi, 99));
            lines
        }),
        query("--query-preferred-providers", |seen| {
            let preferred = &seen.profile.holdings.preferred;
            let mut lines = vec![format!("Preferred providers ({}):", preferred.len())];
            for (place, held) in preferred.iter().enumerate() {
                lines.push(format!("Provider [{place}]:"));
                let (id, name) = (&held.provider_id, &held.provider_name);
                lines.extend(provider(id, name, held.provider_state, held.rssi, held.error_rate));
            }
            lines
        }),
        query("--query-visible-providers", |seen| {
            let carriers = &seen.profile.network.carriers;
            let mut lines = vec![format!("Visible providers ({}):", carriers.len())];
            for (place, carrier) in carriers.iter().enumerate() {
                lines.push(format!("Provider [{place}]:"));
                let state = bc::ProviderState::HOME | bc::ProviderState::VISIBLE | bc::ProviderState::REGISTERED;
                lines.extend(provider(&carrier.id, &carrier.name, state, carrier.rssi, 99));
            }
            lines
        }),
        query("--query-registration-state", registration),
        query("--query-registration-state", |seen| {
            let mut lines = registration(seen);
            lines.push(format!("Preferred data classes: '{}'", flags(seen.classes(), bc::DataClass::NAMES, "none")));
            lines
        })
        .v2(),
        set(
            "--register-automatic",
            |seen| seen.state.register_state == 3,
            |seen| {
                let mut lines = vec!["Successfully launched automatic registration".into()];
                lines.extend(registration(seen));
                lines
            },
        ),
        query("--query-packet-service-state", packet_service),
        query("--query-packet-service-state", |seen| {
            let mut lines = packet_service(seen);
            lines.push(FREQUENCY_RANGE.into());
            lines
        })
        .v2(),
        query("--query-packet-service-state", |seen| {
            let mut lines = packet_service(seen);
            lines[3] = "Available data classes: '5g'".into();
            lines.push(FREQUENCY_RANGE.into());
            lines.push("Data sub class: '5g-endc'".into());
            let (mcc, mnc) = seen.carrier().id.split_at(3);
            lines.push(format!("TAI PLMN MCC: '{mcc:0>3}'"));
            lines.push(format!("TAI PLMN MNC: '{mnc:0>3}'"));
            lines.push(format!("TAI TAC: '{}'", seen.profile.holdings.cells.lte.tac));
            lines
        })
        .v3(),
        set(
            "--detach-packet-service",
            |seen| seen.state.packet_service_state == 4,
            |seen| {
                let mut lines = vec!["Successfully detached from packet service".into()];
                lines.extend(packet_service(seen));
                lines
            },
        ),
        set("--attach-packet-service", attached, |seen| {
            let mut lines = vec!["Successfully attached to packet service".into()];
            lines.extend(packet_service(seen));
            lines
        }),
        query("--query-signal-state", signal),
        set(
            "--set-signal-state=signal-strength-interval=7,rssi-threshold=3,error-rate-threshold=1",
            |seen| {
                let signal = &seen.state.signal;
                (signal.signal_strength_interval, signal.rssi_threshold, signal.error_rate_threshold) == (7, 3, 1)
            },
            signal,
        ),
        query("--query-signal-state", signal),
        query("--query-signal-state", |seen| {
            let mut lines = signal(seen);
            lines[1] = "RSSI [0-31,99]: '99'".into();
            let rssi = seen.state.signal.rssi;
            lines.push("RSRP/SNR info: '5g-nsa'".into());
            lines.push(format!("RSRP: '{} dBm'", 2 * rssi.cast_signed() - 141));
            lines.push(format!("SNR: '{:.1} dB'", f64::from(2 * rssi + 27) / 2.0 - 23.5));
            lines.push("RSRP threshold: 'default'".into());
            lines.push("SNR threshold: 'default'".into());
            lines
        })
        .v2()
        .after(Order::Signal { rssi: 19, error_rate: 2 }),
    ]
}

fn provider(id: &str, name: &str, state: bc::ProviderState, rssi: u32, error_rate: u32) -> [String; 6] {
    [
        format!("Provider ID: '{id}'"),
        format!("Provider name: '{name}'"),
        format!("State: '{}'", flags(state.0, bc::ProviderState::NAMES, "unknown")),
        "Cellular class: 'gsm'".into(),
        format!("RSSI: '{rssi}'"),
        format!("Error rate: '{error_rate}'"),
    ]
}

fn registration(seen: Seen<'_>) -> Vec<String> {
    let carrier = seen.carrier();
    vec![
        "Registration status:".into(),
        "Network error: 'none'".into(),
        format!("Register state: '{}'", bc::RegisterState(seen.state.register_state)),
        "Register mode: 'automatic'".into(),
        format!("Available data classes: '{}'", flags(seen.classes(), bc::DataClass::NAMES, "none")),
        "Current cellular class: 'gsm'".into(),
        format!("Provider ID: '{}'", carrier.id),
        format!("Provider name: '{}'", carrier.name),
        format!("Roaming text: '{}'", text(&carrier.roaming_text)),
        "Registration flags: 'packet-service-automatic-attach'".into(),
    ]
}

fn packet_service(seen: Seen<'_>) -> Vec<String> {
    let state = bc::PacketServiceState(seen.state.packet_service_state);
    let attached = state == bc::PacketServiceState::ATTACHED;
    let (class, up, down) = if attached { ("5g-nsa", 50_000_000, 150_000_000) } else { ("unknown", 0, 0) };
    vec![
        "Packet service status:".into(),
        "Network error: 'none'".into(),
        format!("Packet service state: '{state}'"),
        format!("Available data classes: '{class}'"),
        format!("Uplink speed: '{up} bps'"),
        format!("Downlink speed: '{down} bps'"),
    ]
}

fn signal(seen: Seen<'_>) -> Vec<String> {
    let signal = &seen.state.signal;
    vec![
        "Signal state:".into(),
        format!("RSSI [0-31,99]: '{}'", signal.rssi),
        format!("Error rate [0-7,99]: '{}'", signal.error_rate),
        format!("Signal strength interval: '{}'", signal.signal_strength_interval),
        format!("RSSI threshold: '{}'", signal.rssi_threshold),
        format!("Error rate threshold: '{}'", signal.error_rate_threshold),
    ]
}

/// One session of control messages from the first to the last: closing would end the contexts.
fn sessions() -> Vec<Step> {
    let up = |seen: Seen<'_>| seen.state.sessions.iter().any(|(session, _)| *session == 1);
    let stream = |seen: Seen<'_>| {
        let board = &seen.profile.holdings.board;
        seen.state.streams == [(1, board.streams[0].service)]
    };
    vec![
        query("--query-connection-state", |_| connection(0, None)),
        query("--query-ip-configuration", |_| {
            vec!["error: couldn't get IP configuration response message: ContextNotActivated".into()]
        })
        .fails(),
        set(
            "--connect=session-id=1,access-string=internet,ip-type=ipv4v6,auth=chap,username=user,password=secret",
            up,
            |seen| {
                let mut lines = vec!["Successfully connected".into()];
                lines.extend(connection(1, session(seen, 1)));
                lines.extend(addresses(seen, 1));
                lines
            },
        )
        .with(&["--no-close"]),
        query("--query-connection-state=1", |seen| connection(1, session(seen, 1)))
            .with(&["--no-open=10", "--no-close"]),
        query("--query-ip-configuration=1", |seen| addresses(seen, 1)).with(&["--no-open=20", "--no-close"]),
        query("--ms-query-pco=1", |seen| super::extensions::pco(seen, 1)).with(&["--no-open=30", "--no-close"]),
        // Once the stream is open it asks for the addresses of the session of the same number.
        set("--dss-connect=0ebb1ceb-af2d-484d-8df3-53bc51fd162c,1", stream, |seen| {
            let mut lines = vec!["Successfully connected".into()];
            lines.extend(addresses(seen, 1));
            lines
        })
        .with(&["--no-open=40", "--no-close"]),
        set(
            "--dss-disconnect=0ebb1ceb-af2d-484d-8df3-53bc51fd162c,1",
            |seen| seen.state.streams.is_empty(),
            |_| vec!["Successfully disconnected".into()],
        )
        .with(&["--no-open=50", "--no-close"]),
        set(
            "--disconnect=1",
            |seen| seen.state.sessions.is_empty(),
            |_| {
                let mut lines = vec!["Successfully disconnected".into()];
                lines.extend(connection(1, None));
                lines
            },
        )
        .with(&["--no-open=60"]),
        set(
            "--connect=access-string=purchase,ip-type=ipv4,context-type=purchase",
            |seen| seen.profile.network.apns.iter().any(|rule| rule.apn == "purchase"),
            |seen| {
                let rule = seen.profile.network.apns.iter().find(|rule| rule.apn == "purchase");
                let settings =
                    rule.map(|rule| SessionSettings { apn: rule.apn.clone(), ip_type: 1, ip: rule.ip.clone() });
                let mut lines = vec!["Successfully connected".into()];
                let mut state = connection(0, settings.as_ref());
                state[5] = "Context type: 'purchase'".into();
                lines.extend(state);
                lines.extend(settings.iter().flat_map(address_lines));
                lines
            },
        ),
        query("--connect=access-string=nowhere,ip-type=ipv4", |_| {
            vec!["error: operation failed: InvalidAccessString".into()]
        })
        .fails(),
    ]
}

fn session(seen: Seen<'_>, number: u32) -> Option<&SessionSettings> {
    seen.state.sessions.iter().find(|(session, _)| *session == number).map(|(_, settings)| settings)
}

fn connection(number: u32, settings: Option<&SessionSettings>) -> Vec<String> {
    let ip_type = bc::ContextIpType(settings.map_or(0, |settings| settings.ip_type));
    let (state, kind) = if settings.is_some() { ("activated", "internet") } else { ("deactivated", "none") };
    vec![
        "Connection status:".into(),
        format!("Session ID: '{number}'"),
        format!("Activation state: '{state}'"),
        "Voice call state: 'none'".into(),
        format!("IP type: '{ip_type}'"),
        format!("Context type: '{kind}'"),
        "Network error: 'none'".into(),
    ]
}

fn addresses(seen: Seen<'_>, number: u32) -> Vec<String> {
    session(seen, number).map(address_lines).unwrap_or_default()
}

fn address_lines(settings: &SessionSettings) -> Vec<String> {
    let (v4, v6) = (settings.ip.v4.clone().unwrap_or_default(), settings.ip.v6.clone().unwrap_or_default());
    let mut lines = Vec::new();
    let v4 = Family {
        name: "IPv4",
        address: v4.address.map(|(address, prefix)| format!("{address}/{prefix}")),
        gateway: v4.gateway.map(|gateway| gateway.to_string()),
        dns: v4.dns.iter().map(ToString::to_string).collect(),
        mtu: v4.mtu,
    };
    let v6 = Family {
        name: "IPv6",
        address: v6.address.map(|(address, prefix)| format!("{address}/{prefix}")),
        gateway: v6.gateway.map(|gateway| gateway.to_string()),
        dns: v6.dns.iter().map(ToString::to_string).collect(),
        mtu: v6.mtu,
    };
    for family in [v4, v6] {
        let there = [
            ("address", family.address.is_some()),
            ("gateway", family.gateway.is_some()),
            ("dns", !family.dns.is_empty()),
            ("mtu", family.mtu.is_some()),
        ];
        let there: Vec<&str> = there.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
        let words = if there.is_empty() { "none".into() } else { there.join(", ") };
        lines.push(format!("{} configuration available: '{words}'", family.name));
        lines.extend(family.address.map(|address| format!("IP [0]: '{address}'")));
        lines.extend(family.gateway.map(|gateway| format!("Gateway: '{gateway}'")));
        lines.extend(family.dns.iter().enumerate().map(|(place, server)| format!("DNS [{place}]: '{server}'")));
        lines.extend(family.mtu.map(|mtu| format!("MTU: '{mtu}'")));
    }
    lines
}

struct Family {
    name: &'static str,
    address: Option<String>,
    gateway: Option<String>,
    dns: Vec<String>,
    mtu: Option<u32>,
}

fn stored() -> Vec<Step> {
    vec![
        query("--query-provisioned-contexts", provisioned),
        set(
            "--set-provisioned-contexts=context-id=3,context-type=purchase,access-string=purchase,auth=pap,\
             username=u,password=p,provider-id=00101",
            |seen| {
                let held = &seen.profile.holdings.contexts.numbered;
                held.iter().any(|held| (held.context_id, held.context_type) == (3, context_type::PURCHASE))
            },
            provisioned,
        ),
        query("--query-provisioned-contexts", provisioned),
        query("--query-ip-packet-filters", |seen| filters(seen, false)),
        set(
            "--set-ip-packet-filters=session-id=0,packet-filter=4500,packet-mask=ff00",
            |seen| seen.profile.holdings.filters[&0][0].packet_filter == [0x45, 0],
            |seen| filters(seen, false),
        ),
        set(
            "--set-ip-packet-filters=session-id=0,packet-filter=60000000,packet-mask=f0000000,filter-id=7",
            |seen| seen.profile.holdings.filters[&0][0].filter_id == 7,
            |seen| filters(seen, true),
        )
        .v3(),
        query("--query-ip-packet-filters=0", |seen| filters(seen, true)).v3(),
    ]
}

fn provisioned(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.contexts.numbered;
    let mut lines = vec![format!("Provisioned contexts ({}):", held.len())];
    for context in held {
        lines.extend([
            format!("Context ID {}:", context.context_id),
            format!("Context type: '{}'", uuid_name(context.context_type).unwrap_or("unknown")),
            format!("Access string: '{}'", context.access_string),
            format!("Username: '{}'", context.user_name.reveal()),
            format!("Password: '{}'", context.password.reveal()),
            format!("Compression: '{}'", context.compression),
            format!("Auth protocol: '{}'", context.auth_protocol),
        ]);
    }
    lines
}

fn filters(seen: Seen<'_>, numbered: bool) -> Vec<String> {
    let held = seen.profile.holdings.filters.get(&0).map(Vec::as_slice).unwrap_or_default();
    let mut lines = vec![format!("IP packet filters: ({})", held.len())];
    for (place, filter) in held.iter().enumerate() {
        lines.push(format!("Filter {place}:"));
        lines.push(format!("Filter size : {}", filter.packet_filter.len()));
        lines.push(format!("Packet filter : {}", hex(&filter.packet_filter, " ")));
        lines.push(format!("Packet mask : {}", hex(&filter.packet_mask, " ")));
        if numbered {
            lines.push(format!("Filter ID : {}", filter.filter_id));
        }
    }
    lines
}

fn hints() -> Vec<Step> {
    let hint = |seen: Seen<'_>| {
        let word = if seen.profile.holdings.idle_hint { "enabled" } else { "disabled" };
        vec![format!("Network idle hint state: '{word}'")]
    };
    let emergency =
        |seen: Seen<'_>| vec![format!("Emergency mode: '{}'", if seen.state.emergency { "on" } else { "off" })];
    vec![
        query("--query-network-idle-hint", hint),
        set("--set-network-idle-hint=enabled", |seen| seen.profile.holdings.idle_hint, hint),
        query("--query-network-idle-hint", hint),
        set("--set-network-idle-hint=disabled", |seen| !seen.profile.holdings.idle_hint, hint),
        query("--query-emergency-mode", emergency),
        set("--set-emergency-mode=on", |seen| seen.state.emergency, emergency),
        query("--query-emergency-mode", emergency),
        set("--set-emergency-mode=off", |seen| !seen.state.emergency, emergency),
        set(
            "--set-service-activation=504c414e2d303031",
            |seen| seen.state.subscription == crate::network::Subscription::Active,
            |seen| {
                let activations = &seen.profile.network.activations;
                let answer = activations.iter().find(|known| known.blob == b"PLAN-001").map(|known| &known.answer);
                vec![
                    "Service activation response received successfully:".into(),
                    "Network error: 'none'".into(),
                    format!("Data: '{}'", hex(answer.map(Vec::as_slice).unwrap_or_default(), ":")),
                ]
            },
        ),
        query("--set-service-activation=00", |_| vec!["error: operation failed: Failure".into()]).fails(),
    ]
}

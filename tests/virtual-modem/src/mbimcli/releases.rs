//! MBIMEx 2.0 and 3.0, the extensions of basic connect, UICC access, streams, directory, makers.

use super::library::{acts, array, element, fields, hex, no_elements, only};
use super::words::flags;
use super::{Seen, Step};
use crate::answer::{LTE_BANDS, NR_BANDS, WCDMA_BANDS, rsrp_and_snr};
use crate::card::{APPLICATIONS, ATR, Place, directory};
use crate::order::Order;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::context_type;
use mbim_proto::service::ms_basic_connect_ext as ext;

const BASIC: &str = "a289cc33-bcbb-8b4f-b6b0-133ec2aae6df";
const EXTENSIONS: &str = "3d01dcc5-fef5-4d05-0d3a-bef7058e9aaf";

pub(super) fn steps() -> Vec<Step> {
    [versions(), capabilities(), contexts(), indications(), places(), card(), others()].concat()
}

fn versions() -> Vec<Step> {
    vec![
        acts("--v2 version 0x0100 0x0200", |_| version(0x0200)),
        acts("--v3 version 0x0100 0x0300", |_| version(0x0300)),
        acts("--v3 registration-parameters", |seen| parameters("registration-parameters", seen)),
        acts("--v3 registration-parameters-set 1 4 0 1 0", |seen| parameters("registration-parameters-set", seen))
            .takes(|seen| {
                let held = &seen.profile.holdings.standalone.parameters;
                (held.mico_mode, held.drx_cycle, held.ladn_info, held.re_register_if_needed)
                    == (ext::MicoMode::ENABLED, ext::DrxCycle::CYCLE_128, ext::LadnInfo::NOT_NEEDED, false)
            }),
        acts("--v3 registration-parameters-set 1 77 0 1 0", |_| only("registration-parameters-set: InvalidParameters"))
            .fails(),
        acts("--v3 modem-configuration", |seen| {
            let held = &seen.profile.holdings.standalone.configuration;
            [
                fields("modem-configuration", &[("ConfigurationStatus", &held.configuration_status)]),
                element("ConfigurationName", &held.configuration_name),
                no_elements(),
            ]
            .concat()
        }),
        acts("--v3 wake-reason", |seen| {
            let held = &seen.profile.holdings.standalone.wake;
            let mut lines = fields("wake-reason", &[("WakeType", &held.wake_type), ("SessionId", &held.session_id)]);
            lines.extend(["WakeTlv = '{".into(), "tlv type = wake-command (0x0010)".into()]);
            lines.push(format!("tlv data = {}", hex(&held.wake_tlv[0].data).to_uppercase()));
            lines.push("}'".into());
            lines
        }),
    ]
}

fn version(extended: u32) -> Vec<String> {
    fields("version", &[("MbimVersion", &0x0100), ("MbimExtendedVersion", &extended)])
}

fn parameters(title: &str, seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.standalone.parameters;
    let cycle = held.drx_cycle.to_string();
    let listed = fields(
        title,
        &[
            ("MicoMode", &held.mico_mode),
            ("DrxCycle", &cycle.trim_start_matches("cycle-")),
            ("LadnInfo", &held.ladn_info),
            ("DefaultPduActivationHint", &held.default_pdu_activation_hint),
            ("ReRegisterIfNedeed", &held.re_register_if_needed),
        ],
    );
    [listed, no_elements()].concat()
}

fn capabilities() -> Vec<Step> {
    vec![
        acts("ext-device-caps", |seen| {
            let profile = seen.profile;
            let mut lines = caps(flags(profile.data_classes, bc::DataClass::NAMES, "none"), "SmsClass");
            lines.extend([
                "MaxSessions = '8'".into(),
                "CustomDataClass = '(null)'".into(),
                format!("DeviceId = '{}'", profile.device_id.reveal()),
                format!("FirmwareInfo = '{}'", profile.firmware),
                format!("HardwareInfo = '{}'", profile.hardware),
                "ExecutorIndex = '0'".into(),
            ]);
            lines
        }),
        acts("--v3 ext-device-caps", |seen| {
            let profile = seen.profile;
            let table = |name: &str, bands: &[u16]| {
                let bytes: Vec<u8> = bands.iter().flat_map(|band| band.to_le_bytes()).collect();
                let list = bands.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
                vec![
                    format!("{name} = '{{"),
                    "tlv type = uint16-tbl (0x000b)".into(),
                    format!("tlv data = {}", hex(&bytes).to_uppercase()),
                    format!("tlv uint16 array = [{list}]"),
                    "}'".into(),
                ]
            };
            let numbers = vec![
                "DataSubclass = '5g-endc'".into(),
                "MaxSessions = '8'".into(),
                "ExecutorIndex = '0'".into(),
                format!("WcdmaBandClass = '{WCDMA_BANDS}'"),
            ];
            [
                caps(flags(profile.data_classes, bc::DataClassV3::NAMES, "none"), "SimClass"),
                numbers,
                table("LteBandClass", &LTE_BANDS),
                table("NrBandClass", &NR_BANDS),
                element("CustomDataClass", ""),
                element("DeviceId", profile.device_id.reveal()),
                element("FirmwareInfo", &profile.firmware),
                element("HardwareInfo", &profile.hardware),
            ]
            .concat()
        }),
        acts("sys-caps + slot-info 0 + slot-mappings-set 0", |seen| {
            let imei = seen.profile.device_id.reveal();
            let slots = seen.profile.further_slots.len() + 1;
            let (one, modem): (&dyn core::fmt::Display, _) = (&1, &imei[..14]);
            [
                fields(
                    "sys-caps",
                    &[("NumberOfExecutors", one), ("NumberOfSlots", &slots), ("Concurrency", one), ("ModemId", &modem)],
                ),
                fields("slot-info", &[("SlotIndex", &0), ("State", &"state-active")]),
                fields("slot-mappings-set", &[("MapCount", one)]),
                array("SlotMap", &[vec![("Slot", "0".into())]]),
            ]
            .concat()
        }),
        acts("slot-info 5", |_| only("slot-info: InvalidParameters")).fails(),
        acts("slot-mappings-set 1", |_| only("slot-mappings-set: InvalidParameters")).fails(),
    ]
}

fn caps(classes: String, sim: &str) -> Vec<String> {
    fields(
        "ext-device-caps",
        &[
            ("DeviceType", &"embedded"),
            ("CellularClass", &"gsm"),
            ("VoiceClass", &"no-voice"),
            (sim, &"removable"),
            ("DataClass", &classes),
            ("SmsCaps", &"pdu-receive, pdu-send"),
            ("ControlCaps", &"reg-manual, hw-radio-switch"),
        ],
    )
}

fn contexts() -> Vec<Step> {
    vec![
        acts("connect 0 1 internet + pco 0 + connect 0 0 -", |seen| {
            [connected("connect"), pco(seen), disconnected("connect")].concat()
        }),
        acts("--v3 connect 0 1 internet + pco 0 + connect 0 0 -", |seen| {
            [third(connected("connect"), "internet"), pco(seen), third(disconnected("connect"), "")].concat()
        }),
        acts("connect 0 1 nowhere", |_| only("connect: InvalidAccessString")).fails(),
        acts("lte-attach-set 0", |seen| attach(seen, "lte-attach-set")).takes(|seen| {
            let held = &seen.profile.holdings.contexts.attach;
            held.iter().all(|context| context.access_string == "fast" && context.user_name.reveal() == "ann")
        }),
        acts("lte-attach-set 1", |seen| attach(seen, "lte-attach-set"))
            .takes(|seen| seen.profile.holdings.contexts.attach == seen.profile.holdings.contexts.attach_factory),
        acts("lte-attach-info", |seen| attached(seen, None)),
        acts("--v3 lte-attach-info", |seen| attached(seen, Some("none"))),
    ]
}

fn connected(title: &str) -> Vec<String> {
    connection(title, "activated", "ipv4", context_type::INTERNET)
}

fn disconnected(title: &str) -> Vec<String> {
    connection(title, "deactivated", "default", context_type::NONE)
}

fn connection(title: &str, state: &str, ip: &str, context: mbim_proto::Uuid) -> Vec<String> {
    let (state, ip): (&dyn core::fmt::Display, &dyn core::fmt::Display) = (&state, &ip);
    fields(
        title,
        &[
            ("SessionId", &0),
            ("ActivationState", state),
            ("VoiceCallState", &"none"),
            ("IpType", ip),
            ("ContextType", &context),
            ("NwError", &0),
        ],
    )
}

/// What 3.0 adds.
fn third(lines: Vec<String>, access: &str) -> Vec<String> {
    [lines, only("MediaPreference = '3gpp'"), element("AccessString", access), no_elements()].concat()
}

fn pco(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.contexts.pco;
    vec![
        "pco:".into(),
        "PcoValue = {".into(),
        "SessionId = '0'".into(),
        format!("PcoDataSize = '{}'", held.len()),
        "PcoDataType = 'complete'".into(),
        format!("PcoDataBuffer = '{}'", hex(held)),
        "}".into(),
    ]
}

fn login(context: &ext::LteAttachConfigurationEntry) -> Vec<(&'static str, String)> {
    vec![
        ("AccessString", context.access_string.clone()),
        ("UserName", context.user_name.reveal().clone()),
        ("Password", context.password.reveal().clone()),
        ("Compression", context.compression.to_string()),
        ("AuthProtocol", context.auth_protocol.to_string()),
    ]
}

fn attach(seen: Seen<'_>, title: &str) -> Vec<String> {
    let held = &seen.profile.holdings.contexts.attach;
    let entry = |context: &ext::LteAttachConfigurationEntry| {
        let mut entry = vec![
            ("IpType", context.ip_type.to_string()),
            ("Roaming", context.roaming.to_string()),
            ("Source", context.source.to_string()),
        ];
        entry.extend(login(context));
        entry
    };
    let entries: Vec<_> = held.iter().map(entry).collect();
    [fields(title, &[("ConfigurationCount", &held.len())]), array("Configurations", &entries)].concat()
}

fn attached(seen: Seen<'_>, error: Option<&str>) -> Vec<String> {
    let home = &seen.profile.holdings.contexts.attach[0];
    let mut lines = fields("lte-attach-info", &[("LteAttachState", &"attached")]);
    lines.extend(error.map(|error| format!("NwError = '{error}'")));
    lines.push(format!("IpType = '{}'", home.ip_type));
    lines.extend(login(home).iter().map(|(name, value)| format!("{name} = '{value}'")));
    lines
}

/// What the modem tells by itself, in the layouts of the release in force.
fn indications() -> Vec<Step> {
    vec![
        // One indication each: of two at once libmbim hands out the second one first.
        acts("listen", |_| registration("deregistered")).of(BASIC, "9").hears(Order::Coverage(false)),
        acts("--v3 listen", |seen| {
            let classes = flags(seen.classes(), bc::DataClass::NAMES, "none");
            let mut lines = registration("deregistered");
            lines.push(format!("PreferredDataClasses = '{classes}'"));
            lines
        })
        .of(BASIC, "9")
        .after(Order::Coverage(true))
        .hears(Order::Coverage(false)),
        acts("--v2 listen", |seen| {
            let signal = &seen.state.signal;
            let (rsrp, snr) = rsrp_and_snr(signal.rssi);
            let mut lines = fields(
                "indication",
                &[
                    ("Rssi", &99),
                    ("ErrorRate", &signal.error_rate),
                    ("SignalStrengthInterval", &signal.signal_strength_interval),
                    ("RssiThreshold", &signal.rssi_threshold),
                    ("ErrorRateThreshold", &signal.error_rate_threshold),
                ],
            );
            let level = vec![
                ("Rsrp", rsrp.to_string()),
                ("Snr", snr.to_string()),
                ("RsrpThreshold", "0".into()),
                ("SnrThreshold", "0".into()),
                ("SystemType", "5g-nsa".into()),
            ];
            lines.extend(array("RsrpSnr", &[level]));
            lines
        })
        .of(BASIC, "11")
        .after(Order::Coverage(true))
        .hears(Order::Signal { rssi: 20, error_rate: 0 }),
        acts("--v3 listen", |seen| {
            let mut lines = fields(
                "indication",
                &[
                    ("NwError", &11),
                    ("PacketServiceState", &"detached"),
                    ("HighestAvailableDataClass", &"(null)"),
                    ("UplinkSpeed", &0),
                    ("DownlinkSpeed", &0),
                    ("FrequencyRange", &"unknown"),
                    ("DataSubclass", &"none"),
                ],
            );
            lines.extend(["Tai = {", "PlmnMcc = '1'", "PlmnMnc = '1'"].map(String::from));
            lines.push(format!("Tac = '{}'", seen.profile.holdings.cells.lte.tac));
            lines.push("}".into());
            lines
        })
        .of(BASIC, "10")
        .hears(Order::Detach { cause: 11 }),
        acts("listen", |_| {
            let unknown = u32::MAX;
            fields(
                "indication",
                &[("LocationAreaCode", &unknown), ("TrackingAreaCode", &unknown), ("CellID", &unknown)],
            )
        })
        .of(EXTENSIONS, "12")
        .hears(Order::Coverage(false)),
    ]
}

fn registration(state: &str) -> Vec<String> {
    let (state, none): (&dyn core::fmt::Display, &dyn core::fmt::Display) = (&state, &"(null)");
    fields(
        "indication",
        &[
            ("NwError", &"none"),
            ("RegisterState", state),
            ("RegisterMode", &"automatic"),
            ("AvailableDataClasses", none),
            ("CurrentCellularClass", &"gsm"),
            ("ProviderId", none),
            ("ProviderName", none),
            ("RoamingText", none),
            ("RegistrationFlag", &"packet-service-automatic-attach"),
        ],
    )
}

fn places() -> Vec<Step> {
    vec![
        acts("location", |seen| {
            let cell = &seen.profile.holdings.cells.lte;
            fields(
                "location",
                &[("LocationAreaCode", &u32::MAX), ("TrackingAreaCode", &cell.tac), ("CellID", &cell.cell_id)],
            )
        })
        .after(Order::Coverage(true)),
        acts("base-stations 0", |seen| cells(seen, false)),
        acts("--v3 base-stations 0", |seen| cells(seen, true)),
    ]
}

/// The cell in use; those nearby are what `mbimcli` asks for.
fn cells(seen: Seen<'_>, third: bool) -> Vec<String> {
    let held = &seen.profile.holdings.cells;
    let lte = &held.lte;
    let kind =
        if third { vec!["SystemType = '5g'", "SystemSubType = '5g-endc'"] } else { vec!["SystemType = '5g-nsa'"] };
    let mut lines = only("base-stations:");
    lines.extend(kind.into_iter().map(str::to_owned));
    for none in ["Gsm", "Umts", "Tdscdma"] {
        lines.extend([format!("{none}ServingCell = {{"), "}".into()]);
    }
    lines.push("LteServingCell = {".into());
    lines.extend([
        format!("ProviderId = '{}'", lte.provider_id),
        format!("CellId = '{}'", lte.cell_id),
        format!("Earfcn = '{}'", lte.earfcn),
        format!("PhysicalCellId = '{}'", lte.physical_cell_id),
        format!("Tac = '{}'", lte.tac),
        format!("Rsrp = '{}'", lte.rsrp),
        format!("Rsrq = '{}'", lte.rsrq),
        format!("TimingAdvance = '{}'", lte.timing_advance),
        "}".into(),
    ]);
    for none in ["GsmNeighboringCells", "UmtsNeighboringCells", "TdscdmaNeighboringCells", "LteNeighboringCells"] {
        lines.extend(array(none, &[]));
    }
    lines.extend(array("CdmaCells", &[]));
    if third {
        let nr = &held.nr;
        let serving = vec![
            ("ProviderId", nr.provider_id.to_string()),
            ("Nci", nr.nci.to_string()),
            ("PhysicalCellID", nr.physical_cell_id.to_string()),
            ("Nrarfcn", nr.nrarfcn.to_string()),
            ("Tac", nr.tac.to_string()),
            ("Rsrp", nr.rsrp.to_string()),
            ("Rsrq", nr.rsrq.to_string()),
            ("Sinr", nr.sinr.to_string()),
            ("TimingAdvance", nr.timing_advance.to_string()),
        ];
        lines.extend(array("NrServingCells", &[serving]));
        lines.extend(array("NrNeighborCells", &[]));
    }
    lines
}

fn card() -> Vec<Step> {
    let usim = "uicc-open a0000000871002ff49ff0589 0 7 + uicc-apdu 1 00a40004023f00 + uicc-close 1 7";
    vec![
        acts("uicc-atr + uicc-applications + uicc-reset + uicc-capability", |_| {
            let listed: Vec<_> = APPLICATIONS
                .iter()
                .map(|(place, id, name)| {
                    vec![
                        ("ApplicationType", if *place == Place::Isim { "isim" } else { "usim" }.into()),
                        ("ApplicationId", hex(id)),
                        ("ApplicationName", (*name).into()),
                        ("PinKeyReferenceCount", "2".into()),
                        ("PinKeyReferences", "01:81".into()),
                    ]
                })
                .collect();
            [
                fields("uicc-atr", &[("atr", &hex(ATR))]),
                fields(
                    "uicc-applications",
                    &[
                        ("Version", &1),
                        ("ApplicationCount", &listed.len()),
                        ("ActiveApplicationIndex", &0),
                        ("ApplicationListSizeBytes", &104),
                    ],
                ),
                array("Applications", &listed),
                fields("uicc-reset", &[("PassThroughStatus", &"disabled")]),
                fields("uicc-capability", &[("TerminalCapabilityCount", &0)]),
                array("TerminalCapability", &[]),
            ]
            .concat()
        }),
        // Status is SW1 and SW2 in the order of the wire, which it reads as a number.
        acts(usim, |_| {
            let chosen = hex(&directory(Place::Usim));
            [
                fields("uicc-open", &[("Status", &0x90), ("Channel", &1), ("Response", &chosen)]),
                fields("uicc-apdu", &[("Status", &0x90), ("Response", &chosen)]),
                fields("uicc-close", &[("Status", &0x90)]),
            ]
            .concat()
        }),
        acts("uicc-close 3 0", |_| only("uicc-close: Unknown status 0x87430003")).fails(),
        acts("uicc-open a000 0 1", |_| only("uicc-open: Unknown status 0x87430002")).fails(),
    ]
}

fn others() -> Vec<Step> {
    let stream = "dss-connect 0ebb1ceb-af2d-484d-8df3-53bc51fd162c 1 1 + \
                  dss-connect 0ebb1ceb-af2d-484d-8df3-53bc51fd162c 1 0";
    vec![
        acts(stream, |_| vec!["dss-connect:".into(), "dss-connect:".into()]),
        acts("dss-connect 0ebb1ceb-af2d-484d-8df3-53bc51fd162d 1 1", |_| {
            only("dss-connect: InvalidDeviceServiceOperation")
        })
        .fails(),
        acts("phonebook-read", |seen| {
            let held = &seen.profile.holdings.phonebook.entries;
            let entry = |(place, (number, name)): (&u32, &(String, String))| {
                vec![("EntryIndex", place.to_string()), ("Number", number.clone()), ("Name", name.clone())]
            };
            let entries: Vec<_> = held.iter().map(entry).collect();
            [fields("phonebook-read", &[("EntryCount", &entries.len())]), array("Entries", &entries)].concat()
        }),
        acts("phonebook-write 9 +15550111 Eve", |_| only("phonebook-write:"))
            .takes(|seen| seen.profile.holdings.phonebook.entries.get(&9) == Some(&("+15550111".into(), "Eve".into()))),
        acts("phonebook-configuration", |seen| {
            let held = &seen.profile.holdings.phonebook;
            fields(
                "phonebook-configuration",
                &[
                    ("State", &"initialized"),
                    ("NumberOfEntries", &held.places),
                    ("UsedEntries", &held.entries.len()),
                    ("MaxNumberLength", &held.longest_number),
                    ("MaxName", &held.longest_name),
                ],
            )
        }),
        acts("phonebook-delete 9", |_| only("phonebook-delete:"))
            .takes(|seen| !seen.profile.holdings.phonebook.entries.contains_key(&9)),
        acts("atds-location", |seen| {
            let cell = &seen.profile.holdings.cells.lte;
            fields("atds-location", &[("Lac", &u32::MAX), ("Tac", &cell.tac), ("CellId", &cell.cell_id)])
        }),
        acts("rfim-set 1 + rfim-set 0", |seen| [carriers(seen), carriers(seen)].concat())
            .takes(|seen| !seen.profile.holdings.board.rfim_active),
    ]
}

fn carriers(seen: Seen<'_>) -> Vec<String> {
    let held = &seen.profile.holdings.board.rfim;
    let value = |carrier: &mbim_proto::service::intel::thermal_rf::IntelRfimFrequencyValue| {
        vec![
            ("ServingCellInfo", carrier.serving_cell_info.to_string()),
            ("CenterFrequency", carrier.center_frequency.to_string()),
            ("Bandwidth", carrier.bandwidth.to_string()),
            ("RSRP", carrier.rsrp.to_string()),
            ("RSRQ", carrier.rsrq.to_string()),
            ("SINR", carrier.sinr.to_string()),
            ("RSSI", carrier.rssi.to_string()),
            ("ConnectionStatus", carrier.connection_status.to_string()),
        ]
    };
    let values: Vec<_> = held.iter().map(value).collect();
    [fields("rfim-set", &[("RfimFrequencyValuesCount", &held.len())]), array("RfimFrequencyValues", &values)].concat()
}

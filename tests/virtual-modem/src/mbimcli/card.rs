//! Microsoft UICC low-level access, slots, and the capabilities that go with them.

use super::words::{flags, hex};
use super::{Seen, Step, query, set};
use crate::answer::{LTE_BANDS, NR_BANDS, WCDMA_BANDS};
use crate::card::{APPLICATIONS, ATR, File, Place, directory};
use mbim_proto::service::basic_connect as bc;

/// EF_GID1, EF_MSISDN and EF_IMSI of the USIM. The identifier is that of [`APPLICATIONS`].
const GROUP: u16 = 0x6f3e;
const NUMBERS: u16 = 0x6f40;

pub(super) fn steps() -> Vec<Step> {
    [slots(), files(), channels()].concat()
}

fn slots() -> Vec<Step> {
    vec![
        query("--ms-query-sys-caps", |seen| {
            let imei = seen.profile.device_id.reveal();
            vec![
                "Successfully queried sys caps".into(),
                "System capabilities retrieved:".into(),
                "Number of executors: '1'".into(),
                format!("Number of slots: '{}'", seen.profile.further_slots.len() + 1),
                "Concurrency: '1'".into(),
                format!("Modem ID: '{}'", &imei[..14]),
            ]
        }),
        query("--ms-query-device-caps", caps).v2(),
        query("--ms-query-device-caps", |seen| {
            let list = |bands: &[u16]| bands.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            let wcdma: Vec<u16> = (1..=31).filter(|band| WCDMA_BANDS >> (band - 1) & 1 == 1).collect();
            let mut lines = caps(seen);
            lines[9] = "Custom data class: ''".into();
            lines[5] = format!("Data class: '{}'", flags(seen.profile.data_classes, bc::DataClassV3::NAMES, "none"));
            lines.extend([
                "Data subclass: '5g-endc'".into(),
                format!("WCDMA band class: '{}'", list(&wcdma)),
                format!("LTE band class: '{}'", list(&LTE_BANDS)),
                format!("NR band class: '{}'", list(&NR_BANDS)),
            ]);
            lines
        })
        .v3(),
        query("--ms-query-device-slot-mappings", |_| {
            vec!["Slot mappings retrieved:".into(), "Executor '0': slot '0'".into()]
        }),
        query("--ms-set-device-slot-mappings=0", |_| {
            vec![
                "Asynchronously set device slot mappings".into(),
                "Updated slot mappings retrieved:".into(),
                "Executor '0': slot '0'".into(),
            ]
        }),
        query("--ms-query-slot-info-status=0", |_| {
            vec!["Slot info status retrieved:".into(), "Slot '0': 'state-active'".into()]
        }),
        query("--ms-query-slot-info-status=1", |_| vec!["error: operation failed: InvalidParameters".into()]).fails(),
    ]
}

fn caps(seen: Seen<'_>) -> Vec<String> {
    let mut lines = super::basic::caps(seen);
    lines.push("Executor Index: '0'".into());
    lines
}

fn held(seen: Seen<'_>, id: u16) -> File {
    seen.card().file(Place::Usim, id).unwrap_or_else(|| panic!("no file {id:04x}"))
}

fn files() -> Vec<Step> {
    vec![
        query("--ms-query-uicc-application-list", |_| {
            let mut lines = vec![format!("UICC applications: ({})", APPLICATIONS.len())];
            for (number, (place, id, name)) in APPLICATIONS.into_iter().enumerate() {
                let active = if number == 0 { " (active)" } else { "" };
                let kind = if place == Place::Usim { "usim" } else { "isim" };
                lines.extend([
                    format!("Application {number}:{active}"),
                    format!("Application type: {kind}"),
                    format!("Application ID: {}", hex(id, ":")),
                    format!("Application name: {name}"),
                    "PIN key reference count: 2".into(),
                    "PIN key references: 01:81".into(),
                ]);
            }
            lines
        }),
        query("--ms-query-uicc-file-status=application-id=A0000000871002FF49FF0589,file-path=7FFF6F3E", |seen| {
            let file = held(seen, GROUP);
            vec![
                "UICC file status retrieved:".into(),
                "Status word 1: 144".into(),
                "Status word 2: 0".into(),
                "Accessibility: shareable".into(),
                "Type: working-ef".into(),
                "Structure: transparent".into(),
                "Item count: 1".into(),
                format!("Item size: {}", file.content.len()),
                "Access conditions:".into(),
                "Read: pin1".into(),
                "Update: adm".into(),
                "Activate: adm".into(),
                "Deactivate: adm".into(),
            ]
        }),
        query(
            "--ms-query-uicc-read-binary=application-id=A0000000871002FF49FF0589,file-path=7FFF6F3E,read-offset=0,\
             read-size=0",
            |seen| read("binary", &held(seen, GROUP).content),
        ),
        query(
            "--ms-query-uicc-read-record=application-id=A0000000871002FF49FF0589,file-path=7FFF6F40,record-number=1",
            |seen| read("record", &held(seen, NUMBERS).content[..28]),
        ),
    ]
}

fn read(what: &str, data: &[u8]) -> Vec<String> {
    vec![
        format!("UICC file {what} read:"),
        "Status word 1: 144".into(),
        "Status word 2: 0".into(),
        format!("Data: {}", hex(data, ":")),
    ]
}

fn channels() -> Vec<Step> {
    vec![
        query("--ms-query-uicc-atr", |_| {
            vec!["Succesfully retrieved ATR info:".into(), format!("response: {}", hex(ATR, ":"))]
        }),
        query(
            "--ms-set-uicc-open-channel=application-id=A0000000871002FF49FF0589,selectp2arg=4,channel-group=1",
            |_| {
                vec![
                    "Succesfully retrieved open channel info:".into(),
                    "status: 144".into(),
                    "channel: 1".into(),
                    format!("response: {}", hex(&directory(Place::Usim), ":")),
                ]
            },
        ),
        query(
            "--ms-set-uicc-apdu=channel=1,secure-message=none,classbyte-type=inter-industry,command=00F2000000",
            |_| {
                vec![
                    "Succesfully retrieved UICC APDU response:".into(),
                    "status: 144".into(),
                    format!("response: {}", hex(&directory(Place::Usim), ":")),
                ]
            },
        ),
        query("--ms-set-uicc-close-channel=channel=1,channel-group=1", |_| {
            vec!["Succesfully retrieved close channel info:".into(), "status: 144".into()]
        }),
        query("--ms-set-uicc-close-channel=channel=1,channel-group=1", |_| {
            vec!["error: operation failed: Unknown status 0x87430003".into()]
        })
        .fails(),
        query("--ms-set-uicc-terminal-capability=terminal-capability=81020102", |_| {
            vec!["Succesfully set terminal capability info".into()]
        }),
        query("--ms-query-uicc-terminal-capability", |_| {
            vec![
                "Terminal capability: (1)".into(),
                "terminal capability count: 0".into(),
                "terminal capability size : 4".into(),
                "terminal capability : 81:02:01:02".into(),
            ]
        }),
        query("--ms-query-uicc-reset", |_| reset("disabled")),
        set("--ms-set-uicc-reset=enable", |seen| seen.state.ready_state == 0, |_| reset("enabled")),
        set("--ms-set-uicc-reset=disable", |seen| seen.state.ready_state == 1, |_| reset("disabled")),
    ]
}

fn reset(status: &str) -> Vec<String> {
    vec!["Succesfully retrieved reset info:".into(), format!("pass through action: {status}")]
}

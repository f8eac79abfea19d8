//! The directory, and the services of makers. Restarts come last.

use super::{Seen, Step, query, set};
use mbim_proto::service::intel::thermal_rf::IntelRfimFrequencyValue;

pub(super) fn steps() -> Vec<Step> {
    [directory(), makers(), restarts()].concat()
}

fn directory() -> Vec<Step> {
    let written = |_: Seen<'_>| vec!["Phonebook entry successfully written".into()];
    let deleted = |_: Seen<'_>| vec!["Phonebook entry/entries successfully deleted".into()];
    vec![
        query("--phonebook-query-configuration", |seen| {
            let held = &seen.profile.holdings.phonebook;
            vec![
                "Phonebook configuration retrieved...".into(),
                "Phonebook state: initialized".into(),
                format!("Number of entries: {}", held.places),
                format!("used entries: {}", held.entries.len()),
                format!("max number length: {}", held.longest_number),
                format!("max name : {}", held.longest_name),
            ]
        }),
        query("--phonebook-read-all", |seen| entries(seen, None)),
        query("--phonebook-read=3", |seen| entries(seen, Some(3))),
        query("--phonebook-read=9", |_| vec!["error: operation failed: InvalidMemoryIndex".into()]).fails(),
        set("--phonebook-write=Bob,+15550109", |seen| bob_is_at(seen, 2), written),
        set("--phonebook-write=Bob,+15550109,7", |seen| bob_is_at(seen, 7), written),
        query("--phonebook-read-all", |seen| entries(seen, None)),
        set("--phonebook-delete=7", |seen| seen.profile.holdings.phonebook.entries.len() == 3, deleted),
        set("--phonebook-delete-all", |seen| seen.profile.holdings.phonebook.entries.is_empty(), deleted),
        query("--phonebook-read-all", |seen| entries(seen, None)),
    ]
}

fn bob_is_at(seen: Seen<'_>, place: u32) -> bool {
    seen.profile.holdings.phonebook.entries.get(&place) == Some(&("+15550109".into(), "Bob".into()))
}

fn entries(seen: Seen<'_>, only: Option<u32>) -> Vec<String> {
    let held = &seen.profile.holdings.phonebook.entries;
    let wanted: Vec<_> = held.iter().filter(|(place, _)| only.is_none_or(|only| only == **place)).collect();
    let mut lines = vec![format!("Successfully read phonebook entries ({})", wanted.len())];
    for (place, (number, name)) in wanted {
        lines.push(format!("Entry index : {place}"));
        lines.push(format!("Number: {number}"));
        lines.push(format!("Name: {name}"));
    }
    lines
}

fn makers() -> Vec<Step> {
    vec![
        query("--atds-query-signal", |seen| {
            let rssi = seen.state.signal.rssi;
            let error = ["< 0.2%", "0.2% - 0.39%", "0.4% - 0.79%"][seen.state.signal.error_rate as usize];
            vec![
                "Signal info retrieved:".into(),
                format!("RSSI: {} dBm", 2 * rssi.cast_signed() - 113),
                format!("BER: {error}"),
                "RSCP: unknown".into(),
                "Ec/No: unknown".into(),
                "RSRQ: unknown".into(),
                format!("RSRP: {} dBm", 2 * rssi.cast_signed() - 141),
                format!("RSSNR: {} dB", rssi.cast_signed() - 10),
            ]
        }),
        query("--atds-query-location", |seen| {
            let cell = &seen.profile.holdings.cells.lte;
            vec![
                "Cell location retrieved:".into(),
                "LAC: ffffffff".into(),
                format!("TAC: {:04x}", cell.tac),
                format!("Cell ID: {:x}", cell.cell_id),
            ]
        }),
        query("--intel-query-rfim", |seen| {
            let held = &seen.profile.holdings.board.rfim;
            let mut lines = vec![format!("RFIM frequency values ({}):", held.len())];
            lines.extend(held.iter().enumerate().flat_map(|(place, value)| frequency(place, value)));
            lines
        }),
        set(
            "--intel-set-rfim=on",
            |seen| seen.profile.holdings.board.rfim_active,
            |_| vec!["Successfully requested modem to set RFIM state".into()],
        ),
        query("--quectel-query-radio-state", |seen| {
            let state = match (seen.profile.holdings.board.fcc_locked, seen.state.software_radio) {
                (true, _) => "fcc-locked",
                (false, true) => "on",
                (false, false) => "off",
            };
            vec![format!("Radio state retrieved: '{state}'")]
        }),
        set(
            "--quectel-set-radio-state=on",
            |seen| !seen.profile.holdings.board.fcc_locked,
            |_| vec!["Successfully requested to enable radio".into()],
        ),
    ]
}

fn frequency(place: usize, value: &IntelRfimFrequencyValue) -> [String; 9] {
    [
        format!("Element Number: {}", place + 1),
        format!("Serving cell info: {}", value.serving_cell_info),
        format!("Center frequency: {} Hz", value.center_frequency),
        format!("Bandwidth: {} Hz", value.bandwidth),
        format!("RSRP: {} dBm", value.rsrp.cast_signed() - 140),
        format!("RSRQ: {:.2} dB", f64::from(value.rsrq) / 2.0 - 19.5),
        format!("SINR: {:.21} dB", f64::from(value.sinr) / 2.0 - 23.0),
        format!("RSSI: {} dBm", 2 * value.rssi.cast_signed() - 113),
        format!("Connected: {}", if value.connection_status { "yes" } else { "no" }),
    ]
}

/// The program would wait for the answer to its CLOSE, which the new start forgets.
fn restarts() -> Vec<Step> {
    let requested = |_: Seen<'_>| vec!["Successfully requested modem to reboot for firmware update".into()];
    let reboot = |argument: &'static str| Step {
        restarts: true,
        ..set(argument, |seen| !seen.state.open, requested).with(&["--no-close"])
    };
    vec![reboot("--intel-modem-reboot"), reboot("--intel-modem-reboot=normal-mode,0").v2()]
}

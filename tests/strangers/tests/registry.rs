//! Every message of ours that libmbim knows, read by libmbim: its fields are ours, with our values.
//!
//! Where it reads something else than we wrote, `docs/libmbim.md` says who is right; a row there that is no longer needed
//! fails the test like a missing one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

#[path = "registry/compare.rs"]
mod compare;
#[allow(dead_code, clippy::all, clippy::pedantic, reason = "shared with the test that has Wireshark read them")]
#[path = "../../../mbim-proto/capture/tests/wireshark/messages.rs"]
mod messages;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use mbim_proto::MbimEx;

/// What libmbim prints of each message.
fn printed(messages: &[&[u8]], release: MbimEx) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let program = strangers::client(folder.path()).unwrap();
    let mut lines = String::new();
    for bytes in messages {
        let _ = write!(lines, "{} ", release.bcd() >> 8);
        bytes.iter().for_each(|byte| _ = write!(lines, "{byte:02x}"));
        lines.push('\n');
    }
    let mut child =
        Command::new(program).arg("print").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the client");
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the client read all: {:?}", output.status);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let parts: Vec<String> = text.split("\n.\n").map(str::to_owned).collect();
    assert_eq!(parts.len(), messages.len() + 1, "each message is printed");
    parts.into_iter().take(messages.len()).collect()
}

/// What `docs/libmbim.md` lists: body, field (`*` for the whole body).
fn listed() -> BTreeSet<(String, String)> {
    let page = include_str!("../../../docs/libmbim.md");
    let cells =
        |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect() };
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.flat_map(|row| {
        let fields: Vec<String> = row[2].split(',').map(|one| one.trim().trim_matches('`').to_owned()).collect();
        fields.into_iter().map(move |field| (row[1].clone(), field))
    })
    .collect()
}

#[test]
fn libmbim_reads_what_we_write() {
    if !strangers::is_the_one_compared().unwrap() {
        return;
    }
    let listed = listed();
    let (mut found, mut report, mut fields) = (BTreeSet::new(), String::new(), 0);
    for release in [MbimEx::V1, MbimEx::V2, MbimEx::V3] {
        let all = messages::all(release);
        let bytes: Vec<&[u8]> = all.iter().map(|made| &made.bytes[..]).collect();
        for (made, text) in all.iter().zip(printed(&bytes, release)) {
            let (equal, different) = compare::compare(made.row.body, made.operation.name(), &made.value, &text);
            fields += equal;
            for (field, what) in different {
                let body = made.row.body.to_owned();
                let operation = format!("{body} {}", made.operation.name());
                let later = format!("{body} {}.0", release.bcd() >> 8);
                let places = [&body, &operation, &later].into_iter().map(|body| (body.clone(), field.clone()));
                match places.clone().find(|place| listed.contains(place)) {
                    Some(place) => _ = found.insert(place),
                    None => {
                        if found.insert((operation.clone(), field.clone())) {
                            let _ = writeln!(report, "{operation} {field} ({release:?}): {what}");
                        }
                    }
                }
            }
        }
    }
    for (body, field) in listed.difference(&found) {
        let _ = writeln!(report, "docs/libmbim.md lists {body} {field}, on which both agree");
    }
    assert!(report.is_empty(), "{report}");
    assert!(fields > 5000, "only {fields} fields were compared");
}

/// That a difference is found: every message with another first byte of its body. Numbers without a name it prints as
/// nothing, so that some changes cannot be seen.
#[test]
fn what_libmbim_reads_otherwise_is_noticed() {
    if !strangers::is_the_one_compared().unwrap() {
        return;
    }
    let release = MbimEx::V3;
    let mut all = messages::all(release);
    all.retain(|made| made.bytes.len() > made.buffer_at);
    for made in &mut all {
        let first = made.buffer_at;
        made.bytes[first] ^= 1;
    }
    let bytes: Vec<&[u8]> = all.iter().map(|made| &made.bytes[..]).collect();
    let noticed = printed(&bytes, release)
        .iter()
        .zip(&all)
        .filter(|(text, made)| {
            let operation = made.operation.name();
            !compare::compare(made.row.body, operation, &made.value, text).1.is_empty()
        })
        .count();
    assert!(noticed * 3 > all.len() * 2, "{noticed} of {} were noticed", all.len());
}

//! Every message that we can say, read by Wireshark: its fields are ours, with our values.
//!
//! Which of its fields is which of ours follows from the names where they agree, from `wireshark/names.tsv` where they
//! do not. Where Wireshark reads something else than we wrote, `docs/wireshark.md` says who is right; a row there that
//! is no longer needed fails the test like a missing one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

#[path = "wireshark/compare.rs"]
mod compare;
#[path = "wireshark/dissect.rs"]
mod dissect;
#[path = "wireshark/messages.rs"]
mod messages;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mbim_proto::message::Content;
use mbim_proto::{MbimEx, Message, ProtocolError, Status};

use compare::{Names, compare};

/// What `docs/wireshark.md` lists: body, field (`*` for the whole body).
fn listed() -> BTreeSet<(String, String)> {
    let page = include_str!("../../../docs/wireshark.md");
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
fn wireshark_reads_what_we_write() {
    if !dissect::is_the_one_compared() {
        return;
    }
    let names = Names::parse(include_str!("wireshark/names.tsv"));
    let listed = listed();
    let mut found = BTreeSet::new();
    let mut report = String::new();
    let mut fields = 0;
    for release in MbimEx::ALL {
        let messages = messages::all(release);
        let seen = dissect::run(&messages, release);
        assert_eq!(seen.len(), messages.len(), "every message is a packet");
        for (message, packet) in messages.iter().zip(&seen) {
            let outcome = compare(message, packet, &names);
            fields += outcome.equal;
            for (field, what) in outcome.differences {
                let body = message.row.body.to_owned();
                let operation = format!("{body} {}", message.operation.name());
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
        let _ = writeln!(report, "docs/wireshark.md lists {body} {field}, on which both agree");
    }
    for unused in names.unused() {
        let _ = writeln!(report, "names.tsv: {unused} is not needed");
    }
    assert!(report.is_empty(), "{report}");
    assert!(fields > 8000, "only {fields} fields were compared");
}

/// That a difference is found: every message with a bit of its first field turned over.
#[test]
fn what_wireshark_reads_otherwise_is_noticed() {
    if !dissect::is_the_one_compared() {
        return;
    }
    let names = Names::parse(include_str!("wireshark/names.tsv"));
    let release = MbimEx::V3;
    let mut messages = messages::all(release);
    messages.retain(|made| made.row.since == release && made.bytes.len() > made.buffer_at);
    for made in &mut messages {
        let first = made.buffer_at;
        made.bytes[first] ^= 1;
    }
    assert!(messages.len() > 40, "only {} messages", messages.len());
    for (message, packet) in messages.iter().zip(dissect::run(&messages, release)) {
        let outcome = compare(message, &packet, &names);
        assert!(!outcome.differences.is_empty(), "{} {:?}: {packet:?}", message.row.body, message.value);
    }
}

/// Codes of answers and of protocol errors have the names that Wireshark prints, in our spelling.
#[test]
fn status_codes_have_the_names_that_wireshark_gives_them() {
    if !dissect::is_the_one_compared() {
        return;
    }
    let done = Status::NAMES.iter().map(|(number, name)| (Content::CloseDone(Status(*number)), *name));
    let errors =
        ProtocolError::NAMES.iter().map(|(number, name)| (Content::FunctionError(ProtocolError(*number)), *name));
    let all: Vec<(Content, &str)> = done.chain(errors).collect();
    let frames: Vec<Vec<u8>> = all.iter().map(|(content, _)| Message::new(1, content.clone()).encode()).collect();
    let printed = dissect::printed(&frames, &["status", "error_status_code"]);
    assert_eq!(printed.len(), all.len());
    for ((content, name), printed) in all.iter().zip(&printed) {
        let printed = printed.to_ascii_lowercase().replace([' ', '_'], "-");
        // It says whose some of them are where we do not; Google's it does not know.
        let bare = ["sms-", "uicc-", "error-"].into_iter().find_map(|whose| printed.strip_prefix(whose));
        let google = matches!(content, Content::CloseDone(Status(0x9100_0000..)));
        let want = if google { "unknown" } else { name };
        assert!(printed == want || bare == Some(want), "{content:?}: {printed}");
    }
}

/// Numbers have the names that Wireshark prints, but for those that `docs/wireshark.md` lists.
#[test]
fn numbers_have_the_names_that_wireshark_gives_them() {
    if !dissect::is_the_one_compared() {
        return;
    }
    let page = include_str!("../../../docs/wireshark.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter(|row| row.starts_with(|c: char| c.is_ascii_digit()));
    let listed: BTreeSet<(String, String)> = rows
        .map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>())
        .map(|cells| (cells[1].clone(), cells[2].clone()))
        .collect();
    let (mut found, mut report, mut equal) = (BTreeSet::new(), String::new(), 0);
    for release in MbimEx::ALL {
        let named = messages::named(release);
        let frames: Vec<(&[u8], usize)> = named.iter().map(|one| (&one.bytes[..], one.at)).collect();
        let letters = |text: &str| text.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "");
        for (one, printed) in named.iter().zip(dissect::printed_at(&frames, release)) {
            // Some it prints as numbers only, and what it does not know has no field.
            if printed.is_empty() || printed.chars().all(|c| c.is_ascii_hexdigit()) {
                continue;
            }
            if letters(&printed) == letters(one.name) {
                equal += 1;
            } else if found.insert((one.name.to_owned(), printed.clone()))
                && !listed.contains(&(one.name.to_owned(), printed.clone()))
            {
                let _ = writeln!(report, "| {} | `{}` | {printed} | |", one.number, one.name);
            }
        }
    }
    for (name, printed) in listed.difference(&found) {
        let _ = writeln!(report, "docs/wireshark.md lists {name} as {printed}, which is not printed");
    }
    assert!(report.is_empty(), "names that differ:\n{report}");
    assert!(equal > 300, "only {equal} names were compared");
}

//! The single-value tables: numbers, hardware ids, hand-over links. One test a table; each reports all failing rows.

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

mod support;

use daemon_operator::hwid::{self, Kind};
use daemon_operator::identity::{Esn, Gid, Iccid, Imei, Imsi, Meid, Min, Parsed, ef};
use daemon_operator::{CellClass, Identity, Parameters, Reported, hand_over};
use support::{Table, report};

#[test]
fn numbers_are_normalised() {
    let table = Table::parse(include_str!("samples/identity-vectors.csv"));
    let mut failures = Vec::new();
    for row in &table.rows {
        let input = table.get(row, "input");
        let (outcome, value) = match table.get(row, "kind") {
            "imsi" => told(Imsi::parse(input), |imsi| imsi.reveal().to_owned()),
            "iccid" => told(Iccid::parse(input), |iccid| iccid.reveal().to_owned()),
            "imei" => told(Imei::parse(input), |imei| imei.reveal().to_owned()),
            "meid" => told(Meid::parse(input), |meid| meid.reveal().to_owned()),
            "esn" => told(Esn::parse(input), |esn| esn.reveal().to_owned()),
            "min" => told(Min::parse(input), |min| min.reveal().to_owned()),
            "gid1" => told(Gid::parse(input), |gid| gid.as_str().to_owned()),
            "ef-imsi" => told(ef::imsi(&octets(input)), |imsi| imsi.reveal().to_owned()),
            "spn" => told(ef::spn(&octets(input)), |name| name),
            "ef-ad" => told(ef::ad(&octets(input)), |length| length.number().to_string()),
            other => (format!("kind {other} unknown to the test"), String::new()),
        };
        let (result, normalised) = (table.get(row, "result"), table.get(row, "normalised"));
        if (outcome.as_str(), value.as_str()) != (result, normalised) {
            failures.push(format!("line {}: {input}: expected {result} {normalised}, got {outcome} {value}", row.line));
        }
    }
    report("identity-vectors", table.rows.len(), &failures);
}

#[test]
fn hardware_ids_are_as_written() {
    let table = Table::parse(include_str!("samples/hwid-vectors.csv"));
    let mut failures = Vec::new();
    for row in &table.rows {
        let input = table.get(row, "input");
        let made = match table.get(row, "type") {
            "prefix" | "value" => one_hwid(input),
            "device-set" => device_set(input),
            "range-cover" => range_cover(input),
            other => format!("type {other} unknown to the test"),
        };
        let expected = table.get(row, "expected");
        if made != expected {
            failures.push(format!("line {}: {input}: expected {expected}, got {made}", row.line));
        }
    }
    report("hwid-vectors", table.rows.len(), &failures);
}

#[test]
fn links_are_built() {
    let table = Table::parse(include_str!("samples/url-vectors.csv"));
    let mut failures = Vec::new();
    for row in &table.rows {
        let value = |column| Some(table.get(row, column)).filter(|value| !value.is_empty()).map(str::to_owned);
        let parameters = Parameters { sub_id: value("sub_id"), dev_id: value("dev_id"), icc_id: value("icc_id") };
        let base = table.get(row, "base");
        let made = match hand_over(base, &parameters) {
            Ok(made) => made.reveal().to_owned(),
            Err(_) => "error".to_owned(),
        };
        let expected = table.get(row, "expected");
        if made != expected {
            failures.push(format!("line {}: {base}: expected {expected}, got {made}", row.line));
        }
    }
    report("url-vectors", table.rows.len(), &failures);
}

fn told<T>(parsed: Parsed<T>, text: impl FnOnce(T) -> String) -> (String, String) {
    let outcome = parsed.outcome().to_owned();
    (outcome, parsed.value().map(text).unwrap_or_default())
}

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// A hardware id by its way into a device set: whoever has the number answers to it.
fn one_hwid(input: &str) -> String {
    let (kind, text) = input.split_once(':').expect("kind and text");
    let (number, criterion) = match kind {
        "I" => (Reported { subscriber_id: &format!("{text:0<15}"), ..Reported::default() }.normalised(), "imsi"),
        "C" => (Reported { iccid: &format!("{text:0<19}"), ..Reported::default() }.normalised(), "iccid"),
        "P" => (Reported { provider_id: text, ..Reported::default() }.normalised(), "provider-id"),
        "N" => (Reported { provider_name: text, ..Reported::default() }.normalised(), "provider-name"),
        "S" => {
            let cell_class = CellClass::Cdma;
            (Reported { cell_class, provider_id: text, ..Reported::default() }.normalised(), "sid")
        }
        other => return format!("kind {other} unknown to the test"),
    };
    let set = hwid::device_set(&number);
    let places = if matches!(kind, "I" | "C") { text.len() } else { 0 };
    let found = set.iter().find(|entry| entry.criterion.as_str() == criterion && entry.hwid.places() == places);
    found.map_or("none".to_owned(), |entry| entry.hwid.as_str().to_owned())
}

trait Normalised {
    fn normalised(&self) -> Identity;
}

impl Normalised for Reported<'_> {
    fn normalised(&self) -> Identity {
        Identity::normalise(self).0
    }
}

fn device_set(input: &str) -> String {
    let mut reported = Reported::default();
    for part in input.split(';') {
        match part.split_once('=').expect("name and value") {
            ("imsi", value) => reported.subscriber_id = value,
            ("iccid", value) => reported.iccid = value,
            ("name", value) => reported.provider_name = value,
            ("pid", value) => reported.provider_id = value,
            (other, _) => return format!("part {other} unknown to the test"),
        }
    }
    let set = hwid::device_set(&reported.normalised());
    set.iter().map(|entry| entry.hwid.as_str()).collect::<Vec<_>>().join("|")
}

fn range_cover(input: &str) -> String {
    let (from, to) = input.split_once('-').expect("two ends");
    let kind = if from.len() > 15 { Kind::Iccid } else { Kind::Imsi };
    hwid::range(kind, from, to).map_or("error".to_owned(), |prefixes| prefixes.join("|"))
}

//! Every made-up SIM of `identities.csv` against the vendor database of the distribution and the test overlay.

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

mod support;

use daemon_operator::profile::PlanHint;
use daemon_operator::{CellClass, Choice, Identity, Layers, Match, Reported, SourceFile, Wishes};
use support::{Row, Table, report, vendor};

const OVERLAY: &[u8] = include_bytes!("samples/overlay.xml");

#[test]
fn every_row_chooses_what_it_should() {
    let table = Table::parse(include_str!("samples/identities.csv"));
    let Some(bytes) = vendor(&format!("{} rows", table.rows.len())) else { return };
    let vendor = [SourceFile { name: "serviceproviders.xml", bytes: &bytes }];
    let overlay = [SourceFile { name: "overlay.xml", bytes: OVERLAY }];
    let (plain, problems) = Layers::load(&vendor, &[]);
    for problem in &problems {
        println!("{problem}");
    }
    let (with_overlay, problems) = Layers::load(&vendor, &overlay);
    let of_overlay: Vec<_> = problems.iter().filter(|problem| problem.file == "overlay.xml").collect();
    assert!(of_overlay.is_empty(), "{of_overlay:?}");

    let mut failures = Vec::new();
    for row in &table.rows {
        let layers = if table.get(row, "dataset") == "VO" { &with_overlay } else { &plain };
        let choice = choose(layers, &table, row);
        let mut differences = Vec::new();
        for (column, got) in columns(&choice) {
            let expected = table.get(row, column);
            if got != expected {
                differences.push(format!("  {column}: expected {expected:?}, got {got:?}"));
            }
        }
        if !differences.is_empty() {
            failures.push(format!("{}:\n{}", table.get(row, "case_id"), differences.join("\n")));
        }
    }
    report("identities", table.rows.len(), &failures);
}

fn choose(layers: &Layers, table: &Table, row: &Row) -> Choice {
    let get = |column| table.get(row, column);
    let ehplmn: Vec<&str> = get("ehplmn").split('|').filter(|code| !code.is_empty()).collect();
    let (identity, _) = Identity::normalise(&Reported {
        cell_class: CellClass::parse(get("cell_class")).expect("a cell class"),
        subscriber_id: get("imsi"),
        iccid: get("iccid"),
        provider_id: get("provider_id"),
        sid: get("sid"),
        provider_name: get("provider_name"),
        spn: get("spn"),
        gid1: get("gid1"),
        mnc_length: get("efad_mnc_len").parse().ok(),
        ehplmn: &ehplmn,
        ..Reported::default()
    });
    let plan = PlanHint::parse(get("plan")).unwrap_or_default();
    layers.choose(&identity, &Wishes { plan, ..Wishes::default() })
}

fn columns(choice: &Choice) -> [(&'static str, String); 14] {
    let operator = choice.operator.as_ref();
    let of_operator = |get: fn(&daemon_operator::choose::Operator) -> String| operator.map(get).unwrap_or_default();
    let first = choice.candidates.first().expect("at least the network's default");
    let listed: Vec<&str> =
        choice.listed().iter().map(|candidate| candidate.apn.as_str()).filter(|apn| !apn.is_empty()).take(8).collect();
    [
        ("exp_mnc_len_source", choice.mnc_source.to_string()),
        ("exp_home_key", choice.key.map(|key| key.to_string()).unwrap_or_default()),
        ("exp_layer", operator.map_or("none", |operator| operator.layer.as_str()).to_owned()),
        ("exp_country", of_operator(|operator| operator.country.clone())),
        ("exp_operator", of_operator(|operator| operator.name.clone())),
        ("exp_rule", choice.rule_name()),
        ("exp_ambiguous", if choice.verdict == Match::Ambiguous { "yes" } else { "no" }.to_owned()),
        ("exp_record_count", choice.record_count.to_string()),
        ("exp_first_apn", first.apn.clone()),
        ("exp_first_user", first.user.clone()),
        ("exp_first_password", first.password.reveal().to_owned()),
        ("exp_first_auth", first.auth.map(|method| method.to_string()).unwrap_or_default()),
        ("exp_candidates", listed.join("|")),
        ("exp_url", of_operator(|operator| operator.account_url.clone().unwrap_or_default())),
    ]
}

/// OPER-030 and the size of OPER-031.
#[test]
fn the_whole_vendor_database_loads() {
    let Some(bytes) = vendor("the count of the vendor database") else { return };
    let (layers, problems) = Layers::load(&[SourceFile { name: "serviceproviders.xml", bytes: &bytes }], &[]);
    let counts = layers.vendor_counts();
    println!("{counts:?}");
    assert_eq!(
        (counts.countries, counts.providers, counts.apns, counts.network_ids, counts.sids),
        (154, 700, 1304, 984, 726)
    );
    assert!(counts.index_bytes < 256 << 10, "{} octets", counts.index_bytes);
    // One access point is an address; nothing else of the file is unusable or unknown.
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.iter().all(|line| line.contains("unusable value of apn")), "{told:#?}");
}

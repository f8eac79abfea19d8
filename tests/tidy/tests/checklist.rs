//! The checklists of docs/: every number once, every named test real, a reason for what has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::BTreeSet;

/// Checklists: what the numbers begin with, the last number, the file in docs/.
const LISTS: [(&str, usize, &str); 3] =
    [("MBIM", 160, "mbim-checklist.md"), ("OPER", 123, "oper-checklist.md"), ("PROV", 236, "prov-checklist.md")];

/// Names of all tests in the tree: functions under an attribute that makes them one, and cases of stories and portals.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in tidy::sources("") {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                names.insert(name);
                is_test = false;
            } else if let Some((_, rest)) = line.split_once("Case { name: \"") {
                names.extend(rest.split_once('"').map(|(name, _)| name.to_owned()));
            } else if !line.starts_with("#[") && !line.starts_with("//") {
                is_test = false;
            }
        }
    }
    names
}

#[test]
fn every_number_has_tests_that_exist_or_a_reason() {
    let known = tests();
    assert!(known.len() > 500, "only {} tests were found", known.len());
    let mut wrong = Vec::new();
    for (prefix, last, file) in LISTS {
        let text = std::fs::read_to_string(tidy::root().join("docs").join(file)).unwrap();
        wrong.extend(faults(&text, prefix, last, &known).into_iter().map(|fault| format!("{file}: {fault}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is wrong with one list of the numbers `PREFIX-001` to `last`.
fn faults(text: &str, prefix: &str, last: usize, known: &BTreeSet<String>) -> Vec<String> {
    let (with, without) = text.split_once("## Left out").expect("both tables");
    let start = format!("| {prefix}-");
    let rows = |table: &str| -> Vec<Vec<String>> {
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
        table.lines().filter(|line| line.starts_with(&start)).map(cells).collect()
    };
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for row in rows(with) {
        seen.push(row[1].clone());
        let named: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
        if named.is_empty() || row[2].is_empty() {
            wrong.push(format!("{} names no test", row[1]));
        }
        wrong.extend(
            named.into_iter().filter(|name| !known.contains(*name)).map(|n| format!("{}: no test {n}", row[1])),
        );
    }
    for row in rows(without) {
        seen.push(row[1].clone());
        if row[2].is_empty() || row[3].is_empty() {
            wrong.push(format!("{} is left out without a reason", row[1]));
        }
    }
    seen.sort();
    let all: Vec<String> = (1..=last).map(|number| format!("{prefix}-{number:03}")).collect();
    wrong.extend(all.iter().filter(|id| !seen.contains(id)).map(|id| format!("{id} is missing")));
    wrong.extend(seen.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| format!("{} stands twice", pair[0])));
    wrong.extend(seen.iter().filter(|id| !all.contains(id)).map(|id| format!("{id} is no number of the list")));
    wrong
}

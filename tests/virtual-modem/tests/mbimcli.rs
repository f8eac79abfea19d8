//! Debian's `mbimcli` on this modem through a pseudo-terminal: every query and set that it has an option for. What it
//! must print is in `virtual_modem::mbimcli`; the kernel lab runs the same table through the real driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is the report, in helpers too")]

#[path = "support/port.rs"]
mod port;

use std::collections::BTreeSet;
use std::process::Command;

use port::Port;
use virtual_modem::mbimcli::{Seen, options, table};

/// The help text; a host without the program is told which package has it.
fn help() -> String {
    let help = Command::new("mbimcli").arg("--help-all").output();
    let help = help.expect("mbimcli is missing: apt-get install libmbim-utils");
    String::from_utf8(help.stdout).unwrap()
}

/// Options that need more than a control port: they make and list kernel interfaces. The lab has those.
const KERNEL: [&str; 4] = ["--link-list", "--link-add", "--link-delete", "--link-delete-all"];

#[test]
fn every_option_for_a_query_or_a_set_is_in_the_table() {
    let help = help();
    let offered: BTreeSet<&str> = options(&help).into_iter().filter(|option| !KERNEL.contains(option)).collect();
    assert!(offered.len() > 80, "the help text was read: {offered:?}");
    let table = table();
    let tried: BTreeSet<&str> = table.iter().map(|step| step.option).collect();
    let missing: Vec<_> = offered.difference(&tried).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    // Another release of the program may have fewer options; ours may not name one that none has.
    let unknown: Vec<_> = tried.difference(&offered).collect();
    assert!(unknown.is_empty(), "not an option of this mbimcli: {unknown:?}");
}

#[test]
fn what_mbimcli_prints_is_what_the_modem_holds() {
    let mut port = Port::new();
    let mut wrong = Vec::new();
    for step in table() {
        let (success, output) = port.run(&["mbimcli", "-d"], &step);
        let state = port.modem.state();
        let seen = Seen { profile: port.modem.profile(), state: &state };
        wrong.extend(step.judge(success, &output, seen).err());
    }
    assert!(wrong.is_empty(), "{} steps:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

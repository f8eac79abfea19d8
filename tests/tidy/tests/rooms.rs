//! Who may depend on whom, and what the pure crates must not touch (ARCHITECTURE.md, "Rooms").
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Allowed edges between our packages: package → what it may use. Test crates may use anything.
const EDGES: &[(&str, &[&str])] = &[
    ("mbim-proto", &[]),
    ("mbim-capture", &["mbim-proto"]),
    ("daemon-operator", &[]),
    ("daemon-core", &["mbim-proto", "daemon-operator"]),
    ("daemon-provisioning", &["daemon-operator", "daemon-core"]),
    ("daemon-verify", &["daemon-provisioning"]),
    ("dbus-api", &[]),
    (
        "mbimd",
        &[
            "mbim-proto",
            "daemon-core",
            "daemon-operator",
            "daemon-provisioning",
            "daemon-verify",
            "dbus-api",
            "harness",
        ],
    ),
    (
        "mbimctl",
        &[
            "dbus-api",
            "mbim-proto",
            "mbim-capture",
            "daemon-core",
            "daemon-operator",
            "daemon-provisioning",
            "daemon-verify",
        ],
    ),
    ("virtual-modem", &["mbim-proto"]),
    ("virtual-operator", &[]),
    ("harness", &["virtual-modem", "virtual-operator"]),
    ("kernel-lab", &["dbus-api", "mbim-proto", "harness", "scenarios", "virtual-modem", "virtual-operator"]),
];

/// Crates without IO and clock.
const PURE: &[(&str, &str)] = &[
    ("mbim-proto", "mbim-proto/src/"),
    ("mbim-capture", "mbim-proto/capture/src/"),
    ("daemon-core", "daemon/core/src/"),
    ("daemon-operator", "daemon/operator/src/"),
    ("daemon-provisioning", "daemon/provisioning/src/"),
    ("daemon-verify", "daemon/verify/src/"),
];

/// Crates of others that do IO, run tasks or read clocks.
const IMPURE: &[&str] = &[
    "tokio",
    "zbus",
    "nusb",
    "hyper",
    "rustls",
    "socket2",
    "rustix",
    "nix",
    "libc",
    "tempfile",
    "getrandom",
    "rand",
    "uuid/v4",
];

fn dependencies(kind: Option<&str>) -> BTreeMap<String, BTreeSet<(String, bool)>> {
    let metadata = tidy::metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().expect("name").to_owned();
            let uses = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|d| d["kind"].as_str() == kind)
                .map(|d| (d["name"].as_str().expect("name").to_owned(), d["optional"].as_bool().unwrap_or(false)))
                .collect();
            (name, uses)
        })
        .collect()
}

#[test]
fn only_the_allowed_edges() {
    let all = dependencies(None);
    let ours: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for (package, allowed) in EDGES {
        let uses = all.get(*package).unwrap_or_else(|| panic!("package {package} is gone: mend this table"));
        for (used, optional) in uses {
            if !ours.contains(used.as_str()) {
                continue;
            }
            if !allowed.contains(&used.as_str()) {
                wrong.push(format!("{package} → {used}"));
            }
            if *package == "mbimd" && used == "harness" && !optional {
                wrong.push(format!("{package} → {used} outside the feature `demo`"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that ARCHITECTURE.md does not allow: {wrong:?}");
}

#[test]
fn pure_crates_use_no_crate_that_does_io() {
    let all = dependencies(None);
    for (package, _) in PURE {
        for (used, _) in &all[*package] {
            assert!(!IMPURE.contains(&used.as_str()), "{package} is pure and must not use {used}");
        }
    }
}

#[test]
fn pure_sources_touch_no_file_clock_or_thread() {
    let mut wrong = Vec::new();
    for (_, folder) in PURE {
        for (file, text) in tidy::sources(folder) {
            let code = tidy::code(&text);
            for forbidden in [
                "std::fs",
                "std::net",
                "std::env",
                "std::process",
                "std::thread",
                "::now(",
                "std::io::stdin",
                "HashMap",
                "HashSet",
            ] {
                if code.contains(forbidden) {
                    wrong.push(format!("{file}: {forbidden}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "pure crates take time, bytes and addresses as arguments, and iterate in a fixed order: {wrong:#?}"
    );
}

#[test]
fn a_packaged_build_holds_no_part_of_the_demo() {
    let out = Command::new(env!("CARGO"))
        .current_dir(tidy::root())
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            "mbimd",
            "--no-default-features",
            "--features",
            "usb",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .output()
        .expect("cargo tree");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8_lossy(&out.stdout);
    for part in ["harness ", "virtual-modem ", "virtual-operator ", "busd ", "rcgen "] {
        assert!(
            !tree.lines().any(|line| line.starts_with(part)),
            "without the feature `demo` mbimd must not use {part}"
        );
    }
    assert!(tree.contains("daemon-core "), "the tree was read");
}

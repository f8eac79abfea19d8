//! Rules that hold for every source file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

/// Files of declarations only, which may be longer.
const LONG: &[&str] = &["mbim-proto/src/service/"];

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = tidy::sources("")
        .into_iter()
        .filter(|(file, _)| !LONG.iter().any(|folder| file.starts_with(folder)))
        .filter_map(|(file, text)| {
            let lines = text.lines().count();
            (lines > 800).then(|| format!("{file}: {lines} lines"))
        })
        .collect();
    assert!(long.is_empty(), "split these: {long:#?}");
}

#[test]
fn every_crate_root_forbids_unsafe() {
    let mut wrong = Vec::new();
    for (file, text) in tidy::sources("") {
        let root = file.ends_with("src/lib.rs") || file.ends_with("src/main.rs");
        if root
            && !file.starts_with("daemon/src/")
            && !file.starts_with("tests/fuzz/")
            && !text.contains("#![forbid(unsafe_code)]")
        {
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "no #![forbid(unsafe_code)] in {wrong:?}");
}

#[test]
fn unsafe_stands_in_named_files_only() {
    const ALLOWED: &[&str] =
        &["daemon/src/transport/wdm.rs", "daemon/src/dataplane/tun.rs", "daemon/src/host/resident.rs"];
    for (file, text) in tidy::sources("daemon/src/") {
        let code = tidy::code(&text);
        let has = code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        assert!(!has || ALLOWED.contains(&file.as_str()), "{file} uses unsafe");
    }
}

#[test]
fn no_room_where_design_goes_to_hide() {
    for file in tidy::files() {
        let Some(stem) = file.strip_suffix(".rs").and_then(|path| path.rsplit('/').next()) else { continue };
        for vague in ["util", "utils", "common", "helper", "helpers", "misc", "manager"] {
            let interface = file.starts_with("daemon/src/dbus/") || file.starts_with("dbus-api/src/");
            assert!(stem != vague || (vague == "manager" && interface), "{file}: name it after what it does");
        }
    }
}

#[test]
fn no_stub_is_left() {
    // Spelt in two halves, so that this file does not find itself.
    let marks =
        [["to", "do!("].concat(), ["unimpl", "emented!("].concat(), ["FIX", "ME"].concat(), ["#[ign", "ore"].concat()];
    for (file, text) in tidy::sources("") {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{file} has {mark}");
        }
    }
}

#[test]
fn every_wire_declaration_names_its_clause() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (file, text) in tidy::sources("mbim-proto/src/service/") {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let word = line.trim_start();
            let head = word.strip_prefix("cid ").and_then(|rest| rest.split_whitespace().next());
            if !head.is_some_and(|n| n.chars().all(|c| c.is_ascii_digit())) {
                continue;
            }
            seen += 1;
            let docs = lines[..number]
                .iter()
                .rev()
                .take_while(|l| l.trim_start().starts_with("///") || l.trim_start().starts_with("#["));
            if !docs.clone().any(|l| l.contains("[MBIM") || l.contains("[MS")) {
                wrong.push(format!("{file}:{}: {}", number + 1, word));
            }
        }
    }
    assert!(seen >= 15, "the declarations were found: {seen}");
    assert!(wrong.is_empty(), "declarations without a clause: {wrong:#?}");
}

#[test]
fn nothing_speaks_of_where_it_was_made() {
    let marks = [["/work", "/"].concat(), ["/root", "/"].concat()];
    for file in tidy::files() {
        let Ok(text) = std::fs::read_to_string(tidy::root().join(&file)) else { continue };
        for mark in &marks {
            // A folder of that name inside of the tree is none of a machine's.
            let inside =
                |at: usize| text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
            let found = text.match_indices(mark.as_str()).any(|(at, _)| !inside(at));
            assert!(!found, "{file} names a path of one machine: {mark}");
        }
    }
}

//! What docs/user shows of `mbimctl` is what it prints: files of the page are written, commands run, their output compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a panic in a test is the report

use std::path::Path;
use std::process::Command;

/// Blocks of a page by their language, in order.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    page.split(start.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A command of the page, run in the folder of its files: what it prints.
fn run(folder: &Path, command: &str) -> String {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("mbimctl"), "{command}");
    let output = Command::new(env!("CARGO_BIN_EXE_mbimctl")).current_dir(folder).args(words).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn overlays_of_the_page_do_what_it_says() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/user/overlay.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for file in blocks(&page, "xml") {
        let name = file.strip_prefix("<!-- ").and_then(|rest| rest.split_once(" -->")).expect("its name in front").0;
        std::fs::write(folder.path().join(name), file).unwrap();
    }
    let mut commands = 0;
    for session in blocks(&page, "console") {
        for example in session.split("$ ").skip(1) {
            let (command, expected) = example.split_once('\n').unwrap();
            assert_eq!(run(folder.path(), command), expected, "{command}");
            commands += 1;
        }
    }
    assert_eq!(commands, 4, "commands of the page");
}

/// Every value of `criterion` that the other page explains is one that exists, and the other way round.
#[test]
fn reasons_of_the_page_are_those_of_the_program() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/user/apn.md")).unwrap();
    use daemon_operator::Rule;
    let rules = [
        Rule::Selector,
        Rule::SpnName,
        Rule::ProviderName,
        Rule::PlmnUnique,
        Rule::PlmnPrimary,
        Rule::PlmnShared,
        Rule::Sid,
        Rule::UserChoice,
    ];
    for rule in rules {
        assert!(page.contains(&format!("`{rule}`")), "{rule}");
    }
    for word in ["user-apn", "last-good", "service-metadata", "network-default", "provisioned-default-profile"] {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}

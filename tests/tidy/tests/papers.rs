//! The papers tell the truth about the tree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::BTreeSet;

fn read(file: &str) -> String {
    std::fs::read_to_string(tidy::root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[test]
fn architecture_names_every_folder_with_sources() {
    let text = read("ARCHITECTURE.md");
    let mut missing = BTreeSet::new();
    for file in tidy::files().iter().filter(|f| f.ends_with(".rs")) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut name = folder.rsplit('/').next().unwrap_or("");
        if matches!(name, "src" | "tests" | "benches") {
            name = folder.rsplit('/').nth(1).unwrap_or(name);
        }
        if !text.contains(name) {
            missing.insert(folder.to_owned());
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {missing:?}");
}

#[test]
fn readme_has_the_two_commands() {
    let text = read("README.md");
    assert!(text.contains("cargo run --release -p mbimd -- demo"));
    assert!(text.contains("tests/run"));
    assert!(read(".ci/run").contains("tests/run"));
}

#[test]
fn links_between_our_papers_lead_somewhere() {
    let mut broken = Vec::new();
    for file in tidy::files().into_iter().filter(|f| f.ends_with(".md") && !f.starts_with("tests/documents/")) {
        let text = read(&file);
        let folder = tidy::root().join(&file).parent().expect("a folder").to_path_buf();
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or("");
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || path.contains("://") || path.contains(' ') {
                continue;
            }
            if !folder.join(path).exists() {
                broken.push(format!("{file} → {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "broken links: {broken:#?}");
}

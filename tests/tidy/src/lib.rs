//! Reading the repository's own sources for the tests in `tests/`: which files there are, what Cargo says of them.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "test support: a panic is the report")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository's root")
}

/// All tracked and new files that Git does not ignore, relative to the root, with `/`.
#[must_use]
pub fn files() -> Vec<String> {
    let out = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git ls-files");
    assert!(out.status.success(), "git ls-files: {}", String::from_utf8_lossy(&out.stderr));
    let mut all: Vec<String> = String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect();
    all.retain(|file| root().join(file).is_file());
    all.sort();
    all.dedup();
    all
}

/// Rust sources below a folder, with their text.
#[must_use]
pub fn sources(under: &str) -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|file| file.starts_with(under) && file.ends_with(".rs"))
        .map(|file| {
            let text = std::fs::read_to_string(root().join(&file)).expect("readable source");
            (file, text)
        })
        .collect()
}

/// The code of a source without line comments, doc comments and what follows the first `#[cfg(test)]`.
#[must_use]
pub fn code(text: &str) -> String {
    text.lines()
        .take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"))
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split(" // ").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What `cargo metadata` says of the workspace.
#[must_use]
pub fn metadata() -> serde_json::Value {
    let out = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .expect("cargo metadata");
    assert!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON of cargo metadata")
}

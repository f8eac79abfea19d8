//! The walker against another validator: `xmllint --schema` with the schema documents that are
//! generated from the rule table, over all samples and over documents made from the table. Part
//! `provisioning` of `tests/run`, which installs `xmllint`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use daemon_provisioning::{Violation, generate, validate, xsd};

/// Documents in all, half of them with a fault.
const DOCUMENTS: u64 = 10_000;
/// Files that one process is given.
const BATCH: usize = 500;

/// Writes the schema documents; gives the one of the root.
fn schema(folder: &Path) -> PathBuf {
    for file in xsd() {
        std::fs::write(folder.join(&file.name), &file.text).unwrap();
    }
    folder.join("cc.xsd")
}

/// What `xmllint` says of each file: whether it is valid, and its complaints.
fn verdicts(schema: &Path, files: &[PathBuf]) -> BTreeMap<PathBuf, (bool, String)> {
    let mut all = BTreeMap::new();
    for batch in files.chunks(BATCH) {
        let output = Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(schema).args(batch).output();
        let output = output.unwrap_or_else(|error| panic!("xmllint (package libxml2-utils): {error}"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut complaints = String::new();
        for line in text.lines() {
            let verdict = line
                .strip_suffix(" validates")
                .map(|file| (file, true))
                .or_else(|| line.strip_suffix(" fails to validate").map(|file| (file, false)));
            match verdict {
                Some((file, valid)) => {
                    all.insert(PathBuf::from(file), (valid, std::mem::take(&mut complaints)));
                }
                None => {
                    complaints.push_str(line);
                    complaints.push('\n');
                }
            }
        }
        assert!(!text.contains("Schemas parser error"), "the generated schema is wrong: {text}");
    }
    all
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().map(|violation| format!("    {violation}\n")).collect()
}

#[test]
fn walker_and_xmllint_agree_on_generated_documents() {
    let seed = std::env::var("MBIMD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026_u64);
    println!("seed {seed} (MBIMD_SEED)");
    let folder = tempfile::tempdir().unwrap();
    let schema = schema(folder.path());
    let mut made = BTreeMap::new();
    for number in 0..DOCUMENTS {
        let document = generate::document(seed.wrapping_mul(1_000_003).wrapping_add(number), number % 2 == 1);
        let file = folder.path().join(format!("{number}.xml"));
        std::fs::write(&file, &document.xml).unwrap();
        made.insert(file, document);
    }
    let files: Vec<_> = made.keys().cloned().collect();
    let verdicts = verdicts(&schema, &files);
    let (mut differ, mut refused) = (Vec::new(), 0_u64);
    for (file, document) in &made {
        let (theirs, complaints) =
            verdicts.get(file).unwrap_or_else(|| panic!("xmllint says nothing of {}", document.xml));
        let ours = validate(document.xml.as_bytes());
        assert!(document.fault.is_some() || ours.is_ok(), "made to be valid: {ours:?}\n{}", document.xml);
        refused += u64::from(ours.is_err());
        if ours.is_ok() != *theirs {
            let ours = ours.as_ref().map_or_else(|invalid| lines(invalid.violations()), |_| "    valid\n".to_owned());
            differ
                .push(format!("fault {:?}\n  walker:\n{ours}  xmllint:\n{complaints}{}", document.fault, document.xml));
        }
    }
    if let Some(file) = std::env::var_os("MBIMD_DIFFERENCES") {
        std::fs::write(file, differ.join("\n\n")).unwrap();
    }
    let shown: String = differ.iter().take(5).map(|one| format!("{one}\n\n")).collect();
    assert!(differ.is_empty(), "{} of {DOCUMENTS} differ, seed {seed}:\n{shown}", differ.len());
    println!("{DOCUMENTS} documents, {refused} refused by both");
    // Nearly every fault is one; a generator that makes none would prove nothing.
    assert!(refused > DOCUMENTS * 4 / 10, "only {refused} were refused");
}

/// The samples, too. Those in a spelling of the prose are outside the schema by definition: the
/// walker takes them, with a warning.
#[test]
fn walker_and_xmllint_agree_on_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema(folder.path());
    let documents = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/documents");
    let mut files = Vec::new();
    for kind in ["valid", "one-fault", "signed"] {
        files.extend(std::fs::read_dir(documents.join(kind)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let verdicts = verdicts(&schema, &files);
    let mut seen = 0;
    for file in &files {
        let ours = validate(&std::fs::read(file).unwrap());
        let name = file.file_name().unwrap().to_string_lossy();
        let prose = ["17-", "18-", "19-"].iter().any(|number| name.starts_with(number));
        // What is not well-formed gets no verdict at all.
        let (theirs, complaints) = verdicts.get(file).cloned().unwrap_or_default();
        assert_eq!(theirs, ours.is_ok() && !prose, "{name}: {complaints}");
        seen += 1;
    }
    assert!(seen >= 35, "{seen} samples");
}

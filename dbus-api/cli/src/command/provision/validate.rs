//! `mbimctl provision validate`.

use std::path::Path;

use daemon_provisioning::{MAX_DOCUMENT, Violation, validate};
use serde_json::{Value, json};

use crate::command::read;
use crate::failure::Failure;
use crate::show::Output;

pub(super) fn run(file: &Path, output: Output) -> Result<(), Failure> {
    // One octet more than is allowed: the verdict on size is the library's.
    let bytes = read(file, MAX_DOCUMENT as u64 + 1)?;
    let name = file.display();
    match validate(&bytes) {
        Ok(document) => {
            for warning in document.warnings() {
                eprintln!("{name}:{warning} (warning)");
            }
            let warnings: Vec<Value> = document.warnings().iter().map(entry).collect();
            let json = json!({ "valid": true, "violations": [], "warnings": warnings, "signed": document.is_signed() });
            output.print(&json, || "valid".to_owned());
            Ok(())
        }
        Err(invalid) => {
            let violations: Vec<Value> = invalid.violations().iter().map(entry).collect();
            let json = json!({
                "valid": false,
                "violations": violations,
                "signed": invalid.is_signed(),
                "code": invalid.code().to_string(),
            });
            output.print(&json, || {
                invalid.violations().iter().map(|violation| format!("{name}:{violation}\n")).collect::<String>()
            });
            Err(Failure::told())
        }
    }
}

fn entry(violation: &Violation) -> Value {
    json!({ "line": violation.line, "column": violation.column, "path": violation.path, "rule": violation.rule })
}

//! Versions of the stored files. A change of the format adds one step here, from the version before to its own, and a
//! test with a file of the old version.

use serde_json::Value;

/// Version that is written.
pub(crate) const CURRENT: u64 = 1;

/// What became of a file's content.
#[derive(Debug, PartialEq)]
pub(crate) enum Upgraded {
    /// In the current format.
    Current(Value),
    /// Of a version that this program does not know yet.
    Newer,
    /// Without a version.
    Unknown,
}

/// Brings a content of any known version to the current one.
pub(crate) fn upgrade(value: Value) -> Upgraded {
    match value.get("version").and_then(Value::as_u64) {
        Some(CURRENT) => Upgraded::Current(value),
        Some(version) if version > CURRENT => Upgraded::Newer,
        _ => Upgraded::Unknown,
    }
}

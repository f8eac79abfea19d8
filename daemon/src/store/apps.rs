//! Which program on this machine speaks for which operator: one small file a program, written by the administrator or
//! the program's package. `[PROV 12.3]`

use std::path::Path;

use serde::Deserialize;

use super::atomic;

/// Largest file, octets.
const MAX_FILE: u64 = 64 * 1024;
/// Most files.
const MAX_FILES: usize = 256;

/// One binding: programs that run as this user speak for this operator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Binding {
    /// The operator's CarrierId, with or without braces.
    carrier_id: String,
    /// Uid of the program.
    uid: Option<u32>,
    /// Systemd unit of the program. Not looked at yet: a binding by unit alone binds nobody.
    unit: Option<String>,
}

/// CarrierIds of the operators that a user's programs speak for, in the order of the files' names. A broken file binds
/// nobody and is logged.
pub(crate) fn carriers_of(folder: &Path, uid: u32) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .take(MAX_FILES)
        .collect();
    files.sort();
    let mut carriers = Vec::new();
    for file in files {
        let read = atomic::read(&file, MAX_FILE).map_err(|error| error.to_string());
        let parsed = read.and_then(|bytes| toml::from_slice::<Binding>(&bytes).map_err(|error| error.to_string()));
        match parsed {
            Ok(binding) if binding.uid == Some(uid) => carriers.push(binding.carrier_id),
            Ok(Binding { uid: None, unit, .. }) => {
                tracing::warn!(file = %file.display(), ?unit, "a binding without uid binds nobody yet");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(file = %file.display(), error, "a binding cannot be read"),
        }
    }
    carriers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_files_bind() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("b.toml", "carrier-id = '{B}'\nuid = 1000\n");
        write("a.toml", "carrier-id = '{A}'\nuid = 1000\n");
        write("c.toml", "carrier-id = '{C}'\nunit = 'c.service'\n");
        write("d.toml", "carrier-id = '{D}'\nuid = 1000\ncolour = 'red'\n");
        write("e.toml", "uid = 1000\n");
        write("f.txt", "carrier-id = '{F}'\nuid = 1000\n");
        assert_eq!(carriers_of(folder.path(), 1000), ["{A}", "{B}"]);
        assert!(carriers_of(folder.path(), 0).is_empty());
        assert!(carriers_of(&folder.path().join("absent"), 0).is_empty());
    }
}

//! Which program on this machine speaks for which operator: one small file a program, written by the administrator or
//! the program's package. `[PROV 12.3]`

use std::path::Path;

use serde::Deserialize;

use super::atomic;
use crate::host::unit::Units;

/// Largest file, octets.
const MAX_FILE: u64 = 64 * 1024;
/// Most files.
const MAX_FILES: usize = 256;

/// One binding: programs that run as this user, in this unit, or both, speak for this operator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Binding {
    /// The operator's CarrierId, with or without braces.
    carrier_id: String,
    /// Uid of the program.
    uid: Option<u32>,
    /// Systemd unit of the program. Without a user it is one of the system's manager: a user's own units are called as they
    /// like.
    unit: Option<String>,
}

impl Binding {
    /// Whether it is about this program.
    fn binds(&self, uid: u32, units: &Units) -> bool {
        let is_system = |unit: &String| units.system.as_ref() == Some(unit);
        match (self.uid, &self.unit) {
            (Some(of), None) => of == uid,
            (None, Some(unit)) => is_system(unit),
            (Some(of), Some(unit)) => {
                let theirs = units.user.as_ref().is_some_and(|(user, named)| *user == uid && named == unit);
                of == uid && (is_system(unit) || theirs)
            }
            (None, None) => false,
        }
    }
}

/// CarrierIds of the operators that a program speaks for, in the order of the files' names. A broken file binds nobody and
/// is logged.
pub(crate) fn carriers_of(folder: &Path, uid: u32, units: &Units) -> Vec<String> {
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
            Ok(Binding { uid: None, unit: None, .. }) => {
                tracing::warn!(file = %file.display(), "a binding without uid and unit binds nobody");
            }
            Ok(binding) if binding.binds(uid, units) => carriers.push(binding.carrier_id),
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
        write("g.toml", "carrier-id = '{G}'\nuid = 1000\nunit = 'c.service'\n");
        let nowhere = Units::default();
        assert_eq!(carriers_of(folder.path(), 1000, &nowhere), ["{A}", "{B}"]);
        assert!(carriers_of(folder.path(), 0, &nowhere).is_empty());
        assert!(carriers_of(&folder.path().join("absent"), 0, &nowhere).is_empty());
        // Who runs it does not matter where only the unit is named, unless the user named it.
        let system = Units { system: Some("c.service".into()), user: None };
        assert_eq!(carriers_of(folder.path(), 7, &system), ["{C}"]);
        assert_eq!(carriers_of(folder.path(), 1000, &system), ["{A}", "{B}", "{C}", "{G}"]);
        let own = |uid| Units { system: Some(format!("user@{uid}.service")), user: Some((uid, "c.service".into())) };
        assert_eq!(carriers_of(folder.path(), 1000, &own(1000)), ["{A}", "{B}", "{G}"]);
        assert!(carriers_of(folder.path(), 1001, &own(1001)).is_empty());
        assert_eq!(carriers_of(folder.path(), 1000, &own(1001)), ["{A}", "{B}"], "a unit of another user's manager");
    }
}

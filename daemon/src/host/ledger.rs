//! What the daemon set on an interface, written down in the run directory before it is set, so that the next start
//! takes away exactly that after a crash.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::netlink::Route;
use crate::store::atomic;
use crate::transport::open::is_interface_name;

/// Largest file that is read, octets.
const MAX_FILE: u64 = 256 * 1024;

/// Everything that was set, with what stood there before where something did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ledger {
    /// Name of the interface.
    pub(crate) interface: String,
    /// Its number: another number means another device, on which nothing of this stands.
    pub(crate) index: u32,
    /// MBIM session that it carries.
    pub(crate) session: u32,
    /// For a session above 0, the modem's interface and its number then; else empty.
    pub(crate) base: (String, u32),
    /// It was made for the session, and goes with it: a VLAN of the base or, where `device` is named, a link of that
    /// device. Its number is 0 as long as it is not there.
    pub(crate) made: bool,
    /// The device of the kernel's WWAN framework that a link was made of; empty for a VLAN.
    pub(crate) device: String,
    /// It was down before and is to be down again.
    pub(crate) raised: bool,
    /// MTU before.
    pub(crate) mtu: Option<u32>,
    /// Addresses with prefix length.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
    /// Routes.
    pub(crate) routes: Vec<Route>,
    /// Kernel parameters and their values before.
    pub(crate) parameters: Vec<(PathBuf, String)>,
    /// Router advertisements were let in.
    pub(crate) advertised: bool,
    /// DNS servers were told to somebody.
    pub(crate) dns: bool,
}

impl Ledger {
    /// Of an interface on which nothing is set yet.
    pub(crate) fn of(interface: &str, index: u32) -> Self {
        Self { interface: interface.to_owned(), index, ..Self::default() }
    }

    /// Of an interface of a session above 0.
    pub(crate) fn of_session(interface: &str, session: u32, base: (String, u32)) -> Self {
        Self { session, base, ..Self::of(interface, 0) }
    }

    /// The same without anything set.
    pub(crate) fn bare(&self) -> Self {
        let Self { session, device, .. } = self;
        Self { device: device.clone(), ..Self::of_session(&self.interface, *session, self.base.clone()) }.at(self.index)
    }

    fn at(self, index: u32) -> Self {
        Self { index, ..self }
    }

    /// The modem's interface and its number then.
    pub(crate) fn base(&self) -> (&str, u32) {
        if self.session == 0 { (&self.interface, self.index) } else { (&self.base.0, self.base.1) }
    }

    /// Whether there is nothing to take away.
    pub(crate) fn is_empty(&self) -> bool {
        *self == self.bare()
    }

    /// Whether only the interface itself is held up, for others that stand on it.
    pub(crate) fn only_raised(&self) -> bool {
        Self { raised: false, ..self.clone() }.is_empty()
    }

    fn file(folder: &Path, interface: &str) -> PathBuf {
        folder.join(format!("{interface}.json"))
    }

    /// Writes it down; an empty one is removed.
    pub(crate) fn store(&self, folder: &Path) -> io::Result<()> {
        let file = Self::file(folder, &self.interface);
        if self.is_empty() {
            return match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        atomic::replace_in_run(&file, &text, 0o600)
    }

    /// All that a former run left behind. A file that cannot be read is passed over: the folder is ours alone.
    pub(crate) fn leftovers(folder: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut found: Vec<Self> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "json"))
            .filter_map(|entry| atomic::read(&entry.path(), MAX_FILE).ok())
            .filter_map(|text| serde_json::from_slice::<Self>(&text).ok())
            .filter(|ledger| is_interface_name(&ledger.interface))
            .filter(|ledger| ledger.parameters.iter().all(|(path, _)| is_parameter(path)))
            .collect();
        found.sort_by(|a, b| a.interface.cmp(&b.interface));
        found
    }
}

/// Whether a path is one that this daemon writes values to.
fn is_parameter(path: &Path) -> bool {
    path.starts_with("/proc/sys/net") && !path.components().any(|part| part == std::path::Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger { interface: "wwan0".into(), index: 7, mtu: Some(1500), ..Ledger::default() };
        ledger.addresses.push(("192.0.2.2".parse().unwrap(), 30));
        ledger.routes.push(Route { to: "0.0.0.0".parse().unwrap(), prefix: 0, via: None, metric: 700 });
        ledger.store(folder.path()).unwrap();
        assert_eq!(Ledger::leftovers(folder.path()), vec![ledger.clone()]);
        let empty = Ledger { interface: "wwan0".into(), index: 7, ..Ledger::default() };
        empty.store(folder.path()).unwrap();
        empty.store(folder.path()).unwrap();
        assert!(Ledger::leftovers(folder.path()).is_empty());
    }

    #[test]
    fn strange_files_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "{").unwrap();
        std::fs::write(folder.path().join("b.json"), r#"{"interface":"../x","mtu":1}"#).unwrap();
        std::fs::write(folder.path().join("c.json"), r#"{"interface":"x","parameters":[["/etc/passwd","1"]]}"#)
            .unwrap();
        std::fs::write(
            folder.path().join("d.json"),
            r#"{"interface":"x","parameters":[["/proc/sys/net/../kernel/core_pattern","1"]]}"#,
        )
        .unwrap();
        assert!(Ledger::leftovers(folder.path()).is_empty());
        assert!(Ledger::leftovers(&folder.path().join("absent")).is_empty());
    }
}

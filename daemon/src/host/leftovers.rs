//! What the last run of the daemon left, by restart or by crash: the records of modems, and the ledgers of interfaces
//! that belong to them. A record names its modem by the stable path and its interface by name and number; what belongs
//! to no record, or to another interface than then, is taken away before anything else is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use daemon_core::kept::Kept;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ledger::Ledger;
use super::link::{clear_for_others, take_leftover_away};
use super::netlink::Netlink;
use super::resolver::Resolver;
use crate::store::atomic;

/// Largest record that is read, octets.
const MAX_FILE: u64 = 64 * 1024;

/// One modem, as it is left to the next run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    /// Stable path of the modem.
    physical: String,
    /// Its data interface; empty = none.
    interface: String,
    /// Number of the interface then.
    index: u32,
    kept: Kept,
}

/// Where the record of one modem is written.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    physical: String,
    interface: Option<String>,
}

impl Place {
    /// For a modem at a stable path with its data interface.
    pub(crate) fn new(run_dir: &Path, physical: &str, interface: Option<&str>) -> Self {
        Self { folder: folder(run_dir), physical: physical.to_owned(), interface: interface.map(str::to_owned) }
    }

    /// Writes it down for the next run; `None` removes it. What cannot be written costs the next run its connection, and
    /// this one nothing.
    pub(crate) fn write(&self, kept: Option<&Kept>) {
        let file = file(&self.folder, &self.physical);
        let Some(kept) = kept else { return drop(atomic::remove(&file)) };
        let interface = self.interface.clone().unwrap_or_default();
        let record =
            Record { physical: self.physical.clone(), index: index(&interface), interface, kept: kept.clone() };
        let written = serde_json::to_vec(&record).map_err(std::io::Error::other).and_then(|text| {
            atomic::make_folder(&self.folder, 0o700).and_then(|()| atomic::replace_in_run(&file, &text, 0o600))
        });
        if let Err(error) = written {
            // An old record would be worse than none.
            let _ = atomic::remove(&file);
            tracing::warn!(%error, "what the next start is to take over cannot be written down");
        }
    }
}

fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join("modems")
}

fn file(folder: &Path, physical: &str) -> PathBuf {
    let name: String = Sha256::digest(physical.as_bytes()).iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    folder.join(format!("{name}.json"))
}

/// Number of an interface; 0 = there is none of that name.
fn index(interface: &str) -> u32 {
    if interface.is_empty() {
        return 0;
    }
    Netlink::open().and_then(|mut netlink| netlink.link(interface)).map_or(0, |link| link.index)
}

/// What waits for its modem.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    folder: PathBuf,
    records: Vec<Record>,
    ledgers: BTreeMap<String, Ledger>,
}

impl Leftovers {
    /// Reads it and takes away at once what no modem can take over. `standalone`: this daemon configures interfaces.
    pub(crate) async fn look(run_dir: &Path, resolver: &Resolver, standalone: bool) -> Self {
        let folder = folder(run_dir);
        let mut records = records(&folder);
        let mut ledgers = BTreeMap::new();
        // What stands on a modem's interface goes before it.
        for mut ledger in Ledger::leftovers(&super::link::folder(run_dir)).into_iter().rev() {
            let here = standalone && index(&ledger.interface) == ledger.index;
            let of = |record: &&Record| (record.interface.as_str(), record.index) == ledger.base();
            let record = records.iter().find(of).filter(|_| here).map(|record| &record.kept);
            let default = record.is_some_and(|kept| kept.connection.is_some());
            let others = record.is_some_and(|kept| !kept.sessions.is_empty());
            let session = record.is_some_and(|kept| kept.sessions.iter().any(|kept| kept.session == ledger.session));
            if ledger.session == 0 && others && !default {
                ledger = clear_for_others(ledger, run_dir, resolver).await;
                if ledger.is_empty() {
                    continue;
                }
            } else if !(default && ledger.session == 0 || session && ledger.session > 0) {
                take_leftover_away(ledger, run_dir, resolver).await;
                continue;
            }
            ledgers.insert(ledger.interface.clone(), ledger);
        }
        for record in &mut records {
            let there = record.index != 0 && index(&record.interface) == record.index;
            if !there || standalone && !ledgers.contains_key(&record.interface) {
                record.kept.connection = None;
            }
            if !there {
                record.kept.sessions.clear();
            }
        }
        Self { folder, records, ledgers }
    }

    /// Whether anything still waits for its modem.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.ledgers.is_empty()
    }

    /// The modem at this path is there, with this interface: what was left of it, and of the interfaces of its sessions.
    pub(crate) fn claim(&mut self, physical: &str, interface: Option<&str>) -> (Option<Kept>, Vec<Ledger>) {
        let at = self.records.iter().position(|record| record.physical == physical);
        let record = at.map(|at| self.records.swap_remove(at));
        let all = std::mem::take(&mut self.ledgers).into_iter();
        let (its, rest): (Vec<_>, Vec<_>) = all.partition(|(_, ledger)| interface == Some(ledger.base().0));
        self.ledgers.extend(rest);
        let ledgers = its.into_iter().map(|(_, ledger)| ledger).collect();
        let kept = record.map(|mut record| {
            if interface != Some(record.interface.as_str()) {
                record.kept.connection = None;
                record.kept.sessions.clear();
            }
            record.kept
        });
        (kept, ledgers)
    }

    /// The modems did not come: what stands is taken away, and what was written down is forgotten.
    pub(crate) async fn give_up(&mut self, run_dir: &Path, resolver: &Resolver) {
        for (_, ledger) in std::mem::take(&mut self.ledgers).into_iter().rev() {
            take_leftover_away(ledger, run_dir, resolver).await;
        }
        for record in std::mem::take(&mut self.records) {
            let _ = atomic::remove(&file(&self.folder, &record.physical));
        }
    }
}

/// All records. A file that cannot be read is removed: its link has no owner then.
fn records(folder: &Path) -> Vec<Record> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let read = atomic::read(&path, MAX_FILE).ok().and_then(|text| serde_json::from_slice::<Record>(&text).ok());
        match read.filter(|record| file(folder, &record.physical) == path) {
            Some(record) => found.push(record),
            None => drop(atomic::remove(&path)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use daemon_core::kept::KeptConnection;

    use super::*;
    use crate::config::Dns;

    fn kept(connected: bool) -> Kept {
        Kept { radio_off: true, connection: connected.then(KeptConnection::default), ..Kept::default() }
    }

    async fn look(run: &Path, standalone: bool) -> Leftovers {
        Leftovers::look(run, &Resolver::new(Dns::None, None, run), standalone).await
    }

    /// The loopback stands for a data interface: its number is the same in every namespace.
    #[tokio::test]
    async fn a_record_is_claimed_by_its_modem_alone() {
        let run = tempfile::tempdir().unwrap();
        let place = Place::new(run.path(), "/sys/devices/usb1/1-1", Some("lo"));
        place.write(Some(&kept(true)));
        let mut found = look(run.path(), false).await;
        assert_eq!(found.claim("/sys/devices/usb1/1-2", Some("lo")), (None, vec![]));
        assert_eq!(found.claim("/sys/devices/usb1/1-1", Some("lo")), (Some(kept(true)), vec![]));
        assert!(found.is_empty());
        assert!(
            look(run.path(), true).await.claim("/sys/devices/usb1/1-1", Some("lo")).0.unwrap().connection.is_none()
        );
        let other = look(run.path(), false).await.claim("/sys/devices/usb1/1-1", Some("wwan7"));
        assert_eq!(other, (Some(kept(false)), vec![]), "another interface, another link");
        place.write(None);
        assert!(look(run.path(), false).await.is_empty());
    }

    #[tokio::test]
    async fn a_ledger_goes_with_its_record_or_goes() {
        let run = tempfile::tempdir().unwrap();
        let links = super::super::link::folder(run.path());
        atomic::make_folder(&links, 0o755).unwrap();
        // DNS alone: taking it away touches no interface.
        let ledger = |index| Ledger { interface: "lo".into(), index, dns: true, ..Ledger::default() };
        let listed = || std::fs::read_dir(&links).unwrap().count();
        let place = Place::new(run.path(), "unix:/m", Some("lo"));
        place.write(Some(&kept(true)));
        ledger(1).store(&links).unwrap();
        assert_eq!(look(run.path(), true).await.claim("unix:/m", Some("lo")), (Some(kept(true)), vec![ledger(1)]));
        assert_eq!(listed(), 1, "still listed: it still stands");
        let mut waiting = look(run.path(), true).await;
        waiting.give_up(run.path(), &Resolver::new(Dns::None, None, run.path())).await;
        assert_eq!((listed(), look(run.path(), true).await.is_empty()), (0, true));

        ledger(1).store(&links).unwrap();
        assert!(look(run.path(), true).await.is_empty());
        assert_eq!(listed(), 0, "without a record");
        place.write(Some(&kept(true)));
        ledger(99).store(&links).unwrap();
        assert_eq!(look(run.path(), true).await.claim("unix:/m", Some("lo")), (Some(kept(false)), vec![]));
        assert_eq!(listed(), 0, "of another interface");
        place.write(Some(&kept(false)));
        ledger(1).store(&links).unwrap();
        assert_eq!(look(run.path(), true).await.claim("unix:/m", Some("lo")), (Some(kept(false)), vec![]));
        assert_eq!(listed(), 0, "without a connection");
    }

    /// The loopback is the modem's interface, and that of its session 2 too: nothing of either is touched but DNS.
    #[tokio::test]
    async fn interfaces_of_sessions_go_with_their_modem() {
        let run = tempfile::tempdir().unwrap();
        let links = super::super::link::folder(run.path());
        atomic::make_folder(&links, 0o755).unwrap();
        let listed = || std::fs::read_dir(&links).unwrap().count();
        let session =
            |session, base| Ledger { index: 1, dns: true, ..Ledger::of_session("lo", session, ("lo".into(), base)) };
        let with = |sessions: &[u32]| {
            let sessions = sessions.iter().map(|n| KeptConnection { session: *n, ..KeptConnection::default() });
            Kept { sessions: sessions.collect(), ..Kept::default() }
        };
        let place = Place::new(run.path(), "unix:/m", Some("lo"));
        place.write(Some(&with(&[2])));
        session(2, 1).store(&links).unwrap();
        let (kept, ledgers) = look(run.path(), true).await.claim("unix:/m", Some("lo"));
        assert_eq!((kept, ledgers, listed()), (Some(with(&[2])), vec![session(2, 1)], 1));
        assert_eq!(look(run.path(), true).await.claim("unix:/m", None).0.unwrap().sessions, []);
        for strange in [session(3, 1), session(2, 99)] {
            strange.store(&links).unwrap();
            let (kept, ledgers) = look(run.path(), true).await.claim("unix:/m", Some("lo"));
            assert_eq!((kept, ledgers, listed()), (Some(with(&[2])), vec![], 0), "{strange:?}");
        }
        // Of the default session nothing is to be left, but that the interface is up for the other one.
        let default = Ledger { dns: true, raised: true, ..Ledger::of("lo", 1) };
        default.store(&links).unwrap();
        let (_, ledgers) = look(run.path(), true).await.claim("unix:/m", Some("lo"));
        assert_eq!(ledgers, [Ledger { dns: false, ..default.clone() }]);
        assert!(ledgers[0].only_raised() && !default.only_raised());
    }

    #[tokio::test]
    async fn strange_files_are_no_records() {
        let run = tempfile::tempdir().unwrap();
        let place = Place::new(run.path(), "unix:/m", None);
        place.write(Some(&kept(false)));
        let folder = folder(run.path());
        let good = file(&folder, "unix:/m");
        std::fs::copy(&good, folder.join("0000000000000000.json")).unwrap();
        std::fs::write(folder.join("x.json"), "{").unwrap();
        assert_eq!(look(run.path(), true).await.records.len(), 1);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&good).unwrap()) & 0o777, 0o600);
    }
}

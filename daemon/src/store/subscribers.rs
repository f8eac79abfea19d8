//! What is remembered of a SIM: one file each, named by a keyed hash, so that a file name betrays no number.

use std::io;
use std::path::{Path, PathBuf};

use daemon_core::effect::SubscriberKey;
use daemon_core::subscriber::{ProvisionedProfile, SubscriberState};
use mbim_proto::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::atomic::{self, Step};
use super::migrations;
use super::moment::Moment;
use super::seal::Seal;

/// Largest file, octets.
const MAX_FILE: u64 = 1024 * 1024;
/// Octets of the salt.
const SALT: usize = 32;

/// The content of a file.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u64,
    state: SubscriberState,
    /// When it was written: what is remembered for a time is not for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<Moment>,
    /// PIN1, sealed under the file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    /// [`Passwords`], sealed under the file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passwords: Option<String>,
}

/// The passwords of a SIM's profiles, which stand in no file in clear.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Passwords {
    #[serde(default)]
    default_profile: String,
    #[serde(default)]
    purchase_profile: String,
    #[serde(default)]
    apn: String,
    /// Of the contexts that documents name, in their order.
    #[serde(default)]
    contexts: Vec<String>,
    #[serde(default)]
    tethering: String,
}

impl Drop for Passwords {
    fn drop(&mut self) {
        self.default_profile.zeroize();
        self.purchase_profile.zeroize();
        self.apn.zeroize();
        self.contexts.zeroize();
        self.tethering.zeroize();
    }
}

impl Passwords {
    /// Takes them out of a state.
    fn take(state: &mut SubscriberState) -> Self {
        let profile = |profile: &mut Option<ProvisionedProfile>| {
            profile.as_mut().map(|profile| std::mem::take(profile.password.reveal_mut())).unwrap_or_default()
        };
        let (mut contexts, mut tethering) = (Vec::new(), String::new());
        if let Some(network) = &mut state.network {
            contexts.extend(
                network.contexts.iter_mut().map(|context| std::mem::take(context.profile.password.reveal_mut())),
            );
            tethering = profile(&mut network.tethering);
        }
        if contexts.iter().all(String::is_empty) {
            contexts.clear();
        }
        Self {
            contexts,
            tethering,
            default_profile: profile(&mut state.default_profile),
            purchase_profile: profile(&mut state.purchase_profile),
            apn: state.settings.apn.as_mut().map(|apn| std::mem::take(apn.password.reveal_mut())).unwrap_or_default(),
        }
    }

    /// Puts them back. What an older version wrote in clear stays where nothing is sealed.
    fn restore(mut self, state: &mut SubscriberState) {
        let put = |password: &mut String, into: Option<&mut String>| {
            if let Some(into) = into.filter(|_| !password.is_empty()) {
                *into = std::mem::take(password);
            }
        };
        put(&mut self.default_profile, state.default_profile.as_mut().map(|profile| profile.password.reveal_mut()));
        put(&mut self.purchase_profile, state.purchase_profile.as_mut().map(|profile| profile.password.reveal_mut()));
        if let Some(network) = &mut state.network {
            for (password, context) in self.contexts.iter_mut().zip(&mut network.contexts) {
                put(password, Some(context.profile.password.reveal_mut()));
            }
            put(&mut self.tethering, network.tethering.as_mut().map(|profile| profile.password.reveal_mut()));
        }
        put(&mut self.apn, state.settings.apn.as_mut().map(|apn| apn.password.reveal_mut()));
    }

    fn is_empty(&self) -> bool {
        self.default_profile.is_empty()
            && self.purchase_profile.is_empty()
            && self.apn.is_empty()
            && self.contexts.is_empty()
            && self.tethering.is_empty()
    }
}

/// The folder of all SIMs.
#[derive(Debug)]
pub(crate) struct Subscribers {
    folder: PathBuf,
    salt: Salt,
    seal: Seal,
    /// This run of the daemon, random.
    run: u64,
}

/// The installation's random number, which every hash of an identity begins with.
#[derive(Clone, Debug)]
pub(crate) struct Salt {
    octets: [u8; SALT],
    file: PathBuf,
}

impl Salt {
    /// Reads it from the state directory; makes it at first use.
    pub(crate) fn open(state_dir: &Path) -> io::Result<Self> {
        let file = state_dir.join("salt");
        Ok(Self { octets: salt(&file)?, file })
    }

    /// Writes it where a full disk kept it from being written at the start: what is stored under it would not be found
    /// in the next run. To be called before anything is stored.
    pub(crate) fn keep(&self) -> io::Result<()> {
        match atomic::read(&self.file, SALT as u64) {
            Ok(kept) if kept == self.octets => Ok(()),
            _ => atomic::replace(&self.file, &self.octets),
        }
    }

    /// A file name for a SIM that betrays no number.
    pub(crate) fn name(&self, key: &SubscriberKey) -> String {
        let mut hash = Sha256::new();
        hash.update(self.octets);
        hash.update(key.reveal().as_bytes());
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Subscribers {
    /// Opens the store below the state directory and makes what is missing.
    pub(crate) fn open(state_dir: &Path, salt: Salt, seal: Seal) -> io::Result<Self> {
        let folder = state_dir.join("subscribers");
        atomic::full_is_fine(atomic::make_folder(&folder, 0o700))?;
        let mut run = [0; 8];
        rustix::rand::getrandom(&mut run[..], rustix::rand::GetRandomFlags::empty())?;
        Ok(Self { folder, salt, seal, run: u64::from_ne_bytes(run) })
    }

    fn file(&self, key: &SubscriberKey) -> PathBuf {
        self.folder.join(self.salt.name(key)).with_extension("json")
    }

    /// What is stored; `None` when there is nothing, or nothing that can be understood: such a file is put aside.
    pub(crate) fn load(&self, key: &SubscriberKey) -> io::Result<Option<Box<SubscriberState>>> {
        let file = self.file(key);
        let bytes = match atomic::read(&file, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return set_aside(&file, "damaged"),
            Err(error) => return Err(error),
        };
        match parse(&bytes) {
            Read::State(mut state, written, Sealed { pin, passwords }) => {
                let now = Moment::now(self.run);
                let passed = written.as_ref().and_then(|written| now.since(written));
                let restarted = written.as_ref().is_none_or(|written| written.run != self.run);
                state.memory = std::mem::take(&mut state.memory).aged(passed, restarted);
                let text = |plain: Zeroizing<Vec<u8>>| String::from_utf8(plain.to_vec()).ok().map(Secret::new);
                state.pin = pin.and_then(|pin| self.unsealed(&self.salt.name(key), &pin)).and_then(text);
                let opened = passwords.and_then(|sealed| self.unsealed(&self.passwords_of(key), &sealed));
                if let Some(passwords) = opened.and_then(|plain| serde_json::from_slice::<Passwords>(&plain).ok()) {
                    passwords.restore(&mut state);
                }
                Ok(Some(state))
            }
            Read::Damaged => set_aside(&file, "damaged"),
            Read::Newer => set_aside(&file, "newer"),
        }
    }

    /// Writes what is to be remembered.
    pub(crate) fn save(&self, key: &SubscriberKey, state: &SubscriberState) -> io::Result<()> {
        self.save_in_steps(key, state, |_| Ok(()))
    }

    fn save_in_steps(
        &self,
        key: &SubscriberKey,
        state: &SubscriberState,
        after: impl FnMut(Step) -> io::Result<()>,
    ) -> io::Result<()> {
        self.salt.keep()?;
        atomic::make_folder(&self.folder, 0o700)?;
        let pin = state.pin.as_ref().and_then(|pin| self.sealed(&self.salt.name(key), pin.reveal().as_bytes()));
        let mut state = state.clone();
        let passwords = Passwords::take(&mut state);
        let plain = super::plain(&passwords)?;
        let passwords = if passwords.is_empty() { None } else { self.sealed(&self.passwords_of(key), &plain) };
        let written = Some(Moment::now(self.run));
        let stored = Stored { version: migrations::CURRENT, state, written, pin, passwords };
        let text = serde_json::to_vec_pretty(&stored).map_err(io::Error::other)?;
        atomic::replace_in_steps(&self.file(key), &text, 0o600, after)
    }

    fn passwords_of(&self, key: &SubscriberKey) -> String {
        format!("passwords {}", self.salt.name(key))
    }

    /// What cannot be sealed is not kept; the rest is.
    fn sealed(&self, name: &str, plain: &[u8]) -> Option<String> {
        self.seal
            .seal(name, plain)
            .inspect_err(|error| tracing::warn!(%error, "a PIN or password cannot be sealed and is not kept"))
            .ok()
    }

    /// What cannot be opened counts as none.
    fn unsealed(&self, name: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.seal
            .open(name, sealed)
            .inspect_err(|error| {
                tracing::warn!(%error, "a stored PIN or password cannot be opened and counts as not stored");
            })
            .ok()
    }
}

/// What of a file is sealed.
struct Sealed {
    pin: Option<String>,
    passwords: Option<String>,
}

enum Read {
    State(Box<SubscriberState>, Option<Moment>, Sealed),
    Damaged,
    Newer,
}

fn parse(bytes: &[u8]) -> Read {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return Read::Damaged };
    match migrations::upgrade(value) {
        migrations::Upgraded::Current(value) => match serde_json::from_value::<Stored>(value) {
            Ok(Stored { state, written, pin, passwords, .. }) => {
                Read::State(Box::new(state), written, Sealed { pin, passwords })
            }
            Err(_) => Read::Damaged,
        },
        migrations::Upgraded::Newer => Read::Newer,
        migrations::Upgraded::Unknown => Read::Damaged,
    }
}

/// Nothing is thrown away: a person may want to look at it.
fn set_aside(file: &Path, why: &str) -> io::Result<Option<Box<SubscriberState>>> {
    tracing::warn!(why, "a file of a SIM's settings cannot be understood; it is kept aside and defaults apply");
    std::fs::rename(file, file.with_extension(format!("json.{why}")))?;
    Ok(None)
}

/// The installation's salt; made at first use.
fn salt(file: &Path) -> io::Result<[u8; SALT]> {
    match atomic::read(file, SALT as u64) {
        Ok(bytes) if let Ok(salt) = <[u8; SALT]>::try_from(bytes.as_slice()) => return Ok(salt),
        Ok(_) => tracing::warn!("the salt is damaged; what was stored for SIMs is not found any more"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            tracing::warn!("the salt is damaged; what was stored for SIMs is not found any more");
        }
        Err(error) => return Err(error),
    }
    let mut salt = [0; SALT];
    rustix::rand::getrandom(&mut salt[..], rustix::rand::GetRandomFlags::empty())?;
    // Without the file nothing that is stored in this run would be found in the next; see `keep`.
    atomic::full_is_fine(atomic::replace(file, &salt))?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use daemon_core::memory::Memory;

    use super::*;

    fn open(state_dir: &Path) -> Subscribers {
        Subscribers::open(state_dir, Salt::open(state_dir).unwrap(), Seal::new(state_dir, None)).unwrap()
    }

    fn key() -> SubscriberKey {
        SubscriberKey::new("8999000000000000017")
    }

    fn state(metric: u32) -> SubscriberState {
        let mut state = SubscriberState::default();
        state.settings.metric = Some(metric);
        state
    }

    fn metric(store: &Subscribers) -> Option<u32> {
        store.load(&key()).unwrap().and_then(|state| state.settings.metric)
    }

    #[test]
    fn remembered_over_a_restart_and_under_no_readable_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        assert_eq!(metric(&store), None);
        store.save(&key(), &state(7)).unwrap();
        assert_eq!(metric(&open(folder.path())), Some(7));
        let name = std::fs::read_dir(folder.path().join("subscribers")).unwrap().next().unwrap().unwrap().file_name();
        assert_eq!(name.len(), 64 + ".json".len());
        let other = tempfile::tempdir().unwrap();
        let elsewhere = open(other.path());
        assert_ne!(elsewhere.file(&key()).file_name(), store.file(&key()).file_name(), "another salt, another name");
    }

    #[test]
    fn stopped_between_any_two_writes_old_or_new_is_read() {
        for stop in [Step::Create, Step::WriteHalf, Step::Write, Step::Sync, Step::Rename, Step::SyncFolder] {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            store.save(&key(), &state(1)).unwrap();
            let stopped = store.save_in_steps(&key(), &state(2), |step| {
                if step == stop { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
            });
            assert!(stopped.is_err());
            let read = metric(&open(folder.path())).unwrap();
            assert_eq!(read, if matches!(stop, Step::Rename | Step::SyncFolder) { 2 } else { 1 }, "{stop:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_kept_aside() {
        for (content, suffix) in [
            ("", "damaged"),
            ("{", "damaged"),
            ("[]", "damaged"),
            (r#"{"version":1}"#, "damaged"),
            (r#"{"version":1,"state":{"settings":{"autoconnect":"maybe"}}}"#, "damaged"),
            (r#"{"version":99,"state":{}}"#, "newer"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            std::fs::write(store.file(&key()), content).unwrap();
            assert!(store.load(&key()).unwrap().is_none(), "{content}");
            let aside = store.file(&key()).with_extension(format!("json.{suffix}"));
            assert_eq!(std::fs::read_to_string(aside).unwrap(), content);
            store.save(&key(), &state(3)).unwrap();
            assert_eq!(metric(&store), Some(3));
        }
    }

    /// As after a start on a full disk that has room again.
    #[test]
    fn a_salt_that_was_not_written_is_written_before_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        std::fs::remove_file(folder.path().join("salt")).unwrap();
        store.save(&key(), &state(7)).unwrap();
        assert_eq!(metric(&open(folder.path())), Some(7));
    }

    /// A restart keeps what is left of it; a modem that is plugged in again waits for nothing.
    #[test]
    fn what_was_found_out_outlives_a_run_of_the_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut told = state(7);
        told.memory = Memory {
            refused: [("nowhere/".to_owned(), 80_000)].into(),
            failed_rounds: 2,
            wait: 900,
            probe_octets: 5000,
            probe_day: 70_000,
            ..Memory::default()
        };
        store.save(&key(), &told).unwrap();
        let memory = |store: &Subscribers| store.load(&key()).unwrap().unwrap().memory;
        let next = memory(&open(folder.path()));
        assert!(next.refused["nowhere/"] > 79_000 && next.wait > 0 && next.failed_rounds == 2, "{next:?}");
        assert_eq!(next.probe_octets, 5000);
        let same = memory(&store);
        assert_eq!((same.wait, same.failed_rounds, same.refused.len(), same.probe_octets), (0, 0, 1, 5000));
        // Of a time that cannot be told nothing is left; the settings are.
        let text = std::fs::read_to_string(store.file(&key())).unwrap();
        let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
        file.as_object_mut().unwrap().remove("written");
        std::fs::write(store.file(&key()), file.to_string()).unwrap();
        assert_eq!(memory(&open(folder.path())), Memory::default());
        assert_eq!(metric(&open(folder.path())), Some(7));
        // A file of a version without it.
        std::fs::write(store.file(&key()), r#"{"version":1,"state":{"settings":{"metric":9}}}"#).unwrap();
        assert_eq!((memory(&store), metric(&store)), (Memory::default(), Some(9)));
    }

    #[test]
    fn a_pin_is_sealed_and_another_key_means_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut with_pin = state(7);
        with_pin.pin = Some(Secret::new("90817263".to_owned()));
        store.save(&key(), &with_pin).unwrap();
        assert_eq!(*store.load(&key()).unwrap().unwrap(), with_pin);
        assert!(!std::fs::read_to_string(store.file(&key())).unwrap().contains("90817263"));
        // The record of another SIM.
        let other = SubscriberKey::new("8999000000000000025");
        std::fs::copy(store.file(&key()), store.file(&other)).unwrap();
        assert_eq!(*store.load(&other).unwrap().unwrap(), state(7));
        std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
        assert_eq!(*store.load(&key()).unwrap().unwrap(), state(7), "the rest stands");
        // Without a PIN nothing of it is left.
        store.save(&key(), &state(7)).unwrap();
        assert!(!std::fs::read_to_string(store.file(&key())).unwrap().contains("pin\""));
    }

    /// PROV-167, PROV-170 for what a SIM's file holds.
    #[test]
    fn passwords_are_sealed() {
        use daemon_core::carrier::{CarrierNetwork, NamedContext};
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let profile = |password: &str| ProvisionedProfile {
            name: "P".into(),
            password: password.into(),
            ..ProvisionedProfile::default()
        };
        let mut full = state(7);
        full.default_profile = Some(profile("first-secret"));
        full.purchase_profile = Some(profile("second-secret"));
        full.settings.apn =
            Some(daemon_core::subscriber::UserApn { password: "third-secret".into(), ..Default::default() });
        let context = |password| NamedContext { profile: profile(password), programs: vec!["tv".into()] };
        full.network = Some(CarrierNetwork {
            contexts: vec![context("fourth-secret"), context(""), context("fifth-secret")],
            tethering: Some(profile("sixth-secret")),
            ..CarrierNetwork::default()
        });
        store.save(&key(), &full).unwrap();
        let text = std::fs::read_to_string(store.file(&key())).unwrap();
        assert!(!text.contains("secret") && text.contains("\"P\""), "{text}");
        assert_eq!(*store.load(&key()).unwrap().unwrap(), full);
        // Another SIM's, another key's: none, and the rest stands.
        let other = SubscriberKey::new("8999000000000000025");
        std::fs::copy(store.file(&key()), store.file(&other)).unwrap();
        let mut bare = full.clone();
        drop(Passwords::take(&mut bare));
        assert_eq!(*store.load(&other).unwrap().unwrap(), bare);
        // As an older version wrote it: in clear; sealed with the next writing.
        let clear = serde_json::json!({ "version": 1, "state": full });
        std::fs::write(store.file(&key()), clear.to_string()).unwrap();
        assert_eq!(*store.load(&key()).unwrap().unwrap(), full);
        store.save(&key(), &full).unwrap();
        assert!(!std::fs::read_to_string(store.file(&key())).unwrap().contains("secret"));
    }

    #[test]
    fn a_damaged_salt_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("salt"), "short").unwrap();
        open(folder.path());
        assert_eq!(std::fs::read(folder.path().join("salt")).unwrap().len(), SALT);
    }
}

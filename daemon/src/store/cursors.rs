//! How far a document has been applied, for one SIM. Such a cursor holds the whole plan with its passwords and numbers,
//! so it is sealed, under the SIM's number: neither the disk without the key nor another SIM opens it.

use std::io;
use std::path::{Path, PathBuf};

use daemon_core::effect::SubscriberKey;
use zeroize::Zeroizing;

use super::atomic;
use super::seal::Seal;
use super::subscribers::Salt;

/// Largest file, octets.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// Which of the files of a key: of the two documents of a SIM that may be under way at a time, or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The last one with an activation, which may take hours.
    Activating,
    /// The one that is being applied and has none.
    Plain,
    /// Not a document under way, but what documents ordered for a customer of a carrier; the key names both.
    Kept,
    /// The history of all documents; the key is of no SIM.
    Ledger,
}

/// The folder of all cursors.
#[derive(Debug)]
pub(crate) struct Cursors {
    folder: PathBuf,
    salt: Salt,
    seal: Seal,
}

impl Cursors {
    /// Opens the folder below the state directory.
    pub(crate) fn open(state_dir: &Path, salt: Salt, seal: Seal) -> io::Result<Self> {
        let folder = state_dir.join("provision");
        atomic::full_is_fine(atomic::make_folder(&folder, 0o700))?;
        Ok(Self { folder, salt, seal })
    }

    fn file(&self, key: &SubscriberKey, which: Which) -> PathBuf {
        let kind = match which {
            Which::Activating => "activating",
            Which::Plain => "plain",
            Which::Kept => "kept",
            Which::Ledger => "ledger",
        };
        self.folder.join(self.salt.name(key)).with_extension(kind)
    }

    /// Under what it is sealed: a cursor of another SIM, or of the other kind, is none.
    fn name(&self, key: &SubscriberKey, which: Which) -> String {
        format!("cursor {which:?} {}", self.salt.name(key))
    }

    /// Writes a cursor, or forgets it.
    pub(crate) fn keep(
        &self,
        key: &SubscriberKey,
        which: Which,
        content: Option<Zeroizing<Vec<u8>>>,
    ) -> io::Result<()> {
        let Some(content) = content else { return atomic::forget(&self.file(key, which)) };
        self.salt.keep()?;
        atomic::make_folder(&self.folder, 0o700)?;
        let sealed = self.seal.seal_octets(&self.name(key, which), &content)?;
        atomic::replace(&self.file(key, which), &sealed)
    }

    /// What was kept for a SIM; a file that cannot be opened is put aside.
    pub(crate) fn kept(&self, key: &SubscriberKey, which: Which) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let file = self.file(key, which);
        let bytes = match atomic::read(&file, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match self.seal.open_octets(&self.name(key, which), bytes) {
            Ok(plain) => Ok(Some(plain)),
            Err(error) => {
                tracing::warn!(%error, "a file of documents cannot be read; it is kept aside");
                std::fs::rename(&file, file.with_extension("damaged"))?;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_and_only_for_its_sim() {
        let folder = tempfile::tempdir().unwrap();
        let salt = Salt::open(folder.path()).unwrap();
        let cursors = Cursors::open(folder.path(), salt, Seal::new(folder.path(), None)).unwrap();
        let key = SubscriberKey::new("8999000000000000017");
        assert_eq!(cursors.kept(&key, Which::Plain).unwrap(), None);
        cursors.keep(&key, Which::Plain, Some(b"001015512345678 secret".to_vec().into())).unwrap();
        assert_eq!(**cursors.kept(&key, Which::Plain).unwrap().unwrap(), *b"001015512345678 secret");
        assert_eq!(cursors.kept(&key, Which::Activating).unwrap(), None);
        let bytes = std::fs::read(cursors.file(&key, Which::Plain)).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"secret"));
        let other = SubscriberKey::new("8999000000000000025");
        std::fs::copy(cursors.file(&key, Which::Plain), cursors.file(&other, Which::Plain)).unwrap();
        assert_eq!(cursors.kept(&other, Which::Plain).unwrap(), None, "another SIM does not open it");
        std::fs::copy(cursors.file(&key, Which::Plain), cursors.file(&key, Which::Activating)).unwrap();
        assert_eq!(cursors.kept(&key, Which::Activating).unwrap(), None, "nor another kind");
        std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
        assert_eq!(cursors.kept(&key, Which::Plain).unwrap(), None, "nor another key");
        std::fs::write(cursors.file(&key, Which::Plain), b"short").unwrap();
        assert_eq!(cursors.kept(&key, Which::Plain).unwrap(), None);
        cursors.keep(&key, Which::Plain, None).unwrap();
        cursors.keep(&key, Which::Plain, None).unwrap();
    }
}

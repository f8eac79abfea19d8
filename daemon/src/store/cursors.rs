//! How far a document has been applied, for one SIM. Such a cursor holds the whole plan with its passwords and numbers,
//! so it is sealed: who reads the disk without the SIM's number reads nothing.

use std::io;
use std::path::{Path, PathBuf};

use daemon_core::effect::SubscriberKey;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use super::atomic;
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
}

/// The folder of all cursors.
#[derive(Debug)]
pub(crate) struct Cursors {
    folder: PathBuf,
    salt: Salt,
}

impl Cursors {
    /// Opens the folder below the state directory.
    pub(crate) fn open(state_dir: &Path, salt: Salt) -> io::Result<Self> {
        let folder = state_dir.join("provision");
        atomic::full_is_fine(atomic::make_folder(&folder, 0o700))?;
        Ok(Self { folder, salt })
    }

    fn file(&self, key: &SubscriberKey, which: Which) -> PathBuf {
        let kind = match which {
            Which::Activating => "activating",
            Which::Plain => "plain",
            Which::Kept => "kept",
        };
        self.folder.join(self.salt.name(key)).with_extension(kind)
    }

    fn sealer(&self, key: &SubscriberKey) -> io::Result<LessSafeKey> {
        let mut hash = Sha256::new();
        hash.update(b"mbimd cursor");
        hash.update(self.salt.octets());
        hash.update(key.reveal().as_bytes());
        let key = UnboundKey::new(&CHACHA20_POLY1305, &hash.finalize()).map_err(|_| io::Error::other("no cipher"))?;
        Ok(LessSafeKey::new(key))
    }

    /// Writes a cursor, or forgets it.
    pub(crate) fn keep(&self, key: &SubscriberKey, which: Which, content: Option<Vec<u8>>) -> io::Result<()> {
        let Some(mut sealed) = content else { return atomic::remove(&self.file(key, which)) };
        self.salt.keep()?;
        atomic::make_folder(&self.folder, 0o700)?;
        let mut nonce = [0; NONCE_LEN];
        rustix::rand::getrandom(&mut nonce[..], rustix::rand::GetRandomFlags::empty())?;
        self.sealer(key)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .map_err(|_| io::Error::other("sealing failed"))?;
        atomic::replace(&self.file(key, which), &[&nonce[..], &sealed].concat())
    }

    /// What was kept for a SIM; a file that cannot be opened is put aside.
    pub(crate) fn kept(&self, key: &SubscriberKey, which: Which) -> io::Result<Option<Vec<u8>>> {
        let file = self.file(key, which);
        let bytes = match atomic::read(&file, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let sealer = self.sealer(key)?;
        let opened = bytes.split_first_chunk::<NONCE_LEN>().and_then(|(nonce, sealed)| {
            let mut sealed = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            sealer.open_in_place(nonce, Aad::empty(), &mut sealed).ok().map(|plain| plain.to_vec())
        });
        if opened.is_none() {
            tracing::warn!("a half-applied document cannot be read; it is kept aside");
            std::fs::rename(&file, file.with_extension("damaged"))?;
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_and_only_for_its_sim() {
        let folder = tempfile::tempdir().unwrap();
        let salt = Salt::open(folder.path()).unwrap();
        let cursors = Cursors::open(folder.path(), salt).unwrap();
        let key = SubscriberKey::new("8999000000000000017");
        assert_eq!(cursors.kept(&key, Which::Plain).unwrap(), None);
        cursors.keep(&key, Which::Plain, Some(b"001015512345678 secret".to_vec())).unwrap();
        assert_eq!(cursors.kept(&key, Which::Plain).unwrap().as_deref(), Some(&b"001015512345678 secret"[..]));
        assert_eq!(cursors.kept(&key, Which::Activating).unwrap(), None);
        let bytes = std::fs::read(cursors.file(&key, Which::Plain)).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"secret"));
        let other = SubscriberKey::new("8999000000000000025");
        std::fs::copy(cursors.file(&key, Which::Plain), cursors.file(&other, Which::Plain)).unwrap();
        assert_eq!(cursors.kept(&other, Which::Plain).unwrap(), None, "another SIM does not open it");
        std::fs::write(cursors.file(&key, Which::Plain), b"short").unwrap();
        assert_eq!(cursors.kept(&key, Which::Plain).unwrap(), None);
        cursors.keep(&key, Which::Plain, None).unwrap();
        cursors.keep(&key, Which::Plain, None).unwrap();
    }
}

//! Sealing of what must not be read from the disk alone: AES-256-GCM, a fresh nonce each time, the name of the record
//! as associated data, so that no record can be passed off as another.
//!
//! The key is the systemd credential `mbimd-key` where there is one; else a file beside what it seals, which keeps out
//! only who sees the records and not the key.

use std::io;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::atomic;

/// Octets of the key.
const KEY: usize = 32;
/// Name of the credential.
const CREDENTIAL: &str = "mbimd-key";

/// Where the key is. It is read when it is needed and not held.
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    credential: Option<PathBuf>,
    file: PathBuf,
}

impl Seal {
    /// `credentials`: `$CREDENTIALS_DIRECTORY`, where systemd sets it.
    pub(crate) fn new(state_dir: &Path, credentials: Option<PathBuf>) -> Self {
        Self { credential: credentials.map(|folder| folder.join(CREDENTIAL)), file: state_dir.join("key") }
    }

    /// The sealed content, as text.
    pub(crate) fn seal(&self, name: &str, plain: &[u8]) -> io::Result<String> {
        Ok(self.seal_octets(name, plain)?.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The sealed content.
    pub(crate) fn seal_octets(&self, name: &str, plain: &[u8]) -> io::Result<Vec<u8>> {
        let key = match self.key()? {
            Some(key) => key,
            None => self.make_key()?,
        };
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        // Grown at once: what is moved would stay behind in clear.
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, content) = sealed.split_at_mut(NONCE_LEN);
        let tag = sealer(&key)?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), content)
            .map_err(|_| io::Error::other("sealing failed"))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What was sealed under this name with the key in force.
    pub(crate) fn open(&self, name: &str, sealed: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        self.open_octets(name, octets(sealed).ok_or_else(bad)?)
    }

    /// What was sealed under this name with the key in force.
    pub(crate) fn open_octets(&self, name: &str, mut sealed: Vec<u8>) -> io::Result<Zeroizing<Vec<u8>>> {
        let key = self.key()?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no key"))?;
        let (nonce, content) = sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(bad)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = sealer(&key)?.open_in_place(nonce, Aad::from(name.as_bytes()), content).map_err(|_| bad())?.len();
        // In place: there is no second copy in clear that nobody wipes.
        sealed.copy_within(NONCE_LEN..NONCE_LEN + length, 0);
        let mut plain = Zeroizing::new(sealed);
        zeroize::Zeroize::zeroize(plain.get_mut(length..).unwrap_or_default());
        plain.truncate(length);
        Ok(plain)
    }

    /// The key in force. A credential that is there and of no use is an error, not a reason to take a weaker key.
    fn key(&self) -> io::Result<Option<Zeroizing<[u8; KEY]>>> {
        for file in self.credential.iter().chain([&self.file]) {
            match atomic::read(file, KEY as u64) {
                Ok(bytes) => {
                    let bytes = Zeroizing::new(bytes);
                    let key = <[u8; KEY]>::try_from(bytes.as_slice()).map_err(|_| short())?;
                    return Ok(Some(Zeroizing::new(key)));
                }
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(short()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn make_key(&self) -> io::Result<Zeroizing<[u8; KEY]>> {
        let mut key = Zeroizing::new([0; KEY]);
        random(&mut *key)?;
        atomic::replace(&self.file, &*key)?;
        tracing::warn!(
            file = %self.file.display(),
            "a key for stored PINs and passwords was made beside them; the systemd credential mbimd-key would guard them better"
        );
        Ok(key)
    }
}

fn bad() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "damaged, or sealed with another key")
}

fn short() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the key has to have {KEY} octets"))
}

fn random(octets: &mut [u8]) -> io::Result<()> {
    rustix::rand::getrandom(octets, rustix::rand::GetRandomFlags::empty())?;
    Ok(())
}

fn sealer(key: &[u8; KEY]) -> io::Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| io::Error::other("no cipher"))
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn opens_only_under_its_name_and_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Seal::new(folder.path(), None);
        assert_eq!(seal.open("a", "00").unwrap_err().kind(), io::ErrorKind::NotFound);
        let sealed = seal.seal("a", b"90817263").unwrap();
        assert_ne!(sealed, seal.seal("a", b"90817263").unwrap(), "a fresh nonce");
        assert_eq!(*seal.open("a", &sealed).unwrap(), b"90817263");
        assert!(seal.open("b", &sealed).is_err());
        for damaged in ["", "0", "zz", "é", &sealed[2..], &format!("{sealed}00")] {
            assert!(seal.open("a", damaged).is_err());
        }
        let file = folder.path().join("key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, [7; KEY]).unwrap();
        assert!(seal.open("a", &sealed).is_err());
    }

    #[test]
    fn a_credential_comes_first_and_has_to_be_whole() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = tempfile::tempdir().unwrap();
        let seal = Seal::new(folder.path(), Some(credentials.path().to_path_buf()));
        std::fs::write(credentials.path().join(CREDENTIAL), [1; KEY]).unwrap();
        let sealed = seal.seal("a", b"1").unwrap();
        assert!(!folder.path().join("key").exists());
        assert_eq!(*seal.open("a", &sealed).unwrap(), b"1");
        for length in [0, KEY - 1, KEY + 1] {
            std::fs::write(credentials.path().join(CREDENTIAL), vec![1; length]).unwrap();
            assert!(seal.open("a", &sealed).is_err());
            assert!(seal.seal("a", b"1").is_err());
        }
        assert!(!folder.path().join("key").exists());
    }
}

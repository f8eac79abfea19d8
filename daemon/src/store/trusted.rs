//! Whom this machine trusts for having been told so: signers that the user approved, and certificates that documents
//! named for the next ones; and signers that were revoked. One file.

use std::io;
use std::path::{Path, PathBuf};

use daemon_provisioning::TrustedCertificate;
use serde::{Deserialize, Serialize};

use super::atomic;

/// Largest file, octets.
const MAX_FILE: u64 = 1024 * 1024;
/// Most approved signers; the oldest is forgotten.
const MAX_CONSENTS: usize = 256;
/// Most operators whose documents named certificates; the oldest is forgotten.
const MAX_CARRIERS: usize = 64;
/// Most certificates of one. `[PROV 14.2]`
const MAX_CERTIFICATES: usize = 256;
/// Most signers that are known to be revoked; the oldest is forgotten.
const MAX_REVOKED: usize = 256;
/// Version of the file.
const VERSION: u64 = 1;

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Trusted {
    version: u64,
    /// Oldest first.
    pub(crate) consents: Vec<Consent>,
    /// Oldest first.
    pub(crate) carriers: Vec<Carrier>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) revoked: Vec<Revoked>,
}

/// A signer whose chain has a certificate that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Revoked {
    /// SHA-256 of the leaf certificate, hexadecimal.
    pub(crate) fingerprint: String,
    /// When it may be asked again whether that is still so, seconds since 1970.
    pub(crate) until: u64,
}

/// A signer that the user approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Consent {
    /// SHA-256 of the leaf certificate, hexadecimal.
    pub(crate) fingerprint: String,
    /// Its subject, for people.
    pub(crate) signer: String,
    /// CarrierId of the document that it was asked for.
    pub(crate) carrier_id: String,
    /// When, seconds since 1970.
    pub(crate) date: u64,
}

/// What an operator's newest document that named certificates named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Carrier {
    pub(crate) carrier_id: String,
    pub(crate) certificates: Vec<TrustedCertificate>,
}

/// The file.
#[derive(Debug)]
pub(super) struct TrustFile(PathBuf);

impl TrustFile {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join("trusted.json"))
    }

    /// What it says. One that cannot be understood is put aside: nobody is trusted by it.
    pub(super) fn load(&self) -> io::Result<Trusted> {
        let empty = Trusted { version: VERSION, ..Trusted::default() };
        let bytes = match atomic::read(&self.0, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(empty),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice::<Trusted>(&bytes) {
            Ok(trusted) if trusted.version == VERSION => Ok(trusted),
            _ => {
                tracing::warn!(file = %self.0.display(), "it cannot be understood and is kept aside: approvals are forgotten");
                std::fs::rename(&self.0, self.0.with_extension("json.damaged"))?;
                Ok(empty)
            }
        }
    }

    /// Remembers that the user approved a signer.
    pub(super) fn consent(&self, consent: Consent) -> io::Result<()> {
        let mut trusted = self.load()?;
        trusted.consents.retain(|known| known.fingerprint != consent.fingerprint);
        trusted.consents.push(consent);
        let over = trusted.consents.len().saturating_sub(MAX_CONSENTS);
        trusted.consents.drain(..over);
        self.save(&trusted)
    }

    /// Forgets an approval; whether there was one.
    pub(super) fn revoke(&self, fingerprint: &str) -> io::Result<bool> {
        let mut trusted = self.load()?;
        let before = trusted.consents.len();
        trusted.consents.retain(|known| !known.fingerprint.eq_ignore_ascii_case(fingerprint));
        if trusted.consents.len() == before {
            return Ok(false);
        }
        self.save(&trusted).map(|()| true)
    }

    /// Remembers the certificates that a document named, in the place of those that its operator named before; none
    /// forgets these. Whether anything is different.
    pub(super) fn learn(&self, carrier_id: &str, mut certificates: Vec<TrustedCertificate>) -> io::Result<bool> {
        certificates.truncate(MAX_CERTIFICATES);
        let mut trusted = self.load()?;
        let carrier = Carrier { carrier_id: carrier_id.to_ascii_lowercase(), certificates };
        if trusted.carriers.contains(&carrier) {
            return Ok(false);
        }
        let before = trusted.carriers.len();
        trusted.carriers.retain(|known| known.carrier_id != carrier.carrier_id);
        if carrier.certificates.is_empty() {
            return if trusted.carriers.len() == before { Ok(false) } else { self.save(&trusted).map(|()| true) };
        }
        trusted.carriers.push(carrier);
        let over = trusted.carriers.len().saturating_sub(MAX_CARRIERS);
        trusted.carriers.drain(..over);
        self.save(&trusted).map(|()| true)
    }

    /// Remembers that a signer was revoked, or forgets it.
    pub(super) fn revoked(&self, fingerprint: &str, until: Option<u64>) -> io::Result<()> {
        let mut trusted = self.load()?;
        let before = trusted.revoked.clone();
        trusted.revoked.retain(|known| known.fingerprint != fingerprint);
        trusted.revoked.extend(until.map(|until| Revoked { fingerprint: fingerprint.to_owned(), until }));
        let over = trusted.revoked.len().saturating_sub(MAX_REVOKED);
        trusted.revoked.drain(..over);
        if trusted.revoked == before { Ok(()) } else { self.save(&trusted) }
    }

    fn save(&self, trusted: &Trusted) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(trusted).map_err(io::Error::other)?;
        atomic::replace(&self.0, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(fingerprint: &str) -> Consent {
        Consent { fingerprint: fingerprint.into(), signer: "CN=s".into(), carrier_id: "{c}".into(), date: 7 }
    }

    #[test]
    fn approvals_last_until_they_are_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let file = TrustFile::new(folder.path());
        assert!(file.load().unwrap().consents.is_empty());
        for fingerprint in ["aa", "bb", "aa"] {
            file.consent(consent(fingerprint)).unwrap();
        }
        let known: Vec<_> = file.load().unwrap().consents.into_iter().map(|c| c.fingerprint).collect();
        assert_eq!(known, ["bb", "aa"]);
        assert!(file.revoke("BB").unwrap() && !file.revoke("bb").unwrap());
        assert_eq!(file.load().unwrap().consents, [consent("aa")]);
        for number in 0..=MAX_CONSENTS {
            file.consent(consent(&number.to_string())).unwrap();
        }
        assert_eq!(file.load().unwrap().consents.len(), MAX_CONSENTS);
    }

    #[test]
    fn who_was_revoked_is_kept_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = TrustFile::new(folder.path());
        let known = || -> Vec<(String, u64)> {
            TrustFile::new(folder.path())
                .load()
                .unwrap()
                .revoked
                .into_iter()
                .map(|r| (r.fingerprint, r.until))
                .collect()
        };
        file.consent(consent("aa")).unwrap();
        file.revoked("aa", None).unwrap();
        file.revoked("aa", Some(7)).unwrap();
        file.revoked("bb", Some(8)).unwrap();
        file.revoked("aa", Some(9)).unwrap();
        assert_eq!(known(), [("bb".to_owned(), 8), ("aa".to_owned(), 9)]);
        file.revoked("bb", None).unwrap();
        assert_eq!(known(), [("aa".to_owned(), 9)]);
        assert_eq!(file.load().unwrap().consents.len(), 1);
        let of = |number: usize| Revoked { fingerprint: number.to_string(), until: 1 };
        let full = Trusted { revoked: (0..MAX_REVOKED).map(of).collect(), ..file.load().unwrap() };
        file.save(&full).unwrap();
        file.revoked("aa", Some(1)).unwrap();
        assert_eq!((known().len(), &*known()[0].0, &*known()[MAX_REVOKED - 1].0), (MAX_REVOKED, "1", "aa"));
    }

    #[test]
    fn the_newest_document_of_an_operator_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = TrustFile::new(folder.path());
        let named = |subject: &str| TrustedCertificate { subject: subject.into(), issuer: "CN=i".into() };
        assert!(file.learn("{A}", vec![named("CN=1"), named("CN=2")]).unwrap());
        assert!(file.learn("{b}", vec![named("CN=3")]).unwrap());
        assert!(!file.learn("{B}", vec![named("CN=3")]).unwrap());
        assert!(file.learn("{a}", vec![named("CN=4")]).unwrap());
        assert!(!file.learn("{c}", Vec::new()).unwrap());
        assert!(file.learn("{c}", vec![named("CN=5")]).unwrap() && file.learn("{C}", Vec::new()).unwrap());
        let carriers = file.load().unwrap().carriers;
        let told: Vec<_> = carriers.iter().map(|c| (c.carrier_id.as_str(), c.certificates.len())).collect();
        assert_eq!(told, [("{b}", 1), ("{a}", 1)]);
    }

    #[test]
    fn a_file_that_cannot_be_understood_trusts_nobody_and_is_kept() {
        for text in ["", "{}", "[]", r#"{"version":2,"consents":[],"carriers":[]}"#] {
            let folder = tempfile::tempdir().unwrap();
            let file = TrustFile::new(folder.path());
            std::fs::write(folder.path().join("trusted.json"), text).unwrap();
            assert!(file.load().unwrap().consents.is_empty());
            assert_eq!(std::fs::read_to_string(folder.path().join("trusted.json.damaged")).unwrap(), text);
            file.consent(consent("aa")).unwrap();
            assert_eq!(file.load().unwrap().consents.len(), 1);
        }
    }
}

//! Documents that are signed: having them checked, knowing whom to trust, asking about the others.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use daemon_provisioning::{Chain, Code, Refused, Trust, Validated};
use daemon_verify::{Named, Question, Request, Verified};
use zeroize::{Zeroize as _, Zeroizing};

use crate::host::probe::lists::Link;
use crate::host::verify;
use crate::store::{Store, roots};

/// How signatures are checked.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    /// Roots of the administrator.
    pub(crate) trust_dir: PathBuf,
    /// Whether SHA-1 will do.
    pub(crate) sha1: bool,
    /// `mbimd-verify`, or why it is not there.
    pub(crate) verifier: Result<PathBuf, String>,
    /// Seconds since 1970.
    pub(crate) clock: fn() -> u64,
    /// Whether it was ever set.
    pub(crate) clock_is_set: fn() -> bool,
    /// What revocation lists said of signers.
    pub(crate) recalled: Recalled,
}

/// The machine's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Checks {
    /// A signed document as its signer signed it; an unsigned one as it is. `link`: over which may be asked whether the
    /// signer's certificate was revoked. `[PROV 12.1]`, step 5.
    pub(super) async fn verified(
        &self,
        document: &[u8],
        validated: Validated,
        link: Option<&Link>,
    ) -> Result<Validated, Refused> {
        if !validated.is_signed() {
            return Ok(validated);
        }
        let mut verified = self.asked(document, &[]).await?;
        if matches!(verified.signer.chain, Chain::Trusted { .. }) {
            self.revocation(document, &mut verified, link).await;
        }
        let octets = Zeroizing::new(verified.octets);
        Ok(validated.verified(&octets, verified.signer)?)
    }

    async fn asked(&self, document: &[u8], fetched: &[Vec<u8>]) -> Result<Verified, Refused> {
        // The reason is the machine's, the code the document's: it cannot be taken.
        let unchecked = |why: String| {
            tracing::error!(error = why, "a signature could not be checked");
            Refused::new(Code::SIGNATURE_INVALID, format!("the signature could not be checked: {why}"))
        };
        let program = self.verifier.clone().map_err(unchecked)?;
        let question = self.question(document, fetched).await.map_err(unchecked)?;
        verify::ask(&program, question).await.map_err(unchecked)?.map_err(Refused::from)
    }

    /// Asks whether a certificate of the chain was revoked, where its authorities say it and the Internet can be reached. What
    /// cannot be learnt is logged and refuses nothing. `[PROV 12.3]`
    async fn revocation(&self, document: &[u8], verified: &mut Verified, link: Option<&Link>) {
        let (name, now) = (verified.signer.name(), (self.clock)());
        if verified.revocation.is_known || verified.signer.revocation.is_empty() {
            return;
        }
        match self.recalled.recall(&verified.signer.fingerprint, now) {
            Some(Fate::InForce) => return,
            Some(Fate::Revoked) => {
                let reason = "a certificate of the chain was revoked".to_owned();
                verified.signer.chain = Chain::Untrusted { reason };
                return;
            }
            None => {}
        }
        if verified.revocation.lists.is_empty() {
            tracing::info!(signer = name, "its issuer offers no revocation list over HTTP: nobody is asked about it");
            return;
        }
        let Some(link) = link else {
            tracing::info!(signer = name, "whether it was revoked cannot be asked before the Internet is reached");
            return;
        };
        let mut fetched = Vec::new();
        for (address, list) in verified.revocation.lists.iter().zip(link.lists(&verified.revocation.lists).await) {
            match list {
                Ok(list) => fetched.push(list),
                Err(why) => tracing::warn!(signer = name, address, why, "a revocation list is not there"),
            }
        }
        if fetched.is_empty() {
            return;
        }
        let whole = fetched.len() == verified.revocation.lists.len();
        let again = match self.asked(document, &fetched).await {
            Ok(again) => again,
            // It was good a moment ago: the lists are to blame.
            Err(error) => {
                tracing::warn!(signer = name, %error, "revocation lists could not be used");
                return;
            }
        };
        let counts = &again.revocation.fetched;
        let until = counts.iter().flatten().min().copied();
        let revoked = matches!(again.signer.chain, Chain::Untrusted { .. });
        if counts.iter().any(Option::is_none) {
            tracing::warn!(signer = name, "a revocation list is not of its issuer, or over");
        }
        match until {
            Some(_) if revoked => tracing::warn!(signer = name, "a certificate of its chain was revoked"),
            Some(_) => {
                tracing::info!(signer = name, known = again.revocation.is_known, "revocation lists do not name it")
            }
            None => {}
        }
        if let Some(until) =
            until.filter(|_| revoked || (whole && again.revocation.is_known && counts.iter().all(Option::is_some)))
        {
            let fate = if revoked { Fate::Revoked } else { Fate::InForce };
            self.recalled.note(&again.signer.fingerprint, fate, until);
        }
        verified.octets.zeroize();
        *verified = again;
    }

    async fn question(&self, document: &[u8], fetched: &[Vec<u8>]) -> Result<Zeroizing<Vec<u8>>, String> {
        let (folder, fetched) = (self.trust_dir.clone(), fetched.to_vec());
        let document = Zeroizing::new(document.to_vec());
        let (clock, sha1) = ((self.clock)(), self.sha1);
        let read = move || {
            let known = roots::read(Path::new(&folder));
            let (roots, revocation_lists, fetched_lists) = (&known.roots, &known.revocation_lists, &fetched);
            Zeroizing::new(Question::encode(&Request {
                document: &document,
                clock,
                sha1,
                roots,
                revocation_lists,
                fetched_lists,
            }))
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())
    }
}

/// Most signers whose fate is remembered.
const MAX_FATES: usize = 64;

/// What lists said of a signer's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    InForce,
    Revoked,
}

/// What lists said lately, by the signers' fingerprints, each as long as the lists count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recalled(Arc<Mutex<Vec<(String, Fate, u64)>>>);

impl Recalled {
    fn recall(&self, fingerprint: &str, now: u64) -> Option<Fate> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, until)| *until > now);
        known.iter().find(|(of, _, _)| of == fingerprint).map(|(_, fate, _)| *fate)
    }

    fn note(&self, fingerprint: &str, fate: Fate, until: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(of, _, _)| of != fingerprint);
        if known.len() >= MAX_FATES {
            known.remove(0);
        }
        known.push((fingerprint.to_owned(), fate, until));
    }
}

/// Whom this machine trusts. A store that cannot be read trusts nobody.
pub(super) async fn trust(store: &Store, trust_dir: &Path) -> Trust {
    let trusted = store.trusted().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "whom this machine was told to trust cannot be read");
        Default::default()
    });
    let folder = trust_dir.to_path_buf();
    // It ends as it began or panics; then nobody is named.
    let named = tokio::task::spawn_blocking(move || roots::folder(&folder).named).await.unwrap_or_default();
    let learned = trusted.carriers.into_iter().flat_map(|carrier| {
        let of = carrier.carrier_id;
        carrier.certificates.into_iter().map(move |named| (of.clone(), named))
    });
    let mut trust = Trust {
        supplied: Vec::new(),
        learned: learned.collect(),
        consented: trusted.consents.into_iter().map(|consent| consent.fingerprint).collect(),
    };
    for Named { carrier_id, certificates } in named {
        match carrier_id {
            Some(of) => trust.learned.extend(certificates.into_iter().map(|named| (of.clone(), named))),
            None => trust.supplied.extend(certificates),
        }
    }
    trust
}

//! Documents that are signed: having them checked, knowing whom to trust, asking about the others.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use daemon_provisioning::{Chain, Code, Refused, Trust, Validated};
use daemon_verify::{Named, Offer, Question, Request, Verified};
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
    /// What responders and revocation lists said of signers.
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
        store: &Store,
    ) -> Result<Validated, Refused> {
        if !validated.is_signed() {
            return Ok(validated);
        }
        let mut verified = self.asked(document, &[]).await?;
        if matches!(verified.signer.chain, Chain::Trusted { .. }) {
            self.revocation(document, &mut verified, link, store).await;
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
    /// cannot be learnt is logged and refuses nothing; what was learnt once is not forgotten because it cannot be asked
    /// again. `[PROV 12.3]`
    async fn revocation(&self, document: &[u8], verified: &mut Verified, link: Option<&Link>, store: &Store) {
        let (name, now) = (verified.signer.name(), (self.clock)());
        let fingerprint = verified.signer.fingerprint.clone();
        let offers = verified.revocation.offers.clone();
        let revoked = match store.trusted().await {
            Ok(trusted) => trusted.revoked.into_iter().find(|known| known.fingerprint == fingerprint),
            // Then nobody is trusted either.
            Err(_) => None,
        };
        if let Some(revoked) = &revoked {
            let reason = "a certificate of the chain was revoked".to_owned();
            verified.signer.chain = Chain::Untrusted { reason };
            if revoked.until > now {
                return;
            }
        } else if verified.revocation.is_known
            || verified.signer.revocation.is_empty()
            || self.recalled.is_in_force(&fingerprint, now)
        {
            return;
        }
        if offers.is_empty() {
            tracing::info!(
                signer = name,
                "its issuer offers neither responder nor list over HTTP: nobody is asked about it"
            );
            return;
        }
        let Some(link) = link else {
            tracing::info!(signer = name, "whether it was revoked cannot be asked before the Internet is reached");
            return;
        };
        let Some((mut again, whole)) = self.offered(document, &name, &offers, link).await else { return };
        let until = again.revocation.fetched.iter().flatten().min().copied();
        let is_revoked = matches!(again.signer.chain, Chain::Untrusted { .. });
        let remembered = match until {
            Some(until) if is_revoked => {
                tracing::warn!(signer = name, "a certificate of its chain was revoked");
                store.revoked(fingerprint, Some(until)).await
            }
            Some(until) => {
                let known = whole && again.revocation.is_known;
                tracing::info!(signer = name, known, "it was not revoked, as far as was answered");
                match revoked {
                    // One word against another: all of them are needed.
                    Some(_) if !known => return again.octets.zeroize(),
                    Some(_) => store.revoked(fingerprint, None).await,
                    None if known => {
                        self.recalled.note(&fingerprint, until);
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
            None => return again.octets.zeroize(),
        };
        if let Err(error) = remembered {
            tracing::warn!(signer = name, %error, "what was learnt of its certificate cannot be kept");
        }
        verified.octets.zeroize();
        *verified = again;
    }

    /// What becomes of a document when those are asked who know about its certificates, and whether they told of all of them.
    /// Responders first, whose answers are small; lists where there is none, or none that counts.
    async fn offered(&self, document: &[u8], name: &str, offers: &[Offer], link: &Link) -> Option<(Verified, bool)> {
        let mut came: Vec<(String, Vec<u8>)> = Vec::new();
        let mut latest: Option<Verified> = None;
        let choices: [fn(&Offer) -> Option<&String>; 2] =
            [|offer| offer.responder.as_ref().or(offer.list.as_ref()), |offer| offer.list.as_ref()];
        let is_told = |offer: &Offer, came: &[(String, Vec<u8>)], latest: &Option<Verified>| {
            let counts = latest.iter().flat_map(|latest| &latest.revocation.fetched);
            came.iter().zip(counts).any(|((address, _), until)| {
                until.is_some() && (offer.responder.as_ref() == Some(address) || offer.list.as_ref() == Some(address))
            })
        };
        let mut asked: Vec<String> = Vec::new();
        for choice in choices {
            let mut now: Vec<String> = Vec::new();
            for address in offers.iter().filter(|offer| !is_told(offer, &came, &latest)).filter_map(choice) {
                if !asked.contains(address) && !now.contains(address) {
                    now.push(address.clone());
                }
            }
            let before = came.len();
            for (address, answer) in now.iter().zip(link.fetch(&now).await) {
                match answer {
                    Ok(answer) => came.push((address.clone(), answer)),
                    Err(why) => {
                        tracing::warn!(signer = name, address, why, "a certificate's fate cannot be asked there")
                    }
                }
            }
            asked.append(&mut now);
            if came.len() == before {
                continue;
            }
            let fetched: Vec<Vec<u8>> = came.iter().map(|(_, answer)| answer.clone()).collect();
            match self.asked(document, &fetched).await {
                Ok(again) => {
                    let counts = again.revocation.fetched.iter().skip(before);
                    for ((address, _), _) in came.iter().skip(before).zip(counts).filter(|(_, until)| until.is_none()) {
                        tracing::warn!(
                            signer = name,
                            address,
                            "the answer is not of the issuer, is over, or says nothing"
                        );
                    }
                    let is_over = matches!(again.signer.chain, Chain::Untrusted { .. });
                    if let Some(mut former) = latest.replace(again) {
                        former.octets.zeroize();
                    }
                    if is_over {
                        break;
                    }
                }
                // It was good a moment ago: what was fetched is to blame.
                Err(error) => {
                    tracing::warn!(signer = name, %error, "what was fetched about its certificate could not be used");
                    break;
                }
            }
        }
        let whole = offers.iter().all(|offer| is_told(offer, &came, &latest));
        latest.map(|latest| (latest, whole))
    }

    async fn question(&self, document: &[u8], fetched: &[Vec<u8>]) -> Result<Zeroizing<Vec<u8>>, String> {
        let (folder, fetched) = (self.trust_dir.clone(), fetched.to_vec());
        let document = Zeroizing::new(document.to_vec());
        let (clock, sha1) = ((self.clock)(), self.sha1);
        let read = move || {
            let known = roots::read(Path::new(&folder));
            let (roots, revocation_lists, fetched) = (&known.roots, &known.revocation_lists, &fetched);
            Zeroizing::new(Question::encode(&Request {
                document: &document,
                clock,
                sha1,
                roots,
                revocation_lists,
                fetched,
            }))
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())
    }
}

/// Most signers of whom it is remembered.
const MAX_IN_FORCE: usize = 64;

/// Signers of whom it was said lately that they are in force, by their fingerprints, each as long as what was said counts. Who
/// is not, the store remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recalled(Arc<Mutex<Vec<(String, u64)>>>);

impl Recalled {
    fn is_in_force(&self, fingerprint: &str, now: u64) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, until)| *until > now);
        known.iter().any(|(of, _)| of == fingerprint)
    }

    fn note(&self, fingerprint: &str, until: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(of, _)| of != fingerprint);
        if known.len() >= MAX_IN_FORCE {
            known.remove(0);
        }
        known.push((fingerprint.to_owned(), until));
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

//! Documents that are signed: having them checked, knowing whom to trust, asking about the others.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use daemon_provisioning::{Code, Refused, Trust, Validated};
use daemon_verify::{Named, Question, Request};

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
}

/// The machine's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Checks {
    /// A signed document as its signer signed it; an unsigned one as it is. `[PROV 12.1]`, step 5.
    pub(super) async fn verified(&self, document: &[u8], validated: Validated) -> Result<Validated, Refused> {
        if !validated.is_signed() {
            return Ok(validated);
        }
        // The reason is the machine's, the code the document's: it cannot be taken.
        let unchecked = |why: String| {
            tracing::error!(error = why, "a signature could not be checked");
            Refused::new(Code::SIGNATURE_INVALID, format!("the signature could not be checked: {why}"))
        };
        let program = self.verifier.clone().map_err(unchecked)?;
        let question = self.question(document).await.map_err(unchecked)?;
        let answer = verify::ask(&program, question).await.map_err(unchecked)?;
        let verified = answer.map_err(Refused::from)?;
        if !verified.signer.revocation.is_empty() {
            tracing::info!(
                signer = verified.signer.name(),
                "whether the signer's certificate was revoked is not asked online; lists in the trust directory count"
            );
        }
        Ok(validated.verified(&verified.octets, verified.signer)?)
    }

    async fn question(&self, document: &[u8]) -> Result<Vec<u8>, String> {
        let (folder, document) = (self.trust_dir.clone(), document.to_vec());
        let (clock, sha1) = ((self.clock)(), self.sha1);
        let read = move || {
            let known = roots::read(Path::new(&folder));
            let (roots, revocation_lists) = (&known.roots, &known.revocation_lists);
            Question::encode(&Request { document: &document, clock, sha1, roots, revocation_lists })
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())
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

//! Signatures of account-provisioning documents: an enveloped XML signature in the one shape that is allowed, checked
//! with the key of the leaf certificate. Pure: no file, no network, no clock. [PROV 9, 12.3]
//!
//! What comes out of [`Verifier::verify`] are the very octets that the signer's digest covers. The document that is applied
//! is read from them and from nothing else, so that there is no way to have one thing signed and another one applied:
//! whatever was added, moved or wrapped is either among these octets, and then its digest is wrong, or it is not, and
//! then nobody sees it.
//!
//! Whether the signer is to be believed is not said here: [`Signer`] has the facts, the table is in
//! `daemon-provisioning`.
#![forbid(unsafe_code)]

mod algorithm;
mod canonical;
mod certificate;
mod folder;
mod fuzz;
#[cfg_attr(not(feature = "responders"), path = "nobody.rs")]
mod responder;
mod shape;
#[cfg(feature = "sign")]
mod sign;
mod wire;

pub use algorithm::{DigestAlgorithm, SignatureAlgorithm};
pub use canonical::Method;
pub use certificate::{
    Described, EXTENDED_VALIDATION, MAX_OFFERS, Root, certificates_in, describe, fingerprint, revocation_lists_in,
};
use daemon_provisioning::{Code, Refused, Signed, Signer};
pub use folder::{Folder, FolderProblem, Named, is_of_trust};
pub use fuzz::{fuzz_document, fuzz_stored};
use serde::{Deserialize, Serialize};
#[cfg(feature = "sign")]
pub use sign::{Key, Signing, sign};
pub use wire::{Answer, Asked, MAX_ANSWER, MAX_QUESTION, Question, WireError};

/// What is to be checked, and against what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The document as it came.
    pub document: &'a [u8],
    /// Now, seconds since 1970.
    pub clock: u64,
    /// Whether SHA-1 is accepted: for signers of old. [PROV 9.3]
    pub sha1: bool,
    /// Whom a chain may lead to.
    pub roots: &'a [Root],
    /// Revocation lists (DER) that are at hand; a certificate that one of them names is refused.
    pub revocation_lists: &'a [Vec<u8>],
    /// Revocation lists and answers of responders (DER) that were fetched over a network that nobody vouches for: one that its
    /// authority did not sign, or whose time is over, is as if it were not there.
    pub fetched: &'a [Vec<u8>],
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The octets that were signed: the document in canonical form, without its signature.
    pub octets: Vec<u8>,
    /// Who signed.
    pub signer: Signer,
    /// What is known of revocations.
    pub revocation: Revocation,
}

/// What became of asking whether certificates of the chain were revoked. That one was is the chain's fate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Where it can be asked, of each certificate of the chain whose authority says where, the signer's own first; empty where the
    /// chain is not trusted anyway.
    pub offers: Vec<Offer>,
    /// Of each list or answer that was fetched until when it counts, seconds since 1970; `None`: it counts for nothing.
    pub fetched: Vec<Option<u64>>,
    /// Whether something at hand, fetched or not, is about the signer's own certificate.
    pub is_known: bool,
}

/// Where to ask whether a certificate was revoked; addresses (`http`) for GET, of which there is one at least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The responder of its issuer, with the question in the address: the answer is small.
    pub responder: Option<String>,
    /// Its issuer's revocation list, which may be large and be about several.
    pub list: Option<String>,
}

/// A signature that does not hold, or cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The code of [PROV 11.1].
    pub code: Code,
    /// One sentence for people; no value of the document.
    pub reason: String,
    /// Whose certificate the signature has, where that could be read.
    pub signed: Option<Signed>,
}

impl Rejected {
    fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), signed: None }
    }
}

impl From<Rejected> for Refused {
    fn from(Rejected { code, reason, signed }: Rejected) -> Self {
        Self { code, reason, signed: signed.map(Box::new) }
    }
}

impl core::fmt::Display for Rejected {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl core::error::Error for Rejected {}

/// Something that checks signatures.
pub trait Verifier {
    /// Checks the signature of a document, in the order of [PROV 12.1] step 5; the chain's fate is among the facts of the
    /// signer.
    ///
    /// # Errors
    /// The code of the first thing that is wrong.
    fn verify(&self, request: &Request<'_>) -> Result<Verified, Rejected>;
}

/// The one that this project uses: the shape of [PROV 9.1] and nothing else. See docs/decisions/0007.
#[derive(Debug, Clone, Copy, Default)]
pub struct Narrow;

impl Verifier for Narrow {
    fn verify(&self, request: &Request<'_>) -> Result<Verified, Rejected> {
        let text = daemon_provisioning::decode(request.document).map_err(|invalid| malformed(&invalid))?;
        let tree = daemon_provisioning::parse(&text).map_err(|invalid| malformed(&invalid))?;
        let shape = shape::read(&tree)?;
        let certificates = certificate::Certificates::read(shape.certificates.clone())?;
        self.hold(request, &tree, &shape, &certificates)
            .map_err(|rejected| Rejected { signed: certificates.signed(), ..rejected })
    }
}

impl Narrow {
    /// Steps 5 and 6 of [PROV 12.1], the signature and its certificates having been read.
    fn hold(
        self,
        request: &Request<'_>,
        tree: &daemon_provisioning::Tree<'_>,
        shape: &shape::Shape<'_>,
        certificates: &certificate::Certificates,
    ) -> Result<Verified, Rejected> {
        let (signature_algorithm, digest_algorithm) = shape.algorithms(request.sha1)?;

        let mut form = canonical::Bounded::new(request.document.len(), daemon_provisioning::MAX_DOCUMENT);
        canonical::document(tree, Some(shape.signature), &mut form);
        // What is applied is read from these octets, under the same limit.
        let Some(form) = form.finish() else {
            return Err(Rejected::new(Code::FILE_TOO_LARGE, "too large in canonical form"));
        };
        let digest = digest_algorithm.digest(form.as_bytes());
        if digest.as_ref() != shape.digest {
            return Err(Rejected::new(Code::DIGEST_INVALID, "the document was changed after it was signed"));
        }
        let signed_info = canonical::element(shape.signed_info, shape.method);
        let holds =
            certificates.key().is_some_and(|key| signature_algorithm.verify(key, signed_info.as_bytes(), &shape.value));
        if !holds {
            let reason = "the signature value is not that of the certificate's key, or the key is too weak";
            return Err(Rejected::new(Code::SIGNATURE_INVALID, reason));
        }
        let (signer, revocation) = certificates
            .signer(request)
            .ok_or_else(|| Rejected::new(Code::NO_LEAF_CERTIFICATE, "the signature has no certificate"))?;
        Ok(Verified { octets: form.into_bytes(), signer, revocation })
    }
}

fn malformed(invalid: &daemon_provisioning::Invalid) -> Rejected {
    let rule = invalid.violations().first().map(ToString::to_string).unwrap_or_default();
    Rejected::new(invalid.code(), rule)
}

//! Certificates: who is the signer, whom does the chain lead to, may it sign. [PROV 9.4, 12.3]

use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daemon_provisioning::{Chain, Code, Name, Signed, Signer};
use ring::digest;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use serde::{Deserialize, Serialize};
use webpki::ring as algorithms;
use x509_cert::Certificate;
use x509_cert::der::asn1::{
    BmpString, Ia5StringRef, ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef,
};
use x509_cert::der::{Any, Decode as _, Encode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, CertificatePolicies, CrlDistributionPoints, IssuerAltName, KeyUsage, SubjectAltName,
};

use crate::{Offer, Rejected, Request, Revocation, responder};

/// The policy that the CA/Browser Forum gives to extended validation.
pub const EXTENDED_VALIDATION: &str = "2.23.140.1.1";
const ANY_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32.0");

/// What may have signed certificates of the chain.
pub(crate) const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ED25519,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];

/// A root that the administrator or the system trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The certificate, DER.
    #[serde(skip)]
    pub der: Vec<u8>,
    /// Dotted policies that mean extended validation under this root; by default there are none, trusted or not.
    pub extended_validation: Vec<String>,
}

/// The certificates in PEM text, in its order; what is between them is skipped.
#[must_use]
pub fn certificates_in(pem: &str) -> Vec<Vec<u8>> {
    blocks(pem, "CERTIFICATE")
}

/// The revocation lists in PEM text.
#[must_use]
pub fn revocation_lists_in(pem: &str) -> Vec<Vec<u8>> {
    blocks(pem, "X509 CRL")
}

pub(crate) fn blocks(pem: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut found = Vec::new();
    let mut rest = pem;
    while let Some((_, after)) = rest.split_once(&begin) {
        let Some((body, after)) = after.split_once(&end) else { break };
        let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        found.extend(STANDARD.decode(body).ok());
        rest = after;
    }
    found
}

/// What a certificate says of itself, for a listing.
///
/// # Errors
/// What is wrong with it, for people.
pub fn describe(der: &[u8]) -> Result<Described, String> {
    let certificate = Certificate::from_der(der).map_err(|_| "it is not an X.509 certificate".to_owned())?;
    let authority = certificate
        .tbs_certificate()
        .get_extension::<x509_cert::ext::pkix::BasicConstraints>()
        .ok()
        .flatten()
        .is_some_and(|(_, constraints)| constraints.ca);
    Ok(Described {
        subject: name(certificate.tbs_certificate().subject()).to_string(),
        fingerprint: fingerprint(der),
        is_authority: authority,
    })
}

/// Answer of [`describe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its subject, for people.
    pub subject: String,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
    /// Whether it may issue certificates.
    pub is_authority: bool,
}

/// SHA-256 of a certificate, 64 lower-case hexadecimal digits.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    digest::digest(&digest::SHA256, der).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The certificates of a signature.
pub(crate) struct Certificates {
    der: Vec<Vec<u8>>,
    parsed: Vec<Certificate>,
    leaf: usize,
}

impl Certificates {
    /// Reads them and finds the leaf: the one that issued none of the others; else the first.
    pub(crate) fn read(der: Vec<Vec<u8>>) -> Result<Self, Rejected> {
        let mut parsed = Vec::new();
        for der in &der {
            let certificate = Certificate::from_der(der)
                .map_err(|_| Rejected::new(Code::SIGNATURE_INVALID, "a certificate cannot be read"))?;
            parsed.push(certificate);
        }
        let issued_another = |index: usize, certificate: &Certificate| {
            parsed.iter().enumerate().any(|(other, child)| {
                other != index && child.tbs_certificate().issuer() == certificate.tbs_certificate().subject()
            })
        };
        let leaf = parsed.iter().enumerate().position(|(index, certificate)| !issued_another(index, certificate));
        let leaf = leaf.unwrap_or(0);
        if parsed.is_empty() {
            return Err(Rejected::new(Code::NO_LEAF_CERTIFICATE, "the signature has no certificate"));
        }
        Ok(Self { der, parsed, leaf })
    }

    /// Key of the leaf; nothing else is ever used.
    pub(crate) fn key(&self) -> Option<&x509_cert::spki::SubjectPublicKeyInfoOwned> {
        self.parsed.get(self.leaf).map(|leaf| leaf.tbs_certificate().subject_public_key_info())
    }

    /// Whose the leaf is, whatever it is worth.
    pub(crate) fn signed(&self) -> Option<Signed> {
        let (der, leaf) = (self.der.get(self.leaf)?, self.parsed.get(self.leaf)?);
        Some(Signed { subject: name(leaf.tbs_certificate().subject()).rfc4514(), fingerprint: fingerprint(der) })
    }

    /// What is to be known of the signer.
    pub(crate) fn signer(&self, request: &Request<'_>) -> Option<(Signer, Revocation)> {
        let (der, leaf) = (self.der.get(self.leaf)?, self.parsed.get(self.leaf)?);
        let certificate = leaf.tbs_certificate();
        let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
        let mut subjects = vec![name(certificate.subject())];
        if let Ok(Some((_, SubjectAltName(names)))) = certificate.get_extension() {
            subjects.extend(names.iter().filter_map(directory));
        }
        let mut issuers = vec![name(certificate.issuer())];
        if let Ok(Some((_, IssuerAltName(names)))) = certificate.get_extension() {
            issuers.extend(names.iter().filter_map(directory));
        }
        let usage = certificate.get_extension::<KeyUsage>();
        let (chain, known) = self.chain(request);
        let signer = Signer {
            fingerprint: fingerprint(der),
            subjects,
            issuers,
            not_before: seconds(&certificate.validity().not_before),
            not_after: seconds(&certificate.validity().not_after),
            may_sign: matches!(usage, Ok(Some((_, usage))) if usage.digital_signature()),
            chain,
            revocation: revocation(leaf),
        };
        Some((signer, known))
    }

    fn chain(&self, request: &Request<'_>) -> (Chain, Revocation) {
        let Request { clock, roots, revocation_lists, fetched, .. } = *request;
        // Where the chain leads nowhere, what was fetched is not looked at.
        let nothing = Revocation { fetched: vec![None; fetched.len()], ..Revocation::default() };
        let untrusted = |reason: &str| (Chain::Untrusted { reason: reason.to_owned() }, nothing.clone());
        let mut anchors: Vec<TrustAnchor<'_>> = Vec::new();
        let mut owners: Vec<&Root> = Vec::new();
        let certificates: Vec<CertificateDer<'_>> =
            roots.iter().map(|root| CertificateDer::from(root.der.as_slice())).collect();
        for (root, der) in roots.iter().zip(&certificates) {
            // A root that cannot be read is nobody's: the others still count.
            if let Ok(anchor) = webpki::anchor_from_trusted_cert(der) {
                anchors.push(anchor);
                owners.push(root);
            }
        }
        let Some(leaf) = self.der.get(self.leaf).map(|der| CertificateDer::from(der.as_slice())) else {
            return untrusted("there is no leaf");
        };
        let leaf = match webpki::EndEntityCert::try_from(&leaf) {
            Ok(leaf) => leaf,
            Err(error) => return untrusted(reason(&error)),
        };
        let others: Vec<CertificateDer<'_>> = self
            .der
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != self.leaf)
            .map(|(_, der)| CertificateDer::from(der.as_slice()))
            .collect();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(clock));
        let at_hand: Vec<_> = revocation_lists.iter().filter_map(|der| list(der)).collect();
        let fetched_lists: Vec<_> = fetched.iter().map(|der| list(der)).collect();
        // Which policies the anchor of a path has for extended validation, and its owner.
        let owner = |anchor: &TrustAnchor<'_>| -> Vec<&Root> {
            let same = |known: &TrustAnchor<'_>| {
                known.subject == anchor.subject && known.subject_public_key_info == anchor.subject_public_key_info
            };
            anchors.iter().zip(&owners).filter(|(known, _)| same(known)).map(|(_, root)| *root).collect()
        };
        let is_extended = |path: &webpki::VerifiedPath<'_>| {
            let owners = owner(path.anchor());
            let mut wanted = owners.iter().flat_map(|root| &root.extended_validation);
            let leaf = self.parsed.get(self.leaf).map(policies).unwrap_or_default();
            let between: Vec<Vec<ObjectIdentifier>> = path
                .intermediate_certificates()
                .map(|certificate| Certificate::from_der(&certificate.der()).map(|c| policies(&c)).unwrap_or_default())
                .collect();
            wanted.any(|policy| {
                ObjectIdentifier::new(policy).is_ok_and(|policy| {
                    leaf.contains(&policy)
                        && between.iter().all(|has| has.contains(&policy) || has.contains(&ANY_POLICY))
                })
            })
        };
        let only_extended = |path: &webpki::VerifiedPath<'_>| {
            // Any error will do: it makes the search go on to the next path.
            if is_extended(path) { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
        };
        let verify = |extended: bool, lists: &Lists<'_, '_>, what_for: Use| {
            let options = webpki::RevocationOptionsBuilder::new(lists).ok().map(|builder| {
                // What no list knows is no reason to refuse: a walled garden may hide them. [PROV 12.3]
                let builder = builder.with_status_policy(webpki::UnknownStatusPolicy::Allow);
                match what_for {
                    Use::Counts => builder,
                    Use::Checks => builder.with_expiration_policy(webpki::ExpirationPolicy::Enforce),
                    Use::Knows => builder
                        .with_status_policy(webpki::UnknownStatusPolicy::Deny)
                        .with_depth(webpki::RevocationCheckDepth::EndEntity),
                }
                .build()
            });
            let check = extended.then_some(&only_extended as &PathCheck<'_>);
            leaf.verify_for_usage(ALGORITHMS, &anchors, &others, time, Purpose::Any, options, check)
        };
        let best = |lists: &Lists<'_, '_>| match verify(true, lists, Use::Counts) {
            Ok(path) => Ok((path, true)),
            Err(_) => verify(false, lists, Use::Counts).map(|path| (path, false)),
        };
        let mut lists: Vec<&webpki::CertRevocationList<'_>> = at_hand.iter().collect();
        let mut found = match best(&lists) {
            Ok(found) => found,
            Err(error) => return untrusted(reason(&error)),
        };
        let links = self.links(&found.0, &owner(found.0.anchor()));
        let mut known = Revocation { offers: offers(&links), ..Revocation::default() };
        // Each by itself: one that is not what it says spoils neither the others nor the chain.
        let mut answers = Vec::new();
        for (list, der) in fetched_lists.iter().zip(fetched) {
            let good = list
                .as_ref()
                .filter(|list| matches!(verify(false, &[list], Use::Checks), Ok(_) | Err(webpki::Error::CertRevoked)));
            lists.extend(good);
            let answer = match list {
                Some(_) => None,
                None => links.iter().find_map(|link| Some((link.is_leaf, link.told(der, clock)?))),
            };
            let until = answer.map(|(_, told)| counts_for(told.until, clock));
            known.fetched.push(good.map(|_| counts_until(der, clock)).or(until));
            answers.extend(answer);
        }
        if known.fetched.iter().any(Option::is_some) {
            found = match best(&lists) {
                Ok(found) => found,
                Err(error) => return (Chain::Untrusted { reason: reason(&error).to_owned() }, known),
            };
        }
        if answers.iter().any(|(_, told)| told.revoked) {
            return (Chain::Untrusted { reason: reason(&webpki::Error::CertRevoked).to_owned() }, known);
        }
        known.is_known = answers.iter().any(|(about_leaf, _)| *about_leaf)
            || (!lists.is_empty() && verify(false, &lists, Use::Knows).is_ok());
        let (path, extended_validation) = found;
        let root = owner(path.anchor()).first().and_then(|root| describe(&root.der).ok());
        let root = root.map(|root| root.subject).unwrap_or_default();
        (Chain::Trusted { root, extended_validation }, known)
    }

    /// The certificates of a path with their issuers, the signer's own first; one whose issuer cannot be told is left out.
    fn links(&self, path: &webpki::VerifiedPath<'_>, roots: &[&Root]) -> Vec<Link> {
        let leaf = self.der.get(self.leaf).map(|der| CertificateDer::from(der.clone()));
        let mut all: Vec<CertificateDer<'static>> = leaf.into_iter().collect();
        all.extend(path.intermediate_certificates().map(|found| found.der().into_owned()));
        all.extend(roots.first().map(|root| CertificateDer::from(root.der.clone())));
        let pairs = all.iter().zip(all.iter().skip(1)).enumerate();
        pairs
            .filter_map(|(place, (der, issuer))| {
                let certificate = Certificate::from_der(der).ok()?;
                Some(Link { is_leaf: place == 0, certificate, issuer: issuer.clone() })
            })
            .collect()
    }
}

/// A certificate of a path, and its issuer's.
struct Link {
    is_leaf: bool,
    certificate: Certificate,
    issuer: CertificateDer<'static>,
}

impl Link {
    fn told(&self, answer: &[u8], clock: u64) -> Option<responder::Told> {
        responder::told(answer, &self.certificate, &self.issuer, clock)
    }
}

/// Where can be asked: only what authorities on the path vouch for, one address of each kind.
fn offers(links: &[Link]) -> Vec<Offer> {
    let mut all: Vec<Offer> = Vec::new();
    for Link { certificate, issuer, .. } in links {
        let list = lists_of(certificate).into_iter().find(|address| address.starts_with(PLAIN));
        let responder = responders_of(certificate).into_iter().find(|address| address.starts_with(PLAIN));
        let issuer = Certificate::from_der(issuer).ok();
        let responder = responder.zip(issuer).and_then(|(at, issuer)| responder::address(&at, certificate, &issuer));
        let offer = Offer { responder, list };
        if offer != Offer::default() && !all.contains(&offer) && all.len() < MAX_OFFERS {
            all.push(offer);
        }
    }
    all
}

/// What is asked without TLS: answers and lists are signed, and there is nothing to hide that the network does not see.
const PLAIN: &str = "http://";
/// Most certificates of one document about which is asked.
pub const MAX_OFFERS: usize = 4;
/// Seconds for which a list or an answer counts that does not say when the next one comes.
const UNSAID: u64 = 3600;
/// Most seconds for which a list or an answer counts without being fetched again.
const LONGEST: u64 = 7 * 86_400;

type Lists<'l, 'a> = [&'l webpki::CertRevocationList<'a>];

/// What lists are used for.
#[derive(Clone, Copy)]
enum Use {
    /// What they name is refused, however old they are.
    Counts,
    /// Whether they are what they say, and of now.
    Checks,
    /// Whether there is one about the signer.
    Knows,
}

fn list(der: &[u8]) -> Option<webpki::CertRevocationList<'_>> {
    webpki::BorrowedCertRevocationList::from_der(der).ok().map(webpki::CertRevocationList::from)
}

/// Until when a list counts that is good now.
fn counts_until(der: &[u8], clock: u64) -> u64 {
    let read = x509_cert::crl::CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der);
    let next = read.ok().and_then(|read| read.tbs_cert_list.next_update);
    counts_for(next.map(|next| next.to_unix_duration().as_secs()), clock)
}

fn counts_for(next: Option<u64>, clock: u64) -> u64 {
    next.unwrap_or(clock.saturating_add(UNSAID)).min(clock.saturating_add(LONGEST))
}

/// Addresses of the whole lists that a certificate names.
fn lists_of(certificate: &Certificate) -> Vec<String> {
    let Ok(Some((_, CrlDistributionPoints(points)))) = certificate.tbs_certificate().get_extension() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for point in points {
        if point.reasons.is_none()
            && point.crl_issuer.is_none()
            && let Some(DistributionPointName::FullName(names)) = point.distribution_point
        {
            found.extend(names.iter().filter_map(address));
        }
    }
    found
}

fn address(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        _ => None,
    }
}

/// Whether a path of the chain will do; an error makes the search go on to the next one.
type PathCheck<'a> = dyn Fn(&webpki::VerifiedPath<'_>) -> Result<(), webpki::Error> + 'a;

/// What a certificate has to be for. One type for all: the search for a path is compiled for each.
pub(crate) enum Purpose {
    /// Documents have no extended key usage of their own: the key usage decides. [PROV 12.3]
    Any,
    /// It has to say so.
    #[cfg_attr(not(feature = "responders"), expect(dead_code, reason = "responders have to say it"))]
    Said(webpki::KeyUsage),
}

impl webpki::ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, purposes: webpki::KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        if let Self::Said(usage) = self {
            return usage.validate(purposes);
        }
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

fn reason(error: &webpki::Error) -> &'static str {
    match error {
        webpki::Error::CertExpired { .. } => "a certificate of the chain has expired",
        webpki::Error::CertNotValidYet { .. } => "a certificate of the chain is not valid yet",
        webpki::Error::CertRevoked => "a certificate of the chain was revoked",
        webpki::Error::UnknownIssuer => "it does not lead to a trusted root",
        webpki::Error::CaUsedAsEndEntity => "it is a certificate of an authority, which does not sign documents",
        webpki::Error::EndEntityUsedAsCa => "a certificate that may not issue others did",
        webpki::Error::PathLenConstraintViolated => "the chain is longer than one of its authorities allows",
        webpki::Error::UnsupportedCriticalExtension => "a certificate has a critical extension that is not known",
        webpki::Error::MaximumSignatureChecksExceeded | webpki::Error::MaximumPathBuildCallsExceeded => {
            "the chain takes too much work"
        }
        webpki::Error::UnsupportedSignatureAlgorithmContext(_)
        | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a certificate is signed with an algorithm that is not accepted"
        }
        webpki::Error::InvalidSignatureForPublicKey => "the signature of a certificate is wrong",
        _ => "a certificate of the chain cannot be accepted",
    }
}

fn policies(certificate: &Certificate) -> Vec<ObjectIdentifier> {
    match certificate.tbs_certificate().get_extension::<CertificatePolicies>() {
        Ok(Some((_, policies))) => policies.0.iter().map(|policy| policy.policy_identifier).collect(),
        _ => Vec::new(),
    }
}

fn revocation(leaf: &Certificate) -> Vec<String> {
    let mut found = responders_of(leaf);
    if let Ok(Some((_, CrlDistributionPoints(points)))) = leaf.tbs_certificate().get_extension() {
        for point in points {
            if let Some(DistributionPointName::FullName(names)) = point.distribution_point {
                found.extend(names.iter().filter_map(address));
            }
        }
    }
    found
}

/// Addresses of the responders that a certificate names.
fn responders_of(certificate: &Certificate) -> Vec<String> {
    const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
    match certificate.tbs_certificate().get_extension() {
        Ok(Some((_, AuthorityInfoAccessSyntax(entries)))) => {
            entries.iter().filter(|e| e.access_method == OCSP).filter_map(|e| address(&e.access_location)).collect()
        }
        _ => Vec::new(),
    }
}

fn directory(general: &GeneralName) -> Option<Name> {
    match general {
        GeneralName::DirectoryName(found) => Some(name(found)),
        _ => None,
    }
}

fn name(name: &x509_cert::name::Name) -> Name {
    let part = |part: &x509_cert::name::RelativeDistinguishedName| {
        part.iter().map(|pair| (pair.oid.to_string(), value(&pair.value))).collect()
    };
    Name::new(name.iter_rdn().map(part).collect())
}

/// A value as text, whichever of the string types it has; other types as the hexadecimal digits of their octets.
fn value(any: &Any) -> String {
    let text = match any.tag() {
        Tag::Utf8String => any.decode_as::<Utf8StringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::PrintableString => any.decode_as::<PrintableStringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::Ia5String => any.decode_as::<Ia5StringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::TeletexString => any.decode_as::<TeletexStringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::BmpString => any.decode_as::<BmpString>().ok().map(|s| s.to_string()),
        _ => None,
    };
    text.unwrap_or_else(|| {
        let octets = any.to_der().unwrap_or_default();
        core::iter::once("#".to_owned()).chain(octets.iter().map(|octet| format!("{octet:02x}"))).collect()
    })
}

//! What a responder says of one certificate, and how it is asked: OCSP in the short form that responders prepare answers for,
//! with GET and without a nonce. [RFC 6960, RFC 5019]
//!
//! An answer counts where the certificate's own issuer signed it, or somebody to whom that issuer gave a certificate for
//! just this; where it is of now; and where it says yes or no. Anything else is as if nobody had answered.

use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::{BitString, GeneralizedTime, Int, Null, ObjectIdentifier, OctetString};
use der::{Any, AnyRef, Choice, Decode as _, Encode as _, Sequence, Tagged as _};
use ring::digest;
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_cert::Certificate;
use x509_cert::ext::Extensions;
use x509_cert::name::Name;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::certificate::{ALGORITHMS, Purpose};

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// `id-kp-OCSPSigning`, the value of its encoding.
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// Largest answer, octets: one certificate's, with the responder's own.
const MAX_ANSWER: usize = 32 * 1024;
/// Most certificates of an answer that are looked at.
const MAX_CERTIFICATES: usize = 4;
/// Seconds by which the clocks of a responder and of this machine may differ.
const SKEW: u64 = 300;

/// What is asked about: a certificate, by its number and by whoever issued it. SHA-1 is the name that responders know, and
/// nothing rests upon it.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct CertId {
    hash_algorithm: AlgorithmIdentifierOwned,
    issuer_name_hash: OctetString,
    issuer_key_hash: OctetString,
    serial_number: Int,
}

#[derive(Sequence)]
struct Request {
    tbs: TbsRequest,
}

#[derive(Sequence)]
struct TbsRequest {
    list: Vec<Asked>,
}

#[derive(Sequence)]
struct Asked {
    certificate: CertId,
}

#[derive(Sequence)]
struct Response<'a> {
    status: AnyRef<'a>,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    bytes: Option<ResponseBytes>,
}

#[derive(Sequence)]
struct ResponseBytes {
    kind: ObjectIdentifier,
    response: OctetString,
}

#[derive(Sequence)]
struct BasicResponse {
    /// [`ResponseData`]: these octets are what is signed.
    data: Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    certificates: Option<Vec<Any>>,
}

#[derive(Sequence)]
struct ResponseData {
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    version: Option<Int>,
    responder: ResponderId,
    produced_at: GeneralizedTime,
    answers: Vec<SingleResponse>,
    #[asn1(context_specific = "1", optional = "true", tag_mode = "EXPLICIT")]
    extensions: Option<Extensions>,
}

#[derive(Choice)]
enum ResponderId {
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", constructed = "true")]
    Name(Name),
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", constructed = "true")]
    Key(OctetString),
}

#[derive(Sequence)]
struct SingleResponse {
    certificate: CertId,
    status: Status,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", optional = "true", tag_mode = "EXPLICIT")]
    extensions: Option<Extensions>,
}

#[derive(Choice)]
enum Status {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

#[derive(Sequence)]
struct RevokedInfo {
    time: GeneralizedTime,
    #[asn1(context_specific = "0", optional = "true", tag_mode = "EXPLICIT")]
    reason: Option<Any>,
}

/// What an answer says that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) revoked: bool,
    /// Until when, as the responder has it, seconds since 1970.
    pub(crate) until: Option<u64>,
}

/// Where to ask, with GET, at a responder: the question is part of the address.
pub(crate) fn address(responder: &str, certificate: &Certificate, issuer: &Certificate) -> Option<String> {
    let certificate = cert_id(certificate, issuer)?;
    let question = Request { tbs: TbsRequest { list: vec![Asked { certificate }] } }.to_der().ok()?;
    let mut address = responder.trim_end_matches('/').to_owned();
    address.push('/');
    for character in STANDARD.encode(question).chars() {
        match character {
            '+' => address.push_str("%2B"),
            '/' => address.push_str("%2F"),
            '=' => address.push_str("%3D"),
            other => address.push(other),
        }
    }
    Some(address)
}

/// What an answer says of a certificate, if it counts now.
pub(crate) fn told(answer: &[u8], certificate: &Certificate, issuer: &CertificateDer<'_>, clock: u64) -> Option<Told> {
    let response = Response::from_der(answer).ok().filter(|_| answer.len() <= MAX_ANSWER)?;
    // `successful` is 0; whatever else it is, nothing more is said.
    let is_answer = response.status.tag() == der::Tag::Enumerated && response.status.value() == [0];
    let bytes = response.bytes.filter(|bytes| is_answer && bytes.kind == BASIC)?;
    let basic = BasicResponse::from_der(bytes.response.as_bytes()).ok()?;
    let signed = basic.data.to_der().ok()?;
    let data = ResponseData::from_der(&signed).ok()?;
    let authority = Certificate::from_der(issuer).ok()?;
    let of = cert_id(certificate, &authority)?;
    let single = data.answers.iter().find(|single| {
        let CertId { hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number } = &single.certificate;
        // Parameters are absent or null.
        hash_algorithm.oid == SHA1
            && (issuer_name_hash, issuer_key_hash, serial_number)
                == (&of.issuer_name_hash, &of.issuer_key_hash, &of.serial_number)
    })?;
    let unknown = |extensions: &Option<Extensions>| extensions.iter().flatten().any(|extension| extension.critical);
    if data.version.is_some_and(|version| version.as_bytes() != [0])
        || unknown(&data.extensions)
        || unknown(&single.extensions)
    {
        return None;
    }
    let (since, until) = (seconds(&single.this_update), single.next_update.as_ref().map(seconds));
    if since > clock.saturating_add(SKEW) || until.is_some_and(|until| until <= clock) {
        return None;
    }
    let revoked = match single.status {
        Status::Good(_) => false,
        Status::Revoked(_) => true,
        Status::Unknown(_) => return None,
    };
    speaks(&basic, &data.responder, &signed, issuer, &authority, clock).then_some(Told { revoked, until })
}

/// Whether whoever signed an answer may: the issuer itself, or one whom it gave a certificate for that. [RFC 6960 4.2.2.2]
fn speaks(
    basic: &BasicResponse,
    responder: &ResponderId,
    signed: &[u8],
    issuer: &CertificateDer<'_>,
    authority: &Certificate,
    clock: u64,
) -> bool {
    let is_named = |certificate: &Certificate| match responder {
        ResponderId::Name(name) => certificate.tbs_certificate().subject() == name,
        ResponderId::Key(hash) => {
            key_hash(certificate.tbs_certificate().subject_public_key_info()).is_some_and(|own| own == hash.as_bytes())
        }
    };
    let signs = |certificate: &Certificate| {
        let key = certificate.tbs_certificate().subject_public_key_info();
        is_named(certificate) && signature_holds(key, &basic.algorithm, signed, &basic.signature)
    };
    if signs(authority) {
        return true;
    }
    let Ok(anchor) = webpki::anchor_from_trusted_cert(issuer) else { return false };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(clock));
    basic.certificates.iter().flatten().take(MAX_CERTIFICATES).any(|delegate| {
        let Ok(der) = delegate.to_der() else { return false };
        let Ok(certificate) = Certificate::from_der(&der) else { return false };
        let der = CertificateDer::from(der);
        let Ok(delegate) = webpki::EndEntityCert::try_from(&der) else { return false };
        let usage = Purpose::Said(webpki::KeyUsage::required(OCSP_SIGNING));
        signs(&certificate)
            && delegate
                .verify_for_usage(ALGORITHMS, core::slice::from_ref(&anchor), &[], time, usage, None, None)
                .is_ok()
    })
}

fn signature_holds(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    signed: &[u8],
    signature: &BitString,
) -> bool {
    let (Ok(of_key), Ok(of_signature)) = (key.algorithm.to_der(), algorithm.to_der()) else { return false };
    // The table has algorithms without tag and length.
    let content = |der: &[u8], known: &[u8]| AnyRef::from_der(der).is_ok_and(|found| found.value() == known);
    let (Some(key), Some(signature)) = (key.subject_public_key.as_bytes(), signature.as_bytes()) else { return false };
    ALGORITHMS.iter().any(|known| {
        content(&of_key, known.public_key_alg_id().as_ref())
            && content(&of_signature, known.signature_alg_id().as_ref())
            && known.verify_signature(key, signed, signature).is_ok()
    })
}

fn cert_id(certificate: &Certificate, issuer: &Certificate) -> Option<CertId> {
    let (certificate, issuer) = (certificate.tbs_certificate(), issuer.tbs_certificate());
    if certificate.issuer() != issuer.subject() {
        return None;
    }
    Some(CertId {
        hash_algorithm: AlgorithmIdentifierOwned { oid: SHA1, parameters: Some(Any::null()) },
        issuer_name_hash: OctetString::new(sha1(&certificate.issuer().to_der().ok()?)).ok()?,
        issuer_key_hash: OctetString::new(key_hash(issuer.subject_public_key_info())?).ok()?,
        serial_number: Int::new(certificate.serial_number().as_bytes()).ok()?,
    })
}

fn key_hash(key: &SubjectPublicKeyInfoOwned) -> Option<Vec<u8>> {
    key.subject_public_key.as_bytes().map(sha1)
}

fn sha1(octets: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref().to_vec()
}

fn seconds(time: &GeneralizedTime) -> u64 {
    time.to_unix_duration().as_secs()
}

//! The algorithms that are accepted, and no others. [PROV 9.3]

use ring::digest;
use ring::signature::{self, VerificationAlgorithm};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// `http://www.w3.org/2001/04/xmldsig-more#rsa-sha256`
    RsaSha256,
    /// `http://www.w3.org/2001/04/xmldsig-more#rsa-sha384`
    RsaSha384,
    /// `http://www.w3.org/2001/04/xmldsig-more#rsa-sha512`
    RsaSha512,
    /// `http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256`
    EcdsaSha256,
    /// `http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384`
    EcdsaSha384,
    /// `http://www.w3.org/2000/09/xmldsig#rsa-sha1`; only with the switch for old signers.
    RsaSha1,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::RsaSha256, Self::RsaSha384, Self::RsaSha512, Self::EcdsaSha256, Self::EcdsaSha384, Self::RsaSha1];

    /// The identifier in documents.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::RsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Self::RsaSha512 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            Self::EcdsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            Self::EcdsaSha384 => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
            Self::RsaSha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        }
    }

    /// The algorithm of an identifier.
    #[must_use]
    pub fn of(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.uri() == uri)
    }

    const fn is_rsa(self) -> bool {
        !matches!(self, Self::EcdsaSha256 | Self::EcdsaSha384)
    }

    /// Whether `value` is the signature of `message` by the owner of `key`.
    pub(crate) fn verify(self, key: &SubjectPublicKeyInfoOwned, message: &[u8], value: &[u8]) -> bool {
        let Some(bits) = key.subject_public_key.as_bytes() else { return false };
        let check = |algorithm: &'static dyn VerificationAlgorithm, value: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, bits).verify(message, value).is_ok()
        };
        if self.is_rsa() {
            // The key's size is between 2048 and 8192 bits by these algorithms' own rule.
            return key.algorithm.oid == RSA
                && check(
                    match self {
                        Self::RsaSha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                        Self::RsaSha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                        Self::RsaSha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                        _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                    },
                    value,
                );
        }
        if key.algorithm.oid != EC {
            return false;
        }
        match (curve(key), self) {
            (Some(P256), Self::EcdsaSha256) => check(&signature::ECDSA_P256_SHA256_FIXED, value),
            (Some(P384), Self::EcdsaSha384) => check(&signature::ECDSA_P384_SHA384_FIXED, value),
            (Some(P256), _) => der(value, 32).is_some_and(|value| check(&signature::ECDSA_P256_SHA384_ASN1, &value)),
            (Some(P384), _) => der(value, 48).is_some_and(|value| check(&signature::ECDSA_P384_SHA256_ASN1, &value)),
            _ => false,
        }
    }
}

fn curve(key: &SubjectPublicKeyInfoOwned) -> Option<ObjectIdentifier> {
    let parameters = key.algorithm.parameters.as_ref()?;
    ObjectIdentifier::from_der(&parameters.to_der().ok()?).ok()
}

/// The two numbers of an XML signature as the sequence that the other form of the algorithm wants.
fn der(value: &[u8], size: usize) -> Option<Vec<u8>> {
    if value.len() != size.checked_mul(2)? {
        return None;
    }
    let (r, s) = value.split_at_checked(size)?;
    let mut body = Vec::new();
    for number in [r, s] {
        let first = number.iter().position(|octet| *octet != 0)?;
        let number = number.get(first..)?;
        let sign = number.first().is_some_and(|octet| octet & 0x80 != 0);
        body.push(2);
        body.push(u8::try_from(number.len() + usize::from(sign)).ok()?);
        if sign {
            body.push(0);
        }
        body.extend_from_slice(number);
    }
    // At most 2 * (48 + 3) octets: the short form of a length will do.
    let mut out = vec![0x30, u8::try_from(body.len()).ok().filter(|length| *length < 0x80)?];
    out.append(&mut body);
    Some(out)
}

/// A digest algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// `http://www.w3.org/2001/04/xmlenc#sha256`
    Sha256,
    /// `http://www.w3.org/2001/04/xmldsig-more#sha384`
    Sha384,
    /// `http://www.w3.org/2001/04/xmlenc#sha512`
    Sha512,
    /// `http://www.w3.org/2000/09/xmldsig#sha1`; only with the switch for old signers.
    Sha1,
}

impl DigestAlgorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sha256, Self::Sha384, Self::Sha512, Self::Sha1];

    /// The identifier in documents.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
        }
    }

    /// The algorithm of an identifier.
    #[must_use]
    pub fn of(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.uri() == uri)
    }

    pub(crate) fn digest(self, octets: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        };
        digest::digest(algorithm, octets)
    }
}

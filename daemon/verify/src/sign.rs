//! Making the signature of [PROV 9.1].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daemon_provisioning::Node;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RsaKeyPair,
};

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::canonical::{self, Method};
use crate::certificate::blocks;

/// A private key.
pub struct Key(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    P384(Box<EcdsaKeyPair>),
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(###)")
    }
}

impl Key {
    /// Reads a key: PKCS#8, or PKCS#1 for RSA, unencrypted.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        if let Some(der) = blocks(pem, "PRIVATE KEY").first() {
            let random = SystemRandom::new();
            return RsaKeyPair::from_pkcs8(der)
                .map(|pair| Pair::Rsa(Box::new(pair)))
                .or_else(|_| {
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random)
                        .map(|pair| Pair::P256(Box::new(pair)))
                })
                .or_else(|_| {
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der, &random)
                        .map(|pair| Pair::P384(Box::new(pair)))
                })
                .map(Self)
                .map_err(|_| "the key is neither RSA of 2048 bits or more nor ECDSA on P-256 or P-384".to_owned());
        }
        if let Some(der) = blocks(pem, "RSA PRIVATE KEY").first() {
            return RsaKeyPair::from_der(der)
                .map(|pair| Self(Pair::Rsa(Box::new(pair))))
                .map_err(|_| "the RSA key cannot be used; it needs 2048 bits or more".to_owned());
        }
        if pem.contains("EC PRIVATE KEY") || pem.contains("ENCRYPTED PRIVATE KEY") {
            return Err("the key is not in PKCS#8 form, or encrypted: openssl pkcs8 -topk8 -nocrypt".to_owned());
        }
        Err("there is no private key (PEM) in it".to_owned())
    }

    /// The algorithm that this key is used with unless another one is asked for.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        match self.0 {
            Pair::Rsa(_) => SignatureAlgorithm::RsaSha256,
            Pair::P256(_) => SignatureAlgorithm::EcdsaSha256,
            Pair::P384(_) => SignatureAlgorithm::EcdsaSha384,
        }
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        let random = SystemRandom::new();
        let failed = |_| "the key does not sign".to_owned();
        let ecdsa = |pair: &EcdsaKeyPair| pair.sign(&random, message).map(|value| value.as_ref().to_vec());
        match (&self.0, algorithm) {
            (
                Pair::Rsa(pair),
                SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::RsaSha512,
            ) => {
                let padding = match algorithm {
                    SignatureAlgorithm::RsaSha384 => &RSA_PKCS1_SHA384,
                    SignatureAlgorithm::RsaSha512 => &RSA_PKCS1_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut value = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut value).map_err(failed)?;
                Ok(value)
            }
            (Pair::P256(pair), SignatureAlgorithm::EcdsaSha256)
            | (Pair::P384(pair), SignatureAlgorithm::EcdsaSha384) => ecdsa(pair).map_err(failed),
            _ => Err("this key does not go with that algorithm".to_owned()),
        }
    }
}

/// How to sign.
#[derive(Debug)]
pub struct Signing<'a> {
    /// Key of the leaf.
    pub key: &'a Key,
    /// DER: the leaf and what leads to the root, which itself may be left out.
    pub certificates: &'a [Vec<u8>],
    /// Canonical form of what is signed.
    pub method: Method,
    /// Algorithm of the signature.
    pub signature: SignatureAlgorithm,
    /// Algorithm of the digest.
    pub digest: DigestAlgorithm,
}

/// The document with its signature as last child of the root, in UTF-8. Nothing else of it changes.
///
/// # Errors
/// What is wrong, for people.
pub fn sign(document: &[u8], signing: &Signing<'_>) -> Result<Vec<u8>, String> {
    let text = daemon_provisioning::decode(document).map_err(|invalid| invalid.to_string())?;
    let (end, digest) = {
        let tree = daemon_provisioning::parse(&text).map_err(|invalid| invalid.to_string())?;
        let is_signature = |node: Node<'_>| {
            node.namespace().is_some_and(|namespace| namespace == "http://www.w3.org/2000/09/xmldsig#")
        };
        if tree.root().descendants().any(is_signature) {
            return Err("it is signed already".to_owned());
        }
        let root = text.get(..tree.root().range().end).unwrap_or_default();
        if root.ends_with("/>") {
            return Err("the root is empty".to_owned());
        }
        let end = root.rfind("</").ok_or_else(|| "the root is empty".to_owned())?;
        let mut form = String::new();
        canonical::document(&tree, None, &mut form);
        (end, signing.digest.digest(form.as_bytes()))
    };
    let certificates: String = signing
        .certificates
        .iter()
        .map(|der| format!("<X509Certificate>{}</X509Certificate>", STANDARD.encode(der)))
        .collect();
    let signature = |value: &str| {
        format!(
            "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo>\
             <CanonicalizationMethod Algorithm=\"{}\"></CanonicalizationMethod>\
             <SignatureMethod Algorithm=\"{}\"></SignatureMethod>\
             <Reference URI=\"\"><Transforms><Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></Transform></Transforms>\
             <DigestMethod Algorithm=\"{}\"></DigestMethod><DigestValue>{}</DigestValue></Reference></SignedInfo>\
             <SignatureValue>{value}</SignatureValue>\
             <KeyInfo><X509Data>{certificates}</X509Data></KeyInfo></Signature>",
            signing.method.uri(),
            signing.signature.uri(),
            signing.digest.uri(),
            STANDARD.encode(digest),
        )
    };
    let (before, after) = text.split_at_checked(end).ok_or_else(|| "the root is empty".to_owned())?;
    // The declaration names the encoding that the document came in.
    let before = match before.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, body)) => format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}"),
        None => before.to_owned(),
    };
    let unsigned = format!("{before}{}{after}", signature(""));
    let tree = daemon_provisioning::parse(&unsigned).map_err(|invalid| invalid.to_string())?;
    let signed_info = tree
        .root()
        .descendants()
        .find(|node| node.name() == "SignedInfo")
        .ok_or_else(|| "there is no SignedInfo".to_owned())?;
    let value = signing.key.sign(signing.signature, canonical::element(signed_info, signing.method).as_bytes())?;
    Ok(format!("{before}{}{after}", signature(&STANDARD.encode(value))).into_bytes())
}

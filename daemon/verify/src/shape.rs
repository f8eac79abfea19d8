//! The one shape that a signature may have. [PROV 9.1, 9.4]
//!
//! The schema has its rules too; here they stand once more and narrower, because nothing that is wrong here may be made
//! good by a mistake there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

use daemon_provisioning::{Attribute, Code, Item, Node, Tree};

use crate::Rejected;
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::canonical::Method;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// Most certificates of a signature. [PROV 16]
const MAX_CERTIFICATES: usize = 10;
/// Most octets of one. [PROV 16]
const MAX_CERTIFICATE: usize = 16 * 1024;

/// A signature as it stands.
pub(crate) struct Shape<'a> {
    pub(crate) signature: Node<'a>,
    pub(crate) signed_info: Node<'a>,
    pub(crate) method: Method,
    pub(crate) signature_algorithm: Cow<'a, str>,
    pub(crate) digest_algorithm: Cow<'a, str>,
    pub(crate) digest: Vec<u8>,
    pub(crate) value: Vec<u8>,
    /// DER, in the document's order; at least one.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// A child of the method that would change what it means.
    pub(crate) parameters: bool,
}

impl Shape<'_> {
    /// The algorithms, if they are accepted.
    pub(crate) fn algorithms(&self, sha1: bool) -> Result<(SignatureAlgorithm, DigestAlgorithm), Rejected> {
        let refused =
            |what: &str| Rejected::new(Code::SIGNATURE_INVALID, format!("the {what} algorithm is not accepted"));
        if self.parameters {
            return Err(refused("signature"));
        }
        let signature = SignatureAlgorithm::of(&self.signature_algorithm).ok_or_else(|| refused("signature"))?;
        let digest = DigestAlgorithm::of(&self.digest_algorithm).ok_or_else(|| refused("digest"))?;
        if !sha1 && (signature == SignatureAlgorithm::RsaSha1 || digest == DigestAlgorithm::Sha1) {
            let reason = "SHA-1 is accepted only where the administrator switched it on";
            return Err(Rejected::new(Code::SIGNATURE_INVALID, reason));
        }
        Ok((signature, digest))
    }
}

fn wrong(reason: impl Into<String>) -> Rejected {
    Rejected::new(Code::XML_INVALID, reason)
}

/// Finds the signature and reads it.
///
/// # Errors
/// [`Code::MISSING_SIGNATURE`]; [`Code::XML_INVALID`] for any other shape; [`Code::NO_LEAF_CERTIFICATE`];
/// [`Code::SIGNATURE_INVALID`] where certificates are over their limits.
pub(crate) fn read<'a>(tree: &'a Tree<'a>) -> Result<Shape<'a>, Rejected> {
    let root = tree.root();
    let signature = find(root)?;
    attributes(signature, &["Id"])?;
    let mut parts = elements(signature)?.into_iter();
    let signed_info = named(parts.next(), "SignedInfo")?;
    let value = named(parts.next(), "SignatureValue")?;
    let key_info = parts.next();
    if let Some(key_info) = key_info {
        named(Some(key_info), "KeyInfo")?;
    }
    if parts.next().is_some() {
        return Err(wrong("a Signature holds SignedInfo, SignatureValue and KeyInfo, and nothing else"));
    }

    attributes(signed_info, &["Id"])?;
    let [canonicalization, signature_method, reference] = exactly(signed_info)?;
    named(Some(canonicalization), "CanonicalizationMethod")?;
    named(Some(signature_method), "SignatureMethod")?;
    named(Some(reference), "Reference")?;
    attributes(canonicalization, &["Algorithm"])?;
    if canonicalization.children().next().is_some() {
        return Err(wrong("a CanonicalizationMethod has no parameters"));
    }
    let method = Method::of(&algorithm(canonicalization)?).ok_or_else(|| wrong("unknown CanonicalizationMethod"))?;
    attributes(signature_method, &["Algorithm"])?;

    attributes(reference, &["Id", "URI"])?;
    if reference.attribute("URI").is_some_and(|uri| !uri.is_empty()) {
        return Err(wrong("the Reference has to mean the whole document: its URI is absent or empty"));
    }
    let [transforms, digest_method, digest] = exactly(reference)?;
    named(Some(transforms), "Transforms")?;
    named(Some(digest_method), "DigestMethod")?;
    named(Some(digest), "DigestValue")?;
    attributes(transforms, &[])?;
    let [transform] = exactly(transforms)?;
    named(Some(transform), "Transform")?;
    attributes(transform, &["Algorithm"])?;
    if algorithm(transform)? != ENVELOPED || transform.children().next().is_some() {
        return Err(wrong("the one Transform is enveloped-signature"));
    }
    attributes(digest_method, &["Algorithm"])?;
    attributes(digest, &[])?;
    attributes(value, &["Id"])?;

    Ok(Shape {
        signature,
        signed_info,
        method,
        signature_algorithm: algorithm(signature_method)?,
        digest_algorithm: algorithm(digest_method)?,
        digest: octets(digest)?,
        value: octets(value)?,
        certificates: certificates(key_info)?,
        parameters: [signature_method, digest_method].iter().any(|m| m.children().next().is_some()),
    })
}

/// The one signature: last element of the root, and no other element of its namespace anywhere else.
fn find<'a>(root: Node<'a>) -> Result<Node<'a>, Rejected> {
    let is_signature = |node: &Node<'_>| is_ds(*node) && node.name() == "Signature";
    let mut all = root.descendants().filter(is_signature);
    let Some(signature) = all.next() else {
        return Err(Rejected::new(Code::MISSING_SIGNATURE, "there is no signature"));
    };
    if all.next().is_some() {
        return Err(wrong("there is more than one signature"));
    }
    if signature.parent() != Some(root) {
        return Err(wrong("the signature is not a child of the root"));
    }
    if root.children().last() != Some(signature) {
        return Err(wrong("the signature is not the last child of the root"));
    }
    let inside = signature.range();
    let outside = |node: &Node<'_>| is_ds(*node) && !inside.contains(&node.range().start);
    if root.descendants().any(|node| outside(&node)) {
        return Err(wrong("an element of the signature's namespace stands outside of it"));
    }
    if signature.descendants().any(|node| node.items().any(|item| matches!(item, Item::Instruction { .. }))) {
        return Err(wrong("a processing instruction stands in the signature"));
    }
    Ok(signature)
}

fn is_ds(node: Node<'_>) -> bool {
    node.namespace().is_some_and(|namespace| namespace == DS)
}

fn named<'a>(node: Option<Node<'a>>, name: &str) -> Result<Node<'a>, Rejected> {
    node.filter(|node| is_ds(*node) && node.name() == name)
        .ok_or_else(|| wrong(format!("{name} is missing or not in its place")))
}

/// Child elements of an element that holds no text.
fn elements<'a>(node: Node<'a>) -> Result<Vec<Node<'a>>, Rejected> {
    let blank = |text: &str| text.chars().all(|c| c.is_ascii_whitespace());
    if !blank(&node.text()) {
        return Err(wrong(format!("{} holds text", node.name())));
    }
    Ok(node.children().collect())
}

fn exactly<'a, const N: usize>(node: Node<'a>) -> Result<[Node<'a>; N], Rejected> {
    let problem = |_| wrong(format!("{} does not hold the {N} elements of its shape", node.name()));
    elements(node)?.try_into().map_err(problem)
}

fn attributes(node: Node<'_>, allowed: &[&str]) -> Result<(), Rejected> {
    let known = |attribute: &Attribute<'_>| allowed.contains(&attribute.written());
    match node.attributes().find(|attribute| !known(attribute)) {
        None => Ok(()),
        Some(_) => Err(wrong(format!("{} has an attribute that it may not have", node.name()))),
    }
}

fn algorithm(node: Node<'_>) -> Result<Cow<'_, str>, Rejected> {
    node.attribute("Algorithm").ok_or_else(|| wrong(format!("{} names no algorithm", node.name())))
}

/// All text of an element without elements, as Base64 in whose lines there may be white space.
fn octets(node: Node<'_>) -> Result<Vec<u8>, Rejected> {
    let name = node.name();
    if node.children().next().is_some() {
        return Err(wrong(format!("{name} holds an element")));
    }
    let mut text = node.text().into_owned();
    text.retain(|c| !matches!(c, ' ' | '\t' | '\n' | '\r'));
    STANDARD.decode(text).map_err(|_| wrong(format!("{name} is not Base64")))
}

fn certificates(key_info: Option<Node<'_>>) -> Result<Vec<Vec<u8>>, Rejected> {
    let none = || Rejected::new(Code::NO_LEAF_CERTIFICATE, "the signature has no certificate");
    let key_info = key_info.ok_or_else(none)?;
    attributes(key_info, &["Id"])?;
    let mut data = None;
    for part in key_info.children().filter(|child| is_ds(*child)) {
        match part.name() {
            // A bare key says nothing about whose it is: not looked at.
            "KeyValue" => {}
            "X509Data" if data.is_none() => data = Some(part),
            "X509Data" => return Err(wrong("there is more than one X509Data")),
            _ => return Err(wrong("KeyInfo holds an element that it may not hold")),
        }
    }
    let data = data.ok_or_else(none)?;
    attributes(data, &[])?;
    let parts = elements(data)?;
    if parts.is_empty() {
        return Err(none());
    }
    if parts.len() > MAX_CERTIFICATES {
        return Err(Rejected::new(Code::SIGNATURE_INVALID, format!("more than {MAX_CERTIFICATES} certificates")));
    }
    let mut certificates = Vec::new();
    for part in parts {
        named(Some(part), "X509Certificate")?;
        attributes(part, &[])?;
        let der = octets(part)?;
        if der.len() > MAX_CERTIFICATE {
            let reason = format!("a certificate of more than {MAX_CERTIFICATE} octets");
            return Err(Rejected::new(Code::SIGNATURE_INVALID, reason));
        }
        certificates.push(der);
    }
    Ok(certificates)
}

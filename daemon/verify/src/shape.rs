//! The one shape that a signature may have. [PROV 9.1, 9.4]
//!
//! The schema has its rules too; here they stand once more and narrower, because nothing that is wrong here may be made
//! good by a mistake there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daemon_provisioning::Code;
use roxmltree::{Document, Node};

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
pub(crate) struct Shape<'a, 'input> {
    pub(crate) signature: Node<'a, 'input>,
    pub(crate) signed_info: Node<'a, 'input>,
    pub(crate) method: Method,
    pub(crate) signature_algorithm: &'a str,
    pub(crate) digest_algorithm: &'a str,
    pub(crate) digest: Vec<u8>,
    pub(crate) value: Vec<u8>,
    /// DER, in the document's order; at least one.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// A child of the method that would change what it means.
    pub(crate) parameters: bool,
}

impl Shape<'_, '_> {
    /// The algorithms, if they are accepted.
    pub(crate) fn algorithms(&self, sha1: bool) -> Result<(SignatureAlgorithm, DigestAlgorithm), Rejected> {
        let refused =
            |what: &str| Rejected::new(Code::SIGNATURE_INVALID, format!("the {what} algorithm is not accepted"));
        if self.parameters {
            return Err(refused("signature"));
        }
        let signature = SignatureAlgorithm::of(self.signature_algorithm).ok_or_else(|| refused("signature"))?;
        let digest = DigestAlgorithm::of(self.digest_algorithm).ok_or_else(|| refused("digest"))?;
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
pub(crate) fn read<'a, 'input>(tree: &'a Document<'input>) -> Result<Shape<'a, 'input>, Rejected> {
    let root = tree.root_element();
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
    if canonicalization.has_children() && canonicalization.children().any(|child| child.is_element()) {
        return Err(wrong("a CanonicalizationMethod has no parameters"));
    }
    let method = Method::of(algorithm(canonicalization)?).ok_or_else(|| wrong("unknown CanonicalizationMethod"))?;
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
    if algorithm(transform)? != ENVELOPED || transform.children().any(|child| child.is_element()) {
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
        parameters: [signature_method, digest_method].iter().any(|m| m.children().any(|child| child.is_element())),
    })
}

/// The one signature: last element of the root, and no other element of its namespace anywhere else.
fn find<'a, 'input>(root: Node<'a, 'input>) -> Result<Node<'a, 'input>, Rejected> {
    let is_signature = |node: &Node<'_, '_>| is_ds(*node) && node.tag_name().name() == "Signature";
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
    if root.last_element_child() != Some(signature) {
        return Err(wrong("the signature is not the last child of the root"));
    }
    let inside = signature.range();
    let outside = |node: &Node<'_, '_>| is_ds(*node) && !inside.contains(&node.range().start);
    if root.descendants().any(|node| outside(&node)) {
        return Err(wrong("an element of the signature's namespace stands outside of it"));
    }
    if signature.descendants().any(|node| node.is_pi()) {
        return Err(wrong("a processing instruction stands in the signature"));
    }
    Ok(signature)
}

fn is_ds(node: Node<'_, '_>) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(DS)
}

fn named<'a, 'input>(node: Option<Node<'a, 'input>>, name: &str) -> Result<Node<'a, 'input>, Rejected> {
    node.filter(|node| is_ds(*node) && node.tag_name().name() == name)
        .ok_or_else(|| wrong(format!("{name} is missing or not in its place")))
}

/// Child elements of an element that holds no text.
fn elements<'a, 'input>(node: Node<'a, 'input>) -> Result<Vec<Node<'a, 'input>>, Rejected> {
    let blank = |text: &str| text.chars().all(|c| c.is_ascii_whitespace());
    if node.children().any(|child| child.is_text() && !blank(child.text().unwrap_or_default())) {
        return Err(wrong(format!("{} holds text", node.tag_name().name())));
    }
    Ok(node.children().filter(Node::is_element).collect())
}

fn exactly<'a, 'input, const N: usize>(node: Node<'a, 'input>) -> Result<[Node<'a, 'input>; N], Rejected> {
    let problem = |_| wrong(format!("{} does not hold the {N} elements of its shape", node.tag_name().name()));
    elements(node)?.try_into().map_err(problem)
}

fn attributes(node: Node<'_, '_>, allowed: &[&str]) -> Result<(), Rejected> {
    let known = |attribute: &roxmltree::Attribute<'_, '_>| {
        attribute.namespace().is_none() && allowed.contains(&attribute.name())
    };
    match node.attributes().find(|attribute| !known(attribute)) {
        None => Ok(()),
        Some(_) => Err(wrong(format!("{} has an attribute that it may not have", node.tag_name().name()))),
    }
}

fn algorithm<'a>(node: Node<'a, '_>) -> Result<&'a str, Rejected> {
    node.attribute("Algorithm").ok_or_else(|| wrong(format!("{} names no algorithm", node.tag_name().name())))
}

/// All text of an element without elements, as Base64 in whose lines there may be white space.
fn octets(node: Node<'_, '_>) -> Result<Vec<u8>, Rejected> {
    let name = node.tag_name().name();
    if node.children().any(|child| child.is_element()) {
        return Err(wrong(format!("{name} holds an element")));
    }
    let mut text = String::new();
    for piece in node.children().filter(Node::is_text) {
        text.extend(piece.text().unwrap_or_default().chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')));
    }
    STANDARD.decode(text).map_err(|_| wrong(format!("{name} is not Base64")))
}

fn certificates(key_info: Option<Node<'_, '_>>) -> Result<Vec<Vec<u8>>, Rejected> {
    let none = || Rejected::new(Code::NO_LEAF_CERTIFICATE, "the signature has no certificate");
    let key_info = key_info.ok_or_else(none)?;
    attributes(key_info, &["Id"])?;
    let mut data = None;
    for part in key_info.children().filter(|child| is_ds(*child)) {
        match part.tag_name().name() {
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

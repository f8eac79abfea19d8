//! Who signed, and whether that is to be believed. [PROV 9, 12.3]
//!
//! Checking signatures is not available yet. Until it is, the only verdict over a signed document
//! is a refusal: no algorithm is accepted, which is what its code says.

use std::borrow::Cow;

use crate::code::Code;
use crate::document::Invalid;
use crate::xml;

/// The text of a document under the limits of [PROV 16]: what [`validate`](crate::validate) does first, for those who check
/// its signature and must not read it in another way.
///
/// # Errors
/// Not UTF-8, nor UTF-16 with a byte-order mark, or too large.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Invalid> {
    xml::decode(bytes).map_err(Invalid::from)
}

/// The tree of decoded text under the limits of [PROV 16], without a document type declaration.
///
/// # Errors
/// Not well-formed, or over a limit.
pub fn parse(text: &str) -> Result<roxmltree::Document<'_>, Invalid> {
    xml::parse(text).map_err(Invalid::from)
}

/// What the schema let through of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether there is at least one certificate.
    pub(crate) has_certificate: bool,
}

/// The answer of the judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is no signature; the source decides whether that will do.
    Unsigned,
    /// There is one that does not hold.
    Refused { code: Code, reason: &'static str },
}

/// Judges a signature, in the order of [PROV 12.1] step 5.
pub(crate) fn judge(signature: Option<&Shape>) -> Verdict {
    match signature {
        None => Verdict::Unsigned,
        Some(Shape { has_certificate: false }) => {
            Verdict::Refused { code: Code::NO_LEAF_CERTIFICATE, reason: "the signature has no certificate" }
        }
        Some(_) => Verdict::Refused {
            code: Code::SIGNATURE_INVALID,
            reason: "the document is signed, and this version cannot check signatures",
        },
    }
}

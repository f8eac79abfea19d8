//! What those who check a signature need of the parser, and what the schema let through of one. [PROV 9]
//!
//! Nothing is checked here: `daemon-verify` does, and what comes back is the signed octets and a
//! [`Signer`](crate::signer::Signer).

use std::borrow::Cow;

use crate::document::Invalid;
use crate::xml::{self, Tree};

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
pub fn parse(text: &str) -> Result<Tree<'_>, Invalid> {
    xml::parse(text).map_err(Invalid::from)
}

/// What the schema let through of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether there is at least one certificate.
    pub(crate) has_certificate: bool,
}

//! The typed document. [PROV 3, 12.1]
//!
//! A [`Validated`] exists only if the schema accepted the octets; a [`Document`] only if, beyond
//! that, the source was allowed to order it. Neither has public fields.

pub(crate) mod branding;
pub(crate) mod extensions;
mod messages;
pub(crate) mod pattern;
pub(crate) mod plans;
mod read;
pub(crate) mod refresh;
mod wlan;

use core::fmt;
use core::time::Duration;

use branding::Branding;
use extensions::{Contexts, Metadata};
use plans::DataPlan;
use refresh::Refresh;

use crate::code::Code;
use crate::private::{Passing, Personal, Secret};
use crate::profile::ProvisionedProfile;
use crate::schema::{self, Violation};
use crate::signature;
use crate::signer::{Signed, Signer, TrustedCertificate};
use crate::stored::owner_key;
use crate::xml::{self, Piece};

/// Reads and validates a document. [PROV 12.1, steps 1 to 3]
///
/// # Errors
/// All violations in the document's order, with the code of the file: not well-formed, invalid,
/// or over a limit.
pub fn validate(bytes: &[u8]) -> Result<Validated, Invalid> {
    let text = Passing(xml::decode(bytes).map_err(Invalid::from)?);
    let tree = xml::parse(&text).map_err(Invalid::from)?;
    let findings = schema::walk(&tree);
    let root = tree.root();
    let is_signed = schema::at(root, schema::Ns::Signature, "Signature").is_some();
    if !findings.violations.is_empty() {
        return Err(Invalid { code: Code::XML_INVALID, violations: findings.violations, is_signed });
    }
    let content = read::content(root);
    drop(tree);
    match content {
        Some(mut content) => {
            content.copy_pieces(&text)?;
            Ok(Validated { content, warnings: findings.warnings, signer: None })
        }
        None => Err(Invalid {
            code: Code::XML_INVALID,
            violations: vec![Violation {
                line: 1,
                column: 1,
                path: "/CarrierProvisioning".to_owned(),
                rule: "a required value is missing".to_owned(),
            }],
            is_signed,
        }),
    }
}

/// Why octets are no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    code: Code,
    violations: Vec<Violation>,
    is_signed: bool,
}

impl Invalid {
    /// [`Code::XML_MALFORMED`], [`Code::XML_INVALID`] or [`Code::FILE_TOO_LARGE`].
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// At least one, in the document's order.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Whether a signature was seen; false where the octets could not be parsed.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.is_signed
    }
}

impl From<xml::XmlError> for Invalid {
    fn from(error: xml::XmlError) -> Self {
        Self {
            code: error.code,
            violations: vec![Violation {
                line: error.position.line,
                column: error.position.column,
                path: "/".to_owned(),
                rule: error.problem,
            }],
            is_signed: false,
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.code.meaning())?;
        if let Some(first) = self.violations.first() {
            write!(f, ": {first}")?;
        }
        match self.violations.len() {
            0 | 1 => Ok(()),
            more => write!(f, " (and {} more)", more - 1),
        }
    }
}

impl core::error::Error for Invalid {}

/// What the schema accepted; nobody has asked yet who ordered it.
#[derive(Debug, Clone)]
pub struct Validated {
    pub(crate) content: Content,
    warnings: Vec<Violation>,
    /// Who signed it, where the content was read from what was signed.
    pub(crate) signer: Option<Box<Signer>>,
}

impl Validated {
    /// Whether it carries a signature (which says nothing about its worth).
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.content.signature.is_some() || self.signer.is_some()
    }

    /// The same document as its signer signed it: read anew from the octets that the digest covers, and from nothing
    /// else. The remarks are those on the octets that came. [PROV 9.4]
    ///
    /// # Errors
    /// The signed octets are no document of their own.
    pub fn verified(&self, octets: &[u8], signer: Signer) -> Result<Self, Invalid> {
        let Self { content, .. } = validate(octets)?;
        Ok(Self { content, warnings: self.warnings.clone(), signer: Some(Box::new(signer)) })
    }

    /// Accepted spellings outside the schema and other remarks. [PROV A8, A22 to A24]
    #[must_use]
    pub fn warnings(&self) -> &[Violation] {
        &self.warnings
    }
}

/// A document that its source may order: exists only as the result of validation and judgement.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) content: Content,
    /// Whose signature it has, if any.
    pub(crate) signed: Option<Signed>,
}

impl Document {
    /// GUID of the organisation that wrote it, in braces, lower case.
    #[must_use]
    pub fn carrier_id(&self) -> &str {
        &self.content.global.carrier_id
    }

    /// The customer that it is for.
    #[must_use]
    pub const fn subscriber_id(&self) -> &Personal<String> {
        &self.content.global.subscriber_id
    }

    /// Under what is kept what documents of this carrier ordered for this customer.
    #[must_use]
    pub fn owner_key(&self) -> Personal<String> {
        owner_key(self.carrier_id(), self.subscriber_id())
    }

    /// Whether it asks for an activation, which cancels a running one of the same modem.
    #[must_use]
    pub const fn has_activation(&self) -> bool {
        self.content.activation.is_some()
    }

    pub(crate) const fn content(&self) -> &Content {
        &self.content
    }
}

/// The values of a document, section by section. [PROV 3]
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) global: Global,
    pub(crate) activation: Option<Activation>,
    pub(crate) mbn: Option<MbnProfiles>,
    /// In the document's order, as are all lists here.
    pub(crate) wlan: Option<Vec<WlanProfile>>,
    pub(crate) plans: Vec<DataPlan>,
    pub(crate) provisioning: Option<Provisioning>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) contexts: Option<Contexts>,
    pub(crate) signature: Option<signature::Shape>,
}

impl Content {
    /// Copies what is kept as it came, once the tree is gone.
    fn copy_pieces(&mut self, text: &str) -> Result<(), Invalid> {
        let profiles = || self.wlan.iter().flatten();
        let rules = self.mbn.iter_mut().filter_map(|mbn| mbn.rules.as_mut()).flatten();
        let mut rules: Vec<&mut Rule> = rules.filter(|rule| rule.problem.is_none()).collect();
        let added = profiles().map(|profile| profile.piece.added()).chain(rules.iter().map(|rule| rule.piece.added()));
        if added.sum::<usize>() > xml::MAX_INHERITED {
            return Err(xml::XmlError::inherits_too_much().into());
        }
        for rule in &mut rules {
            rule.xml = rule.piece.text(text);
        }
        for profile in self.wlan.iter_mut().flatten() {
            profile.xml = Secret::new(profile.piece.text(text));
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Global {
    /// In braces, lower case.
    pub(crate) carrier_id: String,
    /// As written, for the results.
    pub(crate) carrier_id_text: String,
    pub(crate) subscriber_id: Personal<String>,
    pub(crate) device_id: Option<Personal<String>>,
}

/// What to do at the end. [PROV 4.1]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) directive: Directive,
    pub(crate) delay: Duration,
    pub(crate) retry_count: u32,
    pub(crate) retry_interval: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Directive {
    ServiceActivation(Secret<Vec<u8>>),
    Reconnect,
    Reregister,
}

#[derive(Debug, Clone)]
pub(crate) struct MbnProfiles {
    pub(crate) default: Option<ProvisionedProfile>,
    pub(crate) purchase: Option<ProvisionedProfile>,
    pub(crate) rules: Option<Vec<Rule>>,
    /// Or why it cannot be used.
    pub(crate) branding: Option<Result<Branding, &'static str>>,
}

/// A message rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: Option<String>,
    /// Why it cannot be used.
    pub(crate) problem: Option<String>,
    pub(crate) piece: Piece,
    /// The `Message` as a text of its own.
    pub(crate) xml: String,
}

#[derive(Debug, Clone)]
pub(crate) struct WlanProfile {
    pub(crate) name: String,
    pub(crate) associated_plan: Option<String>,
    /// What it comes to by itself.
    pub(crate) verdict: Code,
    pub(crate) piece: Piece,
    /// The `WLANProfile` as a text of its own.
    pub(crate) xml: Secret<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Provisioning {
    pub(crate) certificates: Option<Vec<TrustedCertificate>>,
    /// Or why it cannot be used.
    pub(crate) refresh: Option<Result<Refresh, &'static str>>,
    /// Whether it is spelt as in the published prose. [PROV A24]
    pub(crate) is_prose: bool,
}

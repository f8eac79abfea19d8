//! From a validated document to one that its source may order. [PROV 12.1, steps 4 to 8]

use core::fmt;

use crate::binding::{belongs_to_another, named_by_records, same_guid, sim_of_operator};
use crate::code::Code;
use crate::document::{Content, Document, Invalid, Validated};
use crate::facts::Facts;
use crate::ledger::Owner;
use crate::signer::{Signed, Signer, TrustedCertificate};
use crate::trust::{self, Case, Origin, Signature, Verdict};

/// Who hands a document over. [PROV 12.3]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A program on this machine.
    App {
        /// The CarrierId that the administrator bound the program to, with or without braces. A
        /// program without one must sign.
        carrier_id: Option<String>,
    },
    /// A web site, through a browser. Must sign.
    Website,
    /// Fetched by an earlier document's refresh. Must sign.
    Refresh,
    /// A file that the administrator of this machine put into the configuration.
    Administrator,
}

/// Whom this machine knows already. [PROV 12.3]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Certificates that the administrator names for everybody's documents. What operator data and service metadata of the
    /// present SIMs name is among the [`Facts`].
    pub supplied: Vec<TrustedCertificate>,
    /// Certificates that earlier documents named, each with the CarrierId of its document: it counts for that one only.
    pub learned: Vec<(String, TrustedCertificate)>,
    /// Leaf certificates that the user said yes to (SHA-256, hexadecimal).
    pub consented: Vec<String>,
}

/// What comes of the judgement.
#[derive(Debug, Clone)]
pub enum Judged {
    /// It may be applied.
    Allowed(Box<Document>),
    /// It may be applied if the user approves of who signed it.
    Ask(Box<Question>),
}

/// A document that waits for the user's word on its signer.
#[derive(Debug, Clone)]
pub struct Question {
    document: Document,
    signer: Signer,
}

impl Question {
    /// Who signed.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// GUID of the organisation that wrote it, in braces, lower case.
    #[must_use]
    pub fn carrier_id(&self) -> &str {
        self.document.carrier_id()
    }

    /// The user said yes.
    #[must_use]
    pub fn approved(self) -> Document {
        self.document
    }

    /// The user said no, or nobody could be asked.
    #[must_use]
    pub fn declined(self) -> Refused {
        let refused =
            Refused::new(Code::SIGNER_UNTRUSTED, format!("nobody approved the signer {}", self.signer.name()));
        Refused { signed: Some(Box::new(self.signer.brief())), ..refused }
    }
}

impl Document {
    /// Judges signature, source and ownership, in the order of [PROV 12.1] steps 4 to 7; step 8 is asking the question
    /// that may come out. Nothing here changes anything.
    ///
    /// # Errors
    /// The code of the first step that refuses.
    pub fn judge(validated: Validated, source: &Source, facts: &Facts, trust: &Trust) -> Result<Judged, Refused> {
        let Validated { content, signer, .. } = validated;
        let origin = match source {
            Source::Administrator => Origin::Administrator,
            Source::App { carrier_id: Some(_) } => Origin::BoundProgram,
            Source::App { carrier_id: None } => Origin::Program,
            Source::Website => Origin::Website,
            Source::Refresh => Origin::Refresh,
        };
        if let Some(shape) = &content.signature {
            // Read from the octets that came and not from those that were signed: whoever calls has not had it checked.
            return Err(if shape.has_certificate {
                Refused::new(Code::SIGNATURE_INVALID, "the document is signed, and its signature was not checked")
            } else {
                Refused::new(Code::NO_LEAF_CERTIFICATE, "the signature has no certificate")
            });
        }
        let signed = signer.as_deref().map(Signer::brief);
        let refuse =
            |code, reason: String| Refused { signed: signed.clone().map(Box::new), ..Refused::new(code, reason) };
        let signature = signer.as_deref().map(|signer| Signature {
            chain: &signer.chain,
            may_sign: signer.may_sign,
            supplied: is_supplied(signer, &content, facts, trust),
            consented: trust.consented.contains(&signer.fingerprint),
        });
        let verdict = trust::decide(&Case { origin, sim: sim_of_operator(facts), signature });
        if let Verdict::Refuse(code, reason) = verdict {
            return Err(refuse(code, reason));
        }
        if let Source::App { carrier_id: Some(bound) } = source
            && !same_guid(bound, &content.global.carrier_id)
        {
            return Err(refuse(Code::ACCESS_DENIED, "the program is bound to another carrier".to_owned()));
        }
        if belongs_to_another(&content.global, facts) {
            return Err(refuse(Code::ACCESS_DENIED, "the SIM belongs to another carrier".to_owned()));
        }
        let document = Self { content, signed };
        Ok(match (verdict, signer) {
            (Verdict::Ask, Some(signer)) => Judged::Ask(Box::new(Question { document, signer: *signer })),
            _ => Judged::Allowed(Box::new(document)),
        })
    }

    /// The document, where it may take the place of the one that said where it is. [PROV 12.8, PROV-169]
    ///
    /// # Errors
    /// It is another operator's, or another customer's.
    pub fn refreshes(self, owner: &Owner) -> Result<Self, Refused> {
        if Owner::of(&self) == *owner {
            return Ok(self);
        }
        let reason = "it is for another carrier or customer than the one that said where it is";
        let signed = self.signed.map(Box::new);
        Err(Refused { signed, ..Refused::new(Code::ACCESS_DENIED, reason) })
    }

    /// [`Self::judge`] where nobody is known and nobody can be asked.
    ///
    /// # Errors
    /// The code of the first step that refuses.
    pub fn authorise(validated: Validated, source: &Source, facts: &Facts) -> Result<Self, Refused> {
        match Self::judge(validated, source, facts, &Trust::default())? {
            Judged::Allowed(document) => Ok(*document),
            Judged::Ask(question) => Err(question.declined()),
        }
    }
}

/// Whether the certificate was named before: by the administrator, by operator records or service metadata of the SIM, or by an
/// earlier document of the same carrier. [PROV-181, PROV-184, PROV-221]
fn is_supplied(signer: &Signer, content: &Content, facts: &Facts, trust: &Trust) -> bool {
    let carrier = &content.global.carrier_id;
    let learned = trust.learned.iter().filter(|(of, _)| same_guid(of, carrier)).map(|(_, named)| named);
    let recorded = named_by_records(&content.global, facts);
    trust.supplied.iter().chain(learned).chain(recorded).any(|named| signer.is(named))
}

/// A document that is not applied at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code of [PROV 11.1].
    pub code: Code,
    /// One sentence for people; no value of the document.
    pub reason: String,
    /// Whose certificate its signature has, where that could be read.
    pub signed: Option<Box<Signed>>,
}

impl Refused {
    /// Refused, with nothing known of a signature.
    #[must_use]
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), signed: None }
    }
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self::new(invalid.code(), invalid.to_string())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl core::error::Error for Refused {}

//! The allowed shape of a signature. [PROV 9.1]

use super::*;

const ID: &[Attribute] = &[may("Id", TOKEN)];

pub(super) static SIGNATURE: Element =
    element(Ns::Signature, "Signature", Content::Children(&[one(&SIGNED_INFO), one(&SIGNATURE_VALUE), opt(&KEY_INFO)]))
        .with(ID);

static SIGNED_INFO: Element = element(
    Ns::Signature,
    "SignedInfo",
    Content::Children(&[one(&CANONICALIZATION_METHOD), one(&SIGNATURE_METHOD), one(&REFERENCE)]),
)
.with(ID);

static CANONICALIZATION_METHOD: Element =
    element(Ns::Signature, "CanonicalizationMethod", Content::Mixed(&[])).with(&[must(
        "Algorithm",
        Lexical::Word(&[
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
            "http://www.w3.org/2001/10/xml-exc-c14n#",
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        ]),
    )]);

static SIGNATURE_METHOD: Element =
    element(Ns::Signature, "SignatureMethod", Content::Mixed(&[opt(&HMAC_OUTPUT_LENGTH), lax(Ns::Signature, &[])]))
        .with(&[must("Algorithm", Lexical::Uri)]);
static HMAC_OUTPUT_LENGTH: Element = text(Ns::Signature, "HMACOutputLength", Lexical::Integer { min: 0, max: UINT32 });

static REFERENCE: Element = element(
    Ns::Signature,
    "Reference",
    Content::Children(&[one(&TRANSFORMS), one(&DIGEST_METHOD), one(&DIGEST_VALUE)]),
)
.with(&[may("Id", TOKEN), may("URI", Lexical::Exactly(""))]);
static TRANSFORMS: Element = element(Ns::Signature, "Transforms", Content::Children(&[one(&TRANSFORM)]));
static TRANSFORM: Element = element(Ns::Signature, "Transform", Content::Mixed(&[]))
    .with(&[must("Algorithm", Lexical::Exactly("http://www.w3.org/2000/09/xmldsig#enveloped-signature"))]);
static DIGEST_METHOD: Element = element(Ns::Signature, "DigestMethod", Content::Mixed(&[lax(Ns::Signature, &[])]))
    .with(&[must("Algorithm", Lexical::Uri)]);
static DIGEST_VALUE: Element = text(Ns::Signature, "DigestValue", Lexical::Base64);
static SIGNATURE_VALUE: Element = text(Ns::Signature, "SignatureValue", Lexical::Base64).with(ID);

static KEY_INFO: Element = element(
    Ns::Signature,
    "KeyInfo",
    Content::Mixed(&[Particle {
        min: 1,
        max: NO_LIMIT,
        term: Term::Choice(&[
            way(&[one(&KEY_VALUE)]),
            way(&[one(&X509_DATA)]),
            way(&[Particle {
                min: 1,
                max: 1,
                term: Term::Foreign(Foreign { not: Ns::Signature, lax: true, known: &[] }),
            }]),
        ]),
    }]),
)
.with(ID);

/// A key is never a source of trust, so that what it is made of is not looked at.
static KEY_VALUE: Element = element(
    Ns::Signature,
    "KeyValue",
    Content::Mixed(&[one_of(&[
        way(&[one(&DSA_KEY_VALUE)]),
        way(&[one(&RSA_KEY_VALUE)]),
        way(&[Particle { min: 1, max: 1, term: Term::Foreign(Foreign { not: Ns::Signature, lax: true, known: &[] }) }]),
    ])]),
);
static DSA_KEY_VALUE: Element = element(Ns::Signature, "DSAKeyValue", Content::Anything);
static RSA_KEY_VALUE: Element = element(Ns::Signature, "RSAKeyValue", Content::Anything);

static X509_DATA: Element =
    element(Ns::Signature, "X509Data", Content::Children(&[many(1, NO_LIMIT, &X509_CERTIFICATE)]));
static X509_CERTIFICATE: Element = text(Ns::Signature, "X509Certificate", Lexical::Base64);

//! Result codes: what a document, a section or a single element came to. [PROV 11]

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A 32-bit result code as results documents carry it. [PROV 11]
///
/// Printed as eight lower-case hexadecimal digits without a prefix. Bit 31 set means failure; a
/// code without it other than [`Code::OK`] is a warning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Code(pub u32);

impl Code {
    /// Applied. [PROV 11.2]
    pub const OK: Self = Self(0x0000_0000);

    /// File: the CarrierId belongs to somebody else. Element: refused by the back end. [PROV 11.1]
    pub const ACCESS_DENIED: Self = Self(0x8007_0005);
    /// File: not well-formed, has a document type declaration, or is badly encoded. [PROV 11.1]
    pub const XML_MALFORMED: Self = Self(0x8217_0001);
    /// File: well-formed but against the schema or the semantic file rules. [PROV 11.1]
    pub const XML_INVALID: Self = Self(0x8217_0002);
    /// File: the signature value does not verify, or its algorithm is not accepted. [PROV 11.1]
    pub const SIGNATURE_INVALID: Self = Self(0x8217_0003);
    /// File: the certificate does not chain to a trusted root. [PROV 11.1]
    pub const SIGNATURE_UNTRUSTED: Self = Self(0x8217_0004);
    /// File: changed after it was signed. [PROV 11.1]
    pub const DIGEST_INVALID: Self = Self(0x8217_0005);
    /// File: the user did not approve the signer. [PROV 11.1]
    pub const SIGNER_UNTRUSTED: Self = Self(0x8217_0006);
    /// File: the signature carries no certificate. [PROV 11.1]
    pub const NO_LEAF_CERTIFICATE: Self = Self(0x8217_0007);
    /// File: the certificate may not sign documents. [PROV 11.1]
    pub const CERTIFICATE_INVALID_FOR_SIGNING: Self = Self(0x8217_000d);
    /// File: unsigned, from a source that must sign. [PROV 11.1]
    pub const MISSING_SIGNATURE: Self = Self(0x8217_000e);
    /// File: over a limit of [PROV 16]. [PROV 11.1]
    pub const FILE_TOO_LARGE: Self = Self(0x8007_00df);

    /// Element: no present modem has this subscriber or device. [PROV 11.2]
    pub const NOT_PRESENT: Self = Self(0x8007_0490);
    /// Element: the service behind it does not run. [PROV 11.2]
    pub const SERVICE_NOT_ACTIVE: Self = Self(0x8007_0426);
    /// Element: modem present, SIM locked or not initialised. [PROV 11.2]
    pub const NOT_READY: Self = Self(0x8007_0015);
    /// Element: the device is gone. [PROV 11.2]
    pub const DEVICE_GONE: Self = Self(0x8007_0037);
    /// Element: passes the schema but cannot work. [PROV 11.2]
    pub const BAD_PROFILE: Self = Self(0x8007_04b6);
    /// Element: the system or the modem lacks what it asks for. [PROV 11.2]
    pub const NOT_SUPPORTED: Self = Self(0x8007_0032);
    /// Element: the modem rejected it. [PROV 11.2]
    pub const INVALID_PARAMETER: Self = Self(0x8007_0057);
    /// Element: content unusable (pattern, fields, logo, refresh data). [PROV 11.2]
    pub const CONTENT_UNUSABLE: Self = Self(0x8217_0008);
    /// Plan: usage for a plan that this machine does not know. [PROV 11.2]
    pub const PLAN_NOT_KNOWN: Self = Self(0x8217_0012);
    /// Profile: names a plan that is not in the document. [PROV 11.2]
    pub const PLAN_NOT_IN_FILE: Self = Self(0xa217_0101);
    /// Warning: no profile refers to this plan. [PROV 11.2]
    pub const PLAN_UNREFERENCED: Self = Self(0x2217_0101);
    /// Warning: stored, without effect on this system. [PROV 11.2]
    pub const NO_EFFECT: Self = Self(0x2217_0102);
    /// Warning: a spelling of the published prose was accepted. [PROV 11.2]
    pub const PROSE_SPELLING: Self = Self(0x2217_0103);

    /// A newer document could not be fetched. Only ever of a job, never in a results document.
    pub const NOT_FETCHED: Self = Self(0xa217_0104);
    /// Activation: the attempt was running when the daemon ended. Only ever the outcome of an
    /// attempt, never in a results document.
    pub const ABORTED: Self = Self(0x8007_03e3);

    /// Whether the severity bit is set.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// Whether this is neither success nor failure.
    #[must_use]
    pub const fn is_warning(self) -> bool {
        self.0 != 0 && !self.is_failure()
    }

    /// Whether a refusal with this code is about the signature, so that the results document
    /// shows a `Signature` element. [PROV 11.1, column S]
    #[must_use]
    pub fn is_about_signature(self) -> bool {
        matches!(
            self,
            Self::SIGNATURE_INVALID
                | Self::SIGNATURE_UNTRUSTED
                | Self::DIGEST_INVALID
                | Self::SIGNER_UNTRUSTED
                | Self::NO_LEAF_CERTIFICATE
                | Self::CERTIFICATE_INVALID_FOR_SIGNING
                | Self::MISSING_SIGNATURE
        )
    }

    /// A short sentence for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::OK => "applied",
            Self::ACCESS_DENIED => "access denied",
            Self::XML_MALFORMED => "not well-formed XML",
            Self::XML_INVALID => "does not conform to the schema",
            Self::SIGNATURE_INVALID => "signature invalid or its algorithm not accepted",
            Self::SIGNATURE_UNTRUSTED => "signer's certificate is not trusted",
            Self::DIGEST_INVALID => "changed after it was signed",
            Self::SIGNER_UNTRUSTED => "signer was not approved",
            Self::NO_LEAF_CERTIFICATE => "signature has no certificate",
            Self::CERTIFICATE_INVALID_FOR_SIGNING => "certificate may not sign documents",
            Self::MISSING_SIGNATURE => "must be signed and is not",
            Self::FILE_TOO_LARGE => "over a size limit",
            Self::NOT_PRESENT => "no such modem or subscriber",
            Self::SERVICE_NOT_ACTIVE => "service not active",
            Self::NOT_READY => "device not ready",
            Self::DEVICE_GONE => "device is gone",
            Self::BAD_PROFILE => "profile cannot work",
            Self::NOT_SUPPORTED => "not supported",
            Self::INVALID_PARAMETER => "invalid parameter",
            Self::CONTENT_UNUSABLE => "content unusable",
            Self::PLAN_NOT_KNOWN => "plan not known on this machine",
            Self::PLAN_NOT_IN_FILE => "names a plan that is not in the document",
            Self::PLAN_UNREFERENCED => "no profile refers to this plan",
            Self::NO_EFFECT => "stored, without effect on this system",
            Self::PROSE_SPELLING => "spelling outside the schema accepted",
            Self::NOT_FETCHED => "no newer document was fetched",
            Self::ABORTED => "interrupted by the end of the daemon",
            _ if self.is_failure() => "failed",
            _ => "done with a warning",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// Not eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotACode;

impl fmt::Display for NotACode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code is eight hexadecimal digits")
    }
}

impl core::error::Error for NotACode {}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotACode);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| NotACode)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_and_text() {
        assert!(Code::PLAN_NOT_IN_FILE.is_failure());
        assert!(Code::PLAN_UNREFERENCED.is_warning());
        assert!(!Code::OK.is_warning() && !Code::OK.is_failure());
        assert_eq!(Code::FILE_TOO_LARGE.to_string(), "800700df");
        assert_eq!("a2170101".parse(), Ok(Code::PLAN_NOT_IN_FILE));
        assert_eq!("+2170101".parse::<Code>(), Err(NotACode));
    }
}

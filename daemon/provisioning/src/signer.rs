//! Who signed a document: facts of a certificate, and how names in it are compared. [PROV 7, 12.3]

use core::fmt;

use serde::{Deserialize, Serialize};

/// What is known of the signer of a document whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// SHA-256 of the leaf certificate, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
    /// The subject, then the directory names among its alternative names.
    pub subjects: Vec<Name>,
    /// The issuer, then the directory names among its alternative names.
    pub issuers: Vec<Name>,
    /// First second of its validity, since 1970.
    pub not_before: u64,
    /// Last second of its validity, since 1970.
    pub not_after: u64,
    /// Whether its key usage has digitalSignature.
    pub may_sign: bool,
    /// Whom it leads to.
    pub chain: Chain,
    /// Where its issuers tell of revocations (addresses of OCSP responders and of lists).
    pub revocation: Vec<String>,
}

impl Signer {
    /// The subject, for people.
    #[must_use]
    pub fn name(&self) -> String {
        self.subjects.first().map(Name::to_string).unwrap_or_default()
    }

    /// The issuer, for people.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuers.first().map(Name::to_string).unwrap_or_default()
    }

    /// What the results tell of it.
    #[must_use]
    pub fn brief(&self) -> Signed {
        let subject = self.subjects.first().map(Name::rfc4514).unwrap_or_default();
        Signed { subject, fingerprint: self.fingerprint.clone() }
    }

    /// Whether the certificate is the one that a pair of names means. [PROV-185]
    #[must_use]
    pub fn is(&self, named: &TrustedCertificate) -> bool {
        let among = |text: &str, names: &[Name]| {
            Name::parse(text).is_some_and(|wanted| names.iter().any(|name| name.is_same(&wanted)))
        };
        among(&named.subject, &self.subjects) && among(&named.issuer, &self.issuers)
    }
}

/// Whose certificate a signature has, as the results tell it. Says nothing about its worth. [PROV 10.3]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The subject as RFC 4514 writes it: the last part first.
    pub subject: String,
    /// SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
}

/// What became of the chain of certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// It ends at a trusted root, everything on the way being valid now.
    Trusted {
        /// Name of the root.
        root: String,
        /// Whether the root is marked and the chain carries one of its policies for extended validation.
        extended_validation: bool,
    },
    /// It does not.
    Untrusted {
        /// Why, for people.
        reason: String,
    },
}

/// A certificate that operator data, service metadata or an earlier document name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrustedCertificate {
    /// `SubjectName`, as it was written.
    pub subject: String,
    /// `IssuerName`, as it was written.
    pub issuer: String,
}

/// A distinguished name: relative names in the certificate's order, each of pairs of type (dotted) and value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name(Vec<Vec<(String, String)>>);

/// Attribute types by the short names that certificates are printed with.
const TYPES: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("S", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("T", "2.5.4.12"),
    ("TITLE", "2.5.4.12"),
    ("BUSINESSCATEGORY", "2.5.4.15"),
    ("POSTALCODE", "2.5.4.17"),
    ("GN", "2.5.4.42"),
    ("G", "2.5.4.42"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("E", "1.2.840.113549.1.9.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("JURISDICTIONC", "1.3.6.1.4.1.311.60.2.1.3"),
    ("JURISDICTIONST", "1.3.6.1.4.1.311.60.2.1.2"),
    ("JURISDICTIONL", "1.3.6.1.4.1.311.60.2.1.1"),
];

/// Relative names of a name that is parsed; more is no name.
const MAX_PARTS: usize = 64;

impl Name {
    /// From a certificate: for each relative name its pairs of dotted type and value.
    #[must_use]
    pub const fn new(parts: Vec<Vec<(String, String)>>) -> Self {
        Self(parts)
    }

    /// Reads `CN=…, O=…` with the quoting and escapes of RFC 4514 and of Windows; `None` where it is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut part = Vec::new();
        let mut rest = text.trim();
        loop {
            let (key, after) = rest.split_once('=')?;
            let (value, end, after) = value(after.trim_start())?;
            part.push((dotted(key.trim())?, value));
            if end != Some('+') {
                parts.push(core::mem::take(&mut part));
            }
            if parts.len() > MAX_PARTS || part.len() > MAX_PARTS {
                return None;
            }
            rest = after.trim_start();
            match end {
                None => return Some(Self(parts)),
                Some(_) if rest.is_empty() => return None,
                Some(_) => {}
            }
        }
    }

    /// As RFC 4514 writes it: the last part first, nothing between the parts but commas.
    #[must_use]
    pub fn rfc4514(&self) -> String {
        let parts: Vec<String> = self.0.iter().rev().map(|part| Written(part, "+").to_string()).collect();
        parts.join(",")
    }

    /// Types and values equal after case folding and collapsing of white space, in the same order or the exact reverse:
    /// both are in use for printing the same certificate.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let folded = |name: &Self| -> Vec<Vec<(String, String)>> {
            let pair = |(key, value): &(String, String)| (key.clone(), fold(value));
            let part = |part: &Vec<(String, String)>| {
                let mut part: Vec<_> = part.iter().map(pair).collect();
                part.sort_unstable();
                part
            };
            name.0.iter().map(part).collect()
        };
        let (one, mut other) = (folded(self), folded(other));
        if one == other {
            return !one.is_empty();
        }
        other.reverse();
        one == other
    }
}

fn fold(value: &str) -> String {
    let lower = value.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn dotted(key: &str) -> Option<String> {
    let key = key.strip_prefix("OID.").or_else(|| key.strip_prefix("oid.")).unwrap_or(key);
    if !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Some(key.to_owned());
    }
    TYPES.iter().find(|(short, _)| short.eq_ignore_ascii_case(key)).map(|(_, oid)| (*oid).to_owned())
}

/// A value, the separator that ended it and what follows.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    let mut octets = Vec::new();
    let mut chars = text.char_indices();
    let mut quoted = false;
    // Octets up to which nothing is trimmed: what was escaped or quoted.
    let mut kept = 0;
    let push = |octets: &mut Vec<u8>, c: char| octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quoted && chars.as_str().starts_with('"') => {
                chars.next();
                push(&mut octets, '"');
                kept = octets.len();
            }
            '"' => {
                quoted = !quoted;
                kept = octets.len();
            }
            '\\' => {
                let (_, escaped) = chars.next()?;
                match escaped.to_digit(16) {
                    Some(high) => {
                        let low = chars.next().and_then(|(_, c)| c.to_digit(16))?;
                        octets.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    None => push(&mut octets, escaped),
                }
                kept = octets.len();
            }
            ',' | ';' | '+' if !quoted => {
                return Some((finish(octets, kept)?, Some(c), text.get(at + 1..)?));
            }
            c => push(&mut octets, c),
        }
    }
    if quoted {
        return None;
    }
    Some((finish(octets, kept)?, None, ""))
}

fn finish(mut octets: Vec<u8>, kept: usize) -> Option<String> {
    while octets.len() > kept && octets.last().is_some_and(u8::is_ascii_whitespace) {
        octets.pop();
    }
    String::from_utf8(octets).ok()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            Written(part, " + ").fmt(f)?;
        }
        Ok(())
    }
}

/// A relative name as text, with what stands between its pairs.
struct Written<'a>(&'a [(String, String)], &'static str);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(self.1)?;
            }
            let short = TYPES.iter().find(|(_, oid)| oid == key).map_or(key.as_str(), |(short, _)| short);
            write!(f, "{short}=")?;
            for c in value.chars() {
                match c {
                    ',' | ';' | '+' | '"' | '\\' | '<' | '>' | '=' => write!(f, "\\{c}")?,
                    c if c.is_control() => f.write_str("?")?,
                    c => write!(f, "{c}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        Name::parse(one).unwrap().is_same(&Name::parse(other).unwrap())
    }

    #[test]
    fn order_case_and_spaces() {
        assert!(same("CN=Example Mobile, O=Example, C=XX", "c=xx,o=EXAMPLE,cn=example   mobile"));
        assert!(same("CN=a,O=b", "2.5.4.3=A; OID.2.5.4.10=B"));
        assert!(same("CN=a+OU=b,O=c", "OU=B + CN=A, O=C"));
        assert!(!same("CN=a,O=b,C=x", "CN=a,C=x,O=b"));
        assert!(!same("CN=a", "O=a"));
        assert!(!same("CN=a,O=b", "CN=a"));
    }

    #[test]
    fn as_rfc_4514_writes_it() {
        let name = Name::parse("C=XX, O=Example\\, Inc., CN=a + OU=b").unwrap();
        assert_eq!(name.rfc4514(), "CN=a+OU=b,O=Example\\, Inc.,C=XX");
        assert_eq!(Name::new(Vec::new()).rfc4514(), "");
    }

    #[test]
    fn quoting() {
        assert!(same(r#"O="Example, Inc.", C=XX"#, r"O=Example\, Inc., C=XX"));
        assert!(same(r#"O="a ""b"" c""#, r#"O=a \"b\" c"#));
        assert!(same(r"CN=Z\c3\bcrich", "CN=ZÜRICH"));
        let name = Name::parse(r#"CN="a, b=c", O=x\\y"#).unwrap();
        assert!(Name::parse(&name.to_string()).unwrap().is_same(&name), "{name}");
        for no in ["", "CN", "=a", "CN=a,", "CN=\"a", "CN=a\\", "XYZ=a", "CN=\\f", "CN=\\ff"] {
            assert!(Name::parse(no).is_none(), "{no}");
        }
    }
}

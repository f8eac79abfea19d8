//! Values: the simple types of the schema. [PROV 2]

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::calendar::Moment;
use crate::duration::XsDuration;

/// A simple type. Lengths count characters (code points).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lexical {
    /// `xs:string`: white space counts.
    Text {
        min: usize,
        max: usize,
    },
    /// `xs:token` and collapsed `xs:normalizedString`: white space is collapsed first.
    Token {
        min: usize,
        max: usize,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// White-space separated tokens.
    TokenList,
    Boolean,
    Integer {
        min: u64,
        max: u64,
    },
    /// ASCII digits, so many.
    Digits {
        min: usize,
        max: usize,
    },
    Guid,
    Subscriber,
    Device,
    /// Seconds from `min` to `max`, the latter excluded on demand.
    Span {
        min: u64,
        max: u64,
        max_excluded: bool,
    },
    /// Any duration above nothing.
    PositiveDuration,
    DateTime,
    Base64,
    /// Hexadecimal, so many octets.
    Hex {
        min: usize,
        max: usize,
    },
    /// The name of a Wi-Fi network: characters, and at most 32 octets of UTF-8.
    Ssid {
        min: usize,
    },
    /// `language[_country][.codepage]` or a hyphenated language tag. [PROV 4.8]
    Locale,
    HttpsUrl,
    /// Any URI, not looked at.
    Uri,
    /// Nothing but this one.
    Exactly(&'static str),
}

/// XML's white space.
pub(crate) const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Trims, and makes each run of white space one space.
pub(crate) fn collapse(value: &str) -> Cow<'_, str> {
    // As if a space stood before it and behind: two in a row are one too many.
    let mut before = b' ';
    let mut is_too_much = |octet: u8| {
        let former = core::mem::replace(&mut before, octet);
        matches!(octet, b'\t' | b'\n' | b'\r') || (octet == b' ' && former == b' ')
    };
    if value.is_empty() || !value.bytes().chain([b' ']).any(&mut is_too_much) {
        return value.into();
    }
    let words: Vec<_> = value.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(" ").into()
}

/// Decodes `xs:base64Binary`: white space anywhere, strict alphabet and padding.
pub(crate) fn decode_base64(value: &str) -> Option<Vec<u8>> {
    // Activation data are among it. Grown at once: what is moved would stay behind in clear.
    let mut packed = Zeroizing::new(Vec::with_capacity(value.len()));
    packed.extend(value.bytes().filter(|b| !is_space(char::from(*b))));
    STANDARD.decode(&*packed).ok()
}

/// Decodes hexadecimal without white space.
pub(crate) fn decode_hex(value: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = value.as_bytes().as_chunks::<2>();
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let octets = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { octets.collect() } else { None }
}

/// Reads `xs:boolean`.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    match &*collapse(value) {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Reads a whole number that is not negative.
pub(crate) fn integer(value: &str) -> Option<u64> {
    let value = collapse(value);
    let digits = match value.strip_prefix('-') {
        Some(zeros) => zeros.bytes().all(|b| b == b'0').then_some(zeros)?,
        None => value.strip_prefix('+').unwrap_or(&value),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

impl Lexical {
    /// The mark of a rule that the generated XML Schema states in part only: what is left out.
    pub(crate) const fn beyond_xsd(self) -> Option<&'static str> {
        match self {
            Self::Ssid { .. } => Some("at most 32 octets of UTF-8"),
            Self::DateTime => Some("years of at most nine digits"),
            Self::Span { .. } | Self::PositiveDuration => Some("no component, and no sum of them, beyond 64 bits"),
            Self::Subscriber | Self::Locale => Some("beyond ASCII letters and digits only"),
            _ => None,
        }
    }

    /// Whether the value is of this type.
    pub(crate) fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text { min, max } => (min..=max).contains(&value.chars().count()),
            Self::Token { min, max } => (min..=max).contains(&collapse(value).chars().count()),
            Self::Word(words) => words.contains(&&*collapse(value)),
            Self::TokenList | Self::Uri => true,
            Self::Boolean => boolean(value).is_some(),
            Self::Integer { min, max } => integer(value).is_some_and(|n| (min..=max).contains(&n)),
            Self::Digits { min, max } => {
                let value = collapse(value);
                (min..=max).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
            }
            Self::Guid => is_guid(&collapse(value)),
            Self::Subscriber => {
                let value = collapse(value);
                (1..=20).contains(&value.chars().count()) && value.chars().all(is_word)
            }
            Self::Device => is_device(&collapse(value)),
            Self::Span { min, max, max_excluded } => span(value).is_some_and(|span| {
                let (min, max) = (Duration::from_secs(min), Duration::from_secs(max));
                span >= min && (span < max || span == max && !max_excluded)
            }),
            Self::PositiveDuration => {
                XsDuration::parse(&collapse(value)).is_some_and(|duration| !duration.negative && !duration.is_zero())
            }
            Self::DateTime => Moment::parse(&collapse(value)).is_some(),
            Self::Base64 => decode_base64(value).map(Zeroizing::new).is_some(),
            Self::Hex { min, max } => {
                let value = collapse(value);
                value.len().is_multiple_of(2)
                    && (min..=max).contains(&(value.len() / 2))
                    && value.bytes().all(|b| b.is_ascii_hexdigit())
            }
            Self::Ssid { min } => value.chars().count() >= min && value.len() <= 32,
            Self::Locale => is_locale(&collapse(value)),
            Self::HttpsUrl => collapse(value).strip_prefix("https://").is_some_and(|rest| !rest.is_empty()),
            Self::Exactly(wanted) => collapse(value) == wanted,
        }
    }
}

/// The rule in words, without the value: it may be a secret.
impl fmt::Display for Lexical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const OPEN: usize = usize::MAX;
        match *self {
            Self::Text { min: 0, max: OPEN } | Self::Token { min: 0, max: OPEN } => f.write_str("must be text"),
            Self::Text { min, max: OPEN } | Self::Token { min, max: OPEN } => {
                write!(f, "must have at least {min} characters")
            }
            Self::Text { min, max } | Self::Token { min, max } => {
                write!(f, "must have {min} to {max} characters")
            }
            Self::Word(words) => write!(f, "must be one of {}", words.join(", ")),
            Self::TokenList => f.write_str("must be a list of words"),
            Self::Boolean => f.write_str("must be true, false, 1 or 0"),
            Self::Integer { min, max } => write!(f, "must be a whole number from {min} to {max}"),
            Self::Digits { min, max } => write!(f, "must be {min} to {max} digits"),
            Self::Guid => f.write_str("must be a GUID in braces"),
            Self::Subscriber => f.write_str("must be 1 to 20 letters or digits, without punctuation or space"),
            Self::Device => f.write_str("must be 15 or 16 digits, or a MAC address with colons"),
            Self::Span { min, max, max_excluded } => {
                let end = if max_excluded { "below" } else { "to" };
                write!(f, "must be a duration from {min} {end} {max} seconds, such as PT90S, without years and months")
            }
            Self::PositiveDuration => f.write_str("must be a duration longer than nothing"),
            Self::DateTime => f.write_str("must be a date and time, such as 2026-03-01T00:00:00Z"),
            Self::Base64 => f.write_str("must be Base64"),
            Self::Hex { max: OPEN, .. } => f.write_str("must be hexadecimal"),
            Self::Hex { min, max } => write!(f, "must be {min} to {max} octets in hexadecimal"),
            Self::Ssid { min } => {
                write!(f, "must have at least {min} characters and at most 32 octets")
            }
            Self::Locale => f.write_str("must name a language, such as en-us"),
            Self::HttpsUrl => f.write_str("must begin with https://"),
            Self::Uri => f.write_str("must be a URI"),
            Self::Exactly(wanted) => write!(f, "must be {wanted}"),
        }
    }
}

/// A duration of fixed length.
pub(crate) fn span(value: &str) -> Option<Duration> {
    XsDuration::parse(&collapse(value))?.fixed()
}

fn is_guid(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('{').and_then(|v| v.strip_suffix('}')) else {
        return false;
    };
    let lengths = inner.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && inner.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// `\w` of XML Schema: neither punctuation, separator nor control. Beyond ASCII the letters and
/// digits; the symbols there, which `\w` would let pass, stand in no identifier.
fn is_word(c: char) -> bool {
    match c {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => c.is_alphanumeric(),
    }
}

fn is_device(value: &str) -> bool {
    let digits = matches!(value.len(), 15 | 16) && value.bytes().all(|b| b.is_ascii_digit());
    let octet = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    digits || value.split(':').count() == 6 && value.split(':').all(octet)
}

fn is_locale(value: &str) -> bool {
    let mut tags = value.split('-');
    let language = tags.next().unwrap_or_default();
    let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphabetic());
    let sub = |tag: &str| (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    if matches!(language.len(), 2 | 3) && letters(language) && tags.all(sub) {
        return true;
    }
    let (value, page) = match value.rsplit_once('.') {
        Some((value, page)) => (value, Some(page)),
        None => (value, None),
    };
    if page.is_some_and(|page| page.is_empty() || !page.bytes().all(|b| b.is_ascii_digit())) {
        return false;
    }
    let (language, country) = match value.split_once('_') {
        Some((language, country)) => (language, Some(country)),
        None => (value, None),
    };
    let words = |text: &str| !text.is_empty() && text.chars().all(is_word);
    words(language) && country.is_none_or(|c| !c.is_empty() && c.chars().all(|c| c == ' ' || is_word(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lexical: Lexical, good: &[&str], bad: &[&str]) {
        for value in good {
            assert!(lexical.accepts(value), "{lexical:?} must take {value:?}");
        }
        for value in bad {
            assert!(!lexical.accepts(value), "{lexical:?} must refuse {value:?}");
        }
    }

    #[test]
    fn values() {
        check(
            Lexical::Guid,
            &["{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}", " {7D3C1F52-0B5E-4C7A-9A41-5E2F6B8C9D10}\n"],
            &[
                "7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10",
                "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d1}",
                "{7d3c1f52-0b5e-4c7a-9a415-e2f6b8c9d10}",
                "{}",
                "",
            ],
        );
        // PROV-020, PROV-021.
        check(
            Lexical::Subscriber,
            &["001010123456789", "1", "a+b", "Füßli", " 12 ", &"9".repeat(20)],
            &["", "a_b", "a-b", "a b", "a@b", &"9".repeat(21), "a\u{2013}b"],
        );
        // PROV-022.
        check(
            Lexical::Device,
            &["123456789012345", "1234567890123456", "00:1a:2B:3c:4d:5E"],
            &["12345678901234", "00-1a-2b-3c-4d-5e", "00:1a:2b:3c:4d", "", "00:1a:2b:3c:4d:5"],
        );
        check(
            Lexical::Integer { min: 0, max: 9 },
            &["0", "9", "+3", "007", "-0", " 5\n"],
            &["10", "-1", "", "1.0", "+", "-", "99999999999999999999999", "٣"],
        );
        check(Lexical::Boolean, &["true", "0", " 1 "], &["TRUE", "yes", ""]);
        // PROV-068.
        check(Lexical::Base64, &["", "QQ==", " Q Q\n= =", "QUJD"], &["QQ=", "QQ", "QR==", "Q_==", "====", "QQ==QQ=="]);
        check(Lexical::Hex { min: 1, max: 2 }, &["0a", "0A0B"], &["", "0", "0a0b0c", "xx"]);
        check(Lexical::Ssid { min: 1 }, &["a", &"x".repeat(32)], &["", &"x".repeat(33), &"é".repeat(17)]);
        // PROV-095.
        check(
            Lexical::Locale,
            &["en-us", "en", "English_United States.1252", "German", "de-CH-1996"],
            &["", "en_", "x.", "e-", "English.12a52", "a b"],
        );
        check(Lexical::HttpsUrl, &["https://a", " https://a/b?c "], &["http://a", "https://", "HTTPS://a", ""]);
        check(Lexical::Token { min: 1, max: 3 }, &["a", "  abc  ", "a  b"], &["", "  ", "abcd"]);
        check(Lexical::Text { min: 0, max: 3 }, &["", "   ", "äöü"], &["    "]);
        check(Lexical::Word(&["CHAP"]), &["CHAP"], &["chap", ""]);
    }
}

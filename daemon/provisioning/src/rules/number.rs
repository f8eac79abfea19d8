//! Numbers as a language writes them. [PROV 4.8, 12.10]

/// Digits of a number that are looked at: more octets than that nobody counts.
const MAX_DIGITS: usize = 20;

/// How a language writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locale {
    groups: &'static [char],
    decimal: char,
}

const ENGLISH: Locale = Locale { groups: &[','], decimal: '.' };
const GERMAN: Locale = Locale { groups: &['.'], decimal: ',' };
const FRENCH: Locale = Locale { groups: &[' ', '\u{a0}', '\u{202f}'], decimal: ',' };
const SWISS: Locale = Locale { groups: &['\'', '\u{2019}'], decimal: '.' };

/// Languages by tag and by name.
const LANGUAGES: [(&str, &str, Locale); 13] = [
    ("de", "german", GERMAN),
    ("es", "spanish", GERMAN),
    ("it", "italian", GERMAN),
    ("nl", "dutch", GERMAN),
    ("pt", "portuguese", GERMAN),
    ("fr", "french", FRENCH),
    ("ru", "russian", FRENCH),
    ("pl", "polish", FRENCH),
    ("cs", "czech", FRENCH),
    ("sv", "swedish", FRENCH),
    ("nb", "norwegian", FRENCH),
    ("no", "norwegian-bokmal", FRENCH),
    ("fi", "finnish", FRENCH),
];

impl Locale {
    /// By a tag (`de-CH`) or a name (`German_Switzerland.1252`); all others write as in the United States.
    pub(super) fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let name = name.split('.').next().unwrap_or_default();
        let mut parts = name.split(['-', '_']);
        let (language, region) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
        let known = LANGUAGES.iter().find(|(tag, named, _)| *tag == language || *named == language);
        match known.map(|(_, _, locale)| *locale) {
            Some(GERMAN) if matches!((language, region), ("de" | "german", "ch" | "switzerland")) => SWISS,
            Some(locale) => locale,
            None => ENGLISH,
        }
    }
}

/// A number: digits, the last `scale` of which are behind the decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    digits: u128,
    scale: u32,
}

impl Number {
    /// Reads one, without sign and exponent. Groups have three digits. `None` = it is none.
    pub(super) fn parse(text: &str, locale: Locale) -> Option<Self> {
        let (whole, fraction) = text.split_once(locale.decimal).unwrap_or((text, ""));
        if whole.is_empty() || text.ends_with(locale.decimal) {
            return None;
        }
        let mut groups = whole.split(locale.groups);
        let first = groups.next()?;
        let mut digits = first.to_owned();
        let is_grouped = whole.contains(locale.groups);
        if is_grouped && !(1..=3).contains(&first.len()) {
            return None;
        }
        for group in groups {
            if group.len() != 3 {
                return None;
            }
            digits.push_str(group);
        }
        digits.push_str(fraction);
        if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { digits: digits.parse().ok()?, scale: u32::try_from(fraction.len()).ok()? })
    }

    /// So many times this number, what is less than one dropped. `None` = more than anybody counts.
    pub(super) fn of(self, factor: u64) -> Option<u64> {
        self.share(factor.into(), 1)
    }

    /// This number in the hundred of a value.
    pub(super) fn percent_of(self, value: u64) -> Option<u64> {
        self.share(value.into(), 100)
    }

    /// A value of which this number in the hundred is `part`.
    pub(super) fn whole_of(self, part: u64) -> Option<u64> {
        let numerator = u128::from(part).checked_mul(100)?.checked_mul(10_u128.checked_pow(self.scale)?)?;
        u64::try_from(numerator.checked_div(self.digits)?).ok()
    }

    fn share(self, factor: u128, of: u128) -> Option<u64> {
        let divisor = 10_u128.checked_pow(self.scale)?.checked_mul(of)?;
        u64::try_from(self.digits.checked_mul(factor)? / divisor).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROV-094, PROV-095.
    #[test]
    fn numbers_as_languages_write_them() {
        for (locale, text, thousandths) in [
            ("en-US", "1,234.5", Some(1_234_500)),
            ("", "1234.5", Some(1_234_500)),
            ("English_United States.1252", "0.001", Some(1)),
            ("xx", "1.5", Some(1500)),
            ("de", "1.234,5", Some(1_234_500)),
            ("German_Germany.1252", "1,5", Some(1500)),
            ("de-CH", "1'234.5", Some(1_234_500)),
            ("German_Switzerland.1252", "1\u{2019}234.5", Some(1_234_500)),
            ("fr-CH", "1\u{202f}234,5", Some(1_234_500)),
            ("pt-BR", "12.345.678", Some(12_345_678_000)),
            ("fi", "1 234", Some(1_234_000)),
            ("ru", "1\u{a0}234,25", Some(1_234_250)),
            ("en", "1,5", None),
            ("en", "1234,567", None),
            ("en", ",567", None),
            ("en", "1.234.5", None),
            ("en", "1.", None),
            ("en", ".5", None),
            ("en", "-1", None),
            ("en", "1e3", None),
            ("en", "", None),
            ("en", "٣", None),
            ("en", "123456789012345678901", None),
            ("de", "1 234", None),
        ] {
            let number = Number::parse(text, Locale::named(locale));
            assert_eq!(number.and_then(|number| number.of(1000)), thousandths, "{locale} {text}");
        }
        let number = |text| Number::parse(text, ENGLISH).unwrap();
        assert_eq!(number("99999999999999999999").of(2), None);
        assert_eq!((number("12.5").percent_of(200), number("20").whole_of(200)), (Some(25), Some(1000)));
        assert_eq!((number("0").whole_of(1), number("0.5").whole_of(u64::MAX)), (None, None));
    }
}

//! Values of the simple types, good and bad ones, often at the edge.

use super::super::lexical::Lexical;
use super::Maker;

/// Beyond this a length is not tried out.
const LONG: usize = 300;

impl Maker {
    /// A text that no other one is, of at least `min` and at most `max` characters.
    fn unique(&mut self, min: usize, max: usize) -> String {
        self.counter += 1;
        let mut text = format!("n{}", self.counter);
        if self.random.one_in(8) {
            text.push_str(self.random.pick(&["\u{e9}", "\u{1f4f6}", "&<>", " x", "\u{10348}"], ""));
        }
        let wanted = match self.random.below(8) {
            0 => min,
            1 if max <= LONG => max,
            _ => 0,
        };
        let have = text.chars().count();
        text.extend(core::iter::repeat_n('x', wanted.max(min).saturating_sub(have)));
        if have > max { text.chars().filter(char::is_ascii_alphanumeric).take(max).collect() } else { text }
    }

    /// White space around and inside a value that collapses.
    fn spaced(&mut self, text: String) -> String {
        match self.random.below(8) {
            0 => format!("  {text}\n"),
            1 => format!("\t{text} "),
            2 => text.replace(' ', " \n "),
            _ => text,
        }
    }

    pub(super) fn good(&mut self, lexical: Lexical) -> String {
        let text = match lexical {
            Lexical::Text { min, max } => return self.unique(min, max),
            Lexical::Ssid { min } => return self.unique(min, 24),
            Lexical::Token { min, max } => self.unique(min, max),
            Lexical::Word(words) => self.random.pick(words, "").to_owned(),
            Lexical::Exactly(word) => word.to_owned(),
            Lexical::TokenList => self.random.pick(&["", "MB", "MB GB", "a b c"], "").to_owned(),
            Lexical::Boolean => self.random.pick(&["true", "false", "1", "0"], "1").to_owned(),
            Lexical::Integer { min, max } => match self.random.below(4) {
                0 => min.to_string(),
                1 => max.to_string(),
                2 => format!("+{max}"),
                _ => format!("00{min}"),
            },
            Lexical::Digits { min, max } => {
                let count = if self.random.one_in(2) { min } else { max };
                "0123456789".chars().take(count).collect()
            }
            Lexical::Guid => self
                .random
                .pick(
                    &["{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}", "{00000000-1111-2222-3333-44444444ABCD}"],
                    "{00000000-1111-2222-3333-444444444444}",
                )
                .to_owned(),
            Lexical::Subscriber => self
                .random
                .pick(&["001010123456789", "1", "+41791234567", "99999999999999999999", "Zo\u{eb}", "a$b"], "1")
                .to_owned(),
            Lexical::Device => {
                self.random.pick(&["123456789012345", "1234567890123456", "00:1a:2B:3c:4D:5e"], "").to_owned()
            }
            Lexical::Locale => self
                .random
                .pick(&["en-us", "de", "English_United States.1252", "German", "de-CH-1996"], "en")
                .to_owned(),
            Lexical::Span { max_excluded: true, .. } => {
                self.random.pick(&["PT0S", "P0Y", "PT30S", "PT59M59.999S", "P0DT59M", "-PT0S"], "PT0S").to_owned()
            }
            Lexical::Span { .. } => {
                self.random.pick(&["PT1M", "PT60S", "PT60M", "PT3600S", "P0DT1H", "PT61.5S"], "PT1M").to_owned()
            }
            Lexical::PositiveDuration => {
                self.random.pick(&["P1M", "P30D", "PT0.001S", "P1Y2M3DT4H5M6S", "P0M1D"], "P1M").to_owned()
            }
            Lexical::DateTime => self
                .random
                .pick(
                    &[
                        "2026-03-01T00:00:00Z",
                        "2024-02-29T23:59:59.5+14:00",
                        "2026-12-31T24:00:00",
                        "2026-01-01T00:00:00-08:30",
                    ],
                    "2026-03-01T00:00:00Z",
                )
                .to_owned(),
            Lexical::Base64 => self.random.pick(&["", "QQ==", "Q U J\nD", "QUJDRA==", "QUI="], "").to_owned(),
            Lexical::Hex { min, max } => {
                let max = max.min(LONG);
                let count = if self.random.one_in(2) { min } else { max };
                "0aF1".chars().cycle().take(count * 2).collect()
            }
            Lexical::HttpsUrl => self
                .random
                .pick(&["https://a", "https://www.example.com/refresh?a=b&c=d", "https://[::1]/"], "")
                .to_owned(),
            Lexical::Uri => self.random.pick(&["urn:x", "http://example.com/#a", "", "a b"], "").to_owned(),
        };
        match lexical {
            // xmllint does not collapse white space around these, against the recommendation.
            Lexical::Span { .. } | Lexical::PositiveDuration | Lexical::DateTime => text,
            _ => self.spaced(text),
        }
    }

    /// A value that is not of the type; none where every text is.
    pub(super) fn bad(&mut self, lexical: Lexical) -> Option<String> {
        let pick = |from: &[&str], maker: &mut Self| maker.random.pick(from, "").to_owned();
        Some(match lexical {
            Lexical::Text { min: 0, max: usize::MAX }
            | Lexical::Token { min: 0, max: usize::MAX }
            | Lexical::TokenList
            | Lexical::Uri => return None,
            Lexical::Text { min, max } | Lexical::Token { min, max } => {
                if min > 0 && self.random.one_in(2) || max > LONG {
                    "x".repeat(min.saturating_sub(1))
                } else {
                    "x".repeat(max + 1)
                }
            }
            Lexical::Ssid { min } => {
                if self.random.one_in(2) {
                    "x".repeat(min - 1)
                } else {
                    "x".repeat(33)
                }
            }
            Lexical::Word(words) => match self.random.below(3) {
                0 => words.first()?.to_lowercase() + "x",
                1 => String::new(),
                _ => format!("{} {}", words.first()?, words.first()?),
            },
            Lexical::Exactly(word) => format!("{word}x"),
            Lexical::Boolean => pick(&["", "TRUE", "yes", "2", "tru e"], self),
            Lexical::Integer { min, max } => match self.random.below(5) {
                0 if min > 0 => (min - 1).to_string(),
                1 => pick(&["", "-1", "1.0", "0x1", "1 2", "\u{663}"], self),
                2 => "99999999999999999999999999".to_owned(),
                _ => (max + 1).to_string(),
            },
            Lexical::Digits { min, max } => match self.random.below(3) {
                0 => "1".repeat(min - 1),
                1 => "1".repeat(max + 1),
                _ => "12a".to_owned(),
            },
            Lexical::Guid => pick(
                &[
                    "",
                    "7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10",
                    "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d1}",
                    "{7d3c1f520b5e-4c7a-9a41-5e2f6b8c9d10-}",
                    "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d1g}",
                ],
                self,
            ),
            Lexical::Subscriber => pick(&["", "a_b", "a-b", "a b", "a@b", "999999999999999999999", "a.b"], self),
            Lexical::Device => {
                pick(&["", "12345678901234", "12345678901234567", "00-1a-2b-3c-4d-5e", "00:1a:2b:3c:4d"], self)
            }
            Lexical::Locale => pick(&["", "en_", "x.", "English.12a52", "a b", "e-"], self),
            Lexical::Span { max_excluded: true, .. } => pick(
                &["", "PT1H", "PT60M", "PT3600S", "-PT1S", "P1M", "P1Y", "PT", "P", "PT1.5M", "1H", "PT30", "P1D"],
                self,
            ),
            Lexical::Span { .. } => {
                pick(&["PT59S", "PT59.999S", "PT1H0.001S", "P1D", "P1M", "PT0S", "-PT2M", ""], self)
            }
            Lexical::PositiveDuration => pick(&["", "PT0S", "-P1D", "P", "P1S", "1M", "P0Y"], self),
            Lexical::DateTime => pick(
                &[
                    "",
                    "2026-03-01",
                    "2026-02-29T00:00:00Z",
                    "2026-03-01T24:00:01",
                    "2026-3-1T00:00:00",
                    "2026-03-01T25:00:00",
                ],
                self,
            ),
            // xmllint passes over foreign characters behind a full group, so that there are none here.
            Lexical::Base64 => pick(&["QQ=", "QQ", "QR==", "Q_==", "====", "QUJDQ==="], self),
            Lexical::Hex { min, max } => match self.random.below(4) {
                0 if min > 0 => "0a".repeat(min - 1),
                1 if max < LONG => "0a".repeat(max + 1),
                2 => "0a0".to_owned(),
                _ => "xx".repeat(min + 1),
            },
            Lexical::HttpsUrl => pick(&["", "http://a", "https://", "HTTPS://a", "ftp://a"], self),
        })
    }
}

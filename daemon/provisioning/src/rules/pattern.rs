//! Patterns in the words of the engine that matches them. The engine takes time linear in the text; what no such engine can do
//! was refused when the document came. [PROV 12.10, 16]
//!
//! Characters are those of Unicode: half of a UTF-16 pair, which ECMAScript could match, is no character of a text.

use std::fmt::Write as _;

use regex_lite::{Regex, RegexBuilder};

use crate::document::pattern::groups;

/// Octets of a compiled pattern. [PROV 16]
const MAX_COMPILED: usize = 1024 * 1024;
/// Groups inside of each other that the engine takes: more than were let in.
const MAX_NEST: u32 = 256;
/// What the dialect calls white space.
const SPACE: &[(char, char)] = &[
    ('\t', '\r'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{feff}', '\u{feff}'),
];
const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const LINE_END: &[(char, char)] = &[('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')];

/// The engine for a pattern; it matches whole texts only. `None` = it cannot be used.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    groups(pattern).ok()?;
    let mut out = String::from("^(?:");
    let mut rest = Rest(pattern.chars());
    while let Some(c) = rest.next() {
        term(c, &mut rest, &mut out)?;
    }
    out.push_str(")$");
    RegexBuilder::new(&out).size_limit(MAX_COMPILED).nest_limit(MAX_NEST).build().ok()
}

/// What is not read yet.
#[derive(Clone)]
struct Rest<'a>(core::str::Chars<'a>);

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        self.0.next()
    }

    fn peek(&self) -> Option<char> {
        self.0.clone().next()
    }

    /// `{n}`, `{n,}` or `{n,m}` behind its brace, if it is one.
    fn counted(&mut self) -> Option<String> {
        let text = self.0.as_str();
        let (inner, after) = text.split_once('}')?;
        let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return None;
        }
        self.0 = after.chars();
        Some(format!("{{{inner}}}"))
    }
}

fn term(c: char, rest: &mut Rest<'_>, out: &mut String) -> Option<()> {
    match c {
        '|' | '^' | '$' | ')' | '*' | '+' | '?' => out.push(c),
        '(' => {
            out.push('(');
            if rest.peek() == Some('?') {
                // The only other kind that was let in.
                rest.next();
                rest.next();
                out.push_str("?:");
            }
        }
        '.' => set(&complement(LINE_END), out),
        '[' => class(rest, out)?,
        '{' => match rest.counted() {
            Some(counted) => out.push_str(&counted),
            None => literal('{', out),
        },
        '\\' => match rest.next()? {
            letter @ ('b' | 'B') => {
                out.push('\\');
                out.push(letter);
            }
            letter => match shorthand(letter) {
                Some(ranges) => set(&ranges, out),
                None => literal(character(letter, rest)?, out),
            },
        },
        c => literal(c, out),
    }
    Some(())
}

fn literal(c: char, out: &mut String) {
    let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
}

/// A set of characters; an empty one matches nothing.
fn set(ranges: &[(char, char)], out: &mut String) {
    if ranges.is_empty() {
        return out.push_str(r"(?:\b\B)");
    }
    out.push('[');
    for (from, to) in ranges {
        let _ = write!(out, "\\x{{{:x}}}-\\x{{{:x}}}", u32::from(*from), u32::from(*to));
    }
    out.push(']');
}

/// All characters but these, which are in order.
fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut next = Some('\0');
    let mut others = Vec::new();
    for (from, to) in sorted {
        let Some(start) = next else { break };
        if start < from
            && let Some(end) = (start..from).next_back()
        {
            others.push((start, end));
        }
        if to >= start {
            next = (to..=char::MAX).nth(1);
        }
    }
    others.extend(next.map(|start| (start, char::MAX)));
    others
}

fn shorthand(letter: char) -> Option<Vec<(char, char)>> {
    Some(match letter {
        'd' => DIGIT.to_vec(),
        'w' => WORD.to_vec(),
        's' => SPACE.to_vec(),
        'D' => complement(DIGIT),
        'W' => complement(WORD),
        'S' => complement(SPACE),
        _ => return None,
    })
}

/// The character that a letter behind a backslash stands for.
fn character(letter: char, rest: &mut Rest<'_>) -> Option<char> {
    let mut hex = |digits| {
        let mut value = 0;
        for _ in 0..digits {
            value = value * 16 + rest.next()?.to_digit(16)?;
        }
        char::from_u32(value)
    };
    match letter {
        't' => Some('\t'),
        'n' => Some('\n'),
        'v' => Some('\u{b}'),
        'f' => Some('\u{c}'),
        'r' => Some('\r'),
        '0' => Some('\0'),
        'c' => char::from_u32(u32::from(rest.next()?) % 32),
        'x' => hex(2),
        'u' => hex(4),
        other => Some(other),
    }
}

/// Behind an opening bracket.
fn class(rest: &mut Rest<'_>, out: &mut String) -> Option<()> {
    let negated = rest.peek() == Some('^');
    if negated {
        rest.next();
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut from: Option<char> = None;
    let mut in_range = false;
    loop {
        let single = match rest.next()? {
            ']' => break,
            '\\' => match rest.next()? {
                'b' => Some('\u{8}'),
                letter => match shorthand(letter) {
                    Some(many) => {
                        ranges.extend(many);
                        None
                    }
                    None => Some(character(letter, rest)?),
                },
            },
            '-' if from.is_some() && !in_range && rest.peek() != Some(']') => {
                in_range = true;
                continue;
            }
            c => Some(c),
        };
        match (in_range, from, single) {
            (true, Some(start), Some(end)) => {
                ranges.push((start, end));
                from = None;
            }
            // A dash beside a shorthand is itself.
            (true, start, _) => {
                ranges.extend(start.map(|c| (c, c)));
                ranges.push(('-', '-'));
                from = None;
            }
            (false, start, single) => {
                ranges.extend(start.map(|c| (c, c)));
                from = single;
            }
        }
        in_range = false;
    }
    ranges.extend(from.map(|c| (c, c)));
    let ranges = if negated { complement(&ranges) } else { ranges };
    set(&ranges, out);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROV-080, PROV-081: the whole text, in the dialect.
    #[test]
    fn whole_texts_in_the_dialect() {
        for (pattern, yes, no) in [
            ("[^]*", &["", "a\nb", "\u{1f600}"][..], &[][..]),
            ("a|b", &["a", "b"], &["ab", "ac", ""]),
            ("^a$", &["a"], &["a\n", "ba"]),
            (".", &["a", "\u{85}", "\u{1f600}"], &["\n", "\r", "\u{2028}", "ab", ""]),
            (r"\d+", &["12"], &["١٢", "1 2"]),
            (r"\w", &["_"], &["é", "-"]),
            (r"\s\S", &["\u{a0}x", "\u{feff}-"], &["x ", "\u{85}x"]),
            (r"[^\d-]", &["a"], &["1", "-"]),
            (r"[\w-.]", &["-", ".", "x"], &["+"]),
            ("[a-c-]", &["b", "-"], &["d"]),
            ("[]|x", &["x"], &["", "]"]),
            ("[]*", &[""], &["x"]),
            ("[^a]", &["b", "\n"], &["a"]),
            (r"[\]\\\b]", &["]", "\\", "\u{8}"], &["b"]),
            (r"\x41\u00e4\cJ\/\.", &["Aä\n/."], &["Aä\n/x"]),
            ("a{2}b{1,}c{0,1}", &["aab", "aabbc"], &["ab", "aabcc"]),
            ("a{,2}{x}{", &["a{,2}{x}{"], &["aa"]),
            ("x}]", &["x}]"], &["x"]),
            (r"a\b{1", &["a{1"], &["a"]),
            ("(?:ab)+?", &["abab"], &["aba"]),
        ] {
            let regex = compile(pattern).unwrap_or_else(|| panic!("{pattern}"));
            for text in yes {
                assert!(regex.is_match(text), "{pattern} is to match {text:?}");
            }
            for text in no {
                assert!(!regex.is_match(text), "{pattern} is not to match {text:?}");
            }
        }
        for pattern in ["(?=a)", "(", r"(a)\1"] {
            assert!(compile(pattern).is_none(), "{pattern}");
        }
    }

    /// PROV-087: what a backtracking engine never ends with; and the largest that is let in.
    #[test]
    fn no_pattern_takes_longer_than_its_text() {
        let text = "a".repeat(16 * 1024);
        for pattern in ["(a*)*b", "(a|aa)+b", "(a+)+$b", "(?:a?){50}a{50}b"] {
            assert!(!compile(pattern).unwrap().is_match(&text), "{pattern}");
        }
        let deep = format!("{}a{}", "(?:".repeat(64), ")".repeat(64));
        assert!(compile(&deep).unwrap().is_match("a"));
    }
}

//! The tokens of XML without document types: octets of a text in, ranges of the text out. Well-formedness of a
//! single token is found here, what joins tokens (nesting, names, namespaces) by the parser.
//!
//! The same code reads a document for the first time and, later, single elements of it again: nothing but the text is
//! kept of attributes, values and comments.

use std::borrow::Cow;
use std::ops::Range;

use super::{Fault, MAX_NAME, MAX_TEXT};

/// What a refused document type declaration is called.
pub(super) const NO_DTD: &str = "a document type declaration is not allowed";

const ENDS: &str = "the document ends before its root element does";

/// A name and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) start: usize,
    /// Octets of the prefix and its colon; none: 0.
    pub(super) prefix: usize,
    pub(super) end: usize,
}

/// An attribute as it stands; the value is what is between the quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: Name,
    pub(super) value: Range<usize>,
}

/// A piece of a document. Of a start tag only the name: the attributes come one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(Range<usize>),
    Cdata(Range<usize>),
    Comment(Range<usize>),
    Instruction { target: Range<usize>, value: Range<usize> },
    Open(Name),
    Close(Name),
}

/// A place in a text.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

pub(super) const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where the first character stands that no document may hold: of a text in UTF-8 a control character, U+FFFE or U+FFFF.
pub(super) fn no_character(text: &str) -> Option<usize> {
    let octets = text.as_bytes();
    let is_none = |(at, octet): (usize, &u8)| match octet {
        0..=0x1f => !is_space(*octet),
        0xef => matches!(octets.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])),
        _ => false,
    };
    octets.iter().enumerate().position(is_none)
}

/// Whether a document may hold that character at all.
const fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

const fn begins_name(c: char) -> bool {
    matches!(c,
        'a'..='z' | 'A'..='Z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

const fn continues_name(c: char) -> bool {
    begins_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn ends<T>(&self) -> Result<T, Fault> {
        Err(Fault::malformed(self.text.len(), ENDS))
    }

    fn skip_space(&mut self) -> bool {
        let from = self.at;
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > from
    }

    /// The next piece; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Fault> {
        let (start, rest) = (self.at, self.rest());
        if rest.is_empty() {
            return Ok(None);
        }
        let octets = rest.as_bytes();
        if octets.first() != Some(&b'<') {
            self.at += octets.iter().position(|octet| *octet == b'<').unwrap_or(rest.len());
            return Ok(Some(Token::Text(start..self.at)));
        }
        match octets.get(1) {
            Some(b'/') => {
                self.at += 2;
                let name = self.name(true)?;
                self.skip_space();
                self.expect(b'>')?;
                Ok(Some(Token::Close(name)))
            }
            Some(b'?') => self.instruction(),
            Some(b'!') if rest.starts_with("<!--") => self.comment(),
            Some(b'!') if rest.starts_with("<![CDATA[") => {
                let from = start + "<![CDATA[".len();
                let end = self.find(from, "]]>")?;
                self.at = end + "]]>".len();
                Ok(Some(Token::Cdata(from..end)))
            }
            Some(b'!') if rest.starts_with("<!DOCTYPE") => Err(Fault::malformed(start, NO_DTD)),
            Some(b'!') => Err(Fault::malformed(start, "a declaration that may not stand here")),
            _ => {
                self.at += 1;
                self.name(true).map(|name| Some(Token::Open(name)))
            }
        }
    }

    fn find(&self, from: usize, what: &str) -> Result<usize, Fault> {
        match self.text.get(from..).and_then(|rest| rest.find(what)) {
            Some(length) => Ok(from + length),
            None => self.ends(),
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Fault> {
        match self.peek() {
            Some(octet) if octet == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(Fault::malformed(self.at, format!("{} is missing", char::from(wanted)))),
            None => self.ends(),
        }
    }

    fn comment(&mut self) -> Result<Option<Token>, Fault> {
        let from = self.at + "<!--".len();
        let end = self.find(from, "--")?;
        if self.text.as_bytes().get(end + 2) != Some(&b'>') {
            return if end + 2 < self.text.len() {
                Err(Fault::malformed(end, "two hyphens in a comment"))
            } else {
                self.ends()
            };
        }
        self.at = end + "-->".len();
        Ok(Some(Token::Comment(from..end)))
    }

    fn instruction(&mut self) -> Result<Option<Token>, Fault> {
        let start = self.at;
        self.at += 2;
        let name = self.name(false)?;
        let target = name.start..name.end;
        if self.text.get(target.clone()).is_some_and(|target| target.eq_ignore_ascii_case("xml")) {
            return Err(Fault::malformed(start, "an XML declaration may only stand at the start"));
        }
        let space = self.skip_space();
        let from = self.at;
        let end = self.find(from, "?>")?;
        if !space && end != from {
            return Err(Fault::malformed(from, "white space is missing"));
        }
        self.at = end + "?>".len();
        Ok(Some(Token::Instruction { target, value: from..end }))
    }

    /// A name, qualified or of an instruction.
    fn name(&mut self, qualified: bool) -> Result<Name, Fault> {
        let (start, rest) = (self.at, self.rest());
        let (mut prefix, mut fresh) = (0, true);
        let mut end = rest.len();
        // Nearly all names are of ASCII: one octet is one character.
        for (at, octet) in rest.bytes().enumerate() {
            match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => fresh = false,
                b'-' | b'.' | b'0'..=b'9' if !fresh => {}
                b':' if !fresh && (prefix == 0 || !qualified) => {
                    prefix = at + 1;
                    fresh = qualified;
                }
                0x80.. => return self.name_of_characters(qualified),
                _ => {
                    end = at;
                    break;
                }
            }
            if at >= MAX_NAME {
                return Err(Fault::too_large(start, "characters in a name", MAX_NAME));
            }
        }
        self.named(start, end, prefix, fresh, qualified)
    }

    fn name_of_characters(&mut self, qualified: bool) -> Result<Name, Fault> {
        let (start, rest) = (self.at, self.rest());
        let (mut prefix, mut characters, mut fresh) = (0, 0_usize, true);
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            if c == ':' && !fresh && (prefix == 0 || !qualified) {
                prefix = at + 1;
                fresh = qualified;
            } else if begins_name(c) || (!fresh && continues_name(c)) {
                fresh = false;
            } else {
                end = at;
                break;
            }
            characters += 1;
            if characters > MAX_NAME {
                return Err(Fault::too_large(start, "characters in a name", MAX_NAME));
            }
        }
        self.named(start, end, prefix, fresh, qualified)
    }

    fn named(&mut self, start: usize, end: usize, prefix: usize, fresh: bool, qualified: bool) -> Result<Name, Fault> {
        self.at = start + end;
        if fresh {
            return if self.at < self.text.len() {
                Err(Fault::malformed(self.at, "a name is missing or wrong"))
            } else {
                self.ends()
            };
        }
        Ok(Name { start, prefix: if qualified { prefix } else { 0 }, end: self.at })
    }

    /// The next attribute of a start tag whose name is behind; `None` before its end.
    pub(super) fn attribute(&mut self) -> Result<Option<Attribute>, Fault> {
        let space = self.skip_space();
        match self.peek() {
            Some(b'>' | b'/') => return Ok(None),
            Some(_) if !space => return Err(Fault::malformed(self.at, "white space is missing")),
            Some(_) => {}
            None => return self.ends(),
        }
        let name = self.name(true)?;
        self.skip_space();
        self.expect(b'=')?;
        self.skip_space();
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            Some(_) => return Err(Fault::malformed(self.at, "a quotation mark is missing")),
            None => return self.ends(),
        };
        let from = self.at + 1;
        let behind = self.text.as_bytes().get(from..).unwrap_or_default();
        let Some(length) = behind.iter().position(|octet| *octet == quote) else { return self.ends() };
        let end = from + length;
        self.at = end + 1;
        Ok(Some(Attribute { name, value: from..end }))
    }

    /// The end of a start tag; whether the element is empty.
    pub(super) fn tag_end(&mut self) -> Result<bool, Fault> {
        let empty = self.peek() == Some(b'/');
        if empty {
            self.at += 1;
        }
        self.expect(b'>').map(|()| empty)
    }
}

/// Checks what is between tags: no end of CDATA, references to characters that there are.
pub(super) fn check_text(text: &str, range: Range<usize>) -> Result<(), Fault> {
    let raw = text.get(range.clone()).unwrap_or_default();
    // Most texts hold neither, and many are short: one look at each octet.
    if raw.bytes().any(|octet| matches!(octet, b']' | b'&')) {
        if let Some(at) = raw.find("]]>") {
            return Err(Fault::malformed(range.start + at, "]]> in a text"));
        }
        check_references(raw, range.start)?;
    }
    Ok(())
}

/// Checks an attribute's value.
pub(super) fn check_value(text: &str, range: Range<usize>) -> Result<(), Fault> {
    let raw = text.get(range.clone()).unwrap_or_default();
    if raw.len() > MAX_TEXT {
        return Err(Fault::too_large(range.start, "octets in an attribute", MAX_TEXT));
    }
    if raw.bytes().any(|octet| matches!(octet, b'<' | b'&')) {
        if let Some(at) = raw.find('<') {
            return Err(Fault::malformed(range.start + at, "< in an attribute"));
        }
        check_references(raw, range.start)?;
    }
    Ok(())
}

fn check_references(raw: &str, offset: usize) -> Result<(), Fault> {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let here = offset + (raw.len() - rest.len()) + at;
        let behind = rest.get(at..).unwrap_or_default();
        let Some((_, after)) = reference(behind) else {
            let problem = if behind.starts_with("&#") {
                "a reference to what is no character"
            } else {
                "a reference that is not one of XML itself"
            };
            return Err(Fault::malformed(here, problem));
        };
        rest = after;
    }
    Ok(())
}

/// The character of the reference that a text begins with, and what follows.
fn reference(text: &str) -> Option<(char, &str)> {
    // The longest that means something, with zeros in front: whatever is longer is looked at as well.
    let (body, after) = text.strip_prefix('&')?.split_once(';')?;
    let c = match body {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = body.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
            // Neither a sign nor nothing at all, which the conversion would take or name otherwise.
            if digits.is_empty() || !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
                return None;
            }
            char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|c| is_character(*c))?
        }
    };
    Some((c, after))
}

/// The text that octets between tags mean.
pub(super) fn text(raw: &str) -> Cow<'_, str> {
    plain(
        raw,
        |octet| matches!(octet, b'&' | b'\r'),
        |rest, out| match reference(rest) {
            Some((c, after)) => {
                out.push(c);
                after
            }
            None => line_end(rest, out, '\n'),
        },
    )
}

/// The text that octets in CDATA, a comment or an instruction mean.
pub(super) fn lines(raw: &str) -> Cow<'_, str> {
    plain(raw, |octet| octet == b'\r', |rest, out| line_end(rest, out, '\n'))
}

/// The value that octets between quotation marks mean.
pub(super) fn value(raw: &str) -> Cow<'_, str> {
    plain(
        raw,
        |octet| matches!(octet, b'&' | b'\r' | b'\n' | b'\t'),
        |rest, out| match reference(rest) {
            Some((c, after)) => {
                out.push(c);
                after
            }
            None => line_end(rest, out, ' '),
        },
    )
}

/// One character that ends a line, or is a tab, as what it counts for.
fn line_end<'a>(rest: &'a str, out: &mut String, as_what: char) -> &'a str {
    out.push(as_what);
    rest.strip_prefix("\r\n").or_else(|| rest.get(1..)).unwrap_or_default()
}

/// Copies what needs no change and lets `change` work where one of the marks stands, which are of ASCII.
fn plain<'a>(
    raw: &'a str,
    is_mark: impl Fn(u8) -> bool,
    change: impl Fn(&'a str, &mut String) -> &'a str,
) -> Cow<'a, str> {
    let find = |text: &str| text.bytes().position(&is_mark);
    let Some(first) = find(raw) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(at) = next {
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        rest = change(behind, &mut out);
        next = find(rest);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

//! Where in a file something stands, what may be read of it at all, and how XML says characters.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::BytesRef;
use quick_xml::events::attributes::Attribute;

use super::problem::{FileProblem, Severity, Trouble};

/// Largest file, in octets.
pub(crate) const MAX_FILE: usize = 16 << 20;
/// Longest text or attribute, in octets.
pub(crate) const MAX_TEXT: usize = 64 << 10;
/// Most attributes of one element.
pub(crate) const MAX_ATTRIBUTES: usize = 64;
/// Most remarks about one file; further ones are not kept.
const MAX_PROBLEMS: usize = 100;
/// Longest piece of a file that a remark quotes, in characters.
const MAX_QUOTE: usize = 80;

/// Where reading ends, and why.
pub(crate) type Stop = (usize, Trouble);

/// Turns offsets into lines and columns, and collects the remarks.
pub(crate) struct Places<'a> {
    file: &'a str,
    bytes: &'a [u8],
    pub(crate) problems: Vec<FileProblem>,
    offset: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Places<'a> {
    pub(crate) fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        Self { file, bytes, problems: Vec::new(), offset: 0, line: 1, line_start: 0 }
    }

    /// What can be read as text, and where that ends before the file does. `None`, with a remark: the file is too large.
    pub(crate) fn text(&mut self) -> Option<(&'a str, Option<usize>)> {
        if self.bytes.len() > MAX_FILE {
            self.problem(0, Severity::Error, Trouble::TooLarge);
            return None;
        }
        let bytes = self.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(self.bytes);
        self.bytes = bytes;
        // What stands before the first octet that is not text can still be read.
        Some(match core::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).and_then(|good| core::str::from_utf8(good).ok());
                (good.unwrap_or(""), Some(error.valid_up_to()))
            }
        })
    }

    pub(crate) fn problem(&mut self, at: usize, severity: Severity, what: Trouble) {
        if self.problems.len() >= MAX_PROBLEMS && severity != Severity::Error {
            return;
        }
        let told = self.told(at, severity, what);
        self.problems.push(told);
    }

    /// A remark that is not kept here.
    pub(crate) fn told(&mut self, at: usize, severity: Severity, what: Trouble) -> FileProblem {
        if at < self.offset {
            (self.offset, self.line, self.line_start) = (0, 1, 0);
        }
        let at = at.min(self.bytes.len());
        for (place, byte) in self.bytes.iter().enumerate().take(at).skip(self.offset) {
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.line_start = place + 1;
            }
        }
        self.offset = at;
        // Continuation octets of UTF-8 are no characters of their own.
        let line = self.bytes.get(self.line_start..at).unwrap_or_default();
        let before = line.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        let column = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        FileProblem { file: self.file.to_owned(), severity, line: self.line, column, what }
    }
}

pub(crate) fn value<'a>(attribute: &Attribute<'a>) -> Result<Cow<'a, str>, Trouble> {
    match attribute.normalized_value(XmlVersion::Implicit1_0) {
        Ok(value) => Ok(value),
        Err(quick_xml::Error::Escape(_)) => Err(Trouble::Entity),
        Err(error) => Err(Trouble::NotWellFormed(quote(&error.to_string()))),
    }
}

/// The character of a character reference, or of one of the five entities of XML.
pub(crate) fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => resolve_predefined_entity(reference)?.chars().next(),
        Err(_) => None,
    }
}

pub(crate) fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

pub(crate) fn quote(text: &str) -> String {
    text.chars().take(MAX_QUOTE).collect()
}

//! Bytes to a tree that knows lines and columns. Nothing is fetched, nothing is expanded. [PROV 1, 16]
//!
//! The tree is a list of elements that say where they stand: a document costs a few times its size, whatever it is made of
//! (`tests/memory.rs`). `tests/strangers.rs` holds the parser against another one.

mod declaration;
mod lexer;
mod parser;
mod piece;
mod tree;

use std::borrow::Cow;

use crate::code::Code;

pub(crate) use piece::{Inherited, Piece};
pub(crate) use tree::XML;
pub use tree::{Attribute, Children, Item, Items, Node, Tree};

/// Octets of a document. [PROV 16]
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;
/// Levels of elements. [PROV 16]
pub(crate) const MAX_DEPTH: usize = 64;
/// Attributes of one element, namespace declarations among them. [PROV 16]
pub(crate) const MAX_ATTRIBUTES: usize = 64;
/// Characters of a name. [PROV 16]
pub(crate) const MAX_NAME: usize = 256;
/// Octets of one text or attribute value. [PROV 16]
pub(crate) const MAX_TEXT: usize = 2 * 1024 * 1024;
/// Elements of a document. [PROV 16]
pub(crate) const MAX_ELEMENTS: usize = 100_000;
/// Namespace declarations in scope at one place: each is compared with each, and goes with what is kept as it came.
pub(crate) const MAX_NAMESPACES: usize = 64;
/// Octets of the name of a namespace, for the same reasons.
pub(crate) const MAX_NAMESPACE: usize = 1024;

/// Octets of declarations that are written into what is kept as it came, of a whole document.
pub(crate) const MAX_INHERITED: usize = 1024 * 1024;

/// A place in a document, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Why there is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XmlError {
    pub(crate) code: Code,
    pub(crate) position: Position,
    pub(crate) problem: String,
}

impl XmlError {
    fn malformed(position: Position, problem: impl Into<String>) -> Self {
        Self { code: Code::XML_MALFORMED, position, problem: problem.into() }
    }

    fn too_large(position: Position, what: &str, limit: usize) -> Self {
        Self { code: Code::FILE_TOO_LARGE, position, problem: format!("more than {limit} {what}") }
    }

    /// Over [`MAX_INHERITED`].
    pub(crate) fn inherits_too_much() -> Self {
        let what = "octets of namespace declarations for profiles and rules together";
        Self::too_large(Position { line: 1, column: 1 }, what, MAX_INHERITED)
    }
}

/// The text of a document in UTF-8, without byte-order mark: UTF-8 as it is, UTF-16 converted
/// where a byte-order mark announces it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let start = Position { line: 1, column: 1 };
    if bytes.len() > MAX_DOCUMENT {
        return Err(XmlError::too_large(start, "octets", MAX_DOCUMENT));
    }
    let (text, encodings): (Cow<'_, str>, &[&str]) = match bytes {
        [0xff, 0xfe, rest @ ..] => (utf16(rest, u16::from_le_bytes)?.into(), &["utf-16", "utf-16le"]),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, u16::from_be_bytes)?.into(), &["utf-16", "utf-16be"]),
        [0xef, 0xbb, 0xbf, rest @ ..] => (utf8(rest)?.into(), &["utf-8"]),
        _ => (utf8(bytes)?.into(), &["utf-8"]),
    };
    let declaration = declaration::declaration(&text).map_err(|problem| XmlError::malformed(start, problem))?;
    if let Some(label) = declaration.and_then(|declaration| declaration.encoding)
        && !encodings.iter().any(|e| e.eq_ignore_ascii_case(label))
    {
        let problem = "the declared encoding is not that of the file (UTF-8, or UTF-16 with byte-order mark)";
        return Err(XmlError::malformed(start, problem));
    }
    Ok(text)
}

fn utf8(bytes: &[u8]) -> Result<&str, XmlError> {
    core::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = core::str::from_utf8(good).unwrap_or_default();
        let here = position(good, good.len());
        XmlError::malformed(here, "not UTF-8, nor UTF-16 with byte-order mark")
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, XmlError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => {
                let here = position(&text, text.len());
                return Err(XmlError::malformed(here, "half of a UTF-16 pair"));
            }
        }
    }
    if !rest.is_empty() {
        let here = position(&text, text.len());
        return Err(XmlError::malformed(here, "an odd octet at the end of UTF-16"));
    }
    Ok(text)
}

/// Something wrong, by its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    at: usize,
    code: Code,
    problem: Cow<'static, str>,
}

impl Fault {
    fn malformed(at: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { at, code: Code::XML_MALFORMED, problem: problem.into() }
    }

    fn too_large(at: usize, what: &str, limit: usize) -> Self {
        Self { at, code: Code::FILE_TOO_LARGE, problem: format!("more than {limit} {what}").into() }
    }
}

/// Parses decoded text.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, XmlError> {
    let start = Position { line: 1, column: 1 };
    declaration::declaration(text).map_err(|problem| XmlError::malformed(start, problem))?;
    parser::parse(text).map_err(|fault| XmlError {
        code: fault.code,
        position: position(text, fault.at),
        problem: fault.problem.into_owned(),
    })
}

/// Where a document begins behind its XML declaration, if there is one.
fn body(text: &str) -> usize {
    let declared = declaration::declaration(text).is_ok_and(|found| found.is_some());
    if declared { text.find("?>").map_or(0, |at| at + 2) } else { 0 }
}

/// Line and column of an octet offset.
pub(crate) fn position(text: &str, offset: usize) -> Position {
    Positions::new(text).at(offset)
}

/// Lines and columns of offsets that are asked for in ascending order: one pass over the text,
/// however many are asked for.
pub(crate) struct Positions<'a> {
    rest: &'a str,
    offset: usize,
    here: Position,
}

impl<'a> Positions<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text, offset: 0, here: Position { line: 1, column: 1 } }
    }

    /// The position of `offset`, or of the last one asked for if that is further on.
    pub(crate) fn at(&mut self, offset: usize) -> Position {
        let mut chars = self.rest.chars();
        while self.offset < offset {
            let Some(c) = chars.next() else { break };
            self.offset += c.len_utf8();
            if c == '\n' {
                self.here.line += 1;
                self.here.column = 1;
            } else {
                self.here.column += 1;
            }
        }
        self.rest = chars.as_str();
        self.here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(bytes: &[u8]) -> XmlError {
        match decode(bytes) {
            Err(error) => error,
            Ok(text) => parse(&text).expect_err("must be refused"),
        }
    }

    fn utf16_bytes(text: &str, le: bool) -> Vec<u8> {
        let unit = |u: u16| if le { u.to_le_bytes() } else { u.to_be_bytes() };
        core::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    }

    /// PROV-005.
    #[test]
    fn encodings() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>\u{1f600}</a>";
        for le in [true, false] {
            let bytes = utf16_bytes(text, le);
            let decoded = decode(&bytes).unwrap();
            let tree = parse(&decoded).unwrap();
            assert_eq!(tree.root().text(), "\u{1f600}");
        }
        assert!(decode(b"\xef\xbb\xbf<a/>").is_ok());
        assert_eq!(problem(text.as_bytes()).code, Code::XML_MALFORMED);
        let latin = "<?xml version='1.0' encoding = 'ISO-8859-1' ?><a/>";
        assert_eq!(problem(latin.as_bytes()).code, Code::XML_MALFORMED);
        let bad = problem(b"<a>\n\xc3\xa9\xff</a>");
        assert_eq!(bad.position, Position { line: 2, column: 2 });
        let mut odd = utf16_bytes("<a/>", true);
        odd.push(0);
        assert_eq!(problem(&odd).code, Code::XML_MALFORMED);
        let lone = [0xff, 0xfe, 0x3c, 0x00, 0x00, 0xd8];
        assert_eq!(problem(&lone).problem, "half of a UTF-16 pair");
    }

    /// PROV-003: refused before anything is expanded, with its place.
    #[test]
    fn document_type_declarations() {
        let bomb = "<?xml version='1.0'?>\n<!-- x -->\n <!DOCTYPE a [<!ENTITY b 'bb'>]><a>&b;</a>";
        let error = problem(bomb.as_bytes());
        assert_eq!(error.code, Code::XML_MALFORMED);
        assert_eq!(error.position, Position { line: 3, column: 2 });
        assert!(error.problem.contains("document type"));
        assert_eq!(problem(b"<a>&b;</a>").code, Code::XML_MALFORMED);
        assert!(parse("<a><!-- <!DOCTYPE --><![CDATA[<!DOCTYPE]]></a>").is_ok());
    }

    /// PROV-006.
    #[test]
    fn limits() {
        let deep = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        let error = problem(deep(MAX_DEPTH + 1).as_bytes());
        assert_eq!(error.code, Code::FILE_TOO_LARGE);
        assert_eq!(error.position.column, 64 * 3 + 1);

        let wide = |n: usize| {
            let attributes: String = (0..n).map(|i| format!(" a{i}=''")).collect();
            format!("<a{attributes}/>")
        };
        assert!(parse(&wide(MAX_ATTRIBUTES)).is_ok());
        assert_eq!(problem(wide(MAX_ATTRIBUTES + 1).as_bytes()).code, Code::FILE_TOO_LARGE);

        let many = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n - 1));
        assert!(parse(&many(MAX_ELEMENTS)).is_ok());
        assert_eq!(problem(many(MAX_ELEMENTS + 1).as_bytes()).code, Code::FILE_TOO_LARGE);

        let name = |n: usize| format!("<{}/>", "n".repeat(n));
        assert!(parse(&name(MAX_NAME)).is_ok());
        assert_eq!(problem(name(MAX_NAME + 1).as_bytes()).code, Code::FILE_TOO_LARGE);

        let long = |n: usize| format!("<a>{}<!-- c -->x</a>", "t".repeat(n - 1));
        assert!(parse(&long(MAX_TEXT)).is_ok());
        assert_eq!(problem(long(MAX_TEXT + 1).as_bytes()).code, Code::FILE_TOO_LARGE);
        let value = format!("<a b='{}'/>", "t".repeat(MAX_TEXT + 1));
        assert_eq!(problem(value.as_bytes()).code, Code::FILE_TOO_LARGE);

        let huge = vec![b' '; MAX_DOCUMENT + 1];
        assert_eq!(problem(&huge).code, Code::FILE_TOO_LARGE);
        let namespace = |n: usize| format!("<a xmlns='{}'/>", "u".repeat(n));
        assert!(parse(&namespace(MAX_NAMESPACE)).is_ok());
        assert_eq!(problem(namespace(MAX_NAMESPACE + 1).as_bytes()).code, Code::FILE_TOO_LARGE);

        let scopes: String = (0..=MAX_NAMESPACES).map(|i| format!("<a xmlns:n{i}='u'>")).collect();
        assert_eq!(problem(scopes.as_bytes()).code, Code::FILE_TOO_LARGE);
        let siblings = "<b xmlns='u'/>".repeat(1000);
        assert!(parse(&format!("<a>{siblings}</a>")).is_ok());
    }

    #[test]
    fn well_formed() {
        for text in [
            "<?xml version='1.0'?><a/>",
            "<?xml version = \"1.0\" encoding='utf-8' standalone='no' ?>\n<a/>",
            "<?xml-stylesheet x?><a/>",
            "<a>&#x1F600;&#9;<!-- &#xD800; --><![CDATA[&#xD800;]]></a>",
            "<a xmlns=''><b xmlns:c='d' c:e=''/></a>",
        ] {
            let decoded = decode(text.as_bytes()).unwrap();
            assert!(parse(&decoded).is_ok(), "{text}");
        }
    }

    #[test]
    fn malformed_names_its_place() {
        for (text, line, column) in [("", 1, 1), ("<a>\n  </b>", 2, 3), ("<a", 1, 3), ("<a b='1' b='2'/>", 1, 10)] {
            let error = problem(text.as_bytes());
            assert_eq!(error.code, Code::XML_MALFORMED, "{text}");
            assert_eq!(error.position, Position { line, column }, "{text}");
        }
        for text in [
            "<a>\0</a>",
            "<a>]]></a>",
            "<a/><b/>",
            "x",
            "<a>&#0;</a>",
            "<n:a/>",
            "<a>&#xD800;</a>",
            "<a>&#55296;</a>",
            "<a b='&#xdfff;'/>",
            "<a>&#x110000;</a>",
            "<a>&#99999999999;</a>",
            "<a xmlns:b=''/>",
            "<?xml version='1.1'?><a/>",
            "<?xml?><a/>",
            "<?xml version='1.0' standalone='maybe'?><a/>",
            "<?XML x?><a/>",
            "<a><?xml version='1.0'?></a>",
            "<a b='<'/>",
            "<a><!-- -- --></a>",
        ] {
            assert_eq!(problem(text.as_bytes()).code, Code::XML_MALFORMED, "{text}");
        }
    }
}

//! The pass over the text before the parser: limits, and no document type declaration. It need
//! not find every mistake (the parser does), only never let through what is over a limit.

use super::{
    MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, MAX_EQUALS, MAX_NAME, MAX_NAMESPACES, MAX_NODES, MAX_TEXT, XmlError,
    position,
};

/// What a refused document type declaration is called.
pub(super) const NO_DTD: &str = "a document type declaration is not allowed";

/// What the XML declaration says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) encoding: Option<&'a str>,
}

/// Reads the XML declaration: version 1.0, then perhaps an encoding, then perhaps a word on
/// whether the document stands alone. None: there is none.
pub(super) fn declaration(text: &str) -> Result<Option<Declaration<'_>>, &'static str> {
    const WRONG: &str = "the XML declaration is wrong";
    let body = match text.strip_prefix("<?xml") {
        Some(rest) if rest.starts_with([' ', '\t', '\r', '\n', '?']) => rest,
        _ => return Ok(None),
    };
    let (body, _) = body.split_once("?>").ok_or(WRONG)?;
    let (version, rest) = pseudo_attribute(body, "version").ok_or(WRONG)?;
    if version != "1.0" {
        return Err("the version of XML must be 1.0");
    }
    let (encoding, rest) = match pseudo_attribute(rest, "encoding") {
        Some((encoding, rest)) => (Some(encoding), rest),
        None => (None, rest),
    };
    let rest = match pseudo_attribute(rest, "standalone") {
        Some(("yes" | "no", rest)) => rest,
        Some(_) => return Err(WRONG),
        None => rest,
    };
    if rest.trim().is_empty() { Ok(Some(Declaration { encoding })) } else { Err(WRONG) }
}

/// Takes ` name="value"`.
fn pseudo_attribute<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.trim_start();
    if inner.len() == text.len() {
        return None;
    }
    let value = inner.strip_prefix(name)?.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split_once(quote)
}

/// The offset of the first numeric reference to what is no character, such as half of a UTF-16
/// pair, which the parser would silently replace.
fn bad_reference(text: &str) -> Option<usize> {
    text.match_indices("&#").find_map(|(at, _)| {
        let rest = text.get(at + 2..)?;
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let digits = rest.get(..length)?;
        let number = match digits.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        let is_character = number.is_ok_and(|number| char::from_u32(number).is_some());
        (!is_character).then_some(at)
    })
}

/// Refuses a document type declaration and whatever is over a limit. [PROV 16]
pub(super) fn check(text: &str) -> Result<(), XmlError> {
    let mut scan =
        Scan { text, at: 0, run: 0, elements: 0, nodes: 0, in_scope: 0, open: Vec::with_capacity(MAX_DEPTH) };
    // The parser reserves room by counting these two octets, even inside comments.
    let count = |octet: u8| text.bytes().filter(|b| *b == octet).count();
    if count(b'<') > 2 * MAX_NODES {
        return Err(scan.too_large("nodes", MAX_NODES));
    }
    if count(b'=') > MAX_EQUALS {
        return Err(scan.too_large("equals signs", MAX_EQUALS));
    }
    while let Some(markup) = scan.next_markup()? {
        scan.markup(markup)?;
    }
    Ok(())
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Octets of character data since the last tag: comments do not cut a value.
    run: usize,
    elements: usize,
    nodes: usize,
    in_scope: usize,
    /// Namespace declarations of each open element.
    open: Vec<usize>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn too_large(&self, what: &str, limit: usize) -> XmlError {
        XmlError::too_large(position(self.text, self.at), what, limit)
    }

    /// Moves to the next `<` and counts the text before it.
    fn next_markup(&mut self) -> Result<Option<&'a str>, XmlError> {
        let rest = self.rest();
        let length = rest.find('<').unwrap_or(rest.len());
        self.references(rest.get(..length).unwrap_or_default())?;
        self.character_data(length)?;
        self.at += length;
        Ok(Some(self.rest()).filter(|rest| !rest.is_empty()))
    }

    /// Refuses what the parser would make of a reference to no character.
    fn references(&self, here: &str) -> Result<(), XmlError> {
        match bad_reference(here) {
            Some(at) => Err(self.malformed(at, "a reference to what is no character")),
            None => Ok(()),
        }
    }

    fn malformed(&self, further: usize, problem: &str) -> XmlError {
        XmlError::malformed(position(self.text, self.at + further), problem)
    }

    fn character_data(&mut self, length: usize) -> Result<(), XmlError> {
        self.run += length;
        self.nodes += usize::from(length > 0);
        if self.run > MAX_TEXT {
            return Err(self.too_large("octets of text in one element", MAX_TEXT));
        }
        Ok(())
    }

    fn markup(&mut self, markup: &'a str) -> Result<(), XmlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.too_large("nodes", MAX_NODES));
        }
        if markup.starts_with("<!--") {
            self.skip(markup, 4, "-->");
        } else if markup.starts_with("<![CDATA[") {
            let from = self.at;
            self.skip(markup, 9, "]]>");
            self.character_data((self.at - from).saturating_sub(12))?;
        } else if markup.starts_with("<!DOCTYPE") {
            return Err(self.malformed(0, NO_DTD));
        } else if let Some(instruction) = markup.strip_prefix("<?") {
            let target = instruction.get(..3).unwrap_or_default();
            let ends = instruction
                .get(3..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '?'));
            let is_declaration = target == "xml" && self.at == 0;
            if ends && target.eq_ignore_ascii_case("xml") && !is_declaration {
                return Err(self.malformed(0, "an XML declaration may only stand at the start"));
            }
            self.skip(markup, 2, "?>");
        } else if markup.starts_with("</") {
            self.run = 0;
            self.in_scope -= self.open.pop().unwrap_or_default();
            self.skip(markup, 2, ">");
        } else {
            self.run = 0;
            self.tag(markup)?;
        }
        Ok(())
    }

    /// Moves behind the next `end`; to the end of the text where there is none, which the parser
    /// will name.
    fn skip(&mut self, markup: &str, from: usize, end: &str) {
        let found = markup.get(from..).and_then(|rest| rest.find(end));
        self.at = match found {
            Some(length) => self.at + from + length + end.len(),
            None => self.text.len(),
        };
    }

    fn tag(&mut self, markup: &str) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(self.too_large("elements", MAX_ELEMENTS));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_large("levels of elements", MAX_DEPTH));
        }
        let tag = Tag::read(markup.get(1..).unwrap_or_default());
        if tag.attributes > MAX_ATTRIBUTES {
            return Err(self.too_large("attributes on one element", MAX_ATTRIBUTES));
        }
        if tag.longest_name > MAX_NAME {
            return Err(self.too_large("characters in a name", MAX_NAME));
        }
        if tag.longest_value > MAX_TEXT {
            return Err(self.too_large("octets in an attribute", MAX_TEXT));
        }
        if self.in_scope + tag.namespaces > MAX_NAMESPACES {
            return Err(self.too_large("namespace declarations in scope", MAX_NAMESPACES));
        }
        if tag.undeclares_prefix {
            return Err(self.malformed(0, "a prefix without a namespace"));
        }
        self.references(markup.get(..1 + tag.length).unwrap_or_default())?;
        if !tag.is_empty {
            self.open.push(tag.namespaces);
            self.in_scope += tag.namespaces;
        }
        self.at += 1 + tag.length;
        Ok(())
    }
}

/// The measures of one start tag.
#[derive(Default)]
struct Tag {
    /// Octets up to and with `>`.
    length: usize,
    attributes: usize,
    namespaces: usize,
    longest_name: usize,
    longest_value: usize,
    is_empty: bool,
    undeclares_prefix: bool,
}

impl Tag {
    fn read(text: &str) -> Self {
        let mut tag = Self { length: text.len(), ..Self::default() };
        let mut quote: Option<(char, usize)> = None;
        let mut name_from = 0;
        let mut declares_prefix = false;
        let mut name = 0;
        let mut last = ' ';
        for (at, c) in text.char_indices() {
            if let Some((closing, from)) = quote {
                if c == closing {
                    tag.longest_value = tag.longest_value.max(at - from);
                    tag.undeclares_prefix |= declares_prefix && at == from;
                    declares_prefix = false;
                    quote = None;
                }
            } else if matches!(c, '"' | '\'') {
                tag.attributes += 1;
                quote = Some((c, at + 1));
            } else if c == '>' {
                tag.length = at + 1;
                tag.is_empty = last == '/';
                break;
            } else if matches!(c, '=' | '/') || c.is_ascii_whitespace() {
                let ended = text.get(name_from..at).unwrap_or_default();
                let with_prefix = ended.starts_with("xmlns:");
                declares_prefix |= with_prefix;
                tag.namespaces += usize::from(with_prefix || ended == "xmlns");
                name = 0;
                name_from = at + 1;
            } else {
                if name == 0 {
                    name_from = at;
                }
                name += 1;
                tag.longest_name = tag.longest_name.max(name);
            }
            last = c;
        }
        tag
    }
}

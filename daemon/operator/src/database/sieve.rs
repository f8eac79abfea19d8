//! One SIM needs a few records of a file with hundreds. Where a file is written plainly, the others are cut out before it
//! is read, at a tenth of what reading them would cost.
//!
//! What is plain is narrower than XML, so that nothing here has to be guessed: a file with anything else in it is read
//! whole. Cut out are elements that the reader would have gone through without a stop, and nothing but those.

use memchr::memmem;

use super::places::{MAX_FILE, MAX_TEXT};

/// Deepest nesting of elements; the reader goes twice as deep.
const MAX_DEPTH: usize = 8;
/// Most attributes of an element; the reader takes more.
const MAX_ATTRIBUTES: usize = 4;

/// What an octet may be part of: a name, an attribute's value, white space, text.
const NAME: u8 = 1;
const VALUE: u8 = 2;
const BLANK: u8 = 4;
const TEXT: u8 = 8;
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut octet = 0_u8;
    loop {
        let name = if octet.is_ascii_alphanumeric() || octet == b'-' { NAME } else { 0 };
        let value = if matches!(octet, b'"' | b'&' | b'<' | b'>') { 0 } else { VALUE };
        let blank = if matches!(octet, b' ' | b'\t' | b'\r' | b'\n') { BLANK } else { 0 };
        let text = if matches!(octet, b'<' | b'&') { 0 } else { TEXT };
        classes[octet as usize] = name | value | blank | text;
        if octet == u8::MAX {
            return classes;
        }
        octet += 1;
    }
}

/// Country and the first two digits of the network: what a code of three digits, one of two, and the legacy form of one
/// have in common.
pub(crate) type Prefix = [u8; 5];

/// The file without records that list none of these codes; `None`: this file is to be read whole.
pub(crate) fn sieve(bytes: &[u8], wanted: &[Prefix]) -> Option<Vec<u8>> {
    if bytes.len() > MAX_FILE || core::str::from_utf8(bytes).is_err() {
        return None;
    }
    let (open, attributes) = (Vec::with_capacity(MAX_DEPTH), Vec::with_capacity(MAX_ATTRIBUTES));
    let mut sieve = Sieve { bytes, at: 0, open, attributes, wanted, hit: false };
    sieve.prolog()?;
    let (mut kept, mut kept_to) = (Vec::new(), 0);
    // Where the child of a country began that is open; how much was kept before the country, and whether one of its
    // records is.
    let (mut child, mut before, mut country_hit) = (0, 0, false);
    loop {
        sieve.text()?;
        let begin = sieve.at;
        match bytes.get(begin + 1)? {
            b'!' => sieve.comment()?,
            b'/' => {
                let name = sieve.end_tag()?;
                match sieve.open.len() {
                    0 => break,
                    1 if !country_hit => {
                        kept.truncate(before);
                        kept_to = sieve.at;
                    }
                    // No text of what is cut out is too long, if all of it together is not.
                    2 if sieve.at - child > MAX_TEXT => return None,
                    2 if name == b"provider" && sieve.hit => country_hit = true,
                    2 if name == b"provider" => {
                        kept.extend_from_slice(bytes.get(kept_to..child)?);
                        kept_to = sieve.at;
                    }
                    _ => {}
                }
            }
            _ => {
                let (name, empty) = sieve.start_tag()?;
                match (sieve.open.len(), name) {
                    (_, _) if empty => {}
                    (1, b"serviceproviders") => {}
                    (2, b"country") => {
                        kept.extend_from_slice(bytes.get(kept_to..begin)?);
                        (before, kept_to, country_hit) = (kept.len(), begin, false);
                    }
                    (1 | 2, _) => return None,
                    (3, _) => (child, sieve.hit) = (begin, false),
                    _ => {}
                }
            }
        }
    }
    let rest = bytes.get(sieve.at..)?;
    if !rest.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    kept.extend_from_slice(bytes.get(kept_to..)?);
    Some(kept)
}

struct Sieve<'a, 'w> {
    bytes: &'a [u8],
    /// What stands before it has been looked at.
    at: usize,
    /// Names of the open elements.
    open: Vec<&'a [u8]>,
    /// Attributes of the tag that is looked at.
    attributes: Vec<(&'a [u8], &'a [u8])>,
    wanted: &'w [Prefix],
    /// The record that is open lists a wanted code.
    hit: bool,
}

impl<'a> Sieve<'a, '_> {
    /// What stands here, if it is what is expected.
    fn take(&mut self, expected: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(expected).then(|| self.at += expected.len())
    }

    /// Goes on as long as the octets are of a class, and returns them.
    #[inline(always)]
    fn all(&mut self, class: u8) -> Option<&'a [u8]> {
        let (bytes, begin) = (self.bytes, self.at);
        let mut at = begin;
        while CLASSES[usize::from(*bytes.get(at)?)] & class != 0 {
            at += 1;
        }
        self.at = at;
        bytes.get(begin..at)
    }

    /// What stands before the end of something without brackets in it.
    fn until(&mut self, end: &[u8]) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let found = rest.get(..memmem::find(rest, end)?)?;
        self.at += found.len() + end.len();
        (!found.iter().any(|byte| b"<>[]".contains(byte))).then_some(found)
    }

    /// Up to the first element: declaration, comments, a document type without declarations of its own.
    fn prolog(&mut self) -> Option<()> {
        let _ = self.take(b"\xEF\xBB\xBF");
        if self.take(b"<?xml ").is_some() {
            self.until(b"?>")?;
        }
        loop {
            self.all(BLANK)?;
            if self.take(b"<!DOCTYPE ").is_some() {
                let said = self.until(b">")?;
                let quotes = said.iter().filter(|byte| **byte == b'"').count();
                if quotes % 2 != 0 || said.contains(&b'\'') {
                    return None;
                }
            } else if self.bytes.get(self.at..)?.starts_with(b"<!") {
                self.comment()?;
            } else {
                return Some(());
            }
        }
    }

    /// Up to the next tag.
    fn text(&mut self) -> Option<()> {
        loop {
            self.all(TEXT)?;
            if *self.bytes.get(self.at)? == b'<' {
                return Some(());
            }
            self.reference()?;
        }
    }

    /// One of the five entities of XML, none of which is a digit.
    fn reference(&mut self) -> Option<()> {
        [&b"&amp;"[..], b"&apos;", b"&quot;", b"&lt;", b"&gt;"].into_iter().find_map(|entity| self.take(entity))
    }

    fn comment(&mut self) -> Option<()> {
        self.take(b"<!--")?;
        let rest = self.bytes.get(self.at..)?;
        if rest.starts_with(b">") || rest.starts_with(b"->") {
            return None;
        }
        self.at += memmem::find(rest, b"-->")? + 3;
        Some(())
    }

    /// The end of the innermost element, after `</` was seen.
    fn end_tag(&mut self) -> Option<&'a [u8]> {
        let name = self.open.pop()?;
        let begin = self.at + 2;
        let end = begin + name.len();
        self.at = end + 1;
        (self.bytes.get(begin..end)? == name && *self.bytes.get(end)? == b'>').then_some(name)
    }

    /// After `<` was seen: the name, and whether the element ends with its tag.
    fn start_tag(&mut self) -> Option<(&'a [u8], bool)> {
        self.at += 1;
        let name = self.name()?;
        self.attributes.clear();
        let empty = loop {
            let blanks = self.all(BLANK)?;
            match self.bytes.get(self.at)? {
                b'>' => break false,
                b'/' if *self.bytes.get(self.at + 1)? == b'>' => break true,
                _ => {}
            }
            let attribute = self.attribute()?;
            let known = self.attributes.iter().any(|(known, _)| *known == attribute.0);
            if blanks.is_empty() || known || self.attributes.len() >= MAX_ATTRIBUTES {
                return None;
            }
            self.attributes.push(attribute);
        };
        self.at += if empty { 2 } else { 1 };
        if name == b"network-id" {
            self.hit |= self.is_wanted();
        }
        if self.open.len() >= MAX_DEPTH || (empty && self.open.len() < 3) {
            return None;
        }
        if !empty {
            self.open.push(name);
        }
        Some((name, empty))
    }

    fn is_wanted(&self) -> bool {
        let value = |wanted: &[u8]| self.attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let (Some(mcc), Some(mnc)) = (value(b"mcc"), value(b"mnc")) else { return false };
        self.wanted.iter().any(|prefix| {
            let (country, network) = prefix.split_at(3);
            mcc == country && mnc.starts_with(network)
        })
    }

    /// A name without a namespace.
    fn name(&mut self) -> Option<&'a [u8]> {
        let name = self.all(NAME)?;
        // A namespace that is declared may be a default one.
        (name.first()?.is_ascii_alphabetic() && name != b"xmlns").then_some(name)
    }

    fn attribute(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let mut name = self.name()?;
        if name == b"xml" {
            self.take(b":lang")?;
            name = b"xml:lang";
        }
        if *self.bytes.get(self.at)? != b'=' || *self.bytes.get(self.at + 1)? != b'"' {
            return None;
        }
        self.at += 2;
        let begin = self.at;
        loop {
            self.all(VALUE)?;
            let end = self.at;
            if *self.bytes.get(end)? == b'"' {
                self.at = end + 1;
                return Some((name, self.bytes.get(begin..end)?));
            }
            self.reference()?;
        }
    }
}

//! The content with its header. [3GPP TS 23.040 9.2.3.16, 9.2.3.24]

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::alphabet::{pack, septets, text, unpack};
use super::header::{self, Concatenation, Element, Ports};
use super::{Alphabet, Language, Scheme, Unsendable, length, octet};
use crate::Malformed;
use crate::codec::Reader;

/// Octets of a message's content, header included.
pub(super) const MOST_OCTETS: usize = 140;
/// Septets of the same.
pub(super) const MOST_SEPTETS: usize = 160;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct UserData {
    /// What stands in front of the content. An empty one is left out.
    pub header: Vec<Element>,
    /// The content.
    pub content: Content,
}

/// Text or octets: the coding scheme tells. Personal.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Of seven-bit characters or UTF-16. Lone surrogates read as U+FFFD.
    Text(String),
    /// Of a program, or compressed.
    Octets(Vec<u8>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl UserData {
    /// Which part of a longer message this is.
    pub fn concatenation(&self) -> Option<Concatenation> {
        header::concatenation(&self.header)
    }

    /// Which programs it is of and for.
    pub fn ports(&self) -> Option<Ports> {
        header::ports(&self.header)
    }

    /// Whose tables its characters are of: the one in the default's place, and the one behind an escape.
    pub fn languages(&self) -> (Language, Language) {
        header::languages(&self.header)
    }

    pub(super) fn has_header(&self) -> bool {
        !self.header.is_empty()
    }

    pub(super) fn read(scheme: Scheme, headed: bool, r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = usize::from(octet("tp_udl", r)?);
        let septets = scheme.alphabet() == Alphabet::Gsm7;
        let size = if septets { (count * 7).div_ceil(8) } else { count };
        let bytes = r.named("tp_ud").take(size as u64)?;
        let (header, taken) = if headed { elements(bytes, r)? } else { (Vec::new(), 0) };
        let rest = bytes.get(taken..).unwrap_or_default();
        let content = match scheme.alphabet() {
            Alphabet::Gsm7 => {
                let (fill, before) = boundary(taken);
                let (locking, single) = header::languages(&header);
                Content::Text(text(&unpack(rest, fill, count.saturating_sub(before)), locking, single))
            }
            Alphabet::Ucs2 => {
                let units = rest.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                let characters = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
                Content::Text(characters.collect())
            }
            Alphabet::Octets => Content::Octets(rest.into()),
        };
        Ok(Self { header, content })
    }

    pub(super) fn write(&self, scheme: Scheme, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let mut bytes = Vec::with_capacity(MOST_OCTETS);
        if self.has_header() {
            bytes.push(0);
            for element in &self.header {
                let size = u8::try_from(element.data.len()).map_err(|_| too_long(element.data.len()))?;
                bytes.extend([element.identifier, size]);
                bytes.extend_from_slice(&element.data);
            }
            let size = u8::try_from(bytes.len() - 1).map_err(|_| too_long(bytes.len()))?;
            if let Some(place) = bytes.first_mut() {
                *place = size;
            }
        }
        let count = match (scheme.alphabet(), &self.content) {
            (Alphabet::Gsm7, Content::Text(text)) => {
                let (fill, before) = boundary(bytes.len());
                let (locking, single) = self.languages();
                let codes = septets(text, locking, single)?;
                pack(&codes, fill, &mut bytes);
                before + codes.len()
            }
            (Alphabet::Ucs2, Content::Text(text)) => {
                bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
                bytes.len()
            }
            (Alphabet::Octets, Content::Octets(octets)) => {
                bytes.extend_from_slice(octets);
                bytes.len()
            }
            _ => return Err(Unsendable::Scheme),
        };
        if bytes.len() > MOST_OCTETS || count > MOST_SEPTETS {
            return Err(too_long(bytes.len()));
        }
        out.push(count as u8);
        out.extend(bytes);
        Ok(())
    }
}

/// Says how much, not what.
impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData").field("header", &self.header).field("content", &self.content).finish()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "### ({} characters)", text.chars().count()),
            Self::Octets(octets) => write!(f, "### ({} octets)", octets.len()),
        }
    }
}

const fn too_long(size: usize) -> Unsendable {
    Unsendable::TooLong { size, most: MOST_OCTETS }
}

/// Bits that fill up to the next septet behind as many octets, and the septets up to there.
pub(super) const fn boundary(octets: usize) -> (usize, usize) {
    let septets = (octets * 8).div_ceil(7);
    (septets * 7 - octets * 8, septets)
}

/// The elements of a header, and the octets that it takes.
fn elements(bytes: &[u8], r: &mut Reader<'_>) -> Result<(Vec<Element>, usize), Malformed> {
    r.named("tp_udh");
    let Some((size, rest)) = bytes.split_first() else { return Err(length(r, 1, 0)) };
    let size = usize::from(*size);
    let Some(mut rest) = rest.get(..size) else { return Err(length(r, size, rest.len())) };
    let mut all = Vec::new();
    while let [identifier, size, data @ ..] = rest {
        let size = usize::from(*size);
        let Some((data, behind)) = data.split_at_checked(size) else { return Err(length(r, size, data.len())) };
        all.push(Element { identifier: *identifier, data: data.into() });
        rest = behind;
    }
    Ok((all, 1 + size))
}

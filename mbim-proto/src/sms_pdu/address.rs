//! Numbers and names of the parties. [3GPP TS 23.040 9.1.2.5]

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::alphabet::{Language, pack, septets, text, unpack};
use super::{Unsendable, length, octet};
use crate::Malformed;
use crate::codec::Reader;

/// Digits by their semi-octets; 15 fills up.
const DIGITS: &[u8; 15] = b"0123456789*#abc";
const FILLER: u8 = 15;
/// Semi-octets of an address, and octets of a service centre with its type. [9.1.2.5, 3GPP TS 24.011 8.2.5.1]
const MOST_DIGITS: usize = 20;
const MOST_SERVICE_CENTRE: usize = 11;

/// A party of a message. Personal.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Type of number and numbering plan as one octet; the highest bit is always set on the wire.
    pub kind: u8,
    /// The digits (0–9, `*`, `#`, a–c), or the name if the type says so.
    pub text: String,
}

impl Address {
    /// Type of an international telephone number, of one that is left to the network, and of a name.
    pub const INTERNATIONAL: u8 = 0x91;
    /// A number as it is dialled here.
    pub const UNKNOWN: u8 = 0x81;
    /// Letters of the default alphabet.
    pub const ALPHANUMERIC: u8 = 0xd0;

    /// A telephone number; international with a plus in front.
    pub fn number(number: &str) -> Self {
        match number.strip_prefix('+') {
            Some(rest) => Self { kind: Self::INTERNATIONAL, text: rest.into() },
            None => Self { kind: Self::UNKNOWN, text: number.into() },
        }
    }

    /// Whether it is a name.
    pub const fn is_alphanumeric(&self) -> bool {
        self.kind & 0x70 == 0x50
    }

    /// As people write it: with a plus in front of an international number.
    pub fn written(&self) -> String {
        let plus = if self.kind & 0x70 == 0x10 && !self.text.is_empty() { "+" } else { "" };
        [plus, &self.text].concat()
    }

    pub(super) fn read(field: &'static str, r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = usize::from(octet(field, r)?);
        let kind = octet(field, r)? | 0x80;
        let bytes = r.take(count.div_ceil(2) as u64)?;
        let address = Self { kind, text: String::new() };
        let text = if address.is_alphanumeric() {
            text(&unpack(bytes, 0, count * 4 / 7), Language::DEFAULT, Language::DEFAULT)
        } else {
            digits(bytes, count)
        };
        Ok(Self { text, ..address })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let start = out.len();
        out.extend([0, self.kind | 0x80]);
        let count = if self.is_alphanumeric() {
            let septets = septets(&self.text, Language::DEFAULT, Language::DEFAULT)?;
            pack(&septets, 0, out);
            (septets.len() * 7).div_ceil(4)
        } else {
            semi_octets(&self.text, out)?
        };
        if count > MOST_DIGITS {
            return Err(Unsendable::Address { size: count, most: MOST_DIGITS });
        }
        if let Some(place) = out.get_mut(start) {
            *place = count as u8;
        }
        Ok(())
    }

    /// A service centre: its length counts octets, the type included, and is 0 for none.
    pub(super) fn read_service_centre(r: &mut Reader<'_>) -> Result<Option<Self>, Malformed> {
        let size = usize::from(octet("service_centre", r)?);
        if size == 0 {
            return Ok(None);
        }
        if size > r.left() {
            return Err(length(r, size, r.left()));
        }
        let kind = octet("service_centre", r)? | 0x80;
        let bytes = r.take(size as u64 - 1)?;
        Ok(Some(Self { kind, text: digits(bytes, bytes.len() * 2) }))
    }

    pub(super) fn write_service_centre(&self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let start = out.len();
        out.extend([0, self.kind | 0x80]);
        let count = semi_octets(&self.text, out)?;
        let size = 1 + count.div_ceil(2);
        if size > MOST_SERVICE_CENTRE {
            return Err(Unsendable::Address { size: count, most: (MOST_SERVICE_CENTRE - 1) * 2 });
        }
        if let Some(place) = out.get_mut(start) {
            *place = size as u8;
        }
        Ok(())
    }
}

/// Says nothing: who somebody is does not belong into a log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("###")
    }
}

/// Digits up to the count or to the first filler.
fn digits(bytes: &[u8], count: usize) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).take(count);
    halves.map_while(|half| DIGITS.get(usize::from(half)).map(|digit| char::from(*digit))).collect()
}

/// Appends two digits to an octet and gives their number.
fn semi_octets(text: &str, out: &mut Vec<u8>) -> Result<usize, Unsendable> {
    let mut low = None;
    for character in text.chars() {
        let place = DIGITS.iter().position(|digit| char::from(*digit) == character);
        let half = place.ok_or(Unsendable::Digit(character))? as u8;
        match low.take() {
            None => low = Some(half),
            Some(first) => out.push(first | half << 4),
        }
    }
    out.extend(low.map(|last| last | FILLER << 4));
    Ok(text.len())
}

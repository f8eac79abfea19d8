//! What stands in front of the content: parts, ports, languages. [3GPP TS 23.040 9.2.3.24]

use alloc::vec::Vec;

use super::alphabet::Language;

/// Identifiers of elements.
const CONCATENATION: u8 = 0x00;
const PORTS: u8 = 0x04;
const WIDE_PORTS: u8 = 0x05;
const WIDE_CONCATENATION: u8 = 0x08;
const SINGLE_SHIFT: u8 = 0x24;
const LOCKING_SHIFT: u8 = 0x25;

/// One element, known or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// What it is.
    pub identifier: u8,
    /// Its octets.
    pub data: Vec<u8>,
}

/// Which part of a longer message this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Concatenation {
    /// What all parts of a message have in common, beside their sender.
    pub reference: u16,
    /// Whether the reference has 16 bits.
    pub wide: bool,
    /// Parts of the message, at least 1.
    pub total: u8,
    /// Which of them, from 1.
    pub part: u8,
}

/// Which programs the message is of and for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    /// For which.
    pub destination: u16,
    /// Of which.
    pub source: u16,
    /// Whether they have 16 bits.
    pub wide: bool,
}

impl Element {
    /// A language whose table counts behind an escape.
    pub fn single_shift(language: Language) -> Self {
        Self { identifier: SINGLE_SHIFT, data: [language.0].into() }
    }

    /// A language whose table takes the place of the default alphabet.
    pub fn locking_shift(language: Language) -> Self {
        Self { identifier: LOCKING_SHIFT, data: [language.0].into() }
    }
}

impl From<Concatenation> for Element {
    fn from(of: Concatenation) -> Self {
        let [high, low] = of.reference.to_be_bytes();
        if of.wide {
            Self { identifier: WIDE_CONCATENATION, data: [high, low, of.total, of.part].into() }
        } else {
            Self { identifier: CONCATENATION, data: [low, of.total, of.part].into() }
        }
    }
}

impl From<Ports> for Element {
    fn from(of: Ports) -> Self {
        let ([to, destination], [from, source]) = (of.destination.to_be_bytes(), of.source.to_be_bytes());
        if of.wide {
            Self { identifier: WIDE_PORTS, data: [to, destination, from, source].into() }
        } else {
            Self { identifier: PORTS, data: [destination, source].into() }
        }
    }
}

/// Of several elements of a kind the last counts; one with numbers that cannot be does not. [9.2.3.24]
pub(super) fn concatenation(header: &[Element]) -> Option<Concatenation> {
    let one = |element: &Element| {
        let (reference, wide, total, part) = match (element.identifier, &element.data[..]) {
            (CONCATENATION, [reference, total, part]) => (u16::from(*reference), false, *total, *part),
            (WIDE_CONCATENATION, [high, low, total, part]) => (u16::from_be_bytes([*high, *low]), true, *total, *part),
            _ => return None,
        };
        (part > 0 && part <= total).then_some(Concatenation { reference, wide, total, part })
    };
    header.iter().rev().find_map(one)
}

pub(super) fn ports(header: &[Element]) -> Option<Ports> {
    header.iter().rev().find_map(|element| match (element.identifier, &element.data[..]) {
        (PORTS, [destination, source]) => {
            Some(Ports { destination: (*destination).into(), source: (*source).into(), wide: false })
        }
        (WIDE_PORTS, [a, b, c, d]) => {
            Some(Ports { destination: u16::from_be_bytes([*a, *b]), source: u16::from_be_bytes([*c, *d]), wide: true })
        }
        _ => None,
    })
}

/// The languages of both tables: locking, single.
pub(super) fn languages(header: &[Element]) -> (Language, Language) {
    let of = |identifier| {
        let found = header.iter().rev().find(|element| element.identifier == identifier && element.data.len() == 1);
        found.and_then(|element| element.data.first()).map_or(Language::DEFAULT, |number| Language(*number))
    };
    (of(LOCKING_SHIFT), of(SINGLE_SHIFT))
}

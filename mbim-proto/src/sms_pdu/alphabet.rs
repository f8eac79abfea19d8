//! Seven-bit characters, and eight of them in seven octets. [3GPP TS 23.038 6.1.2, 6.2]

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Unsendable;
use super::tables::{LOCKING, SINGLE, Table};

/// Leads to the second table.
const ESCAPE: u8 = 0x1b;

/// Whose tables a message uses. A number without tables means the default ones. [3GPP TS 23.038 6.2.1.2.4]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Language(pub u8);

macro_rules! languages {
    ($($CONST:ident = $number:literal $name:literal),* $(,)?) => {
        impl Language {
            $( #[doc = concat!("`", $name, "`, ", stringify!($number), ".")] pub const $CONST: Self = Self($number); )*

            /// All that have tables.
            pub const ALL: [Self; 14] = [$(Self::$CONST),*];

            /// Its name in kebab-case, if it has tables.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$CONST => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

languages! {
    DEFAULT = 0 "default",
    TURKISH = 1 "turkish",
    SPANISH = 2 "spanish",
    PORTUGUESE = 3 "portuguese",
    BENGALI = 4 "bengali",
    GUJARATI = 5 "gujarati",
    HINDI = 6 "hindi",
    KANNADA = 7 "kannada",
    MALAYALAM = 8 "malayalam",
    ORIYA = 9 "oriya",
    PUNJABI = 10 "punjabi",
    TAMIL = 11 "tamil",
    TELUGU = 12 "telugu",
    URDU = 13 "urdu",
}

impl Language {
    fn of(self, tables: &'static [Table; 14]) -> &'static Table {
        let [default, ..] = tables;
        tables.get(usize::from(self.0)).unwrap_or(default)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The text of septets. A code without a character is a blank; behind an escape it is what it is without. [6.2.1.1]
pub(super) fn text(codes: &[u8], locking: Language, single: Language) -> String {
    let (locking, single) = (locking.of(&LOCKING), single.of(&SINGLE));
    let at = |table: &Table, code: u8| {
        let unit = table.get(usize::from(code)).copied().filter(|unit| *unit != 0);
        unit.and_then(|unit| char::from_u32(unit.into()))
    };
    let mut text = String::with_capacity(codes.len());
    let mut codes = codes.iter();
    while let Some(code) = codes.next() {
        let character = match (*code, codes.as_slice().first()) {
            (ESCAPE, Some(next)) => {
                codes.next();
                at(single, *next).or_else(|| at(locking, *next))
            }
            (code, _) => at(locking, code),
        };
        text.push(character.unwrap_or(' '));
    }
    text
}

/// The septets of one character.
pub(super) fn codes(character: char, locking: Language, single: Language) -> Option<(Option<u8>, u8)> {
    let unit = u16::try_from(u32::from(character)).ok().filter(|unit| *unit != 0)?;
    let place = |table: &Table| table.iter().position(|known| *known == unit).map(|code| code as u8);
    match place(locking.of(&LOCKING)) {
        Some(code) => Some((None, code)),
        None => place(single.of(&SINGLE)).map(|code| (Some(ESCAPE), code)),
    }
}

/// The septets of a text.
pub(super) fn septets(text: &str, locking: Language, single: Language) -> Result<Vec<u8>, Unsendable> {
    let mut all = Vec::with_capacity(text.len());
    for character in text.chars() {
        let (escape, code) = codes(character, locking, single).ok_or(Unsendable::Character(character))?;
        all.extend(escape);
        all.push(code);
    }
    Ok(all)
}

/// Takes septets out of octets, behind some bits that fill up. What is not there is not taken.
pub(super) fn unpack(bytes: &[u8], fill: usize, count: usize) -> Vec<u8> {
    let bit = |place: usize| bytes.get(place / 8).map(|byte| byte >> (place % 8) & 1);
    let septet = |n: usize| (0..7).try_fold(0, |sum, at| Some(sum | bit(fill + n * 7 + at)? << at));
    (0..count).map_while(septet).collect()
}

/// Appends septets, behind some bits that fill up.
pub(super) fn pack(codes: &[u8], fill: usize, out: &mut Vec<u8>) {
    let (mut pending, mut bits) = (0u16, fill);
    for code in codes {
        pending |= u16::from(code & 0x7f) << bits;
        bits += 7;
        if bits >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(pending as u8);
    }
}

//! Numbers that name a person, a card or a device: how they are read, and how little of them is printed.

use core::fmt;

/// What reading a value gave. `[OPER 1.2]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// A good value.
    Ok(T),
    /// Kept, with a remark.
    Flagged(T, Note),
    /// Malformed; to be treated as absent, after one warning.
    Rejected(Problem),
    /// There is no value; nothing to warn of.
    Absent,
}

impl<T> Parsed<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Ok(value) | Self::Flagged(value, _) => Some(value),
            Self::Rejected(_) | Self::Absent => None,
        }
    }

    /// The value, without taking it.
    pub fn as_value(&self) -> Option<&T> {
        match self {
            Self::Ok(value) | Self::Flagged(value, _) => Some(value),
            Self::Rejected(_) | Self::Absent => None,
        }
    }

    /// `ok`, `warn`, `ok-imeisv`, `reject` or `absent`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Ok(_) => "ok",
            Self::Flagged(_, Note::FromImeisv) => "ok-imeisv",
            Self::Flagged(..) => "warn",
            Self::Rejected(_) => "reject",
            Self::Absent => "absent",
        }
    }

    /// The same outcome about another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Parsed<U> {
        match self {
            Self::Ok(value) => Parsed::Ok(change(value)),
            Self::Flagged(value, note) => Parsed::Flagged(change(value), note),
            Self::Rejected(problem) => Parsed::Rejected(problem),
            Self::Absent => Parsed::Absent,
        }
    }
}

/// Why a value that is kept deserves a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The check digit is wrong, or none can be computed.
    CheckDigit,
    /// The value was made from a 16-digit IMEISV.
    FromImeisv,
    /// An ICCID of 18 places: good enough to show, not to match or to hand over.
    DisplayOnly,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CheckDigit => "wrong check digit",
            Self::FromImeisv => "made from an IMEISV",
            Self::DisplayOnly => "18 places, for display only",
        })
    }
}

/// Why a value was refused. Carries no digit of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Too few or too many places.
    Length,
    /// A character that the value can not have.
    Character,
    /// It does not begin as it must.
    Prefix,
    /// All places are zero.
    AllZero,
    /// A number too large for its places, or outside its range.
    Range,
    /// The octets do not follow the file's coding.
    Coding,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "wrong length",
            Self::Character => "character not allowed",
            Self::Prefix => "wrong beginning",
            Self::AllZero => "all zero",
            Self::Range => "out of range",
            Self::Coding => "wrong coding",
        })
    }
}

/// Writes the first five and the last two places; a short value shows only its last two.
pub(crate) fn write_masked(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let places = text.chars().count();
    let head = if places >= 12 { 5 } else { 0 };
    let tail = if places >= 6 { 2 } else { 0 };
    for (place, character) in text.chars().enumerate() {
        let shown = place < head || place + tail >= places;
        fmt::Write::write_char(f, if shown { character } else { '*' })?;
    }
    Ok(())
}

macro_rules! masked {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Box<str>);

        impl $name {
            /// The value as it is. Not for logs, not for files.
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_masked(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                write_masked(&self.0, f)?;
                f.write_str(")")
            }
        }
    };
}

masked! {
    /// International mobile subscriber identity, 6…15 digits. `[OPER 1.2]`
    Imsi
}

impl Imsi {
    /// Reads 6…15 ASCII digits, nothing around them.
    pub fn parse(text: &str) -> Parsed<Self> {
        match digits(text, 6..=15) {
            Ok(()) => Parsed::Ok(Self(text.into())),
            Err(outcome) => outcome,
        }
    }
}

masked! {
    /// Identity of the card, 18…20 places that start with 89. `[OPER 1.2]`
    Iccid
}

impl Iccid {
    /// Strips blanks and quotes, puts swapped nibbles right, drops one trailing F, then counts.
    pub fn parse(text: &str) -> Parsed<Self> {
        let mut places: Vec<u8> = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\''))
            .map(|byte| byte.to_ascii_uppercase())
            .collect();
        if places.is_empty() {
            return Parsed::Absent;
        }
        if places.starts_with(b"98") && places.len() == 20 {
            places.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        if places.last() == Some(&b'F') {
            places.pop();
        }
        let Ok(value) = String::from_utf8(places) else { return Parsed::Rejected(Problem::Character) };
        let hexadecimal = value.bytes().any(|byte| !byte.is_ascii_digit());
        if !value.bytes().enumerate().all(|(place, byte)| match place {
            0..6 => byte.is_ascii_digit(),
            _ => byte.is_ascii_hexdigit(),
        }) {
            return Parsed::Rejected(Problem::Character);
        }
        if !matches!(value.len(), 18..=20) {
            return Parsed::Rejected(Problem::Length);
        }
        if !value.starts_with("89") {
            return Parsed::Rejected(Problem::Prefix);
        }
        let note = match value.len() {
            18 => Some(Note::DisplayOnly),
            _ if hexadecimal || !luhn_holds(&value) => Some(Note::CheckDigit),
            _ => None,
        };
        let value = Self(value.into());
        match note {
            Some(note) => Parsed::Flagged(value, note),
            None => Parsed::Ok(value),
        }
    }

    /// The places, unless there are only 18: those are for display, not for matching or handing over.
    pub fn for_matching(&self) -> Option<&str> {
        (self.0.len() >= 19).then_some(&*self.0)
    }
}

masked! {
    /// Identity of a GSM device, 15 digits. `[OPER 1.2]`
    Imei
}

impl Imei {
    /// Takes 15 digits as they are, makes 15 of an IMEISV (16) or of 14.
    pub fn parse(text: &str) -> Parsed<Self> {
        if let Err(outcome) = digits(text, 14..=16) {
            return outcome;
        }
        if text.bytes().all(|byte| byte == b'0') {
            return Parsed::Rejected(Problem::AllZero);
        }
        let whole = |text: &str| {
            let head = text.get(..14).unwrap_or(text);
            Self(format!("{head}{}", luhn_check_digit(head)).into())
        };
        match text.len() {
            14 => Parsed::Ok(whole(text)),
            16 => Parsed::Flagged(whole(text), Note::FromImeisv),
            _ if luhn_holds(text) => Parsed::Ok(Self(text.into())),
            _ => Parsed::Flagged(Self(text.into()), Note::CheckDigit),
        }
    }
}

masked! {
    /// Identity of a CDMA device, 14 hexadecimal places. `[OPER 1.2]`
    Meid
}

impl Meid {
    /// Reads 14 hexadecimal places, or 18 decimal ones (10 for the first 8 hexadecimal places, 8 for the last 6).
    pub fn parse(text: &str) -> Parsed<Self> {
        device_number(text, 14, 10, 8, 6).map(Self)
    }
}

masked! {
    /// Serial number of an older CDMA device, 8 hexadecimal places. `[OPER 1.2]`
    Esn
}

impl Esn {
    /// Reads 8 hexadecimal places, or 11 decimal ones (3 for the first 2 hexadecimal places, 8 for the last 6).
    pub fn parse(text: &str) -> Parsed<Self> {
        device_number(text, 8, 3, 2, 6).map(Self)
    }
}

masked! {
    /// MEID or ESN in the form the device reported, upper-case: what the operator's site gets. `[OPER 0, 5]`
    CdmaDevice
}

impl CdmaDevice {
    /// Takes 8, 11, 14, 15, 17 or 18 characters from 0-9 and A-F.
    pub fn parse(text: &str) -> Parsed<Self> {
        if text.is_empty() {
            return Parsed::Absent;
        }
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Parsed::Rejected(Problem::Character);
        }
        match text.len() {
            8 | 11 | 14 | 15 | 17 | 18 => Parsed::Ok(Self(text.to_ascii_uppercase().into())),
            _ => Parsed::Rejected(Problem::Length),
        }
    }
}

masked! {
    /// Mobile identification number of CDMA, ten digits. `[OPER 1.2]`
    Min
}

impl Min {
    /// Reads exactly ten digits.
    pub fn parse(text: &str) -> Parsed<Self> {
        match digits(text, 10..=10) {
            Ok(()) => Parsed::Ok(Self(text.into())),
            Err(outcome) => outcome,
        }
    }
}

masked! {
    /// Telephone number of the subscription; never a key. `[OPER 1.1]`
    Msisdn
}

impl Msisdn {
    /// Reads an optional plus and 1…20 characters of digits, star and hash; blanks around are dropped.
    pub fn parse(text: &str) -> Parsed<Self> {
        let text = text.trim();
        let number = text.strip_prefix('+').unwrap_or(text);
        if text.is_empty() {
            return Parsed::Absent;
        }
        if !number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#')) {
            return Parsed::Rejected(Problem::Character);
        }
        match number.len() {
            1..=20 => Parsed::Ok(Self(text.into())),
            _ => Parsed::Rejected(Problem::Length),
        }
    }
}

/// What names the device, by its cell class. `[OPER 1.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceId {
    /// A GSM device.
    Imei(Imei),
    /// A CDMA device.
    Cdma(CdmaDevice),
}

impl DeviceId {
    /// The value as it goes into a hand-over URL.
    pub fn reveal(&self) -> &str {
        match self {
            Self::Imei(imei) => imei.reveal(),
            Self::Cdma(device) => device.reveal(),
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(self.reveal(), f)
    }
}

/// A group identifier (GID1 or GID2) of the card: hexadecimal pairs, upper-case, padding removed. `[OPER 1.2]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gid(Box<str>);

impl Gid {
    /// Reads hexadecimal text; trailing FF pairs are padding. All padding means that there is none.
    pub fn parse(text: &str) -> Parsed<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Parsed::Rejected(Problem::Character);
        }
        if text.len() > 510 {
            return Parsed::Rejected(Problem::Length);
        }
        let mut value = text.to_ascii_uppercase();
        while value.len().is_multiple_of(2) && value.ends_with("FF") {
            value.truncate(value.len() - 2);
        }
        if value.is_empty() { Parsed::Absent } else { Parsed::Ok(Self(value.into())) }
    }

    /// Reads the octets of the file.
    pub fn from_octets(octets: &[u8]) -> Parsed<Self> {
        let mut text = String::with_capacity(octets.len() * 2);
        for octet in octets {
            text.push_str(&format!("{octet:02X}"));
        }
        Self::parse(&text)
    }

    /// Upper-case hexadecimal text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the last digit is the check digit of those before it (ISO/IEC 7812). Digits only.
pub(crate) fn luhn_holds(text: &str) -> bool {
    match text.len().checked_sub(1).and_then(|last| text.split_at_checked(last)) {
        Some((head, last)) => last.parse() == Ok(luhn_check_digit(head)),
        None => false,
    }
}

fn luhn_check_digit(head: &str) -> u32 {
    let sum: u32 = head
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            match place % 2 {
                0 if digit > 4 => digit * 2 - 9,
                0 => digit * 2,
                _ => digit,
            }
        })
        .sum();
    (10 - sum % 10) % 10
}

fn digits<T>(text: &str, places: core::ops::RangeInclusive<usize>) -> Result<(), Parsed<T>> {
    if text.is_empty() {
        Err(Parsed::Absent)
    } else if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        Err(Parsed::Rejected(Problem::Character))
    } else if !places.contains(&text.len()) {
        Err(Parsed::Rejected(Problem::Length))
    } else {
        Ok(())
    }
}

/// Hexadecimal places, or two decimal parts that stand for `first_hex` and `rest_hex` hexadecimal places.
fn device_number(
    text: &str,
    hex_places: usize,
    first_decimal: usize,
    first_hex: usize,
    rest_hex: usize,
) -> Parsed<Box<str>> {
    if text.is_empty() {
        return Parsed::Absent;
    }
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Parsed::Rejected(Problem::Character);
    }
    if text.len() == hex_places {
        return Parsed::Ok(text.to_ascii_uppercase().into());
    }
    if text.len() != first_decimal + 8 {
        return Parsed::Rejected(Problem::Length);
    }
    let Some((first, rest)) = text.split_at_checked(first_decimal) else { return Parsed::Rejected(Problem::Length) };
    let (Ok(first), Ok(rest)) = (first.parse::<u64>(), rest.parse::<u64>()) else {
        return Parsed::Rejected(Problem::Character);
    };
    if first >> (4 * first_hex) != 0 || rest >> (4 * rest_hex) != 0 {
        return Parsed::Rejected(Problem::Range);
    }
    Parsed::Ok(format!("{first:0first_hex$X}{rest:0rest_hex$X}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_whole() {
        let imsi = Imsi::parse("001015512345678").value().unwrap();
        assert_eq!(imsi.to_string(), "00101********78");
        assert_eq!(format!("{imsi:?}"), "Imsi(00101********78)");
        assert_eq!(Min::parse("5551234567").value().unwrap().to_string(), "********67");
        assert_eq!(format!("{:?}", Esn::parse("80AABBCC").value().unwrap()), "Esn(******CC)");
        assert_eq!(Msisdn::parse("+123").value().unwrap().to_string(), "****");
    }

    #[test]
    fn iccid_of_18_places_is_for_display() {
        let parsed = Iccid::parse("\"8999 0000 0000 0000 12\"");
        assert_eq!(parsed.outcome(), "warn");
        let iccid = parsed.value().unwrap();
        assert_eq!(iccid.for_matching(), None);
        assert_eq!(iccid.reveal().len(), 18);
    }

    #[test]
    fn decimal_device_numbers_must_fit() {
        assert_eq!(Esn::parse("25600000000"), Parsed::Rejected(Problem::Range));
        assert_eq!(Esn::parse("25516777216"), Parsed::Rejected(Problem::Range));
        assert_eq!(Esn::parse("25516777215").value().unwrap().reveal(), "FFFFFFFF");
        assert_eq!(Meid::parse("A93608736500703710"), Parsed::Rejected(Problem::Character));
        assert_eq!(Meid::parse("429496729600000000"), Parsed::Rejected(Problem::Range));
    }

    #[test]
    fn group_identifiers_lose_whole_pairs_only() {
        assert_eq!(Gid::parse("756FFF").value().unwrap().as_str(), "756F");
        assert_eq!(Gid::parse("756DF").value().unwrap().as_str(), "756DF");
        assert_eq!(Gid::parse(""), Parsed::Absent);
        assert_eq!(Gid::from_octets(&[0xD1, 0xC4, 0xFF]).value().unwrap().as_str(), "D1C4");
    }
}

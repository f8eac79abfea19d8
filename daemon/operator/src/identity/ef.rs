//! Contents of the card's files, octets as the card gives them. `[OPER 1.1, 1.2]`

use super::number::{Gid, Iccid, Imsi, Parsed, Problem};
use super::plmn::{MncLength, Plmn};
use crate::names;
use crate::profile::is_apn;

/// A file of the card that may tell operators apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardFile {
    /// EF_UST: which services, and so which files, there are.
    Ust,
    /// EF_ICCID: the card's number.
    Iccid,
    /// EF_IMSI: the subscriber.
    Imsi,
    /// EF_AD: how long the network code is.
    Ad,
    /// EF_SPN: service provider name.
    Spn,
    /// EF_GID1: group identifier 1.
    Gid1,
    /// EF_GID2: group identifier 2.
    Gid2,
    /// EF_OPL: which record of EF_PNN names which network.
    Opl,
    /// EF_PNN: names of networks.
    Pnn,
    /// EF_EHPLMN: equivalent home networks.
    Ehplmn,
    /// EF_ACL: the only access points that the subscriber may use.
    Acl,
}

/// Each file's name, path from the master file or the application (7FFF), and the service of EF_UST that says that it is
/// there; 0 = it always is. `[3GPP TS 31.102 4.2, TS 102 221 13.2]`
const FILES: [(CardFile, &str, [u8; 4], u8); 11] = [
    (CardFile::Ust, "ust", [0x7F, 0xFF, 0x6F, 0x38], 0),
    (CardFile::Iccid, "iccid", [0x3F, 0x00, 0x2F, 0xE2], 0),
    (CardFile::Imsi, "imsi", [0x7F, 0xFF, 0x6F, 0x07], 0),
    (CardFile::Ad, "ad", [0x7F, 0xFF, 0x6F, 0xAD], 0),
    (CardFile::Spn, "spn", [0x7F, 0xFF, 0x6F, 0x46], 19),
    (CardFile::Gid1, "gid1", [0x7F, 0xFF, 0x6F, 0x3E], 17),
    (CardFile::Gid2, "gid2", [0x7F, 0xFF, 0x6F, 0x3F], 18),
    (CardFile::Opl, "opl", [0x7F, 0xFF, 0x6F, 0xC6], 46),
    (CardFile::Pnn, "pnn", [0x7F, 0xFF, 0x6F, 0xC5], 45),
    (CardFile::Ehplmn, "ehplmn", [0x7F, 0xFF, 0x6F, 0xD9], 71),
    (CardFile::Acl, "acl", [0x7F, 0xFF, 0x6F, 0x57], 35),
];

impl CardFile {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Ust,
        Self::Iccid,
        Self::Imsi,
        Self::Ad,
        Self::Spn,
        Self::Gid1,
        Self::Gid2,
        Self::Opl,
        Self::Pnn,
        Self::Ehplmn,
        Self::Acl,
    ];

    fn row(self) -> (&'static str, [u8; 4], u8) {
        let row = FILES.iter().find(|(file, ..)| *file == self);
        row.map_or(("", [0; 4], 0), |(_, name, path, service)| (name, *path, *service))
    }

    /// Path from the master file (3F00) or the application (7FFF).
    pub fn path(self) -> [u8; 4] {
        self.row().1
    }

    /// Name in lower case, without `EF_`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Whether a card may be without it.
    pub fn is_optional(self) -> bool {
        self.row().2 > 0
    }

    /// Whether it consists of records.
    pub fn has_records(self) -> bool {
        matches!(self, Self::Opl | Self::Pnn)
    }

    /// Whether the card has it, by the content of EF_UST: service 1 is the lowest bit of the first octet.
    pub fn is_announced(self, ust: &[u8]) -> bool {
        let Some(bit) = self.row().2.checked_sub(1) else { return true };
        ust.get(usize::from(bit / 8)).is_some_and(|octet| octet & (1 << (bit % 8)) != 0)
    }
}

/// EF_IMSI: an octet that counts those behind it, then digits in swapped nibbles, the first of which is parity.
pub fn imsi(octets: &[u8]) -> Parsed<Imsi> {
    let Some((count, rest)) = octets.split_first() else { return Parsed::Absent };
    let Some(coded) = rest.get(..usize::from(*count)) else { return Parsed::Rejected(Problem::Length) };
    let mut nibbles = coded.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]);
    if nibbles.next().is_none() {
        return Parsed::Absent;
    }
    match bcd(nibbles) {
        Some(text) => Imsi::parse(&text),
        None => Parsed::Rejected(Problem::Coding),
    }
}

/// EF_ICCID: ten octets of swapped nibbles.
pub fn iccid(octets: &[u8]) -> Parsed<Iccid> {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        text.push_str(&format!("{:X}{:X}", octet & 0x0F, octet >> 4));
    }
    Iccid::parse(&text)
}

/// EF_GID1 and EF_GID2.
pub fn gid(octets: &[u8]) -> Parsed<Gid> {
    Gid::from_octets(octets)
}

/// EF_AD: length of the network code, from the low nibble of the fourth octet. Anything but 2 and 3 is as if the file
/// could not be read.
pub fn ad(octets: &[u8]) -> Parsed<MncLength> {
    match octets.get(3) {
        None if octets.is_empty() => Parsed::Absent,
        None => Parsed::Rejected(Problem::Length),
        Some(octet) => match MncLength::from_number(octet & 0x0F) {
            Some(length) => Parsed::Ok(length),
            None => Parsed::Rejected(Problem::Range),
        },
    }
}

/// EF_SPN: an octet about display, then the name.
pub fn spn(octets: &[u8]) -> Parsed<String> {
    match octets.split_first() {
        None => Parsed::Absent,
        Some((_, name)) => alpha_name(name),
    }
}

/// A record of EF_PNN: the full name (tag 43) in the coding of network names.
pub fn pnn(octets: &[u8]) -> Parsed<String> {
    let [0x43, length, rest @ ..] = octets else {
        let padding = octets.iter().all(|octet| *octet == 0xFF);
        return if padding { Parsed::Absent } else { Parsed::Rejected(Problem::Coding) };
    };
    let Some([header, coded @ ..]) = rest.get(..usize::from(*length)) else {
        return Parsed::Rejected(Problem::Length);
    };
    let text = match (header >> 4) & 0x07 {
        0 => gsm_text(&unpack(coded, usize::from(header & 0x07))),
        1 => utf16(coded),
        _ => None,
    };
    finish(text)
}

/// A record of EF_OPL, the first of which that fits counts: the number of the EF_PNN record that names a subscriber's own
/// network, 0 where the name comes from elsewhere; `None` where the record is about another network, or about a region of it
/// alone: the range of areas is not all of them. A `D` in the code stands for any digit. `[TS 31.102 4.2.59]`
pub fn opl(octets: &[u8], imsi: &str) -> Option<u8> {
    let [first, second, third, areas @ .., number] = octets.get(..8)? else { return None };
    if areas != [0x00, 0x00, 0xFF, 0xFE] {
        return None;
    }
    let nibbles = [first & 0x0F, first >> 4, second & 0x0F, third & 0x0F, third >> 4, second >> 4];
    let code = nibbles.iter().take_while(|nibble| **nibble != 0x0F);
    if code.clone().count() < 5 {
        return None;
    }
    let mut digits = imsi.bytes();
    let fits =
        code.into_iter().all(|nibble| digits.next().is_some_and(|digit| *nibble == 0x0D || digit == b'0' + nibble));
    fits.then_some(*number).filter(|number| *number < 255)
}

/// EF_ACL: an octet that counts, then access points under tag DD, each as labels with their lengths before them. What is
/// malformed ends the list; an empty name (the network's default) is left out.
pub fn acl(octets: &[u8]) -> Vec<String> {
    let Some((count, mut rest)) = octets.split_first() else { return Vec::new() };
    let mut names = Vec::new();
    for _ in 0..*count {
        let [0xDD, length, more @ ..] = rest else { break };
        let Some((coded, behind)) = more.split_at_checked(usize::from(*length)) else { break };
        rest = behind;
        let Some(name) = labels(coded) else { break };
        if is_apn(&name) {
            names.push(name);
        }
    }
    names
}

/// A name out of labels; `None` where a length reaches beyond the end, or a label is not ASCII.
fn labels(mut coded: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = coded.split_first() {
        let (label, behind) = rest.split_at_checked(usize::from(*length))?;
        parts.push(core::str::from_utf8(label).ok().filter(|label| label.is_ascii())?);
        coded = behind;
    }
    Some(parts.join("."))
}

/// EF_EHPLMN: three octets a network; padding and malformed entries are left out.
pub fn ehplmn(octets: &[u8]) -> Vec<Plmn> {
    octets
        .chunks_exact(3)
        .filter_map(|entry| {
            let [first, second, third] = entry else { return None };
            let country = bcd([first & 0x0F, first >> 4, second & 0x0F].into_iter())?;
            let network = match second >> 4 {
                0x0F => bcd([third & 0x0F, third >> 4].into_iter())?,
                last => bcd([third & 0x0F, third >> 4, last].into_iter())?,
            };
            Plmn::from_parts(&country, &network)
        })
        .collect()
}

/// Decimal digits up to the first padding nibble; `None` when a nibble is neither.
fn bcd(nibbles: impl Iterator<Item = u8>) -> Option<String> {
    nibbles.take_while(|nibble| *nibble != 0x0F).map(|nibble| char::from_digit(u32::from(nibble), 10)).collect()
}

/// The alpha coding of 3GPP TS 31.101 annex A: the default alphabet, or one of three UCS2 forms.
fn alpha_name(octets: &[u8]) -> Parsed<String> {
    let text = match octets {
        [0x80, pairs @ ..] => {
            let mut pairs = pairs;
            while let [head @ .., 0xFF, 0xFF] = pairs {
                pairs = head;
            }
            let whole = pairs.len() & !1;
            utf16(pairs.get(..whole).unwrap_or_default())
        }
        [0x81, count, base, rest @ ..] => half_page(*count, u32::from(*base) << 7, rest),
        [0x82, count, high, low, rest @ ..] => half_page(*count, u32::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81 | 0x82, ..] => None,
        septets => {
            let used = septets.iter().rposition(|octet| *octet != 0xFF).map_or(0, |last| last + 1);
            gsm_text(septets.get(..used).unwrap_or_default())
        }
    };
    finish(text)
}

fn finish(text: Option<String>) -> Parsed<String> {
    match text {
        None => Parsed::Rejected(Problem::Coding),
        Some(text) if text.is_empty() => Parsed::Absent,
        Some(text) => Parsed::Ok(names::nfc(&text)),
    }
}

fn utf16(octets: &[u8]) -> Option<String> {
    if !octets.len().is_multiple_of(2) {
        return None;
    }
    let units = octets.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, octet| unit << 8 | u16::from(*octet)));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

/// Characters of the default alphabet, and others as an offset from a base.
fn half_page(count: u8, base: u32, octets: &[u8]) -> Option<String> {
    let coded = octets.get(..usize::from(count))?;
    let mut text = String::new();
    let mut plain = Vec::new();
    for octet in coded {
        if *octet < 0x80 {
            plain.push(*octet);
        } else {
            text.push_str(&gsm_text(&plain)?);
            plain.clear();
            text.push(char::from_u32(base + u32::from(octet & 0x7F))?);
        }
    }
    text.push_str(&gsm_text(&plain)?);
    Some(text)
}

/// Septets out of octets; `spare` bits at the end carry nothing.
fn unpack(octets: &[u8], spare: usize) -> Vec<u8> {
    let bits = (octets.len() * 8).saturating_sub(spare);
    (0..bits / 7)
        .map(|index| {
            let bit = index * 7;
            let low = octets.get(bit / 8).copied().unwrap_or(0);
            let high = octets.get(bit / 8 + 1).copied().unwrap_or(0);
            ((u16::from_le_bytes([low, high]) >> (bit % 8)) & 0x7F) as u8
        })
        .collect()
}

/// The default alphabet of 3GPP TS 23.038; ESC is a gap here, its table follows it.
const DEFAULT_ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                                ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

fn gsm_text(septets: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(septets.len());
    let mut septets = septets.iter();
    while let Some(septet) = septets.next() {
        text.push(match septet {
            0x1B => match septets.next()? {
                0x0A => '\u{0c}',
                0x14 => '^',
                0x28 => '{',
                0x29 => '}',
                0x2F => '\\',
                0x3C => '[',
                0x3D => '~',
                0x3E => ']',
                0x40 => '|',
                0x65 => '€',
                _ => ' ',
            },
            other => DEFAULT_ALPHABET.chars().nth(usize::from(*other))?,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_spn(octets: &[u8], expected: &str) {
        assert_eq!(spn(octets), Parsed::Ok(expected.to_owned()));
    }

    #[test]
    fn names_in_four_codings() {
        assert_eq!(DEFAULT_ALPHABET.chars().count(), 128);
        check_spn(b"\x01Contoso\xFF\xFF", "Contoso");
        check_spn(&[1, 0x45, 0x00, 0x1B, 0x65], "E@€");
        check_spn(&[0, 0x80, 0x69, 0x7D, 0x59, 0x29, 0xFF, 0xFF], "楽天");
        check_spn(&[0, 0x80, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "ǿ");
        check_spn(&[0, 0x81, 3, 0x08, b'A', 0x95, 0x96, 0xFF], "AЕЖ");
        check_spn(&[0, 0x82, 3, 0x05, 0x30, 0x81, b'-', 0x82, 0xFF], "Ա-Բ");
        assert_eq!(spn(&[0, 0xFF, 0xFF]), Parsed::Absent);
        assert_eq!(spn(&[0, 0x81, 9, 0x08, b'A']), Parsed::Rejected(Problem::Coding));
        assert_eq!(spn(&[0, b'A', 0x80]), Parsed::Rejected(Problem::Coding));
        assert_eq!(spn(&[0, 0x80, 0xD8, 0x00]), Parsed::Rejected(Problem::Coding));
    }

    #[test]
    fn network_names_are_packed() {
        // "hello" as seven-bit characters, five spare bits.
        assert_eq!(pnn(&[0x43, 6, 0x85, 0xE8, 0x32, 0x9B, 0xFD, 0x06]), Parsed::Ok("hello".to_owned()));
        assert_eq!(pnn(&[0x43, 3, 0x90, 0x00, 0x41]), Parsed::Ok("A".to_owned()));
        assert_eq!(pnn(&[0xFF; 10]), Parsed::Absent);
        assert_eq!(pnn(&[0x43, 9, 0x90]), Parsed::Rejected(Problem::Length));
    }

    #[test]
    fn equivalent_homes_keep_their_length() {
        let list = ehplmn(&[0x00, 0xF1, 0x10, 0x03, 0x02, 0x22, 0xFF, 0xFF, 0xFF, 0x0A, 0xF1, 0x10]);
        assert_eq!(list.iter().map(Plmn::as_str).collect::<Vec<_>>(), ["00101", "302220"]);
    }

    #[test]
    fn services_say_which_files_there_are() {
        // Services 17 and 19; 45 is the fifth bit of the sixth octet.
        let ust = [0, 0, 0b101, 0, 0, 0b1_0000];
        let there: Vec<&str> =
            CardFile::ALL.into_iter().filter(|file| file.is_announced(&ust)).map(CardFile::as_str).collect();
        assert_eq!(there, ["ust", "iccid", "imsi", "ad", "spn", "gid1", "pnn"]);
        assert!(!CardFile::Ehplmn.is_announced(&[]), "a table that is too short announces nothing");
        for (file, (of_table, ..)) in CardFile::ALL.into_iter().zip(FILES) {
            assert_eq!(file, of_table);
        }
    }

    #[test]
    fn the_record_of_the_own_network() {
        let record = |plmn: [u8; 3], number| [plmn[0], plmn[1], plmn[2], 0, 0, 0xFF, 0xFE, number];
        let imsi = "001015512345678";
        assert_eq!(opl(&record([0x00, 0xF1, 0x10], 3), imsi), Some(3));
        assert_eq!(opl(&record([0x00, 0xF1, 0xDD], 2), imsi), Some(2), "any network of the country");
        assert_eq!(opl(&record([0x62, 0xF2, 0x10], 3), imsi), None, "another network");
        assert_eq!(opl(&record([0x00, 0xF1, 0x10], 0), imsi), Some(0), "named elsewhere");
        assert_eq!(opl(&record([0x00, 0xF1, 0x10], 255), imsi), None);
        assert_eq!(opl(&[0x00, 0xF1, 0x10, 0, 1, 0, 9, 3], imsi), None, "a region of it");
        assert_eq!(opl(&[0x0D, 0xF1, 0x1D, 0, 0, 0xFF, 0xFE, 3, 0xFF], imsi), Some(3), "wild digits, a longer record");
        assert_eq!(opl(&[0x0E, 0xF1, 0x10, 0, 0, 0xFF, 0xFE, 3], imsi), None, "no other nibble is wild");
        assert_eq!(opl(&record([0xFF; 3], 1), imsi), None);
        assert_eq!(opl(&record([0x13, 0x00, 0x14], 1), "310410123456789"), Some(1));
        assert_eq!(opl(&[0x00, 0xF1, 0x10], imsi), None);
        assert_eq!(opl(&record([0x00, 0xF1, 0x10], 1), ""), None);
    }

    #[test]
    fn lists_of_access_points_end_where_they_lie() {
        let list = acl(b"\x03\xDD\x09\x08internet\xDD\x00\xDD\x08\x03wap\x03net\xFF\xFF");
        assert_eq!(list, ["internet", "wap.net"], "the network's default is no name");
        assert_eq!(acl(b"\x02\xDD\x09\x08internet\xDD\x20\x03wap"), ["internet"], "cut");
        assert_eq!(acl(b"\xFF\xDD\x05\x09abcd"), [""; 0], "a label that reaches beyond its name");
        assert_eq!(acl(b"\x01\xDD\x03\x02\xC3\x28"), [""; 0]);
        assert_eq!(acl(&[]), [""; 0]);
        assert_eq!(acl(&[0xFF; 64]), [""; 0]);
    }

    #[test]
    fn short_and_lying_files_are_refused() {
        assert_eq!(imsi(&[]), Parsed::Absent);
        assert_eq!(imsi(&[9, 1, 2]), Parsed::Rejected(Problem::Length));
        assert_eq!(imsi(&[3, 0xA9, 0x10, 0x10]), Parsed::Rejected(Problem::Coding));
        assert_eq!(ad(&[0, 0, 0]), Parsed::Rejected(Problem::Length));
        assert_eq!(ad(&[0, 0, 0, 0xF2]), Parsed::Ok(MncLength::Two));
        assert_eq!(iccid(&[0x98; 3]).outcome(), "reject");
    }
}

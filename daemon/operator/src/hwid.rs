//! Hardware ids: what a package for an operator can be addressed to. Format `MBOP:1`. `[OPER 2.2]`
//!
//! A hardware id stands for a block of a hundred or more SIMs, a network or a name. It hides nothing from someone who
//! can count, so it is treated as personal: matched here, never sent, and not printed when it stands for few.

mod range;

pub use range::{Kind, RangeProblem, range, range_hwids};

use core::fmt;

use sha2::{Digest, Sha256};

use crate::identity::{CellClass, Identity};

/// Shortest ICCID prefix of a device set.
const SHORTEST_ICCID: usize = 4;
/// Shortest IMSI prefix of a device set: a two-digit network.
const SHORTEST_IMSI: usize = 5;
/// Last places of IMSI and ICCID that no hardware id covers.
const BLOCK_PLACES: usize = 2;
/// Longest prefix whose hardware id may be printed. `[OPER 2.3]`
pub(crate) const LONGEST_PRINTED: usize = 6;

/// What a hardware id was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Home provider's name.
    ProviderName,
    /// Beginning of the ICCID.
    Iccid,
    /// Beginning of the IMSI.
    Imsi,
    /// Home provider's code.
    ProviderId,
    /// CDMA system.
    Sid,
}

impl Criterion {
    /// The name that the command line prints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProviderName => "provider-name",
            Self::Iccid => "iccid",
            Self::Imsi => "imsi",
            Self::ProviderId => "provider-id",
            Self::Sid => "sid",
        }
    }

    fn letter(self) -> char {
        match self {
            Self::ProviderName => 'N',
            Self::Iccid => 'C',
            Self::Imsi => 'I',
            Self::ProviderId => 'P',
            Self::Sid => 'S',
        }
    }
}

/// A hardware id, 35 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hwid(Box<str>);

impl Hwid {
    /// Reads a hardware id of format `MBOP:1`; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("MBOP:1:")?;
        let (head, value) = rest.split_once(':')?;
        let mut head = head.chars();
        let covers = matches!(head.next()?, 'I' | 'C');
        let places: usize = match head.as_str() {
            digits if digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            _ => return None,
        };
        let value_fits = value.len() == 24 && value.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        let kind_fits = matches!(rest.as_bytes().first(), Some(b'I' | b'C' | b'P' | b'N' | b'S'));
        (kind_fits && value_fits && covers == (places > 0)).then(|| Self(text.into()))
    }

    /// The whole string. Not for logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it was made of.
    pub fn criterion(&self) -> Criterion {
        match self.0.as_bytes().get(7) {
            Some(b'C') => Criterion::Iccid,
            Some(b'I') => Criterion::Imsi,
            Some(b'P') => Criterion::ProviderId,
            Some(b'S') => Criterion::Sid,
            _ => Criterion::ProviderName,
        }
    }

    /// Digits that it covers, for IMSI and ICCID; 0 for the others.
    pub fn places(&self) -> usize {
        self.0.get(8..10).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    fn of(criterion: Criterion, places: usize, text: &str) -> Self {
        let letter = criterion.letter();
        let hash = Sha256::digest(format!("mbop:1:{letter}:{text}"));
        let value = base32(hash.get(..15).unwrap_or_default());
        Self(format!("MBOP:1:{letter}{places:02}:{value}").into())
    }

    /// Of the first places of an IMSI or ICCID.
    pub(crate) fn of_prefix(kind: Kind, prefix: &str) -> Self {
        let criterion = match kind {
            Kind::Imsi => Criterion::Imsi,
            Kind::Iccid => Criterion::Iccid,
        };
        Self::of(criterion, prefix.len(), prefix)
    }
}

impl fmt::Display for Hwid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get(..11) {
            Some(head) if self.places() > LONGEST_PRINTED => write!(f, "{head}###"),
            _ => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for Hwid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hwid({self})")
    }
}

/// A member of a device set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it was made of.
    pub criterion: Criterion,
    /// The id.
    pub hwid: Hwid,
}

/// All hardware ids that a device answers to, in match order. At most 26.
///
/// GSM: name, ICCID from long to short, IMSI from long to short, provider code. CDMA: system id, name.
pub fn device_set(identity: &Identity) -> Vec<Entry> {
    let mut set = Set(Vec::new());
    let name = identity.provider_name.as_deref();
    if identity.cell_class == CellClass::Cdma {
        set.add(Criterion::Sid, identity.sid.map(|sid| sid.to_string()).as_deref());
        set.add(Criterion::ProviderName, name);
        return set.0;
    }
    set.add(Criterion::ProviderName, name);
    let iccid = identity.iccid.as_ref().and_then(|iccid| iccid.for_matching());
    set.add_prefixes(Kind::Iccid, iccid, SHORTEST_ICCID);
    set.add_prefixes(Kind::Imsi, identity.imsi.as_ref().map(|imsi| imsi.reveal()), SHORTEST_IMSI);
    set.add(Criterion::ProviderId, identity.provider_id.map(|code| code.to_string()).as_deref());
    set.0
}

/// The first member of a device set that an index of packages has.
pub fn first_match(set: &[Entry], has: impl Fn(&Hwid) -> bool) -> Option<&Entry> {
    set.iter().find(|entry| has(&entry.hwid))
}

struct Set(Vec<Entry>);

impl Set {
    fn add(&mut self, criterion: Criterion, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.0.push(Entry { criterion, hwid: Hwid::of(criterion, 0, text) });
        }
    }

    fn add_prefixes(&mut self, kind: Kind, number: Option<&str>, shortest: usize) {
        let Some(number) = number else { return };
        for places in (shortest..=number.len().saturating_sub(BLOCK_PLACES)).rev() {
            if let Some(prefix) = number.get(..places) {
                let hwid = Hwid::of_prefix(kind, prefix);
                self.0.push(Entry { criterion: hwid.criterion(), hwid });
            }
        }
    }
}

/// RFC 4648, upper case, no padding. Whole groups of five octets only.
fn base32(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(octets.len() / 5 * 8);
    for group in octets.chunks_exact(5) {
        let bits = group.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
        for shift in (0..8).rev() {
            let digit = (bits >> (5 * shift)) & 0x1F;
            text.push(ALPHABET.get(digit as usize).copied().map_or('A', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Reported;

    #[test]
    fn base32_of_the_rfc() {
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
    }

    #[test]
    fn what_we_make_we_read_and_hide() {
        let (identity, _) = Identity::normalise(&Reported {
            subscriber_id: "001015512345678",
            iccid: "89990000000000001236",
            provider_id: "00101",
            provider_name: "Contoso Wireless",
            ..Reported::default()
        });
        let set = device_set(&identity);
        assert_eq!(set.len(), 26);
        for entry in &set {
            assert_eq!(entry.hwid.as_str().len(), 35);
            assert_eq!(Hwid::parse(entry.hwid.as_str()).as_ref(), Some(&entry.hwid));
            assert_eq!(entry.hwid.criterion(), entry.criterion);
            let printed = format!("{:?}", entry.hwid);
            assert_eq!(printed.contains("###"), entry.hwid.places() > 6, "{printed}");
        }
        let second = first_match(&set, |hwid| hwid.places() == 18).unwrap();
        assert_eq!(second.criterion, Criterion::Iccid);
    }

    #[test]
    fn other_strings_are_none() {
        for wrong in [
            "",
            "MBAE:0:abc",
            "MBOP:1:I00:OS3HHIN7UL6UTNYGAJMF2IHR",
            "MBOP:1:P05:OS3HHIN7UL6UTNYGAJMF2IHR",
            "MBOP:1:X00:OS3HHIN7UL6UTNYGAJMF2IHR",
            "MBOP:1:I13:OS3HHIN7UL6UTNYGAJMF2IH",
            "MBOP:1:I13:OS3HHIN7UL6UTNYGAJMF2IH1",
            "MBOP:1:I+3:OS3HHIN7UL6UTNYGAJMF2IHR",
            "MBOP:1:é13:OS3HHIN7UL6UTNYGAJMF2IHR",
        ] {
            assert_eq!(Hwid::parse(wrong), None, "{wrong}");
        }
    }
}

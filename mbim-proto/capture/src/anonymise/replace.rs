//! What takes the place of a value: made of it and a secret, and of the same kind.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use mbim_proto::Disguise;
use mbim_proto::sms_pdu::{Address, Content, Pdu, Tpdu, UserData};
use sha2::{Digest as _, Sha256};

use super::card::{self, File};

/// Leading digits of a long number that stay: of an IMSI the network, of a card's number the issuer, of an equipment's most of
/// its type. Seven would be too many.
const KEPT: usize = 6;
/// Shorter bytes are never taken for text: they may be printable by chance.
const SHORTEST_TEXT: usize = 6;
/// Low bits of an IPv4 address that stay, so that a host's does not become a network's.
const HOST_BITS: usize = 3;

/// What bytes without a type of their own are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Unknown,
    ShortMessage,
    OnCard(File),
}

pub(super) struct Replacer {
    secret: [u8; 32],
    pub(super) meaning: Meaning,
}

impl fmt::Debug for Replacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacer").field("meaning", &self.meaning).finish_non_exhaustive()
    }
}

impl Replacer {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self { secret, meaning: Meaning::Unknown }
    }

    /// Endless bytes for a value: the same ones each time, and no way back without the secret.
    fn bytes(&self, kind: &[u8], value: &[u8]) -> impl Iterator<Item = u8> + use<> {
        let seed = Sha256::new().chain_update(self.secret).chain_update(kind).chain_update(value).finalize();
        (0u64..).flat_map(move |block| {
            let block: [u8; 32] = Sha256::new().chain_update(seed).chain_update(block.to_le_bytes()).finalize().into();
            block
        })
    }

    /// Bytes that nothing is known of. Such as are all zeros or all ones mean nothing.
    pub(super) fn blank(&self, octets: &mut [u8]) {
        if octets.iter().all(|octet| *octet == 0) || octets.iter().all(|octet| *octet == 0xff) {
            return;
        }
        let is_text = |octet: &u8| matches!(octet, 0x20..=0x7e | b'\r' | b'\n' | b'\t');
        let text = core::str::from_utf8(octets).ok().filter(|_| octets.len() >= SHORTEST_TEXT);
        if let Some(text) = text.filter(|text| text.as_bytes().iter().all(is_text)) {
            let replaced = self.in_text(text);
            return octets.iter_mut().zip(replaced.bytes()).for_each(|(octet, replaced)| *octet = replaced);
        }
        let stream = self.bytes(b"octets", octets);
        octets.iter_mut().zip(stream).for_each(|(octet, replaced)| *octet = replaced);
    }

    /// A run of ASCII digits.
    fn digits(&self, run: &[u8]) -> Vec<u8> {
        if run.iter().all(|digit| *digit == b'0') {
            return run.to_vec();
        }
        let long = matches!(run.len(), 14..=16) || matches!(run.len(), 18..=22) && run.starts_with(b"89");
        let kept = if long { KEPT } else { 0 };
        let stream = self.bytes(b"digits", run);
        let mut out: Vec<u8> = run
            .iter()
            .zip(stream)
            .enumerate()
            .map(|(place, (digit, byte))| match place {
                place if place < kept => *digit,
                // The first that is replaced is another one, or a seventh digit could stand.
                place if place == kept => b'0' + (digit - b'0' + 1 + byte % 9) % 10,
                _ => b'0' + byte % 10,
            })
            .collect();
        if long {
            let valid = luhn(run);
            let mut tries = 0;
            while luhn(&out) != valid && tries < 10 {
                if let Some(last) = out.last_mut() {
                    *last = b'0' + (*last - b'0' + 1) % 10;
                }
                tries += 1;
            }
        }
        out
    }

    /// A run of ASCII letters: capitals stay capitals, and what could be a hexadecimal digit stays one.
    fn letters(&self, run: &[u8]) -> Vec<u8> {
        // What fills up numbers on a card.
        if run.iter().all(|letter| matches!(letter, b'f' | b'F')) {
            return run.to_vec();
        }
        let among = |byte: u8, first: u8, count: u8| first + byte % count;
        let stream = self.bytes(b"letters", run);
        run.iter()
            .zip(stream)
            .map(|(letter, byte)| match letter {
                b'a'..=b'f' => among(byte, b'a', 6),
                b'A'..=b'F' => among(byte, b'A', 6),
                b'g'..=b'z' => among(byte, b'g', 20),
                _ => among(byte, b'G', 20),
            })
            .collect()
    }

    /// A text run by run. What stands between letters and digits stays.
    fn in_text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let alike = |c: &char| {
                if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_ascii_alphabetic() }
            };
            let size = rest.chars().take_while(alike).count();
            if size == 0 {
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                match first {
                    '€' => out.push(first),
                    _ if first.is_ascii() => out.push(first),
                    _ => out.extend(core::iter::repeat_n('x', first.len_utf16())),
                }
                continue;
            }
            // Runs are of ASCII: a character is a byte.
            let (run, after) = rest.split_at_checked(size).unwrap_or((rest, ""));
            let replaced =
                if first.is_ascii_digit() { self.digits(run.as_bytes()) } else { self.letters(run.as_bytes()) };
            out.extend(replaced.into_iter().map(char::from));
            rest = after;
        }
        out
    }

    /// A short message as one of the same length, if it is one.
    fn short_message(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let mut pdu = Pdu::decode(octets).ok()?;
        let address = |address: &mut Address| address.text = self.in_text(&address.text);
        let content = |data: &mut UserData| match &mut data.content {
            Content::Text(text) => *text = self.in_text(text),
            Content::Octets(octets) => self.blank(octets),
        };
        pdu.service_centre.as_mut().into_iter().for_each(address);
        match &mut pdu.tpdu {
            Tpdu::Deliver(deliver) => {
                address(&mut deliver.originator);
                content(&mut deliver.user_data);
            }
            Tpdu::Submit(submit) => {
                address(&mut submit.destination);
                content(&mut submit.user_data);
            }
            Tpdu::StatusReport(report) => {
                address(&mut report.recipient);
                report.user_data.as_mut().into_iter().for_each(content);
            }
        }
        let mut made = pdu.encode().ok()?;
        let rest = octets.get(made.len()..)?;
        // Cards fill records up.
        if rest.iter().any(|octet| *octet != 0xff) {
            return None;
        }
        made.extend_from_slice(rest);
        Some(made)
    }

    /// The bits from `kept` to `until` replaced so that what began alike begins alike.
    fn prefix<const N: usize>(&self, octets: [u8; N], kept: usize, until: usize) -> [u8; N] {
        let mut out = octets;
        for place in kept..until {
            let (byte, mask) = (place / 8, 0x80u8 >> (place % 8));
            let mut before = vec![u8::try_from(place).unwrap_or_default()];
            before.extend(octets.iter().take(byte));
            before.extend(octets.get(byte).map(|octet| octet & !(mask | (mask - 1))));
            if self.bytes(b"address", &before).next().is_some_and(|byte| byte & 1 == 1)
                && let Some(octet) = out.get_mut(byte)
            {
                *octet ^= mask;
            }
        }
        out
    }
}

/// Whether the last digit is the check digit of the others. [ISO/IEC 7812-1 annex B]
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit - b'0')) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

impl Disguise for Replacer {
    fn text(&mut self, text: &mut String) {
        *text = self.in_text(text);
    }

    fn octets(&mut self, octets: &mut [u8]) {
        let made = match self.meaning {
            Meaning::OnCard(File::Operator) => return,
            Meaning::OnCard(File::Iccid) => return card::put(&self.digits(&card::digits(octets, 0)), octets, 0),
            // A length and the parity, then the digits. [3GPP TS 31.102 4.2.2]
            Meaning::OnCard(File::Imsi) => return card::put(&self.digits(&card::digits(octets, 3)), octets, 3),
            Meaning::ShortMessage => self.short_message(octets),
            Meaning::OnCard(File::Personal) | Meaning::Unknown => None,
        };
        match made {
            Some(made) => octets.iter_mut().zip(made).for_each(|(octet, made)| *octet = made),
            None => self.blank(octets),
        }
    }

    fn number(&mut self, number: u64, bits: u32) -> u64 {
        let unknown = u64::MAX >> (64 - bits.clamp(1, 64));
        // Nothing, and what stands for it in fields of 16, 28 and 31 bits too.
        if number == 0 || [unknown, 0xffff, 0xfff_ffff, 0x7fff_ffff].contains(&number) {
            return number;
        }
        // As many bits as it has.
        let top = 1u64 << number.ilog2();
        let random =
            self.bytes(b"number", &number.to_le_bytes()).take(8).fold(0, |all, byte| all << 8 | u64::from(byte));
        let made = top | random & (top - 1);
        if made == number { top | made.wrapping_add(1) & (top - 1) } else { made }
    }

    fn ipv4(&mut self, address: Ipv4Addr) -> Ipv4Addr {
        let kept = match address.octets() {
            [0 | 127 | 224.., ..] | [169, 254, ..] | [192, 0, 0, _] => return address,
            [172, 16..=31, ..] => 12,
            [192, 168, ..] => 16,
            [100, 64..=127, ..] => 10,
            _ => 8,
        };
        self.prefix(address.octets(), kept, 32 - HOST_BITS).into()
    }

    fn ipv6(&mut self, address: Ipv6Addr) -> Ipv6Addr {
        if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
            return address;
        }
        let kept = match address.segments() {
            [0xfe80..=0xfebf, ..] => 64,
            [0xfc00..=0xfdff, ..] => 8,
            _ => 16,
        };
        self.prefix(address.octets(), kept, 128).into()
    }
}

#[cfg(test)]
mod tests;

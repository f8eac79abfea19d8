//! The identities of the suite as canaries: none of them may be found in what the daemon writes or tells everyone, not
//! even a part, and not in another notation.
//!
//! Any seven digits in a row count. That is more than what is shown masked (the first five and the last two), and the
//! canaries are such that no seven of their digits come about by chance.

/// Digits in a row that count as found.
pub const WINDOW: usize = 7;

/// One identity.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// What it is; printed instead of its value.
    pub name: &'static str,
    /// Its digits.
    pub digits: &'static str,
}

/// All identities of the virtual subscriber and the virtual modem.
pub const ALL: [Canary; 4] = [
    Canary { name: "IMSI", digits: "001017394628051" },
    Canary { name: "ICCID", digits: "8999004827193650378" },
    Canary { name: "IMEI", digits: "352099746183058" },
    Canary { name: "MSISDN", digits: "10158273946" },
];

/// An octet of which some bits are known.
type Masked = (u8, u8);

#[derive(Debug)]
struct Needle {
    canary: &'static str,
    place: usize,
    notation: &'static str,
    octets: Vec<Masked>,
}

/// Seven digits that were found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which canary.
    pub canary: &'static str,
    /// The first of the seven, counted from 0.
    pub place: usize,
    /// In which notation.
    pub notation: &'static str,
    /// Where in the haystack.
    pub offset: usize,
}

/// The prepared search.
#[derive(Debug)]
pub struct Search {
    needles: Vec<Needle>,
}

impl Default for Search {
    fn default() -> Self {
        Self::new(&ALL)
    }
}

impl Search {
    /// Prepares the search for these canaries.
    #[must_use]
    pub fn new(canaries: &[Canary]) -> Self {
        let mut needles = Vec::new();
        for canary in canaries {
            for (place, window) in canary.digits.as_bytes().windows(WINDOW).enumerate() {
                for (notation, octets) in notations(window) {
                    needles.push(Needle { canary: canary.name, place, notation, octets });
                }
            }
        }
        Self { needles }
    }

    /// Everything that is found in a haystack; each window and notation once.
    #[must_use]
    pub fn find(&self, haystack: &[u8]) -> Vec<Found> {
        let fits = |at: usize, octets: &[Masked]| {
            let piece = haystack.get(at..).unwrap_or_default();
            piece.len() >= octets.len() && piece.iter().zip(octets).all(|(octet, (value, mask))| octet & mask == *value)
        };
        // Where each octet stands, so that a needle looks only where it can begin.
        let mut places = vec![Vec::new(); 256];
        for (at, octet) in haystack.iter().enumerate() {
            if let Some(list) = places.get_mut(usize::from(*octet)) {
                list.push(at);
            }
        }
        let mut found = Vec::new();
        for needle in &self.needles {
            let Some(&(value, mask)) = needle.octets.first() else { continue };
            let begins = (0..=u8::MAX).zip(&places).filter(|(octet, _)| octet & mask == value);
            let mut starts = begins.flat_map(|(_, list)| list.iter().copied());
            if let Some(offset) = starts.find(|at| fits(*at, &needle.octets)) {
                let &Needle { canary, place, notation, .. } = needle;
                found.push(Found { canary, place, notation, offset });
            }
        }
        found
    }
}

/// Octets that are known whole.
fn whole(octets: impl IntoIterator<Item = u8>) -> Vec<Masked> {
    octets.into_iter().map(|octet| (octet, 0xff)).collect()
}

fn notations(window: &[u8]) -> Vec<(&'static str, Vec<Masked>)> {
    let utf16: Vec<u8> = window.iter().flat_map(|digit| [*digit, 0]).collect();
    let utf16_big: Vec<u8> = window.iter().flat_map(|digit| [0, *digit]).collect();
    let [aligned, between] = [swapped(window, 0), swapped(window, 1)];
    let mut all = vec![
        ("ascii", whole(window.iter().copied())),
        ("utf-16le", whole(utf16.iter().copied())),
        ("utf-16be", whole(utf16_big.iter().copied())),
        ("hex", whole(hex(window))),
        ("hex of utf-16", whole(hex(&utf16))),
        ("list of octets", whole(list(window))),
        ("list of octets of utf-16", whole(list(&utf16))),
        ("hex of swapped bcd", hex_of_masked(&aligned)),
        ("hex of swapped bcd, odd", hex_of_masked(&between)),
        ("swapped bcd", aligned),
        ("swapped bcd, odd", between),
    ];
    for (notation, before) in [("base64", 0), ("base64, second", 1), ("base64, third", 2)] {
        all.push((notation, whole(base64(window, before))));
    }
    for (notation, before) in [("base64 of utf-16", 0), ("base64 of utf-16, second", 1), ("base64 of utf-16, third", 2)]
    {
        all.push((notation, whole(base64(&utf16, before))));
    }
    all
}

/// As SIM cards keep digits: two an octet, the first in the low half. `before`: digits in front of the window in its
/// first octet, 0 or 1.
fn swapped(window: &[u8], before: usize) -> Vec<Masked> {
    let mut octets = vec![(0, 0); (window.len() + before).div_ceil(2)];
    for (place, digit) in window.iter().enumerate() {
        let place = place + before;
        if let Some((value, mask)) = octets.get_mut(place / 2) {
            let shift = if place.is_multiple_of(2) { 0 } else { 4 };
            *value |= (digit & 0xf) << shift;
            *mask |= 0xf << shift;
        }
    }
    octets
}

fn hex(octets: &[u8]) -> Vec<u8> {
    octets.iter().flat_map(|octet| format!("{octet:02x}").into_bytes()).collect()
}

/// Hexadecimal digits of octets that are known in part.
fn hex_of_masked(octets: &[Masked]) -> Vec<Masked> {
    let digit = |value: u8, mask: u8| if mask == 0 { (0, 0) } else { (b'0' + value, 0xff) };
    let all: Vec<Masked> = octets
        .iter()
        .flat_map(|(value, mask)| [digit(value >> 4, mask >> 4), digit(value & 0xf, mask & 0xf)])
        .collect();
    let known = |(_, mask): &Masked| *mask != 0;
    let first = all.iter().position(known).unwrap_or_default();
    let last = all.iter().rposition(known).unwrap_or_default();
    all.get(first..=last).unwrap_or_default().to_vec()
}

/// As Rust prints a slice of octets for debugging.
fn list(octets: &[u8]) -> Vec<u8> {
    octets.iter().map(u8::to_string).collect::<Vec<_>>().join(", ").into_bytes()
}

/// The characters of Base64 that depend on these octets alone, when `before` octets of another's stand in front of
/// them in the group of three.
fn base64(octets: &[u8], before: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1)).collect();
    // The next character boundary after the foreign octets.
    let skip = (6 - before * 8 % 6) % 6;
    let known = bits.get(skip..).unwrap_or_default();
    let sextet = |six: &[u8]| six.iter().fold(0, |number, bit| number << 1 | usize::from(*bit));
    known.chunks_exact(6).filter_map(|six| ALPHABET.get(sextet(six)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// What is found of a canary that stands whole in a haystack of noise.
    fn notations_of(name: &str, planted: &[u8]) -> BTreeSet<&'static str> {
        let noise: Vec<u8> = (1..998_u32).map(|n| (n * 37 % 251) as u8).collect();
        assert_eq!(Search::default().find(&noise), []);
        let haystack = [&noise, planted, &noise].concat();
        let found = Search::default().find(&haystack);
        assert!(found.iter().all(|f| f.canary == name && f.offset + 40 > noise.len()), "{found:?}");
        found.into_iter().map(|f| f.notation).collect()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn sim_digits(digits: &str, filled: &str) -> Vec<u8> {
        let all = format!("{filled}{digits}F");
        let pairs = all.as_bytes().chunks_exact(2);
        let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        pairs.map(|pair| nibble(pair[1]) << 4 | nibble(pair[0])).collect()
    }

    #[test]
    fn a_planted_canary_is_found_in_each_notation() {
        for canary in ALL {
            let digits = canary.digits;
            let check = |notation: &str, planted: Vec<u8>| {
                let found = notations_of(canary.name, &planted);
                assert!(found.contains(notation), "{} as {notation}: {found:?}", canary.name);
            };
            check("ascii", digits.into());
            check("utf-16le", utf16(digits));
            check("utf-16be", digits.encode_utf16().flat_map(u16::to_be_bytes).collect());
            check("hex", hex(digits.as_bytes()));
            check("hex of utf-16", hex(&utf16(digits)));
            check("list of octets", format!("{:?}", digits.as_bytes()).into());
            check("list of octets of utf-16", format!("{:?}", utf16(digits)).into());
            // Both alignments of the nibbles: as the card's file begins with the digits, and with one in front.
            for filled in ["", "9"] {
                let card = sim_digits(digits, filled);
                check("swapped bcd", card.clone());
                check("swapped bcd, odd", card.clone());
                check("hex of swapped bcd", hex(&card));
                check("hex of swapped bcd, odd", hex(&card));
            }
            for before in ["", "x", "xy"] {
                let coded = STANDARD.encode(format!("{before}{digits}z"));
                check("base64", coded.clone().into());
                let wide = [before.as_bytes(), &utf16(digits), b"z"].concat();
                check("base64 of utf-16", STANDARD.encode(wide).into());
            }
        }
    }

    /// One window is enough, at each alignment.
    #[test]
    fn seven_digits_are_enough_and_six_are_not() {
        let window = "7394628";
        assert_eq!(notations_of("IMSI", window.as_bytes()).len(), 1);
        assert!(notations_of("IMSI", b"739462").is_empty());
        assert!(notations_of("IMSI", b"739462x8051").is_empty());
        for (before, notation) in [("", "base64"), ("x", "base64, second"), ("xy", "base64, third")] {
            let found = notations_of("IMSI", STANDARD.encode(format!("{before}{window}z")).as_bytes());
            assert_eq!(found.into_iter().collect::<Vec<_>>(), [notation]);
        }
        for (filled, notation) in [("", "swapped bcd"), ("9", "swapped bcd, odd")] {
            let found = notations_of("IMSI", &sim_digits(window, filled));
            assert_eq!(found.into_iter().collect::<Vec<_>>(), [notation]);
        }
    }

    /// What may be shown is not found: first five and last two places.
    #[test]
    fn masked_identities_are_no_find() {
        for canary in ALL {
            let hidden = canary.digits.len() - 7;
            let masked = format!("{}{}{}", &canary.digits[..5], "*".repeat(hidden), &canary.digits[hidden + 5..]);
            assert!(notations_of(canary.name, masked.as_bytes()).is_empty());
        }
    }

    /// Windows that come about by chance would make the search cry wolf.
    #[test]
    fn no_window_is_degenerate() {
        let mut seen = BTreeSet::new();
        for canary in ALL {
            for window in canary.digits.as_bytes().windows(WINDOW) {
                assert!(seen.insert(window), "twice");
                let distinct: BTreeSet<u8> = window.iter().copied().collect();
                let run = window.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
                assert!(distinct.len() >= 4 && run < 4, "{}", canary.name);
            }
        }
    }

    /// The virtual modem and the virtual operator have these identities.
    #[test]
    fn the_suite_uses_them() {
        use harness::virtual_modem::{Profile, Slot};
        use harness::virtual_operator::Subscriber;
        let profile = Profile::default();
        let Slot::Card(sim) = &profile.slot else { panic!("no card") };
        let number = sim.numbers[0].reveal().trim_start_matches('+').to_owned();
        let of_modem =
            [sim.imsi.reveal().clone(), sim.iccid.reveal().clone(), profile.device_id.reveal().clone(), number];
        assert_eq!(of_modem, ALL.map(|canary| canary.digits.to_owned()));
        let subscriber = Subscriber::canary();
        assert_eq!([subscriber.imsi, subscriber.iccid, subscriber.imei], [0, 1, 2].map(|n| ALL[n].digits.to_owned()));
    }
}

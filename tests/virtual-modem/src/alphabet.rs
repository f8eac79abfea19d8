//! The 7-bit alphabet of short messages and USSD, and how it is packed. [3GPP TS 23.038 6]

/// The default alphabet in the order of its codes. Code 27 leads to the extension table.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What follows code 27.
const EXTENSION: &[(u8, char)] = &[
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];
const ESCAPE: u8 = 0x1b;

/// A text in codes of 7 bits; `None` if it has characters that the alphabet lacks.
#[must_use]
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut codes = Vec::new();
    for c in text.chars() {
        let basic = BASIC.chars().position(|known| known == c).and_then(|at| u8::try_from(at).ok());
        match basic.filter(|code| *code != ESCAPE) {
            Some(code) => codes.push(code),
            None => codes.extend([ESCAPE, EXTENSION.iter().find(|(_, known)| *known == c)?.0]),
        }
    }
    Some(codes)
}

/// The text of codes. An unknown extension is read as the default alphabet, as the clause asks.
#[must_use]
pub fn decode(codes: &[u8]) -> String {
    let basic = |code: u8| BASIC.chars().nth(usize::from(code & 0x7f)).unwrap_or(' ');
    let mut text = String::new();
    let mut codes = codes.iter();
    while let Some(&code) = codes.next() {
        if code & 0x7f != ESCAPE {
            text.push(basic(code));
        } else if let Some(&next) = codes.next() {
            text.push(EXTENSION.iter().find(|(known, _)| *known == next).map_or_else(|| basic(next), |(_, c)| *c));
        }
    }
    text
}

/// Eight codes in seven bytes, the first code in the lowest bits.
#[must_use]
pub fn pack(codes: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((codes.len() * 7).div_ceil(8));
    let (mut bits, mut filled) = (0_u32, 0);
    for code in codes {
        bits |= u32::from(code & 0x7f) << filled;
        filled += 7;
        if filled >= 8 {
            bytes.push(bits.to_le_bytes()[0]);
            bits >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        bytes.push(bits.to_le_bytes()[0]);
    }
    bytes
}

/// The codes in packed bytes, at most `count`, after `skip` bits.
#[must_use]
pub fn unpack(bytes: &[u8], skip: usize, count: usize) -> Vec<u8> {
    let bit = |at: usize| bytes.get(at / 8).map(|byte| byte >> (at % 8) & 1);
    let code = |at: usize| (0..7).try_fold(0, |code, n| Some(code | bit(skip + at * 7 + n)? << n));
    (0..count).map_while(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes() {
        // The two texts that every description of the packing shows.
        assert_eq!(pack(&encode("hello").unwrap()), [0xe8, 0x32, 0x9b, 0xfd, 0x06]);
        assert_eq!(pack(&encode("*100#").unwrap()), [0xaa, 0x18, 0x0c, 0x36, 0x02]);
        assert_eq!(decode(&unpack(&[0xe8, 0x32, 0x9b, 0xfd, 0x06], 0, 5)), "hello");
        assert_eq!(encode("€[").unwrap(), [0x1b, 0x65, 0x1b, 0x3c]);
        assert_eq!(encode("@£à").unwrap(), [0, 1, 127]);
        assert_eq!(encode("ł"), None);
        assert_eq!(encode("\u{1b}"), None, "the escape is no character");
    }

    #[test]
    fn every_character_comes_back_at_every_length() {
        let all: String = BASIC.chars().filter(|c| *c != '\u{1b}').chain(EXTENSION.iter().map(|(_, c)| *c)).collect();
        let codes = encode(&all).unwrap();
        for length in 0..codes.len() {
            assert_eq!(unpack(&pack(&codes[..length]), 0, length), &codes[..length]);
        }
        assert_eq!(decode(&unpack(&pack(&codes), 0, codes.len())), all);
        assert_eq!(unpack(&[0xff], 0, 9), [0x7f], "no more than the bytes hold");
    }
}

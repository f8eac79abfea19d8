//! UTF-16 little-endian, as strangers write it.

use alloc::string::String;
use alloc::vec::Vec;

/// Reads what can be read: an odd last byte and trailing NULs are dropped, a lone surrogate becomes U+FFFD.
pub(crate) fn from_utf16(bytes: &[u8]) -> String {
    let (pairs, _odd) = bytes.as_chunks::<2>();
    let last = pairs.iter().rposition(|pair| *pair != [0, 0]);
    let pairs = pairs.get(..last.map_or(0, |last| last + 1)).unwrap_or_default();
    if let Some(text) = ascii(pairs) {
        return text;
    }
    let mut text = String::with_capacity(pairs.len());
    for c in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
        text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

/// Nearly all that modems say is ASCII: four units at a time, unless one is of more than 7 bits.
fn ascii(pairs: &[[u8; 2]]) -> Option<String> {
    let mut text = Vec::with_capacity(pairs.len());
    let (fours, rest) = pairs.as_chunks::<4>();
    for four in fours {
        let [a, b, c, d] = four.map(u16::from_le_bytes);
        if a | b | c | d > 0x7f {
            return None;
        }
        text.extend_from_slice(&[a as u8, b as u8, c as u8, d as u8]);
    }
    for unit in rest.iter().map(|pair| u16::from_le_bytes(*pair)) {
        if unit > 0x7f {
            return None;
        }
        text.push(unit as u8);
    }
    String::from_utf8(text).ok()
}

/// Appends the text without a terminator.
pub(crate) fn to_utf16(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() * 2);
    if text.is_ascii() {
        out.extend(text.bytes().flat_map(|byte| [byte, 0]));
    } else {
        out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }
}

/// Bytes that the text takes.
pub(crate) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() * 2 } else { text.encode_utf16().count() * 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_generously() {
        assert_eq!(from_utf16(b"a\0b\0"), "ab");
        assert_eq!(from_utf16(b"a\0b\0\0\0"), "ab", "a terminator is no text");
        assert_eq!(from_utf16(b"a\0b\0c"), "ab", "an odd byte is no unit");
        assert_eq!(from_utf16(&[0x3d, 0xd8, 0x00, 0xde]), "😀");
        assert_eq!(from_utf16(&[0x3d, 0xd8, 0x41, 0x00]), "\u{fffd}A");
        assert_eq!(from_utf16(&[]), "");
        assert_eq!(from_utf16(&[0; 6]), "");
        assert_eq!(from_utf16(b"a\0\0\0b\0\0\0"), "a\0b", "only trailing ones go");
        assert_eq!(from_utf16(&[0x80, 0x00, 0x7f, 0x00]), "\u{80}\u{7f}");
        assert_eq!(from_utf16(&[0x41, 0x01]), "\u{141}", "the high byte counts");
        assert_eq!(utf16_len("a😀"), 6);
    }

    #[test]
    fn what_is_written_has_the_length_that_was_told_and_is_read() {
        for text in ["", "internet", "a\u{7f}", "Zażółć", "a😀", "\u{80}"] {
            let mut out = Vec::from(*b"before");
            to_utf16(text, &mut out);
            assert_eq!(out.len() - 6, utf16_len(text), "{text}");
            assert_eq!(from_utf16(&out[6..]), text);
        }
    }
}

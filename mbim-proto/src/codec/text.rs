//! UTF-16 little-endian, as strangers write it.

use alloc::string::String;
use alloc::vec::Vec;

/// Reads what can be read: an odd last byte and trailing NULs are dropped, a lone surrogate becomes U+FFFD.
pub(crate) fn from_utf16(bytes: &[u8]) -> String {
    let (pairs, _odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for c in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
        text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text.truncate(text.trim_end_matches('\0').len());
    text
}

/// Appends the text without a terminator.
pub(crate) fn to_utf16(text: &str, out: &mut Vec<u8>) {
    for unit in text.encode_utf16() {
        out.extend_from_slice(&unit.to_le_bytes());
    }
}

/// Bytes that the text takes.
pub(crate) fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count() * 2
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
        assert_eq!(utf16_len("a😀"), 6);
    }
}

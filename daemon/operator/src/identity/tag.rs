//! The tag by which logs speak of a SIM.

use sha2::{Digest, Sha256};

/// Octets of a SHA-256 block.
const BLOCK: usize = 64;

/// Eight hexadecimal places that stand for a SIM in logs: the head of HMAC-SHA-256 over the number, keyed by a random
/// secret of this machine. `[OPER 2.3]`
pub fn log_tag(key: &[u8], number: &str) -> String {
    hmac(key, number.as_bytes()).iter().take(4).map(|octet| format!("{octet:02x}")).collect()
}

/// RFC 2104 over SHA-256.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    let hashed;
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    for (place, octet) in block.iter_mut().zip(key) {
        *place = *octet;
    }
    let inner = Sha256::new().chain_update(block.map(|octet| octet ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|octet| octet ^ 0x5C)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, cases 1, 2 and 6.
    #[test]
    fn hmac_of_the_rfc() {
        let hex = |octets: [u8; 32]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        assert!(hex(hmac(&[0x0B; 20], b"Hi There")).starts_with("b0344c61d8db38535ca8afceaf0bf12b"));
        assert!(hex(hmac(b"Jefe", b"what do ya want for nothing?")).starts_with("5bdcc146bf60754e6a042426089575c7"));
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert!(hex(hmac(&[0xAA; 131], long)).starts_with("60e431591ee0b67f0d8a26aacbf5b77f"));
    }

    #[test]
    fn machines_differ() {
        let one = log_tag(b"one machine", "001015512345678");
        assert_eq!(one.len(), 8);
        assert_ne!(one, log_tag(b"other machine", "001015512345678"));
        assert_eq!(one, log_tag(b"one machine", "001015512345678"));
    }
}

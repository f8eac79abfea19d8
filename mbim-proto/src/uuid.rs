//! 16-byte identifiers in the order in which they are printed.

use core::fmt;
use core::str::FromStr;

/// A UUID as MBIM sends it: the bytes in printed (big-endian) order, unlike a Windows GUID in memory. [MBIM1.0 10.1]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// All bytes zero.
    pub const NIL: Self = Self([0; 16]);

    /// The UUID whose printed digits are those of `number` in hexadecimal.
    pub const fn from_u128(number: u128) -> Self {
        Self(number.to_be_bytes())
    }

    /// The printed digits as one number.
    pub const fn as_u128(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 32 hexadecimal digits, with or without hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID: 32 hexadecimal digits expected")]
pub struct NotAUuid;

impl FromStr for Uuid {
    type Err = NotAUuid;

    /// Reads the printed form; hyphens may stand anywhere or be missing.
    fn from_str(text: &str) -> Result<Self, NotAUuid> {
        let mut number = 0u128;
        let mut digits = 0;
        for c in text.chars().filter(|c| *c != '-') {
            let digit = c.to_digit(16).ok_or(NotAUuid)?;
            number = (number << 4) | u128::from(digit);
            digits += 1;
            if digits > 32 {
                return Err(NotAUuid);
            }
        }
        if digits == 32 { Ok(Self::from_u128(number)) } else { Err(NotAUuid) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn prints_and_reads_the_same() {
        let uuid = Uuid::from_u128(0xa289cc33_bcbb_8b4f_b6b0_133ec2aae6df);
        assert_eq!(uuid.to_string(), "a289cc33-bcbb-8b4f-b6b0-133ec2aae6df");
        assert_eq!(uuid.0[0], 0xa2);
        assert_eq!(uuid.to_string().parse(), Ok(uuid));
        assert_eq!("a289".parse::<Uuid>(), Err(NotAUuid));
        assert_eq!("a289cc33-bcbb-8b4f-b6b0-133ec2aae6df0".parse::<Uuid>(), Err(NotAUuid));
        assert_eq!("g289cc33-bcbb-8b4f-b6b0-133ec2aae6df".parse::<Uuid>(), Err(NotAUuid));
    }
}

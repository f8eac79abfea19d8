//! Network codes and the rule that tells two-digit from three-digit ones.

use core::fmt;

/// A public land mobile network: three digits of country and two or three of network. `[OPER 1.2]`
///
/// It is a code that everyone may know, so it prints as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plmn {
    /// ASCII digits; the sixth is 0 (not '0') when the network code has two.
    digits: [u8; 6],
}

impl Plmn {
    /// Reads five or six ASCII digits; anything else is no code.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 5 | 6) || !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; 6];
        for (place, digit) in digits.iter_mut().zip(bytes) {
            *place = *digit;
        }
        Some(Self { digits })
    }

    /// Country and network code as they stand in a database row.
    pub fn from_parts(mcc: &str, mnc: &str) -> Option<Self> {
        if mcc.len() != 3 || !matches!(mnc.len(), 2 | 3) {
            return None;
        }
        Self::parse(&format!("{mcc}{mnc}"))
    }

    /// The code that an IMSI of this network starts with, if it has that many digits.
    pub fn of_imsi(imsi: &str, length: MncLength) -> Option<Self> {
        Self::parse(imsi.get(..length.code_places())?)
    }

    /// All digits, five or six.
    pub fn as_str(&self) -> &str {
        let used = self.digits.iter().position(|digit| *digit == 0).unwrap_or(6);
        self.digits.get(..used).and_then(|used| core::str::from_utf8(used).ok()).unwrap_or("")
    }

    /// The three digits of the country.
    pub fn mcc(&self) -> &str {
        self.as_str().get(..3).unwrap_or("")
    }

    /// The two or three digits of the network.
    pub fn mnc(&self) -> &str {
        self.as_str().get(3..).unwrap_or("")
    }

    /// How many digits the network code has.
    pub fn mnc_length(&self) -> MncLength {
        if self.digits[5] == 0 { MncLength::Two } else { MncLength::Three }
    }

    /// The two-digit form under which some databases keep a three-digit code of a three-digit country whose last
    /// digit is 0. `[OPER 1.3]`
    pub fn legacy(&self) -> Option<Self> {
        if self.digits[5] != b'0' || !has_three_digit_networks(self.mcc()) {
            return None;
        }
        let mut digits = self.digits;
        digits[5] = 0;
        Some(Self { digits })
    }
}

impl fmt::Display for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plmn({})", self.as_str())
    }
}

/// How many digits the network code of a SIM has. `[OPER 1.3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MncLength {
    /// Two digits.
    Two,
    /// Three digits.
    Three,
}

impl MncLength {
    /// Reads the number; anything but 2 and 3 is as good as unreadable.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            _ => None,
        }
    }

    /// 2 or 3.
    pub fn number(self) -> u8 {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// Digits of country and network together, 5 or 6.
    pub fn code_places(self) -> usize {
        match self {
            Self::Two => 5,
            Self::Three => 6,
        }
    }
}

/// A CDMA system id, 1…32767. `[OPER 1.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sid(u16);

impl Sid {
    /// Reads decimal digits; leading zeros are allowed and dropped.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match text.parse::<u32>() {
            Ok(number @ 1..=32767) => u16::try_from(number).ok().map(Self),
            _ => None,
        }
    }

    /// The number.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Countries whose network codes have three digits. `[OPER 1.3, step 4]`
const THREE_DIGIT_COUNTRIES: [&str; 30] = [
    "302", "310", "311", "312", "313", "314", "315", "316", "330", "332", "334", "338", "342", "344", "346", "348",
    "350", "352", "354", "356", "358", "360", "364", "365", "366", "376", "708", "722", "732", "750",
];

/// Codes that have three digits in a country of two-digit ones. `[OPER 1.3, step 3]`
const THREE_DIGIT_CODES: [&str; 3] = ["374130", "374140", "714020"];

fn has_three_digit_networks(mcc: &str) -> bool {
    THREE_DIGIT_COUNTRIES.contains(&mcc)
}

/// Step 3: the listed exceptions, and in country 405 every six-digit code that a database knows.
pub(crate) fn by_exception(imsi: &str, known: impl Fn(Plmn) -> bool) -> Option<Plmn> {
    let code = Plmn::of_imsi(imsi, MncLength::Three)?;
    let listed = THREE_DIGIT_CODES.contains(&code.as_str()) || (code.mcc() == "405" && known(code));
    listed.then_some(code)
}

/// Step 4: the table of countries.
pub(crate) fn by_country(imsi: &str) -> Option<Plmn> {
    let three = imsi.get(..3).is_some_and(has_three_digit_networks);
    Plmn::of_imsi(imsi, if three { MncLength::Three } else { MncLength::Two })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_length() {
        let two = Plmn::parse("00101").unwrap();
        assert_eq!((two.mcc(), two.mnc(), two.as_str()), ("001", "01", "00101"));
        let three = Plmn::from_parts("302", "220").unwrap();
        assert_eq!((three.mcc(), three.mnc(), three.mnc_length()), ("302", "220", MncLength::Three));
        for wrong in ["", "0010", "0010123", "0010a", "00１01"] {
            assert_eq!(Plmn::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Plmn::from_parts("30", "2220"), None);
    }

    #[test]
    fn legacy_form_needs_country_and_zero() {
        let legacy = |code| Plmn::parse(code).unwrap().legacy().map(|code| code.to_string());
        assert_eq!(legacy("334020").as_deref(), Some("33402"));
        assert_eq!(legacy("334021"), None);
        assert_eq!(legacy("208260"), None);
        assert_eq!(legacy("33402"), None);
    }

    #[test]
    fn system_ids_are_15_bits_without_zero() {
        assert_eq!(Sid::parse("16422").map(Sid::number), Some(16422));
        assert_eq!(Sid::parse("005").map(Sid::number), Some(5));
        for wrong in ["", "0", "32768", "64000", "-5", "1a", "99999999999"] {
            assert_eq!(Sid::parse(wrong), None, "{wrong}");
        }
    }
}

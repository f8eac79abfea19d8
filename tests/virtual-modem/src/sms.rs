//! Short messages as PDUs: what the network hands to the modem, and what a host gives it to send.
//! [3GPP TS 23.040 9.2]

use crate::alphabet;

/// Most octets of user data.
const LONGEST_USER_DATA: usize = 140;
/// Most digits of an address.
const LONGEST_ADDRESS: usize = 20;
/// Type of address: international number.
const INTERNATIONAL: u8 = 0x91;
/// Type of address: number of no known kind.
const UNKNOWN: u8 = 0x81;

/// A text on its way to the modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the service centre; empty: none in the PDU.
    pub service_centre: String,
    /// The sender's number, international with `+`.
    pub from: String,
    /// The text: at most 160 characters of the default alphabet, or 70 of others.
    pub text: String,
    /// Year (of the century), month, day, hour, minute, second in UTC.
    pub at: [u8; 6],
    /// Message class 0–3; class 0 is shown at once and not stored.
    pub class: Option<u8>,
}

impl Delivery {
    /// A text without a class, from the service centre of the test network.
    #[must_use]
    pub fn text(from: &str, text: &str) -> Self {
        Self {
            service_centre: "+15550199".into(),
            from: from.into(),
            text: text.into(),
            at: [26, 1, 2, 3, 4, 5],
            class: None,
        }
    }

    /// Service centre and SMS-DELIVER; `None` when a number or the text is too long.
    #[must_use]
    pub fn pdu(&self) -> Option<Vec<u8>> {
        let mut pdu = service_centre(&self.service_centre)?;
        // SMS-DELIVER, no more messages wait.
        pdu.push(0x04);
        pdu.extend(address(&self.from)?);
        let class = self.class.map_or(0, |class| 0x10 | class & 3);
        let (scheme, length, data) = match alphabet::encode(&self.text) {
            Some(codes) => (class, codes.len(), alphabet::pack(&codes)),
            None => {
                let data: Vec<u8> = self.text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                (class | 0x08, data.len(), data)
            }
        };
        if data.len() > LONGEST_USER_DATA {
            return None;
        }
        pdu.extend([0, scheme]);
        pdu.extend(self.at.map(|number| (number % 10) << 4 | (number / 10 % 10)));
        // UTC.
        pdu.push(0);
        pdu.push(u8::try_from(length).ok()?);
        pdu.extend(data);
        Some(pdu)
    }
}

/// A message that a host wants to have sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Number of the service centre; `None`: the one that the card holds.
    pub service_centre: Option<String>,
    /// The receiver's number.
    pub to: String,
    /// Where the message reference stands in the PDU.
    pub reference_at: usize,
    /// The sender asks for a report of delivery.
    pub status_report: bool,
    /// Reference, parts and number of this part, of a text that is sent in several.
    pub part: Option<(u16, u8, u8)>,
    /// The text, if the message is one; of a part, its piece.
    pub text: Option<String>,
}

impl Submission {
    /// Reads service centre and SMS-SUBMIT; `None` if they are not well-formed to the last octet.
    #[must_use]
    pub fn parse(pdu: &[u8]) -> Option<Self> {
        let mut rest = Cursor { bytes: pdu, at: 0 };
        let length = usize::from(rest.byte()?);
        let service_centre = match length {
            0 => None,
            2..=11 => {
                let kind = rest.byte()?;
                Some(digits(kind, rest.take(length - 1)?, (length - 1) * 2)?)
            }
            _ => return None,
        };
        let first = rest.byte()?;
        if first & 3 != 1 {
            return None;
        }
        let reference_at = rest.at;
        rest.byte()?;
        let count = usize::from(rest.byte()?);
        if !(1..=LONGEST_ADDRESS).contains(&count) {
            return None;
        }
        let kind = rest.byte()?;
        let to = digits(kind, rest.take(count.div_ceil(2))?, count)?;
        rest.byte()?;
        let scheme = rest.byte()?;
        // Validity: none, relative, or one of the two long forms.
        rest.take([0, 7, 1, 7][usize::from(first >> 3 & 3)])?;
        let length = usize::from(rest.byte()?);
        let coding = Coding::of(scheme);
        let octets = if coding == Coding::Seven { (length * 7).div_ceil(8) } else { length };
        let data = rest.take(octets)?;
        if octets > LONGEST_USER_DATA || rest.at != pdu.len() {
            return None;
        }
        let (header, body) = if first & 0x40 != 0 {
            let length = usize::from(*data.first()?);
            (data.get(1..=length)?, data.get(length + 1..)?)
        } else {
            (&[][..], data)
        };
        let text = match coding {
            Coding::Seven => {
                // The text goes on at the next multiple of 7 bits behind the header.
                let before = if header.is_empty() { 0 } else { ((header.len() + 1) * 8).div_ceil(7) };
                Some(alphabet::decode(&alphabet::unpack(data, before * 7, length.checked_sub(before)?)))
            }
            Coding::Ucs2 => Some(ucs2(body)),
            Coding::Eight => None,
        };
        Some(Self { service_centre, to, reference_at, status_report: first & 0x20 != 0, part: part(header), text })
    }
}

/// Whether a received message is of class 0: to be shown at once and not stored. [3GPP TS 23.038 4]
pub(crate) fn is_flash(pdu: &[u8]) -> bool {
    let scheme = || {
        let mut rest = Cursor { bytes: pdu, at: 0 };
        let length = usize::from(rest.byte()?);
        rest.take(length)?;
        // SMS-DELIVER only.
        if rest.byte()? & 3 != 0 {
            return None;
        }
        let count = usize::from(rest.byte()?);
        rest.take(1 + count.div_ceil(2) + 1)?;
        rest.byte()
    };
    scheme().is_some_and(|scheme| match scheme >> 4 {
        0x1 | 0x3 | 0x5 | 0x7 | 0xf => scheme & 3 == 0,
        _ => false,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Seven,
    Eight,
    Ucs2,
}

impl Coding {
    /// Of a short message. [3GPP TS 23.038 4]
    const fn of(scheme: u8) -> Self {
        match (scheme >> 4, scheme >> 2 & 3) {
            (0x0..=0x7, 1) => Self::Eight,
            (0x0..=0x7, 2) | (0xe, _) => Self::Ucs2,
            (0xf, 1 | 3) => Self::Eight,
            _ => Self::Seven,
        }
    }
}

/// UCS-2 as text; what is none becomes U+FFFD.
pub(crate) fn ucs2(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// The element of a header that says which part of a text this is. [3GPP TS 23.040 9.2.3.24.1, 9.2.3.24.8]
fn part(header: &[u8]) -> Option<(u16, u8, u8)> {
    let mut rest = Cursor { bytes: header, at: 0 };
    loop {
        let kind = rest.byte()?;
        let length = usize::from(rest.byte()?);
        match (kind, rest.take(length)?) {
            (0, &[reference, parts, number]) => return Some((reference.into(), parts, number)),
            (8, &[high, low, parts, number]) => return Some((u16::from_be_bytes([high, low]), parts, number)),
            _ => {}
        }
    }
}

/// Length in octets with the type, type and digits.
pub(crate) fn service_centre(number: &str) -> Option<Vec<u8>> {
    if number.is_empty() {
        return Some(vec![0]);
    }
    let (kind, digits) = semi_octets(number)?;
    let mut bytes = vec![u8::try_from(digits.len() + 1).ok()?, kind];
    bytes.extend(digits);
    Some(bytes)
}

/// Length in digits, type and digits.
pub(crate) fn address(number: &str) -> Option<Vec<u8>> {
    let (kind, digits) = semi_octets(number)?;
    let mut bytes = vec![u8::try_from(number.trim_start_matches('+').len()).ok()?, kind];
    bytes.extend(digits);
    Some(bytes)
}

/// Digits in pairs, the first in the low half; a half that is left over is filled with ones.
pub(crate) fn semi_octets(number: &str) -> Option<(u8, Vec<u8>)> {
    let (kind, number) = match number.strip_prefix('+') {
        Some(number) => (INTERNATIONAL, number),
        None => (UNKNOWN, number),
    };
    if number.is_empty() || number.len() > LONGEST_ADDRESS {
        return None;
    }
    let digit = |c: u8| {
        Some(match c {
            b'0'..=b'9' => c - b'0',
            b'*' => 10,
            b'#' => 11,
            _ => return None,
        })
    };
    let digits: Vec<u8> = number.bytes().map(digit).collect::<Option<_>>()?;
    Some((kind, digits.chunks(2).map(|pair| pair.get(1).copied().unwrap_or(0xf) << 4 | pair[0]).collect()))
}

/// The number in semi-octets, `count` digits at most.
fn digits(kind: u8, bytes: &[u8], count: usize) -> Option<String> {
    let halves = bytes.iter().flat_map(|byte| [byte & 0xf, byte >> 4]).take(count).take_while(|half| *half != 0xf);
    let mut number = String::from(if kind & 0x70 == 0x10 { "+" } else { "" });
    for half in halves {
        number.push(char::from(*b"0123456789*#abc".get(usize::from(half))?));
    }
    Some(number)
}

/// Bytes taken one after the other.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn a_delivery_is_what_the_clause_says() {
        let mut delivery = Delivery::text("+15550100", "hello");
        delivery.at = [26, 11, 21, 13, 31, 46];
        // Assembled by hand: service centre, first octet, sender, protocol, coding, time, length, text.
        assert_eq!(
            delivery.pdu().unwrap(),
            bytes(concat!("059151551099", "04", "089151551000", "0000", "62111231136400", "05e8329bfd06")),
        );
        delivery.class = Some(0);
        assert!(is_flash(&delivery.pdu().unwrap()));
        delivery.text = "łódź".into();
        let pdu = delivery.pdu().unwrap();
        assert!(is_flash(&pdu) && pdu.ends_with(&bytes("080142 00f3 0064 017a".replace(' ', "").as_str())));
        delivery.class = Some(1);
        assert!(!is_flash(&delivery.pdu().unwrap()));
        delivery.text = "x".repeat(161);
        assert_eq!(delivery.pdu(), None);
        delivery.text = "x".repeat(160);
        assert_eq!(delivery.pdu().unwrap().len(), 6 + 1 + 6 + 2 + 7 + 1 + 140);
    }

    #[test]
    fn a_submission_is_read_to_the_last_octet() {
        let pdu = bytes("00010008915155100000 0005e8329bfd06".replace(' ', "").as_str());
        let read = Submission::parse(&pdu).unwrap();
        assert_eq!((read.to.as_str(), read.text.as_deref(), read.reference_at), ("+15550100", Some("hello"), 2));
        assert_eq!((read.service_centre, read.status_report, read.part), (None, false, None));
        for length in 0..pdu.len() {
            assert_eq!(Submission::parse(&pdu[..length]), None, "cut at {length}");
        }
        let longer = [&pdu[..], &[0]].concat();
        assert_eq!(Submission::parse(&longer), None);
        let delivered = Delivery::text("+15550100", "hello").pdu().unwrap();
        assert_eq!(Submission::parse(&delivered), None, "another kind of message");
    }

    #[test]
    fn a_part_of_a_text_says_which() {
        // Header 05 00 03 2a 02 01, then 7 bits of padding rounding: "AB" begins at bit 49.
        let mut data = bytes("0500032a0201");
        let (a, b) = (u32::from(b'A'), u32::from(b'B'));
        data.extend(&(a << 1 | b << 8).to_le_bytes()[..2]);
        let pdu = [bytes("004100089151551000"), bytes("000009"), data].concat();
        let read = Submission::parse(&pdu).unwrap();
        assert_eq!((read.part, read.text.as_deref()), (Some((0x2a, 2, 1)), Some("AB")));
        let ucs2 = bytes("003105089151551000 0008ff04 00410142".replace(' ', "").as_str());
        let read = Submission::parse(&ucs2).unwrap();
        assert_eq!((read.text.as_deref(), read.status_report), (Some("Ał"), true));
    }
}

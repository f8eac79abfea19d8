//! Dialogues of USSD as the network leads them.

use crate::alphabet;
use crate::machine::Ticket;
use crate::sms::ucs2;

/// Most bytes of a text. [MBIM1.0 10.5, USSD]
pub(crate) const LONGEST_TEXT: usize = 160;
/// Coding schemes that the modem writes. [3GPP TS 23.038 5]
const SEVEN_BITS: u32 = 0x0f;
const UCS2: u32 = 0x48;

/// What the network says to a code or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A text; the dialogue is over.
    Text(String),
    /// A question with the answers that are understood. Any other answer makes the network end the dialogue.
    Question {
        /// What is asked.
        text: String,
        /// Answers and what they lead to.
        answers: Vec<(String, Reply)>,
    },
    /// The network ends the dialogue without a word.
    Ended,
    /// The network does not know the code.
    NotSupported,
    /// The network does not answer in time.
    Timeout,
}

/// The dialogue of a modem.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// Counts what was said, so that what comes late is known as such.
    pub(crate) generation: u32,
    /// The host waits for the network.
    pub(crate) pending: Option<Ticket>,
    /// The network waits for one of these answers.
    pub(crate) answers: Option<Vec<(String, Reply)>>,
}

impl Talk {
    /// Whether there is a dialogue.
    pub(crate) const fn goes_on(&self) -> bool {
        self.pending.is_some() || self.answers.is_some()
    }

    /// Forgets the dialogue; who waited for the network.
    pub(crate) fn end(&mut self) -> Option<Ticket> {
        self.generation = self.generation.wrapping_add(1);
        self.answers = None;
        self.pending.take()
    }
}

/// A text as the host sent it; `None` in a coding that the modem does not know.
pub(crate) fn read(scheme: u32, payload: &[u8]) -> Option<String> {
    match scheme {
        0x00..=0x0f | 0x40..=0x43 => {
            let text = alphabet::decode(&alphabet::unpack(payload, 0, payload.len() * 8 / 7));
            // Seven spare bits are filled with CR; unfilled ones read as `@`. [3GPP TS 23.038 6.1.2.3.1]
            let spare = payload.len().is_multiple_of(7);
            Some(text.strip_suffix(['\r', '@']).filter(|_| spare).map(str::to_owned).unwrap_or(text))
        }
        0x48..=0x4b => Some(ucs2(payload)),
        _ => None,
    }
}

/// A text for the host: coding scheme and bytes, cut at what a message holds.
pub(crate) fn write(text: &str) -> (u32, Vec<u8>) {
    match alphabet::encode(text) {
        Some(mut codes) => {
            codes.truncate(LONGEST_TEXT * 8 / 7);
            if codes.len() % 8 == 7 {
                codes.push(b'\r');
            }
            (SEVEN_BITS, alphabet::pack(&codes))
        }
        None => (UCS2, text.encode_utf16().take(LONGEST_TEXT / 2).flat_map(u16::to_be_bytes).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_come_back() {
        for length in 0..182 {
            let text: String = "abcdefghij".chars().cycle().take(length).collect();
            let (scheme, payload) = write(&text);
            assert!(payload.len() <= LONGEST_TEXT);
            assert_eq!((scheme, read(scheme, &payload)), (0x0f, Some(text)), "{length}");
        }
        let (scheme, payload) = write("żółw");
        assert_eq!((scheme, read(scheme, &payload).as_deref()), (0x48, Some("żółw")));
        assert_eq!(write(&"ż".repeat(100)).1.len(), LONGEST_TEXT);
        assert_eq!(read(0x0f, &[0xaa, 0x18, 0x0c, 0x36, 0x02]).as_deref(), Some("*100#"));
        assert_eq!(read(0x44, b"8 bit"), None);
    }
}

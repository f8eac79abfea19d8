//! What a trace is made of: the packets that come out of the socket which `org.mbimd.Mbimd1.Modem.Trace` gives.
//!
//! One record is one packet, all numbers are little-endian: nanoseconds since 1970-01-01 UTC (8 octets), the kind (1 octet), three
//! zeros, then what the kind says. Kinds that are not known are to be passed over.

use std::time::Duration;

/// Octets in front of what the kind says.
const HEADER: usize = 12;
/// Octets of the longest record: a frame of the longest that a device can announce.
pub const LONGEST: usize = HEADER + 0xffff;

/// One packet of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When, since 1970-01-01 UTC.
    pub time: Duration,
    /// What.
    pub what: What<'a>,
}

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Kind 0: a frame, that is a message or a fragment of one, went to the modem.
    Sent(&'a [u8]),
    /// Kind 1: a frame came from the modem.
    Received(&'a [u8]),
    /// Kind 2: the reader was too slow; so many records (8 octets) are missing here.
    Lost(u64),
    /// Kind 3: this is the last record; why, as a stable kebab-case word: `gone`, `stopped` or `left`.
    End(&'a str),
}

impl<'a> Record<'a> {
    /// The packet.
    pub fn encode(&self) -> Vec<u8> {
        let lost;
        let (kind, rest): (u8, &[u8]) = match self.what {
            What::Sent(frame) => (0, frame),
            What::Received(frame) => (1, frame),
            What::Lost(count) => {
                lost = count.to_le_bytes();
                (2, &lost)
            }
            What::End(why) => (3, why.as_bytes()),
        };
        let mut packet = Vec::with_capacity(HEADER + rest.len());
        packet.extend(u64::try_from(self.time.as_nanos()).unwrap_or(u64::MAX).to_le_bytes());
        packet.extend([kind, 0, 0, 0]);
        packet.extend_from_slice(rest);
        packet
    }

    /// What a packet says; `None` when it is too short, or of a kind that is not known.
    pub fn decode(packet: &'a [u8]) -> Option<Self> {
        let (time, rest) = packet.split_first_chunk::<8>()?;
        let ([kind, ..], rest) = rest.split_first_chunk::<4>()?;
        let what = match kind {
            0 => What::Sent(rest),
            1 => What::Received(rest),
            2 => What::Lost(u64::from_le_bytes(*rest.first_chunk()?)),
            3 => What::End(std::str::from_utf8(rest).ok()?),
            _ => return None,
        };
        Some(Self { time: Duration::from_nanos(u64::from_le_bytes(*time)), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back() {
        let time = Duration::new(1_700_000_000, 123_456_789);
        for what in [What::Sent(&[1, 2]), What::Received(&[]), What::Lost(u64::MAX), What::End("gone")] {
            let record = Record { time, what };
            let packet = record.encode();
            assert_eq!(Record::decode(&packet), Some(record));
            assert_eq!(Record::decode(&packet[..HEADER - 1]), None);
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let record = Record { time: Duration::from_nanos(0x0102), what: What::Lost(3) };
        assert_eq!(record.encode(), [2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Record::decode(&[0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1]), None, "a later kind");
        assert_eq!(Record::decode(&[0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), None, "a short count");
    }
}

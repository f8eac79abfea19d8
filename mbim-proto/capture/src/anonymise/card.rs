//! Files of the card: a few say who the operator is, all others are about the subscriber.

use mbim_proto::Body;
use mbim_proto::message::Command;
use mbim_proto::service::ms_uicc_low_level::{AccessBinaryQuery, AccessRecordQuery};

/// What a file is about, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    /// The network, the operator or the card's abilities: as it is.
    Operator,
    /// EF_ICCID: digits, two in a byte.
    Iccid,
    /// EF_IMSI: a length, then digits behind a nibble of parity.
    Imsi,
    /// The subscriber.
    Personal,
}

/// EF_DIR, languages; EF_AD, EF_SPN, EF_GID1, EF_GID2, EF_UST, lists of networks, EF_SPDI, EF_EHPLMN, EF_PNN, EF_OPL.
/// [3GPP TS 31.102 4.2, ETSI TS 102 221 13]
const OPERATOR: [u16; 17] = [
    0x2f00, 0x2f05, 0x6f05, 0x6fad, 0x6f46, 0x6f3e, 0x6f3f, 0x6f38, 0x6f60, 0x6f61, 0x6f62, 0x6f7b, 0x6fcd, 0x6fd9,
    0x6fc5, 0x6fc6, 0x6f56,
];
const ICCID: u16 = 0x2fe2;
const IMSI: u16 = 0x6f07;

impl File {
    /// The file that a command reads or writes.
    pub(super) fn asked(command: &Command) -> Option<Self> {
        let (path, from_start) = if command.is::<AccessBinaryQuery>() {
            let query = AccessBinaryQuery::decode(&command.buffer).ok()?;
            (query.file_path, query.read_offset == 0)
        } else if command.is::<AccessRecordQuery>() {
            (AccessRecordQuery::decode(&command.buffer).ok()?.file_path, true)
        } else {
            return None;
        };
        Some(match path.last_chunk().copied().map(u16::from_be_bytes) {
            Some(id) if OPERATOR.contains(&id) => Self::Operator,
            Some(ICCID) if from_start => Self::Iccid,
            Some(IMSI) if from_start => Self::Imsi,
            _ => Self::Personal,
        })
    }
}

/// The digits of nibbles, low ones first, up to the first that is none.
pub(super) fn digits(octets: &[u8], skipped: usize) -> Vec<u8> {
    let nibbles = octets.iter().flat_map(|octet| [octet & 15, octet >> 4]).skip(skipped);
    nibbles.take_while(|nibble| *nibble < 10).map(|nibble| b'0' + nibble).collect()
}

/// Puts digits back where they were.
pub(super) fn put(digits: &[u8], octets: &mut [u8], skipped: usize) {
    for (place, digit) in (skipped..).zip(digits) {
        if let Some(octet) = octets.get_mut(place / 2) {
            let digit = digit - b'0';
            *octet = if place.is_multiple_of(2) { *octet & 0xf0 | digit } else { *octet & 0x0f | digit << 4 };
        }
    }
}

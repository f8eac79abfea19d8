//! Unstructured supplementary service data: short dialogues with the network.

mod enums;

use alloc::vec::Vec;

use super::{service, structure};
use crate::Personal;
use crate::codec::RefBytes;

pub use enums::*;

service! {
    service super::USSD;

    /// A dialogue with the network, one at a time; either side begins it. [MBIM1.0 10.5, USSD]
    cid 1 USSD {
        /// Begins a dialogue, answers in it, or ends it.
        set UssdSet {
            /// What to do.
            action: UssdAction,
            /// Coding scheme of 3GPP TS 23.038 clause 5: 0x0F GSM 7 bit, 0x48 UCS-2.
            data_coding_scheme: u32,
            /// The text in that coding, GSM 7 bit packed; at most 160 bytes; none when cancelling.
            payload: Personal<Vec<u8>> = RefBytes,
        }
        /// What the network says.
        response, notify Ussd {
            /// What is expected of the host.
            response: UssdResponse,
            /// Whether this begins a dialogue.
            session_state: UssdSessionState,
            /// Coding scheme of 3GPP TS 23.038 clause 5.
            data_coding_scheme: u32,
            /// The text in that coding.
            payload: Personal<Vec<u8>> = RefBytes,
        }
    }
}

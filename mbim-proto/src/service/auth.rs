//! Authentication with the card's keys, for EAP-SIM, EAP-AKA and EAP-AKA'.
//!
//! All byte strings stand in the order of the EAP methods. Status 35, 36 and 37 tell of a wrong AUTN, lost synchronism
//! (then AUTS is filled) and an AMF whose separation bit is not set.

use alloc::string::String;

use super::{service, structure};
use crate::Secret;
use crate::codec::{Plain, Telling};

service! {
    service super::AUTH;

    /// EAP-AKA. [MBIM1.0 10.5]
    cid 1 AKA {
        /// The challenge.
        query AkaQuery {
            /// Random number of the network.
            rand: [u8; 16] = Telling(Plain),
            /// Token by which the network shows who it is.
            autn: [u8; 16] = Telling(Plain),
        }
        /// The card's answer.
        response Aka {
            /// Response; only the first `res_len` bytes count.
            res: Secret<[u8; 16]>,
            /// Bytes of the response, 4 to 16.
            res_len: u32,
            /// Key for integrity.
            integrating_key: Secret<[u8; 16]>,
            /// Key for ciphering.
            ciphering_key: Secret<[u8; 16]>,
            /// Token for synchronising again, with status 36.
            auts: [u8; 14] = Telling(Plain),
        }
    }

    /// EAP-AKA', which binds the keys to a network. [MBIM1.0 10.5]
    cid 2 AKAP {
        /// The challenge.
        query AkapQuery {
            /// Random number of the network.
            rand: [u8; 16] = Telling(Plain),
            /// Token by which the network shows who it is.
            autn: [u8; 16] = Telling(Plain),
            /// Identity of the access network.
            network_name: String,
        }
        /// The card's answer.
        response Akap {
            /// Response; only the first `res_len` bytes count.
            res: Secret<[u8; 16]>,
            /// Bytes of the response, 4 to 16.
            res_len: u32,
            /// Key for integrity.
            integrating_key: Secret<[u8; 16]>,
            /// Key for ciphering.
            ciphering_key: Secret<[u8; 16]>,
            /// Token for synchronising again, with status 36.
            auts: [u8; 14] = Telling(Plain),
        }
    }

    /// EAP-SIM. [MBIM1.0 10.5]
    cid 3 SIM {
        /// Two or three challenges.
        query SimQuery {
            /// First random number.
            rand1: [u8; 16] = Telling(Plain),
            /// Second random number.
            rand2: [u8; 16] = Telling(Plain),
            /// Third random number.
            rand3: [u8; 16] = Telling(Plain),
            /// How many count: 2 or 3.
            n: u32,
        }
        /// The card's answers.
        response SimResponse {
            /// First response.
            sres1: Secret<u32>,
            /// First key.
            kc1: Secret<u64>,
            /// Second response.
            sres2: Secret<u32>,
            /// Second key.
            kc2: Secret<u64>,
            /// Third response.
            sres3: Secret<u32>,
            /// Third key.
            kc3: Secret<u64>,
            /// How many count: 2 or 3.
            n: u32,
        }
    }
}

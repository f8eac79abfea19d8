//! What the card answers to challenges of the network: recorded answers, as in the test sets of 3GPP TS 35.208. The
//! algorithm behind them is the card's own affair.

use mbim_proto::Secret;

/// Everything that the card answers to.
#[derive(Clone, Debug)]
pub struct Keys {
    /// For UMTS and EAP-AKA, and EAP-AKA' by network.
    pub aka: Vec<Challenge>,
    /// For GSM and EAP-SIM: RAND, SRES, Kc.
    pub sim: Vec<([u8; 16], Secret<u32>, Secret<u64>)>,
}

/// One challenge.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The network's random number.
    pub rand: [u8; 16],
    /// The network's token.
    pub autn: [u8; 16],
    /// The access network of EAP-AKA'; none for EAP-AKA.
    pub network: Option<String>,
    /// What the card says.
    pub verdict: Verdict,
}

/// What the card says to a challenge whose token is the right one.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Response (4 to 16 bytes), key for integrity, key for ciphering.
    Keys(Secret<Vec<u8>>, Secret<[u8; 16]>, Secret<[u8; 16]>),
    /// The sequence number is out of range; this token tells the network where to go on.
    OutOfStep([u8; 14]),
    /// The AMF's separation bit is not set, which EAP-AKA' needs.
    NotSeparated,
}

const RAND: u128 = 0x23553cbe_9637a89d_218ae64d_ae47bf35;
const AUTN: u128 = 0x55f328b4_3577b9b9_4a9ffac3_54dfafb3;

impl Default for Keys {
    /// Test set 1 of 3GPP TS 35.208, for EAP-AKA and, with the conversions of 33.102, for EAP-SIM; a second challenge is
    /// out of step, and two more are for EAP-AKA' of the network `WLAN`.
    fn default() -> Self {
        let keys = || {
            Verdict::Keys(
                Secret::new(0xa54211d5_e3ba50bf_u64.to_be_bytes().to_vec()),
                Secret::new(0xf769bcd7_51044604_12767271_1c6d3441_u128.to_be_bytes()),
                Secret::new(0xb40ba9a3_c58b2a05_bbf0d987_b21bf8cb_u128.to_be_bytes()),
            )
        };
        let challenge = |autn: u128, network: Option<&str>, verdict| Challenge {
            rand: RAND.to_be_bytes(),
            autn: autn.to_be_bytes(),
            network: network.map(str::to_owned),
            verdict,
        };
        Self {
            aka: vec![
                challenge(AUTN, None, keys()),
                challenge(AUTN + 1, None, Verdict::OutOfStep(*b"resynchronise!")),
                challenge(AUTN, Some("WLAN"), keys()),
                challenge(AUTN + 1, Some("WLAN"), Verdict::NotSeparated),
            ],
            sim: vec![
                (RAND.to_be_bytes(), Secret::new(0x46f8416a), Secret::new(0xeae4be82_3af9a08b)),
                ((RAND + 1).to_be_bytes(), Secret::new(0x46f8416b), Secret::new(0xeae4be82_3af9a08c)),
                ((RAND + 2).to_be_bytes(), Secret::new(0x46f8416c), Secret::new(0xeae4be82_3af9a08d)),
            ],
        }
    }
}

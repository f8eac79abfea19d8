//! SIM toolkit: commands of the card to the terminal, and back.

use alloc::vec::Vec;

use super::{service, structure};
use crate::Personal;
use crate::codec::{Counted, RefBytes, Rest};
use crate::open::open_enum;

open_enum! {
    /// Who handles a kind of proactive command; PAC answers one byte for each. [MBIM1.0 10.5]
    pub StkPacProfile: u32 {
        NOT_HANDLED_BY_FUNCTION_HANDLED_BY_HOST = 0 "not-handled-by-function-handled-by-host",
        NOT_HANDLED_BY_FUNCTION_MAY_BE_HANDLED_BY_HOST = 1 "not-handled-by-function-may-be-handled-by-host",
        HANDLED_BY_FUNCTION_ONLY_TRANSPARENT_TO_HOST = 2 "handled-by-function-only-transparent-to-host",
        HANDLED_BY_FUNCTION_NOTIFICATION_TO_HOST_POSSIBLE = 3 "handled-by-function-notification-to-host-possible",
        HANDLED_BY_FUNCTION_NOTIFICATIONS_TO_HOST_ENABLED = 4 "handled-by-function-notifications-to-host-enabled",
        HANDLED_BY_FUNCTION_CAN_BE_OVERRIDEN_BY_HOST = 5 "handled-by-function-can-be-overriden-by-host",
        HANDLED_BY_HOST_FUNCTION_NOT_ABLE_TO_HANDLE = 6 "handled-by-host-function-not-able-to-handle",
        HANDLED_BY_HOST_FUNCTION_ABLE_TO_HANDLE = 7 "handled-by-host-function-able-to-handle",
    }
}

open_enum! {
    /// What an indication of PAC carries. [MBIM1.0 10.5]
    pub StkPacType: u32 {
        PROACTIVE_COMMAND = 0 "proactive-command",
        NOTIFICATION = 1 "notification",
    }
}

service! {
    service super::STK;

    /// Proactive commands. [MBIM1.0 10.5]
    cid 1 PAC {
        /// Asks who handles what.
        query StkPacQuery {}
        /// Says what the host wants to handle.
        set StkPacSet {
            /// A bit for each kind of command, 0 to 255, lowest bit of the first byte first.
            pac_host_control: [u8; 32],
        }
        /// Who handles what.
        response StkPac {
            /// A [`StkPacProfile`] byte for each kind of command, 0 to 255.
            pac_support: [u8; 256],
        }
        /// A command of the card.
        notify StkPacNotify {
            /// Whether the host must answer it.
            pac_type: StkPacType,
            /// The command in BER-TLV as in 3GPP TS 31.111.
            data_buffer: Personal<Vec<u8>> = Rest,
        }
    }

    /// The host's answer to a proactive command. [MBIM1.0 10.5]
    cid 2 TERMINAL_RESPONSE {
        /// The answer.
        set StkTerminalResponseSet {
            /// Simple TLVs as in 3GPP TS 31.111, at most 255 bytes.
            response: Personal<Vec<u8>> = Counted,
        }
        /// What the card said.
        response StkTerminalResponse {
            /// Its data.
            result_data: Personal<Vec<u8>> = RefBytes,
            /// SW1 and SW2.
            status_words: u32,
        }
    }

    /// What the host tells the card unasked. [MBIM1.0 10.5]
    cid 3 ENVELOPE {
        /// Asks which envelopes the device passes on.
        query StkEnvelopeQuery {}
        /// An envelope.
        set StkEnvelopeSet {
            /// BER-TLV as in 3GPP TS 31.111.
            data: Personal<Vec<u8>> = Rest,
        }
        /// Which envelopes the device passes on.
        response StkEnvelope {
            /// A bit for each tag, 0 to 255, lowest bit of the first byte first.
            envelope_support: [u8; 32],
        }
    }
}

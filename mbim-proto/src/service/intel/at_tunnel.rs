//! AT commands through the control channel.

use alloc::vec::Vec;

use crate::Personal;
use crate::codec::Rest;
use crate::service::{service, structure};

service! {
    service crate::service::INTEL_AT_TUNNEL;

    /// One AT command. [MBIM vendor service, Intel AT Tunnel]
    cid 1 AT_COMMAND {
        /// The command.
        set IntelAtCommandSet {
            /// ASCII with a carriage return at the end, unpadded.
            command_req: Personal<Vec<u8>> = Rest,
        }
        /// The modem's text.
        response IntelAtCommand {
            /// As an AT port would print it.
            command_resp: Personal<Vec<u8>> = Rest,
        }
    }
}

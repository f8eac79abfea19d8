//! Fibocom: AT commands through the control channel.

use alloc::vec::Vec;

use super::{service, structure};
use crate::Personal;
use crate::codec::Rest;

service! {
    service super::FIBOCOM_AT;

    /// One AT command. [MBIM vendor service, Fibocom AT]
    cid 1 AT_COMMAND {
        /// The command.
        set FibocomAtCommandSet {
            /// ASCII with a carriage return at the end, unpadded.
            command_req: Personal<Vec<u8>> = Rest,
        }
        /// The modem's text.
        response FibocomAtCommand {
            /// As an AT port would print it.
            command_resp: Personal<Vec<u8>> = Rest,
        }
    }
}

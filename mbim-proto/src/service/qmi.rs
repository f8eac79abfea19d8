//! Qualcomm's own protocol inside MBIM.

use alloc::vec::Vec;

use super::{service, structure};
use crate::Personal;
use crate::codec::Rest;

service! {
    service super::QMI;

    /// One QMUX frame. [MBIM vendor service, QMI over MBIM]
    cid 1 MSG {
        /// A frame in either direction, whole and unpadded.
        set, response, notify QmiMessage {
            /// The frame, from its 0x01 on.
            qmux: Personal<Vec<u8>> = Rest,
        }
    }
}

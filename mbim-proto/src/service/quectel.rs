//! Quectel: the radio's switch with the board maker's lock on it.

use super::{service, structure};
use crate::open::open_enum;

open_enum! {
    /// The radio's switch. [MBIM vendor service, Quectel]
    pub QuectelRadioSwitchState: u32 {
        OFF = 0 "off",
        ON = 1 "on",
        FCC_LOCKED = 4 "fcc-locked",
    }
}

service! {
    service super::QUECTEL;

    /// The radio's switch. [MBIM vendor service, Quectel]
    cid 1 RADIO_STATE {
        /// Asks for it.
        query QuectelRadioStateQuery {}
        /// The switch; setting it on takes the lock off.
        set, response QuectelRadioState {
            /// The switch.
            radio_state: QuectelRadioSwitchState,
        }
    }
}

//! Google: the carrier lock of leased devices.

use alloc::vec::Vec;

use super::{service, structure};
use crate::Personal;
use crate::codec::Counted;
use crate::open::open_enum;

open_enum! {
    /// Whether the lock is on. [MBIM vendor service, Google Carrier Lock]
    pub CarrierLockStatus: u32 {
        NOT_APPLIED = 0 "not-applied",
        APPLIED = 1 "applied",
    }
}

open_enum! {
    /// What the modem does meanwhile. [MBIM vendor service, Google Carrier Lock]
    pub CarrierLockModemState: u32 {
        DEREGISTERED = 0 "deregistered",
        DEREGISTRATION_IN_PROGRESS = 1 "deregistration-in-progress",
        REGISTRATION_IN_PROGRESS = 2 "registration-in-progress",
        REGISTERED = 3 "registered",
    }
}

open_enum! {
    /// Why. [MBIM vendor service, Google Carrier Lock]
    pub CarrierLockCause: u32 {
        NOT_APPLICABLE = 0 "not-applicable",
        SIM_LOCK_POLICY_MISMATCH = 1 "sim-lock-policy-mismatch",
        SIM_LOCK_POLICY_MATCHED = 2 "sim-lock-policy-matched",
    }
}

service! {
    service super::GOOGLE;

    /// The lock. [MBIM vendor service, Google Carrier Lock]
    cid 1 CARRIER_LOCK {
        /// Asks for it.
        query CarrierLockQuery {}
        /// Changes it.
        set CarrierLockSet {
            /// A signed order, which names the device.
            data: Personal<Vec<u8>> = Counted,
        }
        /// How it is.
        response, notify CarrierLock {
            /// Whether it is on.
            carrier_lock_status: CarrierLockStatus,
            /// What the modem does.
            carrier_lock_modem_state: CarrierLockModemState,
            /// Why.
            carrier_lock_cause: CarrierLockCause,
        }
    }
}

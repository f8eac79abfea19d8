//! The lock that some laptops keep on the radio until the board has shown who it is.

use crate::Secret;
use crate::service::{service, structure};

service! {
    service crate::service::INTEL_MUTUAL_AUTHENTICATION;

    /// Challenge and response. [MBIM vendor service, Intel Mutual Authentication]
    cid 1 FCC_LOCK {
        /// Asks for the challenge.
        query IntelFccLockQuery {}
        /// Answers it.
        set IntelFccLockSet {
            /// Whether there is an answer.
            response_present: bool,
            /// The answer.
            response: Secret<u32>,
        }
        /// The challenge.
        response IntelFccLock {
            /// Whether the lock is on and wants an answer.
            challenge_present: bool,
            /// What to answer to.
            challenge: u32,
        }
    }
}

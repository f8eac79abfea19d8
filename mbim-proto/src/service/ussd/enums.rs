//! Enumerations of USSD.

use crate::open::open_enum;

open_enum! {
    /// What the host does. [MBIM1.0 10.5, USSD]
    pub UssdAction: u32 {
        INITIATE = 0 "initiate",
        CONTINUE = 1 "continue",
        CANCEL = 2 "cancel",
    }
}

open_enum! {
    /// What the network's message means. [MBIM1.0 10.5, USSD]
    pub UssdResponse: u32 {
        NO_ACTION_REQUIRED = 0 "no-action-required",
        ACTION_REQUIRED = 1 "action-required",
        TERMINATED_BY_NETWORK = 2 "terminated-by-network",
        OTHER_LOCAL_CLIENT = 3 "other-local-client",
        OPERATION_NOT_SUPPORTED = 4 "operation-not-supported",
        NETWORK_TIMEOUT = 5 "network-timeout",
    }
}

open_enum! {
    /// Whether a message belongs to a dialogue that was there. [MBIM1.0 10.5, USSD]
    pub UssdSessionState: u32 {
        NEW_SESSION = 0 "new-session",
        EXISTING_SESSION = 1 "existing-session",
    }
}

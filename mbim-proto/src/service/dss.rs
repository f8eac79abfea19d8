//! Device service streams: bytes of a service beside the IP packets.

use super::{service, structure};
use crate::Uuid;
use crate::open::open_enum;

open_enum! {
    /// What to do with a stream. [MBIM1.0 10.5]
    pub DssLinkState: u32 {
        DEACTIVATE = 0 "deactivate",
        ACTIVATE = 1 "activate",
    }
}

service! {
    service super::DSS;

    /// Opens or closes a stream. [MBIM1.0 10.5]
    cid 1 CONNECT {
        /// Which.
        set DssConnectSet {
            /// The service whose bytes it carries.
            device_service_id: Uuid,
            /// Which stream: below MaxDssSessions of DEVICE_SERVICES, and the number in its NTB signature.
            dss_session_id: u32,
            /// What to do.
            dss_link_state: DssLinkState,
        }
        /// Done.
        response DssConnect {}
    }
}

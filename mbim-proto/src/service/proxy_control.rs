//! libmbim's proxy control: what a client of a shared modem and the program that holds the modem say to each other. No
//! modem has this service.

use alloc::string::String;

use super::{service, structure};
use crate::codec::Max;

service! {
    service super::PROXY_CONTROL;

    /// Which modem the connection is for. The first command of a client. [MBIM proxy control, libmbim]
    cid 1 CONFIGURATION {
        /// Names the modem; one connection, one modem.
        set ProxyConfiguration {
            /// A device node, a link to one, or another path that the proxy knows the modem by.
            device_path: String = Max(8192),
            /// Seconds that opening the modem may take.
            timeout: u32,
        }
        /// The modem is open.
        response ProxyConfigured {}
    }

    /// The release of Microsoft's extensions that the modem speaks, which the layouts of answers follow. [MBIM proxy
    /// control, libmbim]
    cid 2 VERSION {
        /// Tells a client, before its configuration is answered and whenever it changes.
        notify ProxyVersion {
            /// Release of MBIM in BCD, 0x0100.
            version: u16,
            /// Release of Microsoft's extensions in BCD: 0x0100, 0x0200, 0x0300 or 0x0400.
            extended_version: u16,
        }
    }
}

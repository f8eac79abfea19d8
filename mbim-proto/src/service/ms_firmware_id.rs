//! Microsoft firmware id: which build, as an identifier that update tools compare.

use super::{service, structure};
use crate::Uuid;

service! {
    service super::MS_FIRMWARE_ID;

    /// The firmware's identifier. [MS Firmware ID]
    cid 1 GET {
        /// Asks for it.
        query FirmwareIdQuery {}
        /// The identifier.
        response FirmwareId {
            /// Unique to the build.
            firmware_id: Uuid,
        }
    }
}

//! Restart into another mode.

use crate::open::open_enum;
use crate::service::{service, structure};

open_enum! {
    /// What to start. [MBIM vendor service, Intel Firmware Update]
    pub IntelBootMode: u32 {
        NORMAL_MODE = 0 "normal-mode",
        DOWNLOAD_MODE = 1 "download-mode",
        POWER_OFF_DEVICE = 2 "power-off-device",
        NON_RESETABLE_REGISTER = 3 "non-resetable-register",
        WITHOUT_REBOOT_POWER_OFF = 4 "without-reboot-power-off",
        FAST_DOWNLOAD_MODE = 5 "fast-download-mode",
    }
}

service! {
    service crate::service::INTEL_FIRMWARE_UPDATE;

    /// Restarts the modem. [MBIM vendor service, Intel Firmware Update]
    cid 1 MODEM_REBOOT {
        /// Restarts, and the empty answer.
        set, response IntelModemReboot {}
        /// Restarts into a mode.
        (mbimex 2) set IntelModemRebootV2 {
            /// What to start.
            boot_mode: IntelBootMode,
            /// Seconds before it happens.
            timeout: u32,
        }
    }
}

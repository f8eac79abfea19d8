//! Microsoft SAR: how much the antennas may radiate beside a body.

use alloc::vec::Vec;

use super::{service, structure, structures};
use crate::codec::Pairs;
use crate::open::open_enum;

open_enum! {
    /// Who decides about back-off. [MS SAR]
    pub SarControlMode: u32 {
        DEVICE = 0 "device",
        OS = 1 "os",
    }
}

open_enum! {
    /// Whether power is reduced. [MS SAR]
    pub SarBackoffState: u32 {
        DISABLED = 0 "disabled",
        ENABLED = 1 "enabled",
    }
}

open_enum! {
    /// Whether Wi-Fi shares the antennas. [MS SAR]
    pub SarWifiHardwareState: u32 {
        INTEGRATED = 0 "integrated",
        NOT_INTEGRATED = 1 "not-integrated",
    }
}

open_enum! {
    /// Whether transmission is indicated. [MS SAR]
    pub TransmissionNotificationStatus: u32 {
        DISABLED = 0 "disabled",
        ENABLED = 1 "enabled",
    }
}

open_enum! {
    /// Whether the modem transmits. [MS SAR]
    pub TransmissionState: u32 {
        INACTIVE = 0 "inactive",
        ACTIVE = 1 "active",
    }
}

structures! {
    /// Back-off of one antenna. [MS SAR]
    struct SarConfigState {
        /// The antenna; 0xFFFFFFFF is all.
        antenna_index: u32,
        /// Which entry of the manufacturer's table.
        backoff_index: u32,
    }
}

service! {
    service super::MS_SAR;

    /// Back-off of the antennas. [MS SAR]
    cid 1 CONFIG {
        /// Asks for it.
        query SarConfigQuery {}
        /// Changes it.
        set SarConfigSet {
            /// Who decides.
            mode: SarControlMode,
            /// Whether power is reduced.
            backoff_state: SarBackoffState,
            [config_states_count of config_states]
            /// By antenna.
            config_states: Vec<SarConfigState> = Pairs(config_states_count),
        }
        /// How it is.
        response, notify SarConfig {
            /// Who decides.
            mode: SarControlMode,
            /// Whether power is reduced.
            backoff_state: SarBackoffState,
            /// Whether Wi-Fi shares the antennas.
            wifi_integration: SarWifiHardwareState,
            [config_states_count of config_states]
            /// By antenna.
            config_states: Vec<SarConfigState> = Pairs(config_states_count),
        }
    }

    /// Whether the modem transmits. [MS SAR]
    cid 2 TRANSMISSION_STATUS {
        /// Asks for it.
        query TransmissionStatusQuery {}
        /// Turns indications on or off.
        set TransmissionStatusSet {
            /// Whether changes are indicated.
            channel_notification: TransmissionNotificationStatus,
            /// Seconds of silence before it counts as inactive, 1 to 5.
            hysteresis_timer: u32,
        }
        /// How it is.
        response, notify TransmissionStatus {
            /// Whether changes are indicated.
            channel_notification: TransmissionNotificationStatus,
            /// Whether it transmits.
            transmission_status: TransmissionState,
            /// Seconds of silence before it counts as inactive.
            hysteresis_timer: u32,
        }
    }
}

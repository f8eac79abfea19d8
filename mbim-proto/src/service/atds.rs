//! AT&T device service: signal, location, operators and mode of a modem, from before the extensions had them.

use alloc::string::String;
use alloc::vec::Vec;

use super::basic_connect::{CellularClass, DataClass, ProviderState, RegisterMode, RegisterState, RegistrationFlags};
use super::{service, structure, structures};
use crate::NwError;
use crate::codec::{Max, Pairs, Plain, Telling};
use crate::open::open_enum;

open_enum! {
    /// Radio technology of an operator. [MBIM vendor service, ATDS]
    pub AtdsPlmnMode: u32 {
        GSM = 0 "gsm",
        UTRAN = 6 "utran",
        LTE = 7 "lte",
    }
}

open_enum! {
    /// Radio technologies that may be used. [MBIM vendor service, ATDS]
    pub AtdsRatMode: u32 {
        AUTOMATIC = 0 "automatic",
        ONLY_2G = 1 "2g-only",
        ONLY_3G = 2 "3g-only",
        ONLY_4G = 3 "4g-only",
    }
}

structures! {
    /// A network operator. [MBIM vendor service, ATDS]
    struct AtdsProvider {
        /// MCC and MNC, 5 or 6 digits.
        provider_id: String = Max(12),
        /// What the operator is to the subscriber.
        provider_state: ProviderState,
        /// Name for people.
        provider_name: String = Max(40),
        /// Radio technology.
        plmn_mode: AtdsPlmnMode,
        /// 0–31 for −113+2n dBm, 99 unknown.
        rssi: u32,
        /// 0–7, 99 unknown.
        error_rate: u32,
    }
}

service! {
    service super::ATDS;

    /// How well the network is received, in the codes of 3GPP TS 27.007 +CESQ. [MBIM vendor service, ATDS]
    cid 1 SIGNAL {
        /// Asks for it.
        query AtdsSignalQuery {}
        /// The signal.
        response AtdsSignal {
            /// 0–31 for −113+2n dBm, 99 unknown.
            rssi: u32,
            /// 0–7, 99 unknown.
            error_rate: u32,
            /// 0–96, 255 unknown.
            rscp: u32,
            /// 0–49, 255 unknown.
            ecno: u32,
            /// 0–34, 255 unknown.
            rsrq: u32,
            /// 0–97 for −140+n dBm, 255 unknown.
            rsrp: u32,
            /// 0–35 for −5+n dB, 255 unknown.
            rssnr: u32,
        }
    }

    /// The cell in use. [MBIM vendor service, ATDS]
    cid 2 LOCATION {
        /// Asks for it.
        query AtdsLocationQuery {}
        /// The cell.
        response AtdsLocation {
            /// Location area code.
            lac: u32 = Telling(Plain),
            /// Tracking area code.
            tac: u32 = Telling(Plain),
            /// Cell.
            cell_id: u32 = Telling(Plain),
        }
    }

    /// Operators that can be received. [MBIM vendor service, ATDS]
    cid 3 OPERATORS {
        /// Looks for them.
        query AtdsOperatorsQuery {}
        /// What was found.
        response AtdsOperators {
            [providers_count of providers]
            /// The operators.
            providers: Vec<AtdsProvider> = Pairs(providers_count),
        }
    }

    /// Radio technologies that may be used. [MBIM vendor service, ATDS]
    cid 4 RAT {
        /// Asks for them.
        query AtdsRatQuery {}
        /// The technologies.
        set, response AtdsRat {
            /// Which.
            mode: AtdsRatMode,
        }
    }

    /// Registration with a network, as in Basic Connect. [MBIM vendor service, ATDS]
    cid 9 REGISTER_STATE {
        /// Asks for it.
        query AtdsRegisterStateQuery {}
        /// The state.
        response AtdsRegisterState {
            /// Why registration failed.
            nw_error: NwError,
            /// The state.
            register_state: RegisterState,
            /// Who has chosen the operator.
            register_mode: RegisterMode,
            /// Radio technologies that the cell has.
            available_data_classes: DataClass,
            /// Family in use.
            current_cellular_class: CellularClass,
            /// MCC and MNC, 5 or 6 digits.
            provider_id: String = Max(12),
            /// Name for people.
            provider_name: String = Max(40),
            /// What to show while roaming.
            roaming_text: String = Max(126),
            /// What the network or the device allows.
            registration_flag: RegistrationFlags,
        }
    }
}

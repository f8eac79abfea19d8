//! Which frequencies the modem uses, so that the board can keep its clocks off them.

use alloc::vec::Vec;

use crate::codec::Pairs;
use crate::open::open_enum;
use crate::service::{service, structure, structures};

open_enum! {
    /// Which carrier. [MBIM vendor service, Intel Thermal RF]
    pub IntelServingCellInfo: u32 {
        PCELL = 0 "pcell",
        SCELL = 1 "scell",
        PSCELL = 2 "pscell",
        SSCELL = 3 "sscell",
        RADIO_OFF = 0xffffffff "radio-off",
    }
}

structures! {
    /// One carrier. [MBIM vendor service, Intel Thermal RF]
    struct IntelRfimFrequencyValue {
        /// Which carrier.
        serving_cell_info: IntelServingCellInfo,
        /// Hertz.
        center_frequency: u64,
        /// Hertz.
        bandwidth: u32,
        /// Received power: 0–97 for −140+n dBm.
        rsrp: u32,
        /// Received quality: 0–34 for −19.5+n/2 dB.
        rsrq: u32,
        /// Signal against noise: n for −23+n/2 dB.
        sinr: u32,
        /// 0–31 for −113+2n dBm, 99 unknown.
        rssi: u32,
        /// Whether it is connected.
        connection_status: bool,
    }
}

service! {
    service crate::service::INTEL_THERMAL_RF;

    /// Frequencies in use. [MBIM vendor service, Intel Thermal RF]
    cid 9 RFIM {
        /// Asks for them.
        query IntelRfimQuery {}
        /// Turns indications on or off.
        set IntelRfimSet {
            /// Whether changes are indicated.
            activation_state: bool,
        }
        /// The frequencies.
        response, notify IntelRfim {
            [rfim_frequency_values_count of rfim_frequency_values]
            /// By carrier.
            rfim_frequency_values: Vec<IntelRfimFrequencyValue> = Pairs(rfim_frequency_values_count),
        }
    }
}

//! Microsoft voice extensions: of its commands only the network's time concerns data.

use super::basic_connect::DataClass;
use super::{service, structure};

service! {
    service super::MS_VOICE_EXTENSIONS;

    /// Network identity and time zone. [MS Voice Extensions]
    cid 10 NITZ {
        /// Asks for it.
        query NitzQuery {}
        /// Local time as the network tells it; 0xFFFFFFFF in a field is not known.
        response, notify Nitz {
            /// Year, four digits.
            year: u32,
            /// Month from 1.
            month: u32,
            /// Day of the month from 1.
            day: u32,
            /// Hour, 0 to 23.
            hour: u32,
            /// Minute.
            minute: u32,
            /// Second.
            second: u32,
            /// Minutes east of UTC, daylight saving included; two's complement.
            time_zone_offset_minutes: u32,
            /// Minutes of daylight saving; two's complement.
            daylight_saving_time_offset_minutes: u32,
            /// Radio technology that it came by.
            data_class: DataClass,
        }
    }
}

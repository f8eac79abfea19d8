//! Tracing.

use crate::open::open_enum;
use crate::service::{service, structure};

open_enum! {
    /// Which setting. [MBIM vendor service, Intel Tools]
    pub TraceCommand: u32 {
        MODE = 0 "mode",
        LEVEL = 1 "level",
        LOCATION = 2 "location",
        FLASH_INTERVAL = 3 "flash-interval",
    }
}

service! {
    service crate::service::INTEL_TOOLS;

    /// One setting of the trace. [MBIM vendor service, Intel Tools]
    cid 8 TRACE_CONFIG {
        /// Asks for it.
        query TraceConfigQuery {
            /// Which.
            trace_cmd: TraceCommand,
        }
        /// Changes it.
        set TraceConfigSet {
            /// Which.
            trace_cmd: TraceCommand,
            /// To what.
            trace_value: u32,
        }
        /// What it is, or what became of the change.
        response TraceConfig {
            /// Which.
            trace_cmd: TraceCommand,
            /// Value or outcome.
            result: u32,
        }
    }
}

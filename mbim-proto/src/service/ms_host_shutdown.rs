//! Microsoft host shutdown: the host says that it goes down.

use super::{service, structure};

service! {
    service super::MS_HOST_SHUTDOWN;

    /// The host shuts down now. [MS Host Shutdown]
    cid 1 NOTIFY {
        /// Says so, and the empty answer.
        set, response HostShutdown {}
    }

    /// The host will shut down soon: the modem may prepare. [MS Host Shutdown]
    cid 2 NOTIFY_PRE_SHUTDOWN {
        /// Says so, and the empty answer.
        set, response HostPreShutdown {}
    }
}

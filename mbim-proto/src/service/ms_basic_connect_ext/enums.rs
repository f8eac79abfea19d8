//! Enumerations of the extensions.

use crate::open::open_enum;

open_enum! {
    /// What to do with a provisioned context. [MS Basic Connect Extensions]
    pub ContextOperation: u32 {
        DEFAULT = 0 "default",
        DELETE = 1 "delete",
        RESTORE_FACTORY = 2 "restore-factory",
    }
}

open_enum! {
    /// Whether a context may be used. [MS Basic Connect Extensions]
    pub ContextState: u32 {
        DISABLED = 0 "disabled",
        ENABLED = 1 "enabled",
    }
}

open_enum! {
    /// Where a context may be used. [MS Basic Connect Extensions]
    pub ContextRoamingControl: u32 {
        HOME_ONLY = 0 "home-only",
        PARTNER_ONLY = 1 "partner-only",
        NON_PARTNER_ONLY = 2 "non-partner-only",
        HOME_AND_PARTNER = 3 "home-and-partner",
        HOME_AND_NON_PARTNER = 4 "home-and-non-partner",
        PARTNER_AND_NON_PARTNER = 5 "partner-and-non-partner",
        ALLOW_ALL = 6 "allow-all",
    }
}

open_enum! {
    /// Media that a context serves. [MS Basic Connect Extensions]
    pub ContextMediaType: u32 {
        CELLULAR_ONLY = 0 "cellular-only",
        WIFI_ONLY = 1 "wifi-only",
        ALL = 2 "all",
    }
}

open_enum! {
    /// Who made a context. [MS Basic Connect Extensions]
    pub ContextSource: u32 {
        ADMIN = 0 "admin",
        USER = 1 "user",
        OPERATOR = 2 "operator",
        MODEM = 3 "modem",
        DEVICE = 4 "device",
    }
}

open_enum! {
    /// What to do with the attach contexts. [MS Basic Connect Extensions]
    pub LteAttachContextOperation: u32 {
        DEFAULT = 0 "default",
        RESTORE_FACTORY = 1 "restore-factory",
    }
}

open_enum! {
    /// Where an attach context is used. [MS Basic Connect Extensions]
    pub LteAttachContextRoamingControl: u32 {
        HOME = 0 "home",
        PARTNER = 1 "partner",
        NON_PARTNER = 2 "non-partner",
    }
}

open_enum! {
    /// Whether the default bearer is attached. [MS Basic Connect Extensions]
    pub LteAttachState: u32 {
        DETACHED = 0 "detached",
        ATTACHED = 1 "attached",
    }
}

open_enum! {
    /// State of a slot and its card. [MS Basic Connect Extensions]
    pub UiccSlotState: u32 {
        UNKNOWN = 0 "unknown",
        OFF_EMPTY = 1 "off-empty",
        OFF = 2 "off",
        EMPTY = 3 "empty",
        NOT_READY = 4 "not-ready",
        ACTIVE = 5 "active",
        ERROR = 6 "error",
        ACTIVE_ESIM = 7 "active-esim",
        ACTIVE_ESIM_NO_PROFILES = 8 "active-esim-no-profiles",
    }
}

open_enum! {
    /// Whether all of the options came. [MS Basic Connect Extensions]
    pub PcoType: u32 {
        COMPLETE = 0 "complete",
        PARTIAL = 1 "partial",
    }
}

open_enum! {
    /// Progress of the modem configuring itself. [MBIMEx3.0]
    pub ModemConfigurationStatus: u32 {
        UNKNOWN = 0 "unknown",
        STARTED = 1 "started",
        COMPLETED = 2 "completed",
    }
}

open_enum! {
    /// Mobile-initiated communication only. [MBIMEx3.0]
    pub MicoMode: u32 {
        DISABLED = 0 "disabled",
        ENABLED = 1 "enabled",
        UNSUPPORTED = 2 "unsupported",
        DEFAULT = 3 "default",
    }
}

open_enum! {
    /// Discontinuous reception. [MBIMEx3.0]
    pub DrxCycle: u32 {
        NOT_SPECIFIED = 0 "not-specified",
        NOT_SUPPORTED = 1 "not-supported",
        CYCLE_32 = 2 "cycle-32",
        CYCLE_64 = 3 "cycle-64",
        CYCLE_128 = 4 "cycle-128",
        CYCLE_256 = 5 "cycle-256",
    }
}

open_enum! {
    /// Local area data networks. [MBIMEx3.0]
    pub LadnInfo: u32 {
        NOT_NEEDED = 0 "not-needed",
        REQUESTED = 1 "requested",
    }
}

open_enum! {
    /// Whether the host will activate the default context. [MBIMEx3.0]
    pub DefaultPduActivationHint: u32 {
        UNLIKELY = 0 "unlikely",
        LIKELY = 1 "likely",
    }
}

open_enum! {
    /// What woke the host. [MBIMEx3.0]
    pub WakeType: u32 {
        CID_RESPONSE = 0 "cid-response",
        CID_INDICATION = 1 "cid-indication",
        PACKET = 2 "packet",
    }
}

open_enum! {
    /// How much the modem writes down. [MS Basic Connect Extensions]
    pub ModemLoggingLevel: u32 {
        PROD = 0 "prod",
        LAB_VERBOSE = 1 "lab-verbose",
        LAB_MEDIUM = 2 "lab-medium",
        LAB_LOW = 3 "lab-low",
        OEM = 4 "oem",
    }
}

//! Enumerations and flags of Basic Connect.

use crate::open::{open_enum, open_flags};

open_enum! {
    /// How the device is built in. [MBIM1.0 10.5]
    pub DeviceType: u32 {
        UNKNOWN = 0 "unknown",
        EMBEDDED = 1 "embedded",
        REMOVABLE = 2 "removable",
        REMOTE = 3 "remote",
    }
}

open_flags! {
    /// Families of radio technology. [MBIM1.0 10.5]
    pub CellularClass: u32 {
        GSM = 0x1 "gsm",
        CDMA = 0x2 "cdma",
    }
}

open_enum! {
    /// Whether voice calls go beside data. [MBIM1.0 10.5]
    pub VoiceClass: u32 {
        UNKNOWN = 0 "unknown",
        NO_VOICE = 1 "no-voice",
        SEPARATED_VOICE_DATA = 2 "separated-voice-data",
        SIMULTANEOUS_VOICE_DATA = 3 "simultaneous-voice-data",
    }
}

open_flags! {
    /// How the SIM is attached. [MBIM1.0 10.5]
    pub SimClass: u32 {
        LOGICAL = 0x1 "logical",
        REMOVABLE = 0x2 "removable",
    }
}

open_flags! {
    /// Radio technologies for data, before MBIMEx 3.0. [MBIM1.0 10.5]
    pub DataClass: u32 {
        GPRS = 0x1 "gprs",
        EDGE = 0x2 "edge",
        UMTS = 0x4 "umts",
        HSDPA = 0x8 "hsdpa",
        HSUPA = 0x10 "hsupa",
        LTE = 0x20 "lte",
        NR_NSA = 0x40 "5g-nsa",
        NR_SA = 0x80 "5g-sa",
        CDMA_1XRTT = 0x10000 "1xrtt",
        CDMA_1XEVDO = 0x20000 "1xevdo",
        CDMA_1XEVDO_REVA = 0x40000 "1xevdo-reva",
        CDMA_1XEVDV = 0x80000 "1xevdv",
        CDMA_3XRTT = 0x100000 "3xrtt",
        CDMA_1XEVDO_REVB = 0x200000 "1xevdo-revb",
        UMB = 0x400000 "umb",
        CUSTOM = 0x80000000 "custom",
    }
}

open_flags! {
    /// Radio technologies for data, from MBIMEx 3.0: one bit for 5G, the kind in [`DataSubclass`]. [MBIMEx3.0]
    pub DataClassV3: u32 {
        GPRS = 0x1 "gprs",
        EDGE = 0x2 "edge",
        UMTS = 0x4 "umts",
        HSDPA = 0x8 "hsdpa",
        HSUPA = 0x10 "hsupa",
        LTE = 0x20 "lte",
        NR = 0x40 "5g",
        CDMA_1XRTT = 0x10000 "1xrtt",
        CDMA_1XEVDO = 0x20000 "1xevdo",
        CDMA_1XEVDO_REVA = 0x40000 "1xevdo-reva",
        CDMA_1XEVDV = 0x80000 "1xevdv",
        CDMA_3XRTT = 0x100000 "3xrtt",
        CDMA_1XEVDO_REVB = 0x200000 "1xevdo-revb",
        UMB = 0x400000 "umb",
        CUSTOM = 0x80000000 "custom",
    }
}

open_flags! {
    /// Kinds of 5G. [MBIMEx3.0]
    pub DataSubclass: u32 {
        ENDC = 0x1 "5g-endc",
        NR = 0x2 "5g-nr",
        NEDC = 0x4 "5g-nedc",
        ELTE = 0x8 "5g-elte",
        NGENDC = 0x10 "5g-ngendc",
    }
}

open_flags! {
    /// What the device can do with text messages. [MBIM1.0 10.5]
    pub SmsCaps: u32 {
        PDU_RECEIVE = 0x1 "pdu-receive",
        PDU_SEND = 0x2 "pdu-send",
        TEXT_RECEIVE = 0x4 "text-receive",
        TEXT_SEND = 0x8 "text-send",
    }
}

open_flags! {
    /// What the device lets the host control. [MBIM1.0 10.5]
    pub CtrlCaps: u32 {
        REG_MANUAL = 0x1 "reg-manual",
        HW_RADIO_SWITCH = 0x2 "hw-radio-switch",
        CDMA_MOBILE_IP = 0x4 "cdma-mobile-ip",
        CDMA_SIMPLE_IP = 0x8 "cdma-simple-ip",
        MULTI_CARRIER = 0x10 "multi-carrier",
        ESIM = 0x20 "esim",
        UE_POLICY_ROUTE_SELECTION = 0x40 "ue-policy-route-selection",
        SIM_HOT_SWAP_CAPABLE = 0x80 "sim-hot-swap-capable",
        URSP_ON_EPC = 0x100 "ursp-on-epc",
    }
}

open_enum! {
    /// Whether the SIM is usable. [MBIM1.0 10.5]
    pub SubscriberReadyState: u32 {
        NOT_INITIALIZED = 0 "not-initialized",
        INITIALIZED = 1 "initialized",
        SIM_NOT_INSERTED = 2 "sim-not-inserted",
        BAD_SIM = 3 "bad-sim",
        FAILURE = 4 "failure",
        NOT_ACTIVATED = 5 "not-activated",
        DEVICE_LOCKED = 6 "device-locked",
        NO_ESIM_PROFILE = 7 "no-esim-profile",
    }
}

open_flags! {
    /// Facts about the SIM beside its state. [MBIMEx3.0]
    pub SubscriberReadyFlags: u32 {
        ESIM = 0x1 "esim",
        SIM_REMOVABILITY_KNOWN = 0x2 "sim-removability-known",
        SIM_REMOVABLE = 0x4 "sim-removable",
        SLOT_ACTIVE = 0x8 "slot-active",
    }
}

open_flags! {
    /// What the host should mind about the subscriber. [MBIM1.0 10.5]
    pub ReadyInfo: u32 {
        PROTECT_UNIQUE_ID = 0x1 "protect-unique-id",
    }
}

open_enum! {
    /// A radio switch. [MBIM1.0 10.5]
    pub RadioSwitchState: u32 {
        OFF = 0 "off",
        ON = 1 "on",
    }
}

open_enum! {
    /// Which PIN or PUK. [MBIM1.0 10.5]
    pub PinType: u32 {
        NONE = 0 "none",
        CUSTOM = 1 "custom",
        PIN1 = 2 "pin1",
        PIN2 = 3 "pin2",
        DEVICE_SIM_PIN = 4 "device-sim-pin",
        DEVICE_FIRST_SIM_PIN = 5 "device-first-sim-pin",
        NETWORK_PIN = 6 "network-pin",
        NETWORK_SUBSET_PIN = 7 "network-subset-pin",
        SERVICE_PROVIDER_PIN = 8 "service-provider-pin",
        CORPORATE_PIN = 9 "corporate-pin",
        SUBSIDY_PIN = 10 "subsidy-pin",
        PUK1 = 11 "puk1",
        PUK2 = 12 "puk2",
        DEVICE_FIRST_SIM_PUK = 13 "device-first-sim-puk",
        NETWORK_PUK = 14 "network-puk",
        NETWORK_SUBSET_PUK = 15 "network-subset-puk",
        SERVICE_PROVIDER_PUK = 16 "service-provider-puk",
        CORPORATE_PUK = 17 "corporate-puk",
        NEV = 18 "nev",
        ADM = 19 "adm",
    }
}

open_enum! {
    /// What to do with a PIN. [MBIM1.0 10.5]
    pub PinOperation: u32 {
        ENTER = 0 "enter",
        ENABLE = 1 "enable",
        DISABLE = 2 "disable",
        CHANGE = 3 "change",
    }
}

open_enum! {
    /// Whether a PIN is asked for. [MBIM1.0 10.5]
    pub PinState: u32 {
        UNLOCKED = 0 "unlocked",
        LOCKED = 1 "locked",
    }
}

open_enum! {
    /// Whether a PIN is in use. [MBIM1.0 10.5]
    pub PinMode: u32 {
        NOT_SUPPORTED = 0 "not-supported",
        ENABLED = 1 "enabled",
        DISABLED = 2 "disabled",
    }
}

open_enum! {
    /// Characters of a PIN. [MBIM1.0 10.5]
    pub PinFormat: u32 {
        UNKNOWN = 0 "unknown",
        NUMERIC = 1 "numeric",
        ALPHANUMERIC = 2 "alphanumeric",
    }
}

open_flags! {
    /// What a provider is to the subscriber. [MBIM1.0 10.5]
    pub ProviderState: u32 {
        HOME = 0x1 "home",
        FORBIDDEN = 0x2 "forbidden",
        PREFERRED = 0x4 "preferred",
        VISIBLE = 0x8 "visible",
        REGISTERED = 0x10 "registered",
        PREFERRED_MULTICARRIER = 0x20 "preferred-multicarrier",
    }
}

open_enum! {
    /// How to look for providers. [MBIM1.0 10.5]
    pub VisibleProvidersAction: u32 {
        FULL_SCAN = 0 "full-scan",
        RESTRICTED_SCAN = 1 "restricted-scan",
    }
}

open_enum! {
    /// Who chooses the provider. [MBIM1.0 10.5]
    pub RegisterAction: u32 {
        AUTOMATIC = 0 "automatic",
        MANUAL = 1 "manual",
    }
}

open_enum! {
    /// Who has chosen the provider. [MBIM1.0 10.5]
    pub RegisterMode: u32 {
        UNKNOWN = 0 "unknown",
        AUTOMATIC = 1 "automatic",
        MANUAL = 2 "manual",
    }
}

open_enum! {
    /// Registration with a network. [MBIM1.0 10.5]
    pub RegisterState: u32 {
        UNKNOWN = 0 "unknown",
        DEREGISTERED = 1 "deregistered",
        SEARCHING = 2 "searching",
        HOME = 3 "home",
        ROAMING = 4 "roaming",
        PARTNER = 5 "partner",
        DENIED = 6 "denied",
    }
}

open_flags! {
    /// What the network or the device allows. [MBIM1.0 10.5]
    pub RegistrationFlags: u32 {
        MANUAL_SELECTION_NOT_AVAILABLE = 0x1 "manual-selection-not-available",
        PACKET_SERVICE_AUTOMATIC_ATTACH = 0x2 "packet-service-automatic-attach",
    }
}

open_enum! {
    /// Attach or detach. [MBIM1.0 10.5]
    pub PacketServiceAction: u32 {
        ATTACH = 0 "attach",
        DETACH = 1 "detach",
    }
}

open_enum! {
    /// Attachment to the packet service. [MBIM1.0 10.5]
    pub PacketServiceState: u32 {
        UNKNOWN = 0 "unknown",
        ATTACHING = 1 "attaching",
        ATTACHED = 2 "attached",
        DETACHING = 3 "detaching",
        DETACHED = 4 "detached",
    }
}

open_flags! {
    /// Ranges of 5G frequencies in use. [MBIMEx2.0]
    pub FrequencyRange: u32 {
        FR1 = 0x1 "fr1",
        FR2 = 0x2 "fr2",
    }
}

open_enum! {
    /// Activate or deactivate a context. [MBIM1.0 10.5]
    pub ActivationCommand: u32 {
        DEACTIVATE = 0 "deactivate",
        ACTIVATE = 1 "activate",
    }
}

open_enum! {
    /// State of a context. [MBIM1.0 10.5]
    pub ActivationState: u32 {
        UNKNOWN = 0 "unknown",
        ACTIVATED = 1 "activated",
        ACTIVATING = 2 "activating",
        DEACTIVATED = 3 "deactivated",
        DEACTIVATING = 4 "deactivating",
    }
}

open_enum! {
    /// Whether a voice call is going on. [MBIM1.0 10.5]
    pub VoiceCallState: u32 {
        NONE = 0 "none",
        IN_PROGRESS = 1 "in-progress",
        HANG_UP = 2 "hang-up",
    }
}

open_enum! {
    /// Address families of a context. [MBIM1.0 10.5]
    pub ContextIpType: u32 {
        DEFAULT = 0 "default",
        IPV4 = 1 "ipv4",
        IPV6 = 2 "ipv6",
        IPV4V6 = 3 "ipv4v6",
        IPV4_AND_IPV6 = 4 "ipv4-and-ipv6",
    }
}

open_enum! {
    /// Header compression. [MBIM1.0 10.5]
    pub Compression: u32 {
        NONE = 0 "none",
        ENABLE = 1 "enable",
    }
}

open_enum! {
    /// How the context authenticates. [MBIM1.0 10.5]
    pub AuthProtocol: u32 {
        NONE = 0 "none",
        PAP = 1 "pap",
        CHAP = 2 "chap",
        MSCHAPV2 = 3 "mschapv2",
    }
}

open_flags! {
    /// Which fields of the configuration count. [MBIM1.0 10.5]
    pub IpConfigurationAvailable: u32 {
        ADDRESS = 0x1 "address",
        GATEWAY = 0x2 "gateway",
        DNS = 0x4 "dns",
        MTU = 0x8 "mtu",
    }
}

open_enum! {
    /// Whether the host expects no traffic. [MBIM1.0 10.5]
    pub NetworkIdleHintState: u32 {
        DISABLED = 0 "disabled",
        ENABLED = 1 "enabled",
    }
}

open_enum! {
    /// Whether only emergency calls are possible. [MBIM1.0 10.5]
    pub EmergencyModeState: u32 {
        OFF = 0 "off",
        ON = 1 "on",
    }
}

open_enum! {
    /// Access that a context uses. [MBIMEx3.0]
    pub AccessMediaType: u32 {
        UNKNOWN = 0 "unknown",
        ACCESS_3GPP = 1 "3gpp",
        ACCESS_3GPP_PREFERRED = 2 "3gpp-preferred",
    }
}

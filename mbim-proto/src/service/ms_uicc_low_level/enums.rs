//! Enumerations of access to the card.

use crate::open::open_enum;

open_enum! {
    /// Kind of application on a card. [MS UICC low-level access]
    pub UiccApplicationType: u32 {
        UNKNOWN = 0 "unknown",
        MF = 1 "mf",
        MF_SIM = 2 "mf-sim",
        MF_RUIM = 3 "mf-ruim",
        USIM = 4 "usim",
        CSIM = 5 "csim",
        ISIM = 6 "isim",
    }
}

open_enum! {
    /// Kind of class byte that the function puts into a command. [MS UICC low-level access]
    pub UiccClassByteType: u32 {
        INTER_INDUSTRY = 0 "inter-industry",
        EXTENDED = 1 "extended",
    }
}

open_enum! {
    /// Whether several may have a file open. [MS UICC low-level access]
    pub UiccFileAccessibility: u32 {
        UNKNOWN = 0 "unknown",
        NOT_SHAREABLE = 1 "not-shareable",
        SHAREABLE = 2 "shareable",
    }
}

open_enum! {
    /// How a file is laid out. [MS UICC low-level access]
    pub UiccFileStructure: u32 {
        UNKNOWN = 0 "unknown",
        TRANSPARENT = 1 "transparent",
        CYCLIC = 2 "cyclic",
        LINEAR = 3 "linear",
        BER_TLV = 4 "ber-tlv",
    }
}

open_enum! {
    /// Kind of file. [MS UICC low-level access]
    pub UiccFileType: u32 {
        UNKNOWN = 0 "unknown",
        WORKING_EF = 1 "working-ef",
        INTERNAL_EF = 2 "internal-ef",
        DF_OR_ADF = 3 "df-or-adf",
    }
}

open_enum! {
    /// Whether the function is to leave the card alone after a reset. [MS UICC low-level access]
    pub UiccPassThroughAction: u32 {
        DISABLE = 0 "disable",
        ENABLE = 1 "enable",
    }
}

open_enum! {
    /// Whether the function leaves the card alone. [MS UICC low-level access]
    pub UiccPassThroughStatus: u32 {
        DISABLED = 0 "disabled",
        ENABLED = 1 "enabled",
    }
}

open_enum! {
    /// Secure messaging of a command. [MS UICC low-level access]
    pub UiccSecureMessaging: u32 {
        NONE = 0 "none",
        NO_HDR_AUTH = 1 "no-hdr-auth",
    }
}

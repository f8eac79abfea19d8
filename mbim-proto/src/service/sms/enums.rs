//! Enumerations and flags of text messages.

use crate::open::{open_enum, open_flags};

open_enum! {
    /// How messages look. [MBIM1.0 10.5, SMS]
    pub SmsFormat: u32 {
        PDU = 0 "pdu",
        CDMA = 1 "cdma",
    }
}

open_enum! {
    /// Which messages are meant. [MBIM1.0 10.5, SMS]
    pub SmsFlag: u32 {
        ALL = 0 "all",
        INDEX = 1 "index",
        NEW = 2 "new",
        OLD = 3 "old",
        SENT = 4 "sent",
        DRAFT = 5 "draft",
    }
}

open_enum! {
    /// What became of a message. [MBIM1.0 10.5, SMS]
    pub SmsStatus: u32 {
        NEW = 0 "new",
        OLD = 1 "old",
        DRAFT = 2 "draft",
        SENT = 3 "sent",
    }
}

open_enum! {
    /// Whether the store can be used. [MBIM1.0 10.5, SMS]
    pub SmsStorageState: u32 {
        NOT_INITIALIZED = 0 "not-initialized",
        INITIALIZED = 1 "initialized",
    }
}

open_flags! {
    /// What happened to the store. [MBIM1.0 10.5, SMS]
    pub SmsStatusFlag: u32 {
        MESSAGE_STORE_FULL = 0x1 "message-store-full",
        NEW_MESSAGE = 0x2 "new-message",
    }
}

open_enum! {
    /// Encoding of a text on CDMA. [MBIM1.0 10.5, SMS]
    pub SmsCdmaEncoding: u32 {
        OCTET = 0 "octet",
        EPM = 1 "epm",
        ASCII_7BIT = 2 "7bit-ascii",
        IA5 = 3 "ia5",
        UNICODE = 4 "unicode",
        SHIFT_JIS = 5 "shift-jis",
        KOREAN = 6 "korean",
        LATIN_HEBREW = 7 "latin-hebrew",
        LATIN = 8 "latin",
        GSM_7BIT = 9 "gsm-7bit",
    }
}

open_enum! {
    /// Language of a text on CDMA. [MBIM1.0 10.5, SMS]
    pub SmsCdmaLang: u32 {
        UNKNOWN = 0 "unknown",
        ENGLISH = 1 "english",
        FRENCH = 2 "french",
        SPANISH = 3 "spanish",
        JAPANESE = 4 "japanese",
        KOREAN = 5 "korean",
        CHINESE = 6 "chinese",
        HEBREW = 7 "hebrew",
    }
}

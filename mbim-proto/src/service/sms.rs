//! Text messages: the store, sending, receiving.

mod enums;

use alloc::string::String;
use alloc::vec::Vec;

use super::{choice, service, structure, structures};
use crate::Personal;
use crate::codec::{CountedPairs, Plain, RefBytes, Telling};

pub use enums::*;

structures! {
    /// A stored message. [MBIM1.0 10.5, SMS]
    struct SmsPduReadRecord {
        /// Its place in the store, from 1; 0 for one that is not stored.
        message_index: u32,
        /// Whether it was read, sent or neither.
        message_status: SmsStatus,
        /// Service centre address, then the TPDU of 3GPP TS 23.040.
        pdu_data: Personal<Vec<u8>> = RefBytes,
    }

    /// A stored message of a CDMA device. [MBIM1.0 10.5, SMS]
    struct SmsCdmaReadRecord {
        /// Its place in the store, from 1; 0 for one that is not stored.
        message_index: u32,
        /// Whether it was read, sent or neither.
        message_status: SmsStatus,
        /// The other party's number.
        address: Personal<String>,
        /// When it was sent.
        timestamp: String,
        /// Encoding of the text.
        encoding: SmsCdmaEncoding,
        /// Language of the text.
        language: SmsCdmaLang,
        /// The text.
        encoded_message: Personal<Vec<u8>> = RefBytes,
        /// Characters of the text.
        encoded_message_size_in_characters: u32,
    }

    /// A message to send. Offsets count from here. [MBIM1.0 10.5, SMS]
    struct SmsPduSendRecord {
        /// Service centre address, then the TPDU of 3GPP TS 23.040.
        pdu_data: Personal<Vec<u8>> = RefBytes,
    }

    /// A message to send over CDMA. Offsets count from here. [MBIM1.0 10.5, SMS]
    struct SmsCdmaSendRecord {
        /// Encoding of the text.
        encoding: SmsCdmaEncoding,
        /// Language of the text.
        language: SmsCdmaLang,
        /// The other party's number.
        address: Personal<String>,
        /// The text.
        encoded_message: Personal<Vec<u8>> = RefBytes,
        /// Characters of the text.
        encoded_message_size_in_characters: u32,
    }
}

choice! {
    /// Messages in the format of the device. [MBIM1.0 10.5, SMS]
    SmsMessages by format: SmsFormat {
        /// As PDUs.
        PDU: Pdu(pdu_messages: Vec<SmsPduReadRecord> = CountedPairs),
        /// Field by field.
        CDMA: Cdma(cdma_messages: Vec<SmsCdmaReadRecord> = CountedPairs),
    }
}

choice! {
    /// One message in the format of the device. [MBIM1.0 10.5, SMS]
    SmsMessage by format: SmsFormat {
        /// As a PDU.
        PDU: Pdu(pdu_message: SmsPduSendRecord),
        /// Field by field.
        CDMA: Cdma(cdma_message: SmsCdmaSendRecord),
    }
}

service! {
    service super::SMS;

    /// How messages are stored and where they are sent through. [MBIM1.0 10.5, SMS]
    cid 1 CONFIGURATION {
        /// Asks for it.
        query SmsConfigurationQuery {}
        /// Changes it.
        set SmsConfigurationSet {
            /// Format of messages to come; the device may know only one.
            format: SmsFormat,
            /// Number of the service centre in international form; empty leaves it alone.
            sc_address: String = Telling(Plain),
        }
        /// The configuration.
        response, notify SmsConfiguration {
            /// Whether the store can be used.
            sms_storage_state: SmsStorageState,
            /// Format of messages.
            format: SmsFormat,
            /// Places in the store.
            max_messages: u32,
            /// Most bytes of a message on CDMA.
            cdma_short_message_size: u32,
            /// Number of the service centre.
            sc_address: String = Telling(Plain),
        }
    }

    /// Messages out of the store, or one that is not stored (class 0) as an indication. [MBIM1.0 10.5, SMS]
    cid 2 READ {
        /// Asks for some.
        query SmsReadQuery {
            /// Format in which they are wanted.
            format: SmsFormat,
            /// Which ones.
            flag: SmsFlag,
            /// Which place, when the flag says so.
            message_index: u32,
        }
        /// The messages.
        response, notify SmsRead {
            /// The messages.
            messages: SmsMessages,
        }
    }

    /// Sends a message. [MBIM1.0 10.5, SMS]
    cid 3 SEND {
        /// The message.
        set SmsSendSet {
            /// The message.
            message: SmsMessage,
        }
        /// It is sent.
        response SmsSend {
            /// The reference that status reports name, 0–255.
            message_reference: u32,
        }
    }

    /// Empties places of the store. [MBIM1.0 10.5, SMS]
    cid 4 DELETE {
        /// Which ones.
        set SmsDeleteSet {
            /// Which ones.
            flag: SmsFlag,
            /// Which place, when the flag says so.
            message_index: u32,
        }
        /// They are empty.
        response SmsDelete {}
    }

    /// What happened to the store: a message came, or there is no room. [MBIM1.0 10.5, SMS]
    cid 5 MESSAGE_STORE_STATUS {
        /// Asks for it.
        query SmsMessageStoreStatusQuery {}
        /// The state.
        response, notify SmsMessageStoreStatus {
            /// What happened.
            flag: SmsStatusFlag,
            /// Where the new message is, when there is one.
            message_index: u32,
        }
    }
}

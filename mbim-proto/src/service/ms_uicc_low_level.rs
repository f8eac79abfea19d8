//! Microsoft UICC low-level access: files and commands of the card.

mod enums;

use alloc::string::String;
use alloc::vec::Vec;

use super::basic_connect::PinType;
use super::{service, structure, structures};
use crate::codec::{OctetString, Pairs, RefBytes, SizedBytes, Telling, Utf8};
use crate::{Personal, Secret};

pub use enums::*;

structures! {
    /// An application on the card. [MS UICC low-level access, application list]
    struct UiccApplication {
        /// Kind of application.
        application_type: UiccApplicationType,
        /// Its identifier.
        application_id: Vec<u8> = RefBytes,
        /// Name for people.
        application_name: String = Utf8,
        /// How many of the references count.
        pin_key_reference_count: u32,
        /// PIN keys.
        pin_key_references: Vec<u8> = RefBytes,
    }
}

service! {
    service super::MS_UICC_LOW_LEVEL;

    /// The card's answer to reset. [MS UICC low-level access, ATR]
    cid 1 ATR {
        /// Asks for it.
        query AtrQuery {}
        /// The answer.
        response Atr {
            /// At most 33 bytes.
            atr: Vec<u8> = Telling(SizedBytes),
        }
        /// Asks for that of the card of a slot. [MBIMEx4.0]
        (mbimex 4) query AtrQueryV4 {
            /// The slot, from 0.
            slot_id: u32,
        }
    }

    /// Opens a logical channel. [MS UICC low-level access, open channel]
    cid 2 OPEN_CHANNEL {
        /// Opens it.
        set OpenChannelSet {
            /// The application, at most 32 bytes.
            app_id: Vec<u8> = SizedBytes,
            /// P2 of the SELECT command.
            select_p2_arg: u32,
            /// Group that the channel joins.
            channel_group: u32,
        }
        /// Opens it on the card of a slot. [MBIMEx4.0]
        (mbimex 4) set OpenChannelSetV4 {
            /// The application, at most 32 bytes.
            app_id: Vec<u8> = SizedBytes,
            /// P2 of the SELECT command.
            select_p2_arg: u32,
            /// Group that the channel joins.
            channel_group: u32,
            /// The slot, from 0.
            slot_id: u32,
        }
        /// The channel.
        response OpenChannel {
            /// SW1 and SW2 first.
            status: [u8; 4],
            /// 1–19; 0 when it failed.
            channel: u32,
            /// The card's answer to SELECT.
            response: Vec<u8> = Telling(SizedBytes),
        }
    }

    /// Closes a logical channel, or a group with channel 0. [MS UICC low-level access, close channel]
    cid 3 CLOSE_CHANNEL {
        /// Closes it.
        set CloseChannelSet {
            /// The channel; 0 closes the group.
            channel: u32,
            /// The group.
            channel_group: u32,
        }
        /// Closes it on the card of a slot. [MBIMEx4.0]
        (mbimex 4) set CloseChannelSetV4 {
            /// The channel; 0 closes the group.
            channel: u32,
            /// The group.
            channel_group: u32,
            /// The slot, from 0.
            slot_id: u32,
        }
        /// The outcome.
        response CloseChannel {
            /// SW1 and SW2 first.
            status: [u8; 4],
        }
    }

    /// Sends a command to the card. [MS UICC low-level access, APDU]
    cid 4 APDU {
        /// The command.
        set ApduSet {
            /// The channel.
            channel: u32,
            /// Secure messaging.
            secure_messaging: UiccSecureMessaging,
            /// Kind of class byte; the function puts it in.
            class_byte_type: UiccClassByteType,
            /// The whole command, at most 261 bytes.
            command: Personal<Vec<u8>> = SizedBytes,
        }
        /// The command to the card of a slot. [MBIMEx4.0]
        (mbimex 4) set ApduSetV4 {
            /// The channel.
            channel: u32,
            /// Secure messaging.
            secure_messaging: UiccSecureMessaging,
            /// Kind of class byte; the function puts it in.
            class_byte_type: UiccClassByteType,
            /// The whole command, at most 261 bytes.
            command: Personal<Vec<u8>> = SizedBytes,
            /// The slot, from 0.
            slot_id: u32,
        }
        /// The card's answer.
        response Apdu {
            /// SW1 and SW2 first.
            status: [u8; 4],
            /// The data.
            response: Personal<Vec<u8>> = SizedBytes,
        }
    }

    /// What the modem tells the card about itself after the next reset. [MS UICC low-level access, terminal capability]
    cid 5 TERMINAL_CAPABILITY {
        /// Asks for it.
        query TerminalCapabilityQuery {}
        /// The objects.
        set, response TerminalCapability {
            [terminal_capability_count of terminal_capability]
            /// Each a TLV of ETSI TS 102 221.
            terminal_capability: Vec<OctetString> = Pairs(terminal_capability_count),
        }
        /// Asks for what the card of a slot is told. [MBIMEx4.0]
        (mbimex 4) query TerminalCapabilityQueryV4 {
            /// The slot, from 0.
            slot_id: u32,
        }
        /// The objects for the card of a slot. [MBIMEx4.0]
        (mbimex 4) set TerminalCapabilitySetV4 {
            /// The slot, from 0.
            slot_id: u32,
            [terminal_capability_count of terminal_capability]
            /// Each a TLV of ETSI TS 102 221.
            terminal_capability: Vec<OctetString> = Pairs(terminal_capability_count),
        }
    }

    /// Resets the card. [MS UICC low-level access, reset]
    cid 6 RESET {
        /// Asks whether the function leaves the card alone.
        query ResetQuery {}
        /// Resets.
        set ResetSet {
            /// Whether to leave it alone afterwards.
            pass_through_action: UiccPassThroughAction,
        }
        /// Asks about the card of a slot. [MBIMEx4.0]
        (mbimex 4) query ResetQueryV4 {
            /// The slot, from 0.
            slot_id: u32,
        }
        /// Resets the card of a slot. [MBIMEx4.0]
        (mbimex 4) set ResetSetV4 {
            /// Whether to leave it alone afterwards.
            pass_through_action: UiccPassThroughAction,
            /// The slot, from 0.
            slot_id: u32,
        }
        /// Whether the function leaves the card alone.
        response Reset {
            /// Whether it does.
            pass_through_status: UiccPassThroughStatus,
        }
    }

    /// Applications on the card. [MS UICC low-level access, application list]
    cid 7 APPLICATION_LIST {
        /// Asks for them.
        query ApplicationListQuery {}
        /// The applications.
        response ApplicationList {
            /// 1.
            version: u32,
            [application_count of applications]
            /// The one that the modem uses for registration.
            active_application_index: u32,
            /// Bytes of the list.
            application_list_size_bytes: u32,
            /// The applications.
            applications: Vec<UiccApplication> = Pairs(application_count),
        }
    }

    /// What a file is like. [MS UICC low-level access, file status]
    cid 8 FILE_STATUS {
        /// Asks for one.
        query FileStatusQuery {
            /// 1.
            version: u32,
            /// The application.
            application_id: Vec<u8> = RefBytes,
            /// 16-bit identifiers from the MF (3F00) or the application (7FFF).
            file_path: Vec<u8> = RefBytes,
        }
        /// The file.
        response FileStatus {
            /// 1.
            version: u32,
            /// SW1.
            status_word1: u32,
            /// SW2.
            status_word2: u32,
            /// Whether several may have it open.
            file_accessibility: UiccFileAccessibility,
            /// Kind of file.
            file_type: UiccFileType,
            /// How it is laid out.
            file_structure: UiccFileStructure,
            /// Records.
            file_item_count: u32,
            /// Bytes of a record, or of the file.
            file_item_size: u32,
            /// Code that reading needs.
            access_condition_read: PinType,
            /// Code that writing needs.
            access_condition_update: PinType,
            /// Code that activating needs.
            access_condition_activate: PinType,
            /// Code that deactivating needs.
            access_condition_deactivate: PinType,
        }
    }

    /// Bytes of a transparent file. [MS UICC low-level access, read binary]
    cid 9 ACCESS_BINARY {
        /// Reads, or writes in a set.
        query, set AccessBinaryQuery {
            /// 1.
            version: u32,
            /// The application.
            application_id: Vec<u8> = RefBytes,
            /// 16-bit identifiers from the MF (3F00) or the application (7FFF).
            file_path: Vec<u8> = RefBytes,
            /// Where to start.
            read_offset: u32,
            /// How many bytes; 0 is all.
            read_size: u32,
            /// A code; which encoding devices want is not settled.
            local_pin: Secret<String>,
            /// What to write.
            data: Personal<Vec<u8>> = RefBytes,
        }
        /// The bytes.
        response AccessBinary {
            /// 1.
            version: u32,
            /// SW1.
            status_word1: u32,
            /// SW2.
            status_word2: u32,
            /// The bytes.
            data: Personal<Vec<u8>> = RefBytes,
        }
    }

    /// A record of a file. [MS UICC low-level access, read record]
    cid 10 ACCESS_RECORD {
        /// Reads, or writes in a set.
        query, set AccessRecordQuery {
            /// 1.
            version: u32,
            /// The application.
            application_id: Vec<u8> = RefBytes,
            /// 16-bit identifiers from the MF (3F00) or the application (7FFF).
            file_path: Vec<u8> = RefBytes,
            /// Which record, from 1.
            record_number: u32,
            /// A code; which encoding devices want is not settled.
            local_pin: Secret<String>,
            /// What to write.
            data: Personal<Vec<u8>> = RefBytes,
        }
        /// The record.
        response AccessRecord {
            /// 1.
            version: u32,
            /// SW1.
            status_word1: u32,
            /// SW2.
            status_word2: u32,
            /// The bytes.
            data: Personal<Vec<u8>> = RefBytes,
        }
    }
}

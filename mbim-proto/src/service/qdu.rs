//! Qualcomm device update: firmware files through the control channel.

use alloc::string::String;
use alloc::vec::Vec;

use super::{service, structure};
use crate::Personal;
use crate::codec::{Max, Rest};
use crate::open::open_enum;

open_enum! {
    /// What to do with an update session. [MBIM vendor service, QDU]
    pub QduSessionAction: u32 {
        START = 0 "start",
        STOP = 1 "stop",
    }
}

open_enum! {
    /// Kind of update session. [MBIM vendor service, QDU]
    pub QduSessionType: u32 {
        NONE = 0 "none",
        LE = 1 "le",
    }
}

open_enum! {
    /// How far an update is. [MBIM vendor service, QDU]
    pub QduSessionStatus: u32 {
        INACTIVE = 0 "inactive",
        FILE_TRANSFER = 1 "file-transfer",
        APPLY_UPDATE = 2 "apply-update",
    }
}

open_enum! {
    /// What became of an update. [MBIM vendor service, QDU]
    pub QduSessionResult: u32 {
        SUCCESS = 0 "success",
        FAILURE = 1 "failure",
    }
}

open_enum! {
    /// Kind of file. [MBIM vendor service, QDU]
    pub QduFileType: u32 {
        LITTLE_ENDIAN_PACKAGE = 0 "little-endian-package",
    }
}

open_enum! {
    /// What to start, on Quectel's modems. [MBIM vendor service, QDU]
    pub QduQuectelRebootType: u16 {
        EDL = 17 "edl",
    }
}

open_enum! {
    /// Which version, on Quectel's modems. [MBIM vendor service, QDU]
    pub QduQuectelVersionType: u16 {
        FW_BUILD_ID = 256 "fw-build-id",
    }
}

open_enum! {
    /// Who carries a command out, on Quectel's modems. [MBIM vendor service, QDU]
    pub QuectelCommandType: u32 {
        AT = 0 "at",
        SYSTEM = 1 "system",
    }
}

open_enum! {
    /// What became of a command, on Quectel's modems. [MBIM vendor service, QDU]
    pub QuectelCommandResponseStatus: u32 {
        OK = 0 "ok",
        FAIL = 1 "fail",
    }
}

service! {
    service super::QDU;

    /// Begins and ends an update. [MBIM vendor service, QDU]
    cid 1 UPDATE_SESSION {
        /// Asks how far it is.
        query QduUpdateSessionQuery {}
        /// Begins or ends.
        set QduUpdateSessionSet {
            /// Which.
            session_action: QduSessionAction,
            /// Kind.
            session_type: QduSessionType,
        }
        /// How far it is.
        response, notify QduUpdateSession {
            /// Kind of the one that is going on.
            current_session_type: QduSessionType,
            /// How far.
            current_session_status: QduSessionStatus,
            /// Kind of the last one.
            last_session_type: QduSessionType,
            /// What became of it.
            last_session_result: QduSessionResult,
            /// Where the message about its failure starts.
            last_session_error_offset: u32,
            /// How long it is.
            last_session_error_size: u32,
        }
    }

    /// Announces a file. [MBIM vendor service, QDU]
    cid 2 FILE_OPEN {
        /// The file.
        set QduFileOpenSet {
            /// Kind.
            file_type: QduFileType,
            /// Bytes.
            file_size: u32,
        }
        /// How it wants to be sent.
        response QduFileOpen {
            /// Most bytes at once.
            max_transfer_size: u32,
            /// Most pieces at once.
            max_window_size: u32,
        }
    }

    /// A piece of the file. [MBIM vendor service, QDU]
    cid 3 FILE_WRITE {
        /// The piece.
        set QduFileWriteSet {
            /// At most MaxTransferSize bytes, unpadded.
            data_buffer: Vec<u8> = Rest,
        }
        /// Done.
        response QduFileWrite {}
    }

    /// Restarts a Quectel modem. [MBIM vendor service, QDU]
    cid 4 QUECTEL_REBOOT {
        /// Into what.
        set QduQuectelRebootSet {
            /// Which.
            reboot_type: QduQuectelRebootType,
        }
        /// Done.
        response QduQuectelReboot {}
    }

    /// A version of a Quectel modem. [MBIM vendor service, QDU]
    cid 7 QUECTEL_READ_VERSION {
        /// Which.
        set QduQuectelReadVersionSet {
            /// Which.
            version_type: QduQuectelVersionType,
        }
        /// The version.
        response QduQuectelReadVersion {
            /// Which.
            version_id: u32,
            /// As text.
            version: String = Max(120),
        }
    }

    /// A command to a Quectel modem. [MBIM vendor service, QDU]
    cid 8 QUECTEL_COMMAND {
        /// The command.
        set QduQuectelCommandSet {
            /// Who carries it out.
            command_type: QuectelCommandType,
            /// ASCII, unpadded.
            command_string: Personal<Vec<u8>> = Rest,
        }
        /// The outcome.
        response QduQuectelCommand {
            /// What became of it.
            command_response_status: QuectelCommandResponseStatus,
            /// What it printed.
            command_response_string: Personal<Vec<u8>> = Rest,
        }
    }
}

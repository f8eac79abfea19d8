//! Phonebook: the directory on the card or in the device.

use alloc::string::String;
use alloc::vec::Vec;

use super::{service, structure, structures};
use crate::Personal;
use crate::codec::{Max, Pairs};
use crate::open::open_enum;

open_enum! {
    /// Whether the directory can be used. [MBIM1.0 10.5]
    pub PhonebookState: u32 {
        NOT_INITIALIZED = 0 "not-initialized",
        INITIALIZED = 1 "initialized",
    }
}

open_enum! {
    /// Which entries. [MBIM1.0 10.5]
    pub PhonebookFlag: u32 {
        ALL = 0 "all",
        INDEX = 1 "index",
    }
}

open_enum! {
    /// Where to write. [MBIM1.0 10.5]
    pub PhonebookWriteFlag: u32 {
        UNUSED = 0 "unused",
        INDEX = 1 "index",
    }
}

structures! {
    /// A person and a number. [MBIM1.0 10.5]
    struct PhonebookEntry {
        /// Place in the directory.
        entry_index: u32,
        /// Number as it is dialled.
        number: Personal<String>,
        /// Who it is.
        name: Personal<String>,
    }
}

service! {
    service super::PHONEBOOK;

    /// Size of the directory. [MBIM1.0 10.5]
    cid 1 CONFIGURATION {
        /// Asks for it.
        query PhonebookConfigurationQuery {}
        /// The size; indicated when the directory becomes usable.
        response, notify PhonebookConfiguration {
            /// Whether it can be used.
            state: PhonebookState,
            /// Places.
            number_of_entries: u32,
            /// Places in use.
            used_entries: u32,
            /// Most characters of a number.
            max_number_length: u32,
            /// Most characters of a name.
            max_name: u32,
        }
    }

    /// Entries of the directory. [MBIM1.0 10.5]
    cid 2 READ {
        /// Asks for one or all.
        query PhonebookReadQuery {
            /// Which.
            filter_flag: PhonebookFlag,
            /// Place, when one is asked for.
            filter_message_index: u32,
        }
        /// The entries.
        response PhonebookRead {
            [entry_count of entries]
            /// The entries.
            entries: Vec<PhonebookEntry> = Pairs(entry_count),
        }
    }

    /// Removes entries. [MBIM1.0 10.5]
    cid 3 DELETE {
        /// One or all.
        set PhonebookDeleteSet {
            /// Which.
            filter_flag: PhonebookFlag,
            /// Place, when one is to go.
            filter_message_index: u32,
        }
        /// Done.
        response PhonebookDelete {}
    }

    /// Adds or replaces an entry. [MBIM1.0 10.5]
    cid 4 WRITE {
        /// The entry.
        set PhonebookWriteSet {
            /// Whether the place is given.
            save_flag: PhonebookWriteFlag,
            /// The place; a free one is taken when it is not given.
            save_index: u32,
            /// Number as it is dialled, at most 20 digits.
            number: Personal<String> = Max(40),
            /// Who it is.
            name: Personal<String>,
        }
        /// Done.
        response PhonebookWrite {}
    }
}

//! How the program words values.

use super::Seen;
use crate::network::Carrier;
use crate::sim::{Sim, Slot};

/// Set bits by name, `none` for none.
pub(super) fn flags(bits: u32, names: &[(u64, &str)], none: &str) -> String {
    let set: Vec<&str> = names.iter().filter(|(bit, _)| u64::from(bits) & bit == *bit).map(|(_, name)| *name).collect();
    if set.is_empty() { none.into() } else { set.join(", ") }
}

/// Bytes as two digits each with a separator.
pub(super) fn hex(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(separator)
}

/// An empty text is unknown.
pub(super) fn text(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}

/// A length that is not known is printed as a negative number.
pub(super) fn length(length: u32) -> i32 {
    length.cast_signed()
}

impl<'a> Seen<'a> {
    /// The network that the modem is registered with: the first one in all steps.
    pub(super) fn carrier(self) -> &'a Carrier {
        &self.profile.network.carriers[0]
    }

    /// The card.
    pub(super) fn card(self) -> &'a Sim {
        match &self.profile.slot {
            Slot::Card(sim) => sim,
            _ => panic!("the table needs a card"),
        }
    }

    /// What carrier and device share.
    pub(super) fn classes(self) -> u32 {
        self.carrier().data_classes & self.profile.data_classes
    }
}

//! What a modem keeps for its host beside card, network and sessions. It outlives a restart, as flash does; sets of the
//! host change it, and [`Profile`](crate::Profile) shows it as it is.

mod phonebook;

pub use phonebook::Phonebook;
pub(crate) use phonebook::Refusal;

/// Everything kept, a member for each concern.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// The directory.
    pub phonebook: Phonebook,
}

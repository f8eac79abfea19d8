//! What a modem keeps for its host beside card, network and sessions. It outlives a restart, as flash does; sets of the
//! host change it, and [`Profile`](crate::Profile) shows it as it is.
//!
//! Where a structure of the wire says it all, it is kept as that structure.

mod antenna;
mod board;
mod cells;
mod contexts;
mod messages;
mod phonebook;
mod standalone;

pub use antenna::Antennas;
pub use board::{Board, Shutdown, StreamService};
pub use cells::Cells;
pub use contexts::Contexts;
pub use messages::{Message, Messages};
pub use phonebook::Phonebook;
pub(crate) use phonebook::Refusal;
pub use standalone::Standalone;

use mbim_proto::service::basic_connect::{PacketFilterV3, Provider};
use std::collections::BTreeMap;

/// Everything kept, a member for each concern.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Networks that the subscriber prefers.
    pub preferred: Vec<Provider>,
    /// Packets that wake the host, by session; their numbers are 0 unless MBIMEx 3.0 is in force.
    pub filters: BTreeMap<u32, Vec<PacketFilterV3>>,
    /// Whether the host expects no traffic.
    pub idle_hint: bool,
    /// Short messages.
    pub messages: Messages,
    /// The directory.
    pub phonebook: Phonebook,
    /// Stored contexts, those of the default bearer, and what the network says about it.
    pub contexts: Contexts,
    /// The cells around, and the network's time.
    pub cells: Cells,
    /// 5G standalone: what to register with, what the network agreed to, the modem's own configuration, wake reasons.
    pub standalone: Standalone,
    /// How much the antennas may radiate.
    pub antennas: Antennas,
    /// Firmware, streams, log, and what the board's maker has put in.
    pub board: Board,
}

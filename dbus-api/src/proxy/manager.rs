//! `org.mbimd.Mbimd1.Manager`.

use std::collections::HashMap;

use zbus::OwnedVariant;

/// The daemon as a whole.
#[zbus::proxy(
    interface = "org.mbimd.Mbimd1.Manager",
    default_service = "org.mbimd.Mbimd1",
    default_path = "/org/mbimd/Mbimd1"
)]
pub trait Manager {
    /// Version of the daemon.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> zbus::Result<String>;

    /// Programs that are connected to libmbim's proxy socket; see the XML for the keys.
    #[zbus(property(emits_changed_signal = "false"))]
    fn proxy_clients(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// How many programs were turned away since the daemon began, by the reason.
    #[zbus(property(emits_changed_signal = "false"))]
    fn proxy_turned_away(&self) -> zbus::Result<HashMap<String, u64>>;
}

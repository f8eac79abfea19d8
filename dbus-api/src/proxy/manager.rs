//! `org.mbimd.Mbimd1.Manager`.

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
}

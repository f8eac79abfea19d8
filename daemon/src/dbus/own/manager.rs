//! `org.mbimd.Mbimd1.Manager`.

/// The daemon as a whole.
pub(crate) struct Manager;

#[zbus::interface(name = "org.mbimd.Mbimd1.Manager", introspection_docs = false)]
impl Manager {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }
}

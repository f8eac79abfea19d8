//! `org.mbimd.Mbimd1.Provisioning`.

use std::collections::HashMap;

use zbus::{OwnedVariant, Variant};

/// Operators' account-provisioning documents.
#[zbus::proxy(
    interface = "org.mbimd.Mbimd1.Provisioning",
    default_service = "org.mbimd.Mbimd1",
    default_path = "/org/mbimd/Mbimd1"
)]
pub trait Provisioning {
    /// Apply a document.
    #[zbus(allow_interactive_auth)]
    fn apply(
        &self,
        document: &[u8],
        options: &HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<(u32, HashMap<String, OwnedVariant>)>;

    /// One job with its results document.
    #[zbus(allow_interactive_auth)]
    fn get_job(&self, job: u32) -> zbus::Result<HashMap<String, OwnedVariant>>;

    /// The jobs of this run of the daemon, oldest first, at most 32, without results documents.
    #[zbus(allow_interactive_auth)]
    fn list_jobs(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// Ask this program's user about signers whom nobody named before.
    #[zbus(allow_interactive_auth)]
    fn register_agent(&self, agent: &zbus::ObjectPath<'_>) -> zbus::Result<()>;

    /// Ask it no more.
    #[zbus(allow_interactive_auth)]
    fn unregister_agent(&self, agent: &zbus::ObjectPath<'_>) -> zbus::Result<()>;

    /// The signers that users approved, oldest first.
    #[zbus(allow_interactive_auth)]
    fn list_signers(&self) -> zbus::Result<Vec<HashMap<String, String>>>;

    /// Forget that a signer was approved.
    #[zbus(allow_interactive_auth)]
    fn revoke_signer(&self, fingerprint: &str) -> zbus::Result<()>;

    /// The documents that came, oldest first, at most 64.
    #[zbus(allow_interactive_auth)]
    fn list_documents(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// One of them with its steps.
    #[zbus(allow_interactive_auth)]
    fn get_document(&self, document: u32) -> zbus::Result<HashMap<String, OwnedVariant>>;

    /// Take away what documents of the same operator for the same customer set.
    #[zbus(allow_interactive_auth)]
    fn remove_document(&self, document: u32) -> zbus::Result<()>;

    /// Ask for a newer document.
    #[zbus(allow_interactive_auth)]
    fn refresh(&self, document: u32) -> zbus::Result<u32>;

    /// A job was taken, went on or ended.
    #[zbus(signal)]
    fn job_changed(&self, job: u32, details: HashMap<String, OwnedVariant>) -> zbus::Result<()>;
}

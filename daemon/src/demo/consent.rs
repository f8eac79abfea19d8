//! Documents that are signed: the operator's desk that signs what its site sends, and a user who is asked about the signer
//! by an agent on D-Bus, as a desktop's would be.

use std::collections::HashMap;

use daemon_verify::{DigestAlgorithm, Key, Method, Signing, certificates_in, sign};
use dbus_api::proxy::ProvisioningProxy;
use dbus_api::value::{Details, text};
use harness::virtual_operator::certificates::ServerCertificate;
use harness::virtual_operator::{Error, While};
use tokio::sync::mpsc;
use zbus::{Connection, ObjectPath, OwnedVariant, Variant};

use super::timeline::Entry;

const PATH: &str = "/org/mbimd/demo/agent";

/// Both of them.
pub(super) struct Consent {
    key: Key,
    certificates: Vec<Vec<u8>>,
    questions: mpsc::UnboundedReceiver<Details>,
}

/// The user: says yes, and tells what was asked.
struct User(mpsc::UnboundedSender<Details>);

#[zbus::interface(name = "org.mbimd.Mbimd1.Agent")]
impl User {
    fn approve_signer(&self, _job: u32, details: HashMap<String, OwnedVariant>) -> bool {
        // The demo may be over.
        let _ = self.0.send(details);
        true
    }

    fn cancel(&self, _job: u32) {}
}

impl Consent {
    /// Registers the agent.
    pub(super) async fn new(bus: &Connection, signer: &ServerCertificate) -> Result<Self, Error> {
        let doing = "registering the user's agent";
        let key = Key::from_pem(&signer.key).map_err(|why| Error::new("reading the signer's key", why))?;
        let (tell, questions) = mpsc::unbounded_channel();
        let path = ObjectPath::try_from(PATH).trying(doing)?;
        bus.object_server().at(&path, User(tell)).await.trying(doing)?;
        let provisioning = ProvisioningProxy::new(bus).await.trying(doing)?;
        provisioning.register_agent(&path).await.map_err(dbus_api::error::Error::from).trying(doing)?;
        Ok(Self { key, certificates: certificates_in(&signer.certificate), questions })
    }

    /// The document as the operator signs it.
    pub(super) fn signed(&self, document: &[u8]) -> Result<Vec<u8>, Error> {
        let signing = Signing {
            key: &self.key,
            certificates: &self.certificates,
            method: Method::Exclusive,
            signature: self.key.algorithm(),
            digest: DigestAlgorithm::Sha256,
        };
        sign(document, &signing).map_err(|why| Error::new("signing a document", why))
    }

    /// What the user was asked since the last time.
    pub(super) fn asked(&mut self) -> Option<Entry> {
        let details = self.questions.try_recv().ok()?;
        let [signer, root, fingerprint] =
            ["signer", "root", "fingerprint"].map(|key| text(&details, key).unwrap_or_default());
        let extended = matches!(details.get("extended-validation").map(|value| &**value), Some(Variant::Bool(true)));
        let validation = if extended { ", with extended validation" } else { "" };
        let entry = Entry::new("approved")
            .with("signer", signer.as_str())
            .with("root", root.as_str())
            .with("fingerprint", fingerprint.as_str())
            .with("extended_validation", extended)
            .line(format!("the user was asked about the signer, and said yes: {signer}"))
            .line(format!("certified by {root}{validation}; not asked again"));
        Some(entry)
    }
}

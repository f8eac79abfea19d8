//! `org.mbimd.Mbimd1.Connection`.

use std::collections::HashMap;

use zbus::{OwnedVariant, Variant};

/// The modem's default data connection and the settings of the SIM.
#[zbus::proxy(interface = "org.mbimd.Mbimd1.Connection", default_service = "org.mbimd.Mbimd1", assume_defaults = false)]
pub trait Connection {
    /// Connect.
    #[zbus(allow_interactive_auth)]
    fn connect(&self, options: &HashMap<&str, Variant<'_>>) -> zbus::Result<u64>;

    /// Disconnect, and do not connect by itself until the next Connect, plug or start of the daemon.
    #[zbus(allow_interactive_auth)]
    fn disconnect(&self) -> zbus::Result<u64>;

    /// Disconnect one session, and nothing else. For session 0 it is Disconnect.
    #[zbus(allow_interactive_auth)]
    fn disconnect_session(&self, session: u32) -> zbus::Result<u64>;

    /// Change stored settings of the SIM now present; they are kept per card.
    #[zbus(allow_interactive_auth)]
    fn set_settings(&self, changes: &HashMap<&str, Variant<'_>>, reset: &[&str]) -> zbus::Result<()>;

    /// A request of Connect, Disconnect or DisconnectSession has ended. Exactly one for each cookie.
    #[zbus(signal)]
    fn finished(&self, cookie: u64, error: &str, reason: &str, message: &str) -> zbus::Result<()>;

    /// "down", "activating", "configuring", "up", "deactivating" or "waiting" (for the next automatic attempt).
    #[zbus(property)]
    fn state(&self) -> zbus::Result<String>;

    /// MBIM session number.
    #[zbus(property)]
    fn session(&self) -> zbus::Result<u32>;

    /// Network interface that carries the connection; empty when there is none.
    #[zbus(property)]
    fn interface(&self) -> zbus::Result<String>;

    /// Access point in use or last tried, as in org.mbimd.Mbimd1.Modem.Candidates; empty before the first attempt.
    #[zbus(property)]
    fn candidate(&self) -> zbus::Result<HashMap<String, String>>;

    /// Addresses that the network gave, with prefix length, for example "10.64.0.2/30" or "2001:db8::2/64".
    #[zbus(property)]
    fn addresses(&self) -> zbus::Result<Vec<String>>;

    /// Gateways, at most one a family; none on a point-to-point link.
    #[zbus(property)]
    fn gateways(&self) -> zbus::Result<Vec<String>>;

    /// Name servers in the network's order.
    #[zbus(property)]
    fn dns(&self) -> zbus::Result<Vec<String>>;

    /// Largest packet in octets; 0 when the network gave none.
    #[zbus(property)]
    fn mtu(&self) -> zbus::Result<u32>;

    /// Why the last attempt failed or the connection went down: code and sentence.
    #[zbus(property)]
    fn error(&self) -> zbus::Result<(String, String)>;

    /// Attempts that failed in a row.
    #[zbus(property)]
    fn failures(&self) -> zbus::Result<u32>;

    /// Contexts beside the default one that the operator's documents name.
    #[zbus(property)]
    fn contexts(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// The sessions above 0, in the order of their numbers.
    #[zbus(property)]
    fn sessions(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// "autoconnect" (b), "roaming" (s: "home", "partner" or "any"), "apn" (s), "auth" (s), "ip-type" (s), "metric" (u,
    /// of the default routes; absent = the configuration's), "pin-store" (b).
    #[zbus(property)]
    fn settings(&self) -> zbus::Result<HashMap<String, OwnedVariant>>;
}

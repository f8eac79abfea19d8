//! Names on the bus.

/// Well-known name of the daemon.
pub const SERVICE: &str = "org.mbimd.Mbimd1";
/// Interface of the daemon as a whole, at [`crate::path::ROOT`].
pub const MANAGER: &str = "org.mbimd.Mbimd1.Manager";
/// Interface of account provisioning, at [`crate::path::ROOT`].
pub const PROVISIONING: &str = "org.mbimd.Mbimd1.Provisioning";
/// Interface of users' agents, which ask about the signer of a document; served by them.
pub const AGENT: &str = "org.mbimd.Mbimd1.Agent";
/// Interface of the device, its radio and its network, at each modem.
pub const MODEM: &str = "org.mbimd.Mbimd1.Modem";
/// Interface of the SIM, at each modem.
pub const SIM: &str = "org.mbimd.Mbimd1.Sim";
/// Interface of the default data connection, at each modem.
pub const CONNECTION: &str = "org.mbimd.Mbimd1.Connection";
/// Interface of the connectivity verdict, at each modem.
pub const CONNECTIVITY: &str = "org.mbimd.Mbimd1.Connectivity";
/// Interface of what was used with the SIM, at each modem.
pub const USAGE: &str = "org.mbimd.Mbimd1.Usage";
/// What the names of all our errors begin with.
pub const ERROR_PREFIX: &str = "org.mbimd.Mbimd1.Error.";

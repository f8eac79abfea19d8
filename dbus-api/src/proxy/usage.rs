//! `org.mbimd.Mbimd1.Usage`.

use std::collections::HashMap;

use zbus::OwnedVariant;

/// How much was used with the SIM.
#[zbus::proxy(interface = "org.mbimd.Mbimd1.Usage", default_service = "org.mbimd.Mbimd1", assume_defaults = false)]
pub trait Usage {
    /// Count now. The properties are new when it returns.
    #[zbus(allow_interactive_auth)]
    fn refresh(&self) -> zbus::Result<()>;

    /// Forget what was used, and begin anew from now.
    #[zbus(allow_interactive_auth)]
    fn reset(&self) -> zbus::Result<()>;

    /// What was used by day, oldest first.
    #[zbus(allow_interactive_auth)]
    fn get_days(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// When counting began, seconds since 1970; 0 = not known.
    #[zbus(property)]
    fn since(&self) -> zbus::Result<u64>;

    /// What was used at home, all sessions together.
    #[zbus(property)]
    fn home(&self) -> zbus::Result<HashMap<String, u64>>;

    /// What was used abroad.
    #[zbus(property)]
    fn roaming(&self) -> zbus::Result<HashMap<String, u64>>;

    /// Octets that connectivity tests cost; they are in the sums.
    #[zbus(property)]
    fn tests(&self) -> zbus::Result<u64>;

    /// Sessions that are up, with what passed over each since it came up.
    #[zbus(property)]
    fn sessions(&self) -> zbus::Result<Vec<HashMap<String, OwnedVariant>>>;

    /// A second count by the modem itself; empty when there is nothing to compare.
    #[zbus(property)]
    fn modem(&self) -> zbus::Result<HashMap<String, u64>>;

    /// The operator's data plan and how far it is used; empty where none is known.
    #[zbus(property)]
    fn plan(&self) -> zbus::Result<HashMap<String, OwnedVariant>>;

    /// A step of the plan was taken: octets used, and the limit (0 = none).
    #[zbus(signal)]
    fn step_reached(&self, used: u64, limit: u64) -> zbus::Result<()>;

    /// Whether octets cost money, in NetworkManager's numbers: 0 unknown, 1 yes, 2 no, 3 guess-yes.
    #[zbus(property)]
    fn metered(&self) -> zbus::Result<u32>;

    /// Metered as a word.
    #[zbus(property)]
    fn metered_name(&self) -> zbus::Result<String>;

    /// What says so.
    #[zbus(property)]
    fn metered_by(&self) -> zbus::Result<String>;
}

//! `org.mbimd.Mbimd1.Connectivity`.

use std::collections::HashMap;

/// Whether packets reach the Internet.
#[zbus::proxy(
    interface = "org.mbimd.Mbimd1.Connectivity",
    default_service = "org.mbimd.Mbimd1",
    assume_defaults = false
)]
pub trait Connectivity {
    /// Test now, whatever the schedule says. The verdict arrives as a change of the properties.
    #[zbus(allow_interactive_auth)]
    fn check(&self) -> zbus::Result<()>;

    /// The page of the operator where the subscriber buys or activates a plan.
    #[zbus(allow_interactive_auth)]
    fn get_portal_url(&self) -> zbus::Result<(String, String)>;

    /// 0 unknown (never tested, or testing is off), 1 none (no connection or no address), 2 portal (a walled garden was
    /// positively identified), 3 limited (connected, tests fail), 4 full.
    #[zbus(property)]
    fn state(&self) -> zbus::Result<u32>;

    /// State as a word.
    #[zbus(property)]
    fn state_name(&self) -> zbus::Result<String>;

    /// Why, in kebab-case, for example "redirect", "dns" or "tls"; empty when there is nothing to say.
    #[zbus(property)]
    fn reason(&self) -> zbus::Result<String>;

    /// For "ipv4", "ipv6" and "nat64" the verdict as in StateName and the reason as in Reason.
    #[zbus(property)]
    fn families(&self) -> zbus::Result<HashMap<String, (String, String)>>;

    /// The subscriber has to buy or activate something.
    #[zbus(property)]
    fn purchase_needed(&self) -> zbus::Result<bool>;

    /// GetPortalUrl has an answer.
    #[zbus(property)]
    fn portal_available(&self) -> zbus::Result<bool>;

    /// As the second value of GetPortalUrl; empty when there is none.
    #[zbus(property)]
    fn portal_source(&self) -> zbus::Result<String>;

    /// Host of the URL; empty when there is none.
    #[zbus(property)]
    fn portal_host(&self) -> zbus::Result<String>;

    /// What a program of the user is asked for: "none", "open", "open-elsewhere" or "notify".
    #[zbus(property)]
    fn hand_over(&self) -> zbus::Result<String>;

    /// What the last test saw, by part ("ipv4", "ipv6", "nat64", "link") and name.
    #[zbus(property)]
    fn evidence(&self) -> zbus::Result<HashMap<String, HashMap<String, String>>>;

    /// Octets, round trips and time of the last test, octets of the day and what the day allows.
    #[zbus(property)]
    fn cost(&self) -> zbus::Result<HashMap<String, u64>>;
}

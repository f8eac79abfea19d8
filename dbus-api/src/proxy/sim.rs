//! `org.mbimd.Mbimd1.Sim`.

use std::collections::HashMap;

/// The SIM in the modem.
#[zbus::proxy(interface = "org.mbimd.Mbimd1.Sim", default_service = "org.mbimd.Mbimd1", assume_defaults = false)]
pub trait Sim {
    /// Enter the PIN that the modem waits for.
    #[zbus(allow_interactive_auth)]
    fn enter_pin(&self, pin: &str) -> zbus::Result<()>;

    /// Have the SIM ask for its PIN at every start.
    #[zbus(allow_interactive_auth)]
    fn enable_pin(&self, pin: &str) -> zbus::Result<()>;

    /// Have the SIM no longer ask for its PIN at start.
    #[zbus(allow_interactive_auth)]
    fn disable_pin(&self, pin: &str) -> zbus::Result<()>;

    /// Change the PIN.
    #[zbus(allow_interactive_auth)]
    fn change_pin(&self, old_pin: &str, new_pin: &str) -> zbus::Result<()>;

    /// Unblock a SIM after too many wrong PINs.
    #[zbus(allow_interactive_auth)]
    fn unblock_pin(&self, puk: &str, new_pin: &str) -> zbus::Result<()>;

    /// The identities in full.
    #[zbus(allow_interactive_auth)]
    fn get_identity(&self) -> zbus::Result<HashMap<String, String>>;

    /// What operators' packages are matched with, most specific first.
    #[zbus(allow_interactive_auth)]
    fn get_hardware_ids(&self) -> zbus::Result<Vec<(String, String)>>;

    /// "unknown", "not-initialized", "initialized", "sim-not-inserted", "bad-sim", "failure", "not-activated", "device-
    /// locked" or "no-esim-profile"; a number in decimal when it has no name.
    #[zbus(property)]
    fn ready(&self) -> zbus::Result<String>;

    /// What the modem waits for, for example "pin1" or "puk1"; empty when nothing.
    #[zbus(property)]
    fn pin_required(&self) -> zbus::Result<String>;

    /// Attempts left for PinRequired; -1 when the modem does not tell or nothing is required.
    #[zbus(property)]
    fn pin_attempts(&self) -> zbus::Result<i32>;

    /// The subscriber's identity (or MIN), masked; empty until known.
    #[zbus(property)]
    fn imsi(&self) -> zbus::Result<String>;

    /// The card's number, masked; empty until known.
    #[zbus(property)]
    fn iccid(&self) -> zbus::Result<String>;

    /// Telephone numbers on the card, masked.
    #[zbus(property)]
    fn numbers(&self) -> zbus::Result<Vec<String>>;

    /// MCC and MNC of the home network, five or six digits; empty until known.
    #[zbus(property)]
    fn home_network(&self) -> zbus::Result<String>;

    /// Name of the home network; empty until known.
    #[zbus(property)]
    fn home_name(&self) -> zbus::Result<String>;
}

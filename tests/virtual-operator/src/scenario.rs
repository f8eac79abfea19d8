//! What kind of operator it is to be.

use serde::{Deserialize, Serialize};

/// How a subscriber without a plan is kept from the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Garden {
    /// Plain HTTP to anything is answered with a redirect to the portal; TLS as [`GardenTls`] says.
    Redirect,
    /// Packets to anything but the portal and the name server vanish.
    SilentDrop,
    /// There is none: everything is reachable.
    None,
}

/// What a TLS connection to anything but the portal meets inside a redirecting garden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GardenTls {
    /// The connection is reset.
    Reset,
    /// No answer ever comes.
    Timeout,
}

/// Which address families a session gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Families {
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Both.
    Dual,
}

impl Families {
    /// IPv4 is given.
    #[must_use]
    pub fn ipv4(self) -> bool {
        self != Self::Ipv6
    }

    /// IPv6 is given.
    #[must_use]
    pub fn ipv6(self) -> bool {
        self != Self::Ipv4
    }
}

/// An operator's behaviour as a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scenario {
    /// Name by which people ask for it.
    pub name: String,
    /// One line that tells what it shows.
    pub about: String,
    /// The subscriber has no plan at first and has to buy one.
    pub plan_needed: bool,
    /// A bought plan takes effect only after the modem has sent the operator's SERVICE_ACTIVATION.
    pub activation_needed: bool,
    /// Documents come through the browser, signed by somebody whom the machine does not know yet.
    pub signed: bool,
    /// How those without a plan are kept in.
    pub garden: Garden,
    /// TLS inside a redirecting garden.
    pub garden_tls: GardenTls,
    /// Address families.
    pub families: Families,
    /// APN that everyone may use; with a plan still inside the garden, if [`Self::plan_apn`] is another.
    pub apn: String,
    /// APN of those who have a plan; the account-provisioning document names it.
    pub plan_apn: String,
}

impl Scenario {
    /// All scenarios that have a name; the first is the default.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let garden = Self::garden();
        vec![
            garden.clone(),
            Self {
                name: "open".into(),
                about: "the plan is there already: online without a hand-over".into(),
                plan_needed: false,
                ..garden.clone()
            },
            Self {
                name: "silent-garden".into(),
                about: "as garden, but the network drops what it does not allow instead of redirecting".into(),
                garden: Garden::SilentDrop,
                ..garden.clone()
            },
            Self {
                name: "ipv6".into(),
                about: "as garden, with IPv6 only".into(),
                families: Families::Ipv6,
                ..garden.clone()
            },
            Self {
                name: "dual".into(),
                about: "as garden, with IPv4 and IPv6".into(),
                families: Families::Dual,
                ..garden.clone()
            },
            Self {
                name: "signed-web".into(),
                about: "as garden, but the site's documents are signed, and the user is asked about the signer".into(),
                signed: true,
                ..garden
            },
        ]
    }

    /// The scenario of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|s| s.name == name)
    }

    /// The whole main job: garden with redirect, plan to be bought, activation, another APN.
    #[must_use]
    pub fn garden() -> Self {
        Self {
            name: "garden".into(),
            about: "a SIM without a plan in a walled garden: buy, activate, provision, reconnect, online".into(),
            plan_needed: true,
            activation_needed: true,
            signed: false,
            garden: Garden::Redirect,
            garden_tls: GardenTls::Reset,
            families: Families::Ipv4,
            apn: "internet".into(),
            plan_apn: "plus.mobile.example".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scenario;

    #[test]
    fn names_are_unique_and_found() {
        let all = Scenario::all();
        for scenario in &all {
            assert_eq!(Scenario::named(&scenario.name).as_ref(), Some(scenario));
        }
        assert_eq!(Scenario::named("no-such"), None);
    }
}

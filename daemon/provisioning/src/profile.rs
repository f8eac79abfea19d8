//! The values that provisioning yields for the rest of the daemon. [PROV 4.2, 12.12]

use serde::{Deserialize, Serialize};

use crate::private::{Secret, stored_option};

/// Which of the two connection profiles of a subscription. [PROV 4.2]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// The one that the connection manager uses without asking; context type Internet.
    Default,
    /// The limited one that is used to buy a plan; context type Purchase.
    Purchase,
}

/// How the user name and password are sent. [PROV 4.3, 12.12]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// None; also where the document says nothing.
    #[default]
    None,
    /// PAP.
    Pap,
    /// CHAP.
    Chap,
    /// MS-CHAP version 2.
    MsChapV2,
}

/// A preferred roaming provider. [PROV 4.4]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoamingPartner {
    /// PLMN (GSM) or SID (CDMA), 1 to 6 digits.
    pub provider_id: String,
    /// 1 to 20 characters.
    pub provider_name: String,
}

/// A connection profile as a document ordered it. [PROV 4.2]
///
/// Its serialised form is for the protected store and holds the password in clear; everything
/// else shows [`crate::plan::StepView`], which does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedProfile {
    /// GUID of the organisation that wrote the document, with braces, lower case. Together with
    /// subscriber and name this is the profile's key: only a profile of the same carrier and
    /// subscriber is ever replaced.
    pub carrier_id: String,
    /// 1 to 255 characters.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// 0 to 9, lower is preferred, 5 where the document is silent.
    pub priority: u8,
    /// Name of the data plan that this profile's traffic counts against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associated_plan: Option<String>,
    /// The home provider's name, at most 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_provider_name: Option<String>,
    /// Access point name, at most 100 UTF-16 units; absent: the network's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apn: Option<String>,
    /// At most 255 UTF-16 units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// At most 255 UTF-16 units.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stored_option")]
    pub password: Option<Secret<String>>,
    /// How the two are sent.
    #[serde(default)]
    pub authentication: Authentication,
    /// Header and data compression.
    #[serde(default)]
    pub compression: bool,
    /// Preferred roaming providers in the document's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roaming_partners: Vec<RoamingPartner>,
}

impl ProvisionedProfile {
    /// Priority of a profile that names none. [PROV 4.2]
    pub const DEFAULT_PRIORITY: u8 = 5;

    /// The first of the two context strings that an MBIM CONNECT cannot carry, by name. The
    /// schema counts code points, MBIM counts UTF-16 units. [PROV 12.12]
    #[must_use]
    pub fn does_not_fit_mbim(&self) -> Option<&'static str> {
        let units = |text: &str| text.encode_utf16().count();
        if self.apn.as_deref().is_some_and(|text| units(text) > 100) {
            return Some("AccessString");
        }
        if self.username.as_deref().is_some_and(|text| units(text) > 255) {
            return Some("UserName");
        }
        let password = self.password.as_ref().map(Secret::reveal);
        password.is_some_and(|text| units(text) > 255).then_some("Password")
    }
}

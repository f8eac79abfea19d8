//! What is remembered of one subscriber (one ICCID) across restarts, as plain values that the store writes.

use mbim_proto::Secret;
use serde::{Deserialize, Serialize};

use crate::carrier::CarrierNetwork;
use crate::memory::Memory;
use crate::quota::Quota;
use crate::usage::Ledger;

/// Settings that a person chose for one SIM. Keys of `mbimctl settings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// Connect as soon as the modem is registered, and again when the network dropped the context.
    pub autoconnect: bool,
    /// Connect while roaming.
    pub roaming: RoamingPolicy,
    /// APN that stands before all others; `None` = choose by the operator's records.
    pub apn: Option<UserApn>,
    /// Metric of the default routes, 0…4294967295; `None` = the configuration's `route-metric`.
    pub metric: Option<u32>,
    /// Record that a person chose where several fit the SIM, `COUNTRY/NAME`; `None` = the first of them. `[OPER-060]`
    pub operator: Option<String>,
    /// What kind of subscription it is; it reorders access points.
    pub plan: Plan,
    /// Keep the PIN (sealed) when it is entered, and enter it by itself, once per plug; off forgets it.
    pub pin_store: bool,
    /// Whether octets cost money; `None` = by the plan and the network.
    pub metered: Option<bool>,
    /// How the operator's page is handed over.
    pub hand_over: HandOverPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            autoconnect: true,
            roaming: RoamingPolicy::Home,
            apn: None,
            metric: None,
            operator: None,
            plan: Plan::Unknown,
            pin_store: false,
            metered: None,
            hand_over: HandOverPolicy::Ask,
        }
    }
}

/// How a subscription is paid. `[OPER 3.6]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// Nobody said.
    #[default]
    Unknown,
    /// In advance.
    Prepaid,
    /// By bill.
    Postpaid,
}

/// How a person is brought to the operator's page. `[OPER 5]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandOverPolicy {
    /// Asked first: the page's address names subscriber and device.
    #[default]
    Ask,
    /// Opened at once.
    Always,
    /// Asked first, and the address names nobody.
    NeverIdentify,
}

/// Where data may be used. `[OPER 3.8]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoamingPolicy {
    /// In the home network and its equivalents only.
    #[default]
    Home,
    /// Also where the modem reports a partner network.
    Partner,
    /// Everywhere.
    Any,
}

/// An APN that a person gave.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct UserApn {
    /// Access point name.
    pub apn: String,
    /// User name; empty = none.
    pub user: String,
    /// Password; empty = none. Never printed.
    #[serde(with = "in_clear")]
    pub password: Secret<String>,
    /// `none`, `pap`, `chap`, `mschapv2`; empty = by the rule of `[OPER 3.7]`.
    pub auth: String,
    /// `ipv4`, `ipv6`, `ipv4v6`; empty = default.
    pub ip_type: String,
}

impl core::fmt::Debug for UserApn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("UserApn")
            .field("apn", &self.apn)
            .field("user", &"###")
            .field("password", &"###")
            .field("auth", &self.auth)
            .field("ip_type", &self.ip_type)
            .finish()
    }
}

/// A connection profile that an account-provisioning document brought. `[PROV 4.2]`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ProvisionedProfile {
    /// Name of the profile as the operator wrote it.
    pub name: String,
    /// Access point name; empty = the network's default.
    pub apn: String,
    /// User name; empty = none.
    pub user: String,
    /// Password; empty = none. Never printed.
    #[serde(with = "in_clear")]
    pub password: Secret<String>,
    /// `none`, `pap`, `chap`, `mschapv2`; empty = none.
    pub auth: String,
    /// CarrierId of the document that brought it.
    pub carrier_id: String,
}

impl core::fmt::Debug for ProvisionedProfile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ProvisionedProfile")
            .field("name", &self.name)
            .field("apn", &self.apn)
            .field("user", &"###")
            .field("password", &"###")
            .field("auth", &self.auth)
            .field("carrier_id", &self.carrier_id)
            .finish()
    }
}

/// Everything that the store keeps for one ICCID.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct SubscriberState {
    /// What the person chose.
    pub settings: Settings,
    /// Profile that provisioning set for ordinary use (layer 1 of `[OPER 3.4]`).
    pub default_profile: Option<ProvisionedProfile>,
    /// Profile that provisioning set for buying a plan.
    pub purchase_profile: Option<ProvisionedProfile>,
    /// What documents say of the operator's network beside that.
    pub network: Option<CarrierNetwork>,
    /// Candidate that last led to full connectivity, at home and while roaming: APN and user joined as the
    /// candidate's key in `[OPER 3.6]`.
    pub last_good_home: Option<String>,
    /// As [`Self::last_good_home`], while roaming.
    pub last_good_roaming: Option<String>,
    /// What was found out about the network and still holds.
    pub memory: Memory,
    /// How much was used with it.
    pub usage: Ledger,
    /// The data plan that the operator's document gives it.
    pub quota: Option<Quota>,
    /// PIN1 to be entered by itself. No part of the plain content: whoever stores the rest seals this.
    #[serde(skip)]
    pub pin: Option<Secret<String>>,
}

impl SubscriberState {
    /// Forgets what documents of this operator (CarrierId) brought; whether there was anything.
    pub fn forget_profiles(&mut self, carrier: &str) -> bool {
        let plan = self.quota.take_if(|quota| quota.carrier_id.eq_ignore_ascii_case(carrier));
        let is_theirs = |profile: &mut ProvisionedProfile| profile.carrier_id.eq_ignore_ascii_case(carrier);
        let gone = [self.default_profile.take_if(is_theirs), self.purchase_profile.take_if(is_theirs)];
        let any = gone.iter().any(Option::is_some);
        let network = self.network.take_if(|network| network.carrier_id.eq_ignore_ascii_case(carrier));
        if any {
            // What was found out about the old list no longer counts.
            self.last_good_home = None;
            self.last_good_roaming = None;
        }
        any || plan.is_some() || network.is_some()
    }
}

/// A password as a text: whoever stores it takes it out and seals it.
mod in_clear {
    use mbim_proto::Secret;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(password: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(password.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

//! What documents have ordered for one subscriber of one carrier, apart from the connection
//! profiles, which are kept with the SIM. A value: who keeps it decides where. [PROV 12.5, 12.6, 12.8]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::branding::Branding;
use crate::document::extensions::{Contexts, Metadata};
use crate::document::plans::DataPlan;
use crate::document::refresh::Refresh;
use crate::private::{Personal, Secret, stored};
use crate::profile::{ProvisionedProfile, Slot};

/// Everything kept for a carrier and a subscriber. Its serialised form holds secrets in clear and
/// belongs in the protected store only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    plans: Vec<DataPlan>,
    /// Connection profiles without what the modem needs of them.
    profiles: BTreeMap<Slot, ProvisionedProfile>,
    wlan: Vec<StoredWlan>,
    rules: Vec<StoredRule>,
    branding: Option<Branding>,
    refresh: Option<Refresh>,
    metadata: Option<Metadata>,
    contexts: Option<Contexts>,
}

/// A Wi-Fi profile, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredWlan {
    name: String,
    associated_plan: Option<String>,
    #[serde(with = "stored")]
    xml: Secret<String>,
}

/// A message rule, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRule {
    id: Option<String>,
    xml: String,
}

/// One thing to keep, or to forget.
///
/// The serialised form holds secrets in clear and belongs in the protected store only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A plan, or the part of it that the document brings.
    Plan(DataPlan),
    /// What the modem does not need to know of a connection profile.
    Profile(Slot, Box<ProvisionedProfile>),
    /// All rules go, for those that follow.
    ForgetRules,
    /// One more rule.
    Rule(StoredRule),
    /// Name and logo.
    Branding(Branding),
    /// MTU, DNS, names, telephone number.
    Metadata(Metadata),
    /// Additional contexts.
    Contexts(Contexts),
    /// A Wi-Fi profile, new or instead of the former one of its name.
    Wlan(StoredWlan),
    /// All Wi-Fi profiles go but those of these names.
    KeepWlan(Vec<String>),
    /// Where a newer document is.
    Refresh(Box<Refresh>),
    /// No newer document is to be fetched.
    ForgetRefresh,
    /// A part of what a step before keeps as a whole.
    Part,
}

impl StoredWlan {
    pub(crate) const fn new(name: String, associated_plan: Option<String>, xml: Secret<String>) -> Self {
        Self { name, associated_plan, xml }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `WLANProfile` element, with every namespace declared, keys and passwords in it.
    #[must_use]
    pub const fn xml(&self) -> &Secret<String> {
        &self.xml
    }
}

impl StoredRule {
    pub(crate) const fn new(id: Option<String>, xml: String) -> Self {
        Self { id, xml }
    }

    /// What it is called, if anything.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The `Message` element, with every namespace declared.
    #[must_use]
    pub fn xml(&self) -> &str {
        &self.xml
    }
}

impl Change {
    /// The profile without access point and credentials.
    pub(crate) fn profile(slot: Slot, profile: &ProvisionedProfile) -> Self {
        let rest = ProvisionedProfile { apn: None, username: None, password: None, ..profile.clone() };
        Self::Profile(slot, Box::new(rest))
    }
}

impl Stored {
    /// Data plans.
    #[must_use]
    pub fn plans(&self) -> &[DataPlan] {
        &self.plans
    }

    /// The plan that the connection profile counts against, if it names one that is known. [PROV 12.10]
    #[must_use]
    pub fn plan_of(&self, slot: Slot) -> Option<&DataPlan> {
        let name = self.profiles.get(&slot)?.associated_plan.as_deref()?;
        self.plans.iter().find(|plan| plan.name == name)
    }

    /// Wi-Fi profiles.
    #[must_use]
    pub fn wlan(&self) -> &[StoredWlan] {
        &self.wlan
    }

    /// Message rules, in the order in which they are tried.
    #[must_use]
    pub fn rules(&self) -> &[StoredRule] {
        &self.rules
    }

    /// Name and logo.
    #[must_use]
    pub const fn branding(&self) -> Option<&Branding> {
        self.branding.as_ref()
    }

    /// Where a newer document is.
    #[must_use]
    pub const fn refresh(&self) -> Option<&Refresh> {
        self.refresh.as_ref()
    }

    /// MTU, DNS, names, telephone number.
    #[must_use]
    pub const fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// Additional contexts.
    #[must_use]
    pub const fn contexts(&self) -> Option<&Contexts> {
        self.contexts.as_ref()
    }

    /// Whether the profile brings something that is neither known nor for the modem.
    pub(crate) fn lacks(&self, slot: Slot, profile: &ProvisionedProfile) -> bool {
        let known = self
            .profiles
            .get(&slot)
            .is_some_and(|known| matches!(Change::profile(slot, profile), Change::Profile(_, rest) if *rest == *known));
        let says_more = profile.associated_plan.is_some()
            || profile.description.is_some()
            || profile.home_provider_name.is_some()
            || !profile.roaming_partners.is_empty()
            || profile.priority != ProvisionedProfile::DEFAULT_PRIORITY;
        !known && (says_more || self.profiles.contains_key(&slot))
    }

    /// Whether some kept profile counts against that plan.
    pub(crate) fn refers_to(&self, plan: &str) -> bool {
        let mbn = self.profiles.values().map(|profile| &profile.associated_plan);
        let wlan = self.wlan.iter().map(|profile| &profile.associated_plan);
        mbn.chain(wlan).any(|name| name.as_deref() == Some(plan))
    }

    /// Makes one change; tells whether anything is different now.
    pub fn apply(&mut self, change: &Change) -> bool {
        match change {
            Change::Plan(plan) => self.plan(plan),
            Change::Profile(slot, profile) => {
                let former = self.profiles.insert(*slot, (**profile).clone());
                former.as_ref() != Some(profile)
            }
            Change::ForgetRules => replace(&mut self.rules, Vec::new()),
            Change::Rule(rule) => {
                self.rules.push(rule.clone());
                true
            }
            Change::Branding(branding) => replace(&mut self.branding, Some(branding.clone())),
            Change::Metadata(metadata) => replace(&mut self.metadata, Some(metadata.clone())),
            Change::Contexts(contexts) => replace(&mut self.contexts, Some(contexts.clone())),
            Change::Wlan(profile) => match self.wlan.iter_mut().find(|known| known.name == profile.name) {
                Some(known) => replace(known, profile.clone()),
                None => {
                    self.wlan.push(profile.clone());
                    true
                }
            },
            Change::KeepWlan(names) => {
                let before = self.wlan.len();
                self.wlan.retain(|profile| names.contains(&profile.name));
                self.wlan.len() != before
            }
            Change::Refresh(refresh) => replace(&mut self.refresh, Some((**refresh).clone())),
            Change::ForgetRefresh => self.refresh.take().is_some(),
            Change::Part => false,
        }
    }

    /// A description keeps the usage that is known; usage keeps the description, and counts only
    /// if it is not older than what is known. Usage of a plan that nobody described is not kept.
    /// [PROV 12.5]
    fn plan(&mut self, new: &DataPlan) -> bool {
        let Some(known) = self.plans.iter_mut().find(|known| known.name == new.name) else {
            let described = new.description.is_some();
            if described {
                self.plans.push(new.clone());
            }
            return described;
        };
        let before = known.clone();
        if new.description.is_some() {
            known.description = new.description;
        }
        if let Some(usage) = new.usage
            && known.usage.is_none_or(|known| usage.at >= known.at)
        {
            known.usage = Some(usage);
        }
        before != *known
    }
}

fn replace<T: PartialEq>(place: &mut T, value: T) -> bool {
    let changed = *place != value;
    *place = value;
    changed
}

/// The key under which it is kept: a text that no other carrier or subscriber has, because a
/// GUID has no white space.
pub(crate) fn owner_key(carrier_id: &str, subscriber_id: &Personal<String>) -> Personal<String> {
    Personal::new(format!("{} {}", carrier_id.to_ascii_lowercase(), subscriber_id.reveal()))
}

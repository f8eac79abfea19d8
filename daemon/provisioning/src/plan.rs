//! Document and facts to steps. [PROV 12.1, step 9 on]
//!
//! A plan is a value: making one does nothing, and printing one prints no secret.

mod view;

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::binding::{Binding, bind};
use crate::code::Code;
use crate::document::extensions::{Contexts, Metadata};
use crate::document::plans::DataPlan;
use crate::document::{self, Content, Directive, Document, WlanProfile};
use crate::facts::{Facts, ModemFacts};
use crate::ledger::Owner;
use crate::private::{Personal, Secret, stored, stored_personal};
use crate::profile::{ProvisionedProfile, Slot};
use crate::signer::{Signed, TrustedCertificate};
use crate::stored::{Change, Stored, StoredRule, StoredWlan, owner_key};

pub use view::{PlanView, StepView};

/// Octets of activation data that a command can carry at most. [PROV 16]
const MAX_ACTIVATION_DATA: usize = 4096;

/// The code of what is kept while nothing acts on it yet.
const NO_EFFECT_YET: Code = Code::NO_EFFECT;

/// The stable name of a step, such as `mbn/default`: the same document has the same names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The element of the document that a step answers for, and its place in the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Element {
    /// `Activation`.
    Activation,
    /// `MBNProfiles` that holds nothing.
    MbnProfiles,
    /// `DefaultProfile`, with its name.
    DefaultProfile(String),
    /// `PurchaseProfile`, with its name.
    PurchaseProfile(String),
    /// A `Message`, counted from 1.
    Message(usize),
    /// `Branding`.
    Branding,
    /// `WLANProfiles` that holds nothing.
    WlanProfiles,
    /// A `WLANProfile`, with its name.
    WlanProfile(String),
    /// A `Plan`, with its name.
    Plan(String),
    /// `Provisioning` that holds nothing.
    Provisioning,
    /// `TrustedCertificates`.
    TrustedCertificate,
    /// `RefreshParameters`.
    RefreshParameters,
    /// `CarrierNetworkMetadata` that holds nothing.
    CarrierNetworkMetadata,
    /// `NetworkSettings`.
    NetworkSettings,
    /// `DataClassFriendlyNames`.
    DataClassFriendlyNames,
    /// `CustomerSupportPhoneNumber`.
    CustomerSupportPhoneNumber,
    /// `AdditionalPDPContexts` that asks for nothing.
    AdditionalPdpContexts,
    /// A `PDPContextPolicy`, with its name.
    PdpContextPolicy(String),
    /// `TetheringProfile`, with its name; empty where there is only a limit of devices.
    TetheringProfile(String),
}

/// What a step does.
///
/// The serialised form holds secrets in clear and belongs in the protected store only; for people
/// and programs there is [`Plan::view`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Stage a connection profile.
    StoreProfile {
        /// Which of the two.
        slot: Slot,
        /// Its values.
        profile: Box<ProvisionedProfile>,
    },
    /// Remember the certificates that later documents of this carrier may be signed with, in the place of those that it
    /// named before.
    TrustCertificates {
        /// As the document names them.
        certificates: Vec<TrustedCertificate>,
    },
    /// Write all that was staged, atomically.
    Commit,
    /// Activate, in attempts.
    Activate(Activation),
    /// Nothing: it is already so.
    Identity,
    /// Stage something that is kept for the subscriber.
    Keep {
        /// What to keep, or to forget.
        change: Box<Change>,
        /// The element's code in the results, once it is kept.
        code: Code,
    },
    /// Nothing: it cannot be done, for the reason that the code tells.
    Refuse {
        /// The element's code in the results.
        code: Code,
        /// More about it, perhaps nothing; no value of the document.
        detail: String,
    },
}

impl Action {
    const fn refuse(code: Code) -> Self {
        Self::Refuse { code, detail: String::new() }
    }

    fn unusable(detail: impl Into<String>) -> Self {
        Self::Refuse { code: Code::CONTENT_UNUSABLE, detail: detail.into() }
    }

    fn keep(change: Change, code: Code) -> Self {
        Self::Keep { change: Box::new(change), code }
    }
}

/// An activation with its schedule. [PROV 4.1, 12.7]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// What each attempt does.
    pub method: Method,
    /// From the commit to the first attempt, below one hour.
    pub delay: Duration,
    /// Attempts after the first, at most 10.
    pub retry_count: u32,
    /// From the end of a failed attempt to the next, one minute to one hour.
    pub retry_interval: Duration,
}

/// The three ways to activate. [PROV 4.1]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Hand octets to the device, unchanged.
    ServiceActivation {
        /// The octets, at most 4096, perhaps none.
        #[serde(with = "stored")]
        data: Secret<Vec<u8>>,
    },
    /// Deactivate and activate the context.
    Reconnect,
    /// Radio off and on, register, attach, connect.
    Reregister,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// What it answers for; none for the commit.
    pub element: Option<Element>,
    /// What it does.
    pub action: Action,
}

/// Steps in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub(crate) carrier_id: String,
    #[serde(with = "stored_personal")]
    pub(crate) subscriber_id: Personal<String>,
    pub(crate) target: Option<u32>,
    /// Whose signature the document has, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed: Option<Signed>,
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// All steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The modem that the document is for, if it is present and ready.
    #[must_use]
    pub const fn target(&self) -> Option<u32> {
        self.target
    }

    /// Under what is kept what documents of this carrier ordered for this customer.
    #[must_use]
    pub fn owner_key(&self) -> Personal<String> {
        owner_key(&self.carrier_id, &self.subscriber_id)
    }

    /// Whose document it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { carrier_id: self.carrier_id.to_ascii_lowercase(), subscriber_id: self.subscriber_id.clone() }
    }

    /// Whose certificate the document's signature has.
    #[must_use]
    pub const fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }

    /// The plan without its secrets, to print or to send.
    #[must_use]
    pub fn view(&self) -> PlanView {
        view::of(self)
    }
}

/// Makes the plan of a document on this machine.
#[must_use]
pub fn plan(document: &Document, facts: &Facts) -> Plan {
    let content = document.content();
    let binding = bind(&content.global, facts);
    let planner = Planner {
        content,
        stored: &facts.stored,
        dns_retry: facts.dns_retry,
        modem: binding.modem(facts),
        unbound: match binding {
            Binding::Modem(_) => None,
            Binding::NotReady => Some(Code::NOT_READY),
            Binding::NoMatch => Some(Code::NOT_PRESENT),
        },
        steps: Vec::new(),
    };
    Plan {
        carrier_id: content.global.carrier_id_text.clone(),
        subscriber_id: content.global.subscriber_id.clone(),
        target: planner.modem.map(|modem| modem.id),
        signed: document.signed.clone(),
        steps: planner.steps(),
    }
}

struct Planner<'a> {
    content: &'a Content,
    stored: &'a Stored,
    dns_retry: bool,
    modem: Option<&'a ModemFacts>,
    /// What everything that needs the modem comes to, where there is none.
    unbound: Option<Code>,
    steps: Vec<Step>,
}

impl Planner<'_> {
    /// The order is that of [PROV 12.1].
    fn steps(mut self) -> Vec<Step> {
        let content = self.content;
        let provisioning = content.provisioning.as_ref();
        if let Some(certificates) = provisioning.and_then(|p| p.certificates.clone()) {
            let action = Action::TrustCertificates { certificates };
            self.push("provisioning/certificates", Element::TrustedCertificate, action);
        }
        for (number, plan) in (1..).zip(&content.plans) {
            let action = self.data_plan(plan);
            self.push(format!("plans/{number}"), Element::Plan(plan.name.clone()), action);
        }
        if let Some(mbn) = &content.mbn {
            self.mbn(mbn);
        }
        if let Some(metadata) = &content.metadata {
            self.metadata(metadata);
        }
        if let Some(contexts) = &content.contexts {
            self.contexts(contexts);
        }
        if let Some(profiles) = &content.wlan {
            self.wlan(profiles);
        }
        if let Some(provisioning) = provisioning {
            self.refresh(provisioning);
        }
        let stages = |step: &Step| matches!(step.action, Action::StoreProfile { .. } | Action::Keep { .. });
        if self.steps.iter().any(stages) {
            self.silently("commit", Action::Commit);
        }
        if let Some(activation) = &content.activation {
            let action = self.activation(activation);
            self.push("activation", Element::Activation, action);
        }
        self.steps
    }

    fn push(&mut self, id: impl Into<String>, element: Element, action: Action) {
        self.steps.push(Step { id: StepId(id.into()), element: Some(element), action });
    }

    /// A step that no element of the results answers for.
    fn silently(&mut self, id: impl Into<String>, action: Action) {
        self.steps.push(Step { id: StepId(id.into()), element: None, action });
    }

    /// What needs the modem is refused where there is none, before anything else is asked.
    fn push_on_modem(&mut self, id: impl Into<String>, element: Element, action: Action) {
        let action = self.unbound.map_or(action, Action::refuse);
        self.push(id, element, action);
    }

    /// [PROV 12.5]: usage alone is for a plan that is known here; a plan is for profiles, those
    /// of the document if it has any, else those that earlier documents left.
    fn data_plan(&self, plan: &DataPlan) -> Action {
        let is_known = self.stored.plans().iter().any(|known| known.name == plan.name);
        if plan.description.is_none() && !is_known {
            return Action::refuse(Code::PLAN_NOT_KNOWN);
        }
        let mbn = self.content.mbn.iter().flat_map(|mbn| [&mbn.default, &mbn.purchase]).flatten();
        let wlan = self.content.wlan.iter().flatten();
        let names: Vec<_> = mbn.map(|p| &p.associated_plan).chain(wlan.map(|p| &p.associated_plan)).collect();
        let is_meant = match names.as_slice() {
            [] => self.stored.refers_to(&plan.name),
            names => names.iter().any(|name| name.as_ref() == Some(&plan.name)),
        };
        let code = if is_meant || plan.description.is_none() { Code::OK } else { Code::PLAN_UNREFERENCED };
        Action::keep(Change::Plan(plan.clone()), code)
    }

    /// Whether a profile names a plan that the document does not have.
    fn lacks_plan(&self, name: Option<&String>) -> bool {
        name.is_some_and(|name| !self.content.plans.iter().any(|plan| plan.name == *name))
    }

    fn mbn(&mut self, mbn: &document::MbnProfiles) {
        let before = self.steps.len();
        if let Some(profile) = &mbn.default {
            let stored = self.modem.and_then(|modem| modem.default_profile.as_ref());
            let action = self.profile(Slot::Default, profile, stored);
            self.push("mbn/default", Element::DefaultProfile(profile.name.clone()), action);
            self.rest_of(Slot::Default, profile);
        }
        if let Some(profile) = &mbn.purchase {
            let stored = self.modem.and_then(|modem| modem.purchase_profile.as_ref());
            let action = self.profile(Slot::Purchase, profile, stored);
            self.push("mbn/purchase", Element::PurchaseProfile(profile.name.clone()), action);
            self.rest_of(Slot::Purchase, profile);
        }
        if let Some(rules) = &mbn.rules {
            if self.unbound.is_none() {
                self.silently("mbn/messages", Action::keep(Change::ForgetRules, Code::OK));
            }
            for (position, rule) in (1..).zip(rules) {
                let action = match &rule.problem {
                    Some(problem) => Action::unusable(problem.clone()),
                    None => {
                        let rule = StoredRule::new(rule.id.clone(), rule.xml.clone());
                        Action::keep(Change::Rule(rule), NO_EFFECT_YET)
                    }
                };
                self.push_on_modem(format!("mbn/messages/{position}"), Element::Message(position), action);
            }
        }
        match &mbn.branding {
            Some(Ok(branding)) => {
                let action = Action::keep(Change::Branding(branding.clone()), NO_EFFECT_YET);
                self.push_on_modem("mbn/branding", Element::Branding, action);
            }
            Some(Err(problem)) => self.push_on_modem("mbn/branding", Element::Branding, Action::unusable(*problem)),
            None => {}
        }
        if self.steps.len() == before {
            self.push("mbn", Element::MbnProfiles, Action::Identity);
        }
    }

    /// What the modem's own store of profiles has no place for, where the profile is accepted.
    fn rest_of(&mut self, slot: Slot, profile: &ProvisionedProfile) {
        if let Some(Step { id, action: Action::StoreProfile { .. } | Action::Identity, .. }) = self.steps.last()
            && self.stored.lacks(slot, profile)
        {
            let id = format!("{id}/rest");
            self.silently(id, Action::keep(Change::profile(slot, profile), Code::OK));
        }
    }

    fn profile(&self, slot: Slot, profile: &ProvisionedProfile, stored: Option<&ProvisionedProfile>) -> Action {
        if let Some(code) = self.unbound {
            return Action::refuse(code);
        }
        if self.lacks_plan(profile.associated_plan.as_ref()) {
            return Action::refuse(Code::PLAN_NOT_IN_FILE);
        }
        if let Some(problem) = does_not_fit(profile) {
            return problem;
        }
        if stored == Some(profile) {
            return Action::Identity;
        }
        Action::StoreProfile { slot, profile: Box::new(profile.clone()) }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        let parts = [
            ("extensions/network-settings", Element::NetworkSettings, metadata.network_settings.is_some()),
            ("extensions/friendly-names", Element::DataClassFriendlyNames, metadata.friendly_names.is_some()),
            ("extensions/phone-number", Element::CustomerSupportPhoneNumber, metadata.phone_number.is_some()),
        ];
        let mut whole = Some(Change::Metadata(metadata.clone()));
        let asks_again = metadata.network_settings.is_some_and(|settings| settings.dns_retry.is_some());
        for (id, element, _) in parts.into_iter().filter(|(_, _, is_there)| *is_there) {
            let change = whole.take().unwrap_or(Change::Part);
            let in_vain = element == Element::NetworkSettings && asks_again && !self.dns_retry;
            self.push_on_modem(id, element, Action::keep(change, if in_vain { Code::NO_EFFECT } else { Code::OK }));
        }
        if let Some(whole) = whole {
            // What an earlier document said goes.
            let says = self.stored.metadata().is_some();
            let action = if says { Action::keep(whole, Code::OK) } else { Action::Identity };
            self.push_on_modem("extensions/metadata", Element::CarrierNetworkMetadata, action);
        }
    }

    /// Kept whole with the first part, but for contexts that no modem can carry.
    fn contexts(&mut self, contexts: &Contexts) {
        let before = self.steps.len();
        let fitting = Contexts {
            policies: contexts.policies.iter().filter(|p| p.context.does_not_fit_mbim().is_none()).cloned().collect(),
            tethering: contexts.tethering.clone().filter(|profile| profile.does_not_fit_mbim().is_none()),
            ..*contexts
        };
        let mut whole = Some(Change::Contexts(fitting));
        let mut kept = |code| Action::keep(whole.take().unwrap_or(Change::Part), code);
        for (number, policy) in (1..).zip(&contexts.policies) {
            let action = does_not_fit(&policy.context).unwrap_or_else(|| kept(Code::OK));
            let element = Element::PdpContextPolicy(policy.context.name.clone());
            self.push_on_modem(format!("extensions/contexts/{number}"), element, action);
        }
        if contexts.tethering.is_some() || contexts.max_devices.is_some() {
            let name = contexts.tethering.as_ref().map(|profile| profile.name.clone()).unwrap_or_default();
            // Nothing shares the connection that a number of devices could limit.
            let code = if contexts.tethering.is_some() { Code::OK } else { NO_EFFECT_YET };
            let action = contexts.tethering.as_ref().and_then(does_not_fit).unwrap_or_else(|| kept(code));
            self.push_on_modem("extensions/tethering", Element::TetheringProfile(name), action);
        }
        if self.steps.len() == before {
            // What an earlier document said goes.
            let says = !contexts.allowed || self.stored.contexts().is_some();
            let action = if says { kept(Code::OK) } else { Action::Identity };
            self.push_on_modem("extensions/contexts", Element::AdditionalPdpContexts, action);
        }
    }

    /// Replaces all: what the document does not list goes, after the new ones are there; one that
    /// cannot be kept leaves its former version. [PROV 12.6]
    fn wlan(&mut self, profiles: &[WlanProfile]) {
        for (number, profile) in (1..).zip(profiles) {
            let action = if self.lacks_plan(profile.associated_plan.as_ref()) {
                Action::refuse(Code::PLAN_NOT_IN_FILE)
            } else if profile.verdict.is_failure() {
                Action::refuse(profile.verdict)
            } else {
                let code = if profile.verdict == Code::OK { NO_EFFECT_YET } else { profile.verdict };
                let plan = profile.associated_plan.clone();
                let kept = StoredWlan::new(profile.name.clone(), plan, profile.xml.clone());
                Action::keep(Change::Wlan(kept), code)
            };
            self.push(format!("wlan/{number}"), Element::WlanProfile(profile.name.clone()), action);
        }
        let names: Vec<_> = profiles.iter().map(|profile| profile.name.clone()).collect();
        let goes = self.stored.wlan().iter().any(|known| !names.iter().any(|name| name == known.name()));
        let action = if goes { Action::keep(Change::KeepWlan(names), Code::OK) } else { Action::Identity };
        match (profiles.is_empty(), goes) {
            (true, _) => self.push("wlan", Element::WlanProfiles, action),
            (false, true) => self.silently("wlan", action),
            (false, false) => {}
        }
    }

    fn refresh(&mut self, provisioning: &document::Provisioning) {
        match &provisioning.refresh {
            Some(Ok(refresh)) => {
                let code = if provisioning.is_prose { Code::PROSE_SPELLING } else { Code::OK };
                let action = Action::keep(Change::Refresh(Box::new(refresh.clone())), code);
                self.push("provisioning/refresh", Element::RefreshParameters, action);
            }
            Some(Err(problem)) => {
                self.push("provisioning/refresh", Element::RefreshParameters, Action::unusable(*problem));
            }
            None => {
                let action = match self.stored.refresh() {
                    Some(_) => Action::keep(Change::ForgetRefresh, Code::OK),
                    None => Action::Identity,
                };
                if provisioning.certificates.is_none() {
                    self.push("provisioning", Element::Provisioning, action);
                } else if action != Action::Identity {
                    self.silently("provisioning/refresh", action);
                }
            }
        }
    }

    fn activation(&self, ordered: &document::Activation) -> Action {
        if let Some(code) = self.unbound {
            return Action::refuse(code);
        }
        let method = match &ordered.directive {
            Directive::Reconnect => Method::Reconnect,
            Directive::Reregister => Method::Reregister,
            Directive::ServiceActivation(data) => {
                if data.reveal().len() > MAX_ACTIVATION_DATA {
                    return Action::refuse(Code::INVALID_PARAMETER);
                }
                if self.modem.and_then(|modem| modem.service_activation) == Some(false) {
                    return Action::refuse(Code::NOT_SUPPORTED);
                }
                Method::ServiceActivation { data: data.clone() }
            }
        };
        Action::Activate(Activation {
            method,
            delay: ordered.delay,
            retry_count: ordered.retry_count,
            retry_interval: ordered.retry_interval,
        })
    }
}

/// The refusal of a profile that MBIM cannot carry.
fn does_not_fit(profile: &ProvisionedProfile) -> Option<Action> {
    let what = profile.does_not_fit_mbim()?;
    Some(Action::Refuse { code: Code::BAD_PROFILE, detail: format!("{what}: too long for the modem") })
}

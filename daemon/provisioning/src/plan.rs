//! Document and facts to steps. [PROV 12.1, step 9 on]
//!
//! A plan is a value: making one does nothing, and printing one prints no secret.

mod view;

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::binding::{Binding, bind};
use crate::code::Code;
use crate::document::{self, Content, Contexts, Directive, Document, Metadata};
use crate::facts::{Facts, ModemFacts};
use crate::private::{Personal, Secret, stored, stored_personal};
use crate::profile::{ProvisionedProfile, Slot};

pub use view::{PlanView, StepView};

/// Octets of activation data that a command can carry at most. [PROV 16]
const MAX_ACTIVATION_DATA: usize = 4096;

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
    /// Write all that was staged, atomically.
    Commit,
    /// Activate, in attempts.
    Activate(Activation),
    /// Nothing: it is already so.
    Identity,
    /// Nothing: it cannot be done, for the reason that the code tells.
    Refuse {
        /// The element's code in the results.
        code: Code,
    },
    /// Nothing: understood, but this version neither stores nor applies it.
    NotAppliedYet,
}

impl Action {
    /// The code of an element that this version understands but neither stores nor applies. It is
    /// an error and not the warning [`Code::NO_EFFECT`], because that one promises that the
    /// element was stored.
    pub const NOT_APPLIED_YET: Code = Code::NOT_SUPPORTED;
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
        steps: planner.steps(),
    }
}

struct Planner<'a> {
    content: &'a Content,
    modem: Option<&'a ModemFacts>,
    /// What everything that needs the modem comes to, where there is none.
    unbound: Option<Code>,
    steps: Vec<Step>,
}

impl Planner<'_> {
    /// The order is that of [PROV 12.1].
    fn steps(mut self) -> Vec<Step> {
        let content = self.content;
        if content.provisioning.as_ref().is_some_and(|p| p.has_certificates) {
            self.not_yet("provisioning/certificates", Element::TrustedCertificate);
        }
        for (index, name) in content.plans.iter().enumerate() {
            self.not_yet(format!("plans/{}", index + 1), Element::Plan(name.clone()));
        }
        if let Some(mbn) = &content.mbn {
            self.mbn(mbn);
        }
        if let Some(metadata) = &content.extensions.metadata {
            self.metadata(metadata);
        }
        if let Some(contexts) = &content.extensions.contexts {
            self.contexts(contexts);
        }
        if let Some(names) = &content.wlan {
            if names.is_empty() {
                // Deletes what was stored before, and nothing ever is.
                self.push("wlan", Element::WlanProfiles, Action::Identity);
            }
            for (index, name) in names.iter().enumerate() {
                let element = Element::WlanProfile(name.clone());
                self.not_yet(format!("wlan/{}", index + 1), element);
            }
        }
        match &content.provisioning {
            Some(p) if p.has_refresh => {
                self.not_yet("provisioning/refresh", Element::RefreshParameters);
            }
            Some(p) if !p.has_certificates => {
                self.push("provisioning", Element::Provisioning, Action::Identity);
            }
            _ => {}
        }
        let stores = |step: &Step| matches!(step.action, Action::StoreProfile { .. });
        if self.steps.iter().any(stores) {
            self.steps.push(Step { id: StepId("commit".to_owned()), element: None, action: Action::Commit });
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

    fn not_yet(&mut self, id: impl Into<String>, element: Element) {
        self.push(id, element, Action::NotAppliedYet);
    }

    /// What needs the modem is refused where there is none, before anything else is asked.
    fn not_yet_on_modem(&mut self, id: impl Into<String>, element: Element) {
        let action = match self.unbound {
            Some(code) => Action::Refuse { code },
            None => Action::NotAppliedYet,
        };
        self.push(id, element, action);
    }

    fn mbn(&mut self, mbn: &document::MbnProfiles) {
        let before = self.steps.len();
        if let Some(profile) = &mbn.default {
            let stored = self.modem.and_then(|modem| modem.default_profile.as_ref());
            let action = self.profile(Slot::Default, profile, stored);
            let element = Element::DefaultProfile(profile.name.clone());
            self.push("mbn/default", element, action);
        }
        if let Some(profile) = &mbn.purchase {
            let stored = self.modem.and_then(|modem| modem.purchase_profile.as_ref());
            let action = self.profile(Slot::Purchase, profile, stored);
            let element = Element::PurchaseProfile(profile.name.clone());
            self.push("mbn/purchase", element, action);
        }
        for position in 1..=mbn.messages {
            self.not_yet_on_modem(format!("mbn/messages/{position}"), Element::Message(position));
        }
        if mbn.has_branding {
            self.not_yet_on_modem("mbn/branding", Element::Branding);
        }
        if self.steps.len() == before {
            self.push("mbn", Element::MbnProfiles, Action::Identity);
        }
    }

    fn profile(&self, slot: Slot, profile: &ProvisionedProfile, stored: Option<&ProvisionedProfile>) -> Action {
        if let Some(code) = self.unbound {
            return Action::Refuse { code };
        }
        let plan = profile.associated_plan.as_ref();
        if plan.is_some_and(|plan| !self.content.plans.contains(plan)) {
            let code = Code::PLAN_NOT_IN_FILE;
            return Action::Refuse { code };
        }
        if profile.does_not_fit_mbim().is_some() {
            let code = Code::BAD_PROFILE;
            return Action::Refuse { code };
        }
        if stored == Some(profile) {
            return Action::Identity;
        }
        Action::StoreProfile { slot, profile: Box::new(profile.clone()) }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        let before = self.steps.len();
        if metadata.has_network_settings {
            self.not_yet_on_modem("extensions/network-settings", Element::NetworkSettings);
        }
        if metadata.has_friendly_names {
            let element = Element::DataClassFriendlyNames;
            self.not_yet_on_modem("extensions/friendly-names", element);
        }
        if metadata.has_phone_number {
            let element = Element::CustomerSupportPhoneNumber;
            self.not_yet_on_modem("extensions/phone-number", element);
        }
        if self.steps.len() == before {
            let element = Element::CarrierNetworkMetadata;
            self.push("extensions/metadata", element, Action::Identity);
        }
    }

    fn contexts(&mut self, contexts: &Contexts) {
        let before = self.steps.len();
        for (index, name) in contexts.policies.iter().enumerate() {
            let id = format!("extensions/contexts/{}", index + 1);
            self.not_yet_on_modem(id, Element::PdpContextPolicy(name.clone()));
        }
        if contexts.tethering_profile.is_some() || contexts.has_device_limit {
            let name = contexts.tethering_profile.clone().unwrap_or_default();
            self.not_yet_on_modem("extensions/tethering", Element::TetheringProfile(name));
        }
        if self.steps.len() == before {
            // At most a ban on additional contexts, and none are ever made.
            let element = Element::AdditionalPdpContexts;
            self.push("extensions/contexts", element, Action::Identity);
        }
    }

    fn activation(&self, ordered: &document::Activation) -> Action {
        if let Some(code) = self.unbound {
            return Action::Refuse { code };
        }
        let method = match &ordered.directive {
            Directive::Reconnect => Method::Reconnect,
            Directive::Reregister => Method::Reregister,
            Directive::ServiceActivation(data) => {
                if data.reveal().len() > MAX_ACTIVATION_DATA {
                    let code = Code::INVALID_PARAMETER;
                    return Action::Refuse { code };
                }
                if self.modem.and_then(|modem| modem.service_activation) == Some(false) {
                    let code = Code::NOT_SUPPORTED;
                    return Action::Refuse { code };
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

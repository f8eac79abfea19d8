//! A plan for people and programs: everything but the secrets.

use core::fmt;

use serde::Serialize;

use super::{Action, Activation, Element, Method, Plan, Step};
use crate::code::Code;
use crate::document::extensions::Metadata;
use crate::document::plans::{DataPlan, PlanType};
use crate::profile::{Authentication, ProvisionedProfile, Slot};
use crate::stored::Change;

/// A plan without secrets. `Display` prints a line a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// The modem that it is for.
    pub modem: Option<u32>,
    /// In the order in which they run.
    pub steps: Vec<StepView>,
}

/// A step without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// Its name.
    pub id: String,
    /// `store-profile`, `commit`, `activate`, `keep`, `identity`, `refuse`.
    pub action: &'static str,
    /// The element of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<Element>,
    /// The code that the element will have, where it is known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// One line for people.
    pub text: String,
}

pub(super) fn of(plan: &Plan) -> PlanView {
    PlanView { modem: plan.target, steps: plan.steps.iter().map(step).collect() }
}

fn step(step: &Step) -> StepView {
    let (action, code, text) = match &step.action {
        Action::StoreProfile { slot, profile } => ("store-profile", None, store(*slot, profile)),
        Action::TrustCertificates { certificates } => {
            let names: Vec<&str> = certificates.iter().map(|named| named.subject.as_str()).collect();
            let text = format!("trust later documents of this carrier that are signed by {}", names.join("; "));
            ("trust-certificates", None, text)
        }
        Action::Commit => ("commit", None, "write what was stored".to_owned()),
        Action::Activate(activation) => ("activate", None, activate(activation)),
        Action::Identity => ("identity", Some(Code::OK), "nothing to change".to_owned()),
        Action::Keep { change, code } => ("keep", Some(*code), keep(change, *code)),
        Action::Refuse { code, detail } if detail.is_empty() => ("refuse", Some(*code), code.meaning().to_owned()),
        Action::Refuse { code, detail } => ("refuse", Some(*code), format!("{}: {detail}", code.meaning())),
    };
    StepView { id: step.id.0.clone(), action, element: step.element.clone(), code, text }
}

fn keep(change: &Change, code: Code) -> String {
    let text = match change {
        Change::Plan(plan) => data_plan(plan),
        Change::Profile(slot, _) => {
            format!("keep what the modem need not know of the {} profile", slot_name(*slot))
        }
        Change::ForgetRules => "forget the former message rules".to_owned(),
        Change::Rule(rule) => match rule.id() {
            Some(id) => format!("keep message rule \u{201c}{id}\u{201d}"),
            None => "keep a message rule".to_owned(),
        },
        Change::Branding(branding) => {
            let logo = branding.logo.as_ref().map(|logo| format!("a logo of {}x{} pixels", logo.width, logo.height));
            let name = branding.name.as_ref().map(|name| format!("the name \u{201c}{name}\u{201d}"));
            let parts: Vec<_> = name.into_iter().chain(logo).collect();
            format!("keep {}", if parts.is_empty() { "no branding".to_owned() } else { parts.join(" and ") })
        }
        Change::Metadata(metadata) => settings(metadata),
        Change::Contexts(contexts) => {
            let mut text =
                format!("keep {} for additional contexts", counted(contexts.policies.len(), "policy", "policies"));
            if !contexts.allowed {
                text.push_str(", which are not allowed");
            }
            if let Some(profile) = &contexts.tethering {
                text.push_str(&format!(", tethering profile \u{201c}{}\u{201d}", profile.name));
            }
            if let Some(devices) = contexts.max_devices {
                text.push_str(&format!(", at most {devices} devices"));
            }
            text
        }
        Change::Wlan(profile) => format!("keep Wi-Fi profile \u{201c}{}\u{201d}", profile.name()),
        Change::KeepWlan(names) if names.is_empty() => "forget all Wi-Fi profiles".to_owned(),
        Change::KeepWlan(_) => "forget the Wi-Fi profiles that are not listed".to_owned(),
        Change::Refresh(refresh) => match refresh.delay_in_days {
            Some(days) => format!("keep where a newer document is, to be asked after {days} days"),
            None => "keep where a newer document is, to be asked on demand".to_owned(),
        },
        Change::ForgetRefresh => "forget where a newer document was".to_owned(),
        Change::Part => "keep it with what stands before".to_owned(),
    };
    if code == Code::OK { text } else { format!("{text}; {}", code.meaning()) }
}

fn settings(metadata: &Metadata) -> String {
    let mut parts = Vec::new();
    if let Some(settings) = &metadata.network_settings {
        parts.extend(settings.ipv4_mtu.map(|mtu| format!("MTU {mtu} for IPv4")));
        parts.extend(settings.ipv6_mtu.map(|mtu| format!("MTU {mtu} for IPv6")));
        parts.extend(
            settings
                .dns_retry
                .map(|retry| format!("DNS queries repeated {} times after {} s", retry.count, retry.interval_seconds)),
        );
    }
    if let Some(names) = &metadata.friendly_names {
        parts.push(counted(names.len(), "name of a data class", "names of data classes"));
    }
    parts.extend(metadata.phone_number.as_ref().map(|number| format!("support at {number}")));
    format!("keep for all profiles: {}", parts.join(", "))
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn data_plan(plan: &DataPlan) -> String {
    let mut text = format!("keep data plan \u{201c}{}\u{201d}", plan.name);
    if let Some(description) = &plan.description {
        text.push_str(match description.plan_type {
            PlanType::Unrestricted => ", unrestricted",
            PlanType::Fixed => ", fixed",
            PlanType::Variable => ", variable",
        });
        if let Some(limit) = description.data_limit_megabytes {
            text.push_str(&format!(", {limit} MB"));
        }
        if let Some(cycle) = &description.billing_cycle {
            text.push_str(&format!(", from {}", cycle.start));
        }
    }
    if let Some(usage) = &plan.usage {
        text.push_str(&format!(", {} MB used at {}", usage.megabytes, usage.at));
    }
    text
}

const fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Default => "default",
        Slot::Purchase => "purchase",
    }
}

fn store(slot: Slot, profile: &ProvisionedProfile) -> String {
    let slot = slot_name(slot);
    let mut text = format!("store {slot} profile \u{201c}{}\u{201d}", profile.name);
    match &profile.apn {
        Some(apn) => text.push_str(&format!(": APN {apn}")),
        None => text.push_str(": the network's APN"),
    }
    if profile.username.is_some() {
        text.push_str(", with credentials");
    }
    text.push_str(match profile.authentication {
        Authentication::None => "",
        Authentication::Pap => ", PAP",
        Authentication::Chap => ", CHAP",
        Authentication::MsChapV2 => ", MS-CHAP v2",
    });
    match profile.roaming_partners.len() {
        0 => {}
        partners => text.push_str(&format!(", {}", counted(partners, "roaming partner", "roaming partners"))),
    }
    text
}

fn activate(activation: &Activation) -> String {
    let mut text = match &activation.method {
        Method::ServiceActivation { data } => {
            format!("send {} octets of activation data to the device", data.reveal().len())
        }
        Method::Reconnect => "reconnect with the default profile".to_owned(),
        Method::Reregister => "switch the radio off and on, then connect with the default profile".to_owned(),
    };
    if !activation.delay.is_zero() {
        text.push_str(&format!(", after {:?}", activation.delay));
    }
    if activation.retry_count > 0 {
        let (count, interval) = (activation.retry_count, activation.retry_interval);
        let attempts = counted(count as usize, "further attempt", "further attempts");
        text.push_str(&format!(", at most {attempts} {interval:?} apart"));
    }
    text
}

impl fmt::Display for PlanView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.modem {
            Some(modem) => writeln!(f, "for modem {modem}")?,
            None => writeln!(f, "for no modem that is present and ready")?,
        }
        for (number, step) in (1..).zip(&self.steps) {
            write!(f, "{number:3}. {:28} {}", step.id, step.text)?;
            match step.code {
                Some(code) if code != Code::OK => writeln!(f, " ({code})")?,
                _ => writeln!(f)?,
            }
        }
        Ok(())
    }
}

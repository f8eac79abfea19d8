//! A plan for people and programs: everything but the secrets.

use core::fmt;

use serde::Serialize;

use super::{Action, Activation, Element, Method, Plan, Step};
use crate::code::Code;
use crate::profile::{Authentication, ProvisionedProfile, Slot};

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
    /// `store-profile`, `commit`, `activate`, `identity`, `refuse`, `not-applied-yet`.
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
        Action::Commit => ("commit", None, "write what was stored".to_owned()),
        Action::Activate(activation) => ("activate", None, activate(activation)),
        Action::Identity => ("identity", Some(Code::OK), "nothing to change".to_owned()),
        Action::Refuse { code } => ("refuse", Some(*code), code.meaning().to_owned()),
        Action::NotAppliedYet => {
            ("not-applied-yet", Some(Action::NOT_APPLIED_YET), "understood, but not applied by this version".to_owned())
        }
    };
    StepView { id: step.id.0.clone(), action, element: step.element.clone(), code, text }
}

fn store(slot: Slot, profile: &ProvisionedProfile) -> String {
    let slot = match slot {
        Slot::Default => "default",
        Slot::Purchase => "purchase",
    };
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
        partners => text.push_str(&format!(", {partners} roaming partners")),
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
        text.push_str(&format!(", at most {count} further attempts {interval:?} apart"));
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

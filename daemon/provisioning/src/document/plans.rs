//! Data plans as values. [PROV 6, 12.5, 12.11]

use serde::{Deserialize, Serialize};

use super::read::{flag, token};
use crate::calendar::{Moment, cycle};
use crate::duration::XsDuration;
use crate::schema::lexical::{boolean, collapse, integer};
use crate::schema::{Ns, at};
use crate::xml::Node;

/// How traffic is charged. [PROV 6.2]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanType {
    /// No incremental cost.
    Unrestricted,
    /// Counts against a quota.
    Fixed,
    /// Each unit is billed.
    Variable,
}

impl PlanType {
    /// Whether programs should treat the connection as metered. [PROV 12.11]
    #[must_use]
    pub const fn is_metered(self) -> bool {
        !matches!(self, Self::Unrestricted)
    }
}

/// When usage starts anew. [PROV 6.2, 12.11]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingCycle {
    /// Start of the first cycle.
    pub start: Moment,
    months: u64,
    seconds: u64,
    /// At the boundary usage becomes zero; else the plan ends there.
    pub resets: bool,
}

impl BillingCycle {
    /// Start of the cycle that a moment is in (none before the first) and of the next one (none
    /// beyond all reckoning).
    #[must_use]
    pub fn around(&self, now: Moment) -> (Option<Moment>, Option<Moment>) {
        cycle(self.start, self.months, self.seconds, now)
    }
}

/// What changes seldom. Absent limits: there are none. [PROV 6.2]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDescription {
    /// How traffic is charged.
    pub plan_type: PlanType,
    /// When usage starts anew.
    pub billing_cycle: Option<BillingCycle>,
    /// Quota, 10^6 octets each.
    pub data_limit_megabytes: Option<u32>,
    /// Speed that the network allows, towards this machine.
    pub inbound_kbps: Option<u32>,
    /// And from it.
    pub outbound_kbps: Option<u32>,
    /// Largest download that a program does unasked.
    pub max_transfer_megabytes: Option<u32>,
    /// Security updates do not count.
    pub security_updates_exempt: bool,
    /// The threshold notification is wanted.
    pub notifies: bool,
    /// Texts between users are in service.
    pub user_sms: bool,
}

/// What changes often. [PROV 6.3]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanUsage {
    /// 10^6 octets each.
    pub megabytes: u32,
    /// When that was so.
    pub at: Moment,
    /// The quota is used up.
    pub over_limit: bool,
    /// The network asks to wait with what can wait.
    pub congested: bool,
}

/// A data plan: both parts, or one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataPlan {
    /// Its name within carrier and subscriber, compared octet by octet.
    pub name: String,
    /// Absent in a document that only brings usage.
    pub description: Option<PlanDescription>,
    /// Absent where nobody has told.
    pub usage: Option<PlanUsage>,
}

pub(super) fn read(node: Node<'_>) -> Option<DataPlan> {
    let description = match at(node, Ns::Plans, "Description") {
        Some(node) => Some(description(node)?),
        None => None,
    };
    let usage = match at(node, Ns::Plans, "Usage") {
        Some(node) => Some(usage(node)?),
        None => None,
    };
    Some(DataPlan { name: node.attribute("Name")?.into_owned(), description, usage })
}

fn description(node: Node<'_>) -> Option<PlanDescription> {
    let plan_type = match &*collapse(&node.attribute("PlanType")?) {
        "Unrestricted" => PlanType::Unrestricted,
        "Fixed" => PlanType::Fixed,
        "Variable" => PlanType::Variable,
        _ => return None,
    };
    let billing_cycle = match at(node, Ns::Plans, "BillingCycle") {
        Some(node) => {
            let duration = XsDuration::parse(&collapse(&node.attribute("Duration")?))?;
            Some(BillingCycle {
                start: Moment::parse(&collapse(&node.attribute("StartDate")?))?,
                months: duration.months,
                // Parts of a second do not bill.
                seconds: duration.seconds.saturating_add(u64::from(duration.nanos > 0)),
                resets: node.attribute("Resets").and_then(|value| boolean(&value)).unwrap_or(true),
            })
        }
        None => None,
    };
    let count = |name| token(node, Ns::Plans, name).and_then(|text| integer(&text)).and_then(|n| u32::try_from(n).ok());
    let switch = |name, default| flag(node, Ns::Plans, name).unwrap_or(default);
    Some(PlanDescription {
        plan_type,
        billing_cycle,
        data_limit_megabytes: count("DataLimitInMegabytes"),
        inbound_kbps: count("InboundBandwidthInKbps"),
        outbound_kbps: count("OutboundBandwidthInKbps"),
        max_transfer_megabytes: count("MaxTransferSizeInMegabytes"),
        security_updates_exempt: switch("SecurityUpdatesExempt", false),
        notifies: switch("DataUsageInMobileOperatorNotificationEnabled", false),
        user_sms: switch("UserSMSEnabled", true),
    })
}

fn usage(node: Node<'_>) -> Option<PlanUsage> {
    let switch = |name| node.attribute(name).and_then(|value| boolean(&value)).unwrap_or(false);
    Some(PlanUsage {
        megabytes: u32::try_from(integer(&node.attribute("CurrentUsage")?)?).ok()?,
        at: Moment::parse(&collapse(&node.attribute("UsageTimestamp")?))?,
        over_limit: switch("OverLimit"),
        congested: switch("Congested"),
    })
}

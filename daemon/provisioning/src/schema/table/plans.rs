//! Data plans. [PROV 6]

use super::*;

pub(super) const PLAN_TYPES: Lexical = Lexical::Word(&["Unrestricted", "Fixed", "Variable"]);

pub(super) static PLAN: Element = element(
    Ns::Plans,
    "Plan",
    Content::Children(&[one_of(&[way(&[one(&DESCRIPTION), opt(&USAGE)]), way(&[one(&USAGE)])])]),
)
.with(&[must("Name", STRING)]);

static DESCRIPTION: Element = element(
    Ns::Plans,
    "Description",
    Content::Children(&[
        opt(&BILLING_CYCLE),
        opt(&DATA_LIMIT),
        opt(&INBOUND_BANDWIDTH),
        opt(&OUTBOUND_BANDWIDTH),
        opt(&MAX_TRANSFER_SIZE),
        opt(&SECURITY_UPDATES_EXEMPT),
        opt(&NOTIFICATION_ENABLED),
        opt(&USER_SMS_ENABLED),
    ]),
)
.with(&[must("PlanType", PLAN_TYPES)]);

static BILLING_CYCLE: Element = element(Ns::Plans, "BillingCycle", Content::Empty).with(&[
    must("StartDate", Lexical::DateTime),
    must("Duration", Lexical::PositiveDuration),
    may("Resets", Lexical::Boolean),
]);

const POSITIVE: Lexical = Lexical::Integer { min: 1, max: UINT32 };
const COUNT: Lexical = Lexical::Integer { min: 0, max: UINT32 };

static DATA_LIMIT: Element = text(Ns::Plans, "DataLimitInMegabytes", POSITIVE);
static INBOUND_BANDWIDTH: Element = text(Ns::Plans, "InboundBandwidthInKbps", COUNT);
static OUTBOUND_BANDWIDTH: Element = text(Ns::Plans, "OutboundBandwidthInKbps", COUNT);
static MAX_TRANSFER_SIZE: Element = text(Ns::Plans, "MaxTransferSizeInMegabytes", POSITIVE);
static SECURITY_UPDATES_EXEMPT: Element = text(Ns::Plans, "SecurityUpdatesExempt", Lexical::Boolean);
static NOTIFICATION_ENABLED: Element =
    text(Ns::Plans, "DataUsageInMobileOperatorNotificationEnabled", Lexical::Boolean);
static USER_SMS_ENABLED: Element = text(Ns::Plans, "UserSMSEnabled", Lexical::Boolean);

static USAGE: Element = element(Ns::Plans, "Usage", Content::Empty).with(&[
    must("CurrentUsage", COUNT),
    must("UsageTimestamp", Lexical::DateTime),
    may("OverLimit", Lexical::Boolean),
    may("Congested", Lexical::Boolean),
]);

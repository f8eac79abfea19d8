//! Activation directives, connection profiles, branding, message rules. [PROV 4]

use super::*;

const DIRECTIVE: &[Attribute] = &[
    may("Delay", Lexical::Span { min: 0, max: 3600, max_excluded: true }),
    may("RetryCount", Lexical::Integer { min: 0, max: 10 }),
    may("RetryInterval", Lexical::Span { min: 60, max: 3600, max_excluded: false }),
];

pub(super) static SERVICE_ACTIVATION: Element =
    element(Ns::Wwan, "ServiceActivation", Content::Children(&[one(&CARRIER_SPECIFIC_DATA)])).with(DIRECTIVE);
pub(super) static RECONNECT: Element = element(Ns::Wwan, "ReconnectToNetwork", Content::Empty).with(DIRECTIVE);
pub(super) static REREGISTER: Element = element(Ns::Wwan, "ReregisterToNetwork", Content::Empty).with(DIRECTIVE);
static CARRIER_SPECIFIC_DATA: Element = text(Ns::Wwan, "CarrierSpecificData", Lexical::Base64);

pub(super) static DEFAULT_PROFILE: Element =
    element(Ns::Wwan, "DefaultProfile", PROFILE).with(&[may("Priority", PRIORITY)]);
pub(super) static PURCHASE_PROFILE: Element =
    element(Ns::Wwan, "PurchaseProfile", PROFILE).with(&[may("Priority", PRIORITY)]);

const PROFILE: Content = Content::Children(&[
    one(&PROFILE_NAME),
    opt(&DESCRIPTION),
    opt(&ASSOCIATED_PLAN),
    opt(&HOME_PROVIDER_NAME),
    opt(&CONTEXT),
    opt(&DATA_ROAMING_PARTNERS),
    opt(&PROFILE_EXTENSIONS),
]);
static PROFILE_NAME: Element = text(Ns::Wwan, "Name", NAME);
static DESCRIPTION: Element = text(Ns::Wwan, "Description", NAME);
static ASSOCIATED_PLAN: Element = text(Ns::Wwan, "AssociatedPlan", STRING);
static HOME_PROVIDER_NAME: Element = text(Ns::Wwan, "HomeProviderName", Lexical::Token { min: 1, max: 20 });
static PROFILE_EXTENSIONS: Element = element(Ns::Wwan, "Extensions", Content::Children(&[lax(Ns::Wwan, &[])]));

static CONTEXT: Element = element(
    Ns::Wwan,
    "Context",
    Content::Children(&[opt(&ACCESS_STRING), opt(&USER_LOGON_CRED), opt(&COMPRESSION), opt(&AUTH_PROTOCOL)]),
);
static ACCESS_STRING: Element = text(Ns::Wwan, "AccessString", Lexical::Token { min: 1, max: 100 });
static USER_LOGON_CRED: Element =
    element(Ns::Wwan, "UserLogonCred", Content::Children(&[one(&USER_NAME), opt(&PASSWORD_ELEMENT)]));
static USER_NAME: Element = text(Ns::Wwan, "UserName", NAME);
static PASSWORD_ELEMENT: Element = text(Ns::Wwan, "Password", PASSWORD);
static COMPRESSION: Element = text(Ns::Wwan, "Compression", Lexical::Word(&["DISABLE", "ENABLE"]));
static AUTH_PROTOCOL: Element = text(Ns::Wwan, "AuthProtocol", Lexical::Word(&["NONE", "PAP", "CHAP", "MsCHAPv2"]));

static DATA_ROAMING_PARTNERS: Element =
    element(Ns::Wwan, "DataRoamingPartners", Content::Children(&[many(1, NO_LIMIT, &PROVIDER)]));
static PROVIDER: Element = element(Ns::Wwan, "Provider", Content::Children(&[one(&PROVIDER_ID), one(&PROVIDER_NAME)]));
static PROVIDER_ID: Element = text(Ns::Base, "ProviderID", Lexical::Digits { min: 1, max: 6 }).or_in(Ns::Wwan);
static PROVIDER_NAME: Element = text(Ns::Base, "ProviderName", Lexical::Token { min: 1, max: 20 }).or_in(Ns::Wwan);

pub(super) static BRANDING: Element =
    element(Ns::Wwan, "Branding", Content::Children(&[opt(&LOGO), opt(&BRAND_NAME), strict(Ns::Wwan, &[])]));
static LOGO: Element = text(Ns::Wwan, "Logo", Lexical::Base64);
static BRAND_NAME: Element = text(Ns::Wwan, "Name", Lexical::Text { min: 0, max: 20 });

pub(super) static MESSAGES: Element = element(Ns::Wwan, "Messages", Content::Children(&[many(1, NO_LIMIT, &MESSAGE)]));
static MESSAGE: Element = element(
    Ns::Wwan,
    "Message",
    Content::Children(&[
        one_of(&[way(&[many(1, NO_LIMIT, &SMS_BEARER), opt(&USSD_BEARER)]), way(&[one(&USSD_BEARER)])]),
        one(&PATTERN),
        opt(&LOCALE),
        opt(&UNITS),
        opt(&FIELDS),
    ]),
)
.with(&[may("Silent", Lexical::Boolean), may("RuleId", TOKEN)]);
static SMS_BEARER: Element = element(Ns::Wwan, "SMSBearer", Content::Empty)
    .with(&[may("Sender", TOKEN), may("ClassZeroOnly", Lexical::Boolean)]);
static USSD_BEARER: Element = element(Ns::Wwan, "USSDBearer", Content::Empty);
static PATTERN: Element = text(Ns::Wwan, "Pattern", STRING);
static LOCALE: Element = text(Ns::Wwan, "Locale", Lexical::Locale);
static UNITS: Element = element(Ns::Wwan, "Units", Content::Empty).with(&[
    may("K", Lexical::TokenList),
    may("M", Lexical::TokenList),
    may("G", Lexical::TokenList),
    may("T", Lexical::TokenList),
    may("Ki", Lexical::TokenList),
    may("Mi", Lexical::TokenList),
    may("Gi", Lexical::TokenList),
    may("Ti", Lexical::TokenList),
]);

static FIELDS: Element = element(
    Ns::Wwan,
    "Fields",
    Content::Unordered(&[
        &USAGE,
        &USAGE_PERCENTAGE,
        &USAGE_OVERAGE,
        &USAGE_OVERAGE_PERCENTAGE,
        &USAGE_TIMESTAMP,
        &DATA_LIMIT,
        &OVER_DATA_LIMIT,
        &CONGESTED,
        &INBOUND_BANDWIDTH,
        &OUTBOUND_BANDWIDTH,
        &PLAN_TYPE,
        &REFRESH_PROVISIONING,
        &ACTIVATION_COMPLETE,
    ]),
);

const GROUP: Lexical = Lexical::Integer { min: 1, max: UINT32 };
const NUMBER: &[Attribute] = &[
    must("Group", GROUP),
    may("UnitGroup", GROUP),
    may("DefaultUnit", Lexical::Word(&["None", "K", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"])),
];
const PERCENT: &[Attribute] = &[must("Group", GROUP)];
const FLAG: &[Attribute] = &[
    may("Group", GROUP),
    may("TrueToken", Lexical::TokenList),
    may("FalseToken", Lexical::TokenList),
    may("Default", Lexical::Boolean),
];

const fn field(name: &'static str, attributes: &'static [Attribute]) -> Element {
    element(Ns::Wwan, name, Content::Empty).with(attributes)
}

static USAGE: Element = field("Usage", NUMBER);
static USAGE_PERCENTAGE: Element = field("UsagePercentage", PERCENT);
static USAGE_OVERAGE: Element = field("UsageOverage", NUMBER);
static USAGE_OVERAGE_PERCENTAGE: Element = field("UsageOveragePercentage", PERCENT);
static USAGE_TIMESTAMP: Element = field(
    "UsageTimestamp",
    &[must("Format", STRING), must("Group", GROUP), may("AmToken", STRING), may("PmToken", STRING)],
);
static DATA_LIMIT: Element = field("DataLimit", NUMBER);
static OVER_DATA_LIMIT: Element = field("OverDataLimit", FLAG);
static CONGESTED: Element = field("Congested", FLAG);
static INBOUND_BANDWIDTH: Element = field("InboundBandwidth", NUMBER);
static OUTBOUND_BANDWIDTH: Element = field("OutboundBandwidth", NUMBER);
static PLAN_TYPE: Element = field(
    "PlanType",
    &[
        may("Group", GROUP),
        may("Default", plans::PLAN_TYPES),
        may("UnrestrictedTokens", Lexical::TokenList),
        may("FixedTokens", Lexical::TokenList),
        may("VariableTokens", Lexical::TokenList),
    ],
);
static REFRESH_PROVISIONING: Element = field("RefreshProvisioning", FLAG);
static ACTIVATION_COMPLETE: Element = field("ActivationComplete", FLAG);

//! The second version's extensions. [PROV 8]

use super::*;

pub(super) static EXTENSIONS_V2: Element = element(
    Ns::Cc2,
    "Extensions_v2",
    Content::Children(&[opt(&CARRIER_NETWORK_METADATA), opt(&ADDITIONAL_PDP_CONTEXTS)]),
);

static CARRIER_NETWORK_METADATA: Element = element(
    Ns::Cc2,
    "CarrierNetworkMetadata",
    Content::Children(&[opt(&NETWORK_SETTINGS), opt(&DATA_CLASS_FRIENDLY_NAMES), opt(&CUSTOMER_SUPPORT_PHONE_NUMBER)]),
);

static NETWORK_SETTINGS: Element = element(
    Ns::Cc2,
    "NetworkSettings",
    Content::Children(&[opt(&IPV4_LINK_MTU), opt(&IPV6_LINK_MTU), opt(&DNS_RETRY_SETTINGS)]),
);
const MTU: Lexical = Lexical::Integer { min: 1280, max: 1500 };
static IPV4_LINK_MTU: Element = text(Ns::Cc2, "IPv4LinkMTU", MTU);
static IPV6_LINK_MTU: Element = text(Ns::Cc2, "IPv6LinkMTU", MTU);
static DNS_RETRY_SETTINGS: Element =
    element(Ns::Cc2, "DNSRetrySettings", Content::Children(&[one(&DNS_RETRY_INTERVAL), one(&DNS_RETRY_COUNT)]));
const FOUR: Lexical = Lexical::Integer { min: 1, max: 4 };
static DNS_RETRY_INTERVAL: Element = text(Ns::Cc2, "DNSRetryIntervalInSeconds", FOUR);
static DNS_RETRY_COUNT: Element = text(Ns::Cc2, "DNSRetryCount", FOUR);

const FRIENDLY: Lexical = Lexical::Token { min: 1, max: 15 };
macro_rules! data_classes {
    ($($class:ident)*) => {
        $(static $class: Element = text(Ns::Cc2, stringify!($class), FRIENDLY);)*
        static DATA_CLASS_FRIENDLY_NAMES: Element = element(
            Ns::Cc2,
            "DataClassFriendlyNames",
            Content::Children(&[$(opt(&$class)),*]),
        );
    };
}
data_classes! {
    NONE GPRS EDGE UMTS HSDPA HSUPA LTE ONEXRTT ONEXEVDO ONEXEVDO_REVA ONEXEVDV THREEXRTT
    ONEXEVDO_REVB UMB CUSTOM
}

static CUSTOMER_SUPPORT_PHONE_NUMBER: Element =
    text(Ns::Cc2, "CustomerSupportPhoneNumber", Lexical::Token { min: 0, max: 25 });

static ADDITIONAL_PDP_CONTEXTS: Element = element(
    Ns::Cc2,
    "AdditionalPDPContexts",
    Content::Children(&[opt(&MULTIPLE_PDP_CONTEXT_POLICIES), opt(&TETHERING_SETTINGS)]),
);
static MULTIPLE_PDP_CONTEXT_POLICIES: Element =
    element(Ns::Cc2, "MultiplePDPContextPolicies", Content::Children(&[many(0, 64, &PDP_CONTEXT_POLICY)]))
        .with(&[may("MultiplePDPContextSupport", Lexical::Boolean)]);
static PDP_CONTEXT_POLICY: Element =
    element(Ns::Cc2, "PDPContextPolicy", Content::Children(&[one(&PROFILE_NAME), one(&CONTEXT), one(&APP_ID_LIST)]));
static APP_ID_LIST: Element = element(Ns::Cc2, "AppIDList", Content::Children(&[many(0, NO_LIMIT, &APP_ID)]));
static APP_ID: Element = text(Ns::Cc2, "AppID", STRING);
static PROFILE_NAME: Element = text(Ns::Cc2, "Name", NAME);

static TETHERING_SETTINGS: Element =
    element(Ns::Cc2, "TetheringSettings", Content::Children(&[opt(&TETHERING_PROFILE), opt(&MAX_NUMBER_OF_DEVICES)]));
static TETHERING_PROFILE: Element =
    element(Ns::Cc2, "TetheringProfile", Content::Children(&[one(&PROFILE_NAME), one(&CONTEXT)]));
static MAX_NUMBER_OF_DEVICES: Element = text(Ns::Cc2, "MaxNumberOfDevices", Lexical::Integer { min: 3, max: 10 });

/// The members of a connection profile's context, in this namespace.
static CONTEXT: Element = element(
    Ns::Cc2,
    "Context",
    Content::Children(&[opt(&ACCESS_STRING), opt(&USER_LOGON_CRED), opt(&COMPRESSION), opt(&AUTH_PROTOCOL)]),
);
static ACCESS_STRING: Element = text(Ns::Cc2, "AccessString", Lexical::Token { min: 1, max: 100 });
static USER_LOGON_CRED: Element =
    element(Ns::Cc2, "UserLogonCred", Content::Children(&[one(&USER_NAME), opt(&PASSWORD_ELEMENT)]));
static USER_NAME: Element = text(Ns::Cc2, "UserName", NAME);
static PASSWORD_ELEMENT: Element = text(Ns::Cc2, "Password", PASSWORD);
static COMPRESSION: Element = text(Ns::Cc2, "Compression", Lexical::Word(&["DISABLE", "ENABLE"]));
static AUTH_PROTOCOL: Element = text(Ns::Cc2, "AuthProtocol", Lexical::Word(&["NONE", "PAP", "CHAP", "MsCHAPv2"]));

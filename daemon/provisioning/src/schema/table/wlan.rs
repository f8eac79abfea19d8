//! Wi-Fi profiles with 802.1X, hotspot and Passpoint blocks. [PROV 5]
//!
//! Rules that join several elements (which key fits which encryption) make a profile bad, not the
//! document invalid, and stand where profiles are judged.

use super::*;

pub(super) static WLAN_PROFILE: Element = element(
    Ns::Wlan,
    "WLANProfile",
    Content::Children(&[
        one(&PROFILE_NAME),
        opt(&ASSOCIATED_PLAN),
        one_of(&[way(&[one(&SSID_CONFIG), opt(&HOTSPOT2)]), way(&[one(&HOTSPOT2)])]),
        opt(&MSM),
    ]),
)
.with(&[may("Priority", PRIORITY)]);
static PROFILE_NAME: Element = text(Ns::Wlan, "name", NAME);
static ASSOCIATED_PLAN: Element = text(Ns::Wlan, "AssociatedPlan", STRING);

static SSID_CONFIG: Element = element(
    Ns::Wlan,
    "SSIDConfig",
    Content::Children(&[many(1, 25, &SSID), lax(Ns::Wlan, &[(&SSID_V2, 10_000), (&SSID_PREFIX, 32)])]),
);
static SSID: Element =
    element(Ns::Wlan, "SSID", Content::Children(&[one_of(&[way(&[one(&HEX)]), way(&[one(&SSID_NAME)])])]));
const FULL_HEX: Lexical = Lexical::Hex { min: 1, max: 32 };
const PREFIX_HEX: Lexical = Lexical::Hex { min: 4, max: 32 };
static HEX: Element = text(Ns::Wlan, "hex", FULL_HEX);
static SSID_NAME: Element = text(Ns::Wlan, "name", Lexical::Ssid { min: 1 });

static SSID_V2: Element =
    element(Ns::Wlan2, "SSID", Content::Children(&[one_of(&[way(&[one(&HEX_V2)]), way(&[one(&NAME_V2)])])]));
static HEX_V2: Element = text(Ns::Wlan2, "hex", FULL_HEX);
static NAME_V2: Element = text(Ns::Wlan2, "name", Lexical::Ssid { min: 1 });
static SSID_PREFIX: Element = element(
    Ns::Wlan2,
    "SSIDPrefix",
    Content::Children(&[one_of(&[way(&[one(&PREFIX_HEX_V2)]), way(&[one(&PREFIX_NAME_V2)])])]),
);
static PREFIX_HEX_V2: Element = text(Ns::Wlan2, "hex", PREFIX_HEX);
static PREFIX_NAME_V2: Element = text(Ns::Wlan2, "name", Lexical::Ssid { min: 4 });

static HOTSPOT2: Element = element(
    Ns::Wlan,
    "Hotspot2",
    Content::Children(&[opt(&DOMAIN_NAME), opt(&NAI_REALM), opt(&NETWORK_3GPP), opt(&ROAMING_CONSORTIUM)]),
);
static DOMAIN_NAME: Element = text(Ns::Wlan, "DomainName", NAME);
static NAI_REALM: Element = element(Ns::Wlan, "NAIRealm", Content::Children(&[many(0, 256, &REALM_NAME)]));
static REALM_NAME: Element = text(Ns::Wlan, "name", NAME);
static NETWORK_3GPP: Element = element(Ns::Wlan, "Network3GPP", Content::Children(&[many(0, 256, &PLMN_ID)]));
static PLMN_ID: Element = text(Ns::Wlan, "PLMNID", Lexical::Digits { min: 5, max: 6 });
static ROAMING_CONSORTIUM: Element = element(Ns::Wlan, "RoamingConsortium", Content::Children(&[many(0, 256, &OUI)]));
static OUI: Element = text(Ns::Wlan, "OUI", Lexical::Hex { min: 3, max: 5 });

static MSM: Element = element(Ns::Wlan, "MSM", Content::Children(&[opt(&SECURITY), lax(Ns::Wlan, &[])]));
static SECURITY: Element = element(
    Ns::Wlan,
    "security",
    Content::Children(&[
        one(&AUTH_ENCRYPTION),
        opt(&SHARED_KEY),
        opt(&KEY_INDEX),
        opt(&PMK_CACHE_MODE),
        opt(&PMK_CACHE_TTL),
        opt(&PMK_CACHE_SIZE),
        opt(&PRE_AUTH_MODE),
        opt(&PRE_AUTH_THROTTLE),
        lax(Ns::Wlan, &[(&ONE_X, 1), (&HOTSPOT_PROFILE, 1), (&EAP_HOST_USER_CREDENTIALS, NO_LIMIT)]),
    ]),
);
static AUTH_ENCRYPTION: Element = element(
    Ns::Wlan,
    "authEncryption",
    Content::Children(&[one(&AUTHENTICATION), one(&ENCRYPTION), opt(&USE_ONE_X), lax(Ns::Wlan, &[(&FIPS_MODE, 1)])]),
);
static AUTHENTICATION: Element =
    text(Ns::Wlan, "authentication", Lexical::Word(&["open", "shared", "WPA", "WPAPSK", "WPA2", "WPA2PSK"]));
static ENCRYPTION: Element = text(Ns::Wlan, "encryption", Lexical::Word(&["none", "WEP", "TKIP", "AES"]));
static USE_ONE_X: Element = text(Ns::Wlan, "useOneX", Lexical::Boolean);
static FIPS_MODE: Element = text(Ns::Wlan2, "FIPSMode", Lexical::Boolean);

static SHARED_KEY: Element = element(
    Ns::Wlan,
    "sharedKey",
    Content::Children(&[one(&KEY_TYPE), one(&PROTECTED), one(&KEY_MATERIAL), lax(Ns::Wlan, &[])]),
);
static KEY_TYPE: Element = text(Ns::Wlan, "keyType", Lexical::Word(&["networkKey", "passPhrase"]));
static PROTECTED: Element = text(Ns::Wlan, "protected", Lexical::Boolean);
static KEY_MATERIAL: Element = text(Ns::Wlan, "keyMaterial", STRING);
static KEY_INDEX: Element = text(Ns::Wlan, "keyIndex", Lexical::Integer { min: 0, max: 3 });
const SWITCH: Lexical = Lexical::Word(&["disabled", "enabled"]);
static PMK_CACHE_MODE: Element = text(Ns::Wlan, "PMKCacheMode", SWITCH);
static PMK_CACHE_TTL: Element = text(Ns::Wlan, "PMKCacheTTL", Lexical::Integer { min: 5, max: 1440 });
static PMK_CACHE_SIZE: Element = text(Ns::Wlan, "PMKCacheSize", Lexical::Integer { min: 1, max: 255 });
static PRE_AUTH_MODE: Element = text(Ns::Wlan, "preAuthMode", SWITCH);
static PRE_AUTH_THROTTLE: Element = text(Ns::Wlan, "preAuthThrottle", Lexical::Integer { min: 1, max: 16 });

/// The upper levels of an 802.1X block, with all that its published schema has; below `Config`
/// each method has its own.
static ONE_X: Element = element(
    Ns::OneX,
    "OneX",
    Content::Children(&[
        opt(&CACHE_USER_DATA),
        opt(&HELD_PERIOD),
        opt(&AUTH_PERIOD),
        opt(&START_PERIOD),
        opt(&MAX_START),
        opt(&MAX_AUTH_FAILURES),
        opt(&SUPPLICANT_MODE),
        opt(&AUTH_MODE),
        opt(&SINGLE_SIGN_ON),
        one(&EAP_CONFIG),
    ]),
);
const SECONDS: Lexical = Lexical::Integer { min: 1, max: 3600 };
const TIMES: Lexical = Lexical::Integer { min: 1, max: 100 };
static CACHE_USER_DATA: Element = text(Ns::OneX, "cacheUserData", Lexical::Boolean);
static HELD_PERIOD: Element = text(Ns::OneX, "heldPeriod", SECONDS);
static AUTH_PERIOD: Element = text(Ns::OneX, "authPeriod", SECONDS);
static START_PERIOD: Element = text(Ns::OneX, "startPeriod", SECONDS);
static MAX_START: Element = text(Ns::OneX, "maxStart", TIMES);
static MAX_AUTH_FAILURES: Element = text(Ns::OneX, "maxAuthFailures", TIMES);
static SUPPLICANT_MODE: Element =
    text(Ns::OneX, "supplicantMode", Lexical::Word(&["inhibitTransmission", "includeLearning", "compliant"]));
static AUTH_MODE: Element = text(Ns::OneX, "authMode", TOKEN);
static SINGLE_SIGN_ON: Element = element(Ns::OneX, "singleSignOn", Content::Anything);
static EAP_CONFIG: Element =
    element(Ns::OneX, "EAPConfig", Content::Children(&[lax(Ns::OneX, &[(&EAP_HOST_CONFIG, 1)])]))
        .or_spelled("EAcomputeronfig");
static EAP_HOST_CONFIG: Element = element(
    Ns::EapHost,
    "EapHostConfig",
    Content::Children(&[
        one(&EAP_METHOD),
        Particle {
            min: 0,
            max: 1,
            term: Term::Choice(&[way(&[one(&EAP_METHOD_CONFIG)]), way(&[one(&EAP_METHOD_CONFIG_BLOB)])]),
        },
    ]),
);
static EAP_METHOD: Element = element(
    Ns::EapHost,
    "EapMethod",
    Content::Children(&[one(&EAP_TYPE), opt(&EAP_VENDOR_ID), opt(&EAP_VENDOR_TYPE), opt(&EAP_AUTHOR_ID)]),
);
const EAP_NUMBER: Lexical = Lexical::Integer { min: 0, max: UINT32 };
static EAP_TYPE: Element = text(Ns::EapCommon, "Type", Lexical::Integer { min: 0, max: 255 }).or_in(Ns::EapHost);
static EAP_VENDOR_ID: Element = text(Ns::EapCommon, "VendorId", EAP_NUMBER).or_in(Ns::EapHost);
static EAP_VENDOR_TYPE: Element = text(Ns::EapCommon, "VendorType", EAP_NUMBER).or_in(Ns::EapHost);
static EAP_AUTHOR_ID: Element = text(Ns::EapCommon, "AuthorId", EAP_NUMBER).or_in(Ns::EapHost);
static EAP_METHOD_CONFIG: Element = element(Ns::EapHost, "Config", Content::Anything);
static EAP_METHOD_CONFIG_BLOB: Element = text(Ns::EapHost, "ConfigBlob", Lexical::Hex { min: 0, max: ANY_LENGTH });
static EAP_HOST_USER_CREDENTIALS: Element = element(Ns::EapUser, "EapHostUserCredentials", Content::Anything);

static HOTSPOT_PROFILE: Element = element(
    Ns::Hotspot,
    "HotspotProfile",
    Content::Children(&[
        one_of(&[
            way(&[one(&BASIC_AUTH), one(&TRUSTED_DOMAINS)]),
            way(&[one(&EXT_AUTH), opt(&TRUSTED_DOMAINS)]),
            Alternative {
                prose: true,
                particles: &[one(&HOTSPOT_USER_NAME), one(&HOTSPOT_PASSWORD), one(&TRUSTED_DOMAINS)],
            },
        ]),
        opt(&USER_AGENT),
        opt(&SECONDARY_SSIDS),
        lax(Ns::Hotspot, &[]),
    ]),
);
static BASIC_AUTH: Element =
    element(Ns::Hotspot, "BasicAuth", Content::Children(&[one(&HOTSPOT_USER_NAME), one(&HOTSPOT_PASSWORD)]));
static HOTSPOT_USER_NAME: Element = text(Ns::Hotspot, "UserName", TOKEN);
static HOTSPOT_PASSWORD: Element = text(Ns::Hotspot, "Password", TOKEN);
static EXT_AUTH: Element = element(Ns::Hotspot, "ExtAuth", Content::Children(&[one(&EXTENSION_ID)]));
static EXTENSION_ID: Element = text(Ns::Hotspot, "ExtensionId", TOKEN);
static TRUSTED_DOMAINS: Element =
    element(Ns::Hotspot, "TrustedDomains", Content::Children(&[many(1, NO_LIMIT, &TRUSTED_DOMAIN)]));
static TRUSTED_DOMAIN: Element = text(Ns::Hotspot, "TrustedDomain", TOKEN);
static USER_AGENT: Element = text(Ns::Hotspot, "UserAgent", TOKEN);
static SECONDARY_SSIDS: Element =
    element(Ns::Hotspot, "SSIDConfig", Content::Children(&[many(1, 250, &SECONDARY_SSID)]));
static SECONDARY_SSID: Element = element(
    Ns::Hotspot,
    "SSID",
    Content::Children(&[one_of(&[
        way(&[one(&SECONDARY_HEX)]),
        way(&[one(&SECONDARY_HEX_PREFIX)]),
        way(&[one(&SECONDARY_NAME)]),
        way(&[one(&SECONDARY_NAME_PREFIX)]),
    ])]),
);
static SECONDARY_HEX: Element = text(Ns::Hotspot, "hex", FULL_HEX);
static SECONDARY_HEX_PREFIX: Element = text(Ns::Hotspot, "hexPrefix", PREFIX_HEX);
static SECONDARY_NAME: Element = text(Ns::Hotspot, "name", Lexical::Ssid { min: 1 });
static SECONDARY_NAME_PREFIX: Element = text(Ns::Hotspot, "namePrefix", Lexical::Ssid { min: 4 });

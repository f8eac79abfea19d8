//! The root and its sections. [PROV 3, 7, 8]

use super::*;

pub(crate) static CARRIER_PROVISIONING: Element = element(
    Ns::Cc,
    "CarrierProvisioning",
    Content::Children(&[
        one(&GLOBAL),
        opt(&ACTIVATION),
        opt(&MBN_PROFILES),
        opt(&WLAN_PROFILES),
        opt(&PLANS),
        opt(&PROVISIONING),
        opt(&EXTENSIONS),
        opt(&signature::SIGNATURE),
    ]),
);

static GLOBAL: Element = element(
    Ns::Cc,
    "Global",
    Content::Children(&[one(&CARRIER_ID), one(&SUBSCRIBER_ID), opt(&DEVICE_ID), strict(Ns::Cc, &[])]),
);
static CARRIER_ID: Element = text(Ns::Cc, "CarrierId", Lexical::Guid);
static SUBSCRIBER_ID: Element = text(Ns::Cc, "SubscriberId", Lexical::Subscriber);
static DEVICE_ID: Element = text(Ns::Cc, "DeviceId", Lexical::Device);

static ACTIVATION: Element = element(
    Ns::Cc,
    "Activation",
    Content::Children(&[one_of(&[
        way(&[one(&wwan::SERVICE_ACTIVATION)]),
        way(&[one(&wwan::RECONNECT)]),
        way(&[one(&wwan::REREGISTER)]),
    ])]),
);

static MBN_PROFILES: Element = element(
    Ns::Cc,
    "MBNProfiles",
    Content::Children(&[
        opt(&wwan::DEFAULT_PROFILE),
        opt(&wwan::PURCHASE_PROFILE),
        opt(&wwan::MESSAGES),
        opt(&wwan::BRANDING),
    ]),
);

static WLAN_PROFILES: Element =
    element(Ns::Cc, "WLANProfiles", Content::Children(&[many(0, 1024, &wlan::WLAN_PROFILE)]));

static PLANS: Element = element(Ns::Cc, "Plans", Content::Children(&[many(1, 256, &plans::PLAN)]));

static PROVISIONING: Element =
    element(Ns::Cc, "Provisioning", Content::Children(&[opt(&TRUSTED_CERTIFICATES), opt(&REFRESH_PARAMETERS)]));
static TRUSTED_CERTIFICATES: Element =
    element(Ns::Cc, "TrustedCertificates", Content::Children(&[many(1, NO_LIMIT, &TRUSTED_CERTIFICATE)]));
static TRUSTED_CERTIFICATE: Element =
    element(Ns::Cc, "TrustedCertificate", Content::Children(&[one(&SUBJECT_NAME), one(&ISSUER_NAME)]));
static SUBJECT_NAME: Element = text(Ns::Base, "SubjectName", STRING).or_in(Ns::Cc);
static ISSUER_NAME: Element = text(Ns::Base, "IssuerName", STRING).or_in(Ns::Cc);

static REFRESH_PARAMETERS: Element = element(
    Ns::Cc,
    "RefreshParameters",
    Content::Children(&[opt(&DELAY_IN_DAYS), one(&REFRESH_URL), opt(&USER_NAME), opt(&REFRESH_PASSWORD)]),
);
static DELAY_IN_DAYS: Element = text(Ns::Cc, "DelayInDays", Lexical::Integer { min: 1, max: 730 });
static REFRESH_URL: Element = text(Ns::Cc, "RefreshURL", Lexical::HttpsUrl);
static USER_NAME: Element = text(Ns::Cc, "UserName", TOKEN).or_spelled("Username");
static REFRESH_PASSWORD: Element = text(Ns::Cc, "Password", TOKEN);

static EXTENSIONS: Element =
    element(Ns::Cc, "Extensions", Content::Children(&[strict(Ns::Cc, &[(&extensions::EXTENSIONS_V2, 1)])]));

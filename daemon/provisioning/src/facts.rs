//! What the planner is told of the machine: values, taken before planning. [PROV 12.4]

use crate::private::Personal;
use crate::profile::ProvisionedProfile;
use crate::signer::TrustedCertificate;
use crate::stored::Stored;

/// The machine as a document meets it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every present modem.
    pub modems: Vec<ModemFacts>,
    /// What earlier documents of the same carrier ordered for the same customer.
    pub stored: Stored,
    /// The machine's resolver can be told how often to ask again.
    pub dns_retry: bool,
}

/// How far the SIM of a modem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SimState {
    /// No SIM, or one that is broken.
    #[default]
    Absent,
    /// Locked, or still starting: its identity may be unknown.
    NotReady,
    /// Ready: its identity is known.
    Ready,
}

/// One present modem. Absent means: the device does not report it, or not yet.
#[derive(Debug, Clone, Default)]
pub struct ModemFacts {
    /// The daemon's number for it; the plan names it.
    pub id: u32,
    /// State of the SIM.
    pub sim: SimState,
    /// Up to 15 digits.
    pub imsi: Option<Personal<String>>,
    /// 19 or 20 digits.
    pub iccid: Option<Personal<String>>,
    /// 15 digits, or 16 for IMEISV.
    pub imei: Option<Personal<String>>,
    /// Hardware address of the data interface, `aa:bb:cc:dd:ee:ff`.
    pub mac: Option<Personal<String>>,
    /// CDMA: mobile identification number.
    pub min: Option<Personal<String>>,
    /// CDMA: identifier of the home provider.
    pub provider_id: Option<String>,
    /// CDMA: name of the home provider.
    pub provider_name: Option<String>,
    /// GUID of the operator that the service metadata of this SIM names, with or without braces.
    pub service_number: Option<String>,
    /// Certificates that operator records and service metadata of the SIM name for the operator's documents.
    pub certificates: Vec<TrustedCertificate>,
    /// Whether the device has the service-activation command; absent: not known.
    pub service_activation: Option<bool>,
    /// The stored default profile of this subscriber.
    pub default_profile: Option<ProvisionedProfile>,
    /// The stored purchase profile of this subscriber.
    pub purchase_profile: Option<ProvisionedProfile>,
}

impl ModemFacts {
    /// Whether this is the customer's SIM. [PROV 12.4]
    #[must_use]
    pub fn has(&self, subscriber_id: &Personal<String>) -> bool {
        crate::binding::is_subscriber(subscriber_id.reveal(), self)
    }
}

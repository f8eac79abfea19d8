//! Why an access point stands in the list. `[OPER 3.6]`

use core::fmt;

use super::Rule;
use crate::layers::Layer;
use crate::profile::{Profile, Purposes};

/// Why a candidate stands in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its record fits.
    Record {
        /// What speaks for the record.
        rule: Rule,
        /// The record was found by an equivalent home network.
        via_ehplmn: bool,
    },
    /// A person set it.
    UserApn,
    /// The operator's provisioning set it for ordinary data.
    ProvisionedDefaultProfile,
    /// The operator's provisioning set it for buying a subscription.
    ProvisionedPurchaseProfile,
    /// A package for the operator brought it.
    ServiceMetadata,
    /// The modem has it stored.
    ModemContext,
    /// It led to full connectivity before, and was moved ahead for that.
    LastGood,
    /// Without any name the network decides.
    NetworkDefault,
}

impl Why {
    pub(crate) fn of_profile(profile: &Profile, purposes: Purposes) -> Self {
        match profile.layer {
            _ if profile.in_modem => Self::ModemContext,
            Layer::User => Self::UserApn,
            Layer::Provisioning if purposes.contains(Purposes::INTERNET) => Self::ProvisionedDefaultProfile,
            Layer::Provisioning if purposes.contains(Purposes::PURCHASE) => Self::ProvisionedPurchaseProfile,
            Layer::Provisioning => Self::ProvisionedDefaultProfile,
            Layer::ServiceMetadata | Layer::Overlay => Self::ServiceMetadata,
            Layer::Modem | Layer::Vendor => Self::ModemContext,
            Layer::NetworkDefault => Self::NetworkDefault,
        }
    }
}

/// The name for programs: that of the rule, with `ehplmn+` before it when an equivalent home network was used.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record { rule, via_ehplmn } => {
                return write!(f, "{}{rule}", if *via_ehplmn { "ehplmn+" } else { "" });
            }
            Self::UserApn => "user-apn",
            Self::ProvisionedDefaultProfile => "provisioned-default-profile",
            Self::ProvisionedPurchaseProfile => "provisioned-purchase-profile",
            Self::ServiceMetadata => "service-metadata",
            Self::ModemContext => "modem-context",
            Self::LastGood => "last-good",
            Self::NetworkDefault => "network-default",
        })
    }
}

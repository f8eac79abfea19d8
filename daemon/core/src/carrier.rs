//! What an operator's documents say of its network beside the two connection profiles: values that the store writes with the
//! SIM. `[PROV 8]`

use serde::{Deserialize, Serialize};

use crate::snapshot::IpSettings;
use crate::subscriber::{ProvisionedProfile, UserApn};

/// How often, and after how long, a resolver asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DnsRetry {
    /// Seconds, 1 to 4.
    pub interval: u8,
    /// Questions after the first, 1 to 4.
    pub count: u8,
}

/// A context beside the default one that programs may ask for by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct NamedContext {
    /// Its name and what it is dialled with.
    pub profile: ProvisionedProfile,
    /// Programs that it is for; empty = all.
    pub programs: Vec<String>,
}

/// What the documents of one operator say for the SIM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct CarrierNetwork {
    /// CarrierId of the documents.
    pub carrier_id: String,
    /// Largest packet of IPv4, 1280 to 1500 octets; `None` = what the network says.
    pub ipv4_mtu: Option<u16>,
    /// As [`Self::ipv4_mtu`], of IPv6.
    pub ipv6_mtu: Option<u16>,
    /// `None` = as the machine's resolver does.
    pub dns_retry: Option<DnsRetry>,
    /// Data classes by their names in the schema, with what people are to be shown.
    pub class_names: Vec<(String, String)>,
    /// Telephone number of the operator's support; empty = none.
    pub support_number: String,
    /// No context may be made beside the default one.
    pub one_context: bool,
    /// In the order of the document.
    pub contexts: Vec<NamedContext>,
    /// The context for shared traffic.
    pub tethering: Option<ProvisionedProfile>,
}

impl CarrierNetwork {
    /// The context of that name.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<&NamedContext> {
        self.contexts.iter().find(|context| context.profile.name == name)
    }

    /// The context that is dialled with this.
    #[must_use]
    pub fn context_with(&self, apn: &UserApn) -> Option<&NamedContext> {
        self.contexts.iter().find(|context| named(&context.profile) == *apn)
    }

    /// Puts the operator's word on packets in the place of the network's.
    pub(crate) fn limit(&self, ip: &mut IpSettings) {
        let four = self.ipv4_mtu.filter(|_| !ip.ipv4.is_empty());
        let six = self.ipv6_mtu.filter(|_| !ip.ipv6.is_empty());
        if let Some(least) = four.into_iter().chain(six).min() {
            ip.mtu = Some(u32::from(least));
        }
    }

    /// What people are to be shown for a data class in use, one bit of `MBIM_DATA_CLASS`. `[MBIM1.0 10.5.1.2]`
    #[must_use]
    pub fn class_name(&self, class: u32) -> Option<&str> {
        let (_, schema) = CLASSES.iter().find(|(bit, _)| *bit == class)?;
        self.class_names.iter().find(|(name, _)| name == schema).map(|(_, shown)| shown.as_str())
    }
}

/// Data classes and what the schema calls them.
const CLASSES: [(u32, &str); 15] = [
    (0, "NONE"),
    (1 << 0, "GPRS"),
    (1 << 1, "EDGE"),
    (1 << 2, "UMTS"),
    (1 << 3, "HSDPA"),
    (1 << 4, "HSUPA"),
    (1 << 5, "LTE"),
    (1 << 16, "ONEXRTT"),
    (1 << 17, "ONEXEVDO"),
    (1 << 18, "ONEXEVDO_REVA"),
    (1 << 19, "ONEXEVDV"),
    (1 << 20, "THREEXRTT"),
    (1 << 21, "ONEXEVDO_REVB"),
    (1 << 22, "UMB"),
    (1 << 31, "CUSTOM"),
];

/// The profile as an access point that is named in a request.
pub(crate) fn named(profile: &ProvisionedProfile) -> UserApn {
    UserApn {
        apn: profile.apn.clone(),
        user: profile.user.clone(),
        password: profile.password.clone(),
        auth: profile.auth.clone(),
        ip_type: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROV-190, PROV-192: the least of the families that are there; names by the bit of the class.
    #[test]
    fn packets_and_names() {
        let network = CarrierNetwork {
            ipv4_mtu: Some(1430),
            ipv6_mtu: Some(1280),
            class_names: vec![("LTE".into(), "Example 4G".into()), ("CUSTOM".into(), "Own".into())],
            ..CarrierNetwork::default()
        };
        let v4 = vec![("10.0.0.1".parse().unwrap(), 24)];
        let v6 = vec![("2001:db8::1".parse().unwrap(), 64)];
        for (ipv4, ipv6, given, limited) in [
            (v4.clone(), Vec::new(), Some(1500), Some(1430)),
            (Vec::new(), v6.clone(), None, Some(1280)),
            (v4.clone(), v6, Some(1400), Some(1280)),
            (Vec::new(), Vec::new(), Some(1400), Some(1400)),
        ] {
            let mut ip = IpSettings { ipv4, ipv6, mtu: given, ..IpSettings::default() };
            network.limit(&mut ip);
            assert_eq!(ip.mtu, limited);
        }
        let mut ip = IpSettings { ipv4: v4, mtu: Some(1500), ..IpSettings::default() };
        CarrierNetwork::default().limit(&mut ip);
        assert_eq!(ip.mtu, Some(1500));
        assert_eq!((network.class_name(1 << 5), network.class_name(1 << 31)), (Some("Example 4G"), Some("Own")));
        assert_eq!((network.class_name(1 << 2), network.class_name(3)), (None, None));
    }
}

//! The extensions of version 2 as values. [PROV 8]

use serde::{Deserialize, Serialize};

use super::read::{context, flag_attribute, token};
use crate::profile::ProvisionedProfile;
use crate::schema::lexical::integer;
use crate::schema::{Ns, at, children, text};
use crate::xml::Node;

/// How often and after how long a DNS query is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRetry {
    /// 1 to 4.
    pub interval_seconds: u8,
    /// 1 to 4.
    pub count: u8,
}

/// Settings for every profile of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NetworkSettings {
    /// 1280 to 1500.
    pub ipv4_mtu: Option<u16>,
    /// 1280 to 1500.
    pub ipv6_mtu: Option<u16>,
    /// Repetition of DNS queries.
    pub dns_retry: Option<DnsRetry>,
}

/// [PROV 8], `CarrierNetworkMetadata`; absent parts are none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// MTU and DNS.
    pub network_settings: Option<NetworkSettings>,
    /// Data class by its name in the schema → what to show instead, 1 to 15 characters.
    pub friendly_names: Option<Vec<(String, String)>>,
    /// At most 25 characters.
    pub phone_number: Option<String>,
}

/// An additional context that some programs may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextPolicy {
    /// The context with its policy's name.
    pub context: ProvisionedProfile,
    /// Programs that may use it; empty: all.
    pub programs: Vec<String>,
}

/// [PROV 8], `AdditionalPDPContexts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contexts {
    /// Whether additional contexts may be made at all.
    pub allowed: bool,
    /// In the document's order.
    pub policies: Vec<ContextPolicy>,
    /// The context for shared traffic.
    pub tethering: Option<ProvisionedProfile>,
    /// How many devices may share, 3 to 10; none is said: 10.
    pub max_devices: Option<u8>,
}

pub(super) fn metadata(node: Node<'_>) -> Metadata {
    Metadata {
        network_settings: at(node, Ns::Cc2, "NetworkSettings").map(|node| NetworkSettings {
            ipv4_mtu: small(node, "IPv4LinkMTU"),
            ipv6_mtu: small(node, "IPv6LinkMTU"),
            dns_retry: at(node, Ns::Cc2, "DNSRetrySettings").and_then(|node| {
                Some(DnsRetry {
                    interval_seconds: small(node, "DNSRetryIntervalInSeconds")?,
                    count: small(node, "DNSRetryCount")?,
                })
            }),
        }),
        friendly_names: at(node, Ns::Cc2, "DataClassFriendlyNames").map(|node| {
            let names = node.children().map(|n| n.name());
            names.filter_map(|class| Some((class.to_owned(), token(node, Ns::Cc2, class)?))).collect()
        }),
        phone_number: token(node, Ns::Cc2, "CustomerSupportPhoneNumber"),
    }
}

pub(super) fn contexts(node: Node<'_>, carrier_id: &str) -> Contexts {
    let policies = at(node, Ns::Cc2, "MultiplePDPContextPolicies");
    let tethering = at(node, Ns::Cc2, "TetheringSettings");
    let named = |node| context(node, Ns::Cc2, carrier_id);
    Contexts {
        allowed: policies.and_then(|node| flag_attribute(node, "MultiplePDPContextSupport")).unwrap_or(true),
        policies: policies
            .into_iter()
            .flat_map(|node| children(node, Ns::Cc2, "PDPContextPolicy"))
            .filter_map(|node| {
                let programs = at(node, Ns::Cc2, "AppIDList")?;
                Some(ContextPolicy {
                    context: named(node)?,
                    programs: children(programs, Ns::Cc2, "AppID").map(text).collect(),
                })
            })
            .collect(),
        tethering: tethering.and_then(|node| at(node, Ns::Cc2, "TetheringProfile")).and_then(named),
        max_devices: tethering.and_then(|node| small(node, "MaxNumberOfDevices")),
    }
}

/// A whole number that the schema has bounded.
fn small<T: TryFrom<u64>>(node: Node<'_>, name: &str) -> Option<T> {
    token(node, Ns::Cc2, name).and_then(|text| integer(&text)).and_then(|n| T::try_from(n).ok())
}

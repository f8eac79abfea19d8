//! From the accepted tree to values. The schema has been here before, so that what is required is
//! there; where it were not, nothing is made.

use core::time::Duration;

use roxmltree::Node;

use super::{Activation, Content, Contexts, Directive, Extensions, Global, MbnProfiles, Metadata, Provisioning};
use crate::private::{Personal, Secret};
use crate::profile::{Authentication, ProvisionedProfile, RoamingPartner};
use crate::schema::lexical::{collapse, decode_base64, integer, span};
use crate::schema::{Ns, at, children, text};
use crate::signature::Shape;

/// Priority of a profile that names none. [PROV 4.2]
const DEFAULT_PRIORITY: u8 = 5;

/// Reads everything below the root.
pub(super) fn content(root: Node<'_, '_>) -> Option<Content> {
    let section = |name| at(root, Ns::Cc, name);
    let global = global(section("Global")?)?;
    let mbn = match section("MBNProfiles") {
        Some(node) => Some(mbn_profiles(node, &global.carrier_id)?),
        None => None,
    };
    let activation = match section("Activation") {
        Some(node) => Some(activation(node)?),
        None => None,
    };
    let wlan = section("WLANProfiles").map(|wlan| {
        let names = children(wlan, Ns::Wlan, "WLANProfile");
        names.map(|profile| token(profile, Ns::Wlan, "name").unwrap_or_default()).collect()
    });
    let plans = section("Plans").into_iter().flat_map(|plans| {
        children(plans, Ns::Plans, "Plan").map(|plan| plan.attribute("Name").unwrap_or_default().to_owned())
    });
    let provisioning = section("Provisioning").map(|node| Provisioning {
        has_certificates: at(node, Ns::Cc, "TrustedCertificates").is_some(),
        has_refresh: at(node, Ns::Cc, "RefreshParameters").is_some(),
    });
    let extensions = section("Extensions").and_then(|node| at(node, Ns::Cc2, "Extensions_v2"));
    Some(Content {
        global,
        activation,
        mbn,
        wlan,
        plans: plans.collect(),
        provisioning,
        extensions: extensions.map(read_extensions).unwrap_or_default(),
        signature: at(root, Ns::Signature, "Signature").map(|signature| Shape {
            has_certificate: at(signature, Ns::Signature, "KeyInfo")
                .is_some_and(|info| at(info, Ns::Signature, "X509Data").is_some()),
        }),
    })
}

fn global(node: Node<'_, '_>) -> Option<Global> {
    let carrier_id_text = token(node, Ns::Cc, "CarrierId")?;
    Some(Global {
        carrier_id: carrier_id_text.to_ascii_lowercase(),
        carrier_id_text,
        subscriber_id: Personal::new(token(node, Ns::Cc, "SubscriberId")?),
        device_id: token(node, Ns::Cc, "DeviceId").map(Personal::new),
    })
}

fn activation(node: Node<'_, '_>) -> Option<Activation> {
    let found = node.children().find(Node::is_element)?;
    let directive = match found.tag_name().name() {
        "ServiceActivation" => {
            let data = at(found, Ns::Wwan, "CarrierSpecificData")?;
            Directive::ServiceActivation(Secret::new(decode_base64(&text(data))?))
        }
        "ReconnectToNetwork" => Directive::Reconnect,
        "ReregisterToNetwork" => Directive::Reregister,
        _ => return None,
    };
    let duration = |name, default| match found.attribute(name) {
        Some(value) => span(value),
        None => Some(default),
    };
    let retry_count = match found.attribute("RetryCount") {
        Some(value) => u32::try_from(integer(value)?).ok()?,
        None => 0,
    };
    Some(Activation {
        directive,
        delay: duration("Delay", Duration::ZERO)?,
        retry_count,
        retry_interval: duration("RetryInterval", Duration::from_secs(60))?,
    })
}

fn mbn_profiles(node: Node<'_, '_>, carrier_id: &str) -> Option<MbnProfiles> {
    let read = |name| match at(node, Ns::Wwan, name) {
        Some(node) => profile(node, carrier_id).map(Some),
        None => Some(None),
    };
    let messages = at(node, Ns::Wwan, "Messages");
    Some(MbnProfiles {
        default: read("DefaultProfile")?,
        purchase: read("PurchaseProfile")?,
        messages: messages.map_or(0, |m| children(m, Ns::Wwan, "Message").count()),
        has_branding: at(node, Ns::Wwan, "Branding").is_some(),
    })
}

fn profile(node: Node<'_, '_>, carrier_id: &str) -> Option<ProvisionedProfile> {
    let context = at(node, Ns::Wwan, "Context");
    let setting = |name| context.and_then(|context| token(context, Ns::Wwan, name));
    let credentials = context.and_then(|context| at(context, Ns::Wwan, "UserLogonCred"));
    let priority = match node.attribute("Priority") {
        Some(value) => u8::try_from(integer(value)?).ok()?,
        None => DEFAULT_PRIORITY,
    };
    let partners = at(node, Ns::Wwan, "DataRoamingPartners");
    let partners = partners.into_iter().flat_map(|p| children(p, Ns::Wwan, "Provider"));
    let base = |node, name| token(node, Ns::Base, name).or_else(|| token(node, Ns::Wwan, name));
    Some(ProvisionedProfile {
        carrier_id: carrier_id.to_owned(),
        name: token(node, Ns::Wwan, "Name")?,
        description: token(node, Ns::Wwan, "Description"),
        priority,
        associated_plan: at(node, Ns::Wwan, "AssociatedPlan").map(text),
        home_provider_name: token(node, Ns::Wwan, "HomeProviderName"),
        apn: setting("AccessString"),
        username: credentials.and_then(|c| token(c, Ns::Wwan, "UserName")),
        password: credentials.and_then(|c| at(c, Ns::Wwan, "Password")).map(|node| Secret::new(text(node))),
        authentication: match setting("AuthProtocol").as_deref() {
            Some("PAP") => Authentication::Pap,
            Some("CHAP") => Authentication::Chap,
            Some("MsCHAPv2") => Authentication::MsChapV2,
            _ => Authentication::None,
        },
        compression: setting("Compression").as_deref() == Some("ENABLE"),
        roaming_partners: partners
            .filter_map(|partner| {
                Some(RoamingPartner {
                    provider_id: base(partner, "ProviderID")?,
                    provider_name: base(partner, "ProviderName")?,
                })
            })
            .collect(),
    })
}

fn read_extensions(node: Node<'_, '_>) -> Extensions {
    let metadata = at(node, Ns::Cc2, "CarrierNetworkMetadata").map(|node| Metadata {
        has_network_settings: at(node, Ns::Cc2, "NetworkSettings").is_some(),
        has_friendly_names: at(node, Ns::Cc2, "DataClassFriendlyNames").is_some(),
        has_phone_number: at(node, Ns::Cc2, "CustomerSupportPhoneNumber").is_some(),
    });
    let contexts = at(node, Ns::Cc2, "AdditionalPDPContexts").map(|node| {
        let policies = at(node, Ns::Cc2, "MultiplePDPContextPolicies");
        let policies = policies.into_iter().flat_map(|p| children(p, Ns::Cc2, "PDPContextPolicy"));
        let tethering = at(node, Ns::Cc2, "TetheringSettings");
        Contexts {
            policies: policies.map(|policy| token(policy, Ns::Cc2, "Name").unwrap_or_default()).collect(),
            tethering_profile: tethering
                .and_then(|t| at(t, Ns::Cc2, "TetheringProfile"))
                .and_then(|profile| token(profile, Ns::Cc2, "Name")),
            has_device_limit: tethering.is_some_and(|t| at(t, Ns::Cc2, "MaxNumberOfDevices").is_some()),
        }
    });
    Extensions { metadata, contexts }
}

/// The collapsed text of a child.
fn token(parent: Node<'_, '_>, ns: Ns, name: &str) -> Option<String> {
    at(parent, ns, name).map(|node| collapse(&text(node)).into_owned())
}

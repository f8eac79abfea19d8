//! From the accepted tree to values. The schema has been here before, so that what is required is
//! there; where it were not, nothing is made.

use core::time::Duration;

use super::{Activation, Content, Directive, Global, MbnProfiles, Provisioning, Rule, WlanProfile};
use super::{branding, extensions, messages, plans, refresh, wlan};
use crate::private::{Passing, Personal, Secret};
use crate::profile::{Authentication, ProvisionedProfile, RoamingPartner};
use crate::schema::lexical::{boolean, collapse, decode_base64, integer, span};
use crate::schema::{Ns, at, children, text};
use crate::signature::Shape;
use crate::xml::{Inherited, Node, Piece};

/// Reads everything below the root.
pub(super) fn content(root: Node<'_>) -> Option<Content> {
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
    let wlan = section("WLANProfiles");
    let plans = section("Plans").into_iter().flat_map(|plans| children(plans, Ns::Plans, "Plan"));
    let extensions = section("Extensions").and_then(|node| at(node, Ns::Cc2, "Extensions_v2"));
    let part = |name| extensions.and_then(|node| at(node, Ns::Cc2, name));
    Some(Content {
        activation,
        mbn,
        wlan: wlan.map(|wlan| {
            let inherited = Inherited::of(wlan);
            children(wlan, Ns::Wlan, "WLANProfile").filter_map(|node| wlan_profile(node, &inherited)).collect()
        }),
        plans: plans.map(plans::read).collect::<Option<_>>()?,
        provisioning: section("Provisioning").map(provisioning),
        metadata: part("CarrierNetworkMetadata").map(extensions::metadata),
        contexts: part("AdditionalPDPContexts").map(|node| extensions::contexts(node, &global.carrier_id)),
        global,
        signature: at(root, Ns::Signature, "Signature").map(|signature| Shape {
            has_certificate: at(signature, Ns::Signature, "KeyInfo")
                .is_some_and(|info| at(info, Ns::Signature, "X509Data").is_some()),
        }),
    })
}

fn wlan_profile(node: Node<'_>, inherited: &Inherited) -> Option<WlanProfile> {
    Some(WlanProfile {
        name: token(node, Ns::Wlan, "name")?,
        associated_plan: at(node, Ns::Wlan, "AssociatedPlan").map(text),
        verdict: wlan::judge(node),
        piece: Piece::of(node, inherited),
        xml: Secret::default(),
    })
}

fn provisioning(node: Node<'_>) -> Provisioning {
    let parameters = at(node, Ns::Cc, "RefreshParameters");
    Provisioning {
        certificates: at(node, Ns::Cc, "TrustedCertificates").map(refresh::certificates),
        refresh: parameters.map(refresh::refresh),
        is_prose: parameters.is_some_and(|node| at(node, Ns::Cc, "Username").is_some()),
    }
}

fn global(node: Node<'_>) -> Option<Global> {
    let carrier_id_text = token(node, Ns::Cc, "CarrierId")?;
    Some(Global {
        carrier_id: carrier_id_text.to_ascii_lowercase(),
        carrier_id_text,
        subscriber_id: Personal::new(token(node, Ns::Cc, "SubscriberId")?),
        device_id: token(node, Ns::Cc, "DeviceId").map(Personal::new),
    })
}

fn activation(node: Node<'_>) -> Option<Activation> {
    let found = node.children().next()?;
    let directive = match found.name() {
        "ServiceActivation" => {
            let data = at(found, Ns::Wwan, "CarrierSpecificData")?;
            Directive::ServiceActivation(Secret::new(decode_base64(&Passing(data.text()))?))
        }
        "ReconnectToNetwork" => Directive::Reconnect,
        "ReregisterToNetwork" => Directive::Reregister,
        _ => return None,
    };
    let duration = |name, default| match found.attribute(name) {
        Some(value) => span(&value),
        None => Some(default),
    };
    let retry_count = match found.attribute("RetryCount") {
        Some(value) => u32::try_from(integer(&value)?).ok()?,
        None => 0,
    };
    Some(Activation {
        directive,
        delay: duration("Delay", Duration::ZERO)?,
        retry_count,
        retry_interval: duration("RetryInterval", Duration::from_secs(60))?,
    })
}

fn mbn_profiles(node: Node<'_>, carrier_id: &str) -> Option<MbnProfiles> {
    let read = |name| match at(node, Ns::Wwan, name) {
        Some(node) => profile(node, carrier_id).map(Some),
        None => Some(None),
    };
    let rules = at(node, Ns::Wwan, "Messages").map(|node| {
        let inherited = Inherited::of(node);
        let messages = (1..).zip(children(node, Ns::Wwan, "Message"));
        let read = |(position, message)| Rule {
            id: messages::rule_id(message),
            problem: messages::check(message, position).err(),
            piece: Piece::of(message, &inherited),
            xml: String::new(),
        };
        messages.map(read).collect()
    });
    Some(MbnProfiles {
        default: read("DefaultProfile")?,
        purchase: read("PurchaseProfile")?,
        rules,
        branding: at(node, Ns::Wwan, "Branding").map(branding::read),
    })
}

fn profile(node: Node<'_>, carrier_id: &str) -> Option<ProvisionedProfile> {
    let priority = match node.attribute("Priority") {
        Some(value) => u8::try_from(integer(&value)?).ok()?,
        None => ProvisionedProfile::DEFAULT_PRIORITY,
    };
    let partners = at(node, Ns::Wwan, "DataRoamingPartners");
    let partners = partners.into_iter().flat_map(|p| children(p, Ns::Wwan, "Provider"));
    let base = |node, name| token(node, Ns::Base, name).or_else(|| token(node, Ns::Wwan, name));
    Some(ProvisionedProfile {
        description: token(node, Ns::Wwan, "Description"),
        priority,
        associated_plan: at(node, Ns::Wwan, "AssociatedPlan").map(text),
        home_provider_name: token(node, Ns::Wwan, "HomeProviderName"),
        roaming_partners: partners
            .filter_map(|partner| {
                Some(RoamingPartner {
                    provider_id: base(partner, "ProviderID")?,
                    provider_name: base(partner, "ProviderName")?,
                })
            })
            .collect(),
        ..context(node, Ns::Wwan, carrier_id)?
    })
}

/// Name and context, which have the same members in two namespaces.
pub(super) fn context(node: Node<'_>, ns: Ns, carrier_id: &str) -> Option<ProvisionedProfile> {
    let context = at(node, ns, "Context");
    let setting = |name| context.and_then(|context| token(context, ns, name));
    let credentials = context.and_then(|context| at(context, ns, "UserLogonCred"));
    Some(ProvisionedProfile {
        carrier_id: carrier_id.to_owned(),
        name: token(node, ns, "Name")?,
        description: None,
        priority: ProvisionedProfile::DEFAULT_PRIORITY,
        associated_plan: None,
        home_provider_name: None,
        apn: setting("AccessString"),
        username: credentials.and_then(|c| token(c, ns, "UserName")),
        password: credentials.and_then(|c| at(c, ns, "Password")).map(|node| Secret::new(text(node))),
        authentication: match setting("AuthProtocol").as_deref() {
            Some("PAP") => Authentication::Pap,
            Some("CHAP") => Authentication::Chap,
            Some("MsCHAPv2") => Authentication::MsChapV2,
            _ => Authentication::None,
        },
        compression: setting("Compression").as_deref() == Some("ENABLE"),
        roaming_partners: Vec::new(),
    })
}

/// The collapsed text of a child.
pub(super) fn token(parent: Node<'_>, ns: Ns, name: &str) -> Option<String> {
    at(parent, ns, name).map(|node| collapse(&Passing(node.text())).into_owned())
}

/// A child that says yes or no.
pub(super) fn flag(parent: Node<'_>, ns: Ns, name: &str) -> Option<bool> {
    boolean(&text(at(parent, ns, name)?))
}

/// An attribute that says yes or no.
pub(super) fn flag_attribute(node: Node<'_>, name: &str) -> Option<bool> {
    boolean(&node.attribute(name)?)
}

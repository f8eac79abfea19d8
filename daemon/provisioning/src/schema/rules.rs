//! Rules over the whole document that no table of elements can say. [PROV 12.2, 9.4]

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::lexical::collapse;
use super::walk::{Walker, is_signature};
use super::{Ns, at, children, text};
use crate::xml::Node;

/// Wi-Fi networks of one profile, both versions together. [PROV 5.2]
const MAX_SSIDS: usize = 10_000;

/// Length of a profile's name that the published text allows; the schema allows 255. [PROV A8]
const USUAL_NAME: usize = 64;

/// One rule over the whole document.
pub(super) struct Rule {
    /// What holds, in a sentence.
    pub(super) says: &'static str,
    check: fn(Node<'_>, &mut Walker),
}

/// All of them. XML Schema can say none of these (uniqueness it could, but only with the prefixes
/// of one document), so that all are marked as beyond it.
pub(super) const RULES: &[Rule] = &[
    Rule { says: "a signature stands nowhere but at the end of the root", check: one_signature },
    Rule { says: "data plans have different names", check: plan_names },
    Rule { says: "Wi-Fi profiles have different names", check: wlan_names },
    Rule { says: "a Wi-Fi profile has at most 10000 networks, of both versions together", check: networks },
    Rule { says: "message rules have different identifiers, where they have any", check: rule_ids },
    Rule { says: "policies of additional contexts have different names", check: policy_names },
    Rule { says: "there is at most one list of certificates", check: one_certificate_list },
    Rule { says: "a profile's name above 64 characters earns a warning", check: long_names },
];

/// Runs all of them.
pub(super) fn check(root: Node<'_>, walker: &mut Walker) {
    for rule in RULES {
        (rule.check)(root, walker);
    }
}

fn plan_names(root: Node<'_>, walker: &mut Walker) {
    let plans = at(root, Ns::Cc, "Plans");
    unique(walker, plans, Ns::Plans, "Plan", |plan| plan.attribute("Name").map(Cow::into_owned));
}

fn wlan_names(root: Node<'_>, walker: &mut Walker) {
    let wlan = at(root, Ns::Cc, "WLANProfiles");
    unique(walker, wlan, Ns::Wlan, "WLANProfile", |profile| {
        at(profile, Ns::Wlan, "name").map(|name| collapse(&text(name)).into_owned())
    });
}

fn networks(root: Node<'_>, walker: &mut Walker) {
    let wlan = at(root, Ns::Cc, "WLANProfiles");
    for profile in wlan.into_iter().flat_map(|w| children(w, Ns::Wlan, "WLANProfile")) {
        ssids(profile, walker);
    }
}

fn long_names(root: Node<'_>, walker: &mut Walker) {
    let mbn = at(root, Ns::Cc, "MBNProfiles");
    for profile in ["DefaultProfile", "PurchaseProfile"] {
        let profile = mbn.and_then(|mbn| at(mbn, Ns::Wwan, profile));
        if let Some(name) = profile.and_then(|profile| at(profile, Ns::Wwan, "Name"))
            && collapse(&text(name)).chars().count() > USUAL_NAME
        {
            let remark = format!("more than {USUAL_NAME} characters, which not all readers take");
            walker.warning(name, remark);
        }
    }
}

fn rule_ids(root: Node<'_>, walker: &mut Walker) {
    let messages = at(root, Ns::Cc, "MBNProfiles").and_then(|mbn| at(mbn, Ns::Wwan, "Messages"));
    unique(walker, messages, Ns::Wwan, "Message", |message| {
        let id = collapse(&message.attribute("RuleId")?).into_owned();
        (!id.is_empty()).then_some(id)
    });
}

fn policy_names(root: Node<'_>, walker: &mut Walker) {
    let policies = at(root, Ns::Cc, "Extensions")
        .and_then(|e| at(e, Ns::Cc2, "Extensions_v2"))
        .and_then(|e| at(e, Ns::Cc2, "AdditionalPDPContexts"))
        .and_then(|e| at(e, Ns::Cc2, "MultiplePDPContextPolicies"));
    unique(walker, policies, Ns::Cc2, "PDPContextPolicy", |policy| {
        at(policy, Ns::Cc2, "Name").map(|name| collapse(&text(name)).into_owned())
    });
}

fn one_certificate_list(root: Node<'_>, walker: &mut Walker) {
    let key_info = at(root, Ns::Signature, "Signature").and_then(|s| at(s, Ns::Signature, "KeyInfo"));
    let data = key_info.into_iter().flat_map(|k| children(k, Ns::Signature, "X509Data"));
    for second in data.skip(1) {
        walker.violation(second, "may occur only once");
    }
}

/// A signature stands at the end of the root and nowhere else.
fn one_signature(root: Node<'_>, walker: &mut Walker) {
    let elsewhere = root.descendants().filter(|node| is_signature(*node) && node.parent() != Some(root));
    for signature in elsewhere {
        if !walker.has_violation(signature) {
            walker.violation(signature, "a signature may only stand at the end of the root");
        }
    }
}

/// Names within one kind differ. [PROV A41]
fn unique(
    walker: &mut Walker,
    parent: Option<Node<'_>>,
    ns: Ns,
    name: &'static str,
    key: impl Fn(Node<'_>) -> Option<String>,
) {
    let mut seen = BTreeSet::new();
    for node in parent.into_iter().flat_map(|p| children(p, ns, name)) {
        if let Some(key) = key(node)
            && !seen.insert(key)
        {
            walker.violation(node, format!("another {name} has the same name"));
        }
    }
}

fn ssids(profile: Node<'_>, walker: &mut Walker) {
    let Some(config) = at(profile, Ns::Wlan, "SSIDConfig") else {
        return;
    };
    let first = children(config, Ns::Wlan, "SSID").count();
    let second = children(config, Ns::Wlan2, "SSID").count();
    if first + second > MAX_SSIDS {
        let rule = format!("more than {MAX_SSIDS} networks in one profile");
        walker.violation(config, rule);
    }
}

//! Answer files in the shape of COSA: targets with conditions, and profiles that refer to them. `[OPER 3.2]`

use std::collections::{BTreeMap, BTreeSet};

use crate::database::places::Places;
use crate::database::tree::{MAX_ELEMENTS, Node};
use crate::database::{Severity, Trouble};
use crate::identity::Plmn;
use crate::overlay::{AccessPoint, Op, OperatorRecord, Selectors};
use crate::profile::{Password, Purposes, RoamingMode};

/// Conditions of one target state; all must hold.
#[derive(Clone, Default)]
struct State {
    mcc: String,
    mnc: String,
    select: Selectors,
}

pub(super) fn records(root: &Node, places: &mut Places<'_>) -> Vec<OperatorRecord> {
    let all = root.all();
    let mut targets: BTreeMap<&str, Vec<State>> = BTreeMap::new();
    for target in all.iter().filter(|node| node.name == "Target") {
        let states = target.children_of("TargetState").filter_map(|state| match conditions(state) {
            Ok(state) => Some(state),
            Err(why) => {
                places.problem(state.at, Severity::Warning, Trouble::LeftOut(why));
                None
            }
        });
        let states: Vec<State> = states.collect();
        targets.entry(target.attribute("Id")).or_default().extend(states);
    }
    let profiles = all.iter().filter(|node| matches!(node.name.as_str(), "Profile" | "Replace" | "Variant"));
    let mut records = Vec::new();
    let mut room = MAX_ELEMENTS;
    for profile in profiles {
        match of_profile(profile, &targets, &mut room, places) {
            Some(made) => records.extend(made),
            None => {
                places.problem(profile.at, Severity::Warning, Trouble::TooManyElements);
                break;
            }
        }
    }
    records
}

/// One record for all plain targets together, and one for each network whose targets have selectors.
///
/// `room` is how much may still be made: what refers to much, often, ends there with `None`.
fn of_profile(
    profile: &Node,
    targets: &BTreeMap<&str, Vec<State>>,
    room: &mut usize,
    places: &mut Places<'_>,
) -> Option<Vec<OperatorRecord>> {
    let mut base = OperatorRecord::default();
    let name = profile.attribute("Name").trim();
    base.names.extend((!name.is_empty()).then(|| name.to_owned()));
    for node in profile.all() {
        match node.name.as_str() {
            "Connection" => base.apns.extend(connection(node, places)),
            "AccountExperienceURL" => base.account_url = node.text.trim().to_owned(),
            _ => {}
        }
    }
    if profile.name == "Replace" {
        base.op = if base.apns.is_empty() { Op::Delete } else { Op::Replace };
    }
    let lists = profile.children_of("TargetRefs");
    let references: BTreeSet<&str> =
        lists.flat_map(|list| list.children_of("TargetRef")).map(|reference| reference.attribute("Id")).collect();
    let mut records: Vec<OperatorRecord> = Vec::new();
    let mut with_selectors: BTreeMap<Option<Plmn>, usize> = BTreeMap::new();
    let mut plain: Option<usize> = None;
    for state in references.iter().filter_map(|reference| targets.get(reference)).flatten() {
        let code = Plmn::from_parts(&state.mcc, &state.mnc);
        let is_plain = state.select == Selectors::default();
        let known = if is_plain { plain } else { with_selectors.get(&code).copied() };
        let cost = if known.is_some() { 1 } else { 1 + base.apns.len() };
        *room = room.checked_sub(cost)?;
        let place = known.unwrap_or(records.len());
        if known.is_none() {
            records.push(base.clone());
            if is_plain {
                plain = Some(place);
            } else {
                with_selectors.insert(code, place);
            }
        }
        let Some(record) = records.get_mut(place) else { continue };
        if is_plain {
            record.plmns.extend(code);
        } else {
            record.plmns = code.into_iter().collect();
            record.selects.push(state.select.clone());
        }
    }
    for record in &mut records {
        record.plmns.sort_unstable();
        record.plmns.dedup();
    }
    if records.is_empty() {
        places.problem(profile.at, Severity::Warning, Trouble::LeftOut("a profile without a target in this file"));
    }
    Some(records)
}

fn conditions(state: &Node) -> Result<State, &'static str> {
    let mut made = State::default();
    for condition in state.children_of("Condition") {
        let value = condition.attribute("Value").trim();
        if value.starts_with("pattern:") || value.starts_with('!') {
            return Err("a target with a pattern");
        }
        let range = value.strip_prefix("range:").and_then(|ends| ends.split_once([',', '-']));
        let select = &mut made.select;
        let some = |text: &str| Some(text.trim().to_owned());
        match (condition.attribute("Name").to_ascii_lowercase().as_str(), range) {
            ("mcc", None) => made.mcc = value.to_owned(),
            ("mnc", None) => made.mnc = value.to_owned(),
            ("iccid", Some((from, to))) => (select.iccid_from, select.iccid_to) = (some(from), some(to)),
            ("iccid", None) => select.iccid_prefix = some(value),
            ("imsi", Some((from, to))) => (select.imsi_from, select.imsi_to) = (some(from), some(to)),
            ("imsi", None) => select.imsi_prefix = some(value),
            ("gid1", None) => select.gid1 = some(value),
            ("spn", None) => select.spn = some(value),
            ("pnn", None) => select.pnn = some(value),
            // For a person who has to choose: our list of alternatives has the names.
            ("uiname" | "uiorder", _) => {}
            _ => return Err("a target with a condition that records do not know"),
        }
    }
    let code = Plmn::from_parts(&made.mcc, &made.mnc).is_some();
    match (code, made.mcc.is_empty() && made.mnc.is_empty(), made.select == Selectors::default()) {
        (true, _, _) | (_, true, false) => Ok(made),
        _ => Err("a target without a whole network code"),
    }
}

fn connection(node: &Node, places: &mut Places<'_>) -> Option<AccessPoint> {
    let access = [node.text_of("AccessPointName"), node.text_of("GPRSInfoAccessPointName")];
    let mut apn = AccessPoint {
        value: access.into_iter().find(|text| !text.is_empty()).unwrap_or("").to_owned(),
        user: node.text_of("UserName").to_owned(),
        password: Password::new(node.child("Password").map_or("", |child| child.text.as_str())),
        ..AccessPoint::default()
    };
    let settings = &mut apn.settings;
    settings.auth = super::auth(node.text_of("AuthType"));
    settings.ip_home = super::ip_type(node.text_of("IPType"));
    settings.order = node.text_of("AutoConnectOrder").parse().unwrap_or(0);
    settings.roaming = match node.text_of("Roaming") {
        "0" => Some(RoamingMode::Home),
        "2" => Some(RoamingMode::HomePartner),
        // Records do not tell which of the foreign networks: not at home, at least.
        "3" | "4" | "5" => Some(RoamingMode::RoamingOnly),
        _ => None,
    };
    let groups = node.text_of("PurposeGroups");
    let purposes = if groups.is_empty() {
        Purposes::INTERNET
    } else {
        groups.split([',', ';']).filter_map(|group| purpose(group.trim())).fold(Purposes::NONE, Purposes::with)
    };
    if super::finish(&mut apn, purposes) {
        return Some(apn);
    }
    places.problem(node.at, Severity::Warning, Trouble::Value { element: "AccessPointName" });
    None
}

/// Purposes by their identifiers, which are others than those of contexts.
fn purpose(group: &str) -> Option<Purposes> {
    let group = group.trim_matches(['{', '}']).to_ascii_uppercase();
    Some(match group.as_str() {
        "3E5545D2-1137-4DC8-A198-33F1C657515F" => Purposes::INTERNET,
        "11A6FE68-5B47-4859-9CB6-1EAC96A8F0BD" => Purposes::ATTACH,
        "53E2C5D3-D13C-4068-AA38-9C48FF2E55A8" => Purposes::MMS,
        "474D66ED-0E4B-476B-A455-19BB1239ED13" => Purposes::IMS,
        "6D42669F-52A9-408E-9493-1071DCC437BD" => Purposes::SUPL,
        "95522B2B-A6D1-4E40-960B-05E6D3F962AB" => Purposes::PURCHASE,
        "2FFD9261-C23C-4D27-8DCF-CDE4E14A3364" => Purposes::ADMIN,
        "52D7654A-00A8-4140-806C-087D66705306" => Purposes::APP,
        "A36E171F-2377-4965-88FE-1F53EB4B47C0" => Purposes::ESIM,
        _ => return None,
    })
}

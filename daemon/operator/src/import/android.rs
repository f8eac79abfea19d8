//! `apns-conf.xml`: an element an access point, with the network and what tells a virtual operator in each.

use std::collections::BTreeMap;

use crate::database::places::Places;
use crate::database::tree::Node;
use crate::database::{Severity, Trouble};
use crate::identity::Plmn;
use crate::overlay::{AccessPoint, OperatorRecord, Selectors};
use crate::profile::{Auth, Password, Purposes};

/// Elements of the same network and the same virtual operator make one record, named by the first.
pub(super) fn records(root: &Node, places: &mut Places<'_>) -> Vec<OperatorRecord> {
    let mut records: Vec<OperatorRecord> = Vec::new();
    let mut known: BTreeMap<[&str; 4], usize> = BTreeMap::new();
    for node in root.children_of("apn") {
        let mut left_out = |what| places.problem(node.at, Severity::Warning, what);
        let get = |name| node.attribute(name).trim();
        if get("carrier_enabled") == "false" {
            left_out(Trouble::LeftOut("carrier_enabled is false"));
            continue;
        }
        let Some(plmn) = Plmn::from_parts(get("mcc"), get("mnc")) else {
            left_out(Trouble::Value { element: "mcc and mnc" });
            continue;
        };
        let select = match select(get("mvno_type"), get("mvno_match_data")) {
            Ok(select) => select,
            Err(why) => {
                left_out(Trouble::LeftOut(why));
                continue;
            }
        };
        let Some(purposes) = purposes(node) else {
            left_out(Trouble::LeftOut("no type that records know"));
            continue;
        };
        let Some(apn) = access_point(node, purposes) else {
            left_out(Trouble::Value { element: "apn" });
            continue;
        };
        let key = [get("mcc"), get("mnc"), get("mvno_type"), get("mvno_match_data")];
        match known.get(&key).and_then(|place| records.get_mut(*place)) {
            Some(record) => record.apns.push(apn),
            None => {
                known.insert(key, records.len());
                let name = get("carrier");
                records.push(OperatorRecord {
                    names: (!name.is_empty()).then(|| name.to_owned()).into_iter().collect(),
                    plmns: vec![plmn],
                    selects: select.into_iter().collect(),
                    apns: vec![apn],
                    ..OperatorRecord::default()
                });
            }
        }
    }
    records
}

/// What tells a virtual operator; `None` = the host.
fn select(kind: &str, data: &str) -> Result<Option<Selectors>, &'static str> {
    let mut select = Selectors::default();
    let data = data.trim();
    match (kind, data) {
        ("", _) => return Ok(None),
        (_, "") => return Err("mvno_type without mvno_match_data"),
        ("spn", name) => select.spn = Some(name.to_owned()),
        ("pnn", name) => select.pnn = Some(name.to_owned()),
        ("gid", group) => select.gid1 = Some(group.to_owned()),
        ("iccid", prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            select.iccid_prefix = Some(prefix.to_owned());
        }
        ("imsi", pattern) => {
            // Places that may be anything are written as x; they can be left out only at the end.
            let prefix = pattern.trim_end_matches(['x', 'X']);
            if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("an IMSI pattern with free places before digits");
            }
            select.imsi_prefix = Some(prefix.to_owned());
        }
        _ => return Err("a mvno_type that records do not know"),
    }
    Ok(Some(select))
}

fn purposes(node: &Node) -> Option<Purposes> {
    let types = node.attribute("type").trim();
    if types.is_empty() || types == "*" {
        return Some(Purposes::INTERNET);
    }
    let known = types.split(',').map(str::trim).filter_map(|word| match word {
        "default" => Some(Purposes::INTERNET),
        "ia" => Some(Purposes::ATTACH),
        other => Purposes::parse(other).filter(|purpose| *purpose != Purposes::INTERNET),
    });
    known.reduce(Purposes::with)
}

fn access_point(node: &Node, purposes: Purposes) -> Option<AccessPoint> {
    let get = |name| node.attribute(name).trim();
    let proxy = match (get("mmsproxy"), get("mmsport")) {
        ("", _) => String::new(),
        (host, "") => host.to_owned(),
        (host, port) => format!("{host}:{port}"),
    };
    let mut apn = AccessPoint {
        value: get("apn").to_owned(),
        user: node.attribute("user").to_owned(),
        password: Password::new(node.attribute("password")),
        mmsc: get("mmsc").to_owned(),
        mms_proxy: proxy,
        ..AccessPoint::default()
    };
    apn.settings.auth = match get("authtype") {
        "0" => Some(Auth::None),
        "1" => Some(Auth::Pap),
        "2" => Some(Auth::Chap),
        // Both: not said, which starts with the challenge and goes on with the other.
        _ => None,
    };
    apn.settings.ip_home = super::ip_type(get("protocol"));
    apn.settings.ip_roaming = super::ip_type(get("roaming_protocol"));
    super::finish(&mut apn, purposes).then_some(apn)
}

//! The APN database of Windows 8: operators by hardware ids, whose making is not published. `[PROV 14.5]`

use crate::database::places::Places;
use crate::database::tree::Node;
use crate::database::{Severity, Trouble};
use crate::hwid::Hwid;
use crate::overlay::{AccessPoint, OperatorRecord, Selectors};
use crate::profile::{Password, Purposes};

pub(super) fn records(root: &Node, places: &mut Places<'_>) -> Vec<OperatorRecord> {
    root.children_of("Operator").map(|operator| record(operator, places)).collect()
}

fn record(operator: &Node, places: &mut Places<'_>) -> OperatorRecord {
    let name = operator.attribute("name").trim();
    let mut record = OperatorRecord {
        names: (!name.is_empty()).then(|| name.to_owned()).into_iter().collect(),
        account_url: operator.attribute("AccountExperienceURL").trim().to_owned(),
        ..OperatorRecord::default()
    };
    let mut foreign = false;
    for id in operator.children_of("HardwareIdList").flat_map(|list| list.children_of("HardwareId")) {
        let id = id.attribute("id").trim();
        let id = id.strip_prefix("DOID:").unwrap_or(id);
        foreign |= Hwid::parse(id).is_none();
        record.selects.push(Selectors { hwid: Some(id.to_owned()), ..Selectors::default() });
    }
    if foreign || record.selects.is_empty() {
        let why = "how Windows makes hardware ids is not published: add network-id or select elements by hand";
        places.problem(operator.at, Severity::Warning, Trouble::LeftOut(why));
    }
    for info in operator.children_of("ConnectionInfoList").flat_map(|list| list.children_of("ConnectionInfo")) {
        let get = |name| info.attribute(name);
        let access = get("AccessString").trim();
        if access.contains(['#', '@']) {
            // A number to dial, or an identifier of the network access: CDMA.
            record.cdma = Some((get("Username").to_owned(), Password::new(get("Password"))));
            continue;
        }
        let mut purposes = Purposes::NONE;
        for (attribute, purpose) in [("Internet", Purposes::INTERNET), ("Purchase", Purposes::PURCHASE)] {
            if matches!(get(attribute).trim(), "true" | "1" | "Y") {
                purposes = purposes.with(purpose);
            }
        }
        let mut apn = AccessPoint {
            value: access.to_owned(),
            user: get("Username").to_owned(),
            password: Password::new(get("Password")),
            ..AccessPoint::default()
        };
        apn.settings.auth = super::auth(get("AuthProtocol").trim());
        apn.settings.order = get("AutoConnectOrder").trim().parse().unwrap_or(0);
        if super::finish(&mut apn, purposes) {
            record.apns.push(apn);
        } else {
            places.problem(info.at, Severity::Warning, Trouble::Value { element: "AccessString" });
        }
    }
    record
}

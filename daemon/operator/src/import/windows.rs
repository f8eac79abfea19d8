//! The APN database of Windows 8: operators by hardware ids, whose making is not published. `[PROV 14.5]`

use crate::database::places::Places;
use crate::database::tree::Node;
use crate::database::{Severity, Trouble, is_guid};
use crate::hwid::Hwid;
use crate::overlay::{AccessPoint, MAX_CERTIFICATES, NamedCertificate, OperatorRecord, Selectors};
use crate::profile::{Password, Purposes};

pub(super) fn records(root: &Node, places: &mut Places<'_>) -> Vec<OperatorRecord> {
    root.children_of("Operator").map(|operator| record(operator, places)).collect()
}

fn record(operator: &Node, places: &mut Places<'_>) -> OperatorRecord {
    let name = operator.attribute("name").trim();
    let mut record = OperatorRecord {
        names: (!name.is_empty()).then(|| name.to_owned()).into_iter().collect(),
        account_url: operator.attribute("AccountExperienceURL").trim().to_owned(),
        service_number: operator.attribute("OperatorGUID").trim().to_owned(),
        ..OperatorRecord::default()
    };
    if !record.service_number.is_empty() && !is_guid(&record.service_number) {
        record.service_number.clear();
        places.problem(operator.at, Severity::Warning, Trouble::Value { element: "OperatorGUID" });
    }
    let lists = operator.children_of("TrustedCertificateList");
    for named in lists.flat_map(|list| list.children_of("TrustedCertificate")) {
        let (subject, issuer) = (named.attribute("SubjectName").trim(), named.attribute("IssuerName").trim());
        if subject.is_empty() || issuer.is_empty() || record.certificates.len() >= MAX_CERTIFICATES {
            places.problem(named.at, Severity::Warning, Trouble::Value { element: "TrustedCertificate" });
            continue;
        }
        record.certificates.push(NamedCertificate { subject: subject.to_owned(), issuer: issuer.to_owned() });
    }
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

//! A service metadata package of an operator, unpacked: for which SIMs it is, and the profiles that it brings.
//! `[PROV 14.1, 14.2]`
//!
//! `PackageInfo.xml` lists hardware ids, of which only those of our own format can match; `ServiceInformation/ServiceInfo.xml`
//! names the operator, the GUID under which its documents come and the file with `MobileBroadbandInfo`; that names the files of two
//! profiles, one for ordinary use and one for buying a plan, and the certificates that its documents are signed with. What of it is
//! missing falls through to lower layers.

use crate::database::places::Places;
use crate::database::tree::{self, Node};
use crate::database::{FileProblem, Severity, Trouble, is_guid};
use crate::layers::SourceFile;
use crate::overlay::{AccessPoint, MAX_CERTIFICATES, NamedCertificate, OperatorRecord, Selectors, Usage};
use crate::profile::{Auth, IpType, Password, Purposes, is_apn};

/// Folder of the operator's files in a package.
const FOLDER: &str = "ServiceInformation/";
/// Most hardware ids of a package.
const MAX_IDS: usize = 4096;
/// Longest name of a file.
const MAX_NAME: usize = 260;

/// Files of one package; names are relative to it, with `/`.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// Name of the package, for messages.
    pub name: &'a str,
    /// Its XML files.
    pub files: &'a [SourceFile<'a>],
}

/// Makes a record of a package; `None` when it cannot be used, which the remarks say.
pub(crate) fn read(package: &Package<'_>, problems: &mut Vec<FileProblem>) -> Option<OperatorRecord> {
    let info = package.open("PackageInfo.xml", "PackageInfo", problems)?;
    let mut record = OperatorRecord::default();
    let ids = info.all().into_iter().filter(|node| node.name == "HardwareID").take(MAX_IDS);
    for id in ids {
        let id = id.text.trim();
        let hwid = Some(id.strip_prefix("DOID:").unwrap_or(id).to_owned());
        record.selects.push(Selectors { hwid, ..Selectors::default() });
    }
    let service = package.open(&format!("{FOLDER}ServiceInfo.xml"), "ServiceInfo", problems)?;
    let names = [service.text_of("ServiceProvider"), service.text_of("ServiceName")];
    record.names.extend(names.into_iter().find(|name| !name.is_empty()).map(crate::names::nfc));
    let number = service.text_of("ServiceNumber");
    if is_guid(number) {
        record.service_number = number.to_owned();
    } else if !number.is_empty() {
        problems
            .push(package.problem("ServiceInformation/ServiceInfo.xml", Trouble::Value { element: "ServiceNumber" }));
    }
    let file = service.text_of("ServiceSpecificExtension");
    let file = package.named(if file.is_empty() { "MobileBroadbandInfo.xml" } else { file }, problems)?;
    let broadband = package.open(&file, "MobileBroadbandInfo", problems)?;
    let trusted = broadband.child("ProvisioningEngine").and_then(|node| node.child("TrustedCertificates"));
    for named in trusted.into_iter().flat_map(|trusted| trusted.children_of("TrustedCertificate")) {
        let (subject, issuer) = (named.text_of("SubjectName"), named.text_of("IssuerName"));
        if subject.is_empty() || issuer.is_empty() || record.certificates.len() >= MAX_CERTIFICATES {
            problems.push(package.problem(&file, Trouble::Value { element: "TrustedCertificate" }));
            continue;
        }
        record.certificates.push(NamedCertificate { subject: subject.to_owned(), issuer: issuer.to_owned() });
    }
    let profiles = broadband.child("NetworkConfiguration").and_then(|node| node.child("MobileBroadbandProfiles"));
    for (element, purpose) in [("Internet", Purposes::INTERNET), ("Purchase", Purposes::PURCHASE)] {
        let Some(file) = profiles.and_then(|node| node.child(element)) else { continue };
        let Some(file) = package.named(&file.text, problems) else { continue };
        let profile = package.open(&file, "", problems);
        match profile.as_ref().and_then(|profile| access_point(profile, purpose)) {
            Some(apn) => record.apns.push(apn),
            None if profile.is_some() => {
                problems.push(package.problem(&file, Trouble::Value { element: "AccessString" }))
            }
            None => {}
        }
    }
    Some(record)
}

impl Package<'_> {
    /// The root of a file; an empty `root` takes any. A file that is missing or broken is told.
    fn open(&self, name: &str, root: &str, problems: &mut Vec<FileProblem>) -> Option<Node> {
        let Some(file) = self.files.iter().find(|file| file.name == name) else {
            problems.push(self.problem(name, Trouble::Missing));
            return None;
        };
        let full = format!("{}/{name}", self.name);
        let mut places = Places::new(&full, file.bytes);
        match tree::parse(&mut places) {
            Ok(node) if root.is_empty() || node.name == root => Some(node),
            Ok(node) => {
                let what = Trouble::OtherRoot { expected: "that of a service metadata package" };
                problems.push(places.told(node.at, Severity::Error, what));
                None
            }
            Err((at, what)) => {
                problems.push(places.told(at, Severity::Error, what));
                None
            }
        }
    }

    /// The path of a file that another file names: a bare name in the folder, never a way out of it.
    fn named(&self, name: &str, problems: &mut Vec<FileProblem>) -> Option<String> {
        let bare = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
        let fits =
            !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(bare) && name.chars().any(|c| c != '.');
        if !fits {
            problems.push(self.problem("", Trouble::Value { element: "file name" }));
        }
        fits.then(|| format!("{FOLDER}{name}"))
    }

    fn problem(&self, file: &str, what: Trouble) -> FileProblem {
        let file = format!("{}/{file}", self.name);
        FileProblem { file, severity: Severity::Error, line: 1, column: 1, what }
    }
}

/// A mobile broadband profile, of any release of its schema: the elements that count have kept their names.
fn access_point(profile: &Node, purpose: Purposes) -> Option<AccessPoint> {
    let context = profile.child("Context")?;
    let credentials = context.child("UserLogonCred");
    let text = |name: &str| credentials.and_then(|node| node.child(name)).map_or("", |node| node.text.as_str());
    let mut apn = AccessPoint {
        value: context.text_of("AccessString").to_owned(),
        user: text("UserName").to_owned(),
        password: Password::new(text("Password")),
        ..AccessPoint::default()
    };
    apn.settings.auth = Auth::parse(&context.text_of("AuthProtocol").to_ascii_lowercase());
    apn.settings.ip_home = IpType::parse(&context.text_of("IPType").to_ascii_lowercase());
    apn.settings.purposes = Some(purpose);
    if purpose == Purposes::INTERNET {
        apn.settings.usage = Usage::Internet;
    }
    is_apn(&apn.value).then_some(apn)
}

//! Databases of others as records, to be printed as an overlay: Android's `apns-conf.xml`, the old APN database of
//! Windows, and answer files in the shape of its successor COSA. `[OPER 3.2]`
//!
//! Nothing here is read by the daemon: a person imports a file, looks at what came of it, and puts it in place.

mod android;
mod cosa;
mod windows;

use crate::database::places::Places;
use crate::database::tree;
use crate::database::{Builder, FileProblem, Severity, Trouble, read as read_plain};
use crate::overlay::{AccessPoint, OperatorRecord, Usage};
use crate::profile::{Auth, IpType, Purposes, is_apn, named};

named! { Format {
    /// mobile-broadband-provider-info, plain or an overlay.
    ServiceProviders = "serviceproviders",
    /// Android's list of access points.
    Android = "android",
    /// The APN database of Windows 8.
    Windows = "windows-apn-database",
    /// An answer file for the database of Windows 10.
    Cosa = "cosa",
}, /// What was recognised by the root element.
}

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The format.
    pub format: Format,
    /// The records, in document order.
    pub records: Vec<OperatorRecord>,
    /// What was left out, and where.
    pub problems: Vec<FileProblem>,
}

/// Reads a database of another program. A broken file gives nothing but the place where it is broken.
pub fn read(name: &str, bytes: &[u8]) -> Result<Imported, FileProblem> {
    let mut places = Places::new(name, bytes);
    let root = match tree::parse(&mut places) {
        Ok(root) => root,
        Err((at, what)) => return Err(places.told(at, Severity::Error, what)),
    };
    let (format, records) = match root.name.as_str() {
        "serviceproviders" => {
            let mut builder = Builder::default();
            let problems = read_plain(name, bytes, &mut builder);
            if let Some(error) = problems.iter().find(|problem| problem.severity == Severity::Error) {
                return Err(error.clone());
            }
            let database = builder.database();
            let records = database.records().map(|(number, record)| database.said(number, record)).collect();
            return Ok(Imported { format: Format::ServiceProviders, records, problems });
        }
        "apns" => (Format::Android, android::records(&root, &mut places)),
        "OperatorList" => (Format::Windows, windows::records(&root, &mut places)),
        "WindowsCustomizations" | "ImageCustomizations" => (Format::Cosa, cosa::records(&root, &mut places)),
        other => {
            let what = Trouble::NotImportable(other.chars().take(80).collect());
            return Err(places.told(root.at, Severity::Error, what));
        }
    };
    Ok(Imported { format, records, problems: places.problems })
}

/// Ends an access point: a name that can be dialled, and the plain usage for other programs. `false`: it is left out.
fn finish(apn: &mut AccessPoint, purposes: Purposes) -> bool {
    apn.settings.purposes = Some(purposes);
    apn.settings.usage = match () {
        () if purposes.contains(Purposes::INTERNET) && purposes.contains(Purposes::MMS) => Usage::InternetAndMms,
        () if purposes.contains(Purposes::INTERNET) => Usage::Internet,
        () if purposes == Purposes::MMS => Usage::Mms,
        () => Usage::Other,
    };
    if apn.value.is_empty() && purposes.contains(Purposes::ATTACH) {
        apn.settings.purposes = Some(Purposes::ATTACH);
        return true;
    }
    is_apn(&apn.value)
}

/// Words of Android and Windows for address families.
fn ip_type(word: &str) -> Option<IpType> {
    match word.to_ascii_lowercase().as_str() {
        "ip" | "ipv4" => Some(IpType::V4),
        "ipv6" => Some(IpType::V6),
        "ipv4v6" | "ipv4v6xlat" => Some(IpType::V4v6),
        _ => None,
    }
}

/// Words of Windows for methods.
fn auth(word: &str) -> Option<Auth> {
    Auth::parse(&word.to_ascii_lowercase())
}

//! Entry for fuzzing: any octets as database files of each format, and a choice from what comes of them.

use crate::choose::Wishes;
use crate::identity::{CellClass, Identity, Reported};
use crate::import;
use crate::layers::{Layers, SourceFile, Sources};
use crate::metadata::Package;
use crate::overlay::print;
use crate::portal_url::{Parameters, hand_over};
use crate::profile::PlanHint;

/// A package that matches; the octets stand in place of each of its files.
const PACKAGE: [(&str, &str); 4] = [
    ("PackageInfo.xml", "<PackageInfo><HardwareID>MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ</HardwareID></PackageInfo>"),
    ("ServiceInformation/ServiceInfo.xml", "<ServiceInfo><ServiceProvider>Contoso</ServiceProvider></ServiceInfo>"),
    (
        "ServiceInformation/MobileBroadbandInfo.xml",
        "<MobileBroadbandInfo><NetworkConfiguration><MobileBroadbandProfiles><Internet>i.xml</Internet>\
         </MobileBroadbandProfiles></NetworkConfiguration></MobileBroadbandInfo>",
    ),
    ("ServiceInformation/i.xml", "<MBNProfile><Context><AccessString>internet</AccessString></Context></MBNProfile>"),
];

/// Reads the octets as vendor file, as overlay, and as both, and chooses for made-up SIMs each time; and imports them,
/// whatever they are, as an overlay that is read again.
///
/// # Panics
/// If the short way for one SIM leads to another choice than the whole files.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(imported) = import::read("fuzz.xml", bytes) {
        let text = print(&imported.records);
        let _ = Layers::load(&[], &[SourceFile { name: "imported.xml", bytes: text.as_bytes() }]);
    }
    for place in 0..PACKAGE.len() {
        let mut files: Vec<SourceFile<'_>> =
            PACKAGE.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect();
        if let Some(file) = files.get_mut(place) {
            file.bytes = bytes;
        }
        let packages = [Package { name: "fuzz", files: &files }];
        let (layers, _) = Layers::read(&Sources { packages: &packages, ..Sources::default() });
        let [gsm, ..] = identities();
        let _ = layers.choose(&gsm, &Wishes::default());
    }
    let file = [SourceFile { name: "fuzz.xml", bytes }];
    for (vendor, overlay) in [(&file[..], &[][..]), (&[][..], &file[..]), (&file[..], &file[..])] {
        let (layers, problems) = Layers::load(vendor, overlay);
        for problem in &problems {
            let _ = problem.to_string();
        }
        for identity in identities() {
            let wishes = Wishes { plan: PlanHint::Prepaid, ..Wishes::default() };
            let choice = layers.choose(&identity, &wishes);
            let (enough, _) = Layers::read_for(&Sources { vendor, overlay, ..Sources::default() }, &identity);
            assert!(choice == enough.choose(&identity, &wishes), "reading what one SIM needs makes another choice");
            let _ = (choice.rounds().len(), choice.attach().is_some(), choice.rule_name());
            if let Some(url) = choice.operator.as_ref().and_then(|operator| operator.account_url.as_deref()) {
                let _ = hand_over(url, &Parameters::of(&identity));
            }
        }
    }
}

fn identities() -> [Identity; 3] {
    let gsm = Reported {
        subscriber_id: "001015512345678",
        iccid: "8988303332907639479",
        device_id: "490154203237518",
        provider_id: "00101",
        provider_name: "Contoso Wireless",
        spn: "Contoso Kids",
        gid1: "D1C4FF",
        ehplmn: &["26202"],
        ..Reported::default()
    };
    let locked = Reported { subscriber_id: "", ..gsm };
    let cdma = Reported {
        cell_class: CellClass::Cdma,
        subscriber_id: "5551234567",
        device_id: "AF0123450ABCDE",
        provider_id: "31999",
        provider_name: "Prairie CDMA",
        ..Reported::default()
    };
    [gsm, locked, cdma].map(|reported| Identity::normalise(&reported).0)
}

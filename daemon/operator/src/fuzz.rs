//! Entry for fuzzing: any octets as database files of each format, and a choice from what comes of them.

use crate::choose::Wishes;
use crate::identity::{CellClass, Identity, Reported};
use crate::import;
use crate::layers::{Layers, SourceFile};
use crate::overlay::print;
use crate::portal_url::{Parameters, hand_over};
use crate::profile::PlanHint;

/// Reads the octets as vendor file, as overlay, and as both, and chooses for made-up SIMs each time; and imports them,
/// whatever they are, as an overlay that is read again.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(imported) = import::read("fuzz.xml", bytes) {
        let text = print(&imported.records);
        let _ = Layers::load(&[], &[SourceFile { name: "imported.xml", bytes: text.as_bytes() }]);
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

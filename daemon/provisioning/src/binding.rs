//! Which modem a document is for. [PROV 12.4]

use crate::document::Global;
use crate::facts::{Facts, ModemFacts, SimState};
use crate::private::Personal;
use crate::signer::TrustedCertificate;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// The modem with this number.
    Modem(u32),
    /// A modem could be the one, but its SIM does not say yet who it is.
    NotReady,
    /// None has the subscriber, or the device.
    NoMatch,
}

impl Binding {
    pub(crate) fn modem(self, facts: &Facts) -> Option<&ModemFacts> {
        match self {
            Self::Modem(id) => facts.modems.iter().find(|modem| modem.id == id),
            Self::NotReady | Self::NoMatch => None,
        }
    }
}

/// Finds the modem; a ready one before one that is not.
pub(crate) fn bind(global: &Global, facts: &Facts) -> Binding {
    let device = |modem: &&ModemFacts| match &global.device_id {
        Some(wanted) => is_device(wanted.reveal(), modem),
        None => true,
    };
    let wanted = global.subscriber_id.reveal();
    let mut not_ready = false;
    for modem in facts.modems.iter().filter(device) {
        let matches = is_subscriber(wanted, modem);
        match modem.sim {
            SimState::Ready if matches => return Binding::Modem(modem.id),
            SimState::NotReady => not_ready |= matches || modem.imsi.is_none(),
            SimState::Ready | SimState::Absent => {}
        }
    }
    if not_ready { Binding::NotReady } else { Binding::NoMatch }
}

/// Whether some modem has a SIM at all: of which operator it is, only service metadata or the
/// binding of the program can say, and both are compared with the document.
pub(crate) fn sim_of_operator(facts: &Facts) -> bool {
    facts.modems.iter().any(|modem| modem.sim != SimState::Absent)
}

/// Whether service metadata names another carrier as the owner of the SIM that the document is
/// for; of every SIM, where it is for none of them. A SIM without metadata belongs to nobody.
/// [PROV 12.4]
pub(crate) fn belongs_to_another(global: &Global, facts: &Facts) -> bool {
    let foreign = |modem: &ModemFacts| {
        let owner = modem.service_number.as_deref();
        owner.is_some_and(|owner| !same_guid(owner, &global.carrier_id))
    };
    if let Some(modem) = bind(global, facts).modem(facts) {
        return foreign(modem);
    }
    let mut with_sim = facts.modems.iter().filter(|modem| modem.sim != SimState::Absent).peekable();
    with_sim.peek().is_some() && with_sim.all(foreign)
}

/// Certificates that operator records and service metadata name for such a document: those of the SIM that it is for, or, where it
/// is for none of them, of every SIM here. What is said for another carrier does not count. [PROV 12.3]
pub(crate) fn named_by_records<'a>(
    global: &Global,
    facts: &'a Facts,
) -> impl Iterator<Item = &'a TrustedCertificate> + use<'a> {
    let bound = bind(global, facts).modem(facts).map(|modem| modem.id);
    let carrier = global.carrier_id.clone();
    let of = move |modem: &&ModemFacts| {
        modem.sim != SimState::Absent
            && bound.is_none_or(|id| id == modem.id)
            && modem.service_number.as_deref().is_none_or(|owner| same_guid(owner, &carrier))
    };
    facts.modems.iter().filter(of).flat_map(|modem| &modem.certificates)
}

/// Compares two GUIDs without regard to braces and case. [PROV-025]
pub(crate) fn same_guid(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim();
        let text = text.strip_prefix('{').unwrap_or(text);
        text.strip_suffix('}').unwrap_or(text).to_ascii_lowercase()
    };
    bare(one) == bare(other)
}

pub(crate) fn is_subscriber(wanted: &str, modem: &ModemFacts) -> bool {
    let personal = [&modem.imsi, &modem.iccid, &modem.min];
    let open = [&modem.provider_id, &modem.provider_name];
    personal.into_iter().flatten().map(Personal::reveal).chain(open.into_iter().flatten()).any(|value| value == wanted)
}

fn is_device(wanted: &str, modem: &ModemFacts) -> bool {
    if wanted.contains(':') {
        let mac = modem.mac.as_ref().map(Personal::reveal);
        return mac.is_some_and(|mac| mac.eq_ignore_ascii_case(wanted));
    }
    let Some(imei) = modem.imei.as_ref().map(Personal::reveal) else {
        return false;
    };
    if wanted.len() == 16 || imei.len() == 16 {
        // The last digits are a check digit in the one and the software version in the other.
        matches!((wanted.get(..14), imei.get(..14)), (Some(a), Some(b)) if a == b)
    } else {
        wanted == imei
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modem(id: u32, sim: SimState, imsi: Option<&str>) -> ModemFacts {
        ModemFacts {
            id,
            sim,
            imsi: imsi.map(|text| Personal::new(text.to_owned())),
            imei: Some(Personal::new("356938035643809".to_owned())),
            mac: Some(Personal::new("00:1A:2b:3c:4d:5e".to_owned())),
            ..ModemFacts::default()
        }
    }

    fn global(subscriber: &str, device: Option<&str>) -> Global {
        Global {
            carrier_id: String::new(),
            carrier_id_text: String::new(),
            subscriber_id: Personal::new(subscriber.to_owned()),
            device_id: device.map(|text| Personal::new(text.to_owned())),
        }
    }

    /// PROV-023, PROV-024.
    #[test]
    fn subscriber_and_device() {
        use SimState::{Absent, NotReady, Ready};
        let imsi = "001010123456789";
        let one =
            Facts { modems: vec![modem(3, Ready, Some(imsi)), modem(4, Ready, Some("00101"))], ..Facts::default() };
        for (device, want) in [
            (None, Binding::Modem(3)),
            (Some("356938035643809"), Binding::Modem(3)),
            (Some("3569380356438001"), Binding::Modem(3)),
            (Some("00:1a:2B:3c:4d:5e"), Binding::Modem(3)),
            (Some("356938035643808"), Binding::NoMatch),
            (Some("00:1a:2b:3c:4d:5f"), Binding::NoMatch),
        ] {
            assert_eq!(bind(&global(imsi, device), &one), want, "{device:?}");
        }
        assert_eq!(bind(&global("00101", None), &one), Binding::Modem(4));
        assert_eq!(bind(&global("001", None), &one), Binding::NoMatch);
        let locked = Facts { modems: vec![modem(1, NotReady, None)], ..Facts::default() };
        assert_eq!(bind(&global(imsi, None), &locked), Binding::NotReady);
        let absent = Facts { modems: vec![modem(1, Absent, None)], ..Facts::default() };
        assert_eq!(bind(&global(imsi, None), &absent), Binding::NoMatch);
        assert!(!sim_of_operator(&absent) && sim_of_operator(&locked));
    }

    /// PROV-025.
    #[test]
    fn guids() {
        assert!(same_guid("{7D3C1F52-0B5E}", "7d3c1f52-0b5e"));
        assert!(!same_guid("{7D3C1F52-0B5E}", "7d3c1f52-0b5f"));
    }
}

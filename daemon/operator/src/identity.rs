//! Who the SIM and the device say they are. `[OPER 1]`

pub mod ef;
mod number;
mod plmn;
mod tag;

pub(crate) use number::write_masked;
pub use number::{CdmaDevice, DeviceId, Esn, Gid, Iccid, Imei, Imsi, Meid, Min, Msisdn, Note, Parsed, Problem};
pub use plmn::{MncLength, Plmn, Sid};
pub(crate) use plmn::{by_country, by_exception};
pub use tag::log_tag;

use core::fmt;

use crate::names;

/// Which family of networks the modem is for. `[MBIM1.0 10.5.1, MbimCellularClass]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellClass {
    /// GSM and all that followed it.
    #[default]
    Gsm,
    /// CDMA.
    Cdma,
}

impl CellClass {
    /// `gsm` or `cdma`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm => "gsm",
            Self::Cdma => "cdma",
        }
    }

    /// Reads `gsm` or `cdma`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Gsm, Self::Cdma].into_iter().find(|class| class.as_str() == text)
    }
}

/// Values as the modem, the card or a person gives them; empty = not available.
#[derive(Clone, Copy, Default)]
pub struct Reported<'a> {
    /// Which family of networks.
    pub cell_class: CellClass,
    /// IMSI; for CDMA the MIN.
    pub subscriber_id: &'a str,
    /// Identity of the card.
    pub iccid: &'a str,
    /// IMEI; for CDMA MEID or ESN.
    pub device_id: &'a str,
    /// Home provider: network code; for CDMA the system id, unless [`Self::sid`] has it.
    pub provider_id: &'a str,
    /// CDMA system id.
    pub sid: &'a str,
    /// Home provider's name.
    pub provider_name: &'a str,
    /// Service provider name of the card, decoded.
    pub spn: &'a str,
    /// Name of the home network by the card's list of network names, decoded.
    pub pnn: &'a str,
    /// Group identifier 1, hexadecimal.
    pub gid1: &'a str,
    /// Group identifier 2, hexadecimal.
    pub gid2: &'a str,
    /// Length of the network code by EF_AD; anything but 2 and 3 counts as unreadable.
    pub mnc_length: Option<u8>,
    /// Equivalent home networks, in the card's order.
    pub ehplmn: &'a [&'a str],
    /// Telephone numbers.
    pub telephone_numbers: &'a [&'a str],
    /// The modem asks not to show IMSI, ICCID and numbers (ReadyInfo flag 1).
    pub protected: bool,
}

/// Who the SIM and the device say they are, checked and normalised. Prints masked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Which family of networks.
    pub cell_class: CellClass,
    /// Subscriber, GSM.
    pub imsi: Option<Imsi>,
    /// Subscriber, CDMA.
    pub min: Option<Min>,
    /// Card.
    pub iccid: Option<Iccid>,
    /// Device.
    pub device: Option<DeviceId>,
    /// Telephone numbers; never a key.
    pub msisdns: Vec<Msisdn>,
    /// Service provider name of the card.
    pub spn: Option<String>,
    /// Home network's name by the card.
    pub pnn: Option<String>,
    /// Home provider's name by the modem.
    pub provider_name: Option<String>,
    /// Group identifier 1.
    pub gid1: Option<Gid>,
    /// Group identifier 2.
    pub gid2: Option<Gid>,
    /// Home provider's code by the modem.
    pub provider_id: Option<Plmn>,
    /// Equivalent home networks, in the card's order.
    pub ehplmn: Vec<Plmn>,
    /// Length of the network code by the card.
    pub mnc_length: Option<MncLength>,
    /// CDMA system.
    pub sid: Option<Sid>,
    /// IMSI, ICCID and numbers are not to be shown or handed over.
    pub protected: bool,
}

impl Identity {
    /// Whether the same records answer for both (`Layers::read_for`): what the two differ in decides between records, and
    /// not which ones there are.
    pub fn is_looked_up_as(&self, other: &Self) -> bool {
        let of = |identity: &Self| (identity.cell_class, identity.imsi.clone(), identity.ehplmn.clone());
        of(self) == of(other)
    }
}

/// A remark about one reported value. Carries nothing of the value, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which value.
    pub field: &'static str,
    /// Why it was refused or flagged.
    pub why: Why,
}

/// What a [`Finding`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The value is kept.
    Flagged(Note),
    /// The value counts as absent.
    Rejected(Problem),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Why::Flagged(note) => write!(f, "{}: kept, {note}", self.field),
            Why::Rejected(problem) => write!(f, "{}: ignored, {problem}", self.field),
        }
    }
}

impl Identity {
    /// Checks and normalises every value by the rules of `[OPER 1.2]`; what is malformed becomes absent and is told.
    pub fn normalise(reported: &Reported<'_>) -> (Self, Vec<Finding>) {
        let mut findings = Findings(Vec::new());
        let cdma = reported.cell_class == CellClass::Cdma;
        let mut identity = Self { cell_class: reported.cell_class, protected: reported.protected, ..Self::default() };
        let rejected = || Parsed::Rejected(Problem::Coding);
        if cdma {
            identity.min = findings.take("subscriber-id", Min::parse(reported.subscriber_id));
            identity.device = findings.take("device-id", CdmaDevice::parse(reported.device_id)).map(DeviceId::Cdma);
            let sid = if reported.sid.is_empty() { reported.provider_id } else { reported.sid };
            identity.sid = findings.take("sid", option(sid, Sid::parse(sid)));
        } else {
            identity.imsi = findings.take("subscriber-id", Imsi::parse(reported.subscriber_id));
            identity.device = findings.take("device-id", Imei::parse(reported.device_id)).map(DeviceId::Imei);
            identity.provider_id =
                findings.take("provider-id", option(reported.provider_id, Plmn::parse(reported.provider_id)));
        }
        identity.iccid = findings.take("iccid", Iccid::parse(reported.iccid));
        identity.gid1 = findings.take("gid1", Gid::parse(reported.gid1));
        identity.gid2 = findings.take("gid2", Gid::parse(reported.gid2));
        let name = |name: &str| (!name.is_empty()).then(|| names::nfc(name));
        identity.spn = name(reported.spn);
        identity.pnn = name(reported.pnn);
        identity.provider_name = name(reported.provider_name);
        if let Some(number) = reported.mnc_length {
            let length = MncLength::from_number(number).map_or_else(rejected, Parsed::Ok);
            identity.mnc_length = findings.take("ef-ad", length);
        }
        for code in reported.ehplmn {
            identity.ehplmn.extend(findings.take("ehplmn", option(code, Plmn::parse(code))));
        }
        for number in reported.telephone_numbers {
            identity.msisdns.extend(findings.take("telephone-number", Msisdn::parse(number)));
        }
        (identity, findings.0)
    }

    /// Whether a registered network is the home or an equivalent of it, whatever the modem says of roaming: data is not
    /// to be held back there. `[OPER 1.4]`
    pub fn is_home(&self, registered: Plmn) -> bool {
        let of_imsi = self.imsi.as_ref().is_some_and(|imsi| imsi.reveal().starts_with(registered.as_str()));
        of_imsi || self.ehplmn.contains(&registered)
    }
}

fn option<T>(text: &str, value: Option<T>) -> Parsed<T> {
    match value {
        Some(value) => Parsed::Ok(value),
        None if text.is_empty() => Parsed::Absent,
        None => Parsed::Rejected(Problem::Coding),
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn take<T>(&mut self, field: &'static str, parsed: Parsed<T>) -> Option<T> {
        match &parsed {
            Parsed::Flagged(_, note) => self.0.push(Finding { field, why: Why::Flagged(*note) }),
            Parsed::Rejected(problem) => self.0.push(Finding { field, why: Why::Rejected(*problem) }),
            Parsed::Ok(_) | Parsed::Absent => {}
        }
        parsed.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_becomes_absent_and_is_told() {
        let (identity, findings) = Identity::normalise(&Reported {
            subscriber_id: "2620",
            iccid: "8999000000000000014",
            provider_id: "00101",
            mnc_length: Some(9),
            ehplmn: &["26202", "x"],
            ..Reported::default()
        });
        assert_eq!(identity.imsi, None);
        assert_eq!(identity.ehplmn.len(), 1);
        let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert_eq!(
            told,
            [
                "subscriber-id: ignored, wrong length",
                "iccid: kept, wrong check digit",
                "ef-ad: ignored, wrong coding",
                "ehplmn: ignored, wrong coding"
            ]
        );
    }

    #[test]
    fn debug_of_an_identity_has_no_long_run_of_digits() {
        let (identity, _) = Identity::normalise(&Reported {
            subscriber_id: "001015512345678",
            iccid: "8999000000000000017",
            device_id: "490154203237518",
            telephone_numbers: &["+491701234567"],
            ..Reported::default()
        });
        let text = format!("{identity:?}");
        let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap();
        assert!(longest < 10, "{text}");
    }

    #[test]
    fn equivalents_of_the_home_are_home() {
        let (identity, _) = Identity::normalise(&Reported {
            subscriber_id: "262021234567890",
            ehplmn: &["26204"],
            ..Reported::default()
        });
        let is_home = |code| identity.is_home(Plmn::parse(code).unwrap());
        assert_eq!(["26202", "26204", "26201"].map(is_home), [true, true, false]);
    }

    #[test]
    fn cdma_reads_the_same_fields_otherwise() {
        let (identity, findings) = Identity::normalise(&Reported {
            cell_class: CellClass::Cdma,
            subscriber_id: "5551234567",
            device_id: "af0123450abcde",
            provider_id: "16422",
            ..Reported::default()
        });
        assert!(findings.is_empty());
        assert_eq!(identity.sid.unwrap().number(), 16422);
        assert_eq!(identity.device.unwrap().reveal(), "AF0123450ABCDE");
        assert!(identity.imsi.is_none() && identity.provider_id.is_none());
    }
}

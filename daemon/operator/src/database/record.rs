//! What a record is made of: as a file says it, and as it is kept. `[OPER 3.3]`

use core::fmt;
use core::net::IpAddr;
use core::ops::Range;

use crate::identity::{Plmn, Sid};
use crate::profile::{Auth, IpType, Password, Purposes, RoamingMode};

/// Number of a text in its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) u32);

impl Text {
    pub(crate) const EMPTY: Self = Self(0);
}

/// Whether the record is the host of its networks (attribute `primary`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// It is.
    Yes,
    /// Nothing is said.
    #[default]
    Unsaid,
    /// It is a guest there.
    No,
}

/// What an overlay's record does to records of the same operator below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Op {
    /// Nothing.
    #[default]
    Add,
    /// It hides the record below on the codes that it lists.
    Replace,
    /// As [`Self::Replace`], and is no record itself; without codes it hides the record everywhere.
    Delete,
}

/// What the plain element `usage` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// `internet`
    Internet,
    /// `mms-internet-hipri`, with or without `-fota`.
    InternetAndMms,
    /// No usage element.
    #[default]
    Unsaid,
    /// `wap`
    Wap,
    /// `mms`
    Mms,
    /// Any other word.
    Other,
}

/// What an access point has besides texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Order of automatic connection, from 1; 0 = none.
    pub order: u32,
    /// Method; `None` = not said.
    pub auth: Option<Auth>,
    /// The plain element `usage`.
    pub usage: Usage,
    /// `Some` when any purpose element stands there, known or not; it then decides instead of `usage`.
    pub purposes: Option<Purposes>,
    /// For subscriptions paid in advance.
    pub prepaid: bool,
    /// For subscriptions paid by bill.
    pub postpaid: bool,
    /// Address families at home; `None` = not said.
    pub ip_home: Option<IpType>,
    /// Address families abroad; `None` = as at home.
    pub ip_roaming: Option<IpType>,
    /// Where it may be used; `None` = anywhere.
    pub roaming: Option<RoamingMode>,
}

/// An access point as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Apn {
    pub(crate) value: Text,
    pub(crate) user: Text,
    pub(crate) password: Text,
    pub(crate) settings: Settings,
}

/// What only some access points have.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) dns: Box<[IpAddr]>,
    pub(crate) mmsc: Text,
    pub(crate) mms_proxy: Text,
}

/// Attributes of one select element; all must hold. Of a range both ends count, and none alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector<T> {
    /// First IMSI, ending in 00.
    pub imsi_from: Option<T>,
    /// Last IMSI, ending in 99.
    pub imsi_to: Option<T>,
    /// What the IMSI begins with.
    pub imsi_prefix: Option<T>,
    /// First ICCID; 17 places count.
    pub iccid_from: Option<T>,
    /// Last ICCID; 17 places count.
    pub iccid_to: Option<T>,
    /// What the ICCID begins with.
    pub iccid_prefix: Option<T>,
    /// What group identifier 1 begins with, hexadecimal.
    pub gid1: Option<T>,
    /// What group identifier 2 begins with, hexadecimal.
    pub gid2: Option<T>,
    /// Service provider name of the card.
    pub spn: Option<T>,
    /// Name of the home network by the card.
    pub pnn: Option<T>,
    /// Home provider's name by the modem.
    pub provider_name: Option<T>,
    /// A hardware id of the device set.
    pub hwid: Option<T>,
    /// An attribute that we do not know: never matches.
    pub unknown: bool,
}

pub(crate) type Select = Selector<Text>;

/// Selectors as a file says them.
pub type Selectors = Selector<String>;

impl<T> Selector<T> {
    /// The same with other values.
    pub(crate) fn map<U>(&self, mut each: impl FnMut(&T) -> U) -> Selector<U> {
        let mut of = |value: &Option<T>| value.as_ref().map(&mut each);
        Selector {
            imsi_from: of(&self.imsi_from),
            imsi_to: of(&self.imsi_to),
            imsi_prefix: of(&self.imsi_prefix),
            iccid_from: of(&self.iccid_from),
            iccid_to: of(&self.iccid_to),
            iccid_prefix: of(&self.iccid_prefix),
            gid1: of(&self.gid1),
            gid2: of(&self.gid2),
            spn: of(&self.spn),
            pnn: of(&self.pnn),
            provider_name: of(&self.provider_name),
            hwid: of(&self.hwid),
            unknown: self.unknown,
        }
    }

    /// Names and values, in the order in which they are written.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let all = [
            ("imsi-from", &self.imsi_from),
            ("imsi-to", &self.imsi_to),
            ("imsi-prefix", &self.imsi_prefix),
            ("iccid-from", &self.iccid_from),
            ("iccid-to", &self.iccid_to),
            ("iccid-prefix", &self.iccid_prefix),
            ("gid1", &self.gid1),
            ("gid2", &self.gid2),
            ("spn", &self.spn),
            ("pnn", &self.pnn),
            ("provider-name", &self.provider_name),
            ("hwid", &self.hwid),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }
}

impl Selectors {
    /// The place of an attribute; `None` when there is no such attribute.
    pub(crate) fn attribute(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "imsi-from" => &mut self.imsi_from,
            "imsi-to" => &mut self.imsi_to,
            "imsi-prefix" => &mut self.imsi_prefix,
            "iccid-from" => &mut self.iccid_from,
            "iccid-to" => &mut self.iccid_to,
            "iccid-prefix" => &mut self.iccid_prefix,
            "gid1" => &mut self.gid1,
            "gid2" => &mut self.gid2,
            "spn" => &mut self.spn,
            "pnn" => &mut self.pnn,
            "provider-name" => &mut self.provider_name,
            "hwid" => &mut self.hwid,
            _ => return None,
        })
    }
}

/// A certificate whose signatures an operator's documents may have, by the names in it. `[PROV 12.3]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedCertificate {
    /// Its subject, as it was written.
    pub subject: String,
    /// Its issuer, as it was written.
    pub issuer: String,
}

/// What only records of operators have that provision.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) service_number: Text,
    /// Subject and issuer.
    pub(crate) certificates: Box<[(Text, Text)]>,
}

/// An operator.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) country: Text,
    pub(crate) account_url: Text,
    pub(crate) api_url: Text,
    pub(crate) names: Range<u32>,
    pub(crate) plmns: Range<u32>,
    pub(crate) sids: Range<u32>,
    pub(crate) selects: Range<u32>,
    pub(crate) apns: Range<u32>,
    pub(crate) distinct_plmns: u32,
    pub(crate) distinct_sids: u32,
    /// User and password of the cdma element, if there is one.
    pub(crate) cdma: Option<(Text, Text)>,
    /// Another record hides that element.
    pub(crate) cdma_hidden: bool,
    pub(crate) host: Host,
    pub(crate) op: Op,
    pub(crate) exclusive: bool,
    /// Which file of the layer it stood in, in document order.
    pub(crate) file: u16,
}

/// An operator as a file says it. `[OPER 3.3]`
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OperatorRecord {
    /// Country code as the file has it; may be empty.
    pub country: String,
    /// Names, the first of which is shown.
    pub names: Vec<String>,
    /// Where to send a person who needs a subscription; empty = nowhere.
    pub account_url: String,
    /// Captive portal API of the network, for those that do not announce it; empty = none is known. `[OPER 4.5]`
    pub api_url: String,
    /// Networks.
    pub plmns: Vec<Plmn>,
    /// CDMA systems.
    pub sids: Vec<Sid>,
    /// Selectors, one set of which must hold; empty = the codes suffice.
    pub selects: Vec<Selectors>,
    /// Access points.
    pub apns: Vec<AccessPoint>,
    /// User and password of the CDMA element, if there is one; each may be empty.
    pub cdma: Option<(String, Password)>,
    /// Host of its networks.
    pub host: Host,
    /// What it does to records of the same operator below it.
    pub op: Op,
    /// No access points of lower layers follow.
    pub exclusive: bool,
    /// GUID under which the operator's documents come, with or without braces; empty = not said.
    pub service_number: String,
    /// Certificates that sign its documents, at most [`MAX_CERTIFICATES`].
    pub certificates: Vec<NamedCertificate>,
}

/// Most certificates of a record. `[PROV 14.2]`
pub const MAX_CERTIFICATES: usize = 256;

impl fmt::Debug for OperatorRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorRecord")
            .field("country", &self.country)
            .field("names", &self.names)
            .field("plmns", &self.plmns)
            .field("sids", &self.sids)
            .field("apns", &self.apns)
            .finish_non_exhaustive()
    }
}

/// An access point as a file says it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccessPoint {
    /// Its name; empty only for an attach that is left to the network.
    pub value: String,
    /// User; empty = none.
    pub user: String,
    /// Password; empty = none.
    pub password: Password,
    /// Multimedia message centre; empty = none.
    pub mmsc: String,
    /// Proxy to it; empty = none.
    pub mms_proxy: String,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// The rest.
    pub settings: Settings,
}

impl fmt::Debug for AccessPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessPoint")
            .field("value", &self.value)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

//! What a record is made of, while it is read and as it is kept. `[OPER 3.3]`

use core::net::IpAddr;
use core::ops::Range;

use crate::identity::{Plmn, Sid};
use crate::profile::{Auth, IpType, Purposes, RoamingMode};

/// Number of a text in its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) u32);

impl Text {
    pub(crate) const EMPTY: Self = Self(0);
}

/// Whether the record is the host of its networks (attribute `primary`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Host {
    Yes,
    #[default]
    Unsaid,
    No,
}

/// What an overlay's record does to records of the same operator below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Op {
    #[default]
    Add,
    Replace,
    Delete,
}

/// What the plain element `usage` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Usage {
    Internet,
    InternetAndMms,
    #[default]
    Unsaid,
    Wap,
    Mms,
    Other,
}

/// What an access point has besides texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Order of automatic connection, from 1; 0 = none.
    pub(crate) order: u32,
    pub(crate) auth: Option<Auth>,
    pub(crate) usage: Usage,
    /// `Some` when any purpose element stands there, known or not; it then decides instead of `usage`.
    pub(crate) purposes: Option<Purposes>,
    pub(crate) prepaid: bool,
    pub(crate) postpaid: bool,
    pub(crate) ip_home: Option<IpType>,
    pub(crate) ip_roaming: Option<IpType>,
    pub(crate) roaming: Option<RoamingMode>,
}

/// An access point.
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

/// Attributes of one select element; all must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector<T> {
    pub(crate) imsi_from: Option<T>,
    pub(crate) imsi_to: Option<T>,
    pub(crate) imsi_prefix: Option<T>,
    pub(crate) iccid_from: Option<T>,
    pub(crate) iccid_to: Option<T>,
    pub(crate) iccid_prefix: Option<T>,
    pub(crate) gid1: Option<T>,
    pub(crate) gid2: Option<T>,
    pub(crate) spn: Option<T>,
    pub(crate) pnn: Option<T>,
    pub(crate) provider_name: Option<T>,
    pub(crate) hwid: Option<T>,
    /// An attribute that we do not know: never matches.
    pub(crate) unknown: bool,
}

pub(crate) type Select = Selector<Text>;
pub(crate) type SelectDraft = Selector<String>;

impl SelectDraft {
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

/// An operator.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) country: Text,
    pub(crate) account_url: Text,
    pub(crate) names: Range<u32>,
    pub(crate) plmns: Range<u32>,
    pub(crate) sids: Range<u32>,
    pub(crate) selects: Range<u32>,
    pub(crate) apns: Range<u32>,
    pub(crate) distinct_plmns: u32,
    pub(crate) distinct_sids: u32,
    /// User and password of the cdma element, if there is one that may be found.
    pub(crate) cdma: Option<(Text, Text)>,
    pub(crate) host: Host,
    pub(crate) op: Op,
    pub(crate) exclusive: bool,
    /// Which file of the layer it stood in, in document order.
    pub(crate) file: u16,
}

/// An operator while its element is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) country: String,
    pub(crate) names: Vec<String>,
    pub(crate) account_url: String,
    pub(crate) plmns: Vec<Plmn>,
    pub(crate) sids: Vec<Sid>,
    pub(crate) selects: Vec<SelectDraft>,
    pub(crate) apns: Vec<ApnDraft>,
    pub(crate) cdma: Option<(String, String)>,
    pub(crate) host: Host,
    pub(crate) op: Op,
    pub(crate) exclusive: bool,
    /// The record says something that we do not understand and that would change its meaning.
    pub(crate) unusable: bool,
    /// A code of the record could not be read.
    pub(crate) lost_codes: bool,
}

/// An access point while its element is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApnDraft {
    pub(crate) value: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) mmsc: String,
    pub(crate) mms_proxy: String,
    pub(crate) dns: Vec<IpAddr>,
    pub(crate) settings: Settings,
}

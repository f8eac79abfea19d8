//! What is written down in the run directory so that the next start of the daemon can take a modem over as it stands:
//! the wishes of people that no file of the SIM holds, and the connection that is up.
//!
//! It is a record of this boot only. Identities are in it as tags under a salt of the record, never as digits.

use serde::{Deserialize, Serialize};

use crate::request::Purpose;
use crate::subscriber::UserApn;

/// One modem, as it is left to the next start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Kept {
    /// A person switched the radio off.
    pub radio_off: bool,
    /// A person disconnected: no connection by itself.
    pub user_off: bool,
    /// The modem was told before a sleep that no traffic is expected, and not yet the contrary.
    pub idle: bool,
    /// The connection that is up; `None` = there is nothing to take over, and the modem is opened anew.
    pub connection: Option<KeptConnection>,
    /// Sessions above 0 that are up, are being made, or are to be made again; in their order.
    pub sessions: Vec<KeptConnection>,
}

/// A connection that is up, and what tells that the modem and the SIM are still the same.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct KeptConnection {
    /// MBIM session id.
    pub session: u32,
    /// MBIMEx release that the control session speaks, BCD: it was agreed at OPEN and holds until CLOSE.
    pub mbimex: u16,
    /// Size of control messages that OPEN told the modem, octets.
    pub max_control: u32,
    /// What the tags are made with, random.
    pub salt: String,
    /// Tag of the DeviceId; empty where the modem tells none.
    pub device: String,
    /// Tag of the SIM's ICCID; empty where the modem tells none.
    pub iccid: String,
    /// Tag of the subscriber id; empty where the modem tells none.
    pub imsi: String,
    /// Access point name that was used; empty = the network's default.
    pub apn: String,
    /// User name that was used. Never printed.
    pub user: String,
    /// `ipv4`, `ipv6` or `ipv4v6`, as the context was asked for.
    pub ip_type: String,
    /// `none`, `pap`, `chap` or `mschapv2`, as the context was asked for.
    pub auth: String,
    /// It is a connection for buying a plan.
    pub purchase: bool,
    /// What the session is for.
    pub purpose: Purpose,
    /// The one APN that a person named for this connection.
    pub named: Option<UserApn>,
    /// It was being ended, and is to be.
    pub ending: bool,
}

impl core::fmt::Debug for KeptConnection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeptConnection")
            .field("session", &self.session)
            .field("mbimex", &self.mbimex)
            .field("apn", &self.apn)
            .field("ip_type", &self.ip_type)
            .field("purchase", &self.purchase)
            .finish_non_exhaustive()
    }
}

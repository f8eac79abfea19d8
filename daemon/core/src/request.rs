//! What others may ask of a modem, and what they get.

use mbim_proto::{Personal, Secret};
use serde::{Deserialize, Serialize};

use crate::carrier::CarrierNetwork;
use crate::quota::Quota;
use crate::snapshot::Reason;
use crate::subscriber::{ProvisionedProfile, Settings, UserApn};
use crate::usage::Day;

/// A request from the bus or from the provisioning agent. Each gets exactly one reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Connect the default context. `apn`: only this one, one round, no retry.
    Connect {
        /// APN that the person named.
        apn: Option<UserApn>,
    },
    /// Disconnect; no automatic connection until the next `Connect`, plug or restart.
    Disconnect,
    /// Connect a session beside the default one, which goes on as it is. What is up is kept, and made again after a
    /// loss, until it is disconnected or the modem, its SIM or the daemon goes; nothing of it is stored. Session 0 is
    /// [`Self::Connect`].
    ConnectSession {
        /// MBIM session id, 1 up to the number that the modem allows, 255 at most.
        session: u32,
        /// The one APN to try; `None` = those that the purpose asks for, such as no other session uses first.
        apn: Option<UserApn>,
        /// What it is for. Session 0 stands for ordinary data alone: with another purpose it means the session that has the
        /// purpose already, or else the first that is free.
        purpose: Purpose,
    },
    /// Connect a context that the operator's documents name, as [`Self::ConnectSession`] does. `[PROV 8]`
    ConnectContext {
        /// MBIM session id; 0 = the session that has the context already, or else the first that is free.
        session: u32,
        /// The context's name.
        name: String,
    },
    /// End a session beside the default one, and forget it. Session 0 is [`Self::Disconnect`].
    DisconnectSession {
        /// MBIM session id.
        session: u32,
    },
    /// Deactivate and activate the default context with the profile now in force. `[PROV 12.7]`
    Reconnect,
    /// Radio off, radio on, wait for registration and attach, connect. With `cycle` false only connect. `[PROV 12.7]`
    Reregister {
        /// Whether the radio is to be cycled.
        cycle: bool,
    },
    /// Switch the modem's radio.
    SetRadio(bool),
    /// PIN operations.
    Pin(PinRequest),
    /// Hand the operator's bytes to the modem unchanged. `[MBIM1.0 10.5.14]`
    ServiceActivation(Secret<Vec<u8>>),
    /// Replace the stored settings of the SIM now present. Answered when they are written; what could not be written is
    /// not in force either.
    SetSettings(Settings),
    /// Store what provisioning brought for the SIM now present; `None` leaves a profile as it is. Answered as
    /// [`Self::SetSettings`].
    SetProfiles {
        /// New default profile.
        default: Option<ProvisionedProfile>,
        /// New purchase profile.
        purchase: Option<ProvisionedProfile>,
        /// What is said of the network, in the place of all that was said before.
        network: Option<Box<CarrierNetwork>>,
    },
    /// The data plan that documents give the SIM now present, or none. What was used of it goes on where it is the same plan
    /// and the operator tells no other figure. Answered as [`Self::SetSettings`].
    SetQuota(Option<Box<Quota>>),
    /// Forget the profiles and the plan that documents of this operator (CarrierId) brought for the SIM now present. Answered as
    /// [`Self::SetSettings`].
    ForgetProfiles(String),
    /// Probe now, whatever the schedule says.
    Probe,
    /// Count now what passed.
    RefreshUsage,
    /// Forget what was used with the SIM now present; answered as [`Self::SetSettings`].
    ResetUsage,
    /// What was used by day.
    UsageDays,
    /// The hand-over URL for the subscriber. `[OPER 5]`
    PortalUrl,
    /// Tell everything about identity; the caller was authorised.
    Identity,
    /// Signal now, from the modem.
    RefreshSignal,
    /// The machine is about to sleep. Answered when the modem is ready for it, within 2 s; nothing new is begun until
    /// [`Self::Resume`].
    Suspend,
    /// The machine woke, or did not sleep after all.
    Resume,
    /// Close the control session and open it anew; what is connected is interrupted, and connects again. Answered when it
    /// has begun.
    Restart,
    /// Set session down and close; the modem is to be let go.
    Stop,
    /// Let the modem go as it is: a connection that is up stays up, on the modem and on the interface, for the next start
    /// of the daemon. Without one it is a [`Self::Stop`] that remembers what people want.
    Leave,
}

/// What a session is for: which access points it tries, and what the modem is told. `[OPER 3.6, MBIM1.0 10.5.12]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Ordinary data.
    #[default]
    Internet,
    /// Sharing the connection: the record's access points for that, else those for ordinary data.
    Tether,
    /// Multimedia messages: the record's access points for that alone.
    Mms,
}

impl Purpose {
    /// All, with their names.
    pub const NAMES: [(&'static str, Self); 3] =
        [("internet", Self::Internet), ("tether", Self::Tether), ("mms", Self::Mms)];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, purpose)| *purpose == self).map_or("", |(name, _)| name)
    }
}

/// A PIN operation. Digits 4…8 for PIN1, 8 for PUK1.
#[derive(Clone, Debug, PartialEq)]
pub enum PinRequest {
    /// Enter the PIN that the modem waits for.
    Enter(Secret<String>),
    /// Ask for the PIN at every start.
    Enable(Secret<String>),
    /// Do not ask for the PIN at start.
    Disable(Secret<String>),
    /// Change the PIN.
    Change {
        /// PIN in force.
        old: Secret<String>,
        /// PIN to be.
        new: Secret<String>,
    },
    /// Unblock with the PUK.
    Unblock {
        /// PUK.
        puk: Secret<String>,
        /// New PIN.
        new: Secret<String>,
    },
}

/// What a request gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Done; whether anything changed.
    Done {
        /// False when everything was as asked already.
        changed: bool,
    },
    /// The hand-over URL.
    PortalUrl {
        /// The URL, which names a person.
        url: Personal<String>,
        /// `operator` (parameters added), `api` or `redirect` (never any parameter).
        source: &'static str,
    },
    /// What was used by day, oldest first.
    UsageDays(Vec<Day>),
    /// Identity in full, as pairs of name and value.
    Identity(Personal<Vec<(&'static str, String)>>),
}

/// Why a request failed. Codes map to `org.mbimd.Mbimd1.Error.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// What to branch on.
    pub kind: RequestErrorKind,
    /// What to show: what is wrong and what to do next.
    pub reason: Reason,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestErrorKind {
    /// The argument is wrong (the caller's fault).
    InvalidArgs,
    /// Not possible in the present state; the reason names it.
    WrongState,
    /// A request of this kind is already under way.
    InProgress,
    /// Another request or an event overtook it.
    Cancelled,
    /// The modem does not support it.
    Unsupported,
    /// The network refused.
    Refused,
    /// The modem refused or failed.
    ModemFailed,
    /// No answer in time.
    Timeout,
    /// The modem was unplugged.
    Gone,
    /// The PIN was wrong; the snapshot tells the attempts left.
    WrongPin,
    /// There is nothing of the kind asked for.
    NotFound,
    /// State could not be written; nothing was changed.
    Storage,
}

//! What the machine asks the shell to do. The shell does it and answers with the matching input; it decides nothing.

use core::net::IpAddr;
use core::time::Duration;

use daemon_operator::identity::Identity;

use crate::carrier::DnsRetry;
use crate::kept::Kept;
pub use crate::probe::seen::{ApiAnswer, ApiSeen, BodySeen, FamilyReport, HttpSeen, HttpsSeen, LinkSeen, ProbeReport};
use crate::snapshot::IpSettings;
use crate::subscriber::SubscriberState;

/// One order to the shell.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Put addresses, routes, MTU and DNS on the data interface, for a session above 0 on an interface of its own, which is
    /// made if it is not there. Answer: `Input::LinkDone { session, … }`.
    /// Idempotent: the shell compares with what it set before and changes the difference.
    LinkUp(LinkSettings),
    /// Take away everything that was set for this session, with the interface where one was made. Answer: `Input::LinkDone`.
    LinkDown {
        /// MBIM session id.
        session: u32,
    },
    /// Read what the interfaces of sessions count. Done at once, before anything that is ordered after it. Answer: exactly one
    /// `Input::Counters`, before that to anything ordered later; an interface that is not there any more is left out.
    ReadCounters {
        /// MBIM session and its interface.
        links: Vec<(u32, String)>,
    },
    /// Load the operator records that there are for an identity. Answer: `Input::Operators`.
    LoadOperators {
        /// Whose operator is looked for.
        identity: Box<Identity>,
    },
    /// Read what is stored for the SIM now present. Answer: `Input::Subscriber`.
    LoadSubscriber {
        /// ICCID in full; the store hashes it for the file name and never logs it.
        iccid: SubscriberKey,
    },
    /// Write what is to be remembered for the SIM. Answer: exactly one of `Input::Stored` and `Input::StoreFailed`, in the
    /// order of the effects, also after `Input::Gone`. At most one such effect is unanswered at a time.
    SaveSubscriber {
        /// As in [`Effect::LoadSubscriber`].
        iccid: SubscriberKey,
        /// The new content.
        state: Box<SubscriberState>,
    },
    /// Run one connectivity probe. Answer: `Input::ProbeDone { id, … }`.
    Probe(ProbeOrder),
    /// Give up a probe; no answer is wanted.
    CancelProbe {
        /// Number of the probe.
        id: u64,
    },
    /// Write down what the next start of the daemon is to take over, `None` = nothing. Done at once, before anything that
    /// is ordered after it; no answer is wanted.
    Keep(Option<Box<Kept>>),
    /// Close the transport: the modem is another one than the object stands for, and gets an object of its own. Nothing of
    /// it was shown. The machine is at its end; no answer is wanted.
    LetGo,
    /// Close the transport and give the control port a fresh node: what the modem has said is read by nobody any more, and who
    /// had the old node open has it no longer. The modem goes and comes with that; if it cannot be done, the transport is
    /// opened again. The machine is at its end; no answer is wanted.
    Renew {
        /// What the machine that comes next is to know; there is no connection in it.
        kept: Option<Box<Kept>>,
    },
    /// Close the transport and open it again after the pause (the control path hangs). Answer: `Input::Attached` or `Gone`.
    Reopen {
        /// Time to wait before opening.
        after: Duration,
    },
}

/// Key of the store: the ICCID, or the IMSI where the modem hides the ICCID. Does not print.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SubscriberKey(String);

impl SubscriberKey {
    /// Wraps the digits.
    #[must_use]
    pub fn new(digits: impl Into<String>) -> Self {
        Self(digits.into())
    }

    /// The digits, for hashing only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for SubscriberKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("###")
    }
}

/// Settings of the data interface for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSettings {
    /// MBIM session id.
    pub session: u32,
    /// What the network gave.
    pub ip: IpSettings,
    /// Metric of the default routes; `None` = the configuration's.
    pub metric: Option<u32>,
    /// How the resolver is to ask again; `None` = as it does by itself.
    pub dns_retry: Option<DnsRetry>,
}

/// One probe. Hosts and bodies are the shell's configuration; the core judges. `[OPER 4.3]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeOrder {
    /// Number of the probe, never reused.
    pub id: u64,
    /// Session whose interface and addresses the sockets bind to.
    pub session: u32,
    /// DNS servers of the bearer; names are resolved by no other.
    pub dns: Vec<IpAddr>,
    /// Test IPv4.
    pub ipv4: bool,
    /// Test IPv6.
    pub ipv6: bool,
    /// The operator's own site, host and port, to be looked at when nothing else answers: a garden lets one reach it.
    pub site: Option<(String, u16)>,
    /// URL of a captive portal API that a record names; one that the network announces goes before. `[RFC 8908]`
    pub api: Option<String>,
    /// Time since 1970 as the network told it, where the machine's own clock was never set.
    pub network_time: Option<Duration>,
}

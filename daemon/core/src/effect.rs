//! What the machine asks the shell to do. The shell does it and answers with the matching input; it decides nothing.

use core::net::IpAddr;
use core::time::Duration;

use crate::kept::Kept;
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
    /// Load operator records if they are not loaded. Answer: `Input::Operators`.
    LoadOperators,
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
}

/// What a probe saw, without judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeReport {
    /// Evidence for IPv4; `None` when it was not tested.
    pub ipv4: Option<FamilyReport>,
    /// Evidence for IPv6; `None` when it was not tested.
    pub ipv6: Option<FamilyReport>,
    /// Octets sent and received, estimated with headers.
    pub bytes: u64,
    /// Testing is off (no probe host configured) or could not be bound: no verdict, and why.
    pub skipped: Option<&'static str>,
}

/// Evidence for one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyReport {
    /// Answer to the plain HTTP request (P1).
    pub http: HttpSeen,
    /// Answer to the HTTPS request (P2).
    pub https: HttpsSeen,
}

/// What became of the plain request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpSeen {
    /// Name resolution failed.
    DnsFailed,
    /// No connection or no answer in time.
    Failed(String),
    /// An answer.
    Answer {
        /// Status code.
        status: u16,
        /// `Location` resolved against the request, as text; not trusted.
        location: Option<String>,
        /// At most 16 KiB were read; whether the trimmed body is what is expected (or empty, or one byte).
        body: BodySeen,
    },
}

/// What the body looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySeen {
    /// Empty or one byte.
    Empty,
    /// Equal to the configured text.
    Expected,
    /// Something else that is HTML or begins with a tag.
    Html,
    /// Something else.
    Other,
}

/// What became of the HTTPS request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpsSeen {
    /// No HTTPS host is configured: not tested.
    NotTested,
    /// Name resolution failed.
    DnsFailed,
    /// No connection or no answer in time.
    Failed(String),
    /// The certificate is not for this host or its issuer is unknown.
    Intercepted(String),
    /// A valid certificate and an answer.
    Ok,
}

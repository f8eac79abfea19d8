//! What goes into the machine and what comes out.

use std::sync::Arc;

use daemon_operator::Layers;
use daemon_operator::identity::Identity;
use mbim_proto::Personal;

use crate::effect::{Effect, ProbeReport};
use crate::event::Event;
use crate::kept::Kept;
use crate::proxy;
use crate::request::{Reply, Request, RequestError};
use crate::snapshot::{Port, Reason};
use crate::subscriber::{Settings, SubscriberState};
use crate::usage::{Moment, Reading};

/// How one modem is to be run.
#[derive(Clone, Debug)]
pub struct ModemConfig {
    /// Where it is attached. Without a data interface the modem is used for control only.
    pub port: Port,
    /// Commands that it takes at a time, `bMaxOutstandingCommandMessages`; 0 counts as 1.
    pub outstanding: u16,
    /// Largest control message or fragment, octets, `wMaxControlMessage`.
    pub max_control: u32,
    /// Longest packet that the data path takes, octets; `None` = as long as the network says.
    pub largest_packet: Option<u32>,
    /// Who configures the data interface.
    pub network: NetworkMode,
    /// Settings of a SIM for which nothing is stored.
    pub defaults: Settings,
    /// Connectivity tests.
    pub probe: ProbePolicy,
    /// The data path stays when the daemon ends, as the kernel's does. Without it a connection is never left to the next
    /// start.
    pub survives: bool,
    /// DeviceId of the modem for whose object this one stands, because it is at the same place or has the same serial
    /// number: one that tells another is let go before anything of it is shown ([`Effect::LetGo`]). `None` = any modem.
    pub expected: Option<Personal<String>>,
    /// The control port can be given a fresh node ([`Effect::Renew`]), and was not given one too often lately.
    pub renewable: bool,
    /// Whether the kernel's rfkill blocks the radio at the start; later changes come as [`Input::HostRadio`].
    pub blocked: bool,
    /// The machine's clock was never set: the network is asked for the time.
    pub clock_unset: bool,
    /// MBIMEx release to announce, BCD; 0x0100 = none.
    pub announce: u16,
    /// Random: the spread of schedules, salts of tags and the first transaction of a session that is taken over.
    pub seed: u64,
}

impl ModemConfig {
    /// The defaults for a modem at a port: one command at a time, messages of 4096 octets, MBIMEx 3.0.
    #[must_use]
    pub fn new(port: Port) -> Self {
        Self {
            port,
            outstanding: 1,
            max_control: 4096,
            largest_packet: None,
            network: NetworkMode::Standalone,
            defaults: Settings::default(),
            probe: ProbePolicy::default(),
            survives: true,
            expected: None,
            renewable: false,
            blocked: false,
            clock_unset: false,
            announce: 0x0300,
            seed: 0,
        }
    }
}

impl Default for ModemConfig {
    fn default() -> Self {
        Self::new(Port::default())
    }
}

/// Who configures the data interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// The daemon: addresses, routes and DNS by link effects.
    #[default]
    Standalone,
    /// Another program: the settings are published only.
    External,
}

/// Connectivity tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbePolicy {
    /// Whether there are tests at all.
    pub enabled: bool,
    /// Octets a day that unasked probes may cost.
    pub daily_budget: u64,
    /// The same while roaming.
    pub roaming_budget: u64,
    /// Octets cost money: a link that is known to be good is not tested again without cause.
    pub metered: bool,
}

impl Default for ProbePolicy {
    /// Tests on, 200 KB a day, 50 KB while roaming, metered. `[OPER 4.6]`
    fn default() -> Self {
        Self { enabled: true, daily_budget: 200 * 1024, roaming_budget: 50 * 1024, metered: true }
    }
}

/// Number that the shell gives to a request and finds in its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What the machine is told.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The transport is open: the session starts. Also after [`Effect::Reopen`].
    Attached,
    /// The transport is open, and an earlier run of the daemon left the modem like this: it is taken over without OPEN if
    /// it still holds, else the session starts as with [`Self::Attached`]. What the link is listed to have set is in the
    /// hands of the shell's link.
    Adopt(Box<Kept>),
    /// Bytes from the modem, cut anywhere.
    Bytes(&'a [u8]),
    /// The transport is gone for good.
    Gone,
    /// A write failed, and the transport may still be there.
    WriteFailed,
    /// The kernel lost bytes on the way here.
    Overrun,
    /// What is wrong below MBIM is another thing than before; `None` = nothing any more. Only shown.
    Trouble(Option<Reason>),
    /// The machine woke from sleep.
    Resumed,
    /// Time has passed; wanted at [`Modem::next_wake`](super::Modem::next_wake), harmless at any time.
    Wake,
    /// Somebody asks for something.
    Request {
        /// Number for the reply.
        id: RequestId,
        /// What is asked.
        request: Request,
    },
    /// A client of the [proxy] says something.
    Guest {
        /// Which.
        id: proxy::GuestId,
        /// What.
        order: proxy::Order,
    },
    /// Answer to [`Effect::LinkUp`] and [`Effect::LinkDown`].
    LinkDone {
        /// MBIM session id.
        session: u32,
        /// Whether it answers `LinkUp`.
        up: bool,
        /// What became of it.
        result: Result<(), LinkFailure>,
        /// The interface that carries the session now, where it is not the modem's own: sessions above 0 have one each.
        interface: Option<String>,
    },
    /// Answer to [`Effect::Probe`].
    ProbeDone {
        /// Number of the probe.
        id: u64,
        /// What it saw.
        report: ProbeReport,
    },
    /// The network announces another captive portal API or NAT64 than the last probe knew of. `[RFC 8910 3]`
    Announced,
    /// Answer to [`Effect::ReadCounters`], before that to any later effect.
    Counters {
        /// When they were read.
        at: Moment,
        /// Those of the interfaces that are there.
        readings: Vec<Reading>,
    },
    /// Answer to [`Effect::LoadOperators`].
    Operators {
        /// Whom they were read for.
        identity: Box<Identity>,
        /// What there is.
        layers: Arc<Layers>,
    },
    /// Files with operator records changed.
    RecordsChanged,
    /// Answer to [`Effect::LoadSubscriber`]; `None` = nothing is stored.
    Subscriber(Option<Box<SubscriberState>>),
    /// [`Effect::SaveSubscriber`] is done: the content outlives a crash.
    Stored,
    /// [`Effect::SaveSubscriber`] failed; the old content stands.
    StoreFailed {
        /// Why, without identities.
        text: String,
        /// There is no space left.
        full: bool,
    },
    /// The kernel's rfkill changed.
    HostRadio {
        /// Whether it blocks the radio.
        blocked: bool,
    },
}

/// Why a link could not be set up or taken down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFailure {
    /// Kebab-case code, for example `no-interface`, `netlink`, `permission`.
    pub code: &'static str,
    /// One sentence for a person.
    pub text: String,
}

/// What the machine wants done or known.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// One MBIM fragment: one write, in this order.
    Transmit(Vec<u8>),
    /// An order to the shell.
    Effect(Effect),
    /// The one reply to a request.
    Reply {
        /// Number of the request.
        id: RequestId,
        /// What became of it.
        result: Result<Reply, RequestError>,
    },
    /// For a client of the [proxy]; one that is gone meanwhile does not get it.
    Guest {
        /// Which.
        id: proxy::GuestId,
        /// What.
        news: proxy::News,
    },
    /// The snapshot is another one than before (traffic counters apart).
    Changed,
    /// Something happened that people may want to know.
    Event(Event),
}

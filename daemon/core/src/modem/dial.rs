//! What has been tried and what comes next: rounds of candidates, holds, the link. `[OPER 3.6, 3.7]`

use std::collections::VecDeque;

use daemon_operator::next::{Action, Attempt, IpTried, Stop, after_failure};
use daemon_operator::{Auth, Candidate, IpType};
use mbim_proto::status::{NwError, Status};

use super::reason::reason;
use super::tables::Context;
use super::timer::{Timer, Timers};
use crate::Time;
use crate::event::Event;
use crate::request::Purpose;
use crate::snapshot::{IpSettings, Reason};
use crate::subscriber::UserApn;

/// One candidate being tried.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) candidate: Candidate,
    pub(super) ip_type: IpType,
    pub(super) auth: Auth,
    pub(super) other_auth_tried: bool,
    pub(super) ip_tried: IpTried,
    /// For buying a plan, not for the Internet.
    pub(super) purchase: bool,
    /// What the session is for.
    pub(super) purpose: Purpose,
}

impl Dial {
    pub(super) fn new(candidate: Candidate, roaming: bool, purchase: bool) -> Self {
        let ip_type = candidate.ip_type(roaming);
        Self {
            ip_type,
            auth: candidate.start_auth(),
            other_auth_tried: false,
            ip_tried: IpTried::default().with(ip_type),
            purchase,
            purpose: Purpose::Internet,
            candidate,
        }
    }

    /// The same for a session with this purpose.
    pub(super) fn with(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// The failure of it, for everybody to see.
    pub(super) fn failure(&self, said: &str, cause: u32) -> Event {
        Event::warn("error")
            .with("what", "connect")
            .with("apn", &self.candidate.apn)
            .with("status", said)
            .with("cause", cause)
    }

    /// The failure of it as a line of its round.
    pub(super) fn line(&self, said: &str) -> String {
        let apn = if self.candidate.apn.is_empty() { "network default" } else { &self.candidate.apn };
        format!("{apn} ({}): {said}", self.ip_type.as_str())
    }

    /// What follows its failure by the table of causes. `[OPER 3.7]`
    pub(super) fn after_failure(&self, status: u32, cause: u32) -> AfterFailure {
        let attempt = Attempt {
            has_credentials: !self.candidate.user.is_empty() || !self.candidate.password.is_empty(),
            auth: self.auth,
            other_auth_tried: self.other_auth_tried,
            ip_tried: self.ip_tried,
        };
        let again = |dial| AfterFailure::Again(Box::new(dial));
        match after_failure(status, cause, &attempt) {
            Action::SameWithAuth(auth) => again(Self { auth, other_auth_tried: true, ..self.clone() }),
            Action::SameWithIp(ip_type) => {
                again(Self { ip_type, ip_tried: self.ip_tried.with(ip_type), ..self.clone() })
            }
            Action::Next { mark_bad, not_subscribed } => AfterFailure::Next { mark_bad, not_subscribed },
            Action::Stop(stop) => AfterFailure::Stop(stop),
            Action::BackOff => AfterFailure::BackOff,
        }
    }
}

/// What follows the failure of one candidate.
#[derive(Debug)]
pub(super) enum AfterFailure {
    /// The same one in another form.
    Again(Box<Dial>),
    /// The next one.
    Next {
        /// It is not tried again for a while.
        mark_bad: bool,
        /// The network says that there is no subscription for it.
        not_subscribed: bool,
    },
    /// None, until something changes.
    Stop(Stop),
    /// None, for a while.
    BackOff,
}

/// Whether the modem refused because a context of before stands in the way.
pub(super) fn is_left_over(status: u32, cause: u32) -> bool {
    cause == 0 && [Status::OPERATION_NOT_ALLOWED.0, Status::SESSION_ALREADY_EXISTS.0].contains(&status)
}

/// The network ended a connection; `cause` 0 = without saying why.
pub(super) fn ended_by_network(cause: u32) -> Reason {
    let text = if cause == 0 {
        "The network ended the connection.".to_owned()
    } else {
        format!("The network ended the connection ({}, cause {cause}).", NwError(cause))
    };
    reason("network-disconnected", text)
}

/// The data interface as far as effects tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing is set.
    #[default]
    None,
    /// `LinkUp` was ordered.
    Rising,
    /// `LinkUp` was carried out.
    Up,
    /// `LinkDown` was ordered.
    Falling,
}

/// What follows a deactivation.
#[derive(Clone, Debug, Default)]
pub(super) enum AfterDrop {
    /// Nothing by itself; the pass decides.
    #[default]
    Nothing,
    /// The attempt counts as failed with this status.
    Failed(u32),
    /// The attempt counts as failed: no addresses, or no way to put them on the interface.
    Useless(Reason),
    /// The next candidate, although this one connected.
    Next,
    /// The same candidate: a context that was left over stood in its way.
    Again,
}

/// State of connecting.
#[derive(Debug, Default)]
pub(super) struct Dialer {
    /// The person disconnected: no automatic connection until the next `Connect` or plug.
    pub(super) user_off: bool,
    /// A person or a procedure asked for the connection: it is kept, whatever `autoconnect` says.
    pub(super) held: bool,
    /// The one APN that a person named for this connection.
    pub(super) named: Option<UserApn>,
    pub(super) in_round: bool,
    pub(super) round: VecDeque<Dial>,
    pub(super) round_index: usize,
    pub(super) current: Option<Dial>,
    /// The current one is to be tried once more.
    pub(super) redial: bool,
    /// One line for each try of this round.
    pub(super) tries: Vec<String>,
    pub(super) busy: u32,
    /// A context that may have been left over was taken down in this round.
    pub(super) cleared: bool,
    /// The modem contradicted what was known of it, and the request under way got another try.
    pub(super) contradicted: bool,
    /// When what is under way (activation, addresses, deactivation) counts as lost.
    pub(super) deadline: Time,
    /// How often the modem was asked meanwhile.
    pub(super) looks: u32,
    /// How often it said that there is no context.
    pub(super) denials: u32,
    /// When the activation under way began.
    pub(super) dialled: Time,
    /// Activations in a row that went unanswered.
    pub(super) unheard: u32,
    /// The pause is one that follows a round, and holds over a restart.
    pub(super) waits: bool,
    pub(super) failed_rounds: u32,
    pub(super) congested: u32,
    pub(super) losses: u32,
    /// The context ended because the network took it.
    pub(super) lost: bool,
    /// Dialling waits for an event.
    pub(super) hold: Option<Stop>,
    /// The network said that something has to be bought or activated.
    pub(super) purchase: bool,
    pub(super) purchase_tried: bool,
    pub(super) error: Option<Reason>,
    pub(super) after_drop: AfterDrop,
    pub(super) link: Link,
    /// Link orders that were not answered yet.
    pub(super) link_orders: u32,
    /// Name servers that came before the addresses.
    pub(super) early_dns: Vec<core::net::IpAddr>,
    pub(super) ip: Option<IpSettings>,
    pub(super) since: Option<Time>,
}

impl Dialer {
    /// A new session or a new SIM: what was tried is forgotten, what the person wants is not.
    pub(super) fn reset(&mut self) {
        *self = Self {
            user_off: self.user_off,
            held: self.held,
            named: self.named.take(),
            link: self.link,
            link_orders: self.link_orders,
            ..Self::default()
        };
    }

    /// The modem is gone: what is left is the interface, whose last orders are still under way.
    pub(super) fn unplugged(&self) -> Self {
        Self { link: self.link, link_orders: self.link_orders, ..Self::default() }
    }

    /// The network changed: holds and waits are forgiven.
    pub(super) fn forgive(&mut self, timers: &mut Timers) {
        if matches!(self.hold, Some(Stop::Registration | Stop::State)) {
            self.hold = None;
        }
        self.congested = 0;
        if !self.in_round {
            timers.clear(Timer::Retry);
        }
    }

    /// Attached again after a loss: the wait that followed the loss is over.
    pub(super) fn forgive_loss(&mut self, timers: &mut Timers) {
        if self.hold == Some(Stop::State) {
            self.hold = None;
        }
        if self.lost {
            timers.clear(Timer::Retry);
        }
    }

    /// The list of candidates is another one: every hold and wait is over. `[OPER 3.7]`
    pub(super) fn candidates_changed(&mut self, timers: &mut Timers, context: Context) {
        self.hold = None;
        self.failed_rounds = 0;
        self.congested = 0;
        self.round_index = 0;
        self.purchase_tried = false;
        if matches!(context, Context::Down | Context::Waiting) {
            self.end_round();
            timers.clear(Timer::Retry);
        }
    }

    pub(super) fn end_round(&mut self) {
        self.in_round = false;
        self.round.clear();
        self.current = None;
        self.redial = false;
        self.busy = 0;
        self.cleared = false;
    }

    pub(super) fn link_or_context(&self, context: Context) -> bool {
        self.link != Link::None && self.link != Link::Falling || !matches!(context, Context::Down | Context::Waiting)
    }
}

//! What a connection that failed means for the next try. `[OPER 3.7]`

use core::time::Duration;

use crate::profile::{Auth, IpType};

/// Status to give when the modem did not answer in time. No modem sends it.
pub const NO_ANSWER: u32 = u32::MAX;

/// How long a candidate marked bad is left out, for one card. Ended by a purchase, another SIM or a person's request.
pub const BAD_FOR: Duration = Duration::from_secs(24 * 3600);

/// How long a connected context may be without an address.
pub const ADDRESS_DEADLINE: Duration = Duration::from_secs(20);

/// Longest back-off.
const LONGEST: Duration = Duration::from_secs(3600);

/// Status codes of `[MBIM1.0 9.4.5]` that decide something here.
mod status {
    pub(super) const BUSY: u32 = 1;
    pub(super) const SIM_NOT_INSERTED: u32 = 3;
    pub(super) const PIN_REQUIRED: u32 = 5;
    pub(super) const NOT_REGISTERED: u32 = 7;
    pub(super) const PACKET_SERVICE_DETACHED: u32 = 12;
    pub(super) const MAX_ACTIVATED_CONTEXTS: u32 = 13;
    pub(super) const NOT_INITIALIZED: u32 = 14;
    pub(super) const SERVICE_NOT_ACTIVATED: u32 = 17;
    pub(super) const INVALID_ACCESS_STRING: u32 = 18;
    pub(super) const INVALID_USER_NAME_PWD: u32 = 19;
    pub(super) const RADIO_POWER_OFF: u32 = 20;
}

/// How the failed try was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The candidate has a user or a password.
    pub has_credentials: bool,
    /// Method that was used.
    pub auth: Auth,
    /// Another method was already tried with this candidate in this round.
    pub other_auth_tried: bool,
    /// Address families tried with this candidate in this round, the last try included.
    pub ip_tried: IpTried,
}

/// A set of address families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpTried {
    v4: bool,
    v6: bool,
    v4v6: bool,
}

impl IpTried {
    /// The set with one more.
    #[must_use]
    pub fn with(mut self, ip_type: IpType) -> Self {
        match ip_type {
            IpType::V4 => self.v4 = true,
            IpType::V6 => self.v6 = true,
            IpType::V4v6 => self.v4v6 = true,
        }
        self
    }

    /// Whether it was tried.
    pub fn has(self, ip_type: IpType) -> bool {
        match ip_type {
            IpType::V4 => self.v4,
            IpType::V6 => self.v6,
            IpType::V4v6 => self.v4v6,
        }
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The next candidate, at once.
    Next {
        /// Leave this one out for [`BAD_FOR`].
        mark_bad: bool,
        /// The network says that the subscription does not include it: purchase and hand-over become due.
        not_subscribed: bool,
    },
    /// The same candidate, once more, with this method.
    SameWithAuth(Auth),
    /// The same candidate, once more, with these address families.
    SameWithIp(IpType),
    /// No more tries in this round.
    Stop(Stop),
    /// No more tries in this round; the next round after [`congestion_backoff`].
    BackOff,
}

/// What ends a round that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A change of registration.
    Registration,
    /// Another context is taken down.
    MaxContexts,
    /// The subscription is activated: go to the operator's site.
    NotActivated,
    /// The state of SIM, radio or attachment changes.
    State,
}

/// Judges a refused connection by the status of the answer and the network's cause (0 = none). `[OPER 3.7]`
///
/// "Service not activated" counts before any cause; then a cause that the table knows; then the status. What neither
/// knows is treated as "unspecified": the next candidate.
pub fn after_failure(status: u32, nw_error: u32, attempt: &Attempt) -> Action {
    if status == status::SERVICE_NOT_ACTIVATED {
        return Action::Stop(Stop::NotActivated);
    }
    by_cause(nw_error, attempt).or_else(|| by_status(status, attempt)).unwrap_or(NEXT)
}

const NEXT: Action = Action::Next { mark_bad: false, not_subscribed: false };

fn by_cause(cause: u32, attempt: &Attempt) -> Option<Action> {
    Some(match cause {
        27 | 66 | 91 => Action::Next { mark_bad: true, not_subscribed: false },
        33 => Action::Next { mark_bad: true, not_subscribed: true },
        23 | 29 => other_method(attempt),
        28 => families(attempt, &[IpType::V4v6, IpType::V4, IpType::V6]),
        50 => families(attempt, &[IpType::V4]),
        51 => families(attempt, &[IpType::V6]),
        30..=32 => NEXT,
        2 | 3 | 5..=8 | 11..=15 => Action::Stop(Stop::Registration),
        16 | 17 | 22 | 26 | 34 | 40 | 65 | 67 | 69 => Action::BackOff,
        112 | 113 => Action::Stop(Stop::MaxContexts),
        _ => return None,
    })
}

fn by_status(status: u32, attempt: &Attempt) -> Option<Action> {
    Some(match status {
        status::INVALID_ACCESS_STRING => Action::Next { mark_bad: true, not_subscribed: false },
        status::INVALID_USER_NAME_PWD => other_method(attempt),
        status::MAX_ACTIVATED_CONTEXTS => Action::Stop(Stop::MaxContexts),
        status::SIM_NOT_INSERTED
        | status::PIN_REQUIRED
        | status::NOT_REGISTERED
        | status::PACKET_SERVICE_DETACHED
        | status::NOT_INITIALIZED
        | status::RADIO_POWER_OFF => Action::Stop(Stop::State),
        status::BUSY | NO_ANSWER => Action::BackOff,
        _ => return None,
    })
}

fn other_method(attempt: &Attempt) -> Action {
    if !attempt.has_credentials || attempt.other_auth_tried {
        return NEXT;
    }
    Action::SameWithAuth(if attempt.auth == Auth::Chap { Auth::Pap } else { Auth::Chap })
}

fn families(attempt: &Attempt, order: &[IpType]) -> Action {
    order.iter().find(|ip_type| !attempt.ip_tried.has(**ip_type)).map_or(NEXT, |ip_type| Action::SameWithIp(*ip_type))
}

/// What became of a context that the network accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// No address within [`ADDRESS_DEADLINE`].
    NoAddress,
    /// The operator's portal answers instead of the internet.
    Portal,
    /// The internet does not answer.
    Limited {
        /// This candidate led to the internet before.
        ever_good: bool,
        /// Several operators fitted the SIM.
        ambiguous: bool,
    },
}

/// Judges a context that was accepted but is of no use yet: whether to disconnect and go to the next candidate.
pub fn try_next_after(success: Success) -> bool {
    match success {
        Success::NoAddress => true,
        // The portal is on the right way: another access point would only lose it.
        Success::Portal => false,
        Success::Limited { ever_good, ambiguous } => ambiguous && !ever_good,
    }
}

/// Wait after [`Action::BackOff`]: 3 s × 3^`n`, at most an hour. `n` counts such waits in a row, from 0.
pub fn congestion_backoff(n: u32) -> Duration {
    backoff(3, n)
}

/// Wait after a round in which every candidate failed: 300 s × 3^`n`, at most an hour.
pub fn round_backoff(n: u32) -> Duration {
    backoff(300, n)
}

fn backoff(first: u64, n: u32) -> Duration {
    let seconds = 3_u64.saturating_pow(n).saturating_mul(first);
    Duration::from_secs(seconds).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILURE: u32 = 2;

    fn attempt() -> Attempt {
        Attempt {
            has_credentials: true,
            auth: Auth::Chap,
            other_auth_tried: false,
            ip_tried: IpTried::default().with(IpType::V4v6),
        }
    }

    const BAD: Action = Action::Next { mark_bad: true, not_subscribed: false };

    #[test]
    fn every_row_of_the_table() {
        let rows: [(&[(u32, u32)], Action); 9] = [
            (&[(FAILURE, 27), (FAILURE, 66), (FAILURE, 91), (18, 0), (18, 27)], BAD),
            (&[(FAILURE, 33)], Action::Next { mark_bad: true, not_subscribed: true }),
            (&[(FAILURE, 29), (FAILURE, 23), (19, 0)], Action::SameWithAuth(Auth::Pap)),
            (&[(FAILURE, 30), (FAILURE, 31), (FAILURE, 32), (FAILURE, 0), (FAILURE, 999), (4711, 0)], NEXT),
            (
                &[(2, 8), (2, 7), (2, 14), (2, 2), (2, 3), (2, 6), (2, 5), (2, 11), (2, 12), (2, 13), (2, 15)],
                Action::Stop(Stop::Registration),
            ),
            (
                &[(2, 16), (2, 17), (2, 22), (2, 26), (2, 34), (2, 40), (2, 65), (2, 67), (2, 69), (NO_ANSWER, 0)],
                Action::BackOff,
            ),
            (&[(2, 112), (2, 113), (13, 0)], Action::Stop(Stop::MaxContexts)),
            (&[(17, 0), (17, 33)], Action::Stop(Stop::NotActivated)),
            (&[(7, 0), (12, 0), (20, 0), (3, 0), (5, 0), (14, 0)], Action::Stop(Stop::State)),
        ];
        for (outcomes, expected) in rows {
            for (status, cause) in outcomes {
                assert_eq!(after_failure(*status, *cause, &attempt()), expected, "status {status} cause {cause}");
            }
        }
    }

    #[test]
    fn the_other_method_is_tried_once_and_needs_credentials() {
        let with_pap = Attempt { auth: Auth::Pap, ..attempt() };
        assert_eq!(after_failure(FAILURE, 29, &with_pap), Action::SameWithAuth(Auth::Chap));
        let again = Attempt { other_auth_tried: true, ..attempt() };
        assert_eq!(after_failure(FAILURE, 29, &again), NEXT);
        let without = Attempt { has_credentials: false, ..attempt() };
        assert_eq!(after_failure(19, 0, &without), NEXT);
    }

    #[test]
    fn families_are_each_tried_once() {
        let after = |cause, tried: &[IpType]| {
            let ip_tried = tried.iter().fold(IpTried::default(), |set, ip_type| set.with(*ip_type));
            after_failure(FAILURE, cause, &Attempt { ip_tried, ..attempt() })
        };
        use IpType::{V4, V4v6, V6};
        assert_eq!(after(50, &[V4v6]), Action::SameWithIp(V4));
        assert_eq!(after(50, &[V4v6, V4]), NEXT);
        assert_eq!(after(51, &[V4]), Action::SameWithIp(V6));
        assert_eq!(after(28, &[V6]), Action::SameWithIp(V4v6));
        assert_eq!(after(28, &[V4v6]), Action::SameWithIp(V4));
        assert_eq!(after(28, &[V4v6, V4]), Action::SameWithIp(V6));
        assert_eq!(after(28, &[V4v6, V4, V6]), NEXT);
    }

    #[test]
    fn a_portal_keeps_the_access_point() {
        assert!(!try_next_after(Success::Portal));
        assert!(try_next_after(Success::NoAddress));
        assert!(try_next_after(Success::Limited { ever_good: false, ambiguous: true }));
        assert!(!try_next_after(Success::Limited { ever_good: true, ambiguous: true }));
        assert!(!try_next_after(Success::Limited { ever_good: false, ambiguous: false }));
    }

    #[test]
    fn waits_grow_to_an_hour() {
        let seconds: Vec<u64> = (0..9).map(|n| congestion_backoff(n).as_secs()).collect();
        assert_eq!(seconds, [3, 9, 27, 81, 243, 729, 2187, 3600, 3600]);
        assert_eq!(congestion_backoff(u32::MAX).as_secs(), 3600);
        assert_eq!((0..4).map(|n| round_backoff(n).as_secs()).collect::<Vec<_>>(), [300, 900, 2700, 3600]);
    }
}

//! The attempts of an activation. [PROV 12.7]
//!
//! The first one is due when the delay after the commit is over, each further one an interval
//! after the end of the one that failed; there are 1 + RetryCount at most.

use serde::{Deserialize, Serialize};

use super::{ActivationStatus, Outcome, Time};
use crate::code::Code;
use crate::plan::Activation;

/// State of the attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempts {
    /// There is no activation.
    None,
    /// The steps before it have not ended.
    Waiting,
    /// The next attempt is due at a time.
    Due { at: Time, past: Past },
    /// An attempt is running; `past` does not count it.
    Running { past: Past },
    /// Over.
    Over(ActivationStatus),
}

/// What earlier attempts left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Past {
    /// How many have ended.
    attempts: u32,
    /// Whether the radio was off and came back on in one of them.
    radio_back: bool,
}

/// The same with what remains instead of points in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SavedAttempts {
    None,
    Waiting,
    Due { remaining: Time, past: Past },
    Running { past: Past },
    Succeeded { attempts: u32 },
    Failed { code: Code, attempts: u32 },
    Refused { code: Code },
    Cancelled,
}

/// Whether an attempt begins.
pub(super) enum Begin {
    /// Now (or it is running already).
    Now { radio_back: bool },
    /// Then.
    At(Time),
    /// There is nothing to begin.
    Never,
}

impl Attempts {
    /// All else has ended: the first attempt is due then.
    pub(super) fn start(&mut self, at: Time) {
        if *self == Self::Waiting {
            *self = Self::Due { at, past: Past::default() };
        }
    }

    /// What had to come before failed.
    pub(super) fn refuse(&mut self, code: Code) {
        if *self == Self::Waiting {
            *self = Self::Over(ActivationStatus::Refused { code });
        }
    }

    pub(super) fn begin(&mut self, now: Time) -> Begin {
        match *self {
            Self::Due { at, past } if at <= now => {
                *self = Self::Running { past };
                Begin::Now { radio_back: past.radio_back }
            }
            Self::Due { at, .. } => Begin::At(at),
            Self::Running { past } => Begin::Now { radio_back: past.radio_back },
            Self::None | Self::Waiting | Self::Over(_) => Begin::Never,
        }
    }

    /// The running attempt ended. Without one (it was cancelled meanwhile) nothing happens.
    pub(super) fn end(&mut self, outcome: Outcome, ordered: &Activation, now: Time) {
        let Self::Running { past } = *self else {
            return;
        };
        let attempts = past.attempts.saturating_add(1);
        let (code, came_back) = match outcome {
            Outcome::Changed | Outcome::Unchanged => {
                *self = Self::Over(ActivationStatus::Succeeded { attempts });
                return;
            }
            Outcome::Failed(code) => (code, false),
            Outcome::RadioBackConnectFailed(code) => (code, true),
        };
        *self = if attempts > ordered.retry_count {
            Self::Over(ActivationStatus::Failed { code, attempts })
        } else {
            Self::Due {
                at: now.saturating_add(ordered.retry_interval),
                past: Past { attempts, radio_back: past.radio_back || came_back },
            }
        };
    }

    pub(super) fn cancel(&mut self) {
        if !matches!(self, Self::None | Self::Over(_)) {
            *self = Self::Over(ActivationStatus::Cancelled);
        }
    }

    pub(super) fn status(&self) -> ActivationStatus {
        match *self {
            Self::None => ActivationStatus::None,
            Self::Waiting => ActivationStatus::Waiting,
            Self::Due { at, past } => ActivationStatus::Scheduled { attempt: past.attempts.saturating_add(1), due: at },
            Self::Running { past } => ActivationStatus::Running { attempt: past.attempts.saturating_add(1) },
            Self::Over(status) => status,
        }
    }

    pub(super) fn save(&self, now: Time) -> SavedAttempts {
        match *self {
            Self::None => SavedAttempts::None,
            Self::Waiting => SavedAttempts::Waiting,
            Self::Due { at, past } => SavedAttempts::Due { remaining: at.saturating_sub(now), past },
            Self::Running { past } => SavedAttempts::Running { past },
            Self::Over(status) => match status {
                ActivationStatus::Succeeded { attempts } => SavedAttempts::Succeeded { attempts },
                ActivationStatus::Failed { code, attempts } => SavedAttempts::Failed { code, attempts },
                ActivationStatus::Refused { code } => SavedAttempts::Refused { code },
                _ => SavedAttempts::Cancelled,
            },
        }
    }

    /// After a restart: an attempt that was running has failed.
    pub(super) fn resume(saved: SavedAttempts, ordered: &Activation, now: Time) -> Self {
        match saved {
            SavedAttempts::None | SavedAttempts::Waiting => Self::Waiting,
            SavedAttempts::Due { remaining, past } => Self::Due { at: now.saturating_add(remaining), past },
            SavedAttempts::Running { past } => {
                let mut attempts = Self::Running { past };
                attempts.end(Outcome::Failed(Code::ABORTED), ordered, now);
                attempts
            }
            SavedAttempts::Succeeded { attempts } => Self::Over(ActivationStatus::Succeeded { attempts }),
            SavedAttempts::Failed { code, attempts } => Self::Over(ActivationStatus::Failed { code, attempts }),
            SavedAttempts::Refused { code } => Self::Over(ActivationStatus::Refused { code }),
            SavedAttempts::Cancelled => Self::Over(ActivationStatus::Cancelled),
        }
    }
}

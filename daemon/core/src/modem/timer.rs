//! The machine's own timers; those of transactions belong to the session.

use std::collections::BTreeMap;

use crate::Time;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// A dead modem is to be tried again.
    Power,
    /// The SIM is to be asked again.
    Sim,
    /// The card's files take too long.
    Card,
    /// Switching the radio is to be tried again.
    Radio,
    /// The answer to an order to switch the radio stays away.
    RadioAnswer,
    /// The modem did not begin to register by itself.
    Register,
    /// The answer to an order to register stays away.
    RegisterAnswer,
    /// The modem did not attach by itself, or attaching is to be tried again.
    Attach,
    /// The answer to an order to attach stays away.
    PacketAnswer,
    /// The answer to CONNECT, or the final state after it, stays away.
    Activation,
    /// Addresses are overdue.
    Address,
    /// What is waited for does not come: the modem is to be asked.
    Look,
    /// The next attempt to connect is due.
    Retry,
    /// A probe is due.
    Probe,
    /// A probe's report is overdue.
    Report,
    /// What a connecting request waits for is overdue.
    Job,
    /// Whether what an earlier run left still holds should be known by now.
    Adopt,
    /// The modem takes too long before sleep, nobody sleeps in spite of it, or it says nothing afterwards.
    Sleep,
    /// A stop takes too long.
    Stop,
    /// Interfaces are to be counted.
    Usage,
    /// What a session above 0 waits for.
    Extra(u32),
}

impl Timer {
    fn why(self) -> &'static str {
        match self {
            Self::Power => "try the modem again",
            Self::Sim => "ask the SIM again",
            Self::Card => "card files overdue",
            Self::Radio => "switch the radio again",
            Self::RadioAnswer | Self::RegisterAnswer | Self::PacketAnswer => "answer missing",
            Self::Register => "registration did not begin",
            Self::Attach => "attach again",
            Self::Activation => "activation overdue",
            Self::Address => "addresses overdue",
            Self::Look => "look what is missing",
            Self::Retry => "connect again",
            Self::Probe => "probe",
            Self::Report => "probe report overdue",
            Self::Job => "request overdue",
            Self::Adopt => "adoption overdue",
            Self::Sleep => "sleep or its end",
            Self::Stop => "stop overdue",
            Self::Usage => "usage",
            Self::Extra(_) => "another session",
        }
    }
}

/// The timers that run.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, Time>);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Time) {
        self.0.insert(timer, at);
    }

    /// Sets it, unless it runs and ends earlier.
    pub(super) fn set_sooner(&mut self, timer: Timer, at: Time) {
        self.0.entry(timer).and_modify(|running| *running = at.min(*running)).or_insert(at);
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    /// Those of the session; what requests wait for goes on.
    pub(super) fn clear_session(&mut self) {
        self.0.retain(|timer, _| matches!(timer, Timer::Job | Timer::Stop));
    }

    pub(super) fn clear_all(&mut self) {
        self.0.clear();
    }

    pub(super) fn at(&self, timer: Timer) -> Option<Time> {
        self.0.get(&timer).copied()
    }

    pub(super) fn runs(&self, timer: Timer) -> bool {
        self.0.contains_key(&timer)
    }

    /// Takes those whose time has come, earliest first.
    pub(super) fn due(&mut self, now: Time) -> Vec<Timer> {
        let mut due: Vec<(Time, Timer)> =
            self.0.iter().filter(|(_, at)| **at <= now).map(|(t, at)| (*at, *t)).collect();
        due.sort_unstable();
        due.into_iter()
            .map(|(_, timer)| {
                self.0.remove(&timer);
                timer
            })
            .collect()
    }

    pub(super) fn next(&self) -> Option<(Time, &'static str)> {
        self.0.iter().map(|(timer, at)| (*at, timer.why())).min()
    }
}

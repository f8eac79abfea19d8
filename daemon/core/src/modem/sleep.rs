//! Sleep of the machine. Before: nothing new is begun, the modem is asked to be silent, so that it does not wake who
//! wants to sleep, and it is told that no traffic is expected, so that it may save power. `[MBIM1.0 10.5,
//! NETWORK_IDLE_HINT]` After: the session is asked whether it still holds; one that does not is opened anew, and what was
//! connected is connected again.

use core::time::Duration;

use mbim_proto::service::basic_connect as bc;

use super::ask::Asked;
use super::io::RequestId;
use super::machine::Modem;
use super::tables::Power;
use super::timer::Timer;
use crate::Time;
use crate::event::Event;
use crate::request::Reply;
use crate::session::Outcome;

/// How long the modem may take over being silent; the machine waits for it.
const QUIET: Duration = Duration::from_secs(2);
/// Awake for so long after all was made ready: nobody sleeps any more.
const AWAKE: Duration = Duration::from_secs(60);
/// How long a modem may say nothing after sleep, before it counts as lost.
const SILENCE: Duration = Duration::from_secs(6);

/// Where the machine stands between waking and sleep.
#[derive(Debug, Default)]
pub(super) struct Sleep {
    /// The machine is about to sleep, or sleeps.
    near: bool,
    /// Who waits for the modem to be ready for it.
    waiting: Vec<RequestId>,
    /// Messages that had come when the machine woke; `None` = the modem has spoken since.
    heard: Option<u64>,
    /// The modem was told that no traffic is expected, and has not confirmed the contrary since.
    idle: bool,
}

impl Sleep {
    /// Nothing new is to be begun.
    pub(super) fn near(&self) -> bool {
        self.near
    }

    /// The modem believes, perhaps, that no traffic is expected.
    pub(super) fn idle(&self) -> bool {
        self.idle
    }

    /// As the last run left it.
    pub(super) fn was_idle(&mut self, idle: bool) {
        self.idle = idle;
    }
}

impl Modem {
    /// [`Request::Suspend`](crate::request::Request::Suspend).
    pub(super) fn request_suspend(&mut self, now: Time, id: RequestId) {
        self.sleep.near = true;
        self.sleep.heard = None;
        self.usage_rest();
        self.online.quiet(&mut self.outputs);
        self.timers.clear(Timer::Report);
        let (subscribes, hints) = (self.offers::<bc::DeviceServiceSubscribeList>(), self.takes_hints());
        if self.tables.power != Power::Ready || !subscribes && !hints {
            self.timers.set(Timer::Sleep, now + AWAKE);
            return self.reply(id, Ok(Reply::Done { changed: false }));
        }
        if self.sleep.waiting.is_empty() {
            self.timers.set(Timer::Sleep, now + QUIET);
            if subscribes {
                self.ask_quiet(now);
            }
            // Behind the other: a modem that does not answer it is silent all the same.
            if hints {
                self.sleep.idle = true;
                self.ask_idle(now, true);
            }
        }
        self.sleep.waiting.push(id);
    }

    /// An answer before sleep has come, or stays away: whether it was the last one.
    pub(super) fn on_quiet_answer(&mut self, now: Time) {
        if !self.is_asked(|asked| matches!(asked, Asked::Quiet | Asked::Idle(true))) {
            self.on_quiet(now);
        }
    }

    /// What became of the hint.
    pub(super) fn on_idle(&mut self, now: Time, idle: bool, outcome: &Outcome) {
        match outcome {
            _ if idle => self.on_quiet_answer(now),
            // Refused counts too: who does not take the hint back did not take it.
            Outcome::Answered { .. } | Outcome::Refused(_) => self.sleep.idle = self.sleep.near,
            // It is told again with the next opening or after the next sleep.
            Outcome::TimedOut | Outcome::Dropped | Outcome::Gone => {}
        }
    }

    /// Traffic is expected again. The last thing to be said: nobody waits for it.
    pub(super) fn busy_again(&mut self, now: Time) {
        if self.sleep.idle && self.takes_hints() {
            self.ask_idle(now, false);
        }
    }

    /// The modem says that it does: not taken for granted where it tells no services.
    fn takes_hints(&self) -> bool {
        !self.session.offers().list.is_empty() && self.offers::<bc::NetworkIdleHint>()
    }

    /// The modem is silent, or takes too long over it.
    pub(super) fn on_quiet(&mut self, now: Time) {
        if self.sleep.near {
            self.timers.set(Timer::Sleep, now + AWAKE);
        }
        for id in core::mem::take(&mut self.sleep.waiting) {
            self.reply(id, Ok(Reply::Done { changed: true }));
        }
    }

    pub(super) fn on_sleep_timer(&mut self, now: Time) {
        if !self.sleep.waiting.is_empty() {
            self.on_quiet(now);
        } else if self.sleep.near {
            // The sleep was called off, and nobody said so.
            self.on_resumed(now);
        } else if self.sleep.heard.take() == Some(self.session.counters().received) {
            self.recover(now, "silent-after-sleep");
        }
    }

    /// The machine woke: whether the modem still answers, and what changed meanwhile.
    pub(super) fn on_resumed(&mut self, now: Time) {
        self.on_quiet(now);
        let silent = core::mem::take(&mut self.sleep.near);
        self.timers.clear(Timer::Sleep);
        if self.tables.power == Power::Failed {
            // Power was cut and came back, perhaps: worth a try at once.
            self.timers.set(Timer::Power, now);
        }
        if self.tables.power != Power::Ready {
            return;
        }
        self.emit(Event::info("resumed"));
        if silent {
            self.session.resubscribe(now);
        }
        self.sleep.heard = Some(self.session.counters().received);
        self.timers.set(Timer::Sleep, now + SILENCE);
        // Waits that began before are over: another place, another network.
        self.dialer.forgive(&mut self.timers);
        self.dialer.forgive_loss(&mut self.timers);
        self.look_again(now);
        self.ask_context(now);
        self.ask_extras(now);
        self.busy_again(now);
        self.online.due = true;
    }

    /// Nothing of a sleep outlives the session.
    pub(super) fn forget_sleep(&mut self) {
        self.timers.clear(Timer::Sleep);
        self.sleep.near = false;
        self.sleep.heard = None;
        for id in core::mem::take(&mut self.sleep.waiting) {
            self.reply(id, Ok(Reply::Done { changed: false }));
        }
    }
}

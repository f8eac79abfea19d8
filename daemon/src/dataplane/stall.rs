//! Whether packets still move, and what is done when they do not: a state machine with named states and events that
//! knows neither USB nor a clock. Times are since an arbitrary start.
//!
//! A halted endpoint is cleared; transfers that the device takes no octet of are given up after a time; when that does
//! not help, the data interface goes through its idle alternate setting and back, which is a reset of the data path
//! alone; when that does not help either, it is tried again after a rest, for as long as the device is there.

use std::time::Duration;

/// Halts and faults of one direction without progress between them that are mended in place.
const MENDS: u32 = 3;
/// Times that stuck transfers are given up before the path is reset.
const GIVE_UPS: u32 = 2;
/// Resets without progress between them before a rest.
const RESETS: u32 = 3;

/// How long a path waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Time without progress after which transfers to the device are given up.
    pub(crate) stuck: Duration,
    /// Time between resets that do not help.
    pub(crate) rest: Duration,
}

impl Default for Patience {
    /// Modems without coverage hold packets back for seconds; the kernel's driver gives up after five.
    fn default() -> Self {
        Self { stuck: Duration::from_secs(10), rest: Duration::from_secs(30) }
    }
}

/// A direction of the data path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the device.
    In,
    /// To the device.
    Out,
}

/// What the path does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is on its way to the device.
    Quiet,
    /// Transfers to the device are in flight; it took something last at this time.
    Busy(Duration),
    /// The halt of an endpoint is being cleared.
    Clearing(Way),
    /// The data interface is on its way through the idle setting.
    Resetting,
    /// No reset helped; the next is due at this time.
    Resting(Duration),
    /// The device is gone.
    Gone,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A transfer to the device was begun.
    Submitted,
    /// A transfer ended well; for [`Way::Out`] with the number that is still in flight.
    Moved(Way, usize),
    /// The endpoint is halted.
    Halted(Way),
    /// A transfer failed otherwise.
    Faulted(Way),
    /// Time passed.
    Tick,
    /// The transfers to the device were taken back.
    GivenUp,
    /// Clearing a halt ended, well or not.
    Cleared(bool),
    /// A reset ended, well or not.
    Reset(bool),
    /// The device is gone.
    Gone,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Nothing.
    Nothing,
    /// Take back the transfers of the endpoint, clear its halt, begin anew. Answer: [`Event::Cleared`].
    Clear(Way),
    /// Take back the transfers to the device; their packets are lost. Answer: [`Event::GivenUp`].
    GiveUp,
    /// Take back everything and be quiet until the next order.
    TakeBack,
    /// Take back everything, idle setting, transfer setting, begin anew. Answer: [`Event::Reset`].
    Reset,
}

/// Why packets do not move, once mending in place did not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The device halts an endpoint again and again.
    Halts(Way),
    /// Transfers fail again and again.
    Faults(Way),
    /// The device takes no octet.
    Stuck,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Stall {
    patience: Patience,
    state: State,
    /// Halts and faults since the last progress of the direction.
    mends: [u32; 2],
    give_ups: u32,
    resets: u32,
    cause: Option<Cause>,
}

impl Stall {
    /// Nothing has moved yet and nothing is wrong.
    pub(crate) const fn new(patience: Patience) -> Self {
        Self { patience, state: State::Quiet, mends: [0; 2], give_ups: 0, resets: 0, cause: None }
    }

    /// What the path does.
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Why packets do not move; `None` when they do or nothing else is known.
    pub(crate) const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Whether transfers may be begun.
    pub(crate) const fn may_submit(&self) -> bool {
        matches!(self.state, State::Quiet | State::Busy(_))
    }

    /// When [`Event::Tick`] is due.
    pub(crate) fn wake(&self) -> Option<Duration> {
        match self.state {
            State::Busy(since) => Some(since.saturating_add(self.patience.stuck)),
            State::Resting(until) => Some(until),
            State::Quiet | State::Clearing(_) | State::Resetting | State::Gone => None,
        }
    }

    /// Takes one event.
    pub(crate) fn handle(&mut self, now: Duration, event: Event) -> Order {
        match (self.state, event) {
            (State::Gone, _) => Order::Nothing,
            (_, Event::Gone) => {
                self.state = State::Gone;
                Order::Nothing
            }
            (State::Quiet, Event::Submitted) => {
                self.state = State::Busy(now);
                Order::Nothing
            }
            (_, Event::Moved(way, left)) => {
                self.moved(now, way, left);
                Order::Nothing
            }
            (State::Quiet | State::Busy(_), Event::Halted(way)) => self.mend(now, way, Cause::Halts(way)),
            (State::Quiet | State::Busy(_), Event::Faulted(way)) => self.mend(now, way, Cause::Faults(way)),
            (State::Busy(since), Event::Tick) if now.saturating_sub(since) >= self.patience.stuck => {
                self.give_ups += 1;
                if self.give_ups > GIVE_UPS {
                    return self.reset(now, Cause::Stuck);
                }
                self.state = State::Busy(now);
                Order::GiveUp
            }
            (State::Busy(_), Event::GivenUp)
            | (State::Clearing(_), Event::Cleared(true))
            | (State::Resetting, Event::Reset(true)) => {
                self.state = State::Quiet;
                Order::Nothing
            }
            (State::Clearing(way), Event::Cleared(false)) => self.reset(now, Cause::Halts(way)),
            (State::Resetting, Event::Reset(false)) => {
                self.state = State::Resting(now.saturating_add(self.patience.rest));
                Order::Nothing
            }
            (State::Resting(until), Event::Tick) if now >= until => {
                self.state = State::Resetting;
                Order::Reset
            }
            // What comes in while the path is being mended are the transfers that were taken back.
            _ => Order::Nothing,
        }
    }

    fn moved(&mut self, now: Duration, way: Way, left: usize) {
        self.resets = 0;
        if let Some(mends) = self.mends.get_mut(usize::from(way == Way::Out)) {
            *mends = 0;
        }
        match (way, self.cause) {
            (Way::Out, Some(Cause::Stuck)) => self.cause = None,
            (_, Some(Cause::Halts(of) | Cause::Faults(of))) if of == way => self.cause = None,
            _ => {}
        }
        if way == Way::Out {
            self.give_ups = 0;
            if self.may_submit() {
                self.state = if left == 0 { State::Quiet } else { State::Busy(now) };
            }
        }
    }

    fn mend(&mut self, now: Duration, way: Way, cause: Cause) -> Order {
        let mends = self.mends.get_mut(usize::from(way == Way::Out));
        let many = mends.is_none_or(|mends| {
            *mends += 1;
            *mends > MENDS
        });
        if many {
            return self.reset(now, cause);
        }
        self.state = State::Clearing(way);
        Order::Clear(way)
    }

    fn reset(&mut self, now: Duration, cause: Cause) -> Order {
        self.cause = Some(cause);
        self.mends = [0; 2];
        self.give_ups = 0;
        if self.resets >= RESETS {
            self.state = State::Resting(now.saturating_add(self.patience.rest));
            return Order::TakeBack;
        }
        self.resets += 1;
        self.state = State::Resetting;
        Order::Reset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUCK: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn moving_packets_need_nothing() {
        let mut stall = Stall::new(Patience::default());
        assert_eq!(stall.handle(at(0), Event::Submitted), Order::Nothing);
        assert_eq!(stall.state(), State::Busy(at(0)));
        assert_eq!(stall.wake(), Some(STUCK));
        stall.handle(at(1), Event::Submitted);
        assert_eq!(stall.state(), State::Busy(at(0)), "a begun transfer is no progress");
        stall.handle(at(2), Event::Moved(Way::Out, 1));
        assert_eq!(stall.state(), State::Busy(at(2)));
        stall.handle(at(3), Event::Moved(Way::Out, 0));
        assert_eq!((stall.state(), stall.wake()), (State::Quiet, None), "idle takes no time");
        stall.handle(at(4), Event::Moved(Way::In, 0));
        assert_eq!((stall.state(), stall.cause()), (State::Quiet, None));
    }

    #[test]
    fn a_device_that_takes_nothing_is_given_up_then_reset_then_left_to_rest() {
        let mut stall = Stall::new(Patience::default());
        let mut now = at(0);
        for _ in 0..GIVE_UPS {
            stall.handle(now, Event::Submitted);
            assert_eq!(stall.handle(now, Event::Tick), Order::Nothing, "too early");
            now += STUCK;
            assert_eq!(stall.handle(now, Event::Tick), Order::GiveUp);
            assert_eq!(stall.cause(), None, "one hole in the coverage is no trouble");
            stall.handle(now, Event::GivenUp);
            assert_eq!(stall.state(), State::Quiet);
        }
        for reset in 1..=RESETS {
            loop {
                stall.handle(now, Event::Submitted);
                now += STUCK;
                match stall.handle(now, Event::Tick) {
                    Order::GiveUp => stall.handle(now, Event::GivenUp),
                    order => break assert_eq!(order, Order::Reset, "reset {reset}"),
                };
            }
            assert_eq!(stall.cause(), Some(Cause::Stuck));
            assert!(!stall.may_submit());
            stall.handle(now, Event::Reset(true));
            assert!(stall.may_submit());
        }
        loop {
            stall.handle(now, Event::Submitted);
            now += STUCK;
            match stall.handle(now, Event::Tick) {
                Order::GiveUp => stall.handle(now, Event::GivenUp),
                order => break assert_eq!(order, Order::TakeBack),
            };
        }
        let State::Resting(until) = stall.state() else { panic!("{:?}", stall.state()) };
        assert_eq!(stall.wake(), Some(until));
        assert_eq!(stall.handle(until, Event::Tick), Order::Reset, "it never gives up for good");
        stall.handle(until, Event::Reset(true));
        stall.handle(until, Event::Submitted);
        stall.handle(until, Event::Moved(Way::Out, 0));
        assert_eq!((stall.state(), stall.cause()), (State::Quiet, None), "progress ends the trouble");
    }

    #[test]
    fn halts_are_cleared_until_there_are_too_many() {
        let mut stall = Stall::new(Patience::default());
        for _ in 0..MENDS {
            assert_eq!(stall.handle(at(0), Event::Halted(Way::In)), Order::Clear(Way::In));
            assert_eq!(stall.handle(at(0), Event::Halted(Way::In)), Order::Nothing, "the others that were taken back");
            assert_eq!(stall.handle(at(0), Event::Cleared(true)), Order::Nothing);
        }
        stall.handle(at(0), Event::Moved(Way::Out, 0));
        assert_eq!(stall.handle(at(0), Event::Halted(Way::In)), Order::Reset, "progress of the other way counts not");
        assert_eq!(stall.cause(), Some(Cause::Halts(Way::In)));
        assert_eq!(stall.handle(at(0), Event::Reset(false)), Order::Nothing);
        assert!(matches!(stall.state(), State::Resting(_)));
        let State::Resting(until) = stall.state() else { panic!() };
        assert_eq!(stall.handle(until, Event::Tick), Order::Reset);
        stall.handle(until, Event::Reset(true));
        stall.handle(until, Event::Moved(Way::In, 0));
        assert_eq!(stall.cause(), None);
        assert_eq!(stall.handle(until, Event::Halted(Way::Out)), Order::Clear(Way::Out));
        assert_eq!(stall.handle(until, Event::Cleared(false)), Order::Reset, "a halt that cannot be cleared");
        assert_eq!(stall.cause(), Some(Cause::Halts(Way::Out)));
    }

    #[test]
    fn a_device_that_is_gone_needs_nothing_more() {
        for first in [Event::Submitted, Event::Halted(Way::In), Event::Tick] {
            let mut stall = Stall::new(Patience::default());
            stall.handle(at(0), first);
            assert_eq!(stall.handle(at(1), Event::Gone), Order::Nothing);
            for event in [Event::Submitted, Event::Halted(Way::Out), Event::Tick, Event::Reset(true)] {
                assert_eq!(stall.handle(at(100), event), Order::Nothing);
            }
            assert_eq!((stall.state(), stall.wake()), (State::Gone, None));
        }
    }
}

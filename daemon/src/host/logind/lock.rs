//! The delay lock: a state machine that is told of logind, of its answers and of sleep, and says when to ask. It knows
//! neither bus nor clock. While the machine is awake and logind there, it asks until it holds a lock.

use std::time::Duration;

/// First pause before asking again. It doubles.
const FIRST: Duration = Duration::from_millis(500);
/// Longest pause: a logind that refuses for ever costs no more wake-ups than the daemon may have.
const LONGEST: Duration = Duration::from_secs(300);

/// Where it stands; `L` is the lock, given back when it is dropped.
#[derive(Debug, PartialEq, Eq)]
enum State<L> {
    /// There is no logind.
    Absent,
    /// It is asked, or will be after a pause; it has refused this often.
    Asking(u32),
    /// It gave one.
    Held(L),
    /// Given back as everybody is ready for sleep.
    Asleep,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Event<L> {
    /// logind is on the bus, or another one than before.
    Came,
    /// It is on the bus no longer.
    Went,
    /// It gave a lock.
    Granted(L),
    /// It gave none, or no answer in time.
    Refused,
    /// The machine goes to sleep and everybody is ready.
    Sleeps,
    /// The machine is awake.
    Wakes,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing; a question under way goes on.
    Nothing,
    /// Ask after this time, in place of a question under way. Answer: [`Event::Granted`] or [`Event::Refused`].
    Ask(Duration),
    /// Drop a question under way.
    Leave,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Lock<L> {
    state: State<L>,
}

impl<L> Lock<L> {
    /// Nothing is known of logind.
    pub(super) const fn new() -> Self {
        Self { state: State::Absent }
    }

    /// Takes one event. A lock that is not to be held any more is dropped.
    pub(super) fn handle(&mut self, event: Event<L>) -> Order {
        match (&self.state, event) {
            // A logind that starts anew knows nothing of the lock that the last one gave. Signals of it and of the bus may
            // be heard in either order: one that says that it is awake is there.
            (_, Event::Came) | (State::Absent | State::Asleep, Event::Wakes) => {
                self.state = State::Asking(0);
                Order::Ask(Duration::ZERO)
            }
            (_, Event::Went) => {
                self.state = State::Absent;
                Order::Leave
            }
            (State::Asking(_), Event::Granted(lock)) => {
                self.state = State::Held(lock);
                Order::Nothing
            }
            (&State::Asking(refusals), Event::Refused) => {
                self.state = State::Asking(refusals.saturating_add(1));
                Order::Ask(FIRST.saturating_mul(1 << refusals.min(16)).min(LONGEST))
            }
            (State::Asking(_) | State::Held(_), Event::Sleeps) => {
                self.state = State::Asleep;
                Order::Leave
            }
            // What nobody waits for any more, and announcements that change nothing.
            (State::Absent, Event::Granted(_) | Event::Refused | Event::Sleeps)
            | (State::Asleep, Event::Granted(_) | Event::Refused | Event::Sleeps)
            | (State::Held(_), Event::Granted(_) | Event::Refused | Event::Wakes)
            | (State::Asking(_), Event::Wakes) => Order::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    const AT_ONCE: Order = Order::Ask(Duration::ZERO);

    /// A machine that holds a lock, and the lock.
    fn held() -> (Lock<Rc<()>>, Rc<()>) {
        let (mut lock, given) = (Lock::new(), Rc::new(()));
        assert_eq!(lock.handle(Event::Came), AT_ONCE);
        assert_eq!(lock.handle(Event::Granted(Rc::clone(&given))), Order::Nothing);
        assert_eq!(Rc::strong_count(&given), 2, "held");
        (lock, given)
    }

    #[test]
    fn a_lock_is_given_back_for_sleep_and_taken_again_afterwards() {
        let (mut lock, given) = held();
        assert_eq!(lock.handle(Event::Wakes), Order::Nothing, "it was awake");
        assert_eq!(Rc::strong_count(&given), 2);
        assert_eq!(lock.handle(Event::Sleeps), Order::Leave);
        assert_eq!(Rc::strong_count(&given), 1);
        assert_eq!(lock.handle(Event::Sleeps), Order::Nothing);
        assert_eq!(lock.handle(Event::Wakes), AT_ONCE);
        assert_eq!(lock.handle(Event::Wakes), Order::Nothing, "asked already");
        assert_eq!(lock.handle(Event::Granted(Rc::clone(&given))), Order::Nothing);
        assert_eq!(Rc::strong_count(&given), 2);
    }

    #[test]
    fn refusals_are_answered_with_longer_pauses_and_never_with_giving_up() {
        let mut lock = Lock::new();
        assert_eq!(lock.handle(Event::Came), AT_ONCE);
        let mut pauses = Vec::new();
        for _ in 0..1000 {
            let Order::Ask(pause) = lock.handle(Event::Refused) else { panic!("given up") };
            pauses.push(pause);
        }
        assert_eq!(pauses[..4], [500, 1000, 2000, 4000].map(Duration::from_millis));
        assert!(pauses.is_sorted() && pauses.ends_with(&[LONGEST; 900]));
        assert_eq!(lock.handle(Event::Granted(())), Order::Nothing);
        assert_eq!(lock.handle(Event::Sleeps), Order::Leave);
        assert_eq!(lock.handle(Event::Wakes), AT_ONCE);
        assert_eq!(lock.handle(Event::Refused), Order::Ask(FIRST), "what was before sleep is forgotten");
    }

    #[test]
    fn a_logind_that_starts_anew_is_asked_anew() {
        let (mut lock, given) = held();
        assert_eq!(lock.handle(Event::Went), Order::Leave);
        assert_eq!(Rc::strong_count(&given), 1);
        assert_eq!(lock.handle(Event::Sleeps), Order::Nothing, "heard late");
        assert_eq!(lock.handle(Event::Came), AT_ONCE);
        lock.handle(Event::Refused);
        assert_eq!(lock.handle(Event::Came), AT_ONCE, "the next one has refused nothing");
        assert_eq!(lock.handle(Event::Refused), Order::Ask(FIRST));
        // Bus and logind are heard in the other order.
        lock.handle(Event::Went);
        assert_eq!(lock.handle(Event::Wakes), AT_ONCE);
    }

    #[test]
    fn what_nobody_waits_for_is_not_held() {
        for event in [Event::Sleeps, Event::Went] {
            let (mut lock, given) = held();
            lock.handle(event);
            assert_eq!(lock.handle(Event::Granted(Rc::clone(&given))), Order::Nothing);
            assert_eq!(lock.handle(Event::Refused), Order::Nothing);
            assert_eq!(Rc::strong_count(&given), 1);
        }
        // Sleep while it is asked: what it answers then is of no use.
        let mut lock = Lock::<()>::new();
        lock.handle(Event::Came);
        assert_eq!(lock.handle(Event::Sleeps), Order::Leave);
    }
}

//! Whether answers come one message late, for good. The kernel's cdc-wdm reads one message for each announcement: when a
//! program is killed between an announcement and its message, the message stays in the modem, and from then on each
//! announcement fetches the message before. A modem that is merely slow answers when it likes, not at the very moment at which
//! something else is said to it.

use core::time::Duration;

use crate::Time;

/// An answer that comes within this time after something was said is owed to that.
pub(super) const AT_ONCE: Duration = Duration::from_millis(500);
/// Those that may come while a session is being opened.
pub(super) const OPENING: u32 = 1;
/// Those that may come while it is open; each is followed by a question that settles it.
pub(super) const OPEN: u32 = 3;
/// What comes together counts once: a modem, or this machine, that stood still for a while.
const APART: Duration = Duration::from_secs(1);
/// After so long without one they are counted anew.
const CALM: Duration = Duration::from_secs(30);

/// Answers that came late upon something else.
#[derive(Debug, Default)]
pub(super) struct Behind {
    count: u32,
    last: Time,
    said: bool,
}

impl Behind {
    /// One more; whether it counts.
    pub(super) fn count(&mut self, now: Time) -> bool {
        let since = now.saturating_sub(self.last);
        if self.count > 0 && since < APART {
            return false;
        }
        self.count = if since > CALM { 1 } else { self.count + 1 };
        self.last = now;
        true
    }

    /// Whether there were more than this many.
    pub(super) fn is_more_than(&self, most: u32) -> bool {
        self.count > most
    }

    /// Whether it is in doubt, and was not said.
    pub(super) fn doubts(&self) -> bool {
        self.count > 0 && !self.said
    }

    /// Whether it is to be said, which is once.
    pub(super) fn say(&mut self) -> bool {
        !std::mem::replace(&mut self.said, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_together_counts_once_and_what_is_long_ago_not_at_all() {
        let at = |millis| Time::from_millis(millis);
        let mut behind = Behind::default();
        assert!(behind.count(at(0)) && !behind.count(at(10)) && behind.count(at(2000)));
        assert!(behind.is_more_than(1) && !behind.is_more_than(2));
        assert!(behind.count(at(40_000)));
        assert!(!behind.is_more_than(1), "counted anew");
        assert!(behind.say() && !behind.say());
    }
}

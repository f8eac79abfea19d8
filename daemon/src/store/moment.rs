//! When a file was written, so that the next reader can tell how much time has passed: within one boot by the clock that
//! nobody sets, over a reboot by the machine's own clock, if it was set both times and did not go back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::host::clock;

/// A moment of a boot and of a run of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Moment {
    /// The kernel's name of this boot; empty where it has none.
    boot: String,
    /// Seconds since the boot, sleep included.
    awake: u64,
    /// Seconds since 1970; 0 where the clock was never set.
    wall: u64,
    /// The run of the daemon, random.
    pub(super) run: u64,
}

impl Moment {
    pub(super) fn now(run: u64) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            boot: boot.trim().to_owned(),
            awake: since_boot.tv_sec.try_into().unwrap_or(0),
            wall: if clock::is_set() { wall } else { 0 },
            run,
        }
    }

    /// How much time has passed since the other; `None` = it cannot be told.
    pub(super) fn since(&self, other: &Self) -> Option<Duration> {
        let (now, then) = if !self.boot.is_empty() && self.boot == other.boot {
            (self.awake, other.awake)
        } else if self.wall > 0 && other.wall > 0 {
            (self.wall, other.wall)
        } else {
            return None;
        };
        now.checked_sub(then).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_clock_tells() {
        let at = |boot: &str, awake, wall| Moment { boot: boot.to_owned(), awake, wall, run: 0 };
        for (then, now, passed) in [
            // Within a boot the machine's clock may do what it likes.
            (at("a", 10, 9_000_000), at("a", 70, 0), Some(60)),
            (at("a", 10, 5), at("a", 70, 9_000_000), Some(60)),
            (at("a", 70, 5), at("a", 10, 5), None),
            // Over a reboot it tells, if it is to be believed.
            (at("a", 99_999, 1_000_000), at("b", 3, 1_000_600), Some(600)),
            (at("a", 99_999, 1_000_000), at("b", 3, 999_999), None),
            (at("a", 5, 0), at("b", 70, 1_000_000), None),
            (at("a", 5, 1_000_000), at("b", 70, 0), None),
            (at("", 5, 0), at("", 70, 0), None),
            (at("", 5, 1_000_000), at("", 70, 1_000_001), Some(1)),
        ] {
            assert_eq!(now.since(&then).map(|passed| passed.as_secs()), passed, "{then:?} {now:?}");
        }
        let now = Moment::now(7);
        assert!(now.awake > 0 && now.run == 7 && now.since(&now) == Some(Duration::ZERO));
    }
}

//! The time by which dates of certificates are judged. A machine without a clock begins in 1970, or at its last boot: until
//! its clock is past the day on which the daemon was built, another time stands in for it, of low confidence.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 21 November 2026, where the build does not say when it was made.
const RELEASED: u64 = 1_795_219_200;
/// Most files whose times are looked at.
const MAX_FILES: usize = 1024;

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// The time, or the earliest that it can be.
    pub(crate) now: SystemTime,
    /// What stands in for a clock that was never set: `network`, `stored` or `build`; `None` = the machine's own clock.
    pub(crate) instead: Option<&'static str>,
}

/// When the daemon was built: the environment's SOURCE_DATE_EPOCH, as packagers set it, or the date of the version.
fn built() -> SystemTime {
    let told = option_env!("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok());
    UNIX_EPOCH + Duration::from_secs(told.unwrap_or(RELEASED))
}

/// Whether the machine's clock was ever set.
pub(crate) fn is_set() -> bool {
    SystemTime::now() >= built()
}

impl Clock {
    /// What is to be taken for the time. `network`: since 1970, as the network said it; `folder`: the state directory, whose
    /// newest file is from when the clock was last known to be right.
    pub(crate) fn read(network: Option<Duration>, folder: Option<&PathBuf>) -> Self {
        Self::judge(SystemTime::now(), network, || folder.and_then(|folder| newest(folder)))
    }

    fn judge(own: SystemTime, network: Option<Duration>, stored: impl FnOnce() -> Option<SystemTime>) -> Self {
        let built = built();
        if own >= built {
            return Self { now: own, instead: None };
        }
        let network = network.and_then(|since| UNIX_EPOCH.checked_add(since)).filter(|at| *at >= built);
        if let Some(now) = network {
            return Self { now, instead: Some("network") };
        }
        match stored().filter(|at| *at > built) {
            Some(now) => Self { now, instead: Some("stored") },
            None => Self { now: built, instead: Some("build") },
        }
    }
}

/// When anything in the folder or in those right below it was written last.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let below = entries(folder).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let below: Vec<PathBuf> = below.take(MAX_FILES).map(|entry| entry.path()).collect();
    std::iter::once(folder)
        .chain(below.iter().map(PathBuf::as_path))
        .flat_map(entries)
        .take(MAX_FILES)
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_stands_for_itself() {
        let own = built() + Duration::from_secs(5);
        let clock = Clock::judge(own, Some(Duration::ZERO), || unreachable!());
        assert_eq!(clock, Clock { now: own, instead: None });
    }

    #[test]
    fn network_then_stored_then_built() {
        let later = built() + Duration::from_secs(1_000_000);
        let since = later.duration_since(UNIX_EPOCH).unwrap();
        let judge = |network, stored| Clock::judge(UNIX_EPOCH, network, || stored);
        assert_eq!(judge(Some(since), None), Clock { now: later, instead: Some("network") });
        assert_eq!(judge(Some(Duration::from_secs(9)), Some(later)), Clock { now: later, instead: Some("stored") });
        assert_eq!(judge(None, Some(UNIX_EPOCH)), Clock { now: built(), instead: Some("build") });
        assert_eq!(judge(Some(Duration::MAX), None), Clock { now: built(), instead: Some("build") });
    }

    #[test]
    fn the_newest_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(folder.path()), None);
        std::fs::create_dir(folder.path().join("subscribers")).unwrap();
        let file = std::fs::File::create(folder.path().join("subscribers/x")).unwrap();
        let at = SystemTime::now() + Duration::from_secs(86_400);
        file.set_modified(at).unwrap();
        assert_eq!(newest(folder.path()), Some(at));
    }
}

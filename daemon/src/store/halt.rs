//! Places at which tests make a run end as SIGKILL would, to see what the next start makes of it. Outside of tests there are
//! none.

#[cfg(test)]
pub(crate) use places::{after, here};

/// A place between two steps of which the second must not need the first to have returned.
#[cfg(not(test))]
pub(crate) const fn here() {}

#[cfg(test)]
mod places {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Places that are still passed; 0 = all.
    static LEFT: AtomicU32 = AtomicU32::new(0);

    /// Ends this process at the place of that number, counted from now.
    pub(crate) fn after(places: u32) {
        LEFT.store(places, Ordering::SeqCst);
    }

    /// A place between two steps.
    pub(crate) fn here() {
        let left = LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left == Ok(1) {
            // The one signal that nobody hears: no destructor runs, nothing is flushed.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }
}

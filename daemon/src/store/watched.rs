//! Changes of the files that operator records come from: inotify on their folders. Nothing runs while nothing changes.
//! `[OPER-035]`

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::transport::watch;

/// How long further changes are waited for: a package or an editor changes several files, each in several steps.
const PAUSE: Duration = Duration::from_millis(300);

/// Folders that are watched.
pub(crate) struct Watched {
    fd: AsyncFd<OwnedFd>,
    folders: BTreeSet<PathBuf>,
}

impl Watched {
    pub(crate) fn new(folders: BTreeSet<PathBuf>) -> io::Result<Self> {
        let fd = watch(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?, Interest::READABLE)?;
        let watched = Self { fd, folders };
        watched.add();
        Ok(watched)
    }

    /// Watches these folders from now on; whether one of them is new. One that went is of no interest, and no harm.
    pub(crate) fn set(&mut self, folders: BTreeSet<PathBuf>) -> bool {
        let new = !folders.is_subset(&self.folders);
        self.folders = folders;
        if new {
            self.add();
        }
        new
    }

    /// Watches each folder, or the nearest one above it that is there: the folder may come. Adding again is no harm.
    fn add(&self) {
        for folder in &self.folders {
            let Some(there) = folder.ancestors().find(|path| path.is_dir()) else { continue };
            // Far above much happens that is none of our business.
            if folder.strip_prefix(there).is_ok_and(|missing| missing.components().count() > 2) {
                continue;
            }
            if let Err(error) = inotify::add_watch(self.fd.get_ref(), there, flags(there == folder)) {
                tracing::warn!(folder = %there.display(), %error, "changes of operator files are not noticed");
            }
        }
    }

    /// Waits for a change, and for the end of a row of them.
    pub(crate) async fn changed(&self) -> io::Result<()> {
        self.fd.readable().await?.retain_ready();
        tokio::time::sleep(PAUSE).await;
        self.drain()?;
        self.add();
        Ok(())
    }

    /// What changed does not matter: the files themselves are looked at.
    fn drain(&self) -> io::Result<()> {
        let mut octets = [0; 4096];
        loop {
            match rustix::io::read(self.fd.get_ref(), &mut octets) {
                Ok(0) | Err(rustix::io::Errno::AGAIN) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // All that came is read: the next change makes it readable again.
        let _ = self.fd.try_io(Interest::READABLE, |_| Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        Ok(())
    }
}

fn flags(itself: bool) -> WatchFlags {
    let comes = WatchFlags::ONLYDIR | WatchFlags::CREATE | WatchFlags::MOVED_TO;
    let changes = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_FROM | WatchFlags::DELETE | WatchFlags::ATTRIB;
    let goes = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
    if itself { comes | changes | goes } else { comes }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    async fn seen(watched: &Watched) -> bool {
        tokio::time::timeout(Duration::from_secs(30), watched.changed()).await.is_ok_and(|seen| seen.is_ok())
    }

    fn watched(folder: &Path) -> Watched {
        Watched::new([folder.to_owned()].into()).unwrap()
    }

    #[tokio::test]
    async fn changes_are_seen_once_also_in_folders_that_come_later() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("operators.d");
        let watched = watched(&folder);
        std::fs::create_dir(&folder).unwrap();
        assert!(seen(&watched).await, "the folder came");
        let file = folder.join("10.xml");
        std::fs::write(&file, "one").unwrap();
        assert!(seen(&watched).await, "a file came");
        let nothing = tokio::time::timeout(Duration::from_millis(50), watched.fd.readable()).await;
        assert!(nothing.is_err(), "a row of changes is one");
        std::fs::rename(&file, folder.join("20.xml")).unwrap();
        assert!(seen(&watched).await, "it has another name");
        std::fs::remove_file(folder.join("20.xml")).unwrap();
        assert!(seen(&watched).await, "it went");
    }

    #[test]
    fn far_above_nothing_is_watched() {
        assert!(!flags(false).contains(WatchFlags::CLOSE_WRITE));
        assert!(flags(true).contains(WatchFlags::DELETE_SELF));
    }
}

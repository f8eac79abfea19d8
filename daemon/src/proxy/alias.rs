//! A path for each modem, so that libmbim has something to open where the kernel has no control port: `mbim/NUMBER` in the run
//! directory. It insists on a device or the like: a socket will do, which nobody needs a right to make. Nobody listens at it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode};

use crate::handle::Modems;
use crate::store::atomic;

/// The folder in the run directory.
const FOLDER: &str = "mbim";

/// The paths that stand there.
#[derive(Debug)]
pub(super) struct Aliases {
    folder: PathBuf,
    made: BTreeSet<u32>,
}

impl Aliases {
    /// An empty folder: what an earlier run left goes. Without it modems have no such paths, which is told.
    pub(super) fn start(run_dir: &Path) -> Option<Self> {
        let folder = run_dir.join(FOLDER);
        let made = match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => atomic::make_folder(&folder, 0o755).and_then(|()| std::fs::canonicalize(&folder)),
        };
        match made {
            Ok(folder) => Some(Self { folder, made: BTreeSet::new() }),
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "modems have no paths for the proxy's clients");
                None
            }
        }
    }

    /// Makes what is missing and takes away what is no more.
    pub(super) fn follow(&mut self, modems: &Modems) {
        let there: BTreeSet<u32> = modems.borrow().iter().map(|modem| modem.id).collect();
        for gone in self.made.difference(&there) {
            // Whoever took it away already did what is wanted.
            let _ = std::fs::remove_file(of(&self.folder, *gone));
        }
        for new in there.difference(&self.made) {
            let path = of(&self.folder, *new);
            if let Err(error) = rustix::fs::mknodat(CWD, &path, FileType::Socket, Mode::RUSR, 0) {
                tracing::warn!(%error, path = %path.display(), "a modem has no path for the proxy's clients");
            }
        }
        self.made = there;
    }

    /// Where a modem's path stands, once it is made.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Aliases {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The path of a modem.
pub(super) fn of(folder: &Path, modem: u32) -> PathBuf {
    folder.join(modem.to_string())
}

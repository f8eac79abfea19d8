//! What stands at a path that a client names. Looked up in a thread: a path may lead to a file system that hangs.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use daemon_core::proxy::{Named, Place};

use super::alias;
use crate::handle::Modems;

/// Follows all links of the path, and those of its device number in sysfs.
pub(super) async fn look_up(path: String) -> Named {
    tokio::task::spawn_blocking(move || follow(Path::new(&path))).await.unwrap_or_default()
}

fn follow(path: &Path) -> Named {
    if !path.is_absolute() {
        return Named::default();
    }
    let text = |path: PathBuf| path.to_str().map(str::to_owned);
    let Ok(real) = std::fs::canonicalize(path) else { return Named::default() };
    let device = std::fs::metadata(&real).ok().filter(|meta| meta.file_type().is_char_device()).and_then(|meta| {
        let number = meta.rdev();
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        std::fs::canonicalize(format!("/sys/dev/char/{major}:{minor}")).ok()
    });
    Named { path: text(real), device: device.and_then(text) }
}

/// All modems that there are, and the folder with their own paths.
pub(super) fn places(modems: &Modems, aliases: Option<&Path>) -> Vec<Place> {
    let place = |modem: &crate::handle::ModemHandle| {
        let snapshot = modem.snapshot.borrow();
        Place {
            id: modem.id,
            control: snapshot.port.control.clone(),
            physical: snapshot.port.physical.clone(),
            alias: aliases.and_then(|folder| alias::of(folder, modem.id).to_str().map(str::to_owned)),
            custody: snapshot.custody,
        }
    };
    modems.borrow().iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_and_what_is_not_there_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("modem");
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("link")).unwrap();
        let named = follow(&folder.path().join("link"));
        assert_eq!(named.path.as_deref(), std::fs::canonicalize(&real).unwrap().to_str());
        assert_eq!(named.device, None);
        assert_eq!(follow(&folder.path().join("absent")), Named::default());
        assert_eq!(follow(Path::new("Cargo.toml")), Named::default(), "of whose folder?");
        assert_eq!(follow(Path::new("/dev/null\0")), Named::default());
        assert_eq!(follow(Path::new("/dev/null")).path.as_deref(), Some("/dev/null"));
    }
}

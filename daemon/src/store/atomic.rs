//! Replacing a file so that whoever looks, also after a crash at any moment, sees the old content or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::halt;

/// One step of a replacement, named for tests that stop between any two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The temporary file was made, empty.
    Create,
    /// Half of the content was written.
    WriteHalf,
    /// All of it was written.
    Write,
    /// It is on the disk.
    Sync,
    /// It has its name.
    Rename,
    /// The name is on the disk.
    SyncFolder,
}

/// Replaces a file that only the daemon may read.
pub(crate) fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    replace_in_steps(file, content, 0o600, |_| Ok(()))
}

/// Replaces a file of the run directory. A crash of the machine takes all of that away, so that nothing here waits for a
/// disk; a crash of the daemon alone leaves the old content or the new.
pub(crate) fn replace_in_run(file: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    write(file, content, mode, false, |_| Ok(()))
}

/// As [`replace`], with a mode; `after` is told each step and may end the work there, as a crash would.
pub(crate) fn replace_in_steps(
    file: &Path,
    content: &[u8],
    mode: u32,
    after: impl FnMut(Step) -> io::Result<()>,
) -> io::Result<()> {
    write(file, content, mode, true, after)
}

fn write(
    file: &Path,
    content: &[u8],
    mode: u32,
    lasting: bool,
    mut after: impl FnMut(Step) -> io::Result<()>,
) -> io::Result<()> {
    let mut after = |step| {
        halt::here();
        after(step)
    };
    let (temporary, folder) = temporary(file)?;
    halt::here();
    let written = (|| {
        // A leftover of a crash must not keep its mode or its links.
        remove(&temporary)?;
        let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        after(Step::Create)?;
        let (first, second) = content.split_at(content.len() / 2);
        out.write_all(first)?;
        after(Step::WriteHalf)?;
        out.write_all(second)?;
        after(Step::Write)?;
        out.set_permissions(fs::Permissions::from_mode(mode))?;
        if lasting {
            out.sync_all()?;
        }
        after(Step::Sync)
    })();
    if let Err(error) = written {
        // A full disk stays less full; the error that matters is the first one.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    fs::rename(&temporary, file)?;
    after(Step::Rename)?;
    if lasting {
        File::open(folder)?.sync_all()?;
    }
    after(Step::SyncFolder)
}

fn temporary(file: &Path) -> io::Result<(PathBuf, &Path)> {
    let bad = || io::Error::new(io::ErrorKind::InvalidInput, "a file needs a folder and a name");
    let folder = file.parent().ok_or_else(bad)?;
    let name = file.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
    Ok((folder.join(format!(".{name}.new")), folder))
}

/// Removes a file that may be absent.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    let removed = fs::remove_file(file);
    halt::here();
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file that may be absent, with what a crash left of a replacement of it.
pub(crate) fn forget(file: &Path) -> io::Result<()> {
    let (temporary, _) = temporary(file)?;
    remove(&temporary)?;
    remove(file)
}

/// Reads a whole file of at most `max` octets.
pub(crate) fn read(file: &Path, max: u64) -> io::Result<Vec<u8>> {
    let source = File::open(file)?;
    // Room for all of it at once: growing by doubling leaves holes in the heap that last as long as the daemon.
    let expected = source.metadata()?.len().min(max);
    let mut content = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).saturating_add(1));
    source.take(max + 1).read_to_end(&mut content)?;
    if content.len() as u64 > max {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {max} octets")));
    }
    Ok(content)
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(folder)
}

/// Lets a full or read-only disk pass at the start, with a line in the log: a modem is of use without a memory. Later
/// writes try again.
pub(crate) fn full_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            tracing::error!(%error, "the state directory takes no data; settings will not be remembered");
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 6] = [Step::Create, Step::WriteHalf, Step::Write, Step::Sync, Step::Rename, Step::SyncFolder];

    #[test]
    fn stopped_between_any_two_steps_old_or_new_stands() {
        for stop in STEPS {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("x.json");
            replace(&file, b"old content").unwrap();
            let result = replace_in_steps(&file, b"new content", 0o600, |step| {
                if step == stop { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
            });
            assert!(result.is_err());
            let content = read(&file, 100).unwrap();
            let renamed = matches!(stop, Step::Rename | Step::SyncFolder);
            assert_eq!(content, if renamed { b"new content" } else { b"old content" }, "{stop:?}");
            replace(&file, b"third").unwrap();
            assert_eq!(read(&file, 100).unwrap(), b"third");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no leftover");
        }
    }

    #[test]
    fn a_leftover_of_a_crash_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        fs::write(folder.path().join(".x.new"), "half").unwrap();
        replace(&file, b"whole").unwrap();
        assert_eq!(read(&file, 100).unwrap(), b"whole");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(folder.path().join(".x.new"), "half").unwrap();
        forget(&file).unwrap();
        forget(&file).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_a_full_disk_is_passed_over() {
        assert!(full_is_fine(Err(io::ErrorKind::StorageFull.into())).is_ok());
        assert!(full_is_fine(Err(io::ErrorKind::ReadOnlyFilesystem.into())).is_ok());
        assert!(full_is_fine(Err(io::ErrorKind::PermissionDenied.into())).is_err());
    }

    #[test]
    fn sizes_and_places_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        replace(&file, &[0; 11]).unwrap();
        assert_eq!(read(&file, 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(replace(&folder.path().join("absent/x"), b"").is_err());
        assert!(replace(Path::new("/"), b"").is_err());
    }
}

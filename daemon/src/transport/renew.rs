//! A fresh node for a control port of cdc_wdm: the driver is taken off the modem and comes back. Who had the old node open,
//! as libmbim's proxy does, has it no longer, and what the modem has said and nobody has read is read in between. That heals
//! answers that come one message late: cdc_wdm reads one message for each that is announced, and forgets what was announced
//! when the last program closes the node.
//!
//! Through usbfs, for which the group of the device's node is enough; without it (cargo feature `usb`), or where that is
//! refused, by choosing the device's configuration anew, which is root's to do and begins all of its functions afresh. A note in
//! the run directory says that a driver is off, for the next run: a program that is killed meanwhile does not put it back.

use std::io;
use std::path::{Path, PathBuf};

/// Beginning of the names of notes.
const NOTE: &str = "renewing-";
/// The file of a device with the number of its configuration; 0 takes all drivers off.
const CONFIGURATION: &str = "bConfigurationValue";

/// A driver that was taken off its modem. It comes back when this is dropped, which blocks for a moment.
#[derive(Debug)]
pub(crate) struct Renewal {
    how: Option<How>,
    note: PathBuf,
}

#[derive(Debug)]
#[expect(dead_code, reason = "what counts is that they are dropped")]
enum How {
    #[cfg(feature = "usb")]
    Usbfs(super::usb::Detached),
    File(Unconfigured),
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.how = None;
        // Its absence is what is wanted.
        let _ = std::fs::remove_file(&self.note);
    }
}

/// Takes the driver off the device with this folder in sysfs. Blocks for a moment.
///
/// # Errors
/// There is no such device, or it is not ours to change.
pub(crate) fn begin(folder: &Path, run_dir: &Path) -> io::Result<Renewal> {
    let name = folder.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::NotFound)?;
    let configuration = std::fs::read_to_string(folder.join(CONFIGURATION))?.trim().to_owned();
    let note = run_dir.join(format!("{NOTE}{name}"));
    std::fs::write(&note, format!("{configuration} {}", folder.display()))?;
    let mut renewal = Renewal { how: None, note };
    #[cfg(feature = "usb")]
    match super::usb::renew_node(folder) {
        Ok(device) => {
            renewal.how = Some(How::Usbfs(device));
            return Ok(renewal);
        }
        Err(error) => tracing::debug!(%error, "the driver is not taken off through usbfs"),
    }
    renewal.how = Some(How::File(Unconfigured::begin(folder, configuration)?));
    Ok(renewal)
}

/// Puts drivers back that the last run had taken off when it was killed. Blocks for a moment.
pub(crate) fn mend(run_dir: &Path) {
    for entry in std::fs::read_dir(run_dir).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(|name| name.starts_with(NOTE)) {
            continue;
        }
        let note = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if let Some((configuration, folder)) = note.split_once(' ') {
            tracing::warn!(device = folder, "the last run was renewing a control port");
            give_back(Path::new(folder), configuration);
        }
        // A note that cannot be read is of no use either.
        let _ = std::fs::remove_file(entry.path());
    }
}

fn give_back(folder: &Path, configuration: &str) {
    let file = folder.join(CONFIGURATION);
    let other = std::fs::read_to_string(&file).is_ok_and(|now| now.trim() != configuration);
    if other {
        drop(Unconfigured { file, value: configuration.to_owned() });
    }
    #[cfg(feature = "usb")]
    if !other && let Err(error) = super::usb::give_back(folder) {
        tracing::debug!(%error, "no driver is put back through usbfs");
    }
}

/// A device without a configuration, which it gets back.
#[derive(Debug)]
struct Unconfigured {
    file: PathBuf,
    value: String,
}

impl Unconfigured {
    fn begin(folder: &Path, value: String) -> io::Result<Self> {
        if value.parse::<u8>().is_err() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = folder.join(CONFIGURATION);
        std::fs::write(&file, "0")?;
        Ok(Self { file, value })
    }
}

impl Drop for Unconfigured {
    fn drop(&mut self) {
        if let Err(error) = std::fs::write(&self.file, &self.value) {
            tracing::error!(%error, "the modem does not take its configuration back; plug it in again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_loses_its_configuration_and_gets_it_back_whoever_is_killed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let (device, run) = (folder.path().join("1-1"), folder.path().join("run"));
        std::fs::create_dir_all(&device).unwrap();
        std::fs::create_dir_all(&run).unwrap();
        assert!(begin(&device, &run).is_err(), "no configuration");
        let file = device.join(CONFIGURATION);
        let value = || std::fs::read_to_string(&file).unwrap();
        let notes = || std::fs::read_dir(&run).unwrap().count();
        std::fs::write(&file, "2\n").unwrap();
        let renewal = begin(&device, &run).unwrap();
        assert_eq!((value().as_str(), notes()), ("0", 1));
        drop(renewal);
        assert_eq!((value().as_str(), notes()), ("2", 0));

        std::mem::forget(begin(&device, &run).unwrap());
        assert_eq!((value().as_str(), notes()), ("0", 1));
        mend(&run);
        assert_eq!((value().as_str(), notes()), ("2", 0));
        std::fs::write(&file, "").unwrap();
        assert!(begin(&device, &run).is_err() && notes() == 0, "not configured");
    }
}

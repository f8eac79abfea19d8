//! Captures that we write.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mbim_capture::{Anonymiser, Direction, write};
use serde_json::Value;

use crate::failure::Failure;
use crate::show::Output;

/// What the comment of an anonymous capture says behind where it comes from.
pub(super) const ANONYMOUS: &str = ", who and where replaced";

/// Replaces identities by such as nobody can lead back, not even we.
pub(super) fn anonymiser() -> Result<Anonymiser, Failure> {
    let mut secret = [0; 32];
    let got = rustix::rand::getrandom(&mut secret, rustix::rand::GetRandomFlags::empty());
    match got {
        Ok(count) if count == secret.len() => Ok(Anonymiser::new(secret)),
        _ => Err(Failure::failed("the system gives no random numbers")),
    }
}

/// A capture that is a whole one after each frame: whatever ends us, it can be read.
pub(super) struct CaptureFile {
    name: PathBuf,
    out: Box<dyn Write>,
    frames: u64,
}

impl CaptureFile {
    /// Starts one; `-` is standard output. Only the caller may read the file: who is named in it is the least that it may
    /// hold. Program and system are filled in.
    pub(super) fn create(name: &Path, origin: &write::Origin<'_>) -> Result<Self, Failure> {
        let out: Box<dyn Write> = if name.as_os_str() == "-" {
            Box::new(std::io::stdout())
        } else {
            let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(name);
            Box::new(open.map_err(|error| Failure::failed(format!("{}: {error}", name.display())))?)
        };
        let kernel = rustix::system::uname();
        let system = format!("{} {}", kernel.sysname().to_string_lossy(), kernel.release().to_string_lossy());
        let application = concat!("mbimctl ", env!("CARGO_PKG_VERSION"));
        let mut file = Self { name: name.to_owned(), out, frames: 0 };
        file.block(&write::start_of(&write::Origin { application, system: &system, ..*origin }))?;
        Ok(file)
    }

    /// One frame more.
    pub(super) fn put(&mut self, time: Duration, direction: Direction, frame: &[u8]) -> Result<(), Failure> {
        self.frames += 1;
        self.block(&write::frame(time, direction, frame))
    }

    fn block(&mut self, block: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(block).and_then(|()| self.out.flush());
        written.map_err(|error| Failure::failed(format!("{}: {error}", self.name.display())))
    }

    /// Says what was written, where standard output is free for it.
    pub(super) fn summary(&self, output: Output, mut more: Value) {
        if self.name.as_os_str() == "-" {
            return;
        }
        if let Some(object) = more.as_object_mut() {
            object.insert("file".into(), self.name.display().to_string().into());
            object.insert("frames".into(), self.frames.into());
        }
        output.print(&more, || format!("{} frames in {}", self.frames, self.name.display()));
    }
}

//! The client in C on Debian's libmbim-glib, compiled where it is needed. What it is asked and must say is in the tests.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The release that `docs/libmbim.md` is about.
const RELEASE: &str = "1.28.";

/// Whether libmbim is of the release that all is compared with; another one is told.
///
/// # Errors
/// What is missing, with the package that has it.
pub fn is_the_one_compared() -> Result<bool, String> {
    let version = pkg_config(&["--modversion"])?;
    let is = version.starts_with(RELEASE);
    if !is {
        eprintln!("not compared: docs/libmbim.md is about libmbim {RELEASE}x, this is {}", version.trim());
    }
    Ok(is)
}

/// Compiles the client into a folder, and says where it is.
///
/// # Errors
/// What is missing, with the packages that have it.
pub fn client(folder: &Path) -> Result<PathBuf, String> {
    let compile = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile");
    let done = Command::new(&compile).arg(folder).output();
    let done = done.map_err(|error| format!("{}: {error}", compile.display()))?;
    if done.status.success() {
        Ok(folder.join("stranger"))
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

fn pkg_config(asked: &[&str]) -> Result<String, String> {
    let said = Command::new("pkg-config").args(asked).arg("mbim-glib").output();
    let said = said.map_err(|error| format!("pkg-config: {error}: apt-get install pkg-config"))?;
    if said.status.success() {
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    } else {
        Err("libmbim's headers are missing: apt-get install libmbim-glib-dev".to_owned())
    }
}

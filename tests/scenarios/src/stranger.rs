//! One run of the client on libmbim-glib of `tests/strangers`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use core::time::Duration;

use harness::virtual_operator::{Error, While};
use harness::wait;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// How long it may take to say the next thing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it to its end: whether it ended well, and what it printed but for the line `ready`. With each of those, what it
/// waits for is to happen.
///
/// # Errors
/// It does not start, or hangs.
pub async fn run(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    ready: &str,
    mut happen: impl FnMut() -> Result<(), Error>,
) -> Result<(bool, String), Error> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().trying("starting the client on libmbim")?;
    let Some(output) = child.stdout.take() else { return Err(Error::new("running the client", "it has no output")) };
    let (mut lines, mut text) = (BufReader::new(output).lines(), String::new());
    loop {
        match wait::at_most("the client to go on", PATIENCE, lines.next_line()).await?.trying("reading the client")? {
            None => break,
            Some(line) if line == ready => happen()?,
            Some(line) => text += &format!("{line}\n"),
        }
    }
    let status = wait::at_most("the client to end", PATIENCE, child.wait()).await?.trying("running the client")?;
    Ok((status.success(), text))
}

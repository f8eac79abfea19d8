//! The command line program `mbimctl`, run against the daemon of the story.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use core::time::Duration;

use harness::virtual_operator::{Error, While};
use harness::wait;
use serde_json::Value;
use tokio::process::Command;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program and the bus it is to use.
#[derive(Clone, Debug)]
pub struct Ctl {
    program: PathBuf,
    bus: String,
    environment: Vec<(&'static str, String)>,
}

/// What a call gave.
#[derive(Clone, Debug)]
pub struct Said {
    /// Exit status; -1 when a signal ended it.
    pub status: i32,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub error: String,
}

impl Said {
    /// The standard output as one JSON value.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_str(&self.output).map_err(|e| Error::new(format!("reading {self:?}"), e))
    }
}

impl Ctl {
    /// The program that was built beside a test executable, or what `MBIMCTL_TEST_PROGRAM` names.
    ///
    /// # Errors
    /// It was not built: `cargo build -p mbimctl` makes it.
    pub fn beside_test(bus: &str) -> Result<Self, Error> {
        let doing = "looking for mbimctl";
        let named = std::env::var_os("MBIMCTL_TEST_PROGRAM").map(PathBuf::from);
        let test = std::env::current_exe().trying(doing)?;
        let beside = || test.ancestors().skip(1).take(2).map(|d: &Path| d.join("mbimctl")).find(|p| p.is_file());
        let program = named.or_else(beside);
        let program = program.ok_or_else(|| Error::new(doing, "not built; cargo build -p mbimctl makes it"))?;
        Ok(Self { program, bus: bus.to_owned(), environment: Vec::new() })
    }

    /// The same with a variable of the environment for calls that go on.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// One call.
    ///
    /// # Errors
    /// It could not be started, or did not end.
    pub async fn call(&self, arguments: &[&str]) -> Result<Said, Error> {
        self.call_as(None, arguments).await
    }

    /// One call by another user, which only root can order.
    ///
    /// # Errors
    /// It could not be started, or did not end.
    pub async fn call_as(&self, user: Option<u32>, arguments: &[&str]) -> Result<Said, Error> {
        let doing = format!("running mbimctl {}", arguments.join(" "));
        let mut command = Command::new(&self.program);
        command.args(["--bus", &self.bus]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(id) = user {
            command.uid(id).gid(id);
        }
        let output = wait::at_most(&doing, PATIENCE, command.output()).await?.trying(&doing)?;
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        let status = output.status.code().unwrap_or(-1);
        Ok(Said { status, output: text(output.stdout), error: text(output.stderr) })
    }
}

/// A call that goes on.
#[derive(Debug)]
pub struct Running {
    doing: String,
    child: tokio::process::Child,
    output: PathBuf,
    error: PathBuf,
}

impl Ctl {
    /// Starts a call that goes on until it is told to end. What it says goes into files of this folder.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(&self, folder: &Path, arguments: &[&str]) -> Result<Running, Error> {
        let doing = format!("running mbimctl {}", arguments.join(" "));
        let name = arguments.join("_").replace('/', "+");
        let [output, error] = ["out", "err"].map(|kind| folder.join(format!("{name}.{kind}")));
        let file = |path: &Path| std::fs::File::create(path).trying(&doing).map(Stdio::from);
        let mut command = Command::new(&self.program);
        command.args(["--bus", &self.bus]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let child = command.stdout(file(&output)?).stderr(file(&error)?).spawn().trying(&doing)?;
        Ok(Running { doing, child, output, error })
    }
}

impl Running {
    /// What it printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read(&self.output).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, signal: nix::sys::signal::Signal) -> Result<(), Error> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| Error::new(&self.doing, "it has ended"))?;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).trying(&self.doing)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end.
    pub async fn end(mut self) -> Result<Said, Error> {
        let ended = wait::at_most(&self.doing, PATIENCE, self.child.wait()).await?.trying(&self.doing)?;
        let error = std::fs::read(&self.error).trying(&self.doing)?;
        let error = String::from_utf8_lossy(&error).into_owned();
        Ok(Said { status: ended.code().unwrap_or(-1), output: self.output(), error })
    }
}

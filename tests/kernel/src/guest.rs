//! What a case has in its hands: commands with a limit, children that end with the case, files and nodes to wait for,
//! figures to tell, and a folder for its logs.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use core::time::Duration;

use harness::device::Device;
use harness::virtual_operator::{Error, While};
use harness::wait;
use tokio::process::{Child, Command};

use crate::case::{Outcome, Wanted};

/// How long one command may take, unless the case says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How long a child may take to end when the case is over.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a command gave.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The command, for messages.
    pub(crate) command: String,
    /// Exit status; -1 when a signal ended it.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) error: String,
}

impl Said {
    /// Its standard output, when the status is 0.
    pub(crate) fn success(self) -> Result<String, Error> {
        if self.status == 0 {
            return Ok(self.output);
        }
        let why = format!("status {}: {} {}", self.status, self.error.trim(), self.output.trim());
        Err(Error::new(format!("running {}", self.command), why))
    }
}

/// The virtual machine, or with a real modem this machine, as one case sees it.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Where the case's logs go.
    logs: PathBuf,
    /// What stands after the colon of the case's name.
    argument: Option<String>,
    /// The real modem.
    device: Option<Device>,
    children: Vec<(String, Child)>,
}

#[allow(dead_code, reason = "what a case may need; cases come and go")]
impl Guest {
    /// For one case; makes its folder.
    pub(crate) fn new(wanted: &Wanted, logs: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&logs).trying("making a folder for logs")?;
        let device = Device::from_environment();
        Ok(Self { logs, argument: wanted.argument().map(str::to_owned), device, children: Vec::new() })
    }

    /// What the person at the keyboard put after the colon of the case's name.
    pub(crate) fn argument(&self) -> Option<&str> {
        self.argument.as_deref()
    }

    /// The real modem that the environment names instead of a virtual one.
    pub(crate) fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// The case's folder for logs. All of it is kept.
    pub(crate) fn logs(&self) -> &Path {
        &self.logs
    }

    /// One of our own programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        std::env::var_os("LAB_PROGRAMS").map_or_else(|| "/usr/local/bin".into(), PathBuf::from).join(name)
    }

    /// A measured value; printed and kept with the results.
    pub(crate) fn figure(&self, name: &str, value: f64, unit: &str) {
        println!("figure: {name}\t{value}\t{unit}");
    }

    /// A line that tells how far a long case is.
    pub(crate) fn progress(&self, text: &str) {
        println!("progress: {text}");
    }

    /// Runs a command to its end, within [`PATIENCE`].
    pub(crate) async fn command(&self, program: &str, arguments: &[&str]) -> Result<Said, Error> {
        self.command_within(PATIENCE, program, arguments).await
    }

    /// Runs a command to its end; when it takes longer it is killed.
    pub(crate) async fn command_within(
        &self,
        limit: Duration,
        program: &str,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<Said, Error> {
        let words: Vec<String> = arguments.iter().map(|a| a.as_ref().to_string_lossy().into_owned()).collect();
        let text = format!("{program} {}", words.join(" "));
        let mut command = Command::new(program);
        command.args(arguments.iter().map(AsRef::as_ref)).stdin(Stdio::null()).kill_on_drop(true);
        let doing = format!("running {text}");
        let output = wait::at_most(&doing, limit, command.output()).await?.trying(&doing)?;
        let lossy = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        let status = output.status.code().unwrap_or(-1);
        Ok(Said { command: text, status, output: lossy(output.stdout), error: lossy(output.stderr) })
    }

    /// Starts a program that runs beside the case; what it says goes to `NAME.log`. It ends with the case at the latest.
    pub(crate) fn spawn(&mut self, name: &str, program: &str, arguments: &[&str]) -> Result<u32, Error> {
        let doing = format!("starting {program}");
        let log =
            File::options().create(true).append(true).open(self.logs.join(format!("{name}.log"))).trying(&doing)?;
        let mut command = Command::new(program);
        let errors = log.try_clone().trying(&doing)?;
        command.args(arguments).stdin(Stdio::null()).stdout(log).stderr(errors).kill_on_drop(true);
        let child = command.spawn().trying(&doing)?;
        let id = child.id().ok_or_else(|| Error::new(&doing, "it has ended"))?;
        self.children.push((name.to_owned(), child));
        Ok(id)
    }

    /// Ends what [`Guest::spawn`] started under this name, with SIGTERM and after some seconds SIGKILL.
    pub(crate) async fn stop(&mut self, name: &str) -> Result<(), Error> {
        let at = self.children.iter().position(|(other, _)| other == name);
        let at = at.ok_or_else(|| Error::new(format!("stopping {name}"), "it was not started"))?;
        let (_, child) = self.children.remove(at);
        end(child).await.trying(format!("stopping {name}"))
    }

    /// Ends what [`Guest::spawn`] started under this name with SIGKILL.
    pub(crate) async fn kill(&mut self, name: &str) -> Result<(), Error> {
        let at = self.children.iter().position(|(other, _)| other == name);
        let at = at.ok_or_else(|| Error::new(format!("killing {name}"), "it was not started"))?;
        let (_, mut child) = self.children.remove(at);
        child.kill().await.trying(format!("killing {name}"))
    }

    /// Loads a module of the kernel.
    pub(crate) async fn load(&self, module: &str) -> Result<(), Error> {
        self.command("modprobe", &[module]).await?.success().map(drop)
    }

    /// Waits until a file, a device node or a folder is there.
    pub(crate) async fn path(&self, path: impl AsRef<Path>, limit: Duration) -> Result<(), Error> {
        let path = path.as_ref();
        wait::until(&path.display().to_string(), limit, || async { path.exists().then_some(()) }).await
    }

    /// Waits until a file, a device node or a folder is gone.
    pub(crate) async fn no_path(&self, path: impl AsRef<Path>, limit: Duration) -> Result<(), Error> {
        let path = path.as_ref();
        let what = format!("{} to go", path.display());
        wait::until(&what, limit, || async { (!path.exists()).then_some(()) }).await
    }

    /// The case is over: whatever it started ends. An error names what did not want to.
    pub(crate) async fn clear_away(&mut self) -> Outcome {
        let mut wrong = Vec::new();
        while let Some((name, child)) = self.children.pop() {
            if let Err(error) = end(child).await {
                wrong.push(format!("{name}: {error}"));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ").into()) }
    }
}

/// SIGTERM, then SIGKILL. How it exits is its own affair; that it must be killed is an error.
async fn end(mut child: Child) -> Result<(), std::io::Error> {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // It may end by itself at this very moment.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM);
    }
    match tokio::time::timeout(FAREWELL, child.wait()).await {
        Ok(status) => status.map(drop),
        Err(_) => {
            child.kill().await?;
            Err(std::io::Error::other("had to be killed"))
        }
    }
}

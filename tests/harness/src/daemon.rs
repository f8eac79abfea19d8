//! The daemon as a child process, with a configuration of its own in a directory of its own.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use core::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use virtual_operator::{Error, While, netns};

const PART: &str = "virtual-leash";

/// How to run the daemon.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The executable.
    pub program: PathBuf,
    /// Bus address.
    pub bus: String,
    /// Directory with `mbimd.toml`, and below it `state` and `run`, made by [`Setup::prepare`].
    pub directory: PathBuf,
    /// `--device` values.
    pub devices: Vec<String>,
    /// `--log` value.
    pub log: String,
}

impl Setup {
    /// The daemon's directories and its configuration.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn prepare(&self, configuration: &str) -> Result<(), Error> {
        for part in ["state", "run", "operators.d", "apps.d", "trust.d", "provisioning.d"] {
            fs::create_dir_all(self.directory.join(part)).trying(format!("making the directory {part}"))?;
        }
        fs::write(self.configuration_file(), configuration).trying("writing the daemon's configuration")
    }

    /// Adds lines to the top of the configuration, in place of those with the same keys; they hold from the next start.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn configure(&self, lines: &str) -> Result<(), Error> {
        let (doing, file) = ("changing the daemon's configuration", self.configuration_file());
        let old = fs::read_to_string(&file).trying(doing)?;
        let key = |line: &str| line.split_once('=').map(|(key, _)| key.trim().to_owned());
        let given: Vec<_> = lines.lines().filter_map(key).collect();
        let kept = |line: &&str| key(line).is_none_or(|key| !given.contains(&key));
        let old = old.lines().filter(kept).collect::<Vec<_>>().join("\n");
        fs::write(&file, format!("{lines}\n{old}\n")).trying(doing)
    }

    /// The configuration file.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.directory.join("mbimd.toml")
    }

    /// What the daemon wrote to its standard error, all runs one after the other.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.directory.join("mbimd.log")
    }
}

/// What its unit puts into its environment.
fn unit_environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    let unit = include_str!("../../../systemd/mbimd.service");
    unit.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('='))
}

/// A running daemon. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts the daemon; it is ready when its name is on the bus, which is for the caller to see.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(setup: &Setup) -> Result<Self, Error> {
        let doing = "starting the daemon";
        let log = File::options().create(true).append(true).open(setup.log_file()).trying(doing)?;
        let mut command = netns::own_executable(&[PART]);
        command
            .arg(&setup.program)
            .arg("--config")
            .arg(setup.configuration_file())
            .args(["--bus", &setup.bus])
            .arg("--state-dir")
            .arg(setup.directory.join("state"))
            .arg("--run-dir")
            .arg(setup.directory.join("run"))
            .args(["--log", &setup.log])
            .envs(unit_environment())
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .env_remove("WATCHDOG_USEC")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        for device in &setup.devices {
            command.args(["--device", device]);
        }
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn().trying(doing)?;
        Ok(Self { child })
    }

    /// Process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended by itself, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends SIGTERM and waits; after `limit` SIGKILL.
    ///
    /// # Errors
    /// It had to be killed, or did not exit with 0.
    pub async fn stop(self, limit: Duration) -> Result<(), Error> {
        self.end(Signal::SIGTERM, limit).await
    }

    /// Tells it to make place for the next run, as a restart of its unit does, and waits as [`Self::stop`].
    ///
    /// # Errors
    /// It had to be killed, or did not exit with 0.
    pub async fn leave(self, limit: Duration) -> Result<(), Error> {
        self.end(Signal::SIGUSR1, limit).await
    }

    async fn end(mut self, signal: Signal, limit: Duration) -> Result<(), Error> {
        let doing = "stopping the daemon";
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may end by itself at this very moment.
            let _ = kill(Pid::from_raw(id), signal);
        }
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => {
                let status = status.trying(doing)?;
                if status.success() { Ok(()) } else { Err(Error::new(doing, status)) }
            }
            Err(_) => {
                self.child.kill().await.trying(doing)?;
                Err(Error::new(doing, format!("no end within {} s", limit.as_secs())))
            }
        }
    }

    /// Kills it without warning, as a crash would.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn kill(mut self) -> Result<(), Error> {
        self.child.kill().await.trying("killing the daemon")
    }
}

/// The daemon that was built beside a test executable (`target/PROFILE/deps/test` → `target/PROFILE/mbimd`), or what
/// the environment variable `MBIMD_TEST_PROGRAM` names.
///
/// # Errors
/// It was not built: `cargo build -p mbimd` makes it.
pub fn beside_test() -> Result<PathBuf, Error> {
    let doing = "looking for the daemon";
    if let Some(path) = std::env::var_os("MBIMD_TEST_PROGRAM") {
        return Ok(path.into());
    }
    let test = std::env::current_exe().trying(doing)?;
    let found = test.ancestors().skip(1).take(2).map(|d: &Path| d.join("mbimd")).find(|p| p.is_file());
    found.ok_or_else(|| Error::new(doing, "not built; cargo build -p mbimd makes it"))
}

/// Ties the process to its parent, then becomes the program that the arguments name.
pub(crate) fn child(arguments: &[String]) -> Option<ExitCode> {
    let [part, program, rest @ ..] = arguments else { return None };
    if part != PART {
        return None;
    }
    let error = match netns::die_with_parent() {
        Ok(()) => Error::new(format!("running {program}"), Command::new(program).args(rest).exec()),
        Err(error) => error,
    };
    eprintln!("{error}");
    Some(ExitCode::FAILURE)
}

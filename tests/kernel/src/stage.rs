//! A daemon on the guest's system bus with a client, and the virtual modem in the kernel's USB port.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use core::time::Duration;

use harness::bus::Bus;
use harness::daemon::{Daemon, Setup};
use harness::line::{Happening, profile_for};
use harness::usb::{self, UsbLine};
use harness::virtual_modem::usb::attach::Attached;
use harness::virtual_modem::{Order, Pace, Profile};
use harness::virtual_operator::address::DATA_LINK;
use harness::virtual_operator::{Error, Scenario, While};
use harness::{wait, world};
use scenarios::client::{Client, View};
use scenarios::link;
use scenarios::site::Account;
use tempfile::TempDir;

use crate::guest::Guest;

/// How long anything that must happen may take in the guest, which may be starved of its processors.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Without a message for so long, everything is said.
const PEACE: Duration = Duration::from_secs(1);
/// How long the daemon may take to stop.
const STOP: Duration = Duration::from_secs(60);
/// The system bus.
pub(crate) const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// A virtual modem and where it is plugged in.
#[derive(Debug)]
pub(crate) struct Modem {
    /// The modem, with the operator behind it if it has one.
    pub(crate) line: UsbLine,
    attached: Option<Attached>,
}

impl Modem {
    /// Serves a modem; it is not plugged in yet.
    pub(crate) async fn serve(setup: usb::Setup) -> Result<Self, Error> {
        Ok(Self { line: UsbLine::start(setup).await?, attached: None })
    }

    /// One that loses no time, with an operator of this scenario behind it.
    pub(crate) async fn quick(scenario: &Scenario) -> Result<Self, Error> {
        let profile = Profile { pace: Pace::default(), ..profile_for(scenario) };
        Self::serve(usb::Setup { profile, ..usb::Setup::of(scenario) }).await
    }

    /// Gives it to the kernel, once the orders so far are carried out.
    pub(crate) async fn attach(&self) -> Result<Attached, Error> {
        self.line.state().await?;
        self.line.attach().await
    }

    /// Plugs it in and waits until the kernel has addressed it; its folder below `/sys/bus/usb/devices`.
    pub(crate) async fn plug(&mut self) -> Result<PathBuf, Error> {
        let attached = self.attach().await?;
        let folder = wait::until("the kernel to see the modem", PATIENCE, || async { attached.device() }).await?;
        self.attached = Some(attached);
        Ok(folder)
    }

    /// The folder of the plugged device.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.attached.as_ref()?.device()
    }

    /// Pulls the cable, and forgets the port.
    pub(crate) fn pull(&mut self) {
        self.line.order(Order::Unplug);
        self.attached = None;
    }

    /// Waits until nothing passes between the modem and its host for a moment.
    pub(crate) async fn settled(&self) -> Result<(), Error> {
        wait::until("the modem to be left in peace", PATIENCE, || async {
            let messages = async || {
                let log = self.line.log().await.ok()?;
                Some((log.from_host(), log.count(|_| true)))
            };
            let before = messages().await?;
            tokio::time::sleep(PEACE).await;
            let idle = self.line.state().await.ok()?.outstanding == 0;
            (idle && messages().await? == before).then_some(())
        })
        .await
    }

    /// Forgets what has happened so far.
    pub(crate) fn forget(&mut self) {
        while self.line.happenings.try_recv().is_ok() {}
    }

    /// Waits until something happens at the far ends.
    pub(crate) async fn happening(&mut self, what: &str, ask: impl Fn(&Happening) -> bool) -> Result<(), Error> {
        let line = &mut self.line;
        let wait = async {
            loop {
                match line.happening().await {
                    Some(Happening::Failed(why)) => return Err(Error::new(format!("waiting for {what}"), why)),
                    Some(found) if ask(&found) => return Ok(()),
                    Some(_) => {}
                    None => return Err(Error::new(format!("waiting for {what}"), "the line has ended")),
                }
            }
        };
        wait::at_most(what, PATIENCE, wait).await?
    }

    /// Ends it, and waits until the kernel has taken the device away.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        let folder = self.folder();
        self.attached = None;
        self.line.stop().await;
        match folder {
            Some(folder) => {
                wait::until("the device to go", PATIENCE, || async { (!folder.exists()).then_some(()) }).await
            }
            None => Ok(()),
        }
    }
}

/// The daemon with its client. It finds modems by itself.
#[derive(Debug)]
pub(crate) struct Stage {
    /// How the daemon is started.
    pub(crate) setup: Setup,
    /// The daemon while it runs.
    pub(crate) daemon: Option<Daemon>,
    /// Follows the daemon.
    pub(crate) client: Client,
    bus: Option<Bus>,
    directory: TempDir,
}

/// What a case may choose about the daemon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// Which of the programs.
    pub(crate) program: &'a str,
    /// Lines at the top of the configuration; a key there takes the place of the one that the stage sets.
    pub(crate) lines: &'a str,
    /// Values of `--device`.
    pub(crate) devices: &'a [String],
    /// Value of `--log`.
    pub(crate) level: &'a str,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self { program: "mbimd", lines: "", devices: &[], level: "debug" }
    }
}

impl Stage {
    /// The daemon on the system bus, furnished for the operator of this scenario, whose root certificate this is. Its log
    /// is the case's `mbimd.log`.
    pub(crate) async fn start(guest: &Guest, scenario: &Scenario, roots: &str) -> Result<Self, Error> {
        Self::of(guest, scenario, roots, "", &[]).await
    }

    /// As [`Stage::start`] with more lines at the top of the configuration (in place of those with the same keys) and
    /// values of `--device`. On a machine with a real modem the bus is a private one.
    pub(crate) async fn of(
        guest: &Guest,
        scenario: &Scenario,
        roots: &str,
        lines: &str,
        devices: &[String],
    ) -> Result<Self, Error> {
        Self::whole(guest, scenario, roots, Start { lines, devices, ..Start::default() }).await
    }

    /// As [`Stage::of`] without the log of every step: for figures.
    pub(crate) async fn quiet(
        guest: &Guest,
        scenario: &Scenario,
        roots: &str,
        devices: &[String],
    ) -> Result<Self, Error> {
        Self::whole(guest, scenario, roots, Start { devices, level: "info", ..Start::default() }).await
    }

    /// As [`Stage::start`] with everything that can be chosen.
    pub(crate) async fn whole(
        guest: &Guest,
        scenario: &Scenario,
        roots: &str,
        start: Start<'_>,
    ) -> Result<Self, Error> {
        let doing = "making a directory for the daemon";
        let directory = tempfile::Builder::new().prefix("mbimd-").tempdir_in("/run").trying(doing)?;
        let bus = match guest.device() {
            Some(_) => Some(Bus::start(directory.path()).await?),
            None => None,
        };
        let address = bus.as_ref().map_or(SYSTEM_BUS, Bus::address).to_owned();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).trying(doing)?;
        let setup = Setup {
            program: guest.program(start.program),
            bus: address.clone(),
            directory: directory.path().to_owned(),
            devices: start.devices.to_vec(),
            log: start.level.to_owned(),
        };
        let log = guest.logs().join("mbimd.log");
        fs::File::options().create(true).append(true).open(&log).trying(doing)?;
        symlink(&log, setup.log_file()).trying(doing)?;
        world::furnish(&setup, scenario, roots)?;
        setup.configure(start.lines)?;
        let daemon = Some(Daemon::start(&setup)?);
        let client = Client::connect(&address).await?;
        Ok(Self { setup, daemon, client, bus, directory })
    }

    /// Ends the daemon with SIGTERM.
    pub(crate) async fn stop(&mut self) -> Result<(), Error> {
        let daemon = self.daemon.take().ok_or_else(|| Error::new("stopping the daemon", "it does not run"))?;
        daemon.stop(STOP).await?;
        self.client.served(false).await
    }

    /// Ends the daemon as a restart of its unit does.
    pub(crate) async fn leave(&mut self) -> Result<(), Error> {
        let daemon = self.daemon.take().ok_or_else(|| Error::new("leaving the daemon", "it does not run"))?;
        daemon.leave(STOP).await?;
        self.client.served(false).await
    }

    /// Ends the daemon with SIGKILL.
    pub(crate) async fn kill(&mut self) -> Result<(), Error> {
        let daemon = self.daemon.take().ok_or_else(|| Error::new("killing the daemon", "it does not run"))?;
        daemon.kill().await?;
        self.client.served(false).await
    }

    /// Waits until the interface shows no trace of a data session.
    pub(crate) async fn bare(&self) -> Result<(), Error> {
        wait::until("a bare interface", PATIENCE, || async {
            link::show(DATA_LINK).await.ok()?.is_bare().then_some(())
        })
        .await
    }

    /// Starts the daemon that was ended.
    pub(crate) async fn again(&mut self) -> Result<(), Error> {
        self.daemon = Some(Daemon::start(&self.setup)?);
        self.client.served(true).await
    }

    /// Waits until some modem is as asked for; its number.
    pub(crate) async fn some(&mut self, what: &str, ask: impl Fn(&View) -> bool) -> Result<u32, Error> {
        self.client.until(what, PATIENCE, |modems| modems.values().find(|view| ask(view)).map(|view| view.number)).await
    }

    /// Waits until some modem is online; its number.
    pub(crate) async fn online(&mut self) -> Result<u32, Error> {
        self.some("the machine to be online", View::is_online).await
    }

    /// Waits until no modem is shown.
    pub(crate) async fn none(&mut self) -> Result<(), Error> {
        self.client.until("the modem's object to go", PATIENCE, |modems| modems.is_empty().then_some(())).await
    }

    /// Waits until the operator's site may be handed over.
    pub(crate) async fn walled(&mut self) -> Result<u32, Error> {
        use dbus_api::name::CONNECTIVITY;
        let walled = |view: &View| {
            view.number(CONNECTIVITY, "State") == scenarios::client::PORTAL
                && view.flag(CONNECTIVITY, "PortalAvailable")
        };
        self.some("the portal", walled).await
    }

    /// The rest of the main job, from the walled garden to online: site, purchase, both documents.
    pub(crate) async fn provision(&mut self, number: u32, roots: &str) -> Result<(), Error> {
        let url = self.client.portal_url(number).await?;
        let interface = self.client.view(number).await?.text(dbus_api::name::MODEM, "DataPort");
        let account = Account::buy_through(&interface, roots, &url).await?;
        for name in ["activation", "profile"] {
            let document = account.document(name).await?;
            let number = self.client.submit(&document).await?;
            let job = self.job(number).await?;
            if (job.state.as_str(), job.activation) != ("done", Some(0)) || job.all_elements_provisioned != Some(true) {
                return Err(Error::new(format!("applying {name}"), format!("{job:?}")));
            }
        }
        Ok(())
    }

    async fn job(&self, number: u32) -> Result<dbus_api::value::Job, Error> {
        use dbus_api::proxy::ProvisioningProxy;
        let doing = "asking for a job";
        let provisioning = ProvisioningProxy::new(self.client.connection()).await.trying(doing)?;
        let ended = async || {
            let job = dbus_api::value::Job::from_details(&provisioning.get_job(number).await.ok()?);
            job.ended().then_some(job)
        };
        wait::until("a document to be applied", PATIENCE, ended).await
    }

    /// What the daemon logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read(self.setup.log_file()).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Ends the daemon; it must not have panicked nor leave anything in its run directory.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        if self.daemon.is_some() {
            self.stop().await?;
        }
        if let Some(line) = self.log().lines().find(|line| line.contains("panicked at")) {
            return Err(Error::new("running the daemon", line));
        }
        let left = names(&self.directory.path().join("run/resolv.conf.d"));
        if !left.is_empty() {
            return Err(Error::new("looking at the run directory", format!("name servers of {left:?}")));
        }
        if let Some(bus) = self.bus.take() {
            bus.stop().await;
        }
        self.directory.close().trying("removing the daemon's directory")
    }
}

/// The scenario of that name.
pub(crate) fn scenario(name: &str) -> Result<Scenario, Error> {
    Scenario::named(name).ok_or_else(|| Error::new("choosing a scenario", name))
}

/// Names in a folder; none where there is no such folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

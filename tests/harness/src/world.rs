//! Everything at once: bus, operator, modem, daemon, in a directory of its own. The caller has moved into private
//! namespaces before ([`virtual_operator::netns::enter`]).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use core::net::IpAddr;
use core::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixListener;
use virtual_modem::Profile;
use virtual_operator::address::{DATA_LINK, PROBE_HTTP_URL, PROBE_HTTPS_URL};
use virtual_operator::certificates::ServerCertificate;
use virtual_operator::link::Net;
use virtual_operator::network::Network;
use virtual_operator::{Error, Operator, Scenario, Subscriber, While, document};

use crate::bus::Bus;
use crate::daemon::{Daemon, Setup};
use crate::line::{Line, profile_for};

/// The whole world of one run. Dropping it kills the children and removes the directory; [`World::clear_away`]
/// does the same in order and tells what was left.
#[derive(Debug)]
pub struct World {
    /// The bus.
    pub bus: Bus,
    /// How the daemon is started; for a restart.
    pub setup: Setup,
    /// The daemon while it runs.
    pub daemon: Option<Daemon>,
    /// Modem and operator, from [`World::plug`] on.
    pub line: Option<Line>,
    scenario: Scenario,
    operator: Option<Operator>,
    roots: String,
    signer: Option<ServerCertificate>,
    directory: TempDir,
}

/// How long the daemon may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(5);

impl World {
    /// Starts bus, operator and daemon; the modem is not plugged in yet.
    ///
    /// # Errors
    /// One of them did not start.
    pub async fn start(scenario: Scenario, program: &Path, log: &str) -> Result<Self, Error> {
        let operator = Operator::start(scenario.clone(), Subscriber::canary()).await?;
        let roots = operator.root_certificate().to_owned();
        let signer = if scenario.signed { Some(operator.signer()?) } else { None };
        let world = Self::around(private_directory()?, scenario, roots, Some(operator), program, log).await?;
        Ok(Self { signer, ..world })
    }

    /// As [`World::start`] in a network of the caller's: the link is there and leads to it, and the servers' certificates
    /// are signed by `roots`. `directory` is the run's, made by [`private_directory`].
    ///
    /// # Errors
    /// Something did not start.
    pub async fn start_in(
        directory: TempDir,
        scenario: Scenario,
        roots: String,
        program: &Path,
        log: &str,
    ) -> Result<Self, Error> {
        Self::around(directory, scenario, roots, None, program, log).await
    }

    async fn around(
        directory: TempDir,
        scenario: Scenario,
        roots: String,
        operator: Option<Operator>,
        program: &Path,
        log: &str,
    ) -> Result<Self, Error> {
        let bus = Bus::start(directory.path()).await?;
        let setup = Setup {
            program: program.to_owned(),
            bus: bus.address().to_owned(),
            directory: directory.path().to_owned(),
            devices: vec![format!("unix:{},net={DATA_LINK},outstanding=8", socket(directory.path()).display())],
            log: log.to_owned(),
        };
        furnish(&setup, &scenario, &roots)?;
        let daemon = Daemon::start(&setup)?;
        Ok(Self { bus, setup, daemon: Some(daemon), line: None, scenario, operator, roots, signer: None, directory })
    }

    /// Plugs the modem in: its socket appears and the daemon finds it.
    ///
    /// # Errors
    /// It is plugged in already.
    pub fn plug(&mut self) -> Result<&mut Line, Error> {
        let profile = profile_for(&self.scenario);
        self.plug_profile(profile)
    }

    /// As [`World::plug`] with a modem of the caller's choice.
    ///
    /// # Errors
    /// It is plugged in already.
    pub fn plug_profile(&mut self, profile: Profile) -> Result<&mut Line, Error> {
        let listener = UnixListener::bind(socket(self.directory.path())).trying("plugging the modem in")?;
        Ok(self.line.insert(Line::serve(listener, profile, self.operator.take())))
    }

    /// The run's directory: `state`, `run`, `mbimd.log` and the rest.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The root certificate of the operator's and the internet's servers, PEM.
    #[must_use]
    pub fn root_certificate(&self) -> &str {
        &self.roots
    }

    /// With what the operator signs its documents; the machine trusts the root. `None` where the scenario has none signed.
    #[must_use]
    pub fn signer(&self) -> Option<&ServerCertificate> {
        self.signer.as_ref()
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Ends everything in the right order: daemon, modem and operator, bus, directory. What the daemon left on the
    /// link or in its run directory, and anything else that did not end as it should, comes back as text; nothing of
    /// it stays in any case.
    ///
    /// # Errors
    /// The directory cannot be removed.
    pub async fn clear_away(mut self) -> Result<Vec<String>, Error> {
        let mut left = Vec::new();
        if let Some(daemon) = self.daemon.take()
            && let Err(error) = daemon.stop(STOP_LIMIT).await
        {
            left.push(error.to_string());
        }
        left.extend(self.left_on_link().await);
        left.extend(self.left_in_run_directory());
        if let Some(line) = self.line.take() {
            line.stop().await;
        }
        if let Some(operator) = self.operator.take() {
            operator.stop().await;
        }
        self.bus.stop().await;
        self.directory.close().trying("removing the directory of the run")?;
        Ok(left)
    }

    /// Addresses on the data interface, but the kernel's own.
    pub async fn left_on_link(&self) -> Vec<String> {
        let found = match Net::open() {
            Ok(net) => net.addresses(DATA_LINK).await.unwrap_or_default(),
            Err(error) => return vec![error.to_string()],
        };
        let kernels = |a: &IpAddr| matches!(a, IpAddr::V6(a) if a.is_unicast_link_local());
        found.iter().filter(|(a, _)| !kernels(a)).map(|(a, p)| format!("address {a}/{p} on {DATA_LINK}")).collect()
    }

    /// Name servers that are still announced.
    fn left_in_run_directory(&self) -> Vec<String> {
        let resolvers = fs::read_dir(self.directory().join("run/resolv.conf.d")).into_iter().flatten().flatten();
        resolvers.map(|entry| format!("name servers in {}", entry.file_name().to_string_lossy())).collect()
    }
}

/// The daemon's directories: its configuration, the operator's record and root certificate, and this user as the
/// operator's program.
///
/// # Errors
/// Something cannot be written.
pub fn furnish(setup: &Setup, scenario: &Scenario, roots: &str) -> Result<(), Error> {
    let directory = &setup.directory;
    setup.prepare(&configuration(directory))?;
    fs::write(directory.join("root.pem"), roots).trying("writing the root certificate")?;
    if scenario.signed {
        let doing = "writing the root of signers";
        fs::write(directory.join("trust.d/operator.pem"), roots).trying(doing)?;
        // Marked for extended validation.
        fs::write(directory.join("trust.d/operator.ev"), "").trying(doing)?;
    }
    let network = Network::new(scenario.clone(), Subscriber::canary());
    fs::write(directory.join("operators.d/demo.xml"), document::overlay(&network))
        .trying("writing the operator's record")?;
    fs::write(directory.join("apps.d/demo.toml"), binding()).trying("writing the program's binding")
}

/// A directory for one run that nobody else may look into.
///
/// # Errors
/// It cannot be made.
pub fn private_directory() -> Result<TempDir, Error> {
    let doing = "making a directory for the run";
    let directory = tempfile::Builder::new().prefix("mbimd-").tempdir().trying(doing)?;
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).trying(doing)?;
    Ok(directory)
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("modem")
}

/// An object goes with its modem, so that stories see the end of each plug; those of a return say otherwise.
fn configuration(directory: &Path) -> String {
    let at = |name: &str| format!("{:?}", directory.join(name).display().to_string());
    format!(
        "absence = 0\noverlay-dir = {}\ntrust-dir = {}\napps-dir = {}\nprovisioning-dir = {}\nrefresh-ca = [{}]\n\
         dns = \"resolvconf\"\n\n[probe]\nhttp = \"{PROBE_HTTP_URL}\"\nhttps = \"{PROBE_HTTPS_URL}\"\nca = [{}]\n",
        at("operators.d"),
        at("trust.d"),
        at("apps.d"),
        at("provisioning.d"),
        at("root.pem"),
        at("root.pem"),
    )
}

/// This user's programs are the operator's.
fn binding() -> String {
    format!("carrier-id = \"{}\"\nuid = {}\n", document::CARRIER_ID, nix::unistd::geteuid())
}

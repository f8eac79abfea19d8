//! A world with a client in it: what every story begins with and ends with.

use std::fs;

use core::panic::AssertUnwindSafe;
use core::time::Duration;

use futures_util::FutureExt;
use harness::cases::block_on;
use harness::daemon::{self, Daemon};
use harness::line::{Happening, Line, profile_for};
use harness::virtual_modem::{Order, Pace, Profile};
use harness::virtual_operator::address::DATA_LINK;
use harness::virtual_operator::{Error, Scenario};
use harness::wait;
use harness::world::World;

use crate::client::{Client, PATIENCE, PORTAL};
use crate::link;
use crate::record::walk;
use crate::site::Account;

/// How a story ends.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Lines of the daemon's log that a failure shows.
const LAST_WORDS: usize = 40;
/// How long the daemon may take to stop.
const STOP: Duration = Duration::from_secs(10);

/// Bus, operator, daemon, and later a modem; and a client that follows the daemon.
#[derive(Debug)]
pub struct Stage {
    /// Everything but the client.
    pub world: World,
    /// The client.
    pub client: Client,
}

/// The scenario of that name.
///
/// # Errors
/// There is none.
pub fn scenario(name: &str) -> Result<Scenario, Error> {
    Scenario::named(name).ok_or_else(|| Error::new("choosing a scenario", name))
}

/// A modem that fits the operator and loses no time.
#[must_use]
pub fn quick(scenario: &Scenario) -> Profile {
    Profile { pace: Pace::default(), ..profile_for(scenario) }
}

impl Stage {
    /// Starts everything but the modem.
    ///
    /// # Errors
    /// Something did not start.
    pub async fn start(scenario: Scenario) -> Result<Self, Error> {
        Self::logging(scenario, "debug").await
    }

    /// As [`Stage::start`] with another `--log` value.
    ///
    /// # Errors
    /// Something did not start.
    pub async fn logging(scenario: Scenario, log: &str) -> Result<Self, Error> {
        let world = World::start(scenario, &daemon::beside_test()?, log).await?;
        let client = Client::connect(world.bus.address()).await?;
        Ok(Self { world, client })
    }

    /// Adds lines to the top of the daemon's configuration, in place of those with the same keys; they hold after
    /// [`Stage::restart`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn configure(&self, lines: &str) -> Result<(), Error> {
        self.world.setup.configure(lines)
    }

    /// Ends the daemon with SIGTERM.
    ///
    /// # Errors
    /// It had to be killed, or did not exit with 0.
    pub async fn stop(&mut self) -> Result<(), Error> {
        let daemon = self.world.daemon.take().ok_or_else(|| Error::new("stopping the daemon", "it is not there"))?;
        daemon.stop(STOP).await?;
        self.client.served(false).await
    }

    /// Ends the daemon with SIGKILL.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn kill(&mut self) -> Result<(), Error> {
        let daemon = self.world.daemon.take().ok_or_else(|| Error::new("killing the daemon", "it is not there"))?;
        daemon.kill().await?;
        self.client.served(false).await
    }

    /// Starts the daemon that was stopped or killed.
    ///
    /// # Errors
    /// It does not come to own its name.
    pub async fn again(&mut self) -> Result<(), Error> {
        self.world.daemon = Some(Daemon::start(&self.world.setup)?);
        self.client.served(true).await
    }

    /// Ends the daemon as a restart of its unit does.
    ///
    /// # Errors
    /// It had to be killed, or did not exit with 0.
    pub async fn leave(&mut self) -> Result<(), Error> {
        let daemon = self.world.daemon.take().ok_or_else(|| Error::new("leaving the daemon", "it is not there"))?;
        daemon.leave(STOP).await?;
        self.client.served(false).await
    }

    /// [`Stage::stop`], then [`Stage::again`].
    ///
    /// # Errors
    /// As both.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.stop().await?;
        self.again().await
    }

    /// Plugs a modem in and waits until the daemon has opened it.
    ///
    /// # Errors
    /// The daemon does not.
    pub async fn plug(&mut self, profile: Profile) -> Result<(), Error> {
        let line = self.world.plug_profile(profile)?;
        happening(line, "the daemon to open the modem", |h| matches!(h, Happening::Plugged)).await
    }

    /// The modem, to do something to it.
    ///
    /// # Errors
    /// It was never plugged in.
    pub fn line(&mut self) -> Result<&mut Line, Error> {
        self.world.line.as_mut().ok_or_else(|| Error::new("reaching for the modem", "it was never plugged in"))
    }

    /// Something is done to the modem.
    ///
    /// # Errors
    /// It was never plugged in.
    pub fn order(&mut self, order: Order) -> Result<(), Error> {
        self.line()?.order(order);
        Ok(())
    }

    /// Waits until some modem is online; its number.
    ///
    /// # Errors
    /// None gets there.
    pub async fn online(&mut self) -> Result<u32, Error> {
        self.client.some("the machine to be online", crate::client::View::is_online).await
    }

    /// Waits until some modem sits in the walled garden; its number.
    ///
    /// # Errors
    /// None gets there.
    pub async fn walled(&mut self) -> Result<u32, Error> {
        use dbus_api::name::CONNECTIVITY;
        let walled = |view: &crate::client::View| {
            view.number(CONNECTIVITY, "State") == PORTAL && view.flag(CONNECTIVITY, "PortalAvailable")
        };
        self.client.some("the portal", walled).await
    }

    /// The person follows the hand-over and buys a plan.
    ///
    /// # Errors
    /// There is no portal, or it refuses.
    pub async fn buy(&self, modem: u32) -> Result<Account, Error> {
        let url = self.client.portal_url(modem).await?;
        Account::buy(self.world.root_certificate(), &url).await
    }

    /// Names of the files in the run directory, but the lock that keeps a second daemon away and what is remembered of a
    /// modem without a connection.
    #[must_use]
    pub fn run_files(&self) -> Vec<String> {
        let mut names = Vec::new();
        walk(&self.world.directory().join("run"), &mut |path| {
            let wish = || fs::read_to_string(path).is_ok_and(|text| text.contains("\"connection\":null"));
            if path.file_name().is_none_or(|name| name != "lock") && !wish() {
                names.push(path.display().to_string());
            }
        });
        names
    }

    /// Waits until neither the interface nor the run directory shows a trace of a data session.
    ///
    /// # Errors
    /// Something stays; the error names it.
    pub async fn bare(&self) -> Result<(), Error> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (shown, mut files) = (link::show(DATA_LINK).await?, self.run_files());
            // A modem has its name for clients of the proxy as long as it is there.
            files.retain(|file| !file.contains("/run/mbim/"));
            if shown.is_bare() && files.is_empty() {
                return Ok(());
            }
            if tokio::time::Instant::now() >= end {
                return Err(Error::new("waiting for a bare interface", format!("{shown:?} {files:?}")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the daemon logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.world.setup.log_file()).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Waits until the daemon has logged this.
    ///
    /// # Errors
    /// It does not.
    pub async fn logged(&self, text: &str) -> Result<(), Error> {
        wait::until(&format!("the log to say {text:?}"), PATIENCE, || async { self.log().contains(text).then_some(()) })
            .await
    }

    /// The end of a story: everything stops, and nothing may be left.
    ///
    /// # Errors
    /// Something is left; the error names it.
    pub async fn clear_away(self) -> Result<(), Error> {
        let panicked = self.log().lines().find(|line| line.contains("panicked at")).map(str::to_owned);
        let left = self.world.clear_away().await?;
        if let Some(line) = panicked {
            return Err(Error::new("running the daemon", line));
        }
        if left.is_empty() { Ok(()) } else { Err(Error::new("clearing away", left.join(", "))) }
    }
}

/// Waits until something happens at the far ends.
///
/// # Errors
/// It does not, or the line has failed.
pub async fn happening(line: &mut Line, what: &str, ask: impl Fn(&Happening) -> bool) -> Result<(), Error> {
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

/// Tells a story from an empty stage to an empty stage. When it fails, what the daemon said last is printed.
///
/// # Errors
/// The story's own, or what was left behind.
pub fn story(scenario: &str, tell: impl AsyncFnOnce(&mut Stage) -> Outcome) -> Outcome {
    block_on(async {
        let mut stage = Stage::start(self::scenario(scenario)?).await?;
        let told = AssertUnwindSafe(tell(&mut stage)).catch_unwind().await;
        let outcome = told.unwrap_or_else(|_| Err("a check failed".into()));
        if outcome.is_err() {
            let log = stage.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the daemon's last words:\n  {}", lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n  "));
            // The story's error is the one that matters.
            let _ = stage.clear_away().await;
            return outcome;
        }
        Ok(stage.clear_away().await?)
    })
}

//! `mbimd`: the mobile broadband daemon. This file is the process: command line, signals, readiness, exit status.
#![deny(unsafe_code)]

mod actor;
mod args;
mod config;
#[cfg(feature = "usb")]
mod dataplane;
mod dbus;
#[cfg(feature = "demo")]
mod demo;
mod handle;
mod host;
mod logging;
mod proxy;
mod store;
mod supervise;
mod transport;
#[cfg(feature = "demo")]
mod verifier;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

use args::{Args, Asked};
use config::Config;
use host::leftovers::Leftovers;
use host::resolver::Resolver;
use store::Store;
use store::operators::Operators;
use supervise::{Ending, Shared, Supervisor};

/// Exit status for a wrong command line or configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    #[cfg(feature = "demo")]
    if std::env::args_os().next().is_some_and(|name| name == "mbimd-verify") {
        return verifier::main();
    }
    #[cfg(feature = "demo")]
    if let Some((first, rest)) = words.split_first()
        && first == "demo"
    {
        return demo::main(rest.to_vec());
    }
    let args = match args::parse(words) {
        Ok(Asked::Run(args)) => args,
        Ok(Asked::Version) => return say(&format!("mbimd {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Asked::ConfigKeys) => return say(&config::keys_markdown()),
        Ok(Asked::Help) => return say(args::USAGE),
        Err(why) => return refuse(&format!("{why}\nTry `mbimd --help`.")),
    };
    let levels = args.log.clone().or_else(|| std::env::var("MBIMD_LOG").ok());
    if let Err(why) = logging::start(levels.as_deref()) {
        return refuse(&why);
    }
    let mut config = match config::load(args.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return refuse(&error.to_string()),
    };
    config.settle_probe(std::path::Path::new("/"));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(args, config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints to standard output; nobody reading is no failure.
fn say(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn refuse(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "mbimd: {text}");
    ExitCode::from(USAGE)
}

/// The daemon, from nothing to nothing. The error is a sentence that says what to do.
async fn run(args: Args, config: Config) -> Result<(), String> {
    let stop = stop_signal().map_err(|error| format!("signals cannot be caught: {error}"))?;
    let state_dir = args.state_dir.unwrap_or_else(|| PathBuf::from("/var/lib/mbimd"));
    let run_dir = args.run_dir.unwrap_or_else(|| PathBuf::from("/run/mbimd"));
    let _held = supervise::hold_run_dir(&run_dir)
        .map_err(|error| format!("the run directory {} cannot be used: {error}", run_dir.display()))?;
    let operators = Operators::new(config.database.clone(), config.overlay_dir.clone(), config.metadata_dir.clone());
    let store = Store::open(&state_dir, operators)
        .map_err(|error| format!("the state directory {} cannot be used: {error}", state_dir.display()))?;

    let name = args.bus.as_deref().unwrap_or("system");
    let Ok(bus) = name.parse::<dbus::Bus>();
    let connection = dbus::connect(&bus)
        .await
        .map_err(|error| format!("no connection to the bus ({name}): {error}; start it or name another with --bus"))?;
    let resolver = Resolver::new(config.dns, Some(connection.clone()), &run_dir);
    let (shown, modems) = watch::channel(Vec::new());
    let listed = modems.clone();
    let checks = actor::provision::Checks {
        trust_dir: config.trust_dir.clone(),
        sha1: config.signature_sha1,
        verifier: host::verify::program(),
        clock: actor::provision::now,
        clock_is_set: host::clock::is_set,
        recalled: actor::provision::Recalled::default(),
    };
    let places = actor::provision::Places {
        apps_dir: config.apps_dir.clone(),
        documents_dir: config.provisioning_dir.clone(),
        refresh_ca: config.refresh_ca.clone(),
        dns_retry: config.dns == config::Dns::ResolvConf,
    };
    let (ask, approvals) = tokio::sync::mpsc::channel(1);
    let (provisioner, agent) = actor::provision::start(modems.clone(), store.clone(), places, checks, ask);
    // The name first: who does not get it touches neither modem nor interface.
    let sleep = host::logind::follow(connection.clone(), modems.clone());
    let clients = proxy::Register::default();
    let server = dbus::serve(&connection, modems, provisioner, approvals, clients.clone(), dbus::Gate::new())
        .await
        .map_err(|e| e.to_string())?;
    let standalone = config.network == config::Network::Standalone;
    let leftovers = Leftovers::look(&run_dir, &resolver, standalone).await;
    // Modems that are named leave the others to others.
    let takes = args.devices.is_empty() && config.modemmanager == daemon_core::custody::Policy::Ask;
    supervise::tell_udev(&run_dir, takes);
    transport::renew::mend(&run_dir);
    let shared = Arc::new(Shared {
        config,
        run_dir: run_dir.clone(),
        store,
        resolver: resolver.clone(),
        rfkill: host::rfkill::follow(std::path::Path::new("/dev/rfkill")),
        start: Instant::now(),
    });
    let neighbour = host::modemmanager::ModemManager::follow(Some(connection.clone()), &run_dir).await;
    let roots = host::uevent::Roots::default();
    // Before the first modem: whoever finds the name free starts a rival that opens the same node.
    let proxy = proxy::Proxy::start(&shared.config, &run_dir, listed, neighbour.followed(), clients);
    let supervisor = Supervisor::start(shared, leftovers, args.devices, roots, neighbour, shown);
    let sleep = tokio::spawn(sleep);
    notify(&[NotifyState::Ready]);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");
    host::resident::work_is_over();
    let outcome = tokio::select! {
        ending = stop => Ok(ending),
        // Whoever starts the daemon again finds the connection as it is.
        () = server.closed() => Err("the connection to the bus is gone".to_owned()),
        () = watchdog() => Ok(Ending::Stop),
        () = host::resident::keep_small() => Ok(Ending::Stop),
    };
    let ending = *outcome.as_ref().unwrap_or(&Ending::Restart);
    notify(&[NotifyState::Stopping]);
    sleep.abort();
    tracing::info!(?ending, "stopping");
    proxy.stop().await;
    agent.stop().await;
    supervisor.stop(ending).await;
    server.stop().await;
    if ending == Ending::Stop {
        supervise::tell_udev(&run_dir, false);
        // What a task that had to be ended left behind.
        host::link::clear_leftovers(&run_dir, &resolver).await;
    }
    outcome.map(drop)
}

/// Ends at the first signal that asks the daemon to end: SIGTERM and SIGINT to stop, SIGUSR1 (the unit's
/// `RestartKillSignal=`) to make place for the next run. Caught from the call on, not from the first poll.
fn stop_signal() -> std::io::Result<impl Future<Output = Ending>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut restart = signal(SignalKind::user_defined1())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Ending::Stop,
            _ = interrupt.recv() => Ending::Stop,
            _ = restart.recv() => Ending::Restart,
        }
    })
}

fn notify(state: &[NotifyState<'_>]) {
    if std::env::var_os("NOTIFY_SOCKET").is_some()
        && let Err(error) = sd_notify::notify(state)
    {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Feeds the service manager's watchdog at half its time, where it asks for that; else waits for ever.
async fn watchdog() {
    let Some(period) = sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|half| *half > Duration::ZERO)
    else {
        return std::future::pending().await;
    };
    loop {
        notify(&[NotifyState::Watchdog]);
        tokio::time::sleep(period).await;
    }
}

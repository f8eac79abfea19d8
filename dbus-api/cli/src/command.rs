//! One file per command.

pub(crate) mod agent;
pub(crate) mod apn;
mod capture_file;
mod connect;
pub(crate) mod decode;
mod explain;
pub(crate) mod hwid;
mod identity;
mod list;
mod monitor;
mod pin;
mod portal;
pub(crate) mod portal_url;
pub(crate) mod provision;
mod radio;
pub(crate) mod replay;
mod settings;
mod signal;
mod status;
pub(crate) mod trace;
mod usage;

use std::io::Read;
use std::path::Path;

use zbus::proxy::{CacheProperties, Defaults, ProxyImpl};

use crate::arguments::Command;
use crate::bus::{self, Bus};
use crate::failure::Failure;
use crate::modem::Modem;
use crate::show::Output;

/// Runs a command that talks to the daemon.
pub(crate) async fn live(command: Command, on: &Bus, output: Output) -> Result<(), Failure> {
    let connection = bus::connect(on).await?;
    let work = async {
        match command {
            Command::List => list::run(&connection, output).await,
            Command::Status(which) => status::run(&connection, &which, output).await,
            Command::Monitor => monitor::run(&connection, output).await,
            Command::Agent(_) => agent::run(&connection, output).await,
            Command::Explain(which) => explain::run(&connection, &which, output).await,
            Command::Identity { which, reveal } => identity::run(&connection, &which, reveal, output).await,
            Command::Connect(wish) => connect::connect(&connection, &wish, output).await,
            Command::Disconnect(wish) => connect::disconnect(&connection, &wish, output).await,
            Command::Settings { words } => settings::run(&connection, &words, output).await,
            Command::Radio { state, which } => radio::run(&connection, state, &which, output).await,
            Command::Pin { operation, which } => pin::run(&connection, operation, &which, output).await,
            Command::Usage(wish) => usage::run(&connection, &wish, output).await,
            Command::Signal(which) => signal::run(&connection, &which, output).await,
            Command::Portal { which, open, qr } => portal::run(&connection, &which, open, qr, output).await,
            Command::Trace(wish) => trace::run(&connection, &wish, output).await,
            Command::Provision { command } => provision::live(&connection, command, output).await,
            Command::Hwid(_) | Command::Apn(_) | Command::PortalUrl(_) | Command::Decode(_) | Command::Replay(_) => {
                Err(Failure::failed("this command needs no daemon"))
            }
        }
    };
    // The daemon may leave at any moment; whoever waits for it is told.
    tokio::select! {
        biased;
        result = work => result,
        failure = bus::daemon_gone(&connection) => Err(failure),
    }
}

/// Proxy of an interface of a modem, without a cache: a command looks once.
async fn proxy<P>(connection: &zbus::Connection, modem: &Modem) -> Result<P, Failure>
where
    P: ProxyImpl<'static> + Defaults + From<zbus::Proxy<'static>>,
{
    let builder = P::builder(connection).path(modem.path.clone()).cache_properties(CacheProperties::No);
    Ok(builder.build().await?)
}

/// Reads a file, or standard input for `-`, up to a limit.
fn read(file: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let name = file.display();
    let mut bytes = Vec::new();
    let result = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| {
            // Room at once: growing by and by would copy a large file several times.
            let length = file.metadata().map_or(0, |data| data.len().min(limit));
            bytes.reserve_exact(usize::try_from(length).unwrap_or(0).saturating_add(32));
            file.take(limit + 1).read_to_end(&mut bytes)
        })
    };
    result.map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::invalid(format!("{name}: larger than {limit} octets")));
    }
    Ok(bytes)
}

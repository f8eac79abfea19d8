//! `mbimctl provision`.

mod apply;
mod jobs;
mod plan;
mod validate;

use zbus::Connection;

use crate::arguments::{Command, Provision};
use crate::bus::Bus;
use crate::failure::Failure;
use crate::show::Output;

/// Runs what needs no daemon here, the rest with one.
pub(crate) fn run(command: Provision, bus: &Bus, output: Output) -> Result<(), Failure> {
    match command {
        Provision::Validate { file } => validate::run(&file, output),
        Provision::Plan { file } => plan::run(&file, output),
        live => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
            runtime.block_on(super::live(Command::Provision { command: live }, bus, output))
        }
    }
}

pub(super) async fn live(connection: &Connection, command: Provision, output: Output) -> Result<(), Failure> {
    match command {
        Provision::Apply(wish) => apply::run(connection, &wish, output).await,
        Provision::List => jobs::list(connection, output).await,
        Provision::Show { job } => jobs::show(connection, job, output).await,
        Provision::Validate { .. } | Provision::Plan { .. } => Err(Failure::failed("this command needs no daemon")),
    }
}

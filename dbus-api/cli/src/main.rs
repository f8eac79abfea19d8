//! `mbimctl`: mbimd at the command line. Live commands use the public D-Bus API and nothing else, offline commands the
//! pure crates and nothing else.
#![forbid(unsafe_code)]

mod arguments;
mod bus;
mod command;
mod failure;
mod modem;
#[cfg(feature = "papers")]
mod papers;
mod qr;
mod settings;
mod show;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use failure::Failure;
use show::Output;

fn main() -> ExitCode {
    #[cfg(feature = "papers")]
    if let Some(ended) = papers::asked() {
        return ended;
    }
    let arguments = Arguments::read();
    let output = Output { json: arguments.common.json };
    match run(arguments, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.status())
        }
    }
}

fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    match arguments.command {
        Command::Hwid(identity) => command::hwid::run(&identity, output),
        Command::Apn(question) => command::apn::run(&question, output),
        Command::PortalUrl(question) => command::portal_url::run(&question, output),
        Command::Decode(question) => command::decode::run(&question, output),
        Command::Replay(question) => command::replay::run(&question, output),
        Command::Provision { command } => command::provision::run(command, &arguments.common.bus, output),
        Command::Agent(wish) if command::agent::stays(&wish) => {
            runtime()?.block_on(command::agent::stay(&wish, &arguments.common.bus))
        }
        Command::Trace(wish) if wish.proxy.is_some() => runtime()?.block_on(command::trace::ride(&wish, output)),
        live => runtime()?.block_on(command::live(live, &arguments.common.bus, output)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))
}

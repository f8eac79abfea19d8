//! `mbimctl provision`.

mod apply;
mod documents;
mod jobs;
mod plan;
mod sign;
mod signers;
mod trust;
mod validate;

use std::io::Write;

use zbus::Connection;

use crate::arguments::{Apply, Command, Provision, Source};
use crate::bus::Bus;
use crate::failure::Failure;
use crate::show::Output;

/// Runs what needs no daemon here, the rest with one.
pub(crate) fn run(command: Provision, bus: &Bus, output: Output) -> Result<(), Failure> {
    match command {
        Provision::Validate { file } => validate::run(&file, output),
        Provision::Plan { file } => plan::run(&file, output),
        Provision::Sign(wish) => sign::sign(&wish, output),
        Provision::Verify(wish) => sign::verify(&wish, output),
        Provision::TestCert(wish) => sign::test_cert(&wish, output),
        Provision::Trust(wish) => trust::run(&wish, output),
        live => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
            let pause = matches!(live, Provision::Open { pause: true, .. });
            let done = runtime.block_on(super::live(Command::Provision { command: live }, bus, output));
            if pause { paused(done) } else { done }
        }
    }
}

/// Says what went wrong before the terminal closes, and waits for the person to have read it.
fn paused(done: Result<(), Failure>) -> Result<(), Failure> {
    let done = done.map_err(Failure::printed);
    // Nobody there to read or to answer: nothing to wait for.
    let _ = write!(std::io::stderr(), "Press Enter to close.");
    let _ = std::io::stdin().read_line(&mut String::new());
    done
}

pub(super) async fn live(connection: &Connection, command: Provision, output: Output) -> Result<(), Failure> {
    match command {
        Provision::Apply(wish) => apply::run(connection, &wish, output).await,
        Provision::List => documents::list(connection, output).await,
        Provision::Show { document } => documents::show(connection, document, output).await,
        Provision::Remove { document } => documents::remove(connection, document, output).await,
        Provision::Refresh { document } => documents::refresh(connection, document, output).await,
        Provision::Open { file, .. } => {
            let wish = Apply { file, source: Source::Website, dry_run: false, wait: false, modem: None };
            apply::run(connection, &wish, output).await
        }
        Provision::Signers { revoke } => signers::run(connection, revoke.as_deref(), output).await,
        Provision::Validate { .. }
        | Provision::Plan { .. }
        | Provision::Sign(_)
        | Provision::Verify(_)
        | Provision::TestCert(_)
        | Provision::Trust(_) => Err(Failure::failed("this command needs no daemon")),
    }
}

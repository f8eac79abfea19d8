//! `virtual-modem --listen unix:/path [--profile NAME]`: a modem on a unix socket, one connection = plugged.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::UnixListener;
use tokio::sync::mpsc::unbounded_channel;
use virtual_modem::serve::{Closing, listen};
use virtual_modem::{NAMES, Profile, VirtualModem};

const USAGE: &str = "usage: virtual-modem --listen unix:/path [--profile NAME] [--keep]\n\
    --profile NAME  which modem (default instant)\n\
    --keep          a host that closes does not unplug it\n\
profiles:";

fn main() -> ExitCode {
    let mut listen_on = None;
    let mut profile = Some(Profile::default());
    let mut closing = Closing::Unplug;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => listen_on = arguments.next().and_then(|spec| spec.strip_prefix("unix:").map(PathBuf::from)),
            "--profile" => profile = arguments.next().and_then(|name| Profile::named(&name)),
            "--keep" => closing = Closing::Keep,
            _ => return usage(),
        }
    }
    let (Some(path), Some(profile)) = (listen_on, profile) else { return usage() };
    match run(&path, profile, closing) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("virtual-modem: {}: {error}", path.display()));
            ExitCode::FAILURE
        }
    }
}

fn run(path: &Path, profile: Profile, closing: Closing) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // A socket that an earlier run left behind.
        if std::os::unix::net::UnixStream::connect(path).is_err() && path.exists() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let (_control, orders) = unbounded_channel();
        let (events, mut happened) = unbounded_channel();
        let serving = listen(listener, VirtualModem::new(profile), closing, orders, events);
        tokio::pin!(serving);
        loop {
            tokio::select! {
                result = &mut serving => return result,
                Some(event) = happened.recv() => {
                    writeln!(std::io::stdout(), "{:10.3} s {:?}", event.at.as_secs_f64(), event.output)?;
                }
            }
        }
    })
}

fn usage() -> ExitCode {
    let names: String = NAMES.iter().map(|(name, what)| format!("\n    {name:20}{what}")).collect();
    complain(&format!("{USAGE}{names}"));
    ExitCode::from(2)
}

fn complain(text: &str) {
    // Nobody is left to tell if standard error is gone.
    drop(writeln!(std::io::stderr(), "{text}"));
}

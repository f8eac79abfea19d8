//! A modem to connect to, as a program: on a unix socket (`--listen unix:/path`), or as a USB device over USB/IP
//! (`--usbip ADDRESS:PORT`). One connection is one plug.

#![forbid(unsafe_code)]

use core::fmt;
use core::time::Duration;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::UnixListener;
use tokio::sync::mpsc::unbounded_channel;
use virtual_modem::serve::{Closing, listen};
use virtual_modem::{NAMES, Profile, VirtualModem};

const USAGE: &str = "usage: virtual-modem --listen unix:/path [--profile NAME] [--keep]
       virtual-modem --usbip ADDRESS:PORT [--profile NAME] [--keep] [--attach] [USB options]
    --profile NAME  which modem (default instant)
    --keep          a host that closes does not unplug it
USB options (if built with them):
    --attach            give it to this machine's vhci_hcd at once
    --speed high|super  default super
    --id VVVV:PPPP      vendor and product in hexadecimal, default 1209:0001
    --ntb16             offer no NTB32
    --data tun[:NAME]   session 0 is a TUN device here, default modem0; its other end is the host's wwan0
profiles:";

/// What the command line says.
struct Wanted {
    listen: Option<PathBuf>,
    profile: Profile,
    closing: Closing,
    #[cfg(feature = "usb")]
    usb: usb::Wanted,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(wanted) = read(&mut arguments) else { return usage() };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let result = runtime.block_on(run(wanted));
    // An attachment in progress is not waited for.
    runtime.shutdown_background();
    match result {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => failed(&error),
        None => usage(),
    }
}

fn read(arguments: &mut impl Iterator<Item = String>) -> Option<Wanted> {
    let mut wanted = Wanted {
        listen: None,
        profile: Profile::default(),
        closing: Closing::Unplug,
        #[cfg(feature = "usb")]
        usb: usb::Wanted::default(),
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => wanted.listen = Some(PathBuf::from(arguments.next()?.strip_prefix("unix:")?)),
            "--profile" => wanted.profile = Profile::named(&arguments.next()?)?,
            "--keep" => wanted.closing = Closing::Keep,
            #[cfg(feature = "usb")]
            other => wanted.usb.read(other, arguments)?,
            #[cfg(not(feature = "usb"))]
            _ => return None,
        }
    }
    Some(wanted)
}

/// `None`: nothing was wanted.
async fn run(wanted: Wanted) -> Option<Result<(), std::io::Error>> {
    if let Some(path) = wanted.listen {
        let result = on_socket(&path, wanted.profile, wanted.closing).await;
        return Some(result.map_err(|error| std::io::Error::other(format!("{}: {error}", path.display()))));
    }
    #[cfg(feature = "usb")]
    if wanted.usb.address.is_some() {
        return Some(usb::serve(wanted.usb, wanted.profile, wanted.closing).await);
    }
    None
}

async fn on_socket(path: &Path, profile: Profile, closing: Closing) -> std::io::Result<()> {
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
            Some(event) = happened.recv() => tell(event.at, &event.output)?,
        }
    }
}

#[cfg(feature = "usb")]
mod usb {
    use super::tell;
    use std::io;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;
    use virtual_modem::serve::Closing;
    use virtual_modem::usb::{Server, Speed, UsbProfile, attach};
    use virtual_modem::{Profile, VirtualModem};

    /// What the command line says about the USB device.
    #[derive(Default)]
    pub(super) struct Wanted {
        pub(super) address: Option<SocketAddr>,
        attach: bool,
        tun: Option<String>,
        look: UsbProfile,
    }

    impl Wanted {
        pub(super) fn read(&mut self, argument: &str, more: &mut impl Iterator<Item = String>) -> Option<()> {
            match argument {
                "--usbip" => self.address = Some(more.next()?.parse().ok()?),
                "--attach" => self.attach = true,
                "--ntb16" => self.look.ntb32 = false,
                "--speed" => {
                    self.look.speed = match more.next()?.as_str() {
                        "high" => Speed::High,
                        "super" => Speed::Super,
                        _ => return None,
                    }
                }
                "--id" => {
                    let id = more.next()?;
                    let (vendor, product) = id.split_once(':')?;
                    self.look.vendor = u16::from_str_radix(vendor, 16).ok()?;
                    self.look.product = u16::from_str_radix(product, 16).ok()?;
                }
                "--data" => {
                    let data = more.next()?;
                    let name = data.strip_prefix("tun")?;
                    self.tun = Some(if name.is_empty() { "modem0" } else { name.strip_prefix(':')? }.to_owned());
                }
                _ => return None,
            }
            Some(())
        }
    }

    pub(super) async fn serve(wanted: Wanted, profile: Profile, closing: Closing) -> io::Result<()> {
        let Some(address) = wanted.address else { return Ok(()) };
        let listener = TcpListener::bind(address).await?;
        let bus_id = wanted.look.bus_id.clone();
        let mut server = Server::new(listener, VirtualModem::new(profile), wanted.look, closing);
        let address = server.address()?;
        let network = network(&mut server, wanted.tun.as_deref())?;
        tokio::pin!(network);
        if wanted.attach {
            // It blocks until the server has answered, so that it has a thread of its own.
            tokio::task::spawn_blocking(move || match attach::attach(address, &bus_id) {
                Ok(attached) => super::complain(&format!("attached at {attached}")),
                Err(error) => super::complain(&format!("virtual-modem: attaching: {error}")),
            });
        }
        loop {
            tokio::select! {
                event = server.event() => tell(server.elapsed(), &event?)?,
                end = &mut network => return end,
            }
        }
    }

    #[cfg(feature = "tun")]
    fn network(server: &mut Server, name: Option<&str>) -> io::Result<impl Future<Output = io::Result<()>> + use<>> {
        let parts = match name {
            Some(name) => Some((virtual_modem::usb::tun::Tun::new(name, 1500)?, server.datagrams(0, 256))),
            None => None,
        };
        Ok(async move {
            match parts {
                Some((tun, datagrams)) => tun.carry(datagrams).await,
                None => core::future::pending().await,
            }
        })
    }

    #[cfg(not(feature = "tun"))]
    fn network(_: &mut Server, name: Option<&str>) -> io::Result<impl Future<Output = io::Result<()>> + use<>> {
        match name {
            Some(_) => Err(io::Error::other("built without TUN")),
            None => Ok(core::future::pending()),
        }
    }
}

fn tell(at: Duration, what: &impl fmt::Debug) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{:10.3} s {what:?}", at.as_secs_f64())
}

fn failed(error: &std::io::Error) -> ExitCode {
    complain(&format!("virtual-modem: {error}"));
    ExitCode::FAILURE
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

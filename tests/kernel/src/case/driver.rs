//! The stock driver and the virtual modem: it binds, messages pass through its node and packets through its interface,
//! and it comes and goes as a cable would have it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::time::Instant;

use harness::line::Happening;
use harness::usb::{Setup, UsbLine};
use harness::virtual_modem::usb::attach::Attached;
use harness::virtual_modem::usb::{Speed, UsbProfile};
use harness::virtual_modem::{Order, Output};
use harness::virtual_operator::address::{PROBE, WWW};
use harness::virtual_operator::internet::{CHARGEN, DISCARD, Octets};
use harness::virtual_operator::{Error, Scenario, While};
use harness::wait;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;

const REAL: Real = Real::No("it plugs and unplugs a virtual modem");

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "driver",
        what: "cdc_mbim binds, mbimcli connects, ping passes; unbind, unplug and a firmware reset, and back each time",
        boot: Boot::Plain,
        apart: false,
        real: REAL,
        limit: Duration::from_secs(180),
        run: |guest| Box::pin(driver(guest)),
    },
    Case {
        name: "driver-sessions",
        what: "a second session passes through a VLAN of the interface, beside the first",
        boot: Boot::Plain,
        apart: false,
        real: REAL,
        limit: Duration::from_secs(120),
        run: |guest| Box::pin(sessions(guest)),
    },
    Case {
        name: "driver-blocks",
        what: "blocks of every size that the driver can be told to make arrive whole, and so does a TCP stream each way",
        boot: Boot::Plain,
        apart: false,
        real: REAL,
        limit: Duration::from_secs(180),
        run: |guest| Box::pin(blocks(guest)),
    },
];

/// How long the kernel may take to make or remove its devices.
const ENUMERATION: Duration = Duration::from_secs(30);
/// Rounds of ping of which one must be without loss.
const ROUNDS: u32 = 8;
/// Octets of each measured transfer.
pub(super) const TRANSFER: usize = 8 << 20;

/// An attached modem and what the kernel made of it.
struct Bound {
    attached: Attached,
    /// /sys/bus/usb/devices/2-1.
    device: PathBuf,
    /// /dev/cdc-wdm0.
    node: PathBuf,
    /// wwan0.
    link: String,
}

impl Bound {
    async fn new(line: &UsbLine) -> Result<Self, Error> {
        let attached = line.attach().await?;
        let device =
            wait::until("the kernel to address the modem", ENUMERATION, || async { attached.device() }).await?;
        let (node, link) = Self::bound(&device).await?;
        Ok(Self { attached, device, node, link })
    }

    /// Node and interface of the communication interface.
    async fn bound(device: &Path) -> Result<(PathBuf, String), Error> {
        let control = interface(device);
        let node = wait::until("the node of the driver", ENUMERATION, || async {
            let node = Path::new("/dev").join(only(&control.join("usbmisc"))?);
            node.exists().then_some(node)
        })
        .await?;
        let link = wait::until("the link of the driver", ENUMERATION, || async { only(&control.join("net")) }).await?;
        // udevd may be about to give it another name.
        Ok((node, link))
    }

    async fn gone(&self, guest: &Guest) -> Result<(), Error> {
        guest.no_path(&self.node, ENUMERATION).await?;
        guest.no_path(Path::new("/sys/class/net").join(&self.link), ENUMERATION).await
    }

    /// One of the driver's own settings of the data plane.
    fn setting(&self, name: &str) -> PathBuf {
        Path::new("/sys/class/net").join(&self.link).join("cdc_ncm").join(name)
    }

    fn read(&self, name: &str) -> Result<u32, Error> {
        let text = fs::read_to_string(self.setting(name)).trying(format!("reading {name}"))?;
        let text = text.trim();
        let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u32::from_str_radix(digits, 16));
        number.trying(format!("reading {name}"))
    }

    async fn write(&self, name: &str, value: &str) -> Result<(), Error> {
        write(&self.setting(name), value).await
    }
}

/// Writes a file of the kernel behind which the driver talks to the modem: never on the thread that serves it.
async fn write(path: &Path, value: &str) -> Result<(), Error> {
    let doing = format!("writing {value} to {}", path.display());
    let (path, value) = (path.to_owned(), value.to_owned());
    tokio::task::spawn_blocking(move || fs::write(path, value)).await.trying(&doing)?.trying(&doing)
}

/// The communication interface in sysfs.
fn interface(device: &Path) -> PathBuf {
    let name = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    device.join(format!("{name}:1.0"))
}

/// The one entry of a folder.
fn only(folder: &Path) -> Option<String> {
    fs::read_dir(folder).ok()?.flatten().next().map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// mbimcli in one session of messages: it leaves the node open for the next call.
struct Cli<'a> {
    guest: &'a Guest,
    device: String,
    transaction: Option<String>,
}

impl<'a> Cli<'a> {
    fn new(guest: &'a Guest, bound: &Bound) -> Self {
        Self { guest, device: bound.node.display().to_string(), transaction: None }
    }

    async fn run(&mut self, argument: &str) -> Result<String, Error> {
        let open = self.transaction.take().map(|transaction| format!("--no-open={transaction}"));
        let mut arguments = vec!["--device", &self.device, "--no-close", argument];
        arguments.extend(open.as_deref());
        let text = self.guest.command("mbimcli", &arguments).await?.success()?;
        let after = text.split("TRID: '").nth(1).and_then(|rest| rest.split('\'').next());
        self.transaction = after.map(str::to_owned);
        Ok(text)
    }

    async fn connect(&mut self, session: u8, apn: &str) -> Result<(), Error> {
        let text = self.run(&format!("--connect=session-id={session},access-string={apn},ip-type=ipv4")).await?;
        if !text.contains("'activated'") {
            return Err(Error::new(format!("connecting session {session}"), text));
        }
        Ok(())
    }
}

async fn ip(guest: &Guest, line: &str) -> Result<(), Error> {
    let words: Vec<&str> = line.split(' ').collect();
    guest.command("ip", &words).await?.success().map(drop)
}

/// Gives a link the address that the session got, and the way to one host.
async fn configure(guest: &Guest, line: &UsbLine, session: u32, link: &str, host: Ipv4Addr) -> Result<(), Error> {
    let doing = format!("looking for the address of session {session}");
    let state = line.state().await?;
    let found = state.sessions.iter().find(|(id, _)| *id == session);
    let v4 = found.and_then(|(_, settings)| settings.ip.v4.as_ref()?.address);
    let (address, _) = v4.ok_or_else(|| Error::new(doing, format!("{state:?}")))?;
    ip(guest, &format!("link set {link} up")).await?;
    ip(guest, &format!("addr replace {address}/32 dev {link}")).await?;
    ip(guest, &format!("route replace {host}/32 dev {link} src {address}")).await
}

/// Pings until all of one round come back. The driver loses a block now and then where the processor is slow: that is
/// seen in its sequence numbers, and is no fault of the modem's.
async fn ping(guest: &Guest, line: &UsbLine, link: &str, host: Ipv4Addr, size: u32) -> Result<(), Error> {
    let (size, host) = (size.to_string(), host.to_string());
    let before = line.counters().await?;
    let mut said = String::new();
    for _ in 0..ROUNDS {
        let arguments = ["-I", link, "-c", "10", "-i", "0.02", "-W", "5", "-s", &size, "-q", &host];
        let text = guest.command("ping", &arguments).await?;
        said = text.output;
        if text.status == 0 && said.contains(" 0% packet loss") {
            return Ok(());
        }
        let lost = line.counters().await?.missing - before.missing;
        guest.progress(&format!("{} ({lost} blocks missing)", said.lines().rev().nth(1).unwrap_or_default()));
    }
    let after = line.counters().await?;
    Err(Error::new(format!("ping through {link}"), format!("{said}; before {before:?}, after {after:?}")))
}

async fn modules(guest: &Guest) -> Result<(), Error> {
    for module in ["vhci_hcd", "cdc_mbim", "8021q", "tun"] {
        guest.load(module).await?;
    }
    Ok(())
}

fn open() -> Scenario {
    Scenario { name: "open".into(), plan_needed: false, ..Scenario::garden() }
}

async fn happened(line: &mut UsbLine, what: &str, is: impl Fn(&Happening) -> bool) -> Result<(), Error> {
    wait::at_most(what, ENUMERATION, async {
        loop {
            match line.happening().await {
                Some(happening) if is(&happening) => return Ok(()),
                Some(Happening::Failed(why)) => return Err(Error::new(format!("waiting for {what}"), why)),
                None => return Err(Error::new(format!("waiting for {what}"), "the line has ended")),
                Some(_) => {}
            }
        }
    })
    .await?
}

async fn driver(guest: &mut Guest) -> Outcome {
    modules(guest).await?;
    for speed in [Speed::High, Speed::Super] {
        let look = UsbProfile { ntb32: speed == Speed::Super, ..UsbProfile::default().at(speed) };
        let formats = if look.ntb32 { 3 } else { 1 };
        let mut line = UsbLine::start(Setup { look, ..Setup::of(&open()) }).await?;
        let start = Instant::now();
        let bound = Bound::new(&line).await?;
        guest.figure(&format!("attach to node, {speed:?}"), start.elapsed().as_secs_f64(), "s");
        let driver = fs::read_link(interface(&bound.device).join("driver"))?;
        if driver.file_name().is_none_or(|name| name != "cdc_mbim") {
            return Err(format!("bound to {}", driver.display()).into());
        }
        if bound.read("bmNtbFormatsSupported")? != formats {
            return Err("the driver sees other formats than are offered".into());
        }
        let mut cli = Cli::new(guest, &bound);
        let capabilities = cli.run("--query-device-caps").await?;
        if !capabilities.contains("Device ID: '352099746183058'") {
            return Err(format!("mbimcli understood {capabilities}").into());
        }
        cli.run("--query-subscriber-ready-status").await?;
        connected(guest, &mut cli, &mut line, &bound).await?;
        if speed == Speed::High {
            bound.attached.detach()?;
            line.stop().await;
            continue;
        }
        guest.progress("unbind and bind");
        let name = interface(&bound.device).file_name().unwrap_or_default().to_string_lossy().into_owned();
        write(Path::new("/sys/bus/usb/drivers/cdc_mbim/unbind"), &name).await?;
        bound.gone(guest).await?;
        write(Path::new("/sys/bus/usb/drivers/cdc_mbim/bind"), &name).await?;
        let (node, link) = Bound::bound(&bound.device).await?;
        let mut bound = Bound { node, link, ..bound };
        connected(guest, &mut Cli::new(guest, &bound), &mut line, &bound).await?;

        guest.progress("unplug and plug");
        let Bound { attached, node, link, .. } = bound;
        attached.detach()?;
        guest.no_path(&node, ENUMERATION).await?;
        guest.no_path(Path::new("/sys/class/net").join(&link), ENUMERATION).await?;
        happened(&mut line, "the session to end with the plug", |happening| {
            matches!(happening, Happening::Modem(Output::Unplugged))
        })
        .await?;
        bound = Bound::new(&line).await?;
        connected(guest, &mut Cli::new(guest, &bound), &mut line, &bound).await?;

        guest.progress("the firmware starts anew");
        line.order(Order::Reboot);
        bound.gone(guest).await?;
        happened(&mut line, "the modem to start anew", |h| matches!(h, Happening::Modem(Output::Rebooted))).await?;
        bound = Bound::new(&line).await?;
        connected(guest, &mut Cli::new(guest, &bound), &mut line, &bound).await?;
        let counters = line.counters().await?;
        if counters.faults.total() > 0 || counters.oversized > 0 {
            return Err(format!("the driver's blocks: {counters:?}").into());
        }
        // The stock driver takes 16-bit blocks also where it is offered others (see README.md).
        if counters.wide > 0 || counters.blocks_from_host == 0 || counters.blocks_to_host == 0 {
            return Err(format!("blocks with 32-bit lengths: {counters:?}").into());
        }
        bound.attached.detach()?;
        line.stop().await;
    }
    Ok(())
}

/// Connects the first session and pings the internet through it.
async fn connected(guest: &Guest, cli: &mut Cli<'_>, line: &mut UsbLine, bound: &Bound) -> Result<(), Error> {
    let scenario = open();
    // A modem that has just got power is not registered at once.
    wait::until("the modem to register", ENUMERATION, || async {
        let state = line.state().await.ok()?;
        (state.packet_service_state == 2).then_some(())
    })
    .await?;
    cli.run("--query-subscriber-ready-status").await?;
    cli.connect(0, &scenario.apn).await?;
    let state = line.state().await?;
    if state.sessions.first().map(|(session, _)| *session) != Some(0) {
        return Err(Error::new("connecting", format!("{state:?}")));
    }
    configure(guest, line, 0, &bound.link, WWW.ipv4).await?;
    ping(guest, line, &bound.link, WWW.ipv4, 56).await?;
    ping(guest, line, &bound.link, WWW.ipv4, 1372).await
}

async fn sessions(guest: &mut Guest) -> Outcome {
    modules(guest).await?;
    let scenario = open();
    let mut line = UsbLine::start(Setup { sessions: vec![0, 1], ..Setup::of(&scenario) }).await?;
    let bound = Bound::new(&line).await?;
    let mut cli = Cli::new(guest, &bound);
    connected(guest, &mut cli, &mut line, &bound).await?;
    let vlan = format!("{}.1", bound.link);
    ip(guest, &format!("link add link {} name {vlan} type vlan id 1", bound.link)).await?;
    cli.connect(1, &scenario.plan_apn).await?;
    configure(guest, &line, 1, &vlan, PROBE.ipv4).await?;
    for _ in 0..3 {
        ping(guest, &line, &vlan, PROBE.ipv4, 1000).await?;
        ping(guest, &line, &bound.link, WWW.ipv4, 1000).await?;
    }
    // One session goes down alone.
    line.order(Order::DropSession { session: 1, cause: 36 });
    happened(&mut line, "session 1 to end", |h| matches!(h, Happening::Modem(Output::SessionDown { session: 1 })))
        .await?;
    let host = PROBE.ipv4.to_string();
    let lost = guest.command("ping", &["-I", &vlan, "-c", "2", "-W", "1", "-q", &host]).await?;
    if lost.status == 0 {
        return Err(format!("packets pass through a session that is down: {}", lost.output).into());
    }
    ping(guest, &line, &bound.link, WWW.ipv4, 1000).await?;
    ip(guest, &format!("link delete {vlan}")).await?;
    bound.attached.detach()?;
    line.stop().await;
    Ok(())
}

async fn blocks(guest: &mut Guest) -> Outcome {
    modules(guest).await?;
    let mut line = UsbLine::start(Setup::of(&open())).await?;
    let bound = Bound::new(&line).await?;
    let mut cli = Cli::new(guest, &bound);
    connected(guest, &mut cli, &mut line, &bound).await?;
    let before = line.counters().await?;
    for (up, down) in [(4096, 2048), (8192, 3072), (16_384, 16_384), (32_768, 32_768)] {
        bound.write("tx_max", &up.to_string()).await?;
        bound.write("rx_max", &down.to_string()).await?;
        // The driver adds a byte to blocks that would end on a whole packet.
        let (rx, tx) = (bound.read("rx_max")?, bound.read("tx_max")?);
        if rx != down || !(up..=up + 1).contains(&tx) {
            return Err(format!("the driver took {tx} and {rx} instead of {up} and {down}").into());
        }
        ping(guest, &line, &bound.link, WWW.ipv4, 1372).await?;
    }
    bound.write("ndp_to_end", "Y").await?;
    ping(guest, &line, &bound.link, WWW.ipv4, 1372).await?;
    bound.write("ndp_to_end", "N").await?;
    for (name, port) in [("download", CHARGEN), ("upload", DISCARD)] {
        let host = SocketAddr::new(IpAddr::V4(WWW.ipv4), port);
        // On a thread of its own: this one serves the modem.
        let rate = tokio::task::spawn_blocking(move || transfer(host, TRANSFER)).await??;
        guest.figure(name, rate / 1e6, "Mbit/s");
    }
    let after = line.counters().await?;
    let (blocks, datagrams) =
        (after.blocks_to_host - before.blocks_to_host, after.datagrams_to_host - before.datagrams_to_host);
    guest.figure("datagrams in a block to the host", ratio(datagrams, blocks), "");
    let (blocks, datagrams) =
        (after.blocks_from_host - before.blocks_from_host, after.datagrams_from_host - before.datagrams_from_host);
    guest.figure("datagrams in a block from the host", ratio(datagrams, blocks), "");
    guest.figure("blocks from the host missing", ratio(after.missing * 100, blocks), "%");
    if after.faults.total() > 0 || after.oversized > 0 {
        return Err(format!("the driver's blocks: {after:?}").into());
    }
    bound.attached.detach()?;
    line.stop().await;
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "counters of a short run")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Moves so many octets to or from a host; bits per second. Those that come must be the ones that were sent.
pub(super) fn transfer(host: SocketAddr, octets: usize) -> std::io::Result<f64> {
    let mut stream = TcpStream::connect_timeout(&host, ENUMERATION)?;
    stream.set_read_timeout(Some(ENUMERATION))?;
    stream.set_write_timeout(Some(ENUMERATION))?;
    let (mut buffer, mut expected) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut sent = Octets::default();
    let start = Instant::now();
    let mut moved = 0;
    while moved < octets {
        moved += if host.port() == DISCARD {
            stream.write_all(&buffer)?;
            buffer.len()
        } else {
            let size = stream.read(&mut buffer)?;
            if size == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            sent.fill(&mut expected[..size]);
            if buffer[..size] != expected[..size] {
                return Err(std::io::Error::other(format!("other octets than were sent, behind octet {moved}")));
            }
            size
        };
    }
    if host.port() == DISCARD {
        // The other side closes when it has read everything.
        stream.shutdown(Shutdown::Write)?;
        while stream.read(&mut buffer)? > 0 {}
    }
    #[allow(clippy::cast_precision_loss, reason = "some megabytes")]
    Ok(moved as f64 * 8.0 / start.elapsed().as_secs_f64())
}

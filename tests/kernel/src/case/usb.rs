//! Modems without the kernel's driver: the daemon claims the device, and packets pass through a TUN interface. Apart until
//! they have been seen to pass in the guest.

use std::path::Path;

use core::time::Duration;

use dbus_api::name::MODEM;
use harness::usb;
use harness::virtual_modem::usb::{Pipe, UsbFault, UsbProfile};
use harness::virtual_operator::Error;
use harness::virtual_operator::address::{DATA_LINK, DNS, PROBE, WWW};
use harness::wait;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "usb-claim",
        what: "a device of cdc_mbim is refused with advice; with detach online through TUN; the driver gets it back",
        boot: Boot::Plain,
        apart: true,
        real: Real::No("it takes the device from the kernel"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(claim(guest)),
    },
    Case {
        name: "usb-nodriver",
        what: "without cdc_mbim the daemon finds the modem by itself and is online through TUN, in NTB32 too",
        boot: Boot::Plain,
        apart: true,
        real: Real::No("it needs a kernel without the driver"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(no_driver(guest)),
    },
    Case {
        name: "usb-hostile",
        what: "a device that stalls, halts, floods, sends garbage, takes nothing or vanishes: named, mended, freed",
        boot: Boot::Plain,
        apart: true,
        real: Real::No("a real modem is not hostile on order"),
        limit: Duration::from_secs(600),
        run: |guest| Box::pin(hostile(guest)),
    },
];

/// Interface of the first modem.
const LINK: &str = "mbim0";
/// The node of the kernel's driver.
const NODE: &str = "/dev/cdc-wdm0";
/// The device as the daemon is told of it.
const DEVICE: &str = "usb:1209:0001";
/// The same with the right to take it from the driver.
const DETACH: &str = "usb:1209:0001,detach";

/// Packets of all sizes pass, and the operator's name server answers.
async fn reach(guest: &Guest, label: &str) -> Outcome {
    let to = WWW.ipv4.to_string();
    for size in ["0", "56", "1392"] {
        let ping = ["-n", "-q", "-I", LINK, "-M", "do", "-i", "0.1", "-c", "20", "-s", size, &to];
        let said = guest.command("ping", &ping).await?;
        let received = said
            .output
            .lines()
            .find_map(|line| line.split_once(" packets transmitted, ")?.1.split(' ').next()?.parse::<u32>().ok());
        // Unlike the kernel's driver nothing is lost here but what a queue drops.
        if received.unwrap_or_default() < 18 {
            return Err(format!("ping with {size} octets: {} {}", said.output, said.error).into());
        }
        if size == "56"
            && let Some(times) = said.output.split("min/avg/max/mdev = ").nth(1)
            && let Some(middle) = times.split('/').nth(1).and_then(|time| time.parse().ok())
        {
            guest.figure(&format!("{label}-ping"), middle, "ms");
        }
    }
    let server = DNS.ipv4.to_string();
    let answer = async || {
        let said = guest.command("busybox", &["nslookup", PROBE.name, &server]).await.ok()?;
        said.output.contains(&PROBE.ipv4.to_string()).then_some(())
    };
    Ok(wait::until("the name server's answer", PATIENCE, answer).await?)
}

/// The kernel's driver has the device, with both of its ends.
async fn has_driver(guest: &Guest) -> Outcome {
    guest.path(NODE, PATIENCE).await?;
    guest.path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await?;
    guest.command("udevadm", &["settle"]).await?.success()?;
    Ok(())
}

/// Waits for words in the daemon's log.
async fn logged(stage: &Stage, words: &str) -> Result<(), Error> {
    wait::until(words, PATIENCE, || async { stage.log().contains(words).then_some(()) }).await
}

/// The modem is shown as one over user-space USB.
async fn shown(stage: &Stage, number: u32) -> Outcome {
    let view = stage.client.view(number).await?;
    for (property, expected) in [("DataPort", LINK), ("Driver", "usbfs")] {
        let found = view.text(MODEM, property);
        if found != expected {
            return Err(format!("{property} is {found:?}, not {expected:?}").into());
        }
    }
    Ok(())
}

async fn claim(guest: &mut Guest) -> Outcome {
    guest.load("tun").await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    modem.plug().await?;
    has_driver(guest).await?;

    let stage = Stage::of(guest, &scenario, &roots, "", &[DEVICE.to_owned()]).await?;
    for words in ["driver cdc_mbim", "use /dev/cdc-wdm0", "add ,detach"] {
        logged(&stage, words).await?;
    }
    has_driver(guest).await?;
    stage.end().await?;
    guest.progress("refused with advice");

    let mut stage = Stage::of(guest, &scenario, &roots, "", &[DETACH.to_owned()]).await?;
    let number = stage.online().await?;
    shown(&stage, number).await?;
    guest.no_path(NODE, PATIENCE).await?;
    reach(guest, "ntb16").await?;
    guest.progress("online through TUN");
    stage.stop().await?;
    has_driver(guest).await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    guest.progress("the driver has it again");

    // A killed daemon leaves no interface; the next one takes the device again, and gives it back.
    stage.again().await?;
    stage.online().await?;
    stage.daemon.take().ok_or("the daemon does not run")?.kill().await?;
    stage.client.served(false).await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    stage.again().await?;
    stage.online().await?;
    stage.end().await?;
    has_driver(guest).await?;
    Ok(modem.end().await?)
}

/// Keeps the kernel's driver away for as long as it lives.
struct Driverless;

impl Driverless {
    const RULE: &str = "/run/modprobe.d/no-cdc-mbim.conf";

    async fn new(guest: &Guest) -> Result<Self, Box<dyn std::error::Error>> {
        std::fs::create_dir_all("/run/modprobe.d")?;
        std::fs::write(Self::RULE, "install cdc_mbim /bin/false\n")?;
        let this = Self;
        // It may not be loaded, which is as good.
        guest.command("rmmod", &["cdc_mbim"]).await?;
        guest.no_path("/sys/bus/usb/drivers/cdc_mbim", PATIENCE).await?;
        Ok(this)
    }
}

impl Drop for Driverless {
    fn drop(&mut self) {
        // Nothing can be done about a failure; the next case says what it misses.
        let _ = std::fs::remove_file(Self::RULE);
    }
}

async fn no_driver(guest: &mut Guest) -> Outcome {
    guest.load("tun").await?;
    let away = Driverless::new(guest).await?;
    let scenario = scenario("open")?;
    for wide in [false, true] {
        let setup = usb::Setup::of(&scenario);
        let mut modem = Modem::serve(usb::Setup { look: UsbProfile { ntb32: true, ..setup.look }, ..setup }).await?;
        let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
        let label = if wide { "ntb32" } else { "found" };
        let devices: Vec<String> = if wide { vec![format!("{DEVICE},ntb32")] } else { Vec::new() };
        let mut stage = Stage::of(guest, &scenario, &roots, "", &devices).await?;
        modem.plug().await?;
        let number = stage.online().await?;
        shown(&stage, number).await?;
        reach(guest, label).await?;
        guest.progress(label);
        modem.pull();
        stage.none().await?;
        guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
        stage.end().await?;
        modem.end().await?;
    }
    drop(away);
    guest.load("cdc_mbim").await.map_err(Into::into)
}

/// Waits until explain names a cause; `None` = nothing is wrong on the USB.
async fn explains(guest: &Guest, words: Option<&str>) -> Result<(), Error> {
    let what = words.unwrap_or("no trouble on the USB");
    wait::until(what, Duration::from_secs(150), || async {
        let said = guest.command("mbimctl", &["explain", "--json"]).await.ok()?;
        let found = match words {
            Some(words) => said.output.contains(words),
            None => said.status == 0 && !said.output.contains("\"usb\""),
        };
        found.then_some(())
    })
    .await
}

async fn hostile(guest: &mut Guest) -> Outcome {
    guest.load("tun").await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    modem.plug().await?;
    has_driver(guest).await?;
    let mut stage = Stage::of(guest, &scenario, &roots, "", &[DETACH.to_owned()]).await?;
    stage.online().await?;

    for pipe in [Pipe::BulkIn, Pipe::BulkOut, Pipe::Interrupt] {
        modem.line.fault(UsbFault::Halt(pipe));
        reach(guest, "after-halt").await?;
    }
    guest.progress("halts are cleared");

    modem.line.fault(UsbFault::Garbage((0..40).map(|octet| vec![octet; 700]).collect()));
    reach(guest, "after-garbage").await?;
    guest.progress("garbage is passed over");

    modem.line.fault(UsbFault::Flood { every: Duration::from_millis(1) });
    explains(guest, Some("announces answers")).await?;
    reach(guest, "in-flood").await?;
    modem.line.fault(UsbFault::Clear);
    guest.progress("a flood is named");

    modem.line.fault(UsbFault::Silent(Pipe::BulkOut));
    let to = WWW.ipv4.to_string();
    let flood = ["-n", "-q", "-I", LINK, "-i", "0.2", "-W", "1", "-c", "400", &to];
    guest.spawn("ping", "ping", &flood)?;
    explains(guest, Some("takes no packets")).await?;
    guest.stop("ping").await?;
    modem.line.fault(UsbFault::Clear);
    wait::until("packets again", Duration::from_secs(150), || async {
        let said = guest.command("ping", &["-n", "-q", "-I", LINK, "-W", "2", "-c", "1", &to]).await.ok()?;
        (said.status == 0).then_some(())
    })
    .await?;
    explains(guest, None).await?;
    guest.progress("an endpoint that takes nothing is named and reset");

    // Endpoint 0 refuses everything: the daemon stays, and so do the packets for as long as they pass.
    modem.line.fault(UsbFault::StallControl);
    guest.command("mbimctl", &["list"]).await?.success()?;
    modem.line.fault(UsbFault::Clear);

    modem.line.fault(UsbFault::Vanish(Pipe::BulkIn));
    guest.spawn("ping2", "ping", &flood)?;
    stage.none().await?;
    guest.stop("ping2").await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    guest.progress("a device that vanishes leaves nothing");
    stage.end().await?;
    Ok(modem.end().await?)
}

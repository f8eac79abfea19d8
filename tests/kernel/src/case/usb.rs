//! Modems without the kernel's driver: the daemon claims the device, and packets pass through a TUN interface.

use std::net::SocketAddr;
use std::path::Path;

use core::net::IpAddr;
use core::time::Duration;

use dbus_api::name::MODEM;
use harness::line::profile_for;
use harness::usb::Setup;
use harness::virtual_modem::usb::{Pipe, UsbFault, UsbProfile};
use harness::virtual_modem::{Order, Pace, Profile};
use harness::virtual_operator::Error;
use harness::virtual_operator::address::{DATA_LINK, DNS, PROBE, WWW};
use harness::virtual_operator::internet::{CHARGEN, DISCARD};
use harness::wait;
use scenarios::client::View;

use super::{Boot, Case, Outcome, Real, driver};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "usb-claim",
        what: "a device of cdc_mbim is refused with advice; given by udev it is online through TUN; the driver gets it back",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it takes the device from the kernel"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(claim(guest)),
    },
    Case {
        name: "usb-nodriver",
        what: "without cdc_mbim the daemon finds a modem by itself that is NCM at first, and the main job passes through TUN",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it needs a kernel without the driver"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(no_driver(guest)),
    },
    Case {
        name: "usb-speed",
        what: "a stream each way through the kernel's driver and through user-space USB, in both formats",
        boot: Boot::Plain,
        apart: true,
        real: Real::No("it takes the device from the kernel"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(speed(guest)),
    },
    Case {
        name: "usb-hostile",
        what: "a device that stalls, halts, floods, sends garbage, vanishes (:all also: is silent for ever on a pipe): named, mended, freed",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("a real modem is not hostile on order"),
        limit: Duration::from_secs(600),
        run: |guest| Box::pin(hostile(guest)),
    },
];

/// Interface of the first modem.
pub(super) const LINK: &str = "mbim0";
/// The node of the kernel's driver.
const NODE: &str = "/dev/cdc-wdm0";
/// The device as the daemon is told of it.
const DEVICE: &str = "usb:1209:0001";
/// The same with the right to take it from the driver.
const DETACH: &str = "usb:1209:0001,detach";
/// bRequest. `[NCM1.0 6.2]`
const GET_NTB_PARAMETERS: u8 = 0x80;

/// Packets of all sizes pass, and the operator's name server answers.
pub(super) async fn reach(guest: &Guest, label: &str) -> Outcome {
    let to = WWW.ipv4.to_string();
    for size in ["0", "56", "1392"] {
        let ping = ["-n", "-q", "-I", LINK, "-M", "do", "-i", "0.05", "-c", "20", "-s", size, &to];
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

/// Gives the device to user-space USB by a rule of udev for as long as it lives.
pub(super) struct Given;

impl Given {
    const RULE: &str = "/run/udev/rules.d/50-given.rules";

    /// The rule is in force for what is plugged in already.
    pub(super) async fn new(guest: &Guest) -> Result<Self, Box<dyn std::error::Error>> {
        std::fs::create_dir_all("/run/udev/rules.d")?;
        let of = r#"ACTION!="remove", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="1209", ATTR{idProduct}=="0001""#;
        std::fs::write(Self::RULE, format!(r#"{of}, ENV{{MBIMD_TRANSPORT}}="usb", ENV{{MBIMD_USB_DETACH}}="1""#))?;
        let this = Self;
        this.tell(guest).await?;
        Ok(this)
    }

    pub(super) async fn end(self, guest: &Guest) -> Outcome {
        std::fs::remove_file(Self::RULE)?;
        self.tell(guest).await
    }

    async fn tell(&self, guest: &Guest) -> Outcome {
        guest.command("udevadm", &["control", "--reload"]).await?.success()?;
        let again = ["trigger", "--settle", "--subsystem-match=usb", "--attr-match=idVendor=1209"];
        guest.command("udevadm", &again).await?.success()?;
        Ok(())
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        // It may have ended properly.
        let _ = std::fs::remove_file(Self::RULE);
    }
}

async fn claim(guest: &mut Guest) -> Outcome {
    guest.load("tun").await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    modem.plug().await?;
    has_driver(guest).await?;

    let mut stage = Stage::of(guest, &scenario, &roots, "", &[DEVICE.to_owned()]).await?;
    stage.some("the refusal", |view| refused(view, "usb-held-by-driver")).await?;
    for words in ["driver cdc_mbim", "use /dev/cdc-wdm0, or add ,detach"] {
        explains(guest, Some(words)).await?;
    }
    has_driver(guest).await?;
    stage.end().await?;
    guest.progress("refused with advice");

    // A killed daemon leaves no interface; the next one takes the device again, and gives it back.
    let given = Given::new(guest).await?;
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    let number = stage.online().await?;
    shown(&stage, number).await?;
    guest.no_path(NODE, PATIENCE).await?;
    reach(guest, "claimed").await?;
    guest.progress("given by a rule of udev, and online through TUN");
    stage.kill().await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    stage.again().await?;
    stage.online().await?;
    stage.end().await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    has_driver(guest).await?;
    given.end(guest).await?;
    Ok(modem.end().await?)
}

/// Keeps the kernel's driver away for as long as it lives.
struct Driverless;

impl Driverless {
    const RULE: &str = "/etc/modprobe.d/no-cdc-mbim.conf";

    async fn new(guest: &Guest) -> Result<Self, Box<dyn std::error::Error>> {
        std::fs::write(Self::RULE, "blacklist cdc_mbim\n")?;
        let this = Self;
        // udevd has read what there was.
        guest.command("udevadm", &["control", "--reload"]).await?.success()?;
        // It may not be loaded, which is as good.
        guest.command("rmmod", &["cdc_mbim"]).await?;
        guest.no_path("/sys/bus/usb/drivers/cdc_mbim", PATIENCE).await?;
        Ok(this)
    }
}

impl Driverless {
    async fn end(self, guest: &Guest) -> Outcome {
        drop(self);
        guest.command("udevadm", &["control", "--reload"]).await?.success()?;
        guest.load("cdc_mbim").await.map_err(Into::into)
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
    let scenario = scenario("garden")?;
    // One that is NCM until it is made MBIM, and stalls what comes before.
    let profile = Profile { pace: Pace::default(), ..profile_for(&scenario) };
    let look = UsbProfile { dual: true, ..UsbProfile::default() };
    let mut modem = Modem::serve(Setup { profile, look, ..Setup::of(&scenario) }).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    modem.plug().await?;
    // The main job from one end to the other.
    let number = stage.walled().await?;
    stage.provision(number, &roots).await?;
    stage.online().await?;
    shown(&stage, number).await?;
    reach(guest, "driverless").await?;
    guest.progress("found, provisioned and online");
    modem.pull();
    stage.none().await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    stage.end().await?;
    modem.end().await?;
    away.end(guest).await
}

/// A stream each way through the default route.
async fn streams(guest: &Guest, modem: &Modem, label: &str) -> Result<[f64; 2], Box<dyn std::error::Error>> {
    let mut rates = [0.0; 2];
    for (rate, (name, port)) in rates.iter_mut().zip([("download", CHARGEN), ("upload", DISCARD)]) {
        let before = modem.line.counters().await?;
        let host = SocketAddr::new(IpAddr::V4(WWW.ipv4), port);
        // On a thread of its own: this one serves the operator.
        *rate = tokio::task::spawn_blocking(move || driver::transfer(host, driver::TRANSFER)).await??;
        let after = modem.line.counters().await?;
        guest.figure(&format!("{label} {name}"), *rate / 1e6, "Mbit/s");
        let blocks =
            (after.blocks_to_host - before.blocks_to_host) + (after.blocks_from_host - before.blocks_from_host);
        guest.figure(&format!("{label} {name} blocks"), blocks as f64, "");
        guest.figure(&format!("{label} {name} missing"), (after.missing - before.missing) as f64, "");
        if after.faults.total() > 0 || after.oversized > 0 || after.backward > 0 {
            return Err(format!("{label}: blocks from the host: {after:?}").into());
        }
    }
    Ok(rates)
}

async fn speed(guest: &mut Guest) -> Outcome {
    guest.load("tun").await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    modem.plug().await?;
    let wide = format!("{DETACH},ntb32");
    for _ in 0..guest.argument().and_then(|rounds| rounds.parse().ok()).unwrap_or(1) {
        for (label, device) in [("kernel", NODE), ("ntb16", DETACH), ("ntb32", &wide)] {
            has_driver(guest).await?;
            let mut stage = Stage::quiet(guest, &scenario, &roots, &[device.to_owned()]).await?;
            stage.online().await?;
            streams(guest, &modem, label).await?;
            stage.end().await?;
        }
    }
    Ok(modem.end().await?)
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

/// The device is there, cannot be had, and the code says why.
fn refused(view: &View, code: &str) -> bool {
    (view.text(MODEM, "Custody").as_str(), view.reason().as_str()) == ("withheld", code)
}

/// Descriptors of the device without its bulk endpoint to the device.
fn one_way(folder: &Path) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    const DEVICE: usize = 18;
    let mut octets = std::fs::read(folder.join("descriptors"))?.split_off(DEVICE);
    let last = octets.windows(3).rposition(|three| three == [7, 5, 0x02]).ok_or("no endpoint to the device")?;
    octets[last + 2] = 0x83;
    Ok(octets)
}

async fn hostile(guest: &mut Guest) -> Outcome {
    guest.load("tun").await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let folder = modem.plug().await?;
    has_driver(guest).await?;
    let bad = one_way(&folder)?;

    // It refuses to be set up, then it does not even say so, until it does all.
    let all = guest.argument() == Some("all");
    modem.line.fault(UsbFault::StallRequest(GET_NTB_PARAMETERS));
    let mut stage = Stage::of(guest, &scenario, &roots, "", &[DETACH.to_owned()]).await?;
    stage.some("the refusal", |view| refused(view, "usb-setup-failed")).await?;
    explains(guest, Some("refuses GET_NTB_PARAMETERS")).await?;
    if all {
        modem.line.fault(UsbFault::Silent(Pipe::Control));
        explains(guest, Some("does not answer")).await?;
        guest.progress("a device that answers nothing is named");
    }
    modem.line.fault(UsbFault::Clear);
    let number = stage.online().await?;
    guest.progress("a refusal to be set up is named, and tried again");

    for pipe in [Pipe::BulkIn, Pipe::BulkOut, Pipe::Interrupt] {
        modem.line.fault(UsbFault::Halt(pipe));
        answers(guest).await?;
    }
    modem.line.fault(UsbFault::Garbage((0..40).map(|octet| vec![octet; 700]).collect()));
    answers(guest).await?;
    guest.progress("halts are cleared, garbage is passed over");

    // What costs time only is named, and what stops packets is named first.
    modem.line.fault(UsbFault::Flood { every: Duration::from_millis(1) });
    explains(guest, Some("announces answers")).await?;
    answers(guest).await?;
    guest.progress("a flood is named");
    let to = WWW.ipv4.to_string();
    let flood = ["-n", "-q", "-I", LINK, "-i", "0.2", "-W", "1", "-c", "2000", &to];
    guest.spawn("ping", "ping", &flood)?;
    if all {
        // Half a minute: a modem may hold packets back for a while.
        modem.line.fault(UsbFault::Silent(Pipe::BulkOut));
        explains(guest, Some("takes no packets")).await?;
        guest.progress("an endpoint that takes nothing is named");
        modem.line.fault(UsbFault::Clear);
        answers(guest).await?;
        // No packets come: that may be so, and is nothing to be named. They come again.
        modem.line.fault(UsbFault::Silent(Pipe::BulkIn));
        let to = WWW.ipv4.to_string();
        let ping = ["-n", "-q", "-I", LINK, "-W", "1", "-c", "10", &to];
        if guest.command("ping", &ping).await?.status == 0 {
            return Err("packets through an endpoint that gives none".into());
        }
        stage.client.modem(number, "the session still there", |view| view.connection() == "up").await?;
        modem.line.fault(UsbFault::Clear);
        answers(guest).await?;
        guest.progress("an endpoint that gives nothing harms nothing");
    }
    modem.line.fault(UsbFault::Clear);
    answers(guest).await?;
    explains(guest, None).await?;

    // Endpoint 0 refuses everything: packets pass all the same, and it is named as soon as somebody asks for something.
    modem.line.fault(UsbFault::StallControl);
    guest.command("mbimctl", &["disconnect"]).await?;
    explains(guest, Some("does not answer on its USB control endpoint")).await?;
    modem.line.fault(UsbFault::Clear);
    guest.progress("a control endpoint that refuses is named");
    wait::until("the session again", PATIENCE, || async {
        guest.command("mbimctl", &["connect"]).await.ok()?.success().ok()
    })
    .await?;
    stage.client.modem(number, "online again", View::is_online).await?;
    explains(guest, None).await?;

    if all {
        // A command that is never taken: what is asked meanwhile waits for its time.
        modem.line.fault(UsbFault::Silent(Pipe::Control));
        let device = stage.client.device(number).await?;
        let told = tokio::select! {
            told = explains(guest, Some("does not answer on its USB control endpoint")) => told,
            Ok(()) = device.refresh_signal() => Err(Error::new("a device that is silent", "it answered")),
        };
        told?;
        guest.progress("a control endpoint that is silent is named");
        modem.line.fault(UsbFault::Clear);
        stage
            .client
            .until("online again", PATIENCE * 2, |modems| modems.get(&number).filter(|view| view.is_online()).map(drop))
            .await?;
        explains(guest, None).await?;
    }

    modem.line.fault(UsbFault::Vanish(Pipe::BulkIn));
    stage.none().await?;
    guest.stop("ping").await?;
    guest.no_path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    modem.pull();
    guest.progress("a device that vanishes in the middle of a transfer leaves nothing");

    modem.line.look(UsbProfile { configuration: Some(bad), ..UsbProfile::default() });
    modem.line.order(Order::Plug);
    modem.plug().await?;
    stage.some("the refusal", |view| refused(view, "usb-descriptors")).await?;
    modem.pull();
    stage.none().await?;
    guest.progress("descriptors that cannot be are named");
    stage.end().await?;
    Ok(modem.end().await?)
}

/// Waits for an answer to a ping: packets pass both ways.
async fn answers(guest: &Guest) -> Result<(), Error> {
    let to = WWW.ipv4.to_string();
    wait::until("packets", Duration::from_secs(150), || async {
        let said = guest.command("ping", &["-n", "-q", "-I", LINK, "-W", "2", "-c", "1", &to]).await.ok()?;
        (said.status == 0).then_some(())
    })
    .await
}

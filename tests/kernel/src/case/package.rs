//! The Debian package on a system with systemd and a modem: installed, started in its sandbox, online, upgraded without
//! losing the connection, removed, purged.

use std::path::Path;

use core::time::Duration;

use dbus_api::name::MODEM;
use harness::virtual_modem::kind;
use harness::virtual_operator::address::{DATA_LINK, DNS, PROBE_HTTP_URL, PROBE_HTTPS_URL};
use harness::virtual_operator::network::Network;
use harness::virtual_operator::{Scenario, Subscriber, document};
use harness::wait;
use scenarios::client::{Client, Modems, View};
use scenarios::link::{self, Watch};

use super::echo::Echo;
use super::plug::reach;
use super::{Boot, Case, Outcome, Real, sleep, usb};
use crate::guest::Guest;
use crate::stage::{Modem, SYSTEM_BUS, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "package",
    what: "dpkg installs the package beside a modem: sandbox, online, an upgrade under ping; remove and purge leave what they must",
    boot: Boot::Systemd,
    apart: false,
    real: Real::No("it installs and removes a package"),
    limit: Duration::from_secs(600),
    run: |guest| Box::pin(whole_life(guest)),
}];

/// Where the host has put the package.
const PACKAGE: &str = "/lab/mbimd.deb";
/// Exposure of the unit that is allowed, as `systemd-analyze security` counts.
const EXPOSURE: f64 = 1.8;
/// systemd under an emulated processor takes its time.
const PATIENCE: Duration = Duration::from_secs(90);

async fn whole_life(guest: &mut Guest) -> Outcome {
    // udevd loads the modem's driver.
    for module in ["vhci_hcd", "tun"] {
        guest.load(module).await?;
    }
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    administer(&scenario, modem.line.root_certificate().unwrap_or_default())?;
    modem.plug().await?;
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;

    guest.progress("installing");
    install(guest).await?;
    running(guest).await?;
    let owner = guest.command("stat", &["--format=%U %G %a", "/dev/cdc-wdm0"]).await?.success()?;
    if owner.trim() != "root mbimd 660" {
        return Err(format!("the control port belongs to {owner}").into());
    }
    let mut client = Client::connect(SYSTEM_BUS).await?;
    online(guest, &mut client, DATA_LINK).await?;
    reach(guest).await?;
    sandboxed(guest).await?;
    // Its own user may delay sleep.
    sleep::locked(guest, "mbimd", 1).await?;
    strangers(guest).await?;

    guest.progress("upgrading to the same version");
    upgrade(guest, &mut client, &modem).await?;

    guest.progress("removing");
    guest.command_within(PATIENCE, "dpkg", &["--remove", "mbimd"]).await?.success()?;
    if guest.command("pgrep", &["-x", "mbimd"]).await?.status == 0 {
        return Err("removed, and still running".into());
    }
    disconnected(guest, &modem).await?;
    for kept in ["/etc/mbimd/mbimd.toml", "/etc/mbimd/mbimd.d/lab.toml", "/var/lib/mbimd"] {
        if !Path::new(kept).exists() {
            return Err(format!("removal took {kept} away").into());
        }
    }

    guest.progress("installing again, for user-space USB, and purging");
    let given = usb::Given::new(guest).await?;
    install(guest).await?;
    running(guest).await?;
    online(guest, &mut client, usb::LINK).await?;
    let number = client.modems().await?.keys().next().copied().ok_or("no modem")?;
    let driver = client.view(number).await?.text(MODEM, "Driver");
    if driver != "usbfs" {
        return Err(format!("the driver is {driver}").into());
    }
    usb::reach(guest, "packaged").await?;
    guest.command_within(PATIENCE, "dpkg", &["--purge", "mbimd"]).await?.success()?;
    guest.no_path(Path::new("/sys/class/net").join(usb::LINK), PATIENCE).await?;
    given.end(guest).await?;
    // The kernel's driver has the modem again.
    guest.path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await?;
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;
    disconnected(guest, &modem).await?;
    nothing(guest).await?;
    Ok(modem.end().await?)
}

/// What an administrator has written before: the operator, and whom to ask for the Internet.
fn administer(scenario: &Scenario, roots: &str) -> Outcome {
    let network = Network::new(scenario.clone(), Subscriber::canary());
    let probe =
        format!("[probe]\nhttp = \"{PROBE_HTTP_URL}\"\nhttps = \"{PROBE_HTTPS_URL}\"\nca = [\"/etc/mbimd/lab.pem\"]\n");
    for folder in ["mbimd.d", "operators.d"] {
        std::fs::create_dir_all(Path::new("/etc/mbimd").join(folder))?;
    }
    std::fs::write("/etc/mbimd/mbimd.d/lab.toml", probe)?;
    std::fs::write("/etc/mbimd/lab.pem", roots)?;
    Ok(std::fs::write("/etc/mbimd/operators.d/lab.xml", document::overlay(&network))?)
}

async fn install(guest: &Guest) -> Outcome {
    guest.command_within(PATIENCE, "dpkg", &["-i", PACKAGE]).await?.success()?;
    Ok(())
}

/// The daemon brings the modem online by itself, as its own user and in its sandbox, and resolved knows the name servers.
async fn online(guest: &Guest, client: &mut Client, link: &str) -> Outcome {
    let find = |modems: &Modems| modems.values().find(|view| view.is_online()).map(|v| v.number);
    let number = match client.until("the machine to be online", PATIENCE * 2, find).await {
        Ok(number) => number,
        Err(error) => {
            let journal = guest.command("journalctl", &["--no-pager", "-n", "60", "-u", "mbimd"]).await?;
            return Err(format!("{error}: {}", journal.output).into());
        }
    };
    let view: View = client.view(number).await?;
    let known = wait::until("the name servers in resolved", PATIENCE, || async {
        let said = guest.command("resolvectl", &["dns", link]).await.ok()?;
        said.output.contains(&DNS.ipv4.to_string()).then_some(())
    });
    known.await.map_err(|error| format!("{error}: {}", view.summary()))?;
    Ok(())
}

/// The new version takes over what the old one had made, while packets pass.
async fn upgrade(guest: &mut Guest, client: &mut Client, modem: &Modem) -> Outcome {
    let before = (property(guest, "MainPID").await?, link::show(DATA_LINK).await?);
    let opened = upheavals(modem).await?;
    let watch = Watch::start(DATA_LINK)?;
    let echo = Echo::start(guest).await?;
    install(guest).await?;
    running(guest).await?;
    client.served(true).await?;
    let up = |modems: &Modems| modems.values().find(|view| view.connection() == "up").map(drop);
    client.until("the connection after the upgrade", PATIENCE, up).await?;
    echo.end(guest, "upgrade").await?;
    let removed = watch.taken_away().await;
    let after = link::show(DATA_LINK).await?;
    if !removed.is_empty() || after != before.1 {
        return Err(format!("taken away: {removed:?}; {after:?}, before {:?}", before.1).into());
    }
    if upheavals(modem).await? != opened {
        return Err("the modem was opened or closed".into());
    }
    if property(guest, "MainPID").await? == before.0 {
        return Err("an upgrade did not restart the daemon".into());
    }
    Ok(())
}

/// How often the modem was opened and closed.
async fn upheavals(modem: &Modem) -> Result<usize, Box<dyn std::error::Error>> {
    Ok(modem.line.log().await?.count(|entry| entry.kind == kind::OPEN || entry.kind == kind::CLOSE))
}

/// Nothing of the data session is left, neither in the modem nor on the system, and the port is root's alone.
async fn disconnected(guest: &Guest, modem: &Modem) -> Outcome {
    let state = modem.line.state().await?;
    if !state.sessions.is_empty() {
        return Err("the modem is still connected".into());
    }
    let shown = link::show(DATA_LINK).await?;
    if !shown.is_bare() {
        return Err(format!("{DATA_LINK}: {shown:?}").into());
    }
    let servers = guest.command("resolvectl", &["dns", DATA_LINK]).await?.success()?;
    if servers.contains(&DNS.ipv4.to_string()) {
        return Err(format!("resolved still asks {servers}").into());
    }
    let owner = guest.command("stat", &["--format=%u %g %a", "/dev/cdc-wdm0"]).await?.success()?;
    if owner.trim() != "0 0 600" {
        return Err(format!("the control port belongs to {owner}").into());
    }
    Ok(())
}

/// A purge leaves no file and no user.
async fn nothing(guest: &Guest) -> Outcome {
    let found = [
        "/etc/mbimd",
        "/var/lib/mbimd",
        "/run/mbimd",
        "/usr/sbin/mbimd",
        "/usr/lib/udev/rules.d/60-mbimd.rules",
        "/usr/share/polkit-1/rules.d/mbimd.rules",
        "/usr/bin/mbimctl",
        "/usr/lib/systemd/system/mbimd.service",
        "/etc/systemd/system/multi-user.target.wants/mbimd.service",
        "/etc/systemd/system/dbus-org.mbimd.Mbimd1.service",
        "/etc/systemd/user/graphical-session.target.wants/mbimd-agent.service",
    ];
    let left: Vec<&str> = found.into_iter().filter(|path| std::fs::symlink_metadata(path).is_ok()).collect();
    if !left.is_empty() {
        return Err(format!("a purge left {left:?}").into());
    }
    for (database, name) in [("passwd", "mbimd"), ("group", "mbimd")] {
        if guest.command("getent", &[database, name]).await?.status == 0 {
            return Err(format!("a purge left the {database} entry {name}").into());
        }
    }
    Ok(())
}

async fn property(guest: &Guest, name: &str) -> Result<String, Box<dyn std::error::Error>> {
    let said = guest.command("systemctl", &["show", "--value", "--property", name, "mbimd"]).await?.success()?;
    Ok(said.trim().to_owned())
}

/// The unit is active and the daemon answers on the system bus, not as root.
async fn running(guest: &Guest) -> Outcome {
    let answered = wait::until("the daemon on the system bus", PATIENCE, || async {
        let said = guest.command("mbimctl", &["list", "--json"]).await.ok()?;
        (said.status == 0).then_some(said.output)
    })
    .await;
    let Ok(list) = answered else {
        let journal = guest.command("journalctl", &["--no-pager", "-n", "40", "-u", "mbimd"]).await?;
        return Err(format!("the daemon does not answer: {}", journal.output).into());
    };
    if !list.contains("\"modems\"") && !list.trim_start().starts_with(['{', '[']) {
        return Err(format!("the list is {list:?}").into());
    }
    // What the unit does after the start takes a moment longer than the daemon to its first answer.
    let active = wait::until("the unit to be active", PATIENCE, || async {
        (property(guest, "ActiveState").await.ok()? == "active").then_some(())
    });
    if active.await.is_err() {
        let state = property(guest, "ActiveState").await?;
        let journal = guest.command("journalctl", &["--no-pager", "-n", "40", "-u", "mbimd"]).await?;
        return Err(format!("it answers, but its unit is {state}: {}", journal.output).into());
    }
    let id = property(guest, "MainPID").await?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    if field("Uid:").starts_with('0') {
        return Err("it runs as root".into());
    }
    // CAP_NET_ADMIN is number 12.
    if field("CapBnd:") != format!("{:016x}", 1u64 << 12) {
        return Err(format!("its bounding set is {}", field("CapBnd:")).into());
    }
    if field("Seccomp:") != "2" || field("NoNewPrivs:") != "1" {
        return Err("no filter of system calls, or new privileges".into());
    }
    Ok(())
}

/// What systemd says of the unit that runs.
async fn sandboxed(guest: &Guest) -> Outcome {
    let said = guest.command("systemd-analyze", &["security", "--no-pager", "mbimd"]).await?.success()?;
    let level = said.lines().find_map(|line| line.split("mbimd.service:").nth(1)).unwrap_or_default();
    let level: f64 = level.split_whitespace().next().unwrap_or_default().parse()?;
    guest.figure("exposure", level, "of 10");
    if level > EXPOSURE {
        return Err(format!("exposure {level}, allowed {EXPOSURE}").into());
    }
    Ok(())
}

/// Everyone may look, and only who is authorised may change.
async fn strangers(guest: &Guest) -> Outcome {
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "mbimctl"];
    let look = guest.command("setpriv", &[&nobody[..], &["list"]].concat()).await?;
    look.success()?;
    let change = guest.command("setpriv", &[&nobody[..], &["radio", "off"]].concat()).await?;
    if change.status != 5 {
        return Err(format!("nobody switched the radio: status {} {}", change.status, change.error).into());
    }
    Ok(())
}

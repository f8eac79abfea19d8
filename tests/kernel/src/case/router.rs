//! The static program for routers where it belongs: the kernel and a system bus, and no udevd, polkit, resolved or
//! systemd. The kernel's own uevents must be enough.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use core::time::Duration;

use dbus_api::name::CONNECTION;
use harness::virtual_modem::Order;
use harness::virtual_operator::address::{DATA_LINK, DNS};

use super::plug::reach;
use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, Start, names, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "router",
    what: "the static program without udevd, polkit, resolved and systemd: there before, plugged, online, pulled",
    boot: Boot::Bare,
    apart: false,
    real: Real::No("what the machine lacks is decided by the guest's boot"),
    limit: Duration::from_secs(300),
    run: |guest| Box::pin(router(guest)),
}];

/// The program that was linked against musl.
const PROGRAM: &str = "mbimd-router";
/// Who must not be there.
const ABSENT: [&str; 5] = ["systemd", "systemd-udevd", "udevd", "polkitd", "systemd-resolve"];

async fn router(guest: &mut Guest) -> Outcome {
    alone()?;
    by_itself(guest).await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();

    guest.progress("the modem is there before the daemon");
    modem.plug().await?;
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;
    guest.path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await?;
    // Where resolved would be told of name servers, as it is on most machines: nobody is there to be told.
    let start = Start { program: PROGRAM, lines: "dns = \"resolved\"", ..Start::default() };
    let mut stage = Stage::whole(guest, &scenario, &roots, start).await?;
    online(guest, &mut stage).await?;
    allowed(guest).await?;
    stage.online().await?;
    if let Some(id) = stage.daemon.as_ref().and_then(harness::daemon::Daemon::id) {
        guest.figure("rss", super::bench::memory(&[id], "status", "VmRSS:")?, "MB");
    }
    stage.stop().await?;
    stage.bare().await?;
    nothing(&stage)?;

    guest.progress("the daemon is there before the modem");
    modem.pull();
    guest.no_path("/dev/cdc-wdm0", PATIENCE).await?;
    modem.line.order(Order::Plug);
    stage.again().await?;
    stage.none().await?;
    modem.plug().await?;
    online(guest, &mut stage).await?;
    modem.pull();
    stage.none().await?;
    guest.no_path("/dev/cdc-wdm0", PATIENCE).await?;
    guest.no_path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await?;
    nothing(&stage)?;
    let log = stage.log();
    stage.end().await?;
    modem.end().await?;
    alone()?;
    match log.lines().find(|line| line.contains(" ERROR ")) {
        Some(line) => Err(format!("the daemon complained: {line}").into()),
        None => Ok(()),
    }
}

/// Nobody is there who would help.
fn alone() -> Outcome {
    let running = names(Path::new("/proc")).into_iter().filter(|name| name.parse::<u32>().is_ok());
    let running = running.filter_map(|id| fs::read_to_string(format!("/proc/{id}/comm")).ok());
    let found: Vec<String> = running.map(|name| name.trim().to_owned()).collect();
    if let Some(name) = found.iter().find(|name| ABSENT.contains(&name.as_str())) {
        return Err(format!("{name} is running").into());
    }
    for path in ["/run/udev", "/run/systemd"] {
        if Path::new(path).exists() {
            return Err(format!("{path} is there").into());
        }
    }
    Ok(())
}

/// One file is the whole program: it starts where there is no other.
async fn by_itself(guest: &Guest) -> Outcome {
    let empty = tempfile::tempdir()?;
    let program = empty.path().join("mbimd");
    fs::copy(guest.program(PROGRAM), &program)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    guest.figure("program", fs::metadata(&program)?.len() as f64 / 1e6, "MB");
    let folder = empty.path().display().to_string();
    guest.command("busybox", &["chroot", &folder, "/mbimd", "--version"]).await?.success()?;
    // What it was built without is said and not tried.
    let usb = guest.command("busybox", &["chroot", &folder, "/mbimd", "--device", "usb:1-1"]).await?;
    if usb.status != 2 || !usb.error.contains("without user-space USB") {
        return Err(format!("asked for user-space USB it says {}: {}", usb.status, usb.error).into());
    }
    Ok(())
}

/// Online through the stock driver's interface, and the name servers where others can read them.
async fn online(guest: &Guest, stage: &mut Stage) -> Outcome {
    let number = stage.online().await?;
    let interface = stage.client.view(number).await?.text(CONNECTION, "Interface");
    if interface != DATA_LINK {
        return Err(format!("connected through {interface:?}").into());
    }
    let fragment = stage.setup.directory.join("run/resolv.conf.d").join(DATA_LINK);
    let text = fs::read_to_string(&fragment)?;
    if !text.lines().any(|line| line == format!("nameserver {}", DNS.ipv4)) {
        return Err(format!("{}: {text:?}", fragment.display()).into());
    }
    reach(guest).await
}

/// Without polkit root may change things, and others may look.
async fn allowed(guest: &Guest) -> Outcome {
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "mbimctl"];
    guest.command("setpriv", &[&nobody[..], &["list"]].concat()).await?.success()?;
    let change = guest.command("setpriv", &[&nobody[..], &["radio", "off"]].concat()).await?;
    if change.status == 0 || !change.error.contains("run it as root") {
        return Err(format!("nobody switched the radio: {} {}", change.status, change.error).into());
    }
    for state in ["off", "on"] {
        guest.command("mbimctl", &["radio", state]).await?.success()?;
    }
    Ok(())
}

/// No name servers stay.
fn nothing(stage: &Stage) -> Outcome {
    let left = names(&stage.setup.directory.join("run/resolv.conf.d"));
    if left.is_empty() { Ok(()) } else { Err(format!("name servers of {left:?} stay").into()) }
}

//! The Debian package on a system with systemd: installed, started in its sandbox, upgraded, removed, purged.

use std::path::Path;

use core::time::Duration;

use harness::wait;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "package",
    what: "dpkg installs the package, systemd runs it in its sandbox, remove keeps what is kept, purge leaves nothing",
    boot: Boot::Systemd,
    apart: false,
    real: Real::No("it installs and removes a package"),
    limit: Duration::from_secs(480),
    run: |guest| Box::pin(whole_life(guest)),
}];

/// Where the host has put the package.
const PACKAGE: &str = "/lab/mbimd.deb";
/// Exposure of the unit that is allowed, as `systemd-analyze security` counts.
const EXPOSURE: f64 = 1.8;
/// systemd under an emulated processor takes its time.
const PATIENCE: Duration = Duration::from_secs(90);

async fn whole_life(guest: &mut Guest) -> Outcome {
    guest.progress("installing");
    guest.command_within(PATIENCE, "dpkg", &["-i", PACKAGE]).await?.success()?;
    running(guest).await?;
    sandboxed(guest).await?;
    strangers(guest).await?;

    guest.progress("upgrading to the same version");
    let before = property(guest, "MainPID").await?;
    guest.command_within(PATIENCE, "dpkg", &["-i", PACKAGE]).await?.success()?;
    running(guest).await?;
    if property(guest, "MainPID").await? == before {
        return Err("an upgrade did not restart the daemon".into());
    }

    guest.progress("removing");
    // What an administrator has written stays.
    std::fs::write("/etc/mbimd/mbimd.d/mine.toml", "autoconnect = false\n")?;
    guest.command_within(PATIENCE, "dpkg", &["--remove", "mbimd"]).await?.success()?;
    if guest.command("pgrep", &["-x", "mbimd"]).await?.status == 0 {
        return Err("removed, and still running".into());
    }
    for kept in ["/etc/mbimd/mbimd.toml", "/etc/mbimd/mbimd.d/mine.toml", "/var/lib/mbimd"] {
        if !Path::new(kept).exists() {
            return Err(format!("removal took {kept} away").into());
        }
    }

    guest.progress("installing again and purging");
    guest.command_within(PATIENCE, "dpkg", &["-i", PACKAGE]).await?.success()?;
    running(guest).await?;
    guest.command_within(PATIENCE, "dpkg", &["--purge", "mbimd"]).await?.success()?;
    let found = [
        "/etc/mbimd",
        "/var/lib/mbimd",
        "/run/mbimd",
        "/usr/sbin/mbimd",
        "/usr/bin/mbimctl",
        "/usr/lib/systemd/system/mbimd.service",
        "/etc/systemd/system/multi-user.target.wants/mbimd.service",
        "/etc/systemd/system/dbus-org.mbimd.Mbimd1.service",
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
    if property(guest, "ActiveState").await? != "active" {
        return Err("it answers, but its unit is not active".into());
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
    // No modem is there: not allowed is said before that, and neither is a crash.
    let change = guest.command("setpriv", &[&nobody[..], &["radio", "off"]].concat()).await?;
    if ![4, 5].contains(&change.status) {
        return Err(format!("nobody switched the radio: status {} {}", change.status, change.error).into());
    }
    Ok(())
}

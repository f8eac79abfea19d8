//! The guest itself: the kernel's modules are there and say so, and everything that the other cases build on answers.

use std::path::Path;

use core::time::Duration;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "boot",
        what: "the stock kernel boots, the modules of a USB modem load, bus and udevd answer",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it is about the guest"),
        limit: Duration::from_secs(60),
        run: |guest| Box::pin(modules(guest)),
    },
    Case {
        name: "boot-systemd",
        what: "systemd comes up as init, with journal, bus, logind and resolved, and no unit fails",
        boot: Boot::Systemd,
        apart: false,
        real: Real::No("it is about the guest"),
        limit: Duration::from_secs(120),
        run: |guest| Box::pin(systemd(guest)),
    },
];

async fn modules(guest: &mut Guest) -> Outcome {
    let up = std::fs::read_to_string("/proc/uptime")?;
    let up: f64 = up.split_whitespace().next().unwrap_or_default().parse()?;
    guest.figure("boot", up, "s");
    for module in ["vhci_hcd", "cdc_mbim", "8021q", "tun"] {
        guest.load(module).await?;
        let folder = Path::new("/sys/module").join(module);
        if !folder.is_dir() {
            return Err(format!("no {} after modprobe", folder.display()).into());
        }
    }
    for path in ["/sys/devices/platform/vhci_hcd.0/attach", "/sys/bus/usb/drivers/cdc_mbim", "/dev/net/tun"] {
        guest.path(path, Duration::from_secs(10)).await?;
    }
    guest.command("udevadm", &["info", "--query=property", "/sys/devices/platform/vhci_hcd.0"]).await?.success()?;
    let call = ["--system", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"];
    let names = guest.command("dbus-send", &call).await?.success()?;
    if !names.contains("org.freedesktop.PolicyKit1") {
        return Err(format!("polkitd is not on the bus: {names}").into());
    }
    guest.command("mbimcli", &["--version"]).await?.success()?;
    guest.command("ModemManager", &["--version"]).await?.success()?;
    guest.command("mbimd", &["--version"]).await?.success()?;
    Ok(())
}

async fn systemd(guest: &mut Guest) -> Outcome {
    let state = guest.command("systemctl", &["is-system-running", "--wait"]).await?;
    let failed = guest.command("systemctl", &["--failed", "--no-legend", "--plain"]).await?.success()?;
    if !failed.trim().is_empty() {
        return Err(format!("{}: {failed}", state.output.trim()).into());
    }
    for unit in ["systemd-journald", "systemd-logind", "systemd-resolved", "dbus", "systemd-udevd"] {
        let active = guest.command("systemctl", &["is-active", unit]).await?;
        // resolved is there but may be off by preset; it must at least start.
        if active.status != 0 {
            guest.command("systemctl", &["start", unit]).await?.success()?;
        }
    }
    Ok(())
}

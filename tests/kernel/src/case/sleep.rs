//! The machine sleeps, as logind announces it.

use std::fs;
use std::path::Path;

use core::time::Duration;

use harness::virtual_modem::{Order, kind};
use harness::virtual_operator::address::DATA_LINK;
use harness::virtual_operator::{Error, While};
use harness::wait;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scenarios::client::View;
use scenarios::link;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "suspend",
    what: "logind puts the machine to sleep: the lock is held, given back, taken again; a modem that lost its power is back in its object",
    boot: Boot::Systemd,
    apart: false,
    real: Real::No("it would put the machine to sleep"),
    limit: Duration::from_secs(240),
    run: |guest| Box::pin(suspend(guest)),
}];

/// How far the kernel goes to sleep.
const DEPTH: &str = "/sys/power/pm_test";
/// How long it stays there, seconds.
const LENGTH: &str = "/sys/module/suspend/parameters/pm_test_delay";
/// How often it has slept.
const SLEEPS: &str = "/sys/power/suspend_stats/success";
/// The daemon may own its name.
const POLICY: &str = "/etc/dbus-1/system.d/org.mbimd.Mbimd1.conf";
/// The daemon finds modems.
const RULES: &str = "/run/udev/rules.d/60-mbimd.rules";
/// A slow guest needs more time than the 5 s that logind gives to those that delay sleep.
const LOGIND: &str = "/run/systemd/logind.conf.d/lab.conf";
/// Name of the case's own lock.
const OWN: &str = "lab";

/// What the daemon needs around it here, where nothing of it is installed, and a kernel that stops all programs and goes no
/// further: the port that the modem is in has no way to sleep with somebody in it. Taken away with this.
struct Around;

impl Around {
    async fn new(guest: &Guest) -> Result<Self, Box<dyn std::error::Error>> {
        let this = Self;
        for (from, to) in [("/lab/systemd/dbus-1/org.mbimd.Mbimd1.conf", POLICY), ("/lab/udev/60-mbimd.rules", RULES)] {
            let folder = Path::new(to).parent().ok_or("a file without a folder")?;
            fs::create_dir_all(folder)?;
            fs::copy(from, to).trying(format!("installing {to}"))?;
        }
        fs::create_dir_all(Path::new(LOGIND).parent().ok_or("a file without a folder")?)?;
        fs::write(LOGIND, "[Login]\nInhibitDelayMaxSec=120\n")?;
        fs::write(DEPTH, "freezer").trying(DEPTH)?;
        fs::write(LENGTH, "1").trying(LENGTH)?;
        this.tell(guest).await?;
        Ok(this)
    }

    async fn tell(&self, guest: &Guest) -> Outcome {
        let bus = ["call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ReloadConfig"];
        guest.command("busctl", &bus).await?.success()?;
        guest.command("udevadm", &["control", "--reload"]).await?.success()?;
        Ok(())
    }

    async fn end(self, guest: &Guest) -> Outcome {
        self.remove();
        self.tell(guest).await?;
        guest.command("systemctl", &["restart", "systemd-logind"]).await?.success()?;
        Ok(())
    }

    fn remove(&self) {
        for file in [POLICY, RULES, LOGIND] {
            // It may be gone already.
            let _ = fs::remove_file(file);
        }
        let _ = fs::write(DEPTH, "none");
    }
}

impl Drop for Around {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn logind(guest: &Guest, words: &[&str]) -> Result<String, Error> {
    let manager = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"];
    let (verb, rest) = words.split_first().ok_or_else(|| Error::new("asking logind", "nothing to ask"))?;
    let words: Vec<&str> = [verb].into_iter().chain(&manager).chain(rest).copied().collect();
    guest.command("busctl", &words).await?.success()
}

/// Locks of a program that delay sleep, as logind lists them.
async fn locks(guest: &Guest, who: &str) -> Option<usize> {
    let said = logind(guest, &["call", "ListInhibitors"]).await.ok()?;
    Some(said.matches(&format!("\"sleep\" \"{who}\"")).count())
}

pub(super) async fn locked(guest: &Guest, who: &str, count: usize) -> Result<(), Error> {
    let what = format!("{count} locks of {who}");
    wait::until(&what, PATIENCE, || async { (locks(guest, who).await? == count).then_some(()) }).await
}

fn slept() -> Option<u32> {
    fs::read_to_string(SLEEPS).ok()?.trim().parse().ok()
}

/// Begins to go to sleep, and stops where everybody but this case is ready for it.
async fn doze(guest: &mut Guest, stage: &Stage, modem: &Modem) -> Outcome {
    let lock = ["--what=sleep", "--mode=delay", "--who", OWN, "--why=To look around.", "sleep", "1000"];
    guest.spawn("systemd-inhibit", "systemd-inhibit", &lock)?;
    locked(guest, OWN, 1).await?;
    let ready = stage.log().matches("ready for sleep").count();
    logind(guest, &["call", "Suspend", "b", "false"]).await?;
    locked(guest, "mbimd", 0).await?;
    if stage.log().matches("ready for sleep").count() != ready + 1 {
        return Err("the lock went before the modem was ready".into());
    }
    if !modem.line.state().await?.idle {
        return Err("the modem was not told that no traffic is expected".into());
    }
    Ok(())
}

/// Sleeps, and wakes.
async fn sleep(guest: &mut Guest) -> Outcome {
    let before = slept().ok_or("the kernel does not tell how often it slept")?;
    guest.stop("systemd-inhibit").await?;
    wait::until("the machine to have slept", PATIENCE, || async { (slept()? > before).then_some(()) }).await?;
    wait::until("logind to be awake", PATIENCE, || async {
        let said = logind(guest, &["get-property", "PreparingForSleep"]).await.ok()?;
        (said.trim() == "b false").then_some(())
    })
    .await?;
    Ok(())
}

async fn upheavals(modem: &Modem) -> Result<usize, Error> {
    Ok(modem.line.log().await?.count(|entry| entry.kind == kind::OPEN || entry.kind == kind::CLOSE))
}

async fn suspend(guest: &mut Guest) -> Outcome {
    // udevd loads the modem's driver.
    for module in ["vhci_hcd", "tun"] {
        guest.load(module).await?;
    }
    let around = Around::new(guest).await?;
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::of(guest, &scenario, &roots, "absence = 600", &[]).await?;
    modem.plug().await?;
    let number = stage.online().await?;
    locked(guest, "mbimd", 1).await?;
    // A logind that starts anew knows of no lock, and gets another one.
    guest.command("systemctl", &["restart", "systemd-logind"]).await?.success()?;
    locked(guest, "mbimd", 1).await?;
    guest.progress("a lock is held");

    let before = (link::show(DATA_LINK).await?, upheavals(&modem).await?);
    doze(guest, &stage, &modem).await?;
    sleep(guest).await?;
    locked(guest, "mbimd", 1).await?;
    stage.client.modem(number, "online after sleep", View::is_online).await?;
    wait::until("the modem to expect traffic", PATIENCE, || async {
        (!modem.line.state().await.ok()?.idle).then_some(())
    })
    .await?;
    if (link::show(DATA_LINK).await?, upheavals(&modem).await?) != before {
        return Err(format!("another link or session after sleep; before {before:?}").into());
    }
    guest.progress("a sleep changes nothing");

    // Power is cut while everybody sleeps. The daemon sleeps a little longer, as the modem's end of the cable is a program too.
    doze(guest, &stage, &modem).await?;
    let daemon = stage.daemon.as_ref().and_then(|daemon| daemon.id()).ok_or("no daemon")?;
    let daemon = Pid::from_raw(i32::try_from(daemon)?);
    kill(daemon, Signal::SIGSTOP)?;
    let folder = modem.folder().ok_or("no modem is plugged in")?;
    modem.pull();
    guest.no_path(&folder, PATIENCE).await?;
    modem.line.order(Order::Plug);
    modem.plug().await?;
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;
    sleep(guest).await?;
    kill(daemon, Signal::SIGCONT)?;
    locked(guest, "mbimd", 1).await?;
    let settled = |view: &View| view.is_online() && view.text(dbus_api::name::MODEM, "Custody") == "held";
    wait::until("the session to be made again", PATIENCE, || async {
        (upheavals(&modem).await.ok()? > before.1).then_some(())
    })
    .await?;
    if stage.some("the connection in the same object", settled).await? != number {
        return Err("another object for the same modem".into());
    }
    if stage.client.modems().await?.len() != 1 {
        return Err("more than one object".into());
    }
    if link::show(DATA_LINK).await? != before.0 {
        return Err(format!("{:?}, before {before:?}", link::show(DATA_LINK).await?).into());
    }
    guest.progress("what lost its power in sleep is connected again");
    stage.end().await?;
    modem.end().await?;
    around.end(guest).await
}

//! Debian's ModemManager and NetworkManager beside the daemon, in every order of starts and restarts.

use std::fs;

use core::time::Duration;

use dbus_api::name::MODEM;
use harness::virtual_modem::{Order, kind};
use harness::virtual_operator::address::{DATA_LINK, WWW};
use harness::virtual_operator::{Error, Scenario, While};
use harness::wait;
use scenarios::client::View;
use scenarios::link::{self, Watch};

use super::modemmanager::{UTF8, end_proxy, json, keep_log};
use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "beside-first",
        what: "ModemManager first: connected with the modem it keeps it, then it is asked and lets go; either crashes (:all restarts, too)",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it compares what the modem heard, which is asked of a virtual one"),
        limit: Duration::from_secs(420),
        run: |guest| Box::pin(modemmanager_first(guest)),
    },
    Case {
        name: "beside-second",
        what: "mbimd first, then ModemManager; rules of udev; mbimd restarts beside it and the connection goes on",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it compares what the modem heard, which is asked of a virtual one"),
        limit: Duration::from_secs(420),
        run: |guest| Box::pin(mbimd_first(guest)),
    },
    Case {
        name: "beside-nm",
        what: "NetworkManager starts, restarts and is there before the modem: it leaves interface, addresses and routes alone",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it would take the network of this machine down"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(networkmanager(guest)),
    },
];

/// The daemon's usual run directory.
const RUN: &str = "/run/mbimd";
/// An administrator's rules.
const RULES: &str = "/run/udev/rules.d/50-lab.rules";
/// What ModemManager says of a port that udev keeps it off.
const FILTERED: &str = "(usbmisc/cdc-wdm0): port filtered";

/// One modem, the daemon and ModemManager.
struct Table<'a> {
    guest: &'a mut Guest,
    modem: Modem,
    roots: String,
    scenario: Scenario,
    /// How often ModemManager was started; each run has a log of its own.
    runs: usize,
}

impl<'a> Table<'a> {
    async fn lay(guest: &'a mut Guest) -> Result<Self, Error> {
        let scenario = scenario("open")?;
        let modem = Modem::quick(&scenario).await?;
        let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
        Ok(Self { guest, modem, roots, scenario, runs: 0 })
    }

    async fn mbimd(&self) -> Result<Stage, Error> {
        // A fresh node is an absence of a moment.
        let stage = Stage::of(self.guest, &self.scenario, &self.roots, "absence = 600", &[]).await?;
        // Where udev's rules look for the daemon's word.
        let _ = fs::remove_file(RUN);
        std::os::unix::fs::symlink(stage.setup.directory.join("run"), RUN).trying("naming the run directory")?;
        self.told().await?;
        Ok(stage)
    }

    /// What the unit does when the daemon has started or ended: udev's rules look at the ports once more.
    async fn told(&self) -> Result<(), Error> {
        let links = ["trigger", "--action=change", "--subsystem-match=net", "--sysname-match=ww*"];
        self.guest.command("udevadm", &links).await?.success()?;
        let ports = ["trigger", "--settle", "--action=change", "--subsystem-match=usbmisc"];
        self.guest.command("udevadm", &ports).await?.success().map(drop)
    }

    fn modemmanager(&mut self) -> Result<(), Error> {
        self.runs += 1;
        let name = self.current();
        self.guest.spawn(&name, "ModemManager", &["--debug"]).map(drop)
    }

    fn current(&self) -> String {
        format!("modemmanager-{}", self.runs)
    }

    /// Modems that it lists; `None` = it does not answer yet.
    async fn listed(&self) -> Option<Vec<String>> {
        let list = json(self.guest, &["-L"]).await.ok()?;
        let paths = list["modem-list"].as_array()?.iter();
        Some(paths.filter_map(|path| path.as_str().map(str::to_owned)).collect())
    }

    /// It has come to the control port and is not interested.
    async fn kept_off(&self) -> Outcome {
        let log = self.guest.logs().join(format!("{}.log", self.current()));
        wait::until("ModemManager to look at the port", PATIENCE, || async {
            let log = fs::read(&log).ok()?;
            String::from_utf8_lossy(&log).contains(FILTERED).then_some(())
        })
        .await?;
        let list = wait::until("ModemManager to answer", PATIENCE, || self.listed()).await?;
        if list.is_empty() { Ok(()) } else { Err(format!("ModemManager lists {list:?}").into()) }
    }

    /// `mbimctl explain` says so.
    async fn explained(&self, words: &str) -> Outcome {
        let said = self.guest.command("mbimctl", &["explain"]).await?;
        if said.output.contains(words) { Ok(()) } else { Err(format!("{}{}", said.output, said.error).into()) }
    }

    /// NetworkManager knows the interface and does not manage it, or does not know it.
    async fn unmanaged(&self) -> Outcome {
        let said = self.guest.command("nmcli", &["-t", "-f", "DEVICE,TYPE,STATE", "device"]).await?.success()?;
        self.guest.progress(&format!("NetworkManager: {}", said.trim().replace('\n', ", ")));
        match said.lines().find(|line| line.starts_with(&format!("{DATA_LINK}:"))) {
            Some(line) if !line.ends_with(":unmanaged") => Err(line.into()),
            _ => Ok(()),
        }
    }

    /// mbimd restarts, then crashes and starts.
    async fn restarts(&mut self, stage: &mut Stage) -> Outcome {
        self.upsets(stage, &[Upset::Restart, Upset::Crash]).await
    }

    async fn upsets(&mut self, stage: &mut Stage, upsets: &[Upset]) -> Outcome {
        let before = self.still().await?;
        for upset in upsets {
            // A crash between a question and its answer ends the connection, as the case `killed` shows.
            self.modem.settled().await?;
            match upset {
                Upset::Restart => stage.leave().await?,
                Upset::Crash => stage.kill().await?,
            }
            stage.again().await?;
            stage.some("the connection", up).await?;
        }
        before.holds(self).await
    }

    async fn still(&self) -> Result<Still, Error> {
        let (shown, watch) = (link::show(DATA_LINK).await?, Watch::start(DATA_LINK)?);
        Ok(Still { shown, watch, upheavals: self.upheavals().await? })
    }

    async fn upheavals(&self) -> Result<usize, Error> {
        let log = self.modem.line.log().await?;
        Ok(log.count(|e| e.kind == kind::OPEN || e.kind == kind::CLOSE))
    }

    async fn ping(&self) -> Outcome {
        let to = WWW.ipv4.to_string();
        let ping = async || {
            let said = self.guest.command("ping", &["-n", "-I", DATA_LINK, "-c", "1", "-W", "2", &to]).await.ok()?;
            (said.status == 0).then_some(())
        };
        Ok(wait::until("an echo", PATIENCE, ping).await?)
    }

    async fn clear(self, outcome: Outcome) -> Outcome {
        keep_log(self.guest, &self.modem.line).await;
        end_proxy(self.guest).await;
        for file in [RUN, RULES] {
            let _ = fs::remove_file(file);
        }
        let _ = self.guest.command("udevadm", &["control", "--reload"]).await;
        let ended = self.modem.end().await;
        outcome?;
        Ok(ended?)
    }
}

/// How a program ends that comes back.
#[derive(Clone, Copy)]
enum Upset {
    Restart,
    Crash,
}

/// How the connection stood.
struct Still {
    shown: link::Shown,
    watch: Watch,
    upheavals: usize,
}

impl Still {
    /// It stands like that all the time: nobody opened or closed the modem, nothing was taken from the interface.
    async fn holds(self, table: &Table<'_>) -> Outcome {
        table.ping().await?;
        let (taken, shown, upheavals) =
            (self.watch.taken_away().await, link::show(DATA_LINK).await?, table.upheavals().await?);
        if !taken.is_empty() || shown != self.shown || upheavals != self.upheavals {
            let before = (self.shown, self.upheavals);
            return Err(format!("{shown:?}, {upheavals} OPEN and CLOSE, before {before:?}; {taken:?}").into());
        }
        Ok(())
    }
}

fn withheld(code: &str) -> impl Fn(&View) -> bool {
    move |view| view.text(MODEM, "Custody") == "withheld" && view.reason() == code
}

fn up(view: &View) -> bool {
    view.text(MODEM, "Custody") == "held" && view.connection() == "up"
}

async fn modemmanager_first(guest: &mut Guest) -> Outcome {
    let mut table = Table::lay(guest).await?;
    let outcome = first(&mut table).await;
    table.clear(outcome).await
}

async fn first(table: &mut Table<'_>) -> Outcome {
    table.modemmanager()?;
    table.modem.plug().await?;
    let theirs = wait::until("a modem of ModemManager", PATIENCE, || async { table.listed().await?.pop() }).await?;
    let mmcli = async |words: &str| -> Outcome {
        table.guest.command_within(PATIENCE, "env", &[UTF8, "mmcli", "-m", &theirs, words]).await?.success()?;
        Ok(())
    };
    mmcli(&format!("--simple-connect=apn={},ip-type=ipv4", table.scenario.plan_apn)).await?;
    table.guest.progress("ModemManager is connected");

    // It is not disturbed, and that is said.
    let mut stage = table.mbimd().await?;
    let number = stage.some("the modem to be left alone", withheld("in-use-by-modemmanager")).await?;
    table.explained("ModemManager is connected with this modem").await?;
    if table.modem.line.state().await?.sessions.is_empty() {
        return Err("ModemManager's session is gone".into());
    }
    mmcli("--simple-disconnect").await?;
    if stage.some("the connection", up).await? != number {
        return Err("another object for the same modem".into());
    }
    wait::until("ModemManager to list it no more", PATIENCE, || async {
        table.listed().await?.is_empty().then_some(())
    })
    .await?;
    table.ping().await?;
    table.guest.progress("mbimd is connected");

    // Each of them goes and comes, and the connection does not notice.
    let upsets: &[Upset] = match table.guest.argument() {
        Some("all") => &[Upset::Restart, Upset::Crash],
        _ => &[Upset::Crash],
    };
    table.upsets(&mut stage, upsets).await?;
    let before = table.still().await?;
    for upset in upsets {
        match upset {
            Upset::Restart => table.guest.stop(&table.current()).await?,
            Upset::Crash => table.guest.kill(&table.current()).await?,
        }
        table.modemmanager()?;
        table.kept_off().await?;
    }
    before.holds(table).await?;

    // When mbimd ends, ModemManager has it back.
    stage.stop().await?;
    table.told().await?;
    wait::until("a modem of ModemManager", PATIENCE, || async { table.listed().await?.pop() }).await?;
    stage.end().await?;
    Ok(table.guest.stop(&table.current()).await?)
}

async fn mbimd_first(guest: &mut Guest) -> Outcome {
    let mut table = Table::lay(guest).await?;
    let outcome = second(&mut table).await;
    table.clear(outcome).await
}

async fn second(table: &mut Table<'_>) -> Outcome {
    let mut stage = table.mbimd().await?;
    table.modem.plug().await?;
    stage.some("the connection", up).await?;
    let before = table.still().await?;
    table.modemmanager()?;
    table.kept_off().await?;
    before.holds(table).await?;
    table.restarts(&mut stage).await?;
    stage.stop().await?;

    // An administrator's rules.
    for (words, custody) in [
        ("ENV{ID_MM_DEVICE_IGNORE}=\"1\"", Some("withheld-by-rule")),
        ("ENV{ID_MM_DEVICE_IGNORE}=\"1\", ENV{MBIMD_MANAGE}=\"1\"", None),
    ] {
        let vendor = "ACTION!=\"remove\", SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ATTR{idVendor}==\"1209\"";
        fs::create_dir_all("/run/udev/rules.d")?;
        fs::write(RULES, format!("{vendor}, {words}\n"))?;
        table.guest.command("udevadm", &["control", "--reload"]).await?.success()?;
        let devices = ["trigger", "--settle", "--action=change", "--subsystem-match=usb"];
        table.guest.command("udevadm", &devices).await?.success()?;
        stage.again().await?;
        match custody {
            Some(code) => {
                stage.some(code, withheld(code)).await?;
                table.explained("ID_MM_DEVICE_IGNORE").await?;
            }
            None => drop(stage.some("the connection", up).await?),
        }
        stage.stop().await?;
    }
    stage.end().await?;
    Ok(table.guest.stop(&table.current()).await?)
}

/// Starts it with what Debian configures, but for the file of name servers, which other cases read.
async fn start_networkmanager(guest: &mut Guest, run: usize) -> Outcome {
    let file = guest.logs().join("NetworkManager.conf");
    fs::write(&file, "[main]\nplugins=ifupdown,keyfile\ndns=none\nrc-manager=unmanaged\n[ifupdown]\nmanaged=false\n")?;
    let file = file.display().to_string();
    guest.spawn(&format!("networkmanager-{run}"), "NetworkManager", &["--no-daemon", "--config", &file])?;
    let started = async || {
        let said = guest.command("nmcli", &["-t", "-f", "STARTUP", "general"]).await.ok()?;
        (said.output.trim() == "started").then_some(())
    };
    Ok(wait::until("NetworkManager to have looked at everything", PATIENCE, started).await?)
}

async fn networkmanager(guest: &mut Guest) -> Outcome {
    let mut table = Table::lay(guest).await?;
    let outcome = with_networkmanager(&mut table).await;
    table.clear(outcome).await
}

async fn with_networkmanager(table: &mut Table<'_>) -> Outcome {
    let mut stage = table.mbimd().await?;
    table.modem.plug().await?;
    stage.some("the connection", up).await?;
    let before = table.still().await?;
    start_networkmanager(table.guest, 1).await?;
    table.guest.stop("networkmanager-1").await?;
    start_networkmanager(table.guest, 2).await?;
    table.guest.kill("networkmanager-2").await?;
    start_networkmanager(table.guest, 3).await?;
    before.holds(table).await?;
    table.unmanaged().await?;
    table.restarts(&mut stage).await?;

    // It is there when the modem comes, and looks at the new link before it has an address.
    table.modem.pull();
    let gone = |view: &View| view.text(MODEM, "Custody") == "absent";
    stage.some("the modem to be gone", gone).await?;
    table.modem.line.order(Order::Plug);
    table.modem.plug().await?;
    stage.some("the connection", up).await?;
    table.unmanaged().await?;
    let before = table.still().await?;
    table.guest.command("nmcli", &["general", "reload"]).await?.success()?;
    table.unmanaged().await?;
    before.holds(table).await?;
    stage.end().await?;
    Ok(table.guest.stop("networkmanager-3").await?)
}

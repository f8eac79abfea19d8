//! The yardstick: ModemManager and mbimd take turns on the same virtual modem, in one boot; medians of several runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use core::time::Duration;
use std::collections::HashMap;

use futures_util::StreamExt;
use harness::line::profile_for;
use harness::usb::Setup;
use harness::virtual_modem::{Pace, Profile};
use harness::virtual_operator::{Error, Scenario, While};
use harness::wait;
use zbus::Variant;
use zbus::fdo::{DBusProxy, ObjectManagerProxy};

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, SYSTEM_BUS, Stage, Start, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "bench",
    what: "times, messages, memory and CPU of ModemManager and mbimd in turns (bench:N = N runs of each, default 5)",
    boot: Boot::Plain,
    apart: true,
    real: Real::No("the yardstick is the virtual modem"),
    limit: Duration::from_secs(1800),
    run: |guest| Box::pin(bench(guest)),
}];

/// Length of the idle window.
const IDLE: Duration = Duration::from_secs(60);
const MM: &str = "org.freedesktop.ModemManager1";
const MM_PATH: &str = "/org/freedesktop/ModemManager1";

/// Figures of one run, by name. Times are seconds from the device node.
type Figures = Vec<(&'static str, f64, &'static str)>;

async fn bench(guest: &mut Guest) -> Outcome {
    let runs: usize = guest.argument().map_or(Ok(5), str::parse)?;
    let scenario = scenario("open")?;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        let idle = run == runs;
        theirs.push(modem_manager(guest, &scenario, idle).await?);
        ours.push(mbimd(guest, &scenario, idle).await?);
        guest.progress(&format!("run {run} of {runs}"));
    }
    guest.progress(&format!("{:<28} {:>14} {:>14} {:>8}", "median", "ModemManager", "mbimd", "ratio"));
    let Some(last) = ours.last() else { return Err("no runs".into()) };
    for (name, _, unit) in last {
        let (Some(their), Some(our)) = (median(&theirs, name), median(&ours, name)) else { continue };
        let ratio = if our > 0.0 { format!("{:.1}", their / our) } else { "-".to_owned() };
        guest.progress(&format!("{:<28} {their:>14.3} {our:>14.3} {ratio:>8}", format!("{name} ({unit})")));
        guest.figure(&format!("ModemManager-{name}"), their, unit);
        guest.figure(&format!("mbimd-{name}"), our, unit);
    }
    Ok(())
}

fn median(runs: &[Figures], name: &str) -> Option<f64> {
    let mut all: Vec<f64> = runs.iter().flatten().filter(|(other, ..)| *other == name).map(|(_, v, _)| *v).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

/// The almost instant modem.
async fn modem(scenario: &Scenario) -> Result<Modem, Error> {
    let pace = Pace { register: Duration::from_millis(20), attach: Duration::from_millis(10), ..Pace::default() };
    Modem::serve(Setup { profile: Profile { pace, ..profile_for(scenario) }, ..Setup::of(scenario) }).await
}

/// Plugs it in and waits for the node: the moment from which is counted.
async fn node(guest: &Guest, modem: &mut Modem) -> Result<Instant, Error> {
    modem.plug().await?;
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;
    Ok(Instant::now())
}

async fn modem_manager(
    guest: &mut Guest,
    scenario: &Scenario,
    idle: bool,
) -> Result<Figures, Box<dyn std::error::Error>> {
    let bus = zbus::connection::Builder::address(SYSTEM_BUS).build().await?;
    let id = guest.spawn("ModemManager", "ModemManager", &["--log-level=ERR"])?;
    let names = DBusProxy::new(&bus).await?;
    wait::until("ModemManager on the bus", PATIENCE, || async {
        names.name_has_owner(MM.try_into().ok()?).await.ok()?.then_some(())
    })
    .await?;
    let objects = ObjectManagerProxy::builder(&bus).destination(MM).path(MM_PATH).build().await?;
    let mut added = objects.receive_interfaces_added().await?;
    let mut modem = modem(scenario).await?;
    let before = cpu(&[id])?;
    let there = node(guest, &mut modem).await?;
    let found = wait::at_most("ModemManager's object", PATIENCE, added.next()).await?.ok_or("the bus is gone")?;
    let path = found.args()?.object_path().to_owned();
    let object = there.elapsed();
    let call = async |interface: &str, member: &str, options: Option<HashMap<&str, Variant<'_>>>| match options {
        Some(options) => bus.call_method(Some(MM), &path, Some(interface), member, &(options,)).await.map(drop),
        None => bus.call_method(Some(MM), &path, Some(interface), member, &(true,)).await.map(drop),
    };
    let doing = "ModemManager's Enable";
    wait::at_most(doing, PATIENCE, call("org.freedesktop.ModemManager1.Modem", "Enable", None)).await?.trying(doing)?;
    let doing = "ModemManager's Connect";
    let options = HashMap::from([("apn", Variant::from(scenario.apn.as_str()))]);
    let connect = call("org.freedesktop.ModemManager1.Modem.Simple", "Connect", Some(options));
    wait::at_most(doing, PATIENCE, connect).await?.trying(doing)?;
    let connected = there.elapsed();
    let mut all = vec![id];
    all.extend(processes("mbim-proxy"));
    let used = cpu(&all)? - before;
    let figures = figures(&modem, &all, object, connected, used, idle).await?;
    guest.stop("ModemManager").await?;
    // Its proxy outlives it.
    for id in processes("mbim-proxy") {
        let id = nix::unistd::Pid::from_raw(i32::try_from(id)?);
        // It may end by itself at this very moment.
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
    }
    wait::until("mbim-proxy to end", PATIENCE, || async { processes("mbim-proxy").is_empty().then_some(()) }).await?;
    modem.end().await?;
    Ok(figures)
}

async fn mbimd(guest: &Guest, scenario: &Scenario, idle: bool) -> Result<Figures, Box<dyn std::error::Error>> {
    let mut modem = modem(scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    // The one that users install, without the demo.
    let start = Start { program: "mbimd-packaged", level: "warn", ..Start::default() };
    let mut stage = Stage::whole(guest, scenario, &roots, start).await?;
    let id = stage.daemon.as_ref().and_then(harness::daemon::Daemon::id).ok_or("the daemon has ended")?;
    let before = cpu(&[id])?;
    let there = node(guest, &mut modem).await?;
    let address = tokio::task::spawn_blocking(move || when_addressed(id));
    stage.some("an object", |_| true).await?;
    let object = there.elapsed();
    stage.some("a connection", |view| view.connection() == "up").await?;
    let connected = there.elapsed();
    let used = address.await.trying("waiting for the address")?? - before;
    let figures = figures(&modem, &[id], object, connected, used, idle).await?;
    stage.end().await?;
    modem.end().await?;
    Ok(figures)
}

async fn figures(
    modem: &Modem,
    processes: &[u32],
    object: Duration,
    connected: Duration,
    used: f64,
    idle: bool,
) -> Result<Figures, Error> {
    let log = modem.line.log().await?;
    // What a probe or a bearer needed for a moment goes first.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut found = vec![
        ("node-to-object", object.as_secs_f64(), "s"),
        ("node-to-connected", connected.as_secs_f64(), "s"),
        ("messages-to-connected", (log.from_host() + log.to_host()) as f64, "messages"),
        ("cpu-plug-to-connected", used, "s"),
        ("rss-connected", memory(processes, "smaps_rollup", "Rss:")?, "MB"),
        ("pss-connected", memory(processes, "smaps_rollup", "Pss:")?, "MB"),
    ];
    if idle {
        let start = cpu(processes)?;
        tokio::time::sleep(IDLE).await;
        found.push(("cpu-idle-minute", cpu(processes)? - start, "s"));
    }
    Ok(found)
}

/// CPU seconds of a process when the address has come to the interface: at once afterwards the daemon tests the connection,
/// over TLS too, which ModemManager leaves to others. All addresses of the operator begin alike, and there is no other of
/// them here. On a thread of its own, as the client is woken later.
fn when_addressed(process: u32) -> Result<f64, Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        let used = cpu(&[process])?;
        let table = fs::read_to_string("/proc/net/fib_trie").trying("reading the addresses")?;
        if table.contains("|-- 10.64.") {
            return Ok(used);
        }
        if Instant::now() >= end {
            return Err(Error::new("waiting for the address", "it did not come"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes of this name.
fn processes(name: &str) -> Vec<u32> {
    let ids = crate::stage::names(Path::new("/proc")).into_iter().filter_map(|id| id.parse::<u32>().ok());
    ids.filter(|id| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|comm| comm.trim() == name)).collect()
}

/// CPU seconds of these processes, with those of threads that have ended; the kernel counts hundredths.
fn cpu(processes: &[u32]) -> Result<f64, Error> {
    let doing = "reading the CPU time";
    let mut ticks = 0.0;
    for id in processes {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).trying(doing)?;
        // The name in parentheses may hold blanks; user and system time are the 12th and 13th words after it.
        let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = rest.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
        ticks += times.sum::<f64>();
    }
    Ok(ticks / 100.0)
}

/// A line of /proc that counts KiB, summed over processes, in MB.
pub(super) fn memory(processes: &[u32], file: &str, field: &str) -> Result<f64, Error> {
    let doing = format!("reading {field} of {file}");
    let mut sum = 0.0;
    for id in processes {
        let path = PathBuf::from(format!("/proc/{id}/{file}"));
        let text = fs::read_to_string(path).trying(&doing)?;
        let line =
            text.lines().find_map(|line| line.strip_prefix(field)).ok_or_else(|| Error::new(&doing, "not there"))?;
        let kib: f64 = line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default();
        sum += kib * 1024.0 / 1e6;
    }
    Ok(sum)
}

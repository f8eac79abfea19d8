//! Figures of the real daemon: `figures DAEMON [--idle SECONDS] [--plugs N]`. One JSON object on standard output.
//!
//! A virtual operator with an open network, a virtual modem that answers at once, a bus of its own and the daemon given,
//! in private namespaces. Measured: plug → connected and → full (wall clock, as a client of the bus sees it), the
//! daemon's own CPU time between plug and connected, resident and proportional memory once the HTTPS probe is over,
//! and voluntary context switches while idle and connected. How to read them: `tests/bench/README.md`.
//! `figures order PROGRAM LOG`: see [`order`].
#![forbid(unsafe_code)]

mod order;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use dbus_api::proxy::{ConnectionProxy, ConnectivityProxy, ModemProxy};
use futures_util::StreamExt as _;
use harness::line::profile_for;
use harness::virtual_modem::Pace;
use harness::virtual_operator::{Scenario, netns};
use harness::world::World;
use serde_json::json;
use zbus::fdo::{DBusProxy, ObjectManagerProxy};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = harness::child(&arguments) {
        return code;
    }
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["order", program, log] => order::run(program, log),
        _ => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let option = |name: &str, default: u64| -> Outcome<u64> {
        match arguments.iter().position(|a| a == name) {
            Some(at) => Ok(arguments.get(at + 1).ok_or(format!("{name} needs a number"))?.parse()?),
            None => Ok(default),
        }
    };
    let daemon =
        arguments.first().filter(|a| !a.starts_with('-')).ok_or("usage: figures DAEMON [--idle S] [--plugs N]")?;
    let daemon = std::fs::canonicalize(daemon)?;
    let (idle, plugs) = (option("--idle", 60)?, option("--plugs", 10)?);
    netns::enter()?;
    harness::cases::block_on(measure(&daemon, idle, plugs))
}

async fn measure(daemon: &Path, idle: u64, plugs: u64) -> Outcome<()> {
    let mut runs = Vec::new();
    for number in 1..=plugs.max(1) {
        drop_pages(daemon)?;
        let last = number == plugs.max(1);
        runs.push(one(daemon, if last { idle } else { 0 }).await?);
        eprintln!("plug {number} of {plugs}: {}", runs.last().map(ToString::to_string).unwrap_or_default());
    }
    let median = |key: &str| {
        let mut all: Vec<f64> = runs.iter().filter_map(|r| r[key].as_f64()).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let size = std::fs::metadata(daemon)?.len();
    println!(
        "{}",
        json!({
            "size_bytes": size,
            "first_to_last_message_ms_median": median("control_ms"),
            "plug_to_connected_ms_median": median("connected_ms"),
            "plug_to_full_ms_median": median("full_ms"),
            "cpu_plug_to_connected_ms_median": median("cpu_ms"),
            "last": runs.last(),
            "runs": runs.len(),
        })
    );
    Ok(())
}

/// Pages of the program that are in memory by chance, and in large pieces if somebody has just written it, count as the
/// daemon's: each run begins with none of them, as after a start of the machine.
fn drop_pages(daemon: &Path) -> Outcome<()> {
    let file = std::fs::File::open(daemon)?;
    file.sync_all()?;
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

async fn one(daemon: &Path, idle: u64) -> Outcome<serde_json::Value> {
    let scenario = Scenario::named("open").ok_or("no scenario `open`")?;
    let mut world = World::start(scenario, daemon, "warn").await?;
    let bus = zbus::connection::Builder::address(world.bus.address()).build().await?;
    let dbus = DBusProxy::new(&bus).await?;
    let name = zbus::names::BusName::try_from(dbus_api::name::SERVICE)?;
    within("the daemon's name", async {
        while !dbus.name_has_owner(name.clone()).await.unwrap_or(false) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;
    let process = dbus.get_connection_unix_process_id(name.clone()).await?;
    let proc = PathBuf::from(format!("/proc/{process}"));
    let manager = ObjectManagerProxy::builder(&bus).destination(name).path(dbus_api::path::ROOT).build().await?;
    let mut added = manager.receive_interfaces_added().await?;
    let cpu_before = cpu_nanoseconds(&proc)?;

    let mut modem = profile_for(world.scenario());
    modem.pace = Pace::default();
    world.plug_profile(modem)?;
    let plugged = Instant::now();
    let added = within("a modem object", added.next()).await?.ok_or("the bus is gone")?;
    let path = added.args()?.object_path().to_owned();
    let connection = ConnectionProxy::builder(&bus).path(path.clone()).build().await?;
    let connectivity = ConnectivityProxy::builder(&bus).path(path.clone()).build().await?;
    let mut states = connection.receive_state_changed().await;
    within("connected", async {
        while let Some(change) = states.next().await {
            if change.get().await.is_ok_and(|state| state == "up") {
                break;
            }
        }
    })
    .await?;
    let connected = plugged.elapsed();
    let cpu = cpu_nanoseconds(&proc)?.saturating_sub(cpu_before);
    // From the modem's side: first command to last answer, which holds the daemon's share and the virtual modem's.
    let log = world.line.as_ref().ok_or("no modem")?.log().await?;
    let mut times = log.entries().map(|entry| entry.at);
    let first = times.next().unwrap_or_default();
    let control = times.next_back().unwrap_or(first).saturating_sub(first);
    let mut verdicts = connectivity.receive_state_changed().await;
    within("full", async {
        while let Some(change) = verdicts.next().await {
            if change.get().await.is_ok_and(|state| state == 4) {
                break;
            }
        }
    })
    .await?;
    let full = plugged.elapsed();
    let statistics = ModemProxy::builder(&bus).path(path).build().await?.get_statistics().await.unwrap_or_default();

    let mut found = json!({
        "control_ms": control.as_secs_f64() * 1e3,
        "connected_ms": connected.as_secs_f64() * 1e3,
        "full_ms": full.as_secs_f64() * 1e3,
        "cpu_ms": Duration::from_nanos(cpu).as_secs_f64() * 1e3,
        "statistics": statistics,
    });
    if idle > 0 {
        // Let the probe's memory go, the last signals be delivered and the thread for files end (10 s without work): the
        // switches of a thread that ends in the window would vanish from the sum. This program stops asking.
        tokio::time::sleep(Duration::from_secs(3)).await;
        within("one thread", async {
            while field(&proc, "status", "Threads:").is_ok_and(|threads| threads > 1) {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        })
        .await?;
        let before = switches(&proc)?;
        tokio::time::sleep(Duration::from_secs(idle)).await;
        let after = switches(&proc)?;
        found["idle_seconds"] = json!(idle);
        found["voluntary_context_switches"] = json!(after.checked_sub(before).ok_or("a thread ended while idle")?);
        found["rss_kib"] = json!(field(&proc, "smaps_rollup", "Rss:")?);
        found["pss_kib"] = json!(field(&proc, "smaps_rollup", "Pss:")?);
        found["rss_anonymous_kib"] = json!(field(&proc, "status", "RssAnon:")?);
        found["rss_file_kib"] = json!(field(&proc, "status", "RssFile:")?);
        found["threads"] = json!(field(&proc, "status", "Threads:")?);
    }
    let left = world.clear_away().await?;
    if !left.is_empty() {
        return Err(format!("left behind: {left:?}").into());
    }
    Ok(found)
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> Outcome<T> {
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, future).await.map_err(|_| format!("not within 20 s: {what}").into())
}

/// CPU time of all threads.
fn cpu_nanoseconds(proc: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(proc.join("task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(sum)
}

fn switches(proc: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(proc.join("task"))? {
        sum += field(&task?.path(), "status", "voluntary_ctxt_switches:")?;
    }
    Ok(sum)
}

fn field(folder: &Path, file: &str, name: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string(folder.join(file))?;
    let line = text.lines().find(|l| l.starts_with(name)).ok_or(format!("no {name} in {file}"))?;
    Ok(line.split_whitespace().nth(1).ok_or("no value")?.parse()?)
}

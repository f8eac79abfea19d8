//! How the story ends, well or not.

use std::collections::HashMap;
use std::time::Duration;

use harness::line::profile_for;
use harness::virtual_operator::Error;
use harness::world::World;
use serde_json::json;

use super::options::Options;
use super::timeline::{Entry, Timeline};

/// Tells why there is no good end, and what the daemon said last.
pub(super) fn failed(world: &mut World, timeline: &mut Timeline, error: &Error) {
    let daemon = world.daemon.as_mut().and_then(|d| d.ended());
    let mut entry = Entry::new("failed").with("error", error.to_string()).line(error.to_string());
    if let Some(status) = daemon {
        entry = entry.with("daemon", status.to_string()).line(format!("the daemon has ended: {status}"));
    }
    timeline.tell(entry);
    let log = std::fs::read_to_string(world.setup.log_file()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    eprintln!("The daemon's last words:");
    for line in lines.iter().skip(lines.len().saturating_sub(20)) {
        eprintln!("  {line}");
    }
}

/// The last line. True if the machine ended up online and nothing was left; `outcome` brings the time that the
/// scenario itself let pass beyond the modem's own pace.
pub(super) fn summary(
    timeline: &mut Timeline,
    options: &Options,
    outcome: Result<Duration, Error>,
    left: Vec<String>,
) -> bool {
    let online = outcome.is_ok();
    let silence = outcome.unwrap_or_default();
    let pace = profile_for(&options.scenario).pace;
    let again = u32::from(options.scenario.plan_needed);
    let waits = [
        ("card", pace.sim_ready),
        ("registration", pace.register),
        ("attach", pace.attach),
        ("contexts", pace.activate * (1 + again)),
        ("deactivation", pace.deactivate * again),
        ("service_activation", pace.service_activation * again),
        ("silence", silence),
    ];
    let milliseconds = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let sum: u64 = waits.iter().map(|(_, d)| milliseconds(*d)).sum();
    let named: Vec<String> = waits
        .iter()
        .filter(|(_, d)| !d.is_zero())
        .map(|(what, d)| format!("{} {} ms", what.replace('_', " "), milliseconds(*d)))
        .collect();
    let mut entry = Entry::new("summary")
        .with("online", online)
        .with("scenario", options.scenario.name.as_str())
        .with("scenario_waits_ms", sum)
        .with(
            "scenario_waits",
            json!(waits.iter().map(|(what, d)| (*what, milliseconds(*d))).collect::<HashMap<_, _>>()),
        )
        .with("left_behind", left.clone())
        .line(if online { "online".to_owned() } else { "not online".to_owned() })
        .line(format!("of this the scenario itself asks for {sum} ms of waiting: {}", named.join(", ")));
    entry = if left.is_empty() {
        entry.line("the daemon stopped; nothing is left on the link, no process and no file stays behind")
    } else {
        entry.line(format!("left behind: {}", left.join(", ")))
    };
    timeline.tell(entry);
    online && left.is_empty()
}

//! The daemon comes and goes while the modem stays.

use std::collections::BTreeSet;

use core::time::Duration;

use harness::virtual_modem::kind;
use harness::virtual_operator::Error;
use harness::virtual_operator::address::{DATA_LINK, WWW};
use scenarios::client::View;
use scenarios::link::{self, Watch};

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "restart",
    what: "restarts and crashes of the daemon: the modem hears of none, and ping through wwan0 loses at most 2 s",
    boot: Boot::Plain,
    apart: false,
    real: Real::No("what the modem heard is asked of a virtual one; `device` restarts and crashes on a real one"),
    limit: Duration::from_secs(240),
    run: |guest| Box::pin(restart(guest)),
}];

/// Seconds between two echo requests.
pub(super) const PACE: f64 = 0.2;
/// The most that a restart may cost, seconds.
pub(super) const MOST_LOST: f64 = 2.0;

/// The longest row of requests that were not answered, as time, and how many were in all.
pub(super) fn longest_gap(said: &str, sent: u32) -> (f64, usize) {
    let answered: BTreeSet<u32> = said
        .lines()
        .filter(|line| line.contains("time="))
        .filter_map(|line| line.split_once("icmp_seq=")?.1.split(' ').next()?.parse().ok())
        .collect();
    let (mut longest, mut row) = (0_u32, 0);
    for number in 1..=sent {
        row = if answered.contains(&number) { 0 } else { row + 1 };
        longest = longest.max(row);
    }
    (f64::from(longest) * PACE, sent as usize - answered.len())
}

/// Connected; whether the Internet is behind it is not the question here.
async fn up(stage: &mut Stage) -> Result<(), Error> {
    stage.some("a connection", |view: &View| view.connection() == "up").await.map(drop)
}

async fn restart(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    modem.plug().await?;
    up(&mut stage).await?;
    let before = link::show(DATA_LINK).await?;
    let upheavals = async |modem: &Modem| {
        let log = modem.line.log().await?;
        Ok::<_, Error>(log.count(|e| e.kind == kind::OPEN || e.kind == kind::CLOSE))
    };
    let opened = upheavals(&modem).await?;
    let watch = Watch::start(DATA_LINK)?;

    let (count, pace, to) = (200_u32, PACE.to_string(), WWW.ipv4.to_string());
    let number = count.to_string();
    let words = ["-n", "-I", DATA_LINK, "-i", &pace, "-c", &number, &to];
    let pinging = guest.command_within(PATIENCE * 3, "ping", &words);
    let restarting = async {
        for round in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if round % 2 == 0 {
                stage.leave().await?
            } else {
                stage.kill().await?
            }
            stage.again().await?;
            up(&mut stage).await?;
        }
        Ok::<_, Error>(())
    };
    let (said, restarted) = tokio::join!(pinging, restarting);
    restarted?;
    let (gap, lost) = longest_gap(&said?.output, count);
    guest.figure("restart-ping-gap", gap, "s");
    guest.figure("restart-ping-lost", lost as f64, "of 200");
    if gap > MOST_LOST {
        return Err(format!("ping was silent for {gap} s, {lost} of {count} lost").into());
    }
    let removed = watch.taken_away().await;
    if !removed.is_empty() || link::show(DATA_LINK).await? != before {
        return Err(format!("taken away: {removed:?}; {:?}, before {before:?}", link::show(DATA_LINK).await?).into());
    }
    if upheavals(&modem).await? != opened {
        return Err("the modem was opened or closed".into());
    }
    // A stop is another thing.
    stage.stop().await?;
    stage.bare().await?;
    stage.again().await?;
    up(&mut stage).await?;
    stage.end().await?;
    Ok(modem.end().await?)
}

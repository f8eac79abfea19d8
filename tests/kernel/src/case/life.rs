//! The daemon comes and goes while the modem stays.

use std::collections::BTreeSet;
use std::time::Instant;

use core::time::Duration;

use harness::virtual_modem::kind;
use harness::virtual_modem::usb::UsbFault;
use harness::virtual_operator::Error;
use harness::virtual_operator::address::{DATA_LINK, WWW};
use harness::wait;
use scenarios::client::View;
use scenarios::link::{self, Watch};

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, names, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "restart",
        what: "restarts and crashes of the daemon: the modem hears of none, and ping through wwan0 loses at most 2 s",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("what the modem heard is asked of a virtual one; `device` restarts and crashes on a real one"),
        limit: Duration::from_secs(240),
        run: |guest| Box::pin(restart(guest)),
    },
    Case {
        name: "killed",
        what: "SIGKILL between an announced answer and its reading, and at any other moment: always back, in the same object",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("when an answer is read is ordered of a virtual one"),
        limit: Duration::from_secs(240),
        run: |guest| Box::pin(killed(guest)),
    },
];

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
    stage.some("a connection", connected).await.map(drop)
}

fn connected(view: &View) -> bool {
    view.connection() == "up"
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

/// bRequest with which the kernel fetches a message. `[MBIM1.0 8]`
const GET_ENCAPSULATED_RESPONSE: u8 = 0x01;
/// What the daemon says when it makes a control port anew.
const ANEW: &str = "the control port is made anew";
/// Kills while the daemon starts.
const EARLY_KILLS: u32 = 8;

/// The answer to a question is announced, the kernel begins to fetch it, and the daemon dies: the answer stays in the modem, and
/// nothing will announce it again.
async fn kill_before_the_answer(stage: &mut Stage, modem: &Modem, number: u32) -> Outcome {
    modem.line.fault(UsbFault::HoldRequest(GET_ENCAPSULATED_RESPONSE));
    let held = async |count: usize| {
        wait::until("the kernel to fetch an answer, or to let it be", PATIENCE, || async {
            (modem.line.counters().await.ok()?.held == count).then_some(())
        })
        .await
    };
    let device = stage.client.device(number).await?;
    tokio::select! {
        fetching = held(1) => fetching?,
        // It cannot be answered.
        Ok(()) = device.refresh_signal() => return Err("answered without having been fetched".into()),
    }
    stage.kill().await?;
    held(0).await?;
    modem.line.fault(UsbFault::Clear);
    Ok(())
}

async fn killed(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    modem.plug().await?;
    let number = stage.some("a connection", connected).await?;
    kill_before_the_answer(&mut stage, &modem, number).await?;
    let begun = Instant::now();
    stage.again().await?;
    let number = stage.some("a connection", connected).await?;
    guest.figure("killed-back", begun.elapsed().as_secs_f64(), "s");
    let anew = |stage: &Stage| stage.log().matches(ANEW).count();
    if anew(&stage) != 1 {
        return Err(format!("the port was made anew {} times", anew(&stage)).into());
    }
    guest.progress("answers that came one message late come in their time again");

    // Killed over the cure, while the modem is without a driver.
    kill_before_the_answer(&mut stage, &modem, number).await?;
    stage.again().await?;
    wait::until("the port to be made anew", PATIENCE, || async { (anew(&stage) == 2).then_some(()) }).await?;
    modem.line.fault(UsbFault::HoldRequest(GET_ENCAPSULATED_RESPONSE));
    let folder = modem.folder().ok_or("no modem is plugged in")?;
    let driver = || names(&folder).iter().any(|name| folder.join(name).join("usbmisc").exists());
    let gone = async || (!driver()).then_some(());
    // It may be back already: then this is a kill like any other.
    let without = wait::until("no driver", Duration::from_secs(2), gone).await.is_ok();
    stage.kill().await?;
    guest.figure("killed-without-driver", f64::from(u8::from(without && !driver())), "of 1");
    modem.line.fault(UsbFault::Clear);
    stage.again().await?;
    stage.some("a connection", connected).await?;
    guest.progress("a modem without its driver gets it back");
    for kill in 0..EARLY_KILLS {
        tokio::time::sleep(Duration::from_millis(u64::from(kill * 60))).await;
        stage.kill().await?;
        stage.again().await?;
    }
    up(&mut stage).await?;
    if stage.client.modems().await?.len() != 1 {
        return Err("more than one object".into());
    }
    let number = stage.some("a connection", connected).await?;
    stage.client.device(number).await?.refresh_signal().await?;
    stage.end().await?;
    Ok(modem.end().await?)
}

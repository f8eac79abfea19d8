//! The daemon comes and goes while the modem stays.

use std::time::Instant;

use core::time::Duration;

use harness::virtual_modem::kind;
use harness::virtual_modem::usb::UsbFault;
use harness::virtual_operator::Error;
use harness::virtual_operator::address::DATA_LINK;
use harness::wait;
use scenarios::client::View;
use scenarios::link::{self, Watch};

use super::echo::Echo;
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

    let echo = Echo::start(guest).await?;
    for crash in [false, true] {
        // A crash between a question and its answer ends the connection, as the case `killed` shows.
        modem.settled().await?;
        if crash {
            stage.kill().await?;
        } else {
            stage.leave().await?;
        }
        stage.again().await?;
        up(&mut stage).await?;
    }
    echo.end(guest, "restart").await?;
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

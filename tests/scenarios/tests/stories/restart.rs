//! The daemon is restarted, upgraded or killed: the connection stays, or goes as a whole.

use std::path::Path;

use core::time::Duration;

use harness::cases::Case;
use harness::virtual_modem::{Fault, Log, Order, What, When, kind};
use harness::virtual_operator::Error;
use harness::virtual_operator::address::DATA_LINK;
use harness::wait;
use mbim_proto::service::BASIC_CONNECT;
use scenarios::client::{PATIENCE, View};
use scenarios::link::{self, Watch};
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] = &[
    Case { name: "restart_keeps_the_link", run: || story("open", restart) },
    Case { name: "crash_keeps_the_link", run: || story("open", crash) },
    Case { name: "restart_keeps_what_people_want", run: || story("open", wishes) },
    Case { name: "killed_after_every_message_up_to_online", run: || story("open", killed) },
    Case { name: "left_modem_that_does_not_come_back", run: || story("open", never_back) },
    Case { name: "restart_remembers_what_was_refused", run: || story("open", refused) },
    Case { name: "changed_meanwhile", run: || story("open", changed) },
];

/// OPEN, CLOSE and orders to CONNECT.
fn upheavals(log: &Log) -> usize {
    log.count(|entry| {
        let order = entry.operation == Some(1) && entry.subject == Some((BASIC_CONNECT, 12));
        entry.kind == kind::OPEN || entry.kind == kind::CLOSE || order
    })
}

/// Files that stand for something on the interface.
fn listed(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("run/links")).map_or(0, |entries| entries.flatten().count())
}

async fn keep_plugged(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    stage.line()?.keep(true);
    Ok(())
}

async fn restart(stage: &mut Stage) -> Outcome {
    keep_plugged(stage).await?;
    let modem = stage.online().await?;
    let before = link::show(DATA_LINK).await?;
    let apn = stage.client.view(modem).await?.apn();
    let seen = stage.line()?.log().await?;
    let watch = Watch::start(DATA_LINK)?;
    for _ in 0..3 {
        stage.leave().await?;
        assert_eq!(link::show(DATA_LINK).await?, before, "nobody there, and the link stands");
        stage.again().await?;
        let modem = stage.online().await?;
        assert_eq!(stage.client.view(modem).await?.apn(), apn);
    }
    assert_eq!(watch.taken_away().await, [""; 0]);
    assert_eq!(link::show(DATA_LINK).await?, before);
    assert_eq!(upheavals(&stage.line()?.log().await?), upheavals(&seen), "the modem noticed nothing");
    let resolver = stage.world.directory().join("run/resolv.conf.d").join(DATA_LINK);
    assert!(resolver.exists());
    // A stop is another thing.
    stage.stop().await?;
    stage.bare().await?;
    stage.again().await?;
    stage.online().await?;
    Ok(())
}

async fn crash(stage: &mut Stage) -> Outcome {
    keep_plugged(stage).await?;
    stage.online().await?;
    let before = link::show(DATA_LINK).await?;
    let seen = stage.line()?.log().await?;
    let watch = Watch::start(DATA_LINK)?;
    for _ in 0..3 {
        stage.kill().await?;
        stage.again().await?;
        stage.online().await?;
    }
    // What somebody took away meanwhile is put back.
    stage.kill().await?;
    assert_eq!(watch.taken_away().await, [""; 0]);
    let (address, _) = before.addresses.first().and_then(|a| a.split_once('/')).ok_or("no address")?;
    link::remove_address(DATA_LINK, address.parse()?).await?;
    stage.again().await?;
    stage.online().await?;
    assert_eq!(link::show(DATA_LINK).await?, before);
    assert_eq!(upheavals(&stage.line()?.log().await?), upheavals(&seen), "the modem noticed nothing");
    Ok(())
}

async fn wishes(stage: &mut Stage) -> Outcome {
    keep_plugged(stage).await?;
    let modem = stage.online().await?;
    assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    stage.leave().await?;
    stage.again().await?;
    let modem = stage.client.some("the network", |view| view.state() == "registered").await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(stage.client.view(modem).await?.state(), "registered", "a person's disconnect is not undone");
    stage.bare().await?;
    stage.client.device(modem).await?.set_radio(false).await?;
    stage.kill().await?;
    stage.again().await?;
    stage.client.some("the radio off", |view| view.state() == "disabled").await?;
    // A stop forgets it.
    stage.restart().await?;
    stage.online().await?;
    Ok(())
}

/// Whatever the daemon was about: the next run comes to the same end, and its stop leaves nothing.
async fn killed(stage: &mut Stage) -> Outcome {
    keep_plugged(stage).await?;
    stage.online().await?;
    let expected = link::show(DATA_LINK).await?;
    let log = stage.line()?.log().await?;
    let all = u32::try_from(log.from_host() + log.to_host())?;
    stage.stop().await?;
    let (mut adopted, mut anew) = (0, 0);
    for n in 1..=all {
        let start = messages(stage).await?;
        stage.world.daemon = Some(harness::daemon::Daemon::start(&stage.world.setup)?);
        reached(stage, start + u64::from(n)).await.map_err(|e| format!("{n} of {all}: {e}"))?;
        stage.kill().await?;
        let before = upheavals(&stage.line()?.log().await?);
        stage.again().await?;
        stage.online().await.map_err(|e| format!("killed after {n} of {all}: {e}"))?;
        assert_eq!(link::show(DATA_LINK).await?, expected, "killed after {n} of {all}");
        if upheavals(&stage.line()?.log().await?) == before {
            adopted += 1;
        } else {
            anew += 1;
        }
        stage.stop().await?;
        stage.bare().await.map_err(|e| format!("killed after {n} of {all}: {e}"))?;
    }
    println!("  killed after each of {all} messages: {adopted} times taken over, {anew} times made anew");
    assert!(anew > 0);
    stage.again().await?;
    Ok(())
}

async fn messages(stage: &mut Stage) -> Result<u64, Error> {
    let log = stage.line()?.log().await?;
    Ok(log.from_host() + log.to_host())
}

async fn reached(stage: &mut Stage, count: u64) -> Result<(), Error> {
    let line = stage.line()?;
    wait::until("the messages to pass", PATIENCE, || async {
        let log = line.log().await.ok()?;
        (log.from_host() + log.to_host() >= count).then_some(())
    })
    .await
}

/// What the daemon left, and the modem was unplugged meanwhile: taken away, not at once but soon.
async fn never_back(stage: &mut Stage) -> Outcome {
    keep_plugged(stage).await?;
    stage.online().await?;
    stage.leave().await?;
    stage.order(Order::Unplug)?;
    std::fs::rename(stage.world.directory().join("modem"), stage.world.directory().join("away"))?;
    assert_eq!(listed(stage.world.directory()), 1);
    stage.again().await?;
    // The run gives modems ten seconds to show up, which is most of one wait.
    if stage.bare().await.is_err() {
        stage.bare().await?;
    }
    std::fs::rename(stage.world.directory().join("away"), stage.world.directory().join("modem"))?;
    stage.order(Order::Plug)?;
    stage.online().await?;
    Ok(())
}

/// CONNECT that makes a context; the network answers each with a refusal.
fn dialled(log: &Log) -> usize {
    log.count(|entry| entry.operation == Some(1) && entry.subject == Some((BASIC_CONNECT, 12)))
}

/// A network that knows no access point: a restart is no reason to ask it again, a person is.
async fn refused(stage: &mut Stage) -> Outcome {
    let mut profile = quick(stage.world.scenario());
    profile.network.apns.clear();
    stage.plug(profile).await?;
    stage.line()?.keep(true);
    let waits = |view: &View| view.connection() == "waiting";
    stage.client.some("the end of the round", waits).await?;
    let tries = dialled(&stage.line()?.log().await?);
    assert!(tries > 1, "{tries} attempts");
    for leave in [false, true] {
        match leave {
            true => stage.kill().await?,
            false => stage.stop().await?,
        }
        stage.again().await?;
        stage.client.some("the wait", waits).await?;
        assert_eq!(dialled(&stage.line()?.log().await?), tries, "nothing went over the air");
    }
    stage.logged("remembered").await?;
    let modem = stage.client.some("the modem", waits).await?;
    assert_ne!(stage.client.ask_connect(modem, None).await?, "");
    assert!(dialled(&stage.line()?.log().await?) > tries, "a person does not wait");
    Ok(())
}

/// The modem or the network did not wait for the next run.
async fn changed(stage: &mut Stage) -> Outcome {
    keep_plugged(stage).await?;
    stage.online().await?;
    for order in [
        Order::Reboot,
        Order::DropSession { session: 0, cause: 36 },
        Order::Coverage(false),
        Order::Fault(Fault::once(When::answer(BASIC_CONNECT, 16), What::Refuse(5))),
    ] {
        let text = format!("{order:?}");
        stage.leave().await?;
        stage.order(order)?;
        stage.order(Order::Coverage(true))?;
        stage.again().await?;
        let up = |view: &View| view.is_online();
        stage.client.some("the connection", up).await.map_err(|e| format!("{text}: {e}"))?;
        stage.logged("adoption").await?;
    }
    Ok(())
}

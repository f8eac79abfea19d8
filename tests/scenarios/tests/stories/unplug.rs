//! The cable is pulled at every message of the main job.

use harness::cases::Case;
use harness::line::Happening;
use harness::virtual_modem::{Direction, Fault, Order, Output, What, When};
use harness::wait;
use scenarios::client::{PATIENCE, View};
use scenarios::stage::{Outcome, Stage, happening, quick, story};

pub(crate) const CASES: &[Case] = &[
    Case { name: "unplugged_at_every_message_up_to_online", run: || story("open", every_message) },
    Case { name: "unplugged_at_every_message_of_provisioning", run: || story("garden", while_provisioning) },
    Case { name: "a_modem_that_comes_back_keeps_its_object", run: || story("open", comes_back) },
];

fn unplug_at(direction: Direction, n: u32) -> Order {
    Order::Fault(Fault::once(When { direction, ..When::default() }.nth(n), What::Unplug))
}

async fn unplugged(stage: &mut Stage) -> Outcome {
    let gone = |h: &Happening| matches!(h, Happening::Modem(Output::Unplugged));
    Ok(happening(stage.line()?, "the modem to be unplugged", gone).await?)
}

async fn every_message(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let mut modem = stage.online().await?;
    let log = stage.line()?.log().await?;
    let all = [(Direction::FromHost, log.from_host()), (Direction::ToHost, log.to_host())];
    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    stage.bare().await?;
    let mut plugs = 0;
    for (direction, count) in all {
        assert!(count > 8, "{count} messages are no main job");
        for n in 1..=u32::try_from(count)? {
            // The daemon waits at the socket, as it does for a node that is not ready yet.
            modem = stage.client.some("the next plug", |_| true).await?;
            stage.order(unplug_at(direction, n))?;
            stage.order(Order::Plug)?;
            let at = |e| format!("{direction:?} {n}: {e}");
            unplugged(stage).await.map_err(at)?;
            stage.client.gone(modem).await.map_err(|e| format!("{direction:?} {n}: {e}"))?;
            stage.bare().await.map_err(|e| format!("{direction:?} {n}: {e}"))?;
            plugs += 1;
        }
    }
    println!("  unplugged at each of {plugs} messages");
    stage.order(Order::Plug)?;
    assert!(stage.online().await? > modem);
    Ok(())
}

/// A reset of its firmware, then the cable: the same object all the time.
async fn comes_back(stage: &mut Stage) -> Outcome {
    stage.configure("absence = 600")?;
    stage.restart().await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let log = &stage.log();
    let already = log.matches("unplugged").count();
    for (times, pull) in [(1, false), (2, true)] {
        stage.order(if pull { Order::Unplug } else { Order::Reboot })?;
        let noticed = || async { (stage.log().matches("unplugged").count() >= already + times).then_some(()) };
        wait::until("the absence to be noticed", PATIENCE, noticed).await?;
        if pull {
            stage.bare().await?;
            stage.order(Order::Plug)?;
        }
        assert_eq!(stage.online().await?, modem, "the same object");
    }
    Ok(())
}

/// The job is complete when a whole round passes without reaching the message. Until then: unplug, plug, go on.
async fn while_provisioning(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.walled().await?;
    let account = stage.buy(modem).await?;
    let activation = account.document("activation").await?;
    super::garden::done(&stage.client.apply(&activation).await?);
    let profile = account.document("profile").await?;
    let mut plugs = 0;
    for (document, name) in [(&activation, "activation"), (&profile, "profile")] {
        for direction in [Direction::FromHost, Direction::ToHost] {
            for n in 1.. {
                let at = |e: &dyn core::fmt::Display| format!("{name} {direction:?} {n}: {e}");
                let modem = stage.client.some("a connection", |view| view.connection() == "up").await?;
                stage.order(unplug_at(direction, n))?;
                let job = stage.client.submit(document).await.map_err(|e| at(&e))?;
                let ended = tokio::select! {
                    ended = stage.client.ended(job) => Some(ended.map_err(|e| at(&e))?),
                    gone = stage.client.gone_quietly(modem) => { gone.map_err(|e| at(&e))?; None }
                };
                if ended.is_some_and(|job| job.activation == Some(0)) && stage.client.view(modem).await.is_ok() {
                    stage.order(Order::ClearFaults)?;
                    break;
                }
                unplugged(stage).await.map_err(|e| at(&e))?;
                stage.client.gone(modem).await.map_err(|e| at(&e))?;
                stage.bare().await.map_err(|e| at(&e))?;
                plugs += 1;
                stage.order(Order::Plug)?;
            }
        }
    }
    println!("  unplugged at each of {plugs} messages");
    stage.client.some("the machine to be online", View::is_online).await?;
    Ok(())
}

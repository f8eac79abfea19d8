//! Modems that misbehave on the control channel: the daemon recovers or stands in a named state, and the next plug works.

use core::time::Duration;

use harness::cases::Case;
use harness::virtual_modem::{Fault, Order, What, When, kind};
use mbim_proto::service::BASIC_CONNECT;
use scenarios::client::View;
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] = &[
    Case { name: "modem_that_never_answers", run: || story("open", never_answers) },
    Case { name: "answers_twice_late_or_wrong", run: || story("open", wrong_answers) },
];

/// DEVICE_CAPS and CONNECT: the first thing that is asked, and the one that matters.
const CIDS: [u32; 2] = [1, 12];

async fn pulled(stage: &mut Stage, modem: u32) -> Outcome {
    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    Ok(stage.bare().await?)
}

async fn never_answers(stage: &mut Stage) -> Outcome {
    let scenario = stage.world.scenario().clone();
    stage.plug(quick(&scenario)).await?;
    let mut modem = stage.online().await?;
    // The session does not open; the card says nothing; the contexts are not told; CONNECT is not answered.
    // Without the card's answer the reason is empty until the other answers are in, which may be too short to be seen.
    let cases: [(When, &str, &[&str]); 4] = [
        (When::from_host(), "initializing", &[""]),
        (When::answer(BASIC_CONNECT, 2), "initializing", &["", "sim-starting"]),
        (When::answer(BASIC_CONNECT, 12), "registered", &["context-unknown"]),
        (When::answer(BASIC_CONNECT, 12).nth(2), "connecting", &[""]),
    ];
    for (when, state, reasons) in cases {
        pulled(stage, modem).await?;
        stage.order(Order::Fault(Fault::always(when, What::Drop)))?;
        stage.order(Order::Plug)?;
        modem = stage
            .client
            .some("a named state", |view| view.state() == state && reasons.contains(&view.reason().as_str()))
            .await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let view = stage.client.view(modem).await?;
        assert_eq!(view.state(), state, "{}", view.summary());
        assert!(scenarios::link::show("wwan0").await?.addresses.is_empty());
        let explained = stage.client.device(modem).await?.explain().await?;
        assert!(explained.iter().any(|(_, verdict, _, _)| verdict != "ok"), "{explained:?}");
        stage.order(Order::ClearFaults)?;
    }
    pulled(stage, modem).await?;
    stage.order(Order::Plug)?;
    stage.online().await?;
    Ok(())
}

/// Where the daemon may stand while a modem misbehaves.
const NAMED: [&str; 7] =
    ["failed", "initializing", "searching", "registered", "connecting", "connected", "disconnecting"];

async fn wrong_answers(stage: &mut Stage) -> Outcome {
    let scenario = stage.world.scenario().clone();
    stage.plug(quick(&scenario)).await?;
    stage.online().await?;
    let recovers = [What::Duplicate, What::Delay(Duration::from_millis(400)), What::SplitAt(5), What::ResetMidway];
    let may_wait = [
        What::WrongTransaction,
        What::LyingLength(-8),
        What::LyingLength(8),
        What::LyingLength(1000),
        What::Garbage(vec![0xff; 8]),
        What::Garbage(vec![1, 2, 3]),
    ];
    for (what, recovers) in recovers.iter().map(|w| (w, true)).chain(may_wait.iter().map(|w| (w, false))) {
        for cid in CIDS {
            let at = |e: &dyn core::fmt::Display| format!("{what:?} of CID {cid}: {e}");
            let modem = stage.client.some("a modem", |_| true).await?;
            pulled(stage, modem).await.map_err(|e| at(&e))?;
            let modem = stage.client.some("the next plug", |view| view.number > modem).await?;
            stage.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, cid), what.clone())))?;
            stage.order(Order::Plug)?;
            if recovers {
                // A reset makes it another modem.
                let up = |view: &View| view.connection() == "up";
                stage.client.some("a connection", up).await.map_err(|e| at(&e))?;
            } else {
                let settled = |view: &View| view.connection() == "up" || view.state() == "failed";
                let limit = Duration::from_millis(200);
                let seen = stage.client.until("", limit, |m| m.values().any(settled).then_some(())).await;
                let view = stage.client.view(modem).await.map_err(|e| at(&e))?;
                assert!(seen.is_ok() || NAMED.contains(&view.state().as_str()), "{}", at(&view.summary()));
            }
            stage.order(Order::ClearFaults)?;
        }
    }
    let fault = Fault::once(When::kind(kind::OPEN_DONE), What::ResetMidway);
    let modem = stage.client.some("a modem", |_| true).await?;
    pulled(stage, modem).await?;
    stage.order(Order::Fault(fault))?;
    stage.order(Order::Plug)?;
    stage.online().await?;
    Ok(())
}

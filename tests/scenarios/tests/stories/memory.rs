//! What is in memory of a daemon that has nothing to do.

use core::cell::Cell;
use core::time::Duration;

use harness::cases::Case;
use harness::wait;
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] = &[Case { name: "what_ran_once_does_not_stay_mapped", run: || story("open", let_go) }];

const PATIENCE: Duration = Duration::from_secs(60);

/// Memory of files that a process has mapped, KiB: its code and that of its libraries.
fn mapped(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:"))?;
    line.split_whitespace().next()?.parse().ok()
}

async fn let_go(stage: &mut Stage) -> Outcome {
    let process = stage.world.daemon.as_ref().and_then(|daemon| daemon.id()).ok_or("no daemon")?;
    let (most, online) = (Cell::new(0), Cell::new(false));
    // From the beginning, so that the most is seen also by a test that comes late.
    let look = async || {
        let now = mapped(process).unwrap_or(0);
        most.set(now.max(most.get()));
        (online.get() && now > 0 && now < most.get() / 2).then_some(())
    };
    let work = async {
        stage.plug(quick(stage.world.scenario())).await?;
        let modem = stage.online().await;
        online.set(true);
        modem
    };
    let (modem, less) = tokio::join!(work, wait::until("less than half of the code in memory", PATIENCE, look));
    let modem = modem?;
    less?;
    // It is there again when it is asked for.
    assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    assert_eq!(stage.client.ask_connect(modem, None).await?, "");
    assert_eq!(stage.online().await?, modem);
    stage.stop().await?;
    Ok(())
}

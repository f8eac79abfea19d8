//! A SIM without a plan: portal, purchase, documents, online; and what was provisioned outlives the daemon.

use dbus_api::value::Job;
use harness::cases::Case;
use harness::virtual_operator::address::{DATA_LINK, subscriber4};
use scenarios::link;
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] =
    &[Case { name: "garden_to_online_and_provisioned_for_good", run: || story("garden", to_online_for_good) }];

/// Everything of the document was applied, and its activation succeeded.
pub(crate) fn done(job: &Job) {
    assert_eq!((job.state.as_str(), &job.error, job.activation), ("done", &None, Some(0)), "{job:?}");
    assert_eq!(job.all_elements_provisioned, Some(true));
    let results = job.results_xml.as_deref().unwrap_or_default();
    assert!(results.contains("CarrierControlResults/v"), "{} octets of results", results.len());
}

/// The whole main job; the number of the modem.
pub(crate) async fn main_job(stage: &mut Stage) -> Result<u32, Box<dyn std::error::Error>> {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.walled().await?;
    let account = stage.buy(modem).await?;
    let activation = account.document("activation").await?;
    done(&stage.client.apply(&activation).await?);
    let profile = account.document("profile").await?;
    done(&stage.client.apply(&profile).await?);
    assert_eq!(stage.online().await?, modem);
    Ok(modem)
}

/// Online with the plan's access point.
async fn on_plan(stage: &Stage, modem: u32) -> Outcome {
    let view = stage.client.view(modem).await?;
    assert_eq!(view.apn(), stage.world.scenario().plan_apn);
    assert!(!view.flag(dbus_api::name::CONNECTIVITY, "PurchaseNeeded"));
    assert_eq!(link::show(DATA_LINK).await?.addresses, [format!("{}/30", subscriber4(2))]);
    Ok(())
}

async fn to_online_for_good(stage: &mut Stage) -> Outcome {
    let modem = main_job(stage).await?;
    on_plan(stage, modem).await?;

    stage.stop().await?;
    stage.bare().await?;
    stage.again().await?;
    let modem = stage.online().await?;
    on_plan(stage, modem).await?;

    stage.kill().await?;
    stage.again().await?;
    let modem = stage.online().await?;
    on_plan(stage, modem).await?;
    // Nothing stands twice, and nothing stays.
    let shown = link::show(DATA_LINK).await?;
    assert_eq!(shown.routes.iter().filter(|route| route.starts_with("default")).count(), 1, "{shown:?}");
    stage.stop().await?;
    stage.bare().await?;
    Ok(())
}

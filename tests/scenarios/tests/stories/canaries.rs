//! No identity gets out: not into logs, not to unprivileged callers of the bus, not into files.

use std::collections::BTreeSet;

use harness::cases::{Case, block_on};
use scenarios::canary::{ALL, Search};
use scenarios::record::{Reading, Recorder};
use scenarios::stage::{self, Outcome, Stage};

pub(crate) const CASES: &[Case] = &[Case { name: "no_identity_in_logs_signals_or_files", run: no_identity_gets_out }];

fn no_identity_gets_out() -> Outcome {
    block_on(async {
        let mut stage = Stage::logging(stage::scenario("garden")?, "trace").await?;
        let directory = stage.world.directory().to_owned();
        let places = vec![directory.join("state"), directory.join("run")];
        let recorder = Recorder::start(stage.world.bus.address(), places).await?;
        let modem = super::garden::main_job(&mut stage).await?;

        // What was authorised is in the hands of the caller now; it must not stay with the daemon.
        let identity = stage.client.sim(modem).await?.get_identity().await?;
        let told: BTreeSet<&str> = identity.values().map(String::as_str).collect();
        assert!(ALL.iter().take(3).all(|canary| told.contains(canary.digits)), "the search has something to find");
        stage.client.sim(modem).await?.get_hardware_ids().await?;
        stage.client.ask_connect(modem, Some("no.such.apn")).await?;
        stage.stop().await?;
        stage.again().await?;
        stage.online().await?;
        stage.stop().await?;

        let mut readings = recorder.stop();
        readings.push(Reading { place: "the daemon's log".into(), content: stage.log().into_bytes() });
        for place in [
            "signal PropertiesChanged",
            "signal InterfacesAdded",
            "signal JobChanged",
            "GetManagedObjects",
            "state/",
            "run/",
        ] {
            assert!(readings.iter().any(|reading| reading.place.contains(place)), "nothing was read of {place}");
        }
        let octets: usize = readings.iter().map(|reading| reading.content.len()).sum();
        let search = Search::default();
        let found: BTreeSet<String> = readings
            .iter()
            .flat_map(|reading| {
                search.find(&reading.content).into_iter().map(|f| {
                    format!(
                        "{} from place {} as {} in {} at {}",
                        f.canary, f.place, f.notation, reading.place, f.offset
                    )
                })
            })
            .collect();
        println!("  searched {} readings, {octets} octets", readings.len());
        assert!(found.is_empty(), "{found:#?}");
        Ok::<_, Box<dyn std::error::Error>>(stage.clear_away().await?)
    })
}

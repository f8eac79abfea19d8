//! An operator without a garden: online at once, and everything is taken away again whichever way it ends.

use harness::cases::Case;
use harness::virtual_modem::Order;
use harness::virtual_operator::address::{DATA_LINK, DNS, GATEWAY6, gateway4, subscriber4, subscriber6};
use scenarios::link::{self, Shown};
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] = &[
    Case { name: "online_and_everything_taken_away_again", run: || story("open", online_and_away) },
    Case { name: "both_families_on_the_interface", run: || story("dual", both_families) },
];

/// What the network gives in session 1, as it must stand on the interface.
fn given() -> Shown {
    let (own, gateway) = (subscriber4(1), gateway4(1));
    let net = core::net::Ipv4Addr::from_bits(own.to_bits() & !3);
    Shown {
        up: true,
        mtu: 1420,
        addresses: vec![format!("{own}/30")],
        routes: vec![format!("{net}/30 metric 700"), format!("default via {gateway} metric 700")],
    }
}

async fn stands(stage: &Stage) -> Outcome {
    assert_eq!(link::show(DATA_LINK).await?, given());
    let resolver = std::fs::read_to_string(stage.world.directory().join("run/resolv.conf.d").join(DATA_LINK))?;
    assert!(resolver.lines().any(|line| line == format!("nameserver {}", DNS.ipv4)), "{resolver}");
    Ok(())
}

async fn online_and_away(stage: &mut Stage) -> Outcome {
    let untouched = link::show(DATA_LINK).await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    stands(stage).await?;
    let view = stage.client.view(modem).await?;
    use dbus_api::name::CONNECTION;
    assert_eq!(view.text(CONNECTION, "Interface"), DATA_LINK);
    assert_eq!(view.get::<Vec<String>>(CONNECTION, "Addresses"), [format!("{}/30", subscriber4(1))]);
    assert_eq!(view.get::<Vec<String>>(CONNECTION, "Dns"), [DNS.ipv4.to_string()]);
    assert_eq!(view.number(CONNECTION, "Mtu"), 1420);

    assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    stage.bare().await?;
    assert_eq!(link::show(DATA_LINK).await?, untouched, "as it was found");
    assert_eq!(stage.client.view(modem).await?.state(), "registered");

    assert_eq!(stage.client.ask_connect(modem, None).await?, "");
    assert_eq!(stage.online().await?, modem);
    stands(stage).await?;

    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    stage.bare().await?;
    assert_eq!(link::show(DATA_LINK).await?, untouched);

    stage.order(Order::Plug)?;
    let next = stage.online().await?;
    assert_ne!(next, modem, "numbers are not used twice");
    stands(stage).await?;
    stage.stop().await?;
    assert_eq!(link::show(DATA_LINK).await?, untouched);
    assert_eq!(stage.run_files(), Vec::<String>::new());
    Ok(())
}

async fn both_families(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    stage.walled().await?;
    let shown = link::show(DATA_LINK).await?;
    let mut addresses = [format!("{}/30", subscriber4(1)), format!("{}/64", subscriber6(1))];
    addresses.sort();
    assert_eq!(shown.addresses, addresses);
    for route in [format!("default via {} metric 700", gateway4(1)), format!("default via {GATEWAY6} metric 700")] {
        assert!(shown.routes.contains(&route), "{route} in {shown:?}");
    }
    stage.stop().await?;
    stage.bare().await?;
    Ok(())
}

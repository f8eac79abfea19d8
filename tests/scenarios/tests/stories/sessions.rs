//! Sessions beside the default connection. What carries them, VLANs of the kernel's, is not in every kernel: the lab has
//! them and pings through them.

use std::collections::HashMap;

use dbus_api::name::CONNECTION;
use harness::cases::Case;
use harness::virtual_modem::Order;
use harness::virtual_operator::address::DATA_LINK;
use scenarios::client::View;
use scenarios::ctl::Ctl;
use scenarios::link;
use scenarios::stage::{Outcome, Stage, quick, story};
use serde_json::{Value, json};
use zbus::OwnedVariant;

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_second_session_is_carried_or_refused", run: || story("open", carried) },
    Case { name: "sessions_for_another_network_program", run: || story("open", published) },
];

/// Sessions that are active in the modem.
async fn active(stage: &mut Stage) -> Result<Vec<u32>, harness::virtual_operator::Error> {
    Ok(stage.line()?.state().await?.sessions.iter().map(|(session, _)| *session).collect())
}

async fn carried(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let apn = stage.world.scenario().plan_apn.clone();
    let before = link::show(DATA_LINK).await?;
    let connect = ["connect", "--session", "2", "--apn", &apn, "--json"];
    let vlan = format!("{DATA_LINK}.2");
    for _ in 0..2 {
        let said = ctl.call(&connect).await?;
        if said.status == 0 {
            let connection = said.json()?["connection"].clone();
            assert_eq!((&connection["state"], &connection["interface"]), (&json!("up"), &json!(vlan)), "{said:?}");
            assert!(!link::show(&vlan).await?.addresses.is_empty());
            assert_eq!(active(stage).await?, [0, 2]);
            assert_eq!(ctl.call(&["disconnect", "--session", "2"]).await?.status, 0);
        } else {
            assert!(said.status == 1 && said.error.contains("8021q"), "{said:?}");
        }
        assert!(link::show(&vlan).await.is_err(), "no interface is left");
        assert_eq!(active(stage).await?, [0]);
        assert_eq!(link::show(DATA_LINK).await?, before, "the default connection has not noticed");
    }
    let said = ctl.call(&["connect", "--session", "200"]).await?;
    assert!(said.status == 1 && said.error.contains("sessions at most"), "{said:?}");
    assert_eq!(ctl.call(&["connect", "--session", "256"]).await?.status, 2);
    assert!(stage.client.view(modem).await?.is_online());
    Ok(())
}

async fn published(stage: &mut Stage) -> Outcome {
    stage.configure("network = \"external\"")?;
    stage.restart().await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.client.some("a connection", |view| view.connection() == "up").await?;
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let apn = stage.world.scenario().plan_apn.clone();
    let said = ctl.call(&["connect", "--session", "2", "--apn", &apn, "--json"]).await?;
    let connection = said.json()?["connection"].clone();
    let shown = (&connection["session"], &connection["state"], &connection["apn"], &connection["interface"]);
    assert_eq!(shown, (&json!(2), &json!("up"), &json!(apn), &Value::Null), "{said:?}");
    assert!(connection["addresses"].as_array().is_some_and(|list| !list.is_empty()), "{said:?}");
    assert_eq!(active(stage).await?, [0, 2]);
    let sessions = |view: &View| view.get::<Vec<HashMap<String, OwnedVariant>>>(CONNECTION, "Sessions");
    let state = |view: &View| {
        let first = sessions(view).into_iter().next();
        first.and_then(|mut session| session.remove("state")).and_then(|s| String::try_from(s).ok())
    };
    stage.order(Order::DropSession { session: 2, cause: 36 })?;
    stage.client.modem(modem, "the end of the session", |view| state(view).as_deref() == Some("waiting")).await?;
    assert_eq!(stage.client.view(modem).await?.connection(), "up");
    stage.client.modem(modem, "the session again", |view| state(view).as_deref() == Some("up")).await?;
    assert_eq!(ctl.call(&["disconnect"]).await?.status, 0);
    assert_eq!(active(stage).await?, [2]);
    assert_eq!(ctl.call(&["disconnect", "--session", "2"]).await?.status, 0);
    assert_eq!(active(stage).await?, [0; 0]);
    assert!(sessions(&stage.client.view(modem).await?).is_empty());
    assert!(link::show(DATA_LINK).await?.addresses.is_empty(), "nothing was configured");
    Ok(())
}

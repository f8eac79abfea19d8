//! Settings of the SIM, the network left to others, and two modems at once.

use core::net::Ipv4Addr;

use dbus_api::name::CONNECTION;
use harness::cases::Case;
use harness::line::Line;
use harness::virtual_modem::{Order, Profile, Sim, Slot};
use harness::virtual_operator::address::DATA_LINK;
use harness::virtual_operator::link::Net;
use mbim_proto::Personal;
use scenarios::link;
use scenarios::stage::{Outcome, Stage, quick, story};
use tokio::net::UnixListener;
use zbus::Variant;

pub(crate) const CASES: &[Case] = &[
    Case { name: "settings_belong_to_the_sim", run: || story("open", settings) },
    Case { name: "network_left_to_others", run: || story("open", external) },
    Case { name: "two_modems", run: || story("open", two) },
];

/// Another card of the same network.
fn other_sim() -> Slot {
    let (imsi, iccid) = ("001017394628069".to_owned(), "8999004827193650386".to_owned());
    Slot::Card(Box::new(Sim { imsi: Personal::new(imsi), iccid: Personal::new(iccid), ..Sim::default() }))
}

async fn settings(stage: &mut Stage) -> Outcome {
    let changed = |view: &scenarios::client::View| {
        view.setting("autoconnect") == Some(false.into()) && view.setting("metric") == Some(42_u32.into())
    };
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let changes = [("autoconnect", Variant::from(false)), ("metric", 42_u32.into()), ("roaming", "any".into())];
    stage.client.set(modem, &changes).await?;
    stage.client.modem(modem, "the settings", changed).await?;
    stage.restart().await?;
    let modem = stage.client.some("the settings after a restart", changed).await?;
    stage.client.modem(modem, "the network", |view| view.state() == "registered").await?;
    assert_eq!(stage.client.view(modem).await?.setting("roaming"), Some("any".into()));
    stage.bare().await?;
    assert_eq!(stage.client.ask_connect(modem, None).await?, "");
    let routes = link::show(DATA_LINK).await?.routes;
    assert!(routes.iter().all(|route| route.ends_with("metric 42")), "{routes:?}");

    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    stage.order(Order::Slot(other_sim()))?;
    stage.order(Order::Plug)?;
    let other = stage.online().await?;
    assert_eq!(stage.client.view(other).await?.setting("metric"), None, "another SIM, its own settings");
    stage.order(Order::Unplug)?;
    stage.client.gone(other).await?;
    stage.order(Order::Slot(Slot::Card(Box::default())))?;
    stage.order(Order::Plug)?;
    stage.client.some("the first SIM's settings", changed).await?;
    Ok(())
}

async fn external(stage: &mut Stage) -> Outcome {
    stage.configure("network = \"external\"")?;
    stage.restart().await?;
    let untouched = link::show(DATA_LINK).await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.client.some("the connection", |v| v.state() == "connected" && v.connection() == "up").await?;
    let view = stage.client.view(modem).await?;
    assert_eq!(view.get::<Vec<String>>(CONNECTION, "Addresses"), ["10.64.1.2/30"]);
    assert_eq!(view.get::<Vec<String>>(CONNECTION, "Gateways"), ["10.64.1.1"]);
    assert_eq!((view.number(CONNECTION, "Mtu"), view.text(CONNECTION, "Interface").as_str()), (1420, DATA_LINK));
    assert_eq!(link::show(DATA_LINK).await?, untouched, "the interface is another's");
    // What is remembered of the modem for a restart is there, and its name for the proxy's clients; nothing is listed as set
    // on the system.
    let mut listed = stage.run_files();
    listed.retain(|file| !file.contains("/modems/") && !file.contains("/run/mbim/"));
    assert_eq!(listed, Vec::<String>::new());
    assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    Ok(())
}

async fn two(stage: &mut Stage) -> Outcome {
    let net = Net::open()?;
    net.pair("wwan1", "far1").await?;
    net.set_up("far1", true).await?;
    let socket = stage.world.directory().join("modem2");
    stage.world.setup.devices.push(format!("unix:{},net=wwan1", socket.display()));
    stage.restart().await?;
    stage.plug(quick(stage.world.scenario())).await?;
    let first = stage.online().await?;

    let mut profile = Profile { slot: other_sim(), ..quick(stage.world.scenario()) };
    for rule in &mut profile.network.apns {
        let Some(ip) = &mut rule.ip.v4 else { continue };
        (ip.address, ip.gateway) = (Some((Ipv4Addr::new(10, 65, 0, 2), 30)), Some(Ipv4Addr::new(10, 65, 0, 1)));
    }
    let second_line = Line::serve(UnixListener::bind(socket)?, profile, None);
    let second = stage.client.some("the second connection", |v| v.number != first && v.connection() == "up").await?;
    assert_eq!(stage.client.view(second).await?.text(CONNECTION, "Interface"), "wwan1");
    assert_eq!(link::show("wwan1").await?.addresses, ["10.65.0.2/30"]);
    assert_eq!(link::show(DATA_LINK).await?.addresses, ["10.64.1.2/30"]);

    second_line.order(Order::Unplug);
    stage.client.gone(second).await?;
    assert!(link::show("wwan1").await?.is_bare());
    assert!(stage.client.view(first).await?.is_online(), "the first does not notice");
    assert_eq!(link::show(DATA_LINK).await?.addresses, ["10.64.1.2/30"]);
    second_line.order(Order::Plug);
    stage.client.some("the second connection", |v| v.number > second && v.connection() == "up").await?;
    stage.stop().await?;
    assert!(link::show("wwan1").await?.is_bare());
    second_line.stop().await;
    Ok(())
}

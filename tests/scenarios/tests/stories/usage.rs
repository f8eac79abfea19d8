//! What was used: real packets over the data interface, through a crash, a restart, an end and an unplug.

use core::net::SocketAddr;

use dbus_api::name::USAGE;
use harness::cases::Case;
use harness::virtual_modem::Order;
use harness::virtual_operator::address::{DATA_LINK, WWW};
use harness::virtual_operator::internet::DISCARD;
use scenarios::client::View;
use scenarios::ctl::Ctl;
use scenarios::stage::{Outcome, Stage, quick, story};
use serde_json::Value;
use tokio::net::UdpSocket;

pub(crate) const CASES: &[Case] = &[Case { name: "what_passes_is_counted_once", run: || story("open", counted) }];

/// Datagrams of one burst, their payload, and with the heads of UDP, IPv4 and the veth's Ethernet.
const BURST: u64 = 200;
const PAYLOAD: usize = 1000;
const ON_LINK: u64 = PAYLOAD as u64 + 8 + 20 + 14;
/// What else may pass meanwhile: tests of connectivity, neighbours, answers.
const ELSE: u64 = 60_000;

async fn send() -> Outcome {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    for _ in 0..BURST {
        socket.send_to(&[7; PAYLOAD], SocketAddr::new(WWW.ipv4.into(), DISCARD)).await?;
    }
    Ok(())
}

/// Octets sent over the data interface since it was made, as the kernel's table of interfaces has it.
fn kernel() -> Result<u64, Box<dyn std::error::Error>> {
    let table = std::fs::read_to_string("/proc/self/net/dev")?;
    let row = table.lines().find_map(|line| line.trim().strip_prefix(DATA_LINK)?.strip_prefix(':'));
    Ok(row.and_then(|row| row.split_whitespace().nth(8)).ok_or("no such interface")?.parse()?)
}

async fn usage(ctl: &Ctl) -> Result<Value, Box<dyn std::error::Error>> {
    let said = ctl.call(&["usage", "--json"]).await?;
    assert_eq!(said.status, 0, "{said:?}");
    Ok(said.json()?)
}

fn sent(usage: &Value) -> u64 {
    usage["home"]["tx_octets"].as_u64().unwrap_or_default()
}

async fn counted(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let first = usage(&ctl).await?;
    let (before, at_first) = (sent(&first), kernel()?);
    assert!(first["since"].is_u64() && first["tests_octets"].as_u64() > Some(0), "{first}");
    assert_eq!((first["metered"].as_str(), first["metered_by"].as_str()), (Some("guess-yes"), Some("no-plan")));
    send().await?;
    let second = usage(&ctl).await?;
    let (grown, of_kernel) = (sent(&second) - before, kernel()? - at_first);
    assert!((BURST * ON_LINK..=of_kernel).contains(&grown), "{grown} of {of_kernel}");
    assert!(second["sessions"][0]["tx_octets"].as_u64() >= Some(grown), "{second}");
    assert_eq!(second["days"].as_array().map(Vec::len), Some(1), "{second}");
    // The virtual modem's own counters stand still: the difference is shown, and changes nothing.
    assert!(usage(&ctl).await?["modem_counts"]["tx_octets"].is_u64());
    assert!(
        stage.client.view(modem).await?.get::<std::collections::HashMap<String, u64>>(USAGE, "Home")["tx-octets"]
            >= grown
    );

    stage.line()?.keep(true);
    // Killed, and packets go on: the interface knows them, and none twice.
    stage.kill().await?;
    send().await?;
    stage.again().await?;
    stage.online().await?;
    let total = |now: u64, bursts: u64| {
        let least = before + bursts * BURST * ON_LINK;
        assert!((least..least + ELSE).contains(&now), "{now}, at least {least}");
    };
    total(sent(&usage(&ctl).await?), 2);
    // Restarted.
    stage.leave().await?;
    send().await?;
    stage.again().await?;
    stage.online().await?;
    total(sent(&usage(&ctl).await?), 3);
    // Ended, then unplugged: all of it is kept.
    send().await?;
    let modem = stage.online().await?;
    assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    total(sent(&usage(&ctl).await?), 4);
    assert_eq!(stage.client.ask_connect(modem, None).await?, "");
    stage.client.modem(modem, "the connection", View::is_online).await?;
    send().await?;
    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    stage.order(Order::Plug)?;
    stage.online().await?;
    total(sent(&usage(&ctl).await?), 5);

    let said = ctl.call(&["usage", "--reset", "--json"]).await?;
    assert!(said.status == 0 && sent(&said.json()?) < BURST * ON_LINK, "{said:?}");
    let text = ctl.call(&["usage"]).await?.output;
    assert!(text.contains("since 20") && text.contains("metered: guess-yes (no-plan)"), "{text}");
    stage.stop().await?;
    stage.bare().await?;
    Ok(())
}

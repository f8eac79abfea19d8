//! A modem is plugged in, pulled, and was there before the daemon: the main job through the stock driver and `wwan0`.

use std::path::Path;
use std::time::Instant;

use core::time::Duration;

use dbus_api::name::{CONNECTION, MODEM};
use harness::line::Happening;
use harness::virtual_modem::{Direction, Fault, Order, Output, What, When};
use harness::virtual_operator::address::{DATA_LINK, DNS, PROBE, WWW, subscriber4};
use harness::wait;
use scenarios::client::View;
use scenarios::link;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "plug",
        what: "plugged in: udev, object, walled garden, portal, documents, online through wwan0; pulled: nothing stays",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("nobody is there to plug it in"),
        limit: Duration::from_secs(420),
        run: |guest| Box::pin(plug(guest)),
    },
    Case {
        name: "coldplug",
        what: "a modem that was there before the daemon is found and online, and again after a restart",
        boot: Boot::Plain,
        apart: false,
        real: Real::No(
            "the addresses and hosts are the virtual operator's; `device` restarts beside a modem that is there",
        ),
        limit: Duration::from_secs(420),
        run: |guest| Box::pin(coldplug(guest)),
    },
    Case {
        name: "unplug",
        what: "pulled at messages of the way to online (unplug:all = at each): the object goes, nothing stays, it comes back",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("nobody is there to pull it"),
        limit: Duration::from_secs(900),
        run: |guest| Box::pin(unplug(guest)),
    },
];

/// What udev says about a node.
async fn udev(guest: &Guest, node: &Path) -> Result<String, Box<dyn std::error::Error>> {
    Ok(guest.command("udevadm", &["info", "--query=all", "--name", &node.display().to_string()]).await?.success()?)
}

async fn plug(guest: &mut Guest) -> Outcome {
    let scenario = scenario("garden")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;

    let start = Instant::now();
    let folder = modem.plug().await?;
    let node = Path::new("/dev/cdc-wdm0");
    guest.path(node, PATIENCE).await?;
    let there = Instant::now();
    guest.figure("attach-to-node", (there - start).as_secs_f64(), "s");
    stage.some("an object", |_| true).await?;
    guest.figure("node-to-object", there.elapsed().as_secs_f64(), "s");
    let number = stage.some("a connection", |view| view.connection() == "up").await?;
    guest.figure("node-to-connected", there.elapsed().as_secs_f64(), "s");

    // The stock driver made both ends, and udev's rule gave the node to the daemon's group.
    let view = stage.client.view(number).await?;
    for (property, expected) in [("ControlPort", "/dev/cdc-wdm0"), ("DataPort", DATA_LINK), ("Driver", "cdc_mbim")] {
        let found = view.text(MODEM, property);
        if found != expected {
            return Err(format!("{property} is {found:?}, not {expected:?}").into());
        }
    }
    let told = udev(guest, node).await?;
    if !told.contains("ID_MBIMD_CONTROL=1") {
        return Err(format!("udev says of {}: {told}", node.display()).into());
    }
    let owner = guest.command("stat", &["--format=%G %a", "/dev/cdc-wdm0"]).await?.success()?;
    if owner.trim() != "mbimd 660" {
        return Err(format!("{} belongs to {owner}", node.display()).into());
    }

    stage.walled().await?;
    guest.progress("in the walled garden");
    stage.provision(number, &roots).await?;
    guest.progress("provisioned");
    if stage.online().await? != number {
        return Err("another modem is online".into());
    }
    guest.figure("node-to-online", there.elapsed().as_secs_f64(), "s");
    let shown = link::show(DATA_LINK).await?;
    if shown.addresses != [format!("{}/30", subscriber4(2))] || shown.mtu != 1420 {
        return Err(format!("{DATA_LINK}: {shown:?}").into());
    }
    reach(guest).await?;

    modem.pull();
    stage.none().await?;
    guest.no_path(node, PATIENCE).await?;
    guest.no_path(folder, PATIENCE).await?;
    stage.end().await?;
    Ok(modem.end().await?)
}

/// Packets of all sizes pass, and the operator's name server answers.
pub(super) async fn reach(guest: &Guest) -> Outcome {
    let to = WWW.ipv4.to_string();
    for size in ["0", "56", "1392"] {
        let ping = ["-n", "-q", "-I", DATA_LINK, "-M", "do", "-i", "0.1", "-c", "20", "-s", size, &to];
        let said = guest.command("ping", &ping).await?;
        let received: u32 = said
            .output
            .lines()
            .find_map(|line| line.split_once(" packets transmitted, ")?.1.split(' ').next()?.parse().ok())
            .unwrap_or_default();
        // The kernel's driver loses some blocks under load; a size that does not fit loses all.
        if received < 12 {
            return Err(format!("ping with {size} octets: {} {}", said.output, said.error).into());
        }
        guest.figure(&format!("ping-{size}-received"), received.into(), "of 20");
        if size == "56"
            && let Some(times) = said.output.split("min/avg/max/mdev = ").nth(1)
            && let Some(middle) = times.split('/').nth(1).and_then(|t| t.parse().ok())
        {
            guest.figure("ping", middle, "ms");
        }
    }
    let server = DNS.ipv4.to_string();
    let answer = async || {
        let said = guest.command("busybox", &["nslookup", PROBE.name, &server]).await.ok()?;
        said.output.contains(&PROBE.ipv4.to_string()).then_some(())
    };
    Ok(wait::until("the name server's answer", PATIENCE, answer).await?)
}

async fn coldplug(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    modem.plug().await?;
    guest.path("/dev/cdc-wdm0", PATIENCE).await?;
    guest.path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await?;
    guest.command("udevadm", &["settle"]).await?.success()?;
    let untouched = link::show(DATA_LINK).await?;
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    let number = stage.online().await?;
    reach(guest).await?;
    let interface = stage.client.view(number).await?.text(CONNECTION, "Interface");
    if interface != DATA_LINK {
        return Err(format!("connected through {interface:?}").into());
    }
    stage.stop().await?;
    let shown = link::show(DATA_LINK).await?;
    if !shown.is_bare() || shown.mtu != untouched.mtu {
        return Err(format!("{DATA_LINK} after the daemon: {shown:?}, before: {untouched:?}").into());
    }
    stage.again().await?;
    stage.online().await?;
    reach(guest).await?;
    stage.end().await?;
    Ok(modem.end().await?)
}

fn pull_at(direction: Direction, n: u32) -> Order {
    Order::Fault(Fault::once(When { direction, ..When::default() }.nth(n), What::Unplug))
}

async fn unplug(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    modem.plug().await?;
    stage.online().await?;
    let log = modem.line.log().await?;
    let all = [(Direction::FromHost, log.from_host()), (Direction::ToHost, log.to_host())];
    modem.pull();
    stage.none().await?;
    let step = if guest.argument() == Some("all") { 1 } else { 5 };
    let mut plugs = 0;
    for (direction, count) in all {
        if count <= 8 {
            return Err(format!("{count} messages are no main job").into());
        }
        for n in (1..=u32::try_from(count)?).step_by(step) {
            let at = |e: harness::virtual_operator::Error| format!("{direction:?} {n}: {e}");
            modem.line.order(Order::Plug);
            modem.line.order(pull_at(direction, n));
            modem.line.state().await.map_err(at)?;
            // Pulls of before are no pulls of now.
            modem.forget();
            // The modem may go before the kernel has given the device a name.
            let attached = modem.attach().await.map_err(at)?;
            modem
                .happening("the modem to go", |h| matches!(h, Happening::Modem(Output::Unplugged)))
                .await
                .map_err(at)?;
            drop(attached);
            stage.none().await.map_err(at)?;
            guest.no_path("/dev/cdc-wdm0", PATIENCE).await.map_err(at)?;
            guest.no_path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await.map_err(at)?;
            plugs += 1;
            if plugs % 10 == 0 {
                guest.progress(&format!("pulled {plugs} times"));
            }
        }
    }
    guest.figure("pulled", f64::from(plugs), "times");
    modem.line.order(Order::ClearFaults);
    modem.line.order(Order::Plug);
    modem.plug().await?;
    let number = stage.online().await?;
    if stage.client.view(number).await?.state() != "connected" {
        return Err("not connected at the end".into());
    }
    stage.some("a connection", View::is_online).await?;
    stage.end().await?;
    Ok(modem.end().await?)
}

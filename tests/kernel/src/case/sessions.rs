//! Several IP sessions of one modem: each on an interface of its own, each with an end of its own.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use dbus_api::name::CONNECTION;
use harness::line::profile_for;
use harness::usb;
use harness::virtual_modem::{Order, Pace, Profile};
use harness::virtual_operator::address::{DATA_LINK, PROBE, WWW};
use harness::virtual_operator::{Error, Scenario, While};
use harness::wait;
use mbim_proto::service::BASIC_CONNECT;
use scenarios::client::View;
use scenarios::link;
use zbus::{OwnedVariant, Variant};

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "sessions",
        what: "sessions 0 and 2 at once, each with its own end; a crash and a restart keep both, an unplug none (:all: and what changed meanwhile)",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it pulls the cable, and asks a virtual modem what it heard"),
        limit: Duration::from_secs(600),
        run: |guest| Box::pin(sessions(guest)),
    },
    Case {
        name: "sessions-usb",
        what: "sessions 0 and 2 at once through user-space USB, each on a TUN interface of its own",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it takes the device from the kernel"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(user_space(guest)),
    },
];

/// The second session, and its interface.
const SECOND: u32 = 2;
const VLAN: &str = "wwan0.2";
/// CONNECT.
const CONNECT: u32 = 12;
/// Rounds of ping of which one must be without loss: the driver loses a block now and then where the processor is slow.
const ROUNDS: u32 = 8;

/// A word of the second session; empty while there is none.
fn second(view: &View, key: &str) -> String {
    let list: Vec<HashMap<String, OwnedVariant>> = view.get(CONNECTION, "Sessions");
    let is_it = |session: &&HashMap<String, OwnedVariant>| {
        matches!(session.get("session").map(|number| &**number), Some(Variant::U32(SECOND)))
    };
    match list.iter().find(is_it).and_then(|session| session.get(key)).map(|value| &**value) {
        Some(Variant::Str(text)) => text.to_string(),
        _ => String::new(),
    }
}

async fn ping(guest: &Guest, link: &str, host: Ipv4Addr) -> Result<(), Error> {
    let mut said = String::new();
    for _ in 0..ROUNDS {
        let words = ["-I", link, "-c", "5", "-i", "0.05", "-W", "5", "-q", &host.to_string()];
        let text = guest.command("ping", &words).await?;
        said = text.output;
        if text.status == 0 && said.contains(" 0% packet loss") {
            return Ok(());
        }
    }
    Err(Error::new(format!("ping through {link}"), said))
}

/// Both at the same time, each to its own side of the network.
async fn both(guest: &Guest, stage: &mut Stage) -> Result<(), Error> {
    both_on(guest, stage, [DATA_LINK, VLAN]).await
}

async fn both_on(guest: &Guest, stage: &mut Stage, links: [&str; 2]) -> Result<(), Error> {
    let up = |view: &View| view.connection() == "up" && second(view, "state") == "up";
    stage.some("both sessions", up).await?;
    let (first, second) = tokio::join!(ping(guest, links[0], WWW.ipv4), ping(guest, links[1], PROBE.ipv4));
    first.and(second)
}

/// A modem with two sessions that lead somewhere.
async fn two(scenario: &Scenario) -> Result<Modem, Error> {
    let profile = Profile { pace: Pace::default(), ..profile_for(scenario) };
    Modem::serve(usb::Setup { profile, sessions: vec![0, 2], ..usb::Setup::of(scenario) }).await
}

async fn control(guest: &Guest, words: &[&str]) -> Result<String, Error> {
    guest.command("mbimctl", words).await?.success()
}

async fn no_vlan(guest: &Guest) -> Result<(), Error> {
    guest.no_path(Path::new("/sys/class/net").join(VLAN), PATIENCE).await
}

/// The number of the second session's interface: another one is another interface.
fn number() -> Result<String, Error> {
    fs::read_to_string(format!("/sys/class/net/{VLAN}/ifindex")).trying(format!("looking at {VLAN}"))
}

/// Orders to connect and disconnect that the modem has heard.
async fn orders(modem: &Modem) -> Result<usize, Error> {
    let set = Some(1);
    Ok(modem.line.log().await?.count(|e| e.operation == set && e.subject == Some((BASIC_CONNECT, CONNECT))))
}

fn ledgers(stage: &Stage) -> Vec<String> {
    crate::stage::names(&stage.setup.directory.join("run/links"))
}

async fn sessions(guest: &mut Guest) -> Outcome {
    let scenario: Scenario = scenario("open")?;
    let mut modem = two(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    modem.plug().await?;
    let online = |view: &View| view.connection() == "up";
    stage.some("a connection", online).await?;
    let alone = link::show(DATA_LINK).await?;

    guest.progress("a second session");
    let connect = ["connect", "--session", "2", "--apn", &scenario.plan_apn];
    let said = control(guest, &connect).await?;
    if !said.starts_with(&format!("connected: {VLAN} ")) {
        return Err(format!("mbimctl connect said {said}").into());
    }
    let shown = guest.command("ip", &["-d", "link", "show", VLAN]).await?.success()?;
    if !shown.contains("vlan protocol 802.1Q id 2 ") || ledgers(&stage) != ["wwan0.2.json", "wwan0.json"] {
        return Err(format!("{shown}; listed {:?}", ledgers(&stage)).into());
    }
    both(guest, &mut stage).await?;
    let status = control(guest, &["status"]).await?;
    if !status.lines().any(|line| line.starts_with("session 2") && line.contains(&scenario.plan_apn)) {
        return Err(format!("mbimctl status does not show it: {status}").into());
    }
    if link::show(DATA_LINK).await? != alone {
        return Err(format!("{DATA_LINK} is not as it was: {:?}", link::show(DATA_LINK).await?).into());
    }

    guest.progress("one ends, the other stays");
    let vlan = link::show(VLAN).await?;
    control(guest, &["disconnect"]).await?;
    ping(guest, VLAN, PROBE.ipv4).await?;
    let base = link::show(DATA_LINK).await?;
    if !base.up || !base.addresses.is_empty() || !base.routes.is_empty() || link::show(VLAN).await? != vlan {
        return Err(format!("after session 0: {base:?}, {:?}", link::show(VLAN).await?).into());
    }
    control(guest, &["connect"]).await?;
    both(guest, &mut stage).await?;
    control(guest, &["disconnect", "--session", "2"]).await?;
    no_vlan(guest).await?;
    ping(guest, DATA_LINK, WWW.ipv4).await?;
    control(guest, &connect).await?;
    let old = number()?;
    modem.line.order(Order::DropSession { session: SECOND, cause: 36 });
    ping(guest, DATA_LINK, WWW.ipv4).await?;
    wait::until("another VLAN after the loss", PATIENCE, || async { number().ok().filter(|new| *new != old) }).await?;
    both(guest, &mut stage).await?;

    guest.progress("a crash and a restart keep both");
    let (before, index) = ((link::show(DATA_LINK).await?, link::show(VLAN).await?), number()?);
    let heard = orders(&modem).await?;
    for leave in [false, true] {
        // A crash between a question and its answer ends the connection, as the case `killed` shows.
        modem.settled().await?;
        if leave {
            stage.leave().await?
        } else {
            stage.kill().await?
        }
        ping(guest, VLAN, PROBE.ipv4).await?;
        stage.again().await?;
        both(guest, &mut stage).await?;
    }
    let after = (link::show(DATA_LINK).await?, link::show(VLAN).await?);
    if after != before || number()? != index || orders(&modem).await? != heard {
        return Err(format!("not taken over: {after:?}, before {before:?}").into());
    }

    if guest.argument() == Some("all") {
        changed_meanwhile(guest, &mut stage, &mut modem).await?;
        control(guest, &connect).await?;
    }

    guest.progress("an unplug leaves nothing, nor does a stop");
    both(guest, &mut stage).await?;
    modem.pull();
    stage.none().await?;
    no_vlan(guest).await?;
    wait::until("empty ledgers", PATIENCE, || async { ledgers(&stage).is_empty().then_some(()) }).await?;
    modem.line.order(Order::Plug);
    modem.plug().await?;
    stage.some("a connection", online).await?;
    control(guest, &connect).await?;
    both(guest, &mut stage).await?;
    stage.stop().await?;
    no_vlan(guest).await?;
    stage.bare().await?;
    if !ledgers(&stage).is_empty() {
        return Err(format!("a stop left {:?}", ledgers(&stage)).into());
    }
    stage.end().await?;
    Ok(modem.end().await?)
}

/// The session ends, or the cable is pulled, while no daemon is there.
async fn changed_meanwhile(guest: &Guest, stage: &mut Stage, modem: &mut Modem) -> Outcome {
    guest.progress("what ended during a crash is made anew, and what is not there any more is taken away");
    stage.kill().await?;
    modem.line.order(Order::DropSession { session: SECOND, cause: 36 });
    modem.line.state().await?;
    stage.again().await?;
    both(guest, stage).await?;
    stage.kill().await?;
    modem.pull();
    no_vlan(guest).await?;
    modem.line.order(Order::Plug);
    modem.plug().await?;
    wait::until("the link of the driver", PATIENCE, || async {
        Path::new("/sys/class/net").join(DATA_LINK).exists().then_some(())
    })
    .await?;
    stage.again().await?;
    stage.some("a connection", |view| view.connection() == "up").await?;
    if Path::new("/sys/class/net").join(VLAN).exists() || ledgers(stage) != ["wwan0.json"] {
        return Err(format!("left of the old plug: {:?}", ledgers(stage)).into());
    }
    Ok(())
}

async fn user_space(guest: &mut Guest) -> Outcome {
    const LINKS: [&str; 2] = ["mbim0", "mbim0.2"];
    guest.load("tun").await?;
    let scenario: Scenario = scenario("open")?;
    let mut modem = two(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    modem.plug().await?;
    let folder = |link: &str| Path::new("/sys/class/net").join(link);
    guest.path(folder(DATA_LINK), PATIENCE).await?;
    let devices = ["usb:1209:0001,detach".to_owned()];
    let mut stage = Stage::of(guest, &scenario, &roots, "", &devices).await?;
    stage.some("a connection", |view| view.connection() == "up").await?;
    let connect = ["connect", "--session", "2", "--apn", &scenario.plan_apn];
    for _ in 0..2 {
        let said = control(guest, &connect).await?;
        if !said.starts_with("connected: mbim0.2 ") {
            return Err(format!("mbimctl connect said {said}").into());
        }
        both_on(guest, &mut stage, LINKS).await?;
        control(guest, &["disconnect", "--session", "2"]).await?;
        guest.no_path(folder(LINKS[1]), PATIENCE).await?;
        ping(guest, LINKS[0], WWW.ipv4).await?;
    }
    control(guest, &connect).await?;
    control(guest, &["disconnect"]).await?;
    ping(guest, LINKS[1], PROBE.ipv4).await?;
    stage.end().await?;
    for link in LINKS {
        guest.no_path(folder(link), PATIENCE).await?;
    }
    // The driver has it again.
    guest.path(folder(DATA_LINK), PATIENCE).await?;
    Ok(modem.end().await?)
}

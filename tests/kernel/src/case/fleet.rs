//! Several modems, and modems that come back: drivers that are unbound, firmware that starts anew, lines that are bad.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use core::net::Ipv4Addr;
use core::time::Duration;

use dbus_api::name::{CONNECTION, MODEM, SIM};
use harness::line::{Happening, profile_for};
use harness::usb::Setup;
use harness::virtual_modem::{Noise, Order, Output, Pace, Profile, Slot, kind};
use harness::virtual_operator::{Error, Scenario, While};
use harness::{virtual_modem, wait};
use mbim_proto::Personal;

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, names, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "rebind",
        what: "the driver is unbound and bound again through sysfs: the modem goes, comes back and is online",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("the modem is named, not announced, and its interface may be in use"),
        limit: Duration::from_secs(420),
        run: |guest| Box::pin(rebind(guest)),
    },
    Case {
        name: "firmware-reset",
        what: "the firmware starts anew and the device re-enumerates: the same object is online again",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("only a virtual modem resets on order"),
        limit: Duration::from_secs(420),
        run: |guest| Box::pin(firmware_reset(guest)),
    },
    Case {
        name: "many",
        what: "two, then eight modems at once: each connected with its own address; pulled, none stays",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("there is one"),
        limit: Duration::from_secs(600),
        run: |guest| Box::pin(many(guest)),
    },
    Case {
        name: "noisy",
        what: "slow and noisy modems (three seeds) connect all the same",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("only a virtual modem is that bad"),
        limit: Duration::from_secs(400),
        run: |guest| Box::pin(noisy(guest)),
    },
];

async fn rebind(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    let folder = modem.plug().await?;
    stage.online().await?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let driver = Path::new("/sys/bus/usb/drivers/cdc_mbim");
    let communication = format!("{name}:1.0");
    if !names(driver).contains(&communication) {
        return Err(format!("cdc_mbim has {:?}", names(driver)).into());
    }
    for round in 1..=3 {
        fs::write(driver.join("unbind"), &communication)?;
        stage.none().await?;
        guest.no_path("/dev/cdc-wdm0", PATIENCE).await?;
        let start = Instant::now();
        fs::write(driver.join("bind"), &communication)?;
        stage.online().await?;
        guest.figure(&format!("bind-to-online-{round}"), start.elapsed().as_secs_f64(), "s");
    }
    stage.end().await?;
    Ok(modem.end().await?)
}

async fn firmware_reset(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut modem = Modem::quick(&scenario).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::of(guest, &scenario, &roots, "absence = 600", &[]).await?;
    modem.plug().await?;
    let number = stage.online().await?;
    let identity = stage.client.view(number).await?.text(MODEM, "DeviceId");
    for _ in 0..2 {
        modem.line.order(Order::Reboot);
        modem.happening("the firmware to start", |h| matches!(h, Happening::Modem(Output::Rebooted))).await?;
        modem.happening("the device to go", |h| matches!(h, Happening::Closed)).await?;
        wait::until("the connection to go", PATIENCE, || async {
            let gone = |view: &scenarios::client::View| view.connection() != "up";
            stage.client.modems().await.ok()?.values().all(gone).then_some(())
        })
        .await?;
        modem.plug().await?;
        let found = stage.online().await?;
        let view = stage.client.view(found).await?;
        if found != number || view.text(MODEM, "DeviceId") != identity {
            return Err(format!("it was modem {number} and is {found}: {}", view.summary()).into());
        }
    }
    stage.end().await?;
    Ok(modem.end().await?)
}

/// Modems of different identities and addresses, with nothing behind them.
fn fleet(scenario: &Scenario, count: u8) -> Vec<Profile> {
    let one = |n: u8| {
        let mut profile = Profile { pace: Pace::default(), ..profile_for(scenario) };
        profile.device_id = Personal::new(format!("3520997461830{:02}", 10 + n));
        if let Slot::Card(sim) = &mut profile.slot {
            sim.imsi = Personal::new(format!("0010173946280{:02}", 10 + n));
            sim.iccid = Personal::new(format!("89990048271936503{:02}", 10 + n));
        }
        for rule in &mut profile.network.apns {
            if let Some(v4) = &mut rule.ip.v4 {
                v4.address = Some((Ipv4Addr::new(10, 64, 100 + n, 2), 30));
                v4.gateway = Some(Ipv4Addr::new(10, 64, 100 + n, 1));
            }
        }
        profile
    };
    (0..count).map(one).collect()
}

async fn serve(profile: Profile) -> Result<Modem, Error> {
    let setup = Setup {
        profile,
        look: virtual_modem::usb::UsbProfile::default(),
        closing: virtual_modem::serve::Closing::Unplug,
        operator: None,
        sessions: vec![0],
    };
    Modem::serve(setup).await
}

/// Waits until so many modems have a connection, each one of its own.
async fn all_up(stage: &mut Stage, count: usize, limit: Duration) -> Outcome {
    let up = |modems: &scenarios::client::Modems| {
        (modems.len() == count && modems.values().all(|view| view.connection() == "up")).then_some(())
    };
    stage.client.until("all to be connected", limit, up).await?;
    let modems = stage.client.modems().await?;
    for (what, found) in [
        ("interfaces", modems.values().map(|v| v.text(CONNECTION, "Interface")).collect::<BTreeSet<_>>()),
        ("control ports", modems.values().map(|v| v.text(MODEM, "ControlPort")).collect()),
        ("addresses", modems.values().map(|v| v.get::<Vec<String>>(CONNECTION, "Addresses").join(" ")).collect()),
    ] {
        if found.len() != count {
            return Err(format!("{count} modems with {what} {found:?}").into());
        }
    }
    if let Some(view) = modems.values().find(|view| view.text(SIM, "Ready").is_empty()) {
        return Err(view.summary().into());
    }
    Ok(())
}

/// How long modems think about an answer that are to be asked the next thing before they give it.
const THOUGHT: Duration = Duration::from_millis(200);

async fn many(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut stage = Stage::start(guest, &scenario, "").await?;
    for count in [2_u8, 8] {
        let mut modems = Vec::new();
        for mut profile in fleet(&scenario, count) {
            if count == 2 {
                profile.pace.answer = THOUGHT;
            }
            modems.push(serve(profile).await?);
        }
        let start = Instant::now();
        for modem in &mut modems {
            modem.plug().await?;
        }
        guest.figure(&format!("attached-{count}"), start.elapsed().as_secs_f64(), "s");
        all_up(&mut stage, count.into(), PATIENCE).await?;
        guest.figure(&format!("connected-{count}"), start.elapsed().as_secs_f64(), "s");
        for modem in modems {
            let most = at_once(&modem).await?;
            // They take eight; the stock driver must not make it one.
            if count == 2 && most < 2 {
                return Err(format!("{most} command at once where 8 were offered").into());
            }
            modem.end().await?;
        }
        stage.none().await?;
    }
    Ok(stage.end().await?)
}

/// The most commands that the modem had and had not answered, as the stock driver brought them.
async fn at_once(modem: &Modem) -> Result<u32, Error> {
    let (mut open, mut most) = (BTreeSet::new(), 0);
    for entry in modem.line.log().await?.entries() {
        match entry.kind {
            kind::COMMAND => drop(open.insert(entry.transaction)),
            kind::COMMAND_DONE => drop(open.remove(&entry.transaction)),
            _ => {}
        }
        most = most.max(open.len());
    }
    u32::try_from(most).trying("counting commands")
}

async fn noisy(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let mut stage = Stage::start(guest, &scenario, "").await?;
    let bad = Profile::named("slow-and-noisy").ok_or("no such profile")?;
    let mut modems = Vec::new();
    for (seed, profile) in (1..).zip(fleet(&scenario, 3)) {
        let noise = Some(Noise::slow_and_noisy(seed));
        let misbehaviour = bad.misbehaviour.clone();
        modems.push(serve(Profile { noise, misbehaviour, pace: bad.pace, ..profile }).await?);
    }
    let start = Instant::now();
    for modem in &mut modems {
        modem.plug().await?;
    }
    all_up(&mut stage, modems.len(), Duration::from_secs(300)).await?;
    guest.figure("slowest-connected", start.elapsed().as_secs_f64(), "s");
    for modem in modems {
        modem.end().await?;
    }
    stage.none().await?;
    Ok(stage.end().await?)
}

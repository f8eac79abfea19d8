//! A modem that is named to the daemon: the virtual one's node in the guest, or a real modem of this machine.

use std::path::Path;

use core::time::Duration;

use dbus_api::name::{CONNECTION, MODEM, SIM};
use harness::device::Device;
use harness::virtual_operator::address::DATA_LINK;
use scenarios::client::{Modems, View};

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "device",
    what: "a modem named with --device: SIM, network, connection with address over a restart and a crash, and back; radio off and on; all again",
    boot: Boot::Plain,
    apart: false,
    real: Real::Yes,
    limit: Duration::from_secs(600),
    run: |guest| Box::pin(device(guest)),
}];

/// A real modem may start for this long, its SIM search for a network.
const STARTING: Duration = Duration::from_secs(180);
/// Time after which a real modem, which cannot be asked, has answered everything.
const QUIET: Duration = Duration::from_secs(5);

async fn device(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let real = guest.device().cloned();
    let mut modem = None;
    let mut roots = String::new();
    let spec = match &real {
        Some(device) => device.spec.clone(),
        None => {
            let mut virtual_modem = Modem::quick(&scenario).await?;
            virtual_modem.line.root_certificate().unwrap_or_default().clone_into(&mut roots);
            virtual_modem.plug().await?;
            guest.path("/dev/cdc-wdm0", PATIENCE).await?;
            guest.path(Path::new("/sys/class/net").join(DATA_LINK), PATIENCE).await?;
            modem = Some(virtual_modem);
            "/dev/cdc-wdm0".to_owned()
        }
    };
    // The network of a machine with a real modem is left to others.
    let lines = if real.is_some() { "autoconnect = false\nnetwork = \"external\"" } else { "autoconnect = false" };
    let mut stage = Stage::of(guest, &scenario, &roots, lines, &[spec]).await?;
    let apn = match &real {
        Some(device) => device.apn.clone(),
        None => Some(scenario.apn.clone()),
    };
    for round in 0..2 {
        let number = ready(&mut stage, real.as_ref()).await?;
        guest.progress(&stage.client.view(number).await?.summary());
        match &apn {
            None => guest.progress("not connected: no MBIMD_TEST_APN"),
            Some(apn) => connected(guest, &mut stage, modem.as_ref(), number, apn, round == 0).await?,
        }
        if round == 0 {
            radio(&mut stage, real.as_ref()).await?;
            stage.stop().await?;
            stage.again().await?;
        }
    }
    stage.end().await?;
    match modem {
        Some(modem) => Ok(modem.end().await?),
        None => Ok(()),
    }
}

/// The SIM is read, its PIN entered, a network found.
async fn ready(stage: &mut Stage, real: Option<&Device>) -> Result<u32, Box<dyn std::error::Error>> {
    let known = |v: &View| !v.text(SIM, "PinRequired").is_empty() || !v.text(SIM, "Imsi").is_empty();
    let find = |modems: &Modems| modems.values().find(|view| known(view)).map(|view| view.number);
    let number = stage.client.until("the SIM", STARTING, find).await?;
    if stage.client.view(number).await?.text(SIM, "PinRequired") == "pin1" {
        let pin = real.and_then(|device| device.pin.as_deref());
        let pin = pin.ok_or("the SIM wants a PIN: set MBIMD_TEST_PIN")?;
        stage.client.sim(number).await?.enter_pin(pin).await?;
    }
    let registered = |v: &View| ["home", "roaming", "partner"].contains(&v.text(MODEM, "RegistrationState").as_str());
    let here = |modems: &Modems| modems.get(&number).filter(|view| registered(view)).map(drop);
    stage.client.until("a network", STARTING, here).await?;
    Ok(number)
}

/// A connection with an address, which a restart and a crash of the daemon find as it was, and the way back.
async fn connected(
    guest: &Guest,
    stage: &mut Stage,
    modem: Option<&Modem>,
    number: u32,
    apn: &str,
    upheaval: bool,
) -> Outcome {
    let error = stage.client.ask_connect(number, Some(apn)).await?;
    if !error.is_empty() {
        return Err(format!("connecting: {error}").into());
    }
    let addresses = |view: &View| view.get::<Vec<String>>(CONNECTION, "Addresses");
    let view = stage.client.view(number).await?;
    let given = addresses(&view);
    if given.is_empty() {
        return Err(format!("no address: {}", view.summary()).into());
    }
    let mut number = number;
    for crash in [false, true].into_iter().filter(|_| upheaval) {
        if crash {
            // One between a question and its answer ends the connection, as the case `killed` shows.
            match modem {
                Some(modem) => modem.settled().await?,
                None => tokio::time::sleep(QUIET).await,
            }
            stage.kill().await?;
        } else {
            stage.leave().await?;
        }
        stage.again().await?;
        let up = |modems: &Modems| modems.values().find(|v| v.connection() == "up").map(|v| v.number);
        number = stage.client.until("the connection of before", STARTING, up).await?;
        let found = addresses(&stage.client.view(number).await?);
        if found != given {
            return Err(format!("the address was {given:?} and is {found:?}").into());
        }
        guest.progress(if crash { "as it was after a crash" } else { "as it was after a restart" });
    }
    let error = stage.client.ask_disconnect(number).await?;
    if error.is_empty() { Ok(()) } else { Err(format!("disconnecting: {error}").into()) }
}

/// The radio goes off and on, and the network is found again.
async fn radio(stage: &mut Stage, real: Option<&Device>) -> Outcome {
    let number = ready(stage, real).await?;
    for on in [false, true] {
        stage.client.device(number).await?.set_radio(on).await?;
        let due = if on { "on" } else { "off" };
        let software =
            |modems: &Modems| modems.get(&number).filter(|v| v.text(MODEM, "RadioSoftware") == due).map(drop);
        stage.client.until("the radio", STARTING, software).await?;
    }
    ready(stage, real).await.map(drop)
}

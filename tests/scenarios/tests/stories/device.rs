//! A modem of the machine in place of the virtual one: `MBIMD_TEST_DEVICE=SPEC`, with `MBIMD_TEST_PIN` and
//! `MBIMD_TEST_APN` where it needs them. The case sits in a network namespace of its own, so only the control channel is
//! used: the network is left to others.

use core::time::Duration;

use dbus_api::name::{MODEM, SIM};
use harness::cases::Case;
use harness::device::Device;
use scenarios::stage::{Outcome, Stage, story};

pub(crate) const CASES: &[Case] =
    &[Case { name: "modem_of_the_environment", run: || story("open", from_the_environment) }];

/// A modem may start for this long, a SIM search for a network.
const PATIENCE: Duration = Duration::from_secs(120);

async fn from_the_environment(stage: &mut Stage) -> Outcome {
    let Some(device) = Device::from_environment() else {
        println!("  no modem is named (MBIMD_TEST_DEVICE)");
        return Ok(());
    };
    if nix::unistd::geteuid().as_raw() == 65534 {
        println!("  the one modem is left to root's run");
        return Ok(());
    }
    stage.configure("network = \"external\"")?;
    stage.world.setup.devices = vec![device.spec.clone()];
    stage.restart().await?;
    let known = |v: &scenarios::client::View| !v.text(SIM, "PinRequired").is_empty() || !v.text(SIM, "Imsi").is_empty();
    let find = |m: &scenarios::client::Modems| m.values().find(|v| known(v)).map(|v| v.number);
    let modem = stage.client.until("the SIM", PATIENCE, find).await?;
    if stage.client.view(modem).await?.text(SIM, "PinRequired") == "pin1" {
        let pin = device.pin.as_deref().ok_or("the SIM wants a PIN: set MBIMD_TEST_PIN")?;
        stage.client.sim(modem).await?.enter_pin(pin).await?;
    }
    let registered = |v: &scenarios::client::View| {
        ["home", "roaming", "partner"].contains(&v.text(MODEM, "RegistrationState").as_str())
    };
    let here = |m: &scenarios::client::Modems| m.get(&modem).filter(|v| registered(v)).map(drop);
    stage.client.until("a network", PATIENCE, here).await?;
    let view = stage.client.view(modem).await?;
    println!("  {} {}: {}", view.text(MODEM, "Hardware"), view.text(MODEM, "Firmware"), view.summary());
    if let Some(apn) = &device.apn
        && !view.text(MODEM, "DataPort").is_empty()
    {
        assert_eq!(stage.client.ask_connect(modem, Some(apn)).await?, "");
        let view = stage.client.view(modem).await?;
        assert!(!view.get::<Vec<String>>(dbus_api::name::CONNECTION, "Addresses").is_empty());
        assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    }
    Ok(())
}

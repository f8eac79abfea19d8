//! What the network does, what the person does, and the SIM's PIN.

use core::time::Duration;

use dbus_api::error::{Code, Error};
use dbus_api::name::SIM;
use harness::cases::Case;
use harness::virtual_modem::{Order, Pin, Profile, Sim, Slot};
use scenarios::client::View;
use scenarios::stage::{Outcome, Stage, quick, story};

pub(crate) const CASES: &[Case] = &[
    Case { name: "dropped_context_comes_back_and_a_persons_end_stays", run: || story("open", dropped) },
    Case { name: "radio_off_and_on", run: || story("open", radio) },
    Case { name: "locked_sim", run: || story("open", locked) },
];

async fn dropped(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    // NwError 36: regular deactivation.
    stage.order(Order::DropSession { session: 0, cause: 36 })?;
    stage.client.modem(modem, "the end of the context", |view| view.connection() != "up").await?;
    stage.bare().await?;
    stage.client.modem(modem, "the connection again", View::is_online).await?;
    stage.order(Order::Coverage(false))?;
    stage.client.modem(modem, "the end of the signal", |view| view.connection() != "up").await?;
    stage.bare().await?;
    stage.order(Order::Coverage(true))?;
    stage.client.modem(modem, "the connection again", View::is_online).await?;

    assert_eq!(stage.client.ask_disconnect(modem).await?, "");
    stage.order(Order::Coverage(false))?;
    stage.client.modem(modem, "the end of the signal", |view| view.state() != "registered").await?;
    stage.order(Order::Coverage(true))?;
    stage.client.modem(modem, "the network", |view| view.state() == "registered").await?;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let view = stage.client.view(modem).await?;
    assert_eq!(view.state(), "registered", "a person's disconnect is not undone: {}", view.summary());
    stage.bare().await?;
    assert_eq!(stage.client.ask_connect(modem, None).await?, "");
    stage.client.modem(modem, "the connection", View::is_online).await?;
    Ok(())
}

async fn radio(stage: &mut Stage) -> Outcome {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    let device = stage.client.device(modem).await?;
    device.set_radio(false).await?;
    stage.client.modem(modem, "the radio to be off", |view| view.state() == "disabled").await?;
    stage.bare().await?;
    assert_eq!(stage.client.view(modem).await?.text(dbus_api::name::MODEM, "RadioSoftware"), "off");
    device.set_radio(true).await?;
    stage.client.modem(modem, "the connection", View::is_online).await?;
    // The switch on the machine.
    stage.order(Order::HardwareRadio(false))?;
    stage.client.modem(modem, "the radio to be off", |view| view.state() == "disabled").await?;
    stage.bare().await?;
    stage.order(Order::HardwareRadio(true))?;
    stage.client.modem(modem, "the connection", View::is_online).await?;
    Ok(())
}

/// Eight digits, which no time stamp of the log holds by chance.
const RIGHT: &str = "70913562";

async fn locked(stage: &mut Stage) -> Outcome {
    let card = Sim { pin1: Pin::enabled(RIGHT, "12345678"), ..Sim::default() };
    let slot = Slot::Card(Box::new(card));
    stage.plug(Profile { slot, ..quick(stage.world.scenario()) }).await?;
    let modem = stage.client.some("the PIN to be asked for", |v| v.text(SIM, "PinRequired") == "pin1").await?;
    let attempts = async |stage: &Stage| Ok::<i32, Error>(stage.client.sim(modem).await.unwrap().pin_attempts().await?);
    assert_eq!(stage.client.view(modem).await?.state(), "locked");
    assert_eq!(attempts(stage).await?, 3);
    let sim = stage.client.sim(modem).await?;
    let wrong = sim.enter_pin("0000").await.map_err(Error::from).unwrap_err();
    assert_eq!(wrong.code(), Code::WrongPin);
    assert_eq!(attempts(stage).await?, 2);
    let nonsense = sim.enter_pin("12a4").await.map_err(Error::from).unwrap_err();
    assert_eq!(nonsense.code(), Code::InvalidArgs);
    assert_eq!(attempts(stage).await?, 2, "a PIN that cannot be one costs no attempt");
    sim.enter_pin(RIGHT).await?;
    assert_eq!(stage.online().await?, modem);
    assert!(!stage.log().contains(RIGHT), "the PIN is in the log");
    Ok(())
}

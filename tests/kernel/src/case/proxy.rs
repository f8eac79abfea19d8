//! Debian's `mbimcli` through the daemon's proxy on a true node, beside a connection of the daemon's.

use core::time::Duration;

use dbus_api::name::CONNECTION;
use dbus_api::proxy::ManagerProxy;
use futures_util::future::join_all;
use harness::line::profile_for;
use harness::usb::Setup;
use harness::virtual_modem::{Direction, Fault, Order, Pace, Profile, What, When, kind};
use harness::wait;
use mbim_proto::Body as _;
use mbim_proto::service::{BASIC_CONNECT, basic_connect as bc};
use virtual_modem::mbimcli::{Step, table};

use super::{Boot, Case, Outcome, Real};
use crate::guest::{Guest, Said};
use crate::stage::{Modem, PATIENCE, Stage, scenario};

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[Case {
    name: "proxy",
    what: "mbimcli -p on /dev/cdc-wdm0 beside the connection: queries (:all every one), four at once, what is refused, one that is killed",
    boot: Boot::Plain,
    apart: false,
    real: Real::No("it counts the messages that the virtual modem got"),
    limit: Duration::from_secs(240),
    run: |guest| Box::pin(run(guest)),
}];

/// The control port.
const NODE: &str = "/dev/cdc-wdm0";
/// Programs at once.
const AT_ONCE: usize = 4;
/// Of so many queries one is asked where not all are to be: what each brings is compared where no kernel is in between.
const ONE_OF: usize = 6;

async fn run(guest: &mut Guest) -> Outcome {
    let scenario = scenario("open")?;
    let profile = Profile { makers: true, pace: Pace::default(), ..profile_for(&scenario) };
    let mut modem = Modem::serve(Setup { profile, ..Setup::of(&scenario) }).await?;
    let roots = modem.line.root_certificate().unwrap_or_default().to_owned();
    let mut stage = Stage::start(guest, &scenario, &roots).await?;
    modem.plug().await?;
    let number = stage.online().await?;
    let addresses = stage.client.view(number).await?.get::<Vec<String>>(CONNECTION, "Addresses");
    let manager = ManagerProxy::builder(stage.client.connection())
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await?;

    queries(guest).await?;
    refusals(guest).await?;
    killed(guest, &modem, &manager).await?;

    // By the path that the daemon made for the modem as well, and the session is the one that it was.
    let alias = stage.setup.directory.join(format!("run/mbim/{number}")).display().to_string();
    mbimcli(guest, &alias, &["--query-device-caps"]).await?.success()?;
    let view = stage.client.view(number).await?;
    if !view.is_online() || view.get::<Vec<String>>(CONNECTION, "Addresses") != addresses {
        return Err(format!("the connection is another one: {}", view.summary()).into());
    }
    let log = modem.line.log().await?;
    let count = |kind| log.count(|entry| entry.kind == kind && entry.direction == Direction::FromHost);
    if (count(kind::OPEN), count(kind::CLOSE)) != (1, 0) {
        return Err(format!("{} OPEN and {} CLOSE, of 1 and 0", count(kind::OPEN), count(kind::CLOSE)).into());
    }
    stage.end().await?;
    Ok(modem.end().await?)
}

async fn mbimcli(guest: &Guest, node: &str, arguments: &[&str]) -> Result<Said, harness::virtual_operator::Error> {
    let words = [&["LC_ALL=C.UTF-8", "mbimcli", "--device-open-proxy", "--device", node], arguments].concat();
    guest.command_within(PATIENCE, "env", &words).await
}

/// Queries that have an option, some at a time: each is answered, or refused as the modem refuses it without a proxy.
async fn queries(guest: &Guest) -> Outcome {
    let is_query = |step: &Step| {
        let alone = !step.arguments.iter().any(|argument| argument.starts_with("--no-"));
        step.option.contains("query") && step.succeeds && step.orders.is_empty() && alone
    };
    let mut steps: Vec<Step> = table().into_iter().filter(is_query).collect();
    let mut seen = Vec::new();
    steps.retain(|step| {
        let new = !seen.contains(&step.option);
        seen.push(step.option);
        new
    });
    if guest.argument() != Some("all") {
        steps = steps.into_iter().step_by(ONE_OF).collect();
    }
    let mut wrong = Vec::new();
    for some in steps.chunks(AT_ONCE) {
        let all = join_all(some.iter().map(|step| mbimcli(guest, NODE, &step.arguments))).await;
        for said in all {
            let said = said?;
            // What is about a session, a wake or a list may not be there; that is the modem's answer, and came through.
            let refused = said.error.contains("operation failed: ") || said.error.contains("ContextNotActivated");
            if said.status != 0 && !refused {
                wrong.push(format!("{}: {} {}", said.command, said.output, said.error));
            }
        }
    }
    guest.figure("queries-through-the-proxy", steps.len() as f64, "queries");
    if steps.len() < 2 * AT_ONCE {
        wrong.push(format!("only {} queries", steps.len()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// What would end the daemon's session.
async fn refusals(guest: &Guest) -> Outcome {
    for (arguments, status) in [
        ("--disconnect=0", "OperationNotAllowed"),
        ("--connect=session-id=0,access-string=internet,ip-type=ipv4", "MaxActivatedContexts"),
        ("--detach-packet-service", "OperationNotAllowed"),
    ] {
        let said = mbimcli(guest, NODE, &[arguments]).await?;
        if said.status == 0 || !said.error.contains(status) {
            return Err(format!("{arguments} is not refused: {said:?}").into());
        }
    }
    Ok(())
}

/// A program that dies while its command is under way leaves nothing.
async fn killed(guest: &mut Guest, modem: &Modem, manager: &ManagerProxy<'_>) -> Outcome {
    let none = || async { manager.proxy_clients().await.ok().filter(Vec::is_empty) };
    wait::until("all programs to be gone", PATIENCE, none).await?;
    let slow = Fault::always(When::answer(BASIC_CONNECT, bc::DeviceCaps::CID), What::Delay(Duration::from_secs(8)));
    modem.line.order(Order::Fault(slow));
    modem.line.state().await?;
    guest.spawn("killed", "mbimcli", &["--device-open-proxy", "--device", NODE, "--query-device-caps"])?;
    wait::until("its command to be under way", PATIENCE, || async {
        let clients = manager.proxy_clients().await.ok()?;
        let commands = clients.first()?.get("commands").and_then(|count| u64::try_from(count).ok())?;
        (commands > 0).then_some(())
    })
    .await?;
    guest.kill("killed").await?;
    wait::until("all programs to be gone", PATIENCE, none).await?;
    modem.line.order(Order::ClearFaults);
    let said = mbimcli(guest, NODE, &["--query-signal-state"]).await?.success()?;
    if said.contains("RSSI") { Ok(()) } else { Err(format!("another answer: {said}").into()) }
}

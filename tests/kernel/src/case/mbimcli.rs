//! Debian's `mbimcli`, which nobody here wrote, on `/dev/cdc-wdm0`: every query and set that it has an option for, and a
//! client on Debian's libmbim-glib for the rest. What they must print are the tables that the ordinary tests run through a
//! pseudo-terminal; the links of sessions are only here.

use std::path::Path;

use core::time::Duration;

use harness::usb::{Setup, UsbLine};
use harness::virtual_modem::Order;
use harness::virtual_modem::serve::Closing;
use harness::virtual_modem::usb::UsbProfile;
use harness::virtual_modem::usb::attach::Attached;
use scenarios::stranger;
use virtual_modem::mbimcli::{LISTENING, Seen, Step, library, options, profile, table};

use super::{Boot, Case, Outcome, Real};
use crate::guest::Guest;

/// The cases of this topic.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "mbimcli",
        what: "mbimcli performs every query and set that it has an option for; what it prints is what the modem holds",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it compares with what the virtual modem holds"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(async { tokio::task::LocalSet::new().run_until(mbimcli(guest)).await }),
    },
    Case {
        name: "libmbim",
        what: "a client on libmbim-glib does what mbimcli has no option for: SMS, USSD, STK, Auth, some of releases 2 and 3 (:all every step)",
        boot: Boot::Plain,
        apart: false,
        real: Real::No("it compares with what the virtual modem holds"),
        limit: Duration::from_secs(300),
        run: |guest| Box::pin(async { tokio::task::LocalSet::new().run_until(client(guest)).await }),
    },
];

/// The control port.
const NODE: &str = "/dev/cdc-wdm0";
/// The data port.
const LINK: &str = "wwan0";
/// Services that mbimcli has no option for.
const SERVICES: [&str; 4] = ["sms-", "ussd", "stk-", "auth-"];
/// Of so many other steps one is done where not all are to be: what each brings is compared where no kernel is in between.
const ONE_OF: usize = 4;
/// How long anything that must happen may take in the guest.
const PATIENCE: Duration = Duration::from_secs(60);

async fn mbimcli(guest: &mut Guest) -> Outcome {
    guest.load("8021q").await?;
    let line = serve(guest).await?;
    let outcome = acts(guest, &line).await;
    end(guest, line, outcome).await
}

async fn client(guest: &mut Guest) -> Outcome {
    let line = serve(guest).await?;
    let outcome = asks(guest, &line).await;
    end(guest, line, outcome).await
}

/// The modem of the tables, not plugged in yet.
async fn serve(guest: &Guest) -> Result<UsbLine, Box<dyn std::error::Error>> {
    for module in ["vhci_hcd", "cdc_mbim"] {
        guest.load(module).await?;
    }
    let setup = Setup {
        profile: profile(),
        look: UsbProfile::default(),
        closing: Closing::Unplug,
        operator: None,
        sessions: Vec::new(),
    };
    Ok(UsbLine::start(setup).await?)
}

async fn end(guest: &Guest, line: UsbLine, outcome: Outcome) -> Outcome {
    line.stop().await;
    guest.no_path(NODE, PATIENCE).await?;
    outcome
}

/// The client's table, each step a session of its own on the node.
async fn asks(guest: &Guest, line: &UsbLine) -> Outcome {
    let attached = plug(guest, line).await?;
    let (program, mut steps, mut others) = (guest.program("stranger"), library(), 0..);
    if guest.argument() != Some("all") {
        let chosen = |option: &str| SERVICES.iter().any(|service| option.starts_with(service));
        steps.retain(|step| {
            chosen(step.option) || others.next().is_some_and(|place: usize| place.is_multiple_of(ONE_OF))
        });
    }
    let mut wrong = Vec::new();
    for step in &steps {
        let order = |orders: &[Order]| orders.iter().for_each(|order| line.order(order.clone()));
        order(&step.orders);
        // Orders are carried out before this is answered.
        line.state().await?;
        let arguments = [&[NODE], &*step.arguments].concat();
        let happen = || {
            order(&step.during);
            Ok(())
        };
        let (success, output) = stranger::run(&program, &arguments, LISTENING, happen).await?;
        let (profile, state) = (line.profile().await?, line.state().await?);
        wrong.extend(step.judge(success, &output, Seen { profile: &profile, state: &state }).err());
    }
    drop(attached);
    guest.figure("libmbim-steps", steps.len() as f64, "steps");
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} steps:\n\n{}", wrong.len(), wrong.join("\n\n")).into()) }
}

async fn acts(guest: &Guest, line: &UsbLine) -> Outcome {
    let mut attached = plug(guest, line).await?;
    links(guest).await?;
    guest.progress("links of sessions come and go");
    let mut wrong = Vec::new();
    let table = table();
    for step in &table {
        step.orders.iter().for_each(|order| line.order(order.clone()));
        let words = ["LC_ALL=C.UTF-8", "mbimcli", "-d", NODE];
        let arguments: Vec<&str> = words.iter().chain(&step.arguments).copied().collect();
        let said = guest.command_within(PATIENCE, "env", &arguments).await?;
        let (profile, state) = (line.profile().await?, line.state().await?);
        let output = format!("{}\n{}", said.output, said.error);
        let seen = Seen { profile: &profile, state: &state };
        wrong.extend(step.judge(said.status == 0, &output, seen).err());
        if step.restarts {
            // The device leaves the bus and has to be attached anew.
            guest.no_path(NODE, PATIENCE).await?;
            drop(attached);
            attached = plug(guest, line).await?;
        }
    }
    drop(attached);
    guest.figure("mbimcli-steps", table.len() as f64, "steps");
    let help = guest.command("mbimcli", &["--help-all"]).await?.success()?;
    let tried: Vec<&str> = table.iter().map(|step: &Step| step.option).chain(LINKS).collect();
    let untried = options(&help).into_iter().filter(|option| !tried.contains(option));
    wrong.extend(untried.map(|option| format!("{option} was not tried")));
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} steps:\n\n{}", wrong.len(), wrong.join("\n\n")).into()) }
}

async fn plug(guest: &Guest, line: &UsbLine) -> Result<Attached, Box<dyn std::error::Error>> {
    let attached = line.attach().await?;
    guest.path(NODE, PATIENCE).await?;
    guest.path(Path::new("/sys/class/net").join(LINK), PATIENCE).await?;
    Ok(attached)
}

/// Options that are about the kernel's interfaces.
const LINKS: [&str; 4] = ["--link-list", "--link-add", "--link-delete", "--link-delete-all"];

/// Interfaces of sessions above 0: VLANs of the data port, made and taken away by the program.
async fn links(guest: &Guest) -> Outcome {
    let list = format!("--link-list={LINK}");
    let add = |session: u32| format!("--link-add=iface={LINK},prefix=mbim,session-id={session}");
    let added = |session: u32| format!("link successfully added: iface name: mbim{session} session id: {session}");
    let folder = |session: u32| Path::new("/sys/class/net").join(format!("mbim{session}"));
    let expect = async |argument: &str, due: &str| -> Outcome {
        let said = guest.command("mbimcli", &["-d", NODE, argument]).await?.success()?;
        let words: Vec<&str> = said.split_whitespace().filter(|word| !word.starts_with("[/dev/")).collect();
        let said = words.join(" ");
        if said.contains(due) { Ok(()) } else { Err(format!("{argument} printed {said:?}, not {due:?}").into()) }
    };
    // A VLAN needs its base device up.
    guest.command("ip", &["link", "set", LINK, "up"]).await?.success()?;
    expect(&list, "found 0 links").await?;
    for session in [3, 5] {
        expect(&add(session), &added(session)).await?;
        guest.path(folder(session), PATIENCE).await?;
        let vlan = guest.command("ip", &["-d", "link", "show", &format!("mbim{session}")]).await?.success()?;
        if !vlan.contains(&format!("vlan protocol 802.1Q id {session} ")) {
            return Err(format!("mbim{session} is not VLAN {session}: {vlan}").into());
        }
    }
    expect(&list, "found 2 links: [0] mbim3 [1] mbim5").await?;
    expect("--link-delete=mbim3", "success").await?;
    guest.no_path(folder(3), PATIENCE).await?;
    expect(&list, "found 1 links: [0] mbim5").await?;
    expect(&format!("--link-delete-all={LINK}"), "success").await?;
    guest.no_path(folder(5), PATIENCE).await?;
    guest.command("ip", &["link", "set", LINK, "down"]).await?.success()?;
    Ok(())
}

//! The daemon meets a network: from plug to a verdict, and on to full when the plan is bought.

use std::collections::HashMap;

use core::panic::AssertUnwindSafe;
use core::time::Duration;

use crate::client::{Client, View};
use crate::ground::{Ground, Plan};
use crate::slow::Slow;
use crate::stage::{Outcome, Stage, quick, scenario};
use dbus_api::name::CONNECTIVITY;
use futures_util::FutureExt;
use harness::cases::block_on;
use harness::daemon;
use harness::virtual_modem::Profile;
use harness::virtual_operator::address::{DATA_LINK, GI_LINK};
use harness::virtual_operator::link::Net;
use harness::virtual_operator::scenario::Families;
use harness::virtual_operator::{Scenario, While};
use harness::world::{World, private_directory};
use tokio::time::Instant;

/// The daemon, a modem, and a network of foreign software.
pub struct Meeting {
    /// The daemon and its bus.
    pub stage: Stage,
    /// The network's side, in namespaces of its own.
    pub ground: Ground,
    /// Number of the modem's object.
    pub modem: u32,
    /// The distance, where there is one.
    pub slow: Option<Slow>,
    plugged: Instant,
}

/// Evidence by part and name.
pub type Evidence = HashMap<String, HashMap<String, String>>;

/// What the network is.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What the ground is laid out for.
    pub plan: Plan,
    /// Families that the operator gives addresses of.
    pub families: Families,
    /// Time of a packet from the machine to the network.
    pub way: Option<Duration>,
}

/// IPv4, at no distance.
pub const IPV4: Kind = Kind { plan: Plan { ipv6: false, nat64: false }, families: Families::Ipv4, way: None };
/// Both families.
pub const DUAL: Kind = Kind { plan: Plan { ipv6: true, nat64: false }, families: Families::Dual, way: None };

/// Runs a case from empty namespaces to empty ones. `tell` is given the stage without a modem.
pub fn meet(kind: Kind, tell: impl AsyncFnOnce(&mut Meeting) -> Outcome) -> Outcome {
    block_on(async {
        let net = Net::open()?;
        net.set_up("lo", true).await?;
        let slow = match kind.way {
            Some(way) => Some(Slow::start(way)?),
            None => {
                net.pair(DATA_LINK, GI_LINK).await?;
                None
            }
        };
        let directory = private_directory()?;
        let ground = Ground::start(directory.path(), kind.plan).await?;
        let open = Scenario { families: kind.families, ..scenario("open")? };
        let roots = ground.authority.pem().to_owned();
        let world = World::start_in(directory, open, roots, &daemon::beside_test()?, "debug").await?;
        let client = Client::connect(world.bus.address()).await?;
        let stage = Stage { world, client };
        let mut meeting = Meeting { stage, ground, modem: 0, slow, plugged: Instant::now() };
        let told = AssertUnwindSafe(tell(&mut meeting)).catch_unwind().await;
        let outcome = told.unwrap_or_else(|_| Err("a check failed".into()));
        if outcome.is_err() {
            let log = meeting.stage.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the daemon's last words:\n  {}", lines[lines.len().saturating_sub(40)..].join("\n  "));
            eprintln!("the servers:\n{}", meeting.ground.logs());
        }
        let cleared = meeting.stage.clear_away().await;
        meeting.ground.stop().await;
        outcome?;
        Ok::<_, Box<dyn std::error::Error>>(cleared?)
    })
}

impl Meeting {
    /// Plugs the modem in.
    pub async fn plug(&mut self) -> Outcome {
        self.plug_as(|_| ()).await
    }

    /// Plugs a modem in that is not quite as the network.
    pub async fn plug_as(&mut self, change: impl FnOnce(&mut Profile)) -> Outcome {
        let mut profile = quick(self.stage.world.scenario());
        change(&mut profile);
        self.plugged = Instant::now();
        Ok(self.stage.plug(profile).await?)
    }

    /// Waits for a verdict and prints what it took.
    pub async fn sees(&mut self, state: &str, reason: &str) -> Result<Evidence, Box<dyn std::error::Error>> {
        let what = format!("{state} ({reason})");
        let said =
            |view: &View| view.text(CONNECTIVITY, "StateName") == state && view.text(CONNECTIVITY, "Reason") == reason;
        self.modem = self.stage.client.some(&what, said).await?;
        let view = self.stage.client.view(self.modem).await?;
        let cost = cost(&view);
        println!(
            "  {what}: {} ms since plug or change; the test: {} ms, {} round trips, {} octets",
            self.plugged.elapsed().as_millis(),
            cost["milliseconds"],
            cost["round-trips"],
            cost["octets"]
        );
        Ok(evidence(&view))
    }

    /// The person opens the operator's page, buys, and the daemon sees it by itself.
    pub async fn buy(&mut self) -> Outcome {
        // Whoever asks for the page is about to buy: it is looked at more often. Not every garden has one.
        let _ = self.stage.client.portal_url(self.modem).await;
        self.ground.open().await?;
        self.plugged = Instant::now();
        self.full().await.map(drop)
    }

    /// Waits for full.
    pub async fn full(&mut self) -> Result<Evidence, Box<dyn std::error::Error>> {
        self.sees("full", "").await
    }

    /// Ports that UDP sockets are bound to in the machine's namespace.
    pub fn udp_ports(&self) -> Result<Vec<u16>, Box<dyn std::error::Error>> {
        let mut ports = Vec::new();
        for table in ["udp", "udp6"] {
            let text = std::fs::read_to_string(format!("/proc/self/net/{table}"))?;
            let local = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)?.rsplit_once(':'));
            ports.extend(local.filter_map(|(_, port)| u16::from_str_radix(port, 16).ok()));
        }
        Ok(ports)
    }

    /// Tests now.
    pub async fn check(&self) -> Result<View, Box<dyn std::error::Error>> {
        self.stage.client.connectivity(self.modem).await?.check().await.trying("testing")?;
        Ok(self.stage.client.view(self.modem).await?)
    }
}

/// What the daemon says it saw, by family.
pub fn evidence(view: &View) -> Evidence {
    view.get(CONNECTIVITY, "Evidence")
}

/// What looking has cost, by the names of D-Bus.
pub fn cost(view: &View) -> HashMap<String, u64> {
    view.get(CONNECTIVITY, "Cost")
}

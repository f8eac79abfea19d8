//! The operator in real namespaces: what gets through before the purchase, and after.

// clippy.toml allows this in tests, but does not know that an executable without the standard harness is one.
#![allow(clippy::unwrap_used)]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::UdpSocket;
use virtual_operator::address::{DATA_LINK, DNS, Host, PORTAL, PROBE, PROBE_TLS, WWW, subscriber4, subscriber6};
use virtual_operator::cases::{self, Case, block_on};
use virtual_operator::http::{Client, Response};
use virtual_operator::link::{self, Net};
use virtual_operator::network::ACTIVATION_BLOB;
use virtual_operator::scenario::{Families, Garden, GardenTls};
use virtual_operator::{Error, Event, Operator, Scenario, Session, Subscriber, certificates, dns, portal};

/// How long an answer may take that must come.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait for an answer that must not come.
const SILENCE: Duration = Duration::from_millis(250);

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    cases::main(&[
        Case { name: "redirecting_garden_ipv4", run: || whole_way(Scenario::garden()) },
        Case { name: "redirecting_garden_ipv6", run: || whole_way(with(|s| s.families = Families::Ipv6)) },
        Case { name: "redirecting_garden_dual", run: || whole_way(with(|s| s.families = Families::Dual)) },
        Case { name: "garden_with_tls_timeout", run: || whole_way(with(|s| s.garden_tls = GardenTls::Timeout)) },
        Case { name: "silent_garden_dual", run: || whole_way(with(silent)) },
        Case { name: "open_at_once", run: open_at_once },
        Case { name: "no_session_no_way", run: no_session_no_way },
    ])
}

fn with(change: fn(&mut Scenario)) -> Scenario {
    let mut scenario = Scenario::garden();
    change(&mut scenario);
    scenario
}

fn silent(scenario: &mut Scenario) {
    scenario.garden = Garden::SilentDrop;
    scenario.families = Families::Dual;
}

/// The machine's side: what a daemon would configure.
struct Machine {
    net: Net,
    scenario: Scenario,
    roots: String,
}

impl Machine {
    async fn connected(&self, operator: &mut Operator, apn: &str, n: u8) -> Result<(), Error> {
        let families = self.scenario.families;
        let session =
            Session::new(apn, families.ipv4().then(|| subscriber4(n)), families.ipv6().then(|| subscriber6(n)));
        operator.session_up(session.clone()).await?;
        self.net.clear(DATA_LINK).await?;
        self.net.set_up(DATA_LINK, true).await?;
        if let Some(ipv4) = session.ipv4 {
            self.net.address(DATA_LINK, IpAddr::V4(ipv4), 30).await?;
            self.net.route(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, DATA_LINK).await?;
        }
        if let Some(ipv6) = session.ipv6 {
            self.net.address(DATA_LINK, IpAddr::V6(ipv6), 64).await?;
            self.net.route(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0, DATA_LINK).await?;
        }
        Ok(())
    }

    fn addresses(&self, host: Host) -> Vec<IpAddr> {
        let families = self.scenario.families;
        let ipv4 = families.ipv4().then_some(IpAddr::V4(host.ipv4));
        let ipv6 = families.ipv6().then_some(IpAddr::V6(host.ipv6));
        ipv4.into_iter().chain(ipv6).collect()
    }

    /// Asks up to three times, as resolvers do: the first packet over a link that just came up may be lost.
    async fn lookup(&self, server: IpAddr, name: &str, ipv6: bool) -> Result<Vec<IpAddr>, String> {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).await.map_err(|e| e.to_string())?;
        let query = dns::question(name, 77, ipv6)?;
        let mut reply = [0; 1500];
        for _ in 0..3 {
            socket.send_to(&query, (server, 53)).await.map_err(|e| e.to_string())?;
            let answer = tokio::time::timeout(Duration::from_secs(1), socket.recv_from(&mut reply)).await;
            if let Ok(answer) = answer {
                let (length, from) = answer.map_err(|e| e.to_string())?;
                assert_eq!(from.ip(), server, "answers come from where they were asked");
                return dns::addresses(&reply[..length], 77);
            }
        }
        Err("no answer".into())
    }

    async fn get(&self, to: IpAddr, tls: bool, host: &str, path: &str) -> Result<Response, Error> {
        self.client(tls)?.fetch(SocketAddr::new(to, if tls { 443 } else { 80 }), host, path, None).await
    }

    fn client(&self, tls: bool) -> Result<Client, Error> {
        let tls = tls.then(|| certificates::client_config(&self.roots)).transpose()?.map(Arc::new);
        Ok(Client { interface: Some(DATA_LINK.into()), tls, limit: PATIENCE })
    }

    /// As [`Self::get`] where silence is what is expected, and short.
    async fn get_soon(&self, to: IpAddr, tls: bool, host: &str, path: &str) -> Result<Response, Error> {
        let port = if tls { 443 } else { 80 };
        let client = Client { limit: SILENCE, ..self.client(tls)? };
        client.fetch(SocketAddr::new(to, port), host, path, None).await
    }

    async fn names_resolve(&self) {
        for server in self.addresses(DNS) {
            for host in [PORTAL, PROBE, PROBE_TLS] {
                assert_eq!(self.lookup(server, host.name, false).await, Ok(vec![IpAddr::V4(host.ipv4)]));
                assert_eq!(self.lookup(server, host.name, true).await, Ok(vec![IpAddr::V6(host.ipv6)]));
            }
            let error = self.lookup(server, "x7g2.internet.example", false).await.unwrap_err();
            assert!(error.contains("Non-Existent") || error.contains("NXDomain"), "{error}");
        }
    }

    async fn inside(&self) -> Result<(), Error> {
        self.names_resolve().await;
        for host in [PROBE, WWW] {
            for to in self.addresses(host) {
                if self.scenario.garden == Garden::Redirect {
                    let plain = self.get(to, false, host.name, "/check").await?;
                    assert_eq!(plain.status, 302);
                    assert_eq!(plain.header("location"), Some("https://portal.mobile.example/start"));
                } else {
                    let plain = self.get_soon(to, false, host.name, "/check").await;
                    assert_eq!(plain.unwrap_err().to_string(), "http: no answer in time");
                }
            }
        }
        let nowhere = IpAddr::V4(Ipv4Addr::new(198, 18, 7, 7));
        for to in self.addresses(PROBE_TLS).into_iter().chain(self.scenario.families.ipv4().then_some(nowhere)) {
            let silent = self.scenario.garden == Garden::SilentDrop;
            let silent = silent || self.scenario.garden_tls == GardenTls::Timeout;
            let answer = if silent {
                self.get_soon(to, true, PROBE_TLS.name, "/check").await
            } else {
                self.get(to, true, PROBE_TLS.name, "/check").await
            };
            let error = answer.unwrap_err().to_string();
            if silent {
                assert_eq!(error, "http: no answer in time");
            } else {
                assert!(error.contains("reset"), "{error}");
            }
        }
        Ok(())
    }

    async fn outside(&self) -> Result<(), Error> {
        self.names_resolve().await;
        for to in self.addresses(PROBE) {
            assert_eq!(self.get(to, false, PROBE.name, "/check").await?.status, 204);
            assert_eq!(self.get(to, false, PROBE.name, "/text").await?.body_text(), "Virtual Internet\n");
        }
        for to in self.addresses(PROBE_TLS) {
            assert_eq!(self.get(to, true, PROBE_TLS.name, "/check").await?.status, 204);
            let wrong_name = self.get(to, true, "portal.mobile.example", "/").await;
            assert!(wrong_name.unwrap_err().to_string().starts_with("tls:"));
        }
        for to in self.addresses(PORTAL) {
            assert_eq!(self.get(to, true, PORTAL.name, "/").await?.status, 404, "the portal is reachable from outside");
        }
        Ok(())
    }
}

async fn started(scenario: &Scenario) -> Result<(Operator, Machine), Error> {
    let operator = Operator::start(scenario.clone(), Subscriber::canary()).await?;
    let roots = operator.root_certificate().to_owned();
    Ok((operator, Machine { net: Net::open()?, scenario: scenario.clone(), roots }))
}

fn whole_way(scenario: Scenario) -> Outcome {
    block_on(async move {
        let (mut operator, machine) = started(&scenario).await?;
        machine.connected(&mut operator, "internet", 1).await?;
        machine.inside().await?;

        for to in machine.addresses(PORTAL) {
            let start = "/start?SubId=001017394628051&DevId=352099746183058&IccId=8999004827193650378";
            let stranger = machine.get(to, true, PORTAL.name, "/start?SubId=001017394628052").await?;
            assert_eq!(stranger.status, 403);
            let page = machine.get(to, true, PORTAL.name, start).await?;
            assert_eq!(page.status, 200);
            let plain = machine.get(to, false, PORTAL.name, start).await?;
            assert_eq!((plain.status, plain.header("location")), (301, Some("https://portal.mobile.example/start")));
        }
        let to = machine.addresses(PORTAL)[0];
        let page = machine.get(to, true, PORTAL.name, "/start?SubId=001017394628051").await?.body_text();
        let token = portal::token_in(&page).unwrap().to_owned();
        let buy = format!("session={token}&plan=month-5gb");
        let bought = machine.client(true)?.fetch(SocketAddr::new(to, 443), PORTAL.name, "/buy", Some(&buy)).await?;
        assert_eq!(bought.status, 200);
        machine.inside().await?;

        let document = machine.get(to, true, PORTAL.name, &format!("/documents/activation?session={token}")).await?;
        assert!(document.body_text().contains("ServiceActivation"));
        assert_eq!(operator.service_activation(b"wrong".to_vec()).await?, None);
        assert_eq!(operator.service_activation(ACTIVATION_BLOB.to_vec()).await?, Some(b"OK".to_vec()));
        let document = machine.get(to, true, PORTAL.name, &format!("/documents/profile?session={token}")).await?;
        assert!(document.body_text().contains("plus.mobile.example"));

        operator.session_down().await?;
        let error = machine.get_soon(to, true, PORTAL.name, "/").await.unwrap_err();
        assert_eq!(error.to_string(), "http: no answer in time", "no session, no portal");
        machine.connected(&mut operator, "plus.mobile.example", 2).await?;
        machine.outside().await?;

        let mut accesses = Vec::new();
        while accesses.last() != Some(&virtual_operator::Access::Internet) {
            if let Event::Access { access } = operator.event().await? {
                accesses.push(access);
            }
        }
        assert!(operator.names_asked().iter().any(|n| n.starts_with("probe.internet.example")));
        operator.stop().await;
        // The kernel takes namespaces away a little after their last process.
        let gone = Instant::now() + Duration::from_secs(5);
        while link::index(DATA_LINK).is_ok() {
            assert!(Instant::now() < gone, "the link ends with the operator");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, Error>(())
    })
}

fn open_at_once() -> Outcome {
    block_on(async {
        let scenario = Scenario::named("open").unwrap();
        let (mut operator, machine) = started(&scenario).await?;
        machine.connected(&mut operator, "internet", 1).await?;
        machine.outside().await?;
        operator.stop().await;
        Ok::<_, Error>(())
    })
}

fn no_session_no_way() -> Outcome {
    block_on(async {
        let (operator, machine) = started(&with(|s| s.families = Families::Dual)).await?;
        machine.net.set_up(DATA_LINK, true).await?;
        machine.net.address(DATA_LINK, IpAddr::V4(subscriber4(1)), 30).await?;
        machine.net.address(DATA_LINK, IpAddr::V6(subscriber6(1)), 64).await?;
        let server = IpAddr::V4(DNS.ipv4);
        let lookup = tokio::time::timeout(SILENCE, machine.lookup(server, PORTAL.name, false)).await;
        assert!(lookup.is_err() || lookup.is_ok_and(|l| l.is_err()));
        let carrier = std::fs::read_to_string(format!("/sys/class/net/{DATA_LINK}/carrier"))
            .map_err(|e| Error::new("reading the carrier", e))?;
        assert_eq!(carrier.trim(), "0");
        operator.stop().await;
        Ok::<_, Error>(())
    })
}

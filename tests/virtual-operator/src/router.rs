//! The operator as a process in a network namespace of its own: router with walled garden, name server and portal.
//!
//! The garden is made of routing alone. A rule sends what comes from the subscriber to a table of its own, in which
//! every address is local (so that the redirecting web server answers for all of them) or leads nowhere. The
//! operator's own addresses stand in the kernel's table of local addresses, which comes before all rules. Taking
//! the rule away opens the way to the internet.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use rustls::crypto::SecureRandom;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::address::{DNS, GATEWAY4, GATEWAY6, GI_LINK, OPERATOR_HOSTS, PORTAL, TRANSIT, UP_LINK};
use crate::error::{Error, While};
use crate::http::{self, Request, Response, Site};
use crate::link::{Net, Rule, setting};
use crate::network::{Access, Network, Session};
use crate::scenario::{Garden, GardenTls, Scenario};
use crate::wire::{self, OperatorOrder, Report};
use crate::{dns, listen, portal};

const TABLE_GARDEN: u32 = 100;
const TABLE_TLS: u32 = 101;

/// Runs until standard input ends.
///
/// # Errors
/// Something of the set-up failed.
pub async fn run() -> Result<(), Error> {
    let mut orders = wire::lines(tokio::io::stdin());
    let mut out = tokio::io::stdout();
    wire::send(&mut out, &Report::Here).await?;
    let Some(OperatorOrder::Begin { scenario, subscriber, portal }) = wire::receive(&mut orders).await? else {
        return Ok(());
    };
    let net = Net::open()?;
    configure(&net, &scenario).await?;
    let (reports, mut outbox) = mpsc::unbounded_channel();
    let network = Rc::new(RefCell::new(Network::new(*scenario, subscriber)));
    serve(&network, &reports, &portal).await?;
    wire::send(&mut out, &Report::Ready).await?;

    let mut router = Router { net, rules: Vec::new() };
    loop {
        tokio::select! {
            order = wire::receive::<OperatorOrder>(&mut orders) => {
                let Some(order) = order? else { return Ok(()) };
                let report = match order {
                    OperatorOrder::FurtherSession { link, session } => {
                        router.further(&link, session).await?;
                        Report::Settled
                    }
                    order => obey(&network, order),
                };
                router.follow(&network).await?;
                tell(&network, &reports);
                let _ = reports.send(report);
            }
            report = outbox.recv() => {
                let Some(report) = report else { return Ok(()) };
                router.follow(&network).await?;
                wire::send(&mut out, &report).await?;
            }
        }
    }
}

fn obey(network: &RefCell<Network>, order: OperatorOrder) -> Report {
    let mut network = network.borrow_mut();
    match order {
        OperatorOrder::Begin { .. } | OperatorOrder::FurtherSession { .. } => Report::Settled,
        OperatorOrder::SessionUp { session } => {
            network.session_up(session);
            Report::Settled
        }
        OperatorOrder::SessionDown => {
            network.session_down();
            Report::Settled
        }
        OperatorOrder::ServiceActivation { data } => {
            Report::Activated { answer: network.service_activation(&data).ok() }
        }
    }
}

fn tell(network: &RefCell<Network>, reports: &mpsc::UnboundedSender<Report>) {
    while let Some(event) = network.borrow_mut().poll() {
        // The receiver lives as long as the process.
        let _ = reports.send(Report::Happened { event });
    }
}

/// What is in force in the kernel, so that only differences are set.
struct Router {
    net: Net,
    rules: Vec<Rule>,
}

impl Router {
    /// Makes the kernel allow what the network allows.
    async fn follow(&mut self, network: &RefCell<Network>) -> Result<(), Error> {
        let (access, session, wanted) = {
            let network = network.borrow();
            let wanted = if network.access() == Access::Garden { rules(network.scenario()) } else { Vec::new() };
            (network.access(), network.session().cloned(), wanted)
        };
        for rule in wanted.iter().filter(|r| !self.rules.contains(r)) {
            self.net.add_rule(*rule).await?;
        }
        for rule in self.rules.iter().filter(|r| !wanted.contains(r)) {
            self.net.delete_rule(*rule).await?;
        }
        self.rules = wanted;
        self.reach(GI_LINK, session.filter(|_| access != Access::Nothing)).await
    }

    /// The link of a session beside the first one, without a garden.
    async fn further(&self, link: &str, session: Option<Session>) -> Result<(), Error> {
        if session.is_some() {
            setting(&format!("ipv4/conf/{link}/rp_filter"), "0")?;
            setting(&format!("ipv6/conf/{link}/addr_gen_mode"), "1")?;
        }
        self.reach(link, session).await
    }

    async fn reach(&self, link: &str, session: Option<Session>) -> Result<(), Error> {
        let Some(session) = session else { return self.net.set_up(link, false).await };
        self.net.set_up(link, true).await?;
        if let Some(ipv4) = session.ipv4 {
            self.net.address(link, IpAddr::V4(GATEWAY4), 32).await?;
            self.net.route(IpAddr::V4(ipv4), 32, link).await?;
        }
        if let Some(ipv6) = session.ipv6 {
            self.net.address(link, IpAddr::V6(GATEWAY6), 64).await?;
            let prefix = Ipv6Addr::from_bits(ipv6.to_bits() >> 64 << 64);
            self.net.route(IpAddr::V6(prefix), 64, link).await?;
        }
        Ok(())
    }
}

fn rules(scenario: &Scenario) -> Vec<Rule> {
    let mut rules = Vec::new();
    for ipv6 in [false, true] {
        let rule = Rule { ipv6, priority: 110, from: GI_LINK, tcp_port: None, table: TABLE_GARDEN };
        if scenario.garden == Garden::Redirect && scenario.garden_tls == GardenTls::Timeout {
            rules.push(Rule { priority: 100, tcp_port: Some(443), table: TABLE_TLS, ..rule });
        }
        rules.push(rule);
    }
    rules
}

async fn configure(net: &Net, scenario: &Scenario) -> Result<(), Error> {
    setting("ipv4/ip_forward", "1")?;
    setting("ipv6/conf/all/forwarding", "1")?;
    // What comes from the subscriber is answered under foreign addresses, so the return path is never the reverse.
    for interface in ["all", "default", GI_LINK, UP_LINK] {
        setting(&format!("ipv4/conf/{interface}/rp_filter"), "0")?;
    }
    // The other end has the same hardware address and would make the same link-local address of it.
    setting(&format!("ipv6/conf/{GI_LINK}/addr_gen_mode"), "1")?;
    net.set_up("lo", true).await?;
    for host in OPERATOR_HOSTS {
        net.address("lo", IpAddr::V4(host.ipv4), 32).await?;
        net.address("lo", IpAddr::V6(host.ipv6), 128).await?;
    }
    net.set_up(UP_LINK, true).await?;
    let [own, _] = TRANSIT;
    net.address(UP_LINK, IpAddr::V4(own.ipv4), 30).await?;
    net.address(UP_LINK, IpAddr::V6(own.ipv6), 64).await?;
    net.route(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, UP_LINK).await?;
    net.route(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0, UP_LINK).await?;
    for ipv6 in [false, true] {
        match scenario.garden {
            Garden::Redirect => net.all_local(TABLE_GARDEN, ipv6).await?,
            Garden::SilentDrop => net.all_dropped(TABLE_GARDEN, ipv6).await?,
            Garden::None => {}
        }
        net.all_dropped(TABLE_TLS, ipv6).await?;
    }
    Ok(())
}

async fn serve(
    network: &Rc<RefCell<Network>>,
    reports: &mpsc::UnboundedSender<Report>,
    certificate: &crate::certificates::ServerCertificate,
) -> Result<(), Error> {
    let tls = TlsAcceptor::from(Arc::new(certificate.server_config()?));
    let site = portal_site(network.clone(), reports.clone(), token()?);
    let redirecting: Site = Rc::new(|request| redirect(&request));
    for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
        let plain = listen::any_address(SocketAddr::new(any, 80), true)?;
        tokio::task::spawn_local(serve_plain(plain, redirecting.clone()));
        let encrypted = listen::any_address(SocketAddr::new(any, 443), true)?;
        tokio::task::spawn_local(serve_tls(encrypted, tls.clone(), site.clone()));
    }
    let names = reports.clone();
    let watch: dns::Watch = Rc::new(move |name| {
        let _ = names.send(Report::Asked { name: name.to_owned() });
    });
    let servers = [IpAddr::V4(DNS.ipv4), IpAddr::V6(DNS.ipv6)];
    dns::serve(&servers, watch).await.trying("starting the name server")
}

fn portal_site(network: Rc<RefCell<Network>>, reports: mpsc::UnboundedSender<Report>, token: String) -> Site {
    Rc::new(move |request| {
        let response = portal::answer(&mut network.borrow_mut(), &request, &token);
        tell(&network, &reports);
        response
    })
}

/// Plain HTTP: the portal itself sends people to its encrypted side, everyone else to the portal.
fn redirect(request: &Request) -> Response {
    if request.host == PORTAL.name {
        return Response::redirect(301, crate::address::ACCOUNT_URL);
    }
    let mut response = Response::redirect(302, crate::address::ACCOUNT_URL);
    response.headers.push(("cache-control".into(), "no-store".into()));
    response
}

async fn serve_plain(listener: TcpListener, site: Site) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(http::serve(stream, site.clone()));
    }
}

async fn serve_tls(listener: TcpListener, tls: TlsAcceptor, site: Site) {
    while let Ok((stream, _)) = listener.accept().await {
        if !stream.local_addr().is_ok_and(|a| PORTAL.has(a.ip())) {
            reset(&stream);
            continue;
        }
        let (tls, site) = (tls.clone(), site.clone());
        tokio::task::spawn_local(async move {
            let stream = tls.accept(stream).await.trying("accepting TLS")?;
            http::serve(stream, site).await;
            Ok::<_, Error>(())
        });
    }
}

/// Closing with nothing to wait for makes the kernel send a reset instead of an end.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn token() -> Result<String, Error> {
    let mut octets = [0; 16];
    let random: &dyn SecureRandom = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut octets).map_err(|_| Error::new("making a session token", "no randomness"))?;
    Ok(octets.iter().map(|o| format!("{o:02x}")).collect())
}

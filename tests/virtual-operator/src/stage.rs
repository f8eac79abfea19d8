//! The parent's side: puts the operator and its internet into their namespaces, wires them up, and keeps the ends.

use std::collections::VecDeque;
use std::process::ExitCode;

use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::address::{DATA_LINK, GI_LINK, INTERNET_HOSTS, NET_LINK, PORTAL, UP_LINK};
use crate::certificates::{Authority, ServerCertificate};
use crate::error::{Error, While};
use crate::link::{self, Net};
use crate::netns;
use crate::network::{Event, Session, Subscriber};
use crate::scenario::Scenario;
use crate::wire::{self, InternetOrder, OperatorOrder, Report};

const OPERATOR: &str = "virtual-operator";
const INTERNET: &str = "virtual-internet";
/// How long the kernel may take to remove the data link after its other end died.
const LINK_GONE_TRIES: u32 = 200;
const LINK_GONE_PAUSE: core::time::Duration = core::time::Duration::from_millis(5);

/// What an executable that uses [`Operator`] calls first thing in `main`, with its arguments without the program's
/// name: runs a child's part and says how it ended, or returns `None` when the arguments are not a child's.
#[must_use]
pub fn child(arguments: &[String]) -> Option<ExitCode> {
    let part = arguments.first().map(String::as_str).filter(|a| [OPERATOR, INTERNET].contains(a))?;
    Some(match run_child(part) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent reads reports until the end; this is the last.
            let report = Report::Failed { why: error.to_string() };
            println!("{}", serde_json::to_string(&report).unwrap_or_default());
            ExitCode::FAILURE
        }
    })
}

fn run_child(part: &str) -> Result<(), Error> {
    netns::die_with_parent()?;
    netns::enter_network()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying("starting the runtime")?;
    let local = tokio::task::LocalSet::new();
    let result = local.block_on(&runtime, async {
        if part == OPERATOR { crate::router::run().await } else { crate::internet::run().await }
    });
    // Standard input is read on a thread that may be blocked in it.
    runtime.shutdown_background();
    result
}

struct Process {
    child: Child,
    orders: ChildStdin,
    reports: tokio::io::Lines<tokio::io::BufReader<ChildStdout>>,
}

impl Process {
    async fn start(part: &str) -> Result<Self, Error> {
        let mut command = Command::from(netns::own_executable(&[part]));
        let mut child = command.kill_on_drop(true).spawn().trying(format!("starting {part}"))?;
        let doing = "taking a child's pipes";
        let orders = child.stdin.take().ok_or_else(|| Error::new(doing, "no standard input"))?;
        let reports = wire::lines(child.stdout.take().ok_or_else(|| Error::new(doing, "no standard output"))?);
        let mut process = Self { child, orders, reports };
        process.expect(&Report::Here).await?;
        Ok(process)
    }

    fn id(&self) -> Result<u32, Error> {
        self.child.id().ok_or_else(|| Error::new("asking for a child's id", "it has ended"))
    }

    async fn report(&mut self) -> Result<Report, Error> {
        match wire::receive(&mut self.reports).await? {
            Some(Report::Failed { why }) => Err(Error::new("running the virtual operator", why)),
            Some(report) => Ok(report),
            None => Err(Error::new("running the virtual operator", "the process has ended")),
        }
    }

    async fn expect(&mut self, what: &Report) -> Result<(), Error> {
        let report = self.report().await?;
        if report == *what {
            Ok(())
        } else {
            Err(Error::new("starting the virtual operator", format!("{report:?} instead of {what:?}")))
        }
    }

    async fn stop(mut self) {
        drop(self.orders);
        if tokio::time::timeout(core::time::Duration::from_secs(2), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// How the subscriber's packets reach the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataLink {
    /// Over a pair of interfaces, of which `wwan0` is the machine's end.
    Pair,
    /// Over an interface that the caller has made under the operator's name for it ([`GI_LINK`]): it is moved into the
    /// operator's namespace, and the caller carries its packets.
    Given,
}

/// A running operator: the process with the router, the one with the internet, and, but with [`DataLink::Given`],
/// `wwan0` in the caller's namespace. Ends with its owner.
pub struct Operator {
    link: DataLink,
    router: Process,
    internet: Process,
    authority: Authority,
    /// What happened, in order, as far as it has been read while waiting for something else.
    seen: VecDeque<Event>,
    asked: Vec<String>,
}

impl core::fmt::Debug for Operator {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Operator")
    }
}

impl Operator {
    /// Starts everything; the caller has gone through [`netns::enter`] and runs a tokio runtime with IO and time.
    /// Afterwards `wwan0` is there, down and without carrier, and `lo` is up.
    ///
    /// # Errors
    /// A namespace, an interface or a server could not be had.
    pub async fn start(scenario: Scenario, subscriber: Subscriber) -> Result<Self, Error> {
        Self::start_over(DataLink::Pair, scenario, subscriber).await
    }

    /// As [`Operator::start`] over a link of the caller's choice.
    ///
    /// # Errors
    /// A namespace, an interface or a server could not be had.
    pub async fn start_over(link: DataLink, scenario: Scenario, subscriber: Subscriber) -> Result<Self, Error> {
        let authority = Authority::new()?;
        let mut router = Process::start(OPERATOR).await?;
        let mut internet = Process::start(INTERNET).await?;
        let net = Net::open()?;
        net.set_up("lo", true).await?;
        if link == DataLink::Pair {
            net.pair(DATA_LINK, GI_LINK).await?;
        }
        net.pair(UP_LINK, NET_LINK).await?;
        net.give_away(GI_LINK, router.id()?).await?;
        net.give_away(UP_LINK, router.id()?).await?;
        net.give_away(NET_LINK, internet.id()?).await?;
        let names: Vec<&str> = INTERNET_HOSTS.iter().map(|h| h.name).collect();
        let begin = InternetOrder::Begin { certificate: authority.server(&names)? };
        wire::send(&mut internet.orders, &begin).await?;
        let portal = authority.server(&[PORTAL.name])?;
        let begin = OperatorOrder::Begin { scenario: Box::new(scenario), subscriber, portal };
        wire::send(&mut router.orders, &begin).await?;
        internet.expect(&Report::Ready).await?;
        router.expect(&Report::Ready).await?;
        Ok(Self { link, router, internet, authority, seen: VecDeque::new(), asked: Vec::new() })
    }

    /// The root certificate that signed the portal and the internet's hosts, PEM.
    #[must_use]
    pub fn root_certificate(&self) -> &str {
        self.authority.pem()
    }

    /// A certificate of the operator's for signing documents, under the same root.
    ///
    /// # Errors
    /// The key cannot be made.
    pub fn signer(&self) -> Result<ServerCertificate, Error> {
        self.authority.signer("Example Mobile Provisioning")
    }

    /// The modem's context is active; returns when the link has carrier and what the network allows is in force.
    ///
    /// # Errors
    /// The operator has ended.
    pub async fn session_up(&mut self, session: Session) -> Result<(), Error> {
        wire::send(&mut self.router.orders, &OperatorOrder::SessionUp { session }).await?;
        self.settled().await
    }

    /// A session beside the first one is up or down. Its link, which the caller has made under this name, leads to the
    /// internet, whatever was bought.
    ///
    /// # Errors
    /// The operator has ended.
    pub async fn further_session(&mut self, link: &str, session: Option<Session>) -> Result<(), Error> {
        if session.is_some()
            && let Ok(net) = Net::open()
            && link::index(link).is_ok()
        {
            net.give_away(link, self.router.id()?).await?;
        }
        let order = OperatorOrder::FurtherSession { link: link.to_owned(), session };
        wire::send(&mut self.router.orders, &order).await?;
        self.settled().await
    }

    /// The modem's context is gone; returns when the link has lost its carrier.
    ///
    /// # Errors
    /// The operator has ended.
    pub async fn session_down(&mut self) -> Result<(), Error> {
        wire::send(&mut self.router.orders, &OperatorOrder::SessionDown).await?;
        self.settled().await
    }

    /// The modem sent activation data. What the network answers; `None` = refused.
    ///
    /// # Errors
    /// The operator has ended.
    pub async fn service_activation(&mut self, data: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        wire::send(&mut self.router.orders, &OperatorOrder::ServiceActivation { data }).await?;
        loop {
            if let Report::Activated { answer } = self.next_report().await? {
                return Ok(answer);
            }
        }
    }

    async fn settled(&mut self) -> Result<(), Error> {
        while self.next_report().await? != Report::Settled {}
        Ok(())
    }

    async fn next_report(&mut self) -> Result<Report, Error> {
        let report = self.router.report().await?;
        match &report {
            Report::Happened { event } => self.seen.push_back(event.clone()),
            Report::Asked { name } => self.asked.push(name.clone()),
            _ => {}
        }
        Ok(report)
    }

    /// The next thing that happens at the operator. Cancel-safe.
    ///
    /// # Errors
    /// The operator has ended.
    pub async fn event(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.seen.pop_front() {
                return Ok(event);
            }
            self.next_report().await?;
        }
    }

    /// Names that were looked up so far, as far as reports have been read.
    #[must_use]
    pub fn names_asked(&self) -> &[String] {
        &self.asked
    }

    /// Ends both processes and waits until they are gone; their namespaces and `wwan0` go with them.
    pub async fn stop(self) {
        self.router.stop().await;
        self.internet.stop().await;
        // The kernel takes a dead namespace apart in its own time, and the link's end here with it.
        for _ in 0..LINK_GONE_TRIES {
            if self.link == DataLink::Given || link::index(DATA_LINK).is_err() {
                break;
            }
            tokio::time::sleep(LINK_GONE_PAUSE).await;
        }
    }
}

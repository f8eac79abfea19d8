//! What parent and children say to each other: one JSON value per line, orders on standard input, reports on
//! standard output. A child whose standard input ends, ends.

use core::net::{Ipv4Addr, Ipv6Addr};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, Lines};

use crate::certificates::ServerCertificate;
use crate::error::{Error, While};
use crate::network::{Event, Session, Subscriber};
use crate::scenario::Scenario;

/// An order to the operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum OperatorOrder {
    /// The interfaces are in place: begin.
    Begin {
        /// Behaviour.
        scenario: Box<Scenario>,
        /// The one subscriber.
        subscriber: Subscriber,
        /// The portal's certificate.
        portal: ServerCertificate,
    },
    /// The modem's context is active.
    SessionUp {
        /// What was set up.
        session: Session,
    },
    /// The modem's context is gone.
    SessionDown,
    /// A session beside the first one is up, or down.
    FurtherSession {
        /// Its interface, in the operator's namespace.
        link: String,
        /// What was set up; absent: it is down.
        session: Option<Session>,
    },
    /// The modem sent activation data.
    ServiceActivation {
        /// Unchanged octets.
        data: Vec<u8>,
    },
}

/// An order to the internet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum InternetOrder {
    /// The interface is in place: begin.
    Begin {
        /// Certificate of all its TLS hosts.
        certificate: ServerCertificate,
    },
}

/// A report of a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "report")]
pub enum Report {
    /// The child is in its namespace and waits for its interfaces.
    Here,
    /// Everything that was asked for is served.
    Ready,
    /// The last order about the session is carried out: what the network allows is in force.
    Settled,
    /// Answer to activation data: what the network sends back, or `None` when it refuses.
    Activated {
        /// Octets for the modem.
        answer: Option<Vec<u8>>,
    },
    /// Something happened.
    Happened {
        /// What.
        event: Event,
    },
    /// A name was looked up.
    Asked {
        /// The name.
        name: String,
    },
    /// The child gives up.
    Failed {
        /// Why.
        why: String,
    },
}

/// Sends one value.
///
/// # Errors
/// The other side is gone.
pub async fn send(to: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> Result<(), Error> {
    let mut line = serde_json::to_vec(value).trying("encoding a line")?;
    line.push(b'\n');
    to.write_all(&line).await.trying("writing a line")?;
    to.flush().await.trying("writing a line")
}

/// Receives one value; `None` when the other side has ended.
///
/// # Errors
/// The line is no such value.
pub async fn receive<T: DeserializeOwned>(from: &mut Lines<impl AsyncBufRead + Unpin>) -> Result<Option<T>, Error> {
    match from.next_line().await.trying("reading a line")? {
        None => Ok(None),
        Some(line) => serde_json::from_str(&line).trying("decoding a line").map(Some),
    }
}

/// Lines of standard input or of a child's standard output.
pub fn lines<R: tokio::io::AsyncRead + Unpin>(from: R) -> Lines<tokio::io::BufReader<R>> {
    tokio::io::BufReader::new(from).lines()
}

impl Session {
    /// A session with these addresses.
    #[must_use]
    pub fn new(apn: &str, ipv4: Option<Ipv4Addr>, ipv6: Option<Ipv6Addr>) -> Self {
        Self { apn: apn.into(), ipv4, ipv6 }
    }
}

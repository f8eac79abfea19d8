//! The daemon on the bus: snapshots shown, calls turned into requests, callers checked. Keeps no state of the modem.

mod agents;
mod failure;
mod options;
mod own;
mod policy;
mod publish;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use std::convert::Infallible;
use std::str::FromStr;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zbus::fdo::{RequestNameFlags, RequestNameReply};
use zbus::{Connection, connection};

use crate::handle::{Approval, Modems, Provisioner};
use crate::proxy::Register;

pub(crate) use policy::Gate;

/// Which bus to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bus {
    /// The machine's.
    #[default]
    System,
    /// The login session's, for development.
    Session,
    /// Any other, by its D-Bus address.
    Address(String),
}

impl FromStr for Bus {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "system" => Self::System,
            "session" => Self::Session,
            address => Self::Address(address.to_owned()),
        })
    }
}

/// Why the bus cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// Another process owns the name.
    #[error("{} is owned by another process; stop the mbimd that is running", dbus_api::name::SERVICE)]
    NameTaken,
    /// The bus refused, or the connection to it broke.
    #[error("the bus does not let us serve {name}: {0}", name = dbus_api::name::SERVICE)]
    Bus(#[from] zbus::Error),
}

/// Connects to the bus. Nothing is served yet.
pub(crate) async fn connect(bus: &Bus) -> zbus::Result<Connection> {
    match bus {
        Bus::System => connection::Builder::system(),
        Bus::Session => connection::Builder::session(),
        Bus::Address(address) => connection::Builder::address(address.as_str()),
    }
    .build()
    .await
}

/// The served API. Dropping it stops following the modems; the name goes with the connection.
#[derive(Debug)]
pub(crate) struct Server {
    connection: Connection,
    follower: JoinHandle<()>,
}

/// Serves the API and returns when the name is owned; the modems that are there by then are on the bus already.
///
/// # Errors
/// [`ServeError::NameTaken`] when another process owns the name: it is neither replaced nor waited for.
pub(crate) async fn serve(
    connection: &Connection,
    modems: Modems,
    provisioner: Provisioner,
    approvals: mpsc::Receiver<Approval>,
    clients: Register,
    gate: Gate,
) -> Result<Server, ServeError> {
    let follower = publish::start(connection, modems, provisioner, approvals, clients, gate).await?;
    let server = Server { connection: connection.clone(), follower: tokio::spawn(follower) };
    match connection.request_name_with_flags(dbus_api::name::SERVICE, RequestNameFlags::DO_NOT_QUEUE).await {
        Ok(RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner) => Ok(server),
        Ok(RequestNameReply::Exists | RequestNameReply::InQueue) | Err(zbus::Error::NameTaken) => {
            Err(ServeError::NameTaken)
        }
        Err(error) => Err(error.into()),
    }
}

impl Server {
    /// Waits until the connection to the bus is gone.
    pub(crate) async fn closed(&self) {
        self.connection.closed().await;
    }

    /// Gives the name back and stops following. Objects stay until the connection is dropped.
    pub(crate) async fn stop(mut self) {
        self.follower.abort();
        // An abort is the only way in which it ends here.
        let _ = (&mut self.follower).await;
        if let Err(error) = self.connection.release_name(dbus_api::name::SERVICE).await {
            tracing::debug!(%error, "name not released");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

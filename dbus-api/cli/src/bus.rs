//! The connection to the daemon.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use dbus_api::name::SERVICE;
use futures_util::StreamExt;
use zbus::names::BusName;
use zbus::{Connection, connection, fdo};

use crate::failure::Failure;

/// How long one call may take: a person who is asked for a password by polkit, and the slowest modem after that. A
/// bus that drops a call without an answer (its receiver left) would otherwise hold the command for ever.
const PATIENCE: Duration = Duration::from_secs(180);

/// Which bus the daemon is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bus {
    #[default]
    System,
    Session,
    Address(String),
}

impl FromStr for Bus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "system" => Ok(Self::System),
            "session" => Ok(Self::Session),
            address if address.contains(':') => Ok(Self::Address(address.to_owned())),
            _ => Err("system, session, or a D-Bus address such as unix:path=/run/bus".into()),
        }
    }
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Session => f.write_str("session"),
            Self::Address(address) => f.write_str(address),
        }
    }
}

/// Connects, whether there is a daemon yet or not.
pub(crate) async fn open(bus: &Bus) -> Result<Connection, Failure> {
    let builder = match bus {
        Bus::System => connection::Builder::system(),
        Bus::Session => connection::Builder::session(),
        Bus::Address(address) => connection::Builder::address(address.as_str()),
    };
    let connection = builder.method_timeout(PATIENCE).build().await;
    connection.map_err(|_| {
        Failure::not_running().next(format!("there is no bus at {bus}: start it, or name another with --bus"))
    })
}

/// Connects, and makes sure that there is a daemon to talk to: a bus need not answer calls to a name without owner.
pub(crate) async fn connect(bus: &Bus) -> Result<Connection, Failure> {
    let connection = open(bus).await?;
    let broker = fdo::DBusProxy::new(&connection).await?;
    let owned = broker.name_has_owner(BusName::try_from(SERVICE)?).await?;
    let starts = || async {
        broker.list_activatable_names().await.is_ok_and(|names| names.iter().any(|name| name.as_str() == SERVICE))
    };
    if owned || starts().await { Ok(connection) } else { Err(Failure::not_running()) }
}

/// Returns when the daemon leaves the bus.
pub(crate) async fn daemon_gone(connection: &Connection) -> Failure {
    let left = async {
        let broker = fdo::DBusProxy::new(connection).await?;
        let mut changes = broker.receive_name_owner_changed_with_args(&[(0, SERVICE)]).await?;
        while let Some(change) = changes.next().await {
            if change.args()?.new_owner().is_none() {
                break;
            }
        }
        zbus::Result::Ok(())
    };
    match left.await {
        Ok(()) => Failure::not_running(),
        Err(error) => error.into(),
    }
}

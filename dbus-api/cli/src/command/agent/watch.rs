//! What the daemon asks of its user: read whenever it says that something changed, whether it is there yet or not.

use dbus_api::name::{CONNECTIVITY, SERVICE};
use dbus_api::value;
use futures_util::StreamExt as _;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, fdo};

use super::page;
use crate::command::status;
use crate::failure::Failure;
use crate::modem::{self, Modem};

/// Most characters of a name that others chose.
const NAME: usize = 80;

/// What the user is to be told or asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The operator's page, over this connection.
    Open,
    /// The operator's page, over another one.
    OpenElsewhere,
    /// It does not connect, and no page helps.
    Notify,
}

/// One modem's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Number of the modem.
    pub(crate) number: u32,
    pub(crate) path: OwnedObjectPath,
    /// The device, whatever its number.
    pub(crate) device: String,
    pub(crate) kind: Kind,
    /// Name of the operator; may be empty.
    pub(crate) operator: String,
    /// Host of the page.
    pub(crate) host: String,
    /// The page's address names subscriber and device.
    pub(crate) names: bool,
    /// The user said once that it need not be asked.
    pub(crate) always: bool,
}

/// A modem that the daemon shows.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) device: String,
    /// The Internet is there: what was said of it before is forgotten.
    pub(crate) full: bool,
    pub(crate) wish: Option<Wish>,
}

/// Follows the daemon.
pub(crate) struct Watch {
    connection: Connection,
    changes: futures_util::stream::SelectAll<MessageStream>,
    owners: fdo::NameOwnerChangedStream,
}

impl Watch {
    pub(crate) async fn new(connection: &Connection) -> Result<Self, Failure> {
        let rule = || MatchRule::builder().msg_type(Type::Signal).sender(SERVICE);
        let properties = rule().interface("org.freedesktop.DBus.Properties").member("PropertiesChanged");
        let rules =
            [properties.arg(0, CONNECTIVITY).build()?, rule().interface("org.freedesktop.DBus.ObjectManager").build()?];
        let mut changes = futures_util::stream::SelectAll::new();
        for rule in rules {
            changes.push(MessageStream::for_match_rule(rule, connection, None).await?);
        }
        let broker = fdo::DBusProxy::new(connection).await?;
        let owners = broker.receive_name_owner_changed_with_args(&[(0, SERVICE)]).await?;
        Ok(Self { connection: connection.clone(), changes, owners })
    }

    /// Waits until something may be another than before. `false` = the bus is gone.
    pub(crate) async fn changed(&mut self) -> bool {
        tokio::select! {
            change = self.changes.next() => change.is_some_and(|change| change.is_ok()),
            owner = self.owners.next() => owner.is_some(),
        }
    }

    /// All modems now; none while there is no daemon. It is not started for this.
    pub(crate) async fn look(&self) -> Vec<Seen> {
        if !page::there_now(&self.connection, SERVICE).await {
            return Vec::new();
        }
        // It may leave at this moment; that is told.
        modem::all(&self.connection).await.unwrap_or_default().iter().map(seen).collect()
    }
}

fn seen(modem: &Modem) -> Seen {
    let text = |key: &str| value::text(&modem.connectivity, key).unwrap_or_default();
    let kind = match text("HandOver").as_str() {
        "open" => Some(Kind::Open),
        "open-elsewhere" => Some(Kind::OpenElsewhere),
        "notify" => Some(Kind::Notify),
        _ => None,
    };
    let device = modem.text("PhysicalDevice");
    let operator = status::nested(&modem.modem, "Operator").and_then(|operator| value::text(&operator, "name"));
    let policy = status::nested(&modem.connection, "Settings")
        .and_then(|settings| value::text(&settings, "hand-over"))
        .unwrap_or_default();
    let own = text("PortalSource") == "operator";
    let wish = kind.map(|kind| Wish {
        number: modem.number,
        path: modem.path.clone(),
        device: device.clone(),
        kind,
        operator: plain(&operator.unwrap_or_default()),
        host: plain(&text("PortalHost")),
        names: own && policy != "never-identify",
        always: own && policy == "always",
    });
    Seen { device, full: modem::number(&modem.connectivity, "State") == Some(4), wish }
}

/// A name from a record or a network, on its way to a person's screen.
pub(crate) fn plain(text: &str) -> String {
    text.chars().take(NAME).map(|c| if c.is_control() { '?' } else { c }).collect()
}

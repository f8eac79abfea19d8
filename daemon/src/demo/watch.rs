//! Follows the daemon through its D-Bus API, as any client would.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use dbus_api::name::{CONNECTION, CONNECTIVITY, MODEM, SERVICE, SIM};
use dbus_api::path;
use futures_util::StreamExt;
use harness::virtual_operator::{Error, While};
use tokio::time::Instant;
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant, Variant};

type Properties = HashMap<String, OwnedVariant>;

/// Signals that may wait while the demo does something else.
const QUEUE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// What the bus tells about the one modem.
#[derive(Debug, Default)]
pub(crate) struct View {
    path: Option<OwnedObjectPath>,
    interfaces: HashMap<&'static str, Properties>,
}

impl View {
    /// Object path of the modem.
    pub(crate) fn path(&self) -> Option<&OwnedObjectPath> {
        self.path.as_ref()
    }

    fn value(&self, interface: &str, name: &str) -> Option<&Variant<'static>> {
        self.interfaces.get(interface)?.get(name).map(|v| &**v)
    }

    /// A text; empty when it is absent.
    pub(crate) fn text(&self, interface: &str, name: &str) -> String {
        match self.value(interface, name) {
            Some(Variant::Str(text)) => text.to_string(),
            _ => String::new(),
        }
    }

    /// A number; 0 when it is absent.
    pub(crate) fn number(&self, interface: &str, name: &str) -> u32 {
        match self.value(interface, name) {
            Some(Variant::U32(number)) => *number,
            _ => 0,
        }
    }

    /// A flag.
    pub(crate) fn flag(&self, interface: &str, name: &str) -> bool {
        matches!(self.value(interface, name), Some(Variant::Bool(true)))
    }

    /// Anything else, as the type that the interface definition says.
    pub(crate) fn get<T>(&self, interface: &str, name: &str) -> T
    where
        T: TryFrom<OwnedVariant> + Default,
    {
        let value = self.interfaces.get(interface).and_then(|p| p.get(name)).and_then(|v| v.try_clone().ok());
        value.and_then(|v| T::try_from(v).ok()).unwrap_or_default()
    }
}

/// A client that keeps its [`View`] new.
pub(crate) struct Watch {
    connection: Connection,
    signals: MessageStream,
    view: View,
}

impl Watch {
    /// Connects to the bus and waits until the daemon owns its name.
    pub(crate) async fn connect(address: &str, limit: Duration) -> Result<Self, Error> {
        let doing = "connecting to the bus";
        let connection = zbus::connection::Builder::address(address).build().await.trying(doing)?;
        let rule = MatchRule::builder().msg_type(zbus::message::Type::Signal).sender(SERVICE).build().trying(doing)?;
        let signals = MessageStream::for_match_rule(rule, &connection, Some(QUEUE)).await.trying(doing)?;
        let bus = zbus::fdo::DBusProxy::new(&connection).await.trying(doing)?;
        harness::wait::until("the daemon's name on the bus", limit, || async {
            let name = SERVICE.try_into().ok()?;
            bus.name_has_owner(name).await.ok()?.then_some(())
        })
        .await?;
        Ok(Self { connection, signals, view: View::default() })
    }

    /// The connection, for calls.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What the bus told last.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// Waits until the view has what is asked for.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        ask: impl Fn(&View) -> Option<T>,
    ) -> Result<T, Error> {
        let end = Instant::now() + limit;
        loop {
            self.refresh().await?;
            if let Some(answer) = ask(&self.view) {
                return Ok(answer);
            }
            let late = || Error::new(format!("waiting for {what}"), format!("not within {} s", limit.as_secs()));
            match tokio::time::timeout_at(end, self.signals.next()).await {
                Ok(Some(_)) => self.skip_waiting(),
                Ok(None) => return Err(Error::new(format!("waiting for {what}"), "the bus is gone")),
                Err(_) => return Err(late()),
            }
        }
    }

    /// One refresh answers for all signals that have arrived.
    fn skip_waiting(&mut self) {
        while futures_util::FutureExt::now_or_never(self.signals.next()).flatten().is_some() {}
    }

    async fn refresh(&mut self) -> Result<(), Error> {
        if self.view.path.is_none() {
            self.view.path = self.find().await?;
        }
        let Some(path) = self.view.path.clone() else { return Ok(()) };
        for interface in [MODEM, SIM, CONNECTION, CONNECTIVITY] {
            let reply = self
                .connection
                .call_method(Some(SERVICE), &path, Some("org.freedesktop.DBus.Properties"), "GetAll", &(interface,))
                .await
                .trying(format!("reading {interface}"))?;
            let properties: Properties = reply.body().deserialize().trying(format!("reading {interface}"))?;
            self.view.interfaces.insert(interface, properties);
        }
        Ok(())
    }

    async fn find(&self) -> Result<Option<OwnedObjectPath>, Error> {
        type Objects = HashMap<OwnedObjectPath, HashMap<String, Properties>>;
        let doing = "listing the modems";
        let manager = Some("org.freedesktop.DBus.ObjectManager");
        let reply = self
            .connection
            .call_method(Some(SERVICE), path::ROOT, manager, "GetManagedObjects", &())
            .await
            .trying(doing)?;
        let objects: Objects = reply.body().deserialize().trying(doing)?;
        Ok(objects.into_keys().find(|p| path::modem_number(p.as_str()).is_some()))
    }
}

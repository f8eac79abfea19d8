//! A client of the daemon's D-Bus API, as any other program is one.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;

use core::time::Duration;

use dbus_api::name::{CONNECTION, CONNECTIVITY, MODEM, SERVICE, SIM};
use dbus_api::path;
use dbus_api::proxy::{ConnectionProxy, ConnectivityProxy, ModemProxy, ProvisioningProxy, SimProxy};
use dbus_api::value::Job;
use futures_util::{FutureExt, StreamExt};
use harness::virtual_operator::{Error, While};
use harness::wait;
use tokio::time::Instant;
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant, Variant};

type Properties = HashMap<String, OwnedVariant>;

/// How long anything that must happen may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A change that no signal told is seen after this time all the same.
const TICK: Duration = Duration::from_millis(100);
/// Signals that may wait while the story does something else.
const QUEUE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// Connectivity: a portal was identified.
pub const PORTAL: u32 = 2;
/// Connectivity: everything is reachable.
pub const FULL: u32 = 4;

/// What the bus tells of one modem.
#[derive(Debug, Default)]
pub struct View {
    /// Number of the modem.
    pub number: u32,
    interfaces: HashMap<String, Properties>,
}

impl View {
    fn value(&self, interface: &str, name: &str) -> Option<&Variant<'static>> {
        self.interfaces.get(interface)?.get(name).map(|value| &**value)
    }

    /// A text; empty when it is absent.
    #[must_use]
    pub fn text(&self, interface: &str, name: &str) -> String {
        match self.value(interface, name) {
            Some(Variant::Str(text)) => text.to_string(),
            _ => String::new(),
        }
    }

    /// A number; 0 when it is absent.
    #[must_use]
    pub fn number(&self, interface: &str, name: &str) -> u32 {
        match self.value(interface, name) {
            Some(Variant::U32(number)) => *number,
            _ => 0,
        }
    }

    /// A flag; false when it is absent.
    #[must_use]
    pub fn flag(&self, interface: &str, name: &str) -> bool {
        matches!(self.value(interface, name), Some(Variant::Bool(true)))
    }

    /// Anything else, as the type that the interface definition says.
    #[must_use]
    pub fn get<T>(&self, interface: &str, name: &str) -> T
    where
        T: TryFrom<OwnedVariant> + Default,
    {
        let value = self.interfaces.get(interface).and_then(|p| p.get(name)).and_then(|v| v.try_clone().ok());
        value.and_then(|v| T::try_from(v).ok()).unwrap_or_default()
    }

    /// Name of the modem's state.
    #[must_use]
    pub fn state(&self) -> String {
        self.text(MODEM, "StateName")
    }

    /// Code of the reason why the state is what it is.
    #[must_use]
    pub fn reason(&self) -> String {
        self.get::<(String, String)>(MODEM, "StateReason").0
    }

    /// State of the default connection.
    #[must_use]
    pub fn connection(&self) -> String {
        self.text(CONNECTION, "State")
    }

    /// Access point of the default connection.
    #[must_use]
    pub fn apn(&self) -> String {
        self.get::<HashMap<String, String>>(CONNECTION, "Candidate").remove("apn").unwrap_or_default()
    }

    /// Connected, and everything is reachable.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.state() == "connected" && self.connection() == "up" && self.number(CONNECTIVITY, "State") == FULL
    }

    /// One of the settings.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<Variant<'static>> {
        let mut settings: Properties = self.get(CONNECTION, "Settings");
        settings.remove(key).map(Into::into)
    }

    /// Where things stand, in one line, for messages.
    #[must_use]
    pub fn summary(&self) -> String {
        let error: (String, String) = self.get(CONNECTION, "Error");
        format!(
            "modem {} {} ({}), SIM {}, connection {} ({}) {}, connectivity {} ({})",
            self.number,
            self.state(),
            self.reason(),
            self.text(SIM, "Ready"),
            self.connection(),
            error.0,
            self.apn(),
            self.text(CONNECTIVITY, "StateName"),
            self.text(CONNECTIVITY, "Reason"),
        )
    }
}

/// All modems by number.
pub type Modems = BTreeMap<u32, View>;

/// A client.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    signals: MessageStream,
}

fn called<T>(answer: zbus::Result<T>, doing: &str) -> Result<T, Error> {
    answer.map_err(dbus_api::error::Error::from).trying(doing)
}

impl Client {
    /// Connects to the bus and waits until the daemon owns its name.
    ///
    /// # Errors
    /// It does not within [`PATIENCE`].
    pub async fn connect(address: &str) -> Result<Self, Error> {
        let doing = "connecting to the bus";
        let connection = zbus::connection::Builder::address(address).build().await.trying(doing)?;
        let rule = MatchRule::builder().msg_type(zbus::message::Type::Signal).sender(SERVICE).build();
        let signals =
            MessageStream::for_match_rule(rule.trying(doing)?, &connection, Some(QUEUE)).await.trying(doing)?;
        let client = Self { connection, signals };
        client.served(true).await?;
        Ok(client)
    }

    /// Waits until the daemon's name is owned, or is not.
    ///
    /// # Errors
    /// Not within [`PATIENCE`].
    pub async fn served(&self, owned: bool) -> Result<(), Error> {
        let bus = zbus::fdo::DBusProxy::new(&self.connection).await.trying("asking the bus")?;
        wait::until(if owned { "the daemon's name on the bus" } else { "the name to go" }, PATIENCE, || async {
            let name = SERVICE.try_into().ok()?;
            (bus.name_has_owner(name).await.ok()? == owned).then_some(())
        })
        .await
    }

    /// The connection, for calls.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Everything that the object manager tells.
    ///
    /// # Errors
    /// The daemon does not answer.
    pub async fn modems(&self) -> Result<Modems, Error> {
        type Objects = HashMap<OwnedObjectPath, HashMap<String, Properties>>;
        let doing = "listing the modems";
        let manager = Some("org.freedesktop.DBus.ObjectManager");
        let call = self.connection.call_method(Some(SERVICE), path::ROOT, manager, "GetManagedObjects", &());
        let objects: Objects = call.await.trying(doing)?.body().deserialize().trying(doing)?;
        let modem = |(path, interfaces): (OwnedObjectPath, _)| {
            let number = path::modem_number(path.as_str())?;
            Some((number, View { number, interfaces }))
        };
        Ok(objects.into_iter().filter_map(modem).collect())
    }

    /// Waits until what the object manager tells has what is asked for.
    ///
    /// # Errors
    /// Not within `limit`; the error tells where things stood.
    pub async fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut ask: impl FnMut(&Modems) -> Option<T>,
    ) -> Result<T, Error> {
        let end = Instant::now() + limit;
        loop {
            let modems = self.modems().await?;
            if let Some(answer) = ask(&modems) {
                return Ok(answer);
            }
            if Instant::now() >= end {
                let stood: Vec<String> = modems.values().map(View::summary).collect();
                let why = format!("not within {} ms; {}", limit.as_millis(), stood.join("; "));
                return Err(Error::new(format!("waiting for {what}"), why));
            }
            // One look answers for all signals that have arrived.
            if let Ok(None) = tokio::time::timeout(TICK, self.signals.next()).await {
                return Err(Error::new(format!("waiting for {what}"), "the bus is gone"));
            }
            while self.signals.next().now_or_never().flatten().is_some() {}
        }
    }

    /// Waits until some modem is as asked for; its number.
    ///
    /// # Errors
    /// As [`Client::until`].
    pub async fn some(&mut self, what: &str, ask: impl Fn(&View) -> bool) -> Result<u32, Error> {
        self.until(what, PATIENCE, |modems| modems.values().find(|view| ask(view)).map(|view| view.number)).await
    }

    /// Waits until a certain modem is as asked for.
    ///
    /// # Errors
    /// As [`Client::until`].
    pub async fn modem(&mut self, number: u32, what: &str, ask: impl Fn(&View) -> bool) -> Result<(), Error> {
        self.until(what, PATIENCE, |modems| modems.get(&number).filter(|view| ask(view)).map(drop)).await
    }

    /// Waits until a modem's object is gone.
    ///
    /// # Errors
    /// As [`Client::until`].
    pub async fn gone(&mut self, number: u32) -> Result<(), Error> {
        self.until("the modem's object to go", PATIENCE, |modems| (!modems.contains_key(&number)).then_some(())).await
    }

    /// A look at one modem.
    ///
    /// # Errors
    /// It is not there.
    pub async fn view(&self, number: u32) -> Result<View, Error> {
        self.modems().await?.remove(&number).ok_or_else(|| Error::new(format!("looking at modem {number}"), "gone"))
    }

    /// A modem's own interface.
    ///
    /// # Errors
    /// The bus does not answer.
    pub async fn device(&self, number: u32) -> Result<ModemProxy<'static>, Error> {
        let proxy = ModemProxy::builder(&self.connection).path(path::modem(number));
        proxy.build().await.trying("making a proxy")
    }

    /// A modem's SIM.
    ///
    /// # Errors
    /// The bus does not answer.
    pub async fn sim(&self, number: u32) -> Result<SimProxy<'static>, Error> {
        let proxy = SimProxy::builder(&self.connection).path(path::modem(number));
        proxy.build().await.trying("making a proxy")
    }

    /// A modem's connectivity.
    ///
    /// # Errors
    /// The bus does not answer.
    pub async fn connectivity(&self, number: u32) -> Result<ConnectivityProxy<'static>, Error> {
        let proxy = ConnectivityProxy::builder(&self.connection).path(path::modem(number));
        proxy.build().await.trying("making a proxy")
    }

    async fn data(&self, number: u32) -> Result<ConnectionProxy<'static>, Error> {
        let proxy = ConnectionProxy::builder(&self.connection).path(path::modem(number));
        proxy.build().await.trying("making a proxy")
    }

    /// Asks for a connection, with an access point or without, and waits for the outcome: error name, empty = done.
    ///
    /// # Errors
    /// The call was refused, or no outcome came.
    pub async fn ask_connect(&self, number: u32, apn: Option<&str>) -> Result<String, Error> {
        let data = self.data(number).await?;
        let mut outcomes = data.receive_finished().await.trying("connecting")?;
        let options: HashMap<&str, Variant<'_>> = apn.map(|apn| ("apn", Variant::from(apn))).into_iter().collect();
        let cookie = called(data.connect(&options).await, "connecting")?;
        finished(&mut outcomes, cookie).await
    }

    /// Asks for the end of the connection and waits for the outcome: error name, empty = done.
    ///
    /// # Errors
    /// The call was refused, or no outcome came.
    pub async fn ask_disconnect(&self, number: u32) -> Result<String, Error> {
        let data = self.data(number).await?;
        let mut outcomes = data.receive_finished().await.trying("disconnecting")?;
        let cookie = called(data.disconnect().await, "disconnecting")?;
        finished(&mut outcomes, cookie).await
    }

    /// Changes settings of the SIM.
    ///
    /// # Errors
    /// They were refused.
    pub async fn set(&self, number: u32, changes: &[(&str, Variant<'_>)]) -> Result<(), Error> {
        let doing = "changing settings";
        let clones = changes.iter().map(|(key, value)| Ok::<_, Error>((*key, value.try_clone().trying(doing)?)));
        let changes = clones.collect::<Result<HashMap<_, _>, _>>()?;
        called(self.data(number).await?.set_settings(&changes, &[]).await, doing)
    }

    /// The hand-over URL.
    ///
    /// # Errors
    /// There is none.
    pub async fn portal_url(&self, number: u32) -> Result<String, Error> {
        let connectivity = self.connectivity(number).await?;
        called(connectivity.get_portal_url().await, "asking for the portal").map(|(url, _)| url)
    }

    /// Hands a document over as the operator's program; the number of the job.
    ///
    /// # Errors
    /// It was refused.
    pub async fn submit(&self, document: &[u8]) -> Result<u32, Error> {
        let doing = "applying a document";
        let provisioning = ProvisioningProxy::new(&self.connection).await.trying(doing)?;
        let options = HashMap::from([("source", Variant::from("app"))]);
        called(provisioning.apply(document, &options).await, doing).map(|(number, _)| number)
    }

    /// Waits until a job has ended.
    ///
    /// # Errors
    /// It does not within [`PATIENCE`].
    pub async fn ended(&self, job: u32) -> Result<Job, Error> {
        let doing = "asking for a job";
        let provisioning = ProvisioningProxy::new(&self.connection).await.trying(doing)?;
        let ended = async {
            loop {
                let job = Job::from_details(&called(provisioning.get_job(job).await, doing)?);
                if job.ended() {
                    return Ok::<Job, Error>(job);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        wait::at_most("a document to be applied", PATIENCE, ended).await?
    }

    /// [`Client::submit`], then [`Client::ended`].
    ///
    /// # Errors
    /// As both.
    pub async fn apply(&self, document: &[u8]) -> Result<Job, Error> {
        self.ended(self.submit(document).await?).await
    }

    /// As [`Client::gone`] while the signals are another's.
    ///
    /// # Errors
    /// As [`Client::until`].
    pub async fn gone_quietly(&self, number: u32) -> Result<(), Error> {
        wait::until("the modem's object to go", PATIENCE, || async {
            self.modems().await.ok().filter(|modems| !modems.contains_key(&number)).map(drop)
        })
        .await
    }
}

async fn finished(outcomes: &mut dbus_api::proxy::FinishedStream, cookie: u64) -> Result<String, Error> {
    let outcome = async {
        while let Some(signal) = outcomes.next().await {
            let args = signal.args().trying("reading an outcome")?;
            if args.cookie == cookie {
                return Ok(args.error.to_string());
            }
        }
        Err(Error::new("waiting for an outcome", "the bus is gone"))
    };
    wait::at_most("the outcome of a request", PATIENCE, outcome).await?
}

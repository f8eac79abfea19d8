//! `org.mbimd.Mbimd1.Connection`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use daemon_core::request::{Purpose, Reply, Request, RequestError};
use daemon_core::snapshot::{Connection as View, IpSettings};
use daemon_core::subscriber::{Settings, UserApn};
use dbus_api::error::Code;
use tokio::sync::Semaphore;
use zbus::message::Header;
use zbus::object_server::{ResponseDispatchNotifier, SignalEmitter};
use zbus::{Connection as Bus, OwnedVariant, Variant};

use super::{Access, Known, candidate, reason};
use crate::dbus::failure::{Failure, code};
use crate::dbus::options::{Options, TEXT};
use crate::dbus::policy::{Action, units};
use crate::dbus::words;

/// Most octets of an access point name. `[MBIM1.0 10.5.12]`
const APN: usize = 100;

/// The highest session.
const SESSIONS: u32 = 255;

/// Most requests under way for one modem.
const PENDING: usize = 8;

/// The default data connection, those of further sessions, and the settings of the SIM.
pub(crate) struct Connection {
    access: Access,
    cookie: AtomicU64,
    pending: Arc<Semaphore>,
}

impl Connection {
    pub(in crate::dbus) fn new(access: Access) -> Self {
        Self { access, cookie: AtomicU64::new(1), pending: Arc::new(Semaphore::new(PENDING)) }
    }

    /// The default connection; all empty while there is none.
    fn show<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        let view = self.access.view();
        match view.connections.iter().find(|connection| connection.session == 0) {
            Some(connection) => look(connection),
            None => look(&View::default()),
        }
    }

    /// The connections of sessions above 0.
    fn others(&self) -> Vec<View> {
        self.access.view().connections.iter().filter(|connection| connection.session > 0).cloned().collect()
    }

    fn ip<T: Default>(&self, look: impl FnOnce(&IpSettings) -> T) -> T {
        self.show(|connection| connection.ip.as_ref().map(look).unwrap_or_default())
    }

    /// Whether the operator's documents give this context to the caller. It is a courtesy among programs, not a wall: what
    /// guards connecting is the gate. `[PROV 8]`
    async fn may_use(&self, bus: &Bus, call: &Header<'_>, name: &str) -> Result<(), Failure> {
        let view = self.access.view();
        let context = view.network.as_ref().and_then(|network| network.context(name));
        // One that is not there is told by the core.
        let Some(context) = context.filter(|context| !context.programs.is_empty()) else { return Ok(()) };
        let units = units(bus, call).await;
        if context.programs.iter().any(|program| units.are_of(program)) {
            return Ok(());
        }
        let text = format!("The operator gives this context to other programs: {}.", context.programs.join(", "));
        Err(Failure::new(Code::NotAuthorized, text))
    }

    /// Hands the request over after the reply with the cookie is on its way, so that the signal never overtakes it.
    fn start(&self, request: Request, emitter: &SignalEmitter<'_>) -> Result<ResponseDispatchNotifier<u64>, Failure> {
        let slot = Arc::clone(&self.pending).try_acquire_owned().map_err(|_| {
            Failure::new(Code::InProgress, format!("{PENDING} requests are under way already; wait for one to end."))
        })?;
        let cookie = self.cookie.fetch_add(1, Ordering::Relaxed);
        let (reply, sent) = ResponseDispatchNotifier::new(cookie);
        let (modem, emitter) = (self.access.modem.clone(), emitter.to_owned());
        tokio::spawn(async move {
            sent.await;
            let result = modem.request(request).await;
            drop(slot);
            let (error, reason, message) = outcome(&result);
            if let Err(error) = Self::finished(&emitter, cookie, error, reason, message).await {
                tracing::debug!(%error, cookie, "result not sent");
            }
        });
        Ok(reply)
    }
}

fn addresses(ip: &IpSettings) -> Vec<String> {
    let ipv4 = ip.ipv4.iter().map(|(address, prefix)| format!("{address}/{prefix}"));
    ipv4.chain(ip.ipv6.iter().map(|(address, prefix)| format!("{address}/{prefix}"))).collect()
}

fn gateways(ip: &IpSettings) -> Vec<String> {
    let ipv4 = ip.gateway4.iter().map(ToString::to_string);
    ipv4.chain(ip.gateway6.iter().map(ToString::to_string)).collect()
}

fn servers(ip: &IpSettings) -> Vec<String> {
    ip.dns.iter().map(ToString::to_string).collect()
}

/// A session above 0 as a dictionary.
fn details(connection: &View) -> HashMap<String, OwnedVariant> {
    let (ip, used) = (connection.ip.as_ref(), connection.candidate.as_ref());
    Known::default()
        .put("session", Some(connection.session))
        .put("purpose", Some(connection.purpose.as_str()))
        .put("context", connection.context.as_deref())
        .put("state", Some(words::context_state(connection.state)))
        .put("mmsc", used.and_then(|used| used.mmsc.as_deref()))
        .put("mms-proxy", used.and_then(|used| used.mms_proxy.as_deref()))
        .put("interface", connection.interface.as_deref())
        .put("apn", used.map(|used| used.apn.as_str()))
        .put("ip-type", used.map(|used| used.ip_type.as_str()))
        .put("auth", used.map(|used| used.auth.as_str()))
        .put("addresses", ip.map(|ip| Variant::new(addresses(ip))))
        .put("gateways", ip.map(|ip| Variant::new(gateways(ip))))
        .put("dns", ip.map(|ip| Variant::new(servers(ip))))
        .put("mtu", ip.and_then(|ip| ip.mtu))
        .put("error", connection.error.as_ref().map(|error| Variant::new(reason(Some(error)))))
        .put("failures", Some(connection.failures))
        .0
}

fn outcome(result: &Result<Reply, RequestError>) -> (&str, &str, &str) {
    match result {
        Ok(_) => ("", "", ""),
        Err(error) => (code(error.kind).error_name(), error.reason.code, &error.reason.text),
    }
}

/// A number that an MBIM session can have. `[MBIM1.0 10.5.12]`
fn session_id(session: u32) -> Result<u32, Failure> {
    if session > SESSIONS {
        return Err(Failure::invalid(format!("Sessions have the numbers 0 to {SESSIONS}.")));
    }
    Ok(session)
}

const AUTH: [(&str, &str); 5] =
    [("", ""), ("none", "none"), ("pap", "pap"), ("chap", "chap"), ("mschapv2", "mschapv2")];
const IP_TYPE: [(&str, &str); 4] = [("", ""), ("ipv4", "ipv4"), ("ipv6", "ipv6"), ("ipv4v6", "ipv4v6")];

/// Reads the keys that belong to an access point into it; whether any was there.
fn read_apn(options: &mut Options, into: &mut UserApn) -> Result<bool, Failure> {
    let mut any = false;
    let mut set = |slot: &mut String, value: Option<String>| {
        if let Some(value) = value {
            *slot = value;
            any = true;
        }
    };
    set(&mut into.apn, options.text("apn", APN)?);
    set(&mut into.user, options.text("user", TEXT)?);
    set(into.password.reveal_mut(), options.text("password", TEXT)?);
    set(&mut into.auth, options.word("auth", &AUTH)?.map(str::to_owned));
    set(&mut into.ip_type, options.word("ip-type", &IP_TYPE)?.map(str::to_owned));
    Ok(any)
}

/// The settings after a change.
fn changed(
    mut settings: Settings,
    changes: HashMap<String, OwnedVariant>,
    reset: &[String],
) -> Result<Settings, Failure> {
    let fresh = Settings::default();
    if reset.len() > 16 {
        return Err(Failure::invalid("More than 16 keys to reset."));
    }
    for key in reset {
        match key.as_str() {
            "autoconnect" => settings.autoconnect = fresh.autoconnect,
            "roaming" => settings.roaming = fresh.roaming,
            "apn" => settings.apn = None,
            "metric" => settings.metric = None,
            "pin-store" => settings.pin_store = fresh.pin_store,
            "metered" => settings.metered = fresh.metered,
            "hand-over" => settings.hand_over = fresh.hand_over,
            "operator" => settings.operator = None,
            "plan" => settings.plan = fresh.plan,
            _ => {
                return Err(Failure::invalid(
                    "Unknown setting; there are autoconnect, roaming, apn, metric, pin-store, operator, plan, metered, hand-over.",
                ));
            }
        }
    }
    let mut options = Options::new(changes)?;
    if let Some(flag) = options.flag("autoconnect")? {
        settings.autoconnect = flag;
    }
    if let Some(policy) = options.word("roaming", &words::ROAMING)? {
        settings.roaming = policy;
    }
    if let Some(metric) = options.number("metric")? {
        settings.metric = Some(metric);
    }
    if let Some(flag) = options.flag("pin-store")? {
        settings.pin_store = flag;
    }
    if let Some(policy) = options.word("hand-over", &words::HAND_OVER)? {
        settings.hand_over = policy;
    }
    if let Some(flag) = options.flag("metered")? {
        settings.metered = Some(flag);
    }
    if let Some(record) = options.text("operator", TEXT)? {
        if !record.is_empty() && !record.contains('/') {
            return Err(Failure::invalid("operator is COUNTRY/NAME, as the property Operator lists it."));
        }
        settings.operator = (!record.is_empty()).then_some(record);
    }
    if let Some(plan) = options.word("plan", &words::PLAN)? {
        settings.plan = plan;
    }
    let mut apn = settings.apn.clone().unwrap_or_default();
    if read_apn(&mut options, &mut apn)? {
        settings.apn = (!apn.apn.is_empty()).then_some(apn);
    }
    options.finish()?;
    Ok(settings)
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Connection", introspection_docs = false)]
impl Connection {
    #[zbus(out_args("cookie"))]
    async fn connect(
        &self,
        options: HashMap<String, OwnedVariant>,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<ResponseDispatchNotifier<u64>, Failure> {
        self.access.gate.check(bus, &call, Action::Connect).await?;
        let mut options = Options::new(options)?;
        let mut apn = UserApn::default();
        let given = read_apn(&mut options, &mut apn)?;
        let session = session_id(options.number("session")?.unwrap_or(0))?;
        let purpose = options.word("purpose", &Purpose::NAMES)?;
        let context = options.text("context", TEXT)?;
        options.finish()?;
        if let Some(name) = context {
            if given || purpose.is_some() {
                return Err(Failure::invalid("A context has an access point of its own: no \"apn\", no \"purpose\"."));
            }
            self.may_use(bus, &call, &name).await?;
            return self.start(Request::ConnectContext { session, name }, &emitter);
        }
        let purpose = purpose.unwrap_or_default();
        if given && apn.apn.is_empty() {
            return Err(Failure::invalid("Option \"apn\" is missing: the others belong to it."));
        }
        let apn = given.then_some(apn);
        let request = match (session, purpose) {
            (0, Purpose::Internet) => Request::Connect { apn },
            _ => Request::ConnectSession { session, apn, purpose },
        };
        self.start(request, &emitter)
    }

    #[zbus(out_args("cookie"))]
    async fn disconnect(
        &self,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<ResponseDispatchNotifier<u64>, Failure> {
        self.access.gate.check(bus, &call, Action::Connect).await?;
        self.start(Request::Disconnect, &emitter)
    }

    #[zbus(out_args("cookie"))]
    async fn disconnect_session(
        &self,
        session: u32,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<ResponseDispatchNotifier<u64>, Failure> {
        self.access.gate.check(bus, &call, Action::Connect).await?;
        let session = session_id(session)?;
        let request = if session == 0 { Request::Disconnect } else { Request::DisconnectSession { session } };
        self.start(request, &emitter)
    }

    async fn set_settings(
        &self,
        changes: HashMap<String, OwnedVariant>,
        reset: Vec<String>,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.access.gate.check(bus, &call, Action::Settings).await?;
        let settings = changed(self.access.view().settings.clone(), changes, &reset)?;
        self.access.ask(Request::SetSettings(settings)).await
    }

    #[zbus(signal)]
    async fn finished(
        emitter: &SignalEmitter<'_>,
        cookie: u64,
        error: &str,
        reason: &str,
        message: &str,
    ) -> zbus::Result<()>;

    #[zbus(property)]
    fn state(&self) -> &str {
        self.show(|connection| words::context_state(connection.state))
    }

    #[zbus(property)]
    fn session(&self) -> u32 {
        self.show(|connection| connection.session)
    }

    #[zbus(property)]
    fn interface(&self) -> String {
        self.show(|connection| connection.interface.clone().unwrap_or_default())
    }

    #[zbus(property)]
    fn candidate(&self) -> HashMap<String, String> {
        self.show(|connection| connection.candidate.as_ref().map(candidate).unwrap_or_default())
    }

    #[zbus(property)]
    fn addresses(&self) -> Vec<String> {
        self.ip(addresses)
    }

    #[zbus(property)]
    fn gateways(&self) -> Vec<String> {
        self.ip(gateways)
    }

    #[zbus(property)]
    fn dns(&self) -> Vec<String> {
        self.ip(servers)
    }

    #[zbus(property)]
    fn mtu(&self) -> u32 {
        self.ip(|ip| ip.mtu.unwrap_or_default())
    }

    #[zbus(property)]
    fn error(&self) -> (String, String) {
        self.show(|connection| reason(connection.error.as_ref()))
    }

    #[zbus(property)]
    fn failures(&self) -> u32 {
        self.show(|connection| connection.failures)
    }

    #[zbus(property)]
    fn sessions(&self) -> Vec<HashMap<String, OwnedVariant>> {
        self.others().iter().map(details).collect()
    }

    #[zbus(property)]
    fn contexts(&self) -> Vec<HashMap<String, OwnedVariant>> {
        let view = self.access.view();
        let contexts = view.network.iter().filter(|network| !network.one_context).flat_map(|network| &network.contexts);
        contexts
            .map(|context| {
                Known::default()
                    .put("name", Some(context.profile.name.as_str()))
                    .put("apn", Some(context.profile.apn.as_str()))
                    .put("programs", Some(Variant::new(context.programs.clone())))
                    .0
            })
            .collect()
    }

    #[zbus(property)]
    fn settings(&self) -> HashMap<String, OwnedVariant> {
        let view = self.access.view();
        let settings = &view.settings;
        let apn = settings.apn.as_ref();
        Known::default()
            .put("autoconnect", Some(settings.autoconnect))
            .put("roaming", Some(words::roaming(settings.roaming)))
            .put("apn", apn.map(|apn| apn.apn.as_str()))
            .put("auth", apn.map(|apn| apn.auth.as_str()))
            .put("ip-type", apn.map(|apn| apn.ip_type.as_str()))
            .put("metric", settings.metric)
            .put("pin-store", Some(settings.pin_store))
            .put("operator", settings.operator.as_deref())
            .put("plan", Some(words::plan(settings.plan)))
            .put("metered", settings.metered)
            .put("hand-over", Some(words::hand_over(settings.hand_over)))
            .0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daemon_core::subscriber::{Plan, RoamingPolicy};

    fn dict(list: &[(&str, Variant<'_>)]) -> HashMap<String, OwnedVariant> {
        list.iter().map(|(key, value)| ((*key).to_owned(), OwnedVariant::try_from(value).unwrap())).collect()
    }

    #[test]
    fn settings_change_key_by_key() {
        let start = Settings { metric: Some(5), ..Settings::default() };
        let new = changed(
            start,
            dict(&[("roaming", "any".into()), ("apn", "x".into()), ("password", "p".into())]),
            &["metric".into()],
        )
        .unwrap();
        assert_eq!((new.roaming, new.metric, new.autoconnect), (RoamingPolicy::Any, None, true));
        assert_eq!(new.apn.as_ref().map(|apn| (apn.apn.as_str(), apn.password.reveal().as_str())), Some(("x", "p")));
        let cleared = changed(new.clone(), dict(&[("apn", "".into())]), &[]).unwrap();
        assert_eq!(cleared.apn, None);
        let of = |name: &str| {
            changed(
                Settings::default(),
                dict(&[("operator", name.into()), ("plan", "prepaid".into()), ("metered", false.into())]),
                &[],
            )
        };
        let chosen = of("de/AldiTalk/MedionMobile").unwrap();
        assert_eq!((chosen.operator.as_deref(), chosen.plan), (Some("de/AldiTalk/MedionMobile"), Plan::Prepaid));
        assert_eq!(chosen.metered, Some(false));
        assert_eq!(of("").unwrap().operator, None);
        let fresh = changed(chosen, dict(&[]), &["operator".into(), "plan".into(), "metered".into()]).unwrap();
        assert_eq!(fresh, Settings::default());
        assert_eq!(changed(new.clone(), dict(&[]), &[]).unwrap(), new);
    }

    #[test]
    fn wrong_settings_are_refused() {
        for (changes, reset) in [
            (dict(&[("roaming", "sometimes".into())]), vec![]),
            (dict(&[("metric", (-1i32).into())]), vec![]),
            (dict(&[("colour", "red".into())]), vec![]),
            (dict(&[("operator", "Contoso".into())]), vec![]),
            (dict(&[("plan", "free".into())]), vec![]),
            (dict(&[("hand-over", "sometimes".into())]), vec![]),
            (dict(&[("apn", "a".repeat(101).into())]), vec![]),
            (dict(&[]), vec!["colour".to_owned()]),
        ] {
            assert!(changed(Settings::default(), changes, &reset).is_err());
        }
    }
}

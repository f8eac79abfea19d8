//! `org.mbimd.Mbimd1.Sim`.

use std::collections::HashMap;

use daemon_core::request::{PinRequest, Reply, Request};
use daemon_operator::identity::Identity;
use mbim_proto::Secret;
use zbus::Connection as Bus;
use zbus::message::Header;

use super::{Access, unexpected};
use crate::dbus::failure::Failure;
use crate::dbus::policy::Action;
use crate::dbus::words;

/// The SIM in the modem.
pub(crate) struct Sim(pub(in crate::dbus) Access);

impl Sim {
    async fn pin(&self, bus: &Bus, call: &Header<'_>, request: Result<PinRequest, Failure>) -> Result<(), Failure> {
        self.0.gate.check(bus, call, Action::Pin).await?;
        self.0.ask(Request::Pin(request?)).await
    }

    /// Something of the subscriber, masked by its own type; nothing where the card forbids to show it.
    fn shown<T: Default>(&self, look: impl FnOnce(&Identity) -> T) -> T {
        let view = self.0.view();
        if view.sim.identity.protected { T::default() } else { look(&view.sim.identity) }
    }
}

/// Digits of a PIN, taken out of reach of logs at once.
fn pin(digits: String) -> Result<Secret<String>, Failure> {
    let good = (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let secret = Secret::new(digits);
    if good { Ok(secret) } else { Err(Failure::invalid("A PIN has 4 to 8 digits.")) }
}

fn puk(digits: String) -> Result<Secret<String>, Failure> {
    let good = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let secret = Secret::new(digits);
    if good { Ok(secret) } else { Err(Failure::invalid("A PUK has 8 digits.")) }
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Sim", introspection_docs = false)]
impl Sim {
    async fn enter_pin(
        &self,
        pin: String,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.pin(bus, &call, self::pin(pin).map(PinRequest::Enter)).await
    }

    async fn enable_pin(
        &self,
        pin: String,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.pin(bus, &call, self::pin(pin).map(PinRequest::Enable)).await
    }

    async fn disable_pin(
        &self,
        pin: String,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.pin(bus, &call, self::pin(pin).map(PinRequest::Disable)).await
    }

    async fn change_pin(
        &self,
        old_pin: String,
        new_pin: String,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        let request = pin(old_pin).and_then(|old| Ok(PinRequest::Change { old, new: pin(new_pin)? }));
        self.pin(bus, &call, request).await
    }

    async fn unblock_pin(
        &self,
        puk: String,
        new_pin: String,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        let request = self::puk(puk).and_then(|puk| Ok(PinRequest::Unblock { puk, new: pin(new_pin)? }));
        self.pin(bus, &call, request).await
    }

    #[zbus(out_args("identity"))]
    async fn get_identity(
        &self,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<HashMap<String, String>, Failure> {
        self.0.gate.check(bus, &call, Action::Identity).await?;
        match self.0.modem.request(Request::Identity).await? {
            Reply::Identity(list) => {
                Ok(list.into_inner().into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }
            _ => Err(unexpected()),
        }
    }

    #[zbus(out_args("ids"))]
    async fn get_hardware_ids(
        &self,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<Vec<(String, String)>, Failure> {
        self.0.gate.check(bus, &call, Action::Identity).await?;
        Ok(self.0.view().sim.hwids.clone())
    }

    #[zbus(property)]
    fn ready(&self) -> String {
        words::sim_ready(self.0.view().sim.ready)
    }

    #[zbus(property)]
    fn pin_required(&self) -> String {
        self.0.view().sim.pin.as_ref().map(|pin| pin.kind.clone()).unwrap_or_default()
    }

    #[zbus(property)]
    fn pin_attempts(&self) -> i32 {
        let attempts = self.0.view().sim.pin.as_ref().and_then(|pin| pin.attempts);
        attempts.and_then(|attempts| i32::try_from(attempts).ok()).unwrap_or(-1)
    }

    #[zbus(property)]
    fn imsi(&self) -> String {
        self.shown(|identity| {
            let imsi = identity.imsi.as_ref().map(ToString::to_string);
            imsi.or_else(|| identity.min.as_ref().map(ToString::to_string)).unwrap_or_default()
        })
    }

    #[zbus(property)]
    fn iccid(&self) -> String {
        self.shown(|identity| identity.iccid.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    #[zbus(property)]
    fn numbers(&self) -> Vec<String> {
        self.shown(|identity| identity.msisdns.iter().map(ToString::to_string).collect())
    }

    #[zbus(property)]
    fn home_network(&self) -> String {
        self.0.view().sim.identity.provider_id.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    #[zbus(property)]
    fn home_name(&self) -> String {
        let view = self.0.view();
        let identity = &view.sim.identity;
        identity.provider_name.clone().or_else(|| identity.spn.clone()).unwrap_or_default()
    }
}

//! The operator's core: one subscriber, what it bought, what the modem activated, and what it may reach. No IO.

use std::collections::VecDeque;

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::scenario::{Garden, Scenario};

/// Who the SIM and the device are. Does not print in full.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// IMSI.
    pub imsi: String,
    /// IMEI.
    pub imei: String,
    /// ICCID.
    pub iccid: String,
}

impl Subscriber {
    /// The canary of the suite: test network 001/01, values that belong to nobody.
    #[must_use]
    pub fn canary() -> Self {
        Self { imsi: "001017394628051".into(), imei: "352099746183058".into(), iccid: "8999004827193650378".into() }
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscriber(###)")
    }
}

/// The data session as the modem set it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Access point name that was asked for.
    pub apn: String,
    /// The subscriber's IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// The subscriber's IPv6 address; the whole /64 belongs to the subscriber.
    pub ipv6: Option<Ipv6Addr>,
}

/// A subscription that can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the form sends.
    pub id: &'static str,
    /// What the person reads.
    pub title: &'static str,
}

/// What is on sale.
pub const OFFERS: [Offer; 2] =
    [Offer { id: "month-5gb", title: "5 GB for a month" }, Offer { id: "day-1gb", title: "1 GB for a day" }];

/// What the subscriber may reach now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// No session.
    Nothing,
    /// Portal and name server only.
    Garden,
    /// Everything.
    Internet,
}

/// What happened at the operator, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// The subscriber's browser opened the site with valid identities.
    Visited,
    /// Someone came with identities that are not the subscriber's, or with none.
    Refused,
    /// A plan was bought.
    Purchased {
        /// Id of the offer.
        plan: String,
    },
    /// The modem sent the operator's activation data.
    Activation {
        /// Whether it was what the operator expects.
        accepted: bool,
    },
    /// A document was handed over.
    Document {
        /// Which: `activation` or `profile`.
        name: String,
    },
    /// What the subscriber may reach has changed.
    Access {
        /// The new reach.
        access: Access,
    },
}

/// Why a purchase failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurchaseError {
    /// There is no such offer.
    UnknownOffer,
    /// A plan is running already.
    AlreadyBought,
}

/// The modem's activation data are not what this network expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationRefused;

/// The operator with its one subscriber.
#[derive(Debug)]
pub struct Network {
    scenario: Scenario,
    subscriber: Subscriber,
    plan: Option<&'static str>,
    activated: bool,
    session: Option<Session>,
    told: Access,
    events: VecDeque<Event>,
}

impl Network {
    /// An operator that knows this subscriber and has sold nothing yet.
    #[must_use]
    pub fn new(scenario: Scenario, subscriber: Subscriber) -> Self {
        Self {
            scenario,
            subscriber,
            plan: None,
            activated: false,
            session: None,
            told: Access::Nothing,
            events: VecDeque::new(),
        }
    }

    /// The behaviour that was asked for.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The one subscriber.
    #[must_use]
    pub fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// The present session.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The plan that was bought.
    #[must_use]
    pub fn plan(&self) -> Option<&'static str> {
        self.plan
    }

    /// The modem has sent the activation data.
    #[must_use]
    pub fn activated(&self) -> bool {
        self.activated
    }

    /// The modem's context is active.
    pub fn session_up(&mut self, session: Session) {
        self.session = Some(session);
        self.tell();
    }

    /// The modem's context is gone.
    pub fn session_down(&mut self) {
        self.session = None;
        self.tell();
    }

    /// What the subscriber may reach: a pure function of what was bought, activated and connected.
    #[must_use]
    pub fn access(&self) -> Access {
        let Some(session) = &self.session else { return Access::Nothing };
        let paid = !self.scenario.plan_needed
            || (self.plan.is_some()
                && (self.activated || !self.scenario.activation_needed)
                && session.apn.eq_ignore_ascii_case(&self.scenario.plan_apn));
        if paid || self.scenario.garden == Garden::None { Access::Internet } else { Access::Garden }
    }

    /// The subscriber buys.
    ///
    /// # Errors
    /// The offer does not exist, or a plan is running already.
    pub fn purchase(&mut self, offer: &str) -> Result<Offer, PurchaseError> {
        let offer = OFFERS.iter().find(|o| o.id == offer).copied().ok_or(PurchaseError::UnknownOffer)?;
        if self.plan.is_some() {
            return Err(PurchaseError::AlreadyBought);
        }
        self.plan = Some(offer.id);
        self.events.push_back(Event::Purchased { plan: offer.id.into() });
        self.tell();
        Ok(offer)
    }

    /// The modem's SERVICE_ACTIVATION reached the network. `[MBIM1.0 10.5.14]` The answer is what the network sends
    /// back to the modem.
    ///
    /// # Errors
    /// Nothing was bought, or the data are not those of the document.
    pub fn service_activation(&mut self, blob: &[u8]) -> Result<Vec<u8>, ActivationRefused> {
        let accepted = self.plan.is_some() && blob == ACTIVATION_BLOB;
        self.activated |= accepted;
        self.events.push_back(Event::Activation { accepted });
        self.tell();
        if accepted { Ok(b"OK".to_vec()) } else { Err(ActivationRefused) }
    }

    /// Notes something that the portal saw.
    pub fn note(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// The next thing to tell.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn tell(&mut self) {
        let access = self.access();
        if access != self.told {
            self.told = access;
            self.events.push_back(Event::Access { access });
        }
    }
}

/// The operator's own activation data: opaque to everyone between the site and the modem, with octets that no text
/// handling survives.
pub const ACTIVATION_BLOB: &[u8] = b"EXM1\x00\xff\x0d\x0a\x1aACTIVATE\x00";

#[cfg(test)]
mod tests {
    use super::*;

    fn session(apn: &str) -> Session {
        Session { apn: apn.into(), ipv4: Some(Ipv4Addr::new(10, 64, 1, 2)), ipv6: None }
    }

    #[test]
    fn internet_takes_plan_activation_and_the_right_apn() {
        let mut network = Network::new(Scenario::garden(), Subscriber::canary());
        assert_eq!(network.access(), Access::Nothing);
        network.session_up(session("internet"));
        assert_eq!(network.access(), Access::Garden);
        assert_eq!(network.service_activation(ACTIVATION_BLOB), Err(ActivationRefused));
        assert_eq!(network.purchase("month-5gb").map(|o| o.id), Ok("month-5gb"));
        assert_eq!(network.purchase("month-5gb"), Err(PurchaseError::AlreadyBought));
        assert_eq!(network.service_activation(b"something else"), Err(ActivationRefused));
        assert_eq!(network.access(), Access::Garden);
        assert!(network.service_activation(ACTIVATION_BLOB).is_ok());
        assert_eq!(network.access(), Access::Garden, "the old APN stays inside");
        network.session_down();
        assert_eq!(network.access(), Access::Nothing);
        network.session_up(session("PLUS.mobile.example"));
        assert_eq!(network.access(), Access::Internet);
        let told: Vec<Access> = core::iter::from_fn(|| network.poll())
            .filter_map(|e| if let Event::Access { access } = e { Some(access) } else { None })
            .collect();
        assert_eq!(told, [Access::Garden, Access::Nothing, Access::Internet]);
    }

    #[test]
    fn those_with_a_plan_are_not_kept() {
        let open = Scenario::named("open").unwrap();
        let mut network = Network::new(open, Subscriber::canary());
        network.session_up(session("internet"));
        assert_eq!(network.access(), Access::Internet);
    }

    #[test]
    fn unknown_offers_sell_nothing() {
        let mut network = Network::new(Scenario::garden(), Subscriber::canary());
        assert_eq!(network.purchase("everything"), Err(PurchaseError::UnknownOffer));
        assert_eq!(network.plan(), None);
    }

    #[test]
    fn the_subscriber_does_not_print() {
        let text = format!("{:?}", Network::new(Scenario::garden(), Subscriber::canary()));
        assert!(!text.contains("7394628"), "{text}");
    }
}

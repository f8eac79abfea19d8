//! The network as the modem meets it: who may register, which access points there are, what a subscription opens.
//!
//! Only what has consequences for a connected host is here. Packets are not: the session's settings go out as
//! [`Output::SessionUp`](crate::Output::SessionUp), and whoever serves the modem wires them.

use crate::dialogue::Reply;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// Causes of refusal. [3GPP TS 24.008 10.5.5.14, 24.301 9.9.3.9]
pub mod cause {
    /// None, or not known.
    pub const NONE: u32 = 0;
    /// The subscriber may not use this network at all.
    pub const PLMN_NOT_ALLOWED: u32 = 11;
    /// Nobody knows that access point name.
    pub const UNKNOWN_APN: u32 = 27;
    /// User name or password are wrong.
    pub const AUTHENTICATION_FAILED: u32 = 29;
    /// The subscription does not include it.
    pub const NOT_SUBSCRIBED: u32 = 33;
    /// Only IPv4 is there.
    pub const IPV4_ONLY: u32 = 50;
    /// Only IPv6 is there.
    pub const IPV6_ONLY: u32 = 51;
}

/// Whether the customer has a data plan. The operator's own records; the modem shows it only by what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// No plan yet, or none left: the walled garden.
    None,
    /// A plan is bought and in force.
    Active,
}

/// What a network does with a registration of this subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is the subscriber's own network.
    Home,
    /// Another network that takes the subscriber.
    Roaming,
    /// A partner of the home network.
    Partner,
    /// Refused, with the cause that the modem reports as NwError.
    Denied(u32),
}

/// One visible network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// MCC and MNC digits, such as `00101`.
    pub id: String,
    /// The name that registration reports.
    pub name: String,
    /// The text for a roaming subscriber; may be empty.
    pub roaming_text: String,
    /// What it does with this subscriber.
    pub admission: Admission,
    /// Data classes that it offers, as bits of MBIM_DATA_CLASS; reduced to what the device can do.
    pub data_classes: u32,
    /// Signal strength code 0–31.
    pub rssi: u32,
}

/// User name and password of an access point.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// MBIM_AUTH_PROTOCOL numbers that are taken; empty: any.
    pub protocols: Vec<u32>,
}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password", &"###").finish_non_exhaustive()
    }
}

/// IPv4 settings of a session. What is `None` or empty is not offered: its availability bit stays clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipv4Settings {
    /// Address and prefix length.
    pub address: Option<(Ipv4Addr, u32)>,
    /// Gateway; none on many point-to-point links.
    pub gateway: Option<Ipv4Addr>,
    /// Name servers in order of preference.
    pub dns: Vec<Ipv4Addr>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
}

/// IPv6 settings of a session; see [`Ipv4Settings`]. A link-local address only means that the host runs SLAAC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipv6Settings {
    /// Address and prefix length.
    pub address: Option<(Ipv6Addr, u32)>,
    /// Gateway.
    pub gateway: Option<Ipv6Addr>,
    /// Name servers in order of preference.
    pub dns: Vec<Ipv6Addr>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
}

/// What a session got. A family that is `None` was not granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpSettings {
    /// IPv4 side.
    pub v4: Option<Ipv4Settings>,
    /// IPv6 side.
    pub v6: Option<Ipv6Settings>,
}

/// A session as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// The access point, as the network's rule spells it.
    pub apn: String,
    /// MBIM_CONTEXT_IP_TYPE granted: 1 IPv4, 2 IPv6, 3 both.
    pub ip_type: u32,
    /// The settings that IP_CONFIGURATION tells.
    pub ip: IpSettings,
}

/// One access point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApnRule {
    /// Its name; compared without regard to case.
    pub apn: String,
    /// Also taken when the host names no access point.
    pub default: bool,
    /// Subscriptions that may use it; empty: all. A session is dropped when the subscription leaves the list.
    pub admits: Vec<Subscription>,
    /// Credentials that it asks for; `None` takes anything.
    pub credentials: Option<Credentials>,
    /// Settings for session 0; further sessions get the address counted up by their number. A family that is `None`
    /// is not offered.
    pub ip: IpSettings,
    /// What happens to a request for both families where one is offered: `true` narrows it (activated, NwError 50 or
    /// 51), `false` refuses it with that cause.
    pub narrows: bool,
}

/// What a service activation does. [MBIM1.0 10.5.14]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Exactly these bytes are taken. May be empty.
    pub blob: Vec<u8>,
    /// What the network answers, byte for byte.
    pub answer: Vec<u8>,
    /// The subscription afterwards.
    pub grants: Subscription,
}

/// All rules of the network that this modem sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Visible networks; automatic selection takes the first that admits.
    pub carriers: Vec<Carrier>,
    /// Whether there is any signal at all.
    pub coverage: bool,
    /// Refusal of packet service, if any, as NwError.
    pub attach_refusal: Option<u32>,
    /// Access points.
    pub apns: Vec<ApnRule>,
    /// Activations that succeed. All others fail.
    pub activations: Vec<Activation>,
    /// The subscription now.
    pub subscription: Subscription,
    /// USSD codes and what they lead to. All others are not supported.
    pub ussd: Vec<(String, Reply)>,
    /// How long the network waits for an answer in a USSD dialogue.
    pub ussd_patience: Duration,
    /// Refusal of short messages, if any, as a status of SEND.
    pub message_refusal: Option<u32>,
}

impl Default for Network {
    /// The test network 001/01: one home network; access point `internet` for both families and `purchase` for IPv4,
    /// both open to everybody; one activation blob, `PLAN-1`; no plan bought; USSD codes `*100#` and `*101#`.
    fn default() -> Self {
        let ip = IpSettings {
            v4: Some(Ipv4Settings {
                address: Some((Ipv4Addr::new(10, 64, 0, 2), 24)),
                gateway: Some(Ipv4Addr::new(10, 64, 0, 1)),
                dns: vec![Ipv4Addr::new(10, 64, 0, 1)],
                mtu: Some(1500),
            }),
            v6: Some(Ipv6Settings {
                address: Some((Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 2), 64)),
                gateway: Some(Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 1)),
                dns: vec![Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 1)],
                mtu: Some(1500),
            }),
        };
        let rule = |apn: &str, default, ip| ApnRule {
            apn: apn.into(),
            default,
            admits: Vec::new(),
            credentials: None,
            ip,
            narrows: true,
        };
        Self {
            carriers: vec![Carrier {
                id: "00101".into(),
                name: "Test Mobile".into(),
                roaming_text: String::new(),
                admission: Admission::Home,
                data_classes: 0x3f,
                rssi: 24,
            }],
            coverage: true,
            attach_refusal: None,
            apns: vec![rule("internet", true, ip.clone()), rule("purchase", false, IpSettings { v6: None, ..ip })],
            activations: vec![Activation {
                blob: b"PLAN-1".to_vec(),
                answer: b"OK".to_vec(),
                grants: Subscription::Active,
            }],
            subscription: Subscription::None,
            ussd: dialogues(),
            ussd_patience: Duration::from_secs(60),
            message_refusal: None,
        }
    }
}

/// `*100#` tells a balance, `*101#` leads through a menu.
fn dialogues() -> Vec<(String, Reply)> {
    let text = |text: &str| Reply::Text(text.into());
    let menu = Reply::Question {
        text: "1 Balance\n2 Plans".into(),
        answers: vec![
            ("1".into(), text("Balance: 12.34 EUR")),
            (
                "2".into(),
                Reply::Question {
                    text: "Buy 1 GB for 5 EUR? 1 yes, 2 no".into(),
                    answers: vec![("1".into(), text("Done.")), ("2".into(), text("Nothing bought."))],
                },
            ),
        ],
    };
    vec![("*100#".into(), text("Balance: 12.34 EUR")), ("*101#".into(), menu)]
}

/// What a host asks a session for.
#[derive(Clone, Debug)]
pub(crate) struct SessionRequest<'a> {
    pub(crate) session: u32,
    pub(crate) apn: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) auth: u32,
    pub(crate) ip_type: u32,
}

/// Why the network refuses a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such access point.
    Apn,
    /// Wrong credentials.
    Credentials,
    /// Anything else, with its cause.
    Cause(u32),
}

impl Network {
    /// The carrier that automatic selection takes: the first that admits, else the first at all.
    pub(crate) fn automatic(&self) -> Option<&Carrier> {
        let admits = |carrier: &&Carrier| !matches!(carrier.admission, Admission::Denied(_));
        self.carriers.iter().find(admits).or_else(|| self.carriers.first()).filter(|_| self.coverage)
    }

    /// The carrier with that MCC and MNC, if it is visible.
    pub(crate) fn manual(&self, id: &str) -> Option<&Carrier> {
        self.carriers.iter().find(|carrier| carrier.id == id).filter(|_| self.coverage)
    }

    /// Whether the subscription, as it is now, admits sessions at an access point.
    pub(crate) fn admits(&self, apn: &str) -> bool {
        self.rule(apn).is_some_and(|rule| rule.admits.is_empty() || rule.admits.contains(&self.subscription))
    }

    fn rule(&self, apn: &str) -> Option<&ApnRule> {
        if apn.is_empty() {
            return self.apns.iter().find(|rule| rule.default);
        }
        self.apns.iter().find(|rule| rule.apn.eq_ignore_ascii_case(apn))
    }

    /// Judges a request for a session. The second value is NwError of a request that was narrowed, else 0.
    pub(crate) fn admit(&self, request: &SessionRequest<'_>) -> Result<(SessionSettings, u32), Refusal> {
        let rule = self.rule(request.apn).ok_or(Refusal::Apn)?;
        if !self.admits(&rule.apn) {
            return Err(Refusal::Cause(cause::NOT_SUBSCRIBED));
        }
        if let Some(wanted) = &rule.credentials {
            let protocol = wanted.protocols.is_empty() || wanted.protocols.contains(&request.auth);
            if !protocol || wanted.user != request.user || wanted.password != request.password {
                return Err(Refusal::Credentials);
            }
        }
        let (v4, v6) = (rule.ip.v4.is_some(), rule.ip.v6.is_some());
        let (ip_type, nw_error) = match (request.ip_type, v4, v6) {
            (_, false, false) => return Err(Refusal::Cause(cause::NOT_SUBSCRIBED)),
            (0, true, true) => (3, cause::NONE),
            (3 | 4, true, true) => (request.ip_type, cause::NONE),
            (0 | 1, true, _) => (1, cause::NONE),
            (0 | 2, _, true) => (2, cause::NONE),
            (3 | 4, true, false) if rule.narrows => (1, cause::IPV4_ONLY),
            (3 | 4, false, true) if rule.narrows => (2, cause::IPV6_ONLY),
            (_, true, false) => return Err(Refusal::Cause(cause::IPV4_ONLY)),
            (_, false, true) => return Err(Refusal::Cause(cause::IPV6_ONLY)),
            (_, true, true) => return Err(Refusal::Cause(cause::NONE)),
        };
        let mut ip = rule.ip.clone();
        if ip_type == 1 {
            ip.v6 = None;
        }
        if ip_type == 2 {
            ip.v4 = None;
        }
        if let Some((address, _)) = ip.v4.as_mut().and_then(|v4| v4.address.as_mut()) {
            *address = Ipv4Addr::from_bits(address.to_bits().wrapping_add(request.session));
        }
        if let Some((address, _)) = ip.v6.as_mut().and_then(|v6| v6.address.as_mut()) {
            *address = Ipv6Addr::from_bits(address.to_bits().wrapping_add(u128::from(request.session)));
        }
        Ok((SessionSettings { apn: rule.apn.clone(), ip_type, ip }, nw_error))
    }

    /// Tries an activation; the answer's bytes if it is taken. The subscription follows it.
    pub(crate) fn activate(&mut self, blob: &[u8]) -> Option<Vec<u8>> {
        let activation = self.activations.iter().find(|activation| activation.blob == blob)?;
        self.subscription = activation.grants;
        Some(activation.answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(network: &Network, apn: &str, ip_type: u32) -> Result<(u32, u32), Refusal> {
        let request = SessionRequest { session: 0, apn, user: "u", password: "p", auth: 2, ip_type };
        network.admit(&request).map(|(settings, cause)| (settings.ip_type, cause))
    }

    #[test]
    fn families_are_granted_narrowed_or_refused() {
        let mut network = Network::default();
        assert_eq!(ask(&network, "Internet", 0), Ok((3, 0)));
        assert_eq!(ask(&network, "internet", 4), Ok((4, 0)));
        assert_eq!(ask(&network, "", 2), Ok((2, 0)));
        assert_eq!(ask(&network, "purchase", 3), Ok((1, 50)));
        assert_eq!(ask(&network, "purchase", 2), Err(Refusal::Cause(50)));
        network.apns[1].narrows = false;
        assert_eq!(ask(&network, "purchase", 3), Err(Refusal::Cause(50)));
        assert_eq!(ask(&network, "internet", 77), Err(Refusal::Cause(0)));
        assert_eq!(ask(&network, "elsewhere", 0), Err(Refusal::Apn));
    }

    #[test]
    fn credentials_and_subscription_are_checked() {
        let mut network = Network::default();
        network.apns[0].credentials =
            Some(Credentials { user: "u".into(), password: "other".into(), protocols: vec![] });
        assert_eq!(ask(&network, "internet", 1), Err(Refusal::Credentials));
        network.apns[1].admits = vec![Subscription::Active];
        assert_eq!(ask(&network, "purchase", 1), Err(Refusal::Cause(cause::NOT_SUBSCRIBED)));
        assert_eq!(network.activate(b"wrong"), None);
        assert_eq!(network.activate(b"PLAN-1").as_deref(), Some(&b"OK"[..]));
        assert_eq!(ask(&network, "purchase", 1), Ok((1, 0)));
    }
}

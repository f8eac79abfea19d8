//! Why am I not online? The chain from SIM to Internet, each link with its verdict, its cause and what to do next.
//! A pure function of the snapshot.

use crate::snapshot::{ConnectivityState, ContextState, Custody, ModemState, SimReady, Snapshot};

/// What one link of the chain is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In order.
    Ok,
    /// Under way; nothing to do but wait.
    Waiting,
    /// Here it breaks; somebody has to do something.
    Broken,
    /// Not known yet, because an earlier link is not in order.
    Unknown,
}

impl Verdict {
    /// Kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Waiting => "waiting",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// `usb` (only with trouble there), `modem`, `proxy` (only with other programs at the modem), `sim`, `pin`, `radio`,
    /// `registration`, `packet-service`, `operator`, `context`, `addresses`, `internet`, `portal`.
    pub link: &'static str,
    /// What it is worth.
    pub verdict: Verdict,
    /// Why, for a person. Holds no identity in full.
    pub cause: String,
    /// What to do next; empty when there is nothing to do.
    pub next: String,
}

/// The chain, from the modem to the operator's portal. Links behind the first that is not in order are `Unknown`
/// unless they can be told.
#[must_use]
pub fn explain(snapshot: &Snapshot) -> Vec<ChainLink> {
    let mut chain = vec![
        modem(snapshot),
        sim(snapshot),
        pin(snapshot),
        radio(snapshot),
        registration(snapshot),
        packet_service(snapshot),
        operator(snapshot),
        context(snapshot),
        addresses(snapshot),
        internet(snapshot),
        portal(snapshot),
    ];
    match snapshot.guests {
        0 => {}
        1 => chain.insert(1, link("proxy", Verdict::Ok, "another program uses the modem as well", "")),
        n => chain.insert(1, link("proxy", Verdict::Ok, format!("{n} other programs use the modem as well"), "")),
    }
    if let Some(trouble) = &snapshot.port.trouble {
        let (cause, next) = cause_and_next(&trouble.text);
        // Notifications that are too many or too few cost time, not the connection.
        let verdict = if trouble.code.starts_with("usb-notification") { Verdict::Ok } else { Verdict::Broken };
        // In front of what may follow from it.
        chain.insert(0, link("usb", verdict, cause, next));
    }
    // What lies behind a break is not looked at: it would only repeat the same trouble in other words.
    let broken = chain.iter().position(|link| matches!(link.verdict, Verdict::Broken | Verdict::Waiting));
    if let Some(at) = broken {
        for link in chain.iter_mut().skip(at + 1).filter(|link| link.link != "portal" && link.verdict != Verdict::Ok) {
            link.verdict = Verdict::Unknown;
            link.cause = "an earlier link is not in order".to_owned();
            link.next.clear();
        }
    }
    chain
}

fn link(link: &'static str, verdict: Verdict, cause: impl Into<String>, next: impl Into<String>) -> ChainLink {
    ChainLink { link, verdict, cause: cause.into(), next: next.into() }
}

fn why(snapshot: &Snapshot) -> (String, String) {
    cause_and_next(snapshot.reason.as_ref().map_or("", |reason| reason.text.as_str()))
}

/// Texts of reasons say what is wrong, then what to do, parted by a semicolon.
fn cause_and_next(text: &str) -> (String, String) {
    let (cause, next) = text.split_once("; ").unwrap_or((text, ""));
    (cause.trim_end_matches('.').to_owned(), next.to_owned())
}

fn modem(snapshot: &Snapshot) -> ChainLink {
    let name = snapshot.device.as_ref().map(|device| device.hardware.clone());
    let (cause, next) = why(snapshot);
    match snapshot.custody {
        Custody::Held => {}
        Custody::Withheld => return link("modem", Verdict::Broken, cause, next),
        Custody::Absent => return link("modem", Verdict::Waiting, cause, next),
    }
    match (snapshot.state, name) {
        (_, Some(name)) if snapshot.port.driver == "usbfs" => {
            link("modem", Verdict::Ok, format!("{name}, over USB without a kernel driver"), "")
        }
        (_, Some(name)) => link("modem", Verdict::Ok, name, ""),
        (ModemState::Failed, None) => link("modem", Verdict::Broken, cause, next),
        (ModemState::Unknown, None) => link("modem", Verdict::Broken, "no session with the modem", "plug it in again"),
        (_, None) => link("modem", Verdict::Waiting, "the session is being opened", ""),
    }
}

fn sim(snapshot: &Snapshot) -> ChainLink {
    let broken = |cause, next| link("sim", Verdict::Broken, cause, next);
    match snapshot.sim.ready {
        SimReady::Unknown | SimReady::NotInitialized => link("sim", Verdict::Waiting, "the SIM is starting", ""),
        SimReady::Initialized | SimReady::Locked => link("sim", Verdict::Ok, "present", ""),
        SimReady::NotInserted => broken("there is no SIM in the modem", "insert one"),
        SimReady::Bad => broken("the SIM cannot be used", "it may be blocked for good: ask the operator"),
        SimReady::Failure => broken("the SIM failed", "take it out and insert it again"),
        SimReady::NotActivated => broken("the SIM has no subscription yet", "activate it on the operator's site"),
        SimReady::NoEsimProfile => broken("the eSIM holds no enabled profile", "load and enable one"),
        SimReady::Other(number) => link("sim", Verdict::Ok, format!("ready state {number}, not known here"), ""),
    }
}

fn pin(snapshot: &Snapshot) -> ChainLink {
    let left = |attempts: Option<u32>| attempts.map_or(String::new(), |n| format!(", {n} attempts left"));
    match (&snapshot.sim.pin, snapshot.sim.ready) {
        (Some(pin), _) if pin.kind.starts_with("puk") => {
            let cause = format!("the PIN is blocked ({}{})", pin.kind, left(pin.attempts));
            link("pin", Verdict::Broken, cause, "unblock it with the PUK: mbimctl pin unblock")
        }
        (Some(pin), _) => {
            let cause = format!("{} is asked for{}", pin.kind, left(pin.attempts));
            link("pin", Verdict::Broken, cause, "enter it: mbimctl pin enter")
        }
        (None, SimReady::Locked) => link("pin", Verdict::Waiting, "the SIM is locked; it is being asked why", ""),
        (None, _) => link("pin", Verdict::Ok, "not asked for", ""),
    }
}

fn radio(snapshot: &Snapshot) -> ChainLink {
    let radio = &snapshot.radio;
    if radio.blocked {
        return link("radio", Verdict::Broken, "airplane mode is on (rfkill)", "switch it off");
    }
    match (radio.hardware, radio.software) {
        (Some(false), _) => link("radio", Verdict::Broken, "the switch on the machine is off", "switch it on"),
        (_, Some(false)) if snapshot.state == ModemState::Enabling => {
            link("radio", Verdict::Waiting, "is being switched on", "")
        }
        (_, Some(false)) => link("radio", Verdict::Broken, "was switched off", "mbimctl radio on"),
        (Some(true), Some(true)) => link("radio", Verdict::Ok, "on", ""),
        _ => link("radio", Verdict::Waiting, "not known yet", ""),
    }
}

fn registration(snapshot: &Snapshot) -> ChainLink {
    let registration = &snapshot.registration;
    let network = if registration.name.is_empty() { &registration.plmn } else { &registration.name };
    match registration.state.as_str() {
        _ if registration.registered => {
            link("registration", Verdict::Ok, format!("{} ({network})", registration.state), "")
        }
        "denied" => link(
            "registration",
            Verdict::Broken,
            format!("the network refuses this SIM (cause {})", registration.nw_error),
            "ask the operator",
        ),
        "searching" => link("registration", Verdict::Waiting, "looking for a network", "look for coverage"),
        _ => link("registration", Verdict::Waiting, "not registered", "look for coverage"),
    }
}

fn packet_service(snapshot: &Snapshot) -> ChainLink {
    match snapshot.packet.state.as_str() {
        "attached" => link("packet-service", Verdict::Ok, "attached", ""),
        state => link("packet-service", Verdict::Waiting, state.to_owned(), ""),
    }
}

fn operator(snapshot: &Snapshot) -> ChainLink {
    let Some(operator) = &snapshot.operator else {
        return link("operator", Verdict::Waiting, "the SIM was not identified yet", "");
    };
    let first = operator.candidates.first();
    let apn = first.map_or("", |c| if c.apn.is_empty() { "the network's default" } else { c.apn.as_str() });
    let why = first.map_or_else(String::new, |c| format!(" ({})", c.criterion));
    match operator.matched.as_str() {
        "exact" => {
            let decided = operator.decided();
            link("operator", Verdict::Ok, format!("{} by {decided}; first APN: {apn}{why}", operator.name), "")
        }
        "ambiguous" => link(
            "operator",
            Verdict::Ok,
            format!(
                "several operators fit this SIM ({}); {} is tried first; first APN: {apn}{why}",
                several(&operator.alternatives),
                operator.name
            ),
            "if it is another one, say which: mbimctl settings set operator COUNTRY/NAME",
        ),
        _ => link(
            "operator",
            Verdict::Ok,
            format!("no record of this operator; first APN: {apn}"),
            "if that does not connect, name the APN: mbimctl settings set apn NAME",
        ),
    }
}

/// The first ones, and how many more there are.
fn several(names: &[String]) -> String {
    let first = names.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(4) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn context(snapshot: &Snapshot) -> ChainLink {
    let Some(connection) = snapshot.connections.first() else {
        return link("context", Verdict::Unknown, "no session with the modem", "");
    };
    let error = connection.error.as_ref().map(|error| error.text.trim_end_matches('.').to_owned());
    match connection.state {
        ContextState::Configuring | ContextState::Up => {
            let apn = connection.candidate.as_ref().map_or("", |c| c.apn.as_str());
            link(
                "context",
                Verdict::Ok,
                format!("active, APN {}", if apn.is_empty() { "by the network" } else { apn }),
                "",
            )
        }
        ContextState::Activating => link("context", Verdict::Waiting, "is being made", ""),
        ContextState::Deactivating => link("context", Verdict::Waiting, "is being taken down", ""),
        ContextState::Waiting if connection.retry_at.is_some() => {
            link("context", Verdict::Waiting, error.unwrap_or_else(|| "another attempt is due".to_owned()), "")
        }
        ContextState::Waiting | ContextState::Down => match (error, &snapshot.reason) {
            (Some(error), _) => link("context", Verdict::Broken, error, "mbimctl connect"),
            (None, Some(reason)) => link("context", Verdict::Broken, reason.text.clone(), ""),
            (None, None) => link("context", Verdict::Broken, "nobody asked for a connection", "mbimctl connect"),
        },
    }
}

fn addresses(snapshot: &Snapshot) -> ChainLink {
    let Some(connection) = snapshot.connections.first() else {
        return link("addresses", Verdict::Unknown, "no session with the modem", "");
    };
    match (&connection.ip, connection.state) {
        (Some(ip), ContextState::Up) => {
            let cause = format!(
                "{} IPv4, {} IPv6, {} DNS servers{}",
                ip.ipv4.len(),
                ip.ipv6.len(),
                ip.dns.len(),
                if ip.slaac { ", SLAAC" } else { "" }
            );
            link("addresses", Verdict::Ok, cause, "")
        }
        _ => link("addresses", Verdict::Waiting, "none yet", ""),
    }
}

fn internet(snapshot: &Snapshot) -> ChainLink {
    let connectivity = &snapshot.connectivity;
    let (cause, next) = means(connectivity.state, &connectivity.reason);
    let cause =
        if connectivity.reason.is_empty() { cause.to_owned() } else { format!("{cause} ({})", connectivity.reason) };
    let verdict = match connectivity.state {
        ConnectivityState::Full => Verdict::Ok,
        ConnectivityState::Portal | ConnectivityState::Limited => Verdict::Broken,
        ConnectivityState::None => Verdict::Waiting,
        ConnectivityState::Unknown => Verdict::Unknown,
    };
    link("internet", verdict, cause, next)
}

/// What a verdict means for a person, and what to do.
fn means(state: ConnectivityState, reason: &str) -> (&'static str, &'static str) {
    use ConnectivityState as State;
    match (state, reason) {
        (State::Full, "http-blocked") => ("reached; plain HTTP is blocked on the way", ""),
        (State::Full, "http-altered") => ("reached; somebody changes plain HTTP pages on the way", ""),
        (State::Full, "v4-literal-unreachable") => ("reached over IPv6; there is no way to IPv4 addresses", ""),
        (State::Full, _) => ("reached", ""),
        (State::Portal, "redirect") => ("every page leads to the operator's portal", "mbimctl portal"),
        (State::Portal, "api") => ("the network says that a person has to do something first", "mbimctl portal"),
        (State::Portal, "dns-hijack") => ("name servers send every name to the operator's portal", "mbimctl portal"),
        (State::Portal, _) => ("the operator's portal answers instead", "mbimctl portal"),
        (State::Limited, "dns") => ("connected, but name servers do not answer", "ask the operator"),
        (State::Limited, "dns-hijack") => {
            ("name servers make addresses up, and nothing answers there", "ask the operator")
        }
        (State::Limited, "tls") => {
            ("somebody between here and the Internet opens encrypted connections", "trust no site over this link")
        }
        (State::Limited, "https-blocked") => ("plain HTTP passes, encrypted connections do not", "ask the operator"),
        (State::Limited, "zero-rated") => {
            ("only chosen hosts can be reached: the data plan may be used up", "mbimctl portal")
        }
        (State::Limited, "walled-garden") => {
            ("only the operator's own site answers: something has to be bought or activated", "mbimctl portal")
        }
        (State::Limited, "reverse-path-filter") => {
            ("connected, but this machine drops answers on the modem's interface", "set its rp_filter to 2")
        }
        (State::Limited, _) => ("connected, but nothing answers", "ask the operator"),
        (State::None, "no-address") => ("no address yet", ""),
        (State::None, _) => ("no connection", ""),
        (State::Unknown, "off") => ("not tested", "name a probe host in the configuration: probe.http"),
        (State::Unknown, "bind") => {
            ("not tested: no socket could be bound to the modem's interface", "see the daemon's log")
        }
        (State::Unknown, "no-route") => ("not tested: no route leads over the modem's interface", "look at: ip route"),
        (State::Unknown, _) => ("not tested", ""),
    }
}

fn portal(snapshot: &Snapshot) -> ChainLink {
    let connectivity = &snapshot.connectivity;
    match (connectivity.purchase_needed, connectivity.portal_available) {
        (true, true) => link(
            "portal",
            Verdict::Broken,
            "something has to be bought or activated",
            "open the operator's site: mbimctl portal --open",
        ),
        (true, false) => {
            let next = "no site of the operator is known here: ask the operator";
            link("portal", Verdict::Broken, "something has to be bought or activated", next)
        }
        (false, true) => link("portal", Verdict::Unknown, "a site of the operator is known", "mbimctl portal"),
        (false, false) => link("portal", Verdict::Ok, "not needed", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Connection, Device, IpSettings, Reason};

    fn online() -> Snapshot {
        let mut snapshot = Snapshot { state: ModemState::Connected, ..Snapshot::default() };
        snapshot.device = Some(Device { hardware: "X1".into(), ..Device::default() });
        snapshot.sim.ready = SimReady::Initialized;
        snapshot.radio.hardware = Some(true);
        snapshot.radio.software = Some(true);
        snapshot.registration.registered = true;
        snapshot.registration.state = "home".into();
        snapshot.packet.state = "attached".into();
        snapshot.operator = Some(crate::snapshot::OperatorChoice { matched: "exact".into(), ..Default::default() });
        snapshot.connections =
            vec![Connection { state: ContextState::Up, ip: Some(IpSettings::default()), ..Connection::default() }];
        snapshot.connectivity.state = ConnectivityState::Full;
        snapshot
    }

    /// The first link that is not in order, with its verdict.
    fn first(snapshot: &Snapshot) -> Option<(&'static str, Verdict)> {
        explain(snapshot).into_iter().find(|link| link.verdict != Verdict::Ok).map(|link| (link.link, link.verdict))
    }

    #[test]
    fn online_is_a_whole_chain() {
        assert_eq!(first(&online()), None);
        assert_eq!(explain(&online()).len(), 11);
    }

    #[test]
    fn the_operator_comes_with_what_decided() {
        let mut snapshot = online();
        let candidate = crate::snapshot::CandidateView {
            apn: "plus".into(),
            criterion: "provisioned-default-profile".into(),
            ..Default::default()
        };
        snapshot.operator = Some(crate::snapshot::OperatorChoice {
            name: "Kids".into(),
            matched: "exact".into(),
            rule: "selector".into(),
            selectors: vec![("gid1".into(), "###".into()), ("spn".into(), "kids".into())],
            candidates: vec![candidate],
            ..Default::default()
        });
        let chain = explain(&snapshot);
        let cause = chain.iter().find(|link| link.link == "operator").map(|link| link.cause.as_str());
        let want = "Kids by selector (gid1 ###, spn kids); first APN: plus (provisioned-default-profile)";
        assert_eq!(cause, Some(want));
    }

    #[test]
    fn each_trouble_breaks_at_its_own_link() {
        let check = |change: fn(&mut Snapshot), expected| {
            let mut snapshot = online();
            change(&mut snapshot);
            assert_eq!(first(&snapshot), Some(expected), "{:#?}", explain(&snapshot));
        };
        check(|s| s.device = None, ("modem", Verdict::Waiting));
        check(|s| s.sim.ready = SimReady::NotInserted, ("sim", Verdict::Broken));
        check(
            |s| s.sim.pin = Some(crate::snapshot::PinNeeded { kind: "pin1".into(), attempts: Some(2) }),
            ("pin", Verdict::Broken),
        );
        check(|s| s.radio.blocked = true, ("radio", Verdict::Broken));
        check(|s| s.radio.hardware = Some(false), ("radio", Verdict::Broken));
        check(
            |s| {
                s.registration.registered = false;
                s.registration.state = "denied".into();
            },
            ("registration", Verdict::Broken),
        );
        check(|s| s.packet.state = "attaching".into(), ("packet-service", Verdict::Waiting));
        check(|s| s.operator = None, ("operator", Verdict::Waiting));
        check(|s| s.connections[0].state = ContextState::Down, ("context", Verdict::Broken));
        check(|s| s.connections[0].ip = None, ("addresses", Verdict::Waiting));
        check(|s| s.connectivity.state = ConnectivityState::Portal, ("internet", Verdict::Broken));
        check(|s| s.connectivity.purchase_needed = true, ("portal", Verdict::Broken));
    }

    #[test]
    fn trouble_on_the_usb_is_a_link_of_its_own() {
        let mut snapshot = online();
        snapshot.port.trouble = Some(Reason {
            code: "usb-data-stuck",
            text: "It takes no packets; plug it in again if that stays.".into(),
        });
        let chain = explain(&snapshot);
        assert_eq!(first(&snapshot), Some(("usb", Verdict::Broken)));
        assert_eq!(
            (chain[0].cause.as_str(), chain[0].next.as_str()),
            ("It takes no packets", "plug it in again if that stays.")
        );
        snapshot.port.trouble = Some(Reason { code: "usb-notification-flood", text: "Too many.".into() });
        assert_eq!((first(&snapshot), explain(&snapshot)[0].link), (None, "usb"), "told, but nothing is broken");
    }

    #[test]
    fn other_programs_at_the_modem_are_told() {
        let mut snapshot = online();
        for (guests, told) in [(1, "another program"), (3, "3 other programs")] {
            snapshot.guests = guests;
            assert!(explain(&snapshot)[1].cause.starts_with(told));
            assert_eq!(first(&snapshot), None, "nothing is broken");
        }
        snapshot.guests = 0;
        assert!(explain(&snapshot).iter().all(|link| link.link != "proxy"));
    }

    #[test]
    fn a_modem_that_is_not_ours_says_whose_it_is() {
        for (custody, verdict) in [(Custody::Withheld, Verdict::Broken), (Custody::Absent, Verdict::Waiting)] {
            let reason = Reason { code: "x", text: "Another has it; ask there.".into() };
            let snapshot = Snapshot { custody, reason: Some(reason), ..Snapshot::default() };
            let chain = explain(&snapshot);
            assert_eq!((chain[0].verdict, chain[0].cause.as_str()), (verdict, "Another has it"));
            assert_eq!(chain[0].next, "ask there.");
            assert!(chain[1..].iter().all(|link| matches!(link.verdict, Verdict::Unknown | Verdict::Ok)), "{chain:#?}");
        }
    }

    #[test]
    fn a_dead_modem_says_what_to_do() {
        let snapshot = Snapshot {
            state: ModemState::Failed,
            reason: Some(Reason { code: "no-answer-to-open", text: "It does not answer; plug it in again.".into() }),
            ..Snapshot::default()
        };
        let chain = explain(&snapshot);
        assert_eq!((chain[0].verdict, chain[0].next.as_str()), (Verdict::Broken, "plug it in again."));
        assert!(chain[1..].iter().all(|link| matches!(link.verdict, Verdict::Unknown | Verdict::Ok)), "{chain:#?}");
    }
}

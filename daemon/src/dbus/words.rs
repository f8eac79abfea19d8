//! Words for the enumerations of the snapshot, as the XML lists them.

use daemon_core::snapshot::{ConnectivityState, ContextState, Custody, ModemState, SimReady};
use daemon_core::subscriber::{HandOverPolicy, Plan, RoamingPolicy};

/// Whose the modem is.
pub(super) fn custody(custody: Custody) -> &'static str {
    match custody {
        Custody::Held => "held",
        Custody::Withheld => "withheld",
        Custody::Absent => "absent",
    }
}

pub(super) fn modem_state(state: ModemState) -> &'static str {
    match state {
        ModemState::Failed => "failed",
        ModemState::Unknown => "unknown",
        ModemState::Initializing => "initializing",
        ModemState::Locked => "locked",
        ModemState::Disabled => "disabled",
        ModemState::Disabling => "disabling",
        ModemState::Enabling => "enabling",
        ModemState::Enabled => "enabled",
        ModemState::Searching => "searching",
        ModemState::Registered => "registered",
        ModemState::Disconnecting => "disconnecting",
        ModemState::Connecting => "connecting",
        ModemState::Connected => "connected",
    }
}

pub(super) fn sim_ready(ready: SimReady) -> String {
    match ready {
        SimReady::Unknown => "unknown",
        SimReady::NotInitialized => "not-initialized",
        SimReady::Initialized => "initialized",
        SimReady::NotInserted => "sim-not-inserted",
        SimReady::Bad => "bad-sim",
        SimReady::Failure => "failure",
        SimReady::NotActivated => "not-activated",
        SimReady::Locked => "device-locked",
        SimReady::NoEsimProfile => "no-esim-profile",
        SimReady::Other(number) => return number.to_string(),
    }
    .to_owned()
}

pub(super) fn context_state(state: ContextState) -> &'static str {
    match state {
        ContextState::Down => "down",
        ContextState::Activating => "activating",
        ContextState::Configuring => "configuring",
        ContextState::Up => "up",
        ContextState::Deactivating => "deactivating",
        ContextState::Waiting => "waiting",
    }
}

pub(super) fn connectivity(state: ConnectivityState) -> &'static str {
    match state {
        ConnectivityState::Unknown => "unknown",
        ConnectivityState::None => "none",
        ConnectivityState::Portal => "portal",
        ConnectivityState::Limited => "limited",
        ConnectivityState::Full => "full",
    }
}

/// Kinds of subscription and their words.
pub(super) const PLAN: [(&str, Plan); 3] =
    [("unknown", Plan::Unknown), ("prepaid", Plan::Prepaid), ("postpaid", Plan::Postpaid)];

pub(super) fn plan(plan: Plan) -> &'static str {
    PLAN.iter().find(|(_, other)| *other == plan).map_or("unknown", |(word, _)| word)
}

/// Policies of a hand-over and their words.
pub(super) const HAND_OVER: [(&str, HandOverPolicy); 3] = [
    ("ask", HandOverPolicy::Ask),
    ("always", HandOverPolicy::Always),
    ("never-identify", HandOverPolicy::NeverIdentify),
];

pub(super) fn hand_over(policy: HandOverPolicy) -> &'static str {
    HAND_OVER.iter().find(|(_, other)| *other == policy).map_or("ask", |(word, _)| word)
}

/// Roaming policies and their words.
pub(super) const ROAMING: [(&str, RoamingPolicy); 3] =
    [("home", RoamingPolicy::Home), ("partner", RoamingPolicy::Partner), ("any", RoamingPolicy::Any)];

pub(super) fn roaming(policy: RoamingPolicy) -> &'static str {
    match policy {
        RoamingPolicy::Home => "home",
        RoamingPolicy::Partner => "partner",
        RoamingPolicy::Any => "any",
    }
}

pub(super) fn switch(on: Option<bool>) -> &'static str {
    match on {
        Some(true) => "on",
        Some(false) => "off",
        None => "unknown",
    }
}

/// Names of the bits of `MBIM_DATA_CLASS`. `[MBIM1.0 10.5.1]`, `[MBIMEx 2.0]`
const TECHNOLOGIES: [(u32, &str); 16] = [
    (0, "gprs"),
    (1, "edge"),
    (2, "umts"),
    (3, "hsdpa"),
    (4, "hsupa"),
    (5, "lte"),
    (6, "5g-nsa"),
    (7, "5g-sa"),
    (16, "1xrtt"),
    (17, "1xevdo"),
    (18, "1xevdo-reva"),
    (19, "1xevdv"),
    (20, "3xrtt"),
    (21, "1xevdo-revb"),
    (22, "umb"),
    (31, "custom"),
];

/// One word for each bit that is set, lowest bit first.
pub(super) fn technologies(bits: u32) -> Vec<String> {
    (0..u32::BITS)
        .filter(|bit| bits >> bit & 1 == 1)
        .map(|bit| match TECHNOLOGIES.iter().find(|(known, _)| *known == bit) {
            Some((_, name)) => (*name).to_owned(),
            None => format!("bit-{bit}"),
        })
        .collect()
}

/// An MBIMEx release in BCD as people write it; empty for 0.
pub(super) fn release(bcd: u16) -> String {
    if bcd == 0 { String::new() } else { format!("{:x}.{:x}", bcd >> 8, bcd & 0xff) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn technologies_have_names_or_numbers() {
        assert_eq!(technologies(0x8000_00a1), ["gprs", "lte", "5g-sa", "custom"]);
        assert_eq!(technologies(1 << 9), ["bit-9"]);
        assert!(technologies(0).is_empty());
    }

    #[test]
    fn releases_are_binary_coded() {
        assert_eq!(release(0x0100), "1.0");
        assert_eq!(release(0x0300), "3.0");
        assert_eq!(release(0), "");
    }
}

//! `mbimctl status`.

use dbus_api::value::{Details, text};
use serde_json::{Value, json};
use zbus::{Connection, Variant};

use crate::arguments::Which;
use crate::failure::Failure;
use crate::modem::{self, Modem, flag, reason, texts};
use crate::show::{Output, object, table};

pub(super) async fn run(connection: &Connection, which: &Which, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    output.print(&value(&modem), || sheet(&modem));
    Ok(())
}

/// Everything public, in one object.
pub(super) fn value(modem: &Modem) -> Value {
    let mut value = object(&modem.modem);
    if let Value::Object(map) = &mut value {
        map.insert("path".into(), modem.path.as_str().into());
        map.insert("sim".into(), object(&modem.sim));
        map.insert("connection".into(), connection_value(modem));
        map.insert("connectivity".into(), object(&modem.connectivity));
    }
    json!({ "modem": value })
}

/// The default connection, with those of further sessions.
pub(super) fn connection_value(modem: &Modem) -> Value {
    let mut value = object(&modem.connection);
    if let Value::Object(map) = &mut value
        && map.contains_key("sessions")
    {
        map.insert("sessions".into(), modem.sessions().iter().map(object).collect());
        map.insert("contexts".into(), modem.contexts().iter().map(object).collect());
    }
    value
}

fn sheet(modem: &Modem) -> String {
    let mut rows = vec![
        row("modem", [modem.number.to_string(), modem.text("Hardware"), modem.text("UsbId")]),
        row("ports", [modem.text("ControlPort"), modem.text("DataPort"), String::new()]),
        row("state", [with_reason(modem.state(), reason(&modem.modem, "StateReason")), String::new(), String::new()]),
        row("sim", [sim(&modem.sim), at(&modem.sim, "Imsi"), String::new()]),
        row("radio", [radio(&modem.modem), String::new(), String::new()]),
        row("network", [network(&modem.modem), technology(modem), signal(&modem.modem)]),
    ];
    if let Some(operator) = nested(&modem.modem, "Operator") {
        let how = match at(&operator, "match").as_str() {
            "none" => "no record of it".to_owned(),
            verdict => {
                let selectors = dbus_api::value::texts(&operator, "selectors");
                let selectors: Vec<String> = selectors.iter().map(|(name, value)| format!("{name} {value}")).collect();
                let decided = if selectors.is_empty() { String::new() } else { format!(" ({})", selectors.join(", ")) };
                format!("{verdict} match by {}{decided}", at(&operator, "rule"))
            }
        };
        let support = at(&operator, "support-number");
        let support = if support.is_empty() { support } else { format!("support {support}") };
        rows.push(row("operator", [at(&operator, "name"), how, support]));
    }
    rows.push(row("connection", connection(&modem.connection)));
    for details in modem.sessions() {
        let number = modem::number(&details, "session").unwrap_or_default();
        rows.push(row(&format!("session {number}"), session(&details)));
    }
    let contexts: Vec<String> = modem.contexts().iter().map(|details| at(details, "name")).collect();
    if !contexts.is_empty() {
        rows.push(row("contexts", [contexts.join(", "), String::new(), String::new()]));
    }
    rows.push(row("connectivity", [connectivity(&modem.connectivity), String::new(), String::new()]));
    table(&rows)
}

fn row(name: &str, parts: [String; 3]) -> [String; 2] {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    [name.to_owned(), if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }]
}

fn at(details: &Details, key: &str) -> String {
    text(details, key).unwrap_or_default()
}

fn with_reason(state: String, reason: Option<(String, String)>) -> String {
    match reason {
        Some((code, text)) => format!("{state}: {}", if text.is_empty() { code } else { text }),
        None => state,
    }
}

/// A dictionary inside a dictionary; `None` when it is absent or empty.
pub(super) fn nested(details: &Details, key: &str) -> Option<Details> {
    let inner: Details = Variant::from(details.get(key)?.try_clone().ok()?).try_into().ok()?;
    (!inner.is_empty()).then_some(inner)
}

fn sim(sim: &Details) -> String {
    let ready = at(sim, "Ready");
    let pin = at(sim, "PinRequired");
    if pin.is_empty() {
        return ready;
    }
    match sim.get("PinAttempts").map(|value| &**value) {
        Some(Variant::I32(attempts)) if *attempts >= 0 => format!("{ready}: {pin} required, {attempts} attempts left"),
        _ => format!("{ready}: {pin} required"),
    }
}

fn radio(modem: &Details) -> String {
    if flag(modem, "RadioBlocked") {
        return "blocked (airplane mode)".to_owned();
    }
    let (hardware, software) = (at(modem, "RadioHardware"), at(modem, "RadioSoftware"));
    if hardware == "off" { "off (switch on the machine)".to_owned() } else { software }
}

fn network(modem: &Details) -> String {
    let (name, code, state) = (at(modem, "NetworkName"), at(modem, "NetworkCode"), at(modem, "RegistrationState"));
    match (name.is_empty(), code.is_empty()) {
        (true, true) => state,
        (true, false) => format!("{code} ({state})"),
        (false, _) => format!("{name} {code} ({state})"),
    }
}

/// What the operator wants people to be shown for the technology in use, or else its name.
fn technology(modem: &Modem) -> String {
    let shown = nested(&modem.modem, "Operator").map(|operator| at(&operator, "class-name"));
    shown.filter(|name| !name.is_empty()).unwrap_or_else(|| modem.text("Technology"))
}

/// The signal, as far as it is known.
pub(super) fn signal(modem: &Details) -> String {
    let Some(signal) = nested(modem, "Signal") else { return String::new() };
    let mut parts = Vec::new();
    for (key, unit) in [("quality", "%"), ("rssi", "dBm"), ("rsrp", "dBm RSRP"), ("snr", "dB SNR")] {
        if let Some(value) = signal.get(key) {
            parts.push(format!("{} {unit}", crate::show::json(value)));
        }
    }
    parts.join(", ")
}

fn connection(connection: &Details) -> [String; 3] {
    let state = with_reason(at(connection, "State"), reason(connection, "Error"));
    let apn = nested(connection, "Candidate").map(|candidate| at(&candidate, "apn")).filter(|apn| !apn.is_empty());
    let addresses = texts(connection, "Addresses");
    let interface = at(connection, "Interface");
    let place = if interface.is_empty() || addresses.is_empty() {
        String::new()
    } else {
        format!("{interface} {}", addresses.join(" "))
    };
    [state, place, apn.map(|apn| format!("apn {apn}")).unwrap_or_default()]
}

/// A session above 0.
fn session(details: &Details) -> [String; 3] {
    let state = with_reason(at(details, "state"), reason(details, "error"));
    let place = format!("{} {}", at(details, "interface"), texts(details, "addresses").join(" "));
    let apn = at(details, "apn");
    let apn = if apn.is_empty() { apn } else { format!("apn {apn}") };
    [state, place.trim().to_owned(), apn]
}

fn connectivity(connectivity: &Details) -> String {
    let (state, reason) = (at(connectivity, "StateName"), at(connectivity, "Reason"));
    let mut out = if reason.is_empty() { state } else { format!("{state} ({reason})") };
    if flag(connectivity, "PurchaseNeeded") {
        out += ", a plan has to be bought";
    }
    if flag(connectivity, "PortalAvailable") && !out.starts_with("full") {
        out += "; next: mbimctl portal --open";
    }
    out
}

//! `mbimctl monitor`.

use std::time::{SystemTime, UNIX_EPOCH};

use dbus_api::name;
use dbus_api::path::{MODEM_PREFIX, ROOT, modem_number};
use dbus_api::value::{Details, Job};
use futures_util::StreamExt;
use serde_json::{Value, json};
use zbus::message::Type;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath};

use crate::failure::Failure;
use crate::modem;
use crate::show::{Output, object};

pub(super) async fn run(connection: &Connection, output: Output) -> Result<(), Failure> {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(name::SERVICE).path_namespace(ROOT).build()?;
    let mut signals = MessageStream::for_match_rule(rule, connection, None).await?;
    for modem in modem::all(connection).await? {
        tell(output, "present", Some(modem.number), &json!({ "state": modem.text("StateName") }));
    }
    while let Some(signal) = signals.next().await {
        show(output, &signal?)?;
    }
    Err(Failure::not_running())
}

fn show(output: Output, signal: &Message) -> Result<(), Failure> {
    let header = signal.header();
    let path = header.path().map(|path| path.as_str()).unwrap_or_default();
    let number = modem_number(path);
    let body = signal.body();
    match header.member().map(|member| member.as_str()) {
        Some("PropertiesChanged") if path.starts_with(MODEM_PREFIX) => {
            let (interface, changed, _): (String, Details, Vec<String>) = body.deserialize()?;
            let interface = interface.rsplit('.').next().unwrap_or_default().to_lowercase();
            tell(output, &interface, number, &object(&changed));
        }
        Some("InterfacesAdded") => {
            let (path, interfaces): (OwnedObjectPath, std::collections::HashMap<String, Details>) =
                body.deserialize()?;
            let modem = interfaces.get(name::MODEM).map_or(Value::Null, object);
            let state = json!({ "state": modem.get("state"), "control_port": modem.get("control_port") });
            tell(output, "added", modem_number(path.as_str()), &state);
        }
        Some("InterfacesRemoved") => {
            let (path, _): (OwnedObjectPath, Vec<String>) = body.deserialize()?;
            tell(output, "removed", modem_number(path.as_str()), &json!({}));
        }
        Some("Finished") => {
            let (cookie, error, reason, message): (u64, String, String, String) = body.deserialize()?;
            let error = error.rsplit('.').next().unwrap_or_default().to_owned();
            let fields = json!({ "cookie": cookie, "error": error, "reason": reason, "message": message });
            tell(output, "finished", number, &fields);
        }
        Some("JobChanged") => {
            let (_, details): (u32, Details) = body.deserialize()?;
            let job = Job::from_details(&details);
            let modem = job.modem.as_deref().and_then(modem_number);
            let fields =
                json!({ "job": job.id, "state": job.state, "all_elements_provisioned": job.all_elements_provisioned });
            tell(output, "provisioning", modem, &fields);
        }
        _ => {}
    }
    Ok(())
}

/// One line: when, what, which modem, and the values.
fn tell(output: Output, event: &str, modem: Option<u32>, fields: &Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let line = json!({ "time_ms": milliseconds, "event": event, "modem": modem, "fields": fields });
    output.print(&line, || {
        let seconds = now.as_secs() % 86_400;
        let clock =
            format!("{:02}:{:02}:{:02}.{:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60, now.subsec_millis());
        let modem = modem.map(|number| format!(" {number}")).unwrap_or_default();
        let list: Vec<String> =
            fields.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
        format!("{clock} {event}{modem} {}", list.join(" "))
    });
}

//! `mbimctl identity`.

use std::collections::BTreeMap;

use dbus_api::proxy::SimProxy;
use dbus_api::value::text;
use serde_json::{Value, json};
use zbus::Connection;

use crate::arguments::Which;
use crate::failure::Failure;
use crate::modem::{self, texts};
use crate::show::{Output, snake, table};

pub(super) async fn run(connection: &Connection, which: &Which, reveal: bool, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut hwids = Vec::new();
    if reveal {
        let proxy: SimProxy<'_> = super::proxy(connection, &modem).await?;
        values.extend(proxy.get_identity().await?.into_iter().map(|(key, value)| (snake(&key), value)));
        hwids = proxy.get_hardware_ids().await?;
    } else {
        for (key, details, property) in [
            ("imsi", &modem.sim, "Imsi"),
            ("iccid", &modem.sim, "Iccid"),
            ("device_id", &modem.modem, "DeviceId"),
            ("home_network", &modem.sim, "HomeNetwork"),
            ("home_name", &modem.sim, "HomeName"),
        ] {
            values
                .extend(text(details, property).filter(|value| !value.is_empty()).map(|value| (key.to_owned(), value)));
        }
        values.insert("numbers".to_owned(), texts(&modem.sim, "Numbers").join(", "));
    }
    values.retain(|_, value| !value.is_empty());
    let mut object: serde_json::Map<String, Value> =
        values.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    object.insert("masked".into(), (!reveal).into());
    if reveal {
        let list = hwids.iter().map(|(criterion, value)| json!({ "criterion": criterion, "value": value }));
        object.insert("hwids".into(), list.collect());
    }
    output.print(&Value::Object(object), || {
        let mut rows: Vec<[String; 2]> = values.into_iter().map(|(key, value)| [key, value]).collect();
        rows.extend(hwids.into_iter().map(|(criterion, value)| [format!("hwid {criterion}"), value]));
        if rows.is_empty() { "nothing known yet\n".to_owned() } else { table(&rows) }
    });
    Ok(())
}

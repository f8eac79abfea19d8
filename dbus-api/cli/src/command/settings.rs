//! `mbimctl settings`.

use std::collections::HashMap;

use dbus_api::proxy::ConnectionProxy;
use serde_json::Value;
use zbus::Connection;

use crate::failure::Failure;
use crate::modem;
use crate::settings::{Action, KEYS, Request, value};
use crate::show::{Output, object, snake, table};

pub(super) async fn run(connection: &Connection, words: &[String], output: Output) -> Result<(), Failure> {
    let request = Request::parse(words)?;
    let modem = modem::pick(connection, request.modem.as_deref()).await?;
    let proxy: ConnectionProxy<'_> = super::proxy(connection, &modem).await?;
    let only = match &request.action {
        Action::Get(only) => only.clone(),
        Action::Set { key, value: word } => {
            match value(key, word)? {
                Some(value) => proxy.set_settings(&HashMap::from([(key.as_str(), value)]), &[]).await?,
                None => proxy.set_settings(&HashMap::new(), &[key]).await?,
            }
            Some(key.clone())
        }
    };
    let mut settings = object(&proxy.settings().await?);
    if let (Some(key), Some(map)) = (&only, settings.as_object_mut()) {
        map.retain(|name, _| *name == snake(key));
    }
    output.print(&settings, || {
        let shown = |key: &str| settings.get(snake(key)).map_or("default".to_owned(), word);
        let keys = KEYS.into_iter().filter(|key| only.as_deref().is_none_or(|only| only == *key));
        table(&keys.map(|key| [key.to_owned(), shown(key)]).collect::<Vec<_>>())
    });
    Ok(())
}

/// A value as it is typed.
fn word(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

//! `mbimctl signal`.

use std::time::Duration;

use dbus_api::error::{Code, Error};
use dbus_api::proxy::ModemProxy;
use futures_util::StreamExt;
use serde_json::{Value, json};
use zbus::Connection;

use super::status;
use crate::arguments::Which;
use crate::failure::Failure;
use crate::modem;
use crate::show::{Output, object};

pub(super) async fn run(connection: &Connection, which: &Which, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let proxy: ModemProxy<'_> = super::proxy(connection, &modem).await?;
    let mut changes = proxy.receive_signal_changed().await;
    match proxy.refresh_signal().await.map_err(Error::from) {
        // The value may be as it was: nothing is told then.
        Ok(()) => drop(tokio::time::timeout(Duration::from_millis(200), changes.next()).await),
        // Whoever may not ask the modem may still read what is known.
        Err(error) if matches!(error.code(), Code::NotAuthorized | Code::InProgress | Code::WrongState) => {}
        Err(error) => return Err(error.into()),
    }
    let now = modem::pick(connection, Some(modem.path.as_str())).await?;
    let known = status::nested(&now.modem, "Signal");
    let value = known.as_ref().map_or_else(|| json!({}), object);
    output.print(
        &json!({ "modem": now.number, "signal": value, "technology": Value::from(now.text("Technology")) }),
        || {
            let signal = status::signal(&now.modem);
            if signal.is_empty() { "no signal known".to_owned() } else { signal }
        },
    );
    Ok(())
}

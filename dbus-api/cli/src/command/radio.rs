//! `mbimctl radio`.

use dbus_api::proxy::ModemProxy;
use serde_json::json;
use zbus::Connection;

use crate::arguments::{Switch, Which};
use crate::failure::Failure;
use crate::modem;
use crate::show::Output;

pub(super) async fn run(connection: &Connection, state: Switch, which: &Which, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let proxy: ModemProxy<'_> = super::proxy(connection, &modem).await?;
    proxy.set_radio(state == Switch::On).await?;
    let word = if state == Switch::On { "on" } else { "off" };
    output.print(&json!({ "modem": modem.number, "radio": word }), || format!("radio {word}"));
    Ok(())
}

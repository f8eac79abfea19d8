//! `mbimctl explain`.

use dbus_api::proxy::ModemProxy;
use dbus_api::value::{Details, text};
use serde_json::json;
use zbus::Connection;

use super::status::nested;
use crate::arguments::Which;
use crate::failure::Failure;
use crate::modem;
use crate::show::{Output, object, table};

pub(super) async fn run(connection: &Connection, which: &Which, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let proxy: ModemProxy<'_> = super::proxy(connection, &modem).await?;
    let chain = proxy.explain().await?;
    let links: Vec<_> = chain
        .iter()
        .map(|(link, verdict, cause, next)| json!({ "link": link, "verdict": verdict, "cause": cause, "next": next }))
        .collect();
    let mut value = json!({ "modem": modem.number, "chain": links });
    if let (serde_json::Value::Object(map), serde_json::Value::Object(mut seen)) =
        (&mut value, object(&modem.connectivity))
    {
        map.extend(["families", "evidence", "cost"].into_iter().filter_map(|key| seen.remove_entry(key)));
    }
    output.print(&value, || {
        let rows: Vec<[String; 3]> =
            chain.iter().map(|(link, verdict, cause, _)| [verdict.clone(), link.clone(), cause.clone()]).collect();
        let mut text = table(&rows);
        text += &seen(&modem.connectivity);
        // What to do is said once, for the first link that does not hold.
        let first = chain.iter().find(|(_, verdict, _, next)| verdict != "ok" && !next.is_empty());
        if let Some((_, _, _, next)) = first {
            text += &format!("next: {next}\n");
        }
        text
    });
    Ok(())
}

/// What the last connectivity test saw, and what it cost.
fn seen(connectivity: &Details) -> String {
    let texts = |key| nested(connectivity, key).unwrap_or_default();
    let evidence = texts("Evidence");
    let mut rows = Vec::new();
    for part in ["ipv4", "ipv6", "nat64", "link"] {
        let Some(seen) = nested(&evidence, part) else { continue };
        let mut seen: Vec<_> = seen.keys().filter_map(|key| Some((key.clone(), text(&seen, key)?))).collect();
        seen.sort();
        rows.extend(seen.into_iter().map(|(key, value)| [format!("  {part}"), key, value]));
    }
    if rows.is_empty() {
        return String::new();
    }
    let cost = texts("Cost");
    let number = |key| cost.get(key).map_or_else(|| "0".to_owned(), |value| crate::show::json(value).to_string());
    format!(
        "the last connectivity test ({} octets, {} round trips, {} ms; {} octets today of {}):\n{}",
        number("octets"),
        number("round-trips"),
        number("milliseconds"),
        number("octets-today"),
        number("budget"),
        table(&rows)
    )
}

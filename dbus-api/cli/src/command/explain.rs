//! `mbimctl explain`.

use dbus_api::proxy::ModemProxy;
use serde_json::json;
use zbus::Connection;

use crate::arguments::Which;
use crate::failure::Failure;
use crate::modem;
use crate::show::{Output, table};

pub(super) async fn run(connection: &Connection, which: &Which, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, which.modem.as_deref()).await?;
    let proxy: ModemProxy<'_> = super::proxy(connection, &modem).await?;
    let chain = proxy.explain().await?;
    let links: Vec<_> = chain
        .iter()
        .map(|(link, verdict, cause, next)| json!({ "link": link, "verdict": verdict, "cause": cause, "next": next }))
        .collect();
    output.print(&json!({ "modem": modem.number, "chain": links }), || {
        let rows: Vec<[String; 3]> =
            chain.iter().map(|(link, verdict, cause, _)| [verdict.clone(), link.clone(), cause.clone()]).collect();
        let mut text = table(&rows);
        // What to do is said once, for the first link that does not hold.
        let first = chain.iter().find(|(_, verdict, _, next)| verdict != "ok" && !next.is_empty());
        if let Some((_, _, _, next)) = first {
            text += &format!("next: {next}\n");
        }
        text
    });
    Ok(())
}

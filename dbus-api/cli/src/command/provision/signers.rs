//! `mbimctl provision signers`: whom users approved.

use dbus_api::proxy::ProvisioningProxy;
use serde_json::json;
use zbus::Connection;

use crate::failure::Failure;
use crate::show::{Output, table};

pub(super) async fn run(connection: &Connection, revoke: Option<&str>, output: Output) -> Result<(), Failure> {
    let proxy = ProvisioningProxy::new(connection).await?;
    if let Some(fingerprint) = revoke {
        proxy.revoke_signer(fingerprint).await?;
        output.print(&json!({ "revoked": fingerprint }), || {
            "revoked; the next document of theirs is asked about".to_owned()
        });
        return Ok(());
    }
    let signers = proxy.list_signers().await?;
    output.print(&json!({ "signers": signers }), || {
        let column =
            |key: &str, of: &std::collections::HashMap<String, String>| of.get(key).cloned().unwrap_or_default();
        let rows: Vec<[String; 3]> = signers
            .iter()
            .map(|signer| [column("signer", signer), column("carrier-id", signer), column("fingerprint", signer)])
            .collect();
        if rows.is_empty() { "none".to_owned() } else { table(&rows) }
    });
    Ok(())
}

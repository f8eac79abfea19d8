//! `org.mbimd.Mbimd1.Manager`.

use std::collections::HashMap;

use daemon_core::proxy::Access;
use zbus::OwnedVariant;

use super::Known;
use crate::proxy::{Card, Register};

/// The daemon as a whole.
pub(crate) struct Manager(pub(in crate::dbus) Register);

#[zbus::interface(name = "org.mbimd.Mbimd1.Manager", introspection_docs = false)]
impl Manager {
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn proxy_clients(&self) -> Vec<HashMap<String, OwnedVariant>> {
        self.0.clients().iter().map(|client| shown(client)).collect()
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn proxy_turned_away(&self) -> HashMap<String, u64> {
        self.0.turned_away().into_iter().map(|(why, count)| (why.name().to_owned(), count)).collect()
    }
}

fn shown(client: &Card) -> HashMap<String, OwnedVariant> {
    let (commands, refused, octets) = client.counts();
    let access = match client.access {
        Access::Full => "full",
        Access::Query => "query",
    };
    Known::default()
        .put("id", Some(client.id.0))
        .put("pid", u32::try_from(client.pid).ok().filter(|pid| *pid > 0))
        .put("uid", Some(client.uid))
        .put("program", Some(client.program.as_str()))
        .put("access", Some(access))
        .put("modem", client.modem())
        .put("commands", Some(commands))
        .put("refused", Some(refused))
        .put("octets", Some(octets))
        .0
}

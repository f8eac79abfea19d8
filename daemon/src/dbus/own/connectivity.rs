//! `org.mbimd.Mbimd1.Connectivity`.

use std::collections::HashMap;

use daemon_core::probe::evidence::Rows;
use daemon_core::request::{Reply, Request};
use daemon_core::snapshot::HandOver;
use zbus::Connection as Bus;
use zbus::message::Header;

use super::{Access, unexpected};
use crate::dbus::failure::Failure;
use crate::dbus::policy::Action;
use crate::dbus::words;

/// Whether packets reach the Internet.
pub(crate) struct Connectivity(pub(in crate::dbus) Access);

#[zbus::interface(name = "org.mbimd.Mbimd1.Connectivity", introspection_docs = false)]
impl Connectivity {
    async fn check(&self, #[zbus(header)] call: Header<'_>, #[zbus(connection)] bus: &Bus) -> Result<(), Failure> {
        self.0.gate.check(bus, &call, Action::Connect).await?;
        self.0.ask(Request::Probe).await
    }

    #[zbus(out_args("url", "source"))]
    async fn get_portal_url(
        &self,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(String, String), Failure> {
        self.0.gate.check(bus, &call, Action::Portal).await?;
        match self.0.modem.request(Request::PortalUrl).await? {
            Reply::PortalUrl { url, source } => Ok((url.into_inner(), source.to_owned())),
            _ => Err(unexpected()),
        }
    }

    #[zbus(property)]
    fn state(&self) -> u32 {
        self.0.view().connectivity.state as u32
    }

    #[zbus(property)]
    fn state_name(&self) -> &str {
        words::connectivity(self.0.view().connectivity.state)
    }

    #[zbus(property)]
    fn reason(&self) -> String {
        self.0.view().connectivity.reason.clone()
    }

    #[zbus(property)]
    fn families(&self) -> HashMap<String, (String, String)> {
        let view = self.0.view();
        ["ipv4", "ipv6", "nat64"]
            .into_iter()
            .zip(&view.connectivity.families)
            .map(|(family, (state, reason))| {
                (family.to_owned(), (words::connectivity(*state).to_owned(), reason.clone()))
            })
            .collect()
    }

    #[zbus(property)]
    fn purchase_needed(&self) -> bool {
        self.0.view().connectivity.purchase_needed
    }

    #[zbus(property)]
    fn portal_available(&self) -> bool {
        self.0.view().connectivity.portal_available
    }

    #[zbus(property)]
    fn portal_source(&self) -> String {
        self.0.view().connectivity.portal_source.clone()
    }

    #[zbus(property)]
    fn portal_host(&self) -> String {
        self.0.view().connectivity.portal_host.clone()
    }

    #[zbus(property)]
    fn hand_over(&self) -> &str {
        match self.0.view().connectivity.hand_over {
            HandOver::None => "none",
            HandOver::Open => "open",
            HandOver::OpenElsewhere => "open-elsewhere",
            HandOver::Notify => "notify",
        }
    }

    #[zbus(property)]
    fn evidence(&self) -> HashMap<String, HashMap<String, String>> {
        let rows = |rows: &Rows| rows.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.0.view().connectivity.evidence.iter().map(|(part, seen)| ((*part).to_owned(), rows(seen))).collect()
    }

    #[zbus(property)]
    fn cost(&self) -> HashMap<String, u64> {
        let cost = self.0.view().connectivity.cost;
        [
            ("octets", cost.octets),
            ("round-trips", cost.round_trips.into()),
            ("milliseconds", u64::try_from(cost.took.as_millis()).unwrap_or(u64::MAX)),
            ("octets-today", cost.today),
            ("budget", cost.budget),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

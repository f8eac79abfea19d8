//! `org.mbimd.Mbimd1.Usage`.

use std::collections::HashMap;

use daemon_core::request::{Reply, Request};
use daemon_core::snapshot::Metered;
use daemon_core::usage::Counters;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection as Bus, OwnedVariant};

use super::{Access, Known, unexpected};
use crate::dbus::failure::Failure;
use crate::dbus::policy::Action;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// How much was used with the SIM.
pub(crate) struct Usage(pub(in crate::dbus) Access);

fn pairs(counters: &Counters) -> [(&'static str, u64); 4] {
    [
        ("rx-octets", counters.rx_octets),
        ("tx-octets", counters.tx_octets),
        ("rx-packets", counters.rx_packets),
        ("tx-packets", counters.tx_packets),
    ]
}

fn sums<const N: usize>(pairs: [(&str, u64); N]) -> HashMap<String, u64> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn with(row: Known, counters: &Counters) -> HashMap<String, OwnedVariant> {
    pairs(counters).into_iter().fold(row, |row, (name, value)| row.put(name, Some(value))).0
}

#[zbus::interface(name = "org.mbimd.Mbimd1.Usage", introspection_docs = false)]
impl Usage {
    async fn refresh(&self) -> Result<(), Failure> {
        self.0.ask(Request::RefreshUsage).await
    }

    async fn reset(&self, #[zbus(header)] call: Header<'_>, #[zbus(connection)] bus: &Bus) -> Result<(), Failure> {
        self.0.gate.check(bus, &call, Action::UsageReset).await?;
        self.0.ask(Request::ResetUsage).await
    }

    #[zbus(out_args("days"))]
    async fn get_days(&self) -> Result<Vec<HashMap<String, OwnedVariant>>, Failure> {
        let Reply::UsageDays(days) = self.0.modem.request(Request::UsageDays).await? else { return Err(unexpected()) };
        let row = |day: u32, roaming: bool| {
            Known::default().put("day", Some(u64::from(day) * DAY)).put("roaming", Some(roaming))
        };
        Ok(days.iter().map(|day| with(row(day.day, day.roaming), &day.used)).collect())
    }

    #[zbus(property)]
    fn since(&self) -> u64 {
        self.0.view().usage.since
    }

    #[zbus(property)]
    fn home(&self) -> HashMap<String, u64> {
        sums(pairs(&self.0.view().usage.home))
    }

    #[zbus(property)]
    fn roaming(&self) -> HashMap<String, u64> {
        sums(pairs(&self.0.view().usage.roaming))
    }

    #[zbus(property)]
    fn tests(&self) -> u64 {
        self.0.view().usage.tests
    }

    #[zbus(property)]
    fn sessions(&self) -> Vec<HashMap<String, OwnedVariant>> {
        let row = |session: u32| Known::default().put("session", Some(session));
        self.0.view().usage.sessions.iter().map(|one| with(row(one.session), &one.used)).collect()
    }

    #[zbus(property)]
    fn modem(&self) -> HashMap<String, u64> {
        let Some(counts) = self.0.view().usage.modem else { return HashMap::new() };
        sums([
            ("modem-rx-octets", counts.modem.rx_octets),
            ("modem-tx-octets", counts.modem.tx_octets),
            ("rx-octets", counts.here.rx_octets),
            ("tx-octets", counts.here.tx_octets),
        ])
    }

    #[zbus(property)]
    fn plan(&self) -> HashMap<String, OwnedVariant> {
        let view = self.0.view();
        let Some(plan) = &view.usage.quota else { return HashMap::new() };
        Known::default()
            .put("name", Some(plan.name.as_str()))
            .put("carrier-id", Some(plan.carrier_id.as_str()))
            .put("type", Some(plan.charge.as_str()))
            .put("limit-octets", plan.limit)
            .put("used-octets", Some(plan.used()))
            .put("told-octets", plan.told.map(|told| told.octets))
            .put("told-at", plan.told.map(|told| told.at))
            .put("near-limit", Some(plan.is_near()))
            .put("over-limit", Some(plan.is_over()))
            .put("congested", Some(plan.told.is_some_and(|told| told.congested)))
            .put("notices", Some(plan.notifies))
            .0
    }

    #[zbus(signal)]
    pub(in crate::dbus) async fn step_reached(emitter: &SignalEmitter<'_>, used: u64, limit: u64) -> zbus::Result<()>;

    #[zbus(property)]
    fn metered(&self) -> u32 {
        self.0.view().usage.metered as u32
    }

    #[zbus(property)]
    fn metered_name(&self) -> &str {
        match self.0.view().usage.metered {
            Metered::Unknown => "unknown",
            Metered::Yes => "yes",
            Metered::No => "no",
            Metered::GuessYes => "guess-yes",
        }
    }

    #[zbus(property)]
    fn metered_by(&self) -> &str {
        self.0.view().usage.metered_by
    }
}

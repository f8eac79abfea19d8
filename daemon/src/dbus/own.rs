//! Our own interfaces, `org.mbimd.Mbimd1.*`, one file each. What they mean is written in `dbus-api/xml/own`.

mod connection;
mod connectivity;
mod manager;
mod modem;
mod object_manager;
mod provisioning;
mod sim;
mod usage;

use std::collections::HashMap;
use std::sync::Arc;

use daemon_core::request::{Reply, Request};
use daemon_core::snapshot::{CandidateView, Reason, Snapshot};
use dbus_api::error::Code;
use zbus::{OwnedVariant, Variant};

use super::failure::Failure;
use super::policy::Gate;
use crate::handle::ModemHandle;

pub(super) use connection::Connection;
pub(super) use connectivity::Connectivity;
pub(super) use manager::Manager;
pub(super) use modem::Modem;
pub(super) use object_manager::{ObjectManager, Objects};
pub(super) use provisioning::{Provisioning, details as job_details};
pub(super) use sim::Sim;
pub(super) use usage::Usage;

/// What each interface of a modem works with.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) modem: ModemHandle,
    pub(super) gate: Gate,
}

impl Access {
    /// The newest snapshot.
    fn view(&self) -> Arc<Snapshot> {
        self.modem.snapshot.borrow().clone()
    }

    /// Asks for something that only says whether it was done.
    async fn ask(&self, request: Request) -> Result<(), Failure> {
        match self.modem.request(request).await? {
            Reply::Done { .. } => Ok(()),
            _ => Err(unexpected()),
        }
    }
}

/// The machine answered another question than was asked.
fn unexpected() -> Failure {
    Failure::new(Code::Failed, "The daemon gave an answer that does not fit; please report it.")
}

/// A dictionary that leaves out what is not known.
#[derive(Default)]
struct Known(HashMap<String, OwnedVariant>);

impl Known {
    fn put<'a>(mut self, key: &str, value: Option<impl Into<Variant<'a>>>) -> Self {
        if let Some(value) = value.and_then(|value| OwnedVariant::try_from(value.into()).ok()) {
            self.0.insert(key.to_owned(), value);
        }
        self
    }
}

fn reason(reason: Option<&Reason>) -> (String, String) {
    reason.map(|reason| (reason.code.to_owned(), reason.text.clone())).unwrap_or_default()
}

fn candidate(view: &CandidateView) -> HashMap<String, String> {
    [
        ("apn", &view.apn),
        ("ip-type", &view.ip_type),
        ("auth", &view.auth),
        ("criterion", &view.criterion),
        ("source", &view.source),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.clone()))
    .collect()
}

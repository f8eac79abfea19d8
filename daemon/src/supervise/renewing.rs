//! Control ports that are made anew: a modem whose answers come one message late is given a fresh node, a bounded number of
//! times, and what people wished of it goes on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use daemon_core::custody::Tag;
use daemon_core::kept::Kept;
use tokio::time::Instant;

use super::Task;
use super::place::Slot;
use crate::transport::open::Kind;

/// Times that one port is made anew.
const MOST: u32 = 2;
/// After so long without it is counted anew.
const CALM: Duration = Duration::from_secs(600);
/// Time that the port has to come back, whatever the configuration says of modems that go.
pub(super) const BACK: Duration = Duration::from_secs(15);
/// Time before a port that was named is looked at again.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// What became of a renewal.
pub(super) type Renewed = std::io::Result<()>;

/// The renewals of this run, by the device in sysfs.
#[derive(Debug, Default)]
pub(super) struct Renewals(BTreeMap<String, Renewal>);

#[derive(Debug)]
struct Renewal {
    count: u32,
    at: Instant,
    kept: Option<Box<Kept>>,
}

impl Renewals {
    /// Whether there may be another one.
    pub(super) fn may(&self, physical: &str) -> bool {
        self.0.get(physical).is_none_or(|renewal| renewal.count < MOST || renewal.at.elapsed() > CALM)
    }

    /// There is one.
    fn begin(&mut self, physical: String, kept: Option<Box<Kept>>) {
        // Modems that went for good are forgotten here.
        self.0.retain(|_, renewal| renewal.at.elapsed() <= CALM);
        let count = self.0.get(&physical).map_or(1, |renewal| renewal.count + 1);
        self.0.insert(physical, Renewal { count, at: Instant::now(), kept });
    }

    /// What the task before wanted the next one to know.
    pub(super) fn take(&mut self, physical: &str) -> Option<Kept> {
        self.0.get_mut(physical)?.kept.take().map(|kept| *kept)
    }
}

/// Whether a port is one of cdc_wdm on the USB.
pub(super) fn can(slot: &Slot) -> bool {
    slot.spec.kind == Kind::Wdm && slot.found.as_ref().is_some_and(|found| found.usb.is_some())
}

impl Task {
    /// Has the port of a place made anew, which nobody has open here any more.
    pub(super) fn renew(&mut self, at: usize, kept: Option<Box<Kept>>) {
        let Some(slot) = self.slots.get(at) else { return };
        let Some(found) = &slot.found else { return };
        tracing::warn!(port = %slot.spec, "answers come one message late; the control port is made anew");
        self.renewals.begin(found.physical.clone(), kept);
        let work = self.neighbour.renew(&found.uid, PathBuf::from(&found.physical), found.tag == Tag::Reserved);
        self.renewing.spawn(work);
    }

    /// It was, and is announced; or could not be, and is opened as it is.
    pub(super) fn renewed(&mut self, renewed: Result<Renewed, tokio::task::JoinError>) {
        if let Ok(Err(error)) = renewed {
            tracing::warn!(%error, "no fresh control port; plug the modem in again if it stays dumb");
            self.look_around();
        }
    }
}

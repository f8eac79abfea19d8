//! Ports are opened in tasks of their own: a device that takes its time, or lets requests run into their limits, delays
//! nobody else.

use daemon_core::custody::{Tag, is_same};
use tokio::time::Instant;

use super::Task;
use super::place::At;
use crate::host::uevent::Found;
use crate::transport::Port;
use crate::transport::open::{self, Kind, Spec};
use crate::transport::refusal::{Refusal, Refused};

/// What became of opening the port of a place with this key.
pub(super) type Opened = (u64, Spec, Result<Port, Refusal>);

impl Task {
    /// Begins to open what is due.
    pub(super) fn try_to_open(&mut self) {
        let now = Instant::now();
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(at) else { continue };
            let idle = slot.at != At::Owner && slot.opened.is_none() && !slot.opening;
            if !idle || slot.next_try.is_none_or(|due| due > now) {
                continue;
            }
            if slot.waits_for_interface(&self.roots) || !self.settle(at) {
                continue;
            }
            let Some(slot) = self.slots.get_mut(at) else { continue };
            slot.opening = true;
            slot.next_try = None;
            let (key, spec) = (slot.key, slot.spec.clone());
            self.openings.spawn(async move {
                let result = open::open(&spec).await;
                (key, spec, result)
            });
        }
        self.slots.retain(|slot| {
            let lasts = slot.named || slot.opening || slot.modem.is_some();
            lasts || slot.next_try.is_some() || slot.found.is_some()
        });
    }

    /// A port was opened, or was not.
    pub(super) fn opened(&mut self, opened: Result<Opened, tokio::task::JoinError>) {
        // A task that panicked takes the daemon with it (release builds abort).
        let Ok((key, spec, result)) = opened else { return };
        let at = self.slots.iter().position(|slot| slot.key == key);
        if let Some(slot) = at.and_then(|at| self.slots.get_mut(at)) {
            slot.opening = false;
        }
        match (at, result) {
            (Some(at), Ok(port)) if self.is_wanted(at, &spec) => self.take(at, port),
            (at, Ok(port)) => {
                // It went to somebody else meanwhile, or came back under another name.
                self.farewells.spawn(port.close());
                if let Some(slot) = at.and_then(|at| self.slots.get_mut(at)).filter(|slot| slot.spec.path != spec.path)
                {
                    slot.soon();
                }
            }
            (Some(at), Err(refusal)) => self.refused(at, refusal),
            (None, Err(_)) => {}
        }
    }

    fn is_wanted(&mut self, at: usize, spec: &Spec) -> bool {
        let same = self.slots.get(at).is_some_and(|slot| slot.spec.path == spec.path);
        same && !self.stopping && self.settle(at)
    }

    /// A port could not be opened. What is there is shown with the reason; what is not there is not.
    fn refused(&mut self, at: usize, refusal: Refusal) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let shown = slot.failed(&refusal);
        match refusal {
            Refusal::Refused(refused) if shown && !self.stopping => self.show_refused(at, *refused),
            _ => {
                if slot.refused.take().is_some() && slot.at == At::StandIn && !slot.is_absent() {
                    self.part(at);
                }
            }
        }
    }

    fn show_refused(&mut self, at: usize, refused: Refused) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        if slot.refused.as_ref() == Some(&refused) || slot.is_absent() {
            // Shown already; or as what went, until that is given up.
            return;
        }
        slot.refused = Some(refused);
        match (slot.at, slot.modem) {
            // It ends, and another one with the new reason takes its place.
            (At::StandIn, Some(id)) => {
                if let Some(let_go) = self.let_go.get(&id) {
                    let_go.send_replace(true);
                }
            }
            (At::Nobody, _) => {
                let ends = self.object(at);
                self.stand_in(at, ends);
            }
            (At::Owner | At::StandIn, _) => {}
        }
    }

    /// A port was opened: the task that stands at its object makes way, or a new object is made.
    fn take(&mut self, at: usize, port: Port) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        if let Some(seen) = port.seen() {
            slot.spec.outstanding = seen.outstanding;
            slot.found = Some(Found {
                spec: Spec { net: None, ..slot.spec.clone() },
                driver: seen.driver.into(),
                usb: Some(seen.usb),
                serial: seen.serial,
                tag: Tag::Manage,
                uid: seen.physical.clone(),
                physical: seen.physical,
            });
        } else if slot.found.is_none() && slot.spec.kind != Kind::Unix {
            slot.found = slot.spec.path.file_name().and_then(|name| self.roots.look(name.to_str()?));
        }
        if let (Kind::Wdm, Some(found)) = (slot.spec.kind, &slot.found) {
            slot.spec.outstanding = found.spec.outstanding;
        }
        slot.succeeded();
        let same = slot.absent_until.is_none() || is_same(&slot.marks, &slot.seen());
        slot.absent_until = None;
        match slot.modem.filter(|_| slot.at == At::StandIn) {
            Some(id) => {
                slot.opened = Some(port);
                if !same {
                    // Another modem at the same place is another object.
                    slot.modem = None;
                }
                if let Some(let_go) = self.let_go.get(&id) {
                    let_go.send_replace(true);
                }
                if !same && let Some(port) = self.slots.get_mut(at).and_then(|slot| slot.opened.take()) {
                    let ends = self.object(at);
                    self.begin(at, port, ends);
                }
            }
            None => {
                let ends = self.object(at);
                self.begin(at, port, ends);
            }
        }
    }
}

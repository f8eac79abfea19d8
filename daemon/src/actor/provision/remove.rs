//! Taking away what documents set: everything of one operator for one customer, because each of its documents builds on
//! those before.

use daemon_core::effect::SubscriberKey;
use daemon_core::request::Request;

use super::execute::Ending;
use super::{Task, facts};
use crate::handle::NotDone;
use crate::store::Which;

impl Task {
    /// Step by step, each of which may be repeated: what fails half-way is asked for again.
    pub(super) async fn remove(&mut self, document: u32) -> Result<(), NotDone> {
        let none = NotDone::NotFound("There is no such document, or nothing of it was applied.");
        let failed = |error: std::io::Error| NotDone::Failed(format!("It cannot be read or written: {error}."));
        let mut ledger = super::history::read(&self.store).await.map_err(failed)?;
        let Some(owner) = ledger.entry(document).and_then(|entry| entry.owner.clone()) else { return Err(none) };
        let pending: Vec<u32> =
            self.cancel.iter().filter(|(_, pending)| pending.owner == owner).map(|(modem, _)| *modem).collect();
        for pending in pending.iter().filter_map(|modem| self.cancel.remove(modem)) {
            // An error means that it has just ended.
            let _ = pending.cancel.send(Ending::Removed);
        }
        for sim in ledger.remove(&owner) {
            self.forget_profiles(SubscriberKey::new(sim.reveal().as_str()), &owner.carrier_id).await?;
        }
        self.store.keep(facts::owner(&owner.key()), Which::Kept, None).await.map_err(failed)?;
        self.store.learn(owner.carrier_id.clone(), Vec::new()).await.map_err(failed)?;
        self.history.change(|ledger| ledger.remove(&owner)).await.map_err(failed)?;
        let carrier = &owner.carrier_id;
        tracing::info!(
            event = "document-removed",
            document,
            carrier,
            "what an operator's documents set was taken away"
        );
        Ok(())
    }

    /// By the task that owns the modem where the SIM is in one, else in the file.
    async fn forget_profiles(&self, sim: SubscriberKey, carrier: &str) -> Result<(), NotDone> {
        let has_it =
            |handle: &&crate::handle::ModemHandle| facts::key(&handle.snapshot.borrow()).as_ref() == Some(&sim);
        let handle = self.modems.borrow().iter().find(has_it).cloned();
        if let Some(handle) = handle {
            let asked = handle.request(Request::ForgetProfiles(carrier.to_owned())).await;
            return asked.map(drop).map_err(|error| NotDone::Failed(error.reason.text));
        }
        let failed = |error: std::io::Error| NotDone::Failed(format!("It cannot be read or written: {error}."));
        let Some(mut state) = self.store.load(sim.clone()).await.map_err(failed)? else { return Ok(()) };
        if state.forget_profiles(carrier) {
            self.store.save(sim, state).await.map_err(failed)?;
        }
        Ok(())
    }
}

//! Users' agents: programs that ask their user about the signer of a document. They are told by the interface
//! `org.mbimd.Mbimd1.Agent`, which they serve.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, OwnedObjectPath, Variant, fdo};

use crate::handle::Approval;

/// Most agents at a time; the oldest makes place.
const MAX_AGENTS: usize = 32;

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    /// Its connection; absent where there is no bus between.
    pub(super) name: Option<OwnedUniqueName>,
    pub(super) path: OwnedObjectPath,
    /// User whose it is.
    pub(super) uid: u32,
}

/// All agents, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Agents(Arc<Mutex<Vec<Agent>>>);

impl Agents {
    pub(super) fn register(&self, agent: Agent) {
        let mut agents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        agents.retain(|known| *known != agent);
        agents.push(agent);
        let over = agents.len().saturating_sub(MAX_AGENTS);
        agents.drain(..over);
    }

    /// Whether it was there.
    pub(super) fn unregister(&self, agent: &Agent) -> bool {
        let mut agents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = agents.len();
        agents.retain(|known| known != agent);
        agents.len() < before
    }

    /// Whom to ask: the newest agent of the user who handed the document over; else the newest of all.
    fn pick(&self, uid: u32) -> Option<Agent> {
        let agents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        agents.iter().rev().find(|agent| agent.uid == uid).or_else(|| agents.last()).cloned()
    }

    /// The agent that will be asked and is still there; those that went without a word are forgotten.
    async fn present(&self, bus: &Connection, uid: u32) -> Option<Agent> {
        loop {
            let agent = self.pick(uid)?;
            let Some(name) = &agent.name else { return Some(agent) };
            let owner = async { fdo::DBusProxy::new(bus).await?.name_has_owner(name.clone().into()).await };
            if owner.await.unwrap_or(false) {
                return Some(agent);
            }
            self.unregister(&agent);
        }
    }
}

/// Asks as long as there is somebody who has questions.
pub(super) async fn follow(bus: Connection, agents: Agents, mut approvals: mpsc::Receiver<Approval>) {
    let mut asking = JoinSet::new();
    while let Some(approval) = approvals.recv().await {
        while asking.try_join_next().is_some() {}
        // Dropping the approval says that there is nobody.
        let Some(agent) = agents.present(&bus, approval.uid).await else { continue };
        let (word, answer) = oneshot::channel();
        let Approval { job, carrier_id, signer, asked, .. } = approval;
        if asked.send(answer).is_ok() {
            asking.spawn(ask(bus.clone(), agent, job, carrier_id, signer, word));
        }
    }
}

async fn ask(
    bus: Connection,
    agent: Agent,
    job: u32,
    carrier_id: String,
    signer: daemon_provisioning::Signer,
    mut word: oneshot::Sender<bool>,
) {
    let (root, extended) = match &signer.chain {
        daemon_provisioning::Chain::Trusted { root, extended_validation } => (root.clone(), *extended_validation),
        daemon_provisioning::Chain::Untrusted { .. } => (String::new(), false),
    };
    let details: HashMap<&str, Variant<'_>> = HashMap::from([
        ("carrier-id", carrier_id.into()),
        ("signer", signer.name().into()),
        ("issuer", signer.issuer().into()),
        ("root", root.into()),
        ("fingerprint", signer.fingerprint.clone().into()),
        ("not-before", signer.not_before.into()),
        ("not-after", signer.not_after.into()),
        ("extended-validation", extended.into()),
    ]);
    let interface = Some(dbus_api::name::AGENT);
    let body = (job, details);
    let call = bus.call_method(agent.name.as_ref(), &agent.path, interface, "ApproveSigner", &body);
    tokio::select! {
        reply = call => {
            let approved = reply.and_then(|reply| reply.body().deserialize::<bool>());
            let approved = approved.inspect_err(|error| tracing::info!(%error, "an agent did not answer")).unwrap_or(false);
            // An error means that nobody waits any more.
            let _ = word.send(approved);
        }
        () = word.closed() => {
            // The question is taken back. An agent that is gone needs no word.
            let _ = bus.call_method(agent.name.as_ref(), &agent.path, interface, "Cancel", &(job,)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(path: &str, uid: u32) -> Agent {
        Agent { name: None, path: OwnedObjectPath::try_from(path).unwrap(), uid }
    }

    #[test]
    fn ones_own_agent_is_asked_first() {
        let agents = Agents::default();
        assert_eq!(agents.pick(1), None);
        for (path, uid) in [("/a", 1), ("/b", 2), ("/c", 1), ("/d", 3), ("/a", 1)] {
            agents.register(agent(path, uid));
        }
        assert_eq!(agents.pick(1), Some(agent("/a", 1)));
        assert_eq!(agents.pick(2), Some(agent("/b", 2)));
        assert_eq!(agents.pick(9), Some(agent("/a", 1)));
        assert!(agents.unregister(&agent("/a", 1)) && !agents.unregister(&agent("/a", 1)));
        assert_eq!(agents.pick(1), Some(agent("/c", 1)));
        for number in 0..2 * u32::try_from(MAX_AGENTS).unwrap() {
            agents.register(agent("/x", number));
        }
        assert_eq!(agents.pick(1), Some(agent("/x", 63)), "the oldest made place");
    }
}

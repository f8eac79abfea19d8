//! What is remembered of the subscriber, on its way to the store: one write at a time. Who asked for a change is told
//! when it is known whether it is stored, and until then nothing of it is in force: what a reply says, what the memory
//! holds and what the file holds are the same. The writes belong to no session and outlive an unplug.

use std::collections::VecDeque;

use super::io::RequestId;
use super::machine::Modem;
use super::reason::{self, error};
use crate::Time;
use crate::carrier::CarrierNetwork;
use crate::effect::{Effect, SubscriberKey};
use crate::event::{Event, Level};
use crate::quota::Quota;
use crate::request::{Reply, RequestError, RequestErrorKind as Kind};
use crate::subscriber::{ProvisionedProfile, Settings, SubscriberState};

/// Writes under way and to come.
#[derive(Debug, Default)]
pub(super) struct Writes {
    current: Option<Write>,
    /// What the daemon itself wants to remember, by SIM; the newest counts.
    own: VecDeque<(SubscriberKey, SubscriberState)>,
    waiting: VecDeque<Wish>,
}

/// The write that the store has not answered yet.
#[derive(Debug)]
struct Write {
    key: SubscriberKey,
    /// Who waits for it, with what will be in force; `None` = the daemon itself.
    wish: Option<(RequestId, Change)>,
}

/// A change that somebody asked for.
#[derive(Debug)]
struct Wish {
    id: RequestId,
    /// The SIM that was meant.
    key: Option<SubscriberKey>,
    change: Change,
}

#[derive(Debug)]
pub(super) enum Change {
    Settings(Settings),
    Profiles {
        default: Option<ProvisionedProfile>,
        purchase: Option<ProvisionedProfile>,
        network: Option<Box<CarrierNetwork>>,
    },
    /// Those of this operator's documents go.
    Forget(String),
    /// The plan, as of this time (seconds since 1970, 0 = not known).
    Quota {
        quota: Option<Box<Quota>>,
        now: u64,
    },
    /// Counting begins anew, at this time (seconds since 1970, 0 = not known).
    Usage {
        since: u64,
    },
}

impl Change {
    /// The state with the change in it.
    fn made(&self, state: &SubscriberState) -> SubscriberState {
        let mut state = state.clone();
        match self {
            Self::Settings(settings) => {
                if (&settings.operator, settings.plan) != (&state.settings.operator, state.settings.plan) {
                    state.memory.forget_candidates();
                }
                if settings.operator != state.settings.operator {
                    state.last_good_home = None;
                    state.last_good_roaming = None;
                }
                state.settings = settings.clone();
                state.pin = state.pin.filter(|_| settings.pin_store);
            }
            Self::Quota { quota, now } => {
                let quota = quota.as_deref().cloned();
                state.quota = quota.map(|quota| quota.following(state.quota.as_ref(), &state.usage, *now));
            }
            Self::Usage { since } => state.usage = state.usage.cleared(*since),
            Self::Profiles { default, purchase, network } => {
                state.network = network.as_deref().cloned().or(state.network);
                let before = (state.default_profile.clone(), state.purchase_profile.clone());
                state.default_profile = default.clone().or(state.default_profile);
                state.purchase_profile = purchase.clone().or(state.purchase_profile);
                if before != (state.default_profile.clone(), state.purchase_profile.clone()) {
                    // The operator's word: what was found out about the old list no longer counts.
                    state.memory.forget_candidates();
                    state.last_good_home = None;
                    state.last_good_roaming = None;
                }
            }
            Self::Forget(carrier) => {
                state.forget_profiles(carrier);
            }
        }
        state
    }
}

impl Modem {
    /// A request that changes what is stored.
    pub(super) fn request_change(&mut self, now: Time, id: RequestId, change: Change) {
        if !self.subscriber.loaded {
            return self.no_subscriber(id);
        }
        let key = self.subscriber.key.clone();
        self.writes.waiting.push_back(Wish { id, key, change });
        self.next_write(now);
    }

    pub(super) fn no_subscriber(&mut self, id: RequestId) {
        let why = reason::sim(self.tables.sim)
            .unwrap_or_else(|| reason::reason("sim-starting", "The SIM is being read; wait a moment."));
        self.reply(id, Err(RequestError { kind: Kind::WrongState, reason: why }));
    }

    /// Stores the subscriber's state as it is, where there is a key to store it by.
    pub(super) fn save_subscriber(&mut self, now: Time) {
        let Some(key) = self.subscriber.key.clone() else { return };
        self.subscriber.state.memory = self.memory(now);
        let state = self.subscriber.state.clone();
        self.save_state(now, key, state);
    }

    /// Stores the state of a SIM, which may be gone by now.
    pub(super) fn save_state(&mut self, now: Time, key: SubscriberKey, state: SubscriberState) {
        self.writes.own.retain(|(other, _)| *other != key);
        self.writes.own.push_back((key, state));
        self.next_write(now);
    }

    fn next_write(&mut self, now: Time) {
        while self.writes.current.is_none() {
            if let Some((key, state)) = self.writes.own.pop_front() {
                self.write(Write { key, wish: None }, state);
                continue;
            }
            let Some(Wish { id, key, change }) = self.writes.waiting.pop_front() else { return };
            if !self.subscriber.loaded || key != self.subscriber.key {
                let text = "The SIM was changed meanwhile; look at the settings of the one that is in, then repeat.";
                self.reply(id, Err(error(Kind::Cancelled, "sim-changed", text)));
                continue;
            }
            self.subscriber.state.memory = self.memory(now);
            let state = change.made(&self.subscriber.state);
            if state == self.subscriber.state {
                self.reply(id, Ok(Reply::Done { changed: false }));
                continue;
            }
            match key {
                Some(key) => self.write(Write { key, wish: Some((id, change)) }, state),
                // A SIM without a number: it holds until the unplug.
                None => {
                    self.put_in_force(now, &change);
                    self.reply(id, Ok(Reply::Done { changed: true }));
                }
            }
        }
    }

    fn write(&mut self, write: Write, state: SubscriberState) {
        self.usage_written(&state);
        let iccid = write.key.clone();
        if self.subscriber.key.as_ref() == Some(&iccid) {
            self.subscriber.kept = state.memory.clone();
        }
        self.writes.current = Some(write);
        self.effect(Effect::SaveSubscriber { iccid, state: Box::new(state) });
    }

    /// The write under way is on the disk.
    pub(super) fn on_stored(&mut self, now: Time) {
        let Some(Write { key, wish }) = self.writes.current.take() else { return };
        if let Some((id, change)) = wish {
            for (_, state) in self.writes.own.iter_mut().filter(|(other, _)| *other == key) {
                *state = change.made(state);
            }
            // The SIM may be another one by now.
            if self.subscriber.loaded && self.subscriber.key == Some(key) {
                self.put_in_force(now, &change);
            }
            self.reply(id, Ok(Reply::Done { changed: true }));
        }
        self.next_write(now);
    }

    /// The write under way failed: what it was to change stays as it is.
    pub(super) fn on_store_failed(&mut self, now: Time, text: &str, full: bool) {
        let what = format!("what is remembered of the SIM could not be written: {text}");
        self.emit(Event::new(Level::Error, "error").with("what", "store").with("text", what));
        let Some(Write { wish, .. }) = self.writes.current.take() else { return };
        if let Some((id, _)) = wish {
            self.reply(id, Err(reason::not_stored(text, full)));
        }
        self.next_write(now);
    }

    fn put_in_force(&mut self, now: Time, change: &Change) {
        let state = change.made(&self.subscriber.state);
        let old = core::mem::replace(&mut self.subscriber.state, state);
        self.subscriber.stale = true;
        match change {
            Change::Settings(settings) if settings.metric != old.settings.metric => {
                self.renew_link(now);
                self.renew_extras(now);
            }
            // Another record or order of access points: what was found out about the old list no longer counts.
            Change::Settings(settings)
                if (&settings.operator, settings.plan) != (&old.settings.operator, old.settings.plan) =>
            {
                self.subscriber.bad.clear();
            }
            Change::Settings(_) | Change::Usage { .. } => {}
            Change::Quota { .. } => self.notice_document(),
            Change::Profiles { .. } | Change::Forget(_) => {
                self.subscriber.bad.clear();
                self.notice_document();
            }
        }
    }

    /// The modem is gone: what was not begun is not begun any more; the write under way ends by itself.
    pub(super) fn drop_waiting_writes(&mut self) {
        for wish in core::mem::take(&mut self.writes.waiting) {
            self.reply(wish.id, Err(reason::gone()));
        }
    }
}

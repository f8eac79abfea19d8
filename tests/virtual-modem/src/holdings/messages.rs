//! The store of short messages, and what the network holds back until there is room and service.

use mbim_proto::service::sms::SmsStatus;
use std::collections::{BTreeMap, VecDeque};

/// Messages that the network keeps for the modem.
const MOST_WAITING: usize = 256;

/// A message in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether it was read, sent or neither.
    pub status: SmsStatus,
    /// Service centre and TPDU.
    pub pdu: Vec<u8>,
}

/// The store. Places count from 1.
#[derive(Clone, Debug)]
pub struct Messages {
    held: BTreeMap<u32, Message>,
    places: u32,
    waiting: VecDeque<Vec<u8>>,
    reference: u8,
}

impl Default for Messages {
    /// An empty store of 30 places.
    fn default() -> Self {
        Self::new(30, [])
    }
}

impl Messages {
    /// A store of so many places, with what it holds at first; what does not fit is left out.
    #[must_use]
    pub fn new(places: u32, held: impl IntoIterator<Item = Message>) -> Self {
        Self { held: (1..=places).zip(held).collect(), places, waiting: VecDeque::new(), reference: 0 }
    }

    /// What is held, by place.
    #[must_use]
    pub const fn held(&self) -> &BTreeMap<u32, Message> {
        &self.held
    }

    /// How many places there are.
    pub(crate) const fn places(&self) -> u32 {
        self.places
    }

    /// The next message reference; they go round.
    pub(crate) const fn next_reference(&mut self) -> u8 {
        self.reference = self.reference.wrapping_add(1);
        self.reference
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= self.places as usize
    }

    /// Puts a new message into the first free place.
    pub(crate) fn store(&mut self, pdu: Vec<u8>) -> Option<u32> {
        let place = (1..=self.places).find(|place| !self.held.contains_key(place))?;
        self.held.insert(place, Message { status: SmsStatus::NEW, pdu });
        Some(place)
    }

    /// The last new message.
    pub(crate) fn newest(&self) -> Option<u32> {
        self.held.iter().rev().find(|(_, message)| message.status == SmsStatus::NEW).map(|(place, _)| *place)
    }

    /// Messages that a filter takes, as they are; new ones are old from now on.
    pub(crate) fn read(&mut self, takes: impl Fn(u32, SmsStatus) -> bool) -> Vec<(u32, Message)> {
        let mut found = Vec::new();
        for (place, message) in &mut self.held {
            if takes(*place, message.status) {
                found.push((*place, message.clone()));
                if message.status == SmsStatus::NEW {
                    message.status = SmsStatus::OLD;
                }
            }
        }
        found
    }

    /// Empties the places that a filter takes; how many those were.
    pub(crate) fn delete(&mut self, takes: impl Fn(u32, SmsStatus) -> bool) -> usize {
        let before = self.held.len();
        self.held.retain(|place, message| !takes(*place, message.status));
        before - self.held.len()
    }

    /// The network has a message. It gives the oldest up when it holds too many.
    pub(crate) fn wait(&mut self, pdu: Vec<u8>) {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(pdu);
    }

    /// The next message that the network has.
    pub(crate) fn next_waiting(&mut self, wanted: impl FnOnce(&[u8]) -> bool) -> Option<Vec<u8>> {
        self.waiting.front().is_some_and(|pdu| wanted(pdu)).then(|| self.waiting.pop_front()).flatten()
    }

    /// Whether the network holds something back.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

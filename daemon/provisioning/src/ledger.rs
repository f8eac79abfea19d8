//! What documents did on this machine, and what is still to be asked for: a value that is kept sealed, because it names
//! customers. [PROV 12.8, 15.1]

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::document::Document;
use crate::private::{Personal, stored_personal};
use crate::run::StepReport;
use crate::schedule::Schedule;
use crate::signer::Signed;
use crate::stored::owner_key;

/// Documents that are remembered.
const MAX_ENTRIES: usize = 64;
/// Steps of one that are remembered.
const MAX_STEPS: usize = 64;
/// Files of the administrator that are remembered as applied.
const MAX_PLACED: usize = 1024;
/// Customers whose documents are asked for anew.
const MAX_SCHEDULES: usize = 64;

/// The history of documents, newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Ledger {
    /// Number of the newest entry.
    last: u32,
    entries: Vec<Entry>,
    placed: Vec<Placed>,
    schedules: Vec<(Owner, Schedule)>,
}

/// Who gave a document. [PROV 12.3]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Giver {
    /// A program on this machine.
    #[default]
    App,
    /// A web site.
    Website,
    /// An earlier document said where it is.
    Refresh,
    /// A file of the administrator.
    Administrator,
}

impl Giver {
    /// As people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Website => "website",
            Self::Refresh => "refresh",
            Self::Administrator => "administrator",
        }
    }
}

/// Whose documents belong together: one operator's for one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Owner {
    /// GUID of the operator, in braces, lower case.
    pub carrier_id: String,
    /// The customer.
    #[serde(with = "stored_personal")]
    pub subscriber_id: Personal<String>,
}

impl Owner {
    /// Of a document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        Self { carrier_id: document.carrier_id().to_owned(), subscriber_id: document.subscriber_id().clone() }
    }

    /// Under what is kept what documents of this operator ordered for this customer.
    #[must_use]
    pub fn key(&self) -> Personal<String> {
        owner_key(&self.carrier_id, &self.subscriber_id)
    }
}

/// One document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Entry {
    /// Number, never used again.
    pub id: u32,
    /// When, seconds since 1970 by the machine's clock.
    pub at: u64,
    /// Who gave it.
    pub giver: Giver,
    /// Name of the administrator's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of the octets that came, 64 hexadecimal digits.
    pub digest: String,
    /// Whose it is; none where it could not be read.
    pub owner: Option<Owner>,
    /// Under what the files of the SIM are kept that it was applied to.
    #[serde(with = "stored_sim", skip_serializing_if = "Option::is_none")]
    pub sim: Option<Personal<String>>,
    /// Whose certificate its signature has.
    pub signed: Option<Signed>,
    /// What it came to as a whole: [`Code::OK`] where it was taken.
    pub code: Code,
    /// Why it was not taken.
    pub reason: String,
    /// Whether no element failed.
    pub all: bool,
    /// The first steps with what became of them.
    pub steps: Vec<Line>,
    /// What the activation came to, once it has ended.
    pub activation: Option<Code>,
    /// Whether what it set was taken away.
    pub removed: bool,
}

/// One step, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Name of the step.
    pub id: String,
    /// As [`StepReport::outcome`].
    pub outcome: String,
    /// The code of a failure or a warning.
    pub code: Option<Code>,
}

impl Entry {
    /// Remembers how the steps ended.
    pub fn report(&mut self, steps: &[StepReport]) {
        let line =
            |step: &StepReport| Line { id: step.id.to_string(), outcome: step.outcome.to_owned(), code: step.error };
        self.steps = steps.iter().take(MAX_STEPS).map(line).collect();
    }

    const fn is_refused(&self) -> bool {
        self.code.is_failure()
    }
}

/// A file of the administrator that was applied to a SIM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    digest: String,
    #[serde(with = "stored_personal")]
    sim: Personal<String>,
}

impl Ledger {
    /// Remembers a document; its number. Where there are too many, one that was refused goes before one that was taken.
    pub fn enter(&mut self, entry: Entry) -> u32 {
        self.last = self.last.wrapping_add(1).max(1);
        if self.entries.len() >= MAX_ENTRIES {
            let least = self.entries.iter().position(Entry::is_refused).unwrap_or(0);
            self.entries.remove(least);
        }
        self.entries.push(Entry { id: self.last, ..entry });
        self.last
    }

    /// All documents, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// One document.
    #[must_use]
    pub fn entry(&self, id: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The activation of a document has ended.
    pub fn activated(&mut self, id: u32, code: Code) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.activation = Some(code);
            if let Some(line) = entry.steps.iter_mut().find(|line| line.id == "activation") {
                line.outcome = if code == Code::OK { "applied" } else { "failed" }.to_owned();
                line.code = Some(code).filter(|code| *code != Code::OK);
            }
        }
    }

    /// Whether a file of the administrator was applied to that SIM as it is now.
    #[must_use]
    pub fn is_placed(&self, digest: &str, sim: &str) -> bool {
        self.placed.iter().any(|placed| placed.digest == digest && placed.sim.reveal() == sim)
    }

    /// A file of the administrator was applied to a SIM.
    pub fn place(&mut self, digest: &str, sim: &str) {
        if !self.is_placed(digest, sim) {
            self.placed.push(Placed { digest: digest.to_owned(), sim: Personal::new(sim.to_owned()) });
            let over = self.placed.len().saturating_sub(MAX_PLACED);
            self.placed.drain(..over);
        }
    }

    /// When the newest document of each customer is to be asked for.
    #[must_use]
    pub fn schedules(&self) -> &[(Owner, Schedule)] {
        &self.schedules
    }

    /// The schedule of one customer.
    pub fn schedule_mut(&mut self, owner: &Owner) -> Option<&mut Schedule> {
        self.schedules.iter_mut().find(|(of, _)| of == owner).map(|(_, schedule)| schedule)
    }

    /// A document of theirs was applied: another schedule, or none.
    pub fn schedule(&mut self, owner: &Owner, schedule: Option<Schedule>) {
        self.schedules.retain(|(of, _)| of != owner);
        self.schedules.extend(schedule.map(|schedule| (owner.clone(), schedule)));
        let over = self.schedules.len().saturating_sub(MAX_SCHEDULES);
        self.schedules.drain(..over);
    }

    /// Whether the newest document of theirs that was taken is this very one.
    #[must_use]
    pub fn is_newest(&self, owner: &Owner, digest: &str) -> bool {
        let of_theirs = |entry: &&Entry| entry.owner.as_ref() == Some(owner) && !entry.is_refused();
        self.entries.iter().rev().find(of_theirs).is_some_and(|entry| entry.digest == digest && !entry.removed)
    }

    /// What all documents of this operator for this customer set is taken away; the SIMs that they were applied to.
    pub fn remove(&mut self, owner: &Owner) -> Vec<Personal<String>> {
        self.schedule(owner, None);
        let mut sims = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.owner.as_ref() == Some(owner)) {
            entry.removed = true;
            if let Some(sim) = &entry.sim
                && !sims.contains(sim)
            {
                sims.push(sim.clone());
            }
        }
        sims
    }
}

/// The key of a SIM's files, which is a number of the card.
mod stored_sim {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::private::Personal;

    pub(super) fn serialize<S: Serializer>(value: &Option<Personal<String>>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Personal::reveal).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Personal<String>>, D::Error> {
        Option::<String>::deserialize(from).map(|value| value.map(Personal::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::refresh::Refresh;
    use crate::schedule::{Due, Validators};

    fn owner(subscriber: &str) -> Owner {
        Owner { carrier_id: "{a}".to_owned(), subscriber_id: Personal::new(subscriber.to_owned()) }
    }

    fn taken(digest: &str, subscriber: &str) -> Entry {
        Entry {
            digest: digest.to_owned(),
            owner: Some(owner(subscriber)),
            sim: Some(Personal::new("8999".to_owned())),
            ..Entry::default()
        }
    }

    fn schedule() -> Schedule {
        let url = Personal::new("https://h.example/".to_owned());
        let refresh = Refresh { delay_in_days: Some(1), url, username: None, password: None };
        Schedule::new(&refresh, 0, 0, Validators::default())
    }

    fn kept(ledger: &Ledger) -> Ledger {
        serde_json::from_slice(&serde_json::to_vec(ledger).unwrap()).unwrap()
    }

    #[test]
    fn the_history_is_bounded_and_those_that_were_refused_go_first() {
        let mut ledger = Ledger::default();
        let first = ledger.enter(taken("first", "1"));
        for _ in 0..3 * MAX_ENTRIES {
            ledger.enter(Entry { code: Code::XML_INVALID, ..Entry::default() });
        }
        assert_eq!(ledger.entries().len(), MAX_ENTRIES);
        assert_eq!(ledger.entry(first).unwrap().digest, "first");
        for number in 0..MAX_ENTRIES {
            ledger.enter(taken(&number.to_string(), "1"));
        }
        assert_eq!((ledger.entries().len(), ledger.entry(first)), (MAX_ENTRIES, None));
        assert_eq!(kept(&ledger), ledger);
        let newest = ledger.entries().last().unwrap().id;
        assert!(ledger.enter(Entry::default()) > newest, "no number is used again");
    }

    #[test]
    fn files_are_remembered_by_content_and_sim() {
        let mut ledger = Ledger::default();
        ledger.place("d", "1");
        ledger.place("d", "1");
        assert!(ledger.is_placed("d", "1") && !ledger.is_placed("d", "2") && !ledger.is_placed("e", "1"));
        assert_eq!(kept(&ledger), ledger);
        for number in 0..MAX_PLACED {
            ledger.place(&number.to_string(), "1");
        }
        assert!(!ledger.is_placed("d", "1"));
        assert_eq!(ledger.placed.len(), MAX_PLACED);
    }

    #[test]
    fn what_is_removed_is_named_with_its_sims() {
        let mut ledger = Ledger::default();
        let (one, other) = (ledger.enter(taken("a", "1")), ledger.enter(taken("b", "2")));
        ledger.enter(taken("c", "1"));
        ledger.schedule(&owner("1"), Some(schedule()));
        ledger.schedule(&owner("2"), Some(schedule()));
        assert!(ledger.is_newest(&owner("1"), "c") && !ledger.is_newest(&owner("1"), "a"));
        assert_eq!(ledger.remove(&owner("1")).len(), 1, "one SIM");
        assert!(ledger.entry(one).unwrap().removed && !ledger.entry(other).unwrap().removed);
        assert!(!ledger.is_newest(&owner("1"), "c"), "what was taken away is applied again");
        assert_eq!(ledger.schedules().len(), 1);
        assert_eq!(ledger.schedule_mut(&owner("1")), None);
        assert_eq!(ledger.schedule_mut(&owner("2")).unwrap().due(86_400), Due::Now);
    }

    /// The numbers are in the sealed form only.
    #[test]
    fn customers_are_not_printed() {
        let mut ledger = Ledger::default();
        ledger.enter(taken("a", "001010123456789"));
        ledger.place("a", "8999000000000000017");
        let printed = format!("{ledger:?}");
        assert!(!printed.contains("001010123456789") && !printed.contains("8999"), "{printed}");
    }

    #[test]
    fn what_an_older_version_wrote_is_read() {
        let ledger: Ledger = serde_json::from_str(r#"{"last":3,"entries":[{"id":3,"digest":"d"}]}"#).unwrap();
        assert_eq!((ledger.entries().len(), ledger.entry(3).unwrap().code), (1, Code::OK));
    }
}

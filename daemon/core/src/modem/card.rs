//! Files of the card, read where the operator cannot be told without them: a virtual operator's SIM has the numbers of its
//! host. Two round trips, bounded in time; a modem without the service, or a card without the files, is no worse off
//! than before. `[OPER 1.1, 3.5]`

use core::time::Duration;

use daemon_operator::identity::Plmn;
use daemon_operator::identity::ef::{self, CardFile};
use mbim_proto::Personal;
use mbim_proto::service::ms_uicc_low_level as uicc;
use mbim_proto::status::Status;

use super::ask::{Answer, Asked};
use super::machine::Modem;
use super::timer::Timer;
use crate::Time;
use crate::event::Event;

/// How long a first connection may wait for the card.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the card's files said.
#[derive(Debug, Default)]
pub(super) struct Card {
    reading: Reading,
    /// Files to be asked for when the application is known.
    wanted: Vec<CardFile>,
    /// The application that the modem registers with.
    pub(super) application: Vec<u8>,
    pub(super) mnc_length: Option<u8>,
    pub(super) spn: String,
    /// Hexadecimal.
    pub(super) gid1: String,
    /// Hexadecimal.
    pub(super) gid2: String,
    pub(super) ehplmn: Vec<Plmn>,
}

/// How far reading is. Each SIM is read once in a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    NotNeeded,
    UnderWay,
    Done,
}

impl Modem {
    /// Whether dialling has to wait. Not where a person names the access point, and not where one was good before: then
    /// what the card says counts from the next connection on.
    pub(super) fn waits_for_card(&self) -> bool {
        let state = &self.subscriber.state;
        let good = if self.roaming() { &state.last_good_roaming } else { &state.last_good_home };
        self.facts.card.reading == Reading::UnderWay && self.dialer.named.is_none() && good.is_none()
    }

    /// Begins to read where the choice asks for it, and ends when all answers are in.
    pub(super) fn advance_card(&mut self, now: Time) {
        match self.facts.card.reading {
            Reading::NotNeeded => {
                let Some(choice) = self.subscriber.choice.as_ref().filter(|_| !self.subscriber.stale) else { return };
                let offered = self.offers::<uicc::ApplicationListQuery>() && self.offers::<uicc::AccessBinaryQuery>();
                if choice.card_files.is_empty() || !offered {
                    return;
                }
                self.facts.card.wanted.clone_from(&choice.card_files);
                self.facts.card.reading = Reading::UnderWay;
                self.timers.set(Timer::Card, now + PATIENCE);
                self.ask_applications(now);
            }
            Reading::UnderWay if !self.is_asked(|a| matches!(a, Asked::Apps | Asked::CardFile(_))) => {
                self.timers.clear(Timer::Card);
                self.card_read();
                // What was read is weighed in this pass: no other may follow.
                self.advance_sim(now);
            }
            Reading::UnderWay | Reading::Done => {}
        }
    }

    pub(super) fn on_application(&mut self, now: Time, answer: Answer<Vec<u8>>) {
        let Answer::Body(Status::SUCCESS, application) = answer else { return };
        self.facts.card.application = application;
        for file in core::mem::take(&mut self.facts.card.wanted) {
            self.ask_card_file(now, file);
        }
    }

    /// A file that the card does not have, or that cannot be understood, is as if it had not been asked for.
    pub(super) fn on_card_file(&mut self, file: CardFile, answer: Answer<Option<Personal<Vec<u8>>>>) {
        let Answer::Body(Status::SUCCESS, Some(octets)) = answer else { return };
        let (card, octets) = (&mut self.facts.card, octets.reveal());
        match file {
            CardFile::Ad => card.mnc_length = octets.get(3).map(|octet| octet & 0x0F),
            CardFile::Spn => card.spn = ef::spn(octets).value().unwrap_or_default(),
            CardFile::Gid1 => {
                card.gid1 = ef::gid(octets).value().map(|gid| gid.as_str().to_owned()).unwrap_or_default()
            }
            CardFile::Gid2 => {
                card.gid2 = ef::gid(octets).value().map(|gid| gid.as_str().to_owned()).unwrap_or_default()
            }
            CardFile::Ehplmn => card.ehplmn = ef::ehplmn(octets),
        }
        if self.facts.card.reading == Reading::Done {
            // Too late for this choice, in time for the next one.
            self.subscriber.identified = false;
            self.subscriber.stale = true;
        }
    }

    pub(super) fn on_card_overdue(&mut self) {
        if self.facts.card.reading == Reading::UnderWay {
            self.emit(Event::debug("card").with("outcome", "overdue"));
            self.card_read();
        }
    }

    /// What came counts, and the operator is chosen once more.
    fn card_read(&mut self) {
        let card = &mut self.facts.card;
        card.reading = Reading::Done;
        let files = [
            ("ad", card.mnc_length.is_some()),
            ("spn", !card.spn.is_empty()),
            ("gid1", !card.gid1.is_empty()),
            ("gid2", !card.gid2.is_empty()),
            ("ehplmn", !card.ehplmn.is_empty()),
        ];
        let found: Vec<&str> = files.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        self.emit(Event::info("card").with("outcome", "read").with("files", found.join(" ")));
        if !found.is_empty() {
            self.subscriber.identified = false;
            self.subscriber.stale = true;
        }
    }

    /// Another SIM: nothing of the last one's files holds.
    pub(super) fn forget_card(&mut self, now: Time) {
        self.timers.clear(Timer::Card);
        self.give_up_on(now, |asked| matches!(asked, Asked::Apps | Asked::CardFile(_)));
        self.facts.card = Card::default();
    }
}

//! Files of the card, read where the operator cannot be told without them: a virtual operator's SIM has the numbers of its
//! host. Two round trips for most cards, at most four, bounded in time; a modem without the service, or a card without the files, is no worse off
//! than before. `[OPER 1.1, 3.5]`

use core::time::Duration;
use std::collections::BTreeSet;

use daemon_operator::Profile;
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
/// Files that a card may be without, from which on its table of services is read first: one question in place of several
/// that would be in vain.
const TABLE_PAYS: usize = 2;
/// Most records of EF_OPL that are asked for, each a round trip.
const MOST_NETWORKS: u32 = 8;

/// What the card's files said.
#[derive(Debug, Default)]
pub(super) struct Card {
    reading: Reading,
    /// Files to be asked for when the application is known.
    wanted: Vec<CardFile>,
    /// Files that were wanted once; none is asked for twice.
    tried: BTreeSet<CardFile>,
    /// The application that the modem registers with.
    pub(super) application: Option<Vec<u8>>,
    pub(super) imsi: Personal<String>,
    pub(super) iccid: Personal<String>,
    pub(super) mnc_length: Option<u8>,
    pub(super) spn: String,
    pub(super) pnn: String,
    /// Record of EF_PNN with the home network's name, and the one of EF_OPL that is asked for which that is.
    pub(super) pnn_record: u32,
    pub(super) opl_record: u32,
    /// Hexadecimal.
    pub(super) gid1: String,
    /// Hexadecimal.
    pub(super) gid2: String,
    pub(super) ehplmn: Vec<Plmn>,
    /// Access points that the card allows; empty = it does not say.
    pub(super) allowed: Vec<String>,
    /// The modem was asked for the contexts that it has stored.
    pub(super) contexts_tried: bool,
    /// What of them can be used.
    pub(super) contexts: Vec<Profile>,
}

/// How far reading is.
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

    /// Begins to read where the choice asks for it, and ends when all answers are in. What a file says may make others
    /// matter: those are read as well.
    pub(super) fn advance_card(&mut self, now: Time) {
        if self.facts.card.reading != Reading::UnderWay {
            return self.begin_card(now);
        }
        if !self.is_asked(|a| matches!(a, Asked::Apps | Asked::CardFile(_) | Asked::Contexts)) {
            self.timers.clear(Timer::Card);
            self.card_read();
            // What was read is weighed in this pass: no other may follow.
            self.advance_sim(now);
            self.begin_card(now);
        }
    }

    fn begin_card(&mut self, now: Time) {
        let Some(choice) = self.subscriber.choice.as_ref().filter(|_| !self.subscriber.stale) else { return };
        let tried = &self.facts.card.tried;
        let wanted: Vec<CardFile> = choice.card_files.iter().copied().filter(|file| !tried.contains(file)).collect();
        let offered = self.offers::<uicc::ApplicationListQuery>() && self.offers::<uicc::AccessBinaryQuery>();
        let files = !wanted.is_empty() && offered;
        let contexts = self.wants_contexts();
        if !files && !contexts {
            return;
        }
        self.facts.card.reading = Reading::UnderWay;
        self.timers.set(Timer::Card, now + PATIENCE);
        if contexts {
            self.ask_contexts(now);
        }
        if !files {
            return;
        }
        let card = &mut self.facts.card;
        card.tried.extend(wanted.iter().copied());
        card.wanted = wanted;
        match &self.facts.card.application {
            Some(_) => self.ask_wanted(now),
            None => self.ask_applications(now),
        }
    }

    pub(super) fn on_application(&mut self, now: Time, answer: Answer<Vec<u8>>) {
        let Answer::Body(Status::SUCCESS, application) = answer else { return };
        self.facts.card.application = Some(application);
        self.ask_wanted(now);
    }

    fn ask_wanted(&mut self, now: Time) {
        let optional = self.facts.card.wanted.iter().filter(|file| file.is_optional()).count();
        if optional >= TABLE_PAYS && self.facts.card.tried.insert(CardFile::Ust) {
            return self.ask_card_file(now, CardFile::Ust);
        }
        self.ask_files(now, None);
    }

    /// Asks for what is wanted and, as far as the table of services tells, there. Which record has the network's name, is
    /// to be known before it is asked for.
    fn ask_files(&mut self, now: Time, services: Option<&[u8]>) {
        let mut wanted = core::mem::take(&mut self.facts.card.wanted);
        if let Some(services) = services {
            wanted.retain(|file| file.is_announced(services));
            // It costs nothing more than itself, and decides whom the network will not take.
            if CardFile::Acl.is_announced(services) && self.facts.card.tried.insert(CardFile::Acl) {
                wanted.push(CardFile::Acl);
            }
        }
        self.facts.card.pnn_record = 1;
        self.facts.card.opl_record = 1;
        let mapped = wanted.contains(&CardFile::Opl);
        for file in wanted.into_iter().filter(|file| !(mapped && *file == CardFile::Pnn)) {
            self.ask_card_file(now, file);
        }
    }

    /// A file that the card does not have, or that cannot be understood, is as if it had not been asked for.
    pub(super) fn on_card_file(&mut self, now: Time, file: CardFile, answer: Answer<Option<Personal<Vec<u8>>>>) {
        let octets = match answer {
            Answer::Body(Status::SUCCESS, Some(octets)) => octets,
            _ => Personal::default(),
        };
        let octets = octets.reveal();
        let imsi = self.imsi_digits();
        let card = &mut self.facts.card;
        match file {
            CardFile::Ust => {
                return self.ask_files(now, Some(octets).filter(|octets| !octets.is_empty()).map(Vec::as_slice));
            }
            CardFile::Opl => {
                // Unused records stand at the end.
                let end = octets.iter().all(|octet| *octet == 0xFF);
                return self.on_network_list(now, ef::opl(octets, &imsi), end);
            }
            _ if octets.is_empty() => return,
            CardFile::Iccid => card.iccid = number(ef::iccid(octets).value().map(|iccid| iccid.reveal().to_owned())),
            CardFile::Imsi => card.imsi = number(ef::imsi(octets).value().map(|imsi| imsi.reveal().to_owned())),
            CardFile::Ad => card.mnc_length = octets.get(3).map(|octet| octet & 0x0F),
            CardFile::Spn => card.spn = ef::spn(octets).value().unwrap_or_default(),
            CardFile::Pnn => card.pnn = ef::pnn(octets).value().unwrap_or_default(),
            CardFile::Gid1 => {
                card.gid1 = ef::gid(octets).value().map(|gid| gid.as_str().to_owned()).unwrap_or_default()
            }
            CardFile::Gid2 => {
                card.gid2 = ef::gid(octets).value().map(|gid| gid.as_str().to_owned()).unwrap_or_default()
            }
            CardFile::Ehplmn => card.ehplmn = ef::ehplmn(octets),
            CardFile::Acl => card.allowed = ef::acl(octets),
        }
        self.card_answered();
    }

    /// A record of the list that says what networks are called; `end`: none is left. The first that fits
    /// counts; the home's comes early, so that few are asked for. Without any the first name is the home's.
    fn on_network_list(&mut self, now: Time, name: Option<u8>, end: bool) {
        let card = &mut self.facts.card;
        match name {
            // The card has no name for it.
            Some(0) => return self.card_answered(),
            Some(number) => card.pnn_record = number.into(),
            None if !end && card.opl_record < MOST_NETWORKS => {
                card.opl_record += 1;
                return self.ask_card_file(now, CardFile::Opl);
            }
            None => {}
        }
        self.ask_card_file(now, CardFile::Pnn);
    }

    /// After its time an answer is too late for this choice, in time for the next one.
    pub(super) fn card_answered(&mut self) {
        if self.facts.card.reading == Reading::Done {
            self.weigh_card();
        }
    }

    /// Whose card it is, by the modem or else by the card; empty = nobody told.
    pub(super) fn imsi_digits(&self) -> String {
        let told = self.facts.ready.as_ref().map(|ready| ready.imsi.reveal()).filter(|imsi| !imsi.is_empty());
        told.unwrap_or(self.facts.card.imsi.reveal()).clone()
    }

    /// The card's number, by the modem or else by the card; empty = nobody told.
    pub(super) fn iccid_digits(&self) -> String {
        let told = self.facts.ready.as_ref().map(|ready| ready.iccid.reveal()).filter(|iccid| !iccid.is_empty());
        told.unwrap_or(self.facts.card.iccid.reveal()).clone()
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
            ("imsi", !card.imsi.reveal().is_empty()),
            ("iccid", !card.iccid.reveal().is_empty()),
            ("ad", card.mnc_length.is_some()),
            ("spn", !card.spn.is_empty()),
            ("pnn", !card.pnn.is_empty()),
            ("gid1", !card.gid1.is_empty()),
            ("gid2", !card.gid2.is_empty()),
            ("ehplmn", !card.ehplmn.is_empty()),
            ("acl", !card.allowed.is_empty()),
            ("contexts", !card.contexts.is_empty()),
        ];
        let found: Vec<&str> = files.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        self.emit(Event::info("card").with("outcome", "read").with("files", found.join(" ")));
        if !found.is_empty() {
            self.weigh_card();
        }
    }

    fn weigh_card(&mut self) {
        self.subscriber.identified = false;
        self.subscriber.stale = true;
        // Now there is something to remember it by.
        if self.subscriber.key.is_none() {
            self.subscriber.requested = false;
            self.subscriber.loaded = false;
        }
    }

    /// Another SIM: nothing of the last one's files holds.
    pub(super) fn forget_card(&mut self, now: Time) {
        self.timers.clear(Timer::Card);
        self.give_up_on(now, |asked| matches!(asked, Asked::Apps | Asked::CardFile(_) | Asked::Contexts));
        self.facts.card = Card::default();
    }
}

fn number(digits: Option<String>) -> Personal<String> {
    Personal::new(digits.unwrap_or_default())
}

//! Guests: clients of the proxy that use the modem beside the daemon. Their commands wait here, each guest in turn, until
//! the session has room and nothing of the daemon's waits; answers go back to who asked; indications to who wants them.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use mbim_proto::service::{basic_connect as bc, ms_basic_connect_ext as extensions};
use mbim_proto::status::Status;
use mbim_proto::{Body, MbimEx, Operation, Uuid};

use super::ask::SUBSCRIBE;
use super::context::SESSION;
use super::io::Output;
use super::machine::Modem;
use super::tables::{Context, Power};
use crate::Time;
use crate::event::Event;
use crate::proxy::guard::{Touched, Verdict, judge, touched};
use crate::proxy::{Access, GuestCommand, GuestId, News, Order};
use crate::session::{Command, Outcome, Rank, Subscription, Ticket};

/// How long a command of a guest may take: as long as the slowest ones do. It has a timer of its own. `[libmbim proxy]`
const PATIENCE: Duration = Duration::from_secs(300);

/// All guests of one modem.
#[derive(Debug)]
pub(super) struct Guests {
    guests: BTreeMap<GuestId, Guest>,
    sent: BTreeMap<Ticket, Sent>,
    /// Whose turn was last.
    last: Option<GuestId>,
    /// What the modem is asked to indicate; it grows with the guests and shrinks with the next session.
    union: Subscription,
}

#[derive(Debug)]
struct Guest {
    access: Access,
    /// The modem was open for it.
    joined: bool,
    list: Subscription,
    queue: VecDeque<(u64, GuestCommand)>,
}

/// A command at the modem.
#[derive(Debug)]
struct Sent {
    guest: GuestId,
    key: u64,
    after: After,
}

/// What its answer means to the daemon.
#[derive(Debug)]
enum After {
    Nothing,
    Touched(Touched),
    /// The radio's switch is to be that; what was wanted of it before.
    Radio {
        before: bool,
    },
    /// The guest's list, and as it wrote it.
    Subscribed(Subscription, Vec<u8>),
}

impl Default for Guests {
    fn default() -> Self {
        Self { guests: BTreeMap::new(), sent: BTreeMap::new(), last: None, union: Subscription::of(SUBSCRIBE) }
    }
}

impl Guests {
    /// How many use the modem.
    pub(super) fn count(&self) -> usize {
        self.guests.values().filter(|guest| guest.joined).count()
    }

    fn unite_anew(&mut self) {
        self.union = Subscription::of(SUBSCRIBE);
        if !self.guests.is_empty() {
            self.union.unite(&Subscription::standard());
        }
        for guest in self.guests.values() {
            self.union.unite(&guest.list);
        }
    }

    /// The next one with something to send, after the one whose turn was last.
    fn turn(&mut self) -> Option<(GuestId, Access, u64, GuestCommand)> {
        let waits = |(id, guest): (&GuestId, &Guest)| (!guest.queue.is_empty()).then_some(*id);
        let after = self.last.map_or(0, |last| last.0 + 1);
        let next =
            self.guests.range(GuestId(after)..).find_map(waits).or_else(|| self.guests.iter().find_map(waits))?;
        self.last = Some(next);
        let guest = self.guests.get_mut(&next)?;
        let (key, command) = guest.queue.pop_front()?;
        Some((next, guest.access, key, command))
    }
}

impl Modem {
    /// A guest says something.
    pub(super) fn on_guest(&mut self, id: GuestId, order: Order) {
        match order {
            Order::Join(access) => {
                let list = Subscription::standard();
                self.guests.guests.insert(id, Guest { access, joined: false, list, queue: VecDeque::new() });
            }
            Order::Command { key, command } => {
                let ready = self.tables.power == Power::Ready;
                match self.guests.guests.get_mut(&id).filter(|guest| guest.joined && ready) {
                    Some(guest) => guest.queue.push_back((key, command)),
                    None => self.answer_guest(id, key, Outcome::Dropped),
                }
            }
            Order::Leave => drop(self.guests.guests.remove(&id)),
        }
    }

    /// Lets in who waits, and sends what there is room for.
    pub(super) fn advance_guests(&mut self, now: Time) {
        // Whether it is the modem that it should be comes first.
        if self.config.expected.is_some() {
            return;
        }
        self.admit_guests(now);
        while self.session.guests_waiting() == 0
            && let Some((id, access, key, command)) = self.guests.turn()
        {
            self.guest_command(now, id, access, key, command);
        }
    }

    fn admit_guests(&mut self, now: Time) {
        let waiting: Vec<GuestId> =
            self.guests.guests.iter().filter(|(_, guest)| !guest.joined).map(|(id, _)| *id).collect();
        if waiting.is_empty() {
            return;
        }
        let before = self.session.subscription();
        self.guests.union.unite(&Subscription::standard());
        self.session.want(self.guests.union.clone());
        if self.session.subscription() != before && !self.sleep.near() {
            self.session.resubscribe(now);
        }
        let release = self.told_release();
        for id in waiting {
            if let Some(guest) = self.guests.guests.get_mut(&id) {
                guest.joined = true;
            }
            self.emit(Event::debug("guest").with("what", "joined").with("guest", id.0));
            self.tell_guest(id, News::Joined { release });
        }
    }

    /// The release in force, where the modem has one to tell.
    fn told_release(&self) -> Option<MbimEx> {
        self.offers::<extensions::Version>().then(|| self.session.release())
    }

    fn guest_command(&mut self, now: Time, id: GuestId, access: Access, key: u64, command: GuestCommand) {
        let context = self.tables.context;
        let default_owned = context != Context::Down || self.wants_context();
        let busy = !matches!(context, Context::Down | Context::Waiting) || self.extras_busy();
        let owned = |session| if session == SESSION { default_owned } else { self.extras.contains_key(&session) };
        let done = |status, buffer| Outcome::Answered { status, buffer };
        match judge(&command, access, owned, busy, self.offers::<extensions::Version>()) {
            Verdict::Forward => {
                let after = match touched(&command) {
                    Some(Touched::Radio(Some(on))) => {
                        // What the modem tells of it meanwhile must not be taken back.
                        let before = core::mem::replace(&mut self.radio_wish, on);
                        After::Radio { before }
                    }
                    Some(touched) => After::Touched(touched),
                    None => After::Nothing,
                };
                self.send_guest(now, id, key, command, after);
            }
            Verdict::Refuse(status) => {
                self.emit(
                    Event::info("guest")
                        .with("what", "refused")
                        .with("guest", id.0)
                        .with("service", command.service)
                        .with("cid", command.cid),
                );
                self.tell_guest(id, News::Denied { key, status });
            }
            Verdict::Release => {
                let release = self.session.release().bcd();
                let body = extensions::Version { version: 0x0100, extended_version: release };
                self.answer_guest(id, key, done(Status::SUCCESS, body.to_vec()));
            }
            Verdict::Subscribe => self.subscribe_guest(now, id, key, command),
        }
    }

    /// A guest's list replaces its own one and is united with those of all others: the modem knows only one.
    fn subscribe_guest(&mut self, now: Time, id: GuestId, key: u64, command: GuestCommand) {
        let body = bc::DeviceServiceSubscribeList::decode(&command.buffer).ok();
        let Some(list) = body.as_ref().and_then(Subscription::read) else {
            let answer = Outcome::Answered { status: Status::INVALID_PARAMETERS, buffer: Vec::new() };
            return self.answer_guest(id, key, answer);
        };
        let before = self.session.subscription();
        self.guests.union.unite(&list);
        self.session.want(self.guests.union.clone());
        let union = self.session.subscription();
        let own = command.buffer.clone();
        if union == before || self.sleep.near() {
            if let Some(guest) = self.guests.guests.get_mut(&id) {
                guest.list = list;
            }
            return self.answer_guest(id, key, Outcome::Answered { status: Status::SUCCESS, buffer: own });
        }
        let command = GuestCommand { buffer: union.to_vec(), operation: Operation::Set, ..command };
        self.send_guest(now, id, key, command, After::Subscribed(list, own));
    }

    fn send_guest(&mut self, now: Time, guest: GuestId, key: u64, command: GuestCommand, after: After) {
        let GuestCommand { service, cid, operation, buffer } = command;
        let command = Command { service, cid, operation, buffer, timeout: PATIENCE, rank: Rank::Guest };
        let ticket = self.session.command(now, command);
        self.guests.sent.insert(ticket, Sent { guest, key, after });
    }

    /// A command came to its end that is nobody's else.
    pub(super) fn guest_completed(&mut self, now: Time, ticket: Ticket, mut outcome: Outcome) {
        let Some(Sent { guest: id, key, after }) = self.guests.sent.remove(&ticket) else { return };
        let success = matches!(outcome, Outcome::Answered { status: Status::SUCCESS, .. });
        match after {
            After::Nothing => {}
            After::Radio { before } => {
                if !success {
                    self.radio_wish = before;
                }
                self.look_after(now, Touched::Radio(None));
            }
            After::Touched(touched) => self.look_after(now, touched),
            After::Subscribed(list, own) => {
                if let (true, Some(guest)) = (success, self.guests.guests.get_mut(&id)) {
                    guest.list = list;
                } else {
                    self.guests.unite_anew();
                    self.session.want(self.guests.union.clone());
                }
                if let Outcome::Answered { buffer, .. } = &mut outcome {
                    *buffer = own;
                }
            }
        }
        if self.guests.guests.contains_key(&id) {
            self.answer_guest(id, key, outcome);
        }
    }

    /// A guest changed, or tried to change, what the tables hold.
    fn look_after(&mut self, now: Time, touched: Touched) {
        if self.tables.power != Power::Ready {
            return;
        }
        match touched {
            Touched::Radio(_) => self.ask_radio(now),
            Touched::Sim => self.look_again(now),
            Touched::Home => self.ask_home(now),
            Touched::Registration => self.ask_register(now),
            Touched::Packet => self.ask_packet(now),
        }
    }

    /// The modem tells something: every guest that wants it gets a copy.
    pub(super) fn guests_told(&mut self, service: Uuid, cid: u32, buffer: &[u8]) {
        let want = |guest: &Guest| guest.joined && guest.list.has(service, cid);
        let ids: Vec<GuestId> = self.guests.guests.iter().filter(|(_, guest)| want(guest)).map(|(id, _)| *id).collect();
        for id in ids {
            self.tell_guest(id, News::Indication { service, cid, buffer: buffer.to_vec() });
        }
    }

    /// The session is no more: commands end, and lists are the standard one again.
    pub(super) fn forget_guests(&mut self) {
        let sent = core::mem::take(&mut self.guests.sent).into_values().map(|sent| (sent.guest, sent.key));
        let mut ended: Vec<(GuestId, u64)> = sent.collect();
        for (id, guest) in &mut self.guests.guests {
            guest.list = Subscription::standard();
            ended.extend(guest.queue.drain(..).map(|(key, _)| (*id, key)));
        }
        for (id, key) in ended {
            self.answer_guest(id, key, Outcome::Dropped);
        }
        self.guests.unite_anew();
        self.session.want(self.guests.union.clone());
    }

    /// The session is open once more.
    pub(super) fn guests_opened(&mut self) {
        let Some(release) = self.told_release() else { return };
        let joined: Vec<GuestId> =
            self.guests.guests.iter().filter(|(_, guest)| guest.joined).map(|(id, _)| *id).collect();
        for id in joined {
            self.tell_guest(id, News::Release(release));
        }
    }

    /// The modem could not be opened: who waits for it waits no longer.
    pub(super) fn refuse_guests(&mut self) {
        let waiting: Vec<GuestId> =
            self.guests.guests.iter().filter(|(_, guest)| !guest.joined).map(|(id, _)| *id).collect();
        for id in waiting {
            self.guests.guests.remove(&id);
            self.tell_guest(id, News::Refused(Status::FAILURE));
        }
    }

    /// The modem is gone, and with it all of them.
    pub(super) fn drop_guests(&mut self) {
        self.guests = Guests::default();
        self.session.want(self.guests.union.clone());
    }

    fn answer_guest(&mut self, id: GuestId, key: u64, outcome: Outcome) {
        self.tell_guest(id, News::Answered { key, outcome });
    }

    fn tell_guest(&mut self, id: GuestId, news: News) {
        self.outputs.push_back(Output::Guest { id, news });
    }
}

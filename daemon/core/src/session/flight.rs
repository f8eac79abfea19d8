//! Commands on their way: the queue, the window of the modem, transaction ids, deadlines. `[MBIM reference, 6]`

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use mbim_proto::{Operation, Uuid};

use super::{Command, Rank, Ticket, deadline};
use crate::Time;

/// How many finished transactions are remembered, to tell a late or second answer from a stranger's.
const REMEMBERED: usize = 64;

/// Where an answer with an id that nobody waits for may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// To a command that timed out.
    Late,
    /// A second one to a command that was answered.
    Duplicate,
    /// To a command that this session did not send.
    Foreign,
}

/// One command in flight. A question that is put again has several ids for one ticket.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) ticket: Ticket,
    pub(super) service: Uuid,
    pub(super) cid: u32,
    pub(super) rank: Rank,
    pub(super) deadline: Time,
    /// When it counts as late; `None` = it is: it may be lost, and no longer fills the window.
    late: Option<Time>,
    /// Sequential round trips up to and including this one.
    pub(super) depth: u32,
    /// It is to be put again, and when.
    again: Option<Again>,
}

#[derive(Clone, Debug)]
struct Again {
    at: Time,
    command: Command,
    left: u8,
}

#[derive(Debug)]
pub(super) struct Flight {
    window: usize,
    next_id: u32,
    urgent: VecDeque<Queued>,
    waiting: VecDeque<Queued>,
    guests: VecDeque<Queued>,
    sent: BTreeMap<u32, Sent>,
    finished: VecDeque<(u32, Stray)>,
}

#[derive(Debug)]
pub(super) struct Queued {
    pub(super) ticket: Ticket,
    pub(super) command: Command,
}

impl Flight {
    pub(super) fn new(window: u16) -> Self {
        Self {
            window: usize::from(window.max(1)),
            next_id: 1,
            urgent: VecDeque::new(),
            waiting: VecDeque::new(),
            guests: VecDeque::new(),
            sent: BTreeMap::new(),
            finished: VecDeque::new(),
        }
    }

    /// Ids from here on.
    pub(super) fn start_at(&mut self, id: u32) {
        self.next_id = id.max(1);
    }

    /// The next id: never 0, never one that is outstanding.
    pub(super) fn id(&mut self) -> u32 {
        loop {
            let id = self.next_id;
            self.next_id = self.next_id.checked_add(1).unwrap_or(1);
            if !self.sent.contains_key(&id) {
                return id;
            }
        }
    }

    pub(super) fn queue(&mut self, ticket: Ticket, command: Command) {
        let queue = match command.rank {
            Rank::Urgent => &mut self.urgent,
            Rank::Ordinary => &mut self.waiting,
            Rank::Guest => &mut self.guests,
        };
        queue.push_back(Queued { ticket, command });
    }

    /// The next command that the window lets through, with its id; it counts as sent.
    pub(super) fn depart(&mut self, now: Time, depth: u32) -> Option<(u32, Command)> {
        if self.is_full() {
            return None;
        }
        let next = self.urgent.pop_front().or_else(|| self.waiting.pop_front()).or_else(|| self.guests.pop_front());
        let Queued { ticket, command } = next?;
        let id = self.id();
        let late = now + deadline::LATE;
        // What changes nothing may be asked twice.
        let repeatable = command.operation == Operation::Query && command.timeout <= deadline::REPEATABLE;
        let again = repeatable.then(|| Again { at: late, command: command.clone(), left: deadline::REPEATS });
        let Command { service, cid, timeout, rank, .. } = command;
        self.sent
            .insert(id, Sent { ticket, service, cid, rank, deadline: now + timeout, late: Some(late), depth, again });
        Some((id, command))
    }

    /// Time has passed: what waits for too long may be lost.
    pub(super) fn wake(&mut self, now: Time) {
        for sent in self.sent.values_mut() {
            sent.late.take_if(|late| *late <= now);
        }
    }

    /// A question whose answer stays away, to be put again under another id. Whichever is answered first counts.
    pub(super) fn repeat(&mut self, now: Time) -> Option<(u32, Command)> {
        let room = if self.is_full() { self.room() } else { None };
        let due = self.sent.values_mut().find(|sent| sent.again.as_ref().is_some_and(|again| again.at <= now))?;
        if let (Some(room), Some(again)) = (room, &mut due.again) {
            again.at = room;
            return None;
        }
        let Again { command, left, .. } = due.again.take()?;
        let late = now + deadline::LATE;
        let left = left.saturating_sub(1);
        let again = (left > 0 && late < due.deadline).then(|| Again { at: late, command: command.clone(), left });
        let copy = Sent { late: Some(late), again, ..due.clone() };
        let id = self.id();
        self.sent.insert(id, copy);
        Some((id, command))
    }

    fn is_full(&self) -> bool {
        self.sent.values().filter(|sent| sent.late.is_some()).count() >= self.window
    }

    /// When the next one no longer fills the window.
    fn room(&self) -> Option<Time> {
        self.sent.values().filter_map(|sent| sent.late).min()
    }

    /// Whether the same command is under way with another id too.
    pub(super) fn is_repeated(&self, id: u32) -> bool {
        let ticket = self.sent.get(&id).map(|sent| sent.ticket);
        self.sent.values().filter(|sent| Some(sent.ticket) == ticket).count() > 1
    }

    /// Whether it was put again meanwhile with another id, and this is not the last of them.
    pub(super) fn is_outrun(&self, id: u32) -> bool {
        self.sent.get(&id).is_some_and(|sent| sent.late.is_none()) && self.is_repeated(id)
    }

    /// This one of several copies was not taken; the others are waited for.
    pub(super) fn discard(&mut self, id: u32) {
        if self.sent.remove(&id).is_some() {
            self.remember(id, Stray::Duplicate);
        }
    }

    /// Forgets all copies of a command.
    fn forget(&mut self, ticket: Ticket) {
        let copies: Vec<u32> = self.sent.iter().filter(|(_, sent)| sent.ticket == ticket).map(|(id, _)| *id).collect();
        for id in copies {
            self.remember(id, Stray::Late);
            self.sent.remove(&id);
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<&Sent> {
        self.sent.get(&id)
    }

    /// Takes a command that was answered.
    pub(super) fn arrive(&mut self, id: u32) -> Option<Sent> {
        let sent = self.sent.remove(&id)?;
        self.remember(id, Stray::Duplicate);
        self.forget(sent.ticket);
        Some(sent)
    }

    /// What an answer with an id that nobody waits for is.
    pub(super) fn stray(&self, id: u32) -> Stray {
        self.finished.iter().rev().find(|(known, _)| *known == id).map_or(Stray::Foreign, |(_, what)| *what)
    }

    /// Takes all commands whose time is over, in order of their ids.
    pub(super) fn overdue(&mut self, now: Time) -> Vec<Sent> {
        let late: Vec<u32> = self.sent.iter().filter(|(_, sent)| sent.deadline <= now).map(|(id, _)| *id).collect();
        let mut ended: Vec<Sent> = Vec::new();
        for id in late {
            self.remember(id, Stray::Late);
            let Some(sent) = self.sent.remove(&id) else { continue };
            if !self.sent.values().chain(&ended).any(|other| other.ticket == sent.ticket) {
                ended.push(sent);
            }
        }
        ended
    }

    /// Gives up on a command: its answer would be late. Whether it was there.
    pub(super) fn abandon(&mut self, ticket: Ticket) -> bool {
        let waiting = self.unsent();
        self.urgent.retain(|queued| queued.ticket != ticket);
        self.waiting.retain(|queued| queued.ticket != ticket);
        self.guests.retain(|queued| queued.ticket != ticket);
        let sent = self.sent.len();
        self.forget(ticket);
        self.sent.len() < sent || self.unsent() < waiting
    }

    /// Its answer began and broke off: little time is left for a second beginning.
    pub(super) fn hurry(&mut self, id: u32, now: Time, within: Duration) {
        if let Some(sent) = self.sent.get_mut(&id) {
            sent.deadline = sent.deadline.min(now + within);
        }
    }

    /// Takes everything, sent first; ids are not given again.
    pub(super) fn clear(&mut self) -> Vec<Ticket> {
        let sent: Vec<u32> = self.sent.keys().copied().collect();
        let mut all = Vec::new();
        for id in sent {
            self.remember(id, Stray::Late);
            all.extend(self.sent.remove(&id).map(|sent| sent.ticket).filter(|ticket| !all.contains(ticket)));
        }
        let unsent = self.urgent.drain(..).chain(self.waiting.drain(..)).chain(self.guests.drain(..));
        all.extend(unsent.map(|queued| queued.ticket));
        all
    }

    /// The next moment at which something is overdue, to be put again, or makes room for what waits.
    pub(super) fn next_deadline(&self) -> Option<(Time, &'static str)> {
        let overdue = self.sent.values().map(|sent| (sent.deadline, "answer overdue")).min();
        let again = self.sent.values().filter_map(|sent| Some((sent.again.as_ref()?.at, "ask again"))).min();
        let waits = self.unsent() > 0;
        let room = self.room().filter(|_| waits).map(|at| (at, "answer late"));
        [overdue, again, room].into_iter().flatten().min()
    }

    pub(super) fn guests_waiting(&self) -> usize {
        self.guests.len()
    }

    fn unsent(&self) -> usize {
        self.urgent.len() + self.waiting.len() + self.guests.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.sent.len()
    }

    fn remember(&mut self, id: u32, what: Stray) {
        if self.finished.len() == REMEMBERED {
            self.finished.pop_front();
        }
        self.finished.push_back((id, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mbim_proto::Operation;

    fn command(rank: Rank) -> Command {
        Command {
            service: Uuid([0; 16]),
            cid: 1,
            operation: Operation::Query,
            buffer: Vec::new(),
            timeout: Duration::from_secs(10),
            rank,
        }
    }

    #[test]
    fn ids_wrap_to_one_and_skip_those_outstanding() {
        let mut flight = Flight::new(4);
        flight.queue(Ticket(1), command(Rank::Ordinary));
        assert_eq!(flight.depart(Time::ZERO, 1).unwrap().0, 1);
        flight.next_id = u32::MAX;
        flight.queue(Ticket(2), command(Rank::Ordinary));
        flight.queue(Ticket(3), command(Rank::Ordinary));
        assert_eq!(flight.depart(Time::ZERO, 1).unwrap().0, u32::MAX);
        assert_eq!(flight.depart(Time::ZERO, 1).unwrap().0, 2, "0 is no id and 1 is outstanding");
    }

    #[test]
    fn the_window_holds_and_urgent_goes_first() {
        let mut flight = Flight::new(0);
        flight.queue(Ticket(1), command(Rank::Ordinary));
        flight.queue(Ticket(2), command(Rank::Ordinary));
        flight.queue(Ticket(3), command(Rank::Urgent));
        let (first, _) = flight.depart(Time::ZERO, 1).unwrap();
        assert_eq!(flight.get(first).unwrap().ticket, Ticket(3));
        assert!(flight.depart(Time::ZERO, 1).is_none(), "0 outstanding counts as 1");
        flight.arrive(first).unwrap();
        let (second, _) = flight.depart(Time::ZERO, 1).unwrap();
        assert_eq!(flight.get(second).unwrap().ticket, Ticket(1));
        assert_eq!(flight.clear(), [Ticket(1), Ticket(2)]);
        assert_eq!(flight.in_flight(), 0);
    }

    #[test]
    fn guests_come_last() {
        let mut flight = Flight::new(1);
        for (ticket, rank) in [(1, Rank::Guest), (2, Rank::Guest), (3, Rank::Ordinary), (4, Rank::Urgent)] {
            flight.queue(Ticket(ticket), command(rank));
        }
        assert_eq!(flight.guests_waiting(), 2);
        let mut order = Vec::new();
        while let Some((id, _)) = flight.depart(Time::ZERO, 1) {
            order.extend(flight.arrive(id).map(|sent| sent.ticket.0));
        }
        assert_eq!(order, [4, 3, 1, 2]);
    }

    #[test]
    fn strays_are_told_apart() {
        let mut flight = Flight::new(8);
        for ticket in 1..=2 {
            flight.queue(Ticket(ticket), command(Rank::Ordinary));
            flight.depart(Time::ZERO, 1).unwrap();
        }
        flight.arrive(1).unwrap();
        assert_eq!(flight.overdue(Duration::from_secs(9)).len(), 0);
        assert_eq!(flight.overdue(Duration::from_secs(10)).len(), 1);
        assert_eq!(
            (flight.stray(1), flight.stray(2), flight.stray(3)),
            (Stray::Duplicate, Stray::Late, Stray::Foreign)
        );
    }
}

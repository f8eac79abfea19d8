//! The task that moves the packets of one modem.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use mbim_proto::ntb::Limits;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, Sleep};

use super::cut::{self, Cutter};
use super::pump::{Downlink, Flow, Outgoing, Uplink, is_whole};
use super::stall::{Cause, Event, Order, Patience, Stall, State, Way};
use super::tun::{Read, Tun};
use super::{Ended, Pipes, Tuns};

/// Transfers from the device that are under way at once.
const MOST_IN: usize = 4;
/// Steps until the task lets others have their turn.
const TURN: usize = 64;
/// Time that transfers which were taken back may need to end.
const TAKING_BACK: Duration = Duration::from_secs(2);
/// Blocks of garbage in a row that are a trouble.
const GARBAGE: u32 = 16;

/// What both directions of a plane may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Blocks from the device.
    pub(crate) input: Limits,
    /// Blocks to the device.
    pub(crate) output: Limits,
    /// `wMaxPacketSize` of the endpoint to the device, octets.
    pub(crate) packet: u16,
    /// Longest packet, octets.
    pub(crate) largest: u16,
}

/// How a plane does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// Why packets do not move.
    pub(crate) trouble: Option<Trouble>,
    /// Transfers that failed, blocks and packets that were lost or wrong, so far.
    pub(crate) faults: u64,
}

/// Why packets do not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The transfers.
    Transfers(Cause),
    /// The device sends octets that are no blocks.
    Garbage,
}

/// Packets between the interfaces and the pipes of one modem.
#[derive(Debug)]
pub(crate) struct Plane<P> {
    pipes: P,
    /// The interfaces by session id.
    open: Vec<(u8, Arc<Tun>)>,
    /// Where the next round over the interfaces begins, so that none starves.
    first: usize,
    cutter: Cutter,
    up: Uplink,
    down: Downlink,
    stall: Stall,
    health: watch::Sender<Health>,
    failed: u64,
    garbage: u32,
    start: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What went through a plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// To the device.
    pub(crate) up: Flow,
    /// From the device.
    pub(crate) down: Flow,
    /// Transfers that failed, blocks and packets that were lost or wrong.
    pub(crate) faults: u64,
}

impl<P: Pipes> Plane<P> {
    /// A plane at rest. `health` is told what is wrong.
    pub(crate) fn new(pipes: P, agreed: &Agreed, patience: Patience, health: watch::Sender<Health>) -> Self {
        Self {
            pipes,
            open: Vec::new(),
            first: 0,
            cutter: Cutter::new(),
            up: Uplink::new(agreed.output, agreed.packet, agreed.largest),
            down: Downlink::new(agreed.input),
            stall: Stall::new(patience),
            health,
            failed: 0,
            garbage: 0,
            start: Instant::now(),
            timer: None,
        }
    }

    /// Moves packets until told to stop or the device is gone; then everything is taken back, and a device that is still
    /// there has its data interface in the idle setting.
    pub(crate) async fn run(mut self, tuns: Tuns, mut stop: oneshot::Receiver<()>) -> Totals {
        let mut list = tuns.follow();
        self.open.clone_from(&list.borrow_and_update());
        loop {
            let order = tokio::select! {
                biased;
                _ = &mut stop => break,
                Ok(()) = list.changed() => {
                    self.open.clone_from(&list.borrow_and_update());
                    continue;
                }
                order = poll_fn(|cx| self.turn(cx)) => order,
            };
            self.tell();
            match order {
                Order::Nothing if self.stall.state() == State::Gone => break,
                Order::Nothing => {}
                Order::Clear(way) => {
                    self.take_back(&[way]).await;
                    let cleared = self.pipes.clear(way).await;
                    self.handle(Event::Cleared(cleared));
                }
                Order::GiveUp => {
                    self.take_back(&[Way::Out]).await;
                    self.handle(Event::GivenUp);
                }
                Order::TakeBack => self.take_back(&[Way::In, Way::Out]).await,
                Order::Reset => {
                    self.take_back(&[Way::In, Way::Out]).await;
                    let reset = self.pipes.reset().await;
                    self.up.restart();
                    self.down.restart();
                    self.handle(Event::Reset(reset));
                }
            }
            self.tell();
        }
        self.take_back(&[Way::In, Way::Out]).await;
        if self.stall.state() != State::Gone {
            self.pipes.idle().await;
        }
        Totals { up: self.up.flow(), down: self.down.flow(), faults: self.faults() }
    }

    /// Everything that can be done now; ready when something has to be done that takes time.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Order> {
        for _ in 0..TURN {
            if self.stall.may_submit() {
                while self.pipes.pending(Way::In) < MOST_IN {
                    self.pipes.begin_in();
                }
            }
            let mut moved = false;
            for way in [Way::In, Way::Out] {
                let Poll::Ready(ended) = self.poll_end(way, cx) else { continue };
                moved = true;
                let order = self.ended(way, ended);
                if order != Order::Nothing || self.stall.state() == State::Gone {
                    return Poll::Ready(order);
                }
            }
            if moved {
                self.tell();
            }
            let sent = self.stall.may_submit() && self.send(cx);
            if moved || sent {
                continue;
            }
            return match self.poll_timer(cx) {
                Poll::Ready(Order::Nothing) => continue,
                other => other,
            };
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The next transfer that ended, with what it brought delivered.
    fn poll_end(&mut self, way: Way, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { pipes, up, down, open, garbage, .. } = self;
        if way == Way::Out {
            let (block, ended) = ready!(pipes.poll_out(cx));
            if !block.is_empty() {
                up.ended(block, ended == Ended::Done);
            }
            return Poll::Ready(ended);
        }
        let before = down.flow().blocks;
        let mut octets = 0;
        let ended = ready!(pipes.poll_in(cx, &mut |transfer| {
            octets = transfer.len();
            down.take(transfer, |session, burst| {
                open.iter().find(|(id, _)| *id == session).is_some_and(|(_, tun)| tun.write(burst))
            });
        }));
        if down.flow().blocks > before {
            *garbage = 0;
        } else if octets > 0 {
            *garbage = garbage.saturating_add(1);
        }
        Poll::Ready(ended)
    }

    fn ended(&mut self, way: Way, ended: Ended) -> Order {
        let event = match ended {
            Ended::Done => Event::Moved(way, self.pipes.pending(way)),
            Ended::TakenBack => return Order::Nothing,
            Ended::Halted => Event::Halted(way),
            Ended::Fault => Event::Faulted(way),
            Ended::Gone => Event::Gone,
        };
        if matches!(ended, Ended::Halted | Ended::Fault) {
            self.failed = self.failed.saturating_add(1);
        }
        self.handle(event)
    }

    /// Reads packets into the block until it is full or none is left, and sends what is due.
    fn send(&mut self, cx: &mut Context<'_>) -> bool {
        let Self { open, first, cutter, up, .. } = self;
        let mut drained = true;
        let mut at = 0;
        while at < open.len() && up.has_room() {
            // What was begun goes on before anything else is read.
            if let Some(session) = cutter.session() {
                let Some(room) = up.room(session) else { break };
                match cutter.next(room) {
                    0 => up.refuse(),
                    octets => up.took(session, octets),
                }
                continue;
            }
            let turn = (*first + at) % open.len();
            let Some((session, tun)) = open.get(turn) else { break };
            let Some(room) = up.room(*session) else {
                drained = false;
                break;
            };
            match tun.poll_read(cx, room, cutter.rest(room.len())) {
                Read::Packet(header, octets) => match cutter.take(*session, &header, room, octets) {
                    cut::Read::Packet(octets) if room.get(..octets).is_some_and(is_whole) => {
                        up.took(*session, octets);
                    }
                    cut::Read::Packet(_) | cut::Read::Refused => up.refuse(),
                    cut::Read::Segments => up.took(*session, 0),
                },
                Read::Empty => {
                    up.took(*session, 0);
                    at += 1;
                    continue;
                }
                Read::Gone => {
                    up.took(*session, 0);
                    open.remove(turn);
                    continue;
                }
            }
            // The next packet is another interface's turn, if that has one.
            *first = turn + 1;
            at = 0;
        }
        if at < open.len() {
            drained = false;
        }
        let Some(Outgoing { block, zero_length_packet }) = self.up.next_block(drained) else { return false };
        self.pipes.begin_out(block);
        if zero_length_packet {
            self.pipes.begin_out(Vec::new());
        }
        self.handle(Event::Submitted);
        true
    }

    fn handle(&mut self, event: Event) -> Order {
        self.stall.handle(self.start.elapsed(), event)
    }

    /// The one timer is set when none is running and may ring too early; then it is set anew. So moving packets costs
    /// no timer.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Order> {
        let Some(wake) = self.stall.wake() else { return Poll::Pending };
        let due = self.start + wake;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        match timer.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                self.timer = None;
                Poll::Ready(self.handle(Event::Tick))
            }
        }
    }

    /// Takes transfers back and waits until they have ended, for a bounded time.
    async fn take_back(&mut self, ways: &[Way]) {
        for way in ways {
            self.pipes.take_back(*way);
        }
        let ended = poll_fn(|cx| {
            for way in ways {
                // What came before it was taken back is as good as any.
                while let Poll::Ready(ended) = self.poll_end(*way, cx) {
                    if ended == Ended::Gone {
                        self.handle(Event::Gone);
                    }
                }
            }
            if ways.iter().all(|way| self.pipes.pending(*way) == 0) { Poll::Ready(()) } else { Poll::Pending }
        });
        if tokio::time::timeout(TAKING_BACK, ended).await.is_err() {
            tracing::warn!(?ways, "transfers that were taken back do not end");
        }
    }

    fn faults(&self) -> u64 {
        [self.failed, self.down.faults().total(), self.down.missing()].iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Tells how it does, where that changed.
    fn tell(&self) {
        let garbage = (self.garbage >= GARBAGE).then_some(Trouble::Garbage);
        let trouble = self.stall.cause().map(Trouble::Transfers).or(garbage);
        let faults = self.faults();
        self.health.send_if_modified(|health| {
            let news = health.trouble != trouble;
            *health = Health { trouble, faults };
            news
        });
    }
}

#[cfg(test)]
pub(super) mod tests;

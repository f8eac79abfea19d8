//! Between packets and transfer blocks, without any IO: [`Uplink`] gathers packets into blocks and says when one is to be
//! sent, [`Downlink`] takes blocks apart. Neither copies a packet: it is read from the interface into its place in the
//! block, and written to the interface from where the block has it. Neither allocates for a packet or a block.
//!
//! A block is sent when it is full, or when no more packets are queued and the device is not busy with others already;
//! so a lone packet goes at once, and packets gather just as long as the device takes. There is no timer.

use super::merge::{Burst, Merger};
use mbim_proto::ntb::{Block, Builder, Ending, Faults, Limits, SequenceCheck, Stream};

/// Blocks in flight to the device at most. With one being filled this bounds what is held of an upload; the rest waits
/// in the interface's queue.
pub(crate) const MOST_IN_FLIGHT: usize = 4;
/// Blocks in flight from which on a block that is not full waits for company.
const EAGER: usize = 2;

/// What went through in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Transfer blocks.
    pub(crate) blocks: u64,
    /// Packets.
    pub(crate) packets: u64,
    /// Octets of packets.
    pub(crate) octets: u64,
    /// Packets, or blocks of unknown content, that were lost.
    pub(crate) lost: u64,
}

/// What the block that is being filled is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// It has no packet yet.
    Empty,
    /// It has some, and room for one more.
    Partial,
    /// There may be no room for another packet.
    Full,
}

/// A block to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Its octets; the buffer comes back by [`Uplink::ended`].
    pub(crate) block: Vec<u8>,
    /// A transfer of no octets follows.
    pub(crate) zero_length_packet: bool,
}

/// Packets → blocks.
#[derive(Debug)]
pub(crate) struct Uplink {
    builder: Builder,
    sequence: u16,
    /// `wMaxPacketSize` of the endpoint, octets.
    packet: u16,
    /// Room that every packet is given, octets.
    largest: usize,
    filling: Filling,
    in_flight: usize,
    spare: Vec<Vec<u8>>,
    flow: Flow,
}

impl Uplink {
    /// `limits` of this direction; `packet`: `wMaxPacketSize` of the endpoint; `largest`: octets of the longest packet.
    pub(crate) fn new(limits: Limits, packet: u16, largest: u16) -> Self {
        let mut builder = Builder::new(limits);
        builder.start(0);
        let largest = usize::from(largest).min(builder.fits(Stream::Ip(0)));
        Self {
            builder,
            sequence: 0,
            packet,
            largest,
            filling: Filling::Empty,
            in_flight: 0,
            spare: Vec::with_capacity(MOST_IN_FLIGHT),
            flow: Flow::default(),
        }
    }

    /// Room for the next packet of an IP session, to be followed by [`Self::took`]. `None` = send a block first, and
    /// when none can be sent, let the packets wait.
    pub(crate) fn room(&mut self, session: u8) -> Option<&mut [u8]> {
        let stream = Stream::Ip(session);
        if self.filling == Filling::Full || self.builder.fits(stream) < self.largest {
            // A stream that is new to the block needs more room than one that has its table.
            if self.filling == Filling::Partial {
                self.filling = Filling::Full;
            }
            return None;
        }
        self.builder.room(stream, self.largest)
    }

    /// Whether a packet of some session may find room now.
    pub(crate) fn has_room(&self) -> bool {
        self.filling != Filling::Full
    }

    /// So many octets of the room were used; 0 = none came.
    pub(crate) fn took(&mut self, session: u8, octets: usize) {
        self.builder.shrink(octets);
        if octets == 0 {
            return;
        }
        self.flow.packets += 1;
        self.flow.octets += octets as u64;
        let full = self.builder.fits(Stream::Ip(session)) < self.largest;
        self.filling = if full { Filling::Full } else { Filling::Partial };
    }

    /// A packet in the room just given was no packet, or was cut.
    pub(crate) fn refuse(&mut self) {
        self.builder.shrink(0);
        self.flow.lost += 1;
    }

    /// The block to send now, if one is due. `drained`: no interface has a packet waiting.
    pub(crate) fn next_block(&mut self, drained: bool) -> Option<Outgoing> {
        let allowed = match self.filling {
            Filling::Empty => return None,
            Filling::Partial if drained => EAGER,
            Filling::Partial => return None,
            Filling::Full => MOST_IN_FLIGHT,
        };
        if self.in_flight >= allowed {
            return None;
        }
        let block = self.builder.finish_into(self.spare.pop().unwrap_or_default());
        self.sequence = self.sequence.wrapping_add(1);
        self.builder.start(self.sequence);
        self.filling = Filling::Empty;
        self.in_flight += 1;
        self.flow.blocks += 1;
        // A block of the maximum ends its transfer by itself, but many functions hang without this.
        let ending = Ending::of(block.len(), self.packet, self.builder.limits().max_size);
        Some(Outgoing { block, zero_length_packet: ending != Ending::Short })
    }

    /// A block's transfer ended.
    pub(crate) fn ended(&mut self, block: Vec<u8>, sent: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if !sent {
            self.flow.lost += 1;
        }
        if self.spare.len() < MOST_IN_FLIGHT {
            self.spare.push(block);
        }
    }

    /// The data path was reset: numbers begin anew.
    pub(crate) fn restart(&mut self) {
        self.sequence = 0;
        self.filling = Filling::Empty;
        self.builder.start(0);
    }

    /// Blocks in flight.
    #[cfg(test)]
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// What went through.
    pub(crate) const fn flow(&self) -> Flow {
        self.flow
    }
}

/// Whether the octets are one whole packet, by its header's own length: a read that filled its room may have cut it.
pub(crate) fn is_whole(packet: &[u8]) -> bool {
    let length = |at: usize| packet.get(at..).and_then(|rest| rest.first_chunk()).map(|b| u16::from_be_bytes(*b));
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => length(2).is_some_and(|total| usize::from(total) == packet.len()),
        Some(6) => length(4).is_some_and(|payload| usize::from(payload) + 40 == packet.len()),
        _ => false,
    }
}

/// Blocks → packets.
#[derive(Debug)]
pub(crate) struct Downlink {
    limits: Limits,
    sequence: SequenceCheck,
    faults: Faults,
    flow: Flow,
}

impl Downlink {
    /// `limits` of this direction.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, sequence: SequenceCheck::default(), faults: Faults::default(), flow: Flow::default() }
    }

    /// Takes one transfer apart. `deliver` is given each packet, or several in one, with the session, and says whether
    /// they were taken.
    pub(crate) fn take(&mut self, transfer: &[u8], mut deliver: impl FnMut(u8, &Burst<'_>) -> bool) {
        // The zero-length packet behind a block of full packets.
        if transfer.is_empty() {
            return;
        }
        let block = match Block::parse(transfer, &self.limits) {
            Ok(block) => block,
            Err(fault) => {
                self.faults.note(fault);
                self.flow.lost += 1;
                return;
            }
        };
        self.sequence.take(block.sequence());
        self.flow.blocks += 1;
        let Self { faults, flow, .. } = self;
        let mut merger = Merger::new();
        let mut elsewhere = 0;
        let mut write = |session, burst: &Burst<'_>| {
            if deliver(session, burst) {
                flow.packets += burst.packets as u64;
                flow.octets += burst.octets() as u64;
            } else {
                flow.lost += burst.packets as u64;
            }
        };
        for item in block.datagrams() {
            let Some(datagram) = faults.sift(item) else { continue };
            match datagram.stream {
                Stream::Ip(session) => merger.take(session, datagram.payload, &mut write),
                // Nobody here listens to device services over the data path.
                Stream::DeviceService(_) => elsewhere += 1,
            }
        }
        merger.flush(&mut write);
        flow.lost += elsewhere;
    }

    /// The data path was reset: any number may come next.
    pub(crate) fn restart(&mut self) {
        self.sequence.restart();
    }

    /// What went through.
    pub(crate) const fn flow(&self) -> Flow {
        self.flow
    }

    /// What the device did wrong.
    pub(crate) const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Blocks that never came, by their numbers.
    pub(crate) fn missing(&self) -> u64 {
        self.sequence.missing()
    }
}

#[cfg(test)]
mod tests;

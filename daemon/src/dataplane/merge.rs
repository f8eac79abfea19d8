//! Packets of one TCP stream that stand one behind the other in a block go through the network stack as one, which the
//! kernel takes apart again where it has to. This is what a network card's driver has the kernel do; a TUN device takes
//! the result in the header that virtual network cards use. No payload is copied.
//!
//! A packet is merged only when the kernel would have made both out of one: the heads are equal but for what counts up,
//! and the checksums are right, because nobody looks at them afterwards.

use super::segment::{HEADER, LONGEST, NEEDS_SUM, PUSH, SEGMENTS_V4, SEGMENTS_V6, TCP, put, sum};

/// Packets in one.
pub(crate) const MOST: usize = 44;
/// Octets of the longest IPv6 and TCP heads together.
const LONGEST_HEAD: usize = 40 + 60;
const ACK: u8 = 0x10;

/// What is written at once.
#[derive(Debug)]
pub(crate) struct Burst<'b> {
    /// The header for the TUN device.
    pub(crate) header: [u8; HEADER],
    /// The heads of IP and TCP where packets were merged, else empty.
    pub(crate) head: &'b [u8],
    /// What follows, one piece behind the other.
    pub(crate) parts: &'b [&'b [u8]],
    /// Packets in it.
    pub(crate) packets: usize,
}

impl Burst<'_> {
    /// Octets without the header.
    pub(crate) fn octets(&self) -> usize {
        self.head.len() + self.parts.iter().map(|part| part.len()).sum::<usize>()
    }
}

/// Merges what comes in a row.
#[derive(Debug)]
pub(crate) struct Merger<'a> {
    session: u8,
    /// The first packet, and what is known of it; `None` = nothing waits.
    first: Option<(&'a [u8], Head)>,
    parts: [&'a [u8]; MOST],
    count: usize,
    /// Number of the octet that follows.
    next: u32,
    octets: usize,
    push: bool,
}

/// A TCP packet that may be merged.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// Octets of the IP head.
    ip: usize,
    /// Octets of both heads.
    whole: usize,
    sequence: u32,
    flags: u8,
}

impl<'a> Merger<'a> {
    /// Nothing waits.
    pub(crate) const fn new() -> Self {
        Self { session: 0, first: None, parts: [&[]; MOST], count: 0, next: 0, octets: 0, push: false }
    }

    /// Takes one packet; `write` is given what is complete.
    pub(crate) fn take(&mut self, session: u8, packet: &'a [u8], write: &mut impl FnMut(u8, &Burst<'_>)) {
        let head = Head::of(packet);
        if let Some(head) = head
            && self.follows(session, packet, head)
        {
            self.add(packet, head);
            return;
        }
        self.flush(write);
        match head {
            Some(head) => {
                (self.session, self.first) = (session, Some((packet, head)));
                self.add(packet, head);
            }
            None => write(session, &Burst { header: [0; HEADER], head: &[], parts: &[packet], packets: 1 }),
        }
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self, write: &mut impl FnMut(u8, &Burst<'_>)) {
        let Some((packet, head)) = self.first.take() else { return };
        if self.count == 1 {
            write(self.session, &Burst { header: [0; HEADER], head: &[], parts: &[packet], packets: 1 });
        } else if let Some((octets, header)) = self.merged(packet, head) {
            let parts = self.parts.get(..self.count).unwrap_or_default();
            let head = octets.get(..head.whole).unwrap_or_default();
            write(self.session, &Burst { header, head, parts, packets: self.count });
        }
        (self.count, self.octets, self.push) = (0, 0, false);
    }

    fn add(&mut self, packet: &'a [u8], head: Head) {
        let payload = packet.get(head.whole..).unwrap_or_default();
        if let Some(part) = self.parts.get_mut(self.count) {
            *part = payload;
        }
        self.count += 1;
        self.octets += payload.len();
        self.next = head.sequence.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
        self.push = head.flags & PUSH != 0;
    }

    fn follows(&self, session: u8, packet: &[u8], head: Head) -> bool {
        let Some((first, of)) = self.first else { return false };
        let size = |at: usize| self.parts.get(at).map_or(0, |part| part.len());
        let payload = packet.len() - head.whole;
        // All are of one size but for the last, and what is pushed is the end.
        let fits = size(self.count - 1) == size(0) && payload <= size(0) && !self.push;
        let room = self.count < MOST && head.whole + self.octets + payload <= LONGEST;
        fits && room
            && self.session == session
            && (head.ip, head.whole) == (of.ip, of.whole)
            && head.sequence == self.next
            && is_alike(first, packet, head, self.count)
    }

    /// Both heads and the header for all that waits.
    fn merged(&self, packet: &[u8], head: Head) -> Option<([u8; LONGEST_HEAD], [u8; HEADER])> {
        let mut octets = [0; LONGEST_HEAD];
        octets.get_mut(..head.whole)?.copy_from_slice(packet.get(..head.whole)?);
        let segment = u16::try_from(head.whole - head.ip + self.octets).ok()?;
        let (addresses, kind) = if head.ip == 20 {
            let total = u16::try_from(head.whole + self.octets).ok()?;
            put(&mut octets, 2, total)?;
            put(&mut octets, 10, 0)?;
            let sum = !sum(0, octets.get(..20)?);
            put(&mut octets, 10, sum)?;
            (12..20, SEGMENTS_V4)
        } else {
            put(&mut octets, 4, segment)?;
            (8..40, SEGMENTS_V6)
        };
        if self.push {
            *octets.get_mut(head.ip + 13)? |= PUSH;
        }
        // The kernel goes on from the sum of what stands for the IP head.
        let pseudo = sum(u32::from(TCP) + u32::from(segment), octets.get(addresses)?);
        put(&mut octets, head.ip + 16, pseudo)?;
        let number = |value: usize| u16::try_from(value).unwrap_or(0).to_ne_bytes();
        let [length, size, start, offset] = [head.whole, self.parts.first()?.len(), head.ip, 16].map(number);
        let header =
            [NEEDS_SUM, kind, length[0], length[1], size[0], size[1], start[0], start[1], offset[0], offset[1]];
        Some((octets, header))
    }
}

impl Head {
    /// `None` = no TCP packet with octets in it, or one that is not to be merged with any.
    fn of(packet: &[u8]) -> Option<Self> {
        let number = |at: usize| packet.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two));
        let (ip, addresses) = match packet.first()? {
            0x45 => {
                let whole = usize::from(number(2)?) == packet.len();
                // No fragment: neither an offset nor more to come.
                let fits = whole && number(6)? & 0xBFFF == 0 && *packet.get(9)? == TCP;
                if !fits || sum(0, packet.get(..20)?) != 0xFFFF {
                    return None;
                }
                (20, 12..20)
            }
            first if first >> 4 == 6 => {
                if usize::from(number(4)?) + 40 != packet.len() || *packet.get(6)? != TCP {
                    return None;
                }
                (40, 8..40)
            }
            _ => return None,
        };
        let whole = ip + usize::from(*packet.get(ip + 12)? >> 4) * 4;
        let flags = *packet.get(ip + 13)?;
        if whole < ip + 20 || whole >= packet.len() || flags & !PUSH != ACK {
            return None;
        }
        let segment = packet.get(ip..)?;
        let pseudo = sum(u32::from(TCP) + u32::try_from(segment.len()).ok()?, packet.get(addresses)?);
        if sum(pseudo.into(), segment) != 0xFFFF {
            return None;
        }
        let sequence = u32::from_be_bytes(*packet.get(ip + 4..)?.first_chunk()?);
        Some(Self { ip, whole, sequence, flags })
    }
}

/// Whether the heads of two packets differ in nothing but what counts up.
fn is_alike(first: &[u8], packet: &[u8], head: Head, count: usize) -> bool {
    let same = |range: core::ops::Range<usize>| first.get(range.clone()) == packet.get(range);
    let tcp = |from: usize, to: usize| same(head.ip + from..head.ip + to);
    let network = if head.ip == 20 {
        let id = |packet: &[u8]| packet.get(4..).and_then(|rest| rest.first_chunk()).map(|id| u16::from_be_bytes(*id));
        // A packet that may be cut on its way is known by its number.
        let whole = packet.get(6).is_some_and(|flags| flags & 0x40 != 0);
        let counts = || id(first).map(|id| id.wrapping_add(u16::try_from(count).unwrap_or(0))) == id(packet);
        same(0..2) && same(6..10) && same(12..20) && (whole || counts())
    } else {
        same(0..4) && same(6..40)
    };
    // Ports; acknowledgement and length; window; urgent pointer and options.
    network && tcp(0, 4) && tcp(8, 13) && tcp(14, 16) && tcp(18, head.whole - head.ip)
}

#[cfg(test)]
pub(super) mod tests;

//! Packets of the kernel that it left to us to finish: with sums to be made, or several TCP segments in one. So a whole
//! row of segments costs one read. The kernel does the same in software for a card that cannot.

use super::segment::{HEADER, LONGEST, NEEDS_SUM, PUSH, SEGMENTS_V4, SEGMENTS_V6, TCP, put, sum};

const FIN: u8 = 0x01;
/// The flag that says that the window was made smaller; of the first segment alone.
const REDUCED: u8 = 0x80;

/// Takes a large packet apart.
#[derive(Debug)]
pub(crate) struct Cutter {
    /// The packet.
    octets: Vec<u8>,
    cut: Option<Cut>,
}

/// Where it stands.
#[derive(Clone, Copy, Debug)]
struct Cut {
    session: u8,
    /// Octets of the IP head.
    ip: usize,
    /// Octets of both heads.
    whole: usize,
    /// Octets of the payload of each segment but the last.
    size: usize,
    /// Where the next segment's payload begins.
    at: usize,
    /// Octets of the packet.
    end: usize,
    /// Segments so far.
    count: u16,
}

/// What is to be done with a packet that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// It is done: so many octets in the room that it was read to.
    Packet(usize),
    /// It is to be cut: [`Cutter::next`] gives its segments. Nothing in the room is of use.
    Segments,
    /// It is none, or longer than may be.
    Refused,
}

impl Cutter {
    /// Nothing to cut.
    pub(crate) fn new() -> Self {
        Self { octets: vec![0; LONGEST + 1], cut: None }
    }

    /// Where the octets of a packet go for which a room of this size is too small.
    pub(crate) fn rest(&mut self, room: usize) -> &mut [u8] {
        self.octets.get_mut(room..).unwrap_or_default()
    }

    /// Session of the packet that is being cut; `None` = there is none.
    pub(crate) fn session(&self) -> Option<u8> {
        self.cut.map(|cut| cut.session)
    }

    /// Looks at a packet of so many octets that was read into `room`, and what did not fit into [`Self::rest`].
    pub(crate) fn take(&mut self, session: u8, header: &[u8; HEADER], room: &mut [u8], octets: usize) -> Read {
        let [flags, kind, _, _, size @ .., _, _, _, _] = *header;
        let [_, _, _, _, _, _, start @ .., _, _] = *header;
        let [_, _, _, _, _, _, _, _, offset @ ..] = *header;
        let [size, start, offset] = [size, start, offset].map(|two| usize::from(u16::from_ne_bytes(two)));
        if kind == 0 {
            let Some(packet) = room.get_mut(..octets) else { return Read::Refused };
            if flags & NEEDS_SUM != 0 && complete(packet, start, offset).is_none() {
                return Read::Refused;
            }
            return Read::Packet(octets);
        }
        let front = octets.min(room.len());
        if let (Some(to), Some(from)) = (self.octets.get_mut(..front), room.get(..front)) {
            to.copy_from_slice(from);
        }
        self.cut = Cut::of(session, self.octets.get(..octets).unwrap_or_default(), kind, size, start);
        // Each segment has to find room.
        self.cut = self.cut.filter(|cut| cut.whole + cut.size.min(cut.end - cut.whole) <= room.len());
        if self.cut.is_some() { Read::Segments } else { Read::Refused }
    }

    /// Writes the next segment to the start of `room`; its octets. 0 = it has no room, and the rest of the packet is lost.
    pub(crate) fn next(&mut self, room: &mut [u8]) -> usize {
        let Some(cut) = self.cut.take() else { return 0 };
        let payload = cut.size.min(cut.end - cut.at);
        let last = cut.at + payload >= cut.end;
        let Some(octets) = cut.segment(&self.octets, payload, last, room) else { return 0 };
        self.cut = (!last).then_some(Cut { at: cut.at + payload, count: cut.count.wrapping_add(1), ..cut });
        octets
    }
}

impl Cut {
    /// `None` = it is not what its header says.
    fn of(session: u8, packet: &[u8], kind: u8, size: usize, ip: usize) -> Option<Self> {
        let (version, least, protocol) = match kind {
            SEGMENTS_V4 => (4, 20, *packet.get(9)?),
            // Extension headers stand before TCP.
            SEGMENTS_V6 => (6, 40, TCP),
            _ => return None,
        };
        let whole = ip + usize::from(*packet.get(ip + 12)? >> 4) * 4;
        let fits = packet.first()? >> 4 == version && ip >= least && protocol == TCP && whole >= ip + 20;
        (fits && size > 0 && whole < packet.len()).then_some(Self {
            session,
            ip,
            whole,
            size,
            at: whole,
            end: packet.len(),
            count: 0,
        })
    }

    fn segment(&self, packet: &[u8], payload: usize, last: bool, room: &mut [u8]) -> Option<usize> {
        let &Self { ip, whole, at, count, .. } = self;
        let octets = whole + payload;
        let segment = room.get_mut(..octets)?;
        let (heads, body) = segment.split_at_mut(whole);
        heads.copy_from_slice(packet.get(..whole)?);
        body.copy_from_slice(packet.get(at..at + payload)?);
        let number = |at: usize| packet.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two));
        let addresses = if packet.first()? >> 4 == 4 {
            put(segment, 2, u16::try_from(octets).ok()?)?;
            put(segment, 4, number(4)?.wrapping_add(count))?;
            put(segment, 10, 0)?;
            put(segment, 10, !sum(0, segment.get(..ip)?))?;
            12..20
        } else {
            put(segment, 4, u16::try_from(octets - 40).ok()?)?;
            8..40
        };
        let sequence = u32::from_be_bytes(*packet.get(ip + 4..)?.first_chunk()?);
        let sequence = sequence.wrapping_add(u32::try_from(at - whole).ok()?).to_be_bytes();
        segment.get_mut(ip + 4..ip + 8)?.copy_from_slice(&sequence);
        let flags = segment.get_mut(ip + 13)?;
        *flags &= if last { !0 } else { !(FIN | PUSH) };
        *flags &= if count == 0 { !0 } else { !REDUCED };
        put(segment, ip + 16, 0)?;
        let pseudo = sum(u32::from(TCP) + u32::try_from(octets - ip).ok()?, segment.get(addresses)?);
        put(segment, ip + 16, !sum(pseudo.into(), segment.get(ip..)?))?;
        Some(octets)
    }
}

/// Puts the checksum that was left open: where it goes stands the sum of what it covers beside the packet itself.
fn complete(packet: &mut [u8], start: usize, offset: usize) -> Option<()> {
    let sum = !sum(0, packet.get(start..)?);
    // As UDP sends it, for which 0 means that there is none; for the others both are the same.
    put(packet, start + offset, if sum == 0 { 0xFFFF } else { sum })
}

#[cfg(test)]
mod tests;

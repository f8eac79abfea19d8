//! Packets out of pcap and pcapng files, both byte orders. Nothing is copied.

use core::time::Duration;

use mbim_proto::MbimEx;

use crate::write::{BYTE_ORDER, ENHANCED, INTERFACE, OPTION_DESCRIPTION, OPTION_RESOLUTION, SECTION, in_force};
use crate::{Malformed, Problem};

/// Blocks of packets without time, and those of old writers. [pcapng 4.4, appendix A]
const SIMPLE: u32 = 3;
const OBSOLETE: u32 = 2;
/// Option of an interface: what is added to its times. [pcapng 4.2]
const OPTION_SHIFT: u16 = 14;
/// How a pcap file starts, with microseconds and with nanoseconds.
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Bytes of a pcap file's header, and of the header of each packet.
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;

/// A packet as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Where its bytes start in the file.
    pub offset: usize,
    /// Since 1970-01-01 UTC; none if the file does not say.
    pub time: Option<Duration>,
    /// What its first bytes are: a LINKTYPE of the capture formats.
    pub link_type: u16,
    /// The bytes that were kept.
    pub bytes: &'a [u8],
    /// Bytes that it had.
    pub size: u32,
    /// Whether its numbers are big-endian, where a link type leaves that to the machine that captured.
    pub big_endian: bool,
    /// The release of MBIM's extensions that was in force before the first packet, if the file says so.
    pub mbimex: Option<MbimEx>,
}

/// Whether a file starts like a capture.
pub fn is_capture(file: &[u8]) -> bool {
    let Some(first) = word(file, 0, false) else { return false };
    let pcap = [MICROSECONDS, NANOSECONDS].into_iter().any(|magic| magic == first || magic.swap_bytes() == first);
    pcap || first == SECTION
}

/// The packets of a file.
///
/// # Errors
/// It is neither pcap nor pcapng, or ends inside of its header.
pub fn packets(file: &[u8]) -> Result<Packets<'_>, Malformed> {
    let unknown = Malformed { part: "file", offset: 0, problem: Problem::Unknown };
    let first = word(file, 0, false).ok_or(unknown)?;
    let kind = match first {
        SECTION => Kind::Blocks { interfaces: Vec::new() },
        MICROSECONDS | NANOSECONDS => Kind::Plain { link_type: 0, nanoseconds: first == NANOSECONDS },
        _ => match first.swap_bytes() {
            swapped @ (MICROSECONDS | NANOSECONDS) => Kind::Plain { link_type: 0, nanoseconds: swapped == NANOSECONDS },
            _ => return Err(unknown),
        },
    };
    let big_endian = matches!(first.swap_bytes(), MICROSECONDS | NANOSECONDS);
    let mut packets = Packets { file, at: 0, big_endian, kind };
    if let Kind::Plain { link_type, .. } = &mut packets.kind {
        let header = Malformed {
            part: "file header",
            offset: 0,
            problem: Problem::Truncated { needed: FILE_HEADER as u64, left: file.len() },
        };
        *link_type = word(file, 20, big_endian).ok_or(header)? as u16;
        packets.at = FILE_HEADER;
    }
    Ok(packets)
}

/// The packets of a file, one after the other; made by [`packets`]. After an error there are no more.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    file: &'a [u8],
    at: usize,
    big_endian: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Plain { link_type: u16, nanoseconds: bool },
    Blocks { interfaces: Vec<Interface> },
}

/// What a section says about one interface. Each takes twenty bytes of the file, so the file bounds them.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: u16,
    snapshot: u32,
    resolution: u8,
    shift: i64,
    mbimex: Option<MbimEx>,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match &self.kind {
            Kind::Plain { link_type, nanoseconds } => self.plain(*link_type, *nanoseconds),
            Kind::Blocks { .. } => self.block(),
        };
        if matches!(item, Some(Err(_))) {
            self.at = self.file.len();
        }
        item
    }
}

impl<'a> Packets<'a> {
    fn word(&self, at: usize) -> Option<u32> {
        word(self.file, at, self.big_endian)
    }

    fn fault(&self, part: &'static str, problem: Problem) -> Malformed {
        Malformed { part, offset: self.at, problem }
    }

    fn truncated(&self, part: &'static str, needed: u64) -> Malformed {
        self.fault(part, Problem::Truncated { needed, left: self.file.len().saturating_sub(self.at) })
    }

    fn plain(&mut self, link_type: u16, nanoseconds: bool) -> Option<Result<Packet<'a>, Malformed>> {
        if self.at >= self.file.len() {
            return None;
        }
        let words = [0, 4, 8, 12].map(|at| self.word(self.at + at));
        let [Some(seconds), Some(fraction), Some(kept), Some(size)] = words else {
            return Some(Err(self.truncated("packet header", PACKET_HEADER as u64)));
        };
        let offset = self.at + PACKET_HEADER;
        let Some(bytes) = slice(self.file, offset, kept) else {
            return Some(Err(self.truncated("packet", PACKET_HEADER as u64 + u64::from(kept))));
        };
        let time = Duration::from_secs(seconds.into())
            + if nanoseconds { Duration::from_nanos(fraction.into()) } else { Duration::from_micros(fraction.into()) };
        self.at = offset + bytes.len();
        Some(Ok(Packet { offset, time: Some(time), link_type, bytes, size, big_endian: self.big_endian, mbimex: None }))
    }

    /// The next block that is a packet.
    fn block(&mut self) -> Option<Result<Packet<'a>, Malformed>> {
        while self.at < self.file.len() {
            match self.one_block() {
                Ok(Some(packet)) => return Some(Ok(packet)),
                Ok(None) => {}
                Err(malformed) => return Some(Err(malformed)),
            }
        }
        None
    }

    fn one_block(&mut self) -> Result<Option<Packet<'a>>, Malformed> {
        let start = self.at;
        // A section says its byte order behind its length, and its type reads the same in both.
        if self.word(start) == Some(SECTION) {
            let order = word(self.file, start + 8, false).ok_or_else(|| self.truncated("section header", 28))?;
            self.big_endian = order.swap_bytes() == BYTE_ORDER;
            if !self.big_endian && order != BYTE_ORDER {
                return Err(self.fault("section header", Problem::Unknown));
            }
        }
        let (Some(kind), Some(length)) = (self.word(start), self.word(start + 4)) else {
            return Err(self.truncated("block", 12));
        };
        if length < 12 || length % 4 != 0 {
            return Err(self.fault("block", Problem::Length { length }));
        }
        let block = slice(self.file, start, length).ok_or_else(|| self.truncated("block", length.into()))?;
        let body = block.get(8..block.len() - 4).unwrap_or_default();
        let packet = match kind {
            SECTION => {
                self.kind = Kind::Blocks { interfaces: Vec::new() };
                None
            }
            INTERFACE => {
                let interface = self.interface(body)?;
                if let Kind::Blocks { interfaces } = &mut self.kind {
                    interfaces.push(interface);
                }
                None
            }
            ENHANCED | OBSOLETE | SIMPLE => Some(self.packet(kind, body)?),
            _ => None,
        };
        self.at = start + block.len();
        Ok(packet)
    }

    fn interface(&self, body: &[u8]) -> Result<Interface, Malformed> {
        let big = self.big_endian;
        let (Some(link_type), Some(snapshot)) = (half(body, 0, big), word(body, 4, big)) else {
            return Err(self.truncated("interface", 20));
        };
        let mut interface = Interface { link_type, snapshot, resolution: 6, shift: 0, mbimex: None };
        let mut at = 8;
        while let (Some(code), Some(length)) = (half(body, at, big), half(body, at + 2, big)) {
            let value = slice(body, at + 4, length.into()).ok_or_else(|| self.truncated("option", length.into()))?;
            match (code, value) {
                (0, _) => break,
                (OPTION_RESOLUTION, [resolution, ..]) => interface.resolution = *resolution,
                (OPTION_DESCRIPTION, text) => {
                    let says = |release: &MbimEx| text.ends_with(in_force(*release).as_bytes());
                    interface.mbimex = MbimEx::ALL.into_iter().find(says);
                }
                (OPTION_SHIFT, value) => {
                    if let Some(bytes) = value.first_chunk() {
                        interface.shift = if big { i64::from_be_bytes(*bytes) } else { i64::from_le_bytes(*bytes) };
                    }
                }
                _ => {}
            }
            at += 4 + usize::from(length).next_multiple_of(4);
        }
        Ok(interface)
    }

    fn packet(&self, kind: u32, body: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let big = self.big_endian;
        let truncated = || self.truncated("packet", 32);
        let number = |at| word(body, at, big).ok_or_else(truncated);
        let index = match kind {
            ENHANCED => number(0)?,
            OBSOLETE => half(body, 0, big).ok_or_else(truncated)?.into(),
            _ => 0,
        };
        let interface = match &self.kind {
            Kind::Blocks { interfaces } => usize::try_from(index).ok().and_then(|index| interfaces.get(index)),
            Kind::Plain { .. } => None,
        };
        let Some(interface) = interface else {
            return Err(self.fault("packet", Problem::Interface { interface: index }));
        };
        let (start, kept, size, time) = if kind == SIMPLE {
            // As long as the block, or as the interface kept at most.
            let size = number(0)?;
            let room = u32::try_from(body.len().saturating_sub(4)).unwrap_or(u32::MAX);
            let most = if interface.snapshot == 0 { u32::MAX } else { interface.snapshot };
            (4, size.min(most).min(room), size, None)
        } else {
            let ticks = u64::from(number(4)?) << 32 | u64::from(number(8)?);
            (20, number(12)?, number(16)?, interface.time(ticks))
        };
        let bytes = slice(body, start, kept).ok_or_else(|| self.truncated("packet", 32 + u64::from(kept)))?;
        let offset = self.at + 8 + start;
        let Interface { link_type, mbimex, .. } = *interface;
        Ok(Packet { offset, time, link_type, bytes, size, big_endian: big, mbimex })
    }
}

impl Interface {
    /// A time in ticks since 1970, of a fraction of ten or, with the highest bit, of two.
    fn time(&self, ticks: u64) -> Option<Duration> {
        let exponent = u32::from(self.resolution & 0x7f);
        let base: u128 = if self.resolution & 0x80 == 0 { 10 } else { 2 };
        let each = base.checked_pow(exponent)?;
        let nanoseconds = u128::from(ticks).checked_mul(1_000_000_000)? / each;
        let shifted = i128::try_from(nanoseconds).ok()? + i128::from(self.shift) * 1_000_000_000;
        let seconds = u64::try_from(shifted.checked_div(1_000_000_000)?).ok()?;
        Some(Duration::new(seconds, u32::try_from(shifted.rem_euclid(1_000_000_000)).ok()?))
    }
}

/// A number of 32 bits at a place.
pub(crate) fn word(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let four = *bytes.get(at..)?.first_chunk()?;
    Some(if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}

/// A number of 16 bits at a place.
pub(crate) fn half(bytes: &[u8], at: usize, big_endian: bool) -> Option<u16> {
    let two = *bytes.get(at..)?.first_chunk()?;
    Some(if big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
}

/// Bytes at a place, if all of them are there.
pub(crate) fn slice(bytes: &[u8], at: usize, length: u32) -> Option<&[u8]> {
    bytes.get(at..)?.get(..usize::try_from(length).ok()?)
}

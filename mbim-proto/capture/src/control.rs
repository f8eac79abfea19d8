//! Control messages out of packets: exported PDUs, and usbmon's control transfers.

use core::time::Duration;
use std::collections::BTreeSet;

use mbim_proto::MbimEx;
use mbim_proto::message::Header;

use crate::read::{half, slice, word};
use crate::write::{DISSECTOR, EXPORTED, TAG_DIRECTION, TAG_DISSECTOR, TAG_END};
use crate::{Direction, Malformed, Packet, Packets, Problem, packets};

/// usbmon's link types: with a header of 48 bytes, and of 64.
const USBMON: u16 = 189;
const USBMON_MAPPED: u16 = 220;
/// Class requests of the communication interface: bmRequestType and bRequest. [CDC 1.2, 6.2]
const SEND_ENCAPSULATED_COMMAND: [u8; 2] = [0x21, 0x00];
const GET_ENCAPSULATED_RESPONSE: [u8; 2] = [0xa1, 0x01];
/// Requests that wait for their answer, at most: a host has a few.
const MOST_PENDING: usize = 1024;

/// A USB device of the machine that captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Number of the bus.
    pub bus: u16,
    /// Address on the bus.
    pub address: u8,
}

/// A message or fragment as it travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Where its bytes start in the file.
    pub offset: usize,
    /// Since 1970-01-01 UTC; none if the file does not say.
    pub time: Option<Duration>,
    /// Which way it went, if the file says so.
    pub direction: Option<Direction>,
    /// Whose it is, in captures of a bus.
    pub device: Option<Device>,
    /// The release of the extensions that was in force before the first frame, if the file says so.
    pub mbimex: Option<MbimEx>,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// The control messages of a capture file. Packets of other protocols are passed over.
///
/// # Errors
/// The file is neither pcap nor pcapng, or ends inside of its header.
pub fn frames(file: &[u8]) -> Result<Frames<'_>, Malformed> {
    Ok(Frames { packets: packets(file)?, pending: BTreeSet::new() })
}

/// The control messages of a capture file, one after the other; made by [`frames`]. An error about the file itself is
/// the last item, one about a single packet is not.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    packets: Packets<'a>,
    /// Requests for a message that usbmon saw go out: whose, and which.
    pending: BTreeSet<(Device, u64)>,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let packet = match self.packets.next()? {
                Ok(packet) => packet,
                Err(malformed) => return Some(Err(malformed)),
            };
            let found = match packet.link_type {
                EXPORTED => exported(&packet),
                USBMON => self.usbmon(&packet, 48),
                USBMON_MAPPED => self.usbmon(&packet, 64),
                _ => Ok(None),
            };
            if let Some(item) = found.transpose() {
                return Some(item);
            }
        }
    }
}

/// Tags with the dissector's name, then the PDU. The tags are big-endian on every machine.
fn exported<'a>(packet: &Packet<'a>) -> Result<Option<Frame<'a>>, Malformed> {
    let fault = |problem| Malformed { part: "exported PDU", offset: packet.offset, problem };
    let (mut at, mut ours, mut direction) = (0, false, None);
    loop {
        let (Some(tag), Some(length)) = (half(packet.bytes, at, true), half(packet.bytes, at + 2, true)) else {
            return Err(fault(Problem::Tags));
        };
        let value = slice(packet.bytes, at + 4, length.into()).ok_or_else(|| fault(Problem::Tags))?;
        at += 4 + value.len();
        match (tag, value) {
            (TAG_END, _) => break,
            (TAG_DISSECTOR, name) => ours = name.trim_ascii_end().split(|byte| *byte == 0).next() == Some(DISSECTOR),
            (TAG_DIRECTION, [.., 0]) => direction = Some(Direction::Sent),
            (TAG_DIRECTION, [.., 1]) => direction = Some(Direction::Received),
            _ => {}
        }
    }
    if !ours {
        return Ok(None);
    }
    let cut = packet.size as usize > packet.bytes.len();
    if cut {
        return Err(fault(Problem::Cut { kept: packet.bytes.len() as u32, size: packet.size }));
    }
    let bytes = packet.bytes.get(at..).unwrap_or_default();
    let &Packet { offset, time, mbimex, .. } = packet;
    Ok(Some(Frame { offset: offset + at, time, direction, device: None, mbimex, bytes }))
}

impl Frames<'_> {
    /// A transfer as usbmon tells it: numbers in the byte order of the machine, the request only when it goes out.
    fn usbmon<'a>(&mut self, packet: &Packet<'a>, header: usize) -> Result<Option<Frame<'a>>, Malformed> {
        let fault = |problem| Malformed { part: "usbmon packet", offset: packet.offset, problem };
        let (bytes, big) = (packet.bytes, packet.big_endian);
        let Some(head) = bytes.get(..header) else {
            return Err(fault(Problem::Truncated { needed: header as u64, left: bytes.len() }));
        };
        let [Some(low), Some(high), Some(size), Some(kept)] = [0, 4, 32, 36].map(|at| word(head, at, big)) else {
            return Ok(None);
        };
        let (Some(bus), Some([event, transfer, _, address])) = (half(head, 12, big), four(head, 8)) else {
            return Ok(None);
        };
        const CONTROL: u8 = 2;
        if transfer != CONTROL {
            return Ok(None);
        }
        let device = Device { bus, address };
        let request = (device, u64::from(high) << 32 | u64::from(low));
        let setup = four(head, 40).filter(|_| head.get(14) == Some(&0)).map(|[kind, request, ..]| [kind, request]);
        let direction = match (event, setup) {
            (b'S', Some(SEND_ENCAPSULATED_COMMAND)) => Direction::Sent,
            (b'S', Some(GET_ENCAPSULATED_RESPONSE)) => {
                if self.pending.len() < MOST_PENDING {
                    self.pending.insert(request);
                }
                return Ok(None);
            }
            (b'C' | b'E', _) if self.pending.remove(&request) && event == b'C' => Direction::Received,
            _ => return Ok(None),
        };
        let Some(message) = slice(bytes, header, kept) else {
            return Err(fault(Problem::Truncated { needed: header as u64 + u64::from(kept), left: bytes.len() }));
        };
        // Other protocols use the same requests, QMI among them.
        let ours = Header::decode(message).is_ok_and(|head| head.kind.name().is_some() && head.length == size);
        if !ours {
            return Ok(None);
        }
        if kept < size {
            return Err(fault(Problem::Cut { kept, size }));
        }
        let (direction, device) = (Some(direction), Some(device));
        let &Packet { offset, time, .. } = packet;
        Ok(Some(Frame { offset: offset + header, time, direction, device, mbimex: None, bytes: message }))
    }
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..)?.first_chunk().copied()
}

//! Making pcapng files: one section, one interface of exported PDUs, then a packet for each frame.

use core::time::Duration;

use mbim_proto::MbimEx;

use crate::Direction;

/// Block types. [pcapng 4]
pub(crate) const SECTION: u32 = 0x0a0d_0d0a;
pub(crate) const INTERFACE: u32 = 1;
pub(crate) const ENHANCED: u32 = 6;
/// What a section starts with in the writer's byte order. [pcapng 4.1]
pub(crate) const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// LINKTYPE_WIRESHARK_UPPER_PDU.
pub(crate) const EXPORTED: u16 = 252;
/// Tags of an exported PDU.
pub(crate) const TAG_END: u16 = 0;
pub(crate) const TAG_DISSECTOR: u16 = 12;
pub(crate) const TAG_DIRECTION: u16 = 35;
/// The dissector that exported PDUs name.
pub(crate) const DISSECTOR: &[u8] = b"mbim.control";

/// Options of all blocks: end, comment.
const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
/// Options of a section. [pcapng 4.1]
const OPTION_HARDWARE: u16 = 2;
const OPTION_SYSTEM: u16 = 3;
const OPTION_APPLICATION: u16 = 4;
/// Options of an interface: name, description, resolution of times (an exponent of ten). [pcapng 4.2]
const OPTION_NAME: u16 = 2;
pub(crate) const OPTION_DESCRIPTION: u16 = 3;
pub(crate) const OPTION_RESOLUTION: u16 = 9;
/// Option of a packet: its direction. [pcapng 4.3]
const OPTION_FLAGS: u16 = 2;
const NANOSECONDS: u8 = 9;

/// What a file says about itself. Empty texts are left out; what is longer than 65535 bytes is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The program that writes, with its version.
    pub application: &'a str,
    /// The operating system.
    pub system: &'a str,
    /// What kind of machine or modem.
    pub hardware: &'a str,
    /// Whatever else is to be known.
    pub comment: &'a str,
    /// Name of the control port.
    pub port: &'a str,
    /// The release of the extensions in force before the first frame; none if the file begins with OPEN, or nobody knows.
    pub mbimex: Option<MbimEx>,
}

/// What a file starts with.
pub fn start() -> Vec<u8> {
    start_of(&Origin::default())
}

/// What a file starts with that says where it comes from.
pub fn start_of(origin: &Origin<'_>) -> Vec<u8> {
    let mut section = BYTE_ORDER.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]); // version 1.0
    section.extend(u64::MAX.to_le_bytes()); // as long as the file is
    let about = [
        (OPTION_COMMENT, origin.comment),
        (OPTION_HARDWARE, origin.hardware),
        (OPTION_SYSTEM, origin.system),
        (OPTION_APPLICATION, origin.application),
    ];
    let before = section.len();
    about.into_iter().for_each(|(code, value)| text(&mut section, code, value));
    if section.len() > before {
        option(&mut section, OPTION_END, &[]);
    }
    let mut interface = Vec::new();
    interface.extend(EXPORTED.to_le_bytes());
    interface.extend([0; 2]);
    interface.extend(0u32.to_le_bytes()); // packets are never cut
    text(&mut interface, OPTION_NAME, origin.port);
    if let Some(release) = origin.mbimex {
        text(&mut interface, OPTION_DESCRIPTION, &format!("MBIM control channel, {}", in_force(release)));
    }
    option(&mut interface, OPTION_RESOLUTION, &[NANOSECONDS]);
    option(&mut interface, OPTION_END, &[]);
    let mut out = block(SECTION, &section);
    out.extend(block(INTERFACE, &interface));
    out
}

/// A packet with a whole message or a fragment as it travelled. `time` counts from 1970-01-01 UTC.
pub fn frame(time: Duration, direction: Direction, frame: &[u8]) -> Vec<u8> {
    let (point_to_point, flags) = match direction {
        Direction::Sent => (0u32, 2u32),
        Direction::Received => (1, 1),
    };
    let mut packet = Vec::with_capacity(frame.len() + 40);
    tag(&mut packet, TAG_DISSECTOR, DISSECTOR);
    tag(&mut packet, TAG_DIRECTION, &point_to_point.to_be_bytes());
    tag(&mut packet, TAG_END, &[]);
    packet.extend_from_slice(frame);

    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let size = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let mut body = Vec::with_capacity(packet.len() + 40);
    for word in [0, (nanoseconds >> 32) as u32, nanoseconds as u32, size, size] {
        body.extend(word.to_le_bytes());
    }
    body.extend_from_slice(&packet);
    pad(&mut body);
    option(&mut body, OPTION_FLAGS, &flags.to_le_bytes());
    option(&mut body, OPTION_END, &[]);
    block(ENHANCED, &body)
}

/// How the description of an interface says which release of the extensions is in force.
pub(crate) fn in_force(release: MbimEx) -> String {
    format!("MBIMEx {}.0", release.bcd() >> 8)
}

/// Type, length, body, length again.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

/// An option of a block: little-endian, padded to 4.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(value);
    pad(out);
}

/// A text option, if there is something to say.
fn text(out: &mut Vec<u8>, code: u16, value: &str) {
    let mut most = value.len().min(usize::from(u16::MAX));
    while !value.is_char_boundary(most) {
        most -= 1;
    }
    if let Some(value) = value.get(..most).filter(|value| !value.is_empty()) {
        option(out, code, value.as_bytes());
    }
}

/// A tag of an exported PDU: big-endian, padded to 4.
fn tag(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let padded = value.len().next_multiple_of(4);
    out.extend(code.to_be_bytes());
    out.extend(u16::try_from(padded).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value);
    out.extend(core::iter::repeat_n(0, padded - value.len()));
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

//! The USB/IP protocol, version 1.1.1, both directions, without IO. Every number is big-endian.
//!
//! Source: the kernel's document on the protocol. A connection begins with one operation; after an import it carries
//! URBs: each message has a header of 48 bytes, then data in one direction.

use super::descriptor;
use super::function::{Done, Urb};
use super::profile::UsbProfile;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The version in every operation.
pub const VERSION: u16 = 0x0111;
/// Bytes of a URB header.
pub const HEADER: usize = 48;
/// Bytes of an operation's header: version, code, status.
pub const OPERATION: usize = 8;
/// Bytes of a bus id.
pub const BUS_ID: usize = 32;
/// Bytes of what is told of a device.
pub const DEVICE: usize = 312;
/// Bytes that one URB may carry from the host.
pub const MOST_DATA: usize = 1 << 20;
/// Bus number that the device is said to have.
const BUS: u32 = 1;
/// And its number there.
const NUMBER: u32 = 2;

/// Codes of operations.
pub mod operation {
    /// The host asks which devices there are.
    pub const REQUEST_LIST: u16 = 0x8005;
    /// The answer to it.
    pub const REPLY_LIST: u16 = 0x0005;
    /// The host wants a device.
    pub const REQUEST_IMPORT: u16 = 0x8003;
    /// The answer to it.
    pub const REPLY_IMPORT: u16 = 0x0003;
}

/// Codes of messages.
pub mod command {
    /// A URB.
    pub const SUBMIT: u32 = 1;
    /// A URB is to be taken back.
    pub const UNLINK: u32 = 2;
    /// A URB is completed.
    pub const RET_SUBMIT: u32 = 3;
    /// Whether it was taken back.
    pub const RET_UNLINK: u32 = 4;
}

/// The host does not keep to the protocol; the text says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation(pub &'static str);

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Violation {}

/// What a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Which devices are there?
    List,
    /// The device of this bus id, filled up with zeros.
    Import([u8; BUS_ID]),
}

impl Operation {
    /// Reads the operation from what has come so far; `None` when there must be more.
    ///
    /// # Errors
    /// Another version or an unknown code.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Violation> {
        let Some([version @ .., c0, c1, _, _, _, _]) = bytes.first_chunk::<OPERATION>() else { return Ok(None) };
        if u16::from_be_bytes(*version) != VERSION {
            return Err(Violation("another version of USB/IP than 1.1.1"));
        }
        match u16::from_be_bytes([*c0, *c1]) {
            operation::REQUEST_LIST => Ok(Some(Self::List)),
            operation::REQUEST_IMPORT => {
                Ok(bytes.get(OPERATION..).and_then(|rest| rest.first_chunk()).map(|id| Self::Import(*id)))
            }
            _ => Err(Violation("an unknown operation")),
        }
    }

    /// The bytes of it.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(OPERATION + BUS_ID);
        bytes.put_u16(VERSION);
        match self {
            Self::List => {
                bytes.put_u16(operation::REQUEST_LIST);
                bytes.put_u32(0);
            }
            Self::Import(id) => {
                bytes.put_u16(operation::REQUEST_IMPORT);
                bytes.put_u32(0);
                bytes.put_slice(&id);
            }
        }
        bytes
    }
}

/// A bus id as it is sent; what is too long is cut.
#[must_use]
pub fn bus_id(text: &str) -> [u8; BUS_ID] {
    let mut id = [0; BUS_ID];
    // The last byte stays zero.
    for (place, byte) in id.iter_mut().take(BUS_ID - 1).zip(text.bytes()) {
        *place = byte;
    }
    id
}

/// The answer to [`Operation::List`]: the device, if it is there.
#[must_use]
pub fn reply_list(device: Option<&UsbProfile>) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u16(VERSION);
    bytes.put_u16(operation::REPLY_LIST);
    bytes.put_u32(0);
    bytes.put_u32(u32::from(device.is_some()));
    if let Some(profile) = device {
        describe(&mut bytes, profile);
        for class in descriptor::interface_classes() {
            bytes.put_slice(&class);
            bytes.put_u8(0);
        }
    }
    bytes
}

/// The answer to [`Operation::Import`]: the device, or a refusal.
#[must_use]
pub fn reply_import(device: Option<&UsbProfile>) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u16(VERSION);
    bytes.put_u16(operation::REPLY_IMPORT);
    bytes.put_u32(u32::from(device.is_none()));
    if let Some(profile) = device {
        describe(&mut bytes, profile);
    }
    bytes
}

fn describe(bytes: &mut Vec<u8>, profile: &UsbProfile) {
    let mut path = [0; 256];
    let text = format!("/sys/devices/virtual/usb{BUS}/{}", profile.bus_id);
    for (place, byte) in path.iter_mut().take(255).zip(text.bytes()) {
        *place = byte;
    }
    bytes.put_slice(&path);
    bytes.put_slice(&bus_id(&profile.bus_id));
    bytes.put_u32(BUS);
    bytes.put_u32(NUMBER);
    bytes.put_u32(profile.speed.number());
    bytes.put_u16(profile.vendor);
    bytes.put_u16(profile.product);
    bytes.put_u16(profile.release);
    bytes.put_slice(&descriptor::device_class(profile));
    // The configuration in force, the number of configurations, the number of interfaces.
    bytes.put_slice(&[0, 1, 2]);
}

/// What the host reads from [`reply_import`] to attach the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Bus number in the upper half, device number in the lower.
    pub device: u32,
    /// Speed as [`Speed::number`](super::Speed::number).
    pub speed: u32,
}

impl Imported {
    /// Reads the answer, [`OPERATION`] + [`DEVICE`] bytes; `None` when it is a refusal or no answer at all.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut head = bytes.get(..OPERATION)?;
        if head.get_u16() != VERSION || head.get_u16() != operation::REPLY_IMPORT || head.get_u32() != 0 {
            return None;
        }
        let mut rest = bytes.get(OPERATION + 256 + BUS_ID..OPERATION + DEVICE)?;
        let (bus, number, speed) = (rest.get_u32(), rest.get_u32(), rest.get_u32());
        Some(Self { device: bus << 16 | number & 0xffff, speed })
    }
}

/// A message of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A URB.
    Submit(Urb),
    /// A URB is to be taken back.
    Unlink {
        /// Number of this message.
        id: u32,
        /// Number of the URB.
        victim: u32,
    },
}

impl Request {
    /// Takes the next message out of what has come; `None` when there must be more.
    ///
    /// # Errors
    /// Not a message, isochronous, or longer than [`MOST_DATA`].
    pub fn take(buffer: &mut BytesMut) -> Result<Option<Self>, Violation> {
        let Some(mut header) = buffer.get(..HEADER) else { return Ok(None) };
        let (code, id) = (header.get_u32(), header.get_u32());
        let (_device, direction, endpoint) = (header.get_u32(), header.get_u32(), header.get_u32());
        match code {
            command::SUBMIT => {
                let (flags, length) = (header.get_u32(), header.get_u32());
                let (_start, packets, _interval) = (header.get_u32(), header.get_u32(), header.get_u32());
                let mut setup = [0; 8];
                header.copy_to_slice(&mut setup);
                if packets != 0 && packets != u32::MAX {
                    return Err(Violation("an isochronous request"));
                }
                let endpoint = u8::try_from(endpoint).ok().filter(|n| *n < 16).ok_or(Violation("endpoint above 15"))?;
                let input = match direction {
                    0 => false,
                    1 => true,
                    _ => return Err(Violation("a direction that is neither in nor out")),
                };
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                if length > MOST_DATA {
                    return Err(Violation("a request of more than 1 MiB"));
                }
                let carried = if input { 0 } else { length };
                if buffer.len() < HEADER + carried {
                    return Ok(None);
                }
                buffer.advance(HEADER);
                let data = buffer.split_to(carried).freeze();
                Ok(Some(Self::Submit(Urb { id, endpoint, input, flags, length, setup, data })))
            }
            command::UNLINK => {
                let victim = header.get_u32();
                buffer.advance(HEADER);
                Ok(Some(Self::Unlink { id, victim }))
            }
            _ => Err(Violation("an unknown message")),
        }
    }

    /// Appends the message to `out`, for the host's side. `device` as in [`Imported`].
    pub fn put(&self, device: u32, out: &mut BytesMut) {
        match self {
            Self::Submit(urb) => {
                for number in [
                    command::SUBMIT,
                    urb.id,
                    device,
                    u32::from(urb.input),
                    u32::from(urb.endpoint),
                    urb.flags,
                    u32::try_from(urb.length).unwrap_or(u32::MAX),
                    0,
                    u32::MAX,
                    0,
                ] {
                    out.put_u32(number);
                }
                out.put_slice(&urb.setup);
                out.put_slice(&urb.data);
            }
            Self::Unlink { id, victim } => {
                for number in [command::UNLINK, *id, device, 0, 0, *victim] {
                    out.put_u32(number);
                }
                out.put_bytes(0, 24);
            }
        }
    }
}

/// A message of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A URB is completed.
    Done(Done),
    /// Whether a URB was taken back: -104 when it was, 0 when it had been completed before.
    Unlinked {
        /// Number of the host's message.
        id: u32,
        /// The status.
        status: i32,
    },
}

impl Reply {
    /// Appends the message to `out`.
    pub fn put(&self, out: &mut BytesMut) {
        let (code, id, status, actual) = match self {
            Self::Done(done) => (command::RET_SUBMIT, done.id, done.status, done.actual),
            Self::Unlinked { id, status } => (command::RET_UNLINK, *id, *status, 0),
        };
        out.reserve(HEADER + actual);
        for number in [code, id, 0, 0, 0] {
            out.put_u32(number);
        }
        out.put_i32(status);
        out.put_u32(u32::try_from(actual).unwrap_or(u32::MAX));
        match self {
            Self::Done(done) => {
                for number in [0, u32::MAX, 0, 0, 0] {
                    out.put_u32(number);
                }
                out.put_slice(&done.data);
            }
            Self::Unlinked { .. } => out.put_bytes(0, 20),
        }
    }

    /// Takes the next message out of what has come, for the host's side; `None` when there must be more. `input` tells
    /// whether the URB of this number was towards the host, since only then data follow.
    ///
    /// # Errors
    /// Not a message.
    pub fn take(buffer: &mut BytesMut, input: impl Fn(u32) -> bool) -> Result<Option<Self>, Violation> {
        let Some(mut header) = buffer.get(..HEADER) else { return Ok(None) };
        let (code, id) = (header.get_u32(), header.get_u32());
        header.advance(12);
        let (status, actual) = (header.get_i32(), header.get_u32());
        match code {
            command::RET_SUBMIT => {
                let actual = usize::try_from(actual).unwrap_or(usize::MAX);
                let carried = if input(id) { actual } else { 0 };
                if carried > MOST_DATA {
                    return Err(Violation("an answer of more than 1 MiB"));
                }
                if buffer.len() < HEADER + carried {
                    return Ok(None);
                }
                buffer.advance(HEADER);
                let data: Bytes = buffer.split_to(carried).freeze();
                Ok(Some(Self::Done(Done { id, status, actual, data })))
            }
            command::RET_UNLINK => {
                buffer.advance(HEADER);
                Ok(Some(Self::Unlinked { id, status }))
            }
            _ => Err(Violation("an unknown message")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_way_and_waits_for_its_end() {
        let urb = Urb {
            id: 0x0102_0304,
            endpoint: 2,
            input: false,
            flags: 0x40,
            length: 3,
            setup: [0; 8],
            data: Bytes::from_static(b"abc"),
        };
        let mut bytes = BytesMut::new();
        Request::Submit(urb.clone()).put(0x0001_0002, &mut bytes);
        Request::Unlink { id: 5, victim: 4 }.put(0x0001_0002, &mut bytes);
        assert_eq!(bytes.len(), 2 * HEADER + 3);
        for cut in 0..HEADER + 3 {
            assert_eq!(Request::take(&mut BytesMut::from(&bytes[..cut])), Ok(None), "{cut}");
        }
        assert_eq!(Request::take(&mut bytes), Ok(Some(Request::Submit(urb))));
        assert_eq!(Request::take(&mut bytes), Ok(Some(Request::Unlink { id: 5, victim: 4 })));
        assert_eq!(Request::take(&mut bytes), Ok(None));
    }

    #[test]
    fn a_reply_has_the_places_of_the_document() {
        let mut bytes = BytesMut::new();
        Reply::Done(Done { id: 7, status: -32, actual: 0, data: Bytes::new() }).put(&mut bytes);
        assert_eq!(bytes.len(), HEADER);
        assert_eq!(bytes[..8], [0, 0, 0, 3, 0, 0, 0, 7]);
        assert_eq!(bytes[0x14..0x18], (-32_i32).to_be_bytes());
        assert_eq!(bytes[0x20..0x24], [0xff; 4], "not isochronous");
        assert_eq!(
            Reply::take(&mut bytes, |_| false),
            Ok(Some(Reply::Done(Done { id: 7, status: -32, actual: 0, data: Bytes::new() })))
        );
        Reply::Unlinked { id: 9, status: -104 }.put(&mut bytes);
        assert_eq!(bytes.len(), HEADER);
        assert_eq!(Reply::take(&mut bytes, |_| false), Ok(Some(Reply::Unlinked { id: 9, status: -104 })));
    }

    #[test]
    fn hostile_headers_are_refused() {
        let submit = |change: fn(&mut [u8])| {
            let mut bytes = BytesMut::new();
            let urb = Urb { id: 1, endpoint: 2, input: true, flags: 0, length: 64, setup: [0; 8], data: Bytes::new() };
            Request::Submit(urb).put(0, &mut bytes);
            change(&mut bytes);
            Request::take(&mut bytes)
        };
        assert!(submit(|_| {}).is_ok());
        assert!(submit(|b| b[3] = 9).is_err(), "code");
        assert!(submit(|b| b[15] = 2).is_err(), "direction");
        assert!(submit(|b| b[19] = 16).is_err(), "endpoint");
        assert!(submit(|b| b[0x18] = 0x7f).is_err(), "length");
        assert!(submit(|b| b[0x20..0x24].copy_from_slice(&[0, 0, 0, 4])).is_err(), "isochronous");
    }

    #[test]
    fn operations_and_their_answers() {
        let profile = UsbProfile::default();
        let wanted = Operation::Import(bus_id(&profile.bus_id));
        let bytes = wanted.bytes();
        assert_eq!(Operation::read(&bytes), Ok(Some(wanted)));
        assert_eq!(Operation::read(&bytes[..39]), Ok(None));
        assert_eq!(Operation::read(&Operation::List.bytes()), Ok(Some(Operation::List)));
        assert!(Operation::read(&[1, 6, 0x80, 3, 0, 0, 0, 0]).is_err(), "version");
        assert!(Operation::read(&[1, 0x11, 0x80, 7, 0, 0, 0, 0]).is_err(), "code");
        let reply = reply_import(Some(&profile));
        assert_eq!(reply.len(), OPERATION + DEVICE);
        assert_eq!(Imported::read(&reply), Some(Imported { device: 0x0001_0002, speed: 5 }));
        assert_eq!(Imported::read(&reply_import(None)), None);
        assert_eq!(reply_list(Some(&profile)).len(), 12 + DEVICE + 8);
        assert_eq!(reply_list(None).len(), 12);
    }
}

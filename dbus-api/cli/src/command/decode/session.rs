//! What one message means depends on those before it: fragments, and the release that both sides agreed on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use mbim_capture::{Device, Direction};
use mbim_proto::fragment::Reassembler;
use mbim_proto::message::Content;
use mbim_proto::service::ms_basic_connect_ext::Version;
use mbim_proto::{Body, MbimEx, Message};

use super::input::Piece;

/// Devices that are kept apart; what a capture has beyond is taken for one.
const MOST_DEVICES: usize = 64;

/// A message to show, or what is wrong.
pub(in crate::command) struct Entry<'a> {
    /// Where it starts in what was given; for one of several fragments, where the last does. None for what never came.
    pub(super) offset: Option<usize>,
    pub(super) time: Option<Duration>,
    pub(super) direction: Option<Direction>,
    pub(super) device: Option<Device>,
    /// The release in force when it travelled.
    pub(super) release: MbimEx,
    pub(super) message: Result<Cow<'a, [u8]>, String>,
}

#[derive(Default)]
pub(in crate::command) struct Sessions {
    devices: BTreeMap<Option<Device>, Session>,
}

/// One device's conversation. Fragments of the two directions cannot be confused: their types differ.
#[derive(Default)]
struct Session {
    joiner: Reassembler,
    host: Option<MbimEx>,
    release: MbimEx,
}

impl Sessions {
    /// Hands out what a piece completes.
    pub(in crate::command) fn take<'a>(&mut self, piece: Piece<'a>, print: &mut impl FnMut(Entry<'a>)) {
        let room = self.devices.len() < MOST_DEVICES || self.devices.contains_key(&piece.device);
        let begun = || Session { release: piece.mbimex.unwrap_or_default(), ..Session::default() };
        let session = self.devices.entry(piece.device.filter(|_| room)).or_insert_with(begun);
        let message = match piece.frame {
            // Pauses are the captured host's affair: the clock stands still.
            Ok(frame) => match session.joiner.push(Duration::ZERO, frame) {
                Ok(None) => return,
                Ok(Some(whole)) => Ok(whole),
                // No fragment of a message shows as what it is, with what is wrong.
                Err(mbim_proto::fragment::ReassemblyError::Malformed(_)) => Ok(Cow::Borrowed(frame)),
                Err(error) => Err(error.to_string()),
            },
            Err(problem) => Err(problem),
        };
        if let Ok(message) = &message {
            session.follow(message);
        }
        let Piece { offset, time, direction, device, .. } = piece;
        print(Entry { offset, time, direction, device, release: session.release, message });
    }

    /// What never came whole.
    pub(in crate::command) fn finish<'a>(&mut self, print: &mut impl FnMut(Entry<'a>)) {
        for (device, session) in &mut self.devices {
            while let Some(error) = session.joiner.expire(Duration::MAX) {
                let problem = match error.transaction() {
                    Some(transaction) => format!("transaction {transaction}: its last fragments are missing"),
                    None => error.to_string(),
                };
                let (offset, time, direction) = (None, None, None);
                print(Entry {
                    offset,
                    time,
                    direction,
                    device: *device,
                    release: session.release,
                    message: Err(problem),
                });
            }
        }
    }
}

impl Session {
    /// The release in force is the lower one of what the host asked with and what the device answered.
    fn follow(&mut self, message: &[u8]) {
        match Message::decode(message).map(|message| message.content) {
            Ok(Content::Open(_)) => (self.host, self.release) = (None, MbimEx::V1),
            Ok(Content::Command(command)) if command.is::<Version>() => {
                self.host = Version::decode(&command.buffer).ok().map(|host| MbimEx::from_bcd(host.extended_version));
            }
            Ok(Content::CommandDone(done))
                if done.status.is_success()
                    && (mbim_proto::service::canonical(done.service), done.cid) == (Version::SERVICE, Version::CID) =>
            {
                if let Ok(Some(device)) = done.body::<Version>() {
                    let device = MbimEx::from_bcd(device.extended_version);
                    self.release = self.host.map_or(device, |host| host.min(device));
                }
            }
            _ => {}
        }
    }
}

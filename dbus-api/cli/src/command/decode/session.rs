//! What one message means depends on those before it: fragments, and the release that both sides agreed on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use mbim_capture::{Agreed, Device, Direction};
use mbim_proto::MbimEx;
use mbim_proto::fragment::Reassembler;

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
    agreed: Agreed,
}

impl Sessions {
    /// Hands out what a piece completes.
    pub(in crate::command) fn take<'a>(&mut self, piece: Piece<'a>, print: &mut impl FnMut(Entry<'a>)) {
        let room = self.devices.len() < MOST_DEVICES || self.devices.contains_key(&piece.device);
        let begun = || Session { agreed: Agreed::on(piece.mbimex.unwrap_or_default()), ..Session::default() };
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
            session.agreed.follow(message);
        }
        let Piece { offset, time, direction, device, .. } = piece;
        print(Entry { offset, time, direction, device, release: session.agreed.release(), message });
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
                    release: session.agreed.release(),
                    message: Err(problem),
                });
            }
        }
    }
}

//! Readers of a modem's traffic. Each has a socket whose buffer is all that is kept for it: what does not fit is counted, never
//! waited for. While there is none, nothing is done.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dbus_api::trace::{Record, What};
use mbim_proto::fragment::FrameCutter;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair, sockopt};
use tokio::time::Instant;

/// Readers at a time.
const MOST: usize = 8;
/// Octets that the kernel is asked to keep for one reader; it may grant less, 208 KiB as it comes.
const BUFFER: usize = 1 << 20;
/// A frame whose rest did not come for so long has none.
const STALE: Duration = Duration::from_secs(2);

/// Why a trace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// The modem went away.
    Gone,
    /// The daemon let it go.
    Stopped,
    /// The daemon leaves it to its next run.
    Left,
}

/// Both ends of a reader's socket: the daemon's, and the reader's own.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    // As much as the machine allows will do.
    let _ = sockopt::set_socket_send_buffer_size(&ours, BUFFER);
    Ok((ours, theirs))
}

struct Reader {
    socket: OwnedFd,
    /// Records that it was too slow for, and was not told about.
    lost: u64,
}

/// All readers of one modem.
pub(crate) struct Traces {
    readers: Vec<Reader>,
    cutter: FrameCutter,
    heard: Instant,
}

impl Traces {
    pub(crate) fn new() -> Self {
        Self { readers: Vec::new(), cutter: FrameCutter::default(), heard: Instant::now() }
    }

    /// One more, if there is room.
    pub(crate) fn join(&mut self, socket: OwnedFd) -> bool {
        // Who hung up is noticed when there is something to say, and a modem may be silent for long.
        self.readers.retain(|reader| recv(&reader.socket, &mut [0; 1], RecvFlags::DONTWAIT) == Err(Errno::AGAIN));
        if self.readers.len() >= MOST {
            return false;
        }
        if self.readers.is_empty() {
            self.cutter.clear();
        }
        self.readers.push(Reader { socket, lost: 0 });
        true
    }

    /// A frame went to the modem.
    pub(crate) fn sent(&mut self, frame: &[u8]) {
        if !self.readers.is_empty() {
            tell(&mut self.readers, What::Sent(frame));
        }
    }

    /// Bytes came from the modem.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        if self.readers.is_empty() {
            return;
        }
        if self.heard.elapsed() > STALE {
            self.cutter.clear();
        }
        self.heard = Instant::now();
        self.cutter.push(bytes);
        while let Some(frame) = self.cutter.next_frame() {
            // Bytes that are no frame are no record either.
            if let Ok(frame) = frame {
                tell(&mut self.readers, What::Received(frame));
            }
        }
    }

    /// The rest of a frame will not come.
    pub(crate) fn interrupted(&mut self) {
        self.cutter.clear();
    }

    /// There will be no more.
    pub(crate) fn end(&mut self, why: Last) {
        let word = match why {
            Last::Gone => "gone",
            Last::Stopped => "stopped",
            Last::Left => "left",
        };
        if !self.readers.is_empty() {
            tell(&mut self.readers, What::End(word));
        }
        self.readers.clear();
    }
}

fn tell(readers: &mut Vec<Reader>, what: What<'_>) {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let packet = Record { time, what }.encode();
    readers.retain_mut(|reader| reader.take(time, &packet));
}

impl Reader {
    /// Whether it is still there.
    fn take(&mut self, time: Duration, packet: &[u8]) -> bool {
        if self.lost > 0 {
            match self.send(&Record { time, what: What::Lost(self.lost) }.encode()) {
                Ok(()) => self.lost = 0,
                Err(error) => return self.missed(error),
            }
        }
        self.send(packet).or_else(|error| if self.missed(error) { Ok(()) } else { Err(error) }).is_ok()
    }

    fn missed(&mut self, error: Errno) -> bool {
        self.lost += 1;
        matches!(error, Errno::AGAIN | Errno::NOBUFS | Errno::MSGSIZE | Errno::NOMEM | Errno::INTR)
    }

    fn send(&self, packet: &[u8]) -> Result<(), Errno> {
        send(&self.socket, packet, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mbim_proto::message::{Content, Message};

    fn frame(number: u32) -> Vec<u8> {
        Message::new(number, Content::Close).encode()
    }

    /// What waits in a socket; `None` at its end.
    fn next(socket: &OwnedFd) -> Option<Vec<u8>> {
        let mut buffer = vec![0; dbus_api::trace::LONGEST];
        match recv(socket, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((_, 0)) | Err(_) => None,
            Ok((_, count)) => Some(buffer[..count].to_vec()),
        }
    }

    fn all(socket: &OwnedFd) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| next(socket)).collect()
    }

    #[test]
    fn each_reader_hears_both_directions_from_when_it_joined() {
        let mut traces = Traces::new();
        traces.sent(&frame(1));
        let (ours, first) = pair().unwrap();
        assert!(traces.join(ours));
        // Half a frame, its rest with the next one.
        let stream = [frame(2), frame(3)].concat();
        traces.received(&stream[..5]);
        traces.received(&stream[5..]);
        let (ours, second) = pair().unwrap();
        assert!(traces.join(ours));
        traces.sent(&frame(4));
        traces.end(Last::Gone);
        let heard = |socket| {
            let packets = all(socket);
            packets.iter().map(|packet| format!("{:?}", Record::decode(packet).unwrap().what)).collect::<Vec<_>>()
        };
        let end = [format!("{:?}", What::Sent(&frame(4))), format!("{:?}", What::End("gone"))];
        let both = [frame(2), frame(3)].map(|frame| format!("{:?}", What::Received(&frame)));
        assert_eq!(heard(&first), [&both[..], &end[..]].concat());
        assert_eq!(heard(&second), end);
        assert_eq!(recv(&first, &mut [0; 1], RecvFlags::DONTWAIT).unwrap().1, 0, "closed");
    }

    #[test]
    fn one_that_does_not_read_loses_records_and_is_told_how_many() {
        let mut traces = Traces::new();
        let (ours, slow) = pair().unwrap();
        let (ours_too, quick) = pair().unwrap();
        assert!(traces.join(ours) && traces.join(ours_too));
        let mut told = 0;
        const FRAMES: u64 = 20_000;
        for _ in 0..FRAMES {
            traces.sent(&[0; 512]);
            told += all(&quick).len() as u64;
        }
        assert_eq!(told, FRAMES, "the other misses nothing");
        let kept = all(&slow).len() as u64;
        assert!(kept > 50 && kept < FRAMES, "{kept}");
        traces.sent(&frame(7));
        let after = all(&slow);
        assert_eq!(Record::decode(&after[0]).unwrap().what, What::Lost(FRAMES - kept));
        assert_eq!(Record::decode(&after[1]).unwrap().what, What::Sent(&frame(7)));
    }

    #[test]
    fn who_hung_up_takes_no_place() {
        let mut traces = Traces::new();
        let mut kept: Vec<OwnedFd> = Vec::new();
        for _ in 0..MOST {
            let (ours, theirs) = pair().unwrap();
            assert!(traces.join(ours));
            kept.push(theirs);
        }
        assert!(!traces.join(pair().unwrap().0), "no more than that");
        kept.pop();
        let (ours, theirs) = pair().unwrap();
        assert!(traces.join(ours));
        drop((kept, theirs));
        traces.sent(&frame(1));
        assert!(traces.readers.is_empty());
    }
}

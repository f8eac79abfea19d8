//! The kernel's rfkill switches of WWAN type: airplane mode. A machine without `/dev/rfkill` blocks nothing.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::transport::watch;

/// Type number of WWAN switches, linux/rfkill.h.
const TYPE_WWAN: u8 = 5;
/// Octets of an event that every kernel sends.
const EVENT: usize = 8;

/// One switch changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Event {
    index: u32,
    kind: u8,
    removed: bool,
    blocked: bool,
}

impl Event {
    /// index u32, type u8, op u8, soft u8, hard u8; later kernels append.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [index @ .., kind, op, soft, hard] = *bytes.first_chunk::<EVENT>()?;
        let index = u32::from_ne_bytes(*index.first_chunk()?);
        Some(Self { index, kind, removed: op == 1, blocked: soft != 0 || hard != 0 })
    }
}

/// Whether any WWAN switch blocks, from the events so far.
#[derive(Debug, Default)]
struct Switches(BTreeMap<u32, bool>);

impl Switches {
    fn take(&mut self, event: Event) -> bool {
        if event.kind == TYPE_WWAN {
            if event.removed {
                self.0.remove(&event.index);
            } else {
                self.0.insert(event.index, event.blocked);
            }
        }
        self.0.values().any(|blocked| *blocked)
    }
}

/// Follows the switches for ever. The receiver tells whether the radio is to be off.
pub(crate) fn follow(device: &Path) -> Receiver<bool> {
    let (sender, receiver) = channel(false);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(device, flags, Mode::empty())
        .map_err(std::io::Error::from)
        .and_then(|fd| watch(fd, Interest::READABLE));
    match opened {
        Ok(fd) => {
            let mut switches = Switches::default();
            // All switches are told at once after opening: the first answer is there before anyone asks.
            while let Some(event) = read(fd.get_ref()) {
                sender.send_replace(switches.take(event));
            }
            tokio::spawn(run(fd, switches, sender));
        }
        Err(error) => tracing::debug!(device = %device.display(), %error, "no rfkill"),
    }
    receiver
}

fn read(fd: &OwnedFd) -> Option<Event> {
    let mut buffer = [0; 64];
    let count = rustix::io::read(fd, &mut buffer).ok()?;
    Event::read(buffer.get(..count)?)
}

async fn run(fd: AsyncFd<OwnedFd>, mut switches: Switches, sender: Sender<bool>) {
    loop {
        tokio::select! {
            ready = fd.readable() => {
                let Ok(mut ready) = ready else { return };
                while let Some(event) = read(fd.get_ref()) {
                    let blocked = switches.take(event);
                    sender.send_if_modified(|now| std::mem::replace(now, blocked) != blocked);
                }
                ready.clear_ready();
            }
            () = sender.closed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(index: u8, kind: u8, op: u8, soft: u8, hard: u8) -> Event {
        Event::read(&[index, 0, 0, 0, kind, op, soft, hard]).unwrap()
    }

    #[test]
    fn only_wwan_switches_count() {
        let mut switches = Switches::default();
        assert!(!switches.take(event(0, 1, 0, 1, 1)), "Wi-Fi");
        assert!(!switches.take(event(1, 5, 0, 0, 0)));
        assert!(switches.take(event(1, 5, 2, 1, 0)), "soft");
        assert!(switches.take(event(2, 5, 0, 0, 1)), "hard");
        assert!(switches.take(event(1, 5, 1, 0, 0)), "the other one still blocks");
        assert!(!switches.take(event(2, 5, 1, 0, 0)));
        assert!(Event::read(&[0; 7]).is_none());
    }

    #[tokio::test]
    async fn a_machine_without_it_blocks_nothing() {
        assert!(!*follow(Path::new("/nonexistent/rfkill")).borrow());
    }
}

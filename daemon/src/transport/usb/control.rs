//! Control messages over endpoint 0 and the interrupt endpoint, behind the contract of a port: every step may be
//! dropped and begun again. What is under way is kept here and not in the futures that callers drop.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::super::{Received, Sent};
use super::answers::{Answers, Fetched, Trouble};
use crate::dataplane::Work;

/// Octets of the head of a control message: type, length, transaction. `[MBIM1.0 9.1]`
const HEAD: usize = 12;
/// Type of a message that nobody asked for.
const INDICATE_STATUS: u32 = 0x8000_0007;
/// Octets of a notification without data. `[CDC 6.3]`
const NOTICE: usize = 8;
/// `bmRequestType` of a class notification of an interface, and the one that counts.
const RESPONSE_AVAILABLE: [u8; 2] = [0xA1, 0x01];
/// Failures of the interrupt endpoint in a row after which it is tried only now and then.
const FAILURES: u32 = 3;
/// Length of such a pause.
const PAUSE: Duration = Duration::from_secs(5);

/// Why a transfer gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    /// The device refused it with a stall.
    Stalled,
    /// No end in time.
    Late,
    /// A fault of the bus or of the system.
    Fault,
    /// The device is gone.
    Gone,
}

/// Endpoint 0 and the interrupt endpoint of one function.
pub(crate) trait Wires: Send {
    /// SEND_ENCAPSULATED_COMMAND.
    fn command(&self, frame: &[u8]) -> Work<Result<(), Fail>>;
    /// GET_ENCAPSULATED_RESPONSE of at most so many octets.
    fn response(&self, most: u16) -> Work<Result<Vec<u8>, Fail>>;
    /// The next notification. A transfer is kept under way from the first call on.
    fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, Fail>>;
    /// Ends a halt of the interrupt endpoint.
    fn clear(&mut self) -> Work<Result<(), Fail>>;
    /// Takes back what is under way and lets the interface go. Ends when that is done.
    fn release(self: Box<Self>) -> Work<()>;
}

/// The control channel.
pub(crate) struct Control {
    wires: Box<dyn Wires>,
    /// `bInterfaceNumber` of the communication interface: notifications of others are not ours.
    interface: u8,
    max_control: u16,
    answers: Answers,
    sending: Option<Work<Result<(), Fail>>>,
    fetching: Option<Work<Result<Vec<u8>, Fail>>>,
    clearing: Option<Work<Result<(), Fail>>>,
    /// Failures of the interrupt endpoint in a row.
    failures: u32,
    /// The interrupt endpoint is left alone until then.
    pause: Option<Duration>,
    /// Octets that were fetched and did not fit into the reader's buffer yet.
    rest: Vec<u8>,
    garbage: u64,
    start: Instant,
    timer: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("answers", &self.answers).finish_non_exhaustive()
    }
}

impl Control {
    /// `max_control`: largest message, octets.
    pub(crate) fn new(wires: Box<dyn Wires>, interface: u8, max_control: u16) -> Self {
        Self {
            wires,
            interface,
            max_control,
            answers: Answers::new(),
            sending: None,
            fetching: None,
            clearing: None,
            failures: 0,
            pause: None,
            rest: Vec::new(),
            garbage: 0,
            start: Instant::now(),
            timer: None,
        }
    }

    /// What is wrong with the channel; `None` = nothing.
    pub(crate) const fn trouble(&self) -> Option<Trouble> {
        self.answers.trouble()
    }

    /// Gives up what is under way and lets the interface go.
    pub(crate) fn release(self) -> Work<()> {
        self.wires.release()
    }

    /// Sends a frame, `done` saying whether it was begun.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>, frame: &[u8], done: &mut usize) -> Poll<Sent> {
        loop {
            if let Some(sending) = &mut self.sending {
                let Poll::Ready(result) = sending.as_mut().poll(cx) else { return Poll::Pending };
                self.sending = None;
                // One that its owner gave up: the frame at hand was not begun yet.
                let given_up = *done == 0 && !frame.is_empty();
                if result.is_err_and(|fail| fail != Fail::Gone) {
                    self.answers.unsent();
                }
                match result {
                    Ok(()) => self.answers.sent(self.start.elapsed()),
                    Err(Fail::Gone) => return Poll::Ready(Sent::Gone),
                    Err(_) if given_up => {}
                    Err(fail) => return Poll::Ready(Sent::Failed(error(fail))),
                }
                if !given_up {
                    return Poll::Ready(Sent::Done);
                }
            }
            *done = frame.len();
            self.sending = Some(self.wires.command(frame));
        }
    }

    /// Octets of whole frames.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Received> {
        loop {
            if !self.rest.is_empty() {
                let count = self.rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..count), self.rest.get(..count)) {
                    to.copy_from_slice(from);
                }
                self.rest.drain(..count);
                return Poll::Ready(Received::Bytes(count));
            }
            let now = self.start.elapsed();
            self.answers.woken(now);
            match self.poll_listen(cx, now) {
                Poll::Ready(Err(Fail::Gone)) => return Poll::Ready(Received::Gone),
                Poll::Ready(_) => continue,
                Poll::Pending => {}
            }
            if let Some(fetching) = &mut self.fetching {
                if let Poll::Ready(result) = fetching.as_mut().poll(cx) {
                    self.fetching = None;
                    if result == Err(Fail::Gone) {
                        return Poll::Ready(Received::Gone);
                    }
                    self.fetched(result);
                    continue;
                }
            } else if self.answers.fetch(now) {
                self.fetching = Some(self.wires.response(self.max_control));
                continue;
            }
            if self.poll_timer(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn poll_listen(&mut self, cx: &mut Context<'_>, now: Duration) -> Poll<Result<(), Fail>> {
        if let Some(clearing) = &mut self.clearing {
            let Poll::Ready(result) = clearing.as_mut().poll(cx) else { return Poll::Pending };
            self.clearing = None;
            return Poll::Ready(result);
        }
        if self.pause.is_some_and(|until| now < until) || !self.answers.listens(now) {
            return Poll::Pending;
        }
        self.pause = None;
        match self.wires.poll_notice(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(notice)) => {
                self.failures = 0;
                if announces(&notice, self.interface) {
                    self.answers.announced(now);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(Fail::Gone)) => Poll::Ready(Err(Fail::Gone)),
            Poll::Ready(Err(fail)) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures > FAILURES {
                    self.pause = Some(now.saturating_add(PAUSE));
                    tracing::debug!(?fail, "the interrupt endpoint fails; answers are asked for");
                }
                self.clearing = Some(self.wires.clear());
                Poll::Ready(Ok(()))
            }
        }
    }

    fn fetched(&mut self, result: Result<Vec<u8>, Fail>) {
        let what = match result {
            Ok(mut octets) => {
                let whole = whole_frames(&octets);
                let garbage = whole < octets.len();
                if garbage {
                    self.garbage = self.garbage.saturating_add(1);
                    tracing::debug!(octets = octets.len(), whole, garbage = self.garbage, "octets that are no frame");
                }
                octets.truncate(whole);
                self.rest = octets;
                match kind(&self.rest) {
                    None if garbage => Fetched::Garbage,
                    None => Fetched::Nothing,
                    Some(INDICATE_STATUS) => Fetched::Indication,
                    Some(_) => Fetched::Answer,
                }
            }
            Err(Fail::Stalled) => Fetched::Nothing,
            Err(_) => Fetched::Failed,
        };
        self.answers.fetched(self.start.elapsed(), what);
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wake) = [self.answers.wake(), self.pause].into_iter().flatten().min() else { return Poll::Pending };
        if self.timer.as_ref().is_none_or(|(at, _)| *at > wake) {
            self.timer = Some((wake, Box::pin(tokio::time::sleep_until(self.start + wake))));
        }
        let Some((_, timer)) = &mut self.timer else { return Poll::Pending };
        ready!(timer.as_mut().poll(cx));
        self.timer = None;
        Poll::Ready(())
    }
}

/// Whether a notification says that an answer can be fetched.
fn announces(notice: &[u8], interface: u8) -> bool {
    notice.len() >= NOTICE && notice.starts_with(&RESPONSE_AVAILABLE) && notice.get(4) == Some(&interface)
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn kind(octets: &[u8]) -> Option<u32> {
    number(octets, 0)
}

/// Octets of the whole frames at the start: what follows has no head, or names more than came.
fn whole_frames(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(length) = number(octets, at + 4).and_then(|length| usize::try_from(length).ok()) {
        match at.checked_add(length) {
            Some(end) if length >= HEAD && end <= octets.len() => at = end,
            _ => break,
        }
    }
    at
}

fn error(fail: Fail) -> std::io::Error {
    let (kind, text) = match fail {
        Fail::Stalled => (std::io::ErrorKind::ConnectionRefused, "the device stalled the command"),
        Fail::Late => (std::io::ErrorKind::TimedOut, "the device did not take the command in time"),
        Fail::Fault => (std::io::ErrorKind::Other, "a fault on the USB"),
        Fail::Gone => (std::io::ErrorKind::NotConnected, "the device is gone"),
    };
    std::io::Error::new(kind, text)
}

#[cfg(test)]
mod tests;

//! Serving a modem over a byte stream, as a cdc-wdm node would carry it: raw control frames, nothing else.
//!
//! One connection is one plug. The clock is tokio's, so that `tokio::time::pause` stops it.

use crate::log::Log;
use crate::machine::VirtualModem;
use crate::order::{Order, Output, State};
use crate::profile::Profile;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// Frames that may wait for a host that does not read; beyond it nothing is read from the host either.
const MOST_WAITING: usize = 256;

/// What a test sends to a modem that is being served.
#[derive(Debug)]
pub enum Control {
    /// An act from outside.
    Order(Order),
    /// Asks for the log so far.
    Log(oneshot::Sender<Log>),
    /// Asks for what the modem is doing.
    State(oneshot::Sender<State>),
    /// Asks for what the modem is and holds.
    Profile(oneshot::Sender<Profile>),
}

impl From<Order> for Control {
    fn from(order: Order) -> Self {
        Self::Order(order)
    }
}

/// Something that came out of the machine, other than frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Time since the start that was given to [`serve`].
    pub at: Duration,
    /// What it was.
    pub output: Output,
}

/// What the end of a connection means to [`listen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The cable was pulled; the next connection plugs it in again.
    Unplug,
    /// The host's program closed the node: the modem goes on as it is, sessions included.
    Keep,
}

/// Why a connection ended.
enum End {
    HostClosed,
    Unplugged,
    Rebooted,
}

/// Serves one connection until the host closes it or the modem goes. A host that closes unplugs the modem. Gives the
/// modem back for its log.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    mut modem: VirtualModem,
    start: Instant,
    orders: &mut UnboundedReceiver<Control>,
    events: &UnboundedSender<Event>,
) -> VirtualModem {
    if let End::HostClosed = connection(stream, &mut modem, start, orders, events).await {
        modem.order(start.elapsed(), Order::Unplug);
        drain(&mut modem, start, events, None);
    }
    modem
}

/// Serves one connection after the other, for ever. With [`Closing::Unplug`] the modem has power only while a host is
/// connected. After [`Order::Unplug`] no connection is taken until [`Order::Plug`].
///
/// # Errors
/// The listener's.
pub async fn listen(
    listener: UnixListener,
    mut modem: VirtualModem,
    closing: Closing,
    mut orders: UnboundedReceiver<Control>,
    events: UnboundedSender<Event>,
) -> io::Result<()> {
    let start = Instant::now();
    let mut pulled = false;
    if closing == Closing::Unplug {
        modem.order(Duration::ZERO, Order::Unplug);
        while modem.poll().is_some() {}
    }
    loop {
        let stream = loop {
            let due = modem.next_wake();
            tokio::select! {
                accepted = listener.accept(), if !pulled => break accepted?.0,
                Some(control) = orders.recv() => {
                    match &control {
                        Control::Order(Order::Unplug) => pulled = true,
                        Control::Order(Order::Plug) => pulled = false,
                        _ => {}
                    }
                    let only_a_cable = closing == Closing::Unplug && matches!(control, Control::Order(Order::Plug));
                    if !only_a_cable {
                        obey(&mut modem, start.elapsed(), control);
                    }
                }
                () = until(start, due) => modem.wake(start.elapsed()),
            }
            drain(&mut modem, start, &events, None);
        };
        if !modem.state().plugged {
            modem.order(start.elapsed(), Order::Plug);
        }
        match connection(stream, &mut modem, start, &mut orders, &events).await {
            End::HostClosed if closing == Closing::Unplug => {
                modem.order(start.elapsed(), Order::Unplug);
                drain(&mut modem, start, &events, None);
            }
            End::Unplugged => pulled = true,
            End::HostClosed | End::Rebooted => {}
        }
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    modem: &mut VirtualModem,
    start: Instant,
    orders: &mut UnboundedReceiver<Control>,
    events: &UnboundedSender<Event>,
) -> End {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut waiting = VecDeque::new();
    let mut written = 0;
    let mut buffer = vec![0; 8192];
    loop {
        if let Some(end) = drain(modem, start, events, Some(&mut waiting)) {
            // What left before the end reaches the host, unless it does not read.
            for frame in waiting.drain(..) {
                let rest = frame.get(written..).unwrap_or_default();
                written = 0;
                if tokio::time::timeout(Duration::from_millis(100), writer.write_all(rest)).await.is_err() {
                    break;
                }
            }
            return end;
        }
        let due = modem.next_wake();
        let front = waiting.front().and_then(|frame: &Vec<u8>| frame.get(written..)).unwrap_or_default();
        tokio::select! {
            control = orders.recv(), if !orders.is_closed() || !orders.is_empty() => {
                if let Some(control) = control {
                    obey(modem, start.elapsed(), control);
                }
            }
            sent = writer.write(front), if !front.is_empty() => match sent {
                Ok(0) | Err(_) => return End::HostClosed,
                Ok(count) if count == front.len() => {
                    waiting.pop_front();
                    written = 0;
                }
                Ok(count) => written += count,
            },
            read = reader.read(&mut buffer), if waiting.len() < MOST_WAITING => match read {
                Ok(0) | Err(_) => return End::HostClosed,
                Ok(count) => modem.handle(start.elapsed(), buffer.get(..count).unwrap_or_default()),
            },
            () = until(start, due) => modem.wake(start.elapsed()),
        }
    }
}

fn obey(modem: &mut VirtualModem, now: Duration, control: Control) {
    match control {
        Control::Order(order) => modem.order(now, order),
        // Whoever asked may have gone; then nobody misses the answer.
        Control::Log(reply) => drop(reply.send(modem.log().clone())),
        Control::State(reply) => drop(reply.send(modem.state())),
        Control::Profile(reply) => drop(reply.send(modem.profile().clone())),
    }
}

/// Takes everything out of the machine. Frames go to `frames`, or nowhere when nobody is connected.
fn drain(
    modem: &mut VirtualModem,
    start: Instant,
    events: &UnboundedSender<Event>,
    mut frames: Option<&mut VecDeque<Vec<u8>>>,
) -> Option<End> {
    while let Some(output) = modem.poll() {
        let end = match output {
            Output::Transmit(frame) => {
                if let Some(frames) = frames.as_deref_mut().filter(|_| !frame.is_empty()) {
                    frames.push_back(frame);
                }
                continue;
            }
            Output::Rebooted => Some(End::Rebooted),
            Output::Unplugged => Some(End::Unplugged),
            _ => None,
        };
        // A test that follows no events has dropped the other end.
        drop(events.send(Event { at: start.elapsed(), output }));
        if end.is_some() && frames.is_some() {
            return end;
        }
    }
    None
}

async fn until(start: Instant, due: Option<Duration>) {
    match due.and_then(|due| start.checked_add(due)) {
        Some(at) => sleep_until(at).await,
        None => core::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use tokio::net::UnixStream;
    use tokio::sync::mpsc::unbounded_channel;

    /// OPEN with 4096 bytes, transaction 1.
    const OPEN: [u8; 16] = [1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0];
    /// OPEN_DONE, success, transaction 1.
    const OPEN_DONE: [u8; 16] = [1, 0, 0, 0x80, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];

    #[tokio::test]
    async fn one_connection_is_one_plug() {
        let (mut host, function) = UnixStream::pair().unwrap();
        let (control, mut orders) = unbounded_channel();
        let (events, mut happened) = unbounded_channel();
        let modem = VirtualModem::new(Profile::default());
        let served = tokio::spawn(async move { serve(function, modem, Instant::now(), &mut orders, &events).await });
        host.write_all(&OPEN[..5]).await.unwrap();
        host.write_all(&OPEN[5..]).await.unwrap();
        let mut answer = [0; 16];
        host.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, OPEN_DONE);
        let (reply, state) = oneshot::channel();
        control.send(Control::State(reply)).unwrap();
        assert!(state.await.unwrap().open);
        drop(host);
        let modem = served.await.unwrap();
        assert!(!modem.state().plugged);
        assert_eq!(modem.log().from_host(), 1);
        assert_eq!(happened.recv().await.unwrap().output, Output::Unplugged);
    }

    #[tokio::test]
    async fn after_the_cable_is_pulled_nothing_is_taken_until_it_is_back() {
        let path = std::env::temp_dir().join(format!("virtual-modem-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let (control, orders) = unbounded_channel();
        let (events, mut happened) = unbounded_channel();
        let modem = VirtualModem::new(Profile::default());
        let served = tokio::spawn(listen(listener, modem, Closing::Unplug, orders, events));
        let mut answer = [0; 16];
        let mut host = UnixStream::connect(&path).await.unwrap();
        host.write_all(&OPEN).await.unwrap();
        host.read_exact(&mut answer).await.unwrap();
        control.send(Order::Unplug.into()).unwrap();
        assert_eq!(host.read(&mut answer).await.unwrap(), 0, "unplugged");
        assert_eq!(happened.recv().await.unwrap().output, Output::Unplugged);
        let mut host = UnixStream::connect(&path).await.unwrap();
        host.write_all(&OPEN).await.unwrap();
        control.send(Order::Plug.into()).unwrap();
        host.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, OPEN_DONE);
        std::fs::remove_file(&path).unwrap();
        served.abort();
    }
}

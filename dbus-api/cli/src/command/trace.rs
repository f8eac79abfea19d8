//! `mbimctl trace`.

mod ride;

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::time::Duration;

use dbus_api::proxy::{ManagerProxy, ModemProxy};
use dbus_api::trace::{LONGEST, Record, What};
use mbim_capture::{Anonymiser, Direction, Frame, write};
use mbim_proto::MbimEx;
use serde_json::json;
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use zbus::Connection;

use super::capture_file::{self, CaptureFile};
use super::decode::{Piece, Printer, Sessions};
use crate::arguments::Trace;
use crate::failure::Failure;
use crate::modem;
use crate::show::Output;
pub(crate) use ride::ride;

pub(super) async fn run(connection: &Connection, wish: &Trace, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, wish.which.modem.as_deref()).await?;
    let proxy: ModemProxy<'_> = super::proxy(connection, &modem).await?;
    let daemon = ManagerProxy::new(connection).await?.version().await.unwrap_or_default();
    let mbimex = if wish.restart { None } else { release(&modem.text("MbimExtensions")) };
    let about = [modem.text("Hardware"), modem.text("Firmware"), modem.text("UsbId")];
    let about: Vec<&str> = about.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let mut follower = Follower::new(
        wish,
        output,
        &write::Origin {
            hardware: &about.join(", "),
            comment: &format!("modem {} of mbimd {daemon}", modem.number),
            port: &modem.text("ControlPort"),
            mbimex,
            ..write::Origin::default()
        },
    )?;
    let options = HashMap::from([("restart", wish.restart.into())]);
    let socket = OwnedFd::from(proxy.trace(&options).await?);
    let ended = follower.follow(socket).await;
    follower.finish();
    ended
}

/// The release that the daemon names.
fn release(text: &str) -> Option<MbimEx> {
    let major: u16 = text.split('.').next()?.parse().ok()?;
    Some(MbimEx::from_bcd(major.checked_mul(0x100)?))
}

/// Where the frames go.
enum Sink {
    Text(Box<Text>),
    File(CaptureFile),
}

impl Sink {
    fn take(
        &mut self,
        time: Duration,
        direction: Direction,
        mbimex: Option<MbimEx>,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        match self {
            Self::Text(text) => {
                let Text { printer, sessions } = text.as_mut();
                let (time, direction) = (Some(time), Some(direction));
                let piece = Piece { offset: None, time, direction, device: None, mbimex, frame: Ok(bytes) };
                sessions.take(piece, &mut |entry| printer.print(&entry));
                Ok(())
            }
            Self::File(file) => file.put(time, direction, bytes),
        }
    }
}

struct Text {
    printer: Printer,
    sessions: Sessions,
}

struct Follower {
    sink: Sink,
    anonymiser: Option<Anonymiser>,
    mbimex: Option<MbimEx>,
    output: Output,
    lost: u64,
}

impl Follower {
    /// Prints or writes as was wished.
    fn new(wish: &Trace, output: Output, origin: &write::Origin<'_>) -> Result<Self, Failure> {
        let anonymous = wish.anonymise || wish.write.is_some() && !wish.reveal;
        let sink = match &wish.write {
            Some(name) => {
                let comment = format!("{}{}", origin.comment, if anonymous { capture_file::ANONYMOUS } else { "" });
                Sink::File(CaptureFile::create(name, &write::Origin { comment: &comment, ..*origin })?)
            }
            None => {
                let printer = Printer::new(output, wish.reveal || anonymous);
                Sink::Text(Box::new(Text { printer, sessions: Sessions::default() }))
            }
        };
        let anonymiser = if anonymous { Some(capture_file::anonymiser()?) } else { None };
        Ok(Self { sink, anonymiser, mbimex: origin.mbimex, output, lost: 0 })
    }

    /// Until a signal, or until there is no more.
    async fn follow(&mut self, socket: OwnedFd) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::failed(format!("the trace broke off: {error}"));
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true).map_err(failed)?;
        let socket = UnixStream::from_std(socket).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut buffer = vec![0; LONGEST];
        loop {
            let packet = tokio::select! {
                biased;
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                packet = next(&socket, &mut buffer) => packet.map_err(failed)?,
            };
            if packet.is_empty() {
                return Err(Failure::not_running());
            }
            self.record(packet)?;
        }
        waiting(socket, |packet| self.record(packet))
    }

    /// What the daemon tells.
    fn record(&mut self, packet: &[u8]) -> Result<(), Failure> {
        let Some(Record { time, what }) = Record::decode(packet) else { return Ok(()) };
        match what {
            What::Sent(frame) => self.frame(time, Direction::Sent, frame)?,
            What::Received(frame) => self.frame(time, Direction::Received, frame)?,
            What::Lost(count) => self.missing(time, count),
            What::End("gone") => return Err(Failure::no_modem("the modem is gone, and the trace ends with it")),
            What::End(_) => return Err(Failure::not_running()),
        }
        Ok(())
    }

    fn frame(&mut self, time: Duration, direction: Direction, bytes: &[u8]) -> Result<(), Failure> {
        let Self { sink, anonymiser, mbimex, .. } = self;
        let Some(anonymiser) = anonymiser else { return sink.take(time, direction, *mbimex, bytes) };
        let (time_of, way) = (Some(time), Some(direction));
        let frame = Frame { offset: 0, time: time_of, direction: way, device: None, mbimex: *mbimex, bytes };
        anonymiser.frame(&frame).iter().try_for_each(|bytes| sink.take(time, direction, *mbimex, bytes))
    }

    /// We were too slow for the modem.
    fn missing(&mut self, time: Duration, count: u64) {
        self.lost += count;
        match &self.sink {
            Sink::Text(_) => self.output.print(&json!({"lost": count, "time": time.as_secs_f64()}), || {
                format!("{count} frames are missing here: they came faster than they were read")
            }),
            Sink::File(_) => eprintln!("mbimctl: {count} frames are missing: they came faster than they were written"),
        }
    }

    /// What was written, if anything was.
    fn finish(&self) {
        if let Sink::File(file) = &self.sink {
            file.summary(self.output, json!({"lost": self.lost}));
        }
    }
}

/// The next packet; an empty one at the end.
async fn next<'a>(socket: &UnixStream, buffer: &'a mut [u8]) -> std::io::Result<&'a [u8]> {
    let count = loop {
        socket.readable().await?;
        // One packet each, whatever the type says: a read of a socket of packets takes one.
        match socket.try_read(buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            count => break count?,
        }
    };
    Ok(buffer.get(..count).unwrap_or_default())
}

/// Packets that a socket can hold, and more.
const MOST_WAITING: usize = 100_000;

/// What waits in a socket. Whoever says that it is enough wants all that passed until then, however slow we were.
fn waiting(socket: UnixStream, mut take: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
    // It does not block, as before.
    let Ok(mut socket) = socket.into_std() else { return Ok(()) };
    let mut buffer = vec![0; LONGEST];
    for _ in 0..MOST_WAITING {
        match socket.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(count) => take(buffer.get(..count).unwrap_or_default())?,
        }
    }
    Ok(())
}

//! `mbimctl trace`.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbus_api::proxy::{ManagerProxy, ModemProxy};
use dbus_api::trace::{LONGEST, Record, What};
use mbim_capture::{Direction, write};
use mbim_proto::MbimEx;
use serde_json::json;
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use zbus::Connection;

use super::decode::{Piece, Printer, Sessions};
use crate::arguments::Trace;
use crate::failure::Failure;
use crate::modem::{self, Modem};
use crate::show::Output;

pub(super) async fn run(connection: &Connection, wish: &Trace, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, wish.which.modem.as_deref()).await?;
    let proxy: ModemProxy<'_> = super::proxy(connection, &modem).await?;
    let daemon = ManagerProxy::new(connection).await?.version().await.unwrap_or_default();
    let mbimex = if wish.restart { None } else { release(&modem.text("MbimExtensions")) };
    let started = wish.write.as_deref().map(|path| File::create(path, &modem, &daemon, mbimex)).transpose()?;
    let sink = match started {
        Some(file) => Sink::File(file),
        None => {
            Sink::Text(Box::new(Text { printer: Printer::new(output, wish.reveal), sessions: Sessions::default() }))
        }
    };
    let options = HashMap::from([("restart", wish.restart.into())]);
    let socket = OwnedFd::from(proxy.trace(&options).await?);
    let mut follower = Follower { sink, mbimex, output, frames: 0, lost: 0 };
    let ended = follower.follow(socket).await;
    follower.finish()?;
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
    File(File),
}

struct Text {
    printer: Printer,
    sessions: Sessions,
}

/// A capture that is a whole one after each frame: whatever ends us, it can be read.
struct File {
    name: PathBuf,
    out: Box<dyn Write>,
}

struct Follower {
    sink: Sink,
    mbimex: Option<MbimEx>,
    output: Output,
    frames: u64,
    lost: u64,
}

impl Follower {
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
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                packet = next(&socket, &mut buffer) => packet.map_err(failed)?,
            };
            if packet.is_empty() {
                return Err(Failure::not_running());
            }
            let Some(Record { time, what }) = Record::decode(packet) else { continue };
            match what {
                What::Sent(frame) => self.frame(time, Direction::Sent, frame)?,
                What::Received(frame) => self.frame(time, Direction::Received, frame)?,
                What::Lost(count) => self.missing(time, count),
                What::End("gone") => return Err(Failure::no_modem("the modem is gone, and the trace ends with it")),
                What::End(_) => return Err(Failure::not_running()),
            }
        }
    }

    fn frame(&mut self, time: Duration, direction: Direction, frame: &[u8]) -> Result<(), Failure> {
        self.frames += 1;
        match &mut self.sink {
            Sink::Text(text) => {
                let Text { printer, sessions } = text.as_mut();
                let (time, direction) = (Some(time), Some(direction));
                let piece =
                    Piece { offset: None, time, direction, device: None, mbimex: self.mbimex, frame: Ok(frame) };
                sessions.take(piece, &mut |entry| printer.print(&entry));
                Ok(())
            }
            Sink::File(file) => file.put(&write::frame(time, direction, frame)),
        }
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
    fn finish(&mut self) -> Result<(), Failure> {
        let Sink::File(File { name, out }) = &mut self.sink else { return Ok(()) };
        out.flush().map_err(|error| Failure::failed(format!("{}: {error}", name.display())))?;
        if name.as_os_str() != "-" {
            let summary = json!({"file": name.display().to_string(), "frames": self.frames, "lost": self.lost});
            self.output.print(&summary, || format!("{} frames in {}", self.frames, name.display()));
        }
        Ok(())
    }
}

impl File {
    /// Only the caller may read it: who is named in it is the least that it holds.
    fn create(name: &Path, modem: &Modem, daemon: &str, mbimex: Option<MbimEx>) -> Result<Self, Failure> {
        let out: Box<dyn Write> = if name.as_os_str() == "-" {
            Box::new(std::io::stdout())
        } else {
            let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(name);
            Box::new(open.map_err(|error| Failure::failed(format!("{}: {error}", name.display())))?)
        };
        let mut file = Self { name: name.to_owned(), out };
        let firmware = modem.text("Firmware");
        let hardware = [modem.text("Hardware"), firmware, modem.text("UsbId")];
        let kernel = rustix::system::uname();
        file.put(&write::start_of(&write::Origin {
            application: concat!("mbimctl ", env!("CARGO_PKG_VERSION")),
            system: &format!("{} {}", kernel.sysname().to_string_lossy(), kernel.release().to_string_lossy()),
            hardware: hardware.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(", ").as_str(),
            comment: &format!("modem {} of mbimd {daemon}", modem.number),
            port: &modem.text("ControlPort"),
            mbimex,
        }))?;
        Ok(file)
    }

    fn put(&mut self, block: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(block).and_then(|()| self.out.flush());
        written.map_err(|error| Failure::failed(format!("{}: {error}", self.name.display())))
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

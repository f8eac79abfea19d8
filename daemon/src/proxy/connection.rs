//! One client of the proxy: its socket, its state machine, its modem.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daemon_core::proxy::{Access, Action, Client, Ended, GuestCommand, GuestId, News, Order, State, resolve};
use mbim_proto::service::uuid_name;
use mbim_proto::status::Status;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::path;
use super::register::{Card, OWN, Register, Why};
use crate::handle::{Guest, ModemHandle, Modems};

/// Octets of one read.
const READ: usize = 16 * 1024;
/// Octets that wait for a client which does not read; one more and it is let go.
const QUEUE: usize = 1 << 20;
/// Things that the modem says while its client is busy.
const NEWS: usize = 256;
/// Time for the last words to somebody who is hung up on.
const FAREWELL: Duration = Duration::from_millis(500);

struct Connection {
    id: GuestId,
    access: Access,
    stream: UnixStream,
    modems: Modems,
    aliases: Option<Arc<Path>>,
    client: Client,
    start: Instant,
    modem: Option<ModemHandle>,
    news: Option<mpsc::Receiver<News>>,
    out: VecDeque<Vec<u8>>,
    done: usize,
    queued: usize,
    commands: u64,
    card: Arc<Card>,
}

/// How a connection ends.
type End = (&'static str, Option<Why>);

enum Happened {
    Readable,
    Sent(usize),
    News(Option<News>),
    Wake,
    Gone,
}

/// Serves it to its end.
pub(super) async fn run(
    card: Arc<Card>,
    stream: UnixStream,
    modems: Modems,
    aliases: Option<Arc<Path>>,
    register: Register,
) {
    let (id, access) = (card.id, card.access);
    let mut connection = Connection {
        id,
        access,
        stream,
        modems,
        aliases,
        client: Client::default(),
        start: Instant::now(),
        modem: None,
        news: None,
        out: VecDeque::new(),
        done: 0,
        queued: 0,
        commands: 0,
        card,
    };
    let (why, turned_away) = connection.serve().await;
    connection.leave().await;
    if let Some(why) = turned_away {
        register.turn_away(why);
    }
    tracing::info!(client = id.0, commands = connection.commands, why, "a client of the proxy is gone");
}

impl Connection {
    /// Why it ended.
    async fn serve(&mut self) -> End {
        loop {
            if let Some(why) = self.act().await {
                let last_words = async { while !self.out.is_empty() && self.write().await {} };
                let _ = tokio::time::timeout(FAREWELL, last_words).await;
                return why;
            }
            if self.client.state() == State::Unserved {
                self.leave().await;
            }
            if self.queued > QUEUE {
                return ("it does not read", Some(Why::NotReading));
            }
            let room = self.card.keeps(self.client.held() + self.queued);
            self.card.counted(self.commands, self.client.refused());
            self.client.crowd(!room);
            // Commands under way come to their end; what it has begun to say, or does not read, might never.
            if !room && self.queued > OWN {
                return ("it does not read, and there is no room", Some(Why::NoRoom));
            }
            if !room && self.client.collecting() > OWN {
                self.client.overflow();
                continue;
            }
            let wake = self.client.next_wake().map(|at| self.start + at);
            let Self { stream, news, out, done, .. } = &mut *self;
            let happened = tokio::select! {
                ready = stream.readable() => if ready.is_ok() { Happened::Readable } else { Happened::Gone },
                sent = send(stream, out.front(), *done), if !out.is_empty() => sent,
                heard = hear(news.as_mut()) => Happened::News(heard),
                () = sleep_until(wake) => Happened::Wake,
            };
            match happened {
                Happened::Readable => {
                    if !self.read() {
                        return ("it hung up", None);
                    }
                }
                Happened::Sent(count) => self.sent(count),
                Happened::News(Some(news)) => self.client.news(news),
                Happened::News(None) => return ("its modem is gone", None),
                Happened::Wake => self.client.wake(self.start.elapsed()),
                Happened::Gone => return ("it hung up", None),
            }
        }
    }

    /// Does what the client wants; why it is to be hung up on, if it is.
    async fn act(&mut self) -> Option<End> {
        while let Some(action) = self.client.poll() {
            match action {
                Action::Send(frame) => {
                    self.queued += frame.len();
                    self.out.push_back(frame);
                }
                Action::Resolve(path) => {
                    tracing::debug!(client = self.id.0, path, "the modem that it wants");
                    let named = path::look_up(path).await;
                    let found = resolve(&named, &path::places(&self.modems, self.aliases.as_deref()));
                    self.client.resolved(self.start.elapsed(), found);
                }
                Action::Join(modem) => self.join(modem).await,
                Action::Command { key, command } => {
                    self.commands += 1;
                    trace(self.id, &command);
                    self.order(Order::Command { key, command }).await;
                }
                Action::End(Ended::Garbage) => return Some(("it sends no messages", Some(Why::NoMessages))),
                Action::End(Ended::NoRoom) => {
                    return Some(("there is no room for what it sends", Some(Why::NoRoom)));
                }
            }
        }
        None
    }

    async fn join(&mut self, modem: u32) {
        self.modem = self.modems.borrow().iter().find(|handle| handle.id == modem).cloned();
        let (tell, news) = mpsc::channel(NEWS);
        let joined = match &self.modem {
            Some(modem) => {
                let guest = Guest { id: self.id, order: Order::Join(self.access), news: Some(tell) };
                modem.guests.send(guest).await.is_ok()
            }
            None => false,
        };
        if joined {
            tracing::info!(client = self.id.0, modem, "a client of the proxy has its modem");
            self.news = Some(news);
            self.card.joined(modem);
        } else {
            self.client.news(News::Refused(Status::FAILURE));
        }
    }

    async fn leave(&mut self) {
        self.news = None;
        if let Some(modem) = self.modem.take() {
            // A modem that is gone has forgotten it.
            let _ = modem.guests.send(Guest { id: self.id, order: Order::Leave, news: None }).await;
        }
    }

    async fn order(&mut self, order: Order) {
        if let Some(modem) = &self.modem {
            // That the modem is gone is heard by its silence.
            let _ = modem.guests.send(Guest { id: self.id, order, news: None }).await;
        }
    }

    /// Whether it is still there.
    fn read(&mut self) -> bool {
        let mut buffer = [0; READ];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.client.bytes(self.start.elapsed(), buffer.get(..count).unwrap_or_default());
                true
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    async fn write(&mut self) -> bool {
        match send(&self.stream, self.out.front(), self.done).await {
            Happened::Sent(count) => {
                self.sent(count);
                true
            }
            _ => false,
        }
    }

    fn sent(&mut self, count: usize) {
        self.done += count;
        if self.out.front().is_some_and(|frame| frame.len() <= self.done) {
            self.queued -= self.out.pop_front().map_or(0, |frame| frame.len());
            self.done = 0;
        }
    }
}

async fn send(stream: &UnixStream, frame: Option<&Vec<u8>>, done: usize) -> Happened {
    let Some(rest) = frame.and_then(|frame| frame.get(done..)) else { return std::future::pending().await };
    loop {
        if stream.writable().await.is_err() {
            return Happened::Gone;
        }
        match stream.try_write(rest) {
            Ok(count) => return Happened::Sent(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => return Happened::Gone,
        }
    }
}

async fn hear(news: Option<&mut mpsc::Receiver<News>>) -> Option<News> {
    match news {
        Some(news) => news.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What is asked, not with what: that may be personal. The command stands there by its number: its name is in the registry
/// of all messages, which would come into the program with it, a megabyte.
fn trace(id: GuestId, command: &GuestCommand) {
    let GuestCommand { service, cid, operation, buffer } = command;
    let known = uuid_name(*service).unwrap_or("?");
    tracing::debug!(
        client = id.0,
        service = known,
        cid,
        operation = operation.name(),
        octets = buffer.len(),
        "a command through the proxy"
    );
}

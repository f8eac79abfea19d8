//! A trace through libmbim's proxy, beside a program that holds the modem, such as ModemManager. The proxy passes on what
//! the modem says unasked, and answers to those who asked.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream as Blocking};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mbim_capture::{Direction, write};
use mbim_proto::fragment::{FrameCutter, Reassembler};
use mbim_proto::message::{Command, CommandDone, Content, Open};
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::proxy_control::ProxyConfiguration;
use mbim_proto::{EncodeError, Message, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};

use super::{Follower, waiting};
use crate::arguments::Trace;
use crate::failure::Failure;
use crate::show::Output;

/// The abstract name that libmbim's programs know.
const NAME: &str = "mbim-proxy";
/// Seconds that the proxy may take to open the modem.
const OPENING: u32 = 30;
/// How long an answer may take, longer than the proxy itself waits for the modem to be opened.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of one message to the proxy.
const MOST: u32 = 4096;

pub(crate) async fn ride(wish: &Trace, output: Output) -> Result<(), Failure> {
    let port = wish.proxy.as_deref().unwrap_or_else(|| std::path::Path::new(""));
    let port = std::path::absolute(port).map_err(|error| Failure::usage(format!("{}: {error}", port.display())))?;
    let Some(port) = port.to_str() else { return Err(Failure::usage("the port's name is no text")) };
    let stream = connect().map_err(|error| {
        Failure::failed(format!("nobody answers at libmbim's socket ({error})"))
            .next("mbimctl trace without --proxy where mbimd holds the modem; else is ModemManager running?")
    })?;
    let origin = write::Origin { comment: "through libmbim's proxy", port, ..write::Origin::default() };
    let follower = Follower::new(wish, output, &origin)?;
    eprintln!("mbimctl: what others say to the modem is not shown: its proxy tells it to nobody");
    let (cutter, parts) = (FrameCutter::default(), Reassembler::default());
    let mut guest = Guest { stream, cutter, parts, follower, transaction: 0 };
    let interrupted = async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::io::Result::Ok(())
    };
    let ended = tokio::select! {
        biased;
        signalled = interrupted => Ok(signalled.map_err(|error| Failure::failed(error.to_string()))),
        ended = guest.session(port, wish.ask) => Err(ended),
    };
    let Guest { stream, mut cutter, mut follower, .. } = guest;
    let ended = match ended {
        Err(ended) => ended,
        Ok(signalled) => signalled.and_then(|()| {
            waiting(stream, |bytes| {
                cutter.push(bytes);
                while let Some(Ok(frame)) = cutter.next_frame() {
                    follower.frame(now(), Direction::Received, frame)?;
                }
                Ok(())
            })
        }),
    };
    follower.finish();
    ended
}

fn connect() -> std::io::Result<UnixStream> {
    let stream = Blocking::connect_addr(&SocketAddr::from_abstract_name(NAME)?)?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Our end of the conversation.
struct Guest {
    stream: UnixStream,
    cutter: FrameCutter,
    parts: Reassembler,
    follower: Follower,
    transaction: u32,
}

impl Guest {
    /// Until the proxy hangs up.
    async fn session(&mut self, port: &str, ask: bool) -> Result<(), Failure> {
        let path = ProxyConfiguration { device_path: port.to_owned(), timeout: OPENING };
        let done = self.ask(Command::set(&path)).await.map_err(|failure| {
            failure.next("name the modem's port as ModemManager does, such as /dev/cdc-wdm0; and be root")
        })?;
        refused(&done, "the modem")?;
        let transaction = self.next();
        self.say(Message::new(transaction, Content::Open(Open { max_control_transfer: MOST }))).await?;
        loop {
            match self.hear_within(PATIENCE).await?.content {
                Content::OpenDone(status) if status.is_success() => break,
                Content::OpenDone(status) => {
                    return Err(Failure::failed(format!("the proxy does not open it: {status}")));
                }
                _ => {}
            }
        }
        // All that there is: the proxy passes on what was subscribed, and begins with a list of its own.
        let done = self.ask(Command::query(&bc::DeviceServicesQuery {})).await?;
        if let Ok(Some(services)) = done.body::<bc::DeviceServices>() {
            let entry = |service: &bc::DeviceServiceElement| bc::EventEntry {
                device_service_id: service.device_service_id,
                cids: service.cids.clone(),
            };
            let events = services.device_services.iter().map(entry).collect();
            let done = self.ask(Command::set(&bc::DeviceServiceSubscribeList { events })).await?;
            if !done.status.is_success() {
                eprintln!("mbimctl: the modem does not tell everything unasked: {}", done.status);
            }
        }
        if ask {
            self.questions().await?;
        }
        loop {
            self.hear().await?;
        }
    }

    /// Only queries: nothing is changed under the one who holds the modem.
    async fn questions(&mut self) -> Result<(), Failure> {
        self.ask(Command::query(&bc::DeviceCapsQuery {})).await?;
        self.ask(Command::query(&bc::SubscriberReadyQuery {})).await?;
        self.ask(Command::query(&bc::RadioStateQuery {})).await?;
        self.ask(Command::query(&bc::HomeProviderQuery {})).await?;
        self.ask(Command::query(&bc::RegisterStateQuery {})).await?;
        self.ask(Command::query(&bc::PacketServiceQuery {})).await?;
        self.ask(Command::query(&bc::SignalStateQuery {})).await?;
        self.ask(Command::query(&bc::IpConfiguration::default())).await?;
        Ok(())
    }

    fn next(&mut self) -> u32 {
        self.transaction += 1;
        self.transaction
    }

    async fn say(&mut self, message: Message) -> Result<(), Failure> {
        let bytes = message.encode();
        self.follower.frame(now(), Direction::Sent, &bytes)?;
        self.stream.write_all(&bytes).await.map_err(|error| Failure::failed(format!("the proxy: {error}")))
    }

    /// The answer to a command; what else is heard until then is only shown.
    async fn ask(&mut self, command: Result<Command, EncodeError>) -> Result<CommandDone, Failure> {
        let command = command.map_err(|error| Failure::usage(error.to_string()))?;
        let transaction = self.next();
        self.say(command.message(transaction)).await?;
        loop {
            match self.hear_within(PATIENCE).await? {
                Message { transaction: of, content: Content::CommandDone(done) } if of == transaction => {
                    return Ok(done);
                }
                Message { transaction: of, content: Content::FunctionError(code) } if of == transaction => {
                    return Err(Failure::failed(format!("the proxy refuses: {code}")));
                }
                _ => {}
            }
        }
    }

    async fn hear_within(&mut self, time: Duration) -> Result<Message, Failure> {
        let heard = tokio::time::timeout(time, self.hear()).await;
        heard.unwrap_or_else(|_| Err(Failure::failed("the modem does not answer")))
    }

    /// The next message, shown.
    async fn hear(&mut self) -> Result<Message, Failure> {
        loop {
            while let Some(frame) = self.cutter.next_frame() {
                let frame = frame.map_err(|error| Failure::failed(format!("the proxy: {error}")))?;
                self.follower.frame(now(), Direction::Received, frame)?;
                let whole = self.parts.push(now(), frame).ok().flatten();
                if let Some(message) = whole.and_then(|whole| Message::decode(&whole).ok()) {
                    return Ok(message);
                }
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await {
                Ok(0) => return Err(Failure::no_modem("the proxy hung up: the modem is gone, or not for us")),
                Ok(count) => self.cutter.push(buffer.get(..count).unwrap_or_default()),
                Err(error) => return Err(Failure::failed(format!("the proxy: {error}"))),
            }
        }
    }
}

fn refused(done: &CommandDone, what: &str) -> Result<(), Failure> {
    match done.status {
        Status::SUCCESS => Ok(()),
        status => Err(Failure::no_modem(format!("the proxy does not give us {what}: {status}"))),
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

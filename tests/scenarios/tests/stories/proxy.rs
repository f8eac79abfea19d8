//! Other programs at a modem that the daemon holds and is connected on, through libmbim's socket: Debian's `mbimcli`, and
//! clients that do what it never would.

use std::collections::HashMap;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net as std_unix;
use std::process::Stdio;

use core::time::Duration;

use dbus_api::name::CONNECTION;
use harness::cases::Case;
use harness::virtual_modem::mbimcli::{self as table, LISTENING, Seen};
use harness::virtual_modem::{Direction, Fault, Order, What, When, kind};
use harness::virtual_operator::{Error, While};
use harness::wait;
use mbim_proto::Body;
use mbim_proto::fragment::{FrameCutter, Reassembler};
use mbim_proto::message::{Command, CommandDone, Content, Message};
use mbim_proto::service::proxy_control::ProxyConfiguration;
use mbim_proto::service::{BASIC_CONNECT, basic_connect as bc};
use mbim_proto::status::{ProtocolError, Status};
use scenarios::ctl::{Ctl, Said};
use scenarios::stage::{Outcome, Stage, quick, story};
use scenarios::stranger;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use zbus::OwnedVariant;

pub(crate) const CASES: &[Case] = &[
    Case { name: "mbimcli_beside_the_connection", run: || story("open", strangers) },
    Case { name: "a_client_on_libmbim_beside_the_connection", run: || story("open", library) },
    Case { name: "indications_go_to_whoever_wants_them", run: || story("open", indications) },
    Case { name: "clients_that_no_library_would_make", run: || story("open", hostile) },
];

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn modem_path(stage: &Stage) -> String {
    stage.world.directory().join("modem").display().to_string()
}

async fn mbimcli(path: &str, arguments: &[&str]) -> Result<Said, Error> {
    let mut command = tokio::process::Command::new("mbimcli");
    command.args(["--device-open-proxy", "--device", path]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().trying("starting mbimcli (package libmbim-utils)")?;
    let output =
        wait::at_most("mbimcli to end", PATIENCE, child.wait_with_output()).await?.trying("running mbimcli")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { status: output.status.code().unwrap_or(-1), output: text(&output.stdout), error: text(&output.stderr) })
}

/// Online, with the socket there.
async fn online(stage: &mut Stage) -> Result<(u32, String), Error> {
    stage.plug(quick(stage.world.scenario())).await?;
    let modem = stage.online().await?;
    Ok((modem, modem_path(stage)))
}

async fn strangers(stage: &mut Stage) -> Outcome {
    let (modem, path) = online(stage).await?;
    let addresses = stage.client.view(modem).await?.get::<Vec<String>>(CONNECTION, "Addresses");
    let equipment = quick(stage.world.scenario()).device_id.reveal().clone();

    // Two at a time; one of them goes without CLOSE.
    let (first, second) =
        tokio::join!(mbimcli(&path, &["--query-device-caps"]), mbimcli(&path, &["--query-device-caps", "--no-close"]));
    for said in [first?, second?] {
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.output.contains(&equipment), "{said:?}");
    }
    // What the layouts of release 3.0 say is read as such only by a client that was told.
    let said = mbimcli(&path, &["--device-open-ms-mbimex-v3", "--query-registration-state"]).await?;
    assert_eq!(said.status, 0, "{said:?}");
    let said = mbimcli(&path, &["--query-packet-service-state"]).await?;
    assert!(said.status == 0 && said.output.contains("attached"), "{said:?}");

    // Whatever it wants to end, ours goes on.
    let said = mbimcli(&path, &["--disconnect=0"]).await?;
    assert!(said.status != 0 && said.error.contains("OperationNotAllowed"), "{said:?}");
    let said = mbimcli(&path, &["--connect=session-id=0,access-string=internet,ip-type=ipv4"]).await?;
    assert!(said.status != 0 && said.error.contains("MaxActivatedContexts"), "{said:?}");
    let said = mbimcli(&path, &["--detach-packet-service"]).await?;
    assert!(said.status != 0, "{said:?}");

    // Where there is no node, as here, the daemon has made a path.
    let alias = stage.world.directory().join(format!("run/mbim/{modem}")).display().to_string();
    let said = mbimcli(&alias, &["--query-device-caps"]).await?;
    assert!(said.status == 0 && said.output.contains(&equipment), "{said:?}");

    // A path that leads to no modem is told, not hung up on.
    let said = mbimcli("/dev/null", &["--query-device-caps"]).await?;
    assert!(said.status != 0 && said.error.contains("Failure"), "{said:?}");

    let view = stage.client.view(modem).await?;
    assert!(view.is_online());
    assert_eq!(view.get::<Vec<String>>(CONNECTION, "Addresses"), addresses);
    let log = stage.line()?.log().await?;
    assert_eq!(log.count(|entry| entry.kind == kind::OPEN), 1, "one session for all");
    assert_eq!(log.count(|entry| entry.kind == kind::CLOSE), 0);
    let written = stage.log();
    assert!(written.contains("program=\"mbimcli\"") || written.contains("program=mbimcli"), "each is traced");
    assert!(!written.contains(&equipment), "nobody's number is");
    Ok(())
}

/// Services of the table that change nothing of what the daemon has up. Where a layout depends on the release, the one that
/// the daemon agreed on is in force for all.
const SERVICES: [&str; 8] =
    ["sms-", "ussd", "stk-", "auth-", "registration-", "modem-configuration", "wake-reason", "uicc-"];

/// SMS and USSD: what is heard of them.
const MESSAGES: [&str; 2] = ["533fbeeb-14fe-4467-9f90-33a223e56c3f", "e550a0c8-5e82-479e-82f7-10abf4c3351f"];

/// SMS, USSD, STK, Auth and the like through the proxy: what libmbim reads is what the modem holds.
async fn library(stage: &mut Stage) -> Outcome {
    let (modem, path) = online(stage).await?;
    if !strangers::is_the_one_compared()? {
        return Ok(());
    }
    let program = strangers::client(stage.world.directory())?;
    let (mut wrong, mut steps) = (Vec::new(), 0);
    for step in table::library() {
        let hears = step.arguments.iter().any(|word| MESSAGES.contains(word));
        if !hears && !SERVICES.iter().any(|service| step.option.starts_with(service)) {
            continue;
        }
        for order in step.orders.clone() {
            stage.order(order)?;
        }
        // Orders are carried out before this is answered.
        stage.line()?.state().await?;
        let arguments = [&[&*path, "--proxy"], &*step.arguments].concat();
        let happen = || step.during.iter().try_for_each(|order| stage.order(order.clone()));
        let (success, output) = stranger::run(&program, &arguments, LISTENING, happen).await?;
        let (profile, state) = (stage.line()?.profile().await?, stage.line()?.state().await?);
        wrong.extend(step.judge(success, &output, Seen { profile: &profile, state: &state }).err());
        steps += 1;
    }
    assert!(wrong.is_empty(), "{} of {steps} steps:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(steps > 35, "only {steps} steps");
    assert!(stage.client.view(modem).await?.is_online());
    Ok(())
}

/// A client of our own.
struct Guest {
    stream: UnixStream,
    cutter: FrameCutter,
    parts: Reassembler,
}

impl Guest {
    async fn connect() -> Result<Self, Error> {
        let name = std_unix::SocketAddr::from_abstract_name("mbim-proxy").trying("naming the proxy's socket")?;
        let stream = std_unix::UnixStream::connect_addr(&name).trying("connecting to the proxy")?;
        stream.set_nonblocking(true).trying("connecting to the proxy")?;
        let stream = UnixStream::from_std(stream).trying("connecting to the proxy")?;
        Ok(Self { stream, cutter: FrameCutter::default(), parts: Reassembler::default() })
    }

    async fn at(path: &str) -> Result<Self, Error> {
        let mut guest = Self::connect().await?;
        let body = ProxyConfiguration { device_path: path.to_owned(), timeout: 30 };
        guest.say(Command::set(&body).unwrap().message(1)).await?;
        let first = guest.hear().await?.ok_or_else(|| Error::new("configuring", "it hung up"))?;
        assert!(matches!(&first.content, Content::IndicateStatus(told) if told.cid == 2), "{first:?}");
        let done = guest.hear().await?.ok_or_else(|| Error::new("configuring", "it hung up"))?;
        assert!(matches!(&done.content, Content::CommandDone(done) if done.status == Status::SUCCESS), "{done:?}");
        Ok(guest)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        wait::at_most("the proxy to read", PATIENCE, self.stream.write_all(bytes)).await?.trying("writing to the proxy")
    }

    async fn say(&mut self, message: Message) -> Result<(), Error> {
        self.write(&message.encode()).await
    }

    /// The next message; `None` = it hung up.
    async fn hear(&mut self) -> Result<Option<Message>, Error> {
        loop {
            if let Some(frame) = self.cutter.next_frame() {
                let frame = frame.trying("cutting what the proxy says")?;
                if let Some(whole) = self.parts.push(Duration::ZERO, frame).trying("joining what the proxy says")? {
                    return Message::decode(&whole).map(Some).trying("reading what the proxy says");
                }
                continue;
            }
            let mut buffer = [0; 4096];
            match wait::at_most("the proxy to speak", PATIENCE, self.stream.read(&mut buffer)).await? {
                Ok(0) | Err(_) => return Ok(None),
                Ok(count) => self.cutter.push(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    /// The answer to a command; what else is heard until then.
    async fn ask(&mut self, transaction: u32, command: Command) -> Result<(CommandDone, Vec<Message>), Error> {
        self.say(command.message(transaction)).await?;
        let mut others = Vec::new();
        loop {
            match self.hear().await?.ok_or_else(|| Error::new("asking the proxy", "it hung up"))? {
                Message { transaction: of, content: Content::CommandDone(done) } if of == transaction => {
                    return Ok((done, others));
                }
                other => others.push(other),
            }
        }
    }

    async fn caps(&mut self, transaction: u32) -> Result<Vec<Message>, Error> {
        let (done, others) = self.ask(transaction, Command::query(&bc::DeviceCapsQuery {}).unwrap()).await?;
        assert_eq!((done.cid, done.status), (bc::DeviceCaps::CID, Status::SUCCESS));
        Ok(others)
    }
}

fn is_signal(message: &Message) -> bool {
    matches!(&message.content, Content::IndicateStatus(told) if told.service == BASIC_CONNECT && told.cid == 11)
}

async fn indications(stage: &mut Stage) -> Outcome {
    let (modem, path) = online(stage).await?;
    let mut silent = Guest::at(&path).await?;
    let mut listening = Guest::at(&path).await?;
    let nothing = bc::DeviceServiceSubscribeList { events: Vec::new() };
    let (done, _) = silent.ask(2, Command::set(&nothing).unwrap()).await?;
    assert_eq!((done.status, done.buffer), (Status::SUCCESS, nothing.to_vec()));
    stage.order(Order::Signal { rssi: 7, error_rate: 99 })?;
    loop {
        let told = listening.hear().await?.ok_or("it hung up")?;
        if is_signal(&told) {
            break;
        }
    }
    // Whatever it was told would have come before the answer.
    assert_eq!(silent.caps(3).await?, []);

    let ctl = Ctl::beside_test(stage.world.bus.address())?;
    let chain = ctl.call(&["explain"]).await?;
    assert!(chain.output.contains("2 other programs use the modem as well"), "{chain:?}");

    // Both are there when the modem goes, and hear of it.
    stage.order(Order::Unplug)?;
    stage.client.gone(modem).await?;
    while silent.hear().await?.is_some() {}
    while listening.hear().await?.is_some() {}
    Ok(())
}

/// A number of a client's card.
fn number(client: &HashMap<String, OwnedVariant>, key: &str) -> u64 {
    let value = client.get(key);
    value.and_then(|value| u64::try_from(value).ok().or_else(|| u32::try_from(value).ok().map(u64::from))).unwrap_or(0)
}

async fn hostile(stage: &mut Stage) -> Outcome {
    let (modem, path) = online(stage).await?;

    // 64 at once, one more, and one that takes the place of one.
    let mut crowd = Vec::new();
    for _ in 0..64 {
        crowd.push(Guest::at(&path).await?);
    }
    let mut one_more = Guest::connect().await?;
    assert_eq!(one_more.hear().await?, None);
    for (number, guest) in (100u32..).zip(&mut crowd) {
        guest.caps(number).await?;
    }
    crowd.clear();
    let mut guest = wait::until("a place to be free", PATIENCE, || async { Guest::at(&path).await.ok() }).await?;

    // Ten commands under way when it dies: their answers reach nobody else.
    let slow = Fault::always(When::answer(BASIC_CONNECT, bc::DeviceCaps::CID), What::Delay(Duration::from_millis(300)));
    stage.order(Order::Fault(slow))?;
    let mut dying = Guest::at(&path).await?;
    for transaction in 5..15 {
        dying.say(Command::query(&bc::DeviceCapsQuery {}).unwrap().message(transaction)).await?;
    }
    drop(dying);
    stage.order(Order::ClearFaults)?;
    for transaction in 5..15 {
        let (done, others) = guest.ask(transaction, Command::query(&bc::RadioStateQuery {}).unwrap()).await?;
        assert_eq!(done.cid, bc::RadioState::CID);
        assert!(others.iter().all(|other| matches!(other.content, Content::IndicateStatus(_))), "{others:?}");
    }

    // Garbage is told, then hung up on.
    let mut garbage = Guest::at(&path).await?;
    garbage.write(&[0xff; 200]).await?;
    let told = garbage.hear().await?.ok_or("not told")?;
    assert_eq!(told.content, Content::FunctionError(ProtocolError::LENGTH_MISMATCH));
    assert_eq!(garbage.hear().await?, None);

    // A command before the modem is named.
    let mut hasty = Guest::connect().await?;
    hasty.say(Command::query(&bc::DeviceCapsQuery {}).unwrap().message(9)).await?;
    let told = hasty.hear().await?.ok_or("not told")?;
    assert_eq!((told.transaction, told.content), (9, Content::FunctionError(ProtocolError::NOT_OPENED)));

    // One that asks and never reads is let go, and its commands with it.
    let mut deaf = Guest::at(&path).await?;
    let question = Command::query(&bc::DeviceServicesQuery {}).unwrap().message(3).encode().repeat(16);
    let gone = wait::at_most("the one that does not read to be let go", PATIENCE * 2, async {
        while deaf.stream.write_all(&question).await.is_ok() {}
    });
    gone.await?;

    // Messages that are begun and never whole, by so many that nobody's own limit is reached: all of them together have one,
    // and those that go on are told and let go. Who was there before goes on.
    let mut begun = Vec::new();
    for _ in 0..12 {
        begun.push(Guest::at(&path).await?);
    }
    // A frame of 1 MiB, all but its end.
    let frame = [&[3, 0, 0, 0, 0, 0, 16, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], &vec![0; 1000 << 10]].concat();
    for one in &mut begun {
        // One that is let go may not be read to its end.
        let _ = wait::at_most("the proxy to read", PATIENCE, one.stream.write_all(&frame)).await?;
    }
    let manager = dbus_api::proxy::ManagerProxy::builder(stage.client.connection())
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await?;
    let away = wait::until("somebody to be turned away", PATIENCE, || async {
        manager.proxy_turned_away().await.ok().filter(|away| away.get("no-room").is_some_and(|count| *count > 0))
    });
    let away = away.await?;
    assert!(["too-many", "no-messages", "not-reading"].iter().all(|why| away[*why] >= 1), "{away:?}");
    let kept: u64 = manager.proxy_clients().await?.iter().map(|client| number(client, "octets")).sum();
    assert!(kept <= (8 << 20) + 13 * (80 << 10), "{kept} octets are kept");
    drop((begun, hasty));
    let clients = wait::until("one client to be left", PATIENCE, || async {
        manager.proxy_clients().await.ok().filter(|clients| clients.len() == 1)
    });
    let clients = clients.await?;
    assert_eq!(number(&clients[0], "uid"), u64::from(nix::unistd::getuid().as_raw()));
    assert!(number(&clients[0], "commands") >= 10, "{clients:?}");

    // Nobody else noticed.
    guest.caps(99).await?;
    let log = stage.line()?.log().await?;
    assert_eq!(log.count(|entry| entry.kind == kind::OPEN && entry.direction == Direction::FromHost), 1);
    assert!(stage.client.view(modem).await?.is_online());
    Ok(())
}

//! A host controller with just enough of a driver: it imports, submits URBs and keeps what comes back.

use bytes::{Bytes, BytesMut};
use core::time::Duration;
use mbim_proto::Body;
use mbim_proto::class_request::{ClassRequest, Setup};
use mbim_proto::service::BASIC_CONNECT;
use mbim_proto::service::basic_connect::{ActivationCommand, ConnectSet, cid};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use virtual_modem::serve::Closing;
use virtual_modem::usb::wire::{DEVICE, Imported, OPERATION, Operation, Reply, Request, bus_id};
use virtual_modem::usb::{Control, Counters, Datagrams, Done, Event, Server, Urb, UsbProfile, serve};
use virtual_modem::{Output, Profile, VirtualModem, kind};

/// A bound that only a broken test reaches.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}

/// A served device.
pub(crate) struct Device {
    pub(crate) address: SocketAddr,
    pub(crate) control: UnboundedSender<Control>,
    pub(crate) events: UnboundedReceiver<(Duration, Event)>,
    /// Session 0 and 3.
    pub(crate) sessions: Vec<Datagrams>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Device {
    pub(crate) async fn new(look: UsbProfile, profile: Profile) -> Self {
        Self::kept(look, profile, Closing::Unplug, 8).await
    }

    pub(crate) async fn kept(look: UsbProfile, profile: Profile, closing: Closing, depth: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut server = Server::new(listener, VirtualModem::new(profile), look, closing);
        let address = server.address().unwrap();
        let sessions = [0, 3].map(|session| server.datagrams(session, depth)).into();
        let (control, orders) = unbounded_channel();
        let (tell, events) = unbounded_channel();
        let task = tokio::spawn(serve(server, orders, tell));
        Self { address, control, events, sessions, task }
    }

    pub(crate) fn tell(&self, control: impl Into<Control>) {
        self.control.send(control.into()).unwrap();
    }

    pub(crate) async fn counters(&self) -> Counters {
        let (reply, answer) = oneshot::channel();
        self.tell(Control::Counters(reply));
        within("counting", answer).await.unwrap()
    }

    /// Waits for an event that the test asks for, past others.
    pub(crate) async fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        within("an event", async {
            loop {
                let (_, event) = self.events.recv().await.expect("the device is served");
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
    }

    pub(crate) async fn host(&self) -> Host {
        Host::import(self.address, "1-1").await.expect("the device is given away")
    }

    /// A host that has configured the device and opened MBIM.
    pub(crate) async fn ready(&self) -> Host {
        let mut host = self.host().await;
        host.configure().await;
        host.open().await;
        host
    }

    /// As [`Device::ready`], with bulk pipes in this format and these sessions up.
    pub(crate) async fn online(&mut self, ntb32: bool, sessions: &[u32]) -> Host {
        let mut host = self.ready().await;
        host.set(ClassRequest::SetNtbFormat(ntb32.into()), &[]).await.unwrap();
        host.interface(1).await.unwrap();
        for session in sessions {
            host.connect(*session).await;
            self.event(|event| matches!(event, Event::Modem(Output::SessionUp { session: s, .. }) if s == session))
                .await;
        }
        host
    }
}

/// The host's side of one import.
pub(crate) struct Host {
    pub(crate) stream: TcpStream,
    device: u32,
    input: BytesMut,
    next: u32,
    transaction: u32,
    inputs: BTreeSet<u32>,
    done: BTreeMap<u32, Done>,
    unlinked: BTreeMap<u32, i32>,
}

impl Host {
    /// `None`: refused.
    pub(crate) async fn import(address: SocketAddr, id: &str) -> Option<Self> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&Operation::Import(bus_id(id)).bytes()).await.unwrap();
        let mut reply = vec![0; OPERATION];
        within("an answer to import", stream.read_exact(&mut reply)).await.unwrap();
        if reply[4..8] != [0; 4] {
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "a refusal ends there");
            return None;
        }
        reply.resize(OPERATION + DEVICE, 0);
        within("the device's record", stream.read_exact(&mut reply[OPERATION..])).await.unwrap();
        let imported = Imported::read(&reply).unwrap();
        Some(Self {
            stream,
            device: imported.device,
            input: BytesMut::new(),
            next: 1,
            transaction: 0,
            inputs: BTreeSet::new(),
            done: BTreeMap::new(),
            unlinked: BTreeMap::new(),
        })
    }

    pub(crate) async fn submit(
        &mut self,
        endpoint: u8,
        input: bool,
        flags: u32,
        setup: [u8; 8],
        data: Vec<u8>,
        length: usize,
    ) -> u32 {
        let id = self.next;
        self.next += 1;
        if input {
            self.inputs.insert(id);
        }
        let urb = Urb { id, endpoint, input, flags, length, setup, data: data.into() };
        let mut bytes = BytesMut::new();
        Request::Submit(urb).put(self.device, &mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
        id
    }

    pub(crate) async fn bulk_in(&mut self, length: usize) -> u32 {
        self.submit(2, true, 0, [0; 8], Vec::new(), length).await
    }

    /// `zero`: with the flag that asks for a zero-length packet where one is due.
    pub(crate) async fn bulk_out(&mut self, data: &[u8], zero: bool) -> u32 {
        self.submit(2, false, if zero { 0x40 } else { 0 }, [0; 8], data.to_vec(), data.len()).await
    }

    pub(crate) async fn interrupt(&mut self) -> u32 {
        self.submit(1, true, 0, [0; 8], Vec::new(), 16).await
    }

    /// Takes in one message; false when the device is gone.
    async fn take(&mut self) -> bool {
        loop {
            let reply = Reply::take(&mut self.input, |id| self.inputs.contains(&id)).unwrap();
            match reply {
                Some(Reply::Done(done)) => {
                    assert!(self.done.insert(done.id, done).is_none(), "completed twice");
                    return true;
                }
                Some(Reply::Unlinked { id, status }) => {
                    self.unlinked.insert(id, status);
                    return true;
                }
                None => match within("a message of the device", self.stream.read_buf(&mut self.input)).await {
                    Ok(0) | Err(_) => return false,
                    Ok(_) => {}
                },
            }
        }
    }

    /// Waits for a URB; `None`: the device is gone.
    pub(crate) async fn done(&mut self, id: u32) -> Option<Done> {
        loop {
            if let Some(done) = self.done.remove(&id) {
                return Some(done);
            }
            if !self.take().await {
                return None;
            }
        }
    }

    /// Whether a URB is completed after the device has answered everything before.
    pub(crate) async fn is_done(&mut self, id: u32) -> bool {
        self.get(0x80, 0, 0, 0, 2).await.unwrap();
        self.done.contains_key(&id)
    }

    pub(crate) async fn unlink(&mut self, victim: u32) -> i32 {
        let id = self.next;
        self.next += 1;
        let mut bytes = BytesMut::new();
        Request::Unlink { id, victim }.put(self.device, &mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
        loop {
            if let Some(status) = self.unlinked.remove(&id) {
                return status;
            }
            assert!(self.take().await, "the device is there");
        }
    }

    /// Waits until the device is gone.
    pub(crate) async fn gone(&mut self) {
        while self.take().await {}
    }

    // Endpoint 0.

    pub(crate) async fn control(&mut self, setup: Setup, data: &[u8]) -> Result<Bytes, i32> {
        let length = usize::from(setup.length);
        let id = self.submit(0, setup.is_in(), 0, setup.encode(), data.to_vec(), length).await;
        let done = self.done(id).await.expect("the device is there");
        if done.status == 0 { Ok(done.data) } else { Err(done.status) }
    }

    pub(crate) async fn get(
        &mut self,
        request_type: u8,
        request: u8,
        value: u16,
        index: u16,
        length: u16,
    ) -> Result<Bytes, i32> {
        self.control(Setup { request_type, request, value, index, length }, &[]).await
    }

    pub(crate) async fn put(&mut self, request_type: u8, request: u8, value: u16, index: u16) -> Result<(), i32> {
        self.control(Setup { request_type, request, value, index, length: 0 }, &[]).await.map(drop)
    }

    pub(crate) async fn class(&mut self, request: ClassRequest) -> Result<Bytes, i32> {
        self.control(request.setup(0), &[]).await
    }

    pub(crate) async fn set(&mut self, request: ClassRequest, data: &[u8]) -> Result<(), i32> {
        self.control(request.setup(0), data).await.map(drop)
    }

    pub(crate) async fn configure(&mut self) {
        self.put(0x00, 9, 1, 0).await.unwrap();
    }

    pub(crate) async fn interface(&mut self, alternate: u16) -> Result<(), i32> {
        self.put(0x01, 11, alternate, 1).await
    }

    // Messages.

    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<(), i32> {
        let length = u16::try_from(frame.len()).unwrap();
        self.set(ClassRequest::SendEncapsulatedCommand(length), frame).await
    }

    pub(crate) async fn fetch(&mut self) -> Bytes {
        self.class(ClassRequest::GetEncapsulatedResponse(4096)).await.unwrap()
    }

    /// Waits for a notification, then fetches what it is about.
    pub(crate) async fn response(&mut self) -> Bytes {
        let id = self.interrupt().await;
        let done = self.done(id).await.expect("the device is there");
        assert_eq!((done.status, &done.data[..]), (0, &[0xa1, 1, 0, 0, 0, 0, 0, 0][..]));
        self.fetch().await
    }

    pub(crate) async fn open(&mut self) {
        self.transaction += 1;
        let frame = [kind::OPEN, 16, self.transaction, 4096].map(u32::to_le_bytes).concat();
        self.send(&frame).await.unwrap();
        let answer = self.response().await;
        assert_eq!(answer, [kind::OPEN_DONE, 16, self.transaction, 0].map(u32::to_le_bytes).concat());
    }

    pub(crate) fn frame(&mut self, cid: u32, operation: u32, buffer: &[u8]) -> Vec<u8> {
        self.transaction += 1;
        let length = u32::try_from(buffer.len()).unwrap();
        let mut frame = [kind::COMMAND, 48 + length, self.transaction, 1, 0].map(u32::to_le_bytes).concat();
        frame.extend_from_slice(&BASIC_CONNECT.0);
        frame.extend([cid, operation, length].map(u32::to_le_bytes).concat());
        frame.extend_from_slice(buffer);
        frame
    }

    /// Sends a command and gives back status and buffer of its answer, past indications.
    pub(crate) async fn command(&mut self, cid: u32, operation: u32, buffer: &[u8]) -> (u32, Vec<u8>) {
        let frame = self.frame(cid, operation, buffer);
        self.send(&frame).await.unwrap();
        loop {
            let answer = self.response().await;
            let word = |at: usize| u32::from_le_bytes(answer[at..at + 4].try_into().unwrap());
            if word(0) == kind::COMMAND_DONE && word(8) == self.transaction {
                assert_eq!(word(12), 1, "one fragment");
                return (word(40), answer[48..].to_vec());
            }
        }
    }

    pub(crate) async fn connect(&mut self, session: u32) {
        self.command(cid::SUBSCRIBER_READY_STATUS, 0, &[]).await;
        let set = ConnectSet {
            session_id: session,
            activation_command: ActivationCommand::ACTIVATE,
            access_string: if session == 0 { "internet".into() } else { "purchase".into() },
            context_type: mbim_proto::service::context_type::INTERNET,
            ..Default::default()
        };
        let (status, _) = self.command(cid::CONNECT, 1, &set.to_vec()).await;
        assert_eq!(status, 0, "session {session} is up");
    }
}

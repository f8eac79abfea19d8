//! A host for tests: sends one thing at a time, keeps what comes, and lets time pass as far as the modem asks for.
#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

use core::time::Duration;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::ms_basic_connect_ext::Version;
use mbim_proto::{Body, MbimEx, Operation, Uuid, registry};
use virtual_modem::{Order, Output, Profile, VirtualModem, kind};

pub(crate) struct Host {
    pub(crate) modem: VirtualModem,
    pub(crate) now: Duration,
    transaction: u32,
    /// Service, CID and buffer.
    pub(crate) indications: Vec<(Uuid, u32, Vec<u8>)>,
    pub(crate) happened: Vec<Output>,
}

pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

impl Host {
    /// Opens and subscribes all indications of a service.
    pub(crate) fn new(profile: Profile, service: Uuid) -> Self {
        let modem = VirtualModem::new(profile);
        let mut host =
            Self { modem, now: Duration::ZERO, transaction: 0, indications: Vec::new(), happened: Vec::new() };
        host.open();
        host.subscribe(service);
        host
    }

    /// Opens and agrees on the highest release.
    pub(crate) fn agreed(profile: Profile) -> Self {
        let modem = VirtualModem::new(profile);
        let mut host =
            Self { modem, now: Duration::ZERO, transaction: 0, indications: Vec::new(), happened: Vec::new() };
        host.open();
        let asked = Version { version: 0x0100, extended_version: 0x0400 };
        assert_eq!(host.query::<Version>(&asked).0, 0);
        host
    }

    pub(crate) fn open(&mut self) {
        self.transaction += 1;
        let frame = [kind::OPEN, 16, self.transaction, 4096].map(u32::to_le_bytes).concat();
        self.modem.handle(self.now, &frame);
        self.drain();
    }

    pub(crate) fn subscribe(&mut self, service: Uuid) {
        let events = vec![bc::EventEntry { device_service_id: service, cids: (0..32).collect() }];
        let set = bc::DeviceServiceSubscribeList { events };
        assert_eq!(self.send(bc::SERVICE, bc::cid::DEVICE_SERVICE_SUBSCRIBE_LIST, 1, &set.to_vec()).0, 0);
    }

    /// Status and decoded answer; the answer's default when the status says no.
    pub(crate) fn query<A: Body>(&mut self, body: &impl Body) -> (u32, A) {
        self.ask(0, body)
    }

    pub(crate) fn set<A: Body>(&mut self, body: &impl Body) -> (u32, A) {
        self.ask(1, body)
    }

    fn ask<B: Body, A: Body>(&mut self, operation: u32, body: &B) -> (u32, A) {
        assert_eq!((A::SERVICE, A::CID), (B::SERVICE, B::CID), "the answer belongs to the question");
        let (status, buffer) = self.send(B::SERVICE, B::CID, operation, &body.to_vec());
        (status, if buffer.is_empty() { A::default_body() } else { A::decode(&buffer).unwrap() })
    }

    pub(crate) fn send(&mut self, service: Uuid, cid: u32, operation: u32, buffer: &[u8]) -> (u32, Vec<u8>) {
        let transaction = self.start(service, cid, operation, buffer);
        loop {
            let mut answers = self.drain();
            if let Some((of, status, buffer)) = answers.pop() {
                assert_eq!(of, transaction);
                return (status, buffer);
            }
            self.now = self.modem.next_wake().expect("an answer is due");
            self.modem.wake(self.now);
        }
    }

    /// Sends and does not wait.
    pub(crate) fn start(&mut self, service: Uuid, cid: u32, operation: u32, buffer: &[u8]) -> u32 {
        self.transaction += 1;
        let length = u32::try_from(buffer.len()).unwrap();
        let mut frame = [kind::COMMAND, 48 + length, self.transaction, 1, 0].map(u32::to_le_bytes).concat();
        frame.extend_from_slice(&service.0);
        frame.extend([cid, operation, length].map(u32::to_le_bytes).concat());
        frame.extend_from_slice(buffer);
        self.modem.handle(self.now, &frame);
        self.transaction
    }

    pub(crate) fn order(&mut self, order: Order) {
        self.modem.order(self.now, order);
        self.drain();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.modem.next_wake().filter(|due| *due <= until) {
            self.modem.wake(due);
        }
        self.now = until;
        self.drain();
    }

    /// The indications of one CID, decoded.
    pub(crate) fn indicated<B: Body>(&mut self) -> Vec<B> {
        let all = core::mem::take(&mut self.indications);
        let (mine, others) = all.into_iter().partition(|(service, cid, _)| (*service, *cid) == (B::SERVICE, B::CID));
        self.indications = others;
        mine.into_iter().map(|(_, _, buffer)| B::decode(&buffer).unwrap()).collect()
    }

    /// Transaction, status and buffer of each answer. What is sent is the declared layout, to the last byte.
    fn drain(&mut self) -> Vec<(u32, u32, Vec<u8>)> {
        let mut answers = Vec::new();
        while let Some(output) = self.modem.poll() {
            let Output::Transmit(frame) = output else {
                self.happened.push(output);
                continue;
            };
            let release = MbimEx::from_bcd(self.modem.state().release);
            let check = |operation, buffer: &[u8]| {
                let service = Uuid(frame[20..36].try_into().unwrap());
                let row = registry::find(service, word(&frame, 36), operation, release);
                if let Some(row) = row.filter(|_| !buffer.is_empty()) {
                    let used = row.decode(buffer, false).unwrap().used;
                    assert_eq!(used.next_multiple_of(4), buffer.len().next_multiple_of(4), "{}", row.body);
                }
                (service, word(&frame, 36), buffer.to_vec())
            };
            match word(&frame, 0) {
                kind::INDICATE_STATUS => self.indications.push(check(Operation::Notify, &frame[44..])),
                kind::COMMAND_DONE => {
                    let (_, _, buffer) = check(Operation::Response, &frame[48..]);
                    answers.push((word(&frame, 8), word(&frame, 40), buffer));
                }
                _ => {}
            }
        }
        answers
    }
}

/// A body that says nothing, for an answer without one.
trait DefaultBody {
    fn default_body() -> Self;
}

impl<B: Body> DefaultBody for B {
    fn default_body() -> Self {
        B::zero()
    }
}

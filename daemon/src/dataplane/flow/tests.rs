use super::*;
use crate::host::netlink::Netlink;
use mbim_proto::ntb::{Block, Builder, Format, Stream};
use std::collections::VecDeque;
use std::io::Write as _;
use std::net::UdpSocket;
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

/// Octets of a block, both ways.
const SIZE: u32 = 4096;

/// A device made of queues: what the plane begins, and what the test lets end.
#[derive(Debug, Default)]
struct Device {
    /// Transfers from the device that are under way.
    asked: usize,
    /// What they end with.
    input: VecDeque<(Vec<u8>, Ended)>,
    /// Transfers to the device that are under way.
    output: VecDeque<Vec<u8>>,
    /// How those end; with `None` they do not.
    takes: Option<Ended>,
    taken_back: [bool; 2],
    sent: Vec<Vec<u8>>,
    cleared: u32,
    resets: u32,
    resets_fail: bool,
    idle: bool,
    most_output: usize,
    waker: Option<Waker>,
}

#[derive(Clone, Debug, Default)]
struct Fake(Arc<Mutex<Device>>);

impl Fake {
    fn device(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Device)) {
        let mut device = self.device();
        change(&mut device);
        if let Some(waker) = device.waker.take() {
            waker.wake();
        }
    }

    /// Waits, without a bound of its own, until the device is as wished.
    async fn until(&self, what: &str, wish: impl Fn(&Device) -> bool) {
        let waited = async {
            while !wish(&self.device()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let patience = Duration::from_secs(600);
        assert!(tokio::time::timeout(patience, waited).await.is_ok(), "{what}: {:?}", self.device());
    }
}

impl Pipes for Fake {
    fn begin_in(&mut self) {
        self.device().asked += 1;
    }

    fn poll_in(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(&[u8])) -> Poll<Ended> {
        let mut device = self.device();
        device.waker = Some(cx.waker().clone());
        if device.asked == 0 {
            return Poll::Pending;
        }
        if device.taken_back[0] {
            device.asked -= 1;
            device.taken_back[0] = device.asked > 0;
            return Poll::Ready(Ended::TakenBack);
        }
        let Some((octets, ended)) = device.input.pop_front() else { return Poll::Pending };
        device.asked -= 1;
        if ended == Ended::Done {
            take(&octets);
        }
        Poll::Ready(ended)
    }

    fn begin_out(&mut self, block: Vec<u8>) {
        let mut device = self.device();
        device.output.push_back(block);
        device.most_output = device.most_output.max(device.output.iter().filter(|block| !block.is_empty()).count());
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<(Vec<u8>, Ended)> {
        let mut device = self.device();
        device.waker = Some(cx.waker().clone());
        let ended = if device.taken_back[1] { Some(Ended::TakenBack) } else { device.takes };
        let Some(ended) = ended.filter(|_| !device.output.is_empty()) else { return Poll::Pending };
        let block = device.output.pop_front().unwrap();
        device.taken_back[1] &= !device.output.is_empty();
        if ended == Ended::Done {
            device.sent.push(block.clone());
        }
        Poll::Ready((block, ended))
    }

    fn pending(&self, way: Way) -> usize {
        let device = self.device();
        if way == Way::In { device.asked } else { device.output.len() }
    }

    fn take_back(&mut self, way: Way) {
        let mut device = self.device();
        if way == Way::In {
            device.taken_back[0] = device.asked > 0;
        } else {
            device.taken_back[1] = !device.output.is_empty();
        }
    }

    fn clear(&mut self, _: Way) -> super::super::Work<bool> {
        self.device().cleared += 1;
        Box::pin(std::future::ready(true))
    }

    async fn reset(&mut self) -> bool {
        let mut device = self.device();
        assert_eq!((device.asked, device.output.len()), (0, 0), "a reset with transfers under way");
        device.resets += 1;
        !device.resets_fail
    }

    async fn idle(&mut self) {
        let mut device = self.device();
        assert_eq!((device.asked, device.output.len()), (0, 0), "idle with transfers under way");
        device.idle = true;
    }
}

struct Bench {
    fake: Fake,
    tuns: Tuns,
    health: watch::Receiver<Health>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Totals>,
}

impl Bench {
    fn new(tuns: Tuns) -> Self {
        Self::with(tuns, Patience { stuck: Duration::from_secs(600), ..Patience::default() })
    }

    fn with(tuns: Tuns, patience: Patience) -> Self {
        let fake = Fake::default();
        fake.device().takes = Some(Ended::Done);
        let limits = Limits::new(Format::Ntb16, SIZE);
        let agreed = Agreed { input: limits, output: limits, packet: 512, largest: 1500 };
        let (health, healthy) = watch::channel(Health::default());
        let (stop, stopped) = oneshot::channel();
        let plane = Plane::new(fake.clone(), &agreed, patience, health);
        let task = tokio::spawn(plane.run(tuns.clone(), stopped));
        Self { fake, tuns, health: healthy, stop, task }
    }

    async fn end(self) -> Totals {
        // It may have ended by itself.
        let _ = self.stop.send(());
        self.task.await.unwrap()
    }
}

/// A block with these packets of session 0.
fn block(sequence: u16, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = Builder::new(Limits::new(Format::Ntb16, SIZE));
    builder.start(sequence);
    for packet in packets {
        assert!(builder.push(Stream::Ip(0), packet));
    }
    builder.finish().to_vec()
}

/// A UDP datagram from 10.9.0.1 port 7 to 10.9.0.2.
fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = |header: usize| u16::try_from(header + payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2];
    packet[2..4].copy_from_slice(&length(28));
    let sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend([7u16.to_be_bytes(), port.to_be_bytes(), length(8), [0, 0]].concat());
    packet.extend(payload);
    packet
}

/// A network namespace of this thread alone; `None` without the right to make one.
pub(in super::super) fn namespace() -> Option<tokio::runtime::Runtime> {
    if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
        // Written past the test runner, which would swallow it.
        let _ = writeln!(std::io::stderr(), "1 cases need root");
        return None;
    }
    Some(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
}

fn ip(words: &[&str]) {
    assert!(std::process::Command::new("ip").args(words).status().unwrap().success(), "ip {words:?}");
}

fn without_interfaces() -> Tuns {
    Tuns::new(None, None)
}

#[test]
fn packets_pass_between_an_interface_and_the_device() {
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        let tuns = Tuns::new(None, Some(1400));
        let name = tuns.interface(0).unwrap();
        assert_eq!((name.as_str(), tuns.interface(0).unwrap().as_str()), ("mbim0", "mbim0"), "asked twice");
        let mtu = Netlink::open().unwrap().link(&name).unwrap().mtu;
        assert_eq!(mtu, 1400);
        ip(&["addr", "add", "10.9.0.2/24", "dev", &name]);
        ip(&["link", "set", &name, "up"]);
        let bench = Bench::new(tuns);
        let socket = UdpSocket::bind("10.9.0.2:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let socket = tokio::net::UdpSocket::from_std({
            socket.set_nonblocking(true).unwrap();
            socket
        })
        .unwrap();

        // Down: three packets in one block, among them one that nobody wants.
        let packets = [datagram(port, b"one"), vec![0x45; 20], datagram(port, b"two")];
        bench.fake.change(|device| device.input.push_back((block(0, &packets), Ended::Done)));
        let mut buffer = [0; 64];
        for want in [b"one", b"two"] {
            let got = tokio::time::timeout(Duration::from_secs(60), socket.recv(&mut buffer)).await.unwrap().unwrap();
            assert_eq!(&buffer[..got], want);
        }

        // Up: to the device and back out of its blocks, in order.
        for mark in 0..200u8 {
            socket.send_to(&[mark; 1000], "10.9.0.1:9").await.unwrap();
            if mark % 8 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let marks = |device: &Device| {
            let mut marks = Vec::new();
            for octets in device.sent.iter().filter(|block| !block.is_empty()) {
                let block = Block::parse(octets, &Limits::new(Format::Ntb16, SIZE)).unwrap();
                let packets = block.datagrams().map(|item| item.unwrap().payload.to_vec());
                // The kernel multicasts on its own behalf.
                marks.extend(packets.filter(|p| p[0] == 0x45 && p.len() == 1028).map(|p| p[28]));
            }
            marks
        };
        bench.fake.until("all packets", |device| marks(device).len() == 200).await;
        assert_eq!(marks(&bench.fake.device()), (0..200).collect::<Vec<u8>>());
        assert!(bench.fake.device().sent.len() < 200, "packets share blocks");

        // Another session later on.
        assert_eq!(bench.tuns.interface(5).unwrap(), "mbim0.5");
        bench.tuns.drop(5);
        let mut netlink = Netlink::open().unwrap();
        let gone = async {
            while netlink.link("mbim0.5").is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), gone).await.expect("the interface goes with its session");
        assert_eq!(bench.tuns.interface(5).unwrap(), "mbim0.5", "and may come again");
        let fake = bench.fake.clone();
        let totals = bench.end().await;
        assert!(fake.device().idle);
        assert!(totals.up.packets >= 200 && totals.down.packets >= 2, "{totals:?}");
    });
    // The interfaces went with the descriptors.
    let left = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    assert!(!left.contains("mbim"), "{left}");
}

#[test]
fn a_device_that_takes_nothing_holds_back_the_interface_and_not_the_daemon() {
    let Some(runtime) = namespace() else { return };
    runtime.block_on(async {
        let tuns = Tuns::new(Some("wan0"), None);
        ip(&["addr", "add", "10.9.0.2/24", "dev", &tuns.interface(0).unwrap()]);
        ip(&["link", "set", "wan0", "up"]);
        let short = Duration::from_millis(50);
        let mut bench = Bench::with(tuns, Patience { stuck: short, rest: short });
        bench.fake.change(|device| device.takes = None);
        let socket = tokio::net::UdpSocket::bind("10.9.0.2:0").await.unwrap();
        for _ in 0..400 {
            socket.send_to(&[0; 1000], "10.9.0.1:9").await.unwrap();
            tokio::task::yield_now().await;
        }
        let most = super::super::pump::MOST_IN_FLIGHT;
        bench.fake.until("what may be in flight", |device| device.output.len() >= most).await;
        bench.fake.until("a reset", |device| device.resets > 0).await;
        assert!(bench.fake.device().most_output <= most, "{}", bench.fake.device().most_output);
        let stuck = bench.health.wait_for(|health| health.trouble == Some(Trouble::Transfers(Cause::Stuck)));
        stuck.await.unwrap();
        bench.fake.change(|device| device.takes = Some(Ended::Done));
        socket.send_to(&[0; 1000], "10.9.0.1:9").await.unwrap();
        bench.health.wait_for(|health| health.trouble.is_none()).await.unwrap();
        bench.end().await;
    });
}

#[tokio::test]
async fn halts_are_cleared_and_then_the_path_is_reset() {
    let mut bench = Bench::new(without_interfaces());
    for round in 1..=3 {
        bench.fake.until("transfers", |device| device.asked == MOST_IN).await;
        bench.fake.change(|device| device.input.push_back((Vec::new(), Ended::Halted)));
        bench.fake.until("clearing", |device| device.cleared == round).await;
    }
    bench.fake.until("transfers", |device| device.asked == MOST_IN).await;
    bench.fake.change(|device| device.input.push_back((Vec::new(), Ended::Halted)));
    bench.fake.until("a reset", |device| device.resets == 1).await;
    bench.health.wait_for(|health| health.trouble == Some(Trouble::Transfers(Cause::Halts(Way::In)))).await.unwrap();
    bench.fake.until("transfers", |device| device.asked == MOST_IN).await;
    bench.fake.change(|device| device.input.push_back((block(0, &[vec![0x45; 20]]), Ended::Done)));
    bench.health.wait_for(|health| health.trouble.is_none()).await.unwrap();
    let fake = bench.fake.clone();
    let totals = bench.end().await;
    assert_eq!((totals.faults, fake.device().idle), (4, true));
}

#[tokio::test]
async fn resets_that_fail_are_tried_again_for_ever() {
    let patience = Patience { rest: Duration::from_millis(5), ..Patience::default() };
    let bench = Bench::with(without_interfaces(), patience);
    bench.fake.until("transfers", |device| device.asked == MOST_IN).await;
    bench.fake.change(|device| {
        device.resets_fail = true;
        device.input.extend(std::iter::repeat_n((Vec::new(), Ended::Fault), 4));
    });
    for _ in 0..3 {
        bench.fake.until("transfers or a reset", |device| device.asked == MOST_IN || device.resets > 0).await;
        bench.fake.change(|device| device.input.push_back((Vec::new(), Ended::Fault)));
    }
    bench.fake.until("many resets", |device| device.resets > 10).await;
    bench.fake.change(|device| {
        device.resets_fail = false;
        device.input.clear();
    });
    bench.fake.until("transfers", |device| device.asked == MOST_IN).await;
    bench.end().await;
}

#[tokio::test]
async fn garbage_is_named_and_counted() {
    let mut bench = Bench::new(without_interfaces());
    for _ in 0..GARBAGE {
        bench.fake.change(|device| device.input.push_back((vec![0xa5; 100], Ended::Done)));
    }
    bench.health.wait_for(|health| health.trouble == Some(Trouble::Garbage)).await.unwrap();
    assert!(bench.health.borrow().faults >= u64::from(GARBAGE));
    bench.fake.change(|device| device.input.push_back((block(0, &[vec![0x45; 20]]), Ended::Done)));
    bench.health.wait_for(|health| health.trouble.is_none()).await.unwrap();
    bench.end().await;
}

#[tokio::test]
async fn a_device_that_is_gone_ends_the_task() {
    for way in [Way::In, Way::Out] {
        let bench = Bench::new(without_interfaces());
        bench.fake.until("transfers", |device| device.asked == MOST_IN).await;
        bench.fake.change(|device| {
            if way == Way::In {
                device.input.push_back((Vec::new(), Ended::Gone));
            } else {
                device.takes = Some(Ended::Gone);
                device.output.push_back(vec![0; 10]);
            }
        });
        let fake = bench.fake.clone();
        bench.task.await.unwrap();
        let device = fake.device();
        assert_eq!((device.asked, device.output.len()), (0, 0), "nothing is left under way");
        assert!(!device.idle, "nobody is there to be told");
    }
}

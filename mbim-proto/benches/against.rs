//! Messages per second of this crate beside libmbim's: the same ten commands, the same bytes, in turns. Run it by
//! `tests/bench/against`, whose README says how to read it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure is the report")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command as Program, Stdio};
use std::time::Duration;

use mbim_proto::fragment::{FrameCutter, Reassembler, fragments};
use mbim_proto::message::{Command, CommandDone, Content, Message};
use mbim_proto::registry::describe;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::{context_type, sms};
use mbim_proto::{Body, MbimEx, Status, list};

/// Between two looks at the clock.
const BATCH: u64 = 2000;
/// Messages of a trace.
const TRACE: usize = 10_000;

/// One command: what a modem answers, how that is read, and how a request is made.
struct Pair {
    name: &'static str,
    answer: Vec<u8>,
    decode: fn(&[u8]),
    encode: fn() -> Vec<u8>,
}

fn read<B: Body>(bytes: &[u8]) {
    let message = Message::view(black_box(bytes)).unwrap();
    let Content::CommandDone(done) = message.content else { panic!("an answer") };
    let _ = black_box(B::decode(done.buffer).unwrap());
}

fn pair<B: Body>(name: &'static str, answer: &B, encode: fn() -> Vec<u8>) -> Pair {
    let done = CommandDone { service: B::SERVICE, cid: B::CID, status: Status::SUCCESS, buffer: answer.to_vec() };
    Pair { name, answer: done.message(7).encode(), decode: read::<B>, encode }
}

fn query<B: Body>(body: &B) -> Vec<u8> {
    Command::query(black_box(body)).unwrap().message(1).encode()
}

fn set<B: Body>(body: &B) -> Vec<u8> {
    Command::set(black_box(body)).unwrap().message(1).encode()
}

/// The ten commands, with the contents of a usual session.
fn pairs() -> Vec<Pair> {
    let all = bc::IpConfigurationAvailable(0xf);
    vec![
        pair(
            "device-caps",
            &bc::DeviceCaps {
                device_id: "352099746183058".into(),
                firmware_info: "VM-1.0".into(),
                hardware_info: "Virtual Modem".into(),
                ..Default::default()
            },
            || query(&bc::DeviceCapsQuery {}),
        ),
        pair(
            "subscriber-ready",
            &bc::SubscriberReady {
                subscriber_id: "001010123456789".into(),
                sim_icc_id: "8999101000000000017".into(),
                telephone_numbers: list!["+15550100".into()],
                ..Default::default()
            },
            || query(&bc::SubscriberReadyQuery {}),
        ),
        pair(
            "register-state",
            &bc::RegisterStateInfo {
                provider_id: "00101".into(),
                provider_name: "Test network".into(),
                ..Default::default()
            },
            || query(&bc::RegisterStateQuery {}),
        ),
        pair("packet-service", &bc::PacketService { uplink_speed: 50_000_000, ..Default::default() }, || {
            set(&bc::PacketServiceSet { packet_service_action: bc::PacketServiceAction::ATTACH })
        }),
        pair("signal-state", &bc::SignalState { rssi: 20, ..Default::default() }, || query(&bc::SignalStateQuery {})),
        pair("connect", &bc::ConnectInfo { context_type: context_type::INTERNET, ..Default::default() }, || {
            set(&bc::ConnectSet {
                activation_command: bc::ActivationCommand::ACTIVATE,
                access_string: "internet".into(),
                user_name: "user".into(),
                password: "password".into(),
                ip_type: bc::ContextIpType::IPV4V6,
                context_type: context_type::INTERNET,
                ..Default::default()
            })
        }),
        pair(
            "ip-configuration",
            &bc::IpConfiguration {
                ipv4_configuration_available: all,
                ipv6_configuration_available: all,
                ipv4_address: list![bc::Ipv4Element { on_link_prefix_length: 30, ipv4_address: [10, 64, 1, 2].into() }],
                ipv6_address: list![bc::Ipv6Element { on_link_prefix_length: 64, ipv6_address: [7; 16].into() }],
                ipv4_gateway: Some([10, 64, 1, 1].into()),
                ipv6_gateway: Some([8; 16].into()),
                ipv4_dns_server: list![[10, 64, 0, 53].into(), [10, 64, 0, 54].into()],
                ipv6_dns_server: list![[9; 16].into()],
                ipv4_mtu: 1430,
                ipv6_mtu: 1430,
                ..Default::default()
            },
            || query(&bc::IpConfiguration::default()),
        ),
        pair("radio-state", &bc::RadioState::default(), || {
            set(&bc::RadioStateSet { radio_state: bc::RadioSwitchState::ON })
        }),
        pair("pin", &bc::Pin::default(), || {
            set(&bc::PinSet { pin_type: bc::PinType::PIN1, pin: "1234".into(), ..Default::default() })
        }),
        pair("sms", &sms::SmsRead { messages: sms::SmsMessages::Pdu(vec![record(1), record(2)]) }, || {
            let record = sms::SmsPduSendRecord { pdu_data: PDU.to_vec().into() };
            set(&sms::SmsSendSet { message: sms::SmsMessage::Pdu(record) })
        }),
    ]
}

/// A short message.
const PDU: [u8; 17] = [0, 1, 0, 8, 0x91, 0x51, 0x55, 0x10, 0, 0, 0, 5, 0xe8, 0x32, 0x9b, 0xfd, 0x06];

fn record(message_index: u32) -> sms::SmsPduReadRecord {
    sms::SmsPduReadRecord { message_index, message_status: sms::SmsStatus::NEW, pdu_data: PDU.to_vec().into() }
}

/// Time of this program on the processor: others may be there too.
fn cpu() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux with schedstat");
    Duration::from_nanos(schedstat.split(' ').next().and_then(|time| time.parse().ok()).expect("a time"))
}

/// Times per second.
fn rate(each: Duration, batch: u64, mut act: impl FnMut()) -> f64 {
    let (start, mut done) = (cpu(), 0);
    loop {
        (0..batch).for_each(|_| act());
        done += batch;
        let spent = cpu() - start;
        if spent >= each {
            return done as f64 / spent.as_secs_f64();
        }
    }
}

fn ours(pairs: &[Pair], each: Duration) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for pair in pairs {
        found.insert(format!("decode {}", pair.name), rate(each, BATCH, || (pair.decode)(&pair.answer)));
        found.insert(format!("encode {}", pair.name), rate(each, BATCH, || drop(black_box((pair.encode)()))));
    }
    let mut which = (0..pairs.len()).cycle();
    let text = rate(each, BATCH, || {
        let pair = &pairs[which.next().unwrap()];
        black_box(describe(black_box(&pair.answer), MbimEx::V1, true).to_string());
    });
    found.insert("trace text".into(), text);
    found
}

fn theirs(program: &str, input: &str, each: Duration) -> BTreeMap<String, f64> {
    let mut child = Program::new(program)
        .arg(each.as_secs_f64().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("libmbim's side");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "libmbim's side failed");
    let line = |line: &str| {
        let (name, rate) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), rate.parse().unwrap())
    };
    String::from_utf8(output.stdout).unwrap().lines().map(line).collect()
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// What libmbim gives no function for: a message of 64 KiB out of its fragments, and a trace into values.
fn alone(pairs: &[Pair], each: Duration) {
    let body = sms::SmsRead { messages: sms::SmsMessages::Pdu((0..1480).map(record).collect()) };
    let (service, cid) = (sms::SmsRead::SERVICE, sms::SmsRead::CID);
    let whole = CommandDone { service, cid, status: Status::SUCCESS, buffer: body.to_vec() }.message(3).encode();
    let stream: Vec<u8> = fragments(&whole, 4096).flatten().collect();
    let rate = rate(each * 4, 10, || {
        let (mut cutter, mut parts) = (FrameCutter::default(), Reassembler::default());
        let mut found = 0;
        for piece in black_box(&stream).chunks(4096) {
            cutter.push(piece);
            while let Some(frame) = cutter.next_frame() {
                found += usize::from(parts.push(Duration::ZERO, frame.unwrap()).unwrap().is_some());
            }
        }
        assert_eq!(found, 1);
    });
    let bytes = rate * whole.len() as f64 / 1e6;
    println!("reassembly of {} octets in frames of 4096: {rate:.0} messages/s, {bytes:.0} MB/s", whole.len());
    // As long as the clock is coarse.
    let traces = self::rate(each * 4, 1, || {
        (0..TRACE).for_each(|at| {
            let pair = &pairs[at % pairs.len()];
            (pair.decode)(&pair.answer);
        });
    });
    println!("a trace of {TRACE} messages into values: {:.2} ms", 1e3 / traces);
}

fn main() {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(program) = variable("LIBMBIM") else {
        // cargo runs all benches, this one too.
        println!("not run: tests/bench/against does");
        return;
    };
    let rounds = variable("ROUNDS").and_then(|n| n.parse().ok()).unwrap_or(5);
    let each = Duration::from_secs_f64(variable("SECONDS_EACH").and_then(|n| n.parse().ok()).unwrap_or(0.2));
    let pairs = pairs();
    let mut input = String::new();
    for pair in &pairs {
        let hex: String = pair.answer.iter().map(|byte| format!("{byte:02x}")).collect();
        input += &format!("{} {hex}\n", pair.name);
    }
    let (mut here, mut there): (BTreeMap<String, Vec<f64>>, BTreeMap<String, Vec<f64>>) = Default::default();
    let mut ratios: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..rounds {
        let (mine, yours) = (ours(&pairs, each), theirs(&program, &input, each));
        for (name, rate) in mine {
            let other = yours[&name];
            ratios.entry(name.clone()).or_default().push(rate / other);
            here.entry(name.clone()).or_default().push(rate);
            there.entry(name).or_default().push(other);
        }
    }
    println!("{:28} {:>14} {:>14} {:>8}", "messages/s, medians", "mbim-proto", "libmbim", "ratio");
    for (name, rates) in here {
        let (rate, other) = (median(rates), median(there[&name].clone()));
        println!("{name:28} {rate:>14.0} {other:>14.0} {:>8.1}", median(ratios[&name].clone()));
    }
    alone(&pairs, each);
}

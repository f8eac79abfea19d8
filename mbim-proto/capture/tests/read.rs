//! Files of all kinds, whole and broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::process::Command;
use std::time::Duration;

use mbim_capture::{Device, Direction, Frame, Malformed, Problem, frames, is_capture, packets, write};
use mbim_proto::message::{Content, Open};
use mbim_proto::{MbimEx, Message};
use proptest::prelude::*;

const TIME: Duration = Duration::new(1_700_000_000, 123_456_000);

fn open(transaction: u32) -> Vec<u8> {
    Message::new(transaction, Content::Open(Open { max_control_transfer: 4096 })).encode()
}

fn close(transaction: u32) -> Vec<u8> {
    Message::new(transaction, Content::Close).encode()
}

fn ours() -> Vec<u8> {
    [write::start(), write::frame(TIME, Direction::Sent, &open(1)), write::frame(TIME, Direction::Received, &close(2))]
        .concat()
}

fn all(file: &[u8]) -> Result<Vec<Frame<'_>>, Malformed> {
    frames(file)?.collect()
}

#[test]
fn what_we_write_we_read() {
    let file = ours();
    let read = all(&file).unwrap();
    let told: Vec<_> = read.iter().map(|one| (one.time, one.direction, one.bytes.to_vec())).collect();
    assert_eq!(told, [(Some(TIME), Some(Direction::Sent), open(1)), (Some(TIME), Some(Direction::Received), close(2))]);
    for frame in read {
        assert_eq!(&file[frame.offset..][..frame.bytes.len()], frame.bytes, "the place is that of the bytes");
    }
    assert!(is_capture(&file) && !is_capture(&open(1)) && !is_capture(b"pcap") && !is_capture(&[]));
}

/// Where a file comes from, as Wireshark's `capinfos` and as we read it.
#[test]
fn a_file_says_where_it_comes_from() {
    let origin = write::Origin {
        application: "mbimctl 0.1",
        system: "Linux 6.1",
        hardware: "A modem",
        comment: "Two lines\nof it",
        port: "/dev/cdc-wdm0",
        mbimex: Some(MbimEx::V3),
    };
    let file = [write::start_of(&origin), write::frame(TIME, Direction::Sent, &open(1))].concat();
    let read = all(&file).unwrap();
    assert_eq!((read[0].mbimex, read[0].bytes), (Some(MbimEx::V3), &open(1)[..]));
    assert_eq!(all(&ours()).unwrap()[0].mbimex, None);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pcapng");
    std::fs::write(&path, file).unwrap();
    let out = Command::new("capinfos").arg(&path).output().expect("capinfos, of tshark");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    for said in ["mbimctl 0.1", "Linux 6.1", "A modem", "of it", "/dev/cdc-wdm0", "MBIM control channel, MBIMEx 3.0"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// Wireshark's own writer: three formats, and from each the same messages.
#[test]
fn what_editcap_writes_we_read() {
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["in.pcapng", "out"].map(|name| folder.path().join(name));
    std::fs::write(&from, ours()).unwrap();
    for format in ["pcap", "nsecpcap", "pcapng"] {
        let out = Command::new("editcap").args(["-F", format]).args([&from, &to]).output().expect("editcap, of tshark");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let file = std::fs::read(&to).unwrap();
        let read = all(&file).unwrap();
        let told: Vec<_> = read.iter().map(|one| (one.time, one.direction, one.bytes.to_vec())).collect();
        let want = [(Some(TIME), Some(Direction::Sent), open(1)), (Some(TIME), Some(Direction::Received), close(2))];
        assert_eq!(told, want, "{format}");
    }
}

/// A block of pcapng in either byte order.
fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let length = word(big, body.len() as u32 + 12);
    [word(big, kind), length.clone(), body.to_vec(), length].concat()
}

fn word(big: bool, number: u32) -> Vec<u8> {
    if big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
}

fn half(big: bool, number: u16) -> Vec<u8> {
    if big { number.to_be_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
}

fn section(big: bool) -> Vec<u8> {
    block(big, 0x0a0d_0d0a, &[word(big, 0x1a2b_3c4d), half(big, 1), half(big, 0), vec![0xff; 8]].concat())
}

fn interface(big: bool, link_type: u16, options: &[u8]) -> Vec<u8> {
    block(big, 1, &[half(big, link_type), half(big, 0), word(big, 0), options.to_vec()].concat())
}

/// Tags and the PDU, as any machine writes them.
fn exported(dissector: &str, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 12, 0, dissector.len() as u8];
    bytes.extend_from_slice(dissector.as_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 0]);
    bytes.extend_from_slice(pdu);
    bytes
}

#[test]
fn both_byte_orders_old_blocks_and_odd_clocks() {
    let packet = exported("mbim.control", &close(9));
    let size = packet.len() as u32;
    for big in [false, true] {
        let enhanced = |interface, ticks: u64| {
            let words = [interface, (ticks >> 32) as u32, ticks as u32, size, size];
            let words: Vec<u8> = words.into_iter().flat_map(|number| word(big, number)).collect();
            block(big, 6, &[words, packet.clone()].concat())
        };
        // Half seconds since 1971, by options; microseconds without.
        let odd = [half(big, 9), half(big, 1), vec![0x81, 0, 0, 0], half(big, 14), half(big, 8)].concat();
        let year: i64 = 31_536_000;
        let odd = [odd, if big { year.to_be_bytes().to_vec() } else { year.to_le_bytes().to_vec() }].concat();
        let simple = block(big, 3, &[word(big, size), packet.clone()].concat());
        let old = [half(big, 1), half(big, 0)].concat();
        let old: Vec<u8> = [old, [0, 1_000_001, size, size].into_iter().flat_map(|n| word(big, n)).collect()].concat();
        let file = [
            section(big),
            interface(big, 252, &odd),
            interface(big, 252, &[]),
            block(big, 5, &[0; 8]), // statistics
            enhanced(0, 3),
            enhanced(1, 1_500_000),
            simple,
            block(big, 2, &[old, packet.clone()].concat()),
            section(!big), // a second section, of another machine
            interface(!big, 1, &[]),
        ]
        .concat();
        let read = all(&file).unwrap();
        assert!(read.iter().all(|frame| frame.bytes == close(9)), "{big}");
        let times: Vec<_> = read.iter().map(|frame| frame.time.map(|time| time.as_micros())).collect();
        assert_eq!(times, [Some(31_536_001_500_000), Some(1_500_000), None, Some(1_000_001)], "{big}");
    }
}

/// A pcap file with one packet after the other.
fn pcap(big: bool, link_type: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let head = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, link_type];
    let mut file: Vec<u8> = head.into_iter().flat_map(|number| word(big, number)).collect();
    for packet in packets {
        let size = packet.len() as u32;
        file.extend([7, 5, size, size].into_iter().flat_map(|number| word(big, number)));
        file.extend_from_slice(packet);
    }
    file
}

/// usbmon's header and the data of one event.
fn usbmon(big: bool, header: usize, event: (u8, u64), setup: Option<[u8; 2]>, size: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = if big { event.1.to_be_bytes() } else { event.1.to_le_bytes() }.to_vec();
    bytes.extend([event.0, 2, 0x80, 4]);
    bytes.extend(half(big, 3));
    bytes.push(if setup.is_some() { 0 } else { b'-' });
    bytes.push(0);
    bytes.extend([0; 16]);
    bytes.extend(word(big, size));
    bytes.extend(word(big, data.len() as u32));
    bytes.extend(setup.unwrap_or_default());
    bytes.resize(header, 0);
    bytes.extend_from_slice(data);
    bytes
}

#[test]
fn a_bus_is_listened_to() {
    const SEND: Option<[u8; 2]> = Some([0x21, 0]);
    const GET: Option<[u8; 2]> = Some([0xa1, 1]);
    let (there, back) = (open(1), Message::new(1, Content::OpenDone(mbim_proto::Status::SUCCESS)).encode());
    for big in [false, true] {
        for (link_type, header) in [(189, 48), (220, 64)] {
            let event = |event, setup, size: usize, data: &[u8]| usbmon(big, header, event, setup, size as u32, data);
            let qmi = [1, 12, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
            let file = pcap(
                big,
                link_type,
                &[
                    event((b'S', 8), Some([0x80, 6]), 18, &[]), // GET_DESCRIPTOR
                    event((b'C', 8), None, 18, &[18; 18]),
                    event((b'S', 9), SEND, there.len(), &there),
                    event((b'C', 9), None, there.len(), &[]),
                    event((b'S', 10), SEND, qmi.len(), &qmi), // a stranger's
                    event((b'S', 11), GET, 4096, &[]),
                    event((b'C', 12), None, back.len(), &back), // nobody asked
                    event((b'C', 11), None, back.len(), &back),
                    event((b'C', 11), None, back.len(), &back), // once is enough
                ],
            );
            let device = Some(Device { bus: 3, address: 4 });
            let told: Vec<_> =
                all(&file).unwrap().iter().map(|one| (one.direction, one.device, one.bytes.to_vec())).collect();
            let want =
                [(Some(Direction::Sent), device, there.clone()), (Some(Direction::Received), device, back.clone())];
            assert_eq!(told, want, "{link_type} {big}");
        }
    }
}

#[test]
fn others_packets_are_passed_over() {
    let file = pcap(false, 252, &[exported("http", b"GET /"), exported("mbim.control\0\0\0\0", &close(3))]);
    assert_eq!(all(&file).unwrap().len(), 1);
    assert_eq!(all(&pcap(false, 1, &[vec![0; 60]])).unwrap(), []);
}

#[test]
fn errors_name_part_place_and_limit() {
    let fault = |file: &[u8]| all(file).unwrap_err();
    assert_eq!(fault(b"no capture").to_string(), "file at byte 0: neither pcap nor pcapng");
    assert_eq!(fault(&pcap(false, 252, &[])[..20]).to_string(), "file header at byte 0: 24 bytes needed, 20 left");
    let file = pcap(false, 252, &[exported("mbim.control", &close(3))]);
    assert_eq!(fault(&file[..30]).to_string(), "packet header at byte 24: 16 bytes needed, 6 left");
    assert_eq!(fault(&file[..50]).to_string(), "packet at byte 24: 48 bytes needed, 26 left");
    assert_eq!(
        fault(&pcap(false, 252, &[vec![0, 12, 0, 40, 1]])).to_string(),
        "exported PDU at byte 40: tags without an end"
    );
    let ours = ours();
    let cut = fault(&ours[..ours.len() - 8]);
    assert_eq!((cut.part, matches!(cut.problem, Problem::Truncated { .. })), ("block", true));
    let stray = [section(false), block(false, 6, &[0; 32])].concat();
    assert_eq!(fault(&stray).to_string(), "packet at byte 28: interface 0 is not described");
    let odd = [section(false), word(false, 6), word(false, 13), vec![0; 9]].concat();
    assert_eq!(fault(&odd).to_string(), "block at byte 28: length 13 is impossible here");
    let short = usbmon(false, 64, (b'S', 1), Some([0x21, 0]), 16, &open(1)[..12]);
    let file = pcap(false, 220, &[short, exported("", &[])]);
    let mut told = frames(&file).unwrap().map(|one| one.unwrap_err());
    assert_eq!(told.next().unwrap().to_string(), "usbmon packet at byte 40: only 12 of 16 bytes were captured");
    assert!(told.next().is_some() && told.next().is_none(), "one bad packet is not the end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes, and any change to good ones: bounded, no panic, places inside of the file.
    #[test]
    fn nothing_breaks_the_reader(noise: Vec<u8>, at in 0usize..400, with: u32, cut in 0usize..400) {
        let mut changed = ours();
        let place = at.min(changed.len() - 4);
        changed[place..place + 4].copy_from_slice(&with.to_le_bytes());
        let cut = cut.min(changed.len());
        for file in [&noise[..], &changed, &ours()[..cut]] {
            let Ok(read) = packets(file) else { continue };
            prop_assert!(read.take(1000).count() <= file.len() / 12 + 1);
            for item in frames(file).into_iter().flatten() {
                match item {
                    Ok(frame) => prop_assert!(file[frame.offset..].starts_with(frame.bytes)),
                    Err(malformed) => prop_assert!(malformed.offset <= file.len()),
                }
            }
        }
    }
}

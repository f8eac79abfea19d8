use std::net::UdpSocket;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use super::super::merge::tests::{packet, written};
use super::super::merge::{Burst, Merger};
use super::super::pump::is_whole;
use super::super::tun::{self, Tun};
use super::*;

const ACK: u8 = 0x10;
const SYN: u8 = 0x02;
const ROOM: usize = 1500;

/// Reads a packet as a TUN device gives it, and all that comes of it.
fn finished(cutter: &mut Cutter, header: &[u8; HEADER], octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut room = vec![0; ROOM];
    let front = octets.len().min(ROOM);
    room[..front].copy_from_slice(&octets[..front]);
    cutter.rest(ROOM)[..octets.len() - front].copy_from_slice(&octets[front..]);
    match cutter.take(3, header, &mut room, octets.len()) {
        Read::Packet(count) => Some(vec![room[..count].to_vec()]),
        Read::Refused => None,
        Read::Segments => {
            let mut all = Vec::new();
            while let Some(session) = cutter.session() {
                assert_eq!(session, 3);
                let mut room = vec![0xee; ROOM];
                let count = cutter.next(&mut room);
                all.push(room[..count].to_vec());
            }
            Some(all)
        }
    }
}

#[test]
fn what_was_merged_is_cut_into_the_same() {
    let mut cutter = Cutter::new();
    for v6 in [false, true] {
        for (size, last) in [(1000, 1000), (1000, 1), (1, 1), (1400, 17)] {
            let stream: Vec<Vec<u8>> = (0..40_u8)
                .map(|n| {
                    let (flags, octets) = if n == 39 { (ACK | PUSH, last) } else { (ACK, size) };
                    let sequence = (u32::MAX - 2000).wrapping_add(u32::from(n) * u32::try_from(size).unwrap());
                    packet(v6, 0xfff0_u16.wrapping_add(n.into()), sequence, flags, &vec![n; octets])
                })
                .collect();
            let all = written(&stream);
            let [(40, header, octets)] = all.as_slice() else { panic!("{} pieces", all.len()) };
            assert_eq!(finished(&mut cutter, header, octets).unwrap(), stream);
        }
    }
}

#[test]
fn the_end_of_a_stream_and_a_reduced_window_are_said_once() {
    let stream: Vec<Vec<u8>> = (0..3).map(|n| packet(false, n, u32::from(n) * 100, ACK, &[7; 100])).collect();
    let (_, header, mut octets) = written(&stream).remove(0);
    octets[20 + 13] |= FIN | REDUCED;
    let flags: Vec<u8> =
        finished(&mut Cutter::new(), &header, &octets).unwrap().iter().map(|segment| segment[20 + 13]).collect();
    assert_eq!(flags, [ACK | REDUCED, ACK, ACK | FIN]);
}

#[test]
fn a_sum_that_was_left_open_is_made() {
    let right = packet(false, 1, 2, ACK, b"some octets");
    let mut open = right.clone();
    let pseudo = sum(u32::from(TCP) + u32::try_from(open.len() - 20).unwrap(), &open[12..20]);
    put(&mut open, 36, pseudo).unwrap();
    let header = |start: u16, offset: u16| {
        let ([a, b], [c, d]) = (start.to_ne_bytes(), offset.to_ne_bytes());
        [NEEDS_SUM, 0, 0, 0, 0, 0, a, b, c, d]
    };
    let mut cutter = Cutter::new();
    assert_eq!(finished(&mut cutter, &header(20, 16), &open).unwrap(), std::slice::from_ref(&right));
    assert_eq!(finished(&mut cutter, &[0; HEADER], &right).unwrap(), [right]);
    assert_eq!(finished(&mut cutter, &header(20, 1000), &open), None);
    assert_eq!(finished(&mut cutter, &header(u16::MAX, u16::MAX), &open), None);
}

proptest! {
    #[test]
    fn no_header_does_harm(header: [u8; HEADER], octets in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut cutter = Cutter::new();
        for kind in [header[1], SEGMENTS_V4, SEGMENTS_V6] {
            let mut header = header;
            header[1] = kind;
            if let Some(all) = finished(&mut cutter, &header, &octets) {
                prop_assert!(all.iter().all(|segment| segment.len() <= ROOM));
            }
        }
    }
}

/// A TCP packet that comes from the other end of the link.
fn incoming(source: u16, to: u16, sequence: u32, acknowledged: u32, flags: u8) -> Vec<u8> {
    let mut octets = packet(false, 1, sequence, ACK, &[]);
    octets[12..20].copy_from_slice(&[10, 9, 0, 1, 10, 9, 0, 2]);
    octets[20..22].copy_from_slice(&source.to_be_bytes());
    octets[22..24].copy_from_slice(&to.to_be_bytes());
    octets[28..32].copy_from_slice(&acknowledged.to_be_bytes());
    // No options: the largest segment is said, the rest is padding.
    octets[32..34].copy_from_slice(&[0x80, flags]);
    octets[34..36].copy_from_slice(&60_000_u16.to_be_bytes());
    octets[40..52].fill(0);
    if flags & SYN != 0 {
        octets[40..44].copy_from_slice(&[2, 4, 0x05, 0x50]);
    }
    for at in [10, 36] {
        put(&mut octets, at, 0).unwrap();
    }
    let head = !sum(0, &octets[..20]);
    put(&mut octets, 10, head).unwrap();
    let pseudo = sum(u32::from(TCP) + u32::try_from(octets.len() - 20).unwrap(), &octets[12..20]);
    let whole = !sum(pseudo.into(), &octets[20..]);
    put(&mut octets, 36, whole).unwrap();
    octets
}

/// The next packets of an interface, as they go to a device, and how many the kernel made of them.
async fn next(tun: &Tun, cutter: &mut Cutter) -> (Vec<Vec<u8>>, usize) {
    let (mut room, mut rest) = (vec![0; ROOM], vec![0; 1 << 16]);
    let read = std::future::poll_fn(|cx| match tun.poll_read(cx, &mut room, &mut rest) {
        tun::Read::Packet(header, octets) => std::task::Poll::Ready((header, octets)),
        tun::Read::Empty => std::task::Poll::Pending,
        tun::Read::Gone => panic!("the interface is gone"),
    });
    let (header, octets) = tokio::time::timeout(Duration::from_secs(60), read).await.expect("a packet in time");
    let whole = [&room[..octets.min(ROOM)], &rest[..octets.saturating_sub(ROOM)]].concat();
    (finished(cutter, &header, &whole).expect("a packet of the kernel"), octets)
}

/// Packets of TCP whose sums are right.
fn is_right(segment: &[u8]) -> bool {
    let mut bursts = Vec::new();
    let mut merger = Merger::new();
    let mut write = |_, burst: &Burst<'_>| bursts.push(burst.packets);
    // Two alike in a row are merged only where sums were looked at and are right.
    let mut second = segment.to_vec();
    let payload = segment.len() - 20 - usize::from(segment[32] >> 4) * 4;
    let sequence = u32::from_be_bytes(segment[24..28].try_into().unwrap());
    second[24..28].copy_from_slice(&sequence.wrapping_add(u32::try_from(payload).unwrap()).to_be_bytes());
    put(&mut second, 36, 0).unwrap();
    let pseudo = sum(u32::from(TCP) + u32::try_from(second.len() - 20).unwrap(), &second[12..20]);
    let whole = !sum(pseudo.into(), &second[20..]);
    put(&mut second, 36, whole).unwrap();
    merger.take(0, segment, &mut write);
    merger.take(0, &second, &mut write);
    merger.flush(&mut write);
    bursts == [2]
}

#[test]
fn the_kernel_leaves_rows_of_segments_to_us() {
    let Some(runtime) = super::super::flow::tests::namespace() else { return };
    runtime.block_on(async {
        let tun = Tun::create("mbim%d").unwrap();
        for words in [["addr", "add", "10.9.0.2/24", "dev", tun.name()], ["link", "set", tun.name(), "up", "mtu"]] {
            let mut command = std::process::Command::new("ip");
            command.args(words);
            if words[4] == "mtu" {
                command.arg("1400");
            }
            assert!(command.status().unwrap().success());
        }
        let mut cutter = Cutter::new();
        let connecting = tokio::spawn(tokio::net::TcpStream::connect("10.9.0.1:9"));
        let syn = loop {
            let (packets, _) = next(&tun, &mut cutter).await;
            if let Some(syn) = packets.into_iter().find(|p| p[0] == 0x45 && p[9] == TCP) {
                break syn;
            }
        };
        let port = u16::from_be_bytes([syn[20], syn[21]]);
        let first = u32::from_be_bytes(syn[24..28].try_into().unwrap()).wrapping_add(1);
        let answer = incoming(9, port, 100, first, SYN | ACK);
        assert!(tun.write(&Burst { header: [0; HEADER], head: &[], parts: &[&answer], packets: 1 }));
        let mut stream = connecting.await.unwrap().unwrap();
        let said: Vec<u8> = (0..12_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        stream.write_all(&said).await.unwrap();

        let (mut heard, mut longest) = (vec![0; said.len()], 0);
        let mut missing = said.len();
        while missing > 0 {
            let (packets, octets) = next(&tun, &mut cutter).await;
            longest = longest.max(octets);
            for segment in packets.iter().filter(|p| p[0] == 0x45 && p[9] == TCP) {
                assert!(is_whole(segment) && segment.len() <= 1400, "{}", segment.len());
                let payload = &segment[20 + usize::from(segment[32] >> 4) * 4..];
                if payload.is_empty() {
                    continue;
                }
                assert!(segment[33] & PUSH != 0 || is_right(segment), "{:02x?}", &segment[..52]);
                let at = u32::from_be_bytes(segment[24..28].try_into().unwrap()).wrapping_sub(first);
                let at = usize::try_from(at).unwrap();
                heard[at..at + payload.len()].copy_from_slice(payload);
                missing = missing.saturating_sub(payload.len());
            }
        }
        assert_eq!(heard, said);
        assert!(longest > 1400, "the kernel cut all by itself");

        // The sum of a datagram, too.
        let socket = UdpSocket::bind("10.9.0.2:0").unwrap();
        socket.send_to(b"octets", "10.9.0.1:9").unwrap();
        let datagram = loop {
            let (packets, _) = next(&tun, &mut cutter).await;
            if let Some(datagram) = packets.into_iter().find(|p| p[0] == 0x45 && p[9] == 17) {
                break datagram;
            }
        };
        let pseudo = sum(17 + u32::try_from(datagram.len() - 20).unwrap(), &datagram[12..20]);
        assert_eq!(sum(pseudo.into(), &datagram[20..]), 0xFFFF);
    });
}

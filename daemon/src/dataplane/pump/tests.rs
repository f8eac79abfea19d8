use super::*;
use mbim_proto::ntb::{Fault, Format};
use proptest::prelude::*;

const PACKET: u16 = 512;

/// An IPv4 packet of so many octets.
fn packet(octets: usize, mark: u8) -> Vec<u8> {
    let mut packet = vec![mark; octets];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&u16::try_from(octets).unwrap().to_be_bytes());
    packet
}

fn limits(format: Format) -> Limits {
    Limits::new(format, 16 * 1024)
}

fn uplink() -> Uplink {
    Uplink::new(limits(Format::Ntb16), PACKET, 2048)
}

/// Puts a packet in; `false` = there was no room.
fn put(up: &mut Uplink, session: u8, packet: &[u8]) -> bool {
    let Some(room) = up.room(session) else { return false };
    room[..packet.len()].copy_from_slice(packet);
    up.took(session, packet.len());
    true
}

fn taken(block: &[u8], format: Format) -> Vec<(u8, Vec<u8>)> {
    let mut down = Downlink::new(limits(format));
    let mut got = Vec::new();
    down.take(block, |session, packet| {
        got.push((session, packet.parts.concat()));
        true
    });
    assert!(down.faults().is_empty(), "{:?}", down.faults());
    got
}

#[test]
fn a_lone_packet_goes_at_once() {
    let mut up = uplink();
    assert_eq!(up.next_block(true), None, "nothing to send");
    assert!(put(&mut up, 0, &packet(100, 1)));
    assert_eq!(up.next_block(false), None, "more is queued");
    let out = up.next_block(true).unwrap();
    assert_eq!(taken(&out.block, Format::Ntb16), [(0, packet(100, 1))]);
    assert!(!out.zero_length_packet);
    assert_eq!((up.in_flight(), up.flow().packets, up.flow().blocks), (1, 1, 1));
}

#[test]
fn packets_gather_while_the_device_is_busy_and_wait_when_it_takes_nothing() {
    let mut up = uplink();
    let mut sent = Vec::new();
    for _ in 0..EAGER {
        assert!(put(&mut up, 0, &packet(60, 0)));
        sent.push(up.next_block(true).unwrap().block);
    }
    for mark in 0..3 {
        assert!(put(&mut up, 0, &packet(60, mark)));
        assert_eq!(up.next_block(true), None, "company is waited for");
    }
    up.ended(sent.pop().unwrap(), true);
    let gathered = up.next_block(true).unwrap().block;
    assert_eq!(taken(&gathered, Format::Ntb16).len(), 3);
    // A full block does not wait for company, up to the bound.
    let mut full = 0;
    loop {
        while put(&mut up, 0, &packet(1500, 7)) {}
        assert!(!up.has_room());
        match up.next_block(false) {
            Some(_) => full += 1,
            None => break,
        }
    }
    assert_eq!(up.in_flight(), MOST_IN_FLIGHT);
    assert_eq!(full, MOST_IN_FLIGHT - EAGER);
    assert!(up.room(0).is_none(), "back-pressure: nothing more is held");
    up.ended(gathered, true);
    assert!(up.next_block(false).is_some());
    assert!(up.has_room());
}

#[test]
fn buffers_come_back_and_numbers_rise() {
    let mut up = uplink();
    let mut numbers = Vec::new();
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..100 {
        assert!(put(&mut up, 3, &packet(40, 1)));
        let block = up.next_block(true).unwrap().block;
        numbers.push(Block::parse(&block, &limits(Format::Ntb16)).unwrap().sequence());
        places.insert(block.as_ptr());
        up.ended(block, true);
    }
    assert_eq!(numbers, (0..100).collect::<Vec<u16>>());
    assert!(places.len() <= 2, "{} buffers for one block at a time", places.len());
    up.restart();
    assert!(put(&mut up, 3, &packet(40, 1)));
    let block = up.next_block(true).unwrap().block;
    assert_eq!(Block::parse(&block, &limits(Format::Ntb16)).unwrap().sequence(), 0);
}

#[test]
fn a_transfer_of_whole_packets_is_ended_by_an_empty_one() {
    let mut seen = [false; 2];
    for octets in 40..1500 {
        let mut up = uplink();
        assert!(put(&mut up, 0, &packet(octets, 9)));
        let out = up.next_block(true).unwrap();
        let whole = out.block.len().is_multiple_of(usize::from(PACKET));
        assert_eq!(out.zero_length_packet, whole, "{octets}: {}", out.block.len());
        seen[usize::from(whole)] = true;
    }
    assert_eq!(seen, [true, true]);
}

#[test]
fn what_is_cut_or_no_packet_is_not_sent() {
    assert!(is_whole(&packet(1500, 0)));
    assert!(!is_whole(&packet(1500, 0)[..1499]));
    let mut v6 = vec![0; 1280];
    v6[0] = 0x60;
    v6[4..6].copy_from_slice(&1240u16.to_be_bytes());
    assert!(is_whole(&v6));
    v6.push(0);
    assert!(!is_whole(&v6));
    for garbage in [&[][..], &[0x45], &[0x45, 0, 0], &[0x12; 40], &[0x60; 5]] {
        assert!(!is_whole(garbage));
    }
    let mut up = uplink();
    assert!(up.room(0).is_some());
    up.refuse();
    assert_eq!((up.next_block(true), up.flow().lost), (None, 1));
}

#[test]
fn blocks_that_are_none_are_counted_and_the_next_is_taken() {
    let mut down = Downlink::new(limits(Format::Ntb16));
    let mut up = uplink();
    put(&mut up, 0, &packet(40, 1));
    let good = up.next_block(true).unwrap().block;
    down.take(&[], |_, _| panic!("a zero-length packet has no packets"));
    assert_eq!(down.flow(), Flow::default());
    down.take(&[1, 2, 3], |_, _| panic!());
    down.take(&[0xff; 64], |_, _| panic!());
    assert_eq!((down.faults().of(Fault::Runt), down.faults().of(Fault::BlockSignature)), (1, 1));
    let mut got = 0;
    down.take(&good, |_, _| {
        got += 1;
        true
    });
    assert_eq!((got, down.flow().packets, down.flow().lost), (1, 1, 2));
    // A session without an interface: the packet is lost, and that is all.
    down.take(&good, |_, _| false);
    assert_eq!((down.flow().packets, down.flow().lost), (1, 3));
    for _ in 0..3 {
        put(&mut up, 0, &packet(40, 1));
        let block = up.next_block(true).unwrap().block;
        if up.flow().blocks > 3 {
            down.take(&block, |_, _| true);
        }
        up.ended(block, true);
    }
    assert_eq!(down.missing(), 2, "numbers 1 and 2 never came");
}

proptest! {
    /// Whatever is put in comes out, in order within each session, in both formats, whatever the device demands.
    #[test]
    fn packets_come_through(
        wide in any::<bool>(),
        size in 2048u32..40_000,
        divisor in prop_oneof![Just(4u16), Just(16), Just(64)],
        remainder in 0u16..4,
        most in 0u16..50,
        packets in prop::collection::vec((0u8..4, 20usize..1500, any::<u8>()), 1..200),
    ) {
        let format = if wide { Format::Ntb32 } else { Format::Ntb16 };
        let limits = Limits { divisor, remainder, max_datagrams: most, ..Limits::new(format, size) }.sane();
        let mut up = Uplink::new(limits, PACKET, 1500);
        let mut down = Downlink::new(limits);
        let mut got = Vec::new();
        let mut carry = |up: &mut Uplink, drained| {
            while let Some(out) = up.next_block(drained) {
                assert!(out.block.len() <= size as usize);
                down.take(&out.block, |session, packet| { got.push((session, packet.parts.concat())); true });
                up.ended(out.block, true);
            }
        };
        for (session, octets, mark) in &packets {
            let packet = packet(*octets, *mark);
            while !put(&mut up, *session, &packet) {
                carry(&mut up, false);
            }
        }
        carry(&mut up, true);
        prop_assert!(down.faults().is_empty());
        prop_assert_eq!(down.missing(), 0);
        for of in 0..4 {
            let sent: Vec<_> = packets.iter().filter(|p| p.0 == of).map(|p| packet(p.1, p.2)).collect();
            let came: Vec<_> = got.iter().filter(|p| p.0 == of).map(|p| p.1.clone()).collect();
            prop_assert_eq!(sent, came);
        }
    }
}

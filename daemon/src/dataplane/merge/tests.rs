use super::*;

/// A TCP packet of IPv4 (do not fragment) or IPv6 with right checksums.
pub(in super::super) fn packet(v6: bool, id: u16, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let tcp = 20 + 12;
    let ip = if v6 { 40 } else { 20 };
    let mut octets = vec![0; ip + tcp];
    octets.extend(payload);
    let segment = u16::try_from(tcp + payload.len()).unwrap();
    if v6 {
        octets[0] = 0x60;
        octets[4..6].copy_from_slice(&segment.to_be_bytes());
        (octets[6], octets[7], octets[8], octets[24]) = (TCP, 64, 0xfd, 0xfd);
    } else {
        octets[0] = 0x45;
        octets[2..4].copy_from_slice(&(segment + 20).to_be_bytes());
        octets[4..6].copy_from_slice(&id.to_be_bytes());
        (octets[6], octets[8], octets[9], octets[12], octets[16]) = (0x40, 64, TCP, 10, 10);
        let sum = !sum(0, &octets[..20]);
        octets[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    octets[ip + 3] = 80;
    octets[ip + 4..ip + 8].copy_from_slice(&sequence.to_be_bytes());
    (octets[ip + 12], octets[ip + 13], octets[ip + 15]) = (0x80, flags, 99);
    repair(&mut octets, ip);
    octets
}

/// Puts the right checksum of TCP.
fn repair(octets: &mut [u8], ip: usize) {
    octets[ip + 16..ip + 18].fill(0);
    let addresses = if ip == 20 { 12..20 } else { 8..40 };
    let start = sum(6 + u32::try_from(octets.len() - ip).unwrap(), &octets[addresses]);
    let sum = !sum(start.into(), &octets[ip..]);
    octets[ip + 16..ip + 18].copy_from_slice(&sum.to_be_bytes());
}

/// What is written for these packets of session 0: packets in it, header, octets.
pub(in super::super) fn written(packets: &[Vec<u8>]) -> Vec<(usize, [u8; HEADER], Vec<u8>)> {
    let mut all = Vec::new();
    let mut write = |session: u8, burst: &Burst<'_>| {
        assert_eq!(session, 0);
        let octets = [burst.head.to_vec(), burst.parts.concat()].concat();
        assert_eq!(octets.len(), burst.octets());
        all.push((burst.packets, burst.header, octets));
    };
    let mut merger = Merger::new();
    for packet in packets {
        merger.take(0, packet, &mut write);
    }
    merger.flush(&mut write);
    merger.flush(&mut write);
    all
}

#[test]
fn a_stream_in_a_row_is_one_packet() {
    for v6 in [false, true] {
        let ip = if v6 { 40 } else { 20 };
        let stream: Vec<Vec<u8>> = (0..5_u8)
            .map(|n| {
                let (flags, payload) = if n == 4 { (ACK | PUSH, vec![n; 30]) } else { (ACK, vec![n; 100]) };
                packet(v6, 7, (u32::MAX - 149).wrapping_add(u32::from(n) * 100), flags, &payload)
            })
            .collect();
        let all = written(&stream);
        let [(5, header, octets)] = all.as_slice() else { panic!("{all:?}") };
        let number = |at: usize| usize::from(u16::from_ne_bytes([header[at], header[at + 1]]));
        assert_eq!((header[0], header[1]), (NEEDS_SUM, if v6 { SEGMENTS_V6 } else { SEGMENTS_V4 }));
        assert_eq!([number(2), number(4), number(6), number(8)], [ip + 32, 100, ip, 16]);
        assert_eq!(octets.len(), ip + 32 + 430);
        assert_eq!(octets[ip + 13], ACK | PUSH);
        assert_eq!(octets[ip + 4..ip + 8], stream[0][ip + 4..ip + 8]);
        assert_eq!(octets[ip + 32..], stream.iter().flat_map(|p| p[ip + 32..].to_vec()).collect::<Vec<u8>>());
        // Its own checksum put in, it is a packet that is right in itself.
        let mut whole = octets.clone();
        repair(&mut whole, ip);
        assert!(Head::of(&whole).is_some());
    }
}

#[test]
fn what_the_kernel_would_not_have_cut_stays_apart() {
    let one = |n: u32| packet(false, 7, 1000 + n * 100, ACK, &[1; 100]);
    let changed = |ip: bool, change: fn(&mut Vec<u8>)| {
        let mut packet = one(1);
        change(&mut packet);
        if ip {
            packet[10..12].fill(0);
            let sum = !sum(0, &packet[..20]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        repair(&mut packet, 20);
        packet
    };
    let mut wrong_sum = one(1);
    wrong_sum[60] ^= 1;
    let cases = [
        ("a gap", one(2)),
        ("again", one(0)),
        ("larger", packet(false, 7, 1100, ACK, &[1; 101])),
        ("no payload", packet(false, 7, 1100, ACK, &[])),
        ("the end", packet(false, 7, 1100, ACK | 1, &[1; 100])),
        ("wrong checksum", wrong_sum),
        ("other port", changed(false, |p| p[20] = 9)),
        ("other window", changed(false, |p| p[34] = 9)),
        ("other options", changed(false, |p| p[45] = 9)),
        ("other acknowledgement", changed(false, |p| p[30] = 9)),
        ("other address", changed(true, |p| p[15] = 9)),
        ("other hops", changed(true, |p| p[8] = 9)),
        ("a fragment", changed(true, |p| p[6] = 0x20)),
        ("UDP", changed(true, |p| p[9] = 17)),
        ("IPv6", packet(true, 7, 1100, ACK, &[1; 100])),
        ("junk", vec![0x45; 30]),
        ("nothing", Vec::new()),
    ];
    for (what, other) in cases {
        let all = written(&[one(0), other.clone()]);
        let plain = [(1, [0; HEADER], one(0)), (1, [0; HEADER], other)];
        assert_eq!(all, plain, "{what}");
    }
    let pushed = packet(false, 7, 1000, ACK | PUSH, &[1; 100]);
    assert_eq!(written(&[pushed, one(1)]).len(), 2);
    let short = packet(false, 7, 1000, ACK, &[1; 50]);
    assert_eq!(
        written(&[one(0), packet(false, 7, 1100, ACK, &[1; 50]), packet(false, 7, 1150, ACK, &[1; 50])]).len(),
        2
    );
    assert_eq!(written(&[short, packet(false, 7, 1050, ACK, &[1; 100])]).len(), 2);
    // Another session in between.
    let (a, b) = (one(0), one(1));
    let mut count = 0;
    let mut merger = Merger::new();
    let mut write = |_: u8, burst: &Burst<'_>| count += burst.packets * 10 + 1;
    merger.take(0, &a, &mut write);
    merger.take(1, &b, &mut write);
    merger.flush(&mut write);
    assert_eq!(count, 22);
}

#[test]
fn no_more_than_fits_into_one() {
    let stream: Vec<Vec<u8>> = (0..100).map(|n| packet(false, 7, n * 1400, ACK, &[2; 1400])).collect();
    let all = written(&stream);
    assert!(all.iter().all(|(packets, _, octets)| *packets <= MOST && octets.len() <= LONGEST));
    assert_eq!((all.len(), all.iter().map(|(packets, ..)| packets).sum::<usize>()), (3, 100));
}

#[test]
fn hostile_octets_end_nowhere_and_are_written_as_they_are() {
    let good = [packet(false, 7, 0, ACK, &[3; 40]), packet(true, 7, 0, ACK, &[3; 40])];
    for whole in good {
        for end in 0..=whole.len() {
            let cut = whole[..end].to_vec();
            assert_eq!(written(std::slice::from_ref(&cut)), [(1, [0; HEADER], cut)]);
        }
        for at in 0..whole.len() {
            let mut wrong = whole.clone();
            wrong[at] = 0xFF;
            let all = written(&[wrong.clone(), wrong.clone()]);
            assert_eq!(all.len(), 2, "octet {at}");
        }
    }
}

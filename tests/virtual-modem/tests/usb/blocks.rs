//! The data plane, the test being the host's end of it.

use crate::host::{Device, within};
use bytes::Bytes;
use mbim_proto::class_request::ClassRequest;
use mbim_proto::ntb::{Block, Builder, Faults, Format, Limits, Parameters, Stream};
use virtual_modem::Profile;
use virtual_modem::serve::Closing;
use virtual_modem::usb::{Speed, UsbProfile, status};

/// An IPv4 packet by its looks, of this size.
fn packet(mark: u8, size: usize) -> Vec<u8> {
    let mut bytes = vec![mark; size];
    bytes[0] = 0x45;
    bytes
}

fn format(ntb32: bool) -> Format {
    if ntb32 { Format::Ntb32 } else { Format::Ntb16 }
}

fn limits(ntb32: bool) -> Limits {
    Parameters { in_max_size: 32_768, out_max_size: 32_768, ..Parameters::default() }.output(format(ntb32))
}

/// The datagrams of a transfer and its sequence number.
fn read(transfer: &[u8], ntb32: bool) -> (u16, Vec<(u8, Vec<u8>)>) {
    let mut faults = Faults::default();
    let limits = limits(ntb32);
    let block = Block::parse(transfer, &limits).unwrap();
    let found = block.datagrams().filter_map(|item| faults.sift(item));
    let all = found
        .map(|datagram| match datagram.stream {
            Stream::Ip(session) => (session, datagram.payload.to_vec()),
            Stream::DeviceService(id) => panic!("stream {id}"),
        })
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
    (block.sequence(), all)
}

fn block(ntb32: bool, sequence: u16, datagrams: &[(u8, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(limits(ntb32));
    builder.start(sequence);
    for (session, datagram) in datagrams {
        assert!(builder.push(Stream::Ip(*session), datagram));
    }
    builder.finish().to_vec()
}

#[tokio::test]
async fn datagrams_pass_both_ways_in_both_formats() {
    for ntb32 in [false, true] {
        let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
        let mut host = device.online(ntb32, &[0, 3]).await;
        let (one, two, three) = (packet(1, 21), packet(2, 1500), packet(3, 40));
        let bytes = block(ntb32, 0, &[(0, &one), (3, &two), (0, &three)]);
        let id = host.bulk_out(&bytes, true).await;
        let done = host.done(id).await.unwrap();
        assert_eq!((done.status, done.actual), (0, bytes.len()));
        for (at, expected) in [(0, &one), (0, &three), (1, &two)] {
            let came = within("a datagram", device.sessions[at].from_host.recv()).await.unwrap();
            assert_eq!(came, expected[..]);
        }
        // Towards the host everything that waits goes into one block.
        device.sessions[0].to_host.send(Bytes::from(one.clone())).await.unwrap();
        device.sessions[1].to_host.send(Bytes::from(two.clone())).await.unwrap();
        device.sessions[0].to_host.send(Bytes::from(three.clone())).await.unwrap();
        let mut came = Vec::new();
        let mut sequence = 0;
        while came.len() < 3 {
            let id = host.bulk_in(16_384).await;
            let done = host.done(id).await.unwrap();
            let (number, datagrams) = read(&done.data, ntb32);
            assert_eq!(number, sequence);
            sequence += 1;
            came.extend(datagrams);
        }
        came.sort();
        assert_eq!(came, [(0, one), (0, three), (3, two)]);
        let counters = device.counters().await;
        assert_eq!((counters.blocks_from_host, counters.blocks_to_host), (1, u64::from(sequence)));
        assert_eq!((counters.datagrams_from_host, counters.datagrams_to_host), (3, 3));
        assert_eq!((counters.octets_from_host, counters.octets_to_host), (1561, 1561));
        assert_eq!((counters.missing, counters.dropped, counters.faults.total()), (0, 0, 0));
    }
}

#[tokio::test]
async fn blocks_keep_to_what_the_host_has_set() {
    let mut device = Device::kept(UsbProfile::default(), Profile::default(), Closing::Unplug, 64).await;
    let mut host = device.online(false, &[0]).await;
    host.set(ClassRequest::SetNtbInputSize(8), &[0, 8, 0, 0, 3, 0, 0, 0]).await.unwrap();
    for mark in 0..12 {
        device.sessions[0].to_host.try_send(packet(mark, if mark < 6 { 100 } else { 900 }).into()).unwrap();
    }
    let mut came = Vec::new();
    while came.len() < 12 {
        let id = host.bulk_in(16_384).await;
        let (_, datagrams) = read(&host.done(id).await.unwrap().data, false);
        assert!(datagrams.len() <= 3, "{} datagrams", datagrams.len());
        let size: usize = datagrams.iter().map(|(_, d)| d.len()).sum();
        assert!(size < 2048);
        came.extend(datagrams.into_iter().map(|(_, d)| d[1]));
    }
    assert_eq!(came, (0..12).collect::<Vec<u8>>());
    let id = host.bulk_in(4096).await;
    device.sessions[0].to_host.send(packet(1, 2049).into()).await.unwrap();
    assert!(!host.is_done(id).await, "longer than a datagram may be");
    device.sessions[0].to_host.send(packet(9, 20).into()).await.unwrap();
    assert_eq!(read(&host.done(id).await.unwrap().data, false).1, [(0, packet(9, 20))]);
    assert_eq!(device.counters().await.dropped, 1);
}

#[tokio::test]
async fn a_block_may_arrive_split_and_its_end_is_seen() {
    let mut device = Device::new(UsbProfile::default().at(Speed::High), Profile::default()).await;
    let mut host = device.online(false, &[0]).await;
    // Into buffers of one packet each.
    let ids = [host.bulk_in(512).await, host.bulk_in(512).await, host.bulk_in(512).await];
    device.sessions[0].to_host.send(packet(7, 1100).into()).await.unwrap();
    let mut all = Vec::new();
    for id in ids {
        all.extend(host.done(id).await.unwrap().data);
    }
    assert_eq!(read(&all, false).1, [(0, packet(7, 1100))]);
    // A block of whole packets is followed by an empty one, unless the buffer had room to spare.
    let overhead = all.len() - 1100;
    for (length, expected) in [(512, vec![512, 0]), (1024, vec![512])] {
        let mut ids = Vec::new();
        for _ in &expected {
            ids.push(host.bulk_in(length).await);
        }
        device.sessions[0].to_host.send(packet(8, 512 - overhead).into()).await.unwrap();
        for (id, size) in ids.into_iter().zip(expected) {
            let done = host.done(id).await.unwrap();
            assert_eq!((done.status, done.data.len()), (0, size), "buffers of {length}");
        }
    }
    // A packet that does not fit is an error.
    let id = host.bulk_in(100).await;
    device.sessions[0].to_host.send(packet(9, 400).into()).await.unwrap();
    assert_eq!(host.done(id).await.unwrap().status, status::OVERFLOW);
}

#[tokio::test]
async fn the_end_of_a_transfer_is_what_the_bus_says() {
    let mut device = Device::new(UsbProfile::default().at(Speed::High), Profile::default()).await;
    let mut host = device.online(false, &[0]).await;
    let small = block(false, 0, &[(0, &packet(1, 64))]);
    let whole = 512 - (small.len() - 64);
    // Exactly one packet, with the empty one behind it: once as a flag, once as a request of its own.
    let exact = block(false, 0, &[(0, &packet(2, whole))]);
    assert_eq!(exact.len(), 512);
    host.bulk_out(&exact, true).await;
    host.bulk_out(&block(false, 1, &[(0, &packet(3, whole))]), false).await;
    host.bulk_out(&[], false).await;
    // In pieces.
    let long = block(false, 2, &[(0, &packet(4, 1200))]);
    host.bulk_out(&long[..1024], false).await;
    host.bulk_out(&long[1024..], false).await;
    for mark in [2, 3, 4] {
        assert_eq!(within("a datagram", device.sessions[0].from_host.recv()).await.unwrap()[1], mark);
    }
    // Without the empty packet two blocks are one transfer, of which only the first block counts.
    host.bulk_out(&block(false, 3, &[(0, &packet(5, whole))]), false).await;
    let id = host.bulk_out(&block(false, 4, &[(0, &packet(6, 64))]), false).await;
    host.done(id).await.unwrap();
    assert_eq!(within("a datagram", device.sessions[0].from_host.recv()).await.unwrap()[1], 5);
    host.bulk_out(&block(false, 5, &[(0, &packet(7, 64))]), false).await;
    assert_eq!(within("a datagram", device.sessions[0].from_host.recv()).await.unwrap()[1], 7);
    let counters = device.counters().await;
    assert_eq!((counters.missing, counters.zero_length), (1, 2), "the lost block shows in the sequence");
    // What is longer than the largest block is thrown away up to its end.
    host.bulk_out(&[0; 39_936], false).await;
    host.bulk_out(&[0; 512], false).await;
    host.bulk_out(&[0; 10], false).await;
    let id = host.bulk_out(&block(false, 6, &[(0, &packet(8, 64))]), false).await;
    host.done(id).await.unwrap();
    assert_eq!(within("a datagram", device.sessions[0].from_host.recv()).await.unwrap()[1], 8);
    assert_eq!(device.counters().await.oversized, 1);
}

#[tokio::test]
async fn only_sessions_that_are_up_carry_packets() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.online(true, &[0]).await;
    let (mine, other) = (packet(1, 30), packet(2, 30));
    let id = host.bulk_out(&block(true, 0, &[(3, &other), (0, &mine), (200, &other)]), false).await;
    host.done(id).await.unwrap();
    assert_eq!(within("a datagram", device.sessions[0].from_host.recv()).await.unwrap(), mine);
    assert!(device.sessions[1].from_host.try_recv().is_err());
    device.sessions[1].to_host.send(other.into()).await.unwrap();
    device.sessions[0].to_host.send(mine.clone().into()).await.unwrap();
    let mut came = Vec::new();
    while came.is_empty() {
        let id = host.bulk_in(4096).await;
        came = read(&host.done(id).await.unwrap().data, true).1;
    }
    assert_eq!(came, [(0, mine)]);
    assert_eq!(device.counters().await.dropped, 3);
}

#[tokio::test]
async fn a_network_that_does_not_take_packets_holds_the_host_up() {
    let mut device = Device::kept(UsbProfile::default(), Profile::default(), Closing::Unplug, 2).await;
    let mut host = device.online(false, &[0]).await;
    let full: Vec<Vec<u8>> = (0..40).map(|mark| packet(mark, 40)).collect();
    let mut ids = Vec::new();
    for sequence in 0..40 {
        let datagrams: Vec<(u8, &[u8])> = full.iter().map(|d| (0, &d[..])).collect();
        ids.push(host.bulk_out(&block(false, sequence, &datagrams), false).await);
    }
    let last = *ids.last().unwrap();
    assert!(!host.is_done(last).await, "the pipe says not now");
    for count in 0..1600_u32 {
        let came = within("a datagram", device.sessions[0].from_host.recv()).await.unwrap();
        assert_eq!(u32::from(came[1]), count % 40);
    }
    host.done(last).await.unwrap();
    let counters = device.counters().await;
    assert_eq!((counters.datagrams_from_host, counters.dropped, counters.missing), (1600, 0, 0));
}

use super::*;

#[test]
fn the_front_placement_is_what_linux_sends() {
    let limits = Limits { max_datagrams: 2, ..narrow() };
    let mut builder = Builder::new(limits);
    builder.start(0x0201);
    assert!(builder.push(Stream::Ip(1), &ipv4(21, 0xaa)));
    assert!(builder.push(Stream::Ip(1), &ipv4(20, 0xbb)));
    assert!(!builder.push(Stream::Ip(1), &ipv4(20, 0xcc)), "two were allowed");
    let mut wanted = words16(&[NCMH[0], NCMH[1], 12, 0x0201, 76, 12, IPS, 0x0153, 20, 0, 32, 21, 56, 20, 0, 0]);
    wanted.extend(ipv4(21, 0xaa));
    wanted.extend([0; 3]);
    wanted.extend(ipv4(20, 0xbb));
    assert_eq!(builder.finish(), wanted);
    // One datagram leaves a hole in the table.
    builder.start(2);
    assert!(builder.push(Stream::Ip(1), &ipv4(20, 0xdd)));
    let mut wanted = words16(&[NCMH[0], NCMH[1], 12, 2, 52, 12, IPS, 0x0153, 16, 0, 32, 20, 0, 0, 0, 0]);
    wanted.extend(ipv4(20, 0xdd));
    assert_eq!(builder.finish(), wanted, "nothing of the earlier block is left");
}

#[test]
fn the_end_placement_has_no_hole() {
    let mut builder = Builder::new(Limits { alignment: 16, ..narrow() }).with_placement(Placement::End);
    builder.start(3);
    assert!(builder.push(Stream::Ip(0), &ipv4(20, 0xaa)));
    assert!(builder.push(Stream::DeviceService(9), &[7]));
    let mut wanted = words16(&[NCMH[0], NCMH[1], 12, 3, 80, 48]);
    wanted.extend(ipv4(20, 0xaa));
    wanted.extend([7]);
    wanted.resize(48, 0);
    wanted.extend(words16(&[IPS, 0x0053, 16, 64, 12, 20, 0, 0]));
    wanted.extend(words16(&[DSS, 0x0953, 16, 0, 32, 1, 0, 0]));
    assert_eq!(builder.finish(), wanted);
}

#[test]
fn the_wide_format_is_built() {
    let mut builder = Builder::new(wide()).with_placement(Placement::End);
    builder.start(3);
    assert!(builder.push(Stream::DeviceService(1), &[1, 2, 3]));
    let mut wanted = b"ncmh\x10\x00\x03\x00".to_vec();
    for word in [52u32, 20] {
        wanted.extend(word.to_le_bytes());
    }
    wanted.extend([1, 2, 3, 0]);
    wanted.extend(*b"dss\x01\x20\x00\x00\x00");
    for word in [0u32, 0, 16, 3, 0, 0] {
        wanted.extend(word.to_le_bytes());
    }
    assert_eq!(builder.finish(), wanted);
}

#[test]
fn a_short_read_gives_room_back() {
    let mut builder = Builder::new(narrow());
    builder.start(0);
    builder.room(Stream::Ip(0), 1500).expect("room")[..20].copy_from_slice(&ipv4(20, 1));
    builder.shrink(20);
    let size = builder.size();
    assert!(builder.room(Stream::Ip(7), 1500).is_some());
    builder.shrink(2000);
    assert_eq!((builder.datagrams(), builder.size()), (2, size + 1500), "a longer size changes nothing");
    builder.shrink(0);
    assert_eq!((builder.datagrams(), builder.size()), (1, size), "the read gave nothing");
    assert!(builder.push(Stream::Ip(0), &ipv4(30, 2)));
    let limits = *builder.limits();
    let wanted = vec![(Stream::Ip(0), ipv4(20, 1)), (Stream::Ip(0), ipv4(30, 2))];
    assert_eq!(read(builder.finish(), &limits), (wanted, vec![]));
    assert!(builder.room(Stream::Ip(0), 20).is_none(), "finished");
    assert_eq!(builder.finish(), [0; 0], "finished once");
    builder.start(1);
    assert!(builder.is_empty());
    assert_eq!(builder.finish(), [0; 0], "nothing to send");
}

#[test]
fn what_never_fits_is_refused_by_an_empty_block() {
    let mut builder = Builder::new(Limits { max_datagram: 1500, ..Limits::new(Format::Ntb16, 2048) });
    builder.start(0);
    assert!(builder.room(Stream::Ip(0), 0).is_none());
    assert!(builder.room(Stream::Ip(0), 1501).is_none());
    assert!(builder.room(Stream::Ip(0), usize::MAX).is_none());
    assert_eq!(builder.fits(Stream::Ip(0)), 1500);
    assert!(builder.room(Stream::Ip(0), 1500).is_some());
}

#[test]
fn a_block_of_64_kib_keeps_its_length_in_16_bits() {
    let mut builder = Builder::new(Limits { max_datagrams: 200, ..Limits::new(Format::Ntb16, 65_536) });
    builder.start(0);
    while builder.push(Stream::Ip(0), &ipv4(1500, 3)) {}
    let last = builder.fits(Stream::Ip(0));
    assert!(builder.push(Stream::Ip(0), &ipv4(last, 4)), "{last} fit");
    let limits = *builder.limits();
    let transfer = builder.finish();
    assert!((65_530..=65_535).contains(&transfer.len()), "{}", transfer.len());
    let (datagrams, faults) = read(transfer, &limits);
    assert_eq!((datagrams.len(), faults), (44, vec![]));
}

#[test]
fn padding_replaces_the_zero_length_packet() {
    let mut builder = Builder::new(Limits::new(Format::Ntb16, 2048)).with_placement(Placement::End).with_padding(512);
    for size in 20..2100 {
        builder.start(0);
        if !builder.push(Stream::Ip(0), &ipv4(size, 5)) {
            assert!(size > 2048 - 12 - 16 - 4, "{size}");
            break;
        }
        let transfer = builder.finish().to_vec();
        let ending = Ending::of(transfer.len(), 512, 2048);
        assert!(ending == Ending::Short || transfer.len() == 2048, "{size} bytes: {ending:?}");
        assert_eq!(read(&transfer, &narrow()), (vec![(Stream::Ip(0), ipv4(size, 5))], vec![]));
    }
}

#[test]
fn a_block_can_be_handed_out_without_a_copy() {
    let mut builder = Builder::new(narrow());
    let mut spare = Vec::new();
    let mut places = alloc::collections::BTreeSet::new();
    for n in 0..6 {
        builder.start(n);
        assert!(builder.push(Stream::Ip(0), &ipv4(100, n as u8)));
        let full = builder.finish_into(spare);
        assert_eq!(Block::parse(&full, &narrow()).map(|block| block.sequence()), Ok(n));
        assert_eq!(read(&full, &narrow()).0, [(Stream::Ip(0), ipv4(100, n as u8))]);
        places.insert(full.as_ptr() as usize);
        spare = full;
    }
    assert_eq!(places.len(), 2, "two buffers take turns");
}

#[test]
fn building_grows_nothing() {
    let mut builder = Builder::new(Limits { max_datagrams: 300, ..narrow() });
    let before = builder.reserved();
    for n in 0..50 {
        builder.start(n);
        for stream in (0..=255).map(Stream::Ip).chain([Stream::DeviceService(1)]).cycle() {
            if !builder.push(stream, &ipv4(20, 1)) {
                break;
            }
        }
        assert!(builder.finish().len() > 10_000);
    }
    assert_eq!(builder.reserved(), before);
}

#[derive(Clone, Debug)]
struct Order {
    stream: Stream,
    size: usize,
    shrink: Option<usize>,
}

fn streams() -> impl Strategy<Value = Stream> {
    prop_oneof![
        4 => Just(Stream::Ip(0)),
        2 => any::<u8>().prop_map(Stream::Ip),
        1 => any::<u8>().prop_map(Stream::DeviceService),
    ]
}

fn orders() -> impl Strategy<Value = Vec<Order>> {
    let order = (streams(), 40..1600usize, proptest::option::weighted(0.2, 0..1600usize))
        .prop_map(|(stream, size, shrink)| Order { stream, size, shrink });
    proptest::collection::vec(order, 1..80)
}

fn limits() -> impl Strategy<Value = Limits> {
    let format = prop_oneof![Just(Format::Ntb16), Just(Format::Ntb32)];
    let power = || (2..9u32).prop_map(|n| 1u16 << n);
    (format, 2048..70_000u32, 1..90u16, 500..3000u32, power(), any::<u16>(), power()).prop_map(
        |(format, max_size, max_datagrams, max_datagram, divisor, remainder, alignment)| {
            Limits { format, max_size, max_datagrams, max_datagram, divisor, remainder: remainder % divisor, alignment }
                .sane()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is put in comes out again, in order within each stream, and every rule of the layout holds.
    #[test]
    fn built_blocks_are_read_back(
        limits in limits(),
        orders in orders(),
        end in any::<bool>(),
        packet in prop_oneof![Just(0u16), Just(64), Just(512), Just(1024)],
    ) {
        let placement = if end { Placement::End } else { Placement::Front };
        let mut builder = Builder::new(limits).with_placement(placement).with_padding(packet);
        let mut queue = orders.iter().enumerate().peekable();
        let mut sequence = 0u16;
        while queue.peek().is_some() {
            builder.start(sequence);
            let capacity = usize::try_from(limits.max_size).unwrap_or(0).min(limits.format.largest());
            let most = usize::from(limits.max_datagrams);
            let overhead = limits.format.header() + limits.format.table(most.max(1))
                + 2 * usize::from(limits.alignment) + usize::from(limits.divisor);
            let least = (capacity - overhead).min(limits.max_datagram as usize);
            prop_assert!(builder.fits(Stream::Ip(9)) >= least, "an empty block has room for {least}");
            let mut put: Vec<(Stream, Vec<u8>)> = Vec::new();
            while let Some((n, order)) = queue.peek().copied() {
                let fits = builder.fits(order.stream);
                let Some(room) = builder.room(order.stream, order.size) else {
                    prop_assert!(fits < order.size, "what fits has room");
                    break;
                };
                let mut packet = ipv4(order.size, n as u8);
                room.copy_from_slice(&packet);
                if let Some(size) = order.shrink.filter(|size| *size == 0 || *size >= 20) {
                    builder.shrink(size);
                    packet.truncate(size);
                }
                if !packet.is_empty() {
                    put.push((order.stream, packet));
                }
                queue.next();
            }
            if put.is_empty() {
                prop_assert_eq!(builder.finish(), &[0_u8; 0][..]);
                // Either all were withdrawn, or this one has no room in an empty block.
                queue.next();
                continue;
            }
            let transfer = builder.finish().to_vec();
            prop_assert!(transfer.len() <= limits.max_size as usize);
            if packet > 0 {
                prop_assert_ne!(Ending::of(transfer.len(), packet, limits.max_size), Ending::ZeroLengthPacket);
            }
            let block = Block::parse(&transfer, &limits).map_err(|e| TestCaseError::fail(e.name()))?;
            prop_assert_eq!(block.sequence(), sequence);
            prop_assert_eq!(block.len(), transfer.len());
            let base = transfer.as_ptr() as usize;
            for item in block.datagrams() {
                let datagram = item.map_err(|e| TestCaseError::fail(e.name()))?;
                let at = datagram.payload.as_ptr() as usize - base;
                prop_assert_eq!(at % usize::from(limits.divisor), usize::from(limits.remainder));
            }
            let (got, _) = read(&transfer, &limits);
            prop_assert!(got.len() <= usize::from(limits.max_datagrams));
            prop_assert_eq!(got.len(), put.len());
            // Streams come out one behind the other, each in its own order.
            let mut wanted = Vec::new();
            for (stream, _) in &put {
                if !wanted.iter().any(|(of, _): &(Stream, Vec<u8>)| of == stream) {
                    wanted.extend(put.iter().filter(|(of, _)| of == stream).cloned());
                }
            }
            prop_assert_eq!(got, wanted);
            for at in tables(&transfer, limits.format) {
                prop_assert_eq!(at % usize::from(limits.alignment), 0);
            }
            sequence = sequence.wrapping_add(1);
        }
    }
}

/// The places of the tables.
fn tables(transfer: &[u8], format: Format) -> Vec<usize> {
    let (first, next) = if format == Format::Ntb16 { (10, 6) } else { (12, 8) };
    let mut all = Vec::new();
    let mut at = index(format, transfer, first).unwrap_or(0);
    while at != 0 && all.len() < 300 {
        all.push(at);
        at = index(format, transfer, at + next).unwrap_or(0);
    }
    all
}

use super::*;

/// A narrow block of `size` bytes with a first table at 12.
fn block(size: u16, table: &[u16]) -> Vec<u8> {
    let mut bytes = words16(&[NCMH[0], NCMH[1], 12, 1, size, 12]);
    bytes.extend(words16(table));
    bytes.resize(usize::from(size).max(bytes.len()), 0x45);
    bytes
}

#[test]
fn wrong_headers_are_refused_by_name() {
    for (at, word, fault) in [
        (0, 0x434f, Fault::BlockSignature),
        (4, 11, Fault::HeaderLength),
        (4, 16, Fault::HeaderLength),
        (8, 11, Fault::BlockLength),
        (8, 16_385, Fault::BlockLength),
    ] {
        let mut bytes = three_tables();
        bytes[at..at + 2].copy_from_slice(&u16::to_le_bytes(word));
        assert_eq!(read(&bytes, &narrow()), (vec![], vec![fault]), "{word} at {at}");
    }
    assert_eq!(read(&[], &narrow()).1, [Fault::Runt]);
}

#[test]
fn wrong_tables_are_passed_over_by_name() {
    let good = |at: u16| [IPS, 0x0053, 16, 0, at, 20, 0, 0];
    let behind = |first: [u16; 8]| {
        let mut words = first.to_vec();
        words.extend(good(60));
        block(100, &words)
    };
    for (first, fault, left) in [
        ([IPS, 0x0053, 16, 28, 60, 20, 0, 0], None, 2),
        ([0x434e, 0x304d, 16, 28, 60, 20, 0, 0], Some(Fault::TableSignature), 1),
        ([IPS, 0x0053, 12, 28, 60, 20, 0, 0], Some(Fault::TableLength), 1),
        ([IPS, 0x0053, 0, 28, 60, 20, 0, 0], Some(Fault::TableLength), 1),
        ([IPS, 0x0053, 92, 28, 60, 20, 0, 0], Some(Fault::TableOutside), 1),
        ([IPS, 0x0053, 0xffff, 28, 60, 20, 0, 0], Some(Fault::TableOutside), 1),
        ([IPS, 0x0053, 16, 11, 60, 20, 0, 0], Some(Fault::TableInHeader), 1),
        ([IPS, 0x0053, 16, 93, 60, 20, 0, 0], Some(Fault::TableOutside), 1),
        ([IPS, 0x0053, 16, 0xffff, 60, 20, 0, 0], Some(Fault::TableOutside), 1),
        ([IPS, 0x0053, 16, 12, 60, 20, 0, 0], Some(Fault::TableRepeated), 1),
        ([IPS, 0x0053, 16, 28, 60, 20, 62, 20], Some(Fault::Unterminated), 3),
    ] {
        let (datagrams, faults) = read(&behind(first), &narrow());
        assert_eq!((datagrams.len(), faults.first().copied()), (left, fault), "{first:?}");
        assert!(faults.len() <= 1, "{first:?}: {faults:?}");
    }
}

#[test]
fn wrong_datagrams_are_dropped_by_name() {
    let ok = vec![0x45; 20];
    let limits = narrow().with_max_datagram(30);
    for (second, fault, left) in [
        ([60, 20], None, 3),
        ([11, 20], Some(Fault::DatagramInHeader), 2),
        ([81, 20], Some(Fault::DatagramOutside), 2),
        ([0xffff, 0xffff], Some(Fault::DatagramOutside), 2),
        ([60, 31], Some(Fault::DatagramTooLong), 2),
        ([60, 19], Some(Fault::NotIp), 2),
        ([14, 20], Some(Fault::NotIp), 2), // the table itself
        ([0, 20], None, 1),                // half a terminator is one
        ([60, 0], None, 1),
    ] {
        let [index, size] = second;
        let bytes = block(100, &[IPS, 0x0053, 24, 0, 60, 20, index, size, 80, 20, 0, 0]);
        let (datagrams, faults) = read(&bytes, &limits);
        assert_eq!((datagrams.len(), faults.first().copied()), (left, fault), "{second:?}");
        assert!(datagrams.iter().all(|(_, payload)| *payload == ok));
    }
    let bytes = block(100, &[IPS, 0x0053, 20, 0, 90, 20, 60, 20, 0, 0]);
    assert_eq!(read(&bytes, &narrow()), (vec![], vec![Fault::DatagramOutside]), "the first one taints its table");
    let bytes = block(100, &[DSS, 0x0053, 20, 0, 60, 1, 12, 4, 0, 0]);
    assert_eq!(read(&bytes, &narrow()).0.len(), 2, "a device service stream may say anything");
}

#[test]
fn only_ip_passes_on_ip_sessions() {
    for (byte, size, passes) in
        [(0x45, 20, true), (0x45, 19, false), (0x60, 40, true), (0x60, 39, false), (0x50, 60, false), (0, 60, false)]
    {
        let mut bytes = block(100, &[IPS, 0x0053, 16, 0, 28, size, 0, 0]);
        bytes[28] = byte;
        assert_eq!(read(&bytes, &narrow()).1.is_empty(), passes, "{byte:#x} {size}");
    }
}

#[test]
fn loops_in_the_chain_end() {
    // 12 → 28 → 44 → 28
    let mut words = vec![IPS, 0x0053, 16, 28, 100, 20, 0, 0];
    words.extend([IPS, 0x0153, 16, 44, 100, 20, 0, 0]);
    words.extend([IPS, 0x0253, 16, 28, 100, 20, 0, 0]);
    let (datagrams, faults) = read(&block(200, &words), &narrow());
    assert_eq!((datagrams.len(), faults), (3, vec![Fault::TableRepeated]));
}

#[test]
fn long_chains_are_cut() {
    for (tables, faults) in [(50, vec![]), (51, vec![Fault::TooManyTables]), (500, vec![Fault::TooManyTables])] {
        let mut words = Vec::new();
        for n in 1..=tables {
            let next = if n == tables { 0 } else { 12 + 16 * n };
            words.extend([DSS, 0x0053, 16, next, 12, 1, 0, 0]);
        }
        let (datagrams, got) = read(&block(12 + 16 * tables, &words), &narrow());
        assert_eq!((datagrams.len(), got), (usize::from(tables).min(50), faults));
    }
}

#[test]
fn overlapping_datagrams_do_not_multiply_the_block() {
    // 4000 entries that all name the whole block.
    let mut words = vec![DSS, 0x0053, 8 + 4 * 4001, 0];
    for _ in 0..4000 {
        words.extend([12, 16_100]);
    }
    words.extend([0, 0]);
    let bytes = block(16_384, &words);
    let (datagrams, faults) = read(&bytes, &narrow());
    assert_eq!((datagrams.len(), faults), (1, vec![Fault::Amplified]));
    // Small ones together.
    let mut words = vec![DSS, 0x0053, 8 + 4 * 4001, 0];
    for _ in 0..4000 {
        words.extend([12, 100]);
    }
    words.extend([0, 0]);
    let (datagrams, faults) = read(&block(16_384, &words), &narrow());
    assert_eq!((datagrams.len(), faults), (163, vec![Fault::Amplified]));
}

#[test]
fn overlapping_tables_do_not_multiply_the_work() {
    let limits = Limits::new(Format::Ntb16, 65_536);
    // Entries of one byte everywhere. Fifty overlapping tables of up to 16,000 entries each name 800,000 of them; the
    // block can hold 16,383.
    let mut bytes = words16(&[NCMH[0], NCMH[1], 12, 1, 0xffff, 12]);
    while bytes.len() < 0xffff - 4 {
        bytes.extend(words16(&[12, 1]));
    }
    bytes.resize(0xffff, 0);
    for n in 0..50u16 {
        let at = usize::from(12 + 8 * n);
        bytes[at..at + 8].copy_from_slice(&words16(&[DSS, 0x0053, 65_000, 12 + 8 * (n + 1)]));
    }
    let (datagrams, faults) = read(&bytes, &limits);
    assert!(datagrams.len() + faults.len() <= 0xffff / 4 + 50, "{} and {}", datagrams.len(), faults.len());
    assert_eq!(faults.last(), Some(&Fault::TooManyEntries));
    let total: usize = datagrams.iter().map(|(_, payload)| payload.len()).sum();
    assert!(total <= 0xffff);
}

#[test]
fn a_table_of_65_535_bytes_is_read_once() {
    for limits in [Limits::new(Format::Ntb16, 65_536), Limits::new(Format::Ntb32, 65_536)] {
        let each = limits.format.entry();
        let mut builder = Builder::new(Limits { max_datagrams: u16::MAX, ..limits });
        let most = usize::from(builder.limits().max_datagrams);
        assert_eq!(most, 65_536 / 32, "so many can be built");
        builder.start(0);
        while builder.push(Stream::DeviceService(0), &[1; 4]) {}
        let transfer = builder.finish();
        let (datagrams, faults) = read(transfer, &limits);
        assert_eq!((datagrams.len(), faults), (most, vec![]));
        assert!(datagrams.len() <= transfer.len() / each);
    }
}

#[test]
fn faults_are_counted_by_name() {
    let mut faults = Faults::default();
    for (n, fault) in Fault::ALL.into_iter().enumerate() {
        assert_eq!(fault as usize, n, "the order of the declaration");
        (0..=n).for_each(|_| faults.note(fault));
    }
    assert_eq!(faults.of(Fault::NotIp), 18);
    assert_eq!(faults.total(), (1..=18).sum::<u64>());
    assert_eq!(faults.iter().count(), 18);
    let names: alloc::collections::BTreeSet<_> = Fault::ALL.into_iter().map(Fault::name).collect();
    assert_eq!(names.len(), 18);
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    let mut some = Faults::default();
    assert_eq!(some.sift(Err(Fault::Amplified)), None);
    assert_eq!(some.iter().collect::<Vec<_>>(), [(Fault::Amplified, 1)]);
    assert!(!some.is_empty());
}

/// What must hold of any bytes whatever.
fn bounded(transfer: &[u8], limits: &Limits) -> Result<(), TestCaseError> {
    let Ok(block) = Block::parse(transfer, limits) else { return Ok(()) };
    prop_assert!(block.len() <= transfer.len() && block.len() <= limits.max_size as usize);
    let (mut items, mut bytes) = (0, 0);
    for item in block.datagrams() {
        items += 1;
        let Ok(datagram) = item else { continue };
        prop_assert!(!datagram.payload.is_empty());
        prop_assert!(datagram.payload.len() <= limits.max_datagram as usize);
        bytes += datagram.payload.len();
    }
    prop_assert!(bytes <= block.len());
    prop_assert!(items <= transfer.len() / 4 + 2 * MOST_TABLES + 2);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..3000), wide in any::<bool>()) {
        let format = if wide { Format::Ntb32 } else { Format::Ntb16 };
        let mut framed = format.signature().to_vec();
        framed.extend([format.header() as u8, 0]);
        framed.extend(&bytes);
        for transfer in [&bytes, &framed] {
            bounded(transfer, &Limits::new(format, 4096))?;
        }
    }

    #[test]
    fn lies_are_bounded(changes in proptest::collection::vec((0..200usize, any::<u16>()), 1..6), wide in any::<bool>()) {
        let format = if wide { Format::Ntb32 } else { Format::Ntb16 };
        let mut builder = Builder::new(Limits { max_datagrams: 6, ..Limits::new(format, 2048) });
        builder.start(1);
        for n in 0..6 {
            prop_assert!(builder.push(Stream::Ip(n / 3), &ipv4(20, n)));
        }
        let mut transfer = builder.finish().to_vec();
        for (at, word) in changes {
            let at = (at * 2).min(transfer.len() - 2);
            // Small numbers hit more often than large ones.
            let word = if word & 1 == 0 { word } else { word % 400 };
            transfer[at..at + 2].copy_from_slice(&word.to_le_bytes());
        }
        bounded(&transfer, &Limits::new(format, 2048))?;
    }
}

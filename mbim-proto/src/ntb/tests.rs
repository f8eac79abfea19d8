use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

mod building;
mod hostile;

/// A packet that looks like IPv4, of this size, each with bytes of its own.
fn ipv4(size: usize, tag: u8) -> Vec<u8> {
    let mut packet = vec![tag; size];
    packet[0] = 0x45;
    packet
}

/// What a block yields: datagrams and faults.
fn read(transfer: &[u8], limits: &Limits) -> (Vec<(Stream, Vec<u8>)>, Vec<Fault>) {
    let mut faults = Vec::new();
    let block = match Block::parse(transfer, limits) {
        Ok(block) => block,
        Err(fault) => return (Vec::new(), vec![fault]),
    };
    let mut datagrams = Vec::new();
    for item in block.datagrams() {
        match item {
            Ok(datagram) => datagrams.push((datagram.stream, datagram.payload.to_vec())),
            Err(fault) => faults.push(fault),
        }
    }
    (datagrams, faults)
}

fn narrow() -> Limits {
    Limits::new(Format::Ntb16, 16_384)
}

fn wide() -> Limits {
    Limits::new(Format::Ntb32, 16_384)
}

/// A block by hand, word by word.
fn words16(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

const NCMH: [u16; 2] = [0x434e, 0x484d];
const IPS: u16 = 0x5049;
const DSS: u16 = 0x5344;

/// Two sessions and a stream: tables before, between and behind the datagrams, chained out of order.
fn three_tables() -> Vec<u8> {
    let mut block = words16(&[
        NCMH[0], NCMH[1], 12, 0x0102, 140, 116, // the chain begins at the end
        IPS, 0x0053, 16, 0, 52, 20, 0, 0, // 12: session 0, one datagram, last in the chain
        DSS, 0x0753, 20, 12, 48, 3, 51, 1, 0, 0, // 28: stream 7, two datagrams, on to 12
    ]);
    block.extend([1, 2, 3, 4]);
    block.extend(ipv4(20, 0xa0));
    block.extend(ipv4(24, 0xb0));
    block.extend(ipv4(20, 0xc0));
    block.extend(words16(&[IPS, 0xff53, 20, 28, 72, 24, 96, 20, 0, 0])); // 116: session 255, on to 28
    block.extend([0; 4]); // padding that the length counts
    block
}

#[test]
fn tables_are_read_in_the_order_of_the_chain() {
    let transfer = three_tables();
    assert_eq!(transfer.len(), 140);
    let block = Block::parse(&transfer, &narrow()).expect("a block");
    assert_eq!((block.sequence(), block.len()), (0x0102, 140));
    let (datagrams, faults) = read(&transfer, &narrow());
    let wanted = vec![
        (Stream::Ip(255), ipv4(24, 0xb0)),
        (Stream::Ip(255), ipv4(20, 0xc0)),
        (Stream::DeviceService(7), vec![1, 2, 3]),
        (Stream::DeviceService(7), vec![4]),
        (Stream::Ip(0), ipv4(20, 0xa0)),
    ];
    assert_eq!((datagrams, faults), (wanted, vec![]));
}

#[test]
fn the_wide_format_has_its_own_layout() {
    let mut transfer = Vec::new();
    transfer.extend(*b"ncmh\x10\x00\x05\x00");
    for word in [88u32, 16] {
        transfer.extend(word.to_le_bytes());
    }
    transfer.extend(*b"ips\x03\x20\x00\x00\x00");
    for word in [0u32, 0, 48, 40, 0, 0] {
        transfer.extend(word.to_le_bytes());
    }
    let mut packet = vec![9; 40];
    packet[0] = 0x60;
    transfer.extend(&packet);
    assert_eq!(read(&transfer, &wide()), (vec![(Stream::Ip(3), packet)], vec![]));
    assert_eq!(read(&transfer, &narrow()).1, [Fault::BlockSignature], "the agreed format is the only one");
    assert_eq!(read(&three_tables(), &wide()).1, [Fault::BlockSignature]);
    transfer[8..12].fill(0);
    assert_eq!(read(&transfer, &wide()).1, [Fault::BlockLength], "an open length is for the narrow format");
}

#[test]
fn bytes_behind_the_block_are_padding_and_an_open_length_is_the_transfer() {
    let wanted = read(&three_tables(), &narrow());
    let mut padded = three_tables();
    padded.extend([0x45; 500]);
    assert_eq!(read(&padded, &narrow()), wanted);
    let mut open = three_tables();
    open[8..10].fill(0);
    assert_eq!(Block::parse(&open, &narrow()).map(|block| block.len()), Ok(140));
    assert_eq!(read(&open, &narrow()), wanted);
}

#[test]
fn a_block_behind_a_block_is_found() {
    let mut transfer = three_tables();
    transfer.extend(three_tables());
    transfer[140 + 6] = 3;
    transfer.push(0);
    let first = Block::parse(&transfer, &narrow()).expect("a block");
    let second = Block::parse(first.behind().expect("another"), &narrow()).expect("a block");
    assert_eq!((first.sequence(), second.sequence()), (0x0102, 0x0103));
    assert_eq!((first.len(), second.len(), second.behind()), (140, 140, None));
    assert_eq!(read(&transfer, &narrow()), read(&three_tables(), &narrow()), "each is read alone");
}

#[test]
fn a_block_cut_short_gives_what_is_there() {
    let whole = three_tables();
    let (datagrams, _) = read(&whole, &narrow());
    for size in 0..whole.len() {
        let (some, faults) = read(&whole[..size], &narrow());
        assert_eq!(faults[0], if size < 12 { Fault::Runt } else { Fault::BlockCut }, "{size} bytes");
        assert!(some.iter().all(|one| datagrams.contains(one)), "{size} bytes: {some:?}");
    }
    let (some, faults) = read(&whole[..136], &narrow());
    assert_eq!((some.len(), faults), (5, vec![Fault::BlockCut]), "only padding is missing");
}

#[test]
fn an_empty_block_is_no_fault() {
    for next in [0, 12] {
        let empty = words16(&[NCMH[0], NCMH[1], 12, 1, 28, next, IPS, 0x0053, 16, 0, 0, 0, 0, 0]);
        assert_eq!(read(&empty, &narrow()), (vec![], vec![]));
    }
}

#[test]
fn streams_have_the_signatures_of_the_specification() {
    for id in 0..=255 {
        let ips = u32::from_le_bytes(Stream::Ip(id).signature(Format::Ntb16));
        assert_eq!(ips, 0x0053_5049 + (u32::from(id) << 24));
        let dss = u32::from_le_bytes(Stream::DeviceService(id).signature(Format::Ntb32));
        assert_eq!(dss, 0x0073_7364 + (u32::from(id) << 24));
        for stream in [Stream::Ip(id), Stream::DeviceService(id)] {
            for format in [Format::Ntb16, Format::Ntb32] {
                assert_eq!(Stream::from_signature(format, stream.signature(format)), Some(stream));
            }
            assert_eq!(Stream::from_signature(Format::Ntb16, stream.signature(Format::Ntb32)), None);
        }
    }
    assert_eq!(Stream::from_signature(Format::Ntb16, *b"NCM0"), None, "Ethernet belongs to NCM");
}

#[test]
fn gaps_are_counted() {
    let mut check = SequenceCheck::default();
    let steps = [
        (0xfffe, Step::Next),
        (0xffff, Step::Next),
        (0, Step::Next),
        (3, Step::Gap(2)),
        (3, Step::Backward),
        (4, Step::Next),
        (1, Step::Backward),
        (2, Step::Next),
        (0x8002, Step::Gap(0x7fff)),
        (3, Step::Backward),
    ];
    for (sequence, step) in steps {
        assert_eq!(check.take(sequence), step, "{sequence:#x}");
    }
    assert_eq!((check.missing(), check.backward()), (2 + 0x7fff, 3));
    check.restart();
    assert_eq!((check.take(500), check.missing()), (Step::Next, 2 + 0x7fff));
}

#[test]
fn the_end_of_a_transfer_is_made_known() {
    for (size, packet, max, ending) in [
        (100, 512, 16_384, Ending::Short),
        (512, 512, 16_384, Ending::ZeroLengthPacket),
        (15_872, 512, 16_384, Ending::ZeroLengthPacket),
        (16_384, 512, 16_384, Ending::Full),
        (16_384, 1024, 16_384, Ending::Full),
        (2100, 512, 2100, Ending::Short),
        (64, 64, 2048, Ending::ZeroLengthPacket),
        (64, 0, 2048, Ending::Short),
    ] {
        assert_eq!(Ending::of(size, packet, max), ending, "{size} of {max} by {packet}");
    }
}

#[test]
fn parameters_are_read_and_written() {
    let bytes = [28, 0, 3, 0, 0, 0x40, 0, 0, 4, 0, 2, 0, 8, 0, 0, 0, 0, 0x20, 1, 0, 16, 0, 6, 0, 32, 0, 20, 0];
    let parameters = Parameters {
        formats: 3,
        in_max_size: 0x4000,
        in_divisor: 4,
        in_remainder: 2,
        in_alignment: 8,
        out_max_size: 0x1_2000,
        out_divisor: 16,
        out_remainder: 6,
        out_alignment: 32,
        out_max_datagrams: 20,
    };
    assert_eq!(parameters.encode(), bytes);
    assert_eq!(Parameters::decode(&bytes), Ok(parameters));
    for cut in 0..bytes.len() {
        let error = Parameters::decode(&bytes[..cut]).unwrap_err();
        assert_eq!(error.body, "NtbParameters", "cut at {cut}");
    }
    for length in [0u8, 27, 29] {
        let mut lying = bytes;
        lying[0] = length;
        assert_eq!(Parameters::decode(&lying).unwrap_err().field, "length", "{length}");
    }
    let mut longer = bytes.to_vec();
    longer.extend([1, 2, 3, 4]);
    longer[0] = 32;
    assert_eq!(Parameters::decode(&longer), Ok(parameters), "a later release may say more");

    let output = parameters.output(Format::Ntb32);
    let wanted = Limits {
        format: Format::Ntb32,
        max_size: 65_536,
        max_datagrams: 20,
        max_datagram: u32::MAX,
        divisor: 16,
        remainder: 6,
        alignment: 32,
    };
    assert_eq!(output, wanted);
    let input = parameters.input(Format::Ntb16);
    assert_eq!((input.max_size, input.divisor, input.remainder, input.alignment), (16_384, 4, 2, 8));
    assert_eq!(input.with_max_datagram(2048).max_datagram, 2048);
    assert_eq!(input.with_max_datagram(0), input);
}

#[test]
fn impossible_limits_are_replaced() {
    let with = |out_max_size, out_divisor, out_remainder, out_alignment, out_max_datagrams| {
        let parameters = Parameters {
            out_max_size,
            out_divisor,
            out_remainder,
            out_alignment,
            out_max_datagrams,
            ..Parameters::default()
        };
        let limits = parameters.output(Format::Ntb16);
        (limits.max_size, limits.divisor, limits.remainder, limits.alignment, limits.max_datagrams)
    };
    assert_eq!(with(0, 0, 0, 0, 0), (2048, 4, 0, 4, 40));
    assert_eq!(with(u32::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX), (65_536, 4, 0, 4, 40));
    assert_eq!(with(8192, 12, 3, 6, 7), (8192, 4, 3, 4, 7));
    assert_eq!(with(8192, 2, 1, 1, 1), (8192, 4, 1, 4, 1));
    assert_eq!(with(8192, 32, 32, 1024, 41), (8192, 32, 0, 1024, 40));
    assert_eq!(with(8192, 32, 31, 2048, 39), (8192, 32, 31, 4, 39));
    let limits = Limits { max_datagrams: 4000, max_datagram: 0, ..Limits::new(Format::Ntb32, 4096) }.sane();
    assert_eq!((limits.max_datagrams, limits.max_datagram), (128, 1));
}

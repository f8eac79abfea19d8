//! Bytes as a transfer of the data plane, in both formats: read, built anew, read again.

use mbim_proto::ntb::{Block, Builder, Fault, Format, Limits, MOST_TABLES, Placement, Stream};

/// # Panics
/// When more comes out than the block has, or when datagrams that came out do not survive being built and read again.
pub fn run(data: &[u8]) {
    for format in [Format::Ntb16, Format::Ntb32] {
        // Blocks that stand one behind the other in a transfer end: each is shorter than what is left.
        let mut left = Some(data);
        let mut blocks = 0;
        while let Some(bytes) = left {
            left = one(bytes, format);
            assert!(left.is_none_or(|behind| behind.len() < bytes.len()), "a block takes what it stands in");
            blocks += 1;
        }
        assert!(blocks <= data.len() / 4 + 1);
    }
}

/// One block and what begins like another one behind it.
fn one(data: &[u8], format: Format) -> Option<&[u8]> {
    let limits = Limits::new(format, 65_536);
    let block = Block::parse(data, &limits).ok()?;
    assert!(block.len() <= data.len());
    let (mut bytes, mut faults, mut datagrams) = (0, 0, Vec::new());
    for item in block.datagrams() {
        match item {
            Ok(datagram) => {
                assert!(!datagram.payload.is_empty());
                bytes += datagram.payload.len();
                datagrams.push((datagram.stream, datagram.payload));
            }
            Err(fault) => {
                assert!(!fault.name().is_empty());
                faults += 1;
            }
        }
    }
    assert!(bytes <= block.len(), "{bytes} bytes out of {}", block.len());
    assert!(datagrams.len() + faults <= block.len() / 4 + 2 * MOST_TABLES + 2, "the work is bounded");
    // The shape of the rebuilt blocks follows the input, so that all shapes are reached.
    let shape = u32::from(block.sequence());
    let limits = Limits {
        max_datagrams: (shape >> 8) as u16 + 1,
        divisor: 4 << (shape & 3),
        remainder: (shape >> 2) as u16 & 3,
        alignment: 4 << (shape >> 4 & 3),
        ..Limits::new(format, 2048 << (shape >> 6 & 3))
    };
    let placement = if shape & 8 == 0 { Placement::Front } else { Placement::End };
    rebuild(Builder::new(limits).with_placement(placement).with_padding(512), &datagrams);
    block.behind()
}

fn rebuild(mut builder: Builder, mut datagrams: &[(Stream, &[u8])]) {
    let limits = *builder.limits();
    let mut sequence = 0u16;
    while !datagrams.is_empty() {
        builder.start(sequence);
        let mut taken = 0;
        for (stream, payload) in datagrams {
            let fits = builder.fits(*stream);
            if !builder.push(*stream, payload) {
                assert!(fits < payload.len(), "what fits is taken");
                break;
            }
            taken += 1;
        }
        let (put, rest) = datagrams.split_at(taken);
        let transfer = builder.finish();
        // One that an empty block has no room for never fits.
        datagrams = if taken == 0 { rest.get(1..).unwrap_or_default() } else { rest };
        if put.is_empty() {
            assert!(transfer.is_empty());
            continue;
        }
        assert!(transfer.len() <= limits.max_size as usize);
        let block = Block::parse(transfer, &limits).expect("a built block");
        assert_eq!((block.sequence(), block.len()), (sequence, transfer.len()));
        let got: Result<Vec<_>, Fault> =
            block.datagrams().map(|item| item.map(|one| (one.stream, one.payload))).collect();
        // Streams come out one behind the other, each in its own order.
        let mut streams: Vec<Stream> = Vec::new();
        put.iter().for_each(|(stream, _)| {
            if !streams.contains(stream) {
                streams.push(*stream);
            }
        });
        let wanted = streams.iter().flat_map(|of| put.iter().filter(move |(stream, _)| stream == of)).copied();
        assert_eq!(got, Ok(wanted.collect()), "built and read again");
        sequence = sequence.wrapping_add(1);
    }
}

//! The data plane alone: building and reading blocks, beside copying the same bytes.
//!
//! `cargo bench -p mbim-proto --bench ntb`. Neither direction may allocate for a datagram: the profiler shows none.
#![allow(missing_docs, reason = "divan makes the functions")]

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use mbim_proto::ntb::{Block, Builder, Faults, Format, Limits, Stream};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Datagrams of this size, and how many of them a block of 16 KiB may take.
const SHAPES: [(usize, u16); 4] = [(1500, 40), (64, 40), (64, 256), (1, 256)];

fn limits(format: Format, most: u16) -> Limits {
    Limits { max_datagrams: most, ..Limits::new(format, 16_384) }
}

fn packet(size: usize) -> Vec<u8> {
    let mut packet = vec![0x5a; size];
    packet[0] = 0x45;
    packet
}

/// Tiny ones are no IP packets.
fn stream(size: usize) -> Stream {
    if size < 20 { Stream::DeviceService(0) } else { Stream::Ip(0) }
}

fn full(format: Format, (size, most): (usize, u16)) -> (Vec<u8>, usize) {
    let mut builder = Builder::new(limits(format, most));
    builder.start(0);
    while builder.push(stream(size), &packet(size)) {}
    let payload = builder.datagrams() * size;
    (builder.finish().to_vec(), payload)
}

/// The yardstick: the same datagrams copied one by one into one buffer.
#[divan::bench(args = SHAPES)]
fn copy(bencher: Bencher<'_, '_>, shape: (usize, u16)) {
    let (_, payload) = full(Format::Ntb16, shape);
    let (packet, mut out) = (packet(shape.0), vec![0; payload]);
    bencher.counter(BytesCount::new(payload)).bench_local(|| {
        for place in out.chunks_exact_mut(shape.0) {
            place.copy_from_slice(black_box(&packet));
        }
        black_box(&out).len()
    });
}

/// A block filled by copies, as from a queue.
#[divan::bench(args = SHAPES, consts = [false, true])]
fn build<const WIDE: bool>(bencher: Bencher<'_, '_>, shape: (usize, u16)) {
    let format = if WIDE { Format::Ntb32 } else { Format::Ntb16 };
    let (_, payload) = full(format, shape);
    let (packet, mut builder) = (packet(shape.0), Builder::new(limits(format, shape.1)));
    bencher.counter(BytesCount::new(payload)).bench_local(|| {
        builder.start(0);
        while builder.push(stream(shape.0), black_box(&packet)) {}
        black_box(builder.finish()).len()
    });
}

/// A block laid out around datagrams that something else writes in place, as a read from a TUN device does.
#[divan::bench(args = SHAPES)]
fn lay_out(bencher: Bencher<'_, '_>, shape: (usize, u16)) {
    let (_, payload) = full(Format::Ntb16, shape);
    let mut builder = Builder::new(limits(Format::Ntb16, shape.1));
    bencher.counter(BytesCount::new(payload)).bench_local(|| {
        builder.start(0);
        while let Some(room) = builder.room(stream(shape.0), black_box(shape.0)) {
            black_box(room);
        }
        black_box(builder.finish()).len()
    });
}

/// A block taken apart, each datagram looked at where it lies.
#[divan::bench(args = SHAPES, consts = [false, true])]
fn read<const WIDE: bool>(bencher: Bencher<'_, '_>, shape: (usize, u16)) {
    let format = if WIDE { Format::Ntb32 } else { Format::Ntb16 };
    let (transfer, payload) = full(format, shape);
    let limits = limits(format, shape.1);
    let mut faults = Faults::default();
    bencher.counter(BytesCount::new(payload)).bench_local(|| {
        let block = Block::parse(black_box(&transfer), &limits).map_err(|fault| faults.note(fault));
        for datagram in block.iter().flat_map(Block::datagrams).filter_map(|item| faults.sift(item)) {
            black_box(datagram);
        }
    });
    assert!(faults.is_empty(), "{faults:?}");
}

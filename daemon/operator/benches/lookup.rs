//! The whole database of the distribution: reading it, finding a code, choosing operator and candidates.
//!
//! `cargo bench -p daemon-operator`, with the package mobile-broadband-provider-info. Allocations are shown; what the index
//! holds is printed first. `[OPER-031, OPER-032]`
#![allow(missing_docs, reason = "divan makes the functions")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports by panicking and printing"
)]

use std::sync::LazyLock;

use daemon_operator::identity::Plmn;
use daemon_operator::{Identity, Layers, Reported, SourceFile, Wishes};
use divan::{AllocProfiler, Bencher, black_box};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

static DATABASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    std::fs::read("/usr/share/mobile-broadband-provider-info/serviceproviders.xml")
        .expect("install mobile-broadband-provider-info")
});

static LAYERS: LazyLock<Layers> = LazyLock::new(load);

fn load() -> Layers {
    Layers::load(&[SourceFile { name: "serviceproviders.xml", bytes: &DATABASE }], &[]).0
}

fn main() {
    println!("the index holds {} octets", LAYERS.vendor_counts().index_bytes);
    divan::main();
}

/// Reading the file into the index.
#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    LazyLock::force(&DATABASE);
    bencher.bench(load);
}

/// Whether any record lists a code.
#[divan::bench(args = ["26202", "310260", "99999"])]
fn search(bencher: Bencher<'_, '_>, code: &str) {
    let code = Plmn::parse(code).unwrap();
    bencher.bench(|| LAYERS.knows(black_box(code)));
}

/// Operator, explanation and the whole ordered list: one record, seven, sixteen.
#[divan::bench(args = ["310260123456789", "262021234567890", "505021234567890"])]
fn choose(bencher: Bencher<'_, '_>, imsi: &str) {
    let reported = Reported {
        subscriber_id: imsi,
        mnc_length: Some(if imsi.starts_with('3') { 3 } else { 2 }),
        ..Reported::default()
    };
    let (identity, _) = Identity::normalise(&reported);
    let wishes = Wishes::default();
    bencher.bench(|| LAYERS.choose(black_box(&identity), &wishes));
}

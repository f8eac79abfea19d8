//! Replays the seeds of the fuzz targets, and with them everything that fuzzing ever found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]
#![allow(unreachable_pub, reason = "the files belong to the fuzz crate, where they are public")]

use std::fs;
use std::path::Path;

#[path = "../../tests/fuzz/src/descriptor.rs"]
mod descriptor;
#[path = "../../tests/fuzz/src/discover.rs"]
mod discover;
#[path = "../../tests/fuzz/src/message.rs"]
mod message;
#[path = "../../tests/fuzz/src/ntb.rs"]
mod ntb;
#[path = "../../tests/fuzz/src/reassembly.rs"]
mod reassembly;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        run(&bytes);
        // A seed cut short, and one with a byte changed, are seeds too.
        for at in (0..bytes.len()).step_by(bytes.len() / 4 + 1) {
            run(&bytes[..at]);
            let mut changed = bytes.clone();
            changed[at] ^= 0xff;
            run(&changed);
        }
        seeds += 1;
    }
    assert!(seeds >= 10, "{target} has {seeds} seeds");
}

#[test]
fn message_seeds() {
    replay("message", message::run);
}

#[test]
fn reassembly_seeds() {
    replay("reassembly", reassembly::run);
}

#[test]
fn descriptor_seeds() {
    replay("descriptor", descriptor::run);
}

#[test]
fn ntb_seeds() {
    replay("ntb", ntb::run);
}

/// Inputs that nobody wrote down: a few here, all of them with `tests/run fuzz`, which is some 10 s for each target.
fn look_around(target: &str, rounds: u32, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    discover::discover(&seeds, rounds, run);
}

#[test]
fn message_discovery() {
    look_around("message", 80_000, message::run);
}

#[test]
fn reassembly_discovery() {
    look_around("reassembly", 14_000_000, reassembly::run);
}

#[test]
fn descriptor_discovery() {
    look_around("descriptor", 20_000_000, descriptor::run);
}

#[test]
fn ntb_discovery() {
    look_around("ntb", 25_000_000, ntb::run);
}

/// The seeds are laid out by another hand than the parser's: they must hold what their names say.
#[test]
fn descriptor_seeds_are_what_they_are_called() {
    use mbim_proto::descriptor::{Descriptors, Pairing};
    for (name, pairings, refused, cut) in [
        ("both-pairings", &[Pairing::Both][..], 0, false),
        ("union-only", &[Pairing::Union], 0, false),
        ("association-only", &[Pairing::Association], 0, false),
        ("neither", &[], 1, false),
        ("dual", &[Pairing::Both], 0, false),
        ("composite", &[Pairing::Both], 0, false),
        ("executors", &[Pairing::Both; 3], 0, false),
        ("superspeed", &[Pairing::Both], 0, false),
        ("no-extended", &[Pairing::Union], 0, false),
        ("no-mbim", &[], 1, false),
        ("second-configuration", &[Pairing::Union], 0, false),
        ("lying-total", &[Pairing::Union], 0, true),
        ("zero-length", &[Pairing::Union], 0, true),
        ("none", &[], 0, false),
    ] {
        let bytes = seed("descriptor", name);
        let all = Descriptors::parse(&bytes).unwrap();
        let got: Vec<Pairing> = all.functions().map(|(_, function)| function.pairing).collect();
        assert_eq!(got, pairings, "{name}");
        assert_eq!(all.configurations.iter().map(|one| one.refused.len()).sum::<usize>(), refused, "{name}");
        assert_eq!(all.cut.is_some(), cut, "{name}");
        let dual = all.functions().any(|(_, function)| function.ncm.is_some());
        assert_eq!(dual, name == "dual");
        let burst = all.functions().any(|(_, function)| function.bulk_in.burst == Some(7));
        assert_eq!(burst, name == "superspeed");
    }
}

#[test]
fn ntb_seeds_are_what_they_are_called() {
    use mbim_proto::ntb::{Block, Fault, Format, Limits};
    for (format, prefix) in [(Format::Ntb16, "narrow"), (Format::Ntb32, "wide")] {
        let open = format == Format::Ntb16;
        for (what, datagrams, fault) in [
            ("one", 1, None),
            ("several", 3, None),
            ("sessions", 5, None),
            ("empty", 0, Some(Fault::TableLength)), // the specification wants one entry and a terminator
            ("open-length", usize::from(open), (!open).then_some(Fault::BlockLength)),
            ("padded", 1, None),
            ("ethernet", 1, Some(Fault::TableSignature)),
            ("not-ip", 1, Some(Fault::NotIp)),
            ("loop", 2, Some(Fault::TableRepeated)),
            ("overlap", 4, Some(Fault::Amplified)),
        ] {
            let bytes = seed("ntb", &format!("{prefix}-{what}"));
            let items: Vec<_> = match Block::parse(&bytes, &Limits::new(format, 4096)) {
                Ok(block) => block.datagrams().collect(),
                Err(fault) => vec![Err(fault)],
            };
            let got = items.iter().filter(|item| item.is_ok()).count();
            let first = items.iter().find_map(|item| item.err());
            assert_eq!((got, first), (datagrams, fault), "{prefix}-{what}");
        }
    }
}

fn seed(target: &str, name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    fs::read(folder.join(name)).unwrap()
}

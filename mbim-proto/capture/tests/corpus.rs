//! Replays the seeds of the fuzz target, and with them everything that fuzzing ever found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]
#![allow(unreachable_pub, reason = "the file belongs to the fuzz crate, where it is public")]

use std::path::Path;

#[path = "../../../tests/fuzz/src/capture.rs"]
mod capture;
#[path = "../../../tests/fuzz/src/discover.rs"]
mod discover;

#[test]
fn capture_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/capture");
    let (mut seeds, mut messages) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        capture::run(&bytes);
        messages += mbim_capture::frames(&bytes).unwrap().flatten().count();
        // A seed cut short, and one with a byte changed, are seeds too.
        for at in 0..bytes.len() {
            capture::run(&bytes[..at]);
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= bits;
                capture::run(&changed);
            }
        }
        seeds += 1;
    }
    // Most hold OPEN and CLOSE; the two with an odd clock and the two with a stray interface one each.
    assert_eq!((seeds, messages), (16, 2 * 2 * 5 + 2 + 2 + 4 + 1));
}

#[test]
fn capture_discovery() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/capture");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    discover::discover(&seeds, 500_000, capture::run);
}

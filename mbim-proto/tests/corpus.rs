//! Replays the seeds of the fuzz targets, and with them everything that fuzzing ever found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]
#![allow(unreachable_pub, reason = "the files belong to the fuzz crate, where they are public")]

use std::fs;
use std::path::Path;

#[path = "../../tests/fuzz/src/message.rs"]
mod message;
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

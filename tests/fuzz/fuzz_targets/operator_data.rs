//! Operator database files: any octets as vendor file and as overlay, and a choice from what comes of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| daemon_operator::fuzz(bytes));

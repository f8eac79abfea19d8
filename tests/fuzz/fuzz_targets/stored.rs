//! Octets of what is stored about documents, and of what is said to and by the process that checks signatures.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| daemon_verify::fuzz_stored(bytes));

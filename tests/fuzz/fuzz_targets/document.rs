//! Octets of an account-provisioning document, all the way to its results, and of its signature.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| daemon_verify::fuzz_document(bytes));

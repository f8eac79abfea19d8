//! Octets of an account-provisioning document, all the way to its results.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| daemon_provisioning::fuzz(bytes));

//! The USB device against a host controller that this test plays over USB/IP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is the report, in helpers too")]
#![forbid(unsafe_code)]

mod blocks;
mod control;
mod faults;
mod host;
mod peers;
mod requests;

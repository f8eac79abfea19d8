//! Connectivity against foreign software: what the daemon says of each kind of portal, what it bases that on, how long it
//! took, and that it sees when the plan is bought. Root only, in namespaces of each case's own: `tests/run portals`.
//!
//! Needs nginx, dnsmasq, openssl, nftables, tayga, unbound and tshark; the daemon has to be built before.

// clippy.toml allows this in tests, but does not know that an executable without the standard harness is one.
#![allow(clippy::unwrap_used, clippy::panic)]

mod advertise;
mod api;
mod beneath;
mod cost;
mod gardens;
mod hostile;
mod translated;

use std::process::ExitCode;

use harness::cases::{Case, main_of_root};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = harness::child(&arguments) {
        return code;
    }
    if let Some(code) = advertise::child(&arguments).or_else(|| hostile::child(&arguments)) {
        return code;
    }
    // Those that wait longest come first.
    let groups: [&[Case]; 6] =
        [hostile::CASES, beneath::CASES, gardens::CASES, cost::CASES, translated::CASES, api::CASES];
    main_of_root(&groups.concat())
}

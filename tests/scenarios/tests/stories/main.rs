//! User stories through the real daemon and its real D-Bus API, with a virtual modem and a virtual operator at the two
//! ends. Each case runs in namespaces of its own, as root also as an ordinary user; nothing outlives it.
//!
//! With `MBIMD_TEST_DEVICE` one story, `device`, runs on a real modem. The others order the modem or the operator about, or
//! look at what their servers and addresses are, which no real network would let them; on the stock kernel the case
//! `device` of the lab goes further with a real modem.
//!
//! The daemon and `mbimctl` have to be built before: `cargo build -p mbimd -p mbimctl`.

// clippy.toml allows this in tests, but does not know that an executable without the standard harness is one.
#![allow(clippy::unwrap_used)]

mod activation;
mod agent;
mod canaries;
mod command_line;
mod device;
mod faults;
mod garden;
mod memory;
mod network;
mod open;
mod proxy;
mod restart;
mod sessions;
mod settings;
mod signed;
mod sleep;
mod store;
mod trace;
mod unplug;
mod usage;

use std::process::ExitCode;

use harness::cases::Case;

fn main() -> ExitCode {
    let groups: &[&[Case]] = &[
        agent::CASES,
        open::CASES,
        proxy::CASES,
        garden::CASES,
        activation::CASES,
        unplug::CASES,
        restart::CASES,
        sleep::CASES,
        faults::CASES,
        network::CASES,
        sessions::CASES,
        settings::CASES,
        signed::CASES,
        store::CASES,
        memory::CASES,
        trace::CASES,
        usage::CASES,
        command_line::CASES,
        canaries::CASES,
        device::CASES,
    ];
    harness::main(&groups.concat())
}

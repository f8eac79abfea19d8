//! What scenarios and the demo are made of: a private bus, the daemon as a child process, a virtual modem on a unix
//! socket whose data session is the virtual operator's link, and helpers to wait and to clean up.
//!
//! An executable that uses this crate calls [`child`] first thing in `main`: the children are the same executable.

#![forbid(unsafe_code)]

pub mod bus;
pub mod daemon;
pub mod device;
pub mod line;
#[cfg(feature = "usb")]
pub mod usb;
pub mod wait;
pub mod world;

use std::process::ExitCode;

pub use virtual_modem;
pub use virtual_operator;
pub use virtual_operator::cases;

/// Runs a child's part if the arguments (without the program's name) are a child's; else `None`.
#[must_use]
pub fn child(arguments: &[String]) -> Option<ExitCode> {
    virtual_operator::stage::child(arguments).or_else(|| bus::child(arguments)).or_else(|| daemon::child(arguments))
}

/// The `main` of a test executable with cases that need namespaces; see [`cases::main`].
#[must_use]
pub fn main(all: &[cases::Case]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    child(&arguments).unwrap_or_else(|| cases::main(all))
}

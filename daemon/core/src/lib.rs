//! The decisions of mbimd, without IO, clock or randomness.
//!
//! One [`modem::Modem`] stands for one modem. The shell feeds it [`modem::Input`]s (bytes read, requests, results of
//! effects, the passing of time) and drains [`modem::Output`]s (bytes to write, [`effect::Effect`]s to carry out,
//! replies, events) until there are none; then it waits for the next input or for the wake-up that the machine names.
//! Everything that others may see of a modem is in its [`snapshot::Snapshot`].
#![forbid(unsafe_code)]

pub mod carrier;
pub mod custody;
pub mod effect;
pub mod event;
pub mod explain;
pub mod kept;
pub mod memory;
pub mod modem;
pub mod probe;
pub mod proxy;
pub mod quota;
pub mod request;
pub mod session;
pub mod snapshot;
pub mod subscriber;
pub mod table;
pub mod usage;

/// A moment: time since a start that the caller chose and never changes, taken from a monotonic clock.
pub type Time = core::time::Duration;

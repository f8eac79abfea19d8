//! The function side of MBIM: a modem that behaves, and misbehaves on order.
//!
//! It shares the wire with the host (the declarations of `mbim-proto`) and nothing else: framing, fragments,
//! transactions and all state are its own. It emulates what has consequences for a connected host. Radio and packets
//! are out of scope: what a session got goes out as [`Output::SessionUp`], and whoever serves the modem wires it.
//!
//! The machine is sans-IO. Time is an argument, a [`Duration`](core::time::Duration) since any monotonic start:
//!
//! ```
//! use core::time::Duration;
//! use virtual_modem::{Output, Profile, VirtualModem};
//!
//! let mut modem = VirtualModem::new(Profile::default());
//! let open = [1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0];
//! modem.handle(Duration::ZERO, &open);
//! assert!(matches!(modem.poll(), Some(Output::Transmit(frame)) if frame[3] == 0x80));
//! assert_eq!(modem.poll(), None);
//! ```
//!
//! After each input drain [`VirtualModem::poll`], then sleep until [`VirtualModem::next_wake`].

#![forbid(unsafe_code)]

pub mod alphabet;
mod answer;
mod card;
mod context;
mod dialogue;
mod fault;
mod holdings;
mod keys;
mod life;
mod log;
mod machine;
#[cfg(feature = "mbimcli")]
pub mod mbimcli;
mod misbehave;
mod network;
mod order;
mod profile;
#[cfg(feature = "serve")]
pub mod serve;
mod sim;
pub mod sms;
#[cfg(feature = "usb")]
pub mod usb;
mod wire;

pub use answer::Traffic;
pub use card::Place;
pub use dialogue::Reply;
pub use fault::{Fault, Noise, What, When};
pub use holdings::{
    Antennas, Board, Cells, Contexts, Holdings, Message, Messages, Phonebook, Shutdown, Standalone, StreamService,
};
pub use keys::{Challenge, Keys, Verdict};
pub use log::{Direction, Entry, Log};
pub use machine::VirtualModem;
pub use misbehave::{Misbehaviour, StillOpen};
pub use network::{
    Activation, Admission, ApnRule, Carrier, Credentials, IpSettings, Ipv4Settings, Ipv6Settings, Network,
    SessionSettings, Subscription, cause,
};
pub use order::{Order, Output, State};
pub use profile::{NAMES, Overrun, Pace, Profile, Release};
pub use sim::{ATTEMPTS_UNKNOWN, Lock, Pin, Sim, Slot};
pub use wire::{kind, protocol_error};

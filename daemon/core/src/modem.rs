//! One modem: what it is told, what it decides, what others see.
//!
//! Facts move the state tables ([`tables`]); after each input one pass over the parts (SIM, radio, registration, packet
//! service, context, connectivity, requests) compares what is with what is wanted and takes the next steps. A part acts
//! only where a step is due and none is under way, so the pass may run any number of times.

mod address;
mod adopt;
mod ask;
mod attach;
mod card;
mod clock;
mod context;
mod contexts;
mod dial;
mod extra;
mod extras;
mod guest;
mod hand_over;
mod io;
mod likeness;
mod link;
mod machine;
mod memory;
mod network;
mod online;
mod operator;
mod pin;
pub mod public_state;
mod read;
mod reason;
mod request;
mod sim;
mod sleep;
pub mod tables;
mod timer;
mod unheard;
mod usage;
mod view;
mod write;

pub use io::{Input, LinkFailure, ModemConfig, NetworkMode, Output, ProbePolicy, RequestId};
pub use machine::Modem;
pub use tables::drawings;

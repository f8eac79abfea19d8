//! MBIM control messages, both directions, without IO.
//!
//! The same declarations serve the host and the function: what one side encodes the other decodes. [`message`] holds the
//! messages, [`fragment`] cuts and joins them, [`service`] declares the information buffers, [`registry`] finds the
//! declaration for a buffer whose type is only known at run time. What only USB has stands beside them: [`descriptor`],
//! [`class_request`], and [`ntb`] for the blocks of the data plane.
//!
//! ```
//! use mbim_proto::message::{Command, CommandDone, Content};
//! use mbim_proto::service::basic_connect::{ActivationCommand, ConnectInfo, ConnectSet};
//! use mbim_proto::{Body, Message, NwError, Status};
//!
//! // The host asks.
//! let set = ConnectSet {
//!     session_id: 1,
//!     activation_command: ActivationCommand::ACTIVATE,
//!     access_string: "internet".into(),
//!     ..Default::default()
//! };
//! let bytes = Command::set(&set)?.message(7).encode();
//!
//! // The function reads the same declaration and refuses.
//! let message = Message::decode(&bytes)?;
//! let Content::Command(command) = message.content else { unreachable!() };
//! assert!(command.is::<ConnectSet>());
//! let asked = ConnectSet::decode(&command.buffer)?;
//! let info = ConnectInfo { session_id: asked.session_id, nw_error: NwError(33), ..Default::default() };
//! let bytes = CommandDone::with(Status::FAILURE, &info).message(message.transaction).encode();
//!
//! // A failure may come with a cause, or with no buffer at all.
//! let Content::CommandDone(done) = Message::decode(&bytes)?.content else { unreachable!() };
//! let cause = done.body::<ConnectInfo>()?.map(|info| info.nw_error.to_string());
//! assert_eq!(cause.as_deref(), Some("requested-service-option-not-subscribed"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod disguise;
#[cfg(any(test, feature = "generate"))]
mod generate;
mod malformed;
mod open;
mod personal;
#[cfg(test)]
mod testing;
mod uuid;
mod value;

pub mod class_request;
pub mod codec;
pub mod descriptor;
pub mod fragment;
pub mod message;
pub mod ntb;
pub mod registry;
pub mod service;
pub mod sms_pdu;
pub mod status;

pub use codec::List;
pub use disguise::Disguise;
pub use malformed::{EncodeError, Malformed, Problem};
pub use message::Message;
pub use personal::{Personal, Secret};
pub use service::{Body, MbimEx, Operation};
pub use status::{NwError, ProtocolError, Status};
pub use uuid::{NotAUuid, Uuid};
pub use value::Value;

/// Makes a [`List`] as `vec!` makes a vector.
pub use smallvec::smallvec as list;

pub(crate) use open::open_enum;

/// The examples of the README are true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

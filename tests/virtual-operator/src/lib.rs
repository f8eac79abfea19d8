//! A mobile operator to test against: name server, router with walled garden, portal over TLS and an internet of its
//! own, in private network namespaces that need no package and, where user namespaces are allowed, no root.
//!
//! [`network`] is the operator's core, without IO: what one subscriber bought and activated, and what follows from
//! it. [`router`] and [`internet`] are the two processes around it; [`stage`] is the handle that the parent holds.

#![forbid(unsafe_code)]

pub mod address;
pub mod cases;
pub mod certificates;
pub mod dns;
pub mod document;
mod error;
pub mod hostile;
pub mod http;
pub mod internet;
pub mod link;
mod listen;
pub mod netns;
pub mod network;
pub mod portal;
pub mod router;
pub mod scenario;
pub mod stage;
pub mod wire;

pub use error::{Error, While};
pub use network::{Access, Event, Session, Subscriber};
pub use scenario::Scenario;
pub use stage::{DataLink, Operator};

//! What the user stories are told with: a client of the daemon's D-Bus API, the operator's site seen from a browser, the
//! state of the data interface, and the search for identities that must not be anywhere.
#![forbid(unsafe_code)]

pub mod canary;
pub mod client;
pub mod ctl;
pub mod ground;
pub mod link;
pub mod meeting;
pub mod record;
pub mod site;
pub mod slow;
pub mod stage;
pub mod stranger;

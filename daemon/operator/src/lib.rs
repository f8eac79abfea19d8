//! Who the operator is, which access points to try, and where to send a person who has to buy a plan.
//!
//! Everything here is a function of its arguments: no files, no clock, no network. Identities have types that print
//! masked; nothing in this crate writes them anywhere.
//!
//! The way through: [`identity::Identity::normalise`] makes an identity of what the modem reports, [`layers::Layers`]
//! holds the operator databases, [`layers::Layers::choose`] names the operator and the ordered candidates,
//! [`next::after_failure`] says what a refused connection means, and [`portal_url::hand_over`] builds the link to the
//! operator's site.
#![forbid(unsafe_code)]

pub mod candidate;
pub mod choose;
pub mod database;
pub mod fuzz;
pub mod hwid;
pub mod identity;
pub mod import;
pub mod layers;
pub mod metadata;
mod names;
pub mod next;
pub mod overlay;
pub mod portal_url;
pub mod profile;

pub use candidate::Candidate;
pub use choose::{Choice, Match, Rule, Wishes};
pub use fuzz::fuzz;
pub use identity::{CellClass, Identity, Reported};
pub use layers::{Layer, Layers, SourceFile, Sources};
pub use metadata::Package;
pub use next::{Action, Attempt, after_failure};
pub use portal_url::{HandOver, Parameters, hand_over};
pub use profile::{Auth, IpType, Password, Profile, Purposes};

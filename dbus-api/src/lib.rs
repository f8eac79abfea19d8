//! What others may rely on: names, paths, errors, values and client proxies of mbimd's D-Bus API.
//!
//! The documented definition is the introspection XML in `xml/own`, which [`xml`] hands out; the proxies here and the
//! daemon's server are both tested against it.
#![forbid(unsafe_code)]

pub mod error;
pub mod name;
pub mod path;
pub mod proxy;
pub mod trace;
pub mod value;
pub mod xml;

//! Tasks: each owns one thing, answers requests, carries out what the pure crates order. Nothing is decided here.

pub(crate) mod modem;
pub(crate) mod provision;
pub(crate) mod standin;
pub(crate) mod trace;

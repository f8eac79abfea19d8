//! Replacing what identifies or authenticates somebody in a body, field by field, as its declaration marks it.

use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Replaces values that must not get out. What it gives has the length of what it takes, so that the body keeps its layout; the
/// same value should get the same replacement each time, so that a record still tells a story.
///
/// Fields of the types [`Personal`](crate::Personal) and [`Secret`](crate::Secret), those that are laid out as
/// [`Telling`](crate::codec::Telling), and all addresses are asked about.
pub trait Disguise {
    /// A text: as many UTF-16 units as before.
    fn text(&mut self, text: &mut String);
    /// Bytes of an unknown meaning: as many as before.
    fn octets(&mut self, octets: &mut [u8]);
    /// A number, with the width in which it travels, in bits.
    fn number(&mut self, number: u64, bits: u32) -> u64;
    /// An address.
    fn ipv4(&mut self, address: Ipv4Addr) -> Ipv4Addr;
    /// An address.
    fn ipv6(&mut self, address: Ipv6Addr) -> Ipv6Addr;
}

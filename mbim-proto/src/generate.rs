//! Values of every body out of random bytes: for the tests of this crate and, with the feature `generate`, for those of
//! others that want every message there is.

use alloc::string::String;
use alloc::vec::Vec;

/// Random bytes that values are made of. When they are used up it yields zeros, so that shrinking the bytes shrinks the
/// value.
pub struct Entropy<'a> {
    bytes: core::slice::Iter<'a, u8>,
}

impl<'a> Entropy<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.byte())
    }

    pub(crate) fn several<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.byte() % 5;
        (0..count).map(|_| make(self)).collect()
    }

    /// ASCII, the rest of the basic plane, and beyond it; never a trailing NUL, which reading drops.
    pub(crate) fn text(&mut self) -> String {
        let text: String = self
            .several(|g| match g.byte() % 8 {
                0 => '😀',
                1 => 'ł',
                2 => '\0',
                _ => char::from(b' ' + g.byte() % 95),
            })
            .into_iter()
            .collect();
        text.trim_end_matches('\0').into()
    }
}

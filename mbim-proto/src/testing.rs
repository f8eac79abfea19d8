//! What every body must stand, run by the tests that the service macro makes.

use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::Body;

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

/// Round trip, truncation at every offset, and every aligned word replaced by lies.
pub(crate) fn properties<B: Body>() {
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(bytes in proptest::collection::vec(any::<u8>(), 0..200), lie in any::<u32>(), noise: Vec<u8>)| {
        let made = B::generate(&mut Entropy::new(&bytes));
        let wire = made.to_vec();
        let read = B::decode(&wire).map_err(|e| TestCaseError::fail(alloc::format!("{e}")))?;
        if made.check("").is_ok() {
            prop_assert_eq!(&read, &made, "what was written is read");
        }
        prop_assert_eq!(read.to_vec(), wire.clone(), "canonical bytes stay as they are");
        for size in 0..wire.len() {
            again::<B>(&wire[..size])?;
        }
        for at in (0..wire.len().saturating_sub(3)).step_by(4) {
            for word in [u32::MAX, wire.len() as u32, lie] {
                let mut lying = wire.clone();
                lying[at..at + 4].copy_from_slice(&word.to_le_bytes());
                again::<B>(&lying)?;
            }
        }
        again::<B>(&noise)?;
    });
}

/// Whatever decodes says something and decodes again to the same value.
fn again<B: Body>(wire: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = B::decode(wire) {
        let _ = alloc::format!("{:?} {} {}", value, value.value(true), value.value(false));
        let second = B::decode(&value.to_vec()).map_err(|e| TestCaseError::fail(alloc::format!("{e}")))?;
        prop_assert_eq!(second, value);
    }
    Ok(())
}

//! What every body must stand, run by the tests that the service macro makes.

use alloc::vec::Vec;

use proptest::prelude::*;

use crate::Body;
use crate::generate::Entropy;

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

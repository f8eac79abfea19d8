//! Blocks that went missing, by their sequence numbers.

/// What a block's number says about the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first block, or the one that was due.
    Next,
    /// So many blocks are missing, 1 to 32,767.
    Gap(u16),
    /// A number at or before the last: repeated, reordered, or the sender began anew.
    Backward,
}

/// Follows one direction's wSequence, which rises by one per block and wraps. A gap is counted, never fatal: blocks get
/// lost where a sender overruns its queue. [NCM1.0 3.2.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SequenceCheck {
    next: Option<u16>,
    missing: u64,
    backward: u64,
}

impl SequenceCheck {
    /// Takes the number of the next block.
    pub fn take(&mut self, sequence: u16) -> Step {
        let ahead = self.next.map_or(0, |next| sequence.wrapping_sub(next));
        self.next = Some(sequence.wrapping_add(1));
        match ahead {
            0 => Step::Next,
            1..0x8000 => {
                self.missing = self.missing.saturating_add(u64::from(ahead));
                Step::Gap(ahead)
            }
            _ => {
                self.backward = self.backward.saturating_add(1);
                Step::Backward
            }
        }
    }

    /// Blocks that never came.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Blocks whose number was not ahead of the last.
    pub fn backward(&self) -> u64 {
        self.backward
    }

    /// Accepts any number next, as after a reset of the function.
    pub fn restart(&mut self) {
        self.next = None;
    }
}

//! What the targets do with their bytes. Kept apart from libFuzzer so that plain tests replay the corpora.

pub mod capture;
pub mod descriptor;
pub mod discover;
pub mod message;
pub mod ntb;
pub mod reassembly;

//! One error for the whole operator: what was being done and why it did not work.

use core::fmt;

/// What went wrong while the operator was set up or running.
#[derive(Debug)]
pub struct Error {
    doing: String,
    why: String,
}

impl Error {
    /// `doing` completes the sentence "while …"; `why` is the cause.
    pub fn new(doing: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { doing: doing.into(), why: why.to_string() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.why)
    }
}

impl std::error::Error for Error {}

/// Adds to a foreign error what was being done.
pub trait While<T> {
    /// Names the attempt.
    ///
    /// # Errors
    /// The same failure, with the attempt named.
    fn trying(self, doing: impl Into<String>) -> Result<T, Error>;
}

impl<T, E: fmt::Display> While<T> for Result<T, E> {
    fn trying(self, doing: impl Into<String>) -> Result<T, Error> {
        self.map_err(|why| Error::new(doing, why))
    }
}

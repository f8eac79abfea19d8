//! Notable moments, declared once: log lines, the demo's timeline and tests come from the same values.

/// Something that a user or an engineer would want to know, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Kebab-case name, stable, for example `opened`, `identity`, `operator`, `registered`, `connected`, `portal`.
    pub name: &'static str,
    /// How loud.
    pub level: Level,
    /// Fields: name and value. No identities in full; these are safe to log.
    pub fields: Vec<(&'static str, String)>,
}

/// How loud an event is. `[style 3.7]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A branch off the usual path.
    Debug,
    /// What a user would notice.
    Info,
    /// Works, someone should look.
    Warn,
    /// The daemon cannot do its job.
    Error,
}

impl Event {
    /// An event for users.
    #[must_use]
    pub fn info(name: &'static str) -> Self {
        Self::new(Level::Info, name)
    }

    /// An event that someone should look at.
    #[must_use]
    pub fn warn(name: &'static str) -> Self {
        Self::new(Level::Warn, name)
    }

    /// A branch off the usual path.
    #[must_use]
    pub fn debug(name: &'static str) -> Self {
        Self::new(Level::Debug, name)
    }

    /// An event of any level.
    #[must_use]
    pub fn new(level: Level, name: &'static str) -> Self {
        Self { name, level, fields: Vec::new() }
    }

    /// Adds a field; the value must hold no identity in full.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl core::fmt::Display) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }
}

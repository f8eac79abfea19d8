//! Errors: a code to branch on and a text to show.

use std::fmt;

use crate::name::ERROR_PREFIX;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Kinds of failure, as in the error names `org.mbimd.Mbimd1.Error.*`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// Last part of the error's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => stringify!($name)),+ }
            }

            /// Full error name, for example `org.mbimd.Mbimd1.Error.WrongState`.
            #[must_use]
            pub fn error_name(self) -> &'static str {
                match self { $(Code::$name => concat!("org.mbimd.Mbimd1.Error.", stringify!($name))),+ }
            }
        }
    };
}

codes! {
    /// The daemon is not running: nobody owns its name.
    NotRunning,
    /// The caller may not do this.
    NotAuthorized,
    /// An argument is wrong.
    InvalidArgs,
    /// An argument is larger than is accepted.
    TooLarge,
    /// Not possible in the present state.
    WrongState,
    /// A request of this kind is already under way.
    InProgress,
    /// Another request or an event overtook it.
    Cancelled,
    /// The modem does not support it.
    Unsupported,
    /// The network refused.
    Refused,
    /// The modem refused or failed.
    ModemFailed,
    /// No answer in time.
    Timeout,
    /// The modem was unplugged, or there is no such modem.
    Gone,
    /// The PIN was wrong.
    WrongPin,
    /// There is nothing of the kind asked for.
    NotFound,
    /// State could not be written.
    Storage,
    /// The document as a whole was refused; the message begins with its eight-digit code.
    DocumentRefused,
    /// Anything else, such as a broken connection to the bus.
    Failed,
}

impl Code {
    /// The code that an error name stands for; also knows the names that buses and libraries use.
    #[must_use]
    pub fn from_error_name(name: &str) -> Self {
        if let Some(last) = name.strip_prefix(ERROR_PREFIX) {
            return Self::ALL.iter().copied().find(|code| code.as_str() == last).unwrap_or(Self::Failed);
        }
        match name.strip_prefix("org.freedesktop.DBus.Error.") {
            Some("ServiceUnknown" | "NameHasNoOwner") => Self::NotRunning,
            Some("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired") => Self::NotAuthorized,
            Some("InvalidArgs") => Self::InvalidArgs,
            Some("LimitsExceeded") => Self::TooLarge,
            Some("NoReply" | "Timeout" | "TimedOut") => Self::Timeout,
            Some("UnknownObject" | "UnknownInterface") => Self::Gone,
            Some("UnknownMethod" | "NotSupported") => Self::Unsupported,
            _ => Self::Failed,
        }
    }
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
}

impl Error {
    /// Makes an error.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What to branch on.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What to show.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, message, _) => {
                Self::new(Code::from_error_name(&name), message.unwrap_or_else(|| name.to_string()))
            }
            zbus::Error::FDO(error) => (*error).into(),
            other => Self::new(Code::Failed, other.to_string()),
        }
    }
}

impl From<zbus::fdo::Error> for Error {
    fn from(error: zbus::fdo::Error) -> Self {
        if let zbus::fdo::Error::ZBus(inner) = error {
            return inner.into();
        }
        let code = Code::from_error_name(zbus::DBusError::name(&error).as_str());
        let message = zbus::DBusError::description(&error).unwrap_or_default().to_owned();
        Self::new(code, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_belong_together() {
        for code in Code::ALL {
            assert_eq!(Code::from_error_name(code.error_name()), *code);
        }
        assert_eq!(Code::from_error_name("org.mbimd.Mbimd1.Error.FromTheFuture"), Code::Failed);
        assert_eq!(Code::from_error_name("org.freedesktop.DBus.Error.ServiceUnknown"), Code::NotRunning);
        assert_eq!(Code::from_error_name("org.freedesktop.DBus.Error.UnknownObject"), Code::Gone);
    }
}

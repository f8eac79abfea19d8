//! Errors as they go out on the bus.

use daemon_core::request::{RequestError, RequestErrorKind};
use dbus_api::error::Code;
use zbus::DBusError;
use zbus::message::{Header, Message};
use zbus::names::ErrorName;

/// A refused or failed call. The text never holds an identity or a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    code: Code,
    text: String,
}

impl Failure {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The caller's fault.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgs, text)
    }

    /// The part of the daemon that would answer has ended.
    pub(super) fn gone() -> Self {
        Self::new(Code::Gone, "The daemon is stopping; try again when it runs.")
    }
}

/// Code of a kind of failure.
pub(super) fn code(kind: RequestErrorKind) -> Code {
    match kind {
        RequestErrorKind::InvalidArgs => Code::InvalidArgs,
        RequestErrorKind::WrongState => Code::WrongState,
        RequestErrorKind::InProgress => Code::InProgress,
        RequestErrorKind::Cancelled => Code::Cancelled,
        RequestErrorKind::Unsupported => Code::Unsupported,
        RequestErrorKind::Refused => Code::Refused,
        RequestErrorKind::ModemFailed => Code::ModemFailed,
        RequestErrorKind::Timeout => Code::Timeout,
        RequestErrorKind::Gone => Code::Gone,
        RequestErrorKind::WrongPin => Code::WrongPin,
        RequestErrorKind::NotFound => Code::NotFound,
        RequestErrorKind::Storage => Code::Storage,
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::new(code(error.kind), error.reason.text)
    }
}

impl DBusError for Failure {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name()).build(&(self.text.as_str(),))
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_static_str_unchecked(self.code.error_name())
    }

    fn description(&self) -> Option<&str> {
        Some(&self.text)
    }
}

//! What went wrong, what to do next, and the exit status that says so to programs.

use dbus_api::error::{Code, Error};

/// Exit statuses; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Failed = 1,
    Usage = 2,
    NotRunning = 3,
    NoModem = 4,
    NotAuthorized = 5,
    Invalid = 6,
}

/// A command that did not do what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: Status,
    message: String,
    next: Option<String>,
    silent: bool,
}

impl Failure {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), next: None, silent: false }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Status::Failed, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Status::Usage, message).next("mbimctl --help")
    }

    pub(crate) fn not_running() -> Self {
        Self::new(Status::NotRunning, "mbimd is not running")
            .next("systemctl start mbimd, or name another bus with --bus")
    }

    pub(crate) fn no_modem(message: impl Into<String>) -> Self {
        Self::new(Status::NoModem, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Status::Invalid, message)
    }

    /// Invalid data that the output has already told about.
    pub(crate) fn told() -> Self {
        Self { silent: true, ..Self::invalid("") }
    }

    /// What went wrong, without what to do next.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    pub(crate) fn status(&self) -> u8 {
        self.status as u8
    }

    /// Prints it now; it is not told again.
    pub(crate) fn printed(self) -> Self {
        self.print();
        Self { silent: true, ..self }
    }

    pub(crate) fn print(&self) {
        if self.silent {
            return;
        }
        eprintln!("mbimctl: {}", self.message);
        if let Some(next) = &self.next {
            eprintln!("try: {next}");
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.code() {
            Code::NotRunning => return Self::not_running(),
            Code::NotAuthorized => Status::NotAuthorized,
            Code::Gone => Status::NoModem,
            Code::InvalidArgs => Status::Usage,
            Code::TooLarge | Code::DocumentRefused => Status::Invalid,
            _ => Status::Failed,
        };
        let failure = Self::new(status, error.message().trim_end_matches('.'));
        match error.code() {
            Code::WrongState | Code::Refused | Code::Timeout | Code::ModemFailed => failure.next("mbimctl explain"),
            Code::WrongPin => failure.next("mbimctl status (it tells the attempts left)"),
            _ => failure,
        }
    }
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<zbus::fdo::Error> for Failure {
    fn from(error: zbus::fdo::Error) -> Self {
        Error::from(error).into()
    }
}

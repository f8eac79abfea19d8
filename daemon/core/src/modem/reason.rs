//! Reasons for people: what is wrong and what to do next, in one place.

use crate::request::{RequestError, RequestErrorKind};
use crate::session::OpenFailure;
use crate::snapshot::Reason;

pub(super) fn reason(code: &'static str, text: impl Into<String>) -> Reason {
    Reason { code, text: text.into() }
}

pub(super) fn error(kind: RequestErrorKind, code: &'static str, text: impl Into<String>) -> RequestError {
    RequestError { kind, reason: reason(code, text) }
}

pub(super) fn open_failed(why: OpenFailure) -> Reason {
    match why {
        OpenFailure::NoAnswer => {
            reason("no-answer-to-open", "The modem does not answer; unplug it and plug it in again.")
        }
        OpenFailure::Status(status) => reason(
            "open-refused",
            format!("The modem refuses to open ({status}); it will be tried again, or plug it in again."),
        ),
        OpenFailure::Disturbed => {
            reason("open-disturbed", "The modem keeps breaking off the opening; plug it in again.")
        }
        OpenFailure::NoServices => {
            reason("no-services", "The modem opens but does not tell its services; plug it in again.")
        }
    }
}

pub(super) fn gone() -> RequestError {
    error(RequestErrorKind::Gone, "gone", "The modem was unplugged; plug it in again.")
}

pub(super) fn restarted() -> RequestError {
    error(RequestErrorKind::ModemFailed, "modem-restarted", "The modem hung and is being started anew; try again.")
}

pub(super) fn not_stored(text: &str, full: bool) -> RequestError {
    let text = if full {
        "Not stored, and nothing was changed: the disk of the state directory is full. Free some space, then repeat."
            .to_owned()
    } else {
        format!("Not stored, and nothing was changed: {text}. See to the state directory, then repeat.")
    };
    error(RequestErrorKind::Storage, "not-stored", text)
}

pub(super) fn overtaken(by: &str) -> RequestError {
    error(RequestErrorKind::Cancelled, "overtaken", format!("Another request came first: {by}."))
}

pub(super) fn no_answer() -> RequestError {
    error(RequestErrorKind::Timeout, "no-answer", "The modem did not answer in time; try again.")
}

pub(super) fn unsupported(what: &str) -> RequestError {
    error(RequestErrorKind::Unsupported, "no-device-support", format!("The modem does not support {what}."))
}

/// What is wrong with a SIM in this state, as code and text; `None` when it is usable.
pub(super) fn sim(state: super::tables::SimState) -> Option<Reason> {
    use super::tables::SimState as S;
    Some(match state {
        S::Unknown | S::Starting => reason("sim-starting", "The SIM is starting; wait a moment."),
        S::Locked => reason("pin-required", "The SIM wants its PIN; enter it."),
        S::Missing => reason("sim-not-inserted", "There is no SIM in the modem; insert one."),
        S::Bad => reason("bad-sim", "The SIM cannot be used; it may be blocked for good. Ask the operator."),
        S::Failed => reason("sim-failure", "The SIM failed; take it out and insert it again."),
        S::NotActivated => {
            reason("sim-not-activated", "The SIM has no subscription yet; activate it with the operator.")
        }
        S::NoProfile => reason("no-esim-profile", "The eSIM holds no enabled profile; load and enable one."),
        S::Ready | S::Other => return None,
    })
}

//! PIN: what a person asks for, and the PIN that is kept and entered by itself. `[MBIM reference, 17]`

use mbim_proto::Secret;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::status::Status;

use super::ask::{Answer, Asked};
use super::io::RequestId;
use super::machine::Modem;
use super::read::PinFact;
use super::reason::{self, error};
use super::request::malformed;
use super::sim::{PIN1, PUK1};
use super::tables::{Power, SimEvent, SimState};
use crate::Time;
use crate::event::Event;
use crate::request::{PinRequest, Reply, RequestError, RequestErrorKind as Kind};

/// What is to be remembered when a PIN operation succeeds.
#[derive(Debug, Default)]
pub(super) enum AfterPin {
    #[default]
    Nothing,
    Keep(Secret<String>),
    Forget,
}

impl Modem {
    pub(super) fn request_pin(&mut self, now: Time, id: RequestId, request: PinRequest) {
        if self.tables.power != Power::Ready {
            return self.refuse(id);
        }
        if self.is_asked(|a| matches!(a, Asked::PinSet(_))) {
            return self.reply(id, Err(error(Kind::InProgress, "in-progress", "A PIN is being checked; wait for it.")));
        }
        let kind = self.facts.pin.as_ref().filter(|pin| pin.locked).map(|pin| pin.kind);
        let none = Secret::new(String::new());
        let (kind, operation, pin, new) = match request {
            PinRequest::Enter(_) if self.tables.sim != SimState::Locked => {
                let text = "The SIM does not ask for a PIN.";
                return self.reply(id, Err(error(Kind::WrongState, "pin-not-needed", text)));
            }
            PinRequest::Enter(_) if kind == Some(PUK1) => {
                let text = "The PIN is blocked; unblock it with the PUK.";
                return self.reply(id, Err(error(Kind::WrongState, "puk-required", text)));
            }
            PinRequest::Enter(pin) => (kind.unwrap_or(PIN1), bc::PinOperation::ENTER, pin, none),
            PinRequest::Enable(pin) => (PIN1, bc::PinOperation::ENABLE, pin, none),
            PinRequest::Disable(pin) => (PIN1, bc::PinOperation::DISABLE, pin, none),
            PinRequest::Change { old, new } => (PIN1, bc::PinOperation::CHANGE, old, new),
            PinRequest::Unblock { puk, new } => (PUK1, bc::PinOperation::ENTER, puk, new),
        };
        let with_new = kind == PUK1 || operation == bc::PinOperation::CHANGE;
        let least = if kind == PUK1 { 8 } else { 4 };
        if !is_code(&pin, least) || (with_new && !is_code(&new, 4)) {
            let text = "A PIN has 4 to 8 digits, a PUK has 8.";
            return self.reply(id, Err(error(Kind::InvalidArgs, "not-a-pin", text)));
        }
        self.facts.pin_after = match operation {
            _ if kind == PUK1 => AfterPin::Keep(new.clone()),
            bc::PinOperation::DISABLE => AfterPin::Forget,
            bc::PinOperation::CHANGE => AfterPin::Keep(new.clone()),
            _ if kind == PIN1 => AfterPin::Keep(pin.clone()),
            _ => AfterPin::Nothing,
        };
        self.ask_pin_set(now, Some(id), kind, operation, pin, new);
    }

    /// `id` is absent where the kept PIN was entered.
    pub(super) fn on_pin_set(&mut self, now: Time, id: Option<RequestId>, answer: Answer<PinFact>) {
        let after = core::mem::take(&mut self.facts.pin_after);
        let unknown = self.facts.pin.as_ref().is_none_or(|pin| pin.attempts.is_none());
        // Where nobody can tell how many attempts are left, silence may have cost one.
        let counts = unknown || !matches!(answer, Answer::None(_));
        let result = self.pin_result(now, answer);
        match (id, after) {
            (Some(_), AfterPin::Keep(pin)) if result.is_ok() => self.keep_pin(now, Some(pin)),
            (Some(_), AfterPin::Forget) if result.is_ok() => self.keep_pin(now, None),
            (Some(_), _) => {}
            (None, _) => {
                let outcome = result.as_ref().map_or_else(|error| error.reason.code, |_| "accepted");
                self.emit(Event::info("kept-pin").with("outcome", outcome));
                if result.is_err() && counts {
                    self.keep_pin(now, None);
                }
            }
        }
        if let Some(id) = id {
            self.reply(id, result);
        }
    }

    /// Remembers the PIN where the settings say so and the SIM can be told again while it is locked.
    fn keep_pin(&mut self, now: Time, pin: Option<Secret<String>>) {
        let kept = self.subscriber.state.settings.pin_store && !self.subscriber.told.1.reveal().is_empty();
        let pin = pin.filter(|_| kept);
        if self.subscriber.loaded && self.subscriber.state.pin != pin {
            self.subscriber.state.pin = pin;
            self.save_subscriber(now);
        }
    }

    /// Enters the kept PIN: once per plug and SIM, never the last attempt, never a PUK.
    pub(super) fn enter_kept_pin(&mut self, now: Time) {
        let state = &self.subscriber.state;
        if self.tables.sim != SimState::Locked || !self.subscriber.loaded || !state.settings.pin_store {
            return;
        }
        let Some(pin) = state.pin.clone().filter(|pin| is_code(pin, 4)) else { return };
        let asked = |fact: &PinFact| fact.locked && fact.kind == PIN1 && fact.attempts.is_none_or(|left| left >= 2);
        let entered = self.pin_entered.is_some() && self.pin_entered == self.subscriber.key;
        if entered || !self.facts.pin.as_ref().is_some_and(asked) || self.is_asked(|a| matches!(a, Asked::PinSet(_))) {
            return;
        }
        self.pin_entered.clone_from(&self.subscriber.key);
        self.facts.pin_after = AfterPin::Nothing;
        self.ask_pin_set(now, None, PIN1, bc::PinOperation::ENTER, pin, Secret::new(String::new()));
    }

    fn pin_result(&mut self, now: Time, answer: Answer<PinFact>) -> Result<Reply, RequestError> {
        match answer {
            Answer::Body(Status::SUCCESS, _) | Answer::Status(Status::SUCCESS) => {
                if self.tables.sim == SimState::Locked {
                    self.step(|t| &mut t.sim, SimEvent::Unlocked);
                    self.facts.pin = None;
                    self.facts.sim_tries = 0;
                    self.ask_ready(now);
                }
                Ok(Reply::Done { changed: true })
            }
            Answer::Body(status, fact) => {
                let attempts = fact.attempts.map_or("an unknown number of".to_owned(), |n| n.to_string());
                let (code, text) = if fact.kind == PUK1 {
                    ("puk-required", format!("Wrong. The PIN is blocked; {attempts} attempts with the PUK are left."))
                } else {
                    ("wrong-pin", format!("Wrong; {attempts} attempts are left."))
                };
                self.emit(Event::warn("pin-needed").with("kind", &fact.name).with("attempts", attempts));
                let refused =
                    status != Status::FAILURE && status != Status::PIN_REQUIRED && status != Status::PIN_FAILURE;
                if self.tables.sim == SimState::Locked {
                    self.facts.pin = Some(fact);
                }
                Err(if refused {
                    error(Kind::ModemFailed, "pin-refused", format!("The modem refused ({status})."))
                } else {
                    error(Kind::WrongPin, code, text)
                })
            }
            Answer::Status(status) => {
                self.facts.pin = None;
                Err(match status {
                    Status::NO_DEVICE_SUPPORT => reason::unsupported("PIN operations"),
                    Status::FAILURE | Status::PIN_FAILURE => error(Kind::WrongPin, "wrong-pin", "Wrong PIN or PUK."),
                    status => error(Kind::ModemFailed, "pin-refused", format!("The modem refused ({status}).")),
                })
            }
            Answer::Malformed => {
                self.facts.pin = None;
                Err(malformed())
            }
            Answer::None(outcome) => {
                self.facts.pin = None;
                Err(Self::unanswered(&outcome))
            }
        }
    }
}

fn is_code(code: &Secret<String>, least: usize) -> bool {
    let code = code.reveal();
    (least..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())
}

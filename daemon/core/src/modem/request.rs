//! Requests: each gets exactly one reply, whatever happens meanwhile.

use core::time::Duration;

use mbim_proto::service::basic_connect as bc;
use mbim_proto::status::{NwError, Status};
use mbim_proto::{Personal, Secret};

use super::ask::{Answer, Asked};
use super::context::SESSION;
use super::io::RequestId;
use super::machine::Modem;
use super::read::SignalFact;
use super::reason::{self, error};
use super::tables::{Context, Power, PowerEvent, RadioState};
use super::timer::Timer;
use super::write::Change;
use crate::Time;
use crate::event::Event;
use crate::request::{Purpose, Reply, Request, RequestError, RequestErrorKind as Kind};
use crate::subscriber::UserApn;

/// How long a connecting request waits for registration and the like.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long registration and attach may take after the radio was cycled.
const REREGISTER: Duration = Duration::from_secs(120);
/// How long the radio may take.
const RADIO: Duration = Duration::from_secs(40);
/// How long a stop may take before CLOSE is sent in any case.
const STOP: Duration = Duration::from_secs(5);
/// Most bytes of a service activation.
const MOST_ACTIVATION: usize = 64 * 1024;

/// Requests that are under way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    job: Option<Job>,
    disconnect: Vec<RequestId>,
    radio: Vec<(RequestId, bool)>,
    stop: Vec<RequestId>,
    stopping: bool,
    /// Nothing is to be remembered for a later start.
    for_good: bool,
}

/// A request that ends when the default context is up.
#[derive(Clone, Copy, Debug)]
struct Job {
    id: RequestId,
    kind: JobKind,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobKind {
    Connect,
    Reconnect,
    Reregister,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Disconnect,
    RadioOff,
    RadioOn,
    Connect,
}

impl Requests {
    /// A request waits for the context to come up.
    pub(super) fn job_connects(&self) -> bool {
        self.job.is_some_and(|job| job.phase == Phase::Connect)
    }

    /// A request is still taking things down before it connects.
    pub(super) fn busy_off(&self) -> bool {
        self.job.is_some_and(|job| job.phase != Phase::Connect)
    }

    /// What a request under way wants of the radio.
    pub(super) fn job_radio(&self) -> Option<bool> {
        match self.job?.phase {
            Phase::RadioOff => Some(false),
            Phase::RadioOn => Some(true),
            Phase::Disconnect | Phase::Connect => None,
        }
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping
    }

    /// A stop was asked for after which nothing is remembered; it stays true when the stop is done.
    pub(super) fn stopping_for_good(&self) -> bool {
        self.for_good
    }
}

impl Modem {
    pub(super) fn on_request(&mut self, now: Time, id: RequestId, request: Request) {
        match request {
            Request::Connect { apn } => self.request_connect(now, id, apn),
            Request::Disconnect | Request::DisconnectSession { session: SESSION } => self.request_disconnect(now, id),
            Request::ConnectSession { session: SESSION, apn, purpose: Purpose::Internet } => {
                self.request_connect(now, id, apn);
            }
            Request::ConnectSession { session, apn, purpose } => match too_long(apn.as_ref()) {
                Some(error) => self.reply(id, Err(error)),
                None => self.connect_extra(now, id, session, apn, purpose),
            },
            Request::ConnectContext { session, name } => self.connect_context(now, id, session, &name),
            Request::DisconnectSession { session } => self.disconnect_extra(now, id, session),
            Request::Reconnect => self.request_again(now, id, JobKind::Reconnect),
            Request::Reregister { cycle: true } => self.request_again(now, id, JobKind::Reregister),
            Request::Reregister { cycle: false } => self.request_connect(now, id, None),
            Request::SetRadio(on) => self.request_radio(now, id, on),
            Request::Pin(pin) => self.request_pin(now, id, pin),
            Request::ServiceActivation(bytes) => self.request_activation(now, id, &bytes),
            Request::SetSettings(settings) => self.request_change(now, id, Change::Settings(settings)),
            Request::SetProfiles { default, purchase, network } => {
                self.request_change(now, id, Change::Profiles { default, purchase, network });
            }
            Request::SetQuota(quota) => self.request_quota(id, quota),
            Request::ForgetProfiles(carrier) => self.request_change(now, id, Change::Forget(carrier)),
            Request::Probe => self.request_probe(id),
            Request::RefreshUsage => self.request_usage(now, id),
            Request::ResetUsage => self.request_usage_reset(id),
            Request::UsageDays => {
                let days = self.subscriber.state.usage.days.clone();
                self.reply(id, Ok(Reply::UsageDays(days)));
            }
            Request::PortalUrl => {
                let result = self.portal_url(now);
                self.reply(id, result);
            }
            Request::Identity => {
                let result = self.identity();
                self.reply(id, result);
            }
            Request::RefreshSignal => match self.tables.power {
                Power::Ready => self.ask_signal(now, Some(id)),
                _ => self.refuse(id),
            },
            Request::Restart if self.tables.power == Power::Ready && !self.requests.stopping => {
                self.restart(now);
                self.reply(id, Ok(Reply::Done { changed: true }));
            }
            Request::Restart => self.refuse(id),
            Request::Stop => self.request_stop(now, id, true),
            Request::Suspend => self.request_suspend(now, id),
            Request::Resume => {
                self.on_resumed(now);
                self.reply(id, Ok(Reply::Done { changed: true }));
            }
            Request::Leave => self.request_leave(now, id),
        }
    }

    /// `for_good`: no later start is to remember what people want.
    pub(super) fn request_stop(&mut self, now: Time, id: RequestId, for_good: bool) {
        self.requests.stop.push(id);
        self.requests.for_good |= for_good;
        if !self.requests.stopping {
            self.keep_memory(now, true);
            self.requests.stopping = true;
            self.cancel_job(&reason::overtaken("stop"));
            self.timers.set(Timer::Stop, now + STOP);
        }
    }

    /// The session is not open: why, as an error.
    pub(super) fn refuse(&mut self, id: RequestId) {
        let why = self.trouble.clone().unwrap_or_else(|| {
            reason::reason("session-not-open", "The modem is not ready; wait a moment and try again.")
        });
        self.reply(id, Err(RequestError { kind: Kind::WrongState, reason: why }));
    }

    // ---- connecting

    fn request_connect(&mut self, now: Time, id: RequestId, apn: Option<UserApn>) {
        if let Some(error) = too_long(apn.as_ref()) {
            return self.reply(id, Err(error));
        }
        if let Some(gate) = self.gate().filter(|gate| gate.permanent) {
            if self.tables.power == Power::Ready {
                // What forbids it may be old news: the next request will know.
                self.look_again(now);
            }
            return self.reply(id, Err(RequestError { kind: Kind::WrongState, reason: gate.reason }));
        }
        match self.requests.job {
            Some(Job { kind: JobKind::Connect, .. }) => {
                let text = "The connection is being made already; wait for it.";
                return self.reply(id, Err(error(Kind::InProgress, "connecting", text)));
            }
            Some(_) => self.cancel_job(&reason::overtaken("connect")),
            None => {}
        }
        self.dialer.user_off = false;
        self.dialer.held = true;
        let same = apn == self.dialer.named;
        if self.tables.context == Context::Up && (apn.is_none() || same) {
            return self.reply(id, Ok(Reply::Done { changed: false }));
        }
        let phase = match self.tables.context {
            Context::Down | Context::Waiting => Phase::Connect,
            // What is being made automatically is what is wanted.
            Context::Activating | Context::Configuring | Context::Linking if apn.is_none() => Phase::Connect,
            _ => Phase::Disconnect,
        };
        self.begin_job(now, id, JobKind::Connect, phase);
        self.fresh_round();
        self.dialer.named = apn;
    }

    fn request_again(&mut self, now: Time, id: RequestId, kind: JobKind) {
        let gate = self.gate().filter(|gate| gate.permanent && gate.reason.code != "registration-denied");
        if let Some(gate) = gate {
            return self.reply(id, Err(RequestError { kind: Kind::WrongState, reason: gate.reason }));
        }
        if self.tables.power != Power::Ready {
            return self.refuse(id);
        }
        if self.requests.job.is_some_and(|job| job.kind == kind) {
            let text = "This is under way already; wait for it.";
            return self.reply(id, Err(error(Kind::InProgress, "in-progress", text)));
        }
        self.cancel_job(&reason::overtaken("provisioning"));
        self.dialer.user_off = false;
        self.dialer.held = true;
        self.begin_job(now, id, kind, Phase::Disconnect);
        self.fresh_round();
        self.dialer.named = None;
    }

    /// A person's or a document's wish: holds, waits and grudges are forgotten. `[OPER 3.7]`
    fn fresh_round(&mut self) {
        self.dialer.hold = None;
        self.dialer.contradicted = false;
        self.dialer.purchase_tried = false;
        self.dialer.failed_rounds = 0;
        self.dialer.round_index = 0;
        self.dialer.congested = 0;
        self.subscriber.bad.clear();
        self.subscriber.recalled = None;
        self.timers.clear(Timer::Retry);
        if matches!(self.tables.context, Context::Down | Context::Waiting) {
            self.dialer.end_round();
        }
    }

    fn begin_job(&mut self, now: Time, id: RequestId, kind: JobKind, phase: Phase) {
        self.requests.job = Some(Job { id, kind, phase });
        self.timers.set(Timer::Job, now + if phase == Phase::Connect { PATIENCE } else { PATIENCE * 2 });
    }

    fn enter(&mut self, now: Time, phase: Phase, patience: Duration) {
        if let Some(job) = &mut self.requests.job {
            job.phase = phase;
        }
        self.timers.clear(Timer::Radio);
        self.timers.set(Timer::Job, now + patience);
    }

    pub(super) fn advance_job(&mut self, now: Time) {
        let Some(job) = self.requests.job else { return };
        let down = matches!(self.tables.context, Context::Down | Context::Waiting);
        match job.phase {
            Phase::Disconnect if !down => self.drop_context(now, "reconnect"),
            Phase::Disconnect if job.kind == JobKind::Reregister => self.enter(now, Phase::RadioOff, RADIO),
            Phase::Disconnect => {
                self.fresh_round();
                self.enter(now, Phase::Connect, PATIENCE);
            }
            Phase::RadioOff => match self.tables.radio {
                RadioState::Off => {
                    self.forget_registration();
                    self.enter(now, Phase::RadioOn, RADIO);
                }
                RadioState::HardwareOff => self.fail_job(Kind::WrongState, "radio-hardware-off", HARDWARE),
                _ => {}
            },
            Phase::RadioOn => match self.tables.radio {
                RadioState::On => {
                    self.fresh_round();
                    self.enter(now, Phase::Connect, REREGISTER);
                }
                RadioState::HardwareOff => self.fail_job(Kind::WrongState, "radio-hardware-off", HARDWARE),
                _ if self.blocked => {
                    self.fail_job(Kind::WrongState, "radio-blocked", "Airplane mode is on; switch it off.");
                }
                _ if self.radio_stuck() => {
                    self.fail_job(Kind::ModemFailed, "radio-not-back", "The radio could not be switched on again.");
                }
                _ => {}
            },
            Phase::Connect if down => {
                // Right after the radio was cycled an old refusal may still stand.
                let gate = self.gate().filter(|gate| gate.permanent);
                let old = job.kind == JobKind::Reregister;
                if let Some(gate) = gate.filter(|gate| !(old && gate.reason.code == "registration-denied")) {
                    self.finish_job(Err(RequestError { kind: Kind::WrongState, reason: gate.reason }));
                }
            }
            Phase::Connect => {}
        }
    }

    pub(super) fn on_job_overdue(&mut self, now: Time) {
        let Some(job) = self.requests.job else { return };
        match job.phase {
            Phase::Disconnect => self.fail_job(Kind::Timeout, "no-answer", "The modem did not disconnect in time."),
            Phase::RadioOff => {
                self.fail_job(Kind::ModemFailed, "radio-not-off", "The radio could not be switched off.")
            }
            Phase::RadioOn => {
                self.fail_job(Kind::ModemFailed, "radio-not-back", "The radio could not be switched on again.");
            }
            Phase::Connect => match self.gate() {
                Some(gate) if matches!(self.tables.context, Context::Down | Context::Waiting) => {
                    self.finish_job(Err(RequestError { kind: Kind::Timeout, reason: gate.reason }));
                }
                // Dialling has a beginning and an end of its own.
                _ => self.timers.set(Timer::Job, now + PATIENCE),
            },
        }
    }

    fn fail_job(&mut self, kind: Kind, code: &'static str, text: &str) {
        self.finish_job(Err(error(kind, code, text)));
    }

    fn cancel_job(&mut self, error: &RequestError) {
        self.finish_job(Err(error.clone()));
    }

    /// Ends the connecting request, if there is one.
    pub(super) fn finish_job(&mut self, result: Result<bool, RequestError>) {
        self.timers.clear(Timer::Job);
        if let Some(job) = self.requests.job.take() {
            if result.is_err() {
                self.dialer.held = false;
            }
            self.reply(job.id, result.map(|changed| Reply::Done { changed }));
        }
    }

    fn request_disconnect(&mut self, now: Time, id: RequestId) {
        self.cancel_job(&reason::overtaken("disconnect"));
        self.dialer.user_off = true;
        self.dialer.held = false;
        self.dialer.named = None;
        match self.tables.context {
            Context::Down => self.reply(id, Ok(Reply::Done { changed: false })),
            Context::Waiting => self.reply(id, Ok(Reply::Done { changed: true })),
            _ => {
                self.requests.disconnect.push(id);
                self.drop_context(now, "user");
            }
        }
    }

    /// The context is down now: who waited for that is told.
    pub(super) fn disconnected(&mut self) {
        for id in core::mem::take(&mut self.requests.disconnect) {
            self.reply(id, Ok(Reply::Done { changed: true }));
        }
    }

    // ---- radio

    fn request_radio(&mut self, now: Time, id: RequestId, on: bool) {
        if self.tables.power != Power::Ready {
            return self.refuse(id);
        }
        if on && self.blocked {
            let text = "Airplane mode is on; switch it off.";
            return self.reply(id, Err(error(Kind::WrongState, "radio-blocked", text)));
        }
        if on && self.tables.radio == RadioState::HardwareOff {
            self.ask_radio(now);
            return self.reply(id, Err(error(Kind::WrongState, "radio-hardware-off", HARDWARE)));
        }
        self.radio_wish = on;
        // The newest wish counts.
        let earlier = core::mem::take(&mut self.requests.radio);
        for (id, _) in earlier.iter().filter(|(_, wanted)| *wanted != on) {
            self.reply(*id, Err(reason::overtaken("radio")));
        }
        self.requests.radio = earlier.into_iter().filter(|(_, wanted)| *wanted == on).collect();
        if !on {
            self.cancel_job(&reason::overtaken("radio off"));
            self.dialer.held = false;
        }
        let already = match self.tables.radio {
            RadioState::On => on,
            RadioState::Off | RadioState::HardwareOff => !on,
            _ => false,
        };
        if already {
            return self.reply(id, Ok(Reply::Done { changed: false }));
        }
        self.facts.radio_tries = 0;
        self.timers.clear(Timer::Radio);
        self.requests.radio.push((id, on));
    }

    /// Called by the pass: who waits for the radio is told when it is there, or when it will not come.
    fn settle_radio(&mut self) {
        if self.requests.radio.is_empty() {
            return;
        }
        let is_on = match self.tables.radio {
            RadioState::On => Some(true),
            RadioState::Off | RadioState::HardwareOff => Some(false),
            _ => None,
        };
        let stuck = self.radio_stuck();
        let hardware = self.tables.radio == RadioState::HardwareOff;
        for (id, on) in core::mem::take(&mut self.requests.radio) {
            if is_on == Some(on) {
                self.reply(id, Ok(Reply::Done { changed: true }));
            } else if hardware && on {
                self.reply(id, Err(error(Kind::WrongState, "radio-hardware-off", HARDWARE)));
            } else if stuck {
                self.reply(id, Err(error(Kind::ModemFailed, "radio-stuck", "The modem does not switch its radio.")));
            } else {
                self.requests.radio.push((id, on));
            }
        }
    }

    // ---- service activation, signal

    fn request_activation(&mut self, now: Time, id: RequestId, bytes: &Secret<Vec<u8>>) {
        if self.tables.power != Power::Ready {
            return self.refuse(id);
        }
        if !self.offers::<bc::ServiceActivationSet>() {
            return self.reply(id, Err(reason::unsupported("service activation")));
        }
        if bytes.reveal().len() > MOST_ACTIVATION {
            let text = "Activation data has at most 64 KiB.";
            return self.reply(id, Err(error(Kind::InvalidArgs, "too-long", text)));
        }
        if self.is_asked(|a| matches!(a, Asked::Activation(_))) {
            let text = "An activation is under way; wait for it.";
            return self.reply(id, Err(error(Kind::InProgress, "in-progress", text)));
        }
        self.ask_activation(now, id, bytes.reveal());
    }

    pub(super) fn on_service_activation(&mut self, id: RequestId, answer: Answer<u32>) {
        let result = match answer {
            Answer::Body(Status::SUCCESS, _) | Answer::Status(Status::SUCCESS) => Ok(Reply::Done { changed: true }),
            Answer::Body(Status::NO_DEVICE_SUPPORT, _) | Answer::Status(Status::NO_DEVICE_SUPPORT) => {
                Err(reason::unsupported("service activation"))
            }
            Answer::Body(status, cause) => Err(error(
                Kind::Refused,
                "activation-refused",
                format!("The activation failed ({status}; {}, cause {cause}).", NwError(cause)),
            )),
            Answer::Status(status) => {
                Err(error(Kind::Refused, "activation-refused", format!("The activation failed ({status}).")))
            }
            Answer::Malformed => Err(malformed()),
            Answer::None(outcome) => Err(Self::unanswered(&outcome)),
        };
        if result.is_ok() {
            self.emit(Event::info("service-activated"));
            self.dialer.purchase = false;
            let context = self.tables.context;
            self.dialer.candidates_changed(&mut self.timers, context);
            self.subscriber.bad.clear();
            self.online.due = true;
        }
        self.reply(id, result);
    }

    pub(super) fn on_signal(&mut self, id: Option<RequestId>, answer: Answer<SignalFact>) {
        let result = match answer {
            Answer::Body(Status::SUCCESS, fact) => {
                self.facts.signal = Some(fact);
                Ok(Reply::Done { changed: true })
            }
            Answer::Body(status, _) | Answer::Status(status) => {
                Err(error(Kind::ModemFailed, "no-signal", format!("The modem does not tell its signal ({status}).")))
            }
            Answer::Malformed => Err(malformed()),
            Answer::None(outcome) => Err(Self::unanswered(&outcome)),
        };
        if let Some(id) = id {
            self.reply(id, result);
        }
    }

    // ---- identity

    fn identity(&self) -> Result<Reply, RequestError> {
        if !self.subscriber.identified {
            let why = reason::sim(self.tables.sim)
                .unwrap_or_else(|| reason::reason("sim-starting", "The SIM is being read; wait a moment."));
            return Err(RequestError { kind: Kind::WrongState, reason: why });
        }
        let identity = &self.subscriber.identity;
        let mut all = Vec::new();
        let mut add = |name, value: Option<&str>| all.extend(value.map(|value| (name, value.to_owned())));
        add("imsi", identity.imsi.as_ref().map(|v| v.reveal()));
        add("min", identity.min.as_ref().map(|v| v.reveal()));
        add("iccid", identity.iccid.as_ref().map(|v| v.reveal()));
        add("device-id", identity.device.as_ref().map(|v| v.reveal()));
        for number in &identity.msisdns {
            add("number", Some(number.reveal()));
        }
        add("provider-name", identity.provider_name.as_deref());
        let provider = identity.provider_id.as_ref().map(ToString::to_string);
        add("provider-id", provider.as_deref());
        add("spn", identity.spn.as_deref());
        Ok(Reply::Identity(Personal::new(all)))
    }

    // ---- ending

    pub(super) fn advance_stop(&mut self, now: Time) {
        self.settle_radio();
        if !self.requests.stopping {
            return;
        }
        match self.tables.power {
            Power::Ready => match self.tables.context {
                Context::Down | Context::Waiting if self.extras_busy() => {}
                Context::Down | Context::Waiting => self.close(now),
                Context::Deactivating => {}
                _ => self.drop_context(now, "stop"),
            },
            Power::Opening | Power::Recovering => self.close(now),
            Power::Reopening | Power::Failed | Power::Detached => {
                self.step(|t| &mut t.power, PowerEvent::Stop);
            }
            Power::Closing | Power::Closed => {}
        }
        if matches!(self.tables.power, Power::Closed | Power::Detached) {
            self.requests.stopping = false;
            self.timers.clear_all();
            self.trouble = Some(reason::reason("stopped", "The modem was let go."));
            self.emit(Event::info("stopped"));
            for id in core::mem::take(&mut self.requests.stop) {
                self.reply(id, Ok(Reply::Done { changed: true }));
            }
        }
    }

    fn close(&mut self, now: Time) {
        self.link_down();
        self.end_extras(now, &reason::overtaken("stop"));
        self.step(|t| &mut t.power, PowerEvent::Stop);
        self.fail_requests(now, &reason::overtaken("stop"));
        self.session.close(now);
    }

    pub(super) fn on_stop_overdue(&mut self, now: Time) {
        if self.requests.stopping && self.tables.power == Power::Ready {
            self.close(now);
        }
    }

    /// Ends all requests but a stop, which ends with the session.
    pub(super) fn fail_requests(&mut self, now: Time, error: &RequestError) {
        self.cancel_job(error);
        self.fail_extras(now, error);
        let radio = core::mem::take(&mut self.requests.radio).into_iter().map(|(id, _)| id);
        let disconnect = core::mem::take(&mut self.requests.disconnect);
        let probes = self.online.waiting();
        let all: Vec<RequestId> = radio.chain(probes).collect();
        for id in all {
            self.reply(id, Err(error.clone()));
        }
        // The context is gone with the session, as was asked.
        for id in disconnect {
            self.reply(id, Ok(Reply::Done { changed: true }));
        }
    }
}

/// An access point that CONNECT cannot carry.
fn too_long(apn: Option<&UserApn>) -> Option<RequestError> {
    let text = "The APN has at most 100 characters, user and password at most 255.";
    apn.filter(|apn| apn.apn.len() > 100 || apn.user.len() > 255 || apn.password.reveal().len() > 255)
        .map(|_| error(Kind::InvalidArgs, "apn-too-long", text))
}

const HARDWARE: &str = "The radio switch of the machine is off; switch it on.";

pub(super) fn malformed() -> RequestError {
    error(Kind::ModemFailed, "malformed-answer", "The modem's answer cannot be read; try again.")
}

//! Commands out, answers in: which body belongs to what was asked, and who wants to know.

use mbim_proto::service::{self, context_type};
use mbim_proto::service::{
    basic_connect as bc, ms_basic_connect_ext as ext, ms_uicc_low_level as uicc, ms_voice_extensions as voice,
};
use mbim_proto::status::Status;
use mbim_proto::{Body, Malformed, MbimEx, Operation, Personal, Secret, Uuid};

use super::context::SESSION;
use super::contexts;
use super::dial::Dial;
use super::extra::Question;
use super::io::RequestId;
use super::machine::Modem;
use super::read;
use super::timer::Timer;
use crate::Time;
use crate::event::Event;
use crate::request::Purpose;
use crate::session::{Command, Outcome, Rank, deadline};
use daemon_operator::identity::ef::CardFile;
use daemon_operator::{Auth, IpType};
use zeroize::Zeroizing;

/// Octets for which there is room when a command is written: nearly all, those with passwords and activation data among them.
const ROOM: usize = 4608;

/// Indications that are wanted, where the modem offers them.
pub(super) const SUBSCRIBE: &[(Uuid, &[u32])] = &[(
    service::BASIC_CONNECT,
    &[
        bc::SubscriberReady::CID,
        bc::RadioState::CID,
        bc::RegisterStateInfo::CID,
        bc::PacketService::CID,
        bc::SignalState::CID,
        bc::ConnectInfo::CID,
        bc::IpConfiguration::CID,
    ],
)];

/// What was asked.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Caps,
    Ready,
    Radio,
    RadioSet(bool),
    Pin,
    /// Absent: the kept PIN was entered.
    PinSet(Option<RequestId>),
    Home,
    Register,
    RegisterSet,
    Packet,
    PacketSet,
    ContextQuery,
    Activate,
    Deactivate,
    Ip,
    /// The same of a session above 0.
    Extra(u32, Question),
    Signal(Option<RequestId>),
    Activation(RequestId),
    Quiet,
    /// Whether no traffic is expected.
    Idle(bool),
    /// The network's time.
    Nitz,
    /// The card's applications.
    Apps,
    CardFile(CardFile),
    /// The modem's packet counters.
    Statistics,
    /// Contexts that are stored in the modem.
    Contexts,
    /// The context of attach.
    Attach,
    AttachSet,
}

impl Asked {
    /// Stable name of the question.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Caps => "caps",
            Self::Ready => "ready",
            Self::Radio => "radio",
            Self::RadioSet(_) => "radio-set",
            Self::Pin => "pin",
            Self::PinSet(_) => "pin-set",
            Self::Home => "home",
            Self::Register => "register",
            Self::RegisterSet => "register-set",
            Self::Packet => "packet",
            Self::PacketSet => "packet-set",
            Self::ContextQuery => "context",
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::Ip => "ip",
            Self::Extra(..) => "extra",
            Self::Signal(_) => "signal",
            Self::Activation(_) => "activation",
            Self::Quiet => "quiet",
            Self::Idle(_) => "idle",
            Self::Nitz => "network-time",
            Self::Apps => "applications",
            Self::Statistics => "statistics",
            Self::CardFile(file) => file.as_str(),
            Self::Contexts => "contexts",
            Self::Attach => "attach-configuration",
            Self::AttachSet => "attach-configuration-set",
        }
    }

    /// The request that waits for this answer and for nothing else.
    pub(super) fn request(&self) -> Option<RequestId> {
        match self {
            Self::Activation(id) => Some(*id),
            Self::PinSet(id) | Self::Signal(id) => *id,
            _ => None,
        }
    }
}

/// An answer, read.
#[derive(Clone, Debug)]
pub(super) enum Answer<T> {
    /// A status with its body.
    Body(Status, T),
    /// A status without a body.
    Status(Status),
    /// A body that cannot be read; it was counted.
    Malformed,
    /// No answer.
    None(Outcome),
}

impl Modem {
    /// Everything that can be asked at once. The subscription of indications went before. `[MBIM reference, 9]`
    pub(super) fn bring_up(&mut self, now: Time) {
        self.ask(now, Asked::Caps, &bc::DeviceCapsQuery {}, Operation::Query);
        // Nothing is asked, and so nothing shown, of a modem that may be another one.
        if self.config.expected.is_none() {
            self.bring_up_rest(now);
        }
    }

    /// All but what the modem is.
    pub(super) fn bring_up_rest(&mut self, now: Time) {
        self.ask_ready(now);
        self.ask_radio(now);
        self.ask_register(now);
        self.ask_packet(now);
        self.ask_home(now);
        self.ask_context(now);
        self.busy_again(now);
    }

    /// Asks the modem to report nothing by itself. What is missed is asked for afterwards.
    pub(super) fn ask_quiet(&mut self, now: Time) {
        let nothing = bc::DeviceServiceSubscribeList { events: Vec::new() };
        self.ask(now, Asked::Quiet, &nothing, Operation::Set);
    }

    /// Tells the modem whether no traffic is expected.
    pub(super) fn ask_idle(&mut self, now: Time, idle: bool) {
        let state = bc::NetworkIdleHintState(u32::from(idle));
        self.ask(now, Asked::Idle(idle), &bc::NetworkIdleHint { state }, Operation::Set);
    }

    /// What is known of SIM, radio and network may be old: all of it once more.
    pub(super) fn look_again(&mut self, now: Time) {
        self.ask_ready(now);
        self.ask_radio(now);
        self.ask_register(now);
        self.ask_packet(now);
    }

    pub(super) fn ask_ready(&mut self, now: Time) {
        if self.is_asked(|a| matches!(a, Asked::Ready)) {
            return;
        }
        if self.session.release() >= MbimEx::V4 {
            self.ask(now, Asked::Ready, &bc::SubscriberReadyQueryV4 { slot_id: 0 }, Operation::Query);
        } else {
            self.ask(now, Asked::Ready, &bc::SubscriberReadyQuery {}, Operation::Query);
        }
    }

    pub(super) fn ask_radio(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::Radio)) {
            self.ask(now, Asked::Radio, &bc::RadioStateQuery {}, Operation::Query);
        }
    }

    pub(super) fn ask_radio_set(&mut self, now: Time, on: bool) {
        self.expect(now, Timer::RadioAnswer);
        let radio_state = if on { bc::RadioSwitchState::ON } else { bc::RadioSwitchState::OFF };
        self.ask(now, Asked::RadioSet(on), &bc::RadioStateSet { radio_state }, Operation::Set);
    }

    pub(super) fn ask_pin(&mut self, now: Time) {
        self.ask(now, Asked::Pin, &bc::PinQuery {}, Operation::Query);
    }

    pub(super) fn ask_pin_set(
        &mut self,
        now: Time,
        id: Option<RequestId>,
        kind: u32,
        operation: bc::PinOperation,
        pin: Secret<String>,
        new_pin: Secret<String>,
    ) {
        let body = bc::PinSet { pin_type: bc::PinType(kind), pin_operation: operation, pin, new_pin };
        self.ask(now, Asked::PinSet(id), &body, Operation::Set);
    }

    pub(super) fn ask_home(&mut self, now: Time) {
        self.ask(now, Asked::Home, &bc::HomeProviderQuery {}, Operation::Query);
    }

    pub(super) fn ask_register(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::Register)) {
            self.ask(now, Asked::Register, &bc::RegisterStateQuery {}, Operation::Query);
        }
    }

    /// Automatic registration; the modem decides on the technologies.
    pub(super) fn ask_register_set(&mut self, now: Time) {
        self.expect(now, Timer::RegisterAnswer);
        let body = bc::RegisterStateSet {
            provider_id: String::new(),
            register_action: bc::RegisterAction::AUTOMATIC,
            data_class: bc::DataClass(0),
        };
        self.ask(now, Asked::RegisterSet, &body, Operation::Set);
    }

    pub(super) fn ask_packet(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::Packet)) {
            self.ask(now, Asked::Packet, &bc::PacketServiceQuery {}, Operation::Query);
        }
    }

    pub(super) fn ask_packet_attach(&mut self, now: Time) {
        self.expect(now, Timer::PacketAnswer);
        let body = bc::PacketServiceSet { packet_service_action: bc::PacketServiceAction::ATTACH };
        self.ask(now, Asked::PacketSet, &body, Operation::Set);
    }

    pub(super) fn ask_context(&mut self, now: Time) {
        if self.is_asked(|a| matches!(a, Asked::ContextQuery)) {
            return;
        }
        self.ask_connect_query(now, SESSION, Asked::ContextQuery);
    }

    fn ask_connect_query(&mut self, now: Time, session_id: u32, asked: Asked) {
        if self.session.release() >= MbimEx::V3 {
            self.ask(now, asked, &bc::ConnectQueryV3 { session_id }, Operation::Query);
        } else {
            let body = bc::ConnectInfo { session_id, ..bc::ConnectInfo::default() };
            self.ask(now, asked, &body, Operation::Query);
        }
    }

    pub(super) fn ask_activate(&mut self, now: Time, dial: &Dial) {
        self.ask_connect(now, SESSION, Asked::Activate, ContextOrder::activate(dial));
    }

    pub(super) fn ask_deactivate(&mut self, now: Time) {
        self.ask_connect(now, SESSION, Asked::Deactivate, ContextOrder::deactivate());
    }

    /// What a session above 0 wants to know or done; `dial` goes with [`Question::Activate`].
    pub(super) fn ask_extra(&mut self, now: Time, session: u32, question: Question, dial: Option<&Dial>) {
        let asked = Asked::Extra(session, question);
        match (question, dial) {
            (Question::Activate, Some(dial)) => self.ask_connect(now, session, asked, ContextOrder::activate(dial)),
            (Question::Activate | Question::Deactivate, _) => {
                self.ask_connect(now, session, asked, ContextOrder::deactivate());
            }
            (Question::Context, _) => self.ask_connect_query(now, session, asked),
            (Question::Ip, _) => self.ask_ip_of(now, session, asked),
        }
    }

    fn ask_connect(&mut self, now: Time, session_id: u32, asked: Asked, order: ContextOrder) {
        let ContextOrder { command, apn, user, password, auth, ip_type, context_type } = order;
        if self.session.release() >= MbimEx::V4 {
            let body = bc::ConnectSetV4 {
                session_id,
                activation_command: command,
                auth_protocol: auth,
                ip_type,
                context_type,
                access_string: apn,
                user_name: Personal::new(user),
                password,
                ..bc::ConnectSetV4::default()
            };
            self.ask(now, asked, &body, Operation::Set);
        } else if self.session.release() >= MbimEx::V3 {
            let body = bc::ConnectSetV3 {
                session_id,
                activation_command: command,
                auth_protocol: auth,
                ip_type,
                context_type,
                access_string: apn,
                user_name: Personal::new(user),
                password,
                ..bc::ConnectSetV3::default()
            };
            self.ask(now, asked, &body, Operation::Set);
        } else {
            let body = bc::ConnectSet {
                session_id,
                activation_command: command,
                access_string: apn,
                user_name: Personal::new(user),
                password,
                compression: bc::Compression::default(),
                auth_protocol: auth,
                ip_type,
                context_type,
            };
            self.ask(now, asked, &body, Operation::Set);
        }
    }

    pub(super) fn ask_ip(&mut self, now: Time) {
        if !self.is_asked(|a| matches!(a, Asked::Ip)) {
            self.ask_ip_of(now, SESSION, Asked::Ip);
        }
    }

    fn ask_ip_of(&mut self, now: Time, session_id: u32, asked: Asked) {
        let body = bc::IpConfiguration { session_id, ..bc::IpConfiguration::default() };
        self.ask(now, asked, &body, Operation::Query);
    }

    pub(super) fn ask_signal(&mut self, now: Time, id: Option<RequestId>) {
        self.ask(now, Asked::Signal(id), &bc::SignalStateQuery {}, Operation::Query);
    }

    pub(super) fn ask_activation(&mut self, now: Time, id: RequestId, bytes: &[u8]) {
        let body = bc::ServiceActivationSet { buffer: bytes.to_vec().into() };
        self.ask(now, Asked::Activation(id), &body, Operation::Set);
    }

    pub(super) fn ask_time(&mut self, now: Time) {
        self.ask(now, Asked::Nitz, &voice::NitzQuery {}, Operation::Query);
    }

    pub(super) fn ask_statistics(&mut self, now: Time) {
        if !self.is_asked(|asked| matches!(asked, Asked::Statistics)) {
            self.ask(now, Asked::Statistics, &bc::PacketStatisticsQuery {}, Operation::Query);
        }
    }

    pub(super) fn ask_applications(&mut self, now: Time) {
        self.ask(now, Asked::Apps, &uicc::ApplicationListQuery {}, Operation::Query);
    }

    pub(super) fn ask_card_file(&mut self, now: Time, file: CardFile) {
        let application_id = self.facts.card.application.clone().unwrap_or_default();
        let file_path = file.path().to_vec();
        if file.has_records() {
            let card = &self.facts.card;
            let record_number = if file == CardFile::Pnn { card.pnn_record } else { card.opl_record };
            let body = uicc::AccessRecordQuery {
                version: 1,
                application_id,
                file_path,
                record_number,
                ..uicc::AccessRecordQuery::default()
            };
            return self.ask(now, Asked::CardFile(file), &body, Operation::Query);
        }
        let body =
            uicc::AccessBinaryQuery { version: 1, application_id, file_path, ..uicc::AccessBinaryQuery::default() };
        self.ask(now, Asked::CardFile(file), &body, Operation::Query);
    }

    /// The extensions' list tells more.
    pub(super) fn ask_stored_contexts(&mut self, now: Time) {
        if self.offers::<ext::ProvisionedContextsV2Query>() {
            self.ask(now, Asked::Contexts, &ext::ProvisionedContextsV2Query {}, Operation::Query);
        } else {
            self.ask(now, Asked::Contexts, &bc::ProvisionedContextsQuery {}, Operation::Query);
        }
    }

    pub(super) fn ask_attach(&mut self, now: Time) {
        self.ask(now, Asked::Attach, &ext::LteAttachConfigurationQuery {}, Operation::Query);
    }

    pub(super) fn ask_attach_set(&mut self, now: Time, configurations: Vec<ext::LteAttachConfigurationEntry>) {
        let operation = ext::LteAttachContextOperation::DEFAULT;
        let body = ext::LteAttachConfigurationSet { operation, configurations };
        self.ask(now, Asked::AttachSet, &body, Operation::Set);
    }

    pub(super) fn offers<B: Body>(&self) -> bool {
        self.session.offers().has(B::SERVICE, B::CID)
    }

    /// Sends a command. One that the modem does not list, or whose values the specification does not allow, is answered
    /// here as the modem would.
    fn ask<B: Body>(&mut self, now: Time, asked: Asked, body: &B, operation: Operation) {
        let answer = |status| Outcome::Answered { status, buffer: Vec::new() };
        if !self.offers::<B>() {
            return self.on_completed(now, asked, answer(Status::NO_DEVICE_SUPPORT));
        }
        // Written where there is room for all of it: what grows is moved, and leaves behind in clear what it had.
        let mut written = Zeroizing::new(Vec::with_capacity(ROOM));
        if body.encode_checked(&mut written).is_err() {
            return self.on_completed(now, asked, answer(Status::INVALID_PARAMETERS));
        }
        let buffer = written.to_vec();
        let timeout = match asked {
            Asked::Deactivate | Asked::Extra(_, Question::Deactivate) => deadline::DEACTIVATE,
            Asked::Activation(_) => deadline::SERVICE_ACTIVATION,
            Asked::Statistics => deadline::STATISTICS,
            _ => deadline::of(B::SERVICE, B::CID, operation),
        };
        let rank = match asked {
            Asked::Deactivate | Asked::Extra(_, Question::Deactivate) | Asked::RadioSet(false) => Rank::Urgent,
            _ => Rank::Ordinary,
        };
        let command = Command { service: B::SERVICE, cid: B::CID, operation, buffer, timeout, rank };
        let ticket = self.session.command(now, command);
        self.remember(ticket, asked);
    }

    /// A question that was lost on the way is put once more; it changes nothing. (Q34)
    fn ask_again(&mut self, now: Time, asked: &Asked) -> bool {
        if self.facts.asked_again.contains(&asked.name()) {
            return false;
        }
        match asked {
            Asked::Caps => self.ask(now, Asked::Caps, &bc::DeviceCapsQuery {}, Operation::Query),
            Asked::Ready => self.ask_ready(now),
            Asked::Radio => self.ask_radio(now),
            Asked::Home => self.ask_home(now),
            Asked::Register => self.ask_register(now),
            Asked::Packet => self.ask_packet(now),
            Asked::ContextQuery => self.ask_context(now),
            Asked::Ip => self.ask_ip(now),
            Asked::Apps => self.ask_applications(now),
            Asked::CardFile(file) => self.ask_card_file(now, *file),
            Asked::Contexts => self.ask_stored_contexts(now),
            _ => return false,
        }
        self.facts.asked_again.push(asked.name());
        true
    }

    pub(super) fn on_completed(&mut self, now: Time, asked: Asked, outcome: Outcome) {
        let release = self.session.release();
        if outcome == Outcome::TimedOut && self.ask_again(now, &asked) {
            return;
        }
        match asked {
            Asked::Caps => {
                let answer = self.read("DEVICE_CAPS", outcome, read::caps);
                let caps = if let Answer::Body(Status::SUCCESS, caps) = answer { Some(caps) } else { None };
                if let Some(caps) = &caps {
                    self.emit(Event::info("device").with("hardware", &caps.hardware).with("firmware", &caps.firmware));
                }
                self.facts.caps = Some(caps);
                self.compare(now);
            }
            Asked::Ready => match self.read("SUBSCRIBER_READY_STATUS", outcome, |b| read::ready(release, b)) {
                Answer::Body(_, fact) => self.on_ready(now, fact),
                Answer::Status(Status::SIM_NOT_INSERTED) => {
                    self.on_ready(now, read::Ready { state: 2, ..read::Ready::default() });
                }
                Answer::None(Outcome::Dropped | Outcome::Gone) => {}
                _ => self.on_ready_failed(now),
            },
            Asked::Radio => {
                if let Answer::Body(Status::SUCCESS, (hardware, software)) =
                    self.read("RADIO_STATE", outcome, read::radio)
                {
                    self.on_radio(hardware, software);
                    self.radio_seen(now);
                }
            }
            Asked::RadioSet(on) => {
                let answer = self.read("RADIO_STATE", outcome, read::radio);
                self.on_radio_set(now, on, answer);
            }
            Asked::Pin => {
                let answer = self.read("PIN", outcome, read::pin);
                // Locked without saying by what: PIN1 is the likely one.
                let unknown = read::PinFact { kind: 2, name: "pin1".to_owned(), locked: true, attempts: None };
                self.on_pin(now, if let Answer::Body(_, fact) = answer { fact } else { unknown });
            }
            Asked::PinSet(id) => {
                let answer = self.read("PIN", outcome, read::pin);
                self.on_pin_set(now, id, answer);
            }
            Asked::Home => {
                let answer = self.read("HOME_PROVIDER", outcome, read::home);
                let home = if let Answer::Body(Status::SUCCESS, home) = answer { Some(home) } else { None };
                self.facts.home = Some(home);
            }
            Asked::Register => {
                if let Answer::Body(Status::SUCCESS, fact) = self.read("REGISTER_STATE", outcome, read::register) {
                    self.on_register(now, fact);
                    self.register_seen(now);
                }
            }
            Asked::RegisterSet => {
                let answer = self.read("REGISTER_STATE", outcome, read::register);
                self.on_register_set(now, answer);
            }
            Asked::Packet => {
                if let Answer::Body(Status::SUCCESS, fact) = self.read("PACKET_SERVICE", outcome, read::packet) {
                    self.on_packet(now, fact);
                    self.packet_seen(now);
                }
            }
            Asked::PacketSet => {
                let answer = self.read("PACKET_SERVICE", outcome, read::packet);
                self.on_packet_set(now, answer);
            }
            Asked::ContextQuery => {
                let answer = self.read("CONNECT", outcome, read::connect);
                self.on_context_query(now, answer);
            }
            Asked::Activate => {
                let answer = self.read("CONNECT", outcome, read::connect);
                self.on_activate(now, answer);
            }
            Asked::Deactivate => {
                let answer = self.read("CONNECT", outcome, read::connect);
                self.on_deactivate(now, answer);
            }
            Asked::Ip => {
                if let Answer::Body(Status::SUCCESS, (session, told)) = self.read("IP_CONFIGURATION", outcome, read::ip)
                {
                    self.on_ip(now, session, &told);
                }
            }
            Asked::Extra(session, Question::Ip) => {
                let answer = self.read("IP_CONFIGURATION", outcome, read::ip);
                self.on_extra_ip_answer(now, session, answer);
            }
            Asked::Extra(session, question) => {
                let answer = self.read("CONNECT", outcome, read::connect);
                self.on_extra_answer(now, session, question, answer);
            }
            Asked::Signal(id) => {
                let answer = self.read("SIGNAL_STATE", outcome, |b| read::signal(release, b));
                self.on_signal(id, answer);
            }
            Asked::Quiet => self.on_quiet_answer(now),
            Asked::Idle(idle) => self.on_idle(now, idle, &outcome),
            Asked::Nitz => match self.read("NITZ", outcome, voice::Nitz::decode) {
                Answer::Body(_, told) => self.on_time(now, Some(&told)),
                _ => self.on_time(now, None),
            },
            Asked::Apps => {
                let answer = self.read("APPLICATION_LIST", outcome, read::active_application);
                self.on_application(now, answer);
            }
            Asked::CardFile(file) => {
                let (name, read): (_, fn(&[u8]) -> _) = match file.has_records() {
                    true => ("ACCESS_RECORD", read::card_record),
                    false => ("ACCESS_BINARY", read::card_file),
                };
                let answer = self.read(name, outcome, read);
                self.on_card_file(now, file, answer);
            }
            Asked::Statistics => {
                let answer = self.read("PACKET_STATISTICS", outcome, read::statistics);
                self.on_statistics(answer);
            }
            Asked::Contexts => {
                let told = match self.offers::<ext::ProvisionedContextsV2>() {
                    true => contexts::told,
                    false => contexts::told_plainly,
                };
                let answer = self.read("PROVISIONED_CONTEXTS", outcome, told);
                self.on_contexts(answer);
            }
            Asked::Attach | Asked::AttachSet => {
                let answer = self.read("LTE_ATTACH_CONFIGURATION", outcome, |buffer| {
                    ext::LteAttachConfiguration::decode(buffer).map(|body| body.configurations)
                });
                match asked {
                    Asked::Attach => self.on_attach_configuration(now, answer),
                    _ => self.on_attach_written(&answer),
                }
            }
            Asked::Activation(id) => {
                let answer = self.read("SERVICE_ACTIVATION", outcome, |b| {
                    bc::ServiceActivation::decode(b).map(|body| body.nw_error.0)
                });
                self.on_service_activation(id, answer);
            }
        }
    }

    pub(super) fn on_indication(&mut self, now: Time, service: Uuid, cid: u32, buffer: &[u8]) {
        let release = self.session.release();
        // All of it is asked for once it is known which modem it is.
        if self.config.expected.is_some() {
            return;
        }
        if service != service::BASIC_CONNECT {
            return self.stray_indication(service, cid);
        }
        match cid {
            bc::SubscriberReady::CID => {
                if let Some(fact) = self.told("SUBSCRIBER_READY_STATUS", read::ready(release, buffer)) {
                    self.on_ready(now, fact);
                }
            }
            bc::RadioState::CID => {
                if let Some((hardware, software)) = self.told("RADIO_STATE", read::radio(buffer)) {
                    self.on_radio(hardware, software);
                }
            }
            bc::RegisterStateInfo::CID => {
                if let Some(fact) = self.told("REGISTER_STATE", read::register(buffer)) {
                    self.on_register(now, fact);
                }
            }
            bc::PacketService::CID => {
                if let Some(fact) = self.told("PACKET_SERVICE", read::packet(buffer)) {
                    self.on_packet(now, fact);
                }
            }
            bc::SignalState::CID => {
                if let Some(fact) = self.told("SIGNAL_STATE", read::signal(release, buffer)) {
                    self.facts.signal = Some(fact);
                }
            }
            bc::ConnectInfo::CID => {
                if let Some(fact) = self.told("CONNECT", read::connect(buffer)) {
                    self.on_connect_indication(now, &fact);
                }
            }
            bc::IpConfiguration::CID => {
                if let Some((session, told)) = self.told("IP_CONFIGURATION", read::ip(buffer)) {
                    self.on_ip(now, session, &told);
                }
            }
            _ => self.stray_indication(service, cid),
        }
    }

    /// An indication that nobody subscribed, or of something unknown: told once, dropped. (Q29)
    fn stray_indication(&mut self, service: Uuid, cid: u32) {
        if self.tell_once(format!("indication {service} {cid}")) {
            self.emit(Event::debug("dropped").with("what", "indication").with("service", service).with("cid", cid));
        }
    }

    /// Reads an answer. A body that cannot be read fails this one question, and is counted.
    fn read<T>(
        &mut self,
        body: &'static str,
        outcome: Outcome,
        decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Answer<T> {
        let Outcome::Answered { status, buffer } = outcome else { return Answer::None(outcome) };
        if buffer.is_empty() {
            self.session.behaved();
            return Answer::Status(status);
        }
        match self.told(body, decode(&buffer)) {
            Some(fact) => Answer::Body(status, fact),
            // With a failure the status says enough.
            None if status != Status::SUCCESS => Answer::Status(status),
            None => Answer::Malformed,
        }
    }

    fn told<T>(&mut self, body: &'static str, read: Result<T, Malformed>) -> Option<T> {
        match read {
            Ok(fact) => {
                self.session.behaved();
                Some(fact)
            }
            Err(malformed) => {
                self.emit(
                    Event::warn("malformed")
                        .with("body", body)
                        .with("field", malformed.field)
                        .with("offset", malformed.offset),
                );
                self.session.strike();
                None
            }
        }
    }
}

/// What CONNECT is to do, before it is written in the layout of the release.
struct ContextOrder {
    command: bc::ActivationCommand,
    apn: String,
    user: String,
    password: Secret<String>,
    auth: bc::AuthProtocol,
    ip_type: bc::ContextIpType,
    context_type: Uuid,
}

impl ContextOrder {
    fn activate(dial: &Dial) -> Self {
        let candidate = &dial.candidate;
        Self {
            command: bc::ActivationCommand::ACTIVATE,
            apn: candidate.apn.clone(),
            user: candidate.user.clone(),
            password: candidate.password.reveal().into(),
            auth: match dial.auth {
                Auth::None => bc::AuthProtocol::NONE,
                Auth::Pap => bc::AuthProtocol::PAP,
                Auth::Chap => bc::AuthProtocol::CHAP,
                Auth::MsChapV2 => bc::AuthProtocol::MSCHAPV2,
            },
            ip_type: match dial.ip_type {
                IpType::V4 => bc::ContextIpType::IPV4,
                IpType::V6 => bc::ContextIpType::IPV6,
                IpType::V4v6 => bc::ContextIpType::IPV4V6,
            },
            context_type: match dial.purpose {
                _ if dial.purchase => context_type::PURCHASE,
                Purpose::Internet => context_type::INTERNET,
                Purpose::Tether => context_type::TETHERING,
                Purpose::Mms => context_type::MMS,
            },
        }
    }

    fn deactivate() -> Self {
        Self {
            command: bc::ActivationCommand::DEACTIVATE,
            apn: String::new(),
            user: String::new(),
            password: Secret::default(),
            auth: bc::AuthProtocol::NONE,
            ip_type: bc::ContextIpType::DEFAULT,
            context_type: context_type::INTERNET,
        }
    }
}

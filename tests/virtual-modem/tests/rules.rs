//! The rules of behaviour that hosts rely on, topic by topic.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report, in helpers too")]

use core::time::Duration;
use mbim_proto::service::basic_connect::{self as bc, cid};
use mbim_proto::service::ms_basic_connect_ext::Version;
use mbim_proto::service::{BASIC_CONNECT, INTEL_FIRMWARE_UPDATE, MS_BASIC_CONNECT_EXT, context_type};
use mbim_proto::{Body, MbimEx, Operation, Uuid, registry};
use std::collections::BTreeSet;
use virtual_modem::{
    Admission, ApnRule, Credentials, Misbehaviour, Network, Order, Output, Pace, Pin, Profile, Sim, Slot, Subscription,
    VirtualModem, kind,
};

/// A host that sends one thing at a time and keeps what comes.
struct Host {
    modem: VirtualModem,
    now: Duration,
    transaction: u32,
    indications: Vec<(u32, Vec<u8>)>,
    happened: Vec<Output>,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

impl Host {
    /// Opens and subscribes everything; the release is agreed on if the modem has one.
    fn new(profile: Profile) -> Self {
        let mut host = Self::closed(profile);
        host.open();
        host.query(cid::DEVICE_SERVICES, &bc::DeviceServicesQuery::default());
        host.version(0x0300);
        host.subscribe(&[2, 3, 7, 9, 10, 11, 12, 13, 15, 22]);
        host
    }

    fn closed(profile: Profile) -> Self {
        let modem = VirtualModem::new(profile);
        Self { modem, now: Duration::ZERO, transaction: 0, indications: Vec::new(), happened: Vec::new() }
    }

    fn open(&mut self) {
        self.transaction += 1;
        let frame = [kind::OPEN, 16, self.transaction, 4096].map(u32::to_le_bytes).concat();
        self.modem.handle(self.now, &frame);
        assert_eq!(self.drain(), [(kind::OPEN_DONE, self.transaction, 0, Vec::new())]);
    }

    fn version(&mut self, extended_version: u16) -> Option<u16> {
        let asked = Version { version: 0x0100, extended_version };
        let (status, buffer) = self.command(MS_BASIC_CONNECT_EXT, 15, 0, &asked.to_vec());
        (status == 0).then(|| Version::decode(&buffer).unwrap().extended_version)
    }

    fn subscribe(&mut self, cids: &[u32]) -> Vec<u32> {
        let events = vec![bc::EventEntry { device_service_id: BASIC_CONNECT, cids: cids.to_vec() }];
        let (_, buffer) = self.set(cid::DEVICE_SERVICE_SUBSCRIBE_LIST, &bc::DeviceServiceSubscribeList { events });
        let granted = bc::DeviceServiceSubscribeList::decode(&buffer).unwrap();
        granted.events.into_iter().flat_map(|entry| entry.cids).collect()
    }

    fn send(&mut self, service: Uuid, cid: u32, operation: u32, buffer: &[u8]) -> u32 {
        self.transaction += 1;
        let length = buffer.len() as u32;
        let mut frame = [kind::COMMAND, 48 + length, self.transaction, 1, 0].map(u32::to_le_bytes).concat();
        frame.extend_from_slice(&service.0);
        frame.extend([cid, operation, length].map(u32::to_le_bytes).concat());
        frame.extend_from_slice(buffer);
        self.modem.handle(self.now, &frame);
        self.transaction
    }

    /// Sends and waits, letting time pass as far as the modem asks for.
    fn command(&mut self, service: Uuid, cid: u32, operation: u32, buffer: &[u8]) -> (u32, Vec<u8>) {
        let transaction = self.send(service, cid, operation, buffer);
        loop {
            let mut answers = self.drain();
            if let Some((kind, of, status, buffer)) = answers.pop() {
                assert_eq!((kind, of), (kind::COMMAND_DONE, transaction));
                return (status, buffer);
            }
            self.now = self.modem.next_wake().expect("an answer is due");
            self.modem.wake(self.now);
        }
    }

    fn query(&mut self, cid: u32, body: &impl Body) -> (u32, Vec<u8>) {
        self.command(BASIC_CONNECT, cid, 0, &body.to_vec())
    }

    fn set(&mut self, cid: u32, body: &impl Body) -> (u32, Vec<u8>) {
        self.command(BASIC_CONNECT, cid, 1, &body.to_vec())
    }

    fn order(&mut self, order: Order) {
        self.modem.order(self.now, order);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.modem.next_wake().filter(|due| *due <= until) {
            self.modem.wake(due);
        }
        self.now = until;
        self.drain();
    }

    /// Type, transaction, status and buffer of each answer. All messages here fit one frame.
    fn drain(&mut self) -> Vec<(u32, u32, u32, Vec<u8>)> {
        let mut answers = Vec::new();
        while let Some(output) = self.modem.poll() {
            match output {
                Output::Transmit(frame) => match word(&frame, 0) {
                    kind::INDICATE_STATUS => {
                        self.check_layout(Operation::Notify, word(&frame, 36), &frame[20..36], &frame[44..]);
                        self.indications.push((word(&frame, 36), frame[44..].to_vec()));
                    }
                    kind::COMMAND_DONE => {
                        self.check_layout(Operation::Response, word(&frame, 36), &frame[20..36], &frame[48..]);
                        answers.push((kind::COMMAND_DONE, word(&frame, 8), word(&frame, 40), frame[48..].to_vec()));
                    }
                    other => answers.push((other, word(&frame, 8), word(&frame, 12), Vec::new())),
                },
                other => self.happened.push(other),
            }
        }
        answers
    }

    /// What is sent is the layout of the release in force, to the last byte.
    fn check_layout(&self, operation: Operation, cid: u32, service: &[u8], buffer: &[u8]) {
        let release = MbimEx::from_bcd(self.modem.state().release);
        let row = registry::find(Uuid(service.try_into().unwrap()), cid, operation, release);
        if let Some(row) = row.filter(|_| !buffer.is_empty()) {
            // The last string is padded too.
            assert_eq!(
                row.decode(buffer, false).unwrap().used.next_multiple_of(4),
                buffer.len().next_multiple_of(4),
                "{} in {release:?}",
                row.body
            );
        }
    }

    fn indicated(&mut self) -> Vec<u32> {
        core::mem::take(&mut self.indications).into_iter().map(|(cid, _)| cid).collect()
    }

    fn radio(&mut self, radio_state: bc::RadioSwitchState) -> (u32, bc::RadioState) {
        let (status, buffer) = self.set(cid::RADIO_STATE, &bc::RadioStateSet { radio_state });
        (status, bc::RadioState::decode(&buffer).unwrap())
    }

    fn pin(&mut self, pin_type: bc::PinType, operation: bc::PinOperation, pin: &str, new: &str) -> (u32, bc::Pin) {
        let body = bc::PinSet { pin_type, pin_operation: operation, pin: pin.into(), new_pin: new.into() };
        let (status, buffer) = self.set(cid::PIN, &body);
        (status, bc::Pin::decode(&buffer).unwrap())
    }

    fn connect(&mut self, session_id: u32, apn: &str, ip_type: u32) -> (u32, bc::ConnectInfoV3) {
        let body = bc::ConnectSetV3 {
            session_id,
            activation_command: bc::ActivationCommand::ACTIVATE,
            access_string: apn.into(),
            ip_type: bc::ContextIpType(ip_type),
            context_type: context_type::INTERNET,
            ..Default::default()
        };
        let (status, buffer) = self.set(cid::CONNECT, &body);
        (status, bc::ConnectInfoV3::decode(&buffer).unwrap_or_default())
    }

    fn disconnect(&mut self, session_id: u32) -> u32 {
        self.set(cid::CONNECT, &bc::ConnectSetV3 { session_id, ..Default::default() }).0
    }

    fn ip(&mut self, session_id: u32) -> (u32, bc::IpConfiguration) {
        let asked = bc::IpConfiguration { session_id, ..Default::default() };
        let (status, buffer) = self.query(cid::IP_CONFIGURATION, &asked);
        (status, bc::IpConfiguration::decode(&buffer).unwrap_or_default())
    }

    fn attach(&mut self, action: bc::PacketServiceAction) -> (u32, bc::PacketServiceV3) {
        let (status, buffer) = self.set(cid::PACKET_SERVICE, &bc::PacketServiceSet { packet_service_action: action });
        (status, bc::PacketServiceV3::decode(&buffer).unwrap_or_default())
    }

    fn register(&mut self, id: &str) -> (u32, bc::RegisterStateInfoV2) {
        let register_action = bc::RegisterAction(u32::from(!id.is_empty()));
        let body = bc::RegisterStateSet { provider_id: id.into(), register_action, ..Default::default() };
        let (status, buffer) = self.set(cid::REGISTER_STATE, &body);
        (status, bc::RegisterStateInfoV2::decode(&buffer).unwrap_or_default())
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What is listed is answered, what is not is not, and each CID answers in the layout of its body.
#[test]
fn device_services_lists_exactly_what_there_is() {
    for name in ["mbimex1", "mbimex2", "instant"] {
        let mut host = Host::closed(Profile::named(name).unwrap());
        host.open();
        let (_, buffer) = host.query(cid::DEVICE_SERVICES, &bc::DeviceServicesQuery::default());
        let listed = bc::DeviceServices::decode(&buffer).unwrap().device_services;
        let extended = listed.iter().any(|entry| entry.device_service_id == MS_BASIC_CONNECT_EXT);
        assert_eq!(extended, name != "mbimex1");
        let known: BTreeSet<Uuid> = registry::rows().map(|row| row.service).collect();
        assert!(listed.iter().all(|entry| known.contains(&entry.device_service_id) || entry.cids.is_empty()));
        for (service, cid) in known.into_iter().flat_map(|service| (0..30).map(move |cid| (service, cid))) {
            let entry = listed.iter().find(|entry| entry.device_service_id == service);
            let there = entry.is_some_and(|entry| entry.cids.contains(&cid));
            if there && [(MS_BASIC_CONNECT_EXT, 10), (INTEL_FIRMWARE_UPDATE, 1)].contains(&(service, cid)) {
                continue; // It would reset the modem; see below.
            }
            let statuses = [0, 1].map(|operation| host.command(service, cid, operation, &[]).0);
            assert_eq!(statuses != [9, 9], there, "{name} {service} {cid}");
        }
    }
}

/// Every query is answered in the layout of each release; the check is in the host.
#[test]
fn each_release_has_its_layouts() {
    for name in ["mbimex1", "mbimex2", "instant"] {
        let mut host = Host::new(Profile::named(name).unwrap());
        for cid in (1..=16).chain(20..=23) {
            let session_only = matches!(cid, cid::CONNECT | cid::IP_CONFIGURATION | cid::IP_PACKET_FILTERS);
            let buffer = vec![0; if session_only { 60 } else { 4 }];
            let expected = match cid {
                cid::SERVICE_ACTIVATION => 9,
                cid::IP_CONFIGURATION => 16,
                _ => 0,
            };
            assert_eq!(host.command(BASIC_CONNECT, cid, 0, &buffer).0, expected, "{name} {cid}");
        }
        host.order(Order::Coverage(false));
        host.order(Order::Coverage(true));
        assert_eq!(host.indicated(), [10, 9, 11, 9, 9, 10, 10], "{name}");
    }
}

#[test]
fn the_release_is_agreed_on_only_in_its_place() {
    let release = |before: &[u32], host_release: u16, profile: &str| {
        let mut host = Host::closed(Profile::named(profile).unwrap());
        host.open();
        for cid in before {
            host.command(BASIC_CONNECT, *cid, 0, &[]);
        }
        (host.version(host_release), host.modem.state().release)
    };
    assert_eq!(release(&[16], 0x0300, "instant"), (Some(0x0300), 0x0300));
    assert_eq!(release(&[], 0x0200, "instant"), (Some(0x0200), 0x0200), "the lower of both");
    let misbehaviour = Misbehaviour { answers_own_release: true, ..Default::default() };
    let mut host = Host::closed(Profile { misbehaviour, ..Profile::default() });
    host.open();
    assert_eq!((host.version(0x0200), host.modem.state().release), (Some(0x0300), 0x0200));
    assert_eq!(release(&[16], 0x0400, "mbimex2"), (Some(0x0200), 0x0200));
    assert_eq!(release(&[16], 0x0300, "mbimex1"), (None, 0x0100));
    assert_eq!(release(&[16, 1], 0x0300, "instant"), (Some(0x0100), 0x0100), "another command came between");
}

#[test]
fn indications_come_only_for_what_was_granted() {
    let mut host = Host::new(Profile::default());
    assert_eq!(host.subscribe(&[3, 6, 77]), [3], "6 is never indicated, 77 does not exist");
    host.order(Order::HardwareRadio(false));
    assert_eq!(host.indicated(), [3]);
    host.subscribe(&[]);
    host.order(Order::HardwareRadio(true));
    assert_eq!(host.indicated(), [0; 0]);
}

#[test]
fn the_pin_is_counted_blocked_and_unblocked() {
    use bc::{PinOperation as Op, PinState as State, PinType as Type};
    let mut host = Host::new(Profile::named("locked").unwrap());
    assert_eq!(host.modem.state().ready_state, 6);
    assert_eq!(host.connect(0, "internet", 1).0, 5, "pin-required");
    for left in [2, 1] {
        let (status, pin) = host.pin(Type::PIN1, Op::ENTER, "0000", "");
        assert_eq!((status, pin.pin_type, pin.pin_state, pin.remaining_attempts), (2, Type::PIN1, State::LOCKED, left));
    }
    let (status, pin) = host.pin(Type::PIN1, Op::ENTER, "0000", "");
    assert_eq!((status, pin.pin_type, pin.remaining_attempts), (2, Type::PUK1, 10));
    assert_eq!(host.indicated(), [2], "device-locked is told");
    assert_eq!(host.pin(Type::PUK1, Op::ENTER, "00000000", "4321").1.remaining_attempts, 9);
    let (status, pin) = host.pin(Type::PUK1, Op::ENTER, "12345678", "4321");
    assert_eq!((status, pin.pin_type), (0, Type::NONE));
    assert_eq!(host.modem.state().register_state, 3, "service follows by itself");
    assert_eq!(host.indicated(), [2, 9, 9, 11, 10, 10], "ready, searching, home, signal, attaching, attached");
    for operation in [Op::ENABLE, Op::DISABLE, Op::DISABLE, Op::ENABLE] {
        assert_eq!(host.pin(Type::PIN1, operation, "4321", "").0, 0, "{operation}");
    }
    let dead = Sim { pin1: Pin::enabled("1234", "12345678").with_attempts(0, 1), ..Sim::default() };
    host.order(Order::Slot(Slot::Card(Box::new(dead))));
    host.indicated();
    assert_eq!(host.pin(Type::PUK1, Op::ENTER, "00000000", "4321").0, 2);
    assert_eq!((host.modem.state().ready_state, host.indicated()), (3, vec![2]), "bad-sim");
}

#[test]
fn a_card_that_starts_is_not_initialized_then_ready() {
    for (missing, first) in [(false, 0), (true, 2)] {
        let misbehaviour = Misbehaviour { sim_missing_while_starting: missing, ..Misbehaviour::default() };
        let pace = Pace { sim_ready: ms(800), ..Pace::default() };
        let mut host = Host::new(Profile { pace, misbehaviour, ..Profile::default() });
        assert_eq!(host.modem.state().ready_state, first);
        host.pass(ms(800));
        assert_eq!(host.modem.state().ready_state, 1);
        assert_eq!(host.indicated().first(), Some(&2));
    }
    assert_eq!(Host::new(Profile::named("esim-empty").unwrap()).modem.state().ready_state, 7);
    let mut host = Host::new(Profile::named("no-sim").unwrap());
    assert_eq!(host.radio(bc::RadioSwitchState::OFF).0, 0, "radio never fails for lack of a card");
    host.order(Order::Slot(Slot::Card(Box::default())));
    assert_eq!(host.modem.state().ready_state, 1);
}

#[test]
fn lost_service_goes_in_order() {
    let losses: [fn(&mut Host); 4] = [
        |host| host.order(Order::Coverage(false)),
        |host| host.order(Order::HardwareRadio(false)),
        |host| assert_eq!(host.radio(bc::RadioSwitchState::OFF).0, 0),
        |host| host.order(Order::Slot(Slot::Empty)),
    ];
    for lose in losses {
        let mut host = Host::new(Profile::default());
        host.connect(0, "internet", 0);
        host.connect(1, "purchase", 0);
        host.indicated();
        lose(&mut host);
        assert_eq!(host.indicated()[..4], [12, 12, 10, 9], "sessions, packet service, registration");
        assert_eq!(host.happened[2..], [Output::SessionDown { session: 0 }, Output::SessionDown { session: 1 }]);
        let state = host.modem.state();
        assert_eq!((state.register_state, state.packet_service_state, state.sessions.len()), (1, 4, 0));
    }
}

#[test]
fn both_switches_must_be_on() {
    let mut host = Host::new(Profile::named("radio-off").unwrap());
    host.order(Order::HardwareRadio(false));
    let (status, radio) = host.radio(bc::RadioSwitchState::ON);
    assert_eq!((status, radio.hw_radio_state.0, radio.sw_radio_state.0), (0, 0, 1));
    assert_eq!(host.modem.state().register_state, 1);
    assert_eq!(host.connect(0, "internet", 1).0, 20);
    host.order(Order::HardwareRadio(true));
    assert_eq!(host.modem.state().register_state, 3);
}

#[test]
fn registration_roams_is_denied_and_is_chosen_by_hand() {
    let mut network = Network::default();
    let mut other = network.carriers[0].clone();
    (other.id, other.name, other.admission) = ("00102".into(), "Other".into(), Admission::Roaming);
    let mut refusing = other.clone();
    (refusing.id, refusing.admission) = ("00103".into(), Admission::Denied(11));
    network.carriers.extend([other, refusing]);
    let mut host = Host::new(Profile { network, ..Profile::default() });
    let (status, state) = host.register("00102");
    assert_eq!((status, state.register_state.0, state.register_mode.0), (0, 4, 2));
    let (status, state) = host.register("00103");
    assert_eq!((status, state.register_state.0, state.nw_error.0), (2, 6, 11));
    assert_eq!(host.register("99999").0, 10, "provider-not-visible");
    let (status, state) = host.register("");
    assert_eq!((status, state.register_state.0, state.provider_name.as_str()), (0, 3, "Test Mobile"));
    let (_, buffer) = host.query(cid::VISIBLE_PROVIDERS, &bc::VisibleProvidersQuery::default());
    let states: Vec<_> =
        bc::VisibleProviders::decode(&buffer).unwrap().providers.iter().map(|seen| seen.provider_state.0).collect();
    assert_eq!(states, [0x19, 0x08, 0x0a]);
}

#[test]
fn attach_is_completed_by_the_running_one_and_comes_before_connect() {
    use bc::PacketServiceAction as Action;
    let mut host = Host::new(Profile { pace: Pace { attach: ms(400), ..Pace::default() }, ..Profile::default() });
    assert_eq!(host.modem.state().packet_service_state, 1);
    assert_eq!(host.attach(Action::ATTACH).0, 0);
    assert_eq!(host.now, ms(400));
    assert_eq!(host.attach(Action::ATTACH).0, 0, "attached already");
    assert_eq!(host.attach(Action::DETACH).1.packet_service_state.0, 4);
    assert_eq!(host.connect(0, "internet", 1).0, 12);

    let mut host = Host::new(Profile::named("no-auto-attach").unwrap());
    assert_eq!(host.connect(0, "internet", 1).0, 12);
    assert_eq!(host.attach(Action::ATTACH).0, 0);
    assert_eq!(host.connect(0, "internet", 1).0, 0);

    let network = Network { attach_refusal: Some(7), ..Network::default() };
    let mut host = Host::new(Profile { network, auto_attach: false, ..Profile::default() });
    let (status, state) = host.attach(Action::ATTACH);
    assert_eq!((status, state.nw_error.0, state.packet_service_state.0), (2, 7, 4));
}

#[test]
fn sessions_are_granted_and_refused_by_the_network() {
    let mut network = Network::default();
    network.apns[1].credentials = Some(Credentials { user: "u".into(), password: "p".into(), protocols: vec![] });
    let mut host = Host::new(Profile { network, max_contexts: 1, ..Profile::default() });
    let (status, info) = host.connect(0, "internet", 3);
    assert_eq!((status, info.activation_state.0, info.ip_type.0, info.nw_error.0), (0, 1, 3, 0));
    let (status, ip) = host.ip(0);
    assert_eq!((status, ip.ipv4_configuration_available.0, ip.ipv6_configuration_available.0), (0, 15, 15));
    assert_eq!(ip.ipv4_address[0].ipv4_address.octets(), [10, 64, 0, 2]);
    assert_eq!(host.connect(1, "internet", 1).0, 13, "max-activated-contexts");
    assert_eq!(host.connect(0, "internet", 1).0, 28, "active already");
    assert_eq!(host.connect(8, "internet", 1).0, 21, "no such session id");
    assert_eq!((host.disconnect(0), host.disconnect(0)), (0, 16));
    assert_eq!(host.ip(0).0, 16);
    let refused = [("elsewhere", 1, 18, 27), ("purchase", 1, 19, 29)];
    for (apn, ip_type, status, cause) in refused {
        let (found, info) = host.connect(0, apn, ip_type);
        assert_eq!((found, info.nw_error.0, info.activation_state.0), (status, cause, 3), "{apn}");
    }
    let happened = &host.happened;
    assert!(matches!(&happened[..], [Output::SessionUp { session: 0, .. }, Output::SessionDown { session: 0 }]));
}

#[test]
fn activation_may_end_in_an_indication_and_settings_may_come_later() {
    let mut host = Host::new(Profile::named("asynchronous").unwrap());
    let (status, info) = host.connect(2, "internet", 1);
    assert_eq!((status, info.activation_state.0), (0, 2), "activating");
    host.pass(ms(150));
    assert_eq!(host.indicated(), [12]);
    assert_eq!(host.ip(2).1.ipv4_configuration_available.0, 0);
    host.pass(ms(100));
    assert_eq!(host.indicated(), [15]);
    assert_eq!(host.ip(2).1.ipv4_configuration_available.0, 15);
    host.connect(3, "nowhere", 1);
    host.pass(ms(150));
    let (cid, buffer) = host.indications.pop().unwrap();
    let info = bc::ConnectInfoV3::decode(&buffer).unwrap();
    assert_eq!((cid, info.session_id, info.activation_state.0, info.nw_error.0), (12, 3, 3, 27));
    host.order(Order::DropSession { session: 2, cause: 36 });
    let (_, buffer) = host.indications.pop().unwrap();
    assert_eq!(bc::ConnectInfoV3::decode(&buffer).unwrap().nw_error.0, 36);
}

#[test]
fn service_activation_takes_the_right_bytes_and_changes_what_is_allowed() {
    let mut network = Network::default();
    network.apns.push(ApnRule {
        apn: "full".into(),
        admits: vec![Subscription::Active],
        default: false,
        ..network.apns[0].clone()
    });
    let mut host = Host::new(Profile { network, slot: Slot::Card(Box::default()), ..Profile::default() });
    assert_eq!(host.connect(0, "full", 1).1.nw_error.0, 33);
    let activate = |host: &mut Host, blob: &[u8]| {
        let (status, buffer) =
            host.set(cid::SERVICE_ACTIVATION, &bc::ServiceActivationSet { buffer: blob.to_vec().into() });
        (status, bc::ServiceActivation::decode(&buffer).unwrap().buffer.into_inner())
    };
    assert_eq!(activate(&mut host, b"PLAN-2").0, 2);
    assert_eq!(activate(&mut host, b"PLAN-1"), (0, b"OK".to_vec()));
    assert_eq!(
        host.happened,
        [Output::ServiceActivated(b"PLAN-1".to_vec()), Output::Subscription(Subscription::Active)]
    );
    assert_eq!(host.connect(0, "full", 1).0, 0);
    host.indicated();
    host.order(Order::Subscription(Subscription::None));
    assert_eq!(host.indicated(), [12], "the session ends with the plan");

    let mut host = Host::new(Profile::named("not-activated").unwrap());
    assert_eq!((host.modem.state().ready_state, host.connect(0, "internet", 1).0), (5, 17));
    activate(&mut host, b"PLAN-1");
    assert_eq!((host.modem.state().ready_state, host.connect(0, "internet", 1).0), (1, 0));
}

#[test]
fn signal_is_indicated_by_threshold_and_interval() {
    let mut host = Host::new(Profile { data_classes: 0x1f, ..Profile::default() });
    let set = bc::SignalStateSet { signal_strength_interval: 5, rssi_threshold: 3, error_rate_threshold: u32::MAX };
    host.set(cid::SIGNAL_STATE, &set);
    host.order(Order::Signal { rssi: 22, error_rate: 7 });
    assert_eq!(host.indicated(), [0; 0], "two codes less than 24");
    host.order(Order::Signal { rssi: 21, error_rate: 7 });
    assert_eq!(host.indicated(), [11]);
    host.order(Order::Signal { rssi: 10, error_rate: 7 });
    assert_eq!(host.indicated(), [0; 0], "too early");
    host.pass(Duration::from_secs(5));
    let (_, buffer) = host.indications.pop().unwrap();
    assert_eq!(bc::SignalStateV2::decode(&buffer).unwrap().rssi, 10);
}

#[test]
fn with_lte_the_signal_has_a_table_and_no_rssi() {
    let mut host = Host::new(Profile::default());
    let (_, buffer) = host.query(cid::SIGNAL_STATE, &bc::SignalStateQuery::default());
    let signal = bc::SignalStateV2::decode(&buffer).unwrap();
    assert_eq!((signal.rssi, signal.rsrp_snr.len(), signal.rsrp_snr[0].rsrp), (99, 1, 64));
}

#[test]
fn what_the_host_stores_is_kept() {
    let mut host = Host::new(Profile::default());
    let context = bc::ProvisionedContextsSet { context_id: u32::MAX, access_string: "a".into(), ..Default::default() };
    host.set(cid::PROVISIONED_CONTEXTS, &context);
    let (_, buffer) = host.set(cid::PROVISIONED_CONTEXTS, &context);
    let ids: Vec<_> = bc::ProvisionedContexts::decode(&buffer).unwrap().provisioned_contexts;
    assert_eq!(ids.iter().map(|context| context.context_id).collect::<Vec<_>>(), [0, 1]);
    let filter = bc::PacketFilterV3 { packet_filter: vec![1, 2], packet_mask: vec![255, 255], filter_id: 7 };
    host.set(cid::IP_PACKET_FILTERS, &bc::IpPacketFiltersV3 { session_id: 0, packet_filters: vec![filter.clone()] });
    let (_, buffer) = host.query(cid::IP_PACKET_FILTERS, &bc::IpPacketFiltersV3::default());
    assert_eq!(bc::IpPacketFiltersV3::decode(&buffer).unwrap().packet_filters, [filter]);
    host.order(Order::Traffic { received_octets: 1, received_packets: 2, sent_octets: 3, sent_packets: 4 });
    let (_, buffer) = host.query(cid::PACKET_STATISTICS, &bc::PacketStatisticsQuery::default());
    assert_eq!(bc::PacketStatistics::decode(&buffer).unwrap().out_packets, 4);
    host.order(Order::Emergency(true));
    assert_eq!(host.indicated(), [22]);
}

#[test]
fn defects_show_their_symptoms() {
    let with = |misbehaviour| Host::new(Profile { misbehaviour, ..Profile::default() });
    let mut host = with(Misbehaviour { connect_wants_ready_query: true, busy_connects: 1, ..Default::default() });
    assert_eq!(host.connect(0, "internet", 1).0, 14);
    host.query(cid::SUBSCRIBER_READY_STATUS, &bc::SubscriberReadyQuery::default());
    assert_eq!([host.connect(0, "internet", 1).0, host.connect(0, "internet", 1).0], [1, 0]);

    let mut host = with(Misbehaviour { pin2_shown: true, connect_state_unknown: true, ..Default::default() });
    let (_, buffer) = host.query(cid::PIN, &bc::PinQuery::default());
    assert_eq!(bc::Pin::decode(&buffer).unwrap().pin_type, bc::PinType::PIN2);
    let state = |host: &mut Host| {
        let (_, buffer) = host.query(cid::CONNECT, &bc::ConnectQueryV3::default());
        bc::ConnectInfoV3::decode(&buffer).unwrap().activation_state.0
    };
    assert_eq!(state(&mut host), 0);
    host.connect(0, "internet", 1);
    host.disconnect(0);
    assert_eq!(state(&mut host), 3);

    let mut host = with(Misbehaviour { pair_size_bias: 4, ..Default::default() });
    let (_, buffer) = host.query(cid::DEVICE_SERVICES, &bc::DeviceServicesQuery::default());
    assert_eq!(word(&buffer, 12), 28 + 21 * 4 + 4);
    assert!(bc::DeviceServices::decode(&buffer).unwrap().device_services.len() > 1);

    let mut host = with(Misbehaviour { stray_indications: true, ..Default::default() });
    assert_eq!(host.indicated(), [1, 999]);
    let mut host = with(Misbehaviour { radio_refusals: 1, ..Default::default() });
    let on = bc::RadioStateSet { radio_state: bc::RadioSwitchState::ON };
    assert_eq!([host.set(cid::RADIO_STATE, &on).0, host.set(cid::RADIO_STATE, &on).0], [28, 0]);
}

#[test]
fn closing_ends_sessions_and_a_second_open_begins_anew() {
    let mut host = Host::new(Profile::default());
    host.connect(0, "internet", 1);
    host.open();
    let state = host.modem.state();
    assert_eq!((state.release, state.sessions.len(), state.register_state), (0x0100, 0, 3));
    assert_eq!(host.happened.last(), Some(&Output::SessionDown { session: 0 }));
}

#[test]
fn a_reset_is_answered_then_done() {
    let mut host = Host::new(Profile::default());
    assert_eq!(host.command(MS_BASIC_CONNECT_EXT, 10, 1, &[]).0, 0);
    assert_eq!(host.happened, [Output::Rebooted]);
    assert!(!host.modem.state().open);
}

#[test]
fn a_new_address_is_indicated() {
    let mut host = Host::new(Profile::default());
    host.connect(0, "internet", 1);
    let mut ip = host.modem.state().sessions[0].1.ip.clone();
    ip.v4.as_mut().unwrap().address = Some((core::net::Ipv4Addr::new(10, 64, 9, 9), 24));
    ip.v4.as_mut().unwrap().gateway = None;
    host.order(Order::Readdress { session: 0, ip });
    assert_eq!(host.indicated(), [15]);
    let (_, ip) = host.ip(0);
    assert_eq!((ip.ipv4_configuration_available.0, ip.ipv4_gateway), (0b1101, None));
}

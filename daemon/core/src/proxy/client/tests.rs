use super::*;
use mbim_proto::Operation;
use mbim_proto::message::{CommandType, Open};
use mbim_proto::service::{BASIC_CONNECT, basic_connect as bc};
use proptest::prelude::*;

const NOW: Time = Duration::from_secs(50);

fn configuration(path: &str, timeout: u32) -> Vec<u8> {
    let body = ProxyConfiguration { device_path: path.into(), timeout };
    Command::set(&body).unwrap().message(1).encode()
}

fn caps(transaction: u32) -> Vec<u8> {
    Command::query(&bc::DeviceCapsQuery {}).unwrap().message(transaction).encode()
}

fn actions(client: &mut Client) -> Vec<Action> {
    core::iter::from_fn(|| client.poll()).collect()
}

fn messages(actions: &[Action]) -> Vec<Message> {
    let mut parts = Reassembler::default();
    let sent = actions.iter().filter_map(|action| if let Action::Send(frame) = action { Some(frame) } else { None });
    sent.filter_map(|frame| parts.push(NOW, frame).unwrap().map(|whole| Message::decode(&whole).unwrap())).collect()
}

fn say(client: &mut Client, bytes: &[u8]) -> Vec<Action> {
    client.bytes(NOW, bytes);
    actions(client)
}

fn said(client: &mut Client, bytes: &[u8]) -> Vec<Message> {
    let actions = say(client, bytes);
    messages(&actions)
}

fn done(transaction: u32, status: Status) -> Message {
    let (service, cid) = (PROXY_CONTROL, 1);
    CommandDone { service, cid, status, buffer: Vec::new() }.message(transaction)
}

fn error(transaction: u32, code: ProtocolError) -> Message {
    Message::new(transaction, Content::FunctionError(code))
}

fn ready() -> Client {
    let mut client = Client::default();
    assert_eq!(say(&mut client, &configuration("/dev/cdc-wdm0", 30)), [Action::Resolve("/dev/cdc-wdm0".into())]);
    client.resolved(NOW, Resolution::Modem(7));
    assert_eq!(actions(&mut client), [Action::Join(7)]);
    client.news(News::Joined { release: None });
    assert_eq!(messages(&actions(&mut client)), [done(1, Status::SUCCESS)]);
    client
}

#[test]
fn a_client_of_libmbim_is_served() {
    let mut client = Client::default();
    let bytes = configuration("/dev/modem", 30);
    assert_eq!(say(&mut client, &bytes[..20]), []);
    assert_eq!(say(&mut client, &bytes[20..]), [Action::Resolve("/dev/modem".into())]);
    client.resolved(NOW, Resolution::Modem(3));
    assert_eq!(client.state(), State::Joining);
    assert_eq!(said(&mut client, &configuration("/dev/modem", 30)), [done(1, Status::BUSY)]);
    actions(&mut client);
    client.news(News::Joined { release: Some(MbimEx::V3) });
    let told = messages(&actions(&mut client));
    let version = ProxyVersion { version: 0x0100, extended_version: 0x0300 };
    assert_eq!(told, [IndicateStatus::with(&version).message(), done(1, Status::SUCCESS)], "the release comes first");
    assert_eq!(told[0].encode().len(), 48);
    let open = Message::new(2, Content::Open(Open { max_control_transfer: 4096 }));
    assert_eq!(said(&mut client, &open.encode()), [Message::new(2, Content::OpenDone(Status::SUCCESS))]);
    let asked = say(&mut client, &caps(3));
    let Some(Action::Command { key, command }) = asked.first() else { panic!("{asked:?}") };
    assert_eq!((command.service, command.cid, command.operation), (BASIC_CONNECT, 1, Operation::Query));
    client
        .news(News::Answered { key: *key, outcome: Outcome::Answered { status: Status::SUCCESS, buffer: vec![1; 9] } });
    let answer = messages(&actions(&mut client));
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].transaction, 3);
    let close = Message::new(4, Content::Close);
    assert_eq!(said(&mut client, &close.encode()), [Message::new(4, Content::CloseDone(Status::SUCCESS))]);
}

#[test]
fn a_configuration_is_a_set_with_a_path() {
    let mut client = Client::default();
    let mut query = Message::decode(&configuration("/dev/modem", 30)).unwrap();
    let Content::Command(command) = &mut query.content else { panic!() };
    command.command_type = CommandType::QUERY;
    assert_eq!(said(&mut client, &query.encode()), [done(1, Status::INVALID_PARAMETERS)]);
    assert_eq!(said(&mut client, &configuration("", 30)), [done(1, Status::INVALID_PARAMETERS)]);
    let mut cut = configuration("/dev/modem", 30);
    cut[48] = 0xff;
    assert_eq!(said(&mut client, &cut), [done(1, Status::INVALID_PARAMETERS)]);
    assert_eq!(client.state(), State::New);
    let Content::Command(command) = &mut query.content else { panic!() };
    command.cid = 2;
    let answer = said(&mut client, &query.encode());
    assert!(matches!(&answer[0].content, Content::CommandDone(done) if done.status == Status::NO_DEVICE_SUPPORT));
}

#[test]
fn without_a_modem_nothing_works_and_nothing_hangs() {
    for (resolution, status) in [(Resolution::Busy, Status::BUSY), (Resolution::Unknown, Status::INVALID_PARAMETERS)] {
        let mut client = Client::default();
        let open = Message::new(2, Content::Open(Open { max_control_transfer: 4096 })).encode();
        let refused = [Message::new(2, Content::OpenDone(Status::FAILURE))];
        assert_eq!(said(&mut client, &open), refused);
        assert_eq!(said(&mut client, &caps(9)), [error(9, ProtocolError::NOT_OPENED)]);
        say(&mut client, &configuration("/dev/null", 30));
        client.resolved(NOW, resolution);
        assert_eq!(messages(&actions(&mut client)), [done(1, status)]);
        assert_eq!(client.state(), State::Unserved);
        assert_eq!(said(&mut client, &open), refused);
        // It may come back with a better path.
        assert_eq!(say(&mut client, &configuration("/dev/b", 30)), [Action::Resolve("/dev/b".into())]);
    }
}

#[test]
fn a_modem_that_does_not_open_in_the_clients_time_is_given_up() {
    let mut client = Client::default();
    say(&mut client, &configuration("/dev/modem", 5));
    client.resolved(NOW, Resolution::Modem(0));
    assert_eq!(client.next_wake(), Some(NOW + Duration::from_secs(5)));
    client.wake(NOW + Duration::from_secs(4));
    assert_eq!(client.state(), State::Joining);
    actions(&mut client);
    client.wake(NOW + Duration::from_secs(5));
    assert_eq!(messages(&actions(&mut client)), [done(1, Status::FAILURE)]);
    assert_eq!(client.next_wake(), None);
    client.news(News::Joined { release: Some(MbimEx::V3) });
    client.news(News::Indication { service: BASIC_CONNECT, cid: 11, buffer: Vec::new() });
    assert_eq!((actions(&mut client), client.state()), (Vec::new(), State::Unserved), "too late");
    let mut client = Client::default();
    say(&mut client, &configuration("/dev/modem", u32::MAX));
    client.resolved(NOW, Resolution::Modem(0));
    assert_eq!(client.next_wake(), Some(NOW + Duration::from_secs(300)), "a sane time");
}

#[test]
fn one_connection_one_modem() {
    let mut client = ready();
    for (resolution, status) in [
        (Resolution::Modem(7), Status::SUCCESS),
        (Resolution::Modem(8), Status::FAILURE),
        (Resolution::Unknown, Status::FAILURE),
        (Resolution::Busy, Status::FAILURE),
    ] {
        assert_eq!(say(&mut client, &configuration("/dev/link", 30)), [Action::Resolve("/dev/link".into())]);
        client.resolved(NOW, resolution);
        assert_eq!(messages(&actions(&mut client)), [done(1, status)]);
        assert_eq!(client.state(), State::Ready);
    }
}

#[test]
fn every_fragment_of_an_answer_has_the_clients_transaction() {
    let mut client = ready();
    say(&mut client, &caps(0xdead_beef));
    let buffer = vec![7; 10_000];
    client.news(News::Answered { key: 0, outcome: Outcome::Answered { status: Status::SUCCESS, buffer } });
    let frames = actions(&mut client);
    assert_eq!(frames.len(), 3);
    for frame in &frames {
        let Action::Send(frame) = frame else { panic!() };
        assert!(frame.len() <= 4096);
        assert_eq!(Header::decode(frame).unwrap().transaction, 0xdead_beef);
    }
    assert_eq!(messages(&frames).len(), 1);
}

#[test]
fn fragments_of_a_command_are_joined_within_five_seconds() {
    let big = Command { service: BASIC_CONNECT, cid: 1, command_type: CommandType::SET, buffer: vec![5; 12_288] };
    let frames: Vec<Vec<u8>> = fragments(&big.message(4).encode(), 512).collect();
    let mut client = ready();
    for (count, frame) in (0u32..).zip(&frames) {
        client.bytes(NOW + Duration::from_millis(4999) * count, frame);
    }
    let whole = actions(&mut client);
    let [Action::Command { command, .. }] = &whole[..] else { panic!("{whole:?}") };
    assert_eq!(command.buffer.len(), 12_288);
    let mut client = ready();
    client.bytes(NOW, &frames[0]);
    assert_eq!(client.next_wake(), Some(NOW + PAUSE));
    client.wake(NOW + PAUSE);
    assert_eq!(messages(&actions(&mut client)), [error(4, ProtocolError::TIMEOUT_FRAGMENT)]);
    client.bytes(NOW, &frames[1]);
    assert_eq!(messages(&actions(&mut client)), [error(4, ProtocolError::FRAGMENT_OUT_OF_SEQUENCE)]);
    assert_eq!(client.state(), State::Ready, "the rest of the stream is good");
}

#[test]
fn outcomes_without_an_answer() {
    for (outcome, told) in [
        (Outcome::Dropped, vec![error(3, ProtocolError::NOT_OPENED)]),
        (Outcome::Refused(ProtocolError::CANCEL), vec![error(3, ProtocolError::CANCEL)]),
        (Outcome::TimedOut, vec![]),
        (Outcome::Gone, vec![]),
    ] {
        let mut client = ready();
        say(&mut client, &caps(3));
        client.news(News::Answered { key: 0, outcome: outcome.clone() });
        assert_eq!(messages(&actions(&mut client)), told);
        client.news(News::Answered { key: 0, outcome });
        assert_eq!(actions(&mut client), [], "once");
    }
}

#[test]
fn the_same_transaction_twice_is_answered_twice() {
    let mut client = ready();
    say(&mut client, &caps(3));
    say(&mut client, &caps(3));
    for key in [1, 0] {
        client.news(News::Answered {
            key,
            outcome: Outcome::Answered { status: Status::SUCCESS, buffer: vec![key as u8; 4] },
        });
    }
    let told = messages(&actions(&mut client));
    assert_eq!(told.iter().map(|m| m.content.buffer().unwrap()[0]).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn too_many_commands_and_too_many_octets_are_refused() {
    let mut client = ready();
    for transaction in 0..u32::try_from(MAX_PENDING).unwrap() {
        assert!(matches!(say(&mut client, &caps(transaction))[..], [Action::Command { .. }]));
    }
    let refused = said(&mut client, &caps(99));
    assert!(matches!(&refused[0].content, Content::CommandDone(done) if done.status == Status::BUSY));
    client.news(News::Answered { key: 5, outcome: Outcome::TimedOut });
    assert!(matches!(say(&mut client, &caps(100))[..], [Action::Command { .. }]));

    let mut client = ready();
    let big = |n| Command { service: BASIC_CONNECT, cid: 1, command_type: CommandType::SET, buffer: vec![5; n] };
    assert!(matches!(say(&mut client, &big(900_000).message(1).encode())[..], [Action::Command { .. }]));
    let refused = said(&mut client, &big(200_000).message(2).encode());
    assert!(matches!(&refused[0].content, Content::CommandDone(done) if done.status == Status::BUSY));
}

#[test]
fn garbage_is_told_and_ends_it() {
    for bytes in [
        vec![0xff; 64],
        Message::new(1, Content::Open(Open { max_control_transfer: 0 })).encode()[..12].iter().map(|_| 0).collect(),
        {
            let mut cut = caps(5);
            cut[44..48].copy_from_slice(&99u32.to_le_bytes());
            cut
        },
    ] {
        let mut client = ready();
        let told = say(&mut client, &bytes);
        assert_eq!(told.last(), Some(&Action::End(Ended::Garbage)), "{bytes:?}");
        assert!(matches!(messages(&told)[..], [Message { content: Content::FunctionError(_), .. }]));
        assert_eq!(client.state(), State::Ended);
        assert_eq!(say(&mut client, &caps(1)), []);
        assert_eq!(client.next_wake(), None);
    }
    // A frame that never gets whole.
    let mut client = ready();
    say(&mut client, &caps(5)[..30]);
    client.wake(NOW + PAUSE);
    assert_eq!(actions(&mut client).last(), Some(&Action::End(Ended::Garbage)));
}

#[test]
fn messages_that_are_no_clients_business_are_dropped() {
    let mut client = ready();
    for content in [
        Content::HostError(ProtocolError::CANCEL),
        Content::FunctionError(ProtocolError::CANCEL),
        Content::OpenDone(Status::SUCCESS),
        Content::CommandDone(CommandDone { service: BASIC_CONNECT, cid: 1, status: Status::SUCCESS, buffer: vec![] }),
    ] {
        assert_eq!(say(&mut client, &Message::new(1, content).encode()), []);
    }
    assert_eq!(client.state(), State::Ready);
    let odd = Command { service: BASIC_CONNECT, cid: 1, command_type: CommandType(7), buffer: vec![] };
    let told = said(&mut client, &odd.message(8).encode());
    assert!(matches!(&told[0].content, Content::CommandDone(done) if done.status == Status::INVALID_PARAMETERS));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes, cut anywhere: no panic, and every whole command is answered or handed on once.
    #[test]
    fn hostile_bytes(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                Just(caps(3)),
                Just(configuration("/dev/modem", 30)),
                (0usize..60, any::<u8>()).prop_map(|(at, byte)| {
                    let mut bytes = caps(4);
                    let at = at.min(bytes.len() - 1);
                    bytes[at] = byte;
                    bytes
                }),
            ],
            0..20,
        ),
        cut in 1usize..40,
        found in any::<bool>(),
    ) {
        let mut client = Client::default();
        let mut now = NOW;
        let mut ended = 0;
        for bytes in pieces.iter().flat_map(|piece| piece.chunks(cut)) {
            client.bytes(now, bytes);
            while let Some(action) = client.poll() {
                match action {
                    Action::Resolve(_) => {
                        let known = if found { Resolution::Modem(1) } else { Resolution::Unknown };
                        client.resolved(now, known);
                    }
                    Action::Join(_) => client.news(News::Joined { release: Some(MbimEx::V2) }),
                    Action::Command { key, .. } => {
                        // Garbage behind a command ends the client before the command is taken up, which came whole.
                        prop_assert!(ended == 0 && [State::Ready, State::Ended].contains(&client.state()));
                        client.news(News::Answered {
                            key,
                            outcome: Outcome::Answered { status: Status::SUCCESS, buffer: Vec::new() },
                        });
                    }
                    Action::Send(frame) => prop_assert!(frame.len() <= FRAME as usize),
                    Action::End(_) => ended += 1,
                }
            }
            now += Duration::from_millis(700);
            client.wake(now);
        }
        while let Some(action) = client.poll() {
            ended += u32::from(matches!(action, Action::End(_)));
        }
        prop_assert!(ended <= 1);
        prop_assert_eq!(ended == 1, client.state() == State::Ended);
        prop_assert_eq!(client.octets, 0);
    }
}

#[test]
fn who_makes_the_daemon_keep_too_much_is_told() {
    let mut client = ready();
    client.crowd(true);
    let busy = CommandDone { service: BASIC_CONNECT, cid: 1, status: Status::BUSY, buffer: Vec::new() };
    assert_eq!(said(&mut client, &caps(5)), [busy.message(5)]);
    assert_eq!((client.refused(), client.held()), (1, 0));
    // The beginning of a long message is kept until there is no room for it.
    say(&mut client, &[&[3, 0, 0, 0, 0, 0, 8, 0][..], &[0; 1000]].concat());
    assert_eq!((client.held(), client.collecting()), (1008, 1008));
    client.overflow();
    assert_eq!(messages(&actions(&mut client)), [error(0, ProtocolError::MAX_TRANSFER)]);
    assert_eq!((client.held(), client.state()), (0, State::Ended));
}

//! The session against frames that are written by hand: transactions, fragments, deadlines, versions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests panic")]

use std::time::Duration;

use daemon_core::session::{
    Command, Dropped, Hung, OpenFailure, Outcome, Rank, Session, SessionConfig, SessionOutput, Stray, Subscription,
    Ticket,
};
use mbim_proto::fragment::fragments;
use mbim_proto::message::{CommandDone, CommandType, Content, IndicateStatus, Message};
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::{BASIC_CONNECT, MS_BASIC_CONNECT_EXT, ms_basic_connect_ext as ext};
use mbim_proto::status::{ProtocolError, Status};
use mbim_proto::{MbimEx, Operation};

const NOW: Duration = Duration::from_secs(100);

fn session(outstanding: u16, max_control: u32) -> Session {
    Session::new(SessionConfig { outstanding, max_control, announce: MbimEx::V3, subscribe: Subscription::default() })
}

/// Everything that the session says now: messages (joined from fragments), and the rest.
fn drain(session: &mut Session) -> (Vec<Message>, Vec<SessionOutput>) {
    let mut joined = mbim_proto::fragment::Reassembler::default();
    let (mut messages, mut rest) = (Vec::new(), Vec::new());
    while let Some(output) = session.poll() {
        match output {
            SessionOutput::Transmit(frame) => {
                if let Some(whole) = joined.push(NOW, &frame).unwrap() {
                    messages.push(Message::decode(&whole).unwrap());
                }
            }
            other => rest.push(other),
        }
    }
    (messages, rest)
}

fn open_done(id: u32, status: Status) -> Vec<u8> {
    Message::new(id, Content::OpenDone(status)).encode()
}

/// Opens against a modem with the services given; the subscription is answered.
fn opened(outstanding: u16, max_control: u32, offers: &[(mbim_proto::Uuid, &[u32])]) -> Session {
    let mut session = session(outstanding, max_control);
    session.open(NOW, false);
    let (sent, _) = drain(&mut session);
    session.bytes(NOW, &open_done(sent[0].transaction, Status::SUCCESS));
    let (sent, _) = drain(&mut session);
    let services = bc::DeviceServices {
        max_dss_sessions: 0,
        device_services: offers
            .iter()
            .map(|(service, cids)| bc::DeviceServiceElement {
                device_service_id: *service,
                cids: cids.to_vec(),
                ..bc::DeviceServiceElement::default()
            })
            .collect(),
    };
    let done = CommandDone::with(Status::SUCCESS, &services);
    for frame in fragments(&done.message(sent[0].transaction).encode(), max_control) {
        session.bytes(NOW, &frame);
    }
    session
}

const ALL: &[(mbim_proto::Uuid, &[u32])] = &[(BASIC_CONNECT, &[1, 2, 3, 11, 12, 16])];

fn query(cid: u32) -> Command {
    Command {
        service: BASIC_CONNECT,
        cid,
        operation: Operation::Query,
        buffer: Vec::new(),
        timeout: Duration::from_secs(10),
        rank: Rank::Ordinary,
    }
}

fn answer(id: u32, cid: u32, buffer: Vec<u8>) -> Message {
    CommandDone { service: BASIC_CONNECT, cid, status: Status::SUCCESS, buffer }.message(id)
}

fn completed(outputs: &[SessionOutput]) -> Vec<(Ticket, Outcome)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            SessionOutput::Completed { ticket, outcome } => Some((*ticket, outcome.clone())),
            _ => None,
        })
        .collect()
}

#[test]
fn services_come_first_then_version_where_it_is_listed() {
    let mut plain = opened(8, 4096, ALL);
    let (sent, rest) = drain(&mut plain);
    assert!(sent.is_empty(), "nothing to subscribe to: {sent:?}");
    assert_eq!(rest, [SessionOutput::Opened { release: MbimEx::V1 }]);

    let mut extended = opened(8, 4096, &[(BASIC_CONNECT, &[16]), (MS_BASIC_CONNECT_EXT, &[15])]);
    let (sent, rest) = drain(&mut extended);
    assert!(rest.is_empty(), "not open before VERSION was answered");
    let Content::Command(command) = &sent[0].content else { panic!("{sent:?}") };
    assert!(command.is::<ext::Version>());
    assert_eq!(command.buffer, [0x00, 0x01, 0x00, 0x03]);
    let version = ext::Version { version: 0x0100, extended_version: 0x0200 };
    extended.bytes(NOW, &CommandDone::with(Status::SUCCESS, &version).message(sent[0].transaction).encode());
    let (_, rest) = drain(&mut extended);
    assert_eq!(rest, [SessionOutput::Opened { release: MbimEx::V2 }], "the lower of both");
}

#[test]
fn the_open_procedure_is_bounded_and_names_its_end() {
    let mut silent = session(1, 4096);
    silent.open(NOW, false);
    let mut sent = 0;
    let mut end = None;
    while let Some((at, _)) = silent.next_wake() {
        silent.wake(at);
        let (messages, rest) = drain(&mut silent);
        sent += messages.len();
        if let [SessionOutput::OpenFailed(why)] = rest[..] {
            end = Some((at, why));
        }
    }
    assert_eq!(end, Some((NOW + Duration::from_secs(45), OpenFailure::NoAnswer)));
    assert!((10..=14).contains(&sent), "{sent} messages");

    let mut busy = session(1, 4096);
    busy.open(NOW, false);
    let mut opens = 0;
    let mut end = None;
    loop {
        let (messages, rest) = drain(&mut busy);
        if let [SessionOutput::OpenFailed(why)] = rest[..] {
            end = Some(why);
            break;
        }
        let Some((at, _)) = busy.next_wake() else { break };
        let open = messages.iter().find(|m| matches!(m.content, Content::Open(_)));
        match open {
            Some(open) => {
                opens += 1;
                assert!(opens < 100, "a storm");
                let at = at.min(NOW + Duration::from_secs(opens));
                busy.bytes(at, &open_done(open.transaction, Status::BUSY));
            }
            None => busy.wake(at),
        }
    }
    assert_eq!(end, Some(OpenFailure::Status(Status::BUSY)));
}

#[test]
fn a_late_answer_to_an_earlier_open_is_a_sign_of_life() {
    let mut slow = session(1, 4096);
    slow.open(NOW, false);
    let (first, _) = drain(&mut slow);
    let later = NOW + Duration::from_secs(5);
    slow.wake(later);
    let (close, _) = drain(&mut slow);
    assert!(matches!(close[0].content, Content::Close));
    slow.wake(later + Duration::from_secs(2));
    let (second, _) = drain(&mut slow);
    slow.bytes(later + Duration::from_secs(3), &open_done(first[0].transaction, Status::SUCCESS));
    assert!(drain(&mut slow).0.is_empty(), "the second is still to come");
    slow.bytes(later + Duration::from_secs(4), &open_done(second[0].transaction, Status::SUCCESS));
    let (sent, _) = drain(&mut slow);
    assert!(matches!(&sent[0].content, Content::Command(c) if c.cid == 16), "{sent:?}");
}

#[test]
fn the_window_is_kept_and_answers_in_any_order_find_their_commands() {
    let mut session = opened(2, 4096, ALL);
    drain(&mut session);
    let tickets: Vec<Ticket> = [1, 2, 3].map(|cid| session.command(NOW, query(cid))).to_vec();
    let (sent, _) = drain(&mut session);
    assert_eq!((sent.len(), session.in_flight()), (2, 2));
    session.bytes(NOW, &answer(sent[1].transaction, 2, vec![2]).encode());
    session.bytes(NOW, &answer(sent[0].transaction, 1, vec![1]).encode());
    let (more, rest) = drain(&mut session);
    assert_eq!(more.len(), 1, "the third went when a place was free");
    let done = completed(&rest);
    assert_eq!(done.iter().map(|(t, _)| *t).collect::<Vec<_>>(), [tickets[1], tickets[0]]);
    assert!(done.iter().all(|(_, o)| matches!(o, Outcome::Answered { status: Status::SUCCESS, .. })));
}

#[test]
fn late_second_and_foreign_answers_are_dropped_and_counted() {
    let mut session = opened(4, 4096, ALL);
    drain(&mut session);
    let ticket = session.command(NOW, query(1));
    let (sent, _) = drain(&mut session);
    let id = sent[0].transaction;
    // Another command's answer under this id is not ours.
    session.bytes(NOW, &answer(id, 2, vec![]).encode());
    session.bytes(NOW, &answer(id + 7, 1, vec![]).encode());
    let (_, rest) = drain(&mut session);
    assert_eq!(
        rest,
        [SessionOutput::Dropped(Dropped::WrongTransaction), SessionOutput::Dropped(Dropped::Answer(Stray::Foreign))]
    );
    session.bytes(NOW, &answer(id, 1, vec![]).encode());
    session.bytes(NOW, &answer(id, 1, vec![]).encode());
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest).len(), 1);
    assert_eq!(rest[1], SessionOutput::Dropped(Dropped::Answer(Stray::Duplicate)));
    // Too late: the command has ended.
    let second = session.command(NOW, query(1));
    let (sent, _) = drain(&mut session);
    session.wake(NOW + Duration::from_secs(10));
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest), [(second, Outcome::TimedOut)]);
    session.bytes(NOW + Duration::from_secs(11), &answer(sent[0].transaction, 1, vec![]).encode());
    assert_eq!(drain(&mut session).1, [SessionOutput::Dropped(Dropped::Answer(Stray::Late))]);
    let counters = session.counters();
    assert_eq!((counters.foreign, counters.duplicate, counters.late, counters.timeouts), (2, 1, 1, 1));
    assert_ne!(ticket, second);
}

#[test]
fn a_question_is_put_again_and_whichever_is_answered_first_counts() {
    let second = Duration::from_secs(1);
    let mut session = opened(1, 4096, ALL);
    drain(&mut session);
    let ticket = session.command(NOW, query(1));
    let (first, _) = drain(&mut session);
    assert_eq!(session.next_wake().map(|(at, _)| at), Some(NOW + 3 * second));
    session.wake(NOW + 3 * second);
    let (again, _) = drain(&mut session);
    assert_eq!((again.len(), session.in_flight()), (1, 2));
    assert_ne!(first[0].transaction, again[0].transaction);
    // A modem that takes one at a time refuses the copy: it means nothing while the first is at work.
    let full = CommandDone { service: BASIC_CONNECT, cid: 1, status: Status::BUSY, buffer: vec![] };
    session.bytes(NOW + 4 * second, &full.message(again[0].transaction).encode());
    assert_eq!(drain(&mut session), (vec![], vec![]));
    session.bytes(NOW + 5 * second, &answer(first[0].transaction, 1, vec![1]).encode());
    let (_, rest) = drain(&mut session);
    assert!(matches!(&completed(&rest)[..], [(done, Outcome::Answered { .. })] if *done == ticket), "{rest:?}");
    assert_eq!(session.next_wake(), None, "nothing is left of the copies");

    let ticket = session.command(NOW, query(1));
    let mut asked = drain(&mut session).0.len();
    while let Some((at, _)) = session.next_wake() {
        session.wake(at);
        let (messages, rest) = drain(&mut session);
        asked += messages.len();
        if !rest.is_empty() {
            assert_eq!((at, completed(&rest)), (NOW + 10 * second, vec![(ticket, Outcome::TimedOut)]));
        }
    }
    assert_eq!((asked, session.counters().timeouts), (3, 1));
}

#[test]
fn an_order_is_never_given_twice_but_keeps_nobody_waiting() {
    let mut session = opened(1, 4096, ALL);
    drain(&mut session);
    let mut set = query(12);
    (set.operation, set.timeout) = (Operation::Set, Duration::from_secs(180));
    session.command(NOW, set);
    session.command(NOW, query(12));
    assert_eq!(drain(&mut session).0.len(), 1, "one at a time");
    session.wake(NOW + Duration::from_secs(3));
    let (messages, _) = drain(&mut session);
    assert!(
        matches!(&messages[..], [only] if matches!(&only.content, Content::Command(c) if c.command_type == CommandType::QUERY))
    );
    session.wake(NOW + Duration::from_secs(170));
    let operations: Vec<CommandType> = drain(&mut session)
        .0
        .iter()
        .filter_map(|m| if let Content::Command(c) = &m.content { Some(c.command_type) } else { None })
        .collect();
    assert!(operations.iter().all(|operation| *operation == CommandType::QUERY), "{operations:?}");
}

#[test]
fn long_commands_are_cut_and_long_answers_joined() {
    let mut session = opened(1, 64, ALL);
    drain(&mut session);
    let buffer: Vec<u8> = (0..200).collect();
    session.command(NOW, Command { buffer: buffer.clone(), operation: Operation::Set, ..query(12) });
    let mut frames = Vec::new();
    while let Some(SessionOutput::Transmit(frame)) = session.poll() {
        assert!(frame.len() <= 64);
        frames.push(frame);
    }
    assert_eq!(frames.len(), (48_usize + 200 - 20).div_ceil(44));
    let mut joined = mbim_proto::fragment::Reassembler::default();
    let mut whole = None;
    for frame in &frames {
        if let Some(message) = joined.push(NOW, frame).unwrap() {
            whole = Some(Message::decode(&message).unwrap());
        }
    }
    let whole = whole.unwrap();
    assert!(matches!(&whole.content, Content::Command(c) if c.buffer == buffer));
    for frame in fragments(&answer(whole.transaction, 12, buffer.clone()).encode(), 64) {
        session.bytes(NOW, &frame);
    }
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest)[0].1, Outcome::Answered { status: Status::SUCCESS, buffer });
}

#[test]
fn a_fragment_out_of_sequence_is_told_to_the_modem_and_a_new_beginning_is_taken() {
    let mut session = opened(4, 4096, ALL);
    drain(&mut session);
    let ticket = session.command(NOW, query(1));
    let (sent, _) = drain(&mut session);
    let frames: Vec<Vec<u8>> = fragments(&answer(sent[0].transaction, 1, vec![7; 150]).encode(), 64).collect();
    session.bytes(NOW, &frames[0]);
    session.bytes(NOW, &frames[2]);
    let (errors, rest) = drain(&mut session);
    assert_eq!(errors[0].transaction, sent[0].transaction);
    assert_eq!(errors[0].content, Content::HostError(ProtocolError::FRAGMENT_OUT_OF_SEQUENCE));
    assert!(completed(&rest).is_empty());
    for frame in &frames {
        session.bytes(NOW, frame);
    }
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest).len(), 1);
    assert_eq!(completed(&rest)[0].0, ticket);
}

#[test]
fn a_fragment_that_stays_away_ends_the_message_after_1250_ms() {
    let mut session = opened(4, 4096, ALL);
    drain(&mut session);
    let ticket = session.command(NOW, query(1));
    let (sent, _) = drain(&mut session);
    let frames: Vec<Vec<u8>> = fragments(&answer(sent[0].transaction, 1, vec![7; 150]).encode(), 64).collect();
    session.bytes(NOW, &frames[0]);
    let (at, why) = session.next_wake().unwrap();
    assert_eq!((at, why), (NOW + Duration::from_millis(1250), "next fragment overdue"));
    session.wake(at);
    let (errors, _) = drain(&mut session);
    assert_eq!(errors[0].content, Content::HostError(ProtocolError::TIMEOUT_FRAGMENT));
    session.wake(at + Duration::from_millis(1250));
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest), [(ticket, Outcome::TimedOut)], "what is left of the answer is not waited for long");
}

#[test]
fn indications_come_through_in_between_fragments_of_an_answer() {
    let mut session = opened(4, 4096, ALL);
    drain(&mut session);
    session.command(NOW, query(1));
    let (sent, _) = drain(&mut session);
    let told = IndicateStatus { service: BASIC_CONNECT, cid: 11, buffer: vec![9; 100] }.message();
    let told: Vec<Vec<u8>> = fragments(&told.encode(), 64).collect();
    let frames: Vec<Vec<u8>> = fragments(&answer(sent[0].transaction, 1, vec![7; 100]).encode(), 64).collect();
    for (a, b) in frames.iter().zip(&told) {
        session.bytes(NOW, a);
        session.bytes(NOW, b);
    }
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest).len(), 1);
    assert!(rest.iter().any(|o| matches!(o, SessionOutput::Indication { cid: 11, buffer, .. } if buffer.len() == 100)));
}

#[test]
fn unplug_ends_each_command_exactly_once() {
    let mut session = opened(2, 4096, ALL);
    drain(&mut session);
    let tickets: Vec<Ticket> = (0..5).map(|_| session.command(NOW, query(1))).collect();
    drain(&mut session);
    session.gone();
    session.gone();
    let (_, rest) = drain(&mut session);
    let ended: Vec<Ticket> = completed(&rest).iter().map(|(t, _)| *t).collect();
    assert_eq!(ended, tickets);
    assert!(completed(&rest).iter().all(|(_, o)| *o == Outcome::Gone));
    assert_eq!(session.next_wake(), None);
    let after = session.command(NOW, query(1));
    assert_eq!(completed(&drain(&mut session).1), [(after, Outcome::Dropped)]);
}

#[test]
fn errors_of_the_function_find_their_command_and_not_opened_asks_for_a_reopen_once() {
    let mut session = opened(4, 4096, ALL);
    drain(&mut session);
    let tickets: Vec<Ticket> = (0..2).map(|_| session.command(NOW, query(1))).collect();
    let (sent, _) = drain(&mut session);
    let error = |id, code| Message::new(id, Content::FunctionError(code)).encode();
    session.bytes(NOW, &error(sent[0].transaction, ProtocolError::LENGTH_MISMATCH));
    session.bytes(NOW, &error(999, ProtocolError::UNKNOWN));
    session.bytes(NOW, &error(sent[1].transaction, ProtocolError::NOT_OPENED));
    session.bytes(NOW, &error(998, ProtocolError::NOT_OPENED));
    let (_, rest) = drain(&mut session);
    assert_eq!(
        completed(&rest),
        [
            (tickets[0], Outcome::Refused(ProtocolError::LENGTH_MISMATCH)),
            (tickets[1], Outcome::Refused(ProtocolError::NOT_OPENED))
        ]
    );
    let hung: Vec<&SessionOutput> = rest.iter().filter(|o| matches!(o, SessionOutput::Hung(_))).collect();
    assert_eq!(hung, [&SessionOutput::Hung(Hung::NotOpened)]);
}

#[test]
fn ten_timeouts_in_a_row_are_a_hang_and_an_answer_ends_the_row() {
    let mut session = opened(1, 4096, ALL);
    drain(&mut session);
    let mut now = NOW;
    let mut hung = 0;
    for round in 1..=19 {
        session.command(now, query(1));
        let (sent, _) = drain(&mut session);
        if round == 9 {
            session.bytes(now, &answer(sent[0].transaction, 1, vec![]).encode());
        } else {
            now += Duration::from_secs(10);
            session.wake(now);
        }
        let (_, rest) = drain(&mut session);
        let is_hung = rest.contains(&SessionOutput::Hung(Hung::Timeouts));
        hung += u32::from(is_hung);
        assert_eq!(is_hung, round == 19, "round {round}");
    }
    assert_eq!(hung, 1);
}

#[test]
fn a_frame_that_claims_more_than_comes_does_not_swallow_the_next_ones() {
    let mut session = opened(4, 4096, ALL);
    drain(&mut session);
    session.command(NOW, query(1));
    session.command(NOW, query(2));
    let (sent, _) = drain(&mut session);
    let mut liar = answer(sent[0].transaction, 1, vec![]).encode();
    liar[4..8].copy_from_slice(&5000_u32.to_le_bytes());
    session.bytes(NOW, &liar);
    session.wake(NOW + Duration::from_millis(1250));
    session.bytes(NOW + Duration::from_secs(2), &answer(sent[1].transaction, 2, vec![]).encode());
    let (_, rest) = drain(&mut session);
    assert_eq!(completed(&rest).len(), 1, "{rest:?}");
    assert!(rest.contains(&SessionOutput::Dropped(Dropped::Broken("frame-not-whole"))));
}

#[test]
fn close_is_bounded() {
    let mut session = opened(1, 4096, ALL);
    let ticket = session.command(NOW, query(1));
    drain(&mut session);
    session.close(NOW);
    let (sent, rest) = drain(&mut session);
    assert!(matches!(sent[0].content, Content::Close));
    assert_eq!(completed(&rest), [(ticket, Outcome::Dropped)]);
    session.wake(NOW + Duration::from_secs(5));
    assert_eq!(drain(&mut session).1, [SessionOutput::Closed]);
    assert_eq!(session.next_wake(), None);
}

#[test]
fn round_trips_are_counted_by_what_follows_what() {
    let mut session = opened(8, 4096, ALL);
    drain(&mut session);
    assert_eq!(session.counters().depth, 2, "OPEN, DEVICE_SERVICES");
    for _ in 0..6 {
        session.command(NOW, query(1));
    }
    let (sent, _) = drain(&mut session);
    for message in &sent {
        session.bytes(NOW, &answer(message.transaction, 1, vec![]).encode());
    }
    assert_eq!(session.counters().depth, 3, "six at once are one round trip");
    session.command(NOW, query(1));
    let (sent, _) = drain(&mut session);
    session.bytes(NOW, &answer(sent[0].transaction, 1, vec![]).encode());
    assert_eq!(session.counters().depth, 4);
}

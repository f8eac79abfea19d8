use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::message::{Command, CommandDone, CommandType, Content, IndicateStatus, Message, MessageType, Open};
use crate::{ProtocolError, Status, Uuid, service};

fn message(size: usize) -> Message {
    let buffer = (0..size).map(|n| n as u8).collect();
    let done = CommandDone { service: service::BASIC_CONNECT, cid: 16, status: Status::SUCCESS, buffer };
    done.message(3)
}

const NOW: Duration = Duration::from_secs(1000);

fn join(frames: &[Vec<u8>]) -> Result<Option<Message>, ReassemblyError> {
    let mut reassembler = Reassembler::default();
    let mut whole = None;
    for frame in frames {
        whole = reassembler.push(NOW, frame)?.map(|bytes| Message::decode(&bytes).expect("a whole message"));
    }
    Ok(whole)
}

#[test]
fn a_message_that_fits_is_one_frame() {
    let bytes = message(16).encode();
    assert_eq!(bytes.len(), 64);
    assert_eq!(fragments(&bytes, 64).collect::<Vec<_>>(), core::slice::from_ref(&bytes));
    assert_eq!(Message::decode(&bytes), Ok(message(16)));
}

#[test]
fn fragments_keep_to_the_limit_and_repeat_the_header() {
    for (size, count) in [(17, 2), (44 + 16, 2), (44 + 17, 3), (40 * 44 - 28, 40)] {
        let frames: Vec<_> = fragments(&message(size).encode(), 64).collect();
        assert_eq!(frames.len(), count, "{size}");
        for (current, frame) in frames.iter().enumerate() {
            let header = FragmentHeader::decode(frame).expect("a fragment header");
            assert_eq!(header.header.length as usize, frame.len());
            assert_eq!((header.total as usize, header.current as usize), (count, current));
            assert_eq!((header.header.kind, header.header.transaction), (MessageType::COMMAND_DONE, 3));
            assert!(frame.len() <= 64);
        }
        assert_eq!(join(&frames), Ok(Some(message(size))));
    }
}

#[test]
fn smaller_limits_than_64_are_64() {
    let bytes = message(100).encode();
    assert_eq!(fragments(&bytes, 0).collect::<Vec<_>>(), fragments(&bytes, 64).collect::<Vec<_>>());
}

#[test]
fn open_is_never_cut() {
    let open = Message::new(1, Content::Open(Open { max_control_transfer: 4096 })).encode();
    assert_eq!(fragments(&open, 64).collect::<Vec<_>>(), [open]);
}

#[test]
fn missing_repeated_and_reordered_fragments_drop_the_message() {
    let frames: Vec<_> = fragments(&message(200).encode(), 64).collect();
    let [a, b, c] = [&frames[0], &frames[1], &frames[2]].map(Clone::clone);
    for wrong in [vec![a.clone(), c.clone()], vec![a.clone(), b.clone(), b.clone()], vec![b.clone()], vec![c, b]] {
        let error = join(&wrong).expect_err("out of sequence");
        assert_eq!(error.code(), ProtocolError::FRAGMENT_OUT_OF_SEQUENCE, "{error}");
        assert_eq!(error.transaction(), Some(3));
    }
    let mut anew = vec![a];
    anew.extend(frames);
    assert_eq!(join(&anew), Ok(Some(message(200))), "a first fragment starts anew");
}

#[test]
fn impossible_numbers_of_fragments_are_refused() {
    let mut frame = fragments(&message(200).encode(), 64).next().expect("a fragment");
    frame[12..16].copy_from_slice(&0u32.to_le_bytes());
    assert!(matches!(join(&[frame.clone()]), Err(ReassemblyError::Malformed(_))));
    frame[12..20].copy_from_slice(&[2, 0, 0, 0, 2, 0, 0, 0]);
    let error = join(&[frame.clone()]).expect_err("beyond the last");
    assert_eq!(error.to_string(), "FragmentHeader.current_fragment at byte 12: fragment 2 of 2 is not a whole message");
    frame[12..20].copy_from_slice(&[0xff, 0xff, 0, 0, 0, 0, 0, 0]);
    let error = join(&[frame]).expect_err("too many");
    assert_eq!(error.code(), ProtocolError::MAX_TRANSFER);
    assert_eq!(error.to_string(), "transaction 3: 65535 fragments, at most 4096 are collected");
}

#[test]
fn a_pause_drops_the_message() {
    let frames: Vec<_> = fragments(&message(200).encode(), 64).collect();
    let mut reassembler = Reassembler::default();
    assert_eq!(reassembler.push(NOW, &frames[0]), Ok(None));
    let late = NOW + FRAGMENT_PAUSE;
    assert_eq!(reassembler.deadline(), Some(late));
    assert_eq!(reassembler.expire(late - Duration::from_millis(1)), None);
    let error = reassembler.expire(late).expect("overdue");
    assert_eq!((error.code(), error.transaction()), (ProtocolError::TIMEOUT_FRAGMENT, Some(3)));
    assert_eq!((reassembler.expire(late), reassembler.deadline()), (None, None));

    assert_eq!(reassembler.push(NOW, &frames[0]), Ok(None));
    assert!(matches!(reassembler.push(late, &frames[1]), Err(ReassemblyError::Timeout { transaction: 3 })));
}

#[test]
fn a_response_and_an_indication_may_interleave() {
    let indication = IndicateStatus { service: Uuid::NIL, cid: 7, buffer: vec![5; 100] };
    let indication = Message::new(9, Content::IndicateStatus(indication));
    let [ours, theirs] = [message(90).encode(), indication.encode()];
    let mut reassembler = Reassembler::default();
    let mut whole = Vec::new();
    for (a, b) in fragments(&ours, 64).zip(fragments(&theirs, 64)) {
        for frame in [a, b] {
            whole.extend(reassembler.push(NOW, &frame).expect("in order").map(|m| Message::decode(&m).expect("whole")));
        }
    }
    assert_eq!(whole, [message(90), indication]);
}

#[test]
fn what_is_collected_is_bounded() {
    let limits = Limits { bytes: 100, fragments: 8, messages: 2, ..Limits::default() };
    let mut reassembler = Reassembler::new(limits);
    let frames: Vec<_> = fragments(&message(150).encode(), 64).collect();
    assert_eq!(reassembler.push(NOW, &frames[0]), Ok(None));
    assert_eq!(
        reassembler.push(NOW, &frames[1]),
        Err(ReassemblyError::TooLong { transaction: 3, limit: 100 }),
        "64 and 44 bytes"
    );
    for transaction in 0..9u32 {
        let mut frame = frames[0].clone();
        frame[8..12].copy_from_slice(&transaction.to_le_bytes());
        assert_eq!(reassembler.push(NOW, &frame), Ok(None));
    }
    let late = NOW + FRAGMENT_PAUSE;
    assert_eq!(core::iter::from_fn(|| reassembler.expire(late)).count(), 2, "the oldest made room");
}

#[test]
fn all_together_are_bounded_and_may_pause_as_long_as_is_said() {
    let pause = FRAGMENT_PAUSE * 4;
    let mut reassembler = Reassembler::new(Limits { total: 150, pause, ..Limits::default() });
    let frames: Vec<_> = fragments(&message(150).encode(), 64).collect();
    let mut other = frames[0].clone();
    other[8..12].copy_from_slice(&9u32.to_le_bytes());
    assert_eq!(reassembler.push(NOW, &frames[0]), Ok(None));
    assert_eq!(reassembler.push(NOW, &other), Ok(None), "64 and 64 bytes");
    let later = NOW + FRAGMENT_PAUSE * 3;
    let refused = reassembler.push(later, &frames[1]);
    assert_eq!(refused, Err(ReassemblyError::TooLong { transaction: 3, limit: 86 }), "64, and 64 and 44 bytes");
    assert_eq!(reassembler.deadline(), Some(NOW + pause), "the other one waits on");
    assert_eq!(reassembler.expire(NOW + pause), Some(ReassemblyError::Timeout { transaction: 9 }));
}

fn cut(cutter: &mut FrameCutter, chunk: &[u8]) -> Vec<Result<Vec<u8>, CutError>> {
    cutter.push(chunk);
    let mut all = Vec::new();
    while let Some(frame) = cutter.next_frame() {
        all.push(frame.map(Vec::from));
    }
    all
}

#[test]
fn frames_come_out_whole_however_the_stream_is_cut() {
    let [a, b] = [message(5).encode(), Message::new(4, Content::Close).encode()];
    let stream = [a.clone(), b.clone()].concat();
    for at in 0..=stream.len() {
        let mut cutter = FrameCutter::default();
        let mut frames = cut(&mut cutter, &stream[..at]);
        frames.extend(cut(&mut cutter, &stream[at..]));
        assert_eq!(frames, [Ok(a.clone()), Ok(b.clone())]);
        assert_eq!(cutter.pending(), 0);
    }
}

#[test]
fn an_unknown_type_is_passed_on_by_its_length() {
    let unknown = Message::new(4, Content::Unknown { kind: MessageType(0x77), bytes: vec![1, 2, 3] });
    let bytes = unknown.encode();
    assert_eq!(cut(&mut FrameCutter::default(), &bytes), [Ok(bytes.clone())]);
    assert_eq!(Message::decode(&bytes), Ok(unknown), "and loses nothing");
}

#[test]
fn an_impossible_length_is_reported_once_and_passed_over() {
    let good = message(5).encode();
    for (length, limit) in [(0u32, 4096), (11, 4096), (4097, 4096), (u32::MAX, 4096)] {
        let mut bad = message(30).encode();
        bad[4..8].copy_from_slice(&length.to_le_bytes());
        let skipped = bad.len();
        let mut cutter = FrameCutter::new(limit);
        let frames = cut(&mut cutter, &[bad.clone(), good.clone()].concat());
        assert_eq!(frames, [Err(CutError::Length { length, limit, skipped }), Ok(good.clone())]);

        let mut slow = Vec::new();
        for byte in [bad, good.clone()].concat() {
            slow.extend(cut(&mut cutter, &[byte]));
        }
        assert_eq!(slow.len(), 2, "byte by byte the same: {slow:?}");
        assert!(matches!(slow[0], Err(CutError::Length { .. })));
        assert_eq!(slow[1], Ok(good.clone()));
    }
}

#[test]
fn the_cutter_forgets_when_told() {
    let mut cutter = FrameCutter::default();
    assert_eq!(cut(&mut cutter, &message(5).encode()[..30]), []);
    assert_eq!(cutter.pending(), 30);
    cutter.clear();
    assert_eq!((cutter.pending(), cut(&mut cutter, &message(5).encode()).len()), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_and_joining_gives_the_message_back(size in 0usize..3000, max in 0u32..600) {
        let command = Command {
            service: service::SMS, cid: 3, command_type: CommandType::SET, buffer: vec![7; size],
        };
        let command = command.message(9);
        let frames: Vec<_> = fragments(&command.encode(), max).collect();
        prop_assert_eq!(join(&frames), Ok(Some(command)));
    }

    #[test]
    fn noise_neither_panics_nor_stays(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let mut cutter = FrameCutter::new(256);
        let mut reassembler = Reassembler::default();
        for chunk in chunks {
            for frame in cut(&mut cutter, &chunk).into_iter().flatten() {
                let _ = reassembler.push(NOW, &frame).map(|whole| whole.map(|bytes| Message::decode(&bytes)));
            }
            prop_assert!(cutter.pending() <= 256);
        }
    }
}

//! A byte stream in arbitrary pieces, with arbitrary pauses, through the cutter and the reassembler.

use std::time::Duration;

use mbim_proto::Message;
use mbim_proto::fragment::{FRAGMENT_PAUSE, FrameCutter, Limits, Reassembler, fragments};

const LONGEST_FRAME: u32 = 512;
const LIMITS: Limits = Limits { bytes: 4096, fragments: 64, messages: 4, total: 16384, pause: FRAGMENT_PAUSE };

/// The bytes are pieces: one for the pause before it in units of 10 ms, one for its size, then as many as that says.
///
/// # Panics
/// When more is kept than the limits say, or when a message that came out whole does not survive being cut again.
pub fn run(mut data: &[u8]) {
    let mut cutter = FrameCutter::new(LONGEST_FRAME);
    let mut reassembler = Reassembler::new(LIMITS);
    let mut now = Duration::ZERO;
    while let [pause, size, rest @ ..] = data {
        let (piece, rest) = rest.split_at(usize::from(*size).min(rest.len()));
        data = rest;
        now += Duration::from_millis(u64::from(*pause) * 10);
        while reassembler.expire(now).is_some() {}
        assert!(reassembler.deadline().is_none_or(|due| due > now), "what is overdue is gone");
        cutter.push(piece);
        while let Some(frame) = cutter.next_frame() {
            let Ok(frame) = frame else { continue };
            assert!(frame.len() <= LONGEST_FRAME as usize, "frames keep to the limit");
            if let Ok(Some(whole)) = reassembler.push(now, frame) {
                check(&whole);
            }
        }
        assert!(cutter.pending() <= LONGEST_FRAME as usize, "at most one incomplete frame is kept");
    }
}

fn check(whole: &[u8]) {
    assert!(whole.len() <= LIMITS.bytes.max(LONGEST_FRAME as usize), "messages keep to the limit");
    let Ok(message) = Message::decode(whole) else { return };
    if message.content.buffer().is_none() {
        // Only messages with a buffer are ever cut.
        return;
    }
    let bytes = message.encode();
    let mut reassembler = Reassembler::default();
    let mut last = None;
    for frame in fragments(&bytes, 64) {
        assert!(frame.len() <= 64, "fragments keep to the limit");
        last = reassembler.push(Duration::ZERO, &frame).expect("fragments in order").map(|whole| whole.into_owned());
    }
    assert_eq!(last, Some(bytes), "cut and joined again");
}

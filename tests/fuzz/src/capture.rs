//! Bytes as a capture file: packets, control messages, and those written anew.

use mbim_capture::{Direction, frames, is_capture, packets, write};

/// # Panics
/// When more comes out than the file has, when an error points behind it, or when what came out does not survive being
/// written and read again.
pub fn run(data: &[u8]) {
    let Ok(read) = packets(data) else { return };
    assert!(is_capture(data));
    let (mut count, mut bytes) = (0, 0);
    for packet in read.flatten() {
        assert!(data.get(packet.offset..).is_some_and(|rest| rest.starts_with(packet.bytes)));
        bytes += packet.bytes.len();
        count += 1;
    }
    assert!(bytes <= data.len() && count <= data.len() / 12, "{count} packets, {bytes} bytes of {}", data.len());

    let mut again = write::start();
    let mut told = Vec::new();
    for item in frames(data).into_iter().flatten() {
        match item {
            Ok(frame) => {
                let (time, direction) = (frame.time.unwrap_or_default(), frame.direction.unwrap_or(Direction::Sent));
                again.extend(write::frame(time, direction, frame.bytes));
                told.push((direction, frame.bytes));
            }
            Err(malformed) => assert!(malformed.offset <= data.len() && !malformed.to_string().is_empty()),
        }
    }
    let second: Result<Vec<_>, _> = frames(&again).expect("a file of ours").collect();
    let second = second.expect("a whole file");
    assert!(second.iter().map(|frame| (frame.direction.expect("a direction"), frame.bytes)).eq(told));
}

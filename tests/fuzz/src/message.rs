//! Bytes as every declared body, and as a whole message in every release.

use mbim_proto::registry::{describe, fuzz_all};
use mbim_proto::{MbimEx, Message};

/// # Panics
/// When something that was read is not written and read again as the same.
pub fn run(data: &[u8]) {
    if let Err(finding) = fuzz_all(data) {
        panic!("{finding}");
    }
    for mbimex in MbimEx::ALL {
        for reveal in [false, true] {
            let description = describe(data, mbimex, reveal);
            let _ = (description.to_string(), description.value());
        }
    }
    if let Ok(message) = Message::decode(data) {
        assert_eq!(Message::decode(&message.encode()), Ok(message), "a message reads what it wrote");
    }
}

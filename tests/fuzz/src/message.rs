//! Bytes as every declared body, as a whole message in every release, and as a short message.

use mbim_proto::registry::{describe, fuzz_all};
use mbim_proto::sms_pdu::{Content, Pdu, Tpdu, join};
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
    short_message(data);
}

/// As PduData, and as a TPDU without a service centre.
fn short_message(data: &[u8]) {
    let bare = Tpdu::decode(data).map(|tpdu| Pdu { service_centre: None, tpdu });
    for pdu in [Pdu::decode(data), bare] {
        let pdu = match pdu {
            Ok(pdu) => pdu,
            Err(malformed) => {
                assert!(malformed.offset <= data.len(), "{malformed}");
                continue;
            }
        };
        let _ = format!("{pdu:?} {} {}", pdu.value(false), pdu.value(true));
        let size = pdu.tpdu.user_data().map_or(0, |of| match &of.content {
            Content::Text(text) => text.chars().count(),
            Content::Octets(octets) => octets.len(),
        });
        assert!(size <= 255, "{size} of at most 255");
        if let Some(user_data) = pdu.tpdu.user_data() {
            let alone = user_data.concatenation().is_some_and(|part| part.total == 1);
            assert_eq!(join([user_data]).is_some(), alone, "one part is whole when there is one");
        }
        if let Ok(again) = pdu.encode() {
            assert_eq!(Pdu::decode(&again), Ok(pdu), "a short message reads what it wrote");
        }
    }
}

//! Our short messages, read by Wireshark: its text, numbers and parts are ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::process::Command;
use std::time::Duration;

use mbim_capture::{Direction, write};
use mbim_proto::Status;
use mbim_proto::message::CommandDone;
use mbim_proto::service::sms::{SmsMessages, SmsPduReadRecord, SmsRead, SmsStatus};
use mbim_proto::sms_pdu::{Address, Deliver, Moment, Pdu, Reference, Tpdu, split};
use roxmltree::{Document, Node};

const TIME: Moment = Moment { year: 26, month: 11, day: 21, hour: 17, minute: 5, second: 9, quarters: 4 };

fn message(originator: &Address, text: &str, reference: Reference) -> Vec<(Deliver, Vec<u8>)> {
    let parts = split(text, &[], reference).unwrap();
    let one = |part: mbim_proto::sms_pdu::Part| {
        let deliver = Deliver {
            originator: originator.clone(),
            scheme: part.scheme,
            timestamp: TIME.into(),
            user_data: part.user_data,
            ..Deliver::default()
        };
        let service_centre = Some(Address::number("+491770610000"));
        let pdu = Pdu { service_centre, tpdu: Tpdu::Deliver(deliver.clone()) }.encode().unwrap();
        (deliver, pdu)
    };
    parts.into_iter().map(one).collect()
}

#[test]
fn wireshark_reads_our_short_messages() {
    let number = Address::number("+15550100");
    let name = Address { kind: Address::ALPHANUMERIC, text: "Vodafone".into() };
    let all: Vec<(Deliver, Vec<u8>)> = [
        message(&number, "Hello", Reference::Narrow(1)),
        message(&name, "@£$ èéù ÄÖÑÜ {curly} [€] ~ ^ |", Reference::Narrow(1)),
        message(&number, "Добрый день 😀", Reference::Narrow(1)),
        message(&number, &"long ".repeat(60), Reference::Narrow(0x5a)),
        message(&number, &"длинно ".repeat(30), Reference::Wide(0x1234)),
    ]
    .concat();
    let mut file = write::start();
    for (_, pdu) in &all {
        let record =
            SmsPduReadRecord { message_index: 1, message_status: SmsStatus::NEW, pdu_data: pdu.clone().into() };
        let body = SmsRead { messages: SmsMessages::Pdu(vec![record]) };
        let message = CommandDone::with(Status::SUCCESS, &body).message(7).encode();
        file.extend(write::frame(Duration::ZERO, Direction::Received, &message));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.pcapng");
    std::fs::write(&path, file).unwrap();
    let out = Command::new("tshark")
        .env("HOME", folder.path())
        .env("WIRESHARK_CONFIG_DIR", folder.path())
        .arg("-n")
        .arg("-r")
        .arg(&path)
        // Each part as it is, not the whole at the last.
        .args(["-o", "mbim.sms_pdu_format:3GPP", "-o", "gsm_sms.reassemble:false", "-T", "pdml"])
        .output()
        .expect("tshark, of Debian's package tshark");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let document = Document::parse(&text).unwrap();
    let packets: Vec<Node<'_, '_>> =
        document.root_element().children().filter(|node| node.has_tag_name("packet")).collect();
    assert_eq!(packets.len(), all.len());
    for (packet, (deliver, _)) in packets.iter().zip(&all) {
        let seen = |name: &str| -> Option<String> {
            let mut fields = packet.descendants().filter(|node| node.attribute("name") == Some(name));
            fields.find_map(|node| node.attribute("show")).map(str::to_owned)
        };
        assert_eq!(seen("gsm_sms.sms_text").as_deref(), Tpdu::Deliver(deliver.clone()).text());
        assert_eq!(seen("gsm_sms.tp-oa"), Some(deliver.originator.text.clone()));
        assert_eq!(seen("gsm_sms.tp-dcs"), Some(deliver.scheme.0.to_string()));
        assert_eq!(seen("gsm_sms.scts.year"), Some("26".into()));
        assert_eq!(seen("gsm_sms.scts.seconds"), Some("9".into()));
        let part = deliver.user_data.concatenation();
        assert_eq!(seen("gsm_sms.udh.mm.msg_part"), part.map(|of| of.part.to_string()));
        assert_eq!(seen("gsm_sms.udh.mm.msg_parts"), part.map(|of| of.total.to_string()));
        assert_eq!(seen("gsm_sms.udh.mm.msg_id"), part.map(|of| of.reference.to_string()));
    }
}

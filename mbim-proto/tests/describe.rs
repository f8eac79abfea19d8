//! What `mbimctl decode` prints.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use mbim_proto::message::{Command, CommandDone, CommandType, Content, IndicateStatus, MessageType};
use mbim_proto::registry::{Trailing, describe};
use mbim_proto::service::basic_connect::{
    ActivationCommand, ConnectSet, ContextIpType, DataClass, IpConfiguration, Ipv4Element, ProviderState, RadioState,
    RadioSwitchState, RegisterStateInfo, SubscriberReady,
};
use mbim_proto::service::{self, context_type};
use mbim_proto::{Body, MbimEx, Message, ProtocolError, Status, Uuid, list};
use serde_json::{Value as Json, json};

fn connect() -> Vec<u8> {
    let set = ConnectSet {
        session_id: 1,
        activation_command: ActivationCommand::ACTIVATE,
        access_string: "internet".into(),
        user_name: "someone".into(),
        password: "hunter2".into(),
        ip_type: ContextIpType(9),
        context_type: context_type::INTERNET,
        ..ConnectSet::default()
    };
    Command::set(&set).unwrap().message(7).encode()
}

fn to_json(message: &[u8], reveal: bool) -> Json {
    serde_json::to_value(describe(message, MbimEx::V1, reveal).value()).unwrap()
}

#[test]
fn a_command_in_json() {
    let expected = |user: &str, password: &str| {
        json!({
            "message": "command", "transaction": 7, "service": "basic-connect", "cid": "connect", "operation": "set",
            "status": null,
            "body": {
                "session_id": 1, "activation_command": "activate", "access_string": "internet", "user_name": user,
                "password": password, "compression": "none", "auth_protocol": "none", "ip_type": 9,
                "context_type": "7e5e2a7e-4e6f-7272-736b-656e7e5e2a7e",
            },
            "error": null, "trailing": null,
        })
    };
    assert_eq!(to_json(&connect(), false), expected("###", "###"), "unknown numbers stay numbers");
    assert_eq!(to_json(&connect(), true), expected("someone", "hunter2"));
}

#[test]
fn a_command_in_text() {
    let text = describe(&connect(), MbimEx::V1, false).to_string();
    assert_eq!(
        text,
        "command #7 basic-connect connect set
  session_id: 1
  activation_command: activate (1)
  access_string: \"internet\"
  user_name: ###
  password: ###
  compression: none (0)
  auth_protocol: none (0)
  ip_type: 9 (unknown)
  context_type: internet (7e5e2a7e-4e6f-7272-736b-656e7e5e2a7e)"
    );
}

#[test]
fn lists_and_structures_are_indented() {
    let element = Ipv4Element { on_link_prefix_length: 30, ipv4_address: [10, 64, 1, 2].into() };
    let configuration = IpConfiguration {
        ipv4_address: list![element],
        ipv4_dns_server: list![[10, 64, 0, 53].into()],
        ..IpConfiguration::default()
    };
    let message = CommandDone::with(Status::SUCCESS, &configuration).message(3).encode();
    assert_eq!(
        describe(&message, MbimEx::V1, false).to_string(),
        "command-done #3 basic-connect ip-configuration response: success (0)
  session_id: 0
  ipv4_configuration_available: none (0x0)
  ipv6_configuration_available: none (0x0)
  ipv4_address_count: 1
  ipv4_address:
    [0]
      on_link_prefix_length: 30
      ipv4_address: \"10.64.1.2\"
  ipv6_address_count: 0
  ipv6_address: none
  ipv4_gateway: -
  ipv6_gateway: -
  ipv4_dns_server_count: 1
  ipv4_dns_server:
    [0] \"10.64.0.53\"
  ipv6_dns_server_count: 0
  ipv6_dns_server: none
  ipv4_mtu: 0
  ipv6_mtu: 0"
    );
}

#[test]
fn flags_are_lists_and_the_rest_a_number() {
    let info = RegisterStateInfo { available_data_classes: DataClass(0x0200_0060), ..Default::default() };
    let message = IndicateStatus::with(&info).message().encode();
    let json = to_json(&message, false);
    assert_eq!(json["message"], "indicate-status");
    assert_eq!(json["operation"], "notify");
    assert_eq!(json["body"]["available_data_classes"], json!(["lte", "5g-nsa", 0x0200_0000]));
    assert_eq!(json["body"]["registration_flag"], json!([]));
    let text = describe(&message, MbimEx::V1, false).to_string();
    assert!(text.contains("available_data_classes: lte | 5g-nsa | 0x2000000 (0x2000060)"), "{text}");
    assert_eq!(DataClass(0x0200_0060).to_string(), "lte|5g-nsa|0x2000000");
    assert_eq!(ProviderState::NONE.to_string(), "none");
}

#[test]
fn identities_show_only_when_asked_for() {
    let ready = SubscriberReady {
        subscriber_id: "001010123456789".into(),
        sim_icc_id: "8999101000000000017".into(),
        telephone_numbers: list!["+15550100".into()],
        ..Default::default()
    };
    let message = CommandDone::with(Status::SUCCESS, &ready).message(2).encode();
    let hidden = format!("{} {} {ready:?}", to_json(&message, false), describe(&message, MbimEx::V1, false));
    for secret in ["00101", "89991", "5550"] {
        assert!(!hidden.contains(secret), "{hidden}");
    }
    assert_eq!(to_json(&message, true)["body"]["telephone_numbers"], json!(["+15550100"]));
    assert_eq!(to_json(&message, true)["body"]["telephone_numbers_count"], 1);
}

#[test]
fn malformed_bytes_are_pointed_at() {
    let mut message = connect();
    message[48 + 8..48 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let description = describe(&message, MbimEx::V1, false);
    assert_eq!(
        description.error.unwrap().to_string(),
        "ConnectSet.access_string at byte 56: offset 4294967295 and size 16 leave the structure of 108 bytes"
    );
    let json = to_json(&message, false);
    assert_eq!(json["error"]["field"], "access_string");
    assert_eq!(json["error"]["offset"], 56);
    assert_eq!(json["body"], Json::Null);

    let json = to_json(&message[..30], false);
    assert_eq!(json["message"], "command", "what could be read");
    assert_eq!(json["error"]["field"], "message_length");
    assert_eq!(to_json(&[], false)["error"]["field"], "message_type");
}

#[test]
fn trailing_bytes_are_pointed_at() {
    let state = RadioState { hw_radio_state: RadioSwitchState::ON, sw_radio_state: RadioSwitchState::OFF };
    let mut buffer = state.to_vec();
    buffer.extend_from_slice(&[1, 2, 3, 4]);
    let done = CommandDone { service: RadioState::SERVICE, cid: 3, status: Status::SUCCESS, buffer };
    let bytes = done.message(1).encode();
    assert_eq!(describe(&bytes, MbimEx::V1, false).trailing, Some(Trailing { offset: 56, size: 4 }));
    let message = CommandDone::with(Status::SUCCESS, &state).message(1).encode();
    assert_eq!(describe(&message, MbimEx::V1, false).trailing, None);
    let longer = [&message[..], &[9; 7]].concat();
    let description = describe(&longer, MbimEx::V1, false);
    assert_eq!(description.trailing, Some(Trailing { offset: 56, size: 7 }));
    assert!(description.to_string().ends_with("7 unknown bytes from byte 56"), "{description}");
}

#[test]
fn a_failure_may_come_without_a_buffer() {
    let command = Command::query(&service::basic_connect::RadioStateQuery {}).unwrap();
    let done = CommandDone::empty(&command, Status::NO_DEVICE_SUPPORT);
    assert_eq!(done.body::<RadioState>(), Ok(None));
    let json = to_json(&done.message(4).encode(), false);
    assert_eq!(
        (&json["status"], &json["body"], &json["error"]),
        (&json!("no-device-support"), &Json::Null, &Json::Null)
    );

    let empty_success = CommandDone::empty(&command, Status::SUCCESS).message(4).encode();
    assert_eq!(to_json(&empty_success, false)["error"]["field"], "hw_radio_state");
}

#[test]
fn what_is_not_known_travels_as_bytes() {
    let strange =
        Command { service: Uuid([0x5a; 16]), cid: 99, command_type: CommandType(7), buffer: vec![1, 2, 0xff] };
    let message = strange.message(8);
    assert_eq!(Message::decode(&message.encode()), Ok(message.clone()));
    let json = to_json(&message.encode(), true);
    assert_eq!(json["service"], "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a");
    assert_eq!((&json["cid"], &json["operation"], &json["body"]), (&json!(99), &Json::Null, &json!("0102ff")));

    let unknown = Message::new(5, Content::Unknown { kind: MessageType(0x9000_0000), bytes: vec![0xab] });
    let json = to_json(&unknown.encode(), true);
    assert_eq!((&json["message"], &json["body"]), (&json!(0x9000_0000u32), &json!("ab")));
    assert!(describe(&unknown.encode(), MbimEx::V1, false).to_string().starts_with("message 0x90000000 #5"));
}

/// Nobody knows whom such bytes are about: how many there are is all that is told unasked.
#[test]
fn what_is_not_known_is_hidden() {
    let canary = b"001017394628051";
    let hidden = json!({"bytes": 15, "content": "###"});
    let told = IndicateStatus { service: Uuid([0x5a; 16]), cid: 9, buffer: canary.to_vec() }.message();
    let unknown = Message::new(5, Content::Unknown { kind: MessageType(0x9000_0000), bytes: canary.to_vec() });
    for message in [told, unknown] {
        assert_eq!(to_json(&message.encode(), false)["body"], hidden);
        assert_eq!(describe(&message.encode(), MbimEx::V1, false).to_string().lines().nth(1), Some("  bytes: 15"));
        assert_eq!(to_json(&message.encode(), true)["body"], json!("303031303137333934363238303531"));
    }
    let qmi = service::qmi::QmiMessage { qmux: canary.to_vec().into() };
    let qmi = IndicateStatus::with(&qmi).message().encode();
    assert_eq!(to_json(&qmi, false)["body"], json!({"bytes": 15, "qmux": "###"}));
    assert_eq!(to_json(&qmi, false)["service"], "qmi");
    // Blobs of the operator may name the subscriber.
    let set = service::basic_connect::ServiceActivationSet { buffer: canary.to_vec().into() };
    let set = Command::set(&set).unwrap().message(2).encode();
    assert_eq!(to_json(&set, false)["body"], json!({"bytes": 15, "buffer": "###"}));
}

#[test]
fn errors_of_the_protocol_have_names() {
    let error = Message::new(8, Content::FunctionError(ProtocolError::NOT_OPENED)).encode();
    assert_eq!(to_json(&error, false)["body"], json!({"error_status_code": "not-opened"}));
    let busy = Message::new(1, Content::OpenDone(Status::BUSY)).encode();
    assert_eq!(to_json(&busy, false)["status"], "busy");
}

#[test]
fn both_spellings_of_the_extensions_are_one_service() {
    let newer: Uuid = "3d01dcc5-fef5-4d05-9d3a-bef7058e9aaf".parse().unwrap();
    assert_eq!(service::canonical(newer), service::MS_BASIC_CONNECT_EXT);
    let query = Command { service: newer, cid: 15, command_type: CommandType::QUERY, buffer: vec![0, 1, 0, 3] };
    assert!(query.is::<service::ms_basic_connect_ext::Version>());
    let json = to_json(&query.message(2).encode(), false);
    assert_eq!(json["service"], "ms-basic-connect-extensions");
    assert_eq!(json["body"], json!({"version": 0x0100, "extended_version": 0x0300}));
}

#[test]
fn short_messages_are_taken_apart() {
    use mbim_proto::service::sms::{SmsMessages, SmsPduReadRecord, SmsRead};
    let pdu = |hex: &str| -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
    };
    let record = |hex| SmsPduReadRecord { message_index: 1, pdu_data: pdu(hex).into(), ..SmsPduReadRecord::default() };
    let body = SmsRead {
        messages: SmsMessages::Pdu(vec![record("0044048151550000621112715000040903240101486ECE64"), record("0004")]),
    };
    let message = CommandDone::with(Status::SUCCESS, &body).message(9).encode();
    let masked = describe(&message, MbimEx::V1, false);
    let text = masked.to_string();
    assert!(text.contains("\n  pdus:\n    [0]\n      service_centre: -\n      type: \"deliver\""), "{text}");
    assert!(text.contains("originator: ###") && text.contains("text: ###") && text.contains("length: 3"), "{text}");
    assert!(text.contains("single_shift: turkish (1)") && text.contains("timestamp: \"2026-11-21T17:05:00+10:00\""));
    assert!(text.contains("[1]\n      error: \"Pdu.tp_oa at byte 2: 1 bytes needed, 0 left\""), "{text}");
    let shown = serde_json::to_value(describe(&message, MbimEx::V1, true).value()).unwrap();
    assert_eq!((&shown["pdus"][0]["originator"], &shown["pdus"][0]["text"]), (&json!("1555"), &json!("Iğd")));
    let other = CommandDone::with(Status::SUCCESS, &RadioState::default()).message(9).encode();
    assert!(describe(&other, MbimEx::V1, true).value().field("pdus").is_none());
}

#[test]
fn open_and_close_have_the_sizes_of_the_specification() {
    let open = Content::Open(mbim_proto::message::Open { max_control_transfer: 4096 });
    assert_eq!(Message::new(1, open).encode(), [1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0]);
    assert_eq!(Message::new(0x0102, Content::Close).encode(), [2, 0, 0, 0, 12, 0, 0, 0, 2, 1, 0, 0]);
}

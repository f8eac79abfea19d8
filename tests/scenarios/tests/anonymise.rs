//! Canaries in every place of a record that can hold one: none is left in the anonymous one, in no notation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use mbim_capture::{Anonymiser, Direction, Frame, frames, write};
use mbim_proto::message::{Command, CommandDone, CommandType, IndicateStatus};
use mbim_proto::service::ms_uicc_low_level::{AccessBinary, AccessBinaryQuery, Apdu, ApduSet};
use mbim_proto::service::sms::{SmsConfiguration, SmsMessages, SmsPduReadRecord, SmsRead};
use mbim_proto::service::{basic_connect as bc, fibocom_at, phonebook, qmi, ussd};
use mbim_proto::sms_pdu::{Address, Content, Deliver, Pdu, Scheme, Tpdu, UserData};
use mbim_proto::{Body, Message, Status, Uuid, list};
use scenarios::canary::{ALL, Search};

/// As a card keeps them, behind what stands in front.
fn swapped(front: &[u8], digits: &str) -> Vec<u8> {
    let filled = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("{digits}F") };
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    let pairs = filled.as_bytes().chunks(2).map(|pair| nibble(pair[1]) << 4 | nibble(pair[0]));
    front.iter().copied().chain(pairs).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn answer<B: Body>(transaction: u32, body: &B) -> (Direction, Message) {
    (Direction::Received, CommandDone::with(Status::SUCCESS, body).message(transaction))
}

fn set<B: Body>(transaction: u32, body: &B) -> (Direction, Message) {
    (Direction::Sent, Command::set(body).unwrap().message(transaction))
}

/// What a card answers when this file is read.
fn file(transaction: u32, id: u16, data: Vec<u8>) -> [(Direction, Message); 2] {
    let file_path = [0x3f00, 0x7fff, id].map(u16::to_be_bytes).concat();
    let query = AccessBinaryQuery { version: 1, file_path, ..AccessBinaryQuery::default() };
    let data = AccessBinary { version: 1, status_word1: 0x90, data: data.into(), ..AccessBinary::default() };
    [(Direction::Sent, Command::query(&query).unwrap().message(transaction)), answer(transaction, &data)]
}

fn sms(scheme: u8, text: &str, from: &str) -> (Direction, Message) {
    let deliver = Deliver {
        originator: Address::number(from),
        scheme: Scheme(scheme),
        user_data: UserData { content: Content::Text(text.into()), ..UserData::default() },
        ..Deliver::default()
    };
    let pdu = Pdu { service_centre: Some(Address::number(from)), tpdu: Tpdu::Deliver(deliver) };
    let record = SmsPduReadRecord { pdu_data: pdu.encode().unwrap().into(), ..SmsPduReadRecord::default() };
    answer(40, &SmsRead { messages: SmsMessages::Pdu(vec![record]) })
}

/// A conversation about nothing but the four.
fn conversation() -> Vec<(Direction, Message)> {
    let [imsi, iccid, imei, number] = ALL.map(|canary| canary.digits);
    let international = format!("+{number}");
    let text = format!("of {imsi}, {iccid} and {imei}: {number}");
    let mut all = vec![
        answer(1, &bc::DeviceCaps { device_id: imei.into(), ..bc::DeviceCaps::default() }),
        answer(
            2,
            &bc::SubscriberReady {
                subscriber_id: imsi.into(),
                sim_icc_id: format!("{iccid}F").as_str().into(),
                telephone_numbers: list![international.as_str().into(), number.into()],
                ..bc::SubscriberReady::default()
            },
        ),
        set(
            3,
            &bc::ConnectSet {
                access_string: "internet".into(),
                user_name: format!("{imsi}@operator.example").as_str().into(),
                password: imei.into(),
                ..bc::ConnectSet::default()
            },
        ),
        set(4, &bc::PinSet { pin: number.into(), new_pin: number[..8].into(), ..bc::PinSet::default() }),
        set(5, &ApduSet { command: swapped(&[0, 0xa4, 4], imsi).into(), ..ApduSet::default() }),
        answer(5, &Apdu { response: swapped(&[0x98], iccid).into(), ..Apdu::default() }),
        answer(6, &SmsConfiguration { sc_address: international.clone(), ..SmsConfiguration::default() }),
        sms(0, &text, &international),
        sms(8, &text[..60], number),
        answer(7, &qmi::QmiMessage { qmux: [b"\x01\x20", imei.as_bytes()].concat().into() }),
        answer(
            8,
            &fibocom_at::FibocomAtCommand { command_resp: format!("\r\n{imsi}\r\n\r\nOK\r\n").into_bytes().into() },
        ),
        answer(9, &phonebook::PhonebookRead { entries: vec![entry(&international, &text)] }),
        answer(10, &ussd::Ussd { payload: text.clone().into_bytes().into(), ..ussd::Ussd::default() }),
        set(11, &bc::ServiceActivationSet { buffer: utf16(&text).into() }),
        (
            Direction::Sent,
            Command { service: Uuid([7; 16]), cid: 3, command_type: CommandType::SET, buffer: utf16(imsi) }.message(12),
        ),
        (Direction::Received, IndicateStatus { service: Uuid([8; 16]), cid: 9, buffer: swapped(&[], iccid) }.message()),
    ];
    all.extend(file(20, 0x2fe2, swapped(&[], iccid)));
    all.extend(file(21, 0x6f07, swapped(&[8], &format!("9{imsi}"))));
    all.extend(file(22, 0x6f40, swapped(&[0xff, 7, 0x91], number)));
    all
}

fn entry(number: &str, name: &str) -> phonebook::PhonebookEntry {
    phonebook::PhonebookEntry { number: number.into(), name: name.into(), ..phonebook::PhonebookEntry::default() }
}

#[test]
fn no_canary_is_left_in_any_notation() {
    let search = Search::default();
    let (mut before, mut after) = (write::start(), write::start());
    let mut anonymiser = Anonymiser::new([11; 32]);
    for (number, (direction, message)) in conversation().into_iter().enumerate() {
        let bytes = message.encode();
        assert!(!search.find(&bytes).is_empty() || number > 5, "message {number} has something to hide");
        before.extend(write::frame(Duration::ZERO, direction, &bytes));
        let (direction_told, time) = (Some(direction), Some(Duration::ZERO));
        let frame = Frame { offset: 0, time, direction: direction_told, device: None, mbimex: None, bytes: &bytes };
        for bytes in anonymiser.frame(&frame) {
            let found = search.find(&bytes);
            assert!(found.is_empty(), "message {number}: {found:?}");
            after.extend(write::frame(Duration::ZERO, direction, &bytes));
        }
    }
    let canaries: BTreeSet<&str> = search.find(&before).iter().map(|found| found.canary).collect();
    assert_eq!(canaries.len(), ALL.len(), "all were there");
    assert!(search.find(&after).is_empty());
    assert_eq!(after.len(), before.len(), "everything is as long as it was");

    // As it reads, too; and the same value is the same one everywhere.
    let read: String = frames(&after)
        .unwrap()
        .map(|frame| {
            mbim_proto::registry::describe(frame.unwrap().bytes, mbim_proto::MbimEx::V1, true).to_string() + "\n"
        })
        .collect();
    assert!(search.find(read.as_bytes()).is_empty(), "{read}");
    let imsi = read.split("subscriber_id: \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(imsi.starts_with("001017") && imsi.len() == 15);
    assert!(read.matches(imsi).count() >= 4, "{imsi} in {read}");
}

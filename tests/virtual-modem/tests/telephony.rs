//! Short messages and USSD: the rules that hosts rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report, in helpers too")]

mod support;

use core::time::Duration;
use mbim_proto::service::sms::{self, SmsFlag, SmsFormat, SmsMessages, SmsStatus, SmsStatusFlag};
use mbim_proto::service::ussd::{self, UssdAction, UssdResponse, UssdSessionState};
use mbim_proto::service::{SMS, USSD};
use mbim_proto::{Personal, Status};
use support::Host;
use virtual_modem::sms::{Delivery, Submission};
use virtual_modem::{Holdings, Message, Messages, Network, Order, Output, Pace, Profile, Reply, Sim, Slot};

/// "hello" to +15550100, without a service centre.
const SUBMIT: [u8; 17] = [0, 1, 0, 8, 0x91, 0x51, 0x55, 0x10, 0, 0, 0, 5, 0xe8, 0x32, 0x9b, 0xfd, 0x06];

fn received(text: &str) -> Vec<u8> {
    Delivery::text("+15550100", text).pdu().unwrap()
}

fn flash(text: &str) -> Vec<u8> {
    Delivery { class: Some(0), ..Delivery::text("+15550100", text) }.pdu().unwrap()
}

fn read(host: &mut Host, flag: SmsFlag, message_index: u32) -> (u32, Vec<(u32, SmsStatus)>) {
    let asked = sms::SmsReadQuery { format: SmsFormat::PDU, flag, message_index };
    let (status, answer) = host.query::<sms::SmsRead>(&asked);
    let SmsMessages::Pdu(records) = answer.messages else { unreachable!("PDU was asked for") };
    (status, records.iter().map(|record| (record.message_index, record.message_status)).collect())
}

fn send(host: &mut Host, pdu: &[u8]) -> (u32, sms::SmsSend) {
    let record = sms::SmsPduSendRecord { pdu_data: Personal::new(pdu.to_vec()) };
    host.set(&sms::SmsSendSet { message: sms::SmsMessage::Pdu(record) })
}

fn delete(host: &mut Host, flag: SmsFlag, message_index: u32) -> u32 {
    host.set::<sms::SmsDelete>(&sms::SmsDeleteSet { flag, message_index }).0
}

fn with_places(places: u32, held: Vec<Message>) -> Profile {
    Profile {
        holdings: Holdings { messages: Messages::new(places, held), ..Holdings::default() },
        ..Profile::default()
    }
}

#[test]
fn a_message_is_stored_told_read_once_as_new_and_deleted() {
    let mut host = Host::new(Profile::default(), SMS);
    assert_eq!(read(&mut host, SmsFlag::ALL, 0), (0, vec![]), "an empty store is no error");
    host.order(Order::ReceiveSms(received("one")));
    host.order(Order::ReceiveSms(received("two")));
    let told = host.indicated::<sms::SmsMessageStoreStatus>();
    assert_eq!(
        told.iter().map(|t| (t.flag, t.message_index)).collect::<Vec<_>>(),
        [(SmsStatusFlag::NEW_MESSAGE, 1), (SmsStatusFlag::NEW_MESSAGE, 2)]
    );
    let status = host.query::<sms::SmsMessageStoreStatus>(&sms::SmsMessageStoreStatusQuery {}).1;
    assert_eq!((status.flag, status.message_index), (SmsStatusFlag::NEW_MESSAGE, 2));
    assert_eq!(read(&mut host, SmsFlag::INDEX, 2), (0, vec![(2, SmsStatus::NEW)]));
    assert_eq!(read(&mut host, SmsFlag::INDEX, 2), (0, vec![(2, SmsStatus::OLD)]), "it was read");
    assert_eq!(read(&mut host, SmsFlag::NEW, 0), (0, vec![(1, SmsStatus::NEW)]));
    assert_eq!(read(&mut host, SmsFlag::OLD, 0).1.len(), 2);
    for bad in [0, 3, 31, u32::MAX] {
        assert_eq!(read(&mut host, SmsFlag::INDEX, bad).0, Status::INVALID_MEMORY_INDEX.0, "{bad}");
        assert_eq!(delete(&mut host, SmsFlag::INDEX, bad), Status::INVALID_MEMORY_INDEX.0, "{bad}");
    }
    assert_eq!(delete(&mut host, SmsFlag::INDEX, 1), 0);
    assert_eq!(read(&mut host, SmsFlag::ALL, 0).1, [(2, SmsStatus::OLD)]);
    host.order(Order::ReceiveSms(received("three")));
    assert_eq!(host.indicated::<sms::SmsMessageStoreStatus>()[0].message_index, 1, "the first free place");
    assert_eq!((delete(&mut host, SmsFlag::ALL, 0), read(&mut host, SmsFlag::ALL, 0).1.len()), (0, 0));
}

#[test]
fn filters_take_what_they_say() {
    let all = [SmsStatus::NEW, SmsStatus::OLD, SmsStatus::DRAFT, SmsStatus::SENT];
    let held = all.map(|status| Message { status, pdu: received("x") }).to_vec();
    let mut host = Host::new(with_places(4, held), SMS);
    assert_eq!(read(&mut host, SmsFlag::SENT, 0).1, [(4, SmsStatus::SENT)]);
    assert_eq!(read(&mut host, SmsFlag::DRAFT, 0).1, [(3, SmsStatus::DRAFT)]);
    assert_eq!(read(&mut host, SmsFlag(6), 0).0, Status::FILTER_NOT_SUPPORTED.0);
    assert_eq!(delete(&mut host, SmsFlag(6), 0), Status::FILTER_NOT_SUPPORTED.0);
    assert_eq!((delete(&mut host, SmsFlag::DRAFT, 0), delete(&mut host, SmsFlag::NEW, 0)), (0, 0));
    assert_eq!(read(&mut host, SmsFlag::ALL, 0).1, [(2, SmsStatus::OLD), (4, SmsStatus::SENT)]);
    let asked = sms::SmsReadQuery { format: SmsFormat::CDMA, flag: SmsFlag::ALL, message_index: 0 };
    assert_eq!(host.query::<sms::SmsRead>(&asked).0, Status::FORMAT_NOT_SUPPORTED.0);
}

#[test]
fn a_full_store_is_told_and_the_network_keeps_what_has_no_room() {
    let mut host = Host::new(with_places(2, vec![]), SMS);
    for text in ["one", "two", "three"] {
        host.order(Order::ReceiveSms(received(text)));
    }
    let flags: Vec<_> = host.indicated::<sms::SmsMessageStoreStatus>().iter().map(|told| told.flag).collect();
    let (new, full) = (SmsStatusFlag::NEW_MESSAGE, SmsStatusFlag::MESSAGE_STORE_FULL);
    assert_eq!(flags, [new, new | full, full]);
    host.order(Order::ReceiveSms(flash("now")));
    assert_eq!(host.indicated::<sms::SmsRead>().len(), 0, "the network keeps the order");
    assert_eq!(host.indicated::<sms::SmsMessageStoreStatus>()[0].flag, full);
    assert_eq!(delete(&mut host, SmsFlag::INDEX, 1), 0);
    host.pass(Duration::from_millis(1));
    assert_eq!(host.indicated::<sms::SmsMessageStoreStatus>()[0].message_index, 1, "the third came");
    assert_eq!(host.indicated::<sms::SmsRead>().len(), 1, "and what was behind it");
}

#[test]
fn a_flash_message_goes_to_a_host_that_wants_it_and_is_stored_otherwise() {
    let mut host = Host::new(Profile::default(), SMS);
    host.order(Order::ReceiveSms(flash("at once")));
    let SmsMessages::Pdu(shown) = host.indicated::<sms::SmsRead>().remove(0).messages else { unreachable!() };
    assert_eq!((shown[0].message_index, shown[0].pdu_data.reveal()), (0, &flash("at once")));
    assert!(host.modem.profile().holdings.messages.held().is_empty());
    host.subscribe(USSD);
    host.order(Order::ReceiveSms(flash("later")));
    assert!(host.indications.is_empty());
    assert_eq!(read(&mut host, SmsFlag::ALL, 0).1, [(1, SmsStatus::NEW)]);
}

#[test]
fn sending_counts_references_and_tells_the_network() {
    let mut host = Host::new(
        Profile { pace: Pace { message: Duration::from_secs(2), ..Pace::default() }, ..Profile::default() },
        SMS,
    );
    for expected in 1..=3 {
        let (status, sent) = send(&mut host, &SUBMIT);
        assert_eq!((status, sent.message_reference), (0, expected));
    }
    assert_eq!(host.now, Duration::from_secs(6));
    let Output::MessageSent { reference: 3, pdu } = host.happened.last().unwrap() else { unreachable!() };
    assert_eq!(pdu[2], 3, "the modem wrote its reference");
    let read = Submission::parse(pdu).unwrap();
    assert_eq!((read.to.as_str(), read.text.as_deref()), ("+15550100", Some("hello")));
    for bad in [&[][..], &[0], &SUBMIT[..16], &received("not to be sent"), &[0xff; 20]] {
        assert_eq!(send(&mut host, bad).0, Status::INVALID_PARAMETERS.0);
    }
    assert_eq!(send(&mut host, &[0; 200]).0, Status::PARAMETER_TOO_LONG.0);
    let cdma = sms::SmsMessage::Cdma(sms::SmsCdmaSendRecord::default());
    assert_eq!(host.set::<sms::SmsSend>(&sms::SmsSendSet { message: cdma }).0, Status::FORMAT_NOT_SUPPORTED.0);
    assert_eq!(host.happened.len(), 3);
}

#[test]
fn messages_need_card_radio_registration_and_a_service_centre() {
    let at = |profile: Profile| Host::new(profile, SMS);
    let named = |name: &str| Profile::named(name).unwrap();
    let mut host = at(named("no-sim"));
    assert_eq!(send(&mut host, &SUBMIT).0, Status::SIM_NOT_INSERTED.0);
    assert_eq!(read(&mut host, SmsFlag::ALL, 0).0, Status::SIM_NOT_INSERTED.0);
    let mut host = at(named("locked"));
    assert_eq!(send(&mut host, &SUBMIT).0, Status::PIN_REQUIRED.0);
    let (status, locked) = host.query::<sms::SmsConfiguration>(&sms::SmsConfigurationQuery {});
    assert_eq!((status, locked.sms_storage_state.0), (0, 0));
    assert_eq!(send(&mut at(named("radio-off")), &SUBMIT).0, Status::RADIO_POWER_OFF.0);
    let mut host = at(Profile::default());
    host.order(Order::Coverage(false));
    assert_eq!(send(&mut host, &SUBMIT).0, Status::NOT_REGISTERED.0);
    host.order(Order::ReceiveSms(received("wait")));
    assert!(host.modem.profile().holdings.messages.held().is_empty());
    host.order(Order::Coverage(true));
    assert_eq!(host.indicated::<sms::SmsMessageStoreStatus>()[0].message_index, 1, "delivered with service");

    let bare = Sim { service_centre: String::new(), ..Sim::default() };
    let mut host = at(Profile { slot: Slot::Card(Box::new(bare)), ..Profile::default() });
    assert_eq!(send(&mut host, &SUBMIT).0, Status::UNKNOWN_SMSC_ADDRESS.0);
    let set = |sc_address: &str| sms::SmsConfigurationSet { format: SmsFormat::PDU, sc_address: sc_address.into() };
    for bad in ["+", "one", "+123456789012345678901"] {
        assert_eq!(host.set::<sms::SmsConfiguration>(&set(bad)).0, Status::INVALID_PARAMETERS.0, "{bad}");
    }
    let (status, held) = host.set::<sms::SmsConfiguration>(&set("+15550123"));
    assert_eq!((status, held.sc_address.as_str(), held.max_messages), (0, "+15550123", 30));
    assert_eq!(send(&mut host, &SUBMIT).0, 0);
    let network = Network { message_refusal: Some(Status::NETWORK_TIMEOUT.0), ..Network::default() };
    assert_eq!(send(&mut at(Profile { network, ..Profile::default() }), &SUBMIT).0, Status::NETWORK_TIMEOUT.0);
}

fn say(host: &mut Host, action: UssdAction, payload: &[u8]) -> (u32, ussd::Ussd) {
    let payload = Personal::new(payload.to_vec());
    host.set(&ussd::UssdSet { action, data_coding_scheme: 0x0f, payload })
}

/// `*100#`, `*101#`, `1` and `2` in packed 7 bit.
const BALANCE: [u8; 5] = [0xaa, 0x18, 0x0c, 0x36, 0x02];
const MENU: [u8; 5] = [0xaa, 0x18, 0x2c, 0x36, 0x02];

fn text(heard: &ussd::Ussd) -> String {
    let bytes = heard.payload.reveal();
    let codes = virtual_modem::alphabet::unpack(bytes, 0, bytes.len() * 8 / 7);
    virtual_modem::alphabet::decode(&codes).trim_end_matches(['\r', '@']).into()
}

#[test]
fn a_code_is_answered_and_a_menu_is_walked_through() {
    let mut host = Host::new(Profile::default(), USSD);
    let (status, heard) = say(&mut host, UssdAction::INITIATE, &BALANCE);
    assert_eq!(
        (status, heard.response, heard.session_state),
        (0, UssdResponse::NO_ACTION_REQUIRED, UssdSessionState::NEW_SESSION)
    );
    assert_eq!((heard.data_coding_scheme, text(&heard).as_str()), (0x0f, "Balance: 12.34 EUR"));
    let (_, heard) = say(&mut host, UssdAction::INITIATE, &MENU);
    assert_eq!((heard.response, text(&heard).as_str()), (UssdResponse::ACTION_REQUIRED, "1 Balance\n2 Plans"));
    assert_eq!(say(&mut host, UssdAction::INITIATE, &BALANCE).0, 28, "one dialogue at a time");
    let (_, heard) = say(&mut host, UssdAction::CONTINUE, b"2");
    assert_eq!(
        (heard.response, heard.session_state),
        (UssdResponse::ACTION_REQUIRED, UssdSessionState::EXISTING_SESSION)
    );
    let (_, heard) = say(&mut host, UssdAction::CONTINUE, b"1");
    assert_eq!((heard.response, text(&heard).as_str()), (UssdResponse::NO_ACTION_REQUIRED, "Done."));
    assert_eq!(say(&mut host, UssdAction::CONTINUE, b"1").0, 28, "it is over");
    say(&mut host, UssdAction::INITIATE, &MENU);
    assert_eq!(say(&mut host, UssdAction::CONTINUE, b"9").1.response, UssdResponse::TERMINATED_BY_NETWORK);
    assert_eq!(say(&mut host, UssdAction::INITIATE, b"7").1.response, UssdResponse::OPERATION_NOT_SUPPORTED);
    assert!(host.indications.is_empty());
}

#[test]
fn a_dialogue_ends_by_cancelling_by_silence_and_with_service() {
    let network = Network { ussd_patience: Duration::from_secs(30), ..Network::default() };
    let pace = Pace { ussd: Duration::from_secs(1), ..Pace::default() };
    let mut host = Host::new(Profile { network, pace, ..Profile::default() }, USSD);
    say(&mut host, UssdAction::INITIATE, &MENU);
    assert_eq!(say(&mut host, UssdAction::CANCEL, &[]).0, 0);
    assert_eq!(say(&mut host, UssdAction::CONTINUE, b"1").0, 28);
    assert_eq!(say(&mut host, UssdAction::CANCEL, &[]).0, 0, "nothing to cancel is no error");
    host.pass(Duration::from_secs(60));
    assert!(host.indications.is_empty(), "a cancelled dialogue does not time out");
    say(&mut host, UssdAction::INITIATE, &MENU);
    host.pass(Duration::from_millis(29_999));
    assert!(host.indications.is_empty());
    host.pass(Duration::from_millis(1));
    assert_eq!(host.indicated::<ussd::Ussd>()[0].response, UssdResponse::NETWORK_TIMEOUT);
    say(&mut host, UssdAction::INITIATE, &MENU);
    host.order(Order::Coverage(false));
    assert_eq!(host.indicated::<ussd::Ussd>()[0].response, UssdResponse::TERMINATED_BY_NETWORK);
    assert_eq!(say(&mut host, UssdAction::INITIATE, &MENU).0, Status::NOT_REGISTERED.0);
}

#[test]
fn the_network_begins_a_dialogue() {
    let mut host = Host::new(Profile::default(), USSD);
    host.order(Order::Ussd(Reply::Text("żółw".into())));
    let heard = host.indicated::<ussd::Ussd>().remove(0);
    assert_eq!((heard.response, heard.data_coding_scheme), (UssdResponse::NO_ACTION_REQUIRED, 0x48));
    let question = Reply::Question { text: "Go on?".into(), answers: vec![("1".into(), Reply::Text("Good.".into()))] };
    host.order(Order::Ussd(question.clone()));
    assert_eq!(host.indicated::<ussd::Ussd>()[0].response, UssdResponse::ACTION_REQUIRED);
    host.order(Order::Ussd(question));
    assert!(host.indications.is_empty(), "not while there is one");
    assert_eq!(text(&say(&mut host, UssdAction::CONTINUE, b"1").1), "Good.");
}

#[test]
fn ussd_refuses_what_it_must() {
    let locked = Profile::named("locked").unwrap();
    assert_eq!(say(&mut Host::new(locked, USSD), UssdAction::INITIATE, &BALANCE).0, Status::PIN_REQUIRED.0);
    let off = Profile::named("radio-off").unwrap();
    assert_eq!(say(&mut Host::new(off, USSD), UssdAction::INITIATE, &BALANCE).0, Status::RADIO_POWER_OFF.0);
    let mut host = Host::new(Profile::default(), USSD);
    assert_eq!(say(&mut host, UssdAction::INITIATE, &[0; 161]).0, Status::PARAMETER_TOO_LONG.0);
    assert_eq!(say(&mut host, UssdAction::INITIATE, &[]).0, Status::INVALID_PARAMETERS.0);
    assert_eq!(say(&mut host, UssdAction(3), &BALANCE).0, Status::INVALID_PARAMETERS.0);
    let set =
        ussd::UssdSet { data_coding_scheme: 0x44, payload: Personal::new(b"8 bit".to_vec()), ..Default::default() };
    assert_eq!(host.set::<ussd::Ussd>(&set).0, Status::ENCODING_NOT_SUPPORTED.0);
}

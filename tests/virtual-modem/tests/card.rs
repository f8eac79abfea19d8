//! The card's applications, files and channels, and several slots: the rules that hosts rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report, in helpers too")]

mod support;

use core::time::Duration;
use mbim_proto::codec::OctetString;
use mbim_proto::service::basic_connect::{self as bc, PinType};
use mbim_proto::service::ms_basic_connect_ext::{self as ext, UiccSlotState};
use mbim_proto::service::ms_uicc_low_level as uicc;
use mbim_proto::service::{MS_BASIC_CONNECT_EXT, MS_UICC_LOW_LEVEL};
use mbim_proto::{Personal, Status};
use support::Host;
use virtual_modem::{Order, Pace, Place, Profile, Release, Sim, Slot};

const ISD_R: [u8; 16] = [0xa0, 0, 0, 5, 0x59, 0x10, 0x10, 0xff, 0xff, 0xff, 0xff, 0x89, 0, 0, 1, 0];

fn at(name: &str) -> Host {
    Host::new(Profile::named(name).unwrap(), MS_UICC_LOW_LEVEL)
}

fn usim(host: &mut Host) -> Vec<u8> {
    let (status, list) = host.query::<uicc::ApplicationList>(&uicc::ApplicationListQuery {});
    assert_eq!((status, list.version, list.applications.len()), (0, 1, 2));
    let active = &list.applications[list.active_application_index as usize];
    assert_eq!(active.application_type, uicc::UiccApplicationType::USIM);
    active.application_id.clone()
}

/// Status words and data.
fn read(host: &mut Host, id: &[u8], path: &[u8], offset: u32, size: u32) -> ((u32, u32), Vec<u8>) {
    let asked = uicc::AccessBinaryQuery {
        version: 1,
        application_id: id.to_vec(),
        file_path: path.to_vec(),
        read_offset: offset,
        read_size: size,
        ..Default::default()
    };
    let (status, answer) = host.query::<uicc::AccessBinary>(&asked);
    assert_eq!(status, 0, "the card's refusals are in its status words");
    ((answer.status_word1, answer.status_word2), answer.data.into_inner())
}

fn record(host: &mut Host, id: &[u8], path: &[u8], number: u32) -> ((u32, u32), Vec<u8>) {
    let asked = uicc::AccessRecordQuery {
        version: 1,
        application_id: id.to_vec(),
        file_path: path.to_vec(),
        record_number: number,
        ..Default::default()
    };
    let (status, answer) = host.query::<uicc::AccessRecord>(&asked);
    assert_eq!(status, 0);
    ((answer.status_word1, answer.status_word2), answer.data.into_inner())
}

fn file(host: &mut Host, id: &[u8], path: &[u8]) -> (u32, uicc::FileStatus) {
    host.query(&uicc::FileStatusQuery { version: 1, application_id: id.to_vec(), file_path: path.to_vec() })
}

const DONE: (u32, u32) = (0x90, 0);

#[test]
fn files_say_who_the_subscriber_is() {
    let mut host = at("instant");
    let id = usim(&mut host);
    // 001017394628051 behind length and parity; ICCID 8999004827193650378 with its filling half.
    let imsi = vec![8, 0x09, 0x10, 0x10, 0x37, 0x49, 0x26, 0x08, 0x15];
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x07], 0, 0), (DONE, imsi.clone()));
    assert_eq!(read(&mut host, &id, &[0x3f, 0, 0x7f, 0xff, 0x6f, 0x07], 0, 9), (DONE, imsi));
    let iccid = vec![0x98, 0x99, 0x00, 0x84, 0x72, 0x91, 0x63, 0x05, 0x73, 0xf8];
    assert_eq!(read(&mut host, &[], &[0x3f, 0, 0x2f, 0xe2], 0, 0), (DONE, iccid));
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0xad], 3, 1), (DONE, vec![2]), "an MNC of two digits");
    let (_, name) = read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x46], 0, 0);
    assert_eq!((&name[..12], name.len()), (&b"\x01Test Mobile"[..], 17));
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x3e], 0, 0).1, [0x4d, 0x31, 0xff, 0xff]);
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x3f], 0, 0).0, (0x6a, 0x82), "no second group");
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0xcd], 0, 0).1, [0xa3, 5, 0x80, 3, 0x00, 0xf1, 0x10]);

    let (words, number) = record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 1);
    assert_eq!((words, &number[14..22]), (DONE, &[7, 0x91, 0x01, 0x51, 0x28, 0x37, 0x49, 0xf6][..]));
    assert_eq!(record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 2).1, [0xff; 28]);
    assert_eq!(record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 3).0, (0x6a, 0x83));
    assert_eq!(record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 0).0, (0x6a, 0x83));
    assert_eq!(record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x07], 1).0, (0x69, 0x81), "no records there");
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 0, 0).0, (0x69, 0x81), "nothing but records there");
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x07], 10, 1).0, (0x6b, 0));
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x07], 8, 9), ((0x62, 0x82), vec![0x15]));
}

#[test]
fn a_files_status_gives_its_size_and_who_may_read_it() {
    let mut host = at("instant");
    let id = usim(&mut host);
    let (_, gid) = file(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x3e]);
    assert_eq!((gid.file_item_count, gid.file_item_size), (1, 4));
    assert_eq!(
        (gid.file_structure, gid.file_type),
        (uicc::UiccFileStructure::TRANSPARENT, uicc::UiccFileType::WORKING_EF)
    );
    assert_eq!((gid.access_condition_read, gid.access_condition_update), (PinType::PIN1, PinType::ADM));
    let (_, numbers) = file(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40]);
    assert_eq!((numbers.file_item_count, numbers.file_item_size), (2, 28));
    assert_eq!(file(&mut host, &[], &[0x3f, 0]).1.file_type, uicc::UiccFileType::DF_OR_ADF);
    let (status, missing) = file(&mut host, &id, &[0x7f, 0xff, 0x12, 0x34]);
    assert_eq!((status, missing.status_word1, missing.status_word2), (0, 0x6a, 0x82));
    for path in [&[][..], &[0x7f], &[0x6f, 0x07], &[0x7f, 0xff, 0x6f]] {
        assert_eq!(file(&mut host, &id, path).0, Status::INVALID_PARAMETERS.0, "{path:02x?}");
    }
    assert_eq!(file(&mut host, &[1; 16], &[0x7f, 0xff]).0, Status::SELECT_FAILED.0);
    let other = uicc::FileStatusQuery { version: 2, application_id: id, file_path: vec![0x3f, 0] };
    assert_eq!(host.query::<uicc::FileStatus>(&other).0, Status::INVALID_PARAMETERS.0);
}

#[test]
fn a_locked_card_shows_what_needs_no_pin() {
    let mut host = at("locked");
    let id = usim(&mut host);
    assert_eq!(read(&mut host, &[], &[0x3f, 0, 0x2f, 0xe2], 0, 0).0, DONE);
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x46], 0, 0).0, DONE);
    for file in [0x07, 0x3e] {
        assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, file], 0, 0), ((0x69, 0x82), vec![]));
    }
    assert_eq!(record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 1).0, (0x69, 0x82));
    let pin = bc::PinSet { pin_type: PinType::PIN1, pin: "1234".into(), ..Default::default() };
    assert_eq!(host.set::<bc::Pin>(&pin).0, 0);
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x07], 0, 0).0, DONE);
    host.set::<uicc::Reset>(&uicc::ResetSet { pass_through_action: uicc::UiccPassThroughAction::DISABLE });
    assert_eq!(read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x07], 0, 0).0, (0x69, 0x82), "a reset asks again");
}

#[test]
fn what_is_written_stays_and_what_is_not_the_hosts_to_write_does_not_change() {
    let mut host = at("instant");
    let id = usim(&mut host);
    let mut write = |path: [u8; 4], offset, data: &[u8]| {
        let set = uicc::AccessBinaryQuery {
            version: 1,
            application_id: id.clone(),
            file_path: path.to_vec(),
            read_offset: offset,
            data: Personal::new(data.to_vec()),
            ..Default::default()
        };
        let (status, answer) = host.set::<uicc::AccessBinary>(&set);
        assert_eq!(status, 0);
        (answer.status_word1, answer.status_word2)
    };
    assert_eq!(write([0x7f, 0xff, 0x6f, 0x7b], 3, &[0x62, 0xf2, 0x10]), DONE);
    assert_eq!(write([0x7f, 0xff, 0x6f, 0x7b], 10, &[0; 3]), (0x6b, 0), "beyond the end");
    assert_eq!(write([0x7f, 0xff, 0x6f, 0x07], 0, &[0]), (0x69, 0x82), "nobody writes the IMSI");
    assert_eq!(write([0x7f, 0xff, 0x6f, 0x40], 0, &[0]), (0x69, 0x81));
    let set = uicc::AccessRecordQuery {
        version: 1,
        application_id: id.clone(),
        file_path: vec![0x7f, 0xff, 0x6f, 0x40],
        record_number: 2,
        data: Personal::new(vec![7; 28]),
        ..Default::default()
    };
    assert_eq!(host.set::<uicc::AccessRecord>(&set).1.status_word1, 0x90);
    let short = uicc::AccessRecordQuery { data: Personal::new(vec![7; 27]), ..set };
    assert_eq!(host.set::<uicc::AccessRecord>(&short).1.status_word1, 0x67);
    host.order(Order::Reboot);
    host.open();
    let (_, forbidden) = read(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x7b], 0, 7);
    assert_eq!(forbidden, [0xff, 0xff, 0xff, 0x62, 0xf2, 0x10, 0xff]);
    assert_eq!(record(&mut host, &id, &[0x7f, 0xff, 0x6f, 0x40], 2).1, [7; 28]);
    let Slot::Card(sim) = &host.modem.profile().slot else { unreachable!() };
    assert_eq!(sim.written.len(), 2);
    assert!(sim.written.contains_key(&(Place::Usim, 0x6f7b)));
}

fn open(host: &mut Host, app_id: &[u8], channel_group: u32) -> (u32, uicc::OpenChannel) {
    host.set(&uicc::OpenChannelSet { app_id: app_id.to_vec(), select_p2_arg: 4, channel_group })
}

fn apdu(host: &mut Host, channel: u32, command: &[u8]) -> (u32, [u8; 2], Vec<u8>) {
    let command = Personal::new(command.to_vec());
    let (status, answer) = host.set::<uicc::Apdu>(&uicc::ApduSet { channel, command, ..Default::default() });
    (status, [answer.status[0], answer.status[1]], answer.response.into_inner())
}

#[test]
fn channels_are_opened_used_and_closed_alone_or_as_a_group() {
    let mut host = at("instant");
    let id = usim(&mut host);
    let (status, one) = open(&mut host, &id, 7);
    assert_eq!((status, one.channel, one.status), (0, 1, [0x90, 0, 0, 0]));
    assert_eq!(one.response[0], 0x62, "control parameters were asked for");
    let select = [0, 0xa4, 0, 0x0c, 2, 0x6f, 0x07];
    assert_eq!(apdu(&mut host, 1, &[0, 0xb0, 0, 0, 9]).1, [0x69, 0x86], "nothing is selected");
    assert_eq!(apdu(&mut host, 1, &select), (0, [0x90, 0], vec![]));
    assert_eq!(apdu(&mut host, 1, &[0, 0xb0, 0, 1, 2]), (0, [0x90, 0], vec![0x09, 0x10]));
    assert_eq!(apdu(&mut host, 1, &[0, 0xa4, 8, 4, 4, 0x7f, 0xff, 0x6f, 0x40]).1, [0x90, 0]);
    assert_eq!(apdu(&mut host, 1, &[0, 0xb2, 1, 4, 0]).2.len(), 28);
    assert_eq!(apdu(&mut host, 1, &[0, 0x88, 0, 0]).1, [0x6d, 0]);
    assert_eq!(apdu(&mut host, 1, &[0, 0xa4, 0, 4, 9, 0x6f]).1, [0x67, 0], "the length lies");
    assert_eq!(apdu(&mut host, 1, &[0, 0xa4]).0, Status::INVALID_PARAMETERS.0);
    assert_eq!(apdu(&mut host, 1, &[0; 262]).0, Status::PARAMETER_TOO_LONG.0);
    assert_eq!(apdu(&mut host, 2, &select).0, Status::INVALID_LOGICAL_CHANNEL.0);
    assert_eq!(apdu(&mut host, 0, &select).0, Status::INVALID_LOGICAL_CHANNEL.0, "the modem's own");
    assert_eq!([open(&mut host, &id, 7).1.channel, open(&mut host, &id, 8).1.channel], [2, 3]);
    let (status, none) = open(&mut host, &id, 8);
    assert_eq!((status, none.channel, none.status), (Status::NO_LOGICAL_CHANNELS.0, 0, [0x6a, 0x81, 0, 0]));
    let mut close =
        |channel, channel_group| host.set::<uicc::CloseChannel>(&uicc::CloseChannelSet { channel, channel_group }).0;
    assert_eq!(
        [close(0, 7), close(1, 7), close(3, 8), close(3, 8)],
        [0, Status::INVALID_LOGICAL_CHANNEL.0, 0, Status::INVALID_LOGICAL_CHANNEL.0]
    );
    let (status, unknown) = open(&mut host, &ISD_R, 1);
    assert_eq!((status, unknown.status), (Status::SELECT_FAILED.0, [0x6a, 0x82, 0, 0]), "not an eSIM");
    assert_eq!(open(&mut host, &[1; 33], 1).0, Status::PARAMETER_TOO_LONG.0);
}

#[test]
fn an_esim_tells_its_identifier() {
    for name in ["esim", "esim-empty"] {
        let mut host = at(name);
        assert_eq!(open(&mut host, &ISD_R, 1).1.channel, 1, "{name}");
        let ask = [0x81, 0xe2, 0x91, 0, 6, 0xbf, 0x3e, 3, 0x5c, 1, 0x5a, 0];
        let (_, words, said) = apdu(&mut host, 1, &ask);
        assert_eq!((words, &said[..7]), ([0x90, 0], &[0xbf, 0x3e, 0x12, 0x5a, 0x10, 0x89, 0x04][..]));
        assert_eq!(said.len(), 21);
    }
}

#[test]
fn the_card_without_its_files() {
    let mut host = at("instant");
    let (status, answer) = host.query::<uicc::Atr>(&uicc::AtrQuery {});
    assert_eq!((status, answer.atr[0]), (0, 0x3b));
    let objects = vec![OctetString(vec![0x81, 1, 3]), OctetString(vec![0x83, 1, 7])];
    let set = uicc::TerminalCapability { terminal_capability: objects };
    assert_eq!(host.set::<uicc::TerminalCapability>(&set).1, set);
    assert_eq!(host.query::<uicc::TerminalCapability>(&uicc::TerminalCapabilityQuery {}).1, set);
    let many = uicc::TerminalCapability { terminal_capability: vec![OctetString(vec![0]); 17] };
    assert_eq!(host.set::<uicc::TerminalCapability>(&many).0, Status::PARAMETER_TOO_LONG.0);
    assert_eq!(at("no-sim").query::<uicc::Atr>(&uicc::AtrQuery {}).0, Status::SIM_NOT_INSERTED.0);
    let pace = Pace { sim_ready: Duration::from_secs(1), ..Pace::default() };
    let mut starting = Host::new(Profile { pace, ..Profile::default() }, MS_UICC_LOW_LEVEL);
    assert_eq!(starting.query::<uicc::Atr>(&uicc::AtrQuery {}).0, Status::NOT_INITIALIZED.0);
}

#[test]
fn pass_through_takes_the_card_from_the_modem_until_it_ends() {
    let mut host = at("instant");
    let id = usim(&mut host);
    open(&mut host, &id, 1);
    let mut to = |action| {
        let (status, answer) = host.set::<uicc::Reset>(&uicc::ResetSet { pass_through_action: action });
        (status, answer.pass_through_status, host.modem.state().ready_state, host.modem.state().register_state)
    };
    use uicc::{UiccPassThroughAction as Action, UiccPassThroughStatus as State};
    assert_eq!(to(Action::ENABLE), (0, State::ENABLED, 0, 1), "not initialised, service gone");
    assert_eq!(to(Action(7)).0, Status::INVALID_PARAMETERS.0);
    assert_eq!(to(Action::DISABLE).1, State::DISABLED);
    host.pass(Duration::ZERO);
    assert_eq!((host.modem.state().ready_state, host.modem.state().register_state), (1, 3));
    assert_eq!(apdu(&mut host, 1, &[0, 0xf2, 0, 0]).0, Status::INVALID_LOGICAL_CHANNEL.0, "channels do not outlive it");
}

#[test]
fn one_slot_or_two() {
    let mut host = Host::new(Profile::default(), MS_BASIC_CONNECT_EXT);
    let (_, caps) = host.query::<ext::SysCaps>(&ext::SysCapsQuery {});
    assert_eq!((caps.number_of_executors, caps.number_of_slots, caps.concurrency), (1, 1, 1));
    assert_eq!(host.query::<ext::SlotInfo>(&ext::SlotInfoQuery { slot_index: 0 }).1.state, UiccSlotState::ACTIVE);
    assert_eq!(host.query::<ext::SlotInfo>(&ext::SlotInfoQuery { slot_index: 1 }).0, Status::INVALID_PARAMETERS.0);

    let mut host = Host::new(Profile::named("two-slots").unwrap(), MS_BASIC_CONNECT_EXT);
    assert_eq!(host.query::<ext::SysCaps>(&ext::SysCapsQuery {}).1.number_of_slots, 2);
    let state = |host: &mut Host, slot_index| host.query::<ext::SlotInfo>(&ext::SlotInfoQuery { slot_index }).1.state;
    assert_eq!([state(&mut host, 0), state(&mut host, 1)], [UiccSlotState::ACTIVE, UiccSlotState::OFF]);
    let set = |host: &mut Host, slots: &[u32]| {
        let slot_map = slots.iter().map(|slot| ext::Slot { slot: *slot }).collect();
        host.set::<ext::DeviceSlotMappings>(&ext::DeviceSlotMappings { slot_map })
    };
    for wrong in [&[][..], &[2], &[0, 1], &[u32::MAX]] {
        assert_eq!(set(&mut host, wrong).0, Status::INVALID_PARAMETERS.0, "{wrong:?}");
    }
    let imsi =
        |host: &mut Host| host.query::<bc::SubscriberReady>(&bc::SubscriberReadyQuery {}).1.subscriber_id.into_inner();
    let first = imsi(&mut host);
    assert_eq!(set(&mut host, &[1]).1.slot_map[0].slot, 1);
    host.pass(Duration::ZERO);
    assert_eq!(imsi(&mut host), "001015512345699");
    assert_eq!([state(&mut host, 0), state(&mut host, 1)], [UiccSlotState::OFF, UiccSlotState::ACTIVE]);
    let told = host.indicated::<ext::SlotInfo>();
    assert!(told.iter().any(|told| (told.slot_index, told.state) == (1, UiccSlotState::NOT_READY)));
    assert_eq!(told.last().map(|told| (told.slot_index, told.state)), Some((1, UiccSlotState::ACTIVE)));
    set(&mut host, &[0]);
    host.pass(Duration::ZERO);
    assert_eq!(imsi(&mut host), first);
    host.order(Order::Slot(Slot::Empty));
    assert_eq!(state(&mut host, 0), UiccSlotState::EMPTY);
    host.order(Order::Slot(Slot::Card(Box::new(Sim { esim: true, ..Sim::default() }))));
    host.pass(Duration::ZERO);
    assert_eq!(state(&mut host, 0), UiccSlotState::ACTIVE_ESIM);
}

#[test]
fn capabilities_in_the_layout_of_each_release() {
    let profile = Profile { data_classes: 0xff, ..Profile::named("mbimex2").unwrap() };
    let mut host = Host::new(profile.clone(), MS_BASIC_CONNECT_EXT);
    let (status, caps) = host.query::<ext::DeviceCapsV2>(&ext::DeviceCapsV2Query {});
    assert_eq!((status, caps.data_class.0, caps.executor_index), (0, 0xff, 0));
    assert_eq!(caps.sms_caps, bc::SmsCaps::PDU_RECEIVE | bc::SmsCaps::PDU_SEND);
    let mut host = Host::agreed(Profile { release: Release::V3, ..profile });
    let (status, caps) = host.query::<ext::DeviceCapsV3>(&ext::DeviceCapsV2Query {});
    assert_eq!((status, caps.data_class.0, caps.data_subclass), (0, 0x7f, 3));
    assert_eq!((caps.hardware_info.as_str(), caps.lte_band_class.is_empty()), ("Virtual Modem", false));
}

/// From 4.0 on commands to the card say which slot they mean.
#[test]
fn with_release_4_the_slot_is_named() {
    let further_slots = vec![Slot::Card(Box::default())];
    let mut host = Host::agreed(Profile { release: Release::V4, further_slots, ..Profile::default() });
    let (status, ready) = host.query::<bc::SubscriberReadyV4>(&bc::SubscriberReadyQueryV4 { slot_id: 0 });
    assert_eq!((status, ready.slot_id, ready.ready_state), (0, 0, bc::SubscriberReadyState::INITIALIZED));
    let mut atr = |slot_id| host.query::<uicc::Atr>(&uicc::AtrQueryV4 { slot_id }).0;
    assert_eq!([atr(0), atr(1), atr(2)], [0, Status::NOT_INITIALIZED.0, Status::INVALID_PARAMETERS.0]);
    let open = |slot_id| uicc::OpenChannelSetV4 { channel_group: 5, slot_id, ..Default::default() };
    assert_eq!(host.set::<uicc::OpenChannel>(&open(1)).0, Status::NOT_INITIALIZED.0);
    let (status, opened) = host.set::<uicc::OpenChannel>(&open(0));
    assert_eq!((status, opened.status, opened.channel), (0, [0x90, 0, 0, 0], 1));
    // SELECT of the MF.
    let select = Personal::new(vec![0, 0xa4, 0, 4, 2, 0x3f, 0]);
    let apdu = uicc::ApduSetV4 { channel: 1, command: select, slot_id: 0, ..Default::default() };
    assert_eq!(host.set::<uicc::Apdu>(&apdu).1.status, [0x90, 0, 0, 0]);
    assert_eq!(host.set::<uicc::Apdu>(&uicc::ApduSetV4 { slot_id: 7, ..apdu }).0, Status::INVALID_PARAMETERS.0);
    let close = uicc::CloseChannelSetV4 { channel: 1, channel_group: 5, slot_id: 0 };
    assert_eq!(host.set::<uicc::CloseChannel>(&close).0, 0);
    let told = uicc::TerminalCapabilitySetV4 { slot_id: 0, terminal_capability: vec![OctetString(vec![0x81, 0])] };
    assert_eq!(host.set::<uicc::TerminalCapability>(&told).1.terminal_capability, told.terminal_capability);
    let asked = uicc::TerminalCapabilityQueryV4 { slot_id: 0 };
    assert_eq!(host.query::<uicc::TerminalCapability>(&asked).1.terminal_capability, told.terminal_capability);
    assert_eq!(host.query::<uicc::Reset>(&uicc::ResetQueryV4 { slot_id: 1 }).0, Status::NOT_INITIALIZED.0);
    let reset = uicc::ResetSetV4 { pass_through_action: uicc::UiccPassThroughAction::ENABLE, slot_id: 0 };
    assert_eq!(host.set::<uicc::Reset>(&reset).1.pass_through_status, uicc::UiccPassThroughStatus::ENABLED);
}

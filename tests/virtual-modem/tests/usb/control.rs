//! Enumeration and the control endpoint.

use crate::host::{Device, within};
use mbim_proto::class_request::ClassRequest;
use mbim_proto::descriptor::{Descriptors, NetworkCapabilities};
use mbim_proto::ntb::{InputSize, Parameters};
use mbim_proto::service::basic_connect::cid;
use tokio::sync::oneshot;
use virtual_modem::serve;
use virtual_modem::usb::{Control, Speed, UsbProfile, status};
use virtual_modem::{Profile, kind};

const STALL: i32 = status::STALL;

#[tokio::test]
async fn a_host_finds_the_function_at_either_speed() {
    for speed in [Speed::High, Speed::Super] {
        let profile = Profile { max_control_message: 512, max_outstanding: 3, ..Profile::default() };
        let look = UsbProfile { vendor: 0x2c7c, product: 0x0801, mtu: 1400, ..UsbProfile::default().at(speed) };
        let device = Device::new(look, profile).await;
        let mut host = device.host().await;
        let mut all = host.get(0x80, 6, 0x0100, 0, 18).await.unwrap().to_vec();
        let head = host.get(0x80, 6, 0x0200, 0, 9).await.unwrap();
        let total = u16::from_le_bytes([head[2], head[3]]);
        all.extend_from_slice(&host.get(0x80, 6, 0x0200, 0, total).await.unwrap());
        let read = Descriptors::parse(&all).unwrap();
        assert_eq!((read.device.vendor, read.device.product, read.cut), (0x2c7c, 0x0801, None));
        let (configuration, function) = read.functions().next().expect("an MBIM function");
        assert!(configuration.refused.is_empty());
        assert_eq!((function.communication, function.data, function.data_alternate), (0, 1, 1));
        let packet = if speed == Speed::Super { 1024 } else { 512 };
        assert_eq!((function.bulk_in.max_packet, function.bulk_out.max_packet), (packet, packet));
        assert_eq!((function.bulk_in.address, function.bulk_out.address, function.interrupt.address), (0x82, 2, 0x81));
        assert_eq!(function.mbim.max_control_message, 512);
        assert!(function.mbim.capabilities.contains(NetworkCapabilities::NTB_INPUT_SIZE_8));
        let extended = function.extended.unwrap();
        assert_eq!((extended.max_outstanding_command_messages, extended.mtu), (3, 1400));
        let current = u16::from(configuration.max_power) * if speed == Speed::Super { 8 } else { 2 };
        assert!(current <= if speed == Speed::Super { 900 } else { 500 }, "{current} mA");

        let serial = host.get(0x80, 6, 0x0303, 0x0409, 255).await.unwrap();
        let digits: String = serial[2..].chunks(2).map(|unit| char::from(unit[0])).collect();
        assert_eq!(digits, "352099746183058", "the IMEI");
        let bos = host.get(0x80, 6, 0x0f00, 0, 5).await;
        let qualifier = host.get(0x80, 6, 0x0600, 0, 10).await;
        assert_eq!((bos.is_ok(), qualifier.is_ok()), (speed == Speed::Super, speed == Speed::High));
        assert_eq!(host.get(0x80, 6, 0x0307, 0, 255).await, Err(STALL), "no such string");
    }
}

/// First the communication interface, then the data interface; before that it is NCM and nothing of MBIM is answered.
#[tokio::test]
async fn a_function_that_is_ncm_at_first_becomes_mbim_in_its_order() {
    let device = Device::new(UsbProfile { dual: true, ..UsbProfile::default() }, Profile::default()).await;
    let mut host = device.host().await;
    let mut all = host.get(0x80, 6, 0x0100, 0, 18).await.unwrap().to_vec();
    all.extend_from_slice(&host.get(0x80, 6, 0x0200, 0, 4096).await.unwrap());
    let read = Descriptors::parse(&all).unwrap();
    let (configuration, function) = read.functions().next().expect("an MBIM function");
    assert!(read.cut.is_none() && configuration.refused.is_empty() && function.ncm.is_some());
    assert_eq!((function.communication_alternate, function.data_alternate), (1, 2));
    host.configure().await;
    let alternates = async |host: &mut crate::host::Host| {
        let communication = host.get(0x81, 10, 0, 0, 1).await.unwrap();
        (communication[0], host.get(0x81, 10, 0, 1, 1).await.unwrap()[0])
    };
    assert_eq!(alternates(&mut host).await, (0, 0));
    assert_eq!(host.interface(2).await, Err(STALL), "it is NCM");
    assert_eq!(host.class(ClassRequest::get_ntb_parameters()).await, Err(STALL));
    assert_eq!(host.send(&[0; 16]).await, Err(STALL));
    host.interface(1).await.unwrap();
    assert_eq!(alternates(&mut host).await, (0, 1), "the setting of NCM");
    assert_eq!(host.put(0x01, 11, 2, 0).await, Err(STALL), "there is no such setting");
    host.put(0x01, 11, 1, 0).await.unwrap();
    host.interface(0).await.unwrap();
    host.class(ClassRequest::get_ntb_parameters()).await.unwrap();
    host.interface(2).await.unwrap();
    assert_eq!(alternates(&mut host).await, (1, 2));
    host.open().await;
}

#[tokio::test]
async fn standard_requests_follow_the_state() {
    let device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.host().await;
    assert_eq!(host.get(0x80, 8, 0, 0, 1).await.unwrap(), [0][..], "not configured");
    assert_eq!(host.get(0x81, 10, 0, 1, 1).await, Err(STALL), "no interfaces yet");
    assert_eq!(host.class(ClassRequest::get_ntb_parameters()).await, Err(STALL));
    assert_eq!(host.put(0, 9, 2, 0).await, Err(STALL), "no such configuration");
    host.configure().await;
    assert_eq!(host.get(0x80, 8, 0, 0, 1).await.unwrap(), [1][..]);
    host.put(0, 49, 40, 0).await.expect("SET_ISOCH_DELAY");
    assert_eq!(host.get(0x81, 10, 0, 1, 1).await.unwrap(), [0][..]);
    assert_eq!(host.interface(2).await, Err(STALL), "no such setting");
    assert_eq!(host.put(0x01, 11, 0, 7).await, Err(STALL), "no such interface");
    assert_eq!(host.get(0x82, 0, 0, 0x82, 2).await, Err(STALL), "no bulk endpoint at setting 0");
    host.interface(1).await.unwrap();
    assert_eq!(host.get(0x81, 10, 0, 1, 1).await.unwrap(), [1][..]);
    // Halt by the host, seen and taken back.
    host.put(0x02, 3, 0, 0x82).await.unwrap();
    assert_eq!(host.get(0x82, 0, 0, 0x82, 2).await.unwrap(), [1, 0][..]);
    let id = host.bulk_in(1024).await;
    assert_eq!(host.done(id).await.unwrap().status, STALL);
    host.put(0x02, 1, 0, 0x82).await.unwrap();
    assert_eq!(host.get(0x82, 0, 0, 0x82, 2).await.unwrap(), [0, 0][..]);
    // Transfers end with their setting.
    let id = host.bulk_in(1024).await;
    host.interface(0).await.unwrap();
    assert_eq!(host.done(id).await.unwrap().status, status::SHUTDOWN);
    assert_eq!(host.get(0xc0, 1, 0, 0, 8).await, Err(STALL), "vendor's");
}

#[tokio::test]
async fn high_speed_wakes_by_feature_and_super_speed_by_function() {
    for (speed, device_level) in [(Speed::High, true), (Speed::Super, false)] {
        let device = Device::new(UsbProfile::default().at(speed), Profile::default()).await;
        let mut host = device.host().await;
        host.configure().await;
        assert_eq!(host.put(0x00, 3, 1, 0).await.is_ok(), device_level);
        assert_eq!(host.get(0x80, 0, 0, 0, 2).await.unwrap(), [u8::from(device_level) << 1, 0][..]);
        assert_eq!(host.put(0x01, 3, 0, 0x0200).await.is_ok(), !device_level);
        assert_eq!(host.get(0x81, 0, 0, 0, 2).await.unwrap(), [if device_level { 0 } else { 3 }, 0][..]);
    }
}

#[tokio::test]
async fn transfer_parameters_are_set_where_they_are_legal() {
    let look = UsbProfile::default();
    let offered = look.to_host.max_size;
    let device = Device::new(look, Profile::default()).await;
    let mut host = device.host().await;
    host.configure().await;
    let bytes = host.class(ClassRequest::get_ntb_parameters()).await.unwrap();
    let parameters = Parameters::decode(&bytes).unwrap();
    assert_eq!((parameters.formats, parameters.in_max_size), (3, offered));
    let size = |max_size: u32| max_size.to_le_bytes();
    for (wanted, legal) in [(2047, false), (2048, true), (offered, true), (offered + 1, false)] {
        let answer = host.set(ClassRequest::SetNtbInputSize(4), &size(wanted)).await;
        assert_eq!(answer.is_ok(), legal, "{wanted}");
    }
    let long = InputSize { max_size: 4096, max_datagrams: Some(7) };
    host.set(ClassRequest::SetNtbInputSize(8), &long.encode()).await.unwrap();
    let now = host.class(ClassRequest::GetNtbInputSize(8)).await.unwrap();
    assert_eq!(InputSize::decode(&now), Ok(long));
    assert_eq!(host.set(ClassRequest::SetMaxDatagramSize, &2049_u16.to_le_bytes()).await, Err(STALL));
    host.set(ClassRequest::SetMaxDatagramSize, &1500_u16.to_le_bytes()).await.unwrap();
    assert_eq!(host.class(ClassRequest::GetMaxDatagramSize).await.unwrap(), 1500_u16.to_le_bytes()[..]);
    assert_eq!(host.set(ClassRequest::SetNtbFormat(2), &[]).await, Err(STALL));
    host.set(ClassRequest::SetNtbFormat(1), &[]).await.unwrap();
    host.interface(1).await.unwrap();
    // The kernel's own order: the format before, the sizes after.
    assert_eq!(host.set(ClassRequest::SetNtbFormat(0), &[]).await, Err(STALL), "not while data flow");
    assert_eq!(host.class(ClassRequest::GetNtbFormat).await.unwrap(), [1, 0][..]);
    host.set(ClassRequest::SetNtbInputSize(4), &size(16_384)).await.unwrap();
    // Idle again: everything is as it was.
    host.interface(0).await.unwrap();
    assert_eq!(host.class(ClassRequest::GetNtbFormat).await.unwrap(), [0, 0][..]);
    let now = InputSize::decode(&host.class(ClassRequest::GetNtbInputSize(4)).await.unwrap()).unwrap();
    assert_eq!(now.max_size, offered);
}

#[tokio::test]
async fn what_is_not_offered_stalls() {
    let look = UsbProfile {
        ntb32: false,
        max_datagram_size: false,
        long_input_size: false,
        insists_on_idle: true,
        stalls_when_empty: true,
        ..UsbProfile::default()
    };
    let device = Device::new(look, Profile::default()).await;
    let mut host = device.host().await;
    host.configure().await;
    let bytes = host.class(ClassRequest::get_ntb_parameters()).await.unwrap();
    assert_eq!(Parameters::decode(&bytes).unwrap().formats, 1);
    assert_eq!(host.class(ClassRequest::GetNtbFormat).await, Err(STALL));
    assert_eq!(host.set(ClassRequest::SetNtbFormat(0), &[]).await, Err(STALL));
    assert_eq!(host.class(ClassRequest::GetMaxDatagramSize).await, Err(STALL));
    assert_eq!(host.set(ClassRequest::SetNtbInputSize(8), &[0, 16, 0, 0, 0, 0, 0, 0]).await, Err(STALL));
    assert_eq!(host.class(ClassRequest::GetNtbInputSize(8)).await.unwrap().len(), 4);
    assert_eq!(host.class(ClassRequest::GetEncapsulatedResponse(4096)).await, Err(STALL), "nothing there");
    host.interface(1).await.unwrap();
    assert_eq!(host.set(ClassRequest::SetNtbInputSize(4), &[0, 16, 0, 0]).await, Err(STALL), "insists");
    // Class requests are the communication interface's.
    assert_eq!(host.control(ClassRequest::ResetFunction.setup(1), &[]).await, Err(STALL));
}

#[tokio::test]
async fn every_fragment_has_its_notification() {
    let profile = Profile { max_control_message: 64, ..Profile::default() };
    let device = Device::new(UsbProfile::default(), profile).await;
    let mut host = device.host().await;
    host.configure().await;
    host.send(&[1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0]).await.unwrap();
    host.response().await;
    let frame = host.frame(cid::DEVICE_CAPS, 0, &[]);
    assert_eq!(host.send(&[0; 65]).await, Err(STALL), "longer than wMaxControlMessage");
    host.send(&frame).await.unwrap();
    let first = host.response().await;
    let total = u32::from_le_bytes(first[12..16].try_into().unwrap());
    assert!(total > 2, "{total} fragments");
    for number in 1..total {
        let next = host.response().await;
        assert_eq!(next[16..20], number.to_le_bytes());
        assert!(next.len() <= 64);
    }
    let id = host.interrupt().await;
    assert!(!host.is_done(id).await, "no notification is left");
    assert!(host.fetch().await.is_empty(), "and no response");
    assert_eq!(host.unlink(id).await, status::UNLINKED);
}

#[tokio::test]
async fn reset_function_forgets_the_host() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.online(true, &[0]).await;
    let frame = host.frame(cid::DEVICE_CAPS, 0, &[]);
    host.send(&frame).await.unwrap();
    host.set(ClassRequest::ResetFunction, &[]).await.unwrap();
    assert!(host.fetch().await.is_empty(), "what was under way is abandoned");
    device
        .event(|event| {
            matches!(event, virtual_modem::usb::Event::Modem(virtual_modem::Output::SessionDown { session: 0 }))
        })
        .await;
    let (reply, state) = oneshot::channel();
    device.tell(Control::Modem(serve::Control::State(reply)));
    let state = within("the state", state).await.unwrap();
    assert!(!state.open && state.sessions.is_empty());
    assert_eq!(host.get(0x81, 10, 0, 1, 1).await.unwrap(), [1][..], "the setting stays");
    // A command needs an OPEN again.
    let frame = host.frame(cid::DEVICE_CAPS, 0, &[]);
    host.send(&frame).await.unwrap();
    assert_eq!(host.response().await[..4], kind::FUNCTION_ERROR.to_le_bytes());
    host.open().await;
}

#[tokio::test]
async fn an_unlinked_request_is_never_completed() {
    let device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.host().await;
    host.configure().await;
    let (first, second) = (host.interrupt().await, host.interrupt().await);
    assert_eq!(host.unlink(first).await, status::UNLINKED);
    assert_eq!(host.unlink(first).await, 0, "it is not there any more");
    host.send(&[1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0]).await.unwrap();
    assert_eq!(host.done(second).await.unwrap().data.len(), 8, "the notification went to the other one");
    assert!(!host.is_done(first).await);
    assert_eq!(host.unlink(second).await, 0, "it was completed before");
    assert_eq!(host.fetch().await.len(), 16);
}

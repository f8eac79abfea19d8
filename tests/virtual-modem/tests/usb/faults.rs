//! The device misbehaves on order, goes and comes.

use crate::host::{Device, Host, within};
use core::time::Duration;
use mbim_proto::class_request::ClassRequest;
use virtual_modem::serve::Closing;
use virtual_modem::usb::{Event, Pipe, UsbFault, UsbProfile, status};
use virtual_modem::{Order, Output, Profile};

const OPEN: [u8; 16] = [1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0];

#[tokio::test]
async fn stalls_and_halts() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.online(false, &[0]).await;
    device.tell(UsbFault::StallRequest(0x80));
    device.counters().await;
    assert_eq!(host.class(ClassRequest::get_ntb_parameters()).await, Err(status::STALL));
    assert!(host.class(ClassRequest::GetNtbFormat).await.is_ok());
    device.tell(UsbFault::StallControl);
    device.counters().await;
    assert_eq!(host.send(&OPEN).await, Err(status::STALL));
    host.get(0x80, 6, 0x0100, 0, 18).await.expect("enumeration goes on");
    device.tell(UsbFault::Clear);
    device.counters().await;
    host.send(&OPEN).await.unwrap();
    let (input, interrupt) = (host.bulk_in(1024).await, host.interrupt().await);
    device.tell(UsbFault::Halt(Pipe::BulkIn));
    assert_eq!(host.done(input).await.unwrap().status, status::STALL);
    let input = host.bulk_in(1024).await;
    assert_eq!(host.done(input).await.unwrap().status, status::STALL, "until it is cleared");
    host.put(0x02, 1, 0, 0x82).await.unwrap();
    let input = host.bulk_in(1024).await;
    assert!(!host.is_done(input).await);
    assert_eq!(host.done(interrupt).await.unwrap().status, 0, "the others go on");
}

#[tokio::test]
async fn a_silent_pipe_answers_nothing() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.online(false, &[0]).await;
    for pipe in [Pipe::Control, Pipe::Interrupt, Pipe::BulkIn, Pipe::BulkOut] {
        device.tell(UsbFault::Silent(pipe));
    }
    device.counters().await;
    device.sessions[0].to_host.send(vec![0x45; 20].into()).await.unwrap();
    let setup = ClassRequest::GetNtbFormat.setup(0);
    let ids = [
        host.submit(0, true, 0, setup.encode(), Vec::new(), 2).await,
        host.interrupt().await,
        host.bulk_in(1024).await,
        host.bulk_out(&[0; 100], false).await,
    ];
    for id in ids {
        assert!(!host.is_done(id).await);
    }
    assert_eq!(host.unlink(ids[2]).await, status::UNLINKED);
    device.tell(UsbFault::Clear);
    for id in [ids[0], ids[3]] {
        assert_eq!(host.done(id).await.unwrap().status, 0);
    }
    let id = host.bulk_in(1024).await;
    assert_eq!(host.done(id).await.unwrap().status, 0);
}

#[tokio::test]
async fn floods_and_garbage() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.online(false, &[0]).await;
    device.tell(UsbFault::Flood { every: Duration::from_millis(1) });
    for _ in 0..20 {
        assert!(host.response().await.is_empty(), "announced, and not there");
    }
    device.tell(UsbFault::Clear);
    device.tell(UsbFault::Garbage(vec![vec![0xff; 30], Vec::new(), vec![7; 1024]]));
    for size in [30, 0, 1024] {
        let id = host.bulk_in(4096).await;
        assert_eq!(host.done(id).await.unwrap().data.len(), size);
    }
    device.sessions[0].to_host.send(vec![0x45; 20].into()).await.unwrap();
    let id = host.bulk_in(4096).await;
    assert_eq!(host.done(id).await.unwrap().data[..4], *b"NCMH", "then it works again");
}

#[tokio::test]
async fn it_vanishes_in_the_middle_of_a_transfer() {
    for pipe in [Pipe::Control, Pipe::BulkIn, Pipe::BulkOut, Pipe::Interrupt] {
        let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
        let mut host = device.online(false, &[0]).await;
        device.tell(UsbFault::Vanish(pipe));
        device.counters().await;
        match pipe {
            Pipe::Control => {
                host.submit(0, true, 0, ClassRequest::GetNtbFormat.setup(0).encode(), Vec::new(), 2).await;
            }
            Pipe::BulkIn => {
                device.sessions[0].to_host.send(vec![0x45; 900].into()).await.unwrap();
                host.bulk_in(4096).await;
            }
            Pipe::BulkOut => {
                host.bulk_out(&[0; 100], false).await;
            }
            Pipe::Interrupt => {
                host.interrupt().await;
                host.send(&OPEN).await.unwrap();
            }
        }
        host.gone().await;
        device.event(|event| matches!(event, Event::Released(_))).await;
        device.event(|event| matches!(event, Event::Modem(Output::Unplugged))).await;
        // The next import is a new plug.
        let mut host = device.ready().await;
        assert_eq!(host.get(0x81, 10, 0, 1, 1).await.unwrap(), [0][..], "{pipe:?}");
    }
}

#[tokio::test]
async fn after_a_reboot_it_comes_back_maybe_as_another() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.online(false, &[0]).await;
    let look = UsbProfile { product: 0x0002, ..UsbProfile::default() };
    device.tell(virtual_modem::usb::Control::Look(Box::new(look)));
    device.tell(Order::Reboot);
    device.event(|event| matches!(event, Event::Modem(Output::SessionDown { session: 0 }))).await;
    device.event(|event| matches!(event, Event::Modem(Output::Rebooted))).await;
    host.gone().await;
    device.event(|event| matches!(event, Event::Released(None))).await;
    let mut host = device.ready().await;
    let descriptor = host.get(0x80, 6, 0x0100, 0, 18).await.unwrap();
    assert_eq!(descriptor[10..12], [2, 0]);
}

#[tokio::test]
async fn a_pulled_device_is_not_given_away() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.ready().await;
    device.tell(Order::Unplug);
    host.gone().await;
    device.event(|event| matches!(event, Event::Modem(Output::Unplugged))).await;
    assert!(Host::import(device.address, "1-1").await.is_none());
    device.tell(Order::Plug);
    device.counters().await;
    device.ready().await;
}

#[tokio::test]
async fn a_kept_modem_outlives_its_connection() {
    let mut device = Device::kept(UsbProfile::default(), Profile::default(), Closing::Keep, 8).await;
    let host = device.online(false, &[0]).await;
    drop(host);
    device.event(|event| matches!(event, Event::Released(None))).await;
    let mut host = device.host().await;
    host.configure().await;
    device.event(|event| matches!(event, Event::Imported)).await;
    // A configuration is a reset of the function: the sessions end here, and not with the connection.
    let ended = device.event(|event| matches!(event, Event::Modem(_))).await;
    assert_eq!(ended, Event::Modem(Output::SessionDown { session: 0 }));
    within("opening again", host.open()).await;
}

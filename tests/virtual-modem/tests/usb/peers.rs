//! Peers that do not keep to USB/IP, and several at once.

use crate::host::{Device, Host, within};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use virtual_modem::Profile;
use virtual_modem::usb::wire::{DEVICE, Operation, Request};
use virtual_modem::usb::{Event, Urb, UsbProfile};

async fn answer(device: &Device, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(device.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut all = Vec::new();
    // A connection that is closed on unread bytes may end with a reset.
    let _ = within("the end of the connection", stream.read_to_end(&mut all)).await;
    all
}

#[tokio::test]
async fn it_is_listed_and_given_to_one_at_a_time() {
    let device = Device::new(UsbProfile::default(), Profile::default()).await;
    let list = answer(&device, &Operation::List.bytes()).await;
    assert_eq!(list.len(), 12 + DEVICE + 8);
    assert_eq!(list[8..12], [0, 0, 0, 1]);
    assert!(Host::import(device.address, "1-2").await.is_none(), "another device");
    let host = device.ready().await;
    assert!(Host::import(device.address, "1-1").await.is_none(), "it is taken");
    assert_eq!(answer(&device, &Operation::List.bytes()).await.len(), list.len());
    drop(host);
}

#[tokio::test]
async fn strangers_are_shown_out_and_do_not_disturb() {
    let device = Device::new(UsbProfile::default(), Profile::default()).await;
    // Some say half of something and then nothing.
    let mut silent = Vec::new();
    for _ in 0..6 {
        let mut stream = TcpStream::connect(device.address).await.unwrap();
        stream.write_all(&[1, 0x11, 0x80]).await.unwrap();
        silent.push(stream);
    }
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[1, 0x11, 0x80, 9, 0, 0, 0, 0], &[0xff; 100]] {
        assert!(answer(&device, garbage).await.is_empty());
    }
    let mut host = device.ready().await;
    host.get(0x80, 8, 0, 0, 1).await.unwrap();
}

#[tokio::test]
async fn hostile_messages_end_the_connection_only() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let urb = |length, endpoint| {
        let mut bytes = BytesMut::new();
        let urb = Urb { id: 7, endpoint, input: false, flags: 0, length, setup: [0; 8], data: Bytes::new() };
        Request::Submit(urb).put(0x0001_0002, &mut bytes);
        bytes
    };
    let mut isochronous = urb(0, 2);
    isochronous[0x20..0x24].copy_from_slice(&[0, 0, 0, 8]);
    let mut unknown = urb(0, 2);
    unknown[3] = 77;
    for (what, bytes) in [
        ("a gigabyte", urb(1 << 30, 2)),
        ("the largest number", urb(u32::MAX as usize, 2)),
        ("endpoint 99", urb(0, 99)),
        ("isochronous", isochronous),
        ("an unknown command", unknown),
    ] {
        let mut host = device.ready().await;
        host.stream.write_all(&bytes).await.unwrap();
        host.gone().await;
        let Event::Released(Some(_)) = device.event(|event| matches!(event, Event::Released(_))).await else {
            panic!("{what}: the reason is told");
        };
    }
    device.ready().await;
}

#[tokio::test]
async fn requests_without_end_are_refused() {
    let mut device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut host = device.ready().await;
    let mut bytes = BytesMut::new();
    for id in 1000..4000 {
        let urb = Urb { id, endpoint: 1, input: true, flags: 0, length: 16, setup: [0; 8], data: Bytes::new() };
        Request::Submit(urb).put(0x0001_0002, &mut bytes);
    }
    // The device may close before it has read everything.
    let _ = host.stream.write_all(&bytes).await;
    device.event(|event| matches!(event, Event::Released(Some(_)))).await;
    device.ready().await;
}

#[tokio::test]
async fn a_message_may_come_byte_by_byte() {
    let device = Device::new(UsbProfile::default(), Profile::default()).await;
    let mut stream = TcpStream::connect(device.address).await.unwrap();
    let mut bytes = BytesMut::from(&Operation::Import(virtual_modem::usb::wire::bus_id("1-1")).bytes()[..]);
    let setup = [0x80, 6, 0, 1, 0, 0, 18, 0];
    let urb = Urb { id: 3, endpoint: 0, input: true, flags: 0, length: 18, setup, data: Bytes::new() };
    Request::Submit(urb).put(0x0001_0002, &mut bytes);
    for byte in &bytes {
        stream.write_all(&[*byte]).await.unwrap();
    }
    let mut reply = vec![0; 8 + DEVICE + 48 + 18];
    within("both answers", stream.read_exact(&mut reply)).await.unwrap();
    assert_eq!(reply[8 + DEVICE + 48..][..2], [18, 1]);
}

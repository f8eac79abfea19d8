//! Commands that a stranger encoded: captured from `mbimcli` 1.28.2 (Debian libmbim-utils) talking to this modem through
//! a pseudo-terminal. What they ask for must be what the modem understands.

#![allow(clippy::unwrap_used, reason = "a panic is the report, in helpers too")]

use core::time::Duration;
use virtual_modem::{Credentials, Lock, Network, Output, Profile, Slot, VirtualModem};

/// `--connect=session-id=1,access-string=internet,ip-type=ipv4v6,auth=chap,username=user,password=secret`
const CONNECT: &str = "0300000090000000020000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df0c00000001000000\
    6000000001000000010000003c000000100000004c00000008000000540000000c0000000000000002000000030000007e5e2a7e4e6f7272\
    736b656e7e5e2a7e69006e007400650072006e00650074007500730065007200730065006300720065007400";
/// The same with `--device-open-ms-mbimex-v3`.
const CONNECT_V3: &str = "0300000094000000040000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df0c00000001000000\
    6400000001000000010000000000000002000000030000007e5e2a7e4e6f7272736b656e7e5e2a7e000000000a0000001000000069006e00\
    7400650072006e00650074000a0000000800000075007300650072000a0000000c000000730065006300720065007400";
/// What it sends to agree on MBIMEx 3.0: DEVICE_SERVICES, then VERSION.
const AGREE_ON_V3: [&str; 2] = [
    "0300000030000000020000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df100000000000000000000000",
    "03000000340000000300000001000000000000003d01dcc5fef54d050d3abef7058e9aaf0f000000000000000400000000010003",
];
/// `--enable-pin=1234`
const ENABLE_PIN: &str = "0300000050000000020000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df0400000001000000\
    200000000200000001000000180000000800000000000000000000003100320033003400";
/// `--change-pin=1234,4321`
const CHANGE_PIN: &str = "0300000058000000020000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df0400000001000000\
    2800000002000000030000001800000008000000200000000800000031003200330034003400330032003100";
/// `--set-provisioned-contexts=context-id=1,context-type=purchase,access-string=purchase,auth=pap,username=u,password=p`
const PROVISION: &str = "0300000084000000020000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df0d00000001000000\
    5400000001000000b3272496ac6c422ba8c0acf687a272173c000000100000004c0000000200000050000000020000000000000001000000\
    0000000000000000700075007200630068006100730065007500000070000000";
/// `--set-ip-packet-filters=session-id=0,packet-filter=0102,packet-mask=ffff,filter-id=7`, MBIMEx 3.0.
const FILTERS_V3: &str = "0300000058000000040000000100000000000000a289cc33bcbb8b4fb6b0133ec2aae6df1700000001000000\
    28000000000000000100000010000000180000000200000010000000140000000700000001020000ffff0000";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Only the credentials that the stranger sent are taken.
fn opened() -> VirtualModem {
    let mut network = Network::default();
    network.apns[0].credentials =
        Some(Credentials { user: "user".into(), password: "secret".into(), protocols: vec![2] });
    let mut modem = VirtualModem::new(Profile { network, ..Profile::default() });
    say(&mut modem, "01000000100000000100000000100000");
    modem
}

/// Status and buffer of the answer.
fn say(modem: &mut VirtualModem, hex: &str) -> (u32, Vec<u8>) {
    modem.handle(Duration::ZERO, &bytes(hex));
    let mut answer = None;
    while let Some(output) = modem.poll() {
        if let Output::Transmit(frame) = output {
            let status = frame.get(40..44).map_or(0, |status| u32::from_le_bytes(status.try_into().unwrap()));
            answer = Some((status, frame.get(48..).unwrap_or_default().to_vec()));
        }
    }
    answer.unwrap()
}

#[test]
fn connect_is_understood_in_both_layouts() {
    let mut modem = opened();
    assert_eq!(say(&mut modem, CONNECT).0, 0);
    assert_eq!(modem.state().sessions[0].0, 1);
    let mut modem = opened();
    AGREE_ON_V3.iter().for_each(|command| assert_eq!(say(&mut modem, command).0, 0));
    assert_eq!(modem.state().release, 0x0300);
    assert_eq!(say(&mut modem, CONNECT_V3).0, 0);
    assert_eq!((modem.state().sessions[0].0, modem.state().sessions[0].1.ip_type), (1, 3));
}

#[test]
fn pin_contexts_and_filters_are_understood() {
    let mut modem = opened();
    assert_eq!([say(&mut modem, ENABLE_PIN).0, say(&mut modem, CHANGE_PIN).0], [0, 0]);
    assert!(matches!(&modem.profile().slot, Slot::Card(sim) if sim.pin1.is_enabled() && sim.pin1.lock() == Lock::Open));
    assert_eq!(say(&mut modem, CHANGE_PIN).0, 2, "1234 is the PIN no more");
    let (status, held) = say(&mut modem, PROVISION);
    assert_eq!((status, held[0]), (0, 1));
    assert!(held.ends_with(&bytes("700075007200630068006100730065007500000070000000")));
    let mut modem = opened();
    AGREE_ON_V3.iter().for_each(|command| assert_eq!(say(&mut modem, command).0, 0));
    let (status, held) = say(&mut modem, FILTERS_V3);
    assert_eq!((status, &held[..]), (0, &bytes(FILTERS_V3)[48..]));
}

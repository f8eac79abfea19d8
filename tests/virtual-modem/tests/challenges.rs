//! The card's keys and its toolkit, as a host meets them. `mbimcli` has no options for these.

mod support;

use mbim_proto::Body;
use mbim_proto::service::auth::{Aka, AkaQuery, Akap, AkapQuery, SimQuery, SimResponse};
use mbim_proto::service::stk::{
    StkEnvelope, StkEnvelopeQuery, StkEnvelopeSet, StkPac, StkPacNotify, StkPacQuery, StkPacSet, StkPacType,
    StkTerminalResponse, StkTerminalResponseSet,
};
use mbim_proto::service::{AUTH, STK};
use support::Host;
use virtual_modem::{Order, Profile};

/// Test set 1 of 3GPP TS 35.208.
const RAND: u128 = 0x23553cbe_9637a89d_218ae64d_ae47bf35;
const AUTN: u128 = 0x55f328b4_3577b9b9_4a9ffac3_54dfafb3;

#[test]
fn challenges_are_answered_refused_or_out_of_step() {
    let mut host = Host::new(Profile::default(), AUTH);
    let mut aka = |autn: u128| host.query::<Aka>(&AkaQuery { rand: RAND.to_be_bytes(), autn: autn.to_be_bytes() });
    let (status, answer) = aka(AUTN);
    assert_eq!((status, answer.res_len), (0, 8));
    assert_eq!(answer.res.reveal()[..8], 0xa54211d5_e3ba50bf_u64.to_be_bytes());
    assert_eq!(answer.ciphering_key.reveal(), &0xb40ba9a3_c58b2a05_bbf0d987_b21bf8cb_u128.to_be_bytes());
    assert_eq!(answer.integrating_key.reveal(), &0xf769bcd7_51044604_12767271_1c6d3441_u128.to_be_bytes());
    let (status, answer) = aka(AUTN + 1);
    assert_eq!((status, &answer.auts, answer.res_len), (36, b"resynchronise!", 0));
    assert_eq!(aka(AUTN + 2).0, 35, "a token that is not the network's");

    let mut akap = |autn: u128, network: &str| {
        let asked = AkapQuery { rand: RAND.to_be_bytes(), autn: autn.to_be_bytes(), network_name: network.into() };
        host.query::<Akap>(&asked).0
    };
    assert_eq!([akap(AUTN, "WLAN"), akap(AUTN + 1, "WLAN"), akap(AUTN, "HRPD")], [0, 37, 35]);

    let rand = |n: u128| (RAND + n).to_be_bytes();
    let mut sim = |n| host.query::<SimResponse>(&SimQuery { rand1: rand(0), rand2: rand(1), rand3: rand(9), n });
    let (status, answer) = sim(2);
    assert_eq!((status, answer.n, *answer.sres1.reveal(), *answer.kc3.reveal()), (0, 2, 0x46f8416a, 0));
    assert_eq!(*answer.kc1.reveal(), 0xeae4be82_3af9a08b);
    assert_eq!([sim(3).0, sim(1).0], [2, 21], "a challenge that it does not know, and too few of them");
}

#[test]
fn without_a_card_nothing_answers() {
    let mut host = Host::new(Profile::named("no-sim").expect("a profile"), AUTH);
    let asked = AkaQuery { rand: RAND.to_be_bytes(), autn: AUTN.to_be_bytes() };
    assert_eq!(host.query::<Aka>(&asked).0, 3);
}

/// Display text, then refresh, in BER-TLV.
const TEXT: [u8; 9] = [0xd0, 0x07, 0x81, 0x03, 0x01, 0x21, 0x80, 0x8d, 0x00];
const REFRESH: [u8; 7] = [0xd0, 0x05, 0x81, 0x03, 0x02, 0x01, 0x04];

#[test]
fn the_host_takes_the_toolkit_over() {
    let mut host = Host::new(Profile::default(), STK);
    let (_, before): (u32, StkPac) = host.query(&StkPacQuery {});
    assert_eq!([before.pac_support[0x21], before.pac_support[0x01], before.pac_support[0x03]], [1, 3, 2]);
    host.order(Order::Proactive(TEXT.to_vec()));
    assert!(host.indications.is_empty(), "nobody took it over");

    let mut pac_host_control = [0; 32];
    (pac_host_control[0x21 / 8], pac_host_control[0]) = (1 << (0x21 % 8), 1 << 1);
    let (status, after): (u32, StkPac) = host.set(&StkPacSet { pac_host_control });
    assert_eq!((status, after.pac_support[0x21], after.pac_support[0x01]), (0, 0, 4));
    let answer = StkTerminalResponseSet { response: vec![0x81, 3, 1, 0x21, 0x80].into() };
    assert_eq!(host.set::<StkTerminalResponse>(&answer).0, 28, "the card asked nothing");
    host.order(Order::Proactive(TEXT.to_vec()));
    host.order(Order::Proactive(REFRESH.to_vec()));
    let told: Vec<StkPacNotify> =
        host.indications.iter().map(|(_, _, buffer)| StkPacNotify::decode(buffer).expect("a notice")).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].pac_type, told[0].data_buffer.reveal().as_slice()), (StkPacType::PROACTIVE_COMMAND, &TEXT[..]));
    assert_eq!(told[1].pac_type, StkPacType::NOTIFICATION);
    let (status, said): (u32, StkTerminalResponse) = host.set(&answer);
    assert_eq!((status, said.status_words), (0, 0x9000));
    assert_eq!(host.set::<StkTerminalResponse>(&answer).0, 28, "once is enough");
    let long = StkTerminalResponseSet { response: vec![0; 256].into() };
    assert_eq!(host.set::<StkTerminalResponse>(&long).0, 26);

    let (_, support): (u32, StkEnvelope) = host.query(&StkEnvelopeQuery {});
    assert_eq!(support.envelope_support[0xd3 / 8] >> (0xd3 % 8) & 1, 1);
    let mut envelope = |data: &[u8]| host.set::<StkEnvelope>(&StkEnvelopeSet { data: data.to_vec().into() }).0;
    assert_eq!([envelope(&[0xd3, 0]), envelope(&[0xd4, 0]), envelope(&[])], [0, 9, 21]);
}

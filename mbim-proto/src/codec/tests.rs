#![allow(unreachable_pub, reason = "structures are declared public")]

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::codec::{MsArray, MsRef, Tlv, TlvKind, TlvU16s};
use crate::service::basic_connect::{
    ConnectInfoV3, ConnectSet, ConnectSetV3, DeviceServices, IpConfiguration, IpPacketFilters, PacketFilter, PinSet,
    RegisterStateSet, SignalStateV2, SubscriberReady, VisibleProviders,
};
use crate::service::structure;
use crate::{Body, EncodeError, Malformed, Problem};

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[track_caller]
fn refused<B: Body>(wire: &[u8]) -> Malformed {
    B::decode(wire).expect_err("refused")
}

#[test]
fn an_offset_near_the_end_of_numbers_does_not_wrap() {
    // ReadyState, then SubscriberId at 0xFFFFFFFC with 8 bytes.
    let error = refused::<SubscriberReady>(&words(&[1, u32::MAX - 3, 8, 0, 0, 0, 0]));
    assert_eq!(error.problem, Problem::OutOfBounds { offset: u32::MAX - 3, size: 8, limit: 28 });
    assert_eq!((error.body, error.field, error.offset), ("SubscriberReady", "subscriber_id", 4));
    let error = refused::<SubscriberReady>(&words(&[1, 0, 0, 8, u32::MAX, 0, 0]));
    assert_eq!((error.field, error.offset), ("sim_icc_id", 12));
}

#[test]
fn a_size_of_zero_ignores_the_offset() {
    let ready = SubscriberReady::decode(&words(&[1, u32::MAX, 0, 0, 0, 0, 0])).expect("an empty string");
    assert_eq!(ready.subscriber_id.reveal(), "");
}

#[test]
fn a_lying_count_is_refused_before_anything_is_allocated() {
    for count in [u32::MAX, 0x2000_0000, 2] {
        let error = refused::<SubscriberReady>(&words(&[1, 0, 0, 0, 0, 0, count, 0, 0]));
        assert_eq!(error.problem, Problem::TooMany { count, most: 1 });
        assert_eq!((error.field, error.offset), ("telephone_numbers", 28));
    }
    let error = refused::<IpConfiguration>(&words(&[0, 0, 0, u32::MAX, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(error.field, "ipv4_address");
    let error = refused::<SignalStateV2>(&words(&[99, 99, 0, 0, 0, 28, 8, u32::MAX]));
    assert_eq!(error.problem, Problem::TooMany { count: u32::MAX, most: 0 });
    assert_eq!(error.to_string(), "SignalStateV2.rsrp_snr at byte 32: 4294967295 elements announced, 0 could fit");
}

#[test]
fn the_field_that_is_cut_is_named() {
    let error = refused::<RegisterStateSet>(&words(&[0, 0, 1]));
    assert_eq!((error.field, error.offset), ("data_class", 12));
    assert_eq!(error.to_string(), "RegisterStateSet.data_class at byte 12: 4 bytes needed, 0 left");
}

#[test]
fn a_field_of_an_element_is_named_with_its_place_in_the_buffer() {
    // One provider at 12 whose name leaves the buffer.
    let element = words(&[0, 0, 8, 36, 100, 1, 99, 99]);
    let wire = [words(&[1, 12, 32]), element].concat();
    let error = refused::<VisibleProviders>(&wire);
    assert_eq!((error.body, error.field, error.offset), ("VisibleProviders", "provider_name", 12 + 12));
    assert_eq!(error.problem, Problem::OutOfBounds { offset: 36, size: 100, limit: 32 }, "from the element's start");
}

#[test]
fn overlapping_references_do_not_multiply_the_buffer() {
    // A thousand numbers, all the same four thousand bytes.
    let count = 1000;
    let mut wire = words(&[1, 0, 0, 0, 0, 0, count]);
    for _ in 0..count {
        wire.extend(words(&[28 + 8 * count, 4000]));
    }
    wire.resize(wire.len() + 4000, b'1');
    let error = refused::<SubscriberReady>(&wire);
    assert!(matches!(error.problem, Problem::Amplified { limit } if limit < 50_000), "{error}");

    // Services that all share one list of commands.
    let mut wire = words(&[count, 0]);
    for _ in 0..count {
        wire.extend(words(&[8 + 8 * count, 28]));
    }
    wire.extend(words(&[0, 0, 0, 0, 0, 0, 2000]));
    wire.resize(wire.len() + 8000, 0);
    assert!(matches!(refused::<DeviceServices>(&wire).problem, Problem::Amplified { .. }));
}

#[test]
fn a_host_does_not_send_what_is_too_long() {
    let long = ConnectSet { access_string: "a".repeat(101), ..Default::default() };
    let mut out = vec![];
    let error = long.encode_checked(&mut out).expect_err("202 bytes");
    assert_eq!(error, EncodeError::TooLong { field: "access_string", size: 202, most: 200 });
    assert_eq!(error.to_string(), "access_string takes 202 bytes, at most 200 are allowed");
    assert!(out.is_empty());
    let just = ConnectSet { access_string: "a".repeat(100), ..Default::default() };
    assert_eq!(just.encode_checked(&mut out), Ok(()));
    assert_eq!(ConnectSet::decode(&long.to_vec()), Ok(long), "reading takes it");

    let pin = PinSet { new_pin: "12345678901234567".into(), ..Default::default() };
    assert_eq!(pin.encode_checked(&mut out), Err(EncodeError::TooLong { field: "new_pin", size: 34, most: 32 }));
    let connect = ConnectSetV3 { password: "p".repeat(256).into(), ..Default::default() };
    let error = connect.encode_checked(&mut out);
    assert_eq!(error, Err(EncodeError::TooLong { field: "password", size: 512, most: 510 }));
}

#[test]
fn arrays_that_share_a_count_must_agree() {
    let filter = PacketFilter { packet_filter: vec![1, 2, 3], packet_mask: vec![0xff] };
    let set = IpPacketFilters { session_id: 0, packet_filters: vec![filter] };
    let error = set.encode_checked(&mut vec![]);
    assert_eq!(error, Err(EncodeError::CountDiffers { field: "packet_mask", size: 1, count: 3 }));
    let read = IpPacketFilters::decode(&set.to_vec()).expect("what the function sends");
    assert_eq!(read.packet_filters[0].packet_mask, [0xff, 0, 0]);
}

fn connect_v3(tail: &[u8]) -> Result<ConnectInfoV3, Malformed> {
    ConnectInfoV3::decode(&[&[0; 40], tail].concat())
}

#[test]
fn information_elements_are_read_generously() {
    let unknown = [0x77, 0x77, 9, 1, 3, 0, 0, 0, 1, 2, 3, 0];
    let kept = Tlv { kind: TlvKind(0x7777), data: vec![1, 2, 3] };
    let info = connect_v3(&unknown).expect("an unknown element");
    assert_eq!(
        (info.access_string.as_str(), &info.unnamed_ies[..]),
        ("", &[kept.clone()][..]),
        "the named one is missing"
    );
    assert_eq!(connect_v3(&unknown[..11]).expect("without padding").unnamed_ies, core::slice::from_ref(&kept));
    assert_eq!(connect_v3(&[&unknown[..], &[0; 7]].concat()).expect("a short tail").unnamed_ies, [kept]);
    let error = connect_v3(&unknown[..10]).expect_err("data cut short");
    assert_eq!((error.field, error.offset), ("unnamed_ies", 48));

    // The padding length is honoured even where it is not what alignment asks for.
    let padded = [10, 0, 0, 4, 4, 0, 0, 0, b'o', 0, b'k', 0, 0, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0];
    let info = connect_v3(&padded).expect("four bytes of padding");
    assert_eq!((info.access_string.as_str(), info.unnamed_ies.len()), ("ok", 1));
    // An odd length of text drops the last byte.
    let odd = [10, 0, 0, 1, 3, 0, 0, 0, b'o', 0, b'k', 0];
    assert_eq!(connect_v3(&odd).expect("an odd text").access_string, "o");
}

#[test]
fn an_information_element_that_says_4_gib_is_refused() {
    let error = connect_v3(&[10, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).expect_err("too long");
    assert_eq!(error.problem, Problem::Truncated { needed: u64::from(u32::MAX), left: 0 });
}

structure! {
    /// An element with text of its own.
    Cell {
        /// Text.
        name: String,
        /// A number.
        id: u64,
    }
}

structure! {
    /// Shapes of later services.
    Station {
        /// May be missing.
        serving: Option<Cell> = MsRef,
        /// Elements of different sizes.
        neighbours: Vec<Cell> = MsArray,
        /// Signed.
        offset: i32,
        /// Inline bytes.
        rand: [u8; 4],
        /// A truth value.
        wanted: bool,
    }
}

structure! {
    /// A tail.
    Bands {
        /// A number.
        executor: u32,
        /// A table behind the fixed part.
        lte: Vec<u16> = TlvU16s,
        /// Another one.
        nr: Vec<u16> = TlvU16s,
    }
}

fn station() -> Station {
    let cell = |name: &str, id| Cell { name: name.into(), id };
    Station {
        serving: Some(cell("s", 1)),
        neighbours: vec![cell("", 2), cell("odd", 3), cell("last", u64::MAX)],
        offset: -90,
        rand: [1, 2, 3, 4],
        wanted: true,
    }
}

#[test]
fn optional_structures_and_elements_with_text_come_back() {
    let mut wire = vec![];
    super::encode(&station(), &mut wire);
    assert_eq!(super::decode_used("Station", &wire), Ok((station(), wire.len())));
    let none = Station::default();
    wire.clear();
    super::encode(&none, &mut wire);
    assert_eq!(wire.len(), 28, "nothing in the data buffer");
    assert_eq!(super::decode("Station", &wire), Ok(none));
}

#[test]
fn structures_end_to_end_lie_as_documented() {
    let mut wire = vec![];
    super::encode(&station(), &mut wire);
    // serving at 28: 16 fixed, 4 of text; the block of neighbours at 48 holds the count, 16, 16+8, 16+8.
    assert_eq!(&wire[..16], words(&[28, 20, 48, 4 + 16 + 24 + 24]));
    assert_eq!(&wire[48..64], words(&[3, 0, 0, 2]));
    assert_eq!(&wire[68..76], words(&[16, 6]), "the offset counts from the element");
    assert_eq!(&wire[16..20], (-90i32).to_le_bytes());
}

#[test]
fn a_missing_table_is_empty() {
    let bands = Bands { executor: 1, lte: vec![1, 3, 20], nr: vec![78] };
    let mut wire = vec![];
    super::encode(&bands, &mut wire);
    assert_eq!(&wire[4..20], [11, 0, 0, 2, 6, 0, 0, 0, 1, 0, 3, 0, 20, 0, 0, 0]);
    assert_eq!(super::decode("Bands", &wire), Ok(bands));
    assert_eq!(super::decode("Bands", &wire[..20]).map(|b: Bands| (b.lte.len(), b.nr.len())), Ok((3, 0)));
    assert_eq!(super::decode("Bands", &wire[..4]), Ok(Bands { executor: 1, ..Default::default() }));
}

#[test]
fn every_number_but_zero_is_true() {
    let station: Station = super::decode("Station", &words(&[0, 0, 0, 0, 5, 0, 77])).expect("a station");
    assert!(station.wanted && station.neighbours.is_empty() && station.offset == 5);
}

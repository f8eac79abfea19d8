use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::Problem;

const DEVICE: [u8; 18] = [18, 1, 0, 2, 0xef, 2, 1, 64, 0x34, 0x12, 0x78, 0x56, 0x03, 0x01, 1, 2, 3, 1];

/// A function that is MBIM only, byte by byte after the tables of the specification, with descriptors between that are
/// none of ours.
const PLAIN: [u8; 100] = [
    9, 2, 100, 0, 2, 1, 0, 0xa0, 250, // configuration 1
    8, 0x0b, 0, 2, 2, 14, 0, 0, // association 0 and 1
    9, 4, 0, 0, 1, 2, 14, 0, 0, // communication
    5, 0x24, 0, 0x20, 1, // header
    12, 0x24, 0x1b, 0, 1, 0, 16, 32, 128, 0, 8, 0x20, // MBIM
    8, 0x24, 0x1c, 0, 3, 16, 0x78, 5, // extended
    5, 0x24, 6, 0, 1, // union
    7, 5, 0x81, 3, 16, 0, 5, // interrupt
    9, 4, 1, 0, 0, 10, 0, 2, 0, // data, idle
    9, 4, 1, 1, 2, 10, 0, 2, 0, // data
    3, 0x77, 1, // unknown
    7, 5, 0x82, 2, 0, 2, 0, // bulk in
    7, 5, 0x01, 2, 0, 2, 0, // bulk out
    2, 0x78, // unknown
];

fn plain() -> Function {
    let endpoint = |address, max_packet, interval| Endpoint { address, max_packet, interval, burst: None };
    Function {
        communication: 0,
        communication_alternate: 0,
        data: 1,
        data_alternate: 1,
        interrupt: endpoint(0x81, 16, 5),
        bulk_in: endpoint(0x82, 512, 0),
        bulk_out: endpoint(0x01, 512, 0),
        pairing: Pairing::Both,
        mbim: Mbim {
            version: 0x0100,
            max_control_message: 4096,
            filters: 32,
            max_filter_size: 128,
            max_segment_size: 2048,
            capabilities: NetworkCapabilities::NTB_INPUT_SIZE_8,
        },
        extended: Some(MbimExtended { version: 0x0300, max_outstanding_command_messages: 16, mtu: 1400 }),
        ncm: None,
    }
}

fn file(configurations: &[&[u8]]) -> Vec<u8> {
    let mut bytes = DEVICE.to_vec();
    configurations.iter().for_each(|one| bytes.extend(*one));
    bytes
}

/// The only function of a configuration, or what was refused.
fn only(configuration: &[u8]) -> Result<Function, Malformed> {
    let one = Configuration::decode(configuration)?;
    match (one.functions.as_slice(), one.refused.as_slice()) {
        ([function], []) => Ok(*function),
        ([], [malformed]) => Err(*malformed),
        other => panic!("{other:?}"),
    }
}

/// `PLAIN` with bytes replaced.
fn changed(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = PLAIN.to_vec();
    changes.iter().for_each(|(at, byte)| bytes[*at] = *byte);
    bytes
}

#[test]
fn a_plain_function_is_found() {
    let all = Descriptors::parse(&file(&[&PLAIN])).expect("descriptors");
    assert_eq!((all.device.vendor, all.device.product, all.device.release), (0x1234, 0x5678, 0x0103));
    assert_eq!((all.device.usb, all.device.class, all.device.strings), (0x0200, [0xef, 2, 1], [1, 2, 3]));
    assert_eq!((all.device.max_packet_0, all.device.configurations, all.cut), (64, 1, None));
    let [one] = all.configurations.as_slice() else { panic!("one configuration") };
    assert_eq!((one.value, one.attributes, one.max_power), (1, 0xa0, 250));
    assert_eq!((one.functions.as_slice(), one.refused.as_slice()), (&[plain()][..], &[][..]));
    assert_eq!(all.functions().count(), 1);
}

/// A later release of the specification may append to what is known.
#[test]
fn a_longer_functional_descriptor_is_read_as_far_as_it_is_known() {
    let kinds = [(0x1b, 12), (0x1c, 8), (0x06, 5)];
    for (kind, size) in kinds {
        let at = PLAIN.windows(3).position(|w| w == [size, 0x24, kind]).expect("the descriptor");
        let mut longer = PLAIN.to_vec();
        longer[at] += 2;
        longer.splice(at + usize::from(size)..at + usize::from(size), [0xaa, 0xbb]);
        longer[2] += 2;
        assert_eq!(only(&longer), Ok(plain()), "{kind:#x}");
    }
}

#[test]
fn configurations_stand_one_behind_the_other() {
    let other = [9, 2, 18, 0, 1, 2, 0, 0x80, 50, 9, 4, 0, 0, 0, 8, 6, 0x50, 0];
    let second = changed(&[(5, 3)]);
    let all = Descriptors::parse(&file(&[&other, &second])).expect("descriptors");
    let values: Vec<_> = all.configurations.iter().map(|one| (one.value, one.functions.len())).collect();
    assert_eq!((values, all.cut), (vec![(2, 0), (3, 1)], None));
    assert_eq!(all.functions().map(|(one, function)| (one.value, *function)).collect::<Vec<_>>(), [(3, plain())]);
}

#[test]
fn a_function_that_can_be_both_is_mbim_by_its_protocol() {
    let function = Function {
        communication_alternate: 1,
        data_alternate: 2,
        ncm: Some(Ncm {
            version: 0x0100,
            capabilities: 0x1b,
            ethernet: Ethernet {
                mac_address: 4,
                statistics: 0x0102_0304,
                max_segment_size: 1514,
                multicast_filters: 0x8003,
                power_filters: 1,
            },
        }),
        ..plain()
    };
    let one =
        Configuration { value: 1, attributes: 0x80, max_power: 0, functions: vec![function], refused: Vec::new() };
    let bytes = one.encode();
    assert_eq!(only(&bytes), Ok(function));
    // Linux goes by the numbers: 1 and 2 of a function that can be both.
    let settings: Vec<_> =
        bytes.windows(9).filter(|w| w.starts_with(&[9, 4])).map(|w| (w[2], w[3], w[4], [w[5], w[6], w[7]])).collect();
    assert_eq!(
        settings,
        [
            (0, 0, 1, [2, 13, 0]),
            (0, 1, 1, [2, 14, 0]),
            (1, 0, 0, [10, 0, 1]),
            (1, 1, 2, [10, 0, 1]),
            (1, 2, 2, [10, 0, 2]),
        ]
    );
    // Without the transfer setting of MBIM there is nothing to fall back on: the other one is NCM's.
    let at = bytes.windows(9).position(|w| w == [9, 4, 1, 2, 2, 10, 0, 2, 0]).expect("the setting");
    let mut ncm_only = bytes.clone();
    ncm_only[at + 7] = 1;
    assert_eq!(only(&ncm_only).map_err(|e| e.field), Err("mbim_transfer_alternate"));
}

#[test]
fn made_bytes_are_those_of_the_specification() {
    let one =
        Configuration { value: 1, attributes: 0xa0, max_power: 250, functions: vec![plain()], refused: Vec::new() };
    let mut wanted = vec![9, 2, 95, 0, 2, 1, 0, 0xa0, 250, 8, 0x0b, 0, 2, 2, 14, 0, 0, 9, 4, 0, 0, 1, 2, 14, 0, 0];
    wanted.extend([5, 0x24, 0, 0x20, 1, 5, 0x24, 6, 0, 1]);
    wanted.extend([12, 0x24, 0x1b, 0, 1, 0, 16, 32, 128, 0, 8, 0x20, 8, 0x24, 0x1c, 0, 3, 16, 0x78, 5]);
    wanted.extend([7, 5, 0x81, 3, 16, 0, 5, 9, 4, 1, 0, 0, 10, 0, 2, 0, 9, 4, 1, 1, 2, 10, 0, 2, 0]);
    wanted.extend([7, 5, 0x82, 2, 0, 2, 0, 7, 5, 0x01, 2, 0, 2, 0]);
    assert_eq!(one.encode(), wanted);
    assert_eq!(Device::decode(&DEVICE).map(|device| device.encode()), Ok(DEVICE));
}

#[test]
fn companions_of_superspeed_belong_to_their_endpoint() {
    let super_speed = |burst| Endpoint { max_packet: 1024, burst: Some(burst), ..plain().bulk_in };
    let function = Function {
        bulk_in: super_speed(7),
        bulk_out: Endpoint { address: 0x01, ..super_speed(3) },
        interrupt: Endpoint { burst: Some(0), ..plain().interrupt },
        ..plain()
    };
    let one =
        Configuration { value: 1, attributes: 0x80, max_power: 0, functions: vec![function], refused: Vec::new() };
    let bytes = one.encode();
    assert!(bytes.windows(13).any(|w| w == [7, 5, 0x82, 2, 0, 4, 0, 6, 0x30, 7, 0, 0, 0]));
    assert!(bytes.windows(13).any(|w| w == [7, 5, 0x81, 3, 16, 0, 5, 6, 0x30, 0, 0, 16, 0]));
    assert_eq!(only(&bytes), Ok(function));
}

#[test]
fn union_and_association_are_each_enough() {
    let (association, union) = (9, 51);
    assert_eq!(PLAIN[union..union + 3], [5, 0x24, 6]);
    let no_association = changed(&[(association + 1, 0x77)]);
    assert_eq!(only(&no_association), Ok(Function { pairing: Pairing::Union, ..plain() }));
    let no_union = changed(&[(union + 2, 0x77)]);
    assert_eq!(only(&no_union), Ok(Function { pairing: Pairing::Association, ..plain() }));
    let wrong_union = changed(&[(union + 4, 9)]);
    assert_eq!(only(&wrong_union), Ok(Function { pairing: Pairing::Association, ..plain() }));
    let neither = changed(&[(association + 1, 0x77), (union + 2, 0x77)]);
    let error = only(&neither).unwrap_err();
    assert_eq!((error.body, error.offset, error.problem), ("UnionFunctional", 17, Problem::Missing));
    let lost = changed(&[(association + 1, 0x77), (union + 4, 9)]);
    let error = only(&lost).unwrap_err();
    assert_eq!((error.field, error.offset, error.problem), ("subordinate_interface", union + 4, Problem::Missing));
    // An association that reaches beyond every number still ends.
    assert!(only(&changed(&[(association + 3, 255), (union + 2, 0x77)])).is_ok());
    assert!(only(&changed(&[(association + 3, 0), (union + 2, 0x77)])).is_err());
}

#[test]
fn the_only_setting_with_endpoints_may_call_itself_anything() {
    let at = PLAIN.windows(9).position(|w| w == [9, 4, 1, 1, 2, 10, 0, 2, 0]).expect("the setting");
    assert_eq!(only(&changed(&[(at + 7, 0)])), Ok(plain()));
    let moved = changed(&[(at + 3, 5)]);
    assert_eq!(only(&moved), Ok(Function { data_alternate: 5, ..plain() }));
}

#[test]
fn functional_descriptors_may_stand_in_another_setting() {
    // All of them behind setting 0, which is NCM; setting 1 is MBIM.
    let mut bytes = PLAIN.to_vec();
    bytes[17 + 6] = 13;
    let interrupt = PLAIN.windows(7).position(|w| w == [7, 5, 0x81, 3, 16, 0, 5]).expect("the endpoint");
    bytes.splice(interrupt..interrupt, [9, 4, 0, 1, 1, 2, 14, 0, 0]);
    bytes[2] += 9;
    assert_eq!(only(&bytes), Ok(Function { communication_alternate: 1, ..plain() }));
}

#[test]
fn wrong_fields_are_named() {
    let communication = 17;
    let (mbim, extended, interrupt) = (31, 43, 56);
    assert_eq!((PLAIN[mbim + 2], PLAIN[extended + 2]), (0x1b, 0x1c));
    let [bulk_in, bulk_out] =
        [0x82, 0x01].map(|address| PLAIN.windows(3).position(|w| w == [7, 5, address]).expect("an endpoint"));
    for (changes, offset, field) in [
        (&[(mbim + 2, 0x77)][..], communication, "descriptor"),
        (&[(mbim + 5, 63), (mbim + 6, 0)], mbim + 5, "max_control_message"),
        (&[(mbim + 9, 0), (mbim + 10, 0)], mbim + 9, "max_segment_size"),
        (&[(interrupt + 2, 0x01)], communication, "interrupt_endpoint"),
        (&[(interrupt + 2, 0x80)], interrupt + 2, "endpoint_address"),
        (&[(interrupt + 3, 2)], communication, "interrupt_endpoint"),
        (&[(bulk_in + 2, 0xf2)], bulk_in + 2, "endpoint_address"),
        (&[(bulk_in + 4, 0), (bulk_in + 5, 0)], bulk_in + 4, "max_packet_size"),
        (&[(bulk_in + 4, 1), (bulk_in + 5, 4)], bulk_in + 4, "max_packet_size"),
        (&[(bulk_out + 2, 0x83)], bulk_in - 12, "bulk_endpoint"),
        (&[(bulk_in + 1, 0x77), (bulk_out + 1, 0x77)], bulk_in - 21, "mbim_transfer_alternate"),
    ] {
        let error = only(&changed(changes)).unwrap_err();
        assert_eq!((error.offset, error.field), (offset, field), "{error}");
    }
    // Lengths that lie make the walk end or a field fall out.
    let shorter = Configuration::decode(&changed(&[(mbim, 11)])).unwrap_err();
    // The byte that was cut off, 0x20, becomes a length, and where that leads is none.
    assert_eq!((shorter.offset, shorter.field), (mbim + 11 + 0x20, "length"), "{shorter}");
    for length in [0, 1] {
        let error = Configuration::decode(&changed(&[(mbim, length)])).unwrap_err();
        let problem = Problem::Length { length: u32::from(length), least: 2, most: 100 - 31 };
        assert_eq!((error.offset, error.field, error.problem), (mbim, "length", problem));
    }
    let error = Configuration::decode(&changed(&[(mbim, 255)])).unwrap_err();
    assert_eq!((error.offset, error.problem), (mbim, Problem::Truncated { needed: 255, left: 100 - 31 }));
}

#[test]
fn a_short_functional_descriptor_names_the_missing_field() {
    let mut bytes = PLAIN.to_vec();
    bytes.drain(31 + 9..31 + 12);
    bytes[31] = 9;
    bytes[2] -= 3;
    let error = only(&bytes).unwrap_err();
    assert_eq!((error.body, error.field, error.offset), ("MbimFunctional", "max_segment_size", 40));
    assert_eq!(error.problem, Problem::Truncated { needed: 2, left: 0 });
}

#[test]
fn descriptors_cut_at_every_byte_say_where() {
    let whole = file(&[&PLAIN, &changed(&[(5, 2)])]);
    for size in 0..whole.len() {
        let parsed = Descriptors::parse(&whole[..size]);
        if size < 18 {
            let error = parsed.unwrap_err();
            assert_eq!(error.body, "DeviceDescriptor", "{size} bytes");
            assert!(error.offset <= size);
            continue;
        }
        let all = parsed.expect("the device is whole");
        let functions = all.functions().count();
        if size == 18 || size == 18 + PLAIN.len() {
            assert_eq!((all.cut, functions), (None, usize::from(size > 18)));
            continue;
        }
        let cut = all.cut.expect("where it ended");
        assert!(cut.offset <= size, "{size} bytes: {cut}");
        // Only what is missing is lost: a function is there as soon as its last endpoint is.
        let complete = |start: usize| usize::from(size >= start + PLAIN.len() - 2);
        assert_eq!(functions, complete(18) + complete(18 + PLAIN.len()), "{size} bytes");
        let refused: usize = all.configurations.iter().map(|one| one.refused.len()).sum();
        assert!(refused <= 1);
    }
}

#[test]
fn absurd_configurations_are_cut() {
    for (changes, field) in [
        (&[(0, 8)][..], "length"),
        (&[(1, 4)], "descriptor_type"),
        (&[(2, 8)], "total_length"),
        (&[(2, 0)], "total_length"),
    ] {
        let all = Descriptors::parse(&file(&[&changed(changes)])).expect("the device is whole");
        assert_eq!(
            (all.cut.map(|cut| (cut.offset - changes[0].0, cut.field)), all.functions().count()),
            (Some((18, field)), 0)
        );
    }
    // A total length beyond the end is noted, what is there is used.
    let all = Descriptors::parse(&file(&[&changed(&[(3, 0xff)])])).expect("the device is whole");
    assert_eq!((all.cut.map(|cut| cut.field), all.functions().count()), (Some("total_length"), 1));
    let all = Descriptors::parse(&file(&[&PLAIN, &[0; 40]])).expect("the device is whole");
    assert_eq!((all.cut.map(|cut| cut.offset), all.functions().count()), (Some(18 + 100), 1));
}

#[test]
fn many_settings_and_functions_are_bounded() {
    let mut bytes = PLAIN.to_vec();
    for n in 0..5000u32 {
        bytes.extend([9, 4, (n % 256) as u8, (n / 256) as u8, 0, 2, 14, 0, 0]);
    }
    let total = bytes.len() as u16;
    bytes[2..4].copy_from_slice(&total.to_le_bytes());
    let all = Descriptors::parse(&file(&[&bytes])).expect("the device is whole");
    assert_eq!(all.cut.map(|cut| cut.field), Some("alternate_setting"));
    let [one] = all.configurations.as_slice() else { panic!("one configuration") };
    assert_eq!(one.functions, [plain()], "what stands before is used");
    assert!(one.refused.len() <= MOST_ALTERNATES);
}

#[test]
fn several_functions_are_told_apart() {
    let function = |n: u8| Function {
        communication: 2 * n,
        data: 2 * n + 1,
        interrupt: Endpoint { address: 0x81 + n, ..plain().interrupt },
        pairing: if n == 1 { Pairing::Union } else { Pairing::Both },
        extended: plain().extended.filter(|_| n != 2),
        ..plain()
    };
    let functions: Vec<_> = (0..4).map(function).collect();
    let one = Configuration { value: 9, attributes: 0x80, max_power: 1, functions, refused: Vec::new() };
    let bytes = one.encode();
    assert_eq!(bytes[4], 8, "interfaces");
    assert_eq!(Configuration::decode(&bytes), Ok(one));
}

#[test]
fn the_extended_descriptor_may_be_missing() {
    assert_eq!(only(&changed(&[(43 + 2, 0x77)])), Ok(Function { extended: None, ..plain() }));
}

fn endpoint(input: bool, periodic: bool) -> impl Strategy<Value = Endpoint> {
    let burst = proptest::option::of(0..16u8);
    (1..16u8, 1..=1024u16, any::<u8>(), burst).prop_map(move |(number, max_packet, interval, burst)| Endpoint {
        address: number | if input { 0x80 } else { 0 },
        max_packet,
        interval: if periodic { interval } else { 0 },
        burst,
    })
}

fn function() -> impl Strategy<Value = Function> {
    let mbim = (any::<[u8; 5]>(), 64u16.., 1u16..).prop_map(
        |([v, w, filters, max_filter_size, capabilities], control, segment)| Mbim {
            version: u16::from_le_bytes([v, w]),
            max_control_message: control,
            filters,
            max_filter_size,
            max_segment_size: segment,
            capabilities: NetworkCapabilities(capabilities),
        },
    );
    let extended = any::<(u16, u8, u16)>().prop_map(|(version, most, mtu)| MbimExtended {
        version,
        max_outstanding_command_messages: most,
        mtu,
    });
    let ncm =
        any::<(u16, u8, u8, u32, u16, u16, u8)>().prop_map(|(version, capabilities, mac, stats, size, mc, power)| {
            Ncm {
                version,
                capabilities,
                ethernet: Ethernet {
                    mac_address: mac,
                    statistics: stats,
                    max_segment_size: size,
                    multicast_filters: mc,
                    power_filters: power,
                },
            }
        });
    let pairing = prop_oneof![Just(Pairing::Union), Just(Pairing::Association), Just(Pairing::Both)];
    let numbers = (0..254u8, any::<bool>(), any::<bool>(), 0..4u8);
    let endpoints = (endpoint(true, true), endpoint(true, false), endpoint(false, false));
    (numbers, endpoints, pairing, mbim, proptest::option::of(extended), proptest::option::of(ncm)).prop_map(
        |((low, swapped, both, data_alternate), (interrupt, bulk_in, bulk_out), pairing, mbim, extended, ncm)| {
            Function {
                communication: if swapped { low + 1 } else { low },
                communication_alternate: u8::from(both),
                data: if swapped { low } else { low + 1 },
                data_alternate,
                interrupt,
                bulk_in,
                bulk_out,
                pairing,
                mbim,
                extended,
                ncm,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_is_read(function in function(), value: u8, attributes: u8, max_power: u8, device: [u8; 16]) {
        let mut head = vec![18, 1];
        head.extend(device);
        let device = Device::decode(&head).map_err(|e| TestCaseError::fail(alloc::format!("{e}")))?;
        let one = Configuration { value, attributes, max_power, functions: vec![function], refused: Vec::new() };
        let all = Descriptors { device, configurations: vec![one.clone(), one], cut: None };
        prop_assert_eq!(Descriptors::parse(&all.encode()), Ok(all));
    }

    #[test]
    fn lies_and_garbage_are_read_without_panic(
        changes in proptest::collection::vec((0..PLAIN.len(), any::<u8>()), 0..6),
        garbage in proptest::collection::vec(any::<u8>(), 0..64),
        at in 0..=PLAIN.len(),
    ) {
        let mut bytes = changed(&changes);
        bytes.splice(at..at, garbage);
        if let Ok(all) = Descriptors::parse(&file(&[&bytes])) {
            // Functions that claim each other's interfaces are read as they stand; alone each comes back as it was.
            for (_, function) in all.functions() {
                let functions = vec![*function];
                let one = Configuration { value: 1, attributes: 0x80, max_power: 1, functions, refused: Vec::new() };
                prop_assert_eq!(Configuration::decode(&one.encode()), Ok(one));
            }
        }
        let _ = Configuration::decode(&bytes);
    }
}

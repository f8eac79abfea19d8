//! No sequence of requests upsets the device: nothing panics, every request is completed at most once and with no more
//! bytes than its buffer holds.

use bytes::Bytes;
use core::time::Duration;
use mbim_proto::class_request::Setup;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use virtual_modem::Profile;
use virtual_modem::usb::{Function, Happening, Pipe, Speed, Urb, UsbFault, UsbProfile};

/// One thing that happens to the device.
#[derive(Clone, Debug)]
enum Act {
    Submit { setup: Setup, endpoint: u8, input: bool, flags: u32, length: usize, data: Vec<u8> },
    Unlink(u32),
    Respond(usize),
    Pack(Vec<u8>),
    Take,
    Fault(usize),
}

/// Packets that are likely to mean something.
fn setup() -> impl Strategy<Value = Setup> {
    let kind = prop::sample::select(vec![0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x21, 0xa1, 0xc0]);
    let request = prop_oneof![0_u8..12, 0x80_u8..0x8b, 48_u8..50];
    let value = prop_oneof![0_u16..4, (0_u16..17).prop_map(|kind| kind << 8), any::<u16>()];
    let index = prop_oneof![0_u16..4, 0x80_u16..0x84, any::<u16>()];
    (kind, request, value, index, prop_oneof![0_u16..64, any::<u16>()])
        .prop_map(|(request_type, request, value, index, length)| Setup { request_type, request, value, index, length })
}

fn act() -> impl Strategy<Value = Act> {
    let submit = (
        setup(),
        0_u8..4,
        any::<bool>(),
        prop::sample::select(vec![0, 1, 0x40]),
        0_usize..3000,
        vec(any::<u8>(), 0..600),
    );
    prop_oneof![
        8 => submit.prop_map(|(setup, endpoint, input, flags, length, data)| {
            let data = if input { Vec::new() } else { data };
            let length = if input { length } else { data.len() };
            Act::Submit { setup, endpoint, input, flags, length, data }
        }),
        1 => (0_u32..200).prop_map(Act::Unlink),
        1 => (0_usize..5000).prop_map(Act::Respond),
        2 => vec(any::<u8>(), 0..3000).prop_map(Act::Pack),
        1 => Just(Act::Take),
        1 => (0_usize..7).prop_map(Act::Fault),
    ]
}

fn fault(number: usize) -> UsbFault {
    match number {
        0 => UsbFault::Silent(Pipe::BulkOut),
        1 => UsbFault::Silent(Pipe::Control),
        2 => UsbFault::Halt(Pipe::BulkIn),
        3 => UsbFault::Halt(Pipe::BulkOut),
        4 => UsbFault::Garbage(vec![vec![1; 700], Vec::new()]),
        5 => UsbFault::Flood { every: Duration::ZERO },
        _ => UsbFault::Clear,
    }
}

proptest! {
    #[test]
    fn no_sequence_of_requests_upsets_it(high in any::<bool>(), acts in vec(act(), 0..120)) {
        let speed = if high { Speed::High } else { Speed::Super };
        let mut function = Function::new(UsbProfile::default().at(speed), &Profile::default());
        function.connect();
        function.set_session(0, true);
        let mut pending = BTreeMap::new();
        let mut next = 0;
        // Configured and with its bulk pipes, so that most of what follows has a meaning.
        let begin = [(0x00, 9, 1, 0), (0x01, 11, 1, 1)].map(|(request_type, request, value, index)| {
            let setup = Setup { request_type, request, value, index, length: 0 };
            Act::Submit { setup, endpoint: 0, input: false, flags: 0, length: 0, data: Vec::new() }
        });
        for act in begin.into_iter().chain(acts) {
            match act {
                Act::Submit { setup, endpoint, input, flags, length, data } => {
                    next += 1;
                    pending.insert(next, (input, length));
                    let setup = setup.encode();
                    let urb = Urb { id: next, endpoint, input, flags, length, setup, data: data.into() };
                    prop_assert!(function.submit(urb).is_ok());
                }
                Act::Unlink(id) => {
                    let was_there = function.unlink(id);
                    prop_assert_eq!(was_there, pending.remove(&id).is_some(), "request {}", id);
                }
                Act::Respond(size) => function.respond(vec![7; size]),
                Act::Pack(bytes) => {
                    let mut one = Some((0, Bytes::from(bytes)));
                    function.pack(|| one.take());
                }
                Act::Take => function.taken(true),
                Act::Fault(number) => function.fault(Duration::ZERO, fault(number)),
            }
            while let Some(happening) = function.poll() {
                if let Happening::Done(done) | Happening::Torn(done) = happening {
                    let asked = pending.remove(&done.id);
                    prop_assert!(asked.is_some(), "request {} completed twice", done.id);
                    let (input, length) = asked.unwrap_or_default();
                    prop_assert!(done.actual <= length && (input || done.data.is_empty()), "{:?}", done);
                }
            }
        }
    }
}

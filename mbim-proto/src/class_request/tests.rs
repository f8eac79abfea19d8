use super::*;
use crate::Problem;
use crate::ntb::{Format, InputSize};

const ALL: [ClassRequest; 10] = [
    ClassRequest::SendEncapsulatedCommand(64),
    ClassRequest::GetEncapsulatedResponse(4096),
    ClassRequest::ResetFunction,
    ClassRequest::GetNtbParameters(28),
    ClassRequest::GetNtbFormat,
    ClassRequest::SetNtbFormat(1),
    ClassRequest::GetNtbInputSize(4),
    ClassRequest::SetNtbInputSize(8),
    ClassRequest::GetMaxDatagramSize,
    ClassRequest::SetMaxDatagramSize,
];

#[test]
fn requests_have_the_numbers_of_the_specification() {
    let wanted: [[u8; 8]; 10] = [
        [0x21, 0x00, 0, 0, 5, 0, 64, 0],
        [0xa1, 0x01, 0, 0, 5, 0, 0, 0x10],
        [0x21, 0x05, 0, 0, 5, 0, 0, 0],
        [0xa1, 0x80, 0, 0, 5, 0, 28, 0],
        [0xa1, 0x83, 0, 0, 5, 0, 2, 0],
        [0x21, 0x84, 1, 0, 5, 0, 0, 0],
        [0xa1, 0x85, 0, 0, 5, 0, 4, 0],
        [0x21, 0x86, 0, 0, 5, 0, 8, 0],
        [0xa1, 0x87, 0, 0, 5, 0, 2, 0],
        [0x21, 0x88, 0, 0, 5, 0, 2, 0],
    ];
    for (request, bytes) in ALL.into_iter().zip(wanted) {
        assert_eq!(request.setup(5).encode(), bytes, "{}", request.name());
        let setup = Setup::decode(bytes);
        assert_eq!(ClassRequest::from_setup(setup), Some(request));
        assert_eq!(setup.is_in(), request.name().starts_with("GET"));
        let turned = Setup { request_type: setup.request_type ^ 0x80, ..setup };
        assert_eq!(ClassRequest::from_setup(turned), None, "the other direction is no request");
    }
    assert_eq!(ClassRequest::get_ntb_parameters().setup(5).length, 28);
}

#[test]
fn requests_of_ncm_and_of_the_standard_are_none() {
    for code in [0x40, 0x44, 0x81, 0x82, 0x89, 0x8a, 0xff] {
        for request_type in [IN, OUT] {
            let setup = Setup { request_type, request: code, value: 0, index: 0, length: 0 };
            assert_eq!(ClassRequest::from_setup(setup), None);
        }
    }
    let standard = Setup { request_type: 0x80, request: 0x00, value: 0, index: 0, length: 2 };
    assert_eq!(ClassRequest::from_setup(standard), None);
}

#[test]
fn input_size_has_two_forms() {
    for (value, bytes) in [
        (InputSize { max_size: 0x1_2345, max_datagrams: None }, &[0x45, 0x23, 1, 0][..]),
        (InputSize { max_size: 2048, max_datagrams: Some(0x102) }, &[0, 8, 0, 0, 2, 1, 0, 0][..]),
    ] {
        assert_eq!(&value.encode()[..value.len()], bytes);
        assert_eq!(InputSize::decode(bytes), Ok(value));
    }
    for length in [0, 1, 3, 5, 7, 9, 20] {
        assert!(InputSize::decode(&[0; 20][..length]).is_err(), "{length} bytes");
    }
    assert_eq!(Format::from_code(2), None);
}

#[test]
fn notifications_are_read_as_written() {
    for (notification, bytes) in [
        (Notification::ResponseAvailable, &[0xa1, 0x01, 0, 0, 3, 0, 0, 0][..]),
        (Notification::NetworkConnection(true), &[0xa1, 0x00, 1, 0, 3, 0, 0, 0]),
        (
            Notification::ConnectionSpeedChange { down: 0x0102_0304, up: 5 },
            &[0xa1, 0x2a, 0, 0, 3, 0, 8, 0, 4, 3, 2, 1, 5, 0, 0, 0],
        ),
        (Notification::Other(0x77), &[0xa1, 0x77, 0, 0, 3, 0, 0, 0]),
    ] {
        let (written, size) = notification.encode(3);
        assert_eq!(&written[..size], bytes);
        assert_eq!(Notification::decode(bytes), Ok((notification, 3)));
        for cut in 0..size {
            assert!(Notification::decode(&bytes[..cut]).is_err(), "{notification:?} cut at {cut}");
        }
    }
    let error = Notification::decode(&[0x21, 1, 0, 0, 3, 0, 0, 0]).unwrap_err();
    assert_eq!((error.field, error.offset), ("request_type", 0));
    assert_eq!(error.problem, Problem::Unexpected { found: 0x21, wanted: 0xa1 });
}

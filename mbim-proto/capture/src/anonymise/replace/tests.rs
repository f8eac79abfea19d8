use mbim_proto::sms_pdu::{Deliver, Scheme};

use super::*;

fn replacer() -> Replacer {
    Replacer::new([7; 32])
}

fn text(text: &str) -> String {
    let mut text = text.to_owned();
    replacer().text(&mut text);
    text
}

#[test]
fn long_numbers_keep_their_beginning_and_their_check_digit() {
    for digits in
        ["001017394628051", "352099746183058", "8999004827193650378", "490154203237518", "89882390000012345678"]
    {
        let other = text(digits);
        assert_eq!((other.len(), &other[..KEPT]), (digits.len(), &digits[..KEPT]));
        assert_ne!(other.as_bytes()[KEPT], digits.as_bytes()[KEPT]);
        assert_eq!(luhn(other.as_bytes()), luhn(digits.as_bytes()), "{digits}");
        assert!((0..=digits.len() - 7).all(|at| !other.contains(&digits[at..at + 7])), "{digits} {other}");
    }
    assert!(luhn(b"352099746183058") || luhn(b"490154203237518"));
}

#[test]
fn texts_keep_their_shape() {
    let other = text("+1 (015) 827-3946, Zoë@host.Example 1F");
    let kind = |c: char| match c {
        c if c.is_ascii_digit() => '0',
        c if c.is_ascii_uppercase() => 'A',
        c if c.is_ascii_lowercase() => 'a',
        other => other,
    };
    let shape = |text: &str| text.chars().map(kind).collect::<String>();
    assert_eq!(shape(&other), "+0 (000) 000-0000, Aaa@aaaa.Aaaaaaa 0A");
    assert!(other.ends_with('F') && !other.contains("827") && !other.contains("host"), "{other}");
    assert_eq!(text("10158273946"), text("+10158273946")[1..], "the same number everywhere");
    assert_eq!(text("0000"), "0000");
    assert_eq!(text("😀").encode_utf16().count(), 2);
}

#[test]
fn another_secret_gives_other_values() {
    let mut other = Replacer::new([8; 32]);
    let mut imsi = "001017394628051".to_owned();
    other.text(&mut imsi);
    assert_ne!(imsi, text("001017394628051"));
    assert!(!format!("{other:?}").contains("8, 8"));
}

#[test]
fn a_number_on_the_card_is_that_of_the_text() {
    let pack = |digits: &str| {
        let nibbles: Vec<u8> = digits.bytes().map(|digit| if digit == b'F' { 15 } else { digit - b'0' }).collect();
        nibbles.chunks(2).map(|pair| pair[0] | pair[1] << 4).collect::<Vec<u8>>()
    };
    let mut by = replacer();
    let mut iccid = pack("8999004827193650378F");
    by.meaning = Meaning::OnCard(File::Iccid);
    by.octets(&mut iccid);
    assert_eq!(iccid, pack(&(text("8999004827193650378") + "F")));
    let mut imsi = [vec![8], pack("9001017394628051")].concat();
    by.meaning = Meaning::OnCard(File::Imsi);
    by.octets(&mut imsi);
    assert_eq!(imsi, [vec![8], pack(&("9".to_owned() + &text("001017394628051")))].concat());
}

#[test]
fn unknown_bytes_become_others_of_the_same_length() {
    let mut by = replacer();
    let mut made = [0x11, 0x22, 0x33];
    by.octets(&mut made);
    assert_ne!(made, [0x11, 0x22, 0x33]);
    for nothing in [[0; 4], [0xff; 4]] {
        let mut same = nothing;
        by.octets(&mut same);
        assert_eq!(same, nothing, "nothing is there");
    }
    let mut answer = *b"\r\n001017394628051\r\n\r\nOK\r\n";
    by.octets(&mut answer);
    let answer = core::str::from_utf8(&answer).unwrap();
    assert!(answer.contains(&text("001017394628051")), "{answer:?}");
}

#[test]
fn a_short_message_stays_one() {
    let deliver = Deliver {
        originator: Address::number("+10158273946"),
        user_data: UserData { content: Content::Text("Your code is 8273946 €".into()), ..UserData::default() },
        ..Deliver::default()
    };
    let pdu = Pdu { service_centre: Some(Address::number("+4917000")), tpdu: Tpdu::Deliver(deliver) };
    for scheme in [Scheme(0), Scheme(8)] {
        let mut pdu = pdu.clone();
        if let Tpdu::Deliver(deliver) = &mut pdu.tpdu {
            deliver.scheme = scheme;
        }
        let octets = pdu.encode().unwrap();
        let (mut by, mut made) = (replacer(), octets.clone());
        by.meaning = Meaning::ShortMessage;
        by.octets(&mut made);
        let read = Pdu::decode(&made).unwrap();
        let Tpdu::Deliver(deliver) = &read.tpdu else { panic!("{read:?}") };
        assert_eq!(deliver.originator.written(), text("+10158273946"));
        let Content::Text(says) = &deliver.user_data.content else { panic!("text") };
        assert_eq!(*says, text("Your code is 8273946 €"));
        assert_eq!(made.len(), octets.len());
    }
}

#[test]
fn numbers_stay_as_long_as_they_are() {
    let mut by = replacer();
    for number in [1u64, 2, 511, 0x1234, 0x0abc_def0, 0x1234_5678_9abc] {
        let other = by.number(number, 64);
        assert_eq!(other.ilog2(), number.ilog2());
        assert!(other != number || number == 1, "{number}");
        assert_eq!(other, by.number(number, 64));
    }
    for nothing in [0, 0xffff, u64::from(u32::MAX)] {
        assert_eq!(by.number(nothing, 32), nothing);
    }
}

#[test]
fn addresses_keep_class_and_neighbourhood() {
    let mut by = replacer();
    let [host, gateway, far] =
        ["10.64.33.6", "10.64.33.5", "10.65.33.6"].map(|text| by.ipv4(text.parse().unwrap()).octets());
    assert_eq!((host[..3].to_vec(), host[3] & 7, host[0]), (gateway[..3].to_vec(), 6, 10));
    assert_ne!(host, [10, 64, 33, 6]);
    assert_ne!(host[1], far[1]);
    for same in ["0.0.0.0", "127.0.0.1", "255.255.255.255", "192.0.0.4"] {
        assert_eq!(by.ipv4(same.parse().unwrap()).to_string(), same);
    }
    let [one, two] = ["2001:db8:1:2::1", "2001:db8:1:2::9"].map(|text| by.ipv6(text.parse().unwrap()));
    assert_eq!((one.segments()[..7].to_vec(), one.segments()[0]), (two.segments()[..7].to_vec(), 0x2001));
    assert_ne!(one.segments()[1..4], [0xdb8, 1, 2]);
    assert!(by.ipv6("fe80::1".parse().unwrap()).is_unicast_link_local());
}

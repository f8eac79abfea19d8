//! The network's NAT64: its prefix from the answer for `ipv4only.arpa` `[RFC 7050]`, and addresses made with it `[RFC 6052]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The name that has two well-known IPv4 addresses and no IPv6 address of its own.
pub(super) const WELL_KNOWN: &str = "ipv4only.arpa";
/// Its addresses.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
/// Lengths that a prefix may have, the usual one first. `[RFC 6052 2.2]`
pub(crate) const LENGTHS: [u8; 6] = [96, 64, 56, 48, 40, 32];

/// The prefix behind an answer for [`WELL_KNOWN`]; `None` where the address was not made with one.
pub(super) fn prefix(answer: &[IpAddr]) -> Option<(Ipv6Addr, u8)> {
    answer.iter().find_map(|address| {
        let IpAddr::V6(v6) = address else { return None };
        LENGTHS.into_iter().find(|length| extract(*v6, *length).is_some_and(|v4| ADDRESSES.contains(&v4))).map(
            |length| {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                (Ipv6Addr::from_bits(v6.to_bits() & mask), length)
            },
        )
    })
}

/// The address by which an IPv4 host is reached through the translator.
pub(super) fn embed((prefix, length): (Ipv6Addr, u8), v4: Ipv4Addr) -> Ipv6Addr {
    let mut octets = prefix.octets();
    for (at, octet) in places(length).zip(v4.octets()) {
        if let Some(place) = octets.get_mut(at) {
            *place = octet;
        }
    }
    octets.into()
}

/// Whether the address was made with the prefix.
pub(super) fn is_inside((prefix, length): (Ipv6Addr, u8), address: Ipv6Addr) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
    (address.to_bits() ^ prefix.to_bits()) & mask == 0
}

fn extract(address: Ipv6Addr, length: u8) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let mut v4 = [0; 4];
    for (place, at) in v4.iter_mut().zip(places(length)) {
        *place = *octets.get(at)?;
    }
    Some(v4.into())
}

/// Where the four octets stand: behind the prefix, but for octet 8, which is zero.
fn places(length: u8) -> impl Iterator<Item = usize> {
    (usize::from(length / 8)..16).filter(move |at| *at != 8).take(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6052() {
        let v4 = Ipv4Addr::new(192, 0, 2, 33);
        for (prefix, length, whole) in [
            ("2001:db8::", 32, "2001:db8:c000:221::"),
            ("2001:db8:100::", 40, "2001:db8:1c0:2:21::"),
            ("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"),
        ] {
            let (prefix, whole): (Ipv6Addr, Ipv6Addr) = (prefix.parse().unwrap(), whole.parse().unwrap());
            assert_eq!(embed((prefix, length), v4), whole);
            assert_eq!(extract(whole, length), Some(v4));
            assert!(is_inside((prefix, length), whole));
            assert!(!is_inside((prefix, length), Ipv6Addr::LOCALHOST));
            let known = embed((prefix, length), ADDRESSES[1]);
            assert_eq!(super::prefix(&[IpAddr::V6(known)]), Some((prefix, length)), "{known}");
        }
        assert_eq!(prefix(&[IpAddr::V6("2001:db8::1".parse().unwrap()), IpAddr::V4(ADDRESSES[0])]), None);
    }
}

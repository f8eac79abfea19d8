//! What IP_CONFIGURATION says → what may be put on an interface. Nothing from the network is trusted: a field that
//! cannot be is left out and named. `[MBIM1.0 10.5.15]`, `[MBIM reference, 17]`

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::snapshot::IpSettings;

/// Most addresses and servers of one family that are used.
const MOST: usize = 8;

/// The fields of IP_CONFIGURATION that its availability bits allow to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) ipv4: Vec<(Ipv4Addr, u32)>,
    pub(super) ipv6: Vec<(Ipv6Addr, u32)>,
    pub(super) gateway4: Option<Ipv4Addr>,
    pub(super) gateway6: Option<Ipv6Addr>,
    pub(super) dns4: Vec<Ipv4Addr>,
    pub(super) dns6: Vec<Ipv6Addr>,
    pub(super) mtu4: Option<u32>,
    pub(super) mtu6: Option<u32>,
}

/// What is left after checking, and the names of fields that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) settings: IpSettings,
    pub(super) refused: Vec<&'static str>,
}

pub(super) fn check(told: &Told) -> Checked {
    let mut refused = Vec::new();
    let mut settings = IpSettings::default();
    for (address, prefix) in told.ipv4.iter().take(MOST) {
        match u8::try_from(*prefix) {
            Ok(prefix @ 1..=32) if is_host4(*address) => push_new(&mut settings.ipv4, (*address, prefix)),
            _ => refused.push("IPv4Address"),
        }
    }
    for (address, prefix) in told.ipv6.iter().take(MOST) {
        match u8::try_from(*prefix) {
            Ok(prefix @ 1..=128) if is_host6(*address) => {
                let link_local = address.is_unicast_link_local();
                settings.slaac |= link_local;
                // A global address alone on its link still shares a /64 with the network. [MBIM reference, 17]
                let prefix = if prefix == 128 { 64 } else { prefix };
                push_new(&mut settings.ipv6, (*address, prefix));
            }
            _ => refused.push("IPv6Address"),
        }
    }
    settings.gateway4 = told.gateway4.filter(|gateway| keep(is_host4(*gateway), "IPv4Gateway", &mut refused));
    settings.gateway6 = told.gateway6.filter(|gateway| keep(is_host6(*gateway), "IPv6Gateway", &mut refused));
    for server in told.dns4.iter().take(MOST) {
        if keep(is_host4(*server), "IPv4DnsServer", &mut refused) {
            push_new(&mut settings.dns, IpAddr::V4(*server));
        }
    }
    for server in told.dns6.iter().take(MOST) {
        if keep(is_host6(*server), "IPv6DnsServer", &mut refused) {
            push_new(&mut settings.dns, IpAddr::V6(*server));
        }
    }
    let least = if settings.ipv6.is_empty() { 576 } else { 1280 };
    let mut mtus = Vec::new();
    for (mtu, field) in [(told.mtu4, "IPv4Mtu"), (told.mtu6, "IPv6Mtu")] {
        // 0 is how modems say that they do not know.
        if let Some(mtu) = mtu.filter(|mtu| *mtu != 0)
            && keep((least..=65_535).contains(&mtu), field, &mut refused)
        {
            mtus.push(mtu);
        }
    }
    settings.mtu = mtus.into_iter().min();
    Checked { settings, refused }
}

fn keep(good: bool, field: &'static str, refused: &mut Vec<&'static str>) -> bool {
    if !good {
        refused.push(field);
    }
    good
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn is_host4(address: Ipv4Addr) -> bool {
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.is_broadcast())
        && address.octets()[0] != 0
}

fn is_host6(address: Ipv6Addr) -> bool {
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast()) && address.to_ipv4_mapped().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn dual_stack_as_networks_give_it() {
        let told = Told {
            ipv4: vec![(Ipv4Addr::new(10, 64, 0, 2), 24)],
            ipv6: vec![(v6("2001:db8:64::2"), 128)],
            gateway4: Some(Ipv4Addr::new(10, 64, 0, 1)),
            dns4: vec![Ipv4Addr::new(10, 64, 0, 1), Ipv4Addr::new(10, 64, 0, 1)],
            dns6: vec![v6("2001:db8:64::1")],
            mtu4: Some(1500),
            mtu6: Some(1428),
            ..Told::default()
        };
        let checked = check(&told);
        assert!(checked.refused.is_empty(), "{checked:?}");
        let settings = checked.settings;
        assert_eq!(settings.ipv6, [(v6("2001:db8:64::2"), 64)], "128 is read as 64");
        assert_eq!(settings.dns.len(), 2);
        assert_eq!((settings.mtu, settings.slaac), (Some(1428), false));
    }

    #[test]
    fn a_link_local_address_asks_for_slaac() {
        let checked = check(&Told { ipv6: vec![(v6("fe80::1"), 64)], ..Told::default() });
        assert!(checked.settings.slaac);
    }

    #[test]
    fn what_cannot_be_is_left_out_and_named() {
        let told = Told {
            ipv4: vec![
                (Ipv4Addr::UNSPECIFIED, 24),
                (Ipv4Addr::LOCALHOST, 8),
                (Ipv4Addr::new(224, 0, 0, 1), 24),
                (Ipv4Addr::new(10, 0, 0, 1), 33),
                (Ipv4Addr::new(10, 0, 0, 1), 0),
                (Ipv4Addr::new(10, 0, 0, 1), u32::MAX),
            ],
            ipv6: vec![(Ipv6Addr::LOCALHOST, 128), (v6("ff02::1"), 64), (v6("2001:db8::1"), 129)],
            gateway4: Some(Ipv4Addr::BROADCAST),
            gateway6: Some(Ipv6Addr::UNSPECIFIED),
            dns4: vec![Ipv4Addr::UNSPECIFIED],
            dns6: vec![v6("::ffff:10.0.0.1")],
            mtu4: Some(68),
            mtu6: Some(70_000),
        };
        let checked = check(&told);
        assert_eq!(checked.settings, IpSettings::default());
        assert_eq!(checked.refused.len(), 6 + 3 + 2 + 2 + 2, "{:?}", checked.refused);
    }

    #[test]
    fn small_mtu_is_for_ipv4_alone() {
        let four = Told { ipv4: vec![(Ipv4Addr::new(10, 0, 0, 1), 32)], mtu4: Some(1000), ..Told::default() };
        assert_eq!(check(&four).settings.mtu, Some(1000));
        let both = Told { ipv6: vec![(v6("2001:db8::1"), 64)], ..four };
        assert_eq!(check(&both).settings.mtu, None);
        let unknown = Told { mtu4: Some(0), ..both };
        assert_eq!(check(&unknown).refused, Vec::<&str>::new(), "0 = not told");
    }

    #[test]
    fn too_many_are_cut() {
        let many = (0..100).map(|n| (Ipv4Addr::new(10, 0, 0, n + 1), 24)).collect();
        assert_eq!(check(&Told { ipv4: many, ..Told::default() }).settings.ipv4.len(), MOST);
    }
}

//! What arrays of the wire are kept in.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{Field, Reader};
use crate::Malformed;

/// A list that holds up to as many elements in place as the array has, and any number on the heap: what a modem usually
/// answers is decoded without an allocation. A slice in everything but its making, which [`list!`](crate::list) does.
pub type List<T, const N: usize> = SmallVec<[T; N]>;

/// What an array of the wire is kept in: a [`Vec`], or a [`List`] where there usually are few elements.
pub trait Elements: Default {
    /// One element.
    type Item: Field;

    /// An empty one with room for elements that are announced. They may be a lie: only so much is reserved.
    fn announced(count: u32) -> Self;
    /// Adds one.
    fn add(&mut self, element: Self::Item);
    /// All of them.
    fn all(&self) -> &[Self::Item];
    /// All of them, to be changed.
    fn all_mut(&mut self) -> &mut [Self::Item];
}

/// Elements are only ever allocated as they are read; this much is reserved ahead at most.
const MOST_RESERVED: u32 = 16;

impl<T: Field> Elements for Vec<T> {
    type Item = T;

    fn announced(count: u32) -> Self {
        Self::with_capacity(count.min(MOST_RESERVED) as usize)
    }
    fn add(&mut self, element: T) {
        self.push(element);
    }
    fn all(&self) -> &[T] {
        self
    }
    fn all_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<A: smallvec::Array<Item: Field>> Elements for SmallVec<A> {
    type Item = A::Item;

    fn announced(count: u32) -> Self {
        Self::with_capacity(count.min(MOST_RESERVED) as usize)
    }
    fn add(&mut self, element: A::Item) {
        self.push(element);
    }
    fn all(&self) -> &[A::Item] {
        self
    }
    fn all_mut(&mut self) -> &mut [A::Item] {
        self
    }
}

/// Takes as many elements as were announced.
pub(super) fn gather<L: Elements>(
    count: u32,
    r: &mut Reader<'_>,
    mut take: impl FnMut(&mut Reader<'_>) -> Result<L::Item, Malformed>,
) -> Result<L, Malformed> {
    let mut all = L::announced(count);
    for _ in 0..count {
        all.add(take(r)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use core::net::{Ipv4Addr, Ipv6Addr};

    use crate::service::basic_connect::{
        IpConfiguration, Ipv4Element, Ipv6Element, RsrpSnrInfo, SignalStateV2, SubscriberReady,
    };
    use crate::{Body, list};

    fn configuration(addresses: u8, servers: u8) -> IpConfiguration {
        let element = |n| Ipv4Element { on_link_prefix_length: 30, ipv4_address: Ipv4Addr::new(10, 0, 0, n) };
        let wide = |n: u8| Ipv6Element { on_link_prefix_length: 64, ipv6_address: Ipv6Addr::from([n; 16]) };
        IpConfiguration {
            ipv4_address: (0..addresses).map(element).collect(),
            ipv6_address: (0..addresses).map(wide).collect(),
            ipv4_dns_server: (0..servers).map(|n| Ipv4Addr::new(10, 0, 0, n)).collect(),
            ipv6_dns_server: (0..servers).map(|n| Ipv6Addr::from([n; 16])).collect(),
            ..IpConfiguration::default()
        }
    }

    #[test]
    fn usual_answers_stay_in_place() {
        let ip = IpConfiguration::decode(&configuration(2, 4).to_vec()).expect("a body");
        let on_heap = [
            ip.ipv4_address.spilled(),
            ip.ipv6_address.spilled(),
            ip.ipv4_dns_server.spilled(),
            ip.ipv6_dns_server.spilled(),
        ];
        assert_eq!(on_heap, [false; 4]);
        let signal = SignalStateV2 { rsrp_snr: list![RsrpSnrInfo::default(); 4], ..SignalStateV2::default() };
        assert!(!SignalStateV2::decode(&signal.to_vec()).expect("a body").rsrp_snr.spilled());
        let ready =
            SubscriberReady { telephone_numbers: list!["+15550100".into(), "2".into()], ..SubscriberReady::default() };
        assert!(!SubscriberReady::decode(&ready.to_vec()).expect("a body").telephone_numbers.spilled());
    }

    #[test]
    fn longer_lists_lose_nothing() {
        for (addresses, servers) in [(0, 0), (3, 5), (20, 40), (200, 255)] {
            let ip = configuration(addresses, servers);
            assert_eq!(IpConfiguration::decode(&ip.to_vec()).as_ref(), Ok(&ip));
            assert_eq!(ip.ipv6_dns_server.len(), usize::from(servers));
        }
        let signal = SignalStateV2 { rsrp_snr: list![RsrpSnrInfo::default(); 50], ..SignalStateV2::default() };
        assert_eq!(SignalStateV2::decode(&signal.to_vec()), Ok(signal));
    }
}

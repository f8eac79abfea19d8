//! Which indications are wanted of a modem, and by whom: sets of services and commands that can be united.

use std::collections::{BTreeMap, BTreeSet};

use mbim_proto::Uuid;
use mbim_proto::service::{self, basic_connect as bc, canonical};

use super::Offers;

/// Services that a list may name.
const MAX_SERVICES: usize = 64;
/// Commands that a list may name of one service.
const MAX_CIDS: usize = 256;

/// Commands of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cids {
    /// Whatever the service indicates.
    All,
    /// These.
    These(BTreeSet<u32>),
}

/// Indications, service by service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription(BTreeMap<Uuid, Cids>);

impl Subscription {
    /// These commands of these services.
    #[must_use]
    pub fn of(list: &[(Uuid, &[u32])]) -> Self {
        let these = |cids: &[u32]| Cids::These(cids.iter().copied().collect());
        Self(list.iter().map(|(service, cids)| (canonical(*service), these(cids))).collect())
    }

    /// What every client of a shared modem gets until it says otherwise. `[libmbim proxy]`
    #[must_use]
    pub fn standard() -> Self {
        // Basic Connect, SMS, USSD, Phonebook and STK, whatever of them is indicated without being asked for.
        Self::of(&[
            (service::BASIC_CONNECT, &[2, 3, 7, 9, 10, 11, 12, 13, 15, 22, 24]),
            (service::SMS, &[1, 2, 5]),
            (service::USSD, &[1]),
            (service::PHONEBOOK, &[1]),
            (service::STK, &[1]),
        ])
    }

    /// As a client writes it: a service without commands means all of them. `None` = longer than any honest list.
    #[must_use]
    pub fn read(body: &bc::DeviceServiceSubscribeList) -> Option<Self> {
        if body.events.len() > MAX_SERVICES {
            return None;
        }
        let mut list = Self::default();
        for entry in &body.events {
            if entry.cids.len() > MAX_CIDS {
                return None;
            }
            let cids =
                if entry.cids.is_empty() { Cids::All } else { Cids::These(entry.cids.iter().copied().collect()) };
            list.add(canonical(entry.device_service_id), cids);
        }
        Some(list)
    }

    /// Adds all of another one.
    pub fn unite(&mut self, other: &Self) {
        for (service, cids) in &other.0 {
            self.add(*service, cids.clone());
        }
    }

    /// Whether an indication is in it.
    #[must_use]
    pub fn has(&self, service: Uuid, cid: u32) -> bool {
        self.0.get(&canonical(service)).is_some_and(|cids| match cids {
            Cids::All => true,
            Cids::These(cids) => cids.contains(&cid),
        })
    }

    /// The list for a modem: what it does not offer is left out, as some refuse a list for one unknown entry.
    pub(super) fn body(&self, offers: &Offers) -> bc::DeviceServiceSubscribeList {
        let entry = |(service, cids): (&Uuid, &Cids)| {
            let cids = match cids {
                Cids::All if offers.names(*service) => Vec::new(),
                Cids::All => return None,
                Cids::These(cids) => {
                    let offered: Vec<u32> = cids.iter().copied().filter(|cid| offers.has(*service, *cid)).collect();
                    (!offered.is_empty()).then_some(offered)?
                }
            };
            Some(bc::EventEntry { device_service_id: *service, cids })
        };
        bc::DeviceServiceSubscribeList { events: self.0.iter().filter_map(entry).collect() }
    }

    fn add(&mut self, service: Uuid, cids: Cids) {
        match (self.0.entry(service).or_insert_with(|| Cids::These(BTreeSet::new())), cids) {
            (all, Cids::All) => *all = Cids::All,
            (Cids::All, Cids::These(_)) => {}
            (Cids::These(known), Cids::These(more)) => known.extend(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Offer;

    fn list(entries: &[(Uuid, &[u32])]) -> Subscription {
        let events =
            entries.iter().map(|(id, cids)| bc::EventEntry { device_service_id: *id, cids: cids.to_vec() }).collect();
        Subscription::read(&bc::DeviceServiceSubscribeList { events }).unwrap()
    }

    #[test]
    fn the_wildcard_swallows_single_commands() {
        let mut union = list(&[(service::SMS, &[1]), (service::SMS, &[2])]);
        assert!(union.has(service::SMS, 1) && union.has(service::SMS, 2) && !union.has(service::SMS, 3));
        union.unite(&list(&[(service::SMS, &[])]));
        assert!(union.has(service::SMS, 3) && !union.has(service::USSD, 1));
        union.unite(&list(&[(service::SMS, &[7])]));
        assert_eq!(union, list(&[(service::SMS, &[])]));
    }

    #[test]
    fn a_modem_is_asked_for_what_it_offers_only() {
        let offers = Offers { list: vec![Offer { service: service::SMS, cids: vec![1, 2, 3] }] };
        let wanted = list(&[(service::SMS, &[2, 9]), (service::USSD, &[]), (service::STK, &[1])]);
        let body = wanted.body(&offers);
        assert_eq!(body.events, [bc::EventEntry { device_service_id: service::SMS, cids: vec![2] }]);
        assert_eq!(list(&[(service::SMS, &[])]).body(&offers).events[0].cids, [0_u32; 0], "all of them");
        assert_eq!(list(&[]).body(&offers).events, []);
    }

    #[test]
    fn lists_are_bounded() {
        let entry = |n: usize| bc::EventEntry { device_service_id: service::SMS, cids: vec![1; n] };
        for (events, good) in [
            (vec![entry(MAX_CIDS)], true),
            (vec![entry(MAX_CIDS + 1)], false),
            (vec![entry(1); MAX_SERVICES], true),
            (vec![entry(1); MAX_SERVICES + 1], false),
        ] {
            assert_eq!(Subscription::read(&bc::DeviceServiceSubscribeList { events }).is_some(), good);
        }
    }
}

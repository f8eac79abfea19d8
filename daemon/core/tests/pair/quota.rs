//! What a document says of the SIM's data plan meets what is counted.

use daemon_core::quota::{Charge, Quota, Told};
use daemon_core::request::{Reply, Request, RequestErrorKind};
use daemon_core::snapshot::Metered;
use daemon_core::subscriber::{RoamingPolicy, Settings, SubscriberState};
use daemon_core::usage::Counters;
use virtual_modem::{Order, Profile, Slot};

use crate::driver::Pair;
use crate::usage::{connected, connected_to, registered};

const MB: u64 = 1_000_000;
/// The clock of the tests, and a day.
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

fn plan(limit: u64) -> Quota {
    Quota { carrier_id: "{1}".into(), name: "five".into(), limit: Some(limit), notifies: true, ..Quota::default() }
}

impl Pair {
    fn set(&mut self, quota: Option<Quota>) {
        let set = self.ask(Request::SetQuota(quota.map(Box::new)));
        assert!(set.is_ok(), "{set:?}: {}", self.account());
    }

    fn quota(&self) -> &Quota {
        self.snapshot().usage.quota.as_ref().unwrap_or_else(|| panic!("no plan: {}", self.account()))
    }

    /// Passes octets and looks.
    fn use_up(&mut self, more: u64) {
        let (_, counters) = self.counters.get_mut("wwan0").unwrap();
        counters.rx_octets += more;
        assert!(self.ask(Request::RefreshUsage).is_ok());
    }
}

/// OPER-121, PROV-154, PROV-156
#[test]
fn each_step_of_the_plan_is_told_once_and_no_oftener_than_each_minute() {
    let mut pair = connected();
    pair.set(Some(plan(1000 * MB)));
    pair.use_up(49 * MB);
    assert_eq!((pair.quota().used(), pair.snapshot().usage.notices), (49 * MB, 0));
    pair.use_up(MB);
    assert_eq!(pair.snapshot().usage.notices, 1, "{}", pair.account());
    assert!(pair.has_event("data-plan", "outcome", "step"));
    pair.use_up(0);
    assert_eq!(pair.snapshot().usage.notices, 1, "once");
    // The next two within the same minute are one notice after it, which nobody has to ask for.
    pair.use_up(100 * MB);
    assert_eq!(pair.snapshot().usage.notices, 1);
    let before = pair.now;
    assert!(pair.run(300, |pair| pair.snapshot().usage.notices == 2), "{}", pair.account());
    assert!((pair.now - before).as_secs() <= 61);
    // A restart does not tell again what was told.
    assert_eq!(pair.stored.as_ref().unwrap().quota.as_ref().unwrap().noticed, 150 * MB);
    pair.start_again();
    pair.connect();
    pair.use_up(49 * MB);
    assert_eq!((pair.snapshot().usage.notices, pair.quota().used()), (0, 199 * MB), "{}", pair.account());
    pair.use_up(MB);
    assert_eq!(pair.snapshot().usage.notices, 1);
}

/// A link that is idle is looked at as seldom with a plan as without.
#[test]
fn only_traffic_makes_it_look_oftener() {
    let mut pair = connected();
    pair.set(Some(plan(1000 * MB)));
    pair.run(130, |_| false);
    let reads = pair.reads;
    pair.run(3600, |_| false);
    let idle = pair.reads - reads;
    assert!(idle <= 13, "{idle}");
    // Ten megabytes a second: a step in five seconds, told each minute.
    let reads = pair.reads;
    for _ in 0..60 {
        let (_, counters) = pair.counters.get_mut("wwan0").unwrap();
        counters.rx_octets += 100 * MB;
        pair.run(10, |_| false);
    }
    let (busy, notices) = (pair.reads - reads, pair.snapshot().usage.notices);
    assert!((5..=14).contains(&busy) && (5..=11).contains(&notices), "{busy} {notices}");
}

/// OPER-121, PROV-155
#[test]
fn abroad_each_five_megabytes_are_told_and_without_a_wish_nothing() {
    let mut pair = Pair::new(Profile::default());
    let settings = Settings { roaming: RoamingPolicy::Any, ..Settings::default() };
    pair.stored = Some(SubscriberState { settings, ..SubscriberState::default() });
    let mut pair = connected_to(pair);
    pair.order(registered(4));
    pair.run(5, |_| false);
    pair.set(Some(plan(1000 * MB)));
    pair.use_up(6 * MB);
    assert_eq!(pair.snapshot().usage.notices, 1, "{}", pair.account());
    // PROV-153
    pair.set(Some(Quota { notifies: false, ..plan(1000 * MB) }));
    pair.run(61, |_| false);
    for _ in 0..3 {
        pair.run(10, |_| false);
        pair.use_up(300 * MB);
    }
    assert_eq!(pair.snapshot().usage.notices, 1);
    assert!(pair.quota().is_near());
}

/// OPER-121: the operator's figure replaces the estimate; what passed since is added.
#[test]
fn the_operators_figure_is_a_new_base() {
    let mut pair = connected();
    pair.set(Some(plan(1000 * MB)));
    pair.use_up(30 * MB);
    // It was so yesterday: all of today is added. Known already: nothing changes.
    let told = Told { octets: 400 * MB, at: NOW - DAY, ..Told::default() };
    for _ in 0..2 {
        pair.set(Some(Quota { told: Some(told), ..plan(1000 * MB) }));
        assert_eq!((pair.quota().used(), pair.quota().noticed), (430 * MB, 400 * MB), "{}", pair.account());
    }
    pair.use_up(20 * MB);
    assert_eq!((pair.quota().used(), pair.snapshot().usage.notices), (450 * MB, 1));
    assert_eq!(
        pair.snapshot().usage.home,
        Counters { rx_octets: 50 * MB, ..Counters::default() },
        "the ledger is what passed here"
    );
    // What was used is forgotten by a person: the plan is not.
    assert!(pair.ask(Request::ResetUsage).is_ok());
    assert_eq!(pair.quota().used(), 450 * MB);
}

/// OPER-122, PROV-157: what the plan says of money, below roaming and a person's word, and until it is taken away.
#[test]
fn the_kind_of_plan_says_whether_octets_cost() {
    let mut pair = connected();
    let metered = |pair: &Pair| (pair.snapshot().usage.metered, pair.snapshot().usage.metered_by);
    for (charge, expected) in
        [(Charge::Unrestricted, Metered::No), (Charge::Fixed, Metered::Yes), (Charge::Variable, Metered::Yes)]
    {
        pair.set(Some(Quota { charge, ..plan(MB) }));
        assert_eq!(metered(&pair), (expected, "plan"));
    }
    for word in [true, false] {
        let settings = Settings { metered: Some(word), ..Settings::default() };
        assert!(pair.ask(Request::SetSettings(settings.clone())).is_ok());
        let expected = (if word { Metered::Yes } else { Metered::No }, "settings");
        for charge in [Charge::Unrestricted, Charge::Fixed] {
            pair.set(Some(Quota { charge, ..plan(MB) }));
            assert_eq!(metered(&pair), expected, "{charge:?}");
        }
        assert_eq!(pair.stored.as_ref().unwrap().settings, settings, "never overwritten");
    }
    assert!(pair.ask(Request::SetSettings(Settings::default())).is_ok());
    assert_eq!(metered(&pair), (Metered::Yes, "plan"));
    pair.set(None);
    assert_eq!(metered(&pair), (Metered::GuessYes, "no-plan"));
    // The plan goes with what the operator's documents set.
    pair.set(Some(plan(MB)));
    assert_eq!(pair.ask(Request::ForgetProfiles("{2}".into())), Ok(Reply::Done { changed: false }));
    assert_eq!(pair.ask(Request::ForgetProfiles("{1}".into())), Ok(Reply::Done { changed: true }));
    assert!(pair.snapshot().usage.quota.is_none() && pair.stored.as_ref().unwrap().quota.is_none());
    // What is not stored is not in force.
    pair.store_fails = Some(true);
    let refused = pair.ask(Request::SetQuota(Some(Box::new(plan(MB)))));
    assert_eq!(refused.map_err(|error| error.kind), Err(RequestErrorKind::Storage));
    assert!(pair.snapshot().usage.quota.is_none());
}

#[test]
fn a_plan_needs_a_sim() {
    let mut pair = Pair::new(Profile::default());
    pair.order(Order::Slot(Slot::Empty));
    pair.attach();
    pair.run(30, |_| false);
    let refused = pair.ask(Request::SetQuota(None));
    assert_eq!(refused.map_err(|error| error.kind), Err(RequestErrorKind::WrongState), "{}", pair.account());
}

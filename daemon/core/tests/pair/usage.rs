//! What a SIM has used: counted at the right moments, for the right SIM, and kept.

use std::time::Duration;

use daemon_core::modem::Input;
use daemon_core::request::{Purpose, Reply, Request};
use daemon_core::snapshot::{Metered, Use};
use daemon_core::subscriber::{RoamingPolicy, Settings, SubscriberState};
use daemon_core::usage::Counters;
use mbim_proto::Body;
use mbim_proto::service::BASIC_CONNECT;
use mbim_proto::service::basic_connect as bc;
use virtual_modem::{Fault, Order, Profile, Sim, Slot, What, When};

use crate::driver::Pair;

pub(crate) fn octets(octets: u64) -> Counters {
    Counters { rx_octets: octets, tx_octets: octets / 10, rx_packets: octets / 1000, tx_packets: octets / 1000 }
}

impl Pair {
    fn pass(&mut self, interface: &str, more: u64) {
        let (_, counters) = self.counters.get_mut(interface).unwrap();
        counters.add(&octets(more));
    }

    fn usage(&self) -> &Use {
        &self.snapshot().usage
    }

    /// What a start after a crash would find.
    fn written(&self) -> Counters {
        self.stored.as_ref().map(|state| state.usage.total()).unwrap_or_default()
    }
}

/// A modem whose interface has counted something before, connected.
pub(crate) fn connected() -> Pair {
    connected_to(Pair::new(Profile::default()))
}

pub(crate) fn connected_to(mut pair: Pair) -> Pair {
    pair.counters.insert("wwan0".into(), (7, octets(5_000)));
    pair.attach();
    pair.connect();
    pair
}

#[test]
fn what_passes_is_the_sims_and_is_written_seldom() {
    let mut pair = connected();
    assert_eq!((pair.usage().since, pair.usage().home), (1_800_000_000, Counters::default()));
    let saves = pair.saves;
    pair.pass("wwan0", 1_000_000);
    assert_eq!(pair.ask(Request::RefreshUsage), Ok(Reply::Done { changed: true }));
    assert_eq!((pair.usage().home, pair.usage().sessions[0].used), (octets(1_000_000), octets(1_000_000)));
    // An hour of little traffic: looked at each five minutes, written each quarter of an hour.
    for _ in 0..60 {
        pair.pass("wwan0", 1_000);
        pair.run(60, |_| false);
    }
    let (reads, written) = (pair.reads, pair.saves - saves);
    assert!((3..=5).contains(&written) && reads < 20, "{written} writes, {reads} reads");
    // Ten megabytes do not wait.
    pair.pass("wwan0", 20_000_000);
    pair.run(300, |_| false);
    assert_eq!(pair.written(), octets(21_060_000));
    // Neither does the end.
    pair.pass("wwan0", 7_000);
    assert_eq!(pair.ask(Request::Disconnect), Ok(Reply::Done { changed: true }));
    assert_eq!((pair.written(), pair.usage().home), (octets(21_067_000), octets(21_067_000)));
    assert!(pair.stored.as_ref().unwrap().usage.marks.is_empty() && pair.usage().sessions.is_empty());
    // What passes without a session is not the SIM's; the next connection counts from there.
    pair.pass("wwan0", 999_000);
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
    pair.pass("wwan0", 1_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    assert_eq!((pair.usage().home, pair.usage().sessions[0].used), (octets(21_068_000), octets(1_000)));
    let Ok(Reply::UsageDays(days)) = pair.ask(Request::UsageDays) else { panic!("no days") };
    assert_eq!((days.len(), days[0].day, days[0].used), (1, 20_833, octets(21_068_000)));
}

#[test]
fn a_loss_and_an_unplug_keep_what_was_seen() {
    let mut pair = connected();
    pair.pass("wwan0", 3_000);
    pair.order(Order::DropSession { session: 0, cause: 36 });
    assert_eq!(pair.written(), octets(3_000), "{}", pair.account());
    pair.connect();
    pair.pass("wwan0", 4_000);
    pair.run(120, |_| false);
    pair.pass("wwan0", 5_000);
    // The interface goes with the cable.
    pair.counters.clear();
    pair.order(Order::Unplug);
    pair.gone();
    assert_eq!(pair.written(), octets(7_000), "{}", pair.account());
    assert_eq!(pair.host.next_wake(), None);
}

/// As with an interface of the daemon's own.
#[test]
fn an_interface_that_outlives_the_cable_is_read_once_more() {
    let mut pair = connected();
    pair.pass("wwan0", 9_000);
    pair.order(Order::Unplug);
    pair.gone();
    assert_eq!(pair.written(), octets(9_000), "{}", pair.account());
}

#[test]
fn a_restart_goes_on_where_it_was_left_and_a_crash_where_it_was_written() {
    let mut pair = connected();
    pair.pass("wwan0", 1_000);
    pair.leave();
    assert_eq!(pair.written(), octets(1_000));
    assert_eq!(pair.stored.as_ref().unwrap().usage.marks.len(), 1, "it goes on");
    pair.pass("wwan0", 2_000);
    pair.start_again();
    pair.connect();
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    assert_eq!(pair.usage().home, octets(3_000), "what passed without a daemon is counted: {}", pair.account());
    // Killed: what is on the disk has a mark, and the interface knows the rest.
    pair.pass("wwan0", 30_000_000);
    pair.run(400, |_| false);
    assert_eq!(pair.written(), octets(30_003_000));
    pair.pass("wwan0", 4_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    pair.start_again();
    pair.connect();
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    assert_eq!(pair.usage().home, octets(30_007_000), "neither twice nor lost: {}", pair.account());
    // The machine is reset: what was not written is gone, and nothing else.
    pair.pass("wwan0", 5_000);
    pair.kept = None;
    (pair.link, pair.boot) = (None, 2);
    pair.counters.insert("wwan0".into(), (7, octets(40_000_000)));
    let written = pair.written();
    pair.start_again();
    pair.connect();
    pair.pass("wwan0", 6_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    let mut sum = written;
    sum.add(&octets(6_000));
    assert_eq!(pair.usage().home, sum, "{}", pair.account());
}

/// OPER-119
#[test]
fn sessions_are_counted_by_their_interfaces() {
    let mut pair = connected();
    pair.counters.insert("wwan0.2".into(), (9, Counters::default()));
    assert!(
        pair.ask(Request::ConnectSession { session: 2, apn: None, purpose: Purpose::Internet }).is_ok(),
        "{}",
        pair.account()
    );
    pair.pass("wwan0", 1_000);
    pair.pass("wwan0.2", 50_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    let of = |pair: &Pair, session| {
        pair.usage().sessions.iter().find(|one| one.session == session).map(|one| one.used.rx_octets)
    };
    assert_eq!((of(&pair, 0), of(&pair, 2), pair.usage().home.rx_octets), (Some(1_000), Some(50_000), 51_000));
    assert_eq!(pair.usage().modem, None, "the modem counts both together");
    pair.pass("wwan0.2", 3_000);
    assert!(pair.ask(Request::DisconnectSession { session: 2 }).is_ok());
    assert_eq!((of(&pair, 0), of(&pair, 2), pair.usage().home.rx_octets), (Some(1_000), None, 54_000));
    assert_eq!(pair.written().rx_octets, 54_000);
    // The next one has an interface of its own.
    pair.counters.insert("wwan0.2".into(), (10, octets(70)));
    assert!(pair.ask(Request::ConnectSession { session: 2, apn: None, purpose: Purpose::Internet }).is_ok());
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    assert_eq!((of(&pair, 2), pair.usage().home.rx_octets), (Some(70), 54_070));
}

#[test]
fn another_sim_has_another_ledger() {
    let mut pair = connected();
    pair.pass("wwan0", 5_000);
    let other = Sim { iccid: "8999000000000000025".into(), imsi: "001015512345699".into(), ..Sim::default() };
    pair.slow_store = Some(Vec::new());
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    assert!(pair.run(60, |p| p.slow_store.as_ref().is_some_and(|waiting| !waiting.is_empty())), "{}", pair.account());
    assert_eq!(pair.written(), octets(5_000), "that of the old one: {}", pair.account());
    pair.feed(Input::Subscriber(None));
    assert!(pair.usage().home.is_empty());
    pair.slow_store = None;
    assert!(pair.ask(Request::Connect { apn: None }).is_ok(), "{}", pair.account());
    pair.pass("wwan0", 200);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    assert_eq!(pair.usage().home, octets(200), "{}", pair.account());
}

/// The modem says that it is registered: 3 at home, 4 abroad.
pub(crate) fn registered(state: u32) -> Order {
    let body = bc::RegisterStateInfo {
        register_state: bc::RegisterState(state),
        available_data_classes: bc::DataClass(0x20),
        provider_id: "00101".into(),
        provider_name: "Test Mobile".into(),
        ..bc::RegisterStateInfo::default()
    };
    let mut buffer = Vec::new();
    body.encode(&mut buffer);
    Order::Indicate { service: BASIC_CONNECT, cid: bc::RegisterStateInfo::CID, buffer }
}

#[test]
fn abroad_is_counted_apart_and_costs_money() {
    let mut pair = Pair::new(Profile::default());
    let settings = Settings { roaming: RoamingPolicy::Any, ..Settings::default() };
    pair.stored = Some(SubscriberState { settings, ..SubscriberState::default() });
    let mut pair = connected_to(pair);
    assert_eq!((pair.usage().metered, pair.usage().metered_by), (Metered::GuessYes, "no-plan"));
    pair.pass("wwan0", 1_000);
    pair.order(registered(4));
    pair.run(5, |_| false);
    assert_eq!((pair.usage().metered, pair.usage().metered_by), (Metered::Yes, "roaming"), "{}", pair.account());
    pair.pass("wwan0", 2_000);
    pair.order(registered(3));
    pair.run(5, |_| false);
    pair.pass("wwan0", 4_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    assert_eq!((pair.usage().home, pair.usage().roaming), (octets(5_000), octets(2_000)), "{}", pair.account());
}

/// OPER-122: what a person said stands above all else, and stays.
#[test]
fn a_persons_word_on_money_stands() {
    let mut pair = connected();
    for (metered, shown) in [(Some(false), Metered::No), (Some(true), Metered::Yes), (None, Metered::GuessYes)] {
        assert!(pair.ask(Request::SetSettings(Settings { metered, ..Settings::default() })).is_ok());
        pair.order(Order::DropSession { session: 0, cause: 36 });
        pair.connect();
        assert_eq!(pair.usage().metered, shown);
        assert_eq!(pair.stored.as_ref().unwrap().settings.metered, metered);
    }
}

#[test]
fn a_reset_forgets_and_goes_on() {
    let mut pair = connected();
    pair.pass("wwan0", 5_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    pair.pass("wwan0", 6_000);
    pair.wall = Some(1_800_000_100);
    assert_eq!(pair.ask(Request::ResetUsage), Ok(Reply::Done { changed: true }));
    assert_eq!((pair.usage().since, pair.usage().home), (1_800_000_100, Counters::default()));
    assert!(pair.written().is_empty());
    pair.pass("wwan0", 700);
    assert!(pair.ask(Request::Disconnect).is_ok());
    assert_eq!((pair.usage().home, pair.written()), (octets(700), octets(700)));
    // What cannot be written is not forgotten.
    pair.store_fails = Some(true);
    assert!(pair.ask(Request::ResetUsage).is_err());
    assert_eq!(pair.usage().home, octets(700));
}

#[test]
fn the_modem_is_asked_for_a_second_opinion() {
    let mut pair = connected();
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    pair.pass("wwan0", 10_000);
    pair.order(Order::Traffic { received_octets: 11_000, received_packets: 11, sent_octets: 1_000, sent_packets: 1 });
    assert!(pair.ask(Request::Disconnect).is_ok());
    pair.run(10, |_| false);
    let counts = pair.usage().modem.unwrap_or_else(|| panic!("{}", pair.account()));
    assert_eq!((counts.here.rx_octets, counts.here.tx_octets), (10_000, 1_000));
    assert_eq!((counts.modem.rx_octets, counts.modem.tx_octets), (11_000, 1_000), "the difference is shown");
    assert_eq!(pair.usage().home, octets(10_000), "and changes nothing");
}

/// OPER-120
#[test]
fn a_modem_without_counters_of_its_own_is_counted_all_the_same() {
    let mut pair = connected();
    let statistics = When::answer(BASIC_CONNECT, bc::PacketStatistics::CID);
    pair.order(Order::Fault(Fault::always(statistics, What::Status(13))));
    pair.pass("wwan0", 10_000);
    assert!(pair.ask(Request::RefreshUsage).is_ok());
    pair.run(1000, |_| false);
    assert!(pair.has_event("usage", "outcome", "no-packet-statistics"), "{}", pair.account());
    let asked = pair.events.iter().filter(|event| event.name == "usage").count();
    assert_eq!(asked, 1, "it is asked once");
    let before = pair.now;
    assert!(pair.ask(Request::Disconnect).is_ok());
    assert!(pair.now - before < Duration::from_secs(1), "nobody waits for it");
    assert_eq!((pair.usage().home, pair.usage().modem), (octets(10_000), None));
}

/// OPER-118: the program is killed when so many messages passed, and the next one counts on.
#[test]
fn killed_at_any_moment_nothing_is_counted_twice() {
    let mut measure = connected();
    let story = |pair: &mut Pair| {
        pair.pass("wwan0", 11_000_000);
        pair.run(300, |_| false);
        pair.pass("wwan0", 1_000);
        let _ = pair.request(Request::Disconnect);
        pair.run(20, |_| false);
    };
    story(&mut measure);
    for kill in 1..=measure.messages {
        let mut pair = Pair::new(Profile::default());
        pair.counters.insert("wwan0".into(), (7, octets(5_000)));
        pair.kill_after = Some(kill);
        pair.attach();
        pair.run(300, |pair| pair.killed || pair.is_up());
        let met = pair.is_up() && !pair.killed;
        if met {
            story(&mut pair);
        }
        let (written, killed) = (pair.written().rx_octets, pair.killed);
        pair.start_again();
        pair.run(60, |_| false);
        let _ = pair.request(Request::RefreshUsage);
        pair.run(60, |_| false);
        let counted = pair.usage().home.rx_octets;
        assert!(counted <= 11_001_000 && counted >= written, "{kill}: {counted} of {written} written");
        assert!(!met || killed || counted == 11_001_000, "{kill}: {counted}");
    }
}

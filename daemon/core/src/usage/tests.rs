use super::*;
use proptest::prelude::*;

fn reading(octets: u64) -> Reading {
    let counters =
        Counters { rx_octets: octets, tx_octets: octets / 2, rx_packets: octets / 100, tx_packets: octets / 200 };
    Reading { session: 0, index: 7, counters, narrow: false }
}

fn at(uptime: u64) -> Moment {
    Moment { boot: 1, uptime, wall: Some(20_000 * 86_400 + uptime) }
}

/// A ledger that has begun at these octets.
fn begun(octets: u64) -> Ledger {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.count(&reading(octets), &at(0), false, false, 0), Counted::Began);
    ledger
}

/// OPER-117
#[test]
fn deltas_of_counters() {
    for (old, new, grown) in [
        (0, 0, 0),
        (10, 25, 15),
        (0xffff_fff0, 0x10, 0x20),
        (0xc000_0000, 0x3fff_ffff, 0x7fff_ffff),
        (0xbfff_ffff, 0x10, 0x10),
        (0xffff_fff0, 0x4000_0000, 0x4000_0000),
        (1000, 999, 999),
    ] {
        assert_eq!(growth(old, new, true), grown, "{old} to {new}");
    }
    // 64 bits: less than before is a device that began anew.
    for (old, new) in [(0xffff_fff0, 0x10), (0x1_0000_0000, 5), (u64::MAX, 4)] {
        assert_eq!(growth(old, new, false), new, "{old} to {new}");
    }
}

/// OPER-117
#[test]
fn what_no_link_can_do_is_not_counted() {
    let mut ledger = begun(0);
    let most = FAST * 11 / 2 * 3;
    assert!(matches!(ledger.count(&reading(most + 1), &at(10), false, false, 0), Counted::Absurd(_)));
    assert!(ledger.total().is_empty() && ledger.days.is_empty());
    // It goes on from there.
    let passed = ledger.count(&reading(most + 1001), &at(11), false, false, 0);
    assert!(matches!(passed, Counted::Passed(Counters { rx_octets: 1000, .. })), "{passed:?}");
    assert!(matches!(ledger.count(&reading(2 * most), &at(21), false, false, 0), Counted::Passed(_)));
    // A link that says that it is faster is believed.
    let mut ledger = begun(0);
    assert!(matches!(ledger.count(&reading(most + 1), &at(10), false, false, 20_000_000_000), Counted::Passed(_)));
}

/// OPER-119
#[test]
fn two_sessions_are_counted_apart() {
    let mut ledger = begun(1000);
    let other = |octets| Reading { session: 2, index: 9, ..reading(octets) };
    // An interface that was made for the session has carried nothing else.
    assert!(matches!(ledger.count(&other(50), &at(1), false, true, 0), Counted::Passed(_)));
    ledger.count(&reading(1100), &at(2), false, false, 0);
    ledger.count(&other(250), &at(2), false, true, 0);
    assert_eq!(ledger.home.rx_octets, 50 + 100 + 200);
    ledger.end(2);
    ledger.count(&reading(1200), &at(3), false, false, 0);
    assert_eq!((ledger.home.rx_octets, ledger.marks.len()), (450, 1));
}

#[test]
fn another_interface_is_another_count() {
    let mut ledger = begun(1000);
    ledger.count(&reading(5000), &at(1), false, false, 0);
    let replugged = Reading { index: 8, ..reading(700) };
    assert_eq!(ledger.count(&replugged, &at(2), false, false, 0), Counted::Began);
    assert_eq!(ledger.count(&reading(900), &Moment { boot: 2, ..at(0) }, false, false, 0), Counted::Began);
    assert_eq!(ledger.home.rx_octets, 4000);
    assert_eq!(ledger.marks.len(), 1);
}

/// OPER-123
#[test]
fn a_clock_that_jumps_moves_no_past_use() {
    let mut ledger = begun(0);
    let on = |day: Option<u64>, uptime| Moment { wall: day.map(|day| day * 86_400 + 5), ..at(uptime) };
    let mut octets = 0;
    for (day, uptime) in [(Some(20_000), 1), (Some(29_000), 2), (None, 3), (Some(19_000), 4), (Some(20_000), 5)] {
        let before = ledger.days.clone();
        octets += 1000;
        ledger.count(&reading(octets), &on(day, uptime), false, false, 0);
        let day = u32::try_from(day.unwrap_or(0)).unwrap();
        let others = |days: &[Day]| days.iter().filter(|row| row.day != day).copied().collect::<Vec<_>>();
        assert_eq!(others(&ledger.days), others(&before));
        let row = |days: &[Day]| days.iter().find(|row| row.day == day).map_or(0, |row| row.used.rx_octets);
        assert_eq!(row(&ledger.days), row(&before) + 1000);
    }
    assert_eq!(ledger.home.rx_octets, 5000);
    let days: Vec<u32> = ledger.days.iter().map(|row| row.day).collect();
    assert_eq!(days, [0, 19_000, 20_000, 29_000]);
}

#[test]
fn roaming_is_counted_apart_and_days_are_bounded() {
    let mut ledger = begun(0);
    ledger.count(&reading(100), &at(1), false, false, 0);
    ledger.count(&reading(300), &at(2), true, false, 0);
    assert_eq!((ledger.home.rx_octets, ledger.roaming.rx_octets, ledger.total().rx_octets), (100, 200, 300));
    assert_eq!(ledger.days.len(), 2);
    for day in 0..400 {
        ledger.count(&reading(1000 + day), &at(3 + day * 86_400), day % 2 == 0, false, 0);
    }
    assert_eq!(ledger.days.len(), MOST_DAYS);
    assert_eq!(ledger.total().rx_octets, 1399, "sums outlive the rows");
}

#[test]
fn a_reset_goes_on_from_here() {
    let mut ledger = begun(0);
    ledger.count(&reading(5000), &at(1), true, false, 0);
    ledger.tested(77);
    let mut cleared = ledger.cleared(42);
    assert_eq!((cleared.since, cleared.total(), cleared.tests, cleared.days.len()), (42, Counters::default(), 0, 0));
    cleared.count(&reading(5200), &at(2), false, false, 0);
    assert_eq!(cleared.total().rx_octets, 200);
}

#[test]
fn the_beginning_is_known_where_there_is_a_clock() {
    let mut ledger = Ledger::default();
    ledger.count(&reading(0), &Moment { wall: None, ..at(0) }, false, false, 0);
    assert_eq!(ledger.since, 0);
    ledger.count(&reading(10), &at(5), false, false, 0);
    ledger.end(0);
    ledger.count(&reading(10), &at(6), false, false, 0);
    assert_eq!(ledger.since, 0, "it began before, nobody knows when");
    assert_eq!(begun(0).since, 20_000 * 86_400);
}

/// What may happen to an interface and to the daemon that counts it.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many octets pass.
    Traffic(u64),
    /// The daemon looks.
    Read,
    /// It writes down what it knows.
    Store,
    /// It is killed, and starts with what was written down; the interface stays.
    Crash,
    /// The device sets its counters to 0.
    Reset,
    /// Unplugged and plugged in again: another interface.
    Replug,
    /// The machine starts anew.
    Reboot,
    /// The session is ended in order, and made again.
    Reconnect,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0u64..3_000_000_000).prop_map(Step::Traffic),
        4 => Just(Step::Read),
        2 => Just(Step::Store),
        1 => Just(Step::Crash),
        1 => Just(Step::Reset),
        1 => Just(Step::Replug),
        1 => Just(Step::Reboot),
        1 => Just(Step::Reconnect),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Never more than passed, and never less than what was stored last. Between two resets of the interface, nothing at all
    /// is lost by a crash.
    #[test]
    fn nothing_is_counted_twice_and_nothing_stored_is_lost(steps in steps(), narrow in any::<bool>()) {
        let (mut boot, mut index, mut counter, mut uptime) = (1, 1, 0u64, 0u64);
        // Octets that passed, those of them that the interface has forgotten unread, and those that were stored.
        let (mut passed, mut lost, mut certain) = (0, 0, 0);
        // What passed since the last reading, and since the last one that was stored.
        let (mut unread, mut unstored) = (0, 0);
        // The mark in memory, and the one that is stored, are of the count that goes on.
        let (mut known, mut kept) = (true, true);
        let mut ledger = Ledger::default();
        let shown = |counter: u64| if narrow { counter % WIDTH } else { counter };
        let read = |ledger: &mut Ledger, (boot, index): (u64, u32), counter: u64, uptime: &mut u64| {
            *uptime += 100;
            let counters = Counters { rx_octets: shown(counter), ..Counters::default() };
            let moment = Moment { boot, uptime: *uptime, wall: None };
            ledger.count(&Reading { session: 0, index, counters, narrow }, &moment, false, false, 0)
        };
        read(&mut ledger, (boot, index), counter, &mut uptime);
        let mut stored = ledger.clone();
        for step in steps {
            match step {
                Step::Traffic(octets) => {
                    counter += octets;
                    passed += octets;
                    unread += octets;
                    unstored += octets;
                }
                Step::Read | Step::Store => {
                    let counted = read(&mut ledger, (boot, index), counter, &mut uptime);
                    prop_assert!(!matches!(counted, Counted::Absurd(_)));
                    lost += if known { 0 } else { unread };
                    (known, unread) = (true, 0);
                    if matches!(step, Step::Store) {
                        (stored, certain, unstored, kept) = (ledger.clone(), ledger.total().rx_octets, 0, true);
                    }
                }
                Step::Crash => {
                    ledger = stored.clone();
                    read(&mut ledger, (boot, index), counter, &mut uptime);
                    lost += if kept { 0 } else { unstored };
                    (known, unread) = (true, 0);
                }
                // That a device of 32 bits begins anew near their end is taken for a wrap, and cannot be told from it.
                Step::Reset if narrow => {}
                Step::Reset => {
                    // What was not read is gone, and so is what was not stored, should a crash follow.
                    lost += unread + unstored;
                    (counter, unread, unstored, known, kept) = (0, 0, 0, false, false);
                }
                Step::Replug | Step::Reboot => {
                    if matches!(step, Step::Reboot) {
                        (boot, ledger) = (boot + 1, stored.clone());
                    }
                    lost += unread + unstored;
                    (index, counter, unread, unstored, known, kept) = (index + 1, 0, 0, 0, true, false);
                    prop_assert_eq!(read(&mut ledger, (boot, index), counter, &mut uptime), Counted::Began);
                }
                Step::Reconnect => {
                    read(&mut ledger, (boot, index), counter, &mut uptime);
                    ledger.end(0);
                    lost += if known { 0 } else { unread };
                    (stored, certain, unread, unstored) = (ledger.clone(), ledger.total().rx_octets, 0, 0);
                    // The end was stored, the new beginning is not.
                    (known, kept) = (true, false);
                    prop_assert_eq!(read(&mut ledger, (boot, index), counter, &mut uptime), Counted::Began);
                }
            }
            let counted = ledger.total().rx_octets;
            prop_assert!(counted <= passed, "{counted} of {passed}");
            prop_assert!(counted >= certain, "{counted}, and {certain} were stored");
            if !narrow {
                prop_assert!(counted + lost + unread >= passed, "{counted} of {passed}, {lost} lost, {unread} unread");
            }
        }
    }

    /// Any reading in any order: no panic, and the rows hold together what the sums hold, while none had to go.
    #[test]
    fn days_add_up(readings in prop::collection::vec((any::<u64>(), any::<u64>(), any::<bool>(), 0u64..40), 0..60)) {
        let mut ledger = Ledger::default();
        for (octets, uptime, roaming, day) in readings {
            let counters = Counters { rx_octets: octets, ..Counters::default() };
            let wall = (day > 0).then_some(day * 86_400);
            let moment = Moment { boot: 1, uptime, wall };
            ledger.count(&Reading { session: 0, index: 1, counters, narrow: false }, &moment, roaming, true, u64::MAX);
        }
        let mut rows = Counters::default();
        ledger.days.iter().for_each(|row| rows.add(&row.used));
        prop_assert_eq!(rows, ledger.total());
    }
}

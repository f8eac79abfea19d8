//! A modem comes to the place of one that went: it is the same, or another one.

use daemon_core::modem::{Modem, ModemConfig};
use daemon_core::snapshot::Sim;
use mbim_proto::Personal;
use mbim_proto::service::BASIC_CONNECT;
use virtual_modem::{Direction, Fault, Order, Profile, Slot, What, When, kind};

use crate::driver::{Pair, config};

/// DEVICE_CAPS.
const DEVICE_CAPS: u32 = 1;
const HERE: &str = "352099746183010";

/// A modem of this number where one of that number is expected.
fn came(here: &str, expected: Option<&str>) -> Pair {
    let profile = Profile { device_id: Personal::new(here.to_owned()), ..Profile::default() };
    let expected = expected.map(|id| Personal::new(id.to_owned()));
    Pair::with(profile, ModemConfig { expected, ..config() })
}

/// As if nothing had been plugged in.
fn shows_nothing(pair: &Pair) -> bool {
    let (seen, new) = (pair.snapshot(), Modem::new(config()));
    (&seen.device, &seen.sim, &seen.registration, &seen.signal)
        == (&None, &new.snapshot().sim, &new.snapshot().registration, &new.snapshot().signal)
}

fn asked(pair: &Pair) -> usize {
    pair.device.log().count(|e| e.direction == Direction::FromHost && e.kind == kind::COMMAND)
}

#[test]
fn the_same_modem_goes_on_and_another_is_let_go_before_it_is_shown() {
    for (expected, same) in [
        (None, true),
        (Some(HERE), true),
        (Some(""), true),
        (Some("000000000000000"), true),
        (Some("352099746183028"), false),
    ] {
        let mut pair = came(HERE, expected);
        let mut fresh = came(HERE, None);
        fresh.attach();
        pair.attach();
        assert_eq!(pair.let_go, !same, "{expected:?}: {}", pair.account());
        assert_eq!(pair.has_event("other-modem", "port", "unix:/m.sock"), !same);
        if same {
            pair.connect();
            assert!(pair.is_up());
            // All is asked that is asked of any modem.
            fresh.connect();
            assert_eq!(asked(&pair), asked(&fresh), "{}", pair.account());
            assert_eq!(pair.snapshot().device.as_ref().map(|d| d.id.reveal().as_str()), Some(HERE));
        } else {
            assert!(shows_nothing(&pair), "{}", pair.account());
            assert_eq!(pair.host.next_wake(), None, "{}", pair.account());
            // Services, release, indications, and what it is: its SIM was not asked for.
            assert_eq!(asked(&pair), 4, "{}", pair.account());
        }
    }
}

/// Nothing of the SIM is shown meanwhile, whatever the modem says by itself.
#[test]
fn until_it_is_known_nothing_is_shown() {
    let mut pair = came(HERE, Some("352099746183028"));
    pair.order(Order::Fault(Fault::always(When::answer(BASIC_CONNECT, DEVICE_CAPS), What::Drop)));
    pair.attach();
    for order in [Order::Slot(Slot::Empty), Order::Signal { rssi: 20, error_rate: 0 }] {
        pair.order(order);
    }
    pair.run(1, |_| false);
    assert!(shows_nothing(&pair), "{}", pair.account());
    assert!(!pair.let_go);
    // One that never says what it is counts as the one that was here.
    assert!(pair.run(120, |pair| pair.snapshot().sim != Sim::default()), "{}", pair.account());
    assert!(!pair.let_go);
}

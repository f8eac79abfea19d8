//! A record of a session stands in for the modem: what a user captured can be gone through again.

use mbim_capture::{Anonymiser, Replay, frames, write};
use virtual_modem::Profile;

use crate::driver::Pair;

/// A session of so many seconds, written down as a capture file.
fn recorded(profile: Profile, seconds: u64) -> (Pair, Vec<u8>) {
    let mut pair = Pair::new(profile);
    pair.record = Some(write::start());
    pair.attach();
    pair.run(seconds, |_| false);
    let file = pair.record.take().expect("a record");
    (pair, file)
}

/// Another run of the machine, against the record alone: a modem of the other profile would be noticed.
fn replayed(file: &[u8], seconds: u64) -> Pair {
    let read = frames(file).expect("a capture").map(|frame| frame.expect("whole"));
    let mut pair = Pair::new(Profile::named("no-sim").expect("a profile"));
    pair.replay = Some(Replay::of(read, None));
    pair.attach();
    pair.run(seconds, |_| false);
    pair
}

#[test]
fn a_record_brings_another_host_online() {
    for name in ["demo", "mbimex1", "asynchronous", "slow-boot"] {
        let (first, file) = recorded(Profile::named(name).expect("a profile"), 120);
        assert!(first.is_up(), "{name}: {}", first.account());
        let second = replayed(&file, 120);
        assert!(second.is_up(), "{name}: {}", second.account());
        assert_eq!(second.link, first.link, "{name}");
        assert_eq!(second.snapshot().sim.ready, first.snapshot().sim.ready, "{name}");
    }
}

/// The same record with other identities.
fn anonymous(file: &[u8]) -> Vec<u8> {
    let mut anonymiser = Anonymiser::new([5; 32]);
    let mut out = write::start();
    for frame in frames(file).expect("a capture").map(|frame| frame.expect("whole")) {
        for bytes in anonymiser.frame(&frame) {
            out.extend(write::frame(frame.time.expect("a time"), frame.direction.expect("a direction"), &bytes));
        }
    }
    out
}

#[test]
fn a_record_without_its_people_brings_another_host_online() {
    for name in ["demo", "mbimex1", "asynchronous", "slow-boot"] {
        let (first, file) = recorded(Profile::named(name).expect("a profile"), 120);
        let second = replayed(&anonymous(&file), 120);
        assert!(second.is_up(), "{name}: {}", second.account());
        let (was, is) = (&first.snapshot().sim.identity, &second.snapshot().sim.identity);
        assert!(is.imsi.is_some() && is.imsi != was.imsi && is.iccid != was.iccid && is.device != was.device, "{name}");
        assert_eq!(is.provider_id, was.provider_id, "{name}: the same operator");
        assert_ne!(second.link, first.link, "{name}: addresses are other ones");
    }
}

#[test]
fn a_record_of_trouble_shows_the_same_trouble() {
    for name in ["esim-empty", "not-activated", "locked"] {
        let (first, file) = recorded(Profile::named(name).expect("a profile"), 60);
        let second = replayed(&file, 60);
        let told = |pair: &Pair| {
            let snapshot = pair.snapshot();
            (snapshot.state, snapshot.sim.ready, snapshot.reason.as_ref().map(|reason| reason.code))
        };
        assert_eq!(told(&second), told(&first), "{name}: {}", second.account());
        assert!(told(&first).2.is_some() && !second.is_up(), "{name} is trouble");
    }
}

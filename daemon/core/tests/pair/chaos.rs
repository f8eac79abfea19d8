//! Random bytes, random inputs, random unplugs: no panic, every request answered once, outputs bounded.

use std::collections::BTreeSet;
use std::time::Duration;

use daemon_core::effect::{Effect, ProbeReport};
use daemon_core::modem::tables::Power;
use daemon_core::modem::{Input, LinkFailure, Modem, Output, RequestId};
use daemon_core::request::{PinRequest, Purpose, Request};
use daemon_core::subscriber::{Settings, SubscriberState, UserApn};
use daemon_operator::identity::Identity;
use mbim_proto::Secret;
use mbim_proto::service::BASIC_CONNECT;
use proptest::collection::vec;
use proptest::prelude::*;
use virtual_modem::{Fault, Order, Profile, Sim, Slot, VirtualModem, What, When};

use crate::driver::{Pair, World, config, layers};

#[derive(Clone, Debug)]
enum Act {
    Attached,
    Gone,
    Bytes(Vec<u8>),
    /// What the virtual modem has to say, or part of it.
    Deliver(bool),
    Wake(u32),
    Ask(u8),
    LinkDone(u32, bool, bool),
    ProbeDone(u64),
    Operators,
    Records,
    Subscriber(bool),
    Stored(bool),
    HostRadio(bool),
    Overrun,
    Resumed,
    Announced,
    WriteFailed,
    Drop,
    Hardware(bool),
    Coverage(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Attached),
        1 => Just(Act::Gone),
        2 => vec(any::<u8>(), 0..64).prop_map(Act::Bytes),
        12 => any::<bool>().prop_map(Act::Deliver),
        6 => (0_u32..20_000).prop_map(Act::Wake),
        5 => any::<u8>().prop_map(Act::Ask),
        4 => (0_u32..4, any::<bool>(), any::<bool>()).prop_map(|(session, up, ok)| Act::LinkDone(session, up, ok)),
        1 => (0_u64..4).prop_map(Act::ProbeDone),
        2 => Just(Act::Operators),
        1 => Just(Act::Records),
        2 => any::<bool>().prop_map(Act::Subscriber),
        2 => any::<bool>().prop_map(Act::Stored),
        1 => any::<bool>().prop_map(Act::HostRadio),
        1 => Just(Act::Overrun),
        1 => Just(Act::Resumed),
        1 => Just(Act::Announced),
        1 => Just(Act::WriteFailed),
        1 => Just(Act::Drop),
        1 => any::<bool>().prop_map(Act::Hardware),
        1 => any::<bool>().prop_map(Act::Coverage),
    ]
}

fn request(n: u8) -> Request {
    let pin = || Secret::new("1234".to_owned());
    match n % 18 {
        0 | 1 => Request::Connect { apn: None },
        2 => Request::Disconnect,
        3 => Request::Reconnect,
        4 => Request::Reregister { cycle: true },
        5 => Request::Reregister { cycle: false },
        6 => Request::SetRadio(n & 16 != 0),
        7 => Request::Pin(PinRequest::Enter(pin())),
        8 => Request::Pin(PinRequest::Unblock { puk: Secret::new("12345678".to_owned()), new: pin() }),
        9 => Request::ServiceActivation(Secret::new(vec![n; 8])),
        10 => Request::SetSettings(Settings { autoconnect: n & 16 != 0, ..Settings::default() }),
        11 => Request::Probe,
        12 => Request::PortalUrl,
        13 => Request::Identity,
        14 => Request::RefreshSignal,
        15 => Request::ConnectSession {
            session: u32::from(n >> 6),
            apn: (n & 16 != 0).then(|| UserApn { apn: "internet".into(), ..UserApn::default() }),
            purpose: if n & 8 != 0 { Purpose::Tether } else { Purpose::Internet },
        },
        16 => Request::DisconnectSession { session: u32::from(n >> 6) },
        _ => Request::Stop,
    }
}

struct Chaos {
    host: Modem,
    device: VirtualModem,
    now: Duration,
    asked: u64,
    answered: BTreeSet<u64>,
    links: BTreeSet<u32>,
    /// Writes that were not answered.
    writes: usize,
    /// Whom records were last asked for.
    identity: Box<Identity>,
}

impl Chaos {
    fn feed(&mut self, input: Input<'_>) -> Result<(), TestCaseError> {
        self.host.handle(self.now, input);
        let mut outputs = 0;
        while let Some(output) = self.host.poll() {
            outputs += 1;
            prop_assert!(outputs < 500, "too much for one input");
            match output {
                Output::Transmit(bytes) => {
                    prop_assert!(bytes.len() <= 4096);
                    self.device.handle(self.now, &bytes);
                }
                Output::Reply { id, .. } => {
                    prop_assert!(id.0 <= self.asked, "a reply to nothing");
                    prop_assert!(self.answered.insert(id.0), "two replies to {}", id.0);
                }
                Output::Effect(Effect::LinkUp(settings)) => {
                    self.links.insert(settings.session);
                }
                Output::Effect(Effect::LinkDown { session }) => {
                    prop_assert!(self.links.remove(&session), "a link that is not there is taken down");
                }
                Output::Effect(Effect::LoadOperators { identity }) => self.identity = identity,
                Output::Effect(Effect::SaveSubscriber { .. }) => {
                    self.writes += 1;
                    prop_assert!(self.writes <= 1, "one write at a time");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Attached => self.feed(Input::Attached),
            Act::Gone => self.feed(Input::Gone),
            Act::Bytes(bytes) => self.feed(Input::Bytes(&bytes)),
            Act::Deliver(whole) => {
                while let Some(output) = self.device.poll() {
                    if let virtual_modem::Output::Transmit(bytes) = output {
                        let end = if whole { bytes.len() } else { bytes.len() / 2 };
                        self.feed(Input::Bytes(&bytes[..end]))?;
                    }
                }
                Ok(())
            }
            Act::Wake(ms) => {
                self.now += Duration::from_millis(u64::from(ms));
                self.device.wake(self.now);
                self.feed(Input::Wake)
            }
            Act::Ask(n) => {
                self.asked += 1;
                self.feed(Input::Request { id: RequestId(self.asked), request: request(n) })
            }
            Act::LinkDone(session, up, ok) => {
                let result = if ok { Ok(()) } else { Err(LinkFailure { code: "netlink", text: String::new() }) };
                self.feed(Input::LinkDone { session, up, result, interface: None })
            }
            Act::ProbeDone(id) => self.feed(Input::ProbeDone { id, report: ProbeReport::default() }),
            Act::Operators => {
                let identity = self.identity.clone();
                self.feed(Input::Operators { identity, layers: layers() })
            }
            Act::Records => self.feed(Input::RecordsChanged),
            Act::Subscriber(stored) => {
                self.feed(Input::Subscriber(stored.then(|| Box::new(SubscriberState::default()))))
            }
            Act::Stored(_) if self.writes == 0 => Ok(()),
            Act::Stored(well) => {
                self.writes -= 1;
                self.feed(if well { Input::Stored } else { Input::StoreFailed { text: String::new(), full: false } })
            }
            Act::HostRadio(blocked) => self.feed(Input::HostRadio { blocked }),
            Act::Overrun => self.feed(Input::Overrun),
            Act::Resumed => self.feed(Input::Resumed),
            Act::Announced => self.feed(Input::Announced),
            Act::WriteFailed => self.feed(Input::WriteFailed),
            Act::Drop => {
                self.device.order(self.now, Order::DropSession { session: 0, cause: 36 });
                Ok(())
            }
            Act::Hardware(on) => {
                self.device.order(self.now, Order::HardwareRadio(on));
                Ok(())
            }
            Act::Coverage(there) => {
                self.device.order(self.now, Order::Coverage(there));
                Ok(())
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_every_request_is_answered(acts in vec(act(), 1..120)) {
        let mut chaos = Chaos {
            host: Modem::new(config()),
            device: VirtualModem::new(Profile::default()),
            now: Duration::ZERO,
            asked: 0,
            answered: Default::default(),
            links: BTreeSet::new(),
            writes: 0,
            identity: Box::default(),
        };
        for act in acts {
            chaos.act(act)?;
        }
        chaos.feed(Input::Gone)?;
        // A write outlives the modem.
        while chaos.writes > 0 {
            chaos.act(Act::Stored(true))?;
        }
        prop_assert_eq!(chaos.answered.len() as u64, chaos.asked, "unanswered requests");
        prop_assert!(chaos.links.is_empty(), "links are left: {:?}", chaos.links);
        prop_assert_eq!(chaos.host.next_wake(), None);
    }
}

/// What may befall a modem and its owner, one after the other.
#[derive(Clone, Debug)]
enum Blow {
    Ask(u8),
    Wait(u16),
    Fault(u8, u8, bool),
    ClearFaults,
    Hardware(bool),
    Coverage(bool),
    Drop(u8),
    Detach,
    Reboot,
    Replug,
    Blocked(bool),
    LinkFails(bool),
    World(u8),
    Resumed,
    WriteFailed,
    Swap(bool),
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![
        4 => any::<u8>().prop_map(Blow::Ask),
        6 => (0_u16..400).prop_map(Blow::Wait),
        4 => (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(a, b, c)| Blow::Fault(a, b, c)),
        1 => Just(Blow::ClearFaults),
        1 => any::<bool>().prop_map(Blow::Hardware),
        1 => any::<bool>().prop_map(Blow::Coverage),
        1 => any::<u8>().prop_map(Blow::Drop),
        1 => Just(Blow::Detach),
        1 => Just(Blow::Reboot),
        1 => Just(Blow::Replug),
        1 => any::<bool>().prop_map(Blow::Blocked),
        1 => any::<bool>().prop_map(Blow::LinkFails),
        1 => (0_u8..3).prop_map(Blow::World),
        1 => Just(Blow::Resumed),
        1 => Just(Blow::WriteFailed),
        1 => any::<bool>().prop_map(Blow::Swap),
    ]
}

fn fault(when: u8, what: u8, always: bool) -> Fault {
    const CIDS: &[u32] = &[1, 2, 3, 4, 6, 9, 10, 11, 12, 14, 15, 16, 19];
    let cid = CIDS[usize::from(when) % CIDS.len()];
    let when = match when % 3 {
        0 => When::command(BASIC_CONNECT, cid),
        1 => When::indication(BASIC_CONNECT, cid),
        _ => When::answer(BASIC_CONNECT, cid),
    };
    let what = match what % 9 {
        0 | 1 => What::Drop,
        2 => What::Delay(Duration::from_secs(20)),
        3 => What::Duplicate,
        4 => What::Status(u32::from(what) % 30),
        5 => What::WrongTransaction,
        6 => What::LyingLength(i32::from(what) - 100),
        7 => What::Garbage(vec![what; 9]),
        _ => What::ResetMidway,
    };
    if always { Fault::always(when, what) } else { Fault::once(when, what) }
}

fn strike(pair: &mut Pair, blow: Blow) {
    match blow {
        Blow::Ask(n) if n % 18 == 17 || n % 18 == 10 => {}
        Blow::Ask(n) => {
            pair.request(request(n));
        }
        Blow::Wait(seconds) => {
            pair.run(u64::from(seconds), |_| false);
        }
        Blow::Fault(when, what, always) => pair.order(Order::Fault(fault(when, what, always))),
        Blow::ClearFaults => pair.order(Order::ClearFaults),
        Blow::Hardware(on) => pair.order(Order::HardwareRadio(on)),
        Blow::Coverage(there) => pair.order(Order::Coverage(there)),
        Blow::Drop(cause) => pair.order(Order::DropSession { session: 0, cause: u32::from(cause) }),
        Blow::Detach => pair.order(Order::Detach { cause: 10 }),
        Blow::Reboot => pair.order(Order::Reboot),
        Blow::Replug => {
            pair.order(Order::Unplug);
            pair.order(Order::Plug);
            pair.attach();
        }
        Blow::Blocked(blocked) => {
            pair.feed(Input::HostRadio { blocked });
            pair.settle();
        }
        Blow::LinkFails(fails) => pair.link_fails = fails,
        Blow::World(n) => pair.world = [World::Garden, World::Open, World::Dead][usize::from(n % 3)],
        Blow::Resumed => {
            pair.feed(Input::Resumed);
            pair.settle();
        }
        Blow::WriteFailed => {
            pair.feed(Input::WriteFailed);
            pair.settle();
        }
        Blow::Swap(first) => {
            let iccid = if first { "8999000000000000017" } else { "8999000000000000025" };
            let sim = Sim { iccid: iccid.into(), ..Sim::default() };
            pair.order(Order::Slot(Slot::Card(Box::new(sim))));
        }
    }
    pair.assert_no_link_left();
}

proptest! {
    /// Whatever came before: when all is well again, a request to connect succeeds without a plug.
    #[test]
    fn all_is_well_again_after_any_history(blows in vec(blow(), 1..25)) {
        let mut pair = Pair::new(Profile::named("demo").unwrap());
        pair.attach();
        for blow in blows {
            strike(&mut pair, blow);
        }
        pair.order(Order::ClearFaults);
        pair.order(Order::HardwareRadio(true));
        pair.order(Order::Coverage(true));
        pair.feed(Input::HostRadio { blocked: false });
        pair.settle();
        pair.link_fails = false;
        // A dead modem is looked at again at most every 16 minutes.
        prop_assert!(pair.run(3600, |p| p.host.tables().power == Power::Ready), "{}", pair.account());
        pair.run(300, |_| false);
        // What refuses the first may be old news, such as an answer that an indication has overtaken; it is asked for then.
        for _ in 0..3 {
            if pair.ask(Request::SetRadio(true)).is_ok() {
                break;
            }
            pair.run(60, |_| false);
        }
        pair.run(300, |_| false);
        let mut last = Ok(());
        for _ in 0..3 {
            last = pair.ask(Request::Connect { apn: None }).map(|_| ()).map_err(|e| e.reason);
            if last.is_ok() {
                break;
            }
            pair.run(60, |_| false);
        }
        prop_assert!(last.is_ok(), "{last:?} {}", pair.account());
        prop_assert!(pair.is_up());
        let asked = pair.replies.keys().max().copied().unwrap_or(0);
        prop_assert_eq!(pair.replies.len() as u64, asked, "unanswered requests");
    }
}

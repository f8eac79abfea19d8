//! Sessions beside the default one.

use std::time::Duration;

use daemon_core::request::{Purpose, Reply, Request, RequestErrorKind};
use daemon_core::snapshot::{ContextState, ModemState};
use daemon_core::subscriber::{Settings, UserApn};
use mbim_proto::service::BASIC_CONNECT;
use virtual_modem::{Fault, Order, Profile, Sim, Slot, What, When, kind};

use crate::driver::{Pair, config};

const DONE: Result<Reply, daemon_core::request::RequestError> = Ok(Reply::Done { changed: true });
const NOTHING: Result<Reply, daemon_core::request::RequestError> = Ok(Reply::Done { changed: false });

fn apn(name: &str) -> Option<UserApn> {
    Some(UserApn { apn: name.into(), ..UserApn::default() })
}

fn connect(session: u32, name: &str) -> Request {
    Request::ConnectSession { session, apn: apn(name), purpose: Purpose::Internet }
}

fn online(profile: Profile) -> Pair {
    let mut pair = Pair::new(profile);
    pair.attach();
    pair.connect();
    pair
}

/// Sessions 0 and 2 are up, each with its access point.
fn both() -> Pair {
    let mut pair = online(Profile::default());
    assert_eq!(pair.ask(connect(2, "purchase")), DONE, "{}", pair.account());
    assert!(pair.session_is_up(2), "{}", pair.account());
    pair
}

/// The sessions that are active in the modem.
fn active(pair: &Pair) -> Vec<u32> {
    pair.device.state().sessions.iter().map(|(session, _)| *session).collect()
}

/// What the default connection has gone through; the other sessions must not show here.
fn main_job(pair: &Pair) -> (Vec<bool>, usize, Option<Duration>) {
    (pair.link_changes.clone(), pair.probes, pair.snapshot().connections[0].since)
}

#[test]
fn a_second_session_beside_the_first() {
    let mut pair = online(Profile::default());
    let before = main_job(&pair);
    pair.now += Duration::from_secs(5);
    assert_eq!(pair.ask(connect(2, "purchase")), DONE);
    assert_eq!(active(&pair), [0, 2]);
    let second = pair.session(2).cloned().unwrap();
    assert_eq!((second.state, second.interface.as_deref()), (ContextState::Up, Some("wwan0.2")));
    assert_eq!(second.candidate.as_ref().map(|candidate| candidate.apn.as_str()), Some("purchase"));
    assert_eq!(second.ip.as_ref(), Some(&pair.links[&2].ip));
    assert_eq!(second.since, Some(pair.now));
    assert_eq!(pair.ask(connect(2, "purchase")), NOTHING);
    assert_eq!(pair.ask(Request::ConnectSession { session: 2, apn: None, purpose: Purpose::Internet }), NOTHING);
    pair.run(3600, |_| false);
    assert!(pair.is_up() && pair.session_is_up(2));
    assert_eq!(pair.ask(Request::DisconnectSession { session: 2 }), DONE);
    assert_eq!((active(&pair), pair.links.is_empty(), pair.session(2)), (vec![0], true, None));
    assert_eq!(pair.ask(Request::DisconnectSession { session: 2 }), NOTHING);
    assert_eq!(main_job(&pair), before, "the default connection has not noticed");
    assert_eq!(pair.state(), ModemState::Connected);
}

#[test]
fn the_first_ends_and_the_second_stays() {
    let mut pair = both();
    let ip = pair.session(2).unwrap().ip.clone();
    assert_eq!(pair.ask(Request::Disconnect), DONE);
    assert_eq!((active(&pair), pair.session_is_up(2)), (vec![2], true));
    pair.run(600, |_| false);
    assert_eq!(pair.session(2).unwrap().ip, ip);
    assert!(pair.ask(Request::Connect { apn: None }).is_ok());
    pair.order(Order::DropSession { session: 0, cause: 36 });
    assert!(!pair.is_up() && pair.session_is_up(2), "{}", pair.account());
    pair.connect();
    assert_eq!(active(&pair), [0, 2]);
}

#[test]
fn a_session_without_the_first() {
    let mut pair = online(Profile::default());
    assert!(pair.ask(Request::Disconnect).is_ok());
    assert_eq!(pair.ask(connect(1, "internet")), DONE);
    assert_eq!(active(&pair), [1]);
    assert_eq!(pair.state(), ModemState::Registered, "the public state is that of the default connection");
}

#[test]
fn what_the_network_dropped_comes_back_and_nothing_else_is_touched() {
    let mut pair = both();
    let before = main_job(&pair);
    pair.order(Order::DropSession { session: 2, cause: 36 });
    let second = pair.session(2).cloned().unwrap();
    assert_eq!((second.state, pair.links.is_empty()), (ContextState::Waiting, true));
    assert!(second.retry_at.is_some());
    assert_eq!(second.error.unwrap().code, "network-disconnected");
    assert!(pair.run(60, |pair| pair.session_is_up(2)), "{}", pair.account());
    assert_eq!(main_job(&pair), before);
    assert_eq!(pair.session(2).unwrap().error, None);
}

#[test]
fn without_a_name_the_access_point_that_no_other_session_uses_comes_first() {
    let mut pair = online(Profile::default());
    pair.stored = None;
    let settings = Settings { apn: apn("purchase"), ..Settings::default() };
    assert!(pair.ask(Request::SetSettings(settings)).is_ok());
    // The candidates are now "purchase" and "internet"; the first session uses the second of them.
    assert_eq!(pair.ask(Request::ConnectSession { session: 1, apn: None, purpose: Purpose::Internet }), DONE);
    assert_eq!(pair.session(1).unwrap().candidate.as_ref().unwrap().apn, "purchase");
    // None is free: the same one twice, where the network allows that.
    assert_eq!(
        pair.ask(Request::ConnectSession { session: 3, apn: None, purpose: Purpose::Internet }),
        DONE,
        "{}",
        pair.account()
    );
    assert_eq!(active(&pair), [0, 1, 3]);
}

#[test]
fn a_refused_one_is_told_and_forgotten() {
    let mut pair = online(Profile::default());
    let before = main_job(&pair);
    let error = pair.ask(connect(2, "nowhere")).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::Refused, "connect-refused"));
    assert!(error.reason.text.contains("nowhere") && error.reason.text.contains("cause 27"), "{error:?}");
    assert_eq!((active(&pair), pair.session(2)), (vec![0], None));
    let said = pair.device.log().from_host();
    pair.run(7200, |_| false);
    assert_eq!(pair.device.log().count(|e| e.operation == Some(1) && e.subject == Some((BASIC_CONNECT, 12))), 2);
    assert!(pair.device.log().from_host() <= said + 20, "no retry");
    assert_eq!(main_job(&pair).0, before.0);
    assert_eq!(pair.ask(connect(2, "purchase")), DONE);
}

#[test]
fn the_limits_are_named() {
    let mut pair = online(Profile { max_sessions: 3, ..Profile::default() });
    for (session, kind, code) in [
        (3, RequestErrorKind::WrongState, "session-limit"),
        (255, RequestErrorKind::WrongState, "session-limit"),
        (256, RequestErrorKind::InvalidArgs, "no-such-session"),
        (u32::MAX, RequestErrorKind::InvalidArgs, "no-such-session"),
    ] {
        let error = pair.ask(connect(session, "purchase")).unwrap_err();
        assert_eq!((error.kind, error.reason.code), (kind, code), "{session}");
    }
    let error = pair.ask(connect(1, &"x".repeat(101))).unwrap_err();
    assert_eq!(error.reason.code, "apn-too-long");
    assert_eq!(pair.ask(connect(0, "internet")), DONE, "session 0 is the default connection");
    assert_eq!(pair.ask(connect(2, "purchase")), DONE, "{}", pair.account());
}

#[test]
fn two_requests_for_one_session() {
    let mut pair = online(Profile::named("demo").unwrap());
    let first = pair.request(connect(2, "purchase"));
    let second = pair.request(connect(2, "purchase"));
    assert_eq!(pair.replies[&second].as_ref().unwrap_err().kind, RequestErrorKind::InProgress);
    let end = pair.request(Request::DisconnectSession { session: 2 });
    assert_eq!(pair.replies[&first].as_ref().unwrap_err().kind, RequestErrorKind::Cancelled);
    assert!(pair.run(60, |pair| pair.replies.contains_key(&end)), "{}", pair.account());
    assert!(pair.run(60, |pair| active(pair) == [0] && pair.links.is_empty()), "{}", pair.account());
    // Another name for the same session: the old context goes, the new one comes.
    assert_eq!(pair.ask(connect(2, "purchase")), DONE);
    assert_eq!(pair.ask(connect(2, "internet")), DONE);
    assert_eq!(pair.session(2).unwrap().candidate.as_ref().unwrap().apn, "internet");
    assert_eq!(active(&pair), [0, 2]);
}

#[test]
fn a_request_waits_for_the_network() {
    let mut pair = Pair::new(Profile::named("demo").unwrap());
    pair.order(Order::Coverage(false));
    pair.attach();
    pair.run(10, |_| false);
    let id = pair.request(connect(2, "purchase"));
    pair.run(10, |_| false);
    assert!(!pair.replies.contains_key(&id));
    pair.order(Order::Coverage(true));
    assert!(pair.run(60, |pair| pair.replies.contains_key(&id)), "{}", pair.account());
    assert_eq!(pair.replies[&id], DONE, "{}", pair.account());

    let mut pair = Pair::new(Profile::named("demo").unwrap());
    pair.order(Order::Coverage(false));
    pair.attach();
    pair.run(10, |_| false);
    let error = pair.ask(connect(2, "purchase")).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::Timeout, "not-registered"));
    assert_eq!(pair.session(2), None);
}

#[test]
fn new_addresses_move_its_link() {
    let mut pair = both();
    let before = main_job(&pair);
    let settings = pair.device.state().sessions.into_iter().find(|(session, _)| *session == 2).unwrap().1;
    let mut ip = settings.ip;
    ip.v4.as_mut().unwrap().address = Some(("10.64.9.77".parse().unwrap(), 24));
    pair.order(Order::Readdress { session: 2, ip });
    assert_eq!(pair.links[&2].ip.ipv4, [("10.64.9.77".parse().unwrap(), 24)]);
    assert_eq!(main_job(&pair), before, "the other session's are its own");
    let metric = Settings { metric: Some(50), ..Settings::default() };
    assert!(pair.ask(Request::SetSettings(metric)).is_ok());
    assert_eq!((pair.links[&2].metric, pair.link.as_ref().unwrap().metric), (Some(50), Some(50)));
}

#[test]
fn a_link_that_cannot_be_made_is_told() {
    let mut pair = online(Profile::default());
    pair.link_fails = true;
    let error = pair.ask(connect(2, "purchase")).unwrap_err();
    assert!(error.reason.text.contains("No such device"), "{error:?}");
    assert_eq!((active(&pair), pair.session(2)), (vec![0], None), "{}", pair.account());
}

#[test]
fn with_another_network_program_it_is_published_only() {
    let mut settings = config();
    settings.network = daemon_core::modem::NetworkMode::External;
    settings.probe.enabled = false;
    let mut pair = Pair::with(Profile::default(), settings);
    pair.attach();
    pair.connect();
    assert_eq!(pair.ask(connect(2, "purchase")), DONE);
    assert!(pair.links.is_empty());
    let second = pair.session(2).unwrap();
    assert_eq!((second.state, second.interface.as_deref()), (ContextState::Up, None));
    assert!(second.ip.is_some());
    assert_eq!(pair.ask(Request::DisconnectSession { session: 2 }), DONE);
}

#[test]
fn unplug_radio_sim_and_stop_take_all_away() {
    let mut pair = both();
    pair.order(Order::Unplug);
    assert!(pair.link.is_none() && pair.links.is_empty());
    pair.order(Order::Plug);
    pair.attach();
    pair.connect();
    assert_eq!(active(&pair), [0], "a plug begins anew");

    let mut pair = both();
    assert!(pair.ask(Request::SetRadio(false)).is_ok());
    assert!(pair.link.is_none() && pair.links.is_empty() && active(&pair).is_empty());
    assert!(pair.ask(Request::SetRadio(true)).is_ok());
    assert!(pair.run(120, |pair| pair.is_up() && pair.session_is_up(2)), "{}", pair.account());

    let mut pair = both();
    let other = Sim { iccid: "8999000000000000025".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    pair.connect();
    assert_eq!((active(&pair), pair.session(2)), (vec![0], None), "it was the other SIM's");

    let mut pair = both();
    let closes = |pair: &Pair| pair.device.log().count(|entry| entry.kind == kind::CLOSE);
    assert!(pair.ask(Request::Stop).is_ok());
    assert!(pair.link.is_none() && pair.links.is_empty() && active(&pair).is_empty());
    assert_eq!((closes(&pair), pair.kept.is_none()), (1, true));
    assert_eq!(pair.host.next_wake(), None);
}

#[test]
fn a_modem_that_hangs_gets_all_of_them_back() {
    let mut pair = both();
    pair.order(Order::Fault(Fault::always(When::command(BASIC_CONNECT, 11), What::Drop)));
    for _ in 0..4 {
        pair.request(Request::RefreshSignal);
        pair.run(60, |_| false);
    }
    pair.feed(daemon_core::modem::Input::WriteFailed);
    pair.settle();
    pair.order(Order::ClearFaults);
    assert!(pair.run(300, |pair| pair.is_up() && pair.session_is_up(2)), "{}", pair.account());
    assert_eq!(active(&pair), [0, 2]);
}

#[test]
fn lost_answers_do_not_stop_it() {
    for operation in ["activate", "deactivate"] {
        let mut pair = online(Profile::default());
        if operation == "deactivate" {
            assert_eq!(pair.ask(connect(2, "purchase")), DONE);
        }
        pair.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, 12), What::Drop)));
        let request =
            if operation == "activate" { connect(2, "purchase") } else { Request::DisconnectSession { session: 2 } };
        assert_eq!(pair.ask(request), DONE, "{operation}: {}", pair.account());
        assert_eq!(active(&pair).len(), if operation == "activate" { 2 } else { 1 });
        assert!(pair.is_up());
    }
}

// ---- restart and crash

#[test]
fn a_restart_keeps_them_all() {
    let mut pair = both();
    let (link, links) = (pair.link.clone(), pair.links.clone());
    let orders = |pair: &Pair| {
        pair.device.log().count(|entry| {
            let order = entry.operation == Some(1) && entry.subject == Some((BASIC_CONNECT, 12));
            entry.kind == kind::OPEN || entry.kind == kind::CLOSE || order
        })
    };
    let before = orders(&pair);
    pair.leave();
    assert_eq!(active(&pair), [0, 2]);
    pair.run(30, |_| false);
    pair.start_again();
    assert!(pair.run(30, |pair| pair.is_up() && pair.session_is_up(2)), "{}", pair.account());
    assert_eq!(orders(&pair), before, "neither OPEN nor CLOSE nor CONNECT: {}", pair.account());
    assert_eq!((&pair.link, &pair.links), (&link, &links));
    assert_eq!(pair.session(2).unwrap().candidate.as_ref().unwrap().apn, "purchase");
    assert_eq!(pair.ask(Request::DisconnectSession { session: 2 }), DONE);
    assert_eq!((active(&pair), pair.links.len()), (vec![0], 0));
    assert!(pair.kept.as_ref().unwrap().sessions.is_empty());
}

#[test]
fn a_restart_keeps_one_without_the_first() {
    let mut pair = both();
    assert!(pair.ask(Request::Disconnect).is_ok());
    pair.leave();
    pair.start_again();
    assert!(pair.run(30, |pair| pair.session_is_up(2)), "{}", pair.account());
    pair.run(60, |_| false);
    assert_eq!((active(&pair), pair.is_up()), (vec![2], false), "the person had disconnected the other");
}

/// The program is killed after every n-th message of the way of a second session up and down again.
#[test]
fn killed_after_every_message() {
    let way = |pair: &mut Pair, down: bool| {
        pair.request(connect(2, "purchase"));
        pair.run(60, |pair| pair.killed || pair.session_is_up(2));
        if down && !pair.killed {
            pair.request(Request::DisconnectSession { session: 2 });
            pair.run(60, |pair| pair.killed || pair.session(2).is_none());
        }
    };
    let (whole, start) = {
        let mut pair = online(Profile::default());
        let start = pair.messages;
        way(&mut pair, true);
        (pair.messages - start, start)
    };
    let (mut kept, mut ended) = (0, 0);
    for n in 1..whole {
        let mut pair = online(Profile::default());
        assert_eq!(pair.messages, start);
        pair.kill_after = Some(start + n);
        way(&mut pair, true);
        assert!(pair.killed, "{n}: {}", pair.account());
        pair.start_again();
        assert!(pair.run(60, Pair::is_up), "{n}: {}", pair.account());
        // Time for what was being made or ended, and for nothing else to be there.
        pair.run(120, |_| false);
        let up = pair.session_is_up(2);
        assert_eq!(active(&pair), if up { vec![0, 2] } else { vec![0] }, "{n} of {whole}: {}", pair.account());
        assert_eq!(pair.links.len(), usize::from(up), "{n}: {}", pair.account());
        assert_eq!(pair.session(2).is_some(), up, "{n}: {}", pair.account());
        kept += usize::from(up);
        ended += usize::from(!up);
        assert!(pair.ask(Request::Stop).is_ok(), "{n}");
        assert_eq!((pair.link.is_none(), pair.links.is_empty(), &pair.kept), (true, true, &None), "{n}");
        assert!(active(&pair).is_empty(), "{n}");
    }
    assert!(kept > 0 && ended > 0, "of {whole}, {kept} were kept and {ended} taken away");
}

#[test]
fn what_ended_meanwhile_is_made_anew_and_another_sims_is_taken_away() {
    let mut pair = both();
    pair.leave();
    pair.order(Order::DropSession { session: 2, cause: 36 });
    pair.start_again();
    assert!(pair.run(60, |pair| pair.is_up() && pair.session_is_up(2)), "{}", pair.account());

    let mut pair = both();
    pair.leave();
    let other = Sim { iccid: "8999000000000000025".into(), ..Sim::default() };
    pair.order(Order::Slot(Slot::Card(Box::new(other))));
    pair.start_again();
    pair.connect();
    pair.run(60, |_| false);
    assert_eq!((active(&pair), pair.links.is_empty(), pair.session(2)), (vec![0], true, None), "{}", pair.account());

    // The modem was opened by somebody else meanwhile.
    let mut pair = both();
    pair.leave();
    pair.order(Order::Unplug);
    pair.order(Order::Plug);
    pair.start_again();
    assert!(pair.run(300, |pair| pair.is_up() && pair.session_is_up(2)), "{}", pair.account());
    assert_eq!(active(&pair), [0, 2]);
}

#[test]
fn nothing_stands_on_the_interfaces_while_nobody_knows_whose_it_is() {
    for first in [true, false] {
        let mut pair = both();
        if !first {
            assert!(pair.ask(Request::Disconnect).is_ok());
        }
        pair.leave();
        pair.order(Order::Fault(Fault::always(When::answer(BASIC_CONNECT, 2), What::Drop)));
        pair.start_again();
        assert!(pair.run(60, |pair| pair.link.is_none() && pair.links.is_empty()), "{}", pair.account());
        pair.run(600, |_| false);
        assert!(pair.link.is_none() && pair.links.is_empty(), "{}", pair.account());
        pair.order(Order::ClearFaults);
        assert!(pair.run(600, |pair| pair.session_is_up(2) && pair.is_up() == first), "{}", pair.account());
    }
}

#[test]
fn who_asks_while_it_is_taken_over_is_answered() {
    for (name, other_sim) in [("purchase", false), ("purchase", true), ("internet", false)] {
        let mut pair = online(Profile::named("demo").unwrap());
        assert_eq!(pair.ask(connect(2, "purchase")), DONE);
        pair.leave();
        if other_sim {
            let other = Sim { iccid: "8999000000000000025".into(), ..Sim::default() };
            pair.order(Order::Slot(Slot::Card(Box::new(other))));
        }
        pair.start_again();
        assert!(!pair.session_is_up(2) || !pair.is_up(), "the modem takes its time");
        let result = pair.ask(connect(2, name));
        match (name, other_sim) {
            ("purchase", false) => assert_eq!(result, DONE, "{}", pair.account()),
            ("purchase", true) => assert_eq!(result.unwrap_err().kind, RequestErrorKind::Cancelled),
            _ => assert_eq!(result.unwrap_err().reason.code, "taking-over"),
        }
        pair.connect();
        pair.run(60, |_| false);
        assert_eq!(pair.session_is_up(2), !other_sim, "{}", pair.account());
    }
}

#[test]
fn asked_for_again_while_it_ends() {
    let mut pair = both();
    pair.order(Order::Fault(Fault::once(When::answer(BASIC_CONNECT, 12), What::Drop)));
    let end = pair.request(Request::DisconnectSession { session: 2 });
    assert!(!pair.replies.contains_key(&end));
    assert_eq!(pair.ask(connect(2, "internet")), DONE, "{}", pair.account());
    assert_eq!(pair.replies[&end], DONE);
    assert_eq!(pair.session(2).unwrap().candidate.as_ref().unwrap().apn, "internet");
    assert_eq!(active(&pair), [0, 2]);
}

const PURPOSES: &str = r#"<?xml version="1.0"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="zz"><provider><name>Test Mobile</name><gsm>
<network-id mcc="001" mnc="01"/>
<apn value="internet"><usage type="internet"/></apn>
<apn value="picture"><usage type="mms"/><mmsc>http://mmsc.test.example/</mmsc><mmsproxy>192.0.2.8:8080</mmsproxy></apn>
<apn value="share"><ov:purpose type="tether"/></apn>
</gsm></provider></country></serviceproviders>"#;

/// Online at a network with access points for pictures and for sharing; what passes is recorded.
fn with_purposes(records: &str) -> Pair {
    let mut profile = Profile::default();
    let internet = profile.network.apns[0].clone();
    for apn in ["picture", "share"] {
        profile.network.apns.push(virtual_modem::ApnRule { apn: apn.into(), default: false, ..internet.clone() });
    }
    let file = [daemon_operator::SourceFile { name: "x.xml", bytes: records.as_bytes() }];
    let (layers, problems) = daemon_operator::Layers::load(&[], &file);
    assert_eq!(problems, []);
    let mut pair = Pair::new(profile);
    pair.layers = std::sync::Arc::new(layers);
    pair.record = Some(Vec::new());
    pair.attach();
    pair.connect();
    pair
}

fn for_purpose(session: u32, purpose: Purpose) -> Request {
    Request::ConnectSession { session, apn: None, purpose }
}

/// How often the modem was told this context type.
fn told(pair: &Pair, kind: mbim_proto::Uuid) -> usize {
    pair.record.as_ref().unwrap().windows(16).filter(|window| *window == kind.0.as_slice()).count()
}

#[test]
fn a_purpose_has_access_points_and_a_session_of_its_own() {
    use mbim_proto::service::context_type;
    let mut pair = with_purposes(PURPOSES);
    let before = main_job(&pair);
    assert_eq!(pair.ask(for_purpose(0, Purpose::Mms)), DONE, "{}", pair.account());
    assert_eq!(pair.ask(for_purpose(0, Purpose::Tether)), DONE, "{}", pair.account());
    for (session, purpose, apn) in [(1, Purpose::Mms, "picture"), (2, Purpose::Tether, "share")] {
        let shown = pair.session(session).unwrap();
        assert_eq!((shown.state, shown.purpose), (ContextState::Up, purpose));
        assert_eq!(shown.candidate.as_ref().unwrap().apn, apn);
    }
    let mms = pair.session(1).unwrap().candidate.clone().unwrap();
    assert_eq!(mms.mmsc.as_deref(), Some("http://mmsc.test.example/"));
    assert_eq!(mms.mms_proxy.as_deref(), Some("192.0.2.8:8080"));
    assert!(told(&pair, context_type::MMS) > 0 && told(&pair, context_type::TETHERING) > 0);
    assert_eq!(main_job(&pair), before);
    // Asked again it is the same session, whether it is named or not.
    assert_eq!(pair.ask(for_purpose(0, Purpose::Mms)), NOTHING);
    assert_eq!(pair.ask(for_purpose(1, Purpose::Mms)), NOTHING);
    // Another purpose for a session is another connection.
    assert_eq!(pair.ask(for_purpose(2, Purpose::Mms)), DONE, "{}", pair.account());
    assert_eq!(pair.session(2).unwrap().candidate.as_ref().unwrap().apn, "picture");
    // Lost, it is made again for what it is for.
    pair.order(Order::DropSession { session: 1, cause: 36 });
    assert!(pair.run(60, |pair| pair.session_is_up(1)), "{}", pair.account());
    assert_eq!(pair.session(1).unwrap().candidate.as_ref().unwrap().apn, "picture");
}

/// `[OPER-070]`: for sharing the ordinary access points serve where there are none for it; for pictures nothing else does.
#[test]
fn sharing_falls_back_and_pictures_do_not() {
    let plain = PURPOSES.replace("type=\"mms\"", "type=\"wap\"").replace("type=\"tether\"", "type=\"supl\"");
    let mut pair = with_purposes(&plain);
    let error = pair.ask(for_purpose(0, Purpose::Mms)).unwrap_err();
    assert_eq!((error.kind, error.reason.code), (RequestErrorKind::NotFound, "no-access-point"));
    assert_eq!(active(&pair), [0]);
    assert_eq!(pair.ask(for_purpose(3, Purpose::Tether)), DONE, "{}", pair.account());
    assert_eq!(pair.session(3).unwrap().purpose, Purpose::Tether);
    // Who knows one names it.
    let named = Request::ConnectSession { session: 0, apn: apn("picture"), purpose: Purpose::Mms };
    assert_eq!(pair.ask(named), DONE, "{}", pair.account());
    assert_eq!(pair.session(1).unwrap().candidate.as_ref().unwrap().apn, "picture");
    assert!(told(&pair, mbim_proto::service::context_type::MMS) > 0);
}

/// The next start of the daemon knows what a session is for, also when it has to be made again.
#[test]
fn a_purpose_outlives_a_restart() {
    let mut pair = with_purposes(PURPOSES);
    assert_eq!(pair.ask(for_purpose(0, Purpose::Mms)), DONE);
    pair.leave();
    pair.start_again();
    assert!(pair.run(60, |pair| pair.session_is_up(1)), "{}", pair.account());
    assert_eq!(pair.session(1).unwrap().purpose, Purpose::Mms);
    pair.order(Order::DropSession { session: 1, cause: 36 });
    assert!(pair.run(60, |pair| pair.session_is_up(1)), "{}", pair.account());
    let shown = pair.session(1).unwrap();
    assert_eq!((shown.purpose, shown.candidate.as_ref().unwrap().apn.as_str()), (Purpose::Mms, "picture"));
}
